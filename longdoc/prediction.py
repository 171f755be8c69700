"""What was found in a document, how sure it is, and how much of the document the model saw.

>>> from longdoc.document import Document
>>> document = Document.from_text("Lease between Ada Ltd. and Bob.", name="lease.txt")
>>> party = Entity(text="Ada Ltd.", label="PARTY", start=14, end=22, score=0.98, page=1)
>>> prediction = Prediction(document=document, entities=(party,))
>>> prediction, prediction.coverage
(Prediction('lease.txt', 1 entity, coverage 100%), 1.0)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc import outputs
from longdoc.document import Box, Document
from longdoc.errors import DocumentError
from longdoc.labels import Answer, Entity, Label
from longdoc.values import to_plain

if TYPE_CHECKING:
    import pandas
    from spacy.language import Language
    from spacy.tokens import Doc

COLUMNS = ("label", "text", "page", "score", "start", "end", "section", "boxes")


@dataclass(frozen=True, slots=True)
class Gap:
    """Characters ``start:end`` of the text that the model did not see."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be read, in the place of its prediction."""

    source: str
    """Name of the document: its path, if it has one."""
    error: DocumentError


class Answers(list[Answer]):
    """Answers to one question, best first, and how much of the document was searched for them."""

    def __init__(self, answers: Iterable[Answer] = (), *, gaps: tuple[Gap, ...] = (), coverage: float = 1.0) -> None:
        super().__init__(answers)
        self.gaps = gaps
        self.coverage = coverage


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Prediction:
    """The result of reading one document.

    Construction checks the law that everything rests on: ``document.text[e.start:e.end] == e.text`` for every entity
    and answer.

    Raises:
        ValueError: an entity, answer or gap does not stand where it says it does.
    """

    document: Document
    entities: tuple[Entity, ...] = ()
    """In the order of the text; entities of different label families may overlap."""
    answers: tuple[Answer, ...] = ()
    labels: tuple[Label, ...] = ()
    """Classes of the document, or of its sections."""
    gaps: tuple[Gap, ...] = ()
    """What the model did not see, and why; empty when it saw everything."""

    def __post_init__(self) -> None:
        text = self.document.text
        for found in self._found():
            there = text[found.start : found.end]
            if there != found.text:
                raise ValueError(f"{found.text!r} does not stand at {found.start}:{found.end}; {there!r} does")
        for gap in self.gaps:
            if not 0 <= gap.start < gap.end <= len(text):
                raise ValueError(f"the gap {gap.start}:{gap.end} is not a part of a text of {len(text)} characters")

    @property
    def coverage(self) -> float:
        """Share of the text's characters, white space aside, that reached the model: 1.0 unless there are ``gaps``.

        A symbol outside the model's vocabulary reaches it as the unknown token. Pages that have no text layer are not
        part of the text: ``document.warnings`` names them.
        """
        text, seen_to, missed = self.document.text, 0, 0
        for gap in sorted(self.gaps, key=lambda gap: gap.start):
            missed += _visible(text[max(gap.start, seen_to) : gap.end])
            seen_to = max(seen_to, gap.end)
        return 1.0 - missed / _visible(text) if missed else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, safe for JSON: scores to 4 decimals, boxes to 1/100 of a point."""
        source = self.document.source
        return {
            "document": {"name": source.name, "sha256": source.sha256, "pages": len(self.document.pages)},
            "warnings": list(self.document.warnings),
            "coverage": round(self.coverage, 4),
            "gaps": [asdict(gap) for gap in self.gaps],
            "entities": [_plain(entity) for entity in self.entities],
            "answers": [_plain(answer) for answer in self.answers],
            "labels": [{**asdict(label), "score": round(float(label.score), 4)} for label in self.labels],
        }

    def to_pandas(self) -> pandas.DataFrame:
        """One row an entity, then one an answer (which has a ``question``); scores and boxes unrounded.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install 'longdoc[interop]'") from error
        columns = [*COLUMNS, "question"] if self.answers else [*COLUMNS]
        rows = [[getattr(found, column, None) for column in columns] for found in self._found()]
        frame: pandas.DataFrame = pandas.DataFrame(rows, columns=columns)
        return frame

    def to_spacy(self, nlp: Language | None = None) -> Doc:
        """A spaCy ``Doc`` of the whole text; ``doc.text`` equals ``document.text``, so offsets carry over.

        Tokens are cut at the borders of entities, so that none is widened or lost. ``doc.spans["longdoc"]`` holds
        every entity, its ``attrs["scores"]`` their scores; ``doc.ents``, where nothing may overlap, the longest ones.

        Args:
            nlp: whose tokenizer and vocabulary to use; a blank English one if not given.

        Raises:
            ImportError: spaCy is not installed.
        """
        try:
            import spacy
            from spacy.tokens import Doc, SpanGroup
            from spacy.util import filter_spans
        except ImportError as error:
            raise ImportError("to_spacy() needs spaCy: pip install spacy") from error
        nlp = nlp or spacy.blank("en")
        words, spaces = self._words(nlp)
        doc = Doc(nlp.vocab, words=words, spaces=spaces)
        places = ((e, doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand")) for e in self.entities)
        spans = [(entity, span) for entity, span in places if span is not None]
        scores = [entity.score for entity, _ in spans]
        group = SpanGroup(doc, name="longdoc", spans=[span for _, span in spans], attrs={"scores": scores})
        doc.spans["longdoc"] = group
        doc.ents = filter_spans([span for _, span in spans])
        return doc

    def _found(self) -> tuple[Entity | Answer, ...]:
        return (*self.entities, *self.answers)

    def _words(self, nlp: Language) -> tuple[list[str], list[bool]]:
        """The tokenizer's words, cut where an entity starts or ends inside one, and whether a space follows each."""
        borders = sorted({border for entity in self.entities for border in (entity.start, entity.end)})
        words, spaces = [], []
        for token in nlp.tokenizer(self.document.text):
            start, end = token.idx, token.idx + len(token)
            inner = borders[bisect_right(borders, start) : bisect_left(borders, end)]
            parts = [self.document.text[a:b] for a, b in pairwise([start, *inner, end])]
            words += parts
            spaces += [*(False for _ in parts[1:]), bool(token.whitespace_)]
        return words, spaces

    def save(self, path: str | Path) -> None:
        """Write to a file; its suffix chooses the format: ``.jsonl`` (one line) or ``.html`` (the text, highlighted).

        Raises:
            ConfigError: the suffix names no format.
        """
        outputs.write([self], path)

    def __repr__(self) -> str:
        counts = [("entity", "entities", self.entities), ("answer", "answers", self.answers)]
        found = [f"{len(items)} {one if len(items) == 1 else many}" for one, many, items in counts if items]
        name = self.document.source.name
        return f"Prediction({name!r}, {', '.join(found) or 'nothing found'}, coverage {self.coverage:.0%})"

    def _repr_html_(self) -> str:
        return outputs.html.fragment(self)


def _visible(text: str) -> int:
    """Number of characters that are not white space."""
    return sum(map(len, text.split()))


def _plain(found: Entity | Answer) -> dict[str, Any]:
    boxes = [_plain_box(box) for box in found.boxes]
    plain = {**asdict(found), "score": round(float(found.score), 4), "boxes": boxes}
    if isinstance(found, Answer):
        plain["value"] = None if found.value is None else to_plain(found.value)
    return plain


def _plain_box(box: Box) -> dict[str, int | float]:
    return {"page": box.page, **{side: round(float(getattr(box, side)), 2) for side in ("x0", "y0", "x1", "y1")}}
