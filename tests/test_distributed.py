"""Processes that learn together, by torchrun and DeepSpeed on the CPU, and runs that are killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
import yaml

from conftest import write_corpus
from longdoc.model import Model
from longdoc.training import train
from test_training import config_file

ROOT = Path(__file__).parent.parent
STAGES = {
    1: ROOT / "configs" / "deepspeed" / "zero1.json",
    2: ROOT / "ds_config.json",
    3: ROOT / "configs" / "deepspeed" / "zero3.json",
}


def write(folder, name, **changes):
    """A run of about 20 steps whose loss depends on nothing but its batches."""
    path = config_file(
        folder,
        output=str(folder / name),
        dropout=0.0,
        batch_tokens=512,
        precision="float32",
        learning_rate=0.003,
        save_every=5,
        log_every=1,
        **changes,
    )
    record = yaml.safe_load(path.read_text())
    record["tasks"][0]["passes"] = 2
    path = path.rename(folder / f"{name}.yaml")
    path.write_text(yaml.safe_dump(record))
    return path


def command(config, *options, n_processes=2):
    longdoc = [str(Path(sys.executable).parent / "longdoc"), "train", str(config), *map(str, options)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    return [*torchrun, "--no-python", *longdoc] if n_processes > 1 else longdoc


def launch(config, *options, n_processes=2):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        command(config, *options, n_processes=n_processes),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def run(config, *options, n_processes=2):
    process = launch(config, *options, n_processes=n_processes)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said[-3000:]
    return said


def curve(folder):
    return [float(entry["loss"]) for entry in json.loads((folder / "log.json").read_text()) if "loss" in entry]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process without DeepSpeed learns from two batches a step."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        write_corpus(folder)
        patch.setenv("LONGDOC_DATA", str(folder))
        train(write(folder, "alone", accumulate=2))
        yield folder


@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_learn_what_one_learns(alone, stage):
    config = write(alone, f"zero{stage}")
    said = run(config, "--deepspeed", STAGES[stage])
    assert said.count("The trained model is in") == 1, "one process speaks for all"
    # An odd batch at the end is one batch for one process, and two for two: the first stands in.
    one, two = curve(alone / "alone")[:-1], curve(alone / f"zero{stage}")[:-1]
    assert len(one) > 15
    assert two == pytest.approx(one, rel=1e-4)
    found, wanted = (Model.from_pretrained(alone / name / "model").state_dict() for name in (f"zero{stage}", "alone"))
    assert all(found[name].shape == wanted[name].shape for name in wanted)
    assert all(torch.allclose(found[name], wanted[name], atol=0.02) for name in wanted)


def kill_after_a_checkpoint(config, folder, *options, n_processes):
    process = launch(config, *options, n_processes=n_processes)
    deadline = time.monotonic() + 200
    while not list((folder / "checkpoints").glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None, process.stdout.read()[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        one.kill()
    process.communicate()
    assert not (folder / "log.json").exists(), "it was killed before its end"


@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_killed_run_goes_on_as_if_nothing_had_been(alone, n_processes):
    options = ("--deepspeed", STAGES[2]) if n_processes > 1 else ()
    config = write(alone, f"killed{n_processes}", accumulate=3 - n_processes)
    kill_after_a_checkpoint(config, alone / f"killed{n_processes}", *options, n_processes=n_processes)
    run(config, *options, n_processes=n_processes)
    whole, resumed = curve(alone / "alone"), curve(alone / f"killed{n_processes}")
    assert resumed[:-1] == pytest.approx(whole[:-1], rel=1e-4)


@pytest.mark.parametrize("name", [*sorted((ROOT / "configs" / "deepspeed").glob("*.json")), ROOT / "ds_config.json"])
def test_a_shipped_configuration_leaves_the_numbers_to_the_run(name):
    record = json.loads(name.read_text())
    for key in ("train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "train_batch_size"):
        assert record[key] == "auto"
    assert "optimizer" not in record, "Trainer's own AdamW spares biases and norms the decay"
    assert record["zero_optimization"]["stage"] in (1, 2, 3)
