"""Whether annotated clauses are found in the text of their PDF, and whether boxes contain their characters.

Answers: the distinct answer spans of each CUAD contract, which were annotated in the publisher's text. ``verbatim``:
with white space folded. ``typography``: also with curly quotes and dashes made plain, as in the publisher's text.
``hyphens``: also without a space after a hyphen, as left in the publisher's text at the end of a line. ``letters``:
letters and digits only. ``nothing lost``: the same in the text or the raw text, which includes furniture.

Boxes: every character of the text that comes from the page is read back by pdfium from its box.
"""

import argparse
import ctypes
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pdfplumber
import pypdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from _table import write_table

import longdoc
from longdoc.datasets import data_root
from longdoc.errors import DocumentError
from longdoc.loaders.pdf.interactive import draw_annotations, read_interactive

PLAIN = str.maketrans("“”„‘’‚´`–—‒‐‑\u037e", "\"\"\"'''''-----;")
PDFS, PAGES = 100, 4  # whose boxes are checked, and the number of pages of each
UNIT = 1 / 1024  # points: pdfium projects to integers
SLACK = 0.01  # points: pdfium compares boxes as float32
NOTES = """verbatim: white space folded; the publisher's text has straight quotes and plain dashes where the PDFs have
curly ones; longdoc straightens quotes by edits. typography: quotes and dashes made plain. hyphens: also no space
after a hyphen, where the publisher's text kept the end of a line ("non- exclusive"). letters: letters and digits
only. nothing lost: letters in the raw text too, which holds the furniture. Distinct spans per contract."""


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
    """The number of distinct spans, and the share found with each way of folding the text and in the raw text."""
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
    """The PDFs with varied layouts, then every fifth contract."""
    yield from sorted((folder / "pdf").rglob("*.pdf"))
    yield from sorted((folder / "cuad/pdf").glob("*.pdf"))[::5]


def boxes(path: Path) -> tuple[int, int]:
    """The number of characters of the text that come from the page, and of those that are not in their boxes."""
    document = longdoc.load(path, ocr="never", keep_furniture=True)
    checked = missing = 0
    with pdfium.PdfDocument(path) as pdf:
        pdf.init_forms()
        for number in range(min(len(pdf), PAGES)):
            page, start, end = pdf[number], document.pages[number].start, document.pages[number].end
            interactive = read_interactive(pdf, page, number + 1)
            page = draw_annotations(pdf, page, number) if interactive.draws_text else page
            seen = page.get_textpage()
            for first, last in document.origins[start:end].tolist():
                char = document.raw_text[first:last]
                if len(char) != 1 or char.isspace() or ord(char) > 0xFFFF or char in "☒☐":
                    continue  # not from the page, a surrogate pair to pdfium, or a button, which is drawn as a shape
                inside = seen.get_text_bounded(*on_page(page, document.boxes[first]))
                checked += 1
                missing += char not in inside and not (char == "-" and ("\ufffe" in inside or "\x02" in inside))
    return checked, missing


def on_page(page: pdfium.PdfPage, box: np.ndarray) -> list[float]:
    """Converts a box, shape ``(4,)``, from the page as displayed to left, bottom, right and top in PDF space."""
    size = [round(side / UNIT) for side in page.get_size()]
    corners, x, y = [], ctypes.c_double(), ctypes.c_double()
    for corner in (box[:2] - SLACK, box[2:] + SLACK):
        pdfium_c.FPDF_DeviceToPage(page, 0, 0, *size, 0, *(round(float(side) / UNIT) for side in corner), x, y)
        corners.append((x.value, y.value))
    (x0, y0), (x1, y1) = corners
    return [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="read every n-th contract")
    parser.add_argument("--slow-every", type=int, default=20, help="read every n-th contract with pypdf and pdfplumber")
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
        if files == PDFS:
            break
        if wrong:
            print(path.name, n, wrong, flush=True)
    note = (
        f"Boxes: {checked - missing:,} of {checked:,} characters of {files} PDFs (their first {PAGES} pages) were read "
        "back from their boxes."
    )
    header = ["engine", "contracts", "spans", "verbatim", "typography", "hyphens", "letters", "nothing lost"]
    write_table("fidelity", "Annotated clauses found in the text of PDFs", header, rows, f"{NOTES}\n\n{note}")


if __name__ == "__main__":
    main()
