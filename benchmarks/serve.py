"""A server under load: errors, latency and memory with many clients, by locust, on contracts of five pages.

    python benchmarks/serve.py --locust ~/locust/bin/locust --minutes 10

Locust is installed in an environment of its own (``pip install locust``). The PDFs are contracts of CUAD, in the folder
``LONGDOC_DATA``. Each setting starts a server of its own.
"""

import argparse
import csv
import http.client
import importlib.metadata
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pypdfium2
from _processes import pss_of
from _table import write_table

from longdoc.datasets import data_root, read_cuad

PAGES = 5
SETTINGS = {  # name -> (--queue, longest pause of a client in seconds, where it is not 0)
    "no pauses, `--queue 2`": (2, 0.0),
    "no pauses, `--queue 16`": (16, 0.0),
    "pauses of {half:.0f} to {pause:.0f} s, `--queue 16`": (16, 1.0),
}


class Server:
    """A server, and what it and its processes take."""

    def __init__(self, queue: int) -> None:
        command = [sys.executable, "-m", "longdoc", "serve", "--port", "0", "--queue", str(queue)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        self.address = ""
        while not (found := re.search(r"answers at (\S+)", line := self.process.stderr.readline())):
            assert line, "the server did not start"
        self.address = found[1]
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def memory(self) -> float:
        """Megabytes of all its processes."""
        own = psutil.Process(self.process.pid)
        return sum(pss_of(each.pid) for each in [own, *own.children(recursive=True)]) / 1e6

    def extract(self, path: Path) -> float:
        """The seconds until a contract is answered."""
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        began = time.perf_counter()
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)
        connection.request("POST", "/extract", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
        answer = json.load(connection.getresponse())
        assert answer["status"] == "ok", answer
        return time.perf_counter() - began

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def contracts(count: int, folder: Path) -> list[Path]:
    """So many contracts of five pages, as files in a folder."""
    found = []
    for contract in sorted(read_cuad(data_root() / "cuad"), key=lambda each: each.pdf):
        with pypdfium2.PdfDocument(contract.pdf) as pdf:
            if len(pdf) == PAGES:
                found.append(Path(shutil.copy(contract.pdf, folder / f"{len(found):02}.pdf")))
        if len(found) == count:
            break
    return found


def load(server: Server, locust: str, arguments: argparse.Namespace, folder: Path, pause: float) -> dict[str, dict]:
    """Runs the clients; the statistics of locust by name."""
    out = folder / "locust"
    command = [locust, "-f", str(Path(__file__).with_name("_serve_clients.py")), "--headless", "--only-summary"]
    command += ["-u", str(arguments.clients), "-r", str(arguments.clients), "-t", f"{arguments.minutes * 60:.0f}s"]
    command += ["--host", server.address, "--csv", str(out), "--stop-timeout", "60"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"CONTRACTS": str(folder), "PAUSE": str(pause)}
    subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(Path(f"{out}_failures.csv").read_text(), file=sys.stderr)
    with Path(f"{out}_stats.csv").open(newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def row(
    name: str, single: Sequence[float], found: dict[str, dict], memory: Sequence[float], minutes: float
) -> list[str]:
    accepted, whole = found["accepted"], found["until answered"]
    median, p95 = statistics.median(single), float(accepted["95%"]) / 1000
    refused = found.get("refused", {"Request Count": "0"})["Request Count"]
    return [
        name,
        accepted["Request Count"],
        str(sum(int(each["Failure Count"]) for each in found.values() if each["Name"] != "Aggregated")),
        refused,
        f"{int(accepted['Request Count']) / minutes:.0f}",
        f"{median:.2f}",
        f"{float(accepted['50%']) / 1000:.2f}",
        f"{p95:.2f}",
        f"{p95 / median:.1f}",
        f"{float(whole['95%']) / 1000:.1f}",
        f"{memory[0]:.0f}, {memory[1]:.0f}, {memory[2]:.0f}",
    ]


@contextmanager
def sampled(server: Server, memory: list[float], seconds: float) -> Iterator[None]:
    """Within, notes the memory of a server after a tenth and a half of the time.

    Not when the load begins: further loaders start then, and results are kept.
    """
    timers = [threading.Timer(seconds * share, lambda: memory.append(server.memory())) for share in (0.1, 0.5)]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locust", default="locust", help="the program")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--contracts", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10, help="of load with each setting")
    parser.add_argument("--pause", type=float, default=60, help="longest pause of a client in seconds, in the last row")
    parser.add_argument("--only", type=int, nargs="*", default=[*range(len(SETTINGS))], help="numbers of settings")
    arguments = parser.parse_args()
    rows, busy = [], os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        paths = contracts(arguments.contracts, Path(name))
        for number, (title, (queue, pauses)) in enumerate(SETTINGS.items()):
            if number not in arguments.only:
                continue
            server, pause = Server(queue), pauses * arguments.pause
            for path in paths:  # the first time, code for each shape of batch is made
                server.extract(path)
            single, memory = [server.extract(path) for path in paths], []
            with sampled(server, memory, arguments.minutes * 60):
                found = load(server, arguments.locust, arguments, Path(name), pause)
            memory.append(server.memory())
            single += [server.extract(path) for path in paths]  # before and after, as other load may come and go
            rows.append(row(title.format(half=pause / 2, pause=pause), single, found, memory, arguments.minutes))
            server.end()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("fastapi", "uvicorn")]
    told = subprocess.run([arguments.locust, "--version"], capture_output=True, text=True, check=True).stdout
    versions.append(told.partition(" from")[0].strip())
    write_table(
        "serve",
        f"`longdoc serve`, {arguments.clients} clients, {len(paths)} contracts of {PAGES} pages, "
        f"{arguments.minutes:g} minutes each",
        ["clients", "answered", "errors", "refused (429)", "answered/min", "alone, median s", "median s", "p95 s",
         "p95 / alone", "p95 with coming again, s", "MB after a tenth, half, all"],
        rows,
        "Alone: one contract at a time, each of them before and after the load. A client that is refused comes again "
        "when `Retry-After` says; the last column but one counts from its first attempt, and leaves out who still "
        "waited at the end. Memory is PSS of all processes of the server. Load of the machine by all that ran on it, "
        f"before and after: {busy:.1f}, {os.getloadavg()[0]:.1f}. {', '.join(versions)}.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
