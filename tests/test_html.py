import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.document import Document
from longdoc.errors import LimitExceededError, LongdocError, NoTextLayerError
from longdoc.loaders import Limits
from longdoc.loaders.html import load_html
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
