"""Names files of formats that no loader reads, by their first bytes or their parts, and says what to do with them."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AS_DOCX = "save it as .docx or PDF"
_AS_PDF = "export it as PDF"
_NOT_TEXT = "it has no text that longdoc reads"
_UNPACK = "unpack it and load the files in it"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"{\\rtf", "an RTF file", "save it as .docx"),
    (0, b"\x1f\x8b", "a gzip file", _UNPACK),
    (0, b"BZh", "a bzip2 file", _UNPACK),
    (0, b"\xfd7zXZ\0", "an xz file", _UNPACK),
    (0, b"(\xb5/\xfd", "a Zstandard file", _UNPACK),
    (0, b"7z\xbc\xaf'\x1c", "a 7z file", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR file", _UNPACK),
    (257, b"ustar", "a tar file", _UNPACK),
    (0, b"MSCF\0\0\0\0", "a cabinet file", _UNPACK),
    (0, b"SQLite format 3\0", "an SQLite database", "export its tables as text"),
    (0, b"\x7fELF", "an ELF program", _NOT_TEXT),
    (0, b"\xca\xfe\xba\xbe", "a Java class or a program of macOS", _NOT_TEXT),
    (0, b"\xcf\xfa\xed\xfe", "a program of macOS", _NOT_TEXT),
    (0, b"\0asm", "a WebAssembly program", _NOT_TEXT),
    (0, b"ID3", "an MP3 recording", "transcribe it"),
    (0, b"OggS", "an Ogg recording", "transcribe it"),
    (0, b"fLaC", "a FLAC recording", "transcribe it"),
    (8, b"WAVE", "a WAV recording", "transcribe it"),
    (8, b"AVI ", "an AVI video", "transcribe it"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video", "transcribe it"),
    (0, b"8BPS", "a Photoshop file", _AS_PDF),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image", "convert it to PNG"),
    (0, b"AT&TFORM", "a DjVu file", "convert it to PDF"),
    (0, b"\xffWPC", "a WordPerfect file", _AS_DOCX),
    (0, b"ITSF", "a compiled HTML help file", "extract its HTML files"),
    (60, b"BOOKMOBI", "a Kindle book", "convert it to PDF or HTML"),
    (0, b"%!PS", "a PostScript file", "convert it to PDF, for example with ps2pdf"),
    (0, b"PAR1", "a Parquet file", "export its columns as text"),
    (0, b"\x93NUMPY", "a NumPy array", _NOT_TEXT),
    (0, b"bplist00", "a binary property list", "convert it to text or save the page as HTML"),
    (0, b"wOFF", "a font", _NOT_TEXT),
    (0, b"wOF2", "a font", _NOT_TEXT),
    (0, b"OTTO", "a font", _NOT_TEXT),
    (0, b"\0\1\0\0\0", "a font", _NOT_TEXT),
    (0, b"-----BEGIN PGP MESSAGE-----", "an encrypted PGP message", "decrypt it"),
)
"""Offset, bytes at it, what the file is, what to do."""
_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"avif"}
_XML_BEFORE = re.compile(r"<\?[^<>]*\?>|<!DOCTYPE[^<>]*>")
_XML_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)(?![\w.:-])[^<>]*>")
_SPACE = re.compile(r"\s*")
_OLE_STREAMS = {
    "WordDocument": ("an old Word file (.doc)", _AS_DOCX),
    "Workbook": ("an old Excel file (.xls)", "export the sheets as PDF or HTML"),
    "Book": ("an old Excel file (.xls)", "export the sheets as PDF or HTML"),
    "PowerPoint Document": ("an old PowerPoint file (.ppt)", _AS_PDF),
    "__properties_version1.0": ("an Outlook message (.msg)", "save it as HTML or text, and its attachments as files"),
}
_ZIP_PARTS = {
    "xl/": ("an Excel file (.xlsx)", "export the sheets as PDF or HTML"),
    "ppt/": ("a PowerPoint file (.pptx)", _AS_PDF),
    "Index/": ("a file of Pages, Numbers or Keynote", _AS_PDF),
    "META-INF/MANIFEST.MF": ("a Java archive", _NOT_TEXT),
}
_ZIP_TYPES = {
    "application/vnd.oasis.opendocument.text": ("an OpenDocument text (.odt)", "save it as .docx"),
    "application/vnd.oasis.opendocument.spreadsheet": ("an OpenDocument spreadsheet (.ods)", _AS_PDF),
    "application/vnd.oasis.opendocument.presentation": ("an OpenDocument presentation (.odp)", _AS_PDF),
    "application/epub+zip": ("an EPUB book", "unpack it as a zip file and load its HTML files"),
}
UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
)
"""What reading a damaged or encrypted zip file raises."""
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n")
_ONLY_IN_MAIL = re.compile(rb"^(?:mime-version|message-id|received|return-path|delivered-to|x-mailer):", re.I | re.M)
_ENCODED_MAIL = re.compile(
    rb"^content-(?:type:\s*multipart/|transfer-encoding:\s*(?:base64|quoted-printable))", re.I | re.M
)


def unread_format(data: bytes) -> tuple[str, str] | None:
    r"""What a file is that no loader reads, with its article, and what to do; None if it is none of these.

    >>> unread_format(b"Rar!\x1a\x07\x01\x00")
    ('a RAR file', 'unpack it and load the files in it')
    """
    for at, signature, what, remedy in _SIGNATURES:
        if data.startswith(signature, at) and (at != 8 or data.startswith(b"RIFF")):
            return what, remedy
    if data.startswith(_OLE[:4]):
        streams = (found for name, found in _OLE_STREAMS.items() if name.encode("utf-16-le") + b"\0\0" in data)
        return next(streams, ("an old Office file", _AS_DOCX))
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(data)
    if data[4:8] == b"ftyp":
        is_image = data[8:12] in _BRANDS
        return ("an image in HEIF", "convert it to PNG") if is_image else ("an MP4 video or recording", "transcribe it")
    if data[:2] == b"MZ" and b"\0" in data[:64]:
        return "a program of Windows", _NOT_TEXT
    if re.match(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", data) and b"\0" in data[:4096]:
        return "an MP3 recording", "transcribe it"
    if is_mail(data) and _ENCODED_MAIL.search(data):
        return (
            "an e-mail with encoded parts (.eml, .mbox, .mht)",
            "save it as HTML or PDF, and its attachments as files",
        )
    return None


def is_mail(data: bytes) -> bool:
    """Whether it starts with the header of an e-mail, which a memorandum with "From:" and "To:" is not."""
    start = data[:100_000].lstrip(b"\xef\xbb\xbf\r\n")
    start = start.partition(b"\n")[2] if start.startswith(b"From ") else start
    end, lines = 0, 0
    while match := _HEADER_LINE.match(start, end):
        end, lines = match.end(), lines + 1
    is_header = lines >= 3 and start[end : end + 1] in (b"\r", b"\n", b"")
    return is_header and bool(_ONLY_IN_MAIL.search(start[:end]))


def xml_root(text: str) -> str:
    """The name of the root element of a text that is XML from its first tag to its last; empty for other text."""
    at = _past_space(text, int(text.startswith("\ufeff")))
    while end := _end_of_prolog(text, at):
        at = _past_space(text, end)
    found = _XML_ROOT.match(text, at)
    return found[1] if found and re.search(rf"</{re.escape(found[1])}\s*>\s*(?:<!--[^<>]*-->\s*)*\Z", text) else ""


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _end_of_prolog(text: str, at: int) -> int:
    """The end of the comment, instruction or DOCTYPE at a place before the root element; 0 if there is none."""
    if text.startswith("<!--", at):
        end = text.find("-->", at + len("<!--"))
        return end + len("-->") if end >= 0 else 0
    found = _XML_BEFORE.match(text, at)
    return found.end() if found else 0


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first 64 KB of a member of a zip file; empty if there is none, or one that only unpacks as a whole."""
    methods = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    if name not in archive.namelist() or archive.getinfo(name).compress_type not in methods:
        return b""
    with archive.open(name) as member:
        return member.read(1 << 16)


def _zip_format(data: bytes) -> tuple[str, str]:
    """What a zip file contains."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            kind = read_member(archive, "mimetype").decode("ascii", "replace").strip()
    except UNREADABLE_ZIP:
        return "a damaged zip file", "get it again"
    if kind in _ZIP_TYPES:
        return _ZIP_TYPES[kind]
    for part, found in _ZIP_PARTS.items():
        if any(name.startswith(part) for name in names):
            return found
    return "a zip file without a Word document", _UNPACK
