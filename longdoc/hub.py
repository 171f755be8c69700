"""Checkpoints of transformers and sentence-transformers, from the hub or a folder → models.

The encoder of a task model (``AutoModelForTokenClassification`` and its kin) becomes the encoder of a longdoc model.
What remains of the task model becomes a head: in the place of its encoder stands a module that hands on the states it
is given, so that the logits are those of the checkpoint's own class, whatever layers it has.
"""

from __future__ import annotations

import json
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from torch import Tensor, nn
from transformers import AutoConfig
from transformers.models.longformer.modeling_longformer import LongformerBaseModelOutputWithPooling

from longdoc.attention import SparsePattern
from longdoc.attention.positions import n_positions
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, EmbedConfig, EmbedHead, FillConfig, HeadConfig, NerConfig, QaConfig, with_null
from longdoc.labels import OUTSIDE, Scheme, tag_names
from longdoc.model import Model, ModelConfig, SparseConfig, tokenizer_of
from longdoc.windows import WindowConfig

FORMS = {
    "ner": "ForTokenClassification",
    "qa": "ForQuestionAnswering",
    "classify": "ForSequenceClassification",
    "fill": "ForMaskedLM",
}
"""Kind of a head: how the names of the classes end that have one."""
LONG = {"longformer": 4096, "modernbert": 4096, "big_bird": 1024}
"""Windows of encoders that were trained on long rows; those of others have 512 tokens."""


def load_checkpoint(source: str | PathLike[str], kind: str | None = None) -> Model:
    """A model with the one head that a checkpoint has.

    Args:
        source: a folder written by ``save_pretrained``, or the hub's id of one.
        kind: the kind of head wanted; by default what the checkpoint was made for. ``embed`` goes with any encoder.

    Raises:
        ConfigError: there is no such checkpoint, it has no such head, its weights are pickled, or its tokenizer tells
            no offsets.
    """
    config = _config_of(source)
    own = _kind_of(source, config)
    kind = kind or own
    if kind == "embed":
        return _embedding_model(source, config)
    if kind != own or kind not in FORMS:
        raise ConfigError(_no_head(source, config, kind))
    task = _load(source, f"AutoModel{FORMS[kind]}", config)
    encoder = getattr(task, task.base_model_prefix)
    setattr(task, task.base_model_prefix, _Given(encoder))
    size = _window_size(encoder)
    head_config, head = _HEADS[kind](task, size)
    if config.model_type == "longformer" and kind == "classify":
        encoder.register_forward_pre_hook(_first_token_is_global, with_kwargs=True)
    return _model(source, encoder, kind, (head_config, head), size)


class _Given(nn.Module):
    """Stands where a task model has its encoder, and gives out the states that it is given."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.pooler: Any = getattr(encoder, "pooler", None)
        self.activation: Any = getattr(encoder, "pooler_activation", None)
        self.embeddings = encoder.embeddings  # DeBERTa predicts words through them

    def forward(self, input_ids: Tensor | None = None, *_: None, inputs_embeds: Tensor | None = None, **__: Any) -> Any:
        """States ``(B, T, D)``, in whichever argument, as the output of an encoder."""
        states = cast(Tensor, input_ids if inputs_embeds is None else inputs_embeds)
        pooled = None
        if self.pooler is not None:  # a layer in ALBERT, a module that takes the first token itself in BERT
            bare = self.activation is not None
            pooled = self.activation(self.pooler(states[:, 0])) if bare else self.pooler(states)
        return LongformerBaseModelOutputWithPooling(last_hidden_state=states, pooler_output=pooled)


class CheckpointHead(nn.Module):
    """A task model without its encoder."""

    def __init__(self, task: nn.Module, config: HeadConfig) -> None:
        super().__init__()
        self.task = task
        self.config = config
        # ModernBERT's question answering takes input_ids alone, and hands them on.
        self.argument = "inputs_embeds" if "inputs_embeds" in signature(task.forward).parameters else "input_ids"

    def output(self, states: Tensor, mask: Tensor | None = None) -> Any:
        """What the task model makes of states ``(B, T, D)``."""
        further: dict[str, Tensor] = {self.argument: states}
        if mask is not None:
            further["attention_mask"] = mask
        if cast(Any, self.task).config.model_type == "longformer":  # its heads would look for the question's tokens
            further["global_attention_mask"] = states.new_zeros(states.shape[:2], dtype=torch.int64)
        return self.task(**further, return_dict=True)


class CheckpointNer(CheckpointHead):
    """Tags in the order of ``tag_names``; a tag that the checkpoint lacks has no probability."""

    def __init__(self, task: nn.Module, config: NerConfig, names: dict[int, str]) -> None:
        super().__init__(task, config)
        columns = {name: index for index, name in names.items()}
        self.columns = [columns.get(tag, len(columns)) for tag in tag_names(config.labels, config.scheme)]

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tag probabilities ``(B, T, L)``, float32."""
        shares: Tensor = self.output(states, mask).logits.float().softmax(dim=-1)
        return nn.functional.pad(shares, (0, 1))[..., self.columns]


class CheckpointQa(CheckpointHead):
    """Logits of starts and ends."""

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """As ``QaHead.scores``, float32 ``(B, T, 3)``."""
        output = self.output(states, mask)
        return with_null(torch.stack([output.start_logits, output.end_logits], dim=-1).float())


class CheckpointClasses(CheckpointHead):
    """Logits of each window; the mean over the windows is the document's."""

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits ``(B, 1, L)``, float32."""
        logits: Tensor = self.output(states, mask).logits.float()
        return logits[:, None]

    def pool(self, scores: Tensor) -> Tensor:
        """Logits ``(L,)`` from those ``(N, L)`` of a document's windows."""
        return scores.mean(dim=0)


class CheckpointWords(CheckpointHead):
    """Logits of the vocabulary."""

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(N, V)`` of states ``(N, D)``."""
        logits: Tensor = self.output(states[None]).logits[0]
        return logits


# ------------------------------------------------------------------------------------------------- from configurations


def _ner(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    names = _names(task)
    scheme, tags = _scheme_of(names)
    labels = tuple(dict.fromkeys(tag.split("-", 1)[1] for tag in tags.values() if tag != OUTSIDE))
    config = NerConfig(labels=labels, scheme=scheme, subwords="first")
    return config, CheckpointNer(task, config, tags)


def _scheme_of(names: dict[int, str]) -> tuple[Scheme, dict[int, str]]:
    """The scheme of a checkpoint's tags, and the tags as longdoc writes them.

    Tags with ``B-`` and ``I-`` alone may be of either form of CoNLL-2003, in one of which ``B-`` parts entities that
    touch and all others begin with ``I-``; no checkpoint says of which. ``iob1`` reads both.
    """
    letters = {name[0] for name in names.values() if name[1:2] == "-"}
    if not letters or not letters <= set("BIESLU"):
        plain = {i: OUTSIDE if name.upper() in ("O", "OUTSIDE") else f"I-{name}" for i, name in names.items()}
        return "io", plain
    if letters & set("ESLU"):
        return "bioes", {i: {"L": "E", "U": "S"}.get(n[0], n[0]) + n[1:] for i, n in names.items()}
    return "iob1", names


def _qa(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    size = min(384, size)
    config = QaConfig(windows=WindowConfig(size=size, overlap=size // 3), max_answer_tokens=30)
    return config, CheckpointQa(task, config)


def _classes(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    names = _names(task)
    problem = getattr(task.config, "problem_type", None)
    if problem == "regression" or len(names) == 1:
        raise ConfigError(
            f"{task.name_or_path} gives one number, not classes ({', '.join(names.values())}): it rates texts or pairs "
            "of them; load a checkpoint that classifies"
        )
    multi_label = problem == "multi_label_classification"
    config = ClassifyConfig(labels=tuple(names.values()), multi_label=multi_label)
    return config, CheckpointClasses(task, config)


def _words(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    return FillConfig(), CheckpointWords(task, FillConfig())


_HEADS = {"ner": _ner, "qa": _qa, "classify": _classes, "fill": _words}


def _names(task: Any) -> dict[int, str]:
    return {int(index): str(name) for index, name in sorted(task.config.id2label.items())}


def _embedding_model(source: str | PathLike[str], config: Any) -> Model:
    """An encoder with a pooling: that of a sentence-transformers folder, or the mean."""
    head, longest = EmbedConfig(), None
    if (modules := _record(source, "modules.json")) is not None:
        head, longest = _sentence_transformer(source, cast(Any, modules))
    encoder = _load(source, "AutoModel", config)
    size = min(_window_size(encoder), longest or LONG.get(config.model_type, 512))
    return _model(source, encoder, "embed", (head, EmbedHead(head)), size)


def _sentence_transformer(source: str | PathLike[str], modules: list[dict[str, Any]]) -> tuple[EmbedConfig, int | None]:
    """What follows the encoder in a sentence-transformers folder, and the length it was trained on."""
    names = [module["type"].rsplit(".", 1)[-1] for module in modules]
    if unknown := set(names) - {"Transformer", "Pooling", "Normalize"} or modules[0].get("path"):
        raise ConfigError(
            f"{source} has a module {unknown!r}; of sentence-transformers longdoc reads an encoder in the folder "
            "itself, Pooling and Normalize"
        )
    pooling = _record(source, f"{modules[1]['path']}/config.json") if len(modules) > 1 else {}
    chosen = [key for key, value in (pooling or {}).items() if key.startswith("pooling_mode_") and value is True]
    given = (pooling or {}).get("pooling_mode")  # sentence-transformers 5.2 and later
    modes = [given] if isinstance(given, str) else given or [key.removeprefix("pooling_mode_") for key in chosen]
    ways = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}
    if len(modes) != 1 or modes[0] not in ways:
        raise ConfigError(f"{source} pools by {', '.join(modes) or 'nothing'}; allowed: mean or cls")
    longest = (_record(source, "sentence_bert_config.json") or {}).get("max_seq_length")
    return EmbedConfig(pooling=cast(Any, ways[modes[0]]), normalize="Normalize" in names), longest


# ------------------------------------------------------------------------------------------------------- from the hub


def _config_of(source: str | PathLike[str]) -> Any:
    try:
        return AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{source} is neither 'default', nor a folder with a model, nor a model of the hub that can be had from "
            f"here: {_first_line(error)}"
        ) from error


def _kind_of(source: str | PathLike[str], config: Any) -> str:
    if _record(source, "modules.json") is not None:
        return "embed"
    for name in config.architectures or ():
        for kind, form in FORMS.items():
            if name.endswith(form):
                return kind
    return "none"


def _no_head(source: str | PathLike[str], config: Any, kind: str) -> str:
    what = ", ".join(config.architectures or ()) or config.model_type
    remedy = f"longdoc train with `base: {source}` trains one"
    if kind in FORMS or kind == "nli":
        return f"{source} is a {what}: it has no head of kind {kind!r}; load it as what it is, or {remedy}"
    return f"{source} is a {what}, an encoder without a head: load it for vectors, embed={str(source)!r}, or {remedy}"


def _load(source: str | PathLike[str], auto: str, config: Any) -> Any:
    """The weights, on the CPU, all of them found.

    Raises:
        ConfigError: they are pickled, or some are missing.
    """
    further = {"attention_type": "original_full"} if config.model_type == "big_bird" else {}
    try:
        model, found = getattr(transformers, auto).from_pretrained(
            source, use_safetensors=True, output_loading_info=True, **further
        )
    except (OSError, ValueError) as error:
        if "safetensors" in str(error):
            raise ConfigError(
                f"{source} has no weights in the safetensors format; a pickle can run code and is not read. Where you "
                "trust it, convert it once: transformers.AutoModel….from_pretrained(…).save_pretrained(folder)"
            ) from error
        raise ConfigError(f"{source} cannot be loaded: {_first_line(error)}") from error
    if missing := sorted(name for name in found["missing_keys"] if auto != "AutoModel" or "pooler" not in name):
        raise ConfigError(
            f"{source} lacks weights, which would be random: {', '.join(missing[:3])}{' …' if missing[3:] else ''}"
        )
    return model.eval()


def _record(source: str | PathLike[str], name: str) -> dict[str, Any] | None:
    """A JSON file of a checkpoint, if it has one."""
    path = Path(source) / name
    if not Path(source).is_dir():
        try:
            path = Path(hf_hub_download(str(source), name))
        except (EntryNotFoundError, HfHubHTTPError, OSError):
            return None
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _window_size(encoder: Any) -> int:
    longest = n_positions(encoder) or encoder.config.max_position_embeddings
    return min(longest, LONG.get(encoder.config.model_type, 512))


def _model(
    source: str | PathLike[str], encoder: Any, name: str, head: tuple[HeadConfig, nn.Module], size: int
) -> Model:
    windows = WindowConfig(size=size, overlap=size // 4)
    config = ModelConfig(heads={name: head[0]}, windows=windows, sparse=SparseConfig(pattern=_own_pattern(encoder)))
    return Model(encoder, tokenizer_of(str(source)), config, {name: head[1]}).eval()


def _own_pattern(encoder: Any) -> SparsePattern | None:
    """The pattern that an encoder was trained with, if it was with one."""
    if encoder.config.model_type == "longformer":
        from longdoc.attention.longformer import pattern_of

        return pattern_of(encoder.config)
    if encoder.config.model_type == "big_bird":
        from longdoc.attention.big_bird import pattern_of as big_bird_pattern

        return big_bird_pattern(encoder.config)
    return None


def _first_token_is_global(encoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What Longformer's classifier does before it calls its encoder."""
    ids = args[0] if args else kwargs["input_ids"]
    if kwargs.get("global_attention_mask") is None:
        first = torch.zeros_like(ids)
        first[:, 0] = 1
        kwargs = {**kwargs, "global_attention_mask": first}
    return args, kwargs


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
