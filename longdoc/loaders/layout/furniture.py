"""Page furniture: running headers, footers, page numbers, stamps and line numbers, found by repetition and position."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.lines import BLOCK, Lines, in_table
from longdoc.parts import Box, Furniture

Size = tuple[float, float]
"""Width and height of a page in points."""
_MARGIN = 0.14  # of the page's height, at the top and at the bottom
_MOST_CHAINS = 50  # of numbers that count up, followed at a time
_MOST_ROWS = 6  # of furniture at either end of a page
_NUMBER = re.compile(
    r"(?P<before>(?:page|pg\.?|p\.)?[\s–—|\[~-]{0,3}(?:[a-z]{1,2}[\s–-]{1,3})?)"
    r"(?P<number>\d{1,4}|(?=[ivxl])x{0,3}(?:ix|iv|l|v?i{0,3}))"
    r"(?P<after>(?:\s*(?:of|/)\s*\d{1,4})?)[\s–—|\]~-]{0,3}",
    re.IGNORECASE,
)
_OBVIOUS = re.compile(r"(page|pg\.?)\s*\d{1,4}(\s*(of|/)\s*\d{1,4})?|[-–—]\s*\d{1,4}\s*[-–—]", re.IGNORECASE)
_STATED = re.compile(r"(page|pg\.?)\s*\d{1,4}\s*(of|/)\s*\d{1,4}", re.IGNORECASE)
_STAMP = re.compile(r"source: .+\d{4}$|[A-Z]{2,8}[-_ ]?0\d{3,}$|filed .+\d{4}$|case \d.+document \d", re.IGNORECASE)
_HEADING = re.compile(r"(article|section|chapter|part|schedule|exhibit|annex|appendix|attachment)\W*\w{1,4}\W*$")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}
_SHORTEST_TURNED = 30.0  # points
_FEWEST_BETWEEN = 12  # lines between the numbers of two pages
_FEWEST_LINE_NUMBERS = 8  # on a page


@dataclass(frozen=True, slots=True)
class _Line:
    """A line in the margin of a page."""

    at: int
    page: int
    text: str
    zone: str
    row: int
    """Counted from the edge of the page, from 0."""


def find_furniture(
    lines: Lines,
    texts: list[str],
    ink: NDArray[np.int64],
    hidden: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    sizes: Sequence[Size] | None,
) -> tuple[Furniture, ...]:
    """The furniture of a document in reading order.

    Args:
        lines: of all visible glyphs.
        texts: what each of them says.
        ink: where the visible glyphs stand in the raw text.
        hidden: which glyphs a reader of the page does not see.
        numbers: the page numbers that ``Lines.page`` counts.
        sizes: of each page; None where they are not known, and then only what is hidden is furniture.
    """
    firsts, lasts = ink[lines.first], ink[lines.last] + 1
    kinds = {} if sizes is None else _kinds(lines, texts, sizes)
    kinds |= dict.fromkeys(np.flatnonzero(hidden[firsts]).tolist(), "hidden")
    return tuple(
        Furniture(
            kind=kind,
            text=texts[i],
            page=int(numbers[lines.page[i]]),
            raw_start=int(firsts[i]),
            raw_end=int(lasts[i]),
            box=Box(int(numbers[lines.page[i]]), *lines.box[i].tolist()),
        )
        for i, kind in sorted(kinds.items())
    )


def _kinds(lines: Lines, texts: list[str], sizes: Sequence[Size]) -> dict[int, str]:
    """What kind of furniture lines are, by position; the others are text."""
    margin = _margin_lines(lines, texts, sizes)
    kinds = _page_numbers(margin, lines, len(sizes)) | _repeated(margin, lines)
    cells = {*np.flatnonzero(in_table(lines)).tolist()}
    kinds = {at: kind for at, kind in kinds.items() if at not in cells}
    # Furniture goes from the edge of the page inwards: what stands beyond a line of text is text too.
    rows: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for line in margin:
        rows[line.page, line.zone, line.row].append(line.at)
    inner = {key for key, row in rows.items() if not all(at in kinds for at in row)}
    limit: dict[tuple[int, str], int] = defaultdict(lambda: _MOST_ROWS)
    for page, zone, row in inner:
        limit[page, zone] = min(limit[page, zone], row)
    kept = {line.at: kinds[line.at] for line in margin if line.at in kinds and line.row < limit[line.page, line.zone]}
    printed = _printed_numbers(lines, texts, sizes)
    printed |= _stated_numbers(lines, texts) | _beside_numbers([*printed], lines, texts)
    return printed | kept | _line_numbers(lines, texts)


def _margin_lines(lines: Lines, texts: list[str], sizes: Sequence[Size]) -> list[_Line]:
    """The outermost lines of each page that stand in its margins, row by row; turned text has a zone of its own."""
    found = []
    borders = np.searchsorted(lines.page, np.arange(len(sizes) + 1))
    across, down = (lines.box[:, 2:] - lines.box[:, :2]).T
    turned = down > np.maximum(3 * across, _SHORTEST_TURNED)
    for page, (width, height) in enumerate(sizes):
        of_page = np.arange(borders[page], borders[page + 1])
        centre = lines.box[of_page][:, ::2].mean(axis=1) / width
        beside = of_page[turned[of_page] & (np.abs(centre - 0.5) > 0.5 - _MARGIN)]
        found += [_Line(at, page, " ".join(texts[at].split()), "side", 0) for at in beside.tolist()]
        of_page = of_page[~turned[of_page]]
        middle = lines.box[of_page][:, 1::2].mean(axis=1)
        for zone, depth in (("header", middle), ("footer", height - middle)):
            row, edge = -1, -np.inf
            by_depth = np.argsort(depth, kind="stable")
            for at, from_edge in zip(of_page[by_depth].tolist(), depth[by_depth].tolist(), strict=True):
                if from_edge > _MARGIN * height:
                    break
                if from_edge > edge + 0.5 * lines.height[at]:
                    row, edge = row + 1, from_edge
                if row == _MOST_ROWS:
                    break
                found.append(_Line(at, page, " ".join(texts[at].split()), zone, row))
    return found


def _repeated(margin: list[_Line], lines: Lines) -> dict[int, str]:
    """Lines that stand at one height on several pages, the same but for a number that counts the pages."""
    alike: dict[tuple[str, str], list[_Line]] = defaultdict(list)
    for line in margin:
        for key in _keys(line) if any(map(str.isalpha, line.text)) else ():
            alike[line.zone, key].append(line)
    pages = int(lines.page[-1]) + 1
    kinds = {}
    for (zone, _), found in alike.items():
        if len(found) < 2:
            continue
        group = sorted(found, key=lambda line: lines.box[line.at, 1])
        y = lines.box[[line.at for line in group], 1]
        near = 0.5 * lines.height[group[0].at]
        enough = 2 if pages <= 4 or _STAMP.match(group[0].text) else 3
        first, last = np.searchsorted(y, y - near, "right"), np.searchsorted(y, y + near, "left")
        for line, start, end in zip(group, first.tolist(), last.tolist(), strict=True):
            if _pages_reach(enough, group[start:end]) and not (
                zone == "header" and line.page == 0 and _is_title(line, margin)
            ):
                kinds[line.at] = "stamp" if zone == "side" or _STAMP.match(line.text) else zone
    return kinds


def _pages_reach(enough: int, group: list[_Line]) -> bool:
    """Whether lines stand on so many pages."""
    pages = set()
    for line in group:
        pages.add(line.page)
        if len(pages) >= enough:
            return True
    return False


def _keys(line: _Line) -> list[str]:
    """What lines have in common that are the same, or the same but for one number that counts up with the pages."""
    text = line.text.casefold()
    if _HEADING.match(text):  # articles that start a page each count up too
        return [text]
    counts = [match for match in re.finditer(r"[0-9]+", text) if len(match[0]) <= 6]
    return [text, *(f"{text[: m.start()]}#{int(m[0]) - line.page}#{text[m.end() :]}" for m in counts[:12])]


def _is_title(line: _Line, margin: list[_Line]) -> bool:
    """Whether a header of the first page is the only place there that says so: no number, and not twice."""
    twice = sum(other.page == 0 and other.text.casefold() == line.text.casefold() for other in margin) > 1
    return not twice and not any(map(str.isdigit, line.text))


def _page_numbers(margin: list[_Line], lines: Lines, pages: int) -> dict[int, str]:
    """Lines that are numbers which count up with the pages, or that say that they are page numbers."""
    chains: dict[tuple[str, str, int], list[_Line]] = defaultdict(list)
    kinds = {}
    for line in margin:
        match = _NUMBER.fullmatch(line.text)
        if match:
            chains[line.zone, match["before"].casefold().strip(), _value(match["number"]) - line.page].append(line)
        if _OBVIOUS.fullmatch(line.text) or (pages == 1 and line.row == 0 and line.text == "1"):
            kinds[line.at] = "page number"
    for chain in chains.values():
        if len({line.page for line in chain}) > 1:
            kinds |= {line.at: "page number" for line in chain}
    return kinds


def _printed_numbers(lines: Lines, texts: list[str], sizes: Sequence[Size]) -> dict[int, str]:
    """Numbers of the pages of another print, which stand anywhere on the pages of this one.

    They count up, each alone in its row, one under the other across the pages, with a good part of a page between them
    and two pages at most: chapters are longer.
    """
    place = lines.page + lines.box[:, 1] / np.array(sizes)[lines.page, 1]
    centre = (lines.box[:, 0] + lines.box[:, 2]) / 2
    chains: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
    for at, text in enumerate(texts):
        match = _NUMBER.fullmatch(text.strip()) if len(text) <= 20 else None
        if match is None or match["number"][0].isupper() or not _alone(lines, at):  # "II" is a heading
            continue
        value = _value(match["number"])
        for chain in chains[match["before"].casefold().strip()][-_MOST_CHAINS:]:
            last, before = chain[-1]
            far = at - last >= _FEWEST_BETWEEN or place[at] - place[last] > 0.5
            near = place[at] - place[last] < 2 * (value - before) and abs(centre[at] - centre[last]) < 6
            if far and near and 1 <= value - before <= 3:
                chain.append((at, value))
                break
        else:
            chains[match["before"].casefold().strip()].append([(at, value)])
    found = [at for group in chains.values() for chain in group if len(chain) >= 3 for at, _ in chain]
    return dict.fromkeys(found, "page number")


def _stated_numbers(lines: Lines, texts: list[str]) -> dict[int, str]:
    """Lines anywhere that say which page of how many this is."""
    stated = [at for at, text in enumerate(texts) if len(text) <= 20 and _STATED.fullmatch(text.strip())]
    return {at: "page number" for at in stated if _alone(lines, at)}


def _beside_numbers(numbers: list[int], lines: Lines, texts: list[str]) -> dict[int, str]:
    """The headers and footers of another print: lines next to its page numbers that are the same at most of them."""
    found: dict[int, str] = {}
    for step, kind in ((-1, "footer"), (1, "header")):
        edge = numbers
        for _ in range(_MOST_ROWS):
            alike: dict[str, list[int]] = defaultdict(list)
            for at in edge:
                beside = at + step
                if 0 <= beside < len(texts) and _near(lines, at, beside) and any(map(str.isalpha, texts[beside])):
                    alike[" ".join(texts[beside].casefold().split())].append(beside)
            edge = [at for group in alike.values() if len(group) >= max(3, len(numbers) / 2) for at in group]
            found |= dict.fromkeys(edge, kind)
    return found


def _near(lines: Lines, one: int, other: int) -> bool:
    """Whether two lines stand on one page, a few lines apart at most."""
    apart = abs(lines.box[one, 1] - lines.box[other, 1])
    return bool(lines.page[one] == lines.page[other] and apart < 6 * lines.height[one])


def _alone(lines: Lines, at: int) -> bool:
    """Whether no other line of the page stands beside this one, and the ones around it keep their distance."""
    near = slice(max(at - 2, 0), at + 3)
    box = lines.box[near]
    others = (lines.page[near] == lines.page[at]) & (np.arange(near.start, near.start + len(box)) != at)
    gaps = np.maximum(box[:, 1] - lines.box[at, 3], lines.box[at, 1] - box[:, 3])[others]
    return bool((gaps > 0.3 * lines.height[at]).all())


def _value(number: str) -> int:
    """Of an Arabic or a Roman number."""
    if number.isdigit():
        return int(number)
    values = [_ROMAN[letter] for letter in number.lower()]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _line_numbers(lines: Lines, texts: list[str]) -> dict[int, str]:
    """The numbers of the lines of a transcript: they open a page, each a line, and a block closes them."""
    kinds: dict[int, str] = {}
    for start, end in itertools.pairwise([*np.flatnonzero(np.diff(lines.page, prepend=-1)).tolist(), len(texts)]):
        found = [*itertools.takewhile(lambda at: texts[at].isdecimal() and len(texts[at]) <= 3, range(start, end))]
        block = 1 + np.flatnonzero(lines.forced[start + 1 : end] == BLOCK)[:1].sum()
        found = found[:block]
        if len(found) >= _FEWEST_LINE_NUMBERS and len(found) == block:
            steps = np.diff([int(texts[at]) for at in found])
            kinds |= dict.fromkeys(found, "line number") if np.mean(steps == 1) >= 0.9 else {}
    return kinds
