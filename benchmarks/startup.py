"""Start-up in fresh processes (files cached): seconds of ``import longdoc``, and of ``longdoc extract`` to its end."""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from _table import write_table

import longdoc

IMPORT = """
import sys, time
started_at = time.perf_counter()
import longdoc
print(time.perf_counter() - started_at, any(name.split(".")[0] == "torch" for name in sys.modules))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contract", type=Path, nargs="?", default=Path("examples/sony-gsi-intellectual-property.pdf"))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    lines = [_output([sys.executable, "-c", IMPORT]).split() for _ in range(arguments.repeats)]
    assert all(torch_loaded == "False" for _, torch_loaded in lines), "import longdoc loaded torch"
    imports = [float(seconds) for seconds, _ in lines]
    extracts = []
    for _ in range(arguments.repeats):
        started_at = time.perf_counter()
        _output(
            [
                sys.executable,
                "-c",
                "import sys; from longdoc.cli import main; sys.exit(main())",
                "extract",
                str(arguments.contract),
            ]
        )
        extracts.append(time.perf_counter() - started_at)
    n_pages = len(longdoc.load(arguments.contract).pages)
    rows = [
        ["`import longdoc`", f"{statistics.median(imports):.3f}", f"{max(imports):.3f}"],
        [f"`longdoc extract`, {n_pages} pages", f"{statistics.median(extracts):.2f}", f"{max(extracts):.2f}"],
    ]
    write_table("startup", "Start-up, in a fresh process each time", ["what", "median s", "slowest s"], rows)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
