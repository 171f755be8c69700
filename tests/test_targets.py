"""What heads learn from data: their targets, and what of the data is left out, counted and told."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import reference
from conftest import CORPUS, make_asking_model, make_model, make_tokenizer
from longdoc.cli import main
from longdoc.config import from_dict
from longdoc.datasets import Example, JsonlConfig
from longdoc.errors import DataError
from longdoc.evaluation import LabelledData
from longdoc.heads import NerConfig, TaskConfig
from longdoc.heads.classify import class_targets
from longdoc.heads.learning import IGNORED, Group
from longdoc.heads.ner import tag_document
from longdoc.labels import PREFIXES, Span, decode_tags, tag_names
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training import train
from longdoc.training.data import learnable_of, training_batches
from longdoc.windows import tokenize, word_offsets
from test_training import CONTRACTS, config_file, task

TEXT = CORPUS[0]
LABELS = ("PARTY", "DATE")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data files, to which ``LONGDOC_DATA`` points."""
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    return tmp_path


def write_lines(path, *records):
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")


def task_of(head, reader, file, **changes):
    keys = {"heads": [head], "window": 48, "overlap": 8, **changes}
    labels = keys.pop("labels", {})
    return from_dict(TaskConfig, {**keys, "data": {"reader": reader, "files": [file], "labels": labels}})


def all_batches(tasks, model, **options):
    batches = training_batches(tasks, model, options.pop("batch_tokens", 256), options.pop("seed", 1), **options)
    return [batches[index] for index in range(len(batches))]


def ner_model(scheme, labels=LABELS):
    base = make_model()
    config = ModelConfig(heads={"own": NerConfig(labels=labels, scheme=scheme)}, windows=base.config.windows)
    return Model(base.encoder.backbone, base.tokenizer, config)


# ------------------------------------------------------------------------------------------------------------- entities


@st.composite
def labelled_texts(draw):
    """A text with white space, punctuation and unknown characters, and any spans of it."""
    text = draw(st.text(st.sampled_from("ab1 .,\n\r💩é"), min_size=1, max_size=60))
    places = st.tuples(st.integers(0, 59), st.integers(1, 12), st.sampled_from([*LABELS, "OTHER"]))
    spans = [
        Span(a, min(a + n, len(text)), label) for a, n, label in draw(st.lists(places, max_size=8)) if a < len(text)
    ]
    return Example("a", text, tuple(spans))


@pytest.mark.parametrize("scheme", PREFIXES)
@given(example=labelled_texts())
def test_targets_equal_their_slow_twin(scheme, example):
    """Nested and overlapping spans, and such as begin or end inside a word or cover only white space."""
    tokenizer = make_tokenizer()
    tagged = tag_document(example, {"own": NerConfig(labels=LABELS, scheme=scheme)}, tokenizer)
    tokens = tokenize(example.text, tokenizer)
    words = word_offsets(tokens).tolist()
    of_words = reference.encode_tags(example.spans, words, LABELS, scheme)
    numbers = {word: index for index, word in enumerate(dict.fromkeys(tokens.words.tolist()))}
    names = tag_names(LABELS, scheme)
    assert [names[tag] for tag in tagged.tags["own"]] == [of_words[numbers[word]] for word in tokens.words.tolist()]


@pytest.mark.parametrize("scheme", PREFIXES)
def test_windows_together_have_the_tags_of_the_document(data, scheme):
    """Spans that a window cuts included: its tags are a part of the document's."""
    text = " ".join([TEXT] * 4)
    spans = [[start, start + n, label] for start, n, label in _places(text)]
    write_lines(data / "a.jsonl", {"id": "a", "text": text, "entities": spans})
    model = ner_model(scheme)
    example = Example("a", text, tuple(Span(*span) for span in spans))
    whole = tag_document(example, model.config.heads, model.tokenizer)
    joined = []
    for batch in all_batches([task_of("own", "jsonl", "a.jsonl", window=20, overlap=0)], model, batch_tokens=20):
        (tags,) = batch["targets"]["own"]["tags"].tolist()
        ids = batch["inputs"]["input_ids"][0].tolist()
        joined.append([(token, tag) for token, tag in zip(ids, tags, strict=True) if tag != IGNORED])
    wanted = list(zip(whole.ids.tolist(), whole.tags["own"].tolist(), strict=True))
    assert sorted(pair for window in joined for pair in window) == sorted(wanted)
    assert all(any(wanted[i : i + len(w)] == w for i in range(len(wanted))) for w in joined)
    # One tag a word: the spans come back, neighbours included.
    tokens = tokenize(text, model.tokenizer)
    firsts = np.flatnonzero(np.diff(tokens.words, prepend=-1))
    found = decode_tags(whole.tags["own"][firsts], LABELS, scheme)
    back = [(*(int(word_offsets(tokens)[i, side]) for i, side in ((a, 0), (b - 1, 1))), label) for a, b, label in found]
    assert back == ([tuple(span) for span in spans] if scheme != "io" else _merged(spans, text))


def _places(text):
    start = text.find("Acme Incorporated")
    while start >= 0:
        yield start, 4, "PARTY"
        yield start + 5, 12, "PARTY"
        start = text.find("Acme Incorporated", start + 1)


def _merged(spans, text):
    return [(one[0], two[1], one[2]) for one, two in zip(spans[::2], spans[1::2], strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", PREFIXES)
def test_a_head_of_any_scheme_learns_to_find_its_entities(corpus, scheme):
    heads = {"heads": {"contract": {"labels": ["PARTY"], "scheme": scheme}}, "windows": {"size": 32, "overlap": 8}}
    folder = train(config_file(corpus, model=heads))
    found = LabelledData.read(
        "mine", JsonlConfig(reader="jsonl", files=("contracts.jsonl",), labels={"party": "PARTY"})
    )
    assert found.result(Pipeline.from_pretrained(folder)).value > 0.95


def test_neighbours_that_io_cannot_tell_apart_are_counted(data, caplog):
    spans = [[55, 59, "PARTY"], [60, 72, "PARTY"], [77, 87, "PARTY"]]
    write_lines(data / "a.jsonl", {"id": "lease", "text": TEXT, "entities": spans})
    (found,) = learnable_of([task_of("own", "jsonl", "a.jsonl")], ner_model("io"))
    said = "span beside one of its label, learned as one since `scheme` is io"
    assert found.remarks.counts == {said: 1} and found.learned == {"PARTY": 3}
    assert f"{said}: 1 (the first: lease: PARTY 'Acme Incorporated')" in caplog.text
    (found,) = learnable_of([task_of("own", "jsonl", "a.jsonl")], ner_model("bio"))
    assert not found.remarks


def test_every_span_that_is_not_learned_is_counted_once_for_a_data_set(data, caplog):
    white_space, nested, twice = [4, 5, "PARTY"], [55, 59, "PARTY"], [55, 72, "PARTY"]
    late = [77, 87, "PARTY"]
    record = {"id": "lease", "text": TEXT, "entities": [white_space, nested, twice, twice, late, [26, 30, "OTHER"]]}
    write_lines(data / "a.jsonl", record, {"id": "empty", "text": " \n", "entities": []})
    longest = task_of("own", "jsonl", "a.jsonl", nested="longest", first_tokens=40, labels={"PARTY": "PARTY"})
    with caplog.at_level("INFO"):
        batches = training_batches([longest], ner_model("bio"), 256, seed=1, steps=3)
    (found,) = batches.learnable
    assert found.learned == {"PARTY": 1}
    assert found.remarks.counts == {"span without a word, not learned": 1, "text without a token, left out": 1}
    assert found.chosen.counts == {
        "label 'OTHER', which `labels` does not map": 1,
        "span that shares a word with a longer one, not learned": 1,
        "span after `first_tokens`, not learned": 1,
    }
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["WARNING", "INFO"], "once, although the data are read several times"
    assert told[0][1].startswith("a.jsonl: span without a word, not learned: 1 (the first: lease: PARTY ' ' at 4-5); ")


def test_two_spans_within_a_word_are_noted_even_if_they_do_not_overlap(data):
    write_lines(data / "a.jsonl", {"text": TEXT, "entities": [[60, 63, "PARTY"], [63, 72, "PARTY"]]})
    (found,) = learnable_of([task_of("own", "jsonl", "a.jsonl")], ner_model("bio"))
    assert found.remarks.counts == {"span that shares a word with a longer one, not learned": 1}


# -------------------------------------------------------------------------------------------------------------- classes

KINDS = ("lease", "licence", "loan")


def class_rows(tasks, model):
    """Name of the document and target of each text that is learned."""
    rows = []
    for batch in all_batches(tasks, model):
        targets = batch["targets"][tasks[0].heads[0]]["targets"]
        rows += zip(batch["documents"], targets.tolist(), strict=True)
    return dict(rows)


@pytest.mark.parametrize("reader", ["classes", "jsonl"])
def test_texts_without_one_class_of_the_head_are_left_out_and_counted(data, caplog, reader):
    labels = [["licence"], [], ["gift"], ["loan", "lease"], ["loan", "loan"], ["gift", "loan"]]
    write_lines(data / "a.jsonl", *({"text": f"{TEXT} {n}", "label": names} for n, names in enumerate(labels, 1)))
    tasks = [task_of("kind", reader, "a.jsonl")]
    name = "a-{}" if reader == "classes" else "{}"
    assert class_rows(tasks, make_asking_model()) == {name.format(1): 1, name.format(5): 2}
    (told,) = {record.getMessage() for record in caplog.records}
    for reason in (
        f"text without a class, left out: 1 (the first: {name.format(2)}: none)",
        f"text of a class that the head lacks, left out: 1 (the first: {name.format(3)}: 'gift')",
        "text with several classes, left out since the head is not `multi_label`: 2 (the first: "
        f"{name.format(4)}: 'loan', 'lease')",
    ):
        assert reason in told


def test_a_head_of_several_classes_learns_texts_without_one_and_counts_others(data, caplog):
    write_lines(
        data / "a.jsonl", *({"text": TEXT, "label": names} for names in (["fees", "term"], [], ["gift", "term"]))
    )
    rows = class_rows([task_of("clause", "classes", "a.jsonl")], make_asking_model())
    assert rows == {"a-1": [1.0, 1.0], "a-2": [0.0, 0.0], "a-3": [0.0, 1.0]}
    assert "class that the head lacks, ignored: 1 (the first: a-3: 'gift')" in caplog.text


@pytest.mark.parametrize(
    ("head", "own", "given"),
    [("kind", "loan", "LOAN"), ("kind", "loan", "Loan"), ("clause", "fees", "Fees"), ("clause", "fees", "f ees")],
)
def test_a_class_in_another_spelling_is_refused_with_the_mapping(data, head, own, given):
    write_lines(data / "a.jsonl", {"text": TEXT, "label": [own]}, {"text": TEXT, "label": [given]})
    with pytest.raises(
        DataError, match=rf"a\.jsonl has the label '{given}'; did you mean '{own}'\? .*{{{given}: {own}}}"
    ):
        all_batches([task_of(head, "classes", "a.jsonl")], make_asking_model())
    mapped = task_of(head, "classes", "a.jsonl", labels={own: own, given: own})
    assert len(class_rows([mapped], make_asking_model())) == 2


def test_targets_of_a_text_without_a_class_are_an_error_not_the_first_class(model):
    asking = make_asking_model()
    config = {"kind": asking.config.heads["kind"]}
    batch = asking.encoder.batch([np.arange(5, 9)])
    for labels in ((), ("gift",), ("loan", "lease")):
        group = Group(
            task_of("kind", "classes", "a"),
            "a-1",
            (np.arange(5, 9),),
            asking.encoder.template.plain,
            {"labels": labels},
        )
        with pytest.raises(DataError, match=r"a-1: .*learns exactly one of lease, licence, loan"):
            class_targets([group], batch, config)


# ----------------------------------------------------------------------------------------------- questions, hypotheses


def write_squad(path, text, *questions):
    records = [
        {"id": str(n), "question": question, "answers": [{"answer_start": a, "text": text[a:b]} for a, b in places]}
        for n, (question, places) in enumerate(questions)
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": text, "qas": records}]}]}), encoding="utf-8")


def test_questions_that_cannot_be_learned_are_counted(data, caplog):
    questions = [
        ("When?", [(26, 30)]),
        ("White space?", [(4, 5)]),
        ("White space and a word?", [(4, 5), (26, 30)]),
        ("Too long?", [(0, len(TEXT))]),
        ("None?", []),
        ("Acme " * 60, [(26, 30)]),
    ]
    write_squad(data / "squad.json", TEXT, *questions)
    tasks = [task_of("qa", "squad", "squad.json", window=40)]
    batches = all_batches(tasks, make_asking_model())
    (found,) = learnable_of(tasks, make_asking_model())
    assert found.learned == {"answer": 2}
    assert found.remarks.counts == {
        "question whose answer contains no word, left out": 1,
        "question whose answer is longer than the task's `window`, left out": 1,
        "answer that contains no word, not learned": 1,
        "question too long for the task's `window` and `overlap`, left out": 1,
    }
    assert "'White space?', answers" in caplog.text
    starts = torch.cat([batch["targets"]["qa"]["starts"][:, 1:].flatten() for batch in batches])
    assert int(starts.sum()) == 2, "white space is not learned as the word before it"


def write_nli(path, *choices):
    notes = {str(n): {"choice": choice, "spans": [0]} for n, choice in enumerate(choices)}
    labels = {name: {"hypothesis": f"Acme is party {name}."} for name in notes}
    document = {"id": 1, "text": TEXT, "spans": [[55, 72]], "annotation_sets": [{"annotations": notes}]}
    path.write_text(json.dumps({"labels": labels, "documents": [document]}), encoding="utf-8")


def test_hypotheses_without_a_label_of_the_head_are_counted(data):
    write_nli(data / "nli.json", "Contradiction", None, "NotMentioned")
    model = make_asking_model()
    tasks = [task_of("nli", "contract_nli", "nli.json")]
    targets = torch.cat([batch["targets"]["nli"]["targets"] for batch in all_batches(tasks, model)])
    assert sorted(targets.tolist()) == [1, 2]
    (found,) = learnable_of(tasks, model)
    assert found.learned == {"contradiction": 1, "not mentioned": 1}
    assert found.remarks.counts == {"hypothesis without a label, left out": 1}


# ---------------------------------------------------------------------------------------------------------- too little


@pytest.mark.parametrize("options", [{}, {"steps": 5}], ids=str)
@pytest.mark.parametrize(
    "changes", [{}, {"passes": 0.3}, {"passes": 2.5}, {"unanswerable": 1.0}, {"empty": 0.0}], ids=str
)
def test_a_corpus_of_one_paragraph_is_learned(data, options, changes):
    write_squad(data / "squad.json", TEXT, ("When?", [(26, 30)]))
    write_nli(data / "nli.json", "Entailment")
    write_lines(data / "ner.jsonl", {"text": TEXT, "entities": [[55, 72, "PARTY"]]})
    write_lines(data / "kind.jsonl", {"text": TEXT, "label": "loan"})
    asking = make_asking_model()
    for model, one in (
        (asking, task_of("qa", "squad", "squad.json", **changes)),
        (asking, task_of("nli", "contract_nli", "nli.json", **changes)),
        (asking, task_of("kind", "classes", "kind.jsonl", **changes)),
        (ner_model("bio"), task_of("own", "jsonl", "ner.jsonl", **changes)),
    ):
        for seed in range(4):
            assert all_batches([one], model, seed=seed, **options)


def entities(*spans):
    return [{"text": TEXT, "entities": list(spans)}]


def classes(*labels):
    return [{"text": TEXT, "label": label} for label in labels]


MAP = r"map them, as in `labels: "
NOTHING = {
    "other labels": ("own", entities([55, 72, "ORG"], [77, 87, "ORG"]), r"lacks: ORG; .*`labels: {ORG: PARTY}`"),
    "all labels are counted": ("own", entities([55, 72, "ORG"]), r"in the data: ORG 1; the head has: PARTY, DATE\)"),
    "no span": ("own", entities(), r"no label to learn for own; labels in the data: none; the head has: PARTY, DATE"),
    "white space": (
        "own",
        entities([4, 5, "PARTY"]),
        r"labels in the data: PARTY 1; .*span without a word, not learned: 1",
    ),
    "numbers": ("kind", classes(0, 1), rf'labels in the data: 0 1, 1 1; .*{MAP}{{"0": lease, "1": licence}}`'),
    "other classes": ("kind", classes("licenses"), rf"labels in the data: licenses 1; .*{MAP}{{licenses: licence}}`"),
    "no class": ("clause", classes([]), r"no label to learn for clause; labels in the data: none"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_data_without_a_label_to_learn_is_refused(data, case):
    head, records, said = NOTHING[case]
    write_lines(data / "a.jsonl", *records)
    model = ner_model("bio") if head == "own" else make_asking_model()
    with pytest.raises(DataError, match=rf"a\.jsonl has .*{said}"):
        all_batches([task_of(head, "jsonl" if head == "own" else "classes", "a.jsonl")], model)


def test_questions_without_any_answer_are_refused(data):
    write_squad(data / "squad.json", TEXT, ("When?", []))
    with pytest.raises(DataError, match=r"squad\.json has no answer to learn for qa"):
        all_batches([task_of("qa", "squad", "squad.json")], make_asking_model())


def test_data_without_labels_is_learned_beside_data_with_them(data, caplog):
    write_lines(data / "a.jsonl", {"text": TEXT, "entities": [[55, 72, "PARTY"]]})
    write_lines(data / "b.jsonl", {"text": CORPUS[1], "entities": []})
    assert all_batches([task_of("own", "jsonl", "a.jsonl"), task_of("own", "jsonl", "b.jsonl")], ner_model("bio"))
    assert caplog.messages == ["b.jsonl has no label for own"]


# ------------------------------------------------------------------------------------------------------- as a command


def test_a_run_says_what_it_learned_and_left_out(corpus, caplog, capsys):
    lines = (corpus / "contracts.jsonl").read_text().splitlines()
    record = json.loads(lines[0])
    record["entities"].append({"start": 4, "end": 5, "text": " ", "label": "party"})
    record["entities"].append({"start": 0, "end": 4, "text": "This", "label": "other"})
    (corpus / "contracts.jsonl").write_text("\n".join([json.dumps({"id": "lease", **record}), *lines[1:]]) + "\n")
    path = config_file(corpus, tasks=[task(passes=0.2)])
    assert main(["train", str(path)]) == 0
    left_out = "span without a word, not learned: 1 (the first: lease: PARTY ' ' at 4-5)"
    assert caplog.messages == [f"contracts.jsonl: {left_out}"]
    (summary,) = json.loads((corpus / "run" / "labels.json").read_text())
    assert summary["learned"] == {"PARTY": 160} and summary["remarks"] == {"span without a word, not learned": 1}
    assert summary["left out by the configuration"] == {"label 'other', which `labels` does not map": 1}
    said = capsys.readouterr().out
    assert f"contracts.jsonl: contract learned PARTY 160; {left_out}; label 'other', which" in said
    assert "The trained model is in" in said
    assert CONTRACTS["labels"] == {"party": "PARTY"}


def test_hypertext_regions_are_trained_on_or_refused_before_training(corpus, caplog):
    value = {
        "start": "/p[1]/text()[1]",
        "end": "/p[1]/text()[1]",
        "startOffset": 0,
        "endOffset": 9,
        "text": "Northwind",
    }
    value |= {"globalOffsets": {"start": 0, "end": 9}, "hypertextlabels": ["ORG"]}
    results = [{"type": "hypertextlabels", "value": value}]
    tasks = [{"id": 1, "annotations": [{"result": results}], "data": {"text": "<p>Northwind rents.</p>"}}]
    (corpus / "a.json").write_text(json.dumps(tasks))
    heads = {"heads": {"contract": {"labels": ["ORG"]}}, "windows": {"size": 32, "overlap": 8}}
    path = config_file(
        corpus, model=heads, tasks=[task(data={"reader": "label studio", "files": ["a.json"]}, passes=1)]
    )
    train(path)
    assert json.loads((corpus / "run" / "labels.json").read_text())[0]["learned"] == {"ORG": 1}
    results[0]["type"] = "rectanglelabels"
    (corpus / "a.json").write_text(json.dumps(tasks))
    path = config_file(
        corpus,
        model=heads,
        output=str(corpus / "other"),
        tasks=[task(data={"reader": "label studio", "files": ["a.json"]})],
    )
    with pytest.raises(DataError, match=r"no label to learn .*result of type 'rectanglelabels', not read: 1"):
        train(path)
    assert not (corpus / "other").exists(), "before anything is written"
