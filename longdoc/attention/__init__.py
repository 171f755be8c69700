"""Sparse attention for long rows of tokens: one pattern, three back ends, any checkpoint.

    from longdoc.attention import SparsePattern, sparsify
    sparsify(model, SparsePattern(window=256, global_tokens=(0,)), max_tokens=16384)

``pattern`` says who sees whom; ``eager``, ``blocked`` and ``flex`` compute it; ``interface`` puts it into models of
transformers, ``longformer`` and ``big_bird`` into the two that have a pattern of their own; ``positions`` lengthens tables.
"""

from longdoc.attention.interface import Backend, sparsify
from longdoc.attention.pattern import Rows, SparsePattern

__all__ = ["Backend", "Rows", "SparsePattern", "sparsify"]
