"""The redaction of one file: page by page, then all beside the pages; and the same again with pages as images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from longdoc.document import Document
from longdoc.errors import DataError, RedactionError
from longdoc.loaders.isolated import isolated
from longdoc.loaders.layout import ocr
from longdoc.loaders.limits import MEMORY, SECONDS
from longdoc.parts import Box
from longdoc.pdf_files import Bounds, Frame, opened, opened_by_pdfium, saved
from longdoc.pdfium import PDFIUM_LOCK
from longdoc.redaction import beside, destinations, fields, inner_files, layer
from longdoc.redaction.annotations import clear_annotations
from longdoc.redaction.content import Stream, walk_through
from longdoc.redaction.drawings import settle
from longdoc.redaction.images import painted_over
from longdoc.redaction.names import Search
from longdoc.redaction.objects import reached
from longdoc.redaction.pages import wrong_with
from longdoc.redaction.places import Places, places, regions, words_of
from longdoc.redaction.plan import Plan, plan
from longdoc.redaction.verify import Left, left_over, read_by_ocr
from longdoc.redaction.walk import Changes, Shared, UnsafeContentError, Walk

_ROUNDS = 4
"""How many times pages on which something is wrong become images, and all is done and verified again."""
_SECONDS_OF_A_SCAN = 120.0
_LEFT = "letters that a reader still finds when they are removed"
_BLANK = "pictures and drawings of comments or patterns, which a page had shown, too"


class Job:
    """The redaction of one file.

    Args:
        document: the document, all pages of it.
        content: the file that it was loaded from.
        password: of the file, if it is encrypted.
        wanted: what is removed.
        rounded: whether the widths of gaps are rounded.
    """

    def __init__(self, document: Document, content: bytes, password: str | None, wanted: Places, rounded: bool) -> None:
        self.document, self.content, self.password = document, content, password
        self.wanted, self.rounded = wanted, rounded
        self.regions = regions(document, wanted.marked)
        kept = "".join(c for c, gone in zip(document.raw_text, wanted.marked.tolist(), strict=True) if not gone)
        self.search = Search(wanted.names, kept)
        self.images: dict[int, str] = {}
        """The pages that become images, and why."""
        self.dropped: Counter[str] = Counter()
        """What was removed beside the pages."""
        self.drawn: dict[int, tuple[list[Box], bool]] = {}
        """The boxes drawn on each changed page, and whether all other letters have to be there."""
        self.scans = {page.number for page in document.pages if page.confidence is not None}
        """The pages that OCR read."""
        self.is_read_again = bool(self.scans) and not ocr.missing()
        """Whether OCR reads the result, too."""
        self.n_seen_again = 0
        """How many places were found then."""

    def run(self) -> bytes:
        """The redacted file, verified.

        Raises:
            RedactionError: something is left.
        """
        left: list[str] = []
        for _ in range(_ROUNDS):
            plain, result = self.change()
            new = self.wrong_pages(plain)
            if not new:
                found = left_over(plain, self.search)
                if not found and not (seen := self.seen_by_ocr(plain)):
                    return result
                if not found:
                    self.regions += seen
                    self.n_seen_again += len(seen)
                    left = [str(Left("OCR", "still finds a text when it reads the result", box.page)) for box in seen]
                    continue
                left = list(map(str, found))
                new = {each.page: _LEFT for each in found if each.page and each.page not in self.images}
            if not new:
                break
            self.images |= new
        shown = "; ".join(left[:5]) + (f"; and {len(left) - 5} more" if len(left) > 5 else "")
        raise RedactionError(
            f"{self.document.source.name}: not written, since something is left of what should be removed: {shown}. "
            "Print the document to a new PDF, or to images, and redact that"
        )

    def seen_by_ocr(self, plain: bytes) -> list[Box]:
        """Where OCR finds a text on the scans of the result, which it had misread before."""
        if not self.is_read_again:
            return []
        pages, seconds = (min(self.scans), max(self.scans)), max(SECONDS, _SECONDS_OF_A_SCAN * len(self.scans))
        name = self.document.source.name
        again = isolated(read_by_ocr, plain, pages, name=name, timeout=seconds, memory=MEMORY)
        if again is None:
            return []
        marked = places(again, self.search.names.find(again.text), everywhere=True).marked
        return [box for box in regions(again, marked) if box.page in self.scans]

    def change(self) -> tuple[bytes, bytes]:
        """The changed file, plain, and encrypted as it was."""
        name = self.document.source.name
        self.dropped, self.drawn = Counter(), {}
        with opened(self.content, name, self.password, "redaction") as (pdf, frames):
            if len(pdf.pages) != len(self.document.pages):
                read = f"{len(self.document.pages)} of {len(pdf.pages)} pages"
                raise DataError(f"{name}: {read} were loaded; load all of them, so that nothing is overlooked")
            file = Shared(beside.hidden_layers(pdf))
            beside.remove(pdf, self.dropped)
            fields.clear_form(pdf, self.search, self.dropped)
            settle(pdf)
            for number, (page, frame) in enumerate(zip(pdf.pages, frames, strict=True), 1):
                own = [box for box in self.regions if box.page == number]
                bounds = [frame.bounds(box) for box in own]
                clear_annotations(page, bounds, self.search, self.dropped)
                try:
                    if number in self.images:
                        walk_through(Walk(pdf, file), page)  # to note what is drawn no more
                    else:
                        self.change_page(pdf, page, number, frame, bounds, file)
                except UnsafeContentError as error:
                    self.images.setdefault(number, str(error))
            self.make_images(pdf, frames)
            self.clean(pdf, file)
            pdf.remove_unreferenced_resources()
            plain = saved(pdf)
            return plain, saved(pdf, encrypted=True) if pdf.is_encrypted else plain

    def clean(self, pdf: Any, file: Shared) -> None:
        """Removes what is left beside the pages when these are done."""
        beside.disinherit(pdf)
        beside.empty_deleted_pages(pdf)
        if (emptied := file.clear()) and (blank := emptied & reached(pdf.Root, through_pages=True)):
            self.dropped[_BLANK] += len(blank)
        destinations.number(pdf, self.dropped)
        inner_files.clean(pdf, self.search, self.dropped)
        beside.sweep(pdf, self.search, self.dropped)

    def change_page(
        self, pdf: Any, page: Any, number: int, frame: Frame, bounds: Sequence[Bounds], file: Shared
    ) -> None:
        """Changes the content of a page.

        Raises:
            UnsafeContentError: it is not understood well enough.
        """
        walk = Walk(pdf, file, None if bounds else Changes())
        stream = walk_through(walk, page)
        made = plan(walk, bounds, rounded=self.rounded)
        if made.unsafe and (bounds or walk.has_hidden):
            raise UnsafeContentError(made.unsafe[0])
        if bounds:
            images = {}
            for at, under in made.images.items():
                images[at] = painted_over(pdf, walk.paints[at].image, walk.paints[at].matrix, under)
            stream = walk_through(Walk(pdf, file, made.changes(images)), page)
        page.obj.Contents = pdf.make_stream(_content(stream, made))
        page.obj.Resources = stream.new_resources()
        is_complete = not walk.has_hidden and not any(walk.glyphs[at].is_invisible for at in made.glyphs)
        self.drawn[number] = [frame.box(number, each) for each in made.boxes], is_complete

    def make_images(self, pdf: Any, frames: Sequence[Frame]) -> None:
        """Makes images of the pages that have to become some."""
        name = self.document.source.name
        for number in self.images:
            boxes = [box for box in self.regions if box.page == number]
            given = self.content, self.password, number, boxes
            picture = isolated(layer.draw, *given, name=name, timeout=SECONDS, memory=MEMORY, draws=True)
            page, frame = pdf.pages[number - 1], frames[number - 1]
            fields.clear_page(page)
            sides = frame.right - frame.left, frame.top - frame.bottom
            size = sides if frame.rotation % 180 == 0 else sides[::-1]
            layer.replace(pdf, page, size, picture, words_of(self.document, self.wanted.marked, number))

    def wrong_pages(self, plain: bytes) -> dict[int, str]:
        """The changed pages that are not as they should be, and why."""
        wrong = {}
        with (
            PDFIUM_LOCK,
            closing(opened_by_pdfium(self.content, self.password)) as before,
            closing(opened_by_pdfium(plain, None)) as after,
        ):
            for number, (drawn, is_complete) in self.drawn.items():
                removed = [box for box in self.regions if box.page == number]
                reason = wrong_with(before, after, number, removed, drawn, complete=is_complete)
                if reason is not None:
                    wrong[number] = reason
        return wrong


def _content(stream: Stream, made: Plan) -> bytes:
    """The content of a page with its boxes."""
    boxes = [
        f"{left:.3f} {bottom:.3f} {right - left:.3f} {top - bottom:.3f} re f" for left, bottom, right, top in made.boxes
    ]
    return b"\n".join([b"q", stream.content(), b"Q", b"q 0 g", "\n".join(boxes).encode(), b"Q"])
