"""One report for all heads and both encoders."""

import json
import re
import sys
from dataclasses import replace

import pytest
import yaml

from conftest import CORPUS, make_asking_model, make_model
from longdoc import Document
from longdoc.config import load_yaml
from longdoc.datasets import (
    ClassesConfig,
    ContractNliConfig,
    Example,
    JsonlConfig,
    Question,
    SquadConfig,
    first_wordings,
    read_dataset,
)
from longdoc.datasets.views import View
from longdoc.encoders import SparseEncoder
from longdoc.errors import ConfigError, DataError, MissingDependencyError
from longdoc.evaluation import EvaluationConfig, Report, evaluate, evaluate_entities
from longdoc.evaluation import baselines as base
from longdoc.evaluation.plots import reliability_plot
from longdoc.evaluation.scoring import score
from longdoc.labels import Span
from longdoc.metrics import answer_counts, class_counts
from longdoc.metrics.results import AnswerResult, EntityResult, InferenceResult, total
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


ENTITIES = {"reader": "jsonl", "files": ["data.jsonl"], "labels": LABELS, "limit": 2}
QUESTIONS = {"reader": "squad", "files": ["squad.json"]}
CLAUSES = {"reader": "cuad questions", "files": ["cuad"], "wordings": "wordings.yaml"}
HYPOTHESES = {"reader": "contract_nli", "files": ["nli.json"]}
CLASSES = {"reader": "classes", "files": ["kinds.tsv"]}
ALL = {"questions": QUESTIONS, "clauses": CLAUSES, "hypotheses": HYPOTHESES, "kinds": CLASSES}


@pytest.fixture
def asking(folder, monkeypatch):
    """A model with heads of every kind, and a data set for each."""
    make_asking_model().save(folder / "asking")
    text, long = CORPUS[0], " ".join(CORPUS[:2] * 2)
    squad = [
        {"id": "1", "question": "When is it made?", "answers": [{"answer_start": text.index("June"), "text": "June"}]},
        {"id": "2", "question": "Who was the patient?", "answers": []},
    ]
    data = {"data": [{"title": "a", "paragraphs": [{"context": text, "qas": squad}]}]}
    (folder / "squad.json").write_text(json.dumps(data), encoding="utf-8")
    span = [text.index("Acme"), text.index("Acme") + 17]
    notes = {"a": {"choice": "Entailment", "spans": [0]}, "b": {"choice": "NotMentioned", "spans": []}}
    document = {"id": 1, "text": long, "spans": [span], "annotation_sets": [{"annotations": notes}]}
    labels = {"a": {"hypothesis": "Acme is a party."}, "b": {"hypothesis": "The term is long."}}
    (folder / "nli.json").write_text(json.dumps({"labels": labels, "documents": [document]}), encoding="utf-8")
    rows = [("lease", text), ("lease", CORPUS[1]), ("loan", long)]
    (folder / "kinds.tsv").write_text("label\ttext\n" + "\n".join(map("\t".join, rows)), encoding="utf-8")
    write_contract(folder / "cuad", text)
    wordings = {"Parties": ["Who are the parties?", "Which parties?"], "Governing Law": ["Which law governs it?"]}
    (folder / "wordings.yaml").write_text(yaml.safe_dump(wordings, sort_keys=False), encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def write_contract(folder, text):
    folder.mkdir()
    (folder / "1.txt").write_text(text, encoding="utf-8")
    start = text.index("Acme")
    answer = {"start": start, "end": start + 17, "category": "Parties", "text": text[start : start + 17]}
    record = {"id": "A-1", "type": "x", "text_file": "1.txt", "pdf_file": "1.pdf", "answers": [answer], "values": {}}
    (folder / "contracts.jsonl").write_text(json.dumps(record), encoding="utf-8")


def write(folder, **changes):
    record = {"model": str(folder / "model"), "precision": "float32", "datasets": {"data": ENTITIES}, **changes}
    (folder / "evaluate.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")
    return folder / "evaluate.yaml"


def pipeline_of(model):
    return Pipeline(model, device="cpu", precision="float32")


def test_each_encoder_has_the_counts_of_its_own_pipeline_and_a_cost(folder, monkeypatch):
    sparse_passes = []
    forward = SparseEncoder.forward
    monkeypatch.setattr(
        SparseEncoder, "forward", lambda *args, **inputs: sparse_passes.append(1) or forward(*args, **inputs)
    )
    output = str(folder / "report.json")
    report = evaluate(write(folder, encoders=["windows", "sparse"], output=output))
    examples = read_dataset(JsonlConfig(reader="jsonl", files=("data.jsonl",), labels=LABELS, limit=2))
    for encoder in ("windows", "sparse"):
        pipeline = Pipeline.from_pretrained(folder / "model", encoder=encoder, precision="float32")
        assert report.counts[encoder]["data"] == evaluate_entities(pipeline, examples, set(LABELS.values()))
        cost = report.costs[encoder]["data"]
        expected = sum(len(pipeline.model.tokenizer.encode(e.text, add_special_tokens=False)) for e in examples)
        assert (cost.documents, cost.tokens) == (2, expected)
        assert cost.seconds > 0
    assert sparse_passes, "the sparse encoder must have run"
    assert str(report).count("| data | entities | sparse |") == 1
    written = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert written == report.to_dict()
    assert written["encoders"]["sparse"]["data"]["tokens"] == report.costs["sparse"]["data"].tokens


def test_one_encoder_is_the_default(folder):
    assert list(evaluate(write(folder)).counts) == ["windows"]


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"encoders": []}, "at least one"),
        ({"encoders": ["sparse", "sparse"]}, "distinct"),
        ({"encoders": ["dense"]}, "'windows', 'sparse'"),
        ({"datasets": {}}, "at least one"),
        ({"output": "report.pdf"}, r"\.json, \.md, \.html"),
        (
            {"datasets": {"mine": {**ENTITIES, "labels": {"Chemical": "METAL"}}}},
            r"'mine'.*METAL.*biomedical \(ner: CHEM",
        ),
    ],
)
def test_a_wrong_configuration_is_refused(folder, changes, remedy):
    with pytest.raises(ConfigError, match=remedy):
        evaluate(write(folder, **changes))


def test_data_without_labels_is_refused(folder):
    (folder / "data.jsonl").write_text(json.dumps({"text": CORPUS[1], "entities": []}))
    with pytest.raises(DataError, match=r"data 'mine' \(entities\): nothing is labelled in data\.jsonl"):
        evaluate(write(folder, datasets={"mine": {"reader": "jsonl", "files": ["data.jsonl"]}}))


@pytest.mark.parametrize("name", ALL)
def test_data_that_fits_no_head_is_refused_with_the_names_of_both(asking, name):
    with pytest.raises(ConfigError, match=f"'{name}'.*no head of kind.*contract \\(ner"):
        evaluate(write(asking, datasets={name: ALL[name]}))


@pytest.mark.parametrize("config", ["configs/encoders.yaml", "configs/heads.yaml"])
def test_a_shipped_comparison_is_a_valid_configuration(config):
    assert load_yaml(EvaluationConfig, config).encoders == ("windows", "sparse")


# ------------------------------------------------------------------------------------------------------ each kind by
# itself


def test_each_question_is_scored(asking):
    result = evaluate(write(asking, model="asking", datasets={"q": QUESTIONS})).results["windows"]["q"].result
    (example,) = read_dataset(SquadConfig(reader="squad", files=("squad.json",)))
    pipeline = Pipeline.from_pretrained("asking", precision="float32")
    least = pipeline.heads["qa"].min_score
    found = pipeline.ask(Document.from_text(example.text), [q.text for q in example.questions], min_score=least)
    expected = total(
        [
            AnswerResult(answers=answer_counts(given[0].text if given else "", golds))
            for given, golds in zip(found, (["June"], []), strict=True)
        ]
    )
    assert result.answers == expected.answers
    assert set(result.figures) >= {"exact", "F1", "has-answer exact", "no-answer", "calibration error"}
    assert result.figures["answerable share"] == 0.5
    assert sum(result.reliability.counts) == 2, "the best answer to each question is scored, given or not"


def test_an_answer_below_the_threshold_is_not_given():
    question = Question("1", "When?", (Span(15, 24, ""),))
    text = "Rent starts in June 2020 ends in May 2021"  # no article or full stop, which normalisation would remove
    view = View(Example("a", text, questions=(question, replace(question, id="2", answers=()))))
    for min_score, right in ((0.0, 0), (1.0, 1)):
        model = make_asking_model()
        model.config.heads["qa"] = replace(model.config.heads["qa"], min_score=min_score)
        (result,) = score(pipeline_of(model), "answers", [view], set())
        assert (result.answers.answerable, result.answers.unanswerable_right) == (1, right)


def test_clauses_are_scored_by_category_in_their_first_wording(asking):
    report = evaluate(write(asking, model="asking", datasets={"c": CLAUSES}))
    result = report.results["windows"]["c"].result
    assert list(result.categories) == ["Parties", "Governing Law"]
    assert len(result.categories["Parties"].wanted) == 1
    assert not result.categories["Governing Law"].wanted
    assert len(result.categories["Governing Law"].wrong) > 1, "unlikely answers count, too"
    assert list(result.figures)[:3] == ["AUPR", "precision at 80 % recall", "precision at 90 % recall"]
    n_tokens = len(make_model().tokenizer.encode(CORPUS[0], add_special_tokens=False))
    assert report.costs["windows"]["c"].tokens == 2 * n_tokens


def test_questions_of_no_category_are_all_first_wordings():
    questions = [Question("1", "a", category="x"), Question("2", "b", category="x"), Question("3", "c")]
    assert [q.id for q in first_wordings(questions)] == ["1", "3"]


def test_questions_with_the_same_id_are_refused_by_name(asking, tmp_path):
    asked = [
        {"id": name, "question": f"{name}?", "answers": [], "is_impossible": True} for name in ("a", "b", "a", "b")
    ]
    paragraphs = [{"context": CORPUS[0], "qas": asked}]
    (tmp_path / "twice.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    twice = {"reader": "squad", "files": [str(tmp_path / "twice.json")]}
    with pytest.raises(DataError, match="several questions have the id 'a', 'b'; give each"):
        evaluate(write(asking, model="asking", datasets={"a": twice}))
    questions = [Question("1", "a"), Question("2", "b"), Question("1", "c")]
    with pytest.raises(DataError, match="text: several questions have the id '1'"):
        Example("text", CORPUS[0], questions=tuple(questions))


def test_hypotheses_are_scored_by_class_and_evidence(asking):
    result = evaluate(write(asking, model="asking", datasets={"h": HYPOTHESES})).results["windows"]["h"].result
    (example,) = read_dataset(ContractNliConfig(reader="contract_nli", files=("nli.json",)))
    pipeline = Pipeline.from_pretrained("asking", precision="float32")
    found = pipeline.infer(Document.from_text(example.text), [q.text for q in example.questions])
    right = [inference.label == question.label for inference, question in zip(found, example.questions, strict=True)]
    assert result.classes.right == sum(right)
    assert result.classes.total == sum(result.reliability.counts) == 2
    span = example.questions[0].answers[0]
    hit = any(part.start < span.end and span.start < part.end for part in found[0].evidence)
    assert (result.hits, result.decided) == (int(hit), 1)
    assert result.figures["evidence hit rate"] == hit


def test_classes_are_scored_by_the_head_that_has_them(asking):
    result = evaluate(write(asking, model="asking", datasets={"k": CLASSES})).results["windows"]["k"].result
    examples = read_dataset(ClassesConfig(reader="classes", files=("kinds.tsv",)))
    pipeline = Pipeline.from_pretrained("asking", precision="float32")
    documents = [Document.from_text(example.text) for example in examples]
    named = [[c.name for c in pipeline.classify(document) if c.source == "kind"] for document in documents]
    pairs = zip(named, examples, strict=True)
    assert result.classes.right == sum(class_counts(found, e.labels).right for found, e in pairs)
    assert result.classes.total == 3


def test_classes_of_sections_are_those_of_the_first():
    model = make_asking_model()
    heads = {"part": replace(model.config.heads["clause"], multi_label=False), "qa": model.config.heads["qa"]}
    model = type(model)(model.encoder.backbone, model.tokenizer, replace(model.config, heads=heads)).eval()
    view = View(Example("1", CORPUS[0], labels=("fees",)))
    (result,) = score(pipeline_of(model), "classes", [view], {"fees"})
    assert (result.classes.total, sum(result.reliability.counts)) == (1, 1)


# ------------------------------------------------------------------------------------------------------------ baselines


def test_baselines_are_listed_with_each_result(asking):
    report = evaluate(write(asking, model="asking", baselines=True, datasets=ALL))
    for name, outcome in report.results["windows"].items():
        expected = {base.TRUNCATED, base.BOTH_ENDS} | ({base.MAJORITY} if name in ("hypotheses", "kinds") else set())
        assert set(outcome.baselines) == expected
        assert outcome.baselines[base.TRUNCATED] == outcome.result, "no document is long enough to be cut"
        assert f"| {name} | {outcome.result.kind} | windows | {base.TRUNCATED} |" in str(report)
    majority = report.results["windows"]["kinds"].baselines[base.MAJORITY]
    assert majority.figures["accuracy"] == pytest.approx(2 / 3), "two of three are leases"


def test_rules_are_a_baseline_where_they_have_a_label(folder):
    example = Example("1", "Signed on June 21, 1999.", (Span(10, 23, "DATE"),))
    pipeline = Pipeline.from_pretrained(folder / "model")
    rows = base.baselines_of(pipeline, "entities", [example], {"DATE"}, [EntityResult()])
    assert rows[base.ONLY_RULES].counts["DATE"].f1 == 1
    rows = base.baselines_of(pipeline, "entities", [example], {"CHEMICAL"}, [EntityResult()])
    assert base.ONLY_RULES not in rows


def test_a_truncated_document_keeps_the_offsets_of_the_rest(monkeypatch):
    text = CORPUS[0] + " " + CORPUS[1] * 3
    pipeline = pipeline_of(make_model())
    monkeypatch.setattr(base, "LENGTH", 20)
    monkeypatch.setattr(base, "HEAD", 12)
    monkeypatch.setattr(base, "TAIL", 10)
    first, ends = (cut(Example("1", text), pipeline) for cut in (base.truncated, base.both_ends))
    assert text.startswith(first.document.text)
    assert len(first.document.text) < len(text)
    read = ends.document.text
    head, tail = read.split("\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    start = read.rindex("effect")
    place = ends.place(start, start + 6)
    assert text[slice(*place)] == "effect"
    assert place[0] == text.rindex("effect")
    assert ends.place(0, 4) == (0, 4)
    assert ends.place(len(head) - 2, len(head) + 3) is None
    found = pipeline.entities(Document.from_text(text))
    example = Example("1", text, tuple(Span(e.start, e.end, e.label) for e in found))
    labels = {entity.label for entity in found}
    (whole,) = score(pipeline, "entities", [View(example)], labels)
    assert whole.value == 1
    cut = base.baselines_of(pipeline, "entities", [example], labels, [whole])[base.TRUNCATED]
    assert sum(c.true_positive + c.false_negative for c in cut.counts.values()) == len(set(example.spans))
    assert cut.figures["recall"] < 1


# -------------------------------------------------------------------------------------------------------------- reports


def test_the_page_contains_every_head_its_figures_and_plots(asking):
    pytest.importorskip("matplotlib")
    report = evaluate(
        write(asking, model="asking", encoders=["windows", "sparse"], datasets=ALL, output="out.html", baselines=True)
    )
    page = (asking / "out.html").read_text(encoding="utf-8")
    assert page == report.to_html()
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r'(?:src|href)="(?!#)', page), "nothing is loaded from elsewhere"
    for encoder, name, outcome in report.outcomes():
        assert f"<td>{name}</td><td>{outcome.result.kind}</td><td>{encoder}</td>" in page
        assert f'<td>{outcome.result.main}</td><td class="n">{outcome.result.value:.3f}</td>' in page
    assert base.BOTH_ENDS in page
    assert page.count("<svg") == 1 + len(ALL) + 1, "bars, reliability of each data set, one curve of clauses"
    assert "currentColor" in page
    assert "#010203" not in page


def test_a_page_without_matplotlib_has_no_plots(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = evaluate(write(folder)).to_html()
    assert "<svg" not in page
    assert "Plots need matplotlib: pip install 'longdoc[evaluate]'" in page


def test_a_plot_without_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'longdoc\[evaluate\]'"):
        reliability_plot({})


def test_the_suffix_selects_markdown(folder):
    report = evaluate(write(folder, output=str(folder / "report.md")))
    assert (folder / "report.md").read_text(encoding="utf-8") == f"{report}\n"
    assert "| windows | data | **micro** |" in str(report)
    assert "| windows | data | CHEMICAL |" in str(report)


def test_a_report_is_not_saved_in_an_unknown_form(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown suffix '\.pdf'; allowed: \.json, \.md, \.html"):
        Report("none").save(tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_results_add():
    one = InferenceResult(classes=class_counts(["a"], ["a"]), hits=1, decided=1)
    other = InferenceResult(classes=class_counts(["a"], ["b"]), decided=1)
    both = one + other
    assert (both.classes.accuracy, both.figures["evidence hit rate"]) == (0.5, 0.5)
    assert total([one, other, InferenceResult()]) == both


def test_an_empty_report_has_tables_without_rows():
    assert str(Report("none")).count("\n|---|") == 2
