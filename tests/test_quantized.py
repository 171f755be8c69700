"""Encoders in int8 against those that they are made of, and where there are none."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import gelu

from conftest import make_model
from longdoc import Document, Pipeline, PrecisionWarning
from longdoc.batch.request import Request
from longdoc.config import from_dict
from longdoc.devices import dtype_of, has_int8
from longdoc.encoders import Encoder
from longdoc.errors import ConfigError
from longdoc.packed import PackedLayer, quantize_for_cpu
from longdoc.quantized import MARGIN, Bytes, Grid, QuantizedLayer, QuantizedLinear, divide
from longdoc.training.run import RunConfig
from reference import int8_linear
from test_packed import windows
from test_pipeline import distilled

CPU = torch.device("cpu")
DOCUMENTS = [Document.from_text("Acme Incorporated pays Zenith LLC. " * count) for count in (1, 2, 9, 40, 3)]
needs_int8 = pytest.mark.skipif(not has_int8(CPU), reason="this processor does not multiply bytes")


def layer_of(n_rows, width, n_out):
    weight, bias = torch.randn(n_out, width) * 0.05, torch.randn(n_out)
    states = torch.randn(64, width) * torch.linspace(0.1, 4, width) + torch.linspace(-3, 3, width)
    return weight, bias, states[:n_rows], Grid.of(states)


@needs_int8
@pytest.mark.parametrize(("n_rows", "width", "n_out"), [(1, 16, 48), (33, 384, 20), (16, 37, 5)])
def test_a_layer_of_bytes_gives_the_exact_sums(n_rows, width, n_out):
    weight, bias, states, grid = layer_of(n_rows, width, n_out)
    given = Bytes(grid)(states)
    assert ((grid.middle + grid.step * (given.float() - 128) - states).abs() <= grid.step * 0.501).all()
    expected = int8_linear(given.numpy(), weight.numpy(), bias.numpy(), grid.middle.numpy(), grid.step.numpy())
    layer, onto = QuantizedLinear(weight, bias, grid), torch.randn(n_rows, n_out)
    np.testing.assert_allclose(layer(given).numpy(), expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(layer(given, onto.clone()).numpy(), expected + onto.numpy(), atol=1e-4)
    torch.testing.assert_close(layer(given), states @ weight.T + bias, atol=0.1, rtol=0)


@needs_int8
def test_a_layer_of_bytes_gives_the_bytes_of_gelu():
    weight, bias, states, grid = layer_of(40, 32, 24)
    given, neurons = Bytes(grid)(states), divide(torch.full((24,), 4.0), 0)
    sums = int8_linear(given.numpy(), weight.numpy(), bias.numpy(), grid.middle.numpy(), grid.step.numpy())
    expected = (gelu(torch.from_numpy(sums)) / neurons.step + neurons.zero).clamp(0, 255)
    found = QuantizedLinear(weight, bias, grid, gelu=neurons)(given)
    assert found.dtype == torch.uint8 and (found.double() - expected).abs().max() <= 0.501


def test_the_parts_of_a_divided_neuron_add_up():
    largest = torch.tensor([1.0, 20.0, 2.0, 7.0, 0.0])
    neurons = divide(largest, 8)
    assert neurons.neurons.bincount().tolist() == [1, 7, 1, 3, 1]
    cut = (255 - neurons.zero) * neurons.step
    assert cut < 4 < divide(largest, 0).step * 255
    numbers = largest * MARGIN * torch.linspace(-0.5, 1, 400)[:, None]
    parts = gelu(numbers[:, neurons.neurons] - neurons.shifts).clamp(max=cut)
    found = torch.zeros_like(numbers).index_add(1, neurons.neurons, parts)
    assert (found - gelu(numbers)).abs().max() < 0.18


@needs_int8
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_states_in_int8_are_close_and_independent_of_the_batch(model, dtype):
    quantized, sizes = quantize_for_cpu(model.encoder, dtype), torch.randint(1, 60, (9,)).tolist()
    assert {type(layer) for layer in quantized.backbone.layers} == {QuantizedLayer}
    together = windows(model, sizes)
    with torch.inference_mode():
        found, exact = quantized(**together.inputs), model.encoder(**together.inputs)
        rows = zip(sizes, together.content(found.numpy()), together.content(exact.numpy()), strict=True)
        for size, states, close in rows:
            alone = windows(model, [size])
            assert np.array_equal(states, alone.content(quantized(**alone.inputs).numpy())[0]), size
            assert (states * close).sum() / np.linalg.norm(states) / np.linalg.norm(close) > 0.97


@needs_int8
def test_a_document_has_the_same_scores_alone_among_others_and_after_pickling(model):
    pipeline = Pipeline(model, device=CPU, precision="int8")
    assert type(pipeline.readers[0].scorer.encoder.backbone.layers[0]) is QuantizedLayer
    together = [list(found.entities) for found in pipeline.pipe(DOCUMENTS)]
    assert any(together)
    again = pickle.loads(pickle.dumps(pipeline))
    assert type(again.readers[0].scorer.encoder.backbone.layers[0]) is QuantizedLayer
    assert together == [list(pipeline(each).entities) for each in DOCUMENTS]
    assert together == [list(again(each).entities) for each in DOCUMENTS]


def told_of(make):
    """The one warning that loading and reading twice gives, and the pipeline."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pipeline = make()
        if pipeline.readers[0].scorer.device == CPU:
            assert pipeline(DOCUMENTS[0]) == pipeline(DOCUMENTS[0])
    (one,) = [each for each in told if issubclass(each.category, PrecisionWarning)]
    return str(one.message), pipeline.readers[0].scorer


def test_a_cpu_without_products_of_bytes_says_so_and_reads_as_auto(model, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    message, scorer = told_of(lambda: Pipeline(model, device=CPU, precision="int8"))
    assert "this CPU has neither VNNI nor AMX, so it is read in float32" in message
    assert type(scorer.encoder.backbone.layers[0]) is PackedLayer
    document, exact = DOCUMENTS[2], Pipeline(model, device=CPU)
    with pytest.warns(PrecisionWarning):
        assert Pipeline(model, device=CPU, precision="int8")(document) == exact(document)


def test_another_device_says_so(monkeypatch):
    monkeypatch.setattr("longdoc.compute.devices_of", lambda name: (torch.device("meta"),))
    message, scorer = told_of(lambda: Pipeline(make_model(), device=CPU, precision="int8"))
    assert "the device is 'meta', so it is read in float32" in message and type(scorer.encoder) is Encoder


@pytest.mark.parametrize("capability", ["avx512_vnni", "amx_int8"])
def test_other_encoders_say_so(model, monkeypatch, capability):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    message, _ = told_of(lambda: Pipeline(distilled(), device=CPU, precision="int8"))
    assert "this encoder is distilbert, so it is read in float32" in message
    message, _ = told_of(lambda: Pipeline(model, device=CPU, precision="int8", encoder="sparse"))
    assert "attention is sparse" in message


def test_int8_is_for_reading_and_belongs_to_the_settings_of_a_run():
    assert dtype_of("int8", CPU) == torch.int8
    assert Request.of(precision="int8").settings()["precision"] == "int8"
    with pytest.raises(ConfigError, match="precision: expected one of 'auto', 'float32', 'bfloat16', got 'int8'"):
        from_dict(RunConfig, {"base": "default", "output": "out", "precision": "int8"})
