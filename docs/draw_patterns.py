"""Draws ``docs/patterns.svg``."""

from pathlib import Path

import torch

from longdoc.attention import Rows, SparsePattern
from longdoc.attention.picture import to_svg


def picture() -> str:
    """The four patterns of the page as SVG, on rows of 64 tokens."""
    row = torch.empty(1, 64)
    question = torch.arange(64)[None] < 6
    packed = torch.tensor([[0] * 30 + [1] * 20 + [2] * 14])
    whole_blocks = SparsePattern(
        window=4, block=4, block_aligned=True, global_tokens=(), global_blocks=(0, -1), random_blocks=2
    )
    return to_svg(
        [
            ("window 5, token 0 global", SparsePattern(window=5), Rows.of(row, None)),
            ("global_mask: a question", SparsePattern(window=5), Rows.of(row, None, question)),
            ("BigBird: blocks of 4", whole_blocks, Rows.of(row, None)),
            ("document_ids: three documents", SparsePattern(window=5), Rows.of(row, None, None, packed)),
        ]
    )


if __name__ == "__main__":
    (Path(__file__).parent / "patterns.svg").write_text(picture(), encoding="utf-8")
