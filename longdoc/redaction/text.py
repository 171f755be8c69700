"""The text of a content stream: where each glyph is drawn, and the same text without some of them."""

from __future__ import annotations

from typing import Any

from longdoc.redaction.fonts import Font, read_font
from longdoc.redaction.matrices import IDENTITY, matrix_of, times
from longdoc.redaction.runs import Run, moved_along
from longdoc.redaction.text_state import State, glyph_of
from longdoc.redaction.walk import UnsafeContentError, Walk

_SMALLEST = 0.002  # of the numbers of a text matrix, which are written with six decimals
TEXT_STATE = {
    "Tc": ("char_space", 1.0),
    "Tw": ("word_space", 1.0),
    "Tz": ("scale", 0.01),
    "TL": ("leading", 1.0),
    "Tr": ("mode", 1.0),
    "Ts": ("rise", 1.0),
}
"""Operator -> the attribute of the state that it sets, and the factor of its operand."""


class TextStream:
    """The part of a content stream that is concerned with text."""

    def __init__(self, walk: Walk, resources: Any, state: State, *, is_hidden: bool) -> None:
        self.walk, self.resources, self.state, self.in_hidden = walk, resources, state, is_hidden
        self.out: list[Any] = []
        """The instructions with the changes."""
        self.changed = False
        self.marks: list[bool] = []
        """Of the marked content around: whether each is a layer that is not shown."""
        self.text_matrix = self.line_matrix = IDENTITY
        self.block: list[Any] | None = None
        """What replaces a text object, if something is left out of it."""
        self.block_start, self.touched = 0, False

    @property
    def is_hidden(self) -> bool:
        """Whether what is drawn now is not shown."""
        return self.in_hidden or any(self.marks)

    def emit(self, instruction: Any) -> None:
        """Keeps an instruction."""
        self.out.append(instruction)
        if self.block is not None:
            self.block.append(instruction)

    def operate(self, operator: str, *operands: Any) -> Any:
        """A new instruction."""
        from pikepdf import ContentStreamInstruction, Operator

        return ContentStreamInstruction(list(operands), Operator(operator))

    def begin(self, instruction: Any, name: str) -> None:
        self.text_matrix = self.line_matrix = IDENTITY
        if self.block is None:
            self.block, self.block_start, self.touched = [], len(self.out), False
        self.emit(instruction)

    def end(self, instruction: Any, name: str) -> None:
        self.emit(instruction)
        if self.block is not None and self.touched:
            self.out[self.block_start :] = self.block
            self.changed = True
        self.block = None

    def set(self, instruction: Any, name: str) -> None:
        attribute, factor = TEXT_STATE[name]
        value = float(instruction.operands[0]) * factor
        setattr(self.state, attribute, int(value) if attribute == "mode" else value)
        self.emit(instruction)

    def choose(self, instruction: Any, name: str) -> None:
        key, size = instruction.operands
        own = self.resources.get("/Font", {}).get(str(key))
        self.state.font, self.state.size = None if own is None else self.read(own), float(size)
        self.state.font_name = str(own.get("/BaseFont", key))[1:] if own is not None else str(key)[1:]
        self.emit(instruction)

    def read(self, own: Any) -> Font | None:
        fonts, number = self.walk.file.fonts, own.objgen
        if number == (0, 0):  # not an object of its own
            return read_font(own)
        if number not in fonts:
            fonts[number] = read_font(own)
        return fonts[number]

    def position(self, instruction: Any, name: str) -> None:
        if name == "Tm":
            self.line_matrix = matrix_of(instruction.operands)
        elif name == "T*":
            self.next_line()
        else:
            x, y = map(float, instruction.operands)
            self.line_matrix = times((1, 0, 0, 1, x, y), self.line_matrix)
            if name == "TD":
                self.state.leading = -y
                if self.block is not None:
                    self.block.append(self.operate("TL", -y))
        self.text_matrix = self.line_matrix
        self.out.append(instruction)  # a block that replaces this one says where each of its runs is

    def next_line(self) -> None:
        self.line_matrix = times((1, 0, 0, 1, 0, -self.state.leading), self.line_matrix)
        self.text_matrix = self.line_matrix

    def show(self, instruction: Any, name: str) -> None:
        from pikepdf import Array

        self.out.append(instruction)
        operands = list(instruction.operands)
        block = [] if self.block is None else self.block
        if name == '"':
            self.state.word_space, self.state.char_space = float(operands[0]), float(operands[1])
            block += [self.operate("Tw", operands[0]), self.operate("Tc", operands[1])]
        if name in ("'", '"'):
            self.next_line()
        shown = operands[-1]
        items = [_item(each) for each in (shown if isinstance(shown, Array) else [shown])]
        font = self.state.font
        if font is None:
            if any(isinstance(each, bytes) and each for each in items):
                self.walk.unsafe.append(
                    f"the font {self.state.font_name or 'without a name'}, whose widths are not known"
                )
            return
        block += [each for run in self.runs(items, font) for each in self.written(run)]
        if self.block is None and self.touched:
            raise UnsafeContentError("text outside of text objects")

    def written(self, run: Run) -> list[Any]:
        from pikepdf import Array, String

        items = [String(item) if isinstance(item, bytes) else round(item, 4) for item in run.shown]
        if max(map(abs, run.matrix[:4])) < _SMALLEST:
            raise UnsafeContentError("letters of a very small scale")
        return [self.operate("Tm", *(round(number, 6) for number in run.matrix)), self.operate("TJ", Array(items))]

    def runs(self, items: list[bytes | float], font: Font) -> list[Run]:
        """What is kept of a shown string, as runs with a matrix each."""
        runs: list[Run] = []
        is_open, last = False, None
        state = self.state
        for item in items:
            if not isinstance(item, bytes):
                self.text_matrix = moved_along(self.text_matrix, -item / 1000 * state.size * state.scale)
                if is_open:
                    runs[-1].items.append(item)
                continue
            for code, width, is_space in font.codes(item):
                number = len(self.walk.glyphs)
                self.walk.glyphs.append(glyph_of(state, self.text_matrix, width))
                shift = self.shift(number)
                if shift is None:
                    is_open, self.touched = False, True
                else:
                    self.touched |= shift != (0.0, 0.0)
                    if not is_open or shift != last:
                        runs.append(Run.at(self.text_matrix, state.matrix, shift))
                    is_open, last = True, shift
                    runs[-1].add(code)
                self.text_matrix = moved_along(self.text_matrix, state.advance(width, is_space))
        return runs

    def shift(self, number: int) -> tuple[float, float] | None:
        """How far a glyph is moved; None if it is left out."""
        self.walk.has_hidden |= self.is_hidden
        changes = self.walk.changes
        if self.is_hidden or (changes is not None and number in changes.glyphs):
            return None
        return (0.0, 0.0) if changes is None else changes.shifts.get(number, (0.0, 0.0))


def _item(item: Any) -> bytes | float:
    """A string or a number of what is shown."""
    from pikepdf import String

    return bytes(item) if isinstance(item, String) else float(item)
