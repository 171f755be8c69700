"""Values in clinical records keep their bounds, signs and units, and broken narratives keep their words."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc import Document
from longdoc.errors import LimitExceededError
from longdoc.loaders import Limits, load
from longdoc.loaders.clinical.words import Words


def fhir(*resources: dict) -> Document:
    return load(json.dumps(resources).encode())


def coded(document: Document) -> str:
    return " ".join(item.text for item in document.furniture if item.kind == "coded entry")


def narrated(div: str, **more: object) -> Document:
    return fhir({"resourceType": "Observation", "text": {"status": "generated", "div": div}, **more})


FIVE = {"value": 5, "unit": "mg"}
TEN = {"value": 10, "unit": "mg"}


@pytest.mark.parametrize(
    "value, text",
    [
        ({"valueRange": {"high": FIVE}}, "up to 5 mg"),
        ({"valueRange": {"low": FIVE}}, "from 5 mg"),
        ({"valueRange": {"low": FIVE, "high": TEN}}, "5 mg–10 mg"),
        ({"valueRatio": {"numerator": FIVE}}, "5 mg"),
        ({"valueRatio": {"denominator": FIVE}}, "per 5 mg"),
        ({"valueRatio": {"numerator": FIVE, "denominator": {"value": 2, "unit": "mL"}}}, "5 mg/2 mL"),
        ({"valuePeriod": {"start": "2010-01-01"}}, "since 2010-01-01"),
        ({"valuePeriod": {"end": "2010-01-01"}}, "until 2010-01-01"),
        ({"valuePeriod": {"start": "2009", "end": "2010"}}, "2009 to 2010"),
        ({"valueQuantity": {"value": 7, "comparator": "<", "unit": "%"}}, "<7 %"),
    ],
)
def test_a_bound_does_not_read_as_the_value(value: dict, text: str) -> None:
    document = fhir({"resourceType": "Observation", "code": {"text": "Pain"}, **value})
    assert document.text == f"Pain: {text}"


def test_the_end_of_an_onset_and_the_bound_of_a_dose() -> None:
    onset = {"resourceType": "Condition", "code": {"text": "Asthma"}, "onsetPeriod": {"end": "2010-01-01"}}
    dose = {"doseAndRate": [{"doseRange": {"high": FIVE}}], "route": {"text": "oral"}}
    taken = {"resourceType": "MedicationRequest", "medicationReference": {"display": "A"}, "dosageInstruction": [dose]}
    assert fhir(onset, taken).text == "Asthma: onset until 2010-01-01\nA: up to 5 mg oral"


def test_how_often_and_how_far_apart_keep_their_upper_bounds() -> None:
    repeat = {"frequency": 1, "frequencyMax": 2, "period": 4, "periodMax": 6, "periodUnit": "h"}
    dose = {"timing": {"repeat": repeat}, "route": {"text": "oral"}}
    taken = {"resourceType": "MedicationRequest", "medicationReference": {"display": "A"}, "dosageInstruction": [dose]}
    assert fhir(taken).text == "A: oral 1–2 per 4–6 h"


@pytest.mark.parametrize(
    "narrative, value, is_covered",
    [
        ("Base excess 3", "-3", False),
        ("Base excess −3", "-3", True),
        ("Base excess (-3.5)", "-3.5", True),
        ("Base excess: 3.5", "-3.5", False),
        ("Base excess -3", "3", False),
        ("K<3", "3", False),
        ("K<3", "<3", True),
        ("K < 3", "<3", True),
        ("K >= 3", "≥3", True),
        ("K > 3", "≥3", False),
        ("HbA1c 7 mmol", "7 %", False),
        ("HbA1c 7%", "7 %", True),
        ("Range 3.5-5.0", "5.0", True),
        ("Range 3.5 – 5.0", "5.0", True),
        ("Dose 2.5 mg", "5 mg", False),
        ("Dose 1.25", "1", False),
        ("Seen 2010-01-05.", "2010-01-05", True),
        ("Protein 2", "2+", False),
        ("Protein 2+, blood", "2+", True),
        ("Protein found", "++", False),
        ("Protein ++", "++", True),
        ("COVID-19", "19", True),
        ("Seen at noon.Then home", "then home", True),
        ("Dose .5 mg", "5 mg", False),
        ("<" * 100_000 + "+" * 100_000, "5 mg", False),
        ("Nothing", "", True),
        ("Nothing", ";", True),
    ],
)
def test_signs_and_decimals_are_part_of_a_number(narrative: str, value: str, is_covered: bool) -> None:
    assert (value in Words([narrative])) is is_covered


def test_quantities_that_a_narrative_lacks_are_furniture_as_a_whole() -> None:
    quantity = {"value": -3, "comparator": "<", "unit": "mmol/L", "code": "mmol/L"}
    document = narrated("<div>Base excess 3</div>", valueQuantity=quantity)
    assert document.text == "Base excess 3" and coded(document).strip() == "<-3 mmol/L"
    goal = {"resourceType": "Goal", "description": {"text": "HbA1c"}}
    document = fhir({**goal, "target": [{"detailQuantity": {"value": 7, "comparator": "<", "unit": "%"}}]})
    assert document.text == "HbA1c" and coded(document).strip() == "<7 %"
    document = narrated("<div>Glucose &lt; 7 mmol/L</div>", valueQuantity={**quantity, "value": 7})
    assert coded(document) == ""


@pytest.mark.parametrize("binary_first", [True, False])
def test_an_attachment_is_written_once(binary_first: bool) -> None:
    data = base64.b64encode(b"Seen at noon.").decode()
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
    attachment = {"contentType": "text/plain", "url": "Binary/b"}
    note = {"resourceType": "DocumentReference", "description": "Note", "content": [{"attachment": attachment}]}
    document = fhir(*([binary, note] if binary_first else [note, binary]), {**note, "description": "Copy"})
    assert document.text.count("Seen at noon.") == 1 and "Note" in document.text and "Copy" in document.text


@pytest.mark.parametrize(
    "div, text",
    [
        ("<div>K<3 and Na<b then <br> x<y or more. Stop</div>", "K<3 and Na<b then\nx<y or more. Stop"),
        ("<div>pH <i>was<i> 7, BP <p class='a'>low & <p>flat</div>", "pH was 7, BP\n\nlow &\n\nflat"),
        ("<div>a <b and c> d<br>e</div>", "a <b and c> d\ne"),
        ("<div>a <!-- never closed<br>b</div>", "a <!-- never closed\nb"),
        ("<div>a <!-- note -->b<br>c</div>", "a b\nc"),
        ("<div>by <doctor@example.org><br>c</div>", "by <doctor@example.org>\nc"),
        ("<div><![CDATA[x<5]]><br>c</div>", "x<5\nc"),
        ("<div><o:p>a</o:p><br>c</div>", "a\nc"),
        ('<div>a <a href="x<y">b</a><br>c</div>', "a b\nc"),
        ("<div>a</HTML ><br>b</html>c</div>", "a\nbc"),
    ],
)
def test_a_narrative_that_is_not_well_formed_keeps_its_words(div: str, text: str) -> None:
    document = narrated(div)
    assert document.text == text
    assert [warning for warning in document.warnings if "a narrative is not well formed" in warning]


def test_a_well_formed_narrative_is_not_warned_of() -> None:
    document = narrated("<div>K &lt; 3<br/>a &nbsp; b</div>")
    assert document.text == "K < 3\na b" and document.warnings == ()


def test_a_long_or_deep_narrative_is_whole_or_refused() -> None:
    assert narrated("<div>K<3" + "<b>" * 90 + "deep</div>").text == "K<3deep"
    with pytest.raises(LimitExceededError):
        narrated("<div>K<3" + "<b>" * 3000 + "deep</div>")
    assert narrated("<div><br>" + "<!--" * 100_000 + "end</div>").text.endswith("<!--end")


def ccda(text: str, more: str = "") -> Document:
    section = f"<section><title>Plan</title><text>{text}</text>{more}</section>"
    body = f"<component><structuredBody><component>{section}</component></structuredBody></component>"
    return load(f'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title>{body}</ClinicalDocument>'.encode())


def test_broken_markup_in_a_clinical_document_keeps_its_words() -> None:
    document = ccda("<![CDATA[<p>K<3 and Na<b then <br> x<y or more. Stop]]>")
    assert document.text.endswith("K<3 and Na<b then\nx<y or more. Stop")
    assert len(document.warnings) == 1 and "not well formed" in document.warnings[0]


def test_a_narrative_that_is_only_a_picture_is_named() -> None:
    value = '<value mediaType="image/png" representation="B64">AAAA</value>'
    entry = f'<entry><observationMedia ID="MM1">{value}</observationMedia></entry>'
    assert ccda('<renderMultiMedia referencedObject="MM1"/>', entry).warnings == (
        "a picture is not read: MM1 (image/png)",
    )
    assert ccda('<content><img src="a.png"/></content>').warnings == ("not read: 1 picture in narratives",)
    document = narrated('<div><img src="a.png" alt="Rash"/></div>', code={"text": "Skin"})
    assert document.text == "Rash\n\nSkin" and document.warnings == ("not read: 1 picture in narratives",)


def test_json_nested_deeper_than_python_allows_is_refused() -> None:
    deep = '{"resourceType": "Patient", "a": ' + "[" * 30_000 + "]" * 30_000 + "}"
    for data in (deep, '{"resourceType": "Patient"}\n' + deep):
        with pytest.raises(LimitExceededError, match="deeper than Python"):
            load(data.encode(), limits=Limits(depth=100_000))


@given(st.lists(st.text("ab ", max_size=12), max_size=5), st.text("ab ", max_size=8))
def test_words_are_in_others_where_they_stand_next_to_one_another(texts, text):
    everything = f" {' '.join(' '.join(texts).split())} "
    assert (text in Words(texts)) is (not text.strip() or f" {' '.join(text.split())} " in everything)
