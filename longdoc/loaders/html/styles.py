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
        self._rules: dict[str, list[_Rule]] = {}
        self._shown: list[_Rule] = []  # what a rule that cannot be followed may show
        self._cache: dict[tuple[str, str, str, str], Look] = {}
        for order, (selector, body) in enumerate(_blocks(without_comments(sheets))):
            self._add(selector, body, order)
        self._tags = any(key[0] not in ".#" for key in self._rules)

    def look(self, element: Any) -> Look:
        """What the style of an element says."""
        attributes = element.attrib
        if not attributes and not self._tags:
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
            found = self._cache[key] = _look(key[0], self._computed(*key))
        return found

    def _add(self, selector: str, body: str, order: int) -> None:
        properties = declarations(body)
        for part in selector.split(","):
            one = part.strip()
            self._note_generated(one, body)
            if _PSEUDO_ELEMENT.search(one):
                continue
            compound = _COMPOUND.fullmatch(one)
            if not properties or not one:
                continue
            if compound:
                rule = _rule(compound, properties, order)
                for key in rule.marks or {rule.tag}:
                    self._rules.setdefault(key, []).append(rule)
            elif properties.get("display", "none") != "none" or properties.get("visibility", "hidden") != "hidden":
                last = _COMPOUND.match(
                    re.split(r"[\s>+~]+", re.sub(r"::?[\w-]+(?:\([^)]*\))?|\[[^\]]*\]", "", one))[-1]
                )
                if last:
                    self._shown.append(_rule(last, properties, order))

    def _note_generated(self, selector: str, body: str) -> None:
        """Keeps the words that a rule adds; icons and list numbers are not words."""
        found = _STRINGS.search(body) if "content" in body else None
        if not found:
            return
        strings = _WORDS.findall(_ICON.sub("", found[1])) if len(self.generated) < 100 else []
        words = [string for string in strings if any(map(str.isalnum, string))]
        is_number = re.search(r"counters?\(", found[1]) and not re.search(r"\bli\b|lst-", selector)
        self.generated += words or (["numbers"] if is_number else [])

    def _computed(self, tag: str, classes: str, identifier: str, style: str) -> Properties:
        own = declarations(style)
        if not self._rules:
            return {name: value.rstrip("!") for name, value in own.items()}
        marks = {f".{each}" for each in classes.split()} | ({f"#{identifier}"} if identifier else set())
        found = {
            id(rule): rule for key in (*marks, tag, "*") for rule in self._rules.get(key, ()) if _fits(rule, tag, marks)
        }
        result: dict[str, str] = {}
        hides = self._can_hide and tag not in ("html", "body")  # scripts show the whole page when it is complete
        for rule in sorted(found.values(), key=lambda rule: rule.rank):
            _merge(result, rule.properties)
        if not hides:
            result = {name: value for name, value in result.items() if name not in _HIDING}
        _merge(result, own)
        if any(_fits(rule, tag, marks) for rule in self._shown) and "display" not in own and "visibility" not in own:
            result = {name: value for name, value in result.items() if name not in _HIDING[:2]}
        return {name: value.rstrip("!") for name, value in result.items()}


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


def _fits(rule: _Rule, tag: str, marks: set[str]) -> bool:
    return rule.tag in ("*", tag) and rule.marks <= marks


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
