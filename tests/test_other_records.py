"""The records of papers and of clinical notes."""

import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc import Document, Entity
from longdoc.errors import DocumentError, RecordError
from longdoc.loaders import load
from longdoc.records import RECORDS, note_record, paper_record
from longdoc.records.abbreviations import count_mentions, find_abbreviations
from longdoc.records.note import Note
from longdoc.records.paper import Paper
from longdoc.records.wording import contexts_of
from longdoc.sections import add_structure
from pdfs import lines, make_pdf

DATA = Path(__file__).parent / "data"


def document(text: str) -> Document:
    return add_structure(Document.from_text(text))


def note(**sections: str) -> Note:
    text = "\n\n".join(f"{name.replace('_', ' ').upper()}\n\n{body}" for name, body in sections.items())
    return note_record(document(text if "CHIEF COMPLAINT" in text else f"CHIEF COMPLAINT\n\nVisit.\n\n{text}"))


def names(problems) -> list[str]:
    return [problem.name.text for problem in problems]


def entity(doc: Document, text: str, label: str, occurrence: int = 0) -> Entity:
    start = -1
    for _ in range(occurrence + 1):
        start = doc.text.index(text, start + 1)
    return Entity(text=text, label=label, start=start, end=start + len(text), score=0.9, page=1, source="biomedical")


def cells(record):
    """All answers in a record."""
    if dataclasses.is_dataclass(record):
        if type(record).__name__ == "Answer":
            yield record
        else:
            for field in dataclasses.fields(record):
                yield from cells(getattr(record, field.name))
    elif isinstance(record, tuple):
        for each in record:
            yield from cells(each)


# ----------------------------------------------------------------------------------------------------------- medication


@pytest.mark.parametrize(
    "text, name, dose, route, frequency, status",
    [
        ("Lisinopril 20 mg once daily.", "Lisinopril", "20 mg", None, "once daily", "current"),
        ("Warfarin 2.5 mg PO BID, discontinued", "Warfarin", "2.5 mg", "PO", "BID", "stopped"),
        ("1. Trizivir 1 tablet p.o. b.i.d.", "Trizivir", "1 tablet", "p.o.", "b.i.d.", "current"),
        ("Patient reports taking aspirin 81 mg daily.", "aspirin", "81 mg", None, "daily", "current"),
        (
            "- albuterol 2 puffs inhaled every 4 to 6 hours",
            "albuterol",
            "2 puffs",
            "inhaled",
            "every 4 to 6 hours",
            "current",
        ),
        ("Zzyzxicor 5 mg twice a day", "Zzyzxicor", "5 mg", None, "twice a day", "current"),
        ("Insulin 10 units at bedtime", "Insulin", "10 units", None, "at bedtime", "current"),
        ("Levothyroxine 0.5 mcg by mouth q.d.", "Levothyroxine", "0.5 mcg", "by mouth", "q.d.", "current"),
        (
            "Amoxicillin/clavulanate 875/125 mg 3 times a day",
            "Amoxicillin/clavulanate",
            "875/125 mg",
            None,
            "3 times a day",
            "current",
        ),
        ("Stopped taking ibuprofen 800 mg.", "ibuprofen", "800 mg", None, None, "stopped"),
    ],
)
def test_medication_of_a_list(text, name, dose, route, frequency, status) -> None:
    (found,) = note(medications=text).medications
    parts = [part and part.text for part in (found.dose, found.route, found.frequency)]
    assert found.name.text == name and parts == [dose, route, frequency] and found.status == status


@pytest.mark.parametrize(
    "text, expected",
    [
        ("I prescribed Ultram 50 mg every 6 hours.", [("Ultram", "50 mg", "started")]),
        ("Increase lisinopril from 10 mg to 20 mg a day.", [("lisinopril", "20 mg", "changed")]),
        ("Continue metformin 500 mg twice daily.", [("metformin", "500 mg", "current")]),
        ("Discontinue Lasix.", [("Lasix", None, "stopped")]),
        (
            "We switched her from furosemide to torsemide.",
            [("furosemide", None, "stopped"), ("torsemide", None, "started")],
        ),
        ("She is on 1000 mg of metformin twice a day.", [("metformin", "1000 mg", "current")]),
        ("Glucose was 120 mg/dL.", []),
        ("He denies ever taking Viagra.", []),
        ("We can consider prednisone if pain persists.", []),
        ("Aspirin was stopped last week.", [("Aspirin", None, "stopped")]),
    ],
)
def test_medication_in_sentences(text, expected) -> None:
    found = note(plan=text).medications
    assert [(each.name.text, each.dose and each.dose.text, each.status) for each in found] == expected


def test_the_last_regimen_counts_and_doses_that_disagree_ask_for_a_look() -> None:
    changed = note(medications="Lasix 40 mg daily", plan="Increase Lasix to 80 mg daily.").medications
    assert [(each.dose.text, each.status, each.dose.check) for each in changed] == [("80 mg", "changed", False)]
    (differs,) = note(medications="Digoxin 25 mg", assessment="She has been taking digoxin 325 mg.").medications
    assert differs.dose.check


@pytest.mark.parametrize("text", ["None.", "No medications.", "Patient denies taking any current medications."])
def test_no_medication_is_said_so(text: str) -> None:
    found = note(medications=text)
    assert found.medications == () and found.no_medications.text == text
    assert found.to_row()["medications"] == [text]


def test_results_and_allergies_are_no_medication() -> None:
    found = note(results="Lithium level normal.", allergies="Penicillin", family_history="Mother took Prozac.")
    assert found.medications == ()


# ------------------------------------------------------------------------------------------------------------ allergies


@pytest.mark.parametrize(
    "text",
    [
        *("No known drug allergies.", "NKDA", "None.", "No allergies.", "None known.", "He has no known allergies."),
        *("Patient denies any allergies.", "No known medical allergies.", "NKA.", "There are no known drug allergies."),
    ],
)
def test_no_known_allergies_is_no_allergy(text: str) -> None:
    found = note(allergies=text)
    assert found.allergies == () and found.no_allergies.text == text


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Penicillin.", [("Penicillin", None)]),
        ("Eggs and peanuts.", [("Eggs", None), ("peanuts", None)]),
        ("She is allergic to Lortab.", [("Lortab", None)]),
        ("Sulfa (rash), codeine (nausea)", [("Sulfa", "rash"), ("codeine", "nausea")]),
        ("Methylprednisolone - itching", [("Methylprednisolone", "itching")]),
        ("PCN, but has tolerated cephalosporins in the past.", [("PCN", None)]),
        ("To penicillin.", [("penicillin", None)]),
        ("Latex: hives", [("Latex", "hives")]),
        ("The patient has asthma and hives. No known drug allergies.", []),
        ("Percocet.\nVicodin.\nReglan.", [("Percocet", None), ("Vicodin", None), ("Reglan", None)]),
    ],
)
def test_allergies(text: str, expected) -> None:
    found = note(allergies=text).allergies
    assert [(each.substance.text, each.reaction and each.reaction.text) for each in found] == expected


# ------------------------------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1. Hypertension, uncontrolled.\n2. Diabetes", [("Hypertension", "present"), ("Diabetes", "present")]),
        ("1. Gout 2. Asthma 3. Anemia", [("Gout", "present"), ("Asthma", "present"), ("Anemia", "present")]),
        (
            "Right knee pain, possible ligament strain.",
            [("Right knee pain", "present"), ("ligament strain", "possible")],
        ),
        ("• Newly diagnosed diabetes.\n• Medical Reasoning: Sugar was high.", [("diabetes", "present")]),
        ("Status post cataract surgery.", [("cataract surgery", "past")]),
        ("The patient is a 50-year-old male who is well.", []),
        ("Annual visit.\nHealthcare maintenance.\nPatient Agreements: understood.", []),
        ("Diagnosis: Sprain of the left ankle", [("Sprain of the left ankle", "present")]),
        (
            "- Hypertension\n- Type 2 diabetes\n- Diabetes",
            [("Hypertension", "present"), ("Type 2 diabetes", "present")],
        ),
        ("She has a history of gout and asthma.", [("gout", "past"), ("asthma", "past")]),
        (
            "Gout, diabetes mellitus, and asthma.",
            [("Gout", "present"), ("diabetes mellitus", "present"), ("asthma", "present")],
        ),
        ("Gallstones, ? cholecystitis.", [("Gallstones", "present"), ("cholecystitis", "possible")]),
        (
            "1. Jaw pain, sounds muscular. We will rule out angina. 2. Gout.",
            [("Jaw pain", "present"), ("Gout", "present")],
        ),
    ],
)
def test_assessed_problems(text: str, expected) -> None:
    assert [(each.name.text, each.status) for each in note(assessment=text).problems] == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Diabetes, hypertension, and status post CVA.", ["Diabetes", "hypertension", "CVA"]),
        ("Significant for asthma and allergic rhinitis.", ["asthma", "allergic rhinitis"]),
        ("Patient reports history of kidney stones.", ["kidney stones"]),
        ("Noncontributory.", []),
        ("The patient denies a history of rheumatoid arthritis.", []),
        ("Baby was born premature and he required hospitalization.", []),
        ("There is no significant past medical history.", []),
        ("Medical\nAnemia.\nSurgical\nCholecystectomy.", ["Anemia"]),
        (
            "Coronary artery disease, status post CABG in 1991, hypertension.",
            ["Coronary artery disease", "CABG", "hypertension"],
        ),
        ("Essentially unchanged from my last visit.", []),
    ],
)
def test_problems_of_the_history(text: str, expected) -> None:
    assert names(note(medical_history=text).problems) == expected


def test_what_is_denied_is_no_problem_and_is_kept() -> None:
    found = note(
        history_of_present_illness="The patient denies fever, chills, or weight loss but reports pain. No gout.",
        medical_history="He denies a history of diabetes.",
    )
    assert found.problems == ()
    assert names(found.negated) == ["diabetes", "fever", "chills", "weight loss", "gout"]


def test_the_family_is_not_the_patient() -> None:
    found = note(
        family_history="Mother: melanoma.\nFather has diabetes and gout.\nNo family history of cancer.",
        history_of_present_illness="His sister has asthma. He has a history of eczema.",
    )
    assert names(found.problems) == ["eczema"]
    assert [(each.name.text, each.relative) for each in found.family_history] == [
        ("melanoma", "Mother"),
        ("diabetes", "Father"),
        ("gout", "Father"),
        ("asthma", "sister"),
    ]


@pytest.mark.parametrize(
    "sentence, finding, expected",
    [
        ("Denies chest pain.", "chest pain", ("negated",)),
        ("Denies fever but has chest pain.", "chest pain", ()),
        ("No evidence of pneumonia.", "pneumonia", ("negated",)),
        ("Pneumonia was ruled out.", "Pneumonia", ("negated",)),
        ("Pneumonia, ruled out.", "Pneumonia", ("negated",)),
        ("Pneumonia (ruled out)", "Pneumonia", ("negated",)),
        ("Ruled out pneumonia.", "pneumonia", ("negated",)),
        ("Rule out pneumonia.", "pneumonia", ("possible",)),
        ("Pneumonia, not yet ruled out.", "Pneumonia", ("possible",)),
        ("Pneumonia, to be ruled out.", "Pneumonia", ("possible",)),
        ("We have not yet excluded malignancy.", "malignancy", ("possible",)),
        ("PE ruled out, pneumonia confirmed on CT.", "pneumonia", ()),
        ("MI was ruled out and pneumonia was found.", "pneumonia", ()),
        ("Pneumonia confirmed; PE ruled out by CT.", "Pneumonia", ()),
        ("Cellulitis, DVT ruled out by ultrasound.", "Cellulitis", ()),
        ("Cellulitis - ruled out DVT", "Cellulitis", ()),
        ("Sepsis excluded, treated for cellulitis.", "cellulitis", ()),
        ("Excluded from the trial due to heart failure.", "heart failure", ()),
        ("His father had gout.", "gout", ("family",)),
        ("Possible fracture of the wrist.", "fracture", ("possible",)),
        ("If pneumonia develops, return.", "pneumonia", ("possible",)),
        ("History of asthma.", "asthma", ("past",)),
        ("Asthma as a child.", "Asthma", ("past",)),
        ("Has asthma.", "asthma", ()),
        ("Risk of stroke.", "stroke", ("possible",)),
        ("No increase in pain.", "pain", ()),
    ],
)
def test_context(sentence: str, finding: str, expected) -> None:
    start = sentence.index(finding)
    assert contexts_of(sentence, start, start + len(finding)) == expected


def test_diseases_of_a_head_stand_in_for_a_list() -> None:
    doc = document("CHIEF COMPLAINT\nPain.\nASSESSMENT\nThis is a man with gout here, and I see no arthritis in him.")
    found = note_record(doc, [entity(doc, "gout", "DISEASE"), entity(doc, "arthritis", "DISEASE")])
    assert (names(found.problems), names(found.negated)) == (["gout"], ["arthritis"])
    assert found.problems[0].name.source == "biomedical"


# --------------------------------------------------------------------------------------------------- vital signs, dates


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Blood pressure: 120/80 mmHg", [("blood pressure", "120/80 mmHg")]),
        (
            "BP: 169/74.\nHR: 88 bpm.\nSpO2: 98%.",
            [("blood pressure", "169/74"), ("heart rate", "88 bpm"), ("oxygen saturation", "98%")],
        ),
        ("T 98.6 F, P 72", [("temperature", "98.6 F"), ("heart rate", "72")]),
        ("Temperature is 97.7 today.", [("temperature", "97.7")]),
        ("Respirations: 16", [("respiratory rate", "16")]),
        ("• Blood Pressure: Elevated.", [("blood pressure", "Elevated")]),
        ("Blood pressure is slightly elevated.", [("blood pressure", "slightly elevated")]),
        ("Weight: 169 lb", [("weight", "169 lb")]),
        ("Pulse oxygenation: 99 percent on room air.", [("oxygen saturation", "99 percent on room air")]),
        ("All vital signs are within normal limits.", []),
        ("Heart Rate: 4000", []),
    ],
)
def test_vital_signs(text: str, expected) -> None:
    found = note(vital_signs=text).vital_signs
    assert sorted((each.name, each.value.text) for each in found) == sorted(expected)


def test_vital_signs_have_numbers_and_units() -> None:
    (sign,) = note(vitals="Blood pressure: 120/80 mmHg").vital_signs
    assert [int(number) for number in sign.numbers] == [120, 80] and sign.unit == "mmHg"


def test_dates_are_days_and_months() -> None:
    found = note(history_of_present_illness="Seen 03/01/2021, in 12/2019, May 2020 and on June 5, 2018; 120/80; 1996.")
    assert [date.text for date in found.dates] == ["03/01/2021", "12/2019", "May 2020", "June 5, 2018"]
    assert found.dates[0].value.isoformat() == "2021-03-01"


# -------------------------------------------------------------------------------------------------------- other formats


def bundle() -> bytes:
    def section(title: str, code: str, *names: str) -> dict:
        coding = [{"system": "http://loinc.org", "code": code}]
        return {"title": title, "code": {"coding": coding}, "entry": [{"reference": name} for name in names]}

    parts = [
        section("Medications", "10160-0", "MedicationStatement/1", "MedicationStatement/2"),
        section("Allergies", "48765-2", "AllergyIntolerance/1"),
        section("Problems", "11450-4", "Condition/1", "Condition/2"),
    ]
    dosage = [{"route": {"text": "oral"}, "doseAndRate": [{"doseQuantity": {"value": 2.5, "unit": "mg"}}]}]
    resources = [
        {"resourceType": "Composition", "title": "Summary", "date": "2024-05-06", "section": parts},
        {
            "resourceType": "MedicationStatement",
            "id": "1",
            "status": "active",
            "medicationCodeableConcept": {"text": "Aspirin"},
        },
        {
            "resourceType": "MedicationStatement",
            "id": "2",
            "status": "stopped",
            "dosage": dosage,
            "medicationCodeableConcept": {"text": "Warfarin"},
        },
        {
            "resourceType": "AllergyIntolerance",
            "id": "1",
            "code": {"text": "Penicillin G"},
            "reaction": [{"manifestation": [{"text": "Hives"}]}],
            "clinicalStatus": {"text": "active"},
        },
        {"resourceType": "Condition", "id": "1", "code": {"text": "Asthma"}, "clinicalStatus": {"text": "active"}},
        {"resourceType": "Condition", "id": "2", "code": {"text": "Gout"}, "verificationStatus": {"text": "refuted"}},
    ]
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "document", "entry": entries}).encode()


def test_a_problem_of_an_assessment_that_is_ruled_out_is_not_the_patients() -> None:
    text = "1. Gout.\n2. Sepsis, ruled out.\n3. Pneumonia, not yet ruled out.\n4. Rule out asthma.\n"
    found = note(assessment=text).problems
    assert [(each.name.text, each.status) for each in found] == [
        ("Gout", "present"), ("Pneumonia", "possible"), ("asthma", "possible")
    ]  # fmt: skip


def test_coded_entries_of_fhir_keep_their_status() -> None:
    found = note_record(load(bundle()))
    drugs = [(each.name.text, each.dose and each.dose.text, each.status) for each in found.medications]
    assert drugs == [("Aspirin", None, "current"), ("Warfarin", "2.5 mg", "stopped")]
    assert [(each.substance.text, each.reaction.text) for each in found.allergies] == [("Penicillin G", "Hives")]
    assert (names(found.problems), names(found.negated)) == (["Asthma"], ["Gout"])
    assert found.dates[0].text == "2024-05-06"


def test_tables_of_a_clinical_document() -> None:
    def section(code: str, title: str, text: str) -> str:
        return (
            f'<component><section><code code="{code}"/><title>{title}</title><text>{text}</text></section></component>'
        )

    def table(*rows: str) -> str:
        inner = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row.split("|")) + "</tr>" for row in rows)
        return f"<table>{inner}</table>"

    body = (
        section(
            "10160-0", "Medications", table("Medication|Directions|Status", "Metformin 500 MG|twice daily|Discontinued")
        )
        + section("48765-2", "Allergies", table("Substance|Reaction|Status", "Penicillin|Hives|Active"))
        + section("11450-4", "Problems", "<list><item>Asthma</item><item>Pneumonia - Resolved</item></list>")
        + section("8716-3", "Vital Signs", table("Date|BP|Pulse", "2024-05-06|120/80 mm[Hg]|72 /min"))
    )
    xml = f'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody>{body}</structuredBody></component>'
    xml += "</ClinicalDocument>"
    found = note_record(load(xml.encode()))
    assert [(each.name.text, each.dose.text, each.status) for each in found.medications] == [
        ("Metformin", "500 MG", "stopped")
    ]
    assert [(each.substance.text, each.reaction.text) for each in found.allergies] == [("Penicillin", "Hives")]
    assert [(each.name.text, each.status) for each in found.problems] == [("Asthma", "present"), ("Pneumonia", "past")]
    assert [(each.name, each.value.text) for each in found.vital_signs] == [
        ("blood pressure", "120/80 mm[Hg]"),
        ("heart rate", "72 /min"),
    ]


# --------------------------------------------------------------------------------------------------------------- papers


def test_a_paper_in_jats_has_what_its_metadata_say() -> None:
    doc = load(DATA / "plos_jats" / "journal.pmed.0040303.xml")
    paper = paper_record(doc)
    assert (
        paper.title.text == doc.source.metadata["Title"]
        and doc.text[paper.title.start : paper.title.end] == paper.title.text
    )
    assert "; ".join(author.text for author in paper.authors) == doc.source.metadata["Author"]
    assert paper.doi.text == "10.1371/journal.pmed.0040303"
    assert all(author.source == "metadata" for author in paper.authors)


AUTHORS = {
    "commas": ("Ada Byron, Emil Post", ["Ada Byron", "Emil Post"]),
    "and": ("Ada Byron and Emil Post", ["Ada Byron", "Emil Post"]),
    "marks": ("Ada Byron1,2*, Emil L. Post2", ["Ada Byron", "Emil L. Post"]),
    "oxford": ("Ada Byron, Emil Post, and Kurt Gödel", ["Ada Byron", "Emil Post", "Kurt Gödel"]),
    "particles": ("Ludwig van Beethoven; María de la Cruz", ["Ludwig van Beethoven", "María de la Cruz"]),
    "degrees": ("Ada Byron, PhD, Emil Post, MD", ["Ada Byron", "Emil Post"]),
    "initials": ("A. B. Byron, E. Post", ["A. B. Byron", "E. Post"]),
    "hyphens": ("Jean-Pierre Serre, Mary O'Neil", ["Jean-Pierre Serre", "Mary O'Neil"]),
    "one": ("Ada Byron", ["Ada Byron"]),
    "capitals": ("ADA BYRON, EMIL POST", ["ADA BYRON", "EMIL POST"]),
}


def plain_paper(authors: str) -> str:
    return f"""Sleep and Its Causes in Mice

{authors}

Department of Zoology, Springfield University

ada@springfield.edu

Abstract

We show that rapid eye movement (REM) sleep is found in mice, as our results confirm (Figure 1). DOI: 10.1234/abc(5).

1 Introduction

REM sleep was first seen by Smith et al.

References

[1] A. Smith. Sleep. 10.9999/wrong. 1950.
"""


@pytest.mark.parametrize("line, expected", AUTHORS.values(), ids=AUTHORS)
def test_the_front_page_of_plain_text(line: str, expected: list[str]) -> None:
    paper = paper_record(document(plain_paper(line)))
    assert paper.title.text == "Sleep and Its Causes in Mice"
    assert [author.text for author in paper.authors] == expected
    assert [place.text for place in paper.affiliations] == ["Department of Zoology, Springfield University"]
    assert paper.doi.text == "10.1234/abc(5)"
    assert paper.abstract.text.startswith("We show that rapid") and "Introduction" not in paper.abstract.text


def test_the_front_page_of_a_pdf_by_the_size_of_its_lines() -> None:
    page = (
        lines("Journal of Rodents, vol. 5, 2020", y=760, size=9)
        + lines("Sleep and Its Causes in", "Laboratory Mice", y=720, pitch=24, size=20)
        + lines("Ada Byron, Emil Post", y=660)
        + lines("Department of Zoology, Springfield University", y=640, size=10)
        + lines("Abstract", y=610)
        + lines("We show that mice sleep. Our results are new, and our data show it", "as previous studies did.", y=590)
        + lines(
            "1 Introduction",
            "Mice were seen by Smith et al. in Figure 1.",
            "References",
            "[1] A. Smith. Mice. Nature 1999.",
            y=540,
        )
    )
    doc = add_structure(load(make_pdf(page)))
    paper = paper_record(doc)
    assert " ".join(paper.title.text.split()) == "Sleep and Its Causes in Laboratory Mice"
    assert len(paper.title.boxes) == 2 and paper.title.source == "first page" and not paper.title.check
    assert [author.text for author in paper.authors] == ["Ada Byron", "Emil Post"]
    assert paper.doi is None


def test_entities_are_counted_with_their_short_forms() -> None:
    text = plain_paper("Ada Byron").replace("REM sleep was", "REM sleep, rapid eye movement, and leptin: leptin was")
    doc = document(text)
    found = [entity(doc, "leptin", "CHEMICAL", n) for n in range(2)]
    found += [entity(doc, "REM", "STATE", 1), entity(doc, "rapid eye movement", "STATE")]
    rem, leptin = sorted(paper_record(doc, found).entities, key=lambda each: each.label, reverse=True)
    assert (leptin.count, leptin.long_form, leptin.first.start) == (2, None, doc.text.index("leptin"))
    assert (rem.count, rem.long_form, set(rem.names)) == (2, "rapid eye movement", {"REM", "rapid eye movement"})


@pytest.mark.parametrize(
    "text, expected",
    [
        ("congestive heart failure (CHF)", {"CHF": "congestive heart failure"}),
        ("the BMP (bone morphogenetic protein) pathway", {"BMP": "bone morphogenetic protein"}),
        ("embryonic stem cells (ESCs)", {"ESCs": "embryonic stem cells"}),
        ("interleukin-2 (IL-2)", {"IL-2": "interleukin-2"}),
        ("head-related transfer function (HRTF; Fig. 2)", {"HRTF": "head-related transfer function"}),
        ("patients were young (Fig. 1) and well (N = 5)", {}),
        ("the left side (Left)", {}),
        ("It ended. The heart (CHF)", {}),
        ("polymerase chain reaction [PCR]", {"PCR": "polymerase chain reaction"}),
        ("non-structural protein 1 (NS1)", {"NS1": "non-structural protein 1"}),
        ("the World Bank (2019)", {}),
        ("with the tuberculin skin test (TST)", {"TST": "tuberculin skin test"}),
        ("İstanbul, İzmir magnetic resonance imaging (MRI)", {"MRI": "magnetic resonance imaging"}),
        (
            "SST (summed stress test) and a state-based sets (SBS)",
            {"SST": "summed stress test", "SBS": "state-based sets"},
        ),
    ],
)
def test_abbreviations(text: str, expected: dict[str, str]) -> None:
    assert {text[slice(*short)]: text[slice(*long)] for short, long in find_abbreviations(text)} == expected


@given(st.text(alphabet="aBc ()[].,\n-1é", max_size=80))
def test_abbreviations_of_any_text_are_in_it(text: str) -> None:
    for short, long in find_abbreviations(text):
        assert text[slice(*short)].strip() and text[slice(*long)].strip()
        assert long[1] <= short[0] or short[1] <= long[0]


# ---------------------------------------------------------------------------------------------------- what holds of all


@pytest.mark.parametrize("kind", ["paper", "note"])
def test_a_record_of_another_kind_is_refused(kind: Literal["paper", "note"]) -> None:
    contract = document(
        'LEASE AGREEMENT\nThis Agreement is made between A Ltd. ("Landlord") and B Ltd. ("Tenant").\n'
        "NOW, THEREFORE, the parties agree as follows.\nIN WITNESS WHEREOF, signed."
    )
    with pytest.raises(RecordError, match=r"it looks like a contract \(.+\); ask for the record 'contract'"):
        RECORDS[kind].make(contract, (), ())
    with pytest.raises(DocumentError, match="it looks like none of the kinds"):
        RECORDS[kind].make(document("Mix flour and eggs."), (), ())


def test_a_note_is_no_paper_and_a_paper_no_note() -> None:
    with pytest.raises(RecordError, match="looks like a clinical note"):
        paper_record(load(bundle()))
    with pytest.raises(RecordError, match="looks like a paper"):
        note_record(load(DATA / "plos_jats" / "journal.pmed.0040303.xml"))


def samples() -> list[tuple[Document, Note | Paper]]:
    with (DATA / "aci_bench" / "valid.csv").open(encoding="utf-8") as file:
        texts = [row["note"] for row in csv.DictReader(file)]
    docs = [document(text) for text in texts]
    docs += [load(bundle())]
    papers = [document(plain_paper("Ada Byron")), load(DATA / "plos_jats" / "journal.pmed.0040303.xml")]
    return [(doc, note_record(doc)) for doc in docs] + [(doc, paper_record(doc)) for doc in papers]


def test_cells_are_where_they_say_and_records_can_be_written() -> None:
    columns = {}
    for doc, record in samples():
        for cell in cells(record):
            assert cell.source and 0 <= cell.score <= 1
            assert doc.text[cell.start : cell.end] == cell.text or (
                cell.source == "metadata" and cell.start == cell.end
            )
        assert json.loads(json.dumps(record.to_dict()))
        row = record.to_row()
        assert columns.setdefault(type(record), list(row)) == list(row)
        table = csv.DictWriter(io.StringIO(), list(row))
        table.writerow(row)
        assert not any("\n" in str(value) for value in row.values())


@given(st.text(alphabet="aZ 0.,:;()\n\t-/•?mg", max_size=120))
def test_a_note_of_any_text_is_read(text: str) -> None:
    found = note_record(
        document(f"MEDICATIONS\n{text}\nALLERGIES\n{text}\nASSESSMENT\n{text}\nVITALS\n{text}\nPMH\n{text}")
    )
    assert all(cell.text for cell in cells(found))


def test_records_load_no_torch() -> None:
    code = "import sys, longdoc.records; assert not {'torch', 'transformers', 'spacy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(
    st.text("aAB-. 1_é", max_size=40),
    st.sets(st.text("aAB-. 1é", min_size=1, max_size=4).filter(lambda short: short[0].isalnum()), max_size=4),
)
def test_mentions_are_counted_as_one_expression_for_each_would(text: str, shorts: set[str]) -> None:
    expected = {short: len(re.findall(rf"(?<!\w){re.escape(short)}(?!\w)", text)) for short in shorts}
    counts = count_mentions(text, shorts)
    assert {short: counts[short] for short in shorts} == expected
