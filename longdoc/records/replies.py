"""Questions that the record of a contract answers: "When does this agreement end?", "Who is the Distributor?".

>>> from longdoc.document import Document
>>> from longdoc.sections import add_structure
>>> text = '''LEASE AGREEMENT
...
... This Lease Agreement is made on June 9, 2004 by and between Ada Ltd., a Delaware company (the "Landlord"), and
... Bea Inc., an Ohio corporation (the "Tenant"). The parties agree as follows.
...
... 1. Rent. The Tenant shall pay ten dollars a month.
...
... 2. Law. This Agreement is governed by the laws of the State of Ohio.'''
>>> replies = Replies(add_structure(Document.from_text(text)))
>>> [(answer.text, answer.source) for answer in replies.to("Which law governs this lease?")]
[('Ohio', 'record governing_law')]
>>> [answer.text for answer in replies.to("Who is the tenant?")]
['Bea Inc.']
>>> replies.to("How much is the rent?")
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from longdoc.document import Document
from longdoc.document_type import document_type
from longdoc.findings import place
from longdoc.labels import Answer
from longdoc.lexical import terms
from longdoc.record_types import Contract, Party
from longdoc.records.contract import contract_record
from longdoc.records.terms import BEFORE_RENEWALS, renews_itself

LONGEST = 600
"""Characters of a passage that names all parties; of longer ones each party is an answer of its own."""

_IT = r"(?:it|this|(?:the|this|our) (?:\w+ )?(?:agreement|amendment|contract|deal|document|lease|license))"
_DAY = r"(?:what|which) (?:date|day)"
_TERM = rf"(?:{_IT}|the (?:(?:initial|first|original) )?(?:term|period)(?: of {_IT})?)"
_LAW = r"(?:which|what|whose)(?: (?:state|country|jurisdiction)(?: or \w+)?(?:['’]s|s['’])?)? laws?"
_CELLS = {
    "title": (
        rf"what is the (?:title|name) of {_IT}|what is {_IT} called"
        r"|what (?:kind|sort|type) of (?:agreement|contract|document) is (?:this|it)"
        r"|(?:what is )?(?:the )?(?:document )?title"
    ),
    "parties": (
        rf"who are the (?:contracting )?parties(?: (?:to|of|in) {_IT})?|(?:names of )?(?:the )?(?:contracting )?parties"
        rf"|(?:who|which (?:companies|parties|people|persons)(?: or \w+)?) (?:have |has )?(?:signed|sign|made|concluded"
        rf"|enter(?:ed)? into|are (?:the )?parties (?:to|of)|(?:is|are) bound by) {_IT}"
        rf"|(?:who|which (?:companies|parties)) is {_IT} between"
        rf"|between (?:whom|which (?:companies|parties)) (?:is|was) {_IT}(?: (?:concluded|made|signed|entered into))?"
    ),
    "agreement_date": (
        rf"(?:what is )?the date of {_IT}|agreement date|date of (?:the )?(?:agreement|contract)"
        rf"|(?:when|on {_DAY}) (?:is|was) {_IT} (?:concluded|dated|entered into|executed|made|signed)"
        r"(?: or (?:concluded|made|signed))?"
    ),
    "effective_date": (
        rf"when (?:does|did) {_IT} (?:become effective|begin|come into (?:effect|force)|commence|enter into force|start"
        r"|take effect)"
        rf"|(?:from|since) (?:when|{_DAY}) (?:does|is) {_IT} (?:apply|effective|in force|run|valid)"
        rf"|(?:what is )?(?:the )?(?:commencement|effective|start) date(?: of {_IT})?"
    ),
    "expiration_date": (
        rf"when (?:does|will) {_TERM} (?:end|expire|lapse|run out|terminate)"
        rf"|until when (?:does|is) {_IT} (?:apply|effective|in force|last|run|valid)"
        rf"|(?:what is )?(?:the )?(?:end|expiration|expiry) date(?: of {_IT})?"
    ),
    "governing_law": (
        rf"{_LAW} (?:govern|control|cover)s?(?: {_IT})?|{_LAW} appl(?:y|ies)(?: to {_IT})?"
        rf"|(?:by|under) {_LAW} is {_IT} (?:construed|governed|interpreted)"
        rf"|(?:what is )?(?:the )?(?:applicable|governing) law(?: of {_IT})?"
    ),
    "term": (
        rf"(?:for )?how long (?:does {_IT} (?:apply|last|run)|is {_IT}(?: (?:in force|valid))?"
        rf"|is the (?:\w+ )?term(?: of {_IT})?)"
        rf"|(?:what is )?(?:the )?(?:(?:initial|first) )?(?:duration|length|term)(?: of {_IT})?"
    ),
    "renewal": rf"for how long (?:can|is|will) {_IT} (?:be )?(?:automatically )?(?:extended|renewed)",
}
"""Cell of the record → the questions that it answers, without the question mark."""
_INSTEAD = {"expiration_date": ("term",)}
"""What answers in place of a cell that is not there."""
_OTHERS = re.compile(r"\b(?:the|our) (license|lease)\b|\b(?:the|this|our) (\w+) (?:agreement|contract|lease|license)\b")
"""What names this contract only if its title has the word: "the employment agreement"."""
_ROLE = re.compile(r"(?:who|(?:which|what) (?:company|firm|party|person)) is (?:the )?(?P<role>.+)")


@dataclass(frozen=True)
class Replies:
    """The answers that the record of a document gives; none if the document is no contract."""

    document: Document

    @cached_property
    def _record(self) -> Contract:
        return contract_record(self.document) if document_type(self.document).kind == "contract" else Contract()

    def to(self, question: str) -> list[Answer]:
        """The answers to a question, in the order of the text; empty if the record has none."""
        asked = re.sub(r"\b(what|who|when)['’]s\b", r"\1 is", " ".join(question.casefold().split())).rstrip(" ?.!:")
        name = next((name for name, pattern in _CELLS.items() if re.fullmatch(pattern, asked)), None)
        if name is not None and self._is_about_another(asked):
            return []
        if name == "parties":
            return self._parties(question)
        if name is not None:
            found = ((each, getattr(self._record, each)) for each in (name, *_INSTEAD.get(name, ())))
            said = [_reply(one, each, question) for each, one in found if one is not None and one.start < one.end][:1]
            is_first = name in ("expiration_date", "term") and said and renews_itself(self.document)
            return [replace(each, source=each.source + BEFORE_RENEWALS * bool(is_first)) for each in said]
        role = _ROLE.fullmatch(asked)
        named = [party for party in self._record.parties if role["role"] in _terms(party)] if role else []
        return [_reply(party.name, "parties", question) for party in named]

    def _is_about_another(self, asked: str) -> bool:
        """Whether a question names a kind of contract that is not in the title of this one."""
        title = terms(self._record.title.text) if self._record.title else []
        named = (word for match in _OTHERS.finditer(asked) for word in match.groups() if word)
        return any(term not in title for word in named for term in terms(word))

    def _parties(self, question: str) -> list[Answer]:
        names = [party.name for party in self._record.parties]
        if not names:
            return []
        start, end = min(name.start for name in names), max(name.end for name in names)
        if end - start > LONGEST:
            return [_reply(name, "parties", question) for name in names]
        whole = replace(
            min(names, key=lambda name: name.score),
            **place(self.document, start, end),
            check=any(name.check for name in names),
            value="; ".join(str(name.value) for name in names),
        )
        return [_reply(whole, "parties", question)]


def _reply(found: Answer, name: str, question: str) -> Answer:
    return replace(found, question=question, label=None, source=f"record {name}")


def _terms(party: Party) -> Iterator[str]:
    for answer in (party.role, *party.aliases):
        if answer is not None:
            yield re.sub(r"^(?:the|a|an) ", "", answer.text.casefold().strip(" \"'“”‘’"))
