"""Finds the title after the number of a clause: ``4.2 Payment Terms. The Buyer shall ...``."""

from __future__ import annotations

import re

from longdoc.sections.tables import legal_table

_LINE = re.compile(r"[ \t]*([^\n]{0,200})")
_NEXT = re.compile(r"(?:\s{1,4}[-_=]{3,})?\s{1,6}(?=[A-Z“\"])")
_FILLER = re.compile(r"(?:[-–—:.\s]|\[[^\[\]\n]{2,80}\])+")
"""Punctuation before a title, and the bracketed words of some drafts: ``3.06 [Reporting]. Reporting.``"""
_NUMBERED = re.compile(r"\(?(?:\d[\w.]{0,5}|[A-Za-z]|[ivxIVX]{1,5})[.)]\s")
_UNIT = re.compile(r"(?i:article|section|exhibit|schedule|annex|appendix)\s[\dA-Z]{1,3}\b")
_RUN_IN = re.compile(
    r"(?:[^.:\n]|\.(?=\w)|(?:(?<=\b[A-Za-z])|(?<=\bNo)|(?<=\bInc))\.(?!\w)){2,110}?(?:(?<!\b[A-Za-z])\.|:|\s[-–—])(?=\s|$|[“\"(\[_])"
)
_CAPITALS = re.compile(r"[A-Z][A-Z&,/’'()\- ]{3,100}[A-Z)](?=\s[A-Z][a-z]|\s[“\"]|\s\d+\.\d|\s\(?[a-z]{1,4}\)|$)")
_SENTENCE = re.compile(
    r"\s(?=(?:All|Any|Each|Either|Except|During|If|In the|It is|Neither|No|Nothing|Notwithstanding|Subject to|The|This|"
    r"Upon)\s[A-Za-z]+\s[a-z])"
)
"""The start of a sentence directly after a title: ``5.4 Relationship of Parties This Agreement is ...``."""
_SECOND_LINE = re.compile(r"\n(?!\(?\w{1,5}[.)]\s|[A-Z]+\s[\dA-Z]{1,4}\n)[^a-z\n\d]{3,120}(?=\n|$)")
"""The second line of a title in capitals."""
_FUNCTION_WORDS = frozenset(
    """a an and any are as at be but by de does each for from if in into is it its no nor not of on or our per such that
    the their these this those to upon vs which with without your""".split()
)
_MAX_WORDS = 14


def title_at(text: str, end: int) -> tuple[str, int]:
    """The title after a number and the offset of its end; ``("", end)`` if the clause has no title.

    Args:
        text: the document's text.
        end: offset of the end of the number.
    """
    line = _LINE.match(text, end)
    start, rest = (line.start(1), line[1]) if line else (end, "")
    filler = _FILLER.match(rest)
    if filler:
        start, rest = start + filler.end(), rest[filler.end() :]
    if not rest.strip():
        following = _NEXT.match(text, start)
        line = _LINE.match(text, following.end()) if following else None
        if line is None or _UNIT.match(line[1]):
            return "", end
        start, rest = line.start(1), line[1]
    if _NUMBERED.match(rest):
        return "", end
    stop = start + _title_length(rest)
    if stop == start + len(rest.rstrip()) and rest.isupper():
        second = _SECOND_LINE.match(text, stop)
        stop = second.end() if second else stop
    title = " ".join(text[start:stop].split()).rstrip(" .:-–—;").strip("_ ")
    return (title, stop) if title else ("", end)


def _title_length(line: str) -> int:
    """The length of the title at the start of a line, in characters; 0 if there is none."""
    run_in, capitals = _RUN_IN.match(line), _CAPITALS.match(line)
    if capitals and " " in capitals[0] and not (run_in and run_in.end() <= capitals.end() + 1):
        return capitals.end()
    if run_in and is_heading(run_in[0].rstrip(".:-–— "), max_plain=6 if line[run_in.end() :].strip() else 2):
        dashed = run_in[0].endswith(("-", "–", "—")) and is_heading(line.rstrip())  # "GOVERNING LAW - ARBITRATION"
        return len(line.rstrip()) if dashed else run_in.end()
    sentence = _SENTENCE.search(line, 0, 100)
    if sentence and is_heading(line[: sentence.start()], max_plain=0):
        return sentence.start()
    whole = line.rstrip()
    short = len(whole) < 120 and (whole.isupper() or whole[-1:] not in ",;.")
    return len(whole) if short and is_heading(whole.rstrip(":;,")) else 0


def is_heading(words: str, *, max_plain: int = 6) -> bool:
    """Whether words read as a heading: few of them, capitalised or at least not a sentence.

    Args:
        words: the candidate, without its final punctuation.
        max_plain: maximum number of content words if not all of them are capitalised.

    >>> is_heading("Payment of Expenses"), is_heading("the Buyer shall pay"), is_heading("Best efforts")
    (True, False, True)
    """
    tokens = re.findall(r"[^\s,;/]+", re.sub(r"\([^()]*\)", " ", words))
    odd = not words[:1].isupper() or set(words) & set("=$") or len(tokens) > _MAX_WORDS
    if not tokens or odd or tokens[-1].lower() in _FUNCTION_WORDS:
        return False
    content = [token for token in tokens if token.lower() not in _FUNCTION_WORDS and token[0].isalpha()]
    capitals = sum(token[0].isupper() for token in content)
    sentence = [token.lower() in legal_table().sentence_words for token in tokens]
    if capitals == len(content):
        return words.isupper() or not sentence[0]
    is_short = len(content) <= max_plain or 3 * capitals >= 2 * len(content) > 6
    return is_short and not any(sentence) and tokens[0].lower() not in _FUNCTION_WORDS
