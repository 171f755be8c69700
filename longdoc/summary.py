"""Findings summarised for people: each name once, with its mentions and pages; answers with their places."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longdoc.labels import Answer, Entity

ANSWER_CHARACTERS = 400
"""Characters shown of an answer."""
OBEYED = "\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""In the brackets of a pattern: the characters that a terminal obeys or cannot show. They are the control characters,
the separators of lines, the controls that change the order of a line, and lone surrogates."""
_OBEYED = re.compile(f"[{OBEYED}]")
_OBEYED_IN_LINES = re.compile(f"(?![\t\n])[{OBEYED}]")


@dataclass(frozen=True, slots=True)
class Name:
    """All mentions of one name under one label."""

    label: str
    text: str
    """The most frequent spelling, on one line."""
    mentions: tuple[Entity, ...]
    """In document order; at least one."""

    @property
    def pages(self) -> str:
        """The pages that mention it, as in ``"1, 3–5"``."""
        return page_ranges(mention.page for mention in self.mentions)

    @property
    def score(self) -> float:
        """The highest score of its mentions."""
        return max(mention.score for mention in self.mentions)


def names_by_label(entities: Iterable[Entity]) -> dict[str, list[Name]]:
    """Groups entities by label and name.

    Two mentions are of the same name if they differ only in case, punctuation and white space.

    Returns:
        Labels in descending order of mean score; the names of a label in descending order of mentions.
    """
    mentions: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in sorted(entities, key=lambda entity: (entity.start, entity.end)):
        mentions[entity.label, re.sub(r"[\W_]+", " ", entity.text).casefold().strip()].append(entity)
    names: dict[str, list[Name]] = {}
    for (label, _), group in mentions.items():
        spelling, _ = Counter(on_one_line(entity.text) for entity in group).most_common(1)[0]
        names.setdefault(label, []).append(Name(label, spelling, tuple(group)))
    by_score = sorted(names, key=lambda label: -fmean(name.score for name in names[label]))
    return {label: sorted(names[label], key=lambda name: -len(name.mentions)) for label in by_score}


def shown(text: str, *, lines: bool = False) -> str:
    r"""A text that a terminal shows and does not obey: control characters and the like are escaped.

    >>> shown("caf\udce9\x1b[2J.pdf")
    'caf\\xe9\\x1b[2J.pdf'

    Args:
        text: any string. A byte of a file name that is not UTF-8 is shown as that byte.
        lines: keep tabs and line ends, which are escaped otherwise.
    """
    return _OBEYED_IN_LINES.sub(_escape, text.replace("\r\n", "\n")) if lines else _OBEYED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else found[0].encode("unicode_escape").decode()


def on_one_line(text: str) -> str:
    """Replaces each run of white space with a single space."""
    return " ".join(text.split())


def place(answer: Answer | Entity) -> str:
    """Where an answer or a span is, as in ``"page 3, section 8.3(b)"``."""
    if answer.start == answer.end:
        return "metadata"
    section = f", section {answer.section}" if answer.section else ""
    return f"page {answer.page}{section}"


def searched(share: float) -> str:
    """How much of a text was searched, as in ``"23 % of the text searched"``."""
    return f"{min(round(share * 100), 99)} % of the text searched"


def given_by(answer: Answer) -> str:
    """What gave an answer that no model gave, as in ``", from the record (governing law)"``; empty for others."""
    kind, _, name = answer.source.partition(" ")
    return f", from the {kind} ({name.replace('_', ' ')})" if kind in ("record", "definition") else ""


def shortened(text: str, most: int = ANSWER_CHARACTERS) -> str:
    """A text on one line, cut at a word after ``most`` characters."""
    line = on_one_line(text)
    return line if len(line) <= most else line[: most - 2].rsplit(" ", 1)[0] + " …"


def page_ranges(pages: Iterable[int]) -> str:
    """Formats page numbers as ranges.

    >>> page_ranges([5, 1, 3, 4, 4])
    '1, 3–5'
    """
    ranges: list[list[int]] = []
    for page in sorted(set(pages)):
        if ranges and page == ranges[-1][1] + 1:
            ranges[-1][1] = page
        else:
            ranges.append([page, page])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in ranges)


def count(number: int, noun: str) -> str:
    """Formats a number with its noun, as in ``"1 page"``, ``"2,000 pages"`` and ``"3 coded entries"``."""
    plural = re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"
    return f"{number:,} {noun if number == 1 else plural}"
