"""How long the model takes for documents, as its last ones tell."""

from __future__ import annotations

_WEIGHT = 0.2
"""Of the last group, against all before it."""


class Pace:
    """How long the model takes for a document, and for a character."""

    def __init__(self) -> None:
        """Assumes a second for a document until one has been read."""
        self.seconds_each = 1.0
        self.seconds_per_character = 0.0
        """0 until a document has been read."""

    def note(self, n_documents: int, n_characters: int, seconds: float) -> None:
        """Learns how long a group of documents took."""
        self.seconds_each += _WEIGHT * (seconds / n_documents - self.seconds_each)
        weight = _WEIGHT if self.seconds_per_character else 1.0
        self.seconds_per_character += weight * (seconds / max(n_characters, 1) - self.seconds_per_character)
