"""YAML to dataclasses and back, strictly: an unknown key or a wrong type is an error that names the remedy.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Optimizer:
...     learning_rate: float = 5e-5
>>> from_dict(Optimizer, {"learning_rate": 1e-4})
Optimizer(learning_rate=0.0001)
>>> from_dict(Optimizer, {"learning_rat": 1e-4}, where="optimizer")
Traceback (most recent call last):
    ...
longdoc.errors.ConfigError: optimizer: unknown key 'learning_rat'; did you mean 'learning_rate'? Keys: learning_rate
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from longdoc.errors import ConfigError

T = TypeVar("T")


def load_yaml(cls: type[T], path: str | Path) -> T:
    """The dataclass ``cls`` as written in a YAML file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or does not fit ``cls``; the message names the file.
    """
    data = _parse(path)
    try:
        return from_dict(cls, {} if data is None else data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_yaml_mapping(path: str | Path) -> dict[str, tuple[str, ...]]:
    """A YAML file of lists of texts, by name.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or holds something else.
    """
    mapping: dict[str, tuple[str, ...]] = _convert(dict[str, tuple[str, ...]], _parse(path), str(path))
    return mapping


def _parse(path: str | Path) -> Any:
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_StrictLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error


def from_dict(cls: type[T], data: Any, *, where: str = "") -> T:
    """The dataclass ``cls`` filled from a mapping, fields of fields included.

    Args:
        cls: a dataclass; its annotations say what is allowed (dataclasses, ``tuple``, ``list``, ``dict``, ``Literal``,
            unions such as ``X | None``, ``Path``, ``bool``, ``int``, ``float``, ``str``, ``Any``).
        data: plain values, as YAML or JSON give them. An integer serves as a float.
        where: dotted path of ``data`` in the whole configuration, for messages.

    Raises:
        ConfigError: unknown or missing key, wrong type, or a ``ValueError`` from the dataclass itself.
    """
    if not isinstance(data, Mapping):
        raise _mismatch(where, f"a mapping with the keys {_names(cls)}", data)
    for key in data:
        if key not in _fields(cls):
            raise ConfigError(_at(where, _unknown_key(cls, key)))
    hints = typing.get_type_hints(cls)
    values = {key: _convert(hints[key], value, _join(where, key)) for key, value in data.items()}
    for key, field in _fields(cls).items():
        if key not in values and field.default is dataclasses.MISSING is field.default_factory:
            raise ConfigError(_at(where, f"missing key {key!r}. Keys: {_names(cls)}"))
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(_at(where, str(error))) from error


def to_dict(config: Any) -> Any:
    """Plain values (dicts, lists, strings, numbers) that :func:`from_dict` turns back into an equal object."""
    if dataclasses.is_dataclass(config):
        return {name: to_dict(getattr(config, name)) for name in _fields(config)}
    if isinstance(config, Mapping):
        return {key: to_dict(value) for key, value in config.items()}
    if isinstance(config, (tuple, list)):
        return [to_dict(value) for value in config]
    return str(config) if isinstance(config, Path) else config


def _convert(hint: Any, value: Any, where: str) -> Any:
    """``value`` as the annotated type, or a ConfigError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, where)
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in arguments):
            return value
        raise _mismatch(where, _describe(hint), value)
    if origin in (tuple, list):
        return _convert_sequence(hint, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _mismatch(where, _describe(hint), value)
        key_hint, item_hint = arguments
        return {_convert(key_hint, k, where): _convert(item_hint, v, _join(where, k)) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast("type[Any]", hint), value, where=where)
    return _convert_scalar(hint, value, where)


def _convert_union(members: tuple[Any, ...], value: Any, where: str) -> Any:
    """The first member that takes ``value``; with one real member (``X | None``) its own message is kept."""
    if value is None and types.NoneType in members:
        return None
    members = tuple(member for member in members if member is not types.NoneType)
    if len(members) == 1:
        return _convert(members[0], value, where)
    if all(map(_kinds, members)) and isinstance(value, Mapping):
        return _convert_kind(members, value, where)
    for member in members:
        try:
            return _convert(member, value, where)
        except ConfigError:
            continue
    raise _mismatch(where, " or ".join(map(_describe, members)), value)


def _convert_kind(members: tuple[Any, ...], value: Mapping[Any, Any], where: str) -> Any:
    """The dataclass of the union whose ``kind`` the mapping names; the first one where it names none."""
    kind = value.get("kind", _kinds(members[0])[0])
    chosen = next((member for member in members if kind in _kinds(member)), None)
    if chosen is None:
        allowed = [name for member in members for name in _kinds(member)]
        near = difflib.get_close_matches(str(kind), allowed, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ConfigError(_at(_join(where, "kind"), f"unknown kind {kind!r}{hint} Allowed: {', '.join(allowed)}"))
    return from_dict(chosen, value, where=where)


def _kinds(cls: Any) -> tuple[str, ...]:
    """What the field ``kind`` of a dataclass may be, where it is a ``Literal``: what tells members of a union apart."""
    hint = typing.get_type_hints(cls).get("kind") if dataclasses.is_dataclass(cls) else None
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def _convert_sequence(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if not isinstance(value, (list, tuple)):
        raise _mismatch(where, _describe(hint), value)
    if origin is list or arguments[-1] is Ellipsis:
        arguments = arguments[:1] * len(value)
    if len(arguments) != len(value):
        raise _mismatch(where, _describe(hint), value)
    return origin(_convert(arguments[i], item, f"{where}[{i}]") for i, item in enumerate(value))


def _convert_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, (str, Path)):
        return Path(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is hint:
        return value
    raise _mismatch(where, _describe(hint), value)


def _describe(hint: Any) -> str:
    """An annotation in words: ``a list of str``, ``one of 'mean', 'first'``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_describe, arguments))
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return f"a list of {_describe(arguments[0])}"
    if origin is tuple:
        return f"a list of {len(arguments)} ({', '.join(map(_describe, arguments))})"
    if origin is dict:
        return f"a mapping of {_describe(arguments[0])} to {_describe(arguments[1])}"
    return "null" if hint is types.NoneType else getattr(hint, "__name__", str(hint))


def _unknown_key(cls: type[Any], key: object) -> str:
    near = difflib.get_close_matches(str(key), _fields(cls), n=1, cutoff=0.5)
    return f"unknown key {key!r}{f'; did you mean {near[0]!r}?' if near else '.'} Keys: {_names(cls)}"


def _mismatch(where: str, allowed: str, value: Any) -> ConfigError:
    given = "null" if value is None else f"{value!r:.80} ({type(value).__name__})"
    return ConfigError(_at(where, f"expected {allowed}, got {given}"))


def _at(where: str, message: str) -> str:
    return f"{where}: {message}" if where else message


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _fields(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(cls) if field.init}


def _names(cls: Any) -> str:
    return ", ".join(_fields(cls))


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice and reads ``3e-5`` as the number it is (YAML 1.1 makes it a string)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1 and key.value != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is given twice", key.start_mark)
        return super().construct_mapping(node, deep=deep)


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)
