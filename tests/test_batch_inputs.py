"""The documents of a batch: each file once, whatever leads to it, and every one that cannot be read is named."""

import io
import logging
import os
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest

from longdoc.batch.inputs import Input, files_of, find_inputs, look, open_input, sha256_of
from longdoc.errors import ConfigError, DocumentNotFoundError, MissingDependencyError
from longdoc.loaders.detect import FORMATS, SUFFIXES
from longdoc.summary import shown

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Leases, a note, and files that are no documents."""
    for name in ("b.txt", "a.PDF", "more/c.html", "more/2024/d.txt", ".hidden.txt", ".git/e.txt", "photo.xyz", "LEASE"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(inputs, root="in"):
    return [Path(each.address).relative_to(Path(root).absolute()).as_posix() for each in inputs]


def read(address):
    with open_input(address) as stream:
        return stream.read()


def test_a_folder_has_the_files_whose_suffix_a_loader_reads_in_order(folder, caplog):
    with caplog.at_level(logging.WARNING):
        assert names(find_inputs(["in"])) == ["LEASE", "a.PDF", "b.txt", "more/2024/d.txt", "more/c.html"]
    assert "in: 1 file left out, of a suffix that longdoc does not read (1 .xyz)" in caplog.text


def test_size_and_time_are_those_of_the_file(folder):
    (found,) = find_inputs(["in/b.txt"])
    status = (folder / "in" / "b.txt").stat()
    assert found == Input(str(folder / "in" / "b.txt"), status.st_size, status.st_mtime_ns) == look(found.address)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.txt", ["b.txt", "more/2024/d.txt"]),
        ("more/*.txt", []),
        ("more/*/*.txt", ["more/2024/d.txt"]),
        ("**/*.txt", ["b.txt", "more/2024/d.txt"]),
        ("more/**", ["more/2024/d.txt", "more/c.html"]),
        ("more/**/*.html", ["more/c.html"]),
        ("[!a-z]*", ["LEASE"]),
        ("*", ["LEASE", "a.PDF", "b.txt", "more/2024/d.txt", "more/c.html", "photo.xyz"]),
    ],
)
def test_a_glob_chooses_the_files_of_folders(folder, glob, expected):
    if expected:
        assert names(find_inputs(["in"], glob=glob)) == expected
    else:
        with pytest.raises(DocumentNotFoundError, match="in: none of its 6 files is read: they do not match 'more/"):
            find_inputs(["in"], glob=glob)


def test_a_file_that_is_named_is_read_whatever_its_suffix(folder):
    assert names(find_inputs(["in/photo.xyz", "in/.hidden.txt"], glob="*.pdf")) == [".hidden.txt", "photo.xyz"]


@pytest.mark.parametrize("name", ["Lease No. 5", "0001193125-20.000123", "LICENSE", "lease."])
def test_a_name_without_a_suffix_may_be_a_document(tmp_path, name):
    (tmp_path / name).write_text("Lease")
    assert names(find_inputs([str(tmp_path)]), tmp_path) == [name]


def test_every_format_has_suffixes():
    assert all(row.suffixes for row in FORMATS.values())
    assert {"pdf", "docx", "htm", "nxml", "json", "tiff", "txt"} <= SUFFIXES
    assert all(suffix == suffix.lower().lstrip(".") for suffix in SUFFIXES)


def test_one_file_by_several_paths_counts_once(folder):
    given = ["in/b.txt", "./in/../in/b.txt", str(folder / "in/b.txt"), f"file://{folder}/in/b.txt", "in"]
    assert names(find_inputs(given)).count("b.txt") == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_link_counts_once_under_the_name_of_the_file(folder, order):
    (folder / "in" / "0-link.txt").symlink_to("b.txt")
    assert names(find_inputs(["in/0-link.txt", "in/b.txt"][::order])) == ["b.txt"]
    assert "0-link.txt" not in names(find_inputs(["in"]))
    assert names(find_inputs(["in/0-link.txt"])) == ["0-link.txt"]


def test_links_between_folders_end(folder):
    (folder / "in" / "loop").symlink_to(".")
    (folder / "in" / "up").symlink_to("..")
    (folder / "in" / "more" / "side").symlink_to("../more/2024")
    (folder / "in" / "more" / "2024" / "back").symlink_to("../../more")
    (folder / "in" / "self.txt").symlink_to("self.txt")
    found = find_inputs(["in"])
    assert [Path(each.address).name for each in found if each.problem] == ["self.txt"]
    assert names(each for each in found if not each.problem) == [
        "LEASE",
        "a.PDF",
        "b.txt",
        "more/2024/d.txt",
        "more/c.html",
    ]


def test_many_folders_that_link_to_each_other_are_walked_once_each(tmp_path):
    for i in range(12):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "lease.txt").touch()
        for j in range(12):
            (tmp_path / str(i) / f"to{j}").symlink_to(f"../{j}")
    assert len(find_inputs([str(tmp_path)])) == 12


def test_a_folder_outside_that_a_link_leads_to_is_read(folder):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "z.txt").touch()
    (folder / "in" / "link").symlink_to("../elsewhere")
    assert "link/z.txt" in names(find_inputs(["in"]))


def test_a_link_that_leads_nowhere_is_a_document_with_a_problem(folder):
    (folder / "in" / "lost.txt").symlink_to("nowhere.txt")
    (lost,) = [each for each in find_inputs(["in"]) if each.problem]
    assert lost.address.endswith("lost.txt") and "No such file or directory" in lost.problem


def test_what_a_batch_writes_is_no_document(folder):
    for out in ("in/out", "in/other"):
        (folder / out).mkdir()
        for name in ("run.json", "journal.jsonl"):
            (folder / out / name).write_text("{}")
    (folder / "in" / "new").mkdir()
    (folder / "in" / "new" / "a.json").touch()
    found = names(find_inputs(["in"], leave_out="in/new"))
    assert not [name for name in found if name.startswith(("out", "other", "new"))]
    assert "in/b.txt" not in files_of("in", leave_out="in/b.txt")
    assert files_of("in/photo.xyz") == ["in/photo.xyz"]


# ---------------------------------------------------------------------------------------------------------------- lists


def test_a_list_names_files_and_folders(folder, monkeypatch):
    listed = b"\xef\xbb\xbfin/b.txt\r\n\n  \nin/more\n"
    (folder / "list.txt").write_bytes(listed)
    expected = ["b.txt", "more/2024/d.txt", "more/c.html"]
    assert names(find_inputs([], files_from="list.txt")) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    assert names(find_inputs([], files_from="-")) == expected


def test_a_listed_file_that_is_missing_is_named_with_its_line(folder):
    (folder / "list.txt").write_text("in/b.txt\n\nin/lost.txt\n")
    lost = find_inputs([], files_from="list.txt")[1]
    assert lost.problem == "list.txt, line 3: in/lost.txt: cannot be read (No such file or directory)"
    assert lost == Input(str(folder / "in/lost.txt"), 0, 0, lost.problem)


def test_if_nothing_exists_it_is_an_error(folder):
    with pytest.raises(DocumentNotFoundError, match=r"x1: cannot .*x3: cannot be read \(No such.*\); and 1 more$"):
        find_inputs(["x1", "x2", "x3", "x4"])
    (folder / "list.txt").write_text("\n")
    with pytest.raises(ConfigError, match="no documents: give files, folders"):
        find_inputs([], files_from="list.txt")
    with pytest.raises(ConfigError, match=r"nowhere.txt: cannot be read \(No such"):
        find_inputs([], files_from="nowhere.txt")
    with pytest.raises(ConfigError, match="an empty path"):
        find_inputs([""])
    (folder / "empty").mkdir()
    with pytest.raises(DocumentNotFoundError, match="empty: is a folder without files"):
        find_inputs(["in", "empty"])


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "caf\udce9", "lone\ud800", "new\nline"])
def test_a_path_that_no_file_can_have_is_a_problem(folder, path):
    bad = next(each for each in find_inputs(["in/b.txt", path]) if each.problem)
    assert "cannot be read" in bad.problem and bad.problem.isprintable()
    with pytest.raises(DocumentNotFoundError, match="cannot be read"):
        open_input(bad.address)


# ------------------------------------------------------------------------------------------------ names and permissions


def test_a_name_that_is_not_utf_8_stays_usable_and_is_shown_escaped(folder):
    name = b"caf\xe9 \xf0.txt"
    try:
        Path(os.fsdecode(os.path.join(os.fsencode(folder), b"in", name))).write_bytes(b"Lease")  # noqa: PTH118
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    (found,) = [each for each in find_inputs(["in"]) if "caf" in each.address]
    assert read(found.address) == b"Lease"
    assert shown(found.address).endswith(r"in/caf\xe9 \xf0.txt") and shown(found.address).encode()
    (folder / "list.txt").write_bytes(b"in/" + name)
    assert find_inputs([], files_from="list.txt") == (found,)


def test_shown_leaves_all_other_names_alone():
    assert shown("Mietvertrag Müller – 租約\u00a0.pdf") == "Mietvertrag Müller – 租約\u00a0.pdf"
    assert shown("a\nb\x1b[0m\ud800") == r"a\nb\x1b[0m\ud800"


def without_rights(function):
    """What a function returns, or the error it raises, in a process that may read only what others let it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            message = str(function())
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
        os.write(writing, message.encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    with os.fdopen(reading) as stream:
        message = stream.read()
    os.waitpid(pid, 0)
    return message


@pytest.fixture
def closed():
    """A folder that everyone may enter, with a folder that only its owner may."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "secret").mkdir()
        (root / "secret" / "a.txt").touch()
        (root / "b.txt").touch()
        root.chmod(0o755)
        (root / "secret").chmod(0)
        yield root
        (root / "secret").chmod(stat.S_IRWXU)


UNLISTED = "secret: the folder cannot be listed (Permission denied); change its permissions, or leave it out"


@pytest.mark.parametrize("glob", [None, "*.txt", "*.pdf"])
def test_a_folder_without_permission_is_one_document_with_a_problem(closed, glob):
    found = without_rights(lambda: [(each.address, each.problem) for each in find_inputs([str(closed)], glob=glob)])
    if glob == "*.pdf":  # nothing else is left
        assert found == f"DocumentNotFoundError: {closed}/{UNLISTED}"
    else:
        assert found == str([(f"{closed}/b.txt", ""), (f"{closed}/secret", f"{closed}/{UNLISTED}")])
    assert without_rights(lambda: files_of(str(closed))) == str([f"{closed}/b.txt", f"{closed}/secret"])


def test_a_folder_without_permission_that_is_named_is_a_problem_with_its_origin(closed, tmp_path):
    (closed / "list").write_text(f"{closed}/b.txt\n{closed}/secret\n")
    found = without_rights(lambda: find_inputs([], files_from=str(closed / "list"))[1].problem)
    assert found == f"{closed}/list, line 2: {closed}/{UNLISTED}"


def test_a_file_in_such_a_folder_is_a_problem(closed):
    given = [str(closed / "b.txt"), str(closed / "secret" / "a.txt")]
    assert "a.txt: cannot be read (Permission denied)" in without_rights(lambda: find_inputs(given)[1].problem)


# --------------------------------------------------------------------------------------------------- other file systems


@pytest.fixture
def bucket():
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    for name in ("b.txt", "more/a.pdf", "more/.hidden.txt", "more/photo.xyz"):
        system.pipe(f"/bucket/{name}", name.encode())
    yield system
    system.store.clear()


def test_addresses_of_other_file_systems(bucket):
    found = find_inputs(["memory://bucket/", "memory://bucket/b.txt"])
    assert [each.address for each in found] == ["memory://bucket/b.txt", "memory://bucket/more/a.pdf"]
    assert found[0].size == 5 and abs(found[0].modified / 1e9 - time.time()) < 600
    assert read(found[1].address) == b"more/a.pdf"
    assert len(sha256_of(found[1].address)) == 64
    assert look("memory://bucket/b.txt") == found[0]
    assert [each.address for each in find_inputs(["memory://bucket"], glob="more/*.xyz")] == [
        "memory://bucket/more/photo.xyz"
    ]


def test_what_is_missing_there_is_a_problem(bucket):
    lost = find_inputs(["memory://bucket/b.txt", "memory://bucket/lost.txt"])[1]
    assert lost.problem == "memory://bucket/lost.txt: cannot be read (no such file)"
    with pytest.raises(DocumentNotFoundError, match="no such file"):
        open_input(lost.address)


def test_an_unknown_file_system_is_an_error(bucket, monkeypatch):
    with pytest.raises(ConfigError, match=r"^unknown://x: Protocol not known: unknown"):
        find_inputs(["unknown://x"])
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'longdoc\[remote\]'"):
        find_inputs(["memory://bucket"])
