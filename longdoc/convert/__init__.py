"""Converts a checkpoint for short rows into one for long rows with sparse attention: ``longdoc convert``.

    weights ──copy──▶ the same, with the position table repeated
    config.json ──copy──▶ the same, with the new length and the sparse pattern
    text ──mask 15 %──▶ bits before (dense, short rows) and after (sparse, long rows)

``conversion`` is the job, ``checkpoint`` reads and writes the files, ``longformer`` turns BERT or RoBERTa into a
Longformer, ``cloze`` measures the bits.
"""

from longdoc.convert.conversion import Conversion, convert

__all__ = ["Conversion", "convert"]
