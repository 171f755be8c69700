"""BERT or RoBERTa → Longformer: the same weights under Longformer's names, plus projections for global tokens."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import pad
from transformers import LongformerConfig, LongformerForMaskedLM, LongformerModel, PreTrainedModel

from longdoc.attention.positions import first_position
from longdoc.convert.checkpoint import TABLE
from longdoc.errors import ConfigError

KINDS = ("Bert", "Roberta", "XLMRoberta", "Camembert")
"""Architectures whose layers have the same weights as Longformer's."""
HEAD = {
    "cls.predictions.transform.dense.": "lm_head.dense.",
    "cls.predictions.transform.LayerNorm.": "lm_head.layer_norm.",
    "cls.predictions.decoder.": "lm_head.decoder.",
    "cls.predictions.bias": "lm_head.bias",
}
"""BERT's parameter names in the masked-language head → Longformer's, which are also RoBERTa's."""
SHARED_SETTINGS = (
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act hidden_dropout_prob "
    "attention_probs_dropout_prob type_vocab_size initializer_range layer_norm_eps pad_token_id tie_word_embeddings"
).split()


def as_longformer(network: PreTrainedModel, tokenizer: Any) -> PreTrainedModel:
    """A new Longformer with the weights of ``network``; the global projections are copies of the ordinary ones.

    Args:
        network: one of :data:`KINDS`, bare or with a masked-language head, already made sparse.
        tokenizer: defines which tokens begin and end a text.

    Raises:
        ConfigError: the architecture is another one, or Longformer's head would compute something else.
    """
    name = type(network).__name__
    if name not in (f"{kind}{head}" for kind in KINDS for head in ("Model", "ForMaskedLM")):
        raise ConfigError(
            f"{name} cannot become a Longformer; {', '.join(KINDS)} can, as …Model or …ForMaskedLM. Other "
            "models keep their architecture: leave global_projections out"
        )
    if name == "BertForMaskedLM" and network.config.hidden_act != "gelu":
        raise ConfigError(
            f"hidden_act is {network.config.hidden_act}, but a Longformer's head computes gelu; leave "
            "global_projections out, or convert the bare BertModel"
        )
    # Longformer's positions start after the padding's id, BERT's at 0: unused rows are inserted in front.
    n_front = network.config.pad_token_id + 1 - first_position(network)
    built = LongformerForMaskedLM if name.endswith("ForMaskedLM") else LongformerModel
    longformer: Any = built(_config(network, tokenizer, n_front))
    prefixes = {f"{network.base_model_prefix}.": "longformer.", **HEAD}
    state: dict[str, Tensor] = {}
    for source_key, tensor in network.state_dict().items():
        old = next((prefix for prefix in prefixes if source_key.startswith(prefix)), "")
        key = prefixes.get(old, "") + source_key.removeprefix(old)
        state[key] = pad(tensor, (0, 0, n_front, 0)) if key.endswith(TABLE) else tensor
        for part in ("query", "key", "value"):
            if f".self.{part}." in key:
                state[key.replace(f".self.{part}.", f".self.{part}_global.")] = tensor
    longformer.load_state_dict(state)
    longformer.to(dtype=network.dtype)
    return longformer  # type: ignore[no-any-return]


def _config(network: PreTrainedModel, tokenizer: Any, n_front: int) -> LongformerConfig:
    own = network.config
    config = LongformerConfig(
        **{setting: getattr(own, setting) for setting in SHARED_SETTINGS},
        max_position_embeddings=own.max_position_embeddings + n_front,
        attention_window=[2 * own.sparse_attention["window"]] * own.num_hidden_layers,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        sep_token_id=tokenizer.sep_token_id,
    )
    config.sparse_attention = own.sparse_attention
    return config
