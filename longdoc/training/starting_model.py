"""The model that pre-training starts from: a pretrained encoder or a new one, with a head for masked tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForMaskedLM

from longdoc.attention.positions import n_positions
from longdoc.durable import write_atomically
from longdoc.errors import ConfigError
from longdoc.heads import FillConfig
from longdoc.hub.configs import WORD_LAYERS
from longdoc.model import Model, longdoc_folder
from longdoc.model_config import ModelConfig
from longdoc.pretrained import Repository
from longdoc.training.given_model import base_folder
from longdoc.training.pretrain_config import PretrainConfig, fill_heads
from longdoc.training.run import has_begun, is_first_process
from longdoc.training.scratch import ScratchConfig, fresh_encoder, train_tokenizer
from longdoc.training.texts import Text
from longdoc.windows import WindowConfig


def starting_model(config: PretrainConfig, texts: Sequence[Text]) -> Model:
    """The base, or a new encoder whose tokenizer is trained on ``texts``; with a head that predicts masked tokens.

    Raises:
        ConfigError: the base has too few positions, or embeddings of another width than its hidden states.
    """
    size = config.window if config.encoder == "windows" else WindowConfig().size
    windows = WindowConfig(size=size, overlap=min(WindowConfig().overlap, size // 4))
    wanted = config.model or ModelConfig(heads={"fill": FillConfig()}, windows=windows)
    if config.scratch is not None:
        tokenizer = _tokenizer(Path(config.output), config.scratch, texts)
        model = Model(fresh_encoder(tokenizer, config.scratch), tokenizer, wanted)
    else:
        folder = base_folder(config.base)
        model = Model.from_base(folder, wanted, config.revision)
        if longdoc_folder(folder, config.revision) is None:
            load_prediction_head(model, folder, config.revision)
    _check_encoder(model, config)
    if config.freeze_embeddings:
        model.encoder.backbone.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
    return model


def _check_encoder(model: Model, config: PretrainConfig) -> None:
    backbone: Any = model.encoder.backbone
    if backbone.get_input_embeddings().embedding_dim != backbone.config.hidden_size:
        raise ConfigError(
            f"{config.base} has embeddings of another width than its hidden states (as ALBERT and ELECTRA may have), "
            "so they cannot serve as the output layer; start from another encoder"
        )
    longest = n_positions(backbone) or backbone.config.max_position_embeddings
    if config.encoder == "windows" and config.window > longest:
        raise ConfigError(
            f"window is {config.window}, but this encoder has {longest} positions; lower it, or set encoder: sparse"
        )


def load_prediction_head(model: Model, base: str, revision: str | None = None) -> bool:
    """Copies a checkpoint's layers for masked language modelling into the head ``fill``, if the shapes are the same."""
    repository = Repository(base, revision)
    form = repository.config()
    if not any(name.endswith(("ForMaskedLM", "ForPreTraining")) for name in form.architectures or ()):
        return False
    if getattr(form, "hidden_act", getattr(form, "activation", None)) != "gelu":
        return False
    weights: Mapping[str, Tensor] = repository.load(AutoModelForMaskedLM, torch.float32)[0].state_dict()
    head = model.heads[fill_heads(model.config)[0]]
    shapes = {name: tensor.shape for name, tensor in head.state_dict().items()}
    for names in WORD_LAYERS:
        found = {own: weights[theirs] for own, theirs in names.items() if theirs in weights}
        if {name: tensor.shape for name, tensor in found.items()} == shapes:
            head.load_state_dict(found)
            return True
    return False


def _tokenizer(output: Path, config: ScratchConfig, texts: Sequence[Text]) -> Tokenizer:
    """A new tokenizer, or that of the run to resume: the token ids must be those that the checkpoint was trained on."""
    path = output / "tokenizer.json"
    if path.is_file() and has_begun(output):
        return Tokenizer.from_file(str(path))
    tokenizer = train_tokenizer([text.text for text in texts], config)
    if is_first_process():
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(path, tokenizer.to_str(pretty=True))
    return tokenizer
