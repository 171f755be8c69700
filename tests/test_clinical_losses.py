"""Nothing in a clinical record is lost in silence: it is in the text, in the furniture, or named in a warning."""

import base64
import json
import zlib

import pytest

from longdoc import Document
from longdoc.errors import CorruptDocumentError, LimitExceededError, UnsupportedFormatError
from longdoc.loaders import Limits, load
from pdfs import lines, make_pdf


def furniture(document: Document, kind: str) -> list[str]:
    return [item.text for item in document.furniture if item.kind == kind]


def encoded(content: bytes | str) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def kept(document: Document) -> str:
    """All that is told of a document: text, furniture and warnings."""
    return "\n".join([document.text, *(item.text for item in document.furniture), *document.warnings])


# --------------------------------------------------------------------------------------------------------------- C-CDA


def ccda(*bodies: str, header: str = "") -> Document:
    components = "".join(f"<component>{body}</component>" for body in bodies)
    root = f'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title>{header}{components}</ClinicalDocument>'
    return load(root.encode())


def narrative(text: str, inner: str = "") -> Document:
    section = f"<section><title>Plan</title><text>{text}</text>{inner}</section>"
    return ccda(f"<structuredBody><component>{section}</component></structuredBody>")


def written(text: str) -> str:
    """The text of a narrative."""
    return narrative(text).text.removeprefix("Note\n\nPlan").strip()


@pytest.mark.parametrize(
    "markup, text",
    [
        ("<content>Seen<br/>at noon</content>", "Seen\nat noon"),
        ("Seen.<br/>At noon", "Seen.\nAt noon"),
        ("<p>Seen</p><p>at <b>noon</b></p>", "Seen\n\nat noon"),
        ("<ul><li>Walk</li><li>Rest</li></ul>", "• Walk\n• Rest"),
        ("<table><tr><td>Lasix</td><td>40 mg</td></tr></table>", "Lasix\t40 mg"),
        ("<paragraph>BP &lt; 120 &amp; stable</paragraph>", "BP < 120 & stable"),
        ("<content>unclosed <br> BP < 120", "unclosed\nBP < 120"),
        ("<html><head><style>p {}</style></head><body><p>Seen</p></body></html>", "Seen"),
        ("BP < 120 and > 80, <5 mg, a<b", "BP < 120 and > 80, <5 mg, a<b"),
        ("<doctor@example.org> wrote", "<doctor@example.org> wrote"),
        ("<pre>Na 140\nK  4.1</pre>", "Na 140\nK  4.1"),
        ("Seen at noon.\n\nPLAN\nWalk", "Seen at noon.\n\nPLAN\nWalk"),
        ("Seen at\n      noon", "Seen at noon"),
        ("<P>Seen</P><BR/>at&nbsp;noon", "Seen\n\nat noon"),
        ("<!DOCTYPE html><html><body>Seen</body></html>", "Seen"),
        ("x<sup>2</sup> and 10<sup>6</sup>/l", "x^2 and 10^6/l"),
    ],
)
@pytest.mark.parametrize("form", ["CDATA", "escaped", "in a paragraph"])
def test_markup_that_a_sender_wrote_as_text_is_parsed(markup: str, text: str, form: str) -> None:
    escaped = markup.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    wrapped = {
        "CDATA": f"<![CDATA[{markup}]]>",
        "escaped": escaped,
        "in a paragraph": f"<paragraph>Before. <content/><![CDATA[{markup}]]></paragraph>",
    }[form]
    found = written(wrapped)
    assert found == text or found.split() == ["Before.", *text.split()]
    if form != "in a paragraph":
        assert found == text.replace("\xa0", " ")


@pytest.mark.parametrize(
    "markup, text, deleted",
    [
        (
            'BP <content revised="delete">180/100</content><content revised="insert">120/80</content>.',
            "BP 120/80.",
            "180/100",
        ),
        ('<paragraph>Stop.</paragraph><paragraph revised="delete">Go <b>on</b>.</paragraph>', "Stop.", "Go on."),
        ('<list><item>a</item><item revised="delete">b</item></list>', "• a", "b"),
        ("dose <del>5</del> 10 mg", "dose 10 mg", "5"),
        ("dose <s>5</s> 10 mg", "dose 10 mg", "5"),
        ('dose <content styleCode="Bold xStrike">5</content> 10 mg', "dose 10 mg", "5"),
        ('<table><tr><td>a</td><td revised="delete">b</td><td>c</td></tr></table>', "a\tc", "b"),
        ('<table><tr><td>a</td></tr><tr revised="delete"><td>b</td><td>c</td></tr></table>', "a", "b c"),
        ('<![CDATA[dose <content revised="delete">5</content> 10 mg]]>', "dose 10 mg", "5"),
    ],
)
def test_what_was_struck_out_is_furniture(markup: str, text: str, deleted: str) -> None:
    document = narrative(markup)
    assert written(markup) == text
    assert furniture(document, "deleted") == [deleted]
    assert deleted in document.raw_text


def test_a_cell_left_out_keeps_its_column():
    table = narrative('<table><tr><td>a</td><td revised="delete">b</td><td>c</td></tr></table>').tables[0]
    assert [(cell.text, cell.column) for cell in table.cells] == [("a", 0), ("", 1), ("c", 2)]


@pytest.mark.parametrize(
    "markup, text",
    [
        ("<item><caption>Take:</caption>one tablet</item><item>rest</item>", "1. Take: one tablet\n2. rest"),
        ("<item>\n  <caption>Take:</caption>\n  one tablet</item>", "1. Take: one tablet"),
        ("<item><paragraph>one</paragraph><paragraph>two</paragraph></item>", "1. one\n\ntwo"),
        ("<item><content>one</content> tablet</item>", "1. one tablet"),
        ("<item>\n<paragraph><caption>Take:</caption> one</paragraph></item>", "1. Take: one"),
        ("<item><br/>one</item>", "1. one"),
        ("<item>one<list><item>two</item><item/></list></item>", "1. one\n• two"),
    ],
)
def test_the_text_of_an_item_is_on_the_line_of_its_number(markup: str, text: str) -> None:
    assert written(f'<list listType="ordered">{markup}</list>') == text


@pytest.mark.parametrize(
    "style, marks", [("LittleAlpha", "ab"), ("BigRoman Bold", ("I", "II")), ("Arabic", "12"), ("", "12")]
)
def test_lists_are_numbered_in_their_style(style: str, marks: str) -> None:
    found = written(f'<list listType="ordered" styleCode="{style}"><item>x</item><item>y</item></list>')
    assert found == f"{marks[0]}. x\n{marks[1]}. y"


@pytest.mark.parametrize(
    "markup, text",
    [
        ("H<sub>2</sub>O, 10<sup>6</sup>/l", "H2O, 10^6/l"),
        ("5.4 x 10<sup>-3</sup> mg/m<sup>2</sup>", "5.4 x 10^-3 mg/m^2"),
        ("in 1,000<sup>2</sup> cases", "in 1,000[2] cases"),
        ("the 1<sup>st</sup> day", "the 1st day"),
        ("<content>10</content><sup>9</sup>", "10^9"),
        ('Hb 9.9<sup><linkHtml href="#n">3</linkHtml></sup> g', "Hb 9.9[3] g"),
        ("log<sub>10</sub>100", "log10 100"),
    ],
)
def test_raised_text_changes_no_number(markup: str, text: str) -> None:
    assert written(markup) == text


def test_footnotes_are_led_to_by_number():
    table = '<table><tr><td>Glucose</td><td>5.4<footnoteRef IDREF="f2"/></td></tr></table>'
    notes = '<footnote ID="f1">never cited</footnote><footnote ID="f2">fasting</footnote>'
    assert written(table + notes) == "Glucose\t5.4[1]\n\nnever cited [1] fasting"
    document = narrative('5.4<footnoteRef IDREF="f9"/> mmol')
    assert document.text.endswith("5.4 mmol") and document.warnings == ("a footnote is missing: f9",)


def test_tables_keep_caption_head_and_foot():
    markup = (
        "<table><caption>Labs</caption><colgroup><col/></colgroup><thead><tr><th>Test</th></tr></thead>"
        "<tfoot><tr><td>fasting</td></tr></tfoot><tbody><tr><td>Na</td></tr></tbody></table>"
    )
    assert written(markup) == "Labs\nTest\nfasting\nNa"


IMAGE = f'<value mediaType="image/png" representation="B64">{encoded("PICTURE")}</value>'


def test_pictures_are_named_with_their_caption_and_type():
    entry = f'<entry><observationMedia ID="M1">{IMAGE}</observationMedia></entry>'
    unseen = f"<entry><observationMedia>{IMAGE}</observationMedia></entry>" * 2
    shown = '<renderMultiMedia referencedObject="M1 M2"><caption>Wound</caption></renderMultiMedia>'
    document = narrative(f"Seen. {shown}", entry + unseen)
    assert document.text.endswith("Seen.\nWound")
    assert document.warnings == (
        "a picture is not read: M1 (image/png)",
        "a picture is not read: M2",
        "not read: 2 pictures in coded entries (image/png)",
    )


def test_what_a_narrative_lacks_of_its_entries_is_furniture():
    coded = (
        '<entry><observation><code displayName="Glucose"/><text>fasting</text><value value="5.4" unit="mmol/L"/>'
        '<effectiveTime value="20240501"/></observation></entry>'
    )
    document = narrative("Glucose 5.4 mmol/L", coded)
    assert furniture(document, "coded entry") == ["fasting 2024-05-01"]
    assert document.warnings == ()
    bare = ccda(
        f"<structuredBody><component><section><title>Labs</title>{coded}</section></component></structuredBody>"
    )
    assert bare.text == "Note\n\nLabs\n\nGlucose; fasting; 5.4 mmol/L; 2024-05-01"
    assert bare.warnings == ("section 'Labs' has no narrative: its 1 coded entry is read instead",)


def test_sections_nested_or_out_of_place_are_read():
    inner = "<section><title>Inner</title><text>two</text></section>"
    outer = f'<section nullFlavor="NI"><title>Outer</title><text>one</text><component>{inner}</component></section>'
    unnamed = '<section><code code="18776-5" displayName="Plan of care"/><text>four</text></section>'
    document = ccda(
        f"<structuredBody><component>{outer}</component>{inner.replace('two', 'three')}</structuredBody>", unnamed
    )
    assert document.text == "Note\n\nOuter\n\none\n\nInner\n\ntwo\n\nInner\n\nthree\n\nPlan of care\n\nfour"
    assert [(s.title, s.kind, s.level) for s in document.sections][-1] == ("Plan of care", "plan", 1)


SECTIONS = (
    "<structuredBody><component><section><title>Plan</title><text>Walk</text></section></component></structuredBody>"
)


def attached(content: bytes | str, media_type: str, more: str = "") -> str:
    return (
        f'<nonXMLBody><text mediaType="{media_type}" representation="B64" {more}>{encoded(content)}</text></nonXMLBody>'
    )


def test_all_bodies_are_read():
    pdf = make_pdf(lines("Scanned letter"))
    document = ccda(SECTIONS, attached(pdf, "application/pdf"), attached("By hand.", "text/plain"))
    assert document.text == "Note\n\nPlan\n\nWalk\n\nScanned letter\n\nBy hand."
    assert [warning.partition(":")[0] for warning in document.warnings] == ["body (application/pdf)"]
    two = attached("One.", "text/plain").replace("</nonXMLBody>", "<text>Two.</text></nonXMLBody>")
    assert ccda(two).text == "Note\n\nOne.\n\nTwo."
    alone = ccda(attached(pdf, "application/pdf"))
    assert alone.text == "Scanned letter" and alone.locate(0, 7)


@pytest.mark.parametrize("media_type", ["application/rtf", "text/rtf"])
def test_bodies_of_unknown_types_are_named(media_type: str) -> None:
    rtf = attached(r"{\rtf1 Seen}", media_type)
    with pytest.raises(UnsupportedFormatError, match=rf"body \({media_type}\): an RTF file"):
        ccda(rtf)
    document = ccda(SECTIONS, rtf, attached(b"\0\1\2DICM", "application/dicom"))
    assert document.text == "Note\n\nPlan\n\nWalk"
    assert [warning.partition(": not read")[0] for warning in document.warnings] == [
        f"body ({media_type})",
        "body (application/dicom)",
    ]


def test_bodies_that_are_elsewhere_or_not_encoded():
    elsewhere = '<nonXMLBody><text mediaType="application/pdf"><reference value="letter.pdf"/></text></nonXMLBody>'
    document = ccda(elsewhere)
    assert document.warnings == ("body (application/pdf): not fetched: letter.pdf",)
    page = "<![CDATA[<html><body><p>Seen</p><p>at noon</p></body></html>]]>"
    assert "Seen\n\nat noon" in ccda(f'<nonXMLBody><text mediaType="text/html">{page}</text></nonXMLBody>').text
    assert ccda("<nonXMLBody><text>Seen\nat noon</text></nonXMLBody>").text == "Note\n\nSeen\nat noon"
    assert ccda("<nonXMLBody><text><paragraph>Seen</paragraph></text></nonXMLBody>").text == "Note\n\nSeen"


def test_compressed_bodies_are_unpacked_within_the_limits():
    raw = zlib.compressobj(wbits=-15)
    forms = {
        "DF": raw.compress(b"Seen at noon.") + raw.flush(),
        "ZL": zlib.compress(b"Seen at noon."),
        "GZ": (gz := zlib.compressobj(wbits=31)).compress(b"Seen at noon.") + gz.flush(),
    }
    for name, data in forms.items():
        assert ccda(attached(data, "text/plain", f'compression="{name}"')).text == "Seen at noon."
    with pytest.raises(CorruptDocumentError, match="unpacked"):
        ccda(attached(forms["ZL"][:-6], "text/plain", 'compression="ZL"'))
    with pytest.raises(CorruptDocumentError, match="unpacked"):
        ccda(attached(b"no", "text/plain", 'compression="DF"'))
    with pytest.raises(UnsupportedFormatError, match="compressed as 'Z7'"):
        ccda(attached(b"no", "text/plain", 'compression="Z7"'))
    bomb = attached(zlib.compress(b"a" * 1_000_000), "text/plain", 'compression="ZL"')
    with pytest.raises(LimitExceededError, match="unpacked"):
        load(
            f'<ClinicalDocument xmlns="urn:hl7-org:v3"><component>{bomb}</component></ClinicalDocument>'.encode(),
            limits=Limits(unpacked_bytes=100_000),
        )


def test_documents_in_entries_are_read():
    value = f'<value mediaType="text/plain" representation="B64">{encoded("Biopsy: benign.")}</value>'
    broken = '<value mediaType="application/pdf" representation="B64">AAAA</value>'
    document = narrative("See report.", f"<entry><observation>{value}</observation></entry>")
    assert document.text.endswith("See report.\n\nBiopsy: benign.")
    document = narrative("See report.", f"<entry><observation>{broken}</observation></entry>")
    assert document.text.endswith("See report.")
    assert document.warnings[0].startswith("entry (application/pdf): not read:")


def test_the_header_is_furniture_and_addenda_are_told():
    header = (
        "<recordTarget><patientRole><patient><name>Jane</name></patient><telecom value='tel:555-1'/></patientRole>"
        "</recordTarget><relatedDocument typeCode='{}'><parentDocument><id root='1.2' extension='D7'/><text>old</text>"
        "</parentDocument></relatedDocument>"
    )
    document = ccda(SECTIONS, header=header.format("APND"))
    assert furniture(document, "header") == ["Jane tel:555-1", "old"]
    assert document.warnings == ("an addendum to another document, which is not in this file: D7",)
    assert ccda(SECTIONS, header=header.format("RPLC")).warnings == ()


def test_links_hidden_text_and_captions():
    document = narrative(
        'See <linkHtml href="http://a.example">here</linkHtml>. <content styleCode="xHidden">secret</content>'
        "<paragraph><caption>Diet:</caption> no salt</paragraph><paragraph><caption>Goal</caption>walk</paragraph>"
    )
    assert document.text.endswith("See here.\n\nDiet: no salt\n\nGoal\nwalk")
    assert [link.uri for link in document.links] == ["http://a.example"]
    assert furniture(document, "hidden") == ["secret"]


# ----------------------------------------------------------------------------------------------------------------- FHIR


def fhir(*resources: dict) -> Document:
    record = resources[0]
    if len(resources) > 1:
        record = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    return load(json.dumps(record).encode())


@pytest.mark.parametrize("padding", [0, 200_000])
@pytest.mark.parametrize("form", ["Binary", "Bundle", "lines", "array", "UTF-16"])
def test_keys_in_any_order_are_read(padding: int, form: str) -> None:
    note = "Seen at noon. " + " word" * (padding // 5)
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": encoded(note)}
    record = {"Bundle": {"resourceType": "Bundle", "entry": [{"resource": binary}]}, "array": [binary]}.get(
        form, binary
    )
    data = json.dumps(record, sort_keys=True)
    if form == "lines":
        data += "\n" + json.dumps({"resourceType": "Patient", "name": [{"text": "Jane"}]}, sort_keys=True)
    document = load(data.encode("utf-16" if form == "UTF-16" else "utf-8"))
    assert document.source.media_type == "application/fhir+json"
    assert document.text.startswith("Seen at noon.") and encoded(note) not in document.text


def test_prose_that_mentions_a_key_is_no_record():
    assert load(b'[1] The key "resourceType" names the type of a resource.').source.loader == "text"


DIV = {"status": "generated", "div": "<div>Stable.</div>"}
ANNOTATION = [{"text": "Watch closely."}]


@pytest.mark.parametrize(
    "resource, text",
    [
        ({"resourceType": "Condition", "code": {"text": "Asthma"}, "note": ANNOTATION}, "Asthma: Watch closely."),
        ({"resourceType": "Procedure", "code": {"text": "Biopsy"}, "note": ANNOTATION}, "Biopsy: Watch closely."),
        (
            {
                "resourceType": "ServiceRequest",
                "code": {"text": "CT"},
                "patientInstruction": "Fast.",
                "note": ANNOTATION,
            },
            "CT: Watch closely.; Fast.",
        ),
        ({"resourceType": "ServiceRequest", "code": {"text": "CT"}, "doNotPerform": True}, "CT: do not perform"),
        (
            {
                "resourceType": "MedicationRequest",
                "medicationCodeableConcept": {"text": "Aspirin"},
                "doNotPerform": True,
                "dosageInstruction": [
                    {
                        "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                        "route": {"coding": [{"display": "Oral"}]},
                        "doseAndRate": [{"doseQuantity": {"value": 81, "unit": "mg"}}],
                        "asNeededBoolean": True,
                        "patientInstruction": "Take with food.",
                    }
                ],
            },
            "Aspirin: do not perform; 81 mg Oral 2 per 1 d as needed; Take with food.",
        ),
        (
            {"resourceType": "Observation", "code": {"text": "Smoker"}, "component": [{"valueBoolean": False}]},
            "Smoker: no",
        ),
        (
            {"resourceType": "Observation", "code": {"text": "K"}, "dataAbsentReason": {"text": "Clotted"}},
            "K: Clotted",
        ),
        ({"resourceType": "Communication", "payload": [{"contentString": "Call back."}]}, "Call back."),
        ({"resourceType": "Communication", "payload": [{"contentString": "Stop"}]}, "Stop"),
        ({"resourceType": "ClinicalImpression", "summary": "Better", "prognosis": "good odds"}, "Better: good odds"),
        ({"resourceType": "Task", "description": "Call", "note": ANNOTATION, "businessStatus": {"text": "due"}}, None),
        ({"resourceType": "Encounter", "reasonCode": [{"text": "Fall"}], "length": {"value": 2, "unit": "h"}}, "Fall"),
        ({"resourceType": "Media", "content": {"title": "ECG"}, "note": ANNOTATION}, None),
        ({"resourceType": "Consent", "provision": {"extension": [{"valueString": "No sharing."}]}}, "No sharing."),
        ({"resourceType": "Basic", "extension": [{"url": "u", "valueMarkdown": "*Frail*"}]}, "*Frail*"),
        ({"resourceType": "Basic", "_created": {"extension": [{"valueString": "unsure"}]}}, "unsure"),
        ({"resourceType": "Provenance", "reason": [{"text": "Amended"}]}, "Amended"),
        ({"resourceType": "CarePlan", "activity": [{"progress": ANNOTATION}]}, "Watch closely."),
        (
            {"resourceType": "AllergyIntolerance", "code": {"text": "Nuts"}, "verificationStatus": {"text": "refuted"}},
            "Nuts: refuted",
        ),
        ({"resourceType": "Observation", "code": {"text": "CT"}, "valueString": "Lung\n\nClear"}, "CT: Lung\n\nClear"),
        ({"resourceType": "UnheardOf", "remark": "Never seen before."}, "Never seen before."),
    ],
    ids=lambda value: value.get("resourceType") if isinstance(value, dict) else "",
)
def test_the_prose_of_every_resource_is_text(resource: dict, text: str | None) -> None:
    document = fhir(resource)
    assert text is None or document.text.replace(": ; ", ": ") == text
    told = kept(document)
    assert all(word in told for word in ("Watch", "closely.") if "Watch" in json.dumps(resource))
    narrated = fhir({**resource, "text": DIV})
    assert narrated.text.startswith("Stable.")
    for note in ("Watch closely.", "Take with food.", "Call back."):
        assert (note in narrated.text) == (note in json.dumps(resource)), "notes are text beside a narrative"
    for value in ("Asthma", "Biopsy", "Aspirin", "refuted", "Clotted"):
        assert value in kept(narrated) or value not in json.dumps(resource)


def test_a_narrative_that_has_the_note_is_not_repeated():
    div = {"status": "generated", "div": "<div>Asthma. <i>Watch</i> closely.</div>"}
    document = fhir({"resourceType": "Condition", "code": {"text": "Asthma"}, "text": div, "note": ANNOTATION})
    assert document.text == "Asthma. Watch closely." and document.furniture == ()


def test_questions_have_lines_of_their_own():
    nested = {"text": "How many?", "answer": [{"valueInteger": 20}]}
    coded = {"valueCoding": {"code": "y", "display": "Daily"}}
    items = [
        {"linkId": "1", "text": "Smoker?", "answer": [{"valueBoolean": True, "item": [nested]}, coded]},
        {"linkId": "2", "text": "Pain", "item": [{"text": "Where?", "answer": [{"valueString": "Left knee."}]}]},
        {"linkId": "3", "text": "Weight", "answer": [{"valueQuantity": {"value": 71.50, "unit": "kg"}}]},
    ]
    document = fhir({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items})
    assert document.text == ("Smoker?: yes; Daily\nHow many?: 20\nPain\nWhere?: Left knee.\nWeight: 71.5 kg")


def test_resources_within_resources():
    deep = {"resourceType": "Condition", "code": {"text": "Gout"}}
    inner = {"resourceType": "Bundle", "entry": [{"resource": deep}]}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": inner}, {"response": {"outcome": {
        "resourceType": "OperationOutcome", "issue": [{"diagnostics": "Not found."}]}}}]}  # fmt: skip
    assert fhir(bundle).text == "Gout\nNot found."
    part = {"name": "inner", "part": [{"name": "leaf", "resource": inner}]}
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "who", "valueString": "Jane"}, part]}
    assert fhir(parameters).text.split() == ["who:", "Jane;", "inner;", "leaf", "Gout"]
    contained = {"resourceType": "Observation", "text": DIV, "contained": [{**deep, "note": ANNOTATION}]}
    assert furniture(fhir(contained), "coded entry") == ["Gout Watch closely."]
    assert fhir({**contained, "text": {}}).text == "Gout: Watch closely."


def test_what_a_narrated_section_refers_to_is_furniture_with_its_own_narrative():
    target = {"resourceType": "Observation", "id": "o", "text": {"div": "<div>Hb low</div>"}, "note": ANNOTATION}
    section = {"title": "Labs", "text": DIV, "entry": [{"reference": "Observation/o", "display": "Hb"}]}
    section["emptyReason"] = {"text": "Pending"}
    gone = {"title": "Old", "entry": [{"reference": "X/1", "display": "Elsewhere"}], "emptyReason": {"text": "Lost"}}
    empty = {"title": "New", "text": {"status": "empty", "div": "<div>Nothing</div>"}}
    composition = {"resourceType": "Composition", "title": "Visit", "section": [section, gone, empty]}
    document = fhir(composition, target)
    assert document.text == "Visit\n\nLabs\n\nStable.\n\nOld\n\nLost\nElsewhere\n\nNew"
    assert furniture(document, "coded entry") == ["Hb low Watch closely.", "Hb Pending"]
    assert furniture(document, "hidden") == ["Nothing"]


def test_attachments_in_all_fields_are_read_or_named():
    plain = {"contentType": "text/plain", "data": encoded("Letter.")}
    far = {"contentType": "application/pdf", "url": "http://far.example/a.pdf"}
    rtf = {"contentType": "application/rtf", "data": encoded(r"{\rtf1 x}")}
    resources = [
        {
            "resourceType": "DocumentReference",
            "content": [{"attachment": plain}, {"attachment": far}, {"attachment": rtf}],
        },
        {"resourceType": "Communication", "payload": [{"contentAttachment": plain}]},
        {"resourceType": "Media", "content": plain},
        {"resourceType": "Consent", "sourceAttachment": plain},
        {"resourceType": "QuestionnaireResponse", "item": [{"answer": [{"valueAttachment": plain}]}]},
        {"resourceType": "Basic", "extension": [{"url": "u", "valueAttachment": plain}]},
        {"resourceType": "DiagnosticReport", "code": {"text": "CT"}, "presentedForm": [plain, plain]},
    ]
    document = fhir(*resources)
    assert document.text.count("Letter.") == 8
    assert [warning.partition(": ")[0] for warning in document.warnings] == [
        "attachment (application/pdf)",
        "attachment (application/rtf)",
    ]
    assert encoded("Letter.") not in kept(document)


def test_what_stands_beside_a_single_attachment_is_told():
    attachment = {"contentType": "text/plain", "data": encoded("Letter.")}
    reference = {"resourceType": "DocumentReference", "description": "Old", "content": [{"attachment": attachment}]}
    assert fhir(reference).warnings == ()
    told = fhir({**reference, "extension": [{"url": "u", "valueString": "Not to be shared"}]})
    assert told.text == "Letter."
    assert told.warnings == ("the record says more than its attachment, which is all that is read: Not to be shared",)


def test_a_contained_result_is_recorded_once():
    result = {"resourceType": "Observation", "id": "r", "code": {"text": "Hb"}, "valueString": "low"}
    report = {"resourceType": "DiagnosticReport", "text": DIV, "result": [{"reference": "#r"}], "contained": [result]}
    assert furniture(fhir(report), "coded entry") == ["Hb low"]


def test_what_is_not_read_is_counted():
    ecg = {
        "resourceType": "Observation",
        "code": {"text": "ECG"},
        "valueSampledData": {"dimensions": 1, "data": "1 2 3"},
    }
    bare = {"resourceType": "Provenance", "recorded": "2024-05-01"}
    picture = {"resourceType": "Condition", "text": {"div": "<div>Rash <img src='#a' alt='on the arm'/>here</div>"}}
    document = fhir(ecg, bare, bare | {"id": "2"}, picture, {"resourceType": "Group"})
    assert document.text == "ECG\n\nRash on the arm here"
    assert document.warnings == (
        "not read: 2 resources of type Provenance without text",
        "not read: 1 resource of type Group without text",
        "not read: 1 record of measurements over time (SampledData)",
        "not read: 1 picture in narratives",
    )
    assert "1 2 3" not in kept(document)


def test_narratives_of_fhir_are_read_like_those_of_ccda():
    div = (
        "<div><p>BP <del>180/100</del>120/80</p><p style='display: none'>secret</p><ol><li><p>10<sup>6</sup></p></li>"
        "</ol><pre>Na 140\nK  4.1</pre></div>"
    )
    document = fhir({"resourceType": "Observation", "text": {"div": div}})
    assert document.text == "BP 120/80\n\n1. 10^6\n\nNa 140\nK  4.1"
    assert (furniture(document, "deleted"), furniture(document, "hidden")) == (["180/100"], ["secret"])


def test_a_broken_part_costs_only_itself():
    patient = {"resourceType": "Patient", "name": [{"text": "Jane"}]}
    data = f'{json.dumps(patient)}\n{{"resourceType": "Condition", \n{json.dumps({"id": 1})}\n'
    document = load(data.encode())
    assert document.text == "Jane"
    assert document.warnings[0].startswith("line 2 is not read: ")
    assert document.warnings[1] == "not read: JSON without a resourceType, 1 times"
    doctype = "<!DOCTYPE div [<!ENTITY a 'b'>]><div>Seen</div>"
    document = fhir({"resourceType": "Condition", "code": {"text": "Gout"}, "text": {"div": doctype}})
    assert document.text == "Gout" and document.warnings[0].startswith("a narrative is not read: ")
