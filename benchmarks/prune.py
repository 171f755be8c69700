"""Pruning: size, speed and F1 of the default model with fewer neurons, heads or layers, before and after recovery.

Each variant is pruned by the loss on training data, and those of ``--recover`` are then trained for ``--steps``
batches with the whole model as their teacher. The data are those that the default model was trained on; it is scored on
the first ``--documents`` of the test sets. Runs are in ``runs/prune`` and go on if the script is started again; scores
are kept in ``benchmarks/results/prune.json``. Documents are read from the folder ``LONGDOC_DATA``.
"""

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from _table import RESULTS, write_table
from entities import BC5CDR, CUAD, DATA

from longdoc.compute import TorchScorer
from longdoc.config import from_dict
from longdoc.evaluation import LabelledData
from longdoc.model import Model
from longdoc.model_files import DEFAULT_MODEL
from longdoc.pipeline import Pipeline
from longdoc.training.distill import drop_layers
from longdoc.training.prune import Importance, PruneConfig, importance, prune
from longdoc.training.pruned import encoder_speed
from longdoc.training.trainer import TrainConfig, prepare, train

WHOLE = "whole: width 1536, 12 heads, 6 layers"
VARIANTS: dict[str, dict[str, object]] = {
    "width 1152": {"prune": {"width": 1152}},
    "width 768": {"prune": {"width": 768}},
    "width 384": {"prune": {"width": 384}},
    "8 heads": {"prune": {"heads": 8}},
    "width 768, 8 heads": {"prune": {"width": 768, "heads": 8}},
    "layers 0, 2, 5": {"layers": [0, 2, 5], "learning_rate": 3e-4},
}
CONTRACTS = {"reader": "cuad", "files": ["cuad"], "part": "train", "labels": CUAD}
ABSTRACTS = {"reader": "jsonl", "files": ["bc5cdr/train.jsonl", "bc5cdr/dev.jsonl"], "labels": BC5CDR}
TASKS = [
    {"heads": ["contract"], "nested": "longest", "data": CONTRACTS, "first_tokens": 768, "passes": 2},
    {"heads": ["contract"], "nested": "longest", "data": CONTRACTS, "passes": 0.5, "empty": 0.1},
    {"heads": ["biomedical"], "data": ABSTRACTS, "passes": 4},
]
SCORED = ("bc5cdr/test", "cuad/test")
PRECISIONS = ("float32", "bfloat16", "int8")
STATE = RESULTS / "prune.json"


def config_of(name: str, steps: int) -> TrainConfig:
    """The run of a variant."""
    record = {
        "base": "default",
        "output": f"runs/prune/{name.replace(', ', '-').replace(' ', '-')}-{steps}",
        "tasks": TASKS,
        "steps": steps,
        "distill": {"teacher": "default"},
        "freeze_embeddings": True,
        "batch_tokens": 2048,
        "learning_rate": 1.5e-4,
        "save_every": 25,
        "report_to": [],
        **VARIANTS.get(name, {}),
    }
    return from_dict(TrainConfig, record)


def scores(model: Model, documents: Sequence[int]) -> list[float]:
    """F1 on the first documents of each test set."""
    pipeline = Pipeline(model, device="cpu")
    configs = [replace(DATA[name][1], limit=limit) for name, limit in zip(SCORED, documents, strict=True)]
    return [LabelledData.read(config.files[0], config).result(pipeline).value for config in configs]


def kept(key: str, measure: Callable[[], Any]) -> Any:
    """What is measured once and kept under a key."""
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    if key not in state:
        state[key] = measure()
        RESULTS.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(state, indent=1) + "\n")
    return state[key]


@cache
def whole(steps: int) -> tuple[Model, Importance]:
    """The whole model, and what matters in it for the first batches of a recovery of so many steps."""
    prepared = prepare(config_of(WHOLE, steps))
    model, n_batches = prepared.learner.model, PruneConfig(width=8).batches
    batches = [prepared.batches[index] for index in range(min(n_batches, len(prepared.batches)))]
    return model, importance(model, batches, prepared.config.dtype)


def smaller(name: str, model: Model, found: Importance) -> Model:
    """A variant of a model before it is trained."""
    config, variant = config_of(name, 1), copy.deepcopy(model)
    if config.prune is not None:
        prune(variant, config.prune, found)
    if config.layers is not None:
        drop_layers(variant, config.layers)
    return variant


def f1_of(name: str, arguments: argparse.Namespace) -> list[str]:
    """The cells of a variant: F1 as pruned, and after its recovery."""
    steps, documents = arguments.steps, arguments.documents
    scored = f"{'+'.join(map(str, documents))} documents"
    before = kept(f"{name}, {scored}", lambda: scores(smaller(name, *whole(steps)), documents))
    after = []
    if name in arguments.recover:
        model = cache(lambda: Model.from_pretrained(train(config_of(name, steps))))
        after = kept(f"{name}, {steps} steps, {scored}", lambda: scores(model(), documents))
    return [*map("{:.3f}".format, [*before, *after]), *["–"] * (len(SCORED) - len(after))]


def costs(repeats: int) -> dict[str, dict[str, float]]:
    """Parameters, megabytes as int8, and tokens by second of processor time, one thread, of each model.

    They depend on its shapes alone. Models alternate, so that other load on the machine affects all of them.
    """
    model = Model.from_pretrained(DEFAULT_MODEL)
    nothing = Importance.none(model.encoder.backbone.config)
    models = {name: smaller(name, model, nothing) for name in (WHOLE, *VARIANTS)}
    found: dict[str, dict[str, float]] = {}
    for name, own in models.items():
        n_parameters = sum(weight.numel() for weight in own.parameters())
        found[name] = {"parameters": n_parameters, "megabytes": megabytes(own), **dict.fromkeys(PRECISIONS, 0.0)}
    for _ in range(repeats):
        for name, own in models.items():
            for precision in PRECISIONS:
                scorer = TorchScorer(own, device="cpu", precision=precision)
                found[name][precision] = max(found[name][precision], encoder_speed(scorer, clock=time.process_time))
    return found


def megabytes(model: Model) -> float:
    """The size of the weights as int8."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder, quantize=True)
        return (Path(folder) / "model.safetensors").stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="about how many batches of 2,048 tokens to recover")
    parser.add_argument("--recover", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--documents", nargs=len(SCORED), type=int, default=[500, 20], help="scored of each test set")
    parser.add_argument("--repeats", type=int, default=5, help="speeds are measured so often; the best one counts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measured = kept("costs", lambda: costs(arguments.repeats))
    rows = []
    for name in (WHOLE, *VARIANTS):
        own = measured[name]
        speeds = [f"{own[each]:,.0f} ({own[each] / measured[WHOLE][each]:.2f})" for each in PRECISIONS]
        rows.append(
            [name, f"{own['parameters'] / 1e6:.1f}", f"{own['megabytes']:.1f}", *speeds, *f1_of(name, arguments)]
        )
    header = ["model", "million parameters", "MB as int8", *(f"{each} tokens/s" for each in PRECISIONS)]
    header += [f"F1 {name}" for name in SCORED] + [f"{name}, {arguments.steps} steps" for name in SCORED]
    notes = (
        "Tokens of windows of 256 by second of processor time of the encoder, one thread; in brackets relative to the "
        f"whole model. F1 on the first {' and '.join(map(str, arguments.documents))} documents, with `precision: "
        "auto`: as pruned, and after training of about so many batches of 2,048 tokens; –: not trained."
    )
    write_table("prune", "Pruning the default model", header, rows, notes)


if __name__ == "__main__":
    main()
