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
from longdoc.datasets.contract_nli import (
    ContractNliConfig,
    ContractNliQuestionsConfig,
    read_contract_nli,
    read_contract_nli_questions,
)
from longdoc.datasets.cuad import (
    CuadConfig,
    CuadQuestionsConfig,
    read_contract_clauses,
    read_contract_entities,
    read_contract_questions,
    read_contract_types,
)
from longdoc.datasets.examples import Example
from longdoc.datasets.jsonl import JsonlConfig, read_jsonl
from longdoc.datasets.label_studio import LabelStudioConfig, read_label_studio
from longdoc.datasets.marks import CuadMarksConfig, read_contract_marks
from longdoc.datasets.memory import MemoryConfig
from longdoc.datasets.pubtator import PubtatorConfig, read_pubtator
from longdoc.datasets.remarks import Remarks
from longdoc.datasets.spacy_docs import SpacyConfig, read_spacy
from longdoc.datasets.squad import SquadConfig, read_squad
from longdoc.errors import DataError, did_you_mean

logger = logging.getLogger(__name__)

AnnotationKind: TypeAlias = Literal["entities", "answers", "clauses", "inferences", "classes"]


@dataclass(frozen=True, slots=True)
class Reader:
    """How one format is read.

    ``read`` takes a path and, as keyword arguments, the keys that ``config`` adds to those of ``ReaderConfig``; and
    ``remarks``, if its data can have annotations that it does not read.
    """

    yields: AnnotationKind
    config: type[ReaderConfig]
    read: Callable[..., Iterable[Example]]
    remarks: bool = False
    """Whether ``read`` takes ``remarks``."""


READERS: dict[str, Reader] = {
    "jsonl": Reader("entities", JsonlConfig, read_jsonl, remarks=True),
    "conll": Reader("entities", ConllConfig, read_conll, remarks=True),
    "brat": Reader("entities", BratConfig, read_brat, remarks=True),
    "pubtator": Reader("entities", PubtatorConfig, read_pubtator, remarks=True),
    "spacy": Reader("entities", SpacyConfig, read_spacy),
    "label studio": Reader("entities", LabelStudioConfig, read_label_studio, remarks=True),
    "label studio classes": Reader("classes", LabelStudioConfig, read_label_studio, remarks=True),
    "classes": Reader("classes", ClassesConfig, read_classes),
    "squad": Reader("answers", SquadConfig, read_squad),
    "contract_nli": Reader("inferences", ContractNliConfig, read_contract_nli, remarks=True),
    "contract_nli questions": Reader("answers", ContractNliQuestionsConfig, read_contract_nli_questions, remarks=True),
    "cuad": Reader("entities", CuadConfig, read_contract_entities),
    "cuad clauses": Reader("entities", CuadConfig, read_contract_clauses),
    "cuad questions": Reader("clauses", CuadQuestionsConfig, read_contract_questions),
    "cuad marks": Reader("answers", CuadMarksConfig, read_contract_marks),
    "cuad types": Reader("classes", CuadConfig, read_contract_types),
}
"""The readers by name."""


def reader_configs() -> Iterable[type[ReaderConfig]]:
    """The configuration classes of all readers."""
    return dict.fromkeys(reader.config for reader in READERS.values())


DatasetConfig: TypeAlias = Annotated[
    ReaderConfig,
    Members(reader_configs, "for records in memory, give MemoryConfig(examples=from_records(...)) of longdoc.datasets"),
]
"""Annotation of a field for a data set: in YAML, ``reader`` decides which other keys are allowed."""


def yields(config: ReaderConfig) -> AnnotationKind:
    """What the examples of a data set are annotated with."""
    return _yields_of(config.examples) if isinstance(config, MemoryConfig) else READERS[config.reader].yields


def _yields_of(examples: Iterable[Example]) -> AnnotationKind:
    """What examples in memory are annotated with: questions come before entities, and these before classes."""
    found = tuple(examples)
    if questions := [question for example in found for question in example.questions]:
        return "inferences" if any(question.label is not None for question in questions) else "answers"
    is_classified = any(example.labels for example in found) and not any(example.spans for example in found)
    return "classes" if is_classified else "entities"


@dataclass(frozen=True, slots=True)
class Labelled:
    """The examples of a data set, with mapped labels, and what was noted in reading them."""

    examples: list[Example]
    labels: Counter[str]
    """The number of spans and classes by label, before labels were mapped."""
    remarks: Remarks
    annotations: frozenset[AnnotationKind] = frozenset()
    """What the examples are annotated with; empty if nothing is annotated, or read as `negatives`."""


def read_dataset(config: ReaderConfig) -> list[Example]:
    """Reads all examples of a data set and maps their labels; logs what was not read.

    Raises:
        DataError: a file is missing or malformed, there is no example, or a key of ``labels`` does not occur.
    """
    labelled, files = read_labelled(config), ", ".join(config.files)
    if labelled.remarks:
        logger.warning("%s: %s", files, labelled.remarks)
    if config.labels and (ignored := sorted(labelled.labels.keys() - config.labels.keys())):
        counts = ", ".join(f"{label} ({labelled.labels[label]})" for label in ignored)
        logger.info("%s: ignored labels that are not in `labels`: %s", files, counts)
    return labelled.examples


def read_labelled(config: ReaderConfig) -> Labelled:
    """The same without a log entry, with the number of each label and what was not read.

    Raises:
        DataError: as for :func:`read_dataset`.
    """
    seen: Counter[str] = Counter()
    examples: list[Example] = []
    remarks = Remarks()
    annotations: set[AnnotationKind] = set()
    asked = yields(config)
    for example in _examples(config, remarks):
        annotations |= _annotations(example, asked)
        seen.update(span.label for span in example.spans)
        seen.update(example.labels)
        examples += relabel([example], config.labels) if config.labels else [example]
    if config.negatives:
        examples, seen = [Example(example.id, example.text) for example in examples], Counter()
        annotations.clear()
    if config.longest is not None:
        examples = [example for example in examples if len(example.text) <= config.longest]
    examples = examples[config.skip :][: config.limit]
    if not examples:
        raise DataError(f"no example in {', '.join(config.files)}" + (f" ({remarks})" if remarks else ""))
    if missing := config.labels.keys() - seen.keys():
        names = f"nothing is labelled {', '.join(sorted(missing))} in {', '.join(config.files)}"
        hint = did_you_mean(min(missing), seen) + (f" ({remarks})" if remarks else "")
        raise DataError(f"{names}; its labels: {', '.join(sorted(seen)) or 'none'}{hint}")
    return Labelled(examples, seen, remarks, frozenset(annotations))


def _annotations(example: Example, asked: AnnotationKind) -> set[AnnotationKind]:
    """What an example is annotated with; its questions are what the reader's are."""
    found: tuple[tuple[AnnotationKind, object], ...] = (
        ("entities", example.spans),
        ("classes", example.labels),
        (asked, example.questions),
    )
    return {kind for kind, annotated in found if annotated}


def _paths(config: ReaderConfig) -> Iterator[Path]:
    for name in config.files:
        path = data_root() / name
        anchor = Path(path.anchor) if Path(name).is_absolute() else data_root()
        found = sorted(anchor.glob(str(path.relative_to(anchor)))) if "*" in name else [path]
        if not found or not found[0].exists():
            raise DataError(f"no such data: {name}; files are looked for in {data_root().resolve()}: set LONGDOC_DATA")
        yield from found


def _examples(config: ReaderConfig, remarks: Remarks) -> Iterator[Example]:
    """All examples of a data set, as they are annotated."""
    if isinstance(config, MemoryConfig):
        yield from config.examples
    else:
        for path in _paths(config):
            yield from _examples_of_file(config, path, remarks)


def _examples_of_file(config: ReaderConfig, path: Path, remarks: Remarks) -> Iterator[Example]:
    reader, shared = READERS[config.reader], {key.name for key in fields(ReaderConfig)}
    own = {key.name: getattr(config, key.name) for key in fields(config) if key.name not in shared}
    try:
        yield from reader.read(path, **own, remarks=remarks) if reader.remarks else reader.read(path, **own)
    except OSError as error:
        reason = f"{error.strerror or error}"
        raise DataError(f"{path}: cannot be read ({reason}); name files of the reader {config.reader!r}") from error


def relabel(examples: Iterable[Example], names: Mapping[str, str]) -> Iterator[Example]:
    """Keeps the spans and classes whose label is a key of ``names`` and renames them."""
    for example in examples:
        spans = tuple(replace(s, label=names[s.label]) for s in example.spans if s.label in names)
        labels = tuple(names[label] for label in example.labels if label in names)
        yield replace(example, spans=spans, labels=labels)
