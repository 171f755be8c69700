"""Encoders for inference on a CPU: weights packed for oneDNN, and BERT without padding.

Dimensions: ``B`` windows, ``T`` tokens, ``N`` tokens of all windows, ``H`` heads, ``D`` width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.bert import Bert, BertConfig, Layer, States, is_bert
from longdoc.encoders import Encoder, shared_copy
from longdoc.inputs import rounded
from longdoc.quantized import quantized_layers


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this build of torch and this processor compute with packed weights of a number format."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    supported: bool = dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported


def pack_for_cpu(encoder: Encoder, dtype: torch.dtype = torch.float32) -> Encoder:
    """A copy of an encoder for inference on a CPU, which shares all weights except those of linear layers.

    BERT computes matrix products in ``dtype``, and no padding: the states of a window do not depend on the others of
    its batch. Of other architectures in bfloat16, nothing is packed: they compute in it under ``torch.autocast``.
    """
    packed, bert = shared_copy(encoder), _as_bert(encoder.backbone)
    if bert is not None:
        layers: Any = bert.encoder["layer"]
        packed.backbone = PackedBert(bert, (PackedLayer(layer, dtype) for layer in layers))
        packed.computes_padding = False
    elif dtype == torch.float32:
        for module in list(packed.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Linear):
                    setattr(module, name, PackedLinear(child))
    return packed


def quantize_for_cpu(encoder: Encoder, dtype: torch.dtype) -> Encoder | None:
    """A copy of a BERT with its linear layers in int8, without padding like that of `pack_for_cpu`; else None.

    Attention is computed in ``dtype``.
    """
    bert = _as_bert(encoder.backbone)
    if bert is None:
        return None
    quantized = shared_copy(encoder)
    quantized.backbone = PackedBert(bert, quantized_layers(bert, encoder.template.plain, dtype))
    quantized.computes_padding = False
    return quantized


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


class PackedLinear(nn.Module):
    """One or several ``nn.Linear``, side by side, for inference on a CPU, with the weight packed for oneDNN.

    torch's float32 BLAS, MKL, is tuned for Intel processors; on others oneDNN is about 1.5 times as fast (2 cores of
    an AMD EPYC: 26 against 39 ms for 2,048 rows of 1,536 to 384).
    """

    def __init__(
        self, *linears: nn.Linear, dtype: torch.dtype = torch.float32, after: Literal["none", "gelu"] = "none"
    ) -> None:
        """``after`` is applied to the result."""
        super().__init__()
        weight = torch.cat([linear.weight.detach() for linear in linears]).to(dtype)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        biases = [linear.bias.detach() for linear in linears if linear.bias is not None]
        self.bias = torch.cat(biases).to(dtype) if biases else None
        self.after, self.algorithm = after, "none" if after == "gelu" else ""

    def forward(self, states: Tensor) -> Tensor:
        """``(…, D)`` to ``(…, D_out)``, both of the number format of the weight."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self.weight, self.bias, self.after, [], self.algorithm
        )
        return product


class PackedBert(nn.Module):
    """`Bert` for inference on a CPU. Tokens of all windows form one array; attention reads each window by itself.

    A window of zeros at its end makes its length one of few: oneDNN makes code for every length, and keeps it, between
    the arrays of the model, which scatters free memory. States are added and normalised in float32.
    """

    def __init__(self, bert: Bert, layers: Iterable[nn.Module]) -> None:
        """``bert`` with other layers, from float32 ``(N, D)`` and the lengths of windows to ``(N, D)``."""
        super().__init__()
        self.config = bert.config
        self.embeddings = bert.embeddings
        self.layers = nn.ModuleList(layers)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> States:
        """States, float32 ``(B, T, D)``; 0 at padding, which must be at the end. The arguments are those of `Bert`."""
        embedded = self.embeddings(input_ids, token_type_ids)
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids, dtype=torch.bool)
        states, lengths = embedded[attention_mask], attention_mask.sum(dim=1).tolist()
        n_tokens = len(states)
        if n_more := rounded(n_tokens) - n_tokens:
            states, lengths = F.pad(states, (0, 0, 0, n_more)), [*lengths, n_more]
        for layer in self.layers:
            states = layer(states, lengths)
        padded = torch.zeros_like(embedded)
        padded[attention_mask] = states[:n_tokens]
        return States(padded)


class PackedLayer(nn.Module):
    """`Layer` with packed weights."""

    def __init__(self, layer: Layer, dtype: torch.dtype) -> None:
        super().__init__()
        attention: Any = layer.attention["self"]
        self.n_heads, self.scale, self.dtype = attention.n_heads, attention.scale, dtype
        self.in_attention = PackedLinear(attention.query, attention.key, attention.value, dtype=dtype)
        attended: Any = layer.attention["output"]
        self.after_attention, self.attention_norm = PackedLinear(attended.dense, dtype=dtype), attended.LayerNorm
        inner: Any = layer.intermediate["dense"]
        self.inner = PackedLinear(inner, dtype=dtype, after="gelu")
        self.after_inner, self.norm = PackedLinear(layer.output.dense, dtype=dtype), layer.output.LayerNorm

    def forward(self, states: Tensor, lengths: Sequence[int]) -> Tensor:
        """Float32 ``(N, D)`` to ``(N, D)``, of windows of ``lengths`` tokens."""
        parts = self.in_attention(states.to(self.dtype)).unflatten(-1, (3, self.n_heads, -1))
        read = torch.cat([self._attend(*window.permute(1, 2, 0, 3)) for window in parts.split(list(lengths))])
        states = self.attention_norm(self.after_attention(read) + states)
        done: Tensor = self.norm(self.after_inner(self.inner(states.to(self.dtype))) + states)
        return done

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention within a window, ``(H, T, D / H)`` to ``(T, D)``."""
        read = F.scaled_dot_product_attention(query[None], key[None], value[None], scale=self.scale)
        return read[0].transpose(0, 1).flatten(1)
