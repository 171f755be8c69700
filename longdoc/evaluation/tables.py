"""Tables of text in a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from longdoc.metrics.results import Row


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column headings: names first, then numbers."""

    columns: Row
    rows: list[Row]
    totals: frozenset[Row] = frozenset()
    """The rows to emphasise: in Markdown, their cell in column ``bold``."""
    n_names: int = 2
    """The number of columns that hold names; the others are aligned right."""
    bold: int = 2

    def to_markdown(self) -> str:
        """The table in Markdown, without a final newline."""
        align = ["---"] * self.n_names + ["---:"] * (len(self.columns) - self.n_names)
        lines = [_line(self.columns), f"|{'|'.join(align)}|"]
        for row in self.rows:
            escaped = [cell.replace("|", "\\|") for cell in row]
            if row in self.totals:
                escaped[self.bold] = f"**{escaped[self.bold]}**"
            lines.append(_line(escaped))
        return "\n".join(lines)

    def to_html(self) -> str:
        """The table as an HTML element."""
        rows = [f"<tr>{self._cells('th', self.columns)}</tr>"]
        for row in self.rows:
            emphasis = ' class="total"' if row in self.totals else ""
            rows.append(f"<tr{emphasis}>{self._cells('td', row)}</tr>")
        return '<div class="scroll"><table>\n' + "\n".join(rows) + "\n</table></div>"

    def _cells(self, tag: str, row: Row) -> str:
        classes = ["" if position < self.n_names else ' class="n"' for position in range(len(row))]
        return "".join(f"<{tag}{own}>{escape(text)}</{tag}>" for own, text in zip(classes, row, strict=True))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
