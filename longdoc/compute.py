"""A model on a device: the arrays of windows → the scores of its heads, by torch.

:class:`longdoc.reader.Reader` cuts and batches the windows, for it as for an exported graph. Dimensions: ``B`` windows,
``T`` tokens, ``L`` labels, ``N`` positions, ``V`` vocabulary.
"""

from __future__ import annotations

import copy
import os
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from threading import Barrier, Lock
from typing import Any, TypeVar, cast

import numpy as np
import torch
from tokenizers import Tokenizer

from longdoc.devices import check_process, devices_of, dtype_of, has_int8, sent_to
from longdoc.encoders import Encoder
from longdoc.errors import ComputeError, PrecisionWarning, first_line
from longdoc.inputs import EncoderKind, InputForm, Padding, Precision
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.packed import PackedEncoder, can_pack, can_unpad, pack_for_cpu, pack_for_gpu, quantize_for_cpu

BatchT = TypeVar("BatchT")
ResultT = TypeVar("ResultT")

_AHEAD = 1
"""Batches that a GPU has to compute while the results of another are read."""
_NO_MEMORY = re.compile("DefaultCPUAllocator|out of memory")
"""In a ``RuntimeError`` of torch for want of memory other than of a GPU's."""


class TorchScorer:
    """A model on a device, in a number format, with one of the two encoders: a :class:`longdoc.reader.Scorer`."""

    others: tuple[TorchScorer, ...] = ()
    """Copies on other devices, which batches are dealt out to, too."""

    def __init__(
        self,
        model: Model,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        encoder: EncoderKind = "windows",
    ) -> None:
        """Moves the model to the device, and copies to others; the arguments are of ``Pipeline.from_pretrained``.

        Raises:
            ConfigError: an unknown device or precision, or an architecture that cannot be made sparse.
        """
        self.device, *others = devices_of(device)
        dtype = dtype_of(precision, self.device, *others)
        self.in_int8 = dtype == torch.int8
        self.dtype = dtype_of("auto", self.device, *others) if self.in_int8 else dtype
        self.model = model.to(self.device).eval()
        self.kind: EncoderKind = encoder
        self._encoders: dict[int, Encoder] = {}
        self._adapted: dict[str, TorchScorer] = {}
        self._adapting = Lock()
        self._pool: tuple[tuple[int, int], ThreadPoolExecutor] | None = None
        self._process = os.getpid()
        self.encoder_of(model.config.windows.size)  # refuses here an architecture that cannot be made sparse
        self.others = tuple(self._like(copy.deepcopy(model), other) for other in others)

    def _like(self, model: Model, device: torch.device) -> TorchScorer:
        """A scorer of another model that computes as this one does."""
        precision: Any = "int8" if self.in_int8 else _name_of(self.dtype)
        return TorchScorer(model, device=device, precision=precision, encoder=self.kind)

    def _adapted_to(self, head: str) -> TorchScorer:
        """The scorer of a head that reads with an encoder of its own, made when it is first used."""
        with self._adapting:
            if head not in self._adapted:
                self._adapted[head] = self._like(self.model.adapted(head), self.device)
            return self._adapted[head]

    def __getstate__(self) -> dict[str, Any]:
        # Packed weights, threads and locks cannot be pickled.
        return {**self.__dict__, "_encoders": {}, "_adapted": {}, "_adapting": None, "_pool": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _process=os.getpid(), _adapting=Lock())

    def __str__(self) -> str:
        """How it computes, such as "windows in bfloat16 on cuda:0, cuda:1"."""
        precision = "int8" if self.in_int8 else str(self.dtype).removeprefix("torch.")
        devices = ", ".join(str(each.device) for each in (self, *self.others))
        return f"{self.kind} in {precision} on {devices}"

    @property
    def config(self) -> ModelConfig:
        """The settings of the model."""
        return self.model.config

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""
        return self.model.tokenizer

    @property
    def form(self) -> InputForm:
        """What its encoder is given beside the tokens of a window."""
        return self.model.encoder.form

    @property
    def left_out(self) -> Mapping[str, str]:
        """Nothing: all heads of the model are there."""
        return {}

    @property
    def batch_tokens(self) -> int:
        """Tokens in a batch, if the user names none."""
        # Enough to keep a GPU busy; on a CPU, few enough for the activations of a small encoder to stay in the cache.
        return 2**16 if self.device.type == "cuda" else 2**11

    @property
    def sees_padding(self) -> bool:
        """Whether each window is computed by itself, since its states depend on the padding after it."""
        return self.model.encoder.sees_padding

    @property
    def lead(self) -> str:
        """The text that its head puts before every text."""
        heads: list[Any] = [*self.model.heads.values()]
        return next((head.lead for head in heads if hasattr(head, "lead")), "")

    def prompt(self, head: str) -> tuple[int, ...]:
        """Ids of the tokens of that text."""
        found: tuple[int, ...] = getattr(self.model.head(head), "prompt", ())
        return found

    def is_asked_after_text(self, head: str) -> bool:
        """Whether a question, or a hypothesis, is the second text of a pair."""
        return bool(getattr(self.model.head(head), "asked_after_text", False))

    def width(self, head: str) -> int:
        """Length of the vectors of a head."""
        config: Any = self.model.encoder.backbone.config
        return int(getattr(self.model.head(head), "width", config.hidden_size))

    def padding(self, period: int) -> Padding:
        """How the windows of a batch are padded; on a GPU, whose results differ by batch, to the longest of them."""
        if not self.encoder_of(period).computes_padding:
            return "none"
        return "alike" if self.device.type == "cpu" else "longest"

    @property
    def encoder(self) -> Encoder:
        """The encoder for heads that were trained on the model's own windows."""
        return self.encoder_of(self.config.windows.size)

    def encoder_of(self, period: int) -> Encoder:
        """The encoder for heads that were trained on windows of ``period`` tokens, built once."""
        key = period if self.kind == "sparse" else 0
        if key not in self._encoders:
            self._encoders[key] = self._packed(self.model.reading_encoder(key))
        return self._encoders[key]

    def _packed(self, encoder: Encoder) -> Encoder:
        """An encoder with packed weights, in int8 if they are to be and can be; as it is where that is not possible."""
        if self.in_int8:
            quantized = quantize_for_cpu(encoder, self.dtype) if has_int8(self.device) else None
            if quantized is not None:
                return quantized
            self.in_int8 = False
            self._warn_of_precision(encoder.backbone)
        if can_pack(self.device, self.dtype):
            return pack_for_cpu(encoder, self.dtype)
        return pack_for_gpu(encoder, self.dtype) if can_unpad(self.device, self.dtype) else encoder

    def _warn_of_precision(self, backbone: Any) -> None:
        if self.device.type != "cpu":
            reason = f"the device is {str(self.device)!r}"
        elif not has_int8(self.device):
            reason = "this CPU has neither VNNI nor AMX"
        elif self.kind == "sparse" or self.model.config.sparse.windows:
            reason = "attention is sparse"
        elif backbone.config.model_type == "bert":
            reason = "this encoder has settings or layers that plain BERT has not"
        else:
            reason = f"this encoder is {backbone.config.model_type}"
        warnings.warn(
            f"precision='int8' is for BERT's dense attention, on a CPU with VNNI or AMX; {reason}, so it is read in "
            f"{_name_of(self.dtype)}",
            PrecisionWarning,
            stacklevel=2,
        )

    def scores(
        self, inputs: Mapping[str, np.ndarray], heads: Sequence[str], period: int
    ) -> Callable[[], dict[str, np.ndarray]]:
        """Computes scores, or begins to on a GPU.

        Args:
            inputs: those of an encoder, each ``(B, T)``.
            heads: their names.
            period: length of the windows that they were trained on.

        Returns:
            A function that waits for them: by head, float32 ``(B, T, L)``, or ``(B, 1, L)`` of heads that score
            windows.

        Raises:
            ComputeError: there is too little memory for it.
        """
        if own := [head for head in heads if head in self.model.adapters]:
            assert own == list(heads) and len(own) == 1, f"{own[0]} has an encoder of its own, and is read by itself"
            return self._adapted_to(own[0]).scores(inputs, heads, period)
        encoder, low = self.encoder_of(period), self.dtype != torch.float32
        lengths = {"lengths": _lengths(inputs)} if isinstance(encoder, PackedEncoder) else {}
        with self._in_memory(inputs), torch.inference_mode():
            tensors = self._tensors(inputs)
            with torch.autocast(self.device.type, dtype=self.dtype, enabled=low):
                states, mask = encoder(**tensors, **lengths), tensors.get("attention_mask")
            states = states.to(next(self.model.parameters()).dtype)  # heads cost little, and rounded logits much
            modules: dict[str, Any] = {head: self.model.head(head) for head in heads}
            return _read_back({head: module.scores(states, mask).float() for head, module in modules.items()})

    def words(self, inputs: Mapping[str, np.ndarray], head: str, positions: Sequence[int]) -> np.ndarray:
        """Probabilities of the vocabulary, float32 ``(N, V)``, at positions of a row; the inputs are ``(1, T)``.

        Raises:
            ConfigError: as for :meth:`each`.
            ComputeError: as for :meth:`scores`.
        """
        check_process(self.device, self._process)
        module: Any = self.model.head(head)
        with self._in_memory(inputs), torch.inference_mode():
            states = self.encoder(**self._tensors(inputs))
            found: np.ndarray = module(states[0, list(positions)]).float().softmax(dim=-1).cpu().numpy()
        return found

    @contextmanager
    def _in_memory(self, inputs: Mapping[str, np.ndarray]) -> Iterator[None]:
        """Within, a want of memory is a `ComputeError` that says for which inputs, and what to do."""
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and not _NO_MEMORY.search(str(error)):
                raise
            (n_rows, n_columns), settings = inputs["input_ids"].shape, cast(Any, self.model.encoder.backbone.config)
            raise ComputeError(
                f"{settings.model_type} on {self.device}: {n_rows:,} windows of {n_columns:,} tokens, out of memory "
                f"({first_line(error):.200}); give fewer batch_tokens, or read with fewer processes"
            ) from error

    def _tensors(self, inputs: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {name: sent_to(self.device, array) for name, array in inputs.items()}

    def each(
        self, begin: Callable[[TorchScorer, BatchT], Callable[[], ResultT]], batches: Sequence[BatchT]
    ) -> Iterator[ResultT]:
        """What is computed for each batch, in order; on a CPU several at a time, each by one thread.

        Threads that share a batch wait for each other in every layer, which takes several times as long on a machine
        that does something else too, such as loading the next documents. A GPU has the next batch, too, so that it
        never waits for the results of one to be read; several GPUs take turns.

        Raises:
            ConfigError: this process was forked from the one that loaded the model, and uses a GPU or threads.
        """
        check_process(self.device, self._process)
        if self.device.type != "cpu" or self.others:
            return in_flight(begin, batches, (self, *self.others))
        at_a_time = self.at_a_time
        apply = self._threads(at_a_time).map if len(batches) >= at_a_time > 1 else map
        return apply(lambda batch: begin(self, batch)(), batches)

    @property
    def at_a_time(self) -> int:
        """Batches that are computed at a time, or that a GPU has ahead."""
        if self.device.type != "cpu" or self.others:
            return (1 + _AHEAD) * (1 + len(self.others))
        return torch.get_num_threads() if self.kind == "windows" else 1

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


def in_flight(
    begin: Callable[[TorchScorer, BatchT], Callable[[], ResultT]],
    batches: Sequence[BatchT],
    scorers: Sequence[TorchScorer],
) -> Iterator[ResultT]:
    """The results of batches, in order, which scorers on several devices begin in turn.

    A result is waited for when each scorer has a further batch to compute. An error is raised in the place of the
    batch that it belongs to, after the results of those before it.
    """
    begun: deque[Callable[[], ResultT]] = deque()
    for scorer, batch in zip(cycle(scorers), batches, strict=False):
        try:
            begun.append(begin(scorer, batch))
        except Exception:
            yield from (wait() for wait in begun)
            raise
        if len(begun) > _AHEAD * len(scorers):
            yield begun.popleft()()
    yield from (wait() for wait in begun)


def _read_back(scores: Mapping[str, torch.Tensor]) -> Callable[[], dict[str, np.ndarray]]:
    """Begins to copy scores to the CPU; returns a function that waits for them."""
    device = next(iter(scores.values())).device
    copies = {head: found.to("cpu", non_blocking=device.type == "cuda") for head, found in scores.items()}
    if device.type != "cuda":
        return lambda: {head: copied.numpy() for head, copied in copies.items()}
    done = torch.cuda.Event()
    done.record(torch.cuda.current_stream(device))

    def wait() -> dict[str, np.ndarray]:
        done.synchronize()
        # Page-locked memory, which is scarce, is free again; results are kept until their documents are decoded.
        return {head: copied.numpy().copy() for head, copied in copies.items()}

    return wait


def _lengths(inputs: Mapping[str, np.ndarray]) -> list[int]:
    """The lengths of windows without padding."""
    n_rows, n_columns = inputs["input_ids"].shape
    mask = inputs.get("attention_mask")
    lengths: list[int] = [n_columns] * n_rows if mask is None else mask.sum(axis=1).tolist()
    return lengths


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
