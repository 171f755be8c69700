"""A question → answers from the documents of an index, each with its place, its score and the sentence around it.

    question ──search──▶ passages ──head, windows of these alone──▶ candidates ──weighed together──▶ answers

The scores of the head are probabilities, and thus comparable between documents. As in :mod:`longdoc.asking`, whether a
candidate suits the question and how many of its words stand around it count beside the score; here the names of its
document (file, title, parties) stand around it, too, so that "the lease between Ada and Bea" is answered from that lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from tqdm import tqdm

from longdoc.asking import CANDIDATES, RELATED, Judged, accepted, around, definitions, judged, widened
from longdoc.decode import log_odds
from longdoc.document import Document
from longdoc.engine import Engine, check_questions
from longdoc.heads import DecodeOptions
from longdoc.labels import Answer
from longdoc.lexical import absent_words, question_words, share_of_words
from longdoc.plain import plain
from longdoc.records.replies import Replies
from longdoc.search.words import names_of
from longdoc.sentences import sentences

if TYPE_CHECKING:
    from longdoc.search.hits import Hit

PASSAGES = 32
"""Passages that are read for a question."""
_SENTENCE = 1000
"""Characters before and after an answer in which its sentence is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAnswer:
    """An answer, and the document that gives it: ``index.document(document_id).text[answer.start:answer.end]``."""

    document_id: str
    """The SHA-256 of the content of the document; ``index.document`` takes it."""
    address: str
    """Where the document was read from."""
    title: str
    answer: Answer
    """With its page, boxes, section, score and value."""
    sentence: str
    """The sentence that it stands in."""

    def to_dict(self) -> dict[str, Any]:
        """The answer as what JSON can hold."""
        record: dict[str, Any] = plain(self)
        return {**record.pop("answer"), **record}


class FoundAnswers(list[FoundAnswer]):
    """Answers to a question, the best of each document, best first, and how much was read for them.

    No answer means that none was found in what was read, and never that no document has one. ``rejected`` is then the
    best candidate. ``passages_read`` and ``documents_read`` count what was read, ``passages`` and ``documents`` what there
    is, after the filter; ``tokens_read`` are those that the head has read. ``absent`` are the words of the question that
    nothing has that was read: the answers are then to be checked.
    """

    def __init__(  # noqa: PLR0913 (counts)
        self,
        answers: Iterable[FoundAnswer] = (),
        *,
        rejected: FoundAnswer | None = None,
        absent: tuple[str, ...] = (),
        passages_read: int = 0,
        passages: int = 0,
        documents_read: int = 0,
        documents: int = 0,
        tokens_read: int = 0,
    ) -> None:
        super().__init__(answers)
        self.rejected, self.absent = rejected, absent
        self.passages_read, self.passages = passages_read, passages
        self.documents_read, self.documents = documents_read, documents
        self.tokens_read = tokens_read

    def to_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        counts = ("passages_read", "passages", "documents_read", "documents", "tokens_read")
        return {
            "answers": [answer.to_dict() for answer in self],
            "rejected": self.rejected and self.rejected.to_dict(),
            "absent": list(self.absent),
            **{name: getattr(self, name) for name in counts},
        }


class Stored(Protocol):
    """Where the documents of an index are."""

    def document(self, document_id: str) -> Document:
        """A document."""

    def known(self, document_id: str) -> Mapping[str, Any]:
        """Its row in ``documents``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A document with the parts of it that are read for a question, half-open character ranges, and its candidates."""

    document: Document
    known: Mapping[str, Any]
    """Its row in ``documents``."""
    ranges: tuple[tuple[int, int], ...]
    candidates: tuple[Answer, ...] = ()
    tokens: int = 0
    """That the head has read, overlaps counted twice."""

    @property
    def texts(self) -> list[str]:
        """The texts of the parts."""
        return [self.document.text[start:end] for start, end in self.ranges]


def found_answers(
    engine: Engine, head: str, question: str, reads: Sequence[Read], options: DecodeOptions, *, head_only: bool
) -> FoundAnswers:
    """Answers from what was read of several documents; the counts are left to the caller.

    Args:
        engine: with the head.
        head: its name.
        question: the question.
        reads: documents with their candidates, see :func:`with_candidates`.
        options: the maximum number of answers, and their threshold.
        head_only: only answers of the head, without those that the structure of a document gives.
    """
    config = engine.heads[head]
    everything = "\n".join(text for own in reads for text in [names_of(own.known), *own.texts])
    best: list[tuple[Judged, Read]] = []
    for own in reads:
        names, text = names_of(own.known), own.document.text
        related = share_of_words(question, [f"{names}\n{around(text, each)}" for each in own.candidates], everything)
        found = judged(question, text, own.candidates, related.tolist(), config=config, options=options)
        stated = [] if head_only else accepted(_stated(own.document, question), config, options)
        if stated:
            (share,) = share_of_words(question, [f"{names}\n{around(text, stated[0])}"], everything).tolist()
            found = [Judged(stated[0], log_odds(stated[0].score) + RELATED * share, True)]
        shown = [each for each in found if each.is_shown] or found
        best += [(each, own) for each in shown[:1]]
    best.sort(key=lambda pair: pair[0].evidence, reverse=True)
    absent = absent_words(question, everything) if reads else []
    is_answerable = len(absent) < len(set(question_words(question))) or not any(word.is_name for word in absent)
    kept = [_found(own, each.answer, bool(absent)) for each, own in best if each.is_shown and is_answerable]
    rejected = _found(best[0][1], best[0][0].answer, True) if best and not kept else None
    return FoundAnswers(
        kept[: options.top_k],
        rejected=rejected,
        absent=tuple(word.text for word in absent),
        passages_read=sum(len(own.ranges) for own in reads),
        documents_read=len(reads),
        tokens_read=sum(own.tokens for own in reads),
    )


def with_candidates(
    engine: Engine, head: str, question: str, reads: Sequence[Read], progress: tqdm[Any]
) -> list[Read]:
    """The documents with the candidates that a head finds in their parts.

    Raises:
        ConfigError: the question is empty, or leaves no room in a window.
    """
    check_questions([question])
    reader = engine.reader_of(head)
    readings, owners = [], []
    for number, own in enumerate(reads):
        tokens = reader.tokenize(own.document)
        for start, end in own.ranges:
            if len(part := tokens.part(start, end)):
                readings.append(reader.read(own.document, part, [head], question=question))
                owners.append(number)
    wide = DecodeOptions(top_k=CANDIDATES, min_score=0.0)
    found = engine.find(readings, progress, [wide] * len(readings))
    candidates: list[list[Answer]] = [[] for _ in reads]
    tokens_read = [0] * len(reads)
    for number, reading, by_head in zip(owners, readings, found, strict=True):
        candidates[number] += by_head[head]
        tokens_read[number] += sum(len(window) + len(reading.special) for window in reading.windows)
    return [
        replace(own, candidates=tuple(widened(own.document, question, _distinct(answers))), tokens=n_tokens)
        for own, answers, n_tokens in zip(reads, candidates, tokens_read, strict=True)
    ]


def reads_of(hits: Sequence[Hit], stored: Stored) -> list[Read]:
    """The documents of hits, in the order of the best of each, with the ranges to read; those that touch are one."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for hit in hits:
        ranges.setdefault(hit.document_id, []).append((hit.start, hit.end))
    return [
        Read(document=stored.document(id), known=stored.known(id), ranges=tuple(_joined(own)))
        for id, own in ranges.items()
    ]


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges in order, of which those that touch, or have only white space between them, are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1] + 2:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return iter(joined)


def _distinct(answers: Iterable[Answer]) -> list[Answer]:
    """Answers of several parts, best first; of two that overlap, the better one."""
    kept: list[Answer] = []
    for answer in sorted(answers, key=lambda each: -each.score):
        if all(answer.end <= other.start or answer.start >= other.end for other in kept):
            kept.append(answer)
    return kept


def _stated(document: Document, question: str) -> list[Answer]:
    return [*definitions(document, question), *Replies(document).to(question)]


def _found(read: Read, answer: Answer, is_doubtful: bool) -> FoundAnswer:
    return FoundAnswer(
        document_id=read.known["document_id"],
        address=read.known["address"],
        title=read.known["title"] or "",
        answer=replace(answer, check=True) if is_doubtful else answer,
        sentence=sentence_at(read.document.text, answer.start, answer.end),
    )


def sentence_at(text: str, start: int, end: int) -> str:
    """The sentences that the characters ``start:end`` stand in, on one line."""
    first, last = max(0, start - _SENTENCE), min(len(text), end + _SENTENCE)
    near = [(a + first, b + first) for a, b in sentences(text[first:last])]
    inside = [(a, b) for a, b in near if a < end and b > start]
    begin, stop = (inside[0][0], inside[-1][1]) if inside else (start, end)
    return " ".join(text[begin:stop].split())
