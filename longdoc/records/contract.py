"""One record a contract: its title, parties, dates, law, terms and caps, each with its place in the document.

The opening paragraph, the signature block and the defined terms say who the parties are; what a model found confirms
and completes it. Everything works without a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.record_types import Contract
from longdoc.records.dates import agreement_date, effective_date
from longdoc.records.ends import disagrees, expiration_date
from longdoc.records.evidence import cell, require_type
from longdoc.records.names import has_legal_form
from longdoc.records.parties import find_parties
from longdoc.records.terms import (
    BEFORE_RENEWALS,
    find_caps,
    find_law,
    find_notice,
    find_renewal,
    find_term,
    renews_itself,
)
from longdoc.summary import on_one_line
from longdoc.titles import title_in

_THIS = re.compile(r"\b(?:This|THIS)\b")
_DOCUMENT = re.compile(
    r"(?i)\b(?:agreement|contract|amendment|addendum|lease|licen[cs]e|deed|guarant(?:y|ee)|plan|memorandum"
    r"|indenture|supplement|covenant)s?\b"
)
_HEADED = re.compile(
    r"([A-Z][A-Z\s&,/-]{3,80}\b(?:AGREEMENT|CONTRACT|AMENDMENT|LEASE|ADDENDUM|DEED))\b(?=[\s,(]{0,20}[\"“(a-z])"
)
_SPELLED = re.compile(
    r"(?:This|THIS)\s{1,20}((?:[\w&/,-]+\s{1,20}){1,9}?(?i:agreement|contract|amendment|lease|addendum))\b"
)
_SPELLED_OUT = re.compile(
    r"(?:This|THIS)\s{1,20}((?:[\w&/,-]+\s{1,20}){1,14}?(?i:agreement|contract|amendment|lease|addendum))(?=\s{0,20}(?:["
    r"(,“\"]|(?i:is|dated|made|entered|effective|between|by)\b))"
)
_SENTENCE = re.compile(r"(?i)\b(?:dated|shall|will|hereby|omitted|confidential|pursuant|herein|between)\b|\[\*")

_NUMBERED = re.compile(
    r"(?:\d{1,2}[.):]|\d{1,2}(?:\.\d{1,2}){1,3}[.):]?|§\s?\d\S*|(?i:article|clause|paragraph|section)\s+[\dIVXivx.]+:?)\s"
    r"|(?:\d{1,2}|(?:[A-Za-z]|[IVXivx]{1,4})[.)])\s.*[.:–—-]$"
)
"""A numbered heading, on the line of the text it heads: "1. Hosting Agreement." before "This Agreement is made"."""


def contract_record(document: Document, entities: Sequence[Entity] = (), spans: Sequence[Entity] = ()) -> Contract:
    """Makes the record of a contract.

    Args:
        document: the contract.
        entities: what a model found: ``PARTY``, ``DOCUMENT_NAME``, ``AGREEMENT_DATE``, ``EFFECTIVE_DATE``. They confirm
            and complete what the document's structure says.
        spans: clauses, labelled with CUAD's categories, such as ``Governing Law``; facts are looked for in them first.

    Raises:
        RecordError: the document is none that parties agree on; the message says what it seems to be.
    """
    require_type(document, "contract")
    parties, opening = find_parties(document, entities)
    agreed = agreement_date(document, opening, entities)
    effective = effective_date(document, opening, agreed, entities, spans)
    term = find_term(document, spans)
    end = expiration_date(document, agreed, effective, term, spans)
    if term and end and disagrees(term, effective, end):
        term, end = replace(term, check=True), replace(end, check=True)
    if end and renews_itself(document):
        end = replace(end, source=end.source + BEFORE_RENEWALS)
    return Contract(
        title=_title(document, opening, entities),
        parties=parties,
        agreement_date=agreed,
        effective_date=effective,
        expiration_date=end,
        governing_law=find_law(document, spans),
        term=term,
        renewal=find_renewal(document, spans),
        notice=find_notice(document, spans),
        caps=find_caps(document, spans),
    )


def _title(document: Document, opening: tuple[int, int] | None, entities: Iterable[Entity]) -> Answer | None:
    """The title right above the opening paragraph, else that of the document, where the text has it first."""
    text = document.text
    near = _near_title(text, opening, document.title) if opening else ""
    title = near or document.title
    match = _occurrence(text, title) if title else None
    if not match:
        return None
    start, end = match.span()
    if " " not in title and (longer := re.search(r"(?:\b[A-Z][A-Z&-]+\s{1,2})+$", text[max(0, start - 80) : start])):
        start -= len(longer[0])
    if more := re.compile(
        r"\s{1,20}(?:FIRST |SECOND |THIRD )?(?:AMENDMENT|ADDENDUM)\s(?:NO|NUMBER"
        r"|#)[.\s]*\w+",
        re.I,
    ).match(text, end):
        end = more.end()
    named = {re.sub(r"\W+", " ", e.text).casefold().strip() for e in entities if e.label == "DOCUMENT_NAME"}
    agrees = re.sub(r"\W+", " ", title).casefold().strip() in named
    sure = agrees or near.casefold() == document.title.casefold()
    source = ("above the opening" if near else "first page") + ", entity DOCUMENT_NAME" * agrees
    value = on_one_line(text[start:end])
    return cell(document, start, end, label="title", source=source, score=0.95 if sure else 0.8, value=value)


def _near_title(text: str, opening: tuple[int, int], known: str) -> str:
    """The title in the last lines above the opening paragraph, or at its start; empty if there is none."""
    this = [m.start() for m in _THIS.finditer(text, max(0, opening[0] - 1500), opening[0])]
    line = text.rfind("\n", 0, opening[0]) + 1
    end = this[-1] if this else line
    if not this and (headed := _HEADED.match(text, line, opening[0])):
        return on_one_line(headed[1])
    spelled = _SPELLED.match(text, end)
    lines = [part for part in text[max(0, end - 300) : end].split("\n") if part.strip()]
    greedy = _SPELLED_OUT.match(text, end)
    if (
        greedy
        and greedy[1].count(" ")
        and (own := _occurrence("\n".join(["", *lines]), greedy[1]))
        and own.string[own.start() - 1] == "\n"
    ):
        return on_one_line(own[0])
    for count in (1, 2, 3):
        near = title_in("\n".join(lines[-count:])) if lines else ""
        if not _DOCUMENT.search(near) or _SENTENCE.search(near) or near.startswith("(") or _NUMBERED.match(near):
            continue
        if (
            spelled
            and (own := _occurrence(near, spelled[1]))
            and own.end() == len(near)
            and _is_before_title(near[: own.start()], own[0])
        ):
            return on_one_line(own[0])
        listed = re.search(r"(?i)\bexhibit|\bschedule|\.{4}", lines[-count])
        near = re.split(r"\s[-–—]\s(?=.*\b(?:INC|LLC|LTD|CORP)\b)", near)[0]
        return known if listed or known.casefold().endswith(near.casefold()) else near
    return ""


def _is_before_title(before: str, title: str) -> bool:
    """Whether what stands before a title on its line is no part of it: a label, another heading, a company."""
    words = before.split()
    mixed = title.isupper() and any(word[0].isupper() and not word.isupper() for word in words)
    return bool(re.search(r"[/:”\"]", before)) or mixed or bool(words and has_legal_form(f"x {words[-1]}"))


def _occurrence(text: str, title: str) -> re.Match[str] | None:
    words = [re.escape(word) for word in title.split()]
    return re.search(r"\s+".join(words), text) or re.search(r"\W+".join(words), text, re.I)
