"""One model over many windows: documents → what its heads say of each window.

Windows of several documents, and of several questions to one document, share batches. With sparse attention a window is
as long as most documents, and everything else is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from tqdm import tqdm

from longdoc.document import Document
from longdoc.encoders import Encoder, Frame, SparseEncoder, length_batches, pack_for_cpu
from longdoc.errors import ConfigError
from longdoc.model import Model
from longdoc.windows import Tokens, Window, WindowConfig, merge_weights, sentence_starts, split, stitch, tokenize

EncoderKind: TypeAlias = Literal["windows", "sparse"]
Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word that may stand where a text is masked, and the model's probability of it."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A text on its way through a model: its tokens, its windows, and each head's scores of each window.

    ``scores`` holds for each head one array a window: ``(len(window), …)``, or ``(1, …)`` of heads that score windows.
    """

    document: Document
    tokens: Tokens
    frame: Frame
    period: int
    """Length of the windows that the heads were trained on."""
    windows: list[Window]
    scores: dict[str, list[np.ndarray]]

    def stitched(self, head: str, merge: Any) -> np.ndarray:
        """A head's scores of every token, ``(T, …)``, merged over the windows that see it."""
        return stitch(self.scores[head], self.windows, len(self.tokens), merge)


class Reader:
    """A model on a device, with the encoder of choice."""

    def __init__(self, model: Model, *, device: torch.device, dtype: torch.dtype, encoder: EncoderKind) -> None:
        self.model = model.to(device).eval()
        self.device = device
        self.dtype = dtype
        self.kind = encoder
        self._encoders: dict[int, Encoder] = {}
        self.encoder = self._encoder(model.config.windows.size)
        # A batch this size keeps a GPU busy, or the activations of a small encoder in a CPU's cache.
        self.batch_tokens = 2**16 if device.type == "cuda" else 2**11

    def _encoder(self, period: int) -> Encoder:
        """The encoder for heads that were trained on windows of ``period`` tokens; made once."""
        key = period if self.kind == "sparse" else 0
        if key not in self._encoders:
            model, chosen = self.model, self.model.encoder
            if self.kind == "sparse":
                chosen = SparseEncoder.of(chosen, model.config.sparse_pattern(period), period)
            packable = self.device.type == "cpu" and self.dtype == torch.float32
            packable = packable and torch.backends.mkldnn.is_available()
            self._encoders[key] = pack_for_cpu(chosen) if packable else chosen
        return self._encoders[key]

    def windows(self, trained: WindowConfig) -> WindowConfig:
        """How to cut a document for heads that were trained on windows like ``trained``."""
        return self.model.config.sparse.rows if self.kind == "sparse" else trained

    def ids(self, question: str) -> tuple[int, ...]:
        """A question as token ids.

        Raises:
            ConfigError: it is empty.
        """
        if not question.strip():
            raise ConfigError("a question is empty; ask something, such as 'Which law governs this agreement?'")
        return tuple(self.model.tokenizer.encode(question.strip(), add_special_tokens=False).ids)

    def tokenize(self, document: Document) -> Tokens:
        """The whole document as tokens."""
        return tokenize(document.text, self.model.tokenizer)

    def read(
        self,
        document: Document,
        tokens: Tokens,
        heads: Sequence[str],
        *,
        question: str | None = None,
        trained: WindowConfig | None = None,
    ) -> Reading:
        """First step: tokens of a document, all or a part of them, as windows.

        Raises:
            ConfigError: the question leaves too little room in a window.
        """
        template = self.model.encoder.template
        frame = template.plain if question is None else template.asking(self.ids(question))
        trained = trained or self.model.config.windows
        config = self.windows(trained)
        size = config.size - len(frame)
        if size <= config.overlap:
            raise ConfigError(
                f"a question of {len(frame)} tokens leaves no room in a window of {config.size} with an overlap of "
                f"{config.overlap}; ask in fewer words: {question!r:.80}"
            )
        cuts = sentence_starts(document.text, tokens.offsets)
        windows = split(len(tokens), size=size, overlap=config.overlap, cuts=cuts)
        scores = {head: [np.empty(0)] * len(windows) for head in heads}
        return Reading(document, tokens, frame, trained.size, windows, scores)

    def ask(self, document: Document, head: str, questions: Sequence[str]) -> list[Reading]:
        """First step of questions or hypotheses to one document: it is tokenised once.

        Raises:
            ConfigError: a question is empty, or leaves too little room in a window.
        """
        config: Any = self.model.config.heads[head]
        tokens = self.tokenize(document)
        return [self.read(document, tokens, [head], question=q, trained=config.windows) for q in questions]

    def score(self, readings: Sequence[Reading], progress: tqdm[Any] | None = None) -> None:
        """Second step: fills in the scores of all windows of all readings, batched by length."""
        alike = sorted(readings, key=_batch_key)
        for _, group in groupby(alike, key=_batch_key):
            self._score_alike(list(group), progress)

    def _score_alike(self, readings: Sequence[Reading], progress: tqdm[Any] | None) -> None:
        windows = [(reading, index) for reading in readings for index in range(len(reading.windows))]
        lengths = [len(reading.windows[index]) + len(reading.frame) for reading, index in windows]
        for rows in length_batches(lengths, self.batch_tokens):
            chosen = [windows[row] for row in rows]
            for head, scores in self._forward(chosen).items():
                for (reading, index), score in zip(chosen, scores, strict=True):
                    reading.scores[head][index] = score
            if progress is not None:
                progress.update(sum(len(reading.windows[index]) for reading, index in chosen))

    def _forward(self, chosen: Sequence[tuple[Reading, int]]) -> dict[str, list[np.ndarray]]:
        encoder = self._encoder(chosen[0][0].period)
        slices = [reading.tokens.ids[r.start : r.end] for reading, index in chosen for r in [reading.windows[index]]]
        batch = encoder.batch(slices, [reading.frame for reading, _ in chosen])
        inputs = {name: tensor.to(self.device) for name, tensor in batch.inputs.items()}
        low = self.dtype != torch.float32
        found = {}
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=self.dtype, enabled=low):
            states = encoder(**inputs)
            for head in chosen[0][0].scores:
                module: Any = self.model.head(head)
                scores = module.scores(states, inputs.get("attention_mask")).float().cpu().numpy()
                found[head] = list(scores) if scores.shape[1] == 1 else batch.content(scores)
        return found

    def fill(self, tokens: Tokens, head: str, top_k: int, text: str) -> list[list[Word]]:
        """The likeliest words for each mask.

        Raises:
            ConfigError: there is none.
        """
        tokenizer = self.model.tokenizer
        numbers = {mask: tokenizer.token_to_id(mask) for mask in ("[MASK]", "<mask>")}
        known = {mask: number for mask, number in numbers.items() if number is not None}
        places = np.flatnonzero(np.isin(tokens.ids, list(known.values())))
        if not len(places):
            raise ConfigError(f"no word of the text is masked; write {' or '.join(known)} for one: {text!r:.80}")
        scores = self.masked(tokens, head, places)
        return [
            [Word(tokenizer.decode([int(number)]).strip(), float(row[number])) for number in best]
            for row, best in zip(scores, np.argsort(-scores, axis=1)[:, :top_k], strict=True)
        ]

    def masked(self, tokens: Tokens, head: str, places: np.ndarray) -> np.ndarray:
        """Probabilities of the vocabulary ``(N, V)`` at tokens ``places`` ``(N,)``, each in its most central window."""
        config = self.windows(self.model.config.windows)
        frame = self.model.encoder.template.plain
        windows = split(len(tokens), size=config.size - len(frame), overlap=config.overlap)
        owned = merge_weights(windows, len(tokens), "most central")
        encoder = self._encoder(self.model.config.windows.size)
        found: dict[int, np.ndarray] = {}
        for window, own in zip(windows, owned, strict=True):
            inside = [place for place in places if window.start <= place < window.end and own[place - window.start]]
            if not inside:
                continue
            inputs = encoder.batch([tokens.ids[window.start : window.end]]).inputs
            module: Any = self.model.head(head)
            with torch.inference_mode():
                states = encoder(**{name: tensor.to(self.device) for name, tensor in inputs.items()})
                rows = [place - window.start + len(frame.prefix) for place in inside]
                logits = module(states[0, rows]).float().softmax(dim=-1).cpu().numpy()
            found.update(zip(inside, logits, strict=True))
        return np.stack([found[place] for place in places])


def _batch_key(reading: Reading) -> tuple[int, tuple[str, ...]]:
    return reading.period, tuple(reading.scores)


def check_encoder(encoder: str) -> None:
    """Refuses what names no encoder."""
    if encoder not in get_args(EncoderKind):
        raise ConfigError(f"unknown encoder {encoder!r}; allowed: 'windows', 'sparse'")


def device_of(name: str) -> torch.device:
    """A torch device; ``auto`` is a GPU where there is one."""
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


def dtype_of(precision: str, device: torch.device) -> torch.dtype:
    """The number format of matrix products; ``auto`` is bfloat16 where the hardware computes in it."""
    if precision not in ("auto", "float32", "bfloat16"):
        raise ConfigError(f"unknown precision {precision!r}; allowed: 'auto', 'float32', 'bfloat16'")
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # other CPUs emulate bfloat16, at a third of the speed of float32
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        native = device.type == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return torch.bfloat16 if precision == "bfloat16" or (precision == "auto" and native) else torch.float32
