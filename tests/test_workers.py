"""Worker processes: what kills one costs one input, and none outlives its run."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer

import pytest
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

import isolated_functions as functions
from longdoc.errors import ConfigError, RemoteError, WorkerError
from longdoc.loaders.isolated import end_workers
from longdoc.workers import Limits, Lost, Outcome, Raised, Workers
from longdoc.workers.process import WorkerProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory, /proc")
PATIENCE = 60.0  # seconds; a bound on hangs, not a measurement
MB = 1 << 20
Order = tuple[str, object]


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


@pytest.fixture(autouse=True, scope="module")
def _no_workers_of_other_tests() -> None:
    end_workers()


def children() -> set[int]:
    """The processes that this one has started, running or not reaped."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in found.splitlines())
    return {int(row[0]) for row in rows if int(row[1]) == os.getpid() and not row[2].startswith("ps ")}


def runs(pid: int) -> bool:
    command = ["ps", "-p", str(pid), "-o", "stat="]  # its code is 1 if there is no such process
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return bool(found) and not found.startswith("Z")  # an orphan is reaped by the system


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def outcomes(*orders: Order, count: int = 1, limits: Limits | None = None) -> list[Outcome]:
    with Workers(functions.act, count, limits or Limits()) as workers:
        return list(workers.run(orders, ordered=True))


def result(*orders: Order, limits: Limits | None = None) -> object:
    """The result of the last of some inputs, each read by the same worker if it lives."""
    return outcomes(*orders, limits=limits)[-1].result


# -------------------------------------------------------------------------------------------------------------- results


def test_many_small_inputs_each_come_back_once_and_workers_are_recycled() -> None:
    with Workers(functions.act, 2, Limits(recycle=500)) as workers:
        found = list(workers.run(("pid" if i % 100 == 0 else "same", i) for i in range(2000)))
    assert sorted(outcome.input[1] for outcome in found) == list(range(2000))
    assert all(outcome.result == outcome.input[1] for outcome in found if outcome.input[0] == "same")
    assert {outcome.attempts for outcome in found} == {1}
    assert len({outcome.result for outcome in found if outcome.input[0] == "pid"}) >= 4


def test_outcomes_come_as_they_finish_or_in_order(tmp_path: Path) -> None:
    def orders(note: Path) -> list[Order]:
        return [("await_file", str(note)), ("same", "first"), ("touch", str(note))]

    with Workers(functions.act, 2) as workers:
        found = [outcome.result for outcome in workers.run(orders(tmp_path / "1"))]
        assert found[0] == "first" and sorted(found[1:]) == ["awaited", "touched"]
        found = [outcome.result for outcome in workers.run(orders(tmp_path / "2"), ordered=True)]
        assert found == ["awaited", "first", "touched"]


def test_large_inputs_and_results_pass() -> None:
    small, large = outcomes(("large", 100 * MB), ("same", b"y" * (30 * MB)))
    assert isinstance(small.result, bytes) and len(small.result) == 100 * MB
    assert large.result == b"y" * (30 * MB)


@pytest.mark.parametrize("ordered", [False, True])
def test_inputs_are_taken_when_there_is_room(ordered: bool) -> None:
    taken = 0

    def inputs() -> Iterator[Order]:
        nonlocal taken
        for taken in range(1, 41):
            yield "same", taken

    with Workers(functions.act, 2, ahead=3) as workers:
        given = 0
        for given, _ in enumerate(workers.run(inputs(), ordered=ordered), 1):
            assert taken - given < 2 + 3
            if given == 1:
                time.sleep(0.3)
                assert taken <= 5
        assert given == 40


def test_workers_go_on_while_the_caller_is_busy(tmp_path: Path) -> None:
    paths = [tmp_path / str(i) for i in range(4)]
    with Workers(functions.crash_once, 1, Limits(attempts=1), ahead=3) as workers:
        run = workers.run([str(path) for path in paths])
        next(run)
        wait_until(lambda: all(path.exists() for path in paths))  # not asked for yet
        assert len(list(run)) == 3


def test_an_error_of_the_inputs_is_raised() -> None:
    def inputs() -> Iterator[Order]:
        yield "same", 1
        raise OSError("listing failed")

    with Workers(functions.act, 1) as workers, pytest.raises(OSError, match="listing failed"):
        list(workers.run(inputs()))


def test_what_a_worker_prints_or_reads_stays_away_from_the_pipes(capfd: pytest.CaptureFixture[str]) -> None:
    assert result(("talk", "spoken")) == ""
    out, err = capfd.readouterr()
    assert out == "" and err.count("spoken") == 3


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "print('started')\nfrom longdoc.workers import Workers\n"
        "with Workers(len, 2) as workers:\n    print(sorted(o.result for o in workers.run(['a', 'bcd'])))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert (done.stdout, done.stderr) == ("started\n[1, 3]\n", "")


# --------------------------------------------------------------------------------------------------------------- errors


def test_errors_come_back_and_are_not_tried_again() -> None:
    found = outcomes(("fail", "bad"), ("fail_unpicklably", "bad"), ("leave", 3), ("same", 4), ("pid", 0), ("pid", 0))
    raised, stand_in, left, after, *pids = (outcome.result for outcome in found)
    assert isinstance(raised, Raised) and type(raised.error) is ValueError and str(raised.error) == "bad"
    assert "in fail" in raised.traceback
    assert isinstance(stand_in, Raised) and isinstance(stand_in.error, RemoteError)
    assert stand_in.error.name == "UnpicklableError"
    assert str(stand_in.error) == "isolated_functions.UnpicklableError: bad and more"
    assert isinstance(left, Raised) and type(left.error) is SystemExit
    assert after == 4 and pids[0] == pids[1]
    assert {outcome.attempts for outcome in found} == {1}


def test_what_cannot_be_pickled_costs_its_input() -> None:
    found = outcomes(("same", lambda: 1), ("return_a_function", 1), ("return_the_unreadable", 1), ("same", 4))
    given, returned, unreadable, after = (outcome.result for outcome in found)
    assert isinstance(given, Raised) and isinstance(returned, Raised)
    assert isinstance(unreadable, Raised) and "cannot be unpickled: ValueError" in str(unreadable.error)
    assert after == 4


def test_a_stand_in_can_itself_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(RemoteError("OddError", "odd: text")))
    assert (copy.name, str(copy)) == ("OddError", "odd: text")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"seconds": 0}, "seconds"),
        ({"seconds": float("inf")}, "seconds"),
        ({"memory": 0}, "memory"),
        ({"attempts": 0}, "attempts"),
        ({"recycle": 0.5}, "recycle"),
        ({"start_seconds": -1}, "start_seconds"),
    ],
)
def test_limits_out_of_range(keywords: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message} must be"):
        Limits(**keywords)


def test_workers_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="count"):
        Workers(functions.act, 0)
    with pytest.raises(ConfigError, match="stand in a module"):
        Workers(lambda order: order, 1)


# --------------------------------------------------------------------------------------------------------------- deaths


def test_an_input_that_kills_its_worker_costs_only_itself() -> None:
    deaths = {
        ("segfault", 0): "killed by signal 11 (SIGSEGV)",
        ("exit_now", 0): "exited with code 0",
        ("exit_now", 7): "exited with code 7",
        ("shoot", signal.SIGKILL): "killed by signal 9 (SIGKILL), as the system does if memory runs out",
    }
    orders = [order for death in deaths for order in (death, ("same", 1))]
    found = outcomes(*orders, limits=Limits(attempts=1))
    assert [outcome.result for outcome in found[::2]] == [Lost("crashed", reason) for reason in deaths.values()]
    assert {outcome.result for outcome in found[1::2]} == {1}
    assert {outcome.attempts for outcome in found} == {1}


def test_an_input_that_kills_its_worker_is_tried_again() -> None:
    lost, after = outcomes(("exit_now", 7), ("same", 1), limits=Limits(attempts=3))
    assert (lost.result, lost.attempts) == (Lost("crashed", "exited with code 7"), 3)
    assert (after.result, after.attempts) == (1, 1)


def test_a_worker_that_dies_once_is_forgiven(tmp_path: Path) -> None:
    orders = [("crash_once", str(tmp_path / "first")), ("die_after_the_answer", 1), ("nap", 0.3), ("same", 2)]
    once, *others = outcomes(*orders)
    assert (once.result, once.attempts) == ("survived", 2)
    assert [outcome.result for outcome in others] == [1, 0.3, 2]


def test_a_worker_that_dies_between_inputs_costs_none() -> None:
    def inputs() -> Iterator[Order]:
        yield "die_after_the_answer", 1
        time.sleep(1.0)
        yield "same", 2

    with Workers(functions.act, 1) as workers:
        assert [(outcome.result, outcome.attempts) for outcome in workers.run(inputs())] == [(1, 1), (2, 1)]


def test_a_forked_child_neither_holds_the_parent_nor_answers(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    lost, forked, after = outcomes(
        ("die_beside_a_child", str(note)), ("fork_and_return", 2), ("same", 3), limits=Limits(attempts=1)
    )
    assert (lost.result, forked.result, after.result) == (Lost("crashed", "exited with code 5"), 2, 3)
    wait_until(lambda: not runs(int(note.read_text())))


def test_an_input_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    stuck, after = outcomes(("hold_the_interpreter", str(note)), ("same", 2), limits=Limits(seconds=3))
    assert stuck.result == Lost("timed out", "took longer than 3 s") and stuck.attempts == 1
    assert after.result == 2
    wait_until(lambda: not any(runs(int(pid)) for pid in note.read_text().split()))


@needs_linux
@pytest.mark.parametrize("name", ["allocate", "allocate_behind_an_error"])
def test_an_input_that_eats_memory(name: str) -> None:
    fits, lost, after = outcomes(("allocate", 50 * MB), (name, 900 * MB), ("same", 3), limits=Limits(memory=200 * MB))
    assert fits.result == 50 * MB and after.result == 3
    assert isinstance(lost.result, Lost) and lost.result.state == "out of memory"
    assert lost.result.reason.startswith("needed more than 210 MB of memory (")


@needs_linux
def test_a_leak_of_earlier_inputs_is_not_held_against_a_later_one() -> None:
    found = outcomes(*[("keep", 60 * MB)] * 6, limits=Limits(memory=200 * MB))
    assert all(isinstance(outcome.result, int) for outcome in found)
    assert {outcome.attempts for outcome in found} == {1, 2}


def test_memory_can_run_out_without_a_limit() -> None:
    lost = result(("ask_for_the_impossible", 0))
    assert lost == Lost("out of memory", "MemoryError")


# ---------------------------------------------------------------------------------------------------------------- start


@pytest.mark.parametrize(
    ("initializer", "seconds", "reason"),
    [
        (functions.fail_to_start, 60, "RuntimeError: no model"),
        (functions.die_at_start, 60, "exited with code 9"),
        (functions.sleep_at_start, 1, "took longer than 1 s"),
    ],
)
def test_workers_that_cannot_start_end_the_run(initializer: Callable[[], None], seconds: float, reason: str) -> None:
    with Workers(functions.act, 2, Limits(start_seconds=seconds), initializer=initializer) as workers:
        message = f"before they are ready, 3 times in a row: {reason}"
        with pytest.raises(WorkerError, match=message):
            list(workers.run([("same", i) for i in range(9)]))


def test_what_an_initializer_refuses_is_raised_at_once() -> None:
    with Workers(functions.act, 2, initializer=functions.refuse_to_start) as workers:
        with pytest.raises(ConfigError, match="no such model"):
            list(workers.run([("same", i) for i in range(9)]))
        with pytest.raises(ConfigError, match="no such model"):
            workers.call(("same", 1))


def test_an_initializer_may_be_a_method_of_the_function_and_is_charged_to_no_input() -> None:
    function = functions.Prepared()
    with Workers(function, 1, Limits(seconds=1.0, attempts=1), initializer=function.prepare) as workers:
        found = [outcome.result for outcome in workers.run([0, None, 1], ordered=True)]
    assert (found[0], found[2]) == (["prepared", 0], ["prepared", 1])
    assert isinstance(found[1], Lost) and found[1].state == "crashed"


def test_a_function_that_cannot_be_imported_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vanishing.py").write_text("def function(value): return value\n")
    monkeypatch.syspath_prepend(tmp_path)
    import vanishing

    workers = Workers(vanishing.function, 1)
    (tmp_path / "vanishing.py").unlink()
    with workers, pytest.raises(WorkerError, match=r"No module named 'vanishing'\. The function and .* must come from"):
        list(workers.run([1]))


# ------------------------------------------------------------------------------------------------------------------ end


def test_no_process_is_left_when_a_run_is_left_early() -> None:
    run = Workers(functions.act, 2).run([("same", 1), *[("nap", 600)] * 5])
    next(run)
    assert children()
    run.close()  # also what an iterator that nobody refers to does
    assert not children()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_no_process_is_left_by_an_error(error: type[BaseException]) -> None:
    workers = Workers(functions.act, 2)
    run = workers.run([("same", 1), *[("nap", 600)] * 5])
    with pytest.raises(error), workers:
        next(run)
        raise error
    assert not children()
    with pytest.raises(RuntimeError, match="closed"):
        list(run)


def test_one_run_at_a_time() -> None:
    with Workers(functions.act, 1) as workers:
        first = workers.run([("same", 1), ("same", 2)])
        next(first)
        with pytest.raises(RuntimeError, match="another run"):
            next(workers.run([("same", 3)]))
        assert next(first).result == 2


def test_a_worker_is_not_interrupted_and_its_parent_is(tmp_path: Path) -> None:
    code = f"import isolated_functions as f; f.run_beyond({str(tmp_path)!r})"
    with start(code) as parent:
        workers = started(tmp_path)
        parent.send_signal(signal.SIGINT)
        _, err = parent.communicate(timeout=PATIENCE)
    assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: not any(map(runs, workers)))


def test_no_process_is_left_when_the_parent_is_killed_and_no_file_when_another_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "longdoc-worker-file").touch()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with start(f"import isolated_functions as f; f.run_beyond({str(tmp_path)!r})") as parent:
        workers = started(tmp_path)
        assert all(map(runs, workers))
        left = {folder for folder in scratch.iterdir() if folder.is_dir()}
        assert len(left) == 2 and all(len([*folder.iterdir()]) == 1 for folder in left)
        assert result(("same", 1)) == 1 and left < {*scratch.iterdir()}, "they are in use"
        parent.kill()
        parent.communicate(timeout=PATIENCE)
    wait_until(lambda: not any(map(runs, workers)))
    assert result(("same", 1)) == 1 and [each.name for each in scratch.iterdir()] == ["longdoc-worker-file"]


def test_temporary_files_of_a_worker_that_is_killed_are_removed(tmp_path: Path) -> None:
    note = tmp_path / "files"
    assert isinstance(result(("leave_files", str(note)), limits=Limits(attempts=1)), Lost)
    left = [Path(line) for line in note.read_text().split()]
    assert len({file.parent for file in left}) == 1 and left[0].parent.parent == Path(tempfile.gettempdir())
    assert len(left) == 2 and not left[0].parent.exists()


def open_files() -> dict[str, str]:
    return {path.name: str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()}


@needs_linux
def test_a_worker_that_is_interrupted_while_it_starts_leaves_nothing(monkeypatch, tmp_path: Path) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("longdoc.workers.folder._remove_abandoned", interrupted)
    before = open_files()
    with pytest.raises(KeyboardInterrupt):
        WorkerProcess()
    assert open_files() == before and not [*tmp_path.iterdir()]


def test_without_a_place_for_temporary_files_workers_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert result(("same", 1)) == 1


def test_without_help_of_the_kernel_a_worker_notices_the_end_of_its_parent() -> None:
    folder = str(Path(functions.__file__).parent)
    code = f"import sys; sys.path.insert(0, {folder!r}); from longdoc.workers.worker import main; main(None)"
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, start_new_session=True)
    with worker:
        message = pickle.dumps((functions.nap, functions.sleep_at_start, None))
        worker.stdin.write(len(message).to_bytes(8, "big") + message)
        worker.stdin.close()
        assert worker.wait(PATIENCE) == -signal.SIGKILL


@contextmanager
def start(code: str) -> Iterator[subprocess.Popen[str]]:
    """A parent of workers, which can be interrupted: a job in the background inherits that SIGINT is ignored."""
    folder = str(Path(functions.__file__).parent)
    can_be_interrupted = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{can_be_interrupted}; import sys; sys.path.insert(0, {folder!r}); {code}"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as parent:
        try:
            yield parent
        finally:
            parent.kill()


def started(folder: Path) -> list[int]:
    """The workers of :func:`isolated_functions.run_beyond` and the programs they have started, when all run."""
    notes = [folder / "0", folder / "1"]
    wait_until(lambda: all(note.exists() for note in notes))
    return [int(pid) for note in notes for pid in note.read_text().split()]


def test_caches_of_libraries_are_bounded_and_stay_unless_the_caller_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MALLOC_ARENA_MAX", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "TORCHINDUCTOR_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    names = ["MALLOC_ARENA_MAX", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", "TORCHINDUCTOR_CACHE_DIR"]
    with Workers(os.getenv, 1) as workers:
        found = [each.result for each in workers.run(names, ordered=True)]
    assert found == ["1", "128", "7", default_cache_dir()], "not in the folder that goes with the worker"


def test_a_worker_that_the_system_does_not_start_is_an_error_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("longdoc.workers.crew.WorkerProcess", refuse)
    with Workers(len, 1) as workers, pytest.raises(WorkerError, match=r"cannot start \(Too many open files"):
        list(workers.run(["x"]))
    with Workers(len, 1) as workers, pytest.raises(WorkerError, match="open files"):
        workers.call("x")


def test_calls_that_wait_for_a_worker_end_when_the_workers_are_closed(tmp_path: Path) -> None:
    found: list[object] = []

    def call(order: Order) -> None:
        try:
            found.append(workers.call(order).result)
        except WorkerError as error:
            found.append(str(error))

    with Workers(functions.act, 1) as workers:
        threads = [Thread(target=call, args=[("touch_and_nap", str(tmp_path / "begun"))])]
        threads[0].start()
        wait_until((tmp_path / "begun").exists)
        threads += [Thread(target=call, args=[("same", number)]) for number in range(3)]
        for thread in threads[1:]:
            thread.start()
        wait_until(lambda: all(_waits(thread) for thread in threads[1:]))
        workers.close()
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)
        assert len(found) == 4 and all("were closed before they had an answer" in str(each) for each in found)
        assert workers.call(("same", 7)).result == 7, "a later call starts workers again"


def _waits(thread: Thread) -> bool:
    """Whether a thread waits for a semaphore."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_name == "wait"


def test_a_record_that_cannot_be_sent_is_told_by_its_message(caplog: pytest.LogCaptureFixture) -> None:
    with Workers(functions.act, 1) as workers:
        answers = [workers.call(("log_with", kind)) for kind in ("unpicklable", "unreadable", "changing", "plain")]
        assert len({answer.result for answer in answers}) == 1, "the worker stays"
    told = [(each.getMessage(), each.levelname, each.name, each.funcName) for each in caplog.records]
    assert told == [
        (f"odd {kind}", "WARNING", "reader", "log_with") for kind in ("unpicklable", "unreadable", "changing", "plain")
    ]
    assert [getattr(each, "page", None) for each in caplog.records] == [3, 3, 3, 3]


def test_an_answer_at_the_limit_costs_no_other_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class AtTheLastMoment(Timer):
        def start(self) -> None:
            """Nothing: it fires when the answer has arrived."""

        def cancel(self) -> None:
            if self.interval == 7.0:
                self.function()
            super().cancel()

    monkeypatch.setattr("longdoc.workers.process.Timer", AtTheLastMoment)
    with Workers(len, 1) as workers:
        late = workers.call("x", Limits(seconds=7.0)).result
        assert isinstance(late, Lost) and late.state == "timed out"
        assert workers.call("xyz", Limits(seconds=60.0)).result == 3
