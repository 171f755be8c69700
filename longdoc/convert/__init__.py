"""A checkpoint that reads short rows → one that reads long rows with sparse attention: ``longdoc convert``.

    weights ──copy──▶ the same, with the position table repeated
    config.json ──copy──▶ the same, with the new length and the pattern
    text ──mask 15 %──▶ bits before (dense, short rows) and after (sparse, long rows)

``conversion`` does it, ``checkpoint`` reads and writes the files, ``longformer`` makes a Longformer of BERT or RoBERTa,
``cloze`` counts the bits.
"""

from longdoc.convert.conversion import Conversion, convert

__all__ = ["Conversion", "convert"]
