"""A pattern as a picture: rows are queries, columns are keys, and the colour is the reason why a query sees a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from longdoc.attention.pattern import Rows, SparsePattern

COLOURS = {"window": "#2a9d8f", "global": "#e9a23b", "random": "#7b5ea7"}
_CELL = 4


def to_svg(panels: Sequence[tuple[str, SparsePattern, Rows]]) -> str:
    """Patterns side by side as an SVG image, each with its name above; the first row of each ``rows`` is drawn."""
    sizes = [rows.seen.shape[1] * _CELL for _, _, rows in panels]
    width, height = sum(sizes) + 28 * len(panels), max(sizes) + 66
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#333">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    left = 14
    for (name, pattern, rows), size in zip(panels, sizes, strict=True):
        parts.append(f'<text x="{left}" y="20">{name}</text><g transform="translate({left} 30)">')
        parts.append(f'<rect width="{size}" height="{size}" fill="#f1f1ee"/>')
        for reason, seen in reasons(pattern, rows).items():
            parts += _runs(seen, COLOURS[reason])
        parts.append("</g>")
        left += size + 28
    for index, (reason, colour) in enumerate(COLOURS.items()):
        x = 14 + 90 * index
        parts.append(f'<rect x="{x}" y="{height - 24}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{height - 13}">{reason}</text>')
    return "\n".join([*parts, "</svg>", ""])


def reasons(pattern: SparsePattern, rows: Rows) -> dict[str, Tensor]:
    """The visible pairs of the first row by reason, bool ``(T, T)`` each; no pair has two reasons."""
    visible = pattern.dense(rows)[0, 0]
    is_global = pattern.globals_of(rows)[0]
    everywhere = visible & (is_global[:, None] | is_global[None, :])
    alone = replace(pattern, random_blocks=0, as_transformers=False)
    window = alone.dense(rows)[0, 0] & ~everywhere
    return {"window": window, "global": everywhere, "random": visible & ~window & ~everywhere}


def _runs(seen: Tensor, colour: str) -> list[str]:
    """One SVG rectangle for each run of neighbouring keys in ``seen``, bool ``(T, T)``."""
    rectangles = []
    for query, row in enumerate(seen):
        borders = torch.diff(row.int(), prepend=torch.zeros(1), append=torch.zeros(1)).nonzero().flatten().tolist()
        for start, stop in zip(borders[::2], borders[1::2], strict=True):
            area = f'x="{start * _CELL}" y="{query * _CELL}" width="{(stop - start) * _CELL}"'
            rectangles.append(f'<rect {area} height="{_CELL}" fill="{colour}"/>')
    return rectangles
