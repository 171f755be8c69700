"""Every place that names a party of a contract, for whoever wants to remove them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from longdoc.document_type import document_type
from longdoc.findings import place
from longdoc.labels import Answer, Entity
from longdoc.prediction import Prediction
from longdoc.records.names import has_legal_form, name_end, name_start, names_in
from longdoc.records.parties import find_parties
from longdoc.summary import on_one_line

PARTY = "PARTY"
_ROOM = 200  # characters before and after a mention within which its whole name is


def with_parties(prediction: Prediction) -> Prediction:
    """The prediction of a contract with more mentions of its parties, as entities ``PARTY`` of the source ``record``.

    These are all places that the record of the contract lists, and the whole names that start with one, or of which a
    model found a part.
    """
    document = prediction.document
    found = [each for each in prediction.entities if each.label == PARTY]
    ranges = {whole: each.score for each in found for whole in _whole(document.text, each)}
    if document_type(document).kind == "contract":
        parties, _ = find_parties(document, prediction.entities)
        for cell in (cell for party in parties for cell in party.namings):
            ranges[cell.start, cell.end] = ranges[_completed(document.text, cell)] = cell.score
    known = {(each.start, each.end) for each in found}
    new = [
        Entity(label=PARTY, score=score, source="record", **place(document, *where))
        for where, score in ranges.items()
        if where not in known
    ]
    entities = sorted([*prediction.entities, *new], key=lambda each: (each.start, each.end))
    return replace(prediction, entities=tuple(entities))


def _completed(text: str, mention: Answer) -> tuple[int, int]:
    """The name with a legal form that starts with a mention, such as that of a subsidiary; or else the mention."""
    end = name_end(text, mention.start)
    return (mention.start, end) if has_legal_form(text[mention.start : end]) else (mention.start, mention.end)


def _whole(text: str, mention: Entity) -> Iterator[tuple[int, int]]:
    """The names with a legal form that a mention is a part of, or the end of."""
    if has_legal_form(on_one_line(mention.text)):
        yield name_start(text, mention.start), mention.end
    first = max(text.rfind("\n", 0, mention.start) + 1, mention.start - _ROOM)
    for start, end in names_in(text, first, min(len(text), mention.end + _ROOM)):
        if start < mention.end and mention.start < end:
            yield start, end
