"""Graphs of ONNX, OpenVINO and torch: the scores of the heads, without the model."""

import functools
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError

from conftest import CORPUS, make_asking_model
from fakes import FolderHub
from longdoc import cli
from longdoc.attention import SparsePattern
from longdoc.document import Document
from longdoc.errors import ComputeError, ConfigError, MissingDependencyError
from longdoc.export import parity, push, to_graph, to_transformers
from longdoc.export_record import FILES, read_record
from longdoc.exported import ExportedModel
from longdoc.heads import EmbedConfig, NerConfig, SpansConfig
from longdoc.model import Model, without_pooler
from longdoc.model_config import ModelConfig, SparseConfig
from longdoc.model_files import repository
from longdoc.pipeline import Pipeline
from longdoc.pretrained import Repository
from longdoc.sources import load_model
from longdoc.windows import WindowConfig
from test_hub import FAMILIES, save

FORMATS = ("onnx", "openvino", "torch-export")


def make_short_model() -> Model:
    """One layer, which is exported in half the time of two."""
    model = make_asking_model()
    backbone = model.encoder.backbone
    backbone.encoder.layer = backbone.encoder.layer[:1]
    backbone.config.num_hidden_layers = 1
    return model


def make_whole_model() -> Model:
    """A head of every kind, with windows of several lengths."""
    asking = make_short_model()
    heads = {
        **asking.config.heads,
        "ner": NerConfig(labels=("PARTY",)),
        "spans": SpansConfig(labels=("A", "B"), windows=WindowConfig(size=48, overlap=8)),
        "last": EmbedConfig(pooling="lasttoken", normalize=False),
    }
    config = ModelConfig(heads=heads, windows=asking.config.windows)
    return Model(asking.encoder.backbone, asking.tokenizer, config).eval()


@pytest.fixture(scope="module", autouse=True)
def _short_text(tmp_path_factory):
    """A short text to compare scores on."""
    path = tmp_path_factory.mktemp("text") / "contract.txt"
    path.write_text(CORPUS[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "TEXT", path)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of such a model."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("whole") / "model"
    make_whole_model().save(folder)
    return folder


@pytest.fixture(scope="module")
def folder_of(whole, tmp_path_factory):
    """Format → the folder of its graph, made when it is first asked for."""
    out = tmp_path_factory.mktemp("graphs")
    return functools.cache(lambda to: to_graph(whole, out / f"{to}, all heads", to).folder)


def rows(model: Model, lengths, question=()):
    """A batch of random words, and its inputs."""
    rng = np.random.default_rng(0)
    special = model.encoder.template.asking(question) if question else model.encoder.template.plain
    batch = model.encoder.form.batch([rng.integers(5, 80, length) for length in lengths], special)
    return batch, batch.inputs


@torch.no_grad()
def wanted(model: Model, batch, heads, period=0):
    inputs = {name: torch.from_numpy(array) for name, array in batch.inputs.items()}
    states = model.reading_encoder(period)(**inputs)
    return {head: model.heads[head].scores(states, inputs.get("attention_mask")).numpy() for head in heads}


def assert_equal(found, expected, batch):
    assert found.keys() == expected.keys()
    for head, scores in found.items():
        assert scores.dtype == np.float32
        assert parity.difference(expected[head], scores, batch) <= 1e-5, head


@pytest.mark.parametrize("to", FORMATS)
def test_a_graph_gives_the_scores_of_all_heads_for_any_rows(whole, folder_of, to):
    model, graph = Model.from_pretrained(whole), ExportedModel(folder_of(to))
    heads = [head for head in model.heads if head != "fill"]
    assert [*graph.record.outputs] == heads and graph.record.left_out.keys() == {"fill"}
    for lengths, question in (([5], ()), ([30, 7, 1], ()), ([40, 40], ()), ([9, 20], (7, 8, 9))):
        batch, inputs = rows(model, lengths, question)
        assert_equal(graph.scores(inputs, heads), wanted(model, batch, heads), batch)
        assert_equal(graph.scores(inputs, ["qa"]), wanted(model, batch, ["qa"]), batch)


def test_a_graph_of_sparse_attention_takes_rows_of_any_length_and_heads_of_any_window(whole, tmp_path):
    to_graph(whole, tmp_path / "out", "onnx", encoder="sparse")
    model, graph = Model.from_pretrained(whole), ExportedModel(tmp_path / "out")
    for head in ("ner", "spans", "qa"):
        period = graph.record.heads[head].period
        assert period == {"ner": 32, "spans": 48, "qa": 48}[head]
        for lengths, question in (([3], ()), ([14, 15], ()), ([300, 31], ()), ([200, 90], (7, 8, 9)), ([1], (7, 8))):
            batch, inputs = rows(model, lengths, question)
            assert_equal(graph.scores(inputs, [head]), wanted(model, batch, [head], period), batch)


def test_windows_are_read_with_the_pattern_of_a_converted_checkpoint(tmp_path):
    model = make_short_model()
    sparse = SparseConfig(pattern=SparsePattern(window=4), windows=True)
    heads = {"qa": model.config.heads["qa"]}
    config = ModelConfig(heads=heads, windows=model.config.windows, sparse=sparse)
    Model(model.encoder.backbone, model.tokenizer, config).save(tmp_path / "own")
    with pytest.raises(ConfigError, match=r"reads windows with sparse attention .*--to onnx"):
        to_transformers(tmp_path / "own", tmp_path / "dense")
    to_graph(tmp_path / "own", tmp_path / "out", "torch-export")
    own, graph = Model.from_pretrained(tmp_path / "own"), ExportedModel(tmp_path / "out")
    assert "global_mask" not in graph.record.inputs
    for lengths in ([1], [3, 2], [40, 5]):
        batch, inputs = rows(own, lengths, (7, 8))
        assert_equal(graph.scores(inputs, ["qa"]), wanted(own, batch, ["qa"]), batch)


@pytest.mark.parametrize(
    ("family", "pattern", "message"),
    [
        ("big_bird", None, "sparse attention of a big_bird has no form in plain operators"),
        ("bert", SparsePattern(window=16, random_blocks=1, block=8), "random or whole blocks"),
        ("bert", SparsePattern(window=16, global_tokens=(0, 1)), r"allowed .* global_tokens \(\) or \(0,\)"),
        ("deberta-v2", None, "cannot be made sparse"),
    ],
)
def test_sparse_attention_without_a_form_in_plain_operators_is_refused(tmp_path, family, pattern, message):
    save(tmp_path / "base", family, "Model")
    repository = Repository(str(tmp_path / "base"))
    sparse = SparseConfig(pattern=pattern)
    config = ModelConfig(heads={"ner": NerConfig(labels=("A",))}, windows=WindowConfig(size=60), sparse=sparse)
    Model(without_pooler(repository.encoder()), repository.fast_tokenizer(), config).save(tmp_path / "own")
    with pytest.raises(ConfigError, match=message):
        to_graph(tmp_path / "own", tmp_path / "out", encoder="sparse")
    assert not (tmp_path / "out").exists()


def test_what_the_folder_says(whole, folder_of, tmp_path):
    record = read_record(folder_of("onnx"))
    assert record.inputs == ("input_ids", "attention_mask", "token_type_ids")
    assert (record.n_types, record.pad, record.second_type, record.model_type) == (2, 0, 1, "bert")
    assert {head: facts.width for head, facts in record.heads.items()} == {
        **{"qa": 3, "nli": 4, "kind": 4, "clause": 2, "embed": 16, "ner": 3, "spans": 4, "last": 16}
    }
    assert sorted(path.name for path in folder_of("onnx").iterdir()) == [
        *("README.md", "config.json", "export.json", "model.onnx", "parity.json", "tokenizer.json")
    ]
    measured = json.loads((folder_of("onnx") / "parity.json").read_text())
    assert measured["differences"].keys() == record.outputs.keys() and max(measured["differences"].values()) < 1e-5
    card = (folder_of("onnx") / "README.md").read_text()
    assert "| `scores_ner` | float32 | (B, T, 3)" in card and "left out: `fill`" in card
    config = json.loads((folder_of("onnx") / "config.json").read_text())
    assert config["longdoc"]["heads"].keys() == record.outputs.keys()


def test_int8_is_small_and_near(whole, folder_of, tmp_path):
    made = to_graph(whole, tmp_path / "out", int8=True, head="ner")
    model, graph = Model.from_pretrained(whole), ExportedModel(tmp_path / "out")
    batch, inputs = rows(model, [20, 9])
    far = parity.difference(wanted(model, batch, ["ner"])["ner"], graph.scores(inputs, ["ner"])["ner"], batch)
    assert 0 < far < 0.2 and made.parity.tolerance is None and 0 < made.parity.differences["ner"] < 0.2
    words = [w for w in onnx.load(tmp_path / "out" / "model.onnx").graph.initializer if tuple(w.dims) == (300, 16)]
    assert [word.data_type for word in words] == [onnx.TensorProto.INT8]
    assert graph.record.precision == "int8" and "of the results" not in str(made)
    alone = graph.scores({name: array[1:, :11] for name, array in inputs.items()}, ["ner"])["ner"]
    assert np.array_equal(graph.scores(inputs, ["ner"])["ner"][1:, :11], alone), "it depends on the row beside it"
    with pytest.raises(ConfigError, match="int8 is for onnx and openvino"):
        to_graph(whole, tmp_path / "other", "torch-export", int8=True)


def test_int8_of_openvino_is_small_and_near(whole, folder_of, tmp_path):
    to_graph(whole, tmp_path / "out", "openvino", int8=True, head="ner")
    model, graph = Model.from_pretrained(whole), ExportedModel(tmp_path / "out")
    batch, inputs = rows(model, [20, 9])
    far = parity.difference(wanted(model, batch, ["ner"])["ner"], graph.scores(inputs, ["ner"])["ner"], batch)
    assert 0 < far < 0.2 and graph.record.precision == "int8"
    sizes = [(folder / "model.bin").stat().st_size for folder in (tmp_path / "out", folder_of("openvino"))]
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"bert", "xlm-roberta"}))
def test_families(tmp_path, family):
    save(tmp_path / "theirs", family, "ForTokenClassification")
    if family == "longformer":
        with pytest.raises(ConfigError, match="a longformer chooses what it computes"):
            to_graph(tmp_path / "theirs", tmp_path / "out", "torch-export")
        assert not (tmp_path / "out").exists()
        return
    to = "onnx" if family == "modernbert" else "torch-export"  # of an opset of its own
    made = to_graph(tmp_path / "theirs", tmp_path / "out", to)
    assert made.record.model_type == family and max(made.parity.differences.values()) < 1e-5


def compute(graph, inputs, connection):
    connection.send(graph.scores(inputs, ["ner"])["ner"])


def test_a_graph_is_used_in_other_processes(whole, folder_of):
    graph = ExportedModel(folder_of("onnx"), threads=2)
    _, inputs = rows(Model.from_pretrained(whole), [20, 9])
    expected = graph.scores(inputs, ["ner"])["ner"]
    again = pickle.loads(pickle.dumps(graph))
    assert again.threads == 2 and np.array_equal(again.scores(inputs, ["ner"])["ner"], expected)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=compute, args=(graph, inputs, sender))
    process.start()
    try:
        assert receiver.poll(60) and np.array_equal(receiver.recv(), expected)
    finally:
        process.kill()


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.fixture
def copied(folder_of, tmp_path):
    """A copy of the ONNX folder, to be damaged."""
    return shutil.copytree(folder_of("onnx"), tmp_path / "copied")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2, "later": 1, "longdoc_version": "9.1"}, r"version 2, written by longdoc 9\.1;.*upgrade it"),
        ({"version": 0}, "version is 0; allowed is 1"),
        ({"format": "tflite"}, "format.*onnx.*'tflite'"),
        ({"code": "x"}, "unknown key 'code'"),
        ({"inputs": ["input_ids", "pixels"]}, "inputs has pixels; allowed are input_ids"),
        ({"outputs": {"ner": "scores_ner"}}, "must name the same heads"),
    ],
)
def test_records_that_cannot_be_followed_are_refused(copied, change, message):
    record = json.loads((copied / "export.json").read_text())
    (copied / "export.json").write_text(json.dumps({**record, **change}))
    with pytest.raises(ConfigError, match=message):
        ExportedModel(copied)


def test_graphs_that_the_runtime_refuses_are_told_with_the_remedy(copied):
    graph = onnx.load(copied / "model.onnx")
    graph.opset_import[0].version = 99
    onnx.save(graph, copied / "model.onnx")
    with pytest.raises(ConfigError, match=r"onnxruntime .* cannot load the graph \(opset 23\).*upgrade it, or export"):
        ExportedModel(copied)
    (copied / "model.onnx").write_bytes(b"half")
    with pytest.raises(ConfigError, match="cannot load the graph"):
        ExportedModel(copied)
    (copied / "model.onnx").unlink()
    with pytest.raises(ConfigError, match=r"is incomplete: it has no model\.onnx"):
        ExportedModel(copied)
    (copied / "export.json").unlink()
    with pytest.raises(ConfigError, match=r"has no export\.json"):
        ExportedModel(copied)


def truncated(folder, graph):
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


def of_an_unknown_operator(folder, graph):
    graph.graph.node[-1].op_type = "Frobnicate"
    onnx.save(graph, folder / "model.onnx")


def of_unknown_operators(folder, graph):
    graph.graph.node[-1].domain = "org.example"
    onnx.save(graph, folder / "model.onnx")


def without_data(folder, graph):
    with_data(folder, graph)
    (folder / "model.onnx.data").unlink()


def with_half_the_data(folder, graph):
    with_data(folder, graph)
    with (folder / "model.onnx.data").open("r+b") as file:
        file.truncate(100)


def with_data(folder, graph):
    onnx.save(graph, folder / "model.onnx", save_as_external_data=True, location="model.onnx.data")


def of_another_width(folder, graph):
    record = json.loads((folder / "export.json").read_text())
    record["heads"]["ner"]["width"] = 5
    (folder / "export.json").write_text(json.dumps(record))


def of_other_inputs(folder, graph):
    graph.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT32
    onnx.save(graph, folder / "model.onnx")


def of_few_positions(folder, graph):
    (positions,) = [each for each in graph.graph.initializer if tuple(each.dims) == (64, 16)]
    positions.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(positions)[:4], positions.name))
    onnx.save(graph, folder / "model.onnx")


UNLOADABLE = r"onnxruntime \S+ cannot load the graph .*upgrade it, or export the model again here"
UNCOMPUTABLE = r"copied: ONNX Runtime cannot compute 1 windows of 9 tokens \(.*\); export the model again"


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (truncated, ConfigError, UNLOADABLE),
        (of_an_unknown_operator, ConfigError, UNLOADABLE),
        (of_unknown_operators, ConfigError, UNLOADABLE),
        (without_data, ConfigError, r"is incomplete: it has no model\.onnx\.data; export the model again"),
        (with_half_the_data, ConfigError, UNLOADABLE),
        (of_another_width, ConfigError, r"the scores of ner are \(1, 9, 3\), not \(B, T, 5\): .* different exports"),
        (of_other_inputs, ComputeError, UNCOMPUTABLE),
        (of_few_positions, ComputeError, UNCOMPUTABLE),
    ],
)
def test_what_the_runtime_raises_is_a_typed_error(copied, damage, error, message):
    damage(copied, onnx.load(copied / "model.onnx"))
    with pytest.raises(error, match=message):
        ExportedModel(copied).scores({"input_ids": np.full((1, 9), 5)}, ["ner"])


def test_want_of_memory_is_told_with_the_remedy(copied, monkeypatch):
    graph = ExportedModel(copied)

    def fail(*_):
        raise RuntimeError("Failed to allocate memory for requested buffer of size 8")

    monkeypatch.setattr(graph, "_loaded", fail)
    with pytest.raises(
        ComputeError, match=r"1 windows of 9 tokens, out of memory \(Failed .*\); give fewer batch_tokens"
    ):
        graph.scores({"input_ids": np.full((1, 9), 5)}, ["ner"])


def test_a_damaged_graph_of_openvino_is_told_with_the_remedy(folder_of, tmp_path):
    copied = shutil.copytree(folder_of("openvino"), tmp_path / "copied")
    (copied / "model.xml").write_text((copied / "model.xml").read_text()[:900])
    with pytest.raises(ConfigError, match=r"openvino \S+ cannot load the graph: .*upgrade it, or export"):
        ExportedModel(copied)
    (copied / "model.bin").unlink()
    with pytest.raises(ConfigError, match=r"is incomplete: it has no model\.bin; export the model again"):
        ExportedModel(copied)


def test_without_a_runtime_the_extra_is_named(copied, whole, tmp_path, monkeypatch):
    record = json.loads((copied / "export.json").read_text())
    for runtime, to in (("onnxruntime", "onnx"), ("openvino", "openvino")):
        monkeypatch.setitem(sys.modules, runtime, None)
        for name in FILES[to]:
            (copied / name).touch()
        (copied / "export.json").write_text(json.dumps({**record, "format": to}))
        with pytest.raises(MissingDependencyError, match=rf"needs {runtime}: pip install 'longdoc\[{to}\]'"):
            ExportedModel(copied)
        with pytest.raises(MissingDependencyError, match=rf"needs {runtime}: pip install 'longdoc\[export\]'"):
            to_graph(whole, tmp_path / "out", to)


def test_heads_that_a_graph_does_not_hold_are_refused(folder_of, whole, tmp_path):
    graph = ExportedModel(folder_of("onnx"))
    for head, message in (("fill", "of the kind 'fill' scores single tokens"), ("nr", "its heads are qa, nli")):
        with pytest.raises(ConfigError, match=f"has no head '{head}': .*{message}"):
            graph.scores({"input_ids": np.ones((1, 3), dtype=np.int64)}, [head])
    with pytest.raises(ConfigError, match=r"has no head for a graph .*fill: .* can be exported are qa"):
        to_graph(whole, tmp_path / "out", head="fill")
    with pytest.raises(ConfigError, match="has no head 'nr'; those that can be exported are qa"):
        to_graph(whole, tmp_path / "out", head="nr")


def test_nothing_is_left_of_a_graph_whose_scores_differ_or_of_what_is_there(whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parity, "TOLERANCE", -1.0)
    with pytest.raises(ConfigError, match=r"differ as torch-export, by more than -1\.0: qa .*model itself"):
        to_graph(whole, tmp_path / "out", "torch-export", head="qa")
    assert [*tmp_path.iterdir()] == []
    assert cli.main(["export", str(whole), "--to", "onnx", "-o", str(whole)]) == 2
    assert "name a new or an empty folder" in capsys.readouterr().err
    assert cli.main(["export", str(whole), "--to", "transformers", "--int8", "-o", str(tmp_path / "out")]) == 2
    assert "--int8 and --encoder are for graphs" in capsys.readouterr().err


def test_the_command(whole, tmp_path, capsys):
    arguments = ["export", str(whole), "--to", "torch-export", "-o", str(tmp_path / "out"), "--head", "ner"]
    assert cli.main([*arguments, "--license", "mit"]) == 0
    told = capsys.readouterr().out
    assert "ner as torch-export, float32" in told and "1e-04 is allowed" in told and "  ner: " in told
    assert 'license: "mit"' in (tmp_path / "out" / "README.md").read_text()


def test_a_pushed_graph_is_read_from_the_hub_at_a_revision(folder_of, tmp_path, monkeypatch):
    hub, options = FolderHub(tmp_path / "cache"), {"cache_dir": tmp_path / "cache"}
    for revision in (None, "tried"):
        push(folder_of("onnx"), "someone/graph", revision=revision, api=hub)
    assert hub.files("someone/graph", "main").keys() == {path.name for path in folder_of("onnx").iterdir()}
    expected = Pipeline.from_pretrained(folder_of("onnx"))(Document.from_text(CORPUS[0]), tasks=["ner"]).entities
    pipelines = [
        Pipeline.from_pretrained("someone/graph", **options),
        Pipeline.from_pretrained(ner="someone/graph", revision="tried", **options),
    ]
    assert all(each(Document.from_text(CORPUS[0]), tasks=["ner"]).entities == expected for each in pipelines)
    assert len({each.readers[0].scorer.folder for each in pipelines}) == 2
    with pytest.raises(ConfigError, match="someone/graph is an export, which Pipeline"):
        load_model("someone/graph", **options)
    (hub.folder("someone/graph", "tried") / "model.onnx").unlink()
    with pytest.raises(ConfigError, match=r"whether someone/graph, revision '\w+', has a model\.onnx"):
        Pipeline.from_pretrained("someone/graph", revision="tried", **options)
    monkeypatch.setattr(repository, "_silence_of_hub", lambda *_: "")
    monkeypatch.setattr(
        repository, "hf_hub_download", functools.partial(downloaded, hub.folder("someone/graph", "tried"))
    )
    with pytest.raises(ConfigError, match=r"^someone/graph is incomplete: it has no model\.onnx; export .* push"):
        Pipeline.from_pretrained("someone/graph", revision="tried", **options)


def downloaded(folder, _, name, **__):
    """As ``hf_hub_download``, of a hub that answers."""
    if not (folder / name).exists():
        raise EntryNotFoundError("404")
    return str(folder / name)


def test_a_damaged_graph_is_not_pushed(copied, tmp_path):
    (copied / "README.md").unlink()
    with pytest.raises(ConfigError, match=r"has no README\.md, in which longdoc export describes the graph"):
        push(copied, "someone/graph", api=FolderHub(tmp_path / "cache"))
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"is incomplete: it has no tokenizer\.json; export the model again"):
        push(copied, "someone/graph", api=FolderHub(tmp_path / "cache"))


# ---------------------------------------------------------------------------------------------------------- JavaScript

SCRIPT = """
const ort = require("onnxruntime-web");
const tensor = (type, data, dims) => new ort.Tensor(type, data, dims);
ort.env.wasm.numThreads = 1;
const rows = JSON.parse(process.argv[2]), dims = [rows.length, rows[0].length], flat = rows.flat();
ort.InferenceSession.create(process.argv[1]).then((session) => session.run({
  input_ids: tensor("int64", BigInt64Array.from(flat.map(BigInt)), dims),
  attention_mask: tensor("bool", Uint8Array.from(flat.map(() => 1)), dims),
  token_type_ids: tensor("int64", BigInt64Array.from(flat.map(() => 0n)), dims),
}, ["scores_ner"])).then((found) => console.log(JSON.stringify([...found.scores_ner.data])));
"""


def has_onnxruntime_web() -> bool:
    command = [shutil.which("node") or "node", "-e", "require.resolve('onnxruntime-web')"]
    return (
        shutil.which("node") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not has_onnxruntime_web(), reason="needs node and onnxruntime-web (npm; its folder in NODE_PATH)")
def test_onnxruntime_web_gives_the_same_scores(folder_of, whole):
    model = Model.from_pretrained(whole)
    _, inputs = rows(model, [9, 9])
    command = ["node", "-e", SCRIPT, str(folder_of("onnx") / "model.onnx"), json.dumps(inputs["input_ids"].tolist())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = ExportedModel(folder_of("onnx")).scores(inputs, ["ner"])["ner"]
    np.testing.assert_allclose(np.reshape(json.loads(done.stdout), expected.shape), expected, atol=1e-5)
