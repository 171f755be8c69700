"""Names of files and types for the documents and labels of an archive or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LONGEST = 100


@dataclass(slots=True)
class Names:
    """Names that are safe, and differ even where case does not count."""

    odd: str
    """A regular expression of the characters that become ``_``."""
    given: dict[str, str] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """The names that are taken, and the last number that was tried for another of the same."""

    def new(self, name: str) -> str:
        """A safe name of its own: a number is added to one that is taken."""
        safe = re.sub(self.odd, "_", name)[:_LONGEST] or "_"
        own, number = safe, self.taken.get(safe.lower(), 1)
        while own.lower() in self.taken:
            number += 1
            own = f"{safe}_{number}"
        self.taken |= {safe.lower(): number, own.lower(): 1}
        return own

    def of(self, name: str) -> str:
        """The safe name of a name, the same each time."""
        if name not in self.given:
            self.given[name] = self.new(name)
        return self.given[name]
