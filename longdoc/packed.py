"""Encoders for inference: BERT without padding, on a CPU and on a GPU; weights packed for oneDNN.

Dimensions: ``B`` windows, ``T`` tokens, ``N`` tokens of all windows, ``H`` heads, ``D`` width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.bert import Bert, BertConfig, Layer, States, Windows, is_bert
from longdoc.devices import sent_to
from longdoc.encoders import Encoder, shared_copy
from longdoc.inputs import Template, rounded
from longdoc.quantized import quantized_layers

Attend: TypeAlias = Callable[[Tensor, Windows], Tensor]
"""Attention within windows: queries, keys and values ``(N, 3, H, D / H)`` to ``(N, D)``."""

_WIDEST_HEAD = 256
"""Of FlashAttention; head widths must also be multiples of 8."""


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this build of torch and this processor compute with packed weights of a number format."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    supported: bool = dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported


def can_unpad(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether a GPU and this build of torch have FlashAttention for windows of different lengths in one array.

    It is for 16-bit numbers, and for GPUs from Ampere on (A100, RTX 30).
    """
    return (
        device.type == "cuda"
        and torch.version.hip is None
        and dtype in (torch.bfloat16, torch.float16)
        and torch.cuda.get_device_capability(device) >= (8, 0)
        and torch.backends.cuda.is_flash_attention_available()
    )


def pack_for_cpu(encoder: Encoder, dtype: torch.dtype = torch.float32) -> Encoder:
    """A copy of an encoder for inference on a CPU, which shares all weights except those of linear layers.

    BERT computes matrix products in ``dtype``, and no padding: the states of a window do not depend on the others of
    its batch. Of other architectures in bfloat16, nothing is packed: they compute in it under ``torch.autocast``.
    """
    bert = _as_bert(encoder.backbone)
    if bert is not None:
        return _packed(encoder, bert, [PackedLayer(layer, dtype) for layer in _layers(bert)])
    packed = shared_copy(encoder)
    if dtype == torch.float32:
        for module in list(packed.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Linear):
                    setattr(module, name, PackedLinear(child))
    return packed


def pack_for_gpu(encoder: Encoder, dtype: torch.dtype, attend: Attend | None = None) -> Encoder:
    """The same for a GPU that `can_unpad`: BERT computes matrix products in ``dtype``, and no padding.

    Other architectures, and a BERT with heads of a width that FlashAttention does not support, are returned as they
    are. ``attend`` is `attend_at_once` by default.
    """
    bert = _as_bert(encoder.backbone)
    if bert is None:
        return encoder
    width = bert.config.hidden_size // bert.config.num_attention_heads
    if attend is None and (width % 8 or width > _WIDEST_HEAD):
        return encoder
    attend = attend or attend_at_once
    return _packed(encoder, bert, [PackedLayer(layer, dtype, JoinedLinear, attend) for layer in _layers(bert)])


def quantize_for_cpu(encoder: Encoder, dtype: torch.dtype) -> Encoder | None:
    """A copy of a BERT with its linear layers in int8, without padding like that of `pack_for_cpu`; else None.

    Attention is computed in ``dtype``.
    """
    bert = _as_bert(encoder.backbone)
    return None if bert is None else _packed(encoder, bert, quantized_layers(bert, encoder.template.plain, dtype))


def _as_bert(backbone: nn.Module) -> Bert | None:
    """The same encoder as `Bert`, with the same weights, without a pooler; None if it computes or has anything else."""
    config: Any = backbone.config
    if isinstance(backbone, Bert):
        return backbone
    if config.model_type != "bert" or config._attn_implementation not in ("eager", "sdpa"):  # sparse, for one
        return None
    record = config.to_dict()
    if not is_bert(record):
        return None
    weights = {name: weight for name, weight in backbone.state_dict().items() if not name.startswith("pooler.")}
    with torch.device("meta"):
        bert = Bert(BertConfig(record))
    if weights.keys() != bert.state_dict().keys():  # with adapters
        return None
    bert.load_state_dict(weights, assign=True)
    return bert


def _layers(bert: Bert) -> Iterable[Layer]:
    layers: Any = bert.encoder["layer"]
    found: Iterable[Layer] = layers
    return found


def _packed(encoder: Encoder, bert: Bert, layers: Iterable[nn.Module]) -> PackedEncoder:
    return PackedEncoder(PackedBert(bert, layers), encoder.template)


class PackedEncoder(Encoder):
    """`PackedBert` over windows."""

    def __init__(self, backbone: PackedBert, template: Template) -> None:
        super().__init__(backbone, template)
        self.computes_padding = False

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
        lengths: Sequence[int] | None = None,
    ) -> Tensor:
        """States, float32 ``(B, T, D)``; 0 at padding, which must be at the end.

        Args:
            input_ids: as of `Encoder.forward`, like the two that follow it.
            attention_mask: false at padding.
            token_type_ids: segment ids.
            global_mask: not used: attention is dense.
            lengths: of the windows, without padding; by default counted from the mask, which waits for the GPU.
        """
        states: Tensor = self.backbone(input_ids, attention_mask, token_type_ids, lengths).last_hidden_state
        return states


class PackedBert(nn.Module):
    """`Bert` for inference. Tokens of all windows form one array; attention reads each window by itself.

    On a CPU a window of zeros at its end makes its length one of few: oneDNN makes code for every length, and keeps
    it, between the arrays of the model, which scatters free memory. States are added and normalised in float32.
    """

    def __init__(self, bert: Bert, layers: Iterable[nn.Module]) -> None:
        """``bert`` with other layers, from float32 ``(N, D)`` and `Windows` to ``(N, D)``."""
        super().__init__()
        self.config = bert.config
        self.embeddings = bert.embeddings
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        lengths: Sequence[int] | None = None,
    ) -> States:
        """States, float32 ``(B, T, D)``; the arguments are those of `PackedEncoder.forward`."""
        (n_rows, n_columns), device = input_ids.shape, input_ids.device
        if lengths is None:
            lengths = [n_columns] * n_rows if attention_mask is None else attention_mask.sum(dim=1).tolist()
        places = sent_to(device, places_of(lengths, n_columns))
        types = None if token_type_ids is None else token_type_ids.flatten()[places]
        states = self.embeddings(input_ids.flatten()[places], types, places % n_columns)
        n_tokens = len(places)
        n_more = rounded(n_tokens) - n_tokens if device.type == "cpu" else 0
        if n_more:
            states = F.pad(states, (0, 0, 0, n_more))
        windows = Windows.of([*lengths, *[n_more] * bool(n_more)], device)
        for layer in self.layers:
            states = layer(states, windows)
        padded = states.new_zeros(n_rows * n_columns, states.shape[1])
        padded[places] = states[:n_tokens]
        return States(padded.unflatten(0, (n_rows, n_columns)))


def places_of(lengths: Sequence[int], n_columns: int) -> np.ndarray:
    """Where the tokens of rows with these lengths are, of rows of ``n_columns`` one after the other: int64 ``(N,)``."""
    each = np.asarray(lengths, dtype=np.int64)
    shifts = np.arange(len(each)) * n_columns - (each.cumsum() - each)
    places: np.ndarray = np.arange(each.sum()) + shifts.repeat(each)
    return places


class JoinedLinear(nn.Module):
    """One or several ``nn.Linear``, side by side, for inference in a number format."""

    def __init__(
        self, *linears: nn.Linear, dtype: torch.dtype = torch.float32, after: Literal["none", "gelu"] = "none"
    ) -> None:
        """``after`` is applied to the result."""
        super().__init__()
        self.weight = torch.cat([linear.weight.detach() for linear in linears]).to(dtype)
        biases = [linear.bias.detach() for linear in linears if linear.bias is not None]
        self.bias = torch.cat(biases).to(dtype) if biases else None
        self.after = after

    def forward(self, states: Tensor) -> Tensor:
        """``(…, D)`` to ``(…, D_out)``, both of the number format of the weight."""
        product = F.linear(states, self.weight, self.bias)
        return F.gelu(product) if self.after == "gelu" else product


class PackedLinear(JoinedLinear):
    """The same on a CPU, with the weight packed for oneDNN.

    torch's float32 BLAS, MKL, is tuned for Intel processors; on others oneDNN is about 1.5 times as fast (2 cores of
    an AMD EPYC: 26 against 39 ms for 2,048 rows of 1,536 to 384).
    """

    def __init__(
        self, *linears: nn.Linear, dtype: torch.dtype = torch.float32, after: Literal["none", "gelu"] = "none"
    ) -> None:
        """The arguments are those of `JoinedLinear`."""
        super().__init__(*linears, dtype=dtype, after=after)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)
        self.algorithm = "none" if after == "gelu" else ""

    def forward(self, states: Tensor) -> Tensor:
        """``(…, D)`` to ``(…, D_out)``, as of `JoinedLinear`."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self.weight, self.bias, self.after, [], self.algorithm
        )
        return product


def attend_each(parts: Tensor, windows: Windows) -> Tensor:
    """`Attend`, ``(N, 3, H, D / H)`` to ``(N, D)``, one window after the other."""
    return torch.cat([_attend(*window.permute(1, 2, 0, 3)) for window in parts.split(windows.lengths)])


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention within a window, ``(H, T, D / H)`` to ``(T, D)``."""
    read = F.scaled_dot_product_attention(query[None], key[None], value[None])
    return read[0].transpose(0, 1).flatten(1)


def attend_at_once(parts: Tensor, windows: Windows) -> Tensor:
    """`Attend`, ``(N, 3, H, D / H)`` to ``(N, D)``, all windows at once, on a GPU that `can_unpad`."""
    from torch.nn.attention.varlen import varlen_attn  # loads torch's compiler, which takes a second

    query, key, value = parts.unbind(1)
    starts, longest = windows.starts, windows.longest
    read: Any = varlen_attn(query, key, value, starts, starts, longest, longest)
    states: Tensor = read.flatten(1)
    return states


class PackedLayer(nn.Module):
    """`Layer` with the weights of its linear layers in a number format."""

    def __init__(
        self,
        layer: Layer,
        dtype: torch.dtype,
        linear: type[JoinedLinear] = PackedLinear,
        attend: Attend = attend_each,
    ) -> None:
        super().__init__()
        attention: Any = layer.attention["self"]
        self.n_heads, self.dtype, self.attend = attention.n_heads, dtype, attend
        self.in_attention = linear(attention.query, attention.key, attention.value, dtype=dtype)
        attended: Any = layer.attention["output"]
        self.after_attention, self.attention_norm = linear(attended.dense, dtype=dtype), attended.LayerNorm
        inner: Any = layer.intermediate["dense"]
        self.inner = linear(inner, dtype=dtype, after="gelu")
        self.after_inner, self.norm = linear(layer.output.dense, dtype=dtype), layer.output.LayerNorm

    def forward(self, states: Tensor, windows: Windows) -> Tensor:
        """Float32 ``(N, D)`` to ``(N, D)``."""
        parts = self.in_attention(states.to(self.dtype)).unflatten(-1, (3, self.n_heads, -1))
        states = self.attention_norm(self.after_attention(self.attend(parts, windows)) + states)
        done: Tensor = self.norm(self.after_inner(self.inner(states.to(self.dtype))) + states)
        return done
