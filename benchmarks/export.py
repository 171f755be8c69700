"""Graphs of the shipped model: size, speed and how far their scores are from those of torch, in one run.

Contracts by the head ``contract``, from tokens to scores. ``by hand`` is ONNX Runtime as its documentation has it, on
the same windows: sorted by length, eight a batch, padded to the longest. The others are read by a ``Pipeline``. They
alternate within each round, so that other load on the machine affects all of them; the best round of each counts, in
time of the processor. F1 is that of the head ``biomedical`` on abstracts of ``bc5cdr/test``, in ``LONGDOC_DATA``.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import torch
from _table import write_table

import longdoc
from longdoc.datasets import JsonlConfig, read_dataset
from longdoc.document import Document
from longdoc.export import ExportedGraph, to_graph
from longdoc.metrics import add_counts, micro, span_counts
from longdoc.pipeline import Pipeline
from longdoc.reader import Reading

HEAD = "contract"
GRAPHS = {
    "ONNX, float32": ("onnx", {}),
    "ONNX, int8": ("onnx", {"int8": True}),
    "OpenVINO, float32": ("openvino", {}),
    "torch.export, float32": ("torch-export", {}),
    "ONNX, float32, sparse": ("onnx", {"encoder": "sparse"}),
}
BATCH = 8
BY_HAND = "{}, by hand"


def readings_of(pipeline: Pipeline, documents: Sequence[Document]) -> list[Reading]:
    return [reading for document in documents for reading in pipeline.engine.read(document, [HEAD])]


def by_pipeline(documents: Sequence[Document], **options: object) -> Callable[[], None]:
    pipeline = Pipeline.from_pretrained(device="cpu", progress=False, **options)
    readings = readings_of(pipeline, documents)

    def run() -> None:
        pipeline.readers[0].score(readings)

    return run


def by_hand(folder: Path, threads: int, documents: Sequence[Document]) -> Callable[[], None]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    pipeline = Pipeline.from_pretrained(folder)
    form = pipeline.readers[0].scorer.form
    readings = readings_of(pipeline, documents)
    ids = sorted((reading.tokens.ids[w.start : w.end] for reading in readings for w in reading.windows), key=len)

    def run() -> None:
        for first in range(0, len(ids), BATCH):
            inputs = form.batch(ids[first : first + BATCH]).inputs
            shape = inputs["input_ids"].shape
            rest = {"attention_mask": np.ones(shape, bool), "token_type_ids": np.zeros(shape, np.int64)}
            session.run([f"scores_{HEAD}"], rest | inputs)

    return run


def seconds_of(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The shortest time of the processor of each, after one that does not count."""
    best = dict.fromkeys(runs, float("inf"))
    for number in range(rounds + 1):
        for name, run in runs.items():
            started_at = time.process_time()
            run()
            if number:
                best[name] = min(best[name], time.process_time() - started_at)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=Path, nargs="*", default=sorted(Path("examples/contracts").glob("*.pdf"))[:4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--abstracts", type=int, default=100, help="to measure F1 on")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # which exported graphs follow

    documents = [longdoc.load(path, ocr="never") for path in arguments.documents]
    readings = readings_of(Pipeline.from_pretrained(), documents)
    n_tokens = sum(len(reading.tokens) for reading in readings)
    with tempfile.TemporaryDirectory() as made:
        graphs = {name: to_graph("default", Path(made) / name, to, **more) for name, (to, more) in GRAPHS.items()}
        runs: dict[str, Callable[[], None]] = {}
        for name, graph in graphs.items():
            encoder = graph.record.encoder
            runs[name] = by_pipeline(documents, model=graph.folder, encoder=encoder)
            if graph.record.format == "onnx" and encoder == "windows":
                runs[BY_HAND.format(name)] = by_hand(graph.folder, arguments.threads, documents)
        for precision in ("float32", "bfloat16"):
            runs[f"torch, {precision}"] = by_pipeline(documents, precision=precision)
        runs["torch, float32, sparse"] = by_pipeline(documents, precision="float32", encoder="sparse")
        seconds = seconds_of(runs, arguments.rounds)
        f1 = {name: f1_of(arguments.abstracts, model=graphs[name].folder) for name in list(graphs)[:2]}
    f1["torch, float32"] = f1_of(arguments.abstracts, precision="float32")
    write_speeds(seconds, f1, graphs, n_tokens, arguments)
    write_parity(graphs)


def f1_of(n_documents: int, **options: object) -> str:
    """Micro F1 of exact entities."""
    pipeline = Pipeline.from_pretrained(device="cpu", progress=False, **options)
    labels = {"Chemical": "CHEMICAL", "Disease": "DISEASE"}
    data = read_dataset(JsonlConfig(reader="jsonl", files=("bc5cdr/test.jsonl",), labels=labels, limit=n_documents))
    predictions = pipeline.pipe((Document.from_text(example.text) for example in data), tasks=["biomedical"])
    tables = []
    for example, prediction in zip(data, predictions, strict=True):
        golds = [(span.start, span.end, span.label) for span in example.spans]
        tables.append(span_counts(golds, [(each.start, each.end, each.label) for each in prediction.entities]))
    return f"{micro(add_counts(tables)).f1:.4f}"


def write_speeds(
    seconds: dict[str, float],
    f1: dict[str, str],
    graphs: dict[str, ExportedGraph],
    n_tokens: int,
    arguments: argparse.Namespace,
) -> None:
    rows = []
    for name, taken in seconds.items():
        graph, hand = graphs.get(name), seconds.get(BY_HAND.format(name))
        size = "" if graph is None else f"{graph.size / 1e6:.1f}"
        times = "" if hand is None else f"{hand / taken:.2f}"
        rows.append([name, size, f"{n_tokens / taken:,.0f}", times, f1.get(name, "")])
    notes = (
        f"{n_tokens:,} tokens of {len(arguments.documents)} contracts, head `{HEAD}`, {arguments.threads} thread(s), "
        f"best of {arguments.rounds} rounds, time of the processor; F1 on {arguments.abstracts} "
        f"abstracts; load of the machine at the end {os.getloadavg()[0]:.1f}; onnxruntime {onnxruntime.__version__}, "
        f"openvino {openvino.__version__}. The shipped model has 22.9 MB, as int8 with a scale per row."
    )
    header = ["graph", "MB", "tokens/s", "times by hand", "F1"]
    write_table("export", "Graphs of the shipped model: size and speed", header, rows, notes)


def write_parity(graphs: dict[str, ExportedGraph]) -> None:
    heads = next(iter(graphs.values())).parity.differences
    rows = [[head, *(f"{graph.parity.differences[head]:.1e}" for graph in graphs.values())] for head in heads]
    notes = (
        "The largest difference of a score from torch in float32, as a share of the largest score if that is above 1."
    )
    write_table("export_parity", "Graphs of the shipped model: scores", ["head", *graphs], rows, notes)


if __name__ == "__main__":
    main()
