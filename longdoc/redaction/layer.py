"""Pages that become images: drawn, painted over, and given a layer of invisible text without what is removed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from longdoc.parts import Box
from longdoc.pdf_files import opened_by_pdfium
from longdoc.pdfium import PDFIUM_LOCK

DOTS_PER_INCH = 200
MOST_PIXELS = 40_000_000
_QUALITY = 90
_MOST_MEANINGS = 100  # in one list of a CMap
_ADVANCE = 500  # thousandths of the font size: of every letter of the layer


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the layer, and its place on the page as displayed."""

    text: str
    box: Box


def draw(content: bytes, password: str | None, number: int, boxes: Sequence[Box]) -> Any:
    """A page as a picture, with black boxes.

    Args:
        content: the original.
        password: of it, if it is encrypted.
        number: of the page, from 1.
        boxes: on the page as displayed.

    Returns:
        A picture of Pillow, in grey levels if the page has no colours.
    """
    from PIL import ImageDraw

    with PDFIUM_LOCK, closing(opened_by_pdfium(content, password)) as pdf:
        pdf.init_forms()
        page = pdf[number - 1]
        width, height = page.get_size()
        scale = min(DOTS_PER_INCH / 72, (MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
        picture = page.render(scale=scale).to_pil().convert("RGB")
        page.close()
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        corners = [(box.x0 - 1) * scale, (box.y0 - 1) * scale, (box.x1 + 1) * scale, (box.y1 + 1) * scale]
        draw.rectangle([int(corners[0]), int(corners[1]), int(corners[2]) + 1, int(corners[3]) + 1], fill="black")
    colours = np.asarray(picture).astype(np.int16)
    is_grey = int(np.abs(colours - colours[:, :, :1]).max(initial=0)) <= 2
    return picture.convert("L") if is_grey else picture


def replace(pdf: Any, page: Any, size: tuple[float, float], picture: Any, words: Sequence[Word]) -> None:
    """Makes a page of a picture and a layer of words, without anything of what it was.

    Args:
        pdf: the ``pikepdf.Pdf``.
        page: its ``pikepdf.Page``.
        size: width and height of the page as displayed, in points.
        picture: of Pillow.
        words: in reading order.
    """
    from pikepdf import Array, Dictionary

    width, height = size
    for key in list(page.obj.keys()):
        if key not in ("/Type", "/Parent"):
            del page.obj[key]
    # What is inherited does not hold any more, so that all of it is given.
    page.obj.MediaBox = page.obj.CropBox = Array([0, 0, round(width, 3), round(height, 3)])
    page.obj.Rotate = 0
    page.obj.Resources = Dictionary(
        XObject=Dictionary(Page=_image(pdf, picture)), Font=Dictionary(Layer=font_of(pdf, words))
    )
    drawn = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Page Do Q\nBT 3 Tr\n"
    page.obj.Contents = pdf.make_stream((drawn + "\n".join(shown(word, height) for word in words) + "\nET").encode())


def _image(pdf: Any, picture: Any) -> Any:
    """The picture as an image: in grey levels as it is, in colours compressed."""
    from pikepdf import Name

    if picture.mode == "L":
        data, kind, colours = zlib.compress(picture.tobytes()), Name.FlateDecode, Name.DeviceGray
    else:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=_QUALITY)
        data, kind, colours = stream.getvalue(), Name.DCTDecode, Name.DeviceRGB
    image = pdf.make_stream(b"")
    image.write(data, filter=kind)
    image.Type, image.Subtype, image.ColorSpace, image.BitsPerComponent = Name.XObject, Name.Image, colours, 8
    image.Width, image.Height = picture.size
    return image


def font_of(pdf: Any, words: Sequence[Word]) -> Any:
    """A font without letters, whose codes are those of UTF-16."""
    from pikepdf import Array, Dictionary, Name, String

    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name.Layer,
        Flags=4,
        FontBBox=Array([0, -200, _ADVANCE, 800]),
        ItalicAngle=0,
        Ascent=800,
        Descent=-200,
        CapHeight=800,
        StemV=80,
    )
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name.Layer,
        CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
        FontDescriptor=pdf.make_indirect(descriptor),
        DW=_ADVANCE,
        CIDToGIDMap=Name.Identity,
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name.Layer,
        Encoding=Name("/Identity-H"),
        DescendantFonts=Array([pdf.make_indirect(descendant)]),
        ToUnicode=pdf.make_stream(_meanings(words)),
    )
    return pdf.make_indirect(font)


def _meanings(words: Sequence[Word]) -> bytes:
    """What the codes of the layer mean, as a CMap: only those of its words, since readers build tables of them."""
    data = "".join(word.text for word in words).encode("utf-16-be", "replace").hex()
    codes = sorted({data[at : at + 4] for at in range(0, len(data), 4)})
    parts = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Layer def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for at in range(0, len(codes), _MOST_MEANINGS):
        own = codes[at : at + _MOST_MEANINGS]
        parts += [f"{len(own)} beginbfchar", *(f"<{code}> <{code}>" for code in own), "endbfchar"]
    return "\n".join([*parts, "endcmap CMapName currentdict /CMap defineresource pop end end"]).encode()


def shown(word: Word, height: float) -> str:
    """The operators that write a word, as wide and high as its box."""
    box, codes = word.box, word.text.encode("utf-16-be", "replace")
    size = max(box.y1 - box.y0, 1.0)
    wide = len(codes) / 2 * size * _ADVANCE / 1000
    scale = 100 * max(box.x1 - box.x0, 0.1) / wide
    bottom = height - box.y1 + 0.2 * size
    return f"/Layer {size:.2f} Tf {scale:.2f} Tz 1 0 0 1 {box.x0:.2f} {bottom:.2f} Tm <{codes.hex()}> Tj"
