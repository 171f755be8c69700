"""The text of a document with labels in place of what was found, verified."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from longdoc.arguments import check_type
from longdoc.deidentification.identifiers import merged
from longdoc.deidentification.mentions import forms_of, parts_of, small_words
from longdoc.errors import RedactionError
from longdoc.labels import Span
from longdoc.prediction import Prediction
from longdoc.redaction.names import Names, is_long, squeezed
from longdoc.redaction.report import MISSED, read_by_ocr
from longdoc.redaction.wanted import count_places, pages_by_ocr, ranges_by_label, wanted_ranges
from longdoc.summary import count, searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A text in which labels stand for what was found."""

    source: str
    """The name of the document."""
    text: str
    names: Mapping[str, tuple[str, ...]]
    """What stands in the text, such as ``[PERSON 1]``, and the texts that it stands for. It tells who is who."""
    labels: Mapping[str, int]
    """In how many places each label was masked: findings that overlap are one."""
    others: int
    """How many further places say the same as a finding, and were masked, too."""
    short: int
    """How many texts are too short to be looked for elsewhere: masked only where they were found."""
    words: int
    """How many single words the text also has in small letters: masked only where they were found."""
    ocr: Mapping[int, float]
    """The pages that OCR read, and its mean confidence, 0 to 1: what it misread stays."""
    coverage: float
    """The share of the text that the model read."""
    notices: tuple[str, ...]
    """What was left, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold, without the text and the names."""
        plain = asdict(self)
        return {**{key: value for key, value in plain.items() if key not in ("text", "names")}, "remark": MISSED}

    def lines(self) -> list[str]:
        """The report in words, without the texts."""
        found = ", ".join(f"{label}: {count(number, 'place')}" for label, number in self.labels.items() if number)
        said = [f"{self.source}: masked {found}"]
        if missing := [label for label, number in self.labels.items() if not number]:
            said.append(f"nothing was found of {', '.join(missing)}")
        if self.others:
            said.append(f"also masked: {count(self.others, 'further place')} with the same texts")
        if self.ocr:
            said.append(read_by_ocr(self.ocr))
        if self.coverage < 1:
            said.append(f"the model did not read all of the text: {searched(self.coverage)}")
        if self.short:
            what = "text was" if self.short == 1 else "texts were"
            said.append(f"{self.short} short {what} masked only where found, not looked for elsewhere")
        if self.words:
            what = (
                "word, which the text also has in small letters, was"
                if self.words == 1
                else ("words, which the text also has in small letters, were")
            )
            said.append(f"{self.words:,} {what} masked only where found, not looked for elsewhere")
        return [*said, *self.notices, "verified: nothing of what was looked for is left in the text", MISSED]


def mask(prediction: Prediction, labels: Collection[str] | None = None) -> Masked:
    """The text of a document with ``[PERSON 1]`` and the like in place of what was found.

    Texts that are the same but for case and punctuation have the same number, and so has a person whose surname is
    that of one full name only. The same texts are masked wherever else they stand, as whole words.

    Args:
        prediction: what was found.
        labels: of entities, spans and fields; by default those of all that were found.

    Raises:
        ConfigError: nothing of these labels was found.
        RedactionError: something is left of what should be masked.
    """
    check_type("labels", labels, "a list of labels such as ['PERSON']", list, tuple, set, frozenset, None)
    text, name = prediction.document.text, prediction.document.source.name
    ranges = wanted_ranges(prediction, [*ranges_by_label(prediction)] if labels is None else labels)
    wanted = list(ranges)
    found = merged(Span(*where, label) for label, own in ranges.items() for where in own)
    texts = {label: {text[start:end] for start, end in own} for label, own in ranges.items()}
    small = small_words(text)
    words = {label: {t for t in own if t != t.lower() and t.lower() in small} for label, own in texts.items()}
    names = {label: Names(own - words[label]) for label, own in texts.items()}
    repeated = [Span(*where, label) for label, own in names.items() for where in own.find(text)]
    masked, who = _written(text, merged([*found, *repeated]))
    rest = re.sub(rf"\[(?:{'|'.join(map(re.escape, wanted))}) \d+\]", "\n", masked)
    if left := [place for own in names.values() for place in own.find(rest)]:
        raise RedactionError(f"{name}: {count(len(left), 'text')} that should be masked would be left")
    inside = {at for span in found for at in range(span.start, span.end)}
    return Masked(
        source=name,
        text=masked,
        names=who,
        labels={label: count_places(own) for label, own in ranges.items()},
        others=sum(inside.isdisjoint(range(span.start, span.end)) for span in repeated),
        short=sum(not is_long(each) for own in texts.values() for each in own),
        words=sum(map(len, words.values())),
        ocr=pages_by_ocr(prediction.document),
        coverage=prediction.coverage,
        notices=tuple(notice.reason for notice in prediction.notices),
    )


def _written(text: str, spans: Sequence[Span]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The text with a placeholder for each span, and the texts that each stands for."""
    keys = name_keys(dict.fromkeys((span.label, text[span.start : span.end]) for span in spans))
    numbers: dict[str, dict[str, str]] = defaultdict(dict)
    who: dict[str, dict[str, None]] = defaultdict(dict)
    parts, done = [], 0
    for span in spans:
        own, said = numbers[span.label], text[span.start : span.end]
        placeholder = own.setdefault(keys[span.label, said], f"[{span.label} {len(own) + 1}]")
        who[placeholder][" ".join(said.split())] = None
        parts += [text[done : span.start], placeholder]
        done = span.end
    return "".join([*parts, text[done:]]), {placeholder: tuple(texts) for placeholder, texts in who.items()}


def name_keys(found: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What is the same for all texts of a label that mean the same: of a person, the full name, if only one fits."""
    persons = {said: parts_of(said) for label, said in found if label == "PERSON"}
    full = {squeezed("".join(parts)): parts for parts in persons.values() if len(parts) > 1 and len(parts[0]) > 1}
    written, ends = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for key, whole in full.items():
        for form in forms_of(whole):
            written[squeezed(form)].add(key)
        for end in (whole[0], whole[-1]):
            ends[squeezed(end)].add(key)
    keys = {}
    for label, said in found:
        parts = persons[said] if label == "PERSON" else []
        near = ends.get(squeezed(parts[-1]), ()) if parts else ()
        fits = written.get(squeezed(said), set()) | {key for key in near if _is_short_for(parts, full[key])}
        keys[label, said] = min(fits) if len(fits) == 1 else squeezed("".join(parts) or said) or said
    return keys


def _is_short_for(parts: Sequence[str], full: Sequence[str]) -> bool:
    """Whether "Hill", "A. Hill" or "Ann" may be "Ann B. Hill"."""
    own, whole = list(map(squeezed, parts)), list(map(squeezed, full))
    if len(own) == 1:
        return own[0] in (whole[0], whole[-1])
    return own[-1] == whole[-1] and whole[0].startswith(own[0])
