"""Pages without a text layer: read by OCR if it is installed, else named in a warning."""

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image

from longdoc.errors import CorruptDocumentError, LimitExceededError, NoTextLayerError
from longdoc.loaders import Limits, load
from longdoc.loaders.layout import ocr
from pdfs import lines, make_pdf

needs_ocr = pytest.mark.skipif(bool(ocr.missing()), reason=ocr.missing() or "OCR is installed")
TEXT = ("This lease is between", "Ada Lovelace and Bob.")


def picture(turned: int = 0, scale: float = 2) -> Image.Image:
    page = pdfium.PdfDocument(make_pdf(lines(*TEXT, y=140, pitch=24), page="/MediaBox [0 0 300 200]"))[0]
    return page.render(scale=scale).to_pil().rotate(turned, expand=True)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@needs_ocr
def test_a_picture_is_a_page_with_boxes_and_confidences():
    document = load(encoded(picture(), dpi=(144, 144)))
    assert document.text.split() == " ".join(TEXT).split()
    (page,) = document.pages
    assert (round(page.width), round(page.height), page.verdict) == (300, 200, "scanned")
    assert page.confidence > 0.8
    start = document.text.index("Lovelace")
    (box,) = document.locate(start, start + len("Lovelace"))
    assert 95 < box.x0 < 110
    assert 135 < box.x1 < 160
    assert 70 < box.y0 < box.y1 < 95
    assert 0.5 < document.confidence(start, start + 8) <= 1
    assert document.source.media_type == "image/png"
    assert "read by OCR" in document.warnings[0]


@needs_ocr
def test_a_scanned_page_among_others_is_read():
    scan = pdfium.PdfDocument.new()
    image = pdfium.PdfImage.new(scan)
    image.set_bitmap(pdfium.PdfBitmap.from_pil(picture()))
    image.set_matrix(pdfium.PdfMatrix().scale(300, 200))
    page = scan.new_page(300, 200)
    page.insert_obj(image)
    page.gen_content()
    other = pdfium.PdfDocument(make_pdf(lines("Signed by the parties.")))
    scan.import_pages(other)
    stream = io.BytesIO()
    scan.save(stream)
    document = load(stream.getvalue())
    assert [page.verdict for page in document.pages] == ["scanned", "text"]
    assert [page.confidence is None for page in document.pages] == [False, True]
    assert document.text.split() == [*" ".join(TEXT).split(), "Signed", "by", "the", "parties."]
    assert document.confidence(len(document.text) - 5, len(document.text)) is None
    with pytest.raises(NoTextLayerError, match="ocr='auto'"):
        load(stream.getvalue(), ocr="never", pages=(1, 1))
    assert "ocr='auto'" in load(stream.getvalue(), ocr="never").warnings[0]


@needs_ocr
def test_every_frame_is_a_page_and_a_range_of_them_can_be_read():
    data = encoded(picture(), "TIFF", save_all=True, append_images=[Image.new("RGB", (300, 200), "white"), picture()])
    document = load(data, pages=(2, 3))
    assert [page.number for page in document.pages] == [2, 3]
    assert document.pages[0].start == document.pages[0].end
    with pytest.raises(ValueError, match="allowed: 1 to 3"):
        load(data, pages=(4, 9))


@needs_ocr
def test_a_missing_language_is_named():
    with pytest.raises(NoTextLayerError, match="xyz"):
        load(encoded(picture()), ocr="xyz")


def test_without_ocr_a_picture_and_a_scan_say_what_to_install(monkeypatch):
    monkeypatch.setattr(ocr, "missing", lambda *_: "OCR needs pytesseract: pip install 'longdoc[ocr]'")
    scan = "q 612 0 0 792 0 0 cm /I Do Q"
    assert "pip install 'longdoc[ocr]'" in load(make_pdf(lines("Hello"), scan)).warnings[0]
    for source in (encoded(picture()), make_pdf(scan)):
        with pytest.raises(NoTextLayerError, match="pip install"):
            load(source)


@needs_ocr
def test_damaged_and_oversized_pictures_are_refused():
    with pytest.raises(CorruptDocumentError, match="decoded"):
        load(encoded(picture())[:200])
    with pytest.raises(LimitExceededError, match="pixels"):
        load(encoded(picture()), limits=Limits(pixels=1000))


def test_the_characters_of_a_word_divide_its_box_along_its_line():
    boxes = np.array([(0, 0, 30, 10), (0, 40, 10, 70), (50, 0, 80, 10)], np.float32)
    boxes_of_characters = ocr.divide_words(boxes, np.array([3, 3, 3]), np.array([0, 3, 2]))
    assert boxes_of_characters[:3, 0].tolist() == [0, 10, 20]
    assert boxes_of_characters[3:6, 1].tolist() == [60, 50, 40]
    assert boxes_of_characters[6:, 0].tolist() == [70, 60, 50]


@needs_ocr
def test_text_drawn_as_outlines_is_seen_by_ocr():
    strokes = "6 w 60 60 m 60 160 l S 60 110 m 120 110 l S 120 60 m 120 160 l S 170 60 m 170 160 l S"  # HI
    document = load(make_pdf(lines("Hello"), strokes, "", page="/MediaBox [0 0 300 200]"))
    assert [page.verdict for page in document.pages] == ["text", "scanned", "empty"]
    assert any("empty page(s) 3" in warning for warning in document.warnings)


@needs_ocr
def test_a_language_that_is_not_installed_is_named_among_the_warnings():
    scan = "q 612 0 0 792 0 0 cm /I Do Q"
    assert "tesseract-ocr-xyz" in load(make_pdf(lines("Hello"), scan), ocr="eng+xyz").warnings[0]


@needs_ocr
def test_a_page_is_turned_only_within_its_time(monkeypatch):
    pytesseract = pytest.importorskip("pytesseract")
    tries, data = [], pytesseract.image_to_data

    def once(*args, **options):
        tries.append(options["timeout"])
        if len(tries) > 1:
            raise RuntimeError("Tesseract process timeout")
        words = data(*args, **options)
        return words | {"conf": [min(confidence, 10) for confidence in words["conf"]]}

    monkeypatch.setattr(pytesseract, "image_to_data", once)
    assert "Lovelace" in load(encoded(picture())).text
    assert len(tries) == 2 and tries[0] > tries[1] > 0
