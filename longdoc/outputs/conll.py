"""CoNLL: a token a line, with its place in the text and its tag (IOB2), in the four columns of CoNLL-2003.

The columns are the token, its first character and the one past its last, where CoNLL-2003 has part of speech and chunk,
and the tag: readers of CoNLL-2003 take the first column and the last. ``read_conll`` of ``longdoc.datasets`` needs
``tag_column: 3``. Offsets count code points of ``document.text``. A blank line ends a sentence, ``-DOCSTART-`` begins a
document.

A token has one tag. Of two findings that overlap, the longer one is written; a finding is written without the white
space at its ends, and one of white space alone is left out. Scores and values have no column. Tokens are split where a
finding starts or ends, and a sentence that ends within a finding goes on. White space and ``%`` in labels are
percent-encoded, ``Governing%20Law``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TextIO

from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.marks import Mark, flat, marks_of, split, text_of, trimmed
from longdoc.outputs.omissions import Omissions, read, telling
from longdoc.sentences import sentences

_JOINERS = frozenset("\u200c\u200d")
"""They join what stands at both sides, as combining marks do."""


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes the tokens of each document."""
    with telling("conll") as omissions:
        for _, prediction in read(outcomes, omissions):
            stream.write("-DOCSTART- -X- -X- O\n\n")
            for sentence in _sentences(prediction, omissions):
                stream.write("".join(f"{line}\n" for line in sentence) + "\n")


def _sentences(prediction: PredictionLike, omissions: Omissions) -> Iterator[list[str]]:
    """The lines of each sentence."""
    text = text_of(prediction, omissions)
    omissions.add("classes", len(prediction.labels))
    marks = _flat(marks_of(prediction, omissions), text, omissions)
    starts = [start for start, _ in sentences(text)]
    lines: list[str] = []
    ended, at = False, 0
    for start, end, tag in _tagged(text, marks):
        while at < len(starts) and starts[at] <= start:
            at, ended = at + 1, True
        if ended and lines and not tag.startswith("I-"):
            yield lines
            lines = []
        ended = False
        lines.append(f"{text[start:end]} {start} {end} {tag}")
    if lines:
        yield lines


def _flat(marks: Sequence[Mark], text: str, omissions: Omissions) -> list[Mark]:
    """The marks that a tag for each token can hold; counts the others."""
    visible = []
    for mark in marks:
        start, end = trimmed(mark, text)
        if start < end:
            visible.append(replace(mark, start=start, end=end))
    kept = flat(visible)
    omissions.add("findings of white space alone", len(marks) - len(visible))
    omissions.add("findings that overlap longer ones", len(visible) - len(kept))
    omissions.add("findings whose value or check mark is left out", sum(bool(mark.remark) for mark in kept))
    return kept


def _tagged(text: str, marks: Sequence[Mark]) -> Iterator[tuple[int, int, str]]:
    """The ranges of the tokens, each with its tag."""
    at = 0
    for start, end in split(_tokens(text), [border for mark in marks for border in (mark.start, mark.end)]):
        while at < len(marks) and marks[at].end <= start:
            at += 1
        if at == len(marks) or start < marks[at].start:
            yield start, end, "O"
        else:
            yield start, end, f"{'B' if start == marks[at].start else 'I'}-{_encoded(marks[at].label)}"


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    """The ranges of words, and of all other characters one by one."""
    for word in re.finditer(r"\S+", text):
        place = word.start()
        for length in _lengths(word[0]):
            yield place, place + length
            place += length


@lru_cache(maxsize=1 << 14)
def _lengths(word: str) -> tuple[int, ...]:
    """Lengths of the tokens of a word between white space; combining marks stay with what they stand on."""
    lengths: list[int] = []
    inside = False
    for character in word:
        joins = bool(lengths) and (character in _JOINERS or unicodedata.category(character)[0] == "M")
        is_letter = character.isalnum() or character == "_"
        if joins or (inside and is_letter):
            lengths[-1] += 1
        else:
            lengths.append(1)
            inside = is_letter
    return tuple(lengths)


def _encoded(label: str) -> str:
    return re.sub(r"[\s%]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), label)


FORMAT = Format(
    name="conll",
    description="a token and its tag a line (CoNLL-2003, IOB2)",
    suffix=".conll",
    streams=True,
    write=write,
    answers=True,
    failures=False,
)
