"""PDFs that are changed: opened, saved, and where their pages are displayed.

>>> Frame(left=10, bottom=20, right=110, top=220, rotation=90).bounds(Box(1, 0, 0, 50, 20))
(10.0, 20.0, 30.0, 70.0)
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from longdoc.errors import CorruptDocumentError, DataError, EncryptedDocumentError, LongdocError, first_line, require
from longdoc.parts import Box
from longdoc.pdfium import PDFIUM_LOCK

if TYPE_CHECKING:
    from longdoc.document import Document

_DAMAGES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of a file in which numbers, dictionaries and lists are not where they should be."""
Bounds = tuple[float, float, float, float]
"""The left, bottom, right and top of a rectangle in the coordinates of a page's content."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a page that is displayed, in the coordinates of its content (points, origin bottom left)."""

    left: float
    bottom: float
    right: float
    top: float
    rotation: int
    """In degrees clockwise: 0, 90, 180 or 270."""

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page as displayed (origin top left), in the coordinates of the content."""
        match self.rotation:
            case 90:
                return self.left + y, self.bottom + x
            case 180:
                return self.right - x, self.bottom + y
            case 270:
                return self.right - y, self.top - x
            case _:
                return self.left + x, self.top - y

    def corners(self, box: Box) -> tuple[tuple[float, float], ...]:
        """The corners of a box in the coordinates of the content: top left, top right, bottom left, bottom right.

        Top and left are those of the page as displayed.
        """
        return tuple(self.point(x, y) for y in (box.y0, box.y1) for x in (box.x0, box.x1))

    def bounds(self, box: Box) -> Bounds:
        """A box of the page as displayed, in the coordinates of the content."""
        (xa, ya), (xb, yb) = self.point(box.x0, box.y0), self.point(box.x1, box.y1)
        return float(min(xa, xb)), float(min(ya, yb)), float(max(xa, xb)), float(max(ya, yb))

    def box(self, page: int, bounds: Bounds) -> Box:
        """A rectangle of the content of a page as a box on the page as displayed."""
        left, bottom, right, top = bounds
        west, east, north, south = left - self.left, right - self.left, self.top - top, self.top - bottom
        width, height = self.right - self.left, self.top - self.bottom
        match self.rotation:
            case 90:
                return Box(page, height - south, west, height - north, east)
            case 180:
                return Box(page, width - east, height - south, width - west, height - north)
            case 270:
                return Box(page, north, width - east, south, width - west)
            case _:
                return Box(page, west, north, east, south)


def check_is_pdf(document: Document, wanted: str, otherwise: str = "") -> None:
    """Checks that a document was loaded from a PDF.

    Raises:
        DataError: it was not; the message says what was wanted, and what to do ``otherwise``.
    """
    if (kind := document.source.media_type) != "application/pdf":
        raise DataError(
            f"{document.source.name}: {wanted} is made of a PDF, and this is {kind}; "
            f"print it to a PDF and load that{', ' * bool(otherwise)}{otherwise}"
        )


@contextmanager
def opened(content: bytes, name: str, password: str | None, needed_by: str) -> Iterator[tuple[Any, list[Frame]]]:
    """A ``pikepdf.Pdf``, and the frame of each of its pages.

    Args:
        content: the content of the file.
        name: the name of the file, for errors.
        password: tried only if it does not open without one.
        needed_by: what needs it, for errors.

    Raises:
        MissingDependencyError: pikepdf is not installed.
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is damaged, so that it cannot be changed.
    """
    pikepdf = require("pikepdf", extra="pdf", needed_by=needed_by)
    remedy = "repair it by printing it to a new PDF"
    try:
        try:
            pdf = pikepdf.open(io.BytesIO(content))
        except pikepdf.PasswordError:
            pdf = pikepdf.open(io.BytesIO(content), password=password or "")
    except pikepdf.PasswordError as error:
        raise EncryptedDocumentError(f"{name}: encrypted; give its password") from error
    except pikepdf.PdfError as error:
        what = first_line(error).rpartition(">: ")[2]  # without the address of the stream
        raise CorruptDocumentError(f"{name}: too damaged to be changed ({what}); {remedy}") from error
    with pdf:
        frames = _frames(content, name, password)
        if len(frames) != len(pdf.pages):
            found = f"{len(frames)} or {len(pdf.pages)} pages, depending on who reads it"
            raise CorruptDocumentError(f"{name}: damaged, with {found}; {remedy}")
        try:
            yield pdf, frames
        except LongdocError:
            raise
        except (pikepdf.PdfError, *_DAMAGES) as error:
            what = f"{type(error).__name__}: {first_line(error)}"
            raise CorruptDocumentError(f"{name}: too damaged to be changed ({what}); {remedy}") from error


def saved(pdf: Any, *, encrypted: bool = False) -> bytes:
    """A ``pikepdf.Pdf`` as bytes: rewritten from what can be reached, without earlier versions.

    Args:
        pdf: the file.
        encrypted: whether it is encrypted as it was, with the same passwords.
    """
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pikepdf's remarks on forms that were incomplete before
        pdf.save(stream, encryption=encrypted, deterministic_id=not encrypted, fix_metadata_version=False)
    return stream.getvalue()


def _frames(content: bytes, name: str, password: str | None) -> list[Frame]:
    """The frame of each page, as pdfium displays it.

    Raises:
        CorruptDocumentError: one of the pages is damaged.
    """
    import pypdfium2 as pdfium  # not above, to keep `longdoc --help` fast
    import pypdfium2.raw as pdfium_c

    frames = []
    with PDFIUM_LOCK, closing(opened_by_pdfium(content, password)) as pdf:
        for index in range(len(pdf)):
            bounds = pdfium_c.FS_RECTF()
            try:
                page = pdf[index]
            except pdfium.PdfiumError as error:
                raise CorruptDocumentError(f"{name}: page {index + 1} is damaged") from error
            with closing(page):
                pdfium_c.FPDF_GetPageBoundingBox(page, bounds)
                frames.append(Frame(bounds.left, bounds.bottom, bounds.right, bounds.top, page.get_rotation()))
    return frames


def opened_by_pdfium(content: bytes, password: str | None) -> Any:
    """A ``pypdfium2.PdfDocument``; the password is tried only if it does not open without one."""
    import pypdfium2 as pdfium

    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError:
        return pdfium.PdfDocument(content, password)
