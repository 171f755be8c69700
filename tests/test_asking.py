"""Questions, hypotheses, classes, vectors and masked words, with both encoders."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from conftest import CORPUS, make_asking_model, make_model
from longdoc.decode import Calibration, decode_answers
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.fields import MAX_ANSWERS
from longdoc.findings import parts
from longdoc.heads import ClassifyConfig, QaConfig
from longdoc.labels import NOT_READ
from longdoc.loaders import load
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.parts import Section
from longdoc.pipeline import Pipeline
from longdoc.prediction import Notice
from longdoc.rules import Rules
from longdoc.sentences import sentences
from longdoc.windows import WindowConfig, sentence_starts, split, tokenize

LONG = " ".join(CORPUS[:2] * 12)
QUESTIONS = ["who is the distributor?", "what did the patient take?", "when?"]


def make_pipeline(encoder="windows", **changes):
    model = make_asking_model()
    for name, value in changes.items():
        object.__setattr__(model.config.heads["qa"], name, value)
    return Pipeline(model, device=torch.device("cpu"), precision="float32", encoder=encoder)


@pytest.fixture(scope="module")
def asking():
    return make_pipeline(min_score=0.0)


def slow_scores(model, text, question):
    """Logits of each window by the backbone alone: one window at a time, the special tokens added by hand."""
    tokens, asked = tokenize(text, model.tokenizer), tokenize(question, model.tokenizer).ids.tolist()
    prefix, size = [2, *asked, 3], 48 - len(asked) - 3
    windows = split(len(tokens), size=size, overlap=8, cuts=sentence_starts(text, tokens.offsets))
    scores = []
    for window in windows:
        row = [*prefix, *tokens.ids[window.start : window.end].tolist(), 3]
        types = [0] * len(prefix) + [1] * (len(row) - len(prefix))
        with torch.no_grad():
            states = model.encoder.backbone(torch.tensor([row]), token_type_ids=torch.tensor([types])).last_hidden_state
            logits = model.heads["qa"].linear(states)[0]
        null = logits[0].sum().expand(len(window), 1)
        scores.append(torch.cat([logits[len(prefix) : -1], null], dim=1).numpy())
    return tokens, windows, scores


def test_batched_questions_equal_their_slow_twin(asking):
    model = make_asking_model()
    document = Document.from_text(LONG)
    found = asking.ask(document, QUESTIONS, top_k=1, windows=None)
    for question, (answer,) in zip(QUESTIONS, found, strict=True):
        tokens, windows, scores = slow_scores(model, LONG, question)
        assert len(windows) > 5
        best = decode_answers(scores, windows, len(tokens), max_tokens=12)[0]
        words = [np.flatnonzero(tokens.words == tokens.words[token]) for token in (best.first, best.last)]
        assert (answer.start, answer.end) == (tokens.offsets[words[0][0], 0], tokens.offsets[words[1][-1], 1])
        assert answer.score == pytest.approx(Calibration().probability(best.score), abs=1e-4)
        assert document.text[answer.start : answer.end] == answer.text and answer.question == question
        (alone,) = asking.ask(document, question, windows=None)
        assert (alone.start, alone.end) == (answer.start, answer.end)
        assert alone.score == pytest.approx(answer.score, abs=1e-5)


def test_several_answers_neither_overlap_nor_repeat_each_other(asking):
    answers = asking.ask(Document.from_text(LONG), QUESTIONS[0], top_k=8)
    assert len(answers) == 8
    assert [a.score for a in answers] == sorted((a.score for a in answers), reverse=True)
    ordered = sorted(answers, key=lambda a: a.start)
    assert all(one.end <= other.start for one, other in itertools.pairwise(ordered))
    assert len({a.text.casefold() for a in answers}) == 8


def test_no_answer_is_an_empty_list():
    answers = make_pipeline(min_shown=1.0).ask(Document.from_text(LONG), QUESTIONS[0])
    assert answers == [] and answers.rejected.check and answers.rejected.score < 1
    assert make_pipeline(min_score=0.0).ask(Document.from_text(""), QUESTIONS[0]) == []


def test_tasks_name_the_only_heads_that_fields_may_use(asking):
    fields = {"who": {"question": QUESTIONS[0]}, "first": {"from": [{"section": "one"}], "question": QUESTIONS[1]}}
    document = Document.from_text(LONG)
    found = asking.extract(document, {"fields": fields}, tasks=["kind"])
    reason = "the tasks leave out qa"
    assert found.notices == (Notice("who", reason), Notice("first", reason, in_part=True))
    assert found.answers == () and found.sought == ("who", "first")
    both = asking.extract(document, {"fields": fields}, tasks=["qa"])
    assert both.notices == () and [answer.label for answer in both.answers] == ["who", "first"]
    assert both.answers == asking.extract(document, {"fields": fields}).answers
    with pytest.raises(ConfigError, match=r"fields\.who: .* question: the tasks leave out qa; give the field another"):
        asking.extract(document, {"fields": {"who": fields["who"]}}, tasks=["kind"])
    with pytest.raises(ConfigError, match="the model has no task clauses; it has kind, clause, qa"):
        asking.extract(document, {"fields": fields}, tasks=["clauses"])


def test_answers_beyond_the_most_that_are_kept_are_counted(asking):
    fields = {"who": {"question": QUESTIONS[0], "many": True}, "when": {"question": "when?"}}
    text = "".join(chr(ord("a") + i % 26) + chr(ord("a") + i // 26) + " fee . " for i in range(300))
    found = asking.extract(Document.from_text(text), {"fields": fields})
    assert len(found.fields["who"]) == MAX_ANSWERS
    (notice,) = found.notices
    assert (notice.field, notice.left_out) == ("who", 1) and "20 likeliest" in notice.reason


def test_a_schema_is_filled_with_evidence(asking):
    schema = {"name": "s", "fields": {"who": {"question": QUESTIONS[0], "many": True}, "when": {"question": "when?"}}}
    prediction = asking.extract(Document.from_text(LONG), schema)
    assert {a.label for a in prediction.answers} == {"who", "when"}
    assert sum(a.label == "when" for a in prediction.answers) == 1 < sum(a.label == "who" for a in prediction.answers)
    assert prediction.coverage == 1.0


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_hypotheses_are_judged_with_both_encoders(encoder):
    (found,) = make_pipeline(encoder).infer(Document.from_text(LONG), ["the patient took aspirin"])
    assert sum(found.scores.values()) == pytest.approx(1, abs=1e-5)
    assert found.label == max(found.scores, key=found.scores.get) and found.score == found.scores[found.label]
    assert all(LONG[e.start : e.end] == e.text for e in found.evidence)


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_sparse_attention_answers_questions_in_one_row(encoder):
    pipeline = make_pipeline(encoder, min_score=0.0)
    document = Document.from_text(LONG)
    (answer,) = pipeline.ask(document, QUESTIONS[1])
    assert document.text[answer.start : answer.end] == answer.text
    reader = pipeline.readers[0]
    reading = reader.read(document, reader.tokenize(document), ["qa"], question="when?")
    assert (len(reading.windows) == 1) == (encoder == "sparse")


def test_question_tokens_are_global_and_keep_their_positions():
    pipeline = make_pipeline("sparse")
    reader = pipeline.readers[0]
    special = reader.scorer.form.template.asking((5, 6, 7))
    encoder = reader.scorer.encoder_of(48)
    batch = encoder.batch([np.arange(5, 105)], [special])
    assert batch.inputs["global_mask"][0].tolist() == [True] * 4 + [False] * (batch.inputs["input_ids"].shape[1] - 4)
    positions = encoder._positions(batch.inputs["input_ids"], batch.inputs["global_mask"])[0].tolist()
    assert positions[:5] == [0, 1, 2, 3, 4] and positions[5:48] == list(range(5, 48)) and positions[48] == 5


def test_documents_and_sections_get_classes(asking):
    text = "LEASE\n\n1. Fees\n\nThe fee is due.\n\n2. Term\n\nThe term is one year.\n\n" + LONG
    document = load(text.encode())
    assert len(document.sections) >= 2
    prediction = asking(document)
    whole = [label for label in prediction.labels if label.source == "kind"]
    assert len(whole) == 1 and whole[0].start is None
    for label in prediction.labels:
        if label.source == "clause":
            assert (label.start, label.end) in {(s, e) for s, e in parts(document, "section")}
    assert asking.classify(document) == prediction.labels


def test_pooling_over_windows_and_tokens_equals_its_definition(asking):
    reader = asking.readers[0]
    document = Document.from_text(LONG)
    reading = reader.read(document, reader.tokenize(document), ["kind"])
    (scores,) = reader.score([reading])
    rows = scores["kind"].merged().astype(np.float64)
    weights = np.exp(rows[:, -1]) / np.exp(rows[:, -1]).sum()
    logits = (weights[:, None] * rows[:, :-1]).sum(axis=0)
    expected = np.exp(logits) / np.exp(logits).sum()
    (label,) = [label for label in asking.classify(document) if label.source == "kind"]
    assert label.score == pytest.approx(expected.max(), rel=1e-4)


def test_a_vector_of_a_short_text_is_its_mean_state_and_units_are_encoded_alone(asking):
    model = make_asking_model()
    document = Document.from_text(CORPUS[0][:40])
    row = [2, *tokenize(document.text, model.tokenizer).ids.tolist(), 3]
    with torch.no_grad():
        mean = model.encoder.backbone(torch.tensor([row])).last_hidden_state[0].mean(dim=0).numpy()
    np.testing.assert_allclose(asking.embed(document), mean / np.linalg.norm(mean), atol=1e-5)
    both = Document.from_text("Acme pays. Zenith does not pay.")
    found = asking.embed(both, "sentence")
    assert [both.text[a:b] for a, b in found.ranges] == ["Acme pays.", "Zenith does not pay."]
    alone = asking.embed(Document.from_text("Zenith does not pay."))
    np.testing.assert_allclose(found.vectors[1], alone, atol=1e-5)
    assert asking.embed(Document.from_text("")).shape == (16,)


def test_several_hypotheses_split_a_document_once_however_many_sections_it_has(asking, monkeypatch):
    text = "".join(f"Clause {number}. It binds. " for number in range(1200))
    starts = [text.index(f"Clause {number}.") for number in range(1200)]
    sections = tuple(
        Section(number="", title="", kind="heading", level=1, start=start, end=end)
        for start, end in itertools.pairwise([*starts, len(text)])
    )
    document = replace(Document.from_text(text), sections=sections)
    split_texts = []
    monkeypatch.setattr("longdoc.findings.sentences", lambda text: split_texts.append(text) or sentences(text))
    asking.infer(document, ["The clause binds.", "It ends.", "It is void."])
    assert len(split_texts) == len(sections)
    found = parts(document, "sentence")
    assert [text[start:end] for start, end in found[:3]] == ["Clause 0.", "It binds.", "Clause 1."]
    assert len(split_texts) == len(sections)


def test_masked_words_are_filled_in_long_texts(asking):
    text = f"{LONG} The patient was given [MASK] . {LONG} [MASK] pays."
    words = asking.fill(text, top_k=3)
    assert [len(found) for found in words] == [3, 3]
    assert all(0 < w.score <= 1 for found in words for w in found)
    with pytest.raises(ConfigError, match=r"\[MASK\]"):
        asking.fill("nothing is masked here")


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda p: p.ask(Document.from_text(LONG), " "), "the question is empty"),
        (lambda p: p.ask(Document.from_text(LONG), "why " * 60), "fewer words"),
        (lambda p: p.ask(Document.from_text(LONG), "why?", top_k=0), "at least 1"),
        (lambda p: p.ask(Document.from_text(LONG), ["why?", "when?", "\n"]), "question 3 of 3 is empty"),
        (lambda p: p.ask(Document.from_text(LONG), ["why?", 5]), "question 2 of 2 is int"),
        (lambda p: p.infer(Document.from_text(LONG), ["It ends.", ""]), "hypothesis 2 of 2 is empty"),
        (lambda p: p.ask(Document.from_text(LONG), [None]), "the question is NoneType"),
        (lambda p: p.ask(Document.from_text(LONG), None), "a question is NoneType"),
        (lambda p: p.ask(Document.from_text(LONG), "why?", min_score="0.5"), "number from 0 to 1"),
        (lambda p: p.extract(Document.from_text(LONG), None), "the schema is NoneType"),
        (lambda p: p.infer(Document.from_text(LONG), None), "must be a list"),
        (lambda p: p.pipe(Document.from_text(LONG)), "give it a list"),
        (lambda p: p.pipe([], batch_size="4"), "an integer, at least 1"),
        (lambda p: p.pipe([], tasks=5), "list of names"),
        (lambda p: p.fill("a [MASK]", top_k=-1), "at least 1"),
        (lambda p: p.infer(Document.from_text(LONG), "one"), r"\['one'\]"),
        (lambda p: p.embed(Document.from_text(LONG), "page"), "section"),
        (lambda p: p.extract(Document.from_text(LONG), "contrakt"), "contract"),
        (
            lambda p: p.extract(Document.from_text(LONG), {"name": "s", "fields": {"a": {"qestion": "b"}}}),
            "question",
        ),
        (lambda p: p(Document.from_text(LONG), overlap="shortest"), "longest"),
        (lambda p: p.entities(Document.from_text(LONG)), "ner"),
    ],
)
def test_an_invalid_call_says_what_is_allowed(asking, call, remedy):
    with pytest.raises(ConfigError, match=remedy):
        call(asking)


def test_heads_of_two_models_share_a_pipeline_and_need_different_names():
    options = {"device": torch.device("cpu"), "precision": "float32"}
    pipeline = Pipeline(make_model(), make_asking_model(), **options)
    document = Document.from_text(LONG)
    assert pipeline.entities(document) and pipeline.classify(document)
    assert pipeline.entities(document) == Pipeline(make_model(), **options).entities(document)
    with pytest.raises(ConfigError, match="two pipelines"):
        Pipeline(make_model(), make_model(), **options)


def test_the_class_for_everything_else_is_not_reported():
    model = make_asking_model()
    pipeline = Pipeline(model, device=torch.device("cpu"), precision="float32")
    document = Document.from_text(LONG)
    (label,) = pipeline(document, tasks=["kind"]).labels
    object.__setattr__(model.config.heads["kind"], "other", label.name)
    assert pipeline(document, tasks=["kind"]).labels == ()
    with pytest.raises(ConfigError, match="other is 'hire'; the head has lease, loan"):
        ClassifyConfig(labels=("lease", "loan"), other="hire")


def test_a_document_without_text_is_reported_as_not_read(asking):
    empty = Document.from_text("")
    answers = asking.ask(empty, QUESTIONS)
    assert [(list(found), found.coverage) for found in answers] == [([], 0.0)] * 3
    found = asking.infer(empty, ["it is exclusive", "it is perpetual"])
    assert [(i.hypothesis, i.label, i.coverage) for i in found] == [
        ("it is exclusive", NOT_READ, 0.0),
        ("it is perpetual", NOT_READ, 0.0),
    ]
    dropped = asking.ask(Document.from_text("Acme \x07\x07 Incorporated"), "who?")
    assert dropped.coverage == pytest.approx(16 / 18) and [(g.start, g.end) for g in dropped.gaps] == [(5, 7)]


def test_a_threshold_is_chosen_at_the_call(asking):
    document = Document.from_text(LONG)
    scores = [answer.score for answer in asking.ask(document, QUESTIONS[0], top_k=8)]
    kept = asking.ask(document, QUESTIONS[0], top_k=8, min_score=scores[3])
    assert [answer.score for answer in kept] == scores[:4]
    evidence = asking.infer(document, ["the patient took aspirin"], min_score=0.0)[0].evidence
    assert len(evidence) == 3
    assert asking.infer(document, ["the patient took aspirin"], min_score=1.0)[0].evidence == ()
    with pytest.raises(ConfigError, match="from 0 to 1"):
        asking.ask(document, QUESTIONS[0], min_score=40)


def test_of_several_heads_of_a_kind_one_is_named():
    plain, windows = make_asking_model(), WindowConfig(size=48, overlap=8)
    heads = {"first": QaConfig(windows=windows, max_answer_tokens=12), "second": QaConfig(windows=windows)}
    model = Model(plain.encoder.backbone, plain.tokenizer, ModelConfig(heads=heads, windows=plain.config.windows))
    pipeline = Pipeline(model, device="cpu", precision="float32")
    document = Document.from_text(LONG)
    with pytest.raises(ConfigError, match=r"several heads are of kind 'qa'.*first, second"):
        pipeline.ask(document, QUESTIONS[0])
    with pytest.raises(ConfigError, match=r"head is 'third'.*first, second"):
        pipeline.ask(document, QUESTIONS[0], head="third")
    alone = Pipeline(model.with_heads(["second"]), device="cpu", precision="float32")
    both = pipeline.ask(document, QUESTIONS[0], min_score=0.0, head="second")
    assert both == alone.ask(document, QUESTIONS[0], min_score=0.0)


def test_a_pipeline_that_only_answers_questions_refuses_to_read_without_one():
    document = Document.from_text(LONG)
    for heads in (["qa"], ["embed"]):
        pipeline = Pipeline(make_asking_model().with_heads(heads), device="cpu", precision="float32")
        with pytest.raises(ConfigError, match="works without a question"):
            pipeline(document)
    with pytest.raises(ConfigError, match="works without a question"):
        Pipeline()(document)
    rules = Pipeline(rules=Rules.load("default"))
    assert rules(document, tasks=["rules"]).entities


def test_questions_and_hypotheses_may_be_any_iterable(asking):
    document = Document.from_text(LONG)
    (found,) = asking.infer(document, (hypothesis for hypothesis in ["the patient took aspirin"]))
    assert found == asking.infer(document, ["the patient took aspirin"])[0]
    assert asking.ask(document, iter(QUESTIONS)) == asking.ask(document, QUESTIONS)
