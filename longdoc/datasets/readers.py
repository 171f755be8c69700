"""The table of readers, and the function that reads a configured data set.

To add a reader, write its configuration and its function in a module of its own and add a line to ``READERS``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from longdoc.config import Members
from longdoc.datasets.brat import BratConfig, read_brat
from longdoc.datasets.classes import ClassesConfig, read_classes
from longdoc.datasets.config import ReaderConfig, data_root
from longdoc.datasets.conll import ConllConfig, read_conll
from longdoc.datasets.contract_nli import ContractNliConfig, read_contract_nli
from longdoc.datasets.cuad import (
    CuadConfig,
    CuadQuestionsConfig,
    read_contract_entities,
    read_contract_questions,
    read_contract_types,
)
from longdoc.datasets.examples import Example
from longdoc.datasets.jsonl import JsonlConfig, read_jsonl
from longdoc.datasets.label_studio import LabelStudioConfig, read_label_studio
from longdoc.datasets.pubtator import PubtatorConfig, read_pubtator
from longdoc.datasets.spacy_docs import SpacyConfig, read_spacy
from longdoc.datasets.squad import SquadConfig, read_squad
from longdoc.errors import DataError

logger = logging.getLogger(__name__)

AnnotationKind: TypeAlias = Literal["entities", "answers", "clauses", "inferences", "classes"]


@dataclass(frozen=True, slots=True)
class Reader:
    """How one format is read.

    ``read`` takes a path and, as keyword arguments, the keys that ``config`` adds to those of ``ReaderConfig``.
    """

    yields: AnnotationKind
    config: type[ReaderConfig]
    read: Callable[..., Iterable[Example]]


READERS: dict[str, Reader] = {
    "jsonl": Reader("entities", JsonlConfig, read_jsonl),
    "conll": Reader("entities", ConllConfig, read_conll),
    "brat": Reader("entities", BratConfig, read_brat),
    "pubtator": Reader("entities", PubtatorConfig, read_pubtator),
    "spacy": Reader("entities", SpacyConfig, read_spacy),
    "label studio": Reader("entities", LabelStudioConfig, read_label_studio),
    "label studio classes": Reader("classes", LabelStudioConfig, read_label_studio),
    "classes": Reader("classes", ClassesConfig, read_classes),
    "squad": Reader("answers", SquadConfig, read_squad),
    "contract_nli": Reader("inferences", ContractNliConfig, read_contract_nli),
    "cuad": Reader("entities", CuadConfig, read_contract_entities),
    "cuad questions": Reader("clauses", CuadQuestionsConfig, read_contract_questions),
    "cuad types": Reader("classes", CuadConfig, read_contract_types),
}
"""The readers by name."""


def reader_configs() -> Iterable[type[ReaderConfig]]:
    """The configuration classes of all readers."""
    return dict.fromkeys(reader.config for reader in READERS.values())


DatasetConfig: TypeAlias = Annotated[ReaderConfig, Members(reader_configs)]
"""Annotation of a field for a data set: in YAML, ``reader`` decides which other keys are allowed."""


def yields(config: ReaderConfig) -> AnnotationKind:
    """What the examples of a data set are annotated with."""
    return READERS[config.reader].yields


def read_dataset(config: ReaderConfig) -> list[Example]:
    """Reads all examples of a data set and maps their labels.

    Raises:
        DataError: a file is missing or malformed, there is no example, or a key of ``labels`` does not occur.
    """
    seen: Counter[str] = Counter()
    examples: list[Example] = []
    for path in _paths(config):
        for example in _examples(config, path):
            seen.update(span.label for span in example.spans)
            seen.update(example.labels)
            examples += relabel([example], config.labels) if config.labels else [example]
    if config.longest is not None:
        examples = [example for example in examples if len(example.text) <= config.longest]
    examples = examples[config.skip :][: config.limit]
    if not examples:
        raise DataError(f"no example in {', '.join(config.files)}")
    if missing := config.labels.keys() - seen.keys():
        names = f"nothing is labelled {', '.join(sorted(missing))} in {', '.join(config.files)}"
        raise DataError(f"{names}; its labels: {', '.join(sorted(seen)) or 'none'}")
    if config.labels and (ignored := sorted(seen.keys() - config.labels.keys())):
        counts = ", ".join(f"{label} ({seen[label]})" for label in ignored)
        logger.info("%s: ignored labels that are not in `labels`: %s", ", ".join(config.files), counts)
    return examples


def _paths(config: ReaderConfig) -> Iterator[Path]:
    for name in config.files:
        found = sorted(data_root().glob(name)) if "*" in name else [data_root() / name]
        if not found or not found[0].exists():
            raise DataError(f"no such data: {name}; files are looked for in {data_root().resolve()}: set LONGDOC_DATA")
        yield from found


def _examples(config: ReaderConfig, path: Path) -> Iterable[Example]:
    shared = {key.name for key in fields(ReaderConfig)}
    own = {key.name: getattr(config, key.name) for key in fields(config) if key.name not in shared}
    return READERS[config.reader].read(path, **own)


def relabel(examples: Iterable[Example], names: Mapping[str, str]) -> Iterator[Example]:
    """Keeps the spans and classes whose label is a key of ``names`` and renames them."""
    for example in examples:
        spans = tuple(replace(s, label=names[s.label]) for s in example.spans if s.label in names)
        labels = tuple(names[label] for label in example.labels if label in names)
        yield replace(example, spans=spans, labels=labels)
