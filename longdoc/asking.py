"""Candidates for the answer to a question → the answers that are shown, and the best one that is not.

What the document's structure states comes first: what a term is defined as, and what the record of a contract says of
its parties, dates, term and law. Among the model's candidates, whether one suits the question counts beside its score:
"How much …" wants an amount. A doubtful answer is shown with its low score, to be checked; no answer is given if none
is plausible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tqdm import tqdm

from longdoc.decode import log_odds
from longdoc.document import Document
from longdoc.engine import Engine, check_questions
from longdoc.findings import Searched, place
from longdoc.heads import DecodeOptions, QaConfig
from longdoc.labels import DOUBTFUL, Answer
from longdoc.lexical import absent_words, question_words, share_of_words, terms
from longdoc.prediction import Answers
from longdoc.records.meanings import meanings
from longdoc.records.replies import Replies
from longdoc.retrieval import check_windows
from longdoc.values.asked import AROUND, Asked, asked_for, whole_amount

WINDOWS = 16
"""Windows that are read for a question."""
CANDIDATES = 20
"""Answers among which those that suit the question are sought."""
UNSUITED = -7.6
"""Log-odds added to an answer of another kind of value than the question asks for."""
SECOND = UNSUITED / 2
"""Log-odds added to an answer of a kind that another is preferred to, such as a percentage for a price."""
RELATED = 4.5
"""Log-odds added to an answer with all the question's words around it, in proportion to those that are.

Chosen on the 50 development questions; 3 to 6 do equally well with the default model."""
DEFINED = 0.9
"""Score of what a term stands for, as the answer to a question about its meaning."""
UNSEARCHED = Searched([], (), 1.0)
"""For a question that the head is not asked: the structure, which answers it, is of all the text."""

_MEANING = re.compile(
    r"(?:what (?:does|do|is|are) (?:the (?:term|word|words) )?(?P<term>.+?) (?:mean|means|meant|stand for|defined as)"
    r"|what is meant by (?P<meant>.+?)|(?:what is )?(?:the )?(?:definition|meaning) of (?P<of>.+?)"
    r"|how is (?P<how>.+?) defined)\s*\W*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is read for a question, and which answers are shown."""

    options: DecodeOptions
    """The maximum number of answers, and their threshold."""
    windows: int | None
    """Windows to read; None for all."""
    head_only: bool
    """Only answers of the head, without those that the document's structure gives."""


def answers_to(
    engine: Engine,
    document: Document,
    head: str,
    questions: Sequence[str],
    choice: Choice,
    progress: tqdm[Any],
) -> list[Answers]:
    """Asks a head questions about a document, and chooses the answers to show; see ``Pipeline.ask``.

    The head is not run for a question to which the document's structure states as many answers as are wanted.
    """
    check_questions(questions)
    check_windows(choice.windows)
    config, options, replies = engine.heads[head], choice.options, Replies(document)
    stated = [
        [] if choice.head_only else [*definitions(document, question), *replies.to(question)] for question in questions
    ]
    enough = [len(accepted(own, config, options)) >= options.top_k for own in stated]
    asked = [question for question, is_enough in zip(questions, enough, strict=True) if not is_enough]
    wide = DecodeOptions(top_k=max(options.top_k, CANDIDATES), min_score=0.0)
    searched = iter(
        engine.ask(document, head, asked, progress, [wide] * len(asked), [choice.windows] * len(asked)) if asked else ()
    )
    answers = []
    for question, own, is_enough in zip(questions, stated, enough, strict=True):
        found, gaps, coverage = UNSEARCHED if is_enough else next(searched)
        candidates = widened(document, question, found)
        shown, rejected = chosen(question, candidates, own, text=document.text, config=config, options=options)
        given = Answers(shown, gaps=gaps, coverage=coverage, rejected=rejected)
        is_told = not is_enough and document.text.strip()
        answers.append(_with_absent(given, own, question, document.text) if is_told else given)
    return answers


def _with_absent(given: Answers, stated: Sequence[Answer], question: str, text: str) -> Answers:
    """Answers with the words of the question that the text lacks, for which those of the head are to be checked.

    If it has none of its words, and some are names, as in "Who is Elon Musk?", the head's answers are no answers.
    """
    absent = absent_words(question, text)
    is_answerable = len(absent) < len(set(question_words(question))) or not any(word.is_name for word in absent)
    marked = [answer if answer in stated or not absent else replace(answer, check=True) for answer in given]
    kept = [answer for answer in marked if is_answerable or answer in stated]
    rejected = given.rejected or (marked[0] if marked and not kept else None)
    words = tuple(word.text for word in absent)
    return Answers(kept, gaps=given.gaps, coverage=given.coverage, rejected=rejected, absent=words)


def chosen(
    question: str,
    candidates: Sequence[Answer],
    stated: Sequence[Answer] = (),
    *,
    text: str = "",
    config: QaConfig,
    options: DecodeOptions,
) -> tuple[list[Answer], Answer | None]:
    """The answers to show, best first, and the best candidate if there are none.

    Args:
        question: the question.
        candidates: answers of the head, best first, however unlikely.
        stated: answers that the document's structure gives, which come first.
        text: the text of the document, in which the words around a candidate count, too.
        config: the head's configuration.
        options: the maximum number of answers, and the threshold of their scores; by default ``config.min_shown``, and
            ``config.min_score`` for answers without the kind of value that the question asks for.
    """
    related = share_of_words(question, [around(text, each) for each in candidates], text)
    ranked = judged(question, text, candidates, related.tolist(), config=config, options=options)
    first = accepted(stated, config, options)
    shown = (each.answer for each in ranked if each.is_shown)
    others = [a for a in shown if all(a.end <= f.start or a.start >= f.end for f in first)]
    answers = [*first, *others][: options.top_k]
    return answers, replace(ranked[0].answer, check=True) if ranked and not answers else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, and what speaks for it."""

    answer: Answer
    evidence: float
    """Log-odds by which candidates are ranked, also those of several documents."""
    is_shown: bool
    """Whether its score reaches the threshold."""


def judged(
    question: str,
    text: str,
    candidates: Sequence[Answer],
    related: Sequence[float],
    *,
    config: QaConfig,
    options: DecodeOptions,
) -> list[Judged]:
    """The candidates of one document by score, suitability and the words around them, best first.

    Args:
        question: the question.
        text: the text of the document.
        candidates: answers of the head.
        related: for each, the share of the question's words that stand around it.
        config: the head's configuration.
        options: the thresholds; see :func:`chosen`.
    """
    asked, least = asked_for(question), _least(config, options)
    found = []
    for answer, share in zip(candidates, related, strict=True):
        is_suited = _suits(text, asked, answer)
        odds = log_odds(answer.score, limit=1e-15) + (0.0 if is_suited else UNSUITED)
        odds += SECOND if asked is not None and is_suited and asked.is_second(answer.text) else 0.0
        is_shown = answer.score >= least[is_suited]
        found.append(Judged(_marked(answer, asked, is_suited), odds + RELATED * share, is_shown))
    return sorted(found, key=lambda each: each.evidence, reverse=True)


def around(text: str, answer: Answer) -> str:
    """The text around an answer, in which words of the question speak for it."""
    return text[max(0, answer.start - AROUND) : answer.end + AROUND]


def widened(document: Document, question: str, found: Sequence[Answer]) -> list[Answer]:
    """Candidates for a value, with the units that they stand beside; of those that now overlap, the first."""
    if asked_for(question) is None:
        return [*found]
    kept: list[Answer] = []
    for each in found:
        start, end = whole_amount(document.text, each.start, each.end)
        if all(end <= other.start or start >= other.end for other in kept):
            is_same = (start, end) == (each.start, each.end)
            kept.append(each if is_same else replace(each, **place(document, start, end)))
    return kept


def _least(config: QaConfig, options: DecodeOptions) -> dict[bool, float]:
    """The lowest score that is shown, of answers that suit the question and of others."""
    given = options.min_score
    return {True: config.min_shown, False: config.min_score} if given is None else {True: given, False: given}


def accepted(stated: Sequence[Answer], config: QaConfig, options: DecodeOptions) -> list[Answer]:
    """Of the answers that a document's structure gives, those that are shown."""
    return [answer for answer in stated if answer.score >= _least(config, options)[True]]


def _suits(text: str, asked: Asked | None, answer: Answer) -> bool:
    """Whether an answer is of the kind that the question wants, where it stands."""
    start, end = answer.start, answer.end
    around = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    return asked is None or asked.suits(answer.text, *around)


def _marked(answer: Answer, asked: Asked | None, is_suited: bool) -> Answer:
    value = None if asked is None else asked.value(answer.text, near=sorted(set(terms(answer.question))))
    is_second = asked is not None and asked.is_second(answer.text)
    return replace(answer, value=value, check=answer.score < DOUBTFUL or not is_suited or is_second)


def definitions(document: Document, question: str) -> list[Answer]:
    """Where the document defines the term whose meaning is asked for: "What is meant by the Work?"."""
    match = _MEANING.fullmatch(" ".join(question.split()))
    if match is None:
        return []
    named = next(group for group in match.groups() if group).strip(" \"'“”‘’")
    term = re.sub(r"(?i)^(?:the|a|an) ", "", named)
    return [
        Answer(question=question, score=DEFINED * trust, source=f"definition {term}", **place(document, start, end))
        for start, end, trust in meanings(document, term)
    ]
