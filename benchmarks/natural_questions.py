"""Questions in people's own words on held-out contracts, asked of the PDFs and compared with answers marked by hand.

The questions are in ``marks/questions``, see ``marks/README.md``: those of ``--part dev`` are for development, those of
``test`` only measure. The contracts are read from ``LONGDOC_DATA``. Each question is printed with its verdict and the
answer that was given.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from _matching import judge
from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.datasets import Contract, cuad_part, data_root, read_cuad

MARKS = Path(__file__).parent / "marks" / "questions"
QUESTIONS = {"dev": MARKS / "development.yaml", "test": MARKS / "contracts.yaml"}
KINDS = {
    "fact": "a fact in one place",
    "clause": "a clause",
    "list": "in a table, a list or a defined term",
    "none": "not answered by the contract",
}
SURE = 0.5
"""A wrong answer with a higher score misleads."""


class Outcome(NamedTuple):
    """What became of a question: ``right``, ``partly``, ``wrong`` or ``not found``."""

    kind: str
    verdict: str
    score: float


def read_questions(path: Path) -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["questions"]


def check_quotes(questions: Iterable[Mapping[str, Any]], contracts: Mapping[str, Contract]) -> None:
    """Stops if an acceptable answer is not what the contract says at its offsets."""
    for question in questions:
        contract = contracts[question["contract"]]
        for answer in question["answers"]:
            if contract.text[answer["start"] : answer["end"]] != answer["text"]:
                raise SystemExit(f"{question['id']}: {answer['text']!r} is not at {answer['start']}")


def ask(
    pipeline: longdoc.Pipeline, contract: Contract, questions: list[dict[str, Any]], options: Mapping[str, None]
) -> list[Outcome]:
    document = longdoc.load(contract.pdf)
    found = []
    answers = pipeline.ask(document, [question["question"] for question in questions], **options)
    for question, given in zip(questions, answers, strict=True):
        verdict, score, text = "not found", 0.0, ""
        if given:
            verdict, score = judge(given[0].text, [each["text"] for each in question["answers"]]), given[0].score
            text = " ".join(given[0].text.split())
        tqdm.write(f"{question['id']:<13} {verdict:<9} {score:.2f}  {question['question']} -> {text}")
        found.append(Outcome(question["kind"], verdict, score))
    return found


def row_of(name: str, outcomes: list[Outcome]) -> list[object]:
    answerable = Counter(outcome.verdict for outcome in outcomes if outcome.kind != "none")
    unanswerable = Counter(outcome.verdict for outcome in outcomes if outcome.kind == "none")
    wrong = [outcome for outcome in outcomes if outcome.verdict == "wrong"]
    cells = [answerable["right"], answerable["partly"], len(wrong), sum(outcome.score > SURE for outcome in wrong)]
    return [name, len(outcomes), *cells, answerable["not found"], unanswerable["not found"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default", help="folder or hub id of the model")
    parser.add_argument("--part", choices=QUESTIONS, default="test", help="contracts to ask about; default: test")
    parser.add_argument("--all-windows", action="store_true", help="read the whole text for each question")
    arguments = parser.parse_args()

    questions = read_questions(QUESTIONS[arguments.part])
    ids = list(dict.fromkeys(question["contract"] for question in questions))
    contracts = {c.id: c for c in read_cuad(data_root() / "cuad") if c.id in ids and cuad_part(c) == arguments.part}
    check_quotes(questions, contracts)
    pipeline = longdoc.Pipeline.from_pretrained(arguments.model)
    options = {"windows": None} if arguments.all_windows else {}
    outcomes: list[Outcome] = []
    for name in tqdm(ids, unit="contract"):
        outcomes += ask(pipeline, contracts[name], [each for each in questions if each["contract"] == name], options)

    rows = [row_of(name, [each for each in outcomes if each.kind == kind]) for kind, name in KINDS.items()]
    header = ["the answer is", "questions", "right", "partly right", "wrong", f"wrong, score above {SURE}"]
    notes = (
        f"{len(questions)} questions on {len(ids)} contracts held out from training, see `benchmarks/marks/README.md`. "
        "Right: F1 of the words at least 0.5 with an acceptable answer, or one is contained; partly: at least 0.2, or "
        "contained in one; numbers must agree. Words agree by chance too, above all where partly: read the answers "
        "that the command prints. An answer where the contract has none is wrong. One marking; one question is "
        f"{100 / len(questions):.1f} % of all."
    )
    write_table(
        "natural_questions" if arguments.part == "test" else "natural_questions_dev",
        "Questions in people's own words" + (", for development" if arguments.part == "dev" else ""),
        [*header, "not found, wrongly", "not found, rightly"],
        [*rows, row_of("all", outcomes)],
        notes,
    )


if __name__ == "__main__":
    main()
