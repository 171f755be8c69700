"""Records of contracts: made contracts of many kinds, and what their records say."""

import datetime
import json
from dataclasses import replace

import pytest

from longdoc.document import Document
from longdoc.errors import DocumentError, RecordError
from longdoc.labels import Entity
from longdoc.prediction import Prediction
from longdoc.record_types import all_cells
from longdoc.records import RECORDS, Contract, contract_record, with_record
from longdoc.records.ends import expiration_date
from longdoc.records.forms import signature_namings
from longdoc.records.names import has_legal_form, is_name, name_end
from longdoc.records.replies import Replies

BODY = """
1. Term. This Agreement shall commence on the Effective Date and continue for a period of five (5) years. It shall be
renewed for successive one (1) year terms unless a party gives notice ninety (90) days before the end of the term.

2. Governing Law. This Agreement shall be governed by the laws of the State of New York.

3. Liability. The liability of a party under this Agreement shall not exceed $1,000,000 in the aggregate.
"""


def record_of(text: str, **found: object) -> Contract:
    return contract_record(Document.from_text(text, name="contract.txt"), **found)


def parties_of(record: Contract) -> dict[str, str | None]:
    return {" ".join(p.name.text.split()): p.role.text if p.role else None for p in record.parties}


OPENINGS = {
    "by and between": (
        "SUPPLY AGREEMENT\n\nThis Supply Agreement is made as of May 3, 2016 "
        '(the "Effective Date") by and between Acme '
        'Holdings, Inc., a Delaware corporation ("Supplier"), and Jane Roe, an individual residing in Ohio '
        '("Buyer").',
        {"Acme Holdings, Inc.": "Supplier", "Jane Roe": "Buyer"},
    ),
    "numbered": (
        "SERVICE AGREEMENT\n\nTHIS AGREEMENT is made on 1 April 2020\n\nBETWEEN\n\n"
        "(1) Theravon Biopharma UK Limited, a "
        "company registered in England whose registered office is at 12 New Fetter Lane, London "
        "(the “Employer”); and\n\n"
        "(2) Brett Hauman of 4 Mill Road, Oxford (the “Executive”).\n\nAGREED TERMS",
        {"Theravon Biopharma UK Limited": "Employer", "Brett Hauman": "Executive"},
    ),
    "letter": (
        "CONSULTING AGREEMENT\n\nJuly 20, 2018\n\nDear Ms. Moss:\n\nKerona, Inc., a Delaware corporation "
        '(the "Company"), is '
        'pleased to offer this Consulting Agreement (this "Agreement") to retain Greta Moss '
        '("Consultant") for services.',
        {"Kerona, Inc.": "Company", "Greta Moss": "Consultant"},
    ),
    "form": (
        "DISTRIBUTION CONTRACT\n\nContract No: 17\nSupplier: Shenzhen Loha Supply Chain Co., Ltd.\nAddress:"
        " 12 Fu Road\n"
        "Distributor: Berg & Sohn GmbH\nAddress: Ring 4, Köln\n\nThe parties agree on this contract.",
        {"Shenzhen Loha Supply Chain Co., Ltd.": "Supplier", "Berg & Sohn GmbH": "Distributor"},
    ),
    "amendment": (
        "AMENDMENT NO. 3 TO SUPPLY AGREEMENT\n\nThis Amendment No. 3 "
        '(the "Third Amendment"), entered into by and between '
        'Strem Foods, LLC ("Heritage") and Premier Nutrition Corporation '
        '("Premier"), is effective as of July 3, 2019 and '
        "amends that certain Supply Agreement dated July 1, 2017.",
        {"Strem Foods, LLC": "Heritage", "Premier Nutrition Corporation": "Premier"},
    ),
    "foreign suffixes": (
        "ALLIANCE AGREEMENT\n\nThis Agreement is made as of May 3, 2016 among Playa Cancun, S. de"
        ' R.L. de C.V. ("Playa"), '
        "Sap Works (Africa) (Pty) Limited "
        '("Works"), Henk Verf N.V., a company under the laws of the Netherlands ("Henk"), '
        'Milano Luce S.p.A. ("Luce") and Acacia Mining Pty Ltd ("Acacia").',
        {
            "Playa Cancun, S. de R.L. de C.V.": "Playa",
            "Sap Works (Africa) (Pty) Limited": "Works",
            "Henk Verf N.V.": "Henk",
            "Milano Luce S.p.A.": "Luce",
            "Acacia Mining Pty Ltd": "Acacia",
        },
    ),
    "commas and and": (
        "AGENCY AGREEMENT\n\nThis Agreement is entered into as of May 3, 2016 by and between Smith,"
        " Jones & Co., Inc., a New "
        'York corporation ("Agent"), and New Life Insurance and Annuity Corporation, with offices'
        " at 1 Elm Street, Boston, "
        'Massachusetts 02110 and at Paris ("Insurer").',
        {"Smith, Jones & Co., Inc.": "Agent", "New Life Insurance and Annuity Corporation": "Insurer"},
    ),
    "capitals": (
        "LEASE AGREEMENT\n\nTHIS LEASE AGREEMENT IS MADE AS OF MAY 3, 2016 BETWEEN ACME CORPORATION,"
        " A DELAWARE CORPORATION "
        '("LANDLORD"), AND BETA STORES LLC, AN OHIO LIMITED LIABILITY COMPANY ("TENANT").',
        {"ACME CORPORATION": "LANDLORD", "BETA STORES LLC": "TENANT"},
    ),
    "doing business as": (
        "HOSTING AGREEMENT\n\nThis Agreement is made as of May 3, 2016 by and between Dot Com LLC,"
        " d/b/a Seattle Developers, a "
        'Delaware limited liability company ("Developer"), and deltafour.com, Inc. '
        "(formerly known as Delta Four, Inc.), a "
        'Delaware corporation ("Client").',
        {"Dot Com LLC": "Developer", "deltafour.com, Inc.": "Client"},
    ),
    "confirmed by letter": (
        "AGENCY AGREEMENT\n\nNovember 3, 2016\n\nLadies and Gentlemen:\n\nDelta Valley Bancorp, "
        "Inc. of Pennsylvania, a "
        'federal company (the "Company"), with accounts insured by the Federal Deposit Insurance Corporation ("FDIC"), '
        "and "
        "Delta Valley Savings Bank d/b/a Alto Bank, a Pennsylvania-chartered savings bank (the "
        '"Bank"), hereby confirm their agreement with Sander O\'Neal & Partners, L.P. (the "Agent") as follows.',
        {
            "Delta Valley Bancorp, Inc. of Pennsylvania": "Company",
            "Delta Valley Savings Bank": "Bank",
            "Sander O'Neal & Partners, L.P.": "Agent",
        },
    ),
    "places, and another contract's parties": (
        'MEDIA AGREEMENT\n\nThis Agreement is made as of May 3, 2016 between Acme, (Bermuda) Ltd. ("Acme"), and Erste '
        'Werke Aktiengesellschaft, a corporation with its offices at Berlin and Munich ("Werke") (each a "Party" '
        'and together, the "Parties"), covers (i) the Portfolio of systems (each a "System").\n\n1.4 "Merger '
        'Agreement" means '
        "that certain Plan of Merger by and among Alpha Holdings, Inc., a Delaware corporation, Beta Corp, a Delaware "
        "corporation, Gamma Sub, Inc., a Delaware corporation, and Delta Newco, LLC, a Delaware company.",
        {"Acme, (Bermuda) Ltd.": "Acme", "Erste Werke Aktiengesellschaft": "Werke"},
    ),
    "people who act for a party": (
        "HOSTING AGREEMENT\n\nThis Agreement is entered into on May 3, 2016 by and between Ann Roe, director "
        'of e-shops, Inc (hereinafter referred to as "Client") and (Host) Bolt Web LLC for the design of a site.',
        {"e-shops, Inc": "Client", "Bolt Web LLC": "Host"},
    ),
    "trustee": (
        "INDENTURE\n\nThis Indenture is dated as of May 3, 2016 between Amber Owner Trust, a Delaware"
        " statutory trust (the "
        '"Issuer"), and Wilm Bank, N.A., a national banking association, as trustee '
        '(the "Trustee"). The parties agree.',
        {"Amber Owner Trust": "Issuer", "Wilm Bank, N.A.": "Trustee"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), OPENINGS.values(), ids=OPENINGS)
def test_the_opening_says_who_the_parties_are(text: str, expected: dict[str, str]) -> None:
    record = record_of(text + BODY)
    assert parties_of(record) == expected
    for cell in all_cells(record):
        assert (text + BODY)[cell.start : cell.end] == cell.text and cell.page == 1
        assert 0 <= cell.score <= 1 and cell.source


def test_a_party_has_its_kind_its_jurisdiction_its_aliases_and_mentions() -> None:
    text = OPENINGS["doing business as"][0] + " DELTAFOUR.COM, INC. pays Dot Com LLC." + BODY
    developer, client = record_of(text).parties
    assert (developer.kind.text, developer.jurisdiction.text) == ("limited liability company", "Delaware")
    assert [alias.text for alias in developer.aliases] == ["Seattle Developers"]
    assert [alias.text for alias in client.aliases] == ["Delta Four, Inc."]
    assert [mention.text for mention in client.mentions if mention.text.isupper()] == ["DELTAFOUR.COM, INC."]
    dutch = record_of(OPENINGS["foreign suffixes"][0] + BODY).parties[2]
    assert dutch.jurisdiction.text == "Netherlands"


def test_a_record_has_dates_law_term_renewal_notice_and_caps() -> None:
    row = record_of(OPENINGS["by and between"][0] + BODY).to_row()
    assert row == {
        "title": "SUPPLY AGREEMENT",
        "parties": ["Acme Holdings, Inc.", "Jane Roe"],
        "roles": ["Supplier", "Buyer"],
        "agreement_date": datetime.date(2016, 5, 3),
        "effective_date": datetime.date(2016, 5, 3),
        "expiration_date": datetime.date(2021, 5, 3),
        "governing_law": "New York",
        "term": "5 years",
        "renewal": "1 year",
        "notice": "90 days",
        "caps": ["USD 1,000,000"],
        "check": [],
    }


@pytest.mark.parametrize("number", ["1.", "2)", "1.1", "§ 1", "Section 3.", "ARTICLE I", "II.", "A.", "(a)"])
def test_a_numbered_heading_on_the_line_of_the_opening_is_no_title(number: str) -> None:
    opening = 'This Agreement is made by Acme Holdings, Inc. ("Host") and Bea Corp. ("Customer") as of May 3, 2016.'
    record = record_of(f"ACME HOLDINGS, INC.\n\nHOSTING AGREEMENT\n\n{number} Hosting Agreement. {opening}" + BODY)
    assert record.title is not None and record.title.text == "HOSTING AGREEMENT"


@pytest.mark.parametrize("title", ["J. Crew Supply Agreement", "A.B. Dick Lease Agreement", "10 Year Supply Agreement"])
def test_a_title_may_start_with_a_letter_and_a_period_or_with_a_number(title: str) -> None:
    opening = 'This Agreement is made by Acme Holdings, Inc. ("Host") and Bea Corp. ("Customer") as of May 3, 2016.'
    assert record_of(f"{title}\n\n{opening}" + BODY).to_row()["title"] == title


@pytest.mark.parametrize(
    ("sentence", "end", "check"),
    [
        (
            "This Agreement shall be for two years from the Effective Date with annual renewals after termination.",
            2018,
            False,
        ),
        ("The term of this Agreement will be for 24 months unless terminated sooner.", 2018, True),
        (
            "This Agreement shall take effect from the Effective Date and continue for two years thereafter.",
            2018,
            False,
        ),
        ("The Cooperation Term of the parties shall be two years from May 3, 2016 to May 3, 2018.", 2018, False),
        ("This Agreement commences on the Effective Date and shall terminate on May 3, 2018.", 2018, False),
        ("This Agreement shall be valid for two years from the Launch Date of the site.", None, None),
    ],
)
def test_an_end_is_computed_from_what_the_term_is_said_to_run_from(sentence, end, check) -> None:
    found = record_of(OPENINGS["by and between"][0] + f"\n\n1. Term. {sentence}\n").expiration_date
    assert (found and found.value) == (end and datetime.date(end, 5, 3)) and (found and found.check) == check


SIGNED = """JOINT FILING AGREEMENT

The undersigned agree to file jointly the Statement on Schedule 13D, and that this Agreement be an exhibit to it.

IN WITNESS WHEREOF, the undersigned have executed this Agreement as of February 20, 2020.

UNIFORM INVEST LP

By: Uniform GP LLC, its general partner
By: /s/ David Marple
Name: David Marple
Title: General Counsel

THE VERDE FUND G.P., L.P.

By: /s/ David Marple
Name: David Marple
Title: General Counsel VERDE PARTNERS, INC.

By: /s/ Ann Lee
"""


def test_signatures_name_the_parties_where_no_opening_does_and_general_partners_are_none() -> None:
    record = record_of(SIGNED)
    assert list(parties_of(record)) == ["UNIFORM INVEST LP", "THE VERDE FUND G.P., L.P.", "VERDE PARTNERS, INC."]
    assert all(party.name.source == "signature block" and party.name.check for party in record.parties)
    assert record.agreement_date.value == datetime.date(2020, 2, 20)
    assert record.effective_date.check and record.effective_date.source.startswith("agreement date")


def test_for_before_a_name_that_signs_is_no_part_of_it():
    blocks = ["For Acme Widgets Ltd.", "SIGNED BY: BETA CORP.\n", "For Eyes Optical Company"]
    signed = "".join(f"\n{block}\nBy: ______\n" for block in blocks)
    text = f"For Eyes Optical Company buys lenses. {'It pays for them. ' * 30}IN WITNESS WHEREOF they signed.{signed}"
    names = [text[slice(*naming.name)] for naming in signature_namings(text)]
    assert names == ["Acme Widgets Ltd.", "BETA CORP.", "For Eyes Optical Company"]


def test_the_signature_block_completes_and_confirms_a_name() -> None:
    text = (
        "SUPPLY AGREEMENT\n\nThis Agreement is made as of May 3, 2016 by and between Acme, a Delaware"
        ' corporation ("Seller"), and '
        f'Beta Ltd. ("Buyer").{BODY}\nIN WITNESS WHEREOF, the parties sign.\n\nACME, INC.\nBy: /s/ A.'
        f" Roe\n\nBETA LTD.\nBy: /s/ B. Doe\n"
    )
    seller, buyer = record_of(text).parties
    assert seller.name.text == "ACME, INC." and [alias.text for alias in seller.aliases] == ["Acme"]
    assert buyer.name.text == "Beta Ltd." and buyer.name.source == "opening paragraph, signature block"


def entity(text: str, name: str, label: str, score: float = 0.9) -> Entity:
    start = text.index(name)
    return Entity(text=name, label=label, start=start, end=start + len(name), score=score, page=1)


def test_mentions_of_a_model_confirm_but_make_a_party_only_if_nothing_else_does() -> None:
    text = OPENINGS["by and between"][0] + BODY + "\nA copy goes to Law Firm LLP."
    votes = [entity(text, "Acme Holdings, Inc.", "PARTY"), entity(text, "Law Firm LLP", "PARTY")]
    record = record_of(text, entities=votes)
    assert list(parties_of(record)) == ["Acme Holdings, Inc.", "Jane Roe"]
    assert record.parties[0].name.source == "opening paragraph, entity PARTY"
    plain = "SERVICE AGREEMENT\n\nThis agreement of Acme Works Inc. covers its services." + BODY
    assert record_of(plain).parties == ()
    (party,) = record_of(plain, entities=[entity(plain, "Acme Works Inc.", "PARTY")]).parties
    assert party.name.text == "Acme Works Inc." and party.name.check and party.name.source == "entity PARTY"


BLANKS = ["this ____ day of ________, 2019", "as of [●], 2019", "as of ________ __, 2019", "as of November __, 2019"]


@pytest.mark.parametrize("date", BLANKS)
def test_a_blank_date_is_reported_and_not_made_up(date: str) -> None:
    record = record_of(
        f'LOAN AGREEMENT\n\nThis Agreement is made {date} by and between Acme Inc. ("Lender") and Bo Ltd. '
        f'("Borrower").{BODY}'
    )
    assert record.agreement_date.value is None and record.agreement_date.check
    assert "partly blank" in record.agreement_date.source and "2019" in record.agreement_date.text
    assert record.expiration_date is None


def test_the_date_of_another_document_is_not_that_of_the_contract() -> None:
    record = record_of(OPENINGS["amendment"][0] + BODY)
    assert record.effective_date.value == datetime.date(2019, 7, 3)
    assert record.agreement_date.value != datetime.date(2017, 7, 1)


ENDS = {
    "until December 31, 2021": (datetime.date(2021, 12, 31), "stated"),
    "until the fifth (5th) anniversary of the Effective Date": (
        datetime.date(2021, 5, 3),
        "computed from the term and the effective date",
    ),
    "for a term of eighteen (18) months": (datetime.date(2017, 11, 3), "computed from the term and the effective date"),
    "for three years from June 1, 2016": (datetime.date(2019, 6, 1), "computed from the term and the 2016-06-01"),
}


@pytest.mark.parametrize(("words", "expected"), ENDS.items())
def test_an_end_is_stated_or_computed_and_says_from_what(words: str, expected: tuple[datetime.date, str]) -> None:
    text = OPENINGS["by and between"][0] + f"\n\n1. Term. This Agreement shall continue {words}. The parties agree.\n"
    end = record_of(text).expiration_date
    assert (end.value, end.source) == expected


def test_an_end_that_is_computed_from_a_doubtful_date_is_to_be_checked() -> None:
    text = (
        OPENINGS["by and between"][0]
        + "\n\n1. Term. This Agreement shall continue for two years from the Effective Date.\n"
    )
    document, record = Document.from_text(text), record_of(text)
    for check in (False, True):
        effective = replace(record.effective_date, check=check)
        end = expiration_date(document, record.agreement_date, effective, record.term)
        assert end.value == record.expiration_date.value and end.check == check


@pytest.mark.parametrize(
    ("words", "renews"),
    [
        ("It renews automatically for one year.", True),
        ("The term shall be renewed for successive years unless a party gives notice.", True),
        ("Unless a party objects, this Agreement will be extended by one year.", True),
        ("Thereafter the term continues from year to year.", True),
        ("The Agreement has automatic annual renewals.", True),
        ("The parties may renew this Agreement for one year.", False),
        ("It shall terminate automatically unless the parties extend the term.", False),
        ("The rights do not automatically extend to other events under this Agreement.", False),
        ("It shall be paid unless the term has ended.", False),
    ],
)
@pytest.mark.parametrize("end", ["until December 31, 2021", "for a term of five years"])
def test_the_end_of_a_first_term_says_that_the_contract_renews_itself(words: str, renews: bool, end: str) -> None:
    term = f"\n\n1. Term. This Agreement shall continue {end}. {words}\n"
    document = Document.from_text(OPENINGS["by and between"][0] + term, name="contract.txt")
    prediction = with_record(Prediction(document=document), "contract")
    (cell,) = prediction.fields["expiration_date"]
    assert cell.value.year == 2021 and cell.source.endswith("before automatic renewals") == renews
    said = [notice.reason for notice in prediction.notices]
    assert said == ["expiration_date is that of the first term: the contract renews itself"] * renews
    for question in ("When does this agreement end?", "How long does it last?"):
        for answer in Replies(document).to(question):
            assert answer.source.endswith(", before automatic renewals") == renews


def test_a_start_is_no_end() -> None:
    text = (
        OPENINGS["by and between"][0]
        + "\n\n1. Term. The term of this Agreement shall run commencing on June 1, 2018.\n"
    )
    assert record_of(text).expiration_date is None


AFTER_ITS_END = (
    "5. Confidentiality. The duties of confidence shall continue for a period of five (5) years after termination.",
    "6. Records. The Supplier shall keep its records for a period of three years.",
    "2.8 Storage. The Supplier shall store the reports for a period of 3 years from the date the services took place.",
    "7. Non-Solicitation. During the term of this Agreement and for one (1) year thereafter the Buyer hires nobody.",
    "8. Warranty. The warranty under this Agreement shall continue for a period of two (2) years.",
    "9. Audit. This Agreement shall remain open to audit for a period of two (2) years following expiration.",
    "4. Fleet. The Buyer shall within a period of five months of the Effective Date reduce the number of vehicles.",
    "4. Fleet. The Buyer shall rent the vehicles for a period of two years.",
)


@pytest.mark.parametrize("sentence", AFTER_ITS_END)
def test_the_length_of_a_duty_is_not_that_of_the_contract(sentence: str) -> None:
    opening = OPENINGS["by and between"][0]
    without = record_of(f"{opening}\n\n{sentence}\n")
    assert without.term is None and without.expiration_date is None
    term = "The term of this Agreement is twelve (12) months, from the Effective Date."
    beside = record_of(f"{opening}\n\n{sentence}\n\n12. General. {term}\n")
    assert beside.term.text == "twelve (12) months"
    assert (beside.expiration_date.text, beside.expiration_date.value) == (beside.term.text, datetime.date(2017, 5, 3))


TERMS = {
    "1. Term. The initial term hereof shall be two (2)  years from the Effective Date.": "two (2)  years",
    "1. Term. The Supplier serves the Buyer for a period of 18 months.": "18 months",
    'It takes effect at once and shall continue for three years thereafter (the "Initial Term").': "three years",
    "1. Term. The term of this Agreement shall commence at once and shall expire twenty (20) years from the Effective "
    "Date.": "twenty (20) years",
}


@pytest.mark.parametrize(("words", "term"), TERMS.items())
def test_a_term_is_the_length_that_the_contract_calls_so(words: str, term: str) -> None:
    assert record_of(f"{OPENINGS['by and between'][0]}\n\n{words}\n").term.text == term


@pytest.mark.parametrize(("end", "checked"), [("May 3, 2019", False), ("May 3, 2021", True)])
def test_a_term_and_an_end_that_disagree_are_to_be_checked(end: str, checked: bool) -> None:
    words = f"1. Term. The term of this Agreement shall be three (3) years, and this Agreement shall expire on {end}."
    record = record_of(f"{OPENINGS['by and between'][0]}\n\n{words}\n")
    assert (record.term.check, record.expiration_date.check) == (checked, checked)


NOTICES = {
    "Such notice must be given ninety (90) days prior to expiration of the term.": "ninety (90) days",
    "Such notice must be given ninety (90) days prior to expiration.": "ninety (90) days",
    "Written notice of non-renewal shall be given at least sixty days before the end of the term.": "sixty days",
    "Any notice shall be deemed received three days after it is posted.": None,
}


@pytest.mark.parametrize(("sentence", "notice"), NOTICES.items())
def test_the_notice_may_follow_the_sentence_on_renewal(sentence: str, notice: str | None) -> None:
    term = "1. Term. The initial term is two years and shall be renewed for one year, unless either party objects."
    found = record_of(f"{OPENINGS['by and between'][0]}\n\n{term} {sentence}\n").notice
    assert (found and found.text) == notice


LAWS = {
    "governed by and construed in accordance with the laws of the State of Delaware, without"
    " regard to conflicts": "Delaware",
    "governed by the laws of England and Wales": "England and Wales",
    "governed by New York law": "New York",
    "GOVERNED BY THE LAWS OF THE STATE OF TEXAS WITHOUT GIVING EFFECT TO ITS RULES": "TEXAS",
    "construed under the laws of the United States and the State of Florida": "Florida",
    "governed by PRC laws": "People's Republic of China",
}


@pytest.mark.parametrize(("words", "place"), LAWS.items())
def test_the_law_is_a_place(words: str, place: str) -> None:
    text = OPENINGS["by and between"][0] + f"\n\n2. Law. This Agreement shall be {words}.\n"
    assert record_of(text).governing_law.value == place


def test_clauses_are_read_first() -> None:
    text = OPENINGS["by and between"][0] + BODY + "\n9. Rules. All is to be read as Ohio law says.\n"
    clause = entity(text, "All is to be read as Ohio law says, ".rstrip(", "), "Governing Law")
    assert record_of(text).governing_law.source == "rule governing law"
    text = text.replace("as Ohio law says", "under the laws of Ohio")
    clause = entity(text, "All is to be read under the laws of Ohio", "Governing Law", 1.0)
    law = record_of(text.replace("the State of New York", "New York"), spans=[]).governing_law
    assert law.value == "New York"
    only = OPENINGS["by and between"][0] + "\n9. Rules. All is to be read under the laws of Ohio.\n"
    clause = entity(only, "All is to be read under the laws of Ohio", "Governing Law", 1.0)
    assert record_of(only, spans=[clause]).governing_law.source == "clause Governing Law"


NAMES = {
    "Bank of America, N.A., as agent": "Bank of America, N.A.",
    "Intuit Inc. a Delaware corporation": "Intuit Inc.",
    "Henkel AG & Co. KGaA, Germany": "Henkel AG & Co. KGaA",
    "Dr. John A. Smith, M.D. of Boston": "Dr. John A. Smith, M.D.",
    "i-Escrow, Inc. and Beta": "i-Escrow, Inc.",
    "PC QUOTE, INC. (PCQ)": "PC QUOTE, INC.",
    "Trust Company of the West, a California corporation": "Trust Company of the West",
    "EuroTel Bratislava a.s., Stefanikova 17": "EuroTel Bratislava a.s.",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_a_name_is_read_whole_and_no_further(text: str, name: str) -> None:
    assert text[: name_end(text, 0)] == name


@pytest.mark.parametrize(
    "text",
    [
        "between",
        "the Company",
        "Successor",
        "TX 75069",
        "May 3, 2016",
        "S/",
        "Effective Date",
        "Singapore",
        "Las Vegas, NV",
        "1.3.3 Removing",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


def test_a_company_has_a_legal_form_and_a_person_has_none() -> None:
    assert has_legal_form("JSC NOC KazakhOil") and has_legal_form("Acme LLC")
    assert not has_legal_form("Jane Roe") and not has_legal_form("Products for the Company")


PAPER = (
    "On the reading of leaves\n\nAbstract\n\nWe measured leaves "
    "(Smith et al. 2020; Roe et al. 2019).\n\nMethods\n\nLeaves were cut.\n\nReferences\n\n1. Smith et al.\n"
)
NOTE = (
    "CHIEF COMPLAINT\nCough.\n\nHISTORY OF PRESENT ILLNESS\nThe patient is a 40-year-old woman who denies fever.\n\n"
    "REVIEW OF SYSTEMS\nNegative.\n\nMEDICATIONS\nAspirin 81 mg daily.\n\nPHYSICAL EXAM\nLungs clear.\n\n"
    "ASSESSMENT AND PLAN\nRest. Follow up in two weeks.\n"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(PAPER * 3, "a paper"), (NOTE, "a clinical note"), ("", "none"), ("Apples and pears. " * 90, "none")],
)
def test_a_document_of_another_kind_has_no_record(text: str, kind: str) -> None:
    with pytest.raises(RecordError, match=f"other.txt: not a contract, it looks like {kind}"):
        contract_record(Document.from_text(text, name="other.txt"))
    assert issubclass(RecordError, DocumentError)


def test_a_record_is_plain_json_and_an_empty_one_has_the_same_columns() -> None:
    record = record_of(OPENINGS["by and between"][0] + BODY)
    plain = json.loads(json.dumps(record.to_dict()))
    assert plain["parties"][0]["role"]["text"] == "Supplier" and plain["agreement_date"]["value"] == "2016-05-03"
    assert Contract().to_row().keys() == record.to_row().keys()
    assert RECORDS["contract"].make is contract_record


SPACED = ("5 day of", "the laws of")


@pytest.mark.parametrize("words", SPACED)
def test_runs_of_spaces_cost_no_time(words: str) -> None:
    opening = OPENINGS["by and between"][0]
    record = record_of(f"{opening}\n\n{words}{' ' * 50_000}{BODY}")
    assert record.term.text == "five (5) years" and record.expiration_date.value == datetime.date(2021, 5, 3)


def test_hostile_runs_cost_no_time() -> None:
    for run in (
        "_ " * 20_000,
        "*" * 40_000,
        "A " * 20_000,
        "between " * 5_000,
        "(" * 20_000,
        "by and between Acme Inc. and " * 1_000,
        "1/1/2 " * 5_000,
    ):
        record_of("AGREEMENT\n\nThis Agreement is between the parties. The parties agree hereto. " * 30 + run)
