"""Learning: annotated documents → batches (``data``) → a trained model (``trainer``, by way of ``run``)."""

from longdoc.training.adapt import Adapted, adapt
from longdoc.training.label_counts import read_summary
from longdoc.training.memory import Estimate, estimate
from longdoc.training.pretrain_config import PretrainConfig
from longdoc.training.pretraining import Pretrained, pretrain
from longdoc.training.pruned import Pruned, prune_model
from longdoc.training.trainer import TrainConfig, train
from longdoc.training.window_dataset import WindowDataset

__all__ = [
    "Adapted",
    "Estimate",
    "PretrainConfig",
    "Pretrained",
    "Pruned",
    "TrainConfig",
    "WindowDataset",
    "adapt",
    "estimate",
    "pretrain",
    "prune_model",
    "read_summary",
    "train",
]
