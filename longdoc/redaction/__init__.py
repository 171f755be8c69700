"""Redaction: a PDF without some of its texts, verified, or no file at all.

The glyphs are removed from the content streams, the samples from the pictures below them, and the texts from all that a
PDF has beside its pages. A page whose content is not understood becomes an image. The result is read again by three
readers, and searched string by string: if anything is left, it is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from longdoc import outputs
from longdoc.arguments import check_flags
from longdoc.document import Document
from longdoc.errors import ConfigError, require
from longdoc.outputs.original import Original
from longdoc.parts import Page
from longdoc.pdf_files import check_is_pdf
from longdoc.prediction import Prediction
from longdoc.redaction.report import Redaction
from longdoc.redaction.wanted import count_places, not_sought, pages_by_ocr, ranges_by_label, wanted_ranges

if TYPE_CHECKING:
    from longdoc.redaction.job import Job

__all__ = ["Redaction", "redact"]


def redact(
    prediction: Prediction,
    path: str | Path,
    labels: Collection[str],
    *,
    source: str | PathLike[str] | bytes | None = None,
    password: str | None = None,
    everywhere: bool = True,
    round_gaps: bool = True,
) -> Redaction:
    """Writes the PDF that a document was loaded from, without what was found of some labels.

    The texts are removed from the pages, from the pixels of pictures below them, and from all that is not on the pages;
    metadata, attached files, scripts and tags are removed whole. A page whose content is not understood becomes an
    image.

    Args:
        prediction: what was found, of a document that was loaded whole.
        path: the file to create or, once all is verified, to replace.
        labels: such as ``["PERSON", "DATE"]``; of the field ``"parties"`` of a record, all mentions of the parties.
        source: the path or the bytes of the PDF; by default the path that :func:`longdoc.load` was given.
        password: of the PDF, if it is encrypted; the redacted file has the same.
        everywhere: whether the same texts are removed wherever else they stand, as whole words.
        round_gaps: whether gaps become as wide as a whole number of font sizes, so that they say less of the words that
            stood there; what follows on the line moves by up to half a font size.

    Returns:
        What was removed, and which pages became images.

    Raises:
        ConfigError: nothing of these labels was found, or the path is that of the original, or not that of a file in a
            folder that exists.
        DataError: the document is no PDF, pages of it were not loaded, or the source is not there or has changed.
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: the file is too damaged to be changed.
        RedactionError: something is left of what should be removed; no file is written.
        LoaderDiedError: a page that becomes an image cannot be drawn in time and memory.
        MissingDependencyError: a library is not installed.
    """
    check_flags(everywhere=everywhere, round_gaps=round_gaps)
    document = prediction.document
    check_is_pdf(document, "a redacted PDF")
    for library in ("pikepdf", "pypdf", "pdfminer", "PIL"):
        require(library, extra="pdf", needed_by="redaction")
    found = wanted_ranges(prediction, labels)
    outputs.check_file(path)
    if any(
        isinstance(own, (str, PathLike)) and outputs.is_same_file(path, Path(own)) for own in (source, document.path)
    ):
        raise ConfigError(f"{path}: is the original, which would be replaced; name another file")
    content = Original(source, password).content(document)
    from longdoc.redaction.job import Job  # only here: it imports these libraries
    from longdoc.redaction.places import places

    wanted = places(document, sorted({each for own in found.values() for each in own}), everywhere=everywhere)
    job = Job(document, content, password, wanted, round_gaps)
    result = job.run()
    with outputs.replacing(path, binary=True) as stream:
        stream.write(result)
    return _report(job, prediction, found, result)


def _report(
    job: Job, prediction: Prediction, found: Mapping[str, Sequence[tuple[int, int]]], result: bytes
) -> Redaction:
    from longdoc.redaction.verify import READERS

    document = job.document
    before, labels = ranges_by_label(prediction), {label: count_places(own) for label, own in found.items()}
    missing = [label for label, number in labels.items() if not number]
    return Redaction(
        source=document.source.name,
        labels=labels,
        joined=sum(count_places(before.get(label, ())) - number for label, number in labels.items()),
        others=job.wanted.n_others,
        pages=tuple(sorted({box.page for box in job.regions})),
        images=dict(sorted(job.images.items())),
        dropped=dict(sorted(job.dropped.items())),
        unread=tuple(page.number for page in document.pages if _is_unread(document, page)),
        ocr=pages_by_ocr(document),
        read_again=job.is_read_again,
        seen_again=job.n_seen_again,
        coverage=prediction.coverage,
        short=len(job.wanted.short),
        notices=(*(notice.reason for notice in prediction.notices), *not_sought(missing, prediction.tasks)),
        readers={reader: version("pdfminer.six" if reader == "pdfminer" else reader) for reader in READERS},
        sha256=hashlib.sha256(result).hexdigest(),
    )


def _is_unread(document: Document, page: Page) -> bool:
    """Whether a page was not read, though it may show text."""
    return page.verdict in ("scanned", "garbled") and not document.text[page.start : page.end].strip()
