"""Outline, links, form fields and comments of a PDF."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs
from longdoc.loaders.pdf.interactive import place_drawn
from pdfs import lines, make_pdf

DATA = Path(__file__).parent / "data"


def loose_pdf(content: str, *objects: str, catalog: str = "", page: str = "") -> bytes:
    """A PDF of two pages without a cross-reference table; further objects are numbered from 10."""
    media = "/MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >>"
    body = [
        f"1 0 obj << /Type /Catalog /Pages 2 0 R {catalog} >> endobj",
        "2 0 obj << /Type /Pages /Count 2 /Kids [4 0 R 6 0 R] >> endobj",
        "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
        f"4 0 obj << /Type /Page /Parent 2 0 R {media} /Contents 5 0 R {page} >> endobj",
        f"5 0 obj << /Length {len(content)} >>\nstream\n{content}\nendstream endobj",
        f"6 0 obj << /Type /Page /Parent 2 0 R {media} >> endobj",
        *(f"{number} 0 obj << {text} >> endobj" for number, text in enumerate(objects, 10)),
    ]
    return "\n".join(["%PDF-1.7", *body, "trailer << /Root 1 0 R >>"]).encode("latin-1")


def test_the_outline_lists_titles_levels_and_pages():
    document = load(
        loose_pdf(
            lines("Lease"),
            "/First 11 0 R /Last 12 0 R /Count 2",
            "/Title (Term  of\nlease) /Parent 10 0 R /Next 12 0 R /Dest [4 0 R /Fit]",
            "/Title (Rent) /Parent 10 0 R /Prev 11 0 R /Dest [6 0 R /Fit] /First 13 0 R /Last 13 0 R",
            "/Title (Late rent) /Parent 12 0 R",
            catalog="/Outlines 10 0 R",
        )
    )
    found = [(item.title, item.level, item.page) for item in document.outline]
    assert found == [("Term of lease", 1, 1), ("Rent", 1, 2), ("Late rent", 2, None)]


def test_reading_an_outline_with_a_cycle_ends():
    loop = "/Title (A) /Parent 10 0 R /Next 11 0 R /First 11 0 R"
    document = load(loose_pdf(lines("Lease"), "/First 11 0 R", loop, catalog="/Outlines 10 0 R"))
    assert 1 <= len(document.outline) < 100


def test_links_cover_their_words():
    document = load(
        loose_pdf(
            lines("See the annex and the site"),
            "/Type /Annot /Subtype /Link /Rect [115 696 150 712] /Dest [6 0 R /Fit]",
            "/Type /Annot /Subtype /Link /Rect [194 696 215 712] /A << /S /URI /URI (https://example.org/a) >>",
            "/Type /Annot /Subtype /Link /Rect [300 20 320 40] /A << /S /URI /URI (https://example.org/b) >>",
            page="/Annots [10 0 R 11 0 R 12 0 R]",
        )
    )
    found = [(document.text[link.start : link.end], link.uri, link.page) for link in document.links]
    assert found == [("annex", "", 2), ("site", "https://example.org/a", None), ("", "https://example.org/b", None)]
    assert document.links[0].box.y0 == 792 - 712


def test_filled_fields_are_read_where_they_are_on_the_page():
    appearance = "q BT /F 12 Tf 2 4 Td (Ada Ltd.) Tj ET Q"
    fonts = "/Resources << /Font << /F 3 0 R >> >>"
    stream = f"/Type /XObject /Subtype /Form /BBox [0 0 90 16] {fonts} /Length {len(appearance)}"
    field = (
        "/Type /Annot /Subtype /Widget /FT /Tx /T (tenant) /V (Ada Ltd.) /Rect [120 697 210 713] /AP << /N 11 0 R >>"
    )
    data = loose_pdf(
        lines("Tenant:", "Landlord:"),
        field,
        stream,
        catalog="/AcroForm << /Fields [10 0 R] >>",
        page="/Annots [10 0 R]",
    )
    start = data.index(b"11 0 obj")
    data = data[:start] + data[start:].replace(
        b">> endobj", b">>\nstream\n" + appearance.encode() + b"\nendstream endobj", 1
    )
    document = load(data)
    assert document.text.split() == ["Tenant:", "Ada", "Ltd.", "Landlord:"]
    (field,) = document.fields
    assert (field.name, field.kind, field.value, field.page) == ("tenant", "text", "Ada Ltd.", 1)
    start = document.text.index("Ada")
    (box,) = document.locate(start, start + 8)
    assert field.box.x0 < box.x0 < box.x1 < field.box.x1


def test_comments_are_kept_beside_the_text():
    note = "/Type /Annot /Subtype /Text /Rect [300 700 320 720] /Contents (Check this.) /T (Bob)"
    document = load(loose_pdf(lines("Lease"), note, page="/Annots [10 0 R]"))
    (found,) = document.annotations
    assert (found.kind, found.text, found.author, found.page) == ("note", "Check this.", "Bob", 1)
    assert "Check" not in document.text


def test_drawn_text_goes_after_its_left_neighbour_or_the_line_above():
    letters = np.array([ord(char) for char in "abcXYZ"], np.uint32)
    own = [(0, 0, 5, 10), (40, 0, 45, 10), (0, 30, 5, 40)]
    drawn = [(10, 0, 15, 10), (0, 15, 5, 25), (50, 60, 55, 70)]
    glyphs = Glyphs(
        letters, np.array(own + drawn, np.float32), np.array([LINE, SPACE, LINE, LINE, LINE, LINE], np.uint8)
    )
    placed = place_drawn(glyphs, 3)
    assert "".join(map(chr, placed.codes)) == "aXbYcZ"
    assert placed.breaks.tolist()[1:] == [SPACE, SPACE, LINE, LINE, LINE]
    assert placed.breaks[0] in (LINE, NONE)


def test_a_real_form_is_read_with_its_values():
    document = load(DATA / "pdf" / "py-pdf_sample-files" / "012-libreoffice-form" / "libreoffice-form.pdf")
    assert {field.name: field.value for field in document.fields}["First Name"] == "Alice"
    assert "First Name Alice" in document.text


def test_comments_of_every_kind_are_kept():
    notes = {
        "/Subtype /FreeText /Contents (Free)": ("free text", "Free"),
        "/Subtype /Highlight /Contents (Marked) /QuadPoints [72 720 120 720 72 700 120 700]": ("highlight", "Marked"),
        "/Subtype /Popup /Contents (Marked)": None,
        "/Subtype /Text /Contents (A reply) /IRT 11 0 R": ("note", "A reply"),
        "/Subtype /Line /L [72 500 190 520] /Contents (Line)": ("shape", "Line"),
        "/Subtype /Polygon /Vertices [72 500 190 520] /Contents (Polygon)": ("shape", "Polygon"),
        "/Subtype /Text /RC (<body><p>Rich &amp; long</p></body>)": ("note", "Rich & long"),
        "/Subtype /Redact /Contents (To go)": ("redaction", "To go"),
        "/Subtype /Popup /Contents (Alone)": ("comment", "Alone"),
    }
    page = "/Annots [" + " ".join(f"{10 + i} 0 R" for i in range(len(notes))) + "]"
    objects = [f"/Type /Annot /Rect [72 500 190 520] {note}" for note in notes]
    document = load(loose_pdf(lines("Lease"), *objects, page=page))
    assert [(each.kind, each.text) for each in document.annotations] == [kept for kept in notes.values() if kept]


def test_embedded_and_attached_files_are_named():
    files = [f"/Type /Filespec /F (annex {i}.pdf) /EF << /F 20 0 R >>" for i in range(3)]
    names = "/Names << /EmbeddedFiles << /Names [(a) 10 0 R (b) 11 0 R (c) 12 0 R] >> >>"
    (warning,) = load(loose_pdf(lines("Cover"), *files, catalog=names), pages=(1, 1)).warnings
    assert warning.startswith("3 embedded files not read: annex 0.pdf, annex 1.pdf, annex 2.pdf;")
    attached = "/Type /Annot /Subtype /FileAttachment /Rect [72 500 190 520] /FS 11 0 R"
    data = loose_pdf(lines("Cover"), attached, files[0], page="/Annots [10 0 R]")
    (warning,) = load(data, pages=(1, 1)).warnings
    assert warning.startswith("1 embedded file not read: annex 0.pdf;")


def test_an_xfa_form_is_named():
    form = "/NeedsRendering true /AcroForm << /Fields [] /XFA 10 0 R >>"
    warnings = load(loose_pdf(lines("Please wait"), "/Length 0", catalog=form)).warnings
    assert any("XFA form" in warning for warning in warnings)


def test_fields_on_no_page_are_named():
    fields = (
        "/FT /Tx /T (tenant) /V (Jane Roe)",
        "/FT /Tx /T (party) /Kids [12 0 R]",
        "/FT /Tx /T (name) /V (Bob) /Parent 11 0 R",
        "/FT /Tx /T (empty)",
        "/FT /Tx /T (shown) /V (Ann) /Type /Annot /Subtype /Widget /Rect [120 697 210 713]",
    )
    form = "/AcroForm << /Fields [10 0 R 11 0 R 13 0 R 14 0 R] >>"
    document = load(loose_pdf(lines("Lease"), *fields, catalog=form, page="/Annots [14 0 R]"))
    assert "2 form fields on no page: tenant = 'Jane Roe', party.name = 'Bob'" in document.warnings
    assert not any(
        "on no page" in warning for warning in load(loose_pdf(lines("Lease"), *fields), pages=(1, 1)).warnings
    )


def test_a_page_with_too_many_objects_to_search_is_named(monkeypatch):
    monkeypatch.setattr("longdoc.loaders.pdf.objects._MOST_OBJECTS", 3)
    many = load(make_pdf(lines("One"), "".join(lines(f"Line {i}", y=700 - 20 * i) for i in range(5))))
    assert many.text.count("Line") == 5
    assert many.warnings == ("page 2: draws too many objects to look for hidden text among all of them",)


def packed(damage: str) -> bytes:
    """A page whose content is compressed and then damaged."""
    content = "".join(lines(f"Line {i} of the text is {i * 37 % 101}", y=740 - 14 * i) for i in range(45)).encode()
    stream = zlib.compress(content)
    middle = len(stream) // 2
    stream = {
        "": stream,
        "changed": stream[:middle] + b"\xff\0\xff\0\xff\1" + stream[middle + 6 :],
        "cut": stream[:middle],
        "without checksum": stream[:-4],
    }[damage]
    data = loose_pdf("CONTENT")
    head = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream)
    return data.replace(b"<< /Length 7 >>\nstream\nCONTENT", head + stream)


def test_damaged_content_is_named():
    for damage in ("changed", "cut"):
        (warning,) = load(packed(damage), pages=(1, 1)).warnings
        assert "damaged (object 5 of the file)" in warning
    for damage in ("", "without checksum"):
        document = load(packed(damage), pages=(1, 1))
        assert "Line 44" in document.text
        assert document.warnings == ()


@pytest.mark.parametrize("junk", ["BT /F 12 Tf (open Tj ET ", "<< /A << ", "[ [ ", "<4142 ", "BI /W 1 /H 1 ID x "])
def test_content_that_leaves_something_open_is_named(junk):
    document = load(loose_pdf(lines("Alpha") + junk + lines("Beta", y=600)), pages=(1, 1))
    assert document.text == "Alpha"
    assert "damaged" in document.warnings[0]


@pytest.mark.parametrize("junk", ["( " + "BI  ID " * 20_000, "Tj " + "BT " * 100_000, "(" * 50_000])
def test_repeated_beginnings_are_read_in_linear_time(junk):
    assert "Alpha" in load(loose_pdf(lines("Alpha") + junk), pages=(1, 1)).text


@pytest.mark.parametrize(
    "junk", [">> ]] foo 12 ", ") ) Tj ", "Q Q ", "[(1]) 2 (\\() 3 <41>] TJ ", "BI /W 1 /H 1 ID ( EI "]
)
def test_content_that_is_read_to_its_end_is_not_warned_of(junk):
    document = load(loose_pdf(lines("Alpha") + junk + lines("Beta", y=600)), pages=(1, 1))
    assert document.text.split()[:: len(document.text.split()) - 1] == ["Alpha", "Beta"]
    assert document.warnings == ()
