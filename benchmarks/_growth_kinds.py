"""Inputs of any size that are made to be slow, each with what reads it: the table of ``growth.py``."""

# ruff: noqa: E501 (inputs are easier to read on one line)
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from longdoc import Document, DocumentError, Entity, Limits, Prediction, load
from longdoc.decode import decode_answers, deduplicate, without_overlap
from longdoc.document_type import document_type
from longdoc.findings import place
from longdoc.loaders.raised import line_marks
from longdoc.outputs import FORMATS, Outcome
from longdoc.records import contract_record, note_record, paper_record
from longdoc.rules import Rules
from longdoc.sections import add_structure
from longdoc.summary import names_by_label
from longdoc.titles import title_in
from longdoc.values import parse_value
from longdoc.windows import split

Kind = tuple[Callable[[int], object], Callable[..., object]]
"""What makes an input of size n, and what reads it."""

NO_LIMITS = Limits(pages=10**9, characters=10**9)
PROSE = "The Supplier shall deliver the goods to the Buyer within thirty (30) days of January 5, 2021 for $1,200. "
CLAUSE = "Payment. The Buyer shall pay the price under Section 2 within 30 days.\n"


def read(data: bytes) -> Document | None:
    """Loads bytes; a refusal counts, too."""
    try:
        return load(data, ocr="never", limits=NO_LIMITS)
    except DocumentError:
        return None


def text(before: str, part: str, after: str = "") -> Kind:
    """A text file with a part n times."""
    return lambda n: (before + part * n + after).encode(), read


def html(before: str, part: str, after: str = "") -> Kind:
    """An HTML page with a part n times."""
    return lambda n: f"<html><body><p>Text</p>{before}{part * n}{after}".encode(), read


def jats(before: str, part: str, after: str = "") -> Kind:
    """A paper with a part n times."""
    front = "<front><article-meta><title-group><article-title>T</article-title></title-group></article-meta></front>"
    return lambda n: f"<article>{front}<body><p>x</p>{before}{part * n}{after}</body></article>".encode(), read


def jats_back(part: str) -> Kind:
    """A paper with a part n times in its list of references."""
    return (
        lambda n: f"<article><body><p>x</p></body><back><ref-list>{part * n}</ref-list></back></article>".encode(),
        read,
    )


def ccda_text(before: str, part: str) -> Kind:
    """A narrative of a clinical document with a part n times."""
    start = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>T</title><component><structuredBody><component><section>'
        '<title>A</title><text ID="m">'
    )
    end = "</text></section></component></structuredBody></component></ClinicalDocument>"
    return lambda n: (start + before + part * n + end).encode(), read


def oasis(n: int) -> bytes:
    columns = "".join(f'<colspec colname="c{i}"/>' for i in range(n))
    row = f'<row><entry namest="c1" nameend="c{n - 1}">a</entry></row>'
    table = f"<table-wrap><table><tgroup>{columns}<tbody>{row * n}</tbody></tgroup></table></table-wrap>"
    return f"<article><body><p>x</p>{table}</body></article>".encode()


WORD = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def word(before: str, part: str, after: str = "", **parts: Callable[[int], str]) -> Kind:
    """A Word file with a part n times; other parts of the package by name."""
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def make(n: int) -> bytes:
        out = io.BytesIO()
        body = before + "".join(part.replace("{i}", str(i)) for i in range(n)) + after
        links = "".join(f'<Relationship Id="{key}" Type="{related}/{key}" Target="{key}.xml"/>' for key in parts)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/document.xml", f"<w:document {WORD}><w:body>{body}</w:body></w:document>")
            archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{links}</Relationships>")
            for key, content in parts.items():
                archive.writestr(f"word/{key}.xml", f"<w:{key} {WORD}>{content(n)}</w:{key}>")
        return out.getvalue()

    return make, read


def run(inner: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{inner}</w:t></w:r>'


def pdf(
    content: Callable[[int], str],
    page: Callable[[int], str] = lambda n: "",
    more: Callable[[int], list[str]] = lambda n: [],
) -> Kind:
    """A PDF of one page; ``page`` adds to its dictionary, ``more`` are further objects from number 10 on."""

    def make(n: int) -> bytes:
        stream = content(n)
        font = "/Resources << /Font << /F 3 0 R >> >>"
        objects = [
            "1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
            "2 0 obj << /Type /Pages /Count 1 /Kids [4 0 R] >> endobj",
            "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> endobj",
            f"4 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {font} /Contents 5 0 R {page(n)} >> endobj",
            f"5 0 obj << /Length {len(stream)} >>\nstream\n{stream}\nendstream endobj",
            *(f"{number} 0 obj {each} endobj" for number, each in enumerate(more(n), 10)),
        ]
        body, offsets = "%PDF-1.7\n", {}
        pieces, at = [body], len(body)
        for each in objects:
            offsets[int(each.split(" ", 1)[0])] = at
            pieces.append(each + "\n")
            at += len(each) + 1
        size = max(offsets) + 1
        table = "".join(
            f"{offsets[i]:010d} 00000 n \n" if i in offsets else "0000000000 65535 f \n" for i in range(size)
        )
        pieces.append(f"xref\n0 {size}\n{table}trailer << /Root 1 0 R /Size {size} >>\nstartxref\n{at}\n%%EOF")
        return "".join(pieces).encode("latin-1")

    return make, read


def shown(n: int, what: str = "word word word") -> str:
    """A content stream with n lines."""
    return "".join(f"BT /F 8 Tf {50 + 130 * (i % 4)} {740 - (i // 4 % 70) * 10} Td ({what}) Tj ET\n" for i in range(n))


def annotations(subtype: str, more: str = "") -> Kind:
    """A page of n glyphs with n annotations."""

    def refs(n: int) -> str:
        return "/Annots [" + " ".join(f"{20 + i} 0 R" for i in range(n)) + "]"

    def objects(n: int) -> list[str]:
        drawn = "BT /F 8 Tf 2 5 Td (noted) Tj ET"
        form = f"<< /Type /XObject /Subtype /Form /BBox [0 0 60 20] /Resources << /Font << /F 3 0 R >> >> /Length {len(drawn)} >>\nstream\n{drawn}\nendstream"
        return [form, *["null"] * 9] + [
            f"<< /Type /Annot /Subtype {subtype} /Rect [{i * 7 % 500} {i * 11 % 700} {i * 7 % 500 + 60} {i * 11 % 700 + 20}] "
            f"/Contents (note {i}) {more} /F 4 >>"
            for i in range(n)
        ]

    return pdf(lambda n: shown(n // 4 + 1), refs, objects)


def document(make: Callable[[int], str]) -> Callable[[int], Document]:
    """A document with structure, from a text."""
    return lambda n: add_structure(Document.from_text(make(n)))


def structure(before: str, part: str, after: str = "") -> Kind:
    """The sections, definitions and references of a text with a part n times; ``{i}`` counts."""
    return (
        lambda n: Document.from_text(before + "".join(part.replace("{i}", str(i)) for i in range(n)) + after),
        add_structure,
    )


@cache
def default_rules(name: str) -> Rules:
    return Rules.load(name)


def rule(part: str, before: str = "", *, name: str = "default") -> Kind:
    """The shipped rules on a part n times."""

    def make(n: int) -> str:
        default_rules(name).find("warm")
        return before + part * n

    return make, lambda text: default_rules(name).find(text)


def entities_of(document: Document, n: int, step: int, length: int, label: str = "PARTY") -> tuple[Entity, ...]:
    """Entities at equal distances."""
    return tuple(
        Entity(
            text=document.text[at : at + length],
            label=label,
            start=at,
            end=at + length,
            score=0.9,
            page=document.page_at(at).number,
        )
        for at in range(0, n * step, step)
    )


def prediction(n: int, *, pages: bool = True, nested: bool = False) -> Prediction:
    """A document of n paragraphs, each a page, with an entity on each."""
    part = "Alpha Inc. signs on this page.\n" + ("\f" if pages else "\n")
    made = Document.from_text(part * n + "end")
    found = entities_of(made, n, len(part), 10)
    if nested:
        found = tuple(
            replace(each, text=made.text[each.start : len(made.text) - each.start], end=len(made.text) - each.start)
            for each in found[: n // 3]
        )
    return Prediction(document=made, entities=found)


def output(name: str, **options: bool) -> Kind:
    """A format of output on n entities."""
    writer = FORMATS[name]

    def write(made: Prediction) -> None:
        stream = io.BytesIO() if writer.binary else io.StringIO()
        writer.write([Outcome("x.txt", made)], stream)

    return lambda n: prediction(n, **options), write


def sections_nested(n: int) -> Document:
    """Clauses in sections up to eight deep, and one around them all."""
    return add_structure(Document.from_text("".join(f"{i}. {CLAUSE}" for i in range(1, n + 1))))


def at_each_section(document: Document) -> None:
    for section in document.sections:
        place(document, section.start, min(section.start + 5, section.end))


def record(make: Callable[..., object], before: str, part: str, after: str = "", kind: str = "") -> Kind:
    """A record of a text with a part n times."""
    return document(lambda n: before + "".join(part.replace("{i}", str(i)) for i in range(n)) + after), make


OPENING = (
    "SUPPLY AGREEMENT\nThis Agreement is made as of May 1, 2020 by and between Acme, Inc., a Delaware corporation "
    '("Supplier") and Beta LLC ("Buyer").\nNOW, THEREFORE, the parties hereby agree as follows.\n'
)
SIGNED = "\nIN WITNESS WHEREOF, the parties have signed.\nACME, INC.\nBy: ____\nName: Ann\nBETA LLC\nBy: ____\n"
NOTE = "DISCHARGE SUMMARY\nPatient: X\nChief Complaint: pain\nHistory of Present Illness:\nThe patient is a 50-year-old man.\n"


def value(kind: str, part: str, before: str = "", after: str = "") -> Kind:
    """A value in a text with a part n times."""
    return lambda n: before + part * n + after, lambda text: parse_value(text, kind)


def windows(n: int) -> tuple:
    found = split(n, size=256, overlap=32)
    rng = np.random.default_rng(0)
    return [rng.normal(size=(len(each), 3)).astype(np.float32) for each in found], found, n


def answers(made: tuple) -> None:
    scores, found, n = made
    best = decode_answers(scores, found, n)
    deduplicate(best, lambda each: f"{each.first} {each.last}", len(best))


KINDS: dict[str, Kind] = {
    # ---------------------------------------------------------------------------------------------- detection, text
    "text: prose": text("", PROSE + "\n"),
    "text: one line": text("", PROSE),
    "text: <PAGE> and spaces": text("Hello\n<PAGE>", " ", "x\nfoo"),
    "text: <PAGE>": text("Hello\n", "<PAGE>\nfoo\n"),
    "text: page numbers": text("Hello\n", "- 7 -\n<PAGE>\nfoo\n"),
    "text: spaces before a word": text("Hello\n", " ", "x"),
    "text: lines of spaces": text("Hello\n", "      \n", "x"),
    "text: carriage returns": text("Hello", "\r", "x"),
    "text: blank lines": text("Hello", "\n", "x"),
    "text: form feeds": text("Hello", "x\f", "x"),
    "text: comments": text("<!--x-->", "<!-- ", "x"),
    "text: declarations": text("<a>", "<!DOCTYPE ", "x"),
    "text: instructions": text("", "<?x ", "x"),
    "text: brackets": text("<", "[ ", "x"),
    "text: lists of lists": text("", "[ ", "x"),
    "text: tags": text("<p", " a", "x"),
    "text: bytes of no character": (lambda n: b"text " + b"\xc3\x28 \x9d " * n, read),
    "text: letters in Greek": (lambda n: ("Το κείμενο. " * n).encode("iso8859-7"), read),
    "text: encoded file": text(
        "<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\nfoo\nbegin 644 a.jpg\n", "M" + "A" * 60 + "\n", "x\n</TEXT>\n</DOCUMENT>\n"
    ),
    "text: begins of encoded files": text("<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\nfoo\n", "begin 644 a.jpg\nMAAA\n"),
    "text: documents of a filing": text("", "<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\nfoo\n</TEXT>\n</DOCUMENT>\n"),
    "text: open documents of a filing": text("", "<DOCUMENT>\n<TYPE>EX-1\nfoo\n"),
    "text: ends of documents": text("<DOCUMENT>\n<TYPE>EX-1\n<TEXT>foo\n", "</TEXT></DOCUMENT>", "x"),
    "text: entities": text("<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\n", "&amp; <TABLE> "),
    "encoding: punycode": (
        lambda n: b'<html><head><meta charset="punycode"></head><body><p>x</p>' + b"ab" * n + b"-zz9" * n,
        read,
    ),
    "encoding: idna": (lambda n: b'<html><head><meta charset="idna"></head><body><p>x</p>' + b"xn--ab9c" * n, read),
    # --------------------------------------------------------------------------------------------------------- HTML
    "html: paragraphs": html("", "<p>word word</p>"),
    "html: text without tags": html("", PROSE),
    "html: rowspan and colspan": html("<table>", "<tr><td rowspan=1000 colspan=1000>a</td><td>b</td></tr>"),
    "html: rowspan": html("<table><tr>", "<td rowspan=1000>a</td>", "</tr>" + "<tr><td>a</td></tr>" * 900),
    "html: rowspans below each other": html("<table>", "<tr><td rowspan=1000>a</td><td>b</td></tr>"),
    "html: rowspans of each row": html("<table>", "<tr><td rowspan=3>a</td><td colspan=3>b</td></tr>"),
    "html: cells of one row": html("<table><tr>", "<td>a</td>", "</tr><tr><td>a</td></tr></table>"),
    "html: tables beside each other": html(
        "", "<table><tr><td>a</td><td>b</td></tr><tr><td>a</td><td>b</td></tr></table>"
    ),
    "html: nested tables": (
        lambda n: (
            "<html><body>" + "<table><tr><td>a</td><td>b</td></tr><tr><td>" * 60 + "<p>word word</p>" * n
        ).encode(),
        read,
    ),
    "html: long first cells of nested tables": (
        lambda n: ("<html><body>" + "<table><tr><td>" * 60 + "<p> <b> </b></p>" * n + "x").encode(),
        read,
    ),
    "html: attributes of one element": (
        lambda n: ("<html><body><p " + " ".join(f"a{i}=1" for i in range(n)) + ">x</p>").encode(),
        read,
    ),
    "html: classes of one element": (
        lambda n: ("<html><body><p class='" + " ".join(f"a{i}" for i in range(n)) + "'>x</p>").encode(),
        read,
    ),
    "html: rules of a style": (
        lambda n: (
            "<html><head><style>"
            + "".join(f".a{i} {{display:none}}" for i in range(n))
            + "</style></head><body>"
            + "".join(f"<p class=a{i}>x</p>" for i in range(n))
            + "<p>y"
        ).encode(),
        read,
    ),
    "html: rules for the same class": html(
        "<style>.a{color:red}</style>", "<p class=a style='color:red;font-size:9pt'>x</p>"
    ),
    "html: same selectors": (
        lambda n: (
            "<html><head><style>" + "p.a {color:red}" * n + "</style></head><body>" + "<p class=a>x</p>" * n
        ).encode(),
        read,
    ),
    "html: long style": (lambda n: ("<html><body><p style='" + "color:red;" * n + "'>x</p>").encode(), read),
    "html: open comments": html("", "<!-- x "),
    "html: comments": html("", "<!-- x --><p>y</p>"),
    "html: open scripts": html("", "<script>x<p>"),
    "html: open sections of CDATA": html("", "<![CDATA[ x "),
    "html: open tags": html("", "<p "),
    "html: less-than signs": html("", "< "),
    "html: ends": html("", "<p>x</p></body></html>"),
    "html: nested fonts": html("", "<font>x"),
    "html: paragraphs in nested fonts": (
        lambda n: ("<html><body>" + "<font>" * min(n, 900) + "<p>x" * n).encode(),
        read,
    ),
    "html: line breaks in nested blocks": (
        lambda n: (
            "<html><style>p{page-break-before:always}</style><body>"
            + "<div><font>" * min(n, 90)
            + "<br>" * n
            + "<p>x<p>y"
        ).encode(),
        read,
    ),
    "html: nested links": html("", "<a href='#x'><b>", "x"),
    "html: nested spans without text": html("", "<span>", "x"),
    "html: nested raised text": html("", "x<sup>2"),
    "html: raised text in a row": html("<p>x", "<sup>2</sup>"),
    "html: raised text and spaces": html("<p>x", "<sup> </sup> "),
    "html: raised fields without text": html("<p>x", "<sup><b></b></sup><i></i>"),
    "html: KaTeX": html("<p>x", "<span class=msupsub><span class=vlist-t2>2</span></span>"),
    "html: items of a list": html("<ol>", "<li>x</li>"),
    "html: empty items": html("<ol>", "<li></li>", "<li>x"),
    "html: nested lists": html("", "<ol><li>"),
    "html: reversed lists": html("<ol reversed>", "<li>x"),
    "html: readings": html("<ruby>", "x<rt>y</rt>"),
    "html: line breaks": html("", "<br>", "x"),
    "html: page breaks": html("", "<p>x</p><hr style='page-break-after:always'>"),
    "html: hidden text": html("", "<p style='visibility:hidden'>x<b style='visibility:visible'>y</b></p>"),
    "html: hidden elements": html("", "<div style='display:none'>x</div><p>y</p>"),
    "html: options": html("<select>", "<option>x"),
    "html: fields": html("<form>", "<input type=text name=a value=b>"),
    "html: labels of fields": (
        lambda n: (
            "<html><body><form>" + "".join(f"<label for=a{i}>x</label><input id=a{i} type=checkbox>" for i in range(n))
        ).encode(),
        read,
    ),
    "html: selected options": html("<select multiple>", "<option selected>x"),
    "html: nested options": (lambda n: ("<html><select>" + "<option><b>" * min(n, 900) + "x " * n).encode(), read),
    "html: nested buttons": (lambda n: ("<html><p>" + "<button>" * min(n, 900) + "x " * n).encode(), read),
    "html: rules for elements with own ids": (
        lambda n: (
            "<html><style>" + ".a{top:1}" * n + "</style><body>" + "".join(f"<p class=a id=i{i}>x" for i in range(n))
        ).encode(),
        read,
    ),
    "html: rules for elements with own classes": (
        lambda n: (
            "<html><style>"
            + "".join(f".a.b{i}{{top:1}}.a .b{i}{{display:block}}" for i in range(n))
            + "</style><body>"
            + "".join(f"<p class='a b{i}'>x" for i in range(n))
        ).encode(),
        read,
    ),
    "html: open brackets of a selector": html("<style>", "[", "{display:block}</style>"),
    "html: open conditions of a selector": html("<style>", ":a(", "{display:block}</style>"),
    "html: selectors of a rule that adds text": (
        lambda n: ("<html><style>" + "a," * n + "a{" + "content " * n + "}</style><body>x").encode(),
        read,
    ),
    "html: long import": html("<style>@import url(", "a", " }</style>"),
    "html: import and spaces": html("<style>@import url(a", " ", "}</style>"),
    "html: pictures": html("", "<img alt='a picture' src=x>"),
    "html: frames": html("", "<iframe srcdoc='<p>x</p>'></iframe>"),
    "html: bases": html("", "<a href=x>y</a><base href='http://a.b/'>"),
    "html: formulas": html("<math>", "<mi>x</mi><mo>+</mo>"),
    "html: nested formulas": html("", "<math><msup><mi>x</mi><mn>2</mn></msup></math> "),
    "html: headings": html("", "<h1>x</h1>"),
    "html: tables of one column": html("<table>", "<tr><td>1.</td><td>x</td></tr>"),
    "html: page numbers": html("", "<div>7</div><div style='page-break-before:always'></div>"),
    # ------------------------------------------------------------------------------------------------ XML and FHIR
    "jats: paragraphs": jats("", "<p>word <italic>word</italic></p>"),
    "jats: sections": jats("", "<sec><title>T</title><p>x</p></sec>"),
    "jats: footnotes": jats("<p>", "x<fn><p>y</p></fn>", "</p>"),
    "jats: raised": jats("<p>x", "<sup>2</sup>", "</p>"),
    "jats: raised links": jats("<p><xref>", "<sup>2</sup>", "</xref></p>"),
    "jats: cells": jats("<table-wrap><table>", "<tr><td rowspan='1000'>a</td><td>b</td></tr>", "</table></table-wrap>"),
    "jats: OASIS spans": (oasis, read),
    "jats: OASIS tables": jats(
        "",
        "<table-wrap><table><tgroup><colspec colname='a'/><tbody><row><entry>a</entry></row></tbody></tgroup></table></table-wrap>",
    ),
    "jats: references": jats_back("<ref><label>1</label><mixed-citation>Ada. 2020.</mixed-citation></ref>"),
    "jats: names of a reference": (
        lambda n: (
            f"<article><body><p>x</p></body><back><ref-list><ref><element-citation>{'<name><surname>A</surname></name>' * n}</element-citation></ref></ref-list></back></article>"
        ).encode(),
        read,
    ),
    "jats: authors": (
        lambda n: (
            f"<article><front><article-meta><contrib-group>{'<contrib><name><surname>A</surname></name></contrib>' * n}</contrib-group></article-meta></front><body><p>x</p></body></article>"
        ).encode(),
        read,
    ),
    "jats: identifiers": (
        lambda n: (
            f"<article><front><article-meta>{'<article-id>A</article-id><kwd-group><kwd>a</kwd></kwd-group>' * n}</article-meta></front><body><p>x</p></body></article>"
        ).encode(),
        read,
    ),
    "jats: journals": (
        lambda n: (
            f"<article><front>{'<journal-meta><issn>1</issn></journal-meta><notes><p>x</p></notes>' * n}</front><body><p>x</p></body></article>"
        ).encode(),
        read,
    ),
    "jats: alternatives": jats("<alternatives>", "<textual-form>x</textual-form>", "</alternatives>"),
    "jats: formulas": jats("<p>", "<math><msup><mi>x</mi><mn>2</mn></msup></math>", "</p>"),
    "jats: ampersands": jats("<p>", "&amp;&alpha;", "</p>"),
    "jats: open CDATA": jats("<p>", "<!-- ", "--></p>"),
    "ccda: rows": (
        lambda n: (
            '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>T</title><component><structuredBody><component><section><title>A</title>'
            "<text><table><tbody>"
            + "<tr><td ID='a'>x</td><td>y</td></tr>" * n
            + "</tbody></table></text></section></component></structuredBody></component></ClinicalDocument>"
        ).encode(),
        read,
    ),
    "ccda: sections and entries": (
        lambda n: (
            '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>T</title><component><structuredBody>'
            + "".join(
                f'<component><section><title>A</title><text><content ID="a{i}">x</content></text><entry><observation classCode="OBS" moodCode="EVN"><code code="1" displayName="x{i}"/><text><reference value="#a{i}"/></text><value xsi:type="CD" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" displayName="v{i}"/></observation></entry></section></component>'
                for i in range(n)
            )
            + "</structuredBody></component></ClinicalDocument>"
        ).encode(),
        read,
    ),
    "ccda: entries of one section": (
        lambda n: (
            '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>T</title><component><structuredBody><component><section><title>A</title><text>x</text>'
            + "".join(
                f'<entry><observation classCode="OBS" moodCode="EVN"><code code="1" displayName="x{i}"/><value xsi:type="CD" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" displayName="v{i}"/></observation></entry>'
                for i in range(n)
            )
            + "</section></component></structuredBody></component></ClinicalDocument>"
        ).encode(),
        read,
    ),
    "ccda: escaped markup": ccda_text("x", "&lt;b>x&lt;/b>"),
    "ccda: escaped markup after elements": ccda_text("x", "<br/>&lt;b>x&lt;/b>"),
    "ccda: pictures": ccda_text("x", "<renderMultiMedia referencedObject='m'/>"),
    "fhir: resources": (
        lambda n: (
            '{"resourceType":"Bundle","entry":['
            + ",".join(
                f'{{"fullUrl":"urn:uuid:{i}","resource":{{"resourceType":"Observation","id":"{i}","status":"final","code":{{"text":"x{i}"}},"valueString":"v","subject":{{"reference":"urn:uuid:0"}}}}}}'
                for i in range(n)
            )
            + "]}"
        ).encode(),
        read,
    ),
    "fhir: sections": (
        lambda n: (
            '{"resourceType":"Composition","status":"final","title":"T","section":['
            + ",".join('{"title":"A","text":{"status":"additional","div":"<div><p>x</p></div>"}}' for i in range(n))
            + "]}"
        ).encode(),
        read,
    ),
    "fhir: extensions": (
        lambda n: (
            '{"resourceType":"Patient","name":[' + ",".join('{"text":"Ann","given":["A"]}' for i in range(n)) + "]}"
        ).encode(),
        read,
    ),
    "fhir: narrative that is no XHTML": (
        lambda n: (
            '{"resourceType":"Composition","status":"final","text":{"status":"additional","div":"<div>'
            + "K<3 <b " * n
            + '"}}'
        ).encode(),
        read,
    ),
    # --------------------------------------------------------------------------------------------------------- Word
    "fhir: notes": (
        lambda n: (
            '{"resourceType":"Observation","id":"o","note":['
            + ",".join(f'{{"text":"w{i} x"}}' for i in range(n))
            + "]}"
        ).encode(),
        read,
    ),
    "word: paragraphs": word("", f"<w:p>{run('word word')}</w:p>"),
    "word: runs of one paragraph": word("<w:p>", run("word "), "</w:p>"),
    "word: list": word(
        "", f'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>{run("x")}</w:p>'
    ),
    "word: rows": word(
        "<w:tbl>",
        f"<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p>{run('x')}</w:p></w:tc><w:tc><w:p>{run('y')}</w:p></w:tc></w:tr>",
        "</w:tbl>",
    ),
    "word: merged cells": word(
        "<w:tbl>",
        f'<w:tr><w:tc><w:tcPr><w:gridSpan w:val="900"/><w:vMerge w:val="restart"/></w:tcPr><w:p>{run("x")}</w:p></w:tc><w:tc><w:p>{run("y")}</w:p></w:tc></w:tr>',
        "</w:tbl>",
    ),
    "word: cells of one row": word("<w:tbl><w:tr>", f"<w:tc><w:p>{run('x')}</w:p></w:tc>", "</w:tr></w:tbl>"),
    "word: fields": word(
        "",
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF a{i}</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        + run("x")
        + '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>',
    ),
    "word: nested fields": word(
        "<w:p>",
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>IF </w:instrText></w:r>',
        run("x") + "</w:p>",
    ),
    "word: fields of one paragraph": word(
        "<w:p>",
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        + run("x")
        + '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
        "</w:p>",
    ),
    "word: bookmarks": word(
        "", f'<w:p><w:bookmarkStart w:id="{{i}}" w:name="a{{i}}"/>{run("x")}<w:bookmarkEnd w:id="{{i}}"/></w:p>'
    ),
    "word: footnotes": word(
        "",
        f'<w:p>{run("x")}<w:r><w:footnoteReference w:id="{{i}}"/></w:r></w:p>',
        footnotes=lambda n: "".join(f'<w:footnote w:id="{i}"><w:p>{run("y")}</w:p></w:footnote>' for i in range(n)),
    ),
    "word: comments": word(
        "",
        f'<w:p><w:commentRangeStart w:id="{{i}}"/>{run("x")}<w:commentRangeEnd w:id="{{i}}"/><w:r><w:commentReference w:id="{{i}}"/></w:r></w:p>',
        comments=lambda n: "".join(
            f'<w:comment w:id="{i}" w:author="a"><w:p>{run("y")}</w:p></w:comment>' for i in range(n)
        ),
    ),
    "word: styles": word(
        "",
        f'<w:p><w:pPr><w:pStyle w:val="a{{i}}"/></w:pPr>{run("x")}</w:p>',
        styles=lambda n: "".join(
            f'<w:style w:type="paragraph" w:styleId="a{i}"><w:name w:val="a{i}"/><w:basedOn w:val="a{i - 1}"/></w:style>'
            for i in range(n)
        ),
    ),
    "word: numberings": word(
        "",
        f'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="{{i}}"/></w:numPr></w:pPr>{run("x")}</w:p>',
        numbering=lambda n: (
            "".join(
                f'<w:abstractNum w:abstractNumId="{i}"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl></w:abstractNum>'
                for i in range(n)
            )
            + "".join(f'<w:num w:numId="{i}"><w:abstractNumId w:val="{i}"/></w:num>' for i in range(n))
        ),
    ),
    "word: raised runs": word(
        "<w:p>", f'{run("x")}<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2</w:t></w:r>', "</w:p>"
    ),
    "word: only raised runs": word(
        "<w:p>", '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2</w:t></w:r>', "</w:p>"
    ),
    "word: deletions": word(
        "<w:p>", f'<w:del w:id="1"><w:r><w:delText>x</w:delText></w:r></w:del>{run("y")}', "</w:p>"
    ),
    "word: sections": word("", f"<w:p><w:pPr><w:sectPr/></w:pPr>{run('x')}</w:p>"),
    "word: content controls": word(
        "",
        f'<w:sdt><w:sdtPr><w:tag w:val="a{{i}}"/></w:sdtPr><w:sdtContent><w:p>{run("x")}</w:p></w:sdtContent></w:sdt>',
    ),
    "word: controls around cells": word(
        "<w:tbl><w:tr><w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>",
        f"<w:tc><w:p>{run('x' * 100)}</w:p></w:tc>",
        "</w:sdtContent></w:sdt></w:tr></w:tbl>",
    ),
    "word: quotes in a field": word(
        f'<w:p>{run("x")}<w:fldSimple w:instr="QUOTE &quot;', r"\&quot;", f'">{run("y")}</w:fldSimple></w:p>'
    ),
    "word: commands in a field": word(f'<w:p>{run("x")}<w:fldSimple w:instr="EQ ', r"\f\lc", '"/></w:p>'),
    "word: fields in a comment": word(
        f"<w:p>{run('x')}</w:p>",
        "",
        comments=lambda n: (
            '<w:comment w:id="1"><w:p>'
            + '<w:r><w:fldChar w:fldCharType="begin"/><w:fldChar w:fldCharType="separate"/></w:r>' * n
            + run("x") * n
            + '<w:r><w:fldChar w:fldCharType="end"/></w:r>' * n
            + "</w:p></w:comment>"
        ),
    ),
    "word: styles in a chain": word(
        f"<w:p>{run('x')}</w:p>",
        "",
        styles=lambda n: "".join(
            f'<w:style w:styleId="a{i}"><w:basedOn w:val="a{i + 1}"/></w:style>' for i in range(n)
        ),
    ),
    "word: lists by name": word(
        f"<w:p>{run('x')}",
        '<w:fldSimple w:instr="LISTNUM q"/>',
        "</w:p>",
        numbering=lambda n: "".join(f'<w:num w:numId="{i}"><w:abstractNumId w:val="0"/></w:num>' for i in range(n)),
    ),
    "word: lists in a chain": word(
        f"<w:p>{run('x')}</w:p>",
        "",
        styles=lambda n: "".join(
            f'<w:style w:styleId="a{i}"><w:pPr><w:numPr><w:numId w:val="{i + 1}"/></w:numPr></w:pPr></w:style>'
            for i in range(n)
        ),
        numbering=lambda n: "".join(
            f'<w:abstractNum w:abstractNumId="{i}"><w:numStyleLink w:val="a{i}"/></w:abstractNum><w:num w:numId="{i}"><w:abstractNumId w:val="{i}"/></w:num>'
            for i in reversed(range(n))
        ),
    ),
    "word: spaces in the pattern of a list": word(
        "",
        f'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>{run("x")}</w:p>',
        numbering=lambda n: (
            f'<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:lvlText w:val="{" " * 100 * n}%1."/></w:lvl></w:abstractNum>'
            '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
        ),
    ),
    "word: runs after a raised one": word(
        '<w:p><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>1</w:t></w:r>', run("x" * 100), "</w:p>"
    ),
    # ---------------------------------------------------------------------------------------------------------- PDF
    "pdf: lines": pdf(shown),
    "pdf: letters": pdf(lambda n: shown(n, "x")),
    "pdf: letters in one place": pdf(lambda n: "BT /F 8 Tf 50 700 Td (x) Tj ET\n" * n),
    "pdf: one long line": pdf(lambda n: f"BT /F 8 Tf 50 700 Td ({'word ' * n}) Tj ET\n"),
    "pdf: one column": pdf(lambda n: "".join(f"BT /F 8 Tf 50 {100000 - 10 * i} Td (word) Tj ET\n" for i in range(n))),
    "pdf: scattered": pdf(
        lambda n: "".join(f"BT /F 8 Tf {i * 37 % 550} {i * 91 % 777} Td (ab) Tj ET\n" for i in range(n))
    ),
    "pdf: turned": pdf(
        lambda n: "".join(f"BT /F 8 Tf 0 1 -1 0 {i * 37 % 550} {i * 91 % 777} Tm (ab) Tj ET\n" for i in range(n))
    ),
    "pdf: raised": pdf(lambda n: "BT /F 8 Tf 50 700 Td " + "(x) Tj 4 Ts (2) Tj 0 Ts " * n + "ET"),
    "pdf: ruling lines": pdf(
        lambda n: (
            shown(40)
            + "".join(f"{i * 13 % 500} {i * 7 % 700} m {i * 13 % 500 + 90} {i * 7 % 700} l S\n" for i in range(n))
        )
    ),
    "pdf: grid": pdf(
        lambda n: (
            shown(n)
            + "".join(f"50 {740 - i * 700 / n:.2f} m 560 {740 - i * 700 / n:.2f} l S\n" for i in range(n))
            + "".join(f"{50 + 130 * i} 30 m {50 + 130 * i} 750 l S\n" for i in range(5))
        )
    ),
    "pdf: rectangles": pdf(lambda n: shown(40) + "".join(f"{i * 13 % 500} {i * 7 % 700} 9 9 re f\n" for i in range(n))),
    "pdf: free text by glyphs": annotations("/FreeText", "/AP << /N 10 0 R >>"),
    "pdf: notes": annotations("/Text"),
    "pdf: popups": annotations("/Popup"),
    "pdf: links": annotations("/Link", "/A << /S /URI /URI (http://a.b) >>"),
    "pdf: highlights": annotations("/Highlight", "/QuadPoints [0 0 9 0 0 9 9 9]"),
    "pdf: fields": annotations("/Widget", "/FT /Tx /T (a) /V (b) /AP << /N 10 0 R >>"),
    # ---------------------------------------------------------------------------------------------------- structure
    "sections: clauses": structure("", "{i}. " + CLAUSE),
    "sections: same numbers": structure("", "1. " + CLAUSE),
    "sections: letters": structure("", "(a) either cash; (b) shares; and (c) other;\n"),
    "sections: lists after a colon": structure("1. Parts. The parts are:\n", "1. wheel\n2. axle\nThe parts are:\n"),
    "sections: one list after a colon": structure("1. Parts. The parts are:\n", "{i}. wheel\n"),
    "sections: FORM OF": structure("Exhibit A Form\nfoo text\n" + "foo text here\n", "FORM OF ABCDEF GHIJ\n12 34\n"),
    "sections: FORM OF in small letters": structure("Exhibit A Form\n", "FORM OF ABCDEF GHIJ\n12 34\n"),
    "sections: FORM OF after exhibits": structure("", "Exhibit {i} Title\nFORM OF ABCDEF GHIJ\n12 34\n"),
    "sections: exhibits": structure(
        "",
        "Exhibit {i} Title\nfoo text here foo text here foo text here foo text here foo text here foo text here foo text here foo text here foo text.\n\n",
    ),
    "sections: mentions of exhibits": structure(
        "",
        "{i}. "
        + CLAUSE
        + "Exhibit A{i} Title\nfoo see Exhibit B9 and Schedule 77 and Annex C attached. "
        + PROSE
        + PROSE
        + "\n\n",
    ),
    "sections: kinds of exhibits": structure("", "{i}. " + CLAUSE + "See Exhibit ZZ and Exhibit YY. "),
    "sections: contents": structure("TABLE OF CONTENTS\n", "{i}. Payment ........ 7\n", "1. " + CLAUSE),
    "sections: tables of contents": structure("", "TABLE OF CONTENTS\n{i}. Payment ........ 7\n1. " + CLAUSE),
    "sections: paragraphs (c)": structure("", "{i}. Pay under paragraph (c) of this.\n(a) one under paragraph (c)\n"),
    "sections: definitions": structure("", "“Term{i}” means the thing. "),
    "sections: definitions in one line": structure("", '"a" means '),
    "sections: long number": structure("Hello there.\n\nSection 1", ".1", "x and so on\n"),
    "sections: paragraphs of a long number": (
        lambda n: Document.from_text("1" + ".1" * 10 * n + " Title Of It\n\n" + "paragraph (c) " * n + "\n"),
        add_structure,
    ),
    "sections: open quotes": structure("", "“Term ", " means"),
    "sections: straight quotes": structure("", '"', " means"),
    "sections: definitions without an end": structure("", "“Term{i}” means the thing, and\n"),
    "sections: aliases": structure("", "(the “Term{i}”, “Other{i}”) "),
    "sections: open brackets": structure("", "(a b, "),
    "sections: references": structure("", "see Sections 2.1, 2.3 and 4(a) of the Act. "),
    "sections: one long reference": structure("see Sections 1", ", 2.3"),
    "sections: named headings": structure("", "Medications:\naspirin\n"),
    "sections: spaces": structure("1. Parts.", " ", "x"),
    "sections: lines of one letter": structure("", "a\n"),
    "sections: headings above": structure("", "Payment Terms\n{i}. the buyer shall pay.\n"),
    "sections: paths": structure("", "1.{i} " + CLAUSE),
    # -------------------------------------------------------------------------------------------------------- rules
    "rules: prose": rule(PROSE),
    "rules: figures": rule("1, ", "Sections "),
    "rules: heads and figures": rule("Sections 1, "),
    "rules: law heads": rule("section and "),
    "rules: section signs": rule("§ "),
    "rules: names": rule("Alpha and "),
    "rules: capitals": rule("Smith "),
    "rules: numbers": rule("one hundred "),
    "rules: doses": rule("5 mg po "),
    "rules: brackets": rule("( "),
    "rules: punctuation": rule("."),
    "rules: letters": rule("a"),
    "rules: digits": rule("1"),
    "rules: underscores": rule("_"),
    "rules: hyphens": rule("a-"),
    "rules: slashes": rule("a/"),
    "rules: apostrophes": rule("'s"),
    "rules: white space": rule(" "),
    "rules: addresses": rule("a@b."),
    # ------------------------------------------------------------------------------------------- values, kinds, titles
    "values: date": value("date", "January 5, "),
    "values: date in words": value("date", "first day of "),
    "values: digits as date": value("date", "1"),
    "values: money": value("money", "$1,000 "),
    "values: digits as money": value("money", "1,", "$"),
    "values: money in words": value("money", "one hundred "),
    "values: money and brackets": value("money", "five dollars ("),
    "values: duration": value("duration", "thirty (30) days "),
    "values: duration in words": value("duration", "two and "),
    "values: duration in a row": value("duration", "3 years, "),
    "values: percent": value("percent", "5 % "),
    "values: percent in words": value("percent", "one half of "),
    "values: number": value("number", "12 "),
    "values: digits as number": value("number", "1"),
    "values: dots as number": value("number", "1."),
    "values: spaces as number": value("number", " ", "1", "x"),
    "values: place": value("place", "New York, "),
    "values: party": value("party", "Acme Inc. and "),
    "type: prose": (lambda n: Document.from_text(PROSE * n), document_type),
    "title: capitals": (lambda n: "A B " * n, title_in),
    # ------------------------------------------------------------------------------------------------------- records
    "contract: clauses": record(contract_record, OPENING, "{i}. " + CLAUSE, SIGNED),
    "contract: parties": record(
        contract_record, OPENING[:40] + "This Agreement is made by and between ", 'Acme{i} Inc. ("A{i}"), ', SIGNED
    ),
    "contract: signatures": record(contract_record, OPENING, "ACME{i}, INC.\nBy: ____\nName: Ann\nTitle: CEO\n"),
    "contract: renewals": record(
        contract_record,
        OPENING,
        "The term shall automatically renew for successive periods of one (1) year unless notice is given 30 days prior to the end of the term. ",
        SIGNED,
    ),
    "contract: one sentence": record(contract_record, OPENING, "the term renews and ", SIGNED),
    "contract: caps": record(
        contract_record, OPENING, "In no event shall the liability of either party exceed ${i},000. ", SIGNED
    ),
    "contract: laws": record(
        contract_record, OPENING, "This Agreement is governed by the laws of the State of New York. ", SIGNED
    ),
    "contract: law without an end": record(contract_record, OPENING, "governed by the laws of ", SIGNED),
    "contract: terms": record(
        contract_record,
        OPENING,
        "The term of this Agreement shall commence on the Effective Date and continue for two years. ",
        SIGNED,
    ),
    "contract: dates": record(
        contract_record,
        OPENING,
        "This Agreement expires on May {i}, 2020 and is effective as of June 1, 2021. ",
        SIGNED,
    ),
    "contract: capitals": record(contract_record, OPENING, "Acme Beta ", SIGNED),
    "contract: lines of names": record(contract_record, OPENING, "Acme Beta, Inc.\n", SIGNED),
    "contract: blanks": record(contract_record, OPENING, "____ ", SIGNED),
    "contract: definitions": record(contract_record, OPENING, '"Term{i}" means Acme Corp. ("Acme{i}"). ', SIGNED),
    "contract: spaces": record(contract_record, OPENING, " ", SIGNED),
    "contract: empty lines": record(contract_record, OPENING, "\n", SIGNED),
    "note: medications": record(note_record, NOTE + "Medications:\n", "aspirin 5 mg po daily\n"),
    "note: medications of one line": record(note_record, NOTE + "Medications:\n", "aspirin 5 mg po daily, "),
    "note: problems": record(note_record, NOTE + "Problems:\n", "{i}. diabetes, hypertension\n"),
    "note: allergies": record(note_record, NOTE + "Allergies:\n", "penicillin, "),
    "note: denials": record(note_record, NOTE, "He denies fever, chills and pain. "),
    "note: one sentence": record(note_record, NOTE, "no fever and "),
    "note: vital signs": record(note_record, NOTE + "Vitals: ", "BP 120/80 HR 80 "),
    "note: abbreviations": record(note_record, NOTE, "coronary artery disease (CAD) "),
    "note: spaces": record(note_record, NOTE, " ", "x"),
    "note: sections": record(note_record, NOTE, "Medications:\naspirin\nAllergies:\nnone\n"),
    "paper: text": record(
        paper_record, "Title\nAbstract\nThe study.\nIntroduction\n", PROSE, "\nReferences\n1. Ada 2020.\n"
    ),
    "paper: abbreviations": record(
        paper_record,
        "Title\nAbstract\nThe study.\nIntroduction\n",
        "alpha beta {i} (AB{i}) here. ",
        "\nReferences\n1. Ada 2020.\n",
    ),
    "paper: references": record(
        paper_record,
        "Title\nAbstract\nThe study.\nIntroduction\nText.\nMethods\nx\nReferences\n",
        "{i}. Ada. Title. 2020.\n",
    ),
    "paper: authors": record(
        paper_record, "Title\n", "Ada Alpha1, ", "\nAbstract\nThe study.\nIntroduction\nText.\nMethods\nx\nReferences\n"
    ),
    "marks: raised pieces": (lambda n: [("raised", "abcdefghij k ")] * n, line_marks),
    "marks: plain pieces": (lambda n: [("plain", "abcdefghij k ")] * n, line_marks),
    # ------------------------------------------------------------------------------------------------ places, outputs
    "places: page, section and boxes": (sections_nested, at_each_section),
    "places: sections within one": (
        document(lambda n: "ARTICLE 1 ALL\n" + "".join(f"1.{i} {CLAUSE}" for i in range(1, n + 1))),
        at_each_section,
    ),
    "summary: names": (prediction, lambda made: names_by_label(made.entities)),
    **{f"output: {name}": output(name) for name in FORMATS if name not in ("csv", "parquet", "label-studio-pages")},
    "output: html, one page": output("html", pages=False),
    "output: table, one page": output("table", pages=False),
    "output: document as JSON": (lambda n: prediction(n).document, lambda made: Document.from_json(made.to_json())),
    # --------------------------------------------------------------------------------------------------- after a model
    "decoding: answers": (windows, answers),
    "decoding: overlaps": (
        lambda n: [Entity(text="a", label="A", start=i * 3, end=i * 3 + 2, score=0.5, page=1) for i in range(n)],
        lambda spans: without_overlap(spans, "longest"),
    ),
    "windows: split": (lambda n: n * 100, lambda n: split(n, size=256, overlap=32)),
}
