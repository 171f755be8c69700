"""Cells from ruling lines, against pdfplumber's geometry."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pdfplumber import table as pdfplumber

from longdoc.loaders.pdf.lattice import find_cells, find_crossings, group_cells

places = st.sampled_from(range(0, 100, 20))
ends = st.tuples(st.integers(0, 90), st.integers(0, 90)).filter(lambda pair: pair[0] + 1 < pair[1])
lines = st.lists(st.tuples(places, ends, st.booleans()), max_size=16)


def boxes_of(lines):
    """Each line as a box without thickness, float32, (N, 4)."""
    boxes = [(a, at, b, at) if is_wide else (at, a, at, b) for at, (a, b), is_wide in lines]
    return np.array(boxes, np.float32).reshape(-1, 4)


def by_pdfplumber(boxes):
    edges = [
        {"x0": x0, "x1": x1, "top": y0, "bottom": y1, "width": x1 - x0, "height": y1 - y0, "orientation": side}
        for x0, y0, x1, y1 in boxes.tolist()
        for side in ("h" if x1 - x0 > y1 - y0 else "v")
    ]
    edges = [e for e in pdfplumber.merge_edges(edges, 3, 3, 3, 3) if max(e["width"], e["height"]) >= 3]
    crossings = pdfplumber.edges_to_intersections(edges, 3, 3)
    return pdfplumber.cells_to_tables(pdfplumber.intersections_to_cells(crossings)) if crossings else []


def tables_of(boxes):
    return group_cells(find_cells(find_crossings(boxes)))


@given(lines)
def test_cells_are_those_of_pdfplumber(lines):
    boxes = boxes_of(lines)
    assert sorted(tables_of(boxes)) == sorted(map(sorted, by_pdfplumber(boxes)))


@given(lines, st.randoms())
def test_cells_do_not_depend_on_the_order_of_the_lines(lines, random):
    shuffled = random.sample(lines, len(lines))
    assert tables_of(boxes_of(lines)) == tables_of(boxes_of(shuffled))


def test_lines_a_little_apart_are_one_line():
    boxes = [(0, 0, 50, 0), (52, 1, 100, 1), (0, 40, 100, 40), (0, 0, 0, 40), (50, 0, 50, 40), (101, 0, 101, 38)]
    assert tables_of(np.array(boxes, np.float32)) == [[(0, 0.5, 50, 40), (50, 0.5, 101, 40)]]


def test_a_lone_box_is_no_table():
    assert tables_of(np.array([(0, 0, 50, 0), (0, 40, 50, 40), (0, 0, 0, 40), (50, 0, 50, 40)], np.float32)) == []
