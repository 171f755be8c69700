"""What the heads of a task can learn from its data set, and what is left out, counted before training."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from longdoc.datasets import AnnotationKind, Example, Labelled, ReaderConfig, Remarks
from longdoc.errors import DataError


@dataclass(frozen=True, slots=True)
class Learnable:
    """What a data set has for the heads of a task."""

    files: str
    heads: tuple[str, ...]
    known: tuple[str, ...]
    """The labels of the heads; empty for a kind without labels."""
    in_data: Counter[str]
    """Labels of the data, as the heads would see them."""
    learned: Counter[str] = field(default_factory=Counter)
    """Number of labels that are learned."""
    remarks: Remarks = field(default_factory=Remarks)
    """What is not read, not learned or learned in another way, since the data or the head does not allow it."""
    chosen: Remarks = field(default_factory=Remarks)
    """What the configuration leaves out."""
    annotations: frozenset[AnnotationKind] = frozenset()
    """What the data set is annotated with."""

    @classmethod
    def of(cls, config: ReaderConfig, labelled: Labelled, heads: Iterable[str], known: Iterable[str]) -> Learnable:
        """What has been noted in reading; the rest is added by the kind of head."""
        found = cls(
            ", ".join(config.files),
            tuple(heads),
            tuple(known),
            Counter(),
            remarks=labelled.remarks,
            annotations=labelled.annotations,
        )
        for label, number in labelled.labels.items():
            if config.labels and label not in config.labels:
                found.chosen.add(f"label {label!r}, which `labels` does not map", found.files, number)
        return found

    def nothing(self) -> DataError:
        """The error for data without anything to learn."""
        parts = [f"{self.files} has no {'label' if self.known else 'answer'} to learn for {', '.join(self.heads)}"]
        parts.append(f"labels in the data: {counted(self.in_data) or 'none'}" if self.known else "")
        parts.append(f"the head has: {', '.join(self.known)}" if self.known else "")
        if self.known and (unknown := [label for label in self.in_data if label not in self.known]):
            parts.append(f"map them, as in `labels: {suggested_mapping(unknown, self.known)}`")
        return DataError("; ".join(part for part in (*parts, *self.noted) if part))

    @property
    def noted(self) -> list[str]:
        """The remarks, if there are any, and what the configuration leaves out."""
        return [str(remarks) for remarks in (self.remarks, self.chosen) if remarks]

    def __str__(self) -> str:
        learned = f"{self.files}: {', '.join(self.heads)} learned {counted(self.learned) or 'no label'}"
        return "; ".join([learned, *self.noted])


def counted(labels: Counter[str]) -> str:
    """Labels with their numbers, the most frequent first: ``"ORG 12, DATE 3"``; of many, the first twenty."""
    shown = [f"{label} {number:,}" for label, number in labels.most_common(20)]
    return ", ".join([*shown, *([f"and {len(labels) - 20} more"] if len(labels) > 20 else [])])


def suggested_mapping(unknown: Sequence[str], known: Sequence[str]) -> str:
    """A mapping from labels of the data to the likeliest labels of a head, in YAML's form."""
    pairs = []
    for number, label in enumerate(unknown[:5]):
        close = [name for name in known if is_spelled_alike(name, label)]
        close += get_close_matches(label, known, n=1, cutoff=0.5)
        meant = (close or [known[min(number, len(known) - 1)]])[0]
        pairs.append(f"{_in_yaml(label)}: {_in_yaml(meant)}")
    return f"{{{', '.join(pairs)}}}"


def _in_yaml(text: str) -> str:
    """The text as a string in YAML, quoted if it could be read as something else."""
    is_word = re.fullmatch(r"[A-Za-z_][\w /-]*", text) and text.lower() not in (
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
    )
    return text if is_word else json.dumps(text, ensure_ascii=False)


def is_spelled_alike(one: str, other: str) -> bool:
    """Whether two labels differ only in case, white space, hyphens or underscores."""
    return one != other and _bare(one) == _bare(other)


def _bare(label: str) -> str:
    return re.sub(r"[\s_-]+", "", label).casefold()


def check_known(examples: Iterable[Example], files: Sequence[str], heads: Sequence[str], known: Sequence[str]) -> None:
    """Refuses spans with labels that none of the heads has.

    Raises:
        DataError: there are some; names them, what the data has, and a mapping.
    """
    found = Counter(span.label for example in examples for span in example.spans)
    if unknown := sorted(found.keys() - set(known)):
        lacks = "lacks" if len(heads) == 1 else "lack"
        raise DataError(
            f"{', '.join(files)} has labels that {', '.join(heads)} {lacks}: {', '.join(unknown)}; map them to labels "
            "of the head under data.labels, which leaves out all other labels, as in "
            f"`labels: {suggested_mapping(unknown, known)}` (in the data: {counted(found)}; the head has: "
            f"{', '.join(known)})"
        )


def check_spelling(labels: Iterable[str], known: Sequence[str], files: str) -> None:
    """Refuses labels that differ from a label of the head only in their spelling: left out, they would teach wrongly.

    Raises:
        DataError: there is one; names both.
    """
    for label in labels:
        if label not in known and (meant := next((name for name in known if is_spelled_alike(name, label)), None)):
            raise DataError(
                f"{files} has the label {label!r}; did you mean {meant!r}? Map it, as in "
                f"`labels: {suggested_mapping([label], [meant])}`; labels that the mapping lacks are left out"
            )
