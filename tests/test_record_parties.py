"""Parties, titles and ends of contracts that are worded in less usual ways; names that are blacked out or blank."""

import datetime

import pytest

from longdoc.document import Document
from longdoc.record_types import Contract, cells_by_field
from longdoc.records import contract_record
from longdoc.records.names import is_name, name_end

BODY = "\n\n1. Term. This Agreement shall continue for two years from the Effective Date. The parties agree.\n"


def record_of(text: str) -> Contract:
    return contract_record(Document.from_text(text, name="contract.txt"))


def parties_of(text: str) -> dict[str, str | None]:
    return {str(p.name.value): p.role.text if p.role else None for p in record_of(text).parties}


BLANKS = {
    'a company with its office in Ohio ("Seller"), and [***] (the "Provider")': (
        "[***]",
        "[name blacked out]",
        "Provider",
    ),
    'an Ohio corporation ("Seller"), and [ * * * ], a Utah company ("Provider")': (
        "[ * * * ]",
        "[name blacked out]",
        "Provider",
    ),
    '("Seller") and [REDACTED] ("Buyer")': ("[REDACTED]", "[name blacked out]", "Buyer"),
    'an Ohio corporation ("Seller"), and ________ ("Buyer")': ("________", "[name left blank]", "Buyer"),
    'an Ohio corporation ("Seller"), and [●], a Delaware corporation (the "Buyer")': (
        "[●]",
        "[name left blank]",
        "Buyer",
    ),
    f'("Seller"), and {"_" * 40}\n{"_" * 90} {"_" * 200} ("Buyer")': (
        f"{'_' * 40}\n{'_' * 90} {'_' * 200}",
        "[name left blank]",
        "Buyer",
    ),
    '("Seller"), and the [name of franchisee] (the "Buyer")': ("[name of franchisee]", "[name left blank]", "Buyer"),
}


@pytest.mark.parametrize(("words", "expected"), BLANKS.items())
def test_a_party_without_a_name_is_shown_as_such_and_to_be_checked(words: str, expected: tuple[str, str, str]) -> None:
    text = f"SUPPLY AGREEMENT\n\nThis Agreement is made as of May 3, 2016 by and between Acme Inc., {words}.{BODY}"
    record = record_of(text)
    name, shown, role = expected
    first, second = record.parties
    assert first.name.text == "Acme Inc." and not first.name.check
    assert (second.name.text, second.name.value, second.role.text) == (name, shown, role)
    assert second.name.check and second.mentions == ()
    assert record.to_row()["parties"] == ["Acme Inc.", shown] and "parties" in record.to_row()["check"]
    assert [str(cell.value).split(" (")[0] for cell in cells_by_field(record)["parties"]] == ["Acme Inc.", shown]


def test_two_parties_without_names_are_two() -> None:
    text = f'LEASE\n\nThis Lease is between ________ ("Landlord") and ________ ("Tenant") as of May 3, 2016.{BODY}'
    assert [party.role.text for party in record_of(text).parties] == ["Landlord", "Tenant"]


def test_a_blank_that_is_described_as_no_party_is_none() -> None:
    text = (
        "SUPPLY AGREEMENT\n\nThis Agreement is made this ____ day of ________, 2019 by and between Acme Inc. "
        f'("Seller") and Beta LLC ("Buyer") and ________ is paid.{BODY}'
    )
    assert parties_of(text) == {"Acme Inc.": "Seller", "Beta LLC": "Buyer"}


def test_the_signature_names_a_party_that_the_opening_leaves_blank() -> None:
    text = (
        'SUPPLY AGREEMENT\n\nThis Agreement is made as of May 3, 2016 between Acme Inc. ("Seller") and ________ '
        f'("Buyer").{BODY}'
        "\nIN WITNESS WHEREOF, the parties sign.\n\nACME INC.\nBy: /s/ A. Roe\n\nBETA LTD.\nBy: /s/ B. Doe\n"
    )
    assert list(parties_of(text)) == ["Acme Inc.", "BETA LTD."]


OPENINGS = {
    "a person whose services a company gives": (
        'This Agreement is made as of May 3, 2016 by and between Roe Works, LLC ("Lender"), for services of Jane Roe '
        '("Endorser"), and Beta Corporation ("Company").',
        {"Roe Works, LLC": "Lender", "Jane Roe": "Endorser", "Beta Corporation": "Company"},
    ),
    "a person of the company's name": (
        "This Agreement is made as of May 3, 2016 among the following parties:\n\n(a) Jane Roe, Inc. "
        '("JR Corp"), furnishing the services of Jane Roe ("JR"), 19 Elm Street;\n\n(b) Beta Co. ("Beta"), 2 Oak Road.',
        {"Jane Roe, Inc.": "JR Corp", "Jane Roe": "JR", "Beta Co.": "Beta"},
    ),
    "a list, with a name in a description": (
        'This Agreement is made as of May 3, 2016 among (a) Acme S.A. ("Acme"), a company listed in New York and the '
        "Growth Market of The Exchange of Hong Kong Limited, whose address is 1 Elm Street; and (b) Beta Limited "
        '("Beta").',
        {"Acme S.A.": "Acme", "Beta Limited": "Beta"},
    ),
    "no word before the parties": (
        "Synchra, a California corporation having a place of business at 3 Elm Court, San Diego (or its Affiliates, "
        'the "Investor"), and Rare Rock Ltd., a Utah corporation (the "Company"), agree as follows.',
        {"Synchra": "Investor", "Rare Rock Ltd.": "Company"},
    ),
    "the parties of another contract": (
        'This Amendment is made as of May 3, 2016 between Acme AB ("Acme") and Beta, Inc. ("Beta"), as an amendment to '
        'that certain Joint Venture Agreement dated May 3, 2014 by and among Gamma AB ("Gamma") and Delta, '
        'Inc. ("Delta").',
        {"Acme AB": "Acme", "Beta, Inc.": "Beta"},
    ),
    "a legal form in lower case": (
        "This Agreement is entered into as of May 3, 2016 by and between Sagem S.A. whose address is 3 Rue, Paris "
        "(hereinafter referred to as Morpho) and Ximage corporation whose address is 10 First Street (hereinafter "
        "referred to as Ximage).",
        {"Sagem S.A.": "Morpho", "Ximage corporation": "Ximage"},
    ),
    "a town": (
        "This Agreement is made as of May 3, 2016 between the TOWN OF VENTON, VIRGINIA, a Virginia municipal "
        'corporation ("Grantor"), and RONE GAS COMPANY, a Virginia corporation ("Grantee").',
        {"TOWN OF VENTON, VIRGINIA": "Grantor", "RONE GAS COMPANY": "Grantee"},
    ),
    "underlined": (
        "This Systems Agreement is made and entered into as of April 27, 1999, by and between iShop.com, Inc., "
        'a\nWashington corporation (the "Company"), with offices in Elm Street, and Mail\n-------\nBoxes Etc. USA, '
        'Inc., a California corporation ("MBE").',
        {"iShop.com, Inc.": "Company", "Mail Boxes Etc. USA, Inc.": "MBE"},
    ),
}


@pytest.mark.parametrize(("opening", "expected"), OPENINGS.values(), ids=OPENINGS)
def test_parties_of_less_usual_openings(opening: str, expected: dict[str, str]) -> None:
    assert parties_of(f"SERVICE AGREEMENT\n\n{opening}{BODY}") == expected


NAMES = {
    "Great Lakes Gas Limited Partnership (Transporter)": "Great Lakes Gas Limited Partnership",
    "ACME LIMITED LIABILITY COMPANY, A UTAH COMPANY": "ACME LIMITED LIABILITY COMPANY",
    "i3 Creative Works, LLC, an Ohio company": "i3 Creative Works, LLC",
    "City of Austin, Texas, a city": "City of Austin, Texas",
    "Acme Limited, Texas, a company": "Acme Limited",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_a_name_has_its_whole_legal_form_or_state(text: str, name: str) -> None:
    assert text[: name_end(text, 0)] == name


def test_a_kind_of_entity_is_no_name() -> None:
    assert not is_name("Delaware corporation") and is_name("Delaware Gas corporation")


SIGNED = (
    "SERVICE AGREEMENT\n\nServices are agreed as of May 3, 2016.{body}\n"
    "IN WITNESS WHEREOF, they sign.\n{above}\nBUILDERS, Inc.\nBy: /s/ A. Roe\n\nBETA SHOES INC.\nBy: /s/ B. Doe\n"
)


@pytest.mark.parametrize(
    ("above", "name"),
    [
        ("Acceptance by Developer\nSEATTLE SOFTWARE", "SEATTLE SOFTWARE BUILDERS, Inc."),
        ("THE DEVELOPER", "BUILDERS, Inc."),
        ("MASTER FRANCHISEE", "BUILDERS, Inc."),
        ("AGREED AND ACCEPTED BY", "BUILDERS, Inc."),
        ("SEATTLE SOFTWARE\n", "BUILDERS, Inc."),
        ("SEATTLE SOFTWARE, INC.", "BUILDERS, Inc."),
    ],
)
def test_a_name_that_is_broken_above_a_signature_is_read_whole(above: str, name: str) -> None:
    assert name in parties_of(SIGNED.format(above=above, body=BODY))


def test_the_owner_of_a_mark_is_no_party() -> None:
    text = (
        'SERVICE AGREEMENT\n\nThe marks are owned by Gamma Works, Inc. ("Owner"). The services are given as agreed.'
        f"{BODY}\nIN WITNESS WHEREOF, the parties sign.\n\nACME INC.\nBy: /s/ A. Roe\n\nBETA LTD.\nBy: /s/ B. Doe\n"
    )
    assert list(parties_of(text)) == ["ACME INC.", "BETA LTD."]


PARTIES = (
    'is made as of May 3, 2016 (the "Effective Date") by and between Acme Inc. ("Seller") and Beta Ltd. ("Buyer").'
)
ENDS = {
    "The goods are sold.\n\nExpiration Date: August 31, 2018": (2018, 8, 31),
    "AGREEMENT PERIOD\n\nTermination Date: December 31, 2023": (2023, 12, 31),
    "8.1Term. This Agreement shall be effective as of the Effective Date and continue through December 31, 2021.": (
        2021,
        12,
        31,
    ),
    "2. Term. The initial term of this Agreement is the Effective Date through March 15, 2022.": (2022, 3, 15),
    "2. Term. This Agreement runs until the date that is two (2) years after the date of this Agreement.": (
        2018,
        5,
        3,
    ),
    "2. Term. This Agreement shall end when the site closes, but in no event later than February 28, 2019.": (
        2019,
        2,
        28,
    ),
    "It shall be effective on May 3, 2016 and shall have a duration of two years.": (2018, 5, 3),
    '"Year" means each year, except that the first Year of the Term shall end on June 30, 2017.': None,
    "Exclusivity Period shall mean the period from the Effective Date until December 31, 2018.": None,
}


@pytest.mark.parametrize(("words", "day"), ENDS.items())
def test_an_end_is_read_where_it_is_that_of_the_contract(words: str, day: tuple[int, int, int] | None) -> None:
    end = record_of(f"SUPPLY AGREEMENT\n\nThis Agreement {PARTIES}\n\n{words}\n").expiration_date
    assert (end and end.value) == (day and datetime.date(*day))


TITLES = {
    "Contract No.: 15UD0081\nCooperation Agreement\n\nThis Agreement": "Cooperation Agreement",
    "Acme Agreement Number: N115\nDISTRIBUTOR AGREEMENT\n\nThis Agreement": "DISTRIBUTOR AGREEMENT",
    'RESELLER AGREEMENT\n(the "Agreement")\n\nThis Agreement': "RESELLER AGREEMENT",
    "EXHIBIT 99.2\ne-business Hosting Agreement\n\nThis Agreement": "e-business Hosting Agreement",
    "Appendix F Shortfall Claim Example MAINTENANCE AGREEMENT\n\nThis MAINTENANCE AGREEMENT": "MAINTENANCE AGREEMENT",
    "BOLT SOFTWARE CORPORATION RESELLER AGREEMENT\n\nThis Reseller Agreement": "RESELLER AGREEMENT",
    "CITY ROAD MAINTENANCE AGREEMENT\n\nThis MAINTENANCE AGREEMENT": "CITY ROAD MAINTENANCE AGREEMENT",
    "SUPPLY AGREEMENT NO. DX-7\n\nThis Agreement": "SUPPLY AGREEMENT NO. DX-7",
}


@pytest.mark.parametrize(("top", "title"), TITLES.items())
def test_a_title_has_nothing_of_what_stands_around_it(top: str, title: str) -> None:
    assert record_of(f"{top} {PARTIES}{BODY}").title.value == title


@pytest.mark.parametrize(("law", "place"), [("English", "England"), ("Swiss", "Switzerland"), ("Texas", "Texas")])
def test_the_law_of_a_country_may_be_an_adjective(law: str, place: str) -> None:
    text = f"SUPPLY AGREEMENT\n\nThis Agreement {PARTIES}\n\n2. Law. This Agreement is governed by {law} law.\n"
    assert record_of(text).governing_law.value == place
