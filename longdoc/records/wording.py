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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from longdoc.config import load_yaml, load_yaml_mapping

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
    return re.compile(rf"(?<![\w-])(?:{inner})(?!\w)" if whole else rf"(?:{inner})", re.IGNORECASE)


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
    return contexts, any_of(words.ignored), _bounded(words.ends)


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


_PERSON = r"(?:the\s+|this\s+)?(?:patient|pt|he|she|mr\.?\s\w+|mrs\.?\s\w+|ms\.?\s\w+)(?:['’]s)?\s+"
_END = r"[.;:]\s|[.;:]$"
_FRAMES = {
    "verbs": r"\b(?:{verbs})\b",
    "not problems": r"^(?:essentially\s+|otherwise\s+|(?:but\s+)?now\s+)*(?:{not_problems})$",
    "qualities": r"\s*(?:,\s*|\s[-–]\s|\s\()(?:{qualities})\)?$",
    "before": r"^(?:(?:{before})\s+|\?|\(\+\)\s*)+",
    "causes": r"(?:{causes})\s+",
    "history of": r"\b(?:{history_of})\s*:?\s+",
    "list end": _END + r"|\b(?:{list_ends}|(?P<verb>{list_verbs}))\b",
    "item cut": r"(?s:\s+(?:{item_cuts})\b.*$)",
    "lead": rf"^(?:{_PERSON})?(?:(?:{{leads}})[\s:]+)*",
    "person": _PERSON,
    "denies": r"\b(?:{denies})\s+(?=\w)",
    "denial end": _END + r"|\b(?:{denial_ends})\b",
    "fillers": r"^(?:(?:{fillers})\s+)+|^(?:any|other)$",
    "no finding": r"\b(?:{no_findings})\b|^(?:{no_first_words})\b",
    "dangling": r"(?:\s+(?:{dangling}))+$",
    "relative": r"\b(?:(?:{relative_kinds})[- ])*(?:{relatives})\b",
    "has": r"(?:\b(?:{has})\b\s*(?:a\s+)?(?:history\s+of\s+)?|[:–-]\s+)",
    "not condition": r"\b(?:{not_conditions})\b|\d",
    "family denial": r"\b(?:{family_denials})\b",
    "family verb": r"\b(?:{family_verbs})\b",
}
"""How the lists of ``problems.yaml`` become patterns."""


@cache
def problem_patterns() -> Mapping[str, re.Pattern[str]]:
    """The patterns made of the words of ``problems.yaml``, by name."""
    lists = load_yaml_mapping(_FOLDER / "problems.yaml")
    words = {
        key: "|".join(w.replace(" ?", r"\s*").replace(" ", r"\s+") for w in sorted(listed, key=lambda w: -len(w)))
        for key, listed in lists.items()
    }
    patterns = {}
    for name, frame in _FRAMES.items():
        filled = re.sub(r"\{([a-z_]+)\}", lambda match: words[match[1]], frame)
        patterns[name] = re.compile(filled, re.IGNORECASE)
    return patterns
