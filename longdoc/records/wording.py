"""The words of clinical notes as data: what negates a finding, how a medication is written. See ``assets/records``.

ConText's four statements are told for each finding:

>>> sentence = "Denies fever but has a history of gout; mother has asthma."
>>> [
...     (word, *contexts_of(sentence, sentence.index(word), sentence.index(word) + len(word)))
...     for word in ("fever", "gout", "asthma")
... ]
[('fever', 'negated'), ('gout', 'past'), ('asthma', 'family')]
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from longdoc.config import load_yaml

_FOLDER = Path(__file__).parents[1] / "assets" / "records"


@dataclass(frozen=True, slots=True)
class Triggers:
    """Words of a context: those before a finding, and those after it."""

    forward: tuple[str, ...] = ()
    backward: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextFile:
    """``context.yaml``."""

    contexts: dict[str, Triggers]
    ignored: tuple[str, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusWords:
    """Words that say what happens with a medication: those before its name, and those after it."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MedicationFile:
    """``medications.yaml``."""

    endings: tuple[str, ...]
    names: tuple[str, ...]
    not_names: tuple[str, ...]
    units: tuple[str, ...]
    routes: tuple[str, ...]
    frequencies: tuple[str, ...]
    statuses: dict[str, StatusWords]
    not_taken: tuple[str, ...] = field(default=())


def any_of(words: Iterable[str], *, whole: bool = True) -> re.Pattern[str]:
    """A pattern for any of some expressions, the longest first; they start and end with words unless not ``whole``."""
    ordered = sorted(words, key=lambda word: -len(word))
    inner = "|".join(word.replace(" ?", r"\s*").replace(" ", r"\s+") for word in ordered)
    return re.compile(rf"(?<![\w-])(?:{inner})(?![\w])" if whole else rf"(?:{inner})", re.IGNORECASE)


@cache
def medication_words() -> MedicationFile:
    """The words of ``medications.yaml``."""
    return load_yaml(MedicationFile, _FOLDER / "medications.yaml")


@dataclass(frozen=True, slots=True)
class _Context:
    name: str
    forward: re.Pattern[str]
    backward: re.Pattern[str]


@cache
def _contexts() -> tuple[tuple[_Context, ...], re.Pattern[str], re.Pattern[str]]:
    """The contexts, what is ignored, and what ends their reach."""
    words = load_yaml(ContextFile, _FOLDER / "context.yaml")
    contexts = tuple(
        _Context(name, _bounded(triggers.forward), _bounded(triggers.backward))
        for name, triggers in words.contexts.items()
    )
    return contexts, any_of(words.ignored), any_of(words.ends)


def _bounded(words: Iterable[str]) -> re.Pattern[str]:
    """Words that need not start or end as words do where they start or end with a mark: ``?``, ``; resolved``."""
    ordered = sorted(words, key=lambda word: -len(word))
    inner = "|".join(word.replace(" ", r"\s*" if word[0] in ";:-" else r"\s+") for word in ordered)
    return re.compile(rf"(?:(?<!\w)(?=\w)|(?=\W))(?:{inner})(?:(?<=\w)(?!\w)|(?<=\W))", re.IGNORECASE)


def contexts_of(sentence: str, start: int, end: int) -> tuple[str, ...]:
    """What a sentence says of the finding at ``start:end``: some of "negated", "family", "possible" and "past"."""
    contexts, ignored, ends = _contexts()
    blank = list(sentence)
    for match in ignored.finditer(sentence):
        blank[match.start() : match.end()] = " " * (match.end() - match.start())
    before, after = "".join(blank[:start]), sentence[end:]
    reach = max((match.end() for match in ends.finditer(before)), default=0)
    stop = min((match.start() for match in ends.finditer(after)), default=len(after))
    said = []
    for context in contexts:
        # The relatives of "mother, who has asthma" reach over "who".
        first = 0 if context.name == "family" else reach
        if context.forward.search(before, first) or context.backward.search(after[:stop]):
            said.append(context.name)
    return tuple(said)
