"""Loading PDFs: speed beside pypdfium2 and pdfplumber in one run, exactness of the boxes, completeness of the text.

Speed is pages per second of processor time in one process, so that a busy machine does not count. The box check draws
random words of ``document.text`` and reads, from pdfium alone, the letters and digits whose centres lie inside
``document.locate(word)``: they must spell the word. Completeness compares with the text that CUAD was annotated on.
"""

import argparse
import ctypes
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pdfplumber
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from _table import write_table

import longdoc
from longdoc.datasets import Contract, data_root, read_cuad
from longdoc.errors import NoTextLayerError

WORD = re.compile(r"[^\W_]+")
SLACK = 0.002  # points; pdfium projects to whole units, here of a thousandth


def letters(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(WORD.findall(text))


def with_longdoc(path: Path) -> int:
    return len(longdoc.load(path).pages)


def with_pdfium(path: Path) -> int:
    with pdfium.PdfDocument(path) as pdf:
        for page in pdf:
            page.get_textpage().get_text_range()
        return len(pdf)


def with_pdfplumber(path: Path) -> int:
    with pdfplumber.open(path) as pdf:
        for page in pdf.pages:
            page.extract_text(return_chars=True)
        return len(pdf.pages)


def speed(read: Callable[[Path], int], paths: Sequence[Path]) -> tuple[int, float]:
    """Pages, and pages per second of processor time."""
    started_at = time.process_time()
    pages = sum(read(path) for path in paths)
    return pages, pages / (time.process_time() - started_at)


def glyphs(page: pdfium.PdfPage) -> tuple[str, np.ndarray]:
    """Letters and digits of a page, and their centres on the page as displayed, shape ``(n, 2)``."""
    textpage, (width, height) = page.get_textpage(), page.get_size()
    chars, centres, x, y = "", [], ctypes.c_int(), ctypes.c_int()
    for index in range(textpage.count_chars()):
        char = chr(pdfium_c.FPDFText_GetUnicode(textpage, index))
        if char.isalnum():
            x0, y0, x1, y1 = textpage.get_charbox(index)
            size = (round(1000 * width), round(1000 * height))
            pdfium_c.FPDF_PageToDevice(page, 0, 0, *size, 0, (x0 + x1) / 2, (y0 + y1) / 2, x, y)
            chars += char
            centres.append((x.value / 1000, y.value / 1000))
    return chars, np.array(centres).reshape(-1, 2)


def misread(path: Path, n_words: int) -> tuple[int, int]:
    """Words drawn from a document, and how many of them their boxes do not spell. A word may be drawn twice over."""
    document = longdoc.load(path)
    words = list(WORD.finditer(document.text))
    drawn = random.Random(0).sample(words, min(n_words, len(words)))
    boxes = [document.locate(*word.span()) for word in drawn]
    wrong = 0
    with pdfium.PdfDocument(path) as pdf:
        pages = {number: glyphs(pdf[number - 1]) for number in {box.page for found in boxes for box in found}}
    for word, found in zip(drawn, boxes, strict=True):
        spelled = ""
        for box in found:
            chars, centres = pages[box.page]
            low, high = np.array((box.x0, box.y0)) - SLACK, np.array((box.x1, box.y1)) + SLACK
            spelled += "".join(chars[i] for i in np.flatnonzero(((centres >= low) & (centres <= high)).all(axis=1)))
        wrong += not re.fullmatch(f"({word[0]})+", spelled)
    return len(drawn), wrong


def completeness(contracts: Sequence[Contract]) -> tuple[float, float]:
    """Share of CUAD's letters and digits that the text has, and share of its answers that stand in it unbroken."""
    kept = total = found = 0
    for contract in contracts:
        text = letters(longdoc.load(contract.pdf).text)
        expected = Counter(letters(contract.text))
        kept += (expected & Counter(text)).total()
        total += expected.total()
        found += sum(letters(contract.text[answer.start : answer.end]) in text for answer in contract.answers)
    return kept / total, found / sum(len(contract.answers) for contract in contracts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=70, help="CUAD contracts for speed and completeness")
    parser.add_argument("--documents", type=int, default=100, help="PDFs for the box check, all of pdf/ among them")
    parser.add_argument("--words", type=int, default=200, help="words drawn from each")
    arguments = parser.parse_args()

    contracts = random.Random(0).sample(list(read_cuad(data_root() / "cuad")), arguments.contracts)
    paths = [contract.pdf for contract in contracts]
    few = sorted(paths, key=lambda path: path.stat().st_size)[: max(len(paths) // 10, 1)]
    rows = []
    for name, read, files in [
        ("longdoc: text, a box for every character, edits", with_longdoc, paths),
        ("pypdfium2: text alone", with_pdfium, paths),
        ("pdfplumber: text and characters", with_pdfplumber, few),
    ]:
        pages, rate = speed(read, files)
        rows.append([f"pages/s, {name}", f"{rate:.0f}", f"{len(files)} contracts, {pages} pages"])

    hard = [path for path in sorted((data_root() / "pdf").rglob("*.pdf")) if has_text(path)]
    checked = hard + paths[: max(arguments.documents - len(hard), 0)]
    counts = {path: misread(path, arguments.words) for path in checked}
    n_words, n_wrong = (sum(column) for column in zip(*counts.values(), strict=True))
    exact = sum(wrong == 0 for _, wrong in counts.values())
    kept, found = completeness(contracts)
    rows += [
        [
            "documents whose drawn words are all spelled by their boxes",
            f"{exact} of {len(checked)}",
            f"{n_words} words",
        ],
        ["words spelled by their boxes", f"{1 - n_wrong / n_words:.4%}", f"{len(checked)} documents"],
        [
            "letters and digits of CUAD's text that are in ours, as a multiset",
            f"{kept:.4%}",
            f"{len(contracts)} contracts",
        ],
        [
            "CUAD's answers that stand in our text, letters and digits alone",
            f"{found:.2%}",
            f"{len(contracts)} contracts",
        ],
    ]
    wrong = "; ".join(f"{path.name}: {wrong} of {drawn}" for path, (drawn, wrong) in counts.items() if wrong)
    write_table("loading", "Loading PDFs", ["measure", "result", "of"], rows, f"Words not spelled: {wrong or 'none'}.")


def has_text(path: Path) -> bool:
    try:
        return bool(longdoc.load(path).text)
    except NoTextLayerError:
        return False


if __name__ == "__main__":
    main()
