"""The numbers of list items, which Word computes and does not store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from longdoc.loaders.docx.number_styles import is_known, written
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of

_LEVELS = 9  # the number of list levels in Word


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list."""

    start: int = 1
    style: str = "decimal"
    pattern: str = ""
    """With ``%1`` in place of the number of the first level."""
    restarts_after: int | None = None
    """An item in one of this many outermost levels restarts the count; by default, in any level above."""
    is_legal: bool = False
    """Whether it shows the numbers of the levels above in decimal."""
    paragraph_style: str = ""

    @property
    def places(self) -> list[int]:
        """The levels, from 1, whose numbers the pattern shows."""
        return [place for place in range(1, 10) if f"%{place}" in self.pattern]

    def is_restarted_by(self, depth: int, own_depth: int) -> bool:
        """Whether an item at ``depth`` restarts the count of this level, whose depth is ``own_depth``."""
        return depth < (own_depth if self.restarts_after is None else self.restarts_after)


@dataclass(slots=True)
class _Definition:
    levels: dict[int, Level]
    linked_style: str


@dataclass(slots=True)
class _List:
    """A ``w:num``: a list definition with overrides."""

    definition: str
    starts: dict[int, int]
    levels: dict[int, Level]
    restarted: set[tuple[str, int]] = field(default_factory=set)
    """Stories and levels whose start override has been used; each is used once."""


class Numbering:
    """Counts the items of all lists of a document, in the order of the calls of :meth:`next`."""

    def __init__(self, root: Element | None, styled: dict[str, str] | None = None) -> None:
        """Reads the list definitions.

        Args:
            root: the root of the numbering part, if the document has one.
            styled: numbering style -> the id of its list.
        """
        self._definitions: dict[str, _Definition] = {}
        self._lists: dict[str, _List] = {}
        self._counts: dict[tuple[str, str], dict[int, int]] = {}
        """Story and definition -> level -> the last number."""
        self.unknown_styles: set[str] = set()
        """The styles of numbers that are written in decimal."""
        self._names: dict[str, str] = {}  # definition -> name
        for element in [] if root is None else children(root, "abstractnum"):
            self._names[attribute(element, "abstractNumId")] = value_of(element, "name")
            self._definitions[attribute(element, "abstractNumId")] = _Definition(
                {_depth(level): _level(level) for level in children(element, "lvl")},
                value_of(element, "numstylelink"),
            )
        for element in [] if root is None else children(root, "num"):
            self._lists[attribute(element, "numId")] = _list(element)
        resolved: dict[str, str] = {}
        for each in self._lists.values():
            self._resolve(each, styled or {}, resolved)
        self._ids: dict[str, str] = {}  # name of a definition -> the first list with it
        for list_id, each in self._lists.items():
            self._ids.setdefault(self._names.get(each.definition, ""), list_id)

    def _resolve(self, each: _List, styled: dict[str, str], resolved: dict[str, str]) -> None:
        """Follows links to numbering styles to the definition of a list; ``resolved`` has those that were followed."""
        seen: dict[str, None] = {}
        while each.definition not in seen and each.definition in self._definitions:
            if each.definition in resolved:
                each.definition = resolved[each.definition]
                break
            seen[each.definition] = None
            target = self._lists.get(styled.get(self._definitions[each.definition].linked_style, ""))
            if target is None:
                break
            each.definition = target.definition
        resolved.update(dict.fromkeys(seen, each.definition))

    def level_of_style(self, list_id: str, style: str) -> int | None:
        """The level of a list to which a paragraph style is linked; None if it is not linked."""
        found = self._lists.get(list_id)
        definition = self._definitions.get(found.definition) if found else None
        levels = definition.levels if definition else {}
        return next((depth for depth, level in levels.items() if style and level.paragraph_style == style), None)

    def id_of(self, name: str) -> str:
        """The id of a list with this name; empty if there is none."""
        return self._ids.get(name, "")

    def next(self, list_id: str, depth: int, story: str = "", *, start: int | None = None) -> str:
        """The number of the next item; empty if it shows none.

        Args:
            list_id: its ``w:numId``; lists with the same definition share their counts.
            depth: the level of the item, from 0.
            story: the story it is in; the body, the notes and the text boxes are counted separately.
            start: the number of the item, where it does not follow from the one before.
        """
        found = self._lists.get(list_id)
        definition = self._definitions.get(found.definition) if found else None
        if found is None or definition is None or depth not in definition.levels | found.levels:
            return ""
        levels = definition.levels | found.levels
        starts = {other: level.start for other, level in levels.items()} | found.starts
        counts = self._counts.setdefault((story, found.definition), {})
        for above in range(depth):  # a skipped level counts as used
            counts.setdefault(above, starts.get(above, 1))
        restarts = depth in found.starts and (story, depth) not in found.restarted
        found.restarted.add((story, depth))
        counts[depth] = counts[depth] + 1 if depth in counts and not restarts else starts[depth]
        if start is not None:
            counts[depth] = start
        for deeper in range(depth + 1, _LEVELS):
            if levels.get(deeper, Level()).is_restarted_by(depth, deeper):
                counts.pop(deeper, None)
        shown = {place - 1 for place in levels[depth].places}
        self.unknown_styles |= {levels[at].style for at in shown & levels.keys() if not is_known(levels[at].style)}
        return _bullet(levels[depth].pattern) if levels[depth].style == "bullet" else _show(depth, levels, counts)


def _show(depth: int, levels: dict[int, Level], counts: dict[int, int]) -> str:
    """The pattern of a level with its numbers filled in."""
    shown = levels[depth].pattern
    for place in levels[depth].places:
        style = levels.get(place - 1, Level()).style
        if levels[depth].is_legal and place - 1 < depth and style not in ("none", "decimalZero"):
            style = "decimal"
        shown = shown.replace(f"%{place}", written(counts.get(place - 1, 0), style))
    return " ".join(shown.split())


def _bullet(pattern: str) -> str:
    """The bullet, or "•" in place of letters and private characters, which depend on their font."""
    return pattern if re.fullmatch(r"[^\w\s\ue000-\uf8ff]", pattern) else "•"


def _list(element: Element) -> _List:
    found = _List(value_of(element, "abstractnumid"), {}, {})
    for override in children(element, "lvloverride"):
        depth = _depth(override)
        for level in children(override, "lvl"):
            found.levels[depth] = _level(level)
        if start := value_of(override, "startoverride"):
            found.starts[depth] = _number(start, 1)
    return found


def _level(element: Element) -> Level:
    pattern, style = value_of(element, "lvltext"), _style(element)
    after = value_of(element, "lvlrestart")
    return Level(
        start=_number(value_of(element, "start"), 0),
        style=style,
        pattern=pattern if style == "bullet" else " ".join(pattern.split()),
        restarts_after=_number(after, 0) if after else None,
        is_legal=is_on(element, "islgl") is True,
        paragraph_style=value_of(element, "pstyle"),
    )


def _style(level: Element) -> str:
    """The style of numbers of a level; zeros in front are a custom format, with a fallback for older programs."""
    style = next(level.iter("{*}numFmt"), None)
    if style is None:
        return "decimal"
    first = re.match(r"(0+1)\b", attribute(style, "format"))
    return f"decimal{len(first[1])}" if first else attribute(style, "val") or "decimal"


def value_of(element: Element | None, tag: str) -> str:
    """The value of a property; empty if it is missing."""
    if element is not None:
        for inner in element:
            if tag_of(inner) == tag:
                return attribute(inner, "val")
    return ""


def is_on(element: Element | None, tag: str) -> bool | None:
    """Whether an on/off property is on; None if it is missing."""
    if element is not None:
        for inner in element:
            if tag_of(inner) == tag:
                return attribute(inner, "val") not in ("0", "false", "off")
    return None


def _depth(element: Element) -> int:
    """The list level of an element, at most Word's last."""
    return min(_number(attribute(element, "ilvl"), 0), _LEVELS - 1)


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else default
