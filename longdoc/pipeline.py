"""Document → Prediction: the file to read first.

    document ──tokenize, split──▶ windows ──encoder, heads──▶ scores ──stitch──▶ a row a token ──decode──▶ entities

Windows of several documents share batches; each document is stitched and decoded once, whole. With sparse attention a
window is as long as most documents, and everything else is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, overload

import numpy as np
import torch
from tqdm import tqdm

from longdoc.decode import ScoredSpan, decode_entities, introduced
from longdoc.document import Document
from longdoc.encoders import SparseEncoder, length_batches, pack_for_cpu
from longdoc.errors import ConfigError
from longdoc.labels import Entity
from longdoc.loaders import load
from longdoc.model import Model
from longdoc.prediction import Gap, Prediction
from longdoc.windows import Tokens, Window, sentence_starts, split, stitch, tokenize, unseen

Source: TypeAlias = Document | str | PathLike[str]
EncoderKind: TypeAlias = Literal["windows", "sparse"]
Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]

DEFAULT_MODEL = Path(__file__).parent / "assets" / "default"
UNKNOWN_TO_TOKENIZER = "characters that the model's tokenizer drops"


@dataclass(frozen=True, slots=True)
class Reading:
    """A document on its way through the model: its tokens, its windows, and each head's scores of each window."""

    document: Document
    tokens: Tokens
    windows: list[Window]
    scores: dict[str, list[np.ndarray]]


class Pipeline:
    """Reads documents with one model: all its heads in one pass over the text.

    Build it with :meth:`from_pretrained`; call it with a document.
    """

    def __init__(
        self, model: Model, *, device: torch.device, dtype: torch.dtype, encoder: EncoderKind = "windows"
    ) -> None:
        _check_encoder(encoder)
        self.model = model.to(device).eval()
        self.device = device
        self.dtype = dtype
        self.windows = model.config.sparse.rows if encoder == "sparse" else model.config.windows
        chosen = model.encoder
        if encoder == "sparse":
            chosen = SparseEncoder.of(model.encoder, model.config.sparse_pattern, model.config.windows.size)
        packable = device.type == "cpu" and dtype == torch.float32 and torch.backends.mkldnn.is_available()
        self.encoder = pack_for_cpu(chosen) if packable else chosen
        # A batch this size keeps a GPU busy, or the activations of a small encoder in a CPU's cache.
        self.batch_tokens = 2**16 if device.type == "cuda" else 2**11

    @classmethod
    def from_pretrained(
        cls,
        model: str | PathLike[str] = "default",
        *,
        encoder: EncoderKind = "windows",
        device: str = "auto",
        precision: Precision = "auto",
    ) -> Pipeline:
        """Loads a model.

        Args:
            model: ``"default"``, the model shipped with longdoc (no network), or a folder written by ``Model.save``.
            encoder: how the text reaches the model: ``"windows"`` reads overlapping slices of the length it was trained
                on; ``"sparse"`` reads it whole, with attention to each token's neighbours and a few global tokens.
            device: ``"auto"`` (a GPU where there is one) or a torch device such as ``"cpu"`` or ``"cuda:1"``.
            precision: ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 on hardware that computes in it.

        Raises:
            ConfigError: an argument is none of these, the folder holds no longdoc model, or its architecture cannot
                be made sparse.
        """
        _check_encoder(encoder)
        where = _device(device)
        dtype = _dtype(precision, where)
        folder = DEFAULT_MODEL if model == "default" else Path(model)
        return cls(Model.from_pretrained(folder), device=where, dtype=dtype, encoder=encoder)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the model's heads."""
        return tuple(self.model.config.heads)

    def __call__(self, document: Source, tasks: Sequence[str] | None = None) -> Prediction:
        """Reads one document, or the file at a path.

        Args:
            document: what to read.
            tasks: names of the heads to read with; all of them by default (see :attr:`tasks`).
        """
        return next(self.pipe([document], tasks=tasks))

    def entities(self, document: Source) -> tuple[Entity, ...]:
        """The entities of a document, in the order of the text."""
        return self(document).entities

    @overload
    def pipe(
        self, documents: Iterable[Source], *, tasks: Sequence[str] | None = ..., batch_size: int | None = ...
    ) -> Iterator[Prediction]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[tuple[Source, Any]],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        as_tuples: Literal[True],
    ) -> Iterator[tuple[Prediction, Any]]: ...
    def pipe(
        self,
        documents: Iterable[Any],
        *,
        tasks: Sequence[str] | None = None,
        batch_size: int | None = None,
        as_tuples: bool = False,
    ) -> Iterator[Any]:
        """Reads many documents, lazily and in order; their windows share batches.

        Args:
            documents: documents or paths; with ``as_tuples``, pairs of one of these and anything that belongs to it.
            tasks: names of the heads to read with; all of them by default.
            batch_size: how many documents are read ahead and encoded together; by default as many as fill 16 batches.
            as_tuples: yield pairs of prediction and companion.
        """
        if batch_size is not None and batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1; got {batch_size}")
        if isinstance(documents, (str, PathLike)):
            raise ConfigError(f"pipe reads many documents; give it a list, such as [{str(documents)!r}]")
        heads = self._heads(tasks)
        pairs = documents if as_tuples else ((document, None) for document in documents)
        with tqdm(unit="token", unit_scale=True, delay=2, leave=False, disable=None) as progress:
            for group in self._groups(pairs, heads, batch_size):
                self.score([reading for reading, _ in group], progress)
                for reading, companion in group:
                    prediction = self.predict(reading)
                    yield (prediction, companion) if as_tuples else prediction

    def _heads(self, tasks: Sequence[str] | None) -> tuple[str, ...]:
        if isinstance(tasks, str):
            raise ConfigError(f"tasks must be a list of names, such as [{tasks!r}]")
        if tasks is not None and not tasks:
            raise ConfigError(f"tasks is empty; name some of {', '.join(self.tasks)}, or leave it out for all of them")
        if unknown := set(tasks or ()) - set(self.tasks):
            raise ConfigError(f"the model has no task {', '.join(sorted(unknown))}; it has {', '.join(self.tasks)}")
        return self.tasks if tasks is None else tuple(tasks)

    def _groups(
        self, pairs: Iterable[tuple[Source, Any]], heads: Sequence[str], batch_size: int | None
    ) -> Iterator[list[tuple[Reading, Any]]]:
        group: list[tuple[Reading, Any]] = []
        n_tokens = 0
        for source, companion in pairs:
            reading = self.read(source, heads)
            group.append((reading, companion))
            n_tokens += len(reading.tokens)
            if len(group) == batch_size or (batch_size is None and n_tokens >= 16 * self.batch_tokens):
                yield group
                group, n_tokens = [], 0
        if group:
            yield group

    def read(self, source: Source, heads: Sequence[str]) -> Reading:
        """First step: a document as tokens and windows."""
        document = source if isinstance(source, Document) else load(source)
        tokens = tokenize(document.text, self.model.tokenizer)
        cuts = sentence_starts(document.text, tokens.offsets)
        size = self.windows.size - len(self.model.encoder.special)
        windows = split(len(tokens), size=size, overlap=self.windows.overlap, cuts=cuts)
        return Reading(document, tokens, windows, {head: [np.empty(0)] * len(windows) for head in heads})

    def score(self, readings: Sequence[Reading], progress: tqdm[Any]) -> None:
        """Second step: fills in the scores of all windows of all readings, batched by length."""
        windows = [(reading, index) for reading in readings for index in range(len(reading.windows))]
        lengths = [len(reading.windows[index]) for reading, index in windows]
        for rows in length_batches(lengths, self.batch_tokens):
            batch = [windows[row] for row in rows]
            slices = [reading.tokens.ids[_range(reading.windows[index])] for reading, index in batch]
            for head, scores in self._forward(slices, tuple(batch[0][0].scores)).items():
                for (reading, index), score in zip(batch, scores, strict=True):
                    reading.scores[head][index] = score
            progress.update(sum(map(len, slices)))

    def _forward(self, slices: Sequence[np.ndarray], heads: Sequence[str]) -> dict[str, list[np.ndarray]]:
        encoder = self.encoder
        input_ids, attention_mask = encoder.batch(slices)
        mask = None if attention_mask is None else attention_mask.to(self.device)
        low = self.dtype != torch.float32
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=self.dtype, enabled=low):
            states = encoder(input_ids.to(self.device), mask)
            found = {head: self.model.head(head).probabilities(states).cpu().numpy() for head in heads}
        return {head: encoder.content(scores, list(map(len, slices))) for head, scores in found.items()}

    def predict(self, reading: Reading) -> Prediction:
        """Third step: scores merged over the windows and decoded, once, on the document."""
        merge, n_tokens, text = self.windows.merge, len(reading.tokens), reading.document.text
        spans: list[ScoredSpan] = []
        for head, scores in reading.scores.items():
            config = self.model.config.heads[head]
            stitched = stitch(scores, reading.windows, n_tokens, merge)
            found = decode_entities(stitched, reading.tokens, config.labels, text)
            spans += introduced(found, text, config.introduced)
        ordered = sorted(spans, key=lambda span: (span.start, span.end, span.label))
        gaps = unseen(text, reading.tokens)
        return Prediction(
            document=reading.document,
            entities=tuple(entity_at(reading.document, span) for span in ordered),
            gaps=tuple(Gap(start, end, UNKNOWN_TO_TOKENIZER) for start, end in gaps),
        )


def entity_at(document: Document, span: ScoredSpan) -> Entity:
    """The span as an entity of the document, with its page, boxes and section."""
    section = document.section_at(span.start)
    return Entity(
        text=document.text[span.start : span.end],
        label=span.label,
        start=span.start,
        end=span.end,
        score=span.score,
        page=document.page_at(span.start).number,
        boxes=document.locate(span.start, span.end),
        section=None if section is None else section.number or section.title,
    )


def _check_encoder(encoder: str) -> None:
    if encoder not in get_args(EncoderKind):
        raise ConfigError(f"unknown encoder {encoder!r}; allowed: 'windows', 'sparse'")


def _range(window: Window) -> slice:
    return slice(window.start, window.end)


def _device(name: str) -> torch.device:
    if name != "auto":
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise ConfigError(f"unknown device {name!r}; allowed: 'auto', 'cpu', 'cuda', 'cuda:0', 'mps' …") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ConfigError(f"device {name!r}: torch sees no GPU here; use 'auto' or 'cpu'")
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _dtype(precision: str, device: torch.device) -> torch.dtype:
    if precision not in ("auto", "float32", "bfloat16"):
        raise ConfigError(f"unknown precision {precision!r}; allowed: 'auto', 'float32', 'bfloat16'")
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # other CPUs emulate bfloat16, at a third of the speed of float32
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        native = device.type == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return torch.bfloat16 if precision == "bfloat16" or (precision == "auto" and native) else torch.float32
