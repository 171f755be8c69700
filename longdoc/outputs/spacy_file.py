"""spaCy's ``DocBin`` (``.spacy``): the documents of ``Prediction.to_spacy``, with their span groups and attributes.

Tokens are split where findings start or end, so that offsets are those of ``document.text``, in code points, for all of
them. The reader ``spacy`` of ``longdoc.datasets`` reads ``doc.ents``, or with ``span_group: longdoc`` all entities. A
``DocBin`` is one message: all documents are held in memory, about 100 bytes a token, until the last one is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from longdoc.errors import require
from longdoc.outputs.format import Format, Outcome
from longdoc.outputs.omissions import read, telling

_ATTRIBUTES = ("ENT_IOB", "ENT_TYPE")
"""Of the tokens, besides their words and spaces: all others are empty."""


def write(outcomes: Iterable[Outcome], stream: IO[bytes]) -> None:
    """Writes all documents.

    Raises:
        MissingDependencyError: spaCy is not installed.
    """
    spacy = require("spacy", extra="interop", needed_by="the format spacy")
    from longdoc.outputs.spacy_doc import doc_of

    found = spacy.tokens.DocBin(_ATTRIBUTES, store_user_data=True)
    with telling("spacy") as omissions:
        for _, prediction in read(outcomes, omissions):
            found.add(doc_of(prediction, omissions=omissions))
        stream.write(found.to_bytes())


FORMAT = Format(
    name="spacy",
    description="spaCy's DocBin, with span groups",
    suffix=".spacy",
    streams=False,
    write=write,
    answers=True,
    binary=True,
    failures=False,
)
