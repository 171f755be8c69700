"""The record of a paper: title, authors, affiliations, DOI, abstract, sections, entities, abbreviations.

>>> from longdoc.document import Document
>>> text = '''Sleep in Mice
...
... Ada Byron, Emil Post
...
... Department of Zoology, Springfield University
...
... Abstract
...
... Rapid eye movement (REM) sleep was recorded. doi:10.1234/abc.5
...
... References
...
... [1] A. Turing et al. Sleep. 1950.'''
>>> paper = paper_record(Document.from_text(text))
>>> paper.title.text, [author.text for author in paper.authors], paper.doi.text
('Sleep in Mice', ['Ada Byron', 'Emil Post'], '10.1234/abc.5')
>>> [(each.short.text, each.long.text) for each in paper.abbreviations]
[('REM', 'Rapid eye movement')]
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.parts import Section
from longdoc.record_types import Abbreviation, NamedEntity, Paper
from longdoc.records.abbreviations import Range, count_mentions, find_abbreviations
from longdoc.records.evidence import cell, metadata_cell, require_type
from longdoc.records.front_page import FrontPage, read_front_page
from longdoc.summary import on_one_line

_DOI = re.compile(r"(?<![\w.])10\.\d{4,9}/[^\s\"<>{}|\\^`]+")
_DOI_TOP = 6_000
_LONG_ABSTRACT = 5_000
_GENERIC_TITLE = re.compile(
    r"(?i)^(?:untitled.*|microsoft word\b.*|.*\.(?:docx?|tex|dvi|pdf|indd|qxd)|\W*|.{0,7}"
    r"|.*\b(?:template|manuscript)\b.*)$"
)
_ABSTRACT = re.compile(
    r"(?im)^[\W\d_]{0,40}(?P<name>a\s?b\s?s\s?t\s?r\s?a\s?c\s?t|summary)\b[ \t]*[:.—–-]*[ \t]*\n*"
    r"(?P<text>.{80,4000}?)(?=^[\W\d_IVX]{0,40}(?:introduction|background|keywords|key words|index terms|categories"
    r"|ccs concepts|author summary|significance|1\s)\b|\n[ \t]*\n[^\n]{0,40}\bintroduction\b|\Z)",
    re.DOTALL,
)


def paper_record(document: Document, entities: Iterable[Entity] = (), spans: Iterable[Entity] = ()) -> Paper:
    """The record of a paper.

    Args:
        document: a paper, with its sections.
        entities: what heads found in it, such as chemicals and diseases.
        spans: long passages that heads found; not used.

    Raises:
        RecordError: the document does not look like a paper.
    """
    require_type(document, "paper")
    metadata, front = document.source.metadata, read_front_page(document)
    is_jats = document.source.loader == "jats"
    abbreviations = _abbreviations(document)
    return Paper(
        title=_title(document, metadata, front, is_jats=is_jats),
        authors=_people(document, metadata, front, is_jats=is_jats),
        affiliations=_affiliations(document, metadata, front, is_jats=is_jats),
        doi=_doi(document, metadata),
        abstract=_abstract(document),
        sections=_sections(document),
        entities=_entities(document, entities, abbreviations),
        abbreviations=abbreviations,
    )


def _title(document: Document, metadata: Mapping[str, str], front: FrontPage, *, is_jats: bool) -> Answer | None:
    """The title of the metadata, or the one on the first page; where they differ, the latter, to be checked."""
    given = on_one_line(metadata.get("Title", ""))
    usable = bool(given) and not _GENERIC_TITLE.match(given)
    if usable:
        from_metadata = metadata_cell(document, given, label="title")
        if is_jats or from_metadata.end:
            return from_metadata
    if front.title is None:
        return metadata_cell(document, given, label="title") if usable else None
    score = 0.9 if front.is_sure else 0.6
    return cell(document, *front.title, label="title", source="first page", score=score, check=usable)


def _people(document: Document, metadata: Mapping[str, str], front: FrontPage, *, is_jats: bool) -> tuple[Answer, ...]:
    """The authors: of JATS by its metadata; else the names on the first page, or those that the metadata name."""
    given = [name.strip() for name in metadata.get("Author", "").split(";") if name.strip()]
    if is_jats or not front.authors:
        cells = (metadata_cell(document, name, label="author") for name in given)
        return tuple(each for each in cells if is_jats or each.end)
    return tuple(cell(document, *at, label="author", source="first page", score=0.8) for at in front.authors)


def _affiliations(
    document: Document, metadata: Mapping[str, str], front: FrontPage, *, is_jats: bool
) -> tuple[Answer, ...]:
    if is_jats:
        given = [line.strip() for line in metadata.get("Affiliations", "").splitlines() if line.strip()]
        return tuple(metadata_cell(document, line, label="affiliation") for line in given)
    return tuple(cell(document, *at, label="affiliation", source="first page", score=0.7) for at in front.affiliations)


def _doi(document: Document, metadata: Mapping[str, str]) -> Answer | None:
    """The DOI of the metadata, or the first one at the top or in the running titles, before those of its references."""
    given = _DOI.search(metadata.get("DOI", "") or metadata.get("Subject", ""))
    if given:
        return metadata_cell(document, _clean_doi(given.group()), label="doi")
    end = next((s.start for s in document.sections if s.kind == "references"), len(document.text))
    if found := _DOI.search(document.text, 0, min(end, _DOI_TOP)):
        text = _clean_doi(found.group())
        return cell(document, found.start(), found.start() + len(text), label="doi", source="rule", score=0.9)
    margins = (_DOI.search(item.text) for item in document.furniture if item.kind in ("header", "footer"))
    found = next(filter(None, margins), None)
    return metadata_cell(document, _clean_doi(found.group()), label="doi") if found else None


def _clean_doi(doi: str) -> str:
    """A DOI without the punctuation of the sentence around it; brackets that it opens itself are its own."""
    doi = doi.rstrip(".,;:'’”")
    while doi.endswith((")", "]")) and doi.count("(") + doi.count("[") < doi.count(")") + doi.count("]"):
        doi = doi[:-1].rstrip(".,;:'’”")
    return doi


def _abstract(document: Document) -> Answer | None:
    """The text of the section "abstract", or what follows the word at the top up to the introduction."""
    for section in document.sections:
        if section.kind == "abstract" and (start := _body_start(document.text, section)) < section.end:
            size = section.end - start
            score = 1.0 if size < _LONG_ABSTRACT else 0.5  # the text after it may have no heading
            found = cell(document, start, section.end, label="abstract", source="section abstract", score=score)
            if size > 40:
                return found
    is_jats = document.source.loader == "jats"  # which says where its abstract is, if it has one
    match = None if is_jats else _ABSTRACT.search(document.text[:12_000])
    if not match:
        return None
    return cell(document, *match.span("text"), label="abstract", source="rule", score=0.7)


def _body_start(text: str, section: Section) -> int:
    """Where the text of a section starts, after its heading."""
    heading = text.find(section.title, section.start, section.end)
    start = section.start if heading < 0 else heading + len(section.title)
    return start + len(text[start : section.end]) - len(text[start : section.end].lstrip(" \t\n:.—–-"))


def _sections(document: Document) -> tuple[Answer, ...]:
    found = []
    for section in document.sections:
        start = document.text.find(section.title, section.start, section.end) if section.title else -1
        if section.level <= 2 and start >= 0:
            end = start + len(section.title)
            found.append(cell(document, start, end, label=section.kind, source=f"section {section.kind}"))
    return tuple(found)


def _abbreviations(document: Document) -> tuple[Abbreviation, ...]:
    """The abbreviations, each where it is explained first."""
    text = document.text
    found: dict[str, tuple[Range, Range]] = {}
    for short, long in find_abbreviations(text):
        found.setdefault(text[slice(*short)], (short, long))
    counts = count_mentions(text, found)
    return tuple(
        Abbreviation(
            cell(document, *short, label="short form", source="rule", score=0.9),
            cell(document, *long, label="long form", source="rule", score=0.9),
            counts[name],
        )
        for name, (short, long) in found.items()
    )


def _entities(
    document: Document, entities: Iterable[Entity], abbreviations: Sequence[Abbreviation]
) -> tuple[NamedEntity, ...]:
    """Mentions of one label grouped by their words; a short form stands with its long form."""
    long_forms = {each.short.text: on_one_line(each.long.text) for each in abbreviations}
    groups: defaultdict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in entities:
        name = long_forms.get(entity.text, entity.text)
        groups[entity.label, _folded(name)].append(entity)
    return tuple(
        _merged(document, mentions, long_forms) for mentions in sorted(groups.values(), key=lambda each: -len(each))
    )


def _merged(document: Document, mentions: Sequence[Entity], long_forms: Mapping[str, str]) -> NamedEntity:
    first = min(mentions, key=lambda entity: entity.start)
    texts = [on_one_line(entity.text) for entity in mentions]
    names = sorted(dict.fromkeys(texts), key=lambda name: -texts.count(name))
    where = cell(document, first.start, first.end, label=first.label, source=first.source, score=first.score)
    long_form = next((long_forms[name] for name in names if name in long_forms), None)
    return NamedEntity(where, first.label, len(mentions), tuple(names), long_form)


def _folded(name: str) -> str:
    """A name without case, hyphens and the "s" of a plural."""
    folded = " ".join(re.sub(r"[-‐-–\s]+", " ", name.lower()).split())
    return (
        folded[:-1] if len(folded) > 4 and folded.endswith("s") and not folded.endswith(("ss", "is", "us")) else folded
    )
