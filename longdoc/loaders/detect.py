"""What kind of file this is: its content says so, and its suffix only where the content does not."""

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
"""Module of this package -> what it reads."""

_PDF_HEADER_WITHIN = 1024  # bytes; readers accept junk before the header up to here
_ROOTS = {"article": "jats", "ClinicalDocument": "ccda", "html": "html", "HTML": "html"}
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"GIF8")
_FOREIGN = {
    b"{\\rtf": "an RTF file; save it as .docx",
    b"\xd0\xcf\x11\xe0": "an old Office file; save it as .docx",
    b"PK\x03\x04": "a zip file that holds no Word document",
    b"\x1f\x8b": "a gzip file; unpack it",
}
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|title|meta|body|table|div|p|br|hr|font|center|span|h[1-6]|ul|ol|pre)\b(?=[\s/>])",
    re.IGNORECASE,
)
_IN_FILING = re.compile(rb"<(!doctype\s+html|html|head|body|div|p|br|font|tr)\b", re.IGNORECASE)
"""HTML in a filing of EDGAR, whose plain texts have tags of their own, such as <TABLE>."""
_SGML = re.compile(r"-----BEGIN PRIVACY|<(SEC|IMS)-DOCUMENT>|<DOCUMENT>\s*<TYPE>", re.IGNORECASE)
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")


def kind_of(data: bytes, name: str) -> str:
    """The name, in ``KINDS``, of what these bytes are.

    Raises:
        CorruptDocumentError: the name promises a kind that the content is not.
        EncryptedDocumentError: it is an Office file with a password.
        UnsupportedFormatError: it is of no kind that a loader reads.
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
        raise CorruptDocumentError(f"{name}: named a {KINDS[suffix]}, but its content is none; get it again")
    if not is_text(data):
        raise UnsupportedFormatError(
            f"{name}: of no known kind (starts with {data[:8]!r}). longdoc reads {', '.join(KINDS.values())}"
        )
    return _markup(data, name) or "text"


def is_text(data: bytes) -> bool:
    """Whether the content may be text: zero bytes stand only in UTF-16."""
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" not in data


def _is_word(data: bytes) -> bool:
    """Whether a zip file has the part that every Word document has."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _markup(data: bytes, name: str) -> str | None:
    """The kind of a text with markup in it, None for plain text."""
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
