"""Checkpoints of transformers and sentence-transformers, from the hub or a folder → models.

The encoder of a task model (``AutoModelForTokenClassification`` and its kin) becomes the encoder of a longdoc model.
What remains of the task model becomes a head: in the place of its encoder stands a module that hands on the states it
is given, so that the logits are those of the checkpoint's own class, whatever layers it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
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
_NO_ENTITY = ("O", "OUTSIDE", "X", "[CLS]", "[SEP]", "[PAD]", "PAD")
_LETTERS = {"L": "E", "U": "S", "M": "I"}
LONG = {"longformer": 4096, "modernbert": 4096, "big_bird": 1024}
"""Windows of encoders that were trained on long rows; those of others have 512 tokens."""


def load_checkpoint(
    source: str | PathLike[str],
    kind: str | None = None,
    *,
    revision: str | None = None,
    cache_dir: str | PathLike[str] | None = None,
) -> Model:
    """A model with the one head that a checkpoint has.

    Args:
        source: a folder written by ``save_pretrained``, or the hub's id of one.
        kind: the kind of head wanted; by default what the checkpoint was made for. ``embed`` goes with any encoder.

    Raises:
        ConfigError: there is no such checkpoint, it has no such head, its weights are pickled, or its tokenizer tells
            no offsets.
    """
    config = _config_of(source)
    own = _form_of(config)
    if kind is None:
        tagged = own in ("ner", "qa", "classify") or _record(source, "modules.json") is None
        kind = own if tagged else "embed"
    if kind == "embed":
        return _embedding_model(source, config)
    if kind is None or kind != own:
        raise ConfigError(_no_head(source, config, kind))
    task = _load(source, f"AutoModel{FORMS[kind]}", config)
    encoder = _encoder_of(source, task)
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
    """Tags in the order of ``tag_names``; what the checkpoint says of one tag under several names is added up."""

    def __init__(self, task: nn.Module, config: NerConfig, tags: Sequence[str]) -> None:
        super().__init__(task, config)
        columns = [[tag == own for own in tag_names(config.labels, config.scheme)] for tag in tags]
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.float32))

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tag probabilities ``(B, T, L)``, float32; zero of a tag that the checkpoint lacks."""
        shares: Tensor = self.output(states, mask).logits.float().softmax(dim=-1)
        with torch.autocast(shares.device.type, enabled=False):
            return shares @ cast(Tensor, self.columns)


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
    scheme, tags = _scheme_of(_names(task))
    labels = tuple(dict.fromkeys(tag[2:] for tag in tags if tag != OUTSIDE))
    config = NerConfig(labels=labels, scheme=scheme, subwords="first")
    return config, CheckpointNer(task, config, tags)


def _scheme_of(names: Sequence[str]) -> tuple[Scheme, list[str]]:
    """The scheme of a checkpoint's tags, and the tags as longdoc writes them.

    Tags with ``B-`` and ``I-`` alone may be of either form of CoNLL-2003, in one of which ``B-`` parts entities that
    touch and all others begin with ``I-``; no checkpoint says of which. ``iob1`` reads both. What is called BILOU or
    BMES elsewhere is BIOES by other letters.
    """
    tags = [OUTSIDE if name.upper() in _NO_ENTITY else name for name in names]
    found = {tag: re.fullmatch("([BIESLUM])[-_](.+)", tag) for tag in tags if tag != OUTSIDE}
    letters = {match[1] for match in found.values() if match}
    if not all(found.values()) or not letters & set("BI"):
        return "io", [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
    written = {tag: f"{_LETTERS.get(match[1], match[1])}-{match[2]}" for tag, match in found.items() if match}
    return "bioes" if letters & set("ESLUM") else "iob1", [written.get(tag, tag) for tag in tags]


def _qa(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    size = size if task.config.model_type in LONG else min(384, size)
    config = QaConfig(windows=WindowConfig(size=size, overlap=min(128, size // 3)), max_answer_tokens=30)
    return config, CheckpointQa(task, config)


def _classes(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    names = _names(task)
    problem = getattr(task.config, "problem_type", None)
    if problem == "regression" or len(names) == 1:
        raise ConfigError(
            f"{task.name_or_path} gives one number, not classes ({', '.join(names)}): it rates texts or pairs "
            "of them; load a checkpoint that classifies"
        )
    multi_label = problem == "multi_label_classification"
    config = ClassifyConfig(labels=tuple(names), multi_label=multi_label)
    return config, CheckpointClasses(task, config)


def _words(task: Any, size: int) -> tuple[HeadConfig, nn.Module]:
    return FillConfig(), CheckpointWords(task, FillConfig())


_HEADS = {"ner": _ner, "qa": _qa, "classify": _classes, "fill": _words}


def _names(task: Any) -> list[str]:
    return [str(name) for _, name in sorted(task.config.id2label.items())]


def _embedding_model(source: str | PathLike[str], config: Any) -> Model:
    """An encoder with a pooling: that of a sentence-transformers folder, or the mean."""
    head, longest = EmbedConfig(), None
    if (modules := _record(source, "modules.json")) is not None:
        head, longest = _pooling_of(source, cast(Any, modules)), _trained_length(source)
    encoder = _encoder_of(source, _load(source, "AutoModel", config))
    size = min(_window_size(encoder), longest or LONG.get(config.model_type, 512))
    return _model(source, encoder, "embed", (head, EmbedHead(head)), size)


def _pooling_of(source: str | PathLike[str], modules: Sequence[dict[str, Any]]) -> EmbedConfig:
    """What follows the encoder in a sentence-transformers folder."""
    paths = {module["type"].rsplit(".", 1)[-1]: module["path"] for module in modules}
    unknown = sorted(set(paths) - {"Transformer", "Pooling", "Normalize"})
    if unknown or "Pooling" not in paths or paths.get("Transformer") != "":
        raise ConfigError(
            f"{source} is made of {', '.join(paths) or 'nothing'}; of sentence-transformers longdoc reads an encoder "
            "in the folder itself, Pooling, and Normalize"
        )
    pooling = _record(source, f"{paths['Pooling']}/config.json") or {}
    chosen = [key.removeprefix("pooling_mode_") for key, value in pooling.items() if value is True]
    given = pooling.get("pooling_mode", chosen)  # a word or a list of them, since sentence-transformers 5.2
    modes = [given] if isinstance(given, str) else given
    ways = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}
    if len(modes) != 1 or modes[0] not in ways:
        raise ConfigError(f"{source} pools by {', '.join(modes) or 'nothing'}; allowed: mean or cls")
    return EmbedConfig(pooling=cast(Any, ways[modes[0]]), normalize="Normalize" in paths)


def _trained_length(source: str | PathLike[str]) -> int | None:
    """The length of texts that a sentence-transformers folder was trained on, if it says."""
    form = _record(source, "sentence_bert_config.json") or {}
    if form.get("do_lower_case") or (_record(source, "config_sentence_transformers.json") or {}).get(
        "default_prompt_name"
    ):
        raise ConfigError(f"{source} changes texts before it reads them (lower case, or a prompt); longdoc does not")
    # Since sentence-transformers 6 it stands with the tokenizer.
    return form.get("max_seq_length") or (_record(source, "tokenizer_config.json") or {}).get("model_max_length")


# ------------------------------------------------------------------------------------------------------- from the hub


def _config_of(source: str | PathLike[str]) -> Any:
    try:
        return AutoConfig.from_pretrained(source)
    except Exception as error:  # whatever a damaged file makes transformers raise
        raise ConfigError(
            f"{source} is neither 'default', nor a folder with a model, nor a model of the hub that can be had from "
            f"here: {_first_line(error)}"
        ) from error


def _form_of(config: Any) -> str | None:
    """The kind of head that a checkpoint was made with, by the name of its class."""
    names = config.architectures or ()
    return next((kind for name in names for kind, form in FORMS.items() if name.endswith(form)), None)


def _no_head(source: str | PathLike[str], config: Any, kind: str | None) -> str:
    what = ", ".join(config.architectures or ()) or config.model_type
    remedy = f"longdoc train with `base: {source}` trains one"
    if kind is not None:
        return f"{source} is a {what}: it has no head of kind {kind!r}; load it as what it is, or {remedy}"
    return (
        f"{source} is a {what}: it has no head that longdoc knows; an encoder without a head gives vectors, "
        f"embed={str(source)!r}, and {remedy}"
    )


def _encoder_of(source: str | PathLike[str], model: Any) -> Any:
    encoder = model.base_model
    if model.config.is_encoder_decoder or not hasattr(encoder, "embeddings"):
        raise ConfigError(
            f"{source} is a {type(model).__name__}; longdoc reads encoders, such as BERT, RoBERTa, DistilBERT, ALBERT, "
            "DeBERTa, XLM-R, Longformer, BigBird and ModernBERT"
        )
    return encoder


def _load(source: str | PathLike[str], auto: str, config: Any) -> Any:
    """The weights, on the CPU, all of them found.

    Raises:
        ConfigError: they are pickled, or some are missing.
    """
    further = {"attention_type": "original_full"} if config.model_type == "big_bird" else {}
    try:
        model, found = getattr(transformers, auto).from_pretrained(
            source, use_safetensors=True, output_loading_info=True, dtype=torch.float32, **further
        )
    except Exception as error:  # safetensors raises bare exceptions
        if "safetensors" in str(error).replace(str(source), "") and isinstance(error, OSError):
            raise ConfigError(
                f"{source} has no weights in the safetensors format. Pickled ones are not read, for a pickle can run "
                f"code; convert those that you trust: transformers.{auto}.from_pretrained(…).save_pretrained(folder), "
                "and transformers.AutoTokenizer in the same way"
            ) from error
        raise ConfigError(f"{source} cannot be loaded: {_first_line(error)}") from error
    if missing := sorted(name for name in found["missing_keys"] if auto != "AutoModel" or "pooler" not in name):
        raise ConfigError(
            f"{source} lacks weights, which would be random: {', '.join(missing[:3])}{' …' if missing[3:] else ''}"
        )
    return model.eval()


def _record(source: str | PathLike[str], name: str) -> dict[str, Any] | None:
    """A JSON file of a checkpoint, if it has one.

    Raises:
        ConfigError: it is damaged, or the hub does not say whether there is one.
    """
    path = Path(source) / name if Path(source).is_dir() else _downloaded(str(source), name)
    if path is None or not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is damaged ({error}); get it again") from error
    return record


def _downloaded(source: str, name: str) -> Path | None:
    try:
        return Path(hf_hub_download(source, name))
    except LocalEntryNotFoundError as error:  # nothing here, and no answer from the hub
        if try_to_load_from_cache(source, name) is _CACHED_NO_EXIST:
            return None
        raise ConfigError(f"whether {source} has a {name} cannot be asked of the hub: {_first_line(error)}") from error
    except EntryNotFoundError:
        return None
    except (HfHubHTTPError, OSError) as error:
        raise ConfigError(f"whether {source} has a {name} cannot be asked of the hub: {_first_line(error)}") from error


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
