"""How much a file may ask of the machine that reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from longdoc.errors import LimitExceededError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a loader refuses to go beyond; the defaults are far above real documents and far below a machine's memory.

    >>> Limits(pages=500).check("pages", 20, "lease.pdf")
    """

    file_bytes: int = 1 << 30
    unpacked_bytes: int = 1 << 30
    """Of one member of a zip file, of an attachment, or of everything unpacked together."""
    characters: int = 20_000_000
    pages: int = 20_000
    depth: int = 256
    """Of elements within elements, or of objects within objects."""
    pixels: int = 200_000_000
    """Of one image, and of one page drawn for OCR."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"{each.name}={value!r} is no limit; allowed: a whole number from 0")

    def check(self, name: str, value: int, document: str) -> None:
        """Refuse a document that goes beyond one of the limits.

        Raises:
            LimitExceededError: ``value`` is above the limit of that name.
        """
        allowed: int = getattr(self, name)
        if value > allowed:
            raise LimitExceededError(
                f"{document}: {name.replace('_', ' ')}: {value:,}, allowed: {allowed:,}; if you trust the file, "
                f"load(..., limits=Limits({name}={value}))"
            )
