"""Words left out of a text, and what it costs a model to guess them.

Letters of shapes: ``T`` tokens, ``M`` masked tokens, ``D`` width, ``L`` words of the vocabulary.
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

from longdoc.encoders import Frame, Template
from longdoc.errors import ConfigError
from longdoc.metrics import Bits
from longdoc.windows import tokenize

SHARE = 0.15
"""Of the tokens, masked: what BERT was trained with."""


@dataclass(frozen=True, slots=True)
class Cloze:
    """A text with some of its tokens masked: the same ones, however long the rows are that it is read in.

    ``ids`` int64 ``(T,)``; ``chosen`` bool ``(T,)``, the masked ones; ``characters`` int64 ``(T,)``, of each token.
    """

    ids: np.ndarray
    chosen: np.ndarray
    characters: np.ndarray
    special: Frame
    mask: int

    @classmethod
    def of(cls, text: str, tokenizer: Any, seed: int = 0) -> Cloze:
        """Chooses 15 % of the tokens, special ones left out.

        Raises:
            ConfigError: the tokenizer has no mask token, or the text no words.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None or tokenizer.mask_token_id is None:
            raise ConfigError("the tokenizer has no mask token, or is not of the kind that has a tokenizer.json")
        backend.no_truncation()
        backend.no_padding()
        tokens = tokenize(text, backend)
        allowed = np.flatnonzero(~np.isin(tokens.ids, tokenizer.all_special_ids))
        if not len(allowed):
            raise ConfigError("the text holds no words that the tokenizer knows; give another")
        drawn = np.random.default_rng(seed).permutation(allowed)[: math.ceil(SHARE * len(allowed))]
        chosen = np.isin(np.arange(len(tokens)), drawn)
        characters = (tokens.offsets[:, 1] - tokens.offsets[:, 0]).astype(np.int64)
        special = Template.of(backend, tokenizer.pad_token_id or 0).plain
        return cls(tokens.ids.astype(np.int64), chosen, characters, special, tokenizer.mask_token_id)

    @torch.inference_mode()
    def bits(self, network: PreTrainedModel, max_tokens: int) -> Bits:
        """What the masked tokens cost ``network``, which reads the text in rows of ``max_tokens``, one after another.

        Bits a token are the cross-entropy over ln 2: the "BPC" of Longformer's Table 5 (arXiv:2004.05150).
        """
        module: nn.Module = network
        module.float().eval().to("cuda" if torch.cuda.is_available() else "cpu")
        size = max_tokens - len(self.special)
        masked = np.where(self.chosen, self.mask, self.ids)
        total = Bits()
        with tqdm(total=len(masked), unit="token", unit_scale=True, delay=2, leave=False, disable=None) as progress:
            for start in range(0, len(masked), size):
                row = slice(start, start + size)
                places = np.flatnonzero(self.chosen[row])
                ids = np.concatenate([self.special.prefix, masked[row], self.special.suffix]).astype(np.int64)
                scores = _scores_at(network, ids, places + len(self.special.prefix))
                wanted = torch.from_numpy(self.ids[row][places]).to(scores.device)
                nats = cross_entropy(scores, wanted, reduction="none").double().sum().item()
                total += Bits(nats / math.log(2), len(places), int(self.characters[row][places].sum()))
                progress.update(len(masked[row]))
        return total


def _scores_at(network: PreTrainedModel, ids: np.ndarray, places: np.ndarray) -> Tensor:
    """Scores ``(M, L)`` of the words at ``places`` ``(M,)`` of one row ``(T,)``.

    Only these states ``(1, M, D)`` reach the last layer: the scores of all tokens of a long row may not fit in memory.
    """
    chosen = torch.from_numpy(places).to(network.device)
    decoder = network.get_output_embeddings()
    hook = decoder.register_forward_pre_hook(lambda _, states: (states[0][:, chosen],))
    try:
        scores: Tensor = network(input_ids=torch.from_numpy(ids)[None].to(network.device)).logits[0]
    finally:
        hook.remove()
    return scores if len(scores) == len(places) else scores[chosen]  # MobileBERT multiplies by its last layer itself
