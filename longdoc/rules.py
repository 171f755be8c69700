"""Rule-based entities: dates, money, statutes, doses and anything else a pattern can describe, by spaCy's EntityRuler.

>>> rules = Rules.load("general")
>>> text = "Rent of $1,200 is due within thirty (30) days."
>>> [(span.label, text[span.start : span.end]) for span in rules.find(text)]
[('MONEY', '$1,200'), ('DURATION', 'thirty (30) days')]

A rule file is YAML. A pattern has spaCy's own form: a phrase, or a list with one mapping per token of
``spacy.blank("en")``::

    rules:
      - {label: COURT, pattern: Court of Chancery}
      - {label: DOCKET, pattern: [{LOWER: docket}, {LOWER: {IN: ["no", "no."]}}, {IS_DIGIT: true}]}

longdoc adds the following:

- ``parts``, the other key of a file, holds what YAML aliases refer to; a list inside a pattern is expanded in place.
- ``strip`` of a rule lists characters to remove from both ends of a match.
- The label ``O`` marks text as not an entity: where such a match is the longest, it suppresses the others.
- A rule of your own that may take very long is refused: with many optional or repeated tokens, or a regular expression
  whose repeats can match one text in many ways.
- White space matches as one space, so a pattern crosses the end of a line, but not an empty line. Emoticons are not
  tokens: ``(8)`` is three tokens, like ``(7)``.
"""

from __future__ import annotations

import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from longdoc.arguments import names_in
from longdoc.backtracking import why_slow
from longdoc.config import load_yaml
from longdoc.edits import Edit, Edits
from longdoc.errors import ConfigError, did_you_mean, require
from longdoc.labels import OUTSIDE, Span

if TYPE_CHECKING:
    from spacy.language import Language

RULES = "rules"
"""Name of the task that applies the rules."""
SHIPPED = Path(__file__).parent / "assets" / "rules"
WORDS = ("TEXT", "ORTH", "LOWER", "NORM", "SHAPE", "PREFIX", "SUFFIX")
ATTRIBUTES = (
    *WORDS,
    *"LENGTH SPACY OP".split(),
    *"IS_ALPHA IS_ASCII IS_BRACKET IS_CURRENCY IS_DIGIT IS_LEFT_PUNCT IS_LOWER IS_PUNCT IS_QUOTE".split(),
    *"IS_RIGHT_PUNCT IS_SPACE IS_STOP IS_TITLE IS_UPPER LIKE_EMAIL LIKE_NUM LIKE_URL".split(),
)
"""Attributes that a token pattern may test: those that spaCy sets without a trained pipeline."""

MAX_TOKENS = 200
MAX_OPTIONAL = 24
MAX_ALIKE = 12
MAX_OPEN = 4
"""What a pattern of a user may have: tokens, optional ones, optional ones that test the same, and those with * or +."""
_COUNTED = re.compile(r"\{(?=,?\d)(\d*)(?:,(\d*))?\}", re.ASCII)

_SUBSTITUTES = {0x2010: "-", 0x2011: "-", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
# White space other than one space; zero-width characters; runs so long that spaCy's tokenizer takes quadratic time.
_IRREGULAR = re.compile(r"[^\S ]\s*| \s+|[\xad\u200b\u2060\ufeff]+|(?:_{16}|[^\w\s]{16}|\S{1000})(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A label and the pattern of the text to give it to."""

    label: str
    """Label of the spans; ``O`` suppresses the spans of other rules."""
    pattern: Any
    """A phrase, or a list of spaCy token patterns, each a mapping; a list inside is expanded in place."""
    id: str | None = None
    """A name for the rule, shown in messages."""
    strip: str = ""
    """Characters to remove from both ends of the span: the tokenizer keeps the period of "Exhibit B."."""

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ValueError("label is empty; give the label of the spans, such as DATE")
        if not isinstance(self.pattern, (str, list)):
            raise ValueError(
                f"pattern: expected a phrase (str) or a list of token patterns such as [{{LOWER: section}}, "
                f"{{IS_DIGIT: true}}], got {self.pattern!r:.80} ({type(self.pattern).__name__})"
            )
        if not (_plain(self.pattern)[0].strip() if isinstance(self.pattern, str) else self.tokens):
            raise ValueError("pattern is empty; give a phrase or at least one token, or remove the rule")
        for number, token in enumerate(self.tokens):
            _check_token(token, f"pattern[{number}]")

    @property
    def tokens(self) -> list[Any]:
        """The token patterns as one flat list; empty for a phrase."""
        return [] if isinstance(self.pattern, str) else list(_flat(self.pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """The content of a rule file."""

    rules: tuple[Rule, ...]
    """The rules; of overlapping matches, the longest counts."""
    parts: dict[str, Any] = field(default_factory=dict)
    """Parts of patterns, defined by YAML anchors (``&month``) and used as aliases (``*month``)."""

    def __post_init__(self) -> None:
        if not self.rules:
            raise ValueError(
                "rules is empty; give at least one rule, such as {label: COURT, pattern: Court of Chancery}"
            )


class Rules:
    """The rules of one or more files, compiled on first use. Can be pickled."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.labels = tuple(dict.fromkeys(rule.label for rule in self.rules if rule.label != OUTSIDE))
        """Labels of the spans, in the order of the rules."""

    @classmethod
    def load(cls, *sources: str | PathLike[str]) -> Rules:
        """Loads the rules of all sources.

        Args:
            sources: ``"default"`` for all shipped files, the name of one (``"general"``, ``"legal"``, ``"clinical"``),
                or the path of a YAML file. Rules of later sources follow those of earlier ones.

        Raises:
            ConfigError: a file is missing or not a rule file, or spaCy rejects a pattern; the message names the file,
                the index of the rule, what was given and what is allowed.
            MissingDependencyError: spaCy is not installed, and a file is not a shipped one; ``find`` raises it, too.
        """
        if not sources:
            raise ConfigError(f"no rules to load; give 'default' or {_choices()}")
        paths = dict.fromkeys(path for source in sources for path in _paths(source))
        return cls([rule for path in paths for rule in _read(path)])

    @classmethod
    def of(cls, named: str | PathLike[str] | Sequence[str | PathLike[str]]) -> Rules:
        """The rules of one source, or of several, as :meth:`load` takes them.

        Raises:
            ConfigError: as for :meth:`load`, or it is something else.
        """
        one = isinstance(named, (str, PathLike))
        return cls.load(*([named] if one else names_in("rules", named, f"'default', {_choices()}", str, PathLike)))

    def find(self, text: str) -> list[Span]:
        """Finds the spans of all rules, sorted by start.

        Spans do not overlap: the longest match wins, then the leftmost, then the one of the later rule. A span neither
        begins nor ends with white space.

        Time is linear in the length of the text times the number of rules (about 0.1 microseconds per token and rule).
        In a pattern, each token that ``+`` or ``*`` can extend over adds as much again, and ``{0,n}`` up to ``2**n``; a
        run of tokens that all match one with ``+`` takes the square of its length.

        Args:
            text: any string. Offsets of the spans count its code points.
        """
        plain, origins = _plain(text)
        taken = np.zeros(len(plain), bool)
        spans = []
        for start, end, number in sorted(
            self._matches(plain), key=lambda match: (match[0] - match[1], match[0], -match[2])
        ):
            # Earlier matches are at least as long, so one that overlaps this match covers its first or last character.
            if not (taken[start] or taken[end - 1]):
                taken[start:end] = True
                range_ = int(origins[start, 0]), int(origins[end - 1, 1])
                spans.append(Span(*range_, self.rules[number].label))
        return sorted((span for span in spans if span.label != OUTSIDE), key=lambda span: span.start)

    def _matches(self, plain: str) -> Iterator[tuple[int, int, int]]:
        """Start, end and rule number of every match that is not empty once its ends are stripped."""
        nlp: Any = self._nlp
        doc = nlp.make_doc(plain)
        for key, first, last in nlp.get_pipe("entity_ruler").match(doc):
            number = int(nlp.vocab.strings[key])
            stripped = self.rules[number].strip + string.whitespace
            start, end = doc[first].idx, doc[last - 1].idx + len(doc[last - 1])
            while start < end and plain[start] in stripped:
                start += 1
            while start < end and plain[end - 1] in stripped:
                end -= 1
            if start < end:
                yield start, end, number

    @cached_property
    def _nlp(self) -> Language:
        """A blank English pipeline with an EntityRuler, whose labels are the indices of the rules."""
        nlp = _blank()
        ruler: Any = nlp.add_pipe("entity_ruler")
        ruler.add_patterns(
            [{"label": str(number), "pattern": _spacy_pattern(rule)} for number, rule in enumerate(self.rules)]
        )
        return nlp

    def __reduce__(self) -> tuple[type[Rules], tuple[tuple[Rule, ...]]]:
        return type(self), (self.rules,)

    def __repr__(self) -> str:
        return f"Rules({len(self.rules)} rules: {', '.join(self.labels)})"


def _plain(text: str) -> tuple[str, NDArray[np.int32]]:
    """Normalises the text for the tokenizer.

    Returns:
        the plain text, and an int32 array of shape ``(len(plain), 2)``: the range of ``text`` behind each character.
    """

    def edit(match: re.Match[str]) -> Edit:
        found = match.group()
        if not found[0].isspace():
            cut = found[0] not in "\xad\u200b\u2060\ufeff"
            return Edit(match.end(), match.end(), " ", "cut") if cut else Edit(*match.span(), "", "hidden")
        breaks = len(f"{found}.".splitlines()) - 1
        return Edit(*match.span(), "\n" if breaks > 1 else " ", "space")

    return Edits.of(map(edit, _IRREGULAR.finditer(text))).apply(text.translate(_SUBSTITUTES))


def _blank() -> Language:
    spacy = require("spacy", extra="rules", needed_by="Rules")
    from spacy.lang.tokenizer_exceptions import emoticons

    nlp: Language = spacy.blank("en")
    nlp.max_length = sys.maxsize
    # spaCy reads "8)" as an emoticon, and documents are full of "within eight (8) days".
    tokenizer: Any = nlp.tokenizer
    tokenizer.rules = {text: tokens for text, tokens in tokenizer.rules.items() if text not in emoticons}
    return nlp


def _spacy_pattern(rule: Rule) -> str | list[Any]:
    return _plain(rule.pattern.strip())[0] if isinstance(rule.pattern, str) else rule.tokens


def _paths(source: str | PathLike[str]) -> list[Path]:
    """The files that a source refers to."""
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if source == "default":
        return list(shipped.values())
    if isinstance(source, str) and source in shipped:
        return [shipped[source]]
    if not Path(source).is_file():
        hint = did_you_mean(source, ["default", *shipped]) or "."
        raise ConfigError(f"no rule file {str(source)!r}{hint} Give 'default' or {_choices()}")
    return [Path(source).resolve()]


def _choices() -> str:
    return f"{', '.join(repr(path.stem) for path in sorted(SHIPPED.glob('*.yaml')))}, or the path of a YAML file"


def _read(path: Path) -> tuple[Rule, ...]:
    """Reads the rules of a file and lets spaCy validate each pattern; of shipped files tests do that."""
    from_file = load_yaml(RuleFile, path)
    if path.parent == SHIPPED:
        return from_file.rules  # spaCy takes a second to load, and many programs use no rules
    for number, rule in enumerate(from_file.rules):
        if problem := _why_slow(rule):
            raise ConfigError(f"{path}: rules[{number}]: {problem}")
    nlp = _blank()
    from spacy.matcher import Matcher

    word = nlp.make_doc("word")
    for number, rule in enumerate(from_file.rules):
        if isinstance(rule.pattern, str):
            continue
        try:
            matcher = Matcher(nlp.vocab, validate=True)
            matcher.add(rule.label, [rule.tokens])
            matcher(word)
        except Exception as error:  # spaCy raises many types, each of them about the pattern
            name = f" ({rule.id})" if rule.id else ""
            raise ConfigError(
                f"{path}: rules[{number}]{name}: spaCy rejects the pattern {rule.pattern!r:.200}: "
                f"{' '.join(str(error).split())}; for the allowed form see https://spacy.io/api/matcher#patterns"
            ) from error
    return from_file.rules


def _check_token(token: Any, where: str) -> None:
    """Raises a ValueError if a token pattern is not a mapping or tests an unknown attribute."""
    if not isinstance(token, dict):
        raise ValueError(f"{where}: expected a mapping such as {{LOWER: section}}, got {token!r:.80}")
    for key, value in token.items():
        if isinstance(value, bool) and str(key).upper() in WORDS:
            raise ValueError(
                f"{where}: {key}: expected a word, got {value}; YAML reads no, yes, on and off as booleans: quote them"
            )
        if str(key).upper() not in ATTRIBUTES:
            hint = did_you_mean(str(key).upper(), ATTRIBUTES) or "."
            raise ValueError(f"{where}: unknown attribute {key!r}{hint} Attributes: {', '.join(ATTRIBUTES)}")


def _why_slow(rule: Rule) -> str:
    """Why finding a rule may take very long; empty if it may not."""
    n_tokens, n_open, optional = 0, 0, Counter[str]()
    last_open, n_alike, most_alike = "", 0, 0
    for number, token in enumerate(rule.tokens):
        tests = {str(key).upper(): value for key, value in token.items()}
        repeat = str(tests.pop("OP", "1"))
        if repeat not in ("1", "!", "?", "*", "+") and not _COUNTED.fullmatch(repeat):
            return f"pattern[{number}]: OP: {repeat!r:.40} is unknown; allowed: !, ?, *, + and counts such as {{2,5}}"
        low, high = _counts(repeat)
        is_open = repeat in ("*", "+") or repeat.endswith(",}")
        n_tokens += max(high, 1)
        optional[repr(tests)] += high - low
        n_open += is_open
        if is_open:
            n_alike = n_alike + 1 if last_open == repr(tests) else 1
            last_open, most_alike = repr(tests), max(most_alike, n_alike)
        elif low and last_open != repr(tests):
            last_open = ""
        if not tests and is_open:
            return f"pattern[{number}]: it matches all tokens to the end; test an attribute, or count: OP: '{{1,5}}'"
        for expression in _expressions(tests):
            if slow := why_slow(expression):
                return f"pattern[{number}]: the expression {expression!r:.80} may take very long: {slow}"
    counted = (
        ("tokens, those that a count repeats included", n_tokens, MAX_TOKENS),
        ("tokens with * or +, each of which multiplies the time", n_open, MAX_OPEN),
        ("tokens in a row with * or + that test the same; write one, with {2,}", most_alike, 1),
        ("optional tokens of one kind, each of which doubles the time", max(optional.values(), default=0), MAX_ALIKE),
        ("optional tokens", sum(optional.values()), MAX_OPTIONAL),
    )
    return next((f"pattern: {n:,} {what}; allowed: {allowed}" for what, n, allowed in counted if n > allowed), "")


def _counts(repeat: str) -> tuple[int, int]:
    """How often a token is repeated by a count as in ``{2,5}``, or by ``?``; none of the others has a bound."""
    if repeat == "?":
        return 0, 1
    match = _COUNTED.fullmatch(repeat)
    if match is None:
        return 1, 1
    low, high = (int((group or "").lstrip("0")[:9] or 0) for group in match.groups())
    return low, max(low, high)


def _expressions(value: Any, is_expression: bool = False) -> Iterator[str]:
    """The regular expressions in a token pattern."""
    if isinstance(value, dict):
        for key, own in value.items():
            yield from _expressions(own, is_expression or str(key).upper() == "REGEX")
    elif isinstance(value, list):
        for each in value:
            yield from _expressions(each, is_expression)
    elif isinstance(value, str) and is_expression:
        yield value


def _flat(items: Iterable[Any]) -> Iterator[Any]:
    """The items, with nested lists expanded."""
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item
