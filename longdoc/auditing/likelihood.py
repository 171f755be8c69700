"""Which of two sentences a masked language model finds likelier: pseudo-log-likelihood (Salazar et al., 2020).

A pair differs in few words, such as "the women" and "the men". Each word that both share is masked in turn, and the
logarithms of its probabilities are added up (Nangia et al., 2020: the words that differ are not scored, since one may
simply be more frequent).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from longdoc.datasets.records import errors_at, read_text
from longdoc.errors import ConfigError, DataError, did_you_mean
from longdoc.pipeline import Pipeline
from longdoc.reader import Reader
from longdoc.vocabulary import mask_ids
from longdoc.windows import Tokens, tokenize

COLUMNS = ("sent_more", "sent_less")
"""The sentence with more, and the one with less of a stereotype: the names of CrowS-Pairs."""
CATEGORY = "bias_type"
SMALLEST = np.finfo(np.float32).tiny
"""Probabilities below are counted as this."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that differ in few words."""

    more: str
    less: str
    category: str = ""


def read_pairs(path: str | PathLike[str]) -> list[Pair]:
    """Reads pairs from a ``.csv`` with a header, or from JSON lines.

    Each has ``sent_more`` and ``sent_less``, and may have ``bias_type``; other columns are not read.

    Raises:
        DataError: the file cannot be read, has no pair, or a line lacks a column or has an empty sentence.
    """
    try:
        text = read_text(Path(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    rows = (
        _csv_rows(text.removeprefix("\ufeff"), path) if Path(path).suffix.lower() == ".csv" else _json_rows(text, path)
    )
    pairs = [_pair(row, where) for where, row in rows]
    if not pairs:
        raise DataError(f"{path}: no pair; give a .csv with the columns {' and '.join(COLUMNS)}, or JSON lines")
    return pairs


def _csv_rows(text: str, path: str | PathLike[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        _check_columns(reader.fieldnames or (), f"{path}, line 1")
        for row in reader:
            yield f"{path}, line {reader.line_num}", row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not CSV ({error})") from error


def _json_rows(text: str, path: str | PathLike[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            where = f"{path}, line {number}"
            with errors_at(where):
                row = json.loads(line)
                if not isinstance(row, Mapping):
                    raise ValueError(f"the record is {row!r:.60}; give an object with {' and '.join(COLUMNS)}")
            _check_columns(tuple(row), where)
            yield where, row


def _check_columns(found: Sequence[str], where: str) -> None:
    for name in COLUMNS:
        if name not in found:
            given = ", ".join(map(repr, found)) or "none"
            raise DataError(f"{where}: no column {name!r}; the columns are {given}{did_you_mean(name, found)}")


def _pair(row: Mapping[str, Any], where: str) -> Pair:
    more, less = (row[name] for name in COLUMNS)
    for name, sentence in zip(COLUMNS, (more, less), strict=True):
        if not isinstance(sentence, str) or not sentence.strip():
            raise DataError(f"{where}: {name} is {sentence!r:.60}; give a sentence")
    if more == less:
        raise DataError(f"{where}: both sentences are {more!r:.60}; give two that differ")
    category = row.get(CATEGORY) or ""
    if not isinstance(category, str):
        raise DataError(f"{where}: {CATEGORY} is {category!r:.60}; give a text")
    return Pair(more, less, category)


def prefers_more(pipeline: Pipeline, head: str, pairs: Sequence[Pair]) -> list[float]:
    """For each pair 1 if the model finds ``more`` likelier, 0 if it is ``less``, and a half if both are alike."""
    reader = pipeline.engine.reader_of(head)
    found = []
    for pair in pairs:
        more, less = shared_log_likelihoods(reader, head, pair)
        found.append(0.5 if more == less else float(more > less))
    return found


def shared_log_likelihoods(reader: Reader, head: str, pair: Pair) -> tuple[float, float]:
    """The sum of the logarithms of the probabilities of the shared tokens, in each of two sentences.

    Raises:
        DataError: the sentences share no token.
        ConfigError: the tokenizer has no mask.
    """
    more, less = (tokenize(sentence, reader.scorer.tokenizer) for sentence in (pair.more, pair.less))
    matcher = SequenceMatcher(None, more.ids.tolist(), less.ids.tolist(), autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    if not blocks:
        raise DataError(f"the sentences {pair.more!r:.60} and {pair.less!r:.60} share no word; leave the pair out")
    shared = [(block.a + offset, block.b + offset) for block in blocks for offset in range(block.size)]
    mask = _mask_of(reader)
    return (
        log_likelihood(reader, head, more, [first for first, _ in shared], mask),
        log_likelihood(reader, head, less, [second for _, second in shared], mask),
    )


def log_likelihood(reader: Reader, head: str, tokens: Tokens, indices: Sequence[int], mask: int) -> float:
    """The sum of the logarithms of the probabilities of tokens, each masked by itself.

    Args:
        reader: the model.
        head: its head that fills masks.
        tokens: of a sentence.
        indices: of the tokens that are scored.
        mask: the id of the mask.
    """
    total = 0.0
    for index in indices:
        ids = tokens.ids.copy()
        ids[index] = mask
        masked = Tokens(ids, tokens.offsets, tokens.words, tokens.unknown, tokens.deleted)
        (row,) = reader.masked(masked, head, np.array([index]))
        total += float(np.log(max(row[tokens.ids[index]], SMALLEST)))
    return total


def _mask_of(reader: Reader) -> int:
    if not (found := mask_ids(reader.scorer.tokenizer)):
        raise ConfigError("the tokenizer has no token for a masked word; pairs need a masked language model")
    return min(found)
