"""Checkpoints that survive a kill at any moment: one is valid only with its marker, which is written last.

    checkpoints/
        checkpoint-200/           model, trainer_state.json, and each process's optimizer and random states
            complete.json         name and size of every file; written when every process has written its own
        checkpoint-400/
            complete.json.partial     the run was killed before every file was written
        removed-100/              a checkpoint whose deletion was interrupted

Names change by atomic renames only, so every kill leaves one of these states.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from longdoc.durable import flush, write_atomically
from longdoc.errors import ConfigError

logger = logging.getLogger(__name__)

MARKER = "complete.json"
PARTIAL = f"{MARKER}.partial"


def begin_checkpoint(folder: Path) -> None:
    """Creates the empty folder of a checkpoint that is about to be written."""
    remove_checkpoint(folder)
    folder.mkdir(parents=True)
    (folder / PARTIAL).touch()


def complete_checkpoint(folder: Path, n_processes: int) -> None:
    """Marks a checkpoint as complete; to be called when every process has written its files."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != PARTIAL]
    for path in files:
        flush(path)
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    record = json.dumps({"processes": n_processes, "files": sizes}, indent=1)
    write_atomically(folder / MARKER, record, temporary=folder / PARTIAL)


def is_complete(folder: Path) -> bool:
    """Whether a checkpoint has its marker, and every file that the marker lists has the size given there."""
    try:
        sizes = json.loads((folder / MARKER).read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint in a folder of checkpoints."""
    return next((path for path in reversed(_checkpoints(folder)) if is_complete(path)), None)


def checkpoint_to_resume(folder: Path, n_processes: int, stage: int | None = None) -> Path | None:
    """The newest complete checkpoint; logs which newer or older ones are ignored, since they are incomplete.

    Args:
        folder: the folder of checkpoints.
        n_processes: the number of processes of the run that resumes.
        stage: its stage of ZeRO, 0 without DeepSpeed; None does not check it.

    Raises:
        ConfigError: a checkpoint is from a version of longdoc that wrote no markers, or from a run with another number
            of processes, with DeepSpeed or without it, or with a stage of ZeRO that stores other files.
    """
    for path in folder.glob("removed-*"):
        shutil.rmtree(path, ignore_errors=True)
    last = last_checkpoint(folder)
    for path in _checkpoints(folder):
        if (path / "trainer_state.json").is_file() and not any((path / name).exists() for name in (MARKER, PARTIAL)):
            raise ConfigError(
                f"{path} has no {MARKER}: an earlier version of longdoc wrote it, and whether it is complete is not "
                "known; delete it to start over, or finish the run with that version"
            )
        if not is_complete(path):
            logger.warning("%s is incomplete and ignored; resuming from %s", path, last or "the start")
    if last is not None:
        if stage is not None:
            _check_stage(last, stage)
        written_by = json.loads((last / MARKER).read_text(encoding="utf-8"))["processes"]
        if written_by != n_processes:
            raise ConfigError(
                f"{last} was written by a run of {written_by} processes, and this one has {n_processes}; start "
                f"{written_by}, or choose another output"
            )
    return last


def progress_of(checkpoint: Path) -> str:
    """How far the run of a checkpoint is, for people."""
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    done, wanted = state["global_step"], state["max_steps"]
    if done < wanted:
        return f"{checkpoint}: going on after step {done} of at most {wanted}"
    return f"{checkpoint.parent} has this run, finished after {done} steps: its model is written again"


def _check_stage(checkpoint: Path, stage: int) -> None:
    """Refuses a checkpoint that a run with this stage of ZeRO cannot read; its files tell how it was written."""
    written_with = _stages_of(checkpoint)
    if stage in written_with:
        return
    names = {(0,): "without DeepSpeed", (1, 2): "with DeepSpeed, stage 1 or 2 of ZeRO", (3,): "with stage 3 of ZeRO"}
    own = "has no DeepSpeed" if stage == 0 else f"has stage {stage} of ZeRO"
    remedy = (
        "leave --deepspeed out" if written_with == (0,) else "give the --deepspeed configuration it was written with"
    )
    raise ConfigError(
        f"{checkpoint} was written {names[written_with]}, and this run {own}: {remedy}, choose another output, or "
        f"delete {checkpoint.parent} to start over"
    )


def _stages_of(checkpoint: Path) -> tuple[int, ...]:
    """The stages of ZeRO that read and write the files of a checkpoint; 0 without DeepSpeed."""
    if not any(path.is_dir() for path in checkpoint.glob("global_step*")):
        return (0,)
    is_partitioned = any(checkpoint.glob("global_step*/zero_pp_rank_*_model_states.pt"))
    return (3,) if is_partitioned else (1, 2)


def remove_others(folder: Path, kept: Collection[Path]) -> None:
    """Removes all checkpoints in a folder of checkpoints, complete or not, except those to keep."""
    for path in _checkpoints(folder):
        if path not in kept:
            remove_checkpoint(path)


def remove_checkpoint(path: Path) -> None:
    """Deletes a checkpoint if it exists; renames it first, so that a kill cannot leave a part of it in its place."""
    if path.is_dir():
        removed = path.with_name(path.name.replace("checkpoint-", "removed-"))
        if removed.exists():
            shutil.rmtree(removed, ignore_errors=True)
        with suppress(OSError):  # another process has removed it, or is about to
            path.replace(removed)
        shutil.rmtree(removed, ignore_errors=True)


def _checkpoints(folder: Path) -> list[Path]:
    """Folders of checkpoints, complete or not, oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))
