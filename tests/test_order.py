from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.loaders.layout.glyphs import BLOCK, LINE, NONE, SPACE, Glyphs
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.loaders.pdf.reading_order import order
from pdfs import across, letters, lines, make_pdf

DATA = Path(__file__).parent / "data"
TITLE = "A title that runs over all of the columns of this page, from its left to its right"


def prose(name: str, count: int = 10, words: str = "of a text in this column") -> list[str]:
    return [f"{name} {i} {words}" for i in range(count)]


def read(content: str | bytes, page: int = 1) -> Glyphs:
    data = make_pdf(content) if isinstance(content, str) else content
    return order(read_glyphs(pdfium.PdfDocument(data)[page - 1]))


def blocks(glyphs: Glyphs) -> list[list[str]]:
    """The lines of each block, with white space folded."""
    text = "".join(
        {NONE: "", SPACE: " ", LINE: "\n", BLOCK: "\f"}[code] + char
        for code, char in zip(glyphs.breaks.tolist(), map(chr, glyphs.codes.tolist()), strict=True)
    )
    found = [[" ".join(line.split()) for line in block.split("\n")] for block in text.split("\f")]
    return [[line for line in block if line] for block in found]


LEFT, MIDDLE, RIGHT = prose("left"), prose("middle"), prose("right")
NARROW = [f"set {i} wholly apart" for i in range(10)]
WIDE = [f"and line {i} of a body that is much wider than the column beside it" for i in range(10)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (across({72: LEFT, 270: RIGHT}), LEFT + RIGHT),
        (across({40: LEFT, 225: MIDDLE, 410: RIGHT}), LEFT + MIDDLE + RIGHT),
        (lines(TITLE, y=740) + across({72: LEFT, 270: RIGHT}), [TITLE, *LEFT, *RIGHT]),
        (
            across({72: LEFT, 270: RIGHT}) + lines(TITLE, y=540) + across({72: MIDDLE, 270: RIGHT}, y=500),
            [*LEFT, *RIGHT, TITLE, *MIDDLE, *RIGHT],
        ),
        (across({72: NARROW, 190: WIDE}), NARROW + WIDE),
        (lines(*RIGHT, x=270) + lines(*LEFT), LEFT + RIGHT),
    ],
    ids=["two", "three", "title", "heading between", "sidebar", "right one first"],
)
def test_columns_are_read_one_after_the_other(content, expected):
    (found,) = blocks(read(content))
    assert found == expected


@pytest.mark.parametrize(
    "content",
    [
        lines(*LEFT),
        lines(*LEFT) + lines(*RIGHT, x=330),
        across({72: [f"Field {i}" for i in range(12)], 330: [f"value {i}" for i in range(12)]}),
        across({72: ["Signed"] * 5, 330: ["Signed, too"] * 5}),
        across({72: [f"{i}.0" for i in range(12)], 200: ["3.5"] * 12, 300: ["Total"] * 12}),
        lines("Word one two") + lines("raised", x=146, y=704, size=7) + lines("and on", x=170),
    ],
    ids=["one column", "columns in order", "form", "signatures", "table", "superscript"],
)
def test_the_order_of_the_page_is_kept_where_it_is_correct(content):
    as_written = read_glyphs(pdfium.PdfDocument(make_pdf(content))[0])
    assert read(content).codes.tolist() == as_written.codes.tolist()


def test_footnotes_and_the_foot_of_the_page_follow_the_columns():
    notes = lines("1 a note below the left one", y=540, size=8) + lines("17", x=300, y=60)
    assert blocks(read(across({72: LEFT, 270: RIGHT}) + notes)) == [
        LEFT + RIGHT,
        ["1 a note below the left one"],
        ["17"],
    ]


@pytest.mark.parametrize("interleaved", [True, False])
def test_line_numbers_come_first_in_a_block_of_their_own(interleaved):
    texts = prose("MR. SMITH:", 25, "then what did he say to you?")
    columns = {60.0: [str(i + 1) for i in range(25)], 110.0: texts}
    written = across(columns) if interleaved else "".join(lines(*column, x=x) for x, column in columns.items())
    assert blocks(read(written)) == [columns[60.0], texts]


@pytest.mark.parametrize(
    "columns",
    [{60.0: ["7"] * 12, 110.0: WIDE}, {60.0: WIDE, 500.0: [str(i) for i in range(12)]}],
    ids=["the same number", "numbers at the right"],
)
def test_other_columns_of_numbers_are_not_line_numbers(columns):
    written = across(columns)
    glyphs = read(written)
    assert len(blocks(glyphs)) == 1
    assert glyphs.codes.tolist() == read_glyphs(pdfium.PdfDocument(make_pdf(written))[0]).codes.tolist()


@pytest.mark.parametrize(("turn", "step"), [("0 1 -1 0", (0, 6.6)), ("0 -1 1 0", (0, -6.6))])
def test_turned_text_is_read_along_its_own_direction(turn, step):
    turned = letters("shaded", 300, 400, turn, step)
    found = blocks(read(lines("above it") + turned + lines("A", "B", "C", "D", y=200)))
    assert found == [["above it"], ["shaded"], ["A", "B", "C", "D"]]


def test_invisible_text_is_hidden():
    seen = lines(*LEFT)
    unseen = lines("beyond", x=700) + lines("tiny", y=300, size=0.1) + "3 Tr " + lines("invisible", y=200)
    glyphs = read(seen + unseen)
    assert "".join(map(chr, glyphs.codes[glyphs.hidden])) == "beyondtinyinvisible"


def test_text_under_a_scan_is_not_hidden():
    glyphs = read("3 Tr " + lines(*LEFT) + "0 Tr " + lines("Received", y=60))
    assert not glyphs.hidden.any()


@given(st.data())
def test_no_glyph_is_lost_or_duplicated(data):
    n = data.draw(st.integers(0, 60))
    corner = st.tuples(st.integers(0, 600), st.integers(0, 790))
    low = np.array(data.draw(st.lists(corner, min_size=n, max_size=n)), np.float32).reshape(-1, 2)
    codes = np.arange(n, dtype=np.uint32) + ord("0")
    breaks = np.array(data.draw(st.lists(st.sampled_from((NONE, SPACE, LINE)), min_size=n, max_size=n)), np.uint8)
    ordered = order(Glyphs(codes, np.hstack([low, low + 10]), breaks))
    assert sorted(ordered.codes.tolist()) == codes.tolist()
    assert (ordered.boxes == np.hstack([low, low + 10])[ordered.codes.astype(int) - ord("0")]).all()


@pytest.mark.parametrize(
    ("file", "phrases"),
    [
        ("pdfplumber_pdfs/federal-register-2020-17221.pdf", ["following methods:", "Federal eRulemaking Portal"]),
        ("pdfplumber_pdfs/federal-register-2020-17221.pdf", ["specific portion of the", "proposal, explain the"]),
        ("py-pdf_sample-files/026-latex-multicolumn/multicolumn.pdf", ["Abstract", "Lorem ipsum dolor", "Nam dui"]),
    ],
)
def test_real_columns(file, phrases):
    text = " ".join(
        " ".join(line for block in blocks(read((DATA / "pdf" / file).read_bytes())) for line in block).split()
    )
    places = [text.index(phrase) for phrase in phrases]
    assert places == sorted(places)


def test_a_real_transcript():
    numbers, text = blocks(read((DATA / "pdf/pdfplumber_pdfs/scotus-transcript-p1.pdf").read_bytes()))
    assert numbers == [str(i) for i in range(1, 26)]
    assert text[1] == "IN THE SUPREME COURT OF THE UNITED STATES"


def test_a_block_written_after_those_below_it_is_read_before_them():
    box, head, rest = prose("box"), prose("head"), prose("rest")
    assert blocks(read(lines(*box, y=540) + lines(*head, y=700) + lines(*rest, y=380))) == [head + box + rest]
