"""Start-up in fresh processes (files cached): ``import longdoc``, and ``longdoc extract`` and ``ask`` to their end.

With ``--graph``, also by a folder that ``longdoc export --to onnx`` wrote; with ``--light``, the Python of an
environment that has ``longdoc[onnx]`` alone, also there. On a machine that does something else too, the time of the
processors says more than that on the clock.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from _table import write_table

import longdoc

IMPORT = """
import sys, time
started_at = time.perf_counter()
import longdoc
print(time.perf_counter() - started_at, any(name.split(".")[0] == "torch" for name in sys.modules))
"""
COMMAND = "import sys; from longdoc.cli import main; sys.exit(main())"
QUESTION = "What is the date of the agreement?"


def seconds_of(python: str, arguments: Sequence[str], repeats: int) -> list[str]:
    """Median and slowest time of a command on the clock, and median of the processors, its own processes included."""
    clock, processors = [], []
    for _ in range(repeats):
        started_at, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        _output([python, "-c", COMMAND, *arguments])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        clock.append(time.perf_counter() - started_at)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [f"{statistics.median(clock):.2f}", f"{max(clock):.2f}", f"{statistics.median(processors):.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contract", type=Path, nargs="?", default=Path("examples/sony-gsi-intellectual-property.pdf"))
    parser.add_argument("--short", type=Path, default=Path("examples/hyatt-playa-strategic-alliance.pdf"))
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--light")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    lines = [_output([sys.executable, "-c", IMPORT]).split() for _ in range(arguments.repeats)]
    assert all(torch_loaded == "False" for _, torch_loaded in lines), "import longdoc loaded torch"
    imports = [float(seconds) for seconds, _ in lines]
    rows = [["`import longdoc`", f"{statistics.median(imports):.3f}", f"{max(imports):.3f}", ""]]
    ways = {"": (sys.executable, [])}
    if arguments.graph is not None:
        ways[", by an export to ONNX"] = (sys.executable, ["--model", str(arguments.graph)])
    if arguments.light is not None:
        ways[", by it, without torch installed"] = (arguments.light, ["--model", str(arguments.graph)])
    for name, (python, model) in ways.items():
        for command, path in (("extract", arguments.contract), ("ask", arguments.short)):
            asked = [QUESTION] if command == "ask" else []
            n_pages = len(longdoc.load(path).pages)
            times = seconds_of(python, [command, str(path), *asked, *model], arguments.repeats)
            rows.append([f"`longdoc {command}`, {n_pages} pages{name}", *times])
    header = ["what", "median s", "slowest s", "processor s"]
    notes = f"{arguments.repeats} repeats; load of the machine at the end {os.getloadavg()[0]:.1f}."
    write_table("startup", "Start-up, in a fresh process each time", header, rows, notes)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
