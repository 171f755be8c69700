"""An encoder and its heads as one graph of torch, with any number of windows and tokens.

Dimensions: ``B`` windows, ``T`` tokens, ``G`` tokens at the start of which some are global.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from longdoc.attention.positions import first_position, n_positions
from longdoc.encoders import Encoder, SparseEncoder
from longdoc.errors import ConfigError, first_line
from longdoc.export.files import length
from longdoc.inputs import EncoderKind
from longdoc.model import Model

_N_WINDOWS, _N_TOKENS = 2, 12
"""Of the rows that are traced; the graph takes other numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A graph with the names of what goes in and comes out."""

    program: ExportedProgram
    inputs: tuple[str, ...]
    """Names of the inputs, in their order: see :data:`longdoc.exported.INPUTS`."""
    outputs: dict[str, str]
    """Name of a head → its output, in their order."""


class Graph(nn.Module):
    """An encoder and heads: the arguments of ``Encoder.forward`` → the scores of each head."""

    def __init__(self, encoder: nn.Module, heads: Mapping[str, nn.Module], outputs: Mapping[str, str]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict(dict(heads))
        self.outputs = dict(outputs)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
        period: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """By output, float32 ``(B, T, L)`` or ``(B, 1, L)``; the inputs are as in :data:`longdoc.exported.INPUTS`."""
        further = {"token_type_ids": token_type_ids, "global_mask": global_mask, "period": period}
        given = {name: tensor for name, tensor in further.items() if tensor is not None}
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **given)
        heads: dict[str, Any] = dict(self.heads.items())
        return {output: heads[head].scores(states, attention_mask) for head, output in self.outputs.items()}


class PortableEncoder(nn.Module):
    """An encoder whose attention is sparse, in plain operators, for rows of any length."""

    def __init__(self, encoder: Encoder, *, window_follows: bool) -> None:
        """Takes over an encoder after ``make_portable``.

        Args:
            encoder: the encoder; positions repeat if it is a ``SparseEncoder``.
            window_follows: whether the window follows from the period, as in ``ModelConfig.sparse_pattern``.
        """
        super().__init__()
        self.backbone: Any = encoder.backbone
        self.window_follows = window_follows
        self.n_before = len(encoder.template.plain.prefix)
        self.n_between = len(encoder.template.between.ids)
        self.repeats = isinstance(encoder, SparseEncoder)
        self.longest, self.first = n_positions(self.backbone), first_position(self.backbone)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
        period: Tensor | None = None,
    ) -> Tensor:
        """States, float32 ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``.
            global_mask: bool ``(B, G)``, true for the question's tokens and those before it; given if positions repeat.
            period: int64 number, length of the windows that the head was trained on; likewise.
        """
        further: dict[str, Any] = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        global_mask = torch.zeros_like(attention_mask[:, :1]) if global_mask is None else global_mask
        count = global_mask.sum(dim=1, keepdim=True)
        if period is not None and self.longest is not None:
            further["position_ids"] = self._positions(input_ids, count, period.clamp(max=self.longest))
        if period is not None and self.window_follows:
            further["window"] = ((period - 2) // 2).clamp(min=1)
        n_global = count.expand(-1, global_mask.shape[1])
        states: Tensor = self.backbone(
            input_ids=input_ids, attention_mask=attention_mask, n_global=n_global, **further
        ).last_hidden_state
        return states

    def _positions(self, input_ids: Tensor, n_global: Tensor, period: Tensor) -> Tensor:
        """Positions, int64 ``(B, T)``, that repeat after the special tokens at the start, or after the question's."""
        prefix = torch.where(n_global > 0, n_global + self.n_between, self.n_before)  # (B, 1)
        index = torch.arange(input_ids.shape[1], device=input_ids.device)
        repeated = (index - prefix) % (period - prefix) + prefix
        return torch.where(index < prefix, index, repeated) + self.first


def portable_encoder(model: Model, heads: Sequence[str], kind: EncoderKind) -> nn.Module:
    """The encoder that reads with these heads, in operators that other runtimes have.

    Raises:
        ConfigError: it computes each window by itself, or it reads with a sparse pattern that has no such form, or
            cannot be made sparse.
    """
    if model.encoder.sees_padding or model.encoder.asks_globally:
        raise ConfigError(
            f"a {_model_type(model)} chooses what it computes by the length of each window or by its question, which a "
            "graph cannot; read with the model itself"
        )
    if kind == "windows" and not model.config.sparse.windows:
        return model.encoder
    from longdoc.attention.portable import make_portable  # loads transformers

    period = max(length(model, head) for head in heads)
    encoder = model.reading_encoder(period if kind == "sparse" else 0)
    backbone: Any = encoder.backbone
    make_portable(backbone)
    return PortableEncoder(encoder, window_follows=model.config.sparse.pattern is None)


def trace(model: Model, heads: Sequence[str], encoder: nn.Module) -> Traced:
    """Traces an encoder of :func:`portable_encoder` with heads.

    Raises:
        ConfigError: torch cannot trace the architecture.
    """
    outputs = {head: f"scores_{head}" for head in heads}
    graph = Graph(encoder, {head: model.heads[head] for head in heads}, outputs).eval()
    example, shapes = _example(model, encoder)
    try:
        with torch.no_grad(), silenced():
            program = torch.export.export(graph, (), example, dynamic_shapes=shapes)
    except Exception as error:  # torch raises almost anything
        raise ConfigError(
            f"torch cannot export a {_model_type(model)}: {first_line(error):.200}; read with the model itself"
        ) from error
    return Traced(program=program, inputs=tuple(example), outputs=outputs)


@contextmanager
def silenced() -> Iterator[None]:
    """Without the warnings of torch on its own code, and on libraries that are not needed."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _example(model: Model, encoder: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inputs of a graph, and which of their dimensions may change."""
    backbone: Any = model.encoder.backbone
    repeats = isinstance(encoder, PortableEncoder) and encoder.repeats
    longest = None if repeats else n_positions(backbone) or backbone.config.max_position_embeddings
    windows, tokens = Dim("windows"), Dim("tokens", max=longest)
    ids = torch.zeros(_N_WINDOWS, _N_TOKENS, dtype=torch.int64)
    mask = torch.ones_like(ids, dtype=torch.bool)
    mask[-1, -1] = False
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.encoder.n_types > 1:
        inputs["token_type_ids"] = torch.zeros_like(ids)
    shapes = {name: {0: windows, 1: tokens} for name in inputs}
    if repeats:
        inputs["global_mask"] = torch.ones(_N_WINDOWS, 3, dtype=torch.bool)
        shapes["global_mask"] = {0: windows, 1: Dim("first")}
        inputs["period"], shapes["period"] = torch.tensor(model.config.windows.size), {}
    return inputs, shapes


def _model_type(model: Model) -> str:
    backbone: Any = model.encoder.backbone
    return str(backbone.config.model_type)
