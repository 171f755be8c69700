"""What hostile documents, names and files make a command print, and what it does where it cannot write."""

import ast
import errno
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import longdoc
from fakes import FakePipeline
from longdoc import cli
from longdoc.batch.status import JOURNAL, MANIFEST
from longdoc.outputs import replacing
from longdoc.summary import shown

ROOT = Path(__file__).parents[1]
OBEYED = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
TEXT = (
    "\x1b]0;TITLE\x07\x1b[2J\x1b[31mLEASE [red]AGREEMENT[/red] [link=http://evil]x[/link] :smile: \x9b31m"
    "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\ \x85 \x08\x7f\u202egnp.exe\u202c \u2066x\u2069 \u2028\n\n"
    "made on May 1, 2020 between \x1b]52;c;ZXZpbA==\x07 Ada\x1b[31m Sons Ltd. and Bob Corp."
)
NAME = "le\x1b[31mase\nlongdoc: all is well \u202egpj.txt"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a hostile document, configurations and results of a batch; and a pipeline without a model."""
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")  # rich writes no styles, so that all escapes are those of the document
    Path(NAME).write_text(TEXT, encoding="utf-8")
    Path("lease.html").write_text(f"<title>{TEXT}</title><h1>\x1b[2J{TEXT}</h1>", encoding="utf-8")
    Path("bad.yaml").write_text('"na\\e[31mme\\nlongdoc: fine": 1', encoding="utf-8")
    Path("schema.yaml").write_text("fields: {party: {question: Who?}, made: {question: When?}}")
    Path("out").mkdir()
    Path("out", MANIFEST).write_text(
        json.dumps({"format": 1, "longdoc": "0", "model": "m", "settings": {}, "started": "\x1b[2J now"})
    )
    status = {
        "address": f"/{NAME}",
        "id": "",
        "state": "failed",
        "reason": f"\x1b[2J{NAME}",
        "error": "E",
        "attempts": 1,
    }
    status |= {"seconds": 0.1, "pages": 0, "tokens": 0, "same_as": "", "size": 3, "modified": 1, "part": "part-00000"}
    closing = {"commit": {"part-00000": ["documents"]}, "read": 1}
    Path("out", JOURNAL).write_text(f"{json.dumps(status)}\n{json.dumps(closing)}\n")
    return tmp_path


COMMANDS = [
    ["show", NAME],
    ["show", "lease.html"],
    ["extract", NAME],
    ["extract", NAME, "--format", "table"],
    ["extract", NAME, "--format", "table", "--schema", "schema.yaml"],
    ["extract", NAME, "lease.html", f"missing {NAME}"],
    ["extract", NAME, "--schema", "bad.yaml"],
    ["ask", NAME, f"Who is {TEXT}?"],
    ["ask", NAME, f"Who is {TEXT}?", "--format", "json"],
    ["status", "out"],
    ["status", "out", "--json"],
    ["status", f"out {NAME}"],
    ["show", f"missing {NAME}"],
    ["show", NAME, f"--{NAME}"],
    [NAME],
    ["train", "bad.yaml"],
    ["evaluate", "bad.yaml"],
]
ON_TERMINALS = [
    ["show", NAME, "--text"],
    ["extract", NAME, "--schema", "schema.yaml", "--format", "csv"],
    ["extract", NAME, "--format", "conll"],
]
"""In a pipe they write the text as it is, for programs."""


def run(arguments: list[str]) -> None:
    try:
        cli.main(arguments)
    except SystemExit as exit_:
        assert exit_.code == 2


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: "-".join(arguments)[:20].replace("\x1b", ""))
def test_nothing_that_a_terminal_obeys_is_written(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], arguments: list[str]
) -> None:
    run(arguments)
    out, err = capsysbinary.readouterr()
    assert out or err
    assert not OBEYED.findall(out.decode() + err.decode())
    assert "\nlongdoc: all is well" not in out.decode() + err.decode()


@pytest.mark.filterwarnings("ignore::longdoc.OutputWarning")
@pytest.mark.parametrize("arguments", [*COMMANDS, *ON_TERMINALS], ids=lambda a: "-".join(a)[:20].replace("\x1b", ""))
def test_nothing_that_a_terminal_obeys_is_written_to_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    parent, child = pty.openpty()
    chunks: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(parent, 65536):
                chunks.append(chunk)
        except OSError:  # on Linux, the end of a pseudo-terminal
            pass

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(child, "w", encoding="utf-8") as screen:
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        run(arguments)
    reader.join()
    os.close(parent)
    text = b"".join(chunks).decode().replace("\r\n", "\n")
    assert text and not OBEYED.findall(text.replace("\r", "\x1b"))
    assert arguments in ON_TERMINALS or "\nlongdoc: all is well" not in text


def test_markup_and_escapes_are_shown_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", NAME]) == 0
    assert r"\x1b[31mLEASE [red]AGREEMENT[/red] [link=http://evil]x[/link] :smile: \x9b31m" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_pipe_gets_the_text_unchanged(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.main(["show", NAME, "--text"]) == 0
    assert capsysbinary.readouterr().out.decode() == f"{longdoc.load(NAME).text}\n"


def test_json_lines_are_lines_and_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("Ada\u2028Sons\x85Ltd. Inc \x1b Bob\u202e Corp. Carl\u2066 LLC", encoding="utf-8")
    assert cli.main(["extract", "a.txt"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1 and not OBEYED.search(out)
    assert json.loads(out)["entities"]


def test_what_is_shown_keeps_honest_text() -> None:
    honest = "Žižek & Søn · “naïve” – 漢字 עברית عربى 👩‍💻 €5\u00a0000\u200e"
    assert shown(honest) == honest == shown(honest, lines=True)
    assert shown("a\tb\r\nc", lines=True) == "a\tb\nc"
    assert shown("a\tb\nc\r") == r"a\tb\nc\r"


def test_one_module_prints() -> None:
    for path in (ROOT / "longdoc").rglob("*.py"):
        if path.name == "console.py":
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not [call.lineno for call in calls if ast.unparse(call.func) in ("print", "sys.stdout.write")], path


# ---------------------------------------------------------------------------------------------- outputs that cannot be


def longdoc_process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "longdoc", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **options)  # type: ignore[call-overload]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text(TEXT)
    with Path("/dev/full").open("w") as full:
        done = longdoc_process(
            "show", "--text", "lease.txt", stdout=full, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    assert (done.returncode, done.stderr) == (1, "longdoc: the output cannot be written: No space left on device\n")


def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text("Lease. " * 100_000)
    reading, writing = os.pipe()
    os.close(reading)
    done = longdoc_process(
        "show", "--text", "lease.txt", stdout=writing, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("keep", [True, False])
def test_a_disk_that_is_full_midway_leaves_the_earlier_file_alone(tmp_path: Path, keep: bool) -> None:
    (tmp_path / "out.jsonl").write_text("earlier")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(OSError) as caught, replacing(tmp_path / "out.jsonl", keep=keep) as stream:
            stream.write("x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.errno == errno.EFBIG
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.jsonl", "earlier")]


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize("output", ["other.jsonl", "third.jsonl"])
def test_an_output_that_is_a_document_by_a_link_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], link: object, output: str
) -> None:
    Path("lease.jsonl").write_text("Lease")
    link("lease.jsonl", "other.jsonl" if output == "other.jsonl" else "third.jsonl.part")  # type: ignore[operator]
    assert cli.main(["extract", "lease.jsonl", "-o", output, "--overwrite"]) == 2
    assert "is one of the documents to read" in capsys.readouterr().err
    assert Path("lease.jsonl").read_text() == "Lease"


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "out.jsonl.part").symlink_to(tmp_path / "mine")
    with replacing(tmp_path / "out.jsonl") as stream:
        stream.write("new")
    assert ((tmp_path / "mine").read_text(), (tmp_path / "out.jsonl").read_text()) == ("mine", "new")


def test_a_linked_output_stays_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with replacing(link) as stream:
        stream.write("new")
    assert link.is_symlink() and real.read_text() == "new" and real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["extract", NAME, "-o", "x" * 300 + ".jsonl"], 2, "cannot be written (File name too long)"),
        (["extract", NAME, "-o", "round.jsonl"], 2, "cannot be written ("),
        (["extract", "x" * 300], 1, "cannot be read (File name too long)"),
        (["extract", NAME, "x" * 300], 1, "cannot be read (File name too long)"),
        (["show", "x" * 300], 1, "cannot be read (File name too long)"),
        (["train", "x" * 300], 2, "cannot be read (File name too long)"),
        (["status", "x" * 300], 2, "cannot be read (File name too long)"),
        (["extract", NAME, "-o", f"{NAME}/x.jsonl"], 2, "must be a file in a folder that exists"),
        (["show", "bad.yaml/x"], 1, "cannot be read (Not a directory)"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    Path("round.jsonl").symlink_to("round.jsonl")
    assert cli.main(arguments) == code
    err = capsys.readouterr().err
    assert message in err and err.count("\n") <= 2 and "Traceback" not in err
