"""Coded entries of clinical records say what was negated, stopped, a limit or a range."""

import base64
import json

import pytest

from longdoc import Document
from longdoc.loaders import load
from longdoc.loaders.clinical import ccda_narrative
from longdoc.loaders.clinical import fhir as fhir_loader
from longdoc.summary import count

# --------------------------------------------------------------------------------------------------------------- C-CDA

NAMESPACES = 'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def section(*entries: str, narrative: str = "") -> Document:
    inner = "".join(f"<entry>{entry}</entry>" for entry in entries)
    body = f"<section><title>Data</title><text>{narrative}</text>{inner}</section>"
    component = f"<component><structuredBody><component>{body}</component></structuredBody></component>"
    return load(f"<ClinicalDocument {NAMESPACES}>{component}</ClinicalDocument>".encode())


def line(entry: str) -> str:
    return section(entry).text.removeprefix("Data\n\n")


def observation(inner: str, name: str = "Sodium") -> str:
    return f'<observation><code displayName="{name}"/>{inner}</observation>'


@pytest.mark.parametrize(
    "value, text",
    [
        ('<value xsi:type="IVL_PQ"><high value="0.01" unit="ng/mL" inclusive="false"/></value>', "<0.01 ng/mL"),
        ('<value xsi:type="IVL_PQ"><high value="0.01" unit="ng/mL"/></value>', "<=0.01 ng/mL"),
        ('<value xsi:type="IVL_PQ"><low value="5" inclusive="false"/></value>', ">5"),
        ('<value xsi:type="IVL_PQ"><low value="5" inclusive="true"/></value>', ">=5"),
        ('<value xsi:type="IVL_PQ"><low value="5"/><high nullFlavor="PINF"/></value>', ">=5"),
        ('<value xsi:type="IVL_PQ"><low value="1" unit="g"/><high value="2" unit="g"/></value>', "1-2 g"),
        ('<value xsi:type="IVL_INT"><low value="-2"/><high value="-1"/></value>', "-2 to -1"),
        ('<value xsi:type="IVL_PQ"><low value="500" unit="mg"/><high value="1" unit="g"/></value>', "500 mg to 1 g"),
        ('<value xsi:type="IVL_INT"><low value="1" inclusive="false"/><high value="5"/></value>', ">1 and <=5"),
        ('<value xsi:type="RTO"><numerator value="1"/><denominator value="128" unit="1"/></value>', "1:128"),
        (
            '<value xsi:type="RTO"><numerator value="5" unit="mg"/><denominator value="2" unit="mL"/></value>',
            "5 mg/2 mL",
        ),
        ('<value xsi:type="BL" value="false"/>', "no"),
        ('<value xsi:type="PQ" value="1.20" unit="1"/>', "1.20"),
        ('<value xsi:type="PQ" value="5" unit="mg"><translation value="5000" unit="ug"/></value>', "5 mg; 5000 ug"),
        ('<value xsi:type="ST">see <br/> report</value>', "see; report"),
    ],
)
def test_values_keep_their_limits(value: str, text: str) -> None:
    assert line(observation(value)) == f"Sodium; {text}"


@pytest.mark.parametrize(
    "time, text",
    [
        ('<low value="20200101"/><high value="20200301"/>', "from 2020-01-01 to 2020-03-01"),
        ('<low value="20200101"/><high nullFlavor="UNK"/>', "from 2020-01-01"),
        ('<low nullFlavor="UNK"/><high value="20200301"/>', "to 2020-03-01"),
        ('<low value="2020"/><width value="3" unit="wk"/>', "from 2020 for 3 wk"),
        ('<period value="12" unit="h"/>', "every 12 h"),
        ('<period><low value="4" unit="h"/><high value="6" unit="h"/></period>', "every 4-6 h"),
    ],
)
def test_start_and_stop_are_told_apart(time: str, text: str) -> None:
    assert line(observation(f"<effectiveTime>{time}</effectiveTime>")) == f"Sodium; {text}"
    assert line(observation(f'<value xsi:type="IVL_TS">{time}</value>')) == f"Sodium; {text}"


@pytest.mark.parametrize(
    "limits, text",
    [
        (
            '<value xsi:type="IVL_PQ"><low value="135" unit="mmol/L"/><high value="145" unit="mmol/L"/></value>',
            "(reference 135-145 mmol/L)",
        ),
        ('<value xsi:type="IVL_PQ"><high value="145" inclusive="false"/></value>', "(reference <145)"),
        ("<text>adults: 135 to 145</text>", "(reference adults: 135 to 145)"),
    ],
)  # fmt: skip
def test_reference_ranges_are_labelled(limits: str, text: str) -> None:
    reference = f"<referenceRange><observationRange>{limits}</observationRange></referenceRange>"
    assert line(observation(f'<value value="138" unit="mmol/L"/>{reference}')) == f"Sodium; 138 mmol/L; {text}"


def test_interpretations_are_stated():
    assert line(observation('<interpretationCode code="H"/>')) == "Sodium; High"
    assert line(observation('<interpretationCode code="HX" displayName="Above target"/>')) == "Sodium; Above target"
    assert line(observation('<interpretationCode code="QX"/>')) == "Sodium; interpretation QX"
    assert line(observation('<interpretationCode nullFlavor="NI"/>')) == "Sodium"


@pytest.mark.parametrize("status", ["aborted", "cancelled", "suspended", "held", "new"])
def test_a_status_follows_its_statement(status: str) -> None:
    assert line(observation(f'<statusCode code="{status}"/><value value="138"/>')) == f"Sodium; 138; {status}"


@pytest.mark.parametrize("status", ["completed", "active"])
def test_a_usual_status_goes_without_saying(status: str) -> None:
    assert line(observation(f'<statusCode code="{status}"/><value value="138"/>')) == "Sodium; 138"


def test_what_is_negated_ends_with_its_statement():
    absent = '<observation negationInd="{}"><value displayName="{}"/></observation>'
    drug = (
        '<substanceAdministration negationInd="true"><statusCode code="aborted"/><doseQuantity value="2.5" unit="mg"/>'
        '<consumable><code displayName="Warfarin"/></consumable></substanceAdministration>'
    )
    assert line(drug) == "no: 2.5 mg, Warfarin, aborted"
    parts = "".join(
        f"<component>{absent.format(*each)}</component>"
        for each in (("false", "Nausea"), ("true", "Nausea"), ("1", "Fever"), ("false", "Cough"))
    )
    assert line(f"<organizer>{parts}</organizer>") == "Nausea; no: Nausea; no: Fever; Cough"


def test_two_tests_may_have_the_same_value():
    tests = [observation('<value value="90" unit="mmHg"/><effectiveTime value="2020"/>', name) for name in ("A", "B")]
    parts = "".join(f"<component>{test}</component>" for test in tests)
    assert line(f"<organizer>{parts}</organizer>") == "A; 90 mmHg; 2020; B; 90 mmHg"


def test_beside_a_narrative_only_what_it_lacks_is_furniture():
    reference = '<referenceRange><value><low value="135"/><high value="145"/></value></referenceRange>'
    times = '<effectiveTime><low value="2020"/></effectiveTime>'
    entry = observation(f'<value value="138"/>{times}{reference}')
    assert section(entry, narrative="Sodium 138 (135-145) in 2020").furniture == ()
    negated = '<observation negationInd="true"><value displayName="Gout"/></observation>'
    assert [item.text for item in section(negated, narrative="Well.").furniture] == ["no: Gout"]


def test_warnings_about_entries_are_grammatical():
    entry = observation("")
    one, two = section(entry), section(entry, observation("", "Potassium"))
    assert one.warnings == ("section 'Data' has no narrative: its 1 coded entry is read instead",)
    assert two.warnings == ("section 'Data' has no narrative: its 2 coded entries are read instead",)
    assert (count(7, "coded entry"), count(1, "coded entry"), count(2, "key")) == (
        "7 coded entries",
        "1 coded entry",
        "2 keys",
    )


# ----------------------------------------------------------------------------------------------------------------- FHIR


def fhir(*resources: dict) -> Document:
    entries = [{"resource": resource} for resource in resources]
    return load(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())


NONE_KNOWN = {"coding": [{"code": "nilknown", "display": "Nil Known"}]}


@pytest.mark.parametrize(
    "reason, text",
    [
        ({**NONE_KNOWN, "text": "No known allergies"}, "No known allergies"),
        (NONE_KNOWN, "Nil Known"),
        ({"coding": [{"code": "nilknown"}]}, "nilknown"),
        ({"text": "Not asked"}, "Not asked"),
    ],
)
def test_why_a_section_is_empty_is_text(reason: dict, text: str) -> None:
    section = {"title": "Allergies", "emptyReason": reason}
    document = fhir({"resourceType": "Composition", "title": "CCD", "section": [section]})
    assert document.text == f"CCD\n\nAllergies\n\n{text}"
    narrated = {**section, "text": {"div": "<div>None.</div>"}}
    assert fhir({"resourceType": "Composition", "title": "CCD", "section": [narrated]}).text.endswith(
        "Allergies\n\nNone."
    )
    listed = fhir({"resourceType": "List", "title": "Allergies", "emptyReason": reason})
    assert listed.text.startswith(f"Allergies: {text}")


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"onsetAge": {"value": 52, "unit": "years"}}, "onset 52 years"),
        ({"onsetString": "in childhood"}, "onset in childhood"),
        ({"onsetRange": {"low": {"value": 40}, "high": {"value": 50, "unit": "a"}}}, "onset 40–50 a"),
        ({"onsetDateTime": "2001-02"}, "2001-02"),
        ({"onsetPeriod": {"start": "2001", "end": "2002"}}, "2001 to 2002"),
        ({"onsetDateTime": "2001", "abatementDateTime": "2003-04-05"}, "2001; abated 2003-04-05"),
        ({"abatementAge": {"value": 60, "unit": "years"}}, "abated 60 years"),
        ({"abatementString": "after surgery"}, "abated after surgery"),
        ({"abatementBoolean": True}, "abated"),
        ({"abatementBoolean": False}, "not abated"),
    ],
)
def test_onset_and_abatement_are_beside_the_condition(fields: dict, text: str) -> None:
    assert fhir({"resourceType": "Condition", "code": {"text": "Asthma"}, **fields}).text == f"Asthma: {text}"


def test_the_conditions_of_a_family_have_their_onset():
    conditions = [
        {"code": {"text": "Breast cancer"}, "onsetAge": {"value": 52, "unit": "years"}, "note": [{"text": "Cured."}]},
        {"code": {"text": "Gout"}, "outcome": {"text": "Death"}, "onsetString": "late"},
    ]
    mother = {"resourceType": "FamilyMemberHistory", "status": "partial", "relationship": {"text": "mother"}}
    document = fhir({**mother, "deceasedBoolean": True, "condition": conditions})
    assert document.text == ("mother: deceased; Breast cancer onset 52 years, Gout Death onset late; partial; Cured.")
    assert fhir({**mother, "deceasedAge": {"value": 70, "unit": "a"}}).text == "mother: deceased 70 a; partial"


@pytest.mark.parametrize(
    "resource, text",
    [
        ({"resourceType": "Communication", "status": "completed"}, "Called."),
        ({"resourceType": "Communication", "status": "not-done"}, "Called.: not-done"),
        ({"resourceType": "Task", "status": "final", "description": "Call"}, "Call: final; Called."),
        ({"resourceType": "Procedure", "status": "completed"}, "Called."),
        ({"resourceType": "Condition", "clinicalStatus": {"text": "Active"}}, "Called."),
    ],
)
def test_no_line_starts_with_a_status(resource: dict, text: str) -> None:
    assert fhir({**resource, "payload": [{"contentString": "Called."}]}).text == text


@pytest.mark.parametrize(
    "value, text",
    [
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1:128"),
        ({"valueRatio": {"numerator": {"value": 1, "code": "1"}, "denominator": {"value": 128, "unit": "1"}}}, "1:128"),
        (
            {"valueRatio": {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 2, "unit": "mL"}}},
            "5 mg/2 mL",
        ),
        ({"valueRatio": {"numerator": {"value": 1, "comparator": "<"}, "denominator": {"value": 8}}}, "<1:8"),
        ({"referenceRange": [{"high": {"value": 0.04, "unit": "ng/mL"}}]}, "up to 0.04 ng/mL"),
        ({"referenceRange": [{"low": {"value": 60}}]}, "from 60"),
        ({"effectivePeriod": {"end": "2020-03-01"}}, "until 2020-03-01"),
    ],
)
def test_ratios_and_ranges_with_one_end(value: dict, text: str) -> None:
    assert fhir({"resourceType": "Observation", "code": {"text": "Titer"}, **value}).text == f"Titer: {text}"


# ---------------------------------------------------------------------------------------------------------- attachments


def reference(content: bytes, media_type: str) -> dict:
    attachment = {"contentType": media_type, "data": base64.b64encode(content).decode()}
    return {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]}


def body(content: bytes, media_type: str) -> Document:
    data = base64.b64encode(content).decode()
    text = f"<text mediaType='{media_type}' representation='B64'>{data}</text>"
    root = f"<ClinicalDocument {NAMESPACES}><component><nonXMLBody>{text}</nonXMLBody></component></ClinicalDocument>"
    return load(root.encode())


@pytest.mark.parametrize(
    "charset, text",
    [
        ("iso-8859-1", "Señor García: 5 µg"),
        ("windows-1252", "“Señor” – 5 µg"),
        ("iso-8859-2", "Łódź, żółć"),
        ("koi8-r", "Боль в груди"),
        ("Shift_JIS", "胸の痛み"),
        ("utf-8", "Señor García"),
    ],
)
@pytest.mark.parametrize("form", ["text/plain; charset={}", 'text/plain;charset="{}"'])
def test_attachments_are_decoded_as_declared(charset: str, text: str, form: str) -> None:
    media_type, content = form.format(charset), text.encode(charset)
    alone = fhir(reference(content, media_type))
    assert (alone.text, alone.warnings) == (text, ())
    patient = {"resourceType": "Patient", "name": [{"text": "Jane"}]}
    beside = fhir(reference(content, media_type), patient)
    assert (beside.text, beside.warnings) == (f"{text}\n\nJane", ())
    clinical = body(content, media_type)
    assert (clinical.text, clinical.warnings) == (text, ())


def test_the_declaration_of_the_record_outweighs_that_of_html():
    page = "<html><head><meta charset='utf-8'></head><body><p>Łódź</p></body></html>".encode("iso-8859-2")
    document = fhir(reference(page, "text/html; charset=iso-8859-2"))
    assert (document.text, document.warnings) == ("Łódź", ())
    assert document.source.metadata["encoding"] == "iso8859-2"


def test_a_false_declaration_is_told():
    document = fhir(reference("Señor García, año".encode(), "text/plain; charset=iso-8859-1"))
    assert document.text == "Señor García, año"
    assert document.warnings == ("declares the encoding iso-8859-1, but is in UTF-8",)
    unknown = fhir(reference("Señor".encode("cp1252"), "text/plain; charset=x-none"))
    assert unknown.text == "Señor" and "not UTF-8" in unknown.warnings[0]


def test_warnings_about_attachments_are_short():
    page = reference(b"<p>Seen</p>", "text/html")
    rtf = reference(rb"{\rtf1 Seen}", "text/rtf")
    assert fhir(page, rtf).warnings == (
        "attachment (text/html): read as text only, without boxes and tables; load it by itself for those",
        "attachment (text/rtf): not read: an RTF file; save it as .docx",
    )


def calls_of(module, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first argument of each call of a function of a module from now on."""
    calls, function = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: calls.append(str(given[0])) or function(*given))
    return calls


def test_what_a_section_refers_to_repeatedly_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    observation = {"resourceType": "Observation", "id": "o", "code": {"text": "Pulse"}}
    section = {"title": "Vitals", "text": {"div": "<div>60</div>"}, "entry": [{"reference": "Observation/o"}] * 100}
    composition = {"resourceType": "Composition", "title": "Note", "section": [section]}
    calls = calls_of(fhir_loader, "contents_of", monkeypatch)
    entries = [{"resource": composition}, {"resource": observation}]
    document = load(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
    assert [item.text for item in document.furniture] == ["Pulse"]
    assert len(calls) < 10


def in_narrative(text: str) -> bytes:
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
        f'<text ID="m">{text}</text></section></component></structuredBody></component></ClinicalDocument>'
    ).encode()


@pytest.mark.parametrize("shown", ['<renderMultiMedia referencedObject="m"/>' * 100, "many at once"])
def test_what_is_shown_repeatedly_is_looked_up_once(shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if shown == "many at once":
        shown = f'<renderMultiMedia referencedObject="{"m " * 100}"/>' + "<br/>" * 100
    calls = calls_of(ccda_narrative, "attribute", monkeypatch)
    document = load(in_narrative(f"{shown}x"))
    assert document.warnings.count("a picture is not read: m") == 100
    assert len(calls) < 2_000


def test_escaped_markup_stays_in_its_place() -> None:
    text = "a<br/>b &lt;b>c&lt;/b> d &lt;i>e&lt;/i> f<br/>g &lt;u>h&lt;/u>&lt;b>i&lt;/b><br/>j"
    assert load(in_narrative(text)).text == "a\nb c d e f\ng hi\nj"
    assert load(in_narrative("k &lt;b>l&lt;/b> m &lt;i>n&lt;/i> o<br/>p")).text == "k l m n o\np"
