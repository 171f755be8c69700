"""Questions in people's own words on held-out contracts, asked of the PDFs and compared with answers marked by hand.

The questions are in ``marks/questions``, see ``marks/README.md``: those of ``--part dev`` are for development, those of
``test`` only measure. The contracts are read from ``LONGDOC_DATA``. Each question is printed with its verdict and the
answer that was given.
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from _matching import judge
from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.config import load_yaml
from longdoc.datasets import Contract, cuad_part, data_root, read_cuad
from longdoc.datasets.marks import MarkedQuestion, Marks, read_contract_marks

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


def ask(
    pipeline: longdoc.Pipeline, contract: Contract, asked: list[MarkedQuestion], options: Mapping[str, None]
) -> list[Outcome]:
    document = longdoc.load(contract.pdf)
    found = []
    answers = pipeline.ask(document, [each.question for each in asked], **options)
    for each, given in zip(asked, answers, strict=True):
        verdict, score, text = "not found", 0.0, ""
        if given:
            verdict, score = judge(given[0].text, [answer["text"] for answer in each.answers]), given[0].score
            text = " ".join(given[0].text.split())
        tqdm.write(f"{each.id:<13} {verdict:<9} {score:.2f}  {each.question} -> {text}")
        found.append(Outcome(each.kind, verdict, score))
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

    path = QUESTIONS[arguments.part]
    questions = load_yaml(Marks, path).questions
    list(read_contract_marks(data_root() / "cuad", marks=str(path)))  # stops if an answer is not what the contract says
    ids = list(dict.fromkeys(question.contract for question in questions))
    contracts = {c.id: c for c in read_cuad(data_root() / "cuad") if c.id in ids and cuad_part(c) == arguments.part}
    pipeline = longdoc.Pipeline.from_pretrained(arguments.model)
    options = {"windows": None} if arguments.all_windows else {}
    outcomes: list[Outcome] = []
    for name in tqdm(ids, unit="contract"):
        outcomes += ask(pipeline, contracts[name], [each for each in questions if each.contract == name], options)

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
