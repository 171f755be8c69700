"""Raised and lowered text side by side: the same text in every format, and no number with another value."""

from html import escape

import pytest

from longdoc.loaders import load
from longdoc.loaders.raised import line_marks
from pdfs import lines, make_pdf
from timing import assert_linear
from word_files import make

CASES = [
    ("x _1 ^2", "x1^2"),
    ("x ^2 _1", "x^2_1"),
    ("SO _4 ^2-", "SO4^2-"),
    ("SO ^2- _4", "SO2-_4"),
    ("HCO _3 ^- ~22.", "HCO3- 22."),
    ("HCO _3 ^- 22.", "HCO3- 22."),
    ("HCO ^- _3 ~22.", "HCO-_3 22."),
    ("Ca ^2+ ~2.2", "Ca2+ 2.2"),
    ("Ca ^2+ 2.2", "Ca2+ 2.2"),
    ("Na ^+ 140", "Na+ 140"),
    ("of~ ^14 C~is", "of 14C is"),
    ("( ^14 C)", "(14C)"),
    ("of~ ^235 _92 U~is", "of 235_92U is"),
    ("of~ _92 ^235 U~is", "of 92 235U is"),
    ("^235 _92 U", "235_92U"),
    ("( ^235 _92 U)", "(235_92U)"),
    ("10 _2 ^3", "10_2^3"),
    ("10 ^3 _2 5", "10^3_2 5"),
    ("10 ^6 *2", "10^6[2]"),
    ("10 ^6 ~ *2 ~of", "10^6 [2] of"),
    ("x _1 ^2 *3", "x1^2[3]"),
    ("CO _2 *3", "CO2[3]"),
    ("H _2 O *2 ~and", "H2O[2] and"),
    ("H _2 O ^2 ~and", "H2O[2] and"),
    ("the~Tenant~ ^2 ~pays", "the Tenant [2] pays"),
    ("the~Tenant *1 *2 ~pays", "the Tenant[1][2] pays"),
    ("the~Tenant ^1 ^, ^2 ~pays", "the Tenant[1,2] pays"),
    ("m ^2 ~per~10 ^6 ~people", "m^2 per 10^6 people"),
    ("x _1 ^2 +y _2 ^3 ~is", "x1^2+y2^3 is"),
    ("x _1 ^2 y _2 ^3 ~is", "x1^2y2^3 is"),
    ("x _i y _i ^2 ~is", "xiyi^2 is"),
    ("x _1 _2 ^2 ~z", "x12^2 z"),
    ("10 ^- ^6 ~z", "10^-6 z"),
    ("log _10 ^2 100", "log10^2 100"),
    ("x _1 ^2 2019", "x1^2 2019"),
    ("R ^2 _adj ~is", "R^2_adj is"),
    ("x _ ^2", "x^2"),
    ("5.1 ^+0.2 _-0.3 ~mm", "5.1^+0.2_-0.3 mm"),
    ("5.1 _-0.3 ^+0.2 ~mm", "5.1_-0.3^+0.2 mm"),
    ("5,1 ^+0,2 _-0,3 ~mm", "5,1^+0,2_-0,3 mm"),
    ("51 ^+2% _-3% ~of", "51^+2%_-3% of"),
    ("m _-3 ^+2 ~of", "m_-3^+2 of"),
    ("m ^+2 _-3 ~of", "m^+2_-3 of"),
    ("5.1 _-0.3 ~mm", "5.1_-0.3 mm"),
    ("10 ^ _ ^6", "10^6"),
    ("C _6 H _12 O _6 ~and", "C6H12O6 and"),
    ("cm ^-2 s ^-1", "cm^-2s^-1"),
    ("8 ^1 / _2 %", "8 1/2%"),
    ("10 ^1 / _2 ~of", "10 1/2 of"),
    ("8 ^3 /4~of", "8 3/4 of"),
    ("10 ^1 /2~of", "10 1/2 of"),
    ("8 ^1/ _2 ~of", "8 1/2 of"),
    ("8 ^1 _/2 ~of", "8 1/2 of"),
    ("10 ^6 /100~mL", "10^6/100 mL"),
    ("10 ^3 /4~mL", "10^3/4 mL"),
    ("1.5~x~10 ^5 /10 ^6 ~of", "1.5 x 10^5/10^6 of"),
    ("25~mg/m ^2 /24~h", "25 mg/m^2/24 h"),
    ("x ^2 /3~of", "x^2/3 of"),
    ("m ^2 / _3 ~of", "m^2/3 of"),
    ("120 ^1 /80~mmHg", "120[1]/80 mmHg"),
    ("Smith ^1 /2~of", "Smith[1]/2 of"),
    ("of~ ^1 / _2 ~is", "of 1/2 is"),
    ("10 ^-3 ^b ~of", "10^-3[b] of"),
    ("10 ^- ^3 ^b ~of", "10^-3[b] of"),
    ("10 ^6 ^* ~of", "10^6* of"),
    ("10 ^6 ^a ~of", "10^6[a] of"),
    ("10 ^6 ^* 5", "10^6* 5"),
    ("10 ^6* ~of", "10^6* of"),
    ("5~m ^2 ^(1) ~of", "5 m^2(1) of"),
    ("5~m ^2* ~of", "5 m^2* of"),
    ("x ^2 ^* ~of", "x^2* of"),
    ("x _1 ^2 ^* ~of", "x1^2* of"),
    ("10 ^1 ^0 ~of", "10^10 of"),
    ("10 ^- ^1 ^0 ~of", "10^-10 of"),
    ("Ca ^2 ^+ ~of", "Ca2+ of"),
    ("2 ^n ^-1 ~of", "2^(n-1) of"),
    ("the~1 ^s ^t ~day", "the 1st day"),
    ("Smith ^* ^* ~of", "Smith** of"),
]
MARKS = [  # which Word and PDFs read as one mark, since they have no border between them
    ("Smith ^1 ^2 ~of", "Smith[1][2] of"),
    ("Smith ^a ^b ~of", "Smith[a][b] of"),
    ("Smith ^1 ^a ~of", "Smith[1][a] of"),
    ("10 ^6 ^2 ~of", "10^6[2] of"),
    ("10 ^6 ^\u2020 ~of", "10^6\u2020 of"),
    ("m ^2 ^1,2 ~of", "m^2[1,2] of"),
    ("1,000 ^2 ^a ~of", "1,000[2][a] of"),
]
KINDS = {"^": "raised", "_": "lowered", "*": "note"}


def pieces(case):
    """The kinds and texts of a case: ``^`` raised, ``_`` lowered, ``*`` the mark of a note, ``~`` a space."""
    found = [(KINDS.get(word[0], "plain"), word[word[0] in KINDS :].replace("~", " ")) for word in case.split()]
    return [(kind, text) for kind, text in found]


def tagged(case, link="<a href='#n'>{}</a>"):
    wraps = {"raised": "<sup>{}</sup>", "lowered": "<sub>{}</sub>", "plain": "{}", "note": f"<sup>{link}</sup>"}
    return "".join(wraps[kind].format(escape(text)) for kind, text in pieces(case))


def html(case):
    return f"<p>{tagged(case)}</p>".encode()


def styled(case):
    shift = "<span style='vertical-align:{}'>{{}}</span>"
    wraps = {"raised": shift.format("super"), "lowered": shift.format("sub"), "plain": "{}"}
    wraps["note"] = f"<a href='#n'>{wraps['raised']}</a>"
    return f"<p>{''.join(wraps[kind].format(escape(text)) for kind, text in pieces(case))}</p>".encode()


def jats(case):
    body = tagged(case, "<xref rid='n'>{}</xref>")
    return f"<article><front><article-meta/></front><body><p>{body}</p></body></article>".encode()


def ccda(case):
    text = tagged(case, "<linkHtml href='#n'>{}</linkHtml>")
    section = f"<component><section><text><paragraph>{text}</paragraph></text></section></component>"
    body = f"<component><structuredBody>{section}</structuredBody></component>"
    return f'<ClinicalDocument xmlns="urn:hl7-org:v3">{body}</ClinicalDocument>'.encode()


def word_runs(case):
    shifts = {"raised": "superscript", "lowered": "subscript", "note": "superscript", "plain": "baseline"}
    runs = [
        f'<w:r><w:rPr><w:vertAlign w:val="{shifts[kind]}"/></w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
        for kind, text in pieces(case)
    ]
    linked = [
        f'<w:hyperlink w:anchor="_ftn{number}">{run}</w:hyperlink>' if kind == "note" else run
        for number, (run, (kind, _)) in enumerate(zip(runs, pieces(case), strict=True))
    ]
    return f"<w:p>{''.join(linked)}</w:p>"


def word(case):
    return make(word_runs(case))


def pdf(case):
    rises = {"plain": (12, 0), "raised": (7.5, 4), "note": (7.5, 4), "lowered": (7.5, -2)}
    content = ""
    for kind, text in pieces(case):
        size, rise = rises[kind]
        shown = text.replace("(", r"\(").replace(")", r"\)")
        content += f"/F {size} Tf {rise} Ts ({shown}) Tj "
    return make_pdf(f"BT 72 700 Td {content} ET ")


@pytest.mark.parametrize("make_file", [html, styled, jats, ccda, word], ids=lambda made: made.__name__)
@pytest.mark.parametrize(("case", "text"), CASES)
def test_every_format_writes_the_same_text(case, text, make_file):
    document = load(make_file(case))
    assert document.text == text
    assert document.raw_text.replace(" ", "") == "".join(part for _, part in pieces(case)).replace(" ", "")


@pytest.mark.parametrize("make_file", [html, styled, jats, ccda], ids=lambda made: made.__name__)
@pytest.mark.parametrize(("case", "text"), MARKS)
def test_marks_of_notes_side_by_side_stay_apart(case, text, make_file):
    assert load(make_file(case)).text == text


@pytest.mark.parametrize(("case", "text"), [(case, text) for case, text in CASES if "^6 *" not in case])
def test_a_pdf_reads_the_same_where_the_glyphs_say_so(case, text):
    marks_are_one = "*1 *2" in case or "^2 *" in case  # two marks side by side look like one
    if not marks_are_one and "^6 ~ *" not in case:
        assert load(pdf(case)).text == text


def test_headers_of_word_files_are_written_by_the_same_rule():
    for case, text in CASES:
        if "*" not in case:
            body = '<w:p><w:r><w:t>x</w:t></w:r></w:p><w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>'
            assert load(make(body, hdr=word_runs(case))).furniture[0].text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<i>x<sub>1</sub></i><sup>2</sup>", "x1^2"),
        ("x<sub>1</sub><i><sup>2</sup></i> y", "x1^2 y"),
        ("x<b><sub>1</sub></b><b><sup>2</sup></b>3", "x1^2 3"),
        ("x<sub>1</sub>\n<sup>2</sup>", "x1 2"),
        ("10<sup>\n 6\n</sup> m", "10^ 6 m"),
        ("Tenant\n<sup>2</sup> pays", "Tenant [2] pays"),
        ("10<sup>6</sup><br>5", "10^6\n5"),
        ("10<sup>6 </sup>5", "10^6 5"),
        ("1,000<sup>2 </sup>and", "1,000[2] and"),
        ("10<sup style='display:none'>3</sup><sup>6</sup>", "10^6"),
        ("<table><tr><td>10<sup>6</sup></td><td>5</td></tr><tr><td>x<sub>1</sub><sup>2</sup></td><td>7</td></tr></table>",
         "10^6\t5\nx1^2\t7"),
        ("x<sup><span style='display:none'>2</span></sup> y", "x y"),
        ("x<sup>2<span style='display:none'>3<b>4</b></span>5<!-- 6 --></sup> y", "x^25 y"),
        ("x<sup><b hidden>2</b></sup><sub>1</sub> y", "x1 y"),
        ("<ol><li><sup>1</sup> of it</li></ol>", "1. 1 of it"),
        ("<p><sup><a href='#r'>1</a></sup> The note.</p>", "1 The note."),
    ],
)  # fmt: skip
def test_stacks_in_other_markup(markup, text):
    assert load(f"<html><body>{markup}</body></html>".encode()).text == text


def test_many_raised_pieces_take_no_longer_each():
    found = line_marks([("plain", "x"), *[("raised", "2"), ("lowered", "1")] * 50_000])
    assert len(found) == 100_001 and found[:3] == [("", ""), ("^", ""), ("_", "")]


def stack(up, down, *, up_first, before="SO", after="is 5", gap=0.0):
    """A word with one text above the other, as TeX draws it."""
    x = 72 + {"SO": 14.5, "x": 5, "10": 11.1, "HCO": 22.3}[before]
    parts = [f"BT /F 7 Tf {x} 703.6 Td ({up}) Tj ET ", f"BT /F 7 Tf {x} 697.5 Td ({down}) Tj ET "]
    rest = f"BT /F 10 Tf {x + 3.9 * max(len(up), len(down)) + gap} 700 Td ({after}) Tj ET "
    line = f"BT /F 10 Tf 72 700 Td ({before}) Tj ET " + "".join(parts if up_first else parts[::-1]) + rest
    return load(make_pdf(line + lines("Another line of it all", y=680))).text.split("Another")[0].strip()


@pytest.mark.parametrize(
    ("before", "up", "down", "up_first", "text"),
    [
        ("SO", "2-", "4", True, "SO2-_4 is 5"),
        ("SO", "2-", "4", False, "SO4^2- is 5"),
        ("x", "2", "12", True, "x^2_12 is 5"),
        ("x", "2", "12", False, "x12^2 is 5"),
        ("10", "3", "2", True, "10^3_2 is 5"),
        ("HCO", "-", "3", True, "HCO-_3 is 5"),
        ("HCO", "-", "3", False, "HCO3- is 5"),
    ],
)
def test_a_superscript_directly_above_a_subscript(before, up, down, up_first, text):
    assert stack(up, down, before=before, up_first=up_first, gap=3.0) == text


def test_two_short_lines_beside_a_large_letter_are_no_stack():
    large = "BT /F 14 Tf 72 700 Td (A) Tj ET "
    small = "".join(f"BT /F 8 Tf 84 {y} Td ({text}) Tj ET " for y, text in ((706, "12"), (695, "34")))
    assert "1234" not in load(make_pdf(large + small)).text
    far = "BT /F 10 Tf 72 700 Td (Rate) Tj ET BT /F 7 Tf 200 703 Td (12) Tj ET BT /F 7 Tf 200 697 Td (34) Tj ET "
    assert "1234" not in load(make_pdf(far)).text


@pytest.mark.parametrize(
    ("before", "width", "up", "down"),
    [("Room 4", 67.8, "10am", "12pm"), ("85", 22.3, "mg", "day"), ("$5", 22.3, "99", "each"), ("6", 11.2, "May", "to")],
)
@pytest.mark.parametrize("gap", [0.5, 1.5, 4.0])
@pytest.mark.parametrize("rise", [(7.2, -5), (9, -3), (10, -6)])
def test_two_lines_of_small_text_beside_a_number_are_no_scripts(before, width, up, down, gap, rise):
    large = f"BT /F 20 Tf 72 700 Td ({before}) Tj ET "
    small = [
        f"BT /F 10 Tf {72 + width + gap} {700 + at} Td ({text}) Tj ET "
        for at, text in zip(rise, (up, down), strict=True)
    ]
    for content in (large + "".join(small), large + "".join(reversed(small)), "".join(small) + large):
        text = load(make_pdf(content + lines("Another line of it all", y=640))).text
        assert "_" not in text and "^" not in text
        assert up + down not in text and down + up not in text and not (up[0].isdigit() and before + up in text)


def test_what_small_text_with_a_unit_gets_in_other_formats():
    assert load(b"<p>Room 4<sup>10am</sup><sub>12pm</sub></p>").text == "Room 4 10am 12pm"
    assert load(b"<p>$5<sup>99</sup><sub>each</sub></p>").text == "$5[99] each"


def test_dense_stacks_are_read_in_linear_time():
    assert load(b"<p>" + b"x<sup>2</sup><sub>1</sub>" * 1_000).text == "x^2_1" * 1_000
    assert_linear(lambda length: load(b"<p>" + b"x<sup>2</sup><sub>1</sub>" * length), 2_000)


def test_a_reference_to_a_missing_footnote_joins_no_numbers():
    for tail, text in (("5", "10^6 5"), (", 5", "10^6, 5")):
        markup = ccda("10 ^6").replace(b"</paragraph>", f"<footnoteRef IDREF='missing'/>{tail}</paragraph>".encode())
        assert load(markup).text == text


@pytest.mark.parametrize("indent", [0.0, 3.9])
@pytest.mark.parametrize("order", ["udU", "uUd"])
def test_the_mass_of_an_isotope_is_on_its_line_and_no_mark_of_a_note(order, indent):
    parts = {
        "u": "BT /F 7 Tf 106.7 703.6 Td (235) Tj ET ",
        "d": f"BT /F 7 Tf {106.7 + indent} 697.5 Td (92) Tj ET ",
        "U": "BT /F 10 Tf 118.7 700 Td (U is used) Tj ET ",
    }
    content = "BT /F 10 Tf 72 700 Td (fuel of) Tj ET " + "".join(parts[name] for name in order)
    text = load(make_pdf(content + lines("Another line of it all", y=640))).text.split("\n")[0]
    assert text in ("fuel of 235_92U is used", "fuel of 235 92U is used")


def test_a_raised_number_before_a_lowered_one_and_a_symbol_is_no_mark_of_a_note():
    assert load(b"<p>fuel of <sup>235</sup> <sub>92</sub> U is</p>").text == "fuel of 235 92 U is"
    assert load(b"<p>the Tenant <sup>2</sup> pays</p>").text == "the Tenant [2] pays"
