"""Writes the columns of the tables into ``docs/tables.md``."""

import re
from pathlib import Path
from typing import Any

from longdoc.outputs.columns import TABLES, schemas

PAGE = Path(__file__).parent / "tables.md"
BLOCK = re.compile(r"(?<=<!-- columns -->\n).*(?=<!-- end -->)", re.DOTALL)
"""The part of the page that is written by this script."""


def page(text: str) -> str:
    """The page with the columns as they are now."""
    return BLOCK.sub(lambda _: "".join(map(_section, TABLES)), text)


def _section(name: str) -> str:
    rows = (f"| `{own.name}` | {_type(own)} | {own.metadata[b'description'].decode()} |" for own in schemas()[name])
    return "\n".join(
        ["", f"## `{name}`", "", TABLES[name], "", "| column | type | meaning |", "|---|---|---|", *rows, ""]
    )


def _type(column: Any) -> str:
    """The type of a column, and whether it is never null."""
    spelled = str(column.type).replace("element: ", "")
    return f"`{spelled}`{'' if column.nullable else ', never null'}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
