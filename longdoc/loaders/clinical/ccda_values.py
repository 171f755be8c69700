"""Values in clinical documents in C-CDA as text: quantities, intervals, times, and codes whose meaning is fixed."""

from __future__ import annotations

from longdoc.loaders.clinical.ccda_header import date_of
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of

_ENDS = ("low", "high", "center", "width", "period", "numerator", "denominator")
_ORDINARY = ("", "active", "completed")
"""Statuses that go without saying."""
_INTERPRETATIONS = {
    "A": "Abnormal",
    "AA": "Critical abnormal",
    "H": "High",
    "HH": "Critical high",
    "L": "Low",
    "LL": "Critical low",
    "N": "Normal",
}
"""Code of HL7's ObservationInterpretation -> its name, for codes without one."""


def is_time(part: Element) -> bool:
    """Whether an element is a time, an interval or a rhythm."""
    return tag_of(part).endswith(("time", "useableperiod")) or _type_of(part).endswith("TS")


def is_end(part: Element) -> bool:
    """Whether an element is a part of the quantity or time around it, which is written with it."""
    return tag_of(part) in _ENDS and bool(as_quantity(part))


def times_of(part: Element) -> list[tuple[str, str]]:
    """The label and the value of each part of a time: ``("from", "2020-01-01"), ("to", "2020-03-01")``."""
    labels = {"center": "", "low": "from", "high": "to", "width": "for"}
    found = [("", _date(part)), *((label, _date(end)) for tag, label in labels.items() for end in children(part, tag))]
    found += [("every", as_quantity(period)) for period in children(part, "period")]
    return [(label, value) for label, value in found if value]


def as_quantity(part: Element) -> str:
    """A quantity, interval or ratio as text: ``5 mg``, ``<0.01 ng/mL``, ``135-145 mmol/L``, ``1:128``; empty if none.

    Intervals include their ends unless they say otherwise.
    """
    if above := [_amount(end) for end in children(part, "numerator") if _amount(end)]:
        below = [_amount(end) for end in children(part, "denominator") if _amount(end)]
        is_titer = not any(
            attribute(end, "unit") not in ("", "1") for end in children(part, "numerator", "denominator")
        )
        return (":" if is_titer else "/").join([*above, *below])
    low, high = (next((e for e in children(part, tag) if attribute(e, "value")), None) for tag in ("low", "high"))
    if low is not None and high is not None:
        return _between(low, high)
    if low is not None:
        return f">{_or_equal(low)}{_amount(low)}"
    if high is not None:
        return f"<{_or_equal(high)}{_amount(high)}"
    value = _amount(part)
    if _type_of(part) == "BL":
        return {"true": "yes", "false": "no"}.get(value, value)
    return "" if value.startswith("#") else value  # a reference to the narrative


def status_of(statement: Element) -> str:
    """The status of a statement, unless it goes without saying."""
    codes = (attribute(code, "code") for code in children(statement, "statuscode"))
    return next((code for code in codes if code.lower() not in _ORDINARY), "")


def interpretation_of(part: Element) -> str:
    """The name of an interpretation, or its code with a label."""
    code = attribute(part, "code")
    return attribute(part, "displayName") or _INTERPRETATIONS.get(code, f"interpretation {code}" if code else "")


def _between(low: Element, high: Element) -> str:
    first, last = _amount(low), _amount(high)
    if _or_equal(low) == _or_equal(high) == "=":
        unit = attribute(high, "unit")
        is_range = attribute(low, "unit") in ("", unit) and not last.startswith("-")
        return f"{attribute(low, 'value')}-{last}" if is_range else f"{first} to {last}"
    return f">{_or_equal(low)}{first} and <{_or_equal(high)}{last}"


def _or_equal(end: Element) -> str:
    return "" if attribute(end, "inclusive") in ("false", "0") else "="


def _amount(part: Element) -> str:
    """The value of an element with its unit; ``1`` is the unit of numbers without one."""
    value, unit = attribute(part, "value"), attribute(part, "unit")
    return f"{value} {'' if unit == '1' else unit}".strip() if value else ""


def _date(part: Element) -> str:
    return f"{date_of(attribute(part, 'value'))} {attribute(part, 'unit')}".strip()


def _type_of(part: Element) -> str:
    """The type that an element declares, without its namespace."""
    return attribute(part, "type").rpartition(":")[2]
