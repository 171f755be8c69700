"""A model on a device: the arrays of windows → the scores of its heads, by torch.

:class:`longdoc.reader.Reader` cuts and batches the windows, for it as for an exported graph. Dimensions: ``B`` windows,
``T`` tokens, ``L`` labels, ``N`` positions, ``V`` vocabulary.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer

from longdoc.devices import Precision, check_process, device_of, dtype_of, has_int8
from longdoc.encoders import Encoder
from longdoc.errors import PrecisionWarning
from longdoc.inputs import EncoderKind, InputForm
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.packed import can_pack, pack_for_cpu, quantize_for_cpu

BatchT = TypeVar("BatchT")
ResultT = TypeVar("ResultT")


class TorchScorer:
    """A model on a device, in a number format, with one of the two encoders: a :class:`longdoc.reader.Scorer`."""

    def __init__(
        self,
        model: Model,
        *,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        encoder: EncoderKind = "windows",
    ) -> None:
        """Moves the model to the device; the arguments are those of ``Pipeline.from_pretrained``.

        Raises:
            ConfigError: an unknown device or precision, or an architecture that cannot be made sparse.
        """
        self.device = device_of(device)
        dtype = dtype_of(precision, self.device)
        self.in_int8 = dtype == torch.int8
        self.dtype = dtype_of("auto", self.device) if self.in_int8 else dtype
        self.model = model.to(self.device).eval()
        self.kind: EncoderKind = encoder
        self._encoders: dict[int, Encoder] = {}
        self._pool: tuple[tuple[int, int], ThreadPoolExecutor] | None = None
        self._process = os.getpid()
        self.encoder_of(model.config.windows.size)  # refuses here an architecture that cannot be made sparse

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_encoders": {}, "_pool": None}  # packed weights and threads cannot be pickled

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _process=os.getpid())

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
        """Positions in a batch, if the user names none."""
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

    def pads_alike(self, period: int) -> bool:
        """Whether windows share batches with those of the same padded length only, which on a GPU would be in vain."""
        return self.encoder_of(period).computes_padding and self.device.type == "cpu"

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
        elif self.kind == "sparse" or self.model.config.sparse.windows:
            reason = "attention is sparse"
        elif backbone.config.model_type == "bert":
            reason = "this encoder has settings or layers that plain BERT has not"
        else:
            reason = f"this encoder is {backbone.config.model_type}"
        warnings.warn(
            f"precision='int8' is for BERT's dense attention, on a CPU with VNNI or AMX; {reason}, so it is read in "
            f"{str(self.dtype).removeprefix('torch.')}",
            PrecisionWarning,
            stacklevel=2,
        )

    def scores(self, inputs: Mapping[str, np.ndarray], heads: Sequence[str], period: int) -> dict[str, np.ndarray]:
        """Scores by head, float32 ``(B, T, L)``, or ``(B, 1, L)`` of heads that score windows.

        Args:
            inputs: those of an encoder, each ``(B, T)``.
            heads: their names.
            period: length of the windows that they were trained on.
        """
        tensors = self._tensors(inputs)
        low = self.dtype != torch.float32
        with torch.inference_mode():
            with torch.autocast(self.device.type, dtype=self.dtype, enabled=low):
                states, mask = self.encoder_of(period)(**tensors), tensors.get("attention_mask")
            states = states.to(next(self.model.parameters()).dtype)  # heads cost little, and rounded logits much
            modules: dict[str, Any] = {head: self.model.head(head) for head in heads}
            return {head: module.scores(states, mask).float().cpu().numpy() for head, module in modules.items()}

    def words(self, inputs: Mapping[str, np.ndarray], head: str, positions: Sequence[int]) -> np.ndarray:
        """Probabilities of the vocabulary, float32 ``(N, V)``, at positions of a row; the inputs are ``(1, T)``.

        Raises:
            ConfigError: as for :meth:`each`.
        """
        check_process(self.device, self._process)
        module: Any = self.model.head(head)
        with torch.inference_mode():
            states = self.encoder(**self._tensors(inputs))
            found: np.ndarray = module(states[0, list(positions)]).float().softmax(dim=-1).cpu().numpy()
        return found

    def _tensors(self, inputs: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(array).to(self.device) for name, array in inputs.items()}

    def each(self, compute: Callable[[BatchT], ResultT], batches: Sequence[BatchT]) -> Iterator[ResultT]:
        """What is computed for each batch, in order; on a CPU several at a time, each by one thread.

        Threads that share a batch wait for each other in every layer, which takes several times as long on a machine
        that does something else too, such as loading the next documents.

        Raises:
            ConfigError: this process was forked from the one that loaded the model, and uses a GPU or threads.
        """
        check_process(self.device, self._process)
        at_a_time = self.at_a_time
        return (self._threads(at_a_time).map if len(batches) >= at_a_time > 1 else map)(compute, batches)

    @property
    def at_a_time(self) -> int:
        """Batches that are computed at a time."""
        return torch.get_num_threads() if self.device.type == "cpu" and self.kind == "windows" else 1

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
