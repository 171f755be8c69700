"""Graphs of the shipped model: size, speed and how far their scores are from those of torch, in one run.

Windows of the contracts in ``examples/contracts``, by the head ``contract``. ``by hand`` is ONNX Runtime as its
documentation has it: windows sorted by length, eight a batch, padded to the longest. The others are longdoc's batches.
Contenders alternate within each round, so that other load on the machine affects all of them; the best round counts.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from _table import write_table

import longdoc
from longdoc.encoders import alike_batches, padded_length
from longdoc.export import ExportedGraph, to_graph
from longdoc.exported import ExportedModel
from longdoc.model import DEFAULT_MODEL, Model
from longdoc.reader import Reader, Reading

HEAD = "contract"
GRAPHS = {
    "ONNX, float32": ("onnx", {}),
    "ONNX, int8": ("onnx", {"int8": True}),
    "OpenVINO, float32": ("openvino", {}),
    "torch.export, float32": ("torch-export", {}),
}
SPARSE = {"ONNX, float32, sparse": ("onnx", {"encoder": "sparse"})}
Rows = list[dict[str, np.ndarray]]
BATCH = 8


def windows(readings: Sequence[Reading]) -> list[tuple[Reading, np.ndarray]]:
    """The windows of all documents."""
    return [(reading, reading.tokens.ids[w.start : w.end]) for reading in readings for w in reading.windows]


def batches_by_hand(model: Model, readings: Sequence[Reading]) -> Rows:
    """All inputs, padded to the longest of eight windows."""
    ids = sorted((ids for _, ids in windows(readings)), key=len)
    rows = [model.encoder.batch(ids[i : i + BATCH]).inputs for i in range(0, len(ids), BATCH)]
    return [complete({name: tensor.numpy() for name, tensor in inputs.items()}) for inputs in rows]


def complete(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """With the inputs that nothing depends on."""
    ids = inputs["input_ids"]
    return {"attention_mask": np.ones(ids.shape, bool), "token_type_ids": np.zeros_like(ids), **inputs}


def batches_of_longdoc(model: Model, readings: Sequence[Reading], batch_tokens: int) -> Iterator[dict[str, np.ndarray]]:
    """The inputs of windows of one padded length each."""
    found = windows(readings)
    lengths = [len(ids) + len(reading.special) for reading, ids in found]
    padded = [padded_length(length, model.config.windows.size) for length in lengths]
    forms = [(most, int(most > length)) for length, most in zip(lengths, padded, strict=True)]
    for rows in alike_batches(forms, batch_tokens):
        batch = model.encoder.batch([found[row][1] for row in rows], length=forms[rows[0]][0])
        yield {name: tensor.numpy() for name, tensor in batch.inputs.items()}


def by_hand(folder: Path, threads: int, model: Model, readings: Sequence[Reading]) -> Callable[[], None]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])

    def run() -> None:
        for inputs in batches_by_hand(model, readings):
            session.run([f"scores_{HEAD}"], inputs)

    return run


def by_graph(folder: Path, threads: int, model: Model, readings: Sequence[Reading], size: int) -> Callable[[], None]:
    graph = ExportedModel(folder, threads=threads)

    def run() -> None:
        for inputs in batches_of_longdoc(model, readings, size):
            graph.scores(inputs, [HEAD])

    return run


def by_torch(reader: Reader, readings: Sequence[Reading]) -> None:
    reader.score(readings)


def seconds_of(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The shortest time of each."""
    for run in runs.values():
        run()
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            started_at = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - started_at)
    return best


def readers(model: Model) -> dict[str, Reader]:
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    options = {"device": torch.device("cpu"), "encoder": "windows"}
    return {f"torch, {name}": Reader(model, dtype=dtype, **options) for name, dtype in kinds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=Path, nargs="*", default=sorted(Path("examples/contracts").glob("*.pdf")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-tokens", type=int, default=2**11)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    model = Model.from_pretrained(DEFAULT_MODEL, only_windows=True)
    own = readers(model)
    reader = next(iter(own.values()))
    documents = [longdoc.load(path, ocr="never") for path in arguments.documents]
    readings = [reader.read(each, reader.tokenize(each), [HEAD]) for each in documents]
    n_tokens = sum(len(ids) + len(reading.special) for reading, ids in windows(readings))
    with tempfile.TemporaryDirectory() as made:
        made_of = {name: to_graph("default", Path(made) / name, to, **more) for name, (to, more) in GRAPHS.items()}
        common = (arguments.threads, model, readings)
        runs = {f"{name}, by hand": by_hand(made_of[name].folder, *common) for name in made_of if "ONNX" in name}
        runs |= {name: by_graph(each.folder, *common, arguments.batch_tokens) for name, each in made_of.items()}
        runs |= {name: partial(by_torch, each, readings) for name, each in own.items()}
        seconds = seconds_of(runs, arguments.rounds)
        made_of |= {name: to_graph("default", Path(made) / name, to, **more) for name, (to, more) in SPARSE.items()}
    write_speeds(seconds, made_of, n_tokens, arguments)
    write_parity(made_of)


def write_speeds(
    seconds: dict[str, float], graphs: dict[str, ExportedGraph], n_tokens: int, arguments: argparse.Namespace
) -> None:
    rows = []
    for name, taken in seconds.items():
        graph, hand = graphs.get(name.removesuffix(", by hand")), seconds.get(f"{name}, by hand")
        size = "" if graph is None else f"{graph.size / 1e6:.1f}"
        rows.append([name, size, f"{n_tokens / taken:,.0f}", "" if hand is None else f"{hand / taken:.2f}"])
    notes = (
        f"{n_tokens:,} tokens of {len(arguments.documents)} contracts, {arguments.threads} thread(s), best of "
        f"{arguments.rounds} rounds; load of the machine at the end: {os.getloadavg()[0]:.1f}; onnxruntime "
        f"{onnxruntime.__version__}. Files of the shipped model of longdoc: 22.9 MB."
    )
    header = ["graph", "MB", "tokens/s", "times by hand"]
    write_table("export", "Graphs of the shipped model: size and speed", header, rows, notes)


def write_parity(graphs: dict[str, ExportedGraph]) -> None:
    heads = next(iter(graphs.values())).parity.differences
    rows = [[head, *(f"{graph.parity.differences[head]:.1e}" for graph in graphs.values())] for head in heads]
    notes = (
        "The largest difference of a score from torch in float32, as a share of the largest score if that is above 1. "
        "What int8 does to F1 is in `precision.md`."
    )
    write_table("export_parity", "Graphs of the shipped model: scores", ["head", *graphs], rows, notes)


if __name__ == "__main__":
    main()
