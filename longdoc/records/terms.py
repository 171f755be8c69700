"""The governing law of a contract, its term, its renewal and the notice against it, and its caps on liability."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.records.evidence import cell
from longdoc.records.openings import Range
from longdoc.summary import on_one_line
from longdoc.values import Duration, Money, parse_value

_GAP = r"\s{1,20}"
"""Bounded, so that a long run of spaces costs no time."""
_OF_STATE = (
    r"(?:(?:the\s{1,20})?(?:states?|commonwealth|republic|province|kingdom|federal republic|country"
    r"|district|territory|laws?|internal laws?|substantive laws?)\s{1,20}of\s{1,20}(?:the\s{1,20})?)*"
)
_PLACE = (
    r"(?P<place>(?:the\s)?[A-Z][\w.’']*(?:(?:\s{1,20}(?:and\s{1,20}(?=Wales)|of\s{1,20}(?:the\s{1,20})?)?|,\s"
    r"(?=[A-Z][a-z]+\b))[A-Z][\w.’']*){0,5})"
)
_LAW_OF = re.compile(
    rf"(?i:\b(?:laws?|legislation)\b(?:,|{_GAP}and{_GAP}\w+|(?:,|{_GAP}and)\s[\w\s,]{{3,50}}?)?{_GAP}(?:then{_GAP})?"
    rf"(?:in{_GAP}(?:force|effect){_GAP})?(?:in|of|from){_GAP}(?:the{_GAP})?(?:united states(?: of america)?,? and "
    rf"(?:of )?(?:the{_GAP})?)?{_OF_STATE}){_PLACE}"
)
_LAW_NAMED = re.compile(
    rf"{_PLACE}(?:['’]s)?{_GAP}(?i:(?:state{_GAP}|substantive{_GAP}|internal{_GAP}|contract{_GAP})?laws?)\b"
)
_STATE = re.compile(rf"(?:State|Province|Commonwealth|Republic) of {_PLACE}")
_COUNTRY_OF = {
    "english": "England",
    "swiss": "Switzerland",
    "german": "Germany",
    "french": "France",
    "dutch": "Netherlands",
    "belgian": "Belgium",
    "austrian": "Austria",
    "italian": "Italy",
    "spanish": "Spain",
    "swedish": "Sweden",
    "danish": "Denmark",
    "norwegian": "Norway",
    "finnish": "Finland",
    "irish": "Ireland",
    "israeli": "Israel",
    "japanese": "Japan",
    "chinese": "China",
    "canadian": "Canada",
    "australian": "Australia",
}
"""The place of a law that is named by an adjective: "English law"."""
_GOVERNS = re.compile(
    r"(?i)\b(?:govern(?:ed|s|ing)?|construed|interpreted|applicable law|appl(?:y|ies)|controlled by"
    r"|subject to the laws?|(?:in accordance with|under) the\s{1,20}(?:\w+\s{1,20})?laws?)\b"
)
_SENTENCE_START = re.compile(r"(?:\.\s+|\n)(?=[A-Z(\"“\d])")
_PLACE_END = re.compile(
    r"(?:,|\s)+(?:U\.?S\.?A?\.?|United States(?: of America)?|USA|Each|The|Any|This|All|Venue|Courts?|As|In"
    r"|It|Disputes|(?i:without|excluding|regardless|exclusive|except|notwithstanding|shall|applicable"
    r"|irrespective|and the|giving))\b.*$",
    re.S,
)
_RENEWS = re.compile(
    r"(?i)\b(?:renew(?:ed|s|al|als)?|extend(?:ed|s)?|extension|roll over|successive|additional (?:term|period))\b"
)
_RENEWS_ITSELF = re.compile(
    r"(?i)(?<!not )(?<!terminate )\bautomatical?ly\s(?:\w+\s){0,4}?(?:renew|extend|continu|roll|prolong)\w*"
    r"|\b(?:renew|extend|continu|roll|prolong)\w*\b(?:\s(?:over|itself|tacitly))?[\s,]+(?:\w+\s){0,3}?automatic"
    r"|\bautomatic (?:\w+ ){0,2}(?:renewal|extension)s?\b|\btacit(?:ly)?\s(?:\w+\s)?renew\w*|\brenew\w*\stacitly"
    r"|\bevergreen\b"
    r"|\b(?:shall|will)\s(?:thereafter\s|then\s|also\s)?(?:be\s)?(?:deemed\s)?(?:renew|extend)\w*\b[^.;]{0,200}?\bunless\b"
    r"|\bunless\b[^.;]{0,250}?\b(?:shall|will)\s(?:thereafter\s|then\s)?(?:be\s)?(?:renew|extend)\w*"
    r"|\b(?:year|month)[- ]to[- ](?:year|month)\b"
)
BEFORE_RENEWALS = ", before automatic renewals"
"""Ends the source of an end, or of a term, that is only the first."""
_OF_TERM = re.compile(
    r"(?i)\b(?:(?:terms?|agreement|contract|periods?|lease|licen[cs]e)\b"
    r"|it\s(?:shall\s|will\s)?(?:be\s)?(?:automatically\s)?(?:renew|extend))"
)
_NOTICE = re.compile(r"(?i)\b(?:notice|notif(?:y|ies|ied)|advis)")
_NOTICE_OF_IT = re.compile(
    r"(?i)\s{0,20}[^.;]{0,60}?\b(?:(?:such|this|the|any|that|written)\s{1,9})?notice\b[^.;]{0,160}?\b(?:prior|before|advance"
    r"|preceding)\b[^.;]{0,60}?\b(?:expir\w*|end|term|renew\w*|anniversary)\b"
)
"""What the sentence after one on renewal says of the notice against it."""
_CAP = re.compile(
    r"(?i)\b(?:liab(?:le|ility|ilities)|damages|aggregate|obligations? to indemnify)\b[^.;]{0,250}?\b"
    r"(?:exceed|limited to|in excess of|greater than|more than|maximum)\b"
    r"|\b(?:exceed|limited to|in excess of|greater than|maximum)\b[^.;]{0,150}?\bliabilit"
)
_MONEY = re.compile(
    r"(?:US|USD|U\.S\.|CAD|C|A|HK|RMB|EUR|GBP)?\s?[$€£¥]\s?\d[\d,.]*(?:\s?(?i:million|billion|thousand|m\b"
    r"|mm\b))?|\b(?:USD|EUR|GBP|RMB|CHF|JPY)\s?\d[\d,.]*|\b\d[\d,.]{0,30}\s(?i:dollars|euros?|pounds)\b"
)
_AGREEMENT = r"(?:agreement|contract|lease|licen[cs]e|sublease|engagement|franchise|amendment)"
_TERM = re.compile(
    rf"(?i)(?P<term>\b(?:initial|primary|original|base|fixed){_GAP}(?:\w+{_GAP})?(?:term|period)\b"
    rf"|\b(?:term|duration|period){_GAP}(?:of|for){_GAP}(?:this|the|such){_GAP}(?:\w+{_GAP})?{_AGREEMENT}\b"
    rf"|\bterm[”\"]?{_GAP}(?:hereof{_GAP})?(?:shall|will|is)\b|\bha(?:ve|s){_GAP}an?{_GAP}(?:initial{_GAP})?(?:term|duration){_GAP}of\b|\bterm:)"
    rf"|\bthis{_GAP}(?:\w+{_GAP})?{_AGREEMENT}[^.;]{{0,120}}?\s(?:shall|will|is){_GAP}(?:\w+{_GAP}){{0,2}}?"
    rf"(?:continue|remain|take{_GAP}effect|become{_GAP}effective|be{_GAP}(?:in|effective|for)|commence|begin|run|last|expire|effective|valid|in\s)"
    rf"|\b{_AGREEMENT}{_GAP}(?:continues|commences|begins|runs|expires|remains)\b"
    rf"|\bterm{_GAP}of{_GAP}(?:\w+[’']?s?{_GAP}){{0,2}}(?:employment|service)\b"
    rf"|(?P<plain>\bfor{_GAP}an?{_GAP}(?:period|term){_GAP}of|\b(?:shall|will){_GAP}(?:continue|remain)\b)"
)
"""What is said before a term: ``term`` names it, ``plain`` counts only in a section on the term."""
_NO_SUBJECT = re.compile(
    r"(?i)\b(?:(?:during|throughout|beyond|within|after|following|survives?)\s{1,9}"
    r"(?:(?:the|said|entire|any)\s{1,9}){0,3}|material\s{1,9}"
    r"|(?:renew|successor|subsequent|successive|breach)[^.;]{0,80})$"
)
_NOT_BETWEEN = re.compile(
    r"(?i)[.;]\s{1,20}[A-Z“\"(]|\n\s{0,9}\n|\b(?:notice|prior to|renew\w*|additional|successive|cure|within|during"
    r"|after|thereafter|surviv\w*|each|every|first|last|expiration|followed|option|extend\w*|preceding)\b"
)
_OTHER_SUBJECT = re.compile(
    r"(?i)\b(?:confiden\w+|(?:non-?\s?)?disclos\w+|records?|(?:non-?)?solicit\w*|non-?compet\w*|compete|warrant\w*"
    r"|audit\w*|surviv\w*|insurance|invoices?|retain\w*|dispute|assist\w*"
    r"|upon\s{1,9}(?:\w+\s{1,9}){0,3}(?:termination|expiration))\b"
)
_TERM_HEADING = re.compile(r"(?i)\b(?:term|duration)\b")
_HEADING = re.compile(
    r"(?:^|\n|[.;:]\s)\s{0,9}(?i:section\s|article\s)?\d{1,2}(?:\.\d{1,2}){0,3}[.):]?\s{1,9}"
    r"(?P<name>[A-Z][^\n.:;]{2,60})[.:;\n]"
)
_AFTER_END = re.compile(
    r"(?i)\s{0,20}(?:periods?\s{1,9})?(?:immediately\s{1,9})?(?:thereafter"
    r"|(?:after|following|from|beyond|subsequent\s{1,9}to|of)\s{1,9}(?:(?:[\w’']{1,20}\s{1,9}){0,3}?(?:terminat\w*"
    r"|expir\w*|cessation|disclos\w*|receipt|end|records?|deliver\w*|notice|shipment)\b"
    r"|(?:[\w’']{1,20}\s{1,9}){0,8}?took\s{1,9}place)|per\b|prior|before"
    r"|(?:(?:written|advance|prior)\s{1,9})?notice|in\s{1,9}advance)"
)
_TAKES_EFFECT = re.compile(r"(?i)\b(?:commenc\w*|begins?|effective|takes?\s{1,9}effect)\b")
_CALLED_TERM = re.compile(
    r"(?i)[^.;]{0,120}?\(\s?(?:the\s{1,9}|such\s{1,9}|this\s{1,9})?[“\"'‘](?:\w+\s{1,9})?term[,.]?[”\"'’]"
)
_LENGTH = re.compile(
    r"(?i)(?<![\w.])(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen"
    r"|eighteen|twenty(?:[- ](?:one|two|four|five))?|twenty-four|thirty(?:[- ]six)?|forty(?:-five)?|sixty"
    r"|ninety|one hundred (?:and )?(?:eighty|twenty))"
    r"\s?(?:\(\s?\d{1,3}\s?\))?[\s-]{1,20}(?:(?:full|calendar|consecutive|contract|business|working|fiscal|additional"
    r"|successive|further|more|other|renewal|extra|continuous)[\s-]){0,2}(?:years?|months?|days?|weeks?)\b"
)


def _zones(document: Document, spans: Iterable[Entity], label: str) -> list[tuple[Range, str, float]]:
    """The clauses of a label, best first, with what to call them and how far to trust them."""
    clauses = sorted((s for s in spans if s.label == label), key=lambda s: -s.score)
    return [((s.start, s.end), f"clause {label}", min(0.95, 0.6 + 0.4 * s.score)) for s in clauses]


def sentences(text: str, pattern: re.Pattern[str]) -> Iterator[Range]:
    """The sentences, or lines, in which a pattern occurs."""
    last = -1
    for match in pattern.finditer(text):
        if match.start() < last:
            continue
        start = _sentence_start(text, match.start(), 600)
        stop = _SENTENCE_START.search(text, match.end(), min(len(text), match.end() + 700))
        last = stop.start() + 1 if stop else min(len(text), match.end() + 400)
        yield start, last


def find_law(document: Document, spans: Sequence[Entity] = ()) -> Answer | None:
    """The place whose law governs the contract."""
    text = document.text
    best: tuple[float, Range, str] | None = None
    rules = [(zone, "rule governing law", 0.8) for zone in sentences(text, _GOVERNS)]
    for (start, end), source, base in [*_zones(document, spans, "Governing Law"), *rules]:
        place = _place(text, start, end)
        if place is None:
            continue
        sentence = text[start:end]
        own = bool(
            re.search(
                r"(?i)this (?:\w+ ){0,3}(?:agreement|contract|lease|amendment|letter|deed|note|licen[cs]e)"
                r"|governing law|applicable law|hereof|hereunder",
                text[max(0, start - 60) : end],
            )
        )
        governs = bool(re.search(r"(?i)governed|construed|interpreted", sentence))
        of_party = bool(re.search(r"(?i)\b(?:incorporated|organi[sz]ed|existing|arbitration rules|tax)", sentence))
        if (
            of_party
            and not governs
            and not re.search(r"(?i)applicable law|governing|applies|apply|controlled", sentence)
        ):
            continue  # the law under which a party exists
        score = base + 0.1 * governs + 0.1 * own - 0.3 * (not own) - 0.2 * of_party
        if best is None or score > best[0]:
            best = (score, place, source)
    if best is None or best[0] < 0.4:
        return None
    score, place, source = best
    return cell(
        document,
        *place,
        label="governing_law",
        source=source,
        score=min(score, 0.95),
        value=_place_name(text[slice(*place)]),
    )


def _place(text: str, start: int, end: int) -> Range | None:
    for pattern in (_LAW_OF, _LAW_NAMED):
        for match in pattern.finditer(text, start, end):
            name = _PLACE_END.sub("", match["place"]).strip(" ,.")
            near = _GOVERNS.search(text, max(start, match.start() - 220), min(end, match.end() + 90))
            shouted = (name.isupper() and name.count(" ") > 2) or name.count(" ") > 5
            if (
                name
                and near
                and not shouted
                and not re.match(
                    r"(?i)(?:u\.?s\.?a?|by the|the|this|such|any|agreement|section|article|applicable"
                    r"|governing|federal|choice|conflicts?|state|united nations|international)$|(?:the )?"
                    r"(?:federal|compliance|money|maximum|united states|united nations|convention|governing"
                    r"|applicable|choice)\b",
                    name,
                )
            ):
                return match.start("place"), match.start("place") + len(name)
    if not re.search(r"(?i)\blaws? of (?:that|said|such) (?:state|province|country)", text[start:end]):
        return None
    state = _STATE.search(text, max(0, start - 150), end)
    return state.span("place") if state else None


def _place_name(text: str) -> str:
    if on_one_line(text).strip(" ,.").upper() in ("PRC", "P.R.C"):
        return "People's Republic of China"
    name = re.sub(r"(?i)^(?:the )?(?:(?:state|commonwealth|province) of )?", "", on_one_line(text)).strip(" ,.")
    return _COUNTRY_OF.get(name.lower(), name)


def _durations(text: str, start: int, end: int) -> Iterator[tuple[Range, Duration]]:
    for match in _LENGTH.finditer(text, start, end):
        value = parse_value(match[0], "duration")
        if isinstance(value, Duration):
            yield match.span(), value


def _duration_cell(
    document: Document,
    label: str,
    zones: Iterable[tuple[Range, str, float]],
    wanted: re.Pattern[str],
    unwanted: re.Pattern[str],
    needs: re.Pattern[str] | None = None,
) -> Answer | None:
    """The duration nearest after a word of its kind, in the first zone that has one."""
    text = document.text
    for (start, end), source, score in zones:
        if needs and not needs.search(text, start, end):
            continue
        found = []
        for (first, last), value in _durations(text, start, end):
            before, after = text[max(start, first - 90) : first], text[last : min(end, last + 45)]
            if wanted.search(before) or wanted.search(after):
                found.append((bool(unwanted.search(before[-40:] + "|" + after[:18])), first, last, value))
        good = [each for each in found if not each[0]]
        if good:
            _, first, last, value = good[0]
            return cell(document, first, last, label=label, source=source, score=score, value=value)
    return None


_WANTS_RENEWAL = re.compile(r"(?i)\b(?:renew\w*|extend\w*|extension|successive|additional|further|subsequent)\b")
_WANTS_NOTICE = re.compile(r"(?i)\b(?:notice|prior|before|notif\w*|advance|written|preceding)\b")
_NOT_RENEWAL = re.compile(r"(?i)\b(?:notice|prior|before|initial|advance|within)\b")
_NOT_NOTICE = re.compile(r"(?i)\b(?:renew\w* (?:for|term)|successive|additional|period of)\b")


def find_term(document: Document, spans: Sequence[Entity] = ()) -> Answer | None:
    """How long the contract runs at first; None if it names no length, or only that of a duty after its end."""
    text = document.text
    zones = [*_zones(document, spans, "Expiration Date"), ((0, len(text)), "rule term", 0.72)]
    for (start, end), source, score in zones:
        found = list(_terms(text, start, end))
        if found:
            rank, (first, last), value = max(found, key=lambda each: (each[0], -each[1][0]))
            sure = min(0.95, score + 0.08 * (rank > 1))
            return cell(document, first, last, label="term", source=source, score=sure, value=value)
    return None


def _terms(text: str, start: int, end: int) -> Iterator[tuple[int, Range, Duration]]:
    """The lengths said to be the term, each with a rank: the more speaks for it, the higher."""
    for match in _TERM.finditer(text, start, end):
        if _NO_SUBJECT.search(text, max(0, match.start() - 100), match.start()):
            continue
        (first, last), value = next(_durations(text, match.end(), min(len(text), match.end() + 200)), ((0, 0), None))
        if value is None or _NOT_BETWEEN.search(text, match.end(), first):
            continue
        called = bool(_CALLED_TERM.match(text, last))
        sentence = _sentence_start(text, match.start(), 300)
        runs_on = re.match(r"\s{0,9}thereafter", text[last : last + 20]) and _TAKES_EFFECT.search(text, sentence, first)
        if _AFTER_END.match(text, last) and not called and not runs_on:
            continue
        heading = _heading(text, match.start())
        in_section = bool(_TERM_HEADING.search(heading))
        if not called and (_OTHER_SUBJECT.search(heading) or _OTHER_SUBJECT.search(text, sentence, first)):
            continue
        short = value.unit in ("day", "business day", "week") and value.amount < 60
        if (match["plain"] and not (in_section or called)) or (short and not (match["term"] or called)):
            continue
        yield 2 * bool(match["term"]) + 2 * called + in_section, (first, last), value


def _sentence_start(text: str, at: int, most: int) -> int:
    """Where the sentence, or line, of a place begins; at most so many characters before it."""
    window = max(0, at - most)
    starts = [match.end() for match in _SENTENCE_START.finditer(text, window, at)]
    return starts[-1] if starts else window


def _heading(text: str, at: int) -> str:
    """The heading of the section that a place is in; empty if none is near."""
    names = [m["name"] for m in _HEADING.finditer(text, max(0, at - 1500), at + 1)]
    return names[-1] if names else ""


def find_renewal(document: Document, spans: Sequence[Entity] = ()) -> Answer | None:
    """For how long the contract is renewed after its first term."""
    rules = [(zone, "rule renewal", 0.72) for zone in sentences(document.text, _RENEWS)]
    needs = re.compile(r"(?i)\b(?:term|agreement|contract|period)\b")
    return _duration_cell(
        document, "renewal", [*_zones(document, spans, "Renewal Term"), *rules], _WANTS_RENEWAL, _NOT_RENEWAL, needs
    )


def renews_itself(document: Document) -> bool:
    """Whether the contract goes on after its first term if nobody says otherwise."""
    found = sentences(document.text, _RENEWS_ITSELF)
    return any(_OF_TERM.search(document.text, start, end) for start, end in found)


def find_notice(document: Document, spans: Sequence[Entity] = ()) -> Answer | None:
    """How long before its end a renewal must be refused."""
    label = "Notice Period To Terminate Renewal"
    text = document.text
    renewals = list(sentences(text, _RENEWS))
    next_ones = [zone for _, end in renewals if (zone := _next_sentence(text, end))]
    rules = [
        (zone, "rule notice against renewal", 0.72) for zone in [*renewals, *next_ones] if _NOTICE.search(text, *zone)
    ]
    return _duration_cell(document, "notice", [*_zones(document, spans, label), *rules], _WANTS_NOTICE, _NOT_NOTICE)


def _next_sentence(text: str, at: int) -> Range | None:
    """The sentence after one on renewal, if it speaks of the notice against it; None if it does not."""
    follows = _SENTENCE_START.search(text, max(0, at - 1), min(len(text), at + 20))
    start = follows.end() if follows else at
    said = _NOTICE_OF_IT.match(text, start)
    return said.span() if said else None


def find_caps(document: Document, spans: Sequence[Entity] = ()) -> tuple[Answer, ...]:
    """The amounts that limit liability, each once."""
    text = document.text
    clauses = _zones(document, spans, "Cap On Liability")
    zones = clauses or [(zone, "rule cap on liability", 0.72) for zone in sentences(text, _CAP)]
    found: dict[Money, Answer] = {}
    for (start, end), source, score in zones:
        if not clauses and not re.search(r"(?i)\bliab", text[start:end]):
            continue
        for match in _MONEY.finditer(text, start, end):
            value = parse_value(match[0], "money")
            if isinstance(value, Money):
                found.setdefault(
                    value, cell(document, *match.span(), label="caps", source=source, score=score, value=value)
                )
    return tuple(found.values())
