"""Random choices, among them numbers and words that are unusual."""

import random
from collections.abc import Sequence
from typing import Any

NUMBERS = (0, 1, -1, 2, 3, 7, 100, 255, 256, 65_535, 65_536, 10**6, 2**31 - 1, 2**31, -(2**31), 2**63, 10**30)
WORDS = (
    "", " ", "a", "0", "-1", "1.1.1.1", "ARTICLE IV", "Exhibit A", "Section 2.1(a)(iii)", "$1,000,000.00", "nan",
    "May 4, 2020", "_" * 90, "." * 200 + " 7", "\u202eabc", "a\u0301" * 300, "\u00ad\u200b\ufeff", "\ufffd", "1e999",
    "\U0001f600" * 20, "\u0645\u0631\u062d\u0628\u0627", "\u4e2d\u6587\u5408\u540c", "\u2028\u0085x", "x" * 5000,
    "a b " * 2000, "\x00", "\x1b[2J", "<b>", "&amp;", "]]>", "=1+1",
)  # fmt: skip


def some(rng: random.Random, values: Sequence[Any]) -> Any:
    return values[rng.randrange(len(values))]


def few(rng: random.Random) -> int:
    """A small number, mostly 1."""
    return int(some(rng, (1, 1, 2, 3, 6)))
