"""How far a run is, read from its folder while it goes on, after it was interrupted, or at its end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from longdoc.batch.doing import Doing, read_doing
from longdoc.batch.ledger import read_ledger
from longdoc.batch.lock import holder, is_locked
from longdoc.batch.manifest import read_manifest
from longdoc.batch.status import JOURNAL, STATES, State, Status
from longdoc.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """How far a run is, for `longdoc status`."""

    folder: Path
    started: str
    is_running: bool
    """Whether a process writes to the folder now."""
    has_ended: bool
    """Whether all documents of the last run are done; if not, and none is running, it was interrupted."""
    n_inputs: int
    n_left: int
    """The documents of the last run, and those of them that are not yet read."""
    counts: Mapping[State, int]
    """State → how many documents are in it; those of ``removed`` aside, as in the fields that follow."""
    pages: int
    tokens: int
    failures: tuple[Status, ...]
    """Those that were not read, in the order of their addresses."""
    partial: tuple[Status, ...]
    """Those that were read with gaps."""
    removed: tuple[Status, ...]
    """Documents of earlier runs that were no inputs of the last one, or had no file. Their rows stay."""
    doing: Doing | None
    """What a run that goes on has in hand, if it has begun to read."""


def read_status(folder: str | os.PathLike[str]) -> RunStatus:
    """Says how far the run in a folder is, going on or not; a line that is just being written is not counted.

    Raises:
        ConfigError: the folder holds no run.
        BatchError: its journal is damaged.
    """
    path = Path(folder)
    try:
        is_running = is_locked(path)  # asked first: a run that ends now has written all that is read below
        manifest = read_manifest(path)
        if manifest is None:
            raise ConfigError(
                f"{path}: holds no results of `longdoc extract` or `longdoc index`; give the folder that one wrote"
            )
        ledger = read_ledger(path / JOURNAL)[0]
        doing = read_doing(path, holder(path).get("pid")) if is_running else None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    entries = sorted(ledger.entries.values(), key=lambda each: each.status.address)
    statuses = [entry.status for entry in entries if not entry.is_removed]
    return RunStatus(
        folder=path,
        started=manifest["started"],
        is_running=is_running,
        has_ended=ledger.has_ended,
        n_inputs=ledger.n_inputs,
        n_left=ledger.n_left,
        counts={state: sum(each.state == state for each in statuses) for state in STATES},
        pages=sum(each.pages for each in statuses),
        tokens=sum(each.tokens for each in statuses),
        failures=tuple(each for each in statuses if not each.is_read),
        partial=tuple(each for each in statuses if each.state == "partial"),
        removed=tuple(entry.status for entry in entries if entry.is_removed),
        doing=doing,
    )
