"""The record of a clinical note: sections, problems, medications, allergies, vital signs, dates.

>>> from longdoc.document import Document
>>> from longdoc.sections import add_structure
>>> text = '''CHIEF COMPLAINT
... Cough.
... MEDICATIONS
... Lisinopril 10 mg daily. Warfarin, discontinued.
... ALLERGIES
... No known drug allergies.
... VITALS
... Blood pressure: 120/80 mmHg
... ASSESSMENT
... 1. Bronchitis
... 2. Hypertension, stable'''
>>> note = note_record(add_structure(Document.from_text(text)))
>>> [(each.name.text, each.dose and each.dose.text, each.status) for each in note.medications]
[('Lisinopril', '10 mg', 'current'), ('Warfarin', None, 'stopped')]
>>> [problem.name.text for problem in note.problems], note.allergies, note.no_allergies.text
(['Bronchitis', 'Hypertension'], (), 'No known drug allergies.')
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.records.allergies import Allergy, find_allergies
from longdoc.records.denials import find_family, find_negated
from longdoc.records.evidence import cell, joined, metadata_cell, needs_check, plain, require_type
from longdoc.records.medications import Medication, find_medications
from longdoc.records.passages import passages
from longdoc.records.problems import Problem, distinct, find_problems
from longdoc.records.vital_signs import VitalSign, find_vital_signs
from longdoc.values.dates import find_dates

_MONTH_YEAR = re.compile(
    r"(?<![\d/.-])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?![\d/])"
    r"|\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?,?\s+(?:of\s+)?(?:19|20)\d\d\b"
)
COLUMNS = (
    "problems", "negated", "family_history", "medications", "allergies", "vital_signs", "dates", "sections", "check",
)  # fmt: skip


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
        """The record as one row of a table, whose columns are always :data:`COLUMNS`; lists are joined by ``"; "``."""
        none = [self.no_allergies.text] if self.no_allergies and not self.allergies else []
        no_drug = [self.no_medications.text] if self.no_medications and not self.medications else []
        return {
            "problems": joined(_with(each.name.text, each.status) for each in self.problems),
            "negated": joined(each.name.text for each in self.negated),
            "family_history": joined(_with(each.name.text, each.relative) for each in self.family_history),
            "medications": joined([*map(_regimen, self.medications), *no_drug]),
            "allergies": joined(
                [*(_with(a.substance.text, a.reaction.text if a.reaction else "") for a in self.allergies), *none]
            ),
            "vital_signs": joined(f"{each.name} {each.value.text}" for each in self.vital_signs),
            "dates": joined(date.text for date in self.dates),
            "sections": joined(section.label for section in self.sections),
            "check": needs_check(self),
        }


def _with(name: str, remark: str) -> str:
    return f"{name} ({remark})" if remark and remark != "present" else name


def _regimen(medication: Medication) -> str:
    parts = (medication.name, medication.dose, medication.route, medication.frequency)
    return _with(" ".join(part.text for part in parts if part), medication.status)


def note_record(document: Document, entities: Iterable[Entity] = (), spans: Iterable[Entity] = ()) -> Note:
    """The record of a clinical note.

    Args:
        document: a note, with its sections.
        entities: what heads found in it: diseases and chemicals are used.
        spans: long passages that heads found; not used.

    Raises:
        RecordError: the document does not look like a clinical note.
    """
    require_type(document, "note")
    known, found = tuple(entities), passages(document)
    problems = find_problems(document, found, known)
    absent = tuple(each for each in problems if each.status == "negated")
    medications, no_medications = find_medications(document, found, known)
    allergies, no_allergies = find_allergies(document, found)
    return Note(
        sections=tuple(
            cell(document, each.start, each.end, label=each.kind, source=f"section {each.kind}")
            for each in found
            if each.kind
        ),
        problems=tuple(each for each in problems if each.status not in ("negated", "family")),
        negated=tuple(distinct([*absent, *find_negated(document, found)])),
        family_history=find_family(document, found),
        medications=medications,
        allergies=allergies,
        vital_signs=find_vital_signs(document, found),
        dates=_dates(document),
        no_allergies=no_allergies,
        no_medications=no_medications,
    )


def _dates(document: Document) -> tuple[Answer, ...]:
    """The days, and months with a year, in the text; each once."""
    text, found = document.text, {}
    for start, end, value in find_dates(text):
        found[start] = cell(document, start, end, label="date", source="rule", score=0.95, value=value)
    taken = [(date.start, date.end) for date in found.values()]
    for match in _MONTH_YEAR.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            found[match.start()] = cell(document, *match.span(), label="date", source="rule", score=0.9)
    if (given := document.source.metadata.get("Date", "")) and document.source.loader in ("ccda", "fhir"):
        first = metadata_cell(document, given, label="date of the document")
        return (first, *(found[at] for at in sorted(found)))
    return tuple({found[at].text: found[at] for at in sorted(found)}.values())
