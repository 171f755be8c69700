"""Peak memory of a training step at 4,096 tokens: windows and sparse rows, checkpointing on and off, ZeRO-2 and none.

Each figure is that of a process of its own: the peak of its resident memory during three steps, above its use
with the model and one batch ready.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from _table import write_table

TOKENS = 4096
STEPS = 3
ZERO2 = Path(__file__).parent.parent / "ds_config.json"


def run_child(arguments: argparse.Namespace) -> None:
    """Three steps of one kind; prints megabytes."""
    import torch

    from longdoc.evaluation import peak_memory
    from longdoc.heads import Group
    from longdoc.model import Model
    from longdoc.model_files import DEFAULT_MODEL
    from longdoc.training.data import Batches
    from longdoc.training.learner import Learner
    from longdoc.training.run import RunConfig, fit

    model = Model.from_pretrained(DEFAULT_MODEL)
    task = make_task(arguments.encoder)
    size = (TOKENS if arguments.encoder == "sparse" else task.window) - 2
    rng = np.random.default_rng(0)
    groups = []
    for _ in range(STEPS * arguments.processes):
        rows = range(TOKENS // (size + 2))
        slices = [rng.integers(1000, 20000, size).astype(np.int32) for _ in rows]
        targets = {"tags": {"ontology": rng.integers(0, 3, size)}, "unmarked": ()}
        groups.append([Group(task, "random", (ids,), model.encoder.template.plain, targets) for ids in slices])
    with tempfile.TemporaryDirectory() as folder:
        config = RunConfig(base="default", output=folder, gradient_checkpointing=arguments.checkpointing, save_every=99)
        with peak_memory(torch.device("cpu")) as peak:
            fit(Learner(model), Batches(groups, model), config, deepspeed=ZERO2 if arguments.zero else None)
    print(json.dumps({"megabytes": peak["megabytes"]}))


def make_task(encoder: str):
    from longdoc.datasets import JsonlConfig
    from longdoc.heads import TaskConfig

    data = JsonlConfig(reader="jsonl", files=("none",))
    task = TaskConfig(heads=("ontology",), data=data, window=256)
    return replace(task, encoder=encoder, window=TOKENS if encoder == "sparse" else 256)


def measure(encoder: str, checkpointing: bool, zero: bool, processes: int) -> float:
    """Megabytes of the process that used most."""
    own = [str(Path(__file__).resolve()), "--encoder", encoder, "--processes", str(processes)]
    own += ["--checkpointing"] * checkpointing + ["--zero"] * zero
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    done = subprocess.run(
        [sys.executable, *(launcher if processes > 1 else []), *own], check=True, text=True, capture_output=True
    )
    return max(json.loads(line)["megabytes"] for line in done.stdout.splitlines() if line.startswith('{"megabytes"'))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", choices=["windows", "sparse"], help=argparse.SUPPRESS)
    parser.add_argument("--checkpointing", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--zero", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.encoder:
        return run_child(arguments)
    rows = []
    for encoder in ("windows", "sparse"):
        for zero, processes in ((False, 1), (False, 2), (True, 2)):
            off, on = (measure(encoder, checkpointing, zero, processes) for checkpointing in (False, True))
            name = f"{processes} process{'es' * (processes > 1)}, {'ZeRO-2' if zero else 'no DeepSpeed'}"
            rows.append([encoder, name, f"{off:,.0f}", f"{on:,.0f}", f"{on / off:.2f}"])
    header = ["encoder", "processes", "MB, checkpointing off", "MB, on", "ratio"]
    notes = f"The default model, float32; {TOKENS:,} tokens a step on each process; the process with the highest peak."
    write_table("training_memory", "Peak memory of a training step", header, rows, notes)


if __name__ == "__main__":
    main()
