import copy
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DistilBertConfig, DistilBertModel

import isolated_functions
import reference
from conftest import CORPUS, make_asking_model, make_model
from longdoc import stream
from longdoc.attention import Rows, SparsePattern
from longdoc.convert.checkpoint import Checkpoint
from longdoc.decode import decode_entities
from longdoc.document import Document
from longdoc.errors import (
    ConcurrencyError,
    ConfigError,
    CorruptDocumentError,
    DocumentNotFoundError,
    LoaderDiedError,
    LongdocError,
)
from longdoc.model import Model
from longdoc.model_config import SparseConfig
from longdoc.pipeline import Pipeline
from longdoc.prediction import Failure, Prediction
from longdoc.rules import Rules
from longdoc.sources import load_model
from longdoc.windows import WindowConfig, sentence_starts, split, tokenize

LONG = " ".join(CORPUS[:2] * 12)


def slow_entities(model, head, text):
    """Entities without batching: window by window."""
    tokens = tokenize(text, model.tokenizer)
    rule, size = model.config.windows.merge, model.config.windows.size - 2
    cuts = sentence_starts(text, tokens.offsets)
    windows = split(len(tokens), size=size, overlap=model.config.windows.overlap, cuts=cuts)
    assert len(windows) > 3, "the text must need several windows"
    scores = np.array(reference.document_probabilities(model, head, tokens.ids, windows, rule))
    return decode_entities(scores, tokens, model.config.heads[head].labels, text)


@pytest.mark.parametrize("rule", ["mean", "centre", "most central", "first"])
def test_batched_windows_of_mixed_documents_equal_the_slow_twin(rule):
    model = make_model(merge=rule)
    pipeline = Pipeline(model, device=torch.device("cpu"), precision="float32")
    texts = [LONG, LONG[200:] + LONG, LONG[:1500]]
    for text, prediction in zip(texts, pipeline.pipe(map(Document.from_text, texts)), strict=True):
        for head in model.heads:
            labels = model.config.heads[head].labels
            found = [(e.start, e.end, e.label) for e in prediction.entities if e.label in labels]
            slow = slow_entities(model, head, text)
            assert found == [(s.start, s.end, s.label) for s in slow]
            scores = [e.score for e in prediction.entities if e.label in labels]
            np.testing.assert_allclose(scores, [s.score for s in slow], atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_is_read_whole_and_entities_slice_back(pipeline, text):
    document = Document.from_text(text)
    prediction = pipeline(document)
    for entity in prediction.entities:
        assert document.text[entity.start : entity.end] == entity.text
        assert 0 <= entity.score <= 1
    dropped = sum(gap.end - gap.start for gap in prediction.gaps)
    visible = sum(not character.isspace() for character in document.text)
    assert prediction.coverage == pytest.approx(1 - dropped / visible if visible else 1)


def test_gaps_name_what_the_tokenizer_drops(pipeline):
    prediction = pipeline(Document.from_text("Acme \x07\x07 Incorporated"))
    assert [(gap.start, gap.end) for gap in prediction.gaps] == [(5, 7)]
    assert prediction.coverage == pytest.approx(16 / 18)
    assert pipeline(Document.from_text("Acme Incorporated")).coverage == 1.0


def test_words_that_the_vocabulary_lacks_are_gaps_and_long_ones_are_read(pipeline):
    prediction = pipeline(Document.from_text("Acme \u2603 Incorporated x\u2603y"))
    assert [(gap.start, gap.end, gap.reason) for gap in prediction.gaps] == [
        (5, 6, "unknown to the tokenizer's vocabulary"),
        (20, 23, "unknown to the tokenizer's vocabulary"),
    ]
    assert prediction.coverage == pytest.approx(1 - 4 / 20)
    assert pipeline(Document.from_text(f"Acme {'a' * 114} Incorporated [SEP] [MASK] [UNK]")).coverage == 1.0


def test_pipe_is_lazy_keeps_order_and_passes_objects_on(pipeline):
    read = []

    def documents():
        for number in range(6):
            read.append(number)
            yield Document.from_text(f"Acme number {number}."), number

    results = pipeline.pipe(documents(), batch_size=2, as_tuples=True)
    assert read == []
    prediction, companion = next(results)
    assert (companion, read) == (0, [0, 1])
    assert [number for _, number in results] == [1, 2, 3, 4, 5]
    assert "number 0" in prediction.document.text


def distilled():
    """A model with an encoder that computes padding."""
    torch.manual_seed(0)
    plain, sizes = make_model(), {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
    config = DistilBertConfig(vocab_size=300, max_position_embeddings=64, initializer_range=0.5, **sizes)
    return Model(DistilBertModel(config), plain.tokenizer, plain.config).eval()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_a_document_is_read_alike_alone_and_among_others(precision, encoder):
    pipeline = Pipeline(distilled(), device="cpu", precision=precision, encoder=encoder)
    documents = [Document.from_text(text) for text in ("", CORPUS[0], *(LONG[: 170 * n] for n in range(1, 11)), LONG)]
    alone = [pipeline(document) for document in documents]
    assert sum(len(prediction.entities) for prediction in alone) > 10
    for size in (3, len(documents)):
        for one, other in zip(alone, pipeline.pipe(documents, batch_size=size), strict=True):
            assert [replace(e, score=0.0) for e in one.entities] == [replace(e, score=0.0) for e in other.entities]
            scores = [[e.score for e in each.entities] for each in (one, other)]
            np.testing.assert_allclose(*scores, rtol=0, atol=1e-6)


def test_a_pipeline_shows_its_heads_and_how_they_compute(model):
    shown = repr(Pipeline(model, device="cpu", precision="float32", rules=Rules.load("default")))
    assert shown == "<Pipeline: contract (ner), biomedical (ner); windows in float32 on cpu; rules>"
    assert repr(Pipeline()) == "<Pipeline: no heads>"


def test_tasks_choose_heads(pipeline):
    document = Document.from_text(LONG)
    both, one = pipeline(document), pipeline(document, tasks=["biomedical"])
    chosen = [e for e in both.entities if e.label in ("CHEMICAL", "DISEASE")]
    assert chosen and [(e.start, e.label) for e in one.entities] == [(e.start, e.label) for e in chosen]
    assert pipeline.entities(document) == both.entities


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda p: p(CORPUS[0], tasks=["legal"]), "contract, biomedical"),
        (lambda p: p(CORPUS[0], tasks="contract"), r"\['contract'\]"),
        (lambda p: p(CORPUS[0], tasks=[]), "all of them"),
        (lambda p: list(p.pipe("lease.pdf")), r"\['lease.pdf'\]"),
        (lambda p: list(p.pipe([], batch_size=0)), "at least 1"),
        (lambda p: Pipeline.from_pretrained(encoder="sparsely"), "'windows', 'sparse'"),
        (lambda p: Pipeline.from_pretrained(precision="float8"), "'bfloat16'"),
        (lambda p: Pipeline.from_pretrained(device="tpu?"), "'auto'"),
        (lambda p: Pipeline(precision="float8"), "'bfloat16'"),
        (lambda p: Pipeline(device="tpu?"), "'auto'"),
        (lambda p: Pipeline.from_pretrained("long/" * 1000), r"^long/.*: cannot be looked at \(File name too long\)"),
        (lambda p: load_model("n" * 300), r"^n+: cannot be looked at \(File name too long\)"),
        (lambda p: Checkpoint.open("n" * 300), r"^n+: cannot be looked at \(File name too long\)"),
        (lambda p: Pipeline.from_pretrained("no-such-folder"), "neither a folder with a model nor"),
        (lambda p: p("no-such-file.pdf"), "no-such-file.pdf"),
    ],
)
def test_bad_arguments_name_what_is_allowed(pipeline, call, remedy):
    with pytest.raises(LongdocError, match=remedy):
        call(pipeline)


def test_bfloat16_runs_and_keeps_probabilities(model):
    pipeline = Pipeline(model, device=torch.device("cpu"), precision="bfloat16")
    prediction = pipeline(Document.from_text(LONG))
    assert all(0 <= entity.score <= 1 for entity in prediction.entities)


def sparse_pipeline(size=4096, overlap=8, **options):
    model = make_model()
    sparse = SparseConfig(pattern=SparsePattern(window=10), rows=WindowConfig(size=size, overlap=overlap))
    model.config = replace(model.config, sparse=sparse)
    settings = {"device": torch.device("cpu"), "precision": "float32", "encoder": "sparse", **options}
    return Pipeline(model, **settings)


def slow_sparse_states(model, row):
    """States of a row by transformers' own eager attention, the pattern as a dense mask, positions repeated."""
    backbone = copy.deepcopy(model.encoder.backbone)
    backbone.set_attn_implementation("eager")
    n_tokens, period = len(row), model.config.windows.size
    mask = model.config.sparse.pattern.dense(Rows.of(torch.empty(1, n_tokens), None))
    places = [0] + [(place - 1) % (period - 1) + 1 for place in range(1, n_tokens)]
    with torch.no_grad():
        return backbone(
            torch.tensor([row]),
            attention_mask=torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min),
            position_ids=torch.tensor([places]),
        ).last_hidden_state[0]


def test_the_sparse_encoder_equals_dense_attention_under_the_patterns_mask():
    pipeline = sparse_pipeline()
    (reading,) = pipeline.engine.read(Document.from_text(LONG), ["contract"])
    ids, encoder = reading.tokens.ids, pipeline.readers[0].scorer.encoder
    assert len(ids) > 5 * pipeline.model.config.windows.size, "positions must repeat"
    with torch.no_grad():
        states = encoder(**encoder.batch([ids, ids[:40]]).inputs)
    for row, found in zip((ids, ids[:40]), states, strict=True):
        whole = [2, *row.tolist(), 3]
        torch.testing.assert_close(found[: len(whole)], slow_sparse_states(pipeline.model, whole), atol=5e-5, rtol=0)


def test_sparse_attention_reads_whole_documents_and_long_ones_in_overlapping_rows():
    document = Document.from_text(LONG)
    whole, cut = sparse_pipeline(), sparse_pipeline(size=100)
    assert (
        len(whole.engine.read(document, ["contract"])[0].windows)
        == 1
        < len(cut.engine.read(document, ["contract"])[0].windows)
    )
    for pipeline in (whole, cut):
        assert pipeline(document).coverage == 1.0
        (reading,) = pipeline.engine.read(document, ["contract"])
        (scores,) = pipeline.readers[0].score([reading])
        slow = []
        for window in reading.windows:
            states = slow_sparse_states(pipeline.model, [2, *reading.tokens.ids[window.start : window.end].tolist(), 3])
            slow.append(pipeline.model.head("contract").scores(states[1:-1]).detach().numpy())
        rule, n_tokens = pipeline.model.config.windows.merge, len(reading.tokens)
        found = scores["contract"].merged()
        np.testing.assert_allclose(found, reference.stitch(slow, reading.windows, n_tokens, rule), atol=5e-5)


def test_sparse_attention_reads_documents_in_a_batch_as_alone():
    pipeline = sparse_pipeline()
    texts = [LONG[:700], CORPUS[0], "", LONG[:650]]
    together = pipeline.pipe(map(Document.from_text, texts), batch_size=4)
    for text, prediction in zip(texts, together, strict=True):
        alone = pipeline(Document.from_text(text))
        assert [(e.start, e.label) for e in alone.entities] == [(e.start, e.label) for e in prediction.entities]


def test_the_sparse_encoder_shares_the_weights_and_does_not_change_the_model():
    model = make_model()
    before = Pipeline(model, device=torch.device("cpu"), precision="bfloat16")(Document.from_text(LONG))
    sparse = Pipeline(model, device=torch.device("cpu"), precision="bfloat16", encoder="sparse")
    pairs = zip(sparse.readers[0].scorer.encoder.parameters(), model.encoder.parameters(), strict=True)
    assert all(one is other for one, other in pairs)
    assert sparse(Document.from_text(LONG)).coverage == 1.0
    assert Pipeline(model, device=torch.device("cpu"), precision="bfloat16")(Document.from_text(LONG)) == before


def test_documents_that_cannot_be_read_are_outcomes_in_their_place(pipeline, tmp_path):
    (tmp_path / "a.txt").write_text(CORPUS[0])
    sources = [tmp_path / "a.txt", tmp_path / "none.pdf", CORPUS[1].encode(), b""]
    for batch_size in (None, 1, 2):
        opened = io.BytesIO(CORPUS[0].encode())
        found = list(pipeline.pipe([*sources, opened], on_error="yield", batch_size=batch_size))
        assert [type(outcome) for outcome in found] == [Prediction, Failure, Prediction, Failure, Prediction]
        assert found[0].entities == found[4].entities == pipeline(CORPUS[0].encode()).entities
        assert found[1].source == str(tmp_path / "none.pdf") and isinstance(found[1].error, DocumentNotFoundError)
        assert (found[3].source, type(found[3].error)) == ("bytes", CorruptDocumentError)
    pairs = pipeline.pipe(((source, i) for i, source in enumerate(sources)), on_error="yield", as_tuples=True)
    assert [number for _, number in pairs] == [0, 1, 2, 3]
    rest = pipeline.pipe(sources, batch_size=1)
    assert isinstance(next(rest), Prediction)
    with pytest.raises(DocumentNotFoundError):
        next(rest)


def test_workers_load_what_is_read_here_in_order(pipeline, tmp_path):
    (tmp_path / "a.txt").write_text(CORPUS[0])
    document = Document.from_text(CORPUS[1])
    sources = [
        tmp_path / "a.txt",
        tmp_path / "none.pdf",
        CORPUS[1].encode(),
        b"",
        document,
        str(tmp_path / "a.txt"),
    ] * 3
    expected = list(pipeline.pipe(sources, on_error="yield"))
    found = list(pipeline.pipe(sources, on_error="yield", workers=2))
    assert [type(each) for each in found] == [type(each) for each in expected]
    for own, other in zip(found, expected, strict=True):
        if isinstance(own, Failure):
            assert (own.source, type(own.error), str(own.error)) == (other.source, type(other.error), str(other.error))
        else:
            assert (own.document, own.entities) == (other.document, other.entities)
    numbered = [(source, i) for i, source in enumerate(sources)]
    pairs = pipeline.pipe(numbered, on_error="yield", as_tuples=True, workers=1)
    assert [number for _, number in pairs] == [*range(18)]
    with pytest.raises(DocumentNotFoundError):
        list(pipeline.pipe(sources, workers=1))


def test_a_document_that_ends_its_loader_is_one_failure(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "as_document", isolated_functions.die_of)
    found = list(pipeline.pipe([b"die", b"live"], on_error="yield", workers=1))
    assert [type(each) for each in found] == [Failure, Prediction]
    assert isinstance(
        found[0].error, LoaderDiedError
    ) and "bytes: reading it ended the process (killed by signal" in str(found[0].error)


def test_two_threads_cannot_take_from_one_call_of_pipe(pipeline):
    entered, free = threading.Event(), threading.Event()

    def documents():
        entered.set()
        free.wait(60)
        yield Document.from_text("The rent is due.")

    predictions = pipeline.pipe(documents())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(next, predictions)
        entered.wait(60)
        with pytest.raises(ConcurrencyError, match="call pipe in each of them"):
            next(predictions)
        free.set()
        assert first.result().document.text == "The rent is due."
    assert list(predictions) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
@pytest.mark.parametrize(("device", "n_threads"), [("cpu", 1), ("cuda", 1), ("cpu", 2)])
def test_a_forked_process_computes_with_one_thread_or_refuses(model, device, n_threads, tmp_path):
    pipeline, document = Pipeline(model, device="cpu", batch_tokens=40), Document.from_text(LONG)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        expected = pipeline(document).entities
        torch.ones(10**6).exp()  # which all threads compute
        reader, note = pipeline.readers[0], tmp_path / "found"
        if not (child := os.fork()):
            try:
                signal.alarm(60)  # a hang ends the child
                reader.scorer.device = torch.device(device)
                assert torch.get_num_threads() == 1
                torch.ones(10**6).exp()
                torch.set_num_threads(n_threads)
                found = [(e.start, e.end) for e in pipeline(document).entities]
                note.write_text(repr(found))
            except ConfigError as error:
                note.write_text(str(error))
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(before)
    refused = "forked" in note.read_text() and "spawn" in note.read_text()
    assert (
        refused if device == "cuda" or n_threads > 1 else note.read_text() == repr([(e.start, e.end) for e in expected])
    )


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"workers": -1}, "at least 0"),
        ({"tasks": ["legal"]}, "contract, biomedical"),
        ({"batch_size": 0}, "at least 1"),
        ({"overlap": "shortest"}, "longest"),
        ({"on_error": "skip"}, "'raise', 'yield'"),
    ],
)
def test_arguments_of_pipe_are_checked_at_the_call(pipeline, options, remedy):
    with pytest.raises(ConfigError, match=remedy):
        pipeline.pipe([], **options)


@pytest.mark.slow
def test_pickled_pipelines_give_the_same_predictions_in_another_process(tmp_path):
    rules, text = Rules.load("default"), f"{LONG} It costs USD 5 million."
    pipelines = [
        Pipeline(make_model(), device="cpu", precision="float32", encoder=encoder, rules=rules)
        for encoder in ("windows", "sparse")
    ]
    expected = [each(Document.from_text(text), tasks=each.tasks) for each in pipelines]  # builds the encoders first
    for number, each in enumerate(pipelines):
        (tmp_path / f"{number}.pickle").write_bytes(pickle.dumps(each))
    code = (
        "import pathlib, pickle, sys, longdoc; folder = pathlib.Path(sys.argv[1]); found = []\n"
        "for number in range(2):\n"
        "    pipeline = pickle.loads((folder / f'{number}.pickle').read_bytes())\n"
        "    document = longdoc.Document.from_text((folder / 'text').read_text())\n"
        "    found.append(pipeline(document, tasks=pipeline.tasks).entities)\n"
        "(folder / 'found').write_bytes(pickle.dumps(found))"
    )
    (tmp_path / "text").write_text(text)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    found = pickle.loads((tmp_path / "found").read_bytes())
    for own, prediction in zip(found, expected, strict=True):
        assert {e.source for e in own} >= {"biomedical", "rules"}
        assert [(e.start, e.end, e.label) for e in own] == [(e.start, e.end, e.label) for e in prediction.entities]


def test_batch_tokens_do_not_change_the_result_of_a_model_in_memory(model):
    pipeline = Pipeline(model, batch_tokens=40)
    assert {reader.batch_tokens for reader in pipeline.readers} == {40}
    document = Document.from_text(LONG)
    together = Pipeline(model, batch_tokens=10_000)(document).entities
    assert [(e.start, e.end) for e in pipeline(document).entities] == [(e.start, e.end) for e in together]
    with pytest.raises(ConfigError, match="batch_tokens must be an integer, at least 1"):
        Pipeline(model, batch_tokens=0)


def test_threads_that_each_compute_a_batch_find_what_one_thread_finds(model):
    pipeline, document = Pipeline(model, batch_tokens=40), Document.from_text(LONG * 3)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = pipeline(document)
        torch.set_num_threads(3)
        assert pipeline(document).entities == expected.entities
        assert pipeline.readers[0].scorer._pool is not None, "nothing was computed by threads"
        with ThreadPoolExecutor(1) as pool:  # a server calls from threads of its own
            assert pool.submit(torch.get_num_threads).result() == 3, "other threads have lost theirs"
            assert pool.submit(pipeline, document).result().entities == expected.entities
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_shown_or_not(model, progress, capsys, monkeypatch):
    monkeypatch.setattr("longdoc.stream.PROGRESS_DELAY", 0.0)
    Pipeline(model, progress=progress)(Document.from_text(LONG))
    assert ("token" in capsys.readouterr().err) == progress


def test_what_any_model_did_not_see_is_a_gap(model):
    sections = make_asking_model().with_heads(["clause"])
    document = Document.from_text("\x07\x07")
    for models in ([sections], [model, sections]):
        prediction = Pipeline(*models, device="cpu", precision="float32")(document, tasks=["clause"])
        assert ([(gap.start, gap.end) for gap in prediction.gaps], prediction.coverage) == ([(0, 2)], 0.0)


def test_documents_before_one_that_cannot_be_read_are_yielded(pipeline):
    outcomes = pipeline.pipe([CORPUS[0].encode(), CORPUS[1].encode(), "none.pdf"])
    assert [type(next(outcomes)) for _ in range(2)] == [Prediction, Prediction]
    with pytest.raises(DocumentNotFoundError):
        next(outcomes)


def test_rules_alone_are_applied_one_document_after_another():
    read = []
    documents = (read.append(number) or Document.from_text("May 1, 2020") for number in range(5))
    outcomes = Pipeline(rules=Rules.load("default")).pipe(documents, tasks=iter(["rules"]))
    assert [entity.label for entity in next(outcomes).entities] == ["DATE"] and read == [0]


def test_documents_before_any_error_are_yielded(pipeline):
    def sources():
        yield CORPUS[0].encode()
        raise KeyError("the caller's own")

    for documents, error in ((sources(), KeyError), ([CORPUS[0].encode(), 5], ConfigError)):
        outcomes = pipeline.pipe(documents)
        assert isinstance(next(outcomes), Prediction)
        with pytest.raises(error):
            next(outcomes)


def test_a_name_in_place_of_a_model_is_refused():
    with pytest.raises(ConfigError, match=r"not 'default'; Pipeline\.from_pretrained loads one by name"):
        Pipeline("default")
