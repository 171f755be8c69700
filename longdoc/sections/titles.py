"""Finds the title after a clause's number: ``4.2 Payment Terms. The Buyer shall ...``."""

from __future__ import annotations

import re

from longdoc.sections._rules import legal_rules

_LINE = re.compile(r"[ \t]*([^\n]{0,200})")
_NEXT = re.compile(r"\s{1,6}(?=[A-Z“\"])")
_NUMBERED = re.compile(r"\(?[\w.]{1,6}[.)]\s|(?i:article|section|exhibit|schedule)\s")
_RUN_IN = re.compile(r"[^.:\n]{2,110}?(?:(?<!\bNo)(?<!\bInc)(?<!\bCo)[.:]|\s[-–—])(?=\s|$|[“\"(])")
_CAPITALS = re.compile(r"[A-Z][A-Z&,/’'\- ]{3,100}[A-Z](?=\s[A-Z][a-z]|\s[“\"(]|$)")
_SMALL = frozenset("a an and as at by de for from in into its of on or per the to upon with without vs nor but".split())
_MOST_WORDS = 14


def title_at(text: str, end: int) -> tuple[str, int]:
    """The title that follows a number, and where it ends; ``("", end)`` where the clause runs on without one.

    Args:
        text: the document's text.
        end: where the number ends.
    """
    line = _LINE.match(text, end)
    start, rest = (line.start(1), line[1]) if line else (end, "")
    dash = re.match(r"[-–—:.\s]+", rest)
    if dash:
        start, rest = start + dash.end(), rest[dash.end() :]
    if not rest.strip():
        following = _NEXT.match(text, start)
        line = _LINE.match(text, following.end()) if following else None
        if line is None or _NUMBERED.match(line[1]):
            return "", end
        start, rest = line.start(1), line[1]
    length = _title_length(rest)
    title = rest[:length].rstrip(" \t.:-–—;")
    return (title.strip("_ "), start + length) if title else ("", end)


def _title_length(line: str) -> int:
    """How many characters of the line are a title; 0 for none."""
    run_in = _RUN_IN.match(line)
    if run_in and is_heading(run_in[0].rstrip(".:-–— "), most_plain=8 if line[run_in.end() :].strip() else 2):
        dashed = run_in[0].endswith(("-", "–", "—")) and is_heading(line.rstrip())  # "GOVERNING LAW - ARBITRATION"
        return len(line.rstrip()) if dashed else run_in.end()
    capitals = _CAPITALS.match(line)
    if capitals and len(capitals[0]) > 5:
        return capitals.end()
    whole = line.rstrip()
    short = len(whole) < 120 and whole[-1:] not in ",;."
    return len(whole) if short and is_heading(whole.rstrip(":")) else 0


def is_heading(words: str, *, most_plain: int = 8) -> bool:
    """Whether the words read as a heading: few, capitalised, or at least no sentence.

    Args:
        words: the candidate, without its final mark.
        most_plain: how many words it may have if not all that matter are capitalised.

    >>> is_heading("Payment of Expenses"), is_heading("the Buyer shall pay"), is_heading("Best efforts")
    (True, False, True)
    """
    tokens = re.findall(r"[^\s,;/()]+", words)
    if not tokens or len(tokens) > _MOST_WORDS or not (words[0].isupper() or words[0] in '“"[') or words[0] in '“"':
        return False
    content = [token for token in tokens if token.lower() not in _SMALL and token[0].isalpha()]
    if all(token[0].isupper() for token in content):
        return bool(content)
    return len(tokens) <= most_plain and not any(token.lower() in legal_rules().sentence_words for token in tokens)
