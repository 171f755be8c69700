"""Checkpoints of transformers and sentence-transformers, from a folder or the hub → models.

The encoder of a task model (``AutoModelForTokenClassification`` and the like) becomes the encoder of a longdoc model,
and what remains of the task model becomes its head: ``checkpoints`` puts the model together, ``heads`` wraps the task
model, ``configs`` translates the configurations, ``tags`` the names of tags, ``vectors`` the modules of
sentence-transformers.
"""

from longdoc.hub.checkpoints import load_checkpoint

__all__ = ["load_checkpoint"]
