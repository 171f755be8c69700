"""A model of longdoc → one graph with its encoder and heads: ``longdoc export --to onnx|openvino|torch-export``.

model ──tracing──▶ graph of torch ──▶ ONNX ──▶ OpenVINO      compared with the model on a contract, then kept

The folder appears under its name when all of that is done.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import nn

from longdoc.arguments import check_choice, check_flags
from longdoc.config import to_dict
from longdoc.errors import ConfigError, first_line, require
from longdoc.export import files
from longdoc.export.card import card_of_graph
from longdoc.export.parity import Parity, parity
from longdoc.export.quantized import quantize_products, quantize_weights, with_quantized_words
from longdoc.export.tracing import Traced, portable_encoder, silenced, trace
from longdoc.export_record import GRAPHS, RECORD_FILE, VERSION, ExportRecord, Format, HeadFacts
from longdoc.exported import ExportedModel
from longdoc.inputs import EncoderKind, check_encoder
from longdoc.model import Model
from longdoc.sources import load_model
from longdoc.version import __version__

OPSET, ROTARY_OPSET = 23, 20
"""Of the ONNX graphs: the first with attention as one operator, which runtimes compute a tenth to a third faster; and
of encoders with rotary positions, which are an operator in it, too, that ONNX Runtime 1.32 refuses as torch writes
it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedGraph:
    """A folder with a graph."""

    folder: Path
    record: ExportRecord
    parity: Parity
    size: int
    """Of the files of the graph, in bytes."""

    def __str__(self) -> str:
        record, most = self.record, self.parity.tolerance
        heads = ", ".join(record.outputs)
        what = f"{self.folder}: {heads} as {record.format}, {record.precision}, {self.size / 1e6:.1f} MB"
        lines = [what, *(f"Left out: {head}, since {reason}" for head, reason in record.left_out.items())]
        allowed = "; for the results, compare by longdoc evaluate" if most is None else f"; {most:.0e} is allowed"
        lines.append(
            f"Largest difference of the scores from torch in float32, on {self.parity.n_tokens:,} tokens of a contract "
            f"and as a share of the largest score if that is above 1{allowed}:"
        )
        return "\n".join([*lines, str(self.parity)])


def to_graph(  # noqa: PLR0913 (each is a separate choice of the caller)
    model: str | PathLike[str],
    output: str | PathLike[str],
    to: Format = "onnx",
    *,
    int8: bool = False,
    encoder: EncoderKind = "windows",
    head: str | None = None,
    base: str | None = None,
    licence: str | None = None,
) -> ExportedGraph:
    """Writes a folder with one graph, the encoder and its heads, that ``Pipeline.from_pretrained`` reads with.

    With ONNX it does so without torch and transformers. The scores are compared with the model's before the folder
    appears under its name.

    Args:
        model: ``"default"``, the folder of a model, or a hub id, as for ``Pipeline.from_pretrained``.
        output: folder to write; it must not exist, or be empty.
        to: ``"onnx"``, ``"openvino"`` or ``"torch-export"``.
        int8: products of integers, for ONNX and OpenVINO; scores then differ.
        encoder: ``"windows"`` or ``"sparse"``.
        head: name of a head, to export it alone; by default all that a graph can hold.
        base: what the encoder was before training, and
        licence: of the weights, for the model card.

    Raises:
        ConfigError: torch cannot export the architecture, no head is left, scores in float32 differ by more than 1e-4,
            or the folder cannot be written.
        MissingDependencyError: a library of the extra ``export`` is not installed.
    """
    check_choice("to", to, get_args(Format))
    check_encoder(encoder)
    check_flags(int8=int8)
    if int8 and to == "torch-export":
        raise ConfigError(f"int8 is for onnx and openvino; without it, {to} computes in float32")
    _require(to)
    with files.new_folder(Path(output)) as folder:
        loaded = load_model(model, only_windows=encoder == "windows")
        if head is not None and head in loaded.adapters:
            loaded = loaded.adapted(head)
        left_out = _left_out(loaded, head, str(model))
        names = [name for name in loaded.heads if name not in left_out and head in (None, name)]
        kept = loaded.with_heads(names).eval()
        reading = portable_encoder(kept, names, encoder)
        traced = trace(kept, names, with_quantized_words(reading) if int8 else reading)
        record = _record(kept, traced, to, encoder, int8=int8, left_out=left_out)
        _write_graph(traced, folder, record)
        files.write_json(folder / RECORD_FILE, to_dict(record))
        files.write_json(folder / "config.json", kept.settings())
        (folder / "tokenizer.json").write_text(kept.tokenizer.to_str(pretty=False), encoding="utf-8")
        found = parity(kept, ExportedModel(folder))
        _check(found, str(model), to)
        files.write_json(folder / files.PARITY_FILE, to_dict(found))
        card = card_of_graph(kept, record, base=base, licence=licence)
        (folder / "README.md").write_text(card, encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.glob(f"{Path(GRAPHS[to]).stem}.*"))
    return ExportedGraph(folder=Path(output), record=record, parity=found, size=size)


def _require(to: Format) -> None:
    """Checks for the libraries of a format before minutes are spent."""
    needed = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("onnx", "onnxscript", "openvino")}
    for module in needed.get(to, ()):
        require(module, extra="export", needed_by=f"longdoc export --to {to}")


def _left_out(model: Model, wanted: str | None, where: str) -> dict[str, str]:
    """The heads that a graph cannot hold, and why; those that are not wanted are none."""
    reasons = {
        name: f"a head of the kind {model.config.heads[name].kind!r} scores single tokens of a text, and no windows"
        for name, module in model.heads.items()
        if not hasattr(module, "scores")
    }
    reasons |= dict.fromkeys(model.adapters, "it has an encoder of its own: export it by itself, by its name")
    can = [name for name in model.heads if name not in reasons]
    if wanted is not None and wanted not in model.heads:
        raise ConfigError(f"{where} has no head {wanted!r}; those that can be exported are {', '.join(can) or 'none'}")
    if wanted in reasons or not can:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise ConfigError(
            f"{where} has no head for a graph ({told or 'it has none'}); those that can be exported are "
            f"{', '.join(can) or 'none'}"
        )
    return reasons if wanted is None else {}


def _write_graph(traced: Traced, folder: Path, record: ExportRecord) -> None:
    """Writes the graph in the format and the precision of the record."""
    path, plain = folder / GRAPHS[record.format], folder / "plain.onnx"
    try:
        with silenced():
            if record.format == "torch-export":
                torch.export.save(traced.program, path)
            elif record.format == "openvino" and record.precision == "int8":
                _write_onnx(traced, plain, record.opset)
                quantize_weights(plain, path)
            elif record.format == "openvino":
                openvino = require("openvino", extra="export", needed_by="longdoc export --to openvino")
                _write_onnx(traced, plain, record.opset)
                read = openvino.Core().read_model(plain)  # convert_model would take a comma in the path for an end
                openvino.save_model(read, path, compress_to_fp16=False)
            elif record.precision == "int8":
                _write_onnx(traced, plain, record.opset)
                quantize_products(plain, path)
            else:
                _write_onnx(traced, path, record.opset)
    except OSError:
        raise
    except Exception as error:  # torch, openvino and onnxruntime raise types of their own for operators they lack
        raise ConfigError(
            f"a {record.model_type} cannot be written as {record.format}, {record.precision} "
            f"({first_line(error):.200}); choose another format, or read with the model itself"
        ) from error
    for left in folder.glob(f"{plain.name}*"):
        left.unlink()


def _write_onnx(traced: Traced, path: Path, opset: int | None) -> None:
    program: Any = torch.onnx.export(
        traced.program,
        dynamo=True,
        input_names=list(traced.inputs),
        output_names=list(traced.outputs.values()),
        opset_version=opset,
        verbose=False,
    )
    program.save(path)


def _record(
    model: Model, traced: Traced, to: Format, encoder: EncoderKind, *, int8: bool, left_out: dict[str, str]
) -> ExportRecord:
    template, backbone = model.encoder.template, model.encoder.backbone
    settings: Any = backbone.config
    return ExportRecord(
        version=VERSION,
        longdoc_version=__version__,
        format=to,
        opset=None if to == "torch-export" else _opset(backbone),
        precision="int8" if int8 else "float32",
        encoder=encoder,
        model_type=str(settings.model_type),
        inputs=traced.inputs,
        outputs=traced.outputs,
        left_out=left_out,
        heads={name: _facts(model, name) for name in traced.outputs},
        n_types=model.encoder.n_types,
        pad=template.pad,
        second_type=template.second_type,
    )


def _opset(backbone: nn.Module) -> int:
    is_rotary = any("Rotary" in type(module).__name__ for module in backbone.modules())
    return ROTARY_OPSET if is_rotary else OPSET


def _facts(model: Model, name: str) -> HeadFacts:
    module, backbone = cast(Any, model.heads[name]), cast(Any, model.encoder.backbone)
    states, mask = torch.zeros(1, 4, backbone.config.hidden_size), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        width = module.scores(states, mask).shape[-1]
    return HeadFacts(
        period=files.length(model, name),
        width=width,
        prompt=tuple(getattr(module, "prompt", ())),
        lead=getattr(module, "lead", ""),
        asked_after_text=getattr(module, "asked_after_text", False),
    )


def _check(found: Parity, model: str, to: Format) -> None:
    """Raises for scores that differ by more than the tolerance, if there is one, or that are not finite."""
    most = sys.float_info.max if found.tolerance is None else found.tolerance
    worst = {head: far for head, far in found.differences.items() if not far <= most}
    if worst:
        told = ", ".join(f"{head} {far:.1e}" for head, far in worst.items())
        raise ConfigError(
            f"the scores of {model} differ as {to}, by more than {most}: {told}; read with the model itself"
        )
