"""Pruning: what matters is kept, what does not matter changes nothing, and the result is an ordinary model."""

import copy
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers as tf
import yaml

from conftest import make_model, make_tokenizer
from longdoc.cli import main
from longdoc.config import from_dict, load_yaml
from longdoc.decode import Calibration
from longdoc.errors import ConfigError, TrainingError
from longdoc.export import to_transformers
from longdoc.heads import NerConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training import TrainConfig, train
from longdoc.training.data import training_batches
from longdoc.training.learner import Learner
from longdoc.training.prune import FAMILIES as PRUNED
from longdoc.training.prune import RIDGE, Importance, PruneConfig, importance, prune
from longdoc.windows import WindowConfig
from reference import changes_of_loss, fitted_linear
from test_families import FAMILIES, config_of
from test_training import CONTRACTS, config_file, make_task, task, train_until_killed

TYPES = {family: config_of(family).model_type for family in FAMILIES}


def model_of(family):
    """Two layers of 32 neurons and 4 heads, of which half of the neurons and heads do nothing."""
    names = ("num_attention_heads", *(["n_heads"] if family == "DistilBert" else []))
    settings = config_of(family, **dict.fromkeys(names, 4), initializer_range=0.5)
    backbone = getattr(tf, f"{family}Model")(settings)
    heads = {"contract": NerConfig(labels=("PARTY",))}
    config = ModelConfig(heads=heads, windows=WindowConfig(size=32, overlap=8))
    return Model(backbone, make_tokenizer(), config).eval()


def batches_of(model, batch_tokens=256, **changes):
    batches = training_batches([make_task(**changes)], model, batch_tokens, seed=1)
    return [batches[number] for number in range(4)]


# ------------------------------------------------------------------------------------------------------------ exactness


@pytest.mark.parametrize("family", [family for family in FAMILIES if TYPES[family] in PRUNED])
@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_removing_what_does_nothing_changes_no_state(corpus, family, encoder):
    model = model_of(family)
    parts = PRUNED[TYPES[family]]
    with torch.no_grad():
        for name, module in model.encoder.backbone.named_modules():
            if re.search(rf"layer\.\d+\.{re.escape(parts.outer)}$", name):
                module.weight[:, ::2] = 0
            if re.search(rf"layer\.\d+\.{re.escape(parts.attended)}$", name):
                module.weight.unflatten(1, (4, 4))[:, [0, 3]] = 0
    batches = batches_of(model, encoder=encoder, window=64)
    reading = model.reading_encoder(32 if encoder == "sparse" else 0)
    wanted = [reading(**batch["inputs"]).detach() for batch in batches]
    size = sum(weight.numel() for weight in model.parameters())
    prune(model, PruneConfig(width=16, heads=2), importance(model, batches))
    assert size - sum(weight.numel() for weight in model.parameters()) == 2 * 16 * (2 * 16 + 1)
    reading = model.reading_encoder(32 if encoder == "sparse" else 0)
    for batch, states in zip(batches, wanted, strict=True):
        torch.testing.assert_close(reading(**batch["inputs"]), states, rtol=1e-3, atol=1e-3)


def test_a_pruned_model_is_an_ordinary_bert_of_both_libraries(corpus, tmp_path):
    model = make_model()
    prune(model, PruneConfig(width=8, heads=1), importance(model, batches_of(model)))
    model.save(tmp_path / "model")
    inputs = model.encoder.batch([np.arange(5, 20)]).inputs
    wanted = model.encoder(**inputs)
    own = Model.from_pretrained(tmp_path / "model", only_windows=True)
    assert type(own.encoder.backbone).__module__ == "longdoc.bert"
    torch.testing.assert_close(own.encoder(**inputs), wanted)
    to_transformers(tmp_path / "model", tmp_path / "theirs", head="contract")
    theirs = tf.AutoModelForTokenClassification.from_pretrained(tmp_path / "theirs")
    assert (theirs.config.intermediate_size, theirs.config.num_attention_heads) == (8, 1)
    torch.testing.assert_close(theirs.bert(**inputs).last_hidden_state, wanted)


# ----------------------------------------------------------------------------------------------------------- importance


def ranks(values):
    return np.argsort(np.argsort(values))


def test_importance_ranks_parts_as_removing_each_does(corpus):
    model = make_model(spread=0.2)
    batches = batches_of(model, batch_tokens=1)
    assert all(len(batch["inputs"]["input_ids"]) == 1 for batch in batches)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = importance(model, batches)
    learner = Learner(model).eval()

    def losses(batch):
        with torch.no_grad():
            return learner(**{name: value for name, value in batch.items() if name != "documents"})["loss"].item()

    for number, layer in enumerate(model.encoder.backbone.encoder.layer):
        for scores, linear in ((found.neurons, layer.output.dense), (found.heads, layer.attention.output.dense)):
            count = scores.shape[1]
            changes = [changes_of_loss(lambda batch=batch: losses(batch), linear, count) for batch in batches]
            agreement = np.corrcoef(ranks(np.sum(changes, axis=0)), ranks(scores[number].numpy()))[0, 1]
            assert agreement > 0.9, (number, count, agreement)
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    ("kept", "part", "other"), [({"width": 8}, "neurons", "heads"), ({"heads": 1}, "heads", "neurons")]
)
def test_only_what_is_pruned_is_measured(corpus, kept, part, other):
    model, config = make_model(spread=0.2), PruneConfig(**kept)
    batches = batches_of(model)
    whole, found = importance(model, batches), importance(model, batches, parts=config.parts)
    for name in (part, f"of_{part}"):
        assert torch.equal(getattr(found, name), getattr(whole, name)) and getattr(found, name).any()
    assert getattr(found, f"of_{other}").numel() == 0 and not getattr(found, other).any()
    pruned = copy.deepcopy(model)
    prune(model, config, whole)
    prune(pruned, config, found)
    assert all(torch.equal(weight, pruned.state_dict()[name]) for name, weight in model.state_dict().items())


def test_an_importance_that_is_not_finite_is_refused(corpus):
    model = make_model()
    found = Importance.none(model.encoder.backbone.config)
    found.neurons[0, 3] = torch.nan
    with pytest.raises(TrainingError, match="importance of neurons or heads is not finite"):
        prune(model, PruneConfig(width=8), found)


def test_what_is_kept_is_fitted_to_the_results_before(corpus):
    model = make_model(spread=0.5)
    batches, layer = batches_of(model), model.encoder.backbone.encoder.layer[0]
    found = importance(model, batches)
    outer, read = layer.output.dense, []
    hook = outer.register_forward_pre_hook(lambda _, given: read.append(given[0].detach()))
    for batch in batches:
        model.encoder(**batch["inputs"])
    hook.remove()
    masks = [batch["inputs"]["attention_mask"].bool() for batch in batches]
    assert not all(mask.all() for mask in masks), "padding does not count"
    states = torch.cat([own[mask] for own, mask in zip(read, masks, strict=True)]).double()
    prune(model, PruneConfig(width=8), found)
    fitted = model.encoder.backbone.encoder.layer[0].output.dense
    kept = found.neurons[0].topk(8).indices.sort().values.numpy()
    weight, bias = fitted_linear(states.numpy(), *(part.detach().numpy() for part in outer.parameters()), kept, RIDGE)
    np.testing.assert_allclose(fitted.weight.detach().numpy(), weight, atol=1e-3)
    np.testing.assert_allclose(fitted.bias.detach().numpy(), bias, atol=1e-3)


# --------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({}, "neither width nor heads"),
        ({"width": 12}, "multiple of 8; got 12"),
        ({"width": 0}, "multiple of 8; got 0"),
        ({"heads": 0}, "heads must be at least 1"),
        ({"width": 8, "batches": 0}, "batches must be at least 1"),
    ],
)
def test_a_wrong_number_is_refused_when_the_configuration_is_read(kept, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(PruneConfig, kept)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({"width": 32}, "width is 32, and the feed-forward networks of the base have 32 neurons"),
        ({"heads": 2}, r"heads is 2, and the base has 2 attention heads .* of 16, .*; allowed: 1$"),
    ],
)
def test_more_than_the_base_has_is_refused_before_the_data_are_read(corpus, kept, message):
    make_model().save(corpus / "whole")
    (corpus / "contracts.jsonl").unlink()
    with pytest.raises(ConfigError, match=message):
        train(config_file(corpus, base=str(corpus / "whole"), model=None, prune=kept))


def test_new_heads_which_cannot_say_what_matters_are_refused(corpus):
    with pytest.raises(ConfigError, match="leave `model` out"):
        train(config_file(corpus, prune={"width": 16}))


@pytest.mark.parametrize("family", [family for family in FAMILIES if TYPES[family] not in PRUNED])
def test_another_family_is_refused_by_name(family):
    model = model_of(family)
    empty = torch.empty(0)
    with pytest.raises(ConfigError, match=rf"a {TYPES[family]} cannot be pruned.*allowed: bert, "):
        prune(model, PruneConfig(width=16), type("Found", (), {"neurons": empty, "heads": empty})())


# ---------------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def whole(corpus):
    """A model with a calibrated head."""
    model = make_model(spread=0.02)
    fitted = replace(model.config.heads["contract"], calibration=Calibration(temperature=2.0))
    model.config = replace(model.config, heads={**model.config.heads, "contract": fitted})
    model.save(corpus / "whole")
    return corpus / "whole"


@pytest.mark.slow
def test_the_command_prunes_trains_and_tells_what_each_step_buys(corpus, whole, capsys, caplog):
    development = {"datasets": {"held out": CONTRACTS}, "every": 10}
    path = config_file(corpus, tasks=[task(passes=0.5)], development=development)
    arguments = ["prune", str(whole), "--config", str(path), "-o", str(corpus / "small"), "--width", "16"]
    assert main(arguments) == 0
    report = capsys.readouterr().out
    assert re.search(r"\| +\| parameters \| tokens/s \| held out \|", report)
    before, pruned, trained = re.findall(r"^\| (\S+) \| ([\d,]+) \| [\d,]+ \| 0\.\d{3} \|$", report, re.MULTILINE)
    assert (before[0], pruned[0], trained[0]) == (str(whole), "pruned", "trained")
    assert int(before[1].replace(",", "")) - int(pruned[1].replace(",", "")) == 2 * 16 * (2 * 16 + 1)
    assert pruned[1] == trained[1]
    assert "repeat `longdoc calibrate` with this model for contract\n" in report
    assert "no task has the head biomedical" in caplog.text
    model = Model.from_pretrained(corpus / "small" / "model")
    assert model.encoder.backbone.config.intermediate_size == 16
    assert model.config == Model.from_pretrained(whole).config, "heads, windows and calibration are kept"
    assert json.loads((corpus / "small" / "config.json").read_text())["distill"]["teacher"] == str(whole)
    assert main(arguments) == 0
    assert "finished after" in caplog.text


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_with_the_same_parts(corpus, whole, monkeypatch):
    changes = {"base": str(whole), "model": None, "prune": {"width": 16, "heads": 1}, "tasks": [task(passes=0.3)]}
    changes |= {"save_every": 4}
    one = train(config_file(corpus, **changes))
    path = config_file(corpus, **changes, output=str(corpus / "killed"))

    train_until_killed(path, monkeypatch, step=8)
    weights = [Model.from_pretrained(folder).state_dict() for folder in (one, train(path))]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_without_held_out_data_the_command_says_that_quality_was_not_measured(corpus, whole, capsys):
    path = config_file(corpus, tasks=[task(passes=0.1)])
    assert load_yaml(TrainConfig, path).development is None
    assert main(["prune", str(whole), "--config", str(path), "-o", str(corpus / "small"), "--heads", "1"]) == 0
    assert "The quality was not measured: name held-out data" in capsys.readouterr().out
    assert yaml.safe_load((corpus / "small" / "config.json").read_text())["prune"]["heads"] == 1
