"""A tokenised example, as questions and classes are learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Example
from longdoc.windows import Tokens, sentence_starts, tokenize


@dataclass(frozen=True, slots=True)
class ReadExample:
    """A tokenised document and where it may be cut."""

    example: Example
    tokens: Tokens
    cuts: np.ndarray

    @classmethod
    def of(cls, example: Example, tokenizer: Tokenizer) -> ReadExample:
        """Tokenises an example."""
        tokens = tokenize(example.text, tokenizer)
        return cls(example, tokens, sentence_starts(example.text, tokens.offsets))


def token_span(start: int, end: int, tokens: Tokens) -> tuple[int, int]:
    """First and last token, both inclusive, of the characters ``start:end``."""
    first = int(np.searchsorted(tokens.offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(tokens.offsets[:, 0], end, side="left")) - 1
    return min(first, last), last
