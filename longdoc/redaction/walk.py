"""What is found on a walk through the content of a page, by number, and what is then left out of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from longdoc.pdf_files import Bounds
from longdoc.redaction.fonts import Font
from longdoc.redaction.matrices import IDENTITY, Matrix
from longdoc.redaction.text_state import Glyph


@dataclass(frozen=True, slots=True)
class Paint:
    """A picture or a path, in the coordinates of the page's content."""

    kind: str
    """``"image"``, ``"inline image"``, ``"path"``, or ``"clip"`` for a path that what follows is cut by."""
    bounds: Bounds
    matrix: Matrix = IDENTITY
    """Of an image: of its unit square."""
    image: Any = None
    is_outline: bool = False
    """Whether it is a path with curves or many lines, which may be the outline of letters."""
    pieces: tuple[Bounds, ...] = ()
    """The parts of a path that has several."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is left out of a page, by the numbers of a walk."""

    glyphs: Collection[int] = frozenset()
    shifts: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Glyphs that are moved, in the coordinates of the page's content."""
    paints: Collection[int] = frozenset()
    images: Mapping[int, Any] = field(default_factory=dict)
    """Images that are replaced."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pages of a file share."""

    hidden: Collection[tuple[int, int]] = frozenset()
    """The numbers of the layers that are not shown."""
    fonts: dict[tuple[int, int], Font | None] = field(default_factory=dict)
    """Those that were read, by their numbers."""
    seen: dict[tuple[int, int], Any] = field(default_factory=dict)
    """The forms and images that the pages drew, by their numbers."""
    kept: set[tuple[int, int]] = field(default_factory=set)
    """The numbers of those that a page still draws as they were."""
    changed: dict[tuple[int, int], Any] = field(default_factory=dict)
    """What a page draws in the place of others, by the numbers of these."""

    def clear(self) -> set[tuple[int, int]]:
        """Changes the forms and images that no page draws any more as they were, since others may refer to them.

        Returns:
            The numbers of those that are empty now: no page draws them at all.
        """
        emptied = set()
        for number, own in self.seen.items():
            if number in self.kept:
                continue
            new = self.changed.get(number)
            own.write(b"" if new is None else new.read_raw_bytes())
            for key in [key for key in own.keys() if key != "/Length"]:  # noqa: SIM118 (a dictionary of PDF)
                del own[key]
            if new is None:
                emptied.add(number)
            else:
                for key, value in new.items():
                    if key != "/Length":
                        own[key] = value
        return emptied


class UnsafeContentError(Exception):
    """A page whose content is not understood well enough to be changed; the message says why."""


class Walk:
    """What a walk through the content of a page finds.

    Args:
        pdf: the ``pikepdf.Pdf``.
        file: what all pages share.
        changes: what is left out, and with it what hidden layers draw; without, nothing is written.
    """

    def __init__(self, pdf: Any, file: Shared, changes: Changes | None = None) -> None:
        self.glyphs: list[Glyph] = []
        self.paints: list[Paint] = []
        self.unsafe: list[str] = []
        """Why the content is not understood well enough."""
        self.has_hidden = False
        """Whether it draws in layers that are not shown, or says in words what it draws."""
        self.pdf, self.file, self.changes = pdf, file, changes
        self.n_instructions = 0

    def note(self, own: Any, *, is_kept: bool, new: Any = None) -> None:
        """Notes a form or image that is drawn, with its masks: whether it is kept as it was, or what replaces it."""
        for each, other in ((own, new), *((own.get(key), new and new.get(key)) for key in ("/SMask", "/Mask"))):
            if hasattr(each, "read_raw_bytes"):
                self.file.seen[each.objgen] = each
                if is_kept and self.changes is not None:
                    self.file.kept.add(each.objgen)
                if hasattr(other, "read_raw_bytes"):
                    self.file.changed[each.objgen] = other


def entries(own: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """The entries of a dictionary or stream, to be copied: not those that are null, or say how a stream is packed."""
    left_out = {"/Length", "/Filter", "/DecodeParms", *without}
    return {key: value for key, value in own.items() if key not in left_out and value is not None}
