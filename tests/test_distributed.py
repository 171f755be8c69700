"""Distributed training by torchrun and DeepSpeed on the CPU, and runs that are killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from conftest import write_corpus
from longdoc.model import Model
from longdoc.training import train
from test_training import config_file

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
ROOT = TESTS.parent
STAGES = {
    1: ROOT / "configs" / "deepspeed" / "zero1.json",
    2: ROOT / "ds_config.json",
    3: ROOT / "configs" / "deepspeed" / "zero3.json",
}


def write(folder, name, **changes):
    """A run of about 20 steps whose loss depends only on its batches."""
    path = config_file(
        folder,
        output=str(folder / name),
        dropout=0.0,
        batch_tokens=512,
        precision="float32",
        learning_rate=0.003,
        save_every=15,
        log_every=1,
        **changes,
    )
    record = yaml.safe_load(path.read_text())
    record["tasks"][0]["passes"] = 2
    path = path.rename(folder / f"{name}.yaml")
    path.write_text(yaml.safe_dump(record))
    return path


def run(*command):
    """The output of a Python program, which must succeed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def curve(folder):
    return [float(entry["loss"]) for entry in json.loads((folder / "log.json").read_text()) if "loss" in entry]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process without DeepSpeed learns from two batches per step."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        write_corpus(folder)
        patch.setenv("LONGDOC_DATA", str(folder))
        train(write(folder, "alone", accumulate=2))
        yield folder


@pytest.fixture(scope="module")
def together(alone):
    """The output of two processes with each stage of ZeRO; one launch, since imports take most time."""
    commands = [["train", str(write(alone, f"zero{n}")), "--deepspeed", str(path)] for n, path in STAGES.items()]
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    return run(*torchrun, TESTS / "train_together.py", json.dumps(commands))


@pytest.mark.rare
@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_learn_what_one_learns(alone, together, stage):
    folder = alone / f"zero{stage}"
    assert together.count(f"The trained model is in {folder}") == 1, "one process prints for all"
    # If the number of batches is odd, two processes repeat the first one at the end: the last step differs.
    one, two = curve(alone / "alone")[:-1], curve(folder)[:-1]
    assert len(one) > 15
    assert two == pytest.approx(one, rel=1e-4)
    found, wanted = (Model.from_pretrained(path / "model").state_dict() for path in (folder, alone / "alone"))
    assert all(found[name].shape == wanted[name].shape for name in wanted)
    assert all(torch.allclose(found[name], wanted[name], atol=0.02) for name in wanted)


@pytest.mark.rare
def test_killed_runs_resume_to_the_same_weights():
    said = run(TESTS / "kill_runs.py", "--moments", 2, "--kinds", 2)
    assert "2 of 2 killed runs learned the same" in said


@pytest.mark.parametrize("name", [*sorted((ROOT / "configs" / "deepspeed").glob("*.json")), ROOT / "ds_config.json"])
def test_a_shipped_configuration_leaves_batch_sizes_and_optimizer_to_the_run(name):
    record = json.loads(name.read_text())
    for key in ("train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "train_batch_size"):
        assert record[key] == "auto"
    assert "optimizer" not in record, "Trainer's own AdamW exempts biases and norms from weight decay"
    assert record["zero_optimization"]["stage"] in (1, 2, 3)
