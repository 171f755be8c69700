"""The component ``longdoc`` of spaCy: ``nlp.add_pipe("longdoc")`` finds in a ``Doc`` what a pipeline finds.

spaCy knows the component wherever longdoc is installed, by an entry point. It sets what
:meth:`longdoc.prediction.Prediction.to_spacy` sets. The tokens of the ``Doc`` stay as they are: a finding that starts
or ends inside one is widened to whole tokens, and the ``attrs["offsets"]`` of its span group are exact.
"""

# Without `from __future__ import annotations`: spaCy checks configurations by the types of the factory's arguments.

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee

from spacy.language import Language
from spacy.tokens import Doc

from longdoc.document import Document
from longdoc.outputs.omissions import Omissions
from longdoc.outputs.spacy_doc import annotate
from longdoc.pipeline import Pipeline

DEFAULTS = {
    "model": "default",
    "tasks": None,
    "min_score": None,
    "encoder": "windows",
    "device": "auto",
    "precision": "auto",
}
"""The configuration; each key is an argument of ``Pipeline.from_pretrained`` or of a call."""


@dataclass(frozen=True, slots=True)
class Component:
    """Adds findings to documents."""

    pipeline: Pipeline
    tasks: tuple[str, ...] | None = None
    """Heads to read with, and ``rules``; by default those for the kind of document."""
    min_score: float | None = None

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int | None = None) -> Iterator[Doc]:
        """Adds findings to many documents, whose windows share batches.

        Args:
            stream: the documents, consumed lazily; as many are read together as fill some batches.
            batch_size: is not heeded. spaCy always passes one, 1000 by default, which is meant for sentences.
        """
        docs, given = tee(stream)
        texts = (Document.from_text(doc.text, name="spaCy") for doc in given)
        found = self.pipeline.pipe(texts, tasks=self.tasks, min_score=self.min_score)
        for doc, prediction in zip(docs, found, strict=True):
            annotate(doc, prediction, Omissions())
            yield doc


@Language.factory(
    "longdoc",
    default_config=DEFAULTS,
    assigns=["doc.ents", "doc.spans", "doc.cats", "doc._.longdoc_coverage", "span._.longdoc_page"],
)
def component(  # noqa: PLR0913 (each is a key of the configuration)
    nlp: Language,
    name: str,
    model: str,
    tasks: list[str] | None,
    min_score: float | None,
    encoder: str,
    device: str,
    precision: str,
) -> Component:
    """The component of a configuration.

    Args:
        nlp: the pipeline of spaCy.
        name: the name of the component in it.
        model: ``"default"``, a folder or a hub id.
        tasks: names of the heads to read with, and ``rules``; by default those for the kind of document.
        min_score: threshold of the scores of entities and spans, 0..1; by default that of each head.
        encoder: ``"windows"`` or ``"sparse"``.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda:1"`` …; GPUs of ``"cuda:0,1"`` take turns.
        precision: ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"int8"``.

    Raises:
        ConfigError: a value is not allowed, or there is no such model.
    """
    pipeline = Pipeline.from_pretrained(model, encoder=encoder, device=device, precision=precision)  # type: ignore[arg-type]
    return Component(pipeline, None if tasks is None else tuple(tasks), min_score)
