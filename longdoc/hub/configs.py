"""Configurations of transformers and sentence-transformers → longdoc's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from longdoc.attention import SparsePattern
from longdoc.attention.positions import n_positions
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, EmbedConfig, NerConfig, QaConfig
from longdoc.labels import OUTSIDE, Scheme
from longdoc.pretrained import Repository
from longdoc.windows import WindowConfig

TASKS = {
    "ner": "ForTokenClassification",
    "qa": "ForQuestionAnswering",
    "classify": "ForSequenceClassification",
    "nli": "ForSequenceClassification",
    "fill": "ForMaskedLM",
}
"""Head kind → suffix of the transformers classes that have such a head."""
WORD_LAYERS = tuple(
    {
        "dense.weight": f"{dense}.weight",
        "dense.bias": f"{dense}.bias",
        "norm.weight": f"{norm}.weight",
        "norm.bias": f"{norm}.bias",
        "bias": bias,
    }
    for dense, norm, bias in (
        ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"),
        ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
        ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
    )
)
"""Parameter of the head ``fill`` → its name in the prediction head of BERT, of RoBERTa and of DistilBERT."""
LINEAR_LAYERS = ("classifier", "qa_outputs")
"""Linear layers over the states, in classes for tokens."""
DENSE_LAYERS = (
    ("classifier.dense", "classifier.out_proj"),  # RoBERTa, Longformer, ELECTRA, BigBird
    ("pre_classifier", "classifier"),  # DistilBERT
    ("pooler.dense", "classifier"),  # DeBERTa v2, v3
    ("{base}.pooler.dense", "classifier"),  # BERT
    ("{base}.pooler", "classifier"),  # ALBERT
)
"""Dense layer over the first state, which an activation function follows, and output layer of classes for texts."""
SETTINGS_FILE = "longdoc.json"
"""Beside a checkpoint that longdoc exported, the settings that longdoc reads it with."""
LONG = {"longformer": 4096, "modernbert": 4096, "big_bird": 1024}
"""Window lengths, in tokens, of encoders trained on long rows."""
SHORT = 512
"""Maximum window length of all other encoders, in tokens."""
_NO_ENTITY = ("O", "OUTSIDE", "X", "[CLS]", "[SEP]", "[PAD]", "PAD")
_OTHER_LETTERS = {"L": "E", "U": "S", "M": "I"}
"""Letters of BILOU and BMES tags → those of BIOES."""
_POOLING = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}


def kind_of(config: Any) -> str | None:
    """The kind of head that a transformers configuration names, by its class; ``None`` for a bare encoder."""
    names = config.architectures or ()
    return next((kind for name in names for kind, suffix in TASKS.items() if name.endswith(suffix)), None)


def ner_config(config: Any) -> tuple[NerConfig, list[str]]:
    """The configuration of a token classifier, and its tags, one per logit, as longdoc writes them."""
    scheme, tags = _tag_scheme(label_names(config))
    labels = tuple(dict.fromkeys(tag[2:] for tag in tags if tag != OUTSIDE))
    return NerConfig(labels=labels, scheme=scheme, subwords="first"), tags


def _tag_scheme(names: Sequence[str]) -> tuple[Scheme, list[str]]:
    """The tag scheme of a checkpoint, and its tags as longdoc writes them.

    ``B-`` and ``I-`` tags alone may follow either form of CoNLL-2003: in one, ``B-`` only separates entities that
    touch, and all others begin with ``I-``. No checkpoint states which; ``iob1`` decodes both. BILOU and BMES are BIOES
    with other letters.
    """
    tags = [OUTSIDE if name.upper() in _NO_ENTITY else name for name in names]
    found = {tag: re.fullmatch("([BIESLUM])[-_](.+)", tag) for tag in tags if tag != OUTSIDE}
    letters = {match[1] for match in found.values() if match}
    if not all(found.values()) or not letters & set("BI"):
        return "io", [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
    written = {tag: f"{_OTHER_LETTERS.get(match[1], match[1])}-{match[2]}" for tag, match in found.items() if match}
    return "bioes" if letters & set("ESLUM") else "iob1", [written.get(tag, tag) for tag in tags]


def qa_config(config: Any, size: int) -> QaConfig:
    """The configuration of an extractive question-answering model, for windows of at most ``size`` tokens."""
    size = size if config.model_type in LONG else min(384, size)
    return QaConfig(windows=WindowConfig(size=size, overlap=min(128, size // 3)), max_answer_tokens=30)


def class_config(config: Any) -> ClassifyConfig:
    """The configuration of a text classifier.

    Raises:
        ConfigError: the model gives a number instead of classes.
    """
    names, problem = label_names(config), getattr(config, "problem_type", None)
    if problem == "regression" or len(names) == 1:
        raise ConfigError(
            f"{config.name_or_path} predicts one number, not classes ({', '.join(names)}): it rates texts, or pairs "
            "of them; load a checkpoint that classifies"
        )
    return ClassifyConfig(labels=tuple(names), multi_label=problem == "multi_label_classification")


def label_names(config: Any) -> list[str]:
    """The names of a head's logits."""
    return [str(name) for _, name in sorted(config.id2label.items())]


def window_size(encoder: Any) -> int:
    """The window length of an encoder in tokens, including special tokens."""
    longest = n_positions(encoder) or encoder.config.max_position_embeddings
    return min(longest, LONG.get(encoder.config.model_type, SHORT))


def own_pattern(encoder: Any) -> SparsePattern | None:
    """The sparse pattern that an encoder was trained with; ``None`` for a dense encoder."""
    if encoder.config.model_type == "longformer":
        from longdoc.attention.longformer import pattern_of

        return pattern_of(encoder.config)
    if encoder.config.model_type == "big_bird":
        from longdoc.attention.big_bird import pattern_of as big_bird_pattern

        return big_bird_pattern(encoder.config)
    return None


# ------------------------------------------------------------------------------------------------ sentence-transformers


def embed_config(repository: Repository) -> EmbedConfig | None:
    """The pooling of a sentence-transformers repository; ``None`` for one of transformers alone.

    Raises:
        ConfigError: it consists of more than an encoder, mean or CLS pooling, and normalisation.
    """
    modules = repository.json("modules.json")
    if modules is None:
        return None
    paths = {module["type"].rsplit(".", 1)[-1]: module["path"] for module in modules}
    unknown = sorted(set(paths) - {"Transformer", "Pooling", "Normalize"})
    if unknown or "Pooling" not in paths or paths.get("Transformer") != "":
        raise ConfigError(
            f"{repository.name} consists of {', '.join(paths) or 'nothing'}; the sentence-transformers models that "
            "longdoc reads consist of a Transformer in the top folder, Pooling, and optionally Normalize"
        )
    pooling = repository.json(f"{paths['Pooling']}/config.json") or {}
    flags = [key.removeprefix("pooling_mode_") for key, value in pooling.items() if value is True]
    given = pooling.get("pooling_mode", flags)  # since sentence-transformers 5.2 a mode, or a list of modes
    modes = [given] if isinstance(given, str) else given
    if len(modes) != 1 or modes[0] not in _POOLING:
        raise ConfigError(f"{repository.name} pools by {', '.join(modes) or 'nothing'}; allowed: mean or cls")
    return EmbedConfig(pooling=cast(Any, _POOLING[modes[0]]), normalize="Normalize" in paths)


def trained_length(repository: Repository) -> int | None:
    """The text length in tokens that a sentence-transformers model was trained on; ``None`` if not stated.

    Raises:
        ConfigError: the model lower-cases texts or puts a prompt before them, which longdoc does not.
    """
    settings = repository.json("sentence_bert_config.json") or {}
    prompts = repository.json("config_sentence_transformers.json") or {}
    if settings.get("do_lower_case") or prompts.get("default_prompt_name"):
        raise ConfigError(
            f"{repository.name} changes texts before reading them (lower case, or a prompt); longdoc does not"
        )
    # Since sentence-transformers 6 it is part of the tokenizer's configuration.
    return settings.get("max_seq_length") or (repository.json("tokenizer_config.json") or {}).get("model_max_length")
