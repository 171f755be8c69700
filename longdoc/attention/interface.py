"""Sparse attention in models of transformers, through its attention and mask interfaces."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, get_args

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

from longdoc.attention.backends import Backend, Sparse
from longdoc.attention.blocked import encode_pattern
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.attention.positions import check_length, lengthen, n_positions
from longdoc.config import from_dict, to_dict
from longdoc.errors import ConfigError

NAME = "longdoc"
ADOPTED = ("longformer", "big_bird")
"""Model types that bypass the attention interface, and whose classes longdoc replaces."""
PIECE = 2048
"""Maximum number of tokens that a feed-forward layer processes at a time."""


def sparsify(
    model: PreTrainedModel,
    pattern: SparsePattern | None = None,
    *,
    max_tokens: int | None = None,
    backend: Backend = "auto",
) -> PreTrainedModel:
    """Gives a transformers encoder, or a task model with one, sparse attention, in place.

    The model is called as before; ``global_mask=`` (bool ``(B, T)``) makes additional tokens global, ``document_ids=``
    (int64 ``(B, T)``, ascending) separates documents packed into one row. Without gradients, layers overwrite their
    intermediate states in rows of more than 2,048 tokens: a hook that keeps one must clone it.

    Args:
        model: a model that uses transformers' attention interface (BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT,
            ALBERT, ELECTRA, ModernBERT …), a Longformer or a BigBird.
        pattern: which token sees which. Optional for Longformer, BigBird and converted checkpoints, which have their
            own. ModernBERT's local layers keep their windows; the pattern applies to its global layers.
        max_tokens: extends the position table to this many tokens by repeating it.
        backend: ``"flex"`` (FlexAttention, for GPUs), ``"blocked"`` (any device) or ``"eager"`` (the whole matrix, for
            comparison); ``"auto"`` uses flex on CUDA and blocked elsewhere.

    Returns:
        The model.

    Raises:
        ConfigError: the model's attention cannot be replaced (DeBERTa: use ``encoder="windows"``), or a pattern is
            needed and was not given.
    """
    if backend not in get_args(Backend):
        raise ConfigError(f"unknown backend {backend!r}; allowed: {', '.join(get_args(Backend))}")
    kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    pattern = pattern or _pattern_of(model)
    _check_model(model, kind, pattern, max_tokens)
    # Not as a decorator, which would load torch's compiler, a second of the start of every program that needs none.
    torch.compiler.assume_constant_result(encode_pattern)
    # All checks are done: a model is changed completely, or not at all.
    if kind in ADOPTED:
        pattern = _adopted(kind)(model, pattern)
    else:
        model.set_attn_implementation(NAME)
    assert pattern is not None
    for layer, module in enumerate(_attention_modules(model)):
        sparse = Sparse(pattern, layer, backend)
        window = getattr(module, "sliding_window", None)
        if kind == "modernbert" and window is not None:
            # transformers adds 1 for flash attention; the window itself is inclusive.
            local = SparsePattern(window=window - 1, global_tokens=())
            sparse = Sparse(local, layer, backend, own=True)
        setattr(module, "sparse", sparse)  # noqa: B010 -- a module's attribute may be anything, which its type denies
    _run_in_pieces(model)
    model.config.sparse_attention = to_dict(pattern)
    if max_tokens is not None:
        lengthen(model, max_tokens)
    for module in {model, model.base_model}:
        if not hasattr(module, "sparse_check"):
            hook = module.register_forward_pre_hook(_check_call, with_kwargs=True)
            setattr(module, "sparse_check", hook)  # noqa: B010 -- as above
    return model


def _check_model(model: PreTrainedModel, kind: str, pattern: SparsePattern | None, max_tokens: int | None) -> None:
    """Raises for a model that cannot be made sparse as requested, before anything is changed."""
    if pattern is not None and not isinstance(pattern, SparsePattern):
        raise ConfigError(f"pattern is {pattern!r:.60}; give a SparsePattern, such as SparsePattern(window=256)")
    if kind not in ADOPTED:
        _check_kind(model, kind)
        if pattern is None:
            raise ConfigError(f"{kind} has no pattern of its own; give one, such as SparsePattern(window=256)")
    elif getattr(model.config, "is_decoder", False):
        raise ConfigError(f"this {kind} is configured as a decoder; sparse attention is for encoders")
    for layer, _ in enumerate(_attention_modules(model) if pattern is not None else ()):
        assert pattern is not None
        pattern.window_at(layer)  # raises if the layer has no window
    if max_tokens is not None:
        check_length(model, max_tokens)


def _pattern_of(model: PreTrainedModel) -> SparsePattern | None:
    """The pattern in the configuration of a converted checkpoint, if any."""
    record = getattr(getattr(model, "config", None), "sparse_attention", None)
    return None if record is None else from_dict(SparsePattern, record, where="sparse_attention")


def _adopted(kind: str) -> Callable[..., SparsePattern]:
    # Imported on demand: these modules depend on internals of transformers.
    if kind == "longformer":
        from longdoc.attention.longformer import adopt

        return adopt
    from longdoc.attention.big_bird import adopt as adopt_big_bird

    return adopt_big_bird


def _check_kind(model: PreTrainedModel, kind: str) -> None:
    if not isinstance(model, PreTrainedModel):
        raise ConfigError(f"sparsify takes a transformers model; got {type(model).__name__}")
    if getattr(model.config, "is_decoder", False) or getattr(model.config, "is_encoder_decoder", False):
        raise ConfigError(f"{kind} is configured as a decoder; sparse attention is for encoders")
    if any(module.is_causal for module in _attention_modules(model)):
        raise ConfigError(f"{kind} has causal attention; sparse attention is for encoders, which see both sides")
    if not model._can_set_attn_implementation() or not any(_attention_modules(model)):
        raise ConfigError(
            f"{kind} does not use the attention interface of transformers (DeBERTa adds relative positions to every "
            "score), so it cannot be made sparse. Train longdoc's heads on it (`longdoc train`) and read documents "
            "through windows: Pipeline.from_pretrained(folder, encoder='windows')"
        )


def _attention_modules(model: nn.Module) -> Iterator[nn.Module]:
    """The modules that call the attention interface, in the order of layers (ALBERT has one for all layers)."""
    return (module for module in model.modules() if hasattr(module, "is_causal"))


def _run_in_pieces(model: nn.Module) -> None:
    """Makes token-wise layers process long rows piece by piece at inference.

    A feed-forward layer's intermediate states are four times as wide as all others: in pieces they stay in the cache,
    and the largest tensors of a pass are never allocated. ``config.chunk_size_feed_forward`` does this in training
    too, but only for rows that are a multiple of it.
    """
    for module in model.modules():
        for name, in_place in (("forward", True), ("feed_forward_chunk", True), ("ff_chunk", False)):
            if name == "forward" and not type(module).__name__.endswith("SelfOutput"):
                continue
            function = getattr(module, name, None)
            if function is not None and not isinstance(function, functools.partial):
                setattr(module, name, functools.partial(_in_pieces, function, in_place))


def _in_pieces(function: Callable[..., Tensor], in_place: bool, *states: Tensor) -> Tensor:
    """``function`` of states ``(B, T, D)``, ``PIECE`` tokens at a time; ``in_place`` overwrites the first states."""
    module: nn.Module = function.__self__  # type: ignore[attr-defined]
    n_tokens = states[0].shape[1]
    if module.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or n_tokens <= PIECE:
        return function(*states)
    out = states[0]
    for start in range(0, n_tokens, PIECE):
        piece = function(*(part[:, start : start + PIECE] for part in states))
        if start == 0 and (not in_place or piece.dtype != out.dtype):  # autocast changes the dtype
            out = torch.empty_like(out, dtype=piece.dtype)
        out[:, start : start + PIECE] = piece
    return out


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention ``(B, T, H, D)`` of ``(B, H, T, D)``; ``attention_mask`` is bool ``(B, T)``, false at padding."""
    sparse = getattr(module, "sparse", None)
    if not isinstance(sparse, Sparse):
        raise ConfigError(f"{type(module).__name__} has no pattern; call longdoc.attention.sparsify(model, pattern)")
    for name in ("position_bias", "is_causal", "softcap", "s_aux", "sliding_window"):
        own_window = name == "sliding_window" and sparse.own
        if kwargs.get(name) is not None and kwargs[name] is not False and not own_window:
            raise ConfigError(
                f"{type(module).__name__} uses {name}, which sparse attention does not support; read long documents "
                "with this model through windows"
            )
    if (groups := query.shape[1] // key.shape[1]) > 1:  # grouped-query attention
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    global_mask = None if sparse.own else kwargs.get("global_mask")
    rows = Rows.of(query[:, 0], attention_mask, global_mask, kwargs.get("document_ids"))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return sparse.attend(query, key, value, rows, scale=scale, dropout=dropout), None


def unchanged_mask(attention_mask: Tensor | None = None, **_: Any) -> Tensor | None:
    """The caller's mask unchanged, bool ``(B, T)``; the default mask functions expand it to ``T²`` elements."""
    return attention_mask


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, unchanged_mask)


def _check_call(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Checks the arguments of a call, since wrong ones would fail deep inside the model, or compute wrong results."""
    if kwargs.get("output_attentions") or getattr(model.config, "output_attentions", False):
        raise ConfigError(
            "output_attentions=True: sparse attention never forms the matrix of probabilities; leave it out, or load "
            "the model again and do not sparsify it"
        )
    tokens = args[0] if args else kwargs.get("input_ids")
    embedded = kwargs.get("inputs_embeds")
    given = embedded.shape[:-1] if tokens is None and embedded is not None else getattr(tokens, "shape", None)
    if given is None:
        return None
    if 0 in given:
        raise ConfigError(f"the input has the shape {tuple(given)} (rows, tokens); give at least a row and a token")
    shape = (math.prod(given[:-1]), given[-1])  # the choices of a multiple-choice model become rows
    _check_mask(kwargs.get("attention_mask", args[1] if len(args) > 1 else None), tuple(given))
    _check_positions(model, shape[1], kwargs)
    for name, dtype, remedy in (
        ("global_mask", torch.bool, "mask.bool()"),
        ("document_ids", torch.int64, "ids.long()"),
    ):
        value = kwargs.get(name)
        if value is not None and (value.dtype != dtype or tuple(value.shape) != shape):
            raise ConfigError(
                f"{name} is {str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}; give "
                f"{str(dtype).removeprefix('torch.')} of shape {shape}, such as {remedy}"
            )
    if hasattr(model, "longformer"):
        from longdoc.attention.longformer import head_arguments

        return args, head_arguments(kwargs)
    return None


def _check_mask(mask: Tensor | None, shape: tuple[int, ...]) -> None:
    if mask is not None and tuple(mask.shape) != shape:
        raise ConfigError(
            f"attention_mask has the shape {tuple(mask.shape)}; give {shape} (rows, tokens), false at padding"
        )


def _check_positions(model: nn.Module, n_tokens: int, kwargs: dict[str, Any]) -> None:
    longest = n_positions(model)
    if kwargs.get("position_ids") is None and longest is not None and n_tokens > longest:
        raise ConfigError(
            f"{n_tokens} tokens, but only {longest} positions: extend the table by sparsify(model, pattern, "
            f"max_tokens={n_tokens}), or pass position_ids that repeat"
        )
