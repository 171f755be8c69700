"""Which pairs of texts may share most of their words: MinHash and bands (Broder 1997), without comparing all pairs.

A text is the set of its words, in which a rare word counts as up to six: two texts then share little unless they share
words that few texts have. Each of 256 hash functions keeps the least of its values over the set; two sets agree in a
value with the probability of their Jaccard similarity. Texts that agree in all four values of one of 64 bands are a
candidate pair: 97 % of those with a similarity of 0.48, which is what a text keeps of 40 % changed words.

Single words, and not longer shingles, because changes hardly touch them: of the runs of five words, 40 % of changes
leave one in thirteen.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from longdoc.errors import require

BANDS = 64
IN_BAND = 4
"""Values of a band."""
MOST = 128
"""Within a band, a text is compared with so many texts after it that agree: boilerplate of 10,000 documents would
otherwise be 50 million pairs. Texts with the same words are one before that."""
_HEAVIEST = 6
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64)
"""Odd, so that the values of a band make one number that other values hardly ever make, too."""


def likely_pairs(texts: Sequence[Sequence[str]]) -> tuple[np.ndarray, int]:
    """Candidate pairs of texts, each of which is a list of words.

    Returns:
        The pairs, int64 ``(M, 2)``, ascending, the smaller number first; and how many, at most, of those that agree in
        a band are left out, since more than ``MOST`` texts agree.

    Raises:
        MissingDependencyError: datasketch is not installed.
    """
    return banded_pairs(signatures(texts))


def signatures(texts: Sequence[Sequence[str]]) -> np.ndarray:
    """The 256 least hash values of each text, uint32 ``(N, 256)``.

    Raises:
        MissingDependencyError: datasketch is not installed.
    """
    datasketch = require("datasketch", extra="dedup", needed_by="the search for duplicates")
    sets = weighted_sets(texts)
    hashed = datasketch.MinHash.generator(sets, num_perm=BANDS * IN_BAND, hashfunc=int, scheme="affine32")
    found = [each.hashvalues for each in hashed]
    return np.stack(found) if found else np.zeros((0, BANDS * IN_BAND), np.uint32)


def weighted_sets(texts: Sequence[Sequence[str]]) -> Iterable[list[int]]:
    """The set of each text: hashes of its words, one for each unit of a word's weight."""
    occurs = Counter(word for words in texts for word in set(words))
    known: dict[str, list[int]] = {}
    for words in texts:
        members: list[int] = []
        for word in sorted(set(words)):
            if word not in known:
                rarity = math.floor(math.log2(len(texts) / occurs[word])) - 1
                weight = min(max(rarity, 1), _HEAVIEST)
                known[word] = [zlib.crc32(f"{unit} {word}".encode("utf-8", "surrogatepass")) for unit in range(weight)]
            members += known[word]
        yield members


def banded_pairs(values: np.ndarray) -> tuple[np.ndarray, int]:
    """The pairs of rows of uint32 ``(N, 256)`` that agree in a band, and how many are left out, as `likely_pairs`."""
    n = len(values)
    codes, left_out = np.zeros(0, np.int64), 0
    for band in range(BANDS):
        own = values[:, band * IN_BAND : (band + 1) * IN_BAND].astype(np.uint64)
        firsts, seconds, more = _equal_pairs((own * _FACTORS).sum(axis=1))
        low, high = np.minimum(firsts, seconds), np.maximum(firsts, seconds)
        codes = np.union1d(codes, low * n + high)
        left_out += more
    return np.stack(np.divmod(codes, max(n, 1)), axis=1), left_out


def _equal_pairs(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The pairs of equal keys, of which each is paired with the next ``MOST``; and the number of the other pairs."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    firsts, seconds = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    at = np.arange(len(keys))
    for distance in range(1, MOST + 1):
        at = at[at + distance < len(keys)]
        at = at[ordered[at] == ordered[at + distance]]
        if not len(at):
            return np.concatenate(firsts), np.concatenate(seconds), 0
        firsts.append(order[at])
        seconds.append(order[at + distance])
    sizes = np.unique(ordered, return_counts=True)[1].astype(np.int64)
    beyond = np.maximum(sizes - 1 - MOST, 0)
    return np.concatenate(firsts), np.concatenate(seconds), int((beyond * (beyond + 1) // 2).sum())
