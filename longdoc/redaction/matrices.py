"""Matrices of PDF: ``(a, b, c, d, e, f)`` maps ``(x, y)`` to ``(a x + c y + e, b x + d y + f)``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from longdoc.pdf_files import Bounds

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def matrix_of(operands: Iterable[Any]) -> Matrix:
    """The matrix that six operands give.

    Raises:
        ValueError: they are not six numbers.
    """
    a, b, c, d, e, f = map(float, operands)
    return a, b, c, d, e, f


def times(first: Matrix, then: Matrix) -> Matrix:
    """The matrix that applies one matrix, then another."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def moved(x: float, y: float, matrix: Matrix) -> tuple[float, float]:
    """A point, mapped."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def inverse(matrix: Matrix) -> Matrix | None:
    """The inverse; None if there is none."""
    a, b, c, d, e, f = matrix
    determinant = a * d - b * c
    if abs(determinant) < 1e-12:
        return None
    p, q, r, s = d / determinant, -b / determinant, -c / determinant, a / determinant
    return p, q, r, s, -(e * p + f * r), -(e * q + f * s)


def around(points: Iterable[tuple[float, float]]) -> Bounds:
    """The smallest rectangle around points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def square(matrix: Matrix) -> Bounds:
    """The smallest rectangle around the unit square, mapped: where an image is drawn."""
    return around(moved(x, y, matrix) for x in (0, 1) for y in (0, 1))


def overlap(one: Bounds, other: Bounds, slack: float = 0.0) -> bool:
    """Whether two rectangles overlap, or are nearer than ``slack``."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return across > -slack and up > -slack


def within(one: Bounds, other: Bounds, slack: float = 0.0) -> bool:
    """Whether a rectangle lies in another that is wider by ``slack`` on each side."""
    low = one[0] >= other[0] - slack and one[1] >= other[1] - slack
    return low and one[2] <= other[2] + slack and one[3] <= other[3] + slack
