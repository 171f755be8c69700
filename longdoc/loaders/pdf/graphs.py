"""What pdfium does as often as something is referred to, counted before it does: fields, functions, rules of layers.

Thirty objects, each of which refers to the next one twice, are a billion; ten thousand fields can have one long value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias

from longdoc.loaders.limits import Limits
from longdoc.loaders.pdf.syntax import Objects, Reference, Stream

_DEEPEST = 64  # pdfium follows fields and rules half as deep; each function is a start of its own
_PER_OPTION = 4  # pdfium lays out the options of a list: as much work as four fields
_LAID_OUT = 50  # characters of a value: as much work as a field
_PER_RULE = 20  # a rule is followed for each thing that it may hide
_STARTS = re.compile(rb"/(Functions?|VE|OCGs)\b")

_Node: TypeAlias = tuple[int, list[Any]]
"""What a value costs itself, and the values that it refers to."""


def check_graphs(objects: Objects, name: str, limits: Limits) -> None:
    """Raises an error if fields, functions and rules of layers, each as often as referred to, exceed the limits.

    Args:
        objects: the objects of the file.
        name: its name, for errors.
        limits: the limits on the input.

    Raises:
        LimitExceededError: they are more than ``limits.references``.
    """
    form = objects.entries(objects.catalog.get(b"/AcroForm"))
    total = _followed(objects.items(form.get(b"/Fields")), lambda value: _field(objects, value), limits.references)
    functions, rules = set[Reference](), set[Reference]()
    for number, found in objects.find(_STARTS):
        if found[1].startswith(b"Function"):
            functions.add(number)
        elif number != objects.catalog.get(b"/OCProperties"):
            rules.add(number)
    total += _followed(functions, lambda value: _function(objects, value), limits.references)
    total += _followed(rules, lambda value: _rule(objects, value), limits.references)
    limits.check("references", total, name)


def _followed(starts: Iterable[Any], node: Callable[[Any], _Node], most: int) -> int:
    """What it costs to follow values from some starts, those again and again that are referred to repeatedly.

    Args:
        starts: where it starts.
        node: what a value costs, and what it refers to.
        most: the highest cost of interest; beyond it, the count ends.
    """
    total = 0
    level = [(value, 1) for value in starts]
    for _ in range(_DEEPEST):
        times: Counter[Reference] = Counter()
        for value, n in level:
            if isinstance(value, Reference):
                times[value] += n
        direct = ((value, n) for value, n in level if not isinstance(value, Reference))
        following: list[tuple[Any, int]] = []
        for value, n in chain(times.items(), direct):
            cost, inner = node(value)
            total += n * cost
            following += [(each, n) for each in inner]
            if total > most:
                return total
        if not following:
            break
        level = following
    return total


def _field(objects: Objects, value: Any) -> _Node:
    """A form field, with the fields in it."""
    return 1, objects.items(objects.entries(value).get(b"/Kids"))


def cost_of(objects: Objects, annotation: Any) -> int:
    """What it costs to lay out an annotation: its options, texts and shapes, in fields of a form.

    Args:
        objects: the objects of the file.
        annotation: an item of the annotations of a page.
    """
    entries = objects.entries(annotation)
    inherited, above = dict(entries), entries
    for _ in range(_DEEPEST):
        if b"/Parent" not in above:
            break
        above = objects.entries(above[b"/Parent"])
        inherited = above | inherited
    texts = (objects.get(inherited.get(key)) for key in (b"/V", b"/DV", b"/Contents", b"/T", b"/RC"))
    shapes = [objects.items(entries.get(key)) for key in (b"/QuadPoints", b"/InkList", b"/Vertices")]
    return (
        _PER_OPTION * len(objects.items(inherited.get(b"/Opt")))
        + sum(len(each) // _LAID_OUT for each in texts if isinstance(each, bytes | list))
        + sum(len(shape) // _LAID_OUT for shape in shapes)
        + sum(len(objects.items(each)) // _LAID_OUT for each in shapes[1])
    )


def _function(objects: Objects, value: Any) -> _Node:
    """Something with functions: a shading, a picture's colours, a function that is joined from others."""
    return 1, [*_under(objects, objects.get(value), b"/Functions", b"/Function")]


def _rule(objects: Objects, value: Any) -> _Node:
    """A rule of layers: an array of an operator and rules, or what has such an array."""
    found = objects.get(value)
    if isinstance(found, list):
        return _PER_RULE, [each for each in found if isinstance(each, Reference | list)]
    rules = [*_under(objects, found, b"/VE", b"/OCGs")]
    return _PER_RULE * len(rules), rules


def _under(objects: Objects, value: Any, *keys: bytes) -> Iterator[Any]:
    """The values under some keys of an object and of the dictionaries in it, but not in the list of all layers."""
    waiting = [value.entries if isinstance(value, Stream) else value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            for key in keys:
                yield from objects.items(each.get(key))
            waiting += [inner for key, inner in each.items() if key != b"/OCProperties"]
        elif isinstance(each, list):
            waiting += each
