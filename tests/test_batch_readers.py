"""The folder that ``extract_many`` writes, as DuckDB, pandas, polars and Spark read it: nothing is lost or changed."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import make_model
from fakes import stay_here
from longdoc import Document, Pipeline, Prediction
from longdoc.batch.extract import extract_many
from longdoc.batch.tables import tables_of, write_csv, write_table
from longdoc.findings import place
from longdoc.labels import Entity
from longdoc.outputs.columns import COLUMNS, TABLES
from longdoc.outputs.csv import without_formula
from test_batch_tables import filled, status_of

pytest.importorskip("pyarrow")
from pyarrow import parquet

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
LEASE = "LEASE AGREEMENT made on May 1, 2020 between Ada Sons Ltd. and Bob Corp. Ada Sons Ltd. pays rent number {}. "
TEXTS = {
    "lease.txt": LEASE.format(1) * 9,
    "copy of the lease.txt": LEASE.format(1) * 9,
    "=formula.txt": '=cmd|\'x\'!A0,"y"\r\n+1 between\t@SUM(A1) and "Bob\nCorp.". ' * 3,
    "nul.json": json.dumps({"resourceType": "Condition", "code": {"text": "Ada\0Sons Ltd. pays\0 Bob Corp. " * 3}}),
    "née – 契約.txt": "Die Müller GmbH zahlt 契約 𝒜 an Bob Corp. " * 3,
}
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts: texts that are hard to write, a copy, a PDF, a damaged one; the last has values of all types."""
    folder = tmp_path_factory.mktemp("readers")
    make_model().save(folder / "model")
    (folder / "in").mkdir()
    for name, text in TEXTS.items():
        (folder / "in" / name).write_bytes(text.encode())
    shutil.copy(ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf", folder / "in")
    (folder / "in" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    with pytest.MonkeyPatch.context() as patch:
        stay_here(patch)
        for given in (["in/lease.txt", "in/broken.pdf"], ["in"]):  # the second run adds a part
            paths = [folder / each for each in given]
            extract_many(paths, folder / "out", model=str(folder / "model"), record="contract")
    for name, table in tables_of([(status_of(filled()), filled())]).items():
        write_table(table, folder / "out" / name / "part-00002.parquet")
        assert len(list((folder / "out" / name).iterdir())) == 3
    return folder / "out"


@pytest.fixture(scope="module")
def written(out: Path) -> Rows:
    """The rows as pyarrow reads them, in an order that does not depend on the files."""
    rows = {name: parquet.read_table(out / name).to_pylist() for name in TABLES}
    assert all(rows[name] for name in ("documents", "pages", "sections", "entities", "fields", "records"))
    assert {type(row["date"]) for row in rows["records"]} == {datetime.date, type(None)}
    assert datetime.date(1, 2, 3) in [row["date"] for row in rows["fields"]]
    assert any("\ufffd" in row["text"] for row in rows["entities"]) and any(row["boxes"] for row in rows["entities"])
    assert any(row["tasks"] == [] or row["gaps"] == [] for row in rows["documents"])
    return rows


def same_rows(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """All rows, with their types, in any order."""
    assert Counter(map(repr, found)) == Counter(map(repr, expected))


@pytest.fixture(scope="module")
def joined(written: Rows) -> Counter[tuple[str, str]]:
    """The address of the document of each entity, and its text: a slow join."""
    addresses = {row["document_id"]: row["address"] for row in written["documents"] if row["same_as"] is None}
    return Counter((addresses[row["document_id"]], row["text"]) for row in written["entities"])


JOIN = (
    "SELECT d.address, e.text FROM {0}entities{1} e JOIN {0}documents{1} d USING (document_id) WHERE d.same_as IS NULL"
)


def test_duckdb(out: Path, written: Rows, joined: Counter[tuple[str, str]]) -> None:
    duckdb = pytest.importorskip("duckdb")
    for name in TABLES:
        read = duckdb.sql(f"SELECT * FROM '{out}/{name}/*.parquet'")
        same_rows([dict(zip(read.columns, row, strict=True)) for row in read.fetchall()], written[name])
    assert Counter(duckdb.sql(JOIN.format(f"'{out}/", "/*.parquet'")).fetchall()) == joined


def test_the_queries_of_the_page(out: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    dates, parties, boxes = [
        duckdb.sql(query.replace("'OUT/", f"'{out}/")).fetchall()
        for query in re.findall(r"```sql\n(.*?)```", page, re.S)
    ]
    assert dates and all(isinstance(row[2], datetime.date) for row in dates)
    assert len(parties) >= 2 and len(boxes) > 20


def test_polars(out: Path, written: Rows, joined: Counter[tuple[str, str]]) -> None:
    polars = pytest.importorskip("polars")
    tables = {name: polars.read_parquet(out / name / "*.parquet") for name in TABLES}
    for name, table in tables.items():
        same_rows(table.to_dicts(), written[name])
    assert tables["records"].schema["date"] == polars.Date
    assert isinstance(tables["entities"].schema["boxes"].inner, polars.Struct)
    owners = tables["documents"].filter(polars.col("same_as").is_null())
    pairs = tables["entities"].join(owners, on="document_id").select("address", "text")
    assert Counter(pairs.rows()) == joined


def test_pandas(out: Path, written: Rows, joined: Counter[tuple[str, str]]) -> None:
    pandas = pytest.importorskip("pandas")
    tables = {name: pandas.read_parquet(out / name) for name in TABLES}
    for name, table in tables.items():
        same_rows(
            [{key: of_pandas(name, key, cell) for key, cell in row.items()} for row in table.to_dict("records")],
            written[name],
        )
    assert pandas.read_parquet(out / "fields", dtype_backend="pyarrow").dtypes["start"] == "int64[pyarrow]"
    owners = tables["documents"].query("same_as.isna()")
    pairs = tables["entities"].merge(owners, on="document_id")[["address", "text"]]
    assert Counter(pairs.itertuples(index=False, name=None)) == joined


def of_pandas(table: str, column: str, cell: Any) -> Any:
    """A cell as Python has it: pandas has arrays for lists, NaN for null, and floats for integers beside nulls."""
    if hasattr(cell, "tolist") and hasattr(cell, "ndim") and cell.ndim:
        return list(cell)
    if cell is None or cell != cell:
        return None
    types = {each.name: each.type for each in COLUMNS[table]}
    return int(cell) if types[column].startswith("int") else cell


# ----------------------------------------------------------------------------------------------------------------- CSV

WORDS = ["NA", "None", "null", "nan", '=1+"1"', 'a "q", b\nc', "007", "2020-05-01", "a\\", "true", '\\"x', "\t1", "'"]


@pytest.fixture
def words(tmp_path: Path) -> str:
    """A CSV file of entities that readers are apt to change."""
    document = Document.from_text("|".join(WORDS))
    starts = [len("|".join([*WORDS[:i], ""])) for i in range(len(WORDS))]
    places = [place(document, start, start + len(word)) for start, word in zip(starts, WORDS, strict=True)]
    prediction = Prediction(document=document, entities=tuple(Entity(label="X", score=1, **each) for each in places))
    write_csv(tables_of([(status_of(prediction), prediction)])["entities"], tmp_path / "entities.csv")
    return str(tmp_path / "entities.csv")


def same_words(texts: list[Any]) -> None:
    assert texts == [without_formula(word) for word in WORDS]


def test_csv_in_duckdb_polars_and_pandas(words: str) -> None:
    duckdb, pandas, polars = map(pytest.importorskip, ("duckdb", "pandas", "polars"))
    same_words([text for (text,) in duckdb.sql(f"SELECT text FROM '{words}'").fetchall()])
    same_words(polars.read_csv(words)["text"].to_list())
    same_words(pandas.read_csv(words, keep_default_na=False, na_values=[""])["text"].tolist())


# --------------------------------------------------------------------------------------------------------------- Spark


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Any:
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java")
    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    yield session
    session.stop()


@pytest.mark.filterwarnings("ignore")  # of Spark, which has many
def test_csv_in_spark(spark: Any, words: str) -> None:
    read = spark.read.option("multiLine", True).option("escape", '"').csv(words, header=True)
    same_words([row["text"] for row in read.collect()])


@pytest.mark.filterwarnings("ignore")
def test_spark(spark: Any, out: Path, written: Rows, joined: Counter[tuple[str, str]]) -> None:
    for name in TABLES:
        table = spark.read.parquet(str(out / name))
        same_rows([row.asDict(recursive=True) for row in table.collect()], written[name])
        table.createOrReplaceTempView(name)
    assert dict(spark.table("records").dtypes)["date"] == "date"
    boxes = "array<struct<page:int,x0:double,y0:double,x1:double,y1:double>>"
    assert dict(spark.table("entities").dtypes)["boxes"] == boxes
    assert Counter(tuple(row) for row in spark.sql(JOIN.format("", "")).collect()) == joined


def test_the_example_for_spark(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "in" / "nothing.txt").write_text("...")
    (tmp_path / "in" / "lease 1.txt").write_text(TEXTS["lease.txt"])
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "spark_extract.py"), f"{tmp_path}/in/*", f"{tmp_path}/out"],
        check=False,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    (failed,) = [row for row in rows if row["error"]]
    assert failed["path"].endswith("/in/broken.pdf") and failed["error"].startswith("CorruptDocumentError: broken.pdf")
    assert {key for key, value in failed.items() if value is not None} == {"path", "error"}
    found = [(row["label"], row["text"], row["page"], row["start"], row["end"]) for row in rows if not row["error"]]
    expected = Pipeline.from_pretrained()(tmp_path / "in" / "lease 1.txt")
    assert found == [(e.label, e.text, e.page, e.start, e.end) for e in (*expected.entities, *expected.spans)]
    assert len(found) > 5
