"""Reads who the parties are where no opening paragraph says so: forms, tables, definitions and signature blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from longdoc.document import Document
from longdoc.records.names import has_legal_form, is_name, key, name_end, names_in
from longdoc.records.openings import Naming, Range, described, is_made_of
from longdoc.roles import is_role

_LABEL = re.compile(
    r"(?:^|(?<=[\n.;)])|(?<=  ))[ \t]{0,20}(?:\d{1,2}\.\s{0,20})?(?:(?:[Nn]ame of )?(?:[Tt]he )?)"
    r"(?P<label>(?i:party|part) ?(?:[A-D]|[1-4]|I{1,3})|(?:[A-Z]|(?<=[Tt]he )[a-z])[A-Za-z]+(?:(?:/| and/or "
    r"| or | )[A-Z][A-Za-z-]+){0,2})(?:['’]s)?(?: [Nn]ame)?"
    r"(?:\s?\([^()\n]{1,40}\))?\s?[:：]\s{0,20}(?:[Nn]ame\s?[:：]\s{0,20})?"
)
_LABELLED_IN = 8000
_NO_LABELS = frozenset(
    "the parties party services service sales marketing general individually collectively us your".split()
)
_MARK = re.compile(
    r"(?:\b(?:By|BY|Per|Signed|Signature|SIGNATURE)\s?:|\b(?:By|BY) _{3,}|/s/|\bBy /s|\bBY /s|\n[ \t]{0,80}[_-]{6,}"
    r"|\n[ \t]{0,80}By:?\s+(?=[A-Z]))"
)
_WITNESS = re.compile(
    r"(?i)in\s+witness\s+(?:whereof|thereof|hereof)|(?:duly )?executed (?:as of|by|this|on)|signature page"
    r"|very truly yours|sincerely"
    r"|accepted and agreed|agreed (?:to )?and accepted|acknowledged and agreed|signed (?:by|for and on behalf|for)"
)
_FIELD = re.compile(
    r"(?i)\b(?:name|title|date|its|print(?:ed)? name|capacity|by|position|dated|address|attention|attn"
    r"|email)\b\s?[.:]"
)
_ATTACHED = re.compile(
    r"\n[ \t]{0,80}(?:EXHIBIT|SCHEDULE|ANNEX|APPENDIX|ATTACHMENT|Exhibit|Schedule|Annex|Appendix|Attachment)\s[A-Z\d]"
)
_NOT_SIGNING = re.compile(
    r"(?i)\b(?:a|an|its|the|as)\s*$|\[\s?$|\bif\sto\s[\w\s]{1,30}:\s*$|\bc/o\s*$"
    r"|copy to:?\s*$|\blaw (?:firm|offices?)|attorneys? (?:at law|for)"
    r"|counsel (?:to|for)|notary|witness(?:es)?:?\s*$|(?<!behalf )\bof\s*$"
)
_NOT_AFTER = re.compile(
    r"(?i)[\s,]*(?:its|the|as|sole|a|an)?\s*(?:its|sole|general|managing)?\s*(?:general partner"
    r"|managing member|manager|member|trustee of)\b|\s*\(?(?:law firm|attorneys)"
)
_IN_CAPITALS = re.compile(
    r"\n[ \t]{0,20}(?P<line>[A-Z][A-Z&.'’-]+(?: [A-Z&][A-Z&.'’-]*){1,5})[ \t]{0,20}\n[ \t]{0,20}\Z"
)
_NO_NAME_LINE = re.compile(
    r"\b(?:BY|FOR|AS|TO|SIGNED|SEALED|EXECUTED|DELIVERED|AGREED|ACCEPTED|APPROVED|ACKNOWLEDGED|WITNESS(?:ED)?|SIGNATURES?"
    r"|PAGE|DATE|NAME|TITLE|AGREEMENT|PART(?:Y|IES)|UNDERSIGNED|EXHIBIT|SCHEDULE|APPENDIX|OFFICER|PRESIDENT|DIRECTOR)\b"
)
_FOR = re.compile(r"(?i)(?:(?:signed|executed|agreed|accepted)\s+)?(?:for|by)(?: and on behalf of)?[ :]\s*(?=[A-Z])")
"""Before the name of one that signs."""
_BEHALF = re.compile(r"(?i)\b(?:for and )?on behalf of:?\s+(?=[A-Z0-9])(?!the\b)")
_HAS_ROLE = re.compile(r"[^()“”\"\n;]{0,220}(?:\([^()]{0,60}[“\"]|,? ?herein(?:after)?\b[^()“”\"\n.;]{0,40}[“\"])")
_PART_OF = re.compile(
    r"(?i)\b(?:d/b/a|doing business as|(?:division|subsidiary|affiliate|branch|unit|department|parent) of"
    r"|(?:owned|insured|issued|published|manufactured|administered) by|rules of|with|an?)\s(?:the\s)?$"
)
"""What stands before a name that is not that of the party."""
_OFFICIAL = re.compile(
    r"(?:Securities and Exchange Commission|Federal (?:Deposit Insurance|Reserve|Home Loan|Trade|Communications)"
    r"|Financial Industry Regulatory|National Association of Securities|Savings Association Insurance"
    r"|Office of (?:Thrift|the Comptroller)|Internal Revenue|New York Stock Exchange|NASDAQ|Nasdaq"
    r"|Food and Drug Administration|American Arbitration|Depository Trust"
    r"|United States (?:Department|Patent|Securities))\b"
)
"""Authorities and exchanges, which contracts name with a short form, too."""
_DEFINED = re.compile(
    r"[“\"]([A-Z][\w &-]{1,40})[”\"][^.;:“”\"\n]{0,40}?\s(?:shall\s)?(?:means?|refers?\sto|is)\s(?:the\s)?"
    r"(?=[A-Z0-9])"
)


def labelled_namings(document: Document) -> list[Naming]:
    """The parties of a form, ``Distributor: Acme Ltd.``, or of a table with their roles in one column."""
    text = document.text
    labels = [match for match in _LABEL.finditer(text, 0, _LABELLED_IN) if _is_role_label(match["label"])]
    places = [(match.span("label"), match.end()) for match in labels]
    for table in document.tables:
        cells = {(cell.row, cell.column): cell for cell in table.cells}
        for (row, column), cell in cells.items():
            after = cells.get((row, column + 1))
            if after and table.start < _LABELLED_IN and _is_role_label(cell.text.strip(" :\n")):
                places.append(((cell.start, cell.end), after.start))
    found, places = [], sorted(places)
    for (role, at), following in zip(places, [*(r[0] for r, _ in places[1:]), len(text)], strict=False):
        end = name_end(text, at)
        if at < end and is_name(text[at:end]) and text[end : end + 1] not in (":", "."):
            tail = min(max(following, end), end + 600)
            found.append(replace(described(text, (at, end), tail, "form"), role=_trimmed_label(text, role)))
    return found


def _trimmed_label(text: str, role: Range) -> Range:
    label = text[slice(*role)]
    return role[0], role[0] + len(label.rstrip(" :\n"))


def _is_role_label(label: str) -> bool:
    if re.fullmatch(r"(?i)(?:the )?party ?(?:[a-d]|[1-4]|i{1,3})", label):
        return True
    return (
        bool(re.search(r"\w", label)) and is_role(label.replace("End-User", "user")) and label.lower() not in _NO_LABELS
    )


def signature_namings(text: str) -> list[Naming]:
    """The names above the signatures, in order."""
    start = _signatures_start(text)
    if start is None:
        return []
    attached = _ATTACHED.search(text, start + 200)
    limit = min(len(text), attached.start() if attached else len(text), start + 12_000)
    found: dict[str, Naming] = {}
    for at, end in names_in(text, start, limit):
        prefix = _FOR.match(text, at, end)
        is_prefixed = prefix and is_name(text[prefix.end() : end]) and text.count(text[at:end]) == 1
        begin = prefix.end() if prefix and is_prefixed else _with_line_before(text, at, end)
        before, after = text[max(0, begin - 40) : begin], text[end : end + 80]
        if _NOT_SIGNING.search(before) or _NOT_AFTER.match(after) or not _signs(text, begin, end, limit):
            continue
        found.setdefault(key(text[begin:end]), described(text, (begin, end), end, "signature block"))
    for match in _BEHALF.finditer(text, start, limit):
        end = name_end(text, match.end())
        if is_name(text[match.end() : end]) and _MARK.search(text, end, min(limit, end + 150)):
            found.setdefault(key(text[match.end() : end]), described(text, (match.end(), end), end, "signature block"))
    return sorted(found.values(), key=lambda naming: naming.name)


def _with_line_before(text: str, begin: int, end: int) -> int:
    """Where a name in capitals starts: a line earlier, if it is broken after words that are no role or heading."""
    above = _IN_CAPITALS.search(text, max(0, begin - 80), begin)
    if not above or not text[begin : begin + 2].isupper():
        return begin
    words = above["line"]
    other = is_role(words) or has_legal_form(f"x {words}") or _WITNESS.search(words) or _NO_NAME_LINE.search(words)
    named = re.search(rf"[“\"](?:the\s)?{re.escape(words)}[”\"]", text, re.IGNORECASE)
    return begin if other or named or not is_name(f"{words} {text[begin:end]}") else above.start("line")


def _signatures_start(text: str) -> int | None:
    """Where the signatures of the contract start: at the words that announce them, else at the first ``By:``."""
    marks = [match.start() for match in _MARK.finditer(text, len(text) // 50)]
    announced = [match.start() for match in _WITNESS.finditer(text)]
    for at in announced:
        if any(at < mark < at + 2500 for mark in marks):
            return at
    return max(0, marks[0] - 300) if marks else None


def _signs(text: str, begin: int, end: int, limit: int) -> bool:
    """Whether a signature, or the fields of one, come right after a name."""
    mark = _MARK.search(text, end, min(limit, end + 250)) or _FIELD.search(text, end, min(limit, end + 60))
    line_start = text.rfind("\n", 0, begin) + 1
    before = text[line_start:begin].strip()
    sentence = len(before) > 60 and not _FIELD.search(before)
    return bool(mark) and not sentence


def signing_people(text: str) -> list[Naming]:
    """The people who sign for themselves: a name under a line, without a title or a company above it."""
    start = _signatures_start(text)
    if start is None:
        return []
    found: dict[str, Naming] = {}
    attached = _ATTACHED.search(text, start + 200, start + 6000)
    signed = text[start : attached.start() if attached else start + 6000]
    for match in re.finditer(r"(?:/s/ ?[^\n]{3,40}|_{6,})\s*\n\s*(?=[A-Z])", signed):
        at = start + match.end()
        end = name_end(text, at)
        rest = text[end : end + 40]
        if (
            1 <= text[at:end].count(" ") <= 3
            and is_name(text[at:end])
            and not re.match(r"\s*(?:[(#:]|_{3})", rest)  # a form to fill in
            and not re.match(r"\s*,?\s*(?:title|its|president|chief|vice|director|manager|ceo)", rest, re.I)
            and not re.search(r"(?i)\bby:?\s*$", text[max(at - len(match[0]) - 6, 0) : at - len(match[0])])
            and "By" not in match[0]
        ):
            found.setdefault(key(text[at:end]), described(text, (at, end), end, "signature block"))
    return list(found.values())


def defined_namings(document: Document) -> list[Naming]:
    """The parties that definitions name: ``"Company" means Acme Inc.``, or a name with a role in brackets after it."""
    text, found = document.text, []
    for definition in document.definitions:
        if definition.start > 15_000 or not is_role(definition.term):
            continue
        match = _DEFINED.match(text, definition.start)
        if match and (end := name_end(text, match.end())) > match.end() and is_name(text[match.end() : end]):
            naming = described(text, (match.end(), end), end, "definition")
            found.append(replace(naming, role=match.span(1)))
    return list(_names_with_roles(text)) or found


def _suits(role: str, name: str) -> bool:
    return is_role(role) or is_made_of(role, name)


def _names_with_roles(text: str) -> Iterator[Naming]:
    at = 0
    roles: set[str] = set()
    for first in re.finditer(r"(?<![\w&.'’-])[A-Z0-9][\w&.'’-]*", text[:8000]):
        if first.start() < at:
            continue
        end = name_end(text, first.start())
        if _PART_OF.search(text, max(0, first.start() - 40), first.start()) or _OFFICIAL.match(text, first.start()):
            at = end
            continue
        if end > first.start() and is_name(text[first.start() : end]) and _HAS_ROLE.match(text, end):
            naming = described(text, (first.start(), end), min(len(text), end + 250), "definition")
            role = key(text[slice(*naming.role)]) if naming.role else ""
            person = (
                not naming.full
                and 1 <= text[slice(*naming.name)].count(" ") <= 3
                and re.match(r"\s?\((?:the )?[“\"]", text[end : end + 8])
            )
            if role and (
                (naming.full and _suits(text[slice(*naming.role or naming.name)], text[slice(*naming.name)]))
                or (person and is_role(role) and role not in roles)
            ):
                roles.add(role)
                yield naming
                at = end
