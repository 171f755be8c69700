"""The viewer: what its pages hold, what they may load and run, and their pictures. test_viewer_browser.py runs them."""

import base64
import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import longdoc
from fakes import entity
from hostile_text import HOSTILE, hostile_prediction
from longdoc import Document, Entity, Prediction
from longdoc.document import Page
from longdoc.drawing import draw_pages
from longdoc.errors import ConfigError, CorruptDocumentError, MissingDependencyError
from longdoc.outputs import FORMATS, Original, Outcome, viewer, write
from longdoc.outputs.viewer.images import page_pictures
from longdoc.outputs.viewer.lines import lines_by_page
from pdfs import lines, make_pdf

CONTRACT = Path(__file__).parents[1] / "examples" / "hyatt-playa-strategic-alliance.pdf"
PDF = make_pdf(lines("Lease of May 1, 2020"), lines("between Ada Ltd."), lines("and Bob."))


def page_of(*outcomes: Outcome) -> str:
    stream = io.StringIO()
    FORMATS["html"].write(outcomes, stream)
    return stream.getvalue()


def elements(source: str, name: str) -> list[Any]:
    """The JSON of the elements of a class."""
    found = re.findall(rf'<script type="application/json" class="{name}"[^>]*>(.*?)</script>', source)
    return [json.loads(each) for each in found]


def pictures(source: str) -> dict[str, str]:
    """The addresses of the pictures of pages, by the id of their element."""
    return dict(re.findall(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>', source))


def of_pdf(content: bytes = PDF) -> Prediction:
    document = longdoc.load(content)
    start = document.text.index("Ada Ltd.")
    return Prediction(document=document, entities=(entity(document, start, start + 8, "PARTY"),))


# -------------------------------------------------------------------------------------------------------- what may run


def attributes(source: str) -> Iterator[str]:
    """The names of the attributes of all elements, without what is in scripts and styles."""
    markup = re.sub(r"(<(script|style)[^>]*>).*?</\2>", r"\1</\2>", source, flags=re.DOTALL)
    for tag in re.findall(r"<[a-z][^>]*>", markup):
        yield from re.findall(r'\s([\w-]+)(?:="[^"]*")?', tag)


def test_a_page_runs_its_own_script_and_loads_nothing() -> None:
    source = page_of(Outcome("a", hostile_prediction()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', source)
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    assert policy
    allowed = dict(each.strip().split(" ", 1) for each in policy[1].split(";"))
    for kind, part in (("style-src", style), ("script-src", script)):
        assert allowed.pop(kind) == f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
    assert allowed == {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert not [name for name in attributes(source) if name.startswith("on") or name in ("style", "src", "srcdoc")]
    assert "innerHTML" not in script and "eval(" not in script and not re.search(r"https?://", script + style)


def test_text_of_a_document_closes_no_element() -> None:
    prediction = hostile_prediction()
    source = page_of(Outcome(HOSTILE, prediction), Outcome(HOSTILE, CorruptDocumentError(HOSTILE)))
    plain = page_of(Outcome("a", Prediction(document=Document.from_text("a"))), Outcome("b", CorruptDocumentError("b")))
    for tag in ("<script", "</script", "<style", "</style", "<img", "<!--", "<a "):
        assert source.lower().count(tag) == plain.lower().count(tag), tag
    data, (summary, failure) = elements(source, "document"), elements(source, "summary")
    assert data[0]["text"] == prediction.document.text
    assert data[0]["findings"][0]["label"] == HOSTILE and data[0]["warnings"][0] == HOSTILE
    assert failure["failure"] == HOSTILE and summary["source"] == HOSTILE


# ------------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize("source", [CONTRACT, make_pdf(lines("Ten-", "ant fi", x=90), page="/MediaBox [0 0 300 300]")])
def test_lines_have_the_boxes_that_locate_gives(source: Path | bytes) -> None:
    document = longdoc.load(source)
    found = lines_by_page(document)
    assert sorted(found) == [page.number for page in document.pages if document.text[page.start : page.end].strip()]
    for number, own in found.items():
        for start, end, *box in own:
            (located,) = document.locate(start, end)
            assert located.page == number
            assert box == pytest.approx((located.x0, located.y0, located.x1, located.y1), abs=0.01)
            assert not document.text[start].isspace() and not document.text[end - 1].isspace()
    inside = sum(len(document.text[start:end].split()) for own in found.values() for start, end, *_ in own)
    assert inside >= len(document.text.split())  # a word that was divided at the end of a line counts twice


def test_a_document_without_geometry_has_no_lines() -> None:
    assert lines_by_page(Document.from_text("Lease")) == {}


# ----------------------------------------------------------------------------------------------------------- pictures


def test_pages_of_a_pdf_are_pictures_inside_the_file(tmp_path: Path) -> None:
    of_pdf().save(tmp_path / "lease.html", source=PDF)
    source = (tmp_path / "lease.html").read_text()
    found = pictures(source)
    assert list(found) == ["d1-1", "d1-2", "d1-3"]
    assert source.index('id="d1-1"') < source.index("<script>") < source.index('id="d1-2"')  # the first need not wait
    kind, _, content = found["d1-2"].partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (kind, image.format, image.size) == ("data:image/webp;base64", "WEBP", (1224, 1584))
    assert elements(source, "document")[0]["why"] == ""
    assert [path.name for path in tmp_path.iterdir()] == ["lease.html"]


def test_pictures_can_be_beside_the_file_or_left_out(tmp_path: Path) -> None:
    of_pdf().save(tmp_path / "my lease.html", source=PDF, images="beside")
    source = (tmp_path / "my lease.html").read_text()
    for address in pictures(source).values():
        folder, name = address.split("/")
        assert folder == "my%20lease_files" and (tmp_path / "my lease_files" / name).read_bytes().startswith(b"RIFF")
    assert "img-src 'self' file:;" in source
    if sys.platform == "linux":  # others refuse names that are not UTF-8
        of_pdf().save(tmp_path / os.fsdecode(b"\xff.html"), source=PDF, images="beside")
        found = pictures((tmp_path / os.fsdecode(b"\xff.html")).read_text())
        assert all(address.startswith("%FF_files/") for address in found.values()) and len(found) == 3
    of_pdf().save(tmp_path / "none.html", source=PDF, images="none")
    assert pictures((tmp_path / "none.html").read_text()) == {}
    with pytest.raises(ConfigError, match="the format jsonl shows no pages; images='beside' is for html"):
        of_pdf().save(tmp_path / "a.jsonl", images="beside")
    with pytest.raises(ConfigError, match="unknown images 'besides'; allowed: 'inside', 'beside', 'none'"):
        of_pdf().save(tmp_path / "a.html", images="besides")


@pytest.mark.parametrize(
    ("source", "original", "why"),
    [
        (
            PDF,
            Original(),
            "the location of its file is not known; give the file that it was loaded from (`source` in Python)",
        ),
        (PDF, Original(b"%PDF-"), "the bytes given as `source` does not have the document's SHA-256; give"),
        (
            b"Lease with Ada Ltd.",
            Original(b"Lease with Ada Ltd."),
            "a document of the type text/plain has no fixed pages, as PDFs and",
        ),
    ],
)
def test_the_page_says_why_there_are_no_pictures(source: bytes, original: Original, why: str) -> None:
    (data,) = elements(page_of(Outcome("a", of_pdf(source), original)), "document")
    assert data["why"].startswith(why)


def test_without_pillow_the_page_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, **_: str) -> None:
        raise MissingDependencyError(f"drawing pages needs {module}: pip install 'longdoc[draw]'")

    monkeypatch.setattr("longdoc.outputs.viewer.images.require", missing)
    (data,) = elements(page_of(Outcome("a", of_pdf(), Original(PDF))), "document")
    assert data["why"] == "drawing pages needs PIL.Image: pip install 'longdoc[draw]'"


def test_a_page_that_cannot_be_drawn_costs_itself() -> None:
    prediction = of_pdf()
    document, end = prediction.document, len(prediction.document.text)
    beyond = Page(number=99, width=612, height=792, start=end, end=end, verdict="empty")
    drawn = list(page_pictures(replace(document, pages=(*document.pages, beyond)), Original(PDF)))
    assert [type(each) for each in drawn] == [bytes, bytes, bytes, str]
    assert re.match(r"page 99 cannot be drawn \(.+\)$", str(drawn[3]))


def test_the_page_says_why_a_page_has_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "page 1 cannot be drawn (<b>&\0)"
    monkeypatch.setattr("longdoc.outputs.viewer.page_pictures", lambda *_: iter([reason]))
    assert elements(page_of(Outcome("a", of_pdf(), Original(PDF))), "failure") == [reason]


def test_without_its_password_a_pdf_is_not_tried_page_by_page() -> None:
    content = make_pdf(*[lines("Lease")] * 3, password="secret")
    prediction = Prediction(document=longdoc.load(content, password="secret"))
    source = page_of(Outcome("a", prediction, Original(content)))
    (data,) = elements(source, "document")
    assert re.match(r"its PDF cannot be opened \(.+\); give its password, if it has one$", data["why"])
    assert elements(source, "failure") == []
    assert list(pictures(page_of(Outcome("a", prediction, Original(content, "secret"))))) == ["d1-1", "d1-2", "d1-3"]


def test_transparent_parts_of_an_image_are_white() -> None:
    stream = io.BytesIO()
    Image.new("LA", (40, 40), (0, 0)).save(stream, "PNG")
    page = Page(number=1, width=40, height=40, start=0, end=0, verdict="empty")
    (drawn,) = draw_pages(stream.getvalue(), "image/png", [page], lambda image: bytes(image.getpixel((20, 20))))
    assert drawn == b"\xff\xff\xff"


def test_pictures_that_fill_the_file_are_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longdoc.outputs.viewer.images._drawn", lambda *_: [b"12345"] * 3)
    monkeypatch.setattr("longdoc.outputs.viewer.images.MOST_BYTES", 10)
    full = "the pictures of the pages before fill the file"
    assert list(page_pictures(of_pdf().document, Original(PDF))) == [b"12345", b"12345", full]


def test_pictures_of_a_long_document_share_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longdoc.outputs.viewer.images.MOST_BYTES", 3 * 900)
    drawn = list(page_pictures(of_pdf().document, Original(PDF)))
    assert all(isinstance(each, bytes) and len(each) <= 900 for each in drawn)


# -------------------------------------------------------------------------------------------------------------- index


def test_several_documents_get_an_index_and_a_page_each(tmp_path: Path) -> None:
    texts = {"a/x y.txt": "Ada Ltd.", "b/x y.txt": "Bob Ltd.", "<i>.txt": "Cy Ltd."}
    predictions = [Prediction(document=Document.from_text(text, name=name)) for name, text in texts.items()]
    write(predictions, tmp_path / "out.html")
    rows = elements((tmp_path / "out.html").read_text(), "summary")
    digests = [each.document.source.sha256[:8] for each in predictions]
    stems = ["x-y", "x-y", "i"]
    assert [row["href"] for row in rows] == [f"out_files/{s}-{d}.html" for s, d in zip(stems, digests, strict=True)]
    for row, text in zip(rows, texts.values(), strict=True):
        assert elements((tmp_path / row["href"]).read_text(), "document")[0]["text"] == text


def test_a_stream_has_all_documents_in_one_page() -> None:
    good = Prediction(document=Document.from_text("Ada Ltd."), answers=())
    source = page_of(Outcome("a", good), Outcome("b", CorruptDocumentError("b: no")), Outcome("c", good))
    assert [row["id"] for row in elements(source, "summary")] == ["d1", "d2", "d3"]
    assert re.findall(r'class="document" id="(d\d)"', source) == ["d1", "d3"]


def test_findings_are_numbered_in_the_order_of_the_text() -> None:
    document = Document.from_text("Ada Ltd. and Bob Ltd.")
    found: list[Entity] = [entity(document, *each) for each in ((13, 21, "B"), (0, 8, "A"), (0, 3, "C"))]
    source = page_of(Outcome("a", Prediction(document=document, entities=tuple(found))))
    (data,) = elements(source, "document")
    assert [(each["label"], each["start"]) for each in data["findings"]] == [("A", 0), ("C", 0), ("B", 13)]
    assert data["names"]["B"] == [["Bob Ltd.", "1", [2]]]
    assert viewer.fragment(Prediction(document=document, entities=tuple(found))).count("<mark") == 4
