r"""The numbers of fields, which Word computes and does not store: ``AUTONUM``, ``LISTNUM`` and ``SEQ``."""

from __future__ import annotations

import re

from longdoc.loaders.docx.field_codes import Code
from longdoc.loaders.docx.number_styles import written
from longdoc.loaders.docx.numbering import Numbering
from longdoc.loaders.docx.walk import OpenParagraph, Walk
from longdoc.loaders.markup.xml import Element

_OUTLINE = ("I.", "A.", "1.", "a)", "(1)", "(a)", "(i)", "(a)", "(i)")
_DEFAULT = ("1)", "a)", "i)", "(1)", "(a)", "(i)", "1.", "a.", "i.")
_STYLES = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_BODY = 10  # the level of body text, below all headings
_LEVELS = 9


class FieldNumbers:
    """Counts numbered fields, in the order of the calls."""

    def __init__(self, walk: Walk, numbering: Numbering) -> None:
        self.walk, self.numbering = walk, numbering
        self._counts: dict[tuple[str, str], dict[int, int]] = {}  # story and list -> level -> last number
        self._last: dict[str, tuple[Element | None, str]] = {}  # type of field -> its last paragraph and number
        self._list = ""  # the list of the last LISTNUM
        self._level: dict[str, int] = {}  # list -> the level of its last LISTNUM
        self._sequences: dict[str, int] = {}

    def automatic(self, code: Code) -> str:
        """The number of an AUTONUM, AUTONUMLGL or AUTONUMOUT field: one for each paragraph."""
        paragraph = self.walk.paragraph
        element, number = self._last.get(code.name, (None, ""))
        if element is None or element is not paragraph.element:
            number = self._automatic(code, paragraph)
            self._last[code.name] = paragraph.element, number
        return number

    def _automatic(self, code: Code, paragraph: OpenParagraph) -> str:
        counts = self._counts.setdefault((self.walk.story, code.name), {})
        level = paragraph.style.level or _BODY
        _count(counts, level)
        if code.name == "AUTONUMOUT":
            above = max((other for other in counts if other < level), default=0)
            return _outlined(_OUTLINE, counts[level], min(level, above + 1))
        separator = code.switches.get("s") or "."
        shown = sorted(counts) if code.name == "AUTONUMLGL" else [level]
        numbers = [written(counts[each], code.number_style) for each in shown]
        if code.number_style == "ordinalText":
            numbers = [number.lower() for number in numbers]
        return separator.join(numbers) + ("" if "e" in code.switches else separator)

    def in_list(self, code: Code) -> str | None:
        """The number of a LISTNUM field; None if it depends on what Word alone knows."""
        paragraph = self.walk.paragraph
        given = next(iter(code.arguments), "")
        numbered = paragraph.style.list_id if paragraph.style.list_id not in ("", "0") else ""
        name = given or ("" if numbered else self._list or "NumberDefault")
        level, start = _whole(code.switches.get("l")), _whole(code.switches.get("s"))
        if level is None:
            level = paragraph.depth + 2 if numbered and not given else self._level.get(name)
        if level is None and not self.walk.before.strip():
            level = 1
        if level is None or not 1 <= level <= _LEVELS:
            return None
        self._list, self._level[name] = name or self._list, level
        list_id = numbered if not name else self.numbering.id_of(name)
        if list_id:
            return self.numbering.next(list_id, level - 1, self.walk.story, start=start) or None
        counts = self._counts.setdefault((self.walk.story, name), {})
        _count(counts, level, start)
        if name == "LegalDefault":
            return "".join(f"{counts.setdefault(each, 1)}." for each in range(1, level + 1))
        patterns = {"NumberDefault": _DEFAULT, "OutlineDefault": _OUTLINE}.get(name)
        return _outlined(patterns, counts[level], level) if patterns else None

    def in_sequence(self, code: Code, result: str) -> str | None:
        r"""The number of a SEQ field; it follows the last one of its name. None if it restarts at headings.

        Args:
            code: the instruction.
            result: the stored result; empty if there is none.
        """
        name = next(iter(code.arguments), "").lower()
        count = self._sequences.get(name, 0)
        reset = _whole(code.switches.get("r"))
        is_repeated = "c" in code.switches or len(code.arguments) > 1
        count = reset if reset is not None else count + (not is_repeated)
        if (stored := _whole(result.strip())) is not None:
            count = stored
        self._sequences[name] = count
        if "s" in code.switches:
            return None
        return "" if "h" in code.switches and "*" not in code.switches else written(count, code.number_style)


def _count(counts: dict[int, int], level: int, start: int | None = None) -> None:
    """Counts an item; the deeper levels start again."""
    counts[level] = counts.get(level, 0) + 1 if start is None else start
    for deeper in [other for other in counts if other > level]:
        del counts[deeper]


def _outlined(patterns: tuple[str, ...], number: int, level: int) -> str:
    """A number in the pattern of its level, from 1."""
    pattern = patterns[min(level, _LEVELS) - 1]
    return re.sub(r"\w", lambda sign: written(number, _STYLES[sign[0]]), pattern)


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("[0-9]{1,6}", text) else None
