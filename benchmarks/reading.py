"""Words of PDFs in order, compared with the texts they were made from: longdoc, pypdfium2, pdfplumber and pypdf.

The text of every engine and the truth are normalised alike: NFKC, straight quotes, words split at white space. Hyphens
at the end of a line, page numbers and running headers are not removed. ``similarity`` is 1 minus the Levenshtein
distance in words divided by the length of the longer text; precision and recall treat the words as a multiset.
``prose`` is the similarity without formulas: of words of three letters or more, without surrounding punctuation.
"""

import logging
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pdfplumber
import pypdf
import pypdfium2 as pdfium
from _table import write_table
from lxml import etree
from rapidfuzz.distance import Levenshtein

import longdoc
from longdoc.datasets import data_root

BLINDTEXT = """Hello, here is some text without a meaning. This text should show what a printed text will look like at
this place. If you read this text, you will get no information. Really? Is there no information? Is there a difference
between this text and some nonsense like “Huardest gefburn”? Kjift – not at all! A blind text like this gives you
information about the selected font, how the letters are written and an impression of the look. This text should contain
all letters of the alphabet and it should be written in of the original language. There is no need for special content,
but the length of words should match the language. """
"""The text of the LaTeX package blindtext in English."""
QUOTES = str.maketrans("‘’‚“”„", "'''" + '"' * 3)
NOTES = """Truth: for GeoTopo the text its publisher checked (with running headers and page numbers, so longdoc is
also measured with these kept; without its [IMAGE] marks); for ODT the paragraphs and headings of `content.xml`, which
has neither charts nor footers; for LaTeX the source without commands, `\\blindtext` written out. One LaTeX pair is
left out, whose text (`\\lipsum`) is in no source file. Words: NFKC, straight quotes, split at white space, for all
alike. P and R: precision and recall of the words as a multiset. Prose: similarity of the words of three letters or
more, without punctuation around them, that is without formulas."""


def with_longdoc(path: Path) -> str:
    return longdoc.load(path, ocr="never").text


def with_longdoc_and_furniture(path: Path) -> str:
    return longdoc.load(path, ocr="never", keep_furniture=True).text


def with_pypdfium2(path: Path) -> str:
    with pdfium.PdfDocument(path) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def with_pdfplumber(path: Path) -> str:
    with pdfplumber.open(path) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages)


def with_pypdf(path: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


ENGINES: dict[str, Callable[[Path], str]] = {
    "longdoc": with_longdoc,
    "longdoc, furniture kept": with_longdoc_and_furniture,
    "pypdfium2": with_pypdfium2,
    "pdfplumber": with_pdfplumber,
    "pypdf": with_pypdf,
}


def pairs(folder: Path) -> Iterator[tuple[Path, str]]:
    """PDFs, each with the text it was made from."""
    book = next(folder.glob("*/extraction-ground-truth/GeoTopo-book.txt")).read_text("utf-8")
    yield next(folder.glob("*/009-*/*.pdf")), book.replace("[IMAGE]", " ")
    for source in sorted(folder.glob("*/odf/sources/*.odt")):
        yield source.with_suffix(".odt.pdf"), odt_text(source)
    for source in sorted(folder.glob("*/*/*.tex")):
        tex = source.read_text("utf-8")
        if "\\lipsum" not in tex:
            yield source.with_suffix(".pdf"), tex_text(tex)


def odt_text(path: Path) -> str:
    """The paragraphs and headings of an ODT file, one per line."""
    with zipfile.ZipFile(path) as archive:
        body = etree.fromstring(archive.read("content.xml")).find(".//{*}body")
    for space in body.iter("{*}s", "{*}tab", "{*}line-break"):
        space.text = " "
    texts = body.xpath(".//*[local-name() = 'p' or local-name() = 'h']")
    return "\n".join("".join(text.itertext()) for text in texts)


def tex_text(source: str) -> str:
    """The text of a LaTeX source: its body without commands and options, but with their arguments."""
    source = re.sub(r"(?<!\\)%.*", "", source)
    body = source.partition(r"\begin{document}")[2].partition(r"\end{document}")[0]
    body = re.sub(r"\\blindtext(?:\[(\d+)\])?", lambda match: BLINDTEXT * int(match[1] or 1), body)
    body = re.sub(r"\\(begin|end)\{\w+\*?\}(\[[^]]*\]|\{[lcr|]+\})*", " ", body)
    body = re.sub(r"\\includegraphics(\[[^]]*\])?\{[^}]*\}", " ", body)
    body = body.replace(r"\tableofcontents", " Contents ")
    body = re.sub(r"\\\\|&|~", " ", body)
    return re.sub(r"\\[A-Za-z]+\*?(\[[^]]*\])?|[{}]", " ", body)


def words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text).translate(QUOTES).split()


def prose(found: Sequence[str]) -> list[str]:
    """The words of three letters or more, without surrounding punctuation."""
    bare = (re.sub(r"^\W+|\W+$", "", word) for word in found)
    return [word for word in bare if len(word) > 2 and word.isalpha()]


def scores(read: Sequence[str], truth: Sequence[str]) -> tuple[float, float, float]:
    """Similarity, precision and recall."""
    common = sum((Counter(read) & Counter(truth)).values())
    similarity = Levenshtein.normalized_similarity(read, truth)
    return similarity, common / max(len(read), 1), common / max(len(truth), 1)


def main() -> None:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    rows = []
    for path, text in pairs(data_root() / "pdf"):
        truth = words(text)
        for name, read in ENGINES.items():
            found = words(read(path))
            in_prose = Levenshtein.normalized_similarity(prose(found), prose(truth))
            figures = [f"{score:.3f}" for score in (*scores(found, truth), in_prose)]
            rows.append([path.name, len(truth), name, *figures])
    write_table("reading", "Words in order", ["PDF", "words", "engine", "similarity", "P", "R", "prose"], rows, NOTES)


if __name__ == "__main__":
    main()
