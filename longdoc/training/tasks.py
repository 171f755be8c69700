"""What there is to learn: a corpus and the heads that learn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from longdoc.datasets import DatasetConfig
from longdoc.encoders import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """One corpus and the heads that learn from it."""

    heads: tuple[str, ...]
    """Names of the heads; each takes the spans whose labels it has."""
    data: DatasetConfig
    unmarked: tuple[str, ...] = ()
    """Labels of these heads that this corpus leaves unmarked (see ``NerHead.loss``)."""
    weight: float = 1.0
    """Of this task's loss."""
    encoder: Literal["windows", "sparse"] = "windows"
    """How the text reaches the model: with ``sparse``, ``window`` may be as long as a document."""
    nested: Literal["refuse", "longest"] = "refuse"
    """What becomes of spans of one head that overlap: an error, or the longest is learned and the others are not."""
    passes: float = 1.0
    """How often the corpus is read; half a pass reads a random half of its documents."""
    window: int = 256
    """Most positions in a training window, special tokens counted."""
    overlap: int = 32
    """Tokens that neighbouring training windows share."""
    first_tokens: int | None = None
    """Learn from this many tokens at the start of each document only; all of them by default."""
    empty: float = 1.0
    """Share of the windows without any span, or of the questions without any answer, that a pass keeps, drawn anew
    each pass."""
    unanswerable: float = 0.0
    """Share of the questions with an answer that are read again made unanswerable (see ``training.unanswerable``)."""
    negatives: float = 1.0
    """Windows without an answer, or without evidence, that join each of those that hold one (mean number)."""


@dataclass(frozen=True, slots=True)
class Group:
    """Windows that are learned from together, in one frame; and what is right of them.

    ``slices`` are the token ids of each window, ``(T,)``; what ``targets`` holds depends on the kind of the heads.
    """

    task: TaskConfig
    document: str
    """Its name, for messages."""
    slices: tuple[np.ndarray, ...]
    frame: Frame
    targets: dict[str, Any]

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads that learn."""
        return self.task.heads

    def __len__(self) -> int:
        """Positions in a batch."""
        return len(self.slices) * (max(map(len, self.slices)) + len(self.frame))
