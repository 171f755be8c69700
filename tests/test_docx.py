import io
import random
import re
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.document import Document
from longdoc.errors import (
    CorruptDocumentError,
    EncryptedDocumentError,
    LimitExceededError,
    LongdocError,
    NoTextLayerError,
)
from longdoc.loaders import Limits, load
from longdoc.loaders.docx import load_docx
from longdoc.loaders.docx.number_styles import written
from longdoc.loaders.options import Options
from reference import docx_words
from word_files import cell, item, make, par, read, run, table

DATA = Path(__file__).parent / "data"
LEGAL = "".join(
    f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{style}"/>{extra}<w:lvlText w:val="{text}"/></w:lvl>'
    for depth, (style, text, extra) in enumerate(
        [
            ("upperRoman", "ARTICLE %1", ""),
            ("decimal", "%1.%2", "<w:isLgl/>"),
            ("lowerLetter", "(%3)", ""),
            ("lowerRoman", "(%4)", '<w:lvlRestart w:val="0"/>'),
        ]
    )
)
NUMBERING = (
    f'<w:abstractNum w:abstractNumId="0">{LEGAL}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="2"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
)


def test_multilevel_numbers_continue_across_tables_and_restart():
    body = "".join(item(*at) for at in [(0, "Term"), (1, "Start"), (2, "x"), (2, "y"), (3, "p"), (1, "End"), (2, "z")])
    body += table(cell(item(2, "in"))) + item(3, "q") + item(0, "Fees") + item(1, "Due") + item(2, "w", 2)
    lines = [line for line in read(body, numbering=NUMBERING).text.split("\n") if line]
    assert lines == [
        *("ARTICLE I Term", "1.1 Start", "(a) x", "(b) y", "(i) p", "1.2 End", "(a) z", "(b) in", "(ii) q"),
        *("ARTICLE II Fees", "2.1 Due", "(e) w"),
    ]


def test_numbers_by_style_and_by_link():
    styles = (
        '<w:style w:type="paragraph" w:styleId="B1"><w:name w:val="Titre"/><w:pPr><w:outlineLvl w:val="0"/>'
        '<w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style><w:style w:type="paragraph" w:styleId="B2">'
        '<w:basedOn w:val="B1"/><w:pPr><w:outlineLvl w:val="1"/><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr>'
        "</w:style>"
        '<w:style w:type="numbering" w:styleId="L"><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
    )
    linked = '<w:abstractNum w:abstractNumId="9"><w:numStyleLink w:val="L"/></w:abstractNum>'
    linked += (
        '<w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="4"><w:abstractNumId w:val="9"/></w:num>'
    )
    body = par("Term", '<w:pStyle w:val="B1"/>') + par("Start", '<w:pStyle w:val="B2"/>') + item(2, "x", 4)
    data = make(body, numbering=NUMBERING + linked, styles=styles)
    document = load_docx(data, name="a.docx", options=Options())
    assert document.text == "ARTICLE I Term\n\n1.1 Start\n\n(a) x"
    assert [(s.number, s.level, s.parent) for s in document.sections] == [("ARTICLE I", 1, None), ("1.1", 2, 0)]


def test_deleted_paragraphs_do_not_count_and_join():
    gone = item(1, "").replace(run(""), f"<w:del>{run('old').replace('w:t', 'w:delText')}</w:del>")
    gone = gone.replace("<w:rPr></w:rPr></w:pPr>", "<w:rPr><w:del/></w:rPr></w:pPr>")
    assert "<w:rPr><w:del/></w:rPr></w:pPr>" in gone
    document = read(
        item(1, "a") + gone + item(1, "b") + item(1, "c", mark="<w:del/>") + item(1, "d"), numbering=NUMBERING
    )
    assert document.text == "1.1 a\n\n1.2 b\n\n1.3 cd"
    assert [(f.kind, f.text) for f in document.furniture] == [("deleted", "old")]
    assert "old" in document.raw(0, len(document.text))


def test_changes_hidden_text_breaks_and_symbols():
    body = par(
        f"{run('keep')}<w:ins>{run(' new')}</w:ins><w:moveFrom>{run(' from')}</w:moveFrom>"
        f"{run(' secret', '<w:vanish/>')}"
        "<w:r><w:noBreakHyphen/></w:r>"
        f"{run('x')}<w:r><w:softHyphen/><w:tab/><w:sym w:font='Wingdings' w:char='F0FE'/><w:br/></w:r>{run('end')}"
        f"<w:r><w:instrText>REF a</w:instrText></w:r><w:hyperlink r:id='web'>{run('site')}</w:hyperlink>"
    )
    document = read(body)
    assert document.text == "keep new-x ☑\nendsite"
    assert {(f.kind, f.text) for f in document.furniture} == {
        *(("deleted", "from"), ("hidden", "secret"), ("field code", "REF a")),
    }
    (link,) = document.links
    assert (document.text[link.start : link.end], link.uri) == ("site", "http://a.b/")


def test_notes_boxes_and_comments():
    box = f"<w:txbxContent>{par('box')}</w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    body = par(
        f'{run("See")}<w:r><w:footnoteReference w:id="2"/></w:r>{run(" it")}<w:r>{both}</w:r>'
        '<w:r><w:commentReference w:id="0"/></w:r>'
    )
    notes = f'<w:footnote w:id="2">{par("Why")}{par("more")}</w:footnote>'
    comment = f'<w:comment w:id="0" w:author="Ann">{par("check")}</w:comment>'
    document = read(body + par("next"), footnotes=notes, comments=comment)
    assert document.text == "See[1] it\n\nbox\n\n[1] Why\n\nmore\n\nnext"
    assert [(a.kind, a.text, a.author) for a in document.annotations] == [("comment", "check", "Ann")]


def test_spans_nested_tables_and_their_offsets():
    restart, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    inner = table(cell(par("n1")) + cell(par("n2")))
    document = read(
        par("before")
        + table(
            cell(par("A"), restart) + cell(par("B"), '<w:gridSpan w:val="2"/>'),
            cell(par(), on) + cell(par("C") + inner + par()) + cell(par("D")),
        )
        + par("after")
    )
    assert document.text.startswith("before\n\nA\tB\nC\nn1\tn2") and document.text.endswith("D\n\nafter")
    places = [[(c.text, c.row, c.column, c.row_span, c.column_span) for c in t.cells] for t in document.tables]
    assert places[0][:2] == [("A", 0, 0, 2, 1), ("B", 0, 1, 1, 2)]
    assert [place[1:3] for place in places[0][2:]] == [(1, 1), (1, 2)]
    assert [place[0] for place in places[1]] == ["n1", "n2"]
    assert all(document.text[c.start : c.end] == c.text for t in document.tables for c in t.cells)


def test_rows_stay_separate_if_the_first_cell_is_empty_or_missing():
    late = "<w:trPr><w:gridBefore w:val='1'/></w:trPr>" + cell(par("late"))
    document = read(par("x") + table(cell(par("a")) + cell(par("b")), cell(par()) + cell(par("c")), late))
    assert [(c.text, c.row, c.column) for c in document.tables[0].cells if c.text] == [
        *(("a", 0, 0), ("b", 0, 1), ("c", 1, 1), ("late", 2, 1)),
    ]
    assert [line.split() for line in document.text.splitlines() if line] == [["x"], ["a", "b"], ["c"], ["late"]]


def test_pages_and_headers_are_counted_once():
    page = '<w:r><w:br w:type="page"/></w:r>'
    body = par(run("one") + page) + par(f"<w:r><w:lastRenderedPageBreak/></w:r>{run('two')}")
    body += par("three", "<w:pageBreakBefore/>") + '<w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>'
    data = make(body, hdr=par("HEAD"))
    document = load(data)
    assert [document.text[p.start : p.end].strip() for p in document.pages] == ["one", "two", "three"]
    assert [(f.kind, f.text) for f in document.furniture] == [("header", "HEAD")]


def test_a_file_of_python_docx_with_a_long_contract():
    word = docx.Document()
    word.core_properties.title, word.core_properties.author = "Lease", "Ann"
    source = next((DATA / "cuad" / "txt").glob("ccaindustries*")).read_text("utf-8", "replace")
    paragraphs = [" ".join(re.sub("[\0-\x1f]", " ", p).split()) for p in re.split(r"\n\s*\n", source)]
    for number, text in enumerate(p for p in paragraphs if p):
        word.add_paragraph(text, style="List Number" if number % 3 == 0 else None)
    out = io.BytesIO()
    word.save(out)
    document = load_docx(out.getvalue(), name="a.docx", options=Options())
    numbers = [int(n) for n in re.findall(r"(?m)^(\d+)\. ", document.text)]
    counted = [int(e.text.rstrip(".")) for e in document.edits if e.kind == "number"]
    assert counted == list(range(1, len(counted) + 1)) and len(counted) > 10 and set(counted) <= set(numbers)
    assert "".join(document.raw_text.split()) == docx_words(out.getvalue())
    assert document.source.metadata["Title"] == "Lease" and document.title == "Lease"


def lines_of(document: Document) -> list[str]:
    return [line for line in document.text.split("\n") if line]


def test_a_file_written_by_libreoffice():
    document = load(Path(__file__).parent / "data" / "lease.docx")
    assert [page.number for page in document.pages] == [1, 2]
    assert lines_of(document) == [
        *("ARTICLE II. Term", "1 Start", "The lease runs for ten years from May[1], as agreed[e1]."),
        *("[1] The first of May.", "[e1] In Bath.", "(a) The Tenant pays.", "(i) monthly, or", "(ii) yearly."),
        *("(b) The Landlord repairs.", "2 End", "Column A Column B", "second line", "A note in a box.", "Rent"),
        *("2020\t(a) 100 pounds", "or a cow", "• keys", "ARTICLE III. Law", "1 Courts", "Signed by Ann."),
    ]
    assert [(f.kind, f.text) for f in document.furniture] == [
        *(("header", "Barn lease, draft"), ("footer", "Page 2"), ("deleted", "for ever"), ("hidden", "Not for print.")),
    ]
    assert [(c.text, c.row_span, c.column_span) for c in document.tables[0].cells] == [
        *(("Rent", 1, 2), ("2020", 2, 1), ("(a) 100 pounds", 1, 1), ("or a cow", 1, 1)),
    ]
    assert [(a.text, a.author) for a in document.annotations] == [("When?", "Bob")] and document.title.endswith("barn")


def test_a_level_that_is_skipped_counts_as_used():
    body = "".join(item(*at) for at in [(2, "a"), (1, "b"), (0, "c"), (2, "d"), (1, "e")])
    shown = ["(a) a", "1.2 b", "ARTICLE II c", "(a) d", "2.2 e"]
    assert lines_of(read(body, numbering=NUMBERING)) == shown


def test_a_start_override_applies_once_and_at_every_restart():
    body = "".join(item(*at) for at in [(2, "a"), (2, "b", 2), (2, "c", 2), (1, "d"), (2, "e", 2), (1, "f"), (2, "g")])
    shown = ["(a) a", "(e) b", "(f) c", "1.2 d", "(e) e", "1.3 f", "(a) g"]
    assert lines_of(read(body, numbering=NUMBERING)) == shown


@pytest.mark.parametrize(
    ("own", "above", "shown"),
    [("decimal", "upperRoman", "2.1"), ("decimalZero", "upperRoman", "2.01"), ("decimal", "decimalZero", "02.1")],
)
def test_a_legal_number_shows_the_levels_above_in_decimal(own: str, above: str, shown: str):
    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{2 - depth}"/><w:numFmt w:val="{style}"/><w:isLgl/>'
        f'<w:suff w:val="nothing"/><w:lvlText w:val="{pattern}"/></w:lvl>'
        for depth, (style, pattern) in enumerate([(above, "%1"), (own, "%1.%2")])
    )
    numbering = f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
    numbering += '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    assert read(item(1, "x"), numbering=numbering).text == f"{shown} x"


def test_lists_are_counted_separately_in_notes_and_text_boxes():
    box = f"<w:r><w:pict><w:txbxContent>{item(1, 'box')}</w:txbxContent></w:pict></w:r>"
    mark = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    body = item(1, "a") + par(run("b") + mark + box) + item(1, "c")
    notes = f'<w:footnote w:id="2">{par("n")}{item(1, "note")}</w:footnote>'
    shown = ["1.1 a", "b[1]", "1.1 box", "[1] n", "1.1 note", "1.2 c"]
    assert lines_of(read(body, numbering=NUMBERING, footnotes=notes)) == shown


def test_levels_of_one_list_only_and_levels_beyond_the_last():
    far = '<w:lvl w:ilvl="999999999"><w:pStyle w:val="Far"/><w:lvlText w:val="%9!"/></w:lvl>'
    own = '<w:lvl w:ilvl="4"><w:start w:val="3"/><w:lvlText w:val="%5/%3/%1"/></w:lvl>'
    numbering = f'<w:abstractNum w:abstractNumId="0">{LEGAL}{far}</w:abstractNum>'
    numbering += (
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/>'
    )
    numbering += f'<w:lvlOverride w:ilvl="4">{own}</w:lvlOverride></w:num>'
    styled = par("d", '<w:pStyle w:val="Far"/><w:numPr><w:numId w:val="1"/></w:numPr>')
    body = item(4, "a", 2) + item(4, "b", 1) + item(0, "c", 1) + styled + item(0, "e", 1)
    assert lines_of(read(body, numbering=numbering)) == ["3/a/I a", "b", "ARTICLE II c", "0! d", "ARTICLE III e"]


def test_a_style_can_switch_numbers_off():
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:basedOn w:val="{base}"/><w:pPr><w:numPr>'
        f'<w:ilvl w:val="1"/><w:numId w:val="{list_id}"/></w:numPr></w:pPr></w:style>'
        for name, base, list_id in [("On", "", 1), ("Off", "On", 0)]
    )
    off = '<w:pStyle w:val="On"/><w:numPr><w:numId w:val="0"/></w:numPr>'
    body = par("a", '<w:pStyle w:val="On"/>') + par("b", '<w:pStyle w:val="Off"/>') + par("c", off)
    body += par("d", '<w:pStyle w:val="On"/>')
    assert lines_of(read(body, numbering=NUMBERING, styles=styles)) == ["1.1 a", "b", "c", "1.2 d"]


def test_a_style_separator_keeps_a_heading_and_its_text_in_one_line():
    run_in = '<w:outlineLvl w:val="0"/><w:rPr><w:vanish/><w:specVanish/></w:rPr>'
    document = read(par("Notices.", run_in) + par(" All in writing.") + par("next"))
    assert document.text == "Notices. All in writing.\n\nnext"


def test_deleted_and_hidden_rows_are_furniture():
    gone = "<w:trPr><w:del/></w:trPr>" + cell(item(1, "gone"))
    unseen = "<w:trPr><w:hidden/></w:trPr>" + cell(par("unseen"))
    document = read(table(cell(item(1, "a")), gone, unseen, cell(item(1, "b"))), numbering=NUMBERING)
    assert document.text == "1.1 a\n1.2 b"
    assert [(f.kind, f.text) for f in document.furniture] == [("deleted", "gone"), ("hidden", "unseen")]
    assert [c.row for c in document.tables[0].cells] == [0, 1]


def test_a_section_starts_a_page_unless_it_is_continuous():
    def section(kind: str) -> str:
        return f'<w:sectPr><w:type w:val="{kind}"/></w:sectPr>'

    body = par("a", section("nextPage")) + par("b", section("oddPage")) + par("c", section("continuous")) + par("d")
    document = read(body + "<w:sectPr/>")
    assert [document.text[p.start : p.end].split() for p in document.pages] == [["a"], ["b", "c"], ["d"]]


def test_missing_and_unread_parts_are_warnings():
    data = make(par(run("x") + '<w:r><w:footnoteReference w:id="2"/></w:r>') + '<w:altChunk r:id="web"/>', footnotes="")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if "footnotes" not in name:
                new.writestr(name, old.read(name))
    document = load(out.getvalue())
    assert document.text == "x"
    missing, unread = document.warnings
    assert "word/footnotes.xml is missing" in missing and "http://a.b/" in unread


def test_strict_files_read_the_same():
    data = make(
        item(1, "a") + par(run("b") + '<w:r><w:endnoteReference w:id="2"/></w:r>'),
        numbering=NUMBERING,
        endnotes=f'<w:endnote w:id="2">{par("end")}</w:endnote>',
    )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(
                b"schemas.openxmlformats.org/wordprocessingml/2006", b"purl.oclc.org/ooxml"
            )
            new.writestr(
                name, content.replace(b"schemas.openxmlformats.org/officeDocument/2006", b"purl.oclc.org/ooxml")
            )
    assert load(out.getvalue()).text == load(data).text == "1.1 a\n\nb[e1]\n\n[e1] end"


def test_notes_without_a_mark_in_the_text_are_furniture():
    notes = f'<w:footnote w:id="0" w:type="separator">{par("")}</w:footnote>'
    notes += "".join(f'<w:footnote w:id="{i}">{par(f"n{i}")}</w:footnote>' for i in range(1, 5))
    marks = {i: f'<w:r><w:footnoteReference w:id="{i}"/></w:r>' for i in (1, 3, 4)}
    body = par(f"{run('x')}<w:del>{marks[1]}</w:del><w:moveFrom>{marks[4]}</w:moveFrom>{marks[3]}") + par(marks[4])
    document = read(body, footnotes=notes)
    assert lines_of(document) == ["x[1]", "[1] n3", "[2]", "[2] n4"]
    assert [(f.kind, f.text) for f in document.furniture] == [("deleted", "n1"), ("deleted", "n4"), ("footnote", "n2")]


@pytest.mark.parametrize(
    ("font", "code", "shown"),
    [
        *(("Symbol", "F061", "α"), ("Symbol", "00B3", "≥"), ("Wingdings", "F0FE", "☑"), ("Wingdings", "F0A8", "☐")),
        *(
            ("Webdings", "F041", "\uf041"),
            ("Arial", "2265", "≥"),
            ("Symbol", "zz", "\ufffd"),
            ("Symbol", "0", "\ufffd"),
        ),
        *(("Symbol", "D800", "\ufffd"), ("Symbol", "FFFFFFFFFF", "\ufffd")),
    ],
)
def test_characters_of_symbol_fonts(font: str, code: str, shown: str):
    assert read(par(f'{run("x")}<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>')).text == f"x{shown}"


def test_tabs_separate_words():
    document = read(par(f"{run('Signed')}<w:r><w:tab/></w:r>{run('Ann')}<w:r><w:ptab/></w:r>{run('3')}"))
    assert (document.text, document.raw_text) == ("Signed Ann 3", "Signed\tAnn\t3")


RUNS = st.builds(
    lambda text, look, around: f"<w:{around}>{run(text, look)}</w:{around}>" if around else run(text, look),
    st.text("ab \xa0é•1", max_size=5),
    st.sampled_from(["", "", "<w:vanish/>"]),
    st.sampled_from(["", "", "ins", "del", "moveTo", "moveFrom", "smartTag", "hyperlink"]),
)
PARAGRAPHS = st.builds(
    lambda runs, mark: par("<w:r/>" + "".join(runs), f"<w:rPr>{mark}</w:rPr>"),
    st.lists(RUNS, max_size=3),
    st.sampled_from(["", "", "<w:del/>"]),
)
BLOCKS = st.recursive(
    PARAGRAPHS,
    lambda inner: st.one_of(
        st.lists(st.lists(inner, min_size=1, max_size=3), max_size=3).map(
            lambda rows: table(*("".join(cell(block + par()) for block in row) for row in rows))
        ),
        inner.map(lambda block: f"<w:sdt><w:sdtContent>{block}</w:sdtContent></w:sdt>"),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(BLOCKS, max_size=5))
def test_every_word_is_there_in_order(blocks: list[str]):
    data = make("".join(blocks) + par("end"))
    document = load_docx(data, name="a.docx", options=Options())
    assert "".join(document.text.split()) == docx_words(data)
    assert all(document.text[c.start : c.end] == c.text for t in document.tables for c in t.cells)


def test_hostile_files_are_refused():
    with pytest.raises(NoTextLayerError):
        read(par())
    with pytest.raises(LimitExceededError, match="depth"):
        load(make("<w:sdt>" * 99 + par("x") + "</w:sdt>" * 99), limits=Limits(depth=99))
    with pytest.raises(LimitExceededError, match="XML parser"):
        read("<w:sdt>" * 999 + par("x") + "</w:sdt>" * 999)
    bomb = make(par("x" * 70_000_000))
    with pytest.raises(LimitExceededError, match="unpacks"):
        load(bomb)
    with pytest.raises(LimitExceededError, match="unpacked bytes"):
        load(make(par("x" * 5000)), limits=Limits(unpacked_bytes=5000))
    entity = "<!DOCTYPE a [<!ENTITY e 'xxxx'>]><w:document/>"
    for content in (entity, "<!DOCTYPE a SYSTEM 'http://a.b/c'><a/>", "<w:document", "<a/>"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("word/document.xml", content)
        with pytest.raises(CorruptDocumentError):
            load(out.getvalue())
    with pytest.raises(EncryptedDocumentError, match="password"):
        load(b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("number", "style", "shown"),
    [
        *((27, "lowerLetter", "aa"), (9, "upperRoman", "IX"), (40, "ordinalText", "Fortieth"), (11, "ordinal", "11th")),
        *((1, "chineseCounting", "一"), (10, "chineseCounting", "十"), (11, "chineseCounting", "十一")),
        *((20, "chineseCounting", "二十"), (110, "chineseCounting", "一百一十"), (1005, "chineseCounting", "一千零五")),
        *((10, "japaneseCounting", "十"), (105, "japaneseCounting", "百五"), (12, "ideographDigital", "一二")),
        *((20, "decimalEnclosedCircle", "⑳"), (21, "decimalEnclosedCircle", "21"), (3, "decimalFullWidth", "３")),
        *((3, "ideographTraditional", "丙"), (4, "russianLower", "г"), (7, "decimal3", "007"), (5, "hex", "5")),
    ],
)
def test_number_styles(number: int, style: str, shown: str):
    assert written(number, style) == shown


def numbered_in(style: str) -> Document:
    level = f'<w:lvl w:ilvl="0"><w:start w:val="7"/>{style}<w:lvlText w:val="§ %1"/></w:lvl>'
    level += '<w:lvl w:ilvl="1"><w:numFmt w:val="unused"/><w:lvlText w:val="%2"/></w:lvl>'
    numbering = f'<w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
    return read(item(0, "x"), numbering=numbering + '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>')


def test_custom_number_styles_are_read_and_unknown_ones_are_named():
    custom = '<mc:Choice Requires="w14"><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/></mc:Choice>'
    custom = (
        f'<mc:AlternateContent>{custom}<mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback></mc:AlternateContent>'
    )
    assert numbered_in(custom).text == "§ 007 x"
    document = numbered_in('<w:numFmt w:val="hebrew1"/>')
    assert document.text == "§ 7 x" and document.warnings == (
        "list numbers of the style hebrew1 are written in decimal",
    )


def test_mutated_files_give_a_document_or_a_typed_error():
    random.seed(3)
    body = "".join(item(depth % 4, f"t{depth}") for depth in range(8)) + table(cell(par("a")) + cell(par("b")))
    seeds = [make(body, numbering=NUMBERING), make(par("x") * 9, footnotes=par("n")), make(table(cell(body)))]
    outcomes: dict[str, int] = {}
    for trial in range(300):
        data = bytearray(seeds[trial % 3])
        if trial % 2:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
            part = parts[random.choice(list(parts))]
            _damage(part)
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                for name, content in parts.items():
                    archive.writestr(name, bytes(content))
            data = bytearray(out.getvalue())
        else:
            _damage(data)
        try:
            outcome = type(load_docx(bytes(data), name="a.docx", options=Options())).__name__
        except LongdocError as error:
            outcome = type(error).__name__
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert outcomes["Document"] > 20 and outcomes["CorruptDocumentError"] > 20


def _damage(data: bytearray) -> None:
    at, kind = random.randrange(len(data)), random.randrange(4)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        start = random.randrange(len(data))
        data[at:at] = data[start : start + 60]
    elif elements := list(re.finditer(rb"<w:(\w+) [^>]*/>", data)) if kind == 2 else []:
        one, other = random.choice(elements), random.choice(elements)
        data[one.start() : one.end()] = other[0].replace(b'"1"', b'"99999999999"')
    else:
        data[at] ^= 1 << random.randrange(8)
