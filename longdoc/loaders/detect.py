"""Detects the kind of a file: by its content, and by its suffix only where the content does not tell."""

from __future__ import annotations

import codecs
import io
import re
import zipfile

from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, UnsupportedFormatError

KINDS = {
    "pdf": "PDF",
    "docx": "Word (.docx)",
    "html": "HTML",
    "jats": "JATS XML",
    "fhir": "FHIR R4 JSON",
    "ccda": "C-CDA XML",
    "image": "an image (PNG, JPEG, TIFF, BMP, GIF, WebP)",
    "text": "plain text",
}
"""The kinds of files that are read, each with its description for messages."""

_PDF_HEADER_WITHIN = 1024  # bytes; PDF readers accept other data before the header
_ROOTS = {"article": "jats", "ClinicalDocument": "ccda", "html": "html", "HTML": "html"}
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"GIF8")
_FOREIGN = {
    b"{\\rtf": "an RTF file; save it as .docx",
    b"\xd0\xcf\x11\xe0": "an old Office file; save it as .docx",
    b"PK\x03\x04": "a zip file without a Word document",
    b"\x1f\x8b": "a gzip file; unpack it",
}
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|title|meta|body|table|div|p|br|hr|font|center|span|h[1-6]|ul|ol|pre)\b(?=[\s/>])",
    re.IGNORECASE,
)
_IN_FILING = re.compile(rb"<(!doctype\s+html|html|head|body|div|p|br|font|tr)\b", re.IGNORECASE)
"""HTML within an EDGAR filing; filings in plain text have tags too, such as <TABLE>."""
_SGML = re.compile(r"-----BEGIN PRIVACY|<(SEC|IMS)-DOCUMENT>|<DOCUMENT>\s*<TYPE>", re.IGNORECASE)
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")


def kind_of(data: bytes, name: str) -> str:
    """Detects the kind of a file.

    Args:
        data: its content.
        name: its name, for the suffix and for errors.

    Returns:
        A key of ``KINDS``.

    Raises:
        CorruptDocumentError: the suffix is that of a kind that the content is not.
        EncryptedDocumentError: it is an Office file with a password.
        UnsupportedFormatError: no loader reads files of this kind.
    """
    suffix = name.lower().rpartition(".")[2]
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        return "pdf"
    if data.startswith(b"PK") and _is_word(data):
        return "docx"
    if (data.startswith(_IMAGES) and (data[:2] != b"BM" or suffix == "bmp")) or data[8:12] == b"WEBP":
        return "image"
    if data.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocumentError(f"{name}: an Office file with a password; open it in Word and save it without one")
    for start, what in _FOREIGN.items():
        if data.startswith(start) and not (suffix == "docx" and start.startswith(b"PK")):
            raise UnsupportedFormatError(f"{name}: {what}. longdoc reads {', '.join(KINDS.values())}")
    if suffix in ("pdf", "docx"):
        raise CorruptDocumentError(
            f"{name}: has the suffix .{suffix}, but its content is not {KINDS[suffix]}; get it again"
        )
    if not is_text(data):
        raise UnsupportedFormatError(
            f"{name}: of an unknown kind (it starts with {data[:8]!r}). longdoc reads {', '.join(KINDS.values())}"
        )
    return _markup(data, name) or "text"


def is_text(data: bytes) -> bool:
    """Whether the content may be text: of text, only UTF-16 has zero bytes."""
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" not in data


def _is_word(data: bytes) -> bool:
    """Whether a zip file has the main part of a Word document."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _markup(data: bytes, name: str) -> str | None:
    """The kind of a text with markup; None for plain text."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data[:100_000].decode("utf-16" if wide else "utf-8", "replace").lstrip("\ufeff").lstrip()
    if text[:1] in "{[" and '"resourceType"' in text:
        return "fhir"
    if _SGML.match(text):
        return "html" if _IN_FILING.search(data) else "text"
    if not text.startswith("<"):
        return None
    bare = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).lstrip()
    root = _ROOT.search(bare)
    if root and root[1] in _ROOTS:
        return _ROOTS[root[1]]
    if text.startswith("<?xml"):
        raise UnsupportedFormatError(
            f"{name}: XML with the root element {root[1] if root else 'missing'!r}; allowed: {', '.join(_ROOTS)}"
        )
    return "html" if _HTML.match(bare) else None
