"""Rows → batches for masked-language modelling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from longdoc.encoders import Encoder
from longdoc.training.masking import Vocabulary, choose, corrupt
from longdoc.training.rows import ReadText, Row, RowForm


@dataclass(frozen=True, slots=True)
class Collator:
    """Makes a batch of rows and their masks: the arguments of ``Learner.forward``, and the names of the texts."""

    encoder: Encoder
    head: str
    """Name of the head that predicts the masked tokens."""
    form: RowForm

    def __call__(
        self, rows: Sequence[Row], shown: Sequence[np.ndarray], chosen: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        """A batch of ``B`` rows, padded to ``T`` positions, with ``N`` tokens to predict.

        Args:
            rows: the rows.
            shown: token ids of each row as the encoder sees them, int64 ``(T,)`` (see ``RowForm.ids``).
            chosen: which of these tokens to predict, bool ``(T,)``.

        Returns:
            ``inputs``, the encoder's, each int64 or bool ``(B, T)``; ``targets``, for the head: ``masked`` bool
            ``(B, T)`` and ``words`` int64 ``(N,)``; ``weight``, ``period`` and ``documents``, the names of the texts.
        """
        batch = self.encoder.batch(shown, self.form.special)
        shape = batch.inputs["input_ids"].shape
        masked, documents = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.int64)
        for number, (row, first, own) in enumerate(zip(rows, batch.firsts, chosen, strict=True)):
            masked[number, first : first + len(own)] = torch.from_numpy(own)
            indices = torch.from_numpy(self.form.documents(row))
            documents[number] = indices[-1]  # padding counts as the last piece: document ids must ascend
            documents[number, : len(indices)] = indices
        words = np.concatenate([self.form.ids(row)[own] for row, own in zip(rows, chosen, strict=True)])
        return {
            "inputs": batch.inputs | ({"document_ids": documents} if self.form.period else {}),
            "targets": {self.head: {"masked": masked, "words": torch.from_numpy(words)}},
            "weight": 1.0,
            "period": self.form.period,
            "documents": list(dict.fromkeys(piece.text.name for row in rows for piece in row)),
        }


@dataclass(frozen=True)
class MaskedBatches(Dataset[dict[str, Any]]):
    """The batches of a training run, in order. The mask of a batch depends on ``seed`` and its number alone."""

    batches: Sequence[Sequence[Row]]
    numbers: Sequence[int]
    """Indices of the batches of this process."""
    collator: Collator
    vocabulary: Vocabulary
    masked: float
    """Share of the tokens to mask."""
    seed: int

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = self.numbers[index]
        rng = np.random.default_rng((self.seed, number))
        rows, form = self.batches[number], self.collator.form
        chosen = [choose(form.units(row), self.masked, rng) for row in rows]
        shown = [corrupt(form.ids(row), own, self.vocabulary, rng) for row, own in zip(rows, chosen, strict=True)]
        return self.collator(rows, shown, chosen)

    def share(self, rank: int, n_processes: int) -> MaskedBatches:
        """Every ``n_processes``-th batch from ``rank`` on; the first batches fill up what does not divide evenly."""
        padded = [*self.numbers, *self.numbers[: -len(self.numbers) % n_processes]]
        return replace(self, numbers=padded[rank::n_processes])


def masked_batches(
    texts: Sequence[ReadText],
    collator: Collator,
    vocabulary: Vocabulary,
    *,
    passes: float,
    masked: float,
    batch_tokens: int,
    seed: int,
) -> MaskedBatches:
    """All batches of a training run in random order; each pass has other cut points and other masks."""
    rng = np.random.default_rng(seed)
    form = collator.form
    rows: list[Row] = []
    for number in range(math.ceil(passes)):
        read = [text for text in texts if rng.random() < passes - number]
        rows += form.rows([piece for text in read for piece in form.pieces(text, rng)])
    rows = [rows[index] for index in rng.permutation(len(rows))]  # so that a batch mixes texts
    batches = form.batches(rows, batch_tokens)
    batches = [batches[index] for index in rng.permutation(len(batches))]
    return MaskedBatches(batches, range(len(batches)), collator, vocabulary, masked, seed)
