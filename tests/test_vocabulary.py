"""What becomes of special tokens, long words and unknown characters in a text, with tokenizers of four families."""

import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from conftest import CORPUS, make_tokenizer
from longdoc import findings
from longdoc.document import Document
from longdoc.vocabulary import mask_ids, special_ids, unknown_id
from longdoc.windows import Tokens, tokenize

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
LETTERS = sorted({"▁", *"".join(CORPUS), *string.ascii_letters} - {" "})
SHAPELESS = "\xad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u061c\u202e"


def sentence_pieces() -> Tokenizer:
    """Unigram as XLM-RoBERTa has it, whose vocabulary contains the special tokens as words with the best score."""
    scored = [(piece, 0.0) for piece in SPECIAL] + [(letter, -6.0) for letter in LETTERS]
    tokenizer = Tokenizer(models.Unigram([*scored, ("▁the", -8.0), ("ti", -8.0)], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def byte_pairs() -> Tokenizer:
    """Byte-level BPE, which spells every character in bytes and has no unknown token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = {piece: number for number, piece in enumerate([*SPECIAL, *alphabet, "th", "the"])}
    tokenizer = Tokenizer(models.BPE(pieces, [("t", "h"), ("th", "e")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def letter_pairs(unknown: str | None) -> Tokenizer:
    """BPE of letters, which has a token for unknown characters, or drops them."""
    pieces = {piece: number for number, piece in enumerate([*SPECIAL, *LETTERS, "th", "the"])}
    tokenizer = Tokenizer(models.BPE(pieces, [("t", "h"), ("th", "e")], unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


TOKENIZERS = {
    "wordpiece": make_tokenizer(),
    "unigram": sentence_pieces(),
    "bytes": byte_pairs(),
    "letters": letter_pairs("<unk>"),
    "letters dropped": letter_pairs(None),
}
for each in TOKENIZERS.values():
    if each.post_processor is None:
        each.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 0))


def gaps(text: str, tokens: Tokens) -> list[tuple[str, str]]:
    found = findings.gaps_of(Document.from_text(text), [tokens])
    return [(text[gap.start : gap.end], "unknown" if gap.reason == findings.UNKNOWN else "dropped") for gap in found]


def is_visible(character: str) -> bool:
    return not character.isspace() and character not in SHAPELESS


texts = st.text(
    st.one_of(
        st.sampled_from("the Agreement 0123 .,-\n☃😀\ue000\uf0b7\x07é√ﬁ한नि" + SHAPELESS),
        st.characters(categories=["L", "N", "P", "S", "M", "Co", "Cc", "Zs"]),
    ),
    max_size=150,
)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=texts)
def test_every_visible_character_is_in_a_known_token_or_in_a_gap(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    tokens = tokenize(text, tokenizer)
    names = [tokenizer.id_to_token(number) for number in tokens.ids.tolist()]
    seen, unknown = set(), set()
    for piece, (start, end) in zip(names, tokens.offsets.tolist(), strict=True):
        (unknown if piece in ("[UNK]", "<unk>") else seen).update(range(start, end))
    missed = {i for gap in findings.gaps_of(Document.from_text(text), [tokens]) for i in range(gap.start, gap.end)}
    for i, character in enumerate(text):
        if is_visible(character) and unicodedata.category(character) not in ("Cf", "Mn", "Lo"):
            deleted = character in tokens.deleted
            assert (i in seen - unknown and not deleted) != (i in missed), (i, character)
    assert not any(text[i].isspace() for i in missed)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_special_tokens_in_a_text_are_text(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    text = "the [SEP] [MASK] [UNK] [PAD][CLS]x <s> </s> <mask> <unk> <pad>y end"
    tokens = tokenize(text, tokenizer)
    special = special_ids(tokenizer) - {tokens.unknown}
    assert not special & set(tokens.ids.tolist())
    assert tokens.offsets[:, 0].tolist() == sorted(tokens.offsets[:, 0].tolist())
    assert (np.diff(tokens.words) >= 0).all()
    assert gaps(text, tokens) == []


@pytest.mark.parametrize("name, mask", [("wordpiece", "[MASK]"), ("unigram", "<mask>"), ("bytes", "<mask>")])
def test_a_mask_stands_for_a_word_only_where_words_are_filled_in(name: str, mask: str) -> None:
    tokenizer = Tokenizer.from_str(TOKENIZERS[name].to_str())
    text = f"the {mask} is [SEP] </s> made"
    assert not mask_ids(tokenizer) & set(tokenize(text, tokenizer).ids.tolist())
    tokens = tokenize(text, tokenizer, masks=True)
    special = special_ids(tokenizer) - {unknown_id(tokenizer)}
    found = [index for index, number in enumerate(tokens.ids.tolist()) if number in special]
    assert [tokenizer.id_to_token(int(tokens.ids[index])) for index in found] == [mask]
    assert text[slice(*tokens.offsets[found[0]])] == mask
    assert not mask_ids(tokenizer) & set(tokenize(text, tokenizer).ids.tolist()), "the choice lasts for one call"


WORD = "ThisAgreementismadeonMay32021betweenNorthwindEstatesLLCandJaneRoewhoresidesat" + "thePremisesinColumbusOhio" * 2


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("word", [WORD, "a" * 100, "a" * 101, "A" * 250, "0123456789" * 500, "abc" + WORD + "def"])
def test_a_word_of_any_length_is_read(name: str, word: str) -> None:
    text = f"Lease. {word} monthly. The end."
    tokens = tokenize(text, TOKENIZERS[name])
    assert gaps(text, tokens) == []
    start, end = text.index(word), text.index(word) + len(word)
    inside = tokens.part(start, end)
    assert (inside.offsets[0, 0], inside.offsets[-1, 1]) == (start, end)
    if name == "wordpiece":
        assert len(set(inside.words.tolist())) == 1, "it stays one word"


def test_short_words_have_the_tokens_that_the_tokenizer_gives_them():
    text = " ".join(CORPUS) + " x☃y 猜测 " + "b" * 100
    tokenizer = TOKENIZERS["wordpiece"]
    encoding = tokenizer.encode(text, add_special_tokens=False)
    assert tokenize(text, tokenizer).ids.tolist() == encoding.ids


def test_a_long_word_with_an_unknown_letter_is_read_up_to_the_part_with_it():
    word = "a" * 150 + "☃" + "b" * 149
    tokens = tokenize(word, TOKENIZERS["wordpiece"])
    assert gaps(word, tokens) == [("a" * 50 + "☃" + "b" * 49, "unknown")]
    accents = "é" * 150
    assert gaps(accents, tokenize(accents, TOKENIZERS["wordpiece"])) == []
    hangul = tokenize("한" * 90, TOKENIZERS["wordpiece"])  # 270 letters when normalised
    assert hangul.offsets[-1, 1] == 90 and len(hangul) == 3


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("wordpiece", "so ☃ is x☃y here", [("☃", "unknown"), ("x☃y", "unknown")]),
        ("wordpiece", "a \ue000b\ue001c d \x07", [("\ue000", "dropped"), ("\ue001", "dropped"), ("\x07", "dropped")]),
        ("wordpiece", "\ufffd\ufffd a\ufffdb", [("\ufffd\ufffd", "dropped"), ("\ufffd", "dropped")]),
        ("wordpiece", "a\u200bb so\xadft \ufeffx \u202ey \u200b", []),
        ("wordpiece", "cafe\u0301 café", []),
        ("wordpiece", "👩\u200d👧 ❤\ufe0f", [("👩\u200d👧", "unknown"), ("❤", "unknown")]),
        ("wordpiece", "\u200b☃\u200b", [("☃", "unknown")]),
        ("unigram", "so ☃☃a b\x07c", [("☃☃", "unknown"), ("\x07", "dropped")]),
        ("unigram", "a\u200bb so\xadft", []),
        ("letters", "so ☃a", [("☃", "unknown")]),
        ("letters dropped", "so ☃a", [("☃", "dropped")]),
        ("letters dropped", "<s> ☃ is here", [("☃", "dropped")]),
        ("bytes", "so ☃a 猜 \ue000 \x07 👩\u200d👧", []),
    ],
)
def test_gaps_name_what_no_token_stands_for(name: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert gaps(text, tokenize(text, TOKENIZERS[name])) == expected


def test_the_gaps_of_parts_are_those_of_the_whole():
    text = "so ☃ is\x07 x☃y \ue000 here"
    tokens = tokenize(text, TOKENIZERS["wordpiece"])
    document = Document.from_text(text)
    parts = [tokens.part(0, 9), tokens.part(9, len(text))]
    assert findings.gaps_of(document, parts) == findings.gaps_of(document, [tokens]) != ()
    assert [(gap.start, gap.end) for gap in findings.gaps_of(Document.from_text("a ☃"), [])] == [(0, 1), (2, 3)]
