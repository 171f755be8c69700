"""Entities by rule: dates, money, statutes, doses and whatever else a pattern can say, through spaCy's EntityRuler.

>>> rules = Rules.load("general")
>>> text = "Rent of $1,200 is due within thirty (30) days."
>>> [(span.label, text[span.start : span.end]) for span in rules.find(text)]
[('MONEY', '$1,200'), ('DURATION', 'thirty (30) days')]

A rule file is YAML. Its patterns are spaCy's own: a phrase, or a list with one mapping a token, over the tokens of
``spacy.blank("en")``::

    rules:
      - {label: COURT, pattern: Court of Chancery}
      - {label: DOCKET, pattern: [{LOWER: docket}, {LOWER: {IN: ["no", "no."]}}, {IS_DIGIT: true}]}

Four things are added to that:

- ``parts``, another key of a file, holds what YAML's aliases name; a list inside a pattern stands for its items.
- ``strip`` of a rule: characters to take off the ends of what it matches.
- The label ``O`` marks text as no entity: such a match, where it is the longest, keeps the others out.
- A pattern sees white space as one space, so it reads on over a line's end, but not over an empty line. Emoticons are
  no tokens: ``(8)`` is three, like ``(7)``.
"""

from __future__ import annotations

import difflib
import re
import string
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from longdoc.config import load_yaml
from longdoc.edits import Edit, Edits
from longdoc.errors import ConfigError
from longdoc.labels import OUTSIDE, Span

if TYPE_CHECKING:
    from spacy.language import Language

SHIPPED = Path(__file__).parent / "assets" / "rules"
WORDS = ("TEXT", "ORTH", "LOWER", "NORM", "SHAPE", "PREFIX", "SUFFIX")
ATTRIBUTES = (
    *WORDS,
    *"LENGTH SPACY OP".split(),
    *"IS_ALPHA IS_ASCII IS_BRACKET IS_CURRENCY IS_DIGIT IS_LEFT_PUNCT IS_LOWER IS_PUNCT IS_QUOTE".split(),
    *"IS_RIGHT_PUNCT IS_SPACE IS_STOP IS_TITLE IS_UPPER LIKE_EMAIL LIKE_NUM LIKE_URL".split(),
)
"""What a token pattern may ask: what spaCy knows of a token without a trained pipeline."""

_PLAIN = {0x2010: "-", 0x2011: "-", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
# White space of any form; characters without width; runs so long that spaCy's tokenizer would take quadratic time.
_UNEVEN = re.compile(r"[^\S ]\s*| \s+|[\xad\u200b\u2060\ufeff]+|(?:_{16}|[^\w\s]{16}|\S{1000})(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A label and the text that bears it."""

    label: str
    """Label of the spans; ``O`` keeps spans of other rules out."""
    pattern: Any
    """A phrase, or a list of spaCy's token patterns, each a mapping; a list inside stands for its items."""
    id: str | None = None
    """A name of the rule, for its author and in messages."""
    strip: str = ""
    """Characters taken off both ends of the span, where the tokenizer leaves them: "B." of "in Exhibit B."."""

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ValueError("label is empty; give the label that the spans shall have, such as DATE")
        if not isinstance(self.pattern, (str, list)):
            raise ValueError(
                f"pattern: expected a phrase (str) or a list of token patterns such as [{{LOWER: section}}, "
                f"{{IS_DIGIT: true}}], got {self.pattern!r:.80} ({type(self.pattern).__name__})"
            )
        if not (_plain(self.pattern)[0].strip() if isinstance(self.pattern, str) else self.tokens):
            raise ValueError("pattern is empty; give a phrase or at least one token, or take the rule out")
        for number, token in enumerate(self.tokens):
            _check_token(token, f"pattern[{number}]")

    @property
    def tokens(self) -> list[Any]:
        """The token patterns in one flat list; none for a phrase."""
        return [] if isinstance(self.pattern, str) else list(_flat(self.pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """What a rule file holds."""

    rules: tuple[Rule, ...]
    parts: dict[str, Any] = field(default_factory=dict)
    """Parts of patterns, named by YAML anchors (``&month``) and used by aliases (``*month``)."""

    def __post_init__(self) -> None:
        if not self.rules:
            raise ValueError(
                "rules is empty; give at least one rule, such as {label: COURT, pattern: Court of Chancery}"
            )


class Rules:
    """Rules of one or more files, ready to be found in text. It can be pickled."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.labels = tuple(dict.fromkeys(rule.label for rule in self.rules if rule.label != OUTSIDE))
        """Labels of the spans, in the order of the rules."""

    @classmethod
    def load(cls, *sources: str | Path) -> Rules:
        """The rules of all sources together.

        Args:
            sources: ``"default"`` for all shipped files, one of them by its name (``"general"``, ``"legal"``,
                ``"clinical"``), or the path of a YAML file. Later ones add to earlier ones.

        Raises:
            ConfigError: a file is missing or not a rule file, or spaCy rejects a pattern; the message names the file,
                the rule's number (from 0), what was given and what is allowed.
            ImportError: spaCy is not installed.
        """
        if not sources:
            raise ConfigError(f"no rules to load; give 'default' or {_choices()}")
        paths = dict.fromkeys(path for source in sources for path in _paths(source))
        return cls([rule for path in paths for rule in _read(path)])

    def find(self, text: str) -> list[Span]:
        """The spans of all rules, by their start.

        The time grows with the text's length and the number of rules (some 0.1 microseconds a token and rule). In a
        pattern, ``+`` and ``*`` cost as much again for each token that they can run on, and ``{0,n}`` up to ``2**n``.

        No two overlap: the longest wins, then the first, then that of the later rule. None begins or ends with white
        space.

        Args:
            text: any string. Offsets of the spans count its code points.
        """
        plain, origins = _plain(text)
        nlp: Any = self._nlp
        doc = nlp.make_doc(plain)
        matches = []
        for key, first, last in nlp.get_pipe("entity_ruler").match(doc):
            number = int(nlp.vocab.strings[key])
            ends = self.rules[number].strip + string.whitespace
            found = doc[first:last].text
            start = doc[first].idx + len(found) - len(found.lstrip(ends))
            end = start + len(found.strip(ends))
            if start < end:
                matches.append((start, end, number))
        taken = np.zeros(len(plain), bool)
        spans = []
        for start, end, number in sorted(matches, key=lambda match: (match[0] - match[1], match[0], -match[2])):
            # What is taken is no shorter: it covers an end of this one, or none of it.
            if not (taken[start] or taken[end - 1]):
                taken[start:end] = True
                place = int(origins[start, 0]), int(origins[end - 1, 1])
                spans.append(Span(*place, self.rules[number].label))
        return sorted((span for span in spans if span.label != OUTSIDE), key=lambda span: span.start)

    @cached_property
    def _nlp(self) -> Language:
        """A blank English pipeline whose one component is the EntityRuler; its labels are the rules' numbers."""
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
    """The text with even white space, for the tokenizer, and the range of ``text`` behind each of its characters."""

    def edit(match: re.Match[str]) -> Edit:
        found = match.group()
        if not found[0].isspace():
            cut = found[0] not in "\xad\u200b\u2060\ufeff"
            return Edit(match.end(), match.end(), " ", "cut") if cut else Edit(*match.span(), "", "hidden")
        breaks = len(f"{found}.".splitlines()) - 1
        return Edit(*match.span(), "\n" if breaks > 1 else " ", "space")

    return Edits.of(map(edit, _UNEVEN.finditer(text))).apply(text.translate(_PLAIN))


def _blank() -> Language:
    try:
        import spacy
    except ImportError as error:
        raise ImportError("rules need spaCy: pip install spacy") from error
    from spacy.lang.tokenizer_exceptions import emoticons

    nlp = spacy.blank("en")
    nlp.max_length = sys.maxsize
    # To spaCy "8)" is a face, and within eight (8) days a document has many.
    tokenizer: Any = nlp.tokenizer
    tokenizer.rules = {text: tokens for text, tokens in tokenizer.rules.items() if text not in emoticons}
    return nlp


def _spacy_pattern(rule: Rule) -> str | list[Any]:
    return _plain(rule.pattern.strip())[0] if isinstance(rule.pattern, str) else rule.tokens


def _paths(source: str | Path) -> list[Path]:
    """The files that a source stands for."""
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if source == "default":
        return list(shipped.values())
    if isinstance(source, str) and source in shipped:
        return [shipped[source]]
    if not Path(source).is_file():
        near = difflib.get_close_matches(str(source), ["default", *shipped], n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"no rule file {str(source)!r}; {hint}Give 'default' or {_choices()}")
    return [Path(source).resolve()]


def _choices() -> str:
    return f"{', '.join(repr(path.stem) for path in sorted(SHIPPED.glob('*.yaml')))}, or the path of a YAML file"


def _read(path: Path) -> tuple[Rule, ...]:
    """The rules of a file, each one tried out in spaCy."""
    from_file = load_yaml(RuleFile, path)
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
        except Exception as error:  # spaCy raises many kinds; each one is about the pattern
            name = f" ({rule.id})" if rule.id else ""
            reason = " ".join(str(error).split())
            raise ConfigError(
                f"{path}: rules[{number}]{name}: spaCy rejects the pattern {rule.pattern!r:.200}: {reason}; allowed is "
                "what https://spacy.io/api/matcher#patterns describes"
            ) from error
    return from_file.rules


def _check_token(token: Any, where: str) -> None:
    """A ValueError that names the nearest attribute, where a token pattern is none or asks what nothing answers."""
    if not isinstance(token, dict):
        raise ValueError(f"{where}: expected a mapping such as {{LOWER: section}}, got {token!r:.80}")
    for key, value in token.items():
        if isinstance(value, bool) and str(key).upper() in WORDS:
            raise ValueError(
                f"{where}: {key}: expected a word, got {value}; YAML takes no, yes, on, off for it: quote them"
            )
        if str(key).upper() not in ATTRIBUTES:
            near = difflib.get_close_matches(str(key).upper(), ATTRIBUTES, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"{where}: unknown attribute {key!r}; {hint}Attributes: {', '.join(ATTRIBUTES)}")


def _flat(items: Iterable[Any]) -> Iterator[Any]:
    """The items, and those of lists among them."""
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item
