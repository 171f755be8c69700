"""Typed values in the text of an answer: dates, amounts of money, durations, percentages, numbers.

>>> parse_value("This Agreement shall commence on the 1st day of June, 2004 and continue for two years.", "date")
datetime.date(2004, 6, 1)
>>> parse_value("not to exceed US$ 5 million per year", "money")
Money(amount=Decimal('5000000'), currency='USD')
>>> str(parse_value("upon thirty (30) days' written notice", "duration"))
'30 days'

An answer may be a whole sentence: the first value of the requested type is returned, or the one closest to given words.
The text is English, as in American contracts. Ambiguous forms are read as follows:

- A date needs a day, a month and a year. ``3/4/2011`` is March 4; ``13/4/2011`` and dates with periods (``1.4.2011``)
  put the day first; ``2011-03-04`` is ISO. Two-digit years lie between 1950 and 2049.
- ``$`` without a country is the US dollar, ``£`` the pound sterling and ``¥`` the yen.
- A comma separates thousands and a period decimals, unless the number is only valid the other way round (``12,5``,
  ``1.234,56``).
- Words and figures check each other: if they differ, as in ``thirty (60) days``, the words count, as they do in law;
  of a range, its end. :func:`alternative_of` returns the other reading, also of a date such as ``3/4/2011``.
- ``-5%``, ``minus 5%``, ``$(500)`` and a text that is only ``(500)`` are negative.
- A "perpetual" or "indefinite" term and a blank (``____ days``) have no value.
"""

from longdoc.values.durations import Duration, Unit
from longdoc.values.money import Money
from longdoc.values.parse import FieldType, Value, alternative_of, parse_value, to_plain
from longdoc.values.stated import with_alternative

__all__ = [
    "Duration",
    "FieldType",
    "Money",
    "Unit",
    "Value",
    "alternative_of",
    "parse_value",
    "to_plain",
    "with_alternative",
]
