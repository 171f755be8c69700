"""Architectures whose states of a text need more than the tokens of the text, or depend on more."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_INPUTS = {
    "bbox": "reads the boxes of words",
    "entity_ids": "reads entities beside the words",
    "xpath_tags_seq": "reads the places of words in a page's HTML",
    "visual_feats": "reads pictures",
    "pixel_values": "reads pictures",
    "input_shape_ids": "reads the shapes and sounds of characters",
    "inputs": "reads bytes",
}
"""Arguments that only some encoders have → what such an encoder reads, which longdoc does not pass."""
_OTHERS = {
    "ibert": "numbers positions in a way of its own",
    "funnel": "shortens a text, so that its states are not those of tokens",
    "nystromformer": "reads rows of one length alone",
    "reformer": "computes attention with random numbers",
    "splinter": "answers at a token of its own, [QUESTION]",
    "tapas": "reads tables",
    "xlnet": "reads the end of a text first",
}


def why_unreadable(name: str, known: type[PretrainedConfig], record: Mapping[str, Any]) -> str:
    """Why longdoc does not read an architecture, as a part of a sentence; empty if it may.

    Args:
        name: its ``model_type``.
        known: the class of its configuration.
        record: the content of ``config.json``.
    """
    from transformers import MODEL_MAPPING

    if name in _OTHERS:
        return f", which {_OTHERS[name]}"
    found: Any = MODEL_MAPPING.get(known, ())
    for encoder in found if isinstance(found, tuple) else (found,):
        for argument in signature(encoder.forward).parameters:
            if argument in _INPUTS:
                return f", which {_INPUTS[argument]}: longdoc passes words alone"
    if name == "xmod" and record.get("default_language") is None:
        return " without a default_language: set one in config.json, since longdoc names none"
    if record.get("n_langs", 1) != 1 and record.get("use_lang_emb", True):  # XLM and Flaubert
        return " with embeddings of several languages, and longdoc names none"
    return ""
