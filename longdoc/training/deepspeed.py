"""What training needs to know about DeepSpeed: the check of a configuration, and access to partitioned weights."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from torch import nn

from longdoc.config_files import read_json
from longdoc.errors import ConfigError, require

STAGES = (1, 2, 3)


def zero_stage(path: Path) -> int:
    """The stage of ZeRO that a file configures; checks that DeepSpeed is installed.

    Raises:
        ConfigError: the file cannot be read, is not JSON, or does not set ``zero_optimization.stage``.
        MissingDependencyError: DeepSpeed is not installed.
    """
    try:
        record = read_json(path)
    except ConfigError as error:
        raise ConfigError(f"{error}; start from ds_config.json") from error
    settings = record.get("zero_optimization") if isinstance(record, dict) else None
    stage = settings.get("stage") if isinstance(settings, dict) else None
    if stage not in STAGES:
        raise ConfigError(f"{path}: zero_optimization.stage is missing or not one of {', '.join(map(str, STAGES))}")
    require("deepspeed", extra="train", needed_by="--deepspeed")
    return int(stage)


def gathered_weights(module: nn.Module) -> AbstractContextManager[None]:
    """A context in which each process has all weights, including those that ZeRO-3 partitions."""
    if not any(hasattr(parameter, "ds_id") for parameter in module.parameters()):
        return nullcontext()
    from deepspeed.runtime.zero import GatheredParameters

    context: AbstractContextManager[None] = GatheredParameters(list(module.parameters()))
    return context
