"""The labels that a run learned from, and those that it left out: ``labels.json`` in its output folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from longdoc.durable import write_atomically
from longdoc.heads import Learnable

NAME = "labels.json"


def write_labels(output: Path, learnable: Sequence[Learnable]) -> None:
    """Writes the counts of each task's data set."""
    records = [
        {
            "files": one.files,
            "heads": list(one.heads),
            "learned": dict(one.learned.most_common()),
            "remarks": dict(one.remarks.counts),
            "left out by the configuration": dict(one.chosen.counts),
            "summary": str(one),
        }
        for one in learnable
    ]
    write_atomically(output / NAME, json.dumps(records, indent=1, ensure_ascii=False) + "\n")


def read_summary(output: Path) -> list[str]:
    """A line for each data set of a finished run; none if it did not count its labels."""
    if not (output / NAME).is_file():
        return []
    records = json.loads((output / NAME).read_text(encoding="utf-8"))
    return [str(record["summary"]) for record in records]
