"""Sentences about one "he" or "she", with the pronouns changed to he, she and they, and names of either gender.

What cannot be told without understanding the sentence is left out and counted: whether "her" is possessive or an
object, whether "'s" is "is" or "has", verbs further on that would have to agree.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from longdoc.auditing.persons import People, check_others, in_all, seed_of
from longdoc.auditing.swaps import Replacements, Skipped, Swaps, Variant, replacing, swapped
from longdoc.auditing.wording import words
from longdoc.datasets import Example
from longdoc.edits import Edit

FORMS = {
    "he": {"subject": "he", "object": "him", "possessive": "his", "alone": "his", "reflexive": "himself"},
    "she": {"subject": "she", "object": "her", "possessive": "her", "alone": "hers", "reflexive": "herself"},
    "they": {"subject": "they", "object": "them", "possessive": "their", "alone": "theirs", "reflexive": "themselves"},
}
"""Groups: role → form. The first is what the others are compared with."""
_ROLES = {
    "he": "subject",
    "him": "object",
    "himself": "reflexive",
    "she": "subject",
    "hers": "alone",
    "herself": "reflexive",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’]t)?|['’](?:s|d|ll|re|ve)\b")
_SECOND_VERB = re.compile(r"\b(?:and|or|but|then|who|which)\s+(?:\w+ly\s+)?(?:is|was|has|does)\b", re.I)
_SECOND_PRESENT = re.compile(r"\b(?:and|or|but|then)\s+(?:\w+ly\s+)?[a-z]+[^s\W]s\b", re.I)


def swap_pronouns(examples: Sequence[Example], labels: Collection[str], seed: int) -> Swaps:
    """The texts about one "he" or "she", with each of :data:`FORMS`."""

    def make(example: Example) -> dict[str, Variant]:
        _check(example)
        people = People.of(example, labels)
        check_others(example, people, labels)
        named = in_all(example, people, people.drawn(words().neutral, seed_of(example, seed)))
        return {group: Variant.of(example, people.spans, _with(example, named, group)) for group in FORMS}

    return swapped("pronouns", examples, make)


def _check(example: Example) -> None:
    """Checks that a text has pronouns of one gender, and no other word that tells it.

    Raises:
        Skipped: it has not.
    """
    found = {word.lower() for text in _texts(example) for word in re.findall(r"[^\W\d_]+", text)}
    masculine, feminine = found & {"he", "him", "his", "himself"}, found & {"she", "her", "hers", "herself"}
    if not masculine and not feminine:
        raise Skipped("no he or she")
    if masculine and feminine:
        raise Skipped("he and she in one text")
    if found & set(words().gendered):
        raise Skipped("a word that says the gender of somebody")


def _texts(example: Example) -> list[str]:
    return [example.text, *(question.text for question in example.questions)]


def _with(example: Example, named: Replacements, group: str) -> Replacements:
    """The replacements of names, and of pronouns and their verbs."""
    return Replacements(
        _joined(named.text, pronoun_edits(example.text, group)),
        {q.id: _joined(named.questions[q.id], pronoun_edits(q.text, group)) for q in example.questions},
    )


def _joined(first: Sequence[Edit], second: Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted([*first, *second], key=lambda edit: edit.raw_start))


def pronoun_edits(text: str, group: str) -> tuple[Edit, ...]:
    """The edits that give a text the pronouns of a group, and verbs that agree with them.

    Every group edits the pronouns; only "they" needs another verb, but a text for which that is not clear is left out
    of all groups.

    Raises:
        Skipped: a pronoun or a verb is not clear.
    """
    found = list(_WORD.finditer(text))
    edits: dict[int, Edit] = {}
    for index, match in enumerate(found):
        role = _role(text, found, index)
        if role is None:
            continue
        edits[match.start()] = replacing(*match.span(), match[0], FORMS[group][role])
        for verb, plural in _verbs(text, found, index) if role == "subject" else ():
            edits.setdefault(verb.start(), replacing(*verb.span(), verb[0], plural if group == "they" else verb[0]))
    return tuple(edits[start] for start in sorted(edits))


def _role(text: str, found: Sequence[re.Match[str]], index: int) -> str | None:
    """The role of a word in its sentence, if it is he or she in one of their forms."""
    word = found[index][0].lower()
    if word not in ("his", "her"):
        return _ROLES.get(word)
    following = found[index + 1] if index + 1 < len(found) else None
    between = text[found[index].end() : following.start()] if following else "."
    ends = between.strip() not in ("", '"', "“", "'", "‘") or following is None
    if ends or following[0].lower() in words().function_words:  # type: ignore[index]  # not None, or it ends
        return "alone" if word == "his" else "object"
    if word == "her" and following[0].lower() != "own":  # type: ignore[index]
        raise Skipped('"her", which may be possessive or an object')
    return "possessive"


def _verbs(text: str, found: Sequence[re.Match[str]], index: int) -> Iterator[tuple[re.Match[str], str]]:
    """The verb of a subject, before it in a question or after it, with its form for "they", if that is another.

    Raises:
        Skipped: it is not clear.
    """
    before = found[index - 1] if index else None
    if (
        before is not None
        and before[0].lower() in words().verbs
        and not text[before.end() : found[index].start()].strip()
    ):
        yield before, words().verbs[before[0].lower()]
        return
    place = index + 1
    while place < len(found) and _is_adverb(found[place][0]):
        place += 1
    if place == len(found) or not re.fullmatch(r"[a-z\s]*", text[found[index].end() : found[place].start()]):
        return
    verb, after = found[place], found[place + 1][0].lower() if place + 1 < len(found) else ""
    plural = _plural(verb[0].lower(), after)
    if plural is None:
        return
    rest = text[verb.end() :].split(".")[0]
    if _SECOND_VERB.search(rest) or (verb[0].lower() != "was" and _SECOND_PRESENT.search(rest)):
        raise Skipped("a second verb that may have to agree")
    yield verb, plural


def _is_adverb(word: str) -> bool:
    return word.lower() in words().adverbs or (len(word) > 4 and word.lower().endswith("ly"))


def _plural(verb: str, after: str) -> str | None:
    """The form of a verb after "they"; None if it is the same.

    Raises:
        Skipped: it may be one of two.
    """
    if verb in ("'s", "’s"):
        if after.endswith("ing") or after in ("not", "a", "an", "the"):
            return "'re"
        if after in ("been", "got", "had"):
            return "'ve"
        raise Skipped('"\'s", which may be is or has')
    if verb in words().verbs:
        return words().verbs[verb]
    if not verb.endswith("s") or verb.endswith("ss") or len(verb) < 4:
        return None
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return verb[:-2] if verb.endswith(("oes", "ches", "shes", "sses", "xes", "zzes")) else verb[:-1]
