"""Seeds for mutated files, more of them if ``LONGDOC_DATA`` names a data folder; and hostile files."""

import base64
import collections
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import docx
import PIL.Image
import PIL.ImageDraw
import pypdfium2

from longdoc.datasets import data_root

NOTE = (
    "CHIEF COMPLAINT\nCough.\n\nMEDICATIONS\n- Aspirin 81 mg daily\n- Lisinopril 10 mg\n\nASSESSMENT AND PLAN\nRest.\n"
)


def corpus() -> dict[str, list[bytes]]:
    """Small files by format."""
    root = Path(__file__).parents[1]
    seeds = collections.defaultdict(list)
    for path in sorted((root / "examples").glob("*.pdf")):
        seeds["pdf"].append(path.read_bytes())
    if (data := data_root()).is_dir():
        seeds["pdf"] += [p.read_bytes() for p in sorted(data.glob("pdf/**/*.pdf")) if p.stat().st_size < 300_000]
        seeds["jats"] += [p.read_bytes() for p in sorted(data.glob("plos_jats/*.xml")) if p.stat().st_size < 90_000]
    seeds["pdf"] += [forms_and_layers()]
    seeds["docx"] += [
        word_file(8),
        word_file(60),
        with_member(word_file(2), "word/document.xml", DOCUMENT % WORD_PARTS),
    ]
    seeds["html"] += [HTML.encode(), SGML.encode(), HTML.encode("utf-16"), HTML_PARTS.encode(), HTML_PARTS.encode() * 2]
    seeds["text"] += [
        NOTE.encode(),
        b"<PAGE>\n1. Term\n<TABLE>\n<S> <C>\na 1\n</TABLE>\n<PAGE>\n2. Rent\n",
        NOTE.encode("utf-16"),
        NOTE.encode("utf-32"),
        NOTE.encode() + b"caf\xe9 \xff\xed\xa0\x80",
    ]
    seeds["jats"].append(JATS.encode())
    seeds["fhir"] += [json.dumps(resource).encode() for resource in fhir_resources()]
    seeds["ccda"] += [CCDA.encode(), CCDA_PARTS.encode()]
    seeds["image"] += [picture(kind) for kind in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")]
    return seeds


def word_file(paragraphs: int) -> bytes:
    document, stream = docx.Document(), io.BytesIO()
    document.add_heading("Lease", 1)
    for number in range(paragraphs):
        document.add_paragraph(f"Clause {number} of this lease binds both parties.", style="List Number")
    table = document.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(1, 1)).text = "Fees"
    document.save(stream)
    return stream.getvalue()


def picture(kind: str) -> bytes:
    image, stream = PIL.Image.new("RGB", (120, 40), "white"), io.BytesIO()
    PIL.ImageDraw.Draw(image).text((5, 5), "Lease of 2020", fill="black")
    image.save(stream, kind)
    return stream.getvalue()


def fhir_resources() -> Iterator[dict[str, object]]:
    attachment = {"contentType": "text/plain", "data": base64.b64encode(NOTE.encode()).decode()}
    note = {"resourceType": "DocumentReference", "id": "n", "content": [{"attachment": attachment}]}
    text = {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Cough.</p><ul><li>Rest</li></ul></div>',
    }
    plan = {"resourceType": "Composition", "title": "Note", "section": [{"title": "Plan", "text": text}]}
    report = {"resourceType": "DiagnosticReport", "conclusion": "Clear.", "presentedForm": [attachment]}
    pages = {"contentType": "application/pdf", "data": base64.b64encode(blank_pdf()).decode()}
    yield note
    yield report
    yield {"resourceType": "DocumentReference", "content": [{"attachment": pages}]}
    yield {"resourceType": "Bundle", "type": "document", "entry": [{"resource": r} for r in (plan, note, report)]}
    answers = [{"text": "Pain?", "answer": [{"valueString": "No", "item": [{"text": "Since?"}]}]}]
    yield {"resourceType": "QuestionnaireResponse", "item": answers, "contained": [plan, report], "text": text}
    yield {"contentType": "text/plain", "data": attachment["data"], "resourceType": "Binary"}


def blank_pdf() -> bytes:
    pdf, stream = pypdfium2.PdfDocument.new(), io.BytesIO()
    pdf.new_page(200, 200)
    pdf.save(stream)
    return stream.getvalue()


HTML = """<!DOCTYPE html><html><head><title>Lease</title><style>p {margin: 0}</style></head><body>
<h1>Lease</h1><p style="text-align:center">1. <b>Term</b>&nbsp;of lease.</p><div style="display:none">hidden</div>
<table><tr><td rowspan="2">a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr></table>
<ol start=3><li>x<li>y</ol>
<hr style="page-break-after:always"><pre>  two\n  lines</pre><a href="https://example.org">site</a>&#146;&shy;</body>
</html>"""
SGML = f"<SEC-DOCUMENT>a.txt\n<DOCUMENT>\n<TYPE>EX-10.1\n<SEQUENCE>2\n<TEXT>\n{HTML}\n</TEXT>\n</DOCUMENT>\n"
JATS = """<?xml version="1.0"?><article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta><title-group>
<article-title>On <italic>leases</italic></article-title></title-group><abstract><p>Short.</p></abstract>
</article-meta>
</front><body><sec><label>1</label><title>Methods</title><p>We read <xref>1</xref>.</p><table-wrap><table><tr>
<td colspan="2">x</td></tr></table></table-wrap></sec></body><back><ref-list><ref><mixed-citation>A. 2020.
</mixed-citation>
</ref></ref-list></back></article>"""
CCDA = """<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title><component><structuredBody>
<component><section><code code="10160-0"/><title>Medications</title><text><list><item>Aspirin</item></list><table><tr>
<td>a</td></tr></table></text></section></component></structuredBody></component></ClinicalDocument>"""


HTML_PARTS = """<html><head><noscript>No script.</noscript></head><body><p>1,000<sup>2</sup>, 10<sup>6</sup>, H<sub>2
</sub>O,
<del>May 3</del><ins>May 4</ins> <s>old</s></p><math><mfrac><mrow><mi>b</mi><mo>+</mo><mi>c</mi></mrow><mn>2</mn>
</mfrac>
<msup><mi>x</mi><mn>2</mn></msup></math><form><input value="Jane Roe"><input type="checkbox" checked><select><option>a
<option selected>b</select><textarea>note</textarea></form><iframe srcdoc="&lt;p&gt;inner&lt;/p&gt;"></iframe>
<template><p>later</p></template><img alt="a seal"><svg><text>drawn</text></svg><details><summary>more</summary>
</details>
<document>x</document></body></html> after"""
CCDA_PARTS = """<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Note</title><component>
<nonXMLBody><text
mediaType="text/plain" representation="B64">Q291Z2gu</text></nonXMLBody></component><component><structuredBody>
<component>
<section><title>Plan</title><text><![CDATA[<list><item>Take <b>one</b></item></list>]]>
<content revised="delete">BP 120/80
</content><footnote ID="f1">fasting</footnote><sup>2</sup><renderMultiMedia referencedObject="m"/></text><entry/>
<component>
<section><title>Inner</title><text>Rest</text></section></component></section></component></structuredBody>
</component>
</ClinicalDocument>"""
WORD_PARTS = b"""<w:p><w:r><w:t>10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>6</w:t></w:r>
<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> IF </w:instrText></w:r><w:r>
<w:fldChar w:fldCharType="begin"/>
</w:r><w:r><w:instrText>SEQ Table</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:fldChar
w:fldCharType="separate"/></w:r><w:r><w:t>him</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p><w:p>
<w:del><w:r>
<w:delText>old</w:delText></w:r></w:del>
<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:f>
<m:num><m:r><m:t>b+c</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath><w:sdt><w:sdtPr>
<w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Click here</w:t></w:r></w:sdtContent></w:sdt></w:p>"""


def forms_and_layers() -> bytes:
    """A PDF with turned and raised text, white and covered text, a table, an attachment and a form."""
    content = (
        b"BT /F 12 Tf 72 700 Td (The limit is 10) Tj /F 8 Tf 5 Ts (6) Tj 0 Ts /F 12 Tf ( dollars) Tj ET "
        b"BT /F 9 Tf 0 1 -1 0 300 300 Tm (18.6 quarts) Tj ET 1 g BT /F 12 Tf 72 600 Td (white) Tj ET 0 g "
        b"BT /F 12 Tf 72 580 Td (covered) Tj ET 70 575 90 20 re f /OC /L BDC BT /F 12 Tf 72 500 Td (layer) Tj ET EMC "
        b"72 400 200 60 re 72 430 m 272 430 l 172 400 m 172 460 l S BT /F 9 Tf 80 440 Td (a) Tj 100 0 Td (b) Tj ET"
    )
    stream, pdf = io.BytesIO(), pypdfium2.PdfDocument(loose_pdf(b"/MediaBox [0 0 612 792]", content))
    pdf.new_attachment("invoice.xml").set_data(b"<Invoice/>")
    pdf.save(stream)
    return stream.getvalue()


def hostile() -> Iterator[tuple[str, bytes]]:
    """Names and contents of files that demand too many resources; generated one at a time, since some are large."""
    laughs = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]>'
    outside = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    for name, text in (("jats", JATS), ("ccda", CCDA)):
        body = text.split("?>", 1)[1]
        yield f"{name}, billion laughs", (bomb + body.replace("<title>", "<title>&a9;")).encode()
        yield f"{name}, external entity", (outside + body.replace("<title>", "<title>&e;")).encode()
        yield f"{name}, 100,000 elements deep", body.replace("<title>", "<title>" + "<b>" * 100_000).encode()
    yield "html, 100,000 elements deep", ("<html>" + "<div>" * 100_000 + "text").encode()
    yield "html, tables in tables", ("<html>" + "<table><tr><td>x" * 5_000).encode()
    yield (
        "html, a cell of a billion columns",
        (b"<html><table><tr><td colspan=1000000000 rowspan=1000000000>x<td>y</table>"),
    )
    yield "fhir, arrays in arrays", b'{"resourceType": "Bundle", "entry": ' + b"[" * 200_000
    yield "docx, zip bomb", with_member(word_file(2), "word/media/a.bin", b"\0" * (1 << 29))
    yield (
        "docx, document of one huge paragraph",
        with_member(
            word_file(2),
            "word/document.xml",
            DOCUMENT % (b"<w:p><w:r><w:t>" + b"a" * (1 << 28) + b"</w:t></w:r></w:p>"),
        ),
    )
    yield (
        "docx, tables in tables",
        with_member(word_file(2), "word/document.xml", DOCUMENT % (b"<w:tbl><w:tr><w:tc>" * 50_000)),
    )
    yield (
        "docx, billion laughs",
        with_member(
            word_file(2), "word/document.xml", bomb.encode() + DOCUMENT % b"<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>"
        ),
    )
    yield (
        "pdf, a page a million inches wide",
        loose_pdf(b"/MediaBox [0 0 72000000 72000000]", b"BT /F 12 Tf 9 9 Td (a) Tj ET"),
    )
    yield "pdf, a page without area", loose_pdf(b"/MediaBox [0 0 0 0]", b"BT /F 12 Tf 9 9 Td (a) Tj ET")
    yield "pdf, half a gigabyte in a stream", loose_pdf(b"/MediaBox [0 0 612 792]", b" " * (1 << 29), packed=True)
    yield (
        "pdf, a million glyphs on one spot",
        loose_pdf(b"/MediaBox [0 0 612 792]", b"BT /F 12 Tf 9 9 Td " + b"(a) Tj 0 0 Td " * 10**6 + b"ET", packed=True),
    )
    yield (
        "pdf, a page tree with a cycle",
        loose_pdf(b"/MediaBox [0 0 612 792]", b"").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R 4 0 R]"),
    )
    yield "image, 60,000 by 60,000 pixels", huge_picture(60_000)
    yield "text, 300 MB on one line", b"a" * 300_000_000
    yield "text, a million sections", b"1. Term\n" * 10**6


DOCUMENT = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return stream.getvalue()


def loose_pdf(page: bytes, content: bytes, *, packed: bool = False) -> bytes:
    stream = zlib.compress(content, 9) if packed else content
    body = [
        b"1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
        b"2 0 obj << /Type /Pages /Count 1 /Kids [4 0 R] >> endobj",
        b"3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
        b"4 0 obj << /Type /Page /Parent 2 0 R %s /Resources << /Font << /F 3 0 R >> >> /Contents 5 0 R >> endobj"
        % page,
        b"5 0 obj << /Length %d %s >>\nstream\n%s\nendstream endobj"
        % (len(stream), b"/Filter /FlateDecode" * packed, stream),
    ]
    return b"\n".join([b"%PDF-1.7", *body, b"trailer << /Root 1 0 R >>"])


def huge_picture(size: int) -> bytes:
    """A PNG whose header states more pixels than its data has."""
    header = size.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    chunks = b"".join(
        len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 10**6)), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks
