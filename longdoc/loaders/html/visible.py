"""Which text of HTML is visible, where elements show text again within elements that hide theirs."""

from __future__ import annotations

from typing import Any

from lxml import etree

from longdoc.loaders.html.styles import Look, Styles

_OWN_SIZE = {"input", "select", "textarea", "button", "iframe"}
"""Elements whose letters have a size of their own, whatever is around them."""

_SHOWN = (True, True)


class Visibility:
    """Follows ``visibility`` and ``font-size`` down the tree: both are inherited, and can be set again further in.

    Args:
        root: the root of the tree.
        styles: its style sheets.
    """

    def __init__(self, root: Any, styles: Styles) -> None:
        self._root, self._styles = root, styles
        self._states = [_SHOWN]  # of the current element and those around it: is visible, has a size
        self.is_hidden = False
        """Whether text directly in the current element is hidden."""
        self._around: tuple[set[Any], set[Any]] | None = None
        doctype = str(root.getroottree().docinfo.doctype)
        # Browsers in quirks mode let tables inherit no size; the parser adds this type where there is none.
        self._own_size = {*_OWN_SIZE, "table"} if "HTML 4.0 Transitional" in doctype else _OWN_SIZE

    def enter(self, element: Any, look: Look) -> None:
        """Makes an element the current one."""
        state, is_visible, has_size = self._states[-1], look.is_visible, look.has_size
        if self.is_hidden or is_visible is False or has_size is False:
            has_size = self._has_size(element, look)
            state = (state[0] if is_visible is None else is_visible, state[1] if has_size is None else has_size)
            self.is_hidden = not all(state)
        self._states.append(state)

    def leave(self) -> None:
        """Makes the element around the current one the current one."""
        self._states.pop()
        if self.is_hidden or self._states[-1] != _SHOWN:
            self.is_hidden = not all(self._states[-1])

    def shows_nothing(self, element: Any) -> bool:
        """Whether the current element, which is hidden, is hidden with all that is in it."""
        if self._around is None:
            self._around = self._find_around()
        return any(not on and element not in around for on, around in zip(self._states[-1], self._around, strict=True))

    def _has_size(self, element: Any, look: Look) -> bool | None:
        if look.has_size is None and (element.tag in self._own_size or (element.tag == "font" and element.get("size"))):
            return True
        return look.has_size

    def _find_around(self) -> tuple[set[Any], set[Any]]:
        """The elements around those that make text visible again, and around those that set a size."""
        found: tuple[set[Any], set[Any]] = (set(), set())
        for element in self._root.iter(etree.Element):
            look = self._styles.look(element)
            for shows, around in zip((look.is_visible, self._has_size(element, look)), found, strict=True):
                outer = element.getparent() if shows else None
                while outer is not None and outer not in around:
                    around.add(outer)
                    outer = outer.getparent()
        return found
