import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from conftest import CORPUS, make_model
from longdoc.decode import decode_entities
from longdoc.document import Document
from longdoc.errors import LongdocError
from longdoc.pipeline import Pipeline
from longdoc.windows import sentence_starts, split, tokenize

LONG = " ".join(CORPUS[:2] * 12)


def slow_entities(model, head, text):
    """Entities the obvious way: window by window, unbatched."""
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
    pipeline = Pipeline(model, device=torch.device("cpu"), dtype=torch.float32)
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


def test_coverage_names_what_the_tokenizer_drops(pipeline):
    prediction = pipeline(Document.from_text("Acme \x07\x07 Incorporated"))
    assert [(gap.start, gap.end) for gap in prediction.gaps] == [(5, 7)]
    assert prediction.coverage == pytest.approx(16 / 18)
    assert pipeline(Document.from_text("Acme Incorporated")).coverage == 1.0


def test_pipe_is_lazy_keeps_order_and_carries_companions(pipeline):
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


def test_batch_size_does_not_change_the_result(pipeline):
    texts = [LONG, CORPUS[0], "", LONG[:700]]
    alone = [pipeline(Document.from_text(text)) for text in texts]
    together = list(pipeline.pipe(map(Document.from_text, texts), batch_size=4))
    for one, other in zip(alone, together, strict=True):
        assert [(e.start, e.end, e.label) for e in one.entities] == [(e.start, e.end, e.label) for e in other.entities]


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
        (lambda p: Pipeline.from_pretrained(encoder="sparsely"), "'windows'"),
        (lambda p: Pipeline.from_pretrained(precision="float8"), "'bfloat16'"),
        (lambda p: Pipeline.from_pretrained(device="tpu?"), "'auto'"),
        (lambda p: Pipeline.from_pretrained("no-such-folder"), "'default'"),
        (lambda p: p("no-such-file.pdf"), "no-such-file.pdf"),
    ],
)
def test_bad_arguments_name_what_is_allowed(pipeline, call, remedy):
    with pytest.raises(LongdocError, match=remedy):
        call(pipeline)


def test_bfloat16_runs_and_keeps_probabilities(model):
    pipeline = Pipeline(model, device=torch.device("cpu"), dtype=torch.bfloat16)
    prediction = pipeline(Document.from_text(LONG))
    assert all(0 <= entity.score <= 1 for entity in prediction.entities)
