"""``longdoc extract -o OUT/`` and ``longdoc status``, with the shipped model on small documents."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import dataset

import longdoc
from conftest import make_model
from fakes import stay_here
from longdoc import cli
from longdoc.batch.extract import Progress, extract_many
from longdoc.batch.inputs import Input
from longdoc.batch.request import Request
from longdoc.batch.stages import Extractor, groups_of
from longdoc.batch.writers import WRITERS
from longdoc.cli import batch
from longdoc.errors import ConfigError

ROOT = Path(__file__).parents[1]
LEASE = "LEASE AGREEMENT made on May 1, 2020 between Ada Sons Ltd. and Bob Corp. Ada Sons Ltd. pays rent number {}."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    make_model().save(folder)
    return str(folder)


@pytest.fixture
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with nine leases and a damaged one, beside which results are written."""
    monkeypatch.chdir(tmp_path)
    Path("leases").mkdir()
    for i in range(9):
        Path(f"leases/{i}.txt").write_text(LEASE.format(i) * 20)
    Path("leases/broken.pdf").write_bytes(b"%PDF-1.4 broken")
    yield tmp_path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches start no processes."""
    stay_here(monkeypatch)


def files(folder: str) -> dict[str, bytes]:
    """The content of all tables."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).glob("*/*.*")}


def rows(folder: str, table: str) -> list[dict[str, object]]:
    return dataset.dataset(f"{folder}/{table}").to_table().to_pylist()


def test_a_folder_is_read_into_tables(leases: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["extract", "leases", "-o", "out/", "--model", model])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert "broken.pdf: failed: 15 bytes that start like a PDF" in err and "out: 9 ok, 1 failed" in err
    documents = {Path(str(row["address"])).name: row for row in rows("out", "documents")}
    assert [documents[f"{i}.txt"]["state"] for i in range(9)] == ["ok"] * 9
    assert documents["broken.pdf"]["error"] == "CorruptDocumentError"
    pipeline = longdoc.Pipeline.from_pretrained(model)
    expected = pipeline(Path("leases/3.txt"))
    found = [row for row in rows("out", "entities") if row["document_id"] == expected.document.source.sha256]
    assert [(row["start"], row["end"], row["label"]) for row in found] == [
        (e.start, e.end, e.label) for e in expected.entities
    ]
    assert expected.entities

    before = files("out")
    assert cli.main(["extract", "leases", "-o", "out/", "--model", model]) == 1
    assert "10 documents skipped: done before" in capsys.readouterr().err
    assert cli.main(["extract", "leases", "-o", "out/", "--model", model, "--precision", "int8"]) == 2
    assert 'settings.precision was "auto", is now "int8"' in capsys.readouterr().err
    assert files("out") == before


@pytest.mark.usefixtures("here")
def test_status_shows_the_documents_that_were_not_read(
    leases: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["extract", "leases", "-o", "out/", "--model", model, "--quiet"])
    assert capsys.readouterr() == ("", "")
    assert cli.main(["status", "out"]) == 1
    shown = capsys.readouterr().out
    assert re.search(r"out: ended; begun", shown) and "9 ok" in shown and "1 failed" in shown
    assert f"{leases}/leases/broken.pdf: failed (CorruptDocumentError): 15 bytes" in shown
    assert cli.main(["status", "out", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["counts"]["ok"] == 9

    shutil.copy("leases/0.txt", "leases/broken.pdf")  # its content decides, and it is a copy of another document
    assert cli.main(["extract", "leases", "-o", "out/", "--model", model, "--quiet"]) == 1
    Path("leases/broken.pdf").unlink()
    shutil.copy("leases/0.txt", "leases/whole.txt")
    assert cli.main(["extract", "leases", "-o", "out/", "--model", model]) == 0, "what is gone is no failure"
    assert "1 document no inputs any more" in capsys.readouterr().err
    assert cli.main(["status", "out"]) == 0
    assert re.search(r"removed: no inputs of the last run.*\n  .*broken.pdf: failed", capsys.readouterr().out)
    same = {Path(str(row["address"])).name: row["same_as"] for row in rows("out", "documents")}
    assert same["whole.txt"] == f"{leases}/leases/0.txt"


@pytest.mark.usefixtures("here")
def test_other_settings_are_refused_and_overwrite_replaces(
    leases: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ["extract", "leases/1.txt", "-o", "out/", "--model", model]
    assert cli.main(first) == 0
    assert cli.main([*first, "--tasks", "contract"]) == 2
    assert 'settings.tasks was null, is now ["contract"]' in capsys.readouterr().err
    assert cli.main([*first, "--tasks", "contract", "--overwrite"]) == 0
    assert {row["label"] for row in rows("out", "entities")} <= {"PARTY", "DOCUMENT_NAME", "AGREEMENT_DATE"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_other_formats_of_a_folder(leases: Path, model: str, format: str) -> None:
    assert (
        cli.main(["extract", "leases/1.txt", "leases/2.txt", "-o", "out/", "--model", model, "--format", format]) == 0
    )
    table = "documents" if format == "csv" else "predictions"
    assert "leases/2.txt" in Path(f"out/{table}/part-00000.{format}").read_text()


@pytest.mark.usefixtures("here")
def test_progress_for_machines(leases: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["extract", "leases", "-o", "out/", "--model", model, "--json-progress"])
    *progress, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["documents"] for line in progress] == [0, 10] and progress[-1]["failed"] == 1
    assert progress[-1]["seconds_left"] == 0 and progress[-1]["tokens_per_second"] > 0
    assert (end["event"], end["states"]["ok"]) == ("end", 9)


@pytest.mark.usefixtures("here")
def test_a_list_of_files(leases: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("list.txt").write_text("leases/1.txt\nleases/none.txt\n")
    assert cli.main(["extract", "--files-from", "list.txt", "-o", "out/", "--model", model]) == 1
    assert "list.txt, line 2: leases/none.txt: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["extract"], "give files or folders"),
        (["extract", "leases", "--workers", "2"], "--workers is for many documents into a folder"),
        (["extract", "leases", "-o", "a.jsonl", "--retry-failed"], "-o OUT/"),
        (["extract", "none", "-o", "out/"], "none: cannot be read"),
        (["extract", "leases", "-o", "out/", "--format", "html"], "allowed: parquet, csv, jsonl"),
        (["extract", "leases", "-o", "out/", "--ray-address", "auto"], "needs the engine ray"),
        (["extract", "leases", "-o", "out/", "--ray-gpus", "0.5"], "needs the engine ray"),
        (["extract", "leases", "-o", "leases/"], "is given as documents and for the results"),
        (["extract", "leases", "-o", "leases/1.txt/"], "is a file"),
        (["extract", "leases", "-o", "out/", "--tasks", "lawyer"], "the model has no task lawyer"),
        (["extract", "leases", "-o", "out/", "--model", "nowhere"], "nowhere is neither a folder with a model"),
        (["extract", "leases", "-o", "out/", "--model", "n" * 300], "nnn: cannot be looked at (File name too long)"),
        (["status", "leases"], "holds no results of `longdoc extract`"),
    ],
)
def test_what_cannot_be_done_is_refused_with_status_2(
    leases: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_from_python_with_progress(leases: Path, model: str) -> None:
    seen: list[Progress] = []
    ended = extract_many(["leases"], "out", model=model, glob="[0-3].txt", progress=seen.append)
    assert (ended.counts["ok"], ended.has_ended, ended.failures) == (4, True, ())
    assert [(each.documents, each.of) for each in seen] == [(0, 4), (4, 4)]
    with pytest.raises(ConfigError, match=r"unknown format 'parket'.*did you mean 'parquet'"):
        extract_many(["leases"], "out", format="parket")
    with pytest.raises(ConfigError, match="workers must be an integer"):
        extract_many(["leases"], "out", workers=0)
    with pytest.raises(TypeError, match="tusks"):
        extract_many(["leases"], "out", tusks=["contract"])  # type: ignore[call-arg]


def test_groups_depend_on_the_inputs_alone() -> None:
    inputs = [Input(f"/{i}", size, 0) for i, size in enumerate([10**6] * 9 + [100] * 700)]
    sizes = [len(group) for group in groups_of(inputs)]
    assert sizes == [8, 1 + 448, 252] and sum(sizes) == len(inputs)
    rest = [each for group in list(groups_of(inputs))[1:] for each in group]
    assert list(groups_of(rest)) == list(groups_of(inputs))[1:], "what is left of a run has the same groups"


@pytest.mark.parametrize(("text", "size"), [("2GB", 2 * 10**9), ("1.5mb", 1_500_000), ("4096", 4096)])
def test_amounts_of_memory(text: str, size: int) -> None:
    parser = cli.parser()
    assert parser.parse_args(["extract", "a", "--memory", text]).memory == size
    with pytest.raises(SystemExit):
        parser.parse_args(["extract", "a", "--memory", f"{text}x"])
    assert batch.duration(3661) == "1 h 1 min"


@pytest.mark.usefixtures("here")
def test_the_query_of_the_guide_runs_on_real_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    section = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    command = next(line for line in section.splitlines() if line.startswith("longdoc extract")).split()[1:]
    contracts = [
        str(ROOT / "examples" / "contracts" / f"{name}.pdf")
        for name in ("cano-petroleum-sponsorship", "mphase-distribution")
    ]
    monkeypatch.chdir(tmp_path)
    assert cli.main([part for each in command for part in (contracts if each == "examples/contracts" else [each])]) == 0
    query = section.partition("```python\n")[2].partition("```")[0]
    capsys.readouterr()
    exec(query, {})
    shown = capsys.readouterr().out
    assert "Cano Petroleum, Inc." in shown and "2008-12-31" in shown and "New York" in shown


@pytest.mark.usefixtures("here")
def test_what_the_model_cannot_do_costs_no_results_and_leaves_no_run(
    leases: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["extract", "leases/1.txt", "-o", "out/", "--model", model, "--tasks", "lawyer"]
    assert cli.main(wrong) == 2
    assert cli.main(wrong[:-2]) == 0, "the corrected command was refused"
    before = files("out")
    assert cli.main([*wrong, "--overwrite"]) == 2
    assert files("out") == before
    assert cli.main(["extract", "leases/1.txt", "-o", "folder"]) == 2
    assert "end it with a slash" in capsys.readouterr().err


@pytest.mark.parametrize("heads", [None, ()], ids=["all heads", "no heads"])
def test_a_batch_makes_the_record_that_the_pipeline_makes(heads: tuple[str, ...] | None) -> None:
    model = make_model()
    if heads is not None:  # none of the model is for contracts
        model.config = replace(model.config, heads_for={"contract": heads})
    pipeline = longdoc.Pipeline(model)
    document = longdoc.load(ROOT / "examples" / "contracts" / "cano-petroleum-sponsorship.pdf")
    ((found, reason),) = Request.of(record="contract").read(pipeline, [document])
    assert (found, reason) == (pipeline.record(document, "contract"), "")
    assert found.record is not None and bool(found.tasks) == (heads is None)


def resident() -> int:
    """Bytes of memory that this process holds."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, and glibc")
def test_after_a_group_free_memory_goes_back_to_the_system(model: str) -> None:
    extractor = Extractor(Request.of(model=model), WRITERS["jsonl"])
    extractor(())
    blocks = [b"x" * 100_000 for _ in range(1000)]
    del blocks[:-1]  # the last one is in the way of what is before it
    before = resident()
    extractor(())
    assert before - resident() > 50_000_000


def test_the_process_with_the_model_keeps_code_for_few_shapes(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "9")
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY")
    Extractor(Request.of(model=model), WRITERS["jsonl"]).load()
    assert (os.environ["LRU_CACHE_CAPACITY"], os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]) == ("9", "64")
