"""What loading in a worker process costs: the same PDFs with ``isolated=True`` and without, in turns.

    python benchmarks/isolation.py

The PDFs are contracts of CUAD, in the folder ``LONGDOC_DATA``, chosen by chance. Each is loaded in both ways, one after
the other, in changing order, so that other load on the machine hits both alike; the fastest of the rounds counts. Pages
without text are not read (``ocr="never"``). The worker has started before: its start is a row of its own.
"""

import argparse
import random
import statistics
import time
from pathlib import Path

from _table import write_table

from longdoc import load
from longdoc.datasets import data_root, read_cuad


def seconds(path: Path, *, isolated: bool) -> float:
    """The time of one load."""
    started = time.perf_counter()
    load(path, ocr="never", isolated=isolated)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    everything = sorted(contract.pdf for contract in read_cuad(data_root() / "cuad"))
    paths = random.Random(0).sample(everything, arguments.documents)
    pages = sum(len(load(path, ocr="never").pages) for path in paths)
    start = seconds(paths[0], isolated=True)
    best: dict[bool, list[float]] = {True: [], False: []}
    for n, path in enumerate(paths):
        for way in (True, False):
            best[way].append(float("inf"))
        for turn in range(arguments.rounds):
            for way in (True, False)[:: 1 if (n + turn) % 2 else -1]:
                best[way][-1] = min(best[way][-1], seconds(path, isolated=way))
    more = [1000 * (own - here) for own, here in zip(best[True], best[False], strict=True)]
    rows = [
        ["documents, pages", f"{len(paths)}, {pages}"],
        ["seconds of all, in this process", f"{sum(best[False]):.2f}"],
        ["seconds of all, isolated", f"{sum(best[True]):.2f}"],
        ["more for a document, median", f"{statistics.median(more):.0f} ms"],
        ["more for a document, 90 % of them", f"at most {sorted(more)[int(0.9 * len(more)) - 1]:.0f} ms"],
        ["more for a document, all", f"at most {max(more):.0f} ms"],
        ["the first document, with the start of the worker", f"{start:.1f} s"],
    ]
    write_table("isolation", "Loading in a worker process", ["", ""], rows)


if __name__ == "__main__":
    main()
