"""Names of persons in a text, replaced by those of each group, wherever they stand in it and in its questions.

A first name is replaced by a first name and a family name by a family name, the same one by the same one, so that
"John Smith" and, later, "Smith" stay one person; middle names are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias
from zlib import crc32

import numpy as np

from longdoc.auditing.swaps import KIND, Replacements, Skipped, Swaps, Variant, replacing, swapped
from longdoc.auditing.wording import AGAIN, Names, words
from longdoc.datasets import Example
from longdoc.edits import Edit
from longdoc.labels import Span

Role: TypeAlias = Literal["given", "family"]

GENDERED_PRONOUNS = frozenset("he him his himself she her hers herself".split())
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_NAME_PART = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*\.?")
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))
_LONGEST = 5
"""Words of a name, at most."""


@dataclass(frozen=True, slots=True)
class People:
    """The names of persons in a text: which of their words are first names and which family names."""

    spans: tuple[Span, ...]
    roles: Mapping[str, Role]
    """Each word of a name that is replaced, and what it is."""
    surfaces: tuple[str, ...]
    """The names as they are written, longest first."""

    @classmethod
    def of(cls, example: Example, labels: Collection[str]) -> People:
        """The annotated persons of a text.

        Raises:
            Skipped: a name is not plain, or one of its words is no name of a person alone.
        """
        spans = tuple(sorted((s for s in example.spans if s.label in labels), key=lambda span: span.start))
        if any(first.end > second.start for first, second in pairwise(spans)):
            raise Skipped("names that overlap")
        parts = [_parts(example.text[span.start : span.end]) for span in spans]
        roles: dict[str, Role] = {}
        for own in parts:
            if len(own) > 1:
                _assign(roles, own[0][2], "given")
                _assign(roles, own[-1][2], "family")
        for span, own in zip(spans, parts, strict=True):
            if len(own) == 1 and own[0][2] not in roles:
                _assign(roles, own[0][2], "family" if _has_title(example.text[: span.start]) else "given")
        surfaces = {example.text[span.start : span.end] for span in spans}
        return cls(spans, roles, tuple(sorted(surfaces, key=lambda text: (-len(text), text))))

    def edits(self, text: str, spans: Sequence[Span], new: Mapping[str, str]) -> tuple[Edit, ...]:
        """The edits that put new names in the place of those in a text.

        Args:
            text: the example's text, or that of a question.
            spans: the names annotated in it; others are found by their words.
            new: each word of ``roles`` → what replaces it.
        """
        known = [(span.start, span.end) for span in spans]
        found = [*known, *_free(_occurrences(text, self.surfaces), known)]
        pieces = [edit for start, end in found for edit in _replaced(text, start, end, new)]
        single = _free(_occurrences(text, [*self.roles]), found)
        pieces += [replacing(start, end, text[start:end], new[text[start:end]]) for start, end in single]
        return tuple(sorted(pieces, key=lambda edit: edit.raw_start))

    def drawn(self, names: Names, seed: int, skip: int = 0) -> dict[str, str]:
        """A new name for each word: those of the same places in the lists of all groups.

        Args:
            names: of the group.
            seed: of the draw.
            skip: how many draws of as many names come before.

        Raises:
            Skipped: the lists are too short for two draws.
        """
        found: dict[str, str] = {}
        for role in ("given", "family"):
            own = [word for word, each in self.roles.items() if each == role]
            among = getattr(names, role)
            order = np.random.default_rng(seed).permutation(len(among))[skip * len(own) : (skip + 1) * len(own)]
            if 2 * len(own) > len(among):
                raise Skipped("more names than the lists have for one text; give shorter texts")
            found |= dict(zip(own, (among[place] for place in order), strict=True))
        return found


def swap_names(examples: Sequence[Example], groups: Mapping[str, Names], labels: Collection[str], seed: int) -> Swaps:
    """The texts with the names of each group, and with other names of the first group (:data:`AGAIN`)."""
    first = next(iter(groups))

    def make(example: Example) -> dict[str, Variant]:
        if not any(span.label in labels for span in example.spans):
            raise Skipped("no name of a person")
        if gendered(example):
            raise Skipped("a word that says the gender of somebody")
        people = People.of(example, labels)
        if len(people.spans) == 1 and len(example.text.strip()) <= people.spans[0].end - people.spans[0].start:
            raise Skipped("nothing but a name")
        check_others(example, people, labels)
        own = seed_of(example, seed)
        drawn = {group: people.drawn(names, own) for group, names in groups.items()}
        return {
            group: Variant.of(example, people.spans, in_all(example, people, new))
            for group, new in {**drawn, AGAIN: people.drawn(groups[first], own, 1)}.items()
        }

    return swapped("names", examples, make)


def in_all(example: Example, people: People, new: Mapping[str, str]) -> Replacements:
    """Replaces names in the text and the questions of an example."""
    return Replacements(
        people.edits(example.text, people.spans, new),
        {question.id: people.edits(question.text, (), new) for question in example.questions},
    )


def check_others(example: Example, people: People, labels: Collection[str]) -> None:
    """Checks that no word of a name stands in what is annotated as something else, such as a company.

    Raises:
        Skipped: one does.
    """
    others = [example.text[span.start : span.end] for span in example.spans if span.label not in labels]
    if any(word in people.roles for other in others for word in _WORD.findall(other)):
        raise Skipped("a name that is part of another one, such as a company's")


def gendered(example: Example) -> bool:
    """Whether a text, or a question about it, says that somebody is a woman or a man."""
    texts = [example.text, *(question.text for question in example.questions)]
    telling = GENDERED_PRONOUNS.union(words().gendered)
    return any(word.lower() in telling for text in texts for word in re.findall(r"[^\W\d_]+", text))


def seed_of(example: Example, seed: int) -> int:
    """A seed for the draws of one text, which does not depend on the texts beside it."""
    return crc32(f"{seed} {example.id} {example.text}".encode())


def _parts(name: str) -> list[tuple[int, int, str]]:
    """The words of a name with their half-open ranges in it, without a suffix such as Jr.

    Raises:
        Skipped: it is not a plain name of up to five words that begins and ends with a capital letter.
    """
    found = [(*match.span(), match[0]) for match in _TOKEN.finditer(name)]
    while len(found) > 1 and found[-1][2].strip(".,").lower() in _SUFFIXES:
        found.pop()
    if not found:
        raise Skipped("a name that is not plain words")
    ends = {found[0][2], found[-1][2]}
    if len(found) > _LONGEST or not all(_NAME_PART.fullmatch(word) for _, _, word in found):
        raise Skipped("a name that is not plain words")
    if not all(word[0].isupper() and len(word.strip(".")) > 1 for word in ends):
        raise Skipped("a name that is not plain words")
    if any(word.strip(".").lower() in {*words().titles, *words().gendered} for word in ends):
        raise Skipped("a name with a title in it")
    return found


def _assign(roles: dict[str, Role], word: str, role: Role) -> None:
    if roles.setdefault(word, role) != role:
        raise Skipped("a name that is first name and family name")


def _has_title(before: str) -> bool:
    found = re.findall(r"[^\W\d_]+", before[-20:])
    return bool(found) and found[-1].lower() in words().titles and before.rstrip(" .\n")[-1:].isalpha()


def _replaced(text: str, start: int, end: int, new: Mapping[str, str]) -> Iterator[Edit]:
    """The edits of one name: its first word, its last one, and between them one space."""
    own = [(start + first, start + last, word) for first, last, word in _parts(text[start:end])]
    first, last = own[0], own[-1]
    yield replacing(*first, new[first[2]])
    if len(own) > 1:
        if len(own) > 2:
            yield Edit(first[1], last[0], " ", KIND)
        yield replacing(*last, new[last[2]])


def _occurrences(text: str, wanted: Sequence[str]) -> list[tuple[int, int]]:
    if not wanted:
        return []
    either = "|".join(map(re.escape, sorted(wanted, key=len, reverse=True)))
    return [match.span() for match in re.finditer(rf"(?<!\w)(?:{either})(?!\w)", text)]


def _free(found: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges that share no character with those that are taken."""
    return [(start, end) for start, end in found if all(end <= first or last <= start for first, last in taken)]
