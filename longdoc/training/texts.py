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
    """The text of a document, and its name: that of its file, or its id in a corpus."""

    name: str
    text: str

    @property
    def bucket(self) -> float:
        """A pseudo-random number from 0 to 1, the same for the same name."""
        digest = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) / 2**32


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that were read, without duplicates; and why other documents were not, by path."""

    texts: tuple[Text, ...]
    unread: Mapping[str, str]

    def split(self, share: float) -> tuple[list[Text], list[Text]]:
        """Texts to learn from, and about ``share`` of them held out, chosen by their names; at least one of each.

        Raises:
            DataError: all texts have the same name.
        """
        buckets = [text.bucket for text in self.texts]
        if len(set(buckets)) < 2:
            raise DataError(
                f"only {len(self.texts)} document to learn from and to hold out; give at least two, of different names"
            )
        limit = min(max(share, min(buckets) + 2**-33), max(buckets))  # at least one on each side
        learned = [text for text, bucket in zip(self.texts, buckets, strict=True) if bucket >= limit]
        return learned, [text for text, bucket in zip(self.texts, buckets, strict=True) if bucket < limit]


def read_texts(documents: Sequence[str], corpora: Sequence[DatasetConfig]) -> Texts:
    """Reads documents with longdoc's loaders, and the texts of labelled corpora.

    A document that cannot be read is skipped and reported. Of equal texts, the first is kept.

    Args:
        documents: files, folders and patterns (``**`` for nested folders), below ``data_root()`` or, if they are not
            there, below the working folder.
        corpora: labelled corpora; their labels are ignored.

    Raises:
        DataError: a path or a corpus is missing, or no document could be read.
    """
    paths = list(dict.fromkeys(path for name in documents for path in _files(name)))
    found: dict[str, Text] = {}
    unread: dict[str, str] = {}
    for path in tqdm(paths, unit="document", delay=2, leave=False, disable=None):
        try:
            text = load(path, isolated=True).text
        except DocumentError as error:
            unread[str(path)] = str(error)
            continue
        if text.strip():
            found.setdefault(text, Text(path.name, text))
        else:
            unread[str(path)] = "it has no text"
    for corpus in corpora:
        for example in read_dataset(corpus):
            if example.text.strip():
                found.setdefault(example.text, Text(example.id, example.text))
    if not found:
        reasons = "; ".join(list(unread.values())[:3])
        raise DataError(f"no document to learn from: none of {len(unread)} could be read ({reasons})")
    return Texts(tuple(found.values()), unread)


def _files(name: str) -> Iterator[Path]:
    """The files that match a path or a pattern, and those in matching folders; hidden files are skipped."""
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
    raise DataError(f"no such documents: {name}; looked in the data folder ($LONGDOC_DATA) and the working folder")
