"""The few properties of CSS that decide what is text: hidden, struck out, raised, on lines of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_READ = {
    *(
        "display",
        "visibility",
        "content-visibility",
        "font-size",
        "font-family",
        "font",
        "vertical-align",
        "text-decoration",
        "position",
        "top",
    ),
    *("text-decoration-line", "white-space", "page-break-before", "page-break-after", "break-before", "break-after"),
}
_HIDING = ("display", "visibility", "content-visibility", "font-size", "size")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_DECLARATION = re.compile(r"""(?:[^;"']+|"[^"]*"|'[^']*'|["'])+""")
_COMPOUND = re.compile(r"([a-z][\w-]*|\*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
_PSEUDO_ELEMENT = re.compile(r"::?(?:before|after)\s*$", re.IGNORECASE)
_STRINGS = re.compile(r"""(?<![\w-])content\s*:\s*((?:"[^"]*"|'[^']*'|[^;}"'])*)""", re.IGNORECASE)
_WORDS = re.compile(r"""["']([^"']*)["']""")
_ICON = re.compile(r"\\[0-9a-f]{1,6}\s?", re.IGNORECASE)
_CONDITIONS = re.compile(r"::?[\w-]+(?:\([^)]*(?:\)|\Z))?|\[[^\]]*(?:\]|\Z)")
"""Pseudo-classes and conditions on attributes in a selector; one that is not closed goes on to its end."""
_BRACE = re.compile(r"[{}]")
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)(?:[a-z]{1,4}|%)?")
_LENGTH = re.compile(r"(-?)(?:\d+(?:\.\d*)?|\.\d+)(?:px|pt|em|ex|rem|%)")
_INHERITED_SIZE = re.compile(r"[\d.]+(?:em|ex|ch|ic|lh|cap|%)|larger|smaller|inherit|unset|revert|revert-layer")
_FONT_SIZE = re.compile(r"(?<![^\s])(?:0|[\d.]+(?:[a-z]+|%)|larger|smaller|inherit|unset|revert)(?![^\s/!])")
"""The size in a ``font`` property."""
_FAMILIES = re.compile(
    r"(?<![\d.])[\d.]+(?:px|pt|em|rem|ex|pc|in|cm|mm|%)(?:\s?/\s?\S{1,40})? (.+)"
)  # in the value of font
_INLINE = {"span", "font", "small", "a", "b", "i", "em", "strong", "u", "big", "ins", "cite", "code"}

Properties = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Rule:
    """The declarations for elements with a tag (``"*"`` for any) and all of these classes and ids."""

    tag: str
    marks: frozenset[str]
    rank: tuple[int, int, int, int]
    properties: Properties


def without_comments(css: str) -> str:
    """A style sheet without its comments."""
    return _COMMENT.sub(" ", css)


def declarations(style: str) -> dict[str, str]:
    """The properties of a ``style`` attribute that longdoc reads; those marked important end with ``"!"``.

    ``"size"`` is the size of the letters, set by ``font`` or ``font-size``.

    >>> declarations("color: red; DISPLAY : none !important")
    {'display': 'none!'}
    """
    found: dict[str, str] = {}
    for declaration in _DECLARATION.findall(without_comments(style) if "/*" in style else style):
        name, _, raw = declaration.partition(":")
        name = name.strip().lower()
        if name not in _READ:
            continue
        value = re.sub(r" ?! ?important$", "!", " ".join(raw.lower().split()))
        _merge(found, {name: value})
        if name in ("font", "font-size"):
            size = _FONT_SIZE.search(value) if name == "font" else None
            mark = "!" if value.endswith("!") else ""
            _merge(found, {"size": value if name == "font-size" else f"{size[0] if size else 'medium'}{mark}"})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the style of an element says about its text."""

    is_hidden: bool = False
    """It is not displayed, with all that is in it."""
    is_visible: bool | None = None
    """Whether its own text is visible; None if that is inherited."""
    has_size: bool | None = None
    """Whether its letters have a size above zero; None if that is inherited."""
    is_struck: bool = False
    is_inline: bool | None = None
    """Whether it is a part of a line, or a block; None if the style says neither."""
    shift: str = ""
    """``"raised"``, ``"lowered"``, or empty for text on its line."""
    is_preformatted: bool = False
    font: str = ""
    """The families of its font; empty if the style names none."""
    breaks_before: bool = False
    """A page ends before it."""
    breaks_after: bool = False


_PLAIN = Look()


class Styles:
    """The style sheets and ``style`` attributes of a document.

    Rules for a tag, a class or an id are applied; of rules for other selectors it is only known what they might show.

    Args:
        sheets: the text of the style sheets.
        can_hide: whether they can hide text.
    """

    def __init__(self, sheets: str, *, can_hide: bool = True) -> None:
        self._can_hide = can_hide
        self.generated: list[str] = []
        """Strings that the style sheets add to the text."""
        self.has_breaks = "break" in sheets.lower()
        """Whether a page may end where a style sheet says so."""
        self._rules = _Rules()
        self._shown = _Rules()  # what a rule that cannot be followed may show
        self._sheet_cache: dict[tuple[str, frozenset[str]], tuple[Properties, bool]] = {}
        self._cache: dict[tuple[str, str, str, str], Look] = {}
        for order, (selector, body) in enumerate(_blocks(without_comments(sheets))):
            self._add(selector, body, order)

    def look(self, element: Any) -> Look:
        """What the style of an element says."""
        attributes = element.attrib
        if not attributes and not self._rules.has_tags:
            return _PLAIN
        style = attributes.get("style", "")
        if not self._rules:
            key = (element.tag if element.tag in _INLINE else "", "", "", style)
        else:
            key = (str(element.tag), attributes.get("class", ""), attributes.get("id", ""), style)
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) > 10_000:
                self._cache.clear()
                self._sheet_cache.clear()
            found = self._cache[key] = _look(key[0], self._computed(*key))
        return found

    def _add(self, selector: str, body: str, order: int) -> None:
        properties, words = declarations(body), _generated(body)
        for part in selector.split(","):
            one = part.strip()
            self._note_generated(one, words)
            if not properties or not one or _PSEUDO_ELEMENT.search(one):
                continue
            if compound := _COMPOUND.fullmatch(one):
                self._rules.add(_rule(compound, properties, order))
            elif properties.get("display", "none") != "none" or properties.get("visibility", "hidden") != "hidden":
                last = _COMPOUND.match(re.split(r"[\s>+~]+", _CONDITIONS.sub("", one))[-1])
                if last:
                    self._shown.add(_rule(last, properties, order))

    def _note_generated(self, selector: str, generated: tuple[list[str], bool]) -> None:
        """Keeps the words that a rule adds; the numbers of lists are not words."""
        words = generated[0] if len(self.generated) < 100 else []
        is_number = generated[1] and not re.search(r"\bli\b|lst-", selector)
        self.generated += words or (["numbers"] if is_number else [])

    def _computed(self, tag: str, classes: str, identifier: str, style: str) -> Properties:
        own = declarations(style)
        if not self._rules:
            return {name: value.rstrip("!") for name, value in own.items()}
        marks = {f".{each}" for each in classes.split()} | ({f"#{identifier}"} if identifier else set())
        known = frozenset(mark for mark in marks if mark in self._rules.marks or mark in self._shown.marks)
        if (tag, known) not in self._sheet_cache:
            self._sheet_cache[tag, known] = self._from_sheets(tag, known)
        properties, is_shown = self._sheet_cache[tag, known]
        result = dict(properties)
        _merge(result, own)
        if is_shown and "display" not in own and "visibility" not in own:
            result = {name: value for name, value in result.items() if name not in _HIDING[:2]}
        return {name: value.rstrip("!") for name, value in result.items()}

    def _from_sheets(self, tag: str, marks: frozenset[str]) -> tuple[Properties, bool]:
        """What the style sheets say about elements, and whether a rule that cannot be followed may show them."""
        result: dict[str, str] = {}
        for rule in sorted(self._rules.fitting(tag, marks), key=lambda rule: rule.rank):
            _merge(result, rule.properties)
        if not self._can_hide or tag in ("html", "body"):  # scripts show the whole page when it is complete
            result = {name: value for name, value in result.items() if name not in _HIDING}
        return result, any(True for _ in self._shown.fitting(tag, marks))


class _Rules:
    """Rules by the tag and one of the marks of the elements they are for; of several for the same, one."""

    def __init__(self) -> None:
        self.marks: set[str] = set()
        """All classes and ids that rules are for."""
        self.has_tags = False
        """Whether there are rules for elements without a class or an id."""
        self._by_key: dict[tuple[str, str], dict[frozenset[str], list[_Rule]]] = {}
        self._keys: dict[tuple[str, frozenset[str]], tuple[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def add(self, rule: _Rule) -> None:
        """Adds a rule."""
        self.marks |= rule.marks
        self.has_tags = self.has_tags or not rule.marks
        selector = (rule.tag, rule.marks)
        if selector not in self._keys:  # under the mark that the fewest rules are under
            keys = [(rule.tag, mark) for mark in rule.marks] or [(rule.tag, "")]
            self._keys[selector] = min(keys, key=lambda key: len(self._by_key.get(key, ())))
        rules = self._by_key.setdefault(self._keys[selector], {}).setdefault(rule.marks, [])
        rules.append(rule)
        if len(rules) > 2 * len(_READ):
            rules[:] = _without_overridden(rules)

    def fitting(self, tag: str, marks: frozenset[str]) -> Iterator[_Rule]:
        """The rules for elements with a tag and these classes and ids, in no order."""
        for each in {tag, "*"}:
            for mark in ("", *marks):
                for needed, rules in self._by_key.get((each, mark), {}).items():
                    if needed <= marks:
                        yield from rules


def _without_overridden(rules: list[_Rule]) -> list[_Rule]:
    """The rules for the same elements, in their order, without those of which others override each property."""
    last: dict[str, int] = {}
    for number, rule in enumerate(rules):
        for name, value in rule.properties.items():
            if value.endswith("!") or name not in last or not rules[last[name]].properties[name].endswith("!"):
                last[name] = number
    return [rules[number] for number in sorted(set(last.values()))]


def _generated(body: str) -> tuple[list[str], bool]:
    """The words that a rule adds to the text, and whether it adds numbers; icons are not words."""
    found = _STRINGS.search(body) if "content" in body else None
    if not found:
        return [], False
    strings = _WORDS.findall(_ICON.sub("", found[1]))
    return [each for each in strings if any(map(str.isalnum, each))], bool(re.search(r"counters?\(", found[1]))


def _look(tag: str, style: Properties) -> Look:
    if not style:
        return _PLAIN
    display = style.get("display", "")
    is_inline = display in ("inline", "inline-block", "contents", "inline-flex")
    is_block = display in ("block", "flex", "grid", "table", "list-item", "flow-root")
    return Look(
        is_hidden=display == "none" or style.get("content-visibility") == "hidden",
        is_visible={"hidden": False, "collapse": False, "visible": True, "initial": True}.get(
            style.get("visibility", "")
        ),
        has_size=_has_size(style.get("size", "")),
        is_struck=any("line-through" in style.get(name, "") for name in ("text-decoration", "text-decoration-line")),
        is_inline=is_inline if is_inline or is_block else None,
        shift=_shift(style) if tag in _INLINE else "",
        font=style.get("font-family") or (found[1] if (found := _FAMILIES.search(style.get("font", ""))) else ""),
        is_preformatted=style.get("white-space", "").startswith(("pre", "break")),
        breaks_before=_breaks(style, "before"),
        breaks_after=_breaks(style, "after"),
    )


def _has_size(size: str) -> bool | None:
    """Whether letters of this size can be seen; None if it is relative to that of the text around them."""
    if not size or _INHERITED_SIZE.fullmatch(size):
        return False if _ZERO.fullmatch(size) else None
    return not _ZERO.fullmatch(size)


def _breaks(style: Properties, side: str) -> bool:
    return any(style.get(f"{name}-{side}") in ("always", "page") for name in ("page-break", "break"))


def _shift(style: Properties) -> str:
    """Whether text is raised or lowered."""
    align = style.get("vertical-align", "")
    length = _LENGTH.fullmatch(align) if not _ZERO.fullmatch(align) else None
    is_smaller = "font-size" in style
    if style.get("position") == "relative" and is_smaller and align in ("", "baseline"):
        up = _LENGTH.fullmatch(style.get("top", ""))
        return "raised" if up and up[1] else ""
    if align == "super" or (align in ("top", "text-top") and is_smaller) or (length and not length[1]):
        return "raised"
    return "lowered" if align == "sub" or (length and length[1]) else ""


def _merge(result: dict[str, str], properties: Properties) -> None:
    """Overrides properties, except those marked important."""
    for name, value in properties.items():
        if not result.get(name, "").endswith("!") or value.endswith("!"):
            result[name] = value


def _rule(compound: re.Match[str], properties: Properties, order: int) -> _Rule:
    marks = frozenset(re.findall(r"[.#][\w-]+", compound[2]))
    tag = (compound[1] or "*").lower()
    ids = sum(mark.startswith("#") for mark in marks)
    return _Rule(tag, marks, (ids, len(marks) - ids, tag != "*", order), properties)


def _blocks(css: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The selectors and declarations of the rules for screens without conditions."""
    at, end = 0, len(css)
    while (opened := css.find("{", at)) >= 0:
        prelude = css[at:opened].rpartition(";")[2].strip()
        closed = _closing(css, opened) if prelude.startswith("@") else css.find("}", opened)
        closed = end if closed < 0 else closed
        if not prelude.startswith("@"):
            yield prelude, css[opened + 1 : closed]
        elif depth < 4 and re.fullmatch(
            r"@media\s+(?:only\s+)?(?:screen|all)(?:\s*,\s*\w+)*|@layer.*", prelude, re.IGNORECASE
        ):
            yield from _blocks(css[opened + 1 : closed], depth + 1)
        at = closed + 1


def _closing(css: str, opened: int) -> int:
    """The offset of the brace that closes the one at ``opened``; the end if none does."""
    depth = 0
    for brace in _BRACE.finditer(css, opened):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return len(css)
