"""Late interaction: each word of a query is compared with each word of a passage (Khattab and Zaharia, 2020).

It orders the best passages of a search once more, by a multi-vector encoder of sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from longdoc.errors import ConfigError, first_line, require


class Reranker:
    """A multi-vector encoder, such as a ColBERT."""

    def __init__(self, model: str, *, device: str = "auto") -> None:
        """Loads a folder or a hub id.

        Raises:
            ConfigError: there is no such model.
            MissingDependencyError: sentence-transformers is not installed (the extra ``rerank``).
        """
        library = require("sentence_transformers", extra="rerank", needed_by="a search with rerank")
        try:
            self._model: Any = library.MultiVectorEncoder(model, device=None if device == "auto" else device)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"rerank={model!r:.80} is no multi-vector encoder that can be loaded ({first_line(error)}); give the "
                "folder or hub id of one, such as a ColBERT"
            ) from error

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """MaxSim of a query with each text, float32 ``(N,)``: the sum, over its words, of the best product."""
        queries = self._model.encode_query([query], show_progress_bar=False)
        documents = self._model.encode_document(list(texts), show_progress_bar=False)
        found: np.ndarray = self._model.similarity(queries, documents)[0].float().cpu().numpy()
        return found
