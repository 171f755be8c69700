"""Encoders with packed weights against those that they are made of."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, BertConfig, BertModel, DistilBertConfig

from longdoc import Pipeline
from longdoc.bert import Bert
from longdoc.compute import TorchScorer
from longdoc.document import Document
from longdoc.encoders import Encoder, SparseEncoder, with_pattern
from longdoc.inputs import rounded
from longdoc.model import Model
from longdoc.packed import (
    JoinedLinear,
    PackedBert,
    PackedLinear,
    attend_at_once,
    attend_each,
    can_pack,
    pack_for_cpu,
    pack_for_gpu,
    places_of,
)

DTYPES = [torch.float32, torch.bfloat16]
CPU = torch.device("cpu")


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    if not can_pack(CPU, request.param):
        pytest.skip(f"this processor does not compute with packed weights in {request.param}")
    return request.param


def windows(model, sizes):
    return model.encoder.batch([np.arange(5, 5 + size) for size in sizes])


@pytest.mark.parametrize("sizes", [[15, 7], [20], [1], [30, 1, 1, 29]])
def test_packed_bert_gives_the_states_of_bert(model, sizes, dtype):
    packed, inputs = pack_for_cpu(model.encoder, dtype), windows(model, sizes).inputs
    inputs["token_type_ids"] = torch.arange(inputs["input_ids"].shape[1]).expand_as(inputs["input_ids"]) % 2
    mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"], dtype=torch.bool))
    with torch.inference_mode():
        found, expected = packed(**inputs), model.encoder(**inputs)
    tolerance = 5e-5 if dtype == torch.float32 else 0.1
    torch.testing.assert_close(found[mask], expected[mask], atol=tolerance, rtol=0)
    assert not found[~mask].any()


def test_packing_shares_what_it_does_not_pack_and_leaves_the_model_as_it_is(model, tmp_path):
    model.save(tmp_path)
    own = Model.from_pretrained(tmp_path, only_windows=True).encoder
    pooling = Encoder(BertModel(model.encoder.backbone.config).eval(), model.encoder.template)
    assert isinstance(own.backbone, Bert)
    for encoder in (own, model.encoder, pooling):  # longdoc's, and two of transformers
        packed, inputs = pack_for_cpu(encoder), {"input_ids": torch.arange(5, 25)[None]}
        assert isinstance(packed.backbone, PackedBert) and not isinstance(encoder.backbone, PackedBert)
        assert torch.nn.Linear not in {type(module) for module in packed.modules()}, "every linear layer is packed"
        theirs = {parameter.data_ptr() for parameter in encoder.parameters()}
        assert {parameter.data_ptr() for parameter in packed.parameters()} <= theirs
        with torch.inference_mode():
            torch.testing.assert_close(packed(**inputs), encoder(**inputs), atol=5e-5, rtol=0)


def test_the_states_of_a_window_do_not_depend_on_the_others_of_its_batch(model, dtype):
    packed, sizes = pack_for_cpu(model.encoder, dtype), [40, 33, 17, 2]
    together = windows(model, sizes)
    with torch.inference_mode():
        states = together.content(packed(**together.inputs).numpy())
        for size, found in zip(sizes, states, strict=True):
            alone = windows(model, [size])
            (expected,) = alone.content(packed(**alone.inputs).numpy())
            assert np.array_equal(found, expected), size


def attend_by_starts(query, key, value, starts, starts_of_keys, longest, longest_of_keys):
    """What ``varlen_attn`` computes, of ``(N, H, D)``, and what it asks for."""
    assert starts.dtype == torch.int32 and starts is starts_of_keys and starts.is_contiguous()
    bounds = starts.tolist()
    assert bounds[0] == 0 and bounds[-1] == len(query) == len(key) == len(value)
    assert max(end - start for start, end in itertools.pairwise(bounds)) == longest == longest_of_keys
    out = torch.empty_like(query)
    for start, end in itertools.pairwise(bounds):
        scores = torch.einsum("qhd,khd->hqk", query[start:end], key[start:end]) * query.shape[-1] ** -0.5
        out[start:end] = torch.einsum("hqk,khd->qhd", scores.softmax(dim=-1), value[start:end])
    return out


@pytest.mark.parametrize("attend", [attend_each, attend_at_once])
@pytest.mark.parametrize("lengths", [[1], [9, 9, 9], [12, 5, 1, 1], [7, 0, 3], [0], None])
def test_unpadded_rows_have_the_states_of_padded_rows(model, attend, lengths, monkeypatch):
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", attend_by_starts)
    lengths = np.random.default_rng(0).integers(1, 60, 30).tolist() if lengths is None else lengths
    unpadded = pack_for_gpu(model.encoder, torch.float32, attend)
    assert not unpadded.computes_padding and JoinedLinear in {type(module) for module in unpadded.modules()}
    n_columns = max(*lengths, 2)
    ids = torch.randint(5, 300, (len(lengths), n_columns))
    types, mask = ids % 2, torch.arange(n_columns) < torch.tensor(lengths)[:, None]
    with torch.inference_mode():
        found = unpadded(ids, mask, types, lengths=lengths)
        assert torch.equal(found, unpadded(ids, mask, types))
        for row, length in enumerate(lengths):
            assert not found[row, length:].any()
            if length:
                (expected,) = model.encoder(ids[row : row + 1, :length], None, types[row : row + 1, :length])
                torch.testing.assert_close(found[row, :length], expected, atol=5e-5, rtol=0)


def test_what_a_gpu_cannot_unpad_is_left_as_it_is(model):
    config = DistilBertConfig(vocab_size=300, dim=16, n_heads=2, n_layers=1, hidden_dim=32)
    narrow = BertConfig(vocab_size=300, hidden_size=12, num_attention_heads=2, num_hidden_layers=1)
    for backbone in (AutoModel.from_config(config), BertModel(narrow)):  # of the second, heads are 6 wide
        encoder = Encoder(backbone.eval(), model.encoder.template)
        assert pack_for_gpu(encoder, torch.bfloat16) is encoder


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(9, 12))
def test_places_are_those_of_the_mask(lengths, n_columns):
    mask = np.arange(n_columns) < np.array(lengths)[:, None]
    assert places_of(lengths, n_columns).tolist() == np.flatnonzero(mask).tolist()


def test_batches_of_all_sizes_have_few_lengths():
    lengths = [rounded(count) for count in range(1, 2049)]
    assert all(0 <= length - count <= max(15, count / 16) for count, length in enumerate(lengths, 1))
    assert len(set(lengths)) == 64


def test_of_other_encoders_the_linear_layers_are_packed_in_float32(model):
    config = DistilBertConfig(vocab_size=300, dim=16, n_heads=2, n_layers=1, hidden_dim=32)
    other = Encoder(AutoModel.from_config(config).eval(), model.encoder.template)
    pattern = model.config.sparse_pattern(64)
    sparse, converted = SparseEncoder.of(model.encoder, pattern, 64), with_pattern(model.encoder, pattern)
    for encoder in (other, sparse, converted):
        packed, inputs = pack_for_cpu(encoder), {"input_ids": torch.arange(5, 25)[None]}
        kinds = {type(module) for module in packed.modules()}
        assert PackedLinear in kinds and torch.nn.Linear not in kinds
        assert torch.nn.Linear in {type(module) for module in pack_for_cpu(encoder, torch.bfloat16).modules()}
        with torch.inference_mode():
            torch.testing.assert_close(packed(**inputs), encoder(**inputs), atol=5e-5, rtol=0)


def test_a_document_has_the_same_scores_alone_and_among_others(model, dtype):
    pipeline = Pipeline(model, device=CPU, precision=str(dtype).removeprefix("torch."))
    texts = ["Acme Incorporated pays Zenith LLC. " * count for count in (1, 2, 9, 40, 3)]
    documents = [Document.from_text(text) for text in texts]
    together = list(pipeline.pipe(documents))
    assert [list(found.entities) for found in together] == [list(pipeline(each).entities) for each in documents]


def test_heads_score_in_float32(model):
    scorer, given = TorchScorer(model, device=CPU, precision="bfloat16"), windows(model, [9, 20]).inputs
    with torch.inference_mode():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = scorer.encoder(**given).float()
        expected = model.heads["contract"].scores(states).numpy()
    found = scorer.scores({name: tensor.numpy() for name, tensor in given.items()}, ["contract"], period=0)()
    mask = given["attention_mask"].numpy()
    np.testing.assert_array_equal(found["contract"][mask], expected[mask])
