"""Records by the pipeline and the command line; the kind of a document chooses its heads; a row a document in CSV."""

import csv
import dataclasses
import datetime
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import longdoc
from conftest import make_model
from longdoc import Document, Pipeline, Prediction
from longdoc.__main__ import main
from longdoc.errors import (
    ConfigError,
    CorruptDocumentError,
    DataError,
    DocumentNotFoundError,
    MissingDependencyError,
    OutputWarning,
    RecordError,
)
from longdoc.findings import place
from longdoc.labels import Answer, Entity
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.outputs import FORMATS, Outcome, replacing
from longdoc.outputs.format import passages
from longdoc.record_types import Medication, Paper, Party, Problem, VitalSign
from longdoc.records import Contract, Note, record_kind, with_record
from longdoc.values import Duration, Money, with_alternative

LEASE = """LEASE AGREEMENT

This Lease Agreement is made as of June 21, 1999 by and between Acme Holdings, Inc., a Delaware corporation
("Landlord"), and Zenith LLC ("Tenant").

NOW, THEREFORE, the parties agree as follows:

1. Term. This Agreement shall continue until June 20, 2004.

2. Governing Law. This Agreement is governed by the laws of the State of Ohio.

IN WITNESS WHEREOF, the parties have executed this Agreement.
"""
NOTE = """CHIEF COMPLAINT
Cough.

HISTORY OF PRESENT ILLNESS
The patient is a 40-year-old woman who denies fever.

MEDICATIONS
Aspirin 81 mg daily.

PHYSICAL EXAM
Lungs clear.

ASSESSMENT AND PLAN
Rest. Follow up in two weeks.
"""


def reading(**heads_for) -> Pipeline:
    base = make_model()
    config = ModelConfig(heads=base.config.heads, windows=base.config.windows, heads_for=heads_for)
    return Pipeline(Model(base.encoder.backbone, base.tokenizer, config), precision="float32")


@pytest.fixture
def lease() -> Document:
    return Document.from_text(LEASE, name="lease.txt")


def test_the_kind_of_document_chooses_the_heads(lease):
    pipeline = reading(contract=("contract",), other=("biomedical",))
    assert (pipeline(lease).kind, pipeline(lease).tasks) == ("contract", ("contract",))
    other = pipeline(Document.from_text("Mix flour and eggs."))
    assert (other.kind, other.tasks) == ("other", ("biomedical",))
    note = pipeline(Document.from_text(NOTE))
    assert (note.kind, note.tasks) == ("note", ("contract", "biomedical")), "all heads where the model names none"
    chosen = pipeline(lease, tasks=["biomedical"])
    assert (chosen.kind, chosen.tasks) == ("", ("biomedical",))
    both = list(pipeline.pipe([lease, Document.from_text("Mix flour.")]))
    assert [prediction.tasks for prediction in both] == [("contract",), ("biomedical",)]


def test_heads_for_a_kind_are_heads_of_the_model():
    with pytest.raises(ConfigError, match=r"heads_for.contract names parties; the heads are contract, biomedical"):
        reading(contract=("parties",))
    smaller = reading(contract=("contract",), note=("biomedical",)).model.with_heads(["contract"])
    assert smaller.config.heads_for == {"contract": ("contract",)}


def test_a_record_is_made_of_a_contract_and_its_cells_are_answers(lease):
    prediction = reading(contract=("contract",)).record(lease)
    record = prediction.record
    assert isinstance(record, Contract) and prediction.kind == "contract"
    parties = [answer for answer in prediction.answers if answer.label == "parties"]
    assert [answer.text for answer in parties] == ["Acme Holdings, Inc.", "Zenith LLC"]
    assert parties[0].value == "Acme Holdings, Inc. (Landlord; Delaware corporation)"
    assert prediction.fields["governing_law"][0].value == "Ohio"
    assert set(prediction.sought) == set(record.to_dict()) and prediction.fields["caps"] == ()
    line = json.loads(json.dumps(prediction.to_dict()))
    assert line["record"]["title"]["text"] == "LEASE AGREEMENT"
    assert prediction.record == Prediction.from_dict(line, lease).record
    assert prediction == Prediction.from_dict(line, lease)
    with pytest.raises(DataError, match=r"the record is of the kind 'poem'; allowed: contract, paper, note"):
        Prediction.from_dict({**line, "kind": "poem"}, lease)
    del line["record"]["parties"][0]["name"]["text"]
    with pytest.raises(DataError, match=r"give what to_dict\(\) returned"):
        Prediction.from_dict(line, lease)


WRITTEN = Document.from_text("a" * 200, name="a.txt")
scores = st.floats(0, 1).map(lambda score: round(score, 4))
sides = st.floats(0, 800).map(lambda side: round(side, 2))
boxes = st.builds(longdoc.Box, page=st.integers(1, 9), x0=sides, y0=sides, x1=sides, y1=sides)
decimals = st.decimals(0, 10**6, places=2)
values = st.one_of(
    st.none(),
    st.dates(),
    decimals,
    st.builds(Money, decimals, st.sampled_from(["USD", "EUR"])),
    st.builds(Duration, decimals, st.sampled_from(["day", "month"])),
    st.builds(with_alternative, st.builds(Money, decimals, st.just("USD")), st.builds(Money, decimals, st.just("USD"))),
    st.text(alphabet="ab -", max_size=9),
)
cells = st.builds(
    lambda start, length, **more: Answer(text="a" * length, start=start, end=start + length, **more),
    st.integers(0, 100),
    st.integers(1, 9),
    score=scores,
    page=st.just(1),
    value=values,
    check=st.booleans(),
    source=st.text(max_size=5),
    boxes=st.lists(boxes, max_size=2).map(tuple),
)
many = st.lists(cells, max_size=2).map(tuple)
parties = st.builds(Party, name=cells, role=st.none() | cells, aliases=many, mentions=many)
problems = st.lists(st.builds(Problem, name=cells, status=st.just("past"), relative=st.text()), max_size=2).map(tuple)
signs = st.builds(VitalSign, name=st.text(), value=cells, numbers=st.lists(decimals, max_size=2).map(tuple))
records = st.one_of(
    st.tuples(
        st.just("contract"),
        st.builds(Contract, title=st.none() | cells, parties=st.lists(parties, max_size=2).map(tuple), caps=many),
    ),
    st.tuples(
        st.just("note"),
        st.builds(
            Note,
            sections=many,
            problems=problems,
            negated=problems,
            family_history=problems,
            medications=st.lists(st.builds(Medication, name=cells, dose=st.none() | cells), max_size=2).map(tuple),
            allergies=st.just(()),
            vital_signs=st.lists(signs, max_size=2).map(tuple),
            dates=many,
        ),
    ),
    st.tuples(
        st.just("paper"),
        st.builds(Paper, title=cells, authors=many, affiliations=many, doi=st.none(), abstract=cells, sections=many),
    ),
)


@given(records)
def test_a_record_is_restored_as_it_was(given_record):
    kind, record = given_record
    written = json.loads(json.dumps(Prediction(document=WRITTEN, record=record, kind=kind).to_dict()))
    restored = Prediction.from_dict(written, WRITTEN).record
    assert restored == record and type(restored) is type(record)


def test_the_kind_of_record_is_told_or_refused(lease):
    pipeline = reading()
    assert isinstance(pipeline.record(Document.from_text(NOTE)).record, Note)
    with pytest.raises(RecordError, match="not a clinical note, it looks like a contract"):
        pipeline.record(lease, "note")
    with pytest.raises(RecordError, match="looks like none of contract, paper, note; if it is one, name the kind"):
        pipeline.record(Document.from_text("Mix flour and eggs.", name="cake.txt"))
    with pytest.raises(ConfigError, match="no record 'contrat'; did you mean 'contract'"):
        record_kind(lease, "contrat")


def test_a_field_may_come_from_the_record(lease):
    schema = {
        "fields": {
            "law": {"type": "place", "from": [{"record": "governing_law"}]},
            "fee": {"from": [{"record": "caps"}]},
        }
    }
    prediction = reading(contract=("contract",)).extract(lease, schema)
    (answer,) = prediction.answers
    assert (answer.label, answer.value) == ("law", "Ohio") and answer.source.startswith("record governing_law: ")
    assert prediction.fields["fee"] == () and prediction.tasks == ("contract",)
    cake = reading().extract(Document.from_text("Mix flour and eggs."), schema)
    assert cake.answers == () and cake.sought == ("law", "fee")


def rows(*outcomes: Outcome) -> list[dict[str, str]]:
    stream = io.StringIO()
    FORMATS["csv"].write(iter(outcomes), stream)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


@pytest.mark.filterwarnings("ignore:the format .* does not hold everything")
def test_csv_has_a_row_a_document_and_names_failures(lease):
    found = reading(contract=("contract",)).record(lease)
    bad = Outcome("bad.pdf", CorruptDocumentError("bad.pdf: no"))
    table = rows(bad, Outcome("lease.txt", found), bad)
    assert [(row["source"], row["status"], row["message"]) for row in table] == [
        ("bad.pdf", "error", "bad.pdf: no"),
        ("lease.txt", "ok", ""),
        ("bad.pdf", "error", "bad.pdf: no"),
    ]
    assert table[1]["parties"] == "Acme Holdings, Inc.; Zenith LLC" and table[1]["agreement_date"] == "1999-06-21"
    assert rows(bad) == [{"source": "bad.pdf", "status": "error", "message": "bad.pdf: no"}]
    assert rows() == []


@pytest.mark.parametrize("format", ["csv", "parquet", "conll", "brat"])
def test_every_format_counts_what_of_a_record_it_leaves_out(lease, tmp_path, format):
    made = with_record(Prediction(document=lease), "contract")
    entity = Entity(label="PARTY", score=0.9, **place(lease, 0, 5))
    with pytest.warns(OutputWarning) as told:
        dataclasses.replace(made, entities=(entity,), spans=(entity, entity)).save(tmp_path / "out", format=format)
    message = " ".join(str(each.message) for each in told)
    if format in ("csv", "parquet"):
        assert "entities: 1; spans, such as clauses: 2; kinds and jurisdictions of parties: 2" in message
    else:
        assert "details of the record, such as roles and mentions: " in message


@pytest.mark.filterwarnings("ignore:the format .* does not hold everything")
def test_parquet_has_the_columns_of_csv_with_types(lease, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = reading(contract=("contract",)).record(lease)
    bad = Outcome("bad.pdf", CorruptDocumentError("bad.pdf: no"))
    with replacing(tmp_path / "out.parquet", binary=True) as stream:
        FORMATS["parquet"].write(iter([bad, Outcome("lease.txt", found)]), stream)
    table = parquet.read_table(tmp_path / "out.parquet")
    (csv_row,) = rows(Outcome("lease.txt", found))
    failed, row = table.to_pylist()
    assert table.column_names == [*csv_row]
    assert row["parties"] == ["Acme Holdings, Inc.", "Zenith LLC"] and row["caps"] == []
    assert row["agreement_date"] == datetime.date(1999, 6, 21) and row["governing_law"] == "Ohio"
    assert (failed["status"], failed["message"], failed["agreement_date"]) == ("error", "bad.pdf: no", None)
    with (tmp_path / "none.parquet").open("wb") as stream:
        FORMATS["parquet"].write(iter([]), stream)
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


@pytest.mark.filterwarnings("ignore:the format .* does not hold everything")
def test_parquet_is_written_in_row_groups(lease, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(longdoc.outputs.parquet, "ROW_GROUP", 2)
    found = reading(contract=("contract",)).record(lease)
    longdoc.outputs.write([found] * 5, tmp_path / "out.parquet")
    file = parquet.ParquetFile(tmp_path / "out.parquet")
    assert (file.num_row_groups, file.metadata.num_rows) == (3, 5)


def test_parquet_of_a_schema_has_lists(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    schema = {"fields": {"law": {"from": [{"section": "governing law"}]}, "fee": {"from": [{"section": "fees"}]}}}
    reading().extract(longdoc.load(LEASE.encode()), schema).save(tmp_path / "out.parquet")
    (row,) = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert row["fee"] == [] and row["law"][0].startswith("This Agreement is governed by")


def test_parquet_needs_its_extra(lease, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"parquet"):
        reading(contract=("contract",)).record(lease).save(tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


def test_a_long_list_is_cut_on_the_terminal_and_counted(lease):
    (party,) = reading(contract=("contract",)).record(lease).fields["parties"][:1]
    stream = io.StringIO()
    FORMATS["table"].write([Outcome("a", Prediction(document=lease, answers=(party,) * 51))], stream)
    assert "and 31 more (-o FILE writes them all)" in stream.getvalue()


def test_csv_of_a_schema_has_its_fields_as_columns():
    schema = {"fields": {"law": {"from": [{"section": "governing law"}]}, "fee": {"from": [{"section": "fees"}]}}}
    (row,) = rows(Outcome("lease.txt", reading().extract(longdoc.load(LEASE.encode()), schema)))
    assert row["law"].startswith("This Agreement is governed by") and row["fee"] == ""


def test_csv_refuses_what_has_no_columns(lease):
    with pytest.raises(ConfigError, match="csv has a row for each document: of a record, or of the fields of a schema"):
        rows(Outcome("lease.txt", Prediction(document=lease)))
    pipeline = reading()
    note = pipeline.record(Document.from_text(NOTE))
    with pytest.raises(ConfigError, match=r"b has other columns than the documents before; name one kind of record"):
        rows(Outcome("a", pipeline.record(lease)), Outcome("b", note))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "more").mkdir(parents=True)
    (tmp_path / "in" / "lease.txt").write_text(LEASE)
    (tmp_path / "in" / "more" / "cake.txt").write_text("Mix flour and eggs.")
    (tmp_path / "in" / ".hidden").write_text("no")
    monkeypatch.setattr(longdoc.Pipeline, "from_pretrained", lambda *_, **__: reading(contract=("contract",)))
    return tmp_path


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.filterwarnings("ignore:the format .* does not hold everything")
def test_a_folder_of_contracts_becomes_a_table(folder, capsys):
    code, _, err = run(capsys, "extract", "in", "--record", "contract", "-o", "out.csv")
    table = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text())))
    assert [(Path(row["source"]).name, row["status"]) for row in table] == [("lease.txt", "ok"), ("cake.txt", "error")]
    assert code == 1 and "cake.txt: not a contract" in err and "1 of 2 documents failed" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in", "--format", "csv"], "csv has a row per document, of --record or --schema; add one of them"),
        (["in", "--record", "contract", "--format", "parquet"], "parquet is binary; name a file: -o OUT.parquet"),
        (["in", "--record", "auto", "--format", "csv"], "depend on the kind of record; name it: --record contract"),
        (["in", "--record", "contract", "--schema", "contract"], "--record cannot be combined with --schema"),
        (["in", "--record", "contract", "--min-score", "0.9"], "--record takes no --min-score"),
        (["in", "--record", "contract", "--fields", "term"], "--record cannot be combined with --schema or --fields"),
        (["in", "--record", "contract", "--tasks", "x"], "--record cannot be combined with --tasks or --rules"),
        (["in", "--fields", "law"], "--fields names fields of a schema"),
        (["in", "--schema", "contract", "--fields", "laws"], "unknown field 'laws'"),
        (["in/more/cake.txt", "--record", "contract"], "cake.txt: not a contract"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(folder, capsys, arguments, message):
    code, _, err = run(capsys, "extract", *arguments)
    assert code != 0 and message in err


def test_an_empty_folder_is_named(folder, capsys):
    (folder / "empty").mkdir()
    code, _, err = run(capsys, "extract", "empty")
    assert code != 0 and "empty: is a folder without files" in err
    assert issubclass(DocumentNotFoundError, longdoc.LongdocError)


@pytest.mark.filterwarnings("ignore:the format .* does not hold everything")
def test_a_repeated_run_does_not_read_its_own_output(folder, capsys):
    arguments = ("extract", "in", "--record", "contract", "-o", "in/out.csv")
    assert run(capsys, *arguments)[0] == run(capsys, *arguments, "--overwrite")[0] == 1
    table = list(csv.DictReader(io.StringIO((folder / "in" / "out.csv").read_text())))
    assert [Path(row["source"]).name for row in table] == ["lease.txt", "cake.txt"]


def test_csv_refuses_fields_named_as_its_own_columns(lease):
    schema = {"fields": {"status": {"from": [{"section": "term"}]}}}
    with pytest.raises(ConfigError, match="csv has a column 'status' of its own"):
        rows(Outcome("lease.txt", reading().extract(lease, schema)))


def test_what_only_the_metadata_say_is_shown_and_not_called_missing(monkeypatch):
    document = Document.from_text("On leaves\n\nAbstract\n\nWe cut leaves.", name="paper.txt")
    author = longdoc.Answer(text="Jane Roe", label="authors", start=0, end=0, score=1.0, page=1, source="metadata")
    prediction = Prediction(document=document, beside=(author,), sought=("authors", "doi"))
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("table", "html"):
        stream = io.StringIO()
        FORMATS[name].write(iter([Outcome("paper.txt", prediction)]), stream)
        assert "Jane Roe" in stream.getvalue() and "metadata" in stream.getvalue()
    assert prediction.fields == {"authors": (author,), "doi": ()}
    line = json.loads(json.dumps(prediction.to_dict()))
    assert Prediction.from_dict(line, document) == prediction


def test_the_spans_that_a_record_was_made_from_are_not_shown_beside_it():
    document = longdoc.load(b"SUPPLY AGREEMENT\n\nThis Agreement is governed by the laws of Ohio.\n")
    span = Entity(label="Governing Law", score=0.9, **place(document, 18, 65))
    seen = Prediction(document=document, spans=(span,))
    assert "Governing Law" in passages(seen)
    assert "Governing Law" not in passages(with_record(seen, "contract"))
