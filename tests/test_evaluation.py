"""One report for several ways to read."""

import json

import pytest
import yaml

from conftest import CORPUS, make_model
from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, read_dataset
from longdoc.encoders import SparseEncoder
from longdoc.errors import ConfigError
from longdoc.evaluation import EvaluationConfig, evaluate, evaluate_entities
from longdoc.pipeline import Pipeline

LABELS = {"Chemical": "CHEMICAL", "Disease": "DISEASE"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    text = CORPUS[1] * 4
    start = text.index("aspirin")
    entity = {"start": start, "end": start + 7, "label": "Chemical", "text": "aspirin"}
    nausea = {"start": text.index("nausea"), "end": text.index("nausea") + 6, "label": "Disease", "text": "nausea"}
    records = [{"id": str(i), "text": text[: len(text) - 10 * i], "entities": [entity, nausea]} for i in range(3)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    make_model().save(tmp_path / "model")
    return tmp_path


def write(folder, **changes):
    data = {"data": {"reader": "jsonl", "files": ["data.jsonl"], "labels": LABELS, "limit": 2}}
    record = {"model": str(folder / "model"), "precision": "float32", "datasets": data, **changes}
    (folder / "evaluate.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")
    return folder / "evaluate.yaml"


def test_each_encoder_has_the_counts_of_its_own_pipeline_and_a_cost(folder, monkeypatch):
    sparse_passes = []
    forward = SparseEncoder.forward
    monkeypatch.setattr(
        SparseEncoder, "forward", lambda *args, **inputs: sparse_passes.append(1) or forward(*args, **inputs)
    )
    output = str(folder / "report.json")
    report = evaluate(write(folder, encoders=["windows", "sparse"], output=output))
    examples = read_dataset(DatasetConfig(reader="jsonl", files=("data.jsonl",), labels=LABELS, limit=2))
    for encoder in ("windows", "sparse"):
        pipeline = Pipeline.from_pretrained(folder / "model", encoder=encoder, precision="float32")
        assert report.counts[encoder]["data"] == evaluate_entities(pipeline, examples, set(LABELS.values()))
        cost = report.costs[encoder]["data"]
        expected = sum(len(pipeline.model.tokenizer.encode(e.text, add_special_tokens=False)) for e in examples)
        assert (cost.documents, cost.tokens) == (2, expected)
        assert cost.seconds > 0
    assert sparse_passes, "the sparse encoder must have run"
    assert str(report).count("| data | sparse |") == 1
    written = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert written["encoders"]["sparse"]["data"]["tokens"] == report.costs["sparse"]["data"].tokens


def test_one_encoder_is_the_default(folder):
    assert list(evaluate(write(folder)).counts) == ["windows"]


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"encoders": []}, "at least one"),
        ({"encoders": ["sparse", "sparse"]}, "once"),
        ({"encoders": ["dense"]}, "'windows', 'sparse'"),
    ],
)
def test_a_wrong_list_of_encoders_is_refused(folder, changes, remedy):
    with pytest.raises(ConfigError, match=remedy):
        evaluate(write(folder, **changes))


def test_the_shipped_comparison_is_a_valid_configuration():
    assert load_yaml(EvaluationConfig, "configs/encoders.yaml").encoders == ("windows", "sparse")
