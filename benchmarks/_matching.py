"""Whether an answer says what one of the acceptable answers says: their words compared, numbers as numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeAlias

from longdoc.values.spelled import spelled_to_figures

Verdict: TypeAlias = Literal["right", "partly", "wrong"]
RIGHT, PARTLY = 0.5, 0.2
"""The least F1 of the words."""


def judge(answer: str, acceptable: Sequence[str]) -> Verdict:
    """Compares an answer with the acceptable ones.

    It is right if the F1 of its words and those of an acceptable answer is at least 0.5, or if it contains one of more
    than one word; partly right from an F1 of 0.2, or if it is contained in one. Acceptable answers with numbers are
    compared only with answers that have one of these numbers: "60 days" is no half of "30 days".
    """
    found = words(answer)
    wanted = [each for text in acceptable if not numbers(each := words(text)) or numbers(each) & numbers(found)]
    best = max((f1(found, each) for each in wanted), default=0.0)
    if best >= RIGHT or any(len(each) > 1 and contains(found, each) for each in wanted):
        return "right"
    return "partly" if best >= PARTLY or any(contains(each, found) for each in wanted) else "wrong"


def words(text: str) -> list[str]:
    """The words and numbers of a text without articles: ``$2,500.00 a month`` is ``2500.00``, ``month``."""
    found = re.findall(r"\d+(?:[.,]\d+)*|[^\W\d_]+", spelled_to_figures(" ".join(text.casefold().split())))
    return [word.replace(",", "") for word in found if word not in ("a", "an", "the")]


def numbers(found: Sequence[str]) -> set[str]:
    return {word for word in found if word[0].isdigit()}


def f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of the words, whatever their order."""
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def contains(outer: Sequence[str], inner: Sequence[str]) -> bool:
    """Whether the inner words occur in a row in the outer ones."""
    starts = range(len(outer) - len(inner) + 1)
    return bool(inner) and any(list(outer[start : start + len(inner)]) == list(inner) for start in starts)
