"""A question → answers from the documents of an index, each with its place, its score and the sentence around it.

    question ──search──▶ passages ──head, windows of these alone──▶ candidates ──weighed together──▶ answers

The scores of the head are probabilities, and thus comparable between documents. As in :mod:`longdoc.asking`, whether a
candidate suits the question and how many of its words stand around it count beside the score. The names of its document
(file, title, parties) stand around it, too: "the term of the lease between Ada and Bea" is that of their lease.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from longdoc.arguments import check_type
from longdoc.asking import CANDIDATES, RELATED, Judged, accepted, around, definitions, judged, widened
from longdoc.decode import log_odds
from longdoc.document import Document
from longdoc.engine import Engine, check_questions
from longdoc.heads import DecodeOptions
from longdoc.labels import Answer
from longdoc.lexical import absent_words, question_words, share_of_words
from longdoc.pipeline import Pipeline
from longdoc.plain import plain
from longdoc.records.replies import Replies
from longdoc.search.where import Row
from longdoc.search.words import names_of
from longdoc.sentences import sentences
from longdoc.stream import progress_bar

if TYPE_CHECKING:
    from longdoc.search.hits import Hit

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
    best candidate. ``passages_read`` and ``documents_read`` count what was read, ``passages`` and ``documents`` what
    there is, after the filter; ``tokens_read`` are those that the head has read. ``absent`` are the words of the
    question that nothing has that was read: the answers are then to be checked.
    """

    def __init__(
        self,
        answers: Iterable[FoundAnswer] = (),
        *,
        rejected: FoundAnswer | None = None,
        absent: tuple[str, ...] = (),
        documents_read: int = 0,
        tokens_read: int = 0,
    ) -> None:
        super().__init__(answers)
        self.rejected, self.absent = rejected, absent
        self.documents_read, self.tokens_read = documents_read, tokens_read
        self.documents = self.passages_read = self.passages = 0

    def to_dict(self) -> dict[str, Any]:
        """All of it as what JSON can hold."""
        counts = ("passages_read", "passages", "documents_read", "documents", "tokens_read")
        return {
            "answers": [answer.to_dict() for answer in self],
            "rejected": self.rejected and self.rejected.to_dict(),
            "absent": list(self.absent),
            **{name: getattr(self, name) for name in counts},
        }


@dataclass(frozen=True, slots=True)
class Asking:
    """What reads for a question, and which answers are wanted."""

    engine: Engine
    head: str
    options: DecodeOptions
    """The maximum number of answers, and their threshold."""
    head_only: bool
    """Only answers of the head, without those that the structure of a document gives."""

    @classmethod
    def of(cls, pipeline: Pipeline, top_k: int, min_score: float | None, head: str | None) -> Asking:
        """The choices of a caller.

        Raises:
            ConfigError: no head answers questions, or several do, or a number is out of range.
        """
        check_type("pipeline", pipeline, "a Pipeline, or None", Pipeline)
        options = DecodeOptions(top_k=top_k, min_score=min_score)
        return cls(pipeline.engine, pipeline.engine.name_of("qa", head), options, head is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read of a document for a question: of its text and its answers, for the pages and boxes take more."""

    known: Row
    text: str
    """Of the whole document."""
    ranges: tuple[tuple[int, int], ...]
    """The parts that were read: half-open character ranges."""
    stated: tuple[Answer, ...]
    """What its structure states."""
    candidates: tuple[Answer, ...]
    """What the head has found."""
    tokens: int
    """That the head has read, those of the question and of overlaps as often as they were read."""

    @property
    def names(self) -> str:
        """The words by which the document is named."""
        return names_of(self.known)


def answers_of(
    question: str,
    known: Sequence[Row],
    hits: Sequence[Hit] | None,
    load: Callable[[str], Document],
    asking: Asking,
) -> FoundAnswers:
    """Answers to a question; the caller counts passages.

    Args:
        question: the question.
        known: the rows of the documents that are asked, as in the table ``documents``.
        hits: the passages to read; None reads the documents whole.
        load: the document of an id.
        asking: what reads, and what is wanted.

    Raises:
        ConfigError: the question leaves no room in a window.
    """
    check_questions([question])
    ranges: dict[str, list[tuple[int, int]]] = {} if hits is not None else {row["document_id"]: [] for row in known}
    for hit in hits or ():
        ranges.setdefault(hit.document_id, []).append((hit.start, hit.end))
    rows = {row["document_id"]: row for row in known}
    reads = []
    with progress_bar(None) as bar:
        for id, own in ranges.items():
            document = load(id)
            parts = tuple(_joined(own)) if hits is not None else ((0, len(document.text)),)
            reads.append(_read(document, rows[id], parts, question, asking, bar))
    found = _chosen(question, reads, asking)
    found.documents = len(known)
    return found


def without_names(question: str, names: Iterable[str]) -> str:
    """A question about a document, without the phrase that tells between whom it is; whole if there is none.

    The head and the record of a contract know "this agreement", and not who has made it. The first words of a name
    stand for it, too.

    >>> without_names("When does the lease between Ada and Bea Inc. end?", ["Ada Limited", "Bea Inc."])
    'When does the lease end?'
    >>> without_names("When does the lease between Ada and Cleo end?", ["Ada Limited", "Bea Inc."])
    'When does the lease between Ada and Cleo end?'
    """
    starts = sorted({_prefixes(name) for name in names if name.split()}, key=lambda each: (-len(each), each))
    if not starts:
        return question
    name = rf"(?:{'|'.join(starts)})(?!\w)"
    joint = r"(?:and|with|&)"
    phrase = rf"\s+(?:between|among)\s+{name}(?:(?:\s*,\s*|\s+)(?:{joint}\s+)?{name})*(?!\s*,?\s+{joint}\s)"
    return re.sub(phrase, "", question, flags=re.I)


def _prefixes(name: str) -> str:
    """A pattern of the first words of a name, one or more."""
    pattern = ""
    for word in reversed(name.split()):
        pattern = (
            rf"{re.escape(word.rstrip(','))}(?:,?\s+{pattern})?" if pattern else rf"{re.escape(word.rstrip('.,'))}\.?"
        )
    return pattern


def _read(
    document: Document,
    known: Row,
    ranges: tuple[tuple[int, int], ...],
    question: str,
    asking: Asking,
    progress: tqdm[Any],
) -> Read:
    """Reads parts of a document for a question."""
    engine, head = asking.engine, asking.head
    reader, bare = engine.reader_of(head), without_names(question, known["parties"] or ())
    tokens = reader.tokenize(document)
    parts = [part for start, end in ranges if len(part := tokens.part(start, end))]
    readings = [reader.read(document, part, [head], question=question) for part in parts]
    wide = DecodeOptions(top_k=CANDIDATES, min_score=0.0)
    found = engine.find(readings, progress, [wide] * len(readings))
    candidates = _distinct(answer for by_head in found for answer in by_head[head])
    stated = [] if asking.head_only else [*definitions(document, bare), *Replies(document).to(bare)]
    return Read(
        known=known,
        text=document.text,
        ranges=ranges,
        stated=tuple(accepted(stated, engine.heads[head], asking.options)[:1]),
        candidates=tuple(widened(document, question, candidates)),
        tokens=sum(len(window) + len(each.special) for each in readings for window in each.windows),
    )


def _chosen(question: str, reads: Sequence[Read], asking: Asking) -> FoundAnswers:
    """The best answer of each document, best first."""
    everything = "\n".join(text for own in reads for text in (own.names, *_texts(own)))
    near = [f"{own.names}\n{around(own.text, each)}" for own in reads for each in (*own.stated, *own.candidates)]
    related = iter(share_of_words(question, near, everything).tolist())
    best = [(judged, own) for own in reads for judged in _best(question, own, related, asking)]
    best.sort(key=lambda pair: pair[0].evidence, reverse=True)
    absent = absent_words(question, everything) if everything.strip() else []
    is_answerable = len(absent) < len(set(question_words(question))) or not any(word.is_name for word in absent)
    shown = [_found(question, own, each.answer, bool(absent)) for each, own in best if each.is_shown and is_answerable]
    return FoundAnswers(
        shown[: asking.options.top_k],
        rejected=_found(question, best[0][1], best[0][0].answer, True) if best and not shown else None,
        absent=tuple(word.text for word in absent),
        documents_read=len(reads),
        tokens_read=sum(own.tokens for own in reads),
    )


def _best(question: str, own: Read, related: Iterator[float], asking: Asking) -> list[Judged]:
    """The best answer of a document, if there is a candidate; what its structure states comes first.

    ``related`` has, for each of its answers and then those of the next documents, the share of the question's words.
    """
    config, options = asking.engine.heads[asking.head], asking.options
    first = [Judged(each, log_odds(each.score) + RELATED * next(related), True) for each in own.stated]
    shares = [next(related) for _ in own.candidates]
    if first:
        return first
    bare = without_names(question, own.known["parties"] or ())
    ranked = judged(bare, own.text, own.candidates, shares, config=config, options=options)
    return ([each for each in ranked if each.is_shown] or ranked)[:1]


def _texts(own: Read) -> list[str]:
    return [own.text[start:end] for start, end in own.ranges]


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, of which those that touch, or have only white space between them, are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1] + 2:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _distinct(answers: Iterable[Answer]) -> list[Answer]:
    """Answers of several parts, best first; of two that overlap, the better one."""
    kept: list[Answer] = []
    for answer in sorted(answers, key=lambda each: -each.score):
        if all(answer.end <= other.start or answer.start >= other.end for other in kept):
            kept.append(answer)
    return kept


def _found(question: str, read: Read, answer: Answer, is_doubtful: bool) -> FoundAnswer:
    return FoundAnswer(
        document_id=read.known["document_id"],
        address=read.known["address"],
        title=read.known["title"] or "",
        answer=replace(answer, question=question, check=answer.check or is_doubtful),
        sentence=sentence_at(read.text, answer.start, answer.end),
    )


def sentence_at(text: str, start: int, end: int) -> str:
    """The sentences that the characters ``start:end`` stand in, on one line."""
    first, last = max(0, start - _SENTENCE), min(len(text), end + _SENTENCE)
    near = [(a + first, b + first) for a, b in sentences(text[first:last])]
    inside = [(a, b) for a, b in near if a < end and b > start]
    begin, stop = (inside[0][0], inside[-1][1]) if inside else (start, end)
    return " ".join(text[begin:stop].split())
