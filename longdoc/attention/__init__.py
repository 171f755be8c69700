"""Sparse attention for long rows of tokens: one pattern, three back ends, any checkpoint.

    from longdoc.attention import SparsePattern, sparsify
    sparsify(model, SparsePattern(window=256, global_tokens=(0,)), max_tokens=16384)

``pattern`` says who sees whom; ``eager``, ``blocked`` and ``flex`` compute it, under one name in ``backends``;
``interface`` puts it into models of transformers, ``longformer`` and ``big_bird`` into the two that have a pattern of
their own; ``positions`` lengthens tables.
"""

from longdoc.attention.backends import Backend
from longdoc.attention.interface import sparsify
from longdoc.attention.pattern import Rows, SparsePattern

__all__ = ["Backend", "Rows", "SparsePattern", "sparsify"]
