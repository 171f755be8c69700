"""``longdoc pretrain CONFIG``: an encoder learns from plain text, by masked language modelling.

Either a pretrained encoder continues training on texts of a domain (Gururangan et al., 2020, arXiv:2004.10964), or a
new one learns from scratch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import TrainerCallback, set_seed

from longdoc.config import load_yaml
from longdoc.errors import ConfigError
from longdoc.metrics import Bits
from longdoc.model import Model
from longdoc.training.cloze import Cloze, cloze, measure
from longdoc.training.deepspeed import gathered_weights
from longdoc.training.learner import Learner
from longdoc.training.masked import Collator, MaskedBatches, masked_batches
from longdoc.training.masking import Vocabulary
from longdoc.training.pretrain_config import PretrainConfig, fill_heads
from longdoc.training.processes import processes_of_a_run
from longdoc.training.rows import ReadText, RowForm
from longdoc.training.run import fit, is_first_process
from longdoc.training.starting_model import starting_model
from longdoc.training.texts import Text, read_texts


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A finished run.

    ``before`` and ``after`` are the cost of predicting the held-out documents: each token is masked in one of
    ``round(1 / masked)`` passes (with ``whole_words`` all tokens of a word in the same one), and predicted from all
    tokens that are not masked in that pass. The bits are the sum of ``-log2 p`` of the correct tokens; the characters
    are those of the same tokens. White space and unknown tokens are neither predicted nor counted. This is a
    pseudo-likelihood (Salazar et al., 2020, arXiv:1910.14659): lower is better, and results of different models are
    comparable, even with different tokenizers, if ``masked`` and ``whole_words`` are the same. None in all processes
    but the first.
    """

    folder: Path
    before: Bits | None
    after: Bits | None
    n_learned: int
    """Number of documents that were learned from."""
    n_held_out: int
    unread: Mapping[str, str]
    """Why a document was not read, by path."""

    def __str__(self) -> str:
        lines = [f"{'held out':<12}{'bits per token':>14}{'bits per character':>20}"]
        for name, bits in (("before", self.before), ("after", self.after)):
            if bits is not None:
                lines.append(f"{name:<12}{bits.per_token:>14.3f}{bits.per_character:>20.3f}")
        n_characters = self.after.characters if self.after else 0
        lines += [
            "",
            f"learned from {self.n_learned:,} documents, measured on {n_characters:,} characters of "
            f"{self.n_held_out:,} others",
        ]
        if self.unread:
            lines.append(f"{len(self.unread):,} documents could not be read and were left out:")
            lines += [f"  {path}: {reason}" for path, reason in list(self.unread.items())[:10]]
            lines += [f"  and {len(self.unread) - 10:,} more"] if len(self.unread) > 10 else []
        return "\n".join([*lines, f"The model is in {self.folder}"])


def pretrain(
    config: PretrainConfig | str | Path,
    *,
    deepspeed: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Pretrained:
    """Pre-trains as configured, and measures before and after.

    An interrupted run resumes from its newest complete checkpoint, with the same masks. Under ``torchrun`` or
    ``deepspeed`` each process learns from its share of the batches, and the first one measures.

    Args:
        config: the configuration, or a YAML file of one.
        deepspeed: a DeepSpeed configuration.
        callbacks: callbacks of transformers' Trainer, as for ``train``.

    Raises:
        ConfigError: the configuration has an unknown key or value, or the base cannot be trained this way.
        DataError: no document could be read, or a corpus is missing or malformed.
        TrainingError: the loss is not finite, or a checkpoint could not be written.
    """
    with processes_of_a_run():
        read = config if isinstance(config, PretrainConfig) else load_yaml(PretrainConfig, config)
        return _pretrain(read, Path(deepspeed) if deepspeed else None, callbacks)


def _pretrain(config: PretrainConfig, deepspeed: Path | None, callbacks: Sequence[TrainerCallback]) -> Pretrained:
    set_seed(config.seed)
    texts = read_texts(config.documents, config.corpora)
    training_texts, held_out_texts = texts.split(config.held_out)
    model = starting_model(config, training_texts)
    batches, held_out = make_batches(config, model, training_texts, held_out_texts)
    learner, folder = Learner(model), Path(config.output) / "model"
    before = measure(learner, held_out) if is_first_process() else None
    trainer = fit(learner, batches, config, deepspeed=deepspeed, callbacks=callbacks)
    after = None
    with gathered_weights(learner):
        if trainer.args.should_save:
            after = measure(learner, held_out)
            model.save(folder, quantize=config.quantize)
    return Pretrained(folder, before, after, len(training_texts), len(held_out_texts), texts.unread)


def make_batches(
    config: PretrainConfig, model: Model, training_texts: Sequence[Text], held_out_texts: Sequence[Text]
) -> tuple[MaskedBatches, Cloze]:
    """The batches to learn from, and those to measure on.

    Raises:
        ConfigError: there would be none, as ``passes`` or ``evaluate_characters`` is too small.
    """
    vocabulary = Vocabulary.of(model.tokenizer)
    collator = Collator(model.encoder, fill_heads(model.config)[0], row_form(config, model))
    learned, held_out = (
        [ReadText.of(text, model.tokenizer, vocabulary, whole_words=config.whole_words) for text in part]
        for part in (training_texts, held_out_texts)
    )
    batches = masked_batches(
        learned,
        collator,
        vocabulary,
        passes=config.passes,
        masked=config.masked,
        batch_tokens=config.batch_tokens,
        seed=config.seed,
    )
    hidden = cloze(
        held_out,
        collator,
        vocabulary.mask,
        masked=config.masked,
        n_characters=config.evaluate_characters,
        batch_tokens=config.batch_tokens,
    )
    if not len(batches):
        raise ConfigError(f"passes is {config.passes}, and no document was drawn; use a number closer to 1")
    if not len(hidden):
        raise ConfigError(
            f"evaluate_characters is {config.evaluate_characters}, not enough for one word of each held-out document"
        )
    return batches, hidden


def row_form(config: PretrainConfig, model: Model) -> RowForm:
    """How texts become rows for a model."""
    period = model.config.windows.size if config.encoder == "sparse" else 0
    special = model.encoder.template.plain
    return RowForm(special=special, window=config.window, overlap=config.overlap, period=period)
