"""Measures the section tree: clauses of contracts against manual annotations, headings of clinical notes by kind.

    python benchmarks/sections.py

Needs the CUAD contracts, ACI-Bench and MTS-Dialog under the data root. The rules were developed on the contracts named
in DEVELOPMENT; the others are held out: changes to the rules may be based on their scores, not on their texts or
annotations.
"""

import collections
import csv
import json
import re
from pathlib import Path

from _table import write_table

from longdoc import load
from longdoc.datasets import data_root
from longdoc.document import Document
from longdoc.sections import add_structure

MARKS = Path(__file__).parent / "marks" / "sections"
DEVELOPMENT = (
    "alcostores", "atmosenergy", "azulsa", "cerus", "cherryhill", "datacall", "deltathree", "flotek", "hpil", "hubei"
)  # fmt: skip
NOTE_KINDS = {  # heading in the notes of ACI-Bench -> kind, annotated manually
    "CHIEF COMPLAINT": "chief complaint", "CC": "chief complaint",
    "HISTORY OF PRESENT ILLNESS": "history of present illness",
    "HPI": "history of present illness", "REVIEW OF SYSTEMS": "review of systems",
    "PHYSICAL EXAMINATION": "physical examination",
    "PHYSICAL EXAM": "physical examination", "EXAM": "physical examination", "RESULTS": "results", "PLAN": "plan",
    "ASSESSMENT": "assessment", "IMPRESSION": "assessment", "ASSESSMENT AND PLAN": "assessment and plan",
    "INSTRUCTIONS": "instructions", "SOCIAL HISTORY": "social history", "FAMILY HISTORY": "family history",
    "VITALS": "vital signs", "VITALS REVIEWED": "vital signs", "MEDICATIONS": "medications",
    "CURRENT MEDICATIONS": "medications", "MEDICAL HISTORY": "medical history", "PAST HISTORY": "medical history",
    "PAST MEDICAL HISTORY": "medical history", "SURGICAL HISTORY": "surgical history",
    "PAST SURGICAL HISTORY": "surgical history", "ALLERGIES": "allergies", "PROCEDURE": "procedures",
}  # fmt: skip
MTS_KINDS = {
    "FAM/SOCHX": "family and social history", "GENHX": "history of present illness", "PASTMEDICALHX": "medical history",
    "CC": "chief complaint", "PASTSURGICAL": "surgical history", "ALLERGY": "allergies", "ROS": "review of systems",
    "MEDICATIONS": "medications", "ASSESSMENT": "assessment", "EXAM": "physical examination", "DIAGNOSIS": "diagnosis",
    "DISPOSITION": "disposition", "PLAN": "plan", "EDCOURSE": "hospital course", "IMMUNIZATIONS": "immunizations",
    "IMAGING": "imaging", "GYNHX": "gynecologic history",
    "PROCEDURES": "procedures", "OTHER_HISTORY": "medical history",
    "LABS": "results",
}  # fmt: skip


def clauses_of(document: Document) -> list[tuple[str, str, str]]:
    """The number, parent and title of each numbered section; a parent that is an attachment is named with its kind."""

    def parent(index: int | None) -> str:
        if index is None:
            return ""
        section = document.sections[index]
        attached = section.kind not in ("article", "section", "clause", "recital", "heading")
        return f"{section.kind} {section.number}" if attached else section.number

    return [(s.number, parent(s.parent), s.title) for s in document.sections if s.number]


def folded(words: str) -> str:
    """The letters and digits, in lower case."""
    return re.sub(r"\W+", "", words.lower())


def count(gold: list[tuple[str, str, str]], found: list[tuple[str, str, str]]) -> list[int]:
    """Clauses with correct number; number and parent; number, parent and title; then clauses found and annotated."""
    both = [[tuple(folded(part) for part in clause) for clause in clauses] for clauses in (gold, found)]
    hits = []
    for length in (1, 2, 3):
        expected, actual = (collections.Counter(clause[:length] for clause in clauses) for clauses in both)
        hits.append((expected & actual).total())
    return [*hits, len(found), len(gold)]


def contract_rows() -> list[list[object]]:
    rows: list[list[object]] = []
    paths = sorted(MARKS.glob("*.json"))
    development = [path for path in paths if path.name.startswith(DEVELOPMENT)]
    held_out = [path for path in paths if path not in development]
    for name, part in (("development", development), ("held out", held_out), ("all", paths)):
        totals = [0] * 5
        for path in part:
            record = json.loads(path.read_text(encoding="utf-8"))
            gold = [(s["number"], s["parent"], s["title"]) for s in record["sections"] if s["number"]]
            document = load(data_root() / "cuad" / "pdf" / Path(record["file"]).name)
            totals = [a + b for a, b in zip(totals, count(gold, clauses_of(document)), strict=True)]
        number, placed, right, found, marked = totals
        shares = [f"{hits / marked:.3f}" if marked else "-" for hits in (number, placed, right)]
        rows.append([f"contracts, {name}", len(part), marked, *shares, f"{right / found:.3f}" if found else "-"])
    return rows


def note_rows() -> list[list[object]]:
    found = known = notes = 0
    for part in ("train", "valid"):
        with (data_root() / "aci_bench" / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            texts = [row["note"] for row in csv.DictReader(file)]
        for text in texts:
            sections = add_structure(Document.from_text(text)).sections
            kinds = {(section.title.upper(), section.kind) for section in sections}
            wanted = [name for line in text.splitlines() if (name := line.strip().rstrip(":")) in NOTE_KINDS]
            known, notes = known + len(wanted), notes + 1
            found += sum((name, NOTE_KINDS[name]) in kinds for name in wanted)
    row = [["notes of ACI-Bench, known headings", notes, known, f"{found / known:.3f}", "", "", ""]]
    found = known = 0
    for part in ("Training", "Validation"):
        with (data_root() / "mts_dialog" / f"MTS-Dialog-{part}Set.csv").open(newline="", encoding="utf-8") as file:
            for record in csv.DictReader(file):
                label = record["section_header"].strip()
                sections = add_structure(Document.from_text(f"{label}:\n{record['section_text']}")).sections
                known += 1
                found += bool(sections) and sections[0].kind == MTS_KINDS[label]
    return [*row, ["sections of MTS-Dialog, label as heading", known, known, f"{found / known:.3f}", "", "", ""]]


def main() -> None:
    header = ["", "documents", "headings", "number or kind right", "and parent", "and title", "precision, all right"]
    notes = "Only letters and digits are compared. Shares are of the annotated headings; precision is of those found."
    write_table("sections", "Section tree", header, [*contract_rows(), *note_rows()], notes)


if __name__ == "__main__":
    main()
