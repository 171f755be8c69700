"""Windows of annotated documents for a Trainer and a model of transformers that are not longdoc's."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from torch import nn
from torch.utils.data import Dataset
from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding, PreTrainedModel

from longdoc.arguments import check_type
from longdoc.datasets import DatasetConfig, ReaderConfig
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, Group, NerConfig, QaConfig, TaskConfig
from longdoc.heads.classify import class_groups, class_index
from longdoc.heads.learning import IGNORED
from longdoc.heads.ner import entity_groups
from longdoc.heads.questions import whole_question_groups
from longdoc.hub.configs import TASKS, class_config, ner_config, window_size
from longdoc.labels import tag_names
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training.data import check_lengths, learnable_of
from longdoc.windows import WindowConfig


class WindowDataset(Dataset[dict[str, Any]]):
    """The windows of a data set as rows for ``transformers.Trainer``: all of them, so that no text is truncated.

    A row has ``input_ids``, ``attention_mask``, ``token_type_ids`` if the tokenizer gives them, and what a model of
    that class learns: ``labels`` of ``AutoModelForTokenClassification`` (-100 at special tokens) and of
    ``AutoModelForSequenceClassification`` (in each window those of its text), ``start_positions`` and
    ``end_positions`` of ``AutoModelForQuestionAnswering`` (of the first answer in the window; 0 if it has no whole
    one). Each question is asked of all windows of its own document. The collator is transformers' own, which pads.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        data: DatasetConfig,
        *,
        window: int | None = None,
        overlap: int = 32,
        seed: int = 13,
    ) -> None:
        """Cuts all documents of a data set into windows.

        Args:
            model: the model that learns, whose ``config.id2label`` has the tags or classes.
            tokenizer: its tokenizer, a fast one.
            data: a data set of any reader, or in memory (``MemoryConfig``).
            window: maximum positions in a window, special tokens included; by default what the encoder reads, 512 at
                most for most encoders.
            overlap: tokens that neighbouring windows share.
            seed: seed of the random cuts.

        Raises:
            ConfigError: the model is of another class or its tags or classes have no names, a window is longer than it
                can be or no longer than the overlap, the tokenizer is of another model, or ``data`` is no data set.
            DataError: the data set is missing or malformed, or has nothing that the model can learn.
        """
        check_type("data", data, _DATA, ReaderConfig)
        self._kind, head, self._tags = _head_of(model)
        size = window_size(model.base_model) if window is None else window
        if not 0 <= overlap < size - tokenizer.num_special_tokens_to_add(pair=self._kind == "qa"):
            raise ConfigError(
                f"window is {size} tokens, special ones included, and overlap {overlap}; give an overlap of at least "
                "0, and a window that is longer"
            )
        fast = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())  # its own keeps its truncation
        config = ModelConfig(heads={self._kind: head}, windows=WindowConfig(size=size, overlap=overlap))
        reader = Model(model.base_model, fast, config, {self._kind: nn.Identity()})
        task = TaskConfig(heads=(self._kind,), data=data, window=size, overlap=overlap)
        learnable_of([task], reader)
        rng = np.random.default_rng(seed)
        groups = list(_WHOLE[self._kind](task, {self._kind: head}, fast, reader.encoder.template, rng))
        check_lengths(groups, reader)
        self._has_types = "token_type_ids" in tokenizer.model_input_names
        self._config = head
        self.rows = [row for group in groups for row in self._rows(group)]
        _check_vocabulary(self.rows, model)
        is_ner = self._kind == "ner"
        padding = copy.copy(tokenizer)
        padding.padding_side = "right"  # before a row, padding would move its answers
        self.collator = (DataCollatorForTokenClassification if is_ner else DataCollatorWithPadding)(padding)
        """Makes a batch of rows: the argument ``data_collator`` of the Trainer."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]

    def _rows(self, group: Group) -> Iterator[dict[str, Any]]:
        special = group.special
        for number, window in enumerate(group.slices):
            ids = [*special.prefix, *window.tolist(), *special.suffix]
            row: dict[str, Any] = {"input_ids": ids, "attention_mask": [1] * len(ids)}
            if self._has_types:
                row["token_type_ids"] = special.types(len(window)).tolist()
            yield row | self._targets(group, number)

    def _targets(self, group: Group, number: int) -> dict[str, Any]:
        """What the window of that number teaches, by the names of transformers."""
        before, after = len(group.special.prefix), len(group.special.suffix)
        if self._kind == "ner":
            tags = [self._tags[tag] for tag in group.targets["tags"][self._kind]]
            return {"labels": [*[IGNORED] * before, *tags, *[IGNORED] * after]}
        if self._kind == "qa":
            first, last = next(iter(group.targets["spans"][number].tolist()), (-before, -before))
            return {"start_positions": first + before, "end_positions": last + before}
        if self._config.multi_label:
            found = group.targets["labels"]
            return {"labels": [float(label in found) for label in self._config.labels]}
        return {"labels": class_index(group, self._config)}


_WHOLE: dict[str, Callable[..., Iterator[Group]]] = {
    "ner": entity_groups,
    "qa": whole_question_groups,
    "classify": partial(class_groups, max_windows=None),
}
"""What makes groups of all windows of the documents, by kind of head."""


_DATA = (
    "a data set, such as JsonlConfig(files=[...]), or MemoryConfig(examples=from_records(...)) for records in memory, "
    "of longdoc.datasets"
)


def _check_vocabulary(rows: Iterable[Mapping[str, Any]], model: PreTrainedModel) -> None:
    """Refuses token ids that the model does not have.

    Raises:
        ConfigError: there is one.
    """
    embeddings: Any = model.get_input_embeddings()
    n_known, highest = embeddings.num_embeddings, max(max(row["input_ids"]) for row in rows)
    if highest >= n_known:
        raise ConfigError(
            f"the tokenizer gives the token {highest}, and the model has the tokens 0 to {n_known - 1}; give the "
            "tokenizer of the same checkpoint, or call model.resize_token_embeddings"
        )


def _head_of(model: PreTrainedModel) -> tuple[str, Any, list[int]]:
    """The kind of head of a model, its configuration, and for tags the number of each tag in the model's order."""
    name = type(model).__name__
    kind = next((kind for kind in ("ner", "qa", "classify") if name.endswith(TASKS[kind])), None)
    if kind is None:
        raise ConfigError(f"{name} has no head for labelled data; give a model {', '.join(list(TASKS.values())[:3])}")
    if kind == "qa":
        return kind, QaConfig(windows=WindowConfig(size=window_size(model.base_model))), []
    names = list((model.config.id2label or {}).values())
    if all(re.fullmatch(r"LABEL_\d+", label) for label in names):
        example = "O, B-PARTY, I-PARTY" if kind == "ner" else "lease, loan"
        raise ConfigError(
            f"{name} has labels without names, {', '.join(names):.80}; name them when it is made, as in "
            f"from_pretrained(..., id2label=dict(enumerate([...]))), such as {example}"
        )
    if kind == "classify":
        classes: ClassifyConfig = class_config(model.config)
        return kind, classes, []
    found, tags = ner_config(model.config)
    config = NerConfig(labels=found.labels, scheme="bio" if found.scheme == "iob1" else found.scheme)
    wanted = tag_names(config.labels, config.scheme)
    if missing := [tag for tag in wanted if tag not in tags]:
        raise ConfigError(
            f"{name} has the tags {', '.join(tags):.200} and lacks {', '.join(missing):.200}; give it an id2label of "
            f"{', '.join(wanted):.200}"
        )
    return kind, config, [tags.index(tag) for tag in wanted]
