# ruff: noqa: F811 (fixtures)
"""Evaluations that are interrupted continue where they stopped, and give the report of an undisturbed run."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from longdoc.cli import main
from longdoc.evaluation import evaluate, part, state_file
from longdoc.evaluation.journal import Journal, plain, restored
from longdoc.evaluation.progress import Progress
from longdoc.metrics.results import EntityResult, Result
from longdoc.model import Model
from test_evaluation import ALL, ENTITIES, asking, folder, write  # noqa: F401

TIMES = ("seconds", "megabytes")


def timeless(report):
    """The report's content without what differs between two runs."""
    record = report if isinstance(report, dict) else report.to_dict()
    return {
        **record,
        "encoders": {
            encoder: {name: {k: v for k, v in row.items() if k not in TIMES} for name, row in rows.items()}
            for encoder, rows in record["encoders"].items()
        },
    }


@pytest.fixture
def stretches(monkeypatch):
    """Makes each document a stretch of its own, and counts those that are scored; ``stop_at`` interrupts."""
    scored, score = [], part.score
    state = {"stop_at": None}

    def counted(pipeline, annotation, views, labels):
        if isinstance(pipeline, part.Watched):
            if state["stop_at"] == len(scored):
                raise KeyboardInterrupt
            scored.append(views[0].example.id)
        return score(pipeline, annotation, views, labels)

    monkeypatch.setattr(part, "score", counted)
    monkeypatch.setattr(part, "GROUPS_IN_A_STRETCH", 0)
    state["scored"] = scored
    return state


EVERYTHING = {"model": "asking", "encoders": ["windows", "sparse"], "datasets": ALL, "baselines": True}


def test_an_interrupted_evaluation_continues_after_any_document(asking, stretches):
    path = write(asking, **EVERYTHING, output="report.json")
    whole = timeless(evaluate(path))
    n_documents = len(stretches["scored"])
    assert n_documents == 12 and not state_file(path).exists()
    for stop_at in (1, 5, n_documents - 1):
        stretches["scored"].clear()
        stretches["stop_at"] = stop_at
        with pytest.raises(KeyboardInterrupt):
            evaluate(path)
        first = list(stretches["scored"])
        assert state_file(path).exists()
        stretches["scored"].clear()
        stretches["stop_at"] = None
        said = []
        assert timeless(evaluate(path, tell=said.append)) == whole
        assert len(first) + len(stretches["scored"]) == n_documents, "no document is read twice, none is left out"
        figures = [line for line in said if " documents, " in line and " of " not in line]
        assert len(figures) == 8 and figures[-1].startswith("questions, sparse: F1 ")
        assert "from an earlier run" in figures[0] and "from an earlier run" not in figures[-1]
        assert not state_file(path).exists()
    assert timeless(json.loads((asking / "report.json").read_text(encoding="utf-8"))) == whole


def change_weights(folder):
    model = Model.from_pretrained(folder / "model")
    with torch.no_grad():
        next(model.parameters()).add_(0.5)
    model.save(folder / "model")


def change_threshold(folder):
    record = json.loads((folder / "model" / "config.json").read_text())
    record["longdoc"]["heads"]["contract"]["subwords"] = "first"
    (folder / "model" / "config.json").write_text(json.dumps(record))


def change_a_label(folder):
    text = (folder / "data.jsonl").read_text()
    (folder / "data.jsonl").write_text(text.replace('"Disease"', '"Chemical"', 1))


def change_a_text(folder):
    text = (folder / "data.jsonl").read_text()
    (folder / "data.jsonl").write_text(text.replace("severe", "Severe", 1))


CHANGES = {
    "weights": change_weights,
    "a head's setting": change_threshold,
    "a label of the data": change_a_label,
    "a text of the data": change_a_text,
    "a label that is scored": lambda folder: {"datasets": {"data": {**ENTITIES, "labels": {"Chemical": "CHEMICAL"}}}},
    "the encoder": lambda folder: {"encoders": ["sparse"]},
    "the baselines": lambda folder: {"baselines": True},
}


@pytest.mark.parametrize("change", CHANGES)
def test_results_of_other_weights_data_or_settings_are_not_used_again(folder, stretches, change):
    path = write(folder, output=str(folder / "report.json"))
    stretches["stop_at"] = 1
    with pytest.raises(KeyboardInterrupt):
        evaluate(path)
    keys = CHANGES[change](folder)
    path = write(folder, output=str(folder / "report.json"), **(keys or {}))
    stretches["stop_at"] = None
    stretches["scored"].clear()
    found = timeless(evaluate(path))
    assert stretches["scored"] == ["0", "1"], "all is read again"
    stretches["scored"].clear()
    assert timeless(evaluate(path)) == found


def test_unchanged_parts_are_kept_where_the_configuration_gains_a_data_set(folder, stretches):
    stretches["stop_at"] = 2
    with pytest.raises(KeyboardInterrupt):
        evaluate(write(folder, encoders=["windows", "sparse"]))
    stretches["stop_at"] = None
    stretches["scored"].clear()
    said = []
    more = {"data": ENTITIES, "more": {**ENTITIES, "limit": 1}}
    evaluate(write(folder, datasets=more), tell=said.append)
    assert ["earlier" in line for line in said if "micro F1" in line] == [True, False]
    assert stretches["scored"] == ["0"]


def test_a_line_that_a_kill_cut_short_is_read_again(folder, stretches):
    path = write(folder)
    whole = timeless(evaluate(path))
    for cut in (1, 40):
        stretches["scored"].clear()
        stretches["stop_at"] = None
        stretches["stop_at"] = 2 if cut == 1 else 1
        with pytest.raises(KeyboardInterrupt):
            evaluate(write(folder, encoders=["windows", "sparse"]))
        state = state_file(path)
        state.write_text(state.read_text()[:-cut])
        stretches["stop_at"] = None
        assert timeless(evaluate(write(folder))) == whole
        assert not state.exists()


def test_a_folder_that_cannot_be_written_costs_only_the_continuation(folder, caplog):
    (folder / "blocked").write_text("a file, not a folder")
    journal = Journal(folder / "blocked" / "report.json.partial")
    journal.add("a", first=0)
    assert journal.lines("a") == [{"part": "a", "first": 0}]
    assert "cannot be written" in caplog.text and "starts over" in caplog.text


def test_every_result_survives_the_file(asking):
    report = evaluate(write(asking, model="asking", datasets=ALL, baselines=True))
    results = [outcome.result for _, _, outcome in report.outcomes()] + [EntityResult()]
    assert len({type(result) for result in results}) == 5
    for result in results:
        again = restored(json.loads(json.dumps(plain(result))))
        assert type(again) is type(result) and again.to_dict() == result.to_dict()
        assert again + result == result + result
    assert restored({"type": "NoSuchResult", "values": {}}) is None
    assert restored({"type": "EntityResult", "values": {"gone": 1}}) is None
    assert isinstance(restored(plain(results[0])), Result)


# ------------------------------------------------------------------------------------------------------- as a command

SLOWLY = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
from longdoc.cli import main
from longdoc.evaluation import part
score = part.score

def slowly(pipeline, annotation, views, labels):
    time.sleep(0.4)
    return score(pipeline, annotation, views, labels)

part.score = slowly
part.GROUPS_IN_A_STRETCH = 0
sys.exit(main())
"""


def start(path):
    return subprocess.Popen(
        [sys.executable, "-c", SLOWLY, "evaluate", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def wait_for(state, n_lines, process):
    until = time.time() + 120
    while time.time() < until and process.poll() is None:
        if state.exists() and state.read_text().count("\n") >= n_lines:
            return
        time.sleep(0.02)
    raise AssertionError(f"no {n_lines} lines in {state}: {process.communicate()}")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_killed_command_is_repeated_and_gives_the_same_report(folder, capsys, monkeypatch, number):
    monkeypatch.setattr(part, "GROUPS_IN_A_STRETCH", 0)  # as in the command: sums of floats depend on the batches
    keys = {"encoders": ["windows", "sparse"], "datasets": {"data": ENTITIES, "third": {**ENTITIES, "skip": 2}}}
    whole = write(folder, **keys, output=str(folder / "whole.json"))
    assert main(["evaluate", str(whole)]) == 0
    undisturbed = capsys.readouterr()
    assert undisturbed.err.count("micro F1") == 4
    assert re.search(r"^data, windows: 0 of 2 documents, 0 of \d+ tokens$", undisturbed.err, re.MULTILINE)
    path = write(folder, **keys, output=str(folder / "killed.json"))
    state = state_file(path)
    process = start(path)
    wait_for(state, 2, process)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert f"interrupted; what is finished is kept in {state}: run the same command again" in said
        assert "Traceback" not in said
    else:
        assert process.returncode == -signal.SIGKILL
    n_lines = len(state.read_text().splitlines())
    assert main(["evaluate", str(path)]) == 0
    output, said = capsys.readouterr()
    if n_lines > 2:  # the first part, its two documents and its outcome, was finished
        assert "data, windows" in said and "from an earlier run" in said
    names = (folder / "whole.json", folder / "killed.json")
    one, two = (timeless(json.loads(name.read_text(encoding="utf-8"))) for name in names)
    assert one == two
    assert output.splitlines()[2].split("|")[:7] == undisturbed.out.splitlines()[2].split("|")[:7]
    assert not state.exists()


def test_an_interruption_before_anything_is_finished_says_so(folder, monkeypatch, capsys):
    def stop(*args, **options):
        raise KeyboardInterrupt

    path = write(folder)
    monkeypatch.setattr("longdoc.evaluation.Pipeline.from_pretrained", stop)
    assert main(["evaluate", str(path)]) == 130
    assert "interrupted before a part was finished" in capsys.readouterr().err


def test_progress_counts_documents_and_tokens(monkeypatch, capsys):
    said = []
    monkeypatch.setattr("longdoc.evaluation.progress.SECONDS_BETWEEN_LINES", 0.0)
    progress = Progress("mine, windows", [10, 20, 30], done=1, tell=said.append)
    for _ in range(3):  # one more than there are
        progress.read()
    progress.close()
    assert said == [
        f"mine, windows: {n} of 3 documents, {tokens} of 60 tokens" for n, tokens in ((1, 10), (2, 30), (3, 60))
    ]
    assert capsys.readouterr().err == "", "not a terminal"
    progress = Progress("mine, windows", [10, 20], done=1, shown=True, tell=said.append)
    progress.read()
    progress.close()
    drawn = capsys.readouterr().err
    assert "mine, windows" in drawn and "10.0/30.0" in drawn and "1 of 2 documents" in drawn
    assert len(said) == 3, "a bar is shown instead"
