"""Answerable questions → questions that look answerable but are not, as in SQuAD 2.0 (Rajpurkar et al., 2018).

In SQuAD 2.0 people wrote them. Here they are generated in one of two ways: the sentence with the answer is removed from
the text, or a name or number in the question is replaced by another one from the text.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from longdoc.datasets import Question
from longdoc.heads.learning import TokenizedExample, token_span

_NAMES = re.compile(r"(?<!^)\b[A-Z][\w’'.-]*\w(?:\s+[A-Z][\w’'.-]*\w)*")
_ORDINARY = frozenset(
    """A About An And As At But By For From He His How However If In It Its On She So The Their There These They This
    Those To We What When Where While Who With""".split()
)
_NUMBERS = re.compile(r"\b\d[\d,.]*\b")


def made_unanswerable(
    question: Question, document: TokenizedExample, rng: np.random.Generator
) -> tuple[Question, TokenizedExample] | None:
    """Applies one of the two ways at random; None if the text has neither another name nor another sentence."""
    shorter = without_answer(question, document)
    renamed = with_other_name(question, document.example.text, rng)
    pairs = (shorter and (replace(question, answers=()), shorter), renamed and (renamed, document))
    ways = [pair for pair in pairs if pair]
    return ways[int(rng.integers(len(ways)))] if ways else None


def without_answer(question: Question, document: TokenizedExample) -> TokenizedExample | None:
    """The document without the sentences that contain an answer; None if nothing is left."""
    tokens, cuts = document.tokens, document.cuts
    kept = np.ones(len(tokens), dtype=bool)
    for answer in question.answers:
        first, last = token_span(answer.start, answer.end, tokens)
        before, after = np.searchsorted(cuts, first, side="right"), np.searchsorted(cuts, last, side="right")
        kept[(cuts[before - 1] if before else 0) : (cuts[after] if after < len(cuts) else len(tokens))] = False
    if not kept.any():
        return None
    shorter = replace(tokens, ids=tokens.ids[kept], offsets=tokens.offsets[kept], words=tokens.words[kept])
    new_index = np.cumsum(kept) - kept
    left = np.unique(new_index[cuts[kept[cuts]]])
    return TokenizedExample(document.example, shorter, left[left > 0])


def with_other_name(question: Question, text: str, rng: np.random.Generator) -> Question | None:
    """The question with a name or number replaced by another one from the text that is not the answer."""
    said = {text[answer.start : answer.end] for answer in question.answers}
    choices = []
    for kind in (_NAMES, _NUMBERS):
        others = sorted(set(kind.findall(text)) - set(kind.findall(question.text)))
        others = [name for name in others if not _is_ordinary(name, text)]
        others = [name for name in others if not any(name in answer or answer in name for answer in said)]
        choices += [(match, others) for match in kind.finditer(question.text) if others and match.group() in text]
    if not choices:
        return None
    match, others = choices[int(rng.integers(len(choices)))]
    other = others[int(rng.integers(len(others)))]
    return replace(question, text=question.text[: match.start()] + other + question.text[match.end() :], answers=())


def _is_ordinary(name: str, text: str) -> bool:
    """Whether a capitalised word is not a name: it also occurs in lower case, or is one such as "It" or "The"."""
    return name in _ORDINARY or (
        name != name.lower() and re.search(rf"\b{re.escape(name.lower())}\b", text) is not None
    )
