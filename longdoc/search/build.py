"""Documents → the tables of an index, by a batch, and then its caches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from longdoc.batch.extract import BatchOptions, check_libraries, run_job
from longdoc.batch.manifest import read_manifest
from longdoc.errors import require
from longdoc.model_files import is_folder
from longdoc.search import caches
from longdoc.search.job import WRITER, IndexJob, JobOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


class IndexOptions(JobOptions, BatchOptions, total=False):
    """All that `build` takes beside what it names."""

    drop_gone: bool


def build(
    paths: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str],
    **options: Unpack[IndexOptions],
) -> IndexJob:
    """Makes an index, or adds to one; see `longdoc.search.index.Index.build`. Returns what was done."""
    for library in ("pyarrow", "tantivy", "numkong"):
        require(library, extra="search", needed_by="an index")
    own = {name: options.pop(name) for name in JobOptions.__annotations__ if name in options}  # type: ignore[misc]
    job = IndexJob.of(model, **own)
    for each in (job.model, job.records):
        if each is not None:
            check_libraries(each, needed_by="an index")
    run_job(job, WRITER, paths, out, settings={}, **options)  # type: ignore[misc]
    folder = Path(out)
    manifest = read_manifest(folder)
    assert manifest is not None, "the run has written it"
    caches.update(folder, manifest["id"])
    local = os.path.abspath(job.model) if is_folder(Path(job.model)) else job.model  # noqa: PTH100 (it keeps links)
    caches.write_model(folder, local)
    return job
