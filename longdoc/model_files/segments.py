"""Segment ids (``token_type_ids``) that a tokenizer numbers, but that its checkpoint does not give to its encoder."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer, processors

_TEXTS = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])


def without_segments(tokenizer: Tokenizer) -> None:
    """Sets the segment ids of a tokenizer to 0, in place: those of two texts, and of the special tokens around them.

    A tokenizer of transformers without ``token_type_ids`` among its ``model_input_names`` leaves them out. What
    ``tokenizers`` has of it, and writes into ``tokenizer.json``, numbers them all the same.
    """
    given = tokenizer.post_processor
    record = None if given is None else json.loads(given.__getstate__())
    changed = processors.Sequence([])
    changed.__setstate__(json.dumps(_flat(record)).encode())
    tokenizer.post_processor = changed


def _flat(record: dict[str, Any] | None) -> dict[str, Any]:
    """A post-processor that gives each token the segment 0; ``None`` stands for none."""
    steps = [record] if record is not None and record["type"] != "Sequence" else (record or {}).get("processors", [])
    flat = [_flat_step(step) for step in steps]
    if not any(step["type"] in ("TemplateProcessing", "RobertaProcessing") for step in flat):
        flat.append(_state(_TEXTS))
    return flat[0] if len(flat) == 1 else {"type": "Sequence", "processors": flat}


def _flat_step(step: dict[str, Any]) -> dict[str, Any]:
    if step["type"] == "BertProcessing":  # which numbers the second text 1
        (sep, _), (cls, _) = own = step["sep"], step["cls"]
        pair = [cls, "$A", sep, "$B", sep]
        tokens = [tuple(token) for token in own]
        return _state(processors.TemplateProcessing(single=pair[:3], pair=pair, special_tokens=tokens))
    if step["type"] == "TemplateProcessing":
        return {**step, **{form: [_in_segment_0(piece) for piece in step[form]] for form in ("single", "pair")}}
    return step


def _in_segment_0(piece: dict[str, Any]) -> dict[str, Any]:
    """A part of a template, such as ``{"Sequence": {"id": "B", "type_id": 1}}``, with segment 0."""
    return {kind: {**content, "type_id": 0} for kind, content in piece.items()}


def _state(processor: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(processor.__getstate__())
    return state
