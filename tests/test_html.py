import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from longdoc.document import Document
from longdoc.errors import LimitExceededError, LongdocError, NoTextLayerError
from longdoc.loaders import Limits, load
from longdoc.loaders.edgar import split_documents
from longdoc.loaders.html import load_html
from longdoc.loaders.html.styles import Styles
from longdoc.loaders.html.tree import page_numbers, start_of, starts_of
from longdoc.loaders.markup.grid import Grid
from longdoc.loaders.options import Options
from reference import html_text

DATA = Path(__file__).parent / "data"
TAGS = "p div font b span table tr td th ul ol li h1 h2 a pre br ix:hidden script".split()
TREES = st.recursive(
    st.text("ab \n\xa0é•1", max_size=6),
    lambda inner: st.builds(
        lambda tag, style, parts: f'<{tag} style="{style}">{"".join(parts)}</{tag}>',
        st.sampled_from(TAGS),
        st.sampled_from(["", "", "display:none", "page-break-before:always"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)
FILING = b"""<SEC-DOCUMENT>0001.txt
<DOCUMENT>
<TYPE>EX-10.1
<TEXT>
<html><head><title>Lease</title><style>p{}</style></head><body><ix:header><ix:hidden>secret</ix:hidden></ix:header>
<p><font size=2>Don&#146;t&nbsp;go</font><br>now</p>
<table><tr><td><p>(a)</p></td><td><p>&nbsp;</p></td><td><p>the <b>rent</b></p></td></tr></table>
<table><tr><td rowspan=2>X</td><td colspan=99999999>1</td></tr><tr><td>2</td></tr></table>
<ol start=3 type=a><li>one<li><p>two</p></ol><p align=center>- 12 -</p><hr style="page-break-after: always">
<h2>Term</h2><p>See <a href="#x">link</a><PAGE>end</body></html>
</TEXT></DOCUMENT>
<DOCUMENT><TYPE>EX-2
<TEXT>
plain  text
</TEXT></DOCUMENT>"""


def read(data: bytes, **limits: int) -> Document:
    return load_html(data, name="a.htm", options=Options(limits=Limits(**limits)))


@pytest.mark.parametrize("space", ["\n" * 9000, (" " * 80 + "\r\n") * 99])
def test_white_space_after_the_end_of_a_filing_is_of_any_length(space: str) -> None:
    filing = f"<DOCUMENT>\n<TYPE>EX-10\n<TEXT>\nThe rent is due.\n</text>{space}</DOCUMENT>\n"
    assert split_documents(filing)[1] == [("<DOCUMENT>\n<TYPE>EX-10\n", "\nThe rent is due.\n")]


def test_a_filing_is_read_as_it_is_displayed():
    document = read(FILING)
    assert document.text == (
        "Don’t go\nnow\n\n(a) the rent\n\nX\t1\n2\n\nc. one\nd. two\n\nTerm\n\nSee link\n\nend\n\nplain  text"
    )
    assert len(document.pages) == 4
    assert {(item.kind, item.text) for item in document.furniture} >= {("hidden", "secret"), ("page number", "- 12 -")}
    assert document.source.metadata["Title"] == "Lease" and document.source.metadata["Type"] == "EX-10.1"
    assert [section.title for section in document.sections] == ["Term"]
    assert [document.text[link.start : link.end] for link in document.links] == ["link"]
    assert [(cell.text, cell.row, cell.column) for cell in document.tables[0].cells] == [
        ("X", 0, 0),
        ("1", 0, 1),
        ("2", 1, 1),
    ]


@given(TREES)
def test_no_character_is_lost(tree):
    data = f"<html><body><p>word</p>{tree}</body></html>".encode()
    document = read(data)
    assert "".join(c for c in document.raw_text if not c.isspace()) == html_text(data)
    for table in document.tables:
        assert all(document.text[cell.start : cell.end] == cell.text for cell in table.cells)


def test_depth_is_limited():
    for deep in (300, 100_000):
        with pytest.raises(LimitExceededError):
            read(b"<div>" * deep + b"x")


@pytest.mark.parametrize("text", ["’", "Ж"])
def test_encodings(text):
    declared = "cp1251" if text == "Ж" else "iso-8859-1"
    data = f"<meta charset={declared}><p>{text}".encode("cp1251" if text == "Ж" else "cp1252")
    assert read(data).text == text
    assert read(f"<p>{text}".encode("utf-16")).text == text


def test_a_contract_in_paragraphs():
    for path in sorted((DATA / "cuad" / "txt").glob("*.txt"))[:2]:
        lines = [line for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
        escaped = (line.replace("&", "&amp;").replace("<", "&lt;") for line in lines)
        data = "".join(f"<p><font size=2>{line}</font></p>" for line in escaped).encode()
        assert "".join(read(data).text.split()) == html_text(data)


def test_damaged_files_give_a_document_or_a_typed_error():
    chance = random.Random(7)
    for _ in range(500):
        data = bytearray(FILING)
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        cut = chance.randrange(len(data))
        data = data[:cut] + data[chance.randrange(len(data)) :]
        with suppress(LongdocError):
            assert isinstance(read(bytes(data)), Document)


def test_markup_without_text_is_an_error():
    with pytest.raises(NoTextLayerError):
        read(b"<html><script>x</script></html>")


def test_huge_spans_are_cheap():
    row = b"<tr>" + b"<td colspan=1000 rowspan=1000>a" * 20 + b"</tr>"
    assert len(read(b"<table>" + row * 2 + b"</table>").tables[0].cells) == 40


@pytest.mark.parametrize("title", ["Exhibit 10.1", "EX-10.1", "ex10-1.htm", "Untitled Document", "New Page 1"])
def test_titles_that_name_no_document_are_passed_over(title):
    data = f"<title>{title}</title><p>Exhibit 10.1</p><p>CREDIT AGREEMENT</p><p>This is made today.".encode()
    assert load(data).title == "CREDIT AGREEMENT"
    assert load(data.replace(title.encode(), b"Credit Agreement of Acme")).title == "Credit Agreement of Acme"


@pytest.mark.parametrize(
    "css", ["#store{display:none}", "body{display:none}", "body{visibility:hidden}", ".a{font-size:0}"]
)
def test_a_page_that_is_shown_by_scripts_is_read(css):
    document = body("<div id=store><p class=a>The whole text.</p></div>", f"<style>{css}</style>")
    assert document.text == "The whole text."
    assert bool(document.warnings) == ("body" not in css)


def test_a_page_of_frames_is_an_error_that_names_them():
    with pytest.raises(NoTextLayerError, match=r"frame a\.html"):
        load(b"<html><frameset><frame src=a.html></frameset></html>")


def test_a_list_without_a_page():
    assert read(b"<ol type=I><li>a<li>b</ol>").text == "I. a\nII. b"


def test_unclosed_fonts_empty_headings_and_many_hidden_pieces_are_read():
    filing = (
        "<html><body>" + "<font size=2>para <br>" * 300 + "<h1></h1><h2><img></h2>" + "<span hidden>x</span>" * 2000
    )
    document = load_html(filing.encode(), name="a.html", options=Options())
    assert document.text.split() == ["para"] * 300
    assert document.sections == ()
    assert len(document.furniture) == 2000


def body(text: str, head: str = "") -> Document:
    return load(f"<html><head>{head}</head><body>{text}</body></html>".encode())


def kept(document: Document) -> set[tuple[str, str]]:
    return {(item.kind, item.text) for item in document.furniture}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("1,000<sup>2</sup>; 10<sup>6</sup> dollars", "1,000[2]; 10^6 dollars"),
        ("10<sup>&minus;6</sup> and 10<sup>–6</sup>", "10^−6 and 10^–6"),
        ("1x10<sup>6</sup>, 5 × 10<sup>3</sup>, 2<sup>n</sup>", "1x10^6, 5 × 10^3, 2^n"),
        ("5,000<sup><a href='#fn1'>1</a></sup>", "5,000[1]"),
        ("10<sup class=footnote>6</sup>", "10[6]"),
        ("10<a href='#fn'><sup>6</sup></a>", "10[6]"),
        ("1,000<span style='vertical-align: super'>2</span>", "1,000[2]"),
        ("1,000<font style='position:relative; top:-3.5pt; font-size:6.5pt'>2</font>", "1,000[2]"),
        ("1,000<span style='vertical-align:4pt;font-size:6pt'>2</span>", "1,000[2]"),
        ("1,000<sup><span style='vertical-align:super'>2</span></sup>", "1,000[2]"),
        ("the 1<sup>st</sup> of May, Acme<sup>®</sup>", "the 1st of May, Acme®"),
        ("5<sup>1</sup>/<sub>2</sub>% and 8<sup>1/2</sup>%", "5 1/2% and 8 1/2%"),
        ("<sup>3</sup>&frasl;<sub>4</sub> of it", "3⁄4 of it"),
        ("x<sub>1</sub><sup>2</sup>, H<sub>2</sub>O, 10<sub>2</sub>", "x1^2, H2O, 10_2"),
        ("SO<sub>4</sub><sup>2-</sup> and (<sup>14</sup>C)", "SO4^2- and (14C)"),
        ("<math><msup><mn>10</mn><mn>6</mn></msup></math> units", "10^6 units"),
        ("5<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "51/2"),
        ("<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x</annotation></semantics></math>", "x"),
        ("<span class=katex><math><mi>x</mi></math><span class=katex-html>x</span></span>", "x"),
        ("She said <q>no</q>.", "She said “no”."),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby> <ruby>字<rt>ji</rt></ruby>", "漢(kan) 字(ji)"),
        ("a<span style='display:block'>b</span><div style='display:inline'>c</div>d", "a\n\nb\n\ncd"),
        ("<span style='white-space:pre'>a   b</span>", "a   b"),
        ("<ol reversed><li>a<li>b</ol>", "2. a\n1. b"),
    ],
)
def test_the_text_has_the_values_that_are_displayed(html, text):
    assert body(html).text == text


def test_deleted_and_hidden_text_is_furniture():
    style = "<style>.gone{display:none} .old{text-decoration: line-through} @media print{.p{display:none}}</style>"
    document = body(
        "<p>May <del>3</del><ins>4</ins> <s>Seller</s> <strike>one</strike> <span class=old>two</span>"
        "<span style='text-decoration-line:line-through'>three</span> <b class=gone>four</b> <b class=p>five</b>"
        "<b hidden>six</b><b style='visibility:hidden'>seven</b><dialog>eight</dialog><dialog open>nine</dialog></p>",
        style,
    )
    assert document.text.split() == ["May", "4", "five", "nine"]
    assert kept(document) == {
        *(("deleted", word) for word in ("3", "Seller", "one", "two", "three")),
        *(("hidden", word) for word in ("four", "six", "seven", "eight")),
    }
    assert all(document.raw_text[i.raw_start : i.raw_end].strip() == i.text for i in document.furniture)


@pytest.mark.parametrize(
    ("css", "is_text"),
    [
        (".a{display:none}", False),
        ("p.a{display:none}", False),
        ("#b{visibility:hidden}", False),
        ("@media screen{.a{display:none}}", False),
        (".a{display:none} .a{display:block}", True),
        (".a{display:none} p{display:block}", False),
        (".a{display:none !important} #b{display:block}", False),
        (".a{display:none} .open .a{display:block}", True),
        (".a .c{display:none}", True),
        (".a:hover{display:none}", True),
        ("@media print{.a{display:none}}", True),
        ("@supports not (display:grid){.a{display:none}}", True),
        ("/* .a{display:none} */", True),
    ],
)
def test_rules_of_style_sheets_hide_text_only_where_they_certainly_apply(css, is_text):
    document = body("<p>rent</p><p class=a id=b>word</p>", f"<style>{css}</style>")
    assert ("word" in document.text) == is_text
    assert "word" in document.raw_text


def test_fields_of_forms():
    document = body(
        "<form>Name: <input name=n value='Jane Roe'> <input type=PASSWORD name=pw value=secret1>"
        "<input name=code autocomplete='one-time-code' value=secret2><input type=hidden name=t value=token>"
        "<input type=checkbox name=yes checked>Yes <input type=checkbox name=no>No "
        "<input type=radio name=c value=red>Red<input type=radio name=c value=blue checked>Blue"
        "<input type=date name=d value=2020-05-01><input type=file name=f><input type=submit>"
        "<textarea name=t>two\nlines</textarea><select name=s><option>one<option selected>two</select>"
        "<select name=first><option>Ohio<option>Utah</select><button name=b>Send</button>"
        "<span role=checkbox aria-checked=true id=r>agreed</span></form>"
    )
    assert [(field.name, field.kind, field.value) for field in document.fields] == [
        ("n", "text", "Jane Roe"),
        ("pw", "text", ""),
        ("code", "text", ""),
        ("yes", "checkbox", "on"),
        ("no", "checkbox", "off"),
        ("c", "radio", "off"),
        ("c", "radio", "blue"),
        ("d", "text", "2020-05-01"),
        ("f", "text", ""),
        ("", "button", "Submit"),
        ("t", "text", "two\nlines"),
        ("s", "choice", "two"),
        ("first", "choice", "Ohio"),
        ("b", "button", "Send"),
        ("r", "checkbox", "on"),
    ]
    assert document.text.startswith(
        "Name: Jane Roe ☒ Yes ☐ No ☐ Red ☒ Blue 2020-05-01 Submit two\nlines two Ohio Send ☒ agreed"
    )
    assert "secret" not in document.to_json()
    assert {("hidden", "token"), ("option", "one"), ("option", "Utah")} <= kept(document)
    assert Document.from_json(document.to_json()) == document


@pytest.mark.parametrize(
    "html",
    [
        "<html><body><p>Part one.</p></body></html><p>Part two.</p>",
        "<html><body><p>Part one.</p></body></html>\n<html><head><title>B</title><body><p>Part two.</p></body></html>",
        "<html><body><p>Part one.<table><tr><td></body></html><p>Part two.",
        "<p>Part one.</p></body><p>Part two.</p></html>",
        "<p>Part one.</p><script>'</html>' + '<p>three'</script><p>Part two.</p>",
        "<p>Part one.</p><!-- </html> --><p>Part two.</p></html></html>",
        "<p>Part one.</p></HTML ><!-- end -->Part two.",
        "<p>Part one.</p></html lang=en><p>Part two.",
        "<p>Part one.</p></html/><p>Part two.",
        "<p>Part one.</p></body/></html\n<p>Part two.",
        "<p>Part one.</p></html Part two.",
        "<p>Part one.</p><script>x</script foo></html><p>Part two.",
        "<p>Part one.</p><style>x</style/></html><p>Part two.",
        "<p>Part one.</p><script src=x /></html><p>Part two.",
        "<p>Part one.</p><script-x></script-x></html><p>Part two.",
        "<p>Part one.</p><!--></html><p>Part two.",
        "<p>Part one.</p><!---></html><p>Part two.",
        "<p>Part one.</p><!-- x --!></html><p>Part two.",
    ],
)
def test_what_follows_the_end_of_a_document_is_read(html):
    assert load(html.encode()).text == "Part one.\n\nPart two."


@pytest.mark.parametrize(
    ("base", "address"), [("http://[x", "y"), ("http://a.b/", "http://[x"), ("http://a.b/", "//a]"), ("//℀", "y")]
)
def test_an_address_that_cannot_be_read_is_kept_as_it_is_written(base, address):
    document = load(f"<html><base href='{base}'><p>See <a href='{address}'>this</a>.".encode())
    assert document.text == "See this."
    assert [link.uri for link in document.links] == [address]


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("<select multiple><option selected><b>one<option selected><b>two<option><b>three", ["one, two"]),
        ("<button><b>one<button><b>two", ["one", "two"]),
    ],
)
def test_an_option_or_a_button_ends_where_the_next_one_starts(form, values):
    document = load(f"<html><p>Text</p>{form}".encode())
    assert [each.value for each in document.fields] == values
    assert document.text.split() == ["Text", "one", "two"]
    assert ("option" in form) == (("option", "three") in kept(document))


def test_text_between_options_is_kept_as_furniture():
    document = load(b"<html><p>Text</p><select>before<option>one</option>after<p>more</select>End")
    assert document.text.split() == ["Text", "one", "End"]
    assert ("hidden", "beforeaftermore") in kept(document)


def test_the_starts_of_nested_blocks_are_found_in_one_walk(monkeypatch):
    inner = "<br> 7<font>of the <script>x</script>words<title>y</title></font> that are long enough, and more"
    parts = "<noscript>a<p>b</noscript>c<p></p><td>d<div>e <style>f</style>"
    root = etree.fromstring(f"<html><body>{'<div><font>' * 90}{inner}{parts}", etree.HTMLParser())
    blocks = set(root.iter("div", "p"))
    starts = {block: start_of(block) for block in blocks}
    walks, iterwalk = [], etree.iterwalk
    monkeypatch.setattr(etree, "iterwalk", lambda *of, **named: walks.append(of) or iterwalk(*of, **named))
    assert starts_of(root, blocks) == starts
    assert len(walks) == 1
    breaks = Styles("p { page-break-before: always }")
    assert page_numbers(root, breaks) == set()
    assert len(walks) == 3  # for the page breaks and the starts


def test_html_that_mentions_the_tags_of_filings_keeps_its_text():
    document = load(b"<html><p>One <document> two </document> three</p><p>A <text>four</text></p></html>")
    assert document.text.split() == ["One", "two", "three", "A", "four"]


def test_what_is_not_running_text_is_furniture():
    document = body(
        "<template>a</template><noscript>b</noscript><canvas>c</canvas><img alt=d title=e><abbr title=f>F</abbr>"
        "<svg><title>g</title><text>G</text></svg><input placeholder=h><iframe srcdoc='<p>frame</p>'></iframe>"
        "<video><track label=i></video><datalist><option value=j></datalist><![CDATA[k]]>"
    )
    assert document.text.split() == ["F", "G", "frame"]
    assert {text for _, text in kept(document)} == set("abcdefghijk")
    xhtml = load(b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p>a <![CDATA[b < c]]></p></html>')
    assert xhtml.text == "a b < c"


@pytest.mark.parametrize(
    ("html", "warning"),
    [
        ("<p>x<iframe src=annex.html></iframe>", "iframe annex.html"),
        ("<frameset><frame src=a.html><noframes>x</noframes></frameset>", "frame a.html"),
        ("<p>x<object data=b.pdf></object><embed src=c.pdf>", "object b.pdf, embed c.pdf"),
        ("<style>p::before{content:'Draft '}</style><p>x", "style sheets add text that is not read: Draft"),
        ("<style>h2:before{content: counter(n) '. '}</style><h2>x</h2>", "style sheets add text"),
        ("<script>document.write('rent')</script><p>x", "scripts are not run"),
        ("<meta http-equiv=refresh content='0; url=lease.html'><p>x", "forwards to lease.html"),
        ("<p>x<img src=page1.png width=600 height=800>", "1 picture"),
    ],
)
def test_what_cannot_be_read_is_named(html, warning):
    document = load(f"<html>{html}".encode())
    assert document.text == "x" and any(warning in each for each in document.warnings)


@pytest.mark.parametrize(
    "html",
    [
        "<style>a:before{content:'\\f101'} b:after{content:''} li::before{content: counter(i) '.'}</style>",
        "<iframe src='https://example.org/t' width=1 height=1></iframe><iframe src='about:blank'></iframe>",
        "<script type='application/ld+json'>{\"innerHTML\": 1}</script><img src=dot.gif width=1 height=1>",
    ],
)
def test_nothing_is_said_of_what_has_no_text(html):
    assert load(f"<html><p>{'rent ' * 100}</p>{html}".encode()).warnings == ()


def test_encoded_files_of_a_filing_are_named():
    graphic = b"<DOCUMENT>\n<TYPE>GRAPHIC\n<FILENAME>a.jpg\n<TEXT>\n"
    graphic += b"begin 644 a.jpg\nM_]C_X 02D9)1@ ! 0\n`\nend\n</TEXT>\n</DOCUMENT>\n"
    for main in (b"<html><p>Rent</p></html>", b"Rent"):
        document = load(b"<DOCUMENT>\n<TYPE>EX-10\n<TEXT>\n" + main + b"\n</TEXT>\n</DOCUMENT>\n" + graphic)
        assert document.text.strip() == "Rent" and "a.jpg" in document.warnings[0]


def test_nested_frames_and_tables_are_bounded():
    source = "<p>x</p>"
    for _ in range(12):
        source = f'<p>a</p><iframe srcdoc="{source.replace("&", "&amp;").replace(chr(34), "&quot;")}"></iframe>'
    with pytest.raises(LimitExceededError, match="frames within frames"):
        load(f"<html>{source}".encode())
    row = "<tr><td rowspan=1000 colspan=1000>a</td><td>b</td></tr>"
    assert len(body(f"<table>{row * 1000}</table>").tables[0].cells) == 2000


def test_a_row_span_is_skipped_wherever_it_starts():
    rows = "<tr><td>a<td rowspan=3>b<td>c</tr><tr><td>d<td rowspan=2>e</tr><tr><td>f<td>g</tr>"
    cells = body(f"<table>{rows}</table>").tables[0].cells
    assert [(cell.text, cell.row, cell.column) for cell in cells] == [
        *(("a", 0, 0), ("b", 0, 1), ("c", 0, 2), ("d", 1, 0), ("e", 1, 2), ("f", 2, 0), ("g", 2, 3)),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<p><font face="Wingdings">&#254;</font> Yes', "☑ Yes"),
        ('<p><font face="wingdings"><b>x</b></font> No', "☒ No"),
        ('<p><span style="font-family:Wingdings">o</span> not', "☐ not"),
        ("<p><span style='font-family:\"Wingdings 2\",serif'>R</span> a", "☑ a"),
        ("<p><span style='font:10.0pt Wingdings'>&#168;</span> a", "☐ a"),
        ('<style>.w {font-family: Wingdings}</style><p><i class="w">&uuml;</i> a', "✓ a"),
        ('<p><span style="font-family:Symbol">·<span style="font:7.0pt Arial">b</span></span>c', "•bc"),
        ('<pre><font face="Webdings">c</font>  x</pre>', "☐  x"),
        ('<pre><b>a</b> <font face="Wingdings">&#254; x</font></pre>', "a ☑ ☒"),
        ('<p><font face="Segoe UI Symbol">x</font> <font face="Wingdings">a plain text</font>', "x a plain text"),
    ],
)
def test_letters_in_symbol_fonts_are_symbols(source, text):
    document = load(f"<html><body>{source}".encode())
    assert document.text == text
    assert all(edit.text != document.raw_text[edit.raw_start : edit.raw_end] for edit in document.edits)
    assert not set("☑☒☐✓•") & set(document.raw_text)


def test_many_columns_that_span_many_rows_are_followed():
    first = "".join(f"<td rowspan=500>a{number}" for number in range(110))
    rows = "".join("<tr><td>b</tr>" for _ in range(499))
    document = load(f"<html><body><table><tr>{first}<td>b</tr>{rows}</table></body></html>".encode())
    (table,) = document.tables
    assert not document.warnings and table.shape == (500, 111)
    assert {(cell.row, cell.column) for cell in table.cells if cell.text == "b"} == {(row, 110) for row in range(500)}


def placed_slowly(rows):
    """Where cells are, of rows of the spans of each: in the first column that no cell has."""
    taken, places = set(), []
    for row, cells in enumerate(rows):
        column = 0
        for row_span, column_span in cells:
            while (row, column) in taken:
                column += 1
            places.append((row, column))
            taken |= {(row + i, column + k) for i in range(row_span) for k in range(column_span)}
            column += column_span
    return places


@pytest.mark.parametrize("seed", range(50))
def test_cells_that_span_rows_are_placed_as_by_the_slow_twin(seed):
    chance = random.Random(seed)
    rows = [
        [(chance.choice([1, 1, 2, 3, 3, 7]), chance.choice([1, 1, 1, 2, 3])) for _ in range(chance.randrange(6))]
        for _ in range(12)
    ]
    grid, places = Grid(), []
    for cells in rows:
        grid.open_row()
        places += [grid.place(row_span=row_span, column_span=column_span) for row_span, column_span in cells]
    assert grid.is_followed and places == placed_slowly(rows)
