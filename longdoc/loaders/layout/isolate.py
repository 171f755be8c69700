"""A failure of one part of a document, such as a table or a link, costs that part and not the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from longdoc.errors import LongdocError, first_line

T = TypeVar("T")


def attempt(part: str, read: Callable[[], T], otherwise: T, warnings: list[str]) -> T:
    """Reads a part; if it fails, the document goes on without it and with a warning.

    Args:
        part: what is read, and on which page; the warning starts with it.
        read: reads it, with libraries that may raise anything on damaged content.
        otherwise: the result if it fails.
        warnings: a warning is added to it.

    Raises:
        LongdocError: the document cannot or must not be read further, such as beyond a limit.

    >>> warnings = []
    >>> attempt("links of page 3", lambda: [][0], (), warnings), warnings
    ((), ['links of page 3 could not be read: IndexError: list index out of range'])
    """
    try:
        return read()
    except (LongdocError, MemoryError):
        raise
    except Exception as error:  # the libraries that read a part raise almost anything on damaged content
        warnings.append(f"{part} could not be read: {type(error).__name__}: {first_line(error)}")
        return otherwise
