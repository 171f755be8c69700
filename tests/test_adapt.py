"""A head for vectors with an encoder of its own: the shared encoder, and differences of a few bits."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

import reference
from conftest import CORPUS, make_model
from longdoc import Pipeline, cli
from longdoc.adapters import Adapter, from_bits, in_bits, rounded_rows, unrounded
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.export import to_graph, to_transformers
from longdoc.heads import EmbedConfig, NerConfig, QaConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training import adapt
from longdoc.training.given_model import model_of
from longdoc.windows import WindowConfig

DOCUMENT = Document.from_text("\n\n".join(CORPUS[:2] * 3))
CONFIG = ModelConfig(
    heads={"ner": NerConfig(labels=("PARTY",)), "qa": QaConfig(windows=WindowConfig(size=48, overlap=8))},
    windows=WindowConfig(size=32, overlap=8),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """``base``, a checkpoint; ``trained``, with an encoder near it; ``out``, the same with the base's vectors."""
    folder = tmp_path_factory.mktemp("adapt")
    base = make_model(spread=0.2)
    base.encoder.backbone.save_pretrained(folder / "base")
    base.tokenizer.save(str(folder / "base" / "tokenizer.json"))
    model = Model.from_base(folder / "base", CONFIG)
    words = model.encoder.backbone.get_input_embeddings().weight
    for parameter in model.encoder.backbone.parameters():
        if parameter is not words:
            parameter.data += 0.1 * torch.randn_like(parameter)
    model.save(folder / "trained", quantize=True)
    adapt(folder / "trained", folder / "out", vectors=folder / "base", bits=8, quantize=True)
    return folder


def pipeline_of(model, **options):
    return Pipeline(model, device="cpu", **{"precision": "float32", **options})


def vectors(pipeline):
    return pipeline.embed(DOCUMENT, "sentence").vectors


def cosine(one, other):
    return float((one * other).sum(axis=1).mean())


# ------------------------------------------------------------------------------------------------------------- numbers


@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 20), st.randoms(use_true_random=False))
def test_levels_are_kept_in_bits(n_bits, n_rows, n_columns, random):
    levels = torch.tensor([[random.randrange(1 << n_bits) for _ in range(n_columns)] for _ in range(n_rows)]).byte()
    bits = in_bits(levels, n_bits)
    assert bits.shape == (n_bits, n_rows, -(-n_columns // 8)) and bits.dtype == torch.uint8
    assert torch.equal(from_bits(bits, n_columns), levels)


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
def test_rows_are_rounded_by_the_best_step(n_bits):
    matrix = torch.randn(4, 30) * torch.tensor([[1.0], [1e-3], [0.0], [1e6]])
    levels, steps = rounded_rows(matrix, 1 << n_bits)
    found = unrounded(levels, steps, 1 << n_bits).double().numpy()
    for row, own in zip(matrix.double().numpy(), found, strict=True):
        assert ((own - row) ** 2).sum() <= reference.least_rounding_error(row, 1 << n_bits) * (1 + 1e-5)
    assert not found[2].any()


def test_a_new_adapter_changes_nothing(model):
    backbone = model.encoder.backbone
    own, words = dict(backbone.named_parameters()), backbone.get_input_embeddings().weight
    found = Adapter(backbone, 3).weights(backbone)
    assert found.keys() == {name for name, weight in own.items() if weight is not words}
    assert all(torch.equal(weight, own[name]) for name, weight in found.items())


# ---------------------------------------------------------------------------------------------------------- the model


def test_all_other_tensors_and_results_stay_as_they_are(folder):
    before, after = (load_file(folder / name / "model.safetensors") for name in ("trained", "out"))
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {"adapters"}
    trained, out = (Pipeline.from_pretrained(folder / name, precision="float32") for name in ("trained", "out"))
    assert out(DOCUMENT).to_dict() == trained(DOCUMENT).to_dict() and out(DOCUMENT).entities
    vectors(out)
    assert out(DOCUMENT).to_dict() == trained(DOCUMENT).to_dict()


def test_vectors_are_those_of_the_other_model(folder):
    base = vectors(Pipeline.from_pretrained(embed=folder / "base", precision="float32"))
    model = Model.from_pretrained(folder / "out")
    plain = ModelConfig(heads={"embed": EmbedConfig()}, windows=model.config.windows)
    shared = Model(model.encoder.backbone, model.tokenizer, plain)
    assert cosine(vectors(pipeline_of(model)), base) > 0.95 > 0.9 > cosine(vectors(pipeline_of(shared)), base)


@pytest.mark.parametrize("bits", [2, 4])
def test_more_bits_are_nearer(folder, tmp_path, bits):
    base = vectors(Pipeline.from_pretrained(embed=folder / "base", precision="float32"))
    adapted = adapt(folder / "out", tmp_path / "again", vectors=folder / "base", bits=bits)
    found = cosine(vectors(Pipeline.from_pretrained(tmp_path / "again", precision="float32")), base)
    assert {2: 0.7, 4: 0.95}[bits] < found < {2: 0.95, 4: 0.999}[bits]
    assert adapted.before < adapted.after and adapted.size > 0


def test_a_share_of_the_way_is_between_both_encoders(folder, tmp_path):
    adapt(folder / "trained", tmp_path / "out", vectors=folder / "base", share=0.25, bits=8)
    models = [Model.from_pretrained(tmp_path / "out"), *(Model.from_pretrained(folder / n) for n in ("trained", "out"))]
    models = [models[0].adapted("embed"), models[1], models[2].adapted("embed")]
    found, start, end = (dict(each.encoder.backbone.named_parameters()) for each in models)
    for name in found:
        torch.testing.assert_close(found[name], start[name] + 0.25 * (end[name] - start[name]), rtol=0, atol=1e-2)


@pytest.mark.parametrize("options", [{}, {"precision": "bfloat16"}, {"encoder": "sparse"}, {"batch_tokens": 1}])
def test_every_way_of_reading_is_that_of_a_model_with_those_weights(folder, options):
    model = Model.from_pretrained(folder / "out")
    apart = model.adapted("embed")
    assert not apart.adapters and apart.config.heads == {"embed": EmbedConfig()}
    assert reference.with_differences(model, "embed").keys() == apart.encoder.backbone.state_dict().keys()
    for name, weight in reference.with_differences(model, "embed").items():
        torch.testing.assert_close(apart.encoder.backbone.state_dict()[name], weight, rtol=0, atol=1e-6)
    pipeline = pipeline_of(model, **options)
    np.testing.assert_allclose(vectors(pipeline), vectors(pipeline_of(apart, **options)), atol=1e-6)
    copied = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_allclose(vectors(copied), vectors(pipeline), atol=1e-6)


def test_the_words_of_both_encoders_are_one_tensor(folder):
    model = Model.from_pretrained(folder / "out")
    one, other = (m.encoder.backbone.get_input_embeddings().weight for m in (model, model.adapted("embed")))
    assert one is other


def test_the_head_is_exported_with_its_own_encoder(folder, tmp_path):
    wanted = vectors(Pipeline.from_pretrained(folder / "out", precision="float32"))
    to_transformers(folder / "out", tmp_path / "sentences", head="embed")
    assert (tmp_path / "sentences" / "modules.json").is_file()
    found = vectors(Pipeline.from_pretrained(embed=tmp_path / "sentences", precision="float32"))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    exported = to_graph(folder / "out", tmp_path / "graph", "torch-export", head="embed")
    assert [*exported.record.outputs] == ["embed"]
    np.testing.assert_allclose(vectors(Pipeline.from_pretrained(tmp_path / "graph")), wanted, atol=1e-5)


def test_a_graph_of_all_heads_says_that_this_one_is_apart(folder, tmp_path):
    Model.from_pretrained(folder / "out").with_heads(["embed"]).save(tmp_path / "alone")
    with pytest.raises(ConfigError, match="embed: it has an encoder of its own: export it by itself, by its name"):
        to_graph(tmp_path / "alone", tmp_path / "graph")


def test_training_goes_on_without_it(folder, caplog):
    assert [*model_of(str(folder / "out")).heads] == ["ner", "qa"]
    assert "the head embed is left out" in caplog.text and "longdoc adapt" in caplog.text
    with pytest.raises(ConfigError, match="the head embed has an adapter, which training the encoder would spoil"):
        Model.from_base(folder / "out", Model.from_pretrained(folder / "out").config)


# --------------------------------------------------------------------------------------------------------- the command


def test_the_command_says_how_near_the_vectors_are(folder, tmp_path, capsys):
    given = ["adapt", str(folder / "trained"), "--vectors", str(folder / "base"), "-o", str(tmp_path / "out")]
    assert cli.main([*given, "--head", "vector", "--bits", "3"]) == 0
    said = capsys.readouterr().out
    assert "with the shared encoder" in said and f"head vector is in {tmp_path / 'out'}" in said
    assert Model.from_pretrained(tmp_path / "out").config.heads["vector"] == EmbedConfig(adapter=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 0}, "bits must be an integer, at least 1; got 0"),
        ({"share": 1.5}, "share must be above 0 and at most 1; got 1.5"),
        ({"bits": 9}, "bits must be from 1 to 8; got 9"),
        ({"head": "ner"}, "has a head 'ner' of kind 'ner'; give the new one another name"),
        ({"vectors": "deeper"}, "another form than .*encoder.layer.2.* not there"),
        ({"vectors": "otherwise"}, "computes otherwise than .*num_attention_heads is 4, and there 2"),
        ({"vectors": "words"}, "another vocabulary"),
        ({"vectors": "layered"}, "has layers after the pooling, or a prompt"),
        ({"vectors": "nowhere"}, "nowhere"),
    ],
)
def test_what_cannot_be_added_is_refused(folder, tmp_path, options, message):
    make_others(folder, tmp_path)
    given = {"vectors": folder / "base", **options}
    if isinstance(given["vectors"], str):
        given["vectors"] = tmp_path / given["vectors"]
    with pytest.raises(ConfigError, match=message):
        adapt(folder / "trained", tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def make_others(folder, to):
    """Checkpoints that are not near the base: another layer, another number of heads, another word, another layer."""
    base = make_model(spread=0.2).encoder.backbone
    for name, changes in (("deeper", {"num_hidden_layers": 3}), ("otherwise", {"num_attention_heads": 4})):
        config = type(base.config)(**{**base.config.to_dict(), **changes})
        type(base)(config, add_pooling_layer=False).save_pretrained(to / name)
        shutil.copy(folder / "base" / "tokenizer.json", to / name)
    for name in ("words", "layered"):
        shutil.copytree(folder / "base", to / name)
    text = (to / "words" / "tokenizer.json").read_text()
    (to / "words" / "tokenizer.json").write_text(text.replace('"##eve"', '"##evening"'))
    write_layer(to / "layered")


def write_layer(folder):
    """Makes a checkpoint one of sentence-transformers, with a layer after the pooling."""
    kinds = ["Transformer", "Pooling", "Dense"]
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    for module in modules[1:]:
        (folder / module["path"]).mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    state = {f"linear.{name}": tensor for name, tensor in nn.Linear(16, 16).state_dict().items()}
    save_file(state, folder / "2_Dense" / "model.safetensors")
    (folder / "2_Dense" / "config.json").write_text("{}")


@pytest.mark.parametrize("bits", [0, 9])
def test_a_wrong_number_of_bits_in_a_configuration_is_refused(bits):
    with pytest.raises(ConfigError, match=f"from 1 to 8; got {bits}"):
        EmbedConfig(adapter=bits)
