"""Files of pairs of texts, as for paraphrase detection: read, scored, written, and evaluated if they have labels."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from longdoc.datasets.classes import table_records
from longdoc.datasets.records import errors_at
from longdoc.errors import ConfigError, DataError, did_you_mean, require

COLUMNS = ("sentence1", "sentence2")
LABEL = "label"
SCORE = "similarity"
"""The column that is added."""
_SEPARATORS = {".tsv": "\t", ".csv": ","}
SUFFIXES = (*_SEPARATORS, ".jsonl")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The records of a file, with the texts of each, and their labels if they have some."""

    records: tuple[Mapping[str, Any], ...]
    left: tuple[str, ...]
    right: tuple[str, ...]
    labels: tuple[float, ...] | None


def read_pairs(path: str | PathLike[str], columns: tuple[str, str] = COLUMNS, label: str | None = None) -> Pairs:
    """Reads ``.csv`` and ``.tsv`` with a header, or ``.jsonl``.

    Args:
        path: the file.
        columns: the columns, or keys, of the two texts.
        label: that of the label, a number; by default ``"label"``, if there is one.

    Raises:
        ConfigError: the header of the file lacks a column.
        DataError: the file cannot be read, or a text is missing or empty; names file and line.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise DataError(f"{path}: the suffix must be {', '.join(SUFFIXES)}; it says what separates the columns")
    wanted = [*columns, *([label] if label else [])]
    records: list[Mapping[str, Any]] = []
    left, right, labels = [], [], []
    try:
        for line, record in table_records(file):
            if not records and file.suffix in _SEPARATORS and (problem := _of_header(record, wanted)):
                raise ConfigError(f"{path}: {problem}")
            with errors_at(f"{path}, line {line}"):
                _check_columns(record, wanted)
                left.append(_text(record, columns[0], file.suffix))
                right.append(_text(record, columns[1], file.suffix))
                if (label or LABEL) in record:
                    labels.append(_number(record, label or LABEL))
                records.append({str(name): value for name, value in record.items()})
    except (OSError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not records:
        raise DataError(f"{path}: has no pairs; give a header, and a line for each pair")
    if labels and len(labels) < len(records):
        raise DataError(f"{path}: {len(records) - len(labels)} of {len(records)} pairs have no {label or LABEL!r}")
    return Pairs(tuple(records), tuple(left), tuple(right), tuple(labels) or None)


def _check_columns(record: Mapping[str | None, Any], wanted: Sequence[str]) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(f"expected an object, got {record!r:.60}")
    if None in record:
        raise ValueError("more cells than the header has columns; quote a text that contains the separator")
    if problem := _of_header(record, wanted):
        raise ValueError(problem)


def _of_header(record: Mapping[str | None, Any], wanted: Sequence[str]) -> str:
    """What is wrong with the names of columns, or of keys; empty if nothing is."""
    there = [str(name) for name in record if name is not None]
    if missing := [name for name in wanted if name not in there]:
        return (
            f"no column {missing[0]!r}; the columns are {', '.join(map(repr, there))}: name those of the two texts "
            f"(--columns A,B), and the label if there is one (--label NAME){did_you_mean(missing[0], there)}"
        )
    return f"has a column {SCORE!r} already; rename it, since the score is written there" if SCORE in there else ""


def _text(record: Mapping[str | None, Any], name: str, suffix: str) -> str:
    text = record[name]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name} is {'empty' if text is None or text == '' else repr(text)[:60]}; give a text")
    if suffix == ".tsv" and any("\t" in line for line in text.splitlines()[1:]):
        raise ValueError(
            f"{name} goes over lines that have columns of their own, {text!r:.60}: a text that begins with a quotation "
            "mark ends with the next one; put it in quotation marks, with those inside it doubled, or give .jsonl"
        )
    return text


def _number(record: Mapping[str | None, Any], name: str) -> float:
    try:
        value = float(record[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"{name} is {record[name]!r:.60}; a label is a number: 1 and 0 for pairs that say the same and that do "
            "not, or how alike they are; rename a column that is none, or name another one (--label)"
        )
    return value


def write_scores(pairs: Pairs, scores: Sequence[float], stream: IO[str], suffix: str) -> None:
    """Writes the records with their scores, in the format of a suffix; what a record lacks is empty in a table."""
    rows = [{**record, SCORE: round(float(score), 4)} for record, score in zip(pairs.records, scores, strict=True)]
    if suffix == ".jsonl":
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return
    columns = [*dict.fromkeys(name for row in rows for name in row if name != SCORE), SCORE]
    table = csv.DictWriter(stream, columns, delimiter=_SEPARATORS[suffix], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


def figures(labels: Sequence[float], scores: Sequence[float], threshold: float | None = None) -> dict[str, float]:
    """How well scores agree with labels.

    Labels of 0 and 1 alone: accuracy, precision, recall and F1 at a threshold, and the average precision. Others:
    Spearman's and Pearson's correlation.

    Args:
        labels: of the pairs.
        scores: of the pairs.
        threshold: from which score on a pair counts as 1; by default that with the highest accuracy on these pairs.

    Raises:
        ConfigError: all labels are the same, or a threshold is given for labels that are not 0 and 1.
        MissingDependencyError: scikit-learn, which brings scipy, is not installed.
    """
    truth, found = np.array(labels, float), np.array(scores, float)
    if len(set(labels)) < 2:
        raise ConfigError(f"all labels are {labels[0]:g}; scores can only be judged by labels that differ")
    if not set(labels) <= {0.0, 1.0}:
        if threshold is not None:
            raise ConfigError("a threshold is for labels of 0 and 1; these have other values")
        stats = require("scipy.stats", extra="evaluate", needed_by="the evaluation of pairs")
        ranked, linear = stats.spearmanr(truth, found).statistic, stats.pearsonr(truth, found).statistic
        return {"spearman": float(ranked), "pearson": float(linear)}
    metrics = require("sklearn.metrics", extra="evaluate", needed_by="the evaluation of pairs")
    least = _best_threshold(truth, found) if threshold is None else threshold
    says = found >= least
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, says, average="binary", zero_division=0)
    return {
        "threshold": float(least),
        "accuracy": float((says == truth).mean()),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "average precision": float(metrics.average_precision_score(truth, found)),
    }


def _best_threshold(truth: np.ndarray, found: np.ndarray) -> float:
    """The lowest score from which on most pairs are told right."""
    order = np.argsort(-found, kind="stable")
    right = np.cumsum(truth[order]) + (1 - truth).sum() - np.cumsum(1 - truth[order])
    is_last = np.append(np.diff(found[order]) != 0, True)  # equal scores fall on one side
    return float(found[order][np.argmax(np.where(is_last, right, -1))])
