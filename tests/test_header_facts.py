"""Facts in page headers and footers are said once in the text, and not every number that counts is a page number."""

import pytest

from longdoc.document import Document
from longdoc.loaders import load
from pdfs import lines, make_pdf

WORDS = "barley oats wheat maize rye millet clover flax hemp hops".split()


def body(number: int, count: int = 6) -> str:
    """The text of a page, from the middle of a sentence to the middle of the next."""
    return lines(*[f"of {word} in field {number} and the harvest that was brought in" for word in WORDS[:count]], y=600)


def pages(*heads: list[str], feet: list[str] | None = None, y: float = 760) -> Document:
    """Loads pages with lines at the top and a line at the bottom."""
    feet = feet or [""] * len(heads)
    return load(
        make_pdf(
            *(
                lines(*head, y=y) + body(number) + lines(foot, y=30)
                for number, (head, foot) in enumerate(zip(heads, feet, strict=True), 1)
            )
        )
    )


def removed(document: Document) -> list[str]:
    return [each.text for each in document.furniture]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(["Patient: Jane Roe MRN 123 Page {} of {}"], id="one line"),
        pytest.param(
            [
                "CITY HOSPITAL LABORATORY Page {} of {}",
                "Patient: Roe, Jane MRN: 0012345",
                "Collected: 06/05/2021 08:10",
            ],
            id="laboratory report",
        ),
        pytest.param(["ROE, JANE DOB 02/03/1950 MRN 123 Page {} of {}"], id="without colons"),
        pytest.param(["Northern Bank plc", "Statement period 1 Jan 2021 to 31 Jan 2021 Page {} of {}"], id="statement"),
        pytest.param(["Account 12-3456-78 Sort code 20-00-00 Page {} of {}"], id="account"),
        pytest.param(["06/05/2021 08:10 FROM: CITY HOSPITAL 555-123-4567 TO: 555-999-0000 P. {}/{}"], id="fax"),
        pytest.param(
            ["Hart & Vane LLP", "12 High Street, London EC1", "3 March 2021", "Page {} of {}"], id="letterhead"
        ),
        pytest.param(["Patientin: Eva Roth Geb.: 02.03.1950 Seite {} von {}"], id="German"),
        pytest.param(["Contract No.: DDCX 2018"], id="without a page number"),
    ],
)
@pytest.mark.parametrize("count", [2, 5])
def test_a_header_with_facts_is_text_on_the_first_page_alone(head: list[str], count: int) -> None:
    heads = [[line.format(number, count) for line in head] for number in range(1, count + 1)]
    document = pages(*heads)
    facts = [line for line in heads[0] if not line.startswith("Page")]
    assert all(line in document.text.replace("\n", " ") for line in facts)
    assert removed(document)[-len(head) :] == heads[-1]
    for line in head:
        first, *_ = line.split(" {}")[0].rsplit(" ", 1)
        assert document.text.count(first) == (0 if line.startswith("Page") else 1)
    assert "brought in of barley" in document.text  # a sentence goes on across the pages
    if not document.text.startswith(("of", "Page")):
        assert document.text.startswith(facts[0][:12])


@pytest.mark.parametrize(
    "head",
    [
        "ACME Inc. - Confidential - Page {}",
        "ACME Inc. - Confidential - {}",
        "Mill Lease 2020, page {} of 5",
        "Journal of Mills, Vol. 12, No. 3 \\(2010\\) Page {}",
        "{} Journal of Mill Studies 12 \\(2010\\) 1-10",
        "Master Supply Agreement {} of 5",
        "- {} - MILL CONTRACT No. 07",
        "Mill Law Review Vol. 12:{}",
        "Case 1:20-cv-00123 Document 5 Filed 01/02/20 Page {} of 5",
        "Case 1:20-cv-00123 Document 5 Filed 01/02/20 Page {} of 5 PageID #: 10{}",
        "ACME00012{}",
    ],
)
def test_a_running_header_without_facts_is_text_nowhere(head: str) -> None:
    heads = [head.format(*[number] * head.count("{}")) for number in range(1, 6)]
    document = pages(*([line] for line in heads))
    assert removed(document) == [line.replace("\\", "") for line in heads]
    assert document.text.startswith("of barley")


@pytest.mark.parametrize(
    "foot",
    [
        "Source: ACME INC, 10-K, 3/5/2010",
        "ACME | {}",
        "Annual Report - {}",
        "ACME 10{}",
        "ACME-112{}",
        "12 Mill Lane, Page {}",
        "Sida {} av 5",
    ],
)
def test_a_running_footer_without_facts_is_text_nowhere(foot: str) -> None:
    feet = [foot.format(number) for number in range(1, 6)]
    document = pages(*[[]] * 5, feet=feet)
    assert removed(document) == feet
    assert document.text.endswith("brought in")


@pytest.mark.parametrize(
    "heads",
    [
        pytest.param(["Claim No. 2021-00{}", "Filed on {} May 2021"], id="claims"),
        pytest.param(["Invoice No. 100{}", "Date: {} March 2021", "Amount due: {}.00"], id="invoices"),
        pytest.param(["Invoice 100{}"], id="invoice"),
        pytest.param(["Hart & Vane LLP of London, solicitors, Invoice No. 100{}"], id="invoice in a long line"),
        pytest.param(["Purchase order number 450{}"], id="orders"),
        pytest.param(["Invoice No.", "100{}"], id="label above"),
        pytest.param(["Visits to the mill:", "{}"], id="value below"),
        pytest.param(["Payslip {} of 5", "Employee: Jane Roe {}"], id="payslips"),
        pytest.param(["Question {}"], id="exam"),
        pytest.param(["Question {} of 5"], id="exam with a count"),
        pytest.param(["Step {}"], id="slides"),
        pytest.param(["Exhibit AA-{}"], id="exhibits"),
        pytest.param(["FY 201{}"], id="fiscal years"),
        pytest.param(["Fiscal year ended June 201{}"], id="years"),
        pytest.param(["Line {}.1 of the report on the mill goes on about the mill"], id="prose"),
        pytest.param(["Number of pupils in the school: {}"], id="value"),
        pytest.param(["Dated 0{}/05/98"], id="date"),
    ],
)
def test_a_number_that_counts_is_text_if_it_is_not_the_page(heads: list[str]) -> None:
    expected = [[head.format(number) for head in heads] for number in range(1, 6)]
    document = pages(*expected)
    assert document.furniture == ()
    assert all(line in document.text for head in expected for line in head)


@pytest.mark.parametrize(
    "head",
    [
        "Schedule of Works Phase {}",
        "Clinical Study Report Visit {}",
        "Prices per unit in Zone {}",
        "Rent for the Flat on Floor {}",
        "Order of Acme Corporation {}",
        "Total due now in months {}",
        "Balance in thousands {}",
        "Delivery of the Barge Marianne {}",
    ],
)
@pytest.mark.parametrize("first", [1, 5, 11, 21])
def test_a_number_of_a_thing_is_text(head: str, first: int) -> None:
    said = [head.format(first + page) for page in range(3)]
    for document in (pages(*([line] for line in said), y=765), pages(*[[]] * 3, feet=said)):
        assert document.furniture == () and all(line in document.text for line in said)


@pytest.mark.parametrize("head", ["The Annual Review of Leases {}", "Master Supply Agreement {}", "Annual Report {}"])
@pytest.mark.parametrize("foot", ["{}", "- {} -", "Page {}", "Mill Lease, page {} of 40"])
def test_a_number_that_agrees_with_the_page_numbers_is_furniture(head: str, foot: str) -> None:
    numbers = (17, 18, 19)
    document = pages(*([head.format(n)] for n in numbers), feet=[foot.format(n) for n in numbers], y=765)
    assert removed(document) == [text.format(n) for n in numbers for text in (head, foot)]


def test_a_number_of_a_thing_is_text_even_if_it_is_that_of_the_page() -> None:
    heads = [[f"Schedule of Works Phase {number}"] for number in range(1, 4)]
    document = pages(*heads, feet=["1", "2", "3"], y=765)
    assert removed(document) == ["1", "2", "3"]


def test_footnotes_that_count_are_text() -> None:
    document = pages(*[[]] * 4, feet=[f"{number} See Smith v. Jones, 123 F.3d 456." for number in range(1, 5)])
    assert document.furniture == ()


def test_a_field_is_text_where_its_value_changes() -> None:
    states = ["ALLOWED", "DENIED", "ALLOWED", "ALLOWED"]
    document = pages(*(["MILL COURT", f"Status: {state}"] for state in states))
    assert document.text.count("Status: ALLOWED") == 2 and document.text.count("Status: DENIED") == 1
    assert removed(document) == ["MILL COURT", "Status: ALLOWED"]


def test_each_record_of_a_bundle_says_its_facts() -> None:
    heads = [
        [f"MILL LABORATORY Page {page} of 3", "Method: culture", f"Patient: {name} Page {page} of 3"]
        for name in ("Jane Roe", "Ann Poe", "Jane Roe")
        for page in (1, 2, 3)
    ]
    text = pages(*heads).text
    assert (text.count("MILL LABORATORY"), text.count("Patient: Ann Poe")) == (3, 1)
    assert (text.count("Patient: Jane Roe"), text.count("Method: culture")) == (2, 3)


ROE, DOE = ["Jane Roe", "DOB: 01/02/1960"], ["John Doe", "DOB: 03/04/1971"]


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([ROE, DOE], id="name above a field"),
        pytest.param([["Jane Roe", "MRN: 1"], ["John Doe", "MRN: 2"], ["Jane Roe", "MRN: 1"]], id="back to the first"),
        pytest.param([["MRN: 0012345", "Ward North"], ["MRN: 0012345", "Ward South"]], id="row without a label"),
        pytest.param([["Statement of 12 March 2024"], ["Statement of 12 April 2024"]], id="dates"),
        pytest.param([["Statement for March 2024"], ["Statement for April 2024"]], id="months"),
        pytest.param([["DOB: 1/2/1960", "Jane Roe"], ["DOB: 1/2/1960", "John Roe"]], id="name below a field"),
        pytest.param([["Acme Bank 12345678"], ["Acme Bank 87654321"]], id="numbers"),
        pytest.param(
            [["Lessee   Lease No.", "Acme Ltd   771205"], ["Lessee   Lease No.", "Acme Ltd   771206"]], id="row"
        ),
        pytest.param(
            [["Lessee   Lease No.", "Acme Ltd   B-12"], ["Lessee   Lease No.", "Acme Ltd   B-13"]], id="short"
        ),
        pytest.param([["Patient   Jane Roe"], ["Patient   John Doe"]], id="label beside"),
        pytest.param([["Mill Hospital", *ROE], ["Mill Hospital", *DOE], ["Mill Hospital", *ROE]], id="letterhead"),
    ],
)
@pytest.mark.parametrize("length", [2, 3, 4])
def test_the_header_of_each_record_is_text_on_its_first_page(records: list[list[str]], length: int) -> None:
    document = pages(*(head for head in records for _ in range(length)), y=765)
    text = " ".join(document.text.split())
    heads = [" ".join(" ".join(head).split()) for head in records]
    if length > 2 or len(records) == 2:
        assert len(document.furniture) == (length - 1) * sum(map(len, records))
    for head in heads:
        assert text.count(head) >= heads.count(head)
    places = [page.start for page in document.pages][::length]
    for start, head in zip(places, heads, strict=True):
        assert " ".join(document.text[start : start + 200].split()).startswith(head)


def test_a_letterhead_is_text_above_each_value_that_differs() -> None:
    heads = [["Mill Clinic", f"Patient: {name}"] for name in ("Roe", "Doe", "Poe", "Moe")]
    assert pages(*heads, y=765).furniture == ()


@pytest.mark.parametrize("foot", ["Acme Bank {}", "Patient: Jane Roe {}"])
def test_the_footer_of_each_record_is_text_on_its_last_page(foot: str) -> None:
    feet = [foot.format(number) for number in (12345678, 12345678, 87654321, 87654321)]
    document = pages(*[[]] * 4, feet=feet)
    assert removed(document) == feet[::2]
    assert document.text.endswith(feet[-1])


@pytest.mark.parametrize("apart", [{72: "Patient", 200: "{}"}, {72: "Mill Ward", 200: "Patient", 300: "{}"}])
def test_a_value_drawn_apart_from_its_label_is_text_where_it_changes(apart: dict[float, str]) -> None:
    names = ["Jane Roe", "Jane Roe", "John Doe", "John Doe"]
    heads = ["".join(lines(text.format(name), x=x, y=765) for x, text in apart.items()) for name in names]
    document = load(make_pdf(*(head + body(number) for number, head in enumerate(heads, 1))))
    assert (document.text.count("Jane Roe"), document.text.count("John Doe")) == (1, 1)


@pytest.mark.parametrize("fact", ["Loan no. 123456", "Agreement dated 5 June 2021"])
def test_a_fact_that_only_later_headers_say_is_text_once(fact: str) -> None:
    document = pages([], [fact], [fact], [fact], y=765)
    assert document.text.count(fact) == 1 and removed(document) == [fact, fact]
    said = load(make_pdf(lines(f"This is the {fact}.") + body(1), *[lines(fact, y=765) + body(i) for i in (2, 3, 4)]))
    assert removed(said) == [fact] * 3


def test_headers_of_left_and_right_pages_with_a_date_are_furniture_after_the_first() -> None:
    document = pages(*[["Mill Studies, 5 June 2021"], ["Roe and Doe"]] * 4, y=765)
    assert document.text.count("Mill Studies, 5 June 2021") == 1
    assert len(document.furniture) == 7


def test_a_continuation_header_whose_facts_the_letter_says_is_furniture() -> None:
    letter = lines("Mill Company", "3 March 2021", "To: Ms Jane Roe, 12 High Street", y=720) + body(1)
    head = ["To: Ms Jane Roe", "3 March 2021"]
    rest = [lines(*head, f"Page {number}", y=760) + body(number) for number in (2, 3)]
    document = load(make_pdf(letter, *rest))
    assert removed(document) == [*head, "Page 2", *head, "Page 3"]
    assert document.text.count("Jane Roe") == 1


def test_a_continuation_header_is_text_once_if_nothing_else_says_its_facts() -> None:
    cover = lines("Discharge summary", y=720) + body(1)
    rest = [lines("Patient: Jane Roe MRN: 0012345", f"Page {number}", y=760) + body(number) for number in (2, 3, 4)]
    document = load(make_pdf(cover, *rest))
    assert document.text.count("Patient: Jane Roe MRN: 0012345") == 1
    assert removed(document).count("Patient: Jane Roe MRN: 0012345") == 2


def test_the_second_page_of_a_letter_keeps_what_it_alone_says() -> None:
    letter = lines("Dear Ms Roe", y=700) + body(1)
    document = load(make_pdf(letter, lines("To: Ms Jane Roe", "3 March 2021", "Page 2", y=760) + body(2)))
    assert "To: Ms Jane Roe\n3 March 2021" in document.text


def test_labels_and_values_that_are_drawn_apart_are_one_field() -> None:
    def head(number: int) -> str:
        drawn = {72: "Patient:", 140: "Jane Roe", 300: "MRN:", 340: "0012345", 480: f"Page {number} of 3"}
        return "".join(lines(text, x=x, y=760) for x, text in drawn.items())

    document = load(make_pdf(*(head(number) + body(number) for number in (1, 2, 3))))
    assert document.text.startswith("Patient: Jane Roe MRN: 0012345")
    assert (document.text.count("Patient"), document.text.count("0012345")) == (1, 1)


def test_facts_of_a_footer_are_text_on_the_last_page_alone() -> None:
    feet = [f"Patient: Jane Roe MRN: 0012345 Page {number} of 4" for number in range(1, 5)]
    document = pages(*[[]] * 4, feet=feet)
    assert document.text.count("Jane Roe") == 1 and document.text.endswith(feet[-1])
    assert removed(document) == feet[:-1]


def test_initials_that_differ_at_the_foot_of_pages_are_text() -> None:
    feet = [f"Landlord initials: HV Tenant initials: {name} Page {number} of 3" for number, name in enumerate("ABA", 1)]
    document = pages(*[[]] * 3, feet=feet)
    assert document.furniture == () and all(foot in document.text for foot in feet)


def test_lines_to_sign_at_the_top_of_pages_are_text() -> None:
    signed = ["By:", "Name:"]
    heads = [signed if number in (2, 5, 8) else [f"{WORDS[number]} is sown in"] for number in range(9)]
    assert pages(*heads).furniture == ()
    document = pages(*[["Contract number:"]] * 4)
    assert len(document.furniture) == 3  # the header of a form


@pytest.mark.parametrize("x", [130, 200, 400])
def test_a_number_that_counts_is_text_if_its_label_is_drawn_apart(x: float) -> None:
    heads = [lines("Invoice No.", y=760) + lines(f"100{number}", x=x, y=760) for number in range(1, 6)]
    document = load(make_pdf(*(head + body(number) for number, head in enumerate(heads, 1))))
    assert document.furniture == ()


@pytest.mark.parametrize(
    "head",
    [
        ["The rate is given in the table on", "page 12", "of the handbook that the mill keeps"],
        ["Change in percent", "- 5 -", "as against last year"],
        ["The rate is given in the table on", "page 2", "of the handbook that the mill keeps"],
        ["page 12", "of the handbook that the mill keeps"],
    ],
)
def test_a_line_of_the_text_that_names_a_page_is_text(head: list[str]) -> None:
    document = pages([], head, [], y=765)
    assert document.furniture == ()
    assert " ".join(head) in " ".join(document.text.split())


def test_a_page_number_below_a_heading_is_furniture() -> None:
    heads = [lines(f"On {word}", y=765) + lines(f"Page {number}", y=735) for number, word in enumerate(WORDS[:3], 1)]
    document = load(make_pdf(*(head + body(number) for number, head in enumerate(heads, 1))))
    assert removed(document) == ["Page 1", "Page 2", "Page 3"]


def prints(*rows: str, start: int = 2, step: int = 1) -> Document:
    """Pages, in the middle of each of which a page of another print ends; the sentence goes on after it."""
    made = []
    for number in range(4):
        foot = [row.format(start + step * number) for row in rows]
        y = 560 - 30 * number
        names = [WORDS[(number + row) % 10] for row in range(10)]
        above, below = [f"the mills of {name} farm, and" for name in names[:8]], [f"of {name}, and" for name in names]
        made.append(lines(*above, y=700) + lines(*foot, y=y, pitch=13) + lines(*below, y=y - 13 * len(rows) - 3))
    return load(make_pdf(*made))


@pytest.mark.parametrize(
    "rows",
    [
        ["Page {} of 9"],
        ["Page {}/9"],
        ["Amendment No. 1", "Global Maintenance Agreement", "Page {}/9"],
        ["Page {} of 9 *Confidential Treatment Requested"],
        ["DISTRIBUTOR AGREEMENT Page {} of 9"],
        ["Mill Lease - Confidential page {} of 9"],
    ],
)
def test_the_pages_of_another_print_that_count_up_are_furniture_within_a_clause(rows: list[str]) -> None:
    document = prints(*rows)
    assert removed(document) == [row.format(number) for number in range(2, 6) for row in rows]
    assert "the mills of flax farm, and of barley, and of oats" in " ".join(document.text.split())


@pytest.mark.parametrize(
    ("rows", "step"),
    [
        (["Patient: Jane Roe Page {} of 9"], 1),
        (["see page {} of 9 in 2020 and"], 1),
        (["the text of page {} of 9, and"], 0),
        (["the text of page {} of 3, and"], 1),
    ],
)
def test_a_line_with_a_fact_or_that_does_not_count_up_is_text_within_a_page(rows: list[str], step: int) -> None:
    document = prints(*rows, step=step)
    assert removed(document) == []
    assert all(row.format(2 + step * number) in document.text.replace("\n", " ") for row in rows for number in range(4))
