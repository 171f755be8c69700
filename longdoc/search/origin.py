"""What an index was made with, and where its model is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from longdoc.batch.inputs import look
from longdoc.batch.journal import is_same
from longdoc.batch.ledger import read_ledger
from longdoc.batch.manifest import read_manifest
from longdoc.batch.request import fingerprint
from longdoc.batch.status import JOURNAL
from longdoc.errors import ConfigError
from longdoc.search import caches


def is_index(folder: Path) -> bool:
    """Whether a folder holds an index, as far as one sees from outside; it may be damaged."""
    try:
        found = read_manifest(folder)
    except (ConfigError, OSError):
        return False
    return found is not None and "index" in found["settings"]


def index_manifest(folder: Path) -> dict[str, Any]:
    """What an index was made with.

    Raises:
        ConfigError: the folder holds none.
    """
    try:
        found = read_manifest(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if found is None or "index" not in found["settings"]:
        what = "holds the tables of `longdoc extract`, and no index" if found else "holds no index"
        raise ConfigError(f"{folder}: {what}; make one: longdoc index FOLDER -o INDEX")
    return found


def outdated(folder: Path, addresses: Collection[str]) -> list[str]:
    """See `longdoc.search.index.Index.outdated`."""
    entries = read_ledger(folder / JOURNAL)[0].entries
    given = [address for address in addresses if address in entries]
    return [address for address in given if not is_same(look(address), entries[address])]


def model_of(folder: Path, made_with: str, given: str | None) -> str:
    """The folder or hub id of the model that made an index.

    Args:
        folder: of the index.
        made_with: name and digest of the model, as the manifest says.
        given: where the caller says that it is.

    Raises:
        ConfigError: another model is there, or none.
    """
    name = given or caches.read_model(folder) or "default"
    try:
        found = fingerprint(name)
    except ConfigError as error:
        raise ConfigError(
            f"{folder}: was made with the model {made_with}, which is not at {name} any more ({error}); say where it "
            "is: Index(path, model='a folder')"
        ) from error
    if _digest(found) != _digest(made_with):
        raise ConfigError(
            f"{folder}: was made with the model {made_with}, and {name} is another one, {found}; say where the first "
            "is: Index(path, model='a folder'), or make an index with this one"
        )
    return name


def _digest(model: str) -> str:
    return model.rpartition("@")[2]
