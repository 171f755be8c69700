"""The definition of a kind of head. :data:`longdoc.heads.HEADS` is the table of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from tokenizers import Tokenizer

from longdoc.arguments import check_count, check_score
from longdoc.datasets import Example
from longdoc.datasets.views import View
from longdoc.document import Document
from longdoc.findings import WindowScores
from longdoc.heads.learnable import Learnable
from longdoc.heads.learning import Group, TaskConfig
from longdoc.inputs import Batch, Template
from longdoc.labels import Inference
from longdoc.prediction import Prediction

if TYPE_CHECKING:
    from torch import nn


class HeadConfig(Protocol):
    """Configuration of a head: a frozen dataclass whose field ``kind`` is a ``Literal`` with a default."""

    @property
    def kind(self) -> str:
        """Name of the kind, its key in ``HEADS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeOptions:
    """What a caller may ask of decoding; a kind takes what applies to it."""

    top_k: int = 1
    """Maximum number of answers."""
    min_score: float | None = None
    """Threshold of a finding's score; by default that of the head's configuration."""

    def __post_init__(self) -> None:
        check_count("top_k", self.top_k, 1)
        check_score("min_score", self.min_score)


class Reads(Protocol):
    """What scoring needs from a :class:`longdoc.pipeline.Pipeline`, which is passed in."""

    @property
    def heads(self) -> Mapping[str, Any]:
        """Configurations of the heads by name."""

    def pipe(
        self, documents: Iterable[Any], *, tasks: Sequence[str], min_score: float | None = None
    ) -> Iterator[Prediction]:
        """Predictions of documents."""

    def ask(
        self,
        document: Document,
        question: Sequence[str],
        *,
        top_k: int,
        min_score: float,
        head: str,
        windows: int | None,
    ) -> Any:
        """Answers to each question."""

    def infer(self, document: Document, hypotheses: Sequence[str], *, head: str) -> Sequence[Inference]:
        """Inferences, one per hypothesis."""


Decode: TypeAlias = Callable[[WindowScores, str, Any, DecodeOptions], list[Any]]
"""Scores, name of the head, its configuration, options → findings."""
Groups: TypeAlias = Callable[[TaskConfig, Mapping[str, Any], Tokenizer, Template, np.random.Generator], Iterator[Group]]
"""Task, configurations of its heads by name, tokenizer, special tokens, random numbers → windows to learn from."""
Targets: TypeAlias = Callable[[Sequence[Group], Batch[Any], Mapping[str, Any]], dict[str, dict[str, Any]]]
"""Groups, their batch, configurations of the heads by name → by head, the arguments of its module's ``loss``,
arrays of numpy or tensors."""
Learns: TypeAlias = Callable[[TaskConfig, Mapping[str, Any], Tokenizer, Template], Learnable]
"""Task, configurations of its heads by name, tokenizer, special tokens → what they can learn, and what is left out."""
Scorer: TypeAlias = Callable[[Reads, Sequence[str], Sequence[View], set[str]], list[Any]]
"""Pipeline, names of the heads, documents, labels that the data annotates → a result for each document."""


class Trial(NamedTuple):
    """A finding to calibrate on."""

    score: float
    correct: bool
    label: str = ""
    """For heads whose configuration has ``biases`` by label."""


Trials: TypeAlias = Callable[[Reads, str, Example, set[str]], Iterator[Trial]]
"""Pipeline, name of the head, document, labels → a trial for each finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadKind:
    """Everything the library needs to know about one kind of head.

    A field is left out where the kind cannot do it: a head that fills masks is not calibrated. Prediction takes
    ``config``, ``module``, ``build``, ``decode`` and ``finds``; training also ``groups``, ``targets`` and the module's
    ``loss``; evaluation ``scorers``; calibration ``trials``. A kind that finds labelled things has a field
    ``labels: tuple[str, ...]`` in its configuration, by which data is matched with it.
    """

    config: type[Any]
    """Its :class:`HeadConfig`, written in YAML and stored with the model."""
    module: Callable[[], type[nn.Module]]
    """The class of its module, with ``scores`` for decoding and ``loss`` for training. It is asked for where a model is
    built, since an exported one is read without torch."""
    build: Callable[[Any, int, nn.Embedding], nn.Module]
    """Configuration, width of the encoder, its input embeddings → a module with fresh weights."""
    decode: Decode | None = None
    """For kinds with ``finds``, called for documents that have tokens only."""
    finds: Literal["entities", "spans", "labels"] | None = None
    """Field of ``Prediction`` for its findings; empty for heads that need a question or serve another method."""
    groups: Groups | None = None
    targets: Targets | None = None
    learnable: Learns | None = None
    learns_together: bool = False
    """Whether several heads of this kind can learn from one data set in one pass."""
    weighs_labels: bool = False
    """Whether ``targets`` give ``loss`` the task's ``class_weights``."""
    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    """What a data set annotates (see ``longdoc.datasets``) → how findings are scored against it. A head learns from the
    same data; training refuses data that annotates none of it."""
    scored_together: bool = False
    """Whether several heads of this kind may share the labels of a data set."""
    trials: Trials | None = None
    """Findings to calibrate on; the configuration has a field ``calibration``, and ``min_score`` for a threshold."""

    @property
    def name(self) -> str:
        """Value of the configuration's field ``kind``."""
        return str(self.config.__dataclass_fields__["kind"].default)
