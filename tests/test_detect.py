"""The format of a file is known by its structure: words that a text mentions do not decide."""

import base64
import io
import json
import zipfile

import pytest

from longdoc.errors import CorruptDocumentError, UnsupportedFormatError
from longdoc.loaders import load
from longdoc.loaders.detect import kind_of
from longdoc.loaders.signatures import xml_root
from pdfs import lines, make_pdf


def zipped(*names: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "A PDF starts with %PDF-1.7 and ends with %%EOF.",
        "%PDF-1.7 is the header of a PDF.",
        "A file:\n\n%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n\nis too short to be opened.",
        "RIFF----WEBP is a format of images",
        "RIFF and WEBP",
        "xxxxxxxxWEBP",
        "PNG, GIF89a and GIF87a are formats",
        "GIF89a is older than PNG",
        "BM is the signature of a bitmap",
        "PK and the rest",
        "II* is not an image",
        "The tag <document> of SGML, <html>, <p> and <article>.",
        "<sic> means that <html> was written",
        "ID <html>",
        '{"note": "see \\"resourceType\\": \\"Patient\\""}',
        '{"resource": {"resourceType": "Patient"}}',
        '[Note] the "resourceType" of FHIR',
        "From: Jane\nTo: John\nSubject: the lease\nDate: May 1, 2020\n\nDear John,",
        "BZ is short",
        "MZ is short too",
        "Rar! he said",
    ],
)
def test_words_do_not_decide(text):
    assert kind_of(text.encode(), "bytes") == "text"
    assert load(text.encode()).text == text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (make_pdf(lines("Lease")), "pdf"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + make_pdf(lines("Lease")), "pdf"),
        (b"\n\n" + make_pdf(lines("Lease"))[:-30], "text"),
        (
            b"BM" + (138).to_bytes(4, "little") + b"\0\0\0\0" + (54).to_bytes(4, "little") + b"\x28\0\0\0" + b"\0" * 90,
            "image",
        ),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image"),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "image"),
        (zipped("word/document.xml"), "docx"),
        (b"<?xml version='1.0'?><!DOCTYPE article SYSTEM 'JATS.dtd' [<!-- > -->]><article><body/></article>", "jats"),
        (b"<article class='post'><h1>A</h1><div>B</div></article>", "html"),
        (b"<!-- saved from url --><!DOCTYPE html>\n<p>x", "html"),
        (b"\xef\xbb\xbf<html><p>x", "html"),
        ("<html><p>x".encode("utf-16"), "html"),
        (b'{"contentType": "text/plain", "data": "' + b"QUJD" * 50_000 + b'", "resourceType": "Binary"}', "fhir"),
        (b'[{"id": "1", "resourceType": "Patient"}]', "fhir"),
        (b'{"id": "1", "resourceType": "Patient"', "fhir"),
    ],
)
def test_structure_decides(data, kind):
    if kind == "text":
        data, kind = data.replace(b"%PDF-", b"%PDX-"), "text"
    assert kind_of(data, "bytes") == kind


def test_json_of_many_values_is_not_parsed_to_tell_what_it_is(monkeypatch):
    monkeypatch.setattr("json.loads", lambda _: pytest.fail("it was parsed"))
    many = b"[" + b"0," * 1_000_000 + b"0]"
    assert kind_of(b'{"x": ' + many + b', "resourceType": "Patient"}', "a.json") == "fhir"
    assert kind_of(b'{"x": ' + many + b', "y": "resourceType"}', "a.json") == "text"


def test_a_fragment_is_html_by_its_suffix():
    assert kind_of(b"Rent is <b>5,000</b>.", "a.html") == "html"
    assert kind_of(b"Rent is <b>5,000</b>.", "a.txt") == "text"
    assert kind_of(b"Rent is < 5,000.", "a.html") == "text"


def test_a_binary_with_sorted_keys_is_not_read_as_base64():
    data = base64.b64encode(b"The rent is 5,000 dollars.").decode()
    document = load(json.dumps({"contentType": "text/plain", "data": data, "resourceType": "Binary"}).encode())
    assert "5,000 dollars" in document.text


def test_a_damaged_member_of_a_zip_file_is_a_typed_error():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("[Content_Types].xml", "<Types>" + "x" * 5000 + "</Types>")
    data = bytearray(stream.getvalue())
    data[60:90] = b"\xff" * 30
    with pytest.raises(UnsupportedFormatError, match="zip"):
        load(bytes(data))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (zipped("xl/workbook.xml"), "Excel"),
        (zipped("ppt/presentation.xml"), "PowerPoint"),
        (zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"), r"\.odt"),
        (zipped("OEBPS/a.html", mimetype="application/epub+zip"), "EPUB"),
        (zipped("a.txt"), "zip file"),
        (b"PK\3\4 damaged", "damaged zip"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        (b"Rar!\x1a\x07\1\0", "RAR"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\0" * 257 + b"ustar\0" + b"0" * 20, "tar"),
        (b"SQLite format 3\0\x10", "SQLite"),
        (b"\x7fELF\2\1\1", "ELF"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "Java"),
        (b"MZ\x90\0\3\0\0", "Windows"),
        (b"ID3\3\0\0", "MP3"),
        (b"\0\0\0\x20ftypisom", "MP4"),
        (b"\0\0\0\x20ftypheic", "HEIF"),
        (b"RIFF\0\0\0\0WAVEfmt ", "WAV"),
        (b"{\\rtf1 Lease}", "RTF"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le") + b"\0\0", r"\.doc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + b"\0\0", r"\.xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "PowerPoint Document".encode("utf-16-le") + b"\0\0", r"\.ppt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__properties_version1.0".encode("utf-16-le") + b"\0\0", r"\.msg"),
        (
            b"From: a@b\r\nTo: c@d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
            "e-mail",
        ),
        (
            b"From a@b Sat May 1\nFrom: a@b\nSubject: x\nMessage-ID: <1>\nContent-Transfer-Encoding: base64\n\nQUJD\n",
            "e-mail",
        ),
    ],
)
def test_a_format_that_is_not_read_is_named_with_a_remedy(data, what):
    with pytest.raises(UnsupportedFormatError, match=rf"{what}.*; \w.*longdoc reads"):
        load(data)


def test_a_plain_email_is_read_with_a_warning():
    document = load(b"Message-ID: <1@x>\nFrom: a@b\nTo: c@d\nSubject: rent\n\nThe rent is due.\n")
    assert "The rent is due." in document.text and "e-mail" in document.warnings[0]


def test_a_suffix_that_the_content_contradicts_is_told(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"only text")
    with pytest.raises(CorruptDocumentError, match=r"suffix \.pdf"):
        load(path)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("<!--a--><?x?> <!DOCTYPE b>\n<!-- <c> --><b:a x='1'>t</b:a> <!--e-->", "b:a"),
        ("\ufeff <a>t</a>", "a"),
        ("<!--a--><b>t</c>", ""),
        ("<!--a <b>t</b>", ""),
        ("<!--a-->" * 300 + "x words", ""),
        ("<!--a-->" * 300 + "<b>t</b>" + "<!--a-->" * 300, "b"),
    ],
)
def test_the_root_of_a_text_that_is_xml(text: str, root: str) -> None:
    assert xml_root(text) == root
