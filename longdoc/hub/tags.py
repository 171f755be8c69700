"""Names of the tags of a token classifier → scheme, labels and tags as longdoc writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from longdoc.errors import ConfigError
from longdoc.labels import OUTSIDE, Scheme

UNNAMED = "ENTITY"
"""The label of tags that consist of a letter alone, such as ``B``, ``I`` and ``O``."""
_NO_ENTITY = ("O", "OUTSIDE", "X", "[CLS]", "[SEP]", "[PAD]", "PAD", "<PAD>", "[UNK]")
_OTHER_LETTERS = {"L": "E", "U": "S", "W": "S", "M": "I"}
"""Letters of BILOU, BMEWO and BMES tags → those of BIOES."""
_FORMS = (
    re.compile(r"(?P<letter>[BIESLUWM])[-_:./| ](?P<label>.+)", re.IGNORECASE),
    re.compile(r"(?P<label>.+)[-_:./| ](?P<letter>[BIESLUWM])", re.IGNORECASE),
    re.compile(r"(?P<letter>[BIESLUWM])(?P<label>)"),
)
"""``B-PER``, ``PER-B`` and ``B``."""
_USUAL = re.compile(r"[BIESLUWM][-_].+")

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
        ConfigError: some tags have a scheme that others lack, entities have an end but no beginning, or two tags
            differ in case only.
    """
    tags = [OUTSIDE if name.strip().upper() in _NO_ENTITY else name.strip() for name in names]
    named = [tag for tag in tags if tag != OUTSIDE]
    parsed = _parsed(named, where)
    if parsed is None:
        return "io", [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
    letters = {letter for letter, _ in parsed.values()}
    if "B" not in letters and letters != {"I"}:
        raise ConfigError(
            f"{where} has tags of entities without a beginning ({', '.join(named):.80}); allowed are the schemes BIO, "
            "BIOES, BILOU and BMES, and labels alone: train it with one of them"
        )
    if letters >= set("BES"):
        return "bioes", [tag if tag == OUTSIDE else "-".join(parsed[tag]) for tag in tags]
    # Without S, a B alone is an entity; without E, the next O, B or S ends one.
    as_iob = {"B": "B", "I": "I", "E": "I", "S": "B"}
    return "iob1", [tag if tag == OUTSIDE else f"{as_iob[parsed[tag][0]]}-{parsed[tag][1]}" for tag in tags]


def _parsed(names: Sequence[str], where: str) -> Parsed | None:
    """The letters and labels of tags, which are in one of the forms; ``None`` if they are labels alone."""
    in_any: Parsed = {}
    for form in _FORMS:
        found = {name: match for name in names if (match := form.fullmatch(name))}
        parsed = {name: (_letter(match["letter"]), match["label"] or UNNAMED) for name, match in found.items()}
        is_usual = all(map(_USUAL.fullmatch, names)) and {letter for letter, _ in parsed.values()} & set("BI")
        if parsed and len(parsed) == len(set(names)) and (is_usual or _has_pair(parsed)):
            return _of_one_case(parsed, where)
        in_any = parsed | in_any
    if _has_pair(in_any):
        raise ConfigError(
            f"{where} has tags in several forms, or some with a scheme and some without: {', '.join(names):.120}; "
            "rename them in id2label of config.json: O for no entity, B-PER and I-PER for the label PER"
        )
    return None


def _letter(given: str) -> str:
    return _OTHER_LETTERS.get(given.upper(), given.upper())


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
