import numpy as np
import pytest

from longdoc.document import Document
from longdoc.edits import Edit
from longdoc.loaders import load
from longdoc.loaders._layout import BLOCK, CELL, LINE, NONE, ROW, Glyphs, lay_out
from pdfs import lines, make_pdf

BODY = ["The Tenant pays the rent to the Landlord on the first day of each", "month, and in advance."]


def contract(*pages: tuple[str, str], body: list[str] = BODY) -> Document:
    """Pages of the same text with a header and a footer each."""
    return load(make_pdf(*(lines(head, y=770) + lines(*body, y=650) + lines(foot, y=30) for head, foot in pages)))


def glyphs(text: str, *boxes: tuple[float, float, float, float], breaks: list[int] | None = None) -> Glyphs:
    codes = np.array([ord(char) for char in text], np.uint32)
    return Glyphs(codes, np.array(boxes, np.float32), np.array(breaks or [NONE] * len(text), np.uint8))


def row(text: str, breaks: list[int] | None = None) -> Glyphs:
    return glyphs(text, *((8.0 * i, 0, 8.0 * i + 8, 10) for i in range(len(text))), breaks=breaks)


@pytest.mark.parametrize("foot", ["{}", "- {} -", "Page {} of 4", "A-{}", "Lease of the mill, page {}"])
def test_headers_and_numbers_that_count_up_are_furniture(foot):
    document = contract(*(("Mill Lease 2020", foot.format(number)) for number in range(1, 5)))
    assert document.text.count("Mill") == document.text.count("Page") == 0
    assert len(document.furniture) == 8
    for each in document.furniture:
        assert "".join(each.text.split()) == "".join(document.raw_text[each.raw_start : each.raw_end].split())
        assert each.box and each.box.page == each.page


def test_a_sentence_reads_on_over_footer_and_header_and_its_boxes_leave_them_out():
    document = load(
        make_pdf(
            *(
                lines("Mill Lease 2020", y=770) + lines(*BODY[::-1], y=650) + lines(f"Page {number} of 3", y=30)
                for number in (1, 2, 3)
            )
        )
    )
    at = document.text.index("day of each month, and")
    boxes = document.locate(at, at + len("day of each month, and"))
    assert [box.page for box in boxes] == [1, 2]
    assert all(100 < box.y0 < 200 for box in boxes)


def test_furniture_can_stay_in_the_text():
    pages = [lines(*BODY, y=650) + lines(f"Page {number} of 3", y=30) for number in (1, 2, 3)]
    kept = load(make_pdf(*pages), keep_furniture=True)
    assert "Page 2 of 3" in kept.text
    assert [each.text for each in kept.furniture] == [f"Page {number} of 3" for number in (1, 2, 3)]
    assert kept.raw_text == load(make_pdf(*pages)).raw_text


def test_what_stands_on_one_page_is_text_and_so_are_headings_that_start_pages():
    heads = ["ARTICLE 1", "ARTICLE 2", "Schedule", "ARTICLE 9"]
    document = contract(*((head, "") for head in heads))
    assert document.furniture == ()
    assert all(head in document.text for head in heads)


def test_a_title_that_is_the_header_of_later_pages_stays():
    document = contract(*(("SUPPLY AGREEMENT", "") for _ in range(4)))
    assert document.text.count("SUPPLY AGREEMENT") == 1
    assert document.title == "SUPPLY AGREEMENT"
    assert [each.page for each in document.furniture] == [2, 3, 4]


def test_hidden_glyphs_are_listed_and_not_read():
    seen = row("abcd")
    layout = lay_out([(1, Glyphs(seen.codes, seen.boxes, seen.breaks, np.array([False, True, True, False])))])
    assert layout.edits.apply(layout.raw_text)[0].split() == ["a", "d"]
    assert [(each.kind, each.text) for each in layout.furniture] == [("hidden", "bc")]


def test_cells_rows_and_blocks_are_kept_apart():
    layout = lay_out([(1, row("abcd", [LINE, CELL, ROW, BLOCK]))])
    assert layout.edits.apply("abcd")[0] == "a\tb\nc\n\nd"
    assert layout.lines[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\u037e", "a;"),
        ("\u212b\uff21", "ÅA"),
        ("\uf0b7x", "•x"),
        ("e\u0301t", "ét"),
        ("\ufb05\ufb04", "stffl"),
        ("a\xa0b", "a b"),
    ],
)
def test_characters_read_as_their_normal_forms_and_stay_in_the_raw_text(raw, text):
    boxes = [(8.0 * i, 0, 8.0 * i + 8, 10) for i in range(len(raw))]
    if "\u0301" in raw:
        boxes[1] = boxes[0]
    layout = lay_out([(1, glyphs(raw, *boxes))])
    assert layout.raw_text == raw
    assert layout.edits.apply(raw)[0] == text


def test_an_accent_drawn_before_its_letter_joins_it_and_one_beside_it_does_not():
    over = lay_out([(1, glyphs("\xb4e", (1, 0, 5, 10), (0, 0, 6, 10)))])
    assert list(over.edits) == [Edit(0, 1, "", "dropped"), Edit(1, 2, "é", "accent")]
    assert lay_out([(1, row("^e"))]).edits.apply("^e")[0] == "^e"


def test_a_soft_hyphen_goes_where_it_draws_nothing_and_is_a_hyphen_where_it_is_seen():
    unseen = glyphs("a\xadb", (0, 0, 8, 10), (8, 0, 8, 10), (8, 0, 16, 10))
    assert lay_out([(1, unseen)]).edits.apply("a\xadb")[0] == "ab"
    assert lay_out([(1, row("a\xadb"))]).edits.apply("a\xadb")[0] == "a-b"
