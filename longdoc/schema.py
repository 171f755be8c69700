"""Schemas: the fields to fill from a document, each asked for as a question.

>>> schema = load_schema("contract").select(["governing_law", "effective_date"])
>>> [(name, field.question) for name, field in schema.fields.items()]
[('governing_law', 'Which law governs this agreement?'), ('effective_date', 'When does this agreement take effect?')]

A schema of your own is YAML, or a mapping of the same form. Only the questions are needed::

    name: lease
    fields:
      landlord: {question: "Who is the landlord?", type: party}
      rent: {question: "How high is the monthly rent?", type: money}
      repairs: {question: "Who pays for repairs?", type: clause, many: true}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from longdoc.config import from_dict, load_yaml
from longdoc.errors import ConfigError
from longdoc.values import FieldType

_SHIPPED = Path(__file__).parent / "assets" / "schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to find in a document."""

    question: str
    """As a person would ask it, of the document itself ("Who is the landlord?")."""
    type: FieldType = "text"
    """What :func:`longdoc.values.parse_value` makes of an answer; for text, clause, party and place the text is all."""
    many: bool = False
    """Whether several answers are usual."""
    near: tuple[str, ...] = ()
    """Beginnings of words beside which the value stands, for an answer that holds several values."""
    category: str | None = None
    """Label of the same thing in an annotated corpus, to score answers against."""

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ConfigError("the question is empty; ask for the field as a person would")
        if not all(word.strip() for word in self.near):
            raise ConfigError("near holds an empty word; leave it out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Named fields, in the order in which they are asked for."""

    name: str = "schema"
    fields: dict[str, Field]
    description: str = ""

    def __post_init__(self) -> None:
        if not self.fields:
            raise ConfigError(f"schema {self.name!r} has no fields; give at least one")
        for name in self.fields:
            if not name.isidentifier():
                raise ConfigError(f"fields: {name!r} is not a name; use letters, digits and _, such as 'governing_law'")

    def select(self, names: Iterable[str]) -> Schema:
        """The schema with some of its fields only, in the order given.

        Raises:
            ConfigError: a field is unknown, or no name is given.
        """
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if name not in self.fields:
                raise ConfigError(
                    f"schema {self.name!r}: unknown field {name!r}{_nearest(name, self.fields, 'Fields')}"
                )
        return replace(self, fields={name: self.fields[name] for name in names})


def schema_names() -> list[str]:
    """Names of the schemas that come with longdoc."""
    return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))


def load_schema(source: str | Path | Mapping[str, Any]) -> Schema:
    """A schema by name, from a YAML file, or from plain values.

    Args:
        source: a shipped schema (see :func:`schema_names`), the path of a ``.yaml`` or ``.yml`` file, or a mapping with
            the keys of :class:`Schema`.

    Raises:
        ConfigError: there is no such schema, or it is malformed; the message names the place and the nearest right key.
    """
    if isinstance(source, Mapping):
        return from_dict(Schema, source)
    if isinstance(source, Path) or source.lower().endswith((".yaml", ".yml")):
        return load_yaml(Schema, source)
    if source not in schema_names():
        hint = _nearest(source, schema_names(), "Shipped")
        raise ConfigError(f"unknown schema {source!r}{hint}; or give the path of a .yaml file")
    return load_yaml(Schema, _SHIPPED / f"{source}.yaml")


def _nearest(name: str, allowed: Iterable[str], title: str) -> str:
    """The end of a message about an unknown name: the nearest right one, and all of them."""
    names = list(allowed)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"{f'; did you mean {near[0]!r}?' if near else '.'} {title}: {', '.join(names)}"
