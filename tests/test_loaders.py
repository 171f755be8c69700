import hashlib
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.document import Document
from longdoc.edits import Edit
from longdoc.errors import (
    ConfigError,
    CorruptDocumentError,
    DocumentError,
    DocumentNotFoundError,
    EncryptedDocumentError,
    LimitExceededError,
    LongdocError,
    NoTextLayerError,
    UnsupportedFormatError,
)
from longdoc.loaders import Limits, load
from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs
from longdoc.loaders.layout.text import lay_out
from longdoc.loaders.pdf.glyphs import drop_generated, join_surrogates
from longdoc.pdfium import PDFIUM_LOCK
from pdfs import letters_of, lines, make_pdf

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.pdf"))
DATA = Path(__file__).parent / "data"


def misread_words(document: Document, data: bytes) -> list[str]:
    """The words whose boxes do not contain exactly their own letters."""
    pdf = pdfium.PdfDocument(data)
    pages = {page.number: letters_of(pdf[page.number - 1]) for page in document.pages}
    wrong = []
    for word in re.finditer(r"[^\W_]+", document.text):
        spelled = ""
        for box in document.locate(*word.span()):
            letters, centres = pages[box.page]
            low, high = np.array((box.x0, box.y0)) - 0.01, np.array((box.x1, box.y1)) + 0.01
            inside = ((centres > low) & (centres < high)).all(axis=1)
            spelled += "".join(letters[i] for i in np.flatnonzero(inside))
        wrong += [word[0]] if spelled != word[0] else []
    return wrong


@pytest.fixture(scope="module")
def hyatt() -> Document:
    return load(ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_boxes_of_every_word_hold_its_own_glyphs(path):
    assert misread_words(load(path, pages=(1, 2)), path.read_bytes()) == []


WRITTEN_EARLY = {"sony-gsi-intellectual-property": {2: "i", 3: "ii", 20: "17", 22: "2", 23: "3"}}
"""By page, the page number that the file contains before other lines that are above it on the page."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_raw_text_is_every_glyph_in_order(path):
    document, start = load(path), 0
    for number, page in enumerate(pdfium.PdfDocument(path), 1):
        textpage = page.get_textpage()
        real = [i for i in range(textpage.count_chars()) if not pdfium_c.FPDFText_IsGenerated(textpage, i)]
        expected = "".join(chr(pdfium_c.FPDFText_GetUnicode(textpage, i)) for i in real).replace("\x02", "-")
        read = document.raw_text[start : start + len(expected)]
        early = WRITTEN_EARLY.get(path.stem, {}).get(number, "")
        others = read.removesuffix(early)
        places = [i for i in range(len(expected)) if expected.startswith(early, i)] if early else [len(expected)]
        assert read.endswith(early)
        assert others in [expected[:i] + expected[i + len(early) :] for i in places]
        start += len(expected)
    assert start == len(document.raw_text)
    assert Document.from_json(document.to_json()) == document


def test_the_text_consists_of_sentences(hyatt):
    assert hyatt.title == "STRATEGIC ALLIANCE AGREEMENT"
    assert (
        "by and between Hyatt Franchising Latin America, L.L.C., a limited liability company organized and existing "
        "under the laws of the State of Delaware (U.S.A.) with its principal place of business located at 71 South "
        "Wacker Drive, Chicago, Illinois 60606, U.S.A. ("
        '"Hyatt"), and Playa Hotels & Resorts, B.V., a private'
    ) in hyatt.text
    assert "(Hyatt Ziva Cancun)\n\nTHIS STRATEGIC ALLIANCE AGREEMENT" in hyatt.text
    assert [page.verdict for page in hyatt.pages] == ["text"] * 8


def test_a_phrase_over_two_lines_has_two_boxes(hyatt):
    start = hyatt.text.index("limited liability company organized")
    first, second = hyatt.locate(start, hyatt.text.index(" Chicago", start))
    assert first.page == second.page == 1
    assert first.y1 <= second.y0 + 1 < first.y1 + 20
    assert 0 < second.x0 < first.x0 < first.x1 < hyatt.pages[0].width


def test_pages_keep_their_numbers(hyatt):
    part = load(ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf", pages=(2, 3))
    assert [page.number for page in part.pages] == [2, 3]
    assert part.locate(0, 10)[0].page == 2
    assert hyatt.text[hyatt.pages[1].start :].startswith(part.text[:500])
    assert [page.number for page in load(EXAMPLES[0], pages=(8, 99)).pages] == [8]


def test_a_path_bytes_and_a_file_give_the_same():
    path = EXAMPLES[0]
    with path.open("rb") as file:
        documents = [load(path, ocr="never"), load(str(path)), load(file)]
    assert documents[0] == documents[1] == documents[2]
    assert load(path.read_bytes()).text == documents[0].text
    assert documents[0].source.name == path.name


def test_pdfium_is_called_by_one_thread_at_a_time():
    data = make_pdf(lines("Hello"))
    with ThreadPoolExecutor(2) as pool:
        with PDFIUM_LOCK:
            waiting = [pool.submit(load, data) for _ in range(2)]
            time.sleep(0.1)
            assert not any(future.done() for future in waiting)
        assert [future.result().text for future in waiting] == ["Hello", "Hello"]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_surround_the_ink_on_turned_and_cropped_pages(rotation):
    page = f"/MediaBox [-50 -20 562 772] /CropBox [10 40 510 700] /Rotate {rotation}"
    data = make_pdf(lines("Parties", x=100, y=500), page=page)
    document = load(data)
    box = document.locate(0, 7)[0]
    image = pdfium.PdfDocument(data)[0].render(scale=4, grayscale=True).to_numpy().squeeze()
    rows, columns = np.nonzero(image < 128)
    ink = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 4
    assert (ink[:2] >= (box.x0 - 0.5, box.y0 - 0.5)).all() and (ink[2:] <= (box.x1 + 0.5, box.y1 + 0.5)).all()
    assert (box.x1 - box.x0) * (box.y1 - box.y0) < 2.5 * np.prod(ink[2:] - ink[:2])
    assert (document.pages[0].width, document.pages[0].height) == ((500, 660) if rotation % 180 == 0 else (660, 500))
    assert misread_words(document, data) == []


TERM = ("The term of this lease begins on the first of May and", "ends ten years later, unless it is renewed.")
RENT = ("The rent is due on the last day of every month, and shall", "bear interest when it is late.")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (lines(*TERM), " ".join(TERM)),
        (lines(*TERM, *RENT), f"{' '.join(TERM)}\n{' '.join(RENT)}"),
        (lines(*TERM, *TERM) + lines(*RENT, y=630), f"{' '.join(TERM)}\n{' '.join(TERM)}\n\n{' '.join(RENT)}"),
        (lines(TERM[0], "ends in May.", "(b) Rent is due."), f"{TERM[0]} ends in May.\n(b) Rent is due."),
        (lines(TERM[0], "ends in May.") + lines(*RENT, x=90, y=672), f"{TERM[0]} ends in May.\n{' '.join(RENT)}"),
        (lines("SUPPLY AGREEMENT", "---------", *TERM), f"SUPPLY AGREEMENT\n---------\n{' '.join(TERM)}"),
        (lines("SUPPLY AGREEMENT", *TERM), f"SUPPLY AGREEMENT\n{' '.join(TERM)}"),
    ],
)
def test_lines_become_paragraphs(content, text):
    assert load(make_pdf(content)).text == text


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        ([lines(TERM[0]), lines(TERM[1])], " ".join(TERM)),
        ([lines(*TERM, "\\240"), lines("\\240\\240", *RENT)], f"{' '.join(TERM)}\n{' '.join(RENT)}"),
        ([lines(*TERM), lines(*RENT)], f"{' '.join(TERM)}\n{' '.join(RENT)}"),
        ([lines(*RENT, TERM[0]) + lines("7", y=40), lines(TERM[1])], f"{' '.join(RENT)}\n{TERM[0]}\n\n7\n{TERM[1]}"),
    ],
)
def test_a_sentence_continues_on_the_next_page(pages, text):
    document = load(make_pdf(*pages))
    assert document.text == text
    assert not document.text[document.pages[1].start].isspace()
    assert document.locate(document.pages[1].start, len(text))[0].page == 2
    assert document.locate(0, document.pages[1].start)[-1].page == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (("each agree-", "ment, this agreement"), "each agreement, this agreement"),
        (("a non-", "exclusive, non-exclusive"), "a non-exclusive, non-exclusive"),
        (("an ever-", "green clause"), "an ever-green clause"),
        (
            ("this agree-", "ment, an agreement of ever-", "green type"),
            "this agreement, an agreement of evergreen type",
        ),
        (("from the Hyatt-", "Playa deal"), "from the Hyatt-Playa deal"),
    ],
)
def test_a_word_cut_at_a_hyphen_is_joined_as_the_document_writes_it(content, text):
    document = load(make_pdf(lines(*content)))
    assert document.text == text
    assert document.raw_text.count("-") == sum(line.count("-") for line in content)
    for edit in document.edits:
        assert edit.kind != "hyphen" or document.raw_text[edit.raw_start : edit.raw_end] == "-"


def test_two_columns_written_across_are_read_one_after_the_other():
    left = [f"left {i} of the text in the first column" for i in range(12)]
    right = [f"right {i} of the text in the second one" for i in range(12)]
    rows = [
        lines(a, y=650 - 14 * i) + lines(b, x=330, y=650 - 14 * i)
        for i, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    data = make_pdf(lines("A title that runs over both of the columns of this page of the sample") + "".join(rows))
    words = " ".join(load(data).text.split())
    assert words.endswith(" ".join([*left, *right]))
    assert misread_words(load(data), data) == []


def test_rows_of_a_form_are_not_columns():
    rows = [lines(f"Field {i}", y=650 - 14 * i) + lines(f"value {i}", x=330, y=650 - 14 * i) for i in range(12)]
    assert load(make_pdf("".join(rows))).text.split() == [w for i in range(12) for w in f"Field {i} value {i}".split()]


def glyphs(text: str, *boxes: tuple[float, float, float, float]) -> Glyphs:
    codes = np.array([ord(char) for char in text], np.uint32)
    return Glyphs(codes, np.array(boxes, np.float32), np.zeros(len(codes), np.uint8))


def test_a_superscript_stays_on_its_line():
    none, digit, raised, after, below = (0,) * 4, (0, 10, 6, 20), (6, 9, 9, 14), (12, 10, 18, 20), (0, 24, 6, 34)
    page = glyphs("5\nt\nM\nx", digit, none, raised, none, after, none, below)
    read = drop_generated(page.codes, page.boxes, np.array([NONE, LINE] * 3 + [NONE], np.uint8))
    assert "".join(map(chr, read.codes)) == "5tMx"
    assert read.breaks.tolist() == [NONE, NONE, SPACE, LINE]


def test_a_glyph_drawn_twice_is_read_once_and_the_letters_of_a_ligature_are_kept():
    bold = glyphs("AABf", (0, 0, 8, 10), (0.4, 0, 8.4, 10), (8, 0, 16, 10), (16, 0, 20, 10))
    assert bold.codes.size and lay_out([(1, bold)]).edits[0] == Edit(1, 2, "", "dropped")
    assert len(lay_out([(1, glyphs("off", (0, 0, 8, 10), (8, 0, 16, 10), (8, 0, 16, 10)))]).edits) == 0


def test_unmapped_characters_are_edited_and_kept_in_the_raw_text():
    text = "a\ufb03\x01\ud800\u200b"
    layout = lay_out([(1, glyphs(text, *((8 * i, 0, 8 * i + 8, 10) for i in range(5))))])
    assert layout.raw_text == text
    assert layout.edits.apply(text)[0] == "affi\ufffd"
    pair = join_surrogates(glyphs("\ud835\udc9cb", (0, 0, 4, 10), (4, 0, 8, 10), (8, 0, 16, 10)))
    assert pair.codes.tolist() == [0x1D49C, ord("b")]
    assert pair.boxes.tolist() == [[0, 0, 8, 10], [8, 0, 16, 10]]


def test_pages_without_text_have_a_verdict_and_a_warning():
    scan, garbled = "q 612 0 0 792 0 0 cm /I Do Q", lines("\\001\\002\\003\\004")
    document = load(make_pdf(lines("Hello"), scan, "", garbled))
    assert [page.verdict for page in document.pages] == ["text", "scanned", "empty", "garbled"]
    assert [warning.split(":")[0] for warning in document.warnings] == [
        "scanned page(s) 2",
        "garbled page(s) 4",
        "empty page(s) 3",
    ]
    with pytest.raises(NoTextLayerError, match=r"2 scanned, 1 empty\. .*OCR"):
        load(make_pdf(scan, scan, ""))


def test_an_encrypted_pdf_opens_with_its_password_only():
    data = make_pdf(lines("Hello"), password="secret")
    assert load(data, password="secret").text == "Hello"
    for password in (None, "wrong"):
        with pytest.raises(EncryptedDocumentError, match="password"):
            load(data, password=password)
    assert load(make_pdf(lines("Hello"), password=""), password="not needed").text == "Hello"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"", CorruptDocumentError),
        (b"%PDF-1.7\nnothing more", CorruptDocumentError),
        (EXAMPLES[0].read_bytes()[:3000], CorruptDocumentError),
        (make_pdf(), CorruptDocumentError),
        (b"PK\x03\x04\x00\x00 a word processor's file", UnsupportedFormatError),
        (b"\x89PNG\r\n\x1a\n\x00\x00", DocumentError),
        (b" \n\t ", NoTextLayerError),
        ("no such file.pdf", DocumentNotFoundError),
        (ROOT, DocumentNotFoundError),
        ("a\0b", DocumentNotFoundError),
        (7, ConfigError),
        (None, ConfigError),
        (io.StringIO("text"), ConfigError),
        (SimpleNamespace(read=lambda: b"The rent is 5,000 dollars."), ConfigError),
    ],
)
def test_each_kind_of_bad_input_raises_its_own_error(source, error):
    with pytest.raises(error) as caught:
        load(source)
    assert len(str(caught.value)) > 30


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("https://example.org/lease.pdf", r"https://example\.org/lease\.pdf: .*nothing is fetched"),
        ("This Lease is made\non May 1, 2020", "Document.from_text"),
        (
            "John lives in Paris.",
            r"^John lives in Paris\.: cannot be read .*a text itself is read with Document\.from_text",
        ),
        ("This Lease is made on May 1, 2020. " * 400, "^.{90,250}Document.from_text"),
    ],
)
def test_what_is_no_path_is_told_apart(source, remedy):
    with pytest.raises(DocumentNotFoundError, match=remedy):
        load(source)


def test_a_file_with_the_suffix_pdf_and_other_content_is_corrupt(tmp_path):
    path = tmp_path / "lease.pdf"
    path.write_bytes(b"only text")
    with pytest.raises(CorruptDocumentError, match=r"lease\.pdf"):
        load(path)
    assert load(b"only text").text == "only text"


@pytest.mark.parametrize(
    "options", [{"pages": (0, 3)}, {"pages": (3, 2)}, {"pages": (9, 9)}, {"pages": 3}, {"ocr": "always"}]
)
def test_options_out_of_range_name_what_is_allowed(options):
    with pytest.raises(ValueError, match="allowed: "):
        load(EXAMPLES[0], **options)


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("Café €".encode(), "Café €", "utf-8"),
        ("Café €".encode("utf-8-sig"), "Café €", "utf-8-sig"),
        ("Café €".encode("utf-16"), "Café €", "utf-16"),
        ("Café €".encode("cp1252"), "Café €", "cp1252"),
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n", "utf-8"),
    ],
)
def test_plain_text_in_any_common_encoding(data, text, encoding):
    document = load(data)
    assert (document.text, document.source.metadata["encoding"]) == (text, encoding)
    assert bool(document.warnings) == (encoding == "cp1252")
    assert document.source.sha256 == hashlib.sha256(data).hexdigest()
    assert document.raw(0, len(text)).replace("\r\n", "\n").replace("\r", "\n") == text


def test_a_form_feed_ends_a_page_of_text():
    document = load(b"one\r\n\x0ctwo")
    assert [document.text[page.start : page.end] for page in document.pages] == ["one\n\x0c", "two"]


@pytest.mark.parametrize(
    "path", ["pdf/pdfplumber_pdfs/federal-register-2020-17221.pdf", "pdf/*/senate-expenditures.pdf"]
)
def test_real_pages_in_columns_and_turned(path):
    file = next(DATA.glob(path))
    assert misread_words(load(file, pages=(1, 1)), file.read_bytes()) == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_pdf_is_a_document_or_a_typed_error(data):
    table = "".join(f"72 {600 - 20 * i} 300 20 re S " for i in range(4)) + "222 540 m 222 620 l S "
    pdf = bytearray(make_pdf(lines("Lease of 2020", "1. Term") + table, lines("2. Rent")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pdf) - 1))
        cut, put = data.draw(st.sampled_from([0, 1, 40])), data.draw(st.binary(max_size=8))
        pdf[at : at + cut] = put
    try:
        document = load(bytes(pdf), ocr="never")
    except LongdocError as error:
        assert len(str(error)) > 30
    else:
        assert document.edits.apply(document.raw_text)[0] == document.text


def test_errors_about_limits_say_what_to_do():
    pdf = make_pdf(*[lines("Lease")] * 3)
    with pytest.raises(LimitExceededError, match=r"pages: 3, allowed: 2; .*Limits\(pages=3\)"):
        load(pdf, limits=Limits(pages=2))
    with pytest.raises(LimitExceededError, match="characters: 15, allowed: 14"):
        load(pdf, limits=Limits(characters=14))
    with pytest.raises(LimitExceededError, match="file bytes"):
        load(pdf, limits=Limits(file_bytes=100))
    assert len(load(pdf, limits=Limits(pages=2), pages=(2, 3)).pages) == 2
