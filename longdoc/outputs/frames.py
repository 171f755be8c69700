"""Predictions as data frames of pandas, with a type for each column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from longdoc.errors import ConfigError, did_you_mean
from longdoc.outputs.columns import COLUMNS
from longdoc.outputs.format import PredictionLike
from longdoc.outputs.table_rows import rows_of
from longdoc.values import alternative_of

if TYPE_CHECKING:
    import pandas

FINDINGS = "findings"
"""The table with everything that was found, in Python's own types."""
_FOUND = ("label", "text", "page", "score", "start", "end", "section", "boxes", "source")
_ANSWERED = ("question", "value", "alternative")
_CATEGORIES = frozenset(
    ("kind", "label", "source", "field", "state", "value_type", "unit", "record", "part", "verdict", "text_source")
)
"""Columns of few different texts."""
_TYPES = {"int32": "Int32", "int64": "Int64", "double": "Float64", "bool": "boolean", "string": "string"}


def frame_of(prediction: PredictionLike, table: str) -> pandas.DataFrame:
    """The result of :meth:`longdoc.prediction.Prediction.to_pandas`.

    Raises:
        ConfigError: there is no such table.
    """
    if table == FINDINGS:
        return _findings(prediction)
    by_table = rows_of(prediction)
    if table not in by_table:
        allowed = [FINDINGS, *by_table]
        raise ConfigError(f"unknown table {table!r:.60}; allowed: {', '.join(allowed)}{did_you_mean(table, allowed)}")
    import pandas

    rows = list(by_table[table])
    columns = {
        each.name: _series(pandas.Series, each.name, each.type, [row.get(each.name) for row in rows])
        for each in COLUMNS[table]
        if each.name != "document_id"
    }
    frame: pandas.DataFrame = pandas.DataFrame(columns)
    return frame


def _series(series: Callable[..., Any], name: str, type: str, cells: Sequence[Any]) -> Any:
    """A column of a type of :class:`longdoc.outputs.columns.Column`."""
    if type == "date32":  # datetime64[s], which holds the years 1 to 9999
        return series(np.array(["NaT" if cell is None else cell.isoformat() for cell in cells], "datetime64[s]"))
    if name in _CATEGORIES:
        return series(cells, dtype="object").astype("category")
    return series(cells, dtype=_TYPES.get(type, "object"))


def _findings(prediction: PredictionLike) -> pandas.DataFrame:
    """A row per entity, span, answer and cell beside the text."""
    import pandas

    answers = (*prediction.answers, *prediction.beside)
    columns = [*_FOUND, *_ANSWERED] if answers else [*_FOUND]
    found = (*prediction.entities, *prediction.spans, *answers)
    frame: pandas.DataFrame = pandas.DataFrame(
        [[_cell(each, name) for name in columns] for each in found], columns=columns
    )
    numbers = {"page": "int64", "score": "float64", "start": "int64", "end": "int64"}
    frame = frame.astype({**numbers, "label": "category", "source": "category"})
    return frame


def _cell(found: Any, column: str) -> Any:
    return alternative_of(_cell(found, "value")) if column == "alternative" else getattr(found, column, None)
