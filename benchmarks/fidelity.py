"""Whether annotated clauses are found in the text of their PDF, and whether boxes hold the letters they are given for.

Answers: the distinct answer spans of each CUAD contract, which were marked in the publisher's text. ``verbatim``: white
space folded, nothing else. ``typography``: also curly quotes and dashes made plain, as the publisher's text has none.
``hyphens``: also no space after a hyphen, where the publisher kept a line's end. ``letters``: letters and digits only.
``nothing lost``: the same, in the raw text or the text, so with furniture counted.

Boxes: every character of the text that is not synthesised, read back through pdfium from its box on its page.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pdfplumber
import pypdf
import pypdfium2 as pdfium
from _table import write_table

import longdoc
from longdoc.datasets import data_root
from longdoc.errors import DocumentError

PLAIN = str.maketrans("“”„‘’‚´`–—‒‐‑\u037e", "\"\"\"'''''-----;")
PAGES = 4  # of each PDF whose boxes are checked
SLACK = 0.01  # points: pdfium compares boxes as float32
NOTES = """verbatim: white space folded; the publisher's text has straight quotes and plain dashes where the PDFs have
curly ones, which no faithful reader changes. typography: quotes and dashes made plain. hyphens: also no space after a
hyphen, where the publisher's text kept the end of a line ("non- exclusive"). letters: letters and digits only. nothing
lost: letters in the raw text too, which holds the furniture. Distinct spans per contract."""


def with_longdoc(path: Path) -> tuple[str, str]:
    document = longdoc.load(path, ocr="never")
    return document.text, document.raw_text


def with_pypdfium2(path: Path) -> tuple[str, str]:
    with pdfium.PdfDocument(path) as pdf:
        text = "\n".join(page.get_textpage().get_text_range() for page in pdf)
    return text, text


def with_pypdf(path: Path) -> tuple[str, str]:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    return text, text


def with_pdfplumber(path: Path) -> tuple[str, str]:
    with pdfplumber.open(path) as pdf:
        text = "\n".join(page.extract_text() for page in pdf.pages)
    return text, text


def verbatim(text: str) -> str:
    return " ".join(text.split())


def typography(text: str) -> str:
    return verbatim(text).translate(PLAIN)


def hyphens(text: str) -> str:
    return re.sub(r"- (?=\w)", "-", typography(text))


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


FOLDS: tuple[Callable[[str], str], ...] = (verbatim, typography, hyphens, letters)


def answers(engine: Callable[[Path], tuple[str, str]], folder: Path, every: int) -> tuple[int, list[float]]:
    """Number of distinct spans, and the share of them that is found, for each fold and with nothing lost."""
    total, found = 0, Counter[str]()
    for line in (folder / "contracts.jsonl").read_text("utf-8").splitlines()[::every]:
        contract = json.loads(line)
        text, raw_text = engine(folder / contract["pdf_file"])
        spans = {verbatim(answer["text"]) for answer in contract["answers"]}
        total += len(spans)
        for fold in FOLDS:
            folded = fold(text)
            found[fold.__name__] += sum(fold(span) in folded for span in spans)
        whole = letters(text), letters(raw_text)
        found["nothing lost"] += sum(any(letters(span) in part for part in whole) for span in spans)
    return total, [found[name] / total for name in (*(fold.__name__ for fold in FOLDS), "nothing lost")]


def pdfs(folder: Path) -> Iterator[Path]:
    """50 contracts and 50 other PDFs."""
    yield from sorted((folder / "cuad/pdf").glob("*.pdf"))[::8][:50]
    yield from sorted(path for path in (folder / "pdf").rglob("*.pdf"))[::4][:50]


def boxes(path: Path) -> tuple[int, int]:
    """Characters of the text that are copied from the page, and those of them that are not in their boxes."""
    document = longdoc.load(path, ocr="never", keep_furniture=True)
    with pdfium.PdfDocument(path) as pdf:
        checked = missing = 0
        for number, page in zip(range(1, PAGES + 1), pdf, strict=False):
            seen = page.get_textpage()
            rotated, height = page.get_rotation(), page.get_height()
            if rotated or page.get_cropbox() != page.get_mediabox():
                continue  # boxes are those of the page as displayed; tests/test_loaders.py reads these back
            for at in range(document.pages[number - 1].start, document.pages[number - 1].end):
                first, last = document.origins[at].tolist()
                char = document.text[at]
                if last - first != 1 or char.isspace() or char != document.raw_text[first]:
                    continue
                x0, y0, x1, y1 = document.boxes[first].tolist()
                inside = seen.get_text_bounded(x0 - SLACK, height - y1 - SLACK, x1 + SLACK, height - y0 + SLACK)
                checked += 1
                missing += char not in inside and not (char == "-" and ("\ufffe" in inside or "\x02" in inside))
    return checked, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="read every n-th contract")
    parser.add_argument("--slow-every", type=int, default=20, help="the same for pypdf and pdfplumber")
    arguments = parser.parse_args()
    cuad = data_root() / "cuad"
    rows = []
    runs = [
        ("longdoc", with_longdoc, arguments.every),
        ("pypdfium2", with_pypdfium2, arguments.every),
        *(
            (f"{n} (sample)", e, arguments.slow_every)
            for n, e in (("longdoc", with_longdoc), ("pypdfium2", with_pypdfium2))
        ),
        ("pypdf (sample)", with_pypdf, arguments.slow_every),
        ("pdfplumber (sample)", with_pdfplumber, arguments.slow_every),
    ]
    for name, engine, every in runs:
        total, shares = answers(engine, cuad, every)
        rows.append([name, f"every {every}", total, *(f"{share:.4f}" for share in shares)])
        print(rows[-1], flush=True)
    checked = missing = files = 0
    for path in pdfs(data_root()):
        try:
            n, wrong = boxes(path)
        except (DocumentError, pdfium.PdfiumError):
            continue  # encrypted, scanned or damaged: no text to check
        checked, missing, files = checked + n, missing + wrong, files + 1
        if wrong:
            print(path.name, n, wrong, flush=True)
    note = (
        f"Boxes: {checked - missing:,} of {checked:,} characters of {files} PDFs (their first {PAGES} pages, unturned "
        "and uncropped) were read back from their boxes."
    )
    header = ["engine", "contracts", "spans", "verbatim", "typography", "hyphens", "letters", "nothing lost"]
    write_table("fidelity", "Annotated clauses found in the text of PDFs", header, rows, f"{NOTES}\n\n{note}")


if __name__ == "__main__":
    main()
