"""Questions that name one of 100 contracts: answers from the passages that a search finds, and from reading everything.

The contracts are those of CUAD that the default model was not trained on, read from ``LONGDOC_DATA``; the questions are
made from the annotations of the 72 that only measure. An answer is right if it is from the right contract and shares at
least half of the shorter of its text and an annotated span. Reading everything takes a model an hour a question on one
core, so that it is done for a part of the contracts and questions; its answers are kept, so that it can go on.
"""

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from _corpus_search import FOLDER, held_out, index_of, named
from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.datasets import Contract, cuad_part, party_names
from longdoc.search.answers import FoundAnswers
from longdoc.search.index import Index

QUESTIONS = {
    "Governing Law": "Which law governs this agreement?",
    "Agreement Date": "On what date was this agreement made?",
    "Effective Date": "When does this agreement take effect?",
    "Expiration Date": "When does this agreement end?",
    "Renewal Term": "For how long is this agreement renewed?",
    "Notice Period To Terminate Renewal": "How much notice must be given to prevent the renewal of this agreement?",
}
"""Categories with a short answer."""
A_CATEGORY = 5
"""Questions on each of them."""
Answered = dict[str, Any]
"""What was found for a question: ``document``, ``right``, ``tokens``, ``seconds``, ``text``, ``score``."""


class Asked(NamedTuple):
    contract: Contract
    category: str
    text: str


def questions(contracts: Sequence[Contract], most: int) -> list[Asked]:
    """The same questions at every run, each on another contract of a category, of contracts that can be named."""
    found = []
    for category, question in QUESTIONS.items():
        able = [
            contract
            for contract in contracts
            if len(party_names(contract)) >= 2 and any(a.label == category for a in contract.answers)
        ]
        able.sort(key=lambda contract: hashlib.sha256(f"{category} {contract.id}".encode()).hexdigest())
        found += [Asked(contract, category, named(contract, question)) for contract in able[:most]]
    return found


def shares_half(start: int, end: int, contract: Contract, category: str) -> bool:
    spans = [(a.start, a.end) for a in contract.answers if a.label == category]
    return any(2 * (min(end, b) - max(start, a)) >= min(end - start, b - a) for a, b in spans)


def judged(asked: Asked, found: FoundAnswers, document_id: str, seconds: float) -> Answered:
    given: Answered = {"document": False, "right": False, "tokens": found.tokens_read, "seconds": seconds}
    if not found:
        return {**given, "text": "", "score": 0.0}
    best = found[0]
    is_its = best.document_id == document_id
    is_right = is_its and shares_half(best.answer.start, best.answer.end, asked.contract, asked.category)
    return {
        **given,
        "document": is_its,
        "right": is_right,
        "text": " ".join(best.answer.text.split())[:200],
        "score": best.answer.score,
    }


@dataclass(frozen=True)
class Corpus:
    """The index, the id of the document of each contract, and what reads."""

    index: Index
    ids: Mapping[str, str]
    pipeline: longdoc.Pipeline

    def ask(self, asked: Asked, **how: Any) -> Answered:
        begun = time.process_time()
        found = self.index.ask(asked.text, top_k=1, pipeline=self.pipeline, **how)
        return judged(asked, found, self.ids[asked.contract.id], time.process_time() - begun)

    def address(self, contract: Contract) -> str:
        rows = (row for row in self.index.documents if row["document_id"] == self.ids[contract.id])
        return next(row["address"] for row in rows if not row["same_as"])

    def n_tokens(self, question: str) -> int:
        """Tokens of all windows of all documents, which are cut and not read."""
        (reader,) = self.pipeline.readers
        total = 0
        for id in set(self.ids.values()):
            document = self.index.document(id)
            reading = reader.read(document, reader.tokenize(document), ["qa"], question=question)
            total += sum(len(window) + len(reading.special) for window in reading.windows)
        return total


class Kept:
    """Answers from reading everything, kept in a file by a name of the documents and the question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Answered] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def get(self, documents: str, asked: Asked) -> Answered | None:
        return self._known.get(f"{documents}: {asked.text}")

    def put(self, documents: str, asked: Asked, found: Answered) -> Answered:
        self._known[f"{documents}: {asked.text}"] = found
        self._path.write_text(json.dumps(self._known, indent=1), encoding="utf-8")
        return found


def row_of(name: str, n_contracts: int, answers: Sequence[Answered]) -> list[object]:
    counts = Counter[str]()
    for each in answers:
        counts.update(name for name in ("document", "right") if each[name])
    tokens, seconds = (sum(each[name] for each in answers) / len(answers) for name in ("tokens", "seconds"))
    shares = (f"{counts[name] / len(answers):.3f}" for name in ("document", "right"))
    return [name, n_contracts, len(answers), *shares, f"{tokens:,.0f}", f"{seconds:.1f}"]


def rows_of_all(corpus: Corpus, asked: Sequence[Asked], kept: Kept, most: int) -> tuple[list[list[object]], float]:
    """Rows for all contracts, and the mean tokens of a question; everything is read for ``most`` more questions."""
    n_contracts, passages = len(corpus.index.documents), []
    for each in tqdm(asked, unit="question", desc="passages"):
        passages.append(found := corpus.ask(each))
        verdict = "right" if found["right"] else "document" if found["document"] else "wrong"
        tqdm.write(f"{verdict:<8} {found['score']:.2f} {each.text} -> {found['text']}")
    for each in [each for each in asked if kept.get("all", each) is None][:most]:
        kept.put("all", each, corpus.ask(each, passages=None))
    both = [(own, whole) for each, own in zip(asked, passages, strict=True) if (whole := kept.get("all", each))]
    rows = [row_of("passages that a search finds", n_contracts, passages)]
    if both:
        rows.append(row_of("passages, some of the questions", n_contracts, [own for own, _ in both]))
        rows.append(row_of("everything, these questions", n_contracts, [whole for _, whole in both]))
    return rows, sum(each["tokens"] for each in passages) / len(passages)


def rows_of_few(corpus: Corpus, few: Sequence[Contract], kept: Kept) -> list[list[object]]:
    """Rows for some contracts, of which everything is read for each question."""
    where = {"address": [corpus.address(contract) for contract in few]}
    asked, name = questions(few, len(few)), f"{len(few)} contracts"
    passages = [corpus.ask(each, where=where) for each in tqdm(asked, unit="question", desc=f"{name}, passages")]
    everything = [
        kept.get(name, each) or kept.put(name, each, corpus.ask(each, where=where, passages=None))
        for each in tqdm(asked, unit="question", desc=f"{name}, everything")
    ]
    return [
        row_of("passages that a search finds", len(few), passages),
        row_of("everything", len(few), everything),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=FOLDER, help="folder of the index; made if need be")
    parser.add_argument("--part", choices=["dev", "test"], default="test", help="contracts asked about; default: test")
    parser.add_argument("--few", type=int, default=12, help="contracts that are read whole, the shortest; default: 12")
    parser.add_argument("--everything", type=int, default=0, help="more questions for which all contracts are read")
    arguments = parser.parse_args()

    contracts = held_out()
    corpus = Corpus(*index_of(contracts, arguments.index), longdoc.Pipeline.from_pretrained(progress=False))
    own = [contract for contract in contracts if cuad_part(contract) == arguments.part]
    kept = Kept(arguments.index.with_name(f"{arguments.index.name}-{arguments.part}.json"))
    rows, tokens = rows_of_all(corpus, questions(own, A_CATEGORY), kept, arguments.everything)
    if arguments.few:
        short = sorted((c for c in own if len(party_names(c)) >= 2), key=lambda c: (len(c.text), c.id))
        rows += rows_of_few(corpus, short[: arguments.few], kept)
    whole = corpus.n_tokens(questions(own, 1)[0].text)
    header = ["read", "contracts", "questions", "right contract at 1", "right contract and span at 1"]
    notes = (
        f"Reading all of the {len(corpus.index.documents)} contracts takes {whole:,} tokens a question, overlaps and "
        f"the question included, {whole / tokens:.0f} times as many as the passages. The few contracts are the "
        "shortest ones with two parties."
    )
    name = "corpus_questions" if arguments.part == "test" else "corpus_questions_dev"
    write_table(name, "Questions to 100 contracts", [*header, "tokens a question", "processor seconds"], rows, notes)


if __name__ == "__main__":
    main()
