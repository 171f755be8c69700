"""Kills training runs with SIGKILL, some while they write a checkpoint, resumes each, and compares what it learns.

    python tests/kill_runs.py --moments 30

A run is killed as a whole, or one process of it; the rest then gets SIGTERM, as from torchrun. The processes are forked
from this one, which has imported everything, so that a run takes a second or two.
"""

import argparse
import itertools
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", DS_ACCELERATOR="cpu")

import deepspeed.ops  # imported once, for all forks
import torch
import yaml
from safetensors.torch import load_file
from transformers import Trainer

from conftest import write_corpus
from longdoc.training import train
from longdoc.training.checkpoints import is_complete

ROOT = Path(__file__).parent.parent
SAVE_EVERY = 3
DATA = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"party": "PARTY"}}


@dataclass(frozen=True)
class Kind:
    """A kind of training run."""

    name: str
    n_processes: int
    deepspeed: str | None = None
    development: bool = False


KINDS = (
    Kind("1 process", 1),
    Kind("2 processes, ZeRO-2", 2, "ds_config.json"),
    Kind("1 process, best checkpoint", 1, development=True),
    Kind("2 processes, no DeepSpeed", 2),
    Kind("2 processes, ZeRO-3", 2, "configs/deepspeed/zero3.json"),
)


def write_config(folder: Path, name: str, kind: Kind) -> Path:
    """A run of some 20 steps with dropout, and so many checkpoints that a kill often interrupts one."""
    record = {
        "base": str(folder / "base"),
        "output": str(folder / name),
        "model": {"heads": {"contract": {"labels": ["PARTY"]}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [{"heads": ["contract"], "data": DATA, "window": 32, "overlap": 8, "passes": 2 * kind.n_processes}],
        "batch_tokens": 512,
        "precision": "float32",
        "learning_rate": 0.003,
        "dropout": 0.1,
        "save_every": SAVE_EVERY,
        "log_every": 1,
    }
    if kind.development:
        record["development"] = {"datasets": {"contracts": {**DATA, "limit": 4}}, "every": SAVE_EVERY, "patience": 3}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(record))
    return path


class Run:
    """The processes of one run."""

    def __init__(self, config: Path, kind: Kind) -> None:
        self.log = config.with_suffix(".log")
        port = _free_port()
        self.pids = [self._fork(config, kind, rank, port) for rank in range(kind.n_processes)]

    def _fork(self, config: Path, kind: Kind, rank: int, port: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            if kind.n_processes > 1:
                names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": kind.n_processes, "MASTER_PORT": port}
                os.environ.update({name: str(value) for name, value in names.items()}, MASTER_ADDR="127.0.0.1")
            torch.set_num_threads(1)
            if rank:
                delay_last_file()
            train(config, deepspeed=ROOT / kind.deepspeed if kind.deepspeed else None)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def is_running(self) -> bool:
        """Whether no process has ended yet."""
        return all(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None for pid in self.pids)

    def kill(self, victim: int | None) -> None:
        """Kills all processes, or one of them, after which the others are ended as torchrun does."""
        for pid in self.pids if victim is None else [self.pids[victim]]:
            os.kill(pid, signal.SIGKILL)
        if victim is not None:
            time.sleep(random.uniform(0, 0.1))
            for pid in self.pids:
                os.kill(pid, signal.SIGTERM)
        self.wait(5)

    def wait(self, seconds: float) -> bool:
        """Waits for all processes, kills those that are late, and returns whether all succeeded."""
        deadline, codes = time.monotonic() + seconds, {}
        while len(codes) < len(self.pids):
            for pid in set(self.pids) - set(codes):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    codes[pid] = os.waitstatus_to_exitcode(status)
                elif time.monotonic() > deadline or any(codes.values()):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        return not any(codes.values())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def finish(config: Path, kind: Kind) -> None:
    """Runs to the end."""
    run = Run(config, kind)
    if not run.wait(300):
        raise SystemExit(f"{kind.name} failed:\n{run.log.read_text()[-4000:]}")


def checkpoints(folder: Path) -> list[Path]:
    """The folders of all checkpoints, oldest first."""
    return sorted((folder / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name[11:]))


def at_random(seconds: float) -> Callable[[Run, Path], str]:
    """A kill some time after the start."""

    def wait(run: Run, folder: Path) -> str:
        time.sleep(seconds)
        return f"after {seconds:.2f} s"

    return wait


def before_last_file(number: int) -> Callable[[Run, Path], str]:
    """A kill when the first process has written all its files of a checkpoint, and others have not."""

    def wait(run: Run, folder: Path) -> str:
        state = folder / "checkpoints" / f"checkpoint-{SAVE_EVERY * number}" / "trainer_state.json"
        while run.is_running() and not state.exists():
            time.sleep(0.0002)
        return f"before the end of checkpoint {number}"

    return wait


def delay_last_file() -> None:
    """Makes this process the last one to finish a checkpoint."""
    save = Trainer._save_rng_state

    def save_late(self: Trainer, folder: str) -> None:
        time.sleep(0.1)
        save(self, folder)

    Trainer._save_rng_state = save_late


def while_writing(number: int, milliseconds: float) -> Callable[[Run, Path], str]:
    """A kill some milliseconds after the folder of the ``number``-th checkpoint appears."""

    def wait(run: Run, folder: Path) -> str:
        while run.is_running() and not (folder / "checkpoints" / f"checkpoint-{SAVE_EVERY * number}").exists():
            time.sleep(0.0002)
        time.sleep(milliseconds / 1000)
        return f"{milliseconds:.0f} ms into checkpoint {number}"

    return wait


def learned(folder: Path) -> tuple[list[float], dict[str, torch.Tensor]]:
    """The loss curve and the final weights of a finished run."""
    log = json.loads((folder / "log.json").read_text())
    return [entry["loss"] for entry in log if "loss" in entry], load_file(folder / "model" / "model.safetensors")


@dataclass(frozen=True)
class Whole:
    """The result of a run that is not killed, and its duration."""

    seconds: float
    curve: list[float]
    weights: dict[str, torch.Tensor]

    @classmethod
    def of(cls, folder: Path, kind: Kind) -> "Whole":
        started, name = time.monotonic(), f"whole {kind.name}"
        finish(write_config(folder, name, kind), kind)
        return cls(time.monotonic() - started, *learned(folder / name))

    def is_same(self, curve: list[float], weights: dict[str, torch.Tensor]) -> bool:
        return curve == self.curve and all(torch.equal(weights[name], self.weights[name]) for name in self.weights)


def kill_and_resume(folder: Path, number: int, kind: Kind, whole: Whole, rng: random.Random) -> bool:
    """Whether a run that is killed, and then resumes, learns the same as one that is not."""
    checkpoint = rng.randint(1, len(whole.curve) // SAVE_EVERY)
    moments = [
        before_last_file(checkpoint),
        while_writing(checkpoint, rng.uniform(0, 50)),
        at_random(rng.uniform(0.3, 0.95) * whole.seconds),
    ]
    moment = moments[number // len(KINDS) % len(moments)]
    victim = rng.choice([None, *range(kind.n_processes)]) if kind.n_processes > 1 else None
    config, output = write_config(folder, f"killed {number}", kind), folder / f"killed {number}"
    run = Run(config, kind)
    when = moment(run, output)
    was_running = run.is_running()
    run.kill(victim)
    found = checkpoints(output)
    n_incomplete = sum(not is_complete(path) for path in found)
    finish(config, kind)
    is_same = whole.is_same(*learned(output))
    state = f"{len(found) - n_incomplete} complete, {n_incomplete} incomplete" if was_running else "had ended"
    target = "all" if victim is None else f"rank {victim}"
    end = "same" if is_same else "DIFFERS"
    print(f"{number:>3}  {kind.name:<28}{when:<32}{target:<8}{state:<26}{end}", flush=True)  # noqa: T201
    return is_same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=30, help="number of kills")
    parser.add_argument("--kinds", type=int, default=len(KINDS), help="number of kinds of runs, from the list above")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    deepspeed.ops.__compatible_ops__ = {}  # else it compiles a kernel for a minute that only inference calls
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        folder = Path(name)
        os.environ["LONGDOC_DATA"] = name
        write_corpus(folder)
        kinds = {kind: Whole.of(folder, kind) for kind in KINDS[: arguments.kinds]}
        moments = zip(range(arguments.moments), itertools.cycle(kinds.items()), strict=False)
        n_same = sum(kill_and_resume(folder, number, kind, whole, rng) for number, (kind, whole) in moments)
    print(f"{n_same} of {arguments.moments} killed runs learned the same, bit for bit")  # noqa: T201
    raise SystemExit(n_same < arguments.moments)


if __name__ == "__main__":
    main()
