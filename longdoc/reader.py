"""One model: texts → windows → each head's scores.

Windows of several documents, and of several questions to one document, share batches. With sparse attention a window is
as long as most documents; everything else is the same. A :class:`Scorer` computes: a model of torch
(:mod:`longdoc.compute`), or an exported graph (:mod:`longdoc.graphs`), for which torch is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any, Protocol, TypeVar

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from longdoc.arguments import check_count
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import WindowScores
from longdoc.inputs import (
    EncoderKind,
    InputForm,
    Padding,
    SpecialTokens,
    alike_batches,
    length_batches,
    packed_batches,
    padded_length,
)
from longdoc.model_config import ModelConfig
from longdoc.vocabulary import MASKS
from longdoc.windows import Tokens, Window, WindowConfig, merge_weights, sentence_starts, split, tokenize

BatchT = TypeVar("BatchT")
ResultT = TypeVar("ResultT")

_REMEMBERED = 16
"""Documents whose tokens are kept, so that several questions to one need not tokenise it again."""


@dataclass(frozen=True, slots=True)
class Word:
    """A candidate for a masked word, and the model's probability of it."""

    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text to be read by a model: tokens, cut into windows, and the heads that are to score them."""

    document: Document
    tokens: Tokens
    windows: tuple[Window, ...]
    special: SpecialTokens
    period: int
    """Length of the windows that the heads were trained on."""
    heads: tuple[str, ...]
    question: str | None = None


class Scorer(Protocol):
    """A model that computes scores of windows: by torch on a device, or an exported graph.

    Dimensions: ``B`` windows, ``T`` tokens, ``L`` labels, ``N`` positions, ``V`` vocabulary.
    """

    @property
    def config(self) -> ModelConfig:
        """Its heads and windows."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""

    @property
    def form(self) -> InputForm:
        """What its encoder is given beside the tokens of a window."""

    @property
    def kind(self) -> EncoderKind:
        """How its encoder reads a document."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """Name of a head that it lacks, and that its model had → a part of a sentence that says so."""

    @property
    def batch_tokens(self) -> int:
        """Tokens in a batch, if the user names none."""

    @property
    def at_a_time(self) -> int:
        """Batches that are computed at a time, or that a GPU has ahead, if there are as many."""

    @property
    def sees_padding(self) -> bool:
        """Whether each window is computed by itself, since its states depend on the padding after it."""

    @property
    def lead(self) -> str:
        """The text that its head puts before every text."""

    def prompt(self, head: str) -> tuple[int, ...]:
        """Ids of the tokens of that text."""

    def is_asked_after_text(self, head: str) -> bool:
        """Whether a question, or a hypothesis, is the second text of a pair."""

    def width(self, head: str) -> int:
        """Length of the vectors of a head."""

    def padding(self, period: int) -> Padding:
        """How the windows of a batch are padded."""

    def scores(
        self, inputs: Mapping[str, np.ndarray], heads: Sequence[str], period: int
    ) -> Callable[[], dict[str, np.ndarray]]:
        """Begins to compute scores, for heads trained on windows of ``period`` tokens.

        Returns a function that waits for them, if need be: by head, float32 ``(B, T, L)`` or ``(B, 1, L)``.
        """

    def words(self, inputs: Mapping[str, np.ndarray], head: str, positions: Sequence[int]) -> np.ndarray:
        """Probabilities of the vocabulary, float32 ``(N, V)``, at positions of a row; the inputs are ``(1, T)``."""

    def each(
        self, begin: Callable[[Scorer, BatchT], Callable[[], ResultT]], batches: Sequence[BatchT]
    ) -> Iterator[ResultT]:
        """What is computed for each batch, in order, several at a time if that is faster.

        ``begin`` begins a batch with this scorer, or with a copy of it on another device, and returns a function that
        waits for the result.
        """


class Reader:
    """A model with one of the two encoders: documents → scores of their windows."""

    def __init__(self, scorer: Scorer, *, batch_tokens: int | None = None) -> None:
        self.scorer = scorer
        self.batch_tokens = batch_tokens or scorer.batch_tokens
        self._tokenized = _remembering(scorer)
        after = [name for name in scorer.config.heads if scorer.is_asked_after_text(name)]
        if after and scorer.kind == "sparse":
            raise ConfigError(
                f"the checkpoint of {after[0]} reads a hypothesis after the text, and with sparse attention only the "
                "last words of a long text would see it; use encoder='windows'"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_tokenized"}  # no picklable function

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._tokenized = _remembering(self.scorer)

    @property
    def config(self) -> ModelConfig:
        """The heads and windows of the model."""
        return self.scorer.config

    def windows(self, trained: WindowConfig) -> WindowConfig:
        """How to cut a document for heads that were trained on windows like ``trained``."""
        return self.config.sparse.rows if self.scorer.kind == "sparse" else trained

    def trained_windows(self, head: str) -> WindowConfig:
        """The windows that a head was trained on."""
        windows: WindowConfig | None = getattr(self.config.heads[head], "windows", None)
        return windows or self.config.windows

    def read_together(self, heads: Iterable[str]) -> list[list[str]]:
        """The heads in groups that read a document in the same windows."""
        groups: dict[tuple[WindowConfig, int], list[str]] = {}
        for head in heads:
            trained = self.trained_windows(head)
            groups.setdefault((self.windows(trained), trained.size), []).append(head)
        return list(groups.values())

    def ids(self, question: str) -> tuple[int, ...]:
        """Token ids of a question."""
        return tuple(tokenize(question.strip(), self.scorer.tokenizer).ids.tolist())

    def tokenize(self, document: Document) -> Tokens:
        """Tokenises the whole document; the tokens of those that were read last are kept."""
        return self._tokenized(document.text)

    def read(self, document: Document, tokens: Tokens, heads: Sequence[str], *, question: str | None = None) -> Reading:
        """Cuts tokens of a document, all or a part of them, into windows.

        Args:
            document: the document.
            tokens: tokens to read.
            heads: names of heads that were trained on the same windows.
            question: asked of every window.

        Raises:
            ConfigError: the question leaves too little room in a window.
        """
        template = self.scorer.form.template
        if question is None:
            special = template.after_prompt(self.scorer.prompt(heads[0]))
        else:
            special = template.asking(self.ids(question), after_text=self.scorer.is_asked_after_text(heads[0]))
        trained = self.trained_windows(heads[0])
        config = self.windows(trained)
        size = config.size - len(special)
        if size <= config.overlap:
            remedy = f"ask in fewer words: {question!r:.80}" if question is not None else "its prompt is too long"
            raise ConfigError(
                f"{'a question' if question is not None else 'a prompt'} of {len(special)} tokens leaves no room in a "
                f"window of {config.size} with an overlap of {config.overlap}; {remedy}"
            )
        cuts = sentence_starts(document.text, tokens.offsets)
        return Reading(
            document=document,
            tokens=tokens,
            windows=tuple(split(len(tokens), size=size, overlap=config.overlap, cuts=cuts)),
            special=special,
            period=trained.size,
            heads=tuple(heads),
            question=question,
        )

    def score(self, readings: Sequence[Reading], progress: tqdm[Any] | None = None) -> list[dict[str, WindowScores]]:
        """Scores all windows of all readings: for each reading, the scores by head.

        On a CPU they depend on no other reading, apart from rounding in heads (1e-6); a GPU computes different numbers
        of rows by different programs.

        Raises:
            ConfigError: this process was forked from the one that loaded the model, and uses a GPU or threads.
        """
        found: list[dict[str, list[np.ndarray]]] = [
            {head: [np.empty(0)] * len(reading.windows) for head in reading.heads} for reading in readings
        ]
        order = sorted(range(len(readings)), key=lambda index: _batch_key(readings[index]))
        for _, group in groupby(order, key=lambda index: _batch_key(readings[index])):
            windows = [(index, number) for index in group for number in range(len(readings[index].windows))]
            self._score_alike(readings, windows, found, progress)
        return [
            {head: self._window_scores(reading, head, scores) for head, scores in by_head.items()}
            for reading, by_head in zip(readings, found, strict=True)
        ]

    def _window_scores(self, reading: Reading, head: str, scores: list[np.ndarray]) -> WindowScores:
        return WindowScores(
            document=reading.document,
            tokens=reading.tokens,
            windows=reading.windows,
            lengths=tuple(len(window) + len(reading.special) for window in reading.windows),
            scores=scores,
            merge=self.trained_windows(head).merge,
            question=reading.question,
        )

    def _score_alike(
        self,
        readings: Sequence[Reading],
        windows: Sequence[tuple[int, int]],
        found: list[dict[str, list[np.ndarray]]],
        progress: tqdm[Any] | None,
    ) -> None:
        """Scores windows (index of the reading, number of the window) that share heads and encoder."""
        pairs = [(readings[index], readings[index].windows[number]) for index, number in windows]
        batches = [[windows[row] for row in rows] for rows in self._batches(pairs)]

        def begin(scorer: Scorer, chosen: Sequence[tuple[int, int]]) -> Callable[[], dict[str, list[np.ndarray]]]:
            return self._begin(scorer, [(readings[index], readings[index].windows[number]) for index, number in chosen])

        for chosen, by_head in zip(batches, self.scorer.each(begin, batches), strict=True):
            for head, scores in by_head.items():
                for (index, number), score in zip(chosen, scores, strict=True):
                    found[index][head][number] = score
            if progress is not None:
                progress.update(sum(len(readings[index].windows[number]) for index, number in chosen))

    def _batches(self, windows: Sequence[tuple[Reading, Window]]) -> Iterator[list[int]]:
        """Batches of indices of windows that share an encoder; on a CPU, none depends on the others of its batch."""
        if not windows:
            return iter(())
        padding = self.scorer.padding(windows[0][0].period)
        if padding == "alike":
            return alike_batches([self._form(*each) for each in windows], self.batch_tokens)
        lengths = [len(window) + len(reading.special) for reading, window in windows]
        return (packed_batches if padding == "none" else length_batches)(lengths, self.batch_tokens)

    def _form(self, reading: Reading, window: Window) -> tuple[int, int, int]:
        """What windows of one batch have in common if the encoder computes padding.

        That is the length with padding, whether there is padding, and the number of global tokens.
        """
        length = len(window) + len(reading.special)
        padded = padded_length(length, self.windows(self.trained_windows(reading.heads[0])).size)
        if self.scorer.sees_padding or 2 * padded > self.batch_tokens:  # or it is alone in its batch
            padded = length
        return padded, int(padded > length), reading.special.n_global

    def _begin(
        self, scorer: Scorer, chosen: Sequence[tuple[Reading, Window]]
    ) -> Callable[[], dict[str, list[np.ndarray]]]:
        """Begins to score windows.

        Returns a function that waits for the scores by head: of each window ``(len(window), L)``, or ``(1, L)`` of
        heads that score windows.
        """
        first, window = chosen[0]
        slices = [reading.tokens.ids[window.start : window.end] for reading, window in chosen]
        length = self._form(first, window)[0] if scorer.padding(first.period) == "alike" else 0
        batch = scorer.form.batch(slices, [reading.special for reading, _ in chosen], length)
        scores = scorer.scores(batch.inputs, first.heads, first.period)
        return lambda: {
            head: list(found) if found.shape[1] == 1 else batch.content(found) for head, found in scores().items()
        }

    def fill(self, document: Document, head: str, top_k: int) -> list[list[Word]]:
        """The likeliest words for each mask.

        Raises:
            ConfigError: no word is masked.
        """
        check_count("top_k", top_k, 1)
        tokenizer = self._masking_tokenizer
        tokens = tokenize(document.text, tokenizer, masks=True)
        numbers = {mask: tokenizer.token_to_id(mask) for mask in MASKS}
        known = {mask: number for mask, number in numbers.items() if number is not None}
        indices = np.flatnonzero(np.isin(tokens.ids, list(known.values())))
        if not len(indices):
            raise ConfigError(
                f"no word of the text is masked; write {' or '.join(known)} for one: {document.text!r:.80}"
            )
        scores = self.masked(tokens, head, indices)
        return [
            [Word(tokenizer.decode([int(number)]).strip(), float(row[number])) for number in best]
            for row, best in zip(scores, np.argsort(-scores, axis=1)[:, :top_k], strict=True)
        ]

    @cached_property
    def _masking_tokenizer(self) -> Tokenizer:
        """A copy of the tokenizer that sees masks, so that other threads can use the model's, which does not."""
        return Tokenizer.from_str(self.scorer.tokenizer.to_str())

    def masked(self, tokens: Tokens, head: str, indices: np.ndarray) -> np.ndarray:
        """Probabilities of the vocabulary, float32 ``(N, V)``, at token indices ``indices``, int ``(N,)``.

        Each token is scored in the window in which it is most central. ``ConfigError`` as for :meth:`score`.
        """
        config = self.windows(self.config.windows)
        special = self.scorer.form.template.plain
        windows = split(len(tokens), size=config.size - len(special), overlap=config.overlap)
        owned = merge_weights(windows, len(tokens), "most central")
        found: dict[int, np.ndarray] = {}
        for window, own in zip(windows, owned, strict=True):
            inside = [index for index in indices if window.start <= index < window.end and own[index - window.start]]
            if not inside:
                continue
            inputs = self.scorer.form.batch([tokens.ids[window.start : window.end]]).inputs
            rows = [index - window.start + len(special.prefix) for index in inside]
            found.update(zip(inside, self.scorer.words(inputs, head, rows), strict=True))
        return np.stack([found[index] for index in indices])


def _remembering(scorer: Scorer) -> Callable[[str], Tokens]:
    """`tokenize` with the tokenizer of a model, and what its head puts before a text; it keeps some results."""
    return lru_cache(maxsize=_REMEMBERED)(lambda text: tokenize(text, scorer.tokenizer, lead=scorer.lead))


def _batch_key(reading: Reading) -> tuple[int, tuple[str, ...]]:
    return reading.period, reading.heads
