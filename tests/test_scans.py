"""Scans under stamps, in strips or with a text layer; pages upside down; pictures that are no scans."""

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image

from longdoc.loaders import load
from longdoc.loaders.layout import ocr
from pdfs import lines, loose_page, make_pdf

needs_ocr = pytest.mark.skipif(bool(ocr.missing()), reason=ocr.missing() or "OCR is installed")
TEXT = [f"Paragraph {i}: the defendant owes {i * 37} dollars." for i in range(12)]
STAMP = "Case 1:19-cv-00123-ABC Document 45-2 Filed 03/04/19 Page 12 of 20 PageID 1234"
FULL = "q 612 0 0 792 0 0 cm /I0 Do Q "
LAYER = lines(*TEXT, pitch=20)


def scan(*text: str, scale: float = 2) -> np.ndarray:
    """A picture of a page with lines of text; shape ``(height, width)``."""
    return pdfium.PdfDocument(make_pdf(lines(*text, pitch=20)))[0].render(scale=scale, grayscale=True).to_numpy()


SCAN = scan(*TEXT)


def stamped(y: float) -> str:
    return lines(STAMP, y=y, size=9)


def strips(count: int) -> tuple[str, list[np.ndarray]]:
    height = 792 / count
    content = "".join(f"q 612 0 0 {height} 0 {792 - height * (i + 1)} cm /I{i} Do Q " for i in range(count))
    return content, np.array_split(SCAN, count)


@pytest.mark.parametrize("content, pictures", [(FULL, [SCAN]), strips(8), ("q 490 0 0 620 60 90 cm /I0 Do Q ", [SCAN])])
@pytest.mark.parametrize("y", [775, 12])
def test_a_scan_under_a_stamp_is_named(content, pictures, y):
    document = load(loose_page(content + stamped(y), pictures=tuple(pictures)), ocr="never")
    assert document.pages[0].verdict == "scanned"
    assert document.text == STAMP
    assert "images of text" in document.warnings[0]


@needs_ocr
def test_a_scan_under_a_stamp_is_read_and_the_stamp_is_kept():
    for y, first in ((775, STAMP), (12, TEXT[0])):
        document = load(loose_page(FULL + stamped(y), pictures=(SCAN,)))
        assert document.text.startswith(first)
        assert document.text.count(STAMP) == 1
        assert all(document.text.count(line) == 1 for line in TEXT)
        assert "read by OCR" in document.warnings[0]
        start = document.text.index(STAMP)
        assert document.confidence(start, start + len(STAMP)) is None
        assert document.confidence(document.text.index(TEXT[3]), document.text.index(TEXT[3]) + 9) > 0.6


@pytest.mark.parametrize(
    "content",
    [FULL + "3 Tr " + LAYER, LAYER + FULL, "1 g " + LAYER + FULL, FULL + "1 g " + LAYER],
    ids="invisible under-the-picture white-under white-over".split(),
)
@pytest.mark.parametrize("stamp", [False, True])
def test_a_scan_with_a_text_layer_is_text(content, stamp):
    document = load(loose_page(content + ("0 g 0 Tr " + stamped(775) if stamp else ""), pictures=(SCAN,)))
    assert document.pages[0].verdict == "text"
    assert all(document.text.count(line) == 1 for line in TEXT)
    assert document.warnings == ()


def photo() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, (200, 150)).cumsum(axis=0).cumsum(axis=1)
    return np.clip(noise / 2 + 128, 0, 255)


def watermark() -> np.ndarray:
    y, x = np.mgrid[:396, :306]
    return np.where(np.abs(np.hypot(x - 150, y - 200) - 100) < 15, 200, 255)


def chart() -> np.ndarray:
    picture = np.full((400, 500), 255)
    picture[40:380:40] = 120
    picture[(200 + 100 * np.sin(np.arange(500) / 40)).astype(int), np.arange(500)] = 0
    return picture


PICTURES = [photo(), watermark(), pytest.param(chart(), marks=needs_ocr)]  # OCR tells that a chart has no words


@pytest.mark.parametrize("picture", PICTURES, ids="photo watermark chart".split())
def test_pictures_that_are_no_scans_are_not_warned_of(picture):
    caption = lines("Figure 3. A caption of a picture that is rather long, of two lines,", "and ends here.", y=100)
    for content in (FULL + lines(*TEXT, pitch=20, y=600), "q 500 0 0 560 50 180 cm /I0 Do Q " + caption):
        document = load(loose_page(content, pictures=(picture,)))
        assert document.pages[0].verdict == "text"
        assert document.warnings == ()


@needs_ocr
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "text", [TEXT, ["The rent is 1,450 dollars a month.", "Signed by Jane Roe"]], ids="long short".split()
)
def test_a_page_on_its_side_or_upside_down_is_read(turn, text):
    stream = io.BytesIO()
    Image.fromarray(scan(*text)).rotate(turn, expand=True).save(stream, "PNG", dpi=(144, 144))
    document = load(stream.getvalue())
    assert document.text.split() == " ".join(text).split()
    word = text[-1].split()[-1]
    start = document.text.rindex(word)
    (first,), (last,) = document.locate(start, start + 1), document.locate(start + len(word) - 1, start + len(word))
    across, down = last.x0 - first.x0, last.y0 - first.y0
    assert {0: across > 1, 90: down < -1, 180: across < -1, 270: down > 1}[turn]
    assert abs(down if turn % 180 == 0 else across) < 3


@needs_ocr
def test_text_beside_a_picture_of_text_is_kept_as_it_is():
    content = stamped(775) + "q 612 0 0 700 0 0 cm /I0 Do Q "
    document = load(loose_page(content, pictures=(SCAN[2 * 92 :],)))
    start = document.text.index(STAMP)
    assert document.confidence(start, start + len(STAMP)) is None
    assert not any(each.kind == "hidden" for each in document.furniture)
    assert TEXT[5] in document.text
