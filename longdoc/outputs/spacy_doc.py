"""What was found, as a spaCy ``Doc`` whose text is that of the document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import spacy
from spacy.tokens import Doc, SpanGroup
from spacy.util import filter_spans

from longdoc.outputs.format import PredictionLike

if TYPE_CHECKING:
    from spacy.language import Language


def doc_of(prediction: PredictionLike, nlp: Language | None = None) -> Doc:
    """The result of :meth:`longdoc.prediction.Prediction.to_spacy`."""
    nlp = nlp or spacy.blank("en")
    words, spaces = _words(prediction, nlp)
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    aligned = ((e, doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand")) for e in prediction.entities)
    spans = [(entity, span) for entity, span in aligned if span is not None]
    scores = [entity.score for entity, _ in spans]
    group = SpanGroup(doc, name="longdoc", spans=[span for _, span in spans], attrs={"scores": scores})
    doc.spans["longdoc"] = group
    doc.ents = filter_spans([span for _, span in spans])
    return doc


def _words(prediction: PredictionLike, nlp: Language) -> tuple[list[str], list[bool]]:
    """The tokenizer's words, split where an entity starts or ends inside one, and whether a space follows each."""
    text = prediction.document.text
    boundaries = sorted({boundary for entity in prediction.entities for boundary in (entity.start, entity.end)})
    words, spaces = [], []
    for token in nlp.tokenizer(text):
        start, end = token.idx, token.idx + len(token)
        inner = boundaries[bisect_right(boundaries, start) : bisect_left(boundaries, end)]
        parts = [text[a:b] for a, b in pairwise([start, *inner, end])]
        words += parts
        spaces += [*(False for _ in parts[1:]), bool(token.whitespace_)]
    return words, spaces
