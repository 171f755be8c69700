"""A model folder is data: it runs no code, reaches no other file, takes no memory beyond its size."""

import ast
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, pre_tokenizers

import longdoc
from conftest import make_model, make_tokenizer
from longdoc.bert import Bert
from longdoc.errors import ConfigError, DocumentError
from longdoc.hub import load_checkpoint
from longdoc.model import Model
from longdoc.model_files import file_in, read_json
from longdoc.model_files.tokenizers import read_tokenizer
from longdoc.model_files.weights import part_names, stored_shapes
from longdoc.pipeline import Pipeline
from longdoc.sources import load_model
from longdoc.windows import tokenize
from test_hub import cached, save

SOURCES = sorted(Path(longdoc.__file__).parent.rglob("*.py"))
OWN = {"Pipeline", "longdoc.Pipeline", "Model", "cls", "FakePipeline", "nn.Embedding"}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The files of a model of longdoc, by name."""
    folder = tmp_path_factory.mktemp("own")
    make_model().save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The files of a checkpoint of transformers, by name."""
    folder = tmp_path_factory.mktemp("theirs")
    save(folder, "bert", "ForTokenClassification")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder, files, **changed):
    """A folder with these files; the settings ``changed`` of the encoder in ``config.json`` are replaced."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    record = json.loads(files["config.json"])
    record.get("encoder", record).update(changed)
    (folder / "config.json").write_text(json.dumps(record))
    return folder


def calls(name):
    """The calls of methods of this name in the package, with the receiver: module, receiver, keyword arguments."""
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if name in source else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield path.name, ast.unparse(node.func.value), {key.arg: key.value for key in node.keywords}


@pytest.mark.parametrize("name", ["from_pretrained", "from_config"])
def test_every_call_of_transformers_forbids_code(name):
    found = [(module, owner, keywords) for module, owner, keywords in calls(name) if owner not in OWN]
    assert found
    for module, owner, keywords in found:
        given = keywords.get("trust_remote_code")
        assert isinstance(given, ast.Constant) and given.value is False, f"{module}: {owner}.{name}"


def test_no_pickle_is_read():
    assert not [*calls("loads_pickle"), *(c for c in calls("load") if c[1] in ("torch", "pickle"))]


@pytest.mark.rare
@pytest.mark.slow
def test_no_key_runs_code_or_reaches_another_file_or_the_network(tmp_path, theirs):
    folder = written(tmp_path / "model", theirs)
    (tmp_path / "outside").write_text("secret")
    (folder / "evil.py").write_text(
        "from transformers import BertConfig\n\n\nclass C(BertConfig):\n    model_type = 'evil'\n"
    )
    program = Path(__file__).parent / "audited_loading.py"
    done = subprocess.run(
        [sys.executable, program, folder],
        input="y\n" * 1000,
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path / "modules")},  # where the control copies the code
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (number, seen), control = map(json.loads, done.stdout.splitlines()[-2:])
    assert number > 200 and seen == []
    assert any("evil" in event for event in control), "the hook notes code that is run"


SIZES = [
    ("vocab_size", 2**31 - 1),
    ("hidden_size", 2**24),
    ("num_hidden_layers", 1000),
    ("num_hidden_layers", 10**9),
    ("intermediate_size", 2**30),
    ("max_position_embeddings", 2**31 - 1),
    ("type_vocab_size", 2**30),
    ("vocab_size", 10**12),
    ("num_attention_heads", 3),
    ("num_attention_heads", 0),
    ("hidden_size", -16),
    ("vocab_size", 301),
    ("intermediate_size", 33),
    ("type_vocab_size", 3),
    ("num_hidden_layers", 1.5),
    ("vocab_size", "300"),
    ("hidden_act", "no such function"),
    ("layer_norm_eps", -1.0),
    ("pad_token_id", 10**6),
]


@pytest.mark.parametrize(("name", "value"), SIZES)
@pytest.mark.parametrize("kind", ["own", "theirs", "windows"])
def test_sizes_are_compared_with_the_weights_before_memory_is_taken(tmp_path, request, kind, name, value):
    files = request.getfixturevalue("theirs" if kind == "theirs" else "own")
    folder = written(tmp_path / "model", files, **{name: value})
    with pytest.raises(ConfigError) as caught:
        if kind == "theirs":
            load_checkpoint(folder, "ner")
        else:
            Model.from_pretrained(folder, only_windows=kind == "windows")
    message = str(caught.value)
    assert "config.json" in message
    assert name in message or str(value) in message, "the message names the key, or its value"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("attn_implementation", "kernels-community/flash-attn", "longdoc chooses the attention"),
        ("_attn_implementation", "someone/kernel", "longdoc chooses the attention"),
        ("quantization_config", {"quant_method": "gptq"}, "quantised in a format"),
        ("transformers_weights", "../outside.safetensors", "rename the file"),
        ("model_type", "clip", "longdoc reads encoders"),
        ("model_type", ["bert"], "no architecture of the installed transformers"),
        ("num_labels", 10**9, "num_labels is 1e"),
        ("architectures", True, "a list of names"),
        ("architectures", [["BertModel"]], "a list of names"),
        ("id2label", {"x": "PER"}, "no configuration of a bert"),
    ],
)
def test_what_a_configuration_may_not_choose_is_refused(tmp_path, theirs, name, value, message):
    with pytest.raises(ConfigError, match=message):
        load_checkpoint(written(tmp_path / "model", theirs, **{name: value}), "ner")


def test_how_to_compute_is_not_the_configurations_choice(tmp_path, theirs):
    wishes = {"attn_implementation": "eager", "dtype": "float16", "return_dict": False, "output_attentions": True}
    wishes |= {"to_dict": "no method", "device_map": "auto", "output_hidden_states": True}
    model = load_checkpoint(written(tmp_path / "model", theirs, **wishes), "ner")
    config = model.encoder.backbone.config
    assert (config.return_dict, config.output_attentions, config._attn_implementation) == (True, False, "sdpa")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_an_adapter_is_not_applied_in_silence(tmp_path, theirs):
    folder = written(tmp_path / "model", theirs)
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
    with pytest.raises(ConfigError, match="contains an adapter"):
        load_checkpoint(folder, "ner")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1, "a": 2}', "key 'a' is given twice"),
        (b'{"a": NaN}', "NaN is not a number of JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_damaged_json_is_a_typed_error(tmp_path, data, message):
    (tmp_path / "config.json").write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_json(tmp_path / "config.json")


def header(text, length=None):
    return struct.pack("<Q", len(text) if length is None else length) + text.encode()


ONE = '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        bytes(range(256)),
        header(ONE + "}"),
        header(ONE + "}", 2**63),
        header(ONE + "}", 100_000_000),
        header('{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}') + bytes(8),
        header('{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 8]}}') + bytes(8),
        header(ONE + ', "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}') + bytes(12),
        header(ONE + "}") + bytes(16),
        header("[" * 100_000) + bytes(8),
    ],
)
def test_a_header_that_lies_is_a_typed_error(tmp_path, data):
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(ConfigError, match=r"model\.safetensors is damaged"):
        stored_shapes([tmp_path / "model.safetensors"])


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/b.safetensors", "weights.bin", "", ".safetensors"]
)
def test_an_index_names_only_files_of_its_folder(name):
    with pytest.raises(ConfigError, match="in the same folder"):
        part_names({"weight_map": {"a": "model-1.safetensors", "b": name}}, "index")


def test_weights_in_parts_are_read(tmp_path, theirs):
    folder = written(tmp_path / "model", theirs)
    whole = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    listed = {name: f"model-{index % 2}.safetensors" for index, name in enumerate(whole)}
    for part in set(listed.values()):
        save_file({name: whole[name] for name, own in listed.items() if own == part}, folder / part)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": listed}))
    assert load_checkpoint(folder, "ner").config.heads
    (folder / "model-1.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ConfigError, match=r"model-1\.safetensors is a pointer of Git LFS"):
        load_checkpoint(folder, "ner")
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"of the 2 files of its weights it lacks model-1\.safetensors;"):
        load_checkpoint(folder, "ner")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_links_out_of_the_folder_are_not_followed(tmp_path, theirs, own, name):
    (tmp_path / "elsewhere").write_bytes(theirs[name])
    for files in (theirs, own):
        folder = written(tmp_path / "model", files)
        (folder / name).unlink()
        (folder / name).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ConfigError, match="leads out of the folder"):
            Model.from_pretrained(folder) if files is own else load_checkpoint(folder, "ner")
    with pytest.raises(ConfigError, match="leads out of the folder"):
        file_in(folder, "../elsewhere")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("store/{}", r"is a link to .*store/{}, which is missing; fetch that file"),
        ("../store/{}", r"leads out of .*store/{}, which is missing; put the file itself there.*git annex"),
    ],
    ids=["inside", "outside"],
)
def test_a_link_to_a_missing_file_is_told(tmp_path, theirs, own, name, target, message):
    for number, files in enumerate([theirs, own] if name in own else [theirs]):
        folder = written(tmp_path / f"model-{number}", files)
        (folder / name).unlink()
        (folder / name).symlink_to(target.format(name))
        with pytest.raises(ConfigError, match=message.format(re.escape(name))):
            load_model(folder)
    (folder / "part").symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"nowhere/1\.safetensors, which is missing"):
        file_in(folder, "part/1.safetensors")
    assert file_in(folder, "other/../1.safetensors") is None


def test_links_of_the_hubs_cache_are_followed(tmp_path, theirs):
    files = written(tmp_path / "files", theirs)
    cached(tmp_path / "cache", "someone/tagger", "a" * 40, files, missing=["modules.json"])
    snapshot = tmp_path / "cache" / "models--someone--tagger" / "snapshots" / ("a" * 40)
    (snapshot.parent.parent / "blobs").mkdir()
    for path in [*snapshot.iterdir()]:
        path.rename(snapshot.parent.parent / "blobs" / path.name)
        path.symlink_to(Path("../../blobs") / path.name)
    assert load_checkpoint(snapshot, "ner").config.heads
    assert load_checkpoint("someone/tagger", "ner", cache_dir=str(tmp_path / "cache")).config.heads
    (snapshot / "model.safetensors").resolve().unlink()
    with pytest.raises(
        ConfigError, match=r"is a link to .*blobs/model\.safetensors, which is missing; fetch that file"
    ):
        load_checkpoint(snapshot, "ner")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_that_are_no_numbers_are_refused(tmp_path, own, theirs, value, dtype):
    for files in (own, theirs):
        folder = written(tmp_path / "model", files)
        state = load_file(folder / "model.safetensors")
        name = next(name for name in sorted(state) if name.endswith("LayerNorm.bias"))
        state[name] = state[name].to(dtype)
        state[name][1] = value
        save_file(state, folder / "model.safetensors")
        with pytest.raises(ConfigError, match=f"{re.escape(name)} contains NaN or infinite"):
            Model.from_pretrained(folder, only_windows=True) if files is own else load_checkpoint(folder, "ner")


WORDS = "encoder.backbone.embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (None, "without the scales"),
        (torch.ones(()), "a scale per row"),
        (torch.ones(1), "a scale per row"),
        (torch.ones(300, 1), "a scale per row"),
        (torch.full((300,), 1e38), "NaN or infinite"),
        (torch.full((300,), float("nan")), "NaN or infinite"),
    ],
)
def test_whole_numbers_have_a_scale_for_each_row(tmp_path, own, scale, message):
    folder = written(tmp_path / "model", own)
    state = load_file(folder / "model.safetensors")
    state[WORDS] = torch.full(state[WORDS].shape, 127, dtype=torch.int8)
    state |= {} if scale is None else {f"{WORDS}.scale": scale}
    save_file(state, folder / "model.safetensors")
    with pytest.raises(ConfigError, match=message):
        Model.from_pretrained(folder)


def test_a_scale_belongs_to_a_matrix(tmp_path, own):
    folder = written(tmp_path / "model", own)
    for name in ("no.weight", "encoder.backbone.embeddings.LayerNorm.bias"):
        save_file(load_file(folder / "model.safetensors") | {f"{name}.scale": torch.ones(16)}, folder / "other")
        (folder / "other").rename(folder / "model.safetensors")
        with pytest.raises(ConfigError, match="a scale per row"):
            Model.from_pretrained(folder)


def test_bert_without_transformers_takes_checked_settings(tmp_path, own):
    hostile = {"auto_map": {"AutoModel": "evil.C"}, "to_dict": "no method", "_name": "x", "gguf_file": "../outside"}
    model = Model.from_pretrained(written(tmp_path / "model", own, **hostile), only_windows=True)
    assert isinstance(model.encoder.backbone, Bert)
    model.save(tmp_path / "again")
    again = json.loads((tmp_path / "again" / "config.json").read_text())["encoder"]
    assert not {"auto_map", "_name", "gguf_file"} & again.keys() and again["hidden_size"] == 16
    for wrong in ({"attn_implementation": "someone/kernel"}, {"quantization_config": {"bits": 4}}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            Model.from_pretrained(written(tmp_path / "model", own, **wrong), only_windows=True)


def test_a_tokenizer_that_panics_on_a_text_is_a_typed_error():
    tokenizer = make_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(length=0)
    with pytest.raises(DocumentError, match="tokenizer cannot read the text"):
        tokenize("b", tokenizer)


def test_a_text_that_the_tokenizer_fails_on_costs_no_other_document():
    model = make_model()
    record = json.loads(model.tokenizer.to_str())
    record["model"]["unk_token"] = "no such token"
    model = Model(model.encoder.backbone, Tokenizer.from_str(json.dumps(record)), model.config)
    first, second, third = Pipeline(model).pipe([b"The lease", "\u2603".encode(), b"ends"], on_error="yield")
    assert first.document.text == "The lease" and third.document.text == "ends"
    assert isinstance(second.error, DocumentError) and "[UNK]" in str(second.error)


def replace_step(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("normalizer", replace_step({"Regex": "(a+)+$"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "(a|aa)+$"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "((a+))+$"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "(?:(?:a+)b?)*c"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "(?:(?:a|aa))+$"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"(a)\1"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "a(?=.*b)"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "a*a*a*a*b"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\s*\s*\s*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\s*\s*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\p{L}*+\p{Lu}*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"[^\p{N}]*[\p{L}]*1"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\p{Han}*\p{Han}*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "[a-z&&[a]]*[a]*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\h*\h*x"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": r"\x{61}*a*b"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "a|b*b*c"}, "x"), "linear time"),
        ("normalizer", replace_step({"Regex": "(a"}, "x"), "cannot be loaded"),
        ("normalizer", replace_step({"String": "a"}, "a" * 100), "is inserted"),
        (
            "normalizer",
            {"type": "Sequence", "normalizers": [replace_step({"String": "a"}, "aa")] * 20},
            "times as long",
        ),
        ("normalizer", {"type": "Sequence", "normalizers": [{"type": "NFC"}] * 100}, "has 100 steps"),
        ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "cannot be loaded"),
        ("normalizer", "lower", "expected a mapping"),
        ("pre_tokenizer", {"type": "FixedLength", "length": 0}, "length is 0"),
        ("pre_tokenizer", {"type": "no such type"}, "cannot be loaded"),
        ("model", {"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": 10**12}, "max_input_chars"),
        ("model", {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.5}, "makes tokens random"),
        ("model", None, "model is missing"),
    ],
)
def test_a_tokenizer_that_could_hang_grow_or_crash_is_refused(tmp_path, part, value, message):
    record = json.loads(make_tokenizer().to_str())
    (tmp_path / "tokenizer.json").write_text(json.dumps({**record, part: value}))
    with pytest.raises(ConfigError, match=message):
        read_tokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    "expression",
    [
        r"'(?i:[sdmt]|ll|ve)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"\p{Han}+|[0-9]",
        r"\s+",
        r"\w+|[^\w\s]+",
        " {2,}",
        r"\n",
    ],
)
def test_expressions_of_known_tokenizers_are_allowed(tmp_path, expression):
    record = json.loads(make_tokenizer().to_str())
    split = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
    (tmp_path / "tokenizer.json").write_text(json.dumps({**record, "pre_tokenizer": split}))
    assert read_tokenizer(tmp_path / "tokenizer.json").encode("a").ids


def test_the_tokens_of_a_tokenizer_have_embeddings(tmp_path, own):
    record = json.loads(own["tokenizer.json"])
    record["model"]["vocab"]["a"] = 4_000_000_000
    folder = written(tmp_path / "model", own)
    (folder / "tokenizer.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="has a token with the id 4000000000, but the model has embeddings"):
        Model.from_pretrained(folder)


@pytest.mark.parametrize("name", ["no text", "many"])
def test_a_template_contains_both_texts(tmp_path, own, name):
    record = json.loads(own["tokenizer.json"])
    special = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    texts = [] if name == "no text" else [{"Sequence": {"id": text, "type_id": 0}} for text in "AB"]
    record["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [*texts[:1], special],
        "pair": [*texts, *[special] * 100],
        "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}},
    }
    folder = written(tmp_path / "model", own)
    (folder / "tokenizer.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        Model.from_pretrained(folder)
