"""Given → Loaded: in processes of their own, since a document may crash, hang or fill the one that parses it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from stat import S_ISREG

from longdoc.document_type import document_type
from longdoc.errors import DocumentNotFoundError, UnsupportedFormatError
from longdoc.loaders import Limits, load
from longdoc.loaders.detect import FORMATS, kind_of, supported
from longdoc.serve.problems import PathError, TooLargeError

_PROTOCOL = 5
_KIND_OF_TYPE = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
"""Media types that leave no doubt. Of texts, programs that send them know little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A document as a request gives it."""

    name: str
    """The name of the file, or its path as it was given."""
    data: bytes = field(default=b"", repr=False)
    """What was uploaded."""
    path: Path | None = None
    """The file below the root to read instead."""
    media_type: str = ""
    """What the sender declares it to be; empty if nothing."""
    password: str | None = field(default=None, repr=False)
    ocr: str = "auto"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that was loaded."""

    document: bytes = field(repr=False)
    """Pickled: it passes through the server, which need not know what is in it."""
    pages: int
    characters: int


class Loader:
    """Given → Loaded."""

    def __init__(self, max_bytes: int) -> None:
        """``max_bytes``: the size of a document."""
        self._limits = Limits(file_bytes=max_bytes)

    def __call__(self, given: Given) -> Loaded:
        """Loads a document.

        Raises:
            DocumentError: it cannot be read.
            ConfigError: ``ocr`` is no language.
        """
        data = given.data if given.path is None else self._content(given.path, given.name)
        check_media_type(data, given)
        content = BytesIO(data)
        content.name = given.name
        document = load(content, password=given.password, ocr=given.ocr, limits=self._limits)
        document_type(document)  # kept with the document, so that the model need not wait for it
        return Loaded(pickle.dumps(document, _PROTOCOL), len(document.pages), len(document.text))

    def _content(self, path: Path, name: str) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(self._limits.file_bytes + 1)
        except OSError as error:
            raise DocumentNotFoundError(f"{name}: cannot be read ({error.strerror}); change its permissions") from error


def check_media_type(data: bytes, given: Given) -> None:
    """Checks that a document is what its sender declares it to be, where that leaves no doubt.

    Raises:
        UnsupportedFormatError: it is not, or of no known format.
        CorruptDocumentError: its content is not of the format that its suffix names.
    """
    declared = given.media_type.partition(";")[0].strip().lower()
    expected = "image" if declared.startswith("image/") else _KIND_OF_TYPE.get(declared)
    if data and expected is not None and (kind := kind_of(data, given.name)) != expected:
        raise UnsupportedFormatError(
            f"{given.name}: is declared as {declared}, but its content is {FORMATS[kind].description}; send it with "
            f"its own type, or with none. {supported()}"
        )


def file_below(root: Path | None, path: str, max_bytes: int) -> Path:
    """The file that a request names.

    Args:
        root: the folder below which it must be; links are followed before that is decided.
        path: relative to the root.
        max_bytes: the size of a document.

    Raises:
        PathError: it is elsewhere, or there is no root.
        DocumentNotFoundError: there is no such file.
        TooLargeError: it is too large.
    """
    if root is None:
        raise PathError("this server reads no files by their paths; upload the document as the field file")
    missing = DocumentNotFoundError(f"{path:.300}: there is no such file below the root; give the path of one")
    try:
        found = (root / path).resolve()
        if Path(path).is_absolute() or not found.is_relative_to(root):
            raise PathError(
                f"{path:.300}: is not below the root; give a path relative to it, that leads to a file in it"
            )
        details = found.stat()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle; ValueError: a NUL
        raise missing from error
    if not S_ISREG(details.st_mode):  # such as a folder, or a pipe that never ends
        raise missing
    check_size(path, details.st_size, max_bytes)
    return found


def check_size(name: str, size: int, max_bytes: int) -> None:
    """Checks the size of a document in bytes.

    Raises:
        TooLargeError: it is too large.
    """
    if size > max_bytes:
        raise TooLargeError(
            f"{name}: {size:,} bytes, allowed: {max_bytes:,}; send a smaller document, or start the server with "
            "another --max-bytes"
        )
