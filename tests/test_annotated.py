"""Annotated PDFs: highlights lie on the glyphs that they claim, on pages of every kind, and the original is kept."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest

import longdoc
from longdoc.cli import main
from longdoc.errors import ConfigError, DataError, EncryptedDocumentError, OutputWarning
from longdoc.findings import place
from longdoc.labels import Answer, Entity
from longdoc.prediction import Prediction
from pdfs import lines, make_pdf

CONTENT = lines("Lease between Ada Lovelace", "and the heirs of Charles", "Babbage, dated 2 May 1840.")
PAGES = [
    "/MediaBox [0 0 612 792]",
    "/MediaBox [-50 100 562 892] /CropBox [20 300 500 850]",
    *(f"/MediaBox [30 40 642 832] /CropBox [50 60 600 800] /Rotate {turn}" for turn in (90, 180, 270)),
]


def predicted(document: longdoc.Document, **patterns: str) -> Prediction:
    """A prediction with an entity for each match of a pattern, whose name is the label."""
    found = [
        Entity(
            text=match[0],
            label=label,
            start=match.start(),
            end=match.end(),
            score=0.91,
            page=document.page_at(match.start()).number,
            boxes=document.locate(*match.span()),
        )
        for label, pattern in patterns.items()
        for match in re.finditer(pattern, document.text)
    ]
    return Prediction(document=document, entities=tuple(sorted(found, key=lambda entity: entity.start)))


def saved(data: bytes, tmp_path: Path, password: str | None = None, **patterns: str) -> bytes:
    """The annotated PDF of a PDF."""
    path = tmp_path / "in.pdf"
    path.write_bytes(data)
    prediction = predicted(longdoc.load(path, password=password), **patterns)
    prediction.save(tmp_path / "out.pdf", password=password)
    return (tmp_path / "out.pdf").read_bytes()


def highlights(data: bytes, password: str = "") -> list[tuple[str, str, np.ndarray]]:
    """The label, the note and the quadrilaterals of each highlight, of shape ``(lines, 4, 2)``."""
    with pikepdf.open(io.BytesIO(data), password=password) as pdf:
        own = [each for each in pdf.pages[0].Annots if each.Subtype == "/Highlight"]
        quads = [np.array([float(number) for number in each.QuadPoints]).reshape(-1, 4, 2) for each in own]
        return [(str(each.Subj), str(each.Contents), quad) for each, quad in zip(own, quads, strict=True)]


def letters_below(data: bytes, quads: np.ndarray) -> str:
    """The letters with their middles in quadrilaterals, as pdfium reads them."""
    pdf = pdfium.PdfDocument(data)
    text = pdf[0].get_textpage()
    boxes = np.array([text.get_charbox(at) for at in range(text.count_chars())])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    found = ""
    for quad in quads:
        inside = ((middles >= quad.min(axis=0)) & (middles <= quad.max(axis=0))).all(axis=1)
        found += "".join(text.get_text_range(int(at), 1) for at in np.flatnonzero(inside))
    pdf.close()
    return "".join(found.split())


@pytest.mark.parametrize("page", PAGES)
def test_quadrilaterals_lie_on_the_glyphs_of_a_finding(tmp_path: Path, page: str) -> None:
    data = saved(make_pdf(CONTENT, page=page), tmp_path, PERSON="Ada Lovelace", DATE="2 May 1840")
    below = {label: letters_below(data, quads) for label, _, quads in highlights(data)}
    assert below == {"PERSON": "AdaLovelace", "DATE": "2May1840"}


def test_a_finding_on_another_has_only_a_line(tmp_path: Path) -> None:
    document = longdoc.load(make_pdf(CONTENT))
    (entity,) = predicted(document, PERSON="Ada Lovelace").entities
    both = Prediction(document=document, entities=(entity, replace(entity, label="PARTY")))
    both.save(tmp_path / "out.pdf", source=make_pdf(CONTENT))
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        drawn = [each.AP.N.read_bytes().count(b" re") for each in pdf.pages[0].Annots]
    assert drawn == [2, 1]


def test_a_finding_on_two_lines_has_two_quadrilaterals(tmp_path: Path) -> None:
    data = saved(make_pdf(CONTENT), tmp_path, PERSON=r"Charles\s+Babbage")
    ((_, _, quads),) = highlights(data)
    assert [letters_below(data, quad[None]) for quad in quads] == ["Charles", "Babbage"]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_coloured_there_and_nowhere_else(tmp_path: Path, page: str) -> None:
    original = make_pdf(CONTENT, page=page)
    data = saved(original, tmp_path, PERSON="Ada Lovelace")
    (box,) = predicted(longdoc.load(original), PERSON="Ada Lovelace").entities[0].boxes
    before, after = (pdfium.PdfDocument(each)[0].render(scale=1).to_numpy().astype(int) for each in (original, data))
    ys, xs = np.nonzero(np.abs(before - after).max(axis=2) > 8)
    found = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    assert found == pytest.approx((box.x0, box.y0, box.x1, box.y1), abs=1)


def test_notes_and_bookmarks_say_what_was_found(tmp_path: Path) -> None:
    data = saved(make_pdf(CONTENT), tmp_path, PERSON="Ada Lovelace", DATE="2 May 1840")
    notes = [(label, note) for label, note, _ in highlights(data)]
    assert sorted(notes) == [("DATE", "DATE\nscore 0.91, page 1"), ("PERSON", "PERSON\nscore 0.91, page 1")]
    titles = [(each.get_title(), each.level) for each in pdfium.PdfDocument(data).get_toc()]
    found = [("DATE (1)", 1), ("2 May 1840, page 1", 2), ("PERSON (1)", 1), ("Ada Lovelace, page 1", 2)]
    assert titles == [("longdoc: 2 findings", 0), *found]


def test_an_answer_shows_its_value_and_own_bookmarks_and_comments_stay(tmp_path: Path) -> None:
    pdf, stream = pikepdf.open(io.BytesIO(make_pdf(CONTENT))), io.BytesIO()
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Own", 0))
    pdf.pages[0].Annots = pikepdf.Array(
        [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], Contents="Mine")]
    )
    pdf.save(stream)
    document = longdoc.load(stream.getvalue())
    start = document.text.index("2 May 1840")
    where = {"start": start, "end": start + 10, "page": 1, "boxes": document.locate(start, start + 10)}
    answer = Answer(text="2 May 1840", label="date", score=0.6, value=1840, check=True, **where)
    Prediction(document=document, answers=(answer,)).save(tmp_path / "out.pdf", source=stream.getvalue())
    data = (tmp_path / "out.pdf").read_bytes()
    assert highlights(data)[0][1] == "date: 1840\nscore 0.60, page 1, check"
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert str(pdf.pages[0].Annots[0].Contents) == "Mine"
    assert next(iter(pdfium.PdfDocument(data).get_toc())).get_title() == "Own"


def test_an_encrypted_original_stays_encrypted(tmp_path: Path) -> None:
    data = saved(make_pdf(CONTENT, password="secret"), tmp_path, password="secret", PERSON="Ada Lovelace")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(data))
    assert len(highlights(data, "secret")) == 1
    prediction = predicted(longdoc.load(tmp_path / "in.pdf", password="secret"), PERSON="Ada Lovelace")
    with pytest.raises(EncryptedDocumentError, match="give its password"):
        prediction.save(tmp_path / "out.pdf")


def test_a_doubtful_finding_is_pale_with_a_dashed_line_and_the_bookmark_says_so(tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(make_pdf(CONTENT))
    document, drawn = longdoc.load(tmp_path / "in.pdf"), {}
    for score in (0.69, 0.7):
        entity = Entity(label="X", score=score, **place(document, 0, 5))
        Prediction(document=document, entities=(entity,)).save(tmp_path / "out.pdf")
        with pikepdf.open(tmp_path / "out.pdf") as pdf, pdf.open_outline() as outline:
            form = pdf.pages[0].Annots[-1].AP.N
            drawn[score] = float(form.Resources.ExtGState.G.ca), form.read_bytes().count(b" re"), outline.root[-1].title
    assert drawn[0.7] == (1, 2, "longdoc: 1 finding")
    opacity, n_rectangles, title = drawn[0.69]
    assert opacity < 1 and n_rectangles > 3 and title == "longdoc: 1 finding; 1 to check: pale, dashed line"


def test_a_broken_signature_and_findings_without_a_place_are_told(tmp_path: Path) -> None:
    pdf, path = pikepdf.open(io.BytesIO(make_pdf(CONTENT))), tmp_path / "in.pdf"
    pdf.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=[])
    pdf.save(path)
    document = longdoc.load(path)
    entity = Entity(text="Lease", label="X", start=0, end=5, score=1, page=1)
    with pytest.warns(OutputWarning) as told:
        Prediction(document=document, entities=(entity,)).save(tmp_path / "out.pdf")
    assert "signature" in str(told[0].message)
    assert "findings without a place on a page: 1" in str(told[1].message)


def test_what_is_no_pdf_or_no_single_document_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("Lease")
    document = longdoc.load(tmp_path / "a.txt")
    with pytest.raises(DataError, match=r"a\.txt: the format pdf is made of a PDF, and this is text/plain; print it"):
        Prediction(document=document).save(tmp_path / "out.pdf")
    with pytest.raises(ConfigError, match="the format pdf holds one document, got several"):
        longdoc.outputs.write([Prediction(document=document)] * 2, tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()
    path = str(tmp_path / "a.txt")
    assert main(["extract", path, path, "-o", str(tmp_path / "out.pdf")]) == 2
    assert "holds one document, got 2" in capsys.readouterr().err
