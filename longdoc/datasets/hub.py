"""Data sets of Hugging Face's ``datasets`` library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from typing import Any, TypeAlias

from longdoc.datasets.conll import check_tag, join_sentences, note_wrong_tags
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import errors_at
from longdoc.datasets.remarks import remarks_on
from longdoc.datasets.squad import squad_questions
from longdoc.errors import DataError

Rows: TypeAlias = Iterable[Mapping[str, Any]]
"""Such as ``datasets.Dataset`` and ``datasets.IterableDataset``, which also have ``features``."""


def from_datasets(
    dataset: Rows,
    *,
    text_column: str = "text",
    label_column: str = "label",
    token_column: str = "tokens",
    tag_column: str = "ner_tags",
    names: Sequence[str] | None = None,
    rows_per_document: int = 1,
) -> list[Example]:
    """Converts one split of a ``datasets`` data set, streamed or not; its columns decide what the examples contain.

    Tokens with tags (IOB1, IOB2, BIOES or BILOU) become entities; ``context``, ``question`` and ``answers`` as in SQuAD
    become questions; a text with a label or a list of labels becomes classes.

    Args:
        dataset: one split, such as ``load_dataset(...)["train"]``. All rows are read and kept: of a long stream, give
            the first ones, ``dataset.take(1000)``.
        text_column: column with the text, if the labels are classes.
        label_column: column with its class or list of classes.
        token_column: column with the list of tokens.
        tag_column: column with the tag of each token.
        names: names of tags or classes that are numbers, if the data set does not name them (``ClassLabel``).
        rows_per_document: number of rows of tokens that are joined to a document. Rows are often single sentences, and
            a window with several gives each its context.

    Raises:
        DataError: tags, names or answers do not match their text (names the row), or the columns are not recognised.
    """
    features, rows = _columns(dataset)
    if {token_column, tag_column} <= set(features):
        names = _names(features[tag_column]) or names
        sentences = list(_tokens(rows, token_column, tag_column, names))
        with remarks_on("the data set", None) as noted:
            note_wrong_tags(sentences, "the data set", noted)
        return list(_tagged(sentences, rows_per_document))
    if {"context", "question", "answers"} <= set(features):
        return list(_asked(rows))
    if {text_column, label_column} <= set(features):
        return list(_classified(rows, text_column, label_column, _names(features[label_column]) or names))
    raise DataError(
        f"the columns are {', '.join(features) or 'none'}; expected {token_column} and {tag_column}, or context, "
        f"question and answers, or {text_column} and {label_column}: set token_column and tag_column, or text_column "
        "and label_column"
    )


def _columns(dataset: Any) -> tuple[Mapping[str, Any], Rows]:
    """The type of each column, None if it is not stated, as in some streams; and the rows."""
    if isinstance(dataset, Mapping):  # a DatasetDict, which contains all splits
        splits = ", ".join(map(str, dataset))
        raise DataError(f"this is a mapping of {splits}; give one split, such as dataset['train']")
    features: Mapping[str, Any] | None = getattr(dataset, "features", None)
    if features is not None:
        return features, dataset
    rows = iter(dataset)
    first = list(islice(rows, 1))
    if not all(isinstance(row, Mapping) for row in first):
        raise DataError(f"row 0 is {first[0]!r:.60}; give one split of a data set, whose rows are mappings")
    return dict.fromkeys(first[0]) if first else {}, chain(first, rows)


def _names(feature: Any) -> Sequence[str] | None:
    """The names of a ``ClassLabel``, or of a list of them."""
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    names: Sequence[str] | None = getattr(inner, "names", None)
    return names


def _name(value: int | str, names: Sequence[str] | None) -> str:
    if isinstance(value, str):
        return value
    if names is None:
        raise ValueError(f"{value} has no name; give names=[...] in the order of the numbers")
    if not 0 <= value < len(names):
        raise ValueError(f"{value} is not the index of one of {', '.join(names)}; leave unlabelled rows out")
    return names[value]


def _tokens(
    rows: Rows, token_column: str, tag_column: str, names: Sequence[str] | None
) -> Iterator[list[tuple[str, str]]]:
    for number, row in enumerate(rows):
        with errors_at(f"row {number}"):
            tokens, tags = row[token_column], row[tag_column]
            if isinstance(tokens, str) or isinstance(tags, str):
                raise ValueError(f"{token_column} or {tag_column} is a string; give lists of tokens and of tags")
            if len(tokens) != len(tags):
                raise ValueError(f"{len(tokens)} tokens and {len(tags)} tags")
            if not all(token.strip() for token in tokens):
                raise ValueError("a token is empty; leave it and its tag out")
            sentence = [(token, check_tag(_name(tag, names))) for token, tag in zip(tokens, tags, strict=True)]
        yield sentence


def _tagged(sentences: Iterable[list[tuple[str, str]]], rows_per_document: int) -> Iterator[Example]:
    rows, first = iter(sentences), 0
    while document := list(islice(rows, rows_per_document)):
        if filled := [sentence for sentence in document if sentence]:
            yield join_sentences(str(first), filled)
        first += len(document)


def _asked(rows: Rows) -> Iterator[Example]:
    for context, numbered in groupby(enumerate(rows), key=_context):
        questions: list[Question] = []
        for number, row in numbered:
            with errors_at(f"row {number}"):
                texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
                answers = [{"text": t, "answer_start": s} for t, s in zip(texts, starts, strict=True)]
                record = {"id": row.get("id", number), "question": row["question"], "answers": answers}
                questions += squad_questions([record], context)
        yield Example(str(number - len(questions) + 1), context, questions=tuple(questions))


def _context(numbered: tuple[int, Mapping[str, Any]]) -> Any:
    number, row = numbered
    with errors_at(f"row {number}"):
        return row["context"]


def _classified(rows: Rows, text_column: str, label_column: str, names: Sequence[str] | None) -> Iterator[Example]:
    for number, row in enumerate(rows):
        with errors_at(f"row {number}"):
            text, found = row[text_column], row[label_column]
            if text is None or found is None:
                raise ValueError(f"{text_column if text is None else label_column} is empty; leave the row out")
            labels = tuple(_name(value, names) for value in (found if isinstance(found, list) else [found]))
        yield Example(str(number), text, labels=labels)
