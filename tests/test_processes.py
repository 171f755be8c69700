"""How the processes of a training run end: with their launcher, after an error, and without warnings of libraries."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from torch import distributed

from longdoc.training.processes import close_group, processes_of_a_run, quiet_libraries

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")

ENDS = """
import atexit, os, sys, time
from torch import distributed
from longdoc.training.processes import processes_of_a_run

def say(text):
    os.write(1, f"{text}\\n".encode())  # at once: torchrun has print write each of its parts by itself


atexit.register(lambda: say("open" if distributed.is_initialized() else "closed"))
with processes_of_a_run():
    distributed.init_process_group("gloo")
    distributed.barrier()
    say(f"joined {os.getpid()}")
    if sys.argv[1] == "wait":
        time.sleep(300)
    if distributed.get_rank() == 1:
        raise ValueError("a run that fails")
    distributed.barrier()
"""


def start(folder, *arguments, launcher=TORCHRUN):
    """A process whose output goes to a file, so that nothing waits for it."""
    (folder / "ends.py").write_text(ENDS)
    with (folder / "said").open("w") as said:
        command = [sys.executable, *launcher, str(folder / "ends.py"), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.rare
@pytest.mark.slow
def test_the_process_group_is_closed_after_an_error_too(tmp_path):
    assert start(tmp_path, "fail").wait(120) != 0
    said = (tmp_path / "said").read_text()
    assert said.count("joined") == 2 and "a run that fails" in said
    assert "closed" in said.split() and "open" not in said.split()


@pytest.mark.rare
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends children")
def test_processes_end_with_a_launcher_that_is_killed(tmp_path):
    launcher = start(tmp_path, "wait")
    said = tmp_path / "said"
    assert wait_for(lambda: said.read_text().count("joined") == 2), said.read_text()
    pids = [int(line.split()[1]) for line in said.read_text().splitlines() if line.startswith("joined")]
    assert all(map(is_running, pids))
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait(60)
    ended = wait_for(lambda: not any(map(is_running, pids)), 20)
    for pid in filter(is_running, pids):
        os.kill(pid, signal.SIGKILL)
    assert ended


@pytest.fixture
def at_exit(monkeypatch):
    """What would be called at the end of the process."""
    registered = []
    monkeypatch.setattr("longdoc.training.processes.atexit.register", registered.append)
    yield registered
    close_group()


def join():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)


def test_the_process_group_of_a_run_is_closed_when_the_process_ends(at_exit):
    with processes_of_a_run():
        join()
    with processes_of_a_run():
        distributed.barrier()  # another run in the same processes has the same group
    (close,) = at_exit
    close()
    assert not distributed.is_initialized()
    close()  # the user may have closed it


def test_a_process_group_of_the_caller_stays_open(at_exit):
    join()
    with processes_of_a_run():
        pass
    assert not at_exit and distributed.is_initialized()


def test_an_error_passes_through():
    with pytest.raises(KeyboardInterrupt), processes_of_a_run():
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "category", "is_heard"),
    [
        ("torch.distributed.c10d_logger", FutureWarning, False),
        ("deepspeed", FutureWarning, False),
        ("torchmetrics", FutureWarning, True),
        ("mine", FutureWarning, True),
        ("torch.nn", UserWarning, True),
    ],
)
def test_warnings_of_changes_to_come_are_not_for_users(module, category, is_heard, monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with quiet_libraries():
            warnings.warn_explicit("changes", category, f"{module}.py", 1, module=module)
        assert bool(heard) == is_heard
        monkeypatch.setattr(sys, "warnoptions", ["default"])
        with quiet_libraries():
            warnings.warn_explicit("changes", category, f"{module}.py", 1, module=module)
        assert len(heard) == 1 + is_heard, "what the user asked for is shown"
