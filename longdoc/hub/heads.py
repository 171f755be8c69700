"""Heads of task models of transformers, computed by the checkpoint's own class.

The encoder inside the task model is replaced by a module that returns the states it is given, so that the logits are
those of the checkpoint's class, regardless of its layers. Dimensions: ``B`` windows, ``T`` tokens, ``D`` width,
``L`` labels or tags, ``V`` words of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers.models.longformer.modeling_longformer import LongformerBaseModelOutputWithPooling

from longdoc.errors import ConfigError, first_line
from longdoc.heads import FillConfig, HeadConfig, NerConfig, with_null
from longdoc.hub.configs import class_config, ner_config, nli_config, qa_config
from longdoc.labels import tag_names


def take_head(kind: str, task: Any, size: int, stated: Any = None) -> tuple[HeadConfig, nn.Module]:
    """The head of a task model: its configuration, and the task model without its encoder.

    Args:
        kind: ``"ner"``, ``"qa"``, ``"classify"``, ``"nli"`` or ``"fill"``.
        task: a task model of transformers; its encoder is removed.
        size: window length of the encoder, in tokens.
        stated: the configuration, if longdoc exported the checkpoint; by default it follows from that of ``task``.

    Raises:
        ConfigError: the head predicts a number instead of classes, or its tags are of no scheme.
    """
    setattr(task, task.base_model_prefix, _GivenStates(task.base_model))
    if kind == "ner":
        config, tags = ner_config(task.config) if stated is None else (stated, tag_names(stated.labels, stated.scheme))
        return config, CheckpointNer(task, config, tags)
    if kind == "qa":
        qa = stated or qa_config(task.config, size)
        return qa, CheckpointQa(task, qa)
    if kind == "nli":
        nli = stated or nli_config(task.config, size)
        return nli, CheckpointClasses(task, nli, asked_after_text=stated is None)
    if kind == "classify":
        classify = stated or class_config(task.config)
        return classify, CheckpointClasses(task, classify)
    return FillConfig(), CheckpointWords(task, FillConfig())


@torch.inference_mode()
def try_head(head: nn.Module, config: Any) -> None:
    """Computes a head from :func:`take_head` once, to see that it can be.

    Args:
        head: the head.
        config: the configuration of the task model.

    Raises:
        ConfigError: its class computes the head from more than the states of an encoder.
    """
    states, mask = torch.zeros(1, 4, config.hidden_size), torch.ones(1, 4, dtype=torch.bool)
    try:
        if isinstance(head, CheckpointWords):
            head(states[0])
        else:
            cast(Any, head).scores(states, mask)
    except Exception as error:  # classes of transformers raise almost anything
        raise ConfigError(
            f"{config.name_or_path}: the head of a {type(head.task).__name__} cannot be computed from the states of "
            f"its encoder alone ({first_line(error)}), which is all that longdoc gives it; load it by transformers, or "
            "load a checkpoint of another architecture"
        ) from error


class _GivenStates(nn.Module):
    """Replaces the encoder of a task model, and returns the states it is given."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.pooler: Any = getattr(encoder, "pooler", None)
        self.activation: Any = getattr(encoder, "pooler_activation", None)
        self.embeddings = encoder.embeddings  # DeBERTa predicts words through them

    def forward(self, input_ids: Tensor | None = None, *_: None, inputs_embeds: Tensor | None = None, **__: Any) -> Any:
        """States ``(B, T, D)``, in whichever argument, as the output of an encoder."""
        states = cast(Tensor, input_ids if inputs_embeds is None else inputs_embeds)
        pooled = None
        if self.pooler is not None:  # a linear layer in ALBERT; in BERT a module that selects the first token itself
            is_layer = self.activation is not None
            pooled = self.activation(self.pooler(states[:, 0])) if is_layer else self.pooler(states)
        return LongformerBaseModelOutputWithPooling(last_hidden_state=states, pooler_output=pooled)


class CheckpointHead(nn.Module):
    """A task model without its encoder."""

    def __init__(self, task: nn.Module, config: HeadConfig) -> None:
        super().__init__()
        self.task = task
        self.config = config
        # ModernBERT's question answering has no inputs_embeds, and passes input_ids through.
        self.argument = "inputs_embeds" if "inputs_embeds" in signature(task.forward).parameters else "input_ids"

    def output(self, states: Tensor, mask: Tensor | None = None) -> Any:
        """The task model's output for states ``(B, T, D)``; ``mask`` is bool ``(B, T)``, false at padding."""
        arguments: dict[str, Tensor] = {self.argument: states}
        if mask is not None:
            arguments["attention_mask"] = mask
        if cast(Any, self.task).config.model_type == "longformer":  # its heads would look for the question's tokens
            arguments["global_attention_mask"] = states.new_zeros(states.shape[:2], dtype=torch.int64)
        return self.task(**arguments, return_dict=True)


class CheckpointNer(CheckpointHead):
    """Tag probabilities; those of several names for one tag (``O`` and ``X``) are added up."""

    def __init__(self, task: nn.Module, config: NerConfig, tags: Sequence[str]) -> None:
        super().__init__(task, config)
        columns = [[tag == own for own in tag_names(config.labels, config.scheme)] for tag in tags]
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.float32))

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probabilities ``(B, T, L)``, float32, in the order of ``tag_names``; zero for tags the checkpoint lacks."""
        probabilities: Tensor = self.output(states, mask).logits.float().softmax(dim=-1)
        with torch.autocast(probabilities.device.type, enabled=False):
            return probabilities @ cast(Tensor, self.columns)


class CheckpointQa(CheckpointHead):
    """Logits of starts and ends of answers."""

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits ``(B, T, 3)``, float32, as ``QaHead.scores``."""
        output = self.output(states, mask)
        return with_null(torch.stack([output.start_logits, output.end_logits], dim=-1).float())


class CheckpointClasses(CheckpointHead):
    """Logits of each window; the document's are their mean, or for a head that says so their maximum.

    A head of longdoc has the hypothesis before the text; all others have it after the text (``asked_after_text``).
    """

    def __init__(self, task: nn.Module, config: HeadConfig, *, asked_after_text: bool = False) -> None:
        super().__init__(task, config)
        self.asked_after_text = asked_after_text

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits ``(B, 1, L)``, float32."""
        logits: Tensor = self.output(states, mask).logits.float()
        return logits[:, None]


class CheckpointWords(CheckpointHead):
    """Logits of the words of the vocabulary."""

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(T, V)`` of states ``(T, D)``."""
        logits: Tensor = self.output(states[None]).logits[0]
        return logits
