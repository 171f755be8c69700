"""A kind of head is added by a module and a row of ``HEADS``: it is trained, saved, read with, scored and calibrated.

The same is tested of loaders in ``test_formats``, of output formats in ``test_outputs`` and of readers in
``test_readers``.
"""

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
import yaml
from torch import nn

import longdoc
from conftest import make_model
from longdoc.calibration import calibrate
from longdoc.datasets import read_dataset
from longdoc.decode import Calibration
from longdoc.errors import ConfigError
from longdoc.evaluation import evaluate
from longdoc.evaluation.scoring import serving
from longdoc.findings import place
from longdoc.heads import HEADS, Group, HeadKind
from longdoc.heads.ner import NerConfig, entity_trials, score_entities
from longdoc.labels import Entity
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training import train
from longdoc.windows import token_range, tokenize


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkConfig:
    """Marks single tokens with one label."""

    kind: Literal["mark"] = "mark"
    labels: tuple[str, ...]
    calibration: Calibration = Calibration()  # noqa: RUF009 (immutable)


class MarkHead(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def scores(self, states, mask=None):
        return self.linear(states).float().sigmoid()

    def loss(self, states, *, marked, content):
        return nn.functional.binary_cross_entropy(self.scores(states)[content][:, 0], marked[content])


def decode_marks(scores, head, config, options):
    found = [(row, share) for row, share in enumerate(scores.merged()[:, 0].tolist()) if share >= 0.5]
    places = [place(scores.document, *scores.tokens.offsets[row].tolist()) for row, _ in found]
    return [
        Entity(label=config.labels[0], score=share, source=head, **where)
        for where, (_, share) in zip(places, found, strict=True)
    ]


def mark_groups(task, configs, tokenizer, template, rng):
    for example in read_dataset(task.data):
        tokens = tokenize(example.text, tokenizer).part(0, 80)
        ranges = [token_range(tokens, span.start, span.end) for span in example.spans]
        yield Group(task, example.id, (tokens.ids,), template.plain, {"ranges": ranges})


def mark_targets(groups, batch, configs):
    marked = np.zeros(batch.content_mask.shape, dtype=np.float32)
    for row, first, group in zip(marked, batch.firsts, groups, strict=True):
        for start, end in group.targets["ranges"]:
            row[first + start : first + end] = 1.0
    (head,) = configs
    return {head: {"marked": marked, "content": batch.content_mask}}


MARK = HeadKind(
    config=MarkConfig,
    module=lambda: MarkHead,
    build=lambda config, width, embeddings: MarkHead(width),
    decode=decode_marks,
    finds="entities",
    groups=mark_groups,
    targets=mark_targets,
    scorers={"entities": score_entities},
    scored_together=True,
    trials=entity_trials,
)
DATA = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"party": "PARTY"}}


def write_yaml(path, record):
    path.write_text(yaml.safe_dump(record))
    return path


def test_a_kind_of_head_is_a_module_and_a_row(monkeypatch, corpus):
    config = {
        "base": str(corpus / "base"),
        "output": str(corpus / "run"),
        "learning_rate": 1e-2,
        "model": {"heads": {"parties": {"kind": "mark", "labels": ["PARTY"]}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [{"heads": ["parties"], "data": DATA}],
    }
    path = write_yaml(corpus / "train.yaml", config)
    with pytest.raises(ConfigError, match="unknown kind 'mark'"):
        train(path)
    monkeypatch.setitem(HEADS, "mark", MARK)
    folder = train(path)
    saved = json.loads((folder / "config.json").read_text())
    assert saved["longdoc"]["heads"]["parties"]["kind"] == "mark"
    pipeline = longdoc.Pipeline.from_pretrained(folder, precision="float32")
    assert pipeline.tasks == ("parties", "rules")
    evaluation = {"model": str(folder), "datasets": {"mine": {**DATA, "limit": 3}}}
    result = evaluate(write_yaml(corpus / "evaluate.yaml", evaluation)).results["windows"]["mine"].result
    assert result.counts["PARTY"].true_positive + result.counts["PARTY"].false_negative == 12


def test_two_kinds_that_find_entities_are_each_scored_on_their_own_labels(monkeypatch, corpus):
    monkeypatch.setitem(HEADS, "mark", MARK)
    base = make_model()
    heads = {"parties": MarkConfig(labels=("PARTY",)), "others": NerConfig(labels=("DATE",))}
    model = Model(base.encoder.backbone, base.tokenizer, ModelConfig(heads=heads, windows=base.config.windows))
    pipeline = longdoc.Pipeline(model)
    assert serving(pipeline, "entities", {"PARTY"}) == ["parties"]
    assert serving(pipeline, "entities", {"DATE"}) == ["others"]
    assert pipeline(longdoc.Document.from_text("")).entities == ()


def test_a_kind_of_head_is_calibrated_by_its_own_trials(monkeypatch, corpus):
    monkeypatch.setitem(HEADS, "mark", MARK)
    base = make_model()
    config = ModelConfig(heads={"parties": MarkConfig(labels=("PARTY",))}, windows=base.config.windows)
    Model(base.encoder.backbone, base.tokenizer, config).save(corpus / "model")
    fitted = Calibration(temperature=2.0, bias=1.0)
    monkeypatch.setattr("longdoc.calibration.fit", lambda scores, correct: fitted)
    record = {"model": str(corpus / "model"), "heads": {"parties": DATA}, "output": str(corpus / "calibrated")}
    (fit,) = calibrate(write_yaml(corpus / "calibrate.yaml", record)).fits
    assert fit.calibration == fitted and fit.min_score is None and fit.findings > 0
    assert Model.from_pretrained(corpus / "calibrated").config.heads["parties"].calibration == fitted
