"""Runs of a batch that tests disturb, and documents that harm what reads them, by the last word of their names.

``03-hang.html`` hangs its loader, ``04-fatal.html`` kills the process with the model, and ``05-endless.html`` hangs it.
The classes replace those of ``longdoc.batch.local`` in the process that starts a run; its workers find them in this
module.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import longdoc
from fakes import FakePipeline
from longdoc.batch import extract, local, stages
from longdoc.batch.stages import Extracted, Loaded
from longdoc.document import Document


def die(path: Path | None = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(path: Path) -> None:
    time.sleep(600)


def eat(path: Path) -> None:
    held = [bytes(1 << 24) for _ in range(1 << 12)]
    raise AssertionError(f"nothing stopped it at {len(held)} pieces")


def grow(path: Path) -> None:
    """Changes the document whenever it is read."""
    with path.open("a") as file:
        file.write("<p>and more</p>")


def grow_once(path: Path) -> None:
    """Changes the document when it is read first."""
    if "and more" not in path.read_text():
        grow(path)


def vanish(path: Path) -> None:
    path.unlink()


def linger(path: Path) -> None:
    time.sleep(0.04)


HARMS: dict[str, Callable[[Path], None]] = {
    "die": die,
    "hang": hang,
    "eat": eat,
    "growing": grow,
    "grown": grow_once,
    "vanishing": vanish,
    "slow": linger,
}


def harm_of(address: str) -> str:
    return Path(address).stem.rpartition("-")[2]


def load(source: str, **options: Any) -> Document:
    """Loads a document that does its harm after it was read."""
    path = Path(source)
    harm = HARMS.get(harm_of(source), lambda path: None)
    document = longdoc.load(source, **options)
    harm(path)
    return document


class Loader(stages.Loader):
    """Loads documents that do harm."""

    def __call__(self, each):
        stages.load = load
        return super().__call__(each)


class Light(FakePipeline):
    """A pipeline of patterns, which starts without torch."""

    readers = ()

    @classmethod
    def from_pretrained(cls, model="default", **options):
        return cls()


class Extractor(stages.Extractor):
    """Extracts from documents that do harm, by patterns or with a model."""

    def __init__(self, job, writer):
        super().__init__(job, writer)
        self._is_light = job.model == "light"

    def load(self, folder=None):
        if not self._is_light:
            return super().load(folder)
        self._pipeline = Light.from_pretrained("light")
        return self._pipeline

    def __call__(self, group: Sequence[Loaded]) -> Extracted:
        harms = [harm_of(each.input.address) for each in group]
        if "fatal" in harms:
            die()
        if "endless" in harms:
            time.sleep(600)
        if "faulty" in harms:
            raise ValueError("a fault of this test")
        time.sleep(0.1 * ("slow" in harms))
        return super().__call__(group)


class Stillborn(Extractor):
    """Dies while it loads the model, or takes as many seconds for it as a file says."""

    def load(self, folder=None):
        if Path("no-model").exists():
            die()
        time.sleep(float(Path("slow-model").read_text() if Path("slow-model").exists() else 0))
        return super().load(folder)


OPTIONS = {"model": "light", "workers": 1, "format": "csv"}
REPLACED = (
    (local, "Loader", Loader),
    (local, "Extractor", Stillborn),
    (stages, "_LARGE", 1024),
    (stages, "_IN_GROUP", 4),
    (extract, "GROUPS_IN_PART", 1),
    (extract, "fingerprint", str),
)
"""What a run has from here; four documents are a group, and every group is committed by itself."""


def run_and_tell(paths: Sequence[str], out: str, **options: Any) -> None:
    """Extracts in a process of its own, and prints how many documents are done."""
    for each in REPLACED:
        setattr(*each)
    report = lambda progress: print(progress.documents, flush=True)  # noqa: E731, T201
    extract.extract_many(paths, out, progress=report, **{**OPTIONS, **options})
