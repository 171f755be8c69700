"""What a run is: the model and the settings that all of its tables were made with, so that no others are mixed in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from longdoc.batch.lock import now
from longdoc.batch.status import MANIFEST
from longdoc.durable import write_atomically
from longdoc.errors import ConfigError
from longdoc.version import __version__

FORMAT = 1
"""The major version of the folder's layout; a folder of another one is not written to."""


def write_manifest(folder: Path, model: str, settings: Mapping[str, Any]) -> None:
    """Writes the manifest of a new run.

    Raises:
        OSError: it cannot be written.
    """
    record = {"format": FORMAT, "longdoc": __version__, "model": model, "settings": settings}
    record |= {"started": now(), "id": uuid4().hex}
    text = json.dumps(record, indent=1) + "\n"
    write_atomically(folder / MANIFEST, text, temporary=folder / f".{MANIFEST}")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of the run in a folder, whose ``id`` no other run has; None if there is none.

    Raises:
        ConfigError: it is not a manifest.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_bytes())
        types = {"format": int, "longdoc": str, "model": str, "settings": dict, "started": str}
        is_manifest = all(isinstance(record[name], kind) for name, kind in types.items())
    except (LookupError, RecursionError, TypeError, ValueError):
        is_manifest = False
    if not is_manifest:
        raise ConfigError(
            f"{path}: is damaged; start over with the command that made the folder, "
            "`longdoc extract` or `longdoc index`, and --overwrite, or give another folder"
        )
    return {"id": record["started"], **record}  # earlier versions wrote no id


def check_manifest(folder: Path, record: Mapping[str, Any], model: str, settings: Mapping[str, Any]) -> None:
    """Checks that a run may go on.

    Versions of longdoc that differ after the second number only may go on with each other's runs: they find the same
    but for what was mended, and ``longdoc_version`` in ``documents`` says which of them read a document.

    Raises:
        ConfigError: it has another model, other settings, another layout or another version; the message names them.
    """
    old = dict(_flat({name: record[name] for name in ("format", "longdoc", "model", "settings")}))
    new = dict(_flat({"format": FORMAT, "longdoc": __version__, "model": model, "settings": settings}))
    if _release(record["longdoc"]) == _release(__version__):
        del old["longdoc"], new["longdoc"]
    differences = [
        f"{key} was {old.get(key, 'not set')}, is now {new.get(key, 'not set')}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    if differences:
        raise ConfigError(
            f"{folder}: holds the results of a run with another model, other settings or another version: "
            f"{'; '.join(differences)}. Give another folder, or replace them with --overwrite"
        )


def _release(version: str) -> str:
    """The numbers of a version on which results depend: ``"0.1"`` of ``"0.1.0"`` and of ``"0.1.3.dev2"``."""
    found = re.match(r"\d+\.\d+", version)
    return found[0] if found else version


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The names and values of nested mappings, the values as JSON: ``("settings.min_score", "0.5")``."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, json.dumps(value, sort_keys=True)
