"""Configurations of transformers → longdoc's own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

from longdoc.attention import SparsePattern
from longdoc.attention.positions import n_positions
from longdoc.config import from_dict
from longdoc.errors import CheckpointWarning, ConfigError
from longdoc.heads import ClassifyConfig, NerConfig, NliConfig, QaConfig
from longdoc.hub.tags import tag_scheme
from longdoc.labels import OUTSIDE
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
MIN_STATED, MAX_STATED = 8, 1_000_000
"""The lengths of texts, in tokens, that the files of a checkpoint may state; longer ones mean none."""
_PAIRS = ("equivalent", "duplicate", "paraphrase", "similar")
"""Classes that texts have in pairs only, with or without a "not" before."""
_CROSS_ENCODER = ("sentence_transformers", "sbert_ce_default_activation_function")
"""Settings in the ``config.json`` of a cross-encoder before sentence-transformers 6."""


def kind_of(config: Any) -> str | None:
    """The kind of head that a transformers configuration names, by its class; ``None`` for a bare encoder.

    Classes of entailment are those of ``nli``.
    """
    names = config.architectures or ()
    found = next((kind for name in names for kind, suffix in TASKS.items() if name.endswith(suffix)), None)
    return "nli" if found == "classify" and _is_entailment(label_names(config)) else found


def _is_entailment(names: Sequence[str]) -> bool:
    """Whether classes are those of a hypothesis about a premise: entailed, contradicted, or neither."""
    plain = {_plain(name) for name in names}
    negated = {"not entailment", "non entailment", "no entailment", "not entailed"}
    return bool({"entailment", "entailed", "entails", "entail"} & plain) and all(
        name in negated or name == "neutral" or name.startswith(("entail", "contradict")) for name in plain
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def ner_config(config: Any) -> tuple[NerConfig, list[str]]:
    """The configuration of a token classifier, and its tags, one per logit, as longdoc writes them.

    Raises:
        ConfigError: the tags are of no scheme that longdoc decodes, or there is only one.
    """
    names = label_names(config)
    if len(names) == 1:
        raise ConfigError(
            f"{config.name_or_path} has one tag, {names[0]}, which every word would get; load a checkpoint with "
            "several, such as O, B-PER and I-PER"
        )
    scheme, tags = tag_scheme(names, config.name_or_path)
    labels = tuple(dict.fromkeys(tag[2:] for tag in tags if tag != OUTSIDE))
    if not labels:
        raise ConfigError(f"{config.name_or_path} has no tag of an entity, only {', '.join(names)}")
    return NerConfig(labels=labels, scheme=scheme, subwords="first"), tags


def qa_config(config: Any, size: int) -> QaConfig:
    """The configuration of an extractive question-answering model, for windows of at most ``size`` tokens."""
    size = size if config.model_type in LONG or is_converted(config) else min(384, size)
    return QaConfig(windows=WindowConfig(size=size, overlap=min(128, size // 3)), max_answer_tokens=30)


def class_config(config: Any) -> ClassifyConfig:
    """The configuration of a text classifier.

    Raises:
        ConfigError: the model gives a number instead of classes, or two classes have one name.
    """
    names, problem = label_names(config), getattr(config, "problem_type", None)
    multi_label = problem == "multi_label_classification"
    if problem == "regression" or (len(names) == 1 and not multi_label):
        raise ConfigError(
            f"{config.name_or_path} predicts {'one number' if len(names) == 1 else 'numbers'}, not classes "
            f"({', '.join(names):.80}): it rates texts, or pairs of them; load a checkpoint that classifies"
        )
    _check_names(config, names)
    return ClassifyConfig(labels=tuple(names), multi_label=multi_label)


def check_single(config: Any, *, is_cross_encoder: bool) -> None:
    """Checks that a classifier is one of single texts.

    Args:
        config: its configuration.
        is_cross_encoder: whether its folder says that it is a cross-encoder of sentence-transformers.

    Raises:
        ConfigError: it classifies pairs of texts.
    """
    names = label_names(config)
    plain = {re.sub("^(not|non|no|is) ", "", _plain(name)) for name in names}
    is_cross_encoder |= any(getattr(config, name, None) is not None for name in _CROSS_ENCODER)
    if len(names) > 1 and (is_cross_encoder or plain <= {*_PAIRS}):
        raise ConfigError(
            f"{config.name_or_path} classifies pairs of texts ({', '.join(names):.80}), and a document is one text; "
            "load a checkpoint that classifies texts, or one of entailment as nli="
        )


def nli_config(config: Any, size: int) -> NliConfig:
    """The configuration of a classifier of entailment, for windows of ``size`` tokens.

    A text of several windows gets the largest logit of each class (SummaC; Laban et al., 2022, arXiv:2111.09525): one
    window that entails the hypothesis is enough, however many say nothing about it.

    Raises:
        ConfigError: two classes have one name.
    """
    _check_names(config, names := label_names(config))
    windows = WindowConfig(size=size, overlap=size // 4)
    return NliConfig(labels=tuple(names), windows=windows, over="windows", pooling="max")


def _check_names(config: Any, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise ConfigError(
            f"{config.name_or_path} has two classes of one name ({', '.join(names):.120}); rename one in id2label of "
            "config.json"
        )


def label_names(config: Any) -> list[str]:
    """The names of a head's logits.

    Raises:
        ConfigError: they are not numbered from 0.
    """
    numbers = sorted(config.id2label)
    if numbers != [*range(len(numbers))]:
        raise ConfigError(
            f"{config.name_or_path}: id2label of config.json has the numbers {', '.join(map(str, numbers)):.80}; they "
            f"must be those of the logits, 0 to {len(numbers) - 1}"
        )
    return [str(config.id2label[number]) for number in numbers]


def warn_of_nameless(config: Any, kind: str) -> None:
    """Warns of classes or tags whose names are numbers, since no result can then be understood."""
    names = label_names(config) if kind in ("ner", "classify") else []
    if names and all(re.fullmatch(r"(LABEL_)?\d+", name) for name in names):
        warnings.warn(
            f"{config.name_or_path} names its {'tags' if kind == 'ner' else 'classes'} {', '.join(names):.80}, so that "
            "results do not say what was found; write the names into id2label of config.json",
            CheckpointWarning,
            stacklevel=2,
        )


def window_size(encoder: Any, stated: int | None = None) -> int:
    """The window length of an encoder in tokens, including special tokens.

    Args:
        encoder: the encoder.
        stated: the longest text that its tokenizer states, in tokens.
    """
    config = encoder.config
    longest = n_positions(encoder) or config.max_position_embeddings
    most = longest if is_converted(config) else LONG.get(config.model_type, SHORT)
    return min(longest, most, stated or longest)


def stated_length(given: Any, where: str) -> int | None:
    """The longest text in tokens that a file of a checkpoint states; ``None`` if it states none.

    Raises:
        ConfigError: it is no number of tokens.
    """
    if given is None or (isinstance(given, (int, float)) and given > MAX_STATED):
        return None
    if type(given) is not int or given < MIN_STATED:
        raise ConfigError(f"{where} is {given!r:.40}; allowed are numbers of tokens, at least {MIN_STATED}")
    return given


def is_converted(config: Any) -> bool:
    """Whether a checkpoint was converted to rows of a length and sparse attention of its own (``longdoc convert``)."""
    return getattr(config, "sparse_attention", None) is not None


def own_pattern(encoder: Any) -> SparsePattern | None:
    """The sparse pattern that an encoder was converted to or trained with; ``None`` for a dense encoder.

    Raises:
        ConfigError: the pattern in its configuration is damaged.
    """
    config = encoder.config
    if is_converted(config):
        where = f"{config.name_or_path}: config.json: sparse_attention"
        return from_dict(SparsePattern, config.sparse_attention, where=where)
    if config.model_type == "longformer":
        from longdoc.attention.longformer import pattern_of

        return pattern_of(config)
    if config.model_type == "big_bird":
        from longdoc.attention.big_bird import pattern_of as big_bird_pattern

        return big_bird_pattern(config)
    return None
