"""Where somebody or something is from: "a French company", with the words of other origins in the place of "French"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from longdoc.auditing.swaps import Replacements, Skipped, Swaps, Variant, replacing, swapped
from longdoc.auditing.wording import words
from longdoc.datasets import Example
from longdoc.edits import Edit
from longdoc.labels import Span


def swap_origins(examples: Sequence[Example], labels: Collection[str]) -> Swaps:
    """The texts that say of one origin where somebody or something is from, with that of each group.

    The names of persons stay as they are.
    """
    groups = words().origins.swapped

    def make(example: Example) -> dict[str, Variant]:
        word = _word(example)
        names = tuple(span for span in example.spans if span.label in labels)
        return {
            group: Variant.of(
                example,
                names,
                Replacements(
                    tuple(_edits(example.text, word, group)),
                    {question.id: tuple(_edits(question.text, word, group)) for question in example.questions},
                ),
            )
            for group in groups
        }

    return swapped("origins", examples, make)


def _word(example: Example) -> str:
    """The one word for an origin in a text.

    Raises:
        Skipped: there is none, or several, or it is a language, a people or a part of a name.
    """
    own = words().origins
    either = "|".join(sorted({*own.swapped, *own.replaced}, key=len, reverse=True))
    found = list(re.finditer(rf"(?<!\w)(?:{either})(?!\w)", example.text))
    if not found:
        raise Skipped("no word for an origin")
    if len({match[0] for match in found}) > 1:
        raise Skipped("several origins in one text")
    nouns = "|".join(own.before)
    is_clear = re.compile(rf"\s(?:[a-z-]+\s){{0,2}}(?:{nouns})(?!\w)")
    for match in found:
        if not is_clear.match(example.text, match.end()):
            raise Skipped("an origin that may be a language, a people or a part of a name")
        if _is_in_name(example.spans, *match.span()):
            raise Skipped("an origin in a name")
    return found[0][0]


def _is_in_name(spans: Sequence[Span], start: int, end: int) -> bool:
    return any(span.start < end and start < span.end and (span.start, span.end) != (start, end) for span in spans)


def _edits(text: str, word: str, new: str) -> Iterator[Edit]:
    """The edits that replace a word, and the article before it where it needs another one."""
    for match in re.finditer(rf"(?:(?<!\w)([Aa]n?)(\s))?(?<!\w)({word})(?!\w)", text, re.I if word.isupper() else 0):
        article = match[1]
        if article is not None:
            yield replacing(*match.span(1), article, "an" if new[0] in "AEIO" else "a")
        yield replacing(*match.span(3), match[3], new)
