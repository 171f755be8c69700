"""Every file of ``configs/`` runs, on a tiny model and tiny data in the formats of the real corpora.

New files are included automatically. A file's kind is the dataclass that its keys fit: see ``RUNS``.
"""

import json
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import chain, count, islice
from pathlib import Path

import pytest
import torch
import yaml
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, set_seed

from longdoc.calibration import CalibrateConfig, calibrate
from longdoc.config import load_yaml, load_yaml_mapping, to_dict
from longdoc.datasets import Contract, CuadQuestionsConfig, ReaderConfig, cuad_part, read_dataset
from longdoc.datasets.marks import CuadMarksConfig, Marks
from longdoc.decode import Calibration
from longdoc.evaluation import EvaluationConfig, evaluate
from longdoc.heads import FillConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.model_files import DEFAULT_MODEL
from longdoc.training import PretrainConfig, TrainConfig, pretrain, train

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
DOCUMENTS = 16
"""In each corpus, in addition to those that a config skips."""
SMALL = {"batch_tokens": 1024, "log_every": 1}


# ----------------------------------------------------------------------------------------------------------- tiny data


def write_data(root, datasets, classes):
    """The files that data sets name, with every label that they map. ``classes`` are those of sentences."""
    by_file = {}
    for dataset in datasets:
        for name in dataset.files:
            by_file.setdefault(name.replace("*", "tiny"), []).append(dataset)
    for name, own in by_file.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[own[0].reader](path, own, classes)


def names_and_labels(datasets):
    """The labels in turn, each with a name that has it."""
    labels = list(dict.fromkeys(chain.from_iterable(dataset.labels for dataset in datasets))) or ["NAME"]
    number = max(DOCUMENTS, len(labels)) + max(dataset.skip for dataset in datasets)
    return [(f"Acme {labels[index % len(labels)].lower()}", labels[index % len(labels)]) for index in range(number)]


def write_jsonl(path, datasets, classes):
    lines = []
    for number, (name, label) in enumerate(names_and_labels(datasets)):
        text = f"On {number} June it was {name} that failed."
        start = text.index(name)
        span = {"start": start, "end": start + len(name), "text": name, "label": label}
        lines.append(json.dumps({"id": f"{path.stem}-{number}", "text": text, "entities": [span]}))
    path.write_text("\n".join(lines) + "\n")


def write_conll(path, datasets, classes):
    token_column, tag_column = datasets[0].token_column, datasets[0].tag_column
    lines = ["# a comment, as CoNLL-U has them"]
    for name, label in names_and_labels(datasets) * 8:  # eight sentences become a document
        tagged = [("Here", "O"), *zip(name.split(), (f"B-{label}", f"I-{label}"), strict=False), ("stands", "O")]
        for token, tag in tagged:
            cells = ["_"] * (max(token_column, tag_column) + 1)
            cells[token_column], cells[tag_column] = token, tag
            lines.append("\t".join(cells))
        lines.append("")
    path.write_text("\n".join(lines) + "\n")


def write_cuad(path, datasets, classes):
    """Some contracts for each part; the title, parties and dates in all of them, the other categories in turn."""
    (path / "txt").mkdir(parents=True, exist_ok=True)
    asked = (dataset for dataset in datasets if isinstance(dataset, CuadQuestionsConfig))
    wordings = next((load_yaml_mapping(dataset.wordings) for dataset in asked), {})
    others = [name for name in wordings if name not in ("Document Name", "Parties", "Agreement Date", "Effective Date")]
    lines = [line for dataset in datasets if isinstance(dataset, CuadMarksConfig) for line in marked(path, dataset)]
    for number, identifier in enumerate([*ids_of("train", 8), *ids_of("dev", 4), *ids_of("test", 4)]):
        said = [
            ("Document Name", "DISTRIBUTION AGREEMENT"),
            ("Parties", "Acme Incorporated"),
            ("Parties", "Zenith Trading LLC"),
            ("Agreement Date", "June 21, 1999"),
            ("Effective Date", "July 1, 1999"),
            *((name, f"matters of {name.lower()}") for name in others[number % DOCUMENTS :: DOCUMENTS]),
        ]
        pieces, answers = [], []
        for category, words in said:
            start = sum(map(len, pieces))
            answers.append({"category": category, "start": start, "end": start + len(words), "text": words})
            pieces.append(f"{words} is what this contract has to say here.\n")
        lines.append(contract(path, identifier, "".join(pieces), answers))
    (path / "contracts.jsonl").write_text("\n".join(lines) + "\n")


def contract(path, identifier, text, answers):
    (path / "txt" / f"{identifier}.txt").write_text(text)
    files = {"text_file": f"txt/{identifier}.txt", "pdf_file": f"pdf/{identifier}.pdf"}
    return json.dumps({"id": identifier, "type": "Distributor", **files, "answers": answers, "values": {}})


def marked(path, dataset):
    """The contracts that questions were marked in: only the answers, at their offsets."""
    texts = {}
    for question in load_yaml(Marks, dataset.marks).questions:
        text = texts.setdefault(question.contract, [])
        for answer in question.answers:
            text.extend(" " * (answer["end"] - len(text)))
            text[answer["start"] : answer["end"]] = answer["text"]
    return [contract(path, identifier, "".join(text), []) for identifier, text in texts.items()]


def ids_of(part, number):
    names = (f"COMPANY{index}_01_01_2000-EX-10-AGREEMENT" for index in count())
    return islice((name for name in names if cuad_part(Contract(name, "", "", Path(), (), {})) == part), number)


def write_squad(path, datasets, classes):
    paragraphs = []
    for number in range(DOCUMENTS):
        text = f"Acme sold {number} ships to Zenith in Boston. The price was paid by Mercury in June."
        answers = [{"text": "Mercury", "answer_start": text.index("Mercury")}]
        asked = {"id": f"{number}a", "question": "Who paid what Zenith owed?", "answers": answers}
        unanswerable = {"id": f"{number}b", "question": "Who insured them?", "answers": [], "is_impossible": True}
        paragraphs.append({"context": text, "qas": [asked, unanswerable]})
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "Ships", "paragraphs": paragraphs}]}))


def write_contract_nli(path, datasets, classes):
    sentences = ["The Recipient shall keep it secret.", "The Recipient may copy it.", "Ohio law governs."]
    text = " ".join(sentences)
    spans = [[text.index(sentence), text.index(sentence) + len(sentence)] for sentence in sentences]
    annotations = {
        "nda-1": {"choice": "Entailment", "spans": [0]},
        "nda-2": {"choice": "Contradiction", "spans": [1]},
        "nda-3": {"choice": "NotMentioned", "spans": []},
    }
    asked = (dataset.wordings for dataset in datasets if hasattr(dataset, "wordings"))
    hypotheses = {name: f"It says {name}." for file in asked for name in load_yaml_mapping(file)}
    hypotheses |= {"nda-1": "It is confidential.", "nda-2": "It must not be copied.", "nda-3": "It is returned."}
    document = {"text": text, "spans": spans, "annotation_sets": [{"annotations": annotations}]}
    labels = {name: {"short_description": name, "hypothesis": said} for name, said in hypotheses.items()}
    documents = [{"id": number, "file_name": f"{number}.pdf", **document} for number in range(DOCUMENTS)]
    path.write_text(json.dumps({"documents": documents, "labels": labels}))


def write_classes(path, datasets, classes):
    labels = list(dict.fromkeys(chain.from_iterable(dataset.labels for dataset in datasets))) or list(classes)
    columns = f"{datasets[0].text_column}\t{datasets[0].label_column}"
    rows = [f"Sentence {number} is about {label}.\t{label}" for number in range(4) for label in labels]
    path.write_text("\n".join([columns, *rows]) + "\n")


def write_papers(path):
    """A folder of papers in JATS, or those that a pattern names."""
    names = path.parent / path.name if path.suffix else path / "*.xml"
    assert names.suffix == ".xml", f"{path.name}: add a way to write such documents to {Path(__file__).name}"
    names.parent.mkdir(parents=True, exist_ok=True)
    for number in range(DOCUMENTS):
        title = f"<title-group><article-title>Of {number} ships</article-title></title-group>"
        front = f"<front><article-meta>{title}</article-meta></front>"
        body = f"<body><sec><title>Results</title><p>Of {number} ships that left, none was late.</p></sec></body>"
        record = f'<article xml:lang="en" article-type="research-article">{front}{body}</article>'
        (names.parent / names.name.replace("*", f"tiny{number}")).write_text(record)


WRITERS = {
    "jsonl": write_jsonl,
    "conll": write_conll,
    "cuad": write_cuad,
    "cuad clauses": write_cuad,
    "cuad questions": write_cuad,
    "cuad marks": write_cuad,
    "cuad types": write_cuad,
    "squad": write_squad,
    "contract_nli": write_contract_nli,
    "contract_nli questions": write_contract_nli,
    "classes": write_classes,
}


def datasets_of(config):
    """All data sets anywhere in a config."""
    if isinstance(config, ReaderConfig):
        yield config
    elif is_dataclass(config):
        yield from chain.from_iterable(datasets_of(getattr(config, own.name)) for own in fields(config))
    elif isinstance(config, dict):
        yield from chain.from_iterable(map(datasets_of, config.values()))
    elif isinstance(config, tuple):
        yield from chain.from_iterable(map(datasets_of, config))


def classes_of(heads):
    """Labels of the heads that name classes."""
    return [label for head in heads.values() if head.kind == "classify" for label in head.labels]


# ---------------------------------------------------------------------------------------------------------------- runs


def tiny_model(config):
    """As many layers as the default model, width 16, its vocabulary, and random weights that give findings."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 6, "num_attention_heads": 2, "intermediate_size": 32}
    encoder = BertConfig(max_position_embeddings=512, initializer_range=0.5, **sizes)
    tokenizer = Tokenizer.from_file(str(DEFAULT_MODEL / "tokenizer.json"))
    return Model(BertModel(encoder, add_pooling_layer=False), tokenizer, config)


def save_base(config, folder):
    """The base of a run: an encoder alone for ``package:NAME``, otherwise a longdoc model."""
    model = tiny_model(config.model or ModelConfig(heads={"fill": FillConfig()}))
    if config.base.startswith("package:"):
        model.encoder.backbone.save_pretrained(folder)
        model.tokenizer.save(str(folder / "tokenizer.json"))
    else:
        model.save(folder)


@cache
def default_config():
    return Model.from_pretrained(DEFAULT_MODEL).config


def save_default(folder):
    """A model with the heads of the shipped one and high scores."""
    model = tiny_model(default_config())
    with torch.no_grad():
        for weight in model.heads.parameters():
            weight.mul_(20) if weight.dim() > 1 else weight.zero_()
    model.save(folder)


def run_train(config, folder):
    write_data(folder / "data", datasets_of(config), classes_of(config.model.heads))
    save_base(config, folder / "base")
    record = to_dict(config) | {"base": str(folder / "base"), "output": str(folder / "run"), **SMALL}
    if config.distill is not None:
        record["distill"]["teacher"] = str(folder / "base")
    if config.development is not None:
        record["development"]["every"] = 30
    trained = Model.from_pretrained(train(written(record, folder)))
    assert trained.config.heads == config.model.heads
    log = json.loads((folder / "run" / "log.json").read_text())
    assert [entry for entry in log if "loss" in entry], "nothing was learned"
    assert any("eval_score" in entry for entry in log) == (config.development is not None)

    set_seed(config.seed)
    start = Model.from_base(folder / "base", config.model)
    start.save(folder / "start", quantize=config.quantize)
    start = Model.from_pretrained(folder / "start")
    assert all(torch.isfinite(weight).all() for weight in trained.state_dict().values())
    before = {name: head.state_dict() for name, head in start.heads.items()}
    after = {name: head.state_dict() for name, head in trained.heads.items()}
    changed = {name for name in after if any(not torch.equal(after[name][w], before[name][w]) for w in after[name])}
    assert changed == set(chain.from_iterable(task.heads for task in config.tasks))


def run_pretrain(config, folder):
    write_data(folder / "data", datasets_of(config), [])
    for name in config.documents:
        write_papers(folder / "data" / name)
    if config.base:
        save_base(config, folder / "base")
    base = {"base": str(folder / "base")} if config.base else {}
    quick = SMALL | {"batch_tokens": 256, "learning_rate": 0.01}
    done = pretrain(written(to_dict(config) | base | {"output": str(folder / "run"), **quick}, folder))
    assert not done.unread and done.n_learned > DOCUMENTS and done.n_held_out
    assert 0 < done.after.bits < done.before.bits, "the documents are alike, so it must improve"
    assert all(torch.isfinite(weight).all() for weight in Model.from_pretrained(done.folder).state_dict().values())


def run_evaluate(config, folder):
    """With the heads of the shipped model, which the data's labels must fit."""
    save_default(folder / "model")
    write_data(folder / "data", datasets_of(config), classes_of(default_config().heads))
    changes = {"model": str(folder / "model"), "output": str(folder / "report.json")}
    report = evaluate(written(to_dict(config) | changes, folder))
    assert set(report.results) == set(config.encoders)
    for name, dataset in config.datasets.items():
        for by_name in report.results.values():
            assert by_name[name].cost.documents == len(read_dataset(dataset))
            assert all(0 <= figure <= 1 for figure in by_name[name].result.figures.values())
    assert json.loads((folder / "report.json").read_text()) == report.to_dict()


def run_calibrate(config, folder, monkeypatch):
    """With the heads of the shipped model. Random weights give findings that cannot be fitted, so the fit is given."""
    given = Calibration(temperature=2.0, bias=1.0)
    monkeypatch.setattr("longdoc.calibration.fit", lambda scores, right: given)
    write_data(folder / "data", datasets_of(config), [])
    save_default(folder / "model")
    changes = {"model": str(folder / "model"), "output": str(folder / "calibrated")}
    calibrated = calibrate(written(to_dict(config) | changes, folder))
    assert {fit.head: fit.findings > 0 for fit in calibrated.fits} == dict.fromkeys(config.heads, True)
    heads = Model.from_pretrained(folder / "calibrated").config.heads
    assert all(heads[name].calibration == given for name in config.heads)


def written(record, folder):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(record, sort_keys=False))
    return path


RUNS = {
    TrainConfig: run_train,
    PretrainConfig: run_pretrain,
    EvaluationConfig: run_evaluate,
    CalibrateConfig: run_calibrate,
}
"""The dataclass of a kind of config: how to run it."""


def kind_of(path):
    """The dataclass that has all keys of a file, and needs no others."""
    keys = set(yaml.safe_load(path.read_text()))
    for kind in RUNS:
        known = {own.name: own.default is MISSING is own.default_factory for own in fields(kind)}
        if keys <= set(known) and keys >= {name for name, is_needed in known.items() if is_needed}:
            return kind
    raise AssertionError(
        f"the keys of {path.name} ({', '.join(sorted(keys))}) fit none of {', '.join(k.__name__ for k in RUNS)}; "
        f"correct them, or add its dataclass and a function that runs it to RUNS in tests/{Path(__file__).name}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(ROOT)  # wordings are named from there
    kind = kind_of(path)
    config = load_yaml(kind, path)
    run = RUNS[kind]
    run(config, tmp_path, monkeypatch) if run is run_calibrate else run(config, tmp_path)


def test_wordings_are_those_of_some_config():
    """The tests above then read them."""
    datasets = [dataset for path in CONFIGS for dataset in datasets_of(load_yaml(kind_of(path), path))]
    named = {dataset.wordings for dataset in datasets if hasattr(dataset, "wordings")}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").glob("*/*.yaml")} <= named


def test_a_config_of_an_unknown_kind_says_what_to_add(tmp_path):
    (tmp_path / "new.yaml").write_text("tasks: []\nteacher: default\n")
    with pytest.raises(
        AssertionError, match=r"new\.yaml \(tasks, teacher\) fit none of TrainConfig.*add its dataclass"
    ):
        kind_of(tmp_path / "new.yaml")
