"""Candidates for the answer to a question → the answers that are shown, and the best one that is not.

Whether a candidate suits the question counts beside the model's score: "How much …" wants an amount. A doubtful answer
is shown with its low score, to be checked; no answer is given if none is plausible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from longdoc.document import Document
from longdoc.engine import Engine
from longdoc.findings import place
from longdoc.heads import DecodeOptions, QaConfig
from longdoc.labels import DOUBTFUL, Answer
from longdoc.lexical import terms
from longdoc.prediction import Answers
from longdoc.records.meanings import meanings
from longdoc.values.asked import Asked, asked_for

WINDOWS = 16
"""Windows that are read for a question."""
CANDIDATES = 20
"""Answers among which those that suit the question are sought."""
UNSUITED = 0.05
"""How likely an answer of the wrong kind is right, compared with one of the right kind with the same score."""
DEFINED = 0.9
"""Score of what a term stands for, as the answer to a question about its meaning."""

_MEANING = re.compile(
    r"(?:what (?:does|do|is|are) (?:the (?:term|word|words) )?(?P<term>.+?) (?:mean|means|meant|stand for|defined as)"
    r"|what is meant by (?P<meant>.+?)|(?:what is )?(?:the )?(?:definition|meaning) of (?P<of>.+?)"
    r"|how is (?P<how>.+?) defined)\s*\W*",
    re.I,
)


def answers_to(
    engine: Engine,
    document: Document,
    head: str,
    questions: Sequence[str],
    progress: tqdm[Any],
    *,
    options: DecodeOptions,
    windows: int | None,
) -> list[Answers]:
    """Asks a head questions about a document, and chooses the answers to show; see ``Pipeline.ask``."""
    wide = DecodeOptions(top_k=max(options.top_k, CANDIDATES), min_score=0.0)
    found = engine.ask(document, head, questions, progress, [wide] * len(questions), [windows] * len(questions))
    answers = []
    for question, (candidates, gaps, coverage) in zip(questions, found, strict=True):
        shown, rejected = chosen(document, question, candidates, config=engine.heads[head], options=options)
        answers.append(Answers(shown, gaps=gaps, coverage=coverage, rejected=rejected))
    return answers


def chosen(
    document: Document,
    question: str,
    candidates: Sequence[Answer],
    *,
    config: QaConfig,
    options: DecodeOptions,
) -> tuple[list[Answer], Answer | None]:
    """The answers to show, best first, and the best candidate if there are none.

    Args:
        document: the document.
        question: the question.
        candidates: answers of the head, best first, however unlikely.
        config: the head's configuration.
        options: the maximum number of answers, and the threshold of their scores; by default ``config.min_shown``, and
            ``config.min_score`` for answers without the kind of value that the question asks for.
    """
    asked = asked_for(question)
    suited = {answer: asked is None or asked.suits(answer.text) for answer in candidates}
    ranked = sorted(candidates, key=lambda answer: -answer.score * (1 if suited[answer] else UNSUITED))
    marked = [_marked(answer, asked, suited[answer]) for answer in ranked]
    given = options.min_score
    least = {True: config.min_shown, False: config.min_score} if given is None else {True: given, False: given}
    shown = [new for old, new in zip(ranked, marked, strict=True) if old.score >= least[suited[old]]]
    defined = [answer for answer in definitions(document, question) if answer.score >= least[True]]
    others = [a for a in shown if all(a.end <= d.start or a.start >= d.end for d in defined)]
    answers = [*defined, *others][: options.top_k]
    return answers, replace(marked[0], check=True) if marked and not answers else None


def _marked(answer: Answer, asked: Asked | None, is_suited: bool) -> Answer:
    value = None if asked is None else asked.value(answer.text, near=sorted(set(terms(answer.question))))
    return replace(answer, value=value, check=answer.score < DOUBTFUL or not is_suited)


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
