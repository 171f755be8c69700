"""Files within the folder of a model, and the JSON in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from longdoc.durable import NEW_FILES
from longdoc.errors import ConfigError
from longdoc.stored import parse

DEFAULT_MODEL = Path(__file__).parents[1] / "assets" / "default"
"""The folder of the model that is shipped with longdoc."""
MAX_BYTES = 256 << 20
"""Maximum size of a JSON file or vocabulary; the largest vocabularies in use have 35 MB."""


def file_in(folder: Path, name: str) -> Path | None:
    """The path of a file of a model folder; ``None`` if there is none.

    In a cache of the hub, whose files are links to its own ``blobs``, these links are followed, and no others that
    lead out of the folder.

    Raises:
        ConfigError: the name or a link leads out of the folder, or to no regular file; or `Model.save` was interrupted
            before it moved the file there.
    """
    path = folder / name
    try:
        real, home = path.resolve(), folder.resolve()
        is_there, is_file = real.exists(), real.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a name that no file can have
        raise ConfigError(f"{folder}: {name!r:.80} cannot be found ({error})") from error
    snapshots = [each for each in (home, *home.parents) if each.parent.name == "snapshots"]  # of the hub's cache
    homes = [home, *(each.parent.parent / "blobs" for each in snapshots)]
    missing = ", which is missing" if not is_there else ""
    if not any(map(real.is_relative_to, homes)):
        raise ConfigError(
            f"{path} leads out of the folder of the model, to {real}{missing}; put the file itself there, such as by "
            "`git annex unlock`, `dvc unprotect` or a copy"
        )
    if missing and str(real) != os.path.abspath(home / name):  # noqa: PTH100 (which follows no links)
        raise ConfigError(f"{path} is a link to {real}{missing}; fetch that file, or download the model again")
    if is_there and not is_file:
        raise ConfigError(f"{path} is no regular file; put the file itself there")
    if not is_there and (folder / NEW_FILES / name).is_file():
        raise ConfigError(
            f"{folder}: saving the model was interrupted; save it again, or move the files of {folder / NEW_FILES} "
            "into the folder"
        )
    return path if is_there else None


def is_folder(path: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        ConfigError: the system does not tell, since the name is too long or a folder above it is closed to this user.
    """
    try:
        return path.is_dir()
    except OSError as error:
        raise ConfigError(
            f"{path!s:.200}: cannot be looked at ({error.strerror or error}); give another one"
        ) from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ConfigError: it cannot be read, is too large, not valid JSON, nested too deeply, or has a key twice, NaN or
            Infinity.
    """
    try:
        size = path.stat().st_size
        text = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror or error}); change its permissions") from error
    if size > MAX_BYTES:
        raise ConfigError(f"{path} has {size:,} bytes; at most {MAX_BYTES:,} are read")
    try:
        return parse(text.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is damaged, not valid JSON ({error}); download or write it again") from error


def read_object(path: Path) -> dict[str, Any]:
    """The content of a JSON file that maps names to values.

    Raises:
        ConfigError: as for :func:`read_json`, or it contains something else.
    """
    record = read_json(path)
    if not isinstance(record, dict):
        raise ConfigError(f"{path} is damaged: it contains a {type(record).__name__}, not a mapping of settings")
    return record
