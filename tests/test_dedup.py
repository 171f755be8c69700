"""Near-duplicates: candidates, pairs, clusters, differences, tables and the page."""

import json
import random
import re
from collections.abc import Sequence
from html import unescape
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import longdoc
import reference
from conftest import make_asking_model, make_model
from hostile_text import HOSTILE
from longdoc import Document, cli
from longdoc.batch.inputs import find_inputs
from longdoc.batch.lock import Lock
from longdoc.dedup import candidates, differences
from longdoc.dedup.clusters import stars
from longdoc.dedup.differences import runs
from longdoc.dedup.duplicates import Settings, duplicates_among, similarity
from longdoc.dedup.folder import Run
from longdoc.dedup.meaning import close_pairs
from longdoc.dedup.parts import Part, parts_of, word_ranges, words_of
from longdoc.dedup.tables import COLUMNS
from longdoc.dedup.view import difference, page
from longdoc.errors import BatchError, ConfigError, DocumentNotFoundError
from longdoc.pipeline import Pipeline

ROOT = Path(__file__).parents[1]
WORDS = [f"{a}{b}" for a in "fee term lease party notice law tax site work loan".split() for b in "abcdefghijkl"]
CLAUSE = (
    "Neither party may assign this Agreement, in whole or in part, without the prior written consent of the other "
    "party, which shall not be unreasonably withheld."
)


def made_texts(n: int, length: int, seed: int = 0) -> list[list[str]]:
    """Texts of random words, and of each a copy with every fifth word replaced."""
    rng = random.Random(seed)
    texts = [rng.choices(WORDS, k=length) for _ in range(n)]
    return texts + [[rng.choice(WORDS) if i % 5 == 0 else word for i, word in enumerate(own)] for own in texts]


def part(text: str, number: int, start: int = 0) -> Part:
    name = f"{number}.txt"
    return Part(
        document=number, address=name, document_id=name, section=None, start=start, end=start + len(text), page=1,
        text=text, boxes=(),
    )  # fmt: skip


def found_in(texts: Sequence[str], **settings: object) -> longdoc.Duplicates:
    names = [f"{number}.txt" for number in range(len(texts))]
    return duplicates_among(
        [part(text, number) for number, text in enumerate(texts)], Settings(**settings), names=names, n_short=0
    )


# --------------------------------------------------------------------------------------------------------- candidates


def test_bands_are_those_of_datasketch_and_of_all_pairs() -> None:
    values = candidates.signatures(made_texts(60, 30))
    found, left_out = candidates.banded_pairs(values)
    lsh = datasketch.MinHashLSH(params=(candidates.BANDS, candidates.IN_BAND), num_perm=values.shape[1])
    theirs = set()
    for number, row in enumerate(values):
        own = datasketch.MinHash(hashvalues=row, scheme="affine32")
        theirs |= {(other, number) for other in lsh.query(own)}
        lsh.insert(number, own)
    pairs = set(map(tuple, found.tolist()))
    assert pairs == theirs == reference.banded_pairs(values, candidates.BANDS, candidates.IN_BAND)
    assert len(pairs) >= 60 and left_out == 0


def test_near_duplicates_are_those_that_comparing_all_pairs_finds() -> None:
    texts = made_texts(20, 25)
    pairs = found_in([" ".join(own) for own in texts]).pairs
    found = {(pair.first.document, pair.second.document) for pair in pairs}
    assert found == reference.near_duplicates(texts, 0.6) and len(found) >= 20
    assert all(
        pair.similarity == pytest.approx(reference.word_similarity(texts[a], texts[b]))
        for pair, (a, b) in zip(pairs, [(p.first.document, p.second.document) for p in pairs], strict=True)
    )


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_similarity_is_that_of_the_longest_common_subsequence(one: list[str], other: list[str]) -> None:
    assert similarity(one, other) == pytest.approx(reference.word_similarity(one, other) if one or other else 1.0)


def test_a_template_that_all_documents_share_is_found() -> None:
    """A word that every text has still counts: with rare words alone, there would be no candidates."""
    filled = [f"{CLAUSE} The fee is {10 * number} dollars." for number in range(30)]
    (cluster,) = found_in(filled).clusters
    assert len(cluster.members) == 30 and cluster.n_documents == 30


def test_many_texts_that_agree_are_compared_with_those_next_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MOST", 3)
    values = np.zeros((10, candidates.BANDS * candidates.IN_BAND), np.uint32)
    pairs, left_out = candidates.banded_pairs(values)
    assert {(a, b) for a, b in pairs.tolist()} == {(a, b) for a in range(10) for b in range(a + 1, min(a + 4, 10))}
    assert left_out == candidates.BANDS * (45 - len(pairs))
    assert "comparisons left out" in duplicates_with(left_out).lines()[-1]


def duplicates_with(left_out: int) -> longdoc.Duplicates:
    return longdoc.Duplicates(
        settings=Settings(), names=(), clusters=(), pairs=(), n_parts=0, n_short=0, n_left_out=left_out
    )


def test_close_vectors_are_those_of_all_pairs() -> None:
    vectors = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs, cosines = close_pairs(vectors, 0.9)
    products = vectors @ vectors.T
    assert {(a, b) for a, b in pairs.tolist()} == {
        (a, b) for a in range(300) for b in range(a + 1, 300) if products[a, b] >= 0.9
    }
    np.testing.assert_allclose(cosines, products[pairs[:, 0], pairs[:, 1]], atol=1e-6)


# ------------------------------------------------------------------------------------------------------------ clusters


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=9),
    st.dictionaries(
        st.tuples(st.integers(0, 8), st.integers(0, 8)), st.sampled_from([0.0, 0.6, 0.8, 0.99]), max_size=20
    ),
)
def test_every_text_of_a_pair_is_in_one_cluster(copies: list[int], given: dict[tuple[int, int], float]) -> None:
    pairs = {pair: value for pair, value in given.items() if pair[0] < pair[1] < len(copies)}
    found = stars(copies, [*pairs], [*pairs.values()])
    members = [text for star in found for text in (star.centre, *star.direct, *star.by_way)]
    assert sorted(members) == sorted({i for pair in pairs for i in pair} | {i for i, n in enumerate(copies) if n > 1})
    for star in found:
        assert all((min(text, star.centre), max(text, star.centre)) in pairs for text in star.direct)
        for text in star.by_way:
            assert (min(text, star.centre), max(text, star.centre)) not in pairs
            assert any((min(text, other), max(text, other)) in pairs for other in star.direct)


def test_the_usual_wording_is_that_of_most() -> None:
    odd = CLAUSE.replace("prior written", "express")
    found = found_in([odd, CLAUSE, CLAUSE.upper(), CLAUSE.replace("withheld", "delayed")])
    (cluster,) = found.clusters
    assert cluster.usual.text == CLAUSE and cluster.n_documents == 4
    assert [member.role for member in cluster.members] == ["usual", "same words", "words", "words"]
    assert [pair.method for pair in found.pairs].count("same words") == 1


# ---------------------------------------------------------------------------------------------------------- differences


@pytest.mark.parametrize("most", [0, 10**9])
@given(usual=st.lists(st.sampled_from("abc"), max_size=12), other=st.lists(st.sampled_from("abc"), max_size=12))
def test_runs_make_both_texts(most: int, usual: list[str], other: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(differences, "_MOST", most)  # above which texts are aligned in little memory
        found = runs(usual, other)
    assert [word for run in found for word in usual[slice(*run.usual)]] == usual
    assert [word for run in found for word in other[slice(*run.other)]] == other
    assert all(usual[slice(*run.usual)] == other[slice(*run.other)] for run in found if run.is_same)
    assert all(one.is_same != two.is_same for one, two in pairwise(found))


def read(html: str, left_out: str) -> str:
    """The text of a page without one of the kinds of change."""
    html = re.sub(rf"<{left_out}>.*?</{left_out}>", "", re.sub(r'<span class="unseen">.*?</span>', "", html))
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_a_difference_reads_as_both_texts() -> None:
    other = CLAUSE.replace("Neither party may", "No party shall").replace("written ", "") + " Any other is void."
    html = difference(CLAUSE, other)
    assert words_of(read(html, "del")) == words_of(other) and words_of(read(html, "ins")) == words_of(CLAUSE)
    assert " ".join(read(html, "del").split()) == other
    assert "<del>" in html and "written" in html and 'class="unseen">[added: ' in html


def test_long_runs_are_counted() -> None:
    long = " ".join(f"word{number}" for number in range(1000))
    html = difference(f"{long} first", f"{long} second")
    assert "… 988 words are the same …" in html and "word999" in html and "word5 " not in html
    assert "more words" in difference("a", long)


def test_a_page_of_hostile_texts_runs_nothing() -> None:
    hostile = [f"{HOSTILE} {CLAUSE}", f"{CLAUSE} {HOSTILE}", CLAUSE]
    found = found_in(hostile, min_similarity=0.3)
    assert len(found.clusters) == 1
    html = page(found)
    assert html.count("<script>") == 1 and html.count("</style>") == 1 and "<img" not in html and "<svg" not in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and "default-src 'none'" in unescape(policy[1]) and "unsafe" not in policy[1]
    assert page(found_in([CLAUSE])).count("No two parts are alike enough") == 1


# --------------------------------------------------------------------------------------------------------------- parts


def test_parts_are_ranges_of_the_text_with_boxes() -> None:
    document = longdoc.load(ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf")
    counts = {}
    for unit in ("document", "section", "clause"):
        found = parts_of(document, unit, number=3, address="a.pdf", min_words=20)
        counts[unit] = len(found.compared)
        for own in found.compared:
            assert document.text[own.start : own.end] == own.text == own.text.strip()
            assert own.page == document.page_at(own.start).number and own.document == 3
            assert own.boxes == (() if unit == "document" else document.locate(own.start, own.end))
            assert len(words_of(own.text)) == len(word_ranges(own.text)) >= 20
        covered = sum(
            len(own.text.split()) for own in parts_of(document, unit, number=0, address="", min_words=1).compared
        )
        assert covered == len(document.text.split())
    assert counts["document"] == 1 < counts["section"] <= counts["clause"]


def test_words_of_scripts_without_spaces_are_characters() -> None:
    assert words_of("本契約はABC社の") == ["本", "契", "約", "は", "abc", "社", "の"]
    assert words_of("ﬁne Straße 1,000.5 3rd") == ["fine", "strasse", "1,000.5", "3rd"]


def test_marks_are_part_of_their_words() -> None:
    assert words_of("cafe\u0301") == words_of("CAFÉ") == ["café"]
    assert words_of("की का, स्थायी") == ["की", "का", "स्थायी"]  # without marks, all of these lose their vowels


def test_in_python() -> None:
    other = CLAUSE.replace("Neither party may", "No party shall")
    documents = [Document.from_text(text, name=name) for name, text in (("a", CLAUSE), ("b", other), ("c", "Short."))]
    found = longdoc.find_duplicates(documents)
    assert found.names == ("a", "b", "c") and found.n_short == 1
    (pair,) = found.pairs
    assert (pair.first.address, pair.second.address, pair.method) == ("a", "b", "words") and 0.8 < pair.similarity < 1
    assert "2 sections of 3 documents compared; 1 of fewer than 20 words left out" in found.lines()[0]
    assert longdoc.find_duplicates([]).clusters == ()
    for wrong, message in (
        ({"unit": "page"}, "unknown unit 'page'; allowed"),
        ({"min_similarity": 1.2}, "from 0 to 1"),
        ({"min_similarity": 0.0}, "above 0"),
        ({"min_words": 0}, "min_words must be an integer, at least 1"),
        ({"pipeline": "default"}, "pipeline must be a Pipeline"),
        ({"pipeline": Pipeline(make_model(), device="cpu")}, "no head of kind 'embed'"),
    ):
        with pytest.raises(ConfigError, match=message):
            longdoc.find_duplicates(documents, **wrong)
    for one in ("contracts", documents[0], BytesIO(b"a text")):
        with pytest.raises(ConfigError, match="must be a list of documents"):
            longdoc.find_duplicates(one)


def test_texts_that_are_alike_in_meaning_alone() -> None:
    pipeline = Pipeline(make_asking_model(), device="cpu", precision="float32")
    texts = [CLAUSE, " ".join(reversed(CLAUSE.split())), " ".join(WORDS[:30])]
    vectors = pipeline.engine.text_vectors(texts, "embed", pipeline._progress())
    cosine = float(vectors[0] @ vectors[1])
    documents = [Document.from_text(text) for text in texts]
    found = longdoc.find_duplicates(documents, pipeline=pipeline, min_cosine=cosine - 1e-4)
    by_method = {(pair.first.text, pair.second.text): pair for pair in found.pairs}
    pair = by_method[texts[0], texts[1]]
    assert pair.method == "meaning" and pair.cosine == pytest.approx(cosine, abs=1e-5)
    assert pair.similarity == pytest.approx(similarity(words_of(texts[0]), words_of(texts[1])))
    assert "alike in meaning" in page(found)


# -------------------------------------------------------------------------------------------------------------- folder


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three contracts that share a clause, a copy of one of them, and a damaged file."""
    folder = tmp_path_factory.mktemp("contracts")
    for number in range(3):
        own = " ".join(random.Random(number).choices(WORDS, k=40))
        (folder / f"{number}.txt").write_text(
            f"LICENCE AGREEMENT\n\n1. Work. {own}\n\n2. Assignment. {CLAUSE}{' Any other is void.' * (number == 2)}\n"
        )
    (folder / "copy.txt").write_bytes((folder / "0.txt").read_bytes())
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    return folder


@pytest.fixture(scope="module")
def run(contracts: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return longdoc.dedup_many([contracts], tmp_path_factory.mktemp("results") / "out", workers=1)


def test_a_folder_becomes_tables_and_a_page(run: Run) -> None:
    tables = {name: parquet.read_table(run.folder / f"{name}.parquet") for name in COLUMNS}
    for name, table in tables.items():
        assert table.column_names == [column.name for column in COLUMNS[name]]
    states = {Path(row["address"]).name: row for row in tables["documents"].to_pylist()}
    assert states["broken.pdf"]["state"] == "failed" and states["copy.txt"]["same_as"].endswith("0.txt")
    assert (states["0.txt"]["compared"], states["0.txt"]["too_short"], states["copy.txt"]["compared"]) == (2, 1, 0)
    clusters = tables["clusters"].to_pylist()
    assert [row["role"] for row in clusters] == ["usual", "same words", "words"]
    assert {row["documents"] for row in clusters} == {3} and clusters[0]["section"] == "2"
    assert clusters[0]["text"].startswith("2. Assignment.")
    pairs = tables["pairs"].to_pylist()
    assert [row["method"] for row in pairs] == ["same words", "words"] and {row["cluster"] for row in pairs} == {0}
    record = json.loads((run.folder / "dedup.json").read_text())
    assert record["counts"]["clusters"] == 1 and record["counts"]["failed"] == 1 == run.n_failed
    html = (run.folder / "clusters.html").read_text()
    assert "3 sections in 3 documents" in html and "Any other is void" in html and str(run.folder.parent) not in html


def test_results_are_no_documents_but_beside_a_file_of_that_name_there_are_some(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DocumentNotFoundError):
        find_inputs([str(run.folder)])
    for name in ("dedup.json", "lease.txt"):
        (tmp_path / name).write_text("{}")
    assert str(tmp_path / "lease.txt") in [each.address for each in find_inputs([str(tmp_path)])]


def test_results_are_replaced_only_on_demand(run: Run, contracts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has the results of an earlier run"):
        longdoc.dedup_many([contracts], run.folder)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"has other files, such as notes\.txt"):
        longdoc.dedup_many([contracts], tmp_path, overwrite=True)
    with pytest.raises(ConfigError, match="has other files, such as"):
        longdoc.dedup_many([contracts], contracts)
    with pytest.raises(ConfigError, match="cannot be made a folder of results"):
        longdoc.dedup_many([contracts], tmp_path / "notes.txt")


def test_an_interrupted_run_leaves_nothing_and_starts_over(
    contracts: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        longdoc.dedup_many([contracts / "0.txt"], out, workers=1, progress=interrupt)
    assert not out.exists()
    (out / ".longdoc-new.part").mkdir(parents=True)  # as a kill while the files are written leaves it
    (out / ".longdoc-new.part" / "pairs.parquet").write_bytes(b"half")
    with caplog.at_level("INFO", "longdoc"):
        ended = longdoc.dedup_many([contracts / "0.txt", contracts / "1.txt"], out, workers=1)
    assert "an earlier run did not end; it starts over" in caplog.text
    assert len(ended.found.clusters) == 1 and sorted(path.name for path in out.iterdir())[0] == ".lock"
    assert not (out / ".longdoc-new.part").exists()


def test_another_run_in_the_folder_is_refused(contracts: Path, tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    try:
        with pytest.raises(BatchError, match="another run"):
            longdoc.dedup_many([contracts], tmp_path)
    finally:
        lock.release()


def test_the_command(contracts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    paths = [str(contracts / f"{number}.txt") for number in range(3)]
    assert cli.main(["dedup", *paths, "-o", out, "--unit", "clause", "--workers", "1"]) == 0
    told = capsys.readouterr()
    assert "1 cluster of near-duplicates with 3 clauses" in told.out and "clusters.html" in told.err
    assert cli.main(["dedup", *paths, "-o", out]) == 2
    assert "--overwrite" in capsys.readouterr().err
    make_model().save(tmp_path / "plain")
    assert cli.main(["dedup", *paths, "-o", f"{out}2", "--paraphrases", "--model", str(tmp_path / "plain")]) == 2
    assert "no head of kind 'embed'" in capsys.readouterr().err and not Path(f"{out}2").exists()
    for unused in (["--min-cosine", "0.9"], ["--model", "default"]):
        assert cli.main(["dedup", *paths, "-o", f"{out}2", *unused]) == 2
        assert f"{unused[0]} is for --paraphrases" in capsys.readouterr().err
    assert cli.main(["dedup", str(tmp_path / "none"), "-o", f"{out}2"]) == 2
    assert cli.main(["dedup", "-o", f"{out}2"]) == 2


def test_the_page_of_the_documentation_names_every_column() -> None:
    text = (ROOT / "docs" / "dedup.md").read_text()
    for name, columns in COLUMNS.items():
        assert f"`{name}`" in text
        assert [column.name for column in columns if f"`{column.name}`" not in text] == []
