"""What of an HTML file is not running text: elements that are not displayed, descriptions, and what is elsewhere."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from longdoc.document import FormField
from longdoc.loaders.html.styles import Look, Styles
from longdoc.loaders.markup.builder import Builder

_NEVER_SHOWN = {"template": "hidden", "noscript": "hidden", "datalist": "hidden", "noembed": "alternative"}
_FALLBACKS = ("canvas", "video", "audio")
"""Elements whose content is shown by old browsers only."""
_DELETED = ("del", "s", "strike")
_SPECIAL = {*_NEVER_SHOWN, *_FALLBACKS, *"script style title desc metadata noframes dialog ix:header ix:hidden".split()}
"""Elements that are left out whatever their attributes are."""
_ELSEWHERE = {"iframe": "src", "frame": "src", "embed": "src", "object": "data", "portal": "src"}
"""Elements that show another file."""
_DESCRIPTIONS = {"alt", "title", "aria-label", "aria-description", "placeholder", "summary", "label"}
_WRITES_TEXT = re.compile(
    r"document\.write|innerHTML|outerHTML|insertAdjacent|innerText|textContent|createTextNode|createApp|\.render\("
)
_REFRESH = re.compile(r"\d*\s*[;,]\s*url\s*=\s*['\"]?([^'\"\s]+)", re.IGNORECASE)
_MANY_PICTURES = 300  # characters of text per picture; with less, the pictures may be the pages
_SHOWN = 3


def kind_left_out(element: Any, look: Look) -> str:
    """The kind of furniture that an element is, "markup" if it has no text at all; empty for running text."""
    tag = element.tag
    if look.is_struck or tag in _DELETED:
        return "deleted"
    if tag not in _SPECIAL and not element.attrib:
        return "hidden" if look.is_hidden else ""
    if tag in ("script", "style") or (tag == "title" and _parent(element) in ("head", "html", "")):
        return "markup"
    if tag == "template":
        return "" if element.get("shadowrootmode") else "hidden"
    if tag in _NEVER_SHOWN:
        return _NEVER_SHOWN[tag]
    if tag in ("title", "desc", "metadata"):
        return "description" if _parent(element) not in ("body", "div", "p") else "hidden"
    if tag in _FALLBACKS or (tag == "noframes" and _has_body(element)) or _is_drawn_formula(element):
        return "alternative"
    is_closed = tag == "dialog" and element.get("open") is None
    is_hidden = tag in ("ix:header", "ix:hidden") or element.get("hidden") is not None or is_closed
    return "hidden" if is_hidden or look.is_hidden else ""


def write_descriptions(builder: Builder, element: Any, *, inside: bool = False) -> None:
    """Records the texts that describe an element, such as ``alt``, as furniture.

    Args:
        builder: what they are written to.
        element: the element.
        inside: whether to describe the elements in it as well.
    """
    for each in element.iter(etree.Element) if inside else (element,):
        if not each.attrib:
            continue
        texts = {value.strip(): None for name, value in each.attrib.items() if name in _DESCRIPTIONS}
        if each.tag in ("progress", "meter"):
            texts[each.get("value", "")] = None
        if inside and each.tag == "option":
            texts[each.get("value", "").strip()] = None
        for text in filter(None, texts):
            if text != " ".join((each.text or "").split()):
                builder.drop(f" {text} ", "description")


class Notes:
    """Collects the fields of a document, what it shows from elsewhere, and what displaying it adds to its text."""

    def __init__(self) -> None:
        self.fields: list[FormField] = []
        self._elsewhere: list[str] = []
        self._pictures = 0
        self._formulas = 0

    def add(self, element: Any) -> None:
        """Notes an element that shows another file, or a picture."""
        name = _ELSEWHERE.get(element.tag)
        if name and (uri := element.get(name, "").strip()) and not uri.startswith(("about:", "javascript:", "#")):
            tiny = any(element.get(side, "").strip() in ("0", "1") for side in ("width", "height"))
            self._elsewhere += [] if tiny else [f"{element.tag} {_short(uri)}"]
        self._formulas += element.tag == "span" and element.get("class", "") == "katex-html"
        if element.tag in ("img", "svg") and not element.get("alt", "").strip():
            self._pictures += all(
                not re.fullmatch(r"\d{1,2}", element.get(side, "").strip()) for side in ("width", "height")
            )

    def warnings(self, roots: list[Any], styles: Styles, length: int) -> list[str]:
        """Warnings about what is not in the text.

        Args:
            roots: the trees of the file.
            styles: its style sheets.
            length: the number of characters of text.
        """
        scripts = [each for root in roots for each in root.iter("script") if _runs(each)]
        writers = [each for each in scripts if _WRITES_TEXT.search(each.text or "")]
        refresh = [
            match[1]
            for root in roots
            for each in root.iter("meta")
            if each.get("http-equiv", "").lower() == "refresh" and (match := _REFRESH.match(each.get("content", "")))
        ]
        found: list[str] = []
        if self._elsewhere:
            found.append(
                f"shown from other files, which are not read: {named(self._elsewhere)}; load them by themselves"
            )
        if styles.generated:
            found.append(f"style sheets add text that is not read: {named(list(dict.fromkeys(styles.generated)))}")
        if writers or (scripts and length < 200):
            found.append("scripts are not run: text that they write is not read; save the page from a browser")
        if self._formulas:
            found.append(f"{self._formulas} formula(s) drawn without MathML: fractions in them may be misread")
        if refresh:
            found.append(f"the page forwards to {_short(refresh[0])}, which is not read")
        if self._pictures and length < _MANY_PICTURES * self._pictures:
            found.append(f"{self._pictures} picture(s) without a description: text in them is not read")
        return found


def counts_not_read(roots: list[Any], comments: int) -> str:
    """The scripts, style sheets and comments of a file, such as ``"2 scripts, 1 comment"``; empty if there are none."""
    counts = {tag: sum(1 for root in roots for _ in root.iter(tag)) for tag in ("script", "style")}
    names = {"script": counts["script"], "style sheet": counts["style"], "comment": comments}
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in names.items() if count)


def _parent(element: Any) -> str:
    parent = element.getparent()
    return "" if parent is None else str(parent.tag)


def _has_body(element: Any) -> bool:
    """Whether the document shows more than frames."""
    return not any(True for _ in element.getroottree().getroot().iter("frameset"))


def _is_drawn_formula(element: Any) -> bool:
    """Whether it is the picture of a formula that stands beside it as MathML or TeX."""
    names = element.get("class", "").split()
    if "katex-html" in names:
        return any(map(_is_mathml, (element.getprevious(), element.getnext())))
    if "MathJax_Preview" in names:
        after = element.getnext()
        return after is not None and (after.tag == "script" or "MathJax" in after.get("class", ""))
    if "MathJax" in names or element.tag == "mjx-container":
        after = element.getnext()
        return after is not None and after.tag == "script" and "math/" in after.get("type", "")
    return False


def _is_mathml(element: Any) -> bool:
    return element is not None and (element.tag == "math" or "katex-mathml" in element.get("class", "").split())


def _runs(script: Any) -> bool:
    """Whether a script is run, rather than data."""
    return bool(
        re.fullmatch(
            r"|module|(?:text|application)/(?:x-)?(?:java|ecma|j)script.*", script.get("type", "").strip().lower()
        )
    )


def _short(uri: str) -> str:
    return uri if len(uri) <= 60 else f"{uri[:60]} …"


def named(names: list[str]) -> str:
    """The first of several names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(_short(name) for name in names[:_SHOWN]) + more
