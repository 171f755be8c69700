"""spaCy's binary format: annotated documents in a ``.spacy`` file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import checked_span, errors_at
from longdoc.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacyConfig(ReaderConfig):
    """Keys of the reader ``spacy``."""

    reader: Literal["spacy"]
    span_group: str | None = None
    """Key in ``doc.spans`` of the spans to read, such as ``sc``; by default ``doc.ents`` are read."""


def read_spacy(path: Path, *, span_group: str | None = None) -> Iterator[Example]:
    """Reads the documents of a spaCy ``DocBin`` with their entities or a group of spans.

    Args:
        path: a ``.spacy`` file.
        span_group: key in ``doc.spans``, such as ``"sc"``; None reads ``doc.ents``. A document without the group has no
            spans; spans of a group may overlap.

    Raises:
        DataError: the file is not a DocBin, a span is empty, or no document has the group.
    """
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise DataError(
            f"{path}: not a DocBin ({type(error).__name__}: {error}); write one with DocBin.to_disk"
        ) from error
    groups = {name for doc in docs for name in doc.spans}
    if span_group is not None and span_group not in groups:
        available = f"available: {', '.join(sorted(groups))}" if groups else "there are none, so leave span_group out"
        raise DataError(f"{path}: no span group {span_group!r}; {available}")
    for number, doc in enumerate(docs, 1):
        found = doc.ents if span_group is None else doc.spans.get(span_group, ())
        with errors_at(f"{path}, document {number}"):
            spans = tuple(
                checked_span({"start": span.start_char, "end": span.end_char, "label": span.label_}, doc.text)
                for span in found
            )
        yield Example(f"{path.stem}-{number}", doc.text, spans)
