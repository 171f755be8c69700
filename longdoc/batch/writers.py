"""What a run writes its results with: tables as Parquet or CSV, or JSON lines.

A worker makes the rows of some documents (``rows``), a run puts several groups together (``join``), and its journal
writes them as a part (``write``), from which documents that are read again are left out later (``copy``).

Files with the same content have it written once, for the first of them, the owner; the others name it in ``same_as``.
``rows`` sees to that within a group, and ``without_content`` across groups, once the run knows the owners:

>>> from longdoc.batch.status import Status, with_same_as
>>> statuses = [Status(address=name, id="5e", state="ok") for name in ("a.txt", "b.txt")]
>>> [status.same_as for status in with_same_as(statuses, {})]
['', 'a.txt']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeAlias

from longdoc.batch.status import Status, with_same_as
from longdoc.batch.tables import ROW_GROUP, tables_of, write_csv, write_table
from longdoc.errors import BatchError
from longdoc.outputs import jsonl
from longdoc.outputs.surrogates import escaped
from longdoc.prediction import Prediction
from longdoc.summary import shown

if TYPE_CHECKING:
    import pyarrow

Outcomes: TypeAlias = Sequence[tuple[Status, Any]]
"""Of each document its status, and what a job made of it, such as its prediction; None if it could not be read."""

PREDICTIONS = "predictions"
"""The one table of the format ``jsonl``."""
_OF_THE_RUN = ("attempts", "seconds")
"""What is in the journal alone: all else is the same whenever a document is read."""
_RECORD = re.compile(rb'[^"\n]*(?:"[^"]*"[^"\n]*)*\n')
"""A record of CSV: line ends in quotes are part of it."""


@dataclass(frozen=True, slots=True)
class TablesWriter:
    """Writes the tables of ``longdoc.batch.tables``; rows are Arrow tables."""

    suffix: str
    _write: Callable[[pyarrow.Table, IO[bytes]], None]
    _copy: Callable[[Path, BinaryIO, _Choice], None]
    _tables: Callable[..., dict[str, pyarrow.Table]] = tables_of
    """What makes the tables of outcomes; one of them is ``documents``, and the others have a ``document_id``."""

    def rows(self, outcomes: Outcomes, *, model: str) -> dict[str, pyarrow.Table]:
        """The rows of some documents by table; of documents with the same content those of the first one.

        Raises:
            MissingDependencyError: pyarrow is not installed.
        """
        statuses = with_same_as([status for status, _ in outcomes], {})
        is_first = [not status.same_as for status in statuses]
        first = self._tables([each for each, own in zip(outcomes, is_first, strict=True) if own], model=model)
        if not all(is_first):
            # Their rows in the other tables could not be told from those of the first one, by document_id.
            others = self._tables([each for each, own in zip(outcomes, is_first, strict=True) if not own], model=model)
            first["documents"] = _merged(first["documents"], others["documents"], is_first)
        return self.without_content(first, statuses)

    def join(self, parts: Sequence[dict[str, pyarrow.Table]]) -> dict[str, pyarrow.Table]:
        """The rows of several groups, in their order."""
        import pyarrow

        empty = self._tables([])
        return {name: pyarrow.concat_tables([table, *(part[name] for part in parts)]) for name, table in empty.items()}

    def without_content(self, rows: dict[str, pyarrow.Table], statuses: Sequence[Status]) -> dict[str, pyarrow.Table]:
        """The rows of a group without those of content that is written for a document of another group.

        Args:
            rows: what ``rows`` returned; not what ``join`` did, where the same content may stand twice.
            statuses: of its documents, in their order, as `longdoc.batch.status.with_same_as` returned them.
        """
        import pyarrow

        documents = rows["documents"]
        at = documents.schema.get_field_index("same_as")
        cells = [escaped(each.same_as) or None for each in _checked(statuses, documents.num_rows)]
        column = pyarrow.array(cells, pyarrow.string())
        leaving = _leaving(statuses, statuses)
        return {
            name: documents.set_column(at, documents.schema.field(at), column)
            if name == "documents"
            else _without(table, leaving)
            for name, table in rows.items()
        }

    def write(self, table: str, rows: pyarrow.Table, stream: BinaryIO) -> None:
        """Writes the rows of a table."""
        self._write(rows, stream)

    def copy(
        self, table: str, source: Path, stream: BinaryIO, *, members: Sequence[Status], without: Collection[str]
    ) -> None:
        """Writes the rows of a file except those of some documents; see `longdoc.batch.journal.TableWriter`.

        Raises:
            BatchError: the file is damaged.
        """
        staying = [each for each in members if each.address not in without]
        if table == "documents":
            self._copy(source, stream, [each.address not in without for each in members])
        else:
            self._copy(source, stream, _leaving(members, staying))


@dataclass(frozen=True, slots=True)
class LinesWriter:
    """Writes JSON lines, one a document, as ``longdoc extract --format jsonl`` does, with the whole status.

    Rows are lines of bytes.
    """

    suffix: str = ".jsonl"

    def rows(self, outcomes: Outcomes, *, model: str) -> dict[str, list[bytes]]:
        """The lines of some documents; that of a document with the content of an earlier one has no findings."""
        statuses = with_same_as([status for status, _ in outcomes], {})
        return {
            PREDICTIONS: [_line(status, found) for status, (_, found) in zip(statuses, outcomes, strict=True)],
        }

    def join(self, parts: Sequence[dict[str, list[bytes]]]) -> dict[str, list[bytes]]:
        """The lines of several groups, in their order."""
        return {PREDICTIONS: [line for part in parts for line in part[PREDICTIONS]]}

    def without_content(self, rows: dict[str, list[bytes]], statuses: Sequence[Status]) -> dict[str, list[bytes]]:
        """The lines of a group without content that is written for another document; see `TablesWriter`."""
        own = rows[PREDICTIONS]
        pairs = zip(_checked(statuses, len(own)), own, strict=True)
        return {PREDICTIONS: [_line(status, None) if status.same_as else line for status, line in pairs]}

    def write(self, table: str, rows: Sequence[bytes], stream: BinaryIO) -> None:
        """Writes the lines."""
        stream.writelines(rows)

    def copy(
        self, table: str, source: Path, stream: BinaryIO, *, members: Sequence[Status], without: Collection[str]
    ) -> None:
        """Writes the lines of a file except those of some documents; see `longdoc.batch.journal.TableWriter`.

        Raises:
            BatchError: the file is damaged.
        """
        lines = source.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            raise _damaged(source)
        stream.writelines(_staying(lines, [each.address not in without for each in members], source))


_Choice: TypeAlias = list[bool] | set[str]
"""What stays: whether each row does; or all rows but those with these ids of documents."""


def _line(status: Status, prediction: Prediction | None) -> bytes:
    own = {**asdict(status), "address": shown(status.address), "same_as": shown(status.same_as)}
    for name in _OF_THE_RUN:
        del own[name]
    record = {"source": own["address"], "status": own}
    if not status.is_read:
        record |= jsonl.failed(status.error, status.reason)
    elif prediction is not None and not status.same_as:
        record |= jsonl.found(prediction)
    return jsonl.line(record).encode()


def _checked(statuses: Sequence[Status], n_rows: int) -> Sequence[Status]:
    if len(statuses) != n_rows:
        raise ValueError(f"{len(statuses)} statuses for {n_rows} documents; give one for each, in the same order")
    for status, within in zip(statuses, with_same_as(statuses, {}), strict=True):
        if within.same_as and not status.same_as:
            raise ValueError(f"{shown(status.address)}: its content is written for another; give its same_as")
    return statuses


def _leaving(members: Iterable[Status], staying: Iterable[Status]) -> set[str]:
    """The ids of content that none of the documents that stay is the owner of."""
    return {each.id for each in members} - {each.id for each in staying if each.is_owner} - {""}


def _merged(first: pyarrow.Table, others: pyarrow.Table, is_first: Sequence[bool]) -> pyarrow.Table:
    """The rows of two tables as one, in the order that says of each row whether it is from the first table."""
    import pyarrow

    firsts, seconds = iter(range(first.num_rows)), iter(range(first.num_rows, len(is_first)))
    return pyarrow.concat_tables([first, others]).take([next(firsts if own else seconds) for own in is_first])


def _without(table: pyarrow.Table, ids: Collection[str]) -> pyarrow.Table:
    """The rows but those of the documents with these ids."""
    import pyarrow
    from pyarrow import compute

    return table.filter(compute.invert(compute.is_in(table["document_id"], pyarrow.array(sorted(ids), "string"))))


def copy_parquet(source: Path, stream: BinaryIO, stays: _Choice, *, rows: int = ROW_GROUP) -> None:
    """Writes what stays of a table, in groups of ``rows``.

    Raises:
        BatchError: the file is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    data = source.read_bytes()
    try:
        table = parquet.read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(source) from error
    if not isinstance(stays, set) and len(stays) != table.num_rows:
        raise _damaged(source)
    left = _without(table, stays) if isinstance(stays, set) else table.filter(pyarrow.array(stays, "bool"))
    write_table(left, stream, rows=rows)


def _copy_csv(source: Path, stream: BinaryIO, stays: _Choice) -> None:
    """Copies records as they are: parsed and written again, a null would become an empty text."""
    data = source.read_bytes()
    header, *records = _RECORD.findall(data) or [b""]
    if sum(map(len, records), len(header)) != len(data) or not header:
        raise _damaged(source)
    if isinstance(stays, set):
        ids = {f'"{each}"'.encode() for each in stays}
        rest = [record for record in records if record.partition(b",")[0] not in ids]
    else:
        rest = _staying(records, stays, source)
    stream.writelines([header, *rest])


def _staying(lines: Sequence[bytes], stays: Sequence[bool], source: Path) -> list[bytes]:
    if len(lines) != len(stays):
        raise _damaged(source)
    return list(compress(lines, stays))


def _damaged(path: Path) -> BatchError:
    return BatchError(
        f"{shown(str(path))}: the file is damaged, or does not hold the documents that the journal names; restore it "
        "from a copy, or remove it and run the same command again: its documents are read again"
    )


Writer: TypeAlias = TablesWriter | LinesWriter
"""Picklable, for worker processes."""

WRITERS: dict[str, Writer] = {
    "parquet": TablesWriter(".parquet", write_table, copy_parquet),
    "csv": TablesWriter(".csv", write_csv, _copy_csv),
    "jsonl": LinesWriter(),
}
"""The formats of a folder by name."""
