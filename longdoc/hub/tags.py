"""Names of the tags of a token classifier → scheme, labels and tags as longdoc writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from longdoc.errors import ConfigError
from longdoc.labels import OUTSIDE, Scheme

UNNAMED = "ENTITY"
"""The label of tags without one, such as ``B``, ``I`` and ``O``, or ``B-`` and ``I-``."""
_NO_ENTITY = ("O", "OUTSIDE", "X", "[CLS]", "[SEP]", "[PAD]", "PAD", "<PAD>", "[UNK]")
_OTHER_LETTERS = {"L": "E", "U": "S", "W": "S", "M": "I"}
"""Letters of BILOU, BMEWO and BMES tags → those of BIOES."""
_FORMS = (
    re.compile(r"(?P<letter>[BIESLUWM])[-_:./| ](?P<label>.*)", re.IGNORECASE),
    re.compile(r"(?P<label>.*)[-_:./| ](?P<letter>[BIESLUWM])", re.IGNORECASE),
    re.compile(r"(?P<letter>[BIESLUWM])(?P<label>)"),
)
"""``B-PER``, ``PER-B`` and ``B``."""
_USUAL = re.compile(r"[BIESLUWM][-_].*")
_SAME_LETTERS = (set("IM"), set("EL"), set("SU"), set("SW"), set("UW"))
"""Letters that mean the same; no scheme has both."""

Parsed = dict[str, tuple[str, str]]
"""Name of a tag → its letter, of BIOES, and its label."""


def tag_scheme(names: Sequence[str], where: str) -> tuple[Scheme, list[str]]:
    """The tag scheme of a checkpoint, and its tags as longdoc writes them, one per logit.

    ``B-`` and ``I-`` tags alone may follow either form of CoNLL-2003: in one, ``B-`` only separates entities that
    touch, and all others begin with ``I-``. No checkpoint states which; ``iob1`` decodes both. BILOU and BMES are BIOES
    with other letters. Tags without a scheme are labels.

    Args:
        names: the names of the logits.
        where: the checkpoint, for messages.

    Raises:
        ConfigError: some tags have a scheme that others lack, a label has tags that make no entity, or two tags differ
            in case only.
    """
    tags = [OUTSIDE if name.strip().upper() in _NO_ENTITY else name.strip() for name in names]
    named = [tag for tag in tags if tag != OUTSIDE]
    parsed = _parsed(named, where)
    if parsed is None:
        return "io", [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
    is_bioes = {letter for letter, _ in parsed.values()} >= set("BES")
    _check_labels(parsed, where, is_bioes=is_bioes)
    if is_bioes:
        return "bioes", [tag if tag == OUTSIDE else "-".join(parsed[tag]) for tag in tags]
    # Without S, a B alone is an entity; without E, the next O, B or S ends one.
    as_iob = {"B": "B", "I": "I", "E": "I", "S": "B"}
    return "iob1", [tag if tag == OUTSIDE else f"{as_iob[parsed[tag][0]]}-{parsed[tag][1]}" for tag in tags]


def _parsed(names: Sequence[str], where: str) -> Parsed | None:
    """The letters and labels of tags, which are in one of the forms; ``None`` if they are labels alone."""
    in_any: Parsed = {}
    whole, is_mixed = {name.casefold() for name in names}, False
    for form in _FORMS:
        found = {name: match for name in names if (match := form.fullmatch(name))}
        parsed = {name: (_letter(match["letter"]), match["label"] or UNNAMED) for name, match in found.items()}
        is_usual = all(map(_USUAL.fullmatch, names)) and {letter for letter, _ in parsed.values()} & set("BI")
        if parsed and len(parsed) == len(set(names)) and (is_usual or _has_pair(parsed)):
            given = {match["letter"].upper() for match in found.values()}
            if any(given >= same for same in _SAME_LETTERS):
                raise _in_several_forms(names, where)
            return _of_one_case(parsed, where)
        in_any = parsed | in_any
        is_mixed = is_mixed or _is_mixed(parsed, whole, letter_last=form is _FORMS[1])
    if _has_pair(in_any) or is_mixed:
        raise _in_several_forms(names, where)
    return None


def _in_several_forms(names: Sequence[str], where: str) -> ConfigError:
    return ConfigError(
        f"{where} has tags in several forms, or some with a scheme and some without: {', '.join(names):.120}; "
        "rename them in id2label of config.json: O for no entity, B-PER and I-PER for the label PER"
    )


def _check_labels(parsed: Parsed, where: str, *, is_bioes: bool) -> None:
    """Raises for a label whose tags make no entity, such as ``MAIL`` of ``E-MAIL`` beside tags of BIO."""
    tags: dict[str, dict[str, str]] = {}  # of each label, the names by letter
    for name, (letter, label) in parsed.items():
        tags.setdefault(label, {})[letter] = name
    have_singles = is_bioes or any(own.keys() >= set("BS") for own in tags.values())
    for own in tags.values():
        is_whole = own.keys() >= set("BE") if is_bioes else "B" in own or own.keys() == {"I"}
        if not is_whole and not (have_singles and own.keys() == {"S"}):
            raise ConfigError(
                f"{where} has tags of entities without a beginning or an end ({', '.join(own.values()):.80}); allowed "
                "are the schemes BIO, BIOES, BILOU and BMES, and labels alone: train it with one of them, or rename "
                "what is a label alone in id2label of config.json"
            )


def _letter(given: str) -> str:
    return _OTHER_LETTERS.get(given.upper(), given.upper())


def _is_mixed(parsed: Parsed, whole: set[str], *, letter_last: bool) -> bool:
    """Whether labels stand beside tags of them, as ``PER`` beside ``B-PER``, and not beside labels that look like tags.

    Those are ``E-MAIL`` beside ``MAIL``, whose letter alone makes no scheme, and ``VITAMIN-B`` beside ``VITAMIN`` and
    ``DRUG``, where not all labels have the tag.
    """
    of_whole = {label.casefold() for letter, label in parsed.values() if letter in "BI"} & whole
    without = whole - {name.casefold() for name in parsed} - of_whole
    return bool(of_whole) and not (letter_last and without)


def _has_pair(parsed: Parsed) -> bool:
    """Whether a label has the tags of a scheme, as no names of labels have by chance."""
    letters: dict[str, set[str]] = {}
    for letter, label in parsed.values():
        letters.setdefault(label.casefold(), set()).add(letter)
    return any(own >= set("BI") or own >= set("BES") for own in letters.values())


def _of_one_case(parsed: Parsed, where: str) -> Parsed:
    """The same with one spelling of each label, that of its first tag."""
    spelling: dict[str, str] = {}
    taken: dict[tuple[str, str], str] = {}
    for name, (letter, label) in parsed.items():
        spelling.setdefault(label.casefold(), label)
        other = taken.setdefault((letter, label.casefold()), name)
        if other != name:
            raise ConfigError(
                f"{where} has the tags {other!r} and {name!r}, which may be one or two; rename one in id2label of "
                "config.json"
            )
    return {name: (letter, spelling[label.casefold()]) for name, (letter, label) in parsed.items()}
