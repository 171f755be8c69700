"""Passwords, buttons, thin spaces, codes across lines and the ends of tables in PDFs."""

import zlib

import numpy as np
import pypdfium2 as pdfium

from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import RAISED, SPACE, Glyphs
from longdoc.loaders.layout.raised_glyphs import close_up
from longdoc.loaders.pdf.miner import Miner
from pdfs import lines, make_pdf
from test_interactive import loose_pdf


def test_a_password_is_never_read():
    field = "/Type /Annot /Subtype /Widget /FT /Tx /Ff 8192 /T (pin) /V (secret) /Rect [120 697 210 713]"
    for page in ("/Annots [10 0 R]", ""):
        data = loose_pdf(lines("Pin:"), field, catalog="/AcroForm << /Fields [10 0 R] >>", page=page)
        assert "secret" not in load(data).to_json()


def test_buttons_are_marked_beside_their_labels():
    button = "/Type /Annot /Subtype /Widget /FT /Btn"
    states = "/AP << /N << /Yes 20 0 R /Off 20 0 R >> >>"
    radios = "/AP << /N << /{} 20 0 R /Off 20 0 R >> >>"
    data = loose_pdf(
        lines("    Smoker", "    Driver", "Sex"),
        f"{button} /T (a) /V /Yes /AS /Yes /Rect [73 698 83 710] {states}",
        f"{button} /T (b) /V /Off /AS /Off /Rect [73 684 83 696] {states}",
        "/FT /Btn /Ff 49152 /T (sex) /V /F /Kids [13 0 R 14 0 R]",
        f"/Type /Annot /Subtype /Widget /Parent 12 0 R /AS /F /Rect [110 670 120 682] {radios.format('F')}",
        f"/Type /Annot /Subtype /Widget /Parent 12 0 R /AS /Off /Rect [130 670 140 682] {radios.format('M')}",
        catalog="/AcroForm << /Fields [10 0 R 11 0 R 12 0 R] >>",
        page="/Annots [10 0 R 11 0 R 13 0 R 14 0 R]",
    )
    document = load(data)
    assert document.text.split() == ["☒", "Smoker", "☐", "Driver", "Sex", "☒", "☐"]
    assert [(each.name, each.value) for each in document.fields] == [
        ("a", "on"),
        ("b", "off"),
        ("sex", "F"),
        ("sex", "off"),
    ]


def test_codes_are_joined_after_the_hyphen_that_ends_a_line():
    content = lines(
        "the text of the directive with the number AD 2018-", "23-51 was sent to every operator of the type"
    )
    assert "2018-23-51" in load(make_pdf(content)).text


def test_a_thin_space_before_a_raised_mark_is_closed_but_not_a_full_one():
    boxes = [[0, 0, 5, 10], [6.5, 0, 9, 6], [20, 0, 25, 10], [28, 0, 31, 6]]
    rises = np.array([0, RAISED, 0, RAISED], np.int8)
    codes, breaks = np.array([ord(char) for char in "s1s2"], np.uint32), np.full(4, SPACE, np.uint8)
    gaps = np.full(4, SPACE)
    close_up(gaps, np.arange(4), Glyphs(codes, np.array(boxes, np.float32), breaks, rises=rises))
    assert gaps.tolist() == [SPACE, 0, SPACE, SPACE]


def test_a_thin_space_before_a_mark_on_a_page():
    for x, read in ((43.8, "Reports[1] from it"), (45.4, "Reports [1] from it")):
        content = f"BT /F 12 Tf 72 700 Td (Reports) Tj /F 7 Tf {x} 5 Td (1) Tj /F 12 Tf 8 -5 Td (from it) Tj ET"
        assert load(loose_pdf(content)).text == read


def grid(x: list[int], y: list[int]) -> str:
    across = [f"{x[0]} {at} m {x[-1]} {at} l S" for at in y]
    return "\n".join([*across, *(f"{at} {y[0]} m {at} {y[-1]} l S" for at in x)])


def test_tables_are_in_reading_order_and_end_a_block():
    cells = [(75, "Fee", 705), (175, "Due", 705), (75, "Court", 685), (175, "None", 685), (75, "Copy", 665)]
    cells += [(175, "All", 665), (75, "Fee", 605), (175, "Due", 605), (75, "Filing", 585), (175, "None", 585)]
    texts = [f"BT /F1 12 Tf {x} {y} Td ({text}) Tj ET" for x, text, y in cells]
    tables = [grid([72, 172, 272], [660, 680, 700, 720]), grid([72, 172, 272], [580, 600, 620])]
    document = load(make_pdf("\n".join([*tables, *texts]), lines("after the page break the next sentence starts.")))
    assert "None\n\nafter" in document.text
    starts = [found.start for found in document.tables]
    assert len(starts) == 2 and starts == sorted(starts)


def test_fonts_are_read_up_to_the_damage_of_a_stream():
    numbers, packer = [str(number) for number in range(1000)], zlib.compressobj()
    packed = packer.compress(lines(*numbers).encode()) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 500
    head = b"/Length %d >>" % len(packed)
    data = make_pdf(packed.decode("latin-1")).replace(head, b"/Filter /FlateDecode " + head)
    with pdfium.PdfDocument(data) as pdf:
        text = "".join(character.text for character in Miner(pdf).characters(0))
    assert "".join(numbers[:900]) in text
