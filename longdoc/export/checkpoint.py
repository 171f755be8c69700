"""One head of a longdoc model → a folder in the format of transformers: ``longdoc export --to transformers``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import transformers

from longdoc.errors import ConfigError
from longdoc.export import files, probe
from longdoc.export.card import card_of_head
from longdoc.export.layers import weights_for
from longdoc.export.remarks import remarks
from longdoc.heads import kind_of
from longdoc.labels import tag_names
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.model_files import encoder_config
from longdoc.pretrained import quiet
from longdoc.sources import load_model

CLASSES = {
    "ner": transformers.AutoModelForTokenClassification,
    "qa": transformers.AutoModelForQuestionAnswering,
    "classify": transformers.AutoModelForSequenceClassification,
    "nli": transformers.AutoModelForSequenceClassification,
    "fill": transformers.AutoModelForMaskedLM,
    "embed": transformers.AutoModel,
}
"""The classes of transformers that have a head of a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A folder in the format of transformers."""

    folder: Path
    head: str
    architecture: str
    """The class of transformers."""
    remarks: tuple[str, ...]
    """What longdoc does with the head and the class does not."""

    def __str__(self) -> str:
        what = "\n".join(f"- {remark}" for remark in self.remarks)
        return f"{self.folder}: {self.head} as {self.architecture}, with equal logits. To know:\n{what}"


def to_transformers(
    model: str | PathLike[str],
    output: str | PathLike[str],
    *,
    head: str | None = None,
    base: str | None = None,
    licence: str | None = None,
) -> Exported:
    """Writes a folder that ``from_pretrained`` of transformers loads, and of vectors sentence-transformers.

    The logits are compared with the head's before anything is written. ``Pipeline.from_pretrained`` reads the folder
    again, with the results of the head here, by its ``longdoc.json``.

    Args:
        model: ``"default"``, or the folder or hub id of a model that ``Model.save`` or ``longdoc train`` wrote.
        output: folder to write; it must not exist, or be empty.
        head: name of the head; it may be left out if there is one.
        base: what the encoder was before training, and
        licence: of the weights, for the model card.

    Raises:
        ConfigError: no class of transformers computes what the head does, or the folder cannot be written.
    """
    loaded = load_model(model)
    name = _chosen(loaded, head, str(model))
    if loaded.config.sparse.windows:
        raise ConfigError(
            f"{model} reads windows with sparse attention (sparse.windows), and its class of transformers would read "
            "them with dense attention; export it as a graph (--to onnx), or use it in longdoc"
        )
    loaded = loaded.adapted(name)
    batch = probe.random_rows(loaded, loaded.config.heads[name].kind, files.length(loaded, name))
    task = _task(loaded, name, batch)
    told = remarks(loaded, name, task)
    exported = Exported(folder=Path(output), head=name, architecture=type(task).__name__, remarks=told)
    card = card_of_head(loaded, name, exported.architecture, told, base=base, licence=licence)
    with files.new_folder(exported.folder) as folder, quiet():
        task.save_pretrained(folder)
        files.write_tokenizer(folder, loaded, name)
        files.write_modules(folder, loaded, name)
        files.write_settings(folder, _settings(loaded.config, name))
        (folder / "README.md").write_text(card, encoding="utf-8")
    return exported


def _chosen(model: Model, head: str | None, where: str) -> str:
    """The head to export, which has a class in transformers."""
    heads = model.config.heads
    own = {name: kind_of(config).module() for name, config in heads.items()}
    if foreign := [name for name, module in model.heads.items() if not isinstance(module, own[name])]:
        raise ConfigError(
            f"{where} is a checkpoint of transformers, with its own head {', '.join(foreign)}, and transformers loads "
            "it as it is"
        )
    can = [name for name, config in heads.items() if not _obstacle(config)]
    if head is None and len(heads) > 1:
        raise ConfigError(
            f"{where} has several heads, and a folder of transformers has one: name it (--head, head=), one "
            f"of {', '.join(can) or 'none'}"
        )
    name = head or next(iter(heads))
    if name not in heads:
        raise ConfigError(f"{where} has no head {name!r}; those that can be exported are {', '.join(can) or 'none'}")
    if obstacle := _obstacle(heads[name]):
        raise ConfigError(
            f"{where}: the head {name} {obstacle}, which no class of transformers does; use it in longdoc. Heads that "
            f"can be exported: {', '.join(can) or 'none'}"
        )
    return name


def _obstacle(config: Any) -> str:
    """What a head does that no class of transformers does; empty if there is nothing."""
    if config.kind not in CLASSES:
        return f"is of the kind {config.kind!r}"
    if getattr(config, "over", "windows") == "tokens":
        return f"scores each token before it combines them (over: tokens, pooling: {config.pooling})"
    return ""


def _task(model: Model, name: str, batch: Any) -> Any:
    """A model of transformers with the weights of the encoder and the head, whose logits are the same."""
    config: Any = model.config.heads[name]
    backbone: Any = model.encoder.backbone
    record = {**backbone.config.to_dict(), "architectures": None, **_labels(config)}
    settings = encoder_config(record, "the encoder")
    chosen: Any = CLASSES[config.kind]
    if type(settings) not in chosen._model_mapping:
        raise ConfigError(f"transformers has no {chosen.__name__} of a {settings.model_type}; use it in longdoc")
    with quiet():
        task = chosen.from_config(settings, trust_remote_code=False).float().eval()
    if config.kind == "embed" and getattr(task, "pooler", None) is not None:
        task.pooler = None  # which would be random
    lacking, unknown = task.base_model.load_state_dict(backbone.state_dict(), strict=False)
    lacking = [each for each in lacking if not each.startswith("pooler.")]
    if lacking or unknown:
        raise ConfigError(f"the encoder does not fit {type(task).__name__}: {', '.join([*lacking, *unknown][:3])}")
    embeddings = backbone.get_input_embeddings()
    if config.kind == "fill" and embeddings.embedding_dim != settings.hidden_size:
        raise ConfigError(
            f"the encoder has embeddings of another width, {embeddings.embedding_dim}, than its states, "
            f"{settings.hidden_size}, so that {name} cannot predict words by them"
        )
    wanted = probe.scores_of_longdoc(model, name, batch)
    for state in weights_for(config.kind, task, model.heads[name], config):
        task.load_state_dict(state, strict=False)
        if probe.difference(wanted, probe.scores_of_transformers(task, batch), batch) <= probe.TOLERANCE:
            return task
    raise ConfigError(
        f"{type(task).__name__} has other layers or another attention than the head {name}, so that its logits would "
        "differ; use the model in longdoc"
    )


def _labels(config: Any) -> dict[str, Any]:
    """Settings of ``config.json`` that follow from the head."""
    found: dict[str, Any] = {"tie_word_embeddings": True} if config.kind == "fill" else {}
    if config.kind in ("ner", "classify", "nli"):
        names = tag_names(config.labels, config.scheme) if config.kind == "ner" else config.labels
        found["id2label"] = {str(number): label for number, label in enumerate(names)}
        found["label2id"] = {label: number for number, label in enumerate(names)}
    if config.kind in ("classify", "nli"):
        several = getattr(config, "multi_label", False)
        found["problem_type"] = "multi_label_classification" if several else "single_label_classification"
    return found


def _settings(config: ModelConfig, name: str) -> ModelConfig:
    """The settings of the head as the folder has it: its calibration may be in the weights, and attention is not."""
    head: Any = config.heads[name]
    if head.kind in ("classify", "nli"):
        plain = type(head.calibration)()
        head = replace(head, calibration=plain, pooling="mean" if head.pooling == "attention" else head.pooling)
    return replace(config, heads={name: head}, heads_for={})
