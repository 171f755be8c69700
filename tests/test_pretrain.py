"""Masked words, rows packed with documents, and pre-training on them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import BertConfig, BertForMaskedLM, ElectraConfig, ElectraModel, RobertaConfig, RobertaForMaskedLM

import reference
from conftest import CORPUS, make_model, make_tokenizer
from longdoc import cli, training
from longdoc.config import load_yaml
from longdoc.encoders import SparseEncoder
from longdoc.errors import ConfigError, DataError
from longdoc.heads import FillConfig, NerConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training import PretrainConfig, pretrain
from longdoc.training.cloze import cloze, measure
from longdoc.training.learner import Learner
from longdoc.training.masked import Collator, masked_batches
from longdoc.training.masking import Vocabulary, assign_passes, choose, corrupt
from longdoc.training.rows import ReadText, RowForm
from longdoc.training.scratch import ScratchConfig, train_tokenizer
from longdoc.training.starting_model import load_prediction_head
from longdoc.training.texts import Text, read_texts
from longdoc.windows import WindowConfig, tokenize

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LINES = [
    "This Agreement is made by and between Acme Incorporated and Zenith LLC.",
    "The patient was given aspirin and developed severe nausea.",
]
FILL = ModelConfig(heads={"fill": FillConfig()}, windows=WindowConfig(size=32, overlap=8))


@pytest.fixture(scope="module")
def fill_model() -> Model:
    plain = make_model()
    torch.manual_seed(1)
    return Model(plain.encoder.backbone, plain.tokenizer, FILL).eval()


def read(text, model, whole_words=False, name="a"):
    return ReadText.of(Text(name, text), model.tokenizer, Vocabulary.of(model.tokenizer), whole_words=whole_words)


def form_of(model, window=32, overlap=0, period=0):
    return RowForm(special=model.encoder.template.plain, window=window, overlap=overlap, period=period)


# --------------------------------------------------------------------------------------------------------------- masks


@st.composite
def units_of_rows(draw):
    """Ascending unit numbers, several tokens per unit, some of them -1."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=30))
    units = np.repeat(np.arange(len(sizes)), sizes)
    hidden = draw(st.lists(st.booleans(), min_size=len(units), max_size=len(units)))
    return np.where(hidden, -1, units)


@given(units_of_rows(), st.floats(0.01, 0.99), st.integers(0, 1000))
def test_chosen_tokens_equal_those_of_the_slow_twin(units, share, seed):
    n_units = len(set(units[units >= 0].tolist()))
    order = np.random.default_rng(seed).permutation(n_units)
    chosen = choose(units, share, np.random.default_rng(seed))
    assert chosen.tolist() == reference.masked_units(units.tolist(), share, order.tolist())
    assert not chosen[units < 0].any()
    for unit in set(units[chosen].tolist()):
        assert chosen[units == unit].all(), "a unit is left out whole"


@given(units_of_rows(), st.integers(1, 9), st.integers(0, 1000))
def test_each_token_is_masked_in_one_pass_and_a_unit_in_the_same(units, n_passes, seed):
    passes_of = assign_passes(units, n_passes, np.random.default_rng(seed))
    assert (passes_of[units < 0] == -1).all() and ((passes_of >= 0) & (passes_of < n_passes))[units >= 0].all()
    passes = [set(passes_of[units == unit].tolist()) for unit in set(units[units >= 0].tolist())]
    assert all(len(own) == 1 for own in passes)
    sizes = np.bincount([next(iter(own)) for own in passes], minlength=n_passes)
    assert sizes.max() - sizes.min() <= 1


def test_of_many_tokens_15_percent_are_chosen_and_replaced_80_10_10():
    vocabulary = Vocabulary(4, np.arange(5), np.arange(5, 1000))
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 1000, 200_000)
    chosen = choose(np.arange(len(ids)), 0.15, rng)
    assert chosen.sum() == 30_000
    shown = corrupt(ids, chosen, vocabulary, rng)
    assert (shown[~chosen] == ids[~chosen]).all() and not np.isin(shown[shown != 4], vocabulary.special).any()
    masked, kept = (shown == 4)[chosen].mean(), (shown == ids)[chosen].mean()
    spread = 4 * math.sqrt(0.8 * 0.2 / 30_000)  # four standard deviations
    assert abs(masked - 0.8) < spread and abs(kept - 0.1) < spread and abs(1 - masked - kept - 0.1) < spread


def test_words_are_masked_whole_and_special_tokens_never(fill_model):
    text = CORPUS[0] + " ☃ " + CORPUS[1]
    tokens = tokenize(text, fill_model.tokenizer)
    whole = read(text, fill_model, whole_words=True)
    assert (whole.units[tokens.ids == 1] == -1).all() and (tokens.ids == 1).any(), "the snowman is an unknown word"
    several = 0
    for seed in range(20):
        chosen = choose(whole.units, 0.15, np.random.default_rng(seed))
        for word in np.unique(tokens.words[chosen]):
            assert chosen[tokens.words == word].all()
            several += (tokens.words == word).sum() > 1
        assert not np.isin(tokens.ids[chosen], Vocabulary.of(fill_model.tokenizer).special).any()
    assert several, "some word must have several tokens"


def batches_of(model, texts, window=32, overlap=4, period=0, **changes):
    read_texts = [read(text, model, name=str(number)) for number, text in enumerate(texts)]
    settings = {"passes": 2, "masked": 0.15, "batch_tokens": 128, "seed": 3, **changes}
    collator = Collator(model.encoder, "fill", form_of(model, window, overlap, period))
    return masked_batches(read_texts, collator, Vocabulary.of(model.tokenizer), **settings)


def same(one, other):
    pairs = [(one["inputs"], other["inputs"]), (one["targets"]["fill"], other["targets"]["fill"])]
    return all(torch.equal(a[name], b[name]) for a, b in pairs for name in a)


def test_masks_are_the_same_when_a_run_resumes_and_differ_between_passes(fill_model):
    one, two = (batches_of(fill_model, [CORPUS[0] * 3, CORPUS[1]] * 3) for _ in range(2))
    list(one)  # masks do not depend on what was drawn before
    assert len(one) > 4 and all(same(one[index], two[index]) for index in reversed(range(len(one))))
    again = batches_of(fill_model, [CORPUS[1]], passes=30, overlap=0)
    masks = {tuple(row.tolist()) for batch in again for row in batch["targets"]["fill"]["masked"]}
    assert len(masks) > 20
    shares = [one.share(rank, 3) for rank in range(3)]
    assert len({len(share) for share in shares}) == 1
    assert {number for share in shares for number in share.numbers} == set(range(len(one)))
    assert same(shares[1][1], one[4])


def test_the_targets_of_masked_tokens_are_the_original_tokens(fill_model):
    for period in (0, 32):
        batches = batches_of(fill_model, CORPUS, window=32 if not period else 150, period=period)
        for batch in batches:
            ids, wanted = batch["inputs"]["input_ids"], batch["targets"]["fill"]
            special = torch.isin(ids, torch.tensor([0, 2, 3]))
            assert not (special & wanted["masked"]).any()
            assert len(wanted["words"]) == wanted["masked"].sum() > 0
            assert ((ids == 4) <= wanted["masked"]).all(), "no mask but where a word is asked for"
            kept = ids[wanted["masked"]] != 4
            assert kept.float().mean() < 0.7
            assert batch["period"] == period and batch["documents"]


def test_one_pass_shows_every_token_once_for_all_kinds_of_rows(fill_model):
    texts = [CORPUS[0] * 4, CORPUS[1][:40], CORPUS[2] * 2, CORPUS[1]]
    n_tokens = sum(len(tokenize(text, fill_model.tokenizer)) for text in texts)
    for window, period in ((32, 0), (200, 32)):
        batches = batches_of(fill_model, texts, window=window, period=period, passes=1, overlap=0)
        rows = [row for batch in batches.batches for row in batch]
        assert sum(len(piece) for row in rows for piece in row) == n_tokens
        assert all(sum(len(piece) + 2 for piece in row) <= window for row in rows)
        assert any(len(row) > 1 for row in rows) == bool(period)


# -------------------------------------------------------------------------------------------------------------- packed


def test_documents_packed_into_a_row_do_not_see_each_other(fill_model):
    form = form_of(fill_model, window=150, period=32)
    texts = [read(text, fill_model, name=text[:4]) for text in (CORPUS[0][:60], CORPUS[1], CORPUS[0])]
    rows = form.rows([piece for text in texts for piece in form.pieces(text)])
    assert max(map(len, rows)) > 1
    collator = Collator(fill_model.encoder, "fill", form)
    units = [form.units(row) for row in rows]
    assert all(len(np.unique(u[u >= 0])) == (u >= 0).sum() for u in units), "tokens of two documents are two units"
    batch = collator(rows, [form.ids(row) for row in rows], [u >= 0 for u in units])
    encoder = SparseEncoder.of(fill_model.encoder, fill_model.config.sparse_pattern(32), 32).eval()
    with torch.inference_mode():
        states = encoder(**batch["inputs"])
        for row, found in zip(rows, states, strict=True):
            start = 0
            for piece in row:
                alone = encoder(**fill_model.encoder.batch([piece.text.ids[piece.start : piece.end]]).inputs)[0]
                torch.testing.assert_close(found[start : start + len(alone)], alone, atol=5e-5, rtol=0)
                start += len(alone)


def test_bits_equal_those_of_single_tokens(fill_model):
    text = read(CORPUS[1], fill_model)
    for period in (0, 32):
        form = form_of(fill_model, window=64, period=period)
        hidden = cloze(
            [text], Collator(fill_model.encoder, "fill", form), 4, masked=0.34, n_characters=50, batch_tokens=99
        )
        bits = measure(Learner(fill_model).eval(), hidden)
        (row,) = (row for batch in hidden.batches for row in batch)
        passes_of = assign_passes(form.units(row), 3, np.random.default_rng(0))
        encoder = fill_model.encoder
        if period:
            encoder = SparseEncoder.of(encoder, fill_model.config.sparse_pattern(32), 32).eval()
        total = 0.0
        for place, word in enumerate(form.ids(row)):
            shown = np.where(passes_of == passes_of[place], 4, form.ids(row))
            with torch.inference_mode():
                states = encoder(**fill_model.encoder.batch([shown]).inputs)
                shares = fill_model.heads["fill"](states[0, place + 1]).softmax(dim=-1)
            total -= math.log2(shares[word])
        assert bits.tokens == len(passes_of)
        end = tokenize(CORPUS[1], fill_model.tokenizer).offsets[len(passes_of) - 1, 1]
        assert bits.characters == len(CORPUS[1][:end].replace(" ", "")) <= 50
        assert bits.bits == pytest.approx(total, rel=1e-4)


# ---------------------------------------------------------------------------------------------------------------- runs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two dozen short documents, some of which cannot be read, and a base encoder as transformers writes it."""
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    (tmp_path / "documents").mkdir()
    for number in range(24):
        text = "\n\n".join([LINES[number % 2]] * 6) + f"\n\nNumber {number}."
        (tmp_path / "documents" / f"{number}.txt").write_text(text)
    (tmp_path / "documents" / "empty.txt").write_text("")
    (tmp_path / "documents" / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (tmp_path / "documents" / ".hidden").write_text("not to be read")
    model = make_model()
    model.encoder.backbone.save_pretrained(tmp_path / "base")
    model.tokenizer.save(str(tmp_path / "base" / "tokenizer.json"))
    return tmp_path


def config_file(folder, **changes):
    record = {
        "base": str(folder / "base"),
        "output": str(folder / "run"),
        "documents": ["documents"],
        "held_out": 0.1,
        "evaluate_characters": 2000,
        "window": 32,
        "passes": 3,
        "batch_tokens": 256,
        "precision": "float32",
        "learning_rate": 0.01,
        "model": {"heads": {"fill": {"kind": "fill"}}, "windows": {"size": 32, "overlap": 8}},
        **changes,
    }
    path = folder / "pretrain.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in record.items() if value is not None}))
    return path


@pytest.mark.parametrize("changes", [{}, {"encoder": "sparse", "window": 120, "whole_words": True}])
def test_bits_per_character_fall_and_unreadable_documents_are_reported(folder, changes, capsys):
    path = config_file(folder, **changes)
    code = cli.main(["pretrain", str(path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    before, after = (float(line.split()[-1]) for line in out.splitlines() if line.startswith(("before", "after")))
    assert after < 0.6 * before
    assert "2 documents could not be read" in out and "broken.pdf" in out and "empty.txt: " in out
    assert ".hidden" not in out
    filled = Pipeline.from_pretrained(folder / "run" / "model").fill("The [MASK] was given aspirin.")
    assert len(filled) == 1 and len(filled[0]) == 5
    labelled = ModelConfig(heads={"names": NerConfig(labels=("PARTY",))}, windows=WindowConfig(size=32, overlap=8))
    assert set(Model.from_base(folder / "run" / "model", labelled).heads) == {"names"}


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_a_model_from_scratch_learns_to_fill_a_mask(folder, kind):
    form = {"layers": 2, "width": 32, "attention_heads": 2, "feed_forward": 64, "positions": 64, "vocabulary": 500}
    for path in (folder / "documents").glob("?*.txt"):
        path.write_text(f"{LINES[int(path.stem) % 2]} {path.stem}" if path.stem.isdigit() else "")
    settings = {"scratch": {**form, "tokenizer": kind}, "passes": 50, "learning_rate": 0.006, "window": 48}
    found = pretrain(config_file(folder, base=None, model=None, **settings))
    assert found.after.per_character < 0.4 * found.before.per_character
    assert (found.n_learned, found.n_held_out, len(found.unread)) == (24 - found.n_held_out, found.n_held_out, 2)
    assert 0 < found.n_held_out < 12 and 0 < found.after.characters <= 2000
    assert found.before.characters == found.after.characters
    pipeline = Pipeline.from_pretrained(found.folder)
    (words,) = pipeline.fill(LINES[1].replace("aspirin", "[MASK]"))
    assert words[0].text == "aspirin"


def test_an_interrupted_run_ends_like_an_uninterrupted_one(folder, monkeypatch):
    scratch = {"layers": 1, "width": 16, "attention_heads": 2, "feed_forward": 16, "positions": 64, "vocabulary": 200}
    settings = {"base": None, "scratch": scratch, "passes": 2, "model": None, "save_every": 3}
    whole = pretrain(config_file(folder, **settings))
    path = config_file(folder, **settings, output=str(folder / "other"))
    remove_others = training.batch_trainer.remove_others

    def cut_off(*args, **kwargs):
        remove_others(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.batch_trainer, "remove_others", cut_off)
        with pytest.raises(KeyboardInterrupt):
            pretrain(path)
    resumed = pretrain(path)
    assert resumed.after.bits == pytest.approx(whole.after.bits, rel=1e-5)
    first, second = (json.loads((folder / name / "log.json").read_text())[-1]["step"] for name in ("run", "other"))
    assert first == second > 3


def test_a_tokenizer_is_the_same_each_time_it_is_trained():
    for kind in ("wordpiece", "bpe"):
        config = ScratchConfig(vocabulary=400, tokenizer=kind)
        one, two = (train_tokenizer(CORPUS * 3, config).to_str() for _ in range(2))
        assert one == two
        text = CORPUS[0] + " Ünïcödé 東京"
        tokens = tokenize(text, train_tokenizer([text], config))
        assert "".join(text[s:e] for s, e in tokens.offsets if e > s).replace(" ", "") == text.replace(" ", "") or (
            kind == "bpe"  # a character of several bytes may be several tokens
        )


# ---------------------------------------------------------------------------------------------------------- what comes


@pytest.mark.parametrize(
    ("form", "network"),
    [
        (BertConfig, BertForMaskedLM),
        (RobertaConfig, RobertaForMaskedLM),
    ],
)
def test_the_prediction_layers_of_a_checkpoint_are_used(tmp_path, form, network, fill_model):
    shape = {"vocab_size": 140, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(2)
    task = network(form(**shape, intermediate_size=16, initializer_range=0.5, pad_token_id=0)).eval()
    task.save_pretrained(tmp_path)
    make_tokenizer().save(str(tmp_path / "tokenizer.json"))
    model = Model.from_base(tmp_path, FILL).eval()
    ids = torch.tensor([[2, 20, 4, 31, 3]])
    wanted = task(ids).logits[0]
    assert not torch.allclose(model.heads["fill"](model.encoder(ids)[0]), wanted, atol=1e-3)
    assert load_prediction_head(model, str(tmp_path))
    torch.testing.assert_close(model.heads["fill"](model.encoder(ids)[0]), wanted, atol=1e-3, rtol=0)
    fill_model.encoder.backbone.save_pretrained(tmp_path / "plain")
    assert not load_prediction_head(model, str(tmp_path / "plain"))


def test_documents_are_held_out_by_name_and_the_same_text_is_read_once(folder):
    texts = read_texts(["documents/*.txt", "documents/1.txt"], [])
    assert len(texts.texts) == 24
    (folder / "documents" / "copy.txt").write_text((folder / "documents" / "3.txt").read_text())
    (folder / "documents" / "more.txt").write_text("One more text.")
    more = read_texts([str(folder / "documents")], [])
    assert len(more.texts) == 25
    held = [{text.name for text in found.split(0.3)[1]} for found in (texts, more)]
    assert 0 < len(held[0]) < 24 and held[1] - {"more.txt"} == held[0]
    assert all(map(len, texts.split(0.0001))) and all(map(len, texts.split(0.9999)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": None}, "give one of base"),
        ({"scratch": {"layers": 1}}, "give one of base"),
        ({"documents": None}, "both empty"),
        ({"held_out": 0.0}, "held_out must be above 0"),
        ({"masked": 1.0}, "masked must be above 0"),
        ({"passes": 0.0}, "passes must be above 0"),
        ({"overlap": 30}, "too small for an overlap of 30"),
        ({"model": {"heads": {"names": {"labels": ["A"]}}}}, "no head of kind fill"),
        ({"base": None, "scratch": {"width": 10, "attention_heads": 3}}, "multiple of attention_heads"),
        ({"base": None, "scratch": {"tokenizer": "bpe", "vocabulary": 100}}, "at least 261"),
        ({"base": None, "scratch": {"tokenizer": "bpe", "lower_case": True}}, "works with tokenizer: wordpiece only"),
        ({"maskd": 1}, "did you mean 'masked'"),
    ],
)
def test_the_error_for_a_wrong_config_says_what_is_wrong(folder, changes, message):
    with pytest.raises(ConfigError, match=message):
        load_yaml(PretrainConfig, config_file(folder, **changes))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"documents": ["nowhere"]}, DataError, "no such documents: nowhere"),
        ({"documents": ["nowhere/*.pdf"]}, DataError, "no such documents"),
        ({"documents": ["documents/empty.txt", "documents/broken.pdf"]}, DataError, "none of 2 could be read.*0 bytes"),
        ({"documents": ["documents/1.txt"]}, DataError, "only 1 document"),
        ({"window": 100}, ConfigError, "has 64 positions; .*encoder: sparse"),
        ({"evaluate_characters": 1}, ConfigError, "not enough for one word"),
        ({"passes": 1e-9}, ConfigError, "no document was drawn"),
    ],
)
def test_unusable_inputs_are_refused_before_anything_is_written(folder, changes, error, message):
    with pytest.raises(error, match=message):
        pretrain(config_file(folder, **changes))
    assert not (folder / "run").exists()


def test_a_tokenizer_without_a_mask_and_narrow_embeddings_are_refused(folder):
    with pytest.raises(ConfigError, match="no mask token"):
        Vocabulary.of(Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]")))
    bare = Tokenizer(models.WordLevel({"[MASK]": 0, "[UNK]": 1}, unk_token="[UNK]"))
    with pytest.raises(ConfigError, match="only special tokens"):
        Vocabulary.of(bare)
    shape = {"vocab_size": 140, "embedding_size": 8, "hidden_size": 16, "num_attention_heads": 2}
    ElectraModel(ElectraConfig(**shape, intermediate_size=16)).save_pretrained(folder / "base")
    with pytest.raises(ConfigError, match="embeddings of another width"):
        pretrain(config_file(folder))


def test_the_shipped_config_reads_only_training_parts():
    config = load_yaml(PretrainConfig, ROOT / "configs" / "pretrain.yaml")
    for corpus in config.corpora:
        assert getattr(corpus, "part", None) == "train" or all("train" in name for name in corpus.files)
