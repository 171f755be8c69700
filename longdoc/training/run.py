"""One training run: batches in, a trained learner out, by transformers' Trainer, with or without DeepSpeed."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from transformers import TrainerCallback, TrainingArguments, get_scheduler
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK
from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION
from transformers.trainer_utils import SchedulerType

from longdoc.config import convert_fields, differences, to_dict
from longdoc.config_files import read_json
from longdoc.devices import TrainingPrecision, device_of, dtype_of
from longdoc.durable import write_atomically
from longdoc.errors import ConfigError, MissingDependencyError, first_line, require
from longdoc.training.batch_trainer import BatchTrainer, Development, EarlyStopping, Shareable
from longdoc.training.checkpoints import PARTIAL, checkpoint_to_resume, progress_of
from longdoc.training.deepspeed import zero_stage
from longdoc.training.layers import recompute_activations, set_dropout
from longdoc.training.learner import Learner

logger = logging.getLogger(__name__)

Scheduler: TypeAlias = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "cosine_with_min_lr",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "warmup_stable_decay",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The settings of a training run that do not depend on what is learned."""

    base: str
    """Encoder to start from: ``default`` or another model of longdoc, whose heads of the same name are kept; a folder,
    a hub id, or ``package:NAME`` for a Python package that contains one."""
    revision: str | None = None
    """Branch, tag or commit of a base that is a hub id; its default branch if not given."""
    output: str
    """Folder for checkpoints and the trained model. The same run started again goes on from its newest checkpoint;
    another configuration is refused."""
    batch_tokens: int = 4096
    """Maximum number of tokens in a batch, padding included, special tokens not counted."""
    accumulate: int = 1
    """Batches per step, on each process."""
    learning_rate: float = 1.5e-4
    """Peak learning rate of AdamW."""
    head_learning_rate: float | None = None
    """Peak learning rate of the heads; by default that of the encoder. Fresh heads learn faster with a higher one."""
    warmup_share: float = 0.06
    """Share of the steps over which the learning rate rises from 0; then it follows ``scheduler``."""
    scheduler: Scheduler = "linear"
    """How the learning rate goes on from its peak, by the names of transformers: ``linear`` falls to 0."""
    scheduler_options: dict[str, float] = field(default_factory=dict)
    """Options of the scheduler, as transformers names them, such as `{num_cycles: 2}`."""
    weight_decay: float = 0.01
    """Decay of AdamW: the share of the learning rate by which weights shrink in each step, biases and norms aside."""
    dropout: float | None = None
    """Dropout of hidden states and heads, in all layers; by default as in the encoder and the heads. Attention has
    none."""
    freeze_embeddings: bool = False
    """Do not train the token embeddings: they are half of a small encoder, and training them helps little."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass instead of keeping them: slower, with less memory."""
    precision: TrainingPrecision = "auto"
    """Number format of matrix products; ``auto`` is bfloat16 where the hardware supports it."""
    quantize: bool = False
    """Store the weight matrices of the trained model as int8."""
    save_every: int = 200
    """Steps between two checkpoints."""
    log_every: int = 20
    """Steps between two log entries."""
    report_to: tuple[str, ...] | None = None
    """Where the log goes in addition to ``log.json``, by the names of transformers: ``tensorboard``, ``wandb``,
    ``mlflow`` …; by default ``tensorboard`` if it is installed, and with `[]` nowhere."""
    seed: int = 13
    """Seed of all random choices: fresh weights, dropout, the order of the batches."""

    def __post_init__(self) -> None:
        convert_fields(self)
        for name in ("batch_tokens", "accumulate", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1; got {getattr(self, name)}")
        for name in ("learning_rate", "head_learning_rate"):
            if (rate := getattr(self, name)) is not None and not 0 < rate < math.inf:
                raise ConfigError(f"{name} must be above 0; got {rate}")
        if not 0 <= self.weight_decay < math.inf:
            raise ConfigError(f"weight_decay must be at least 0; got {self.weight_decay}")
        if not 0 <= self.warmup_share <= 1:
            raise ConfigError(f"warmup_share must be between 0 and 1; got {self.warmup_share}")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1; got {self.dropout}")
        if unknown := [name for name in self.report_to or () if name not in INTEGRATION_TO_CALLBACK]:
            raise ConfigError(f"report_to names {', '.join(unknown)}; allowed: {', '.join(INTEGRATION_TO_CALLBACK)}")
        _check_scheduler(self)

    @property
    def dtype(self) -> torch.dtype:
        """Number format of matrix products on this machine."""
        return dtype_of(self.precision, device_of("auto"))


def fit(
    learner: Learner,
    batches: Shareable,
    config: RunConfig,
    *,
    deepspeed: Path | None = None,
    development: Development | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> BatchTrainer:
    """Trains ``learner`` in place, or resumes from the newest complete checkpoint of the same run.

    Raises:
        ConfigError: the output folder contains a run with another configuration, or a checkpoint that this run cannot
            read.
        MissingDependencyError: accelerate, DeepSpeed or what a ``report_to`` needs is not installed.
        TrainingError: the loss is not finite, or a checkpoint could not be written.
    """
    if device_of("auto").type == "cpu":
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # accelerate imports DeepSpeed, which warns without it
    require("accelerate", extra="train", needed_by="training")
    output = Path(config.output)
    stage = zero_stage(deepspeed) if deepspeed else 0
    prepare_layers(learner, config)
    record_config(output, config)
    arguments = training_arguments(config, len(batches), deepspeed, development)
    use_one_gpu(arguments)
    learner.all_heads = arguments.world_size > 1
    stopping = [EarlyStopping(development.patience)] if development else []
    trainer = _trainer(learner, batches, arguments, [*stopping, *callbacks])
    trainer.development = development
    trainer.head_learning_rate = config.head_learning_rate
    trainer.train(resume_from_checkpoint=_resume_from(output / "checkpoints", arguments, stage))
    if arguments.should_save:
        history = json.dumps(trainer.state.log_history, indent=1)
        (output / "log.json").write_text(history + "\n", encoding="utf-8")
    return trainer


def _trainer(
    learner: Learner, batches: Shareable, arguments: TrainingArguments, callbacks: list[TrainerCallback]
) -> BatchTrainer:
    data: Any = batches  # Trainer requires evaluation data, although evaluate() has its own
    for callback in callbacks:
        if not isinstance(callback, TrainerCallback):
            raise ConfigError(f"callbacks has {callback!r:.60}; give objects of transformers.TrainerCallback")
    try:
        return BatchTrainer(model=learner, args=arguments, train_dataset=data, eval_dataset=data, callbacks=callbacks)
    except RuntimeError as error:
        if "install" not in str(error):  # of the callback of an integration that is not installed
            raise
        raise MissingDependencyError(f"report_to: {first_line(error)}") from error


def _check_scheduler(config: RunConfig) -> None:
    """Refuses options that the scheduler does not have, or lacks, or with which the learning rate leaves its range."""
    name, options = config.scheduler, config.scheduler_options
    if options and name in ("constant", "constant_with_warmup"):
        raise ConfigError(f"scheduler {name} has no scheduler_options; got {', '.join(options)}")
    if "last_epoch" in options:
        raise ConfigError("scheduler_options has last_epoch, which a run finds out when it resumes; leave it out")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=config.learning_rate)
    n_warmup = int(_TRIED_STEPS * config.warmup_share)
    try:
        (factor_at,) = get_scheduler(name, optimizer, n_warmup, _TRIED_STEPS, dict(options)).lr_lambdas
        factors = [factor_at(step) for step in range(_TRIED_STEPS + 1)]
    except (TypeError, ValueError, KeyError, ArithmeticError) as error:
        with_warmup = f" and warmup_share {config.warmup_share:g}" if isinstance(error, ArithmeticError) else ""
        raise ConfigError(
            f"scheduler_options do not fit {name}{with_warmup}: {first_line(error)}; it has "
            f"{', '.join(_scheduler_options(name)) or 'no options'}"
        ) from error
    if wrong := [factor for factor in factors if not 0 <= factor <= 1 + 1e-6]:
        raise ConfigError(
            f"scheduler_options do not fit {name}: with {options} the learning rate would be "
            f"{wrong[0] * config.learning_rate:g}; allowed is 0 to learning_rate, {config.learning_rate:g}"
        )


def _scheduler_options(name: str) -> list[str]:
    """The options of a scheduler of transformers, by the parameters of its function."""
    function: Any = TYPE_TO_SCHEDULER_FUNCTION[SchedulerType(name)]
    parameters = signature(function).parameters
    return [option for option in parameters if option not in _OF_THE_RUN]


_OF_THE_RUN = ("optimizer", "num_warmup_steps", "num_training_steps", "last_epoch")
_TRIED_STEPS = 1000
"""Steps of the run for which a scheduler is tried."""


def is_first_process() -> bool:
    """Whether this process is the first of its run, which writes and measures for all."""
    return int(os.environ.get("RANK", "0")) == 0


def record_config(output: Path, config: Any) -> None:
    """Records the configuration of a run in its output folder, so that no other run resumes from its checkpoints.

    Raises:
        ConfigError: the folder contains a run with another configuration.
    """
    path, record = output / "config.json", to_dict(config)
    if path.is_file() and has_begun(output):
        before, now = read_json(path), json.loads(json.dumps(record))
        if before != now:
            raise ConfigError(
                f"{output} contains a run with another configuration ({differences(before, now)}); choose another "
                "output or delete it"
            )
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(record, indent=1))
    except OSError as error:
        raise ConfigError(
            f"output is {output}, which cannot be written ({error.strerror or error}); name another folder"
        ) from error


def has_begun(output: Path) -> bool:
    """Whether a run has left something to go on from, or a model: one that failed before may be started otherwise."""
    checkpoints = (output / "checkpoints").glob("checkpoint-*")
    return any(not (path / PARTIAL).exists() for path in checkpoints) or (output / "model").exists()


def prepare_layers(learner: Learner, config: RunConfig) -> None:
    """Sets the learner's dropout and turns gradient checkpointing on, as configured.

    Raises:
        ConfigError: gradient checkpointing is not possible for this encoder.
    """
    if config.gradient_checkpointing:
        recompute_activations(learner.model.encoder.backbone)
    if config.dropout is not None:
        set_dropout(learner, config.dropout)


def _resume_from(checkpoints: Path, arguments: TrainingArguments, stage: int) -> str | None:
    """The checkpoint to resume from: the first process chooses, so that all processes take the same one."""
    choice: list[str | None] = [None]
    if arguments.process_index == 0:
        last = checkpoint_to_resume(checkpoints, arguments.world_size, stage)
        choice = [str(last) if last else None]
        if last:
            logger.warning(progress_of(last))
    if arguments.world_size > 1:
        torch.distributed.broadcast_object_list(choice, src=0)
    return choice[0]


def _reports(config: RunConfig) -> tuple[str, ...]:
    if config.report_to is not None:
        return config.report_to
    return ("tensorboard",) if find_spec("tensorboard") else ()


def use_one_gpu(arguments: TrainingArguments) -> None:
    """Has a process train on one GPU: transformers would divide each batch, whose windows belong together, among all.

    Processes of ``torchrun`` have one each as it is.
    """
    if (count := arguments.n_gpu) > 1:
        logger.warning(
            "there are %d GPUs, and a process trains on one; start it with torchrun --nproc-per-node %d --no-python to "
            "use all",
            count,
            count,
        )
        arguments._n_gpu = 1


def training_arguments(
    config: RunConfig, n_batches: int, deepspeed: Path | None, development: Development | None
) -> TrainingArguments:
    """Trainer's arguments; under ``torchrun`` or ``deepspeed``, creating them joins the process group."""
    on_cpu = device_of("auto").type == "cpu"
    n_processes = int(os.environ.get("WORLD_SIZE", "1"))
    steps = math.ceil(n_batches / n_processes / config.accumulate)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(Path(config.output) / "tensorboard")
    every = development.every if development else config.save_every
    return TrainingArguments(
        output_dir=str(Path(config.output) / "checkpoints"),
        num_train_epochs=1,
        gradient_accumulation_steps=config.accumulate,
        learning_rate=config.learning_rate,
        warmup_steps=int(steps * config.warmup_share),
        weight_decay=config.weight_decay,
        lr_scheduler_type=config.scheduler,
        lr_scheduler_kwargs=dict(config.scheduler_options),
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and n_processes > 1 else None,
        ddp_find_unused_parameters=False,
        bf16=config.dtype is torch.bfloat16,
        logging_steps=config.log_every,
        save_steps=every,
        eval_strategy="steps" if development else "no",
        eval_steps=every,
        load_best_model_at_end=development is not None,
        metric_for_best_model="score" if development else None,
        greater_is_better=True if development else None,
        restore_callback_states_from_checkpoint=True,  # the number of scores without improvement
        save_total_limit=None,  # BatchTrainer removes old checkpoints, once the new one is complete
        report_to=list(_reports(config)),
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
        seed=config.seed,
        deepspeed=str(deepspeed) if deepspeed else None,
    )
