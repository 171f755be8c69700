"""Writes the keys of all configurations into ``docs/configuration.md``."""

import re
from collections.abc import Iterator
from pathlib import Path

from longdoc.cli.config_keys import CONFIGS, Key, Mapped, mappings

PAGE = Path(__file__).parent / "configuration.md"
BLOCK = re.compile(r"(?<=<!-- keys -->\n).*(?=<!-- end -->)", re.DOTALL)
"""The part of the page that is written by this script."""


def page(text: str) -> str:
    """The page with the keys as they are now."""
    return BLOCK.sub(lambda _: "\n".join(_lines()), text)


def _lines() -> Iterator[str]:
    """All configurations; a mapping that several have is described once."""
    described: dict[tuple[type, frozenset[str]], str] = {}
    for name in CONFIGS:
        yield f"\n## `{name}`\n"
        repeated: list[str] = []
        for mapped in mappings(name):
            first = described.setdefault((mapped.cls, mapped.without), f"`{mapped.place}` of `{name}`")
            if first.endswith(f"of `{name}`"):
                yield from _table(mapped)
            elif not any(mapped.place.startswith((f"{place} ", f"{place}.")) for place in repeated):
                yield f"`{mapped.place}`: as {first}.\n"
                repeated.append(mapped.place)


def _table(mapped: Mapped) -> Iterator[str]:
    if mapped.place:
        yield f"### `{mapped.place}`\n"
    yield f"{mapped.text}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    yield from map(_row, mapped.keys)
    yield ""


def _row(key: Key) -> str:
    default = "required" if key.default is None else f"`{key.default}`"
    return f"| `{key.name}` | {key.type} | {default} | {key.text} |".replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
