"""Limits of the formats other than PDF, enforced while a file is read."""

import base64
import io
import struct
import zipfile
import zlib

import pytest

from longdoc import CorruptDocumentError, LimitExceededError, Limits, load
from longdoc.drawing import write
from longdoc.loaders import html, text
from longdoc.loaders.encoding import decode
from pdfs import lines, loose_page

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PARAGRAPH = "<w:p><w:r><w:t>The rent is 5,000 dollars.</w:t></w:r></w:p>"


def word(*members: tuple[str, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, f"<w:document {NAMESPACE}><w:body>{body}</w:body></w:document>")
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_word_files_are_packed_as_word_packs_them(method: int) -> None:
    with pytest.raises(CorruptDocumentError, match="stored and deflated"):
        load(word(("word/document.xml", PARAGRAPH), method=method))


def test_the_size_that_a_member_states_is_not_exceeded() -> None:
    data = word(("word/document.xml", PARAGRAPH * 10_000))
    size = zipfile.ZipFile(io.BytesIO(data)).infolist()[0].file_size
    with pytest.raises(CorruptDocumentError, match="CRC"):
        load(data.replace(struct.pack("<I", size), struct.pack("<I", 200)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_folder_in_a_word_file_can_be_listed_twice() -> None:
    out = io.BytesIO(word(("word/document.xml", PARAGRAPH)))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/", "")
        archive.writestr("word/", "")
    assert load(out.getvalue()).text == "The rent is 5,000 dollars."


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_in_a_word_file_is_of_one_member() -> None:
    with pytest.raises(CorruptDocumentError, match="same name"):
        load(word(("word/document.xml", PARAGRAPH), ("word/document.xml", "<w:p/>")))


@pytest.mark.parametrize(
    "data, limits",
    [
        (word(("word/document.xml", PARAGRAPH * 9)), Limits(elements=20)),
        (b"<html><p>x" + b"<b></b>" * 30, Limits(elements=20)),
        (b"<html><p>x" + b"<!---->" * 30, Limits(elements=20)),
        (b"a\f" * 30, Limits(pages=20)),
        (b"<html><p>x" + b"<hr style='page-break-after:always'>a" * 30, Limits(pages=20)),
        (b"<DOCUMENT>\n<TYPE>X\n<TEXT>\n<html><p>x</p></html>\n</TEXT>\n</DOCUMENT>\n" * 30, Limits(pages=20)),
        (b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + b"<id/>" * 30 + b"</ClinicalDocument>", Limits(elements=20)),
    ],
)
def test_elements_and_pages_are_counted_while_reading(data: bytes, limits: Limits) -> None:
    with pytest.raises(LimitExceededError, match=r"(elements|pages): .*allowed: 20"):
        load(data, limits=limits)


@pytest.mark.parametrize("box", ["0 0 72000000 72000000", "0 0 100000000 10", "0 0 10 100000000"])
def test_large_pages_are_drawn_at_a_lower_resolution(box: str) -> None:
    data = loose_page(lines("The rent is 5,000 dollars.")).replace(b"0 0 612 792", box.encode())
    drawn = io.StringIO()
    write(load(data, ocr="never"), data, drawn)
    assert "data:image/png" in drawn.getvalue()


@pytest.mark.parametrize(("loader", "content"), [(text, b"word "), (html, b"<p>word</p> ")])
def test_text_of_too_many_bytes_is_not_decoded(loader, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    monkeypatch.setattr(loader, "decode", lambda data, *more: decoded.append(len(data)) or decode(data, *more))
    data = content * 3_000
    with pytest.raises(LimitExceededError, match=f"characters: {len(data):,}"):
        load(data, limits=Limits(characters=3_000))
    assert not decoded
    assert load(data, limits=Limits(characters=len(data))).text.startswith("word")
    assert decoded


@pytest.mark.parametrize("content", [b"word ", b"<p>word</p> "])
def test_packed_text_is_unpacked_as_far_as_its_characters_may_reach(content: bytes) -> None:
    packed = base64.b64encode(zlib.compress(content * 1_000_000)).decode()
    record = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody><text mediaType="application/pdf" '
        f'representation="B64" compression="ZL">{packed}</text></nonXMLBody></component></ClinicalDocument>'
    ).encode()
    with pytest.raises(LimitExceededError, match="characters: 1,200,005"):
        load(record, limits=Limits(characters=300_000))


def test_values_of_a_record_in_json_count() -> None:
    data = b'{"resourceType": "Basic", "id": "a,[b", "conclusion": ["Seen", ' + b"[], " * 50 + b'""]}'
    with pytest.raises(LimitExceededError, match="elements: 105"):
        load(data, limits=Limits(elements=100))
    assert load(data, limits=Limits(elements=105)).text
