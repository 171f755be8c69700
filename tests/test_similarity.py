"""How alike texts are in meaning, in Python and in files of pairs."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from conftest import CORPUS, make_asking_model, make_model
from longdoc import Document, cli
from longdoc.dedup.pair_file import figures, read_pairs, write_scores
from longdoc.errors import ConfigError, DataError
from longdoc.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(make_asking_model(), device="cpu", precision="float32")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    make_asking_model().save(folder)
    return str(folder)


def test_cosines_are_those_of_the_vectors(pipeline: Pipeline) -> None:
    texts = [*CORPUS, " ".join(CORPUS) * 3]  # the last has several windows
    vectors = np.stack([pipeline.embed(Document.from_text(text)) for text in texts])
    expected = vectors @ vectors.T
    np.testing.assert_allclose(pipeline.similarity(texts, texts[:2]), expected[:, :2], atol=1e-5)
    np.testing.assert_allclose(
        pipeline.similarity(texts, texts[::-1], pairwise=True), expected[:, ::-1].diagonal(), atol=1e-5
    )
    one = pipeline.similarity(texts[0], Document.from_text(texts[1]))
    assert isinstance(one, float) and one == pytest.approx(expected[0, 1], abs=1e-5)
    assert pipeline.similarity(texts[0], texts[0]) == pytest.approx(1) and pipeline.similarity([], ["a"]).shape == (
        0,
        1,
    )


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        ("a", ["b"], {}, "two texts, or two lists"),
        (["a"], ["b", "c"], {"pairwise": True}, "there are 1 and 2"),
        ("a", "b", {"pairwise": True}, "leave it out"),
        (["a", " "], ["b"], {}, "text 2 of 2 in a is empty"),
        (["a"], [3], {}, "b must be a str or a Document; got 3"),
        (3, ["b"], {}, "a must be a text or a list"),
        ("a", "\u200b", {}, "b has no word that the model can read"),
        ("a", "b", {"head": "qa"}, "head is 'qa'; the heads of kind 'embed'"),
    ],
)
def test_wrong_texts_are_refused(pipeline: Pipeline, a: object, b: object, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline.similarity(a, b, **options)


def test_a_model_without_vectors_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no head of kind 'embed'.*load one"):
        Pipeline(make_model(), device="cpu").similarity("a", "b")


def test_files_of_pairs_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('sentence1\tsentence2\tlabel\nA fee.\tA cost.\t1\nA law.\t"A ""cat""."\t0\n')
    (tmp_path / "a.csv").write_text('label,sentence2,sentence1\n1,A cost.,A fee.\n0,"A ""cat"".",A law.\n')
    records = [("A fee.", "A cost.", 1), ("A law.", 'A "cat".', 0)]
    lines = [json.dumps({"sentence1": a, "sentence2": b, "label": c}) for a, b, c in records]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    for suffix in ("tsv", "csv", "jsonl"):
        pairs = read_pairs(tmp_path / f"a.{suffix}")
        assert (pairs.left, pairs.right, pairs.labels) == (("A fee.", "A law."), ("A cost.", 'A "cat".'), (1.0, 0.0))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "sentence1\tother\na\tb\n", r"a.tsv: no column 'sentence2'; the .* 'other': .*--columns A,B"),
        ("a.tsv", "sentence1\tsentence2\na\t\n", "line 2: sentence2 is empty"),
        ("a.tsv", "sentence1\tsentence2\na\tb\tc\n", "more cells than the header"),
        ("a.csv", "sentence1,sentence2,label\na,b,yes\n", "label is 'yes'; a label is a number"),
        ("a.csv", "sentence1,sentence2,similarity\na,b,1\n", "has a column 'similarity' already"),
        ("a.csv", "sentence1,sentence2\n", "has no pairs"),
        ("a.jsonl", '{"sentence1": "a", "sentence2": "b", "label": 1}\n{"sentence1": "a", "sentence2": "b"}', "1 of 2"),
        ("a.tsv", 'sentence1\tsentence2\na\t" b\nc\td "\n', "line 3: sentence2 goes over lines that have columns"),
        ("a.jsonl", "[1]", "expected an object"),
        ("a.jsonl", "{", "line 1"),
        ("a.txt", "a b", "the suffix must be .tsv, .csv, .jsonl"),
        ("none.tsv", None, "cannot be read"),
    ],
)
def test_a_malformed_file_is_told(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises((DataError, ConfigError), match=message):
        read_pairs(tmp_path / name)


def test_records_with_different_keys_become_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"sentence1": "a", "sentence2": "b"}\n{"sentence1": "c", "sentence2": "d", "note": "x"}\n'
    )
    write_scores(read_pairs(tmp_path / "a.jsonl"), [0.5, 1.0], written := StringIO(), ".csv")
    assert written.getvalue() == "sentence1,sentence2,note,similarity\na,b,,0.5\nc,d,x,1.0\n"


def test_figures_are_those_of_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    scores = np.round(truth * 0.3 + rng.random(200), 2)
    found = figures(truth.tolist(), scores)
    accuracies = {float(t): metrics.accuracy_score(truth, scores >= t) for t in scores}
    assert found["accuracy"] == pytest.approx(max(accuracies.values())) == accuracies[found["threshold"]]
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, scores >= found["threshold"]))
    at = figures(truth.tolist(), scores, 0.5)
    assert at["accuracy"] == pytest.approx(metrics.accuracy_score(truth, scores >= 0.5)) and at["threshold"] == 0.5
    degrees = truth + rng.random(200)
    assert figures(degrees.tolist(), scores)["spearman"] == pytest.approx(stats.spearmanr(degrees, scores).statistic)
    with pytest.raises(ConfigError, match="all labels are 1"):
        figures([1, 1], [0.2, 0.4])
    with pytest.raises(ConfigError, match="threshold is for labels of 0 and 1"):
        figures([1, 2], [0.2, 0.4], 0.5)


def test_the_command(model: str, pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs, out = tmp_path / "pairs.tsv", tmp_path / "out.jsonl"
    pairs.write_text(f"left\tright\tlabel\n{CORPUS[0]}\t{CORPUS[0]}\t1\n{CORPUS[0]}\t{CORPUS[1]}\t0\n")
    command = ["similarity", str(pairs), "--model", model, "--device", "cpu", "--precision", "float32"]
    assert cli.main([*command, "--columns", "left,right", "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out == "" and "2 pairs: threshold 1.000, accuracy 1.000" in told.err and "best threshold" in told.err
    scores = [json.loads(line)["similarity"] for line in out.read_text().splitlines()]
    assert scores == pytest.approx([1, pipeline.similarity(CORPUS[0], CORPUS[1])], abs=1e-3)
    assert cli.main([*command, "--columns", "left,right", "-o", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert cli.main(command) == 2
    assert "no column 'sentence1'; the columns are 'left', 'right', 'label'" in capsys.readouterr().err
    assert cli.main([*command, "--columns", "left"]) == 2 and "two names" in capsys.readouterr().err
    assert cli.main([*command, "--columns", "left,right", "-o", str(pairs), "--overwrite"]) == 2
