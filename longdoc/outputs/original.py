"""The file that a document was loaded from, for the formats that show or change its pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from longdoc.arguments import check_strings, check_type
from longdoc.errors import DataError

if TYPE_CHECKING:
    from longdoc.document import Document


@dataclass(frozen=True, slots=True)
class Original:
    """Where to find the file that a document was loaded from."""

    source: str | PathLike[str] | bytes | None = None
    """Its path or its bytes; None stands for the path that the document was loaded from."""
    password: str | None = None
    """Its password, if it is encrypted."""

    def __post_init__(self) -> None:
        check_type("source", self.source, "the path or the bytes of a file", str, PathLike, bytes, None)
        check_strings(password=self.password)

    def content(self, document: Document) -> bytes:
        """The bytes of the file.

        Raises:
            DataError: the file is not known, cannot be read, or is not the one that the document was loaded from.
        """
        name, remedy = document.source.name, "give the file that it was loaded from (`source` in Python)"
        source = document.path if self.source is None else self.source
        if source is None:
            raise DataError(f"{name}: the location of its file is not known; {remedy}")
        try:
            content = source if isinstance(source, bytes) else Path(source).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise DataError(f"{name}: {source!s} cannot be read ({error}); {remedy}") from error
        if hashlib.sha256(content).hexdigest() != document.source.sha256:
            given = "the bytes given as `source`" if isinstance(source, bytes) else str(source)
            raise DataError(f"{name}: {given} does not have the document's SHA-256; {remedy}")
        return content
