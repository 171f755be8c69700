"""The records of contracts, papers and clinical notes: what they hold, as data, as JSON and as a row of a table.

Every cell is an :class:`~longdoc.labels.Answer`, with its place, source, score and ``check``. ``longdoc.records`` makes
records.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from longdoc.labels import Answer
from longdoc.plain import plain
from longdoc.summary import on_one_line

DATE_COLUMNS = ("agreement_date", "effective_date", "expiration_date")
"""The columns of rows that hold dates."""
_TEXT_COLUMNS = ("governing_law", "term", "renewal", "notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party of a contract, and every place that names it."""

    name: Answer
    """The full legal name; ``value`` is "[name blacked out]" or "[name left blank]" where the text has none."""
    role: Answer | None = None
    """The term that the contract uses for it, such as "Distributor"."""
    kind: Answer | None = None
    """The kind of entity, such as "corporation"."""
    jurisdiction: Answer | None = None
    """The place whose law it is under, such as "Delaware"."""
    aliases: tuple[Answer, ...] = ()
    """Other names, such as former ones and abbreviations, where they are introduced."""
    mentions: tuple[Answer, ...] = ()
    """Every place with its name or a name of its own that stands for it; not roles."""

    @property
    def namings(self) -> tuple[Answer, ...]:
        """Its name, and every place that names it."""
        return (self.name, *self.mentions)

    @property
    def remark(self) -> str:
        """Its role, the kind of entity and its jurisdiction, on one line: "Distributor; Delaware corporation"."""
        form = " ".join(on_one_line(each.text) for each in (self.jurisdiction, self.kind) if each)
        return "; ".join(each for each in (on_one_line(self.role.text) if self.role else "", form) if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a contract says, one cell a fact; a cell is None if the document does not seem to state it."""

    title: Answer | None = None
    parties: tuple[Party, ...] = ()
    agreement_date: Answer | None = None
    effective_date: Answer | None = None
    expiration_date: Answer | None = None
    governing_law: Answer | None = None
    """Its value is the place, without "the State of"."""
    term: Answer | None = None
    """The initial term; its value is a :class:`~longdoc.values.Duration`."""
    renewal: Answer | None = None
    notice: Answer | None = None
    """How long before its end the renewal must be refused."""
    caps: tuple[Answer, ...] = ()
    """Limits of liability; their values are :class:`~longdoc.values.Money`."""

    def to_dict(self) -> dict[str, Any]:
        """The record as what JSON can hold."""
        record: dict[str, Any] = plain(self)
        return record

    def to_row(self) -> dict[str, Any]:
        """One flat row: the same columns for every contract, texts on one line, dates as dates.

        Parties, roles and caps are lists; ``check`` lists the columns that a person should look at.
        """
        return {
            "title": self.title and on_one_line(self.title.text),
            "parties": [_flat(party.name) for party in self.parties],
            "roles": [on_one_line(party.role.text) if party.role else "" for party in self.parties],
            **{name: _flat(getattr(self, name)) for name in (*DATE_COLUMNS, *_TEXT_COLUMNS)},
            "caps": [str(_flat(cap)) for cap in self.caps],
            "check": _to_check(self),
        }

    def not_in_row(self) -> dict[str, int]:
        """Numbers of what ``to_row`` leaves out, by what it is."""
        forms = [each for party in self.parties for each in (party.kind, party.jurisdiction) if each]
        names = [each for party in self.parties for each in (*party.aliases, *party.mentions)]
        return {"kinds and jurisdictions of parties": len(forms), "other names and mentions of parties": len(names)}


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """A short form and the long form that the text gives for it, where it first does."""

    short: Answer
    long: Answer
    count: int
    """How often the short form stands in the text."""

    @property
    def namings(self) -> tuple[Answer, ...]:
        """Both forms."""
        return (self.short, self.long)

    @property
    def remark(self) -> str:
        """The long form, on one line."""
        return on_one_line(self.long.text)


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """All mentions of an entity: the same words, or a short form and its long form."""

    first: Answer
    """The first mention."""
    label: str
    count: int
    names: tuple[str, ...]
    """Its wordings, the most frequent first."""
    long_form: str | None = None
    """What a short form among the names stands for."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The record of a paper. Cells of metadata that the text does not repeat have ``start == end`` and no boxes."""

    title: Answer | None
    authors: tuple[Answer, ...]
    affiliations: tuple[Answer, ...]
    doi: Answer | None
    abstract: Answer | None
    sections: tuple[Answer, ...]
    """The headings of the outermost two levels; their ``label`` is the kind of section."""
    entities: tuple[NamedEntity, ...] = ()
    """The most frequent first."""
    abbreviations: tuple[Abbreviation, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as what JSON can hold."""
        record: dict[str, Any] = plain(self)
        return record

    def to_row(self) -> dict[str, Any]:
        """One row of a table, the same columns for every paper; ``check`` lists those to look at."""
        return {
            "title": _flat(self.title),
            "authors": _listed(author.text for author in self.authors),
            "affiliations": _listed(place.text for place in self.affiliations),
            "doi": _flat(self.doi),
            "abstract": _flat(self.abstract),
            "sections": _listed(section.text for section in self.sections),
            "entities": _listed(f"{each.long_form or each.names[0]} ({each.count})" for each in self.entities),
            "abbreviations": _listed(f"{each.short.text} = {each.long.text}" for each in self.abbreviations),
            "check": _to_check(self),
        }

    def not_in_row(self) -> dict[str, int]:
        """Numbers of what ``to_row`` leaves out, by what it is."""
        return {"other wordings of entities": sum(len(each.names) - 1 for each in self.entities)}


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition that a note names."""

    name: Answer
    status: str
    """``"present"``, ``"past"``, ``"possible"``, ``"negated"`` or ``"family"``."""
    relative: str = ""
    """Who in the family has it."""

    @property
    def remark(self) -> str:
        """The relative; or the status of a problem that the patient has not for sure, or no longer."""
        return self.relative or (self.status if self.status in ("past", "possible") else "")


@dataclass(frozen=True, slots=True)
class Medication:
    """A medication that a note names, with the regimen that it says last."""

    name: Answer
    dose: Answer | None = None
    route: Answer | None = None
    frequency: Answer | None = None
    status: str = ""
    """``"current"``, ``"started"``, ``"changed"`` or ``"stopped"``; empty if the note does not say."""

    @property
    def remark(self) -> str:
        """Dose, route, frequency and status, on one line."""
        said = [on_one_line(each.text) for each in (self.dose, self.route, self.frequency) if each]
        return ", ".join([*said, *([self.status] if self.status else [])])


@dataclass(frozen=True, slots=True)
class Allergy:
    """A substance that the patient does not tolerate, and how it shows, if the note says so."""

    substance: Answer
    reaction: Answer | None = None

    @property
    def remark(self) -> str:
        """The reaction, on one line."""
        return on_one_line(self.reaction.text) if self.reaction else ""


@dataclass(frozen=True, slots=True)
class VitalSign:
    """A vital sign: ``value`` is the number with its unit, or the word that stands for it (``"normal"``)."""

    name: str
    """``"blood pressure"``, ``"heart rate"``, ``"temperature"`` and the like, whatever the note calls it."""
    value: Answer
    numbers: tuple[Decimal, ...] = ()
    """The number; two of a blood pressure; none of a word."""
    unit: str = ""
    """As written; empty if it is not said."""

    @property
    def remark(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Note:
    """The record of a clinical note."""

    sections: tuple[Answer, ...]
    """The text of each section, with its kind as ``label``, in the order of the note."""
    problems: tuple[Problem, ...]
    """The patient's, present, past or possible."""
    negated: tuple[Problem, ...]
    """What the patient does not have, by the note's words."""
    family_history: tuple[Problem, ...]
    """The conditions of relatives: not the patient's."""
    medications: tuple[Medication, ...]
    allergies: tuple[Allergy, ...]
    vital_signs: tuple[VitalSign, ...]
    dates: tuple[Answer, ...]
    """Days, and months of a year."""
    no_allergies: Answer | None = None
    """The words that say that no allergies are known."""
    no_medications: Answer | None = None
    """The words that say that the patient takes none."""

    def to_dict(self) -> dict[str, Any]:
        """The record as what JSON can hold."""
        record: dict[str, Any] = plain(self)
        return record

    def to_row(self) -> dict[str, Any]:
        """One row of a table, the same columns for every note; ``check`` lists those to look at."""
        none = [self.no_allergies.text] if self.no_allergies and not self.allergies else []
        no_drug = [self.no_medications.text] if self.no_medications and not self.medications else []
        return {
            "problems": _listed(_with(each.name.text, each.status) for each in self.problems),
            "negated": _listed(each.name.text for each in self.negated),
            "family_history": _listed(_with(each.name.text, each.relative) for each in self.family_history),
            "medications": _listed([*map(_regimen, self.medications), *no_drug]),
            "allergies": _listed(
                [*(_with(a.substance.text, a.reaction.text if a.reaction else "") for a in self.allergies), *none]
            ),
            "vital_signs": _listed(f"{each.name} {each.value.text}" for each in self.vital_signs),
            "dates": _listed(date.text for date in self.dates),
            "sections": _listed(section.label for section in self.sections),
            "check": _to_check(self),
        }

    def not_in_row(self) -> dict[str, int]:
        """Numbers of what ``to_row`` leaves out, by what it is."""
        return {"texts of sections": len(self.sections)}


RECORD_TYPES: dict[str, type[Any]] = {"contract": Contract, "paper": Paper, "note": Note}
"""The records by the kind of document."""


def _with(name: str, remark: str) -> str:
    return f"{name} ({remark})" if remark and remark != "present" else name


def _regimen(medication: Medication) -> str:
    parts = (medication.name, medication.dose, medication.route, medication.frequency)
    return _with(" ".join(part.text for part in parts if part), medication.status)


def _flat(answer: Answer | None) -> datetime.date | str | None:
    """A cell in a table: a date, or its value or text on one line."""
    if answer is None:
        return None
    if isinstance(answer.value, datetime.date):
        return answer.value
    return on_one_line(answer.text if answer.value is None else str(answer.value))


def _listed(texts: Iterable[str | None]) -> list[str]:
    """Texts in one column of a table: each on one line, none twice."""
    return list(dict.fromkeys(on_one_line(text) for text in texts if text and text.strip()))


def _to_check(record: Any) -> list[str]:
    return [name for name in (each.name for each in dataclasses.fields(record)) if needs_check(getattr(record, name))]


def all_cells(record: Any) -> Iterator[Answer]:
    """Every cell in a record, or in a part of it, those of its parts included."""
    if isinstance(record, Answer):
        yield record
    elif dataclasses.is_dataclass(record) and not isinstance(record, type):
        for each in dataclasses.fields(record):
            yield from all_cells(getattr(record, each.name))
    elif isinstance(record, (tuple, list)):
        for part in record:
            yield from all_cells(part)


def needs_check(record: Any) -> bool:
    """Whether any cell in a record, or in a part of it, asks for a look."""
    return any(cell.check for cell in all_cells(record))


def cells_by_field(record: Any) -> dict[str, list[Answer]]:
    """The cells of a record, by field; of parties, medications and the like, their names.

    A cell that only the metadata say is not in the text: its ``start`` is its ``end``.
    """
    found: dict[str, list[Answer]] = {}
    for each in dataclasses.fields(record):
        value = getattr(record, each.name)
        parts = value if isinstance(value, tuple) else (value,)
        heads = [part if isinstance(part, Answer) else _name_of(part) for part in parts]
        found[each.name] = [cell for cell in heads if cell is not None]
    return found


def namings_by_field(record: Any) -> dict[str, list[Answer]]:
    """The cells that name what a record lists, by field: of :func:`cells_by_field`, and all mentions of a party."""
    found = cells_by_field(record)
    for name, cells in found.items():
        value = getattr(record, name)
        for part in value if isinstance(value, tuple) else ():
            cells.extend(getattr(part, "namings", ()))
    return found


def _name_of(part: Any) -> Answer | None:
    """The first cell of a part of a record, which names it; its value is the name with the part's ``remark``."""
    if not dataclasses.is_dataclass(part):
        return None
    values = (getattr(part, each.name) for each in dataclasses.fields(part))
    cell = next((value for value in values if isinstance(value, Answer)), None)
    if cell is None or not (remark := getattr(part, "remark", "")):
        return cell
    name = cell.value if isinstance(cell.value, str) else on_one_line(cell.text)
    return dataclasses.replace(cell, value=f"{name} ({remark})")
