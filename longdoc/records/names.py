"""Reads the legal name of a company or a person from a text: all of it, and nothing of what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.roles import is_role
from longdoc.summary import on_one_line

_LEGAL_FORMS = (
    r"inc(?:orporated)?|corp|co|l\.?l\.?c|l\.?l\.?p|l\.?l\.?l\.?p|l\.?p|ltd|plc|p\.?l\.?c|l\.?c|p\.?c|p\.?a"
    r"|n\.?a|n\.?v|b\.?v"
    r"|s\.?a|s\.?a\.?s|s\.?a\.?b|s\.?p\.?a|s\.?r\.?l|s\.?a\.?r\.?l|s\.?àr\.?l|gmbh|mbh|a\.?g|kg|kgaa|ohg"
    r"|a\.?/?s|ab|asa|oyj?|aps|k\.?k"
    r"|pty|pte|pvt|bhd|sdn|ltda|s\.c|e\.v|d\.?o\.?o|z\.?o\.?o|kft|s\.?r\.?o"
)
_SUFFIX = re.compile(rf"(?:{_LEGAL_FORMS}|incorporated|limited|gesellschaft|aktiengesellschaft)\.?$", re.I)
"""A word that ends a company's name."""
_LOOSE_SUFFIX = re.compile(
    r"(?:corporation|company|companies|partnership|trust|bank|limited|corp\.?|co\.?|fund|funds)$", re.I
)
"""A word that may end a company's name, and may stand within it."""
_LONG_FORM = re.compile(
    r"(?i)S\. ?[àa]\.? ?r\.? ?l\.?(?!\w)|S\.? ?(?:de|en) ?R\.? ?L\.?(?:,? de C\.? ?V\.?)?(?!\w)|S\.? ?A\.?(?: ?B\.?"
    r"| ?P\. ?I\.?)?,? de C\.? ?V\.?(?!\w)"
    r"|GmbH (?:&|und) Co\.?,? KG(?:aA)?(?!\w)|Sp\. z o\. ?o\."
    r"|(?-i:L)imited (?-i:P)artnership(?!\w)"
    r"|(?-i:L)imited (?-i:L)iability (?-i:Company|Partnership|COMPANY|PARTNERSHIP)(?!\w)"
    r"|(?:Pty|Pte|Pvt)\.? Ltd\.?(?!\w)|Sdn\.? Bhd\.?(?!\w)"
)
"""A legal form of several words."""
_MORE_SUFFIX = re.compile(r"(?:&|kg)$", re.I)
_AMBIGUOUS = frozenset("SC AS SE AB AG LC PC PA SA NA NV LP CO KK BV".split())
_AFTER_COMMA = re.compile(
    r"(?:jr|sr|esq|m\.?d|ph\.?d|d\.?o|d\.?d\.?s|j\.?d|cpa|ii|iii|iv|f\.?s\.?b|national|association)\.?$", re.I
)
_LEGAL_PREFIX = re.compile(r"(?:JSC|OJSC|CJSC|PJSC|OAO|ZAO|OOO|PAO|PT|UAB|SIA|SC)$")
_ROLES = frozenset(
    "broker merchant subscriber subscribers author artist athlete adopter insured debtor creditor assigns".split()
)
_CONNECTORS = frozenset("of and & for de del la las los the du des y e und et von van der den di da do dos".split())
_STOPS = re.compile(
    r"(?:a|an|near|opposite|behind|with|having|located|whose|between|among|by|dated|whereas|witnesseth|recitals|background"
    r"|hereinafter|this"
    r"|that|these|exhibit|section|article|page|as|on|at|from|agreement|effective|address|its|is|are|shall|will|hereby"
    r"|hereto|herein|name|title|date|attn|attention|tel|telephone|fax|email|e-mail|phone|n/a|d/b/a|f/k/a|dba"
    r"|fka|signature"
    r"|authorized|incorporated|organized|formed|acting|through|or|to|in|under|but|if|both|per|p\.?o|c/o"
    r"|represented|whereby"
    r"|now|therefore|collectively|individually|together|source)[.,:]?$",
    re.I,
)
_ABBREVIATION = re.compile(
    r"(?:(?:[^\W\d_]\.)*[^\W\d_]|st|dr|mr|mrs|ms|jr|sr|bros|int'?l|no|mt|ft|prof|hon|u\.s|u\.k|&|assoc|mfg|tech|etc)\.$",
    re.I,
)
_WORD = re.compile(r"[^\s()\[\]{}“”\"„;:,]+")
_WORD_BEFORE = re.compile(r"(?<![\w&.'’-])([A-ZÀ-ÖØ-Þ][\w&'’-]*)[^\S\n]\Z")
_BRACKET = re.compile(r"\s?(?:\(|« ?)(?!the |an? )([A-Z][\w&.' -]{1,30}?)(?:\)| ?»)(?=[\s,])")
_OF_PLACE = re.compile(r"(?:Inc|Corp|Ltd|LLC)\.?\sof\s(?:\w+\s)?$")
_LEGAL_NEXT = re.compile(r",?\s(?:Inc|LLC|Ltd|Corp|GmbH)(?!\w)")
_DASHED = re.compile(
    rf"[-–]\s(?=(?:[A-Z][A-Z\d&.'’-]*\s){{1,7}}?[A-Z\d&.'’-]*,?\s(?i:{_LEGAL_FORMS}|limited|corporation|company)(?!\w))"
)
"""A dash within a name in capitals that ends with a legal form on the same line."""
_GAP = re.compile(r"(,?)([^\S\n]*\n?[^\S\n]*)")
_PLACES = (
    r"(?:New (?:York|Jersey|Hampshire|Mexico)|North Carolina|South Carolina|California|Texas|Florida|Illinois"
    r"|Delaware|Nevada|Ohio|Massachusetts"
    r"|Pennsylvania|Virginia|Maryland|Georgia|Washington|Colorado|Arizona|Utah|Minnesota|Michigan|Connecticut"
    r"|Oregon|Tennessee|Indiana|Wisconsin"
    r"|Singapore|Japan|China|Germany|France|Israel|Canada|England|Switzerland|India|Taiwan|Korea|Australia"
    r"|Netherlands|Slovakia|Ireland|Spain|Italy|Mexico|Brazil|Hong Kong|Sweden|Norway|Denmark|Belgium|Austria"
    r"|Poland|USA|U\.S\.A\.?|United States)"
)
_AFTER_LOWER = re.compile(r"\s{0,3}[,(]|\s(?:whose|having|with|located|organi[sz]ed|incorporated|existing)\b")
"""What follows a legal form that is written in lower case: ``Acme corporation whose address is``."""
_KIND_ONLY = re.compile(rf"(?i)(?:{_PLACES}) (?:corporation|limited liability company|limited partnership|company)")
"""A kind of entity: "Delaware corporation"."""
_MUNICIPALITY = re.compile(r"(?i)(?:the )?(?:city|town|county|village|township|borough|port|state) of\b")
_ITS_STATE = re.compile(rf",\s(?i:{_PLACES})(?=[,;(]|\s[(a-z])")
_RULING = re.compile(r"[^\S\n]*\n[-=]{3,}[^\S\n]*\n")
"""What underlines a line of plain text, in the middle of a sentence."""
_NEVER = re.compile(
    rf"(?:{_PLACES}(?:\s\d{{5}}(?:-\d+)?)?,?\s(?:and|AND|&)\s)|[A-Z][a-z]+(?: [A-Z][a-z]+)*, (?:NV|PA|CO|LA"
    rf"|SC)$|(?i:\d{{4}}\s|[a-z ]{{2,20}} \d{{5}}\b)"
    r"|(?i:[a-z]{2} \d{5}|\d+(?:st|nd|rd|th)\b|\d+(?:\.\d+)+\b|\d{5}|(?:add|tel|fax|attn)\b"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b.{0,6}\d)"
)
"""Where an address or a date starts, which no legal form makes a name."""
_NO_NAME = re.compile(
    r"(?i)(?:.*\b(?:agreements?|contracts?|exhibits?|attachments?"
    r"|schedule|amendments?|effective date|dated|annex|appendix|article"
    r"|street|avenue|suite|boulevard|telephone|facsimile|attention|whereas|recitals?|confidential|parties|party"
    r"|between|representations|warrant(?:y|ies)|certificates|obligations|covenants|successors?|subsidiaries"
    r"|affiliates|assigns|laws?|commission|witness|notary|laws)\b"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b.{0,6}\d"
    r"|\d+(?:\.\d+)+\b|\d{1,2} [a-z]|\d+(?:st|nd|rd|th)\b|[a-z]{2} \d{5}|s/|/s/|page\b|date\b|by\b|name\b"
    r"|title\b|its\b|(?:mr|mrs|ms|dr)\.?$|[\W\d_]*$)"
)
_OFFICE = re.compile(
    r"(?i)(?:(?:chief|executive|legal|general|vice|senior|president|officer|director|secretary|treasurer"
    r"|manager|counsel|authorized"
    r"|signatory|chairman|ceo|cfo|coo|financial|operating|title|name|date|its)\b[\s:,]+(?:of\s|and\s)?)+(?=[A-Z])"
)
"""The office of a signatory, which may stand before the next name on one line."""
_SIGNATORY = re.compile(
    r"(?:[A-Z][\w.'’-]*[a-z.][^\S\n]+){2,10}(?=[A-Z]{3,}[^\S\n][A-Z0-9&, /.'’-]*\b(?:LLC|L\.?P|INC|LTD|CORP"
    r"|L\.L\.C|CORPORATION|COMPANY)\b)"
)
"""The name of a signatory before the next name, in capitals, on one line."""
_MAX_WORDS = 16
_COUNTRIES = frozenset(
    """usa us uk germany france canada israel china japan india italy spain switzerland netherlands england ireland
    mexico delaware california texas florida nevada ohio illinois york jersey massachusetts pennsylvania virginia
    maryland brazil australia singapore korea taiwan belgium sweden austria denmark norway finland bermuda""".split()
)


def name_end(text: str, start: int) -> int:
    """The end of the name that starts at an offset; ``start`` if no name does.

    >>> text = "Acme (UK) Holdings, Ltd., a Delaware corporation"
    >>> text[: name_end(text, 0)]
    'Acme (UK) Holdings, Ltd.'
    """
    end, at, words, closed = start, start, 0, False
    while words < _MAX_WORDS:
        gap = _GAP.match(text, at)
        comma, space = (gap[1], gap[2]) if gap else ("", "")
        begin = gap.end() if gap and words else at
        if words and (ruling := _RULING.match(text, at)) and at - text.rfind("\n", 0, at) > 50:
            begin, space = ruling.end(), " "
        word = _WORD.match(text, begin)
        if words and (piece := _piece(text, at, begin)):
            end = at = piece.end()
            closed = closed or piece.re is _LONG_FORM
            words += 1
            continue
        if not word or not _accepts(text, word, first=not words, comma=comma, line="\n" in space, closed=closed):
            break
        token = word[0]
        words += 1
        at = word.end()
        if (token.lower() in _CONNECTORS and not token[0].isupper()) or token in ("&", "AND", "OF"):
            closed = closed and bool(_MORE_SUFFIX.match(token))
            continue  # counts only with the word after it
        closed = words > 1 and _closes_name(text, token, at, comma=comma, closed=closed)
        end = at
        if token.endswith(".") and not closed and not _ABBREVIATION.match(token) and not _LOOSE_SUFFIX.match(token):
            end = at - 1
            break
    end = _trimmed(text, start, end)
    state = _ITS_STATE.match(text, end) if _MUNICIPALITY.match(text, start, end) else None
    return state.end() if state else end


def name_start(text: str, start: int) -> int:
    """Where a name starts of which a part stands at an offset: before it on the line are words with capital letters.

    >>> name_start("between Acme and The Royal Cancun Ltd.", 27)
    21
    """
    for _ in range(_MAX_WORDS):
        word = _WORD_BEFORE.search(text, max(0, start - 40), start)
        if not word or _STOPS.match(word[1]) or is_role(word[1]):
            break
        start = word.start()
    return start


def _piece(text: str, at: int, begin: int) -> re.Match[str] | None:
    """What belongs to a name as a whole: a bracket such as ``(UK)``, a legal form of several words."""
    bracket = _BRACKET.match(text, at + (text[at : at + 2] == ", "))
    return bracket if bracket and _continues(text, bracket) else _LONG_FORM.match(text, begin)


def _closes_name(text: str, token: str, at: int, *, comma: str, closed: bool) -> bool:
    """Whether a name is complete with a word that ends at an offset."""
    if comma and _AFTER_COMMA.match(token):
        return True
    within = token in _AMBIGUOUS and re.match(r" [A-Z][a-z]", text[at : at + 3])
    return (is_legal_form(token) and not within) or (closed and bool(_MORE_SUFFIX.match(token)))


def is_legal_form(word: str) -> bool:
    """Whether a word is a legal form that ends a name: ``Inc.``, ``GmbH``."""
    return (bool(_SUFFIX.match(word)) and word != word.lower()) or word.lower() in (
        "inc",
        "inc.",
        "llc",
        "ltd",
        "ltd.",
        "plc",
        "gmbh",
        "a.s.",
        "s.r.o.",
        "d.o.o.",
        "s.p.a.",
        "a.s",
    )


def has_legal_form(name: str) -> bool:
    """Whether a name contains a legal form, such as ``Inc.``, or a word like "Corporation".

    >>> has_legal_form("Acme Holdings, Inc."), has_legal_form("Kenneth Turpin")
    (True, False)
    """
    words = re.findall(r"[^\s,()]+", name)
    if (len(words) > 1 and _LEGAL_PREFIX.match(words[0])) or _LONG_FORM.search(name, 1):
        return True
    loose = [bool(_LOOSE_SUFFIX.match(word)) and word[0].isupper() for word in words]
    articles = ["", *(word.lower() for word in words)]
    return any(
        (is_legal_form(word) or is_loose) and before not in ("the", "each", "such", "a")
        for word, is_loose, before in list(zip(words, loose, articles, strict=False))[1:]
    )


def without_legal_form(name: str) -> str:
    """A name without the legal form at its end; the name itself if fewer than two words would be left.

    >>> without_legal_form("Hyatt Franchising Latin America, L.L.C."), without_legal_form("Acme Inc.")
    ('Hyatt Franchising Latin America', 'Acme Inc.')
    """
    long_form = max(_LONG_FORM.finditer(name), key=lambda match: match.end(), default=None)
    words = (name[: long_form.start()] if long_form and long_form.end() == len(name) else name).split()
    while len(words) > 2 and is_legal_form(words[-1]):
        words.pop()
    words = [*words[:-1], words[-1].rstrip(",")] if words else []
    return " ".join(words) if len(words) > 1 else name


def is_name(name: str) -> bool:
    """Whether a text can be the name of a party: no role, heading, date or address.

    >>> is_name("Acme Inc."), is_name("the Company"), is_name("Effective Date")
    (True, False, False)
    """
    words = re.findall(r"\w+", name)
    if (
        not words
        or len(name) < 2
        or is_role(" ".join(w for w in words if w.lower() not in _ROLES))
        or not any(word[0].isupper() or word[0].isdigit() for word in words)
    ):
        return False
    if re.match(r"\w+ (?:the|THE) ", name) and is_role(words[0]):
        return False  # "Licensee THE ACME COMPANY"
    before_and = re.match(r"([A-Z][\w ]{2,30}?) and [A-Z]", name)
    if before_and and is_role(before_and[1]) and has_legal_form(name[before_and.end() - 1 :]):
        return False  # "Company and Acme Inc."
    if _NEVER.match(name) or not any(
        len(re.findall(r"[^\W\d_]", word)) > 1 and not is_legal_form(word) for word in name.replace(",", " ").split()
    ):
        return False
    if _NO_NAME.match(name) and not any(is_legal_form(word) for word in name.replace(",", " ").split()[1:]):
        return False
    if re.sub(r"\W", "", name.lower()) in _COUNTRIES or _KIND_ONLY.fullmatch(name):
        return False
    return len(words) > 1 or (len(name) > 2 and name[0].isalnum())


def key(name: str) -> str:
    """What equal names share: without case, punctuation and "the".

    >>> key("The Acme Co., Inc.") == key("ACME CO INC")
    True
    """
    return re.sub(r"\Athe ", "", " ".join(re.findall(r"\w+", name.casefold().replace(".", ""))))


def shown(name: str) -> str:
    """A name on one line, without what underlines a part of it."""
    return on_one_line(_RULING.sub(" ", name))


def names_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The names with a legal form in a range, from left to right."""
    at = start
    for first in re.finditer(r"(?<![\w&.'’-])[^\W_a-z][\w&.'’-]*", text[start:end]):
        begin = start + first.start()
        if re.match(r"\d+(?:[^\w]|$)", first[0] + " "):
            continue
        if begin < at:
            continue
        if (office := _OFFICE.match(text, begin, end)) and office.end() < end:
            begin = office.end()
        if signatory := _SIGNATORY.match(text, begin, end):
            begin = signatory.end()
        stop = name_end(text, begin)
        if stop <= end and stop > begin and has_legal_form(text[begin:stop]) and is_name(text[begin:stop]):
            yield begin, stop
            at = stop


def _accepts(text: str, word: re.Match[str], *, first: bool, comma: str, line: bool, closed: bool) -> bool:
    """Whether a name goes on with a word."""
    token = word[0]
    legal = is_legal_form(token) or bool(_AFTER_COMMA.match(token) and token[0].isupper())
    if first:
        named = token[0].isupper() or token[0].isdigit() or _is_brand(token) or _LEGAL_NEXT.match(text, word.end())
        return bool(named) and not _STOPS.match(token)
    if token in ("corporation", "incorporated", "limited") and not closed and _AFTER_LOWER.match(text, word.end()):
        return True
    if comma and not legal:
        return _is_listed(text, word.start())
    joins = token == "&" and text[word.end() : word.end() + 1] == " "
    if line and not legal and not joins and not re.search(r"\S &\s*$", text[max(0, word.start() - 6) : word.start()]):
        return False
    if closed:
        if token == "of":  # "Alliance Bancorp, Inc. of Pennsylvania"
            return bool(re.match(rf"\s{_PLACES}\s?[,(]", text[word.end() : word.end() + 24]))
        return (
            legal
            or bool(_OF_PLACE.search(text, max(0, word.start() - 12), word.start()))
            or (bool(_MORE_SUFFIX.match(token)) and _closes(text, word.end()))
        )
    if token in ("-", "–"):
        return bool(_DASHED.match(text, word.start()))
    if token.lower() in _CONNECTORS:
        return _leads_on(text, word)
    if _STOPS.match(token) and not legal and not re.fullmatch(r"[A-Z]\.", token):
        return False
    return legal or token[0].isupper() or token[0].isdigit() or _is_brand(token) or token.startswith(("&", "+"))


def _is_brand(token: str) -> bool:
    """Whether a word without a capital letter at its start can start a name: ``eBay``, ``i3``, ``shop.com``."""
    return any(char.isupper() for char in token[1:]) or bool(
        re.match(r"[\w-]+\.(?:com|net|org|io)\b|[a-z]\d{1,2}$", token)
    )


def _is_listed(text: str, at: int) -> bool:
    """Whether a list inside a name goes on, as in ``Smith, Jones & Co.``."""
    return bool(re.match(r"[A-Z][\w.'’-]*(?:, [A-Z][\w.'’-]*){0,2},? ?& ?[A-Z]", text[at : at + 60]))


def _closes(text: str, at: int) -> bool:
    """Whether what follows can belong to the legal form: ``S. de R.L. de C.V.``, ``GmbH & Co. KG``."""
    return bool(re.match(r"[\s.]*(?:[A-Z]|$|[,;(])", text[at : at + 3]))


def _leads_on(text: str, word: re.Match[str]) -> bool:
    """Whether a connecting word leads on to a part of the same name: ``University of Texas``."""
    after = re.match(r"\s(?:the |la |los |las )?([^\s,;:()]+)", text[word.end() : word.end() + 60])
    if (
        not after
        or not (after[1][0].isupper() or (after[1][0].isdigit() and word[0].lower() != "of"))
        or _STOPS.match(after[1])
    ):
        return False
    legal = re.compile(rf",?\s(?:{_LEGAL_FORMS})(?!\w)", re.I).match(text, word.end() + after.end())
    return (
        bool(legal)
        or not is_role(after[1])
        or word[0].lower() not in ("and", "&", "for", "the")
        or has_legal_form(f"x {after[1]}")
    )


def _continues(text: str, bracket: re.Match[str]) -> bool:
    """Whether a bracket such as ``(UK)`` belongs to the name around it."""
    if re.match(rf",?\s(?:{_LEGAL_FORMS})(?!\w)", text[bracket.end() : bracket.end() + 12], re.I):
        return True
    if is_role(bracket[1]) or re.fullmatch(r"(?i)(?:individually|collectively|party|parties) .*", bracket[1]):
        return False
    if re.fullmatch(r"(?i)pty|private|proprietary|publ|pvt|pte", bracket[1]):
        return True
    after = re.match(r"(?:[\s,]+(?:\([A-Za-z]+\)|[A-Z&][\w&.-]*)){1,5}", text[bracket.end() : bracket.end() + 60])
    return bool(after and any(is_legal_form(word) for word in after[0].replace(",", " ").split()))


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a name without marks at its end, except for the stop of an abbreviation."""
    while end > start and text[end - 1] in " \n,;:-–—_*/&'’":
        end -= 1
    return end
