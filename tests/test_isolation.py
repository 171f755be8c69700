"""Documents in worker processes: the same results, and no document takes this process with it."""

import logging
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import isolated_functions as functions
from longdoc import cli
from longdoc.errors import (
    CorruptDocumentError,
    DocumentError,
    LimitExceededError,
    LoaderDiedError,
    LoaderMemoryError,
    LoaderTimeoutError,
)
from longdoc.loaders import Limits, load
from longdoc.loaders.isolated import isolated
from longdoc.loaders.limits import MEMORY, SECONDS
from longdoc.pdfium import PDFIUM_LOCK
from pdfs import lines, make_pdf

DATA = Path(__file__).parent / "data"
FORMATS = [
    path
    for path in sorted(DATA.rglob("*"))
    if path.suffix in (".pdf", ".docx", ".fodt", ".htm", ".html", ".xml", ".json", ".txt", ".png", ".ann")
]
PATIENCE = 100.0  # seconds; a bound on hangs, not a measurement
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")


def outcome(source: object, **options: object) -> object:
    try:
        return load(source, ocr="never", **options)
    except DocumentError as error:
        return type(error), str(error)


@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.name)
def test_a_document_is_the_same_as_in_this_process(path: Path) -> None:
    assert outcome(path, isolated=True) == outcome(path)


def test_bytes_and_files_are_read_as_paths_are(tmp_path: Path) -> None:
    path = tmp_path / "lease.txt"
    path.write_bytes(b"The term is ten years.")
    with path.open("rb") as file:
        assert load(file, isolated=True) == load(path, isolated=True) == load(path)
    assert load(path.read_bytes(), isolated=True).source.name == "bytes"
    with pytest.raises(CorruptDocumentError, match="empty"):
        load(b"", isolated=True)


def test_options_reach_the_worker() -> None:
    pdf = make_pdf(lines("One"), lines("Two"))
    assert load(pdf, isolated=True, pages=(2, 2)).text == "Two"
    with pytest.raises(LimitExceededError, match="pages: 2, allowed: 1"):
        load(pdf, isolated=True, limits=Limits(pages=1))
    with pytest.raises(ValueError, match="starts after the last page"):
        load(pdf, isolated=True, pages=(9, 9))


def test_limits_need_isolation() -> None:
    for options in ({"timeout": 5}, {"memory": 10**6}):
        with pytest.raises(ValueError, match="isolated=True"):
            load(b"text", **options)


def test_no_more_is_read_of_a_file_than_may_be() -> None:
    with pytest.raises(LimitExceededError, match="zero: file bytes"):
        load("/dev/zero", limits=Limits(file_bytes=10**7))


def test_a_pipe_into_which_nothing_is_written_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    silent, used = tmp_path / "silent.txt", tmp_path / "used.txt"
    os.mkfifo(silent)
    os.mkfifo(used)
    with pytest.raises(LoaderTimeoutError, match=r"silent\.txt: the file did not end within 0\.2 s"):
        load(silent, isolated=True, timeout=0.2)
    writer = threading.Thread(target=used.write_text, args=("A lease.",))
    writer.start()
    assert load(used, isolated=True).text == "A lease."
    writer.join()


def call(function: object, *arguments: object, timeout: float | None = SECONDS, memory: int | None = MEMORY) -> object:
    return isolated(function, *arguments, name="lease.pdf", timeout=timeout, memory=memory)


def test_the_ways_to_lose_a_worker_are_typed() -> None:
    with pytest.raises(LoaderTimeoutError, match=r"^lease\.pdf: reading it took longer than 0\.2 s; .*timeout=\.\.\."):
        call(functions.nap, 600, timeout=0.2)
    with pytest.raises(LoaderDiedError, match=r"^lease\.pdf: .*exited with code 7"):
        call(functions.exit_now, 7)
    assert issubclass(LoaderTimeoutError, LoaderDiedError) and issubclass(LoaderMemoryError, LoaderDiedError)


@needs_linux
def test_the_limit_on_memory_is_that_of_the_call() -> None:
    with pytest.raises(LoaderMemoryError, match=r"needed more than 50 MB of memory.*memory=\.\.\."):
        call(functions.allocate, 100 * 10**6, memory=50 * 10**6)
    assert call(functions.allocate, 100 * 10**6, memory=400 * 10**6) == 100 * 10**6
    with pytest.raises(LoaderMemoryError):
        call(functions.allocate, 2 * 10**9)


def test_an_abort_of_a_new_worker_is_not_tried_again(tmp_path: Path) -> None:
    note = tmp_path / "attempts"
    with pytest.raises(LoaderDiedError, match="code 0"):
        call(functions.exit_now, 0)  # so that the worker is a new one
    with pytest.raises(LoaderDiedError, match="SIGABRT"):
        call(functions.note_and_abort, str(note))
    assert note.read_text() == "x"


def test_a_worker_stays_for_the_next_document() -> None:
    assert call(functions.pid, 0) == call(functions.pid, 0) != os.getpid()


def test_threads_have_workers_of_their_own() -> None:
    documents = [f"Document {number}".encode() for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda data: load(data, isolated=True).text, documents))
    assert found == [data.decode() for data in documents]


def test_many_threads_load_here() -> None:
    pdfs = [make_pdf(lines(f"Page of {number}")) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert [d.text for d in pool.map(load, pdfs)] == [f"Page of {number}" for number in range(12)]


# ------------------------------------------------------------------------------------------------------ what is told


def test_warnings_and_logs_reach_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match="alpha") as warned, pytest.raises(ValueError, match="alpha") as failed:
        call(functions.warn_and_log, "alpha")
    assert Path(warned[0].filename).name == "isolated_functions.py"
    assert "in warn_and_log" in str(failed.value.__cause__)
    assert [record.getMessage() for record in caplog.records] == ["odd alpha"]


def test_what_a_library_logs_is_not_shown_by_default() -> None:
    code = (
        "from longdoc.loaders.isolated import isolated; import isolated_functions as f\n"
        "isolated(f.log_quietly, 'delta', name='lease.pdf', timeout=None, memory=None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    assert done.stderr == "loud delta\n"


def test_levels_and_filters_are_those_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "longdoc"), warnings.catch_warnings(), pytest.raises(ValueError):
        warnings.simplefilter("ignore")
        call(functions.warn_and_log, "beta")
    assert [record.getMessage() for record in caplog.records] == ["read beta", "odd beta"]
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="gamma"):
        warnings.simplefilter("error")
        call(functions.warn_and_log, "gamma")


def test_a_flood_of_messages_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    call(functions.tell_without_end, 3000)
    assert len(caplog.records) == 1001
    assert caplog.records[-1].getMessage().startswith("2000 more messages")


# ----------------------------------------------------------------------------------------------------------- processes


def python(code: str, **options: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options)


def runs(pid: int) -> bool:
    found = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False).stdout
    return bool(found.strip()) and not found.startswith("Z")


WORKER = "import os, longdoc; longdoc.load(b'x', isolated=True); from longdoc.workers import process; " + (
    "print(*[w._process.pid for w in process._STARTED], flush=True)"
)


@pytest.mark.skipif(sys.platform == "win32", reason="ps")
@pytest.mark.parametrize("end", ["", "; os._exit(3)", "; os.kill(os.getpid(), 9)", "; raise KeyboardInterrupt"])
def test_no_worker_is_left(end: str) -> None:
    with python(WORKER + end, stderr=subprocess.DEVNULL) as parent:
        pid = int(parent.stdout.read())
        parent.wait(PATIENCE)
    deadline = time.time() + PATIENCE
    while runs(pid):
        assert time.time() < deadline
        time.sleep(0.02)


@needs_fork
def test_a_forked_process_has_workers_of_its_own() -> None:
    code = WORKER + (
        "\nif not (child := os.fork()):\n"
        "    assert longdoc.load(b'child', isolated=True).text == 'child'\n"
        "    os.close(1); import time; time.sleep(600)\n"
        "assert longdoc.load(b'parent', isolated=True).text == 'parent'\n"
        "print(child, flush=True)\nos.kill(os.getpid(), 9)"
    )
    with python(code) as parent:
        worker, child = (int(line) for line in parent.stdout.read().split())
    try:
        deadline = time.time() + PATIENCE
        while runs(worker):  # although a child lives that has inherited its pipes
            assert time.time() < deadline
            time.sleep(0.02)
    finally:
        os.kill(child, 9)


@needs_fork
def test_a_fork_waits_for_pdfium() -> None:
    code = (
        "import os, sys, threading, longdoc; sys.path.insert(0, 'tests')\n"
        "from pdfs import lines, make_pdf\n"
        "pdf = make_pdf(*[lines('Hello')] * 40)\n"
        "thread = threading.Thread(target=longdoc.load, args=(pdf,)); longdoc.load(pdf); thread.start()\n"
        "for _ in range(5):\n"
        "    if not (child := os.fork()):\n"
        "        os._exit(not longdoc.load(pdf).text.startswith('Hello'))\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=DATA.parents[1], timeout=PATIENCE, check=False)
    assert done.returncode == 0


def test_the_lock_of_pdfium_is_free_after_an_error() -> None:
    with pytest.raises(LimitExceededError):
        load(make_pdf(lines("Hello")), limits=Limits(characters=1))
    taken: list[bool] = []

    def take() -> None:
        taken.append(PDFIUM_LOCK.acquire(timeout=1))
        if taken[0]:
            PDFIUM_LOCK.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert taken == [True]


def test_the_help_of_commands_has_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("extract", "ask", "show"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        shown = re.sub(r"\s+", " ", capsys.readouterr().out)
        assert f"default: {SECONDS:g}" in shown and f"default: {MEMORY // 10**9}GB" in shown


def test_the_security_page_has_the_defaults() -> None:
    page = (DATA.parents[1] / "SECURITY.md").read_text(encoding="utf-8")
    limits = Limits()
    for value in (
        f"| seconds for loading a document | {SECONDS:g} |",
        f"beyond that of a new worker | {MEMORY // 10**9} GB, on Linux |",
        f"{limits.characters // 10**6} million, {limits.pages:,}, {limits.pixels // 10**6} million, {limits.depth}",
    ):
        assert value in page
    assert limits.file_bytes == limits.unpacked_bytes == 1 << 30 and "1 GiB each" in page
