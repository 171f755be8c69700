"""An exported graph is read without torch and transformers, with the results of the model that it was made from."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from conftest import CORPUS, make_asking_model
from longdoc import Pipeline, load
from longdoc.errors import ConfigError
from longdoc.evaluation import evaluate
from longdoc.export import to_graph
from longdoc.heads import NerConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.sources import load_model

TEXT = "LEASE\n\n1. Fees\n\n" + " ".join(CORPUS * 3) + "\n\n2. Term\n\nThe term is one year.\n"
QUESTIONS = ["When is it made?", "Who is the Distributor?"]
BLOCKED = ("torch", "transformers", "safetensors")
PRELUDE = f"import sys; sys.modules.update(dict.fromkeys({BLOCKED}))\n"  # as if they were not installed
READ = """
import json
import longdoc
from longdoc.heads import HEADS, NerConfig
assert HEADS and longdoc.extract_many and "Pipeline" in dir(longdoc)
folder, text, questions = json.load(sys.stdin)
pipeline = longdoc.Pipeline.from_pretrained(folder)
document = longdoc.load(text.encode())
prediction = pipeline(document)
found = {
    "entities": [[e.start, e.end, e.label, e.score] for e in prediction.entities],
    "labels": [[label.name, label.start, label.score] for label in prediction.labels],
    "answers": [[a.start, a.end, a.score] for own in pipeline.ask(document, questions, min_score=0.0) for a in own],
    "inferences": [[i.label, i.score, len(i.evidence)] for i in pipeline.infer(document, ["It is a lease."])],
    "vector": pipeline.embed(document).tolist(),
    "none": pipeline.embed(longdoc.Document.from_text("")).tolist(),
}
print(json.dumps(found))
"""
COMMAND = "from longdoc.cli import main; sys.exit(main(sys.argv[1:]))"


def make_model() -> Model:
    """A head of every kind."""
    asking = make_asking_model()
    heads = {"contract": NerConfig(labels=("PARTY", "AGREEMENT_DATE")), **asking.config.heads}
    return Model(asking.encoder.backbone, asking.tokenizer, ModelConfig(heads=heads, windows=asking.config.windows))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model; its export to ONNX is beside it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("light")
    make_model().save(folder / "model")
    to_graph(folder / "model", folder / "graph")
    return folder


@pytest.fixture(scope="module")
def by_torch(folder) -> Pipeline:
    return Pipeline.from_pretrained(folder / "model", device="cpu", precision="float32")


@pytest.fixture(scope="module")
def by_graph(folder) -> Pipeline:
    return Pipeline.from_pretrained(folder / "graph")


def without_torch(code: str, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def test_all_kinds_of_heads_find_without_torch_what_they_find_with_it(folder, by_torch):
    done = without_torch(READ, given=json.dumps([str(folder / "graph"), TEXT, QUESTIONS]))
    assert done.returncode == 0, done.stderr
    found, document = json.loads(done.stdout), load(TEXT.encode())
    expected = by_torch(document)
    assert len(found["entities"]) > 5
    same(found["entities"], [[e.start, e.end, e.label, e.score] for e in expected.entities])
    same(found["labels"], [[label.name, label.start, label.score] for label in expected.labels])
    answers = by_torch.ask(document, QUESTIONS, min_score=0.0)
    same(found["answers"], [[a.start, a.end, a.score] for own in answers for a in own])
    inferences = by_torch.infer(document, ["It is a lease."])
    same(found["inferences"], [[i.label, i.score, len(i.evidence)] for i in inferences])
    np.testing.assert_allclose(found["vector"], by_torch.embed(document), atol=1e-5)
    assert found["none"] == [0.0] * 16


def same(found, expected):
    assert [[*row] for row in found] == [
        [pytest.approx(v, abs=1e-4) if isinstance(v, float) else v for v in row] for row in expected
    ]


def test_commands_read_with_an_export_without_torch(folder, tmp_path, by_torch):
    (tmp_path / "lease.txt").write_text(TEXT)
    arguments = (tmp_path / "lease.txt", "--model", folder / "graph")
    done = without_torch(COMMAND, "extract", *arguments, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    written = [json.loads(line) for line in done.stdout.splitlines()]
    expected = by_torch(load(TEXT.encode()), tasks=["contract"]).entities
    assert [(e["start"], e["label"]) for e in written[0]["entities"]] == [(e.start, e.label) for e in expected]
    done = without_torch(
        COMMAND, "ask", *arguments[:1], QUESTIONS[0], *arguments[1:], "--min-score", "0", "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["questions"][0]["answers"]
    done = without_torch(COMMAND, "ask", tmp_path / "lease.txt", QUESTIONS[0])
    assert done.returncode == 1 and done.stderr == "longdoc: longdoc ask needs torch: pip install 'longdoc[model]'\n"


def test_a_model_that_is_no_export_names_the_extra(folder):
    code = (
        "import longdoc\ntry: longdoc.Pipeline.from_pretrained(sys.argv[1])\nexcept ImportError as error: print(error)"
    )
    said = without_torch(code, folder / "model").stdout
    assert said == "a model that is not exported to ONNX needs torch: pip install 'longdoc[model]'\n"


def test_batches_and_processes_do_not_change_what_a_graph_finds(folder, by_graph):
    document = load(TEXT.encode())
    small = Pipeline.from_pretrained(folder / "graph", batch_tokens=40)
    assert small(document).entities == by_graph(document).entities
    assert pickle.loads(pickle.dumps(by_graph))(document) == by_graph(document)


def test_windows_are_computed_several_at_a_time(folder, by_graph, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    document, pipeline = load(TEXT.encode()), Pipeline.from_pretrained(folder / "graph", batch_tokens=70)
    scorer = pipeline.readers[0].scorer
    assert (scorer.at_a_time, scorer.graph.threads) == (3, 1)
    assert pipeline(document).entities == by_graph(document).entities
    assert pickle.loads(pickle.dumps(pipeline))(document).entities == by_graph(document).entities, "after its threads"


def test_an_export_is_evaluated_as_its_model(folder, corpus):
    data = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"party": "PARTY"}, "limit": 3}
    found = []
    for name in ("graph", "model"):
        path = corpus / f"{name}.yaml"
        record = {"model": str(folder / name), "precision": "float32", "datasets": {"mine": data}, "baselines": True}
        path.write_text(yaml.safe_dump(record))
        found.append(evaluate(path).results["windows"]["mine"])
    assert found[0].result.counts == found[1].result.counts and found[0].cost.tokens == found[1].cost.tokens > 0


def test_heads_of_a_kind_are_taken_from_an_export(folder, by_graph):
    assert {*by_graph.heads} == {*make_model().config.heads} - {"fill"}
    assert [*Pipeline.from_pretrained(ner=folder / "graph", qa=folder / "model", device="cpu").heads] == [
        "contract",
        "qa",
    ]
    with pytest.raises(ConfigError, match=r"has no head of kind 'spans', only classify, embed, ner, nli, qa"):
        Pipeline.from_pretrained(spans=folder / "graph")
    with pytest.raises(ConfigError, match=r"no head of kind 'fill'.* fill is left out of .*graph: a head of the kind"):
        by_graph.fill("A [MASK].")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, r"device is 'cuda', but .* is an export for device='cpu'"),
        ({"device": torch.device("cuda", 1)}, "device is 'cuda:1'"),
        ({"precision": "bfloat16"}, r"precision is 'bfloat16', but .* is an export for precision='float32'"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"encoder": "sparse"}, r"encoder is 'sparse', but .* is an export for encoder='windows'"),
    ],
    ids=str,
)
def test_what_an_export_has_decided_is_not_chosen_again(folder, options, message):
    with pytest.raises(ConfigError, match=message):
        Pipeline.from_pretrained(folder / "graph", **options)
    Pipeline.from_pretrained(folder / "graph", device=torch.device("cpu"), precision="float32")


def test_a_pipeline_shows_that_it_reads_with_an_export(by_graph):
    assert repr(by_graph).endswith("embed (embed); windows in float32 by onnx; rules>")


def test_an_export_is_no_model(folder, by_graph):
    for refused in (
        lambda: by_graph.model,
        lambda: load_model(folder / "graph"),
        lambda: Model.from_pretrained(folder / "graph"),
    ):
        with pytest.raises(ConfigError, match="is an export"):
            refused()


def without_block(record):
    del record["longdoc"]


def without_head(record):
    del record["longdoc"]["heads"]["contract"]


def longer_windows(record):
    record["longdoc"]["windows"]["size"] = 512


def fewer_words(record):
    record["encoder"]["vocab_size"] = 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_block, "has no 'longdoc' block"),
        (without_head, r"export\.json has the head 'contract', and config\.json does not"),
        (longer_windows, r"windows\.size is 512; this encoder has positions for at most 64"),
        (fewer_words, "belong to different models"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(folder, tmp_path, change, message):
    copied = shutil.copytree(folder / "graph", tmp_path / "copied")
    record = json.loads((copied / "config.json").read_text())
    change(record)
    (copied / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=message):
        Pipeline.from_pretrained(copied)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx"])
def test_an_incomplete_export_is_refused(folder, tmp_path, name):
    copied = shutil.copytree(folder / "graph", tmp_path / "copied")
    (copied / name).unlink()
    with pytest.raises(ConfigError, match=f"is incomplete: it has no {name}; export the model again"):
        Pipeline.from_pretrained(copied)
