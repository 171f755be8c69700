"""Stages that documents harm by what they say; the processes of a batch import them from here."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from longdoc.batch.inputs import Input
from longdoc.batch.stages import Extracted, Extractor, Loaded, Loader


class HarmedLoader(Loader):
    def __call__(self, each: Input) -> Loaded:
        obey(each.address, "in the loader")
        return super().__call__(each)


class HarmedExtractor(Extractor):
    def __call__(self, group: Sequence[Loaded]) -> Extracted:
        for each in group:
            obey(each.input.address, "in the model")
        return super().__call__(group)


def obey(address: str, where: str) -> None:
    """Does what the name of a document says, such as ``"exit in the loader.txt"``."""
    path = Path(address)
    deed, _, place = path.stem.partition(" ")
    if place != where:
        return
    if deed == "exit":
        os._exit(9)
    if deed == "raise":
        raise ValueError("a fault")
    if deed == "orphan" and not (done := path.parents[1] / f"{path.stem} is done").exists():
        done.touch()
        os.kill(os.getppid(), signal.SIGKILL)
