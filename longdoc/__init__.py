"""longdoc reads long documents and points at what it finds.

In short: ``prediction = longdoc.Pipeline.from_pretrained()(longdoc.load("lease.pdf"))``.

The package, top layer first. A module imports only from the layers below its own:

==================  =====================================================================================
``cli``             the commands; nothing else prints
``training``        learning, from a YAML file
``convert``         a short encoder -> one that reads long rows sparsely
``calibration``     scores fitted to labelled data
``evaluation``      a data set -> a report
``pipeline``        Document -> Prediction: the file to read first
``findings``        scores -> entities, answers, classes and vectors in their place on the page
``sources``         a name -> a model
``reader``          one model over many windows
``hub``             checkpoints of transformers and sentence-transformers -> models
``model``           an encoder with named heads; save and load
``encoders``        tokens -> states, over windows or whole with sparse attention
``heads``           states -> scores and loss
``pretrained``      files, weights and tokenizers of a folder or of the hub
``attention``       which token sees which, and what computes it
``decode``          scores -> spans
``metrics``         counts that add, and the ratios made of them
``prediction``      what was found, and how much of the document was seen
``loaders``         bytes -> Document
``datasets``        annotated corpora -> labelled texts
``windows``         Document -> overlapping windows, and their scores back into one array
``outputs``         Prediction -> files and streams; the table of output formats
``drawing``         Document -> its pages, with what was read drawn over them
``rules``           entities by rule: dates, money, citations; rule files of your own
``schema``          the fields to fill from a document, as questions
``summary``         entities -> each name once, with its count and pages
``sections``        Document -> its sections, defined terms and cross-references
``labels``          Span, Entity, Answer, Label; BIO tags
``document``        Document: the text, and where every character of it stands
``edits``           what was changed between the characters of the source and the text
``parts``           Page, Box, Section, Table, Furniture, Link and the other parts of a document
``values``          texts -> dates, amounts of money, durations
``config``          YAML <-> dataclasses, strictly
``errors``          the errors a caller may want to catch
==================  =====================================================================================

Importing longdoc loads no torch: a name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longdoc.document import Box, Document, Page
    from longdoc.errors import LongdocError
    from longdoc.labels import Answer, Entity, Label, Span
    from longdoc.loaders import Limits, load
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Gap, Prediction

__version__ = "0.1.0"
__all__ = [
    "Pipeline",
    "Prediction",
    "Gap",
    "load",
    "Limits",
    "Span",
    "Entity",
    "Answer",
    "Label",
    "Document",
    "Page",
    "Box",
    "LongdocError",
    "__version__",
]

_HOMES = {
    "Pipeline": "pipeline",
    "Prediction": "prediction",
    "Gap": "prediction",
    "load": "loaders",
    "Limits": "loaders",
    "Span": "labels",
    "Entity": "labels",
    "Answer": "labels",
    "Label": "labels",
    "Document": "document",
    "Page": "document",
    "Box": "document",
    "LongdocError": "errors",
}


_MODEL_MODULES = frozenset({"calibration", "convert", "evaluation", "model", "pipeline", "training"})
"""Modules that are attributes of the package before they are imported, so that a missing extra is named."""

_MODEL_LIBRARIES = frozenset({"huggingface_hub", "safetensors", "spacy", "tokenizers", "torch", "tqdm", "transformers"})
"""What ``pip install 'longdoc[model]'`` adds to a light installation."""


def __getattr__(name: str) -> Any:
    module = name if name in _MODEL_MODULES else _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module 'longdoc' has no attribute {name!r}; it has {', '.join(__all__)}")
    try:
        home = import_module(f"longdoc.{module}")
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _MODEL_LIBRARIES:
            raise
        from longdoc.errors import MissingDependencyError

        raise MissingDependencyError(f"longdoc.{name} needs {library}: pip install 'longdoc[model]'") from error
    value = home if name in _MODEL_MODULES else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
