import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from longdoc.edits import Edit, Edits
from longdoc.errors import LimitExceededError
from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import BLOCK, CELL, LINE, NONE, ROW, SPACE, Glyphs
from longdoc.loaders.layout.grids import Grid, GridCell, PlacedGrid, arrange, build_tables
from longdoc.loaders.layout.isolate import attempt
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.loaders.pdf.ruling_lines import TableError
from longdoc.loaders.pdf.tables import find_tables
from longdoc.parts import Table
from pdfs import lines, make_pdf

DATA = Path(__file__).parent / "data" / "pdf"
PAIR = DATA / "docling_odf_pairs/odf/sources/odf_table_with_title_01.ods"

FEES = (("Year", "Fee", "Due"), ("First", "200", "May"), ("Second", "210", "June"))


def ruled(rows: tuple[tuple[str, ...], ...] = FEES, width: int = 100, height: int = 24) -> str:
    """A table drawn with ruling lines, its lower left corner at (72, 500)."""
    across, down = len(rows[0]) * width, len(rows) * height
    level = [f"72 {500 + i * height} m {72 + across} {500 + i * height} l S " for i in range(len(rows) + 1)]
    upright = [f"{72 + i * width} 500 m {72 + i * width} {500 + down} l S " for i in range(len(rows[0]) + 1)]
    texts = [
        lines(text, x=76 + j * width, y=506 + down - (i + 1) * height)
        for i, row in enumerate(rows)
        for j, text in enumerate(row)
    ]
    return "".join(level + upright + texts)


def read(data: bytes, number: int = 1) -> tuple[Glyphs, list[Grid]]:
    page = pdfium.PdfDocument(data)[number - 1]
    glyphs = read_glyphs(page)
    return glyphs, find_tables(page, glyphs)


def as_text(glyphs: Glyphs) -> tuple[str, Edits]:
    """Raw text, and edits that insert the text of each break."""
    written = {
        SPACE: (" ", "space"),
        LINE: ("\n", "line"),
        CELL: ("\t", "cell"),
        ROW: ("\n", "row"),
        BLOCK: ("\n\n", "b"),
    }
    edits = [Edit(i, i, *written[kind]) for i, kind in enumerate(glyphs.breaks.tolist()) if kind != NONE]
    return "".join(map(chr, glyphs.codes.tolist())), Edits.of(edits)


def tables_of(glyphs: Glyphs, grids: list[Grid]) -> tuple[Table, ...]:
    arranged, placed = arrange(glyphs, grids)
    failures: list[str] = []
    tables = build_tables([(1, 0, placed)], *as_text(arranged), failures)
    assert not failures
    return tables


def rows_of(table: Table) -> list[list[str]]:
    height = max(cell.row for cell in table.cells) + 1
    return [[cell.text for cell in table.cells if cell.row == row] for row in range(height)]


def test_a_ruled_table_gives_its_cells_row_by_row() -> None:
    (table,) = tables_of(*read(make_pdf(lines("Fees are due as follows.") + ruled() + lines("Later.", y=400))))
    assert rows_of(table) == [list(row) for row in FEES]
    assert table.box is not None
    assert (table.box.x0, table.box.y0, table.box.x1, table.box.y1) == pytest.approx((72, 220, 372, 292))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_and_crop_box_do_not_move_cells_away_from_their_glyphs(rotation: int) -> None:
    page = f"/MediaBox [0 0 612 792] /CropBox [30 40 600 700] /Rotate {rotation}"
    glyphs, grids = read(make_pdf(ruled(), page=page))
    (table,) = tables_of(glyphs, grids)
    assert sorted(cell.text for cell in table.cells) == sorted(text for row in FEES for text in row)


def test_a_cell_that_covers_others_spans_them() -> None:
    grid = Grid.of([(0, 0, 200, 20), (0, 20, 100, 40), (100, 20, 200, 60), (0, 40, 100, 60)])
    assert grid.cells == (GridCell(0, 0, 1, 2), GridCell(1, 0, 1, 1), GridCell(1, 1, 2, 1), GridCell(2, 0, 1, 1))


def test_the_two_lines_of_a_double_rule_are_one_border() -> None:
    grid = Grid.of([(0, 0, 98, 20), (98, 0, 102, 20), (102, 0, 200, 20)])
    assert grid.cells == (GridCell(0, 0, 1, 1), GridCell(0, 1, 1, 1))
    assert grid.x.tolist() == [0, 100, 200]


def test_columns_of_numbers_without_rules_are_a_table() -> None:
    rows = (("Apples", "12.50", "3"), ("Pears", "8.10", "14"), ("Plums", "9.00", "7"), ("Total", "29.60", "24"))
    content = "".join(
        lines(text, x=72 + 150 * j, y=600 - 14 * i) for i, row in enumerate(rows) for j, text in enumerate(row)
    )
    (table,) = tables_of(*read(make_pdf(content)))
    assert rows_of(table) == [list(row) for row in rows]


def test_a_row_ruled_only_every_few_lines_is_cut_where_all_its_cells_have_lines() -> None:
    rows = (("Year", "Fee", "Due"), ("First Second Third", "200 210 220", "May June July"))
    content = ruled(tuple(("",) * 3 for _ in rows), height=50)
    for j in range(3):
        content += lines(rows[0][j], x=76 + 100 * j, y=575) + lines(*rows[1][j].split(), x=76 + 100 * j, y=535)
    (table,) = tables_of(*read(make_pdf(content)))
    assert rows_of(table) == [
        ["Year", "Fee", "Due"],
        ["First", "200", "May"],
        ["Second", "210", "June"],
        ["Third", "220", "July"],
    ]


PROSE = "the parties agree that each of them bears its own costs and that"


@pytest.mark.parametrize(
    "content",
    [
        lines(*[PROSE] * 10) + "60 540 480 180 re S",  # a frame around a paragraph
        "".join(lines(*[PROSE[:40]] * 12, x=x) for x in (50, 320)),  # two columns
        "".join(lines("By: ______", "Name:", "Title:", "Date:", x=x) for x in (72, 350)),  # signatures
        lines("Definitions", "Services", "Fees", "Term") + lines("1", "4", "9", "12", x=500),  # a table of contents
        lines("1", "2", "3", "4", "5", x=40) + lines(*[PROSE] * 5, x=72),  # numbered lines
        "72 500 m 500 500 l S 72 600 m 500 600 l S " + lines(PROSE, PROSE),  # two rules
        ruled((("one", ""), ("", ""), ("", ""), ("", "four"))),  # mostly empty
    ],
)
def test_what_is_not_a_table(content: str) -> None:
    assert read(make_pdf(content))[1] == []


def test_a_page_full_of_rules_is_refused_early() -> None:
    content = "".join(f"{i % 600} 0 m {i % 600} 700 l S " for i in range(4000))
    with pytest.raises(TableError, match="more than 3,000 rules"):
        read(make_pdf(content + lines("text")))
    content = "".join(f"{6 * i} 0 m {6 * i} 700 l S 0 {6 * i} m 600 {6 * i} l S " for i in range(100))
    with pytest.raises(TableError, match="cross more than"):
        read(make_pdf(content + lines("text")))


def test_white_shapes_and_curves_draw_no_rules() -> None:
    boxes = "".join(f"{x} {y} 100 20 re f " for x in (72, 172) for y in (500, 520, 540))
    texts = "".join(lines("word", x=x + 5, y=y + 5) for x in (72, 172) for y in (500, 520, 540))
    assert read(make_pdf("1 1 1 rg " + boxes + "0 g " + texts))[1] == []
    assert len(read(make_pdf("0.8 0.9 1 rg " + boxes + "0 g " + texts))[1]) == 1


GRID = Grid.of([(0, 0, 20, 10), (20, 0, 40, 10), (0, 10, 20, 20), (20, 10, 40, 20)])
OTHER = Grid.of([(0, 30, 10, 50), (10, 30, 40, 40), (10, 40, 40, 50)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 45), st.integers(-5, 60), st.integers(0, 2)), max_size=40))
def test_arrange_is_a_permutation_that_moves_only_what_is_in_tables(spots: list[tuple[int, int, int]]) -> None:
    corners = np.array([(x, y, x + 2, y + 2) for x, y, _ in spots], np.float32).reshape(-1, 4)
    codes = np.arange(len(spots), dtype=np.uint32) + ord("a")
    glyphs = Glyphs(codes, corners, np.array([kind for _, _, kind in spots], np.uint8))
    arranged, placed = arrange(glyphs, [GRID, OTHER])
    order = (arranged.codes - ord("a")).astype(int)
    assert sorted(order) == list(range(len(spots)))
    assert (arranged.boxes == corners[order]).all()
    inside = [GRID.cell_of(arranged), OTHER.cell_of(arranged)]
    outside = order[(inside[0] < 0) & (inside[1] < 0)]
    assert (np.diff(outside) > 0).all()
    for table, cells in zip(placed, inside, strict=True):
        for i, (start, end) in enumerate(table.ranges.tolist()):
            assert np.flatnonzero(cells == i).tolist() == list(range(start, end))
            assert (np.diff(order[start:end]) > 0).all()
            assert set(arranged.breaks[start + 1 : end].tolist()) <= {NONE, SPACE, LINE}
            assert start == end or arranged.breaks[start] in (CELL, ROW, BLOCK)


@settings(max_examples=60, deadline=None)
@given(st.text("ab \n\u00ad", max_size=30), st.lists(st.integers(0, 30), min_size=5, max_size=5))
def test_cells_start_and_end_at_visible_characters(raw: str, cuts: list[int]) -> None:
    borders = sorted(min(cut, len(raw)) for cut in cuts)
    ranges = np.array(list(pairwise(borders)))
    edits = Edits.of(Edit(i, i + 1, "", "dropped") for i, char in enumerate(raw) if char in "\n\u00ad")
    (table,) = build_tables([(1, 0, [PlacedGrid(GRID, ranges)])], raw, edits, [])
    text, _ = edits.apply(raw)
    for cell, (start, end) in zip(table.cells, ranges.tolist(), strict=True):
        assert cell.text == text[cell.start : cell.end]
        assert cell.text == raw[start:end].replace("\n", "").replace("\u00ad", "").strip()
        assert table.start <= cell.start <= cell.end <= table.end or not cell.text


def test_a_spreadsheet_printed_to_pdf_has_the_cells_of_the_spreadsheet() -> None:
    content = etree.fromstring(zipfile.ZipFile(PAIR).read("content.xml"))
    cells = ["".join(cell.itertext()).strip() for cell in content.iter("{*}table-cell")]
    (table,) = tables_of(*read(PAIR.with_suffix(".ods.pdf").read_bytes()))
    found = [cell.text for cell in table.cells if cell.text]
    truth = [text for text in cells if text]
    assert found == truth[1:]  # its title is above the table


@pytest.mark.parametrize(
    ("name", "shape"),
    [("WARN-Report-for-7-1-2015-to-03-25-2016.pdf", (43, 7)), ("la-precinct-bulletin-2014-p1.pdf", (11, 6))],
)
def test_tables_of_real_pages(name: str, shape: tuple[int, int]) -> None:
    _, grids = read((DATA / "pdfplumber_pdfs" / name).read_bytes())
    assert shape in [(len(grid.y) - 1, len(grid.x) - 1) for grid in grids]


def test_without_pdfplumber_a_document_has_its_text_and_one_warning(monkeypatch):
    path = Path(__file__).parents[1] / "examples" / "hyatt-playa-strategic-alliance.pdf"
    monkeypatch.setitem(sys.modules, "pdfplumber", None)
    document = load(path)
    assert len(document.text) > 20_000 and not document.tables
    (warning,) = document.warnings
    assert warning.startswith(
        "tables of page(s) 2–8 could not be read: finding their cells needs pdfplumber: pip install"
    )


ROWS = (("Apples", "12.50", "3"), ("Pears", "8.10", "14"), ("Plums", "9.00", "7"), ("Total", "29.60", "24"))


def unruled(size: float = 12, step: float = 150) -> str:
    return "".join(
        lines(text, x=72 + step * j, y=600 - 1.25 * size * i, size=size)
        for i, row in enumerate(ROWS)
        for j, text in enumerate(row)
    )


def grid_lines(heights: list[float], xs: list[float]) -> str:
    level = [f"{xs[0]} {y} m {xs[-1]} {y} l S " for y in heights]
    return "".join(level + [f"{x} {heights[0]} m {x} {heights[-1]} l S " for x in xs])


@pytest.mark.parametrize("turn", ["0 1 -1 0 800 150", "0 -1 1 0 -200 700", "-1 0 0 -1 612 1100"])
@pytest.mark.parametrize("prose", [True, False])
@pytest.mark.parametrize(("content", "rows"), [(unruled(), ROWS), (ruled(), FEES)], ids=["unruled", "ruled"])
def test_a_table_that_is_turned_on_an_upright_page(content, rows, prose, turn):
    above = lines(*[PROSE] * 3, y=770) if prose else ""
    document = load(make_pdf(f"{above}q {turn} cm {content}Q "))
    (table,) = document.tables
    assert rows_of(table) == [list(row) for row in rows]
    for cell in table.cells:
        assert document.text[cell.start : cell.end] == cell.text
        for box in document.locate(cell.start, cell.end):
            assert cell.box.x0 - 1 <= box.x0 <= box.x1 <= cell.box.x1 + 1
            assert cell.box.y0 - 1 <= box.y0 <= box.y1 <= cell.box.y1 + 1


def test_the_lines_of_a_cell_of_a_turned_table_are_read_down_the_table():
    content = (
        ruled((("Year", "Fee"), ("", "200")), height=40) + lines("as agreed", x=76, y=506) + lines("First", x=76, y=520)
    )
    (table,) = load(make_pdf(f"q 0 1 -1 0 800 150 cm {content}Q ")).tables
    assert " ".join(table.cells[2].text.split()) == "First as agreed"


def test_turned_headings_of_an_upright_table():
    names = ("Year begun", "Fee paid", "Due date")
    heads = "".join(f"BT /F 12 Tf 0 1 -1 0 {120 + 100 * j} 575 Tm ({name}) Tj ET " for j, name in enumerate(names))
    body = "".join(
        lines(text, x=76 + 100 * j, y=556 - 24 * i) for i, row in enumerate(FEES[1:]) for j, text in enumerate(row)
    )
    document = load(make_pdf(grid_lines([525, 548, 572, 650], [72, 172, 272, 372]) + heads + body))
    assert rows_of(document.tables[0]) == [list(names), *map(list, FEES[1:])]


@pytest.mark.parametrize(
    "stamp",
    [
        "BT /F 60 Tf 0.7 0.7 -0.7 0.7 150 250 Tm (DRAFT) Tj ET ",
        "BT /F 20 Tf 0 1 -1 0 30 250 Tm (arXiv:2104.01234v2 [cs.CL] 3 May 2021) Tj ET ",
    ],
    ids=["watermark", "stamp"],
)
def test_stamps_leave_an_upright_table_as_it_is(stamp):
    document = load(make_pdf(lines(*[PROSE] * 8) + stamp + ruled()))
    (table,) = document.tables
    assert rows_of(table) == [list(row) for row in FEES]


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("has_rules", [True, False])
def test_tables_in_small_print(size, has_rules):
    xs = [72.0 + 13 * size * j for j in range(4)]
    heights = [500 + 1.4 * size * i for i in range(5)]
    cells = "".join(
        lines(text, x=xs[j] + 1, y=heights[3 - i] + 0.35 * size, size=size)
        for i, row in enumerate(ROWS)
        for j, text in enumerate(row)
    )
    content = "0.1 w " + grid_lines(heights, xs) + cells if has_rules else unruled(size, 13 * size)
    document = load(make_pdf(lines("Schedule of rates") + content))
    assert document.text.startswith("Schedule of rates")
    (table,) = document.tables
    assert rows_of(table) == [list(row) for row in ROWS]


@pytest.mark.parametrize("content", [
    f"q 0.25 0 0 0.25 50 50 cm {unruled()}Q ",
    "".join(
        f"BT /F -12 Tf -1 0 0 -1 {72 + 150 * j} {600 - 14 * i} Tm ({text}) Tj ET "
        for i, row in enumerate(ROWS)
        for j, text in enumerate(row)
    ),
], ids=["scaled by a matrix", "negative size"])  # fmt: skip
def test_tables_of_other_sizes(content):
    (table,) = load(make_pdf(content)).tables
    assert rows_of(table) == [list(row) for row in ROWS]


HEADS = ["Group", "Route", "Number", "Change"]


def in_cells(rules: list[float], columns: list[tuple[float, list[str]]], heads: list[str], total: list[str]) -> str:
    """A table of four columns: a header, one row between two rules that holds several, and a total."""
    xs = [72.0, 150.0, 280.0, 360.0, 430.0]
    content = grid_lines(rules, xs)
    for x, head, (y, texts), last in zip(xs, heads, columns, total, strict=False):
        content += lines(head, x=x + 3, y=686, size=10) + lines(*texts, x=x + 3, y=y, size=10, pitch=12)
        content += lines(last, x=x + 3, y=546, size=10)
    return content


ROUTES, NUMBERS = ["Pacific", "Europe", "Asia", "Guam", "Korea"], ["157,642", "42,097", "276,197", "13,435", "9"]
CHANGES = ["107.1", "88.3", "104.6", "115.0", "101.1"]
RULES = [540.0, 560.0, 680.0, 700.0]


@pytest.mark.parametrize(("y", "name"), [(625, ["JAL"]), (665, ["JAL"]), (630, ["JAL", "Group"])])
@pytest.mark.parametrize("left", [True, False])
def test_a_group_cell_spans_rows_without_rules(y, name, left):
    columns = [(y, name), (665, ROUTES), (665, NUMBERS), (665, CHANGES)]
    heads, total = HEADS, ["", "Total", "498,380", "103.2"]
    if not left:
        columns, heads, total = (each[1:] + each[:1] for each in (columns, heads, total))
    (table,) = load(make_pdf(in_cells(RULES, columns, heads, total))).tables
    (group,) = [cell for cell in table.cells if cell.text == " ".join(name)]
    assert (group.row, group.row_span) == (1, 5)
    rows = [[cell.text for cell in table.cells if cell.row == i and cell is not group] for i in range(7)]
    assert rows[1:6] == [list(row) for row in zip(ROUTES, NUMBERS, CHANGES, strict=True)]
    assert [text for text in rows[6] if text] == ["Total", "498,380", "103.2"]


def test_a_value_that_is_missing_in_rows_without_rules():
    columns = [(665, ["Asia", "Rome", "Oslo"]), (665, ROUTES[:3]), (665, NUMBERS[:3]), (653, CHANGES[1:3])]
    (table,) = load(make_pdf(in_cells(RULES, columns, HEADS, ["Total", "", "7", "8"]))).tables
    assert rows_of(table)[1:4] == [
        ["Asia", "Pacific", "157,642", ""],
        ["Rome", "Europe", "42,097", "88.3"],
        ["Oslo", "Asia", "276,197", "104.6"],
    ]


@pytest.mark.parametrize(
    "columns",
    [
        [(665, ["Chair"]), (665, ["A chair made", "of oak, with", "arms"]), (665, ["4"]), (665, ["100.00"])],
        [(665, ["Chair", "of oak"]), (665, ["A chair", "with arms"]), (665, ["four", "chairs"]), (665, ["100.00"])],
        [(665, ["Chair"]), (665, ["Number", "of shares", "out"]), (665, ["Sum", "of the", "award"]), (665, ["5"])],
    ],
    ids=["wrapped description", "two lines", "wrapped words"],
)
def test_cells_of_several_lines_stay_whole(columns):
    (table,) = load(make_pdf(in_cells(RULES, columns, HEADS, ["Total", "x", "7", "8"]))).tables
    assert table.shape == (3, 4)
    assert rows_of(table)[1] == [cell.replace("\n", " ") for cell in (" ".join(texts) for _, texts in columns)]


def test_a_table_that_cannot_be_read_costs_a_warning(monkeypatch):
    def fail(*arguments):
        raise IndexError("list index out of range")

    monkeypatch.setattr("longdoc.loaders.pdf.page.find_tables", fail)
    document = load(make_pdf(lines("Fees are due as follows.") + ruled()))
    assert "Fees are due" in document.text and "Second" in document.text
    assert document.warnings == ("tables of page 1 could not be read: IndexError: list index out of range",)


@pytest.mark.parametrize(
    ("function", "part"), [("read_outline", "outline"), ("read_interactive", "links, form fields")]
)
def test_other_parts_that_cannot_be_read_cost_a_warning(monkeypatch, function, part):
    def fail(*arguments):
        raise ValueError("damaged")

    monkeypatch.setattr(f"longdoc.loaders.pdf.{function}", fail)
    document = load(make_pdf(lines("The text stays.")))
    assert document.text == "The text stays."
    (warning,) = document.warnings
    assert warning.startswith(part) and warning.endswith("could not be read: ValueError: damaged")


def test_limits_are_not_taken_for_a_part_that_failed():
    failures: list[str] = []

    def exceed() -> None:
        raise LimitExceededError("too many")

    with pytest.raises(LimitExceededError):
        attempt("tables of page 1", exceed, None, failures)
    assert not failures
