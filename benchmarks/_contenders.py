"""What ``batch.py`` measures, each in a process of its own, which prints the number of documents that are done.

python benchmarks/_contenders.py run '{"paths": [...], "out": "...", "tasks": ["contract"]}' '[0, 1]'
"""

import json
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import longdoc
from longdoc.batch import extract, local, stages


def tell(n_documents: int) -> None:
    print(n_documents, flush=True)


def run(*, paths: list[str], out: str, groups_in_part: int = 0, harm: bool = False, **options: Any) -> None:
    """Extracts many documents into a folder."""
    logging.basicConfig(level=logging.ERROR)
    if groups_in_part:
        extract.GROUPS_IN_PART = groups_in_part
    if harm:
        from _contenders import HarmedExtractor, HarmedLoader  # as a module that workers can import

        local.Loader, local.Extractor = HarmedLoader, HarmedExtractor
    extract.extract_many(paths, out, progress=lambda progress: tell(progress.documents), **options)


def forward(*, paths: list[str], tasks: list[str] | None, **_: Any) -> None:
    """The model alone, on the windows of documents that were loaded before, in the groups of a run."""
    from longdoc.batch.inputs import find_inputs
    from longdoc.document_type import document_type

    pipeline = longdoc.Pipeline.from_pretrained()
    engine, reader = pipeline.engine, pipeline.readers[0]
    groups = []
    for group in stages.groups_of(find_inputs(paths)):
        readings = []
        for each in group:
            document = longdoc.load(each.address, ocr="never")
            chosen = tasks or engine.heads_for(document_type(document).kind, tasks=pipeline.tasks)
            readings += engine.read(document, chosen)
        groups.append((len(group), readings))
    reader.score(groups[0][1][:1])  # threads and packed weights are made with the first batch
    tell(0)
    n_done = 0
    for n_documents, readings in groups:
        reader.score(readings)
        n_done += n_documents
        tell(n_done)


def peer(*, paths: list[str], **_: Any) -> None:
    """The text of pdfplumber, read by the pipeline of transformers with the weights of the head ``contract``."""
    import pdfplumber
    import torch
    from entities import as_transformers

    from longdoc.model import Model
    from longdoc.model_files import DEFAULT_MODEL

    model = Model.from_pretrained(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as folder:
        make = as_transformers(model, "contract", folder)
        tagger = make(stride=128, aggregation_strategy="simple")
    ids = model.tokenizer.encode("This Agreement is made on June 21, 1999 by Acme Inc.", add_special_tokens=False).ids
    inputs = model.encoder.batch([ids]).inputs
    with torch.inference_mode():
        own, other = model.head("contract")(model.encoder(**inputs)), tagger.model(**inputs).logits
    assert torch.allclose(own, other, atol=1e-4), "the peer has other weights"
    tell(0)
    for n_done, path in enumerate(paths, 1):
        with pdfplumber.open(path) as pdf:
            text = "\n".join(page.extract_text() for page in pdf.pages)
        tagger(text)
        tell(n_done)


# -------------------------------------------------------------------------------------------------- harmful documents


def _hang() -> None:
    time.sleep(3600)


def _eat() -> None:
    held = [bytes(1 << 26) for _ in range(1 << 12)]
    raise AssertionError(f"nothing stopped it at {len(held)} pieces")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


HARMS: dict[str, Callable[[], None]] = {"hang": _hang, "eat": _eat, "die": die}
"""The first word of a document's name, and what it does to the process that loads it."""


def harm_of(address: str) -> str:
    return Path(address).stem.partition("-")[0]


class HarmedLoader(stages.Loader):
    """Loads documents that harm the process."""

    def __call__(self, each: Any) -> Any:
        HARMS.get(harm_of(each.address), lambda: None)()
        return super().__call__(each)


class HarmedExtractor(stages.Extractor):
    """Extracts from documents that kill the process with the model."""

    def __call__(self, group: Any) -> Any:
        if any(harm_of(each.input.address) == "fatal" for each in group):
            die()
        return super().__call__(group)


CONTENDERS: dict[str, Callable[..., None]] = {"run": run, "forward": forward, "peer": peer}

if __name__ == "__main__":
    os.sched_setaffinity(0, json.loads(sys.argv[3]))
    CONTENDERS[sys.argv[1]](**json.loads(sys.argv[2]))
