"""Masked tokens of a text, and the cross-entropy of a model's predictions for them, in bits.

Dimensions: ``T`` tokens, ``M`` masked tokens, ``D`` width, ``V`` words of the vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import PreTrainedModel

from longdoc.errors import ConfigError
from longdoc.inputs import SpecialTokens, Template
from longdoc.metrics import Bits
from longdoc.windows import tokenize

SHARE = 0.15
"""Share of the tokens that are masked, as in BERT's training."""


@dataclass(frozen=True, slots=True)
class Cloze:
    """A text with some of its tokens masked; the choice does not depend on the row length that it is read with.

    ``ids`` int64 ``(T,)``, without special tokens; ``chosen`` bool ``(T,)``, true for masked tokens; ``characters``
    int64 ``(T,)``, the number of characters in each token.
    """

    ids: np.ndarray
    chosen: np.ndarray
    characters: np.ndarray
    special: SpecialTokens
    mask: int
    """Id of the mask token."""

    @classmethod
    def of(cls, text: str, tokenizer: Any, seed: int = 0) -> Cloze:
        """Masks 15 % of the tokens, never special ones.

        Raises:
            ConfigError: the tokenizer has no mask token, or the text has no words.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None or tokenizer.mask_token_id is None:
            raise ConfigError("the tokenizer has no mask token, or is not a fast one (with a tokenizer.json)")
        backend.no_truncation()
        backend.no_padding()
        tokens = tokenize(text, backend)
        allowed = np.flatnonzero(~np.isin(tokens.ids, tokenizer.all_special_ids))
        if not len(allowed):
            raise ConfigError("the text contains no words that the tokenizer knows; give another text")
        drawn = np.random.default_rng(seed).permutation(allowed)[: math.ceil(SHARE * len(allowed))]
        chosen = np.isin(np.arange(len(tokens)), drawn)
        characters = (tokens.offsets[:, 1] - tokens.offsets[:, 0]).astype(np.int64)
        special = Template.of(backend, tokenizer.pad_token_id or 0).plain
        return cls(tokens.ids.astype(np.int64), chosen, characters, special, tokenizer.mask_token_id)

    @torch.inference_mode()
    def bits(self, network: PreTrainedModel, max_tokens: int) -> Bits:
        """The bits that ``network`` needs for the masked tokens, reading the text in rows of ``max_tokens`` tokens.

        Bits per token are the cross-entropy divided by ln 2: the "BPC" of Longformer's Table 5 (arXiv:2004.05150).
        """
        module: nn.Module = network
        module.float().eval().to("cuda" if torch.cuda.is_available() else "cpu")
        size = max_tokens - len(self.special)
        masked = np.where(self.chosen, self.mask, self.ids)
        total = Bits()
        with tqdm(total=len(masked), unit="token", unit_scale=True, delay=2, leave=False, disable=None) as progress:
            for start in range(0, len(masked), size):
                row = slice(start, start + size)
                positions = np.flatnonzero(self.chosen[row])
                ids = np.concatenate([self.special.prefix, masked[row], self.special.suffix]).astype(np.int64)
                scores = _scores_at(network, ids, positions + len(self.special.prefix))
                wanted = torch.from_numpy(self.ids[row][positions]).to(scores.device)
                nats = cross_entropy(scores, wanted, reduction="none").double().sum().item()
                total += Bits(nats / math.log(2), len(positions), int(self.characters[row][positions].sum()))
                progress.update(len(masked[row]))
        return total


def _scores_at(network: PreTrainedModel, ids: np.ndarray, positions: np.ndarray) -> Tensor:
    """Logits ``(M, V)`` at ``positions``, int64 ``(M,)``, of one row of ids, int64 ``(T,)``.

    Only these states, ``(1, M, D)``, reach the last layer: all tokens' logits of a long row may not fit in memory.
    """
    chosen = torch.from_numpy(positions).to(network.device)
    decoder = network.get_output_embeddings()
    hook = decoder.register_forward_pre_hook(lambda _, states: (states[0][:, chosen],))
    try:
        scores: Tensor = network(input_ids=torch.from_numpy(ids)[None].to(network.device)).logits[0]
    finally:
        hook.remove()
    return scores if len(scores) == len(positions) else scores[chosen]  # MobileBERT does not call its last layer
