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

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.record_types import Note
from longdoc.records.allergies import find_allergies
from longdoc.records.denials import find_family, find_negated
from longdoc.records.evidence import cell, metadata_cell, require_type
from longdoc.records.medications import find_medications
from longdoc.records.passages import passages
from longdoc.records.problems import distinct, find_problems
from longdoc.records.vital_signs import find_vital_signs
from longdoc.values.dates import find_dates

_MONTH_YEAR = re.compile(
    r"(?<![\d/.-])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?![\d/])"
    r"|\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?,?\s+(?:of\s+)?(?:19|20)\d\d\b"
)


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
