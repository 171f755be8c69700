"""Fields, form fields and content controls of Word files: results in the text, instructions beside it."""

import pytest

from longdoc.document import Document
from longdoc.loaders import load
from longdoc.loaders.docx.field_codes import formula, parse_code
from test_docx import NUMBERING
from word_files import cell, field, item, make, par, read, run, table, with_files

HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>' for level in (1, 2)
)


def code(text: str) -> str:
    return f'<w:r><w:instrText xml:space="preserve">{text}</w:instrText></w:r>'


def head(level: int, inner: str) -> str:
    return par(inner, f'<w:pStyle w:val="H{level}"/>')


def lines_of(document: Document) -> list[str]:
    return [line for line in document.text.split("\n") if line]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("AUTONUM", ["1. a", "2. b"]),
        (r"AUTONUM \* ROMAN \s )", ["I) a", "II) b"]),
        (r"AUTONUM \* alphabetic \s )", ["a) a", "b) b"]),
        (r"AUTONUM \* OrdText", ["first. a", "second. b"]),
        ("AUTONUMLGL", ["1. a", "2. b"]),
        (r" AUTONUMLGL  \* ALPHABETIC \e ", ["A a", "B b"]),
        (r"AUTONUMLGL \* Arabic \s :", ["1: a", "2: b"]),
        ("AUTONUMOUT", ["I. a", "II. b"]),
        ("LISTNUM", ["1) a", "2) b"]),
        (r"LISTNUM NumberDefault \l 2", ["a) a", "b) b"]),
        (r"LISTNUM OutlineDefault \l 4", ["a) a", "b) b"]),
        (r"LISTNUM LegalDefault \l 2", ["1.1. a", "1.2. b"]),
        (r"LISTNUM NumberDefault \l 6 \s 3", ["(iii) a", "(iii) b"]),
        (r"SEQ Table \* ARABIC", ["1 a", "2 b"]),
        (r"SEQ Table \* roman", ["i a", "ii b"]),
        (r"SEQ Table \r 7", ["7 a", "7 b"]),
        (r"SEQ Table \* MERGEFORMAT", ["1 a", "2 b"]),
    ],
)
def test_numbers_that_word_computes(code: str, shown: list[str]) -> None:
    document = read(par(field(code) + run(" a")) + par(field(code) + run(" b")))
    assert lines_of(document) == shown
    assert document.warnings == ()
    assert [f.kind for f in document.furniture] == ["field code", "field code"]
    simple = f'<w:fldSimple w:instr="{code}"/>'
    assert lines_of(read(par(simple + run(" a")) + par(simple + run(" b")))) == shown


def test_automatic_numbers_of_headings_and_the_text_below_them() -> None:
    legal, plain = field("AUTONUMLGL"), field("AUTONUM")
    body = head(1, legal + run(" A")) + par(legal + run(" x")) + par(legal + run(" y")) + head(2, legal + run(" B"))
    body += par(legal + run(" z")) + head(2, legal + run(" C")) + head(1, legal + run(" D"))
    shown = ["1. A", "1.1. x", "1.2. y", "1.1. B", "1.1.1. z", "1.2. C", "2. D"]
    assert lines_of(read(body, styles=HEADINGS)) == shown
    body = head(1, plain + run(" A")) + par(plain + run(" x")) + par(plain + run(" y")) + head(1, plain + run(" B"))
    assert lines_of(read(body + par(plain + run(" z")), styles=HEADINGS)) == ["1. A", "1. x", "2. y", "2. B", "1. z"]
    body = head(1, run("A")) + par(plain + run(" x")) + head(1, run("B")) + par(plain + run(" y"))
    assert lines_of(read(body, styles=HEADINGS)) == ["A", "1. x", "B", "2. y"]


def test_numbers_within_a_sentence() -> None:
    def number(code: str) -> str:
        return field(f"LISTNUM {code}")

    inner = run("pay ") + number(r"NumberDefault \l 5") + run(" rent, ") + number("") + run(" rates; ")
    inner += number(r"\l 6") + run(" now, ") + number(r"\l 5") + run(" tax")
    assert read(par(inner)).text == "pay (a) rent, (b) rates; (i) now, (c) tax"
    assert read(par(run("x ") + number("") + run(" y"))).warnings[0].startswith("fields without a stored result")


def test_numbers_within_a_numbered_paragraph_belong_to_its_list() -> None:
    def numbered(depth: int, text: str) -> str:
        return item(depth, text).replace(
            "</w:p>", field("LISTNUM") + run(" x ") + field("LISTNUM") + run(" y</w:p>"[:2]) + "</w:p>"
        )

    document = read(numbered(1, "Fees: ") + numbered(1, "Costs: "), numbering=NUMBERING)
    assert lines_of(document) == ["1.1 Fees: (a) x (b) y", "1.2 Costs: (a) x (b) y"]
    named = NUMBERING.replace('w:abstractNumId="0">', 'w:abstractNumId="0"><w:name w:val="Mine"/>', 1)
    document = read(
        par(field(r"LISTNUM Mine \l 3") + run(" p")) + par(field("LISTNUM Mine") + run(" q")), numbering=named
    )
    assert lines_of(document) == ["(a) p", "(b) q"]


def test_a_stored_number_sets_the_count() -> None:
    body = par(field("SEQ Fig", "4")) + par(field("SEQ Fig")) + par(field("SEQ Tab")) + par(field(r"SEQ Fig \c"))
    assert lines_of(read(body)) == ["4", "5", "1", "5"]
    for odd in ("²", "9" * 5000):
        assert lines_of(read(par(field("SEQ Fig", odd)) + par(field("SEQ Fig"))))[1] == "2"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (field("REF _Ref1 \\h", "3.1"), "see 3.1."),
        (field("DATE \\@ \"d MMMM yyyy\"", "5 May 2020"), "see 5 May 2020."),
        (field("IF 1 = 1 \"yes\" \"no\"", "yes"), "see yes."),
        (field("MERGEFIELD Name", "«Name»"), "see «Name»."),
        (field("= 2 + 3", "5"), "see 5."),
        (field("FORMTEXT", "Ann"), "see Ann."),
        (field("XE \"rent\""), "see ."),
        (field("TC \"rent\" \\l 1"), "see ."),
        (field("QUOTE \"five\""), "see five."),
        (field("SYMBOL 183 \\f Symbol"), "see •."),
        (field("SYMBOL 0xA9"), "see ©."),
        (field("SYMBOL 8364 \\u"), "see €."),
        (field("MACROBUTTON NoMacro [Click here]"), "see [Click here]."),
        (field(r"EQ \f(1,2)"), "see 1/2."),
        (field(code("IF ") + field("MERGEFIELD x", "Ann") + code(' = "Ann" "he" "she"'), "he"), "see he."),
        (field(code("EQ \\f(") + field("= a", "3") + code(",4)")), "see 3/4."),
        (field("REF a", field("SEQ x", "7")), "see 7."),
        ('<w:fldSimple w:instr="DATE"><w:r><w:t>May</w:t></w:r></w:fldSimple>', "see May."),
        (f"<w:del>{field('REF a', '4')}</w:del>{field('REF b', '5')}", "see 5."),
        (f"<w:del>{field('AUTONUM')}</w:del>", "see ."),
        (field("REF a", f"<w:del>{run('4')}</w:del><w:ins>{run('5')}</w:ins>"), "see 5."),
        (field("REF a", run("4", "<w:vanish/>") + run("5")), "see 5."),
    ],
)  # fmt: skip
def test_fields_show_their_results(inner: str, text: str) -> None:
    document = read(par(run("see ") + inner + run(".")))
    assert document.text == text
    assert document.warnings == ()


@pytest.mark.parametrize(
    "code", ["REF _Ref1 \\h", "PAGEREF x", "DATE", "NUMPAGES", "= 2 + 3", "IF 1 = 1 a b", "MERGEFIELD x"]
)
def test_a_field_without_a_result_is_named(code: str) -> None:
    (warning,) = read(par(run("see ") + field(code))).warnings
    assert "opens the file: 1 (" in warning and code in warning


def test_a_result_that_is_marked_as_outdated_is_a_warning() -> None:
    data = field("REF a", "4").replace('"begin"', '"begin" w:dirty="true"')
    (warning,) = read(par(data)).warnings
    assert "marked as out of date: 1" in warning


def test_a_field_over_several_paragraphs_and_one_that_never_ends() -> None:
    start = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC \\o</w:instrText></w:r>'
    separate, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("separate", "end"))
    body = par(start + separate + run("One")) + par(run("Two")) + par(end) + par("three")
    document = read(body)
    assert lines_of(document) == ["One", "Two", "three"]
    assert [(f.kind, f.text) for f in document.furniture] == [("field code", "TOC \\o")]
    assert lines_of(read(par(start + run("One")) + par("two"))) == ["One", "two"]
    assert lines_of(read(par(end + run("One")) + par("two"))) == ["One", "two"]
    assert lines_of(read(par(separate + run("One")) + par("two"))) == ["One", "two"]


def test_the_code_of_a_field_may_span_paragraphs_and_cells() -> None:
    start, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    separate = '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    code = f"{start}<w:r><w:instrText>IF a</w:instrText></w:r>"
    body = par(code) + par("<w:r><w:instrText> b</w:instrText></w:r>" + separate + run("shown") + end)
    document = read(body + table(cell(par(field("REF a", "in")))))
    assert lines_of(document) == ["shown", "in"]
    assert document.furniture[0].text == "IF a b"


def test_a_hyperlink_field_is_a_link() -> None:
    (link,) = read(par(run("see ") + field('HYPERLINK "http://a.b/" \\l "c"', "here"))).links
    assert (link.start, link.end, link.uri) == (4, 8, "http://a.b/#c")


def test_headers_and_comments_show_results_and_not_instructions() -> None:
    header = par(run("Page ") + field(field("PAGE", "x"), "2"))
    comment = f'<w:comment w:id="0">{par(field("REF a", "see 3"))}</w:comment>'
    body = par(run("x") + '<w:r><w:commentReference w:id="0"/></w:r>')
    document = read(body + '<w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>', hdr=header, comments=comment)
    assert [f.text for f in document.furniture] == ["Page 2"]
    assert [a.text for a in document.annotations] == ["see 3"]


def test_fields_nested_without_end_are_refused_and_many_are_read() -> None:
    deep = "".join(f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' * 400 for kind in ("begin", "end"))
    with pytest.raises(Exception, match="depth"):
        read(par(run("x") + deep))
    assert read(par(field("SEQ a", "1") * 3000)).text == "1" * 3000


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"EQ \f(1,2)", "1/2"),
        (r"EQ \f(b+c;4+x)", "(b+c)/(4+x)"),
        (r"eq 3\f(1,2)", "3 1/2"),
        (r"EQ \f(1,\f(2,3))", "1/(2/3)"),
        (r"EQ \r(2)", "√2"),
        (r"EQ \r(3,8)", "8^(1/3)"),
        (r"EQ \r(,x+1)", "√(x+1)"),
        (r"EQ 10\s\up8(6)", "10^6"),
        (r"EQ 1,000\s\up8(2)", "1,000[2]"),
        (r"EQ H\s\do4(2)O", "H2O"),
        (r"EQ \i\su(i=1,10,i)", "∑_(i=1)^10 i"),
        (r"EQ \b\bc\[(x)", "[x]"),
        (r"EQ \b(\f(1,2))", "(1/2)"),
        (r"EQ \o\ac(○,3)", "3"),
        (r"EQ \a\al\co2(1,2,3,4)", "1; 2; 3; 4"),
        (r"EQ \x\to(5)", "5"),
        (r"EQ \l(1,2)", "1, 2"),
        (r"EQ (a\,b)", "(a,b)"),
        (r"EQ \f(1", "1"),
        ("EQ " + r"\f(1," * 200 + "2" + ")" * 200, None),
    ],
)
def test_formulas_of_old_equation_fields(code: str, text: str | None) -> None:
    found = formula(code)
    assert found == text if text is not None else found


def test_instructions_are_parsed() -> None:
    code = parse_code('  seq  "My Table" \\* roman \\r3 \\h \\* MERGEFORMAT')
    assert (code.name, code.arguments, code.number_style) == ("SEQ", ("My Table",), "lowerRoman")
    assert code.switches == {"*": "roman", "r": "3", "h": ""}
    assert parse_code("").name == "" and parse_code("=SUM(A1)").name == "="


def form_field(code: str, data: str, result: str | None = None) -> str:
    return field(code, result).replace(
        '"begin"/>', f'"begin"><w:ffData><w:name w:val="n"/>{data}</w:ffData></w:fldChar>'
    )


DROPS = '<w:listEntry w:val="red"/><w:listEntry w:val="blue"/>'


@pytest.mark.parametrize(
    ("inner", "text", "found"),
    [
        (form_field("FORMCHECKBOX", "<w:checkBox><w:default w:val='0'/></w:checkBox>"), "☐", ("checkbox", "off")),
        (form_field("FORMCHECKBOX", "<w:checkBox><w:default w:val='1'/></w:checkBox>"), "☒", ("checkbox", "on")),
        (form_field("FORMCHECKBOX", "<w:checkBox><w:default w:val='1'/><w:checked w:val='0'/></w:checkBox>"), "☐",
         ("checkbox", "off")),
        (form_field("FORMCHECKBOX", "<w:checkBox><w:checked/></w:checkBox>", ""), "☒", ("checkbox", "on")),
        (form_field("FORMDROPDOWN", f"<w:ddList><w:result w:val='1'/>{DROPS}</w:ddList>"), "blue", ("choice", "blue")),
        (form_field("FORMDROPDOWN", f"<w:ddList>{DROPS}</w:ddList>"), "red", ("choice", "red")),
        (form_field("FORMDROPDOWN", f"<w:ddList><w:result w:val='9'/>{DROPS}</w:ddList>"), "", ("choice", "")),
        (form_field("FORMTEXT", "<w:textInput><w:default w:val='Bob'/></w:textInput>", "Ann"), "Ann", ("text", "Ann")),
        (form_field("FORMTEXT", "<w:textInput/>", "\u2002" * 5), "", ("text", "")),
        (form_field("FORMTEXT", "<w:textInput/>"), "", ("text", "")),
    ],
)  # fmt: skip
def test_legacy_form_fields(inner: str, text: str, found: tuple[str, str]) -> None:
    document = read(par(run("x: ") + inner + run(" |")))
    assert "".join(document.text.split()) == f"x:{text}|"
    assert [(f.name, f.kind, f.value) for f in document.fields] == [("n", *found)]
    assert document.warnings == ()


def control(properties: str, inner: str) -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"


HINT = "<w:showingPlcHdr/>"
LIST = '<w:dropDownList><w:listItem w:displayText="red" w:value="1"/><w:listItem w:value="blue"/></w:dropDownList>'


@pytest.mark.parametrize(
    ("body", "text", "furniture", "found"),
    [
        (par(run("x ") + control(HINT + "<w:text/>", run("Click"))), "x", [("placeholder", "Click")], ("", "text", "")),
        (par("x") + control(HINT, par("Click here")), "x", [("placeholder", "Click here")], None),
        (par("x") + control("<w:alias w:val='Name'/><w:text/>", par("Ann")), "x\n\nAnn", [("form", "Name")],
         ("Name", "text", "Ann")),
        (par(run("x ") + control(HINT + LIST, run("Choose"))), "x", [("form", "red blue"), ("placeholder", "Choose")],
         ("", "choice", "")),
        (par(run("x ") + control(LIST, run("red"))), "x red", [("form", "blue")], ("", "choice", "red")),
        (par(control("<w14:checkbox><w14:checked w14:val='1'/></w14:checkbox>", run("☒")) + run("x")), "☒x", [],
         ("", "checkbox", "on")),
        (par(control("<w14:checkbox><w14:checked w14:val='0'/></w14:checkbox>", run("☐")) + run("x")), "☐x", [],
         ("", "checkbox", "off")),
        (par(control('<w:date w:fullDate="2020-05-05T00:00:00Z"/>', run("5 May"))), "5 May", [], ("", "text", "5 May")),
        (table(cell(par("x")) + control(HINT + "<w:text/>", cell(par("Click")))), "x", [("placeholder", "Click")],
         ("", "text", "")),
        (par("x") + control("<w:showingPlcHdr w:val='0'/>", par("real")), "x\n\nreal", [], None),
        (par("x") + control("<w:docPartObj/>", control(HINT, par("Click"))), "x", [("placeholder", "Click")], None),
    ],
)  # fmt: skip
def test_content_controls(body: str, text: str, furniture: list[tuple[str, str]], found: tuple[str, str, str]) -> None:
    document = read(body)
    assert document.text == text
    assert [(f.kind, f.text) for f in document.furniture] == furniture
    assert [(f.name, f.kind, f.value) for f in document.fields] == ([found] if found else [])


def bound(content: str, properties: str = "<w:text/>", path: str = "/d:a/d:b[1]", value: str = "Ann") -> Document:
    binding = f"<w:dataBinding w:prefixMappings=\"xmlns:d='urn:d'\" w:xpath='{path}' w:storeItemID='{{AB}}'/>"
    body = par(run("for ") + control(properties + binding + "<w:alias w:val='Who'/>", run(content)))
    files = {
        "customXml/item1.xml": f"<a xmlns='urn:d'><b>{value}</b></a>",
        "customXml/itemProps1.xml": "<d:i xmlns:d='urn:p' d:itemID='{ab}'/>",
        "customXml/_rels/item1.xml.rels": '<Relationships><Relationship Id="p" Type="x/customXmlProps" '
        'Target="itemProps1.xml"/></Relationships>',
    }
    return load(with_files(make(body), files))


def test_bound_data_replace_a_placeholder_and_differences_are_named() -> None:
    document = bound("Click", HINT + "<w:text/>")
    assert document.text == "for Ann" and document.fields[0].value == "Ann"
    assert ("placeholder", "Click") in [(f.kind, f.text) for f in document.furniture]
    assert bound("Ann").warnings == ()
    assert "Who shows 'Bob', but its data in the file are 'Ann'" in bound("Bob").warnings[0]
    assert "cannot be found" in bound("Ann", path="/d:a[").warnings[0]
    assert "customXml/item1.xml" in bound("Ann", path="/d:a/d:c", value="Eve").warnings[-1]


@pytest.mark.parametrize("path", ["/d:a/d:b", "/d:a[1]/d:b[1]/text()", "//d:b", "/*/*[1]", "/d:a/d:b/text()[1]"])
def test_plain_paths_to_bound_data_are_followed(path: str) -> None:
    assert bound("Click", HINT + "<w:text/>", path=path).text == "for Ann"


@pytest.mark.parametrize(
    "path",
    [
        "re:test(.,&quot;(a+)+$&quot;)",
        "re:test(1,&quot;(&quot;)",
        "concat(/*,/*)",
        "//d:a[count(//d:b)>0]/d:b",
        "/d:a" * 70,
    ],
)
def test_paths_that_compute_are_not(path: str) -> None:
    document = bound("Ann", path=path.replace("re:", "d:"))
    assert document.text == "for Ann" and "cannot be found" in document.warnings[0]
