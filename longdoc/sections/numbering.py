"""Decides which numbers are those of clauses, and how they nest, from their order.

A number is a clause's if it goes on with the numbering around it: the next after a clause that is open, or the first of
a new list inside it. The text is read once with the few best trees so far (a beam): reading "(i)" after "(h)" as the
letter or as the roman 1 costs the same, until "(j)" or "(ii)" follows. A number left out, skipped or misprinted has a
price, so one slip does not break the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.sections.labels import Label, Reading

_BEAM = 8
_DEEPEST = 8
_OPEN, _OPEN_SAME_STYLE, _OPEN_LATE, _SKIP, _NO_PARENT, _RESTART = 0.3, 0.9, 1.8, 0.9, 0.7, 0.8
_AFTER_PREAMBLE, _IN_PREAMBLE = 0.5, 0.6
_OUTER = ("1.", "article", "section", "A.", "(A)", "I.")
_MOST_SKIPPED = 3
_COUNTED = ("article", "section", "1.", "1)")
"""Styles whose numbers paths go on from: 4 and 4.2."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A clause: its label as read, and the clause around it."""

    label: Label
    reading: Reading
    parent: Node | None
    depth: int
    key: int
    """Equal for trees that go on alike."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A tree so far."""

    cost: float
    open: Node | None
    """The innermost open clause."""
    last: _Step | None
    """The clauses of the tree, the last one first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    node: Node
    before: _Step | None


def clauses(labels: Sequence[Label]) -> list[Node]:
    """The labels that number clauses, each with the clause around it, in order."""
    beam = [_State(0.0, None, None)]
    for label in labels:
        best: dict[int, _State] = {}
        for state in beam:
            for following in _steps(state, label):
                key = following.open.key if following.open else 0
                if key not in best or following.cost < best[key].cost:
                    best[key] = following
        beam = sorted(best.values(), key=lambda state: state.cost)[:_BEAM]
    found: list[Node] = []
    step = beam[0].last
    while step is not None:
        found.append(step.node)
        step = step.before
    return found[::-1]


def _steps(state: _State, label: Label) -> Iterator[_State]:
    """Everything the label can be after ``state``."""
    yield _State(state.cost + label.weight, state.open, state.last)
    for reading in label.readings:
        for price, parent in _places(state.open, label, reading):
            depth = parent.depth + 1 if parent else 1
            if depth <= _DEEPEST:
                key = hash((parent.key if parent else 0, reading.style, reading.path))
                node = Node(label, reading, parent, depth, key)
                yield _State(state.cost + price, node, _Step(node, state.last))


def _places(innermost: Node | None, label: Label, reading: Reading) -> Iterator[tuple[float, Node | None]]:
    """Prices and parents of every place in the tree where the clause could stand."""
    if reading.style in ("attachment", "recital"):
        yield 0.0, innermost if innermost and not label.starts_line else None
        return
    chain = list(_up(innermost))
    if chain and chain[-1].reading.style == "recital" and reading.style[0] in "1asp":
        innermost, chain = None, []  # recitals are lettered; the agreement itself starts here
    if label.fresh and reading.path == (1,) and not label.text.startswith("("):
        yield 0.0, next((node for node in chain if node.reading.style == "attachment"), None)
    siblings = [node for node in chain if node.reading.style == reading.style]
    for node in siblings:
        if reading.path[-1] == 1 and node.reading.path[-1] > 2 and len(reading.path) == 1:
            yield _RESTART, node.parent
        step = reading.path[-1] - node.reading.path[-1]
        if reading.path[:-1] == node.reading.path[:-1] and 1 <= step <= _MOST_SKIPPED + 1:
            yield _SKIP * (step - 1) ** 0.5 if step > 1 else 0.0, node.parent
    if len(reading.path) > 1:
        yield from _path_places(chain, reading)
    else:
        # Articles open lists only at the top of the document or of an exhibit.
        root = chain[-1] if chain and chain[-1].reading.style == "attachment" else None
        parent = root if label.kind == "article" else innermost
        if parent is not None and parent.reading.style == reading.style:
            return  # (a) right under (a), 1. right under 1.
        if chain and reading.style in _OUTER and _is_preamble(chain[-1]):
            yield _AFTER_PREAMBLE, None
            yield _OPEN + _IN_PREAMBLE, parent
            return
        late = 0.0 if reading.path[0] == 1 else _OPEN_LATE + 0.1 * reading.path[0]
        yield late + (_OPEN_SAME_STYLE if siblings else _OPEN), parent


def _is_preamble(node: Node) -> bool:
    """Whether the clause may be a party or a recital: at the top, in brackets, or lettered and without a title."""
    style = node.reading.style
    return node.parent is None and (style[0] == "(" or (style in ("1)", "A.") and not node.label.title))


def _path_places(chain: list[Node], reading: Reading) -> Iterator[tuple[float, Node | None]]:
    """Where ``4.2`` can open a list: under the clause 4, else beside or after a path of the same length."""
    for node in chain:
        counted = node.reading.style in _COUNTED or len(reading.path) > 2
        if counted and node.reading.path == reading.path[:-1]:
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


def _up(node: Node | None) -> Iterator[Node]:
    """The clause and those around it, from the inside, to the top of the document or of the exhibit."""
    while node is not None:
        yield node
        node = node.parent
