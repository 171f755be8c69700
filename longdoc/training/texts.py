"""Folders of documents and labelled corpora → plain texts, some of them held out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from longdoc.datasets import DatasetConfig, data_root, read_dataset
from longdoc.errors import DataError, DocumentError
from longdoc.loaders import load


@dataclass(frozen=True, slots=True)
class Text:
    """A document's text and its name: a file's, or the one it has in its corpus."""

    name: str
    text: str

    @property
    def lot(self) -> float:
        """A number from 0 to 1 that depends on the name alone."""
        digest = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) / 2**32


@dataclass(frozen=True, slots=True)
class Texts:
    """What was read, each text once; and why the rest was not, by path."""

    texts: tuple[Text, ...]
    unread: Mapping[str, str]

    def split(self, share: float) -> tuple[list[Text], list[Text]]:
        """Those to learn from, and about ``share`` of them, at least one, held out, chosen by their names.

        Raises:
            DataError: there is only one.
        """
        lots = [text.lot for text in self.texts]
        if len(set(lots)) < 2:
            raise DataError(f"only {len(self.texts)} document to read; to hold one out, give at least two of two names")
        limit = min(max(share, min(lots) + 2**-33), max(lots))  # at least one on each side
        held = [text for text, lot in zip(self.texts, lots, strict=True) if lot < limit]
        return [text for text, lot in zip(self.texts, lots, strict=True) if lot >= limit], held


def read_texts(documents: Sequence[str], corpora: Sequence[DatasetConfig]) -> Texts:
    """The texts of documents in files, folders and patterns, by longdoc's loaders, and those of labelled corpora.

    A document that cannot be read is left out and reported. Of the same text under several names the first is kept.

    Args:
        documents: paths and patterns (``**`` for folders in folders), below ``data_root()`` or, where there is no such
            thing, the working folder.
        corpora: labelled data, whose labels mean nothing here.

    Raises:
        DataError: a path or a corpus is missing, or no document could be read.
    """
    paths = list(dict.fromkeys(path for name in documents for path in _files(name)))
    found: dict[str, Text] = {}
    unread: dict[str, str] = {}
    for path in tqdm(paths, unit="document", delay=2, leave=False, disable=None):
        try:
            text = load(path).text
        except DocumentError as error:
            unread[str(path)] = str(error)
            continue
        if text.strip():
            found.setdefault(text, Text(path.name, text))
        else:
            unread[str(path)] = "no text in it"
    for corpus in corpora:
        for example in read_dataset(corpus):
            if example.text.strip():
                found.setdefault(example.text, Text(example.id, example.text))
    if not found:
        reasons = "; ".join(list(unread.values())[:3])
        raise DataError(f"no document to learn from: none of {len(unread)} could be read ({reasons})")
    return Texts(tuple(found.values()), unread)


def _files(name: str) -> Iterator[Path]:
    """The files that a path or a pattern stands for, those of folders included; hidden ones are not."""
    anchor = Path(name).anchor
    for root in (data_root(), Path()):
        if (root / name).exists():
            tops = [root / name]
        else:
            tops = sorted((root / anchor).glob(str(Path(name).relative_to(anchor)))) if "*" in name else []
        for top in tops:
            inside = sorted(top.rglob("*")) if top.is_dir() else [top]
            shown = (path for path in inside if not any(p.startswith(".") for p in path.relative_to(top).parts))
            yield from (path for path in shown if path.is_file())
        if tops:
            return
    raise DataError(f"no such documents: {name}, below the data folder ($LONGDOC_DATA) or the working folder")
