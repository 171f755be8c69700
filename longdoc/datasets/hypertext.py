"""Regions of Label Studio's HyperText: ranges of the text that a browser makes of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from longdoc.datasets.records import countings

_NOT_SHOWN = frozenset(("script", "style", "title", "template"))


def is_in_hypertext(region: Mapping[str, Any]) -> bool:
    """Whether a region is in HTML: its start is an XPath, as in ``/div[1]/p[1]/text()[1]``."""
    start = region.get("start")
    return "end" in region and isinstance(start, str) and start.startswith(("/", ".", "text()"))


def place_in_hypertext(html: str, regions: Sequence[Mapping[str, Any]]) -> tuple[str, list[tuple[int, int]]]:
    """The text of the HTML, and the half-open range of each region in it.

    Global offsets count UTF-16 units of the text nodes, and one for each line break. Which text nodes count depends on
    how the version of Label Studio shows HTML; a range is taken only if all regions have their own text there, white
    space aside.

    Raises:
        ValueError: a region has no global offsets or no text, or the regions fit no reading of the HTML.
    """
    for region in regions:
        if not isinstance(region.get("globalOffsets"), Mapping) or not isinstance(region.get("text"), str):
            raise ValueError(
                "a region of type 'hypertextlabels' has no globalOffsets or no text, only an XPath, which is not read; "
                "export the project with a current Label Studio, or label plain text"
            )
    texts = list(rendered_texts(html))
    for text in texts:
        for counting in reversed(countings(text)):  # UTF-16 units first, if they differ
            try:
                ranges = [
                    (counting.place(int(offsets["start"])), counting.place(int(offsets["end"])))
                    for offsets in (region["globalOffsets"] for region in regions)
                ]
            except ValueError:
                continue
            pairs = zip(regions, ranges, strict=True)
            if all(_squeezed(text[start:end]) == _squeezed(region["text"]) for region, (start, end) in pairs):
                return text, ranges
    raise ValueError(
        f"the regions of type 'hypertextlabels' do not have their texts at their globalOffsets (one is "
        f"{regions[0]['text']!r} at {dict(regions[0]['globalOffsets'])}); the HTML has changed since it was labelled, "
        "or is shown in another way: label plain text (type 'labels')"
    )


def rendered_texts(html: str) -> Iterator[str]:
    """The readings of HTML as text: without what is not shown, with only the body's, and with everything."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    yield from dict.fromkeys(
        (
            "".join(text for text, shown, _ in reader.parts if shown),
            "".join(text for text, _, in_body in reader.parts if in_body),
            "".join(text for text, _, _ in reader.parts),
            html,
        )
    )


class _TextReader(HTMLParser):
    """Collects text nodes, whether they are shown, and whether they are in the body."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, bool, bool]] = []
        self._hidden: list[str] = []
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
        elif tag == "body":
            self._in_body = True
        elif tag in _NOT_SHOWN:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "body":
            self._in_body = False
        elif tag in self._hidden:
            self._hidden.remove(tag)

    def handle_data(self, data: str) -> None:
        self.parts.append((data, not self._hidden, self._in_body))


def _squeezed(text: str) -> str:
    """The text without white space: what a selection has between blocks is not in the text nodes."""
    return "".join(text.replace("\\n", "\n").split())
