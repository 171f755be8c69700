"""What a checkpoint says of itself is honoured: segment ids, tags, classes, lengths, patterns, modules, prompts.

Each small checkpoint is read with the results of its own class, or refused by name.
"""

import json
import math
import warnings

import numpy as np
import pytest
import torch
import transformers as tf
from safetensors.torch import save_file
from tokenizers import processors

import reference
from conftest import CORPUS, make_tokenizer
from longdoc.attention import SparsePattern, sparsify
from longdoc.convert import convert
from longdoc.document import Document
from longdoc.errors import CheckpointWarning, ConfigError
from longdoc.labels import tag_names
from longdoc.pipeline import Pipeline
from longdoc.sources import load_model
from test_hub import HEADS, LONG, QUESTION, SIZES, TEXT, load, own_output, read, save

NLI = ["Contradiction", "NEUTRAL", "entailment"]
SEGMENTS = ["input_ids", "token_type_ids", "attention_mask"]
PLAIN = ["input_ids", "attention_mask"]


def change(path, **settings):
    record = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**record, **settings}))


def checkpoint(folder, family, kind, inputs=None, tokenizer=None, **settings):
    """A checkpoint with random weights and its class's own tokenizer, of which some settings are changed."""
    if isinstance(settings.get("id2label"), list):
        settings["id2label"] = dict(enumerate(settings["id2label"]))
    model, _ = save(folder, family, HEADS.get(kind, "ForSequenceClassification"), **settings)
    if inputs is not None:
        change(folder / "tokenizer_config.json", model_input_names=inputs)
    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
    return model, tf.AutoTokenizer.from_pretrained(folder)


def with_classifier_segment():
    """A tokenizer that gives the first token a segment of its own, and the texts of a pair 1 and 0."""
    tokenizer = make_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:2 $A:1 [SEP]:1",
        pair="[CLS]:2 $A:1 [SEP]:1 $B:0 [SEP]:2",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


# Family, kind, and the words of the checkpoint.
READ = {
    "no segments for BERT": ("bert", "qa", {"inputs": PLAIN}),
    "segments for BERT": ("bert", "qa", {"inputs": SEGMENTS}),
    "segments for ALBERT": ("albert", "qa", {"inputs": SEGMENTS}),
    "no segments for ALBERT": ("albert", "qa", {"inputs": PLAIN}),
    "segments for DeBERTa": ("deberta-v2", "qa", {"inputs": SEGMENTS, "type_vocab_size": 2}),
    "BigBird's own segments": ("big_bird", "qa", {"inputs": PLAIN}),
    "the tokenizer's segments for BigBird": ("big_bird", "qa", {"inputs": SEGMENTS}),
    "segments that RoBERTa's tokenizer does not number": (
        "roberta",
        "qa",
        {"inputs": SEGMENTS, "type_vocab_size": 2},
    ),
    "a segment of the first token": (
        "bert",
        "qa",
        {"inputs": SEGMENTS, "tokenizer": with_classifier_segment(), "type_vocab_size": 3},
    ),
    "segments of a single text": (
        "bert",
        "classify",
        {"inputs": SEGMENTS, "tokenizer": with_classifier_segment(), "type_vocab_size": 3},
    ),
    "one class of several at once": (
        "bert",
        "classify",
        {"id2label": ["toxic"], "problem_type": "multi_label_classification"},
    ),
    "entailment": ("bert", "nli", {"id2label": NLI, "inputs": SEGMENTS}),
    "entailment without segments": ("roberta", "nli", {"id2label": NLI[::-1]}),
    "entailment or not": ("deberta-v2", "nli", {"id2label": ["not_entailment", "ENTAILMENT"]}),
    "entailment of Longformer": ("longformer", "nli", {"id2label": NLI}),
    "entailment of a cross-encoder": (
        "bert",
        "nli",
        {"id2label": NLI, "sentence_transformers": {"version": "5.0.0"}},
    ),
}


@pytest.mark.parametrize("case", READ)
def test_the_logits_are_those_of_the_class(tmp_path, case):
    family, kind, words = READ[case]
    model, fast = checkpoint(tmp_path, family, kind, **words)
    texts = {"qa": (QUESTION, TEXT), "nli": (TEXT, QUESTION)}.get(kind, (TEXT,))
    output, encoded = own_output(model, fast, *texts)
    pipeline = Pipeline(load_model(tmp_path), device="cpu", precision="float32")
    assert [head.kind for head in pipeline.heads.values()] == [kind]
    (scores,) = read(pipeline, kind, TEXT, QUESTION if kind != "classify" else None).scores
    if kind == "qa":
        content = [i for i, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
        own = torch.stack([output.start_logits[0], output.end_logits[0]], dim=-1)[content].numpy()
        np.testing.assert_allclose(scores[:, :2], own, atol=5e-5)
        return
    np.testing.assert_allclose(scores, output.logits.numpy(), atol=5e-5)
    if kind == "nli":
        (found,) = pipeline.infer(Document.from_text(TEXT), [QUESTION])
        own = dict(zip(model.config.id2label.values(), output.logits[0].softmax(-1).tolist(), strict=True))
        assert found.scores == pytest.approx(own, abs=1e-4) and found.label == max(own, key=own.get)


@pytest.mark.parametrize(
    ("names", "scheme", "tags"),
    [
        (["O", "b-per", "i-per"], "iob1", ["O", "B-per", "I-per"]),
        (["PER-B", "PER-I", "LOC-B", "LOC-I", "O"], "iob1", ["B-PER", "I-PER", "B-LOC", "I-LOC", "O"]),
        (["O", "I_PER", "B_PER"], "iob1", ["O", "I-PER", "B-PER"]),
        (["O", "B-PER", "I-Per"], "iob1", ["O", "B-PER", "I-PER"]),
        (["o", "u-per", "l-per", "i-per", "b-per"], "bioes", ["O", "S-per", "E-per", "I-per", "B-per"]),
        (["per_s", "per_e", "per_i", "per_b", "O"], "bioes", ["S-per", "E-per", "I-per", "B-per", "O"]),
        (["O", "B-PER", "M-PER", "E-PER", "W-PER"], "bioes", ["O", "B-PER", "I-PER", "E-PER", "S-PER"]),
        (["O", "B-PER", "I-PER", "E-PER"], "iob1", ["O", "B-PER", "I-PER", "I-PER"]),  # a name of a word is B alone
        (["O", "B-PER", "I-PER", "U-PER"], "iob1", ["O", "B-PER", "I-PER", "B-PER"]),
        (["I", "B", "O"], "iob1", ["I-ENTITY", "B-ENTITY", "O"]),
        (["O", "B-", "I-"], "iob1", ["O", "B-ENTITY", "I-ENTITY"]),
        (["O", "_b", "_i"], "iob1", ["O", "B-ENTITY", "I-ENTITY"]),
        (["O", "B-", "I-", "B-PER"], "iob1", ["O", "B-ENTITY", "I-ENTITY", "B-PER"]),
        (["O", "B-PER", "L-PER", "U-PER", "U-DAY"], "bioes", ["O", "B-PER", "E-PER", "S-PER", "S-DAY"]),
        (["O", "HEPATITIS-A", "HEPATITIS-B"], "io", ["O", "I-HEPATITIS-A", "I-HEPATITIS-B"]),
    ],
)
def test_tags_in_any_case_order_and_scheme(tmp_path, names, scheme, tags):
    model, fast = checkpoint(tmp_path, "bert", "ner", id2label=names)
    output, _ = own_output(model, fast, TEXT)
    own = output.logits[0, 1:-1].softmax(-1).numpy()
    pipeline = load(tmp_path, "ner")
    head = pipeline.heads["ner"]
    columns = tag_names(head.labels, head.scheme)
    (scores,) = read(pipeline, "ner", TEXT).scores
    assert head.scheme == scheme and {*tags} <= {*columns}
    for number, column in enumerate(columns):
        wanted = own[:, [tag == column for tag in tags]].sum(axis=1)
        np.testing.assert_allclose(scores[:, number], wanted, atol=2e-5)


PER = ["O", "B-PER", "I-PER"]
# Kind, the words of the checkpoint, and the refusal.
REFUSED = {
    "tags of a scheme and without": ("ner", {"id2label": [*PER, "MISC"]}, "has tags in several forms, .*MISC"),
    "letters before and after": ("ner", {"id2label": ["O", "PER-B", "I-PER"]}, "tags in several forms"),
    "a label and a tag of it": ("ner", {"id2label": ["O", "PER", "B-PER"]}, "tags in several forms.*: PER, B-PER"),
    "a label and a tag of it after": ("ner", {"id2label": ["O", "Per", "PER_B"]}, "tags in several forms"),
    "letters of several schemes": ("ner", {"id2label": [*PER, "M-CLASS"]}, "tags in several forms"),
    "a label that begins like an end": ("ner", {"id2label": [*PER, "E-MAIL"]}, r"without a beginning .*\(E-MAIL\)"),
    "a label that begins like a whole": ("ner", {"id2label": [*PER, "S-CORP"]}, r"without a beginning .*\(S-CORP\)"),
    "no end among ends": (
        "ner",
        {"id2label": [*PER, "E-PER", "S-PER", "B-DAY", "I-DAY"]},
        r"without a beginning or an end \(B-DAY, I-DAY\)",
    ),
    "ends alone": ("ner", {"id2label": ["O", "I-PER", "E-PER"]}, "entities without a beginning"),
    "labels that differ in case": ("ner", {"id2label": [*PER, "B-per"]}, "'B-PER' and 'B-per', which may be one"),
    "one tag": ("ner", {"id2label": ["PER"]}, "has one tag, PER, which every word would get"),
    "no tag of an entity": ("ner", {"id2label": ["O", "X"]}, "no tag of an entity, only O, X"),
    "a rating": ("classify", {"id2label": ["score"]}, "predicts one number, not classes"),
    "several ratings": (
        "classify",
        {"id2label": ["price", "quality"], "problem_type": "regression"},
        "predicts numbers, not classes",
    ),
    "a cross-encoder": (
        "classify",
        {"id2label": ["no", "yes"], "sentence_transformers": {"version": "5.0.0"}},
        "classifies pairs of texts",
    ),
    "paraphrases": ("classify", {"id2label": ["not_equivalent", "equivalent"]}, "classifies pairs of texts"),
    "one name twice": ("classify", {"id2label": ["fee", "fee"]}, "two classes of one name"),
    "entailment of a text alone": ("classify", {"id2label": NLI}, "judges a hypothesis about a text.*nli="),
    "more segments than the encoder has": (
        "qa",
        {"inputs": SEGMENTS, "tokenizer": with_classifier_segment()},
        r"numbers the texts of a pair up to 2 \(token_type_ids\), and type_vocab_size",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_rightly_is_refused_by_name(tmp_path, case):
    kind, words, message = REFUSED[case]
    checkpoint(tmp_path, "bert", kind, **words)
    with pytest.raises(ConfigError, match=message) as refusal:
        Pipeline.from_pretrained(**{kind: tmp_path})
    assert tmp_path.name in str(refusal.value)


def test_a_cross_encoder_of_newer_folders_is_refused_by_name(tmp_path):
    checkpoint(tmp_path, "bert", "classify", id2label=["no", "yes"])
    change(tmp_path / "config_sentence_transformers.json", model_type="CrossEncoder")
    with pytest.raises(ConfigError, match="classifies pairs of texts"):
        Pipeline.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        *((kind, "reads the boxes of words") for kind in ("layoutlm", "layoutlmv2", "layoutlmv3", "lilt", "bros")),
        ("modernbert-decoder", "reads a text from left to right"),
        ("luke", "reads entities beside the words"),
        ("markuplm", "places of words in a page's HTML"),
        ("lxmert", "reads pictures"),
        ("perceiver", "reads bytes"),
        ("roc_bert", "shapes and sounds of characters"),
        ("xmod", "without a default_language"),
        ("xlm", "embeddings of several languages"),
        *((kind, "which") for kind in ("funnel", "nystromformer", "reformer", "splinter", "tapas", "xlnet")),
    ],
)
def test_encoders_that_need_more_than_words_are_refused_by_name(tmp_path, kind, message):
    record = {"model_type": kind, "n_langs": 2 if kind == "xlm" else 1}
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=rf"model_type is '{kind}'.*{message}.*longdoc reads encoders of text"):
        Pipeline.from_pretrained(embed=tmp_path)


@pytest.mark.parametrize("kind", ["ner", "classify", "fill"])
def test_a_head_that_needs_more_than_states_is_refused(tmp_path, monkeypatch, kind):
    def forward(self, input_ids=None, inputs_embeds=None, **_):
        return self.bert(input_ids=input_ids, inputs_embeds=inputs_embeds).cache

    checkpoint(tmp_path, "bert", kind, **{"ner": {"id2label": PER}}.get(kind, {}))
    monkeypatch.setattr(getattr(tf, f"Bert{HEADS[kind]}"), "forward", forward)
    with pytest.raises(ConfigError, match=rf"the head of a Bert{HEADS[kind]} cannot be computed .*'cache'"):
        Pipeline.from_pretrained(**{kind: tmp_path})


def test_an_encoder_with_a_default_language_is_read(tmp_path):
    checkpoint(tmp_path, "bert", "ner", id2label=PER)
    config = tf.XmodConfig(**SIZES, pad_token_id=0, languages=["en_XX", "de_DE"], default_language="de_DE")
    config.id2label = dict(enumerate(PER))
    model = tf.XmodForTokenClassification(config).eval()
    model.save_pretrained(tmp_path)
    output, _ = own_output(model, tf.AutoTokenizer.from_pretrained(tmp_path), TEXT)
    (scores,) = read(load(tmp_path, "ner"), "ner", TEXT).scores
    np.testing.assert_allclose(scores, output.logits[0, 1:-1].softmax(-1).numpy(), atol=2e-5)


@pytest.mark.parametrize("kind", ["ner", "classify"])
def test_classes_without_names_are_told_once(tmp_path, kind):
    checkpoint(tmp_path, "bert", kind, id2label=["LABEL_0", "LABEL_1"])
    with pytest.warns(CheckpointWarning, match=r"LABEL_0, LABEL_1.*write the names into id2label") as told:
        pipeline = load(tmp_path, kind)
        pipeline(Document.from_text(TEXT))
    assert len(told) == 1


def test_classes_are_numbered_from_0(tmp_path):
    checkpoint(tmp_path, "bert", "classify", id2label=["a", "b"])
    change(tmp_path / "config.json", id2label={"1": "a", "2": "b"})
    with pytest.raises(ConfigError, match=r"id2label of config.json has the numbers 1, 2; they must be .* 0 to 1"):
        load(tmp_path, "classify")


@pytest.mark.parametrize(("stated", "size"), [(48, 48), (10**30, 130), (4096, 130), (None, 130)])
def test_the_windows_are_no_longer_than_the_tokenizer_states(tmp_path, stated, size):
    checkpoint(tmp_path, "bert", "ner", id2label=PER)
    change(tmp_path / "tokenizer_config.json", model_max_length=stated)
    assert load(tmp_path, "ner").model.config.windows.size == size


@pytest.mark.parametrize("stated", [0, -1, "512", 4.5, True])
def test_a_length_that_is_none_is_refused(tmp_path, stated):
    checkpoint(tmp_path, "bert", "ner", id2label=PER)
    change(tmp_path / "tokenizer_config.json", model_max_length=stated)
    with pytest.raises(ConfigError, match=r"model_max_length is .*; allowed are numbers of tokens, at least 8"):
        load(tmp_path, "ner")


@pytest.mark.parametrize("family", ["bert", "modernbert", "longformer", "big_bird"])
def test_a_converted_checkpoint_keeps_its_pattern_and_its_length(tmp_path, family):
    checkpoint(tmp_path / "short", family, "qa", inputs=None)
    window = 20 if family in ("bert", "modernbert") else None
    convert(tmp_path / "short", tmp_path / "long", max_tokens=900, window=window)
    tokenizer = tf.AutoTokenizer.from_pretrained(tmp_path / "long")
    model = sparsify(tf.AutoModelForQuestionAnswering.from_pretrained(tmp_path / "long").eval())
    output, encoded = own_output(model, tokenizer, QUESTION, LONG[:1200])
    content = [i for i, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
    assert SIZES["max_position_embeddings"] < len(content), "longer than the rows before the conversion"
    pipeline = load(tmp_path / "long", "qa")
    config = pipeline.model.config
    assert (config.windows.size, pipeline.heads["qa"].windows.size, config.sparse.windows) == (900, 900, True)
    if window is not None:
        assert config.sparse.pattern == SparsePattern(window=window)
    (scores,) = read(pipeline, "qa", LONG[:1200], QUESTION).scores
    own = torch.stack([output.start_logits[0], output.end_logits[0]], dim=-1)[content].numpy()
    np.testing.assert_allclose(scores[:, :2], own, atol=2e-4)
    assert len(read(load(tmp_path / "long", "qa", "sparse"), "qa", LONG, QUESTION).windows) == 1


def test_padding_that_an_encoder_would_see_is_never_added(tmp_path):
    checkpoint(tmp_path, "bert", "ner", id2label=PER)
    config = tf.ConvBertConfig(**SIZES, embedding_size=32, pad_token_id=0, id2label=dict(enumerate(PER)))
    tf.ConvBertForTokenClassification(config).save_pretrained(tmp_path)
    pipeline = load(tmp_path, "ner")
    (reader,) = pipeline.readers
    documents = [Document.from_text(text) for text in (TEXT, TEXT[:30])]
    readings = [reader.read(document, reader.tokenize(document), ["ner"]) for document in documents]
    for together, reading in zip(reader.score(readings), readings, strict=True):
        (alone,) = reader.score([reading])
        np.testing.assert_allclose(together["ner"].scores[0], alone["ner"].scores[0], atol=1e-5)


# ------------------------------------------------------------------------------------------------ sentence-transformers


def modules_of(folder, family, modules, prompts=None):
    """A folder as sentence-transformers writes it; the settings of the twin are those of the weights."""
    checkpoint(folder, family, "fill")
    listed = [("Transformer", ""), *((kind, f"{i}_{kind}") for i, (kind, _) in enumerate(modules, 1))]
    records = [{"idx": i, "name": str(i), "path": path, "type": f"a.b.{kind}"} for i, (kind, path) in enumerate(listed)]
    (folder / "modules.json").write_text(json.dumps(records))
    for (kind, path), (_, settings) in zip(listed[1:], modules, strict=True):
        (folder / path).mkdir()
        record, weights = {}, {}
        if kind == "Pooling":
            record = {"pooling_mode": settings, "include_prompt": not (prompts or {}).get("excluded", False)}
        elif kind in ("Dense", "LayerNorm"):
            layer = "linear" if kind == "Dense" else "norm"
            names = [name for name in ("weight", "bias") if name in settings]
            weights = {f"{layer}.{name}": torch.tensor(settings[name]) for name in names}
            record = {"activation_function": settings.get("name", ""), "use_residual": settings.get("residual", False)}
        change(folder / path / "config.json", **record)
        if weights:
            save_file(weights, folder / path / "model.safetensors")
    if prompts is not None:
        change(folder / "config_sentence_transformers.json", **prompts.get("settings", {}))


def random_layer(n_in, n_out, seed, **settings):
    rng = np.random.default_rng(seed)
    return {"weight": rng.normal(size=(n_out, n_in)).astype(np.float32).tolist(), **settings}


WIDE = {**random_layer(32, 40, 1), "bias": [0.1] * 40, "activation": math.tanh, "name": "torch.nn.Tanh"}
NARROW = random_layer(40, 12, 2, activation=lambda x: max(x, 0.0), name="torch.nn.modules.activation.ReLU")
SQUARE = random_layer(32, 32, 3, activation=lambda x: x, name="torch.nn.Identity", residual=True)
SCALED = {"weight": [1.5] * 32, "bias": [0.2] * 32}
DEFAULT = {"prompts": {"query": "query: ", "passage": "text: "}, "default_prompt_name": "passage"}
EXCLUDED = {"settings": DEFAULT, "excluded": True}
NO_DEFAULT = {"settings": {}, "excluded": True}
EMPTY_DEFAULT = {"settings": {"prompts": {"query": ""}, "default_prompt_name": "query"}, "excluded": True}
VECTORS = {
    "max": ("bert", [("Pooling", "max")], None),
    "root": ("bert", [("Pooling", "mean_sqrt_len_tokens"), ("Normalize", {})], None),
    "weighted": ("roberta", [("Pooling", "weightedmean")], None),
    "last": ("roberta", [("Pooling", "lasttoken")], None),
    "a layer": ("bert", [("Pooling", "mean"), ("Dense", WIDE), ("Normalize", {})], None),
    "two layers": ("bert", [("Pooling", "cls"), ("Dense", WIDE), ("Normalize", {}), ("Dense", NARROW)], None),
    "a sum": ("bert", [("Pooling", "max"), ("Dense", SQUARE), ("LayerNorm", SCALED), ("Dropout", {})], None),
    "a prompt": ("bert", [("Pooling", "mean"), ("Normalize", {})], {"settings": DEFAULT}),
    "a prompt before bytes": ("modernbert", [("Pooling", "weightedmean")], {"settings": DEFAULT}),
    "a prompt that does not count": ("bert", [("Pooling", "weightedmean"), ("Normalize", {})], EXCLUDED),
    "first after a prompt": ("roberta", [("Pooling", "cls")], EXCLUDED),
    "first, without a prompt to skip": ("bert", [("Pooling", "cls"), ("Dense", WIDE)], NO_DEFAULT),
    "all, without a prompt to skip": ("bert", [("Pooling", "mean"), ("Dense", WIDE)], NO_DEFAULT),
    "an empty prompt to skip": ("bert", [("Pooling", "cls"), ("Dense", WIDE)], EMPTY_DEFAULT),
}


@pytest.mark.parametrize("case", VECTORS)
def test_vectors_are_those_of_the_modules(tmp_path, case):
    family, modules, prompts = VECTORS[case]
    modules_of(tmp_path, family, modules, prompts)
    tokenizer = tf.AutoTokenizer.from_pretrained(tmp_path)
    prompt = "text: " if prompts and prompts["settings"] is DEFAULT else ""
    with torch.no_grad():
        encoded = tokenizer(prompt + TEXT, return_tensors="pt")
        states = tf.AutoModel.from_pretrained(tmp_path)(**encoded).last_hidden_state[0].tolist()
    n_skipped = len(tokenizer(prompt)["input_ids"]) - 1 if prompts is EXCLUDED else 0
    pipeline = Pipeline(load_model(tmp_path, "embed"), device="cpu", precision="float32")
    vector = pipeline.embed(Document.from_text(TEXT))
    np.testing.assert_allclose(vector, reference.sentence_vector(states, modules, n_skipped), atol=5e-5)
    assert pipeline.embed(Document.from_text("")).shape == vector.shape
    parts = pipeline.embed(Document.from_text(LONG), "sentence")
    assert len(parts.vectors) > 10 and np.isfinite(parts.vectors).all()


def test_prompts_without_a_default_are_told(tmp_path):
    modules_of(tmp_path, "bert", [("Pooling", "mean")], {"settings": {"prompts": DEFAULT["prompts"]}})
    with pytest.warns(CheckpointWarning, match=r"has the prompts query, passage, and none is the default"):
        load_model(tmp_path, "embed")
    change(tmp_path / "config_sentence_transformers.json", prompts={"query": "", "document": ""})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(tmp_path, "embed")


@pytest.mark.parametrize(
    ("file", "settings", "message"),
    [
        ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "model_type is 'SparseEncoder'"),
        ("config_sentence_transformers.json", {"default_prompt_name": "q", "prompts": {"a": ""}}, "the prompts are a"),
        ("config_sentence_transformers.json", {"prompts": {"a": 1}}, "expected a text for each name"),
        ("sentence_bert_config.json", {"max_seq_length": "many"}, "max_seq_length is 'many'"),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "transformer_task is 'fill-mask'"),
        ("2_Dense/config.json", {"activation_function": "os.system"}, "activation_function is 'os.system'"),
        ("2_Dense/config.json", {"module_input_name": "token_embeddings"}, "module_input_name is 'token_embeddings'"),
        ("2_Dense/config.json", {"use_residual": True}, "the weights are not those of a module Dense"),
        ("1_Pooling/config.json", {"pooling_mode": "median"}, "pools by median; allowed is one of"),
    ],
)
def test_modules_that_compute_something_else_are_refused(tmp_path, file, settings, message):
    modules_of(tmp_path, "bert", [("Pooling", "mean"), ("Dense", WIDE)])
    change(tmp_path / file, **settings)
    with pytest.raises(ConfigError, match=message):
        load_model(tmp_path, "embed")


def test_weights_of_modules_are_checked(tmp_path):
    modules_of(tmp_path, "bert", [("Pooling", "mean"), ("Dense", NARROW)])
    with pytest.raises(ConfigError, match=r"linear.weight is \(12, 40\); the vectors before it have 32 numbers"):
        load_model(tmp_path, "embed")
    weights = tmp_path / "2_Dense" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:50])
    with pytest.raises(ConfigError, match="is damaged or incomplete"):
        load_model(tmp_path, "embed")
    weights.unlink()
    with pytest.raises(ConfigError, match=r"2_Dense has no model.safetensors; pickled weights are not read"):
        load_model(tmp_path, "embed")


def test_a_hypothesis_is_judged_by_the_window_that_entails_it(tmp_path):
    checkpoint(tmp_path, "bert", "nli", id2label=NLI)
    pipeline = load(tmp_path, "nli")
    scores = np.stack([window[0] for window in read(pipeline, "nli", LONG, QUESTION).scores])
    (found,) = pipeline.infer(Document.from_text(LONG), [QUESTION])
    strongest = torch.tensor(scores.max(axis=0)).softmax(-1).tolist()
    assert len(scores) > 3 and [*found.scores.values()] == pytest.approx(strongest, abs=1e-5)
    with pytest.raises(ConfigError, match="hypothesis after the text"):
        load(tmp_path, "nli", "sparse")
    assert CORPUS[0] in LONG
