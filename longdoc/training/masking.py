"""Words left out of a text to be guessed (masked language modelling; Devlin et al., 2019, arXiv:1810.04805).

A *unit* is what is left out as a whole: a token, or a word. Units come as numbers ``(T,)``, one for each token,
ascending along a row; -1 is the number of what is never left out. Letters of shapes: ``T`` tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from longdoc.errors import ConfigError

MASKS = ("[MASK]", "<mask>")
"""How tokenizers write the token that stands for a word left out."""
HIDDEN, EXCHANGED = 0.8, 0.1
"""Shares of the chosen tokens that become the mask, and any word; the others stay as they are."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer's ids: the mask's, the special ones, which are never chosen or drawn, and all others."""

    mask: int
    special: np.ndarray
    ordinary: np.ndarray

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """Reads them off a tokenizer; the token for unknown words is special as well.

        Raises:
            ConfigError: it has no mask, or nothing but special tokens.
        """
        mask = next((number for name in MASKS if (number := tokenizer.token_to_id(name)) is not None), None)
        if mask is None:
            raise ConfigError(f"the tokenizer has no mask token ({' or '.join(MASKS)}); start from another base")
        added = tokenizer.get_added_tokens_decoder()
        unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
        special = {number for number, token in added.items() if token.special} | {mask}
        special |= set(tokenizer.encode("").ids) | ({unknown} if unknown is not None else set())
        ordinary = sorted(set(tokenizer.get_vocab().values()) - special)
        if not ordinary:
            raise ConfigError("the tokenizer knows no words, only special tokens; start from another base")
        return cls(mask, np.array(sorted(special)), np.array(ordinary))


def choose(units: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Units drawn until one more would exceed ``share`` of the tokens, at least one; bool ``(T,)``.

    Args:
        units: number of each token's unit, ``(T,)``; those of -1 neither count nor are they drawn.
        share: of the tokens, from 0 to 1.
        rng: what draws.
    """
    free = units >= 0
    names, place, sizes = np.unique(units[free], return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    wanted = max(1, round(share * len(place)))
    n_taken = max(1, int(np.searchsorted(sizes[order].cumsum(), wanted, side="right")))
    taken = np.zeros(len(names), dtype=bool)
    taken[order[:n_taken]] = True
    chosen = np.zeros(len(units), dtype=bool)
    chosen[free] = taken[place]
    return chosen


def deal(units: np.ndarray, n_passes: int, rng: np.random.Generator) -> np.ndarray:
    """In which of ``n_passes`` passes each token is left out, int64 ``(T,)``: all of a unit in one; -1 in none."""
    free = units >= 0
    names, place = np.unique(units[free], return_inverse=True)
    dealt = np.full(len(units), -1)
    dealt[free] = rng.permutation(np.arange(len(names)) % n_passes)[place]
    return dealt


def exchange(ids: np.ndarray, chosen: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """Ids ``(T,)`` in which 80 % of the chosen tokens are the mask, 10 % any ordinary token; a copy.

    The rest stays as it is, so that the model cannot know which tokens it is asked for.
    """
    places = np.flatnonzero(chosen)
    lot = rng.random(len(places))
    drawn = rng.choice(vocabulary.ordinary, len(places))
    wanted = np.where(lot < HIDDEN, vocabulary.mask, np.where(lot < HIDDEN + EXCHANGED, drawn, ids[places]))
    shown: np.ndarray = ids.copy()
    shown[places] = wanted
    return shown
