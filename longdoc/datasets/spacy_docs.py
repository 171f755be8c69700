"""spaCy's binary format: annotated documents in a ``.spacy`` file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from longdoc.datasets.examples import Example, checked_span, naming
from longdoc.errors import DataError


def read_spacy(path: Path, *, span_group: str | None = None) -> Iterator[Example]:
    """The documents of a spaCy ``DocBin``, with their entities or the spans of a group.

    Args:
        path: a ``.spacy`` file.
        span_group: key in ``doc.spans``, such as ``"sc"``; none for ``doc.ents``. A document without the group has no
            span; spans of a group may overlap.

    Raises:
        DataError: the file is no DocBin, a span is empty, or no document has the group.
    """
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: no DocBin ({type(error).__name__}: {error}); write one by DocBin.to_disk") from error
    groups = {name for doc in docs for name in doc.spans}
    if span_group is not None and span_group not in groups:
        raise DataError(f"{path}: no span group {span_group!r}; it has {', '.join(sorted(groups)) or 'none: use ents'}")
    for number, doc in enumerate(docs, 1):
        found = doc.ents if span_group is None else doc.spans.get(span_group, ())
        with naming(f"{path}, document {number}"):
            spans = tuple(
                checked_span({"start": span.start_char, "end": span.end_char, "label": span.label_}, doc.text)
                for span in found
            )
        yield Example(f"{path.stem}-{number}", doc.text, spans)
