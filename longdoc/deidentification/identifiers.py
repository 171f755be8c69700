"""What identifies a person by its form: dates, addresses, and numbers whose check digits are right.

>>> text = "Sick note 943 476 5870 (not 943-476-58713); mail ann@example.org, IBAN DE89 3704 0044 0532 0130 00"
>>> [(span.label, text[span.start : span.end]) for span in identifiers(text)]
[('ID_NUMBER', '943 476 5870'), ('EMAIL', 'ann@example.org'), ('ACCOUNT_NUMBER', 'DE89 3704 0044 0532 0130 00')]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache

from longdoc.deidentification.preset import Pattern, load_preset
from longdoc.errors import require
from longdoc.labels import Span

_EXTRA = "deidentify"


def identifiers(text: str, labels: Collection[str] | None = None) -> list[Span]:
    """What the patterns of the preset and phonenumbers find, in order; of what overlaps, the whole.

    Args:
        text: the text.
        labels: those that are sought; by default all of the preset.

    Raises:
        MissingDependencyError: a label needs phonenumbers or python-stdnum, which is not installed.
    """
    wanted = load_preset().labels if labels is None else labels
    return merged([*_by_pattern(text, wanted), *(_telephones(text) if "PHONE" in wanted else ())])


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order that do not overlap: those that do become one, with the label of the longest."""
    whole: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        length = span.end - span.start
        if whole and span.start < whole[-1].end:
            before = whole[-1]
            label = span.label if length > longest else before.label
            whole[-1] = Span(before.start, max(before.end, span.end), label)
            longest = max(longest, length)
        else:
            whole.append(span)
            longest = length
    return whole


def _by_pattern(text: str, labels: Collection[str]) -> Iterator[Span]:
    for pattern, expression in _compiled():
        if pattern.label not in labels:
            continue
        group = "masked" if "masked" in expression.groupindex else 0
        for match in expression.finditer(text):
            if pattern.check is None or _is_valid(pattern.check, match[group]):
                yield Span(*match.span(group), pattern.label)


@cache
def _compiled() -> list[tuple[Pattern, re.Pattern[str]]]:
    return load_preset().compiled()


def _is_valid(check: str, number: str) -> bool:
    """Whether a number is one of a kind, by its check digit."""
    module = require(f"stdnum.{check}", extra=_EXTRA, needed_by="deidentify")
    return bool(module.is_valid(number)) or bool(module.is_valid(re.sub("[ -]", "", number)))


def _telephones(text: str) -> Iterator[Span]:
    phonenumbers = require("phonenumbers", extra=_EXTRA, needed_by="deidentify")
    for region in load_preset().phone_regions:
        for match in phonenumbers.PhoneNumberMatcher(text, region, max_tries=len(text) + 1):
            yield Span(match.start, match.end, "PHONE")
