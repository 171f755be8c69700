"""Hostile inputs at sizes at which quadratic time would take minutes; fast paths against their slow twins."""

import random
import re

import numpy as np
import pytest

import reference
from longdoc import Document, Section, load
from longdoc.decode import ScoredAnswer, ScoredSpan, deduplicate, without_overlap
from longdoc.errors import LimitExceededError
from longdoc.loaders.layout.glyphs import LINE
from longdoc.loaders.markup.grid import Grid
from longdoc.loaders.markup.shifts import DEEPEST, Shifts
from longdoc.loaders.pdf.anchors import anchors
from longdoc.loaders.raised import line_marks
from longdoc.records.blanks import blank_value
from longdoc.records.passages import items, sentences
from longdoc.sections import add_structure
from longdoc.sections.titles import title_at

JATS = "<article><front/><body>%s</body></article>"


@pytest.mark.parametrize("seed", range(20))
def test_cells_are_in_the_first_column_that_no_cell_above_spans(seed):
    draw = random.Random(seed)
    rows = [[(draw.randint(1, 4), draw.randint(1, 4)) for _ in range(draw.randint(0, 6))] for _ in range(8)]
    grid, columns = Grid(), []
    for row in rows:
        grid.open_row()
        columns.append([grid.place(row_span=height, column_span=width)[1] for height, width in row])
    assert grid.is_followed
    assert columns == reference.free_columns(rows)


def test_a_table_with_too_many_spanning_cells_is_read_with_a_warning():
    row = "<tr><td rowspan=1000 colspan=1000>a</td><td>b</td></tr>"
    document = load(f"<html><body><table>{row * 1500}</table></body></html>".encode())
    assert document.text.count("b") == 1500
    assert document.warnings == ("1 table with too many cells that span rows: columns may be wrong",)


@pytest.mark.parametrize("seed", range(20))
def test_drawn_glyphs_follow_the_glyph_that_a_slow_search_finds(seed):
    draw = np.random.default_rng(seed)

    def boxes(n, least):
        corners = draw.integers(0, 30, (n, 2)) + (draw.random((n, 2)) if seed % 2 else 0)
        return np.hstack([corners, corners + draw.integers(least, 6, (n, 2))]).astype(np.float32)

    own, drawn = boxes(draw.integers(1, 40), 0), boxes(20, 1)
    places, breaks = anchors(own, drawn)
    assert [*zip(places, breaks == LINE, strict=True)] == [reference.anchor(own, box) for box in drawn]


@pytest.mark.parametrize("seed", range(20))
def test_the_section_at_an_offset_is_the_one_that_a_slow_search_finds(seed):
    draw = random.Random(seed)
    ranges = [sorted((draw.randint(0, 30), draw.randint(0, 30))) for _ in range(9)]
    sections = tuple(
        Section(number=str(i), title="", kind="section", level=draw.randint(1, 3), start=start, end=end, parent=None)
        for i, (start, end) in enumerate(ranges)
    )
    plain = Document.from_text("x" * 30)
    document = Document(
        **{name: getattr(plain, name) for name in ("source", "pages", "raw_text", "boxes", "lines", "edits")},
        sections=sections,
    )
    assert [document.section_at(at) for at in range(30)] == [reference.section_at(sections, at) for at in range(30)]


def test_an_element_with_thousands_of_attributes_is_refused():
    source = "<html><body><p {}>x</p>".format(" ".join(f"a{i}='>'" for i in range(50_000)))
    with pytest.raises(LimitExceededError, match="more than 1,000 attributes; remove them"):
        load(source.encode())
    assert load(b"<html><body><p title='%s'>x</p>" % (b"long > text " * 5_000)).text == "x"


@pytest.mark.parametrize(
    "text",
    [
        "Exhibit A\n" + "FORM OF ABCDEF GHIJ\n12 34\n" * 5_000,
        "1. Parts. The parts are:\n" + "1. wheel\n2. axle\nThe parts are:\n" * 2_000,
        "".join(f"{i}. Pay.\nExhibit A{i} Title\nas said in Exhibit ZZ and in Exhibit YY. " * 2 for i in range(1_500)),
    ],
    ids=["forms", "lists", "exhibits"],
)
def test_structure_of_hostile_texts(text):
    document = add_structure(Document.from_text(text))
    assert all(section.end > section.start for section in document.sections)


def test_a_reference_to_an_exhibit_finds_the_first_of_its_number():
    text = "See Exhibit B.\n\n" + "".join(f"Exhibit {name} Title\n{'some text ' * 30}\n\n" for name in "ABB")
    document = add_structure(Document.from_text(text))
    target = document.references[0].section
    assert target is not None
    assert document.sections[target].number == "B"


def test_hostile_lines():
    assert title_at("a." * 200, 0) is not None
    assert blank_value("_" * 5_000) == ""
    assert blank_value("_" * 100) == "[name left blank]"
    assert [*items(" " * 3_000 + "x", 0, 3_001)] == [(3_000, 3_001)]
    assert max(end - start for start, end in sentences("x" * 50_000, 0, 50_000)) <= 4_000
    address = "https://a.org/" + "x" * 900
    line = "word " * 300 + address + " word" * 300
    assert any(address in line[start:end] for start, end in sentences(line, 0, len(line)))


def test_comments_in_the_start_of_a_file():
    document = load(b"<!--" * 100_000 + b"x")
    assert re.search("x", document.raw_text)


def test_references_of_a_paper():
    references = "<ref><mixed-citation>Ada.</mixed-citation></ref>" * 5_000
    paper = f"<article><body><p>x</p></body><back><ref-list>{references}</ref-list></back></article>"
    assert load(paper.encode()).source.metadata["references"].count("Ada.") == 5_000


def test_columns_of_an_oasis_table_are_found_by_their_first_name():
    columns = "".join(f'<colspec colname="c{i % 2_000}"/>' for i in range(4_000))
    row = '<row><entry namest="c1" nameend="c3">a</entry><entry>b</entry></row>'
    table = f"<table-wrap><table><tgroup>{columns}<tbody>{row * 1_000}</tbody></tgroup></table></table-wrap>"
    cells = load(f"<article><body><p>x</p>{table}</body></article>".encode()).tables[0].cells
    assert {(cell.text, cell.column, cell.column_span) for cell in cells} == {("a", 0, 3), ("b", 3, 1)}


@pytest.mark.parametrize("seed", range(20))
def test_overlaps_are_resolved_as_by_comparing_all(seed):
    draw = random.Random(seed)
    starts = [draw.randint(0, 60) for _ in range(30)]
    spans = [ScoredSpan(at, at + draw.randint(1, 9), "A", draw.random()) for at in starts]
    assert without_overlap(spans, "longest") == reference.without_overlap(
        spans, lambda span: (span.start - span.end, -span.score)
    )
    answers = [ScoredAnswer(span.start, span.end, span.score) for span in spans]

    def words(answer):
        return f"w{answer.first % 11}"

    for top_k in (1, 5, 50):
        assert deduplicate(answers, words, top_k) == reference.deduplicate(answers, words, top_k)


@pytest.mark.parametrize("start", ['<p align="left"">', "<img alt=don't src=x><p>"])
def test_a_stray_quote_in_a_tag_takes_no_other_tags_into_it(start: str) -> None:
    paragraph = '<p style="font-family: Times New Roman; font-size: 10pt">it\'s some words of a paragraph</p>\n'
    text = load(f"<html><body>{start}First.</p>\n{paragraph * 200}</body></html>".encode()).text
    assert text.startswith("First.") and text.count("paragraph") == 200


@pytest.mark.parametrize("form", ["<html><p>%s</p></html>", JATS % "<p>%s</p>"])
def test_raised_text_within_raised_text_is_marked_to_a_depth(form, monkeypatch):
    marked = []
    marks = Shifts.marks
    monkeypatch.setattr(Shifts, "marks", lambda *given: marked.append(given) or marks(*given))
    document = load((form % ("x<sup>2" * 100 + "</sup>" * 100)).encode())
    assert document.text.count("2") == 100
    assert len(marked) == DEEPEST


@pytest.mark.parametrize("kind", ["raised", "plain"])
def test_very_many_pieces_set_alike_are_marked_as_one(kind):
    text, count = "abcdefghij k ", 300_000
    marks = line_marks([("lowered", "x"), *[(kind, text)] * count])
    before, (opening, closing) = line_marks([("lowered", "x"), (kind, text * count)])
    assert marks == [before, (opening, ""), *[("", "")] * (count - 2), ("", closing)]
