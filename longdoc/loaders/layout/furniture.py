"""Page furniture: running headers, footers, page numbers, stamps and line numbers, found by repetition and position."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.counters import counted_apart, numbered
from longdoc.loaders.layout.facts import said_once
from longdoc.loaders.layout.lines import Lines, in_table
from longdoc.loaders.layout.margins import MOST_ROWS, MarginLine, margin_lines
from longdoc.loaders.layout.page_numbers import (
    line_numbers,
    margin_numbers,
    neighbours_of_numbers,
    own_and_other_pages,
    printed_numbers,
    stated_numbers,
)
from longdoc.parts import Box, Furniture

_STAMP = re.compile(r"source: .+\d{4}$|[A-Z]{2,8}[-_ ]?0\d{3,}$|filed .+\d{4}$|case \d.+document \d", re.IGNORECASE)


def find_furniture(
    lines: Lines,
    texts: list[str],
    ink: NDArray[np.int64],
    hidden: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    sizes: Sequence[tuple[float, float]] | None,
) -> tuple[Furniture, ...]:
    """Finds the furniture of a document, in reading order.

    Args:
        lines: the ``N`` lines of the document.
        texts: the texts of the ``N`` lines.
        ink: positions of the ``V`` visible glyphs in the raw text of ``G`` characters; shape ``(V,)``.
        hidden: which characters a reader of the page does not see; shape ``(G,)``.
        numbers: number of each of the ``P`` pages; shape ``(P,)``.
        sizes: width and height of each page in points; without them only hidden text is furniture.
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


def _kinds(lines: Lines, texts: list[str], sizes: Sequence[tuple[float, float]]) -> dict[int, str]:
    """The kind of furniture of the lines that are furniture, by index."""
    margin = margin_lines(lines, texts, sizes)
    repeated, rests = _repeated(margin, lines)
    kinds = margin_numbers(margin, len(sizes)) | repeated
    cells = {*np.flatnonzero(in_table(lines)).tolist()}
    own, others = own_and_other_pages(margin, lines)
    kinds = _beyond_text({at: kind for at, kind in kinds.items() if at not in cells | others}, margin, own)
    facts = said_once(kinds, rests, margin, lines, texts)
    kinds = {at: kind for at, kind in kinds.items() if at not in facts}
    printed = printed_numbers(lines, texts, sizes)
    outer = {line.at for line in margin}
    stated = stated_numbers(lines, texts, outer)
    inner = [at for at in stated if at not in printed and at not in outer]
    beside = neighbours_of_numbers([*printed], lines, texts) | neighbours_of_numbers(inner, lines, texts)
    anywhere = printed | stated | beside
    return anywhere | kinds | line_numbers(lines, texts)


def _beyond_text(kinds: dict[int, str], margin: list[MarginLine], own: set[int]) -> dict[int, str]:
    """The furniture between the edge of its page and the outermost line of text: lines further inwards are text.

    The pages' ``own`` numbers, lines such as "Page 3", are furniture there too.
    """
    limit: dict[tuple[int, str], int] = defaultdict(lambda: MOST_ROWS)
    for line in margin:
        if line.at not in kinds:
            limit[line.page, line.zone] = min(limit[line.page, line.zone], line.row)
    return {
        line.at: kinds[line.at]
        for line in margin
        if line.at in kinds and (line.row < limit[line.page, line.zone] or line.at in own)
    }


def _repeated(margin: list[MarginLine], lines: Lines) -> tuple[dict[int, str], dict[int, str]]:
    """Lines at the same height on several pages, with the same text but for the number of the page.

    Returns:
        Their kinds, but for a title on the first page, and what they repeat: their texts without the page number; both
        by line index.
    """
    alike: dict[tuple[str, str, int], list[MarginLine]] = defaultdict(list)
    apart = counted_apart(margin)
    for line in margin:
        for rest, offset in numbered(line, bool(lines.tabbed[line.at]), apart) if _has_letter(line.text) else ():
            alike[line.zone, rest, offset].append(line)
    pages = int(lines.page[-1]) + 1
    kinds, rests = {}, {}
    for (zone, rest, _), found in alike.items():
        if len(found) < 2:
            continue
        group = sorted(found, key=lambda line: lines.box[line.at, 1])
        y = lines.box[[line.at for line in group], 1]
        near = 0.5 * lines.height[group[0].at]
        enough = 2 if pages <= 4 or _STAMP.match(group[0].text) else 3
        first, last = np.searchsorted(y, y - near, "right"), np.searchsorted(y, y + near, "left")
        for line, start, end in zip(group, first.tolist(), last.tolist(), strict=True):
            if _on_enough_pages(enough, group[start:end]):
                rests[line.at] = rest
                if not (zone == "header" and line.page == 0 and _is_title(line, margin)):
                    kinds[line.at] = "stamp" if zone == "side" or _STAMP.match(line.text) else zone
    return kinds, rests


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _on_enough_pages(enough: int, group: list[MarginLine]) -> bool:
    """Whether lines are on at least this many pages."""
    pages = set()
    for line in group:
        pages.add(line.page)
        if len(pages) >= enough:
            return True
    return False


def _is_title(line: MarginLine, margin: list[MarginLine]) -> bool:
    """Whether a header of the first page is the document's title: it has no digit and is the only one of its text."""
    twice = sum(other.page == 0 and other.text.casefold() == line.text.casefold() for other in margin) > 1
    return not twice and not any(map(str.isdigit, line.text))
