"""Every family of encoders that the README names trains, on windows and on sparse attention, or is refused by name."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers as tf
import yaml
from torch import nn

from conftest import annotated, make_tokenizer
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.heads import NerConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training import train
from longdoc.training.data import training_batches
from longdoc.training.layers import recompute_activations, set_dropout
from longdoc.training.learner import Learner
from longdoc.windows import WindowConfig
from test_training import make_task

N_POSITIONS = 96
SIZES = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": N_POSITIONS + 1,  # RoBERTa's first position is that after the padding's
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
FAMILIES = {
    "Bert": {},
    "Roberta": {},
    "DistilBert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "Albert": {"embedding_size": 8},
    "Electra": {},
    "Deberta": RELATIVE,
    "DebertaV2": {**RELATIVE, "position_buckets": 8},
    "XLMRoberta": {},
    "Camembert": {},
    "Longformer": {"attention_window": [8, 8]},
    "BigBird": {"block_size": 4, "num_random_blocks": 1},  # windows of more than 28 tokens are not read whole
    "ModernBert": {"local_attention": 8, "global_attn_every_n_layers": 2},
}
CONFIG = ModelConfig(heads={"contract": NerConfig(labels=("PARTY",))}, windows=WindowConfig(size=32, overlap=8))
DENSE = ("Deberta", "DebertaV2")
"""Those whose attention cannot be made sparse."""


def config_of(family, **settings):
    return getattr(tf, f"{family}Config")(**{**SIZES, **FAMILIES[family], **settings})


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """A folder with a small checkpoint of each family, and two documents of different lengths."""
    folder = tmp_path_factory.mktemp("families")
    tokenizer = tf.PreTrainedTokenizerFast(tokenizer_object=make_tokenizer(), pad_token="[PAD]")
    for family in FAMILIES:
        torch.manual_seed(0)
        getattr(tf, f"{family}Model")(config_of(family)).save_pretrained(folder / family)
        tokenizer.save_pretrained(folder / family)
    lines = [json.dumps(annotated(repeat)) for repeat in (1, 2)]
    (folder / "contracts.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def write(folder, bases, family, head=None, encoders=("windows",), window=80):
    """A run with a step for each of the encoders, with both documents in one batch."""
    data = {"reader": "jsonl", "files": ["contracts.jsonl"], "labels": {"party": "PARTY"}}
    task = {"heads": ["mine"], "data": data, "window": window, "overlap": 8}
    record = {
        "base": str(bases / family),
        "output": str(folder / "run"),
        "model": {"heads": {"mine": {"labels": ["PARTY"], **(head or {})}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [{**task, "encoder": encoder} for encoder in encoders],
        "gradient_checkpointing": True,
        "precision": "float32",
    }
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(record))
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_trains_with_gradient_checkpointing(family, bases, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(bases))
    encoders = ("windows",) if family in DENSE else ("windows", "sparse")
    model = Model.from_pretrained(train(write(tmp_path, bases, family, encoders=encoders)))
    (last,) = (entry for entry in json.loads((tmp_path / "run" / "log.json").read_text()) if "train_loss" in entry)
    assert last["step"] == len(encoders) and 0 < last["train_loss"] < 10
    base, trained = Model.from_base(bases / family, model.config).encoder.state_dict(), model.encoder.state_dict()
    changed = {name for name in base if not torch.equal(base[name], trained[name])}
    assert any("word_embeddings" in name or "tok_embeddings" in name for name in changed)
    assert len(changed) > len(base) / 2


@pytest.mark.parametrize("family", DENSE)
def test_an_encoder_that_cannot_be_sparse_is_refused_before_training(family, bases, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(bases))
    with pytest.raises(ConfigError, match=r"the task of mine has encoder: sparse; set `encoder: windows`: deberta"):
        train(write(tmp_path, bases, family, encoders=("sparse",)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("family", "encoder"),
    [
        (family, encoder)
        for family in FAMILIES
        for encoder in ("windows", "sparse")
        if family not in DENSE or encoder == "windows"
    ],
)
def test_recomputed_activations_give_the_same_gradients(family, encoder, bases, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(bases))
    found, calls = [], []
    for recomputed in (False, True):
        torch.manual_seed(0)
        model = Model.from_base(bases / family, CONFIG)
        learner = Learner(model).train()
        set_dropout(learner, 0.2)
        if recomputed:
            recompute_activations(model.encoder.backbone)
            recompute_activations(model.encoder.backbone)  # once or twice is the same
        counted = [0]
        layers = [child for name, child in model.encoder.backbone.named_modules() if "layer" in name]
        linear = next(child for child in layers if isinstance(child, nn.Linear))
        linear.register_forward_hook(lambda *_, counted=counted: counted.__setitem__(0, counted[0] + 1))
        batch = training_batches([make_task(window=80, encoder=encoder)], model, 512, seed=1)[0]
        batch.pop("documents")
        torch.manual_seed(3)
        loss = learner(**batch)["loss"]
        loss.backward()
        found.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
        calls.append(counted[0])
    torch.testing.assert_close(found[0], found[1])
    assert calls[1] == 2 * calls[0] > 0, "layers run again in the backward pass"


@pytest.mark.parametrize("family", FAMILIES)
def test_dropout_is_set_everywhere_but_in_attention(family, bases):
    model = Model.from_base(bases / family, CONFIG)
    names = {"attention_probs_dropout_prob", "attention_dropout"} & set(model.encoder.backbone.config.to_dict())
    assert names and all(getattr(model.encoder.backbone.config, name) == 0 for name in names)
    dense = {"attention_type": "original_full"} if family == "BigBird" else {}
    marked = getattr(tf, f"{family}Model")(config_of(family, **dict.fromkeys(names, 0.375), **dense))
    of_attention = {
        name for name, module in marked.named_modules() if isinstance(module, nn.Dropout) and module.p == 0.375
    }
    set_dropout(model, 0.25)
    rates = {
        name: module.p for name, module in model.encoder.backbone.named_modules() if isinstance(module, nn.Dropout)
    }
    assert {name for name, rate in rates.items() if rate == 0.25} == rates.keys() - of_attention
    assert model.heads["contract"].dropout.p == 0.25


def test_a_window_beyond_the_positions_is_refused(bases, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(bases))
    with pytest.raises(
        ConfigError, match=rf"windows of \d+ tokens .*, and this encoder has {N_POSITIONS + 1} positions; set `window: "
    ):
        train(write(tmp_path, bases, "Bert", window=110))
    assert not (tmp_path / "run").exists()


def test_spans_learn_on_sparse_attention_with_the_windows_of_the_model(bases, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGDOC_DATA", str(bases))
    assert train(write(tmp_path, bases, "Bert", head={"kind": "spans"}, encoders=("sparse",))).is_dir()


def test_an_encoder_without_known_layers_is_refused_by_name():
    backbone = tf.MPNetModel(tf.MPNetConfig(**SIZES))
    with pytest.raises(ConfigError, match="gradient_checkpointing is not possible for a mpnet"):
        recompute_activations(backbone)


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_what_big_bird_reads_does_not_depend_on_what_it_has_read(bases, tmp_path, encoder):
    Model.from_base(bases / "BigBird", replace(CONFIG, windows=WindowConfig(size=80, overlap=8))).save(tmp_path)
    short, long = Document.from_text("The rent."), Document.from_text(annotated(4)["text"])
    assert len(Model.from_pretrained(tmp_path).tokenizer.encode(short.text)) < 28, "or transformers stays sparse"

    def scores(documents):
        (reader,) = Pipeline(Model.from_pretrained(tmp_path), device="cpu", encoder=encoder).readers
        readings = [reader.read(document, reader.tokenize(document), ["contract"]) for document in documents]
        return [reader.score([reading])[0]["contract"].scores[0] for reading in readings]

    (_, after), (alone,) = scores([short, long]), scores([long])
    assert np.array_equal(after, alone)
