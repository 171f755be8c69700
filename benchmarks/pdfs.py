"""Annotated and redacted PDFs: are highlights on the glyphs that they claim, and is anything left of redacted names?

The documents are contracts of CUAD and the PDFs of papers, forms, tables and scans beside them. The names are the
parties that CUAD's annotators marked; in the other documents, pairs of capitalised words. No model is run.

``annotated``: each finding is saved as a highlight, and its quadrilaterals are read back by pikepdf. Right is a finding
if the letters and digits that pdfium places in them spell it. ``redacted``: the names are redacted, and sought again in
what pdfium, pypdf and pdfminer read, and in all strings and decoded streams of the file, by other code than the
library's own.
"""

import argparse
import io
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pdfminer.high_level
import pikepdf
import pypdf
import pypdfium2 as pdfium
from _table import write_table

import longdoc
from longdoc.datasets import data_root
from longdoc.labels import Entity
from longdoc.prediction import Prediction

PAIR = re.compile(r"\b[A-Z][a-z]{2,}[ \n][A-Z][a-z]{2,}\b")
NAMES = 12  # of a document that is no contract
FINDINGS = 400  # of a document, for the highlights
SLACK = 0.02  # points


def documents(contracts: int, others: int, most_pages: int) -> list[tuple[str, Path, list[str]]]:
    """The kind, path and names of each document; a document that is no contract has its names in its text."""
    root = data_root()
    parties = {}
    for line in (root / "cuad" / "contracts.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        marked = {answer["text"] for answer in record["answers"] if answer["category"] == "Parties"}
        parties[Path(record["pdf_file"]).name] = sorted(name for name in marked if " " in name)  # others are roles
    paths = [path for path in sorted((root / "cuad" / "pdf").glob("*.pdf")) if pages_of(path) <= most_pages]
    chosen = [("contract", path, parties[path.name]) for path in random.Random(1).sample(paths, contracts)]
    every = sorted((root / "pdf").rglob("*.pdf"), key=lambda path: path.name)
    rest = [path for path in every if pages_of(path) <= most_pages]
    return chosen + [("other", path, []) for path in random.Random(1).sample(rest, others)]


def pages_of(path: Path) -> int:
    with pdfium.PdfDocument(path) as pdf:
        return len(pdf)


def predicted(document: longdoc.Document, names: list[str], label: str) -> Prediction:
    """The places of names as entities."""
    found = {}
    for name in names:
        pattern = r"\s+".join(map(re.escape, name.split()))
        for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", document.text):
            found[match.span()] = Entity(
                text=match[0],
                label=label,
                start=match.start(),
                end=match.end(),
                score=1.0,
                page=document.page_at(match.start()).number,
                boxes=document.locate(*match.span()),
            )
    return Prediction(
        document=document, entities=tuple(found[span] for span in sorted(found, key=lambda span: (span[0], -span[1])))
    )


def pairs(document: longdoc.Document, most: int) -> list[str]:
    """Pairs of capitalised words of a document; in one without any, its longest words."""
    found = sorted({" ".join(match[0].split()) for match in PAIR.finditer(document.text)})
    found = found or sorted(set(re.findall(r"\w{7,}", document.text)))
    return random.Random(1).sample(found, min(most, len(found)))


# ----------------------------------------------------------------------------------------------------------- annotated


def spelled(data: bytes, wanted: dict[str, str]) -> list[str]:
    """The findings whose quadrilaterals hold other letters; ``wanted`` are the letters of each by its index."""
    found: dict[str, str] = {}
    with pikepdf.open(io.BytesIO(data)) as pdf, pdfium.PdfDocument(data) as drawn:
        for number, page in enumerate(pdf.pages):
            own = [each for each in page.get("/Annots", ()) if str(each.get("/NM", "")).startswith("longdoc-")]
            if not own:
                continue
            text = drawn[number].get_textpage()
            boxes = np.array([text.get_charbox(at) for at in range(text.count_chars())]).reshape(-1, 4)
            chars = [text.get_text_range(at, 1) for at in range(text.count_chars())]
            middles = (boxes[:, :2] + boxes[:, 2:]) / 2
            for each in sorted(own, key=lambda each: int(str(each.NM).split("-")[1])):
                for quad in np.array([float(n) for n in each.QuadPoints]).reshape(-1, 4, 2):
                    low, high = quad.min(axis=0) - SLACK, quad.max(axis=0) + SLACK
                    inside = np.flatnonzero(((middles >= low) & (middles <= high)).all(axis=1))
                    key = str(each.NM).split("-")[1]
                    found[key] = found.get(key, "") + "".join(chars[at] for at in inside)
    wrong = []
    for key, letters in wanted.items():
        got = "".join(filter(str.isalnum, found.get(key, "")))
        if letters and not re.fullmatch(f"({re.escape(letters)})+", got):  # bold text may be drawn twice
            wrong.append(f"{letters!r} is {got!r}")
    return wrong


def annotated(chosen: list[tuple[str, Path, list[str]]]) -> None:
    counts: dict[str, Counter[str]] = {"contract": Counter(), "other": Counter()}
    seconds, notes = [], []
    for kind, path, names in chosen:
        document = longdoc.load(path, tables=False)
        prediction = predicted(document, [*names, *pairs(document, FINDINGS)], "NAME")
        placed = [each for each in prediction.entities if each.boxes]
        wanted = {str(at): "".join(filter(str.isalnum, each.text)) for at, each in enumerate(placed)}
        prediction = Prediction(document=document, entities=tuple(placed))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            prediction.save(Path(folder) / "out.pdf")
            seconds.append(time.perf_counter() - start)
            data = (Path(folder) / "out.pdf").read_bytes()
        is_read = all(page.confidence is None for page in document.pages)
        wrong = spelled(data, wanted) if is_read else []
        counts[kind] += Counter(
            documents=1, findings=len(wanted) if is_read else 0, wrong=len(wrong), scans=not is_read
        )
        notes += [f"{path.name}: {each}" for each in wrong]
        print(f"{path.name}: {len(wanted)} findings, {len(wrong)} wrong", flush=True)
    rows = []
    for kind, own in counts.items():
        share = f"{1 - own['wrong'] / max(own['findings'], 1):.2%}"
        rows.append([kind, own["documents"], f"{own['findings']:,}", own["wrong"], share])
    said = (
        f"Scans read by OCR have no glyphs to compare with: {sum(own['scans'] for own in counts.values())} documents. "
    )
    said += f"Saving one took {statistics.median(seconds):.2f} s (median). Wrong: {'; '.join(notes[:20]) or 'none'}."
    header = ["kind", "documents", "findings", "with other letters in their quadrilaterals", "right"]
    write_table("annotated", "Annotated PDFs: highlights against the glyphs below them", header, rows, said)


# ------------------------------------------------------------------------------------------------------------ redacted


def strings_of(item: object) -> Iterator[str]:
    if isinstance(item, pikepdf.String):
        yield str(item)
    elif isinstance(item, (pikepdf.Dictionary, pikepdf.Stream, pikepdf.Array)):
        for each in item if isinstance(item, pikepdf.Array) else item.values():
            if not getattr(each, "is_indirect", False):
                yield from strings_of(each)


def places(data: bytes) -> dict[str, str]:
    """What each way of reading finds in a file."""
    with pdfium.PdfDocument(data) as pdf:
        read = {"pdfium": "\n".join(page.get_textpage().get_text_range() for page in pdf)}
        metadata = list(pdf.get_metadata_dict().values()) + [item.get_title() for item in pdf.get_toc()]
    reader = pypdf.PdfReader(io.BytesIO(data))
    read["pypdf"] = "\n".join(page.extract_text() for page in reader.pages)
    read["pdfminer"] = pdfminer.high_level.extract_text(io.BytesIO(data))
    metadata += [str(value) for value in (reader.metadata or {}).values()] + [*reader.attachments]
    decoded = [re.sub(rb"/[A-Za-z]+", b"/", data)]  # without the words of PDF itself, such as NextPage
    with pikepdf.open(io.BytesIO(data)) as pdf:
        metadata += [text for item in pdf.objects for text in strings_of(item)]
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream) and not {"/Length1", "/Length2"} & set(item.keys()):  # font programs
                try:
                    decoded.append(item.read_bytes())
                except pikepdf.PdfError:
                    decoded.append(item.read_raw_bytes())
    joined = b"\n".join(decoded)
    read["decoded streams"] = joined.decode("latin-1") + joined.replace(b"\0", b"").decode("latin-1")
    read["strings and metadata"] = "\n".join(metadata)
    return read


def characters_left(text: str, names: list[str]) -> int:
    """The characters of the names that a text has, as whole words, whatever stands between these."""
    left, low = 0, text.lower()
    for name in names:
        words = re.findall(r"\w+", name)
        if any(word.lower() not in low for word in words):
            continue  # pictures have many megabytes
        pattern = r"(?<!\w)" + r"[\W_]{0,3}".join(map(re.escape, words)) + r"(?!\w)"
        left += sum(len(match[0]) for match in re.finditer(pattern, text, re.IGNORECASE)) if words else 0
    return left


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def redact_one(path: Path, given: list[str], notes: list[str]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Counts of one document, and the characters of names found before and after, by the way of reading."""
    document = longdoc.load(path, tables=False)
    names = [name for name in given or pairs(document, NAMES) if len(re.sub(r"\W", "", name)) > 2]
    prediction = predicted(document, names, "NAME")
    if not prediction.entities:
        return Counter(without=1), Counter(), Counter()
    found = sorted({" ".join(each.text.split()) for each in prediction.entities})
    with tempfile.TemporaryDirectory() as folder:
        begun = processor_seconds()
        try:
            report = longdoc.redact(prediction, Path(folder) / "out.pdf", ["NAME"])
        except longdoc.LongdocError as error:
            notes.append(str(error).split(". Print")[0])
            return Counter(refused=1), Counter(), Counter()
        seconds = processor_seconds() - begun
        data = (Path(folder) / "out.pdf").read_bytes()
    before = Counter({way: characters_left(text, found) for way, text in places(path.read_bytes()).items()})
    after = Counter({way: characters_left(text, found) for way, text in places(data).items()})
    for reason, count in Counter(report.images.values()).items():
        notes.append(f"{path.name}: {count} of {len(document.pages)} pages became images ({reason})")
    removed = len(prediction.entities) + report.others
    pages = len(document.pages)
    counts = Counter(pages=pages, images=len(report.images), removed=removed, milliseconds=round(1000 * seconds))
    return counts, before, after


def redacted(chosen: list[tuple[str, Path, list[str]]]) -> None:
    totals: Counter[str] = Counter(documents=len(chosen))
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    notes: list[str] = []
    for _, path, names in chosen:
        counts, own_before, own_after = redact_one(path, names, notes)
        totals.update(counts)
        before.update(own_before)
        after.update(own_after)
        print(f"{path.name}: {dict(counts)}, left {dict(+own_after)}", flush=True)
    rows = [[way, f"{before[way]:,}", f"{after[way]:,}"] for way in before]
    said = (
        f"{totals['documents']} documents; {totals['refused']} refused, {totals['without']} without a name in their "
        f"text; the others have {totals['pages']:,} pages, from which {totals['removed']:,} places were removed; "
        f"{totals['images']} pages became images; {totals['milliseconds'] / max(totals['pages'], 1):.0f} ms of the "
        f"processor a page, verification included. {'; '.join(notes) or 'No page became an image'}."
    )
    header = ["found by", "characters of names before", "after"]
    write_table("redaction", "Redacted PDFs: what is left of the names", header, rows, said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["annotated", "redacted"])
    parser.add_argument("--contracts", type=int, default=40)
    parser.add_argument("--others", type=int, default=10)
    parser.add_argument("--most-pages", type=int, default=8, help="longer documents are left out")
    arguments = parser.parse_args()
    chosen = documents(arguments.contracts, arguments.others, arguments.most_pages)
    for name, measure in (("annotated", annotated), ("redacted", redacted)):
        if arguments.only in (None, name):
            measure(chosen)


if __name__ == "__main__":
    main()
