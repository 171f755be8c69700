"""All heads of one or several models: documents and questions → readings → findings, by head.

:class:`~longdoc.reader.Reader` computes the scores of the windows; the kinds of heads in :mod:`longdoc.heads` decode
them to findings. Each document is decoded once, whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from tqdm import tqdm

from longdoc.arguments import check_count
from longdoc.document import Document
from longdoc.document_type import Kind
from longdoc.errors import ConfigError, require
from longdoc.findings import Embeddings, Searched, Unit, gaps_of, parts
from longdoc.graphs import GraphScorer
from longdoc.heads import DecodeOptions, kind_of
from longdoc.inputs import EncoderKind, Precision, check_encoder, check_precision
from longdoc.prediction import Gap, coverage_of
from longdoc.reader import Reader, Reading, Scorer
from longdoc.retrieval import left_out, likely_windows
from longdoc.rules import RULES, Rules

if TYPE_CHECKING:
    import torch

    from longdoc.model import Model

Readable: TypeAlias = "Model | GraphScorer"
"""A model that was loaded: of torch, or an exported graph."""

_TEXTS = 512
"""Texts that are encoded together."""

Findings = dict[str, list[Any]]
"""By the name of the head: entities, labels, answers, inferences or vectors."""


class Engine:
    """Heads by name, each with the reader of its model."""

    def __init__(
        self,
        models: Sequence[Readable],
        *,
        device: str | torch.device,
        precision: Precision,
        encoder: EncoderKind,
        batch_tokens: int | None,
    ) -> None:
        check_encoder(encoder)
        check_precision(precision)
        if not models and device not in ("auto", "cpu"):
            check_device(device, precision)
        check_count("batch_tokens", batch_tokens, 1, optional=True)
        scorers = [_scorer(model, device, precision, encoder) for model in models]
        self.readers = tuple(Reader(scorer, batch_tokens=batch_tokens) for scorer in scorers)
        self._reader_of: dict[str, Reader] = {}
        for reader in self.readers:
            for name in reader.config.heads:
                if name in self._reader_of:
                    raise ConfigError(f"two of the models have a head {name!r}; load them into two pipelines")
                self._reader_of[name] = reader

    def __str__(self) -> str:
        """The heads, and how they compute."""
        heads = ", ".join(f"{name} ({config.kind})" for name, config in self.heads.items())
        ways = dict.fromkeys(str(reader.scorer) for reader in self.readers)
        return "; ".join([heads or "no heads", *ways])

    @property
    def heads(self) -> Mapping[str, Any]:
        """Configurations of all heads, by name."""
        return {name: reader.config.heads[name] for name, reader in self._reader_of.items()}

    def reader_of(self, head: str) -> Reader:
        """The reader of the model that a head belongs to."""
        return self._reader_of[head]

    def heads_for(self, kind: Kind, *, tasks: Sequence[str]) -> tuple[str, ...]:
        """Of these tasks, those to read a kind of document with, as the models say; all of a model that does not."""
        chosen = [
            name for reader in self.readers for name in reader.config.heads_for.get(kind, tuple(reader.config.heads))
        ]
        return tuple(name for name in tasks if name in chosen)

    def names_of(self, kind: str) -> list[str]:
        """Names of all heads of a kind.

        Raises:
            ConfigError: there are none.
        """
        absent = (f"; {name} {why}" for reader in self.readers for name, why in reader.scorer.left_out.items())
        return names_of(self.heads, kind, "".join(absent))

    def name_of(self, kind: str, wanted: str | None, among: Collection[str] | None = None) -> str:
        """Name of the head to use: the one wanted, or the only one of its kind (``among`` these, if they are given).

        Raises:
            ConfigError: there is none, it is of another kind, or none is named and there are several.
        """
        names = [name for name in self.names_of(kind) if among is None or name in among]
        return chosen_head(names, kind, wanted)

    def read(self, document: Document, names: Sequence[str]) -> list[Reading]:
        """A document as tokens and windows, for each model and each part of the document that is read by itself."""
        readings = []
        for reader in self.readers:
            own = {name: self.heads[name] for name in reader.config.heads if name in names}
            tokens = reader.tokenize(document) if own else None
            by_section = [name for name, config in own.items() if getattr(config, "unit", "document") == "section"]
            whole = [name for name in own if name not in by_section]
            if tokens is not None:
                readings += [reader.read(document, tokens, together) for together in reader.read_together(whole)]
            if tokens is not None and by_section:
                pieces = (tokens.part(*part) for part in parts(document, "section"))
                readings += [reader.read(document, piece, by_section) for piece in pieces if len(piece)]
        return readings

    def gaps(self, document: Document, names: Sequence[str], readings: Sequence[Reading]) -> tuple[Gap, ...]:
        """What any of the models that read the document with these heads did not see."""
        found: dict[Gap, None] = {}
        for reader in self.readers:
            if any(name in names for name in reader.config.heads):
                own = [reading.tokens for reading in readings if self._reader_of[reading.heads[0]] is reader]
                found |= dict.fromkeys(gaps_of(document, own))
        return tuple(sorted(found, key=lambda gap: (gap.start, gap.end)))

    def ask(
        self,
        document: Document,
        head: str,
        questions: Sequence[str],
        progress: tqdm[Any],
        options: Sequence[DecodeOptions],
        windows: Sequence[int | None] | None = None,
    ) -> list[Searched]:
        """Findings of a head for each of several questions or hypotheses, about a document that is tokenised once.

        Args:
            document: the document.
            head: name of the head.
            questions: questions or hypotheses.
            progress: a progress bar.
            options: for each question.
            windows: how many windows to read for each question, those that share most of its words; None for all.

        Raises:
            ConfigError: a question is no text, is empty, or leaves too little room in a window.
        """
        check_questions(questions, "hypothesis" if self.heads[head].kind == "nli" else "question")
        reader = self._reader_of[head]
        tokens = reader.tokenize(document)
        readings = [reader.read(document, tokens, [head], question=question) for question in questions]
        most = windows or [None] * len(readings)
        readings = [likely_windows(*each) for each in zip(readings, most, strict=True)]
        found = [by_head[head] for by_head in self.find(readings, progress, options)]
        unread = gaps_of(document, [tokens])
        gaps = [tuple(sorted([*unread, *left_out(reading)], key=lambda gap: gap.start)) for reading in readings]
        shares = [coverage_of(document.text, own) if len(tokens) else 0.0 for own in gaps]
        return [Searched(*each) for each in zip(found, gaps, shares, strict=True)]

    def find(
        self, readings: Sequence[Reading], progress: tqdm[Any], options: Sequence[DecodeOptions] | None = None
    ) -> list[Findings]:
        """Scores all windows of all readings and decodes them: the findings of each reading."""
        found: list[Findings] = [{} for _ in readings]
        for reader in self.readers:
            own = [index for index, reading in enumerate(readings) if self._reader_of[reading.heads[0]] is reader]
            scored = reader.score([readings[index] for index in own], progress)
            for index, by_head in zip(own, scored, strict=True):
                chosen = options[index] if options else DecodeOptions()
                for name, scores in by_head.items():
                    config = self.heads[name]
                    kind = kind_of(config)
                    assert kind.decode is not None, f"{name} is a {config.kind} head, which has no findings"
                    is_empty = not scores.windows and kind.finds is not None
                    found[index][name] = [] if is_empty else kind.decode(scores, name, config, chosen)
        return found

    def embed(self, document: Document, head: str, unit: Unit, progress: tqdm[Any]) -> Embeddings:
        """A vector for each part of a document that has tokens, float32 ``(N, D)``; each part is read by itself."""
        reader = self._reader_of[head]
        tokens = reader.tokenize(document)
        pieces = [(part, tokens.part(*part)) for part in parts(document, unit)]
        kept = [(part, piece) for part, piece in pieces if len(piece)]
        found = self.find([reader.read(document, piece, [head]) for _, piece in kept], progress)
        none = np.zeros((0, reader.scorer.width(head)), dtype=np.float32)
        vectors = np.stack([by_head[head][0] for by_head in found]) if found else none
        return Embeddings(vectors, tuple(part for part, _ in kept))

    def text_vectors(self, texts: Sequence[str], head: str, progress: tqdm[Any]) -> np.ndarray:
        """A vector of length 1 for each text, float32 ``(N, D)``; zeros for a text without tokens.

        Each text is encoded by itself; that of several windows is their mean, weighted by their length.
        """
        reader = self._reader_of[head]
        found = np.zeros((len(texts), reader.scorer.width(head)), dtype=np.float32)
        for first in range(0, len(texts), _TEXTS):
            documents = [Document.from_text(text) for text in texts[first : first + _TEXTS]]
            tokens = [reader.tokenize(document) for document in documents]
            kept = [index for index, own in enumerate(tokens) if len(own)]
            readings = [reader.read(documents[index], tokens[index], [head]) for index in kept]
            for index, by_head in zip(kept, self.find(readings, progress), strict=True):
                vector = by_head[head][0]
                found[first + index] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return found


def tasks_of(heads: Mapping[str, Any], rules: Rules | None) -> tuple[str, ...]:
    """Names of the tasks that need no question: of heads, and ``rules`` if there are any."""
    found = tuple(name for name, config in heads.items() if kind_of(config).finds)
    return (*found, RULES) if rules else found


def names_of(heads: Mapping[str, Any], kind: str, absent: str = "") -> list[str]:
    """Names of all heads of a kind; ``absent`` says which others there are elsewhere.

    Raises:
        ConfigError: there are none.
    """
    if names := [name for name, config in heads.items() if config.kind == kind]:
        return names
    has = ", ".join(f"{name} ({config.kind})" for name, config in heads.items())
    raise ConfigError(
        f"no head of kind {kind!r} (heads: {has or 'none'}){absent}; load one: "
        f"Pipeline.from_pretrained({kind}='a folder')"
    )


def chosen_head(names: Sequence[str], kind: str, wanted: str | None) -> str:
    """Of the heads of a kind the one that is wanted, or the only one.

    Raises:
        ConfigError: it is not among them, or none is named and there are several.
    """
    if wanted is not None and wanted not in names:
        raise ConfigError(f"head is {wanted!r}; the heads of kind {kind!r} are {', '.join(names)}")
    if wanted is None and len(names) > 1:
        raise ConfigError(f"several heads are of kind {kind!r}; name one with head=: {', '.join(names)}")
    return wanted or names[0]


def check_device(device: str | torch.device, precision: Precision) -> None:
    """Checks where, and in which number format, torch is to compute.

    Raises:
        ConfigError: an unknown device or precision, or a GPU that is not available.
        MissingDependencyError: torch is not installed.
    """
    require("torch", extra="model", needed_by="a model that is not exported to ONNX")
    from longdoc.devices import devices_of, dtype_of

    dtype_of(precision, *devices_of(device))


def _scorer(model: Readable, device: str | torch.device, precision: Precision, encoder: EncoderKind) -> Scorer:
    """What computes with a model, which decides whether torch is imported."""
    if isinstance(model, GraphScorer):
        model.check_options(encoder, device, precision)
        return model
    check_device(device, precision)
    from longdoc.compute import TorchScorer
    from longdoc.model import Model

    if not isinstance(model, Model):
        raise ConfigError(f"a model in memory is needed, not {model!r:.80}; Pipeline.from_pretrained loads one by name")
    return TorchScorer(model, device=device, precision=precision, encoder=encoder)


def check_questions(questions: Sequence[Any], noun: str = "question") -> None:
    """Checks that each of several questions, or of what else ``noun`` says, is a text with words.

    Raises:
        ConfigError: one is not; the message says which.
    """
    for number, question in enumerate(questions, 1):
        which = f"{noun} {number} of {len(questions)}" if len(questions) > 1 else f"the {noun}"
        if not isinstance(question, str):
            raise ConfigError(f"{which} is {type(question).__name__}; ask in words, with a str")
        if not question.strip():
            example = "The license is exclusive." if noun == "hypothesis" else "Which law governs this agreement?"
            raise ConfigError(f"{which} is empty; give some words, such as {example!r}")
        if any("\ud800" <= character <= "\udfff" for character in question):
            raise ConfigError(f"{which} has half of a surrogate pair, which is no character: {question!r:.80}")
