"""Arguments of public functions: a value of another type is refused where it is given, not where it is used."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

from longdoc.errors import ConfigError, did_you_mean


def check_type(name: str, value: object, allowed: str, *types: type | None) -> None:
    """Checks that an argument is of one of several types; a bool is an int only where ``bool`` is among them.

    >>> check_type("revision", 5, "the name of a branch", str)
    Traceback (most recent call last):
    longdoc.errors.ConfigError: revision must be the name of a branch; got 5

    Args:
        name: name of the argument.
        value: what was given.
        allowed: what may be given, in words.
        types: its types, or None.

    Raises:
        ConfigError: it is of another type.
    """
    if value is None and None in types:
        return
    known = tuple(each for each in types if each is not None)
    if not isinstance(value, known) or (isinstance(value, bool) and bool not in known):
        raise ConfigError(f"{name} must be {allowed}; got {value!r:.80}")


def check_flags(**given: object) -> None:
    """Checks that arguments, given by their names, are True or False.

    Raises:
        ConfigError: one is not.
    """
    for name, value in given.items():
        check_type(name, value, "True or False", bool)


def check_strings(**given: object) -> None:
    """Checks that arguments, given by their names, are texts or None.

    Raises:
        ConfigError: one is not.
    """
    for name, value in given.items():
        check_type(name, value, "a str, or None", str, None)


def names_in(name: str, value: object, noun: str, *types: type) -> tuple[Any, ...]:
    """The members of an argument that is a list of names, of ``noun`` in words.

    Raises:
        ConfigError: it is a name itself, or no list, or one of them is of another type.
    """
    if isinstance(value, (str, bytes, PathLike)) or not isinstance(value, Iterable):
        raise ConfigError(f"{name} must be a list of {noun}, such as [{value!r:.80}]")
    names = tuple(value)
    for each in names:
        check_type(f"each of {name}", each, f"one of several {noun}", *types)
    return names


def check_count(name: str, value: object, least: int, *, optional: bool = False) -> None:
    """Checks that an argument is a whole number of at least ``least``, or None if it is ``optional``.

    Raises:
        ConfigError: it is not.
    """
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not is_count and not (optional and value is None):
        or_none = ", or None" if optional else ""
        raise ConfigError(f"{name} must be an integer, at least {least}{or_none}; got {value!r:.80}")


def check_score(name: str, value: object) -> None:
    """Checks that an argument is a number from 0 to 1, or None.

    Raises:
        ConfigError: it is not.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 <= value <= 1):  # type: ignore[operator]
        raise ConfigError(f"{name} must be a number from 0 to 1, or None; got {value!r:.80}")


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Checks that an argument is one of several names.

    Raises:
        ConfigError: it is not; the message lists them.
    """
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise ConfigError(f"unknown {name} {value!r:.80}; allowed: {choices}{did_you_mean(value, allowed)}")
