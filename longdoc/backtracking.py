r"""Whether a regular expression of a user may take very long, which Python's ``re`` cannot stop.

A repeat takes exponential time if its parts can match the same text in two ways, as a repeat within a repeat can; and
each repeat whose end is not clear multiplies the time by the length of the text.

>>> why_slow(r"(?:\d+\.)*\d+"), why_slow(r"(\w+\s?)+$")
('', 'the parts of a repeat can match the same text in many ways')
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache, reduce
from itertools import product
from operator import or_
from typing import Any, TypeAlias

if sys.version_info >= (3, 11):
    from re import _parser as sre  # what the standard library offers for this has no public name
else:
    import sre_parse as sre

MAX_LENGTH = 2_000
"""Characters of an expression."""
MAX_COUNT = 1_000
"""How often a part may be repeated by counts, those of repeats around it multiplied."""
MAX_EMPTY = 4
"""How often a part that can be empty may be repeated by a count."""
MAX_OPEN = 3
"""Repeats of one character or class whose end is not clear."""
MAX_PAIRS = 20_000
"""Pairs of places in a repeat that are looked at."""

_Part: TypeAlias = tuple[bool, list[int], list[int]]
"""Whether it can be empty, and the positions that can be its first and its last character."""
_EVERY = -1
"""As a bit mask, all characters."""


@lru_cache(maxsize=1000)
def why_slow(pattern: str) -> str:
    """Why an expression may take very long; empty if it may not, or is not a regular expression."""
    if len(pattern) > MAX_LENGTH:
        return f"it has {len(pattern):,} characters; allowed: {MAX_LENGTH:,}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = sre.parse(pattern)
        return _Automaton(pattern, tree).problem
    except (re.error, OverflowError):
        return ""  # who compiles it says why
    except RecursionError:
        return "it is nested too deep"


class _Automaton:
    """The positions of an expression, one a character or class, and which can follow which."""

    def __init__(self, pattern: str, tree: Any) -> None:
        self.problem = ""
        self._sample = [*map(chr, range(0x180)), *sorted(set(pattern) - set(map(chr, range(0x180))))]
        self._bits = {character: 1 << bit for bit, character in enumerate(self._sample)}
        self._masks: list[int] = []
        self._next: list[list[int]] = []
        self._repeated: set[int] = set()
        self._sequence(tree, 1)
        n_open = sum(self._is_unclear(position) for position in self._repeated)
        if not self.problem and n_open > MAX_OPEN:
            self.problem = f"the ends of {n_open} repeats are not clear; allowed: {MAX_OPEN}"

    def _is_unclear(self, position: int) -> bool:
        """Whether two of the positions that can follow one match the same character."""
        seen = 0
        for following in self._next[position]:
            if seen & self._masks[following]:
                return True
            seen |= self._masks[following]
        return False

    def _is_ambiguous(self, own: range) -> bool:
        """Whether one text can lead from a position of a repeat to another one in two ways; True if that takes long."""
        if any(len(set(self._next[each])) < len(self._next[each]) for each in own):
            return True
        before: dict[tuple[int, int], list[tuple[int, int]]] = {(each, each): [] for each in own}
        waiting = list(before)
        while waiting and len(before) <= MAX_PAIRS:
            pair = waiting.pop()
            for following in product(self._next[pair[0]], self._next[pair[1]]):
                if self._masks[following[0]] & self._masks[following[1]]:
                    if following not in before:
                        before[following] = []
                        waiting.append(following)
                    before[following].append(pair)
        met = (pair for each in own for pair in before[each, each])
        return len(before) > MAX_PAIRS or any(first != second for first, second in met)

    def _character(self, mask: int) -> _Part:
        self._masks.append(mask)
        self._next.append([])
        position = [len(self._masks) - 1]
        return False, position, position

    def _sequence(self, nodes: Any, count: int) -> _Part:
        whole: _Part = (True, [], [])
        for node in nodes:
            part = self._part(node, count)
            for last in whole[2]:
                self._next[last] += part[1]
            first = whole[1] + part[1] if whole[0] else whole[1]
            last_ones = part[2] + whole[2] if part[0] else part[2]
            whole = whole[0] and part[0], first, last_ones
        return whole

    def _part(self, node: Any, count: int) -> _Part:
        kind, value = str(node[0]), node[1]
        match kind:
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(value, count)
            case "BRANCH":
                parts = [self._sequence(each, count) for each in value[1]]
                return any(p[0] for p in parts), [f for p in parts for f in p[1]], [x for p in parts for x in p[2]]
            case "SUBPATTERN":
                return self._sequence(value[3], count)
            case "ATOMIC_GROUP":
                return self._sequence(value, count)
            case "ASSERT" | "ASSERT_NOT":
                _, first, last = self._sequence(value[1], count)
                return True, first, last
            case "GROUPREF_EXISTS":
                return self._part((sre.BRANCH, (None, [value[1], value[2] or []])), count)
            case "AT":
                return True, [], []
            case "GROUPREF":
                return self._character(_EVERY)
        return self._character(self._mask(kind, value))

    def _repeat(self, value: Any, count: int) -> _Part:
        low, high, nodes = value
        unlimited = high is sre.MAXREPEAT
        times = count * (1 if unlimited else max(int(high), 1))
        if times > MAX_COUNT:
            self.problem = self.problem or f"a part is repeated {times:,} times; allowed: {MAX_COUNT:,}"
        start = len(self._masks)
        is_empty, first, last = self._sequence(nodes, times)
        own = range(start, len(self._masks))
        if is_empty and not unlimited and high > MAX_EMPTY:
            self.problem = self.problem or f"a part that can be empty is repeated {high:,} times; allowed: {MAX_EMPTY}"
        shortest, longest = nodes.getwidth()
        if unlimited or (high > 1 and not (low == high and shortest == longest)):
            for each in last:
                self._next[each] += first
            if unlimited and len(own) == 1:
                self._repeated.update(own)
            if any(map(self._is_unclear, own)) and self._is_ambiguous(own):
                self.problem = self.problem or "the parts of a repeat can match the same text in many ways"
        return is_empty or low == 0, first, last

    def _mask(self, kind: str, value: Any) -> int:
        """The characters of the sample that a node matches, as bits."""
        if kind == "ANY":
            return _EVERY
        if kind == "IN":
            mask = reduce(or_, (self._mask(str(each), own) for each, own in value if str(each) != "NEGATE"), 0)
            return ~mask if str(value[0][0]) == "NEGATE" else mask
        if kind == "NOT_LITERAL":
            return ~self._mask("LITERAL", value)
        if kind == "LITERAL":
            cases = {chr(value), chr(value).lower(), chr(value).upper()}
            return reduce(or_, (self._bits.get(each, 0) for each in cases))
        return reduce(or_, (bit for each, bit in self._bits.items() if _matches(kind, value, each)), 0)


def _matches(kind: str, value: Any, character: str) -> bool:
    """Whether one alternative of a class matches a character, in any case of letters."""
    if kind == "CATEGORY":
        tests: dict[str, Callable[[str], bool]] = {
            "DIGIT": str.isdecimal,
            "SPACE": str.isspace,
            "WORD": lambda each: each.isalnum() or each == "_",
        }
        name = str(value).removeprefix("CATEGORY_").removeprefix("UNI_")
        return tests[name.removeprefix("NOT_")](character) != name.startswith("NOT_")
    low, high = value
    cases = {*map(ord, (character, *character.lower()[:1], *character.upper()[:1]))}
    return any(low <= code <= high for code in cases)
