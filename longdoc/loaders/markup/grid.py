"""Where the cells of a table are, of which some span several rows and columns."""

from __future__ import annotations

MAX_SPAN = 1000
"""The most rows, or columns, that a cell spans: the limit of the HTML standard."""
_STEPS, _STEPS_PER_CELL = 10_000, 100


class Grid:
    """Gives each cell the next free column of its row.

    >>> grid = Grid()
    >>> grid.open_row()
    >>> grid.place(row_span=2), grid.place()
    ((0, 0), (0, 1))
    >>> grid.open_row()
    >>> grid.place()
    (1, 1)
    """

    def __init__(self) -> None:
        self.is_followed = True
        """False once rows had so many cells from above to pass that these are followed no longer."""
        self._row, self._column = -1, 0
        # The columns that cells from above span, in order: first column, column after the last, first row that is free.
        # Neighbours that end in the same row are one.
        self._occupied: list[tuple[int, int, int]] = []
        self._next_free = 0  # the first row in which some of them are free
        self._passed = 0  # how many of these are left of the current column
        self._spanning: list[tuple[int, int, int]] = []  # the same for cells of the current row
        self._steps = _STEPS  # that are left, so that time is linear in the number of cells

    def open_row(self) -> None:
        """Starts the next row."""
        self._row, self._column, self._passed = self._row + 1, 0, 0
        if self._spanning or (self._occupied and self._next_free <= self._row):
            self._steps -= len(self._occupied)
            self._occupied = sorted(each for each in self._occupied + self._spanning if each[2] > self._row)
            self._next_free = min((free for _, _, free in self._occupied), default=0)
            self._spanning = []

    def place(self, *, row_span: int = 1, column_span: int = 1) -> tuple[int, int]:
        """The row and the column of the next cell, from 0."""
        self._steps += _STEPS_PER_CELL
        while self._passed < len(self._occupied) and self._occupied[self._passed][0] <= self._column:
            self._column = max(self._column, self._occupied[self._passed][1])
            self._passed += 1
            self._steps -= 1
        place = self._row, self._column
        self._column += column_span
        if self._steps < 0:
            self.is_followed = False
            self._occupied = []
        elif row_span > 1 and self.is_followed:
            start, free = place[1], self._row + row_span
            if self._spanning and self._spanning[-1][1:] == (start, free):
                start = self._spanning.pop()[0]
            self._spanning.append((start, self._column, free))
        return place
