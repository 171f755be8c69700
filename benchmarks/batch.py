"""Many documents into a folder: speed against a script of pdfplumber and transformers, memory, kills and bad documents.

    python benchmarks/batch.py --only speed,memory

Each part writes its rows into ``results/batch.json``, from which the table is made, so that parts can be run at
different times. The PDFs are contracts of CUAD, in the folder ``LONGDOC_DATA``. What is compared in speed runs in turns
of eight documents, one process while the others are stopped, so that other load on the machine hits all alike. Pages
without text are not read (``ocr="never"``), as pdfplumber does not read them.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pypdf
from _processes import Contender, Memory, in_turns, seconds_until_gone
from _table import RESULTS, provenance, write_table

from longdoc.batch.progress import RunStatus, read_status
from longdoc.datasets import data_root, read_cuad

Row = list[str]
DATA = RESULTS / "batch.json"
ONE_HEAD = ["contract"]
HOSTILE = ("docx", "html", "json", "pdf", "txt", "xml")
SHORT = Path(__file__).parent.parent / "examples" / "sony-gsi-intellectual-property.pdf"


class Bench:
    """The documents, the folder and the cores of a part."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments, self.folder = arguments, folder
        everything = sorted(contract.pdf for contract in read_cuad(data_root() / "cuad"))
        self.pdfs = random.Random(0).sample(everything, len(everything))
        self.cores = sorted(os.sched_getaffinity(0))[: arguments.cores]
        self._n_outs = 0

    def start(self, name: str, paths: Sequence[Path], out: Path | None = None, **options: Any) -> Contender:
        """Starts a process; a run loads documents with a process for each core."""
        if out is None:
            self._n_outs += 1
            out = self.folder / f"out{self._n_outs}"
        own: dict[str, Any] = {"workers": len(self.cores), "tasks": ONE_HEAD, "timeout": None, "ocr": "never"}
        return Contender(name, self.cores, paths=[str(path) for path in paths], out=str(out), **{**own, **options})

    def finish(self, paths: Sequence[Path], out: Path, **options: Any) -> RunStatus:
        """Runs to the end."""
        while self.start("run", paths, out, **options).advance():
            pass
        return read_status(out)


def speed(bench: Bench) -> list[Row]:
    """Documents a minute, and the wall time over that of the model alone."""
    pdfs = sorted(bench.pdfs[: bench.arguments.documents])
    rows = []
    for tasks, heads in ((ONE_HEAD, "head `contract`"), (None, "all heads")):
        names = ("run", "peer", "forward") if tasks else ("run", "forward")
        found = {name: bench.start(name, pdfs, tasks=tasks) for name in names}
        in_turns(list(found.values()), len(pdfs))
        run, alone = found["run"], found["forward"]
        of = f"{len(pdfs)} PDFs, {heads}"
        rows.append(["documents/min, longdoc, with start", f"{60 * len(pdfs) / run.seconds:.1f}", "", of])
        rows.append(["documents/min, longdoc, after the first group", f"{run.pace():.1f}", "", of])
        if "peer" in found:
            other = found["peer"]
            rows.append(["documents/min, peer, after its start", f"{other.pace():.1f}", "", of])
            rows.append(["times the peer, both after their start", f"{run.pace() / other.pace():.2f}", "≥ 6", of])
            whole = other.seconds / run.seconds
            rows.append(["times the peer, both with their start", f"{whole:.2f}", "", of])
        first = run.marks[1][0]
        without = run.seconds_between(first, len(pdfs)) / alone.seconds_between(first, len(pdfs))
        whole = run.seconds / alone.seconds_between(0, len(pdfs))
        rows.append(["wall / model alone, after the first group", f"{without:.2f}", "≤ 1.15", of])
        rows.append(["wall / model alone, with start", f"{whole:.2f}", "", of])
    return rows


def int8(bench: Bench) -> list[Row]:
    """The same with ``precision="int8"``, for one head."""
    pdfs = sorted(bench.pdfs[: bench.arguments.documents])
    run, other = bench.start("run", pdfs, precision="int8"), bench.start("peer", pdfs)
    in_turns([run, other], len(pdfs))
    of = f"{len(pdfs)} PDFs, head `contract`"
    return [
        ["documents/min, longdoc, with start", f"{60 * len(pdfs) / run.seconds:.1f}", "", of],
        ["documents/min, longdoc, after the first group", f"{run.pace():.1f}", "", of],
        ["documents/min, peer, after its start", f"{other.pace():.1f}", "", of],
        ["times the peer, both after their start", f"{run.pace() / other.pace():.2f}", "≥ 6", of],
        ["times the peer, both with their start", f"{other.seconds / run.seconds:.2f}", "", of],
    ]


def memory(bench: Bench) -> list[Row]:
    """The highest memory, for two numbers of documents."""
    rows, found = [], []
    for size in bench.arguments.sizes:
        pdfs = copies(bench.pdfs[: min(bench.arguments.sizes)], size, bench.folder / f"copies{size}")
        run = bench.start("run", pdfs)
        sampled = Memory(run)
        run.advance()
        sampled.end()
        found.append(sampled.pss)
        of = f"{size} PDFs, of {min(bench.arguments.sizes)} contracts, head `contract`"
        rows.append(["peak PSS of all processes, GB", f"{sampled.pss / 1e9:.2f}", "≤ 1.5", of])
        rows.append(["peak RSS of all processes, GB", f"{sampled.rss / 1e9:.2f}", "", of])
    sizes = " over ".join(map(str, reversed(bench.arguments.sizes)))
    return [*rows, ["peak PSS, ratio", f"{found[-1] / found[0]:.2f}", "≤ 1.10", f"{sizes} documents"]]


def copies(pdfs: Sequence[Path], count: int, folder: Path) -> list[Path]:
    """So many files, the same PDFs again and again, which differ in a comment at their end."""
    folder.mkdir()
    made = [folder / f"{i:05}.pdf" for i in range(count)]
    for i, path in enumerate(made):
        path.write_bytes(pdfs[i % len(pdfs)].read_bytes() + f"\n% copy {i}\n".encode())
    return made


def kills(bench: Bench) -> list[Row]:
    """Runs that are killed, with their process group, at random moments, and go on."""
    pdfs, moments = sorted(bench.pdfs[: bench.arguments.kill_documents]), random.Random(0)
    run = bench.start("run", pdfs, bench.folder / "undisturbed", groups_in_part=1)
    run.advance()
    undisturbed = files(bench.folder / "undisturbed")
    n_same, gone, done = 0, [], []
    for i in range(bench.arguments.kills):
        out = bench.folder / f"killed{i}"
        killed = bench.start("run", pdfs, out, groups_in_part=1)
        time.sleep(moments.uniform(0.2, run.seconds))
        tree = killed.tree()
        os.killpg(killed.process.pid, signal.SIGKILL)
        killed.process.wait()
        gone.append(seconds_until_gone(tree))
        done.append(sum(read_status(out).counts.values()) if (out / "run.json").exists() else 0)
        bench.finish(pdfs, out, groups_in_part=1)
        n_same += files(out) == undisturbed
        shutil.rmtree(out)
    of = f"{len(pdfs)} PDFs in parts of one group, {run.seconds:.0f} s; kills at random moments"
    spread = f"{min(done)} to {max(done)}, median {statistics.median(done):.0f}"
    return [
        ["killed runs with the files of an undisturbed one", f"{n_same} of {len(gone)}", "all", of],
        ["documents that were done when it was killed", spread, "", of],
        ["seconds until no process is left, at most", f"{max(gone):.2f}", "", of],
    ]


def files(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.glob("*/part-*"))}


def bad(bench: Bench) -> list[Row]:
    """Damaged documents, and some that hang, eat memory or kill a process."""
    given = bench.folder / "bad"
    good = copies(bench.pdfs[: bench.arguments.documents], bench.arguments.documents, given)
    sample = random.Random(0).sample(good, len(good))
    n_damaged = max(len(good) // 20, 4)
    for i, path in enumerate(sample[:n_damaged]):
        damage(path, given / f"damaged-{path.name}", i % 4)
    for name, path in zip(("hang", "eat", "die", "fatal"), sample[n_damaged:], strict=False):
        path.rename(given / f"{name}-{path.name}")
    status = bench.finish([given], bench.folder / "bad-out", harm=True, timeout=60.0, memory=10**9)
    found = {Path(each.address).name: each.state for each in status.failures}
    expected = {"hang": "timed out", "eat": "out of memory", "die": "crashed", "fatal": "crashed", "damaged": "failed"}
    right = sum(state == expected.get(name.partition("-")[0]) for name, state in found.items())
    n_read = sum(status.counts[state] for state in ("ok", "partial"))
    of = f"{len(good)} PDFs: {n_damaged} damaged, 1 hangs, 1 eats memory, 1 kills its loader, 1 the model's process"
    states = ", ".join(f"{n} {state}" for state, n in sorted(Counter(found.values()).items()))
    return [
        ["good documents that were read", f"{n_read} of {len(good) - n_damaged - 4}", "all", of],
        ["bad documents with the right state", f"{right} of {n_damaged + 4}", "all", f"{states}"],
    ]


def damage(path: Path, target: Path, kind: int) -> None:
    """Replaces a PDF by one that is cut short, garbage, encrypted or empty."""
    data = path.read_bytes()
    path.unlink()
    if kind == 2:
        writer = pypdf.PdfWriter()
        writer.add_blank_page(612, 792)
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(target)
    else:
        target.write_bytes((data[:300], random.Random(0).randbytes(len(data)), b"", b"")[kind])


def hostile(bench: Bench) -> list[Row]:
    """Each hostile document among 19 short texts."""
    given = bench.folder / "texts"
    given.mkdir()
    pieces = parts("".join(contract.text for contract in islice(read_cuad(data_root() / "cuad"), 3)), most=19)
    for i, text in enumerate(pieces):
        (given / f"{i:02}.txt").write_text(text, encoding="utf-8")
    texts = sorted(given.iterdir())
    files = [path for path in sorted(bench.arguments.hostile.iterdir()) if path.suffix[1:] in HOSTILE]
    n_whole, states, slowest = 0, Counter[str](), 0.0
    for i, path in enumerate(files):
        started = time.perf_counter()
        status = bench.finish([*texts[:10], path, *texts[10:]], bench.folder / f"hostile{i}", timeout=60.0)
        slowest = max(slowest, time.perf_counter() - started)
        bad = {Path(each.address).name: each.state for each in status.failures}
        n_whole += status.counts["ok"] + status.counts["partial"] + (path.name in bad) == len(texts) + 1 and not {
            *bad
        } - {path.name}
        states[bad.get(path.name, "read")] += 1
    of = f"{len(files)} hostile documents, each among {len(texts)} texts"
    told = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    return [
        ["batches with all others read, and a state for the hostile one", f"{n_whole} of {len(files)}", "all", of],
        ["states of the hostile ones", told, "", of],
        ["seconds a batch, start included, at most", f"{slowest:.1f}", "", of],
    ]


def disk(bench: Bench) -> list[Row]:
    """A full disk, one that can only be read, and two runs into one folder."""
    pdfs, small = sorted(bench.pdfs[: bench.arguments.kill_documents]), bench.folder / "disk"
    bench.finish(pdfs, bench.folder / "whole", groups_in_part=1)
    small.mkdir()
    of, rows = f"{len(pdfs)} PDFs", []
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        rows.append(["a disk of 8 MB", "left out: only root may mount one", "", of])
    else:
        try:
            free = sum(map(len, files(bench.folder / "whole").values())) * 6 // 10
            (small / "filler").write_bytes(bytes(8 * 2**20 - free))
            told = message(bench, pdfs, small / "out", groups_in_part=1)
            (small / "filler").unlink()
            n_left = read_status(small / "out").n_left
            bench.finish(pdfs, small / "out", groups_in_part=1)
            same = files(small / "out") == files(bench.folder / "whole")
            rows.append(["a disk of 8 MB that gets full", f"`{told}`", "", f"{of}, {n_left} left"])
            rows.append(["files after it went on, as of an undisturbed run", "yes" if same else "NO", "yes", of])
            subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
            rows.append(["a disk that can only be read", f"`{message(bench, pdfs, small / 'new')}`", "", of])
        finally:
            subprocess.run(["umount", str(small)], check=True)
    both = [bench.start("run", pdfs, bench.folder / "both", groups_in_part=1)]
    both[0].process.stdout.readline()  # type: ignore[union-attr]
    rows.append(["a second run into the same folder", f"`{message(bench, pdfs, bench.folder / 'both')}`", "", of])
    while both[0].advance():
        pass
    same = files(bench.folder / "both") == files(bench.folder / "whole")
    return [*rows, ["files of the first one, as of an undisturbed run", "yes" if same else "NO", "yes", of]]


def message(bench: Bench, pdfs: Sequence[Path], out: Path, **options: Any) -> str:
    """The error with which a run ends, with the name of the folder alone."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import json, _contenders\n"
        "from longdoc.errors import LongdocError\n"
        "try: _contenders.run(**json.loads(sys.argv[1]))\n"
        "except LongdocError as error: print(f'{type(error).__name__}: {error}')"
    )
    given = {"paths": [str(path) for path in pdfs], "out": str(out), "tasks": ONE_HEAD, "ocr": "never", **options}
    command = [sys.executable, "-c", code, json.dumps(given)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return told.splitlines()[-1].replace(str(out.parent) + "/", "").replace("|", "/")


def texts(bench: Bench) -> list[Row]:
    """Short texts, few and many."""
    pieces = [text for contract in read_cuad(data_root() / "cuad") for text in parts(contract.text)]
    rows, paces = [], []
    for size in bench.arguments.texts:
        folder = bench.folder / f"texts{size}"
        folder.mkdir()
        for i in range(size):
            (folder / f"{i:06}.txt").write_text(f"{i}. {pieces[i % len(pieces)]}", encoding="utf-8")
        run = bench.start("run", [folder])
        run.advance()
        started = run.marks[0][1]
        paces.append(1000 * (run.seconds - started) / size)
        of = f"{size} texts of {statistics.mean(map(len, pieces)):.0f} characters, head `contract`"
        rows.append(["ms a document, with start of the model", f"{paces[-1]:.1f}", "", of])
        rows.append(["seconds, with all", f"{run.seconds:.1f}", "", of])
    (small, large), (fast, slow) = bench.arguments.texts, paces
    share = (slow * large - fast * small) / (large - small)
    return [*rows, ["ms for each further document", f"{share:.1f}", "", f"from {small} to {large}"]]


def parts(text: str, length: int = 1500, most: int = 30) -> list[str]:
    return [text[start : start + length] for start in range(0, min(len(text), most * length), length)]


def ray(bench: Bench) -> list[Row]:
    """The engine ``ray`` with a cluster of its own, against the local one."""
    pdfs = sorted(bench.pdfs[: bench.arguments.documents])
    found = {}
    for engine in ("local", "ray"):
        found[engine] = bench.start("run", pdfs, bench.folder / engine, engine=engine)
        found[engine].advance()
    same = files(bench.folder / "local") == files(bench.folder / "ray")
    local, on_ray = found["local"].seconds, found["ray"].seconds
    of = f"{len(pdfs)} PDFs, head `contract`, {len(bench.cores)} cores"
    return [
        ["files of ray, as of local", "yes" if same else "NO", "yes", of],
        ["seconds, local, with start", f"{local:.0f}", "", of],
        ["seconds, ray, with start of the cluster", f"{on_ray:.0f}", "", of],
        ["overhead of ray", f"{on_ray / local - 1:.0%}", "< 25 %", of],
    ]


def cold(bench: Bench) -> list[Row]:
    """One short contract in a fresh process, until the first result is printed."""
    found = []
    for _ in range(bench.arguments.repeats):
        started = time.perf_counter()
        command = [sys.executable, "-m", "longdoc", "extract", str(SHORT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout
            assert process.stdout.readline(), "no result"
            found.append(time.perf_counter() - started)
            process.stdout.read()
    of = f"`python -m longdoc extract`, {SHORT.name}, {len(found)} times, files cached"
    return [["seconds to the first result, median", f"{statistics.median(found):.2f}", "≤ 5", of]]


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    each.__name__: each for each in (speed, int8, memory, kills, bad, hostile, disk, ray, texts, cold)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts to run, default: all")
    parser.add_argument("--documents", type=int, default=100, help="PDFs for the parts speed, bad and ray")
    parser.add_argument("--sizes", type=int, nargs=2, default=[100, 1000], help="numbers of PDFs for the part memory")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill a run")
    parser.add_argument("--kill-documents", type=int, default=24, help="PDFs for the parts kills and disk")
    parser.add_argument("--texts", type=int, nargs=2, default=[100, 10_000], help="numbers of texts for the part texts")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of the part cold")
    parser.add_argument("--hostile", type=Path, default=data_root().parent / "cases" / "hostile", help="their folder")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the processes that it has started end with it
    if arguments.documents < 16:
        parser.error("--documents must be at least 16, so that something is left after the first group")
    found = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    for name in arguments.only.split(","):
        with tempfile.TemporaryDirectory(prefix="batch-") as folder:
            started = time.perf_counter()
            rows = PARTS[name](Bench(arguments, Path(folder)))
        took = f"{(time.perf_counter() - started) / 60:.1f} minutes"
        found[name] = {"rows": rows, "provenance": f"{provenance()}; {arguments.cores} cores used; took {took}"}
        DATA.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        table = [[part, *row] for part in PARTS if part in found for row in found[part]["rows"]]
        notes = "\n".join(f"- {part}: {found[part]['provenance']}" for part in PARTS if part in found)
        write_table("batch", "Many documents", ["part", "measure", "result", "target", "of"], table, notes)


if __name__ == "__main__":
    main()
