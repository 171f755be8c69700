"""Loading damaged and hostile files: each case must end with a Document or one of longdoc's own errors.

Every case is a file of the corpus with a few mutations, half of them of bytes and half of its structure (objects,
elements, values), or a PDF made from a grammar. It is loaded in a process of its own with limits on time and memory. A
case passes if its process ends by itself, soon and with little memory, with a Document, whose invariants are checked,
or with a ``LongdocError``. If the process dies in a native parser, the case is loaded again with ``isolated=True``,
where that must be a typed error.
"""

import argparse
import collections
import importlib
import io
import os
import random
import re
import resource
import signal
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from _corpus import corpus, hostile
from _structures import restructured
from _table import write_table
from tqdm import tqdm

import longdoc
from longdoc.errors import LongdocError

SECONDS = 180
MEMORY = 3 << 30
PROCESSOR_SECONDS = 10
"""What a case may take of the processor; ``SECONDS`` is for a machine that does other work too."""
MEGABYTES = 1024
FAILURES = ("untyped", "crash", "hang", "slow", "large")
SUFFIXES = {"image": "png", "text": "txt", "jats": "xml", "ccda": "xml", "fhir": "json"}
LOADERS = ("docx", "clinical.fhir", "clinical.ccda", "html", "image", "jats", "pdf", "text")


# ----------------------------------------------------------------------------------------------------------- mutations


def flip_bits(data: bytearray, rng: random.Random, _: bytes) -> None:
    for _ in range(rng.choice((1, 3, 20, 200))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random, _: bytes) -> None:
    del data[rng.randrange(1, len(data) + 1) :]


def remove(data: bytearray, rng: random.Random, _: bytes) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 10, 1000))]


def repeat(data: bytearray, rng: random.Random, _: bytes) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.choice((1, 50, 2000))] * rng.choice((1, 5, 200))


def splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, size = rng.randrange(len(other)), rng.choice((10, 100, 5000))
    place = rng.randrange(len(data))
    data[place : place + rng.choice((0, size))] = other[start : start + size]


def change_number(data: bytearray, rng: random.Random, _: bytes) -> None:
    numbers = [match.span() for match in re.finditer(rb"\d+", data)]
    if numbers:
        start, end = rng.choice(numbers)
        data[start:end] = rng.choice(
            (b"0", b"-1", b"1", b"65536", b"2147483648", b"99999999999999999999", b"1e99", b"nan")
        )


def swap_objects(data: bytearray, rng: random.Random, _: bytes) -> None:
    """For PDFs: replaces one object with another, so that references lead to the wrong object."""
    objects = [match.span(1) for match in re.finditer(rb"\bobj\b(.*?)endobj", data, re.DOTALL)]
    if len(objects) > 1:
        (a, b), (c, d) = rng.sample(objects, 2)
        data[a:b] = data[c:d]


def nest(data: bytearray, rng: random.Random, _: bytes) -> None:
    """For markup: opens an element many times."""
    start, end = rng.choice([m.span() for m in re.finditer(rb"<\w[^<>]*>|[\[{]", data)] or [(0, 1)])
    data[start:start] = data[start:end] * rng.choice((10, 300, 20_000))


MUTATIONS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    flip_bits, truncate, remove, repeat, splice, change_number, swap_objects, nest,
)  # fmt: skip


def mutated(seeds: list[bytes], rng: random.Random) -> bytes:
    """A file of the corpus with one to four mutations; those of a zip file usually change one of its members."""
    data = bytearray(rng.choice(seeds))
    if data.startswith(b"PK") and rng.random() < 0.7:
        return repacked(bytes(data), rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(MUTATIONS)(data, rng, rng.choice(seeds))
        if not data:
            return b" "
    return bytes(data)


def repacked(data: bytes, rng: random.Random) -> bytes:
    """The zip file with one of its members mutated."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        target = rng.choice([name for name in names if name.startswith("word/") and name.endswith(".xml")])
        for name in names:
            member = bytearray(old.read(name))
            if name == target:
                for _ in range(rng.choice((1, 2))):
                    rng.choice(MUTATIONS)(member, rng, old.read(rng.choice(names)) or b" ")
                    member = member or bytearray(b" ")
            new.writestr(name, bytes(member))
    return stream.getvalue()


# -------------------------------------------------------------------------------------------------------- one process


def outcome(data: bytes, name: str, ocr: str) -> tuple[str, str, float, int]:
    """Loads a file in a process of its own; returns the outcome, details, seconds of the processor and memory in MB."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os.write(write, report(data, name, ocr).encode()[:60_000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        reported = pipe.read().decode()
    _, status, usage = os.wait4(pid, 0)
    seconds, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024
    if os.WIFSIGNALED(status):
        what = signal.Signals(os.WTERMSIG(status)).name
        return ("hang" if what == "SIGALRM" else "crash"), what, seconds, memory
    kind, peak, detail = reported.split("\n", 2)
    memory = int(peak)
    if kind != "untyped" and (seconds > PROCESSOR_SECONDS or memory > MEGABYTES):
        kind, detail = "slow" if seconds > PROCESSOR_SECONDS else "large", f"{kind} after {seconds:.1f} s, {memory} MB"
    return kind, detail, seconds, memory


def outcome_isolated(data: bytes, name: str, ocr: str) -> tuple[str, str]:
    """The outcome of a file that kills the process that loads it: longdoc's own worker must answer for it."""
    try:
        longdoc.load(Named(data, name), ocr=ocr, isolated=True, timeout=SECONDS, memory=MEMORY)
    except LongdocError as error:
        return type(error).__name__, str(error)
    except BaseException:
        return "untyped", traceback.format_exc()
    return "Document", ""


def report(data: bytes, name: str, ocr: str) -> str:
    """Loads a file within the limits; runs in the child process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(SECONDS)
    warnings.simplefilter("error", RuntimeWarning)  # arithmetic of numpy that no one has thought of
    try:
        document = longdoc.load(Named(data, name), ocr=ocr)
        peak = peak_memory()
        check_invariants(document)
        return f"Document\n{peak}\n{len(document.text)}"
    except LongdocError as error:
        return f"{type(error).__name__}\n{peak_memory()}\n{error}"
    except BaseException:
        return f"untyped\n{peak_memory()}\n{traceback.format_exc()}"


def peak_memory() -> int:
    """The highest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Named(io.BytesIO):
    """Bytes with a name, like an open file."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def check_invariants(document: longdoc.Document) -> None:
    """Asserts the invariants of every document, regardless of its format."""
    text, _ = document.edits.apply(document.raw_text)
    assert text == document.text
    for table in document.tables:
        assert all(text[cell.start : cell.end] == cell.text for cell in table.cells)
    for section in document.sections:
        assert 0 <= section.start <= section.end <= len(text)
    for item in document.furniture:
        assert 0 <= item.raw_start <= item.raw_end <= len(document.raw_text)
    document.locate(0, min(len(text), 2000))
    written = document.to_json()
    assert longdoc.Document.from_json(written).to_json() == written


@dataclass
class Tally:
    """The outcomes of the files of one format."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    deaths: int = 0
    """Native parsers that killed the process, which isolation answers for."""
    slowest: float = 0.0
    largest: int = 0

    @property
    def failures(self) -> int:
        return sum(self.outcomes[kind] for kind in FAILURES)

    def row(self, name: str) -> tuple[object, ...]:
        typed = [f"{kind} {n}" for kind, n in sorted(self.outcomes.items()) if kind.endswith("Error")]
        failed = [f"{kind} {self.outcomes[kind]}" for kind in FAILURES if self.outcomes[kind]]
        documents, total = self.outcomes["Document"], self.outcomes.total()
        found = ", ".join(failed) or 0
        return name, total, documents, ", ".join(typed), self.deaths, found, f"{self.slowest:.1f}", self.largest


def run(tally: Tally, label: str, data: bytes, name: str, keep: Path | None) -> None:
    """Runs one case; prints failures, and keeps their files in a folder."""
    ocr = "auto" if label.startswith("image") else "never"
    kind, detail, seconds, memory = outcome(data, name, ocr)
    died = kind == "crash"
    if died:
        print(f"{label}: {detail} without isolation", file=sys.stderr)
        tally.deaths += 1
        kind, detail = outcome_isolated(data, name, ocr)
    tally.outcomes[kind] += 1
    tally.slowest, tally.largest = max(tally.slowest, seconds), max(tally.largest, memory)
    if died or kind in FAILURES:
        print(f"{label}: {kind}: {detail[-1500:]}", file=sys.stderr)
        if keep:
            keep.mkdir(exist_ok=True)
            (keep / f"{label.replace(' ', '-')}-{name}").write_bytes(data)
    elif name == "hostile":
        print(f"{label}: {kind}: {detail[:200]} ({seconds:.1f} s, {memory} MB)", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="number of mutated files, over all formats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", help="comma-separated, such as pdf,docx; default: all")
    parser.add_argument("--keep", type=Path, help="folder to save failing files in")
    arguments = parser.parse_args()
    for loader in LOADERS:  # imported once, before the processes are forked
        importlib.import_module(f"longdoc.loaders.{loader}")
    rng, seeds = random.Random(arguments.seed), corpus()
    formats = arguments.formats.split(",") if arguments.formats else sorted(seeds)
    tallies = {name: Tally() for name in (*formats, "hostile")}
    for case in tqdm(range(arguments.cases), unit="file", disable=None):
        kind = formats[case % len(formats)]
        suffix = SUFFIXES.get(kind, kind)
        change = mutated(seeds[kind], rng) if case // len(formats) % 2 else restructured(kind, seeds[kind], rng)
        run(tallies[kind], f"{kind} {case}", change, f"case.{suffix}", arguments.keep)
    for label, data in hostile():
        if not arguments.formats or label.split(",")[0] in formats:
            run(tallies["hostile"], label, data, "hostile", arguments.keep)
    header = ["format", "files", "Document", "typed error", "process died", "failures", "slowest, s", "largest, MB"]
    notes = (
        f"One process per file; seed {arguments.seed}. Hostile: handmade. A failure: an error that is none of "
        f"longdoc's, more than {PROCESSOR_SECONDS} s of the processor, or more than {MEGABYTES} MB. If the process "
        "dies, the file is loaded again with isolation, which makes a typed error of it."
    )
    rows = [tally.row(name) for name, tally in tallies.items()]
    write_table("fuzz", "Damaged and hostile files", header, rows, notes)
    sys.exit(any(tally.failures for tally in tallies.values()))


if __name__ == "__main__":
    main()
