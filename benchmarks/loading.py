"""Loading PDFs: speed compared with pypdfium2 and pdfplumber in one run, and memory by number of pages.

Speed is pages per second of processor time in one process, so that other load on the machine does not count. Memory is
the peak of a process that only loads one PDF, which is made by joining CUAD contracts.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pdfplumber
import pypdfium2 as pdfium
from _table import write_table

import longdoc
from longdoc.datasets import data_root, read_cuad

PEAK = """
import re, sys, longdoc
document = longdoc.load(sys.argv[1], tables=sys.argv[2] == "True") if len(sys.argv) > 1 else None
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def with_longdoc(path: Path, *, tables: bool) -> int:
    return len(longdoc.load(path, tables=tables, ocr="never").pages)


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


def speed(read: Callable[[Path], int], paths: Sequence[Path]) -> list[str]:
    """Pages per second of processor time, and the size of the sample, as cells of the results table."""
    started_at = time.process_time()
    pages = sum(read(path) for path in paths)
    return [f"{pages / (time.process_time() - started_at):.0f}", f"{len(paths)} contracts, {pages} pages"]


def joined(paths: Sequence[Path], n_pages: int, target: Path) -> None:
    """Writes a PDF of ``n_pages`` pages, taken from these files in order."""
    with pdfium.PdfDocument.new() as whole:
        for path in paths:
            with pdfium.PdfDocument(path) as pdf:
                whole.import_pages(pdf, list(range(min(len(pdf), n_pages - len(whole)))))
            if len(whole) == n_pages:
                break
        whole.save(target)


def peak(*arguments: object) -> float:
    """Peak memory in megabytes of a process that loads a path, with tables or not."""
    command = [sys.executable, "-c", PEAK, *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=70, help="number of CUAD contracts to measure speed on")
    parser.add_argument(
        "--pages", type=int, nargs="+", default=[100, 500, 1000], help="numbers of pages to measure memory at"
    )
    arguments = parser.parse_args()

    everything = [contract.pdf for contract in read_cuad(data_root() / "cuad")]
    paths = random.Random(0).sample(everything, arguments.contracts)
    few = sorted(paths, key=lambda path: path.stat().st_size)[: max(len(paths) // 10, 1)]
    without = [path for path in paths if not longdoc.load(path, ocr="never").tables]
    plain, tabular = (partial(with_longdoc, tables=tables) for tables in (False, True))
    rows = [
        ["pages/s, longdoc, all but tables", *speed(plain, paths)],
        ["pages/s, longdoc, tables too, documents that have none", *speed(tabular, without)],
        ["pages/s, longdoc, tables too, all documents", *speed(tabular, paths)],
        ["pages/s, pypdfium2, text alone", *speed(with_pdfium, paths)],
        ["pages/s, pdfplumber, text and characters", *speed(with_pdfplumber, few)],
        ["peak MB, longdoc imported", f"{peak():.0f}", "no document"],
    ]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "joined.pdf"
        for n_pages in arguments.pages:
            joined(everything, n_pages, target)
            size = f"{n_pages} pages, a file of {target.stat().st_size / 1e6:.0f} MB"
            rows.append(["peak MB, longdoc, all but tables", f"{peak(target, False):.0f}", size])
            rows.append(["peak MB, longdoc, tables too", f"{peak(target, True):.0f}", size])
    write_table("loading", "Loading PDFs", ["measure", "result", "of"], rows)


if __name__ == "__main__":
    main()
