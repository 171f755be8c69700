import copy
import pickle

import pytest
import torch
import transformers as tf
from torch.export import Dim

from longdoc.attention import Rows, SparsePattern, big_bird, interface, sparsify
from longdoc.attention.backends import Sparse
from longdoc.attention.blocked import blocked_attention
from longdoc.attention.positions import first_position, n_positions, repeated_positions
from longdoc.config import from_dict
from longdoc.errors import ConfigError

SIZES = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 320,
    "initializer_range": 0.2,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}
PAD, SEP = 1, 3
DISTILBERT = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "dropout": 0.0, "attention_dropout": 0.0}
# The architecture, and what its configuration needs besides the sizes.
FAMILIES = {
    "bert": ("Bert", {}),
    "roberta": ("Roberta", {}),
    "xlm-roberta": ("XLMRoberta", {}),
    "camembert": ("Camembert", {}),
    "distilbert": ("DistilBert", DISTILBERT),
    "albert": ("Albert", {"embedding_size": 16}),
    "electra": ("Electra", {}),
    "modernbert": ("ModernBert", {"local_attention": 32, "global_attn_every_n_layers": 3}),
}
OWN = {
    "longformer": ("Longformer", {"attention_window": [32, 64, 32]}),
    "big_bird": ("BigBird", {"block_size": 8, "num_random_blocks": 3, "attention_type": "block_sparse"}),
}
ALL = {**FAMILIES, **OWN}
LEARNED = [family for family in ALL if family != "modernbert"]  # those with a position table
HEADS = ["ForMaskedLM", "ForTokenClassification", "ForSequenceClassification", "ForQuestionAnswering"]
NARROW = SparsePattern(window=20, global_tokens=(0,))
WIDE = SparsePattern(window=400, global_tokens=())


def build(family, head="Model", **settings):
    """A model with random weights, ready to evaluate."""
    name, extra = ALL[family]
    torch.manual_seed(0)
    config = getattr(tf, f"{name}Config")(**{**SIZES, **extra, **settings})
    model = getattr(tf, f"{name}{head}")(config).eval()
    return model


def pattern_for(family):
    """A narrow pattern; none for the models that have their own."""
    return None if family in OWN else NARROW


def batch(n_tokens=300, stops=(300, 177), *, vocabulary=99):
    """Token ids and the mask, as the model is called with them."""
    torch.manual_seed(1)
    mask = torch.arange(n_tokens) < torch.tensor(stops)[:, None]
    ids = torch.randint(5, vocabulary, mask.shape)
    return {"input_ids": ids.where(mask, PAD), "attention_mask": mask.long()}


def sparse_layers(model):
    """How each attention module attends, first layer first."""
    return [m.sparse for m in model.modules() if isinstance(getattr(m, "sparse", None), Sparse)]


def states(model, **call):
    with torch.no_grad():
        return model(**call).last_hidden_state


def outputs(model, **call):
    """All tensors that a model returns."""
    with torch.no_grad():
        return model(**call).to_tuple()


def assert_same(found, expected, mask=None, tolerance=1e-5):
    """All tensors are alike, except at padding."""
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        by_token = mask is not None and one.ndim > 1 and one.shape[1] == mask.shape[1]
        seen = mask.bool() if by_token else ...
        torch.testing.assert_close(one[seen], other[seen], atol=tolerance, rtol=1e-5)


def differ(one, other, mask):
    return (one - other)[mask.bool()].abs().max().item() > 1e-3


def gradients(model, **call):
    """The output and the gradient of every parameter that took part."""
    model.zero_grad()
    out = model(**call).last_hidden_state
    weights = torch.linspace(-1, 1, out.numel()).view_as(out)
    (out * weights).sum().backward()
    return [out.detach(), *(p.grad.clone() for _, p in sorted(model.named_parameters()) if p.grad is not None)]


# ------------------------------------------------------------------------------------------- models without a pattern


@pytest.mark.parametrize(
    ("family", "head"),
    [
        *((family, "ForTokenClassification") for family in FAMILIES),
        *(("bert", head) for head in HEADS if head != "ForTokenClassification"),
    ],
)
def test_a_window_as_long_as_the_text_changes_nothing(family, head):
    call, model = batch(), build(family, head)
    expected = outputs(model, **call)
    assert sparsify(model, WIDE) is model
    assert_same(outputs(model, **call), expected, call["attention_mask"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_narrow_window_with_further_global_tokens_equals_the_eager_back_end(family):
    call, model = batch(), build(family)
    mask, dense = call["attention_mask"], states(model, **call)
    chosen = torch.zeros(2, 300, dtype=torch.bool)
    chosen[:, 50], chosen[1, 176:180] = True, True
    found = states(sparsify(model, NARROW, backend="blocked"), **call, global_mask=chosen)
    without = states(model, **call)
    expected = states(sparsify(model, NARROW, backend="eager"), **call, global_mask=chosen)
    assert_same([found], [expected], mask)
    assert differ(found, dense, mask) and differ(found, without, mask), "window and global tokens must matter"


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_of_a_model_equal_those_of_the_eager_back_end(family):
    call, model = batch(150, (150, 77)), build(family)
    chosen = torch.arange(150).expand(2, -1) == 60
    found = gradients(sparsify(model, NARROW), **call, global_mask=chosen)
    expected = gradients(sparsify(model, NARROW, backend="eager"), **call, global_mask=chosen)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4 * max(1, other.abs().max().item()), rtol=1e-4)


def test_local_layers_of_modernbert_keep_their_window():
    model = sparsify(build("modernbert"), NARROW)
    layers = sparse_layers(model)
    assert [(s.layer, s.pattern.window, s.own) for s in layers] == [(0, 20, False), (1, 16, True), (2, 16, True)]
    assert layers[0].pattern == NARROW and layers[1].pattern.global_tokens == ()
    # A local layer reaches 16 tokens to each side, so that two of them and a global layer of 20 reach 52.
    sparsify(model, SparsePattern(window=20, global_tokens=()))
    assert reached(model) == {*range(48, 153)}
    # In a local layer, a global token reaches only its neighbours.
    assert reached(model, global_mask=torch.arange(200)[None] == 7) == {*range(48, 153), *range(7 + 32 + 1)}


def test_a_window_for_each_layer_reaches_as_far_as_their_sum():
    model = sparsify(build("bert"), SparsePattern(window=(3, 20, 7), global_tokens=()))
    assert reached(model) == {*range(70, 131)}


def reached(model, **options):
    """Positions whose states change with token 100 of 200."""
    call = batch(200, (200,))
    moved = {**call, "input_ids": call["input_ids"].clone()}
    moved["input_ids"][0, 100] += 1
    difference = states(model, **call, **options) - states(model, **moved, **options)
    return set(difference.abs().amax(-1)[0].nonzero()[:, 0].tolist())


@pytest.mark.parametrize("family", ALL)
def test_states_do_not_depend_on_padding(family):
    pattern = big_bird.pattern_of(build(family).config) if family == "big_bird" else NARROW
    if family == "big_bird":  # random blocks depend on the number of blocks
        pattern = SparsePattern(window=8, block=8, block_aligned=True, global_tokens=(), global_blocks=(0, -1))
    model = sparsify(build(family), pattern)
    padded = batch(300, (300, 177))
    alone = {"input_ids": padded["input_ids"][1:, :177], "attention_mask": padded["attention_mask"][1:, :177]}
    assert_same([states(model, **padded)[1, :177]], [states(model, **alone)[0]])
    del alone["attention_mask"]
    assert_same([states(model, **padded)[1, :177]], [states(model, **alone)[0]])


@pytest.mark.parametrize("family", ["bert", "longformer", "big_bird"])
def test_padding_masks_may_be_booleans_or_floats_and_positional(family):
    model = sparsify(build(family), pattern_for(family))
    call = batch()
    expected = states(model, **call)
    for mask in (call["attention_mask"].bool(), call["attention_mask"].float()):
        assert torch.equal(states(model, input_ids=call["input_ids"], attention_mask=mask), expected)
        with torch.no_grad():
            assert torch.equal(model(call["input_ids"], mask).last_hidden_state, expected)


@pytest.mark.parametrize("family", ALL)
def test_embeddings_are_accepted_instead_of_tokens(family):
    model = sparsify(build(family), pattern_for(family))
    call = batch(100, (100, 100))
    embedded = model.get_input_embeddings()(call["input_ids"]).detach()
    found = states(model, inputs_embeds=embedded, attention_mask=call["attention_mask"])
    assert_same([found], [states(model, **call)])


# ---------------------------------------------------------------------------------------------------------- Longformer

LONGFORMER_HEADS = ["Model", *HEADS]


def longformer_batch():
    """Rows with three separators, as the question answering head needs them."""
    call = batch()
    call["input_ids"][:, [9, 10, 50]] = SEP
    return call


@pytest.mark.parametrize(
    ("head", "chosen"), [("Model", None), ("Model", ()), *((head, (0, 5, 250)) for head in LONGFORMER_HEADS)]
)
def test_longformer_gives_the_outputs_of_transformers(head, chosen):
    call, model = longformer_batch(), build("longformer", head)
    if chosen is not None:
        call["global_attention_mask"] = torch.zeros_like(call["input_ids"])
        call["global_attention_mask"][:, list(chosen)] = 1
    expected = outputs(model, **call)
    assert_same(outputs(sparsify(model), **call), expected, call["attention_mask"])


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("family", ["bert", "longformer"])
def test_choices_have_one_more_dimension(family, with_mask):
    model = build(family, "ForMultipleChoice")
    ids = longformer_batch()["input_ids"][:, :150].reshape(1, 2, 150)
    call = {"input_ids": ids, **({"attention_mask": torch.ones_like(ids)} if with_mask else {})}
    expected = outputs(model, **call)
    assert_same(outputs(sparsify(model, None if family in OWN else WIDE), **call), expected)


def test_longformer_takes_the_older_mask_with_twos_for_global_tokens():
    call, model = longformer_batch(), build("longformer")
    call["attention_mask"][:, [0, 7]] = 2
    expected = outputs(model, **call)
    found = outputs(sparsify(model), **call)
    assert_same(found, expected, call["attention_mask"])
    call["attention_mask"][:, [0, 7]] = 1
    assert differ(found[0], states(model, **call), call["attention_mask"])


@pytest.mark.parametrize("head", ["Model", "ForTokenClassification"])
def test_longformer_returns_hidden_states_and_tuples_as_transformers_does(head):
    call, model = longformer_batch(), build("longformer", head)
    call["global_attention_mask"] = (call["input_ids"] == SEP).long()
    mask = call["attention_mask"]
    with torch.no_grad():
        expected = model(**call, output_hidden_states=True)
        expected_tuple = model(**call, output_hidden_states=True, return_dict=False)
        sparsify(model)
        found = model(**call, output_hidden_states=True)
        found_tuple = model(**call, output_hidden_states=True, return_dict=False)
        short_tuple = model(**call, return_dict=False)
    assert found.keys() == expected.keys()
    assert_same(found.hidden_states, expected.hidden_states, mask)
    assert len(found_tuple) == len(expected_tuple) == len(short_tuple) + 1
    assert_same(found_tuple[:-1], expected_tuple[:-1], mask)
    assert_same(found_tuple[-1], expected_tuple[-1], mask)


def test_longformer_has_the_gradients_of_transformers():
    call, model = longformer_batch(), build("longformer")
    call["global_attention_mask"] = torch.zeros_like(call["input_ids"])
    call["global_attention_mask"][0, [0, 20]] = 1
    out = model(**call).last_hidden_state[call["attention_mask"].bool()]
    weights = torch.linspace(-1, 1, out.numel()).view_as(out)
    (out * weights).sum().backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    (sparsify(model)(**call).last_hidden_state[call["attention_mask"].bool()] * weights).sum().backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert found.keys() == expected.keys() and any("query_global" in name for name in found)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-4 * max(1, expected[name].abs().max()), rtol=1e-3)


@pytest.mark.parametrize("head", LONGFORMER_HEADS)
def test_global_mask_means_the_same_to_longformer_as_its_own_argument(head):
    call, model = longformer_batch(), sparsify(build("longformer", head))
    chosen = torch.zeros_like(call["input_ids"], dtype=torch.bool)
    chosen[:, [0, 100, 170]] = True
    expected = outputs(model, **call, global_attention_mask=chosen.long())
    none = torch.zeros_like(call["input_ids"])
    found = outputs(model, **call, global_attention_mask=none, global_mask=chosen)
    assert_same(found, expected, call["attention_mask"])


@pytest.mark.parametrize("head", LONGFORMER_HEADS[1:])
def test_a_head_of_longformer_refuses_what_transformers_would_not_pass_on(head):
    call, model = longformer_batch(), sparsify(build("longformer", head))
    with pytest.raises(ConfigError, match=r"model.longformer\(...\), then the head"):
        model(**call, document_ids=torch.zeros_like(call["input_ids"]))


def test_longformer_with_a_given_pattern_equals_the_eager_back_end():
    call, model = longformer_batch(), build("longformer")
    pattern = SparsePattern(window=9, global_tokens=(0, 4), global_blocks=(-1,), block=4)
    found = states(sparsify(model, pattern), **call)
    assert from_dict(SparsePattern, model.config.sparse_attention) == pattern
    assert_same([found], [states(sparsify(model, backend="eager"), **call)], call["attention_mask"])
    local = states(sparsify(model, SparsePattern(window=9, global_tokens=())), **call)
    assert differ(found, local, call["attention_mask"])


# ------------------------------------------------------------------------------------------------------------- BigBird

BIG_BIRD_HEADS = ["Model", *HEADS, "ForPreTraining"]


def as_transformers(model):
    return sparsify(model, big_bird.pattern_of(model.config, as_transformers=True))


@pytest.mark.parametrize(
    ("head", "n_tokens"), [*((head, 300) for head in BIG_BIRD_HEADS), *(("Model", n) for n in (296, 89, 88, 30))]
)
def test_bigbird_gives_the_outputs_of_transformers(head, n_tokens):
    call, model = batch(n_tokens, (n_tokens, n_tokens // 2)), build("big_bird", head)
    if head == "ForQuestionAnswering":
        call["question_lengths"] = torch.tensor([[5], [7]])
    expected = outputs(copy.deepcopy(model), **call)
    assert_same(outputs(as_transformers(model), **call), expected, call["attention_mask"])


def test_a_short_row_does_not_make_bigbird_dense_for_good():
    long, short = batch(), batch(40, (40, 40))
    original = build("big_bird")
    model, paper = as_transformers(copy.deepcopy(original)), sparsify(copy.deepcopy(original))
    before, paper_before, original_before = (states(m, **long) for m in (model, paper, original))
    for m in (model, paper, original):
        states(m, **short)
    assert differ(states(original, **long), original_before, long["attention_mask"]), "transformers has been mended"
    assert torch.equal(states(model, **long), before)
    assert torch.equal(states(paper, **long), paper_before)


def test_a_bigbird_that_was_set_up_as_dense_becomes_sparse():
    call = batch()
    found = states(sparsify(build("big_bird", attention_type="original_full")), **call)
    assert_same([found], [states(sparsify(build("big_bird")), **call)])


def test_bigbird_has_the_same_pattern_in_training_and_inference():
    call, model = batch(), sparsify(build("big_bird"))
    assert model.config.sparse_attention["random_blocks"] == 3
    expected = states(model, **call)
    assert torch.equal(states(model.train(), **call), expected)
    with torch.enable_grad():
        assert_same([model(**call).last_hidden_state.detach()], [expected], tolerance=1e-6)
    assert differ(states(as_transformers(model.eval()), **call), expected, call["attention_mask"])


def test_bigbird_of_the_paper_equals_the_eager_back_end():
    call, model = batch(), build("big_bird")
    found = states(sparsify(model), **call)
    assert_same([found], [states(sparsify(model, backend="eager"), **call)], call["attention_mask"])
    no_draw = SparsePattern(window=8, block=8, block_aligned=True, global_tokens=(), global_blocks=(0, -1))
    assert differ(found, states(sparsify(model, no_draw), **call), call["attention_mask"]), "random blocks must matter"


def test_padding_within_the_last_block_does_not_change_bigbird():
    model = sparsify(build("big_bird"))
    short, long = batch(290, (290,)), batch(296, (290,))
    long["input_ids"][:, :290] = short["input_ids"]
    assert_same([states(model, **long)[:, :290]], [states(model, **short)])


# ---------------------------------------------------------------------------------------------------- packed documents


@pytest.mark.parametrize("family", ALL)
def test_documents_packed_into_a_row_are_read_as_if_alone(family):
    lengths = [48, 1, 64, 137]
    pattern = NARROW
    if family == "big_bird":  # its windows are whole blocks: documents must start with one
        lengths = [48, 8, 64, 137]
        pattern = SparsePattern(window=8, block=8, block_aligned=True, global_tokens=(), global_blocks=(0, -1))
    model = sparsify(build(family), pattern)
    n_tokens = sum(lengths)
    ids = batch(n_tokens + 13, (n_tokens,))["input_ids"]
    alone = [states(model, input_ids=part) for part in ids[:, :n_tokens].split(lengths, dim=1)]
    # Padding at the end goes with the last document.
    numbers = torch.arange(4).repeat_interleave(torch.tensor([*lengths[:-1], lengths[-1] + 13]))
    offset = first_position(model) if family in LEARNED else 0
    call = {
        "input_ids": ids,
        "attention_mask": (torch.arange(n_tokens + 13) < n_tokens)[None].long(),
        "document_ids": numbers[None],
        "position_ids": torch.cat([torch.arange(int(n)) for n in numbers.bincount()])[None] + offset,
    }
    packed = states(model, **call)[:, :n_tokens].split(lengths, dim=1)
    assert_same(packed, alone)
    del call["document_ids"]
    assert differ(states(model, **call)[:, :48], alone[0], torch.ones(1, 48)), "the documents must be near each other"


# ------------------------------------------------------------------------------------------------------------ training


@pytest.mark.parametrize(
    ("family", "use_reentrant"),
    [("bert", True), *((f, False) for f in ("bert", "distilbert", "modernbert", "longformer", "big_bird"))],
)
def test_gradient_checkpointing_changes_no_gradient(family, use_reentrant):
    call, model = batch(150, (150, 77)), sparsify(build(family), pattern_for(family)).train()
    call["global_mask"] = torch.arange(150).expand(2, -1) == 40
    expected = gradients(model, **call)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": use_reentrant})
    assert_same(gradients(model, **call), expected, tolerance=1e-6)


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("family", ["bert", "distilbert", "longformer"])
def test_checkpointing_repeats_the_dropout_when_it_recomputes(family, use_reentrant, monkeypatch):
    # The first pass takes no gradients, as in inference; its dropout must be that of the second pass.
    monkeypatch.setattr(interface, "PIECE", 16)
    rates = {"dropout": 0.2} if family == "distilbert" else {"hidden_dropout_prob": 0.2}
    rates["attention_dropout" if family == "distilbert" else "attention_probs_dropout_prob"] = 0.2
    call, model = batch(150, (150, 150)), sparsify(build(family, **rates), pattern_for(family)).train()
    torch.manual_seed(5)
    expected = gradients(model, **call)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": use_reentrant})
    torch.manual_seed(5)
    assert_same(gradients(model, **call), expected, tolerance=1e-5)


@pytest.mark.parametrize("family", ["bert", "longformer"])
def test_a_model_trains_with_dropout_and_predicts_without(family):
    call, model = batch(100, (100, 60)), sparsify(build(family, attention_probs_dropout_prob=0.3), NARROW)
    expected = states(sparsify(build(family), NARROW), **call)
    assert torch.equal(states(model, **call), expected)
    model.train()
    assert differ(states(model, **call), expected, call["attention_mask"])
    assert torch.equal(states(model.eval(), **call), expected)


# ----------------------------------------------------------------------------------------------- saving, copying, twice


@pytest.mark.parametrize("family", ALL)
def test_a_sparse_model_keeps_its_parameters_and_their_names(family):
    model = build(family)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    after = sparsify(model, pattern_for(family)).state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("family", ALL)
def test_a_saved_model_knows_its_pattern(family, tmp_path):
    call = batch(400, (400, 177))
    pattern = SparsePattern(window=(8, 16, 24), block=8, global_tokens=(0, 3), random_blocks=1, seed=4)
    model = sparsify(build(family), pattern, max_tokens=512)
    expected = states(model, **call)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert not sparse_layers(again)
    assert torch.equal(states(sparsify(again), **call), expected)
    assert {layer.pattern for layer in sparse_layers(again) if not layer.own} == {pattern}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("family", ALL)
def test_a_copy_is_independent(family, copied, monkeypatch):
    monkeypatch.setattr(interface, "PIECE", 16)  # the layers that run in pieces are bound to their modules
    call, model = batch(120, (120, 77)), sparsify(build(family), pattern_for(family))
    expected = states(model, **call)
    other = copied(model)
    assert torch.equal(states(other, **call), expected)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(states(other, **call), expected)
    sparsify(other, SparsePattern(window=2))
    assert all(layer.pattern.window != 2 for layer in sparse_layers(model))
    with pytest.raises(ConfigError, match="output_attentions"):
        other(**call, output_attentions=True)


@pytest.mark.parametrize("family", ALL)
def test_sparsify_again_replaces_the_pattern(family):
    call = batch(150, (150, 77))
    once = sparsify(build(family), SparsePattern(window=5, global_tokens=(0,)))
    twice = sparsify(sparsify(build(family), NARROW), SparsePattern(window=5, global_tokens=(0,)))
    assert torch.equal(states(twice, **call), states(once, **call))
    assert twice.config.sparse_attention["window"] == 5
    assert len(twice._forward_pre_hooks) == 1


# ------------------------------------------------------------------------------------------------- long rows in pieces


@pytest.mark.parametrize("family", ["bert", "albert", "distilbert", "longformer", "big_bird"])
def test_long_rows_run_in_pieces_where_no_gradient_is_taken(family, monkeypatch):
    call, model = batch(150, (150, 77)), sparsify(build(family), pattern_for(family))
    expected = model(**call, output_hidden_states=True)
    widths = []
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module.out_features == SIZES["intermediate_size"]:
            module.register_forward_hook(lambda _, args, out: widths.append(args[0].shape[1]))
    whole = states(model, **call)
    assert set(widths) == {150}, "a row of less than a piece runs as a whole"
    widths.clear()
    monkeypatch.setattr(interface, "PIECE", 16)
    with torch.no_grad():
        found = model(**call, output_hidden_states=True)
    assert widths == [*[16] * 9, 6] * SIZES["num_hidden_layers"]
    assert_same([found.last_hidden_state, *found.hidden_states], [whole, *expected.hidden_states], tolerance=1e-6)
    widths.clear()
    model(**call)
    assert set(widths) == {150}, "training keeps rows whole"


def test_pieces_keep_the_precision_of_autocast(monkeypatch):
    call, model = batch(100, (100, 60)), sparsify(build("bert"), NARROW)
    with torch.autocast("cpu", torch.bfloat16):
        expected = states(model, **call)
        monkeypatch.setattr(interface, "PIECE", 16)
        found = states(model, **call)
    assert found.dtype == expected.dtype
    assert_same([found], [expected], call["attention_mask"], tolerance=1e-2)


# ------------------------------------------------------------------------------------------------- tables of positions


def tables(model):
    """The position table, and how many of its rows come before a text's first token."""
    module = next(m for m in model.modules() if isinstance(getattr(m, "position_embeddings", None), torch.nn.Embedding))
    return module, module.position_embeddings.weight.detach()


@pytest.mark.parametrize("family", LEARNED)
def test_a_longer_table_repeats_its_rows(family):
    model = build(family)
    before, offset = tables(model)[1].clone(), first_position(model)
    longest = n_positions(model)
    assert offset == (2 if family in ("roberta", "xlm-roberta", "camembert", "longformer") else 0)
    assert longest == 320 - offset
    sparsify(model, pattern_for(family), max_tokens=1000)
    module, after = tables(model)
    assert after.shape == (1000 + offset, before.shape[1]) and n_positions(model) == 1000
    assert torch.equal(after[: len(before)], before), "rows that were there stay, those before the first token too"
    for position in (longest, longest + 1, 2 * longest, 999):
        assert torch.equal(after[offset + position], before[offset + position % longest])
    assert model.config.max_position_embeddings == 1000 + offset
    buffers = dict(module.named_buffers())
    assert torch.equal(buffers.pop("position_ids", expected_ids := torch.arange(1000 + offset)[None]), expected_ids)
    assert all(torch.equal(buffer, torch.zeros_like(expected_ids)) for buffer in buffers.values())


@pytest.mark.parametrize("family", LEARNED)
def test_beyond_the_table_positions_repeat(family):
    model = sparsify(build(family), pattern_for(family))
    call = batch(700, (700, 700))
    offset, longest = first_position(model), n_positions(model)
    positions = repeated_positions(model, 700)
    assert positions.tolist() == [offset + place % longest for place in range(700)]
    positions = positions.expand(2, -1)
    expected = states(model, **call, position_ids=positions)
    with pytest.raises(ConfigError, match="max_tokens=700"):
        states(model, **call)
    sparsify(model, max_tokens=800)
    assert_same([states(model, **call)], [expected], tolerance=1e-6)


def test_positions_repeat_within_a_period_but_for_the_prefix():
    model = build("roberta")
    found = repeated_positions(model, 9, period=4, prefix=1)
    assert (found - first_position(model)).tolist() == [0, 1, 2, 3, 1, 2, 3, 1, 2]
    assert torch.equal(repeated_positions(model, 700, period=9999), repeated_positions(model, 700))


def test_computed_positions_need_no_table():
    model = build("modernbert")
    assert n_positions(model) is None and repeated_positions(model, 5) is None
    sparsify(model, NARROW, max_tokens=1000)
    assert model.config.max_position_embeddings == 1000
    sparsify(model, NARROW, max_tokens=500)
    assert model.config.max_position_embeddings == 1000
    assert states(model, **batch(400, (400,))).isfinite().all()


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_table_is_never_shortened(family):
    model = build(family)
    message = f"max_tokens is 100, but the model already has positions for {n_positions(model)}"
    with pytest.raises(ConfigError, match=message):
        sparsify(model, NARROW, max_tokens=100)
    sparsify(model, NARROW, max_tokens=n_positions(model))
    assert tables(model)[1].shape[0] == 320


def test_a_longer_table_keeps_type_and_training():
    model = build("bert").to(torch.bfloat16)
    tables(model)[0].position_embeddings.weight.requires_grad_(False)
    sparsify(model, NARROW, max_tokens=400)
    weight = tables(model)[0].position_embeddings.weight
    assert weight.dtype == torch.bfloat16 and not weight.requires_grad
    assert states(model, **batch(350, (350,))).dtype == torch.bfloat16


# --------------------------------------------------------------------------------------------- compilation and export

COMPILED = ["bert", "longformer", "big_bird"]


def small(family):
    """A sparse model that compiles fast: one layer, or two with different windows."""
    settings = {"num_hidden_layers": 2, "attention_window": [32, 64]} if family == "longformer" else {}
    return sparsify(build(family, **{"num_hidden_layers": 1, **settings}), pattern_for(family))


def compiled_call(family, n_tokens=200):
    call = batch(n_tokens, (n_tokens, n_tokens * 2 // 3))
    if family == "longformer":
        call["global_attention_mask"] = (torch.arange(n_tokens).expand(2, -1) % 50 == 0).long()
    return call


@pytest.fixture
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("family", COMPILED)
def test_a_compiled_model_is_one_graph_and_equals_the_model(family):
    """``fullgraph`` raises wherever the graph would break."""
    call, model = compiled_call(family), small(family)
    expected = gradients(model, **call)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    model.zero_grad()
    out = compiled(**call).last_hidden_state
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    used = [p.grad for _, p in sorted(model.named_parameters()) if p.grad is not None and p.grad.any()]
    assert_same([out.detach(), *used], [tensor for tensor in expected if tensor.any()], tolerance=1e-5)


@pytest.mark.usefixtures("fresh_compiler")
def test_a_compiled_model_follows_a_new_pattern():
    call, model = compiled_call("bert"), small("bert")
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    first = states(compiled, **call)
    sparsify(model, SparsePattern(window=3))
    second = states(compiled, **call)
    assert differ(first, second, call["attention_mask"])
    assert torch.equal(second, states(model, **call))


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore:While compiling, we found certain side effects:UserWarning")  # of transformers
@pytest.mark.parametrize(("family", "strict"), [("bert", True), *((family, False) for family in COMPILED)])
def test_an_exported_model_takes_rows_of_any_number_and_length(family, strict):
    call, model = compiled_call(family), small(family)
    sizes = {0: Dim("rows", min=1, max=8), 1: Dim("tokens", min=2, max=310)}
    program = torch.export.export(model, (), call, dynamic_shapes=dict.fromkeys(call, sizes), strict=strict).module()
    for n_rows, n_tokens in ((2, 200), (1, 17), (3, 310)):
        other = {name: tensor[:1].repeat(n_rows, 1) for name, tensor in compiled_call(family, n_tokens).items()}
        other["attention_mask"][-1, n_tokens * 3 // 4 :] = 0
        with torch.no_grad():
            found = program(**other).last_hidden_state
        assert_same([found], [states(model, **other)], tolerance=1e-6)


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"global_mask": torch.zeros(2, 99, dtype=torch.bool)}, r"global_mask is bool of shape \(2, 99\).*\(2, 100\)"),
        ({"global_mask": torch.zeros(2, 100)}, r"global_mask is float32 .* give bool .* such as mask\.bool\(\)"),
        ({"document_ids": torch.zeros(2, 100)}, r"document_ids is float32 .* give int64 .* such as ids\.long\(\)"),
        (
            {"document_ids": torch.zeros(100).long()},
            r"document_ids is int64 of shape \(100,\); give int64 .*\(2, 100\)",
        ),
        ({"document_ids": torch.arange(100, 0, -1).expand(2, -1)}, "document_ids must ascend along a row"),
        ({"output_attentions": True}, "leave it out, or load the model again"),
        ({"attention_mask": torch.ones(2, 1, 100, 100)}, r"shape \(2, 1, 100, 100\); give \(2, 100\) \(rows, tokens\)"),
        ({"attention_mask": torch.ones(2, 60)}, r"attention_mask has the shape \(2, 60\)"),
    ],
)
@pytest.mark.parametrize("family", ["bert", "longformer", "big_bird"])
def test_a_wrong_argument_is_refused_with_a_remedy(family, wrong, message):
    model = sparsify(build(family), pattern_for(family))
    with pytest.raises(ConfigError, match=message):
        model(**{**batch(100, (100, 100)), **wrong})


@pytest.mark.parametrize("family", ["bert", "roberta", "longformer", "big_bird"])
def test_a_row_longer_than_the_table_is_refused_with_a_remedy(family):
    model = sparsify(build(family), pattern_for(family))
    longest = n_positions(model)
    fits, too_long = (batch(n, (n,), vocabulary=90) for n in (longest, longest + 1))
    assert states(model, **fits).shape[1] == longest
    message = f"{longest + 1} tokens, but only {longest} positions: .*max_tokens={longest + 1}"
    with pytest.raises(ConfigError, match=message):
        model(**too_long)
    embedded = model.get_input_embeddings()(too_long["input_ids"])
    with pytest.raises(ConfigError, match="or pass position_ids that repeat"):
        model(inputs_embeds=embedded)


@pytest.mark.parametrize("family", ["bert", "longformer", "big_bird"])
def test_attentions_asked_for_in_the_configuration_are_refused(family):
    model = build(family, attn_implementation="eager")
    model.config.output_attentions = True
    sparsify(model, pattern_for(family))
    with pytest.raises(ConfigError, match="never forms the matrix"):
        model(**batch(50, (50,)))


@pytest.mark.parametrize("family", ["longformer", "big_bird"])
@pytest.mark.parametrize("both", [False, True])
def test_either_tokens_or_their_embeddings_are_needed(family, both):
    model = sparsify(build(family))
    call = {"input_ids": torch.ones(1, 5).long(), "inputs_embeds": torch.ones(1, 5, 32)} if both else {}
    with pytest.raises(ConfigError, match="give either input_ids or inputs_embeds"):
        model(**call)


def test_an_unknown_back_end_is_refused():
    with pytest.raises(ConfigError, match="unknown backend 'triton'; allowed: auto, eager, blocked, flex"):
        sparsify(build("bert"), NARROW, backend="triton")


def test_a_model_without_a_pattern_needs_one():
    with pytest.raises(
        ConfigError, match=r"bert has no pattern of its own; give one, such as SparsePattern\(window=25"
    ):
        sparsify(build("bert"))


def test_a_window_is_required_for_every_layer():
    with pytest.raises(ConfigError, match="window has 2 numbers, but there is a layer 2; give one number per layer"):
        sparsify(build("bert"), SparsePattern(window=(4, 8)))


@pytest.mark.parametrize("wrong", [{}, {"pattern": SparsePattern(window=(4,))}, {"pattern": NARROW, "max_tokens": 9}])
def test_a_refused_model_is_unchanged(wrong):
    call, model = batch(100, (100, 60)), build("bert")
    expected = states(model, **call)
    with pytest.raises(ConfigError):
        sparsify(model, **wrong)
    assert torch.equal(states(model, **call), expected)
    assert getattr(model.config, "sparse_attention", None) is None


def test_a_module_that_is_not_a_transformers_model_is_refused():
    with pytest.raises(ConfigError, match="sparsify takes a transformers model; got Linear"):
        sparsify(torch.nn.Linear(2, 2), NARROW)


@pytest.mark.parametrize("name", ["DebertaV2", "Deberta", "MPNet"])
def test_attention_outside_the_interface_is_refused(name):
    model = getattr(tf, f"{name}Model")(getattr(tf, f"{name}Config")(**SIZES))
    with pytest.raises(ConfigError, match=r"does not use the attention interface.* encoder='windows'"):
        sparsify(model, NARROW)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Bert", {"is_decoder": True}),
        ("BigBird", {"is_decoder": True}),
        ("Bart", {"d_model": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}),
        ("Llama", {}),
        ("GPT2", {}),
        ("ModernBertDecoder", {}),
    ],
)
def test_a_decoder_is_refused(name, settings):
    model = getattr(tf, f"{name}Model")(getattr(tf, f"{name}Config")(**SIZES, **settings))
    with pytest.raises(ConfigError, match="sparse attention is for encoders"):
        sparsify(model, NARROW)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("T5EncoderModel", {"d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 48}), ("CLIPTextModel", {})],
)
def test_other_features_of_attention_are_kept_or_refused(name, settings):
    torch.manual_seed(0)
    cls, call = getattr(tf, name), batch(100, (100, 60))
    model = cls(cls.config_class(**{**SIZES, **settings})).eval()
    expected = states(model, **call)
    try:
        found = states(sparsify(model, WIDE), **call)
    except ConfigError:
        return
    assert_same([found], [expected], call["attention_mask"])


def test_a_model_that_was_not_sparsified_is_an_error(tmp_path):
    build("bert").save_pretrained(tmp_path)
    model = tf.BertModel.from_pretrained(tmp_path, attn_implementation=interface.NAME)
    with pytest.raises(ConfigError, match=r"has no pattern; call longdoc\.attention\.sparsify\(model, pattern\)"):
        model(**batch(50, (50,)))


def test_autocast_does_not_lower_the_precision_of_the_scores():
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 200, 16).bfloat16() * 3 for _ in range(3))
    rows, pattern = Rows.of(query[:, 0], None), SparsePattern(window=20)
    plain = blocked_attention(query, key, value, rows, pattern, scale=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(blocked_attention(query, key, value, rows, pattern, scale=1.0), plain)


def test_query_heads_may_share_key_heads():
    settings = dict(SIZES, num_key_value_heads=2, head_dim=8)
    model = tf.EuroBertModel(tf.EuroBertConfig(**settings)).eval()
    ids = torch.randint(5, 90, (2, 100))
    with torch.no_grad():
        dense = model(ids).last_hidden_state
        sparse = sparsify(model, SparsePattern(window=100, global_tokens=()))(ids).last_hidden_state
    torch.testing.assert_close(sparse, dense, atol=5e-5, rtol=0)


def test_padding_between_documents_may_have_any_id():
    model = sparsify(build("bert"), SparsePattern(window=9))
    ids, seen = torch.randint(5, 90, (1, 60)), torch.arange(60)[None] < 50
    documents = (torch.arange(60)[None] >= 30).long()
    with torch.no_grad():
        plain = model(ids, attention_mask=seen, document_ids=documents).last_hidden_state
        other = model(ids, attention_mask=seen, document_ids=documents.masked_fill(~seen, -1)).last_hidden_state
    torch.testing.assert_close(other[seen], plain[seen])


@pytest.mark.parametrize("window", [[8, 8], 2.5, "8", True])
def test_a_pattern_takes_lists_and_refuses_other_values(window):
    if isinstance(window, list):
        assert SparsePattern(window=window, global_tokens=[0]) == SparsePattern(window=(8, 8), global_tokens=(0,))
    else:
        with pytest.raises(ConfigError, match="tuple of integers"):
            SparsePattern(window=window)
    with pytest.raises(ConfigError, match="give a SparsePattern"):
        sparsify(build("bert"), {"window": 8})


@pytest.mark.parametrize("family", ["bert", "longformer", "big_bird", "modernbert"])
@pytest.mark.parametrize("shape", [(1, 0), (0, 5)])
def test_a_call_without_tokens_is_refused(family, shape):
    model = sparsify(build(family), pattern_for(family))
    with pytest.raises(ConfigError, match=r"the input has the shape .*; give at least a row and a token"):
        model(torch.zeros(shape, dtype=torch.int64))
