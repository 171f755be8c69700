"""A progress bar of documents and tokens over any scorer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from longdoc.document import Document
from longdoc.heads.kind import Reads
from longdoc.labels import Inference
from longdoc.prediction import Prediction

SECONDS_BETWEEN_LINES = 30.0
"""How often progress is told where no terminal shows a bar."""


class Watched:
    """A pipeline that reports each document once it is read: what scorers need of one, and nothing else."""

    def __init__(self, pipeline: Reads, read: Callable[[], None]) -> None:
        self._pipeline, self._read = pipeline, read

    @property
    def heads(self) -> Mapping[str, Any]:
        """Configurations of the heads by name."""
        return self._pipeline.heads

    def pipe(
        self, documents: Iterable[Any], *, tasks: Sequence[str], min_score: float | None = None
    ) -> Iterator[Prediction]:
        """Predictions of documents."""
        for prediction in self._pipeline.pipe(documents, tasks=tasks, min_score=min_score):
            self._read()
            yield prediction

    def ask(self, document: Document, question: Sequence[str], **options: Any) -> Any:
        """Answers to each question."""
        found = self._pipeline.ask(document, question, **options)
        self._read()
        return found

    def infer(self, document: Document, hypotheses: Sequence[str], *, head: str) -> Sequence[Inference]:
        """Inferences, one per hypothesis."""
        found = self._pipeline.infer(document, hypotheses, head=head)
        self._read()
        return found


class Progress:
    """A bar on a terminal: tokens read of all tokens, and documents of all documents. Elsewhere, lines now and then."""

    def __init__(
        self,
        name: str,
        tokens: Sequence[int],
        *,
        done: int,
        shown: bool | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Begins a bar.

        Args:
            name: what is read.
            tokens: the number of tokens of each document.
            done: the number of documents that an earlier run has read.
            shown: whether the bar is shown; None shows it on a terminal.
            tell: called with a line at the start, and every :data:`SECONDS_BETWEEN_LINES`, if no bar is shown.
        """
        self._name, self._tokens, self._done, self._tell = name, tokens, done, tell
        self._bar = tqdm(
            desc=name,
            total=sum(tokens),
            initial=sum(tokens[:done]),
            unit=" tokens",
            unit_scale=True,
            disable=None if shown is None else not shown,
            leave=False,
        )
        self._told_at = -math.inf
        self._say()
        self._bar.refresh()

    def read(self) -> None:
        """Moves on by one document."""
        if self._done < len(self._tokens):  # a scorer may read a document twice
            self._done += 1
            self._say()
            self._bar.update(self._tokens[self._done - 1])

    def close(self) -> None:
        """Removes the bar."""
        self._bar.close()

    def _say(self) -> None:
        documents = f"{self._done:,} of {len(self._tokens):,} documents"
        self._bar.set_postfix_str(documents, refresh=False)
        now = time.monotonic()
        if self._bar.disable and self._tell is not None and now - self._told_at >= SECONDS_BETWEEN_LINES:
            self._told_at = now
            n_tokens = sum(self._tokens[: self._done])
            self._tell(f"{self._name}: {documents}, {n_tokens:,} of {sum(self._tokens):,} tokens")
