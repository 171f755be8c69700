"""Finds the title of a document in the lines at its top: ``"SUPPLY AGREEMENT"``, not the exhibit number above it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOP = 6000
_LONGEST = 160
_NAMES = (
    "addendum agreement amendment bylaws by-laws charter contract deed guarantee guaranty indenture lease licen[cs]e "
    "memorandum plan policy prospectus report supplement warranty"
)
_NAME = re.compile(
    rf"(?i)\b(?:(?:{'|'.join(_NAMES.split())})s?"
    r"|terms (?:and conditions|of use|of service)|(?:promissory|convertible) note|power of attorney"
    r"|discharge summary|certificate of \w+|articles of \w+|form (?:10-[kq]|20-f|8-k|s-\d))\b"
)
"""What a title calls the document."""
_OTHER_LINE = re.compile(
    r"(?i)(?:"
    r"(?:table of contents|contents|index|background|purpose|definitions|execution (?:copy|version)|recitals|whereas"
    r"|w\s?i\s?t\s?n\s?e\s?s\s?s\s?e\s?t\s?h|r e c i t a l s|(?:by and )?(?:between|among)|and|draft|final"
    r"|(?:assessment|impression|treatment)?\W*(?:and\b)?\W*plan"
    r"|(?!.*(?:amendm|addend|supplem))[a-z ]{0,40}(?:number|no\.)(?::? ?\d+|: ?(?-i:[A-Z\d /_-]{2,40}))?)\W*$"
    r"|(?:ex(?:hibit)?|schedule|annex|appendix|attachment)\.?(?=[\s\d]|$)(?!.*\bagreement)"
    r"|(?:article|section|part) [\divx]+\b|(?:quicklinks|source:|page \d|confidential|certain|united states|note:)"
    r"|\((?:the|this|hereinafter) [\"“]"
    r"|filed (?:with|pursuant|as|herewith)|securities and exchange|washington, d|agreed|(?:the )?parties|please"
    r"|pursuant|portions|pages where|redact|omitted|this\b|entire agreement|agreement accordingly"
    r"|[\divx]+\.?$|[a-z\d]{1,3}[.)]\s|\d+(?:\.\d+)+|\d+/\d+/\d+|[-_=*#.\s\d]+$"
    r"|.*(?:\[?\*{3}\]?|asterisk|commission\b|executed? (?:copy|version)|confidential treatment))"
)
"""A line at the top of a document that is not its title."""
_SENTENCE = re.compile(
    r"(?i)\b(?:is|are|was|were|shall|will|has|have|had|been|hereby|herein|which|pursuant|whereas|may|must|you|we)\b"
    r"|;\s|(?<!\bno)(?<!\binc)(?<!\bcorp)(?<!\bco)(?<!\bltd)\.\s+[^\W\d_]"
)
_ATTACHED_AS = re.compile(
    r"(?i)(?:ex(?:hibit)?|annex|appendix|schedule)\.?\s+(?:no\.?\s*)?[\w.()-]*\d[\w.()-]*[ \t:,.–—-]*"
    r"|exhibit\s+[a-z]\b[ \t:.–—-]*"
)
_ENDS = re.compile(
    r"(?i)\s+(?:(?:by and )?(?:between|among)\b|this\b|dated\b|made\b|entered\b|effective\b|table of contents\b|\(the\b"
    r"|(?:contract|agreement) no\b|\(this\b|[-_=*]{3}).*|[\s*_\-–—:,.]+$"
)
"""What follows a title on its line."""
_CONTINUES = re.compile(r"(?:and|of|for|to|with|in|on)\b|(?:to|of|for) the\b|relating to\b", re.IGNORECASE)
_UNFINISHED = re.compile(r"(?:\b(?:and|of|for|to|the|a|an|with|in|on|relating to)|[,&/-])$", re.IGNORECASE)
_SMALL_WORDS = {*"a an and as at by de for from in into n no of on or re the to with".split()}
_OPENING = re.compile(
    r"\b(?:This|THIS)\s+((?:[A-Z][\w&/'’.-]*,?\s+|(?:and|of|for|to|the|And|Of|For|To|The)\s+){0,9}?"
    r"(?:Agreement|AGREEMENT|Amendment|AMENDMENT|Contract|CONTRACT|Lease|LEASE|Addendum|ADDENDUM))\b"
    r"(?=\s*[(,\"“]|\s+(?:is|IS|dated|DATED|made|MADE|entered|effective|between|BETWEEN|by|sets|between)\b)"
)


def title_in(text: str) -> str:
    r"""The title at the top of a text: the first line that names a type of document, or the first that heads it all.

    Lines that a title is broken into are joined. Numbers of exhibits, notices and headings of parts are passed over.

    >>> title_in("Exhibit 10.1\nFiled with the Commission\nACME, INC.\nSUPPLY AGREEMENT\nThis Agreement is made")
    'SUPPLY AGREEMENT'
    """
    top = text[:_TOP]
    lines = [line for line in (" ".join(part.split()) for part in re.split(r"[\r\n\f\v]+|\s{3,}|\t", top)) if line]
    named = _named(lines)
    opening = _OPENING.search(top)
    spelled = " ".join(opening[1].split()) if opening else ""
    if spelled.count(" ") and (not named or not named.count(" ")):
        return spelled
    if named:
        return named
    plain = [line for line in lines if len(line) <= _LONGEST and not _OTHER_LINE.match(line)]
    capitals = [line for line in plain if re.fullmatch(r"[^\W\d_a-z][^\da-z]{5,}", line)]
    return next(iter([*capitals, *plain, *lines]), "")


def _named(lines: Sequence[str]) -> str:
    """The first title among the lines that names a type of document; empty if there is none."""
    for at, line in enumerate(lines):
        title = _cleaned(line)
        if not _is_title(title):
            continue
        if _CONTINUES.match(title) and at and _is_title(_cleaned(lines[at - 1]), named=False):
            title = f"{_cleaned(lines[at - 1])} {title}"
        following = at + 1
        while following < len(lines) and following <= at + 6:
            after = _cleaned(lines[following])
            joins = _UNFINISHED.search(title) or (_CONTINUES.match(lines[following]) and after.lower() != "and")
            if not joins or len(title) + len(after) > _LONGEST or not (_is_title(after, named=False)):
                break
            title, following = f"{title} {after}", following + 1
        return _UNFINISHED.sub("", title).strip()
    return ""


def _cleaned(line: str) -> str:
    """A line without the number of the exhibit before a title, and without what follows it."""
    attached = _ATTACHED_AS.match(line)
    line = line[attached.end() :] if attached else line
    return _ENDS.sub("", line).strip(" *_-–—\"“”'")


def _is_title(line: str, *, named: bool = True) -> bool:
    """Whether a line is written as a title is: in capitals, or with capital letters, and without a sentence.

    Args:
        line: the line.
        named: whether it must name a type of document, too.
    """
    if not 2 <= len(line) <= _LONGEST or _OTHER_LINE.match(line) or _SENTENCE.search(line):
        return False
    if named and not _NAME.search(line):
        return False
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", line) if word.lower() not in _SMALL_WORDS]
    return all(word[0].isupper() or len(word) == 1 or word.startswith("e-") for word in words) and (
        bool(words) or not named
    )
