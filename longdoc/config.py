"""Strict conversion between YAML and dataclasses: an unknown key or a wrong type is an error with a suggestion.

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
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

from longdoc.config_files import read_yaml
from longdoc.errors import ConfigError, did_you_mean

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Members:
    """Annotates a field that holds one of the dataclasses of a table, as ``Annotated[Base, Members(table)]``.

    The field reads like a union of those dataclasses. ``table`` is called when a value is read, so it may be defined
    below the annotation; a dataclass added to the table needs no second entry.
    """

    table: Callable[[], Iterable[type[Any]]]
    remedy: str = ""
    """What to do with a value of another kind; ends its error."""


def load_yaml(cls: type[T], path: str | Path) -> T:
    """Reads the dataclass ``cls`` from a YAML file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or does not match ``cls``; the message names the file.
    """
    data = read_yaml(path)
    try:
        return from_dict(cls, {} if data is None else data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_yaml_mapping(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Reads a YAML file that maps names to lists of strings.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or has another structure.
    """
    mapping: dict[str, tuple[str, ...]] = _convert(dict[str, tuple[str, ...]], read_yaml(path), str(path))
    return mapping


def from_dict(cls: type[T], data: Any, *, where: str = "") -> T:
    """Builds the dataclass ``cls`` from a mapping, nested dataclasses included.

    In a union of dataclasses the member is chosen by its discriminator: the first field that is a ``Literal`` in every
    member and shares no value between two of them, such as ``kind``. A mapping without that key is read as the first
    member, if the field has a default there.

    Args:
        cls: a dataclass whose fields are annotated with dataclasses, ``tuple``, ``list``, ``dict``, ``Literal``, unions
            such as ``X | None``, :class:`Members`, ``Path``, ``bool``, ``int``, ``float``, ``str`` or ``Any``.
        data: plain values, as parsed from YAML or JSON. An integer is accepted for a float.
        where: dotted path of ``data`` in the whole configuration, for messages.

    A field whose ``metadata`` has a ``key`` is written under that key, which may be a reserved word such as ``from``.

    Raises:
        ConfigError: unknown or missing key, wrong type, or a ``ValueError`` raised by the dataclass itself.
    """
    if not isinstance(data, Mapping):
        raise _mismatch(where, f"a mapping with the keys {_names(cls)}", data)
    for key in data:
        if key not in keys_of(cls):
            hint = _place_of(key, cls) or did_you_mean(key, keys_of(cls)) or "."
            raise ConfigError(_at(where, f"unknown key {key!r}{hint} Keys: {_names(cls)}"))
    hints = typing.get_type_hints(cls, include_extras=True)
    names = {key: field.name for key, field in keys_of(cls).items()}
    values = {names[key]: _convert(hints[names[key]], value, _join(where, key)) for key, value in data.items()}
    for key, field in keys_of(cls).items():
        if field.name not in values and field.default is dataclasses.MISSING is field.default_factory:
            raise ConfigError(_at(where, f"missing key {key!r}. Keys: {_names(cls)}"))
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(_at(where, str(error))) from error


def convert_fields(config: Any) -> None:
    """Converts the fields of a dataclass that a program has built: for ``__post_init__``.

    As with :func:`from_dict`, lists become tuples and mappings the dataclasses that they describe; dataclasses within
    are converted in turn.

    Raises:
        ConfigError: a value has the wrong type; names the key.
    """
    hints = typing.get_type_hints(type(config), include_extras=True)
    for key, field in keys_of(config).items():
        object.__setattr__(config, field.name, _convert(hints[field.name], getattr(config, field.name), key))


def to_dict(config: Any) -> Any:
    """Converts a dataclass to dicts, lists, strings and numbers, from which :func:`from_dict` builds an equal one.

    A field whose ``metadata`` has ``stored`` becomes what that function returns for it.
    """
    if dataclasses.is_dataclass(config):
        own = keys_of(config).items()
        return {key: field.metadata.get("stored", to_dict)(getattr(config, field.name)) for key, field in own}
    if isinstance(config, Mapping):
        return {key: to_dict(value) for key, value in config.items()}
    if isinstance(config, (tuple, list)):
        return [to_dict(value) for value in config]
    return str(config) if isinstance(config, Path) else config


def differences(before: Any, now: Any, *, most: int = 3) -> str:
    """The keys at which two configurations as plain values differ: ``seed: 13, now 14``; at most so many of them."""
    found = list(_differences(before, now, ""))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more


def _differences(before: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in {**before, **now}:
            yield from _differences(before.get(key, _ABSENT), now.get(key, _ABSENT), _join(where, key))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences(*pair, f"{where}[{number}]")
    elif before != now:
        shown = ("absent" if value is _ABSENT else f"{_plainly(value):.60}" for value in (before, now))
        yield f"{where}: {', now '.join(shown)}"


_ABSENT = object()


def _plainly(value: Any) -> str:
    return "null" if value is None else str(value)


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Converts ``value`` to the annotated type, or raises a ConfigError."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _convert_dataclass(hint, value, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if members := _members(hint):
        return _convert_union(members, value, where, _remedy(hint))
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in arguments):
            return value
        raise _mismatch(where, _describe(hint), value)
    if origin in (tuple, list):
        return _convert_sequence(hint, value, where)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise _mismatch(where, _describe(hint), value)
        key_hint, item_hint = arguments
        return {_convert(key_hint, k, where): _convert(item_hint, v, _join(where, k)) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast("type[Any]", hint), value, where=where)
    return _convert_scalar(hint, value, where)


def _convert_dataclass(hint: Any, value: Any, where: str) -> Any:
    """A dataclass that a program has built, with converted fields."""
    allowed = tuple(_classes(hint))
    if not isinstance(value, allowed):
        raise _mismatch(where, _describe(hint), value, _remedy(hint))
    hints = typing.get_type_hints(type(value), include_extras=True)
    converted = {
        field.name: _convert(hints[field.name], getattr(value, field.name), _join(where, key))
        for key, field in keys_of(value).items()
        if "stored" not in field.metadata  # only programs have it, and the dataclass itself checks it
    }
    return dataclasses.replace(value, **converted)


def _classes(hint: Any) -> Iterator[type[Any]]:
    """The dataclasses whose instances an annotation allows; for a table its members and the base that they extend."""
    bases = (typing.get_args(hint)[0],) if typing.get_origin(hint) is Annotated else (hint,)
    yield from (each for each in (*bases, *_members(hint)) if isinstance(each, type) and dataclasses.is_dataclass(each))
    for member in _members(hint):
        if not isinstance(member, type):
            yield from _classes(member)


def _place_of(key: Any, cls: Any) -> str:
    """``"; it goes under 'from', as in `from: [clause: …]`."`` for a key of the mappings within; empty for others."""
    hints = typing.get_type_hints(cls, include_extras=True)
    written = {name: _written(hints[field.name], key) for name, field in keys_of(cls).items()}
    found = next((name for name, example in written.items() if example), None)
    return "" if found is None else f"; it goes under {found!r}, as in `{found}: {written[found]}`."


def _written(hint: Any, key: Any) -> str:
    """How a key is written in a value of an annotation, such as ``[clause: …]``; empty if it cannot be."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if members := _members(hint):
        return next(filter(None, (_written(member, key) for member in members)), "")
    if dataclasses.is_dataclass(hint):
        return f"{{{key}: …}}" if key in keys_of(hint) else ""
    if origin not in (tuple, list, dict, Mapping) or not arguments:
        return ""
    within = _written(arguments[-1] if origin in (dict, Mapping) else arguments[0], key)
    if not within or origin in (dict, Mapping):
        return within and f"{{name: {within}}}"
    return f"[{within.removeprefix('{').removesuffix('}')}]"


def _members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union or of a :class:`Members` table; empty for other annotations."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return arguments
    if origin is Annotated:
        tables = [extra.table for extra in arguments[1:] if isinstance(extra, Members)]
        return tuple(tables[0]()) if tables else arguments[:1]
    return ()


def _remedy(hint: Any) -> str:
    extras = typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ()
    return next((extra.remedy for extra in extras if isinstance(extra, Members)), "")


def _convert_union(members: tuple[Any, ...], value: Any, where: str, remedy: str = "") -> Any:
    """Converts to the first member that accepts ``value``, or to the dataclass that its discriminator names."""
    if value is None and types.NoneType in members:
        return None
    members = tuple(member for member in members if member is not types.NoneType)
    if isinstance(value, (list, tuple)) and any(map(_is_sequence, members)):
        members = tuple(filter(_is_sequence, members))
    elif isinstance(value, Mapping):
        members = tuple(member for member in members if not _is_sequence(member)) or members
    if len(members) == 1:
        return _convert(members[0], value, where)
    if isinstance(value, Mapping) and (discriminator := _discriminator(members)):
        return from_dict(_chosen(members, discriminator, value, where), value, where=where)
    for member in members:
        try:
            return _convert(member, value, where)
        except ConfigError:
            continue
    raise _mismatch(where, " or ".join(map(_describe, members)), value, remedy)


def _is_sequence(hint: Any) -> bool:
    return typing.get_origin(hint) in (tuple, list)


def _chosen(members: tuple[Any, ...], discriminator: str, value: Mapping[Any, Any], where: str) -> Any:
    """The member that ``value`` names by its discriminator; the first one if it names none and there is a default."""
    allowed = {name: member for member in members for name in _literals(member)[discriminator]}
    default = keys_of(members[0])[discriminator].default
    given = value.get(discriminator, default)
    if given is dataclasses.MISSING:
        raise ConfigError(_at(where, f"missing key {discriminator!r}. Allowed: {', '.join(allowed)}"))
    if given not in list(allowed):
        hint = did_you_mean(given, allowed) or "."
        bases: list[Any] = [base for base in members[0].__bases__ if dataclasses.is_dataclass(base)]
        others = [
            cls for base in bases for cls in base.__subclasses__() if given in _literals(cls).get(discriminator, ())
        ]
        if others:  # outside the table
            hint = f", which only configurations in Python have, as {others[0].__name__}."
        message = f"unknown {discriminator} {given!r}{hint} Allowed: {', '.join(allowed)}"
        raise ConfigError(_at(_join(where, discriminator), message))
    return allowed[given]


def _discriminator(members: tuple[Any, ...]) -> str | None:
    """The first field that is a ``Literal`` in every member and whose values distinguish the members."""
    if not all(map(dataclasses.is_dataclass, members)):
        return None
    literals = [_literals(member) for member in members]
    for name in literals[0]:
        values = [value for choices in literals for value in choices.get(name, ())]
        if all(name in choices for choices in literals) and len(set(values)) == len(values):
            return name
    return None


def _literals(cls: Any) -> dict[str, tuple[str, ...]]:
    """The allowed values of each field of a dataclass that is annotated as a ``Literal``."""
    hints = typing.get_type_hints(cls)
    named = {key: hints[field.name] for key, field in keys_of(cls).items()}
    return {key: typing.get_args(hint) for key, hint in named.items() if typing.get_origin(hint) is Literal}


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
    if (hint is Path and isinstance(value, (str, Path))) or (hint is str and isinstance(value, Path)):
        return hint(value)
    if hint is float and type(value) in (int, float):
        return _number(value, where)
    if type(value) is hint:
        return value
    raise _mismatch(where, _describe(hint), value)


def _number(value: int | float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.nan
    if math.isnan(number):  # infinite scores are found in results
        raise _mismatch(where, "a number", value)
    return number


def _describe(hint: Any) -> str:
    """An annotation in words: ``a list of str``, ``one of 'mean', 'first'``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if members := _members(hint):
        return " or ".join(map(_describe, members))
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin in (list, tuple) and dataclasses.is_dataclass(arguments[0]):
        return f"a list of mappings with the keys {_names(arguments[0])}"
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return f"a list of {_describe(arguments[0])}"
    if origin is tuple:
        return f"a list of {len(arguments)} ({', '.join(map(_describe, arguments))})"
    if origin in (dict, Mapping):
        return f"a mapping of {_describe(arguments[0])} to {_describe(arguments[1])}"
    return "null" if hint is types.NoneType else getattr(hint, "__name__", str(hint))


def _mismatch(where: str, allowed: str, value: Any, remedy: str = "") -> ConfigError:
    given = "null" if value is None else f"{value!r:.80} ({type(value).__name__})"
    return ConfigError(_at(where, f"expected {allowed}, got {given}{remedy and '; '}{remedy}"))


def _at(where: str, message: str) -> str:
    return f"{where}: {message}" if where else message


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def keys_of(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a configuration by key: their names, or ``metadata["key"]`` where a key is a reserved word."""
    return {field.metadata.get("key", field.name): field for field in dataclasses.fields(cls) if field.init}


def _names(cls: Any) -> str:
    return ", ".join(keys_of(cls))
