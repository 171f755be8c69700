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
    text = table(title, header, rows, notes)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]], notes: str = "") -> str:
    """A table with its title, notes and provenance."""
    lines = [f"# {title}", "", _row(header), _row(["---"] * len(header)), *map(_row, rows), ""]
    if notes:
        lines += [notes, ""]
    return "\n".join([*lines, provenance(), ""])


def provenance() -> str:
    """Date, machine, versions and command of this run."""
    packages = ("longdoc", "torch", "transformers", "onnxruntime", "tokenizers", "pypdfium2", "pikepdf", "numpy")
    versions = ", ".join(f"{package} {version}" for package in packages if (version := _version(package)))
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    processors = f"{_processor()}, {os.cpu_count()} cores{_gpus()}"
    machine = f"{processors}, {platform.system()}, Python {platform.python_version()}"
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


def _gpus() -> str:
    """The GPUs, if torch was imported and finds any."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return f", {len(names)} {names[0]} with CUDA {torch.version.cuda}"


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
