"""Redacted PDFs: nothing of a name is left, wherever it was; all else is as it was; and no file if that is not so."""

import io
import json
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pikepdf
import pypdf
import pypdfium2 as pdfium
import pytest
from pdfminer.high_level import extract_text
from pikepdf import Array, Dictionary, Name

import longdoc
from isolated_functions import picture_of
from longdoc.cli import main
from longdoc.errors import ConfigError, DataError, RedactionError
from longdoc.loaders.isolated import isolated
from longdoc.loaders.layout import ocr
from longdoc.records import with_record
from longdoc.records.namings import with_parties
from longdoc.redaction import Redaction, job
from longdoc.redaction.names import squeezed
from longdoc.redaction.verify import Left
from longdoc.redaction.wanted import whole_names
from pdfs import lines, loose_page, make_pdf
from test_annotated import PAGES, predicted

needs_ocr = pytest.mark.skipif(bool(ocr.missing()), reason=ocr.missing() or "OCR is installed")
NAME = "Ada Lovelace"
CONTENT = lines("Letter of Ada Lovelace to Charles", "Babbage, with notes on the engine.")
TYPE_3 = (
    "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 "
    "/LastChar 66 /Widths [800 800] /CharProcs << /A 11 0 R /B 11 0 R >> "
    "/Encoding << /Type /Encoding /Differences [65 /A /B] >> >>"
)


def redact(data: bytes, tmp_path: Path, pattern: str = NAME, **options: object) -> tuple[bytes, Redaction]:
    """The redacted PDF of a PDF, and the report."""
    document = longdoc.load(data, password=options.get("password"))
    report = longdoc.redact(
        predicted(document, PERSON=pattern), tmp_path / "out.pdf", ["PERSON"], source=data, **options
    )
    return (tmp_path / "out.pdf").read_bytes(), report


def texts(data: bytes) -> list[str]:
    """What three readers read."""
    with closing(pdfium.PdfDocument(data)) as pdf:
        own = "".join(page.get_textpage().get_text_range() for page in pdf)
    return [
        own,
        "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(data)).pages),
        extract_text(io.BytesIO(data)),
    ]


def everything(data: bytes) -> bytes:
    """All of a file with its streams decoded and its strings as texts, in small letters."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        parts = [each.read_bytes() for each in pdf.objects if isinstance(each, pikepdf.Stream) and "/Width" not in each]
        strings = [str(each) for item in pdf.objects for each in strings_of(item)]
    return (b"\n".join(parts) + "\n".join(strings).encode() + data).lower()


def strings_of(item: pikepdf.Object) -> list[pikepdf.Object]:
    if isinstance(item, pikepdf.String):
        return [item]
    inner = item.values() if isinstance(item, (Dictionary, pikepdf.Stream)) else item if isinstance(item, Array) else []
    return [found for each in inner if not getattr(each, "is_indirect", False) for found in strings_of(each)]


def edited(data: bytes, edit: Callable[[pikepdf.Pdf], None], **options: object) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        edit(pdf)
        pdf.save(stream, **options)
    return stream.getvalue()


def drawn(data: bytes, scale: float = 2) -> np.ndarray:
    return isolated(picture_of, data, scale, name="a page", timeout=60, memory=None, draws=True)


# ------------------------------------------------------------------------------------------------------- on the pages

HIDDEN = "BT /F 12 Tf 72 500 Td (Dear friend, hello) Tj {} (Ada Lovelace) Tj ET"
SHOWN = {
    "one string": "BT /F 12 Tf 72 500 Td (Dear Ada Lovelace, hello) Tj ET",
    "kerned": "BT /F 12 Tf 72 500 Td [(Dear A) 20 (da Lo) -15 (vela) 3 (ce, hello)] TJ ET",
    "next line": "BT /F 12 Tf 14 TL 72 500 Td (Dear) ' 1 2 (Ada Lovelace, hello) \" T* (hello) Tj ET",
    "letter by letter": "BT /F 12 Tf 72 500 Td (Dear ) Tj 40 0 Td "
    + " ".join(f"({letter}) Tj 8 0 Td" for letter in NAME)
    + " (, hello) Tj ET",
    "scaled and spaced": "q 2 0 0 2 0 0 cm BT /F 8 Tf 1 Tc 3 Tw 90 Tz 36 250 Td (Dear Ada Lovelace, hello) Tj ET Q",
    "invisible": HIDDEN.format("3 Tr 0 -20 Td"),
    "white": HIDDEN.format("1 g 0 -20 Td"),
    "off the page": HIDDEN.format("0 900 Td"),
    "tiny": HIDDEN.format("/F 0.1 Tf 0 -20 Td"),
}


@pytest.mark.parametrize("content", SHOWN.values(), ids=SHOWN)
def test_a_name_is_gone_however_it_is_shown(tmp_path: Path, content: str) -> None:
    data, report = redact(make_pdf(CONTENT + content), tmp_path)
    for text in map(squeezed, texts(data)):
        assert "dear" in text and "hello" in text and "lace" not in text and "ada" not in text
    assert b"lace" not in everything(data)
    assert not report.images


@pytest.mark.parametrize("page", PAGES)
def test_pixels_outside_of_the_boxes_stay(tmp_path: Path, page: str) -> None:
    original = make_pdf(CONTENT, page=page)
    data, report = redact(original, tmp_path, round_gaps=False)
    (box,) = predicted(longdoc.load(original), PERSON=NAME).entities[0].boxes
    x0, y0, x1, y1 = (int(2 * side) for side in (box.x0, box.y0, box.x1, box.y1))
    before, after = drawn(original), drawn(data)
    assert (after[y0 + 1 : y1, x0 + 1 : x1] == 0).all()
    before[y0 : y1 + 2, x0 : x1 + 2] = after[y0 : y1 + 2, x0 : x1 + 2] = 0
    assert np.abs(before - after).max() <= 24 and not report.images  # the edges of letters that moved by 1e-5 points


def test_what_follows_a_gap_does_not_tell_its_width(tmp_path: Path) -> None:
    found = []
    for name in ("Ada Lovelace", "Bob Lovelinn"):
        data, _ = redact(make_pdf(lines(f"Letter of {name} to Charles")), tmp_path, name)
        with pikepdf.open(io.BytesIO(data)) as pdf:
            found.append(pdf.pages[0].Contents.read_bytes())
    moves = [[float(each) for each in re.findall(rb"1 0 0 1 (\S+) 700 Tm", content)] for content in found]
    assert len(moves[0]) == 2 and moves[0] == moves[1]


def test_a_form_is_changed_where_it_shows_the_name_and_others_use_it_as_it_was(tmp_path: Path) -> None:
    def add_form(pdf: pikepdf.Pdf) -> None:
        form = pdf.make_stream(b"BT /F 12 Tf 10 10 Td (Ada Lovelace and others) Tj ET")
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 300, 40])
        form.Resources = Dictionary(Font=pdf.pages[0].Resources.Font)
        for page in pdf.pages:
            page.Resources = Dictionary(Font=page.Resources.Font, XObject=Dictionary(Fm=form))

    shows = "q 1 0 0 1 72 600 cm /Fm Do Q "
    data, report = redact(edited(make_pdf(CONTENT + shows, CONTENT + shows * 2), add_form), tmp_path)
    assert all(text.count("and others") >= 2 and "Lovelace" not in text for text in texts(data))
    assert report.pages == (1, 2) and not report.images and b"lovelace" not in everything(data)


def test_a_form_may_refer_to_what_is_not_there(tmp_path: Path) -> None:
    shown = "BT /F 12 Tf 10 10 Td (Ada Lovelace and others) Tj ET"
    kind = "/Type /XObject /Subtype /Form /BBox [0 0 300 40] /Group 99 0 R"
    form = f"<< {kind} /Length {len(shown)} >>\nstream\n{shown}\nendstream"
    original = loose_page(f"{CONTENT} q 1 0 0 1 72 600 cm /Fm Do Q", form)
    data, report = redact(original.replace(b"/XObject <<  >>", b"/XObject << /Fm 10 0 R >>"), tmp_path)
    assert not report.images and all("and others" in text and "Lovelace" not in text for text in texts(data))


def test_samples_of_pictures_below_a_name_are_gone_and_all_others_stay(tmp_path: Path) -> None:
    picture = np.arange(100 * 200).reshape(100, 200) % 199 + 30
    content = f"q 400 0 0 200 60 600 cm /I0 Do Q {CONTENT}"
    data, report = redact(loose_page(content, pictures=(picture,)), tmp_path, "Babbage")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        (image,) = [each for each in pdf.objects if isinstance(each, pikepdf.Stream) and "/Width" in each]
        samples = np.frombuffer(image.read_bytes(), np.uint8).reshape(100, 200)
    changed = samples != picture
    ys, xs = np.nonzero(changed)
    assert (samples[changed] == 0).all() and changed[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].all()
    assert 20 < np.ptp(xs) < 40 and 4 < np.ptp(ys) < 12 and not report.images


UNSAFE = {
    "a picture within the content": f"q 200 0 0 40 60 690 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q {CONTENT}",
    "a drawing that may show letters": f"0.9 g 100 690 m 110 700 150 710 400 720 c f 0 g {CONTENT}",
    "the font Unknown, whose widths are not known": f"{CONTENT} BT /U 12 Tf 72 500 Td (More) Tj ET",
}


@pytest.mark.parametrize("reason", UNSAFE)
def test_a_page_that_is_not_understood_becomes_an_image_and_is_named(tmp_path: Path, reason: str) -> None:
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Unknown >>"
    original = loose_page(UNSAFE[reason], font, fonts="/U 10 0 R")
    data, report = redact(original, tmp_path)
    assert report.images == {1: reason} and f"page 1 is now an image: it has {reason}" in report.lines()
    for text in texts(data):
        assert "Babbage," in text and "engine" in text and "Lovelace" not in text
    box = predicted(longdoc.load(original), PERSON=NAME).entities[0].boxes[0]
    assert (drawn(data, 1)[int(box.y0) + 2 : int(box.y1) - 2, int(box.x0) + 2 : int(box.x1) - 2] < 60).all()


def test_letters_that_are_drawings_make_an_image(tmp_path: Path) -> None:
    glyph = "<< /Length 33 >>\nstream\n800 0 0 0 750 750 d1 0 0 9 9 re f\nendstream"
    content = f"{CONTENT} BT /T 12 Tf 72 500 Td (AB) Tj ET"
    original = loose_page(content, TYPE_3, glyph, fonts="/T 10 0 R")
    assert not redact(original, tmp_path)[1].images  # not among what is removed
    report = redact(original, tmp_path, f"{NAME}|AB")[1]
    assert report.images == {1: "letters that are drawings (a font of Type 3)"}


# ---------------------------------------------------------------------------------------------------- beside the pages


def fill(pdf: pikepdf.Pdf) -> None:
    """Puts the name into everything that a PDF has beside its pages."""
    page, root = pdf.pages[0], pdf.Root
    pdf.docinfo["/Title"] = f"Letter of {NAME}"
    with pdf.open_metadata() as meta:
        meta["dc:creator"] = [NAME]
    pdf.attachments["ada.txt"] = pikepdf.AttachedFileSpec(pdf, NAME.encode(), filename="Ada Lovelace.txt")
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem(f"To {NAME}, with thanks", 0))
    field = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="who", V=NAME, DV=NAME, Rect=[72, 500, 300, 520], F=4
    )
    form = pdf.make_stream(b"/Tx BMC BT /F 12 Tf 2 5 Td (Ada Lovelace) Tj ET EMC")
    form.Subtype, form.BBox, form.Resources = Name.Form, Array([0, 0, 228, 20]), Dictionary(Font=page.Resources.Font)
    field.AP = Dictionary(N=form)
    field = pdf.make_indirect(field)
    note = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[400, 700, 410, 710], Contents=f"Ask {NAME}", T="x")
    link = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=[72, 300, 99, 310],
        A=Dictionary(S=Name.URI, URI="http://adalovelace.example/x"),
    )
    other = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[400, 100, 410, 110], Contents="Fine")
    page.Annots = Array([field, note, link, other])
    root.AcroForm = Dictionary(Fields=[field], XFA=pdf.make_stream(NAME.encode()))
    root.OpenAction = Dictionary(S=Name.JavaScript, JS=f"app.alert('{NAME}')")
    root.PageLabels = Dictionary(Nums=[0, Dictionary(P=f"{NAME} ")])
    root.Dests = Dictionary({"/Ada Lovelace": Array([page.obj, Name.Fit])})
    root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot, K=Dictionary(S=Name.P, ActualText=NAME, Alt=NAME))
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=f"Notes for {NAME}"))
    root.OCProperties = Dictionary(OCGs=[layer], D=Dictionary(OFF=[layer]))
    page.Resources.Properties = Dictionary(Layer=layer, Spoken=Dictionary(ActualText=NAME))
    broken = pikepdf.String(b"\xfe\xff\xd8\x00\x00" + NAME.encode("utf-16-be"))  # is no UTF-16, or not all of it
    page.Annots.append(Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=["x"], Contents=broken))
    page.PieceInfo = Dictionary(App=Dictionary(Private=NAME))


def test_nothing_is_left_beside_the_pages(tmp_path: Path) -> None:
    content = (
        f"/OC /Layer BDC {lines('Sketch of another', y=200)} EMC /Span <</ActualText (Ada Lovelace)>> BDC EMC {CONTENT}"
    )
    data, report = redact(edited(make_pdf(content), fill), tmp_path)
    left = everything(data)
    assert b"lovelace" not in left and "Ada Lovelace".encode("utf-16-be").lower() not in left
    assert not any("Sketch" in text for text in texts(data))  # what is not shown is not kept
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert [str(each.get("/Contents", "")) for each in pdf.pages[0].Annots] == ["", "Fine"]
        assert "/V" not in pdf.pages[0].Annots[0] and not {"/StructTreeRoot", "/OpenAction", "/Metadata"} & set(
            pdf.Root.keys()
        )
    assert next(iter(pdfium.PdfDocument(data).get_toc())).get_title() == "To [redacted], with thanks"
    told = " ".join(report.lines())
    for what in ("attached files", "actions", "metadata", "form in XML", "comments and links", "values of form fields"):
        assert what in told
    assert NAME not in told and NAME not in json.dumps(report.to_dict())


def test_earlier_versions_are_gone_and_encryption_stays(tmp_path: Path) -> None:
    encryption = pikepdf.Encryption(owner="owner", user="secret")
    original = edited(make_pdf(CONTENT), lambda pdf: None, encryption=encryption)
    data, _ = redact(original, tmp_path, password="secret")
    assert data.count(b"%%EOF") == 1
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(data))
    with pikepdf.open(io.BytesIO(data), password="secret") as pdf:
        assert b"Lovelace" not in pdf.pages[0].Contents.read_bytes()


# -------------------------------------------------------------------------------------------------- what, and whether


def test_the_same_text_is_removed_everywhere_unless_it_is_not_wanted(tmp_path: Path) -> None:
    original = make_pdf(CONTENT + lines("Ada lovelace, Adam Lovelace", y=500))
    data, report = redact(original, tmp_path)
    assert report.others == 1 and all("Adam Lovelace" in text and "Ada " not in text for text in texts(data))
    data, report = redact(original, tmp_path, everywhere=False)
    assert report.others == 0 and not report.images
    assert all("Ada lovelace, Adam" in text and NAME not in text for text in texts(data))


def test_if_anything_is_left_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.pdf").write_bytes(b"before")
    monkeypatch.setattr(job, "left_over", lambda *_: [Left("the stream of object 3", "has 'Ada'")])
    with pytest.raises(
        RedactionError, match=r"not written, since something is left .*the stream of object 3: has 'Ada'"
    ):
        redact(make_pdf(CONTENT), tmp_path)
    assert (tmp_path / "out.pdf").read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


def test_a_name_that_stays_is_found_and_its_page_becomes_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "plan", lambda walk, regions, rounded: job.Plan(boxes=list(regions)))  # removes nothing
    data, report = redact(make_pdf(CONTENT), tmp_path)
    assert report.images == {1: "letters that stay when they are removed"} and "Lovelace" not in texts(data)[0]


AGREEMENT = lines(
    "STRATEGIC ALLIANCE AGREEMENT",
    "This Agreement is made as of May 1, 2016 by and between",
    'Acme Holdings Latin America, L.L.C. \\("Acme"\\) and Bolt Hotels & Resorts,',
    'B.V. \\("Bolt"\\). Acme grants Bolt a licence, and Cameron Del Caribe Inc. sees it.',
    "Notices go to Acme Holdings Latin America, Floor 12; the owner is Acme Cabos Ltd.",
)


def test_all_mentions_of_the_parties_of_a_record_are_removed(tmp_path: Path) -> None:
    document = longdoc.load(data := make_pdf(AGREEMENT))
    prediction = with_record(longdoc.Prediction(document=document), "contract")
    report = longdoc.redact(prediction, tmp_path / "out.pdf", ["parties"], source=data)
    for text in texts((tmp_path / "out.pdf").read_bytes()):
        assert not re.search("Acme|Holdings|America|Bolt|Resorts", text) and "Notices go to" in text
    assert report.labels == {"parties": 8} and report.others == 0


def test_the_party_of_which_a_part_was_found_is_removed_whole(tmp_path: Path) -> None:
    document = longdoc.load(data := make_pdf(AGREEMENT))
    found = with_parties(predicted(document, PARTY="Cameron"))
    assert [each.text for each in found.entities if each.source != "record"] == ["Cameron"]
    longdoc.redact(found, tmp_path / "out.pdf", ["PARTY"], source=data)
    for text in texts((tmp_path / "out.pdf").read_bytes()):
        assert not re.search("Acme|Bolt|Cameron|Caribe|Cabos", text) and "grants" in text and "sees it" in text
    letter = predicted(longdoc.load(make_pdf(CONTENT)), PARTY=NAME)
    assert with_parties(letter) == letter  # of a letter, there is no record of a contract


def test_parts_of_a_name_are_removed_with_the_words_between_and_sought_apart(tmp_path: Path) -> None:
    content = lines("Acme Franchising Latin America, L.L.C. and Bolt", "Acme ends, America stays an American idea.")
    document = longdoc.load(data := make_pdf(content))
    prediction = predicted(document, ORG="Acme(?= F)|America, L.L.C.|Bolt")
    report = longdoc.redact(prediction, tmp_path / "out.pdf", ["ORG"], source=data)
    for text in texts((tmp_path / "out.pdf").read_bytes()):
        assert not re.search("Acme|Franchising|Latin|L.L.C|Bolt", text) and "America stays" in text and " and " in text
    assert report.labels == {"ORG": 2} and report.joined == 1 and report.others == 1
    assert "also removed: the words between parts of 1 name that were found apart" in report.lines()


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Acme and Bolt", "Acme", "Bolt"),
        ("ACME AND THE BOLT", "ACME", "BOLT"),
        ("Acme, Holdings Bolt", "Acme", "Bolt"),
        ("Acme\nHoldings Bolt", "Acme", "Bolt"),
        ("Acme hires Bolt", "Acme", "Bolt"),
        ("May 1 Effective Date May 2", "May 1", "May 2"),
        ("Acme One Two Three Four Bolt", "Acme", "Bolt"),
    ],
)
def test_what_is_between_two_names_stays(text: str, first: str, second: str) -> None:
    ranges = [(0, len(first)), (len(text) - len(second), len(text))]
    assert whole_names(text, ranges) == ranges


def scanned(*pages: str) -> bytes:
    """A PDF whose pages are pictures of the pages with some content."""
    with closing(pdfium.PdfDocument(make_pdf(*pages, page="/MediaBox [0 0 340 220]"))) as pdf:
        pictures = [page.render(scale=2, grayscale=True).to_pil() for page in pdf]
    stream = io.BytesIO()
    pictures[0].save(stream, "PDF", save_all=True, append_images=pictures[1:], resolution=144)
    return stream.getvalue()


def a_scan() -> bytes:
    return scanned(lines("Letter of Ada Lovelace to Babbage.", "Ada Lovelace wrote it.", y=120, pitch=24))


@needs_ocr
def test_a_scan_is_read_again_and_what_ocr_had_misread_is_removed(tmp_path: Path) -> None:
    read = longdoc.load(data := a_scan())
    at = read.raw_text.rindex("Lovelace")
    misread = f"{read.raw_text[:at]}Lovelaoe{read.raw_text[at + 8 :]}"
    document = replace(read, raw_text=misread)
    report = longdoc.redact(predicted(document, PERSON=NAME), tmp_path / "out.pdf", ["PERSON"], source=data)
    assert report.labels == {"PERSON": 1} and report.seen_again == 1 and report.read_again
    assert [*report.ocr] == [1] and report.ocr[1] > 0.8 and json.loads(json.dumps(report.to_dict()))["ocr"]["1"] > 0.8
    again = longdoc.load(tmp_path / "out.pdf").text
    assert "Lovelace" not in again and "Babbage" in again and "it." in again
    said = "\n".join(report.lines())
    assert "read by OCR, which misreads words: page 1, with a mean confidence of" in said
    assert "also removed: 1 place that only OCR of the result found" in said


@needs_ocr
@pytest.mark.rare  # OCR of three pages, three times
def test_a_name_in_the_header_of_scans_is_removed(tmp_path: Path) -> None:
    header = lines("Papers of Ada Lovelace, Volume 4", y=200)
    pages = [header + lines(f"{word} wrote to Ada Lovelace.", y=120) for word in ("Babbage", "Somerville", "Faraday")]
    document = longdoc.load(data := scanned(*pages))
    assert "Papers" not in document.text  # it is a header
    report = longdoc.redact(predicted(document, PERSON=NAME), tmp_path / "out.pdf", ["PERSON"], source=data)
    again = longdoc.load(tmp_path / "out.pdf", keep_furniture=True).text
    assert "Lovelace" not in again and "Papers" in again and "Faraday wrote" in again and report.seen_again == 3


@needs_ocr
def test_a_scan_that_no_ocr_can_verify_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = longdoc.load(data := a_scan())
    monkeypatch.setattr(ocr, "missing", lambda *_: "it is not installed")
    report = longdoc.redact(predicted(document, PERSON=NAME), tmp_path / "out.pdf", ["PERSON"], source=data)
    assert not report.read_again and "no OCR is installed here to verify: look there" in "".join(report.lines())


def test_a_low_confidence_of_ocr_is_told_of_a_masked_text_too() -> None:
    document = longdoc.Document.from_text("Letter of Ada Lovelace")
    pages = (replace(document.pages[0], verdict="scanned", confidence=0.41),)
    masked = longdoc.mask(predicted(replace(document, pages=pages), PERSON=NAME))
    assert (
        "read by OCR, which misreads words: page 1, with a mean confidence of 41 %; low: page 1 (41 %)"
        in masked.lines()
    )


def test_what_cannot_be_redacted_is_refused(tmp_path: Path) -> None:
    prediction = predicted(longdoc.load(b"Letter of Ada Lovelace"), PERSON=NAME)
    with pytest.raises(DataError, match="a redacted PDF is made of a PDF, and this is text/plain"):
        longdoc.redact(prediction, tmp_path / "out.pdf", ["PERSON"])
    data = make_pdf(CONTENT, CONTENT)
    with pytest.raises(DataError, match="1 of 2 pages were loaded; load all of them"):
        one = predicted(longdoc.load(data, pages=(1, 1)), PERSON=NAME)
        longdoc.redact(one, tmp_path / "out.pdf", ["PERSON"], source=data)
    with pytest.raises(ConfigError, match=r"nothing of 'PERSN' was found; found: PERSON"):
        longdoc.redact(predicted(longdoc.load(data), PERSON=NAME), tmp_path / "out.pdf", ["PERSN"], source=data)
    assert not list(tmp_path.iterdir())


def test_the_command_removes_what_a_reviewed_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.pdf").write_bytes(make_pdf(CONTENT))
    predicted(longdoc.load(tmp_path / "in.pdf"), PERSON=NAME, PLACE="engine").save(tmp_path / "found.jsonl")
    out, report = tmp_path / "out.pdf", tmp_path / "report.json"
    command = [
        "redact",
        str(tmp_path / "in.pdf"),
        "--spans",
        str(tmp_path / "found.jsonl"),
        "--labels",
        "PERSON, PLACE",
    ]
    assert main([*command, "-o", str(out), "--report", str(report)]) == 0
    assert "Lovelace" not in texts(out.read_bytes())[0]
    said = capsys.readouterr().out
    assert "removed PERSON: 1 place, PLACE: 1 place" in said and "nothing of what was found is left" in said
    written = json.loads(report.read_text())
    assert written["labels"] == {"PERSON": 1, "PLACE": 1} and "models miss names" in written["remark"] in said
    assert main([*command, "-o", str(out)]) == 2 and "exists" in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "in.pdf")]) == 2 and "would be replaced" in capsys.readouterr().err
    same = [*command, "-o", str(tmp_path / "new.pdf"), "--report", str(tmp_path / "new.pdf")]
    assert main(same) == 2 and "is named for two outputs" in capsys.readouterr().err


def test_the_original_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(original := make_pdf(CONTENT))
    found = predicted(longdoc.load(tmp_path / "in.pdf"), PERSON=NAME)
    with pytest.raises(ConfigError, match="is the original, which would be replaced"):
        longdoc.redact(found, tmp_path / "in.pdf", ["PERSON"])
    assert (tmp_path / "in.pdf").read_bytes() == original


def into_trailer(pdf: pikepdf.Pdf) -> None:
    pdf.trailer.AdditionalStreams = pikepdf.Array([pikepdf.Name("/text"), pdf.make_stream(f"for {NAME}".encode())])


def into_address(pdf: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=f"https://example.org/{NAME.replace(' ', '%20')}")
    link = pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=[9, 9, 20, 20], A=action)
    pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(link)])


def into_form_with_bad_one_beside(pdf: pikepdf.Pdf) -> None:
    def form(content: str) -> pikepdf.Object:
        return pdf.make_stream(
            content.encode(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 900, 900]
        )

    page = pdf.pages[0]
    page.Resources.XObject = pikepdf.Dictionary(K=form(f"BT /F 12 Tf 5 5 Td ({NAME}) Tj ET"), Bad=form(">> 1 g"))
    page.Resources.XObject.K.Resources = page.Resources
    page.contents_add(b" q /K Do Q")


@pytest.mark.parametrize("put", [into_trailer, into_address, into_form_with_bad_one_beside])
def test_a_name_that_no_page_shows_as_text_is_gone(tmp_path: Path, put: Callable[[pikepdf.Pdf], None]) -> None:
    with pikepdf.open(io.BytesIO(make_pdf(CONTENT))) as pdf:
        put(pdf)
        pdf.save(tmp_path / "in.pdf")
    found = predicted(longdoc.load(tmp_path / "in.pdf"), PERSON=NAME)
    longdoc.redact(found, tmp_path / "out.pdf", ["PERSON"])
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        pdf.save(tmp_path / "plain.pdf", compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable,
                 stream_decode_level=pikepdf.StreamDecodeLevel.generalized)  # fmt: skip
    assert b"Lovelace" not in (tmp_path / "plain.pdf").read_bytes()


def test_the_command_reads_with_the_heads_that_know_the_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str]] = []

    class Pipeline:
        heads = MappingProxyType(
            {
                "people": SimpleNamespace(kind="ner", labels=("PERSON",)),
                "terms": SimpleNamespace(kind="classify", labels=("Fair",)),
            }
        )
        rules = SimpleNamespace(labels=("DATE",))

        @classmethod
        def from_pretrained(cls, *_: object, **__: object) -> "Pipeline":
            return cls()

        def __call__(self, document: longdoc.Document, tasks: list[str]) -> longdoc.Prediction:
            read.append(tasks)
            return predicted(document, PERSON=NAME)

    monkeypatch.setitem(vars(longdoc), "Pipeline", Pipeline)
    (tmp_path / "in.pdf").write_bytes(make_pdf(CONTENT))
    command = ["redact", str(tmp_path / "in.pdf"), "-o", str(tmp_path / "out.pdf"), "--labels"]
    assert main([*command, "PERSN"]) == 2 and "unknown PERSN; did you mean 'PERSON'?" in capsys.readouterr().err
    assert main([*command, "person"]) == 2 and "unknown person; did you mean 'PERSON'?" in capsys.readouterr().err
    assert main([*command, "MONEY"]) == 2  # the shipped rules know it, and these do not
    assert "unknown MONEY" in capsys.readouterr().err
    assert main([*command, "PERSON"]) == 0 and main([*command, "PERSON,DATE", "--overwrite"]) == 0
    assert read == [["people"], ["people", "rules"]]
    assert "--preset deidentify seeks surnames alone, too" in capsys.readouterr().out
    (tmp_path / "in.pdf").write_bytes(make_pdf(CONTENT, lines("By: /s/ Mary Somerville", "Name: Mary Somerville")))
    assert main([*command, "PERSON", "--overwrite"]) == 0  # also by the preset's patterns
    assert "removed PERSON: 3 places" in capsys.readouterr().out
    for text in texts((tmp_path / "out.pdf").read_bytes()):
        assert "Somerville" not in text and "/s/" in text and "Name:" in text


def test_labels_are_listed_and_refused_without_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(longdoc), "Pipeline", None)  # it cannot be loaded
    assert main(["redact", "--list-labels"]) == 0
    listed = capsys.readouterr().out
    assert "head general: PERSON, ORG, LOCATION, DATE\n" in listed and "\nrules: " in listed
    assert "patterns of the preset: PHONE, PERSON" in listed
    monkeypatch.chdir(tmp_path)
    Path("in.pdf").write_bytes(make_pdf(CONTENT))
    for command, message in [
        (["no.pdf", "--labels", "PERSON", "-o", "out.pdf"], "no.pdf: "),
        ([], "no document: give a FILE"),
        (["in.pdf"], "name the file to write, such as -o in.redacted.pdf"),
        (["in.pdf", "--labels", "Parti", "-o", "out.pdf"], "unknown Parti; did you mean 'Parties'?"),
        ([".", "--labels", "PERSON", "-o", "out.pdf"], "is a folder, and redact takes one file"),
        (["in.pdf", "--spans", "in.pdf", "--labels", "PERSON", "-o", "out.pdf"], "in.pdf: is no file of findings ("),
        (["in.pdf", "--spans", "no.jsonl", "--labels", "PERSON", "-o", "out.pdf"], "no.jsonl: cannot be read (No such"),
    ]:
        assert main(["redact", *command]) in (1, 2) and message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.pdf"]


def test_the_error_says_which_head_that_was_not_run_finds_a_label(tmp_path: Path) -> None:
    data = make_pdf(CONTENT)
    prediction = replace(predicted(longdoc.load(data), PARTY=NAME), tasks=("contract", "rules"))
    with pytest.raises(
        ConfigError, match=r"nothing of 'PERSON' was found; found: PARTY\. PERSON: found by the task 'gen"
    ):
        longdoc.redact(prediction, tmp_path / "out.pdf", ["PERSON"], source=data)
    report = longdoc.redact(prediction, tmp_path / "out.pdf", ["PARTY", "PERSON"], source=data)
    assert report.lines()[0].endswith("removed PARTY: 1 place on page 1")
    assert any(
        "PERSON: found by the task 'general' of the shipped model, which was not run" in s for s in report.notices
    )
    ran = replace(prediction, tasks=("general",))
    with pytest.raises(ConfigError, match=r"found: PARTY$"):
        longdoc.redact(ran, tmp_path / "out.pdf", ["PERSON"], source=data)
    with pytest.raises(ConfigError, match="no label is named; name some of what was found: PARTY"):
        longdoc.redact(ran, tmp_path / "out.pdf", [], source=data)
