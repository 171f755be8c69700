from pathlib import Path

import numpy as np
import pytest

from longdoc.document import Document
from longdoc.edits import Edit
from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import BLOCK, CELL, LINE, NONE, ROW, Glyphs
from longdoc.loaders.layout.text import lay_out
from pdfs import across, letters, lines, make_pdf

DATA = Path(__file__).parent / "data"
BODY = ["The Tenant pays the rent to the Landlord on the first day of each", "month, and in advance."]


def contract(*pages: tuple[str, str], body: list[str] = BODY) -> Document:
    """Loads pages of the same text, each with a header and a footer."""
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


def test_a_sentence_continues_across_footer_and_header_and_its_boxes_exclude_them():
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


def test_a_line_of_one_page_is_text_and_so_are_headings_that_start_pages():
    heads = ["ARTICLE 1", "ARTICLE 2", "Schedule", "ARTICLE 9"]
    document = contract(*((head, "") for head in heads))
    assert document.furniture == ()
    assert all(head in document.text for head in heads)


def test_a_title_that_is_the_header_of_later_pages_stays():
    document = contract(*(("SUPPLY AGREEMENT", "") for _ in range(4)))
    assert document.text.count("SUPPLY AGREEMENT") == 1
    assert document.title == "SUPPLY AGREEMENT"
    assert [each.page for each in document.furniture] == [2, 3, 4]


def test_hidden_glyphs_are_furniture_and_not_text():
    seen = row("abcd")
    layout = lay_out([(1, Glyphs(seen.codes, seen.boxes, seen.breaks, np.array([False, True, True, False])))])
    assert layout.edits.apply(layout.raw_text)[0].split() == ["a", "d"]
    assert [(each.kind, each.text) for each in layout.furniture] == [("hidden", "bc")]


def test_cells_rows_and_blocks_stay_separate():
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
def test_characters_are_normalised_in_the_text_and_kept_in_the_raw_text(raw, text):
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


def test_a_soft_hyphen_is_removed_if_invisible_and_a_hyphen_if_visible():
    unseen = glyphs("a\xadb", (0, 0, 8, 10), (8, 0, 8, 10), (8, 0, 16, 10))
    assert lay_out([(1, unseen)]).edits.apply("a\xadb")[0] == "ab"
    assert lay_out([(1, row("a\xadb"))]).edits.apply("a\xadb")[0] == "a-b"


def tabbed(*rows: tuple[str, str]) -> str:
    """Lines of two texts each, with a wide gap between them."""
    return (
        "BT /F 12 Tf 14 TL 72 700 Td " + " ".join(f"[({left}) -9000 ({right})] TJ T*" for left, right in rows) + " ET "
    )


@pytest.mark.parametrize("pages", [1, 2])
def test_the_line_numbers_of_a_transcript_are_furniture(pages):
    texts = ["MR. SMITH: And what then did he say to you of it?"] * 12
    page = across({60.0: [str(i + 1) for i in range(12)], 110.0: texts}, y=600)
    document = load(make_pdf(*[page] * pages))
    assert [each.text for each in document.furniture] == [str(i + 1) for i in range(12)] * pages
    assert {each.kind for each in document.furniture} == {"line number"}
    assert not any(map(str.isdigit, document.text))


def test_headers_that_change_sides_and_count_in_long_numbers_are_furniture():
    name = "Register of Mills, Vol. 85, No. 1"
    heads = [f"4769{i} {name}" if i % 2 else f"{name} 4769{i}" for i in range(8)]
    document = contract(*((head, "") for head in heads))
    assert [each.text for each in document.furniture] == heads
    assert {each.kind for each in document.furniture} == {"header"}


def test_turned_text_at_the_side_of_several_pages_is_a_stamp():
    side = letters("draftofmay", 20, 300, "0 1 -1 0", (0, 6.6))
    document = load(make_pdf(*[lines(*BODY, y=650) + side] * 3))
    found = [(each.kind, each.text.replace(" ", "")) for each in document.furniture]
    assert found == [("stamp", "draftofmay")] * 3


def test_headers_next_to_page_numbers_of_another_print_are_furniture():
    pieces = [[f"Clause {i} of this Agreement binds both of the parties to it."] * 14 for i in range(9)]
    printed = [
        line
        for i, piece in enumerate(pieces)
        for line in (*piece, "", "Mill Lease", "", f"{i + 1}", "", "Confidential")
    ]
    document = load(make_pdf(*(lines(*printed[i : i + 40], y=720) for i in range(0, len(printed), 40))))
    kinds = {(each.kind, each.text) for each in document.furniture}
    assert kinds >= {("page number", "2"), ("page number", "8"), ("footer", "Mill Lease"), ("header", "Confidential")}
    assert "Clause 8" in document.text


def test_a_dotless_i_in_the_margin_is_text():
    page = lay_out([(1, row("ı"))], sizes=[(612, 792)])
    assert (page.raw_text, page.furniture) == ("ı", ())


def test_chapter_numbers_are_text():
    number = [lines(str(i // 3 + 1), x=300, y=500) if i % 3 == 0 else "" for i in range(12)]
    pages = [each + lines(*BODY * 8, y=400) for each in number]
    document = load(make_pdf(*pages))
    assert document.furniture == ()


def test_entries_of_a_table_of_contents_stay_on_separate_lines():
    content = tabbed(("1 Rent", "2"), ("2 Repairs of the mill", "3"), ("3 Term", "4"))
    assert load(make_pdf(content)).text == "1 Rent 2\n2 Repairs of the mill 3\n3 Term 4"
    assert load(make_pdf(lines(f"Rent{'.' * 60}2", f"Term{'.' * 60}3"))).text.count("\n") == 1


def test_signatures_side_by_side_stay_on_separate_lines():
    content = tabbed(("Mill Company of the North", "Tenant Limited"), ("By: A. Miller", "By: B. Tenant"))
    assert load(make_pdf(content)).text == "Mill Company of the North Tenant Limited\nBy: A. Miller By: B. Tenant"


def test_an_indented_first_line_starts_a_paragraph_after_any_line():
    body = (
        lines("The Premises of the Tenant are the Northern Mill \\(MILL\\)", y=700)
        + lines("MILL means the water mill in the north of the parish, as", x=96, y=686)
        + lines("it stands on the day of this Agreement.", y=672)
    )
    assert load(make_pdf(body)).text == (
        "The Premises of the Tenant are the Northern Mill (MILL)\n"
        "MILL means the water mill in the north of the parish, as it stands on the day of this Agreement."
    )


def test_the_lines_of_an_address_are_not_joined():
    body = lines(*[f"The Landlord and the Tenant {word} as follows of the mill they own" for word in "abcdefgh"], y=700)
    address = lines("Mill Company", "1309 Mary Avenue", "Sunnyvale, 94087", y=560)
    assert load(make_pdf(body + address)).text.endswith("Mill Company\n1309 Mary Avenue\nSunnyvale, 94087")


def test_one_line_paragraphs_are_separated_like_longer_ones():
    long = lines(*["the Tenant pays the rent of the mill on the first day of each month and in"] * 6, y=700)
    short = lines(*[f"Sentence {word} is short." for word in "abcdefgh"], pitch=28, y=580)
    assert load(make_pdf(long + short)).text.count("\n\n") == 8


def test_the_running_header_and_the_production_lines_of_a_real_register():
    document = load(DATA / "pdf/pdfplumber_pdfs/federal-register-2020-17221.pdf", pages=(1, 7))
    texts = [each.text for each in document.furniture]
    assert sum("Federal Register / Vol. 85" in text for text in texts) == 6
    assert sum(text.startswith("VerDate Sep<11>2014") for text in texts) == 7
    assert "VerDate" not in document.text
    assert sum(text.startswith("jbell on") for text in texts) == 7
    assert {each.kind for each in document.furniture if "jbell" in each.text} == {"hidden"}  # white on white


def test_a_hyphenated_word_is_joined_on_a_page_without_spaces():
    # As TeX writes: words are placed one by one, and no space is drawn between them.
    rows = [("The", "consec-"), ("tetuer", "rent"), ("and", "consectetuer"), ("well-", "being"), ("a", "well-being")]
    placed = "".join(
        f"BT /F 12 Tf {x} {700 - 14 * i} Td ({word}) Tj ET "
        for i, row in enumerate(rows)
        for x, word in zip((72, 130), row, strict=True)
    )
    text = " ".join(load(make_pdf(placed)).text.split())
    assert "The consectetuer rent" in text


def test_accents_in_furniture_and_across_pages():
    accent = lines("\\264", x=90, y=742)
    header = lines("R", x=72, y=740) + lines("e", x=90, y=740) + accent
    pages = [header + lines(*BODY, y=600)] * 4
    assert load(make_pdf(*pages)).text.count("é") == 1  # a title on the first page, a header on the others
    assert load(make_pdf("3 Tr " + header + "0 Tr " + lines(*BODY, y=600))).text.startswith("The Tenant")
    apart = load(make_pdf(lines("e", x=300, y=400), lines("\\264", x=301, y=400) + lines("next", y=300)))
    assert apart.text.startswith("e")


def test_hidden_text_is_left_out_even_if_furniture_is_kept():
    hidden = make_pdf("3 Tr " + lines("SECRET", y=730) + "0 Tr " + lines(*BODY, y=600))
    assert "SECRET" not in load(hidden, keep_furniture=True).text
    assert [item.kind for item in load(hidden).furniture] == ["hidden"]


def test_rows_of_tables_at_the_top_of_pages_are_not_headers():
    grid = "".join(f"{x} {y} 150 20 re S " for x in (72, 222) for y in (700, 720, 740))
    cells = [("Item", "Price"), ("rent", "100"), ("fee", "20")]
    texts = "".join(
        lines(text, x=x, y=745 - 20 * row)
        for row, pair in enumerate(cells)
        for x, text in zip((80, 230), pair, strict=True)
    )
    document = load(make_pdf(*[grid + texts + lines(*BODY, y=500)] * 4))
    assert [table.cells[0].text for table in document.tables] == ["Item"] * 4
    assert not document.furniture
