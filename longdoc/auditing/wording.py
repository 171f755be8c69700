"""Names and words of an audit as data: see ``assets/audit``, and ``--names`` for names of your own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path

from longdoc.config import load_yaml

ASSETS = Path(__file__).parents[1] / "assets" / "audit"
AGAIN = "other names of the same group"
"""What a second draw of the names of the first group is called: it shows what changes by chance of the names."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one group."""

    given: tuple[str, ...]
    family: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in (*self.given, *self.family):
            if len(name.split()) != 1:
                raise ValueError(f"{name!r} is no name of one word")


@dataclass(frozen=True, slots=True)
class NameFile:
    """``names.yaml``: names by group; the first group is what the others are compared with."""

    groups: dict[str, Names]

    def __post_init__(self) -> None:
        if len(self.groups) < 2 or AGAIN in self.groups:
            raise ValueError(f"groups has {', '.join(self.groups) or 'none'}; name at least two, none {AGAIN!r}")
        sizes = {name: f"{len(own.given)} and {len(own.family)}" for name, own in self.groups.items()}
        lengths = {len(names) for own in self.groups.values() for names in (own.given, own.family)}
        if len(lengths) > 1 or min(lengths) < 2:
            described = "; ".join(f"{name} {size}" for name, size in sizes.items())
            raise ValueError(f"all lists must have the same number of names, at least 2; given and family: {described}")


@dataclass(frozen=True, slots=True)
class OriginWords:
    """Words for where somebody is from."""

    swapped: tuple[str, ...]
    replaced: tuple[str, ...]
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordFile:
    """``words.yaml``: English words by which sentences are read and changed."""

    gendered: tuple[str, ...]
    titles: tuple[str, ...]
    function_words: tuple[str, ...]
    adverbs: tuple[str, ...]
    verbs: dict[str, str]
    neutral: Names
    origins: OriginWords


def load_names(path: str | PathLike[str] | None = None) -> dict[str, Names]:
    """Names by group; by default those shipped with longdoc.

    Raises:
        ConfigError: the file cannot be read, has fewer than two groups, or lists of different lengths.
    """
    return load_yaml(NameFile, Path(path or ASSETS / "names.yaml")).groups


@cache
def words() -> WordFile:
    """The words of sentences."""
    return load_yaml(WordFile, ASSETS / "words.yaml")
