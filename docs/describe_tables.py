"""Writes the columns of the tables into ``docs/tables.md``."""

import re
from pathlib import Path
from typing import Any

from longdoc.outputs.columns import TABLES, schemas
from longdoc.search import columns as index

PAGE = Path(__file__).parent / "tables.md"
BLOCK = re.compile(r"(?<=<!-- columns -->\n).*(?=<!-- end -->)", re.DOTALL)
"""The part of the page that is written by this script."""


def page(text: str) -> str:
    """The page with the columns as they are now."""
    sections = [_section(f"`{name}`", TABLES[name], schemas()[name]) for name in TABLES]
    sections += [
        _section(f"`{name}` of an index", index.TABLES[name], index.index_schemas()[name]) for name in index.TABLES
    ]
    return BLOCK.sub(lambda _: "".join(sections), text)


def _section(title: str, description: str, schema: Any) -> str:
    rows = (f"| `{own.name}` | {_type(own)} | {own.metadata[b'description'].decode()} |" for own in schema)
    return "\n".join(
        ["", f"## {title}", "", description, "", "| column | type | meaning |", "|---|---|---|", *rows, ""]
    )


def _type(column: Any) -> str:
    """The type of a column, and whether it is never null."""
    spelled = str(column.type).replace("element: ", "")
    return f"`{spelled}`{'' if column.nullable else ', never null'}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
