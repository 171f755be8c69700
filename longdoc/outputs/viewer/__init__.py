"""The viewer: a document and what was found in it as a self-contained web page, and an index of several.

``page.html``, the styles and the scripts in this folder are the page; ``data`` is what they are given, ``images`` the
pictures of the pages. ``fragment`` is the small view in a notebook, without a script.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from longdoc.durable import write_atomically
from longdoc.errors import ConfigError, DataError, DocumentError, MissingDependencyError
from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.viewer import page
from longdoc.outputs.viewer.data import document_data, summary
from longdoc.outputs.viewer.fragment import fragment
from longdoc.outputs.viewer.images import MOST_BYTES, page_pictures

__all__ = ["FORMAT", "fragment", "write"]

_LEFT_OUT = "pictures of the pages were not asked for"
_TOO_MANY = "the pictures of the documents before fill the file; write to a file instead of a stream"
_NAME_CHARACTERS = 60


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes the page of one document; or of several an index, with the page of each in the folder beside it.

    Without such a folder the pages are in the file of the index.
    """
    outcomes = iter(outcomes)
    first = list(islice(outcomes, 2))
    every = chain(first, outcomes)
    if len(first) == 1 and not isinstance(first[0].result, DocumentError):
        folder = first[0].folder
        beside = f"{quote(os.fsencode(folder.name))}/" if folder else ""
        stream.writelines(_page(first[0], first[0].result, {}, folder, beside))
    elif first and first[0].folder is not None:
        stream.writelines(_index(every, first[0].folder))
    else:
        stream.writelines(_all_in_one(every))


def _page(
    outcome: Outcome, prediction: PredictionLike, numbers: dict[str, int], folder: Path | None, beside: str = ""
) -> Iterator[str]:
    """Yields the page of a document: the first page's picture comes before the script, which need not wait for others.

    Args:
        outcome: the document, and where its file is.
        prediction: what was found in it.
        numbers: of the labels.
        folder: for pictures that are files of their own.
        beside: the relative address of the folder, if it is not that of the page.
    """
    pictures = _Pictures(outcome, prediction, "d1", folder if outcome.images == "beside" else None, beside)
    elements = iter(pictures)
    first = list(islice(elements, 1))
    record = {**document_data(outcome.source, prediction, numbers), "why": pictures.why}
    yield page.opening(record["title"], images=pictures.policy)
    yield page.data("document", record, id="d1")
    yield from first
    yield page.running()
    yield from elements
    yield page.closing()


class _Pictures:
    """The elements with the pictures of a document's pages, drawn while they are iterated over.

    ``why`` says, after the first, why there are none.
    """

    def __init__(
        self, outcome: Outcome, prediction: PredictionLike, id: str, folder: Path | None, beside: str = ""
    ) -> None:
        self._outcome, self._document, self._id = outcome, prediction.document, id
        self._folder, self._beside = folder, beside
        self.why = _LEFT_OUT if outcome.images == "none" else ""
        self.policy = "data:" if folder is None else "'self' file:"
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        if self.why:
            return
        pictures = page_pictures(self._document, self._outcome.original)
        try:
            first = list(islice(pictures, 1))
        except (DataError, MissingDependencyError) as error:
            self.why = str(error).removeprefix(f"{self._document.source.name}: ")
            return
        for number, drawn in enumerate(chain(first, pictures), 1):
            id = f"{self._id}-{number}"
            if isinstance(drawn, str):
                yield page.failure(drawn, id=id)
            else:
                self.size += len(drawn)
                yield page.picture(self._address(drawn), id=id)

    def _address(self, drawn: bytes) -> str:
        """The picture itself, or the address of its file, whose name is made from its content."""
        if self._folder is None:
            return page.data_address(drawn)
        _make(self._folder)
        path = self._folder / f"{hashlib.sha256(drawn).hexdigest()[:20]}.webp"
        if not path.exists():
            write_atomically(path, drawn)
        return f"{self._beside}{path.name}"


def _index(outcomes: Iterable[Outcome], folder: Path) -> Iterator[str]:
    """Yields an index, after it has written the page of each document into a folder."""
    _make(folder)
    rows, names, numbers = [], set[str](), dict[str, int]()
    for number, outcome in enumerate(outcomes, 1):
        href = None
        if not isinstance(outcome.result, DocumentError):
            name = _file_name(outcome.result, names)
            pages = _page(outcome, outcome.result, numbers, folder)
            write_atomically(folder / name, "".join(pages))
            href = f"{quote(os.fsencode(folder.name))}/{quote(name)}"
        rows.append(summary(outcome, id=f"d{number}", href=href))
    yield page.opening("longdoc")
    yield from (page.data("summary", row) for row in rows)
    yield page.running()
    yield page.closing()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder}: the folder for what belongs to the page cannot be made ({error.strerror})"
        ) from error


def _file_name(prediction: PredictionLike, names: set[str]) -> str:
    """A name for the page of a document that none of ``names`` is, to which it is added; the same in every run."""
    source = prediction.document.source
    stem = re.sub(r"[^\w.-]+", "-", Path(source.name).stem, flags=re.ASCII).strip("-.")[:_NAME_CHARACTERS]
    stem = f"{stem or 'document'}-{source.sha256[:8]}"
    name = next(each for each in chain([stem], (f"{stem}-{i}" for i in range(2, 1 << 30))) if each not in names)
    names.add(name)
    return f"{name}.html"


def _all_in_one(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yields an index with the pages of all documents in the same file."""
    yield page.opening("longdoc")
    size, numbers = 0, dict[str, int]()
    for number, outcome in enumerate(outcomes, 1):
        id = f"d{number}"
        yield page.data("summary", summary(outcome, id=id, href=None))
        if not isinstance(outcome.result, DocumentError):
            pictures = _Pictures(outcome, outcome.result, id, None)
            pictures.why = pictures.why or (_TOO_MANY if size > MOST_BYTES else "")
            elements = list(pictures)
            size += pictures.size
            record = {**document_data(outcome.source, outcome.result, numbers), "why": pictures.why}
            yield page.data("document", record, id=id)
            yield from elements
    yield page.running()
    yield page.closing()


FORMAT = Format(
    name="html",
    description="a page that shows a document with its findings; of several documents an index, and a folder beside it",
    suffix=".html",
    streams=False,
    write=write,
    answers=True,
    folder=True,
)
