import random
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile

import reference
from longdoc.attention import Rows, SparsePattern, blocked, chunks
from longdoc.attention.blocked import blocked_attention
from longdoc.attention.eager import eager_attention
from longdoc.attention.flex import TILE, Tables, compiled_length, flex_sparse_attention
from longdoc.config import to_dict
from longdoc.errors import ConfigError

BIG_BIRD = {"global_blocks": (0, -1), "global_tokens": (), "block_aligned": True, "random_blocks": 3}


def make_rows(n_rows, n_tokens, *, seen=None, global_mask=None, documents=None) -> Rows:
    return Rows.of(torch.empty(n_rows, n_tokens), seen, global_mask, documents)


def inputs(n_rows, n_tokens, *, heads=2, width=8, dtype=torch.float32):
    return [torch.randn(n_rows, heads, n_tokens, width, dtype=dtype, requires_grad=True) for _ in range(3)]


def with_gradients(attend, tensors, *args, **options):
    """Output and gradients of queries, keys and values, for the same random gradient of the output."""
    out = attend(*tensors, *args, **options)
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    return [out, *torch.autograd.grad(out, tensors, direction.to(out.dtype))]


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.float(), other.float(), atol=tolerance, rtol=0)


# ------------------------------------------------------------------------------------------------------- the pattern


@st.composite
def patterns(draw):
    block = draw(st.integers(1, 4))
    aligned = draw(st.booleans())
    window = draw(st.sampled_from([1, 2, 3, 25])) * (block if aligned else 1)
    as_transformers = aligned and draw(st.sampled_from([False, False, True]))
    blocks = (0, -1) if as_transformers else draw(st.sampled_from([(), (-1,), (0, -1), (1,), (3, -1)]))
    return SparsePattern(
        window=draw(st.sampled_from([window, (block, window)])),
        global_tokens=draw(st.sampled_from([(), (0,), (2, 13)])),
        global_blocks=blocks,
        random_blocks=draw(st.integers(0, 2)),
        block=block,
        block_aligned=aligned,
        seed=draw(st.integers(0, 2)),
        as_transformers=as_transformers,
    )


@st.composite
def rows_of_tokens(draw):
    n_tokens = draw(st.sampled_from([1, 2, 5, 11, 16, 23]))

    def places():
        """Some of the row's tokens, as booleans."""
        some = draw(st.one_of(st.sets(st.integers(0, n_tokens - 1), max_size=2), st.sets(st.integers(0, n_tokens - 1))))
        return [i in some for i in range(n_tokens)]

    n_seen = draw(st.integers(0, n_tokens))
    seen = draw(st.sampled_from([[True] * n_tokens, [i < n_seen for i in range(n_tokens)], places()]))
    documents = np.cumsum(places()) + draw(st.integers(-3, 3))
    return seen, places(), documents.tolist()


@settings(max_examples=150)
@given(patterns(), st.lists(rows_of_tokens(), min_size=1, max_size=2), st.integers(0, 1))
def test_the_pattern_equals_its_slow_twin(pattern, rows, layer):
    for row in rows:
        seen, chosen, documents = row
        batch = Rows(torch.tensor([seen]), torch.tensor([chosen]), torch.tensor([documents]))
        expected = reference.counts(pattern, seen, chosen, documents, layer)
        assert pattern.counts(batch, layer)[0].tolist() == expected
        assert pattern.dense(batch, layer)[0, 0].tolist() == [[times > 0 for times in line] for line in expected]


@settings(max_examples=40)
@given(patterns(), rows_of_tokens(), st.integers(0, 1))
def test_both_back_ends_equal_attention_token_by_token(pattern, row, layer):
    seen, chosen, documents = row
    torch.manual_seed(0)
    tensors = [torch.randn(1, 1, len(seen), 2) for _ in range(3)]
    lists = [tensor[0, 0].tolist() for tensor in tensors]
    expected = reference.attention(*lists, reference.counts(pattern, seen, chosen, documents, layer), 0.7)
    batch = Rows(torch.tensor([seen]), torch.tensor([chosen]), torch.tensor([documents]))
    for attend in (eager_attention, blocked_attention):
        out = attend(*tensors, batch, pattern, layer=layer, scale=0.7)
        torch.testing.assert_close(out[0, :, 0], torch.tensor(expected), atol=5e-5, rtol=0)


def test_the_rows_of_a_batch_are_independent():
    pattern = SparsePattern(window=2, block=2, random_blocks=1, global_blocks=(-1,))
    seen = torch.tensor([[True] * 9, [True] * 4 + [False] * 5, [False] * 9])
    chosen = torch.zeros(3, 9, dtype=torch.bool)
    chosen[0, 5] = True
    documents = torch.tensor([[0] * 9, [0] * 9, [0, 0, 1, 1, 1, 2, 2, 2, 2]])
    together = pattern.counts(Rows(seen, chosen, documents))
    for b in range(3):
        alone = Rows(seen[b : b + 1], chosen[b : b + 1], documents[b : b + 1])
        assert torch.equal(together[b], pattern.counts(alone)[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "at least 1 token to each side"),
        ({"window": ()}, "at least 1 token to each side"),
        ({"window": (4, 0)}, "at least 1 token to each side"),
        ({"block": 0}, "they must be at least 1 and 0"),
        ({"random_blocks": -1}, "they must be at least 1 and 0"),
        ({"window": 100, "block": 64, "block_aligned": True}, "it must be a multiple of block, 64"),
        ({"window": (64, 100), "block": 64, "block_aligned": True}, "it must be a multiple of block, 64"),
        ({"global_tokens": (-1,)}, "use global_blocks for a document's end"),
        ({"global_blocks": (-2,)}, "or -1 for the last"),
        ({"as_transformers": True, "global_blocks": (0, -1)}, "requires block_aligned=True"),
        ({"as_transformers": True, "block_aligned": True}, r"global_blocks=\(0, -1\)"),
    ],
)
def test_an_invalid_pattern_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        SparsePattern(**settings)


def test_a_window_for_each_layer_must_have_one_for_the_layer_asked_for():
    pattern = SparsePattern(window=(4, 8))
    assert [pattern.window_at(0), pattern.window_at(1)] == [4, 8]
    with pytest.raises(ConfigError, match="there is a layer 2; give one number per layer"):
        pattern.window_at(2)


def test_documents_that_do_not_ascend_are_refused():
    tensors = [torch.randn(1, 1, 4, 2) for _ in range(3)]
    rows = make_rows(1, 4, documents=torch.tensor([[0, 1, 0, 0]]))
    with pytest.raises(ConfigError, match="document_ids must ascend along a row"):
        blocked_attention(*tensors, rows, SparsePattern(window=2), scale=1.0)


# ------------------------------------------------------------------------------------------------------ random blocks

RANDOM = [
    SparsePattern(window=20, block=8, random_blocks=3),
    SparsePattern(window=1, block=8, random_blocks=2),
    SparsePattern(window=16, block=8, block_aligned=True, random_blocks=3),
    SparsePattern(window=500, block=8, random_blocks=3),
]


@pytest.mark.parametrize("pattern", RANDOM)
@pytest.mark.parametrize("n_tokens", [1, 8, 37, 64, 203])
def test_random_blocks_lie_beyond_the_window_and_are_distinct(pattern, n_tokens):
    n_blocks = -(-n_tokens // pattern.block)
    window = SparsePattern(window=pattern.window, block=pattern.block, block_aligned=pattern.block_aligned)
    near = SparsePattern.counts(window, make_rows(1, n_blocks * pattern.block))[0]
    near[0], near[:, 0] = near[1], near[:, 1]  # position 0 is global, independently of the window
    blocks = near.view(n_blocks, pattern.block, n_blocks, pattern.block).amax((1, 3)) > 0
    table = pattern.random_table(n_tokens, 0)
    assert table.shape == (n_blocks, pattern.random_blocks)
    for query, drawn in enumerate(table.tolist()):
        found = [block for block in drawn if block != -1]
        free = n_blocks - int(blocks[query].sum())
        assert len(set(found)) == len(found) == min(free, pattern.random_blocks), "-1 only where there are too few"
        assert all(0 <= block < n_blocks and not blocks[query, block] for block in found)


def test_random_blocks_depend_on_seed_layer_and_length_only():
    def draw(seed=0, layer=0, n_tokens=400):
        blocked_pattern = SparsePattern(window=8, block=8, random_blocks=3, seed=seed)
        return blocked_pattern.random_table(n_tokens, layer).tolist()

    first = draw()
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    from_scratch = SparsePattern(window=8, block=8, random_blocks=3, global_tokens=(7,))  # not the cached table
    assert draw() == first == from_scratch.random_table(400, 0).tolist()
    others = [draw(seed=1), draw(layer=1), draw(n_tokens=392)]
    assert all(other[:49] != first[:49] for other in others)
    assert torch.equal(torch.get_rng_state(), states[0]), "drawing must not change the global random generators"
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), states[1], strict=True))
    assert random.getstate() == states[2]


def test_a_pattern_without_random_blocks_has_no_table():
    assert SparsePattern().random_table(1000, 0) is None
    as_transformers = SparsePattern(window=8, block=8, as_transformers=True, **BIG_BIRD)
    assert as_transformers.random_table(1000, 0) is None


# ------------------------------------------------------------------------------------------------ blocked against eager

N_CASES = 20
KINDS = ["tokens", "aligned", "random", "big bird", "big bird of transformers"]


def random_case(kind, seed):
    """A pattern, rows and their number and length."""
    torch.manual_seed(seed)
    rng = random.Random(f"{kind} {seed}")
    n_tokens = [1, 5, 17, 64, 130, 200, 333][seed % 7]
    n_rows, block = rng.choice([1, 2, 3]), rng.choice([4, 8, 16])
    settings = {
        "tokens": {"window": rng.choice([1, 3, 10, 70, 150, 500, (2, 90)])},
        "aligned": {"window": block * rng.choice([1, 2]), "block": block, "block_aligned": True},
        "random": {"window": rng.choice([1, 7, 20]), "block": block, "random_blocks": rng.choice([1, 3])},
        "big bird": {**BIG_BIRD, "window": block, "block": block},
        "big bird of transformers": {**BIG_BIRD, "window": block, "block": block, "as_transformers": True},
    }[kind]
    pattern = SparsePattern(**{**settings, "global_tokens": rng.choice([(), (0,), (0, 3, 100)])})
    stops = torch.tensor([[rng.randint(0, n_tokens)] for _ in range(n_rows)])
    seen = rng.choice([None, torch.arange(n_tokens) < stops, torch.rand(n_rows, n_tokens) < 0.8])
    chosen = rng.choice([None, torch.rand(n_rows, n_tokens) < 0.1])
    documents = rng.choice([None, (torch.rand(n_rows, n_tokens) < 0.05).long().cumsum(1)])
    return pattern, make_rows(n_rows, n_tokens, seen=seen, global_mask=chosen, documents=documents), n_rows, n_tokens


@pytest.mark.parametrize("kind", KINDS)
def test_blocked_equals_eager_with_its_gradients(kind):
    for seed in range(N_CASES):
        pattern, rows, n_rows, n_tokens = random_case(kind, seed)
        tensors = inputs(n_rows, n_tokens)
        options = {"layer": seed % 2, "scale": 0.3}
        expected = with_gradients(eager_attention, tensors, rows, pattern, **options)
        found = with_gradients(blocked_attention, tensors, rows, pattern, **options)
        assert_close(found, expected, 1e-5)
        assert found[0][~rows.seen].abs().sum() == 0


def test_the_random_cases_include_every_feature():
    for kind in KINDS:
        found = Counter()
        for seed in range(N_CASES):
            pattern, rows, _, n_tokens = random_case(kind, seed)
            by_block = pattern.block_aligned or pattern.random_blocks
            found["several chunks"] += n_tokens > 2 * (pattern.block if by_block else chunks.CHUNK_QUERIES)
            found["padding"] += not rows.seen.all()
            found["only padding"] += bool((~rows.seen).all(1).any())
            found["global padding"] += bool((rows.global_mask & ~rows.seen).any())
            found["documents"] += bool(rows.documents.max() > 0)
        assert min(found.values()) >= 1, (kind, found)


@pytest.mark.parametrize("attend", [eager_attention, blocked_attention])
def test_tokens_that_see_nothing_yield_zero_and_take_no_gradient(attend):
    seen = torch.tensor([[True] * 150, [False] * 150, [False] * 60 + [True] * 90])
    tensors = inputs(3, 150)
    out, *gradients = with_gradients(attend, tensors, make_rows(3, 150, seen=seen), SparsePattern(window=4), scale=1.0)
    assert torch.equal(out[~seen], torch.zeros_like(out[~seen]))
    assert out[seen].abs().amin() > 0
    for gradient in gradients:
        hidden = gradient.transpose(1, 2)[~seen]
        assert torch.equal(hidden, torch.zeros_like(hidden))
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("attend", [eager_attention, blocked_attention])
def test_a_row_without_tokens_is_not_an_error(attend):
    tensors = inputs(2, 0)
    assert attend(*tensors, make_rows(2, 0), SparsePattern(window=4), scale=1.0).shape == (2, 0, 2, 8)


@pytest.mark.parametrize("part", ["local", "global"])
def test_one_part_of_the_queries_is_computed_and_the_others_yield_zero(part):
    torch.manual_seed(0)
    pattern = SparsePattern(window=20, global_tokens=(0, 140))
    rows = make_rows(2, 200, seen=torch.arange(200) < torch.tensor([[200], [150]]))
    tensors = inputs(2, 200)
    wanted = (pattern.globals_of(rows) == (part == "global"))[:, :, None, None]

    def eager_part(*args, **options):
        return eager_attention(*args, **options) * wanted

    expected = with_gradients(eager_part, tensors, rows, pattern, scale=0.4)
    found = with_gradients(blocked_attention, tensors, rows, pattern, scale=0.4, part=part)
    assert_close(found, expected, 1e-5)


def test_many_global_queries_are_computed_in_chunks(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(chunks, "MAX_GLOBAL_SCORES", 2 * 60 * 7)  # 7 global queries of 2 heads at a time
    tensors, rows = inputs(1, 60), make_rows(1, 60, global_mask=torch.arange(60)[None] % 2 == 0)
    pattern = SparsePattern(window=3)
    expected = with_gradients(eager_attention, tensors, rows, pattern, scale=0.4)
    assert_close(with_gradients(blocked_attention, tensors, rows, pattern, scale=0.4), expected, 1e-5)


def test_bfloat16_stays_close_to_float32():
    torch.manual_seed(0)
    pattern = SparsePattern(window=40, global_tokens=(0, 7))
    rows = make_rows(2, 300, seen=torch.arange(300) < torch.tensor([[300], [211]]))
    exact = [tensor.detach().bfloat16().float().requires_grad_() for tensor in inputs(2, 300)]
    rough = [tensor.detach().bfloat16().requires_grad_() for tensor in exact]
    expected = with_gradients(eager_attention, exact, rows, pattern, scale=0.35)
    for attend in (blocked_attention, eager_attention):
        found = with_gradients(attend, rough, rows, pattern, scale=0.35)
        assert {tensor.dtype for tensor in found} == {torch.bfloat16}
        assert_close(found[:1], expected[:1], 2e-2)
        for one, other in zip(found[1:], expected[1:], strict=True):
            assert (one.float() - other).norm() <= 2e-2 * other.norm()


def test_inputs_of_any_strides_give_the_same_output():
    torch.manual_seed(0)
    pattern, rows = SparsePattern(window=30), make_rows(2, 150)
    straight = inputs(2, 150)
    turned = [t.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for t in straight]
    expected = with_gradients(blocked_attention, straight, rows, pattern, scale=0.3)
    assert_close(with_gradients(blocked_attention, turned, rows, pattern, scale=0.3), expected, 1e-6)


# ---------------------------------------------------------------------------------------------------------- dropout

DROPPING = {
    "tokens": SparsePattern(window=30, global_tokens=(0, 50)),
    "blocks": SparsePattern(window=16, block=16, block_aligned=True, random_blocks=2),
}


@pytest.mark.parametrize("kind", DROPPING)
def test_the_backward_pass_drops_what_the_forward_pass_dropped(kind):
    n_tokens, dropout, pattern = 280, 0.4, DROPPING[kind]
    torch.manual_seed(0)
    tensors = query, key, _ = inputs(1, n_tokens, heads=1)
    rows = make_rows(1, n_tokens, seen=torch.arange(n_tokens)[None] < 270)
    options = {"scale": 0.3, "layer": 1}
    # With the identity as values, and queries and keys filled up with zeros, the output is the probabilities.
    identity = torch.eye(n_tokens)[None, None]
    wide = [torch.nn.functional.pad(tensor, (0, n_tokens - 8)) for tensor in (query, key)]
    probabilities = eager_attention(*wide, identity, rows, pattern, **options)[:, :, 0]
    torch.manual_seed(11)
    dropped = blocked_attention(*wide, identity, rows, pattern, dropout=dropout, **options)[:, :, 0]
    mask = torch.where(probabilities > 0, dropped / probabilities, 0).detach()
    values = mask[probabilities > 1e-6].round(decimals=3).unique().tolist()
    assert values == pytest.approx([0, 1 / (1 - dropout)], abs=2e-3), "a probability is dropped, or scaled"
    assert (mask[probabilities > 0] == 0).float().mean().item() == pytest.approx(dropout, abs=0.02)

    def by_hand(query, key, value):
        probabilities = eager_attention(query, key, identity, rows, pattern, **options)[:, :, 0]
        return ((probabilities * mask) @ value).transpose(1, 2)

    def with_dropout(*tensors):
        torch.manual_seed(11)
        return blocked_attention(*tensors, rows, pattern, dropout=dropout, **options)

    assert_close(with_gradients(with_dropout, tensors), with_gradients(by_hand, tensors), 1e-5)


def test_dropout_is_the_same_for_a_seed_and_correct_on_average():
    torch.manual_seed(0)
    tensors, rows, pattern = inputs(2, 24), make_rows(2, 24), SparsePattern(window=4, global_tokens=(0, 9))
    expected = blocked_attention(*tensors, rows, pattern, scale=0.3)

    def attend(seed):
        torch.manual_seed(seed)
        return blocked_attention(*tensors, rows, pattern, scale=0.3, dropout=0.2).detach()

    assert torch.equal(attend(3), attend(3))
    assert not torch.equal(attend(3), attend(4))
    draws = torch.stack([attend(seed) for seed in range(300)])
    error = (draws.mean(0) - expected).abs() / (draws.std(0) / len(draws) ** 0.5)
    assert error.max() < 5, "further from the mean than chance explains"
    torch.testing.assert_close(draws.mean(0), expected, atol=0.15, rtol=0)


def test_a_dropout_of_one_drops_everything():
    tensors, rows, pattern = inputs(1, 20), make_rows(1, 20), SparsePattern(window=4)
    for attend in (eager_attention, blocked_attention):
        found = with_gradients(attend, tensors, rows, pattern, scale=0.3, dropout=1.0)
        assert all(torch.equal(tensor, torch.zeros_like(tensor)) for tensor in found)


# --------------------------------------------------------------------------------------------------------- operators


@pytest.mark.parametrize(("part", "dropout"), [("all", 0.3), ("global", 0.0)])
def test_both_operators_pass_the_checks_of_torch(part, dropout):
    torch.manual_seed(0)
    rows = make_rows(2, 12, seen=torch.arange(12) < torch.tensor([[12], [7]]))
    seed = torch.tensor(5) if dropout else None
    record = blocked.encode_pattern(SparsePattern(window=2, global_tokens=(0, 3)))
    settings = (rows.seen, rows.global_mask, rows.documents, seed, record, 0, part, 0.5, dropout)
    tensors = inputs(2, 12, width=4)
    torch.library.opcheck(torch.ops.longdoc.blocked_attention.default, (*tensors, *settings))
    no_gradients = [tensor.detach() for tensor in tensors]
    gradient = torch.randn(2, 12, 2, 4)
    backward = torch.ops.longdoc.blocked_attention_backward.default
    torch.library.opcheck(backward, (gradient, *no_gradients, *settings))


def test_a_pattern_survives_encoding():
    pattern = SparsePattern(window=(4, 8), block=4, seed=3, random_blocks=2, global_blocks=(-1,), global_tokens=(2, 5))
    assert blocked.decode_pattern(blocked.encode_pattern(pattern)) == pattern
    assert set(to_dict(pattern)) == set(SparsePattern.__dataclass_fields__)


# ------------------------------------------------------------------------------------------------------ flex attention

FLEX = {
    "tokens": SparsePattern(window=40, global_tokens=()),
    "global tokens": SparsePattern(window=40, global_tokens=(0, 300)),
    "aligned": SparsePattern(window=64, block=32, block_aligned=True, global_tokens=()),
    "random": SparsePattern(window=20, block=16, random_blocks=2, global_tokens=()),
    "odd blocks": SparsePattern(window=20, block=48, random_blocks=1, global_blocks=(-1,)),
    "big bird": SparsePattern(window=16, block=16, **BIG_BIRD),
    "big bird of transformers": SparsePattern(window=16, block=16, as_transformers=True, **BIG_BIRD),
}
LENGTHS = [1, 100, 128, 500, 512]


def flex_rows(n_tokens, *, first_document=0) -> Rows:
    """Rows with padding, packed documents and global tokens, each in one row and all in the last."""
    seen = torch.ones(4, n_tokens, dtype=torch.bool)
    seen[(1, 3), n_tokens // 2 + 3 :] = False
    chosen = torch.zeros_like(seen)
    chosen[(0, 3), n_tokens // 3] = True
    documents = torch.full((4, n_tokens), first_document)
    documents[2:] += torch.arange(n_tokens) // 150
    return Rows(seen, chosen, documents)


@pytest.mark.parametrize(("kind", "n_tokens"), [*((kind, 200) for kind in FLEX), ("global tokens", 1), ("big bird", 1)])
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile:UserWarning")
def test_flex_equals_eager(kind, n_tokens):
    torch.manual_seed(0)
    rows, tensors = flex_rows(n_tokens), [tensor.detach() for tensor in inputs(4, n_tokens)]
    expected = eager_attention(*tensors, rows, FLEX[kind], layer=1, scale=0.3)
    found = flex_sparse_attention(*tensors, rows, FLEX[kind], layer=1, scale=0.3, compiled=False)
    torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)


def test_flex_has_no_dropout():
    tensors = inputs(1, 8)
    with pytest.raises(ConfigError, match=r"attention_probs_dropout_prob to 0 .* backend='blocked'"):
        flex_sparse_attention(*tensors, make_rows(1, 8), SparsePattern(window=2), scale=1.0, dropout=0.1)


def by_tile(pairs, reduce):
    """Pairs ``(B, T, T)``, each ``TILE × TILE`` of them reduced by ``reduce``: ``(B, Q, K)``."""
    n_tiles = -(-pairs.shape[1] // TILE)
    ends = [slice(tile * TILE, (tile + 1) * TILE) for tile in range(n_tiles)]
    return torch.stack([torch.stack([reduce(pairs[:, q, k], (1, 2)) for k in ends], -1) for q in ends], 1)


@pytest.mark.parametrize("n_tokens", LENGTHS)
@pytest.mark.parametrize("kind", FLEX)
def test_tiles_contain_every_visible_pair_and_full_tiles_no_hidden_pair(kind, n_tokens):
    assert_tiles_fit(FLEX[kind], flex_rows(n_tokens))


def test_document_ids_may_be_any_numbers_in_flex():
    for first in (7, -1, -5):
        assert_tiles_fit(FLEX["tokens"], flex_rows(500, first_document=first))


def assert_tiles_fit(pattern, rows):
    touched, full = Tables(pattern, rows, 1).tiles()
    visible = pattern.dense(rows, 1)[:, 0]
    assert (touched | ~by_tile(visible, torch.any)).all(), "a visible pair lies in a tile that is not computed"
    assert (by_tile(visible, torch.all) | ~full).all(), "a hidden pair lies in a tile that is not masked"
    assert (touched | ~full).all()


@pytest.mark.parametrize("n_tokens", LENGTHS)
@pytest.mark.parametrize("kind", ["tokens", "aligned", "random"])
def test_every_computed_tile_has_a_visible_pair(kind, n_tokens):
    rows = make_rows(1, n_tokens)
    touched, full = Tables(FLEX[kind], rows, 1).tiles()
    visible = FLEX[kind].dense(rows, 1)[:, 0]
    assert torch.equal(touched, by_tile(visible, torch.any))
    if n_tokens % TILE == 0 and kind != "random":
        assert torch.equal(full, by_tile(visible, torch.all))


def test_whole_tiles_within_the_window_are_not_masked():
    rows = make_rows(1, 4 * TILE)
    _, full = Tables(SparsePattern(window=2 * TILE, global_tokens=()), rows, 0).tiles()
    expected = torch.ones(4, 4, dtype=torch.bool).tril(1).triu(-1)
    assert torch.equal(full[0], expected)


@pytest.mark.parametrize("kind", FLEX)
def test_the_lists_of_tiles_are_those_of_the_tables(kind):
    rows = flex_rows(500)
    tables = Tables(FLEX[kind], rows, 1)
    touched, full = tables.tiles()
    mask = tables.block_mask()
    assert mask.shape == (4, 1, 500, 500)
    assert torch.equal(mask.to_dense()[:, 0].bool(), touched)
    for b in range(4):
        for q in range(touched.shape[1]):
            n_full, n_partial = int(mask.full_kv_num_blocks[b, 0, q]), int(mask.kv_num_blocks[b, 0, q])
            assert mask.full_kv_indices[b, 0, q, :n_full].tolist() == full[b, q].nonzero()[:, 0].tolist()
            partial = (touched & ~full)[b, q].nonzero()[:, 0].tolist()
            assert mask.kv_indices[b, 0, q, :n_partial].tolist() == partial


# ------------------------------------------------------------------------------------------------------------- memory


def recorded(attend, n_tokens, pattern):
    """Bytes of the largest tensor created in a forward and a backward pass, and how often each operator ran."""
    tensors, rows = inputs(1, n_tokens), make_rows(1, n_tokens)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        attend(*tensors, rows, pattern, scale=0.3).sum().backward()
    events = record.events()
    return max(event.self_cpu_memory_usage for event in events), Counter(event.name for event in events)


def test_no_tensor_is_larger_than_the_inputs_and_a_chunk():
    heads, width, window, float32 = 2, 8, 32, 4
    pattern = SparsePattern(window=window)
    assert recorded(eager_attention, 512, pattern)[0] >= heads * 512 * 512 * float32, "the recorder must see matrices"
    chunk = heads * chunks.CHUNK_QUERIES * (chunks.CHUNK_QUERIES + 2 * window + 1) * float32
    for n_tokens in (1024, 2048):
        states = n_tokens * heads * width * float32
        assert states < n_tokens * window * heads * float32
        largest, _ = recorded(blocked_attention, n_tokens, pattern)
        assert largest <= max(states, chunk)


def test_twice_the_tokens_take_twice_the_work():
    pattern = SparsePattern(window=32, global_tokens=())
    _, once = recorded(blocked_attention, 1024, pattern)
    _, twice = recorded(blocked_attention, 2048, pattern)
    for name in ("aten::bmm", "aten::baddbmm"):
        assert once[name] >= 2 * 1024 // chunks.CHUNK_QUERIES
        assert twice[name] == 2 * once[name]


def test_only_queries_keys_and_values_are_kept_for_the_backward_pass():
    kept = []
    tensors, rows = inputs(1, 1024), make_rows(1, 1024)
    with saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        blocked_attention(*tensors, rows, SparsePattern(window=32), scale=0.3)
    floats = [tensor for tensor in kept if tensor.is_floating_point()]
    assert {tensor.data_ptr() for tensor in floats} == {tensor.data_ptr() for tensor in tensors}
    assert sum(tensor.numel() for tensor in kept if not tensor.is_floating_point()) == 3 * 1024, "masks and documents"


def test_rows_of_all_lengths_need_few_graphs_and_little_padding():
    lengths = {n: compiled_length(n) for n in range(1, 65537)}
    assert all(n <= padded < n + max(TILE, n / 4) for n, padded in lengths.items())
    assert len(set(lengths.values())) < 40
