"""How well a search finds the passages that hold the clauses of 100 contracts: by words, by vectors, and by both.

The contracts are the 28 for development and the 72 held-out ones of CUAD, read from ``LONGDOC_DATA``; settings were
chosen on the former alone. A query is a question on a category; a passage is relevant if it holds at least half of an
annotated answer, or consists of one by half. Vectors are those of all-MiniLM-L6-v2 as it is.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet
from _corpus_search import FOLDER, held_out, index_of, named
from _table import write_table
from tqdm import tqdm

from longdoc.datasets import Contract, cuad_part
from longdoc.datasets.cuad import categories
from longdoc.datasets.wordings import load_wordings
from longdoc.metrics.ranking import ranking_sums
from longdoc.search.index import Index

WORDINGS = {0: "a question", 1: "as CUAD words it", 4: "in other words"}
"""Which of the wordings of ``configs/questions/cuad.yaml``, and what they are."""
MODES = {"words": "words (BM25)", "vectors": "vectors (MiniLM)", "hybrid": "both (reciprocal ranks)"}
SETTINGS = {"within": "within the contract", "corpus": "in all contracts, the query names the contract"}
TOP = 10


class Query(NamedTuple):
    contract: Contract
    document_id: str
    text: str
    relevant: list[set[int]]
    """For each annotated answer, the starts of the passages that hold it."""


class Found(NamedTuple):
    ndcg: float
    recall: float


def passages_of(folder: Path) -> dict[str, np.ndarray]:
    """The half-open character ranges of the passages of each document, int64 ``(N, 2)``."""
    table = pyarrow.parquet.read_table(folder / "passages", columns=["document_id", "start", "end"])
    found = defaultdict(list)
    for row in table.to_pylist():
        found[row["document_id"]].append((row["start"], row["end"]))
    return {id: np.array(ranges) for id, ranges in found.items()}


def holders(passages: np.ndarray, start: int, end: int) -> set[int]:
    """The starts of the passages that hold the characters ``start:end``."""
    shared = np.minimum(passages[:, 1], end) - np.maximum(passages[:, 0], start)
    least = np.minimum(end - start, passages[:, 1] - passages[:, 0]) / 2
    return set(passages[(shared > 0) & (shared >= least), 0].tolist())


def queries(contracts: Iterable[Contract], ids: dict[str, str], folder: Path, wording: int) -> list[Query]:
    questions = load_wordings(Path(__file__).parents[1] / "configs/questions/cuad.yaml", categories(), "category")
    passages, made = passages_of(folder), []
    for contract in contracts:
        answers: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for span in contract.answers:
            answers[span.label].add((span.start, span.end))
        own = passages[ids[contract.id]]
        for category, spans in answers.items():
            relevant = [holders(own, *span) for span in sorted(spans)]
            made.append(Query(contract, ids[contract.id], questions[category][wording], relevant))
    return made


def judged(found: Sequence[int | None], relevant: list[set[int]]) -> Found:
    """The gain of a ranking, and the share of the answers that are in it; None is a passage of another document."""
    wanted = set().union(*relevant)
    gain = ranking_sums([float(each in wanted) for each in found], len(wanted), k=TOP).ndcg
    return Found(gain, sum(not own.isdisjoint(found) for own in relevant) / len(relevant))


def search(index: Index, query: Query, setting: str) -> dict[str, Found]:
    """By mode. Within a contract, the address is a filter."""
    (address,) = (row["address"] for row in index.documents if row["document_id"] == query.document_id)
    where = {"address": address} if setting == "within" else None
    text = query.text if setting == "within" else named(query.contract, query.text)
    found = {}
    for mode in MODES:
        hits = index.search(text, top_k=TOP, mode=mode, where=where)
        starts = [hit.start if hit.document_id == query.document_id else None for hit in hits]
        found[mode] = judged(starts, query.relevant)
    return found


def row_of(
    results: Mapping[tuple[str, int, str, str], list[Found]], setting: str, wordings: Sequence[int], part: str
) -> list[object]:
    """The mean figures of some wordings."""
    found = {mode: [each for wording in wordings for each in results[setting, wording, part, mode]] for mode in MODES}
    cells = [f"{math.fsum(figures) / len(figures):.3f}" for own in found.values() for figures in zip(*own, strict=True)]
    name = WORDINGS[wordings[0]] if len(wordings) == 1 else f"mean of the {len(wordings)}"
    return [SETTINGS[setting], name, part, len(found["hybrid"]), *cells]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=FOLDER, help="folder of the index; made if need be")
    parser.add_argument("--part", choices=["dev", "test", "all"], default="all", help="contracts; default: all 100")
    arguments = parser.parse_args()

    contracts = held_out(("dev", "test") if arguments.part == "all" else (arguments.part,))
    index, ids = index_of(contracts, arguments.index)
    results: dict[tuple[str, int, str, str], list[Found]] = defaultdict(list)
    asked = [("within", wording) for wording in WORDINGS] + [("corpus", 0)]
    n_queries = 0
    for setting, wording in asked:
        made = [q for q in queries(contracts, ids, arguments.index, wording) if any(q.relevant)]
        n_queries = len(made)
        for query in tqdm(made, desc=f"{setting}, {WORDINGS[wording]}", unit="query"):
            for mode, found in search(index, query, setting).items():
                for part in (cuad_part(query.contract), "all"):
                    results[setting, wording, part, mode].append(found)
    parts = ("test", "dev", "all") if arguments.part == "all" else (arguments.part,)
    rows = [row_of(results, setting, (wording,), part) for setting, wording in asked for part in parts]
    rows += [row_of(results, "within", (*WORDINGS,), part) for part in parts]
    header = ["search", "query", "contracts", "queries"]
    header += [f"{name}: {figure}" for name in MODES.values() for figure in (f"NDCG@{TOP}", f"recall@{TOP}")]
    notes = (
        f"{len(contracts)} contracts, {index.passages:,} passages; {n_queries} pairs of a contract and a category that "
        "it has. Recall: the share of the annotated answers that a passage among the first ten holds. Both: reciprocal "
        "rank fusion, k = 60, of 100 passages of each list. The settings were chosen on the 19 shorter ones of the "
        "contracts for development (dev): stems, no stop words, headings before the text that is embedded, the "
        "names of the document as a field."
    )
    write_table("section_search", "Search for the passages that hold the clauses of contracts", header, rows, notes)


if __name__ == "__main__":
    main()
