"""Distinguishes clauses from list items: "either (a) cash or (b) shares", or "the parts are: 1. wheel 2. axle"."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from longdoc.sections.labels import Label
from longdoc.sections.numbering import Node, clauses

_MAX_ITEM, _MAX_ROUNDS = 150, 5


def without_lists(labels: Sequence[Label], text: str) -> list[Node]:
    """The clauses of a text without list items.

    Two kinds of lists are recognised: numbers in brackets, most of them in the middle of a line and at most one at
    the start of one; and numbers with a full stop after a colon, each followed by a short line without a title. The
    clauses are read again without the items until no lists remain, at most five times.

    Args:
        labels: the candidate numbers, in order.
        text: the document's text.
    """
    nodes = clauses(labels)
    for _ in range(_MAX_ROUNDS):
        parents = {id(node.parent) for node in nodes}
        items = {id(node.label) for found in _lists(nodes) if _is_list(found, parents, text) for node in found}
        if not items:
            break
        labels = [label for label in labels if id(label) not in items]
        nodes = clauses(labels)
    return nodes


def _is_list(numbered: Sequence[Node], parents: Collection[int], text: str) -> bool:
    """Whether siblings are a list; ``parents`` are the identities of all clauses with subclauses."""
    first = numbered[0]
    within = sum(not node.label.starts_line and node.label.text.startswith("(") for node in numbered)
    if 2 * within > len(numbered) and len(numbered) - within < 2:
        return True
    plain = first.reading.style in ("1.", "1)") and not first.label.restarts
    if not plain or text[max(0, first.label.start - 20) : first.label.start].rstrip()[-1:] != ":":
        return False
    return all(_is_item(node, text) and id(node) not in parents for node in numbered)


def _lists(nodes: Sequence[Node]) -> list[list[Node]]:
    """Runs of siblings whose numbers increase."""
    lists: list[list[Node]] = []
    current: dict[tuple[int, str], list[Node]] = {}
    for node in nodes:
        key = id(node.parent), node.reading.style
        if key not in current or node.reading.path <= current[key][-1].reading.path:
            current[key] = []
            lists.append(current[key])
        current[key].append(node)
    return lists


def _is_item(node: Node, text: str) -> bool:
    line = text[node.label.end : node.label.end + _MAX_ITEM + 1].lstrip().partition("\n")[0]
    return len(line) < _MAX_ITEM and not node.label.title
