"""What pdfminer reads of a PDF where pdfium does not: the characters that fonts name, and the values of form fields.

pdfium takes neither the glyph names of Type 3 fonts nor, without a font of the system, the character collections of
East Asian ones. pdfminer is slower, so only pages that need it are read by it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from longdoc.errors import MissingDependencyError, require
from longdoc.loaders.pdf.damage import unpack
from longdoc.loaders.pdf.strings import Strings

_MOST_CHARACTERS = 200_000  # of a page
_MOST_FIELDS = 20_000
_DEEPEST = 32  # nesting of fields
_LONGEST_CONTENT = 1 << 20  # bytes of a page, for which pdfminer takes about 3 s
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
"""What pdfminer raises on damaged files besides its own errors."""


class MinerError(Exception):
    """pdfminer is not installed, or cannot read a part; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class FontCharacter:
    """A character as the encoding of its font names it."""

    text: str
    """Empty if the font does not say."""
    x: float
    """Its origin in PDF space, in points."""
    y: float
    size: float
    """Height of the font in points."""
    width: float
    show: int
    """The number of the operator that draws it, from 0."""


@dataclass(frozen=True)
class Miner:
    """A PDF as pdfminer reads it."""

    pdf: pdfium.PdfDocument

    @cached_property
    def is_installed(self) -> bool:
        """Whether pdfminer is installed."""
        try:
            require("pdfminer", extra="tables", needed_by="reading fonts")
        except MissingDependencyError:
            return False
        return True

    def characters(self, index: int) -> list[FontCharacter]:
        """Reads the characters of a page, in the order in which they are drawn.

        Args:
            index: the index of the page, from 0.

        Raises:
            MinerError: pdfminer is not installed, or cannot read the page.
        """
        with _reading():
            from pdfminer.pdfinterp import PDFPageInterpreter

            page = self._pages[index]
            if sum(len(_data(stream)) for stream in page.contents) > _LONGEST_CONTENT:
                raise MinerError(f"its content is longer than {_LONGEST_CONTENT:,} bytes")
            page.rotate = 0
            device = _recorder(page.mediabox)
            PDFPageInterpreter(device.rsrcmgr, device).process_page(page)
        found: list[FontCharacter] = device.found
        return found

    def field_values(self, strings: Strings) -> dict[str, str]:
        """Reads the values of the fields of the form that have one, by their full names.

        Args:
            strings: counts the characters.

        Raises:
            LimitExceededError: they are more than the limits allow.
            MinerError: pdfminer is not installed, or cannot read the form.
        """
        with _reading():
            from pdfminer.pdftypes import resolve1

            form = resolve1(self._document.catalog.get("AcroForm")) or {}
            return dict(_values(resolve1(form.get("Fields")) or [], resolve1, strings))

    @cached_property
    def _document(self) -> Any:
        from pdfminer.pdfdocument import PDFDocument
        from pdfminer.pdfparser import PDFParser

        copy = io.BytesIO()  # as pdfium repairs and decrypts it
        self.pdf.save(copy, flags=pdfium_c.FPDF_REMOVE_SECURITY)
        copy.seek(0)
        return PDFDocument(PDFParser(copy))

    @cached_property
    def _pages(self) -> list[Any]:
        from pdfminer.pdfpage import PDFPage

        return [*PDFPage.create_pages(self._document)]


@contextmanager
def _reading() -> Iterator[None]:
    """Turns what goes wrong into a MinerError."""
    try:
        require("pdfminer", extra="tables", needed_by="reading their fonts")
    except MissingDependencyError as error:
        raise MinerError(str(error)) from error
    from pdfminer import pdftypes
    from pdfminer.psexceptions import PSException

    names = vars(pdftypes)
    own = names["decompress_corrupted"]
    # pdfminer's own unpacks damaged streams byte by byte, in quadratic time, and keeps nothing of most of them.
    names["decompress_corrupted"] = lambda packed: unpack(packed)[0]
    try:
        yield
    except (PSException, *_BROKEN) as error:
        raise MinerError(f"pdfminer cannot read it ({type(error).__name__}: {error})") from error
    finally:
        names["decompress_corrupted"] = own


def _data(stream: Any) -> bytes:
    """The content of a stream; empty for anything else."""
    from pdfminer.pdftypes import PDFStream, resolve1

    found = resolve1(stream)
    return bytes(found.get_data()) if isinstance(found, PDFStream) else b""


def _recorder(media_box: tuple[float, float, float, float]) -> Any:
    """A device of pdfminer that lists characters; ``media_box`` is that of the page, which pdfminer moves to 0, 0."""
    from pdfminer.pdfdevice import PDFTextDevice
    from pdfminer.pdffont import PDFUnicodeNotDefined
    from pdfminer.pdfinterp import PDFResourceManager

    class Recorder(PDFTextDevice):
        found: list[FontCharacter]
        shows = -1

        def render_string(self, *arguments: Any) -> None:
            self.shows += 1
            super().render_string(*arguments)

        def render_char(
            self, matrix: Any, font: Any, fontsize: float, scaling: float, rise: float, cid: int, *_: Any
        ) -> float:
            try:
                text = font.to_unichr(cid)
            except PDFUnicodeNotDefined:
                text = ""
            if len(self.found) == _MOST_CHARACTERS:
                raise MinerError(f"more than {_MOST_CHARACTERS:,} characters are drawn on it")
            advance: float = font.char_width(cid) * fontsize * scaling
            across, up, _left, high, x, y = matrix
            width, size = advance * (across**2 + up**2) ** 0.5, fontsize * abs(high or up)
            self.found.append(FontCharacter(text, x + media_box[0], y + media_box[1], size, width, self.shows))
            return advance

    device = Recorder(PDFResourceManager())
    device.found = []
    return device


def _values(fields: Any, resolve: Any, strings: Strings) -> Iterator[tuple[str, str]]:
    """The full names and values of form fields, and of those within them, but not of passwords."""
    pending = [(field, "", 0, 0) for field in reversed(fields)]
    for _ in range(_MOST_FIELDS):
        if not pending:
            return
        reference, prefix, flags, depth = pending.pop()
        field = resolve(reference)
        if not isinstance(field, dict):
            continue
        own, value = resolve(field.get("T")), resolve(field.get("V"))
        strings.count(len(prefix) + sum(len(each) for each in (own, value) if isinstance(each, bytes)))
        own, value = _as_text(own), _as_text(value)
        name = ".".join(part for part in (prefix, own) if part)
        flags = own_flags if isinstance(own_flags := resolve(field.get("Ff")), int) else flags
        if value and not flags & pdfium_c.FPDF_FORMFLAG_TEXT_PASSWORD:
            yield name, value
        if depth < _DEEPEST:
            pending += [(kid, name, flags, depth + 1) for kid in reversed(resolve(field.get("Kids")) or [])]


def _as_text(value: Any) -> str:
    """A string or name of a PDF as text; empty for anything else."""
    from pdfminer.psparser import PSLiteral
    from pdfminer.utils import decode_text

    if isinstance(value, PSLiteral):
        return "" if value.name == "Off" else str(value.name)
    return str(decode_text(value)).strip() if isinstance(value, bytes) else ""
