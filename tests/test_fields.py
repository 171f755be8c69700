"""Fields of a schema: where they come from, in order of trust, what is doubted, and what was not found."""

import datetime

import pytest

import longdoc
from longdoc import Prediction
from longdoc.errors import ConfigError
from longdoc.fields import Found, Usable, fill, questions_left
from longdoc.labels import Answer, Entity
from longdoc.records.meanings import meanings
from longdoc.rules import RULES
from longdoc.schema import load_schema

TEXT = """SUPPLY AGREEMENT

1. Term. This Agreement commences on June 1, 2004 and ends on May 31, 2006.

2. Law
The laws of Ohio govern. "Fee" means ten dollars ($10) a month.

Signed on June 9, 2004. Liability is capped at $500.
"""
DOCUMENT = longdoc.load(TEXT.encode())


def span(text, label, score, source="clauses"):
    start = TEXT.index(text)
    return Entity(text=text, label=label, start=start, end=start + len(text), score=score, page=1, source=source)


def filled(fields, *, spans=(), entities=(), least=None, answers=None, record=None):
    prediction = Prediction(document=DOCUMENT, spans=tuple(spans), entities=tuple(entities))
    found = Found(prediction, _Least(least or {}), answers or {}, record or {})
    return fill(load_schema({"fields": fields}), found)


class _Least(dict):
    def __missing__(self, source):
        return 0.0


TERM = "This Agreement commences on June 1, 2004 and ends on May 31, 2006."


def test_the_first_source_with_an_answer_fills_the_field():
    sources = [{"clause": "Law"}, {"section": "law"}, {"question": "Which law?"}]
    fields = {"law": {"from": sources}}
    law = span("The laws of Ohio govern.", "Law", 0.4)
    (answer,) = filled(fields, spans=[law], least={"clause Law": 0.3}).answers
    assert (answer.text, answer.source, answer.score, answer.check) == (law.text, "clause Law", 0.4, True)
    (answer,) = filled(fields, spans=[law], least={"clause Law": 0.5}).answers
    assert answer.source == "section law" and answer.text.startswith("The laws of Ohio") and not answer.check
    asked = Answer(
        question="Which law?", text="Ohio", start=TEXT.index("Ohio"), end=TEXT.index("Ohio") + 4, score=0.9, page=1
    )
    only = {"law": {"from": [{"clause": "Law"}], "question": "Which law?"}}
    (answer,) = filled(only, answers={"Which law?": [asked]}).answers
    assert (answer.source, answer.text, answer.label) == ("question", "Ohio", "law")


def test_questions_are_asked_only_where_no_other_source_gives_an_answer():
    schema = load_schema(
        {"fields": {"law": {"from": [{"clause": "Law"}], "question": "Which law?"}, "fee": {"question": "How much?"}}}
    )
    law = span("The laws of Ohio govern.", "Law", 0.6)
    seen = Found(Prediction(document=DOCUMENT, spans=(law,)), _Least({"clause Law": 0.5}))
    assert list(questions_left(schema, seen)) == ["How much?"]
    assert list(questions_left(schema, Found(Prediction(document=DOCUMENT), _Least()))) == ["Which law?", "How much?"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"section": "law"}, 'The laws of Ohio govern. "Fee" means ten dollars ($10) a month.'),
        ({"definition": "fee"}, '"Fee" means ten dollars ($10) a month.'),
        ({"entity": "DATE"}, "June 9, 2004"),
        ({"rule": "MONEY"}, "$500"),
        ({"record": "law"}, "Ohio"),
    ],
)
def test_every_kind_of_source_gives_text_and_its_place(source, text):
    entities = [span("June 9, 2004", "DATE", 0.7), span("$500", "MONEY", 1.0, source=RULES)]
    ohio = TEXT.index("Ohio")
    record = {"law": [Answer(text="Ohio", start=ohio, end=ohio + 4, score=0.8, page=1, source="opening")]}
    (answer,) = filled({"x": {"from": [source]}}, entities=entities, record=record).answers
    assert answer.text.startswith(text[:30]) and text in answer.text
    assert TEXT[answer.start : answer.end] == answer.text and answer.source


def test_a_value_that_its_words_deny_is_refused():
    fields = {"end": {"type": "date", "from": [{"clause": "End"}], "never_after": ["commenc", "begin"]}}
    (answer,) = filled(fields, spans=[span(TERM, "End", 0.9)]).answers
    assert answer.value == datetime.date(2006, 5, 31)
    start = "This Agreement commences on June 1, 2004"
    result = filled(fields, spans=[span(start, "End", 0.9)])
    assert result.answers == () == result.rejected


def test_sources_that_disagree_are_marked():
    fields = {"date": {"type": "date", "from": [{"clause": "Date"}, {"entity": "DATE"}]}}
    signed, other = span("June 9, 2004", "DATE", 0.9), span("May 31, 2006", "Date", 0.9)
    (answer,) = filled(fields, spans=[other], entities=[signed]).answers
    assert answer.text == "May 31, 2006" and answer.check
    (answer,) = filled(fields, spans=[span("June 9, 2004", "Date", 0.9)], entities=[signed]).answers
    assert not answer.check


def test_words_fill_only_one_of_two_fields_that_exclude_each_other():
    cap = span("Liability is capped at $500.", "Cap", 0.8)
    volume = span("Liability is capped at $500.", "Volume", 0.6)
    fields = {"cap": {"from": [{"clause": "Cap"}]}, "volume": {"from": [{"clause": "Volume"}]}}
    assert [a.label for a in filled(fields, spans=[cap, volume]).answers] == ["cap", "volume"]
    fields["volume"]["excludes"] = ["cap"]
    result = filled(fields, spans=[cap, volume])
    assert [a.label for a in result.answers] == ["cap"] and [a.label for a in result.rejected] == ["volume"]
    with pytest.raises(ConfigError, match="unknown field 'caps'; did you mean 'cap'"):
        load_schema({"fields": {**fields, "volume": {"from": [{"clause": "Volume"}], "excludes": ["caps"]}}})
    assert load_schema({"fields": fields}).select(["volume"]).fields["volume"].excludes == ()


def test_what_is_not_found_names_the_best_candidate():
    fields = {"law": {"from": [{"clause": "Law"}]}, "other": {"from": [{"clause": "Other"}]}}
    weak = [span("The laws of Ohio govern.", "Law", 0.2), span("Ohio", "Law", 0.1)]
    result = filled(fields, spans=weak, least={"clause Law": 0.5})
    assert result.answers == ()
    assert [(a.label, a.text, a.score) for a in result.rejected] == [("law", "The laws of Ohio govern.", 0.2)]


def test_several_answers_are_in_the_order_of_the_text_and_one_is_the_best():
    spans = [span("June 9, 2004", "Date", 0.9), span("June 1, 2004", "Date", 0.6)]
    many = filled({"dates": {"many": True, "from": [{"clause": "Date"}]}}, spans=spans).answers
    assert [answer.text for answer in many] == ["June 1, 2004", "June 9, 2004"]
    (one,) = filled({"date": {"from": [{"clause": "Date"}]}}, spans=spans).answers
    assert one.text == "June 9, 2004"


def test_a_field_without_a_usable_source_is_refused_with_the_nearest_name():
    usable = Usable({"clause": {"Law": ["clauses"]}, "entity": {}, "rule": {"MONEY": [RULES]}, "question": {}})
    schema = load_schema({"fields": {"law": {"from": [{"clause": "Law"}, {"rule": "MONEY"}]}}})
    assert usable.tasks(schema) == ["clauses", RULES]
    for fields, message in [
        ({"law": {"from": [{"clause": "Laws"}]}}, r"fields.law: no clause 'Laws'; did you mean 'Law'\? It has: Law"),
        ({"law": {"from": [{"entity": "LAW"}]}}, "fields.law: the model has no head for entity LAW; give the field"),
        ({"law": {"question": "Which?"}}, "fields.law: the model has no head for question"),
    ]:
        with pytest.raises(ConfigError, match=message):
            usable.tasks(load_schema({"fields": fields}))


def test_a_section_is_found_by_its_title_or_whole_words_of_it():
    text = "AGREEMENT\n\n1. Current Assets. Assets are $5,000.\n\n2. Rent. Rent is $700.\n\n3. Rent Review. Later.\n"
    document = longdoc.load(text.encode())
    schema = load_schema({"fields": {"rent": {"type": "money", "from": [{"section": "rent"}]}}})
    (answer,) = fill(schema, Found(Prediction(document=document), _Least())).answers
    assert str(answer.value) == "USD 700"


def test_a_source_without_a_value_does_not_hide_one_with_a_value():
    law = span("The laws of Ohio govern.", "Law", 0.9)
    signed = span("June 9, 2004", "DATE", 0.8)
    fields = {"date": {"type": "date", "from": [{"clause": "Law"}, {"entity": "DATE"}]}}
    (answer,) = filled(fields, spans=[law], entities=[signed]).answers
    assert answer.value == datetime.date(2004, 6, 9)
    (alone,) = filled(fields, spans=[law]).answers
    assert alone.value is None and alone.check
    schema = load_schema({"fields": {"date": {"type": "date", "from": [{"clause": "Law"}], "question": "When?"}}})
    assert list(questions_left(schema, Found(Prediction(document=DOCUMENT, spans=(law,)), _Least()))) == ["When?"]


def test_a_known_value_of_another_type_is_not_taken():
    ohio = TEXT.index("Ohio")
    cell = Answer(text="Ohio", start=ohio, end=ohio + 4, score=0.8, page=1, value=datetime.date(2004, 6, 9))
    record = {"date": [cell]}
    fields = {
        "fee": {"type": "money", "from": [{"record": "date"}]},
        "date": {"type": "date", "from": [{"record": "date"}]},
    }
    answers = filled(fields, record=record).answers
    assert [(answer.label, answer.value) for answer in answers] == [("fee", None), ("date", datetime.date(2004, 6, 9))]


def test_a_mistyped_field_of_a_record_is_named():
    with pytest.raises(ConfigError, match=r"fields\.x: no record 'partys'; did you mean 'parties'"):
        Usable.of({}, None).tasks(load_schema({"fields": {"x": {"from": [{"record": "partys"}]}}}))


DEFINITIONS = """This Agreement is made on June 9, 2004 (the "Effective Date") by and between Acme, Inc., a Delaware
corporation (the "Company"), and Bolt LLC ("Supplier").

"Losses" means (a) all fees of Acme Inc. and its counsel; (b) all costs; and

(c) all fines. "Fee" has the meaning set forth in Section 4.

1. Rent means ten dollars a month.
Site: Main Street 5.

Supplier shall keep all prints and drawings of the goods (collectively, the "Plans") safe.
"""


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("Effective Date", "June 9, 2004"),
        ("the company", "Acme, Inc., a Delaware\ncorporation"),
        ("Supplier", "Bolt LLC"),
        (
            "Losses",
            '"Losses" means (a) all fees of Acme Inc. and its counsel; (b) all costs; and\n\n(c) all fines.',
        ),
        ("Rent", "1. Rent means ten dollars a month."),
        ("site", "Site: Main Street 5."),
        ("Plans", "Supplier shall keep all prints and drawings of the goods"),
    ],
)
def test_a_definition_is_what_the_term_stands_for(term, words):
    document = longdoc.load(DEFINITIONS.encode())
    assert [document.text[start:end] for start, end, _ in meanings(document, term)] == [words]


def test_a_definition_that_only_refers_to_a_section_is_marked():
    document = longdoc.load(DEFINITIONS.encode())
    schema = load_schema({"fields": {"fee": {"from": [{"definition": "Fee"}]}}})
    (answer,) = fill(schema, Found(Prediction(document=document), _Least())).answers
    assert answer.text == '"Fee" has the meaning set forth in Section 4.' and answer.check
    assert not list(meanings(document, "Rental"))


def test_a_table_defines_terms():
    html = b"<table><tr><td>Term</td><td>Meaning</td></tr><tr><td>Due Day</td><td>the first of May</td></tr></table>"
    document = longdoc.load(html)
    assert [document.text[start:end] for start, end, _ in meanings(document, "due day")] == ["the first of May"]
