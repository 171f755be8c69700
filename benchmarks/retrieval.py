"""Which share of annotated answers lies in the windows that are read for a question.

The questions are those of the schema ``contract``, asked about the contracts for development of CUAD, which are read
from ``LONGDOC_DATA``. No model runs: windows are chosen by the words that they share with the question.
"""

import argparse
from collections import Counter

from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.datasets import cuad_part, data_root, read_cuad
from longdoc.document import Document
from longdoc.retrieval import likely_windows
from longdoc.schema import load_schema

WINDOWS = (1, 2, 4, 8, 12, 16, 24, 32)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    (reader,) = longdoc.Pipeline.from_pretrained().readers
    asked = {f.category: f.question for f in load_schema("contract").fields.values() if f.category and f.question}
    found, every, read = Counter[int](), Counter[int](), Counter[int]()
    n_questions = n_windows = n_answers = 0
    contracts = [contract for contract in read_cuad(data_root() / "cuad") if cuad_part(contract) == "dev"]
    for contract in tqdm(contracts, unit="contract"):
        document = Document.from_text(contract.text, name=contract.id)
        tokens = reader.tokenize(document)
        for category, question in asked.items():
            answers = [(span.start, span.end) for span in contract.answers if span.label == category]
            if not answers:
                continue
            reading = reader.read(document, tokens, ["qa"], question=question)
            n_questions, n_answers = n_questions + 1, n_answers + len(answers)
            n_windows += len(reading.windows)
            for most in WINDOWS:
                chosen = likely_windows(reading, most).windows
                read[most] += len(chosen)
                ranges = [(tokens.offsets[w.start, 0], tokens.offsets[w.end - 1, 1]) for w in chosen]
                inside = sum(any(a <= start and end <= b for a, b in ranges) for start, end in answers)
                every[most] += inside
                found[most] += inside > 0
    rows = [
        [most, *(f"{x:.3f}" for x in (found[most] / n_questions, every[most] / n_answers, read[most] / n_windows))]
        for most in WINDOWS
    ]
    notes = f"{n_questions} questions with {n_answers} answers on {len(contracts)} contracts for development."
    header = ["windows", "questions with an answer in them", "answers in them", "share of all windows"]
    write_table("retrieval", "Windows that are read for a question", header, rows, notes)


if __name__ == "__main__":
    main()
