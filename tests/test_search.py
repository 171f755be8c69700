"""An index of documents: its passages, building it, going on with it, searching it, and what is wrong with one."""

import dataclasses
import datetime
import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

import longdoc
import reference
from conftest import make_asking_model, make_model, make_tokenizer
from longdoc import Document, Index, Section, cli
from longdoc.batch import extract, manifest, stages
from longdoc.errors import BatchError, ConfigError, SearchError
from longdoc.search import caches
from longdoc.search.job import IndexJob
from longdoc.search.passages import passages
from longdoc.search.ranks import fused
from longdoc.search.vectors import nearest
from longdoc.search.where import conditions
from longdoc.search.words import PassageWords, Words, names_of
from longdoc.windows import tokenize

TESTS = Path(__file__).parent
TEXTS = {
    "lease.txt": "LEASE AGREEMENT\n\nThis Lease is made on June 21, 1999 by Acme Incorporated and Zenith LLC.\n\n"
    "1. Assignment\n\nThe tenant shall not assign this lease without the consent of the landlord.\n\n"
    "2. Term\n\nThe lease ends in May. " + "The parties meet in spring. " * 40,
    "licence.txt": "LICENSE AGREEMENT\n\nThis License Agreement is made on March 3, 2004 by Acme Incorporated.\n\n"
    "1. Grant\n\nThe licensor grants the right to use the marks.\n\n2. Fees\n\nThe licensee pays a royalty.",
    "note.txt": "The patient was given aspirin and developed severe nausea; famotidine reversed the effect.",
    "same.txt": "The patient was given aspirin and developed severe nausea; famotidine reversed the effect.",
    "bad.txt": "{\\rtf1 not read}",
}


class Here:
    """An engine in this process, which may be interrupted after some groups; each document is one."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after

    def extract(self, job, writer, inputs, *_):
        loader, extractor = stages.Loader(job), stages.Extractor(job, writer)
        for number, group in enumerate(stages.groups_of(inputs)):
            if number == self.stop_after:
                raise KeyboardInterrupt
            yield extractor([loader(each) for each in group])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search") / "model"
    make_asking_model().save(folder)
    return folder


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.setattr(extract, "_engine", lambda *_: Here())
    monkeypatch.setattr(extract, "GROUPS_IN_PART", 1)
    monkeypatch.setattr(stages, "_IN_GROUP", 1)
    monkeypatch.setattr(stages, "_LARGE", 1)


def write(folder, **changed):
    folder.mkdir(exist_ok=True)
    for name, text in {**TEXTS, **{f"{key}.txt": text for key, text in changed.items()}}.items():
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def build(folder, out, model, **options):
    return Index.build(
        [folder], out, model=model, **{"records": None, "device": "cpu", "precision": "float32", **options}
    )


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    """An index that is only searched."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "_engine", lambda *_: Here())
        patch.setattr(extract, "GROUPS_IN_PART", 2)
        return build(write(folder / "in"), folder / "out", model, records=str(model))


def found_by_vector(index):
    """Address, start, text and vector of all passages."""
    rows = index._parts.passages(range(index.passages), ["document_id", "start", "text"])
    owners = {row["document_id"]: row["address"] for row in index.documents if not row["same_as"]}
    vectors = index._caches.vectors
    return sorted(
        (Path(owners[row["document_id"]]).name, row["start"], row["text"], tuple(vector.tolist()))
        for row, vector in zip(rows, vectors, strict=True)
    )


def same(index, other):
    assert found_by_vector(index) == found_by_vector(other)
    for query in ("assign the lease", "royalty", "nausea"):
        ours, theirs = (each.search(query, mode="words") for each in (index, other))
        assert {(hit.text, round(hit.score, 3)) for hit in ours} == {(hit.text, round(hit.score, 3)) for hit in theirs}


# ------------------------------------------------------------------------------------------------------------ passages


def cut(document, size=24):
    tokens = tokenize(document.text, make_tokenizer())
    return passages(document, tokens, size=size * 4), tokens


@given(
    st.lists(st.text("ab .\n", max_size=90), min_size=1, max_size=6),
    st.lists(st.integers(1, 3), min_size=6, max_size=6),
)
def test_every_character_is_in_a_passage(pieces, levels):
    text = "\n".join(pieces)
    starts = np.cumsum([0, *(len(piece) + 1 for piece in pieces)]).tolist()
    sections = tuple(
        Section(number=str(i), title=f"T{i}", kind="section", level=level, start=start, end=len(text))
        for i, (start, level) in enumerate(zip(starts, levels, strict=False), 1)
        if start < len(text)
    )
    document = dataclasses.replace(Document.from_text(text), sections=sections)
    found, tokens = cut(document)
    covered = np.zeros(len(text), dtype=bool)
    for passage in found:
        assert passage.start < passage.end and passage.end <= len(text)
        assert len(tokens.part(passage.start, passage.end)) <= 96
        covered[passage.start : passage.end] = True
    assert all(covered[i] or character.isspace() for i, character in enumerate(text))
    assert [passage.start for passage in found] == sorted(passage.start for passage in found)


def test_passages_are_sections_with_their_headings():
    document = longdoc.load(TESTS.parent / "examples" / "contracts" / "curaegis-sponsorship.pdf")
    found, _ = cut(document, 80)
    (own,) = (each for each in found if "may assign its rights" in document.text[each.start : each.end])
    assert (own.number, own.title, own.heading) == ("12", "Assignment", "12 Assignment")
    assert document.text[own.start :].startswith("12. Assignment\n\nNeither party")
    assert document.page_at(own.start).number == 2


def test_short_pieces_are_joined_and_long_ones_are_windows():
    sections = [(0, 1, "A"), (10, 2, "B"), (20, 1, "C")]
    text = "a aaaaaaa\nb bbbbbbb\nc" + " ccc." * 100
    document = dataclasses.replace(
        Document.from_text(text),
        sections=tuple(
            Section(number=title, title="", kind="section", level=level, start=start, end=end, parent=parent)
            for (start, level, title), end, parent in zip(sections, (20, 20, len(text)), (None, 0, None), strict=True)
        ),
    )
    first, *windows = cut(document)[0]
    assert (first.start, first.end, first.number, first.heading) == (0, 19, "A", "A")
    assert len(windows) > 2 and {each.number for each in windows} == {"C"}
    assert all(a.start < b.start < a.end for a, b in itertools.pairwise(windows))
    assert all(text[each.end - 1] == "." for each in windows)  # whole sentences


# ------------------------------------------------------------------------------------------------------ vectors, words


@pytest.mark.parametrize("top_k", [1, 7, 1000])
def test_the_nearest_vectors_are_exact(top_k):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 48)).astype(np.float16)
    vectors[50:60] = vectors[7]  # of equal ones the first
    query = vectors[7].astype(np.float32) + rng.normal(size=48).astype(np.float32) * 1e-3
    rows, scores = nearest(vectors, query, top_k)
    slow_rows, slow_scores = reference.nearest(vectors, query, top_k)
    assert rows.tolist() == slow_rows
    np.testing.assert_allclose(scores, slow_scores, rtol=1e-5, atol=1e-5)


def test_the_nearest_of_some_rows_and_of_several_blocks(monkeypatch):
    monkeypatch.setattr("longdoc.search.vectors._BLOCK", 16)
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(100, 16)).astype(np.float16)
    query, rows = rng.normal(size=16).astype(np.float32), np.arange(3, 100, 3)
    found, scores = nearest(vectors, query, 5, rows)
    best, slow_scores = reference.nearest(vectors[rows], query, 5)
    assert found.tolist() == rows[best].tolist()
    np.testing.assert_allclose(scores, slow_scores, atol=1e-5)
    assert nearest(vectors, query, 5)[0].tolist() == reference.nearest(vectors, query, 5)[0]


def test_words_are_ranked_by_bm25(tmp_path):
    texts = ["assigns the lease", "the lease, the lease", "royalty", "the tenant shall not assign or sublet", ""]
    names = ["Ada", "Ada", "Leases of Bea", "Leases of Bea", "Ada"]
    words = Words(tmp_path / "words", create=True)
    words.replace([], [(3, [PassageWords("x", *each) for each in zip(names, texts, strict=True)])])
    stems = [["assign", "leas"], ["leas"] * 2, ["royalti"], ["tenant", "assign", "sublet"], []]
    of_names = [["ada"], ["ada"], ["leas", "bea"], ["leas", "bea"], ["ada"]]
    query = ["leas", "assign"]
    scores = np.add(reference.bm25(query, stems), reference.bm25(query, of_names)).tolist()
    assert {row: score for _, row, score in words.search("Is it for the Leases: ASSIGNED?", 9)} == pytest.approx(
        {row: score for row, score in enumerate(scores) if score}, rel=1e-5
    )


def test_a_document_is_named_by_its_file_its_title_and_its_parties():
    row = {"address": "s3://x/2019/acme_zenith-lease.v2.pdf", "title": "LEASE", "parties": ["Acme Inc.", "Zenith"]}
    assert names_of(row).splitlines() == ["acme zenith lease.v2", "LEASE", "Acme Inc.", "Zenith"]
    assert names_of({**row, "title": None, "parties": None}) == "acme zenith lease.v2\n"


@pytest.mark.parametrize(
    "query", ['lease AND (royalty"', "text:lease^2 ~ [a TO b]", "-lease +royalty", "lease\0royalty *"]
)
def test_nothing_in_a_query_is_an_operator(query, tmp_path):
    words = Words(tmp_path / "words", create=True)
    words.replace([], [(0, [PassageWords("x", "", text) for text in ("a lease", "b royalty", "neither")])])
    assert {row for _, row, _ in words.search(query, 9)} == {0, 1}
    assert words.search("?!", 9) == []


@given(st.lists(st.permutations(range(5)).map(lambda order: order[:3]), min_size=1, max_size=3))
def test_reciprocal_ranks(lists):
    assert fused(*lists) == pytest.approx(reference.reciprocal_ranks(lists))


# ------------------------------------------------------------------------------------------------------------ searches


@pytest.mark.parametrize("mode", ["hybrid", "words", "vectors"])
def test_hits_stand_in_the_document(made, mode):
    hits = made.search("assign the lease without consent", mode=mode, top_k=4)
    assert 1 <= len(hits) <= 4 and [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        document = made.document(hit.document_id)
        assert document == longdoc.load(hit.address)
        assert document.text[hit.start : hit.end] == hit.text
        assert document.locate(hit.start, hit.end) == hit.boxes
        assert document.page_at(hit.start).number == hit.page
        assert (hit.word_rank is None, hit.vector_rank is None) != (True, True)
        assert json.loads(json.dumps(hit.to_dict()))["text"] == hit.text
    if mode != "vectors":
        assert hits[0].title == "LEASE AGREEMENT" and "Assignment" in hits[0].heading


def test_boxes_of_hits(model, tmp_path):
    pdf = TESTS.parent / "examples" / "contracts" / "domini-sponsorship.pdf"
    index = Index.build([pdf], tmp_path / "out", model=model, records=None, device="cpu")
    hit = index.search("termination", mode="words", top_k=1)[0]
    boxes = index.document(hit.document_id).locate(hit.start, hit.end)
    assert len(hit.boxes) == len(boxes) > 0 and hit.boxes[0].page == hit.page
    assert hit.boxes[0].x0 == pytest.approx(boxes[0].x0, abs=0.01)


def test_both_lists_are_joined(made):
    query = "the lease of the tenant"
    lists = [
        [(hit.document_id, hit.start) for hit in made.search(query, mode=mode, top_k=100)]
        for mode in ("words", "vectors")
    ]
    expected = reference.reciprocal_ranks(lists)
    found = made.search(query, top_k=100)
    assert {(hit.document_id, hit.start): hit.score for hit in found} == pytest.approx(expected)
    for hit in found:
        at = hit.document_id, hit.start
        assert [hit.word_rank, hit.vector_rank] == [own.index(at) + 1 if at in own else None for own in lists]


def test_the_same_content_is_found_once(made):
    hits = made.search("aspirin, nausea", mode="words")
    assert [Path(hit.address).name for hit in hits] == ["note.txt"]
    (other,) = (row for row in made.documents if row["same_as"])
    assert Path(other["address"]).name == "same.txt"
    assert made.search("aspirin, nausea", mode="words", where={"address": "*/same.txt"}) == hits


def test_filters_limit_both_lists(made):
    for mode in ("hybrid", "words", "vectors"):
        hits = made.search("the agreement is made", mode=mode, where={"title": "license"}, top_k=50)
        assert hits and {Path(hit.address).name for hit in hits} == {"licence.txt"}
        assert made.search("the agreement is made", mode=mode, where={"type": "note", "title": "license"}) == []
        with pytest.raises(ConfigError, match=r"no document has the title 'nowher'; there are: .*LICENSE"):
            made.search("the agreement is made", mode=mode, where={"title": ["license", "nowher"]})


ROW = {
    "document_id": "1", "kind": "contract", "labels": ["PARTY", "Anti-Assignment"], "parties": ["Acme Inc."],
    "title": None, "governing_law": "New York", "address": "/data/Leases/a.pdf",
    "agreement_date": datetime.date(2019, 3, 31), "effective_date": None, "expiration_date": datetime.date(2021, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({}, True),
        ({"type": "Contract"}, True),
        ({"type": ["note", "contract"]}, True),
        ({"type": "note"}, False),
        ({"label": "anti-assignment"}, True),
        ({"label": "assignment"}, False),
        ({"party": "acme"}, True),
        ({"party": "acme", "law": "ohio"}, False),
        ({"title": "x"}, False),
        ({"address": "*/leases/*.pdf"}, True),
        ({"agreement_date": "2019"}, True),
        ({"agreement_date": "2019-03"}, True),
        ({"agreement_date": "2019-04..2020"}, False),
        ({"agreement_date": "..2019-03-31"}, True),
        ({"agreement_date": (datetime.date(2019, 4, 1), None)}, False),
        ({"agreement_date": datetime.date(2019, 3, 31)}, True),
        ({"agreement_date": ["2018", "2019"]}, True),
        ({"agreement_date": ["2018", "2020"]}, False),  # two years, and no range
        ({"agreement_date": ["..2018", "2019-03..2019-04", "2025"]}, True),
        ({"effective_date": "1900..2100"}, False),
        ({"expiration_date": "2020.."}, True),
    ],
)
def test_conditions(where, holds):
    assert all(check(ROW) for check in conditions(where)) == holds


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"typ": "x"}, "unknown key 'typ'.*did you mean 'type'"),
        ({"type": 3}, "must be a text, or a list"),
        ({"type": "contracts"}, "unknown type 'contracts'.*did you mean 'contract'"),
        ({"effective_date": []}, "must be a day"),
        ({"party": []}, "must be a text, or a list"),
        ({"agreement_date": "June"}, "must be a day"),
        ({"agreement_date": "2019-02-30"}, "must be a day"),
        ({"agreement_date": ".."}, "must be a day"),
        ({"agreement_date": "2020..2019"}, "ends before it begins"),
        ("type=x", "must be a dict"),
    ],
)
def test_wrong_conditions(where, told):
    with pytest.raises(ConfigError, match=told):
        conditions(where)


@pytest.mark.rare
def test_what_a_record_says_can_limit_searches(tmp_path, model):
    contract = TESTS.parent / "examples" / "contracts" / "curaegis-sponsorship.pdf"
    index = Index.build(
        [contract], tmp_path / "out", model=model, device="cpu"
    )  # with the records of the shipped model
    (row,) = index.documents
    assert row["kind"] == "contract" and row["governing_law"] == "New York" and "PARTY" in row["labels"]
    assert row["parties"]
    where = {"party": row["parties"][0][:8].lower(), "law": "new york", "type": "contract"}
    assert index.search("assign", mode="words", where=where)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"query": " \n"}, "the query is empty"),
        ({"query": None}, "query must be a text"),
        ({"query": "lease \udc80"}, r"has '\\udc80', which is no character"),
        ({"query": "x", "top_k": 0}, "top_k must be an integer, at least 1"),
        ({"query": "x", "mode": "vector"}, "unknown mode 'vector'.*did you mean 'vectors'"),
        ({"query": "x", "where": {"autor": "y"}}, "unknown key"),
    ],
)
def test_wrong_searches(made, options, told):
    with pytest.raises(ConfigError, match=told):
        made.search(**options)
    with pytest.raises(ConfigError, match="has no document"):
        made.document("0" * 64)


def test_more_passages_than_there_are_may_be_wanted(made):
    assert made.search("lease", top_k=10**13) == made.search("lease", top_k=made.passages)


def test_an_index_without_records_has_no_labels(model, tmp_path):
    index = build(write(tmp_path / "in"), tmp_path / "out", model)
    with pytest.raises(ConfigError, match="without a model for records, so that it has no labels"):
        index.search("lease", mode="words", where={"label": "PARTY"})


def test_the_folder_of_the_model_for_records_is_found_by_processes_of_another_folder(model, monkeypatch):
    monkeypatch.chdir(model.parent)
    job = IndexJob.of("model", records="model")
    assert (job.model, job.records) == ("model", str(model)), (
        "Ray's processes are told the folder of the first one only"
    )
    assert job.settings() == IndexJob.of("model", records=model).settings()
    assert IndexJob.of("default").records == "default"


@pytest.mark.rare
def test_hits_are_ordered_anew_by_late_interaction(made, tmp_path, monkeypatch):
    library = pytest.importorskip("sentence_transformers")
    base = tmp_path / "base"
    make_model().encoder.backbone.save_pretrained(base)
    PreTrainedTokenizerFast(
        tokenizer_object=make_tokenizer(), pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=64,
    ).save_pretrained(base)  # fmt: skip
    encoder = library.MultiVectorEncoder(str(base), device="cpu")
    encoder.save_pretrained(str(tmp_path / "colbert"))
    query = "assign the lease"
    hits = made.search(query, mode="words", rerank=tmp_path / "colbert", top_k=50)
    (words,), texts = encoder.encode_query([query]), encoder.encode_document([hit.text for hit in hits])
    assert [hit.score for hit in hits] == pytest.approx([reference.maxsim(words, text) for text in texts], rel=1e-4)
    assert sorted(hit.score for hit in hits)[::-1] == [hit.score for hit in hits]
    plain = made.search(query, mode="words", top_k=50)
    assert {(hit.text, hit.word_rank) for hit in hits} == {(hit.text, hit.word_rank) for hit in plain}
    with pytest.raises(ConfigError, match="no multi-vector encoder"):
        made.search(query, mode="words", rerank=tmp_path / "nowhere")


# ----------------------------------------------------------------------------------------------------------- going on


def test_an_index_follows_its_documents(model, tmp_path):
    folder = write(tmp_path / "in")
    index = build(folder, tmp_path / "out", model)
    counts = {state: n for state, n in index.status.counts.items() if n}
    assert counts == {"ok": 4, "failed": 1} or counts == {"ok": 3, "partial": 1, "failed": 1}
    before = (tmp_path / "out" / "search" / "vectors-0.f16").stat().st_mtime_ns
    build(folder, tmp_path / "out", model)
    assert (tmp_path / "out" / "search" / "vectors-0.f16").stat().st_mtime_ns == before  # nothing to do
    write(folder, lease="1. Assignment\n\nThis lease may be assigned.", more="Another royalty is due.")
    old = index.search("royalty", mode="words")
    assert [Path(each).name for each in index.outdated({row["address"] for row in index.documents})] == ["lease.txt"]
    again = build(folder, tmp_path / "out", model)
    same(again, build(folder, tmp_path / "anew", model))
    assert len(again.search("royalty", mode="words")) == len(old) + 1
    assert [path.name for path in (tmp_path / "out" / "search").glob("vectors-*")] != ["vectors-0.f16"]
    assert index.search("royalty", mode="vectors", top_k=1)  # an index that was opened before goes on


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupted_build_goes_on(model, tmp_path, monkeypatch, stop_after):
    folder = write(tmp_path / "in")
    monkeypatch.setattr(extract, "_engine", lambda *_: Here(stop_after))
    with pytest.raises(KeyboardInterrupt):
        build(folder, tmp_path / "out", model)
    half = Index(tmp_path / "out", model=model)  # is brought up to date
    assert half.status.n_left == len(TEXTS) - stop_after and len(half.documents) == stop_after
    monkeypatch.setattr(extract, "_engine", lambda *_: Here())
    same(build(folder, tmp_path / "out", model), build(folder, tmp_path / "whole", model))


@pytest.mark.parametrize("step", ["flush", "_update_words", "write_atomically"])
def test_caches_that_were_interrupted_are_mended(model, tmp_path, monkeypatch, step):
    folder = write(tmp_path / "in")
    build(folder, tmp_path / "out", model)
    write(folder, lease="1. Assignment\n\nThis lease may be assigned.", more="Another royalty is due.")
    with monkeypatch.context() as patch:
        patch.setattr(caches, step, lambda *_: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            build(folder, tmp_path / "out", model)
    same(Index(tmp_path / "out", model=model), build(folder, tmp_path / "anew", model))


ONE_BY_ONE = """
import sys
from longdoc import cli
from longdoc.batch import extract, manifest, stages
if __name__ == "__main__":
    extract.GROUPS_IN_PART = stages._IN_GROUP = stages._LARGE = 1
    sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.rare
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_build_goes_on(model, tmp_path, number):
    folder, out, script = write(tmp_path / "in"), tmp_path / "out", tmp_path / "one_by_one.py"
    for i in range(12):
        (folder / f"more {i}.txt").write_text(f"{i}. Royalty\n\n" + f"The royalty of {i} is due. " * 200)
    script.write_text(ONE_BY_ONE)
    options = ["--no-records", "--device", "cpu", "--precision", "float32", "--workers", "1"]
    command = [sys.executable, script, "index", folder, "-o", out, "--model", model, *options]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not (out / "journal.jsonl").exists() or (out / "journal.jsonl").read_bytes().count(b'"commit"') < 3:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
    assert process.returncode != 0
    assert 0 < Index(out, model=model).status.n_left < 17
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1  # one cannot be read
    same(Index(out, model=model), build(folder, tmp_path / "whole", model))


def test_an_index_made_anew_has_nothing_of_the_former_one(model, tmp_path, monkeypatch):
    monkeypatch.setattr(extract, "check", lambda *_: None)  # in a process of its own
    monkeypatch.setattr(manifest, "now", lambda: "2026-12-01T12:00:00+00:00")  # both within a second
    folder = write(tmp_path / "in")
    build(folder, tmp_path / "out", model)
    (folder / "lease.txt").write_text("Nothing of that kind.")
    again = build(folder, tmp_path / "out", model, resume=False)
    same(again, build(folder, tmp_path / "anew", model))


def test_a_graph_finds_what_is_near_and_follows(model, tmp_path, monkeypatch):
    monkeypatch.setattr(caches, "AT_LEAST", 3)
    folder = write(tmp_path / "in")
    index = build(folder, tmp_path / "out", model)
    assert len(index._caches.graph) == index.passages
    write(folder, more="Another royalty is due.")
    again = build(folder, tmp_path / "out", model)
    assert len(again._caches.graph) == again.passages > index.passages
    monkeypatch.setattr(caches, "AT_LEAST", 10**6)
    plain = build(folder, tmp_path / "plain", model)
    for query in ("royalty", "the lease"):
        found, expected = (
            [(hit.text, round(hit.score, 6)) for hit in each.search(query, mode="vectors", top_k=3)]
            for each in (again, plain)
        )
        assert sorted(found) == sorted(expected)
    path = next((tmp_path / "out" / "search").glob("graph-*"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SearchError, match=r"graph.*is damaged"):
        Index(tmp_path / "out", model=model)
    monkeypatch.setattr(caches, "AT_LEAST", 3)
    assert len(build(folder, tmp_path / "out", model)._caches.graph) == again.passages


# ----------------------------------------------------------------------------------------------------- other databases


@pytest.mark.rare
def test_a_table_of_lancedb(model, tmp_path):
    lancedb = pytest.importorskip("lancedb")
    from longdoc.search.adapters.lancedb import write as write_lance

    folder = write(tmp_path / "in")
    index = build(folder, tmp_path / "out", model)
    assert write_lance(index, str(tmp_path / "db")) == index.passages
    assert write_lance(index, str(tmp_path / "db")) == 0
    write(folder, lease="1. Assignment\n\nThis lease may be assigned.", more="Another royalty is due.")
    index = build(folder, tmp_path / "out", model)
    assert 0 < write_lance(index, str(tmp_path / "db")) < index.passages
    table = lancedb.connect(str(tmp_path / "db")).open_table("passages")
    rows = table.to_arrow().to_pylist()
    assert {(row["address"], row["start"], row["text"]) for row in rows} == {
        (hit.address, hit.start, hit.text) for hit in index.search("the lease", mode="vectors", top_k=100)
    }
    best = index.search("the lease", mode="vectors", top_k=3)
    query = index._embedder.vectors(["the lease"])[0]
    found = table.search(query.tolist()).metric("dot").limit(3).to_list()
    assert [row["text"] for row in found] == [hit.text for hit in best]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A connection to a PostgreSQL with pgvector: the one that ``LONGDOC_POSTGRES`` names, or one that is started."""
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("pgvector")
    if address := os.environ.get("LONGDOC_POSTGRES"):
        with psycopg.connect(address, autocommit=True) as connection:
            yield connection
        return
    found = sorted(Path("/usr/share/postgresql").glob("*/extension/vector.control"))
    if not found or (os.getuid() == 0 and shutil.which("runuser") is None):
        pytest.skip("no PostgreSQL with pgvector: apt-get install postgresql postgresql-*-pgvector")
    programs = Path("/usr/lib/postgresql", found[-1].parts[4], "bin")
    folder = tmp_path_factory.mktemp("postgres")
    as_user = []
    if os.getuid() == 0:  # as whom PostgreSQL does not start
        as_user = ["runuser", "-u", "postgres", "--"]
        folder = Path(tempfile.mkdtemp(prefix="longdoc-postgres-"))
        shutil.chown(folder, "postgres")
    options = f"-k {folder} -c listen_addresses="
    run = functools.partial(subprocess.run, check=True, capture_output=True, cwd="/")
    run([*as_user, programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "longdoc"])
    run([*as_user, programs / "pg_ctl", "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "start"])
    try:
        with psycopg.connect(host=str(folder), user="longdoc", dbname="postgres", autocommit=True) as connection:
            yield connection
    finally:
        run([*as_user, programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"])
        shutil.rmtree(folder)


def test_a_table_of_postgresql(postgres, model, tmp_path):
    from longdoc.search.adapters.pgvector import write as write_postgres

    folder = write(tmp_path / "in", nul="A text with\0NUL.")
    index = build(folder, tmp_path / "out", model)
    postgres.execute('DROP TABLE IF EXISTS "our passages"')
    assert write_postgres(index, postgres, table="our passages") == index.passages
    assert write_postgres(index, postgres, table="our passages") == 0
    write(folder, lease="1. Assignment\n\nThis lease may be assigned.", more="Another royalty is due.")
    index = build(folder, tmp_path / "out", model)
    assert 0 < write_postgres(index, postgres, table="our passages") < index.passages
    hits = index.search("the lease", mode="vectors", top_k=100)
    rows = postgres.execute('SELECT address, start, text FROM "our passages"').fetchall()
    assert set(rows) == {(hit.address, hit.start, hit.text.replace("\0", "\ufffd")) for hit in hits}
    query = "[" + ",".join(map(str, index._embedder.vectors(["the lease"])[0].tolist())) + "]"
    found = postgres.execute(
        'SELECT text, -(vector <#> %s::halfvec) FROM "our passages" ORDER BY vector <#> %s::halfvec LIMIT 3',
        (query, query),
    ).fetchall()
    assert [text for text, _ in found] == [hit.text for hit in hits[:3]]
    assert [score for _, score in found] == pytest.approx([hit.score for hit in hits[:3]], abs=2e-3)


# -------------------------------------------------------------------------------------------------------- what is wrong


@pytest.fixture
def copied(made, tmp_path):
    """A copy of an index that may be damaged."""
    return Path(shutil.copytree(made.path, tmp_path / "copied"))


@pytest.mark.parametrize("file", ["vectors-0.f16", "words/meta.json", "words", "stamp.json", "."])
@pytest.mark.parametrize("how", ["cut", "removed"])
def test_damaged_caches_are_told_or_mended_and_made_anew_by_a_build(copied, made, model, file, how):
    path = copied / "search" / file
    if path.is_dir():
        shutil.rmtree(path)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.unlink()
    try:
        same(Index(copied, model=model), made)
    except SearchError as error:
        assert "is damaged" in str(error) and "longdoc index" in str(error)
    same(build(made.path.parent / "in", copied, model, records=str(model)), made)


def test_a_damaged_table_is_told(copied, model, made):
    part = sorted((copied / "passages").iterdir())[0]
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(SearchError, match=r"is damaged.*remove it"):
        Index(copied, model=model).search("lease", mode="words")
    part.unlink()
    with pytest.raises(SearchError, match="is missing"):
        Index(copied, model=model).search("lease", mode="words")
    same(build(made.path.parent / "in", copied, model, records=str(model)), made)


def test_another_model_is_refused(copied, made, model, tmp_path):
    other = shutil.copytree(model, tmp_path / "other")
    record = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(record, indent=3))
    index = Index(copied, model=other)
    assert index.search("lease", mode="words")
    with pytest.raises(ConfigError, match=r"was made with the model model@.*other@.* make an index with this one"):
        index.search("lease")
    with pytest.raises(ConfigError, match="another model"):
        build(made.path.parent / "in", copied, other, records=str(model))
    (copied / "search" / "model.json").write_text(json.dumps({"model": str(tmp_path / "gone")}))
    with pytest.raises(ConfigError, match=r"not at .*gone any more.*Index\(path, model="):
        Index(copied).search("lease")
    moved = shutil.copytree(model, tmp_path / "moved" / "model")
    assert Index(copied, model=moved).search("lease") == made.search("lease")


def test_a_model_without_an_embedding_head(tmp_path):
    make_model().save(tmp_path / "ner")
    with pytest.raises(ConfigError, match="embed"):
        build(write(tmp_path / "in"), tmp_path / "out", tmp_path / "ner")
    assert not (tmp_path / "out" / "run.json").exists()


def test_folders_that_are_no_index(tmp_path):
    with pytest.raises(ConfigError, match="holds no index; make one: longdoc index"):
        Index(tmp_path)
    with pytest.raises(ConfigError, match="holds no index"):
        Index(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text(
        json.dumps({"format": 1, "longdoc": "0", "model": "m", "settings": {}, "started": "now"})
    )
    with pytest.raises(ConfigError, match="`longdoc extract`, and no index"):
        Index(tmp_path)


def test_an_index_that_is_being_built(copied, made, model):
    lock = caches.Lock(copied)
    try:
        same(Index(copied, model=model), made)
        (copied / "search" / "stamp.json").unlink()
        with pytest.raises(BatchError, match="for the first time"):
            Index(copied, model=model)
    finally:
        lock.release()


def test_the_tables_are_as_documented(made):
    for table in ("documents", "passages"):
        (first, *_) = sorted((made.path / table).iterdir())
        assert pq.read_schema(first).equals(longdoc.search.columns.index_schemas()[table], check_metadata=True)


# --------------------------------------------------------------------------------------------------------- command line


def test_the_commands(model, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    folder, out = write(tmp_path / "in"), str(tmp_path / "out")
    arguments = ["index", str(folder), "-o", out, "--model", str(model), "--no-records", "--device", "cpu"]
    assert cli.main(arguments) == 1  # one document cannot be read
    assert "1 failed" in capsys.readouterr().err
    assert cli.main(["search", out, "assign the lease", "--device", "cpu", "--format", "table"]) == 0
    shown = capsys.readouterr().out
    assert "LEASE AGREEMENT" in shown and "page 1, " in shown and "place 1 by words" in shown and "score" not in shown
    assert max(map(len, shown.splitlines())) > 80  # nothing is wrapped in a pipe
    (folder / "licence.txt").unlink()
    assert cli.main(["search", out, "royalty", "--mode", "words", "--where", "title=license"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["word_rank"] == 1 and "changed or gone" in told.err
    assert cli.main(["search", out, "royalty", "--mode", "words", "--where", "type=note"]) == 0
    assert "nothing found" in capsys.readouterr().err
    for slip in ("title=licens agreement", "party=nobody", "law=Narnia", "address=*/none/*"):
        assert cli.main(["search", out, "royalty", "--mode", "words", "--where", slip]) == 2
        told = capsys.readouterr().err
        assert f"no document has the {slip.partition('=')[0]}" in told
        assert ("none of them has one" in told) != ("there are: " in told)
    for wrong in (["--where", "title"], ["--where", "nonsense=1"]):
        assert cli.main(["search", out, "royalty", *wrong]) == 2
    assert cli.main(["search", out, " "]) == 2
    assert cli.main(["search", str(tmp_path), "royalty"]) == 2
