"""Model cards: ``README.md`` with a header that the hub reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from longdoc.export_record import GRAPHS, ExportRecord
from longdoc.model import Model
from longdoc.version import __version__

PIPELINES = {
    "ner": "token-classification",
    "qa": "question-answering",
    "classify": "text-classification",
    "nli": "text-classification",
    "fill": "fill-mask",
    "embed": "sentence-similarity",
}
"""Kind of a head → task of the hub."""
_SHOWN_LABELS = 60

_IN_TRANSFORMERS = """\
## In transformers

```python
from transformers import {class_name}, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(NAME)
model = {class_name}.from_pretrained(NAME)
```
"""
_IN_SENTENCE_TRANSFORMERS = """\
## In sentence-transformers

```python
from sentence_transformers import SentenceTransformer

vectors = SentenceTransformer(NAME).encode(["The lessee pays the rent."])
```
"""
_IN_LONGDOC = """\
## In longdoc

```python
import longdoc

pipeline = longdoc.Pipeline.from_pretrained(NAME)
```
"""
_GRAPH = """\
`{file}` has the encoder and the heads, for any number of windows `B` and tokens `T`. `tokenizer.json` is of the library
tokenizers. Merging windows and decoding are longdoc's; `config.json` has their settings, `export.json` what else a
reader must know, and `parity.json` how far the scores are from those of torch.
"""
_INPUTS = {
    "input_ids": "int64 | (B, T)",
    "attention_mask": "bool | (B, T), false at padding",
    "token_type_ids": "int64 | (B, T)",
    "global_mask": "bool | (B, G), of the first tokens: true for those of a question and before it",
    "period": "int64 | (), the length of the windows that the head was trained on, in tokens",
}


def card_of_head(
    model: Model, head: str, architecture: str, remarks: Sequence[str], *, base: str | None, licence: str | None
) -> str:
    """The card of a head in the format of transformers.

    Args:
        model: a model of longdoc.
        head: its head.
        architecture: the class of transformers.
        remarks: what is not the same in transformers.
        base: what the encoder was before training; not stated if it is not given.
        licence: of the weights; likewise.
    """
    kind = model.config.heads[head].kind
    library = "sentence-transformers" if kind == "embed" else "transformers"
    title = f"{head}: {architecture}"
    lines = [*_header(base, licence, library, [PIPELINES[kind]]), f"# {title}", "", *_facts(base, licence), ""]
    lines += ["## Head", "", _described(model, head), ""]
    lines += [_IN_TRANSFORMERS.format(class_name=architecture)]
    lines += [_IN_SENTENCE_TRANSFORMERS] if kind == "embed" else []
    lines += [_IN_LONGDOC, "## What longdoc does and the class does not", "", *(f"- {each}" for each in remarks), ""]
    return "\n".join(lines)


def card_of_model(model: Model, *, base: str | None, licence: str | None) -> str:
    """The card of a model of longdoc, with all its heads; ``base`` and ``licence`` as for :func:`card_of_head`."""
    kinds = [config.kind for config in model.config.heads.values()]
    tasks = list(dict.fromkeys(PIPELINES[kind] for kind in kinds if kind in PIPELINES))
    lines = [*_header(base, licence, "longdoc", tasks), "# A model of longdoc", "", *_facts(base, licence), ""]
    lines += ["## Heads", "", *(_described(model, head) for head in model.config.heads), ""]
    lines += [
        _IN_LONGDOC,
        "## In transformers",
        "",
        "transformers does not read this folder. `longdoc export NAME --to transformers -o OUT --head HEAD` writes one "
        "head as its classes have it.",
        "",
    ]
    return "\n".join(lines)


def card_of_graph(model: Model, record: ExportRecord, *, base: str | None, licence: str | None) -> str:
    """The card of a graph with heads of a model; ``base`` and ``licence`` as for :func:`card_of_head`."""
    kinds = [model.config.heads[name].kind for name in record.outputs]
    tasks = list(dict.fromkeys(PIPELINES[kind] for kind in kinds if kind in PIPELINES))
    lines = [*_header(base, licence, "longdoc", tasks), f"# A model of longdoc as {record.format}", ""]
    lines += [*_facts(base, licence), f"- {record.format}, {record.precision}; encoder: {record.encoder}", ""]
    lines += ["## Heads", "", *(_described(model, head) for head in record.outputs)]
    lines += [f"- left out: `{head}`, since {reason}" for head, reason in record.left_out.items()]
    lines += ["", _IN_LONGDOC, "## In other programs", "", _GRAPH.format(file=GRAPHS[record.format]), ""]
    lines += ["| | type | shape |", "|---|---|---|"]
    lines += [f"| `{name}` | {_INPUTS[name]} |" for name in record.inputs]
    lines += [
        f"| `{name}` | float32 | (B, T, {record.heads[head].width}), or (B, 1, …) of heads that score windows |"
        for head, name in record.outputs.items()
    ]
    return "\n".join([*lines, ""])


def _header(base: str | None, licence: str | None, library: str, tasks: Sequence[str]) -> Iterator[str]:
    """The lines that the hub reads, as YAML: JSON texts are YAML, whatever they contain."""
    yield "---"
    yield f"library_name: {library}"
    if licence is not None:
        yield f"license: {json.dumps(licence)}"
    if base is not None:
        yield f"base_model: {json.dumps(base)}"
    if tasks:
        yield f"pipeline_tag: {tasks[0]}"
    yield f"tags: {json.dumps(['longdoc', *tasks])}"
    yield "---"
    yield ""


def _facts(base: str | None, licence: str | None) -> Iterator[str]:
    if base is not None:
        yield f"- Base: {base}"
    yield f"- Licence: {licence or 'not stated'}"
    yield f"- Written by longdoc {__version__}"


def _described(model: Model, head: str) -> str:
    """A line of a list: name, kind and labels."""
    config: Any = model.config.heads[head]
    labels = list(getattr(config, "labels", ()))
    shown = ", ".join(f"`{label}`" for label in labels[:_SHOWN_LABELS])
    more = f" and {len(labels) - _SHOWN_LABELS} more" if len(labels) > _SHOWN_LABELS else ""
    return f"- `{head}`, of the kind `{config.kind}`" + (f": {shown}{more}" if labels else "")
