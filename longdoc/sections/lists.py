"""Tells clauses from the items of a list: "either (a) cash or (b) shares", or "the parts are: 1. wheel 2. axle"."""

from __future__ import annotations

from collections.abc import Sequence

from longdoc.sections.labels import Label
from longdoc.sections.numbering import Node, clauses

_LONGEST_ITEM, _MOST_ROUNDS = 150, 5


def without_lists(labels: Sequence[Label], text: str) -> list[Node]:
    """The clauses, read again without the items of lists until none are left, five times at most.

    Items are bracketed numbers of which most stand within a line and no two start one, and numbers with a full stop
    after a colon if all are followed by a short line, without a title.
    """
    nodes = clauses(labels)
    for _ in range(_MOST_ROUNDS):
        items = {id(node.label) for found in _lists(nodes) if _is_list(found, nodes, text) for node in found}
        if not items:
            break
        labels = [label for label in labels if id(label) not in items]
        nodes = clauses(labels)
    return nodes


def _is_list(numbered: Sequence[Node], nodes: Sequence[Node], text: str) -> bool:
    first = numbered[0]
    within = sum(not node.label.starts_line and node.label.text.startswith("(") for node in numbered)
    if 2 * within > len(numbered) and len(numbered) - within < 2:
        return True
    plain = first.reading.style in ("1.", "1)") and not first.label.fresh
    if not plain or text[max(0, first.label.start - 20) : first.label.start].rstrip()[-1:] != ":":
        return False
    ids = {id(node) for node in numbered}
    return all(_is_item(node, text) for node in numbered) and not any(id(node.parent) in ids for node in nodes)


def _lists(nodes: Sequence[Node]) -> list[list[Node]]:
    """The clauses that count on from each other."""
    lists: list[list[Node]] = []
    current: dict[tuple[int, str], list[Node]] = {}
    for node in nodes:
        place = id(node.parent), node.reading.style
        if place not in current or node.reading.path <= current[place][-1].reading.path:
            current[place] = []
            lists.append(current[place])
        current[place].append(node)
    return lists


def _is_item(node: Node, text: str) -> bool:
    line = text[node.label.end : node.label.end + _LONGEST_ITEM + 1].lstrip().partition("\n")[0]
    return len(line) < _LONGEST_ITEM and not node.label.title
