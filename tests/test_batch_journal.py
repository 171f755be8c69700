"""A run into a folder goes on after a kill at any moment, and its tables are those of an undisturbed run."""

import errno
import json
import logging
import os
import random
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from disk_changes import disturbed_at
from longdoc import durable
from longdoc.batch import journal, parts
from longdoc.batch.inputs import find_inputs, sha256_of
from longdoc.batch.journal import Run
from longdoc.batch.ledger import read_ledger
from longdoc.batch.progress import read_status
from longdoc.batch.status import Status, with_same_as
from longdoc.errors import BatchError, ConfigError
from test_batch_inputs import without_rights

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
TABLES = ("documents", "words")
IN_A_PART = 3


class Lines:
    """Writes each row, an address and a word, as a line."""

    suffix = ".jsonl"

    def write(self, table, rows, stream):
        stream.write("".join(json.dumps(row) + "\n" for row in rows).encode())

    def copy(self, table, source, stream, *, members, without):
        rows = map(json.loads, source.read_text().splitlines())
        self.write(table, [row for row in rows if row[0] not in without], stream)


def opened(out="out", **options):
    return Run.open(out, **{"model": "m1", "settings": {"min_score": 0.5}, "writer": Lines(), **options})


def status_of(each):
    """Documents that say "bad" fail."""
    text = "" if each.problem else Path(each.address).read_text()
    if each.problem or "bad" in text:
        return Status(address=each.address, id="", state="failed", reason="damaged", error="CorruptDocumentError")
    return Status(address=each.address, id=sha256_of(each.address), state="ok", pages=1, tokens=len(text.split()))


def rows_of(statuses):
    words = [[s.address, word] for s in statuses if s.is_owner for word in Path(s.address).read_text().split()]
    return {"documents": [[s.address, s.state] for s in statuses], "words": words}


def read_all(run, inputs, *, pause=0.0, **options):
    pending = run.pending(inputs, **options)
    owners = run.owners()
    for start in range(0, len(pending.to_read), IN_A_PART):
        group = pending.to_read[start : start + IN_A_PART]
        statuses = with_same_as(map(status_of, group), owners)
        run.commit(list(zip(group, statuses, strict=True)), rows_of(statuses))
        time.sleep(pause)
    return pending


def extract(out="out", *, pause=0.0, retry_failed=False, **options):
    with opened(out, **options) as run:
        return read_all(run, find_inputs(["in"]), pause=pause, retry_failed=retry_failed)


def tables(out="out"):
    """The content of all files of tables, by name."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(Path(out).glob("*/part-*"))}


def rows(table, out="out"):
    found = [line for path in sorted(Path(out, table).iterdir()) for line in path.read_text().splitlines()]
    return [(Path(address).name, value) for address, value in map(json.loads, found)]


def documents(out="out"):
    """Address → state, as in the journal."""
    ledger, _ = read_ledger(Path(out, "journal.jsonl"))
    return {address: (entry.status.state, entry.part) for address, entry in ledger.entries.items()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A dozen documents, some of which cannot be read."""
    (tmp_path / "in").mkdir()
    for i in range(13):
        (tmp_path / "in" / f"{i:02}.txt").write_text("bad" if i % 5 == 4 else f"lease number {i}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(folder, name, text):
    path = folder / "in" / name
    path.write_text(text)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))


def test_a_run_writes_parts_and_says_what_is_done(folder):
    pending = extract()
    assert len(pending.to_read) == 13 and pending.n_done == 0
    assert sorted(tables()) == [f"{table}/part-{n:05}.jsonl" for table in TABLES for n in range(5)]
    assert len(rows("documents")) == len(set(rows("documents"))) == 13
    lines = [json.loads(line) for line in (folder / "out" / "journal.jsonl").read_text().splitlines()]
    assert {"address", "id", "state", "part", "size", "modified"} <= set(lines[1])
    manifest = json.loads((folder / "out" / "run.json").read_text())
    assert manifest["model"] == "m1" and manifest["settings"] == {"min_score": 0.5} and manifest["started"]
    assert sorted(path.name for path in Path("out").iterdir() if path.name.startswith(".")) == [".lock"]


def test_a_finished_run_reads_nothing_again(folder):
    extract()
    before = tables()
    pending = extract()
    assert (pending.to_read, pending.n_done, tables()) == ((), 13, before)


def test_a_file_that_was_only_touched_is_known_by_its_content(folder, monkeypatch):
    extract()
    os.utime(folder / "in" / "00.txt", ns=(5, 5))
    assert extract().to_read == ()
    monkeypatch.setattr(journal, "sha256_of", None)  # its new time is known, so its content is not read again
    assert extract().to_read == ()


def test_a_file_without_a_time_is_known_by_its_content(folder):
    (folder / "in" / "00.txt").write_text("lease")
    os.utime(folder / "in" / "00.txt", ns=(0, 0))
    extract()
    (folder / "in" / "00.txt").write_text("leave")
    os.utime(folder / "in" / "00.txt", ns=(0, 0))
    assert len(extract().changed) == 1
    assert extract().to_read == ()


def test_changed_documents_replace_their_rows(folder):
    extract()
    change(folder, "01.txt", "new words")
    change(folder, "12.txt", "longer words than before")
    (folder / "in" / "13.txt").write_text("added")
    pending = extract()
    assert [Path(address).name for address in pending.changed] == ["01.txt", "12.txt"]
    assert [Path(each.address).name for each in pending.to_read] == ["01.txt", "12.txt", "13.txt"]
    assert sorted(name for name, _ in rows("documents")) == [f"{i:02}.txt" for i in range(14)]
    assert [word for name, word in rows("words") if name == "01.txt"] == ["new", "words"]
    assert "documents/part-00000.jsonl" not in tables() and "documents/part-00006.jsonl" in tables()
    assert not [name for name in tables() if name.endswith("part-00004.jsonl")], "all of its documents have changed"
    assert set(documents().values()) >= {("ok", "part-00005"), ("ok", "part-00006")}


def test_removed_documents_are_named_and_keep_their_rows(folder):
    extract()
    before = tables()
    (folder / "in" / "03.txt").unlink()
    pending = extract()
    assert [Path(address).name for address in pending.removed] == ["03.txt"] and pending.to_read == ()
    (folder / "list.txt").write_text("in/03.txt\nin/00.txt\n")
    with opened() as run:
        pending = run.pending(find_inputs(["in"], files_from="list.txt"))
    assert [Path(address).name for address in pending.removed] == ["03.txt"] and pending.to_read == ()
    assert tables() == before


def test_a_missing_file_is_read_when_it_is_there(folder):
    with opened() as run:
        read_all(run, find_inputs(["in/00.txt", "in/late.txt"]))
    assert [each.state for each in read_status("out").failures] == ["failed"]
    with opened() as run:
        assert run.pending(find_inputs(["in/00.txt", "in/late.txt"])).to_read == ()
    (folder / "in" / "late.txt").write_text("here")
    with opened() as run:
        assert len(read_all(run, find_inputs(["in/00.txt", "in/late.txt"])).changed) == 1
    assert rows("documents") == [("late.txt", "ok"), ("00.txt", "ok")]


def test_failed_documents_are_read_again_on_request(folder):
    extract()
    assert extract().to_read == ()
    assert [Path(each.address).name for each in extract(retry_failed=True).to_read] == ["04.txt", "09.txt"]
    assert sorted(name for name, _ in rows("documents")) == [f"{i:02}.txt" for i in range(13)]
    assert len(extract(retry_failed=True).to_read) == 2, "a new run tries them once more"


def test_an_interrupted_retry_does_not_try_again_what_it_has_tried(folder):
    extract()
    with pytest.raises(KeyboardInterrupt), opened() as run:
        first = run.pending(find_inputs(["in"]), retry_failed=True).to_read[0]
        run.commit([(first, status_of(first))], rows_of([status_of(first)]))
        raise KeyboardInterrupt
    assert [Path(each.address).name for each in extract(retry_failed=True).to_read] == ["09.txt"]


# ----------------------------------------------------------------------------------------------------- the same content


@pytest.fixture
def copies(folder):
    """Of seven documents 00, 02 and 05 have the same content, and 04 cannot be read."""
    keep(folder, 7)
    for name in ("02.txt", "05.txt"):
        shutil.copy(folder / "in" / "00.txt", folder / "in" / name)
    return folder


def same_as(out="out"):
    """Name of each document whose rows are those of another → the name of that one."""
    entries = read_ledger(Path(out, "journal.jsonl"))[0].entries.values()
    return {Path(each.status.address).name: Path(own).name for each in entries if (own := each.status.same_as)}


def names(inputs):
    return [Path(each.address).name for each in inputs]


def has_rows_once(out="out"):
    """Whether each content that a document has now is in the table, for one document."""
    said = sorted(word for _, word in rows("words", out))
    texts = {path.read_text() for path in Path("in").iterdir()} - {"bad"}
    return said == sorted(word for text in texts for word in text.split())


def test_owners_are_the_documents_that_have_the_rows(copies):
    extract()
    assert same_as() == {"02.txt": "00.txt", "05.txt": "00.txt"} and has_rows_once()
    assert extract().to_read == ()
    with opened() as run:
        owners = run.owners()
        assert sorted(Path(address).name for address in owners.values()) == ["00.txt", "01.txt", "03.txt", "06.txt"]
        assert all(sha256_of(address) == id for id, address in owners.items())
    change(copies, "00.txt", "new words")
    with opened() as run:
        assert names(run.pending(find_inputs(["in"])).to_read) == ["00.txt", "02.txt", "05.txt"]
        assert sorted(Path(address).name for address in run.owners().values()) == ["01.txt", "03.txt", "06.txt"]
        (group,) = (each for each in find_inputs(["in/00.txt"]))
        run.commit([(group, status_of(group))], rows_of([status_of(group)]))
        assert sha256_of("in/00.txt") in run.owners()


@pytest.mark.parametrize("text", ["new words", "bad", None])
def test_documents_whose_rows_leave_with_another_one_are_read_again(copies, text):
    extract()
    if text is None:
        (copies / "out" / "words" / "part-00000.jsonl").unlink()
    else:
        change(copies, "00.txt", text)
    pending = extract()
    assert names(pending.to_read) == (
        ["00.txt", "01.txt", "02.txt", "05.txt"] if text is None else ["00.txt", "02.txt", "05.txt"]
    )
    assert [Path(address).name for address in pending.changed] == ([] if text is None else ["00.txt"])
    assert pending.n_done == 7 - len(pending.to_read)
    assert has_rows_once() and extract().to_read == ()
    assert same_as() == ({"02.txt": "00.txt", "05.txt": "00.txt"} if text is None else {"05.txt": "02.txt"})


def test_a_copy_that_changes_leaves_the_rows(copies):
    extract()
    change(copies, "02.txt", "new words")
    assert names(extract().to_read) == ["02.txt"]
    assert has_rows_once() and same_as() == {"05.txt": "00.txt"}


def test_a_copy_that_is_gone_when_its_rows_leave_is_said_to_be_missing(copies):
    extract()
    change(copies, "00.txt", "new words")
    (copies / "in" / "02.txt").unlink()
    gone = [each for each in find_inputs(["in", "in/02.txt"]) if each.problem]
    with opened() as run:
        pending = read_all(run, sorted([*gone, *find_inputs(["in"])], key=lambda each: each.address))
    assert names(pending.to_read) == ["00.txt", "02.txt", "05.txt"] and pending.removed == ()
    assert has_rows_once() and documents()[gone[0].address][0] == "failed" and same_as() == {}


def test_a_copy_that_is_no_input_has_no_rows_until_it_is_given_again(copies, caplog):
    extract()
    change(copies, "00.txt", "new words")
    few = ["in/00.txt", "in/01.txt"]
    with caplog.at_level(logging.WARNING), opened() as run:
        assert names(read_all(run, find_inputs(few)).to_read) == ["00.txt"]
    assert "2 documents, such as" in caplog.text and "02.txt, shared the rows of one that has changed" in caplog.text
    assert names(extract().to_read) == ["02.txt", "05.txt"]
    assert has_rows_once() and extract().to_read == ()


def test_killed_while_the_rows_of_copies_leave_it_gives_the_tables_of_an_undisturbed_run(copies):
    extract("first")
    change(copies, "00.txt", "new words")
    change(copies, "01.txt", "more new words")
    shutil.copytree("first", "undisturbed")
    assert names(extract("undisturbed").to_read) == ["00.txt", "01.txt", "02.txt", "05.txt"], "in two commits"
    assert has_rows_once("undisturbed")
    assert kill_at_each_step("out", extract, lambda: shutil.copytree("first", "out"), every=1) > 20
    assert same_as() == same_as("undisturbed") == {"05.txt": "02.txt"}


def test_journals_of_before_are_read(folder):
    extract("undisturbed")
    extract()
    path = folder / "out" / "journal.jsonl"
    path.write_text(path.read_text().replace(', "same_as": ""', ""))
    assert "same_as" not in path.read_text() and extract().to_read == ()
    assert is_as_undisturbed("out")


# ---------------------------------------------------------------------------------------------------------------- kills


@contextmanager
def forked(function):
    """A process that runs a function."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def timed(function):
    start = time.monotonic()
    function()
    return time.monotonic() - start


def is_as_undisturbed(out):
    return tables(out) == tables("undisturbed") and documents(out) == documents("undisturbed")


def test_killed_at_random_moments_it_gives_the_tables_of_an_undisturbed_run(folder):
    seconds = timed(lambda: extract("undisturbed", pause=0.01))
    moments = random.Random(17)
    for _ in range(10):
        with forked(lambda: extract(pause=0.01)):
            time.sleep(moments.uniform(0, 0.6 * seconds))
    extract()
    assert is_as_undisturbed("out")


def kill_at(step):
    """Makes this process kill itself at the n-th change of the disk, before or in the middle of it."""
    dying, _ = disturbed_at(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
    write, fsync, unlink, replace = os.write, os.fsync, Path.unlink, Path.replace
    os.write = dying(write, lambda file, data: write(file, data[: len(data) // 2]))
    os.fsync, Path.unlink, Path.replace = dying(fsync), dying(unlink), dying(replace)
    parts.write_through = dying(durable.write_through, lambda path, data: path.write_bytes(data[: len(data) // 2]))


def n_ends(out):
    path = Path(out, "journal.jsonl")
    return path.read_text().count('{"end"') if path.exists() else 0


def kill_at_each_step(out, function, prepare, every):
    """Kills a process at each step of a function, each time from the start, and finishes it; returns the last step."""
    step = 1
    while True:
        shutil.rmtree(out, ignore_errors=True)
        prepare()
        before = n_ends(out)

        def run(step=step):
            kill_at(step)
            function()

        with forked(run) as pid:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        if ended.si_code == os.CLD_EXITED:
            assert ended.si_status == 0
            return step
        if n_ends(out) <= before:  # otherwise it was killed when all was done
            function()
        assert is_as_undisturbed(out), f"killed at step {step}"
        step += every


def keep(folder, number):
    for path in sorted((folder / "in").iterdir())[number:]:
        path.unlink()


def test_killed_at_any_step_it_gives_the_tables_of_an_undisturbed_run(folder):
    keep(folder, 5)
    extract("undisturbed")
    assert kill_at_each_step("out", extract, lambda: None, every=1) > 20


def test_killed_while_it_replaces_rows_it_gives_the_tables_of_an_undisturbed_run(folder):
    keep(folder, 6)
    extract("first")
    change(folder, "01.txt", "new words")
    change(folder, "02.txt", "bad")
    shutil.copytree("first", "undisturbed")
    extract("undisturbed", retry_failed=True)
    assert sorted(name for name, _ in rows("documents", "undisturbed")) == [f"{i:02}.txt" for i in range(6)]
    assert [name for name in tables("undisturbed") if "words" in name] == [
        f"words/part-0000{i}.jsonl" for i in (2, 3, 4)
    ]

    def again():
        extract(retry_failed=True)

    assert kill_at_each_step("out", again, lambda: shutil.copytree("first", "out"), every=1) > 20


def test_killed_while_it_is_overwritten_no_old_line_stays(folder):
    keep(folder, 2)
    extract("first")
    extract("undisturbed", model="m2")
    other = {"model": "m2", "overwrite": True}
    assert kill_at_each_step("out", lambda: extract(**other), lambda: shutil.copytree("first", "out"), every=1) > 10


@pytest.mark.parametrize("cut", [1, 30, 200, 1000])
def test_lines_that_were_cut_short_are_dropped(folder, cut):
    extract("undisturbed")
    extract()
    path = folder / "out" / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert sum(read_status("out").counts.values()) <= 13
    extract()
    assert is_as_undisturbed("out")
    assert read_status("out").has_ended


def test_a_line_that_is_damaged_in_the_midst_is_named(folder):
    extract()
    path = folder / "out" / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (b"{torn\n", b"[]\n", b'{"address": "x"}\n'):
        path.write_bytes(b"".join([lines[0], damaged, *lines[2:]]))
        for use in (opened, lambda: read_status("out")):
            with pytest.raises(BatchError, match=r"journal.jsonl, .*: the journal is damaged; restore it"):
                use()
    extract(overwrite=True)
    assert len(rows("documents")) == 13


def test_the_documents_of_a_lost_file_are_read_again(folder, caplog):
    extract("undisturbed")
    extract()
    (folder / "out" / "words" / "part-00001.jsonl").unlink()
    with caplog.at_level(logging.WARNING):
        assert len(extract().to_read) == 3
    assert "part-00001.jsonl is missing; 3 documents of part-00001 read again" in caplog.text
    assert sorted(rows("words")) == sorted(rows("words", "undisturbed"))
    assert extract().to_read == ()


def test_other_files_in_the_folder_are_left_alone(folder):
    extract()
    for name in ("notes.txt", "words/part-00000.csv", "words/notes.jsonl", "mine/part-x.jsonl"):
        (folder / "out" / name).parent.mkdir(exist_ok=True)
        (folder / "out" / name).touch()
    before = sorted(Path("out").rglob("*.*"))
    extract()
    assert sorted(Path("out").rglob("*.*")) == before


def test_a_run_that_replaces_one_of_another_format_removes_its_files(folder):
    class Commas(Lines):
        suffix = ".csv"

    extract()
    Path("out/words/notes.jsonl").touch()
    extract(writer=Commas(), overwrite=True)
    assert {path.suffix for path in Path("out").glob("*/part-*")} == {".csv"} and Path("out/words/notes.jsonl").exists()


# ------------------------------------------------------------------------------------------------------------- refusals


def test_a_run_with_other_settings_is_refused_with_the_difference(folder):
    settings = {"min_score": 0.5, "schema": {"name": "contract", "fields": ["term"]}}
    extract(settings=settings)
    before = tables()
    other = {"min_score": 0.7, "schema": {"name": "contract", "fields": ["term"]}, "tasks": ("ner",)}
    with pytest.raises(ConfigError) as caught:
        opened(settings=other, model="m2")
    differences = 'model was "m1", is now "m2"; settings.min_score was 0.5, is now 0.7; settings.tasks was not set, is'
    assert differences in str(caught.value)
    assert "Give another folder, or replace them with --overwrite" in str(caught.value)
    assert tables() == before
    assert len(extract(settings=other, model="m2", overwrite=True).to_read) == 13
    assert extract(settings=other, model="m2").to_read == ()


@pytest.mark.parametrize("version", ["0.1.0", "0.1.1", "0.1.2.dev3", "0.1rc1"])
def test_a_version_that_only_mends_goes_on(folder, monkeypatch, version):
    extract()
    monkeypatch.setattr("longdoc.batch.manifest.__version__", version)
    assert extract().to_read == ()


def test_a_folder_of_another_layout_or_version(folder, monkeypatch):
    extract()
    for version in ("9.0", "0.10.0", "0.2.0.dev1", "1.1.0"):
        monkeypatch.setattr("longdoc.batch.manifest.__version__", version)
        with pytest.raises(ConfigError, match=f'longdoc was "0.1.0", is now "{version}". Give another folder, or repl'):
            opened()
    assert len(extract(overwrite=True).to_read) == 13
    monkeypatch.setattr("longdoc.batch.manifest.FORMAT", 2)
    with pytest.raises(ConfigError, match="format was 1, is now 2"):
        opened()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "1"])
def test_a_damaged_manifest_is_refused(folder, text):
    extract()
    (folder / "out" / "run.json").write_text(text)
    for use in (opened, lambda: read_status("out")):
        with pytest.raises(ConfigError, match=r"run.json: is damaged; start over with .*, and --overwrite"):
            use()
    extract(overwrite=True)


def test_folders_that_are_not_for_a_run_are_refused(folder):
    (folder / "file").write_text("mine")
    with pytest.raises(ConfigError, match="file: is a file; give a folder"):
        opened("file")
    with pytest.raises(ConfigError, match=r"within: cannot be written \(Not a directory\)"):
        opened("file/within")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="in: holds other files, and no results of an earlier run; give a new"):
            opened("in", overwrite=overwrite)
    assert not list(Path("in").glob(".*")) and len(list(Path("in").iterdir())) == 13
    (folder / "hidden").mkdir()
    (folder / "hidden" / ".DS_Store").touch()
    extract("hidden")
    with pytest.raises(ConfigError, match="in: holds no results of `longdoc extract`"):
        read_status("in")


def test_two_runs_into_one_folder(folder):
    with opened() as run:
        run.pending(find_inputs(["in"]))
        with pytest.raises(
            BatchError, match=rf"out: another run \(process {os.getpid()} on .*, since .*\) writes there"
        ):
            opened()
        assert read_status("out").is_running
    assert not read_status("out").is_running
    extract()


def test_the_lock_of_a_killed_run_is_gone_although_its_worker_lives(folder):
    reading, writing = os.pipe()

    def run_with_worker():
        with opened():
            worker = os.fork()
            if not worker:
                time.sleep(60)
            os.write(writing, str(worker).encode())
            time.sleep(60)

    with forked(run_with_worker):
        worker = int(os.read(reading, 20))
        with pytest.raises(BatchError, match="another run"):
            opened()
    try:
        extract()
    finally:
        os.kill(worker, signal.SIGKILL)
        os.close(reading)
        os.close(writing)


def test_a_look_at_the_status_stops_no_run(folder):
    extract()
    with forked(lambda: [read_status("out") for _ in range(100_000)]):
        time.sleep(0.05)
        for _ in range(20):
            opened().__exit__(None, None, None)


def test_a_folder_that_cannot_be_written(folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(journal, "Lock", refuse)
    with pytest.raises(ConfigError, match=r"out: cannot be written \(Read-only file system\); give another folder"):
        opened()


def test_a_folder_of_someone_else():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        for out in (name, f"{name}/new"):
            message = without_rights(lambda out=out: opened(out))
            assert message == f"ConfigError: {out}: cannot be written (Permission denied); give another folder"


# ----------------------------------------------------------------------------------------------------------- full disks


def failing(function, number, at):
    """The function, which fails at the given call."""
    count = [0]

    def call(*arguments):
        count[0] += 1
        if count[0] == at:
            raise OSError(number, os.strerror(number))
        return function(*arguments)

    return call


@pytest.mark.parametrize("at", [1, 2, 5, 6])
def test_a_full_disk_loses_nothing(folder, monkeypatch, at):
    extract("undisturbed")
    with monkeypatch.context() as patch:
        patch.setattr(parts, "write_through", failing(durable.write_through, errno.ENOSPC, at))
        with pytest.raises(BatchError) as caught:
            extract()
    assert f"out: the disk is full: part-0000{(at - 1) // 2} needs 0.0 MB, and " in str(caught.value)
    assert f"then run the same command again: it goes on, and the {(at - 1) // 2 * 3} documents" in str(caught.value)
    assert not (folder / "out" / ".pending").exists(), "it needs room"
    status = read_status("out")
    assert (status.n_left, status.has_ended, status.is_running) == (13 - (at - 1) // 2 * 3, False, False)
    extract()
    assert is_as_undisturbed("out")


@pytest.mark.parametrize("place", ["journal", "rename", "flush", "remove"])
def test_a_disk_that_fails_elsewhere_loses_nothing(folder, monkeypatch, place):
    extract("undisturbed")
    extract()
    change(folder, "01.txt", "new words")
    extract("undisturbed")
    with monkeypatch.context() as patch:
        if place == "journal":
            write = os.write
            patch.setattr(os, "write", lambda file, data: write(file, data[:50]) if len(data) > 400 else fail())
        elif place == "rename":
            patch.setattr(Path, "replace", failing(Path.replace, errno.EIO, 2))
        elif place == "flush":
            patch.setattr(parts, "flush", failing(durable.flush, errno.EIO, 1))
        else:
            patch.setattr(Path, "unlink", failing(Path.unlink, errno.EIO, 1))

        def fail():
            raise OSError(errno.ENOSPC, "full")

        with pytest.raises(BatchError, match=r"out: (the disk is full|.* cannot be written)"):
            extract()
    extract()
    assert is_as_undisturbed("out")


def test_a_disk_that_is_full_at_the_start(folder, monkeypatch):
    monkeypatch.setattr(durable.os, "fsync", failing(os.fsync, errno.ENOSPC, 1))
    with pytest.raises(BatchError, match="out: the disk is full; free some space and try again"):
        opened()
    extract()


# --------------------------------------------------------------------------------------------------------------- status


def test_the_status_of_an_interrupted_run(folder):
    with pytest.raises(KeyboardInterrupt), opened() as run:
        group = run.pending(find_inputs(["in"])).to_read[:5]
        run.commit([(each, status_of(each)) for each in group], rows_of(map(status_of, group)) | {"words": []})
        going_on = read_status("out")
        raise KeyboardInterrupt
    status = read_status("out")
    assert going_on.is_running and not status.is_running and not status.has_ended
    assert (status.n_inputs, status.n_left, status.pages, status.tokens) == (13, 8, 4, 12)
    assert status.counts == {"ok": 4, "partial": 0, "failed": 1, "timed out": 0, "out of memory": 0, "crashed": 0}
    assert [(Path(each.address).name, each.reason, each.error) for each in status.failures] == [
        ("04.txt", "damaged", "CorruptDocumentError")
    ]


def test_names_that_are_not_utf_8_are_known_again(folder):
    try:
        Path(os.fsdecode(b"in/caf\xe9.txt")).write_text("Lease")
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    extract()
    assert extract().to_read == ()
    assert sum(os.fsencode(address).endswith(b"caf\xe9.txt") for address in documents()) == 1
