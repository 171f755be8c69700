"""What a tokenizer makes of special tokens, long words and characters that its vocabulary lacks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from tokenizers import Tokenizer

from longdoc.errors import LongdocError, first_line

MASKS = ("[MASK]", "<mask>")
"""How tokenizers spell the mask token."""
Piece = tuple[int, int, int]
"""A token: its id, and its half-open character offsets."""

_IN_NO_VOCABULARY = "\U0010ffff"


@contextmanager
def typed_errors(kind: type[LongdocError], message: str) -> Iterator[None]:
    """Raises what ``tokenizers`` raises as an error of this kind: bare exceptions, and panics, which are none."""
    try:
        yield
    except BaseException as error:
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise kind(f"{message} ({first_line(error)})") from error


def unknown_id(tokenizer: Tokenizer) -> int:
    """Id of the token for what the vocabulary lacks; -1 if the tokenizer spells everything, or drops it."""
    try:
        found = tokenizer.model.tokenize(_IN_NO_VOCABULARY)
    except Exception:  # tokenizers' bare exception for a vocabulary without such a token
        return -1
    return int(found[0].id) if len(found) == 1 and tokenizer.id_to_token(found[0].id) != _IN_NO_VOCABULARY else -1


def mask_ids(tokenizer: Tokenizer) -> set[int]:
    """Ids of the mask token."""
    return {number for mask in MASKS if (number := tokenizer.token_to_id(mask)) is not None}


def special_ids(tokenizer: Tokenizer) -> set[int]:
    """Ids of the tokens that are no text: around a text, between two, for masks and so on."""
    added = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    return added | mask_ids(tokenizer) | set(tokenizer.encode("").ids)


def respelled(
    text: str, tokenizer: Tokenizer, ids: np.ndarray, offsets: np.ndarray, unknown: int, *, masks: bool
) -> dict[int, list[Piece]]:
    """The tokens to put in place of special tokens, and of the unknown token for words too long for WordPiece.

    SentencePiece finds special tokens in a text even if told to take them for text, since its vocabulary has them as
    words; they are spelled letter by letter.

    Args:
        text: the text.
        tokenizer: the tokenizer.
        ids: token ids, int32 ``(T,)``.
        offsets: int32 ``(T, 2)``, half-open character offsets of the tokens.
        unknown: id of the unknown token.
        masks: whether masks stay.

    Returns:
        Index of a token -> the tokens in its place, in ascending order.
    """
    special = special_ids(tokenizer) - (mask_ids(tokenizer) if masks else set())
    limit: int | None = getattr(tokenizer.model, "max_input_chars_per_word", None)
    found: dict[int, list[Piece]] = {}
    for index in np.flatnonzero(np.isin(ids, [*special, unknown])).tolist():
        start, end = offsets[index].tolist()
        if ids[index] != unknown or text[start:end].strip() == tokenizer.id_to_token(unknown):
            found[index] = _spelled(text, tokenizer, start, end)
        elif limit is not None and (length := len(_normalized(tokenizer, text[start:end]))) > limit:
            found[index] = _in_parts(text, tokenizer, start, end, max(limit * (end - start) // length, 1))
    return found


def _spelled(text: str, tokenizer: Tokenizer, start: int, end: int) -> list[Piece]:
    """A token for each character."""
    spelling = ((place, tokenizer.model.tokenize(_normalized(tokenizer, text[place]))) for place in range(start, end))
    return [(token.id, place, place + 1) for place, tokens in spelling for token in tokens]


def _in_parts(text: str, tokenizer: Tokenizer, start: int, end: int, size: int) -> list[Piece]:
    """The tokens of a word that is read in parts of ``size`` characters."""
    places = range(start, end, size)
    parts = [text[place : min(place + size, end)] for place in places]
    return [
        (number, place + first, place + last)
        for place, encoding in zip(places, tokenizer.encode_batch(parts, add_special_tokens=False), strict=True)
        for number, (first, last) in zip(encoding.ids, encoding.offsets, strict=True)
    ]


def _normalized(tokenizer: Tokenizer, text: str) -> str:
    return str(tokenizer.normalizer.normalize_str(text)) if tokenizer.normalizer is not None else text


def deleted(characters: Sequence[str], tokenizer: Tokenizer) -> str:
    """Those of the characters, accents aside, that the tokenizer's normaliser deletes or turns into spaces.

    Only characters other than letters and printable ASCII are tried.
    """
    if tokenizer.normalizer is None:
        return ""
    without = {_normalized(tokenizer, "ab"), _normalized(tokenizer, "a b")}
    tried = (c for c in characters if not (c.isspace() or (c.isascii() and c.isprintable())))
    return "".join(
        c for c in tried if unicodedata.category(c)[0] not in "LM" and _normalized(tokenizer, f"a{c}b") in without
    )
