"""Learning: annotated documents → batches (``data``) → a trained model (``trainer``)."""

from longdoc.training.trainer import TrainConfig, train

__all__ = ["TrainConfig", "train"]
