"""The table of formats, and how a file's format is detected: by content, by suffix only if that is ambiguous."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, UnsupportedFormatError
from longdoc.loaders.edgar import contains_html, is_filing
from longdoc.loaders.encoding import decode, is_binary
from longdoc.loaders.signatures import UNREADABLE_ZIP, read_member, unread_format


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a text file, from which its format is detected."""

    data: bytes
    """The whole file."""
    text: str
    """The first 100,000 characters, without leading white space."""
    markup: str
    """The same without comments; empty if it does not start with a tag."""
    root: str
    """The name of the first element, without its namespace; empty if there is none."""

    suffix: str = ""
    """The suffix of the file's name, in lower case and without a dot."""

    @classmethod
    def of(cls, data: bytes, suffix: str = "") -> Start:
        text = decode(data[:100_000]).text.lstrip("\ufeff").lstrip()
        closed = text.rfind("-->") + 3  # no comment ends after this: not to look for its end at each of its starts
        markup = _COMMENT.sub("", text[:closed]) + text[closed:] if text.startswith("<") else ""
        markup = markup.lstrip()
        at = 0
        while prologue := _PROLOGUE.match(markup, at):
            at = prologue.end()
        root = _ROOT.match(markup, at)
        return cls(data, text, markup, root[1] if root else "", suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A row of the table of formats: how a file of the format is recognised, and which module loads it."""

    description: str
    """For messages: "longdoc reads PDF, HTML ..."."""
    module: str
    """The module under ``longdoc.loaders`` that defines ``load_<kind>(data, *, name, options)``."""
    suffixes: tuple[str, ...] = ()
    """The suffixes of its files: of the files in a folder, those with one of them are read."""
    in_data: Callable[[bytes, str], bool] | None = None
    """Recognises a binary format by the content and the suffix, which is in lower case and has no dot."""
    in_text: Callable[[Start], bool] | None = None
    """Recognises a text format by the start of the file."""
    has_attachments: bool = False
    """Whether the loader takes ``read`` as well, to read attached documents."""


_PDF_HEADER_WITHIN = 1024  # bytes; PDF readers accept other data before the header
_PDF_HEADER = re.compile(rb"%PDF-\d\.\d")
_PDF_OBJECT = re.compile(rb"(?<!\d)\d+\s+\d+\s+obj\b")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_WORD_TYPE = re.compile(rb"(?:wordprocessingml\.(?:document|template)|ms-word\.\w+\.macroEnabled\w*)\.main\+xml")
_HTML_SUFFIXES = ("html", "htm", "xhtml", "xht")
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|title|meta|body|table|div|p|br|hr|font|center|span|h[1-6]|ul|ol|pre)\b(?=[\s/>])",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PROLOGUE = re.compile(r"\s*(?:<\?.*?\?>|<!DOCTYPE\b[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_JSON_OBJECT = re.compile(r"(?:\[\s*)*\{")
_JSON_VALUES = 1_000_000
"""JSON with more values is not parsed to tell what it is: its loader counts them first."""
_HTML_ONLY = re.compile(r"<(?:h[1-6]|div|span|ul|ol|header|footer|section|a|img|br|main|figure)\b", re.IGNORECASE)
_FHIR_XML = re.compile(r"""(?:\s*<[?!][^<>]*>)*\s*<[^<>]*\bxmlns(?::\w+)?\s*=\s*["']http://hl7\.org/fhir["']""")
_JATS = re.compile(r"<(?:front|front-stub|article-meta|body|sub-article|back|floats-group|processing-meta)\b")


def _is_pdf(data: bytes, suffix: str) -> bool:
    """Whether it starts with the header of a PDF; other text may quote it."""
    header = _PDF_HEADER.search(data[: _PDF_HEADER_WITHIN + 8])
    if not header:
        return suffix == "pdf" and b"%PDF-" in data[:_PDF_HEADER_WITHIN]
    if suffix == "pdf" or (header.start() == 0 and data[header.end() : header.end() + 1] in (b"\r", b"\n", b"")):
        return True
    if not _PDF_OBJECT.search(data, header.end()):
        return False
    after = data[data.rfind(b"%%EOF") + 5 :].strip(b"\0 \t\r\n")
    return is_binary(data) or header.start() == 0 or (b"%%EOF" in data and not after)


def _is_word(data: bytes, suffix: str) -> bool:
    """Whether it is a zip file with the main part of a Word document."""
    if not data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "word/document.xml" in archive.namelist():
                return True
            return bool(_WORD_TYPE.search(read_member(archive, "[Content_Types].xml")))
    except UNREADABLE_ZIP:
        return False


def _is_image(data: bytes, suffix: str) -> bool:
    """Whether it is an image; those whose first bytes are letters are known by the structure of their headers."""
    if data.startswith(_IMAGES):
        return True
    if data.startswith(b"RIFF"):
        return data[8:15] == b"WEBPVP8"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return b"\0" in data[6:64]
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS


def _is_fhir(start: Start) -> bool:
    """Whether it is JSON whose outermost object, or the first of a list of them, has a ``resourceType``."""
    if not _JSON_OBJECT.match(start.text) or b"resourceType" not in start.data.replace(b"\0", b""):
        return False
    if re.match(r'[\[\s]*\{\s*"resourceType"\s*:', start.text):
        return True
    text = decode(start.data).text.lstrip("\ufeff")
    try:
        content = json.loads(text) if sum(map(text.count, ",[{")) <= _JSON_VALUES else None
    except (ValueError, RecursionError):  # several objects, or a damaged one
        content = None
    if content is None:
        return bool(re.search(r'"resourceType"\s*:\s*"[A-Z]', text))
    return any(isinstance(part, dict) and "resourceType" in part for part in (content, *content))


def _is_jats(start: Start) -> bool:
    """Whether it is a paper; HTML may start with ``<article>``, too."""
    is_html = not start.markup.startswith("<?xml") and _HTML_ONLY.search(start.markup)
    return start.root == "article" and not (is_html and not _JATS.search(start.markup))


def _is_html(start: Start) -> bool:
    if is_filing(start.text):
        return contains_html(start.data)
    if start.root.lower() == "html" or _HTML.match(start.markup):
        return True
    if start.root == "article" and _HTML_ONLY.search(start.markup):
        return True
    return start.suffix in _HTML_SUFFIXES and bool(_TAG.search(start.text))


FORMATS = {
    "pdf": Format(description="PDF", module="pdf", suffixes=("pdf",), in_data=_is_pdf),
    "docx": Format(
        description="Word (.docx)", module="docx", suffixes=("docx", "docm", "dotx", "dotm"), in_data=_is_word
    ),
    "image": Format(
        description="images (PNG, JPEG, TIFF, BMP, GIF, WebP)",
        module="image",
        suffixes=("png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp"),
        in_data=_is_image,
    ),
    "fhir": Format(
        description="FHIR R4 JSON",
        module="clinical.fhir",
        suffixes=("json",),
        in_text=_is_fhir,
        has_attachments=True,
    ),
    "ccda": Format(
        description="C-CDA XML",
        module="clinical.ccda",
        suffixes=("xml", "cda", "ccda"),
        in_text=lambda start: start.root == "ClinicalDocument",
        has_attachments=True,
    ),
    "jats": Format(description="JATS XML", module="jats", suffixes=("xml", "nxml", "jats"), in_text=_is_jats),
    "html": Format(description="HTML", module="html", suffixes=_HTML_SUFFIXES, in_text=_is_html),
    "text": Format(
        description="plain text",
        module="text",
        suffixes=("txt", "text", "md", "markdown", "rst", "asc"),
        in_text=lambda start: not start.text.startswith("<?xml"),
    ),
}
"""Kind -> format, in the order in which they are tried. To add a format, add its loader's module and a row here."""

SUFFIXES = frozenset(suffix for row in FORMATS.values() for suffix in row.suffixes)
"""The suffixes of all formats, in lower case and without a dot."""


def kind_of(data: bytes, name: str) -> str:
    """The kind of a file.

    Args:
        data: the content of the file.
        name: the name of the file, for its suffix and for errors.

    Returns:
        A key of ``FORMATS``.

    Raises:
        CorruptDocumentError: the content is not of the format that the suffix names.
        EncryptedDocumentError: it is an Office file with a password.
        UnsupportedFormatError: no loader reads it.
    """
    suffix = name.lower().rpartition(".")[2]
    for kind, row in FORMATS.items():
        if row.in_data is not None and row.in_data(data, suffix):
            return kind
    _check_text(data, name, suffix)
    start = Start.of(data, suffix)
    if _FHIR_XML.match(start.markup):
        raise UnsupportedFormatError(
            f"{name}: FHIR XML, with the resource {start.root}; export it as FHIR JSON. {supported()}"
        )
    for kind, row in FORMATS.items():
        if row.in_text is not None and row.in_text(start):
            return kind
    raise UnsupportedFormatError(f"{name}: XML with the root element {start.root or 'missing'!r}. {supported()}")


def _check_text(data: bytes, name: str, suffix: str) -> None:
    """Raises an error for a file that is neither of a binary format nor text."""
    if data.startswith(_OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocumentError(f"{name}: an Office file with a password; open it in Word and save it without one")
    found = unread_format(data)
    if found and not (suffix == "docx" and data.startswith(b"PK")):
        what, remedy = found
        raise UnsupportedFormatError(f"{name}: {what}; {remedy}. {supported()}")
    if suffix in ("pdf", "docx"):
        raise CorruptDocumentError(
            f"{name}: has the suffix .{suffix}, but its content is not {FORMATS[suffix].description}; get it again"
        )
    if is_binary(data):
        raise UnsupportedFormatError(
            f"{name}: neither text nor of a known format (it starts with {data[:8]!r}). {supported()}"
        )


def supported() -> str:
    """The sentence about all formats that ends a message about a file of another."""
    return f"longdoc reads {', '.join(row.description for row in FORMATS.values())}"
