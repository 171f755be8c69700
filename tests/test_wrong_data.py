"""Data of another kind than a head learns is refused before training, by itself and beside data that fits."""

import json
import re

import pytest
import yaml

from conftest import CORPUS, make_model
from longdoc.cli import main
from longdoc.errors import ConfigError, DataError
from longdoc.heads import NerConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
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


LINE = json.dumps({"text": "Acme pays", "entities": [[0, 4, "PARTY"]]})
HALF = json.dumps({"text": "a \ud800 b", "entities": []})
QUESTION = {"id": "1", "question": "Who?", "answers": [{"text": "Acme", "answer_start": 0}]}


def squad(*questions):
    paragraph = {"context": "Acme pays", "qas": [QUESTION, *({**QUESTION, "id": "2", **each} for each in questions)]}
    return json.dumps({"data": [{"title": "a", "paragraphs": [paragraph]}]})


@pytest.mark.parametrize(
    ("head", "content", "message"),
    [
        ("ner", f"{LINE}\n{{}}\n", "line 2: missing key 'entities'"),
        ("ner", f"{LINE}\n[]\n", "line 2"),
        ("ner", f"{LINE}\nnull\n", "line 2"),
        ("ner", f"{LINE}\n" + json.dumps({"text": None, "entities": []}), "line 2"),
        ("ner", f"{LINE}\n{HALF}", r"2: a text has half a surrogate pair at 2, U\+D800"),
        ("ner", f"{LINE}\n".replace("PARTY", "DATE"), r"labels that mine lacks: DATE; map them"),
        ("classify", "text,label\na,lease\n,\n", "line 3: text is empty; leave the record out"),
        ("qa", '{"data": [1]}', "unexpected structure"),
        ("qa", '{"data": [{"paragraphs": null}]}', "unexpected structure"),
        ("qa", '{"data": [{"paragraphs": [{}]}]}', "paragraph 0: missing key 'context'"),
        ("qa", squad({"question": None}), "paragraph 0: unexpected structure"),
        ("nli", '{"labels": {}, "documents": [1]}', "document 0: unexpected structure"),
        ("nli", '{"labels": {}, "documents": {}}', "missing key"),
    ],
)
def test_a_record_that_is_empty_or_malformed_is_named(every_kind, head, content, message):
    data = DATA[FITTING[head]]
    name = "rows.csv" if content.startswith("text,") else data["files"][0]
    (every_kind / name).write_text(content)
    with pytest.raises(DataError, match=message):
        train(write(every_kind, head, {**data, "files": [name]}))


def test_a_class_that_is_no_name_is_refused(every_kind):
    (every_kind / "classes.jsonl").write_text(json.dumps({"text": "a", "label": {"lease": 1}}))
    with pytest.raises(DataError, match=r"label has \{'lease': 1\}; a class is a string or a number"):
        train(write(every_kind, "classify", DATA["classes"]))


def test_a_question_without_a_text_is_left_out(every_kind):
    (every_kind / "squad.json").write_text(squad({"question": " "}))
    (found,) = prepare(write(every_kind, "qa", DATA["answers"])).batches.learnable
    assert "question without a text, left out: 1" in str(found)


def test_files_may_be_absolute_and_a_folder_is_refused(every_kind, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", "elsewhere")
    pattern = str(every_kind / "contr*.jsonl")
    assert len(prepare(write(every_kind, "ner", {**DATA["entities"], "files": [pattern]})).batches) > 0
    with pytest.raises(DataError, match=r"base: cannot be read \(Is a directory\); name files of the reader 'jsonl'"):
        train(write(every_kind, "ner", {**DATA["entities"], "files": [str(every_kind / "base")]}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": []}, "distinct names, at least one; got none"),
        ({"heads": ["mine", "mine"]}, "distinct names, at least one; got mine, mine"),
        ({"passes": 0}, "passes must be above 0; got 0"),
        ({"passes": float("inf")}, "passes must be above 0; got inf"),
        ({"weight": -1.0}, "weight must be at least 0"),
        ({"overlap": -8}, "overlap must be at least 0"),
        ({"negatives": -1.0}, "negatives must be at least 0"),
        ({"empty": 2.0}, "empty is a share, from 0 to 1; got 2"),
        ({"unanswerable": -0.1}, "unanswerable is a share"),
        ({"first_tokens": 0}, "first_tokens must be at least 1"),
    ],
)
def test_a_number_of_a_task_that_is_out_of_range_is_named(every_kind, changes, message):
    path = write(every_kind, "ner", DATA["entities"])
    record = yaml.safe_load(path.read_text())
    record["tasks"][0].update(changes)
    path.write_text(yaml.safe_dump(record))
    with pytest.raises(ConfigError, match=message):
        train(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0; got inf"),
    ],
)
def test_a_number_of_a_run_that_is_out_of_range_is_named(every_kind, changes, message):
    with pytest.raises(ConfigError, match=message):
        train(write(every_kind, "ner", DATA["entities"], **changes))


@pytest.mark.parametrize("given", [["one", "two"], ("one",), {"one": "two"}, 5, b"one", None])
def test_something_else_than_a_name_of_a_model_is_refused(given):
    with pytest.raises(ConfigError, match=r"ner=.*: give one folder or hub id; heads of several models"):
        Pipeline.from_pretrained(ner=given)


def test_a_teacher_with_too_few_positions_is_refused(every_kind):
    teacher = make_model()
    config = ModelConfig(heads={"mine": NerConfig(labels=("PARTY",))}, windows=teacher.config.windows)
    Model(teacher.encoder.backbone, teacher.tokenizer, config).save(every_kind / "teacher")
    path = write(every_kind, "ner", DATA["entities"], distill={"teacher": str(every_kind / "teacher")})
    assert len(prepare(path).batches) > 0
    record = yaml.safe_load(path.read_text())
    record["tasks"][0].update(encoder="sparse", window=100)
    path.write_text(yaml.safe_dump(record))
    with pytest.raises(ConfigError, match=r"teacher has 64 positions, and a window to learn from 100 tokens"):
        train(path)


def test_the_command_line_and_the_estimate_refuse_it_too(every_kind, capsys):
    path = write(every_kind, "ner", DATA["classes"], DATA["entities"])
    with pytest.raises(DataError, match="is annotated with classes"):
        estimate(path)
    for arguments in (["train", str(path)], ["train", str(path), "--dry-run"]):
        assert main(arguments) == 1
        assert "longdoc: classes.jsonl is annotated with classes" in capsys.readouterr().err
