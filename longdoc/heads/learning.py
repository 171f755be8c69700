"""What heads learn from: a task, and groups of windows with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import DatasetConfig, Example
from longdoc.errors import ConfigError
from longdoc.inputs import SpecialTokens
from longdoc.windows import Tokens, sentence_starts, token_range, tokenize

IGNORED = -100
"""Target of a position that is not learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """One data set and the heads that learn from it."""

    heads: tuple[str, ...]
    """Names of the heads; each takes the spans whose labels it has."""
    data: DatasetConfig
    """The data set; ``reader`` decides which other keys are allowed."""
    unmarked: tuple[str, ...] = ()
    """Labels of these heads that the data set does not annotate: a word without a label may have one of them."""
    weight: float = 1.0
    """Factor of this task's loss."""
    class_weights: dict[str, float] = field(default_factory=dict)
    """Factors of the loss of labels, 1 for those that are left out, as in `{JUDGE: 4.0}`; for heads of kind ``ner``,
    ``O`` is the words outside of all entities. Heads of kind ``ner``, ``spans`` and ``classify`` have it."""
    encoder: Literal["windows", "sparse"] = "windows"
    """Encoder to train with; with ``sparse``, ``window`` may be as long as a document."""
    nested: Literal["refuse", "longest"] = "refuse"
    """Overlapping spans of one head: an error, or only the longest is learned."""
    passes: float = 1.0
    """Passes over the data set; half a pass reads a random half of its documents."""
    window: int = 256
    """Maximum positions in a training window, special tokens included."""
    overlap: int = 32
    """Tokens that neighbouring training windows share."""
    first_tokens: int | None = None
    """Learn only from this many tokens at the start of each document; all of them by default."""
    empty: float = 1.0
    """Share of the windows without spans, or of the questions without answers, kept in each pass, at random."""
    unanswerable: float = 0.0
    """Share of the answerable questions that are also learned in an unanswerable version: with another name or
    number in the question, or without the sentences of the answer in the text."""
    negatives: float = 1.0
    """Mean number of windows without an answer, or without evidence, learned with each window that has one."""

    def __post_init__(self) -> None:
        if not self.heads or len(set(self.heads)) < len(self.heads):
            raise ConfigError(
                f"a task's heads must be distinct names, at least one; got {', '.join(self.heads) or 'none'}"
            )
        if not 0 < self.passes < inf:
            raise ConfigError(f"a task's passes must be above 0; got {self.passes}")
        for name in ("weight", "overlap", "negatives"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"a task's {name} must be at least 0; got {getattr(self, name)}")
        for label, factor in self.class_weights.items():
            if not 0 <= factor < inf:
                raise ConfigError(f"a task's class_weights must be at least 0; got {factor} for {label}")
        for name in ("empty", "unanswerable"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"a task's {name} is a share, from 0 to 1; got {getattr(self, name)}")
        if self.first_tokens is not None and self.first_tokens < 1:
            raise ConfigError(f"a task's first_tokens must be at least 1; got {self.first_tokens}")

    def weights_of(self, labels: Sequence[str]) -> np.ndarray | None:
        """Factors of the loss of these labels, float32 ``(L,)``; None if all are 1."""
        if not self.class_weights:
            return None
        return np.array([self.class_weights.get(label, 1.0) for label in labels], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Group:
    """Windows that are learned from together, with the same special tokens, and their targets.

    ``slices`` are the token ids of each window, int ``(T,)``; the content of ``targets`` depends on the kind of head.
    """

    task: TaskConfig
    document: str
    """Its name, for messages."""
    slices: tuple[np.ndarray, ...]
    special: SpecialTokens
    targets: dict[str, Any]

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads that learn."""
        return self.task.heads

    def __len__(self) -> int:
        """Positions in a batch."""
        return len(self.slices) * (max(map(len, self.slices)) + len(self.special))


@dataclass(frozen=True, slots=True)
class TokenizedExample:
    """A tokenised document and the token indices at which it is best cut, int ``(N,)``, ascending."""

    example: Example
    tokens: Tokens
    cuts: np.ndarray

    @classmethod
    def of(cls, example: Example, tokenizer: Tokenizer) -> TokenizedExample:
        """Tokenises an example."""
        tokens = tokenize(example.text, tokenizer)
        return cls(example, tokens, sentence_starts(example.text, tokens.offsets))


def token_span(start: int, end: int, tokens: Tokens) -> tuple[int, int]:
    """First and last token, both inclusive, of the characters ``start:end``; the last one if there is none."""
    first, stop = token_range(tokens, start, end)
    return min(first, stop - 1), stop - 1


def passes_over(items: Sequence[Any], passes: float, rng: np.random.Generator) -> Iterator[Any]:
    """The items, in order, ``passes`` times; for a fraction of a pass, a random share."""
    for number in range(int(np.ceil(passes))):
        for item in items:
            if rng.random() < passes - number:
                yield item


def group_numbers(groups: Sequence[Group]) -> np.ndarray:
    """Number of the group that each window belongs to, int64 ``(B,)``."""
    return np.repeat(np.arange(len(groups), dtype=np.int64), [len(group.slices) for group in groups])
