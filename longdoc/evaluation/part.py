"""One data set read with one encoder, in stretches of documents that are kept as they are finished."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from longdoc.config import from_dict, to_dict
from longdoc.datasets import Example
from longdoc.datasets.views import View
from longdoc.errors import ConfigError
from longdoc.evaluation.baselines import baselines_of
from longdoc.evaluation.cost import Cost, peak_memory
from longdoc.evaluation.journal import Journal, digest_of_data, plain, restored
from longdoc.evaluation.progress import Progress, Watched
from longdoc.evaluation.report import Outcome
from longdoc.evaluation.scoring import score
from longdoc.metrics.results import Result, total
from longdoc.pipeline import Pipeline
from longdoc.stream import BATCHES_AHEAD
from longdoc.summary import shown
from longdoc.windows import tokenize

GROUPS_IN_A_STRETCH = 1
"""A stretch has the tokens of this many groups of batches (see ``stream``): as few as cost no speed."""


class Labelled(Protocol):
    """What is read of a data set."""

    @property
    def name(self) -> str:
        """Its name in the report."""

    @property
    def kind(self) -> str:
        """What it annotates."""

    @property
    def examples(self) -> Sequence[Example]:
        """The documents."""

    @property
    def labels(self) -> set[str]:
        """The labels that are scored."""


@dataclass(slots=True)
class Part:
    """One data set with one encoder."""

    encoder: str
    data: Labelled
    pipeline: Pipeline
    journal: Journal
    settings: str
    """Everything apart from the data that the results depend on."""
    with_baselines: bool
    key: str = field(init=False)
    """Of its lines in the journal."""
    was_kept: bool = False
    """Whether an earlier run has finished it."""

    def __post_init__(self) -> None:
        data = digest_of_data(self.data.kind, self.data.examples, self.data.labels)
        self.key = hashlib.sha256(f"{self.settings} {data}".encode()).hexdigest()

    def outcome(self, *, progress: bool | None = None, tell: Callable[[str], None] | None = None) -> Outcome:
        """Results and their cost, from the journal as far as it has them; the rest is computed and written there."""
        if (kept := self._kept_outcome()) is not None:
            self.was_kept = True
            return kept
        data, examples = self.data, self.data.examples
        tokenizer = self.pipeline.readers[0].scorer.tokenizer
        tokens = [len(tokenize(example.text, tokenizer)) * max(len(example.questions), 1) for example in examples]
        results, seconds, peaks = self._kept_stretches()
        bar = Progress(f"{shown(data.name)}, {self.encoder}", tokens, done=len(results), shown=progress, tell=tell)
        try:
            if len(results) < len(examples):
                self._read_one()
            for start, end in self._stretches(tokens, len(results)):
                found, took, megabytes = self._read(examples[start:end], bar)
                results, seconds, peaks = [*results, *found], seconds + took, [*peaks, megabytes]
                lines = [plain(result) for result in found]
                self.journal.add(self.key, first=start, results=lines, seconds=took, megabytes=megabytes)
        finally:
            bar.close()
        beside: dict[str, Result] = {}
        if self.with_baselines:
            beside = baselines_of(self.pipeline, data.kind, examples, data.labels, results)
        known = [peak for peak in peaks if peak is not None]
        cost = Cost(len(examples), sum(tokens), seconds, max(known) if known else None)
        outcome = Outcome(total(results), cost, beside)
        self.journal.add(self.key, outcome=_plain_outcome(outcome))
        return outcome

    def _read(self, examples: Sequence[Example], bar: Progress) -> tuple[list[Result], float, float | None]:
        """Results of a stretch of documents, the seconds it took, and the peak of memory."""
        watched, views = Watched(self.pipeline, bar.read), [View(example) for example in examples]
        with peak_memory(getattr(self.pipeline.readers[0].scorer, "device", None)) as peak:
            started_at = time.perf_counter()
            found = score(watched, self.data.kind, views, self.data.labels)
            seconds = time.perf_counter() - started_at
        return found, seconds, peak.get("megabytes")

    def line(self, outcome: Outcome) -> str:
        """The main figure and the cost, on a line."""
        cost, result = outcome.cost, outcome.result
        kept = ", from an earlier run" if self.was_kept else ""
        return (
            f"{self.data.name}, {self.encoder}: {result.main} {result.value:.3f} ({cost.documents:,} documents, "
            f"{cost.tokens:,} tokens, {cost.seconds:,.1f} s{kept})"
        )

    def _read_one(self) -> None:
        """Reads the start of a document, to exclude lazy loading from the time."""
        example = self.data.examples[0]
        questions = tuple(replace(question, answers=()) for question in example.questions[:1])
        first = replace(example, text=example.text[:5000], spans=(), questions=questions)
        score(self.pipeline, self.data.kind, [View(first)], self.data.labels)

    def _stretches(self, tokens: Sequence[int], start: int) -> Iterator[tuple[int, int]]:
        """Half-open ranges of documents with enough tokens each; where they end does not depend on interruptions."""
        enough = GROUPS_IN_A_STRETCH * BATCHES_AHEAD * max(reader.batch_tokens for reader in self.pipeline.readers)
        first, sum_of_tokens = start, 0
        for index in range(start, len(tokens)):
            sum_of_tokens += tokens[index]
            if sum_of_tokens >= enough or index + 1 == len(tokens):
                yield first, index + 1
                first, sum_of_tokens = index + 1, 0

    def _kept_stretches(self) -> tuple[list[Result], float, list[float | None]]:
        """Results of the first documents, the seconds they took, and the peaks of memory."""
        results: list[Result] = []
        seconds, peaks = 0.0, []
        for line in self.journal.lines(self.key):
            if line.get("first") != len(results):
                continue
            found = [restored(record) for record in line["results"]]
            kept = [result for result in found if result is not None]
            if len(kept) < len(found):
                break
            results += kept
            seconds += line["seconds"]
            peaks.append(line["megabytes"])
        return results, seconds, peaks

    def _kept_outcome(self) -> Outcome | None:
        for line in self.journal.lines(self.key):
            if "outcome" in line:
                return _restored_outcome(line["outcome"])
        return None


def _plain_outcome(outcome: Outcome) -> dict[str, Any]:
    beside = {name: plain(result) for name, result in outcome.baselines.items()}
    return {"result": plain(outcome.result), "cost": to_dict(outcome.cost), "baselines": beside}


def _restored_outcome(record: Any) -> Outcome | None:
    try:
        result = restored(record["result"])
        beside = {name: restored(one) for name, one in record["baselines"].items()}
        cost = from_dict(Cost, record["cost"])
    except (ConfigError, KeyError, TypeError, AttributeError):  # written by another version
        return None
    known = {name: one for name, one in beside.items() if one is not None}
    return None if result is None or len(known) < len(beside) else Outcome(result, cost, known)
