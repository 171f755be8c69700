"""States of an encoder → scores of a task, findings, and the loss to learn from. One set of heads serves every encoder.

A kind of head is one module of this package: its configuration, decoding, training targets and scoring, gathered in one
:class:`HeadKind`. :data:`HEADS` lists them; to add a kind, write its module and add one line. All of that is numpy; the
``nn.Module`` of each kind is in :mod:`longdoc.heads.modules`, so that an exported model is read without torch.

Dimensions: ``B`` windows, ``T`` tokens, ``D`` width, ``L`` labels, ``G`` groups (all windows of one document, or
of one question to it), ``N`` chosen positions, ``V`` vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longdoc.heads.classify import CLASSIFY, ClassifyConfig
from longdoc.heads.embed import EMBED, EmbedConfig
from longdoc.heads.fill import FILL, FillConfig
from longdoc.heads.kind import DecodeOptions, HeadConfig, HeadKind
from longdoc.heads.learnable import Learnable
from longdoc.heads.learning import Group, TaskConfig
from longdoc.heads.ner import NER, NerConfig
from longdoc.heads.nli import NLI, NliConfig
from longdoc.heads.qa import QA, QaConfig
from longdoc.heads.spans import SPANS, SpansConfig

if TYPE_CHECKING:
    from torch import nn

    from longdoc.heads.modules import (
        ACTIVATIONS,
        ClassifyHead,
        EmbedHead,
        FillHead,
        NerHead,
        QaHead,
        SpansHead,
        with_null,
    )

__all__ = [
    "ACTIVATIONS",
    "HEADS",
    "ClassifyConfig",
    "ClassifyHead",
    "DecodeOptions",
    "EmbedConfig",
    "EmbedHead",
    "FillConfig",
    "FillHead",
    "Group",
    "HeadConfig",
    "HeadKind",
    "Learnable",
    "NerConfig",
    "NerHead",
    "NliConfig",
    "QaConfig",
    "QaHead",
    "SpansConfig",
    "SpansHead",
    "TaskConfig",
    "build_head",
    "head_configs",
    "kind_of",
    "with_null",
]

HEADS: dict[str, HeadKind] = {
    kind.name: kind
    for kind in (
        NER,
        SPANS,
        QA,
        CLASSIFY,
        NLI,
        EMBED,
        FILL,
    )
}
"""Every kind of head, by name. A configuration without ``kind`` is one of the first kind."""


def head_configs() -> tuple[type[Any], ...]:
    """The configurations that a model's ``heads`` may hold."""
    return tuple(kind.config for kind in HEADS.values())


def kind_of(config: HeadConfig) -> HeadKind:
    """The kind of head that a configuration belongs to."""
    return HEADS[config.kind]


def build_head(config: HeadConfig, width: int, embeddings: nn.Embedding) -> nn.Module:
    """Builds a head with fresh weights for an encoder of that width and those input embeddings."""
    return kind_of(config).build(config, width, embeddings)


def __getattr__(name: str) -> Any:
    """Imports torch, with the modules, when one of them is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'longdoc.heads' has no attribute {name!r}; it has {', '.join(__all__)}")
    from longdoc.heads import modules

    return getattr(modules, name)
