"""The keys of a configuration with their types, defaults and texts, read from the dataclasses that define them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from longdoc.config import Members, keys_of, to_dict

CONFIGS = {
    "train": ("longdoc.training", "TrainConfig"),
    "pretrain": ("longdoc.training", "PretrainConfig"),
    "evaluate": ("longdoc.evaluation", "EvaluationConfig"),
    "calibrate": ("longdoc.calibration", "CalibrateConfig"),
    "schema": ("longdoc.schema", "Schema"),
    "rules": ("longdoc.rules", "RuleFile"),
}
"""What is configured in YAML → module and dataclass."""
_SCALARS = {"str": "text", "Path": "text", "int": "integer", "float": "number", "bool": "true or false"}


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping."""

    name: str
    type: str
    default: str | None
    """As it is written in YAML; None for a key that must be given."""
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """A dataclass that is written as a mapping, without the keys that are told elsewhere."""

    place: str
    """Where it is written, such as ``tasks[].data``; empty for the file as a whole."""
    cls: Any
    without: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """What it is for."""
        return _plain(inspect.getdoc(self.cls) or "").split("\n\n")[0].replace("\n", " ")

    @property
    def keys(self) -> list[Key]:
        """Its keys."""
        texts = texts_of(self.cls)
        return [
            Key(key, words(hint), _default(field), texts.get(field.name, "")) for key, field, hint in self.annotated()
        ]

    def annotated(self) -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
        """Each key with its field and annotation."""
        hints = get_type_hints(self.cls, include_extras=True)
        for key, field in keys_of(self.cls).items():
            if key not in self.without:
                yield key, field, hints[field.name]


def mappings(name: str) -> list[Mapped]:
    """All mappings of a configuration, each once, the outermost first.

    Args:
        name: a key of :data:`CONFIGS`.
    """
    module, cls = CONFIGS[name]
    waiting, found = [Mapped("", getattr(import_module(module), cls))], []
    seen: set[tuple[type[Any], frozenset[str]]] = set()
    while waiting:
        first = waiting.pop(0)
        if (first.cls, first.without) not in seen:
            seen.add((first.cls, first.without))
            found.append(first)
            place = first.place.partition(" with ")[0]
            for key, _, hint in first.annotated():
                waiting += _within(hint, f"{place}.{key}".lstrip("."))
    return found


def _within(hint: Any, place: str) -> Iterator[Mapped]:
    """The dataclasses in an annotation, with the places where they are written."""
    origin, arguments = get_origin(hint), get_args(hint)
    if table := _table(hint):
        yield from _of_table(arguments[0], table, place)
    elif origin in (Union, types.UnionType):
        for member in arguments:
            yield from _within(member, place)
    elif origin in (tuple, list):
        yield from _within(arguments[0], f"{place}[]")
    elif origin in (dict, Mapping):
        yield from _within(arguments[1], f"{place}.NAME")
    elif dataclasses.is_dataclass(hint):
        yield Mapped(place, cast(Any, hint))


def _table(hint: Any) -> list[type[Any]]:
    """The dataclasses of which an annotation names a table."""
    arguments = get_args(hint) if get_origin(hint) is Annotated else ()
    return [cls for extra in arguments[1:] if isinstance(extra, Members) for cls in extra.table()]


def _of_table(base: Any, members: Sequence[type[Any]], place: str) -> Iterator[Mapped]:
    """What several dataclasses share, if that is one, and then each of them with the other keys that it has."""
    shared = frozenset(keys_of(base)) if dataclasses.is_dataclass(base) else frozenset()
    if shared:
        yield Mapped(place, base)
    for member in members:
        key, values = _discriminator(member)
        if without := frozenset(keys_of(member)) & {*shared, key}:
            mapped = Mapped(f"{place} with {key}: {' or '.join(values)}", member, without)
            yield from [mapped] if mapped.keys else []


def _discriminator(member: type[Any]) -> tuple[str, tuple[str, ...]]:
    """The key that chooses a dataclass of a table, and the values that do."""
    hints = get_type_hints(member)
    literal = (key for key, field in keys_of(member).items() if get_origin(hints[field.name]) is Literal)
    key = next(literal)
    return key, get_args(hints[keys_of(member)[key].name])


@cache
def texts_of(cls: type[Any]) -> dict[str, str]:
    """The text under each field of a dataclass, those that it inherits, too."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if dataclasses.is_dataclass(each):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
            assert isinstance(tree, ast.ClassDef)
            for field, after in pairwise(tree.body):
                text = after.value if isinstance(after, ast.Expr) else None
                target = field.target if isinstance(field, ast.AnnAssign) else None
                if isinstance(target, ast.Name) and isinstance(text, ast.Constant):
                    found[target.id] = _plain(inspect.cleandoc(str(text.value))).replace("\n", " ")
    return found


def _plain(text: str) -> str:
    """A docstring with names between single backticks."""
    return re.sub(r":\w+:`(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`")


def words(hint: Any) -> str:
    """An annotation in words, such as ``list of text``."""
    origin, arguments = get_origin(hint), get_args(hint)
    if table := _table(hint):
        choices = [value for member in table for value in _discriminator(member)[1]]
        return f"mapping with `{_discriminator(table[0])[0]}`: {', '.join(f'`{choice}`' for choice in choices)}"
    if origin in (Union, types.UnionType):
        return " or ".join(map(words, arguments))
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"list of {len(arguments)} ({', '.join(map(words, arguments))})"
    if origin in (tuple, list):
        return f"list of {words(arguments[0])}"
    if origin in (dict, Mapping):
        return f"mapping of {words(arguments[0])} to {words(arguments[1])}"
    if hint is types.NoneType:
        return "null"
    if dataclasses.is_dataclass(hint):
        return "mapping"
    return _SCALARS.get(getattr(hint, "__name__", ""), "anything")


def _default(field: dataclasses.Field[Any]) -> str | None:
    """The default of a field as YAML; None if there is none."""
    if field.default is not dataclasses.MISSING:
        return _in_yaml(to_dict(field.default))
    return None if field.default_factory is dataclasses.MISSING else _in_yaml(to_dict(field.default_factory()))


def _in_yaml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_in_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_in_yaml, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"\w[\w -]*", value):
        return value
    return json.dumps(value)
