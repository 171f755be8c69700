"""Schemas: the fields to extract from a document, and where each may come from, in order of trust.

>>> schema = load_schema("contract").select(["governing_law", "effective_date"])
>>> [(name, [str(source) for source in field.trusted]) for name, field in schema.fields.items()][0]
('governing_law', ['record governing_law', 'clause Governing Law'])

A custom schema is a YAML file or a mapping of the same form. A field needs at least one source; ``question`` alone is
short for ``from: [question: …]``::

    name: lease
    fields:
      landlord: {question: "Who is the landlord?", type: party}
      rent: {type: money, from: [clause: Rent, question: "How high is the monthly rent?"]}
      law: {type: place, from: [clause: Governing Law, section: governing law]}
      repairs: {question: "Who pays for repairs?", type: clause, many: true}
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from longdoc.config import from_dict, load_yaml
from longdoc.errors import ConfigError, did_you_mean
from longdoc.values import Duration, FieldType, Money, Value, parse_value

VALUE_TYPES: Mapping[str, type] = {
    "date": datetime.date,
    "money": Money,
    "duration": Duration,
    "percent": Decimal,
    "number": Decimal,
}
"""Types of fields with values, and the types of these values."""
_SHIPPED = Path(__file__).parent / "assets" / "schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a field may come from: exactly one of these."""

    clause: str | None = None
    """A label of a head that finds spans, such as "Governing Law"."""
    record: str | None = None
    """A field of the document's record, such as "parties"."""
    section: str | None = None
    """The title of a section, or a word of it; the section's text is the answer."""
    entity: str | None = None
    """A label of a head that finds entities, such as EFFECTIVE_DATE."""
    rule: str | None = None
    """A label of a rule, such as MONEY."""
    definition: str | None = None
    """A defined term, whose definition is the answer."""
    metadata: str | None = None
    """A key of the file's metadata, such as "title"; what the text does not repeat has no place in it."""
    question: str | None = None
    """As a person would ask it about the document ("Who is the landlord?")."""

    def __post_init__(self) -> None:
        given = [key.name for key in fields(self) if getattr(self, key.name) is not None]
        if len(given) != 1:
            kinds, got = ", ".join(key.name for key in fields(self)), ", ".join(given) or "none"
            raise ConfigError(f"a source is one of {kinds}, as in `clause: Governing Law`; got {got}")
        if not self.name.strip():
            raise ConfigError(f"the {self.kind} of a source is empty")

    @property
    def kind(self) -> str:
        """``"clause"``, ``"section"`` and so on."""
        return next(key.name for key in fields(self) if getattr(self, key.name) is not None)

    @property
    def name(self) -> str:
        """The label, title, term, key or question."""
        return str(getattr(self, self.kind))

    def __str__(self) -> str:
        return self.kind if self.kind == "question" else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field to extract from a document."""

    question: str | None = None
    """Short for a source ``question``, the last one."""
    sources: tuple[Source, ...] = field(default=(), metadata={"key": "from"})
    """Where it may come from, in order of trust: the first source that gives an answer fills the field."""
    type: FieldType = "text"
    """Type that :func:`longdoc.values.parse_value` parses answers as; text, clause, party and place are not parsed."""
    many: bool = False
    """Whether the field usually has several answers."""
    near: tuple[str, ...] = ()
    """Prefixes of words close to the value, to choose it in an answer that has several values."""
    never_after: tuple[str, ...] = ()
    """Prefixes of words that say another thing of the value they precede: such a value is refused."""
    excludes: tuple[str, ...] = ()
    """Fields that the same words cannot fill, too: the likelier one is kept."""
    category: str | None = None
    """Label of the field in an annotated corpus, to evaluate answers against."""

    def __post_init__(self) -> None:
        if self.question is not None and not self.question.strip():
            raise ConfigError("the question is empty; write one as a person would ask it")
        if self.question is None and not self.sources:
            raise ConfigError("no source: give a question, or sources, as in `from: [clause: Governing Law]`")
        for name in ("near", "never_after"):
            if not all(word.strip() for word in getattr(self, name)):
                raise ConfigError(f"{name} has an empty word; remove it")

    @property
    def trusted(self) -> tuple[Source, ...]:
        """All sources in order of trust, the question of its own last."""
        return (*self.sources, *([Source(question=self.question)] if self.question is not None else []))

    @property
    def has_values(self) -> bool:
        """Whether answers are parsed: text, clause, party and place are not."""
        return self.type in VALUE_TYPES

    def parse(self, text: str) -> Value | None:
        """The value of the field's type in an answer; None if it has none or the type has no values."""
        return parse_value(text, self.type, near=self.near, never_after=self.never_after)

    def value_of(self, text: str, known: Any = None) -> Any:
        """The value of an answer: that of its text, or else what is known of it already, if it is of this type.

        Of text, clause, party and place only a known text is a value, such as the name of a state.
        """
        if not self.has_values:
            return known if isinstance(known, str) else None
        value = self.parse(text)
        return known if value is None and isinstance(known, VALUE_TYPES[self.type]) else value

    def refuses(self, text: str) -> bool:
        """Whether the only values of a text are of another thing, as ``never_after`` says."""
        return bool(self.never_after) and self.parse(text) is None and parse_value(text, self.type) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Named fields, in the order of the output."""

    name: str = "schema"
    """Its name, for messages."""
    fields: dict[str, Field]
    """The fields by name, an identifier such as ``governing_law``."""
    description: str = ""
    """What it is for."""

    def __post_init__(self) -> None:
        if not self.fields:
            raise ConfigError(f"schema {self.name!r} has no fields; give at least one")
        for name in self.fields:
            if not name.isidentifier():
                raise ConfigError(
                    f"fields: {name!r} is not an identifier; use letters, digits and _, such as 'governing_law'"
                )
            for other in self.fields[name].excludes:
                if other not in self.fields:
                    hint = did_you_mean(other, self.fields) or ""
                    raise ConfigError(f"fields.{name}.excludes: unknown field {other!r}{hint}")

    @property
    def records(self) -> frozenset[str]:
        """The fields of the document's record that fields may come from."""
        sources = (source for wanted in self.fields.values() for source in wanted.trusted)
        return frozenset(source.name for source in sources if source.kind == "record")

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
        chosen = {name: self.fields[name] for name in names}
        kept = {n: replace(f, excludes=tuple(e for e in f.excludes if e in chosen)) for n, f in chosen.items()}
        return replace(self, fields=kept)


def schema_names() -> list[str]:
    """Names of the schemas shipped with longdoc."""
    return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))


def load_schema(source: str | PathLike[str] | Mapping[str, Any] | Schema) -> Schema:
    """Loads a schema by name, from a YAML file, or from a mapping; a schema is returned as it is.

    Args:
        source: the name of a shipped schema (see :func:`schema_names`), the path of a ``.yaml`` or ``.yml`` file, or a
            mapping with the keys of :class:`Schema`.

    Raises:
        ConfigError: the schema is unknown or malformed; the message names the location and the closest valid key.
    """
    if isinstance(source, Schema):
        return source
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
