"""YAML and JSON files of people, read within limits: what is too large, too deep or given twice is refused at once.

A few lines of YAML can stand for billions of values, since an alias repeats all that its anchor holds. So a file is
first read as a stream of events, in which every alias counts as much as what it repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from longdoc.errors import ConfigError, first_line
from longdoc.stored import parse

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
"""Values in a file, those in values included, and each alias for all that it repeats."""
MAX_DEPTH = 40
MAX_DIGITS = 40
"""Characters of a number."""


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file; None if it is empty.

    Raises:
        ConfigError: the file cannot be read, is not YAML, gives a key twice, or exceeds a limit.
    """
    text = _text(path)
    try:
        _Scan(path).check(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f", line {mark.line + 1}"
        raise ConfigError(f"{path}{where}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid YAML: {first_line(error)}") from error


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        ConfigError: the file cannot be read, is not JSON, gives a key twice, or exceeds a limit.
    """
    text = _text(path)
    try:
        return parse(text)
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({first_line(error)})") from error


def _text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: more than {MAX_BYTES:,} bytes, which is too much for a configuration")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


@dataclass(slots=True)
class _Collection:
    """A mapping or a list that is being read."""

    is_mapping: bool
    anchor: str | None
    values: int = 1
    """With all that it holds."""
    children: int = 0
    """In a mapping, keys and values."""
    key: str = ""
    """The last key."""
    keys: set[str] = field(default_factory=set)


class _Scan:
    """Reads the events of a file, and builds nothing."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._open: list[_Collection] = []
        self._values: dict[str, int] = {}
        """Anchor → the number of values that an alias to it stands for."""
        self._total = 0

    def check(self, text: str) -> None:
        """Checks a text.

        Raises:
            ConfigError: it exceeds a limit, or gives a key twice.
            yaml.YAMLError: it is not YAML.
        """
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionEndEvent):
                self._close(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.AliasEvent):
                self._add(event, self._repeated(event))
            elif isinstance(event, yaml.ScalarEvent):
                self._add_scalar(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._step(event, None)
        self._open.append(_Collection(isinstance(event, yaml.MappingStartEvent), event.anchor))
        self._count(event, 1)
        if len(self._open) > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep")

    def _close(self, event: yaml.Event) -> None:
        ended = self._open.pop()
        if ended.anchor:
            self._values[ended.anchor] = ended.values
        if self._open:
            self._open[-1].values += ended.values

    def _add_scalar(self, event: yaml.ScalarEvent) -> None:
        self._add(event, 1, event.value)
        if event.anchor:
            self._values[event.anchor] = 1

    def _add(self, event: yaml.Event, values: int, key: str | None = None) -> None:
        self._step(event, key)
        self._count(event, values)
        if self._open:
            self._open[-1].values += values

    def _count(self, event: yaml.Event, values: int) -> None:
        self._total += values
        if self._total > MAX_VALUES:
            self._refuse(event, f"more than {MAX_VALUES:,} values, with all that aliases repeat")

    def _step(self, event: yaml.Event, key: str | None) -> None:
        """Moves on to the next key or value of the innermost mapping or list."""
        if not self._open:
            return
        around = self._open[-1]
        if around.is_mapping and around.children % 2 == 0:
            around.key = "?" if key is None else key
            if key is not None and key != "<<":
                if key in around.keys:
                    self._refuse(event, f"key {key!r:.80} is given twice")
                around.keys.add(key)
        around.children += 1

    def _repeated(self, event: yaml.AliasEvent) -> int:
        if any(each.anchor == event.anchor for each in self._open):
            self._refuse(event, f"the alias *{event.anchor} is within what it repeats")
        return self._values.get(event.anchor or "", 1)  # of an unknown anchor the parser complains

    def _refuse(self, event: yaml.Event, problem: str) -> NoReturn:
        line = "" if event.start_mark is None else f", line {event.start_mark.line + 1}"
        place = "".join(self._places()).lstrip(".")
        raise ConfigError(f"{self._path}{line}: {place}{': ' if place else ''}{problem}")

    def _places(self) -> Iterator[str]:
        for each in self._open[:4]:
            if each.children:
                yield f".{each.key:.80}" if each.is_mapping else f"[{each.children - 1}]"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C is ten times faster
    """YAML that reads ``3e-5`` as a float (YAML 1.1 makes it a string) and refuses numbers of many digits."""

    def construct_scalar(self, node: yaml.ScalarNode) -> Any:
        """The text of a scalar, from which its value is made."""
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            problem = f"a number of {len(node.value):,} characters; allowed: {MAX_DIGITS}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_scalar(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except (AttributeError, LookupError, TypeError, ValueError) as error:  # such as the date 2020-02-30
            raise yaml.constructor.ConstructorError(
                None, None, f"not a value of {node.tag}", node.start_mark
            ) from error


_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)
