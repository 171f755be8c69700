"""Speed of two checkouts of longdoc side by side: loading, entities and questions, in alternating runs.

Each checkout runs in a process of its own, started once; the parent asks them in turn, so that both run on the same
machine. Give the other checkout a folder, for example one made by ``git worktree add ../before HEAD~1``::

    python benchmarks/paired.py ../before
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from _table import write_table

ROOT = Path(__file__).parents[1]
WORKER = """
import json, sys, time
import longdoc
paths = json.loads(sys.stdin.readline())
documents = [longdoc.load(path) for path in paths]
pipeline = longdoc.Pipeline.from_pretrained(precision="float32")
short = longdoc.Document.from_text(documents[0].text[:20_000])
questions = ["What is the date of the agreement?", "Which law governs it?", "Who are the parties?"]
jobs = {
    "loading": lambda: [longdoc.load(path) for path in paths],
    "entities": lambda: list(pipeline.pipe(documents[:1], tasks=["contract", "biomedical"])),
    "questions": lambda: pipeline.ask(short, questions),
    "clauses and rules": lambda: pipeline(short, tasks=["clause", "rules"]),
}
for job in jobs.values():
    job()
print("ready", flush=True)
for line in sys.stdin:
    started_at = time.process_time()
    jobs[line.strip()]()
    print(time.process_time() - started_at, flush=True)
"""
JOBS = ("loading", "entities", "questions", "clauses and rules")


def start(checkout: Path, paths: list[str]) -> subprocess.Popen[str]:
    """A process that has loaded this checkout's longdoc and is ready to run jobs."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    ask(process, json.dumps(paths))
    return process


def ask(process: subprocess.Popen[str], line: str) -> str:
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="folder of the other checkout")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    paths = [str(path) for path in sorted((ROOT / "examples").glob("*.pdf"))]
    before, after = start(arguments.before, paths), start(ROOT, paths)
    rows = []
    for job in JOBS:
        pairs = [(float(ask(before, job)), float(ask(after, job))) for _ in range(arguments.rounds)]
        ratios = sorted(new / old for old, new in pairs)
        seconds = [f"{statistics.median(side):.3f}" for side in zip(*pairs, strict=True)]
        rows.append([job, *seconds, f"{statistics.median(ratios):.3f}", f"{ratios[0]:.3f} to {ratios[-1]:.3f}"])
        print(*rows[-1], sep=" | ")
    header = ["job", "before, CPU s", "after, CPU s", "median ratio", "range"]
    notes = f"Median of {arguments.rounds} alternating rounds, one thread, float32; above 1 is slower."
    write_table("paired", "Speed compared with an earlier commit", header, rows, notes)


if __name__ == "__main__":
    main()
