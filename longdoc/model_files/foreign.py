"""What a folder has in place of weights that longdoc reads, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from longdoc.model_files.files import file_in, read_object

_EXPORT = "load the checkpoint that it was made from"
_SAVED = ".save_pretrained(folder), and AutoTokenizer likewise"
_OLD = "which transformers 5 reads no more; with transformers 4: AutoModel….from_pretrained(…, from_{}=True)" + _SAVED
_FORMS = (
    (
        "pytorch_model*.bin*",
        "pickled weights, which are not read, because a pickle can run code; convert weights you trust with "
        f"transformers: AutoModel….from_pretrained(…){_SAVED}",
    ),
    ("*.h5", f"weights of TensorFlow, {_OLD.format('tf')}"),
    ("*.ckpt.index", f"weights of TensorFlow, {_OLD.format('tf')}"),
    ("*.msgpack", f"weights of Flax, {_OLD.format('flax')}"),
    ("*.gguf", f"weights in the format GGUF, of llama.cpp; {_EXPORT}"),
    ("*.onnx", f"an export to ONNX; {_EXPORT}"),
    ("openvino_*.xml", f"an export to OpenVINO; {_EXPORT}"),
    ("*.safetensors", "weights under another name; if they are the whole model, rename the file to model.safetensors"),
)
"""Pattern of the name of a file → what it is and what to do."""
_ADAPTER = "adapter_config.json"
FOREIGN_FILES = (
    _ADAPTER,
    *"pytorch_model.bin pytorch_model.bin.index.json tf_model.h5 flax_model.msgpack".split(),
    *"model.onnx onnx/model.onnx openvino_model.xml".split(),
)
"""The names that such files have on the hub."""


def in_folder(folder: Path) -> str:
    """`in_place_of_weights` of a folder, and of the folder ``onnx`` in it."""
    files = [path for inner in (folder, folder / "onnx") for path in sorted(inner.glob("*")) if path.is_file()]
    return in_place_of_weights([str(path.relative_to(folder)) for path in files], file_in(folder, _ADAPTER))


def in_place_of_weights(names: Sequence[str], adapter: Path | None) -> str:
    """What there is in place of weights and what to do, as the end of a sentence; empty if nothing is known.

    Args:
        names: the names of the files.
        adapter: the path of ``adapter_config.json``, if there is one.
    """
    whole = [name for name in names if not name.startswith("adapter_")]
    found = ((name, what) for pattern, what in _FORMS for name in whole if fnmatch(name.rpartition("/")[2], pattern))
    alone = "" if adapter is None else _adapter(adapter)
    return next((f"it has {name}: {what}" for name, what in found), alone)


def _adapter(path: Path) -> str:
    record = read_object(path)
    base = record.get("base_model_name_or_path") or record.get("model_name") or "not named"
    if "peft_type" in record:
        remedy = (
            "merge it with peft: AutoPeftModelFor….from_pretrained(…).merge_and_unload().save_pretrained(folder), and "
            "save the tokenizer in the folder, too"
        )
        return f"it has an adapter of PEFT alone, and not the model that it changes ({base!s:.80}); {remedy}"
    return (
        f"it has an adapter of AdapterHub alone, and not the model that it changes ({base!s:.80}); merge it if it is "
        "LoRA (merge_adapter of the library adapters) and save the model; for others, train a head (`longdoc train`)"
    )
