"""On a GPU: what is computed there is what a CPU computes. ``make gpu-benchmark`` runs this file."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModel

from conftest import CORPUS, make_tokenizer
from longdoc import Document, Pipeline
from longdoc.attention import Rows, SparsePattern
from longdoc.attention.blocked import blocked_attention
from longdoc.attention.flex import flex_sparse_attention
from longdoc.bert import Windows
from longdoc.compute import TorchScorer
from longdoc.errors import PrecisionWarning
from longdoc.model import Model
from longdoc.packed import PackedEncoder, attend_at_once, attend_each
from longdoc.training import train
from longdoc.training.data import training_batches
from longdoc.training.learner import Learner, to_device
from test_families import CONFIG, DENSE, config_of
from test_training import config_file, make_task, task, train_until_killed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

GPU, CPU = torch.device("cuda:0"), torch.device("cpu")
HAS_FLASH = torch.cuda.is_available() and torch.version.hip is None and torch.cuda.get_device_capability() >= (8, 0)
WIDE = {"hidden_size": 64, "intermediate_size": 128}
FAMILIES = {
    "Bert": WIDE,
    "Roberta": WIDE,
    "DistilBert": {"dim": 64, "hidden_dim": 128},
    "ModernBert": WIDE,
    "Deberta": WIDE,
    "Longformer": WIDE,
    "BigBird": WIDE,
}
"""Heads are 32 wide, as FlexAttention and FlashAttention need at least 16, and multiples of 8."""
DOCUMENTS = [Document.from_text(text) for text in (" ".join(CORPUS[:2]) * 9, CORPUS[0], "Rent.", CORPUS[1] * 3)]


def make(family="Bert"):
    torch.manual_seed(0)
    config = config_of(family, **FAMILIES[family], initializer_range=0.2)
    return Model(AutoModel.from_config(config), make_tokenizer(), CONFIG).eval()


def pipeline_of(model, device, precision="float32", **options):
    return Pipeline(copy.deepcopy(model), device=device, precision=precision, **options)


def scores_of(pipeline, documents=DOCUMENTS):
    readings = [each for document in documents for each in pipeline.engine.read(document, ["contract"])]
    return [by_head["contract"].merged() for by_head in pipeline.readers[0].score(readings)]


def assert_near(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


def cosine(one, other):
    return F.cosine_similarity(one.flatten().float(), other.flatten().float(), dim=0).item()


# --------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_in_float32_are_those_of_a_cpu(family, encoder):
    if encoder == "sparse" and family in DENSE:
        pytest.skip(f"the attention of {family} cannot be made sparse")
    model = make(family)
    expected = scores_of(pipeline_of(model, CPU, encoder=encoder))
    assert_near(scores_of(pipeline_of(model, GPU, encoder=encoder)), expected, 1e-3)


@pytest.mark.parametrize("family", ["Bert", "Roberta"])
@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_scores_in_bfloat16_are_near_those_in_float32(family, encoder):
    model = make(family)
    pipeline = pipeline_of(model, GPU, "bfloat16", encoder=encoder)
    is_packed = isinstance(pipeline.readers[0].scorer.encoder, PackedEncoder)
    assert is_packed == (family == "Bert" and encoder == "windows" and HAS_FLASH)
    found, expected = scores_of(pipeline), scores_of(pipeline_of(model, CPU, encoder=encoder))
    assert_near(found, expected, 0.2)
    assert np.mean([np.abs(one - other).mean() for one, other in zip(found, expected, strict=True)]) < 0.02


@pytest.mark.skipif(not HAS_FLASH, reason="FlashAttention")
@pytest.mark.parametrize("lengths", [[1], [64, 64], [7, 1, 0, 512, 33, 128], [1, 0]])
@pytest.mark.parametrize("width", [8, 32, 64, 256])
def test_attention_in_windows_of_all_lengths_is_that_in_each(lengths, width):
    parts = torch.randn(sum(lengths), 3, 2, width, dtype=torch.bfloat16, device=GPU)
    windows = Windows.of(lengths, GPU)
    found, expected = attend_at_once(parts, windows), attend_each(parts.float(), windows)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0)


def test_unpadded_rows_have_the_states_of_padded_rows():
    scorer = TorchScorer(make(), device=GPU, precision="bfloat16")
    lengths = [30, 30, 12, 1]
    batch = scorer.model.encoder.batch([np.arange(5, 5 + length) for length in lengths])
    inputs = {name: tensor.to(GPU) for name, tensor in batch.inputs.items()}
    with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
        padded, unpadded = scorer.model.encoder(**inputs), scorer.encoder(**inputs)
    assert not unpadded[~inputs["attention_mask"]].any()
    assert cosine(unpadded[inputs["attention_mask"]], padded[inputs["attention_mask"]]) > 0.999


def test_beginning_a_batch_waits_for_nothing():
    scorer = TorchScorer(make(), device=GPU, precision="bfloat16")
    rows = np.random.default_rng(0).integers(5, 300, (8, 32))
    mask = np.arange(32) < np.array([32, 32, 30, 20, 9, 9, 3, 3])[:, None]
    inputs = {"input_ids": rows, "attention_mask": mask}
    expected = scorer.scores(inputs, ["contract"], 32)()["contract"]
    torch.cuda.set_sync_debug_mode("error")
    try:
        waiting = [scorer.scores(inputs, ["contract"], 32) for _ in range(3)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for wait in waiting:
        found = wait()["contract"]
        np.testing.assert_array_equal(found, expected)
        assert found.flags.owndata, "not a view of page-locked memory"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_many_batches_in_flight_come_in_their_order(precision):
    model = make()
    many, one = (pipeline_of(model, GPU, precision, batch_tokens=count) for count in (64, 2**16))
    assert_near(scores_of(many, DOCUMENTS * 3), scores_of(one, DOCUMENTS * 3), 1e-3 if precision == "float32" else 0.1)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_find_what_one_finds():
    model = make()
    two = pipeline_of(model, "cuda:0,1", batch_tokens=64)
    assert two.readers[0].scorer.others[0].device == torch.device("cuda:1")
    assert_near(scores_of(two), scores_of(pipeline_of(model, GPU, batch_tokens=64)), 1e-3)


def test_int8_is_told_to_be_for_cpus():
    with pytest.warns(PrecisionWarning, match="the device is 'cuda:0'"):
        pipeline = pipeline_of(make(), GPU, "int8")
    assert_near(scores_of(pipeline), scores_of(pipeline_of(make(), GPU, "auto")), 1e-6)


def test_a_pickled_pipeline_is_on_its_device():
    pipeline = pipeline_of(make(), GPU)
    again = pickle.loads(pickle.dumps(pipeline))
    assert next(again.model.parameters()).device == GPU
    assert_near(scores_of(again), scores_of(pipeline), 1e-6)


# ----------------------------------------------------------------------------------------------- sparse attention

PATTERNS = {
    "window": SparsePattern(window=100),
    "documents": SparsePattern(window=64, global_tokens=(0, 3)),
    "big_bird": SparsePattern(
        window=64, block=64, block_aligned=True, global_blocks=(0, -1), global_tokens=(), random_blocks=2
    ),
}


@pytest.mark.parametrize("kind", PATTERNS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-3), (torch.bfloat16, 0.05)], ids=["32", "16"])
def test_flex_equals_blocked_with_its_gradients(kind, dtype, tolerance):
    n_tokens = 700
    seen = (torch.arange(n_tokens) < torch.tensor([n_tokens, 450])[:, None]).to(GPU)
    chosen, documents = torch.zeros_like(seen), torch.zeros(2, n_tokens, dtype=torch.int64, device=GPU)
    chosen[0, 5] = True
    if kind == "documents":
        documents = torch.arange(n_tokens, device=GPU).expand(2, -1) // 300
    rows = Rows.of(torch.empty(2, n_tokens, device=GPU), seen, chosen, documents)
    drawn = [torch.randn(2, 2, n_tokens, 32, device=GPU) for _ in range(4)]
    direction = drawn.pop().transpose(1, 2) * seen[:, :, None, None]
    results = []
    for attend in (flex_sparse_attention, blocked_attention):
        tensors = [tensor.to(dtype).requires_grad_() for tensor in drawn]
        out = attend(*tensors, rows, PATTERNS[kind], layer=1, scale=32**-0.5)
        gradients = torch.autograd.grad(out, tensors, direction.to(dtype))
        results.append([out[seen], *gradients])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=tolerance, rtol=0.02)


# ------------------------------------------------------------------------------------------------------- training


def gradients(model, batch, device, dtype):
    """The loss, and the gradients of all weights, on the CPU."""
    learner = Learner(copy.deepcopy(model)).to(device).train()
    for module in learner.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    inputs = {name: value for name, value in batch.items() if name != "documents"}
    with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
        loss = learner(**to_device(inputs, device))["loss"]
    loss.backward()
    return loss.item(), {name: p.grad.cpu() for name, p in learner.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["32", "16"])
@pytest.mark.usefixtures("corpus")
def test_a_training_step_has_the_gradients_of_a_cpu(encoder, dtype):
    model = make()
    batch = training_batches([make_task(encoder=encoder)], model, 256, 1)[0]
    loss, found = gradients(model, batch, GPU, dtype)
    wanted, expected = gradients(model, batch, CPU, torch.float32)
    assert loss == pytest.approx(wanted, rel=1e-3 if dtype == torch.float32 else 0.1)
    assert found.keys() == expected.keys() and len(found) > 20
    assert all(gradient.isfinite().all() for gradient in found.values())
    together = [torch.cat([each[name].flatten() for name in expected]) for each in (found, expected)]
    assert cosine(*together) > (0.9999 if dtype == torch.float32 else 0.98)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_was_killed_goes_on_and_learns(corpus, precision, monkeypatch):
    settings = {"tasks": [task(passes=2)], "save_every": 20, "log_every": 4, "precision": precision}
    path = config_file(corpus, **settings)
    train_until_killed(path, monkeypatch, step=40)
    folder = train(path)
    log = [entry for entry in json.loads((corpus / "run" / "log.json").read_text()) if "loss" in entry]
    steps, losses = ([float(entry[name]) for entry in log] for name in ("step", "loss"))
    assert steps == sorted(set(steps)) and losses[-1] < 0.7 * losses[0]
    model = Model.from_pretrained(folder)
    assert_near(scores_of(pipeline_of(model, GPU)), scores_of(pipeline_of(model, CPU)), 1e-3)
