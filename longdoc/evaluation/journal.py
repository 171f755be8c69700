"""What an interrupted evaluation has finished: lines of JSON beside its report, deleted when the report is complete.

Each line belongs to a part, one data set with one encoder, and has the results of some of its documents or the outcome
of all. A part's key is a digest of everything that its results depend on, so a line of other data or weights is not
used again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from longdoc.config import from_dict, to_dict
from longdoc.datasets import Example
from longdoc.errors import ConfigError
from longdoc.graphs import GraphScorer
from longdoc.metrics.results import Result
from longdoc.pipeline import Pipeline

logger = logging.getLogger(__name__)

SUFFIX = ".partial"
"""Added to the name of the report, or of the configuration if there is no report."""


class Journal:
    """The lines of an interrupted evaluation, and those that this run adds."""

    def __init__(self, path: Path) -> None:
        """Reads the lines that are there; a last line that a kill has cut short is dropped."""
        self.path = path
        self._lines: dict[str, list[dict[str, Any]]] = {}
        self._is_writable = True
        whole = list(_whole_lines(path))
        for line in whole:
            self._lines.setdefault(line["part"], []).append(line)
        if path.exists():
            beside = path.with_name(f"{path.name}.new")  # a kill here must not lose what the file keeps
            beside.unlink(missing_ok=True)
            self._write("".join(json.dumps(line) + "\n" for line in whole), beside)
            if self._is_writable:
                beside.replace(path)

    def lines(self, part: str) -> list[dict[str, Any]]:
        """What is known of a part."""
        return self._lines.get(part, [])

    def add(self, part: str, **content: Any) -> None:
        """Writes a line to the disk. If that fails, it is logged, and the evaluation goes on without."""
        line = {"part": part, **content}
        self._lines.setdefault(part, []).append(line)
        self._write(json.dumps(line) + "\n", self.path)

    def remove(self) -> None:
        """Deletes the file, as the report is complete."""
        self.path.unlink(missing_ok=True)

    def _write(self, text: str, path: Path) -> None:
        if not self._is_writable:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._is_writable = False
            logger.warning("%s cannot be written (%s): if interrupted, the evaluation starts over", self.path, error)


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("part"), str):
            yield record


def plain(result: Result) -> dict[str, Any]:
    """A result as plain values, from which :func:`restored` builds an equal one."""
    return {"type": type(result).__name__, "values": to_dict(result)}


def restored(record: Mapping[str, Any]) -> Result | None:
    """The result of a record; None if a version of longdoc with other results wrote it."""
    kinds = {kind.__name__: kind for kind in _kinds(Result)}  # type: ignore[type-abstract]
    try:
        return from_dict(kinds[record["type"]], record["values"])
    except (KeyError, TypeError, ConfigError):
        return None


def _kinds(base: type[Result]) -> Iterable[type[Result]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def digest_of_model(pipeline: Pipeline) -> str:
    """A digest of the weights, the tokenizer and the configuration of a pipeline's model, and of how it computes."""
    found = hashlib.sha256()
    if isinstance(graph := pipeline.readers[0].scorer, GraphScorer):
        for path in sorted(path for path in graph.folder.iterdir() if path.is_file()):
            found.update(path.name.encode() + path.read_bytes())
        return found.hexdigest()
    import torch  # not above: an audit checks its arguments before it waits for torch

    model, weights = pipeline.model, next(pipeline.model.parameters())
    settings = {"config": to_dict(model.config), "dtype": str(weights.dtype), "device": weights.device.type}
    found.update(json.dumps({**settings, "torch": torch.__version__}, sort_keys=True, default=str).encode())
    found.update(model.tokenizer.to_str().encode())
    for name, tensor in model.state_dict().items():
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def digest_of_data(kind: str, examples: Sequence[Example], labels: Iterable[str]) -> str:
    """A digest of labelled documents."""
    found = hashlib.sha256(f"{kind} {sorted(labels)}".encode())
    for example in examples:
        found.update(repr(example).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
