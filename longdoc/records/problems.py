"""Problems in a note, each present, past or possible; what is denied, and what runs in the family."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.records.cells import cell
from longdoc.records.passages import Passage, Range, items, lines, sentences, trim
from longdoc.records.wording import contexts_of

_ASSESSED = ("assessment", "assessment and plan", "diagnosis", "impression", "problems", "discharge diagnosis",
             "admission diagnosis", "postoperative diagnosis", "health concerns")  # fmt: skip
_HISTORY = ("medical history", "past medical history")
_TOLD = (
    "history of present illness",
    "hospital course",
    "subjective",
    "",
    "chief complaint",
    "reason for visit",
    "heading",
)
_DENIED = (*_TOLD, *_HISTORY, "review of systems")
_FAMILY = ("family history", "family and social history")
_LABELS = ("DISEASE", "PROBLEM", "DISORDER", "CONDITION", "DIAGNOSIS")

_VERB = re.compile(
    r"(?i)\b(?:is|was|are|were|has|have|had|will|would|can|could|may|should|be|been|presents?|presented|reports?|discussed|recommend(?:ed)?|continue[sd]?|ordered"
    r"|advised|demonstrate[sd]?|reveal(?:s|ed)?|shows?|showed|appears?|seems?|experienc\w+|underwent|receiving|hospitalized|said|thinks?|remember|unaware|noncompliant|occurred|leaving|repeat|start|refer(?:red)?|follow(?:ed)?|schedule[sd]?|monitor|encouraged|suspect|see|obtain|return"
    r"|understands?|agrees?|increase[sd]?|decrease[sd]?|diagnosed|denies|states?|stating|takes?|taking|took|uses?|using|forgets?|found|sustained|smok\w+|drinks?|alcohol|we|i|my|she|he|they|patient's)\b"
)
_NOT_PROBLEMS = re.compile(
    r"(?i)^(?:essentially\s+|otherwise\s+|(?:but\s+)?now\s+)*(?:annual\s.*|(?:routine\s|health\s?care\s|health\s)maintenance.*|preventive.*|follow[- ]?up.*|patient\s+(?:agreements?|education).*|medical\s+(?:reasoning|treatment).*"
    r"|additional\s+testing.*|specialist\s+referrals?.*|(?:pre-?op(?:erative)?|physical|annual)\s+exam\w*.*|none\b.*|n/?a|negative|normal\b.*|pap\s+smear|mammogram|vaccin\w+.*|immuni[sz]ation.*|unremarkable|non-?contributory|medical|surgical|plan|assessment|impression"
    r"|no\s.*|see\s.*|as\s+above.*|otherwise\b.*|colonoscopy|(?:blood\s+)?transfusions?|screening\b.*|wellness.*|medications?|procedures?|diagnos[ie]s|as\s+(?:noted|follows).*|significant|(?:essentially\s+|largely\s+)?unchanged.*|as\s+(?:above|stated).*|symptoms\b.*|.*\bhistory|there|resolved|stable|today|weight|mood|note|unknown)$"
)
_QUALITY = re.compile(
    r"(?i)\s*(?:,\s*|\s[-–]\s|\s\()(?:(?:currently\s+|now\s+|well[- ]|poorly[- ]|un|not\s+)?controlled|stable|unstable|resolved|resolving|improving|improved|worsening|active|chronic|acute|new|ongoing|unspecified|status\s+post\b.*"
    r"|likely\b.*|most\s+likely\b.*|probable\b.*|possible\b.*|possibly\b.*|secondary\s+to\b.*|due\s+to\b.*|rule\s+out\b.*|with(?:out)?\b.*|on\s.*|currently\b.*|in\s+remission|initial\s+encounter|recurrent|inactive|although\b.*|by\s.*|as\b.*|which\b.*|treated\b.*|diagnosed\b.*|since\b.*|for\b.*)\)?$"
)
"""What is said of a problem after its name."""
_BEFORE = re.compile(
    r"(?i)^(?:(?:newly|recently)\s+diagnosed\s+|(?:new|newly)[- ]found\s+|(?:ed\s+|er\s+|hospital\s+)?follow[- ]?up\s+(?:of|for|on|and)\s+|(?:(?:a|the|his|her|this|an|personal|known|previous|prior|past|remote|long-?standing)\s+)?(?:history|hx|diagnosis)\s+of\s+|h/o\s+|s/p\s+|status\s+post\s+|(?:a|an|the|his|her|some|also|both|possible|probable|likely|suspected|\?|new|of|and|prior|previous|either)\s+|\?|\(\+\)\s*)+"
)
_CAUSE = re.compile(
    r"(?i),?\s+(?:most\s+)?(?:likely|possibly|probably)\s+(?:due\s+to|secondary\s+to|from|representing)?\s*|,\s+(?:possible|probable|suspected|likely)\s+|\s+(?:due|secondary)\s+to\s+"
)
_HISTORY_OF = re.compile(
    r"(?i)\b(?:(?:past\s+)?(?:medical\s+|surgical\s+)?history\s+(?:is\s+|was\s+)?(?:also\s+)?(?:significant|notable|remarkable|positive|pertinent)?\s*(?:for|of|includes|including)"
    r"|(?:newly\s+|recently\s+|was\s+|been\s+)*diagnosed\s+(?:with|as\s+having)|(?:newly|recently)\s+diagnosed(?!\s+(?:with|as|in))|known\s+(?:case\s+of|to\s+have)|(?:carries|has)\s+a\s+diagnosis\s+of|is\s+a\s+known|suffers?\s+from|(?:long[- ])?history\s+of|h/o|hx\s+of)\s*:?\s+"
)
_LIST_END = re.compile(
    r"(?i)[.;:]\s|[.;:]$|\b(?:who|that|which|she|he|it|they|presents?|presenting|but|however|here|seen|and\s+(?:is|was|has|he|she|presents?|recently|underwent)"
    r"|(?P<verb>is|was|were|are|has|have|had|does|did|doesn't|requires?|required|claims?|stated?|stated|quit|underwent))\b"
)
_ITEM_CUT = re.compile(
    r"(?i)\s+(?:for\s+(?:which|the|a|an|about|over|many|\d+)|with\s+(?:the\s+)?(?:his|her|last|use)|in\s+(?:the\s+past|the\s+\d|\d|early|late|(?:january|february|march|april|may|june|july|august|september|october|november|december))"
    r"|by\s|since|when|after|before|treated|on\s+\d|at\s|from\s|last|this|during|approximately|about|\d+\s+(?:years?|months?|weeks?)|secondary|due|being|currently|today|done|now|many|several\s+years).*$",
    re.DOTALL,
)
"""What is said of one condition in a list, after its name."""
_LEAD = re.compile(
    r"(?i)^(?:(?:the\s+|this\s+)?(?:patient|pt|he|she|mr\.?\s\w+|mrs\.?\s\w+|ms\.?\s\w+)(?:['’]s)?\s+)?(?:(?:also|currently|does|reports?|reported|states|admits|endorses|has|have|had|is|was|a|an|the|personal|past|medical|prior|previous|known|long|her|his|remarkable|notable|pertinent"
    r"|history|hx|significant|positive|include[sd]?|including|consists?|diagnosed|with|of|for|only|otherwise|that|she|he|to|be|inclusive)[\s:]+)*"
)
_SUBJECT = re.compile(r"(?i)(?:the\s+|this\s+)?(?:patient|pt|he|she|mr\.?\s\w+|mrs\.?\s\w+|ms\.?\s\w+)\s+")
_DENIES = re.compile(
    r"(?i)\b(?:denies|denied|denying|negative\s+for|without|no\s+(?:history\s+of|evidence\s+of|complaints?\s+of)?|absence\s+of)\s*(?=\w)"
)
_DENIAL_END = re.compile(
    r"(?i)[.;:]\s|[.;:]$|\b(?:but|however|although|though|except|aside|endorses|reports?|reported|which|who|because|since|she|he|when|at\s+this\s+time|today|admits|positive|on\s+(?:exam|physical|her|his)|noted|that|with|other\s+than|has|is|was|were|are|to|been|significant)\b"
)
_FILLER = re.compile(
    r"(?i)^(?:(?:any|other|a|an|the|history\s+of|evidence\s+of|known|current|recent|new|such\s+as|having|ever|his|her|of|use|previous|prior|further|significant|experiencing|feeling|developing|symptoms?\s+of|or|and|associated)\s+)+|^(?:any|other)$"
)
_NO_FINDING = re.compile(
    r"(?i)\b(?:tobacco|alcohol|smok\w+|drugs?|symptoms?|complaints?|concerns?|issues|problems?|changes?|medications?|treatment|knowledge|surger\w+|history|relief|difficulty|known|further|longer|specific|else|others?)\b|^(?:any|he|she|it|all|medical)$|^(?:using|utili[sz]ing|taking|needing|hearing|exercis\w+|being|doing|ever)\b"
)
_DANGLING = re.compile(r"(?i)(?:\s+(?:at|in|of|with|for|to|on|from|his|her|the|before|recently))+$")
_RELATIVE = re.compile(
    r"(?i)\b(?:(?:maternal|paternal|twin|half|older|younger|great)[- ])*(?:mother|father|mom|dad|brothers?|sisters?|siblings?|sons?|daughters?|aunts?|uncles?|cousins?|grand(?:mother|father|parents?)|parents?|family)\b(?:\s+members?)?"
)
_HAS = re.compile(
    r"(?i)(?:\b(?:has|have|had|with|of|positive\s+for|from|for|diagnosed\s+with|includes?|both|significant\s+for)\b\s*(?:a\s+)?(?:history\s+of\s+)?|[:–-]\s+)"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition that a note names."""

    name: Answer
    status: str
    """``"present"``, ``"past"``, ``"possible"``, ``"negated"`` or ``"family"``."""
    relative: str = ""
    """Who in the family has it."""


def find_problems(document: Document, found: Sequence[Passage], entities: Iterable[Entity] = ()) -> tuple[Problem, ...]:
    """The patient's problems: assessed ones, those of the history, and those that the story names as diagnosed.

    Args:
        document: the note.
        found: its passages.
        entities: diseases that a head found; in an assessment of prose, which lists nothing, they are the problems.
    """
    diseases = [entity for entity in entities if entity.label.upper() in _LABELS]
    candidates: list[Problem] = []
    for passage in (each for each in found if each.kind in _ASSESSED):
        listed = list(_assessed(document, passage))
        candidates += listed or [p for e in diseases if (p := _entity_problem(document, passage, e))]
    for passage in (each for each in found if each.kind in _HISTORY):
        candidates += _history(document, passage)
    for passage in (each for each in found if each.kind in (*_TOLD, *_ASSESSED, *_HISTORY)):
        candidates += _told(document, passage)
    return tuple(_distinct(each for each in candidates if each.status not in ("negated", "family")))


def find_negated(document: Document, found: Sequence[Passage]) -> tuple[Problem, ...]:
    """What the note says that the patient does not have."""
    text, negated = document.text, []
    for passage in (each for each in found if each.kind in _DENIED):
        for start, end in sentences(text, passage.start, passage.end):
            for match in _DENIES.finditer(text, start, end):
                stop = _DENIAL_END.search(text, match.end(), end)
                for a, b in items(text, match.end(), stop.start() if stop else end):
                    a, b = _without(text, a, b, _FILLER)
                    b = a + len(_DANGLING.sub("", text[a:b]))
                    if (
                        a < b
                        and len(text[a:b].split()) <= 6
                        and not _NO_FINDING.search(text[a:b])
                        and not _RELATIVE.search(text[start:a])
                    ):
                        name = cell(document, a, b, label="negated", source=_source(passage), score=0.85)
                        negated.append(Problem(name, "negated"))
    return tuple(_distinct(negated))


def find_family(document: Document, found: Sequence[Passage]) -> tuple[Problem, ...]:
    """The conditions of relatives, where the section of the family history or the story names them."""
    text, known = document.text, []
    for passage in (each for each in found if each.kind in (*_FAMILY, *_TOLD, *_HISTORY)):
        is_family = passage.kind == "family history"
        for start, end in sentences(text, passage.start, passage.end):
            relative = _RELATIVE.search(text, start, end)
            if not relative and not is_family:
                continue
            begin = relative.end() if relative else start
            has = _HAS.search(text, begin, min(end, begin + 60)) if relative else None
            if (relative and not has) or _is_denied(text[start:end], is_family):
                continue
            lead = _LEAD.match(text[start:end])
            for a, b in items(text, has.end() if has else start + (lead.end() if lead else 0), end):
                a, b = _without(text, a, b, _BEFORE)
                b = a + len(re.sub(r"(?i)\s+in\s+(?:his|her|the|their)\b.*", "", text[a:b], flags=re.DOTALL))
                if (
                    a < b
                    and not _RELATIVE.match(text[a:b])
                    and len(text[a:b].split()) <= 5
                    and not _VERB.search(text[a:b])
                    and not re.search(
                        r"(?i)\b(?:unknown|works?|known|health\w*|deceased|alive|age[ds]?|adopted|none|years?|one|no)\b|\d",
                        text[a:b],
                    )
                ):
                    name = cell(document, a, b, label="family history", source=_source(passage), score=0.8)
                    known.append(Problem(name, "family", relative.group() if relative else ""))
    return tuple(_distinct(known))


def _is_denied(sentence: str, is_family: bool) -> bool:
    return bool(
        re.search(
            r"(?i)\b(?:no|denies|denied|negative|not|without|non-?contributory|unremarkable|absence|healthy|none)\b",
            sentence,
        )
    ) or (not is_family and not re.search(r"(?i)\b(?:has|have|had|history|diagnosed|died)\b", sentence))


def _source(passage: Passage) -> str:
    return f"section {passage.kind}" if passage.kind else "rule"


def _assessed(document: Document, passage: Passage) -> Iterator[Problem]:
    """The lines of an assessment that name a problem: short, and no sentence."""
    text = document.text
    for start, end in lines(text, passage.start, passage.end):
        for a, b in _numbered(text, start, end):
            words = text[a:b]
            label = re.match(r"[^:.]{2,40}:(?=\s|$)", words)
            if label and not re.match(r"(?i)(?:diagnos[ie]s|assessment|impression|problems?)\b", words):
                if passage.kind != "problems":
                    continue
            elif label:
                a += label.end()
            yield from _problem(document, a, b, passage)


def _numbered(text: str, start: int, end: int) -> Iterator[Range]:
    """The numbered items on one line, or the line."""
    starts = [start, *(m.start() + 1 for m in re.finditer(r"\s(?=\d{1,2}[.)]\s+[A-Z])", text[start:end]))]
    starts = [start, *(start + at for at in starts[1:])]
    for a, b in zip(starts, [*starts[1:], end], strict=True):
        number = re.match(r"\d{1,2}[.)]\s+", text[a:b])
        yield a + (number.end() if number else 0), b


def _problem(document: Document, start: int, end: int, passage: Passage) -> Iterator[Problem]:
    """The problem that a line names, with the cause that it supposes."""
    text = document.text
    start, end = trim(text, start, end)
    line, status = text[start:end], ""
    if passage.kind in ("problems", "health concerns") and (cut := re.search(r"\t|:\s|\s-\s|;\s|\s\(", line)):
        said = contexts_of(line, 0, cut.start())
        status = (
            "negated"
            if re.search(r"(?i)\b(?:refuted|entered-in-error|negated|ruled out)\b", line[cut.end() :])
            else (
                "past"
                if "past" in said
                or re.search(r"(?i)\b(?:resolved|inactive|remission|abated|completed)\b", line[cut.end() :])
                else ""
            )
        )
        line = line[: cut.start()]
        end = start + len(line)
    if re.search(r"\.\s+[A-Z]", line) and len(line.split()) > 12:
        return
    cause = _CAUSE.search(line)
    parts = [(start, start + cause.start()), (start + cause.end(), end)] if cause and cause.start() else [(start, end)]
    for number, (a, b) in enumerate(parts):
        if quality := _QUALITY.search(text[a:b]):
            b = a + quality.start()
        own, b = _without(text, a, b, _BEFORE)
        words = text[own:b]
        if not _may_be_problem(words):
            continue
        contexts = contexts_of(text[start:end], own - start, b - start)
        told = (
            "negated"
            if "negated" in contexts
            else "possible"
            if number or "possible" in contexts
            else "past"
            if "past" in contexts
            else "present"
        )
        score = {"present": 0.9, "past": 0.85}.get(told, 0.45)
        yield Problem(cell(document, own, b, label="problem", source=_source(passage), score=score), status or told)


def _may_be_problem(words: str) -> bool:
    return (
        2 < len(words)
        and len(words.split()) <= 12
        and not _VERB.search(words)
        and not _NOT_PROBLEMS.match(words)
        and words[0].isalnum()
    )


def _without(text: str, start: int, end: int, lead: re.Pattern[str]) -> Range:
    """A range without what leads to it."""
    match = lead.match(text[start:end])
    return trim(text, start + (match.end() if match else 0), end)


def _history(document: Document, passage: Passage) -> Iterator[Problem]:
    """The conditions that the medical history lists, in lines or in sentences."""
    text, is_medical = document.text, True
    for start, end in sentences(text, passage.start, passage.end):
        sentence = text[start:end]
        if heading := re.fullmatch(
            r"(?i)(medical|surgical|procedures?|medications?|social|hospitalizations?|family|allergies)[:.]?", sentence
        ):
            is_medical = heading[1].lower() == "medical"
            continue
        label = re.match(r"(?i)(?!.*\b(?:surg|psych|family|social|allerg|medications))[\w ]{3,40}:\s+(?=\S)", sentence)
        start += label.end() if label else 0
        sentence = text[start:end]
        lead = _LEAD.match(sentence)
        begin = start + (lead.end() if lead else 0)
        stop = _LIST_END.search(text, begin, end)
        is_said = stop is not None and bool(stop["verb"])  # "Baby was born premature": what precedes is no condition
        is_told = bool(_HISTORY_OF.search(sentence, 0, begin - start + 1))  # read by the rule for stories
        if not is_medical or is_said or is_told or _SUBJECT.fullmatch(sentence[: begin - start]):
            continue
        is_list = not _VERB.search(text[begin : stop.start() if stop else end])
        if is_list and begin < end:
            yield from _listed(document, begin, stop.start() if stop else end, (start, end), passage, "past")


def _told(document: Document, passage: Passage) -> Iterator[Problem]:
    """The conditions after words such as "history significant for" and "diagnosed with"."""
    text = document.text
    for start, end in sentences(text, passage.start, passage.end):
        for match in _HISTORY_OF.finditer(text, start, end):
            stop = _LIST_END.search(text, match.end(), end)
            yield from _listed(document, match.end(), stop.start() if stop else end, (start, end), passage, "past")


def _listed(
    document: Document, start: int, stop: int, sentence: Range, passage: Passage, status: str
) -> Iterator[Problem]:
    """The conditions of a list."""
    text = document.text
    for a, b in items(text, start, stop):
        a = _without(text, a, b, _BEFORE)[0]
        b = a + len(_ITEM_CUT.sub("", text[a:b]))
        if quality := _QUALITY.search(text[a:b]):
            b = a + quality.start()
        a, b = _without(text, a, b, _BEFORE)
        if a >= b or not _may_be_problem(text[a:b]) or len(text[a:b].split()) > 8:
            continue
        contexts = contexts_of(text[slice(*sentence)], a - sentence[0], b - sentence[0])
        told = next((each for each in ("negated", "family", "possible") if each in contexts), status)
        score = 0.45 if told == "possible" else 0.85
        yield Problem(cell(document, a, b, label="problem", source=_source(passage), score=score), told)


def _entity_problem(document: Document, passage: Passage, entity: Entity) -> Problem | None:
    """A disease that a head found in an assessment."""
    if not passage.start <= entity.start < passage.end:
        return None
    text = document.text
    around = next((s for s in sentences(text, passage.start, passage.end) if s[0] <= entity.start < s[1]), None)
    if around is None:
        return None
    contexts = contexts_of(text[slice(*around)], entity.start - around[0], entity.end - around[0])
    told = next((each for each in ("negated", "family", "possible", "past") if each in contexts), "present")
    name = cell(document, entity.start, entity.end, label="problem", source=entity.source, score=0.8 * entity.score)
    return Problem(name, told)


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, under its first name; one that is present anywhere is present."""
    found: dict[str, Problem] = {}
    for new in problems:
        key = _key(new.name.text)
        same = next((known for known in found if _is_part(known, key) or _is_part(key, known)), None)
        if same is None:
            found[key] = new
    return list(found.values())


def _key(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower().replace("type ii", "type 2").replace("mellitus", ""))
    return " ".join(sorted(words))


def _is_part(known: str, new: str) -> bool:
    """Whether all words of one name are in the other: "diabetes" and "diabetes type 2"."""
    return set(new.split()) <= set(known.split())
