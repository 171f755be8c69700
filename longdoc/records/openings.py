"""Reads who the parties are from the opening of a contract: "by and between A, a Delaware corporation ("A"), and B"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from longdoc.records.blanks import blank_name, blank_value
from longdoc.records.names import has_legal_form, is_name, name_end
from longdoc.roles import is_role

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Naming:
    """A place that names a party; all ranges are half-open, in characters of the text."""

    name: Range
    source: str
    role: Range | None = None
    kind: Range | None = None
    jurisdiction: Range | None = None
    aliases: tuple[Range, ...] = ()
    tail: Range = (0, 0)
    """What the text says about the party after its name."""
    full: bool = False
    """Whether the name has a legal form."""

    @property
    def weight(self) -> int:
        """How much the text says about the party: a role, a kind of entity, a legal form."""
        said = 2 * (self.role is not None) + (self.kind is not None) + self.full
        return said or -1


TOP = 20_000
"""Characters in which the opening is looked for: covers and tables of contents may come first."""
_ANCHOR = re.compile(
    r"(?i)\b(?:ladies\s(?:and|&)\s)?gentlem[ea]n\s?:\s*|\bdear\s(?:sirs?|madam)[\w\s/]{0,20}[:,]\s*"
    r"|\b(?:between(?: and among)?|among|amongst|by and among|by and between)\b[\s:]*"
    r"(?:the (?:following )?(?:undersigned )?parties\b[\s:,]*|and\b\s*)?"
    r"|(?<=\n)(?:the )?(?:contracting )?parties\b(?: to this [\w ]{3,30})?:?\s*\n"
    r"|\b(?:entered into|made|executed)(?: as of [^.;()]{6,40}?,?)? by:?\s+(?!and\b|between\b)"
    r"|\bparties (?:to this agreement )?(?:are|hereto)\b[\s:]*"
    r"|(?<=\n)(?=(?-i:[A-Z])[^\n(]{1,80}?,\san?\s[^\n()]{0,80}\b(?:corporation|company|partnership)\b)"
)
_OF_ANOTHER = re.compile(
    r"(?i)(?:\bthat\s+certain\b|\bwhereas\b|\bpursuant\s+to\b|\bmeans\b|\bparties\s+to\s+an?\b|\bunder\s+the\b)[^.;]{0,250}$"
)
"""What says, before an anchor, that another contract's parties follow."""
_FILLER = re.compile(
    r"(?i)[\s,;:.\-–—_*&]*(?:(?:and|both|either|each of)\b[\s,;:]*)*"
    r"(?:\(?(?:\d{1,2}|[ivx]{1,4}|[a-e])[.)]\)?\s*)?"
    r"(?:(?:and|on (?:the )?(?:one|other) (?:hand|part|side)|of the (?:first|second|third|other|one) part"
    r"|the (?:undersigned|individuals?"
    r"|following(?: parties)?|firms?|companies)|party [a-d]|parties|mr\.?|ms\.?|mrs\.?|messrs\.?|m/s\.?|its "
    r"(?:wholly[ -]owned )?(?:subsidiary|affiliate)|(?-i:the))\b(?!\.com)[\s,;:.]*|\((?-i:[A-Z])[a-z]+\)\s)*"
)
_LIST_MARK = re.compile(r"\(?(?:\d{1,2}|[ivx]{1,4}|[a-e])[.)]\)?\s*", re.I)
_STOP = re.compile(
    r"\b(?i:whereas|w\s?i\s?t\s?n\s?e\s?s\s?s\s?e\s?t\s?h|recitals?:?\n|r e c i t a l s|now,? therefore"
    r"|background:?\n|preliminary statement"
    r"|agree as follows|hereby agree|introduction\n|table of contents|premises\n|(?:the )?part(?:y|ies) "
    r"(?:agree|hereby|desire|wish|acknowledge))"
    r"|\b(?:This|THIS)\s[\w\s&/-]{0,80}?(?i:agreement|amendment|contract|addendum|lease)\b"
    r"|\b[Tt]hat certain\s[^.;()]{3,120}?\b(?:between|among|BETWEEN|AMONG)\b"
    r"|\n(?:ARTICLE|Article|SECTION|Section)\b|\n1\.?\d?\.?\s|\n1\.(?=[A-Z])|\bRECITALS\b|\bBACKGROUND\b|\n[A-B]\.\s"
)
_CONFIRMS = r"\bconfirms?\b,?\s+(?:[a-z]+,?\s+){0,4}?(?:its|their|our|the)\s+(?:\w+\s+)?agreement\s+with\s+"
"""Between the two sides of a contract that is a letter."""
_AND = re.compile(
    rf"{_CONFIRMS}|"
    r"(?:[,;)]?\s*(?:\b(?i:and)\b|(?<=[\s,;)])&(?=\s))|;|\n)[\s,;]*|,\s+(?=[A-Z0-9\[_*●])|\s+(?=\(?(?:\d|ii?i?"
    r"|[b-e])\)\s)|(?<=\))\s+(?=[A-Z])"
)
_BRACKETED = re.compile(r"[(\[]((?:[^()\[\]]|\([^()]{0,60}\)){1,400})[)\]]")
_COLLECTIVE = re.compile(
    r"(?i)\b(?:each|together|collectively|individually|jointly)\b[^()]*[“\"](?:the\s)?part(?:y|ies)[,.]?[”\"]"
)
"""What follows the last party."""
_QUOTED = re.compile(r"[“\"„'‘’]{1,2}\s?([^“”\"„‘’\n]{1,70}?)[,.;]?\s?[”\"’'“]{1,2}")
_NO_ROLE = re.compile(
    r"(?i)(?:.*\b(?:agreement|contract|date|party|parties|amendment|lease|term|closing|act|products?"
    r"|territory|property|site|effective|herein|hereto)\b)|affiliates?$"
)
_UNQUOTED = re.compile(
    r"(?i)(?:herein(?:after)?|hereafter)[\s,]+(?:collectively[\s,]+|individually[\s,]+)?(?:(?:referred to"
    r"|called|known|designated)[\s,]*(?:as|to as)?[\s,]*)?(?:the )?"
    r"[“\"'‘]?(?-i:([A-Z][\w&-]*(?: [A-Z][\w&-]*){0,4}))"
)
_AS_ROLE = re.compile(r",? (?:as|the) (?:the )?([A-Z][a-z]+(?: [A-Z][a-z]+)?)\b(?! of)")
_KIND_WORDS = (
    r"corporations?|company|companies|partnership|trust|association|individual|foundation|university"
    r"|cooperative|society|bank|institute|institution"
    r"|organi[sz]ation|sole proprietor(?:ship)?|agency|municipality|political subdivision|fund|joint venture"
    r"|body corporate|natural person|resident|citizen"
    r"|agency|l\.?l\.?c\.?|gmbh|s\.?a\.?|l\.?p\.?|entity|municipal corporation|firm|subsidiary|operation|venture"
)
_KIND = re.compile(
    rf"[\s,(]*(?:which is |is |being )?(?<![/\w])(?:an?|the|A|AN)\s+((?:(?!(?i:with|having|whose|and"
    rf"|between)\b)[\w.’'&/-]+,?[\s]+){{0,9}}?)((?i:(?:(?:limited[ -]liability|limited|general|public|private"
    rf"|joint[ -]stock"
    r"|statutory|business|banking|national|exempted?|professional|mutual|stock|non-?profit|not-for-?profit"
    r"|not-for-profit|closed-end|registered|massachusetts business|publicly held|publicly traded)[\s-]+)*"
    rf"(?:(?:{_KIND_WORDS})\b(?: limited by shares| by shares)?)))"
)
_LAWS = re.compile(
    r"(?i)\b(?:laws? of|incorporated (?:in|under the laws of)|(?:organi[sz]ed|existing|registered|formed"
    r"|established|domiciled) in|corporation of|under)\s+(?:the\s+)?(?:laws of\s+(?:the\s+)?)?"
    r"(?:(?:state|commonwealth|republic|province|kingdom|country|federal republic|grand duchy|laws)\s+of\s+"
    r"(?:the\s+)?)?((?-i:[A-Z][\w.’']*(?:(?:\s|,\s|\sand\s|\sof\s)[A-Z][\w’']*){0,4}))"
)
_DESCRIBED = re.compile(
    r"(?i)[\s,]*(?:\(|\[|[,\s]*an?\s+(?:[\w.’'-]+,?\s+){0,9}?(?:corporation|company|partnership|trust"
    r"|association|individual|bank|foundation|university|limited|l\.?l\.?c|resident|entity|organi[sz]ation|firm)\b"
    r"|with (?:its|an?|offices|principal|registered|address|business)|having (?:its|an?|offices|principal"
    r"|place)|whose|located|residing|"
    r"incorporated|organi[sz]ed|duly|an? individual|d/b/a|doing business|formerly|acting|hereinafter|herein"
    r"|on behalf|through its"
    r"|of \d|a/k/a|together with|as (?:trustee|agent|licensor|licensee|seller|buyer|borrower|lender|guarantor"
    r"|issuer|purchaser|tenant|landlord)|is an?\b|having)"
)
_FORMER = re.compile(
    r"(?i)\b(?:formerly(?: known as)?|f/?k/?a/?|(?:also|now) known as|a/?k/?a/?|d/?b/?a/?|doing business as"
    r"|trading as|t/a)\.?[\s,:“\"]+"
)
_SAYS = re.compile(
    r"(?i)\b(?:hereby|agrees?|agreed|shall|will|covers|sets?\sforth|with\srespect\sto|relating\sto|for\sthe\s(?:purposes?"
    r"|provision|sale|purchase|supply)|such\sshares)\b"
)
"""Where a paragraph goes on from who the parties are to what they agree on."""
_WITHIN = re.compile(
    r"(?i)\b(?:division|subsidiary|affiliate|unit|part|branch) of(?: [\w&]+,?){1,4}$"
    r"|\b(?:listed|quoted|traded) (?:on|in) [^;()]{1,120}$"
)
_ROLE_BEFORE = re.compile(r"\((?:the )?([A-Z][a-z]+)\)\s$")
_ACTS_FOR = re.compile(
    r"(?i),?\s(?:(?:the|a|an|as|sole|managing|its)\s)*(?:director|president|owner|manager|representative|proprietor|ceo|member)"
    r"(?:\sand\s\w+)?\sof\s(?=[A-Z])"
)
"""A person who acts for the party that is named next."""
_SERVED = re.compile(
    r"\b(?:(?i:(?:for|furnishing|providing)(?: the)?(?: personal)? services of)|f/s/o|F/S/O|agent for"
    r"|on behalf of)\s(?=[A-Z])"
)
"""What stands before the person, or the company, that a party acts for."""


def opening_namings(text: str) -> list[Naming]:
    """The parties as the opening paragraph names them, or the cover page, whichever says more.

    Of several passages that name parties, such as the cover, the opening and a recital, the one that says most about
    two or more parties is taken; of equals, the first.
    """
    best: list[Naming] = []
    best_value = -5.0
    for match in _ANCHOR.finditer(text, 0, TOP):
        found = list(_series(text, match.end()))
        of_another = _OF_ANOTHER.search(text, max(0, match.start() - 300), match.start())
        if match.start() == match.end() and not (len(found) > 1 and all(naming.role for naming in found)):
            continue  # a paragraph that only starts with a name
        value = _value(found) - match.start() / 5000 - 6 * bool(of_another)
        if value > best_value:
            best, best_value = found, value
    return best


def _value(found: list[Naming]) -> float:
    """How much a passage says about the parties."""
    if not any(naming.full or naming.kind for naming in found) and sum(n.role is not None for n in found) < 2:
        return -9.0
    said = sum(naming.weight if naming.role or naming.kind else 0.5 * naming.weight for naming in found)
    return float(said if len(found) > 1 else 0.6 * said)


def _series(text: str, at: int) -> Iterator[Naming]:
    """The parties named one after another from an offset on."""
    limit = min(len(text), at + 6000)
    stop = _STOP.search(text, at, limit)
    limit = stop.start() if stop else limit
    name: Range | None = _named_at(text, at, limit)
    while name:
        person = name
        if (acts := _ACTS_FOR.match(text, name[1], limit)) and (last := name_end(text, acts.end())) > acts.end():
            name = acts.end(), last
        following = _next(text, name[1], limit)
        tail_end = following[0] if following else min(limit, _tail_limit(text, name[1], limit))
        naming, *served = _with_served(text, name, tail_end)
        before = _ROLE_BEFORE.search(text, max(0, person[0] - 40), person[0])
        if naming.role is None and before and is_role(before[1]):
            naming = replace(naming, role=before.span(1))
        if person != name:
            naming = replace(naming, aliases=(*naming.aliases, person))
        if naming.role or naming.kind or not blank_value(text[slice(*name)]):
            yield from (naming, *served)
        name = following[1] if following else None


def _named_at(text: str, at: int, limit: int) -> Range | None:
    """The name that follows an offset, or the blank in its place."""
    if blank := blank_name(text, at, limit):
        return blank
    filler = _FILLER.match(text, at, limit)
    start = filler.end() if filler else at
    end = min(name_end(text, start), limit)
    return (start, end) if start < end and is_name(text[start:end]) else None


def _with_served(text: str, name: Range, tail_end: int) -> Iterator[Naming]:
    """A party, and the one that it acts for: ``Wade LLC ("Company"), f/s/o Dan Wade ("Athlete")``."""
    source = "opening paragraph"
    for match in _SERVED.finditer(text, name[1], tail_end):
        end = name_end(text, match.end())
        own_role = next(_terms(text, name, (name[1], match.start())), None)
        if own_role and is_name(text[match.end() : end]) and re.match(r"\s?\((?:the )?[“\"]", text[end : end + 8]):
            yield described(text, name, match.start(), source)
            yield described(text, (match.end(), end), tail_end, source)
            return
    yield described(text, name, tail_end, source)


def _tail_limit(text: str, at: int, limit: int) -> int:
    """Where the description of the last party ends: with its paragraph, at most."""
    line, verb = text.find("\n\n", at, limit), _SAYS.search(text, at, limit)
    return min(limit, at + 900, *(each for each in (line, verb.start() if verb else -1) if each >= 0))


def _next(text: str, at: int, limit: int) -> tuple[int, Range] | None:
    """Where the description of a party ends, and the name of the next one."""
    begin, brackets = at, [(m.start(), m.end()) for m in _BRACKETED.finditer(text, at, limit)]
    limit = min(limit, at + 1500)
    for mark in _AND.finditer(text, at, limit):
        if any(b <= mark.start() and _COLLECTIVE.search(text, a, b) for a, b in brackets):
            return None
        inside = any(a < mark.start() < b - 1 for a, b in brackets)
        name = None if inside else _named_at(text, mark.end(), limit)
        if not name:
            continue
        numbered = bool(_LIST_MARK.search(text[mark.end() : name[0]]))
        if _follows(text, begin, mark, name, numbered=numbered):
            return mark.start() + (text[mark.start()] == ")"), name
        if _closed_sentence(text, at, name[0]):
            return None
    return None


def _closed_sentence(text: str, at: int, start: int) -> bool:
    """Whether the sentence that names the parties ends before an offset."""
    return bool(
        re.search(r"[)”\"]\.\s+[A-Z]|\b[a-z]{3,}\.\s+[A-Z]|\)\.?\s+(?:The|This|In|Each|It|For)\b", text[at:start])
    )


def _follows(text: str, begin: int, mark: re.Match[str], name: Range, *, numbered: bool) -> bool:
    """Whether a name after a mark such as "and" is the next party, rather than a part of an address."""
    start, end = name
    between, full = text[begin : mark.start()], has_legal_form(text[start:end])
    described_ = bool(_DESCRIBED.match(text, end))
    if _closed_sentence(text, begin, start) or _WITHIN.search(between):
        return False
    if blank_value(text[start:end]):
        return True
    word = mark[0].strip(" ,;\n)").lower()
    if word.startswith("confirm"):
        return full or described_
    if word in ("and", "&"):
        if re.search(
            r"(?i)\b(?:affiliates?|subsidiar\w+|successors?|assigns?|parent|between|laws of \w+)\s*$", between
        ):
            return full and described_
        closed = bool(re.search(r"[)”\"]", between)) or not between.strip(" ,")
        if not full and not closed and " " not in text[start:end]:
            return bool(_KIND.match(text, end))  # "Berlin and Munich" of an address
        return (
            full
            or described_
            or closed
            or (text[start:end].count(" ") in (1, 2) and bool(re.match(r"\s*[.,(\n]", text[end : end + 3])))
        )
    if numbered:
        return True
    if ";" in mark[0]:
        return full or described_
    if "\n" in mark[0]:
        return full and (described_ or bool(re.match(r"[\s,]*(?:\n|and\b)", text[end : end + 8])))
    return full and (described_ or bool(re.match(r"\s*(?:,|and\b|\n|\()", text[end : end + 5])))


def described(text: str, name: Range, tail_end: int, source: str) -> Naming:
    """A party with what the text says about it between its name and an offset."""
    tail = (name[1], tail_end)
    terms = list(_terms(text, name, tail))
    former = [
        (match.end(), stop)
        for match in _FORMER.finditer(text, *tail)
        if (stop := name_end(text, match.end())) > match.end() and is_name(text[match.end() : stop])
    ]
    kind, place = _kind(text, tail)
    role, aliases = (terms[0] if terms else None), terms[1:]
    return Naming(
        name,
        source,
        role,
        kind,
        place,
        (*former, *aliases),
        tail,
        has_legal_form(text[slice(*name)]),
    )


def _terms(text: str, name: Range, tail: Range) -> Iterator[Range]:
    """The terms that stand for a party, as defined after its name."""
    found = False
    for bracket in _BRACKETED.finditer(text, *tail):
        quoted = [m.span(1) for m in _QUOTED.finditer(text, *bracket.span())]
        plain = re.fullmatch(
            r"\(?(?:hereinafter |herein )?(?:the )?([A-Z][\w&-]*(?: [A-Z][\w&-]*){0,2})\s?\)?", bracket[0]
        )
        if (
            not quoted
            and plain
            and (is_role(plain[1]) or (plain[1].isupper() and _stands_for(plain[1], text[slice(*name)])))
            and not re.match(r"(?i)pty|publ|uk|us", plain[1])
        ):
            quoted = [(bracket.start() + plain.start(1), bracket.start() + plain.end(1))]
        for start, end in quoted:
            before = text[max(bracket.start(), start - 60) : start]
            if (
                end - start > 1
                and not _NO_ROLE.match(text[start:end])
                and not re.search(r"(?i)collectively|jointly|\band,? together with", before)
            ):
                found = True
                yield start, end
    if not found:
        for match in _UNQUOTED.finditer(text, *tail):
            if not _NO_ROLE.match(match[1]):
                yield match.span(1)
                return
        named = _AS_ROLE.match(text, *tail)
        if named and is_role(named[1]):
            yield named.span(1)


def _stands_for(short: str, name: str) -> bool:
    """Whether letters in brackets are the initials of a name, or it is that of a company."""
    return has_legal_form(name) or is_made_of(short, name)


def is_made_of(short: str, name: str) -> bool:
    """Whether a short name is made of a longer one: a word of it, or its initials in order.

    >>> is_made_of("NFLA", "National Football League Alumni"), is_made_of("Appraisal", "RP Financial, LC")
    (True, False)
    """
    words = re.findall(r"\w+", name.lower())
    if any(word in words and len(word) > 2 for word in re.findall(r"\w+", short.lower())):
        return True
    initials, letters = iter("".join(word[0] for word in words)), re.sub(r"\W", "", short.lower())
    return len(letters) > 1 and short.isupper() and all(letter in initials for letter in letters)


def _kind(text: str, tail: Range) -> tuple[Range | None, Range | None]:
    """The kind of entity and the place whose law it is under."""
    brackets = [m.span() for m in _BRACKETED.finditer(text, *tail)]
    near = _KIND.finditer(text, tail[0], min(tail[1], tail[0] + 250))
    kind = next((m for m in near if not any(a <= m.start() < b - 1 for a, b in brackets)), None)
    laws = _LAWS.search(text, tail[0], min(tail[1], tail[0] + 400))
    if not kind:
        return None, laws.span(1) if laws else None
    place = kind[1].strip(" ,\n")
    if place and place[0].isupper():
        start = kind.start(1) + kind[1].index(place)
        if state := re.match(r"(?i)(?:state|commonwealth|province) of ", place):
            start += state.end()
        return kind.span(2), (start, kind.start(1) + kind[1].index(place) + len(place))
    return kind.span(2), laws.span(1) if laws else None
