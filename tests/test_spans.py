"""Spans that may be long and overlap: decoding against the slow twin, targets, and a head that learns."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TrainingArguments

import reference
from longdoc import Document, Pipeline
from longdoc.calibration import Scored, calibrate, label_biases
from longdoc.datasets import JsonlConfig
from longdoc.decode import Calibration
from longdoc.decode_spans import SpanRule, best_range, decode_spans
from longdoc.errors import ConfigError, DataError
from longdoc.evaluation import evaluate
from longdoc.heads import DecodeOptions, SpansConfig, SpansHead, TaskConfig
from longdoc.heads.spans import decode
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training import train
from longdoc.training.batch_trainer import BatchTrainer
from longdoc.training.data import collate, task_groups
from longdoc.training.learner import Learner
from longdoc.windows import Tokens


@given(st.integers(0, 60), st.integers(1, 4), st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans())
@settings(max_examples=200, deadline=None)
def test_spans_are_decoded_as_by_the_slow_twin(n_words, n_labels, seed, gap, coarse):
    rng = np.random.default_rng(seed)
    inside, starts = rng.random((n_words, n_labels)) ** 4, rng.random((n_words, n_labels)) ** 2
    if coarse:  # ties and plateaus
        inside, starts = np.round(inside * 4) / 4, np.round(starts * 4) / 4
    sentences = rng.random(n_words) < 0.2
    rule = SpanRule(floor=0.2, gap=gap, split=0.5, sentence_split=0.3)
    found = decode_spans(inside, starts, sentences, rule)
    assert found == sorted(found, key=lambda s: (s.first, s.end, s.label))
    pieces = reference.spans(inside.tolist(), starts.tolist(), sentences.tolist(), 0.2, gap, 0.5, 0.3)
    in_order, taken = sorted(found, key=lambda s: (s.label, s.first)), {}
    for span, (label, at, scores) in zip(in_order, pieces, strict=True):
        assert span.label == label
        assert span.score == pytest.approx(max(scores.values()))
        best = [(at + a, at + b) for (a, b), score in scores.items() if score == pytest.approx(span.score)]
        free = range(taken.get(label, 0), n_words)
        snapped = {(next((w for w in (a, a - 1, a - 2) if w in free and sentences[w]), a), b): (a, b) for a, b in best}
        assert (span.first, span.end) in snapped
        taken[label] = span.end


@pytest.mark.parametrize(("after", "start"), [(0, 10), (1, 10), (2, 10), (3, 13), (-1, 9)])
def test_a_span_starts_with_its_sentence_if_that_is_near(after, start):
    inside, sentences = np.full((30, 1), 0.001), np.isin(np.arange(30), [10])
    inside[10 + after : 20] = 0.9
    found = decode_spans(inside, np.zeros((30, 1)), sentences, SpanRule())
    assert [(span.first, span.end) for span in found] == [(start, 20)]


def test_a_span_does_not_start_in_another_of_its_label():
    inside, sentences = np.full((30, 1), 0.001), np.isin(np.arange(30), [10])
    inside[5:11] = inside[12:20] = 0.9
    starts = np.zeros((30, 1))
    starts[12] = 0.9
    found = decode_spans(inside, starts, sentences, SpanRule(gap=0, sentence_split=1.0))
    assert [(span.first, span.end) for span in found] == [(5, 11), (12, 20)]


def test_one_word_is_a_span_of_the_labels_that_allow_it_only():
    document = Document.from_text("It rained today. The rest follows here.")
    inside = np.full((9, 2), 0.001, np.float32)
    inside[3], inside[6:] = 0.9, 0.9  # the period, and three words
    for allowed, spans in (
        (None, {"DATE": 2, "LAW": 2}),
        (("DATE",), {"DATE": 2, "LAW": 1}),
        ((), {"DATE": 1, "LAW": 1}),
    ):
        config = SpansConfig(labels=("DATE", "LAW"), single_words=allowed, min_score=0.0)
        found = [span.label for span in decoded(document, inside, config)]
        assert {label: found.count(label) for label in ("DATE", "LAW")} == spans
    with pytest.raises(ConfigError, match="single_words names FEE; the head has DATE, LAW"):
        SpansConfig(labels=("DATE", "LAW"), single_words=("FEE",))


def decoded(document, inside, config):
    """The spans that a head finds in a document of words and marks with these probabilities ``(W, L)``."""
    ranges = [match.span() for match in re.finditer(r"\w+|[^\w\s]", document.text)]
    offsets, n = np.array(ranges), len(ranges)
    tokens = Tokens(ids=np.ones(n, np.int64), offsets=offsets, words=np.arange(n), unknown=0, deleted="")
    merged = np.concatenate([inside, np.zeros_like(inside)], axis=1)
    scores = SimpleNamespace(tokens=tokens, document=document, merged=lambda: merged)
    return decode(scores, "clauses", config, DecodeOptions())


@given(st.lists(st.sampled_from([0.0, 0.001, 0.3, 0.5, 1.0]), min_size=1, max_size=25).filter(any))
def test_the_best_range_is_the_best_of_all(shares):
    left, right, overlap = best_range(np.array(shares))
    ranges = [(a, b) for a in range(len(shares)) for b in range(a + 1, len(shares) + 1)]
    assert overlap == pytest.approx(max(reference.expected_overlap(shares, a, b) for a, b in ranges))
    assert overlap == pytest.approx(reference.expected_overlap(shares, left, right))


@pytest.mark.parametrize("wrong", [{"floor": 0}, {"split": -1}, {"gap": -1}])
def test_a_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SpanRule(**wrong)


# ------------------------------------------------------------------------------------------------------------ learning

LAW, FEE = "The law of Ohio governs all of it.", "The fee is ten dollars."


def record(number):
    """A text with two clauses, one of which is in the other's label, too."""
    text = f"This is the first part. {LAW} {'More of it here. ' * (1 + number % 3)}{FEE} The end."
    law, fee = text.index(LAW), text.index(FEE)
    spans = [[law, law + len(LAW), "LAW"], [law, fee + len(FEE), "TERMS"], [fee, fee + len(FEE), "FEE"]]
    return {"id": str(number), "text": text, "entities": spans}


@pytest.fixture
def clauses(corpus):
    lines = [json.dumps(record(number)) for number in range(12)]
    (corpus / "clauses.jsonl").write_text("\n".join(lines) + "\n")
    (corpus / "papers.jsonl").write_text(
        json.dumps({"id": "p", "text": "No clause at all. " * 4, "entities": []}) + "\n"
    )
    return corpus


DATA = {"reader": "jsonl", "files": ["clauses.jsonl"]}


def write(path, content):
    path.write_text(yaml.safe_dump(content))
    return path


def run(folder, **changes):
    task = {"heads": ["clauses"], "data": DATA, "window": 40, "overlap": 8, "passes": 80}
    papers = {**task, "data": {"reader": "jsonl", "files": ["papers.jsonl"], "negatives": True}, "passes": 1}
    head = {"kind": "spans", "labels": ["LAW", "TERMS", "FEE"]}
    settings = {
        "base": str(folder / "base"),
        "output": str(folder / "run"),
        "batch_tokens": 512,
        "learning_rate": 5e-3,
        "head_learning_rate": 2e-2,
        "dropout": 0.0,
        "precision": "float32",
        "model": {"heads": {"clauses": head}, "windows": {"size": 40, "overlap": 8}},
        "tasks": [task, papers],
        **changes,
    }
    return write(folder / "train.yaml", settings)


@pytest.mark.slow
def test_a_head_learns_spans_that_overlap_and_fills_fields_with_them(clauses):
    folder = train(run(clauses, quantize=True))
    pipeline = Pipeline.from_pretrained(folder, precision="float32")
    document = Document.from_text(record(1)["text"])
    found = {(span.label, span.text) for span in pipeline(document).spans}
    assert found == {("LAW", LAW), ("FEE", FEE), ("TERMS", document.text[24:-9])}
    assert pipeline(document, min_score=1.0).spans == ()
    schema = {"fields": {"law": {"from": [{"clause": "LAW"}]}, "fee": {"type": "money", "from": [{"clause": "FEE"}]}}}
    filled = pipeline.extract(document, schema)
    given = [(answer.label, answer.text, answer.source) for answer in filled.answers]
    assert given == [("law", LAW, "clause LAW"), ("fee", FEE, "clause FEE")]
    assert str(filled.fields["fee"][0].value) == "USD 10"
    silent = pipeline.extract(document, schema, min_score=1.0)
    assert silent.answers == () and silent.sought == ("law", "fee")
    assert [(a.label, a.text) for a in silent.rejected] == [("law", LAW), ("fee", FEE)]
    with pytest.raises(ConfigError, match=r"fields\.x: no clause 'LAWS'; did you mean 'LAW'"):
        pipeline.extract(document, {"fields": {"x": {"from": [{"clause": "LAWS"}]}}})
    with pytest.raises(ConfigError, match=r"fields\.x: cannot use question: the model has no head"):
        pipeline.extract(document, {"fields": {"x": {"question": "Which law?"}}})
    evaluation = {"model": str(folder), "datasets": {"mine": DATA}}
    result = evaluate(write(clauses / "evaluate.yaml", evaluation)).results["windows"]["mine"].result
    assert result.kind == "clauses" and result.value > 0.95 and set(result.categories) == {"LAW", "TERMS", "FEE"}


def test_windows_hold_the_parts_of_spans_and_know_where_they_start(clauses, model):
    model = with_spans(model)
    task = TaskConfig(heads=("clauses",), data=JsonlConfig(**DATA), window=24, overlap=8)
    groups = list(task_groups(task, model, np.random.default_rng(0)))
    assert len(groups) > 24
    targets = collate(groups, model)["targets"]["clauses"]
    wanted, content = targets["spans"], targets["content"]
    assert wanted.shape[2] == 6 and not wanted[~content].any()
    inside, starts = wanted[..., :3], wanted[..., 3:]
    assert ((inside - starts) >= 0).all(), "a span starts inside itself"
    assert (inside[..., 1] >= inside[..., 0]).all(), "LAW lies within TERMS"
    cut = [group for group in groups if len(group.targets["spans"]) and not group.targets["spans"][:, 3].all()]
    assert cut, "some window starts within a span"


def test_labels_that_the_data_does_not_annotate_are_not_learned():
    torch.manual_seed(0)
    head = SpansHead(4, 2, dropout=0.0)
    states, content = torch.randn(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)
    content[1, 3:] = False
    spans = (torch.rand(2, 5, 4) > 0.5).float()
    found = head.loss(states, spans=spans, content=content, annotated=torch.tensor([True, False]))
    shares = head.scores(states)
    expected = [
        -torch.log(shares[b, t, c] if spans[b, t, c] else 1 - shares[b, t, c])
        for b in range(2)
        for t in range(5)
        for c in (0, 2)
        if content[b, t]
    ]
    assert found.item() == pytest.approx(torch.stack(expected).sum().item() / 8, rel=1e-4)


def test_data_of_negatives_takes_no_labels():
    with pytest.raises(ConfigError, match="leave out labels"):
        JsonlConfig(reader="jsonl", files=("a",), negatives=True, labels={"a": "B"})


def test_a_label_that_the_head_lacks_is_named(clauses, model):
    head = SpansConfig(labels=("LAW", "FEES", "TERMS"))
    task = TaskConfig(heads=("clauses",), data=JsonlConfig(**DATA))
    with pytest.raises(DataError, match=r"has labels that clauses lacks: FEE; .*FEE: FEES"):
        list(task_groups(task, with_spans(model, head), np.random.default_rng(0)))


def test_heads_may_learn_faster_than_the_encoder(model):
    model = with_spans(model)
    trainer = BatchTrainer(model=Learner(model), args=TrainingArguments(learning_rate=1e-4, use_cpu=True, report_to=[]))
    trainer.head_learning_rate = 1e-2
    rates = {
        name: group["lr"]
        for group in trainer.create_optimizer().param_groups
        for name, parameter in trainer.model.named_parameters()
        if any(parameter is own for own in group["params"])
    }
    assert set(rates) == {name for name, _ in trainer.model.named_parameters()}
    assert {rate for name, rate in rates.items() if "heads" in name} == {1e-2}
    assert {rate for name, rate in rates.items() if "heads" not in name} == {1e-4}


def with_spans(model, head=None):
    head = head or SpansConfig(labels=("LAW", "TERMS", "FEE"))
    return Model(
        model.encoder.backbone, model.tokenizer, ModelConfig(heads={"clauses": head}, windows=model.config.windows)
    )


# --------------------------------------------------------------------------------------------------------- calibration


def test_labels_that_are_right_less_often_get_lower_scores():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, 6000)
    labels = np.where(rng.random(6000) < 0.5, "easy", "hard")
    correct = rng.random(6000) < 1 / (1 + np.exp(-(scores - np.where(labels == "hard", 1.0, -1.0))))
    few = Scored(np.array([0.0]), np.array([True]), 1, ("rare",))
    biases = label_biases(Calibration(), Scored(scores, correct, 1, tuple(labels)))
    assert biases["hard"] == pytest.approx(1.0, abs=0.15) and biases["easy"] == pytest.approx(-1.0, abs=0.15)
    assert -0.5 < label_biases(Calibration(), few)["rare"] < 0, "one finding says little"


def test_a_head_of_spans_is_calibrated_by_label(clauses, model, monkeypatch):
    with_spans(model, SpansConfig(labels=("LAW", "TERMS", "FEE"), rule=SpanRule(floor=0.001))).save(clauses / "model")
    fitted = Calibration(temperature=2.0, bias=1.0)
    monkeypatch.setattr("longdoc.calibration.fit", lambda scores, correct: fitted)
    settings = {"model": str(clauses / "model"), "heads": {"clauses": DATA}, "output": str(clauses / "out")}
    (found,) = calibrate(write(clauses / "calibrate.yaml", settings)).fits
    head = Model.from_pretrained(clauses / "out").config.heads["clauses"]
    assert (head.calibration, head.biases, head.min_score) == (fitted, found.biases, found.min_score)
    assert head.biases and head.probability("LAW", 0.5) == pytest.approx(
        fitted.probability(-head.biases.get("LAW", 0.0)), abs=1e-6
    )
