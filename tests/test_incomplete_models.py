"""Folders without weights or tokenizers that longdoc reads: told by name, with what to do."""

import importlib.util
import json
import sys

import pytest

from conftest import make_model
from longdoc.errors import ConfigError, MissingDependencyError
from longdoc.hub import load_checkpoint
from longdoc.model import Model
from longdoc.sources import load_model
from test_hub import TAGS, save

PEFT = {"peft_type": "LORA", "base_model_name_or_path": "someone/base"}
ADAPTER = {"config": {"architecture": "pfeiffer"}, "model_name": "someone/base"}


@pytest.fixture
def folder(tmp_path):
    save(tmp_path, "bert", "ForTokenClassification", id2label=dict(enumerate(TAGS)))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adapter_config.json", r"an adapter of PEFT alone, .*\(someone/base\); merge it with peft"),
        ("adapter_config.json, of AdapterHub", r"an adapter of AdapterHub alone, .*\(someone/base\); merge it if"),
        ("pytorch_model-00001-of-00002.bin", "pickled weights, .*save_pretrained"),
        ("tf_model.h5", "weights of TensorFlow, .*from_tf=True"),
        ("flax_model.msgpack", "weights of Flax, .*from_flax=True"),
        ("model.Q4.gguf", "GGUF, of llama.cpp; load the checkpoint that it was made from"),
        ("onnx/model.onnx", "it has onnx/model.onnx: an export to ONNX"),
        ("openvino_model.xml", "an export to OpenVINO"),
        ("model.fp16.safetensors", "under another name; .*rename the file to model.safetensors"),
        ("none", "download it again, with its weights|give a folder with a model"),
    ],
)
def test_what_is_there_in_place_of_weights_is_told(folder, name, message):
    (folder / "model.safetensors").unlink()
    if name != "none":
        path = folder / name.partition(",")[0]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(ADAPTER if "AdapterHub" in name else PEFT))
    with pytest.raises(ConfigError, match=rf"no weights in the safetensors format .*{message}"):
        load_model(folder)
    (folder / "config.json").unlink()
    for load in (load_model, lambda each: Model.from_base(each, make_model().config)):
        with pytest.raises(
            ConfigError, match=rf"no config\.json.*({message})" if name != "none" else r"no config\.json"
        ):
            load(folder)


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2", "xlm-roberta"])
def test_a_checkpoint_without_a_vocabulary_is_refused(tmp_path, family):
    save(tmp_path, family, "ForTokenClassification", id2label=dict(enumerate(TAGS)))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"no file with the vocabulary of its tokenizer, .*AutoTokenizer"):
        load_checkpoint(tmp_path, "ner")
    other = "vocab.txt" if family != "bert" else "vocab.json"  # which the class does not look for
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / other).write_text("{}")
    with pytest.raises(ConfigError, match=rf"reads no vocabulary from {other}|no tokenizer that can be loaded"):
        load_checkpoint(tmp_path, "ner")


@pytest.mark.parametrize("module", ["sentencepiece", "google.protobuf"])
def test_what_reads_a_vocabulary_of_sentencepiece_is_named_if_it_is_missing(tmp_path, monkeypatch, module):
    save(tmp_path, "deberta-v2", "ForTokenClassification", id2label=dict(enumerate(TAGS)))
    (tmp_path / "tokenizer.json").rename(tmp_path / "spm.model")
    for each in ("sentencepiece", "google.protobuf"):
        monkeypatch.setitem(sys.modules, each, None if each == module else importlib.util)
    with pytest.raises(MissingDependencyError, match=rf"spm\.model, needs {module}: .*longdoc\[sentencepiece\]"):
        load_checkpoint(tmp_path, "ner")
