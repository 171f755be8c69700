"""Completeness of the markup formats: the words of the source, searched for in ``document.text``.

The words of a source come from a slow, independent reader (``tests/reference.py``). "In order" is the length of the
longest common subsequence of these words and those of ``document.text``, without inserted characters, divided by the
number of words. "Anywhere" is the share of the distinct words of a source, metadata included, that are in the text, in
the metadata or in furniture.
"""

import argparse
import base64
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from _table import write_table
from rapidfuzz.distance import LCSseq

import longdoc
from longdoc.datasets import data_root

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from reference import jats_words

Source = tuple[bytes, list[str], list[str]]
"""A file, the words of its running text, and its other words."""


def papers() -> Iterator[Source]:
    for path in sorted((data_root() / "plos_jats").glob("*.xml")):
        data = path.read_bytes()
        yield data, *jats_words(data)


def notes() -> Iterator[str]:
    for name, column in (("aci_bench/valid.csv", "note"), ("mts_dialog/MTS-Dialog-ValidationSet.csv", "section_text")):
        with (data_root() / name).open(encoding="utf-8", newline="") as rows:
            yield from (row[column] for row in csv.DictReader(rows))


def bundles() -> Iterator[Source]:
    """FHIR bundles with each note as narrative and attachment; the notes are real, the records are synthetic."""
    for note in notes():
        attachment = {"contentType": "text/plain", "data": base64.b64encode(note.encode()).decode()}
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in note.split("\n\n"))
        section = {"title": "Note", "text": {"status": "generated", "div": f"<div>{paragraphs}</div>"}}
        resources = [
            {"resourceType": "Composition", "title": "Visit", "section": [section]},
            {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]},
        ]
        record = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
        yield json.dumps(record).encode(), ["Visit", "Note", *note.split(), *note.split()], []


def clinical_documents() -> Iterator[Source]:
    """C-CDA documents with each note as a narrative of paragraphs and as a table."""
    for note in notes():
        paragraphs = "".join(f"<paragraph>{escape(part)}</paragraph>" for part in note.split("\n\n"))
        rows = "".join(f"<tr><td>{escape(line)}</td></tr>" for line in note.splitlines())
        body = "".join(
            f"<component><section><title>Note</title><text>{text}</text></section></component>"
            for text in (paragraphs, f"<table>{rows}</table>")
        )
        xml = f"<ClinicalDocument><title>Visit</title><component><structuredBody>{body}</structuredBody></component>"
        words = ["Visit", "Note", *note.split(), "Note", *note.split()]
        yield f"{xml}</ClinicalDocument>".encode(), words, []


def written(document: longdoc.Document) -> list[str]:
    """The words of a text without the characters that the loader inserted."""
    pairs = zip(document.text, document.origins.tolist(), strict=True)
    return "".join(char for char, (start, end) in pairs if start < end or char.isspace()).split()


def distinct(pieces: Iterable[str]) -> set[str]:
    return {word for piece in pieces for word in re.findall(r"\w+", piece)}


def measure(sources: Iterable[Source]) -> list[object]:
    documents = total = in_order = every = anywhere = exact = 0
    for data, text, other in sources:
        document = longdoc.load(data)
        words = written(document)
        common = LCSseq.similarity(text, words)
        known = distinct(
            [*words, document.text, *document.source.metadata.values(), *(f.text for f in document.furniture)]
        )
        expected = distinct([*text, *other])
        documents, total, in_order = documents + 1, total + len(text), in_order + common
        exact += words == text
        every, anywhere = every + len(expected), anywhere + len(expected & known)
    return [documents, total, f"{in_order / total:.5%}", f"{exact} of {documents}", f"{anywhere / every:.4%}"]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    formats = {
        "JATS (PLOS papers)": papers,
        "FHIR (synthetic records around real notes)": bundles,
        "C-CDA (the same)": clinical_documents,
    }
    rows = [[name, *measure(sources())] for name, sources in formats.items()]
    header = [
        "format",
        "documents",
        "words of running text",
        "in order",
        "the very same words",
        "distinct words, anywhere",
    ]
    write_table("formats", "Completeness by format", header, rows)


if __name__ == "__main__":
    main()
