"""Decides from the order of candidate numbers which of them number clauses, and how the clauses nest.

A candidate numbers a clause if it continues the numbering: as the successor of an open clause, or as the first of a new
list inside one. A beam search keeps the cheapest trees: reading "(i)" after "(h)" as a letter or as the Roman numeral 1
costs the same until "(j)" or "(ii)" follows. Ignoring, skipping or misprinting a number has a cost, so one slip does
not break the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from longdoc.sections.labels import Label, Reading

_BEAM = 8
_MAX_DEPTH = 8
# Costs
_OPEN, _OPEN_SAME_STYLE, _OPEN_LATE, _SKIP, _NO_PARENT, _RESTART = 0.3, 0.9, 1.8, 0.9, 0.7, 0.8
_AFTER_PREAMBLE, _IN_PREAMBLE = 0.5, 0.6
_OUTER = ("1.", "article", "section", "A.", "(A)", "I.")
_MAX_SKIPPED = 3
_PATH_PARENTS = ("article", "section", "1.", "1)")
"""Styles whose numbers can be the first part of a path, as 4 is of 4.2."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A clause: its label, the reading of its number, and the enclosing clause."""

    label: Label
    reading: Reading
    parent: Node | None
    depth: int
    key: int
    """Equal for clauses after which the search continues in the same way."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A hypothesis of the beam search: a tree of the clauses up to here."""

    cost: float
    open: Node | None
    """The innermost open clause."""
    last: _Link | None
    """The clauses of the tree as a linked list, the last one first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Link:
    node: Node
    previous: _Link | None


class _Successor(NamedTuple):
    """What may follow a state; it becomes a state if it is among the cheapest."""

    cost: float
    key: int
    """That of its innermost open clause, 0 without one."""
    before: _State
    reading: Reading | None
    """How the label is read, None if it is ignored."""
    parent: Node | None

    def state(self, label: Label) -> _State:
        """The state after the label."""
        if self.reading is None:
            return _State(self.cost, self.before.open, self.before.last)
        node = Node(label, self.reading, self.parent, self.parent.depth + 1 if self.parent else 1, self.key)
        return _State(self.cost, node, _Link(node, self.before.last))


def clauses(labels: Sequence[Label]) -> list[Node]:
    """The clauses among the candidates, in order, each with its enclosing clause."""
    beam = [_State(0.0, None, None)]
    for label in labels:
        best: dict[int, _Successor] = {}
        for state in beam:
            for successor in _successors(state, label):
                known = best.get(successor.key)
                if known is None or successor.cost < known.cost:
                    best[successor.key] = successor
        beam = [each.state(label) for each in sorted(best.values(), key=lambda each: each.cost)[:_BEAM]]
    found: list[Node] = []
    link = beam[0].last
    while link is not None:
        found.append(link.node)
        link = link.previous
    return found[::-1]


def _successors(state: _State, label: Label) -> Iterator[_Successor]:
    """What may follow at a label: it is ignored, or it is a clause in one of its readings and positions."""
    yield _Successor(state.cost + label.weight, state.open.key if state.open else 0, state, None, None)
    for reading in label.readings:
        for cost, parent in _positions(state.open, label, reading):
            if parent is None or parent.depth < _MAX_DEPTH:
                key = hash((parent.key if parent else 0, reading.style, reading.path))
                yield _Successor(state.cost + cost, key, state, reading, parent)


def _positions(innermost: Node | None, label: Label, reading: Reading) -> Iterator[tuple[float, Node | None]]:
    """Costs and parents of the positions in the tree that the clause could take."""
    if reading.style in ("attachment", "recital"):
        yield 0.0, innermost if innermost and not label.starts_line else None
        return
    chain = list(_ancestors(innermost))
    if chain and chain[-1].reading.style == "recital" and reading.style[0] in "1asp":
        innermost, chain = None, []  # recitals are lettered: a number in another style ends them
    if label.restarts and reading.path == (1,) and not label.text.startswith("("):
        yield 0.0, next((node for node in chain if node.reading.style == "attachment"), None)
    siblings = [node for node in chain if node.reading.style == reading.style]
    for node in siblings:
        if reading.path[-1] == 1 and node.reading.path[-1] > 2 and len(reading.path) == 1:
            yield _RESTART, node.parent
        step = reading.path[-1] - node.reading.path[-1]
        if reading.path[:-1] == node.reading.path[:-1] and 1 <= step <= _MAX_SKIPPED + 1:
            yield _SKIP * (step - 1) ** 0.5 if step > 1 else 0.0, node.parent
    if len(reading.path) > 1:
        yield from _path_positions(chain, reading)
    else:
        # Articles occur only at the top level of the document or of an exhibit.
        root = chain[-1] if chain and chain[-1].reading.style == "attachment" else None
        parent = root if label.kind == "article" else innermost
        if parent is not None and parent.reading.style == reading.style:
            return  # (a) directly under (a), 1. directly under 1.
        if chain and reading.style in _OUTER and _is_preamble(chain[-1]):
            yield _AFTER_PREAMBLE, None
            yield _OPEN + _IN_PREAMBLE, parent
            return
        late = 0.0 if reading.path[0] == 1 else _OPEN_LATE + 0.1 * reading.path[0]
        yield late + (_OPEN_SAME_STYLE if siblings else _OPEN), parent


def _is_preamble(node: Node) -> bool:
    """Whether the clause may be a party or a recital: top-level, and in brackets or lettered and without a title."""
    style = node.reading.style
    return node.parent is None and (style[0] == "(" or (style in ("1)", "A.") and not node.label.title))


def _path_positions(chain: list[Node], reading: Reading) -> Iterator[tuple[float, Node | None]]:
    """Where ``4.2`` can start a list: under the clause 4, otherwise beside or after a path of the same length."""
    for node in chain:
        is_parent = node.reading.style in _PATH_PARENTS or len(reading.path) > 2
        if is_parent and node.reading.path == reading.path[:-1]:
            last = reading.path[-1]
            yield (0.0 if last <= 1 else _SKIP + 0.1 * last), node
            return
    root = next((node for node in chain if node.reading.style == "attachment"), None)
    sibling = next((node for node in chain if node.reading.style == reading.style), None)
    first = reading.path[-1] <= 1
    if sibling is not None and sibling.reading.path < reading.path:
        steps = reading.path[0] - sibling.reading.path[0]
        yield (_NO_PARENT if first and steps <= 1 else _OPEN_LATE), root
    elif sibling is None:
        yield (_NO_PARENT if first else _OPEN_LATE), root


def _ancestors(node: Node | None) -> Iterator[Node]:
    """The clause and its ancestors, innermost first."""
    while node is not None:
        yield node
        node = node.parent
