"""Equations and raised text of Word files: no number may change its value."""

import re

import pytest

from word_files import par, read, run


def r(text: str) -> str:
    return f'<m:r><m:t xml:space="preserve">{text.replace("<", "&lt;")}</m:t></m:r>'


def part(tag: str, *inner: str) -> str:
    return f"<m:{tag}>{''.join(each if each.startswith('<') else r(each) for each in inner)}</m:{tag}>"


def properties(tag: str, **values: str) -> str:
    inner = "".join(f'<m:{key} m:val="{value}"/>' for key, value in values.items())
    return f"<m:{tag}Pr>{inner}</m:{tag}Pr>"


def over(num: str, den: str, kind: str = "bar") -> str:
    return part("f", properties("f", type=kind), part("num", num), part("den", den))


def power(base: str, sup: str) -> str:
    return part("sSup", part("e", base), part("sup", sup))


def below(base: str, sub: str) -> str:
    return part("sSub", part("e", base), part("sub", sub))


def root(inner: str, degree: str = "") -> str:
    return part("rad", part("deg", degree) if degree else "", part("e", inner))


def brackets(*inner: str, **signs: str) -> str:
    return part("d", properties("d", **signs), *(part("e", each) for each in inner))


def nary(sign: str, sub: str, sup: str, inner: str) -> str:
    return part("nary", properties("nary", chr=sign), part("sub", sub), part("sup", sup), part("e", inner))


def matrix(*rows: tuple[str, ...]) -> str:
    return part("m", *(part("mr", *(part("e", each) for each in row)) for row in rows))


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (over("1", "2"), "1/2"),
        (over("1", "2", "skw"), "1/2"),
        (over("1", "2", "lin"), "1/2"),
        (over("b+c", "4+x"), "(b+c)/(4+x)"),
        (over(over("1", "2"), "3"), "(1/2)/3"),
        (over("1", over("2", "3")), "1/(2/3)"),
        (r("3") + over("1", "2"), "3 1/2"),
        (over("1", "2") + r("x"), "(1/2)x"),
        (r("x=") + over("1", "2") + r("+y"), "x=1/2+y"),
        (r("2") + over("x", "y"), "2(x/y)"),
        (over("5", "2", "noBar"), "5¦2"),
        (over("5", ""), "5"),
        (power("10", "3"), "10^3"),
        (power("10", "-6"), "10^-6"),
        (power("x", "2n"), "x^(2n)"),
        (power("2x", "2"), "(2x)^2"),
        (power(over("1", "2"), "3"), "(1/2)^3"),
        (power(brackets("a+b"), "2"), "(a+b)^2"),
        (power("e", over("1", "2")), "e^(1/2)"),
        (power("90", "°"), "90°"),
        (power("f", "′"), "f′"),
        (power("10", "3") + power("10", "4"), "10^3 10^4"),
        (power("", "2"), "^2"),
        (below("x", "1"), "x_1"),
        (below("x", "1") + r("2"), "x_1 2"),
        (below("a", "i+1"), "a_(i+1)"),
        (part("sSubSup", part("e", "x"), part("sub", "1"), part("sup", "2")), "x_1^2"),
        (part("sPre", part("sub", "6"), part("sup", "14"), part("e", "C")), "(_6^14)C"),
        (root("2"), "√2"),
        (root("b^2-4ac"), "√(b^2-4ac)"),
        (root("8", "3"), "8^(1/3)"),
        (root("x+1", "n"), "(x+1)^(1/n)"),
        (part("rad", properties("rad", degHide="1"), part("deg", "3"), part("e", "8")), "√8"),
        (brackets("x"), "(x)"),
        (brackets("0", "1", begChr="[", endChr=")", sepChr=","), "[0,1)"),
        (brackets("a", begChr="|", endChr="|"), "|a|"),
        (brackets("1", "2"), "(1|2)"),
        (brackets(part("eqArr", part("e", "1"), part("e", "2")), begChr="{", endChr=""), "{1; 2"),
        (nary("∑", "i=1", "10", "i"), "∑_(i=1)^10 i"),
        (nary("∫", "0", "1", "x+1"), "∫_0^1 (x+1)"),
        (nary("∏", "", "", "x"), "∏ x"),
        (part("nary", part("sub", "0"), part("sup", "1"), part("e", "x")), "∫_0^1 x"),
        (part("func", part("fName", "sin"), part("e", "x")), "sin x"),
        (part("func", part("fName", "sin"), part("e", "2x")), "sin(2x)"),
        (part("func", part("fName", below("log", "10")), part("e", "100")), "log_10 100"),
        (
            part("func", part("fName", part("limLow", part("e", "lim"), part("lim", "x→0"))), part("e", "x")),
            "lim_(x→0) x",
        ),
        (part("limUpp", part("e", "x"), part("lim", "1")), "x^1"),
        (part("acc", part("e", "x")), "x\u0302"),
        (part("bar", part("e", "x")), "x\u0305"),
        (part("acc", properties("acc", chr="\u20d7"), part("e", "AB")), "(AB)\u20d7"),
        (part("box", part("e", "1")) + part("borderBox", part("e", "2")), "1 2"),
        (part("groupChr", part("e", "3")), "3"),
        (matrix(("1", "2"), ("3", "4")), "[1, 2; 3, 4]"),
        (brackets(matrix(("1", "2"), ("3", "4"))), "(1, 2; 3, 4)"),
        (part("eqArr", part("e", "x=1"), part("e", "y=2")), "x=1; y=2"),
        (part("eqArr", part("e", r("x&amp;=1"))), "x=1"),
        (part("eqArr", part("e", power("x", "2") + r("=4#(1)"))), "x^2=4 (1)"),
        (r("12") + r("34"), "1234"),
        (r("a<b"), "a<b"),
    ],
)
def test_equations_keep_their_value(inner: str, text: str) -> None:
    document = read(par(f"{run('it is ')}<m:oMath>{inner}</m:oMath>{run('.')}"))
    assert document.text == f"it is {text}."
    assert {edit.kind for edit in document.edits if edit.raw_start == edit.raw_end} <= {"formula"}


def test_numbers_around_an_equation_stay_apart() -> None:
    half = f"<m:oMath>{over('1', '2')}</m:oMath>"
    assert read(par(run("of 2") + half + run("5 more"))).text == "of 2 1/2 5 more"
    assert read(par(run("of 2 ") + half + run(" 5"))).text == "of 2 1/2 5"


def test_several_equations_are_on_lines_of_their_own() -> None:
    both = f"<m:oMathPara><m:oMath>{r('x=1')}</m:oMath><m:oMath>{r('2=y')}</m:oMath></m:oMathPara>"
    assert read(par(both) + par("next")).text == "x=1\n2=y\n\nnext"


def test_deleted_and_hidden_parts_of_equations_are_furniture() -> None:
    gone = f"<w:del>{r('9')}</w:del>"
    unseen = part("phant", properties("phant", show="0"), part("e", "7"))
    hidden = "<m:r><m:rPr/><w:rPr><w:vanish/></w:rPr><m:t>8</m:t></m:r>"
    document = read(par(f"<m:oMath>{r('x')}{gone}{unseen}{hidden}{r('=1')}</m:oMath>"))
    assert document.text == "x=1"
    assert [(f.kind, f.text) for f in document.furniture] == [("deleted", "9"), ("hidden", "7"), ("hidden", "8")]
    document = read(par(run("x") + f"<w:del><m:oMath>{over('1', '2')}</m:oMath></w:del>"))
    assert (document.text, [f.text for f in document.furniture]) == ("x", ["1/2"])


def test_inserted_runs_and_text_in_equations_are_read() -> None:
    inner = over("1", f"<w:ins>{r('2')}</w:ins>") + run(" of rent")
    assert read(par(f"<m:oMath>{inner}</m:oMath>")).text == "1/2 of rent"


def test_an_equation_in_a_header_keeps_its_value() -> None:
    header = par(f"<m:oMath>{over('1', '2')}</m:oMath>")
    document = read(par("x") + '<w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>', hdr=header)
    assert [f.text for f in document.furniture] == ["1/2"]


SUP, SUB = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
STYLES = (
    f'<w:style w:type="character" w:styleId="Up"><w:rPr>{SUP}</w:rPr></w:style>'
    '<w:style w:type="character" w:styleId="Up2"><w:basedOn w:val="Up"/></w:style>'
    f'<w:style w:type="paragraph" w:styleId="UpP"><w:rPr>{SUP}</w:rPr></w:style>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="N"><w:rPr><w:sz w:val="24"/></w:rPr></w:style>'
)


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (run("limited to 10") + run("6", SUP) + run(" dollars"), "limited to 10^6 dollars"),
        (run("10") + run("-", SUP) + run("6", SUP) + run(" m"), "10^-6 m"),
        (run("of 1,000") + run("2", SUP) + run(" and"), "of 1,000[2] and"),
        (run("of 1,000") + run("2 ", SUP) + run("and"), "of 1,000[2] and"),
        (run("of 1,000") + run(" 2", SUP) + run(" and"), "of 1,000 2 and"),
        (run("500 m") + run("2", SUP), "500 m^2"),
        (run("the 1") + run("st", SUP) + run(" day"), "the 1st day"),
        (run("10") + run("6", SUP) + run("5"), "10^6 5"),
        (run("H") + run("2", SUB) + run("O"), "H2O"),
        (run("of 5") + run("1", SUP) + run("/") + run("2", SUB) + run(" tons"), "of 5 1/2 tons"),
        (run("of 5") + run("1", SUP) + run("⁄2 tons"), "of 5 1⁄2 tons"),
        (run("of 5") + run("1⁄", SUP) + run("2", SUB) + run("3"), "of 5 1⁄2 3"),
        (run("of ") + run("1", SUP) + run("/") + run("2", SUB), "of 1/2"),
        (run("1,000") + run("2", SUP) + run("/year"), "1,000[2]/year"),
        (run("1,000") + run("2", SUP) + run(" ") + run("x", SUP), "1,000[2] x"),
        (run("log") + run("10", SUB) + run("100"), "log10 100"),
        (run("10") + run("6", '<w:rStyle w:val="Up"/>'), "10^6"),
        (run("10") + run("6", '<w:rStyle w:val="Up2"/>'), "10^6"),
        (run("10") + run("6", f'<w:rStyle w:val="Up"/>{SUP.replace("superscript", "baseline")}'), "106"),
        (run("10") + run("6", '<w:position w:val="8"/><w:sz w:val="16"/>'), "10^6"),
        (run("10") + run("6", '<w:position w:val="8"/>'), "106"),
        (run("log") + run("2", '<w:position w:val="-6"/><w:sz w:val="14"/>') + run("8"), "log2 8"),
        (run("10") + f"<w:ins>{run('6', SUP)}</w:ins>", "10^6"),
        (run("10") + f"<w:del>{run('3', SUP)}</w:del>" + run("6", SUP), "10^6"),
        (run("10") + run("3", SUP + "<w:vanish/>") + run("6", SUP), "10^6"),
        (run("of 10") + f'<w:hyperlink w:anchor="_ftn1">{run("1", SUP)}</w:hyperlink>', "of 10[1]"),
        (run("10") + run("6", SUP).replace("<w:t ", "<w:tab/><w:t "), "10 6"),
        (run("9", SUP) + run("Be"), "9Be"),
    ],
)
def test_raised_and_lowered_text_changes_no_number(runs: str, text: str) -> None:
    document = read(par(runs), styles=STYLES)
    assert document.text == text
    written = re.sub(r"[\^\[\]]", "", document.text)
    assert "".join(written.split()) == "".join(
        "".join(c for c, kind in zip(document.raw_text, _kinds(document), strict=True) if not kind).split()
    )


def test_raised_text_in_headers_and_comments_changes_no_number() -> None:
    raised = par(
        run("under 10") + run("6", SUP) + run(" or 1,000") + run("2", SUP) + run(" H") + run("2", SUB) + run("O")
    )
    comment = f'<w:comment w:id="0">{raised}</w:comment>'
    body = par("x") + '<w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>'
    document = read(body, hdr=raised, comments=comment)
    assert [document.furniture[0].text, document.annotations[0].text] == ["under 10^6 or 1,000[2] H2O"] * 2


def _kinds(document) -> list[str]:
    """The kind of furniture of each raw character."""
    kinds = [""] * len(document.raw_text)
    for each in document.furniture:
        kinds[each.raw_start : each.raw_end] = [each.kind] * (each.raw_end - each.raw_start)
    return kinds


def test_a_paragraph_that_is_raised_as_a_whole_gets_no_marks() -> None:
    assert read(par("10 6", '<w:pStyle w:val="UpP"/>'), styles=STYLES).text == "10 6"


def test_a_note_with_a_mark_of_its_own_is_not_a_part_of_the_number() -> None:
    mark = f'<w:r><w:rPr>{SUP}</w:rPr><w:footnoteReference w:id="2" w:customMarkFollows="1"/><w:t>3</w:t></w:r>'
    plain = '<w:r><w:footnoteReference w:id="3"/></w:r>'
    notes = f'<w:footnote w:id="2">{par("3 Own.")}</w:footnote><w:footnote w:id="3">{par("Numbered.")}</w:footnote>'
    document = read(par(run("pays 10") + mark + run(" pounds") + plain), footnotes=notes)
    assert document.text == "pays 10[3] pounds[1]\n\n3 Own.\n\n[1] Numbered."
