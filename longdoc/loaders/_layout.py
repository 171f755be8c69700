"""From the glyphs of pages to raw text and the edits that make it readable: lines, paragraphs, hyphens, ligatures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import WHITE_SPACE, Edits, code_points

NONE, SPACE, LINE, CELL, ROW, BLOCK = range(6)
"""What separates a glyph from the one before: nothing, a space, the end of a line (the layout decides whether it flows
on), the border of a table cell, of a table row, of a block of text that flows into no other."""
ZERO_WIDTH = (0x200B, 0x2060, 0xFEFF)
_REPLACEMENTS = (
    ("", "dropped"),
    (" ", "space"),
    (" ", "line"),
    ("\n", "line"),
    ("\n\n", "paragraph"),
    (" ", "page"),
    ("\n", "page"),
    ("", "hyphen"),
    ("\ufffd", "unmapped"),
    *((text, "ligature") for text in ("ff", "fi", "fl", "ffi", "ffl", "ft", "st")),
)
_DROP, _SPACE, _FLOW, _BREAK, _PARAGRAPH, _PAGE_FLOW, _PAGE, _HYPHEN, _UNMAPPED, _LIGATURE = range(10)
_LIST_MARKER = re.compile(r"\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})(\.\d+)*[.)]|[•▪●·–-](?!\w)|(?i:section|article)\b")
_SENTENCE_END = re.compile(r"[.:;!?][\"'”’)\]]?$")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What stands on one page, in reading order, ``n`` glyphs."""

    codes: NDArray[np.uint32]
    """Shape ``(n,)``: code points."""
    boxes: NDArray[np.float32]
    """Shape ``(n, 4)``: ``x0, y0, x1, y1`` in points from the top left of the page as displayed."""
    breaks: NDArray[np.uint8]
    """Shape ``(n,)``: what separates a glyph from the one before: NONE, SPACE or LINE."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a Document that come from its glyphs; see the fields of that name there."""

    raw_text: str
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    edits: Edits
    page_starts: list[int]
    """Offset into the edited text where each page starts."""
    length: int
    """Of the edited text."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of visible glyphs, ``N`` of them; ``first`` and ``last`` are glyph indices, both inclusive."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    page: NDArray[np.int64]
    box: NDArray[np.float32]
    height: NDArray[np.float64]
    """Mean height of the line's glyphs."""
    first_word: NDArray[np.float32]
    """Width of the line's first word."""
    starts: list[str]
    """First characters of each line, 12 at most."""
    ends: list[str]
    """Last two characters of each line."""


def lay_out(pages: Sequence[tuple[int, Glyphs]]) -> Layout:
    """Joins the glyphs of pages, given with their page numbers, to one text; at least one must be visible.

    Between two visible glyphs stands one edit at most: white space, generated or real, becomes a single space, a line
    break or a paragraph break.
    """
    codes = np.concatenate([glyphs.codes for _, glyphs in pages])
    boxes = np.concatenate([glyphs.boxes for _, glyphs in pages])
    breaks = np.concatenate([glyphs.breaks for _, glyphs in pages])
    sizes = [len(glyphs.codes) for _, glyphs in pages]
    borders = np.cumsum([0, *sizes])
    breaks[borders[:-1][np.array(sizes) > 0]] = LINE
    page = np.repeat(np.arange(len(pages)), sizes)
    raw_text = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    white = np.isin(codes, WHITE_SPACE)
    ink = np.flatnonzero(~(white | is_control(codes) | np.isin(codes, ZERO_WIDTH) | _repeated(codes, boxes, page)))
    gaps = _gaps(np.maximum(breaks, white), ink)
    lines = _lines(raw_text, boxes, page, ink, gaps)
    gaps[lines.first] = np.append(_DROP, _line_breaks(lines))
    ink, gaps = _join_hyphens(raw_text, ink, gaps, lines)
    edits = _edits(codes, ink, gaps)
    *page_starts, length = _text_offsets(borders, ink, edits)
    starts = np.flatnonzero(breaks == LINE)
    numbers = np.array([number for number, _ in pages])
    return Layout(
        raw_text=raw_text,
        boxes=boxes,
        lines=np.stack([starts, numbers[page[starts]]], axis=1).astype(np.int32),
        edits=edits,
        page_starts=page_starts,
        length=length,
    )


def is_control(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether these are control characters, which a font gives that does not say what it draws; shape ``(n,)``."""
    return (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))


def _repeated(codes: NDArray[np.uint32], boxes: NDArray[np.float32], page: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Glyphs drawn again on the same spot, as some writers do for bold; shape ``(n,)``.

    Neighbours with one and the same box are no repetition but the letters of a ligature.
    """
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    x, y = np.clip(np.round(middle), 0, 2**13 - 1).astype(np.int64).T
    order = np.argsort((((page << 21) + codes << 13) + y << 13) + x)  # one key sorts four times as fast as four
    one, other = np.sort([order[:-1], order[1:]], axis=0)
    near = (np.abs(middle[one] - middle[other]) < (0.35, 0.15) * size[one]).all(axis=1)
    ligature = (other == one + 1) & (boxes[one] == boxes[other]).all(axis=1)
    repeated = np.zeros(len(codes), bool)
    repeated[other[near & ~ligature & (codes[one] == codes[other]) & (page[one] == page[other])]] = True
    return repeated


def _gaps(breaks: NDArray[np.uint8], ink: NDArray[np.int64]) -> NDArray[np.int64]:
    """What stands before each visible glyph: the strongest break since the last one; shape ``(len(ink),)``."""
    return np.maximum.reduceat(breaks[: ink[-1] + 1], np.append(0, ink[:-1] + 1)).astype(np.int64)


def _lines(
    raw_text: str, boxes: NDArray[np.float32], page: NDArray[np.int64], ink: NDArray[np.int64], gaps: NDArray[np.int64]
) -> _Lines:
    """Measures the lines that ``gaps`` cuts the visible glyphs into."""
    first = np.flatnonzero(gaps == LINE)
    last = np.append(first[1:], len(ink)) - 1
    box = boxes[ink]
    words = np.append(np.flatnonzero(gaps), len(ink))
    word_last = words[np.searchsorted(words, first, side="right")] - 1
    return _Lines(
        first=first,
        last=last,
        page=page[ink[first]],
        box=np.hstack([np.minimum.reduceat(box[:, :2], first), np.maximum.reduceat(box[:, 2:], first)]),
        height=np.add.reduceat(box[:, 3] - box[:, 1], first) / (last + 1 - first),
        first_word=box[word_last, 2] - box[first, 0],
        starts=[raw_text[i : min(i + 12, j + 1)] for i, j in zip(ink[first].tolist(), ink[last].tolist(), strict=True)],
        ends=[raw_text[max(i - 1, 0) : i + 1] for i in ink[last].tolist()],
    )


def _line_breaks(lines: _Lines) -> NDArray[np.int64]:
    """What each break between two lines becomes; shape ``(N - 1,)``.

    A line flows into the next unless the next one's first word would have fitted on it, or it closes a sentence and
    the next is indented or numbered. A gap wider than usual on the page separates paragraphs.
    """
    box, height = lines.box, lines.height[:-1]
    same_page = np.diff(lines.page) == 0
    pitch = np.diff(box[:, 3])
    wide = pitch > 1.4 * _usual_pitch(lines)[:-1]
    closed = np.array([bool(_SENTENCE_END.search(end)) for end in lines.ends[:-1]], bool)
    finished = closed | np.array([end[-1].isdigit() for end in lines.ends[:-1]], bool)  # an entry of a contents
    lower = np.array([start[0].islower() for start in lines.starts[1:]], bool)
    marked = np.array([bool(_LIST_MARKER.match(start)) for start in lines.starts[1:]], bool)
    rule = np.array([not any(map(str.isalnum, start)) for start in lines.starts], bool)
    spare = (_reach(lines) - box[:, 2])[:-1]
    short = spare > lines.first_word[1:] + 0.3 * height + 2
    indented = box[1:, 0] > box[:-1, 0] + height
    resized = np.abs(np.diff(lines.height)) > 0.2 * height
    breaks = short | resized | wide | (finished & (marked | indented)) | rule[1:] | rule[:-1]
    flows = lower & ~closed & (spare < 0.3 * (box[:-1, 2] - box[:-1, 0]))
    kind = np.select([flows, wide & (pitch > 0), breaks], [_FLOW, _PARAGRAPH, _BREAK], _FLOW)
    # A last line set off from the one above is a page number or a footer: no sentence runs on from it.
    footer = np.append(False, wide[:-1])
    return np.where(same_page, kind, np.where(lower & ~closed & ~footer, _PAGE_FLOW, _PAGE)).astype(np.int64)


def _reach(lines: _Lines) -> NDArray[np.float32]:
    """How far right the lines around each line go, those above and below it only; shape ``(N,)``."""
    box = lines.box
    reach: NDArray[np.float32] = box[:, 2].copy()
    for step in (1, 2, 3):
        one, other = box[:-step], box[step:]
        near = (lines.page[step:] == lines.page[:-step]) & (other[:, 0] < one[:, 2]) & (other[:, 2] > one[:, 0])
        np.maximum(reach[:-step], np.where(near, other[:, 2], 0), out=reach[:-step])
        np.maximum(reach[step:], np.where(near, one[:, 2], 0), out=reach[step:])
    return reach


def _usual_pitch(lines: _Lines) -> NDArray[np.float64]:
    """Median distance of successive lines on the page of each line; shape ``(N,)``."""
    usual = np.full(len(lines.page), np.inf)
    pitch = np.diff(lines.box[:, 3])
    regular = (np.diff(lines.page) == 0) & (pitch > 0.5 * lines.height[:-1]) & (pitch < 4 * lines.height[:-1])
    for number in np.unique(lines.page[:-1][regular]).tolist():
        of_page = lines.page == number
        usual[of_page] = np.median(pitch[regular & of_page[:-1]])
    return usual


def _join_hyphens(
    raw_text: str, ink: NDArray[np.int64], gaps: NDArray[np.int64], lines: _Lines
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Joins words cut at a line's end.

    The hyphen goes where the document writes the word without it elsewhere. Where it writes neither form, the hyphen
    goes only from a document that mostly hyphenates: contracts keep whole words on a line and cut at real hyphens.
    """
    cut = [i for i, end in enumerate(lines.ends[:-1]) if end[-1:] in "-\xad\u2010" and end[:1].isalpha()]
    cut = [i for i in cut if lines.starts[i + 1][:1].isalpha()]
    if not cut:
        return ink, gaps
    spaced = np.insert(code_points(raw_text)[ink], np.flatnonzero(gaps), ord(" "))
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", spaced.tobytes().decode("utf-32-le", "replace").lower()))
    parts = Counter(part for word in words.elements() for part in word.split("-"))
    halves = [_halves(raw_text, int(ink[lines.last[i]]), int(ink[lines.first[i + 1]])) for i in cut]
    parts.subtract(half for pair in halves for half in pair)
    soft = [words[left + right] > words[f"{left}-{right}"] for left, right in halves]
    hard = [words[f"{left}-{right}"] > 0 or parts[left] > 0 < parts[right] for left, right in halves]
    hyphenates = sum(soft) > sum(hard)
    hyphens = []
    for i, joins, keeps in zip(cut, soft, hard, strict=True):
        gaps[lines.first[i + 1]] = NONE
        if joins or (hyphenates and not keeps and lines.starts[i + 1][0].islower()):
            gaps[lines.first[i + 1]] = _HYPHEN
            hyphens.append(lines.last[i])
    return np.delete(ink, hyphens), np.delete(gaps, hyphens)


def _halves(raw_text: str, hyphen: int, after: int) -> tuple[str, str]:
    """The letters before the hyphen at one index and from the other index on, in lower case."""
    left = re.search(r"[^\W\d_]*$", raw_text[max(hyphen - 40, 0) : hyphen].lower())
    right = re.match(r"[^\W\d_]*", raw_text[after : after + 40].lower())
    return left[0] if left else "", right[0] if right else ""


def _edits(codes: NDArray[np.uint32], ink: NDArray[np.int64], gaps: NDArray[np.int64]) -> Edits:
    """Edits of the gaps between visible glyphs, and of the glyphs that stand for other characters."""
    starts, ends = np.append(0, ink + 1), np.append(ink, len(codes))
    kinds = np.append(gaps, _DROP)
    plain = (ends - starts == 1) & (kinds == _SPACE) & (np.append(codes, 0)[starts] == ord(" "))
    changed = ~plain & ((ends > starts) | (kinds != _DROP))
    glyphs = codes[ink]
    ligatures = ink[(glyphs >= 0xFB00) & (glyphs <= 0xFB06)]
    unmapped = ink[((glyphs >= 0xD800) & (glyphs < 0xE000)) | ((glyphs & 0xFFFE) == 0xFFFE)]
    starts = np.concatenate([starts[changed], ligatures, unmapped])
    ends = np.concatenate([ends[changed], ligatures + 1, unmapped + 1])
    kinds = np.concatenate([kinds[changed], _LIGATURE + codes[ligatures] - 0xFB00, np.full(len(unmapped), _UNMAPPED)])
    order = np.lexsort((ends, starts))
    ranges = np.stack([starts, ends], axis=1)[order].astype(np.int32)
    return Edits(ranges, kinds[order].astype(np.int32), _REPLACEMENTS)


def _text_offsets(borders: NDArray[np.int64], ink: NDArray[np.int64], edits: Edits) -> list[int]:
    """Where the pages with these borders in the raw text start in the edited text: at the first visible glyph."""
    ends = np.append(ink, borders[-1])
    first = ends[np.searchsorted(ends, borders)]
    lengths = np.array([len(text) for text, _ in edits.replacements])[edits.codes]
    shifts = np.append(0, np.cumsum(lengths - np.diff(edits.ranges, axis=1)[:, 0]))
    offsets: list[int] = (first + shifts[np.searchsorted(edits.ranges[:, 1], first, side="right")]).tolist()
    return [0, *offsets[1:]]
