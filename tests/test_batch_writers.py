"""What a run writes: rows of content once, and copies of parts with the bytes of what would be written for the rest."""

import io
import json
import os
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc import Document, Prediction
from longdoc.batch.inputs import find_inputs, sha256_of
from longdoc.batch.journal import Run
from longdoc.batch.status import Status, with_same_as
from longdoc.batch.writers import WRITERS, LinesWriter
from longdoc.edits import Edits
from longdoc.errors import BatchError
from longdoc.findings import place
from longdoc.labels import Entity, Label
from longdoc.outputs import FORMATS, Outcome
from longdoc.outputs.columns import TABLES

pytest.importorskip("pyarrow")
from pyarrow import parquet

TABLE_FORMATS = ("parquet", "csv")
TEXTS = {
    "formula": "=cmd|'x'!A0,\"y\"\nnext \"line\r\n'=1",
    "nul": "a\0b\t c",
    "surrogate": "caf\udce9 d\ud83d",
    "plain": "Lease between Ada Ltd. and Bob.",
    "quotes": '""\n",\n\n"',
    "empty": "",
}


def outcome(text: str, address: str, **more) -> tuple[Status, Prediction]:
    """A document whose findings are the whole text, its words and its label."""
    document = Document.from_text(text, name="a", edits=Edits.of([]))
    found = [(0, len(document.text)), *(match.span() for match in re.finditer(r"\S+", document.text))]
    entities = tuple(Entity(label="=X", score=0.5, **place(document, *at)) for at in found if at[0] < at[1])
    labels = (Label(name='"l,\n', score=0.25),)
    status = Status(**{"address": address, "id": document.source.sha256, "state": "ok", "seconds": 0.5, **more})
    return status, Prediction(document=document, entities=entities, labels=labels)


def failure(address: str, id: str = "", **more) -> tuple[Status, None]:
    return Status(address=address, id=id, state="failed", reason='=no "text"\n', error="NoTextLayerError", **more), None


def odd_outcomes() -> list:
    """Texts and names that are hard to write, and failures with and without an id."""
    read = [outcome(text, f"/in/{name}\udce9.txt") for name, text in TEXTS.items()]
    return [failure("/in/=1.pdf"), *read, failure('/in/,\n".pdf', read[0][0].id), failure("/in/z.pdf")]


def written(writer, rows) -> dict[str, bytes]:
    made = {}
    for table, own in rows.items():
        stream = io.BytesIO()
        writer.write(table, own, stream)
        made[table] = stream.getvalue()
    return made


def folder_of(path: Path, writer, rows) -> Path:
    for table, data in written(writer, rows).items():
        (path / table).mkdir(parents=True, exist_ok=True)
        (path / table / f"part-00000{writer.suffix}").write_bytes(data)
    return path


def copied(path: Path, writer, tables, members, without) -> dict[str, bytes]:
    made = {}
    for table in tables:
        stream = io.BytesIO()
        source = path / table / f"part-00000{writer.suffix}"
        writer.copy(table, source, stream, members=members, without=without)
        made[table] = stream.getvalue()
    return made


def lines(rows) -> list[dict]:
    return [json.loads(line) for line in rows["predictions"]]


def ids(table) -> list[str]:
    return table["document_id"].to_pylist()


@pytest.mark.parametrize("name", WRITERS)
def test_writers_and_rows_are_picklable_and_the_same_rows_give_the_same_bytes(name):
    writer = WRITERS[name]
    assert pickle.loads(pickle.dumps(writer)) == writer and writer.suffix == f".{name}"
    every = odd_outcomes()
    rows = writer.rows(every, model="m")
    again = pickle.loads(pickle.dumps(writer.rows(every, model="m")))
    parts = [writer.rows([each], model="m") for each in every]
    assert written(writer, rows) == written(writer, again) == written(writer, writer.join(parts))
    assert list(rows) == (["predictions"] if name == "jsonl" else [*TABLES])


@pytest.mark.parametrize("name", WRITERS)
def test_no_documents_give_empty_tables_and_copies_of_them(name, tmp_path):
    writer = WRITERS[name]
    rows = writer.rows([], model="m")
    assert written(writer, rows) == written(writer, writer.join([]))
    assert copied(folder_of(tmp_path, writer, rows), writer, rows, [], {"/in/a"}) == written(writer, rows)
    failed = writer.rows([failure("/in/a"), failure("/in/b")], model="m")
    members = [failure("/in/a")[0], failure("/in/b")[0]]
    rest = copied(folder_of(tmp_path, writer, failed), writer, failed, members, {"/in/a"})
    assert rest == written(writer, writer.rows([failure("/in/b")], model="m"))


@pytest.mark.parametrize("name", WRITERS)
def test_a_copy_has_the_bytes_of_what_is_written_for_the_rest(name, tmp_path):
    writer, every = WRITERS[name], odd_outcomes()
    rows = writer.rows(every, model="m")
    folder, members = folder_of(tmp_path, writer, rows), [status for status, _ in every]
    choices = [{status.address} for status in members] + [{each.address for each in members[i:]} for i in range(9)]
    for without in choices:
        rest = writer.rows([each for each in every if each[0].address not in without], model="m")
        assert copied(folder, writer, rows, members, {*without, "/unknown"}) == written(writer, rest), without
    assert copied(folder, writer, rows, members, {"/unknown"}) == written(writer, rows)


@pytest.mark.parametrize("name", WRITERS)
def test_names_that_tables_show_alike_are_told_apart_in_a_copy(name, tmp_path):
    writer = WRITERS[name]
    every = [outcome("one", "/caf\udce9"), outcome("two", "/caf\\udce9"), failure("/caf\\xe9")]
    rows = writer.rows(every, model="m")
    folder, members = folder_of(tmp_path, writer, rows), [status for status, _ in every]
    rest = copied(folder, writer, rows, members, {"/caf\udce9"})
    # Escapes are counted document by document, so that the rest is what it would be alone.
    assert rest == written(writer, writer.rows(every[1:], model="m"))


@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_content_is_written_once_within_a_group(name):
    every = [failure("/x"), outcome("ab c", "/a"), outcome("ab c", "/b"), outcome("other", "/c"), outcome("ab c", "/d")]
    rows = WRITERS[name].rows(every, model="m")
    alone = WRITERS[name].rows([every[1], every[3]], model="m")
    assert rows["documents"]["address"].to_pylist() == ["/x", "/a", "/b", "/c", "/d"]
    assert rows["documents"]["same_as"].to_pylist() == [None, None, "/a", None, "/a"]
    assert rows["documents"]["characters"].to_pylist() == [None, 4, 4, 5, 4]
    assert all(rows[table] == alone[table] for table in TABLES if table != "documents")


@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_content_is_written_once_across_groups(name):
    writer = WRITERS[name]
    groups = [
        [outcome("one", "/a"), outcome("two", "/b\udce9"), failure("/f")],
        [failure("/g"), outcome("two", "/c"), outcome("three", "/d"), outcome("two", "/e")],
    ]
    owners: dict[str, str] = {}
    settled = []
    for group in groups:
        statuses = with_same_as([status for status, _ in group], owners)
        settled.append(writer.without_content(writer.rows(group, model="m"), statuses))
    whole = writer.rows([each for group in groups for each in group], model="m")
    assert written(writer, writer.join(settled)) == written(writer, whole)
    assert owners == {outcome(text, "")[0].id: at for text, at in (("one", "/a"), ("two", "/b\udce9"), ("three", "/d"))}
    assert whole["documents"]["same_as"].to_pylist() == [None, None, None, None, "/b\\udce9", None, "/b\\udce9"]
    assert ids(whole["pages"]) == list(owners)


def test_the_line_of_a_document_with_known_content_has_no_findings():
    writer = WRITERS["jsonl"]
    every = [outcome("ab c", "/a"), outcome("ab c", "/b"), outcome("other", "/c")]
    rows = writer.rows(every, model="m")
    statuses = with_same_as([status for status, _ in every], {every[2][0].id: "/earlier\udce9"})
    first, second, third = lines(writer.without_content(rows, statuses))
    assert first == lines(rows)[0] and first["entities"]
    assert set(second) == set(third) == {"source", "status"}
    assert second["status"]["same_as"] == "/a" and third["status"]["same_as"] == "/earlier\\xe9"


@pytest.mark.parametrize("name", WRITERS)
def test_statuses_that_would_lose_content_are_refused(name):
    writer, every = WRITERS[name], [outcome("x", "/a"), outcome("x", "/b")]
    rows = writer.rows(every, model="m")
    first, second = (status for status, _ in every)
    with pytest.raises(ValueError, match="1 statuses for 2 documents"):
        writer.without_content(rows, [first])
    with pytest.raises(ValueError, match="/b: its content is written for another"):
        writer.without_content(rows, [replace(first, same_as="/b"), second])


def test_lines_say_what_longdoc_extract_writes_and_the_whole_status():
    read, missing = outcome(TEXTS["formula"], "/caf\udce9\n.txt", attempts=2, tokens=7), failure("/bad")
    first, second = lines(LinesWriter().rows([read, missing], model="m"))
    stream = io.StringIO()
    FORMATS["jsonl"].write([Outcome("/caf\\xe9\\n.txt", read[1])], stream)
    assert {**first, "status": "ok"} == json.loads(stream.getvalue())
    assert first["status"] == {
        "address": "/caf\\xe9\\n.txt", "id": read[0].id, "state": "ok", "reason": "", "error": "",
        "pages": 0, "tokens": 7, "same_as": "",
    }  # fmt: skip
    assert list(first)[:2] == ["source", "status"]
    assert (second["error"], second["message"]) == ("NoTextLayerError", '=no "text"\n') and "entities" not in second
    assert Prediction.from_dict(first, read[1].document).entities == read[1].entities


ODD = "a\udce9b\ud83d \0 \u2028 \x85 \x01 \x7f \r c"


def test_lines_are_json_for_strict_readers_whatever_the_text(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    read = outcome(ODD, "/a.txt")
    stream = io.StringIO()
    FORMATS["jsonl"].write([Outcome("/caf\udce9.txt", read[1])], stream)
    escaped = ODD.replace("\udce9", "\\udce9").replace("\ud83d", "\\ud83d")
    for number, data in enumerate((stream.getvalue().encode(), *LinesWriter().rows([read], model="m")["predictions"])):
        (tmp_path / f"{number}.jsonl").write_bytes(data)
        query = f"SELECT entities[1].text, escaped FROM '{tmp_path}/{number}.jsonl'"
        n_in_name = 1 - number  # the other name is shown
        assert duckdb.sql(query).fetchall() == [(escaped, 4 + n_in_name)]
    plain, _ = lines(LinesWriter().rows([outcome("Lease", "/a.txt"), failure("/b.txt")], model="m"))
    assert "escaped" not in plain


@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_a_failed_document_does_not_keep_the_rows_of_its_content(name, tmp_path):
    read = outcome("one", "/a")
    every = [read, failure("/b", read[0].id), failure("/c")]
    writer = WRITERS[name]
    rows = writer.rows(every, model="m")
    folder, members = folder_of(tmp_path, writer, rows), [status for status, _ in every]
    assert copied(folder, writer, rows, members, {"/a"}) == written(writer, writer.rows(every[1:], model="m"))
    assert copied(folder, writer, rows, members, {"/b", "/c"}) == written(writer, writer.rows(every[:1], model="m"))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[: len(data) // 2], lambda data: b""])
def test_a_damaged_file_is_an_error_with_a_remedy(name, damage, tmp_path):
    writer, every = WRITERS[name], [outcome("one", "/a"), outcome("two", "/b"), failure("/c")]
    rows = writer.rows(every, model="m")
    folder, table = folder_of(tmp_path, writer, rows), next(iter(rows))
    path = folder / table / f"part-00000{writer.suffix}"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BatchError, match=rf"part-00000{writer.suffix}: the file is damaged, .* remove it and run the"):
        copied(folder, writer, [table], [status for status, _ in every], {"/a"})


# --------------------------------------------------------------------------------------------------- with the journal


def commit_all(run, writer, inputs, *, in_a_part=2, stop_after=None):
    """What a batch does: reads groups, settles who owns the content, and commits."""
    pending = run.pending(inputs)
    owners = run.owners()
    for start in range(0, len(pending.to_read), in_a_part):
        if stop_after is not None and start >= stop_after * in_a_part:
            raise KeyboardInterrupt
        group = pending.to_read[start : start + in_a_part]
        read = [outcome(Path(each.address).read_text(), each.address, id=sha256_of(each.address)) for each in group]
        statuses = with_same_as([status for status, _ in read], owners)
        rows = writer.without_content(writer.rows(read, model="m"), statuses)
        run.commit(list(zip(group, statuses, strict=True)), rows)
    return [Path(each.address).name for each in pending.to_read]


def content(name) -> tuple[dict[str, str | None], list[str]]:
    """Name of each document → that of its owner; and the texts that have rows, with the findings of the whole text."""
    if name == "jsonl":
        found = [
            json.loads(line) for path in Path("out/predictions").iterdir() for line in path.read_bytes().splitlines()
        ]
        owners = {each["source"]: each["status"]["same_as"] for each in found}
        texts = [each["entities"][0]["text"] for each in found if "entities" in each]
    elif name == "csv":
        polars = pytest.importorskip("polars")
        documents = polars.read_csv("out/documents/*.csv").to_dicts()
        owners = {each["address"]: each["same_as"] for each in documents}
        texts = [each["text"] for each in polars.read_csv("out/entities/*.csv").to_dicts() if " " in each["text"]]
    else:
        owners = {each["address"]: each["same_as"] for each in parquet.read_table("out/documents").to_pylist()}
        texts = [each["text"] for each in parquet.read_table("out/entities").to_pylist() if " " in each["text"]]
    return {Path(one).name: Path(own).name if own else None for one, own in owners.items()}, sorted(texts)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("in_a_part", [1, 2, 5])
@pytest.mark.parametrize("changed", ["a", "b", "c"])
def test_duplicates_keep_their_rows_when_their_owner_changes_and_the_run_is_killed(
    name, in_a_part, changed, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for each in "abc":
        Path("in", each).write_text("same words")
    Path("in/d").write_text("other words")
    writer = WRITERS[name]

    def run(**more):
        with Run.open("out", model="m", settings={}, writer=writer) as opened:
            return commit_all(opened, writer, find_inputs(["in"]), in_a_part=in_a_part, **more)

    assert run() == ["a", "b", "c", "d"]
    assert content(name) == ({"a": None, "b": "a", "c": "a", "d": None}, ["other words", "same words"])
    assert run() == []
    Path("in", changed).write_text("new words")
    os.utime(Path("in", changed), ns=(0, 5))
    try:
        first = run(stop_after=1)
    except KeyboardInterrupt:
        first = None
    second = run()
    if changed != "a":
        assert (first, second) == ([changed], [])
    elif in_a_part < 3:
        assert (first, second) == (None, [*"abc"[in_a_part:]])
    else:
        assert (first, second) == ([*"abc"], [])
    owner = next(each for each in "abc" if each != changed)
    expected = {each: None if each in (changed, owner) else owner for each in "abc"} | {"d": None}
    assert content(name) == (expected, ["new words", "other words", "same words"])
    assert run() == []


# ------------------------------------------------------------------------------------------------------ other readers


@pytest.fixture(params=WRITERS)
def out(request, tmp_path, monkeypatch) -> str:
    """The files of a folder, which are copies; the format."""
    writer, every = WRITERS[request.param], odd_outcomes()
    rows = writer.rows(every, model="m")
    folder = folder_of(tmp_path, writer, rows)
    rest = copied(folder, writer, rows, [status for status, _ in every], {"/in/z.pdf", "/in/quotes\udce9.txt"})
    for table, data in rest.items():
        (folder / table / f"part-00000{writer.suffix}").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return request.param


def test_duckdb_reads_what_was_copied(out):
    duckdb = pytest.importorskip("duckdb")
    if out == "jsonl":
        query = "SELECT source, status.state FROM read_json('predictions/*.jsonl', format = 'newline_delimited')"
    else:
        query = f"SELECT address, state FROM 'documents/*.{out}'"
    states = [state for _, state in duckdb.sql(query).fetchall()]
    assert (states.count("ok"), states.count("failed")) == (len(TEXTS) - 1, 2)
    if out != "jsonl":
        source = "read_csv('entities/*.csv', quote = '\"', escape = '\"')" if out == "csv" else "'entities/*.parquet'"
        texts = [text for (text,) in duckdb.sql(f"SELECT text FROM {source} WHERE start = 0").fetchall()]
        assert any(text.lstrip("'") == TEXTS["formula"].lstrip("'") for text in texts)


def test_polars_reads_what_was_copied(out):
    polars = pytest.importorskip("polars")
    if out == "jsonl":
        states = polars.read_ndjson("predictions/*.jsonl")["status"].struct.field("state").to_list()
        assert states.count("ok") == len(TEXTS) - 1
        return
    read = polars.read_parquet if out == "parquet" else polars.read_csv
    documents, entities = read(f"documents/*.{out}"), read(f"entities/*.{out}")
    assert documents["state"].to_list().count("ok") == len(TEXTS) - 1
    whole = entities.filter(polars.col("start") == 0)["text"].to_list()
    assert any(text.lstrip("'") == TEXTS["formula"] for text in whole)


def test_pandas_reads_what_was_copied(out):
    pandas = pytest.importorskip("pandas")
    if out == "jsonl":
        read = pandas.read_json("predictions/part-00000.jsonl", lines=True)
        states = [status["state"] for status in read["status"]]
    elif out == "csv":
        states = pandas.read_csv("documents/part-00000.csv")["state"].tolist()
    else:
        states = pandas.read_parquet("documents")["state"].tolist()
    assert states.count("ok") == len(TEXTS) - 1
