"""Text of a PDF that nobody sees is furniture, and text that is drawn twice is read once."""

import pytest

from longdoc.loaders import load
from pdfs import lines, loose_page, make_pdf

BODY = "0 g 0 Tr " + lines(*(f"Ordinary line number {i} of the page." for i in range(20)), y=400)


def hidden_of(content: str, **options: str) -> tuple[str, str]:
    """The text before the ordinary lines, and the hidden text."""
    document = load(make_pdf(content + BODY, **options))
    assert document.text.count("Ordinary line") == 20
    for each in document.furniture:
        assert document.raw_text[each.raw_start : each.raw_end]
    hidden = " ".join(each.text for each in document.furniture if each.kind == "hidden")
    return document.text[: document.text.index("Ordinary")].strip(), hidden


SECRET, BOX = lines("Secret words"), "60 690 300 30 re f "


@pytest.mark.parametrize(
    "content",
    [
        "1 g " + SECRET,
        "0.985 g " + SECRET,
        "0 0 0.4 rg " + BOX + SECRET,
        "1 Tr 1 G " + SECRET,
        SECRET + "0 g " + BOX,
        SECRET + "1 g 0 0 612 792 re f ",
        "q 72 100 100 20 re W n " + SECRET + "Q ",
        "q 7 Tr " + SECRET + BOX + "Q ",
    ],
    ids="white pale same-colour outlined-white covered page-covered clipped clip-path".split(),
)
def test_text_that_is_not_seen_is_hidden(content):
    assert hidden_of(content) == ("", "Secret words")


@pytest.mark.parametrize(
    "content",
    [
        "0 0 0.4 rg " + BOX + "1 1 1 rg " + SECRET,
        "0.9 g " + BOX + "0 g " + SECRET,
        SECRET + "60 690 300 30 re S ",
        "0.75 g " + SECRET,
        "q 0 0 612 792 re W n " + SECRET + "Q ",
        "q 60 690 300 30 re W n " + SECRET + "Q ",
    ],
    ids="white-on-dark on-grey framed grey page-clip wide-clip".split(),
)
def test_text_that_is_seen_is_read(content):
    assert hidden_of(content) == ("Secret words", "")


def test_what_is_written_over_covered_text_is_read():
    assert hidden_of(SECRET + "0 g " + BOX + "1 g " + lines("(b)(6)".replace("(", "\\(").replace(")", "\\)"))) == (
        "(b)(6)",
        "Secret words",
    )


def test_words_are_hidden_whole_and_by_themselves():
    assert hidden_of(lines("Half of it is covered") + "0 g 119 690 300 30 re f ") == ("Half of it", "is covered")


def test_hidden_text_of_turned_and_cropped_pages():
    turned = "/MediaBox [0 0 612 792] /Rotate 180"
    assert hidden_of("1 g " + SECRET, page=turned)[1] == "Secret words"
    assert hidden_of(SECRET, page="/MediaBox [0 0 612 792] /CropBox [0 0 612 600]") == ("", "Secret words")


def layered(off: str) -> bytes:
    """A page with text in two layers, in a form in one of them, and a list of those that are off."""
    content = f"/OC /A BDC {lines('Upper layer')} EMC /OC /B BDC {lines('Lower layer', y=650)} /X Do EMC {BODY}"
    form = lines("Form layer", y=600)
    head = (
        f"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> /Length {len(form)}"
    )
    data = loose_page(
        content,
        "<< /Type /OCG /Name (A) >>",
        "<< /Type /OCG /Name (B) >>",
        f"<< {head} /OC 11 0 R >>\nstream\n{form}\nendstream",
        catalog=f"/OCProperties << /OCGs [10 0 R 11 0 R] /D << /OFF [{off}] >> >>",
    )
    names = b"/XObject << /X 12 0 R >> /Properties << /A 10 0 R /B 11 0 R >>"
    return data.replace(b"/XObject <<  >>", names)


def test_layers_that_are_off_are_hidden():
    document = load(layered(""))
    assert document.text.startswith("Upper layer\n\nLower layer\n\nForm layer")
    document = load(layered("11 0 R"))
    assert document.text.startswith("Upper layer\n\nOrdinary")
    assert [each.text for each in document.furniture] == ["Lower layer", "Form layer"]


@pytest.mark.parametrize("across, down", [(0.3, 0), (0.3, 0.2), (0, 0.4), (1, 1), (0.8, -0.8)])
def test_text_drawn_twice_is_read_once(across, down):
    text = "The hill will sell 1,000,000 balls"
    for height in range(10):  # wherever its place is rounded
        y = 700 + 0.11 * height
        twice = lines(text, y=y) + lines(text, x=72 + across, y=y + down)
        assert load(make_pdf(twice)).text == text


def test_numbers_keep_their_zeros_whatever_width_the_font_claims():
    widths = (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 32 /LastChar 126 /Widths [{'2000 ' * 95}] >>"
    )
    spread = "".join(f"1 0 0 1 {72 + 8 * i} 200 Tm ({char}) Tj " for i, char in enumerate("1,000,000"))
    document = load(loose_page(f"BT /W 12 Tf {spread} ET", widths, fonts="/W 10 0 R"))
    assert document.text == "1,000,000"
