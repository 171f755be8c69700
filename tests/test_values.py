"""Typed values: values in answers are parsed, and text without a value gives None."""

import datetime
import json
import subprocess
import sys
import time
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.errors import ConfigError
from longdoc.values import Duration, FieldType, Money, Unit, parse_value, to_plain

TYPES = get_args(FieldType)
VALUED = ("date", "money", "duration", "percent", "number")

DATES = {
    "June 21, 1999": "1999-06-21",
    "JULY 15, 2005,": "2005-07-15",
    "October 1,1996": "1996-10-01",
    "April 15 , 2010": "2010-04-15",
    "March 18. 2021": "2021-03-18",
    "Sept 3, 2010": "2010-09-03",
    "22 Dec. 2017": "2017-12-22",
    "06 October 2000": "2000-10-06",
    "1st day of June, 2004": "2004-06-01",
    "(1st)  day of January,\n1996": "1996-01-01",
    "19t h day of March, 2020": "2020-03-19",
    "1s t day of March, 2018": "2018-03-01",
    "20 March day of 1998": "1998-03-20",
    "20th day of Friday, March 2020": "2020-03-20",
    "the 5th of May in the year 2001": "2001-05-05",
    "the first day of June 2004": "2004-06-01",
    "the twenty-first (21st) day of May, 2003": "2003-05-21",
    "thirty-first day of December, two thousand and ten": "2010-12-31",
    "22-Jun-68": "1968-06-22",
    "May 5, '99": "1999-05-05",
    "2004-06-01": "2004-06-01",
    "2017-03-05T00:00": "2017-03-05",
    "3/4/2011": "2011-03-04",
    "3/4/49": "2049-03-04",
    "3/4/50": "1950-03-04",
    "13/07/05": "2005-07-13",
    "1.4.2011": "2011-04-01",
    "04.25.2018": "2018-04-25",
    "2/29/2020": "2020-02-29",
    "３ June ２０１０": "2010-06-03",
    "٣ June ٢٠١٠": "2010-06-03",
    "on June 31, 2000 or July 1, 2000": "2000-07-01",
    "This Agreement shall commence on the 1st day of June, 2004 and end on June 1, 2006.": "2004-06-01",
    "The parties may, on 2 days' notice under Section 3.1.12, end it on May 2, 2019.": "2019-05-02",
}
NO_DATES = [
    *("", "may", "on 2", "May 2", "June 2004", "2004", "0/0/0000", "99/99/99", "2/29/2021", "February ____, 2017"),
    *("[ ] day of [ ], 2020", "Section 3.1.12", "June 2, 30 days after", "555-12-3456", "1/2/20045", "20040601"),
    "The term begins on the Effective Date",
]
MONEY = {
    "$1,000,000.00": ("1000000.00", "USD"),
    "$ .05 per unit": ("0.05", "USD"),
    "$3000": ("3000", "USD"),
    "US$ 5 million": ("5000000", "USD"),
    "U.S.$5.5 million": ("5500000", "USD"),
    "USD 3,000": ("3000", "USD"),
    "USD30,000,000": ("30000000", "USD"),
    "$5MM": ("5000000", "USD"),
    "USD$250k": ("250000", "USD"),
    "£3m": ("3000000", "GBP"),
    "$100 CAD": ("100", "CAD"),
    "CDN$ 400": ("400", "CAD"),
    "A$1.5 million": ("1500000", "AUD"),
    "HK$20": ("20", "HKD"),
    "RMB50,000 (RMB FIFTY THOUSAND)": ("50000", "CNY"),
    "¥500": ("500", "JPY"),
    "Rs. 5,00,000": ("500000", "INR"),
    "5,000 Euros": ("5000", "EUR"),
    "€1.234,56": ("1234.56", "EUR"),
    "CHF 1'000": ("1000", "CHF"),
    "RUB 50 000 000": ("50000000", "RUB"),
    "2.5 million pounds sterling": ("2500000", "GBP"),
    "ten thousand dollars ($10,000)": ("10000", "USD"),
    "Ten Million United States Dollars (US$10,000,000)": ("10000000", "USD"),
    "One Hundred Thousand and No/100 Dollars ($100,000.00)": ("100000", "USD"),
    "under Section 2.3, within 30 days, a fee of $100 per day": ("100", "USD"),
}
NO_MONEY = [
    *(
        "",
        "$[***]",
        "$ ____",
        "Period 1 $ ***",
        "30 days",
        "for all 30 days",
        "200 pounds of sugar",
        "rub 2 times a day",
    ),
    *("$1,2345", "the aggregate dollar amount", "the dollar", "$" + "9" * 40),
]
DURATIONS = {
    "thirty (30) days": (30, "day"),
    "(30) days": (30, "day"),
    "60) days": (60, "day"),
    "thirty [30] days": (30, "day"),
    "one (l) year": (1, "year"),
    "FIVE (5) year period": (5, "year"),
    "one-year terms": (1, "year"),
    "six -month": (6, "month"),
    "3~year periods": (3, "year"),
    "twenty-four  (24)\nmonths": (24, "month"),
    "one hundred and eighty (180) days": (180, "day"),
    "twelve (12) full calendar months": (12, "month"),
    "18 mos.": (18, "month"),
    "two and a half years": ("2.5", "year"),
    "1½ years": ("1.5", "year"),
    "1 1/2 years": ("1.5", "year"),
    "half a year": ("0.5", "year"),
    "72 hours": (72, "hour"),
    "ten (10) business days": (10, "business day"),
    "5 working days": (5, "business day"),
    "30 calendar days": (30, "day"),
    "a year": (1, "year"),
    "renewed from year to year": (1, "year"),
    "successive annual terms": (1, "year"),
    "2-3 years": (3, "year"),
    "thirty (60) days": (30, "day"),
    "$100 a month for 24 months": (24, "month"),
    "in the second year, thirty days' notice": (30, "day"),
}
NO_DURATIONS = [
    *(
        "",
        "in perpetuity",
        "indefinitely",
        "____ days",
        "[***] days",
        "the second year",
        "third anniversary",
        "7 party days",
    ),
    *("twice a year", "annual report", "days", "one or more years", "9" * 50 + " days"),
]
PERCENTS = {
    "5%": "5",
    "five percent (5%)": "5",
    "fifty (50)% of revenue": "50",
    "5 per cent": "5",
    "1.5 %": "1.5",
    "3,5 %": "3.5",
    "fifty-one percent": "51",
    "one-half of one percent (0.5%)": "0.5",
    "half of one percent": "0.5",
    "½ of 1%": "0.5",
    "1/2%": "0.5",
    "one and one-half percent (1 1/2%) per month": "1.5",
    "50 basis points": "0.5",
    "5-10%": "10",
}
NO_PERCENTS = ["", "[***]%", "percent", "5", "Section 5", "***** percent (*****%)"]
NUMBERS = {
    "n = 120": "120",
    "1,234 patients": "1234",
    "one of the 45": "45",
    "one": "1",
    "twelve patients in 3 centres": "12",
    "one hundred": "100",
    "five million users": "5000000",
    "-5": "-5",
    "0": "0",
    "120/250": "120",
    "3.125": "3.125",
    "2004¹": "2004",
    "٣٤": "34",
}
NO_NUMBERS = ["", " ", "no", "²", "∞", "第二", "2.3.4", "1,2,3", "1e9", "first", "9" * 50]
SENTENCE = (
    "Neither party shall be liable to the other for any failure or delay in the performance of its obligations "
    "hereunder where such failure arises from causes beyond its reasonable control, and each shall promptly notify the "
    "other thereof as soon as it may."
)


@pytest.mark.parametrize(("text", "expected"), DATES.items())
def test_dates(text, expected):
    assert parse_value(text, "date") == datetime.date.fromisoformat(expected)


@pytest.mark.parametrize(("text", "expected"), MONEY.items())
def test_money(text, expected):
    assert parse_value(text, "money") == Money(Decimal(expected[0]), expected[1])


@pytest.mark.parametrize(("text", "expected"), DURATIONS.items())
def test_durations(text, expected):
    assert parse_value(text, "duration") == Duration(Decimal(expected[0]), expected[1])


@pytest.mark.parametrize(("text", "expected"), PERCENTS.items())
def test_percents(text, expected):
    assert parse_value(text, "percent") == Decimal(expected)


@pytest.mark.parametrize(("text", "expected"), NUMBERS.items())
def test_numbers(text, expected):
    assert parse_value(text, "number") == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "type"),
    [
        *((text, "date") for text in NO_DATES),
        *((text, "money") for text in NO_MONEY),
        *((text, "duration") for text in NO_DURATIONS),
        *((text, "percent") for text in NO_PERCENTS),
        *((text, "number") for text in NO_NUMBERS),
        *((SENTENCE, type) for type in VALUED),
    ],
)
def test_text_without_a_value_gives_none(text, type):
    assert parse_value(text, type) is None


@pytest.mark.parametrize("type", ["text", "clause", "party", "place"])
def test_types_without_values_give_none(type):
    assert parse_value("$5 on June 1, 2004 for 3 days", type) is None


@pytest.mark.parametrize(
    ("near", "expected"),
    [((), "4 years"), (["renew"], "1 year"), (["notice"], "30 days"), (["absent"], "4 years")],
)
def test_the_value_nearest_to_a_word_is_taken(near, expected):
    text = "The term is four years; it renews for one (1) year unless thirty (30) days' notice is given before its end."
    assert str(parse_value(text, "duration", near=near)) == expected


def test_a_value_after_the_word_is_nearer_than_one_before_it():
    text = "April 15, 2000 through October 15, 2000"
    assert parse_value(text, "date", near=["through"]) == datetime.date(2000, 10, 15)


def test_the_words_of_near_are_plain_text():
    assert parse_value("n = 30 (of 40)", "number", near=["(of", "[", "\\"]) == 40


def test_an_unknown_type_is_an_error():
    with pytest.raises(ConfigError, match="unknown type 'dates'; did you mean 'date'\\? Types: text, clause"):
        parse_value("$5", "dates")


@pytest.mark.parametrize(
    ("value", "text", "plain"),
    [
        (datetime.date(2004, 6, 1), "2004-06-01", "2004-06-01"),
        (Money(Decimal("1000000.00"), "USD"), "USD 1,000,000.00", {"amount": "1000000.00", "currency": "USD"}),
        (Money(Decimal("1E+3")), "1,000", {"amount": "1000", "currency": None}),
        (Duration(Decimal(30), "day"), "30 days", {"amount": 30, "unit": "day"}),
        (Duration(Decimal("1.0"), "year"), "1.0 year", {"amount": 1, "unit": "year"}),
        (Duration(Decimal("2.5"), "business day"), "2.5 business days", {"amount": 2.5, "unit": "business day"}),
        (Decimal("5.00"), "5.00", 5),
        (Decimal("0.5"), "0.5", 0.5),
    ],
)
def test_values_as_text_and_as_json(value, text, plain):
    assert str(value) == text
    assert to_plain(value) == plain
    assert json.loads(json.dumps(to_plain(value))) == plain


PIECES = st.sampled_from(
    "$ € USD million thousand hundred one twenty-first second half and 5 0 00 1,000 .5 1/2 % percent days year month "
    "( ) June 31 may 2004 '99 / - . , day of the th ½ ² ٣ [***] _ RMB k m annual to \n".split(" ")
)


@given(
    st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=20).map(" ".join)), st.sampled_from(TYPES), st.booleans()
)
def test_no_text_raises(text, type, cued):
    value = parse_value(text, type, near=["the", "%"] if cued else ())
    if value is not None:
        json.dumps(to_plain(value), allow_nan=False)


FORMS = ["{0:%B} {0.day}, {0.year:04}", "{0.day} {0:%b} {0.year:04}", "{0.year:04}-{0.month:02}-{0.day:02}"]
FORMS += ["the {0.day}th day of {0:%B}, {0.year:04}", "{0.month}/{0.day}/{0.year:04}", "{0:%B} {0.day}th {0.year:04}"]


@given(st.dates(datetime.date(1000, 1, 1), datetime.date(2999, 12, 31)), st.sampled_from(FORMS))
def test_dates_are_read_back(date, form):
    assert parse_value(f"It ends on {form.format(date)} or later.", "date") == date


@given(
    st.decimals(min_value=0, max_value=10**15, places=2, allow_nan=False),
    st.sampled_from(["USD", "EUR", "GBP", "CHF"]),
    st.sampled_from(["{1} {0:,f}", "{0:,f} {1}", "{1}{0:f}", "a fee of {1} {0:f} a year"]),
)
def test_money_is_read_back(amount, currency, form):
    assert parse_value(form.format(amount, currency), "money") == Money(amount, currency)


@given(st.integers(0, 10**9), st.sampled_from(get_args(Unit)))
def test_durations_are_read_back(amount, unit):
    duration = Duration(Decimal(amount), unit)
    assert parse_value(f"within {duration} of receipt", "duration") == duration
    assert parse_value(str(duration), "duration") == duration


@pytest.mark.parametrize("piece", ["1,000 and 12 (one of 3.4.5) $ June 99 day ", "1", "(1", "1,", "a", "$", "1/2 "])
def test_a_long_text_takes_linear_time(piece):
    def seconds(length):
        started_at = time.process_time()
        for type in VALUED:
            parse_value(piece * (length // len(piece)), type)
        return time.process_time() - started_at

    seconds(100)
    assert seconds(20_000) < 8 * max(seconds(5_000), 0.01)


def test_the_parsers_are_loaded_only_when_a_value_is_asked_for():
    code = "import sys, longdoc.values; sys.exit(any(m in sys.modules for m in ('dateutil', 'number_parser', 'torch')))"
    subprocess.run([sys.executable, "-c", code], check=True)
