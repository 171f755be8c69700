"""Columns of a few lines that were drawn line by line across each other are read one after the other."""

import pytest

from longdoc.loaders import load
from pdfs import across, lines, make_pdf

COMMITTEE = ["The committee reviewed the annual", "report and the accounts of the", "company for the year, and it"]
BUDGET = ["approved the budget for the", "coming fiscal year, which the", "members had before them at the"]
NARROW = ["The board met in the", "town hall of the city", "on the first day of"]
NEXT = ["the month and heard", "all that the members", "wished to put to it,"]
LAST = ["then closed the year", "with the usual thanks", "to the treasurer."]
TENANT = ["The tenant keeps the premises in", "good repair at all times and pays"]
LANDLORD = ["The landlord pays the taxes and", "insures the building against fire."]
FIVE = [*COMMITTEE, "then heard the treasurer on the", "state of the pension fund, which"]
OTHER_FIVE = [*BUDGET, "end of the session in spring and", "adopted without a vote."]


def read(content: str, page: str = "/MediaBox [0 0 612 792]") -> list[str]:
    return load(make_pdf(content, page=page)).text.split()


def words(*texts: str) -> list[str]:
    return " ".join(texts).split()


@pytest.mark.parametrize(
    "columns",
    [
        {60: COMMITTEE, 330: BUDGET},
        {60: TENANT, 330: LANDLORD},
        {60: FIVE, 300: OTHER_FIVE},
        {40: NARROW, 200: NEXT, 360: LAST},
        {60: FIVE, 300: BUDGET},
        {60: COMMITTEE, 272: BUDGET},
    ],
    ids=["three lines", "two lines", "five lines", "three columns", "of unequal length", "a narrow gutter"],
)
def test_columns_are_read_one_after_the_other(columns):
    assert read(across(columns)) == words(*(line for column in columns.values() for line in column))


def test_what_is_above_and_below_columns_stays_there():
    title, end = "Minutes of the general meeting of the company", "These are the minutes of the meeting as a whole."
    content = lines(title, x=60, y=730) + across({60: COMMITTEE, 330: BUDGET}) + lines(end, x=60, y=640)
    assert read(content) == words(title, *COMMITTEE, *BUDGET, end)


def test_two_sets_of_columns_are_read_one_after_the_other():
    content = across({60: COMMITTEE, 330: BUDGET}) + across({60: TENANT, 330: LANDLORD}, y=620)
    assert read(content) == words(*COMMITTEE, *BUDGET, *TENANT, *LANDLORD)


def test_columns_of_a_page_that_is_displayed_turned():
    content = "0 1 -1 0 612 0 cm " + across({60: COMMITTEE, 330: BUDGET}, y=500)
    assert read(content, "/MediaBox [0 0 612 792] /Rotate 90") == words(*COMMITTEE, *BUDGET)


@pytest.mark.parametrize(
    "columns",
    [
        {72: ["Name:", "Address:", "Date of birth:"], 250: ["Jane Roe", "12 High Street, Leeds", "3 May 1980"]},
        {72: ["Signed by the landlord", "Jane Roe, its manager"], 330: ["Signed by the tenant", "John Doe, in person"]},
        {
            72: ["Late payment of the rent", "Damage to the premises"],
            330: ["Interest of two percent", "Cost of the repair"],
        },
        {72: ["red", "green", "blue"], 200: ["one", "two", "three"], 330: ["left", "right", "middle"]},
        {72: ["Purpose of the loan:", "Security for the loan:"], 250: ["to buy a house", "the house itself"]},
        {72: ["1. Definitions and rules", "2. Term of the lease"], 480: ["4", "17"]},
    ],
    ids=["form", "signatures", "cells of prose", "short words", "labels", "contents"],
)
def test_rows_are_read_as_rows(columns):
    rows = zip(*columns.values(), strict=True)
    assert read(across(columns)) == words(*(cell for row in rows for cell in row))
