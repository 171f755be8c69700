"""Packed objects, measured before pdfium opens a file: what pdfium reads as such is found, however it is written."""

import base64
import zlib

import pytest

from longdoc import CorruptDocumentError, LimitExceededError, Limits, load
from pdfs import lines, make_pdf

LINE = "An ordinary line of the lease."
PAGES = {
    1: "<< /Type /Catalog /Pages 2 0 R >>",
    2: "<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
    4: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F 3 0 R >> >> >>",
}
KEYS = "/Type /ObjStm /N 3 /First FIRST /Filter FILTER /Length LENGTH"
HEAD = f"<< {KEYS} >>\nstream\n"
SIZE = 13
BLANK = 3 << 20


def pdf(head=HEAD, filters=("/FlateDecode",), pack=zlib.compress, table="/Type /XRef /Filter /Fl", blank=0, rows=0):
    """A PDF whose catalog and pages are packed objects.

    Args:
        head: the dictionary of the packed objects, up to their content.
        filters: the names of what unpacks them.
        pack: packs them.
        table: the entries of the table of objects.
        blank: bytes of white space among the packed objects.
        rows: how many rows of the table are not used.
    """
    places = [sum(len(text) + 1 for text in [*PAGES.values()][:i]) for i in range(3)]
    numbers = "".join(f"{number} {place} " for number, place in zip(PAGES, places, strict=True))
    content = pack((numbers + " ".join(PAGES.values()) + " " * blank).encode())
    for word, value in {"FIRST": len(numbers), "FILTER": f"[{' '.join(filters)}]", "LENGTH": len(content)}.items():
        head = head.replace(word, str(value))
    text = lines(LINE)
    objects = {
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        5: f"<< /Length {len(text)} >>\nstream\n{text}\nendstream".encode(),
        10: head.encode() + content + b"\nendstream",
    }
    data, listed = b"%PDF-1.7\n", {number: (2, 10, place) for place, number in enumerate(PAGES)}
    for number, own in objects.items():
        listed[number] = 1, len(data), 0
        data += b"%d 0 obj\n%b\nendobj\n" % (number, own)
    cells = [zip(listed.get(number, (0, 0, 0)), (1, 4, 2), strict=True) for number in range(SIZE)]
    packed = zlib.compress(
        b"".join(value.to_bytes(width, "big") for row in cells for value, width in row) + bytes(7 * rows)
    )
    entries = f"{table} /Size {SIZE + rows} /W [1 4 2] /Root 1 0 R /Length {len(packed)}".encode()
    end = b"11 0 obj\n<< %b >>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
    return data + end % (entries, packed, len(data))


def base16(data: bytes) -> bytes:
    return zlib.compress(data).hex().encode() + b">"


def base85(data: bytes, end: bytes = b"~>") -> bytes:
    return base64.a85encode(zlib.compress(data)) + end


def runs(data: bytes) -> bytes:
    packed = zlib.compress(data)
    parts = [packed[i : i + 128] for i in range(0, len(packed), 128)]
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def damaged(data: bytes) -> bytes:
    packer = zlib.compressobj()
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) + b"\xff\xff\xff"


WAYS = {
    "plain": {},
    "an escaped type": {"head": HEAD.replace("ObjStm", "Obj#53tm")},
    "escaped keys": {"head": HEAD.replace("/N", "/#4e").replace("/First", "/F#69rst")},
    "an escaped filter": {"head": HEAD.replace("FILTER", "/Flate#44ecode")},
    "no white space": {"head": HEAD.replace(" /", "/").replace(">>\n", ">>")},
    "a long dictionary": {"head": HEAD.replace("/N", f"/X ({'x' * 5000}) /N")},
    "a carriage return": {"head": f"<< {KEYS} >>stream\r"},
    "words after stream": {"head": f"<< {KEYS} >>stream and more\n"},
    "a comment before stream": {"head": f"<< {KEYS} >>%\n%endobj\nstream\n"},
    "a short name": {"filters": ["/Fl"]},
    "one name": {"head": HEAD.replace("FILTER", "/FlateDecode")},
    "in base 16": {"filters": ["/AHx", "/FlateDecode"], "pack": base16},
    "in base 85": {"filters": ["/A85", "/Fl"], "pack": base85},
    "in base 85 with an error": {"filters": ["/A85", "/Fl"], "pack": lambda data: base85(data, b"\x7f")},
    "in runs": {"filters": ["/RL", "/Fl"], "pack": runs},
    "packed twice": {"filters": ["/Fl", "/Fl"], "pack": lambda data: zlib.compress(zlib.compress(data))},
    "not packed": {"filters": [], "pack": bytes},
    "damaged": {"pack": damaged},
    "a length by reference": {"head": HEAD.replace("LENGTH", "99 0 R")},
    "a length that is too short": {"head": HEAD.replace("LENGTH", "1")},
    "a picture in a comment": {"head": f"<< {KEYS} >>\n%7 0 obj << /Subtype /Image >>\nstream\n"},
    "a picture in text": {"head": f"<< {KEYS} /X (endobj 7 0 obj << /Y /Image >> stream\n) >>stream\n"},
    "a picture in text of base 16": {"head": f"<< {KEYS} /X <endobj 7 0 obj << /Y <61> /Z /Image >>stream\n"},
    "a picture in the way": {"head": f"<< {KEYS} 7 0 obj << /Y /Image >>stream\n"},
    "brackets in text": {"head": f"<< /X (\\) (>>) \\\\) {KEYS} >>stream\n"},
    "text in place of a key": {"head": f"<< (( /X 1 {KEYS} >>stream\n"},
    "an array that is open": {"head": f"<< /X [1 2 endobj {KEYS} >>stream\n"},
    "a reference with comments": {"head": f"<< /X [9 %\n 0 %\n R (] >>)] {KEYS} >>stream\n"},
    "numbers that are no reference": {"head": f"<< /X [9 0 9 0 R 9 0 (] >>)] {KEYS} >>stream\n"},
    "a table without a type": {"table": "/Filter /FlateDecode", "rows": BLANK // 7},
    "a table with a short filter": {"table": "/Type /XRef /Filter [/Fl]", "rows": BLANK // 7},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_packed_objects_are_found_however_they_are_written(way: dict) -> None:
    assert load(pdf(**way | {"rows": 0})).text == LINE  # pdfium reads them
    way = way if "rows" in way else way | {"blank": BLANK}
    with pytest.raises(LimitExceededError, match=r"object bytes: .*allowed"):
        load(pdf(**way), limits=Limits(object_bytes=1 << 20))


@pytest.mark.parametrize("filters", ["9 0 R", "[/FlateDecode 9 0 R]", "(FlateDecode)", "[(FlateDecode)]"])
def test_packed_objects_whose_filters_are_not_named_are_refused(filters: str) -> None:
    with pytest.raises(CorruptDocumentError, match="packed objects whose filters are not names"):
        load(pdf(HEAD.replace("FILTER", filters)))


def test_packed_objects_that_are_not_unpacked_here_count_as_the_longest_possible() -> None:
    with pytest.raises(LimitExceededError, match="object bytes"):
        load(pdf(filters=["/LZWDecode"], pack=bytes), limits=Limits(object_bytes=1 << 18))


def test_packed_objects_count_together() -> None:
    packed = zlib.compress(bytes(300_000))
    own = b"%%d 0 obj << /N 1 /First 4 /Type /ObjStm /Filter /Fl /Length %d >>\nstream\n%b\nendstream endobj\n"
    several = b"".join(own % (len(packed), packed) % number for number in range(20, 24))
    with pytest.raises(LimitExceededError, match="object bytes: 1,200,000"):
        load(make_pdf(lines(LINE)) + several, limits=Limits(object_bytes=1 << 20))


@pytest.mark.parametrize("more", [b"9 0 obj << /X ( " * 9999, b"9 0 obj << /N 1 /First 1 >>stream\n" * 9999])
def test_objects_that_overlap_are_refused(more: bytes) -> None:
    with pytest.raises((CorruptDocumentError, LimitExceededError), match=r"overlap|object bytes"):
        load(make_pdf(lines(LINE)) + more)


def test_a_stream_in_a_dictionary_is_refused() -> None:
    with pytest.raises(CorruptDocumentError, match="a stream in a dictionary"):
        load(pdf(f"<< /X << /Length 1 >> stream\na endstream {KEYS} >>stream\n"))


@pytest.mark.parametrize(
    "more", [b"/XRef " * 9999, b"9 0 obj << /X (", b"9 0 obj << /X [[[[", b"9 0 obj << /X <61", b"%"]
)
def test_what_is_no_object_does_no_harm(more: bytes) -> None:
    assert load(make_pdf(lines(LINE)) + more).text == LINE


def test_what_follows_the_end_of_packed_objects_is_not_read() -> None:
    assert LINE in load(pdf(pack=lambda data: zlib.compress(data) + b"x" * 3000, blank=BLANK)).text
