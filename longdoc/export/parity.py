"""An exported graph compared with torch: the scores of every head on the windows of a contract.

Dimensions: ``B`` windows, ``T`` tokens, ``L`` outputs of a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longdoc.compute import TorchScorer
from longdoc.document import Document
from longdoc.exported import ExportedModel
from longdoc.inputs import Batch
from longdoc.model import Model
from longdoc.reader import Reader

TOLERANCE = 1e-4
"""Largest difference of two scores in float32, as a share of the largest score if that is above 1."""
TEXT = Path(__file__).parents[1] / "assets" / "export" / "contract.txt"
"""The start of a contract."""
QUESTION = "Which law governs this agreement?"
_TOGETHER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How much the scores of a graph differ from those of torch in float32."""

    n_tokens: int
    """Tokens of the text that were compared."""
    tolerance: float | None
    """The largest difference that is allowed; None for int8."""
    differences: dict[str, float]
    """By head, the largest difference, as a share of the largest score if that is above 1."""

    def __str__(self) -> str:
        lines = [f"  {head}: {difference:.1e}" for head, difference in self.differences.items()]
        return "\n".join(lines)


def parity(model: Model, exported: ExportedModel) -> Parity:
    """Compares an exported graph with the model that it was made of, computed in float32.

    Args:
        model: the model.
        exported: its export.
    """
    record = exported.record
    scorer = TorchScorer(model, device="cpu", precision="float32", encoder=record.encoder)
    reader = Reader(scorer)
    document = Document.from_text(TEXT.read_text(encoding="utf-8"), name=TEXT.name)
    differences: dict[str, list[float]] = {head: [] for head in record.outputs}
    for heads in _groups(reader, list(record.outputs)):
        for batch in _batches(reader, document, heads):
            wanted = scorer.scores(batch.inputs, heads, reader.trained_windows(heads[0]).size)()
            found = exported.scores(batch.inputs, heads)
            for head in heads:
                differences[head].append(difference(wanted[head], found[head], batch))
    return Parity(
        n_tokens=len(reader.tokenize(document)),
        tolerance=TOLERANCE if record.precision == "float32" else None,
        differences={head: float(np.max(found)) for head, found in differences.items()},
    )


def _groups(reader: Reader, heads: list[str]) -> Iterator[list[str]]:
    """Heads that read the same windows: those that ask or have a prompt by themselves."""
    plain = [head for head in heads if not _asks(reader, head) and not reader.scorer.prompt(head)]
    yield from reader.read_together(plain)
    yield from ([head] for head in heads if head not in plain)


def _asks(reader: Reader, head: str) -> bool:
    return reader.config.heads[head].kind in ("qa", "nli")


def _batches(reader: Reader, document: Document, heads: list[str]) -> Iterator[Batch[np.ndarray]]:
    """The windows of a text: the first alone, then all, several together, and one with padding after it."""
    question = QUESTION if _asks(reader, heads[0]) else None
    reading = reader.read(document, reader.tokenize(document), heads, question=question)
    slices = [reading.tokens.ids[window.start : window.end] for window in reading.windows]
    slices.append(slices[0][: len(slices[0]) // 2 + 1])
    yield reader.scorer.form.batch(slices[:1], reading.special)
    for first in range(0, len(slices), _TOGETHER):
        yield reader.scorer.form.batch(slices[first : first + _TOGETHER], reading.special)


def difference(one: np.ndarray, other: np.ndarray, batch: Batch[np.ndarray]) -> float:
    """The largest difference of ``(B, T, L)``, padding left out, or ``(B, 1, L)``, relative to the largest of ``one``.

    Scores of at most 1 are compared as they are. It is infinite if a number is not finite, or the shapes differ.
    """
    if one.shape != other.shape:
        return float("inf")
    if "attention_mask" in batch.inputs and one.shape[1] > 1:
        seen = batch.inputs["attention_mask"]
        one, other = one[seen], other[seen]
    found = float(np.abs(one - other).max()) / max(1.0, float(np.abs(one).max()))
    return found if np.isfinite(found) else float("inf")
