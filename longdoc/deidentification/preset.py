"""The preset ``deidentify``: its labels, what finds them, and its patterns, from ``assets/presets/deidentify.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from longdoc.config import load_yaml
from longdoc.errors import ConfigError, did_you_mean

_FOLDER = Path(__file__).parents[1] / "assets" / "presets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A form that identifies somebody, such as an e-mail address."""

    label: str
    kind: str
    """What it is, in words."""
    pattern: str
    """A regular expression, in which ``<part>`` stands for one of the preset's parts; its group ``masked``, or else all
    of the match, is what identifies."""
    check: str | None = None
    """The module of python-stdnum that must accept it, such as ``gb.nhs``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Labels, and what finds them."""

    labels: dict[str, tuple[str, ...]]
    """Each label, and the labels of heads and rules that are it."""
    phone_regions: tuple[str, ...]
    """Countries whose telephone numbers are found in their national form."""
    parts: dict[str, str]
    patterns: tuple[Pattern, ...]

    def compiled(self) -> list[tuple[Pattern, re.Pattern[str]]]:
        """Each pattern, and its expression with the parts in their places."""
        parts = dict[str, str]()
        for name, part in self.parts.items():  # a part may have those before it
            parts[name] = _with(parts, part)
        return [(each, re.compile(_with(parts, each.pattern))) for each in self.patterns]

    def own_labels(self, chosen: Iterable[str] | None, without: Iterable[str] = ()) -> tuple[str, ...]:
        """The chosen labels, by default all of them, but not those ``without``.

        Raises:
            ConfigError: one is unknown, or none is left.
        """
        wanted, out = list(self.labels if chosen is None else chosen), set(without)
        for label in (*wanted, *sorted(out)):
            if label not in self.labels:
                hint = did_you_mean(label, self.labels) or "."
                raise ConfigError(f"deidentify: unknown label {label!r}{hint} Labels: {', '.join(self.labels)}")
        if not (kept := tuple(dict.fromkeys(label for label in wanted if label not in out))):
            raise ConfigError(f"deidentify: no label is left; choose some of {', '.join(self.labels)}")
        return kept


@cache
def load_preset() -> Preset:
    """The preset ``deidentify``."""
    return load_yaml(Preset, _FOLDER / "deidentify.yaml")


def _with(parts: dict[str, str], pattern: str) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern
