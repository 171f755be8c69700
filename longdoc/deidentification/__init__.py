"""De-identification: the names, dates, addresses and numbers of persons, found by rules and a model together.

:func:`deidentify` finds them; :func:`longdoc.redact` writes the PDF without them, and :func:`mask` the text. This is no
anonymisation as the GDPR means it: some are missed, and what is left may tell who it is. A person must check.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from longdoc.arguments import check_type
from longdoc.deidentification.identifiers import identifiers, merged
from longdoc.deidentification.masking import Masked, mask
from longdoc.deidentification.mentions import Mentions, mentions, small_words
from longdoc.deidentification.preset import load_preset
from longdoc.errors import ConfigError
from longdoc.findings import place
from longdoc.labels import Entity, Span
from longdoc.loaders import DocumentLike, as_document
from longdoc.prediction import Notice, Prediction
from longdoc.rules import RULES, Rules

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.pipeline import Pipeline

__all__ = ["Masked", "deidentify", "mask"]

_SHOWN = 10
"""Places that a notice names."""
_DATE_WORDS = 12  # more than any date has


def deidentify(
    document: DocumentLike,
    pipeline: Pipeline | None = None,
    *,
    labels: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Prediction:
    """Finds the names, dates, addresses and numbers that identify persons.

    A name that was found once is found wherever else it stands: the surname alone, with initials, in capitals, in the
    name of a file. Where a name may be a word ("Will"), a notice of the prediction says how many places were left.

    Args:
        document: a document, or the path, bytes or open binary file of one.
        pipeline: finds names with its heads; without one, only what rules find, names after titles among it.
        labels: such as ``["PERSON", "DATE"]``; by default all of the preset.
        without: labels of the preset that are not sought, such as ``["YEAR", "ORG"]``.

    Returns:
        A prediction whose entities have these labels and do not overlap.

    Raises:
        ConfigError: a label is unknown, or no head of the pipeline finds persons.
        MissingDependencyError: phonenumbers, python-stdnum or spaCy is not installed.
    """
    check_type("labels", labels, "a list of labels such as ['PERSON']", list, tuple, set, frozenset, None)
    check_type("without", without, "a list of labels such as ['YEAR']", list, tuple, set, frozenset)
    preset = load_preset()
    chosen = preset.own_labels(labels, without)
    read = as_document(document)
    found = _by_model(read, pipeline) if pipeline is not None else _by_rules(read)
    own = {theirs: label for label, each in preset.labels.items() for theirs in (label, *each)}
    named = [(e, own[e.label]) for e in found.entities if own.get(e.label) in chosen]
    small = small_words(read.text)
    known = [
        Span(e.start, e.end, label) for e, label in named if not _is_no_date(e, label) and not _is_word(e, label, small)
    ]
    spans = merged([*known, *identifiers(read.text, chosen)])
    persons = [read.text[span.start : span.end] for span in spans if span.label == "PERSON"]
    everywhere = mentions(read.text, persons, [(span.start, span.end) for span in spans])
    spans = _joined(read.text, merged([*spans, *(Span(start, end, "PERSON") for start, end in everywhere.ranges)]))
    scores = {(e.start, e.end): e.score for e in found.entities}
    return Prediction(
        document=read,
        entities=tuple(_entity(read, span, scores.get((span.start, span.end), 1.0)) for span in spans),
        gaps=found.gaps,
        tasks=found.tasks,
        notices=tuple(_notices(everywhere)),
    )


def with_identifiers(prediction: Prediction, labels: Collection[str]) -> Prediction:
    """The prediction with what the patterns of the preset find, too: names after "/s/" or "Dr.", numbers and the like.

    Args:
        prediction: what was found.
        labels: those of the preset that are sought.

    Raises:
        MissingDependencyError: a label needs phonenumbers or python-stdnum, which is not installed.
    """
    document = prediction.document
    new = [_entity(document, span, 1.0) for span in identifiers(document.text, labels)]
    entities = sorted([*prediction.entities, *new], key=lambda each: (each.start, each.end))
    names_only = Notice("PERSON", "names are removed as they were found: --preset deidentify seeks surnames alone, too")
    notices = (*prediction.notices, *([names_only] if "PERSON" in labels else []))
    return replace(prediction, entities=tuple(entities), notices=notices)


def _entity(document: Document, span: Span, score: float, source: str = "deidentify") -> Entity:
    return Entity(label=span.label, score=score, source=source, **place(document, span.start, span.end))


def _is_no_date(found: Entity, label: str) -> bool:
    """Whether a model took for a date what says none: a number of one or two figures, such as a dose, or a sentence.

    The rules find the dates within a sentence.
    """
    return label == "DATE" and (
        (found.text.isdecimal() and len(found.text) < 3) or len(found.text.split()) > _DATE_WORDS
    )


def _is_word(found: Entity, label: str, small: frozenset[str]) -> bool:
    """Whether a model took a word for a name: one in small letters, or one that the text has in small letters, too.

    "the" and "Company" would be masked wherever they stand. Persons keep their names: one may be called Hill.
    """
    is_name = found.text != found.text.lower() and (label == "PERSON" or found.text.lower() not in small)
    return found.source != RULES and found.text.isalpha() and not is_name


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans in order; parts of a name with nothing but a space between them as one."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.label == span.label == "PERSON" and text[last.end : span.start] == " ":
            joined[-1] = Span(last.start, span.end, span.label)
        else:
            joined.append(span)
    return joined


def _by_model(document: Document, pipeline: Pipeline) -> Prediction:
    """What those heads find that know the labels of the preset, and the pipeline's rules.

    Raises:
        ConfigError: none finds persons.
    """
    preset = load_preset()
    wanted = {theirs for each in preset.labels.values() for theirs in each}
    known = {name: set(head.labels) & wanted for name, head in pipeline.heads.items() if head.kind == "ner"}
    if not any(each & set(preset.labels["PERSON"]) for each in known.values()):
        has = ", ".join(label for each in known.values() for label in sorted(each)) or "none"
        raise ConfigError(
            f"no head of the model finds persons: it needs the label PERSON or PER, and of those of the preset it has "
            f"{has}; choose another model, or train one (configs/deidentify.yaml)"
        )
    tasks = [name for name, own in known.items() if own]
    has_rules = pipeline.rules is not None and "DATE" in pipeline.rules.labels
    found = pipeline(document, tasks=[*tasks, *([RULES] if pipeline.rules else [])])
    return found if has_rules else replace(found, entities=(*found.entities, *_by_rules(document).entities))


def _by_rules(document: Document) -> Prediction:
    """What the rules ``general`` find."""
    found = Rules.load("general").find(document.text)
    entities = tuple(_entity(document, span, 1.0, RULES) for span in found)
    return Prediction(document=document, entities=entities, tasks=(RULES,))


def _notices(named: Mentions) -> Iterator[Notice]:
    """Where a name may be a word, without the name, since reports repeat notices."""
    for places in named.left.values():
        shown = ", ".join(f"{place:,}" for place in places[:_SHOWN])
        more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
        what = "place was" if len(places) == 1 else "places were"
        where = f"look there (characters {shown}{more}, from 0)"
        yield Notice("PERSON", f"a name is a word, too: {len(places):,} {what} not taken for it; {where}", len(places))
