"""Which windows are read for a question, and which of the candidates is shown."""

import re
from dataclasses import replace

import pytest
import torch

from conftest import CORPUS, make_asking_model
from longdoc.asking import DEFINED, chosen, definitions
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import Searched
from longdoc.heads import DecodeOptions, QaConfig
from longdoc.labels import Answer
from longdoc.lexical import absent_words, question_words, share_of_words, shared_words, terms
from longdoc.loaders import load
from longdoc.pipeline import Pipeline
from longdoc.prediction import NOT_SEARCHED, Prediction
from longdoc.records.replies import Replies
from longdoc.values.asked import asked_for, whole_amount

LONG = " ".join(CORPUS[:2] * 12)
ONCE = f"{LONG} The arbitrator sits in Geneva. {LONG}"


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline(make_asking_model(), device=torch.device("cpu"), precision="float32")


def candidate(text, score, question=""):
    return Answer(text=text, score=score, question=question, start=0, end=len(text), page=1)


def choose(question, candidates, **options):
    config = QaConfig(min_score=0.3, min_shown=0.01)
    return chosen(question, candidates, config=config, options=DecodeOptions(**options))


def test_words_are_compared_without_their_endings_and_rare_ones_count_more():
    assert terms("Who terminates the Agreement?") == terms("termination of an agreement")
    passages = ["The Company pays.", "The Company insures the goods.", "The Company sells."]
    rare, common = shared_words("insurance", passages), shared_words("Which company?", passages)
    assert rare.argmax() == 1 and rare.max() > common.max() > 0
    assert shared_words("when?", passages).tolist() == [0, 0, 0]
    assert shared_words("who?", []).tolist() == []


def test_the_windows_that_share_words_with_the_question_are_read(pipeline):
    document = Document.from_text(ONCE)
    (found,) = pipeline.ask(document, ["Where does the arbitrator sit?"], min_score=0.0, top_k=20, windows=2)
    place = ONCE.index("arbitrator")
    searched = [gap for gap in found.gaps if gap.reason == NOT_SEARCHED]
    assert searched and not any(gap.start <= place < gap.end for gap in searched)
    unseen = [ONCE[max(a.start, g.start) : min(a.end, g.end)] for a in found for g in searched]
    assert all(re.fullmatch(r"\w*", text) for text in unseen), "at most the rest of a word"
    assert found.coverage == Prediction(document=document, gaps=found.gaps).coverage < 0.5
    whole = pipeline.ask(document, "Where does the arbitrator sit?", windows=None)
    assert (whole.gaps, whole.coverage) == ((), 1.0)
    assert pipeline.ask(Document.from_text(CORPUS[0]), "who?", windows=4).coverage == 1.0
    for wrong in (0, "all"):
        with pytest.raises(ConfigError, match="windows must be an integer, at least 1, or None"):
            pipeline.ask(document, "who?", windows=wrong)


def test_a_field_says_how_much_was_searched_and_which_candidate_was_rejected(pipeline):
    schema = {"fields": {"seat": {"question": "Where does the arbitrator sit?"}, "who": {"question": "who?"}}}
    schema["fields"]["all"] = {"question": "Who else?", "many": True}
    prediction = pipeline.extract(Document.from_text(ONCE), schema, windows=2, min_score=1.0)
    assert {name: share < 0.5 for name, share in prediction.searched.items()} == {
        "seat": True,
        "who": False,  # no window shares a word with it
        "all": False,
    }
    assert [answer.label for answer in prediction.rejected] == ["seat", "who", "all"]
    assert prediction.gaps == () and prediction.coverage == 1.0
    plain = prediction.to_dict()
    assert Prediction.from_dict(plain, prediction.document).searched == plain["searched"]
    assert set(pipeline.extract(prediction.document, schema, windows=None).searched.values()) == {1.0}


@pytest.mark.parametrize(
    ("question", "suiting", "other"),
    [
        ("How much is the monthly fee?", "the Customer pays $450", "the fee is due on the 5th day"),
        ("What interest do we owe?", "at 1.5% a month", "interest is payable by the Buyer"),
        ("How much notice must be given?", "upon thirty (30) days' notice", "the sum of $450 upon notice"),
        ("How many days before the end must we say so?", "within 60 days", "before the end"),
        ("How often does the patient take lisinopril?", "10 mg daily", "as prescribed"),
        ("How much Lasix does the patient take?", "80 mg of Lasix", "Lasix"),
        ("How long is the first term?", "three (3) years", "unless it is terminated"),
        ("When did the sale close?", "December 2018", "the Company sold it"),
        ("Until when does it run?", "November 30, 1998", "the term of this Agreement"),
        ("From which day does it apply?", "as of July 1, 2019", "the Effective Date"),
        ("What share of it does he keep?", "2% of the price", "the price"),
        ("How many centers must we open?", "twelve (12) centers", "the centers"),
    ],
)
def test_the_words_of_a_question_say_what_kind_of_value_it_wants(question, suiting, other):
    asked = asked_for(question)
    assert asked.suits(suiting) and not asked.suits(other)
    shown, rejected = choose(question, [candidate(other, 0.2), candidate(suiting, 0.02)])
    assert [a.text for a in shown] == [suiting] and shown[0].check and rejected is None
    assert shown[0].value == asked.value(suiting)


FEES = (
    "The Customer shall pay a monthly fee of $1,450 per month. A fee not paid when due bears interest at 1.5% per "
    "month, and a late fee of $25 is due. The agent keeps ten percent (10%) of the price."
)


def in_fees(words, score, text=FEES):
    start = text.index(words)
    return Answer(text=words, score=score, start=start, end=start + len(words), page=1)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How much is the fee?", "$1,450"),
        ("What is the monthly fee?", "$1,450"),
        ("How much does the customer pay?", "$1,450"),
        ("What is the price?", "$1,450"),
        ("How much interest is due?", "1.5%"),
        ("What rate is charged?", "1.5%"),
        ("How much is the late fee?", "1.5%"),
        ("How much of the price does the agent keep?", "1.5%"),
    ],
)
def test_money_is_preferred_to_a_percentage_and_a_late_fee_unless_they_are_asked_for(question, first):
    config, options = QaConfig(min_score=0.3, min_shown=0.01), DecodeOptions(top_k=3)
    found = [in_fees("1.5%", 0.2), in_fees("$25", 0.19), in_fees("$1,450", 0.1)]
    shown, _ = chosen(question, found, text=FEES, config=config, options=options)
    assert shown[0].text == first


def test_a_percentage_answers_what_a_price_is_if_there_is_no_other_but_is_to_be_checked():
    text = "The fee is 3% of the net sales."
    shown, _ = chosen(
        "How much is the fee?", [in_fees("3%", 0.9, text)], text=text, config=QaConfig(), options=DecodeOptions()
    )
    assert [(a.text, str(a.value), a.check) for a in shown] == [("3%", "3%", True)]
    shown, _ = chosen(
        "What rate is it?", [in_fees("3%", 0.9, text)], text=text, config=QaConfig(), options=DecodeOptions()
    )
    assert not shown[0].check


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("It bears 1.5% per month now.", "1.5", "1.5% per month"),
        ("It bears 1.5% per month now.", "bears 1", "bears 1.5% per month"),
        ("It bears 1.5% per month now.", "1.5%", "1.5% per month"),
        ("a share of ten percent (10%) of it", "ten", "ten"),
        ("a share of twenty percent (20%) of it", "twenty", "twenty percent (20%)"),
        ("a fee of US$ 1,450.50 a month, due", "450", "US$ 1,450.50 a month"),
        ("a fee of EUR 5 million in all", "5", "EUR 5 million"),
        ("upon thirty (30) business days notice", "thirty (30", "thirty (30) business days"),
        ("dated July 1, 2019. 3 copies", "July 1, 2019", "July 1, 2019"),
        ("since July 1, 2019 THE Company", "2019", "2019"),
        ("(see Exhibit 3) and the fee", "Exhibit 3", "Exhibit 3"),
        ("the parties agree per month", "agree", "agree"),
    ],
)
def test_an_amount_is_shown_whole_with_its_unit(text, cut, whole):
    start, end = whole_amount(text, text.index(cut), text.index(cut) + len(cut))
    assert text[start:end] == whole


def test_an_answer_that_was_cut_before_its_unit_is_widened(pipeline, monkeypatch):
    document = Document.from_text("The parties agree. The unpaid balance bears interest at 1.5% per month until paid.")
    start = document.text.index("1.5")
    found = [replace(in_fees("1.5", 0.3, document.text), question="q"), replace(in_fees("per", 0.2, document.text))]
    monkeypatch.setattr(pipeline.engine, "ask", lambda *_, **__: [Searched(found, (), 1.0)])
    (answer,) = pipeline.ask(document, "How much interest is due?", top_k=3, min_score=0.1)
    assert (answer.text, str(answer.value), answer.start) == ("1.5% per month", "1.5% per month", start)
    assert document.text[answer.start : answer.end] == answer.text
    assert [a.text for a in pipeline.ask(document, "Who pays?", top_k=3, min_score=0.1)] == ["1.5", "per"]


OTHERS = ["Who pays?", "Who decides how much it is?", "Can we end it when we like?", "", "Which party pays the fee?"]
OTHERS += ["What happens if a payment is late?", "What is the heart rate?", "What currency are payments made in?"]


@pytest.mark.parametrize("question", OTHERS)
def test_other_questions_want_no_value(question):
    assert asked_for(question) is None


def test_an_answer_without_the_value_is_shown_only_if_the_model_is_sure_of_it():
    fee = "How much is the fee?"
    (shown,), _ = choose(fee, [candidate("none at all", 0.9)])
    assert shown.check and shown.value is None
    assert choose(fee, [candidate("as agreed", 0.2)])[0] == []
    rejected = choose(fee, [candidate("as agreed", 0.2)])[1]
    assert (rejected.text, rejected.check) == ("as agreed", True)
    assert [a.text for a in choose(fee, [candidate("as agreed", 0.2)], min_score=0.1)[0]] == ["as agreed"]


def test_a_doubtful_answer_is_shown_and_an_implausible_one_is_not():
    best, doubtful, poor = candidate("Ada", 0.8), candidate("Bob", 0.02), candidate("Eve", 0.001)
    shown, rejected = choose("Who pays?", [best, doubtful, poor], top_k=3)
    assert [(a.text, a.check) for a in shown] == [("Ada", False), ("Bob", True)] and rejected is None
    assert choose("Who pays?", [poor]) == ([], replace(poor, check=True))
    assert choose("Who pays?", []) == ([], None)


@pytest.mark.parametrize(
    "question", ["What is meant by the Work?", 'What does "Work" mean?', "How is Work defined?", "definition of Work"]
)
def test_a_question_about_a_meaning_is_answered_by_the_definition(question):
    text = 'The terms are these. "Work" means the Software and the Documentation collectively. The Work is sold.\n'
    document = load(text.encode())
    (answer,) = definitions(document, question)
    assert "the Software and the Documentation" in answer.text and answer.source == "definition Work"
    shown, _ = chosen(question, [], [answer], config=QaConfig(), options=DecodeOptions())
    assert shown == [answer] and answer.score == DEFINED
    assert chosen(question, [], [answer], config=QaConfig(), options=DecodeOptions(min_score=0.95))[0] == []


@pytest.mark.parametrize("question", ["What does the Worker mean?", "What does the Work cost?", "Who does the Work?"])
def test_other_questions_are_not_answered_by_a_definition(question):
    document = load(b'"Work" means the Software and the Documentation collectively. The Work is sold.\n')
    assert definitions(document, question) == []


LEASE = """LEASE AGREEMENT

This Lease Agreement is made on June 9, 2004 by and between Ada Ltd., a Delaware company (the "Landlord"), and Bea Inc.,
an Ohio corporation (the "Tenant"). The parties agree as follows.

1. Rent. The Tenant shall pay ten dollars a month.

2. Term. This Agreement becomes effective on July 1, 2004 and shall continue for a term of five years.

3. Law. This Agreement is governed by the laws of the State of Ohio.

IN WITNESS WHEREOF, the parties have signed this Agreement.
"""
STATED = [
    ("What is the title of this agreement?", "LEASE AGREEMENT", "title"),
    ("What kind of contract is this?", "LEASE AGREEMENT", "title"),
    ("Who are the parties?", 'Ada Ltd., a Delaware company (the "Landlord"), and Bea Inc.', "parties"),
    ("Who signed this agreement?", 'Ada Ltd., a Delaware company (the "Landlord"), and Bea Inc.', "parties"),
    ("Who is the Tenant?", "Bea Inc.", "parties"),
    ("Which company is the landlord?", "Ada Ltd.", "parties"),
    ("When was the lease signed?", "June 9, 2004", "agreement_date"),
    ("On what date was this agreement made or signed?", "June 9, 2004", "agreement_date"),
    ("When does it take effect?", "July 1, 2004", "effective_date"),
    ("Which law governs this agreement?", "Ohio", "governing_law"),
    ("Which state’s laws apply?", "Ohio", "governing_law"),
    ("How long does the lease last?", "five years", "term"),
    ("Which law governs?", "Ohio", "governing_law"),
    ("What’s the governing law?", "Ohio", "governing_law"),
    ("What is the title?", "LEASE AGREEMENT", "title"),
    ("Who is this agreement between?", 'Ada Ltd., a Delaware company (the "Landlord"), and Bea Inc.', "parties"),
    ("How long is this agreement?", "five years", "term"),
]


@pytest.mark.parametrize(("question", "text", "cell"), STATED)
def test_a_question_about_a_cell_of_the_record_is_answered_by_it(pipeline, question, text, cell):
    document = load(LEASE.encode())
    answers = pipeline.ask(document, question, top_k=3)
    assert " ".join(answers[0].text.split()) == text and answers[0].source == f"record {cell}"
    assert answers[0].question == question and document.text[answers[0].start : answers[0].end] == answers[0].text
    assert cell != "parties" or answers[0].value in ("Ada Ltd.; Bea Inc.", "Ada Ltd.", "Bea Inc.")
    assert not [a for a in answers[1:] if a.start < answers[0].end and a.end > answers[0].start]
    (head,) = pipeline.engine.names_of("qa")
    alone = pipeline.ask(document, question, head=head, min_score=0.0)
    assert alone and not any(answer.source.startswith("record") for answer in alone)


def test_the_head_is_not_asked_what_the_record_or_a_definition_answers(pipeline, monkeypatch):
    document, asked = load((LEASE + LONG).encode()), []
    ask = pipeline.engine.ask
    monkeypatch.setattr(
        pipeline.engine,
        "ask",
        lambda d, head, questions, *rest: asked.append(questions) or ask(d, head, questions, *rest),
    )
    questions = ["Who pays the rent?", "Which law governs?", "How much is the rent?", "Who is the tenant?"]
    law, rent = "record governing_law", "How much is the rent?"
    found = pipeline.ask(document, questions, windows=1)
    assert asked == [["Who pays the rent?", rent]]
    assert [each.coverage < 1 for each in found] == [True, False, True, False]
    assert (found[1][0].source, found[1].gaps, found[1].rejected) == (law, (), None)
    assert pipeline.ask(document, questions[1], windows=1) == found[1] and len(asked) == 1
    assert pipeline.ask(document, questions[0], windows=1).coverage == found[0].coverage
    wide = pipeline.ask(document, questions[1], top_k=2, windows=1, min_score=0.0)
    assert wide[0] == found[1][0] and len(wide) == 2 and wide.coverage < 1
    assert pipeline.ask(document, questions[1], windows=1, min_score=1.0).coverage < 1
    with pytest.raises(ConfigError, match="windows must be an integer, at least 1, or None"):
        pipeline.ask(document, questions[1], windows=0)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the guarantor?",
        "When does the license end?",
        "When was the employment agreement signed?",
        "Which law governs the employment agreement?",
        "When does the Tenant pay?",
        "When does the warranty end?",
        "Which law does the Tenant have to obey?",
        "How long does the Tenant have to pay?",
        "Who pays the parties?",
        "What is the title of the Tenant?",
    ],
)
def test_other_questions_are_not_answered_by_the_record(question):
    assert Replies(load(LEASE.encode())).to(question) == []


def test_what_is_no_contract_gives_no_replies():
    text = b"Abstract. We study leases. Introduction. Who are the parties to a lease? Ada and Bea (Smith, 2004)."
    assert Replies(load(text)).to("Who are the parties?") == []


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("What does the contract say about cryptocurrencies?", ["cryptocurrencies"]),
        ("Who is Elon Musk?", ["Elon", "Musk"]),
        ("What does Ada's landlord sell?", ["sell"]),
        ("Who is paying the rents, and for which terms?", []),
        ("Which dollars don't we pay, and who's the tenants' agent?", ["agent"]),
        ("Is there a sub-lease or a sublease?", ["sub-lease", "sublease"]),
        ("Is Ohio's law in-effect, effectively?", []),
        ("When?", []),
        ("", []),
        ("Was it 2030?", []),
    ],
)
def test_the_words_of_a_question_that_a_text_lacks_in_any_form_are_told(question, absent):
    assert [word.text for word in absent_words(question, LEASE)] == absent


def test_a_hyphen_does_not_hide_a_word():
    assert absent_words("May it be sublet, or e-mailed, or re-sold?", "It may be sub-let, emailed and resold.") == []
    assert absent_words("Is it emailed?", "It is e-mailed.") == []


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Who is Elon Musk?", ["Elon", "Musk"]),
        ("Who is the Guarantor?", []),
        ("Bitcoin?", []),
        ("What Is The Warranty Period?", []),
        ("WHO IS ELON MUSK?", []),
        ("What is an SLA in March?", []),
        ("Is it so? Musk pays.", []),
        ('Is "Musk" the payer?', ["Musk"]),
    ],
)
def test_proper_names_are_told_from_other_words_with_a_capital(question, names):
    assert [word.text for word in question_words(question) if word.is_name] == names


def test_what_a_document_does_not_name_is_told_with_the_answer_and_a_name_alone_has_none(pipeline):
    document = load(LEASE.encode())
    asked = [
        "What does it say about Elon Musk?",
        "What does it say about bitcoins?",
        "What does Musk pay?",
        "Who pays?",
    ]
    nobody, coins, pays, known = pipeline.ask(document, asked, top_k=3, min_score=0.0)
    assert ([*nobody], nobody.absent) == ([], ("Elon", "Musk")) and nobody.rejected.check
    assert (coins.absent, pays.absent, known.absent) == (("bitcoins",), ("Musk",), ())
    assert coins and pays and all(answer.check for answer in [*coins, *pays]) and coins.rejected is None
    law = pipeline.ask(document, "Which law governs this covenant?")
    assert law.absent == ("covenant",)
    recorded = pipeline.ask(document, "Which law governs this lease document?", top_k=1)
    assert recorded.absent == () and not recorded[0].check
    assert pipeline.ask(Document.from_text(""), "Who is Elon Musk?").absent == ()


CONTRACT = """THIS AGREEMENT is made as of June 9, 2004 by Acme, Inc., a Delaware corporation, and Beta Ltd., a company
organized and existing under the laws of the State of Nevada on March 3, 1998, with its principal office in Texas.
WHEREAS, the parties signed that certain Master Supply Agreement, dated as of January 1, 2001; and
WHEREAS, Beta was incorporated in the State of Nevada on May 5, 1999.

9. Law. This Agreement, the rights of Acme, Inc., a company organized in Delaware, and all disputes are governed by and
construed under the laws of the State of Ohio. The Delaware General Corporation Law shall apply to shares.
"""


def in_contract(words, score, question):
    start = CONTRACT.index(words)
    return Answer(text=words, score=score, question=question, start=start, end=start + len(words), page=1)


@pytest.mark.parametrize(
    "question",
    [
        "Which law governs this agreement?",
        "What is the governing law?",
        "Under which state's laws is this construed?",
        "Which jurisdiction's laws apply to disputes?",
        "By what law is the agreement governed?",
        "Which law governs the payment of the fee?",
    ],
)
@pytest.mark.parametrize(
    "wrong",
    [
        "a Delaware corporation",
        "Delaware",
        "the State of Nevada",
        "Texas",
        "organized and existing under the laws of the State",
    ],
)
def test_the_law_that_a_party_is_organised_under_does_not_govern_the_agreement(question, wrong):
    config, options = QaConfig(min_score=0.3, min_shown=0.01), DecodeOptions(top_k=2)
    candidates = [in_contract(wrong, 0.6, question), in_contract("the State of Ohio", 0.2, question)]
    shown, _ = chosen(question, candidates, text=CONTRACT, config=config, options=options)
    assert [answer.text for answer in shown] == ["the State of Ohio", wrong] and shown[1].check
    alone, rejected = chosen(
        question, [replace(candidates[0], score=0.2)], text=CONTRACT, config=config, options=options
    )
    assert alone == [] and rejected.text == wrong


@pytest.mark.parametrize(
    "right",
    ["Ohio", "governed by and\nconstrued under the laws of the State of Ohio", "Delaware General Corporation Law"],
)
def test_a_law_that_governs_suits(right):
    start = CONTRACT.index(right)
    wanted = asked_for("Which law governs this agreement?")
    assert wanted.suits(right, CONTRACT[:start], CONTRACT[start + len(right) :])


ENDS = ["When does it end?", "What is the expiration date of this agreement?", "When will the alliance be over?"]


@pytest.mark.parametrize("question", ENDS)
@pytest.mark.parametrize(
    "before",
    [
        "is made as of ",
        "dated ",
        "entered into on this ",
        "effective as of the ",
        'made on (the "Date") ',
        "begins on ",
    ],
)
def test_the_day_on_which_an_agreement_is_made_is_not_when_it_ends(question: str, before: str) -> None:
    wanted = asked_for(question)
    assert wanted is not None
    assert not wanted.suits("December 14, 2016", f"This Agreement {before}")
    assert not wanted.suits(f"This Agreement {before}December 14, 2016")


@pytest.mark.parametrize("question", ENDS)
@pytest.mark.parametrize(
    "before",
    [
        "ends on ",
        "remains in force until ",
        "is made for a term through ",
        "expires as of ",
        "runs to ",
        "shall terminate effective as of ",
    ],
)
def test_a_date_until_which_an_agreement_lasts_is_when_it_ends(question: str, before: str) -> None:
    wanted = asked_for(question)
    assert wanted is not None
    assert wanted.suits("December 14, 2016", f"This Agreement {before}")
    assert wanted.suits("effective on May 1, 2015 and ends on May 1, 2016")


@pytest.mark.parametrize(
    "question",
    [
        "When was the agreement signed?",
        "When was this Supply Agreement entered into?",
        "What is the date of the agreement?",
    ],
)
@pytest.mark.parametrize("wrong", ["March 3, 1998", "January 1, 2001", "dated as of January 1, 2001", "May 5, 1999"])
def test_the_date_of_another_agreement_or_of_the_founding_of_a_party_is_not_when_it_was_signed(question, wrong):
    config, options = QaConfig(min_score=0.3, min_shown=0.01), DecodeOptions(top_k=2)
    candidates = [in_contract(wrong, 0.6, question), in_contract("June 9, 2004", 0.2, question)]
    shown, _ = chosen(question, candidates, text=CONTRACT, config=config, options=options)
    assert [answer.text for answer in shown] == ["June 9, 2004", wrong] and shown[1].check


def test_where_a_party_is_organised_is_an_answer_to_a_question_about_it():
    assert asked_for("Under which law is Beta organized?") is None
    when = asked_for("When was Beta incorporated?")
    start = CONTRACT.index("May 5, 1999")
    assert when.suits("May 5, 1999", CONTRACT[:start], "")


@pytest.mark.parametrize(
    "words",
    [
        "This Agreement takes effect on July 1, 2004",
        "This Agreement comes into force on July 1, 2004",
        "This Agreement enters into effect as of July 1, 2004",
        "The term begins on July 1, 2004",
        "This Agreement starts on July 1, 2004",
    ],
)
def test_the_start_of_a_contract_is_read_in_several_wordings(words):
    document = load(LEASE.replace("This Agreement becomes effective on July 1, 2004", words).encode())
    (answer,) = Replies(document).to("When does this agreement start?")
    assert answer.text == "July 1, 2004"


def test_of_two_answers_that_score_alike_the_one_among_the_words_of_the_question_comes_first():
    text = f"The fee for hosting is $450 a month. {'The goods are sold. ' * 40}The fee for delivery is $900 a month."
    found = []
    for amount, score in (("$450", 0.6), ("$900", 0.5)):
        start = text.index(amount)
        found.append(Answer(text=amount, score=score, start=start, end=start + len(amount), page=1))
    config = QaConfig(min_shown=0.01)
    for question, first in (
        ("How much is the hosting fee?", 0),
        ("How much is the delivery fee?", 1),
        ("What else?", 0),
    ):
        shown, _ = chosen(question, found, text=text, config=config, options=DecodeOptions(top_k=2))
        assert [answer.text for answer in shown] == [found[first].text, found[1 - first].text]


def test_the_share_of_words_counts_rare_ones_more():
    text = "The Company pays. " * 80 + "The Company insures the goods. " + "The Company sells. " * 80
    shares = share_of_words(
        "Does the company insure?", ["The Company pays.", "We insure.", "Company insured", "x"], text
    )
    assert 0 == shares[3] < shares[0] < shares[1] < shares[2] == pytest.approx(1)
    assert share_of_words("What does it do?", ["it does"], text).tolist() == [0]
    assert share_of_words("insure?", [], "").tolist() == []


@pytest.mark.parametrize(("title", "is_answered"), [("RELEASE AGREEMENT", False), ("LEASED TRUCK AGREEMENT", True)])
def test_a_kind_of_contract_is_that_of_the_title_by_its_words(title, is_answered):
    document = load(LEASE.replace("LEASE AGREEMENT", title).replace("This Lease Agreement", "This Agreement").encode())
    assert bool(Replies(document).to("Which law governs the lease?")) == is_answered


def test_the_term_answers_when_a_contract_ends_if_no_date_is_known():
    text = LEASE.replace("This Agreement becomes effective on July 1, 2004 and shall", "This Agreement shall")
    text = text.replace("made on June 9, 2004 by", "made by")
    (answer,) = Replies(load(text.encode())).to("When does this agreement end?")
    assert (" ".join(answer.text.split()), answer.source) == ("five years", "record term")
