"""Page numbers, in the margins or left over from another print of the document, and line numbers."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from longdoc.loaders.layout.counters import FRONT, counted_apart, is_label
from longdoc.loaders.layout.glyphs import BLOCK
from longdoc.loaders.layout.lines import Lines
from longdoc.loaders.layout.margins import MOST_ROWS, MarginLine
from longdoc.sections.numerals import roman_value

_NUMBER = re.compile(
    r"(?P<before>(?:page|pg\.?|p\.)?[\s–—|\[~-]{0,3}(?:[a-z]{1,2}\s?[–-]\s?|[a-z]\s{1,3})?)"
    r"(?P<number>\d{1,4}|(?a:(?=[ivxl])x{0,3}(?:ix|iv|l|v?i{0,3})))"  # ASCII: "ı" is no Roman number
    r"(?P<after>(?:\s*(?:of|/)\s*\d{1,4})?)[\s–—|\]~-]{0,3}",
    re.IGNORECASE,
)
_OBVIOUS = re.compile(r"(page|pg\.?)\s*\d{1,4}(\s*(of|/)\s*\d{1,4})?|[-–—]\s*\d{1,4}\s*[-–—]", re.IGNORECASE)
_STATED = re.compile(
    r"(?P<before>(?:[^\d:]{0,59}\s)?)(?:page|pg\.?)\s*(?P<number>\d{1,4})\s*(?:of|/)\s*(?P<last>\d{1,4})"
    r"(?P<after>(?:\s[^\d:]{0,59})?)",
    re.IGNORECASE,
)
"""A line such as "Page 3 of 7", and the same words before and after it; no words with facts, such as a date."""
_LONGEST = 20  # characters of a line that is a page number
_MOST_SEQUENCES = 50  # of numbers that count up, followed at a time
_FEWEST_BETWEEN = 12  # lines between the numbers of two pages
_FEWEST_LINE_NUMBERS = 8  # on a page
_PAGE_NUMBER = "page number"
_INDENT = 3.0  # heights of a line: those of a paragraph start nearer to one another
_PITCH = 1.5  # heights of a line: lines of a paragraph are nearer


def margin_numbers(margin: list[MarginLine], pages: int) -> dict[int, str]:
    """Finds the page numbers in the margins of a document.

    Args:
        margin: lines in the margins.
        pages: the number of pages.

    Returns:
        ``"page number"`` by line index, for numbers that count up with the pages and lines such as "Page 3".
    """
    sequences: dict[tuple[str, str, int], list[MarginLine]] = defaultdict(list)
    kinds = {}
    labelled = {line.at + 1 for line in margin if line.zone == "header" and is_label(line.text)}
    for line in margin:
        match = _NUMBER.fullmatch(line.text)
        if match and line.at not in labelled:
            sequences[line.zone, match["before"].casefold().strip(), _value(match["number"]) - line.page].append(line)
        if _says_page(line.text) or (pages == 1 and line.row == 0 and line.text == "1"):
            kinds[line.at] = _PAGE_NUMBER
    for sequence in sequences.values():
        if len({line.page for line in sequence}) > 1:
            kinds |= {line.at: _PAGE_NUMBER for line in sequence}
    return kinds


def own_and_other_pages(margin: list[MarginLine], lines: Lines) -> tuple[set[int], set[int]]:
    """Tells the numbers of pages from lines of the text that are only the mention of another page.

    Returns:
        Lines such as "Page 3" on page 3, or that count with the pages, but for those between lines of text; and lines
        of the text such as "page 12" in the middle of a sentence.
    """
    said = [line for line in margin if _says_page(line.text)]
    offsets = counted_apart(margin) | {1} if said else set()
    own, others = set(), set()
    for line in said:
        fits = int(re.findall(r"\d+", line.text)[0]) - line.page in offsets
        adjoining = _adjoins(lines, line.at)
        if fits and not all(adjoining):
            own.add(line.at)
        elif not fits and any(adjoining) and not line.text[0].isupper():
            others.add(line.at)
    return own, others


def _says_page(text: str) -> bool:
    """Whether a line is a page number by itself, such as "Page 3 of 7" and "- 3 -"."""
    return _OBVIOUS.fullmatch(text) is not None


def _adjoins(lines: Lines, at: int) -> list[bool]:
    """Whether the lines before and after a line are next to it, as within a paragraph."""
    box, height = lines.box, lines.height[at]
    return [
        0 <= at + step < len(lines.page)
        and bool(lines.page[at + step] == lines.page[at])
        and bool(0 < step * (box[at + step, 1] - box[at, 1]) < _PITCH * height)
        and bool(abs(box[at + step, 0] - box[at, 0]) < _INDENT * height)
        for step in (-1, 1)
    ]


def printed_numbers(lines: Lines, texts: list[str], sizes: Sequence[tuple[float, float]]) -> dict[int, str]:
    """Finds the page numbers of another print of the document, which may be anywhere on the pages of this one.

    They count up, each alone in its row, below one another across the pages, with at least a good part of a page
    between them and at most two pages: the numbers of chapters are further apart.

    Args:
        lines: the ``N`` lines of the document.
        texts: the texts of the ``N`` lines.
        sizes: width and height of each page in points.

    Returns:
        ``"page number"`` by line index.
    """
    position = lines.page + lines.box[:, 1] / np.array(sizes)[lines.page, 1]
    centre = (lines.box[:, 0] + lines.box[:, 2]) / 2
    sequences: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
    for at, text in enumerate(texts):
        match = _NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        if match is None or match["number"][0].isupper() or not _is_alone(lines, at):  # "II" is a heading
            continue
        value = _value(match["number"])
        if value - lines.page[at] > FRONT and at and is_label(texts[at - 1].strip()):
            continue
        alike = sequences[match["before"].casefold().strip()]
        for sequence in alike[-_MOST_SEQUENCES:]:
            last, before = sequence[-1]
            far = at - last >= _FEWEST_BETWEEN or position[at] - position[last] > 0.5
            near = position[at] - position[last] < 2 * (value - before) and abs(centre[at] - centre[last]) < 6
            if far and near and 1 <= value - before <= 3:
                sequence.append((at, value))
                break
        else:
            alike.append([(at, value)])
    found = [at for alike in sequences.values() for sequence in alike if len(sequence) >= 3 for at, _ in sequence]
    return dict.fromkeys(found, _PAGE_NUMBER)


def stated_numbers(lines: Lines, texts: list[str], margin: Collection[int]) -> dict[int, str]:
    """Finds lines such as "Page 3 of 7", anywhere; ``"page number"``, or ``"footer"`` if it says more, by line index.

    They are alone in their row; or at least three that count up, of the same number of pages, whatever is beside them,
    also with the same words on the line if that is not in the ``margin``: "Page 3 of 7 Confidential".
    """
    found = [(at, _STATED.fullmatch(text.strip())) for at, text in enumerate(texts)]
    series: dict[tuple[str, str, int], list[tuple[int, int]]] = defaultdict(list)
    for at, match in found:
        if match and (len(texts[at]) <= _LONGEST or at not in margin):
            words = match["before"].casefold().strip(), match["after"].casefold().strip()
            series[words[0], words[1], int(match["last"])].append((at, int(match["number"])))
    stated: dict[int, str] = {}
    for (before, after, last), own in series.items():
        counts = all(one[1] < other[1] for one, other in itertools.pairwise(own)) and own[-1][1] <= last
        running = len(own) >= 3 and counts
        alone = [at for at, _ in own if not (before or after) and _is_alone(lines, at)]
        kind = "footer" if before or after else _PAGE_NUMBER
        stated |= dict.fromkeys([at for at, _ in own] if running else alone, kind)
    return stated


def neighbours_of_numbers(numbers: list[int], lines: Lines, texts: list[str]) -> dict[int, str]:
    """Finds the headers and footers of another print: lines next to its page numbers, the same at most of them.

    Args:
        numbers: indices of the lines with page numbers.
        lines: the ``N`` lines of the document.
        texts: the texts of the ``N`` lines.

    Returns:
        ``"header"`` or ``"footer"`` by line index.
    """
    found: dict[int, str] = {}
    for step, kind in ((-1, "footer"), (1, "header")):
        edge = numbers
        for _ in range(MOST_ROWS):
            alike: dict[str, list[int]] = defaultdict(list)
            for at in edge:
                beside = at + step
                if 0 <= beside < len(texts) and _is_near(lines, at, beside) and any(map(str.isalpha, texts[beside])):
                    alike[" ".join(texts[beside].casefold().split())].append(beside)
            edge = [at for group in alike.values() if len(group) >= max(3, len(numbers) / 2) for at in group]
            found |= dict.fromkeys(edge, kind)
    return found


def _is_near(lines: Lines, one: int, other: int) -> bool:
    """Whether two lines are on the same page, a few lines apart at most."""
    distance = abs(lines.box[one, 1] - lines.box[other, 1])
    return bool(lines.page[one] == lines.page[other] and distance < 6 * lines.height[one])


def _is_alone(lines: Lines, at: int) -> bool:
    """Whether no other line of the page is at its height or close above or below it."""
    near = slice(max(at - 2, 0), at + 3)
    box = lines.box[near]
    others = (lines.page[near] == lines.page[at]) & (np.arange(near.start, near.start + len(box)) != at)
    gaps = np.maximum(box[:, 1] - lines.box[at, 3], lines.box[at, 1] - box[:, 3])[others]
    return bool((gaps > 0.3 * lines.height[at]).all())


def _value(number: str) -> int:
    """The value of an Arabic or Roman number."""
    return int(number) if number.isdigit() else roman_value(number)


def line_numbers(lines: Lines, texts: list[str]) -> dict[int, str]:
    """Finds the line numbers of transcripts: the first lines of a page, in a block of their own.

    Args:
        lines: the ``N`` lines of the document.
        texts: the texts of the ``N`` lines.

    Returns:
        ``"line number"`` by line index.
    """
    kinds: dict[int, str] = {}
    for start, end in itertools.pairwise([*np.flatnonzero(np.diff(lines.page, prepend=-1)).tolist(), len(texts)]):
        found = [*itertools.takewhile(lambda at: texts[at].isdecimal() and len(texts[at]) <= 3, range(start, end))]
        block = 1 + np.flatnonzero(lines.forced[start + 1 : end] == BLOCK)[:1].sum()
        found = found[:block]
        if len(found) >= _FEWEST_LINE_NUMBERS and len(found) == block:
            steps = np.diff([int(texts[at]) for at in found])
            kinds |= dict.fromkeys(found, "line number") if np.mean(steps == 1) >= 0.9 else {}
    return kinds
