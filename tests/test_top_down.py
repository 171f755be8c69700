"""Lines written out of order on the page."""

import re

import numpy as np
import pytest

from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import LINE, Glyphs
from longdoc.loaders.pdf.top_down import top_down
from pdfs import make_pdf


def text_at(x: float, y: float, text: str) -> str:
    return f"BT /F 12 Tf {x} {y} Td ({text}) Tj ET "


def read(content: str) -> list[str]:
    return re.split(r"\s+", load(make_pdf(content)).text)


def test_a_list_written_last_is_read_where_it_is_on_the_page():
    body = text_at(72, 700, "Ends-on:") + text_at(72, 640, "Afterwards") + text_at(72, 620, "nothing.")
    assert read(body + text_at(72, 680, "a-breach") + text_at(72, 660, "b-notice")) == [
        "Ends-on:", "a-breach", "b-notice", "Afterwards", "nothing.",
    ]  # fmt: skip


def test_numbers_written_last_are_read_before_their_clauses():
    clauses = text_at(110, 700, "Term of the lease") + text_at(110, 660, "Rent and fees")
    numbers = text_at(72, 700, "1.") + text_at(72, 660, "2.")
    expected = ["1.", "Term", "of", "the", "lease", "2.", "Rent", "and", "fees"]
    assert read(clauses + numbers) == expected
    assert read(numbers + clauses) == expected


@pytest.mark.parametrize("blocks", [("Landlord", "Tenant"), ("Tenant", "Landlord")])
def test_blocks_side_by_side_keep_the_order_of_the_page(blocks):
    places = {"Landlord": 72, "Tenant": 330}
    rows = [text_at(places[name], 700 - 20 * i, f"{name}-{i}") for name in blocks for i in range(3)]
    assert read("".join(rows)) == [f"{name}-{i}" for name in blocks for i in range(3)]


def test_a_superscript_is_not_a_line_of_its_own():
    assert read(text_at(72, 700, "the 5") + text_at(102, 704, "th") + text_at(120, 700, "day")) == [
        "the",
        "5",
        "th",
        "day",
    ]


def test_cells_centred_beside_one_another_keep_their_order():
    row = (
        text_at(72, 692, "a.")
        + text_at(90, 700, "Bottle of living")
        + text_at(90, 684, "water")
        + text_at(200, 692, "= 1 unit")
    )
    assert read(row) == ["a.", "Bottle", "of", "living", "water", "=", "1", "unit"]


def test_a_space_beside_a_line_does_not_keep_it_at_the_end():
    parts = [(300, 100, " "), (72, 140, "Gender:"), (72, 100, "Name of the applicant")]
    boxes = [(x + 6 * i, y, x + 6 * i + 6, y + 12) for x, y, text in parts for i in range(len(text))]
    text = "".join(text for _, _, text in parts)
    breaks = np.zeros(len(text), np.uint8)
    breaks[[1, 8]] = LINE
    glyphs = top_down(Glyphs(np.array([*map(ord, text)], np.uint32), np.array(boxes, np.float32), breaks))
    assert "".join(map(chr, glyphs.codes)).split() == ["Name", "of", "the", "applicant", "Gender:"]
