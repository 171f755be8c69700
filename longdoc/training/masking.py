"""Masked language modelling (Devlin et al., 2019, arXiv:1810.04805): which tokens to mask, and what to show instead.

A *unit* is what is masked as a whole: a token, or a word. Units come as an array ``(T,)``, the number of each token's
unit, ascending along a row; -1 for tokens that are never masked. Dimensions: ``T`` tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from longdoc.errors import ConfigError
from longdoc.vocabulary import MASKS, special_ids

MASK_SHARE, RANDOM_SHARE = 0.8, 0.1
"""Shares of the chosen tokens that become the mask, and a random token; the others stay as they are."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer's token ids by kind.

    ``mask`` is the id of the mask; ``special`` int64 ``(S,)``, ids that are never chosen or drawn, the mask included;
    ``ordinary`` int64 ``(V,)``, all others.
    """

    mask: int
    special: np.ndarray
    ordinary: np.ndarray

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """Reads a tokenizer's vocabulary; the token for unknown words counts as special.

        Raises:
            ConfigError: the tokenizer has no mask token, or only special tokens.
        """
        mask = next((number for name in MASKS if (number := tokenizer.token_to_id(name)) is not None), None)
        if mask is None:
            raise ConfigError(f"the tokenizer has no mask token ({' or '.join(MASKS)}); start from another base")
        unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
        special = special_ids(tokenizer) | ({unknown} if unknown is not None else set())
        ordinary = sorted(set(tokenizer.get_vocab().values()) - special)
        if not ordinary:
            raise ConfigError("the tokenizer has only special tokens; start from another base")
        return cls(mask, np.array(sorted(special)), np.array(ordinary))


def choose(units: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Chooses the tokens to mask, bool ``(T,)``: random units, as many as fit into the share, at least one.

    Args:
        units: number of each token's unit, int64 ``(T,)``; tokens with -1 are not counted and never chosen.
        share: share of the tokens to choose, from 0 to 1.
        rng: draws the units.
    """
    maskable = units >= 0
    names, unit_of, sizes = np.unique(units[maskable], return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    n_tokens = max(1, round(share * len(unit_of)))
    n_units = max(1, int(np.searchsorted(sizes[order].cumsum(), n_tokens, side="right")))
    drawn = np.zeros(len(names), dtype=bool)
    drawn[order[:n_units]] = True
    chosen = np.zeros(len(units), dtype=bool)
    chosen[maskable] = drawn[unit_of]
    return chosen


def assign_passes(units: np.ndarray, n_passes: int, rng: np.random.Generator) -> np.ndarray:
    """Assigns each unit at random to the one pass in which it is masked.

    Args:
        units: number of each token's unit, int64 ``(T,)``, -1 for tokens that are never masked.
        n_passes: the number of passes; their numbers of units differ by at most one.
        rng: draws the passes.

    Returns:
        The pass of each token, int64 ``(T,)``, from 0; -1 for tokens that are never masked.
    """
    maskable = units >= 0
    names, unit_of = np.unique(units[maskable], return_inverse=True)
    passes = np.full(len(units), -1)
    passes[maskable] = rng.permutation(np.arange(len(names)) % n_passes)[unit_of]
    return passes


def corrupt(ids: np.ndarray, chosen: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """A copy of the token ids in which 80 % of the chosen tokens are the mask and 10 % a random ordinary token.

    The others stay as they are, so that the model cannot tell which tokens it has to predict.

    Args:
        ids: token ids, int64 ``(T,)``.
        chosen: the tokens to predict, bool ``(T,)``.
        vocabulary: the mask, and the tokens to draw from.
        rng: draws what becomes of each token.
    """
    indices = np.flatnonzero(chosen)
    draw = rng.random(len(indices))
    random_ids = rng.choice(vocabulary.ordinary, len(indices))
    unchanged_or_random = np.where(draw < MASK_SHARE + RANDOM_SHARE, random_ids, ids[indices])
    shown: np.ndarray = ids.copy()
    shown[indices] = np.where(draw < MASK_SHARE, vocabulary.mask, unchanged_or_random)
    return shown
