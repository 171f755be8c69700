"""A self-contained web page without scripts: the text with what was found highlighted, and a list of it beside it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

from longdoc.errors import DocumentError
from longdoc.outputs.format import (
    Format,
    Outcome,
    PredictionLike,
    classes,
    not_found,
    passages,
    rejected_for,
    said_notices,
    searched_in,
    searched_in_part,
    shown_gaps,
)
from longdoc.summary import Name, count, names_by_label, on_one_line, place, shortened
from longdoc.values import alternative_of

if TYPE_CHECKING:
    from longdoc.labels import Answer, Entity

HUES = (212, 28, 142, 282, 352, 184, 54, 320, 96, 248)
"""Colours of the labels, in degrees on the colour wheel; the first few are far apart."""

ANSWER_HUE = 212
"""Colour of all answers: a schema has more fields than there are colours."""
FRAGMENT_NAMES = 6
"""Names shown per label in a notebook; the rest are counted."""
FRAGMENT_CHARACTERS = 1200
"""Characters of the text shown in a notebook."""

_MARKS = """
.longdoc mark { color: inherit; background: hsl(var(--hue) 85% 55% / .2); padding: .06em 0;
  box-shadow: inset 0 -.12em hsl(var(--hue) 70% 50% / .75); }
.longdoc .dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em;
  background: hsl(var(--hue) 70% 50%); }
"""
_FRAGMENT_CSS = """
.longdoc { max-width: 62rem; line-height: 1.45; }
.longdoc .facts, .longdoc .more { opacity: .65; }
.longdoc table.names { border-collapse: collapse; margin: .6em 0; }
.longdoc table.names :is(th, td) { text-align: left; vertical-align: top; padding: .15em 1.2em .15em 0; border: 0;
  background: none; }
.longdoc table.names tr.first :is(th, td) { border-top: 1px solid hsl(0 0% 50% / .3); }
.longdoc table.names .number { text-align: right; font-variant-numeric: tabular-nums; }
.longdoc .excerpt { white-space: pre-wrap; overflow: auto; max-height: 15em; padding: .7em 1em;
  border: 1px solid hsl(0 0% 50% / .3); border-radius: .4em; }
"""
_DOUBT_CSS = """
.longdoc .doubt { color: #c07010; font-weight: 600; }
"""
_PAGE_CSS = """
:root { color-scheme: light dark; --paper: #fff; --desk: #f1f1ef; --ink: #1d1d1f; --faint: #6b6b70; --rule: #d9d9d6;
  --doubt: #96540a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1e1f22; --desk: #141517; --ink: #e4e4e2; --faint: #9a9a9e; --rule: #36373b; --doubt: #e8a33d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--desk); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
article { max-width: 76rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 .2rem; }
.facts, .more, .page h3 { color: var(--faint); }
.facts { margin: 0 0 1.5rem; }
.gaps { color: #c22; }
.columns { display: grid; grid-template-columns: 19rem minmax(0, 1fr); gap: 2rem; align-items: start; }
nav { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow: auto; font-size: .9rem;
  padding-right: .6rem; }
nav details { border-top: 1px solid var(--rule); padding: .5rem 0; }
nav summary { cursor: pointer; font-weight: 600; }
nav ul { list-style: none; margin: .3rem 0; padding: 0 0 0 1.2rem; }
nav li { display: flex; gap: .8rem; justify-content: space-between; }
nav li span { color: var(--faint); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 50%;
  flex-shrink: 0; font-variant-numeric: tabular-nums; }
nav.answers { font-size: .92rem; } .columns:has(nav.answers) { grid-template-columns: 24rem minmax(0, 1fr); }
nav dl { margin: 0 0 1rem; } nav dt { border-top: 1px solid var(--rule); padding: .55rem 0 .1rem; font-weight: 600; }
nav dd { margin: 0 0 .5rem; } nav dd > * { display: block; } nav .where, nav .missing { color: var(--faint); }
nav .where { font-size: .85em; font-variant-numeric: tabular-nums; } .doubt { color: var(--doubt); font-weight: 600; }
nav a { color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { text-decoration: underline; }
.page { background: var(--paper); border: 1px solid var(--rule); border-radius: .3rem; margin: 0 0 1rem;
  padding: 1.2rem 2.4rem 2rem; font: 1rem/1.6 Georgia, "Liberation Serif", serif; }
.page h3 { font: .75rem/1 system-ui, sans-serif; text-align: right; margin: 0 -1.2rem .6rem; }
.page p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
mark { scroll-margin-top: 30vh; }
mark:target { outline: 2px solid hsl(var(--hue) 80% 45%); outline-offset: 2px; }
@media (max-width: 55rem) { .columns, .columns:has(nav.answers) { grid-template-columns: 1fr; }
  nav { position: static; max-height: none; }
  .page { padding: 1rem 1.2rem 1.5rem; } .page h3 { margin-right: 0; } }
@media print { nav { display: none; } nav.answers { display: block; position: static; max-height: none; }
  .columns { display: block; } .page { border: 0; } body { background: none; } }
"""


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes a page with an article per document."""
    stream.write('<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n')
    stream.write('<meta name="viewport" content="width=device-width, initial-scale=1">\n')
    stream.write(f"<title>longdoc</title>\n<style>{_PAGE_CSS}{_MARKS}</style>\n")
    hues: dict[str, int] = {}
    for number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome.result, DocumentError):
            stream.write(_failure(outcome.source, outcome.result))
        else:
            _add_hues(hues, outcome.result)
            stream.write(_article(outcome, outcome.result, f"d{number}", hues))
    stream.write("</html>\n")


def fragment(prediction: PredictionLike) -> str:
    """The view in a notebook: tables of the answers and the names, above an excerpt of the text around the first."""
    document, hues = prediction.document, _add_hues({}, prediction)
    listed = [(name, passage) for name, own in passages(prediction).items() for passage in own]
    names_above = ["", *(name for name, _ in listed)]
    answers = "".join(
        _answer_row(name, passage, above) for (name, passage), above in zip(listed, names_above, strict=False)
    )
    answers = "".join(_class_row(name, *own) for name, found in classes(prediction).items() for own in found) + answers
    rows = "".join(row for names in names_by_label(prediction.entities).values() for row in _rows(names, hues))
    name_head = '<tr><th></th><th></th><th class="number">Mentions</th><th>Pages</th><th class="number">Score</th></tr>'
    answer_head = '<tr><th></th><th></th><th>Where</th><th class="number">Score</th></tr>'
    tables = f'<table class="names">{answer_head}{answers}</table>' if answers else ""
    tables += f'<table class="names">{name_head}{rows}</table>' if rows or not (answers or prediction.sought) else ""
    lines = [f"Not found: {', '.join(missing)}"] if (missing := not_found(prediction)) else []
    tables += "".join(f'<div class="more">{_text(line)}</div>' for line in [*lines, *said_notices(prediction)])
    start = max(min((found.start for found in _found(prediction)), default=0) - 200, 0)
    end = min(start + FRAGMENT_CHARACTERS, len(document.text))
    within = [found for found in _found(prediction) if found.start < end and found.end > start]
    excerpt = "".join(_highlighted(document.text, start, end, within, hues, ""))
    excerpt = f"{'… ' if start else ''}{excerpt.strip()}{' …' if end < len(document.text) else ''}"
    return (
        f'<div class="longdoc"><style>{_MARKS}{_FRAGMENT_CSS}{_DOUBT_CSS if answers else ""}</style>'
        f'<strong>{_text(document.title)}</strong><div class="facts">{_facts(document.source.name, prediction)}</div>'
        f'{tables}<div class="excerpt">{excerpt}</div></div>'
    )


def _class_row(name: str, where: str, score: float) -> str:
    """The table row of a class in a notebook."""
    return (
        f'<tr class="first"><th>{_text(name)}</th><td></td><td>{_text(where)}</td>'
        f'<td class="number">{score:.2f}</td></tr>'
    )


def _answer_row(name: str, passage: Answer | Entity, name_above: str) -> str:
    """The table row of an answer or a span in a notebook."""
    value = f"{_value(passage)} · " if getattr(passage, "value", None) is not None else ""
    is_first = name != name_above
    return (
        f'<tr class="{"first" if is_first else ""}"><th>{_text(name) if is_first else ""}</th>'
        f"<td>{value}{_text(shortened(passage.text))}</td><td>{_text(place(passage))}</td>"
        f'<td class="number">{passage.score:.2f}{_check(passage)}</td></tr>'
    )


def _check(passage: Answer | Entity) -> str:
    """A mark where a person should look."""
    return ' <span class="doubt">check</span>' if getattr(passage, "check", False) else ""


def _rows(names: list[Name], hues: dict[str, int]) -> Iterator[str]:
    """The table rows of one label."""
    for position, name in enumerate(names[:FRAGMENT_NAMES]):
        label = f"{_dot(name.label, hues)}{_text(name.label)}" if position == 0 else ""
        yield (
            f'<tr class="{"" if position else "first"}"><th>{label}</th><td>{_text(name.text)}</td>'
            f'<td class="number">{len(name.mentions)}</td><td>{name.pages}</td>'
            f'<td class="number">{name.score:.2f}</td></tr>'
        )
    if len(names) > FRAGMENT_NAMES:
        yield f'<tr><th></th><td class="more" colspan="4">and {len(names) - FRAGMENT_NAMES} more</td></tr>'


def _article(outcome: Outcome, prediction: PredictionLike, anchor: str, hues: dict[str, int]) -> str:
    """The header, list of answers and names, and pages of one document."""
    answers, text = _answers(prediction, anchor), prediction.document.text
    groups = "".join(
        f"<details open><summary>{_dot(label, hues)}{_text(label)}</summary><ul>"
        + "".join(_item(name, anchor) for name in names)
        + "</ul></details>\n"
        for label, names in names_by_label(prediction.entities).items()
    )
    pages = "".join(
        f'<section class="page"><h3>{page.number}{"" if page.verdict == "text" else f" · {_text(page.verdict)}"}</h3>'
        f"<p>{''.join(_highlighted(text, page.start, page.end, within, hues, anchor)).strip()}</p></section>\n"
        for page, within in zip(prediction.document.pages, _found_by_page(prediction), strict=True)
    )
    kind = ' class="answers"' if answers else ""
    nothing = '<p class="facts">Nothing found.</p>\n' if not answers and not groups else ""
    return (
        f'<article class="longdoc">\n<h1>{_text(prediction.document.title)}</h1>\n'
        f'<p class="facts">{_facts(outcome.source, prediction)}</p>\n{_warnings(prediction)}'
        f'<div class="columns">\n<nav{kind}>\n{answers}{groups}{nothing}</nav>\n'
        f"<main>\n{pages}</main>\n</div>\n</article>\n"
    )


def _answers(prediction: PredictionLike, anchor: str) -> str:
    """The list of classes, of answers by field and of spans by label, and of the fields without any."""
    found = passages(prediction)
    shown = "".join(
        f"<dt>{_text(name)}</dt>"
        + "".join(f'<dd><span class="where">{_text(where)} · {score:.2f}</span></dd>' for where, score in own)
        for name, own in classes(prediction).items()
    )
    shown += "".join(
        f"<dt>{_text(name)}</dt>{''.join(_answer(passage, anchor) for passage in own)}\n"
        for name, own in found.items()
        if own
    )
    missing = "".join(f"<li>{_missing(name, prediction)}</li>" for name in not_found(prediction))
    return (f"<dl>{shown}</dl>\n" if shown else "") + (
        f'<div class="missing"><strong>Not found:</strong><ul>{missing}</ul></div>\n' if missing else ""
    )


def _missing(name: str, prediction: PredictionLike) -> str:
    """A field that was not found, with the closest candidate."""
    closest, said = rejected_for(prediction, name), _text(searched_in(prediction, name))
    if closest is None:
        return said
    tip = _text(f"closest: page {closest.page}, score {closest.score:.2f}: {shortened(closest.text)}")
    return f'<span title="{tip}">{said}</span>'


def _answer(passage: Answer | Entity, anchor: str) -> str:
    link = f'<a href="#{anchor}-{passage.start}">{_text(shortened(passage.text))}</a>'
    link = link if passage.end > passage.start else f"<span>{_text(shortened(passage.text))}</span>"
    value = f'<span class="value">{_value(passage)}</span>' if getattr(passage, "value", None) is not None else ""
    where = f"{_text(place(passage))} · {passage.score:.2f}{_check(passage)}"
    return f'<dd>{value}{link}<span class="where">{where}</span></dd>'


def _value(passage: Answer | Entity) -> str:
    """The typed value, and its other reading if it has two."""
    value = getattr(passage, "value", None)
    other = alternative_of(value)
    doubt = "" if other is None else f' <span class="doubt">or {_text(str(other))}?</span>'
    return f"<strong>{_text(str(value))}</strong>{doubt}"


def _label(found: Entity | Answer) -> str:
    """The label of an entity, or the field or question of an answer."""
    return found.label or str(getattr(found, "question", ""))


def _warnings(prediction: PredictionLike) -> str:
    """What was lost in loading, and what was not sought or left out."""
    said = [*prediction.document.warnings, *said_notices(prediction)]
    lines = "".join(f"<li>{_text(each)}</li>" for each in said)
    return f'<ul class="gaps">{lines}</ul>\n' if lines else ""


def _failure(source: str, error: DocumentError) -> str:
    """The article of a document that could not be read."""
    return (
        f'<article class="longdoc">\n<h1>{_text(source)}</h1>\n'
        f'<p class="facts"><span class="gaps">Not read: {_text(str(error))}</span></p>\n</article>\n'
    )


def _item(name: Name, anchor: str) -> str:
    times = f"×{len(name.mentions)} · " if len(name.mentions) > 1 else ""
    link = f'<a href="#{anchor}-{name.mentions[0].start}" title="score {name.score:.2f}">{_text(name.text)}</a>'
    return f'<li>{link} <span title="pages {name.pages}">{times}p. {name.pages}</span></li>'


def _facts(source: str, prediction: PredictionLike) -> str:
    """The file name, the length, and how much of the text the model saw."""
    document = prediction.document
    facts = [
        _text(source),
        count(len(document.pages), "page"),
        count(len(document.text), "character"),
    ]
    gaps = "; ".join(
        f"{gap.start}–{gap.end}{f' and {others:,} other places' if others else ''}: {_text(gap.reason)}"
        for gap, others in shown_gaps(prediction.gaps)
    )
    partly = _text(", ".join(searched_in_part(prediction)))
    whole = f"questions: {partly}" if partly else "read to the last character"
    coverage = f'<span class="gaps">{prediction.coverage:.1%} read ({gaps})</span>' if gaps else whole
    return " · ".join([*facts, coverage])


def _highlighted(
    text: str, start: int, end: int, within: Sequence[Entity | Answer], hues: dict[str, int], anchor: str
) -> Iterator[str]:
    """Yields ``text[start:end]`` in pieces, each inside the ``mark`` of all that is found there, longest outermost."""
    entities = sorted(within, key=lambda entity: (entity.start - entity.end, entity.start))
    boundaries = {boundary for entity in entities for boundary in (entity.start, entity.end) if start < boundary < end}
    cuts = sorted({start, end, *boundaries})
    starting: dict[int, list[Entity | Answer]] = {}
    for entity in entities:
        starting.setdefault(max(entity.start, start), []).append(entity)
    around: list[Entity | Answer] = []
    for a, b in pairwise(cuts):
        around = [entity for entity in around if entity.end > a] + starting.get(a, [])
        around.sort(key=lambda entity: entity.start - entity.end)
        target = f' id="{anchor}-{a}"' if anchor and any(entity.start == a for entity in around) else ""
        for entity in around:
            tip = _text(f"{_label(entity)} {entity.score:.2f}")
            yield f'<mark{target} style="--hue:{hues.get(_label(entity), ANSWER_HUE)}" title="{tip}">'
            target = ""
        yield _text(text[a:b], one_line=False) + "</mark>" * len(around)


def _found(prediction: PredictionLike) -> list[Entity | Answer]:
    return [*prediction.entities, *prediction.spans, *prediction.answers]


def _found_by_page(prediction: PredictionLike) -> list[list[Entity | Answer]]:
    """What is found on each page, in part or whole."""
    pages = prediction.document.pages
    within: list[list[Entity | Answer]] = [[] for _ in pages]
    for found in _found(prediction):
        at = bisect_right(pages, found.start, key=lambda page: page.end)
        while at < len(pages) and pages[at].start < found.end:
            within[at].append(found)
            at += 1
    return within


def _add_hues(hues: dict[str, int], prediction: PredictionLike) -> dict[str, int]:
    """Adds a colour to ``hues`` for each new label, so that a label keeps its colour across documents."""
    for entity in prediction.entities:
        hues.setdefault(entity.label, HUES[len(hues) % len(HUES)])
    return hues


def _dot(label: str, hues: dict[str, int]) -> str:
    return f'<span class="dot" style="--hue:{hues[label]}"></span>'


def _text(text: str, *, one_line: bool = True) -> str:
    """Escapes text for HTML, also inside quotes; control characters, which HTML forbids, become U+FFFD."""
    text = on_one_line(text) if one_line else text.replace("\f", "\n")
    return escape(re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text))


FORMAT = Format(
    name="html",
    description="a web page with the findings highlighted",
    suffix=".html",
    streams=False,
    write=write,
    answers=True,
)
