"""Schemas: the shipped ones are complete; mistakes in a custom one are named."""

import csv
from pathlib import Path

import pytest
import yaml

from longdoc.config import load_yaml_mapping, to_dict
from longdoc.datasets import read_cuad
from longdoc.errors import ConfigError
from longdoc.schema import Field, Schema, load_schema, schema_names

CONFIG = Path(__file__).parents[1] / "configs" / "default-3.yaml"
QUESTIONS = Path(__file__).parents[1] / "configs" / "questions" / "cuad.yaml"
CUAD = Path(__file__).parent / "data" / "cuad"


def test_the_shipped_schemas_are_named():
    assert schema_names() == ["clinical", "contract", "paper"]


@pytest.mark.parametrize("name", schema_names())
def test_a_shipped_schema_asks_short_and_different_questions(name):
    schema = load_schema(name)
    assert schema.name == name
    sources = [str(source) + source.name for field in schema.fields.values() for source in field.trusted]
    assert len(set(sources)) == len(sources) >= 10
    questions = [s.name for f in schema.fields.values() for s in f.trusted if s.kind == "question"]
    for question in questions:
        assert question.endswith("?") and len(question.split()) <= 20
    for field in schema.fields.values():
        assert not field.near or field.type in ("date", "duration", "money", "percent", "number")


def test_the_contract_schema_covers_the_categories_of_cuad():
    categories = [field.category for field in load_schema("contract").fields.values()]
    with (CUAD / "category_descriptions.csv").open(encoding="utf-8-sig", newline="") as table:
        described = [next(iter(row.values())).removeprefix("Category: ").strip() for row in csv.DictReader(table)]
    assert len(categories) == len(set(categories)) == len(described) == 41
    assert {category.casefold() for category in categories} == {name.casefold() for name in described}


def test_the_fields_of_a_contract_are_read_in_one_pass():
    heads = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["model"]["heads"]
    fields = load_schema("contract").fields
    clauses = {name: [s.name for s in field.trusted if s.kind == "clause"] for name, field in fields.items()}
    assert clauses == {name: [field.category] for name, field in fields.items()}
    assert {field.category for field in fields.values()} == set(heads["clauses"]["labels"])
    assert {s.kind for field in fields.values() for s in field.trusted} == {"record", "clause"}
    assert all(field.trusted[-1].kind == "clause" for field in fields.values()), "the record is trusted more"


def test_the_categories_are_written_as_the_labels_of_the_spans_are():
    labels = {answer.label for contract in read_cuad(CUAD) for answer in contract.answers}
    assert {field.category for field in load_schema("contract").fields.values()} == labels


def test_training_asks_each_category_in_several_wordings():
    wordings = load_yaml_mapping(QUESTIONS)
    assert set(wordings) == {field.category for field in load_schema("contract").fields.values()}
    for questions in wordings.values():
        assert 6 <= len(questions) <= 12
    asked = [question for questions in wordings.values() for question in questions]
    assert len(set(asked)) == len(asked)


def test_a_schema_is_read_from_a_mapping_and_from_a_file(tmp_path):
    plain = {"name": "lease", "fields": {"rent": {"question": "How high is the rent?", "type": "money"}}}
    schema = load_schema(plain)
    assert schema == Schema(name="lease", fields={"rent": Field(question="How high is the rent?", type="money")})
    path = tmp_path / "lease.yaml"
    path.write_text(
        "name: lease\nfields:\n  rent: {question: 'How high is the rent?', type: money}\n", encoding="utf-8"
    )
    assert load_schema(path) == load_schema(str(path)) == schema
    assert load_schema(to_dict(schema)) == schema


def test_select_keeps_fields_in_the_order_asked_for():
    schema = load_schema("contract")
    assert list(schema.select(["governing_law", "parties"]).fields) == ["governing_law", "parties"]
    assert list(schema.select("parties").fields) == ["parties"]
    assert schema.select(iter(schema.fields)) == schema


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["governing_laws"], "unknown field 'governing_laws'; did you mean 'governing_law'"),
        (["xyz"], "unknown field 'xyz'. Fields: document_name, parties"),
        ([], "has no fields"),
    ],
)
def test_the_error_of_select_names_what_is_wrong(names, message):
    with pytest.raises(ConfigError) as error:
        load_schema("contract").select(names)
    assert message in str(error.value)


RENT = {"question": "How high is the rent?"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("contrat", "unknown schema 'contrat'; did you mean 'contract'? Shipped: clinical, contract, paper"),
        ("", "unknown schema ''. Shipped"),
        ("../schemas/contract", "unknown schema"),
        ("absent.yaml", "absent.yaml: cannot be read"),
        ({}, "missing key 'fields'"),
        ({"name": "a"}, "missing key 'fields'"),
        ({"name": "a", "fields": {}}, "schema 'a' has no fields"),
        ({"name": "a", "fields": ["rent"]}, "fields: expected a mapping"),
        ({"name": "a", "fields": {"the rent": RENT}}, "'the rent' is not an identifier"),
        ({"name": "a", "fields": {"": RENT}}, "'' is not an identifier"),
        ({"name": "a", "fields": {3: RENT}}, "expected str, got 3"),
        ({"name": "a", "feilds": {"rent": RENT}}, "unknown key 'feilds'; did you mean 'fields'"),
        ({"name": "a", "fields": {"rent": {}}}, "fields.rent: no source: give a question"),
        ({"name": "a", "fields": {"rent": {"question": " "}}}, "fields.rent: the question is empty"),
        ({"name": "a", "fields": {"rent": {**RENT, "near": ["per", ""]}}}, "fields.rent: near has an empty word"),
        ({"name": "a", "fields": {"rent": {**RENT, "typ": "money"}}}, "unknown key 'typ'; did you mean 'type'"),
        (
            {"name": "a", "fields": {"rent": {"clause": "Rent"}}},
            "fields.rent: unknown key 'clause'; it goes under 'from', as in `from: [clause: …]`. Keys: question, from",
        ),
        ({"name": "a", "fields": {"rent": {**RENT, "section": "Rent"}}}, "it goes under 'from', as in `from: [section"),
        ({"name": "a", "fields": {"rent": RENT}, "type": "money"}, "under 'fields', as in `fields: {name: {type: …}}`"),
        (
            {"name": "a", "fields": {"rent": {"from": {"clause": "Rent"}}}},
            "fields.rent.from: expected a list of mappings with the keys clause, record",
        ),
        ({"name": "a", "fields": {"rent": {"from": "clause: Rent"}}}, "fields.rent.from: expected a list of mappings"),
        ({"name": "a", "fields": {"rent": {**RENT, "type": "cash"}}}, "fields.rent.type: expected one of 'text'"),
        ({"name": "a", "fields": {"rent": {**RENT, "many": "yes"}}}, "fields.rent.many: expected bool"),
    ],
)
def test_the_error_for_a_malformed_schema_names_the_location(source, message):
    with pytest.raises(ConfigError) as error:
        load_schema(source)
    assert message in str(error.value)


def test_the_message_of_a_file_names_the_file(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("name: mine\nfields: {rent: {questoin: 'How high is the rent?'}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yml: fields\.rent: unknown key 'questoin'; did you mean 'question'"):
        load_schema(path)
