"""Findings → one record a document: what a contract, a paper or a note says, each fact with its place and source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from longdoc.document import Document
from longdoc.document_type import Kind, document_type
from longdoc.errors import ConfigError, RecordError, did_you_mean
from longdoc.labels import Entity
from longdoc.prediction import Notice, Prediction
from longdoc.record_types import RECORD_TYPES, Contract, Note, Paper, Party, cells_by_field
from longdoc.records.contract import contract_record
from longdoc.records.evidence import looks_like, may_be
from longdoc.records.medications import DRUGS
from longdoc.records.note import note_record
from longdoc.records.paper import paper_record
from longdoc.records.problems import DISEASES
from longdoc.records.terms import BEFORE_RENEWALS

__all__ = [
    "ANY",
    "RECORDS",
    "Contract",
    "Note",
    "Paper",
    "Party",
    "RecordKind",
    "contract_record",
    "note_record",
    "paper_record",
    "record_for",
    "record_kind",
    "with_record",
]


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record."""

    make: Callable[[Document, Sequence[Entity], Sequence[Entity]], Any]
    """Document, entities and spans → record; raises ``RecordError`` for a document of another kind."""
    type: type[Any]
    """The class of the record."""
    reads: Mapping[str, tuple[str, ...]]
    """Field → the labels of the entities and clauses that it may come from; fields that no head gives are left out."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(each.name for each in fields(self.type))


ANY = ("*",)
"""Entities of any label."""
RECORDS: dict[Kind, RecordKind] = {
    "contract": RecordKind(
        contract_record,
        RECORD_TYPES["contract"],
        {
            "parties": ("PARTY",),
            "agreement_date": ("AGREEMENT_DATE",),
            "effective_date": ("EFFECTIVE_DATE", "Effective Date"),
            "expiration_date": ("Expiration Date",),
            "governing_law": ("Governing Law",),
            "term": ("Expiration Date",),
            "renewal": ("Renewal Term",),
            "notice": ("Notice Period To Terminate Renewal",),
            "caps": ("Cap On Liability",),
        },
    ),
    "paper": RecordKind(paper_record, RECORD_TYPES["paper"], {"entities": ANY}),
    "note": RecordKind(
        note_record, RECORD_TYPES["note"], {"problems": DISEASES, "negated": DISEASES, "medications": DRUGS}
    ),
}
"""The kinds of records by the kind of document."""


def with_record(prediction: Prediction, kind: Kind) -> Prediction:
    """The prediction with its document's record of a kind, whose cells are its answers, too.

    Raises:
        RecordError: the document is of another kind.
    """
    made = RECORDS[kind].make(prediction.document, prediction.entities, prediction.spans)
    first_only = [
        Notice("", f"{name} is that of the first term: the contract renews itself")
        for name, own in cells_by_field(made).items()
        if any(cell.source.endswith(BEFORE_RENEWALS) for cell in own)
    ]
    cells = [replace(cell, label=name) for name, own in cells_by_field(made).items() for cell in own]
    return replace(
        prediction,
        record=made,
        kind=kind,
        answers=tuple(cell for cell in cells if cell.end > cell.start),
        beside=tuple(cell for cell in cells if cell.end == cell.start),
        sought=RECORDS[kind].fields,
        notices=(*prediction.notices, *first_only),
    )


def record_kind(document: Document, kind: str | None = None) -> Kind:
    """The kind of record to make: the one asked for, or by default the one for the kind of the document.

    Raises:
        ConfigError: there are no records of this kind.
        RecordError: no kind is asked for, and the document is of none that has one.
    """
    wanted = document_type(document).kind if kind is None else kind
    found = next((each for each in RECORDS if each == wanted), None)
    if found is None and kind is not None:
        hint = did_you_mean(kind, RECORDS) or "."
        raise ConfigError(f"no record {kind!r}{hint} Records: {', '.join(RECORDS)}")
    if found is None:
        raise RecordError(
            f"{document.source.name}: looks like none of {', '.join(RECORDS)}; if it is one, name the kind of record"
        )
    return found


def record_for(document: Document, names: Collection[str]) -> tuple[Kind, str]:
    """The kind of record to make of a document for the sake of fields with these names.

    Returns:
        The kind whose record has most of the fields, or else one that alone has some of them, and ``""``; ``"other"``
        and the reason if the document is of no such kind.
    """
    shared = {kind: {*names} & {*own.fields} for kind, own in RECORDS.items()}
    suited = [kind for kind, own in shared.items() if len(own) == max(map(len, shared.values()))]
    known = {name for kind in suited for name in shared[kind]}
    mixed = [kind for kind, own in shared.items() if own - known]
    found = document_type(document)
    for kinds in (suited, mixed):
        if likely := [kind for kind in kinds if may_be(found, kind)]:
            return max(likely, key=lambda kind: found.points.get(kind, 0)), ""
    wanted = " or a ".join(suited)
    return "other", f"the document does not look like a {wanted}; it looks like {looks_like(found)}"
