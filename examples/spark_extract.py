"""The entities of many documents, with Spark: ``spark-submit examples/spark_extract.py "s3a://deals/*.pdf" OUT``.

``mapInPandas``, and not ``pandas_udf``, which gives a row for a row: a document has any number of entities, and the
documents of a partition share batches of the model. All nodes need ``longdoc[interop,model]``. Spark itself leaves out
files without content.
"""

import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO

import pandas as pd
from pyspark.sql import SparkSession

from longdoc import Failure, Pipeline

COLUMNS = {"path": "string", "label": "string", "text": "string", "page": "int", "score": "double"}
COLUMNS |= {"start": "long", "end": "long", "error": "string"}


@cache
def pipeline() -> Pipeline:
    """Built once in each Python process of Spark, which runs many tasks."""
    return Pipeline.from_pretrained()


def files(batches: Iterator[pd.DataFrame]) -> Iterator[tuple[BytesIO, str]]:
    """The files of a partition, with their names, whose suffixes tell formats, and their paths."""
    for batch in batches:
        for path, content in zip(batch["path"], batch["content"], strict=True):
            file = BytesIO(content)
            file.name = path
            yield file, path


def entities(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """A row for each entity and clause, and one with an ``error`` for each document that cannot be read."""
    # Another process loads the documents, so that one that crashes it costs only itself.
    for read, path in pipeline().pipe(files(batches), as_tuples=True, on_error="yield", workers=1):
        if isinstance(read, Failure):
            rows = pd.DataFrame({"error": [f"{type(read.error).__name__}: {read.error}"]})
        else:
            rows = read.to_pandas()
        # As objects: a column that reindex adds is one of floats, which Spark does not take for text.
        yield rows.assign(path=path).reindex(columns=[*COLUMNS]).astype(object)


def main(documents: str, out: str) -> None:
    """Reads the files that match a pattern, wherever Spark reads files, and writes the rows as Parquet."""
    spark = SparkSession.builder.appName("longdoc").getOrCreate()
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 16)  # 10,000 files, the default, fill the memory
    spark.addArtifacts(__file__, pyfile=True)
    content = spark.read.format("binaryFile").load(documents).select("path", "content")
    schema = ", ".join(f"{name} {type}" for name, type in COLUMNS.items())
    content.mapInPandas(entities, schema).write.parquet(out)


if __name__ == "__main__":
    import spark_extract  # by its name: Spark sends what is in __main__ to each task anew, and no cached function

    spark_extract.main(*sys.argv[1:])
