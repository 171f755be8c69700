"""Entities found in kinds of text that have none: biomedical ones in contracts, parties and dates in papers.

Contracts of CUAD's test part and papers of CRAFT's development part are read from ``LONGDOC_DATA``, with every head for
entities or clauses, whatever ``heads_for`` says. All that is found there counts, though a contract on drugs names some.
"""

import argparse
from collections import Counter
from collections.abc import Sequence

from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.datasets import CuadConfig, Example, JsonlConfig, read_dataset

CONTRACTS = 20
BIOMEDICAL = ("biomedical", "ontology")
LEGAL = ("contract", "effective", "clauses")


def found_in(pipeline: longdoc.Pipeline, examples: Sequence[Example], heads: Sequence[str]) -> tuple[Counter[str], int]:
    """Findings by head, and the number of tokens read."""
    counts: Counter[str] = Counter()
    n_tokens = 0
    for example in tqdm(examples):
        document = longdoc.Document.from_text(example.text, name=example.id)
        prediction = pipeline(document, heads)
        counts.update(finding.source for finding in (*prediction.entities, *prediction.spans))
        n_tokens += len(pipeline.readers[0].tokenize(document))
        for finding in prediction.entities[:3]:
            tqdm.write(f"{example.id[:40]:<40} {finding.label:<14} {finding.score:.2f} {finding.text!r:.60}")
    return counts, n_tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default", help="folder or hub id of the model")
    arguments = parser.parse_args()

    pipeline = longdoc.Pipeline.from_pretrained(arguments.model)
    contracts = read_dataset(CuadConfig(reader="cuad", files=("cuad",), part="test", limit=CONTRACTS))
    papers = read_dataset(JsonlConfig(reader="jsonl", files=("craft/dev.jsonl",)))
    rows = []
    for name, examples, wanted in (("contracts", contracts, BIOMEDICAL), ("papers", papers, LEGAL)):
        heads = [head for head in wanted if head in pipeline.tasks]
        counts, n_tokens = found_in(pipeline, examples, heads)
        for head in heads:
            per = f"{10_000 * counts[head] / n_tokens:.2f}"
            rows.append([f"{len(examples)} {name}", head, f"{n_tokens:,}", f"{counts[head]:,}", per])
    header = ["texts", "head", "tokens", "findings", "per 10,000 tokens"]
    write_table("foreign", "Findings in kinds of text that have none", header, rows)


if __name__ == "__main__":
    main()
