"""The questions to ask for what a corpus annotates, in a YAML file: its name for a thing → ways to ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from longdoc.config import load_yaml_mapping
from longdoc.errors import ConfigError, did_you_mean


def load_wordings(path: str | Path, known: Iterable[str], noun: str) -> dict[str, tuple[str, ...]]:
    """Reads a file of wordings.

    Args:
        path: the YAML file.
        known: the names that the corpus has.
        noun: what they are names of, for errors.

    Raises:
        ConfigError: the file is missing or malformed, has a name that the corpus lacks, or a question without words.
    """
    wordings, allowed = load_yaml_mapping(path), list(known)
    for name, questions in wordings.items():
        if name not in allowed:
            hint = did_you_mean(name, allowed) or "."
            raise ConfigError(f"{path}: no {noun} {name!r}{hint} The corpus has: {', '.join(allowed) or 'none'}")
        if not questions or not all(question.strip() for question in questions):
            what = "a question is empty" if questions else "no question"
            raise ConfigError(f"{path}: {name}: {what}; write one as a person would ask it, or leave out {name!r}")
    return wordings
