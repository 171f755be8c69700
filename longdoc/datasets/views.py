"""An annotated document as a pipeline reads it, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.datasets.examples import Example
from longdoc.document import Document


@dataclass(frozen=True, slots=True)
class View:
    """A document, whole or its first ``head`` characters and, if ``tail`` is set, the characters from ``tail`` on."""

    example: Example
    head: int | None = None
    tail: int | None = None

    @property
    def document(self) -> Document:
        """The text to read."""
        text = self.example.text
        if self.head is not None:
            text = text[: self.head] + ("" if self.tail is None else "\n" + text[self.tail :])
        return Document.from_text(text, name=self.example.id)

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """Maps a range of the view to the whole document; None if it spans the cut."""
        if self.head is None or end <= self.head:
            return start, end
        if self.tail is None or start <= self.head:
            return None
        shift = self.tail - self.head - 1
        return start + shift, end + shift
