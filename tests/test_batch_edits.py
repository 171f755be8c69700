"""Folders that change between runs: the tables are those of a fresh run, and what is "ok" has its rows."""

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from chaotic import Light
from conftest import CORPUS
from longdoc.batch import extract, stages
from longdoc.batch.progress import read_status

pytest.importorskip("pyarrow")
from pyarrow import parquet

BAD = "{\\rtf1 not read}"
TEXTS = (CORPUS[0], CORPUS[0], CORPUS[1], CORPUS[2], BAD, "")
NAMES = ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
READ = ("ok", "partial")


class Here:
    """An engine in this process, which may be interrupted after some groups."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after

    def extract(self, job, writer, inputs, *_):
        loader, extractor = stages.Loader(job), stages.Extractor(job, writer)
        extractor._pipeline = Light()
        for number, group in enumerate(stages.groups_of(inputs)):
            if number == self.stop_after:
                raise KeyboardInterrupt
            yield extractor([loader(each) for each in group])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of documents that are read one by one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stages, "_IN_GROUP", 1)
    monkeypatch.setattr(stages, "_LARGE", 1)
    monkeypatch.setattr(extract, "fingerprint", str)
    Path("in").mkdir()
    return tmp_path


def run(out="out", paths=("in",), *, format="jsonl", stop_after=None, in_a_part=2, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "_engine", lambda *_: Here(stop_after))
        patch.setattr(extract, "GROUPS_IN_PART", in_a_part)
        return extract.extract_many(paths, out, format=format, **options)


def write(name, text, time):
    Path("in", name).write_text(text)
    os.utime(Path("in", name), ns=(0, time))


def content(out, format):
    """Name of each document in the tables → its state and id; and the rows of findings: id and text, with counts."""
    if format == "jsonl":
        lines = [json.loads(line) for path in Path(out).glob("*/part-*") for line in path.read_bytes().splitlines()]
        documents = [(each["source"], each["status"]["state"], each["status"]["id"]) for each in lines]
        findings = [(each["status"]["id"], one["text"]) for each in lines for one in each.get("entities", ())]
        owners = [each["status"]["id"] for each in lines if "entities" in each]
    else:
        rows = [row for path in Path(out, "documents").glob("*") for row in parquet.read_table(path).to_pylist()]
        documents = [(row["address"], row["state"], row["document_id"] or "") for row in rows]
        found = [row for path in Path(out, "entities").glob("*") for row in parquet.read_table(path).to_pylist()]
        findings = [(row["document_id"], row["text"]) for row in found]
        pages = [row for path in Path(out, "pages").glob("*") for row in parquet.read_table(path).to_pylist()]
        owners = [row["document_id"] for row in pages]
    assert len(documents) == len({name for name, *_ in documents}), "a document stands in the tables once"
    return {Path(name).name: (state, id) for name, state, id in documents}, Counter(findings), Counter(owners)


def check_whole(out, format):
    """Every document that was read has its rows, once, and no rows are without a document."""
    documents, findings, owners = content(out, format)
    read = {id for state, id in documents.values() if state in READ}
    assert set(owners) == read and set(owners.values()) <= {1}
    assert {id for id, _ in findings} <= read
    return documents, findings


def check_fresh(names, format):
    """The documents that are there have the states and the rows of a fresh run."""
    documents, findings = check_whole("out", format)
    shutil.rmtree("fresh", ignore_errors=True)
    run("fresh", [f"in/{name}" for name in names], format=format)
    fresh, rows = check_whole("fresh", format)
    assert {name: documents[name] for name in names} == fresh
    ids = {id for state, id in fresh.values() if state in READ}
    assert {key: n for key, n in findings.items() if key[0] in ids} == rows
    status = read_status("out")
    assert sum(status.counts.values()) == len(names)
    assert sorted(Path(each.address).name for each in status.removed) == sorted({*documents} - {*names})


@pytest.mark.parametrize(("format", "seed"), [*(("jsonl", seed) for seed in range(5)), ("parquet", 5)])
def test_after_any_edits_the_tables_are_those_of_a_fresh_run(folder, format, seed):
    chance = random.Random(seed)
    for step in range(6 if format == "jsonl" else 3):
        for name in chance.sample(NAMES, chance.randint(1, 4)):
            if chance.random() < 0.3:
                Path("in", name).unlink(missing_ok=True)
            else:
                write(name, chance.choice(TEXTS), step + 1)
        there = sorted(path.name for path in Path("in").iterdir())
        given = [name for name in there if chance.random() < 0.8] or there
        if all(Path("in", name).read_text() in (BAD, "") for name in given):
            write(given[0] if given else "a.txt", CORPUS[0], step + 1)
            given = given or ["a.txt"]
        if chance.random() < 0.1 and (lost := sorted(Path("out").glob("*/part-*"))):
            chance.choice(lost).unlink()
        options = {"format": format, "in_a_part": chance.choice([1, 2]), "retry_failed": chance.random() < 0.2}
        paths = [f"in/{name}" for name in given]
        try:
            run(paths=paths, stop_after=chance.choice([None, 0, 1, 2]), **options)
        except KeyboardInterrupt:
            check_whole("out", format)
        run(paths=paths, **options)
        check_fresh(given, format)


@pytest.mark.parametrize("owner", ["changed", "deleted", "failed", "kept"])
@pytest.mark.parametrize("copy", ["changed", "deleted", "failed", "left out", "kept"])
@pytest.mark.parametrize("order", ["at once", "owner first", "copy first"])
def test_a_document_and_its_copy_change_in_any_order(folder, owner, copy, order):
    for name in NAMES[:3]:
        write(name, CORPUS[0] if name != "c.txt" else CORPUS[1], 1)
    run()
    deeds = [("a.txt", owner), ("b.txt", copy)]
    for group in {"at once": [deeds], "owner first": [deeds[:1], deeds[1:]], "copy first": [deeds[1:], deeds[:1]]}[
        order
    ]:
        given = {path.name for path in Path("in").iterdir()}
        for name, deed in group:
            if deed == "deleted":
                Path("in", name).unlink()
            elif deed in ("changed", "failed"):
                write(name, CORPUS[2] if deed == "changed" else BAD, 2)
            if deed in ("deleted", "left out"):
                given.discard(name)
        run(paths=[f"in/{name}" for name in sorted(given)])
        check_fresh(sorted(given), "jsonl")


def test_a_failed_document_that_is_removed_is_no_failure(folder):
    write("a.txt", CORPUS[0], 1)
    write("b.txt", BAD, 1)
    assert [Path(each.address).name for each in run().failures] == ["b.txt"]
    Path("in/b.txt").unlink()
    status = run()
    assert status.failures == () and status.counts["ok"] == 1
    assert [(Path(each.address).name, each.state) for each in status.removed] == [("b.txt", "failed")]
    write("b.txt", BAD, 1)
    assert [Path(each.address).name for each in run().failures] == ["b.txt"]


def test_a_copy_that_is_read_before_its_changed_original_takes_the_rows_over(folder):
    write("m.txt", TEXTS[0], 1)
    run()
    write("a.txt", TEXTS[0], 1)
    run()
    write("m.txt", TEXTS[2], 2)
    with pytest.raises(KeyboardInterrupt):
        run(stop_after=1, in_a_part=1)
    check_whole("out", "jsonl")
    run()
    check_fresh(["a.txt", "m.txt"], "jsonl")
