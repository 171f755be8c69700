r"""Whether a regular expression of a user may take very long, which Python's ``re`` cannot stop.

A repeat takes exponential time if its parts can match the same text in two ways, as a repeat within a repeat can.
Repeats in a row that can divide a text between them multiply their lengths; the search for a start is one of them.

>>> why_slow(r"(?:\d+\.)*\d+"), why_slow(r"(\w+\s?)+$")
('', 'the parts of a repeat can match the same text in many ways')
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable
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
"""How often a part that can match nothing may be repeated by a count, and in how many ways it may do so."""
LENGTH = 20_000
"""Characters of the text for which the time is told."""
MAX_DIVISIONS = 16 * LENGTH**2
"""In how many ways repeats may divide such a text: two without limit, or one after any start, and a little more."""
MAX_CHOICES = 5_000
"""In how many ways parts that are not repeated without limit may match one text."""
MAX_LOOKED_AT = 20_000
"""Places that can follow one another, and pairs and triples of places, that are looked at."""

_Part: TypeAlias = tuple[int, list[int], list[int]]
"""In how many ways it can match nothing, and the positions that can be its first and its last character, each as often
as it can."""
_EVERY = -1
"""As a bit mask, all characters."""
_START = 0
"""The position of what a search passes over before the expression begins."""
_FIRST = range(0x180)
_INSIDE = 512
"""Characters of a range, from its start, among which there is looked for letters, digits, white space and others."""


@lru_cache(maxsize=1000)
def why_slow(pattern: str) -> str:
    """Why an expression may take very long; empty if it may not, or is not a regular expression."""
    if len(pattern) > MAX_LENGTH:
        return f"it has {len(pattern):,} characters; allowed: {MAX_LENGTH:,}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree: Any = sre.parse(pattern)
        is_choice = len(tree) == 1 and str(tree[0][0]) == "BRANCH"  # one alternative after the other
        parts = tree[0][1][1] if is_choice else [tree]
        return next((problem for part in parts if (problem := _Automaton(part).problem)), "")
    except (re.error, OverflowError):
        return ""  # who compiles it says why
    except RecursionError:
        return "it is nested too deep"


class _Automaton:
    """The positions of an expression, one a character or class, and which can follow which."""

    def __init__(self, tree: Any) -> None:
        self.problem = ""
        self._sample = _sample(tree)
        self._bits = {character: 1 << bit for bit, character in enumerate(self._sample)}
        self._classes: dict[tuple[str, Any, bool], int] = {}
        self._masks: list[int] = [_EVERY]
        self._next: list[list[int]] = [[]]
        self._any_case = bool(tree.state.flags & re.IGNORECASE)
        self._loops: list[tuple[range, int]] = []
        """Repeats that are not within others, and how many characters they can match."""
        self._is_in_loop = False
        self._conditions = set[str]()
        """What can make the expression fail where no character does."""
        begins = str(tree[0][1]) if tree and str(tree[0][0]) == "AT" else ""
        is_anchored = begins == "AT_BEGINNING_STRING" or (
            begins == "AT_BEGINNING" and not tree.state.flags & re.MULTILINE
        )
        empty, first, self._last = self._sequence(tree[1:] if begins else tree, 1)
        self._next[_START] = first if is_anchored else [_START, *first]
        self._starts_at_words = begins == "AT_BOUNDARY"
        if not self.problem:
            self.problem = self._why_many_choices() or self._why_many_divisions(is_anchored, bool(empty))

    def _why_many_choices(self) -> str:
        """Why one text can be matched in many ways apart from repeats; empty if it cannot."""
        if sum(map(len, self._next)) > MAX_LOOKED_AT:
            return "its choices are too many to look at"
        ways = [1] * len(self._masks)
        for position in reversed(range(len(self._masks))):
            following = [each for each in self._next[position] if each > position]
            if following:
                masks = {self._masks[each] for each in following}
                ways[position] = max(sum(ways[q] for q in following if self._masks[q] & mask) for mask in masks)
        if ways[_START] > MAX_CHOICES:
            return f"its choices can match the same text in {ways[_START]:,} ways; allowed: {MAX_CHOICES:,}"
        return ""

    def _why_many_divisions(self, is_anchored: bool, is_empty: bool) -> str:
        """Why repeats can divide one text in many ways; empty if they cannot."""
        loops = [loop for loop in self._loops if not self._is_safe(loop[0])]
        if not is_anchored and not (is_empty and not self._conditions) and not self._leads_to_any([_START]):
            loops.insert(0, (range(_START, _START + 1), LENGTH))
        divisions: list[int] = []
        looked_at = MAX_LOOKED_AT
        for number, (own, length) in enumerate(loops):
            most = 1
            for before, so_far in zip(loops[:number], divisions, strict=True):
                if so_far > most and looked_at > 0:
                    can_share, looked_at = self._can_share(before[0], own, looked_at)
                    most = so_far if can_share else most
            divisions.append(length * most)
        if looked_at <= 0:
            return "its repeats are too many to look at"
        if max(divisions, default=0) > MAX_DIVISIONS:
            return (
                f"its repeats can divide a text of {LENGTH:,} characters in about {max(divisions):.0e} ways; allowed: "
                f"{MAX_DIVISIONS:.0e}"
            )
        return ""

    def _is_safe(self, own: range) -> bool:
        """Whether the expression has matched, or is sure to match, once a repeat has begun."""
        if not self._conditions:
            return any(each in own for each in self._last)
        return not any(self._matches_any(each) for each in own) and self._leads_to_any(own)

    def _leads_to_any(self, own: Iterable[int]) -> bool:
        """Whether a repeat of any character, to the end of the text, can follow."""
        return any(self._matches_any(each) for position in own for each in self._next[position])

    def _matches_any(self, position: int) -> bool:
        """Whether a position is that of a repeat of any character, to the end of the text."""
        is_last = self._masks[position] == _EVERY and position in self._last and position in self._next[position]
        return is_last and self._conditions <= {"AT_END", "AT_END_STRING"}

    def _can_share(self, first: range, second: range, most: int) -> tuple[bool, int]:
        """Whether a text can be divided anywhere between two repeats; and how much more may be looked at.

        It can if some text leads from a place in the first to itself and to a place in the second, and from that to
        itself.
        """
        if first[0] == _START and self._starts_at_words and self._is_one_word(second):
            return False, most
        for start, end in product(first, second):
            seen = {(start, start, end)}
            waiting = [*seen]
            while waiting:
                if (start, end, end) in seen:
                    return True, most
                most -= 1
                if most <= 0:
                    return True, 0
                a, b, c = waiting.pop()
                inner = (
                    [q for q in self._next[a] if q in first],
                    self._next[b],
                    [q for q in self._next[c] if q in second],
                )
                for each in product(*inner):
                    if each not in seen and self._masks[each[0]] & self._masks[each[1]] & self._masks[each[2]]:
                        seen.add(each)
                        waiting.append(each)
        return False, most

    def _is_one_word(self, own: range) -> bool:
        """Whether a repeat matches only characters between which no word begins or ends."""
        word = self._mask("CATEGORY", "CATEGORY_UNI_WORD")
        every = reduce(or_, (self._masks[each] for each in own))
        return not every & ~word or not every & word

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
        while waiting and len(before) <= MAX_LOOKED_AT:
            pair = waiting.pop()
            for following in product(self._next[pair[0]], self._next[pair[1]]):
                if self._masks[following[0]] & self._masks[following[1]]:
                    if following not in before:
                        before[following] = []
                        waiting.append(following)
                    before[following].append(pair)
        met = (pair for each in own for pair in before[each, each])
        return len(before) > MAX_LOOKED_AT or any(first != second for first, second in met)

    def _character(self, mask: int) -> _Part:
        self._masks.append(mask)
        self._next.append([])
        position = [len(self._masks) - 1]
        return 0, position, position

    def _sequence(self, nodes: Any, count: int) -> _Part:
        whole: _Part = (1, [], [])
        for node in nodes:
            part = self._part(node, count)
            for last in whole[2]:
                self._next[last] += part[1]
            whole = whole[0] * part[0], whole[1] + part[1] * whole[0], part[2] + whole[2] * part[0]
            if whole[0] > MAX_EMPTY:
                self.problem = self.problem or f"a part can match nothing in {whole[0]:,} ways; allowed: {MAX_EMPTY}"
                whole = 1, whole[1], whole[2]
        return whole

    def _part(self, node: Any, count: int) -> _Part:
        kind, value = str(node[0]), node[1]
        match kind:
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(value, count)
            case "BRANCH":
                parts = [self._sequence(each, count) for each in value[1]]
                return sum(p[0] for p in parts), [f for p in parts for f in p[1]], [x for p in parts for x in p[2]]
            case "SUBPATTERN":
                before, any_case = self._any_case, (self._any_case or value[1] & re.IGNORECASE)
                self._any_case = bool(any_case) and not value[2] & re.IGNORECASE
                part = self._sequence(value[3], count)
                self._any_case = before
                return part
            case "ATOMIC_GROUP":
                return self._sequence(value, count)
            case "ASSERT" | "ASSERT_NOT":
                self._conditions.add(kind)
                return 1, self._sequence(value[1], count)[1], []
            case "GROUPREF_EXISTS":
                return self._part((sre.BRANCH, (None, [value[1], value[2] or []])), count)
            case "AT":
                self._conditions.add(str(value))
                return 1, [], []
            case "GROUPREF":
                self._conditions.add(kind)
                return self._character(_EVERY)
        return self._character(self._mask(kind, value))

    def _repeat(self, value: Any, count: int) -> _Part:
        low, high, nodes = value
        unlimited = high is sre.MAXREPEAT
        times = count * (1 if unlimited else max(int(high), 1))
        if times > MAX_COUNT:
            self.problem = self.problem or f"a part is repeated {times:,} times; allowed: {MAX_COUNT:,}"
        start, is_within = len(self._masks), self._is_in_loop
        self._is_in_loop = is_within or high > 1
        empty, first, last = self._sequence(nodes, times)
        self._is_in_loop = is_within
        own = range(start, len(self._masks))
        if empty and not unlimited and high > MAX_EMPTY:
            self.problem = self.problem or f"a part that can be empty is repeated {high:,} times; allowed: {MAX_EMPTY}"
        shortest, longest = nodes.getwidth()
        varies = unlimited or (high > 1 and not (low == high and shortest == longest))
        ways = 1
        if high > 1:
            before = [[*self._next[each]] for each in last]
            for each in last:
                self._next[each] += first
            if any(map(self._is_unclear, own)) and self._is_ambiguous(own):
                ways = MAX_CHOICES + 1 if unlimited else _ways(nodes) ** min(high, MAX_CHOICES)
            if not varies:
                for each, following in zip(last, before, strict=True):
                    self._next[each] = following
        if ways > MAX_CHOICES:
            self.problem = self.problem or "the parts of a repeat can match the same text in many ways"
        if (varies or ways > 1) and not is_within:
            self._loops.append((own, max(min(longest * high, LENGTH), ways)))
        return empty + (low == 0), first, last

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
            cases = {chr(value), *_cases(chr(value))} if self._any_case else {chr(value)}
            return reduce(or_, (self._bits.get(each, 0) for each in cases))
        key = kind, value, self._any_case
        if key not in self._classes:
            matching = (bit for each, bit in self._bits.items() if _matches(*key, each))
            self._classes[key] = reduce(or_, matching, 0)
        return self._classes[key]


def _cases(character: str) -> set[str]:
    """A character in its cases, apart from those of several characters."""
    return {character, character.lower()[:1], character.upper()[:1]}


def _matches(kind: str, value: Any, any_case: bool, character: str) -> bool:
    """Whether one alternative of a class matches a character."""
    if kind == "CATEGORY":
        tests: dict[str, Callable[[str], bool]] = {
            "DIGIT": str.isdecimal,
            "SPACE": str.isspace,
            "WORD": lambda each: each.isalnum() or each == "_",
        }
        name = str(value).removeprefix("CATEGORY_").removeprefix("UNI_")
        return tests[name.removeprefix("NOT_")](character) != name.startswith("NOT_")
    low, high = value
    return any(low <= ord(each) <= high for each in (_cases(character) if any_case else character))


def _sample(tree: Any) -> list[str]:
    """Characters that stand for all others: some that are in each class of an expression, and some that are not."""
    codes = {*_FIRST}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple) and len(node) == 2 and str(node[0]) in ("LITERAL", "NOT_LITERAL"):
            codes |= {ord(each) for each in _cases(chr(node[1]))}
        elif isinstance(node, tuple) and len(node) == 2 and str(node[0]) == "RANGE":
            low, high = node[1]
            codes |= {max(low - 1, 0), low, high, min(high + 1, sys.maxunicode)}
            kinds = {_kind(code): code for code in reversed(range(low, min(high, low + _INSIDE)))}
            codes |= {*kinds.values()}
        elif isinstance(node, sre.SubPattern):
            waiting += node.data
        elif isinstance(node, (tuple, list)):
            waiting += node
    return [*map(chr, sorted(codes))]


def _kind(code: int) -> tuple[bool, bool, bool]:
    character = chr(code)
    return character.isdecimal(), character.isspace(), character.isalnum()


def _ways(nodes: Any) -> int:
    """In how many ways a part can match, as if any character were any other; at most a little above what is allowed."""
    ways = 1
    for kind, value in nodes:
        match str(kind):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, inner = value
                once = _ways(inner)
                counts = range(int(low), min(int(high), MAX_CHOICES) + 1)
                ways *= sum(min(once ** min(n, 64), MAX_CHOICES) for n in counts)
            case "BRANCH":
                ways *= sum(map(_ways, value[1]))
            case "SUBPATTERN":
                ways *= _ways(value[3])
            case "ATOMIC_GROUP":
                ways *= _ways(value)
        ways = min(ways, MAX_CHOICES + 1)
    return ways
