"""Sparse attention for long rows of tokens: one pattern, three back ends, any BERT-like checkpoint.

    from longdoc.attention import SparsePattern, sparsify
    sparsify(model, SparsePattern(window=256, global_tokens=(0,)), max_tokens=16384)

``pattern`` defines which token sees which; ``eager``, ``blocked`` (with ``chunks``) and ``flex`` compute it, and
``backends`` chooses between them; ``interface`` installs it in models of transformers, ``longformer`` and ``big_bird``
in the two that have patterns of their own; ``positions`` extends position tables; ``picture`` draws patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longdoc.attention.pattern import Rows, SparsePattern

if TYPE_CHECKING:
    from longdoc.attention.backends import Backend
    from longdoc.attention.interface import sparsify

__all__ = ["Backend", "Rows", "SparsePattern", "sparsify"]


def __getattr__(name: str) -> Any:
    """Imports on first use what loads transformers, two seconds of the start of a program that does without it."""
    if name == "sparsify":
        from longdoc.attention.interface import sparsify

        return sparsify
    if name == "Backend":
        from longdoc.attention.backends import Backend

        return Backend
    raise AttributeError(f"module 'longdoc.attention' has no attribute {name!r}; it has {', '.join(__all__)}")
