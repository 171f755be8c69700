"""A model of longdoc → a folder for other libraries and runtimes; a folder → the hub.

    head ──layers──▶ a model of transformers ──compared on random rows──▶ checkpoint: weights, tokenizer, card
    encoder and heads ──tracing──▶ a graph of ONNX, OpenVINO or torch ──compared on a contract──▶ graph, tokenizer, card

``checkpoint`` writes for transformers and sentence-transformers: ``layers`` finds the places of a head's weights in
the classes of transformers, ``probe`` compares the logits, and ``remarks`` says what is not the same. ``graphs`` writes
for runtimes: ``tracing`` makes the graph, ``quantized`` its int8, and ``parity`` compares the scores. ``files`` writes
what is beside the weights, ``card`` is the model card, and ``upload`` sends a folder to the hub.
"""

from longdoc.export.checkpoint import Exported, to_transformers
from longdoc.export.graphs import ExportedGraph, to_graph
from longdoc.export.upload import push

__all__ = ["Exported", "ExportedGraph", "push", "to_graph", "to_transformers"]
