"""Order of the words of PDFs: longdoc compared with pdftotext, pypdfium2 and pypdf, on every PDF of the data folder.

Needs pdftotext of poppler-utils. Words are runs of letters or of digits, NFKC, without case, alike for all. The order
of an engine's words against the source is the length of their longest common subsequence, doubled, divided by the
number of words of both: 1 if all words are there in the same order. longdoc keeps the furniture of the pages, as the
others do. A page *climbs* where a line is read right after one that is below it, within its width.
"""

import argparse
import logging
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pypdf
import pypdfium2 as pdfium
from _table import write_table
from rapidfuzz.distance import LCSseq
from reading import pairs, with_pypdf, with_pypdfium2

import longdoc
from longdoc.datasets import data_root, read_cuad

TOLERANCE = 0.002
"""Of the score: a few words that engines divide differently, as at hyphens and superscripts."""
NOTES = """Sources: the text files of CUAD, and for the other PDFs those of `reading.py`; PDFs without a source are
left out. At least as right: a score no more than 0.002 below. The sources of CUAD were read from the PDFs in the order
in which the pages draw their text: where a page draws its lists, the numbers of its clauses or its tables after all
else, so does its source, and pypdfium2 and pypdf, which follow the drawing order, score near 1. A reading climbs where
it goes back up the page, to a line above the one before and over it, as a reader would not. Compared with the
page: longdoc's order is right in steelvault and curaegis (seen), mjbiotech, cybergy, ceres and igene (by coordinates),
and wrong in aimmune (an index in two pairs of columns, read in rows), tcpipelines
(a header cell of five lines, read after its table) and GeoTopo (formulas, drawings)."""


def with_longdoc(path: Path) -> str:
    return longdoc.load(path, ocr="never", keep_furniture=True).text


def with_pdftotext(path: Path, *options: str) -> str:
    command = ["pdftotext", "-enc", "UTF-8", *options, str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")


def with_pdftotext_layout(path: Path) -> str:
    return with_pdftotext(path, "-layout")


PEERS: dict[str, Callable[[Path], str]] = {
    "pdftotext": with_pdftotext,
    "pdftotext -layout": with_pdftotext_layout,
    "pypdfium2": with_pypdfium2,
    "pypdf": with_pypdf,
}


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFKC", text).casefold())


def score(read: Sequence[str], truth: Sequence[str]) -> float:
    """Words in common in the same order, of the words of both."""
    return 2 * LCSseq.similarity(read, truth) / max(len(read) + len(truth), 1)


def climbs(boxes: Sequence[tuple[float, float, float, float]]) -> int:
    """How often a line follows one that is wholly below it and shares half of its width.

    Args:
        boxes: ``x0, y0, x1, y1`` of the lines of a page in the order in which they are read, from the top.
    """
    count = 0
    for (a0, top, a1, _), (b0, _, b1, bottom) in pairwise(boxes):
        shared = min(a1, b1) - max(a0, b0)
        count += bottom <= top and shared > 0.5 * min(a1 - a0, b1 - b0)
    return count


def climbs_as_drawn(path: Path) -> int:
    """The climbs of the drawing order."""
    count = 0
    with pdfium.PdfDocument(path) as pdf:
        for page in pdf:
            textpage, height = page.get_textpage(), page.get_height()
            rectangles = [textpage.get_rect(i) for i in range(textpage.count_rects())]
            count += climbs([(x0, height - y1, x1, height - y0) for x0, y0, x1, y1 in rectangles])
    return count


def climbs_of_longdoc(path: Path) -> int:
    """The climbs of longdoc's order."""
    document = longdoc.load(path, ocr="never", keep_furniture=True)
    borders = [*document.lines[:, 0].tolist(), len(document.raw_text)]
    pages: dict[int, list[tuple[float, float, float, float]]] = {}
    for (start, end), number in zip(pairwise(borders), document.lines[:, 1].tolist(), strict=True):
        visible = [i for i in range(start, end) if not document.raw_text[i].isspace()]
        if visible:
            box = document.boxes[visible]
            low, high = box[:, :2].min(axis=0).tolist(), box[:, 2:].max(axis=0).tolist()
            pages.setdefault(number, []).append((*low, *high))
    return sum(map(climbs, pages.values()))


def sources(root: Path) -> Iterator[tuple[Path, str]]:
    """The PDFs that have a source, each with its text."""
    for contract in read_cuad(root / "cuad"):
        yield contract.pdf, contract.text
    yield from pairs(root / "pdf")


def measure(path: Path, text: str) -> tuple[float, dict[str, float]]:
    """The scores of longdoc and of each peer."""
    truth = words(text)
    return score(words(with_longdoc(path)), truth), {
        name: score(words(read(path)), truth) for name, read in PEERS.items()
    }


def reason(path: Path, own: float, peers: dict[str, float]) -> str:
    """Why another engine is nearer to the source, in words."""
    drawn, read = climbs_as_drawn(path), climbs_of_longdoc(path)
    if drawn > read and peers["pypdfium2"] > own + TOLERANCE:
        return f"the drawing order is nearer; it climbs {drawn} times, longdoc {read}"
    if peers["pypdfium2"] > own + TOLERANCE >= max(peers["pdftotext"], peers["pdftotext -layout"]):
        return "the drawing order is nearer; pdftotext, which reads by position, is not"
    return "spaces that pdfium leaves out" if abs(peers["pypdfium2"] - own) <= TOLERANCE else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="measure every n-th PDF only")
    arguments = parser.parse_args()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    measured = [(path, *measure(path, text)) for path, text in list(sources(data_root()))[:: arguments.every]]
    rows: list[list[object]] = []
    for name in PEERS:
        right = sum(own >= peers[name] - TOLERANCE for _, own, peers in measured)
        rows.append([f"all, against {name}", *_share(right, len(measured)), ""])
    behind = [(path, own, peers) for path, own, peers in measured if own < max(peers.values()) - TOLERANCE]
    rows.append(["all, against the best of them", *_share(len(measured) - len(behind), len(measured)), ""])
    for path, own, peers in sorted(behind, key=lambda each: each[1] - max(each[2].values())):
        best = max(peers, key=lambda name: peers[name])
        rows.append([path.name, f"{own:.4f}", f"{peers[best]:.4f} ({best})", reason(path, own, peers)])
    write_table("order", "Order of words", ["PDFs", "longdoc", "of, or best peer", "why"], rows, NOTES + _versions())


def _versions() -> str:
    shown = subprocess.run(["pdftotext", "-v"], capture_output=True, text=True, check=True).stderr
    return f" {shown.splitlines()[0]}, pypdf {pypdf.__version__}."


def _share(right: int, count: int) -> tuple[str, str]:
    return f"{right / count:.3f} at least as right", f"{count} PDFs"


if __name__ == "__main__":
    main()
