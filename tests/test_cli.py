"""The commands, on a terminal and in a pipe."""

import ast
import datetime
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import longdoc
from fakes import FakePipeline
from longdoc import Answer, Answers, Document, Gap, Prediction, cli, training
from longdoc.cli import options
from longdoc.loaders.isolated import death_of
from longdoc.outputs import FORMATS, Format
from longdoc.prediction import NOT_SEARCHED
from longdoc.workers import Lost
from pdfs import lines, make_pdf

ROOT = Path(__file__).parents[1]
LONGDOC = Path(sys.executable).with_name("longdoc")
LEASE = "LEASE AGREEMENT\nmade on May 1, 2020 between Ada Sons Ltd. and Bob Corp.\fAda Sons Ltd. pays Bob Corp. rent."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lease, an empty file and a note; and a pipeline without a model."""
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    monkeypatch.setattr(FakePipeline, "loaded", [])
    monkeypatch.setattr("longdoc.model_config.known_heads", lambda _: None)  # the heads of the fake are others
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("lease.txt").write_text(LEASE)
    Path("empty.txt").write_text("")
    Path("note.txt").write_text("Nothing to see.")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    return code, *capsys.readouterr()


def test_extract_writes_json_lines_when_piped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "extract", "lease.txt", "note.txt")
    lease, note = map(json.loads, out.splitlines())
    assert (code, err) == (0, "")
    assert (lease["source"], lease["status"], lease["coverage"], note["entities"]) == ("lease.txt", "ok", 1.0, [])
    assert [LEASE[e["start"] : e["end"]] for e in lease["entities"]] == [e["text"] for e in lease["entities"]]
    assert {e["page"] for e in lease["entities"]} == {1, 2}


def test_extract_continues_after_a_bad_file_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "extract", "empty.txt", "lease.txt", "missing.pdf", "note.txt")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [record["source"] for record in records] == ["empty.txt", "lease.txt", "missing.pdf", "note.txt"]
    assert [record["status"] for record in records] == ["error", "ok", "error", "ok"]
    assert records[0]["error"] == "CorruptDocumentError"
    assert records[2]["error"] == "DocumentNotFoundError"


def test_a_single_bad_file_is_one_line_and_no_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "extract", "empty.txt", "-o", "out.jsonl")
    assert (code, out) == (1, "")
    assert err.startswith("longdoc: empty.txt: empty")
    assert err.count("\n") == 1
    assert not Path("out.jsonl").exists()


def test_no_model_is_loaded_when_nothing_can_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = run(capsys, "extract", "empty.txt", "missing.txt")
    assert (code, FakePipeline.loaded) == (1, [])


def test_extract_passes_the_model_and_the_encoder_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs/mine").mkdir(parents=True)
    run(capsys, "extract", "lease.txt", "--model", "runs/mine")
    run(capsys, "extract", "lease.txt", "--model", "runs/mine", "--encoder", "sparse")
    run(capsys, "ask", "lease.txt", "Who pays?", "--precision", "int8", "--device", "cuda:0,1")
    assert FakePipeline.loaded == ["runs/mine", "runs/mine, sparse", "default, cuda:0,1, int8"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("extract", "lease.txt", "--tasks", "nope"), "has no task nope"),
        (("extract", "lease.txt", "--tasks", "nope", "-o", "out/"), "has no task nope"),
        (("extract", "lease.txt", "--schema", "clause.yaml"), "no clause 'Nope'"),
        (("extract", "lease.txt", "--rules", "none.yaml"), "none.yaml"),
        (("extract", "lease.txt", "-o", "lease.pdf"), "is made of a PDF"),
        (("plot", "lease.txt", "-o", "lease.png", "--tasks", "nope"), "has no task nope"),
        (("plot", "none.txt", "-o", "lease.png"), "none.txt: cannot be read"),
        (("ask", "lease.txt", " "), "the question is empty"),
        (("ask", "lease.txt", "Who?", "--head", "clauses"), "head is 'clauses'"),
        (("ask", ".", " "), "the question is empty"),
        (("dedup", "none", "-o", "out", "--paraphrases"), "none: cannot be read"),
        (("index", "lease.txt", "-o", "out", "--model", "plain"), "no head of kind 'embed'"),
        (("similarity", "pairs.csv", "--model", "plain"), "no head of kind 'embed'"),
        (("audit", "default", "-o", "out", "--data", "lease.txt"), "lease.txt, line 1"),
    ],
)
def test_arguments_are_checked_before_a_model_is_loaded(
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("longdoc.sources.load_model", lambda *_, **__: pytest.fail("a model was loaded"))
    monkeypatch.setattr("longdoc.cli.options.load_pipeline", lambda *_, **__: pytest.fail("a model was loaded"))
    Path("lease.txt").write_text("This Lease is made by Ada & Sons Ltd.", encoding="utf-8")
    Path("clause.yaml").write_text("fields: {x: {from: [{clause: Nope}]}}", encoding="utf-8")
    Path("pairs.csv").write_text("sentence1,sentence2\na,b\n", encoding="utf-8")
    Path("plain").mkdir()
    Path("plain/config.json").write_text('{"longdoc": {"heads": {"qa": {"kind": "qa"}}}}', encoding="utf-8")
    code, out, err = run(capsys, *arguments)
    assert code in (1, 2), err
    assert out == ""
    assert told in err
    assert not Path("out").exists()


def test_warnings_of_documents_are_told_beside_every_format_but_the_table_which_has_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.html").write_text("<p>Ada & Sons Ltd.</p><!-- never closed", encoding="utf-8")
    for format, is_told in (("jsonl", True), ("html", True), ("table", False)):
        _, out, err = run(capsys, "extract", "cut.html", "--format", format)
        assert ("longdoc: cut.html: " in err) == is_told
        assert ("Warning: " in out) != is_told


def test_tasks_are_split_at_commas(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "extract", "lease.txt", "--tasks", "party,date")
    assert {entity["label"] for entity in json.loads(out)["entities"]} == {"PARTY", "DATE"}


def test_min_score_is_a_threshold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "extract", "lease.txt", "--min-score", "0.9")
    assert {entity["label"] for entity in json.loads(out)["entities"]} == {"PARTY"}


def test_the_table_lists_each_name_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "extract", "--format", "table", "lease.txt", "empty.txt")
    rows = [line.split() for line in out.splitlines()]
    assert code == 1
    assert ["PARTY", "Ada", "Sons", "Ltd.", "2", "1–2", "0.99"] in rows
    assert ["Bob", "Corp.", "2", "1–2", "0.99"] in rows
    assert ["DATE", "May", "1,", "2020", "1", "1", "0.60"] in rows
    assert "empty.txt: empty" in out


def test_the_table_counts_the_names_it_leaves_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("many.txt").write_text(", ".join(f"Name{chr(65 + i)} Ltd" for i in range(14)))
    _, out, _ = run(capsys, "extract", "--format", "table", "many.txt")
    assert "and 4 more" in out


@pytest.mark.parametrize("suffix", ["jsonl", "html"])
def test_the_suffix_of_the_output_sets_the_format(
    folder: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    code, out, err = run(capsys, "extract", "lease.txt", "empty.txt", "-o", f"out.{suffix}")
    written = Path(f"out.{suffix}").read_text()
    assert (code, out) == (1, "")
    assert written.startswith("<!DOCTYPE html>" if suffix == "html" else '{"source": "lease.txt"')
    assert "empty.txt" in written
    reported, total = err.splitlines()
    assert reported.startswith("longdoc: empty.txt: empty")
    assert total == "longdoc: 1 of 2 documents failed"
    beside = [f"out.{suffix}", *(["out_files"] if suffix == "html" else [])]
    assert sorted(path.name for path in folder.iterdir()) == ["empty.txt", "lease.txt", "note.txt", *beside]


def test_the_pages_of_an_index_are_no_documents_of_the_next_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.txt").unlink()
    for _ in range(2):
        assert run(capsys, "extract", ".", "-o", "out.html", "--overwrite") == (0, "", "")
        names = re.findall(r'"source":"([^"]+)"', Path("out.html").read_text())
        assert [Path(name).name for name in names] == ["lease.txt", "note.txt"]
        assert len(list(Path("out_files").iterdir())) == 2
    _, _, err = run(capsys, "extract", "out_files", "-o", "out.html", "--overwrite")
    assert err == "longdoc: out_files: is the folder for the pages of out.html; name another output\n"
    _, _, err = run(capsys, "extract", "lease.txt", "--format", "html", "--images", "beside")
    assert err == "longdoc: --images beside is for a file, beside which they are; name it: -o OUT.html\n"


def test_failures_are_told_on_standard_error_in_a_pipe_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "x.txt").write_text("")
    code, out, err = run(capsys, "extract", "a/x.txt", "lease.txt", "b/x.txt")
    assert code == 1
    assert [json.loads(line)["source"] for line in out.splitlines()] == ["a/x.txt", "lease.txt", "b/x.txt"]
    one, two, total = err.splitlines()
    assert one.startswith("longdoc: a/x.txt: empty")
    assert two.startswith("longdoc: b/x.txt: empty")
    assert total == "longdoc: 2 of 3 documents failed"


def test_files_of_the_same_name_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "x.txt").write_text(LEASE)
    for format in ("html", "table"):
        _, out, _ = run(capsys, "extract", "a/x.txt", "b/x.txt", "--format", format)
        assert out.index("a/x.txt") < out.index("b/x.txt")


def test_a_finished_output_is_replaced_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.jsonl").write_text("finished\n")
    Path("out.jsonl").chmod(0o640)
    Path("link.jsonl").symlink_to("out.jsonl")
    for output in ("out.jsonl", "link.jsonl"):
        code, out, err = run(capsys, "extract", "lease.txt", "-o", output)
        assert (code, out, FakePipeline.loaded) == (2, "", [])
        assert err == f"longdoc: {output}: exists; name another file, or replace it with --overwrite\n"
    assert Path("out.jsonl").read_text() == "finished\n"
    assert run(capsys, "extract", "lease.txt", "-o", "link.jsonl", "--overwrite") == (0, "", "")
    assert json.loads(Path("out.jsonl").read_text())["source"] == "lease.txt"
    assert Path("link.jsonl").is_symlink()
    assert Path("out.jsonl").stat().st_mode & 0o777 == 0o640
    assert not list(Path().glob("*.part"))


@pytest.mark.parametrize(("suffix", "kept"), [("jsonl", ["lease.txt"]), ("html", None)])
def test_an_interrupted_run_leaves_the_old_output(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    kept: list[str] | None,
) -> None:
    def pipe(self: FakePipeline, documents: Iterable[Document], **_: object) -> Iterator[Prediction]:
        yield self(next(iter(documents)))
        raise KeyboardInterrupt

    monkeypatch.setattr(FakePipeline, "pipe", pipe)
    output = Path(f"out.{suffix}")
    output.write_text("finished\n")
    code, _, err = run(capsys, "extract", "lease.txt", "note.txt", "-o", str(output), "--overwrite")
    assert (code, output.read_text()) == (130, "finished\n")
    part = Path(f"out.{suffix}.part")
    assert part.exists() == (kept is not None)
    if kept is not None:
        assert [json.loads(line)["source"] for line in part.read_text().splitlines()] == kept
        assert err == f"longdoc: interrupted; what was read so far is in {part}\n"


def test_a_dash_is_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        code, out, _ = run(capsys, "extract", "lease.txt", "-o", "-")
        assert (code, json.loads(out)["source"]) == (0, "lease.txt")
    assert not Path("-").exists()


def test_a_web_page_is_not_for_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, err = run(capsys, "extract", "lease.txt", "--format", "html")
    assert (code, out, FakePipeline.loaded) == (2, "", [])
    assert err == "longdoc: the format html is not for a terminal; name a file: -o OUT.html\n"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("out.docx", "unknown suffix '.docx'; allowed: .jsonl, .html"),
        ("missing/out.jsonl", "a folder that exists"),
        ("lease.jsonl", "would be replaced"),
    ],
)
def test_a_bad_output_is_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str], output: str, message: str
) -> None:
    Path("lease.jsonl").write_text(LEASE)
    code, out, err = run(capsys, "extract", "lease.jsonl", "-o", output)
    assert (code, out, FakePipeline.loaded) == (2, "", [])
    assert message in err
    assert Path("lease.jsonl").read_text() == LEASE


SCHEMA = """
fields:
  party: {question: "Who are the parties?", many: true}
  made: {question: "When is it made?"}
  rent: {question: "How much is the rent?"}
"""


def test_the_table_of_a_schema_names_the_fields_without_an_answer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lease.yaml").write_text(SCHEMA)
    extract = ("extract", "lease.txt", "--schema", "lease.yaml", "--format", "table")
    code, out, _ = run(capsys, *extract)
    assert code == 0
    assert ["party", "Ada", "Sons", "Ltd.", "page", "1", "0.99"] in [line.split() for line in out.splitlines()]
    assert "Not found: rent\n" in out
    _, out, _ = run(capsys, *extract, "--min-score", "0.9")
    assert "Not found: made, rent\n" in out


@pytest.mark.parametrize("format", [name for name, each in FORMATS.items() if not each.binary and each.failures])
def test_every_format_tells_which_fields_were_not_sought(
    folder: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    Path("lease.yaml").write_text(SCHEMA)
    extract = ("extract", "lease.txt", "--schema", "lease.yaml", "--format", format, "--tasks", "party")
    code, out, err = run(capsys, *extract)
    assert (code, err) == (0, "")
    assert "the tasks leave out all but party" in " ".join(out.split())
    assert ('"missing":' if format == "html" else "Not found") not in out
    if format == "jsonl":
        assert json.loads(out)["not_found"] == []


def test_rules_that_no_field_of_the_schema_can_use_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lease.yaml").write_text(SCHEMA)
    Path("mine.yaml").write_text("rules: [{label: RENT, pattern: [{LOWER: rent}]}]")
    extract = ("extract", "lease.txt", "--schema", "lease.yaml", "--rules", "mine.yaml")
    code, out, err = run(capsys, *extract)
    assert (code, out, FakePipeline.loaded) == (2, "", [])
    assert err == "longdoc: no field of the schema 'schema' has a source `rule: LABEL`; leave out --rules\n"
    Path("lease.yaml").write_text(SCHEMA + "  word: {from: [rule: RENT]}\n")
    assert run(capsys, *extract)[0] == 0


@pytest.mark.parametrize("format", [name for name, each in FORMATS.items() if not each.binary and each.failures])
def test_every_format_shows_the_answers_of_a_schema(
    folder: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    Path("lease.yaml").write_text(SCHEMA)
    extract = ("extract", "lease.txt", "--schema", "lease.yaml", "--format", format)
    code, out, err = run(capsys, *extract)
    assert (code, err) == (0, "")
    for shown in ("party", "Ada Sons Ltd.", "Bob Corp.", "made", "May 1, 2020", "rent"):
        assert shown in out
    assert "0.99" in out or format == "csv"
    _, strict, _ = run(capsys, *extract, "--min-score", "0.9")
    assert "Ada Sons Ltd." in strict and "0.60" not in strict
    assert "May 1, 2020" not in strict or format == "html", "a page shows the whole text"


def test_a_format_without_answers_refuses_a_schema(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Format(name="names", description="", suffix=".names", streams=True, write=lambda outcomes, stream: None)
    monkeypatch.setitem(FORMATS, "names", toy)
    code, out, err = run(capsys, "extract", "lease.txt", "--schema", "contract", "-o", "out.names")
    assert (code, out, FakePipeline.loaded) == (2, "", [])
    assert err.startswith("longdoc: the format names cannot hold the answers of --schema; table, jsonl, html, csv, ")
    assert not Path("out.names").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["extract", "a", "--min-score", "2"], "--min-score: must be a number from 0 to 1, got '2'"),
        (["extract", "a", "--min-score", "high"], "--min-score: must be a number from 0 to 1, got 'high'"),
        (["extract", "a", "--min-score", "nan"], "--min-score: must be a number from 0 to 1, got 'nan'"),
        (["extract", "a", "--format", "docx"], "--format: invalid choice: 'docx'"),
        (["ask", "a", "Who?", "--top-k", "0"], "--top-k: must be a positive integer, got '0'"),
        (["convert", "m", "--max-tokens", "4k"], "--max-tokens: must be a positive integer, got '4k'"),
        (["fly"], "invalid choice: 'fly'"),
    ],
)
def test_invalid_arguments_exit_with_2_and_say_what_is_allowed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    err = capsys.readouterr().err
    assert "usage: longdoc" in err
    assert message in err


def test_help_lists_the_commands_and_the_exit_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert exit_.value.code == 0
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"\n +{name} +{command.HELP}\n", re.sub(r"\n {8,}", " ", out))
    assert re.findall(r"^  (\d+) ", out, re.MULTILINE) == ["0", "1", "2", "3", "130"]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([name, "--help"])
    usage, _, rest = capsys.readouterr().out.partition("\n\n")
    assert exit_.value.code == 0
    assert usage.startswith(f"usage: longdoc {name} ")
    assert " ".join(rest.split()).casefold().startswith(f"{cli.COMMANDS[name].HELP}.".casefold())


@pytest.mark.parametrize(
    "arguments",
    [
        ["extract", "lease.txt"],
        ["ask", "lease.txt", "Who?"],
        ["prune", "x", "--config", "x", "-o", "x"],
        ["adapt", "x", "--vectors", "x", "-o", "x"],
        *([c, "x"] for c in ("train", "evaluate", "calibrate")),
    ],
)
def test_a_missing_library_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    extras = {"train": "train", "adapt": "train", "prune": "train", "evaluate": "evaluate", "calibrate": "evaluate"}
    extra = extras.get(arguments[0], "model")
    message = f"longdoc: longdoc {arguments[0]} needs torch: pip install 'longdoc[{extra}]'\n"
    assert run(capsys, *arguments) == (1, "", message)


def test_a_bug_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePipeline, "__call__", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["extract", "lease.txt"])


def test_show_prints_what_was_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "lease.txt")
    assert code == 0
    assert out.startswith("LEASE AGREEMENT\n")
    for fact in ("lease.txt", "text/plain", "2 (1–2 text)", f"{len(LEASE)} characters", "words"):
        assert fact in out


def test_show_of_a_bad_file_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "missing.pdf")
    assert (code, out) == (1, "")
    assert err.startswith("longdoc: missing.pdf")


def test_an_incomplete_installation_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    code, out, err = run(capsys, "show", "lease.txt")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("longdoc: rich.console is not installed; reinstall longdoc")


def test_ask_prints_answers_as_text_or_json(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(question="When?", text="May 1, 2020", start=24, end=35, score=0.9, page=1, section="2")
    valued = replace(answer, value=datetime.date(2020, 5, 1))
    scores, heads = [], []

    def ask(self, document, questions, top_k, min_score, head):
        scores.append(min_score)
        heads.append(head)
        gaps = (Gap(0, 4, "cut"), Gap(5, 9, NOT_SEARCHED))
        doubtful = replace(valued, score=0.01, check=True)
        return [
            Answers([valued, doubtful], gaps=gaps[:1], coverage=0.999),
            Answers(gaps=gaps, coverage=0.5, rejected=answer),
        ]

    monkeypatch.setattr(FakePipeline, "ask", ask, raising=False)
    code, out, _ = run(capsys, "ask", "lease.txt", "When [b]?", "How?")
    place = "page 1, section 2, score"
    when = ["When [b]?", "  May 1, 2020", f"  2020-05-01, {place} 0.90", "  May 1, 2020"]
    when += [f"  2020-05-01, {place} 0.01 check", "  99 % of the text searched."]
    how = ["How?", "  Not found.", "  Closest: May 1, 2020", f"  {place} 0.90", "  50 % of the text searched."]
    assert (code, out.splitlines()[2:]) == (0, [*when, "", *how, "", "Not read: characters 0 to 4 (cut)"])
    _, out, _ = run(capsys, "ask", "lease.txt", "When?", "How?", "--format", "json")
    when, how = json.loads(out)["questions"]
    assert (when["coverage"], when["rejected"], how["coverage"]) == (0.999, None, 0.5)
    assert (when["answers"][0]["text"], when["answers"][0]["value"]) == ("May 1, 2020", "2020-05-01")
    assert (how["question"], how["answers"], how["rejected"]["text"]) == ("How?", [], "May 1, 2020")
    run(capsys, "ask", "lease.txt", "When?", "How?", "--min-score", "0.7")
    run(capsys, "ask", "lease.txt", "When?", "How?", "--head", "qa")
    assert (scores, heads) == ([None, None, 0.7, None], [None, None, None, "qa"])


def test_ask_says_that_the_record_gave_an_answer_and_not_how_much_was_searched(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(question="When?", text="May 1, 2020", start=24, end=35, score=0.9, page=1, source="record term_end")
    searched = Answers([replace(answer, source="question")], gaps=(Gap(0, 4, "cut"),), coverage=0.5)
    monkeypatch.setattr(FakePipeline, "ask", lambda self, *_, **__: [Answers([answer]), searched], raising=False)
    _, out, _ = run(capsys, "ask", "lease.txt", "When?", "How?")
    first, *others = out.splitlines()[4:]
    assert first == "  page 1, score 0.90, from the record (term end)"
    assert others[3:] == [
        "  page 1, score 0.90",
        "  50 % of the text searched.",
        "",
        "Not read: characters 0 to 4 (cut)",
    ]
    _, out, _ = run(capsys, "ask", "lease.txt", "When?", "How?", "--format", "json")
    assert [each["answers"][0]["source"] for each in json.loads(out)["questions"]] == ["record term_end", "question"]


def test_ask_says_which_words_of_a_question_the_document_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Answers(absent=("Elon", "Musk")), Answers(absent=("coins",)), Answers()]
    monkeypatch.setattr(FakePipeline, "ask", lambda self, *_, **__: found, raising=False)
    _, out, _ = run(capsys, "ask", "lease.txt", "Who?", "What?", "How?")
    assert [line for line in out.splitlines() if "word" in line] == [
        '  The document does not have the words "Elon", "Musk".',
        '  The document does not have the word "coins".',
    ]
    _, out, _ = run(capsys, "ask", "lease.txt", "Who?", "What?", "How?", "--format", "json")
    assert [each["absent"] for each in json.loads(out)["questions"]] == [["Elon", "Musk"], ["coins"], []]


def test_train_names_the_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(training, "train", lambda path, deepspeed: path.with_suffix(""))
    assert run(capsys, "train", "configs/a.yaml") == (0, "The trained model is in configs/a\n", "")


def test_help_needs_neither_torch_nor_numpy() -> None:
    code = "import sys; from longdoc import cli\ntry: cli.main(['extract', '--help'])\nexcept SystemExit: pass\n"
    check = "assert not {'torch', 'transformers', 'numpy', 'rich'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", code + check], check=True, stdout=subprocess.DEVNULL)


# --------------------------------------------------------------------------------------------------- real documents


EXAMPLES = [
    ROOT / "examples" / f"{name}.pdf"
    for name in (
        "hyatt-playa-strategic-alliance",
        "contracts/cano-petroleum-sponsorship",
        "contracts/mphase-distribution",
    )
]


@pytest.mark.slow
def test_real_contracts_give_entities_with_exact_offsets_and_boxes() -> None:
    result = subprocess.run([LONGDOC, "extract", *EXAMPLES], check=True, capture_output=True, text=True)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.stderr == ""
    assert [record["source"] for record in records] == list(map(str, EXAMPLES))
    for record in records:
        document = longdoc.load(record["source"])
        assert record["coverage"] == 1.0
        assert len(record["entities"]) > 5
        for found in record["entities"]:
            assert document.text[found["start"] : found["end"]] == found["text"]
            assert found["boxes"], found


@pytest.mark.slow
def test_a_terminal_gets_the_table(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text(LEASE)
    parent, child = pty.openpty()
    with subprocess.Popen([LONGDOC, "extract", tmp_path / "lease.txt"], stdout=child, stderr=child) as process:
        os.close(child)
        shown = b""
        while chunk := _read(parent):
            shown += chunk
    os.close(parent)
    assert process.returncode == 0
    assert b"Mentions" in shown
    assert b'"status"' not in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # on Linux, the end of a pseudo-terminal
        return b""


def test_an_encrypted_pdf_is_told_with_the_option_that_opens_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(make_pdf("BT ET", password="p"))
    code, _, err = run(capsys, "show", str(tmp_path / "a.pdf"))
    assert code == 1 and err == "longdoc: a.pdf: encrypted; give its password: --password\n"


PYTHON = re.compile(r"(?<!longdoc\.)\bload\(|Pipeline\.|tasks=|encoder=|pages=\(|ocr=|Document\.")


def remedies_in_python() -> list[str]:
    """The messages in the package that name Python, with a value for each of their variables."""
    found = []
    for path in sorted(Path(longdoc.__file__).parent.rglob("*.py")):
        nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        docstrings = {
            id(node.body[0].value)
            for node in nodes
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        }
        pieces = {id(each) for node in nodes if isinstance(node, ast.JoinedStr) for each in node.values}
        left_out = docstrings | pieces
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                parts = [each.value if isinstance(each, ast.Constant) else "7" for each in node.values]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
                parts = [node.value]
            else:
                continue
            text = "".join(parts)
            if (
                re.search(r"load\(\.\.\.|Pipeline\.from_pretrained\(.*(=|\.\.\.)|see Document\.", text)
                and "(?" not in text
            ):
                found.append(text)
    return found


def test_no_command_tells_its_user_to_write_python_where_an_option_does_it() -> None:
    messages = remedies_in_python()
    assert len(messages) > 10
    for command in ("extract", "ask", "show", "pretrain"):
        given = {"extract": ["a.pdf"], "ask": ["a.pdf", "why?"], "show": ["a.pdf"], "pretrain": ["a.yaml"]}[command]
        arguments = cli.parser().parse_args([command, *given])
        for message in messages:
            told = options.told(message, arguments)
            assert not PYTHON.search(told.replace("'default'", "")), (command, told)
            assert options.told(told, arguments) == told


@pytest.mark.parametrize(
    ("command", "message", "told"),
    [
        ("show", "leave it out: load(..., pages=...)", "leave it out: --pages"),
        (
            "ask",
            "leave it out: load(..., pages=...)",
            "leave it out: `longdoc show --text --pages ...` prints a text that can be read instead",
        ),
        (
            "pretrain",
            "encrypted; give its password: load(..., password=...)",
            "encrypted; give its password: `longdoc show --text --password ...` prints a text that can be read instead",
        ),
        ("show", "load(..., ocr='auto') reads such pages by OCR", "--ocr auto reads such pages by OCR"),
        ("show", "a.pdf: pages=(90, 91) starts after the last page", "a.pdf: --pages 90-91 starts after the last page"),
        ("show", "ocr='!' is unknown", "--ocr ! is unknown"),
        (
            "extract",
            "if you trust the file, load(..., limits=Limits(pages=20001))",
            "if you trust the file, in Python: longdoc.load(..., limits=longdoc.Limits(pages=20001))",
        ),
        ("ask", "load one: Pipeline.from_pretrained(qa='a folder')", "name a model that has one: --model"),
        ("ask", "windows: Pipeline.from_pretrained(folder, encoder='windows')", "windows: --encoder windows"),
        (
            "convert",
            "Pipeline.from_pretrained('m', encoder='sparse')",
            "`longdoc extract --model 'm' --encoder sparse`",
        ),
        ("extract", "use ask, infer, embed or fill, or tasks=['rules']", "use `longdoc ask`, or --tasks rules"),
    ],
)
def test_remedies_are_options_of_the_command(command: str, message: str, told: str) -> None:
    given = {"ask": ["a.pdf", "why?"], "convert": ["m", "--max-tokens", "9"]}.get(command, ["a.pdf"])
    assert options.told(message, cli.parser().parse_args([command, *given])) == told


def test_a_drawing_that_takes_too_long_is_told_with_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def isolated(*_: object, **__: object) -> None:
        raise death_of("a.pdf", Lost("timed out", "took longer than 300 s"))

    (tmp_path / "a.pdf").write_bytes(make_pdf(lines("Lease")))
    assert longdoc.load(tmp_path / "a.pdf", isolated=True).text == "Lease"
    monkeypatch.setattr(cli.show.options, "load", lambda path, *_, **__: longdoc.load(path))
    monkeypatch.setattr("longdoc.loaders.isolated.isolated", isolated)
    code, _, err = run(capsys, "show", str(tmp_path / "a.pdf"), "--draw", str(tmp_path / "out.html"))
    assert (code, err) == (1, "longdoc: a.pdf: reading it took longer than 300 s; allow more: --timeout\n")


def test_the_remedies_of_pretraining_and_of_warnings_are_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "pretrain", lambda *_, **__: "a.pdf: encrypted; password: load(..., password=...)")
    _, out, _ = run(capsys, "pretrain", "a.yaml")
    assert out.startswith("a.pdf: encrypted; password: `longdoc show --text --password")
    (tmp_path / "a.pdf").write_bytes(make_pdf(lines("Lease"), "0 0 500 700 re f"))
    document = replace(longdoc.load(tmp_path / "a.pdf"), warnings=("load(..., ocr='auto') reads such pages by OCR",))
    monkeypatch.setattr(cli.show.options, "load", lambda *_, **__: document)
    _, out, _ = run(capsys, "show", str(tmp_path / "a.pdf"))
    assert "Warning: --ocr auto reads such pages by OCR" in out
