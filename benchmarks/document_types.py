"""Kinds of document on corpora of one kind each: how many texts are taken for a contract, a paper, a note or another.

``LONGDOC_DATA`` names the data folder. Texts are read without their formats, except PDFs.
"""

import csv
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator

from _table import write_table

from longdoc import Document, load
from longdoc.datasets import data_root
from longdoc.document_type import document_type
from longdoc.sections import add_structure

KINDS = ("contract", "paper", "note", "other")
RIGHT = {
    **dict.fromkeys(("CUAD", "CUAD, PDF", "ContractNLI", "loan agreements of the SEC"), "contract"),
    **dict.fromkeys(("CRAFT", "PLOS as text", "PLOS, JATS"), "paper"),
    **dict.fromkeys(("ACI-Bench, train", "ACI-Bench, validation", "MTS-Dialog, sections of notes"), "note"),
}


def texts(rng: random.Random) -> Iterator[tuple[str, Document]]:
    data = data_root()
    csv.field_size_limit(10**9)

    def lines(path: str) -> list[dict]:
        return [json.loads(line) for line in (data / path).open(encoding="utf-8")]

    def rows(path: str, delimiter: str = ",") -> list[dict]:
        with (data / path).open(encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter=delimiter))

    def plain(name: str, found: list[str]) -> Iterator[tuple[str, Document]]:
        for text in found:
            yield name, add_structure(Document.from_text(text))

    contracts = rng.sample(lines("cuad/contracts.jsonl"), 60)
    yield from plain("CUAD", [(data / "cuad" / c["text_file"]).read_text(encoding="utf-8") for c in contracts])
    yield from (("CUAD, PDF", load(data / "cuad" / c["pdf_file"], pages=(1, 5))) for c in contracts[:6])
    nda = json.loads((data / "contract_nli" / "dev.json").read_text(encoding="utf-8"))["documents"][:40]
    yield from plain("ContractNLI", [each["text"] for each in nda])
    loans = (data / "sec_filings" / "train.txt").read_text(encoding="utf-8").split("-DOCSTART-")[1:]
    yield from plain("loan agreements of the SEC", [words(each) for each in loans if len(each) > 5000])
    yield from plain("CRAFT", [each["text"] for each in lines("craft/train.jsonl")[:20] + lines("craft/dev.jsonl")])
    for path in sorted(data.glob("plos_jats/*.xml"))[::8]:
        yield "PLOS, JATS", (paper := load(path))
        yield from plain("PLOS as text", [paper.text])
    yield from plain("ACI-Bench, train", [each["note"] for each in rows("aci_bench/train.csv")])
    yield from plain("ACI-Bench, validation", [each["note"] for each in rows("aci_bench/valid.csv")])
    parts = rng.sample(rows("mts_dialog/MTS-Dialog-TrainingSet.csv"), 100)
    yield from plain("MTS-Dialog, sections of notes", [f"{p['section_header']}:\n{p['section_text']}" for p in parts])
    yield from plain("court cases (TAB)", [each["text"] for each in lines("tab_echr/train.jsonl")[:40]])
    yield from plain("judgments (InLegalNER)", [each["text"] for each in lines("inlegalner/train.jsonl")[:40]])
    terms = [each["text"] for each in rows("unfair_tos/train.tsv", "\t")]
    yield from plain("terms of service", ["\n".join(terms[at : at + 150]) for at in range(0, len(terms), 150)])
    for name, path in (
        ("SQuAD", "squad2_half/dev-v2.0-half.json"),
        ("news and wiki", "squadshifts/new_wiki_v1.0.json"),
    ):
        articles = json.loads((data / path).read_text(encoding="utf-8"))["data"][:20]
        yield from plain(name, ["\n\n".join(p["context"] for p in each["paragraphs"]) for each in articles])
    yield from plain("abstracts alone (BC5CDR)", [each["text"] for each in lines("bc5cdr/dev.jsonl")[:30]])
    paths = [path for path in sorted(data.glob("pdf/pdfplumber_pdfs/*.pdf")) if path.stat().st_size < 600_000]
    yield from (("reports, forms and tables, PDF", load(path)) for path in paths)


def words(loan: str) -> str:
    """The words of a document in CoNLL, a sentence a line."""
    sentences = (" ".join(line.split()[0] for line in s.splitlines() if line.split()) for s in loan.split("\n\n")[1:])
    return "\n\n".join(sentences)


def main() -> None:
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, document in texts(random.Random(16)):
        table[name][document_type(document).kind] += 1
    rows = [[name, RIGHT.get(name, "other"), *(counts[kind] for kind in KINDS)] for name, counts in table.items()]
    notes = "Terms of service are agreements of another kind; a section or an abstract alone is rightly unsure."
    write_table("document_types", "Kinds of document", ["texts", "right", *KINDS], rows, notes)


if __name__ == "__main__":
    main()
