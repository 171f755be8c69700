"""What longdoc does with a head, and a class of transformers does not: told when it is exported, and in its card."""

from __future__ import annotations

from typing import Any

from longdoc.decode import Calibration
from longdoc.export.files import length
from longdoc.model import Model


def remarks(model: Model, head: str, task: Any) -> tuple[str, ...]:
    """Sentences on what is not the same, or must be known to get the same.

    Args:
        model: a model of longdoc.
        head: one of its heads.
        task: the head as a model of transformers.
    """
    config: Any = model.config.heads[head]
    found = [
        f"Rows have at most {length(model, head)} tokens, as in training (`model_max_length`). longdoc cuts longer "
        "texts into windows that overlap, and combines their scores.",
        *_OF_KIND[config.kind](config),
    ]
    settings: Any = task.config
    if model.config.sparse.pattern is not None or getattr(settings, "sparse_attention", None):
        found.append(
            "Attention is dense here; longdoc also reads long rows with sparse attention (`encoder='sparse'`)."
        )
    if config.kind in ("classify", "nli"):
        found.append(
            "The layer before the classes only passes on the state of the first token, scaled or shifted so that its "
            "activation changes nothing in float32. Do not go on training from here, but in longdoc."
        )
    return tuple(found)


def _ner(config: Any) -> list[str]:
    taken = {"mean": "mean of the scores", "first": "scores of the first", "max": "highest score"}[config.subwords]
    found = [
        f"The class scores tokens by the tags of the scheme {config.scheme.upper()}. longdoc takes the {taken} of a "
        "word's tokens, and decodes the best valid sequence of tags."
    ]
    if config.calibration != Calibration():
        found.append("longdoc's scores of entities are calibrated; those of the class are not.")
    if config.introduced:
        found.append(f"longdoc drops names that are mentioned late only: {', '.join(config.introduced)}.")
    return found


def _qa(config: Any) -> list[str]:
    return [
        "The question is the first text, the document the second. Start and end at the first token mean that there is "
        "no answer in the row.",
        "longdoc compares the logits of all windows of a document, and its scores of answers are calibrated.",
    ]


def _classes(config: Any) -> list[str]:
    found = ["longdoc's calibration of the scores is part of the weights."] * (config.calibration != Calibration())
    combined = {
        "mean": "the mean",
        "max": "the maximum",
        "attention": "a mean weighted by attention, which is left out,",
    }
    return [*found, f"Of a text of several windows, longdoc takes {combined[config.pooling]} of their logits."]


def _classify(config: Any) -> list[str]:
    found = _classes(config)
    if config.multi_label:
        found.append("A text has every class with a score of at least 0.5, by the sigmoid of its logit.")
    if config.unit == "section":
        found.append("The head was made for sections of documents, each by itself.")
    if config.other is not None:
        found.append(f"{config.other!r} stands for everything else; longdoc does not report it.")
    return found


def _nli(config: Any) -> list[str]:
    return [*_classes(config), "The hypothesis is the first text, the document the second."]


def _embed(config: Any) -> list[str]:
    rule = {"mean": "mean of all states", "cls": "first state"}.get(config.pooling, f"pooling {config.pooling}")
    length_one = ", divided by its length" if config.normalize else ""
    return [
        f"The vector is the {rule}{length_one}; of a long text, longdoc takes the mean of its windows.",
        "If the class has a pooler, transformers says that its weights are missing: do not use `pooler_output`.",
    ]


def _fill(config: Any) -> list[str]:
    return []


_OF_KIND = {"ner": _ner, "qa": _qa, "classify": _classify, "nli": _nli, "embed": _embed, "fill": _fill}
