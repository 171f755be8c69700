"""Fields of a schema: where they come from, in order of trust, what is doubted, and what was not found."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

import longdoc
from conftest import make_model
from longdoc import Pipeline, Prediction
from longdoc.decode_spans import SpanRule
from longdoc.errors import ConfigError
from longdoc.fields import Found, Sources, extract, fill, questions_left
from longdoc.findings import Searched
from longdoc.heads import NerConfig, QaConfig, SpansConfig
from longdoc.labels import Answer, Entity
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.records.meanings import meanings
from longdoc.rules import RULES
from longdoc.schema import load_schema
from longdoc.usable import Recorded, Usable
from longdoc.windows import WindowConfig

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
        (
            {"law": {"from": [{"entity": "LAW"}]}},
            "fields.law: .* entity LAW: the model has no head that finds entities; give the",
        ),
        ({"law": {"question": "Which?"}}, "fields.law: .* the model has no head that finds answers to questions"),
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
    several = {"dates": {"type": "date", "many": True, "from": [{"clause": "Law"}]}}
    both = filled(several, spans=[law, span("June 9, 2004", "Law", 0.9)]).answers
    assert [(answer.text[:4], answer.check) for answer in both] == [("The ", True), ("June", False)]
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


def heads(**kinds):
    """Configurations of heads by name, each of a kind with labels."""
    made = {"spans": SpansConfig, "ner": NerConfig, "qa": QaConfig}
    return {name: made[kind](**({"labels": labels} if labels else {})) for name, (kind, *labels) in kinds.items()}


def test_a_field_without_a_usable_source_is_not_sought_and_the_others_are():
    fields = {
        "fee": {"from": [{"clause": "Fees"}], "question": "How much?"},
        "law": {"from": [{"record": "governing_law"}, {"clause": "Law"}]},
        "rent": {"from": [{"entity": "RENT"}, {"section": "rent"}]},
    }
    schema = load_schema({"fields": fields})
    named = heads(party=("ner", "PARTY", "RENT"))
    lacks = "the model has no head that finds clauses; the model has no head that finds answers to questions"
    assert Usable.of(named, None).unsought(schema) == {"fee": lacks}
    assert not Usable.of(named, None).can_ask and Usable.of(named, None).tasks(schema) == ["party"]
    other = f"it looks like a paper; {lacks.split('; ')[0]}"
    paper = Recorded(why_none="it looks like a paper")
    assert Usable.of(named, None).unsought(schema, paper) == {"fee": lacks, "law": other}
    clauses = Usable.of(named | heads(clauses=("spans", "Fees", "Law"), qa=("qa",)), None, allowed=["qa"])
    assert clauses.unsought(schema) == {} and clauses.can_ask and clauses.tasks(schema) == []
    without = replace(clauses, allowed=["party"])
    assert without.unsought(schema) == {"fee": "the tasks leave out clauses; the tasks leave out qa"}
    assert not without.can_ask and without.tasks(schema) == ["party"]


def test_lists_are_not_cut():
    text = "".join(f"{number}. Fees\nThe fee for part {number} is ${number}.\n\n" for number in range(1, 41))
    document = longdoc.load(f"FEE AGREEMENT\n\n{text}".encode())
    schema = load_schema({"fields": {"fees": {"many": True, "from": [{"section": "fees"}]}}})
    assert len(fill(schema, Found(Prediction(document=document), _Least())).answers) == 40


def bare(document, schema):
    """The fields that need no model."""
    seen = Prediction(document=document)
    usable = Usable.of(heads(biomedical=("ner", "CHEMICAL", "DISEASE"), qa=("qa",)), None)
    sources = Sources(usable, lambda kind: (), lambda tasks: seen, lambda asked: [Searched([], (), 1.0) for _ in asked])
    return extract(document, load_schema(schema), sources)


PAPER = Path(__file__).parent / "data" / "plos_jats"
NOTE = b"""CHIEF COMPLAINT

Back pain.

MEDICATIONS

Lisinopril 10 mg daily. Warfarin, discontinued.

ALLERGIES

No known drug allergies.

ASSESSMENT AND PLAN

1. Lumbar strain.
2. Hypertension, stable.

INSTRUCTIONS

Return in 2 weeks.
"""


def test_the_fields_of_a_note_come_from_its_sections_and_record():
    found = bare(longdoc.load(NOTE), "clinical")
    assert found.notices == () and found.kind == "note"
    said = {name: [answer.value or answer.text for answer in own] for name, own in found.fields.items() if own}
    assert said.pop("plan")[0].startswith("1. Lumbar strain.") and not found.fields["plan"][0].check
    assert said == {
        "chief_complaint": ["Back pain."],
        "medications": ["Lisinopril (10 mg, daily, current)", "Warfarin (stopped)"],
        "allergies": ["No known drug allergies."],
        "problems": ["Lumbar strain", "Hypertension"],
        "follow_up": ["Return in 2 weeks."],
    }


def test_the_fields_of_a_paper_come_from_its_front_matter_and_sections():
    document = longdoc.load(PAPER / "journal.pmed.0040303.xml")
    found = bare(document, "paper")
    assert found.notices == () and found.kind == "paper"
    (title,), (funding,) = found.fields["title"], found.fields["funding"]
    assert title.text == document.source.metadata["Title"] and title.end > title.start
    assert funding.text == document.source.metadata["Funding"] and funding.end == funding.start
    assert len(found.fields["authors"]) == document.source.metadata["Author"].count(";") + 1
    assert funding in found.beside and title in found.answers
    assert "funding" in set(found.to_pandas()["label"])


def test_a_schema_asked_of_another_kind_of_document_says_so():
    found = bare(longdoc.load(NOTE), "contract")
    (whole,) = [notice for notice in found.notices if not notice.field]
    assert whole.reason.startswith(
        "no record: the document does not look like a contract; it looks like a clinical note"
    )
    assert found.answers == () and found.kind == ""
    only = {"fields": {"who": {"from": [{"record": "parties"}]}, "law": {"from": [{"section": "law"}]}}}
    assert [notice.field for notice in bare(longdoc.load(NOTE), only).notices] == ["", "who"]


def test_a_section_named_by_some_words_of_its_title_is_doubted():
    text = "ABSTRACT\n\nWe look.\n\n1 Introduction\n\nIt is.\n\n2 Funding of Science\n\nMoney flows.\n"
    for wanted, score in (("introduction", 1.0), ("science", 0.6)):
        schema = load_schema({"fields": {"x": {"from": [{"section": wanted}]}}})
        (answer,) = fill(schema, Found(Prediction(document=longdoc.load(text.encode())), _Least())).answers
        assert (answer.score, answer.check) == (score, score < 1)


def reading_clauses(**heads):
    """A tiny random model that finds parties, answers questions, and has these heads."""
    model, named = (
        make_model(),
        {
            "contract": NerConfig(labels=("PARTY",)),
            "qa": QaConfig(windows=WindowConfig(size=48, overlap=8), min_score=0.0),
            **heads,
        },
    )
    config = ModelConfig(heads=named, windows=model.config.windows)
    return Pipeline(Model(model.encoder.backbone, model.tokenizer, config).eval(), precision="float32")


SUPPLY = """SUPPLY AGREEMENT

This Supply Agreement is made as of June 9, 2004 by and between Acme, Inc., a Delaware corporation ("Supplier"), and
Beta LLC ("Buyer").

1. Term. This Agreement commences on June 1, 2004 and ends on May 31, 2006.

2. Law. The laws of the State of Ohio govern this Agreement.

IN WITNESS WHEREOF, the parties hereto have signed this Agreement.
"""


def test_the_fields_of_a_contract_come_from_its_record_and_the_clause_head_without_a_question(monkeypatch):
    labels = tuple(field.category for field in load_schema("contract").fields.values())
    pipeline = reading_clauses(clauses=SpansConfig(labels=labels, min_score=0.0, rule=SpanRule(floor=0.001)))
    monkeypatch.setattr(pipeline.engine, "ask", None)  # a question would fail
    found = pipeline.extract(longdoc.load(SUPPLY.encode()), "contract")
    assert found.notices == () and found.kind == "contract" and {"clauses", "contract"} <= set(found.tasks)
    sources = {answer.source.split()[0] for answer in found.answers}
    assert sources == {"record", "clause"} and len(found.answers) > 12
    (date,) = found.fields["agreement_date"]
    assert (date.value, date.source.split(":")[0]) == (datetime.date(2004, 6, 9), "record agreement_date")


def test_a_model_without_the_clause_head_fills_what_the_record_has_and_names_the_rest(monkeypatch):
    pipeline = reading_clauses()
    monkeypatch.setattr(pipeline.engine, "ask", None)
    found = pipeline.extract(longdoc.load(SUPPLY.encode()), "contract")
    recorded = [name for name, own in load_schema("contract").fields.items() if own.trusted[0].kind == "record"]
    unsought = [notice.field for notice in found.notices if not notice.in_part]
    assert unsought == [name for name in found.sought if name not in recorded]
    in_part = [notice.field for notice in found.notices if notice.in_part]
    assert in_part == [name for name in recorded if not found.fields[name]] == ["expiration_date"]
    assert {notice.reason for notice in found.notices} == {"the model has no head that finds clauses"}
    assert {answer.label for answer in found.answers} <= set(recorded)
    assert "Acme, Inc." in [answer.text for answer in found.fields["parties"]]
    with pytest.raises(ConfigError, match=r"fields\.insurance: .* clause Insurance: the model has no head that finds"):
        pipeline.extract(longdoc.load(SUPPLY.encode()), load_schema("contract").select("insurance"))
