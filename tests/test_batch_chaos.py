"""Batches that are killed, interrupted and starved, and documents that harm what reads them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import chaotic
import isolated_functions as functions
from conftest import CORPUS, make_model
from fakes import stay_here
from longdoc import cli
from longdoc.batch import extract, local, stages
from longdoc.batch.inputs import Input
from longdoc.batch.progress import read_status
from longdoc.batch.stages import Loaded
from longdoc.batch.status import Status
from longdoc.errors import BatchError, ConfigError, WorkerError
from pdfs import lines, make_pdf

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory")
PATIENCE = 60.0  # seconds; a bound on hangs, not a measurement


def write(name, folder=Path("in"), *, text=CORPUS[0]):
    (folder / name).write_text(f"<html><body><p>{name}: {text}</p></body></html>")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a test, which is in the command line of each worker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "in").mkdir()
    yield tmp_path
    wait_until(lambda: not processes(tmp_path))


@pytest.fixture(scope="module")
def contracts(tmp_path_factory):
    """The folder ``in`` of three groups of documents, each of which takes some time; and ``undisturbed``."""
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "in").mkdir()
    for i in range(12):
        write(f"{i:02}-slow.html", folder / "in", text=" ".join(CORPUS[: i % 3 + 1] * (i % 5 + 1) * 2))
    run(folder / "undisturbed", [folder / "in"])
    return folder


def processes(folder):
    """The workers of a test that run, whoever started them."""
    found = subprocess.run(["ps", "-A", "-o", "stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if str(folder) in line and not line.startswith("Z")]


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def started(*arguments, before="", **options):
    """Extracts in a process that leads a group, and that can be interrupted."""
    code = [
        "import signal, sys",
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        f"sys.path[:0] = {sys.path!r}",
        before,
        "import chaotic",
        f"chaotic.run_and_tell(*{arguments!r}, **{options!r})",
    ]
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(code)], stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process, n_documents):
    """Waits until a process has read so many documents, or has ended."""
    while (line := process.stdout.readline()) and int(line) < n_documents:
        pass


def files(out="out"):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(Path(out).glob("*/part-*"))}


def entries(out="out"):
    """What the journal says of each document, without what differs from run to run."""
    records = map(json.loads, Path(out, "journal.jsonl").read_text().splitlines())
    return {
        each["address"]: {name: value for name, value in each.items() if name not in ("attempts", "seconds")}
        for each in records
        if "address" in each
    }


def run(out="out", paths=("in",), *, here=False, **options):
    """A run; ``here`` in this process alone, where nothing happens to its workers."""
    with pytest.MonkeyPatch.context() as patch:
        for each in chaotic.REPLACED:
            patch.setattr(*each)
        if here:
            patch.setattr(stages, "load", chaotic.load)
            stay_here(patch)
        return extract.extract_many(paths, out, **{**chaotic.OPTIONS, **options})


def states(status):
    """Name → state and reason, of the documents that were not read, or not wholly."""
    return {Path(each.address).name: (each.state, each.reason) for each in (*status.failures, *status.partial)}


def is_as(undisturbed, out="out"):
    return files(out) == files(undisturbed) and entries(out) == entries(undisturbed)


def goes_on(contracts, out="out"):
    """Whether a run that was stopped gives the result of an undisturbed one in the end."""
    before = read_status(out)
    after = run(out, [contracts / "in"], here=True)
    assert (before.n_left > 0, before.has_ended, after.n_left, after.has_ended) == (True, False, 0, True)
    return is_as(contracts / "undisturbed", out)


# ------------------------------------------------------------------------------------------------------- killed runs


def kill(moments, *arguments, **options):
    """Kills a run, with its process group, at a random moment after some of its documents are read."""
    with started(*arguments, **options) as process:
        wait_for(process, moments.choice([0, 1, 5]))
        time.sleep(moments.uniform(0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes(Path.cwd()))


@pytest.mark.slow
def test_killed_at_random_moments_it_gives_the_files_of_an_undisturbed_run(folder, contracts):
    assert [name for name in files(contracts / "undisturbed") if "entities" in name] == [
        f"entities/part-0000{i}.csv" for i in range(3)
    ]
    moments = random.Random(6)
    for i in range(3):
        kill(moments, [str(contracts / "in")], f"out{i}")
        assert goes_on(contracts, f"out{i}")


@pytest.mark.rare
@pytest.mark.slow
def test_killed_with_a_model_it_gives_the_files_of_an_undisturbed_run(folder, contracts):
    make_model().save("model")
    options = {"model": str(folder / "model"), "tasks": ["contract"], "format": "parquet"}
    moments = random.Random(1)
    for _ in range(3):
        kill(moments, [str(contracts / "in")], "out", **options)
    assert read_status("out").n_left > 0
    run("out", [contracts / "in"], **options)
    run("undisturbed", [contracts / "in"], **options)
    assert is_as("undisturbed") and read_status("out").tokens > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_process_and_goes_on(folder, contracts, number):
    with started([str(contracts / "in")], "out") as process:
        wait_for(process, 4)
        process.send_signal(number)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == -number
    if number == signal.SIGINT:
        assert told.rstrip().endswith("KeyboardInterrupt") and told.count("Traceback") == 1
    wait_until(lambda: not processes(folder))
    assert goes_on(contracts)


def test_two_runs_at_once(folder, contracts):
    with started([str(contracts / "in")], "out") as process:
        wait_for(process, 1)
        with pytest.raises(BatchError, match=rf"out: another run \(process {process.pid} on .*\) writes there"):
            run("out", [contracts / "in"])
        _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (0, "")
    assert is_as(contracts / "undisturbed")


# -------------------------------------------------------------------------------------------------- harmful documents


@pytest.mark.slow
@needs_linux
def test_documents_that_do_harm_cost_only_themselves(folder):
    for i in range(16):
        write(f"{i:02}.html")
    good = {name.replace("undisturbed", "out") for name in rows(run("undisturbed"))}
    write("03-hang.html")
    write("05-die.html")
    write("08-eat.html")
    write("11-fatal.html")
    write("13-faulty.html")
    write("19-vanishing.html")
    Path("in/20-empty.pdf").touch()
    Path("in/21-garbage.pdf").write_bytes(random.Random(0).randbytes(5000))
    whole = make_pdf(lines("This Agreement is made by Acme Inc"))
    Path("in/22-cut.pdf").write_bytes(whole[: len(whole) // 3])
    Path("in/23-locked.pdf").write_bytes(make_pdf(lines("Secret"), password="x"))
    status = run(timeout=8.0, workers=2, memory=300 << 20)
    found = states(status)
    assert {name: state for name, (state, _) in found.items()} == {
        "03-hang.html": "timed out",
        "05-die.html": "crashed",
        "08-eat.html": "out of memory",
        "11-fatal.html": "crashed",
        "13-faulty.html": "failed",
        "19-vanishing.html": "failed",
        "20-empty.pdf": "failed",
        "21-garbage.pdf": "failed",
        "22-cut.pdf": "failed",
        "23-locked.pdf": "failed",
    }
    assert "took longer than 8 s" in found["03-hang.html"][1]
    assert "more than 315 MB" in found["08-eat.html"][1]
    assert "SIGKILL" in found["05-die.html"][1] and "SIGKILL" in found["11-fatal.html"][1]
    assert "a fault of this test" in found["13-faulty.html"][1]
    assert {each.error for each in status.failures if each.address.endswith(".pdf")} == {
        "CorruptDocumentError",
        "EncryptedDocumentError",
    }
    assert status.counts["ok"] == 16 and status.has_ended
    assert rows(status) == good
    again = run(timeout=8.0, workers=2, memory=300 << 20)  # none of them is tried again, and the lost one is gone
    assert {name: state for name, (state, _) in states(again).items()} == {
        name: state for name, (state, _) in found.items() if name != "19-vanishing.html"
    }


def rows(status):
    """All rows of entities of a run, in any order."""
    content = [data for name, data in files(status.folder).items() if name.startswith("entities/")]
    return {line for data in content for line in data.decode().splitlines()}


def test_a_document_on_which_the_model_hangs_costs_only_itself(folder, monkeypatch):
    for name in ("0.html", "1-endless.html", "2.html"):
        write(name)
    is_endless = lambda group: any("endless" in each.input.address for each in group)  # noqa: E731
    monkeypatch.setattr(local, "seconds_of", lambda _, group: 1.0 if is_endless(group) else None)
    status = run()
    (state, reason) = states(status)["1-endless.html"]
    assert (state, status.counts["ok"], status.has_ended) == ("timed out", 2, True)
    assert reason == "reading it with the model took longer than 1 s; allow more with --timeout"


@pytest.mark.rare
def test_the_time_for_a_group_begins_when_the_model_is_loaded(folder, monkeypatch):
    for name in ("0.html", "1-fatal.html", "2.html"):
        write(name)
    Path("slow-model").write_text("11")
    monkeypatch.setattr(local, "seconds_of", lambda _, group: 10.0 if group else None)
    assert {name: state for name, (state, _) in states(run()).items()} == {"1-fatal.html": "crashed"}


def test_the_model_may_take_longer_for_more_text():
    loaded = [Loaded(Input("a", 1, 1), Status(address="a", id="", state="ok"), b"", n) for n in (0, 10, 25_000, 25_001)]
    seconds = [local.seconds_of(10.0, group) for group in ((), *((each,) for each in loaded), loaded)]
    assert seconds == [None, 70.0, 70.0, 70.0, 80.0, 90.0]
    assert local.seconds_of(None, loaded) is None


def test_a_document_that_changes_while_it_is_read(folder):
    write("0.html")
    write("1-growing.html")
    write("2-grown.html")
    found = states(run(here=True))
    assert list(found) == ["1-growing.html"] and "changes while it is read" in found["1-growing.html"][1]
    text = Path("in/2-grown.html").read_text()
    assert text.count("and more") == 1
    assert sorted(found) == sorted(states(run(here=True))), "read again, since it has changed"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_is_no_document(folder, make):
    write("0.html")
    make("in/odd")
    found = states(run(paths=["in/0.html", "in/odd"], timeout=None, memory=None, here=True))
    assert found == {"odd": ("failed", "in/odd: is no regular file, but a pipe, a socket or a device; give a file")}
    assert not states(run("other", here=True))  # in a folder it is left out


def test_a_folder_inside_the_one_that_is_read(folder):
    write("0.html")
    for out in ("in/out", "in/out", "in/deep/out"):
        status = run(out, format="jsonl", here=True)
        assert (status.n_inputs, status.n_left, status.counts["ok"]) == (1, 0, 1)


def test_the_status_before_the_first_rows_are_written(folder, capsys):
    for name in ("0.html", "1-endless.html"):
        write(name)
    with started(["in"], "out") as process:
        wait_until(lambda: Path("out/run.json").exists() and (found := read_status("out").doing) and found.loaded == 2)
        status = read_status("out")
        assert (status.is_running, status.n_inputs, status.n_left) == (True, 2, 2)
        assert (status.doing.of, status.doing.started, status.doing.read) == (2, 2, 0)
        assert cli.main(["status", "out"]) == 0
        told = capsys.readouterr().out
        assert "running, 2 of 2 documents left" in told and "2 of 2 documents begun, 2 loaded, 0 read" in told
        assert cli.main(["status", "out", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["doing"]["loaded"] == 2
        os.killpg(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes(folder))
    assert read_status("out").doing is None


def test_with_nothing_left_to_read_no_process_is_started(folder, monkeypatch):
    write("0.html")
    first = run(here=True)
    with monkeypatch.context() as patch:
        patch.setattr(local, "Workers", None)
        assert run() == first and first.has_ended


# ------------------------------------------------------------------------------------------ processes that cannot start


def test_loaders_that_die_at_every_start_end_the_run(folder, contracts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "prepare_loading", functions.die_at_start)
        with pytest.raises(WorkerError, match="end before they are ready, 3 times in a row: exited with code 9"):
            run("out", [contracts / "in"])
    assert read_status("out").n_left == 12, "no document is to blame"
    assert goes_on(contracts)


@pytest.fixture(scope="module")
def leases(tmp_path_factory):
    """The folder ``in`` of three groups of documents, and ``undisturbed``; one in the second group kills the model."""
    folder = tmp_path_factory.mktemp("leases")
    (folder / "in").mkdir()
    for i in range(12):
        write(f"{i:02}-fatal.html" if i == 6 else f"{i:02}.html", folder / "in")
    status = run(folder / "undisturbed", [folder / "in"])
    assert {name: state for name, (state, _) in states(status).items()} == {"06-fatal.html": "crashed"}
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 4])
def test_a_model_that_dies_when_it_is_loaded_costs_no_document(folder, leases, after):
    def report(progress):
        if progress.documents == after:
            Path("no-model").touch()

    with pytest.raises(WorkerError, match=r"processes with the model end before they are ready, 3 times in .*SIGKILL"):
        run(paths=[leases / "in"], progress=report)
    assert read_status("out").n_left == 12 - after
    Path("no-model").unlink()
    run(paths=[leases / "in"])
    assert is_as(leases / "undisturbed")


# ---------------------------------------------------------------------------------------------------------- full disks


@pytest.fixture
def small_disk(folder):
    """A folder on a disk of its own, and what enlarges it."""
    Path("disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", "disk"]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, on Linux")
    yield lambda: subprocess.run(["mount", "-o", "remount,size=64m", "disk"], check=True)
    subprocess.run(["umount", "disk"], check=True)


def test_a_full_disk_loses_nothing(contracts, small_disk):
    with pytest.raises(BatchError, match=r"disk/out: the disk is full: .* MB are free; free some space, then run the"):
        run("disk/out", [contracts / "in"], here=True)
    small_disk()
    assert goes_on(contracts, "disk/out")


def test_a_limit_on_the_size_of_files_loses_nothing(folder, contracts):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))"
    with started([str(contracts / "in")], "out", before=limit) as process:
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "cannot be written (File too large); mend that, then run the same" in told
    assert goes_on(contracts)


def test_a_disk_that_can_only_be_read(contracts, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", "disk"], check=True)
    with pytest.raises(
        ConfigError, match=r"disk/out: cannot be written \(Read-only file system\); give another folder"
    ):
        run("disk/out", [contracts / "in"])
