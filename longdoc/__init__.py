"""longdoc reads long documents and points at what it finds.

In short: ``prediction = longdoc.Pipeline.from_pretrained()(longdoc.load("lease.pdf"))``.

The package, top layer first. A module imports only from the layers below its own:

==================  =====================================================================================
``cli``             the commands; nothing else prints
``serve``           documents and questions over HTTP: jobs, limits, a token
``dedup``           near-duplicates among documents, sections and clauses: pairs, clusters, differences
``search``          a folder of documents → an index, and the passages of it that a query means
``batch``           many documents → tables, with a journal to go on from
``training``        training and pre-training, configured in YAML or in Python
``convert``         an encoder for short texts → one for long texts with sparse attention
``export``          a head → a folder of transformers or sentence-transformers; a folder → the hub
``auditing``        whether a model reads texts alike whoever they are about: names, pronouns and origins swapped
``calibration``     scores → probabilities, fitted to labelled data
``evaluation``      a data set → a report
``spacy_component``  a component of spaCy: ``nlp.add_pipe("longdoc")``
``pipeline``        Document → Prediction: the file to read first
``similarity``      how alike texts are in meaning
``asking``          questions → the answers that are shown, and the best that is not
``records``         findings → one record a document: contract, paper, note
``stream``          documents in, predictions out: lazily, in order, in shared batches
``engine``          all heads of all models: documents and questions → findings
``sources``         a model's name → a model
``retrieval``       the windows of a document that are read for a question
``reader``          one model: documents → scores of their windows
``compute``         a model on a device: windows → scores of its heads, by torch
``graphs``          an exported graph with its settings and tokenizer: the same, without torch
``hub``             checkpoints of transformers and sentence-transformers → models
``model``           an encoder with named heads; saving and loading
``model_config``    the heads and windows of a model
``heads``           scores, decoding, targets and scoring: one module per kind of head
``adapters``        the differences of a head's own encoder from the one that the others share
``encoders``        tokens → states, over windows or whole with sparse attention
``inputs``          windows → the arrays that an encoder is given, in batches
``exported``        the scores of an exported graph, by ONNX Runtime and others, without torch
``export_record``   what such a graph says of itself, and its folder, fetched from the hub if need be
``pretrained``      files, weights and tokenizers of a folder or of the hub
``model_files``     the files of a model, checked before anything is built from them
``fields``          findings → the fields of a schema, each from the source that is trusted most
``usable``          which sources of fields a model and its rules have
``bert``            BERT without transformers, which takes seconds to import
``packed``          encoders for reading: BERT without padding, and packed weights on a CPU
``quantized``       BERT's linear layers in int8
``attention``       sparse patterns, and what computes attention over them
``decode``          scores → entities and answers
``decode_spans``    scores → spans that may be long and overlap, such as clauses
``metrics``         additive counts, and the ratios derived from them
``devices``         where to compute, and in which number format
``deidentification``  what identifies persons, by rules and heads together; a text without it
``redaction``       a PDF without what was found of some labels, verified
``findings``        scores of windows → findings with their positions on the page
``prediction``      what was found, and how much of the document was read
``outputs``         Prediction → files and streams: one module per format; the viewer
``loaders``         bytes → Document: one folder or module per format
``datasets``        annotated corpora → labelled texts: one module per reader
``drawing``         the pages of a document, with what was read drawn over them
``rules``           entities by rule: dates, money, citations; custom rule files
``windows``         tokens → overlapping windows, and their scores back into one array
``vocabulary``      what a tokenizer makes of special tokens, long words and unknown characters
``lexical``         how many words of a question the parts of a text share
``pdf_files``       PDFs that are changed: opened, saved, and where their pages are displayed
``document_type``   a document → contract, paper, note or other
``sentences``       a text → its sentences, as spaCy's sentencizer splits it
``sections``        a document's sections, defined terms and cross-references
``schema``          the fields to fill from a document, and where each may come from
``record_types``    the types of the records of contracts, papers and notes
``plain``           findings and records as what JSON can hold, and back
``summary``         entities → each name once, with its count and pages
``labels``          Span, Entity, Answer, Label; encoding and decoding of tags
``document``        Document: the text, and the position of every character on its page
``document_json``   a document as JSON, and back, checked
``edits``           the changes between the characters of the source and the text
``parts``           Page, Box, Section, Table, Furniture, Link and the other parts of a document
``titles``          a document's text → its title
``roles``           words that name a role in a contract
``values``          texts → dates, amounts of money, durations, numbers
``backtracking``    whether a regular expression may take very long
``config``          strict conversion between YAML and dataclasses
``workers``         a function on many inputs in worker processes, with limits on time and memory
``arguments``       arguments of public functions, refused where they are given
``config_files``    YAML and JSON files, read within limits
``durable``         files that a crash or a kill leaves whole or absent
``pdfium``          pdfium's lock
``stored``          strict JSON; what longdoc has written in it, read back and checked
``version``         the version of longdoc
``errors``          the errors that a caller may want to catch
==================  =====================================================================================

Importing longdoc does not load torch: a public name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from longdoc.version import __version__

if TYPE_CHECKING:
    from longdoc.auditing import AuditReport, audit
    from longdoc.batch.extract import extract_many
    from longdoc.dedup.duplicates import Duplicates, find_duplicates
    from longdoc.dedup.folder import dedup_many
    from longdoc.deidentification import Masked, deidentify, mask
    from longdoc.document import (
        Annotation,
        Box,
        Cell,
        Definition,
        Document,
        FormField,
        Furniture,
        Link,
        OutlineItem,
        Page,
        Reference,
        Section,
        Source,
        Table,
    )
    from longdoc.errors import (
        BatchError,
        CheckpointWarning,
        ComputeError,
        ConcurrencyError,
        ConfigError,
        CorruptDocumentError,
        DataError,
        DocumentError,
        DocumentNotFoundError,
        EncryptedDocumentError,
        LimitExceededError,
        LoaderDiedError,
        LoaderMemoryError,
        LoaderTimeoutError,
        LongdocError,
        MissingDependencyError,
        NoTextLayerError,
        OutputWarning,
        PrecisionWarning,
        RecordError,
        RedactionError,
        SearchError,
        TrainingError,
        UnsupportedFormatError,
    )
    from longdoc.findings import Embeddings
    from longdoc.labels import NOT_READ, Answer, Entity, Inference, Label, Span
    from longdoc.loaders import Limits, load
    from longdoc.outputs.displacy import displacy
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Answers, Failure, Gap, Notice, Prediction
    from longdoc.reader import Word
    from longdoc.redaction import Redaction, redact
    from longdoc.rules import Rules
    from longdoc.schema import Field, Schema, load_schema
    from longdoc.search.hits import Hit
    from longdoc.search.index import Index
    from longdoc.training.trainer import TrainConfig, train
    from longdoc.values import Duration, Money

__all__ = [
    "Pipeline",
    "Prediction",
    "Answers",
    "Failure",
    "Gap",
    "Notice",
    "load",
    "displacy",
    "extract_many",
    "find_duplicates",
    "dedup_many",
    "Duplicates",
    "Index",
    "Hit",
    "redact",
    "Redaction",
    "audit",
    "AuditReport",
    "deidentify",
    "mask",
    "Masked",
    "train",
    "TrainConfig",
    "Limits",
    "Schema",
    "Field",
    "load_schema",
    "Rules",
    "Entity",
    "Answer",
    "Label",
    "Inference",
    "NOT_READ",
    "Span",
    "Embeddings",
    "Word",
    "Document",
    "Page",
    "Box",
    "Section",
    "Table",
    "Cell",
    "Furniture",
    "Definition",
    "Reference",
    "Link",
    "OutlineItem",
    "FormField",
    "Annotation",
    "Source",
    "Money",
    "Duration",
    "LongdocError",
    "DocumentError",
    "DocumentNotFoundError",
    "UnsupportedFormatError",
    "EncryptedDocumentError",
    "CorruptDocumentError",
    "NoTextLayerError",
    "LimitExceededError",
    "LoaderDiedError",
    "LoaderMemoryError",
    "LoaderTimeoutError",
    "RecordError",
    "ConfigError",
    "CheckpointWarning",
    "PrecisionWarning",
    "ComputeError",
    "OutputWarning",
    "ConcurrencyError",
    "DataError",
    "RedactionError",
    "TrainingError",
    "BatchError",
    "SearchError",
    "MissingDependencyError",
    "__version__",
]

_NAMES: dict[str, tuple[str, ...]] = {
    "pipeline": ("Pipeline",),
    "prediction": ("Prediction", "Answers", "Failure", "Gap", "Notice"),
    "loaders": ("load", "Limits"),
    "outputs.displacy": ("displacy",),
    "batch.extract": ("extract_many",),
    "dedup.duplicates": ("Duplicates", "find_duplicates"),
    "dedup.folder": ("dedup_many",),
    "search.index": ("Index",),
    "search.hits": ("Hit",),
    "redaction": ("redact", "Redaction"),
    "auditing": ("audit", "AuditReport"),
    "deidentification": ("deidentify", "mask", "Masked"),
    "training.trainer": ("train", "TrainConfig"),
    "schema": ("Schema", "Field", "load_schema"),
    "rules": ("Rules",),
    "labels": ("Entity", "Answer", "Label", "Inference", "NOT_READ", "Span"),
    "findings": ("Embeddings",),
    "reader": ("Word",),
    "document": (
        "Document",
        "Page",
        "Box",
        "Section",
        "Table",
        "Cell",
        "Furniture",
        "Definition",
        "Reference",
        "Link",
        "OutlineItem",
        "FormField",
        "Annotation",
        "Source",
    ),
    "values": ("Money", "Duration"),
    "errors": (
        "LongdocError",
        "DocumentError",
        "DocumentNotFoundError",
        "UnsupportedFormatError",
        "EncryptedDocumentError",
        "CorruptDocumentError",
        "NoTextLayerError",
        "LimitExceededError",
        "LoaderDiedError",
        "LoaderMemoryError",
        "LoaderTimeoutError",
        "RecordError",
        "ConfigError",
        "CheckpointWarning",
        "PrecisionWarning",
        "ComputeError",
        "OutputWarning",
        "ConcurrencyError",
        "DataError",
        "RedactionError",
        "TrainingError",
        "BatchError",
        "SearchError",
        "MissingDependencyError",
    ),
}
"""Module -> the public names that it defines."""
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

_MODEL_MODULES = frozenset({"calibration", "convert", "evaluation", "export", "model", "pipeline", "training"})
"""Modules that are attributes of the package before they are imported, so that a missing extra is named."""

_NEEDED = dict.fromkeys(
    (
        "auditing",
        "batch.extract",
        "dedup.duplicates",
        "deidentification",
        "dedup.folder",
        "pipeline",
        "reader",
        "findings",
        "search.index",
    ),
    "tokenizers",
)
"""Module -> a library without which its names are not listed, so that ``help(longdoc)`` works without it."""
_NEEDED["training.trainer"] = "torch"

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
    missing = {module for module, library in _NEEDED.items() if not find_spec(library)}
    left_out = {name for name in __all__ if _HOMES.get(name) in missing}
    own = {name for name in globals() if name.startswith("__")}  # such as __doc__ and __path__
    return sorted({*own, *__all__} - left_out)
