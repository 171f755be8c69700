"""The state of a content stream that decides where a glyph is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from longdoc.redaction.fonts import Font
from longdoc.redaction.matrices import IDENTITY, Matrix, moved, times

INVISIBLE = 3
"""The mode in which text is neither filled nor outlined."""
_DESCENT, _ASCENT, _MIDDLE = -0.2, 0.8, 0.25  # of the font size


@dataclass(slots=True)
class State:
    """What ``q`` saves and ``Q`` restores."""

    matrix: Matrix = IDENTITY
    font: Font | None = None
    font_name: str = ""
    size: float = 0.0
    char_space: float = 0.0
    word_space: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    mode: int = 0
    rise: float = 0.0

    def copy(self) -> State:
        """A copy, which is changed alone."""
        return replace(self)

    def advance(self, width: float, is_space: bool) -> float:
        """How far a glyph moves on, before the text matrix."""
        return (width * self.size + self.char_space + (self.word_space if is_space else 0.0)) * self.scale


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph, in the coordinates of the page's content."""

    start: tuple[float, float]
    """Its origin on the baseline."""
    end: tuple[float, float]
    """Where it ends on the baseline."""
    middle: tuple[float, float]
    corners: tuple[tuple[float, float], tuple[float, float]]
    """Two opposite corners of what it may cover."""
    size: float
    """Of the font, in points."""
    is_invisible: bool
    is_drawn: bool
    """Whether it is a content stream of its own (Type 3)."""


def glyph_of(state: State, text_matrix: Matrix, width: float) -> Glyph:
    """The glyph of a width that a state draws."""
    matrix = times(text_matrix, state.matrix)
    across, up = width * state.size * state.scale, state.size
    origin, end = moved(0, state.rise, matrix), moved(across, state.rise, matrix)
    _, _, c, d, _, _ = matrix
    corners = (
        moved(0, state.rise + _DESCENT * up, matrix),
        moved(across, state.rise + _ASCENT * up, matrix),
    )
    return Glyph(
        start=origin,
        end=end,
        middle=moved(across / 2, state.rise + _MIDDLE * up, matrix),
        corners=corners,
        size=abs(up) * (c * c + d * d) ** 0.5,
        is_invisible=state.mode == INVISIBLE,
        is_drawn=state.font is not None and state.font.is_drawn,
    )
