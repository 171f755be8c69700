"""Sparse attention for long rows of tokens: one pattern, three back ends, any BERT-like checkpoint.

    from longdoc.attention import SparsePattern, sparsify
    sparsify(model, SparsePattern(window=256, global_tokens=(0,)), max_tokens=16384)

``pattern`` defines which token sees which; ``eager``, ``blocked`` (with ``chunks``) and ``flex`` compute it, and
``backends`` chooses between them; ``interface`` installs it in models of transformers, ``longformer`` and ``big_bird``
in the two that have patterns of their own; ``positions`` extends position tables; ``picture`` draws patterns.
"""

from longdoc.attention.backends import Backend
from longdoc.attention.interface import sparsify
from longdoc.attention.pattern import Rows, SparsePattern

__all__ = ["Backend", "Rows", "SparsePattern", "sparsify"]
