"""Content streams: where each glyph, picture and path is drawn; and the same streams without some of them.

A walk without changes collects what a page draws. A walk with changes, over the same page, numbers everything in the
same order and leaves out what they name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from longdoc.pdf_files import Bounds
from longdoc.redaction.drawings import parsed, silenced
from longdoc.redaction.matrices import IDENTITY, around, matrix_of, moved, square, times
from longdoc.redaction.text import TEXT_STATE, TextStream
from longdoc.redaction.text_state import State
from longdoc.redaction.walk import Paint, UnsafeContentError, Walk, entries

DEEPEST = 20
"""Forms within forms."""
MOST_INSTRUCTIONS = 3_000_000
_DRAWS = re.compile(rb"\b(?:Tj|TJ|Do|BI)\b|['\"]")
_MOST_LINES = 4  # of a rectangle or a line; other shapes may be outlines of letters
_PAINT = ("f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "n")


def walk_through(walk: Walk, page: Any) -> Stream:
    """Walks through a ``pikepdf.Page``: fills the walk, and gives the content with its changes.

    Raises:
        UnsafeContentError: the content is damaged, or endless.
    """
    stream = Stream(walk, page.resources, State())
    if "/Contents" in page.obj:
        stream.run(page)
    return stream


class Stream(TextStream):
    """One content stream: of the page, or of a form."""

    def __init__(self, walk: Walk, resources: Any, state: State, depth: int = 0, *, is_hidden: bool = False) -> None:
        super().__init__(walk, resources, state, is_hidden=is_hidden)
        self.depth = depth
        self.saved: list[State] = []
        self.added: dict[str, Any] = {}
        """New forms and images, by their names in the resources."""
        self.lent: set[str] = set()
        """The names in the resources that forms without resources of their own use."""
        self.points: list[tuple[float, float]] = []
        self.pieces: list[list[tuple[float, float]]] = []
        """The points of each part of the path."""
        self.lines, self.is_outline, self.clips, self.path_start = 0, False, False, 0

    # ------------------------------------------------------------------------------------------------------ the stream

    def run(self, source: Any) -> None:
        """Runs through the instructions of a page or form.

        Raises:
            UnsafeContentError: they are damaged, or endless.
        """
        import pikepdf

        try:
            instructions = parsed(source)
        except pikepdf.PdfError as error:
            raise UnsafeContentError("content that is damaged") from error
        self.walk.n_instructions += len(instructions)
        if self.walk.n_instructions > MOST_INSTRUCTIONS:
            raise UnsafeContentError("very much content")
        for instruction in instructions:
            name = str(instruction.operator)
            handle = _HANDLERS.get(name)
            try:
                if handle is not None:
                    handle(self, instruction, name)
                else:
                    self.emit(instruction)
            except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
                raise UnsafeContentError(f"content that is malformed, at the operator {name}") from error

    def content(self) -> bytes:
        """The stream with the changes; what it saved it restores."""
        from pikepdf import unparse_content_stream

        return b"\n".join([unparse_content_stream(self.out), *[b"Q"] * len(self.saved)])

    def new_resources(self) -> Any:
        """The resources, with only the forms and images that are drawn; others may use the same ones unchanged."""
        from pikepdf import Dictionary

        copy = Dictionary(entries(self.resources))
        every, used = {**self.drawable(), **self.added}, self.used()
        copy.XObject = Dictionary({key: own for key, own in every.items() if key in used})
        return copy

    def drawable(self) -> dict[str, Any]:
        """The forms and images of the resources, by name."""
        from pikepdf import Dictionary

        return entries(self.resources.get("/XObject", Dictionary()))

    def used(self) -> set[str]:
        """The names of the forms and images that are drawn, also by forms without resources of their own."""
        return self.lent | {str(each.operands[0]) for each in self.out if str(each.operator) == "Do"}

    # ----------------------------------------------------------------------------------------------- graphics and marks

    def save(self, instruction: Any, name: str) -> None:
        if name == "q":
            self.saved.append(self.state.copy())
        elif self.saved:
            self.state = self.saved.pop()
        else:
            return  # a Q too many, which readers ignore
        self.emit(instruction)

    def concatenate(self, instruction: Any, name: str) -> None:
        self.state.matrix = times(matrix_of(instruction.operands), self.state.matrix)
        self.emit(instruction)

    def graphics(self, instruction: Any, name: str) -> None:
        from pikepdf import Dictionary

        own = self.resources.get("/ExtGState", {}).get(str(instruction.operands[0]))
        if own is not None:
            if isinstance(own.get("/SMask"), Dictionary):
                self.walk.unsafe.append("a mask of transparency")
            if (font := own.get("/Font")) is not None:
                self.state.font, self.state.size = self.read(font[0]), float(font[1])
        self.emit(instruction)

    def colour(self, instruction: Any, name: str) -> None:
        """A colour, which may be a pattern that draws letters."""
        own = self.resources.get("/Pattern", {}).get(str(instruction.operands[-1])) if instruction.operands else None
        if own is not None and int(own.get("/PatternType", 0)) == 1 and _DRAWS.search(own.read_bytes()):
            self.walk.unsafe.append("a pattern that draws letters or pictures")
        self.emit(instruction)

    def mark(self, instruction: Any, name: str) -> None:
        silent, speaks = silenced(instruction)
        self.changed |= silent is not instruction
        self.walk.has_hidden |= speaks
        hides = False
        if name == "BDC" and str(instruction.operands[0]) == "/OC":
            hides = self.hides(self.resources.get("/Properties", {}).get(str(instruction.operands[1])))
        self.marks.append(hides)
        self.emit(silent)

    def point(self, instruction: Any, name: str) -> None:
        """A point with a mark, which draws nothing, and may say a name."""
        self.changed = True

    def hides(self, layer: Any) -> bool:
        """Whether a layer, or a group of layers, is not shown."""
        from pikepdf import Array, Dictionary

        if not isinstance(layer, Dictionary) or not self.walk.file.hidden:
            return False
        if str(layer.get("/Type", "")) != "/OCMD":
            return layer.objgen in self.walk.file.hidden
        if "/VE" in layer:
            self.walk.unsafe.append("a layer shown under conditions")
            return False
        own = layer.get("/OCGs", Array())
        layers: list[Any] = list(own) if isinstance(own, Array) else [own]
        shown = [each.objgen not in self.walk.file.hidden for each in layers if isinstance(each, Dictionary)]
        policy = str(layer.get("/P", "/AnyOn"))
        by_policy = {"/AllOn": all(shown), "/AnyOff": not all(shown), "/AllOff": not any(shown)}
        return bool(shown) and not by_policy.get(policy, any(shown))

    def unmark(self, instruction: Any, name: str) -> None:
        if self.marks:
            self.marks.pop()
            self.emit(instruction)

    # ------------------------------------------------------------------------------------------------------------ paths

    def construct(self, instruction: Any, name: str) -> None:
        if not self.points:
            self.path_start = len(self.out)
        numbers = [float(number) for number in instruction.operands]
        if name == "re":
            x, y, width, height = numbers
            new = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        else:
            new = list(zip(numbers[::2], numbers[1::2], strict=True))
        self.points += [moved(*point, self.state.matrix) for point in new]
        self.lines = self.lines + 1 if name == "l" else 0
        self.is_outline |= name in ("c", "v", "y") or self.lines > _MOST_LINES
        if name in ("m", "re"):
            self.pieces.append([])
        if self.pieces:
            self.pieces[-1] += self.points[-len(new) :]
        self.emit(instruction)

    def clip(self, instruction: Any, name: str) -> None:
        self.clips = True
        self.emit(instruction)

    def paint(self, instruction: Any, name: str) -> None:
        points, clips, is_outline, pieces = self.points, self.clips, self.is_outline, self.pieces
        self.points, self.lines, self.clips, self.is_outline, self.pieces = [], 0, False, False, []
        self.emit(instruction)
        if not points or (name == "n" and not clips):
            return
        if self.painted(
            Paint("clip" if clips else "path", around(points), is_outline=is_outline, pieces=_around(pieces))
        ):
            if clips:
                self.out[-1] = self.operate("n")
            else:
                del self.out[self.path_start :]

    def painted(self, paint: Paint) -> bool:
        """Numbers what is painted; whether it is left out."""
        number = len(self.walk.paints)
        self.walk.paints.append(paint)
        changes = self.walk.changes
        drops = self.is_hidden or (changes is not None and number in changes.paints)
        self.walk.has_hidden |= self.is_hidden
        self.changed |= drops
        return drops

    def inline(self, instruction: Any, name: str) -> None:
        if not self.painted(Paint("inline image", square(self.state.matrix))):
            self.emit(instruction)

    # ------------------------------------------------------------------------------------------------ forms and images

    def draw(self, instruction: Any, name: str) -> None:
        own = self.resources.get("/XObject", {}).get(str(instruction.operands[0]))
        kind = "" if own is None else str(own.get("/Subtype", ""))
        if kind == "/Image":
            self.marks.append(self.hides(own.get("/OC")))
            number, drops = (
                len(self.walk.paints),
                self.painted(Paint("image", square(self.state.matrix), self.state.matrix, own)),
            )
            self.marks.pop()
            if drops:
                self.walk.note(own, is_kept=False)
                return
            new = self.walk.changes.images.get(number) if self.walk.changes else None
            self.walk.note(own, is_kept=new is None, new=new)
            self.emit(instruction if new is None else self.replaced(new))
        elif kind == "/Form":
            self.marks.append(self.hides(own.get("/OC")))
            self.form(instruction, own)
            self.marks.pop()
        elif own is not None:
            self.changed = True  # PostScript, which no viewer runs
        else:
            self.emit(instruction)

    def replaced(self, new: Any) -> Any:
        """The instruction that draws a new form or image."""
        from pikepdf import Name

        taken = self.resources.get("/XObject", {})
        number = len(self.added)
        while f"/Redacted{number}" in taken or f"/Redacted{number}" in self.added:
            number += 1
        self.added[f"/Redacted{number}"] = new
        self.changed = True
        return self.operate("Do", Name(f"/Redacted{number}"))

    def form(self, instruction: Any, own: Any) -> None:
        if self.depth >= DEEPEST:
            raise UnsafeContentError("forms within forms without end")
        state = self.state.copy()
        state.matrix = times(matrix_of(own.get("/Matrix", IDENTITY)), state.matrix)
        resources = own.get("/Resources", self.resources)
        inner = Stream(self.walk, resources, state, self.depth + 1, is_hidden=self.is_hidden)
        inner.run(own)
        if self.walk.changes is None or not inner.changed:
            if "/Resources" not in own:
                self.lent |= inner.used()
            elif self.walk.changes is not None and not inner.drawable().keys() <= inner.used():
                own.Resources = inner.new_resources()
            self.walk.note(own, is_kept=not inner.changed)
            self.emit(instruction)
            return
        new = self.walk.pdf.make_stream(inner.content())
        for key, value in entries(own, without=("/Resources",)).items():
            new[key] = value
        new.Resources = inner.new_resources()
        self.walk.note(own, is_kept=False, new=new)
        self.emit(self.replaced(new))


def _around(pieces: list[list[tuple[float, float]]]) -> tuple[Bounds, ...]:
    """The bounds of each part of a path that has several."""
    return tuple(map(around, pieces)) if len(pieces) > 1 else ()


_Handler = Callable[[Stream, Any, str], None]
_HANDLERS: dict[str, _Handler] = {
    **dict.fromkeys(("q", "Q"), Stream.save),
    "cm": Stream.concatenate,
    "gs": Stream.graphics,
    **dict.fromkeys(("scn", "SCN"), Stream.colour),
    **dict.fromkeys(("BMC", "BDC"), Stream.mark),
    **dict.fromkeys(("MP", "DP"), Stream.point),
    "EMC": Stream.unmark,
    **dict.fromkeys(("m", "l", "c", "v", "y", "re"), Stream.construct),
    **dict.fromkeys(("W", "W*"), Stream.clip),
    **dict.fromkeys(_PAINT, Stream.paint),
    "INLINE IMAGE": Stream.inline,
    "Do": Stream.draw,
    "BT": Stream.begin,
    "ET": Stream.end,
    **dict.fromkeys(TEXT_STATE, Stream.set),
    "Tf": Stream.choose,
    **dict.fromkeys(("Td", "TD", "Tm", "T*"), Stream.position),
    **dict.fromkeys(("Tj", "TJ", "'", '"'), Stream.show),
}
