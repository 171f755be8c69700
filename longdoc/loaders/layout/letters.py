"""Whether the letters of a page form words: a font that hides which characters it draws yields others in their place.

The model is the probability of each letter after another in about thirty languages that are written in Latin letters.
Other scripts are not judged, nor are codes, sequences and tables of numbers.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import SPACE, Glyphs, is_blank, is_control

_SURPRISE = (
    "z79979bba9b9a8998eb78b9ckdc 4ddbafebcada8a6fck788ccgmcd a5chi4qnm6fj8ke7nv8dg7kox9m 76mdm6rr56gacjd6ombea9mtxgc "
    "55ijf4lik6iiehc7jsbdf9fkxdc 4cebadfbfbec896gel678edhgge 56kkg7ail6gkalf5ox7f99nnodp 36irf6mcb7febid8jx9dc8kozal "
    "54mhg4prm7gfdge6osbia9cixen 59e9a8eaefca8a5aek978ecligd 74ijd4kkk8neggc6jxjbg7glxml 54kgg6nld7gaagd6nzba98fkzck "
    "55ghb5gfh6dd8de8hnkba9flzbl 54bki5kdl6kjfbe7axhdf8npvcl 46lb87g6d7edfjb8mmja8bhntbh 4ebbafbafbdb886cbp6899aclgd "
    "84mij6kkc8kj9ig5bu5dc9loxhn ekoppqsrrkssnqsrrqppq0pqsss 46eeb5gdh6gcdcc7gkda9aejpde 47kcj6jle7hacee8bmia6aejzfc "
    "46jjn6lk76igfif7ky9ca9fhsdj 59cba9gbeada896bbs788feihec 74ljg4nln5jidnc6kycdicksybg 64lgg5mp75qifna7jvebietmvbj "
    "46iah7iqg6nkilia6lpo79fleep 36dad8hefbfcabb7exb9addgshf 55dfb5qeh5hdcc98fqeeb9cexae"
)
"""How surprising each letter is after another, in half bits and base 36: a row for the letter before, a digit in it for
the letter. The first row and digit are the border of a word, the others a to z. From the word frequencies of 30
languages."""
_COSTS = np.array([[int(digit, 36) / 2 for digit in row] for row in _SURPRISE.split()], np.float32)
_SPELLED = {"ß": "s", "æ": "a", "œ": "o", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "ı": "i"}
_SHORTEST, _LONGEST = 3, 20  # letters of a word, characters of a token: longer ones are addresses, keys, sequences
_FEWEST = 120  # letters: fewer prove nothing
_STRANGE = 5.5  # bits a letter: words have 3.5 to 4.3, acronyms 5, other characters 6 to 7
_COMMON = 5.0  # bits a letter: a stretch of text with less is not worth a closer look
_STRETCH = 128  # letters
_FEWEST_KINDS = 7  # of letters: genes have four or five
_SAME_LENGTH = 0.6  # of the words: sequences are written in groups
_FEWEST_SIGNS = 60
_LEGIBLE = 0.3  # of the signs: letters and digits
_RARE = [ord(sign) for sign in r"!#&*+;<=>?@[\]^`{|}~"]
_MOST_RARE = 0.2  # of the signs


def _letter_numbers() -> NDArray[np.uint8]:
    """The number of the letter that each code point is a form of, 1 to 26, else 0; shape ``(0x250,)``."""
    numbers = np.zeros(0x250, np.uint8)
    for code in range(0x41, len(numbers)):
        char = chr(code).lower()[0]
        base = unicodedata.normalize("NFD", _SPELLED.get(char, char))[0]
        if "a" <= base <= "z":
            numbers[code] = ord(base) - 96
    return numbers


_NUMBERS = _letter_numbers()


def seem_strange(glyphs: Glyphs) -> bool:
    """Whether some stretch of text may form no words: a quick look, which nearly all pages pass."""
    numbers = _NUMBERS[np.minimum(glyphs.codes, len(_NUMBERS) - 1)]
    pairs = _COSTS[numbers[:-1], numbers[1:]][(numbers[:-1] > 0) & (numbers[1:] > 0)]
    if len(pairs) <= _LEGIBLE * len(numbers):
        return len(numbers) > 0
    stretches = np.add.reduceat(pairs, np.arange(0, len(pairs), _STRETCH))
    return bool(stretches[: len(pairs) // _STRETCH].max(initial=pairs.mean() * _STRETCH) > _COMMON * _STRETCH)


def forms_no_words(glyphs: Glyphs, *, signs: bool = True) -> bool:
    """Whether text is such as fonts yield that do not say which characters they draw.

    Few letters, other scripts than Latin, and what is no prose are not judged: the answer is no.

    Args:
        glyphs: the text.
        signs: also judge text that consists of signs, which a font for formulas may yield too.
    """
    numbers = _NUMBERS[np.minimum(glyphs.codes, len(_NUMBERS) - 1)]
    return _is_strange(glyphs, numbers) or (signs and _is_illegible(glyphs.codes, numbers))


def _is_strange(glyphs: Glyphs, numbers: NDArray[np.uint8]) -> bool:
    """Whether the letters of the words are in an order that no language has.

    Args:
        glyphs: ``N`` glyphs.
        numbers: the number of each letter, 0 for other characters; shape ``(N,)``.
    """
    joined = np.append(False, glyphs.breaks[1:] < SPACE) if len(numbers) else np.zeros(0, bool)
    words = _in_words(numbers, glyphs.codes, joined)
    starts = np.flatnonzero(words & ~(joined & np.append(False, words)[:-1]))
    counts = np.bincount(numbers[words], minlength=27)
    total = int(counts.sum())
    if total < _FEWEST or (counts > 0.02 * total).sum() < _FEWEST_KINDS:
        return False
    index = np.flatnonzero(words)
    of_word = np.searchsorted(starts, index, "right") - 1
    lengths = np.bincount(of_word)
    if np.bincount(lengths).max() > _SAME_LENGTH * len(lengths):
        return False
    letters = numbers[index]
    before = np.where(np.isin(index, starts), 0, np.append(0, letters[:-1]))
    last = letters[np.append(np.diff(of_word) > 0, True)]
    mean = (_COSTS[before, letters].sum() + _COSTS[last, 0].sum()) / (total + len(starts))
    return bool(mean > _STRANGE)


def _in_words(numbers: NDArray[np.uint8], codes: NDArray[np.uint32], joined: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which characters are letters of words that are neither very short nor parts of long codes.

    Args:
        numbers: the number of each letter, 0 for other characters; shape ``(N,)``.
        codes: code points; shape ``(N,)``.
        joined: whether each character directly follows the one before; shape ``(N,)``.

    Returns:
        Shape ``(N,)``.
    """
    coded = (numbers > 0) | ((codes >= 0x2B) & (codes <= 0x3D)) | (codes == 0x5F)  # letters, digits and + , - . / : ; =
    words: NDArray[np.bool_] = (_run_lengths(numbers > 0, joined) >= _SHORTEST) & (
        _run_lengths(coded, joined) <= _LONGEST
    )
    return words


def _run_lengths(among: NDArray[np.bool_], joined: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The length of the run of joined characters that each of those asked for is in, 0 for others; shape ``(N,)``."""
    lengths = np.zeros(len(among), np.int64)
    index = np.flatnonzero(among)
    if len(index):
        starts = np.append(True, ~joined[index[1:]] | (np.diff(index) > 1))
        sizes = np.diff(np.append(np.flatnonzero(starts), len(index)))
        lengths[index] = np.repeat(sizes, sizes)
    return lengths


def _is_illegible(codes: NDArray[np.uint32], numbers: NDArray[np.uint8]) -> bool:
    """Whether most characters are signs, or many are such as text rarely has; leaders and rules of one sign aside.

    Args:
        codes: code points; shape ``(N,)``.
        numbers: the number of each letter, 0 for other characters; shape ``(N,)``.
    """
    counted = ~(is_blank(codes) | is_control(codes)) & np.append(True, codes[1:] != codes[:-1])[: len(codes)]
    signs = counted & (codes < 0x7F) & ~((codes >= 0x30) & (codes <= 0x39)) & (numbers == 0)
    total, rare = counted.sum(), (counted & np.isin(codes, _RARE)).sum()
    return bool(total >= _FEWEST_SIGNS and (signs.sum() > (1 - _LEGIBLE) * total or rare > _MOST_RARE * total))
