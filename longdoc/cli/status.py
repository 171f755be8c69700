"""``longdoc status``: how far a run into a folder is, and what could not be read."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from longdoc.cli import console
from longdoc.outputs.jsonl import as_json
from longdoc.summary import count, shown

if TYPE_CHECKING:
    from longdoc.batch.doing import Doing
    from longdoc.batch.progress import RunStatus
    from longdoc.batch.status import Status

HELP = "show how far a run into a folder is, and which documents could not be read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("out", metavar="OUT", help="the folder that `longdoc extract -o OUT/` writes, or has written")
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from longdoc.batch.progress import read_status

    found = read_status(arguments.out)
    if arguments.json:
        console.write_data(as_json({**asdict(found), "folder": str(found.folder), "counts": dict(found.counts)}))
    else:
        console.say("\n".join(_lines(found)))
    if found.failures:
        return 1
    return 0 if found.is_running or found.has_ended else 3


def _lines(found: RunStatus) -> list[str]:
    state = "running" if found.is_running else "ended" if found.has_ended else "interrupted"
    left = f", {found.n_left:,} of {count(found.n_inputs, 'document')} left" if found.n_left > 0 else ""
    lines = [f"{shown(str(found.folder))}: {state}{left}; begun {shown(found.started)}"]
    if state == "interrupted":
        lines.append("run the same command again, without --overwrite, to go on")
    if found.doing is not None:
        lines.append(_doing(found.doing))
    lines += [f"  {n:>9,} {state}" for state, n in found.counts.items() if n]
    lines.append(f"  {found.pages:>9,} pages, {found.tokens:,} tokens")
    for title, statuses in (
        ("not read (--retry-failed reads them again)", found.failures),
        ("partial", found.partial),
        ("removed: no inputs of the last run, or without a file; their rows stay", found.removed),
    ):
        if statuses:
            lines += ["", f"{title}:", *(_line(each) for each in statuses)]
    return lines


def _doing(doing: Doing) -> str:
    from longdoc.cli.batch import duration

    seconds = (datetime.now(timezone.utc) - datetime.fromisoformat(doing.begun)).total_seconds()
    return (
        f"for {duration(seconds)}: {doing.started:,} of {count(doing.of, 'document')} begun, {doing.loaded:,} loaded, "
        f"{doing.read:,} read with the model; rows are written some groups at a time"
    )


def _line(status: Status) -> str:
    error = f" ({status.error})" if status.error else ""
    return f"  {shown(status.address)}: {status.state}{error}: {shown(status.reason)}"
