"""The 41 fields of a contract: one pass of the clause head, compared with a question for each field.

The contract of CUAD's test part with a number of tokens closest to 10,000, and one of its PDFs with about 30 pages in a
fresh process, from the command line. Data are read from ``LONGDOC_DATA``.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2 as pdfium
import torch
from _table import write_table
from questions import contract_of, first_questions

import longdoc
from longdoc.datasets import cuad_part, data_root, read_cuad

PAGES = 30
N_TOKENS = 10_000


def seconds_of(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started_at = time.perf_counter()
        run()
        times.append(time.perf_counter() - started_at)
    return statistics.median(times)


def n_pages(path: Path) -> int:
    with pdfium.PdfDocument(path) as pdf:
        return len(pdf)


def contract_with_pages() -> Path:
    """The PDF of CUAD's test part whose number of pages is closest to :data:`PAGES`."""
    paths = [contract.pdf for contract in read_cuad(data_root() / "cuad") if cuad_part(contract) == "test"]
    return min((path for path in paths if path), key=lambda path: abs(n_pages(path) - PAGES))


def cold_seconds(arguments: Sequence[str], rounds: int) -> float:
    command = [sys.executable, "-m", "longdoc", "extract", *arguments]
    return seconds_of(lambda: subprocess.run(command, check=True, capture_output=True), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default", help="folder or hub id of the model")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    document = contract_of(N_TOKENS)
    pipeline = longdoc.Pipeline.from_pretrained(arguments.model)
    reader = pipeline.engine.reader_of(pipeline.engine.name_of("spans", None))
    n_tokens = len(reader.tokenize(document))
    questions = first_questions()
    runs: dict[str, Callable[[], object]] = {
        "one forward pass with the clause head": lambda: pipeline(document, pipeline.engine.names_of("spans")),
        "`extract(document, 'contract')`": lambda: pipeline.extract(document, "contract"),
        f"{len(questions)} questions, every window": lambda: pipeline.ask(document, questions),
    }
    runs["one forward pass with the clause head"]()  # warm up
    times = {name: seconds_of(run, arguments.rounds if "questions" not in name else 1) for name, run in runs.items()}
    least = min(times.values())
    rows = [[name, f"{n_tokens:,} tokens, warm", f"{times[name]:.1f}", f"{times[name] / least:.1f}"] for name in times]

    path = contract_with_pages()
    options = [str(path), "--schema", "contract", "--format", "jsonl", "--model", arguments.model]
    cold = cold_seconds(options, arguments.rounds)
    rows.append(
        ["`longdoc extract --schema contract`", f"PDF of {n_pages(path)} pages, fresh process", f"{cold:.1f}", ""]
    )
    write_table(
        "fields",
        "The 41 fields of a contract",
        ["run", "input", "seconds", "ratio"],
        rows,
        f"Seconds: median of {arguments.rounds} rounds (questions: one); torch uses {torch.get_num_threads()} threads.",
    )


if __name__ == "__main__":
    main()
