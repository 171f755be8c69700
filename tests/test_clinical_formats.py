import base64
import csv
import json
import random
import re
from pathlib import Path

import pytest

from longdoc.errors import CorruptDocumentError, LimitExceededError, LongdocError, NoTextLayerError
from longdoc.loaders import Limits, load
from pdfs import lines, make_pdf

DATA = Path(__file__).parent / "data" / "aci_bench" / "valid.csv"
NOTE = "CHIEF COMPLAINT\n\nShortness of breath.\n\nMEDICATIONS\n\nLasix 40 mg, one a day.\nLisinopril 10 mg."


def notes() -> list[str]:
    with DATA.open(encoding="utf-8", newline="") as rows:
        return [NOTE, *(row["note"] for row in csv.DictReader(rows))][:6]


def encoded(content: bytes | str) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def fhir(*resources, **bundle):
    record = resources[0]
    if len(resources) > 1 or bundle:
        entries = [{"fullUrl": f"urn:uuid:{r.get('id', number)}", "resource": r} for number, r in enumerate(resources)]
        record = {"resourceType": "Bundle", "type": "collection", "entry": entries, **bundle}
    return load(json.dumps(record, indent=1).encode())


def reference(content: bytes | str, kind: str = "text/plain", **more) -> dict:
    attachment = {"contentType": kind, "data": encoded(content)}
    return {"resourceType": "DocumentReference", "id": "d", "content": [{"attachment": attachment}], **more}


PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Doe", "given": ["Jane", "Q."]}],
    "gender": "female",
    "birthDate": "1970-02-03",
}
GLUCOSE = {
    "resourceType": "Observation",
    "id": "o1",
    "code": {"text": "Glucose"},
    "valueQuantity": {"value": 7.20, "unit": "mmol/L"},
    "interpretation": [{"coding": [{"code": "H", "display": "High"}]}],
    "effectiveDateTime": "2024-05-01",
}

# ----------------------------------------------------------------------------------------------------------------- FHIR


@pytest.mark.parametrize("note", notes(), ids=lambda note: str(len(note)))
def test_a_note_in_base64_is_complete(note: str) -> None:
    document = fhir(reference(note, subject={"display": "Jane Doe"}, date="2024-05-01", description="Progress note"))
    assert document.raw_text == note
    metadata = document.source.metadata
    assert (metadata["Patient"], metadata["Date"], metadata["Title"]) == ("Jane Doe", "2024-05-01", "Progress note")
    assert document.source.media_type == "application/fhir+json"


def test_several_notes_follow_one_another() -> None:
    texts = notes()
    document = fhir(*(reference(note, id=f"d{number}") for number, note in enumerate(texts)))
    assert document.text.split() == " ".join(texts).split()


def test_an_attached_pdf_keeps_its_boxes() -> None:
    document = fhir(reference(make_pdf(lines("Discharge summary")), "application/pdf"))
    assert document.text == "Discharge summary" and document.locate(0, 9)
    both = fhir(reference(make_pdf(lines("Discharge summary")), "application/pdf"), PATIENT)
    assert "Discharge summary" in both.text and not both.locate(0, 9)
    assert any("boxes" in warning for warning in both.warnings)


def test_an_attachment_is_read_with_the_options_of_its_record() -> None:
    texts = ["The patient was seen at noon.", "She slept well.", "No fever in the morning."]
    pages = [lines(text) + lines(f"Page {number}", y=30) for number, text in enumerate(texts, 1)]
    record = json.dumps(reference(make_pdf(*pages), "application/pdf")).encode()
    document, kept = load(record), load(record, keep_furniture=True)
    assert [item.text for item in document.furniture] == ["Page 1", "Page 2", "Page 3"]
    assert "Page 1" not in document.text and "Page 1" in kept.text


def test_html_and_binary_attachments() -> None:
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": encoded(NOTE)}
    pointing = {"resourceType": "DocumentReference", "content": [{"attachment": {"url": "Binary/b"}}]}
    assert fhir(reference("<html><body><p>Seen</p><p>at noon</p></body></html>")).text == "Seen\n\nat noon"
    assert fhir(binary).raw_text == NOTE
    assert fhir(pointing, binary).text == NOTE


def test_linked_documents_are_named_and_not_fetched() -> None:
    far = {"contentType": "application/pdf", "url": "https://far.example/a.pdf", "title": "Scan"}
    document = fhir({"resourceType": "DocumentReference", "description": "Old scan", "content": [{"attachment": far}]})
    assert document.text == "Old scan"
    assert document.warnings == ("Scan: not fetched: https://far.example/a.pdf",)


def composition() -> dict:
    table = "<table><tr><th>Drug</th><th>Dose</th></tr><tr><td>Lasix</td><td>40&nbsp;mg</td></tr></table>"
    return {
        "resourceType": "Composition",
        "id": "c",
        "title": "Discharge summary",
        "date": "2024-05-02",
        "author": [{"display": "Dr. Roe"}],
        "section": [
            {
                "title": "Medications",
                "code": {"coding": [{"system": "http://loinc.org", "code": "10160-0"}]},
                "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{table}</div>'},
                "entry": [{"reference": "MedicationStatement/m1"}],
            },
            {
                "title": "Findings",
                "section": [
                    {
                        "title": "Laboratory",
                        "code": {"coding": [{"code": "30954-2"}]},
                        "entry": [{"reference": "urn:uuid:o1"}],
                    }
                ],
            },
        ],
    }


def test_a_document_bundle_is_a_tree_of_sections() -> None:
    statement = {"resourceType": "MedicationStatement", "id": "m1", "medicationCodeableConcept": {"text": "Lasix"}}
    document = fhir(composition(), GLUCOSE, statement, type="document")
    assert document.text == (
        "Discharge summary\n\nMedications\n\nDrug\tDose\nLasix\t40 mg\n\nFindings\n\nLaboratory\n\n"
        "Glucose: 7.2 mmol/L; High; 2024-05-01"
    )
    found = [(section.title, section.kind, section.level) for section in document.sections]
    assert found == [("Medications", "medications", 1), ("Findings", "section", 1), ("Laboratory", "results", 2)]
    assert [cell.text for cell in document.tables[0].cells] == ["Drug", "Dose", "Lasix", "40 mg"]
    assert document.source.metadata["Author"] == "Dr. Roe"


def test_a_report_with_results_and_conclusion() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "code": {"text": "Blood panel"},
        "result": [{"reference": "Observation/o1"}],
        "conclusion": "Diabetes is likely.",
        "presentedForm": [{"contentType": "text/plain", "data": encoded("Signed by Dr. Roe.")}],
    }
    document = fhir(report, GLUCOSE, PATIENT)
    assert document.text == (
        "Blood panel\nGlucose: 7.2 mmol/L; High; 2024-05-01\nDiabetes is likely.\n\nSigned by Dr. Roe.\n\n"
        "Jane Q. Doe: female; 1970-02-03"
    )
    assert document.source.metadata["Patient"] == "Jane Q. Doe"
    assert ";" not in document.raw_text and ":" not in document.raw_text


@pytest.mark.parametrize(
    "resource, text",
    [
        ({"resourceType": "Condition", "code": {"text": "Asthma"}, "onsetDateTime": "2001"}, "Asthma: 2001"),
        (
            {
                "resourceType": "MedicationRequest",
                "medicationCodeableConcept": {"coding": [{"display": "Ibuprofen 200 mg"}]},
                "dosageInstruction": [{"text": "one a day"}],
                "status": "active",
            },
            "Ibuprofen 200 mg: one a day; active",
        ),
        (
            {
                "resourceType": "AllergyIntolerance",
                "code": {"text": "Penicillin"},
                "reaction": [{"manifestation": [{"text": "Hives"}], "severity": "mild"}],
            },
            "Penicillin: Hives mild",
        ),
        ({"resourceType": "Immunization", "vaccineCode": {"text": "MMR"}, "status": "completed"}, "MMR: completed"),
        (
            {
                "resourceType": "Observation",
                "code": {"text": "Blood pressure"},
                "component": [
                    {"code": {"text": "systolic"}, "valueQuantity": {"value": 120, "unit": "mmHg"}},
                    {"code": {"text": "diastolic"}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
                ],
            },
            "Blood pressure: systolic 120 mmHg, diastolic 80 mmHg",
        ),
        (
            {
                "resourceType": "Procedure",
                "code": {"text": "Biopsy"},
                "performedPeriod": {"start": "2020-01-01", "end": "2020-01-02"},
            },
            "Biopsy: 2020-01-01 to 2020-01-02",
        ),
        (
            {
                "resourceType": "Encounter",
                "text": {"status": "additional", "div": "<div><p>Seen at <b>noon</b></p></div>"},
            },
            "Seen at noon",
        ),
    ],
    ids=lambda value: value.get("resourceType") if isinstance(value, dict) else "",
)
def test_a_resource_on_one_line(resource: dict, text: str) -> None:
    assert fhir(resource).text == text


def test_numbers_are_kept_as_written() -> None:
    data = json.dumps(GLUCOSE).replace("7.2", "7.200").encode()
    assert load(data).text.startswith("Glucose: 7.200 mmol/L")


def test_ids_of_contained_resources_are_local_to_their_resource() -> None:
    orders = [
        {
            "resourceType": "MedicationRequest",
            "medicationReference": {"reference": "#med"},
            "contained": [{"resourceType": "Medication", "id": "med", "code": {"text": drug}}],
        }
        for drug in ("Amoxicillin", "Warfarin")
    ]
    assert fhir(*orders).text == "Amoxicillin\nWarfarin"


def test_all_readable_fields_of_an_unlisted_resource_type_are_text() -> None:
    plan = {"resourceType": "CarePlan", "title": "Weight", "activity": [{"detail": {"description": "Walk daily"}}]}
    assert fhir(plan).text == "Weight: Walk daily"


def test_one_resource_per_line() -> None:
    assert load(f"{json.dumps(PATIENT)}\n{json.dumps(GLUCOSE)}\n".encode()).text.count("\n") == 1


@pytest.mark.parametrize(
    "data",
    [
        '{"resourceType": "Observation", ',
        '{"resourceType": "Observation", "resourceType": "Patient"}',
        '{"resourceType": NaN}',
        '{"resourceType": "Bundle", "entry": [{"resource": {"id": "resourceType"}}]}',
        '[{"resourceType": 1}]',
        '{"resourceType": "Binary", "data": "?"}',
        '{"resourceType": "Observation", "a": "\xff"}'.encode("latin-1"),
    ],
)
def test_broken_json_is_corrupt(data: str | bytes) -> None:
    with pytest.raises(CorruptDocumentError):
        load(data if isinstance(data, bytes) else data.encode())


def test_expanding_input_is_refused() -> None:
    deep = '{"resourceType": "Basic", "a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    with pytest.raises(LimitExceededError, match="depth"):
        load(deep.encode())
    with pytest.raises(LimitExceededError, match="nested deeper"):
        load(deep.encode(), limits=Limits(depth=1_000_000))
    with pytest.raises(LimitExceededError, match="unpacked"):
        load(json.dumps(reference(NOTE)).encode(), limits=Limits(unpacked_bytes=20))
    matryoshka = json.dumps(reference(NOTE))
    for _ in range(12):
        matryoshka = json.dumps(reference(matryoshka))
    with pytest.raises(LimitExceededError, match="depth"):
        load(matryoshka.encode())


def test_circular_references_terminate() -> None:
    one = {"resourceType": "DiagnosticReport", "id": "a", "code": {"text": "A"}, "result": [{"reference": "#b"}]}
    other = {"resourceType": "DiagnosticReport", "id": "b", "code": {"text": "B"}, "result": [{"reference": "#a"}]}
    one["contained"] = [other, dict(one)]
    assert fhir(one).text.split()[:2] == ["A", "B"]


# --------------------------------------------------------------------------------------------------------------- C-CDA


def ccda(body: str) -> bytes:
    return (
        '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<id root="1.2.3"/><code code="34133-9" displayName="Summary of episode note"/>'
        "<title>Continuity of care</title>"
        '<effectiveTime value="20140501103000-0500"/>'
        "<recordTarget><patientRole><addr><city>Beaverton</city></addr><patient>"
        "<name><given>Jane</given><family>Doe</family></name>"
        '<administrativeGenderCode code="F" displayName="Female"/><birthTime value="19700203"/></patient></patientRole>'
        "</recordTarget><author><assignedAuthor><assignedPerson><name><given>Richard</given><family>Roe</family></name>"
        f"</assignedPerson></assignedAuthor></author><component>{body}</component></ClinicalDocument>"
    ).encode()


def section(title: str, code: str, inner: str) -> str:
    return f'<component><section><code code="{code}"/><title>{title}</title>{inner}</section></component>'


TABLE = (
    "<table><caption>Active</caption><thead><tr><th>Drug</th><th colspan='2'>Dose</th></tr></thead><tbody><tr>"
    "<td rowspan='2'><content ID='m1'>Lasix</content></td><td>40</td><td>mg</td></tr><tr><td>20</td>"
    "<td>mg<br/>daily</td></tr></tbody></table>"
)
ENTRY = (
    '<entry><observation><code displayName="Hemoglobin"/><effectiveTime value="20120307"/>'
    '<value xsi:type="PQ" value="13.2" unit="g/dL"/></observation></entry>'
)


def test_narrative_and_header_of_a_clinical_document() -> None:
    body = (
        section("Medications", "10160-0", f"<text>{TABLE}</text>{ENTRY}")
        + section(
            "Plan",
            "18776-5",
            "<text><paragraph>H<sub>2</sub>O.<footnote>Note.</footnote></paragraph><list listType='ordered'>"
            "<item>Walk</item><item><content>Rest</content></item></list></text>"
            + section("Diet", "61144-2", "<text>No salt</text>"),
        )
        + section("Results", "30954-2", ENTRY)
    )
    document = load(ccda(f"<structuredBody>{body}</structuredBody>"))
    assert document.text == (
        "Continuity of care\n\nMedications\n\nActive\nDrug\tDose\nLasix\t40\tmg\n20\tmg\ndaily\n\nPlan\n\n"
        "H2O. Note.\n\n1. Walk\n2. Rest\n\nDiet\n\nNo salt\n\nResults\n\nHemoglobin; 2012-03-07; 13.2 g/dL"
    )
    found = [(s.title, s.kind, s.level) for s in document.sections]
    assert found[:3] == [("Medications", "medications", 1), ("Plan", "plan", 1), ("Diet", "diet", 2)]
    spans = [(c.text, c.row, c.column, c.row_span, c.column_span) for c in document.tables[0].cells]
    assert spans[1:4] == [("Dose", 0, 1, 1, 2), ("Lasix", 1, 0, 2, 1), ("40", 1, 1, 1, 1)]
    metadata = document.source.metadata
    assert (metadata["Patient"], metadata["Author"], metadata["Date"]) == ("Jane Doe", "Richard Roe", "2014-05-01")
    assert (metadata["Birth date"], metadata["Gender"]) == ("1970-02-03", "Female")
    assert "Beaverton" in metadata["Patient record"]
    assert document.warnings == ("section 'Results' has no narrative: its 1 coded entry is read instead",)


@pytest.mark.parametrize("note", notes(), ids=lambda note: str(len(note)))
def test_every_word_of_a_narrative_is_there_in_order(note: str) -> None:
    paragraphs = "".join(
        f"<paragraph>{part.replace('&', '&amp;').replace('<', '&lt;')}</paragraph>" for part in note.split("\n\n")
    )
    document = load(
        ccda(f"<structuredBody>{section('Note', '34117-2', f'<text>{paragraphs}</text>')}</structuredBody>")
    )
    assert document.text.split() == ["Continuity", "of", "care", "Note", *note.split()]


def test_a_body_that_is_an_attachment() -> None:
    body = '<nonXMLBody><text mediaType="application/pdf" representation="B64">{}</text></nonXMLBody>'
    document = load(ccda(body.format(encoded(make_pdf(lines("Discharge summary"))))))
    assert document.text == "Discharge summary" and document.locate(0, 9)
    assert document.source.metadata["Patient"] == "Jane Doe"
    assert load(ccda("<nonXMLBody><text>Plain\nnote</text></nonXMLBody>")).text == "Continuity of care\n\nPlain\nnote"
    with pytest.raises(CorruptDocumentError, match="base64"):
        load(ccda(body.format("%%%")))


def test_a_clinical_document_within_a_record() -> None:
    inner = ccda(f"<structuredBody>{section('Plan', '18776-5', '<text>Walk</text>')}</structuredBody>")
    document = fhir(reference(inner, "application/xml"))
    assert document.text == "Continuity of care\n\nPlan\n\nWalk"
    assert [section.kind for section in document.sections] == ["plan"]


def test_a_record_without_text() -> None:
    with pytest.raises(NoTextLayerError):
        fhir({"resourceType": "Basic", "id": "x"})


def seeds() -> list[bytes]:
    report = {"resourceType": "DiagnosticReport", "conclusion": "Fine.", "contained": [GLUCOSE]}
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": r} for r in (composition(), GLUCOSE, PATIENT, report, reference(NOTE))],
    }
    paper = b"<article><front><article-meta><title-group><article-title>T</article-title></title-group></article-meta>"
    paper += (
        b"</front><body><sec><title>A</title><p>b<fn><p>c</p></fn></p>" + TABLE.encode() + b"</sec></body></article>"
    )
    return [
        json.dumps(bundle).encode(),
        ccda(f"<structuredBody>{section('Plan', '18776-5', f'<text>{TABLE}</text>')}</structuredBody>"),
        paper,
    ]


def test_damaged_files_are_documents_or_typed_errors() -> None:
    chance, loaded = random.Random(0), 0
    for seed in seeds() * 100:
        data = bytearray(seed)
        for _ in range(chance.randrange(1, 4)):
            start = chance.randrange(len(data))
            end = min(start + chance.choice((1, 1, 5, 40)), len(data))
            pieces = [data[end:], b"", bytes(chance.randrange(256) for _ in range(2)), data[start:end] * 3]
            if chance.random() < 0.4:  # an element or a value in place of another
                tokens = re.findall(rb"<[^>]*>|\"[^\"]*\"|[\[\]{}]", seed)
                pieces = [chance.choice(tokens)]
            data[start:end] = chance.choice(pieces)
        try:
            loaded += bool(load(bytes(data)).text)
        except LongdocError:
            continue
    assert loaded > 20


def test_entries_covered_by_a_narrative_are_furniture():
    observation = {"resourceType": "Observation", "id": "o", "code": {"text": "Hb"}, "valueString": "9.9 CRITICAL"}
    div = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">see list</div>'}
    section = {"title": "Results", "text": div, "entry": [{"reference": "Observation/o"}]}
    composition = {"resourceType": "Composition", "title": "Note", "section": [section]}
    entries = [{"resource": composition}, {"resource": observation}]
    document = load(json.dumps({"resourceType": "Bundle", "type": "document", "entry": entries}).encode())
    assert "CRITICAL" not in document.text
    assert any("CRITICAL" in item.text for item in document.furniture)
    report = {"resourceType": "DiagnosticReport", "conclusion": "Severe anaemia.", "text": div}
    assert "Severe anaemia." in load(json.dumps(report).encode()).text
