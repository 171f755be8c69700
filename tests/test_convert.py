"""Converted checkpoints: the same weights, names and outputs on short texts."""

import json
import math
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn.functional import log_softmax
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerFast

from conftest import CORPUS, make_model, make_tokenizer
from longdoc import cli
from longdoc.attention import SparsePattern, sparsify
from longdoc.convert import Conversion, convert
from longdoc.convert.cloze import Cloze
from longdoc.errors import ConfigError
from longdoc.metrics import Bits

pytestmark = pytest.mark.slow

TOKENS = 64
TABLE = "embeddings.position_embeddings.weight"
TEXT = " ".join(CORPUS * 6)
SIZES = dict(
    vocab_size=300,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=TOKENS,
    initializer_range=0.3,
)
ROBERTA = {**SIZES, "max_position_embeddings": TOKENS + 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
DISTIL = {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2, "vocab_size": 300, "initializer_range": 0.3}
SPECIAL = {"pad_token_id": 0, "cls_token_id": 2, "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3}
MODERN = {**SIZES, **SPECIAL, "initializer_cutoff_factor": 2.0, "local_attention": 16, "global_attn_every_n_layers": 2}
CHECKPOINTS = {
    "bert": ("BertForMaskedLM", SIZES),
    "roberta": ("RobertaForMaskedLM", ROBERTA),
    "albert": ("AlbertForMaskedLM", {**SIZES, "embedding_size": 8, "pad_token_id": 0}),
    "distilbert": ("DistilBertForMaskedLM", {**DISTIL, "max_position_embeddings": TOKENS}),
    "modernbert": ("ModernBertForMaskedLM", MODERN),
    "mobilebert": ("MobileBertForMaskedLM", {**SIZES, "embedding_size": 8, "intra_bottleneck_size": 16}),
    "bare": ("BertModel", SIZES),
    "classifier": ("BertForSequenceClassification", SIZES),
    "two-heads": ("BertForPreTraining", SIZES),
    "relu": ("BertForMaskedLM", {**SIZES, "hidden_act": "relu"}),
    "deberta": ("DebertaV2ForMaskedLM", {**SIZES, "relative_attention": True, "pos_att_type": ["p2c"]}),
    "longformer": ("LongformerForMaskedLM", {**ROBERTA, "attention_window": [8, 16]}),
}
MASKED = ("bert", "roberta", "albert", "distilbert", "modernbert")


def wordpiece() -> PreTrainedTokenizerFast:
    tokenizer = make_tokenizer()
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, mask_token="[MASK]", model_max_length=TOKENS, max_length=TOKENS, **names
    )


def byte_pairs() -> PreTrainedTokenizerFast:
    """A tokenizer in RoBERTa's format."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = sorted(set("".join(CORPUS).replace(" ", "Ġ")))
    trainer = trainers.BpeTrainer(vocab_size=140, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        model_max_length=TOKENS,
        **names,
    )


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every checkpoint, in a folder of its own, with random weights."""
    folder = tmp_path_factory.mktemp("originals")
    torch.manual_seed(0)
    for name, (class_name, settings) in CHECKPOINTS.items():
        architecture = getattr(transformers, class_name)
        architecture(architecture.config_class(**settings)).save_pretrained(folder / name)
        (byte_pairs if settings.get("pad_token_id") == 1 else wordpiece)().save_pretrained(folder / name)
    return {name: folder / name for name in CHECKPOINTS}


@pytest.fixture(scope="session")
def converted(originals: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Those of ``MASKED``, for rows of 200 tokens."""
    folder = tmp_path_factory.mktemp("converted")
    for name in MASKED:
        convert(originals[name], folder / name, max_tokens=200, window=TOKENS)
    return {name: folder / name for name in MASKED}


def some_ids(n_tokens: int) -> torch.Tensor:
    ids = torch.randint(5, 130, (2, n_tokens), generator=torch.Generator().manual_seed(n_tokens))
    ids[:, 0], ids[:, -1] = 2, 3
    return ids


def logits(network: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """In double precision, except for attention, to reduce rounding errors."""
    with torch.inference_mode():
        return network.double().eval()(input_ids=ids).logits


def masked_lm(folder: Path) -> transformers.PreTrainedModel:
    return AutoModelForMaskedLM.from_pretrained(folder)


# ----------------------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize("name", MASKED)
def test_all_tensors_but_the_table_are_kept_under_their_names(name: str, originals, converted) -> None:
    old, new = (load_file(folders[name] / "model.safetensors") for folders in (originals, converted))
    assert list(old) == list(new)
    assert {key for key in old if not torch.equal(old[key], new[key])} == {key for key in old if key.endswith(TABLE)}


@pytest.mark.parametrize("name", ["bert", "roberta", "albert", "distilbert"])
def test_the_position_table_is_repeated(name: str, originals, converted) -> None:
    old, new = (load_file(folders[name] / "model.safetensors") for folders in (originals, converted))
    key = next(key for key in old if key.endswith(TABLE))
    offset = 2 if name == "roberta" else 0  # rows before a text's first token
    assert len(new[key]) == 200 + offset
    assert torch.equal(new[key][:offset], old[key][:offset])
    for place in range(200):
        assert torch.equal(new[key][offset + place], old[key][offset + place % TOKENS])


@pytest.mark.parametrize("name", MASKED)
def test_only_the_settings_of_length_and_pattern_differ(name: str, originals, converted) -> None:
    old, new = (json.loads((folders[name] / "config.json").read_text()) for folders in (originals, converted))
    pattern = new.pop("sparse_attention")
    assert (pattern["window"], pattern["global_tokens"]) == (TOKENS, [0])
    assert new.pop("max_position_embeddings") == (202 if name == "roberta" else 200)
    assert new.items() <= old.items()
    assert "attn_implementation" not in str(new)


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_the_tokenizer_knows_the_new_length(name: str, originals, converted) -> None:
    old, new = (AutoTokenizer.from_pretrained(folders[name]) for folders in (originals, converted))
    assert (old.model_max_length, new.model_max_length) == (TOKENS, 200)
    assert len(new(TEXT, truncation=True).input_ids) == 200
    assert new(TEXT, truncation=True, max_length=TOKENS).input_ids == old(TEXT, truncation=True).input_ids
    bare = Tokenizer.from_file(str(converted[name] / "tokenizer.json"))
    assert (bare.truncation, bare.padding) == (None, None)
    assert len(bare.encode(TEXT).ids) > 200
    assert "max_length" not in json.loads((converted[name] / "tokenizer_config.json").read_text())


def test_a_vocabulary_alone_gets_a_tokenizer_file(originals, tmp_path: Path) -> None:
    source = copy_of(originals["bert"], tmp_path / "source")
    words = Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab()
    (source / "tokenizer.json").unlink()
    (source / "tokenizer_config.json").unlink()
    (source / "vocab.txt").write_text("\n".join(sorted(words, key=words.__getitem__)))
    convert(source, tmp_path / "out", max_tokens=128)
    ids = AutoTokenizer.from_pretrained(originals["bert"])("The patient was given aspirin.").input_ids
    written = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert written("The patient was given aspirin.").input_ids == ids
    assert Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json")).encode(CORPUS[1]).ids[0] == 2
    assert written.model_max_length == 128


def test_weights_in_half_precision_and_in_parts_are_kept_as_they_are(originals, tmp_path: Path) -> None:
    source, output = copy_of(originals["bert"], tmp_path / "source"), tmp_path / "out"
    (source / "model.safetensors").unlink()
    half = masked_lm(originals["bert"]).half()
    half.save_pretrained(source, max_shard_size="10KB")
    assert len(list(source.glob("model-*.safetensors"))) > 1
    convert(source, output, max_tokens=128)
    written = load_file(output / "model.safetensors")
    assert {tensor.dtype for tensor in written.values()} == {torch.float16}
    assert set(written) == set(load_file(originals["bert"] / "model.safetensors"))
    assert torch.equal(written[f"bert.{TABLE}"], half.bert.embeddings.position_embeddings.weight.repeat(2, 1))


def test_weights_besides_the_masked_language_head_are_kept(originals, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert convert(originals["two-heads"], output, max_tokens=128).architecture == "BertForMaskedLM"
    assert set(load_file(output / "model.safetensors")) == set(load_file(originals["two-heads"] / "model.safetensors"))
    old, new = (transformers.BertForPreTraining.from_pretrained(folder) for folder in (originals["two-heads"], output))
    assert torch.equal(new.cls.seq_relationship.weight, old.cls.seq_relationship.weight)


def copy_of(folder: Path, new: Path) -> Path:
    new.mkdir()
    for path in folder.iterdir():
        (new / path.name).write_bytes(path.read_bytes())
    return new


# --------------------------------------------------------------------------------------------------------- the outputs


@pytest.mark.parametrize("name", MASKED)
def test_short_texts_have_the_same_outputs_as_before(name: str, originals, converted) -> None:
    ids = some_ids(50)
    before = logits(masked_lm(originals[name]), ids)
    torch.testing.assert_close(logits(masked_lm(converted[name]), ids), before, rtol=0, atol=5e-5)
    torch.testing.assert_close(logits(sparsify(masked_lm(converted[name])), ids), before, rtol=0, atol=5e-5)


@pytest.mark.parametrize("name", MASKED)
def test_long_texts_are_read_without_a_given_pattern(name: str, originals, converted) -> None:
    ids = some_ids(200)
    read = sparsify(AutoModel.from_pretrained(converted[name]))
    by_hand = sparsify(AutoModel.from_pretrained(originals[name]), SparsePattern(window=TOKENS), max_tokens=200)
    plain = AutoModel.from_pretrained(converted[name])
    states, wanted, dense = (
        network.double().eval()(input_ids=ids).last_hidden_state for network in (read, by_hand, plain)
    )
    torch.testing.assert_close(states, wanted, rtol=0, atol=5e-5)
    assert (states - dense).abs().max() > 0.01  # plain transformers reads as many tokens, densely


def test_a_classifier_keeps_its_head(originals, tmp_path: Path) -> None:
    conversion = convert(originals["classifier"], tmp_path / "out", max_tokens=128)
    assert conversion.architecture == "BertForSequenceClassification"
    old, new = (
        transformers.BertForSequenceClassification.from_pretrained(folder)
        for folder in (originals["classifier"], tmp_path / "out")
    )
    torch.testing.assert_close(logits(new, some_ids(50)), logits(old, some_ids(50)))


def test_a_longformer_keeps_its_windows(originals, tmp_path: Path) -> None:
    conversion = convert(originals["longformer"], tmp_path / "out", max_tokens=192)
    assert (conversion.window, conversion.tokens_before) == ((4, 8), TOKENS)
    new = sparsify(masked_lm(tmp_path / "out"))
    assert logits(new, some_ids(192)).shape == (2, 192, 300)
    old = logits(masked_lm(originals["longformer"]), some_ids(50))
    torch.testing.assert_close(logits(new, some_ids(50)), old, rtol=0, atol=5e-5)


# ---------------------------------------------------------------------------------------------------------- Longformer


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_a_longformer_made_from_it_has_the_same_outputs(name: str, originals, converted, tmp_path: Path) -> None:
    convert(originals[name], tmp_path / "out", max_tokens=200, window=TOKENS, global_projections=True)
    longformer = transformers.LongformerForMaskedLM.from_pretrained(tmp_path / "out")
    before = logits(masked_lm(originals[name]), some_ids(50))
    torch.testing.assert_close(logits(longformer, some_ids(50)), before, rtol=0, atol=5e-5)
    # On a long text, equal projections give what the model without them gives, global first token and all.
    ids = some_ids(200)
    wanted = logits(sparsify(masked_lm(converted[name])), ids)
    torch.testing.assert_close(logits(sparsify(longformer), ids), wanted, rtol=0, atol=5e-5)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["attention_window"] == [2 * TOKENS] * 2
    assert config["max_position_embeddings"] == 200 + config["pad_token_id"] + 1
    assert "attn_implementation" not in str(config)
    old, new = (AutoTokenizer.from_pretrained(folder) for folder in (originals[name], tmp_path / "out"))
    assert (config["bos_token_id"], config["sep_token_id"]) == (old.cls_token_id, old.sep_token_id)
    assert new(CORPUS[0]).input_ids == old(CORPUS[0], padding=False).input_ids


def test_a_longformer_has_the_names_of_transformers(originals, tmp_path: Path) -> None:
    convert(originals["bert"], tmp_path / "out", max_tokens=128, global_projections=True)
    network, report = transformers.LongformerForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not report["missing_keys"] | report["unexpected_keys"] | report["mismatched_keys"]
    attention, old = network.longformer.encoder.layer[1].attention.self, masked_lm(originals["bert"])
    for part in ("query", "key", "value"):
        for name in (part, f"{part}_global"):
            wanted = getattr(old.bert.encoder.layer[1].attention.self, part)
            assert torch.equal(getattr(attention, name).weight, wanted.weight)
            assert torch.equal(getattr(attention, name).bias, wanted.bias)


def test_a_bare_model_becomes_a_bare_longformer(originals, tmp_path: Path) -> None:
    conversion = convert(originals["bare"], tmp_path / "out", max_tokens=128, window=TOKENS, global_projections=True)
    assert conversion.architecture == "LongformerModel"
    old, new = (
        AutoModel.from_pretrained(folder).double().eval()(some_ids(50))
        for folder in (originals["bare"], tmp_path / "out")
    )
    torch.testing.assert_close(new.last_hidden_state, old.last_hidden_state, rtol=0, atol=5e-5)
    torch.testing.assert_close(new.pooler_output, old.pooler_output, rtol=0, atol=5e-5)


def test_a_tokenizer_without_a_class_is_not_taken_for_robertas(originals, tmp_path: Path) -> None:
    source = copy_of(originals["bert"], tmp_path / "source")
    record = json.loads((source / "tokenizer_config.json").read_text())
    del record["tokenizer_class"], record["backend"]
    (source / "tokenizer_config.json").write_text(json.dumps(record))
    convert(source, tmp_path / "out", max_tokens=128, global_projections=True)
    old, new = (AutoTokenizer.from_pretrained(folder) for folder in (source, tmp_path / "out"))
    assert type(new) is type(old)
    assert new(CORPUS[1]).input_ids == old(CORPUS[1], padding=False).input_ids


# ---------------------------------------------------------------------------------------------------------------- bits


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "mobilebert"])
def test_bits_are_those_of_a_loop_over_single_tokens(name: str, originals, tmp_path: Path) -> None:
    text = " ".join(CORPUS * 2)
    (tmp_path / "text.txt").write_text(text)
    conversion = convert(originals[name], tmp_path / "out", max_tokens=128, window=8, text=tmp_path / "text.txt")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    cloze = Cloze.of(text, tokenizer)
    before = slow_bits(masked_lm(originals[name]), cloze, TOKENS, text, tokenizer)
    after = slow_bits(sparsify(masked_lm(tmp_path / "out")), cloze, 128, text, tokenizer)
    for fast, slow in ((conversion.before, before), (conversion.after, after)):
        assert fast == Bits(pytest.approx(slow.bits, rel=1e-5), slow.tokens, slow.characters)
    assert before.bits != pytest.approx(after.bits, rel=1e-5)  # the two differ


def slow_bits(network, cloze: Cloze, max_tokens: int, text: str, tokenizer: PreTrainedTokenizerFast) -> Bits:
    """One masked token at a time: its row, the scores of the whole row, its probability."""
    encoding = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    bits, tokens, characters, size = 0.0, 0, 0, max_tokens - 2
    for place, is_masked in enumerate(cloze.chosen):
        if not is_masked:
            continue
        first = place // size * size
        row = [
            tokenizer.mask_token_id if cloze.chosen[first + i] else token
            for i, token in enumerate(encoding.ids[first : first + size])
        ]
        ids = torch.tensor([[tokenizer.cls_token_id, *row, tokenizer.sep_token_id]])
        scores = log_softmax(logits(network, ids)[0, 1 + place - first], -1)
        bits -= float(scores[encoding.ids[place]]) / math.log(2)
        tokens += 1
        start, end = encoding.offsets[place]
        characters += len(text[start:end])
    return Bits(bits, tokens, characters)


def test_the_same_share_of_tokens_is_masked_each_time() -> None:
    text = "[SEP] ".join(CORPUS * 20)
    tokenizer = wordpiece()
    cloze, again, other = (Cloze.of(text, tokenizer, seed) for seed in (0, 0, 1))
    assert not (cloze.ids < 5).any(), "[SEP] in a text is plain text"
    assert cloze.chosen.sum() == math.ceil(0.15 * len(cloze.ids))
    assert (cloze.chosen == again.chosen).all()
    assert (cloze.chosen != other.chosen).any()


def test_repeated_positions_beat_random_ones(tmp_path: Path) -> None:
    """Longformer's Table 5 on a small scale: a model that knows a letter by its neighbours needs their order."""
    train_on_letters().save_pretrained(tmp_path / "short")
    letter_tokenizer().save_pretrained(tmp_path / "short")
    text = " ".join(LETTERS[i] for i in walk(4000, torch.Generator().manual_seed(1)).tolist())
    (tmp_path / "text.txt").write_text(text)
    conversion = convert(tmp_path / "short", tmp_path / "long", max_tokens=128, window=16, text=tmp_path / "text.txt")
    scrambled = sparsify(masked_lm(tmp_path / "long"))
    table = scrambled.bert.embeddings.position_embeddings.weight.data
    table.normal_(std=table.std().item(), generator=torch.Generator().manual_seed(0))
    at_random = Cloze.of(text, letter_tokenizer()).bits(scrambled, 128)
    assert conversion.before.per_token < 0.5 * math.log2(len(LETTERS))  # it has learned something
    assert conversion.after.per_token < conversion.before.per_token + 0.5
    assert at_random.per_token > conversion.after.per_token + 2


LETTERS = "abcdefghijkl"


def walk(n_letters: int, generator: torch.Generator) -> torch.Tensor:
    """Indices of letters: the alphabet in a cycle, with a random jump at one step in ten."""
    steps = torch.ones(n_letters, dtype=torch.int64)
    jumps = torch.rand(n_letters, generator=generator) < 0.1
    steps[jumps] = torch.randint(len(LETTERS), (int(jumps.sum()),), generator=generator)
    return steps.cumsum(0) % len(LETTERS)


def letter_tokenizer() -> PreTrainedTokenizerFast:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token="[MASK]", **names)


def train_on_letters(n_tokens: int = 32) -> transformers.BertForMaskedLM:
    """A model of one layer that has learned to fill gaps in walks; takes two seconds."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    sizes = {
        **SIZES,
        "vocab_size": 5 + len(LETTERS),
        "num_hidden_layers": 1,
        "hidden_size": 32,
        "intermediate_size": 64,
    }
    settings = {"initializer_range": 0.2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = transformers.BertConfig(**{**sizes, **settings, "max_position_embeddings": n_tokens})
    network = transformers.BertForMaskedLM(config).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(400):
        ids = 5 + walk(32 * n_tokens, generator).view(32, n_tokens)
        masked = torch.rand(ids.shape, generator=generator) < 0.15
        ids[:, 0], ids[:, -1], masked[:, 0], masked[:, -1] = 2, 3, False, False
        loss = network(input_ids=ids.masked_fill(masked, 4), labels=ids.masked_fill(~masked, -100)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return network


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bert", {"max_tokens": 32}, "max_tokens is 32, but .* already reads 64"),
        ("roberta", {"max_tokens": 63}, "max_tokens is 63, but .* already reads 64"),
        ("modernbert", {"max_tokens": 63}, "max_tokens is 63, but .* already reads 64"),
        ("bert", {"max_tokens": 0}, "max_tokens is 0; allowed"),
        ("bert", {"max_tokens": -4}, "max_tokens is -4; allowed"),
        ("bert", {"max_tokens": 2**40}, "allowed: from the model's own length to 1,048,576"),
        ("bert", {"window": 0}, "window is 0"),
        ("longformer", {"window": 8}, "a longformer keeps the pattern it was trained with; leave it out"),
        ("deberta", {}, "deberta-v2 .*encoder='windows'"),
        ("bare", {"text": "text.txt"}, r"\(BertModel\) has no masked-language head"),
        ("classifier", {"text": "text.txt"}, "ForSequenceClassification.* has no masked-language head"),
        ("bert", {"text": "missing.txt"}, "missing.txt: cannot be read"),
        ("bert", {"text": "latin.txt"}, "not plain text in UTF-8; `longdoc show --text"),
        ("bert", {"text": "blank.txt"}, "the text contains no words"),
        ("classifier", {"global_projections": True}, "BertForSequenceClassification cannot become a Longformer"),
        ("albert", {"global_projections": True}, "AlbertForMaskedLM cannot .*; Bert, Roberta, .* can"),
        ("relu", {"global_projections": True}, "hidden_act is relu, but a Longformer's head computes gelu"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_written(
    name: str, options: dict, message: str, originals, tmp_path: Path
) -> None:
    for file, content in (("text.txt", b"aspirin"), ("latin.txt", b"\xe9t\xe9 \xff"), ("blank.txt", b" \n")):
        (tmp_path / file).write_bytes(content)
    if "text" in options:
        options = {**options, "text": tmp_path / options["text"]}
    with pytest.raises(ConfigError, match=message):
        convert(originals[name], tmp_path / "out", **{"max_tokens": 128, **options})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is damaged, not valid JSON"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "gpt2"}'), "encoders can be converted"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "bert", "vocab_size": "x"}'),
            "is no configuration",
        ),
        (
            lambda folder: (folder / "tokenizer.json").unlink(),
            "no tokenizer that can be loaded|has no file with the vocabulary",
        ),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "model is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"no weights in the safetensors format"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "is damaged"),
    ],
)
def test_a_damaged_checkpoint_is_refused(spoil, message: str, originals, tmp_path: Path) -> None:
    source = copy_of(originals["bert"], tmp_path / "source")
    spoil(source)
    with pytest.raises(ConfigError, match=message):
        convert(source, tmp_path / "out", max_tokens=128)
    assert not (tmp_path / "out").exists()


def test_a_head_without_weights_is_refused(originals, tmp_path: Path) -> None:
    source = copy_of(originals["bare"], tmp_path / "source")
    (source / "config.json").write_bytes((originals["bert"] / "config.json").read_bytes())
    (tmp_path / "text.txt").write_text(TEXT)
    with pytest.raises(ConfigError, match=r"\(BertForMaskedLM\) has no masked-language head"):
        convert(source, tmp_path / "out", max_tokens=128, text=tmp_path / "text.txt")


def test_a_pickle_is_not_opened(originals, tmp_path: Path) -> None:
    source = copy_of(originals["bert"], tmp_path / "source")
    (source / "model.safetensors").unlink()
    torch.save(masked_lm(originals["bert"]).state_dict(), source / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="pickled weights, which are not read, because a pickle can run code"):
        convert(source, tmp_path / "out", max_tokens=128)


def test_a_missing_folder_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        convert(tmp_path / "missing", tmp_path / "out", max_tokens=128)


def test_a_model_of_longdoc_needs_no_conversion(tmp_path: Path) -> None:
    make_model().save(tmp_path / "own")
    with pytest.raises(ConfigError, match=r"Pipeline\.from_pretrained\(.*own', encoder='sparse'\)"):
        convert(tmp_path / "own", tmp_path / "out", max_tokens=128)


def test_nothing_is_overwritten(originals, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("")
    (tmp_path / "file").write_text("")
    for output, message in (
        (tmp_path / "full", "already exists; choose another output folder"),
        (tmp_path / "file", "already exists; choose another output folder"),
        (originals["bert"], "would replace the model"),
        (tmp_path / "file" / "out", "cannot be written"),
    ):
        with pytest.raises(ConfigError, match=message):
            convert(originals["bert"], output, max_tokens=128)
    (tmp_path / "empty").mkdir()
    assert convert(originals["bert"], tmp_path / "empty", max_tokens=128).tokens_after == 128


# --------------------------------------------------------------------------------------------------------- the command


def test_the_command_reports_what_it_wrote_and_how_to_use_it(
    originals, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT)
    arguments = ["convert", str(originals["bert"]), "--max-tokens", "4096", "--window", "32", "--text", "text.txt"]
    assert cli.main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("bert-4096: BertForMaskedLM for rows of 4,096 tokens (before: 64); each token sees 32 to")
    n_masked = int(Cloze.of(TEXT, AutoTokenizer.from_pretrained(originals["bert"])).chosen.sum())
    assert f"{n_masked} masked tokens" in out
    before = [line.split() for line in out.splitlines() if line.startswith(("before:", "after:"))]
    assert [line[:5] for line in before] == [
        ["before:", "dense,", "rows", "of", "64"],
        ["after:", "sparse,", "rows", "of", "4,096"],
    ]
    assert all(float(line[5]) > float(line[6]) > 0 for line in before)
    names: dict = {}
    exec("\n".join(line.strip() for line in out.splitlines() if line.startswith("    ")), names)
    assert logits(names["model"], some_ids(1000)).shape == (2, 1000, 300)


def test_the_command_writes_to_the_given_folder(
    originals, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(originals["bert"])
    output = tmp_path / "deep" / "out"
    assert cli.main(["convert", ".", "--max-tokens", "100", "--global-projections", "-o", str(output)]) == 0
    assert f"{output}: LongformerForMaskedLM for rows of 100" in capsys.readouterr().out
    assert json.loads((output / "config.json").read_text())["attention_window"] == [512, 512]
    assert cli.main(["convert", ".", "--max-tokens", "100", "-o", "."]) == 2
    assert capsys.readouterr().err == "longdoc: .: the output would replace the model; choose another folder\n"


def test_the_report_of_a_conversion_gives_the_range_of_its_windows() -> None:
    made = Conversion(output=Path("o"), architecture="A", tokens_before=1, tokens_after=2, window=(8, 4, 8))
    assert "each token sees 4 to 8 to each side" in str(made)


def test_bits_add_up() -> None:
    total = Bits(6.0, 2, 8) + Bits(2.0, 2, 8)
    assert (total.per_token, total.per_character) == (2.0, 0.5)
    assert (Bits().per_token, Bits().per_character) == (0.0, 0.0)
