"""Positions on the page: entities of CUAD contracts compared with the glyphs that pdfium alone reads in their boxes.

Checked for every entity of every head: its text equals the document's at its offsets, and the letters and digits with
their centres in its boxes spell it. Coverage is measured for each prediction; the longest contract is always among the
documents. The share of characters that reach the model is also counted on all contracts, without running the model:
words that its vocabulary lacks do not. Scanned pages are not read: they have no glyphs to compare with.
"""

import argparse
import random
import re
import sys
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from _table import write_table

import longdoc
from longdoc.datasets import Contract, data_root, read_cuad
from longdoc.findings import gaps_of
from longdoc.model_files import DEFAULT_MODEL
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction
from longdoc.rules import RULES
from longdoc.windows import tokenize

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from pdfs import letters_of

SLACK = 0.002  # points: the centres of letters are rounded to thousandths


def spelled_wrong(contract: Contract, prediction: Prediction) -> list[str]:
    """Describes the entities whose boxes hold other letters and digits than their text."""
    pages: dict[int, tuple[str, np.ndarray]] = {}
    wrong = []
    with pdfium.PdfDocument(contract.pdf) as pdf:
        for entity in prediction.entities:
            spelled = ""
            for box in entity.boxes:
                if box.page not in pages:
                    pages[box.page] = letters_of(pdf[box.page - 1])
                chars, centres = pages[box.page]
                low, high = np.array((box.x0, box.y0)) - SLACK, np.array((box.x1, box.y1)) + SLACK
                spelled += "".join(chars[i] for i in np.flatnonzero(((centres >= low) & (centres <= high)).all(axis=1)))
            expected = "".join(filter(str.isalnum, entity.text))
            # Bold text may be drawn twice on the same spot, and is then read twice from the page.
            if expected and not re.fullmatch(f"({re.escape(expected)})+", spelled):
                wrong.append(f"{contract.id}: {entity.text!r} is spelled {spelled!r}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--contracts", type=int, default=50)
    arguments = parser.parse_args()

    everything = list(read_cuad(data_root() / "cuad"))
    longest = max(everything, key=lambda contract: len(contract.text))
    others = [contract for contract in everything if contract is not longest]
    contracts = [longest, *random.Random(0).sample(others, arguments.contracts - 1)]
    pipeline = Pipeline.from_pretrained(arguments.model)
    n_entities = sliced = n_words = 0
    coverages, wrong = [], []
    for contract in contracts:
        prediction = pipeline(longdoc.load(contract.pdf, ocr="never"), tasks=[t for t in pipeline.tasks if t != RULES])
        text = prediction.document.text
        n_entities += len(prediction.entities)
        sliced += sum(text[e.start : e.end] == e.text for e in prediction.entities)
        n_words += len(text.split())
        coverages.append(prediction.coverage)
        wrong += spelled_wrong(contract, prediction)

    seen = total = whole = 0.0
    least = 1.0
    for contract in everything:
        document = longdoc.load(contract.pdf, ocr="never")
        gaps = gaps_of(document, [tokenize(document.text, pipeline.model.tokenizer)])
        visible, coverage = len("".join(document.text.split())), Prediction(document=document, gaps=gaps).coverage
        seen, total, whole = seen + coverage * visible, total + visible, whole + (not gaps)
        least = min(least, coverage)

    rows = [
        ["entities whose text stands at their offsets", f"{sliced / n_entities:.2%}", f"{n_entities:,} entities"],
        ["entities whose glyphs spell them", f"{1 - len(wrong) / n_entities:.3%}", f"{len(contracts)} contracts"],
        ["least coverage of a prediction", f"{min(coverages):.6f}", f"{len(contracts)} contracts, {n_words:,} words"],
        ["coverage of the longest contract", f"{coverages[0]:.6f}", f"{len(longest.text.split()):,} words"],
        [
            "contracts whose every character reaches the model",
            f"{whole:.0f} of {len(everything)}",
            f"{seen / total:.7%}",
        ],
        ["least share of the characters of a contract", f"{least:.2%}", f"{len(everything)} contracts"],
    ]
    notes = "Spelled otherwise: " + ("; ".join(wrong[:20]) or "none") + "."
    write_table("provenance", "Provenance: from the text back to the page", ["measure", "result", "of"], rows, notes)


if __name__ == "__main__":
    main()
