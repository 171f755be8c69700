"""Colours of labels, for light and dark pages: those of the viewer, too, told apart by colour-blind readers, too."""

from __future__ import annotations

from collections.abc import Iterable

LIGHT = ("#0072b2", "#c04a00", "#00795a", "#a63d78", "#8a6200", "#5b48b5", "#7a4a21", "#a3202e")
"""On white."""
DARK = ("#56b0e6", "#ff8f4d", "#3ccba0", "#e69ac5", "#e8b53a", "#a99df2", "#d9a97c", "#ff8a8f")
"""On black."""


def colours(labels: Iterable[str], *, dark: bool = False) -> dict[str, str]:
    """A colour for each label, in their order; more than eight labels share them."""
    own = DARK if dark else LIGHT
    return {label: own[number % len(own)] for number, label in enumerate(dict.fromkeys(labels))}
