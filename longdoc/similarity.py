"""How alike texts are in meaning: the cosines of their vectors. Dimensions: ``N`` and ``M`` texts, ``D`` width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from tqdm import tqdm

from longdoc.arguments import check_flags
from longdoc.document import Document
from longdoc.engine import Engine
from longdoc.errors import ConfigError

Text: TypeAlias = str | Document
"""A text itself, not its path, or a document."""


def cosines(
    engine: Engine, head: str, a: Text | Iterable[Text], b: Text | Iterable[Text], pairwise: bool, progress: tqdm[Any]
) -> Any:
    """The cosines of texts; see :meth:`longdoc.pipeline.Pipeline.similarity`, which names the arguments."""
    check_flags(pairwise=pairwise)
    is_one = isinstance(a, (str, Document))
    if is_one != isinstance(b, (str, Document)):
        raise ConfigError("similarity compares two texts, or two lists of texts; a and b are one of each")
    if is_one and pairwise:
        raise ConfigError("pairwise=True is for two lists of texts; leave it out for two texts")
    left, right = _texts("a", [a] if is_one else a), _texts("b", [b] if is_one else b)
    if pairwise and len(left) != len(right):
        raise ConfigError(f"pairwise=True needs as many texts in a as in b; there are {len(left)} and {len(right)}")
    numbers = {text: number for number, text in enumerate(dict.fromkeys([*left, *right]))}
    vectors = engine.text_vectors([*numbers], head, progress)
    for name, texts in (("a", left), ("b", right)):
        for place, text in enumerate(texts):
            if not vectors[numbers[text]].any():
                raise ConfigError(f"{_named(name, place, texts)} has no word that the model can read: {text!r:.60}")
    one, other = (vectors[[numbers[text] for text in texts]] for texts in (left, right))
    found = (one * other).sum(axis=1) if pairwise else one @ other.T
    found = np.clip(found, -1.0, 1.0)
    return float(found[0, 0]) if is_one else found


def _texts(name: str, given: Any) -> list[str]:
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise ConfigError(f"{name} must be a text or a list of texts; got {given!r:.60}")
    texts = list(given)
    for place, text in enumerate(texts):
        if not isinstance(text, (str, Document)):
            raise ConfigError(f"{_named(name, place, texts)} must be a str or a Document; got {text!r:.60}")
    found = [text.text if isinstance(text, Document) else text for text in texts]
    for place, text in enumerate(found):
        if not text.strip():
            raise ConfigError(f"{_named(name, place, texts)} is empty; give some words, or leave it out")
    return found


def _named(name: str, place: int, texts: Sequence[Any]) -> str:
    return name if len(texts) == 1 else f"text {place + 1} of {len(texts)} in {name}"
