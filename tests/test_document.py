import contextlib
import copy
import dataclasses
import json
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.document import (
    Annotation,
    Box,
    Cell,
    Definition,
    Document,
    FormField,
    Furniture,
    Link,
    OutlineItem,
    Page,
    Reference,
    Section,
    Source,
    Table,
)
from longdoc.edits import Edit, Edits
from longdoc.errors import CorruptDocumentError, UnsupportedFormatError

SOURCE = Source(
    name="a.pdf", media_type="application/pdf", sha256="00", loader="test", version="1", metadata={"a": "b"}
)
LAW = settings(max_examples=50, deadline=None)
TEXTS = st.text(st.sampled_from("ab1-  \n\u00a0ﬁ𝒜é"), max_size=40)


def apply_slowly(raw: str, edits: list[Edit]) -> tuple[str, list[tuple[int, int]]]:
    """The slow twin of Edits.apply: one character after the other."""
    text, origins, at = "", [], 0
    for edit in [*edits, Edit(len(raw), len(raw), "", "end")]:
        for index in range(at, edit.raw_start):
            text += raw[index]
            origins.append((index, index + 1))
        text += edit.text
        origins += [(edit.raw_start, edit.raw_end)] * len(edit.text)
        at = edit.raw_end
    return text, origins


@st.composite
def edit_lists(draw, length: int) -> list[Edit]:
    borders = sorted(draw(st.lists(st.integers(0, length), max_size=10)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    return [Edit(a, b, draw(st.sampled_from(["", " ", "\n\n", "fi"])), draw(st.sampled_from("xy"))) for a, b in pairs]


@st.composite
def documents(draw) -> Document:
    """Any document: random edits, boxes (some missing), lines on one to three pages, sections and a table."""
    raw = draw(TEXTS)
    edits = draw(edit_lists(len(raw)))
    text, origins = apply_slowly(raw, edits)
    n_pages = draw(st.integers(1, 3))
    raw_borders = [0, *sorted(draw(st.lists(st.integers(0, len(raw)), min_size=n_pages - 1, max_size=n_pages - 1)))]
    borders = [0, *(sum(first < b for first, _ in origins) for b in raw_borders[1:]), len(text)]
    corners = draw(st.lists(st.floats(0, 600, width=32), min_size=2 * len(raw), max_size=2 * len(raw)))
    corner = np.array(corners, np.float32).reshape(-1, 2)
    boxes = np.hstack([corner, corner + np.float32(draw(st.floats(0, 9, width=32)))])
    boxes[draw(st.lists(st.booleans(), min_size=len(raw), max_size=len(raw)))] = np.nan
    starts = sorted({*raw_borders, *draw(st.lists(st.integers(0, len(raw)), max_size=4))})
    lines = [(start, sum(b <= start for b in raw_borders)) for start in starts]
    return Document(
        source=SOURCE,
        pages=tuple(
            Page(number=i + 1, width=600, height=800, start=borders[i], end=borders[i + 1], verdict="text")
            for i in range(n_pages)
        ),
        raw_text=raw,
        boxes=boxes,
        lines=np.array(lines, np.int32),
        edits=Edits.of(edits),
        sections=(Section(number="1", title=text[:3], kind="clause", level=1, start=0, end=len(text)),),
        tables=(
            Table(start=0, end=0, cells=(Cell(text="", row=0, column=0, start=0, end=0, box=Box(1, 0, 0, 1, 1)),)),
        ),
        definitions=(Definition(term="Affiliate", start=0, end=len(text), section=0),),
        references=(Reference(text="Section 2", start=0, end=0, section=None),),
        furniture=(Furniture(kind="footer", text=raw[:2], page=1, raw_start=0, raw_end=min(2, len(raw))),),
        outline=(OutlineItem(title="Lease", level=1, page=None),),
        links=(Link(start=0, end=0, uri="https://example.org", box=Box(1, 0, 0, 1, 1)),),
        fields=(FormField(name="tenant", kind="text", value="Ada", page=1, box=Box(1, 0, 0, 1, 1)),),
        annotations=(Annotation(kind="note", text="Check", page=1, author="Bob"),),
        confidences=np.linspace(0, 1, len(raw), dtype=np.float32)[: draw(st.sampled_from([0, len(raw)]))],
        warnings=draw(st.sampled_from([(), ("scanned page(s) 1",)])),
    )


@LAW
@given(st.data())
def test_the_text_is_the_raw_text_with_the_edits_applied(data):
    raw = data.draw(TEXTS)
    edits = data.draw(edit_lists(len(raw)))
    text, origins = Edits.of(edits).apply(raw)
    slow_text, slow_origins = apply_slowly(raw, edits)
    assert text == slow_text
    assert origins.tolist() == [list(pair) for pair in slow_origins]
    assert (np.diff(origins, axis=0) >= 0).all()


@LAW
@given(st.data())
def test_ranges_of_the_raw_text_are_found_in_the_text(data):
    raw = data.draw(TEXTS)
    edits = data.draw(edit_lists(len(raw)))
    text, origins = apply_slowly(raw, edits)
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    ((first, last),) = Edits.of(edits).to_text(np.array([[start, end]])).tolist()
    assert 0 <= first <= last <= len(text)
    touched = {i for edit in edits for i in range(edit.raw_start, edit.raw_end)}
    if start < end and not {start, end - 1} & touched:
        assert (first, last) == (origins.index((start, start + 1)), origins.index((end - 1, end)) + 1)


@LAW
@given(documents())
def test_edits_are_sorted_disjoint_and_kept(document):
    listed = list(document.edits)
    assert all(one.raw_end <= other.raw_start for one, other in pairwise(listed))
    assert [document.edits[i] for i in range(len(document.edits))] == listed
    assert list(Edits.of(listed)) == listed


@LAW
@given(documents())
def test_json_gives_an_equal_document_back(document):
    back = Document.from_json(document.to_json())
    assert back == document
    assert hash(back) == hash(document)
    assert back.boxes.tobytes() == document.boxes.tobytes()
    assert back.text == document.text
    assert back.tables == document.tables


@LAW
@given(documents())
def test_pages_partition_the_text(document):
    assert "".join(document.text[page.start : page.end] for page in document.pages) == document.text
    for offset in range(len(document.text)):
        page = document.page_at(offset)
        assert page.start <= offset < page.end


@LAW
@given(documents())
def test_raw_gives_the_characters_before_any_edit(document):
    n = len(document.text)
    assert document.raw(0, n) == document.raw_text
    for offset in range(n):
        first, last = document.origins[offset].tolist()
        if n > 1:
            assert document.raw(offset, offset + 1) == document.raw_text[first:last]
    if n > 2:
        assert document.raw(1, n - 1) == document.raw_text[document.origins[1, 0] : document.origins[n - 2, 1]]


@LAW
@given(documents(), st.data())
def test_locate_gives_one_box_per_line_around_the_visible_glyphs(document, data):
    start = data.draw(st.integers(0, len(document.text)))
    end = data.draw(st.integers(start, len(document.text)))
    expected: dict[int, list[int]] = {}
    for index in sorted({i for a, b in document.origins[start:end].tolist() for i in range(a, b)}):
        if not document.raw_text[index].isspace() and not math.isnan(document.boxes[index, 0]):
            line = max(k for k, (first, _) in enumerate(document.lines.tolist()) if first <= index)
            expected.setdefault(line, []).append(index)
    boxes = document.locate(start, end)
    assert len(boxes) == len(expected)
    for box, (line, glyphs) in zip(boxes, expected.items(), strict=True):
        around = document.boxes[glyphs]
        assert box.page == document.lines[line, 1]
        assert (box.x0, box.y0) == tuple(around[:, :2].min(axis=0).tolist())
        assert (box.x1, box.y1) == tuple(around[:, 2:].max(axis=0).tolist())


@LAW
@given(documents())
def test_arrays_are_read_only_also_after_pickling(document):
    for each in (document, pickle.loads(pickle.dumps(document)), copy.deepcopy(document)):
        assert each == document and each.text == document.text
        assert each.origins.tolist() == document.origins.tolist()
        for array in (each.boxes, each.lines, each.confidences, each.origins, each.edits.ranges, each.edits.codes):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_the_arrays_of_the_builder_are_not_copied():
    boxes = np.zeros((5, 4), np.float32)
    document = changed(Document.from_text("Lease"), boxes=boxes)
    assert document.boxes is boxes and not boxes.flags.writeable


NEWER_PARTS = "definitions references furniture outline links fields annotations confidences".split()


@pytest.mark.parametrize("version", [{}, {"longdoc": 1}])
def test_a_document_of_the_first_format_is_loaded(version):
    document = changed(Document.from_text("Lease of A"), warnings=("w",))
    record = json.loads(document.to_json())
    assert record.pop("longdoc") == 2
    older = {name: value for name, value in record.items() if name not in NEWER_PARTS}
    assert set(record) - set(older) == set(NEWER_PARTS)
    assert Document.from_json(json.dumps({**version, **older})) == document


def test_a_document_of_a_newer_format_is_refused():
    with pytest.raises(
        UnsupportedFormatError, match=r"format 99, written by a newer longdoc; .* 1 to 2: upgrade longdoc"
    ):
        Document.from_json('{"longdoc": 99}')


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "{}", '{"longdoc": "two"}', "[" * 100_000])
def test_text_that_is_not_a_document_is_refused(text):
    with pytest.raises(CorruptDocumentError, match="not a document written by Document"):
        Document.from_json(text)


PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([]) | st.just({})


@LAW
@given(documents(), st.data())
def test_a_damaged_document_loads_or_is_refused(document, data):
    record = json.loads(document.to_json())
    place = data.draw(st.sampled_from([record, record["source"], record["pages"][0], record["edits"], record["boxes"]]))
    place[data.draw(st.sampled_from([*place, "new"]))] = data.draw(PLAIN)
    with contextlib.suppress(CorruptDocumentError, UnsupportedFormatError):
        assert isinstance(Document.from_json(json.dumps(record)), Document)


def changed(document: Document, **parts) -> Document:
    return dataclasses.replace(document, **parts)


def test_any_difference_makes_documents_unequal():
    document = Document.from_text("Lease of A")
    boxes = document.boxes.copy()
    boxes[3] = (1, 2, 3, 4)
    assert document == Document.from_text("Lease of A")
    assert document != changed(document, boxes=boxes)
    assert document != changed(document, warnings=("w",))
    assert document != changed(document, source=SOURCE)
    assert document != Document.from_text("Lease of B")
    assert document != "Lease of A"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 6), (6, 6)])
def test_ranges_outside_the_text_are_refused_with_the_allowed_range(start, end):
    document = Document.from_text("Lease")
    for method in (document.locate, document.raw):
        with pytest.raises(ValueError, match=rf"{start}:{end} .* 0:5"):
            method(start, end)


@pytest.mark.parametrize("offset", [-1, 5])
def test_offsets_outside_the_text_are_refused_with_the_allowed_range(offset):
    document = Document.from_text("Lease")
    for method in (document.page_at, document.section_at):
        with pytest.raises(ValueError, match="0:5"):
            method(offset)


def test_parts_that_do_not_fit_together_are_refused():
    document = Document.from_text("Lease")
    with pytest.raises(ValueError, match="partition"):
        changed(document, pages=(dataclasses.replace(document.pages[0], end=4),))
    with pytest.raises(ValueError, match=r"\(5, 4\), one per raw character; got \(4, 4\)"):
        changed(document, boxes=document.boxes[:4])
    with pytest.raises(ValueError, match="reach 9 in a raw text of 5"):
        changed(document, edits=Edits.of([Edit(4, 9, "", "x")]))
    with pytest.raises(ValueError, match="sorted and disjoint"):
        Edits.of([Edit(3, 5, "", "x"), Edit(4, 6, "", "x")])
    with pytest.raises(ValueError, match="2 confidences for 5"):
        changed(document, confidences=np.ones(2, np.float32))


def test_the_confidence_of_a_range_is_the_lowest_in_it():
    document = changed(Document.from_text("Lease"), confidences=np.array([0.9, 0.5, 0.8, np.nan, np.nan], np.float32))
    assert document.confidence(0, 3) == 0.5
    assert document.confidence(2, 5) == pytest.approx(0.8)
    assert document.confidence(3, 5) is None
    assert Document.from_text("Lease").confidence(0, 5) is None


def test_a_spanning_cell_fills_all_its_positions_in_pandas():
    cells = (
        Cell(text="a", row=0, column=0, start=0, end=1, column_span=2),
        Cell(text="b", row=1, column=1, start=2, end=3),
    )
    assert Table(start=0, end=3, cells=cells).to_pandas().to_numpy().tolist() == [["a", "a"], ["", "b"]]


def test_a_plain_string_is_a_document_without_geometry():
    document = Document.from_text("One\ftwo\f", name="note")
    assert document.text == "One\ftwo\f"
    assert [(page.number, page.start, page.end) for page in document.pages] == [(1, 0, 4), (2, 4, 8)]
    assert document.locate(0, 8) == ()
    assert document.source.name == "note"
    assert repr(document) == "Document('note', 2 pages, 8 characters)"
    assert Document.from_text("").pages[0].verdict == "empty"


def test_a_lone_surrogate_becomes_the_replacement_character():
    document = Document.from_text("a\ud800b")
    assert (document.text, document.raw(1, 2)) == ("a\ufffdb", "\ud800")
    assert Document.from_json(document.to_json()) == document


def test_section_at_gives_the_innermost():
    inner = Section(number="1(a)", title="", kind="clause", level=2, start=2, end=4, parent=0)
    outer = Section(number="1", title="Term", kind="clause", level=1, start=0, end=4)
    document = changed(Document.from_text("abcdef"), sections=(outer, inner))
    assert [document.section_at(offset) for offset in (1, 3, 5)] == [outer, inner, None]


@pytest.mark.parametrize(
    ("text", "title"),
    [("Exhibit 10.1\n\nSUPPLY AGREEMENT\nmade today", "SUPPLY AGREEMENT"), ("\n a lease\nof A", "a lease"), ("", "")],
)
def test_the_title_is_the_first_line_in_capitals_or_the_first_line(text, title):
    assert Document.from_text(text).title == title


def test_the_html_escapes_the_markup_of_the_document():
    assert "<script>" not in Document.from_text("<script>alert(1)</script>")._repr_html_()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Exhibit 10.1\nACME CORPORATION\nSUPPLY AGREEMENT\nThis Agreement", "SUPPLY AGREEMENT"),
        ("TABLE OF CONTENTS\nACME CORPORATION\n1. Term", "ACME CORPORATION"),
        ("a note\nof two lines", "a note"),
        ("FILED WITH THE COMMISSION\nSCHEDULE B\nSupply Agreement\n\nbetween A and B", "Supply Agreement"),
        ("CERTAIN PORTIONS HAVE BEEN OMITTED " * 6 + "\nAcme, Inc.\nLEASE", "LEASE"),
        ("EXHIBIT 10.3 SUPPLY AGREEMENT by and between A and B", "SUPPLY AGREEMENT"),
        (
            "AMENDMENT NO. 3\nTO THE\nDISTRIBUTION AGREEMENT\nbetween\nA",
            "AMENDMENT NO. 3 TO THE DISTRIBUTION AGREEMENT",
        ),
        ("SOFTWARE LICENSE\nAND MAINTENANCE AGREEMENT\nBY AND BETWEEN", "SOFTWARE LICENSE AND MAINTENANCE AGREEMENT"),
        ('AGREEMENT\n\nThis Promotion Agreement (the "Agreement") is made', "Promotion Agreement"),
        ("ARTICLE I DEFINITIONS\nTHIS HOSTING AGREEMENT is made today", "HOSTING AGREEMENT"),
        ("CHIEF COMPLAINT\nCough.\nASSESSMENT AND PLAN\nRest.", "CHIEF COMPLAINT"),
        ("ENTIRE AGREEMENT\nThis is all of it.", "ENTIRE AGREEMENT"),
        (
            "PLEASE READ THIS LICENSE AGREEMENT CAREFULLY\nEnd User License Agreement\n1. Use",
            "End User License Agreement",
        ),
        ("RECITALS", "RECITALS"),
        ("", ""),
    ],
)
def test_the_title_names_the_document_where_a_line_does(text, title):
    assert Document.from_text(text).title == title
