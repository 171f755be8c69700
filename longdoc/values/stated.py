"""Values that a text states in two ways, as in ``five hundred dollars ($600)``, ``5-10%`` or ``03/04/2020``."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Any, TypeVar

from longdoc.values.spelled import AMOUNT_ALONE, WORDS, to_decimal

ValueT = TypeVar("ValueT")


class UncertainNumber(Decimal):
    """A number or percentage with the other reading of the text, ``alternative``; otherwise an ordinary ``Decimal``."""

    alternative: Decimal | None = None

    def __copy__(self) -> UncertainNumber:
        return self

    def __deepcopy__(self, memo: Any) -> UncertainNumber:
        return self

    def __reduce__(self) -> Any:
        return with_alternative, (Decimal(self), self.alternative)

    def __repr__(self) -> str:
        return f"UncertainNumber('{self:f}', alternative={self.alternative!r})"


class Percentage(UncertainNumber):
    """A percentage, in percent: an ordinary ``Decimal`` that is shown with its unit, as in ``1.5% per month``."""

    per: str = ""
    """The time that it is for, such as ``month``; empty if the text names none."""

    @classmethod
    def of(cls, amount: Decimal, per: str = "") -> Percentage:
        """A percentage of this amount, with the other reading that the amount has."""
        own, other = cls(amount), getattr(amount, "alternative", None)
        own.per, own.alternative = per, None if other is None else cls.of(other, per)
        return own

    def __reduce__(self) -> Any:
        number = with_alternative(Decimal(self), None if self.alternative is None else Decimal(self.alternative))
        return Percentage.of, (number, self.per)

    def __str__(self) -> str:
        return f"{Decimal(self):f}%{f' per {self.per}' if self.per else ''}"

    def __format__(self, spec: str, context: Context | None = None, /) -> str:
        return format(Decimal(self), spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"Percentage('{self}', alternative={self.alternative!r})"


class UncertainDate(datetime.date):
    """A date with the other reading of the text, ``alternative``; otherwise an ordinary ``datetime.date``."""

    alternative: datetime.date | None = None

    def __reduce__(self) -> Any:
        return with_alternative, (datetime.date(self.year, self.month, self.day), self.alternative)

    def __repr__(self) -> str:
        return f"UncertainDate({self.year}, {self.month}, {self.day}, alternative={self.alternative!r})"


def with_alternative(value: ValueT, other: Any) -> ValueT:
    """The value with its other reading, or unchanged if there is none or both are the same."""
    if other is None or other == value:
        return value
    uncertain: Any
    if isinstance(value, Decimal):
        uncertain = UncertainNumber(value)
        uncertain.alternative = other
    elif isinstance(value, datetime.date):
        uncertain = UncertainDate.fromordinal(value.toordinal())
        uncertain.alternative = other
    else:
        uncertain = replace(value, alternative=other)  # type: ignore[type-var]
    return uncertain  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Stated:
    """An amount, and the other one if the text states two that differ."""

    amount: Decimal
    other: Decimal | None = None


def stated(first: str, again: str | None) -> Stated:
    """The amount stated by ``first``, and ``again`` in brackets: of words and figures that differ, the words prevail.

    Brackets with anything but a number count for nothing, nor do figures beside figures.
    """
    again = (again or "").strip()
    if not AMOUNT_ALONE.fullmatch(again) or (WORDS in first) == (WORDS in again):
        return Stated(to_decimal(first))
    words, figures = (first, again) if WORDS in first else (again, first)
    same = agree(to_decimal(words), to_decimal(figures))
    return Stated(to_decimal(words), None if same else to_decimal(figures))


def agree(words: Decimal, figures: Decimal) -> bool:
    """Whether figures are those of the words, perhaps rounded to their last decimal (``one-third``, ``0.33``)."""
    exponent = figures.as_tuple().exponent
    assert isinstance(exponent, int)
    return words == figures or (exponent <= -2 and round(words, -exponent) == figures)
