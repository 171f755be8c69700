"""Findings → one record a document: what it says, each fact with its place and its source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from longdoc.document import Document
from longdoc.labels import Entity
from longdoc.records.contract import Contract, contract_record
from longdoc.records.parties import Party

__all__ = ["RECORDS", "Contract", "Party", "RecordKind", "contract_record"]


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record."""

    make: Callable[[Document, Sequence[Entity], Sequence[Entity]], Any]
    """Document, entities and spans → record; raises ``NoRecordError`` for a document of another kind."""
    description: str


RECORDS: dict[str, RecordKind] = {
    "contract": RecordKind(contract_record, "title, parties with roles, dates, law, term, renewal, notice, caps"),
}
"""The kinds of records by name."""
