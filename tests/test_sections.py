import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.document import Document
from longdoc.loaders import load
from longdoc.sections import Heading, add_structure, nest
from longdoc.sections.labels import MAX_LABELS

DATA = Path(__file__).parent / "data"

CONTRACT = """SUPPLY AGREEMENT

TABLE OF CONTENTS
ARTICLE I DEFINITIONS 1
ARTICLE II SUPPLY 4
2.1 Orders ........ 4

RECITALS

A. Seller makes widgets.
B. Buyer wants them.

ARTICLE I
DEFINITIONS

1.1 Terms. “Affiliate” means any entity that controls a party. Acme Inc. (the "Company") and Beta (collectively, the
“Parties”) agree.

ARTICLE II - SUPPLY

2.1 Orders. The Buyer shall order as follows:
(a) in writing, as set out in
Section 2.2 below, at 100 Main Street;
(b) by post:
(i) to the plant; or
(ii) to the office.
2.2 Price. The price in Sections 2.1(b)(ii) and 1.1, and in Section 409A of the Code, is fixed; see clause (a) of
Section 9.9 and Exhibit A.

EXHIBIT A

FORM OF ORDER

1. Date. It is dated.
2. Place. See Section 1 of this Exhibit.
"""


def read(text: str) -> Document:
    return add_structure(Document.from_text(text))


def numbers(text: str) -> list[str]:
    return [section.number for section in read(text).sections]


def tree(document: Document) -> list[tuple[str, str, str]]:
    names = [s.number or s.title for s in document.sections]
    return [(names[i], s.title, "" if s.parent is None else names[s.parent]) for i, s in enumerate(document.sections)]


def test_the_numbers_of_a_contract_are_a_tree():
    assert tree(read(CONTRACT)) == [
        ("RECITALS", "RECITALS", ""),
        ("A", "", "RECITALS"),
        ("B", "", "RECITALS"),
        ("I", "DEFINITIONS", ""),
        ("1.1", "Terms", "I"),
        ("II", "SUPPLY", ""),
        ("2.1", "Orders", "II"),
        ("2.1(a)", "", "2.1"),
        ("2.1(b)", "", "2.1"),
        ("2.1(b)(i)", "", "2.1(b)"),
        ("2.1(b)(ii)", "", "2.1(b)"),
        ("2.2", "Price", "II"),
        ("A", "FORM OF ORDER", ""),
        ("1", "Date", "A"),
        ("2", "Place", "A"),
    ]


def test_sections_end_where_the_next_of_their_level_starts():
    document = read(CONTRACT)
    by_number = {section.number: section for section in document.sections}
    assert by_number["2.1"].end == by_number["2.2"].start == by_number["2.1(b)(ii)"].end
    assert document.text[by_number["2.1(a)"].start : by_number["2.1(a)"].end].endswith("Street;\n")
    assert document.section_at(document.text.index("to the plant")) == by_number["2.1(b)(i)"]


def test_defined_terms_and_their_ranges():
    document = read(CONTRACT)
    found = {
        d.term: (document.text[d.start : d.end], document.sections[d.section or 0].number) for d in document.definitions
    }
    assert found == {
        "Affiliate": ("“Affiliate” means any entity that controls a party.", "1.1"),
        "Company": ('(the "Company")', "1.1"),
        "Parties": ("(collectively, the\n“Parties”)", "1.1"),
    }


def test_references_point_to_their_sections():
    document = read(CONTRACT)
    found = [(r.text, r.section) for r in document.references]
    names = [
        (text, None if i is None else (document.sections[i].number, document.sections[i].title)) for text, i in found
    ]
    assert names == [
        ("ARTICLE I", ("I", "DEFINITIONS")),  # of the table of contents
        ("ARTICLE II", ("II", "SUPPLY")),
        ("Section 2.2", ("2.2", "Price")),
        ("Sections 2.1(b)(ii)", ("2.1(b)(ii)", "")),
        ("1.1", ("1.1", "Terms")),
        ("Section 409A", None),
        ("clause (a)", None),
        ("Section 9.9", None),
        ("Exhibit A", ("A", "FORM OF ORDER")),
        ("Section 1", ("1", "Date")),
    ]
    assert all(document.text[r.start : r.end] == r.text for r in document.references)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. A\n(g) x\n", ["1"]),
        ("1. Terms\n" + "".join(f"({c}) text;\n" for c in "abcdefghijk"), ["1", *(f"1({c})" for c in "abcdefghijk")]),
        ("1. Terms\n(h) no\n(i) one;\n(ii) two;\n(iii) three.\n", ["1", "1(i)", "1(ii)", "1(iii)"]),
        ("1. One\n2. Two\n4. Four\n5. Five\n", ["1", "2", "4", "5"]),
        ("1. One\n\n1.1 A\n\n1.3 C\n\n2. Two\n", ["1", "1.1", "1.3", "2"]),
        ("SECTION 1. TERM. It runs.\nSECTION 2. RENT. It falls due.\n", ["1", "2"]),
        ("§ 1 Term\n§ 2 Rent\n", ["1", "2"]),
        ("1. Pay. (a) The Buyer pays.\n(b) The Seller waits.\n2. End. It ends.\n", ["1", "1(a)", "1(b)", "2"]),
        ("1. Term. It ends in\n1999. The rent is due on\nMay\n31. Or not.\n2. Rent. Yes.\n", ["1", "2"]),
        ("The list (a) of one and (b) of two is within a sentence.\n", []),
        ("1. Pay. Either: (i) cash; (ii) shares; or (iii) both.\n2. End. It ends.\n", ["1", "2"]),
        ("1. Pay. It pays\n(a) cash, (b) shares or (c) both.\n2. End. It ends.\n", ["1", "2"]),
        ("1. Pay. The parts are:\n1. a wheel\n2. an axle\n2. End. It ends.\n", ["1", "2"]),
        ("A. Seller sells.\nB. Buyer buys.\nThey agree as follows:\n1. Price. Ten.\n", ["A", "B", "1"]),
        ("(1) Seller, and\n(2) Buyer.\n\n(A) Seller sells.\n\n1. Price. Ten.\n2. End. Now.\n",
         ["(1)", "(2)", "(A)", "1", "2"]),
        ("A. Seller sells.\nB. Buyer buys.\nC. All agree.\nForm\nA. One\nB. Two\n", ["A", "B", "C", "A", "B"]),
        ("1. Pay. As follows.\nb) No.\na) In cash.\nb) In shares.\n", ["1", "1(a)", "1(b)"]),
        ("It is agreed.\n" * 50 + "Schedule 1 Exhibit A-1\nPrices\n1. Bolt. One.\n", ["1", "A-1", "1"]),
    ],
)  # fmt: skip
def test_a_number_is_a_clause_if_it_continues_the_numbering(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Payment Terms. The Buyer shall pay.", "Payment Terms"),
        ("Payment Terms: The Buyer shall pay.", "Payment Terms"),
        ("PAYMENT OF FEES The Buyer shall pay.", "PAYMENT OF FEES"),
        ("Payment of Fees This Agreement is paid.", "Payment of Fees"),
        ("[Payment]. Payment Terms. The Buyer shall pay.", "Payment Terms"),
        ("Enforceability of this Agreement. It binds.", "Enforceability of this Agreement"),
        ("Duties of Acme.com Inc. It works.", "Duties of Acme.com Inc"),
        ("Naval (U.S. and foreign) Vessels. They sail.", "Naval (U.S. and foreign) Vessels"),
        ("\nREPRESENTATIONS;\nCOVENANTS\n\nThe Buyer is rich.", "REPRESENTATIONS; COVENANTS"),
        ("\n--------\n\nFEES\nThe Buyer shall pay.", "FEES"),
        ("The Buyer shall pay.", ""),
        ("This Agreement is long.", ""),
        ("If Buyer: (a) fails", ""),
        ("Seller makes widgets.\n", ""),
        ('"Affiliate" means a company.', ""),
        ("“Affiliate” means a company.", ""),
    ],
)  # fmt: skip
def test_titles_end_where_the_sentence_starts(text, title):
    assert [section.title for section in read(f"1. {text}\n").sections] == [title]


def test_a_form_after_an_exhibit_is_not_part_of_it():
    text = "1. Pay. Ten.\n\nEXHIBIT A\n\nPRICES\n\nBolts cost one.\n\nFORM OF NOTICE\n\nA. The Buyer gives notice.\n"
    assert tree(read(text)) == [
        ("1", "Pay", ""),
        ("A", "PRICES", ""),
        ("FORM OF NOTICE", "FORM OF NOTICE", ""),
        ("A", "", "FORM OF NOTICE"),
    ]


def test_headings_printed_above_their_numbers_are_their_titles():
    text = "".join(f"It ends.\n\n{name}\n\n{i}. The Buyer pays.\n" for i, name in enumerate(["Term", "Rent", "Law"], 1))
    sections = read(text).sections
    assert [(section.number, section.title) for section in sections] == [("1", "Term"), ("2", "Rent"), ("3", "Law")]
    assert text[sections[1].start :].startswith("Rent")


def test_numbered_items_are_below_the_heading_above_them():
    text = "Guide\n\nSteps\n\n1. open it\n2. close it\n\nIt is done.\n\nEnd\n\nBye.\n"
    starts = [("Guide", 1), ("Steps", 2), ("End", 2)]
    headings = [Heading(text.index(title), level, "", title, "heading") for title, level in starts]
    document = replace(Document.from_text(text), sections=nest(headings, len(text)))
    assert tree(add_structure(document)) == [
        ("Guide", "Guide", ""),
        ("Steps", "Steps", "Guide"),
        ("1", "", "Steps"),
        ("2", "", "Steps"),
        ("End", "End", "Guide"),
    ]


def test_a_caller_can_add_headings():
    note = Document.from_text("CC: Cough.\n\nTumour board: Operate.\n")
    kinds = [section.kind for section in add_structure(note, headings={"Tumour Board": "plan"}).sections]
    assert kinds == ["chief complaint", "plan"]


def test_notes_are_read_by_the_names_of_their_headings():
    note = "CC: Cough.\n\nPAST HISTORY\n\nNone.\n\nMedications:\n- Aspirin\n\nPLAN\n\n• Plan Detail: Rest.\n"
    sections = read(note).sections
    kinds = ["chief complaint", "medical history", "medications", "plan", "heading"]
    assert [section.kind for section in sections] == kinds
    assert sections[4].parent == 3 and sections[3].end == len(note)


def test_papers_are_read_by_names_and_numbers():
    paper = (
        "Abstract\nWe did.\n\n1 Introduction\nText.\n\n"
        "2 Methods\n\n2.1 Data\nMore.\n\n3 Results\nGood.\n\nReferences\n[1] X.\n"
    )
    found = [(section.number, section.title, section.kind, section.level) for section in read(paper).sections]
    assert found == [
        ("", "Abstract", "abstract", 1),
        ("1", "Introduction", "introduction", 1),
        ("2", "Methods", "methods", 1),
        ("2.1", "Data", "section", 2),
        ("3", "Results", "results", 1),
        ("", "References", "references", 1),
    ]


def check(document: Document) -> None:
    """The invariants: in order, nested, within the parent, references and definitions in the text."""
    sections = document.sections
    assert [s.start for s in sections] == sorted(s.start for s in sections)
    for index, section in enumerate(sections):
        assert 0 <= section.start < section.end <= len(document.text)
        if section.parent is not None:
            parent = sections[section.parent]
            assert section.parent < index and parent.level < section.level
            assert parent.start <= section.start and section.end <= parent.end
    for definition in document.definitions:
        assert definition.term.split()[0] in document.text[definition.start : definition.end]


LINES = st.sampled_from(
    ["1.", "2. ", "(a) x", "(i) ", "(ii) y", "ARTICLE I", "ARTICLE IV Pay",
     "4.1 Orders. It", "Section 2.1 is", "EXHIBIT A", "A. ",
     "“X” means y.", "(the “Z”)", "RECITALS", "CONTENTS", "1. A .... 3", "PLAN:",
     "Abstract", "(a)(i) z", "§", "IV.", "\n", "IIII.", "١. x"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(LINES, max_size=40).map("\n".join)))
def test_sections_nest_in_any_text(text):
    check(read(text))


@pytest.mark.parametrize(
    "text",
    ["(" * 10**5, "1.1.1.1." * 10**4, "Section " * 10**4, "“A” " * 10**4, "(the " * 10**4,
     " \t" * 10**5, "ARTICLE I " * 10**4]
)  # fmt: skip
def test_pathological_text_terminates(text):
    check(read(text))


def test_a_list_of_numbers_is_not_a_contract():
    document = read("1. Term\n" * (MAX_LABELS + 1))
    assert document.sections == () and "numbers" in document.warnings[0]


def test_real_contracts_have_trees():
    documents = [load(path) for path in sorted((DATA / "cuad" / "pdf").glob("*.pdf"))]
    for document in documents:
        check(document)
    assert any(document.sections for document in documents)


def test_notes_have_their_headings():
    with (DATA / "aci_bench" / "valid.csv").open(newline="", encoding="utf-8") as file:
        notes = [row["note"] for row in csv.DictReader(file)]
    for note in notes:
        lines = {
            line.strip()
            for line in note.splitlines()
            if line.isupper() and line.strip().endswith(("HISTORY", "EXAM", "PLAN"))
        }
        assert lines <= {section.title for section in read(note).sections}
