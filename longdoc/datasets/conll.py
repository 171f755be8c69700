"""CoNLL columns: one token and its tag on each line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import unquote

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import errors_at, numbered_lines
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.errors import DataError
from longdoc.labels import Span

_TAG = re.compile(r"O|[BIMELSUW]-.+")
_ENCODED = re.compile(r"(?:%[0-9A-F]{2})+")
_INSIDE, _CLOSING = frozenset("IMEL"), frozenset("ELSUW")
Sentence: TypeAlias = list[tuple[str, str]]
"""Tokens with their tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConllConfig(ReaderConfig):
    """Keys of the reader ``conll``."""

    reader: Literal["conll"]
    token_column: int = 0
    """Column of the token, counted from 0."""
    tag_column: int = 1
    """Column of the tag, counted from 0."""


def read_conll(
    path: Path,
    *,
    token_column: int = 0,
    tag_column: int = 1,
    sentences_per_document: int = 8,
    remarks: Remarks | None = None,
) -> Iterator[Example]:
    """Reads columns, one token per line, with blank lines between sentences and IOB1, IOB2, BIOES, BILOU or IO tags.

    Tags that the file's scheme does not allow, such as an ``I-`` after another label in IOB2, are read as the
    CoNLL-2003 evaluation script reads them, as the start of an entity, and counted in the remarks.

    Tokens are joined by spaces, sentences by line feeds. ``-DOCSTART-`` lines separate documents. A file without them
    is a corpus of single sentences and is read as documents of ``sentences_per_document``, so that a window contains
    more than one sentence. White space and ``%`` in labels may be percent-encoded, ``Governing%20Law``, as longdoc
    writes them.

    Raises:
        DataError: a column is missing, a token is empty or a tag belongs to no scheme; names file and line.
    """
    documents = list(_documents(path, token_column, tag_column))
    with remarks_on(path, remarks) as noted:
        note_wrong_tags([sentence for document in documents for sentence in document], str(path), noted)
    if len(documents) == 1:
        (sentences,) = documents
        starts = range(0, len(sentences), sentences_per_document)
        documents = [sentences[start : start + sentences_per_document] for start in starts]
    first = 0
    for document in documents:
        yield join_sentences(f"{path.stem}-{first}", document)
        first += len(document)


def _documents(path: Path, token_column: int, tag_column: int) -> Iterator[list[Sentence]]:
    """The sentences of each document that is not empty, as tokens with their tags."""
    documents: list[list[Sentence]] = [[[]]]
    for number, line in numbered_lines(path):
        cells = line.split("\t") if "\t" in line else line.split()
        if "-DOCSTART-" in cells:
            documents.append([[]])
        elif not line.strip():
            documents[-1].append([])
        elif not _is_comment(line, cells, tag_column):
            last = max(token_column, tag_column)
            if len(cells) <= last:
                problem = f"no column {last} (counted from 0) in a line of {len(cells)} columns"
                raise DataError(f"{path}, line {number}: {problem}; set token_column and tag_column")
            with errors_at(f"{path}, line {number}"):
                documents[-1][-1].append((_check_token(cells[token_column]), _tag(cells[tag_column])))
    for document in documents:
        if sentences := [sentence for sentence in document if sentence]:
            yield sentences


def _is_comment(line: str, cells: Sequence[str], tag_column: int) -> bool:
    """Whether a line is a comment, as opposed to the token ``#`` with its tag."""
    tag = cells[tag_column] if len(cells) > tag_column else ""
    return line.startswith("# ") and not _TAG.fullmatch(tag)


def _check_token(token: str) -> str:
    if not token.strip():
        raise ValueError("the token is empty; leave the line out")
    return token


def _tag(cell: str) -> str:
    """A tag, with white space and ``%`` in place of their codes."""
    return _ENCODED.sub(_decoded, check_tag(cell))


def _decoded(found: re.Match[str]) -> str:
    own = unquote(found[0])
    return own if all(each.isspace() or each == "%" for each in own) else found[0]


def check_tag(tag: str) -> str:
    """Returns the tag.

    Raises:
        ValueError: no tagging scheme has it.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(
            f"{tag!r} is not a tag; allowed: O, and a label after B-, I-, E-, S- (BIOES), L-, U- (BILOU) or M-, W- "
            "(BMEWO)"
        )
    return tag


def note_wrong_tags(sentences: Sequence[Sequence[tuple[str, str]]], where: str, remarks: Remarks) -> None:
    """Counts the tags that the scheme does not allow where they stand; the scheme is the one that most tags fit.

    With ``E-`` or ``L-``, ``S-``, ``U-`` or ``W-`` it is BIOES or BILOU; with a ``B-`` that follows no entity of its
    label, IOB2; otherwise IOB1 or IO, in which every sequence is allowed.
    """
    steps = [
        (word, left.partition("-"), tag.partition("-"))
        for sentence in sentences
        for (_, left), (word, tag) in zip([("", "O"), *sentence], [*sentence, ("", "O")], strict=True)
    ]
    marks_ends = any(prefix in _CLOSING for _, _, (prefix, _, _) in steps)
    if not marks_ends and not any(tag[0] == "B" and left[2] != tag[2] for _, left, tag in steps):
        return
    for word, left, tag in steps:
        goes_on = left[0] in ("B", "I", "M") and left[2] == tag[2]
        if tag[0] in _INSIDE and not goes_on:
            begin = "-".join((tag[0], tag[2]))
            remarks.add("tag inside an entity without its beginning, read as one", f"{where}, {begin} of {word!r}")
        if marks_ends and left[0] in ("B", "I", "M") and not (goes_on and tag[0] in _INSIDE):
            remarks.add("entity without its last tag, read to where it stops", f"{where}, before {word!r}")


def join_sentences(identifier: str, sentences: Sequence[Sequence[tuple[str, str]]]) -> Example:
    """Builds a document from sentences of tokens with their tags; joins tokens by spaces, sentences by line feeds."""
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    for sentence in sentences:
        open_label = ""  # of the entity that the next token may continue
        for index, (token, tag) in enumerate(sentence):
            start, end = position, position + len(token)
            prefix, _, label = tag.partition("-")
            if label and prefix in _INSIDE and label == open_label:
                spans[-1] = replace(spans[-1], end=end)
            elif label:
                spans.append(Span(start, end, label))
            open_label = "" if prefix in _CLOSING else label
            parts += [token, "\n" if index + 1 == len(sentence) else " "]
            position = end + 1
    return Example(identifier, "".join(parts), tuple(spans))
