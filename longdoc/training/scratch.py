"""A new encoder: a tokenizer trained on texts, and a BERT with random weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

from longdoc.errors import ConfigError

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_MINIMA = {"layers": 1, "width": 1, "attention_heads": 1, "feed_forward": 1, "positions": 8}
MAX_LETTERS = 1000
"""Maximum number of different characters that word pieces are made of, the most frequent ones, as in BERT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchConfig:
    """The architecture of an encoder that is trained from scratch; by default that of the shipped one."""

    layers: int = 6
    """Number of layers."""
    width: int = 384
    """Width of the hidden states, a multiple of ``attention_heads``."""
    attention_heads: int = 12
    """Number of attention heads in a layer."""
    feed_forward: int = 1536
    """Width of the hidden layer in the feed-forward network."""
    positions: int = 512
    """Maximum number of positions in a window."""
    vocabulary: int = 16_000
    """Maximum size of the tokenizer's vocabulary, special tokens included."""
    tokenizer: Literal["wordpiece", "bpe"] = "wordpiece"
    """WordPiece as in BERT, or byte-level BPE, to which no character is unknown."""
    lower_case: bool = False
    """Convert text to lower case and strip accents; with ``wordpiece`` only."""

    def __post_init__(self) -> None:
        for name, minimum in _MINIMA.items():
            if getattr(self, name) < minimum:
                raise ConfigError(f"{name} must be at least {minimum}; got {getattr(self, name)}")
        if self.width % self.attention_heads:
            raise ConfigError(
                f"width must be a multiple of attention_heads; got {self.width} and {self.attention_heads}"
            )
        minimum = 256 + len(SPECIAL) if self.tokenizer == "bpe" else 2 * len(SPECIAL)
        if self.vocabulary < minimum:
            raise ConfigError(f"vocabulary is {self.vocabulary}; {self.tokenizer} needs at least {minimum}")
        if self.lower_case and self.tokenizer == "bpe":
            raise ConfigError("lower_case works with tokenizer: wordpiece only; bpe keeps the text as it is")


def train_tokenizer(texts: Sequence[str], config: ScratchConfig) -> Tokenizer:
    """Trains a tokenizer with BERT's special tokens: WordPiece or byte-level BPE (Sennrich et al., 2016).

    Deterministic: the same texts in the same order give the same tokenizer in each process of a run.
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
    alphabet = sorted(sorted(counts), key=lambda letter: -counts[letter])[: min(MAX_LETTERS, config.vocabulary // 3)]
    # The trainer numbers the characters inside words in random order, and breaks ties by number: fix the order.
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
    tokenizer = Tokenizer(models.WordPiece(trained.get_vocab(), unk_token="[UNK]"))  # in which `inside` is not special
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
        # A token includes the space before it, so the mask has to as well.
        special_tokens=[*SPECIAL[:-1], AddedToken("[MASK]", lstrip=True, special=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def fresh_encoder(tokenizer: Tokenizer, config: ScratchConfig) -> BertModel:
    """A BERT with random weights for the vocabulary of ``tokenizer``, without dropout in its attention."""
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
