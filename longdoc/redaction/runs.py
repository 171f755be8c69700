"""Runs of glyphs that are kept: each says where it starts, so that nothing tells the widths of what stood before it."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.redaction.matrices import Matrix, inverse, times

_DECIMALS = 3  # of the place of a run that is moved: further ones would tell by how much


@dataclass(slots=True)
class Run:
    """Codes of one font, and the numbers between them that move them on."""

    matrix: Matrix
    """The text matrix at its start."""
    items: list[bytes | float]

    @classmethod
    def at(cls, text_matrix: Matrix, matrix: Matrix, shift: tuple[float, float]) -> Run:
        """An empty run.

        Args:
            text_matrix: the text matrix.
            matrix: what maps from the content stream to the page.
            shift: how far the run is moved on the page.
        """
        back = inverse(matrix)
        if shift != (0.0, 0.0) and back is not None:
            a, b, c, d, _, _ = back
            x, y = shift
            p, q, r, s, e, f = times(text_matrix, (1, 0, 0, 1, a * x + c * y, b * x + d * y))
            text_matrix = p, q, r, s, round(e, _DECIMALS), round(f, _DECIMALS)
        return cls(text_matrix, [])

    @property
    def shown(self) -> list[bytes | float]:
        """The items up to the last glyph: what comes after it says where it starts."""
        last = max((at for at, item in enumerate(self.items) if isinstance(item, bytes)), default=-1)
        return self.items[: last + 1]

    def add(self, code: bytes) -> None:
        """Adds the code of a glyph."""
        if self.items and isinstance(self.items[-1], bytes):
            self.items[-1] += code
        else:
            self.items.append(code)


def moved_along(text_matrix: Matrix, distance: float) -> Matrix:
    """The text matrix, moved along the line."""
    a, b, c, d, e, f = text_matrix
    return a, b, c, d, e + distance * a, f + distance * b
