"""``longdoc pretrain CONFIG``: an encoder learns from plain text, by guessing words that are left out of it.

Continued on the texts of a domain (Gururangan et al., 2020, arXiv:2004.10964), or from scratch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm
from transformers import AutoConfig, AutoModelForMaskedLM, set_seed

from longdoc.attention.positions import n_positions
from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig
from longdoc.errors import ConfigError
from longdoc.heads import FillConfig
from longdoc.metrics import Bits
from longdoc.model import Model, ModelConfig, is_longdoc
from longdoc.reader import device_of
from longdoc.training.learner import Learner
from longdoc.training.masking import Vocabulary
from longdoc.training.rows import Cloze, Collator, MaskedBatches, ReadText, RowForm, cloze, masked_batches
from longdoc.training.run import RunConfig, fit, last_checkpoint
from longdoc.training.scratch import ScratchConfig, fresh_encoder, train_tokenizer
from longdoc.training.texts import Text, read_texts
from longdoc.training.trainer import base_folder, whole_weights
from longdoc.windows import WindowConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(RunConfig):
    """A run of masked-language pre-training, as written in YAML."""

    base: str = ""
    """Encoder to start from, as for training; or give ``scratch``."""
    scratch: ScratchConfig | None = None
    """The form of a new encoder, whose tokenizer is trained on the documents as well."""
    documents: tuple[str, ...] = ()
    """Files, folders and patterns such as ``plos_jats/*.xml``: below :func:`data_root`, else the working folder."""
    corpora: tuple[DatasetConfig, ...] = ()
    """Labelled corpora, for their texts."""
    held_out: float = 0.02
    """Share of the documents, chosen by their names, that are not learned from but measured on."""
    evaluate_characters: int = 200_000
    """Most characters held out that are measured on, white space not counted."""
    masked: float = 0.15
    """Share of the tokens that are left out, drawn anew in each pass."""
    whole_words: bool = False
    """Leave out all tokens of a word together."""
    encoder: Literal["windows", "sparse"] = "windows"
    """``sparse`` packs documents into long rows; those of a row do not see each other."""
    window: int = 256
    """Positions of a window, or of a packed row, special tokens counted."""
    overlap: int = 0
    """Tokens that neighbouring windows of a document share."""
    passes: float = 1.0
    """How often the documents are read; half a pass reads a random half of them."""
    model: ModelConfig | None = None
    """Heads to keep, among them one of kind ``fill``; by default only that one, ``fill``."""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if bool(self.base) == (self.scratch is not None):
            raise ConfigError("give one of base, the encoder to start from, and scratch, the form of a new one")
        if not self.documents and not self.corpora:
            raise ConfigError("documents and corpora are both empty; name something to learn from")
        for name in ("held_out", "masked"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} must be above 0 and below 1; got {getattr(self, name)}")
        if self.passes <= 0 or self.evaluate_characters < 1:
            raise ConfigError("passes must be above 0, and evaluate_characters at least 1")
        if not 0 <= self.overlap < self.window - 2:
            raise ConfigError(f"a window of {self.window} is too small for an overlap of {self.overlap}")
        if self.model is not None and not _fill_heads(self.model):
            raise ConfigError("model.heads has no head of kind fill, which is what learns; add `fill: {kind: fill}`")


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A finished run.

    ``before`` and ``after`` are what it costs to predict the documents held out: each token is masked in one of
    ``round(1 / masked)`` passes (with ``whole_words`` all tokens of a word in the same one), and predicted from all
    tokens that are not masked in that pass; the bits are the sum of ``-log2 p`` of the right tokens, the characters
    those of the same tokens. White space and unknown tokens are neither predicted nor counted. This is a
    pseudo-likelihood (Salazar et al., 2020, arXiv:1910.14659): lower is better, and figures of different models
    compare, whatever their tokenizers, where ``masked`` and ``whole_words`` are the same. None in processes other
    than the first one.
    """

    folder: Path
    before: Bits | None
    after: Bits | None
    n_learned: int
    """Documents that were learned from."""
    n_held_out: int
    unread: Mapping[str, str]
    """Path: why it was not read."""

    def __str__(self) -> str:
        lines = [f"{'held out':<12}{'bits a token':>14}{'bits a character':>20}"]
        for name, bits in (("before", self.before), ("after", self.after)):
            if bits is not None:
                lines.append(f"{name:<12}{bits.per_token:>14.3f}{bits.per_character:>20.3f}")
        n_characters = self.after.characters if self.after else 0
        lines += ["", f"learned from {self.n_learned:,} documents, measured on {n_characters:,} characters of"]
        lines[-1] += f" {self.n_held_out:,} others"
        if self.unread:
            lines.append(f"{len(self.unread):,} documents could not be read and were left out:")
            lines += [f"  {path}: {reason}" for path, reason in list(self.unread.items())[:10]]
            lines += [f"  and {len(self.unread) - 10:,} more"] if len(self.unread) > 10 else []
        return "\n".join([*lines, f"The model is in {self.folder}"])


def pretrain(path: str | Path, *, deepspeed: str | Path | None = None) -> Pretrained:
    """Pre-trains by a YAML file of :class:`PretrainConfig`, and measures before and after.

    A run that was interrupted goes on from its last checkpoint, with the same masks. Under ``torchrun`` or
    ``deepspeed`` each process learns from its part of the batches, and the first one measures.

    Args:
        path: the YAML file.
        deepspeed: a configuration of DeepSpeed.

    Raises:
        ConfigError: the file has an unknown key or value, or the base cannot learn this way.
        DataError: no document could be read, or a corpus is missing or malformed.
        TrainingError: the loss is no number, or a checkpoint could not be written.
    """
    config = load_yaml(PretrainConfig, path)
    set_seed(config.seed)
    texts = read_texts(config.documents, config.corpora)
    learned, held = texts.split(config.held_out)
    model = starting_model(config, learned)
    vocabulary = Vocabulary.of(model.tokenizer)
    collator = Collator(model.encoder, _fill_heads(model.config)[0], row_form(config, model))
    reading = [_tokenized(part, model.tokenizer, vocabulary, config) for part in (learned, held)]
    batches = masked_batches(
        reading[0],
        collator,
        vocabulary,
        passes=config.passes,
        masked=config.masked,
        batch_tokens=config.batch_tokens,
        seed=config.seed,
    )
    hidden = cloze(
        reading[1],
        collator,
        vocabulary.mask,
        masked=config.masked,
        n_characters=config.evaluate_characters,
        batch_tokens=config.batch_tokens,
    )
    _check_lengths(config, batches, hidden)
    learner, folder = Learner(model), Path(config.output) / "model"
    before = measure(learner, hidden) if _is_first() else None
    trainer = fit(learner, batches, config, deepspeed=Path(deepspeed) if deepspeed else None)
    after = None
    with whole_weights(learner):
        if trainer.args.should_save:
            after = measure(learner, hidden)
            model.save(folder, quantize=config.quantize)
    return Pretrained(folder, before, after, len(learned), len(held), texts.unread)


def starting_model(config: PretrainConfig, texts: Sequence[Text]) -> Model:
    """The base, or a new encoder, with a head that predicts words.

    Raises:
        ConfigError: the base has too few positions, or embeddings of another width than its states.
    """
    size = config.window if config.encoder == "windows" else WindowConfig().size
    windows = WindowConfig(size=size, overlap=min(WindowConfig().overlap, size // 4))
    wanted = config.model or ModelConfig(heads={"fill": FillConfig()}, windows=windows)
    if config.scratch is not None:
        tokenizer = _tokenizer(config, config.scratch, texts)
        model = Model(fresh_encoder(tokenizer, config.scratch), tokenizer, wanted)
    else:
        folder = base_folder(config.base)
        model = Model.from_base(folder, wanted)
        if not is_longdoc(folder):
            take_words(model, folder)
    backbone: Any = model.encoder.backbone
    if backbone.get_input_embeddings().embedding_dim != backbone.config.hidden_size:
        raise ConfigError(
            f"{config.base} has embeddings of another width than its states, as ALBERT and ELECTRA may; words cannot "
            "be predicted through them: start from another encoder"
        )
    longest = n_positions(backbone) or backbone.config.max_position_embeddings
    if config.encoder == "windows" and config.window > longest:
        raise ConfigError(f"window is {config.window}; this encoder has positions for {longest}: see encoder: sparse")
    if config.freeze_embeddings:
        backbone.get_input_embeddings().weight.requires_grad_(False)
    return model


def row_form(config: PretrainConfig, model: Model) -> RowForm:
    """How texts become rows for this model."""
    period = model.config.windows.size if config.encoder == "sparse" else 0
    frame = model.encoder.template.plain
    return RowForm(frame=frame, window=config.window, overlap=config.overlap, period=period)


_LAYERS = (
    ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"),
    ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
    ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
)
"""What BERT, RoBERTa and DistilBERT call the layer, its norm and the bias of the vocabulary."""


def take_words(model: Model, base: str) -> bool:
    """Gives the head ``fill`` the weights that a checkpoint for masked words has for it, where its form is the same."""
    form = AutoConfig.from_pretrained(base)
    if not any(name.endswith(("ForMaskedLM", "ForPreTraining")) for name in form.architectures or ()):
        return False
    if getattr(form, "hidden_act", getattr(form, "activation", None)) != "gelu":
        return False
    weights: Mapping[str, Tensor] = AutoModelForMaskedLM.from_pretrained(base, dtype=torch.float32).state_dict()
    head = model.heads[_fill_heads(model.config)[0]]
    own = {name: tensor.shape for name, tensor in head.state_dict().items()}
    for dense, norm, bias in _LAYERS:
        named = {"dense": dense, "norm": norm}
        found = {f"{n}.{kind}": weights.get(f"{o}.{kind}") for n, o in named.items() for kind in ("weight", "bias")}
        given = {name: tensor for name, tensor in {**found, "bias": weights.get(bias)}.items() if tensor is not None}
        if {name: tensor.shape for name, tensor in given.items()} == own:
            head.load_state_dict(given)
            return True
    return False


@torch.inference_mode()
def measure(learner: Learner, hidden: Cloze) -> Bits:
    """What the masked tokens cost (see :class:`Pretrained`), in float32."""
    device, was_training = device_of("auto"), learner.training
    learner.to(device).eval()
    total = Bits()
    for batch, n_characters in tqdm(hidden, unit="batch", delay=2, leave=False, disable=None):
        del batch["documents"]
        (words,) = (wanted["words"] for wanted in batch["targets"].values())
        nats = learner(**_to(batch, device))["loss"].item() * len(words)
        total += Bits(nats / math.log(2), len(words), n_characters)
    learner.train(was_training)
    return total


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    return {key: _to(item, device) for key, item in value.items()} if isinstance(value, dict) else value


def _check_lengths(config: PretrainConfig, batches: MaskedBatches, hidden: Cloze) -> None:
    if not len(batches):
        raise ConfigError(f"passes is {config.passes}, and no document was drawn; give a number nearer to 1")
    if not len(hidden):
        raise ConfigError(
            f"evaluate_characters is {config.evaluate_characters}, too few for one word of each document held out"
        )


def _tokenized(
    texts: Sequence[Text], tokenizer: Tokenizer, vocabulary: Vocabulary, config: PretrainConfig
) -> list[ReadText]:
    return [ReadText.of(text, tokenizer, vocabulary, whole_words=config.whole_words) for text in texts]


def _tokenizer(config: PretrainConfig, scratch: ScratchConfig, texts: Sequence[Text]) -> Tokenizer:
    """A new tokenizer; that of the checkpoint where a run goes on, for its ids are what the weights know."""
    output = Path(config.output)
    kept = output / "tokenizer.json"
    if kept.is_file() and last_checkpoint(output / "checkpoints"):
        return Tokenizer.from_file(str(kept))
    tokenizer = train_tokenizer([text.text for text in texts], scratch)
    if _is_first():
        output.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(kept))
    return tokenizer


def _fill_heads(config: ModelConfig) -> list[str]:
    return [name for name, head in config.heads.items() if head.kind == "fill"]


def _is_first() -> bool:
    return int(os.environ.get("RANK", "0")) == 0
