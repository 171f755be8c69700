"""Drawings, comments, and the parts of Word files that nothing reads: in the text, in furniture, or named."""

import pytest

from longdoc.document import Document
from longdoc.errors import LimitExceededError, NoTextLayerError
from longdoc.loaders import Limits, load
from word_files import cell, field, item, make, par, read, run, table, with_files

WPS = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"


def drawing(inner: str, described: str = "") -> str:
    data = f'<wp:docPr id="1" name="n" {described}/>' if described else ""
    return f"<w:r><w:drawing><wp:inline>{data}<a:graphic>{inner}</a:graphic></wp:inline></w:drawing></w:r>"


def box(text: str) -> str:
    return f"<w:txbxContent>{par(text)}</w:txbxContent>"


def either(requires: str, choice: str, fallback: str) -> str:
    needs = f' Requires="{requires}"' if requires else ""
    inner = f"<mc:Choice{needs}>{choice}</mc:Choice>" + (f"<mc:Fallback>{fallback}</mc:Fallback>" if fallback else "")
    return f"<w:r><mc:AlternateContent>{inner}</mc:AlternateContent></w:r>"


def furniture(document: Document) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in document.furniture]


@pytest.mark.parametrize(
    ("inner", "shown"),
    [
        (either("wps", box("new"), box("old")), "new"),
        (either("zzz", box("new"), box("old")), "old"),
        (either("wps w14", box("new"), box("old")), "new"),
        (either("wps zzz", box("new"), box("old")), "old"),
        (either("", box("new"), box("old")), "new"),
        (either("wps", box("new"), ""), "new"),
        (either("zzz", box("new"), ""), ""),
        (either("wps", "", box("old")), ""),
        (either("zzz", "", either("wps", box("inner"), box("other"))), "inner"),
        (f"<w:r><w:pict><v:shape><v:textbox>{box('vml')}</v:textbox></v:shape></w:pict></w:r>", "vml"),
        ('<w:r><w:pict><v:shape><v:textpath string="ART&#10;WORK"/></v:shape></w:pict></w:r>', "ART\nWORK"),
        (
            drawing("<a:txBody><a:p><a:r><a:t>draw</a:t></a:r></a:p><a:p><a:r><a:t>n</a:t></a:r></a:p></a:txBody>"),
            "draw\n\nn",
        ),
        (f"<w:r><w:pict><v:textbox>{box('a')}</v:textbox><v:textbox>{box('b')}</v:textbox></w:pict></w:r>", "a\n\nb"),
    ],
)
def test_of_alternatives_exactly_one_is_read(inner: str, shown: str) -> None:
    assert read(par(run("x") + inner) + par("end")).text == "\n\n".join(filter(None, ["x", shown, "end"]))


def test_of_two_choices_the_first_that_is_understood_is_read() -> None:
    choices = f'<mc:Choice Requires="q">{box("q")}</mc:Choice><mc:Choice Requires="wps">{box("wps")}</mc:Choice>'
    inner = f"<w:r><mc:AlternateContent>{choices}<mc:Fallback>{box('old')}</mc:Fallback></mc:AlternateContent></w:r>"
    assert read(par(run("x") + inner)).text == "x\n\nwps"


def test_alternatives_and_word_art_in_a_header() -> None:
    mark = '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'
    header = par(run("H ") + either("zzz", box("new"), box("old")) + mark)
    document = read(par("x") + '<w:sectPr><w:headerReference r:id="hdr"/></w:sectPr>', hdr=header)
    assert furniture(document) == [("header", "H old DRAFT")]


def test_alternative_texts_are_furniture_once() -> None:
    picture = '<a:pic><a:cNvPr id="0" name="p.png" descr="A barn"/></a:pic>'
    inner = drawing(picture, 'descr="A barn"') + drawing("", 'title="Map" descr="The way"')
    inner += '<w:r><w:pict><v:shape alt="A cow"/></w:pict></w:r><w:hyperlink r:id="web" w:tooltip="Go">z</w:hyperlink>'
    captions = '<w:tblPr><w:tblCaption w:val="Rents"/><w:tblDescription w:val="by year"/></w:tblPr>'
    rows = table(cell(par("y"))).replace("<w:tr>", f"{captions}<w:tr>", 1)
    document = read(par(run("x") + inner) + rows)
    assert document.text == "x\n\ny"
    assert furniture(document) == [
        ("alternative text", text) for text in ("A barn", "Map The way", "A cow", "Go", "Rents", "by year")
    ]


def test_a_link_on_a_drawing_is_kept() -> None:
    picture = '<w:r><w:drawing><wp:docPr id="1" name="n"><a:hlinkClick r:id="web"/></wp:docPr></w:drawing></w:r>'
    (link,) = read(par(run("x") + picture + run("y"))).links
    assert (link.uri, link.start, link.end) == ("http://a.b/", 1, 1)


CHART = (
    "<c:chartSpace xmlns:c='c' xmlns:a='a'><c:chart><c:title><a:p><a:r><a:t>Rents</a:t></a:r></a:p></c:title><c:ser>"
    "<c:tx><c:v>Barns</c:v></c:tx><c:cat><c:pt idx='0'><c:v>2020</c:v></c:pt></c:cat><c:val><c:pt><c:v>7</c:v></c:pt>"
    "</c:val></c:ser></c:chart></c:chartSpace>"
)
DIAGRAM = (
    "<dgm:dataModel xmlns:dgm='d' xmlns:a='a'><dgm:pt><dgm:t><a:p><a:r><a:t>Ask </a:t></a:r><a:r><a:t>Ann</a:t></a:r>"
    "</a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Pay</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>"
)


def test_diagrams_are_text_and_charts_are_furniture() -> None:
    inner = drawing("<dgm:relIds r:dm='dg' r:lo='x'/>") + drawing("<c:chart r:id='ch'/>")
    files = {"word/diagrams/data1.xml": DIAGRAM, "word/charts/chart1.xml": CHART, "word/embeddings/Sheet1.xlsx": b"PK"}
    files["word/charts/_rels/chart1.xml.rels"] = (
        '<Relationships><Relationship Id="w" Type="x/package" Target="../embeddings/Sheet1.xlsx"/></Relationships>'
    )
    files["word/diagrams/drawing1.xml"] = files["word/diagrams/layout1.xml"] = "<x/>"
    relations = "dg diagramData diagrams/data1.xml\nch chart charts/chart1.xml"
    document = load(with_files(make(par(run("x") + inner) + par("end")), files, relations))
    assert document.text == "x\n\nAsk Ann\nPay\n\nend"
    assert furniture(document) == [("chart", "Rents Barns 2020 7")]
    assert document.warnings == ()


def test_a_damaged_or_missing_part_costs_no_document() -> None:
    inner = drawing("<dgm:relIds r:dm='dg'/>") + drawing("<c:chart r:id='ch'/>") + drawing("<c:chart r:id='no'/>")
    relations = "dg diagramData diagrams/data1.xml\nch chart charts/chart1.xml"
    data = make(par(run("x") + inner), comments="", footnotes=par("n"))
    files = {"word/diagrams/data1.xml": "<dgm", "word/comments.xml": "<w:comments", "docProps/core.xml": "<"}
    data = with_files(data, files, relations)
    document = load(data)
    assert document.text == "x"
    named = " | ".join(document.warnings)
    for path in (
        "word/diagrams/data1.xml is damaged",
        "word/charts/chart1.xml is missing",
        "a part of a drawing is missing",
    ):
        assert path in named
    assert "word/comments.xml is damaged" in named and "docProps/core.xml is damaged" in named


def test_embedded_objects_and_other_files_are_named() -> None:
    inner = '<w:r><w:object><o:OLEObject ProgID="Equation.3" r:id="ole"/></w:object></w:r>'
    files = {
        "word/embeddings/oleObject1.bin": b"\xd0\xcf",
        "word/embeddings/Sheet.xlsx": b"PK",
        "word/activeX/activeX1.xml": "<x/>",
        "word/afchunk.mht": "x",
        "word/strange.xml": "<x>words</x>",
        "word/media/image1.png": b"",
        "word/theme/theme1.xml": "<x/>",
        "word/settings.xml": "<x/>",
    }
    relations = "ole oleObject embeddings/oleObject1.bin\nalt aFChunk afchunk.mht\nsub subDocument sub.docx"
    body = par(run("x") + inner) + '<w:altChunk r:id="alt"/><w:p><w:subDoc r:id="sub"/></w:p>'
    chunk, sub, embedded, rest = load(with_files(make(body), files, relations)).warnings
    assert "word/afchunk.mht" in chunk and "word/sub.docx" in sub
    for path in (
        "word/embeddings/oleObject1.bin (Equation.3)",
        "word/embeddings/Sheet.xlsx",
        "word/activeX/activeX1.xml",
    ):
        assert path in embedded
    assert rest == "parts of the file are not read: word/strange.xml"


def test_a_file_whose_only_text_is_in_another_file_says_so() -> None:
    with pytest.raises(NoTextLayerError, match=r"afchunk\.mht within it is not read"):
        load(with_files(make('<w:altChunk r:id="alt"/>'), {"word/afchunk.mht": "x"}, "alt aFChunk afchunk.mht"))


def glossary(gallery: str, text: str) -> str:
    return (
        "<w:glossaryDocument xmlns:w='w'><w:docParts><w:docPart><w:docPartPr><w:category>"
        f"<w:gallery w:val='{gallery}'/></w:category></w:docPartPr><w:docPartBody>{par(text)}</w:docPartBody>"
        "</w:docPart></w:docParts></w:glossaryDocument>"
    )


@pytest.mark.parametrize(
    ("path", "content", "is_named"),
    [
        ("word/glossary/document.xml", glossary("placeholder", "Click here"), False),
        ("word/glossary/document.xml", glossary("autoTxt", "Yours"), True),
        ("word/glossary/document.xml", glossary("autoTxt", ""), False),
        ("word/glossary/document.xml", "<", True),
        ("word/glossary/styles.xml", "<x>words</x>", False),
        ("customXml/item1.xml", "<x>words</x>", True),
        ("customXml/item1.xml", "<x>shown</x>", False),
        ("customXml/item1.xml", "<x/>", False),
        ("customXml/item1.xml", "<", True),
        ("customXml/item1.xml", '<g:d xmlns:g="http://customooxmlschemas.google.com/">Q2c</g:d>', False),
        ("word/intelligence2.xml", "<x>words</x>", False),
        (
            "customXml/item2.xml",
            '<b:Sources xmlns:b="http://schemas.openxmlformats.org/officeDocument/2006/bibliography">a</b:Sources>',
            False,
        ),
    ],
)
def test_glossaries_and_data_are_named_if_they_have_words(path: str, content: str, is_named: bool) -> None:
    document = load(with_files(make(par("as shown")), {path: content}))
    assert bool(document.warnings) == is_named
    assert all(path in warning for warning in document.warnings)


def test_the_properties_of_users_are_metadata() -> None:
    files = {
        "docProps/app.xml": "<Properties><Company>Barn Ltd</Company><Pages>3</Pages></Properties>",
        "docProps/custom.xml": '<Properties><property name="Matter"><lpwstr>17/3</lpwstr></property></Properties>',
    }
    document = load(with_files(make(par("x")), files))
    assert dict(document.source.metadata) == {"Company": "Barn Ltd", "Matter": "17/3"}


def test_comments_without_a_place_and_replies_are_annotations() -> None:
    comments = "".join(
        f'<w:comment w:id="{n}" w:author="{who}">{par(text)}</w:comment>'
        for n, who, text in [(0, "Ann", "Why?"), (1, "Bob", "Because."), (2, "Eve", "Gone")]
    )
    marks = "".join(f'<w:r><w:commentReference w:id="{n}"/></w:r>' for n in (0, 1))
    document = read(par(run("x") + marks), comments=comments)
    assert [(a.text, a.author) for a in document.annotations] == [("Why?", "Ann"), ("Because.", "Bob"), ("Gone", "Eve")]


def test_marks_of_notes_that_the_file_lacks_are_a_warning() -> None:
    notes = f'<w:footnote w:id="2">{par("n")}</w:footnote>'
    marks = "".join(f'<w:r><w:{kind}Reference w:id="7"/></w:r>' for kind in ("footnote", "endnote"))
    assert read(par(run("x") + marks), footnotes=notes).warnings == ("marks of notes that the file lacks: 2",)


def test_headers_of_first_and_even_pages_are_furniture() -> None:
    kinds = {"first": "one", "even": "two", "default": "three"}
    references = "".join(f'<w:headerReference w:type="{kind}" r:id="{kind}"/>' for kind in kinds)
    document = read(
        par("x") + f"<w:sectPr>{references}</w:sectPr>", **{kind: par(text) for kind, text in kinds.items()}
    )
    assert furniture(document) == [("header", text) for text in kinds.values()]


def test_a_pronunciation_is_furniture() -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('to')}</w:rt><w:rubyBase>{run('東')}</w:rubyBase></w:ruby></w:r>"
    document = read(par(ruby + run("京")))
    assert document.text == "東京" and furniture(document) == [("ruby", "to")]


def test_computed_page_numbers_and_ink_are_named() -> None:
    document = read(par(run("x") + '<w:r><w:pgNum/><w:dayLong/></w:r><w:contentPart r:id="ink"/>'))
    assert "drawing in ink" in document.warnings[0] and "(page number, date)" in document.warnings[1]


# A symbol font shows other characters than it stores.


@pytest.mark.parametrize(
    ("font", "stored", "shown"),
    [
        ("Symbol", "b", "β"),
        ("Symbol", "\uf0b3", "≥"),
        ("Symbol", "\uf031", "1"),
        ("Wingdings", "\uf0fe", "☑"),
        ("Wingdings 2", "\uf052", "☑"),
        ("Webdings", "\uf063", "☐"),
        ("Arial", "b", "b"),
        ("Wingdings", "b", "b"),
    ],
)
def test_text_in_symbol_fonts(font: str, stored: str, shown: str) -> None:
    document = read(par(run(stored, f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}"/>')))
    assert document.text == shown and document.warnings == ()


def test_unknown_characters_of_symbol_fonts_are_a_warning() -> None:
    (warning,) = read(par(run("x\uf041\uf042\uf041"))).warnings
    assert warning == "characters of symbol fonts that cannot be read: 3 (U+F041, U+F042)"


# Tracked changes and hidden text, as they meet other things.


def deleted(text: str) -> str:
    return f"<w:del><w:r><w:delText>{text}</w:delText></w:r></w:del>"


def test_marks_between_paragraphs_do_not_stop_joining() -> None:
    body = item(0, "one", mark="<w:del/>") + '<w:bookmarkStart w:id="1" w:name="b"/><w:moveFromRangeEnd w:id="2"/>'
    assert read(body + par(" two") + par("three")).text == "one two\n\nthree"
    assert read(par("one", "<w:rPr><w:del/></w:rPr>") + table(cell(par("t")))).text == "one\n\nt"


def test_deleted_cells_numbers_and_their_old_properties_do_not_count() -> None:
    rows = table(cell(par("a")) + cell(par("b"), "<w:cellDel/>"))
    document = read(rows)
    assert document.text == "a" and furniture(document) == [("deleted", "b")]
    old = '<w:pPrChange><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr></w:pPrChange>'
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:lvlText w:val="%1."/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    assert read(item(0, "a") + par("b", old) + item(0, "c"), numbering=numbering).text == "1. a\n\nb\n\n2. c"


def test_deletions_in_tables_links_controls_and_boxes() -> None:
    control = f"<w:sdt><w:sdtContent>{run('in')}{deleted('out')}</w:sdtContent></w:sdt>"
    linked = f'<w:hyperlink r:id="web">{run("site")}{deleted("old")}</w:hyperlink>'
    boxed = f"<w:r><w:pict><w:txbxContent>{par(run('box') + deleted('gone'))}</w:txbxContent></w:pict></w:r>"
    document = read(par(control + linked + boxed) + table(cell(par(run("cell") + deleted("lost")))))
    assert document.text == "insite\n\nbox\n\ncell"
    assert furniture(document) == [("deleted", text) for text in ("out", "old", "gone", "lost")]


def test_a_deleted_drawing_hides_its_text_box_and_moved_rows_count_once() -> None:
    gone = f"<w:del><w:r><w:pict><w:txbxContent>{par('box')}</w:txbxContent></w:pict></w:r></w:del>"
    document = read(par(run("x") + gone))
    assert document.text == "x" and furniture(document) == [("deleted", "box")]


def test_hidden_by_styles_and_shown_again() -> None:
    styles = (
        '<w:style w:type="character" w:styleId="Hid"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="character" w:styleId="Sub"><w:basedOn w:val="Hid"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="HidP"><w:rPr><w:vanish/></w:rPr></w:style>'
    )
    body = par(
        run("a") + run("b", '<w:rStyle w:val="Sub"/>') + run("c", '<w:rStyle w:val="Sub"/><w:vanish w:val="0"/>')
    )
    body += par(run("d") + run("e", '<w:vanish w:val="0"/>') + field("REF x", run("f")), '<w:pStyle w:val="HidP"/>')
    document = read(body, styles=styles)
    assert document.text == "ac\n\ne"
    assert furniture(document) == [
        *(("hidden", "b"), ("hidden", "d"), ("field code", "REF x"), ("hidden", "f")),
    ]


def scan(size: str, where: str = "inline") -> str:
    sides = f'<wp:extent cx="{size.split()[0]}" cy="{size.split()[1]}"/>'
    inner = '<a:graphic><a:blip r:embed="pic"/></a:graphic>'
    return f"<w:r><w:drawing><wp:{where}>{sides}{inner}</wp:{where.split()[0]}></w:drawing></w:r>"


PAGE = "7560000 9000000"
VML = '<w:r><w:pict><v:shape style="width:{}pt;height:700.5pt"><v:imagedata r:id="pic"/></v:shape></w:pict></w:r>'


@pytest.mark.parametrize(
    ("inner", "is_named"),
    [
        (scan(PAGE), True),
        (scan(PAGE, "anchor"), True),
        (scan(PAGE, 'anchor behindDoc="1"'), False),
        (scan("5943600 3000000"), False),
        (scan("x 1"), False),
        (f"<w:del>{scan(PAGE)}</w:del>", False),
        (VML.format(500), True),
        (VML.format(50), False),
    ],
)
def test_a_picture_that_fills_a_page_is_named(inner: str, is_named: bool) -> None:
    data = with_files(make(par(run("x") + inner)), {"word/media/image1.png": b""}, "pic image media/image1.png")
    assert bool(load(data).warnings) == is_named
    if is_named:
        assert "pictures that fill a page and are not read: 1 (word/media/image1.png)" in load(data).warnings[0]
        with pytest.raises(NoTextLayerError, match="pictures that fill a page"):
            load(with_files(make(par(inner)), {"word/media/image1.png": b""}, "pic image media/image1.png"))


STRIKE, DOUBLE = "<w:rPr><w:strike/></w:rPr>", "<w:rPr><w:dstrike w:val='1'/></w:rPr>"
STRUCK_STYLES = """<w:style w:type="character" w:styleId="Old"><w:rPr><w:strike/></w:rPr></w:style>
<w:style w:type="character" w:styleId="Older"><w:basedOn w:val="Old"/></w:style>
<w:style w:type="paragraph" w:styleId="Gone"><w:rPr><w:dstrike/></w:rPr></w:style>"""


@pytest.mark.parametrize(
    ("before", "properties", "shown"),
    [
        ("", STRIKE, "The rent is $950."),
        ("", DOUBLE, "The rent is $950."),
        ("", "<w:rPr><w:strike w:val='0'/></w:rPr>", "The rent is $900 $950."),
        ("", '<w:rPr><w:rStyle w:val="Old"/></w:rPr>', "The rent is $950."),
        ("", '<w:rPr><w:rStyle w:val="Older"/></w:rPr>', "The rent is $950."),
        ("", '<w:rPr><w:rStyle w:val="Old"/><w:strike w:val="false"/></w:rPr>', "The rent is $900 $950."),
        ('<w:p><w:pPr><w:pStyle w:val="Gone"/></w:pPr><w:r><w:t>All</w:t></w:r></w:p>', DOUBLE, "The rent is $950."),
    ],
)
def test_text_that_is_struck_out_is_deleted(before: str, properties: str, shown: str) -> None:
    struck = f"<w:r>{properties}<w:t>$900</w:t></w:r>"
    body = f"{before}<w:p>{run('The rent is ')}{struck}{run(' $950.')}</w:p>"
    document = load(make(body, styles=STRUCK_STYLES))
    assert document.text == shown and "$900" in document.raw_text
    assert {kind for kind, _ in furniture(document)} == ({"deleted"} if "900" not in shown else set())


def test_a_list_item_that_is_struck_out_has_no_number_but_counts() -> None:
    listed = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    level = '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    numbering = (
        f'<w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    runs = (run("One"), f"<w:r>{STRIKE}<w:t>Two</w:t></w:r>", run("Three"))
    document = load(make("".join(f"<w:p>{listed}{each}</w:p>" for each in runs), numbering=numbering))
    assert document.text == "1. One\n\n3. Three"


@pytest.mark.parametrize(
    ("font", "stored", "shown"),
    [
        *(("Wingdings", stored, shown) for stored, shown in zip("þüx¨oý§", "☑✓☒☐☐☒▪", strict=True)),
        ("Wingdings", "þ ü", "☑ ✓"),
        ("Wingdings", "The fee", "The fee"),
        ("Wingdings 2", "R£P", "☑☐✓"),
        ("Webdings", "c", "☐"),
        ("Arial", "þ", "þ"),
    ],
)
def test_letters_in_symbol_fonts_are_symbols(font: str, stored: str, shown: str) -> None:
    document = read(par(run("A ") + run(stored, f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}"/>') + run(" item")))
    assert (document.text, document.raw_text, document.warnings) == (f"A {shown} item", f"A {stored} item", ())
    changed = [pair for pair in zip(stored, shown, strict=True) if pair[0] != pair[1]]
    assert sum(len(edit.text) for edit in document.edits if edit.kind == "symbol") == len(changed)


def test_a_style_can_name_the_symbol_font() -> None:
    fonts = '<w:rPr><w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/></w:rPr>'
    styles = f'<w:style w:type="character" w:styleId="Box">{fonts}</w:style>'
    boxed = '<w:rStyle w:val="Box"/>'
    other = run("x", f'{boxed}<w:rFonts w:asciiTheme="minorHAnsi"/>')
    assert load(make(par(run("x", boxed) + other), styles=styles)).text == "☒x"


def test_a_long_comment_that_is_referred_to_often_is_beyond_the_limits() -> None:
    comments = f'<w:comment w:id="1" w:author="a">{par(run("x" * 10_000))}</w:comment>'
    data = make(par(run("text") + '<w:commentReference w:id="1"/>' * 200), comments=comments)
    with pytest.raises(LimitExceededError, match=r"comments: characters: .*allowed: 1,000,000"):
        load(data, limits=Limits(characters=1_000_000))
    assert len(load(data).annotations) == 200
