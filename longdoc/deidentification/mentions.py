"""Names of persons that were found once, found wherever else they stand: the surname alone, initials, capitals.

>>> text = "Will Ekman met Bo Oz. EKMAN sued; see ekman_w.doc. Ask Ekman’s heir or W. E. Ask Will. Will he, will she?"
>>> found = mentions(text, ["Mr Will Ekman"])
>>> [text[start:end] for start, end in found.ranges]
['Will Ekman', 'EKMAN', 'ekman_w', 'Ekman', 'W. E.', 'Will']
>>> found.left
{'Will': (87,)}
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from longdoc.redaction.names import Names, is_long, squeezed

_TITLES = frozenset(
    "mr mrs ms miss mx dr doctor prof professor sir dame lord lady judge justice rev herr frau mme messrs sgt capt lt "
    "col sergeant captain corporal lieutenant colonel inspector detective constable nurse counsel".split()
)
_DEGREES = frozenset("qc kc esq md phd do rn jr sr ii iii lj".split())
_PARTICLES = frozenset("de del della der den van von di da la le el al bin ibn".split())
_WORD = re.compile(r"[^\W\d_](?:[\w’'‑-]*[^\W_])?\.?")
_SMALL = re.compile(r"(?<![\w@._-])[^\W\d_]+(?![\w@-]|\.\w)")
_DETERMINERS = frozenset("a an the this that these those each every any all such no said its our your".split())
_BEFORE = re.compile(r"(?:^|(?P<start>[.!?:;\n][\"'”’)\]]*\s*)|[\s(\"“])(?P<word>[\w’'‑-]+\.?)[ \t]$")
_AFTER = re.compile(r"[ \t](?P<word>[\w’'‑-]+)")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;•\n][\"'”’)\]]*\s*|\n\s*)$")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Where names are, and where they may be."""

    ranges: tuple[tuple[int, int], ...]
    """Half-open, in order; they do not overlap."""
    left: Mapping[str, tuple[int, ...]]
    """Names that are words, too, and where each has a capital letter and was not taken for the name."""


def mentions(text: str, names: Iterable[str], known: Iterable[tuple[int, int]] = ()) -> Mentions:
    """Finds names of persons wherever they stand, in any case and with any punctuation.

    Of "Ms Ann B. Hill" these are "Ann Hill", "Hill, Ann", "A. Hill", "A.B.H.", "Ann" and "Hill". A single name that the
    text has in small letters, too, may be a word: it needs a capital letter, and not to begin a sentence. One of two
    letters ("Li") is found as it is written. Of names all of whose words may be others, such as terms of a contract,
    nothing is looked for, nor of a word that mostly stands in terms ("the Development Property"); where they stand is
    told.

    Args:
        text: the text.
        names: the names that were found in it.
        known: where something was found, as half-open ranges: nothing is left there.
    """
    small = small_words(text)
    whole, single, brief, initials, terms = (set[str]() for _ in range(5))
    for parts in map(parts_of, names):
        if all(part.lower() in small for part in parts):
            terms |= set(parts)  # "Clinical Study" is more likely to be a term
            continue
        single |= {part for part in parts if len(part) > 2}
        brief |= {part for part in parts if len(part) == 2 and part.istitle() and part.lower() not in small}
        whole |= forms_of(parts)
        if len(parts) > 1:
            first, *others = (re.escape(part[0]) for part in parts)
            initials.add(rf"{first}(?<!\w{first})" + "".join(rf"\.[ -]?{other}" for other in others) + r"\.")
    common = {name for name in single if name.lower() in small}
    terms |= (in_terms := _words_of_terms(text, common, single))
    common -= in_terms
    found = Names((whole | single) - common - in_terms).find(text)
    found += [match.span() for each in sorted(initials) for match in re.finditer(rf"{each}(?!\w)", text)]
    found += [match.span() for each in sorted(brief) for match in re.finditer(rf"\b{each}\b", text)]
    inside = {at for start, end in (*found, *known) for at in range(start, end)}
    certain = set(map(squeezed, common))
    left = defaultdict[str, list[int]](list)
    for start, end in Names(common | terms).find(text):
        name = text[start:end]
        if start in inside or not name[0].isupper():
            continue
        if squeezed(name) in certain and not _SENTENCE_END.search(text, max(start - 20, 0), start):
            found.append((start, end))
        else:
            left[name].append(start)
    return Mentions(tuple(_joined(found)), {name: tuple(places) for name, places in sorted(left.items())})


def _words_of_terms(text: str, words: set[str], names: set[str]) -> set[str]:
    """Those of some words with which most capitals in the midst of a sentence are those of terms.

    In a term the word has a determiner before it, or beside it a capitalised word that is no title and no name.
    """
    counts = defaultdict[str, list[int]](lambda: [0, 0])
    for start, end in Names(words).find(text):
        begins = _SENTENCE_END.search(text, max(start - 20, 0), start)
        if text[start].isupper() and not text[start:end].isupper() and not begins:
            counts[squeezed(text[start:end])][_is_in_term(text, start, end, names)] += 1
    return {word for word in words if counts[squeezed(word)][1] > counts[squeezed(word)][0]}


def _is_in_term(text: str, start: int, end: int, names: set[str]) -> bool:
    before, after = _BEFORE.search(text[max(start - 40, 0) : start]), _AFTER.match(text, end)
    if before and before["word"].lower() in _DETERMINERS:
        return True
    beside = [before["word"]] if before and not before["start"] else []
    beside += [after["word"]] if after else []
    known = _TITLES | _DEGREES | _PARTICLES
    return any(
        len(word) > 1 and word[0].isupper() and word not in names and squeezed(word) not in known for word in beside
    )


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order; those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def parts_of(name: str) -> list[str]:
    """The words of a name without titles and particles; initials without their points."""
    words = [match[0].rstrip(".") for match in _WORD.finditer(re.sub(r"['’]s\b", "", name))]
    last_first = re.fullmatch(r"\s*([^,]+),\s*([^,]+)", name)
    if last_first and squeezed(last_first[2]) not in _DEGREES:
        words = [*parts_of(last_first[2]), *parts_of(last_first[1])]
    kept = [word for word in words if squeezed(word) not in _TITLES | _DEGREES and word.casefold() not in _PARTICLES]
    return [word for word in kept if word[0].isupper() or not word[0].islower()]


def forms_of(parts: list[str]) -> set[str]:
    """How else a name of several words may be written; "A Hill" is "A. Hill" and "ahill", too."""
    if len(parts) < 2:
        return set()
    first, last = parts[0], parts[-1]
    if len(last) < 2:
        return {" ".join(parts)}
    forms = {" ".join(parts), f"{first} {last}", f"{last} {first}", f"{first[0]} {last}", f"{last} {first[0]}"}
    return {form for form in forms if is_long(form)}


def small_words(text: str) -> frozenset[str]:
    """The words that a text has in small letters, parts of addresses and of names of files aside."""
    return frozenset(word for match in _SMALL.finditer(text) if (word := match[0]).islower())
