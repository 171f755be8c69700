"""What a redaction removed, and what its reader should know. It does not repeat the names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from longdoc.summary import count, page_ranges, searched

MISSED = "what was not found is still there: models miss names, so a person has to read the result"


def _pages(numbers: Collection[int]) -> str:
    return f"page{'s' * (len(numbers) > 1)} {page_ranges(numbers)}"


LOW = 0.6
"""Below this mean confidence of OCR, it has misread much of a page."""


def read_by_ocr(pages: Mapping[int, float]) -> str:
    """Which pages OCR read, and how sure it was.

    >>> read_by_ocr({1: 0.9, 2: 0.42, 3: 0.9})
    'read by OCR, which misreads words: pages 1–3, with a mean confidence of 74 %; low: page 2 (42 %)'
    """
    low = ", ".join(f"page {page} ({confidence:.0%})" for page, confidence in pages.items() if confidence < LOW)
    mean = sum(pages.values()) / len(pages)
    said = f"read by OCR, which misreads words: {_pages(pages)}, with a mean confidence of {mean:.0%}"
    return (said + (f"; low: {low}" if low else "")).replace("%", " %")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """A redacted file, as it was written and verified."""

    source: str
    """The name of the original."""
    labels: Mapping[str, int]
    """From how many places each label was removed: findings that overlap are one."""
    joined: int
    """Between how many of them were words of the same name, which were removed, too."""
    others: int
    """How many further places say the same as a finding, and were removed, too."""
    pages: tuple[int, ...]
    """The pages from which something was removed."""
    images: Mapping[int, str]
    """The pages that became images, and why."""
    dropped: Mapping[str, int]
    """What was removed beside the pages, and how many times."""
    unread: tuple[int, ...]
    """The pages without text that could be searched: nothing was removed from them."""
    ocr: Mapping[int, float]
    """The pages that OCR read, and its mean confidence, 0 to 1: what it misread stays."""
    read_again: bool
    """Whether OCR read the result again; the other readers see no words in pictures."""
    seen_again: int
    """How many more places OCR found when it read the result again, which were removed, too."""
    coverage: float
    """The share of the text that the model read; what it did not read may hold more."""
    short: int
    """How many texts are too short to be looked for elsewhere: removed only where they were found."""
    notices: tuple[str, ...]
    """What was not sought, or left, and why."""
    readers: Mapping[str, str]
    """What verified the file, with its version."""
    sha256: str
    """Of the redacted file."""

    @property
    def verified(self) -> str:
        """What the readers have verified."""
        return "nothing of what was found is left, on the pages and beside them"

    def _on_scans(self) -> Iterator[str]:
        """What was done on the pages that OCR read."""
        if not self.ocr:
            return
        yield read_by_ocr(self.ocr)
        painted = "there, pixels were painted over where OCR found the words"
        if self.read_again:
            yield f"{painted}; it read the result again, and finds nothing of them"
        else:
            yield f"{painted}; the readers see no words in pictures, and no OCR is installed here to verify: look there"
        if self.seen_again:
            yield f"also removed: {count(self.seen_again, 'place')} that only OCR of the result found"

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        images, ocr = ({str(page): each for page, each in own.items()} for own in (self.images, self.ocr))
        return {**asdict(self), "images": images, "ocr": ocr, "verified": self.verified, "remark": MISSED}

    def lines(self) -> list[str]:
        """The report in words."""
        found = ", ".join(f"{label}: {count(number, 'place')}" for label, number in self.labels.items() if number)
        pages = f" on {_pages(self.pages)}" if self.pages else ""
        said = [f"{self.source}: removed {found}{pages}"]
        if missing := [label for label, number in self.labels.items() if not number]:
            said.append(f"nothing was found of {', '.join(missing)}")
        if self.joined:
            said.append(f"also removed: the words between parts of {count(self.joined, 'name')} that were found apart")
        if self.others:
            said.append(f"also removed: {count(self.others, 'further place')} with the same texts")
        said += [f"page {page} is now an image: it has {reason}" for page, reason in self.images.items()]
        said += [f"removed beside the pages: {what} ({number:,})" for what, number in self.dropped.items()]
        if self.unread:
            said.append(f"not searched, since no text of it was read: {_pages(self.unread)}; look there yourself")
        said += self._on_scans()
        if self.coverage < 1:
            said.append(f"the model did not read all of the text: {searched(self.coverage)}")
        if self.short:
            what = "text was" if self.short == 1 else "texts were"
            said.append(f"{self.short} short {what} removed only where found, not looked for elsewhere")
        return [*said, *self.notices, f"verified by {', '.join(self.readers)}: {self.verified}", MISSED]
