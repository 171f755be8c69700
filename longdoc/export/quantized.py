"""int8: matrices of numbers from -127 to 127 with a scale for each row, products of integers.

Dimensions: ``V`` words, ``D`` width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.encoders import shared_copy
from longdoc.errors import require
from longdoc.model import quantize_rows


class QuantizedEmbedding(nn.Module):
    """The embeddings of a vocabulary, as int8 with a scale per word."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        stored = quantize_rows({"weight": embedding.weight.detach()})
        self.register_buffer("weight", stored["weight"])
        self.register_buffer("scale", stored["weight.scale"][:, None])

    def forward(self, ids: Tensor) -> Tensor:
        """``(…)`` to ``(…, D)``."""
        weight: Any = self.weight
        scale: Any = self.scale
        return F.embedding(ids, weight).float() * F.embedding(ids, scale)


def with_quantized_words(encoder: nn.Module) -> nn.Module:
    """A copy of an encoder with `QuantizedEmbedding` for the embeddings of its vocabulary; it shares other weights."""
    copied: Any = shared_copy(cast(Any, encoder))
    words = copied.backbone.get_input_embeddings()
    for module in list(copied.modules()):
        for name, child in module.named_children():
            if child is words:
                setattr(module, name, QuantizedEmbedding(words))
    return cast(nn.Module, copied)


def quantize_products(graph: Path, output: Path) -> None:
    """Writes an ONNX graph with products of integers: weights with a scale per column, activations as they come.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed.
    """
    quantization = require("onnxruntime.quantization", extra="export", needed_by="--int8")
    quantization.quantize_dynamic(
        str(graph),
        str(output),
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
    )
    _make_unsigned(output)


def _make_unsigned(graph: Path) -> None:
    """Adds 128 to the weights of products and to their zero points, which changes no product.

    On processors without VNNI, ONNX Runtime adds pairs of products of signed weights in 16 bits, which overflow
    (onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
    """
    onnx = require("onnx", extra="export", needed_by="--int8")
    read = onnx.load(graph)
    factors = {name for node in read.graph.node if node.op_type == "MatMulInteger" for name in node.input[1::2]}
    for stored in read.graph.initializer:
        if stored.name in factors:
            signed = onnx.numpy_helper.to_array(stored).astype(np.int16)
            stored.CopyFrom(onnx.numpy_helper.from_array((signed + 128).astype(np.uint8), stored.name))
    onnx.save(read, graph)


def quantize_weights(graph: Path, output: Path) -> None:
    """Writes an ONNX graph for OpenVINO, with a scale per column of each matrix; it quantises activations as they come.

    Raises:
        MissingDependencyError: OpenVINO is not installed.
    """
    openvino = require("openvino", extra="export", needed_by="longdoc export --to openvino --int8")
    operators = require("openvino.opset13", extra="export", needed_by="longdoc export --to openvino --int8")
    read = openvino.Core().read_model(graph)
    for node in read.get_ordered_ops():
        weight = node.input_value(1).get_node() if node.get_type_name() == "MatMul" else None
        if weight is None or weight.get_type_name() != "Constant" or len(weight.get_output_shape(0)) != 2:
            continue
        summed = 1 if node.get_attributes()["transpose_b"] else 0
        scale = np.maximum(np.abs(weight.data).max(axis=summed, keepdims=True), 1e-12) / 127
        stored = operators.constant(np.rint(weight.data / scale).astype(np.int8))
        whole = operators.multiply(operators.convert(stored, "f32"), operators.constant(scale.astype(np.float32)))
        node.input(1).replace_source_output(whole.output(0))
    openvino.save_model(read, output, compress_to_fp16=False)
