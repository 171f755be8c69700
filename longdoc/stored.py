"""Strict JSON, and what longdoc has written in it, read back: an error names the place of a wrong key, type or number.

>>> from dataclasses import dataclass
>>> @dataclass
... class Point:
...     x: float
...     name: str = ""
>>> Reader().read(tuple[Point, ...], [{"x": 1}], "points")
(Point(x=1, name=''),)
>>> Reader().read(Point, {"x": "1"}, "point")
Traceback (most recent call last):
    ...
ValueError: point.x: expected a number, got '1'
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

Read: TypeAlias = Callable[[Any, str], Any]
"""A value of JSON and its place → the value that it stands for."""

MOST = 1e300
"""Beyond all numbers that are read; NaN is not below it."""


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, nested too deep, gives a key twice, or has NaN or an infinity.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_not_json)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r:.80} is given twice")
    return found


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def expected(what: str, found: Any, where: str) -> NoReturn:
    """Raises the error for a value that is not what it should be."""
    raise ValueError(f"{where}: expected {what}, got {found!r:.60}")


class Reader:
    """Reads values of given types: dataclasses, their fields, tuples, mappings, unions with None, and plain types.

    An integer is read where a number is expected, and stays one, so that the value can be written again as it was.
    """

    def __init__(self, special: Mapping[Any, Read] | None = None) -> None:
        """Takes the functions that read types in a way of their own."""
        self._readers: dict[Any, Read] = {str: _text, bool: _truth, int: _integer, float: _number, **(special or {})}

    def read(self, kind: Any, found: Any, where: str) -> Any:
        """The value of a type that a value of JSON stands for.

        Raises:
            ValueError: it is none; the message starts with the place.
        """
        return self._reader(kind)(found, where)

    def _reader(self, kind: Any) -> Read:
        if kind not in self._readers:
            self._readers[kind] = self._made(kind)
        return self._readers[kind]

    def _made(self, kind: Any) -> Read:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if kind is Any:
            return lambda found, where: found
        if origin in (typing.Union, types.UnionType):
            return self._optional(*(each for each in arguments if each is not types.NoneType))
        if origin is typing.Literal:
            return lambda found, where: (
                found if found in arguments else expected(f"one of {', '.join(arguments)}", found, where)
            )
        if origin is tuple and arguments[-1] is Ellipsis:
            return self._list(self._reader(arguments[0]))
        if origin is tuple:
            return self._row([self._reader(each) for each in arguments])
        if origin in (dict, Mapping):
            return self._mapping(self._reader(arguments[1]))
        return self._dataclass(kind)

    def _optional(self, kind: Any) -> Read:
        read = self._reader(kind)
        return lambda found, where: None if found is None else read(found, where)

    def _list(self, read: Read) -> Read:
        def read_list(found: Any, where: str) -> tuple[Any, ...]:
            if not isinstance(found, (list, tuple)):
                expected("a list", found, where)
            return tuple(read(each, f"{where}[{number}]") for number, each in enumerate(found))

        return read_list

    def _row(self, readers: list[Read]) -> Read:
        def read_row(found: Any, where: str) -> tuple[Any, ...]:
            if not isinstance(found, (list, tuple)) or len(found) != len(readers):
                expected(f"a list of {len(readers)}", found, where)
            return tuple(
                read(each, f"{where}[{number}]") for number, (read, each) in enumerate(zip(readers, found, strict=True))
            )

        return read_row

    def _mapping(self, read: Read) -> Read:
        def read_mapping(found: Any, where: str) -> dict[str, Any]:
            return {_text(key, where): read(each, f"{where}.{key}") for key, each in _keys(found, where).items()}

        return read_mapping

    def _dataclass(self, kind: Any) -> Read:
        hints = typing.get_type_hints(kind)
        own = {each.name: each for each in dataclasses.fields(kind) if each.init}
        required = [name for name, each in own.items() if each.default is each.default_factory]
        readers: dict[str, Read] = {}  # made when it is first used, as a type may hold itself

        def read_dataclass(found: Any, where: str) -> Any:
            readers.update({} if readers else {name: self._reader(hints[name]) for name in own})
            for name in _keys(found, where):
                if name not in own:
                    raise ValueError(f"{where}: unknown key {name!r:.80}; allowed: {', '.join(own)}")
            for name in required:
                if name not in found:
                    raise ValueError(f"{where}: missing key {name!r}")
            return kind(**{name: readers[name](each, f"{where}.{name}") for name, each in found.items()})

        return read_dataclass


def _keys(found: Any, where: str) -> Mapping[Any, Any]:
    return found if isinstance(found, Mapping) else expected("an object", found, where)


def _text(found: Any, where: str) -> str:
    return found if isinstance(found, str) else expected("a text", found, where)


def _truth(found: Any, where: str) -> bool:
    return found if isinstance(found, bool) else expected("true or false", found, where)


def _integer(found: Any, where: str) -> int:
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**53:
        return found
    expected("an integer", found, where)


def _number(found: Any, where: str) -> float:
    if isinstance(found, (int, float)) and not isinstance(found, bool) and abs(found) < MOST:
        return found
    expected("a number", found, where)
