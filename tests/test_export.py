"""Heads of longdoc as folders of transformers: plain transformers gives their logits, and longdoc their results."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers as tf

from conftest import CORPUS, make_model
from fakes import FolderHub
from longdoc import cli
from longdoc.decode import Calibration
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.export import push, to_transformers
from longdoc.heads import (
    ClassifyConfig,
    EmbedConfig,
    FillConfig,
    NerConfig,
    NliConfig,
    QaConfig,
    SpansConfig,
)
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.model_files import DEFAULT_MODEL
from longdoc.pipeline import Pipeline
from longdoc.pretrained import Repository
from longdoc.windows import WindowConfig, tokenize
from test_hub import FAMILIES, save

WINDOWS = WindowConfig(size=60, overlap=12)
SURE = Calibration(temperature=1.7, bias=0.3)
HEADS = {
    "ner": NerConfig(labels=("PARTY", "DATE"), scheme="bioes", subwords="max", calibration=SURE),
    "qa": QaConfig(windows=WINDOWS, min_score=0.2, calibration=SURE, max_answer_tokens=12),
    "classify": ClassifyConfig(labels=("lease", "licence", "other"), other="other", pooling="max", calibration=SURE),
    "several": ClassifyConfig(
        labels=("lease", "licence"), multi_label=True, calibration=Calibration(temperature=1.7, bias=-5)
    ),
    "nli": NliConfig(windows=WINDOWS, over="windows", pooling="mean", calibration=SURE),
    "fill": FillConfig(),
    "embed": EmbedConfig(),
    "first": EmbedConfig(pooling="cls", normalize=False),
}
CLASSES = {
    "ner": tf.AutoModelForTokenClassification,
    "qa": tf.AutoModelForQuestionAnswering,
    "classify": tf.AutoModelForSequenceClassification,
    "nli": tf.AutoModelForSequenceClassification,
    "fill": tf.AutoModelForMaskedLM,
    "embed": tf.AutoModel,
}
REFUSED = {
    *((family, head) for family in ["modernbert"] for head in ("ner", "qa", "classify", "several", "nli", "fill")),
    *(("longformer", head) for head in ("classify", "several", "nli")),
    *(("big_bird", head) for head in ("qa", "fill")),
    ("albert", "fill"),
}
"""Heads whose class has other layers, or a global first token; of ALBERT, embeddings of another width."""
TEXT = "Acme Incorporated and Zenith LLC (the Distributor) made this Agreement, on June 21, 1999."
QUESTION = "Who is the Distributor?"
LONG = "\n\n".join(CORPUS[:2] * 4)


def own(folder, family, *heads):
    """The folder of a model of longdoc with these heads and random weights."""
    save(folder / "base", family, "Model")
    repository = Repository(str(folder / "base"))
    encoder = repository.encoder()
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    config = ModelConfig(heads={head: HEADS[head] for head in heads}, windows=WINDOWS)
    torch.manual_seed(1)
    model = Model(encoder, repository.fast_tokenizer(), config)
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save(folder / "own")
    return folder / "own"


def logits_of_longdoc(folder, head, texts):
    """The ids and segments of a row as longdoc reads it, and the head's logits of it."""
    model = Model.from_pretrained(folder)
    template = model.encoder.template
    *questions, text = (tokenize(each, model.tokenizer).ids for each in texts)
    around = template.asking(questions[0].tolist()) if questions else template.plain
    inputs = model.encoder.batch([text], around).inputs
    config, module = HEADS[head], model.heads[head]
    with torch.no_grad():
        states = model.encoder(**inputs)
        if config.kind == "embed":
            return inputs, states
        if config.kind in ("classify", "nli"):
            bias = config.calibration.bias if config.kind == "classify" else 0.0
            return inputs, (module(states)[:, 0] - bias) / config.calibration.temperature
        return inputs, module(states)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_plain_transformers_gives_the_logits_of_the_head(tmp_path, family, head):
    folder, out = own(tmp_path, family, head), tmp_path / "out"
    if (family, head) in REFUSED:
        with pytest.raises(ConfigError, match=r"use the model in longdoc|embeddings of another width"):
            to_transformers(folder, out)
        assert not out.exists()
        return
    exported = to_transformers(folder, out)
    kind = HEADS[head].kind
    model, report = CLASSES[kind].from_pretrained(out, output_loading_info=True)
    assert type(model).__name__ == exported.architecture and [exported.architecture] == model.config.architectures
    assert all(name.startswith("pooler.") and kind == "embed" for name in report["missing_keys"])
    assert not report["unexpected_keys"]
    texts = (QUESTION, TEXT) if kind in ("qa", "nli") else (TEXT,)
    encoded = tf.AutoTokenizer.from_pretrained(out)(*texts, return_tensors="pt")
    inputs, wanted = logits_of_longdoc(folder, head, texts)
    assert torch.equal(encoded["input_ids"], inputs["input_ids"])
    assert torch.equal(encoded.get("token_type_ids", torch.zeros(1)), inputs.get("token_type_ids", torch.zeros(1))) or (
        "token_type_ids" not in inputs and not encoded["token_type_ids"].any()
    )
    with torch.no_grad():
        output = model.eval()(**encoded)
    if kind == "qa":
        found = torch.stack([output.start_logits, output.end_logits], dim=-1)
    else:
        found = output.last_hidden_state if kind == "embed" else output.logits
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def results(pipeline, head):
    """What a pipeline finds with a head, and the scores of it."""
    kind, document = HEADS[head].kind, Document.from_text(LONG)
    if kind in ("ner", "classify"):
        prediction = pipeline(document, tasks=[head])
        found = [*prediction.entities, *prediction.labels]
        return [(getattr(each, "label", None) or each.name, each.start, each.source) for each in found], [
            each.score for each in found
        ]
    if kind == "qa":
        found = pipeline.ask(document, QUESTION, top_k=4)
        return [(answer.start, answer.end) for answer in found], [answer.score for answer in found]
    if kind == "nli":
        (found,) = pipeline.infer(document, [QUESTION])
        return found.label, [*found.scores.values()]
    if kind == "embed":
        return "vector", pipeline.embed(document)
    (words,) = pipeline.fill("Acme Inc made this [MASK], on June 21.", top_k=3)
    return [word.text for word in words], [word.score for word in words]


def assert_same(one, other):
    assert one[0] and one[0] == other[0]
    np.testing.assert_allclose(one[1], other[1], atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_longdoc_reads_what_it_exported_with_equal_results(tmp_path, head):
    folder = own(tmp_path, "bert", head)
    to_transformers(folder, tmp_path / "out")
    before, after = (Pipeline.from_pretrained(each, precision="float32") for each in (folder, tmp_path / "out"))
    assert before.heads.keys() == after.heads.keys() == {head}
    assert_same(results(before, head), results(after, head))
    kind = HEADS[head].kind
    assert [*Pipeline.from_pretrained(**{kind: tmp_path / "out"}).heads] == [head]


def test_labels_and_lengths_are_told(tmp_path):
    exported = to_transformers(own(tmp_path, "bert", "several"), tmp_path / "out", base="bert-tiny", licence="mit")
    config = tf.AutoConfig.from_pretrained(tmp_path / "out")
    assert config.id2label == {0: "lease", 1: "licence"} and config.label2id == {"lease": 0, "licence": 1}
    assert config.problem_type == "multi_label_classification"
    assert tf.AutoTokenizer.from_pretrained(tmp_path / "out").model_max_length == 60
    card = (tmp_path / "out" / "README.md").read_text()
    for part in (
        'license: "mit"',
        'base_model: "bert-tiny"',
        "pipeline_tag: text-classification",
        "`lease`, `licence`",
        "BertForSequenceClassification.from_pretrained",
        "longdoc.Pipeline.from_pretrained",
    ):
        assert part in card
    assert exported.remarks and all(f"- {remark}\n" in card for remark in exported.remarks)
    told = str(exported)
    assert "Do not go on training from here" in told and "calibration of the scores is part of the weights" in told


@pytest.mark.parametrize("head", ["embed", "first"])
def test_the_modules_of_sentence_transformers_give_longdocs_vector(tmp_path, head):
    folder, out = own(tmp_path, "bert", head), tmp_path / "out"
    to_transformers(folder, out)
    modules = json.loads((out / "modules.json").read_text())
    normalize = HEADS[head].normalize
    assert [m["type"] for m in modules] == [
        f"sentence_transformers.models.{kind}" for kind in ("Transformer", "Pooling", "Normalize")[: 2 + normalize]
    ]
    assert [m["path"] for m in modules] == ["", "1_Pooling", "2_Normalize"][: 2 + normalize]
    assert all((out / module["path"] / "config.json").is_file() for module in modules)
    pooling = json.loads((out / "1_Pooling" / "config.json").read_text())
    assert pooling["word_embedding_dimension"] == 32
    assert pooling["pooling_mode_mean_tokens"] != pooling["pooling_mode_cls_token"] == (head == "first")
    settings = json.loads((out / "sentence_bert_config.json").read_text())
    assert settings == {"max_seq_length": 60, "do_lower_case": False}
    encoded = tf.AutoTokenizer.from_pretrained(out)([TEXT, "Acme"], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = tf.AutoModel.from_pretrained(out)(**encoded).last_hidden_state
    mask = encoded["attention_mask"][..., None]
    vectors = states[:, 0] if head == "first" else (states * mask).sum(1) / mask.sum(1)
    vectors = torch.nn.functional.normalize(vectors) if normalize else vectors
    pipeline = Pipeline.from_pretrained(folder, precision="float32")
    wanted = np.stack([pipeline.embed(Document.from_text(text)) for text in (TEXT, "Acme")])
    np.testing.assert_allclose(vectors.numpy(), wanted, atol=1e-5)


def test_one_head_of_several_is_named(tmp_path):
    folder = own(tmp_path, "bert", "ner", "qa")
    with pytest.raises(ConfigError, match=r"several heads, .* one of ner, qa"):
        to_transformers(folder, tmp_path / "out")
    with pytest.raises(ConfigError, match="has no head 'nr'; those that can be exported are ner, qa"):
        to_transformers(folder, tmp_path / "out", head="nr")
    assert to_transformers(folder, tmp_path / "out", head="qa").architecture == "BertForQuestionAnswering"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SpansConfig(labels=("A", "B"), windows=WindowConfig(size=32, overlap=8)), "is of the kind 'spans'"),
        (NliConfig(windows=WindowConfig(size=32, overlap=8)), "scores each token .* pooling: attention"),
        (ClassifyConfig(labels=("A", "B"), over="tokens"), "scores each token .* pooling: mean"),
    ],
)
def test_heads_without_an_equal_are_refused(tmp_path, config, message):
    model = make_model()
    settings = ModelConfig(heads={"own": config, "ner": NerConfig(labels=("A",))}, windows=model.config.windows)
    Model(model.encoder.backbone, model.tokenizer, settings).save(tmp_path / "own")
    with pytest.raises(ConfigError, match=rf"{message}.*no class of transformers .* can be exported: ner"):
        to_transformers(tmp_path / "own", tmp_path / "out", head="own")
    assert not (tmp_path / "out").exists()


def test_attention_over_windows_is_left_out_and_told(tmp_path):
    model = make_model()
    config = ClassifyConfig(labels=("A", "B"), pooling="attention")
    settings = ModelConfig(heads={"kind": config}, windows=model.config.windows)
    Model(model.encoder.backbone, model.tokenizer, settings).save(tmp_path / "own")
    exported = to_transformers(tmp_path / "own", tmp_path / "out")
    assert any("attention, which is left out" in remark for remark in exported.remarks)
    one_window = Document.from_text("Acme made this Agreement.")
    scores = [
        [
            (label.name, pytest.approx(label.score, abs=1e-5))
            for label in Pipeline.from_pretrained(each)(one_window).labels
        ]
        for each in (tmp_path / "own", tmp_path / "out")
    ]
    assert scores[0] == scores[1]


def test_what_is_there_is_not_overwritten(tmp_path):
    folder = own(tmp_path, "bert", "ner")
    (tmp_path / "empty").mkdir()
    to_transformers(folder, tmp_path / "empty")
    before = {path.name: path.read_bytes() for path in (tmp_path / "empty").iterdir()}
    for taken in (tmp_path / "empty", folder, folder / "config.json"):
        with pytest.raises(ConfigError, match="exists; name a new or an empty folder"):
            to_transformers(folder, taken)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "empty").iterdir()}
    with pytest.raises(ConfigError, match="cannot be written"):
        to_transformers(folder, folder / "config.json" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "empty", "own"]


def test_a_checkpoint_of_transformers_needs_no_export(tmp_path):
    save(tmp_path / "theirs", "bert", "ForTokenClassification")
    with pytest.raises(ConfigError, match="is a checkpoint of transformers, with its own head ner, and"):
        to_transformers(tmp_path / "theirs", tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record["heads"]["ner"].update(labels=["X", "DATE"]), r"labels O, B-X.*delete longdoc\.json"),
        (lambda record: record["heads"].update(qa={"kind": "qa"}), "has 2 heads; allowed is one"),
        (lambda record: record["heads"].update(ner={"kind": "spans", "labels": ["A"]}), "of another kind"),
        (lambda record: record["heads"]["ner"].update(code="evil"), "code"),
        (lambda record: record["windows"].update(size=4096), "positions for at most"),
    ],
)
def test_settings_that_do_not_belong_to_the_checkpoint_are_refused(tmp_path, change, message):
    to_transformers(own(tmp_path, "bert", "ner"), tmp_path / "out")
    record = json.loads((tmp_path / "out" / "longdoc.json").read_text())
    change(record["longdoc"])
    (tmp_path / "out" / "longdoc.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=message):
        Pipeline.from_pretrained(tmp_path / "out")


def test_settings_of_a_newer_version_or_none_say_so(tmp_path):
    to_transformers(own(tmp_path, "bert", "ner"), tmp_path / "out")
    path = tmp_path / "out" / "longdoc.json"
    record = json.loads(path.read_text())
    record["longdoc"]["heads"]["ner"]["later"] = 1
    for version, said in [
        ("99.0.0", r"unknown key 'later'.*written by longdoc 99\.0\.0, .*upgrade it"),
        ("0.1.0", "later"),
    ]:
        path.write_text(json.dumps({**record, "longdoc_version": version}))
        with pytest.raises(ConfigError, match=said):
            Pipeline.from_pretrained(tmp_path / "out")
    path.write_text("{}")
    with pytest.raises(ConfigError, match="has no 'longdoc' block; export the head again"):
        Pipeline.from_pretrained(tmp_path / "out")


def test_without_its_settings_a_checkpoint_is_read_like_any_other(tmp_path):
    to_transformers(own(tmp_path, "bert", "ner"), tmp_path / "out")
    (tmp_path / "out" / "longdoc.json").unlink()
    assert Pipeline.from_pretrained(tmp_path / "out").heads["ner"].labels == ("PARTY", "DATE")


def test_the_commands(tmp_path, capsys, monkeypatch):
    folder, hub = own(tmp_path, "bert", "ner"), FolderHub(tmp_path / "cache")
    arguments = ["export", str(folder), "--to", "transformers", "-o", str(tmp_path / "out"), "--license", "mit"]
    assert cli.main(arguments) == 0
    assert "ner as BertForTokenClassification, with equal logits" in capsys.readouterr().out
    assert cli.main(arguments) == 2
    assert "name a new or an empty folder" in capsys.readouterr().err
    monkeypatch.setattr("longdoc.export.upload.HfApi", lambda: hub)
    assert cli.main(["push", str(tmp_path / "out"), "someone/tagger", "--private", "--revision", "trial"]) == 0
    assert capsys.readouterr().out.strip() == hub.address("someone/tagger", "trial")
    assert hub.made == [("someone/tagger", True)]


# ----------------------------------------------------------------------------------------------------------------- hub


def test_a_pushed_head_is_read_by_transformers_and_by_longdoc(tmp_path):
    hub = FolderHub(tmp_path / "cache")
    folder = own(tmp_path, "bert", "ner")
    to_transformers(folder, tmp_path / "out", licence="mit")
    assert push(tmp_path / "out", "someone/tagger", api=hub) == hub.address("someone/tagger", "main")
    options = {"cache_dir": tmp_path / "cache"}
    before = Pipeline.from_pretrained(folder, precision="float32")
    after = Pipeline.from_pretrained("someone/tagger", precision="float32", **options)
    assert_same(results(before, "ner"), results(after, "ner"))
    model = tf.AutoModelForTokenClassification.from_pretrained("someone/tagger", local_files_only=True, **options)
    assert model.config.id2label[1] == "B-PARTY"


def test_a_pushed_model_of_longdoc_has_a_card_and_no_other_files(tmp_path):
    hub = FolderHub(tmp_path / "cache")
    folder = own(tmp_path, "bert", "ner", "qa")
    (folder / "log.jsonl").write_text("{}")
    (folder / "checkpoints").mkdir()
    push(folder, "someone/own", revision="v2", base="bert-tiny", licence="apache-2.0", api=hub)
    assert hub.made == [("someone/own", None)]
    files = hub.files("someone/own", "v2")
    assert files.keys() == {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    card = files["README.md"].decode()
    for part in (
        "library_name: longdoc",
        'base_model: "bert-tiny"',
        "`ner`, of the kind `ner`: `PARTY`, `DATE`",
        "`qa`",
        "does not read this folder",
        "longdoc export",
    ):
        assert part in card
    assert not (folder / "README.md").exists()
    options = {"cache_dir": tmp_path / "cache"}
    assert [*Pipeline.from_pretrained("someone/own", revision="v2", **options).heads] == ["ner", "qa"]
    (folder / "README.md").write_text("my own words")
    with pytest.raises(ConfigError, match="sent as it is: state the base and the licence there"):
        push(folder, "someone/own", licence="mit", api=hub)
    push(folder, "someone/own", api=hub)
    assert hub.files("someone/own", "main")["README.md"] == b"my own words"


def test_what_cannot_be_pushed_is_refused(tmp_path):
    save(tmp_path / "theirs", "bert", "ForTokenClassification")
    hub = FolderHub(tmp_path / "cache")
    for folder, message in ((tmp_path / "theirs", "not written by longdoc"), (tmp_path / "none", "is no folder")):
        with pytest.raises(ConfigError, match=message):
            push(folder, "someone/else", api=hub)
    folder = own(tmp_path, "bert", "ner")
    (folder / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ConfigError, match="is damaged"):
        push(folder, "someone/else", api=hub)
    assert not hub.made
    shutil.rmtree(folder)
    folder = own(tmp_path, "bert", "ner")

    class Refusing(FolderHub):
        def create_repo(self, *_, **__):
            raise OSError("401 Client Error: Unauthorized")

    with pytest.raises(ConfigError, match=r"does not take the model \(401 .*\); log in by hf auth login"):
        push(folder, "someone/else", api=Refusing(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["BertModel", "BertForTokenClassification", "RobertaModel", "AutoModel"])
def test_no_class_of_transformers_fills_a_model_of_longdoc_with_random_weights(tmp_path, name):
    make_model().save(tmp_path)
    for folder in (tmp_path, DEFAULT_MODEL):
        remedy = "longdoc" if name == "AutoModel" else r"longdoc\.Pipeline\.from_pretrained"
        with pytest.raises(ValueError, match=remedy):
            getattr(tf, name).from_pretrained(folder)
    assert [*Model.from_pretrained(tmp_path).heads] == [*make_model().heads]
