"""Fields of clinical notes against marks by hand: precision and recall of problems, medications, vital signs, dates.

``LONGDOC_DATA`` names the data folder. ``--heads`` adds what the heads of the default model find.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml
from _table import write_table

from longdoc import Document, Pipeline
from longdoc.datasets import data_root
from longdoc.records import Note, note_record
from longdoc.sections import add_structure

MARKS = Path(__file__).parent / "marks" / "notes"
FIELDS = ("problems", "medications", "doses", "frequencies", "allergies", "vital signs", "dates")


def folded(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9/.%]+", text.lower().replace("mellitus", ""))).strip(". ")


def same(found: str, names: list[str]) -> bool:
    """Whether a text says one of some names: the same words, or more than half of the words of the longer one."""
    words = set(folded(found).split())
    for name in names:
        wanted = set(folded(name).split())
        if words and (words == wanted or (len(words & wanted) > max(len(words), len(wanted)) / 2)):
            return True
    return False


def found_in(note: Note) -> dict[str, list[tuple[str, str]]]:
    """What a record says in each field: a key, and a value where there is one."""
    drugs = [(each.name.text, each) for each in note.medications]
    return {
        "problems": [(each.name.text, "") for each in note.problems],
        "medications": [(name, "") for name, _ in drugs],
        "doses": [(name, each.dose.text) for name, each in drugs if each.dose],
        "frequencies": [(name, each.frequency.text) for name, each in drugs if each.frequency],
        "allergies": [(each.substance.text, "") for each in note.allergies],
        "vital signs": [(each.name, each.value.text) for each in note.vital_signs],
        "dates": [(each.text, "") for each in note.dates],
    }


def marked_in(marks: dict) -> dict[str, list[tuple[list[str], list[str]]]]:
    """What the marks say in each field: names that mean the same, and values that are right."""
    drugs = marks["medications"]
    return {
        "problems": [(each["names"], []) for each in marks["problems"]],
        "medications": [(each["names"], []) for each in drugs],
        "doses": [(each["names"], each["doses"]) for each in drugs if "doses" in each],
        "frequencies": [(each["names"], each["frequencies"]) for each in drugs if "frequencies" in each],
        "allergies": [(each["names"], []) for each in marks["allergies"]],
        "vital signs": [([each["name"]], [each["value"]]) for each in marks["vital_signs"]],
        "dates": [([each], []) for each in marks["dates"]],
    }


def canonical(field: str, key: str) -> str:
    names = {"body temperature": "temperature", "respirations": "respiratory rate"}
    return names.get(key.lower(), key) if field == "vital signs" else key


def compare(note: Note, marks: dict) -> Iterator[tuple[str, str, str]]:
    """Yields field, outcome ("right", "wrong", "missed") and what it is about."""
    wanted, doubtful = marked_in(marks), [*marks["doubtful"]]
    for field, cells in found_in(note).items():
        left = [([canonical(field, name) for name in names], values) for names, values in wanted[field]]
        for key, value in cells:
            hit = next((m for m in left if same(key, m[0]) and (not m[1] or same(value, m[1]))), None)
            if hit:
                left.remove(hit)
                yield field, "right", f"{key} {value}"
            elif not same(key, doubtful) and not (value and same(value, doubtful)):
                is_again = any(
                    same(key, names) and (not values or same(value, values)) for names, values in wanted[field]
                )
                if not is_again:
                    yield field, "wrong", f"{key} {value}"
        for names, values in left:
            yield field, "missed", f"{names[0]} {' | '.join(values)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", action="store_true", help="add the entities of the default model's heads")
    parser.add_argument("--show", action="store_true", help="print what is wrong or missed")
    arguments = parser.parse_args()
    csv.field_size_limit(10**9)
    with (data_root() / "aci_bench" / "valid.csv").open(encoding="utf-8") as file:
        texts = {row["encounter_id"]: row["note"] for row in csv.DictReader(file)}
    pipeline = Pipeline.from_pretrained() if arguments.heads else None
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted(MARKS.glob("*.yaml")):
        marks = yaml.safe_load(path.read_text(encoding="utf-8"))
        document = add_structure(Document.from_text(texts[marks["id"]], name=marks["id"]))
        note = note_record(document, pipeline.entities(document) if pipeline else ())
        for field, outcome, what in compare(note, marks):
            counts[field, outcome] += 1
            if arguments.show and outcome != "right":
                print(marks["id"], field, outcome, what)
    rows = []
    for field in (*FIELDS, "all"):
        right, wrong, missed = (
            sum(counts[f, outcome] for f in FIELDS if field in (f, "all")) for outcome in ("right", "wrong", "missed")
        )
        shares = [f"{right / n:.3f}" if (n := right + other) else "" for other in (wrong, missed)]
        rows.append([field, right + missed, right, wrong, missed, *shares])
    header = ["field", "marked", "right", "wrong", "missed", "precision", "recall"]
    name = "notes_heads" if arguments.heads else "notes"
    notes = (
        "20 notes of ACI-Bench (validation file). The rules were made with the training file; the marks were made "
        "before the rules, by the same hand. What is doubtful by the marks counts neither way; a name twice is "
        "wrong once."
    )
    write_table(name, "Fields of clinical notes", header, rows, notes)


if __name__ == "__main__":
    main()
