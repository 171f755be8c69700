"""Tables of a batch: what is read back is what the predictions say, by a slow walk through ``Prediction.to_dict``."""

import csv
import datetime
import io
import json
import re
import runpy
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import longdoc
from longdoc import Document, Prediction
from longdoc.batch.status import Status
from longdoc.batch.tables import ROW_GROUP, tables_of, write_csv, write_table
from longdoc.edits import Edits
from longdoc.errors import CorruptDocumentError, MissingDependencyError
from longdoc.findings import place
from longdoc.labels import Answer, Entity, Label
from longdoc.outputs import FORMATS, Outcome
from longdoc.outputs.columns import COLUMNS, TABLES, TABLES_VERSION, schemas
from longdoc.outputs.csv import without_formula
from longdoc.plain import plain
from longdoc.prediction import Gap, Notice
from longdoc.records import with_record
from longdoc.values import Duration, Money, to_plain, with_alternative
from test_record_outputs import NOTE, WRITTEN, cells, records

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

ROOT = Path(__file__).parents[1]
PLACE = ("text", "score", "start", "end", "page", "section", "boxes")


def status_of(prediction: Prediction, **more) -> Status:
    source = prediction.document.source
    return Status(**{"address": source.name, "id": source.sha256, "state": "ok", **more})


def tables(*predictions: Prediction) -> dict[str, "pa.Table"]:
    """The tables as they are read from Parquet."""
    made = tables_of([(status_of(each), each) for each in predictions])
    return {name: read_back(table) for name, table in made.items()}


def read_back(table: "pa.Table") -> "pa.Table":
    stream = io.BytesIO()
    write_table(table, stream)
    return parquet.read_table(io.BytesIO(stream.getvalue()))


def rows(*predictions: Prediction) -> dict[str, list[dict]]:
    return {name: table.to_pylist() for name, table in tables(*predictions).items()}


@pytest.fixture(scope="module")
def contract() -> Prediction:
    """A real contract with its record, and names and clauses found by hand."""
    document = longdoc.load(ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf", pages=(1, 6))
    names = [match.span() for match in re.finditer("Hyatt|Playa", document.text)]
    found = [Entity(label="PARTY", score=0.123456, source="contract", **place(document, *at)) for at in names]
    read = Prediction(
        document=document,
        entities=tuple(found),
        spans=(Entity(label="Governing Law", score=0.9, **place(document, 1000, 1800)),),
        labels=(Label(name="lease", score=0.33333, source="kind"), Label(name="fees", score=1, start=5, end=9)),
        gaps=(Gap(10, 12, "unknown"),),
        tasks=("contract", "rules"),
    )
    return with_record(read, "contract")


@pytest.fixture(scope="module")
def note() -> Prediction:
    return with_record(Prediction(document=Document.from_text(NOTE, name="note.txt")), "note")


TEXT = "Ada Ltd. pays USD 5 within 30 days."


def filled() -> Prediction:
    """The fields of a schema: with values of every type, one not found, one not sought, one with answers left out."""
    document = Document.from_text(TEXT, name="filled.txt")

    def answer(text, label, value=None, **more) -> Answer:
        start = TEXT.index(text)
        more = {"score": 0.75, "source": "question", **more}
        return Answer(**{**place(document, start, start + len(text)), "label": label, "value": value, **more})

    fee = with_alternative(Money(Decimal("5.00"), "USD"), Money(Decimal(6), "USD"))
    return Prediction(
        document=document,
        answers=(
            answer("USD 5", "fee", fee, check=True, question="What is the fee?"),
            answer("USD 5", "fee", Money(Decimal("1E+3"))),
            answer("30 days", "term", Duration(Decimal(1), "year", plus=Duration(Decimal(1), "day"))),
            answer("30 days", "notice", Duration(Decimal("30"), "business day")),
            answer("Ada Ltd.", "party", "Ada"),
            answer("Ada", None, question="Who pays?"),
            answer("5", "share", Decimal("12.5")),
            answer("5", "born", datetime.date(1, 2, 3)),
            answer("5", "died", with_alternative(datetime.date(1899, 3, 4), datetime.date(1899, 4, 3))),
        ),
        beside=(Answer(text="Bob", label="author", start=0, end=0, score=1, page=1, source="metadata"),),
        rejected=(answer("pays", "law", score=0.1), answer("pays", "place", score=0.05)),
        sought=("fee", "term", "law", "caps", "notice", "party"),
        notices=(
            Notice("caps", "no head for it"),
            Notice("fee", "too many", 3),
            Notice("law", "one source is missing", in_part=True),
            Notice("", "no record"),
        ),
        searched={"law": 0.123456, "fee": 1.0},
    )


# ------------------------------------------------------------------------------------------------------ the slow twin


def read_value(row: dict):
    """The typed value that a row's ``value`` says, by its ``value_type``."""
    written = row["value"]
    match row["value_type"]:
        case "date":
            return datetime.date.fromisoformat(written)
        case "number":
            return Decimal(written)
        case "money":
            *currency, amount = written.split(" ")
            return Money(Decimal(amount.replace(",", "")), currency[0] if currency else None)
        case "duration":
            return read_duration(written)
    return written


def read_duration(written: str) -> Duration:
    first, _, rest = written.partition(" and ")
    amount, unit = first.split(" ", 1)
    unit = unit if Decimal(amount) == 1 else unit.removesuffix("s")
    return Duration(Decimal(amount), unit, plus=read_duration(rest) if rest else None)


def plain_value(row: dict):
    value = read_value(row)
    return None if value is None else to_plain(value)


def same_cell(row: dict, cell: dict) -> None:
    """A row of a cell says what the cell, as JSON holds it, says."""
    assert {name: row[name] for name in PLACE} == {name: cell[name] for name in PLACE}
    assert (row["source"], row["check"]) == (cell["source"] or None, cell["check"])
    written = cell["value"]
    if isinstance(written, dict) and "currency" in written:  # 1E+3 and 1000 are the same amount
        assert plain_value(row)["currency"] == written["currency"]
        assert Decimal(plain_value(row)["amount"]) == Decimal(written["amount"])
    else:
        assert plain_value(row) == written
    other = None if row["alternative"] is None else plain_value({**row, "value": row["alternative"]})
    assert other == cell["alternative"]


def facts_of(record, path=""):
    """Path and value of everything in a record as JSON holds it, except None; cells are dicts with a ``question``."""
    if isinstance(record, list):
        for index, each in enumerate(record):
            yield from facts_of(each, f"{path}[{index}]")
    elif isinstance(record, dict) and "question" not in record:
        for name, each in record.items():
            yield from facts_of(each, f"{path}.{name}" if path else name)
    elif record is not None:
        yield path, record


def same_record(prediction: Prediction, found: list[dict]) -> None:
    written = prediction.to_dict()
    expected = list(facts_of(written["record"]))
    assert [row["path"] for row in found] == [path for path, _ in expected]
    for row, (path, fact) in zip(found, expected, strict=True):
        assert row["record"] == written["kind"] and path.startswith(row["field"])
        steps = re.findall(r"\[(\d+)\]|\.(\w+)", path.removeprefix(row["field"]))
        assert (row["part"] or "") == ".".join(name for _, name in steps if name)
        assert row["index"] == (int(steps[0][0]) if steps and steps[0][0] else None)
        if isinstance(fact, dict):
            same_cell(row, fact)
            assert row["label"] == (fact["label"] or None)
        else:
            assert plain_value(row) == fact and row["text"] is None and row["start"] is None


def same_fields(prediction: Prediction, found: list[dict]) -> None:
    written = prediction.to_dict()
    answers = [*written["answers"], *written["beside"]]
    names = dict.fromkeys([*written["sought"], *(a["label"] or a["question"] for a in answers)])
    rejected = [(a["label"] or a["question"], a) for a in written["rejected"]]
    unsought = {
        each["field"]: each["reason"] for each in written["notices"] if not (each["left_out"] or each["in_part"])
    }
    for name in dict.fromkeys([*names, *(name for name, _ in rejected)]):
        own = [row for row in found if row["field"] == name]
        expected = [a for a in answers if (a["label"] or a["question"]) == name]
        values = [row for row in own if row["state"] == "found"]
        assert [row["index"] for row in values] == list(range(len(expected)))
        for row, answer in zip(values, expected, strict=True):
            same_cell(row, answer)
            assert (row["question"] or "") == answer["question"]
        missing = [(row["state"], row["reason"]) for row in own if row["state"].startswith("not")]
        state = ("not sought", unsought[name]) if name in unsought else ("not found", None)
        assert missing == ([] if expected else [state])
        for row, (_, answer) in zip(
            [row for row in own if row["state"] == "rejected"], [r for r in rejected if r[0] == name], strict=True
        ):
            same_cell(row, answer)
        assert {row["searched"] for row in own} == {written["searched"].get(name)}
    assert {row["field"] for row in found} == {*names, *(name for name, _ in rejected)}


def same_as(prediction: Prediction, found: dict[str, list[dict]]) -> None:
    """All tables of one document say what it and its prediction say."""
    written, document = prediction.to_dict(), prediction.document
    for own in found.values():
        assert {row.pop("document_id") for row in own} <= {written["document"]["sha256"]}
    (summary,) = found["documents"]
    for name in ("tasks", "warnings", "coverage"):
        assert summary[name] == written[name]
    assert summary["kind"] == (written["kind"] or None) and summary["title"] == (document.title or None)
    pages = [document.page_at(gap["start"]).number for gap in written["gaps"]]
    assert summary["gaps"] == [{**gap, "page": page} for gap, page in zip(written["gaps"], pages, strict=True)]
    assert [{**each, "field": each["field"] or ""} for each in summary["notices"]] == written["notices"]
    assert (summary["pages"], summary["characters"]) == (len(document.pages), len(document.text))
    kinds = [("entity", each) for each in written["entities"]] + [("span", each) for each in written["spans"]]
    assert found["entities"] == [{"kind": kind, **entity} for kind, entity in kinds]
    assert [{"name": row.pop("label"), **row} for row in found["labels"]] == written["labels"]
    assert [(row["page"], row["start"], row["end"], row["width"], row["verdict"]) for row in found["pages"]] == [
        (page.number, page.start, page.end, page.width, page.verdict) for page in document.pages
    ]
    for row, section in zip(found["sections"], document.sections, strict=True):
        assert row == {**row, **{name: getattr(section, name) for name in section.__slots__}}
        assert row["page"] == document.page_at(section.start).number
    same_fields(prediction, found["fields"])
    same_record(prediction, found["records"])


# ----------------------------------------------------------------------------------------------------------- contents


def test_a_real_contract_is_read_back_as_it_was(contract):
    found = rows(contract)
    assert len(found["entities"]) > 20 and found["entities"][0]["boxes"] and len(found["sections"]) > 10
    assert {row["part"] for row in found["records"] if row["field"] == "parties"} >= {"name", "mentions"}
    assert found["entities"][0]["score"] == 0.1235
    same_as(contract, found)


def test_fields_notes_and_a_batch_are_read_back_as_they_were(contract, note):
    every = [filled(), note, Prediction(document=Document.from_text(""))]
    for prediction in every:
        same_as(prediction, rows(prediction))
    together, alone = rows(contract, *every), [rows(each) for each in (contract, *every)]
    assert together == {name: [row for own in alone for row in own[name]] for name in TABLES}
    ids = [row["document_id"] for row in together["documents"]]
    assert ids == [each.document.source.sha256 for each in (contract, *every)]


@settings(max_examples=12)
@given(records, st.lists(cells, max_size=3))
def test_any_record_and_any_answers_are_read_back_as_they_were(given_record, answers):
    kind, record = given_record
    prediction = Prediction(document=WRITTEN, kind=kind, record=record, answers=tuple(answers), sought=("law",))
    made = tables_of([(status_of(prediction), prediction)])
    same_as(prediction, {name: table.to_pylist() for name, table in made.items()})


def test_typed_values_are_split_for_computing():
    by_field = {row["field"]: row for row in reversed(rows(filled())["fields"])}

    def split(name):
        return [by_field[name][column] for column in ("value", "value_type", "number", "unit", "date", "alternative")]

    assert split("fee") == ["USD 5.00", "money", 5.0, "USD", None, "USD 6"]
    assert split("term") == ["1 year and 1 day", "duration", None, None, None, None], "1 year would be another term"
    assert split("notice") == ["30 business days", "duration", 30.0, "business day", None, None]
    assert split("share") == ["12.5", "number", 12.5, None, None, None]
    assert split("born") == ["0001-02-03", "date", None, None, datetime.date(1, 2, 3), None]
    assert split("died")[4:] == [datetime.date(1899, 3, 4), "1899-04-03"]
    assert split("party")[:2] == ["Ada", "text"] and split("Who pays?")[:2] == [None, None]
    assert by_field["author"]["start"] == by_field["author"]["end"] == 0


@pytest.mark.parametrize(
    ("value", "said", "kind", "number"),
    [
        (10**5000, "1" + "0" * 5000, "number", None),
        (Decimal("1E+400"), "1E+400", "number", None),
        (Decimal("0.1234567890123456789012345"), "0.1234567890123456789012345", "number", 0.12345678901234568),
        (2**63, "9223372036854775808", "number", 2.0**63),
        (Decimal("NaN"), "NaN", "number", None),
        (Money(Decimal(10) ** 30, "JPY"), f"JPY {10**30:,}", "money", 1e30),
        ([["a", 1], []], "[['a', 1], []]", "other", None),
        (True, "True", "other", None),
        ("", "", "text", None),
        ("a\0b\r\n", "a\0b\r\n", "text", None),
    ],
    ids=lambda case: f"{case!s:.12}" if not isinstance(case, int) else "int",
)
def test_no_value_is_refused_or_changed(value, said, kind, number):
    document = Document.from_text("five")
    prediction = Prediction(
        document=document, answers=(Answer(**place(document, 0, 4), score=1, value=value, label="n"),)
    )
    (row,) = rows(prediction)["fields"]
    assert (row["value"], row["value_type"], row["number"]) == (said, kind, number)


def test_nul_and_white_space_stay_and_lone_surrogates_are_escaped_and_counted():
    text = "a\0b\t\n c\ud83d d"
    document = Document.from_text(text, name="x", edits=Edits.of([]))
    entity = Entity(label="\udcff", score=1, **place(document, 0, len(text)))
    fine = Prediction(document=Document.from_text("fine"), entities=())
    odd = Prediction(document=document, entities=(entity,), gaps=(Gap(0, 1, "\udcaa"),))
    names = tables_of(
        [
            (Status(address="caf\udce9.pdf", id="1", state="ok"), odd),
            (Status(address="caf\\udce9.pdf", id="2", state="ok"), fine),
        ]
    )
    (row,) = read_back(names["entities"]).to_pylist()
    assert (row["text"], row["label"]) == ("a\0b\t\n c\\ud83d d", "\\udcff")
    first, second = read_back(names["documents"]).to_pylist()
    assert (first["address"], first["gaps"][0]["reason"]) == ("caf\\udce9.pdf", "\\udcaa")
    assert first["title"] == "a\0b" and first["escaped"] == 4, "in address, text, label and reason"
    assert (second["address"], second["escaped"]) == ("caf\\udce9.pdf", 0)


# ----------------------------------------------------------------------------------------- documents that were not read


def test_a_document_that_was_not_read_has_a_row_and_only_in_documents():
    failed = Status(
        address="a.pdf", id="", state="failed", reason="needs a password", error="EncryptedDocumentError", seconds=0.25
    )
    slow = Status(address="b.pdf", id="beef", state="timed out", reason="60 s", attempts=2, pages=7, tokens=12)
    made = tables_of([(failed, None), (slow, None)], model="default")
    first, second = read_back(made["documents"]).to_pylist()
    assert first == {
        **dict.fromkeys(column.name for column in COLUMNS["documents"]),
        "address": "a.pdf", "state": "failed", "reason": "needs a password", "error": "EncryptedDocumentError",
        "model": "default", "longdoc_version": longdoc.__version__, "escaped": 0,
    }  # fmt: skip
    assert (second["document_id"], second["pages"], second["tokens"]) == ("beef", 7, 12)
    assert not any(table.num_rows for name, table in made.items() if name != "documents")


def test_where_the_text_of_a_page_comes_from():
    document = Document.from_text("one\f \ftwo")
    pages = tuple(replace(page, confidence=0.5) if page.number == 3 else page for page in document.pages)
    found = rows(Prediction(document=replace_pages(document, pages)))["pages"]
    assert [(row["page"], row["text_source"], row["confidence"]) for row in found] == [
        (1, "page", None), (2, None, None), (3, "OCR", 0.5),
    ]  # fmt: skip


def replace_pages(document: Document, pages) -> Document:
    record = json.loads(document.to_json())
    record["pages"] = [plain(page) for page in pages]
    return Document.from_json(json.dumps(record))


# ------------------------------------------------------------------------------------------------- schemas and files


def test_tables_without_rows_keep_their_schemas():
    for name, table in tables_of([]).items():
        assert table.num_rows == 0 and read_back(table).schema.equals(schemas()[name])
        stream = io.BytesIO()
        write_csv(table, stream)
        assert stream.getvalue().decode() == ",".join(f'"{each.name}"' for each in COLUMNS[name]) + "\n"


def test_every_column_says_what_it_is_in_the_file(contract):
    for name, table in tables(contract).items():
        assert table.schema.metadata[b"longdoc_tables"] == str(TABLES_VERSION).encode()
        for field, column in zip(table.schema, COLUMNS[name], strict=True):
            assert field.metadata[b"description"].decode() == column.description and column.description
            assert field.nullable == column.nullable
    assert {**schemas()} == {name: table.schema for name, table in tables(contract).items()}


def test_the_same_rows_give_the_same_bytes(contract, note, tmp_path):
    whole = tables_of([(status_of(each), each) for each in (contract, note)])
    parts = [tables_of([(status_of(each), each)]) for each in (contract, note)]
    for name, table in whole.items():
        write_table(table, tmp_path / "a")
        write_table(pa.concat_tables([part[name] for part in parts]), str(tmp_path / "b"))
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    file = parquet.ParquetFile(tmp_path / "a")
    assert file.metadata.num_row_groups == 0 or file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_row_groups_have_a_size():
    stream = io.BytesIO()
    write_table(pa.table({"n": range(ROW_GROUP + 1)}), stream)
    metadata = parquet.ParquetFile(io.BytesIO(stream.getvalue())).metadata
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [ROW_GROUP, 1]


def test_tables_need_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"the tables of a batch needs pyarrow: pip .*longdoc\[parquet\]"):
        tables_of([])


# ---------------------------------------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-x", "@SUM(A1)", "\t=1", "\rx", "\nx", "  =1", "＝1", "'=1", "''-a", "-2+3"]
)
def test_formulas_are_neutralised_and_can_be_restored(text):
    assert without_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "-5", "+5.00", "-1,000.5%", "1-2", "'a", "(5)", "–x"])
def test_other_texts_are_not_changed(text):
    assert without_formula(text) == text


@given(st.lists(st.text(alphabet="'=-1a\t "), min_size=2, max_size=2, unique=True))
def test_no_two_texts_are_written_alike(texts):
    assert without_formula(texts[0]) != without_formula(texts[1])


def test_csv_says_what_parquet_says(contract, tmp_path):
    danger = Prediction(document=Document.from_text("=cmd|' /C calc'!A0,\"x\"\n\0", name="=evil.txt"))
    entity = Entity(label="-X", score=1, **place(danger.document, 0, 24))
    odd = replace(danger, entities=(entity,), gaps=(Gap(0, 1, "="),))
    made = tables_of([(status_of(each), each) for each in (contract, odd)])
    for name, table in made.items():
        write_csv(table, tmp_path / name)
        with (tmp_path / name).open(encoding="utf-8", newline="") as stream:
            header, *read = csv.reader(stream)
        assert header == table.column_names and len(read) == table.num_rows
        for cells_read, row in zip(read, table.to_pylist(), strict=True):
            assert cells_read == [as_csv(row[column]) for column in header]
    assert '"\'-X"' in (tmp_path / "entities").read_text(encoding="utf-8")


def as_csv(value) -> str:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, str):
        text = value.replace("\0", "\ufffd")
        numeric = re.fullmatch(r"[+-]?\d[\d.,]*%?", text)
        return f"'{text}" if re.match(r"'*(\s*[=@+-]|[\t\r\n])", text) and not numeric else text
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_csv_tells_null_from_an_empty_text():
    stream = io.BytesIO()
    write_csv(pa.table({"a": ["", None], "b": [None, ""]}), stream)
    assert stream.getvalue() == b'"a","b"\n"",\n,""\n'


def test_csv_and_parquet_of_one_row_a_document_are_safe_too():
    danger = Prediction(document=Document.from_text("=1+1"), sought=("law",))
    answer = Answer(**place(danger.document, 0, 4), score=1, label="law")
    outcome = Outcome("caf\udce9.txt", replace(danger, answers=(answer,)))
    text, binary = io.StringIO(), io.BytesIO()
    FORMATS["csv"].write([outcome], text)
    assert next(csv.DictReader(io.StringIO(text.getvalue())))["law"] == "'=1+1"
    FORMATS["parquet"].write([outcome], binary)
    (row,) = parquet.read_table(io.BytesIO(binary.getvalue())).to_pylist()
    assert (row["source"], row["law"]) == ("caf\\udce9.txt", ["=1+1"])
    told = "1 character that UTF-8 cannot hold, written as escapes such as \\udce9"
    assert row["message"] == next(csv.DictReader(io.StringIO(text.getvalue())))["message"] == told


def test_a_row_of_csv_is_one_record_whatever_the_names():
    name, text = "a\rb\0c\u2028d\x85e\x01.txt", io.StringIO(newline="")
    FORMATS["csv"].write([Outcome(name, CorruptDocumentError(f"{name}: damaged"))], text)
    (row,) = csv.DictReader(io.StringIO(text.getvalue(), newline=""))
    assert row["source"] == name.replace("\0", "\ufffd") and row["message"].endswith(": damaged")


# ------------------------------------------------------------------------------------------------------------ the page


def test_the_page_describes_the_tables_as_they_are():
    page = runpy.run_path(str(ROOT / "docs" / "describe_tables.py"))["page"]
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert text == page(text), "run python docs/describe_tables.py"
    assert all(f"| `{column.name}` |" in text for columns in COLUMNS.values() for column in columns)
    assert f"{ROW_GROUP:,} rows" in text
