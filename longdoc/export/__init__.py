"""A head of a longdoc model → a folder that transformers and sentence-transformers load; a folder → the hub.

    head ──layers──▶ a model of transformers ──compared on random rows──▶ checkpoint: weights, tokenizer, card

``checkpoint`` is the job, ``layers`` finds the places of a head's weights in the classes of transformers, ``probe``
compares the logits, ``files`` writes what is beside the weights, ``remarks`` says what is not the same, ``card`` is
the model card, and ``upload`` sends a folder to the hub.
"""

from longdoc.export.checkpoint import Exported, to_transformers
from longdoc.export.upload import push

__all__ = ["Exported", "push", "to_transformers"]
