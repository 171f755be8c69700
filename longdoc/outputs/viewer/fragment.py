"""The view of a prediction in a notebook: a fragment of HTML without a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from longdoc.outputs.format import (
    PredictionLike,
    classes,
    not_found,
    passages,
    said_notices,
    shown_gaps,
)
from longdoc.outputs.palette import LIGHT
from longdoc.outputs.viewer.data import add_labels, facts, label_of
from longdoc.outputs.viewer.page import palette, part, text
from longdoc.summary import Name, names_by_label, on_one_line, place, shortened
from longdoc.values import alternative_of

if TYPE_CHECKING:
    from longdoc.labels import Answer, Entity

LINES = 4
"""Kinds of lines below labels, in ``palette.css``."""
_NAMES = 6
"""Names shown per label; the rest are counted."""
_CHARACTERS = 1200
"""Characters of the text shown."""


def fragment(prediction: PredictionLike) -> str:
    """Tables of the answers and the names, above an excerpt of the text around the first of them."""
    document, numbers = prediction.document, add_labels({}, prediction)
    lines = [f"Not found: {', '.join(missing)}"] if (missing := not_found(prediction)) else []
    said = "".join(f'<div class="more">{_line(line)}</div>' for line in [*lines, *said_notices(prediction)])
    found: list[Entity | Answer] = [*prediction.entities, *prediction.spans, *prediction.answers]
    start = max(min((each.start for each in found), default=0) - 200, 0)
    end = min(start + _CHARACTERS, len(document.text))
    within = [each for each in found if each.start < end and each.end > start]
    excerpt = "".join(_highlighted(document.text, start, end, within, numbers))
    excerpt = f"{'… ' if start else ''}{excerpt.strip()}{' …' if end < len(document.text) else ''}"
    about = " · ".join([_line(document.source.name), *map(_line, facts(prediction)), *_gaps(prediction)])
    return (
        f'<div class="longdoc"><style>{_style()}</style>'
        f'<strong>{_line(document.title)}</strong><div class="facts">{about}</div>'
        f'{_tables(prediction, numbers)}{said}<div class="excerpt">{excerpt}</div></div>'
    )


def _style() -> str:
    """The styles, which are for what is within the fragment alone."""
    return f".longdoc {{ {palette()}{part('fragment.css')} }}"


def _gaps(prediction: PredictionLike) -> Iterator[str]:
    """What was not read."""
    for gap, others in shown_gaps(prediction.gaps):
        more = f" and {others:,} other places" if others else ""
        yield f'<span class="gaps">not read: {gap.start}–{gap.end}{more} ({_line(gap.reason)})</span>'


def _tables(prediction: PredictionLike, numbers: dict[str, int]) -> str:
    """The tables of the classes and answers, and of the names."""
    listed = [(name, passage) for name, own in passages(prediction).items() for passage in own]
    above = ["", *(name for name, _ in listed)]
    answers = "".join(_class_row(name, *own) for name, found in classes(prediction).items() for own in found)
    answers += "".join(_answer_row(name, own, before) for (name, own), before in zip(listed, above, strict=False))
    rows = "".join(row for names in names_by_label(prediction.entities).values() for row in _rows(names, numbers))
    name_head = '<tr><th></th><th></th><th class="number">Mentions</th><th>Pages</th><th class="number">Score</th></tr>'
    answer_head = '<tr><th></th><th></th><th>Where</th><th class="number">Score</th></tr>'
    tables = f'<table class="names">{answer_head}{answers}</table>' if answers else ""
    has_names = rows or not (answers or prediction.sought)
    return tables + (f'<table class="names">{name_head}{rows}</table>' if has_names else "")


def _class_row(name: str, where: str, score: float) -> str:
    """The table row of a class in a notebook."""
    return (
        f'<tr class="first"><th>{_line(name)}</th><td></td><td>{_line(where)}</td>'
        f'<td class="number">{score:.2f}</td></tr>'
    )


def _answer_row(name: str, passage: Answer | Entity, name_above: str) -> str:
    """The table row of an answer or a span in a notebook."""
    value = f"{_value(passage)} · " if getattr(passage, "value", None) is not None else ""
    is_first = name != name_above
    return (
        f'<tr class="{"first" if is_first else ""}"><th>{_line(name) if is_first else ""}</th>'
        f"<td>{value}{_line(shortened(passage.text))}</td><td>{_line(place(passage))}</td>"
        f'<td class="number">{passage.score:.2f}{_check(passage)}</td></tr>'
    )


def _check(passage: Answer | Entity) -> str:
    """A mark where a person should look."""
    return ' <span class="doubt">check</span>' if getattr(passage, "check", False) else ""


def _rows(names: list[Name], numbers: dict[str, int]) -> Iterator[str]:
    """The table rows of one label."""
    for position, name in enumerate(names[:_NAMES]):
        label = f"{_swatch(numbers[name.label])}{_line(name.label)}" if position == 0 else ""
        yield (
            f'<tr class="{"" if position else "first"}"><th>{label}</th><td>{_line(name.text)}</td>'
            f'<td class="number">{len(name.mentions)}</td><td>{name.pages}</td>'
            f'<td class="number">{name.score:.2f}</td></tr>'
        )
    if len(names) > _NAMES:
        yield f'<tr><th></th><td class="more" colspan="4">and {len(names) - _NAMES} more</td></tr>'


def _value(passage: Answer | Entity) -> str:
    """The typed value, and its other reading if it has two."""
    value = getattr(passage, "value", None)
    other = alternative_of(value)
    doubt = "" if other is None else f' <span class="doubt">or {_line(str(other))}?</span>'
    return f"<strong>{_line(str(value))}</strong>{doubt}"


def _highlighted(
    text_of: str, start: int, end: int, within: Sequence[Entity | Answer], numbers: dict[str, int]
) -> Iterator[str]:
    """Yields a range of a text in pieces, each inside a ``mark`` for all that is found there, longest outermost."""
    found = sorted(within, key=lambda each: (each.start - each.end, each.start))
    boundaries = {border for each in found for border in (each.start, each.end) if start < border < end}
    for a, b in pairwise(sorted({start, end, *boundaries})):
        around = [each for each in found if each.start <= a and each.end >= b]
        for each in around:
            tip = _line(f"{label_of(each)} {each.score:.2f}")
            yield f'<mark class="{_look(numbers.get(label_of(each), 0))}" title="{tip}">'
        yield text(text_of[a:b].replace("\f", "\n")) + "</mark>" * len(around)


def _swatch(number: int) -> str:
    return f'<span class="swatch {_look(number)}"></span>'


def _look(number: int) -> str:
    """The classes of ``palette.css`` for a label."""
    return f"k{number % len(LIGHT)} u{(number + number // len(LIGHT)) % LINES}"


def _line(given: str) -> str:
    return text(on_one_line(given))
