"""The files of a model in a folder or on the hub, downloaded one by one. Imports no torch."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from huggingface_hub import _CACHED_NO_EXIST, constants, get_session, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from longdoc.errors import ConfigError, first_line
from longdoc.model_files.files import file_in, is_folder, read_json
from longdoc.model_files.foreign import FOREIGN_FILES, in_folder, in_place_of_weights


@dataclass(frozen=True, slots=True)
class RepositoryFiles:
    """A folder with a model, or a model repository on the hub."""

    name: str
    """Path of the folder, or the model's hub id."""
    revision: str | None = None
    """Branch, tag or commit on the hub; its default branch if not given. Folders have none."""
    cache_dir: str | None = None
    """Folder for downloads; the hub's own cache if not given."""

    def file(self, name: str) -> Path | None:
        """The path of a file, downloaded if necessary; ``None`` if the repository has no such file.

        Raises:
            ConfigError: the hub cannot be reached, so that the file may or may not exist; or the file is elsewhere.
        """
        if is_folder(Path(self.name)):
            return file_in(Path(self.name), name)
        if name.startswith("/") or {"..", "\\"} & {*name.split("/"), *name}:
            raise ConfigError(f"{self.name} names a file outside of its repository, {name!r:.80}")
        silence = self._silence()
        try:
            return Path(hf_hub_download(self.name, name, local_files_only=bool(silence), **self._options()))
        except LocalEntryNotFoundError as error:  # neither cached nor reachable
            if try_to_load_from_cache(self.name, name, **self._options()) is _CACHED_NO_EXIST:
                return None
            raise ConfigError(self._not_told(name, silence or first_line(error))) from error
        except EntryNotFoundError:
            return None
        except RevisionNotFoundError as error:
            raise ConfigError(
                f"{self.name} has no revision {self.revision!r} on the hub; give a branch, a tag or a commit of it, or "
                "none for its default branch"
            ) from error
        except GatedRepoError as error:  # a RepositoryNotFoundError, too
            raise ConfigError(
                f"{self.name} is for those who were granted access: ask for it on {constants.ENDPOINT}/{self.name}, "
                "then log in (hf auth login)"
            ) from error
        except RepositoryNotFoundError as error:
            raise ConfigError(
                self._not_told(name, "it has no such model, or a private one; check its name, or log in: hf auth login")
            ) from error
        except (HfHubHTTPError, OSError, ValueError) as error:  # ValueError: the name is no hub id
            raise ConfigError(self._not_told(name, first_line(error))) from error

    def _silence(self) -> str:
        """Why the hub does not answer, and what to do, or nothing if it answers; asked once in a while."""
        return _silence_of_hub(constants.ENDPOINT, int(time.monotonic() / _ASKED_AGAIN))

    def _not_told(self, name: str, cause: str) -> str:
        """The message for a file that the hub may or may not have."""
        at = "" if self.revision is None else f", revision {self.revision!r},"
        return f"cannot ask the hub whether {self.name}{at} has a {name}: {cause}"

    def files(self, names: Iterable[str]) -> dict[str, Path]:
        """Those of the files that there are; of a model on the hub that cannot be reached, those that are cached.

        Raises:
            ConfigError: a file in a folder is elsewhere, or one on the hub, which answers, cannot be downloaded.
        """
        found: dict[str, Path] = {}
        for name in names:
            try:
                path = self.file(name)
            except ConfigError as error:
                if not isinstance(error.__cause__, LocalEntryNotFoundError) or not self._silence():
                    raise
                continue  # offline and not cached, so the model was used without it
            found |= {} if path is None else {name: path}
        return found

    def json(self, name: str) -> Any:
        """The content of a JSON file; ``None`` if the repository has no such file.

        Raises:
            ConfigError: the file is not valid JSON, or the hub cannot be reached.
        """
        path = self.file(name)
        return None if path is None else read_json(path)

    def config_file(self) -> Path:
        """The path of ``config.json``, which every model has.

        Raises:
            ConfigError: there is no such folder or hub model.
        """
        cause: Exception | None = None
        try:
            path = self.file("config.json")
        except ConfigError as error:
            if isinstance(error.__cause__, (RevisionNotFoundError, GatedRepoError)):
                raise
            if isinstance(error.__cause__, HFValidationError):  # the name can only be that of a folder
                raise ConfigError(
                    f"{self.name}: there is no such folder; give one with a model, or the name of a model on the hub, "
                    "OWNER/NAME"
                ) from error
            path, cause = None, error
        if path is None:
            found = self.in_place_of_weights() if cause is None else ""
            raise ConfigError(
                f"{self.name} is neither a folder with a model nor a model on the hub that can be reached from here: "
                f"{cause or 'there is no config.json'}{found and f'; {found}'}"
            ) from cause
        return path

    def pinned(self, file: Path) -> RepositoryFiles:
        """The same repository at the commit that one of its files was downloaded from; a folder as it is."""
        return self if is_folder(Path(self.name)) else replace(self, revision=file.parent.name)

    def in_place_of_weights(self) -> str:
        """What there is in place of weights that are read, and what to do; empty if nothing is known."""
        if is_folder(Path(self.name)):
            return in_folder(Path(self.name))
        found = self.files(FOREIGN_FILES)
        return in_place_of_weights([*found], found.get("adapter_config.json"))

    def _options(self) -> dict[str, Any]:
        """The keyword arguments for the hub that were given."""
        given = {"revision": self.revision, "cache_dir": self.cache_dir}
        return {name: value for name, value in given.items() if value is not None}


_PATIENCE = 2.0
"""Seconds that the hub may take to answer at all, before the cache alone is looked at."""
_ASKED_AGAIN = 60
"""Seconds after which a hub that did not answer, or did, is asked again."""


@lru_cache(maxsize=1)
def _silence_of_hub(endpoint: str, period: int) -> str:
    """Why the hub does not answer, and what to do, or nothing if it answers; ``period`` counts how often it is asked.

    Without this, each file is asked for six times in half a minute.
    """
    try:
        get_session().head(endpoint, timeout=_PATIENCE)
    except Exception as error:  # of the HTTP library, which depends on the version of huggingface_hub
        return (
            f"{endpoint} does not answer from here ({first_line(error)}), and the file is not in the cache; connect to "
            "the network, or download the model elsewhere (hf download NAME --local-dir FOLDER) and give that folder"
        )
    return ""
