"""Random rows, by which a model of transformers is compared with the head of longdoc that it was made of.

Dimensions: ``B`` rows, ``T`` tokens, ``L`` labels, tags or words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from longdoc.export.layers import calibrated
from longdoc.inputs import Batch
from longdoc.model import Model
from longdoc.vocabulary import special_ids

TOLERANCE = 1e-5
"""Largest difference of two logits, as a share of the largest logit if that is above 1."""
_LENGTHS = (23, 31)
_QUESTION = 5


def random_rows(model: Model, kind: str, size: int) -> Batch[Tensor]:
    """Two rows of random words, ``(2, T)``, the first padded; for questions and hypotheses, with one of some words."""
    rng = np.random.default_rng(0)
    special = special_ids(model.tokenizer)
    words = np.array(sorted({*model.tokenizer.get_vocab(with_added_tokens=True).values()} - special))
    template = model.encoder.template
    around = template.asking(rng.choice(words, _QUESTION).tolist()) if kind in ("qa", "nli") else template.plain
    lengths = [max(1, min(length, size - len(around))) for length in _LENGTHS]
    return model.encoder.batch([rng.choice(words, length) for length in lengths], around)


@torch.no_grad()
def scores_of_longdoc(model: Model, head: str, batch: Batch[Tensor]) -> Tensor:
    """Logits ``(B, T, L)``, or of texts ``(B, L)``, of a head of longdoc, calibrated as its scores; or the states."""
    config: Any = model.config.heads[head]
    module: Any = model.heads[head]
    states: Tensor = model.encoder(**batch.inputs)
    if config.kind == "embed":
        return states
    if config.kind in ("classify", "nli"):
        n_labels = len(config.labels)
        linear = calibrated(module.linear.weight[:n_labels], module.linear.bias[:n_labels], config)
        return torch.nn.functional.linear(module.features(states)[:, 0], *linear)
    logits: Tensor = module(states)
    return logits


@torch.no_grad()
def scores_of_transformers(task: Any, batch: Batch[Tensor]) -> Tensor:
    """The same of a model of transformers: ``(B, T, L)`` or ``(B, L)``."""
    inputs = {name: tensor.long() for name, tensor in batch.inputs.items() if name != "global_mask"}
    output = task(**inputs)
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    found: Tensor = output.logits if "logits" in output else output.last_hidden_state
    return found


def difference(one: Tensor, other: Tensor, batch: Batch[Tensor]) -> float:
    """The largest difference, as a share of the largest logit if that is above 1, of ``(B, T, L)`` or ``(B, L)``."""
    if one.ndim == 3:
        seen = batch.inputs.get("attention_mask", torch.ones(one.shape[:2], dtype=torch.bool))
        one, other = one[seen], other[seen]
    return float((one - other).abs().max()) / max(1.0, float(one.abs().max()))
