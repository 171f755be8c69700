"""Data of another kind than a head learns is refused before training, by itself and beside data that fits."""

import json
import re

import pytest
import yaml

from conftest import CORPUS
from longdoc.cli import main
from longdoc.errors import ConfigError, DataError
from longdoc.training import estimate, train
from longdoc.training.trainer import prepare

TEXT = CORPUS[0]
WINDOWS = {"size": 48, "overlap": 8}
HEADS = {
    "ner": {"labels": ["PARTY"]},
    "spans": {"labels": ["PARTY"]},
    "qa": {"windows": WINDOWS},
    "classify": {"labels": ["lease", "loan"]},
    "classify several": {"labels": ["lease", "loan"], "multi_label": True},
    "nli": {"windows": WINDOWS},
    "embed": {},
    "fill": {},
}
DATA = {
    "entities": {"reader": "jsonl", "files": ["contracts.jsonl"]},
    "classes": {"reader": "classes", "files": ["classes.jsonl"]},
    "classes of jsonl": {"reader": "jsonl", "files": ["classes.jsonl"]},
    "answers": {"reader": "squad", "files": ["squad.json"]},
    "inferences": {"reader": "contract_nli", "files": ["nli.json"]},
}
FITTING = {"ner": "entities", "spans": "entities", "qa": "answers", "classify": "classes", "nli": "inferences"}
LEARNING = [head for head in HEADS if head.split()[0] in FITTING]
WRONG = [(head, data) for head in LEARNING for data in DATA if data.split()[0] != FITTING[head.split()[0]]]


@pytest.fixture
def every_kind(corpus):
    """The folder of the corpus, with a file of each kind of data."""
    lines = (corpus / "contracts.jsonl").read_text().replace('"party"', '"PARTY"')
    (corpus / "contracts.jsonl").write_text(lines)
    (corpus / "classes.jsonl").write_text(
        "".join(json.dumps({"text": TEXT, "label": c}) + "\n" for c in ("lease", "loan"))
    )
    answers = [{"text": "Acme Incorporated", "answer_start": TEXT.index("Acme")}]
    questions = [{"id": "1", "question": "Who distributes?", "answers": answers}]
    record = {"data": [{"title": "a", "paragraphs": [{"context": TEXT, "qas": questions}]}]}
    (corpus / "squad.json").write_text(json.dumps(record))
    annotations = {"a": {"choice": "Entailment", "spans": [0]}}
    document = {"id": 1, "text": TEXT, "spans": [[0, 20]], "annotation_sets": [{"annotations": annotations}]}
    record = {"labels": {"a": {"hypothesis": "It is an agreement."}}, "documents": [document]}
    (corpus / "nli.json").write_text(json.dumps(record))
    return corpus


def write(folder, head, *data, **changes):
    """A configuration that trains a head on data sets."""
    record = {
        "base": str(folder / "base"),
        "output": str(folder / "run"),
        "model": {"heads": {"mine": {"kind": head.split()[0], **HEADS[head]}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [{"heads": ["mine"], "data": each, "window": 48, "overlap": 8} for each in data],
        **changes,
    }
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(record))
    return path


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside data that fits"])
@pytest.mark.parametrize(("head", "data"), WRONG)
def test_data_of_another_kind_is_refused_before_training(every_kind, head, data, beside):
    kind = head.split()[0]
    more = [DATA[FITTING[kind]]] if beside else []
    with pytest.raises(DataError) as raised:
        train(write(every_kind, head, DATA[data], *more))
    said = str(raised.value)
    assert f"{DATA[data]['files'][0]} is annotated with {data.split()[0]}, and mine (kind {kind}) learns" in said
    assert re.search("name a head of kind .+ in this task, or give data of the reader", said)
    assert not (every_kind / "run").exists()


@pytest.mark.parametrize("head", LEARNING)
def test_data_of_its_own_kind_is_learned(every_kind, head):
    assert len(prepare(write(every_kind, head, DATA[FITTING[head.split()[0]]])).batches) > 0


def test_classes_of_json_lines_are_learned_as_classes(every_kind):
    assert len(prepare(write(every_kind, "classify", DATA["classes of jsonl"])).batches) > 0


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("head", ["embed", "fill"])
def test_a_head_that_does_not_learn_from_labelled_data_is_named(every_kind, head, data):
    with pytest.raises(ConfigError, match=f"mine \\(kind {head}\\) cannot learn from labelled data; the kinds that do"):
        train(write(every_kind, head, DATA[data]))
    assert not (every_kind / "run").exists()


@pytest.mark.parametrize("data", [data for data in DATA if data != "entities"])
def test_texts_with_annotations_of_another_kind_may_be_negatives(every_kind, data):
    prepared = prepare(write(every_kind, "ner", {**DATA[data], "negatives": True}, DATA["entities"]))
    assert {one.files for one in prepared.batches.learnable} == {DATA[data]["files"][0], "contracts.jsonl"}


@pytest.mark.parametrize("head", LEARNING)
def test_development_data_of_another_kind_is_refused_before_training(every_kind, head):
    fitting = DATA[FITTING[head.split()[0]]]
    other = "entities" if FITTING[head.split()[0]] != "entities" else "classes"
    development = {"datasets": {"held out": DATA[other]}}
    with pytest.raises(ConfigError, match=rf"data 'held out' \({other}\): the model has no head of kind|has no label"):
        train(write(every_kind, head, fitting, development=development))
    assert not (every_kind / "run").exists()


def test_the_command_line_and_the_estimate_refuse_it_too(every_kind, capsys):
    path = write(every_kind, "ner", DATA["classes"], DATA["entities"])
    with pytest.raises(DataError, match="is annotated with classes"):
        estimate(path)
    for arguments in (["train", str(path)], ["train", str(path), "--dry-run"]):
        assert main(arguments) == 1
        assert "longdoc: classes.jsonl is annotated with classes" in capsys.readouterr().err
