"""Texts with words replaced: one variant for each group, and where every character was before.

example + replacements ──edits──▶ variant: text, names and answers moved
a finding in the variant ──back──▶ its place in the example, so that findings of two variants can be compared
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from longdoc.datasets import Example, Question
from longdoc.edits import Edit, Edits
from longdoc.errors import LongdocError
from longdoc.labels import Span

KIND = "swap"
"""Of the edits of a variant."""


class Skipped(LongdocError):
    """A text is left out of a swap; the message is the reason, under which such texts are counted."""


@dataclass(frozen=True, slots=True)
class Replacements:
    """What replaces words of an example, in its text and in its questions, by their ids; each in order."""

    text: tuple[Edit, ...]
    questions: Mapping[str, tuple[Edit, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """An example in which words are replaced."""

    text: str
    names: tuple[Span, ...]
    """The annotated names, where they are now."""
    questions: tuple[Question, ...]
    """The questions, with replaced words, and with their answers where they are now."""
    origins: NDArray[np.int32]
    """Shape ``(len(text), 2)``: the half-open range of the example's text that each character comes from."""

    @classmethod
    def of(cls, example: Example, names: Sequence[Span], made: Replacements) -> Variant:
        """Replaces words of an example.

        Raises:
            Skipped: a name or an answer begins or ends inside a replaced word.
        """
        edits = Edits.of(made.text)
        text, origins = edits.apply(example.text)
        questions = tuple(
            Question(
                question.id,
                Edits.of(made.questions.get(question.id, ())).apply(question.text)[0],
                _moved(question.answers, edits),
                question.label,
                question.category,
            )
            for question in example.questions
        )
        return cls(text, _moved(names, edits), questions, origins)

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The place in the example of a range of the variant; of a part of a replacement, that of all it replaces."""
        return int(self.origins[start, 0]), int(self.origins[end - 1, 1])


def _moved(spans: Sequence[Span], edits: Edits) -> tuple[Span, ...]:
    for edit in edits:
        if any(edit.raw_start < border < edit.raw_end for span in spans for border in (span.start, span.end)):
            raise Skipped("a name or an answer begins or ends inside a replaced word")
    raw = np.array([(span.start, span.end) for span in spans], dtype=np.int64).reshape(-1, 2)
    moved = edits.to_text(raw).tolist()
    return tuple(Span(start, end, span.label) for (start, end), span in zip(moved, spans, strict=True))


@dataclass(frozen=True, slots=True)
class Swap:
    """One example in its variants, by group; all swaps of a kind have the same groups in the same order."""

    id: str
    variants: Mapping[str, Variant]


@dataclass(frozen=True, slots=True)
class Swaps:
    """All examples that words of one kind can be swapped in, and why others are left out."""

    kind: str
    """``names``, ``pronouns`` or ``origins``."""
    swaps: tuple[Swap, ...]
    skipped: Mapping[str, int]
    """Reason → number of texts."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups; the first is what the others are compared with. None if no text can be changed."""
        return tuple(self.swaps[0].variants) if self.swaps else ()


def swapped(kind: str, examples: Iterable[Example], make: Callable[[Example], Mapping[str, Variant]]) -> Swaps:
    """The swaps of examples: ``make`` gives the variants of one, by group, or raises :class:`Skipped`."""
    found: list[Swap] = []
    skipped: Counter[str] = Counter()
    for example in examples:
        try:
            found.append(Swap(example.id, make(example)))
        except Skipped as error:
            skipped[str(error)] += 1
    return Swaps(kind, tuple(found), dict(skipped.most_common()))


def replacing(start: int, end: int, old: str, new: str) -> Edit:
    """The edit that replaces ``old`` by ``new``, in capitals or with a capital if ``old`` is.

    >>> replacing(0, 2, "HE", "she").text, replacing(0, 2, "He", "she").text, replacing(0, 1, "I", "she").text
    ('SHE', 'She', 'She')
    """
    if len(old) > 1 and old.isupper():
        new = new.upper()
    elif old[:1].isupper():
        new = new[:1].upper() + new[1:]
    return Edit(start, end, new, KIND)
