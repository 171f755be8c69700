"""Labelled documents: the readers of annotated corpora, one function a format.

Each reader takes a file, or a folder, and yields :class:`Example` objects whose spans are checked against their text;
:func:`from_datasets` takes a table of the ``datasets`` library. :func:`check_overlaps` and :func:`misaligned` say what
of them a flat head cannot learn. The data folder holds one subfolder per corpus; its README names the licence of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from longdoc.config import load_yaml_mapping
from longdoc.datasets.brat import read_brat
from longdoc.datasets.checks import Misaligned, check_overlaps, misaligned
from longdoc.datasets.classes import read_classes
from longdoc.datasets.cuad import (
    Contract,
    contract_example,
    contract_questions,
    contract_type,
    cuad_part,
    is_party_name,
    party_names,
    read_cuad,
)
from longdoc.datasets.entities import read_conll, read_jsonl
from longdoc.datasets.examples import Example, Question, data_root, first_wordings
from longdoc.datasets.hub import from_datasets
from longdoc.datasets.label_studio import read_label_studio
from longdoc.datasets.pubtator import read_pubtator
from longdoc.datasets.questions import read_contract_nli, read_squad
from longdoc.datasets.spacy_docs import read_spacy
from longdoc.errors import ConfigError, DataError

__all__ = [
    "Contract",
    "DatasetConfig",
    "Example",
    "Misaligned",
    "Question",
    "check_overlaps",
    "contract_example",
    "contract_questions",
    "contract_type",
    "cuad_part",
    "data_root",
    "first_wordings",
    "from_datasets",
    "is_party_name",
    "misaligned",
    "party_names",
    "read_brat",
    "read_classes",
    "read_conll",
    "read_contract_nli",
    "read_cuad",
    "read_dataset",
    "read_jsonl",
    "read_label_studio",
    "read_pubtator",
    "read_spacy",
    "read_squad",
    "relabel",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Where annotated documents come from and which of their labels are used."""

    reader: Literal[
        "jsonl",
        "conll",
        "brat",
        "pubtator",
        "spacy",
        "label studio",
        "label studio classes",
        "classes",
        "squad",
        "contract_nli",
        "cuad",
        "cuad questions",
        "cuad types",
    ]
    files: tuple[str, ...]
    """Paths below :func:`data_root`, or patterns such as ``squadshifts/*.json``; for ``cuad`` and ``brat`` folders."""
    labels: dict[str, str] = field(default_factory=dict)
    """Label in the corpus: label of the head. Entities and classes of other labels are ignored."""
    part: Literal["train", "dev", "test"] | None = None
    """Which part of a corpus that has no files of its own for each (``cuad``)."""
    longest: int | None = None
    """Characters: longer documents are left out, before any is skipped or counted."""
    limit: int | None = None
    """At most so many documents, the first ones."""
    skip: int = 0
    """Leave out so many documents, the first ones."""
    token_column: int = 0
    tag_column: int = 1
    text_column: str = "text"
    label_column: str = "label"
    span_group: str | None = None
    """Key in ``doc.spans`` of the spans to read (``spacy``); without it, ``doc.ents``."""
    wordings: str | None = None
    """YAML file with the questions to ask for each category (``cuad questions``)."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}; give 1 or more, or leave it out for all documents")
        if (self.reader == "cuad questions") != (self.wordings is not None):
            raise ConfigError("wordings belongs to the reader 'cuad questions', which needs it")
        if self.span_group is not None and self.reader != "spacy":
            raise ConfigError(f"span_group belongs to the reader 'spacy'; this one is {self.reader!r}")


def read_dataset(config: DatasetConfig) -> list[Example]:
    """All examples of a data set, relabelled.

    Raises:
        DataError: where a file is missing, malformed or holds no example.
    """
    examples: list[Example] = []
    seen: set[str] = set()
    for path in _paths(config):
        for example in _read(config, path):
            seen.update(span.label for span in example.spans)
            seen.update(example.labels)
            examples += relabel([example], config.labels) if config.labels else [example]
    if config.longest is not None:
        examples = [example for example in examples if len(example.text) <= config.longest]
    examples = examples[config.skip :][: config.limit]
    if not examples:
        raise DataError(f"no example in {', '.join(config.files)}")
    if missing := set(config.labels) - seen:
        names = f"nothing is labelled {', '.join(sorted(missing))} in {', '.join(config.files)}"
        raise DataError(f"{names}; its labels: {', '.join(sorted(seen)) or 'none'}")
    return examples


def _paths(config: DatasetConfig) -> Iterator[Path]:
    for name in config.files:
        found = sorted(data_root().glob(name)) if "*" in name else [data_root() / name]
        if not found or not found[0].exists():
            raise DataError(f"no such data: {name} below the data folder; set LONGDOC_DATA to the folder that holds it")
        yield from found


_READERS_WITHOUT_SETTINGS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "jsonl": read_jsonl,
    "brat": read_brat,
    "pubtator": read_pubtator,
    "squad": read_squad,
    "contract_nli": read_contract_nli,
}


def _read(config: DatasetConfig, path: Path) -> Iterable[Example]:
    reader = config.reader
    if reader in _READERS_WITHOUT_SETTINGS:
        return _READERS_WITHOUT_SETTINGS[reader](path)
    if reader == "conll":
        return read_conll(path, token_column=config.token_column, tag_column=config.tag_column)
    if reader == "spacy":
        return read_spacy(path, span_group=config.span_group)
    if reader == "classes":
        return read_classes(path, text_column=config.text_column, label_column=config.label_column)
    if reader in ("label studio", "label studio classes"):
        return read_label_studio(path, text_column=config.text_column, label_column=config.label_column)
    contracts = (contract for contract in read_cuad(path) if config.part in (None, cuad_part(contract)))
    if reader == "cuad":
        return map(contract_example, contracts)
    if reader == "cuad types":
        return map(contract_type, contracts)
    wordings = load_yaml_mapping(str(config.wordings))
    return (contract_questions(contract, wordings) for contract in contracts)


def relabel(examples: Iterable[Example], names: Mapping[str, str]) -> Iterator[Example]:
    """Keeps the spans and classes whose label is a key of ``names`` and gives them the new name."""
    for example in examples:
        spans = tuple(replace(s, label=names[s.label]) for s in example.spans if s.label in names)
        labels = tuple(names[label] for label in example.labels if label in names)
        yield replace(example, spans=spans, labels=labels)
