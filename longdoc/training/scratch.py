"""An encoder from nothing: a tokenizer trained on texts, and a BERT with random weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

from longdoc.errors import ConfigError

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = 1000
"""Most different letters that word pieces are made of, the commonest ones, as in BERT's training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchConfig:
    """The form of an encoder that is trained from scratch; by default that of the shipped one."""

    layers: int = 6
    width: int = 384
    attention_heads: int = 12
    feed_forward: int = 1536
    """Width inside a layer."""
    positions: int = 512
    """Most positions in a window."""
    vocabulary: int = 16_000
    """Most tokens that the tokenizer learns, special ones counted."""
    tokenizer: Literal["wordpiece", "bpe"] = "wordpiece"
    """WordPiece as BERT has it, or byte pairs, which know every character."""
    lower_case: bool = False
    """Read text in lower case, without accents (``wordpiece``)."""

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.attention_heads, self.feed_forward) < 1 or self.positions < 8:
            raise ConfigError("an encoder needs layers, width, heads and feed_forward of at least 1, positions of 8")
        if self.width % self.attention_heads:
            raise ConfigError(f"width, {self.width}, must be a multiple of attention_heads, {self.attention_heads}")
        least = 256 + len(SPECIAL) if self.tokenizer == "bpe" else 2 * len(SPECIAL)
        if self.vocabulary < least:
            raise ConfigError(f"vocabulary is {self.vocabulary}; {self.tokenizer} needs at least {least}")
        if self.lower_case and self.tokenizer == "bpe":
            raise ConfigError("lower_case is for wordpiece; byte pairs keep a text as it is")


def train_tokenizer(texts: Sequence[str], config: ScratchConfig) -> Tokenizer:
    """A tokenizer with BERT's special tokens, of word pieces or of byte pairs (Sennrich et al., 2016).

    The same texts in the same order give the same tokenizer, in each process of a run.
    """
    tokenizer = _word_pieces(texts, config) if config.tokenizer == "wordpiece" else _byte_pairs(texts, config)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _word_pieces(texts: Sequence[str], config: ScratchConfig) -> Tokenizer:
    normalizer = normalizers.BertNormalizer(lowercase=config.lower_case)
    counts = Counter(letter for text in texts for letter in normalizer.normalize_str(text) if not letter.isspace())
    alphabet = sorted(sorted(counts), key=lambda letter: -counts[letter])[: min(LETTERS, config.vocabulary // 3)]
    # The trainer numbers letters inside words by chance, and breaks ties by these numbers: it is given them.
    inside = [f"##{letter}" for letter in sorted(alphabet)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=config.vocabulary,
        special_tokens=SPECIAL + inside,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.normalizer, trained.pre_tokenizer = normalizer, pre_tokenizers.BertPreTokenizer()
    trained.train_from_iterator(texts, trainer)
    tokenizer = Tokenizer(models.WordPiece(trained.get_vocab(), unk_token="[UNK]"))  # whose letters are not special
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def _byte_pairs(texts: Sequence[str], config: ScratchConfig) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary,
        # A mask takes the space before it along, as words do here.
        special_tokens=[*SPECIAL[:-1], AddedToken("[MASK]", lstrip=True, special=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def fresh_encoder(tokenizer: Tokenizer, config: ScratchConfig) -> BertModel:
    """A BERT with random weights for the words of ``tokenizer``; its attention has no dropout."""
    form = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.attention_heads,
        intermediate_size=config.feed_forward,
        max_position_embeddings=config.positions,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
    )
    return BertModel(form, add_pooling_layer=False)
