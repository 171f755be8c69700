"""How well an encoder predicts held-out texts: each token is masked once and predicted from its context."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from longdoc.devices import device_of
from longdoc.metrics import Bits
from longdoc.training.learner import Learner, to_device
from longdoc.training.masked import Collator
from longdoc.training.masking import assign_passes
from longdoc.training.rows import ReadText, Row


@dataclass(frozen=True, slots=True)
class Cloze:
    """Held-out rows, each of whose units is masked in exactly one of ``n_passes`` passes, always in the same one."""

    batches: Sequence[Sequence[Row]]
    collator: Collator
    mask: int
    """Token id of the mask."""
    n_passes: int

    def __len__(self) -> int:
        return len(self.batches) * self.n_passes

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Batches as ``Learner.forward`` takes them, each with the number of characters masked in it."""
        form = self.collator.form
        for number, rows in enumerate(self.batches):
            rng = np.random.default_rng(number)
            assigned = [assign_passes(form.units(row), self.n_passes, rng) for row in rows]
            for current in range(self.n_passes):
                chosen = [passes == current for passes in assigned]
                shown = [np.where(own, self.mask, form.ids(row)) for row, own in zip(rows, chosen, strict=True)]
                n_characters = sum(int(form.characters(row)[own].sum()) for row, own in zip(rows, chosen, strict=True))
                if any(own.any() for own in chosen):
                    yield self.collator(rows, shown, chosen), n_characters


def cloze(
    texts: Sequence[ReadText], collator: Collator, mask: int, *, masked: float, n_characters: int, batch_tokens: int
) -> Cloze:
    """The beginnings of texts, ``n_characters`` at most in total, divided as evenly as their lengths allow.

    Args:
        texts: the held-out texts.
        collator: makes the batches.
        mask: token id of the mask.
        masked: share of the tokens that are masked together; ``round(1 / masked)`` passes mask each token once.
        n_characters: maximum number of characters to measure, white space not counted.
        batch_tokens: maximum number of tokens in a batch.
    """
    form = replace(collator.form, overlap=0)
    remaining, pieces = n_characters, []
    for number, text in enumerate(sorted(texts, key=lambda text: int(text.characters.sum()))):
        beginning = text.first(remaining // (len(texts) - number))
        remaining -= int(beginning.characters.sum())
        pieces += list(form.pieces(beginning))
    batches = form.batches(form.rows(pieces), batch_tokens)
    return Cloze(batches, replace(collator, form=form), mask, max(round(1 / masked), 1))


@torch.inference_mode()
def measure(learner: Learner, held_out: Cloze) -> Bits:
    """The bits needed to predict the masked tokens (see ``Pretrained``), computed in float32."""
    device, was_training = device_of("auto"), learner.training
    learner.to(device).eval()
    total = Bits()
    for batch, n_characters in tqdm(held_out, unit="batch", delay=2, leave=False, disable=None):
        del batch["documents"]
        (words,) = (wanted["words"] for wanted in batch["targets"].values())
        nats = learner(**to_device(batch, device))["loss"].item() * len(words)
        total += Bits(nats / math.log(2), len(words), n_characters)
    learner.train(was_training)
    return total
