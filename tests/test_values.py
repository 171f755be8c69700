"""Typed values: values in answers are parsed, and text without a value gives None."""

import copy
import datetime
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.errors import ConfigError
from longdoc.labels import Answer
from longdoc.plain import plain, restored
from longdoc.values import Duration, FieldType, Money, Unit, alternative_of, parse_value, to_plain
from timing import assert_linear

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
    "30 June '21": "2021-06-30",
    "31.12.2020": "2020-12-31",
    "May twenty-first, twenty twenty-one": "2021-05-21",
    "first day of January, nineteen ninety-nine": "1999-01-01",
    "this 5th day of May, A.D. 2010": "2010-05-05",
    "1 May 2020²": "2020-05-01",
    "The parties may, on 2 days' notice under Section 3.1.12, end it on May 2, 2019.": "2019-05-02",
}
NO_DATES = [
    *("February 30, 2020", "February 30", "Q3 2021"),
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
    "half a million dollars ($500,000)": ("500000", "USD"),
    "a half-million dollars": ("500000", "USD"),
    "three-quarters of a million dollars": ("750000", "USD"),
    "a million and a half dollars": ("1500000", "USD"),
    "two and one-half million dollars ($2,500,000)": ("2500000", "USD"),
    "Two Thousand, Five Hundred Dollars ($2,500)": ("2500", "USD"),
    "Nine Hundred Ninety-Nine Dollars and 50/100 ($999.50)": ("999.50", "USD"),
    "Nine Hundred Ninety-Nine and 50/100 Dollars": ("999.50", "USD"),
    "One Hundred and fifty one-hundredths dollars": ("100.50", "USD"),
    "One Hundred and xx/100 Dollars": ("100", "USD"),
    "Four Dollars and Forty One Cents ($4.41) per kilogram": ("4.41", "USD"),
    "seven cents (7 cents) per 100 pounds": ("0.07", "USD"),
    "five hundred Canadian dollars ($500)": ("500", "CAD"),
    "five hundred dollars (€450)": ("500", "USD"),
    "One Thousand Dollars (1)": ("1000", "USD"),
    "-$500": ("-500", "USD"),
    "$-500": ("-500", "USD"),
    "a loss of $(1,234.56)": ("-1234.56", "USD"),
    "($1,234.56)": ("-1234.56", "USD"),
    "(500 EUR)": ("-500", "EUR"),
    "minus five hundred dollars": ("-500", "USD"),
    "the fee—$500—is due": ("500", "USD"),
    "Rupees Five Lakh Only (Rs. 5,00,000)": ("500000", "INR"),
    "Rs. 2.5 crore": ("25000000", "INR"),
    "1 234,56 EUR": ("1234.56", "EUR"),
    "1.5bn EUR": ("1500000000", "EUR"),
    "10^6 dollars": ("1000000", "USD"),
    "3 × 10⁵ USD": ("300000", "USD"),
    "$1,000[2] per day": ("1000", "USD"),
    "＄５００": ("500", "USD"),
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
    "one year and six months": (18, "month"),
    "three (3) years and six (6) months": (42, "month"),
    "two years and thirty days' notice": (2, "year"),
    "a year and a half": ("1.5", "year"),
    "three quarters of a year": ("0.75", "year"),
    "two dozen months": (24, "month"),
    "in the twenty-first year, 5 days": (5, "day"),
    "30[2] days": (30, "day"),
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
    "three-quarters of one percent": "0.75",
    "one quarter of one percent (1/4%)": "0.25",
    "1/10 of one percent": "0.1",
    "a half percent": "0.5",
    "two and three-quarters percent (2.75%)": "2.75",
    "sixty-six and two-thirds percent (66.67%)": "66.6667",
    "one percent (1%) per month": "1",
    "50 basis points (0.50%)": "0.5",
    "-5%": "-5",
    "−5%": "-5",
    "minus five percent": "-5",
    "(5)%": "-5",
    "(5%)": "-5",
    "+/-5% of the number": "5",
    "5 per centum": "5",
    "95%[3]": "95",
    "５％": "5",
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
    "(500)": "-500",
    "−500": "-500",
    "a dozen eggs": "12",
    "half a dozen": "6",
    "1,000[2] patients": "1000",
    "10^6": "1000000",
    "10⁶ cells": "1000000",
    "3 x 10^5": "300000",
    "3×10^5 copies": "300000",
    "10^-3": "0.001",
    "x^2 = 9": "9",
    "two-thirds of the votes": "0.6667",
    "the forty-third (43rd) edition": "43",
    "a third party holds 5": "5",
    "Section 5-1401": "5",
    "1-800-555-1234": "1",
    "1 234 patients": "1234",
}
NO_NUMBERS = ["10^30", "5[***]", "", " ", "no", "²", "∞", "第二", "2.3.4", "1,2,3", "1e9", "first", "9" * 50]
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


UNCERTAIN = {
    ("Five Hundred Dollars ($600)", "money"): ("USD 500", "USD 600"),
    ("Five Hundred (600) Dollars", "money"): ("USD 500", "USD 600"),
    ("Five Hundred Dollars Only (600)", "money"): ("USD 500", "USD 600"),
    ("$500 (six hundred dollars)", "money"): ("USD 600", "USD 500"),
    ("five hundred Canadian dollars ($600)", "money"): ("CAD 500", "USD 600"),
    ("EUR 1.234", "money"): ("EUR 1,234", "EUR 1.234"),
    ("between $5 and $10", "money"): ("USD 10", "USD 5"),
    ("$5-10 million", "money"): ("USD 10,000,000", "USD 5,000,000"),
    ("$5 to 10 million", "money"): ("USD 10,000,000", "USD 5,000,000"),
    ("ten percent (12%)", "percent"): ("10%", "12%"),
    ("ten (12) percent", "percent"): ("10%", "12%"),
    ("50 basis points (0.75%)", "percent"): ("0.5%", "0.75%"),
    ("5-10%", "percent"): ("10%", "5%"),
    ("between 5% and 10%", "percent"): ("10%", "5%"),
    ("six (5) months", "duration"): ("6 months", "5 months"),
    ("30 (sixty) days", "duration"): ("60 days", "30 days"),
    ("thirty (30) to sixty (60) days", "duration"): ("60 days", "30 days"),
    ("twenty-five (52) patients", "number"): ("25", "52"),
    ("5 to 10 patients", "number"): ("10", "5"),
    ("the first (2nd) day of May, 2003", "date"): ("2003-05-01", "2003-05-02"),
    ("03/04/2020", "date"): ("2020-03-04", "2020-04-03"),
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at 1.5% per month", "1.5% per month"),
        ("one and one-half percent (1.5%) per annum", "1.5% per year"),
        ("12 % p.a. on the balance", "12% per year"),
        ("2%, monthly", "2% per month"),
        ("50 basis points", "0.5%"),
        ("50% of the price", "50%"),
        ("1,000,000%", "1000000%"),
        ("5% personnel", "5%"),
    ],
)
def test_a_percentage_is_shown_with_its_unit_and_is_an_ordinary_number(text, shown):
    value = parse_value(text, "percent")
    assert (str(value), f"{value}") == (shown, shown) and shown in repr(value)
    assert value == Decimal(value) and value + 1 == Decimal(value) + 1 and f"{value:.1f}" == f"{Decimal(value):.1f}"
    assert to_plain(value) == float(value) and restored(Answer, plain(answer_with(value))).value == value
    for copied in (copy.deepcopy(value), copy.copy(value), pickle.loads(pickle.dumps(value))):
        assert (copied, str(copied), copied.per) == (value, shown, value.per)


def answer_with(value):
    return Answer(text="x", start=0, end=1, score=1.0, page=1, value=value)


@pytest.mark.parametrize(("text", "expected"), UNCERTAIN.items())
def test_of_two_readings_the_other_one_stays_visible(text, expected):
    value = parse_value(*text)
    assert (str(value), str(alternative_of(value))) == expected
    assert str(alternative_of(value)) in repr(value) or "alternative=" in repr(value)
    for copied in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert (copied, type(copied), alternative_of(copied)) == (value, type(value), alternative_of(value))


@pytest.mark.parametrize("type", VALUED)
def test_words_and_figures_that_agree_have_one_reading(type):
    texts = {"money": MONEY, "duration": DURATIONS, "percent": PERCENTS, "number": NUMBERS, "date": DATES}[type]
    known = {"2-3 years", "thirty (60) days", "5-10%", "3/4/2011", "3/4/49", "3/4/50", "1.4.2011"}
    assert {text for text in texts if alternative_of(parse_value(text, type)) is not None} <= known


def test_a_year_and_a_day_are_not_a_year():
    value = parse_value("for a year and a day", "duration")
    assert value == Duration(Decimal(1), "year", plus=Duration(Decimal(1), "day"))
    assert str(value) == "1 year and 1 day"
    assert to_plain(value) == {"amount": 1, "unit": "year", "plus": {"amount": 1, "unit": "day"}}


def _spelled(number):
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    words = [*small.split(), "seventeen", "eighteen", "nineteen"]
    tens = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
    if number < 20:
        return words[number]
    if number < 100:
        return tens[number // 10] + (f"-{words[number % 10]}" if number % 10 else "")
    for power, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= power:
            rest = f" {_spelled(number % power)}" if number % power else ""
            return f"{_spelled(number // power)} {name}{rest}"
    raise AssertionError(number)


@given(st.integers(1, 10**12 - 1), st.integers(1, 10**12 - 1), st.booleans())
def test_words_and_figures_check_each_other(words, figures, same):
    figures = words if same else figures
    value = parse_value(f"a fee of {_spelled(words).title()} Dollars (${figures:,}) a year", "money")
    assert value == Money(Decimal(words), "USD")
    assert alternative_of(value) == (None if words == figures else Money(Decimal(figures), "USD"))


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
    "( ) half a third quarters of ^ 10^6 x [2] and 50/100 cents dozen minus - to between "
    "June 31 may 2004 '99 / - . , day of the th ½ ² ٣ [***] _ RMB k m annual to \n".split(" ")
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


LONG = [
    "five ",
    "one and ",
    "half of a ",
    "5-",
    "$5 to ",
    "10^6 x ",
    "five hundred dollars ($600) ",
    "a year and ",
    "$1 (",
]


@pytest.mark.parametrize(
    "piece", ["1,000 and 12 (one of 3.4.5) $ June 99 day ", "1", "(1", "1,", "a", "$", "1/2 ", *LONG]
)
def test_a_long_text_takes_linear_time(piece):
    assert_linear(lambda length: [parse_value(piece * (length // len(piece)), type) for type in VALUED], 20_000)


def test_the_parsers_are_loaded_only_when_a_value_is_asked_for():
    code = "import sys, longdoc.values; sys.exit(any(m in sys.modules for m in ('dateutil', 'number_parser', 'torch')))"
    subprocess.run([sys.executable, "-c", code], check=True)
