"""Schemas: the fields to extract from a document, each asked for by a question.

>>> schema = load_schema("contract").select(["governing_law", "effective_date"])
>>> [(name, field.question) for name, field in schema.fields.items()]
[('governing_law', 'Which law governs this agreement?'), ('effective_date', 'When does this agreement take effect?')]

A custom schema is a YAML file or a mapping of the same form. Only the questions are required::

    name: lease
    fields:
      landlord: {question: "Who is the landlord?", type: party}
      rent: {question: "How high is the monthly rent?", type: money}
      repairs: {question: "Who pays for repairs?", type: clause, many: true}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from longdoc.config import from_dict, load_yaml
from longdoc.errors import ConfigError, did_you_mean
from longdoc.values import FieldType, Value, parse_value

_SHIPPED = Path(__file__).parent / "assets" / "schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field to extract from a document."""

    question: str
    """As a person would ask it about the document ("Who is the landlord?")."""
    type: FieldType = "text"
    """Type that :func:`longdoc.values.parse_value` parses answers as; text, clause, party and place are not parsed."""
    many: bool = False
    """Whether the field usually has several answers."""
    near: tuple[str, ...] = ()
    """Prefixes of words close to the value, to choose it in an answer that has several values."""
    category: str | None = None
    """Label of the field in an annotated corpus, to evaluate answers against."""

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ConfigError("the question is empty; write one as a person would ask it")
        if not all(word.strip() for word in self.near):
            raise ConfigError("near has an empty word; remove it")

    def parse(self, text: str) -> Value | None:
        """The value of the field's type in an answer; None if it has none or the type has no values."""
        return parse_value(text, self.type, near=self.near)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Named fields, in the order in which their questions are asked."""

    name: str = "schema"
    fields: dict[str, Field]
    description: str = ""

    def __post_init__(self) -> None:
        if not self.fields:
            raise ConfigError(f"schema {self.name!r} has no fields; give at least one")
        for name in self.fields:
            if not name.isidentifier():
                raise ConfigError(
                    f"fields: {name!r} is not an identifier; use letters, digits and _, such as 'governing_law'"
                )

    def select(self, names: Iterable[str]) -> Schema:
        """A copy of the schema with the named fields only, in the given order.

        Raises:
            ConfigError: a name is unknown, or there are no names.
        """
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if name not in self.fields:
                hint = did_you_mean(name, self.fields) or "."
                fields = ", ".join(self.fields)
                raise ConfigError(f"schema {self.name!r}: unknown field {name!r}{hint} Fields: {fields}")
        return replace(self, fields={name: self.fields[name] for name in names})


def schema_names() -> list[str]:
    """Names of the schemas shipped with longdoc."""
    return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))


def load_schema(source: str | PathLike[str] | Mapping[str, Any]) -> Schema:
    """Loads a schema by name, from a YAML file, or from a mapping.

    Args:
        source: the name of a shipped schema (see :func:`schema_names`), the path of a ``.yaml`` or ``.yml`` file, or a
            mapping with the keys of :class:`Schema`.

    Raises:
        ConfigError: the schema is unknown or malformed; the message names the location and the closest valid key.
    """
    if isinstance(source, Mapping):
        return from_dict(Schema, source)
    if not isinstance(source, (str, PathLike)):
        raise ConfigError(f"the schema is {type(source).__name__}; give a name, the path of a .yaml file, or a mapping")
    if isinstance(source, PathLike) or source.lower().endswith((".yaml", ".yml")):
        return load_yaml(Schema, Path(source))
    if source not in schema_names():
        hint = did_you_mean(source, schema_names()) or "."
        shipped = ", ".join(schema_names())
        raise ConfigError(f"unknown schema {source!r}{hint} Shipped: {shipped}; or give the path of a .yaml file")
    return load_yaml(Schema, _SHIPPED / f"{source}.yaml")
