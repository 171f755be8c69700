"""Limits on the resources that reading a file may use."""

from __future__ import annotations

from dataclasses import dataclass, fields

from longdoc.errors import LimitExceededError

SECONDS = 300.0
"""What loading a document may take in a process of its own, and in a batch the model for ten pages. A thousand pages of
text load in about a minute; OCR takes some seconds a page."""
MEMORY = 10**9
"""Bytes that loading a document may use in a process of its own, beyond those of the process when it has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a loader; the defaults are far above real documents and far below a machine's memory.

    >>> Limits(pages=500).check("pages", 20, "lease.pdf")
    """

    file_bytes: int = 1 << 30
    unpacked_bytes: int = 1 << 30
    """Size of a zip member, of an attachment, or of everything unpacked together."""
    characters: int = 20_000_000
    pages: int = 20_000
    elements: int = 5_000_000
    """Elements of XML and HTML, comments included, or values of JSON."""
    depth: int = 256
    """Nesting of elements or objects."""
    pixels: int = 200_000_000
    """Pixels of one image, or of one page drawn for OCR."""
    object_bytes: int = 1 << 26
    """Size of the packed objects of a PDF, such as its page tree, once unpacked."""
    stream_bytes: int = 1 << 28
    """Size of one stream of a PDF, such as a font, once unpacked."""
    content_bytes: int = 1 << 26
    """Size of what one page of a PDF draws; what it draws repeatedly counts each time."""
    page_characters: int = 1_000_000
    """Characters that one page of a PDF draws."""
    page_objects: int = 1_000_000
    """Texts, paths and pictures that one page of a PDF draws."""
    annotations: int = 20_000
    """Links, fields and comments on one page of a PDF."""
    references: int = 200_000
    """Form fields, functions and rules of layers of a PDF, with the options and the length of values; what it refers to
    repeatedly counts each time."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{each.name}={value!r} must be a non-negative integer")

    def check(self, name: str, value: int, document: str) -> None:
        """Raises an error for a document that exceeds a limit.

        Args:
            name: the name of the limit.
            value: what the document needs.
            document: the name of the document, for the error.

        Raises:
            LimitExceededError: ``value`` is above the limit.
        """
        allowed: int = getattr(self, name)
        if value > allowed:
            raise LimitExceededError(
                f"{document}: {name.replace('_', ' ')}: {value:,}, allowed: {allowed:,}; if you trust the file, "
                f"load(..., limits=Limits({name}={value}))"
            )
