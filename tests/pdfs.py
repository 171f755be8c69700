"""Small handmade PDFs, and an independent reading of their letters."""

import ctypes
import hashlib
import zlib

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

IMAGE = b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>"
PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def lines(*texts: str, x: float = 72, y: float = 700, pitch: float = 14, size: float = 12) -> str:
    """A content stream with lines of Helvetica below one another."""
    return f"BT /F {size} Tf {pitch} TL {x} {y} Td " + " ".join(f"({text}) Tj T*" for text in texts) + " ET "


def across(columns: dict[float, list[str]], y: float = 700, pitch: float = 14) -> str:
    """A content stream with columns of lines, given by their x, written line by line across all of them."""
    longest = max(map(len, columns.values()))
    rows = [[(x, texts[i]) for x, texts in columns.items() if i < len(texts)] for i in range(longest)]
    return "".join(lines(text, x=x, y=y - pitch * i) for i, row in enumerate(rows) for x, text in row)


def letters(text: str, x: float, y: float, turn: str, step: tuple[float, float]) -> str:
    """A content stream that places each letter of a word separately, rotated by the matrix ``turn``."""
    places = [(x + step[0] * i, y + step[1] * i) for i in range(len(text))]
    return "".join(
        f"BT /F 12 Tf {turn} {a} {b} Tm ({letter}) Tj ET " for letter, (a, b) in zip(text, places, strict=True)
    )


def make_pdf(*contents: str, page: str = "/MediaBox [0 0 612 792]", password: str | None = None) -> bytes:
    """A PDF with one page per content stream, encrypted with 40-bit RC4 if there is a password."""
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(contents)))
    objects = [
        (b"<< /Type /Catalog /Pages 2 0 R >>", b""),
        (f"<< /Type /Pages /Count {len(contents)} /Kids [{kids}] >>".encode(), b""),
        (b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>", b""),
        (IMAGE, b"\x80"),
    ]
    for i, content in enumerate(contents):
        resources = "/Resources << /Font << /F 3 0 R >> /XObject << /I 4 0 R >> >>"
        objects.append((f"<< /Type /Page /Parent 2 0 R {page} {resources} /Contents {6 + 2 * i} 0 R >>".encode(), b""))
        objects.append((f"<< /Length {len(content)} >>".encode(), content.encode("latin-1")))
    trailer = f"<< /Root 1 0 R /Size {len(objects) + 2}".encode()
    key = b""
    if password is not None:
        owner = rc4(md5(pad("owner"))[:5], pad(password))
        key = md5(pad(password) + owner + b"\xfc\xff\xff\xff" + b"id")[:5]
        user = rc4(key, PADDING)
        trailer += b" /ID [<6964> <6964>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (
            owner.hex().encode(),
            user.hex().encode(),
        )
    body, offsets = b"%PDF-1.4\n", []
    for number, (dictionary, stream) in enumerate(objects, 1):
        offsets.append(len(body))
        hidden = rc4(md5(key + number.to_bytes(3, "little") + b"\0\0")[:10], stream) if key else stream
        packed = b"\nstream\n%s\nendstream" % hidden if stream else b""
        body += b"%d 0 obj\n%s%s\nendobj\n" % (number, dictionary, packed)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return body + xref + b"trailer\n%s >>\nstartxref\n%d\n%%%%EOF" % (trailer, len(body))


def letters_of(page: pdfium.PdfPage) -> tuple[str, np.ndarray]:
    """The ``N`` letters and digits of a page, and their centres on the displayed page; shape ``(N, 2)``, in points."""
    textpage, (width, height) = page.get_textpage(), page.get_size()
    size = (round(1000 * width), round(1000 * height))  # pdfium projects to integers
    chars, centres, x, y = "", [], ctypes.c_int(), ctypes.c_int()
    for index in range(textpage.count_chars()):
        char = chr(pdfium_c.FPDFText_GetUnicode(textpage, index))
        if char.isalnum():
            x0, y0, x1, y1 = textpage.get_charbox(index)
            pdfium_c.FPDF_PageToDevice(page, 0, 0, *size, 0, (x0 + x1) / 2, (y0 + y1) / 2, x, y)
            chars += char
            centres.append((x.value / 1000, y.value / 1000))
    return chars, np.array(centres).reshape(-1, 2)


def md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()


def pad(password: str) -> bytes:
    return (password.encode() + PADDING)[:32]


def rc4(key: bytes, data: bytes) -> bytes:
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def loose_page(
    content: str, *objects: str, fonts: str = "", catalog: str = "", page: str = "", pictures: tuple = ()
) -> bytes:
    """A PDF of one page without a cross-reference table, with Helvetica as F; further objects are numbered from 10.

    Pictures, of grey levels and shape ``(height, width)``, are I0, I1, ... and numbered from 50.
    """
    names = " ".join(f"/I{i} {50 + i} 0 R" for i in range(len(pictures)))
    resources = f"/Resources << /Font << /F 3 0 R {fonts} >> /XObject << {names} >> >>"
    body = [
        "%PDF-1.7",
        f"1 0 obj << /Type /Catalog /Pages 2 0 R {catalog} >> endobj",
        "2 0 obj << /Type /Pages /Count 1 /Kids [4 0 R] >> endobj",
        "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> endobj",
        f"4 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {resources} /Contents 5 0 R {page} >> endobj",
        f"5 0 obj << /Length {len(content)} >>\nstream\n{content}\nendstream endobj",
        *(f"{number} 0 obj {text} endobj" for number, text in enumerate(objects, 10)),
    ]
    for number, picture in enumerate(pictures, 50):
        height, width = picture.shape
        packed = zlib.compress(picture.astype(np.uint8).tobytes()).decode("latin-1")
        kind = "/Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
        head = f"<< /Type /XObject {kind} /Width {width} /Height {height} /Length {len(packed)} >>"
        body.append(f"{number} 0 obj {head}\nstream\n{packed}\nendstream endobj")
    return "\n".join([*body, "trailer << /Root 1 0 R >>"]).encode("latin-1")
