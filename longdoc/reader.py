"""One model on one device: texts → windows → each head's scores.

Windows of several documents, and of several questions to one document, share batches. With sparse attention a window is
as long as most documents; everything else is the same.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from threading import Barrier
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm

from longdoc.arguments import check_choice, check_count
from longdoc.devices import check_process, dtype_of, has_int8
from longdoc.document import Document
from longdoc.encoders import Encoder, SpecialTokens, alike_batches, length_batches, padded_length
from longdoc.errors import ConfigError, PrecisionWarning
from longdoc.findings import WindowScores
from longdoc.model import Model
from longdoc.packed import can_pack, pack_for_cpu, quantize_for_cpu
from longdoc.vocabulary import MASKS
from longdoc.windows import Tokens, Window, WindowConfig, merge_weights, sentence_starts, split, tokenize

EncoderKind: TypeAlias = Literal["windows", "sparse"]

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


class Reader:
    """A model on a device, with one of the two encoders."""

    def __init__(
        self,
        model: Model,
        *,
        device: torch.device,
        dtype: torch.dtype,
        encoder: EncoderKind,
        batch_tokens: int | None = None,
    ) -> None:
        self.model = model.to(device).eval()
        self.device = device
        self.in_int8 = dtype == torch.int8
        self.dtype = dtype_of("auto", device) if self.in_int8 else dtype
        self.kind = encoder
        # Enough to keep a GPU busy; on a CPU, few enough for the activations of a small encoder to stay in the cache.
        self.batch_tokens = batch_tokens or (2**16 if device.type == "cuda" else 2**11)
        self._encoders: dict[int, Encoder] = {}
        self._tokenized = _remembering(self.model)
        self._pool: tuple[tuple[int, int], ThreadPoolExecutor] | None = None
        self._process = os.getpid()
        self.encoder_of(model.config.windows.size)  # refuses here an architecture that cannot be made sparse
        after = [name for name, head in model.heads.items() if getattr(head, "asked_after_text", False)]
        if after and encoder == "sparse":
            raise ConfigError(
                f"the checkpoint of {after[0]} reads a hypothesis after the text, and with sparse attention only the "
                "last words of a long text would see it; use encoder='windows'"
            )

    def __getstate__(self) -> dict[str, Any]:
        # Packed weights, threads and functions cannot be pickled, and are made again.
        kept = {name: value for name, value in self.__dict__.items() if name != "_tokenized"}
        return {**kept, "_encoders": {}, "_pool": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _process=os.getpid())
        self._tokenized = _remembering(self.model)

    @property
    def encoder(self) -> Encoder:
        """The encoder for heads that were trained on the model's own windows."""
        return self.encoder_of(self.model.config.windows.size)

    def encoder_of(self, period: int) -> Encoder:
        """The encoder for heads that were trained on windows of ``period`` tokens, built once."""
        key = period if self.kind == "sparse" else 0
        if key not in self._encoders:
            self._encoders[key] = self._packed(self.model.reading_encoder(key))
        return self._encoders[key]

    def _packed(self, encoder: Encoder) -> Encoder:
        """An encoder with packed weights, in int8 if they are to be and can be; as it is on other devices."""
        if self.in_int8:
            quantized = quantize_for_cpu(encoder, self.dtype) if has_int8(self.device) else None
            if quantized is not None:
                return quantized
            self.in_int8 = False
            self._warn_of_precision(encoder.backbone)
        return pack_for_cpu(encoder, self.dtype) if can_pack(self.device, self.dtype) else encoder

    def _warn_of_precision(self, backbone: Any) -> None:
        if self.device.type != "cpu":
            reason = f"the device is {str(self.device)!r}"
        elif not has_int8(self.device):
            reason = "this CPU has neither VNNI nor AMX"
        else:
            reason = "attention is sparse" if self.kind == "sparse" else f"this encoder is {backbone.config.model_type}"
        warnings.warn(
            f"precision='int8' is for BERT's dense attention, on a CPU with VNNI or AMX; {reason}, so it is read in "
            f"{str(self.dtype).removeprefix('torch.')}",
            PrecisionWarning,
            stacklevel=2,
        )

    def windows(self, trained: WindowConfig) -> WindowConfig:
        """How to cut a document for heads that were trained on windows like ``trained``."""
        return self.model.config.sparse.rows if self.kind == "sparse" else trained

    def trained_windows(self, head: str) -> WindowConfig:
        """The windows that a head was trained on."""
        windows: WindowConfig | None = getattr(self.model.config.heads[head], "windows", None)
        return windows or self.model.config.windows

    def read_together(self, heads: Iterable[str]) -> list[list[str]]:
        """The heads in groups that read a document in the same windows."""
        groups: dict[tuple[WindowConfig, int], list[str]] = {}
        for head in heads:
            trained = self.trained_windows(head)
            groups.setdefault((self.windows(trained), trained.size), []).append(head)
        return list(groups.values())

    def ids(self, question: str) -> tuple[int, ...]:
        """Token ids of a question."""
        return tuple(tokenize(question.strip(), self.model.tokenizer).ids.tolist())

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
        template = self.model.encoder.template
        head: Any = self.model.head(heads[0])
        if question is None:
            special = template.after_prompt(getattr(head, "prompt", ()))
        else:
            special = template.asking(self.ids(question), after_text=getattr(head, "asked_after_text", False))
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
        check_process(self.device, self._process)
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

        def forward(chosen: Sequence[tuple[int, int]]) -> dict[str, list[np.ndarray]]:
            return self._forward([(readings[index], readings[index].windows[number]) for index, number in chosen])

        n_threads = self._n_threads(len(batches))
        each = self._threads(n_threads).map if n_threads > 1 else map
        for chosen, by_head in zip(batches, each(forward, batches), strict=True):
            for head, scores in by_head.items():
                for (index, number), score in zip(chosen, scores, strict=True):
                    found[index][head][number] = score
            if progress is not None:
                progress.update(sum(len(readings[index].windows[number]) for index, number in chosen))

    def _batches(self, windows: Sequence[tuple[Reading, Window]]) -> Iterator[list[int]]:
        """Batches of indices of windows that share an encoder; on a CPU, none depends on the others of its batch."""
        if windows and self._pads_alike(self.encoder_of(windows[0][0].period)):
            return alike_batches([self._form(*each) for each in windows], self.batch_tokens)
        lengths = [len(window) + len(reading.special) for reading, window in windows]
        return length_batches(lengths, self.batch_tokens)

    def _pads_alike(self, encoder: Encoder) -> bool:
        """Whether windows share batches with those of the same padded length only, which on a GPU would be in vain."""
        return encoder.computes_padding and self.device.type == "cpu"

    def _form(self, reading: Reading, window: Window) -> tuple[int, int, int]:
        """What windows of one batch have in common if the encoder computes padding.

        That is the length with padding, whether there is padding, and the number of global tokens.
        """
        length = len(window) + len(reading.special)
        padded = padded_length(length, self.windows(self.trained_windows(reading.heads[0])).size)
        if self.model.encoder.sees_padding or 2 * padded > self.batch_tokens:  # or it is alone in its batch
            padded = length
        return padded, int(padded > length), reading.special.n_global

    def _n_threads(self, n_batches: int) -> int:
        """How many batches to compute at a time, each by one thread; 1 if all threads share each batch.

        Threads that share a batch wait for each other in every layer, which takes several times as long on a machine
        that does something else too, such as loading the next documents.
        """
        n_threads = torch.get_num_threads()
        alone = self.device.type == "cpu" and self.kind == "windows" and n_batches >= n_threads
        return n_threads if alone else 1

    def _threads(self, count: int) -> ThreadPoolExecutor:
        """As many threads, each of which computes alone; made once, and again in a process that was forked."""
        key = (os.getpid(), count)
        if self._pool is None or self._pool[0] != key:
            pool = ThreadPoolExecutor(count, "longdoc", initializer=torch.set_num_threads, initargs=(1,))
            all_started = Barrier(count)
            list(pool.map(lambda _: all_started.wait(), range(count)))
            torch.set_num_threads(count)  # threads to come take over the last setting, whichever thread made it
            self._pool = key, pool
        return self._pool[1]

    def _forward(self, chosen: Sequence[tuple[Reading, Window]]) -> dict[str, list[np.ndarray]]:
        """Scores of windows by head: of each window ``(len(window), L)``, or ``(1, L)`` of heads that score windows."""
        first, window = chosen[0]
        encoder = self.encoder_of(first.period)
        slices = [reading.tokens.ids[window.start : window.end] for reading, window in chosen]
        length = self._form(first, window)[0] if self._pads_alike(encoder) else 0
        batch = encoder.batch(slices, [reading.special for reading, _ in chosen], length)
        inputs = {name: tensor.to(self.device) for name, tensor in batch.inputs.items()}
        low = self.dtype != torch.float32
        found = {}
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=self.dtype, enabled=low):
            states = encoder(**inputs)
            for head in first.heads:
                module: Any = self.model.head(head)
                scores = module.scores(states, inputs.get("attention_mask")).float().cpu().numpy()
                found[head] = list(scores) if scores.shape[1] == 1 else batch.content(scores)
        return found

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
        return Tokenizer.from_str(self.model.tokenizer.to_str())

    def masked(self, tokens: Tokens, head: str, indices: np.ndarray) -> np.ndarray:
        """Probabilities of the vocabulary, float32 ``(N, V)``, at token indices ``indices``, int ``(N,)``.

        Each token is scored in the window in which it is most central. ``ConfigError`` as for :meth:`score`.
        """
        check_process(self.device, self._process)
        config = self.windows(self.model.config.windows)
        special = self.model.encoder.template.plain
        windows = split(len(tokens), size=config.size - len(special), overlap=config.overlap)
        owned = merge_weights(windows, len(tokens), "most central")
        found: dict[int, np.ndarray] = {}
        for window, own in zip(windows, owned, strict=True):
            inside = [index for index in indices if window.start <= index < window.end and own[index - window.start]]
            if not inside:
                continue
            inputs = self.encoder.batch([tokens.ids[window.start : window.end]]).inputs
            module: Any = self.model.head(head)
            with torch.inference_mode():
                states = self.encoder(**{name: tensor.to(self.device) for name, tensor in inputs.items()})
                rows = [index - window.start + len(special.prefix) for index in inside]
                logits = module(states[0, rows]).float().softmax(dim=-1).cpu().numpy()
            found.update(zip(inside, logits, strict=True))
        return np.stack([found[index] for index in indices])


def _remembering(model: Model) -> Callable[[str], Tokens]:
    """`tokenize` with the tokenizer of a model, and what its head puts before a text; it keeps some results."""
    heads: list[Any] = [*model.heads.values()]
    lead: str = next((head.lead for head in heads if hasattr(head, "lead")), "")
    return lru_cache(maxsize=_REMEMBERED)(lambda text: tokenize(text, model.tokenizer, lead=lead))


def _batch_key(reading: Reading) -> tuple[int, tuple[str, ...]]:
    return reading.period, reading.heads


def check_encoder(encoder: str) -> None:
    """Checks the name of an encoder.

    Raises:
        ConfigError: it is unknown; the message lists the names allowed.
    """
    check_choice("encoder", encoder, get_args(EncoderKind))
