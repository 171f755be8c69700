"""The entities of a document as a person lists them: each name once, with its count and its pages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from longdoc.labels import Entity

if TYPE_CHECKING:
    from longdoc.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Name:
    """Every mention of one name under one label."""

    label: str
    text: str
    """The commonest spelling, on one line."""
    mentions: tuple[Entity, ...]
    """In the order of the text, at least one."""

    @property
    def pages(self) -> str:
        """The pages it is on, as in ``"1, 3–5"``."""
        return page_ranges(mention.page for mention in self.mentions)

    @property
    def score(self) -> float:
        """The best score of its mentions."""
        return max(mention.score for mention in self.mentions)


def names_by_label(prediction: Prediction) -> dict[str, list[Name]]:
    """The names under each label: the labels the model is surest of first, a label's names by number of mentions.

    Mentions are of one name when they differ only in case, punctuation and white space.
    """
    mentions: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in sorted(prediction.entities, key=lambda entity: (entity.start, entity.end)):
        mentions[entity.label, re.sub(r"[\W_]+", " ", entity.text).casefold().strip()].append(entity)
    names: dict[str, list[Name]] = {}
    for (label, _), entities in mentions.items():
        spelling, _ = Counter(on_one_line(entity.text) for entity in entities).most_common(1)[0]
        names.setdefault(label, []).append(Name(label, spelling, tuple(entities)))
    sure = sorted(names, key=lambda label: -fmean(name.score for name in names[label]))
    return {label: sorted(names[label], key=lambda name: -len(name.mentions)) for label in sure}


def on_one_line(text: str) -> str:
    """``text`` with every run of white space as one space."""
    return " ".join(text.split())


def page_ranges(pages: Iterable[int]) -> str:
    """Page numbers as a reader writes them.

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
    """A number with its noun, as in ``"1 page"`` and ``"2,000 pages"``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
