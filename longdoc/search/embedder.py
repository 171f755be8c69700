"""Texts → vectors, by the embedding head of a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from longdoc.document import Document
from longdoc.pipeline import Pipeline
from longdoc.sources import load_models
from longdoc.stream import progress_bar
from longdoc.windows import Tokens

if TYPE_CHECKING:
    from longdoc.prediction import Gap

_QUERIES = 256
"""Queries whose vectors are kept."""
HEADING = 48
"""Tokens of a window that are kept for the headings above a passage."""


class Embedder:
    """The embedding head of a pipeline. Dimensions: ``N`` texts, ``D`` width."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Takes the one head of kind ``embed`` that a pipeline has.

        Raises:
            ConfigError: it has none, or several.
        """
        self._engine = pipeline.engine
        self._head = self._engine.name_of("embed", None)
        self.reader = self._engine.reader_of(self._head)
        self._query = lru_cache(maxsize=_QUERIES)(lambda text: self.vectors([text])[0])

    @classmethod
    def load(cls, model: str, **options: Any) -> Embedder:
        """The embedding head of a model; ``options``: the device and precision of ``Pipeline.from_pretrained``.

        Raises:
            ConfigError: there is no such model, or it has no such head.
        """
        models = load_models(None, {"embed": model}, only_windows=True, **options)
        return cls(Pipeline(*models, progress=False, **options))

    @property
    def size(self) -> int:
        """Tokens of a passage that fit into one window together with its headings."""
        window = self.reader.windows(self.reader.trained_windows(self._head)).size
        special = self.reader.scorer.form.template.after_prompt(self.reader.scorer.prompt(self._head))
        return max(window - len(special) - HEADING, 2 * HEADING)

    def tokenize(self, document: Document) -> Tokens:
        """The tokens of a document."""
        return self.reader.tokenize(document)

    def gaps(self, document: Document) -> tuple[Gap, ...]:
        """What of a document its vocabulary lacks, so that no vector tells of it."""
        tokens = self.tokenize(document)
        reading = [self.reader.read(document, tokens, [self._head])]
        return self._engine.gaps(document, [self._head], reading)

    def query(self, text: str) -> np.ndarray:
        """The vector of a query, float32 ``(D,)``; the last ones are kept, for other filters."""
        vector: np.ndarray = self._query(text)
        return vector

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """A vector of length 1 for each text, float32 ``(N, D)``; zeros for a text without tokens.

        Each is encoded by itself; a text that is longer than a window is the mean of several.
        """
        return self._engine.text_vectors(texts, self._head, progress_bar(False))
