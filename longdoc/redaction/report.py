"""What a redaction removed, and what its reader should know. It does not repeat the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from longdoc.summary import count, page_ranges, searched

MISSED = "what was not found is still there: models miss names, so a person has to read the result"


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        images = {str(page): reason for page, reason in self.images.items()}
        return {**asdict(self), "images": images, "verified": self.verified, "remark": MISSED}

    def lines(self) -> list[str]:
        """The report in words."""
        found = ", ".join(f"{label}: {count(number, 'place')}" for label, number in self.labels.items() if number)
        pages = f" on the pages {page_ranges(self.pages)}" if self.pages else ""
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
            said.append(
                f"not searched, since they have no text: pages {page_ranges(self.unread)}; look at them yourself"
            )
        if self.coverage < 1:
            said.append(f"the model did not read all of the text: {searched(self.coverage)}")
        if self.short:
            what = "text was" if self.short == 1 else "texts were"
            said.append(f"{self.short} short {what} removed only where found, not looked for elsewhere")
        return [*said, *self.notices, f"verified by {', '.join(self.readers)}: {self.verified}", MISSED]
