"""De-identification: how much of what annotators of TAB masked is masked by rules, by a head, and by both.

The head is that of ``configs/deidentify.yaml``, trained on the first 60 of the 80 cases. The last 20 are measured: the
head has not learned from them, and the rules were not written on them. The file does not say which mentions are direct
identifiers, nor which are of one entity. So names of persons and numbers of cases stand for direct identifiers, and
mentions whose text is the same, for persons whose surname is the same, for one entity.

A mention is masked in full if all its words are, but for articles, prepositions and titles, as in TAB's evaluation; an
entity if all its mentions are. Precision is understated: annotators left what they thought harmless.

``--texts`` counts what the rules and the shipped model mask in clinical notes and contracts, which have no annotations,
and writes each finding to ``runs/deidentify_texts.tsv``, to look at.
"""

import argparse
import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from _table import write_table

import longdoc
from longdoc.datasets import data_root
from longdoc.deidentification.mentions import parts_of
from longdoc.prediction import Prediction
from longdoc.redaction.names import squeezed

SOUGHT = ("PERSON", "CODE", "LOC", "ORG", "DATETIME")
NOT_SOUGHT = ("DEM", "QUANTITY", "MISC")
IGNORED = frozenset("the a an of in on at to for from by with and or mr mrs ms no nos nr about".split())
OWN = frozenset("PERSON ORG LOCATION DATE CODE".split())  # labels of the head that the preset takes
Ranges = list[tuple[int, int]]
Way = Callable[[longdoc.Document], Ranges]


def cases(part: str) -> list[dict]:
    lines = (data_root() / "tab_echr" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return records[:60] if part == "train" else records[60:]


class Cached:
    """A pipeline that reads each document once."""

    def __init__(self, model: Path) -> None:
        self.pipeline = longdoc.Pipeline.from_pretrained(model, rules="general", progress=False)
        self.heads, self.rules = self.pipeline.heads, self.pipeline.rules
        self.read: dict[str, Prediction] = {}

    def __call__(self, document: longdoc.Document, tasks: list[str]) -> Prediction:
        name = document.source.name
        if name not in self.read:
            self.read[name] = self.pipeline(document, tasks=tasks)
        return self.read[name]


def ways(model: Path) -> dict[str, Way]:
    pipeline = Cached(model)

    def by_rules(document: longdoc.Document) -> Ranges:
        return ranges(longdoc.deidentify(document).entities)

    def by_head(document: longdoc.Document) -> Ranges:
        found = pipeline(document, ["private", "rules"])
        return ranges(each for each in found.entities if each.source == "private" and each.label in OWN)

    def by_both(document: longdoc.Document) -> Ranges:
        return ranges(longdoc.deidentify(document, pipeline).entities)

    return {"rules alone": by_rules, "head alone": by_head, "both": by_both}


def ranges(entities: Iterable[longdoc.Entity]) -> Ranges:
    return [(each.start, each.end) for each in entities]


def score(records: list[dict], way: Way) -> dict[str, Counter]:
    """Counts by type."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for record in records:
        text = record["text"]
        found = way(longdoc.Document.from_text(text, name=record["id"]))
        masked = covered(found)
        entities: dict[tuple[str, str], bool] = {}
        for mention in record["entities"]:
            own = counts[mention["label"]]
            letters = {at for at in range(mention["start"], mention["end"]) if not text[at].isspace()}
            is_full = all(set(range(*each)) <= masked for each in words(text, mention))
            own["mentions"] += 1
            own["exact"] += (mention["start"], mention["end"]) in found
            own["full"] += is_full
            own["any"] += bool(letters & masked)
            own["characters"] += len(letters)
            own["masked characters"] += len(letters & masked)
            key = key_of(mention)
            entities[key] = entities.get(key, True) and is_full
        for (label, _), is_full in entities.items():
            counts[label]["entities"] += 1
            counts[label]["full entities"] += is_full
        annotated = covered((mention["start"], mention["end"]) for mention in record["entities"])
        counts[""] += Counter(
            words=len(text.split()),
            found=len(found),
            wrong=sum(annotated.isdisjoint(range(*each)) for each in found),
            masked=len(masked),
            right=len(masked & annotated),
        )
    return counts


def covered(found: Iterable[tuple[int, int]]) -> set[int]:
    return {at for start, end in found for at in range(start, end)}


def words(text: str, mention: dict) -> Ranges:
    """The words of a mention that count."""
    own = [match.span() for match in re.finditer(r"\w+", text[mention["start"] : mention["end"]])]
    placed = [(mention["start"] + start, mention["start"] + end) for start, end in own]
    return [span for span in placed if text[slice(*span)].lower() not in IGNORED] or placed


def key_of(mention: dict) -> tuple[str, str]:
    parts = parts_of(mention["text"]) if mention["label"] == "PERSON" else []
    return mention["label"], squeezed(parts[-1] if parts else mention["text"]) or mention["text"]


def rows_of(results: dict[str, dict[str, Counter]]) -> list[list[str]]:
    groups = {
        "names and case numbers (for direct identifiers)": ("PERSON", "CODE"),
        **{label: (label,) for label in SOUGHT},
        "all of these": SOUGHT,
        **{f"{label} (not sought)": (label,) for label in NOT_SOUGHT},
    }
    rows = []
    for name, labels in groups.items():
        for way, counts in results.items():
            own = sum((counts[label] for label in labels), Counter())
            figures = [own[each] / own["mentions"] for each in ("exact", "full", "any")]
            figures += [own["masked characters"] / own["characters"], own["full entities"] / own["entities"]]
            rows.append([name, way, own["mentions"], own["entities"], *(f"{figure:.3f}" for figure in figures)])
    return rows


def said_of(results: dict[str, dict[str, Counter]]) -> str:
    said = []
    for way, counts in results.items():
        own = counts[""]
        said.append(
            f"{way}: {own['found']:,} findings, {own['wrong'] / own['words'] * 1000:.1f} per 1,000 words without any "
            f"annotation; precision of characters {own['right'] / own['masked']:.3f}"
        )
    return "; ".join(said)


# --------------------------------------------------------------------------------------------------------- other texts


def other_texts() -> dict[str, list[str]]:
    root = data_root()
    notes = [row["note"] for row in rows_in(root / "aci_bench" / "train.csv")][:30]
    sections = [row["section_text"] for row in rows_in(root / "mts_dialog" / "MTS-Dialog-TrainingSet.csv")][:200]
    paths = sorted((root / "cuad" / "txt").glob("*.txt"))
    contracts = [path.read_text(encoding="utf-8")[:15_000] for path in random.Random(1).sample(paths, 8)]
    return {"clinical notes (ACI-Bench)": notes, "sections of notes (MTS)": sections, "contracts (CUAD)": contracts}


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def others() -> None:
    pipeline = longdoc.Pipeline.from_pretrained(rules="general", progress=False)
    rows, seen = [], []
    for kind, texts in other_texts().items():
        for way, reader in (("rules", None), ("rules and the shipped model", pipeline)):
            counts: Counter[str] = Counter()
            for number, text in enumerate(texts):
                found = longdoc.deidentify(longdoc.Document.from_text(text, name=f"{kind} {number}"), reader)
                counts += Counter(each.label for each in found.entities)
                seen += [f"{kind} {number}\t{way}\t{each.label}\t{each.text!r}" for each in found.entities]
            n_words = sum(len(text.split()) for text in texts)
            each = ", ".join(f"{label} {n / n_words * 1000:.1f}" for label, n in counts.most_common())
            rows.append([kind, len(texts), f"{n_words:,}", way, f"{counts.total() / n_words * 1000:.1f}", each])
    Path("../runs/deidentify_texts.tsv").write_text("\n".join(seen), encoding="utf-8")
    header = ["texts", "number", "words", "by", "findings per 1,000 words", "of each label"]
    write_table("deidentify_texts", "De-identification: what is masked in other texts", header, rows, SEEN)


SEEN = (
    "By eye (10 notes, 200 sections, 8 contracts): nearly all persons, numbers and addresses are right. The shipped "
    "model takes drugs and abbreviations in notes for organisations (Cipro, DNR), durations for dates (10 years), and "
    "terms of a contract for organisations (Notes Trustee)."
)
"""What was found by eye."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, default=Path("../runs/deidentify/model"), help="of configs/deidentify.yaml"
    )
    parser.add_argument("--texts", action="store_true", help="the other texts, by the shipped model, instead of TAB")
    parser.add_argument("--part", choices=("held", "train"), default="held", help="train is for writing rules")
    arguments = parser.parse_args()
    if arguments.texts:
        others()
        return
    results = {name: score(cases(arguments.part), way) for name, way in ways(arguments.model).items()}
    header = ["type", "by", "mentions", "entities", "exact", "in full", "in part", "characters", "entities in full"]
    write_table(
        "deidentify", "De-identification of 20 held cases of TAB: recall", header, rows_of(results), said_of(results)
    )


if __name__ == "__main__":
    main()
