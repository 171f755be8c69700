import json

import numpy as np
import pytest
import torch
import yaml

from conftest import CORPUS, PARTIES, annotated
from longdoc.config import load_yaml
from longdoc.datasets import Example, JsonlConfig
from longdoc.document import Document
from longdoc.errors import ConfigError, DataError
from longdoc.evaluation import evaluate
from longdoc.heads import TaskConfig
from longdoc.heads.learning import IGNORED
from longdoc.heads.ner import tag_document
from longdoc.labels import Span
from longdoc.pipeline import Pipeline
from longdoc.training import TrainConfig, train
from longdoc.training.checkpoints import complete_checkpoint
from longdoc.training.data import collate, task_groups, training_batches
from longdoc.windows import tokenize, word_starts

CONTRACTS = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"party": "PARTY"}}


def task(passes=8, **changes):
    """A task; one pass is 40 steps."""
    return {"heads": ["contract"], "data": CONTRACTS, "window": 32, "overlap": 8, "passes": passes, **changes}


def config_file(folder, **changes):
    record = {
        "base": str(folder / "base"),
        "output": str(folder / "run"),
        "model": {"heads": {"contract": {"labels": ["PARTY"]}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [task()],
        "batch_tokens": 256,
        "precision": "float32",
        "learning_rate": 0.01,
        **changes,
    }
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(record))
    return path


def train_until_killed(path, monkeypatch, *, step):
    """Trains until it is killed before the checkpoint of a step has its marker."""

    def kill(folder, n_processes):
        if folder.name == f"checkpoint-{step}":
            raise KeyboardInterrupt
        complete_checkpoint(folder, n_processes)

    with monkeypatch.context() as patch:
        patch.setattr("longdoc.training.batch_trainer.complete_checkpoint", kill)
        with pytest.raises(KeyboardInterrupt):
            train(path)


def test_training_learns_and_its_model_is_evaluated(corpus):
    folder = train(config_file(corpus, quantize=True))
    log = [entry["loss"] for entry in json.loads((corpus / "run" / "log.json").read_text()) if "loss" in entry]
    assert float(log[-1]) < 0.5 * float(log[0])
    text = annotated(4)["text"]
    found = {entity.text for entity in Pipeline.from_pretrained(folder).entities(Document.from_text(text))}
    assert found == set(PARTIES)
    evaluation = {"model": str(folder), "datasets": {"contracts": CONTRACTS}, "output": str(corpus / "report.json")}
    (corpus / "evaluate.yaml").write_text(yaml.safe_dump(evaluation))
    report = evaluate(corpus / "evaluate.yaml")
    assert report.counts["windows"]["contracts"]["PARTY"].f1 > 0.95
    assert "| windows | contracts | PARTY |" in str(report)
    assert json.loads((corpus / "report.json").read_text()) == report.to_dict()


def test_every_token_has_the_tag_of_its_word(model):
    example = Example("1", CORPUS[0], (Span(55, 72, "PARTY"),))
    assert CORPUS[0][55:72] == PARTIES[0]
    tagged = tag_document(example, {"contract": model.config.heads["contract"]}, model.tokenizer)
    tokens = tokenize(example.text, model.tokenizer)
    starts = word_starts(tokens.words)
    lengths = np.diff(starts, append=len(tokens))
    assert lengths.max() > 1, "some word must have several tokens"
    tags = tagged.tags["contract"]
    assert (np.repeat(tags[starts], lengths) == tags).all()
    assert tokens.offsets[starts, 0][tags[starts] == 1].tolist() == [55]


def make_task(**changes):
    data = JsonlConfig(reader="jsonl", files=("contracts.jsonl",), labels={"party": "PARTY"})
    return TaskConfig(**{"heads": ("contract",), "data": data, "window": 32, "overlap": 8, **changes})


def test_a_pass_shows_every_token_and_padding_is_masked(corpus, model):
    windows = list(task_groups(make_task(), model, np.random.default_rng(0)))
    assert max(len(window.slices[0]) for window in windows) <= 30
    batch = collate(windows[:9], model)
    tags, ids = batch["targets"]["contract"]["tags"], batch["inputs"]["input_ids"]
    special = (ids == 0) | (ids == 2) | (ids == 3)
    assert (tags[special] == IGNORED).all()
    assert (tags[~special] >= 0).all()
    whole = list(task_groups(make_task(overlap=0), model, np.random.default_rng(0)))
    n_tokens = sum(
        len(tag_document(Example("", annotated(r)["text"], ()), {}, model.tokenizer).ids) for r in (1, 2, 3, 4) * 8
    )
    assert sum(len(window.slices[0]) for window in whole) == n_tokens


def test_windows_without_spans_and_late_tokens_can_be_left_out(corpus, model):
    few = list(task_groups(make_task(empty=0.0), model, np.random.default_rng(0)))
    assert all(window.targets["tags"]["contract"].any() for window in few)
    first = list(task_groups(make_task(first_tokens=20), model, np.random.default_rng(0)))
    assert len(first) == 32 and all(len(window.slices[0]) == 20 for window in first)


def test_batches_are_the_same_for_a_seed(corpus, model):
    one, two = (training_batches([make_task()], model, 128, seed=5) for _ in range(2))
    assert all(torch.equal(a["inputs"]["input_ids"], b["inputs"]["input_ids"]) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": [{"heads": ["legal"], "data": {"reader": "jsonl", "files": ["a"], "labels": {}}}]}, "legal"),
        ({"tasks": [{"heads": ["contract"], "data": {"reader": "jsonl", "files": ["a"], "labels": {"x": "Y"}}}]}, "Y"),
        ({"learning_rat": 1}, "learning_rate"),
        (
            {"tasks": [{"heads": ["contract"], "data": {"reader": "jsonl", "files": [], "labels": {}}, "window": 9}]},
            "9",
        ),
    ],
)
def test_a_wrong_config_names_the_wrong_key(corpus, changes, message):
    with pytest.raises(ConfigError, match=message):
        load_yaml(TrainConfig, config_file(corpus, **changes))


def test_errors_for_missing_base_and_data_say_what_to_do(corpus):
    with pytest.raises(ConfigError, match=r"longdoc\[train\]"):
        train(config_file(corpus, base="package:no-such-package"))
    (corpus / "contracts.jsonl").unlink()
    with pytest.raises(DataError, match=r"contracts\.jsonl"):
        train(config_file(corpus))


def test_a_label_that_no_span_has_and_a_run_of_another_config_are_refused(corpus):
    wrong = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"Party": "PARTY"}}
    with pytest.raises(DataError, match=r"labelled Party.*its labels: party"):
        train(config_file(corpus, tasks=[{"heads": ["contract"], "data": wrong}]))
    train(config_file(corpus, tasks=[task(passes=0.2)]))
    with pytest.raises(ConfigError, match="another configuration"):
        train(config_file(corpus, tasks=[task(passes=0.2)], learning_rate=0.5))
