"""The table of formats, and how a file's format is detected: by content, by suffix only if that is ambiguous."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, UnsupportedFormatError
from longdoc.loaders.edgar import contains_html, is_filing


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

    @classmethod
    def of(cls, data: bytes) -> Start:
        encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8"
        text = data[:100_000].decode(encoding, "replace").lstrip("\ufeff").lstrip()
        markup = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).lstrip() if text.startswith("<") else ""
        root = _ROOT.search(markup)
        return cls(data, text, markup, root[1] if root else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A row of the table of formats: how a file of the format is recognised, and which module loads it."""

    description: str
    """For messages: "longdoc reads PDF, HTML ..."."""
    module: str
    """The module under ``longdoc.loaders`` that defines ``load_<kind>(data, *, name, options)``."""
    in_data: Callable[[bytes, str], bool] | None = None
    """Recognises a binary format by the content and the suffix, which is in lower case and has no dot."""
    in_text: Callable[[Start], bool] | None = None
    """Recognises a text format by the start of the file."""
    has_attachments: bool = False
    """Whether the loader takes ``read`` as well, to read attached documents."""


_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PDF_HEADER_WITHIN = 1024  # bytes; PDF readers accept other data before the header
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"GIF8")
_UNSUPPORTED = {
    b"{\\rtf": "an RTF file; save it as .docx",
    _OLD_OFFICE: "an old Office file; save it as .docx",
    b"PK\x03\x04": "a zip file without a Word document",
    b"\x1f\x8b": "a gzip file; unpack it",
}
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|title|meta|body|table|div|p|br|hr|font|center|span|h[1-6]|ul|ol|pre)\b(?=[\s/>])",
    re.IGNORECASE,
)
_JSON_OBJECT = re.compile(r"(?:\[\s*)*\{")
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")


def _is_word(data: bytes, suffix: str) -> bool:
    """Whether it is a zip file with the main part of a Word document."""
    if not data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _is_image(data: bytes, suffix: str) -> bool:
    """Whether it is an image; text may start with "BM" too."""
    return (data.startswith(_IMAGES) and (data[:2] != b"BM" or suffix == "bmp")) or data[8:12] == b"WEBP"


def _names_resource(data: bytes) -> bool:
    """Whether JSON is FHIR; with sorted keys, the type of a resource may stand at its end, after long attachments."""
    return any('"resourceType"'.encode(encoding) in data for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def _is_html(start: Start) -> bool:
    if is_filing(start.text):
        return contains_html(start.data)
    return start.root in ("html", "HTML") or bool(_HTML.match(start.markup))


FORMATS = {
    "pdf": Format(description="PDF", module="pdf", in_data=lambda data, _: b"%PDF-" in data[:_PDF_HEADER_WITHIN]),
    "docx": Format(description="Word (.docx)", module="docx", in_data=_is_word),
    "image": Format(description="images (PNG, JPEG, TIFF, BMP, GIF, WebP)", module="image", in_data=_is_image),
    "fhir": Format(
        description="FHIR R4 JSON",
        module="clinical.fhir",
        in_text=lambda start: bool(_JSON_OBJECT.match(start.text)) and _names_resource(start.data),
        has_attachments=True,
    ),
    "ccda": Format(
        description="C-CDA XML",
        module="clinical.ccda",
        in_text=lambda start: start.root == "ClinicalDocument",
        has_attachments=True,
    ),
    "jats": Format(description="JATS XML", module="jats", in_text=lambda start: start.root == "article"),
    "html": Format(description="HTML", module="html", in_text=_is_html),
    "text": Format(description="plain text", module="text", in_text=lambda start: not start.text.startswith("<?xml")),
}
"""Kind -> format, in the order in which they are tried. To add a format, add its loader's module and a row here."""


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
    start = Start.of(data)
    for kind, row in FORMATS.items():
        if row.in_text is not None and row.in_text(start):
            return kind
    raise UnsupportedFormatError(f"{name}: XML with the root element {start.root or 'missing'!r}. {_supported()}")


def _check_text(data: bytes, name: str, suffix: str) -> None:
    """Raises an error for a file that is neither of a binary format nor text: only UTF-16 text has zero bytes."""
    if data.startswith(_OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocumentError(f"{name}: an Office file with a password; open it in Word and save it without one")
    for signature, problem in _UNSUPPORTED.items():
        if data.startswith(signature) and not (suffix == "docx" and signature.startswith(b"PK")):
            raise UnsupportedFormatError(f"{name}: {problem}. {_supported()}")
    if suffix in ("pdf", "docx"):
        raise CorruptDocumentError(
            f"{name}: has the suffix .{suffix}, but its content is not {FORMATS[suffix].description}; get it again"
        )
    if b"\0" in data and not data.startswith(_UTF_16):
        raise UnsupportedFormatError(f"{name}: of an unknown format (it starts with {data[:8]!r}). {_supported()}")


def _supported() -> str:
    return f"longdoc reads {', '.join(row.description for row in FORMATS.values())}"
