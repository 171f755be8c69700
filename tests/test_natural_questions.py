"""The questions of ``benchmarks/marks/questions``, and how answers are compared with theirs."""

import runpy
from collections import Counter
from pathlib import Path

import pytest
import yaml

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
judge = runpy.run_path(str(BENCHMARKS / "_matching.py"))["judge"]
NOTICE = ["30 days'", "upon 30 days' written notice to the other"]


@pytest.mark.parametrize(
    ("answer", "acceptable", "verdict"),
    [
        ("30 days' written notice", NOTICE, "right"),
        ("Either party may end it for any reason at all upon 30 days’ written notice", NOTICE, "right"),
        ("written notice to the other", NOTICE, "wrong"),
        ("60 days", NOTICE, "wrong"),
        ("thirty days", NOTICE, "right"),
        ("sixty days", NOTICE, "wrong"),
        ("30", NOTICE, "right"),
        ("30 calendar weeks after the end", ["thirty (30) days"], "partly"),
        ("prior consent", ["without the prior consent of the other party to it"], "partly"),
        ("The Effective Date", NOTICE, "wrong"),
        ("$250", ["$2.50"], "wrong"),
        ("US $2,500.00", ["$2500.00"], "right"),
        ("the Distributor", ["Distributor"], "right"),
        ("Distributor shall not be liable for any loss or damage of the Products", ["Distributor"], "wrong"),
        ("New York", [], "wrong"),
        ("[*****]", ["New York"], "wrong"),
    ],
)
def test_answers_are_compared_by_their_words(answer: str, acceptable: list[str], verdict: str) -> None:
    assert judge(answer, acceptable) == verdict


def test_the_questions_are_complete() -> None:
    path = BENCHMARKS / "marks" / "questions" / "contracts.yaml"
    questions = yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]
    assert Counter(each["kind"] for each in questions) == {"fact": 24, "clause": 18, "list": 6, "none": 12}
    assert set(Counter(each["contract"] for each in questions).values()) == {4}
    assert len({each["id"] for each in questions}) == len({each["question"] for each in questions}) == 60
    for each in questions:
        assert bool(each["answers"]) != (each["kind"] == "none") and ("note" in each) == (each["kind"] == "none")
        assert all(a["end"] - a["start"] == len(a["text"]) for a in each["answers"])


def test_the_questions_for_development_are_complete() -> None:
    path = BENCHMARKS / "marks" / "questions" / "development.yaml"
    questions = yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]
    assert len({each["id"] for each in questions}) == len({each["question"] for each in questions}) == 50
    for each in questions:
        assert bool(each["answers"]) != (each["kind"] == "none") and ("note" in each) == (each["kind"] == "none")
        assert all(a["end"] - a["start"] == len(a["text"]) for a in each["answers"])
