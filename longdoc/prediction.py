"""What was found in a document, with scores, and how much of the document the model saw.

>>> from longdoc.document import Document
>>> document = Document.from_text("Lease between Ada Ltd. and Bob.", name="lease.txt")
>>> party = Entity(text="Ada Ltd.", label="PARTY", start=14, end=22, score=0.98, page=1)
>>> prediction = Prediction(document=document, entities=(party,))
>>> prediction, prediction.coverage
(Prediction('lease.txt', 1 entity, coverage 100%), 1.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc import outputs
from longdoc.document import Document
from longdoc.errors import DataError, DocumentError, require
from longdoc.labels import Answer, Entity, Label, check_text, checked
from longdoc.outputs.format import Images
from longdoc.outputs.original import Original
from longdoc.plain import plain, restored
from longdoc.record_types import RECORD_TYPES, all_cells

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from spacy.language import Language
    from spacy.tokens import Doc

NOT_SEARCHED = "not searched for this question: it shares fewer of its words"


@dataclass(frozen=True, slots=True)
class Gap:
    """Characters ``start:end`` of the text that the model did not see."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What was not done for a field of a schema, and why: not sought for want of a source, or with answers left out.

    A field that is not found and was sought in some of its sources only, or without a head that may find it, is sought
    in part.
    """

    field: str
    """Its name; empty for what concerns the whole document."""
    reason: str
    left_out: int = 0
    """At least how many answers were left out; 0 if the field was not sought, or in part."""
    in_part: bool = False
    """Whether the field was sought in part."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be read, in the place of its prediction."""

    source: str
    """Name of the document: its path, if it has one."""
    error: DocumentError


class Answers(list[Answer]):
    """Answers to one question, best first, and how much of the document was searched for them.

    ``gaps`` are the characters that the model did not see, ``coverage`` the share of the characters, white space aside,
    that it saw; 0 if the document has no text, so that nothing was searched. Where the document's record or a
    definition answers, as ``source`` of the answers says, the model is not run: ``coverage`` is 1.0. ``rejected`` is
    the best candidate if there are no answers. ``absent`` are the words of the question that the text does not have:
    the answers of the model are then to be checked, and if it has none of them, a name among them, there are none.
    """

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        gaps: tuple[Gap, ...] = (),
        coverage: float = 1.0,
        rejected: Answer | None = None,
        absent: tuple[str, ...] = (),
    ) -> None:
        super().__init__(answers)
        self.gaps = gaps
        self.coverage = coverage
        self.rejected = rejected
        self.absent = absent


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Prediction:
    """The result of reading one document.

    All offsets are half-open, in characters of ``document.text``, and checked at construction:
    ``0 <= start < end <= len(document.text)`` for everything that was found, and
    ``document.text[e.start:e.end] == e.text`` for every entity, span and answer. Scores lie between 0 and 1. Numbers of
    NumPy become Python's.

    Raises:
        DataError: an offset is not an integer or outside the text, the text at an entity or answer differs from its
            own, or a score is not between 0 and 1.
    """

    document: Document
    entities: tuple[Entity, ...] = ()
    """In document order; entities of different heads may overlap."""
    spans: tuple[Entity, ...] = ()
    """Passages of a label that may be long, such as clauses, in document order; they may overlap."""
    answers: tuple[Answer, ...] = ()
    rejected: tuple[Answer, ...] = ()
    """Of fields that were not found, the best candidate: its score was too low, or its words fill another field."""
    beside: tuple[Answer, ...] = ()
    """Of a record, what only the file's metadata say, such as the authors of a paper: it has no place in the text."""
    sought: tuple[str, ...] = ()
    """The fields of the schema that was filled, in order, found or not."""
    notices: tuple[Notice, ...] = ()
    """The fields that were not sought, or in part, those of which answers were left out, and remarks on a record."""
    searched: Mapping[str, float] = field(default_factory=dict)
    """Of the fields for which questions were asked, the share of the text that was searched for an answer."""
    tasks: tuple[str, ...] = ()
    """The heads that read the document, and ``rules``."""
    kind: str = ""
    """The kind of document that chose them: "contract", "paper", "note" or "other"; empty if the caller did."""
    record: Any = None
    """One record of the document: a ``Contract``, ``Paper`` or ``Note`` (see ``longdoc.records``), if one was made."""
    labels: tuple[Label, ...] = ()
    """Classes of the document, or of its sections."""
    gaps: tuple[Gap, ...] = ()
    """What the model did not see, and why; empty if it saw everything."""

    def __post_init__(self) -> None:
        text = self.document.text
        for name in ("entities", "spans", "answers", "rejected", "labels", "gaps"):
            found_here = tuple(checked(found, len(text)) for found in getattr(self, name))
            object.__setattr__(self, name, found_here)
        for found in self._found():
            check_text(found, text)

    @property
    def fields(self) -> dict[str, tuple[Answer, ...]]:
        """The answers by field of the schema; empty where a field was sought and not found."""
        found = (*self.answers, *self.beside)
        names = dict.fromkeys([*self.sought, *(answer.label or answer.question for answer in found)])
        return {name: tuple(a for a in found if (a.label or a.question) == name) for name in names}

    @property
    def coverage(self) -> float:
        """The share of the text's non-white-space characters that reached the model: 1.0 unless there are ``gaps``.

        A word that the model's vocabulary lacks does not reach it, and is a gap. Pages without a text layer are not
        part of the text; ``document.warnings`` names them.
        """
        return coverage_of(self.document.text, self.gaps)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold, without the document itself.

        Scores and coverage are rounded to 4 decimals, boxes to 0.01 points. Typed values are written as
        :func:`longdoc.values.to_plain` writes them, and the other reading of an uncertain value as ``alternative``.
        :meth:`from_dict` reads everything else back exactly.
        """
        source = self.document.source
        return {
            "document": {"name": source.name, "sha256": source.sha256, "pages": len(self.document.pages)},
            "kind": self.kind,
            "tasks": list(self.tasks),
            "record": None if self.record is None else self.record.to_dict(),
            "warnings": list(self.document.warnings),
            "coverage": round(self.coverage, 4),
            "gaps": [asdict(gap) for gap in self.gaps],
            "entities": [plain(entity) for entity in self.entities],
            "spans": [plain(span) for span in self.spans],
            "answers": [plain(answer) for answer in self.answers],
            "rejected": [plain(answer) for answer in self.rejected],
            "beside": [plain(answer) for answer in self.beside],
            "sought": list(self.sought),
            "notices": [asdict(notice) for notice in self.notices],
            "searched": {name: round(share, 4) for name, share in self.searched.items()},
            "labels": [{**asdict(label), "score": round(float(label.score), 4)} for label in self.labels],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], document: Document) -> Prediction:
        """Restores a prediction from the result of :meth:`to_dict` or a line of a ``.jsonl`` file.

        Scores and boxes stay rounded as :meth:`to_dict` rounded them. The values of answers become dates,
        :class:`~longdoc.values.Money`, :class:`~longdoc.values.Duration` or ``Decimal`` again, equal to the original
        except that fractional numbers and durations were written as floats (15 significant digits).

        Args:
            record: what :meth:`to_dict` returned.
            document: the document it was made from; recognised by its SHA-256.

        Raises:
            DataError: the record is malformed, describes an error, or belongs to another document.
        """
        if not isinstance(record, Mapping):
            raise DataError(f"the record is {type(record).__name__}; give what to_dict() returned")
        if record.get("status") == "error":
            raise DataError(f"the record holds an error, not a prediction: {record.get('message')}")
        try:
            source = restored(dict[str, Any], record.get("document"), "document")
            if source.get("sha256") != document.source.sha256:
                raise DataError(
                    f"the prediction is for {source.get('name')!r}; the SHA-256 of {document.source.name!r} differs"
                )
            own = {name: restored(kind, record[name], name) for name, kind in _WRITTEN.items() if name in record}
            if wrong := set(_REQUIRED) - set(own) or set(record) - {*_WRITTEN, *_BESIDE}:
                raise ValueError(f"missing or unknown key {min(wrong, key=str)!r:.80}")
            return cls(document=document, record=_record(record, document), **own)
        except DataError:
            raise
        except (TypeError, ValueError) as error:
            raise DataError(f"the record is malformed ({error}); give what to_dict() returned") from error

    def to_pandas(self, table: str = "findings") -> pandas.DataFrame:
        """Returns a table of what was found.

        Args:
            table: ``"findings"``, a row per entity, span, answer and cell beside the text, with Python's own values; or
                ``"entities"``, ``"fields"``, ``"records"``, ``"labels"``, ``"sections"`` or ``"pages"``, with the
                columns of ``docs/tables.md``: dates as ``datetime64``, money as ``number`` and ``unit``.

        Raises:
            ConfigError: there is no such table.
            MissingDependencyError: pandas is not installed.
        """
        require("pandas", extra="interop", needed_by="to_pandas()")
        from longdoc.outputs.frames import frame_of

        return frame_of(self, table)

    def to_spacy(self, nlp: Language | None = None) -> Doc:
        """Returns a spaCy ``Doc`` with the text of the document; tokens are split where findings start and end.

        ``doc.spans`` has the groups ``longdoc`` (all entities), ``longdoc_spans``, ``longdoc_answers`` and
        ``longdoc_sections``, with ``attrs["scores"]``; ``doc.ents`` the longest entities, ``doc.cats`` the classes.
        ``span._.longdoc_page``, ``longdoc_boxes`` and ``longdoc_section`` say where a finding is.

        Args:
            nlp: the pipeline whose tokenizer and vocabulary to use; a blank English one by default.

        Raises:
            MissingDependencyError: spaCy is not installed.
        """
        require("spacy", extra="interop", needed_by="to_spacy()")
        from longdoc.outputs.spacy_doc import doc_of

        return doc_of(self, nlp)

    def _found(self) -> tuple[Entity | Answer, ...]:
        return (*self.entities, *self.spans, *self.answers)

    def plot(self, path: str | Path | None = None, *, dark: bool = False) -> Figure:
        """Draws the findings by page and by label, their scores, the dates in the text, and what was read of it.

        Args:
            path: a ``.png``, ``.svg`` or ``.pdf`` to save the picture to, too.
            dark: for dark pages.

        Raises:
            ConfigError: the path has another suffix, or is not that of a file in a folder that exists.
            MissingDependencyError: matplotlib is not installed.
        """
        require("matplotlib.figure", extra="plot", needed_by="plot()")
        from longdoc.outputs.plots import plot

        return plot(self, path, dark=dark)

    def save(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        source: str | PathLike[str] | bytes | None = None,
        password: str | None = None,
        images: Images = "inside",
    ) -> None:
        """Writes the prediction to a file in the format that its suffix selects, such as ``.jsonl`` or ``.html``.

        A file of this name is replaced, once the new one is complete. ``longdoc.outputs.FORMATS`` has all formats.

        Args:
            path: the file to create or replace.
            format: the name of a format, such as ``"label-studio"``; by default the one that the suffix selects.
            source: the path or the bytes of the file that the document was loaded from, for formats that show its
                pages; by default the path that :func:`longdoc.load` was given.
            password: of the source, if it is encrypted.
            images: where a web page has the pictures of the pages: ``"inside"`` the file, ``"beside"`` it in a folder
                (``lease_files`` for ``lease.html``), or nowhere (``"none"``).

        Raises:
            ConfigError: there is no such format, the path is not that of a file in a folder that exists, or the format
                cannot hold answers and there are some. What a format leaves out is told by an ``OutputWarning``.
            DataError: the format needs the source, which is not there or has changed.
        """
        outputs.write([self], path, format=format, original=Original(source, password), images=images)

    def __repr__(self) -> str:
        counts = [
            ("entity", "entities", self.entities),
            ("span", "spans", self.spans),
            ("answer", "answers", self.answers),
        ]
        found = [f"{len(items)} {one if len(items) == 1 else many}" for one, many, items in counts if items]
        name = self.document.source.name
        return f"Prediction({name!r}, {', '.join(found) or 'nothing found'}, coverage {self.coverage:.0%})"

    def _repr_html_(self) -> str:
        return outputs.viewer.fragment(self)


_WRITTEN: dict[str, Any] = {
    **dict.fromkeys(("entities", "spans"), tuple[Entity, ...]),
    **dict.fromkeys(("answers", "rejected", "beside"), tuple[Answer, ...]),
    **dict.fromkeys(("sought", "tasks"), tuple[str, ...]),
    "notices": tuple[Notice, ...],
    "searched": dict[str, float],
    "kind": str,
    "labels": tuple[Label, ...],
    "gaps": tuple[Gap, ...],
}
"""What :meth:`Prediction.to_dict` writes, beside the record, and its types."""
_REQUIRED = ("entities", "answers", "labels", "gaps")
_BESIDE = ("document", "record", "warnings", "coverage", "source", "status", "not_found")
"""What else a line of a file has."""


def _record(record: Mapping[str, Any], document: Document) -> Any:
    """The typed record of what ``to_dict`` returned, whose cells are in the text; None if it has none."""
    written, kind = record.get("record"), record.get("kind", "")
    if written is None:
        return None
    if kind not in RECORD_TYPES:
        raise DataError(f"the record is of the kind {kind!r}; allowed: {', '.join(RECORD_TYPES)}")
    found = restored(RECORD_TYPES[kind], written, "record")
    for cell in all_cells(found):
        if cell.start != cell.end:
            check_text(checked(cell, len(document.text)), document.text)
    return found


def coverage_of(text: str, gaps: Iterable[Gap]) -> float:
    """The share of a text's characters, white space aside, that is in no gap."""
    covered_to, missed = 0, 0
    for gap in sorted(gaps, key=lambda gap: gap.start):
        missed += _visible(text[max(gap.start, covered_to) : gap.end])
        covered_to = max(covered_to, gap.end)
    return 1.0 - missed / _visible(text) if missed else 1.0


def _visible(text: str) -> int:
    """The number of characters that are not white space."""
    return sum(map(len, text.split()))
