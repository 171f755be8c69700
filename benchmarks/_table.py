"""Result tables: Markdown with date, hardware, versions and command, printed and committed."""

import datetime
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def write_table(
    name: str, title: str, header: Sequence[str], rows: Sequence[Sequence[object]], notes: str = ""
) -> None:
    """Prints a table and writes it to ``benchmarks/results/NAME.md``."""
    lines = [f"# {title}", "", _row(header), _row(["---"] * len(header)), *map(_row, rows), ""]
    if notes:
        lines += [notes, ""]
    lines += [provenance(), ""]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def provenance() -> str:
    """Date, machine, versions and command of this run."""
    packages = ("longdoc", "torch", "transformers", "onnxruntime", "tokenizers", "pypdfium2", "pikepdf", "numpy")
    versions = ", ".join(f"{package} {version}" for package in packages if (version := _version(package)))
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return f"{datetime.date.today()}; {machine}; {versions}; `{command}`"


def _version(package: str) -> str:
    """The installed version; empty if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor() or platform.machine()


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
