"""What was found, as a spaCy ``Doc`` whose text is that of the document.

Importing this module adds the attributes ``longdoc_…`` to ``Doc`` and ``Span``, once for a process: they are spaCy's
``user_data``, which pickles and ``DocBin`` keep. All that is known of a finding is in lists in the ``attrs`` of its
span group, too, since spaCy gives all spans of the same tokens the same attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import spacy
from spacy.tokens import Doc, Span, SpanGroup

from longdoc.outputs.format import PredictionLike
from longdoc.outputs.marks import Mark, flat, marks_of, split, text_of
from longdoc.outputs.omissions import Omissions
from longdoc.outputs.surrogates import escaped

if TYPE_CHECKING:
    from spacy.language import Language

GROUPS = {"entity": "longdoc", "span": "longdoc_spans", "answer": "longdoc_answers"}
"""The span group of each kind of finding."""
SECTIONS, CLASSES = "longdoc_sections", "longdoc_classes"
_OF_DOC = {"longdoc_name": "", "longdoc_kind": "", "longdoc_coverage": None, "longdoc_warnings": ()}
_OF_SPAN = {"longdoc_page": None, "longdoc_boxes": (), "longdoc_section": None}

for _owner, _names in ((Doc, _OF_DOC), (Span, _OF_SPAN)):
    for _name, _default in _names.items():
        _owner.set_extension(_name, default=_default, force=True)


def doc_of(prediction: PredictionLike, nlp: Language | None = None, omissions: Omissions | None = None) -> Doc:
    """The result of :meth:`longdoc.prediction.Prediction.to_spacy`.

    Args:
        prediction: what was found.
        nlp: the pipeline whose tokenizer and vocabulary to use; a blank English one by default.
        omissions: collects what a ``Doc`` does not hold.
    """
    nlp, omissions = nlp or _blank_english(), omissions if omissions is not None else Omissions()
    text = text_of(prediction, omissions)
    words, spaces = _words(text, prediction, nlp)
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    annotate(doc, prediction, omissions)
    return doc


@cache
def _blank_english() -> Language:
    return spacy.blank("en")


def annotate(doc: Doc, prediction: PredictionLike, omissions: Omissions) -> None:
    """Adds all that was found to a ``Doc`` with the text of the document.

    A finding that starts or ends inside a token is widened to whole tokens; its group's ``attrs["offsets"]`` are exact.
    ``doc.ents`` keeps the entities of other components that overlap none of longdoc's.
    """
    marks = marks_of(prediction, omissions)
    for kind, name in GROUPS.items():
        own = [(mark, _span(doc, mark.start, mark.end, mark.label)) for mark in marks if mark.kind == kind]
        placed = [(mark, span) for mark, span in own if span is not None]
        omissions.add("findings of spaces that are no token", len(own) - len(placed))
        doc.spans[name] = SpanGroup(doc, name=name, spans=[span for _, span in placed], attrs=_attrs(placed))
        for mark, span in placed:
            _describe(span, mark)
    _add_ents(doc, [mark for mark in marks if mark.kind == "entity"])
    _add_sections(doc, prediction)
    doc.cats |= {escaped(label.name): label.score for label in prediction.labels if label.start is None}
    doc._.longdoc_name, doc._.longdoc_kind = escaped(prediction.document.source.name), prediction.kind
    doc._.longdoc_coverage = prediction.coverage
    doc._.longdoc_warnings = [escaped(each) for each in prediction.document.warnings]


def _span(doc: Doc, start: int, end: int, label: str) -> Span | None:
    found: Span | None = doc.char_span(start, end, label=label, alignment_mode="expand")
    return found


def _attrs(placed: Sequence[tuple[Mark, Span]]) -> dict[str, list[Any]]:
    """What is known of each span of a group."""
    marks = [mark for mark, _ in placed]
    return {
        "scores": [mark.found.score for mark in marks],
        "offsets": [[mark.start, mark.end] for mark in marks],
        "sources": [mark.found.source for mark in marks],
        "remarks": [escaped(mark.remark) for mark in marks],
        "pages": [mark.found.page for mark in marks],
        "boxes": [_boxes(mark) for mark in marks],
        "sections": [None if mark.found.section is None else escaped(mark.found.section) for mark in marks],
    }


def _boxes(mark: Mark) -> list[list[float]]:
    return [[box.page, box.x0, box.y0, box.x1, box.y1] for box in mark.found.boxes]


def _describe(span: Span, mark: Mark) -> None:
    span._.longdoc_page = mark.found.page
    if mark.found.boxes:
        span._.longdoc_boxes = _boxes(mark)
    if mark.found.section is not None:
        span._.longdoc_section = escaped(mark.found.section)


def _add_ents(doc: Doc, marks: Iterable[Mark]) -> None:
    """Sets the entities, of which no two overlap: longdoc's longest ones, and others where there are none."""
    own = [span for mark in flat(marks) if (span := _span(doc, mark.start, mark.end, mark.label)) is not None]
    taken = [False] * len(doc)
    kept = []
    for span in (*own, *doc.ents):
        if not any(taken[span.start : span.end]) and not span.text.isspace():
            taken[span.start : span.end] = [True] * len(span)
            kept.append(span)
    doc.ents = kept


def _add_sections(doc: Doc, prediction: PredictionLike) -> None:
    """Adds a group of the sections, labelled by their kind, and one of the classes of sections."""
    sections = [
        (section, span)
        for section in prediction.document.sections
        if section.start < section.end
        and (span := _span(doc, section.start, section.end, escaped(section.kind))) is not None
    ]
    attrs = {
        "numbers": [escaped(section.number) for section, _ in sections],
        "titles": [escaped(section.title) for section, _ in sections],
        "levels": [section.level for section, _ in sections],
        "offsets": [[section.start, section.end] for section, _ in sections],
    }
    doc.spans[SECTIONS] = SpanGroup(doc, name=SECTIONS, spans=[span for _, span in sections], attrs=attrs)
    classes = [
        (label, span)
        for label in prediction.labels
        if label.start is not None
        and label.end is not None
        and (span := _span(doc, label.start, label.end, escaped(label.name))) is not None
    ]
    scores = {"scores": [label.score for label, _ in classes]}
    doc.spans[CLASSES] = SpanGroup(doc, name=CLASSES, spans=[span for _, span in classes], attrs=scores)


def _words(text: str, prediction: PredictionLike, nlp: Language) -> tuple[list[str], list[bool]]:
    """The tokenizer's words, split where a finding starts or ends inside one, and whether a space follows each.

    A space at which a finding starts or ends is a word of its own.
    """
    marks = marks_of(prediction, Omissions())
    starts, ends = {mark.start for mark in marks}, {mark.end for mark in marks}
    words, spaces = [], []
    tokens = [*split(_tokens(text, nlp), sorted(starts | ends)), (len(text), len(text))]
    for (start, end), (following, _) in pairwise(tokens):
        has_space = end < following
        is_word = has_space and (end in starts or following in ends)
        words += [text[start:end], " "] if is_word else [text[start:end]]
        spaces += [False, False] if is_word else [has_space]
    return words, spaces


LONGEST = 500
"""Characters of a word that the tokenizer is given whole: the time of spaCy's grows with the square of their number."""


def _tokens(text: str, nlp: Language) -> Iterator[tuple[int, int]]:
    """The ranges of the tokenizer's tokens; a space between two is in none."""
    for start, end in pairwise(_pieces(text)):
        for token in nlp.tokenizer(text[start:end]):
            place = start + token.idx
            yield place, place + len(token)


def _pieces(text: str) -> list[int]:
    """Where to cut a text, so that no word is longer than ``LONGEST``: the start and the end, at least."""
    cuts = [
        place
        for word in re.finditer(rf"\S{{{LONGEST + 1},}}", text)
        for place in range(word.start() + LONGEST, word.end(), LONGEST)
    ]
    return [0, *cuts, len(text)]
