"""Converts a checkpoint: checks the request, converts, writes, and measures what was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as ENCODERS

from longdoc.attention import SparsePattern, sparsify
from longdoc.attention.positions import n_positions
from longdoc.convert.checkpoint import Checkpoint
from longdoc.convert.cloze import Cloze
from longdoc.convert.longformer import as_longformer
from longdoc.errors import ConfigError
from longdoc.metrics import Bits
from longdoc.pretrained import quiet

WINDOW = 256
MAX_TOKENS = 2**20
"""Longer rows are refused as a probable typing error."""
OWN_PATTERN = ("longformer", "big_bird")
"""Model types that keep the sparse pattern they were trained with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result of :func:`convert`; its string is a report for the terminal."""

    output: Path
    architecture: str
    """Name of the transformers class that loads it."""
    tokens_before: int
    """Maximum row length before the conversion, in tokens, including special tokens."""
    tokens_after: int
    """Maximum row length after the conversion."""
    window: int | tuple[int, ...]
    """Tokens seen to each side: in all layers, or one number per layer."""
    before: Bits | None = None
    """Bits of the masked tokens, in rows of ``tokens_before`` with dense attention; ``None`` without a text."""
    after: Bits | None = None
    """Bits of the same tokens, in rows of ``tokens_after`` with sparse attention; ``None`` without a text."""

    def __str__(self) -> str:
        windows = self.window if isinstance(self.window, tuple) else (self.window,)
        window = " to ".join(f"{size:,}" for size in sorted({min(windows), max(windows)}))
        lines = [
            f"{self.output}: {self.architecture} for rows of {self.tokens_after:,} tokens (before: "
            f"{self.tokens_before:,}); each token sees {window} to each side"
        ]
        if self.before is not None and self.after is not None:
            title = f"{self.before.tokens:,} masked tokens"
            lines += ["", f"{title:<32}{'bits per token':>14}{'bits per character':>20}"]
            lines += [
                f"{f'{name}, rows of {longest:,}':<32}{bits.per_token:>14.3f}{bits.per_character:>20.3f}"
                for name, longest, bits in (
                    ("before: dense", self.tokens_before, self.before),
                    ("after: sparse", self.tokens_after, self.after),
                )
            ]
        return "\n".join([*lines, "", *(f"    {line}" for line in self.usage.splitlines())])

    @property
    def usage(self) -> str:
        """Python code that loads the converted checkpoint."""
        return (
            f"from transformers import {self.architecture}\n"
            "from longdoc.attention import sparsify\n"
            f"model = sparsify({self.architecture}.from_pretrained({str(self.output)!r}))"
        )


def convert(
    model: str | Path,
    output: Path,
    *,
    max_tokens: int,
    window: int | None = None,
    global_projections: bool = False,
    text: Path | None = None,
) -> Conversion:
    """Writes a checkpoint that reads rows of ``max_tokens`` tokens with sparse attention, first token global.

    Its files equal the original's except for one tensor and a few settings, so plain transformers still loads it. The
    pattern is stored in ``config.json``, so that ``sparsify(model)`` needs none.

    Args:
        model: a folder in the format of transformers, or a hub id; the weights must be safetensors.
        output: folder to write; if it exists, it must be empty.
        max_tokens: maximum row length in tokens, including special tokens. A learned position table is repeated up to
            this length.
        window: tokens seen to each side, 256 by default. ModernBERT's local layers, Longformer and BigBird keep their
            own windows.
        global_projections: write a Longformer, from BERT, RoBERTa, XLM-R or CamemBERT.
        text: a plain text file in which masked tokens are predicted before and after the conversion.

    Raises:
        ConfigError: an argument is missing or does not fit; nothing was written.
    """
    if not 0 < max_tokens <= MAX_TOKENS:
        raise ConfigError(f"max_tokens is {max_tokens}; allowed: from the model's own length to {MAX_TOKENS:,}")
    _check_output(output, model)
    words = None if text is None else _read_text(text)
    with quiet():
        source = Checkpoint.open(model)
        pattern = _pattern(source, window)
        tokenizer = source.repository.tokenizer()
        cloze = None if words is None else Cloze.of(words, tokenizer)
        network = source.network(with_head=cloze is not None)
        tokens_before = n_positions(network) or int(getattr(network.config, "max_position_embeddings", 0))
        if max_tokens < tokens_before:
            raise ConfigError(
                f"max_tokens is {max_tokens}, but {model} already reads {tokens_before}; give at least that"
            )
        sparsify(network, pattern, max_tokens=max_tokens)
        if global_projections:
            network = as_longformer(network, tokenizer)
        source.write(output, network, tokenizer, max_tokens)
        windows = network.config.sparse_attention["window"]
        return Conversion(
            output=output,
            architecture=type(network).__name__,
            tokens_before=tokens_before,
            tokens_after=max_tokens,
            window=tuple(windows) if isinstance(windows, list) else windows,
            before=None if cloze is None else cloze.bits(source.network(), tokens_before),
            after=None if cloze is None else cloze.bits(sparsify(Checkpoint.open(output).network()), max_tokens),
        )


def _pattern(source: Checkpoint, window: int | None) -> SparsePattern | None:
    """The pattern to read with; ``None`` if the architecture has its own."""
    kind = source.config.get("model_type")
    if kind not in ENCODERS:
        raise ConfigError(
            f"{source.name} has the model_type {kind}; only encoders can be converted, such as bert, roberta, "
            "xlm-roberta, camembert, distilbert, albert, electra or modernbert"
        )
    if kind not in OWN_PATTERN:
        return SparsePattern(window=WINDOW if window is None else window)
    if window is not None:
        raise ConfigError(f"window is {window}, but a {kind} keeps the pattern it was trained with; leave it out")
    return None


def _check_output(output: Path, model: str | Path) -> None:
    if output.resolve() == Path(model).resolve():
        raise ConfigError(f"{output}: the output would replace the model; choose another folder")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"{output} already exists; choose another output folder, or delete it")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not plain text in UTF-8; `longdoc show --text {path}` prints its text") from error
