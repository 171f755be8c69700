"""``longdoc prune MODEL``: a smaller model, and what each step to it costs and gains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from longdoc.compute import TorchScorer
from longdoc.config import load_yaml
from longdoc.decode import Calibration
from longdoc.errors import ConfigError
from longdoc.evaluation import LabelledData
from longdoc.evaluation.tables import Table
from longdoc.inputs import Precision
from longdoc.metrics.results import Row
from longdoc.model import Model
from longdoc.pipeline import Pipeline
from longdoc.training.distill import DistillConfig
from longdoc.training.given_model import model_of
from longdoc.training.processes import processes_of_a_run
from longdoc.training.prune import PruneConfig
from longdoc.training.trainer import TrainConfig, prepare, train_prepared


@dataclass(frozen=True, slots=True)
class Step:
    """A model on the way to the pruned one."""

    name: str
    n_parameters: int
    tokens_per_second: float
    """Of the encoder, in full windows."""
    scores: Mapping[str, float]
    """Main metric by development data set."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """The result of :func:`prune_model`; its string is a report for the terminal."""

    folder: Path
    steps: tuple[Step, ...]
    """The given model, the pruned one before it has recovered, and the trained one."""
    calibrated: tuple[str, ...]
    """Heads whose calibration was fitted to the given model."""

    def __str__(self) -> str:
        names = list(self.steps[0].scores)
        rows: list[Row] = []
        for step in self.steps:
            scores = (f"{step.scores[name]:.3f}" for name in names)
            rows.append((step.name, f"{step.n_parameters:,}", f"{step.tokens_per_second:,.0f}", *scores))
        lines = [Table(("", "parameters", "tokens/s", *names), rows, n_names=1).to_markdown(), ""]
        if not names:
            lines.append("The quality was not measured: name held-out data under `development` in the configuration")
        if self.calibrated:
            lines.append(
                f"Scores have shifted: repeat `longdoc calibrate` with this model for {', '.join(self.calibrated)}"
            )
        return "\n".join([*lines, f"The pruned model is in {self.folder}"])


def prune_model(
    model: str,
    config: TrainConfig | str | Path,
    output: str | Path,
    *,
    width: int | None = None,
    heads: int | None = None,
) -> Pruned:
    """Prunes a model by what matters for the tasks of a training configuration, trains it, and measures each step.

    The run is that of :func:`longdoc.train` with ``base: model``, its heads, ``prune``, and the model as teacher unless
    ``config`` names another; started again, it goes on.

    Args:
        model: a model as for ``base``, with heads.
        config: the configuration, or a YAML file of one; of its ``development`` data, the scores are told.
        output: folder of the run, whose ``model`` is the pruned one.
        width: neurons to keep in each feed-forward network; all by default.
        heads: attention heads to keep in each layer; all by default. Without both, ``prune`` of ``config`` counts.

    Raises:
        ConfigError: the configuration is wrong, or the encoder cannot be pruned so.
        DataError: a corpus is missing or malformed.
    """
    given = config if isinstance(config, TrainConfig) else load_yaml(TrainConfig, config)
    if given.revision is not None:
        raise ConfigError(
            f"revision is {given.revision!r}, of the base, which MODEL replaces; give the folder of a model"
        )
    named = given.prune if width is None and heads is None else None
    own = replace(
        given,
        base=model,
        revision=None,
        output=str(output),
        model=None,
        prune=named or PruneConfig(width=width, heads=heads),
        distill=given.distill or DistillConfig(teacher=model),
    )
    data = given.development.datasets if given.development else {}
    labelled = {name: LabelledData.read(name, dataset) for name, dataset in data.items()}
    with processes_of_a_run():
        prepared = prepare(own)
        whole = model_of(model)
        steps = [_step(model, whole, labelled, own.precision)]
        steps.append(_step("pruned", prepared.learner.model, labelled, own.precision))
        folder = train_prepared(prepared)
        if distributed.is_available() and distributed.is_initialized():
            distributed.barrier()  # the first process writes the folder
        steps.append(_step("trained", Model.from_pretrained(folder), labelled, own.precision))
    calibrations = {name: getattr(head, "calibration", Calibration()) for name, head in whole.config.heads.items()}
    calibrated = tuple(name for name, fitted in calibrations.items() if fitted != Calibration())
    return Pruned(folder, tuple(steps), calibrated)


def _step(name: str, model: Model, data: Mapping[str, LabelledData], precision: Precision) -> Step:
    pipeline = Pipeline(model, precision=precision)
    scores = {name: labelled.result(pipeline).value for name, labelled in data.items()}
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    return Step(name, n_parameters, encoder_speed(TorchScorer(model, precision=precision)), scores)


def encoder_speed(scorer: TorchScorer, *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Tokens in full windows that the encoder of a model reads in a second: the best of 5 batches.

    ``clock`` tells the seconds; beside other programs, ``time.process_time`` counts only those of this process.
    """
    encoder, size = scorer.encoder, scorer.config.windows.size
    count = max(1, scorer.batch_tokens // size)
    n_special = len(encoder.template.plain)
    ids = np.random.default_rng(0).integers(0, scorer.tokenizer.get_vocab_size(), (count, size - n_special))
    inputs = {name: tensor.to(scorer.device) for name, tensor in encoder.batch(list(ids)).inputs.items()}
    low, times = scorer.dtype != torch.float32, []
    with torch.inference_mode(), torch.autocast(scorer.device.type, dtype=scorer.dtype, enabled=low):
        for _ in range(5):
            began_at = clock()
            encoder(**inputs)[0, 0, 0].item()  # waits for a GPU
            times.append(clock() - began_at)
    return count * size / min(times)
