"""``longdoc extract``: documents in, predictions out."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, get_args

from longdoc.batch.inputs import files_of
from longdoc.batch.request import Request
from longdoc.cli import batch, console, options
from longdoc.errors import ConfigError, DocumentError, RecordError
from longdoc.outputs import (
    FORMATS,
    PIPE,
    TERMINAL,
    Format,
    Images,
    Original,
    Outcome,
    check_file,
    check_images,
    folder_beside,
    format_of,
    holding_answers,
    is_same_file,
    replacing,
)
from longdoc.summary import count

# Modules that load numpy, torch or rich are imported where they are used, to keep `longdoc --help` fast.
if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Prediction
    from longdoc.schema import Schema

HELP = "find the entities in documents, make records of them, or fill the fields of a schema"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a PDF, Word, HTML, XML, JSON (FHIR), text or image file, or a folder of such files; with -o OUT/ also an "
        "address such as s3://bucket/contracts",
    )
    parser.add_argument(
        "--glob",
        metavar="PATTERN",
        help="which files of folders to read, such as '*.pdf' or '2024/**/*.pdf'; default: those of the formats that "
        "longdoc reads, by their suffix, and those without a suffix",
    )
    options.add_password(parser)
    options.add_limits(parser)
    _add_what(parser)
    options.add_model(parser)
    _add_output(parser)
    batch.add_arguments(parser)


def _add_what(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say what to find."""
    what = parser.add_argument_group("what to find")
    what.add_argument(
        "--tasks",
        metavar="T,...",
        help="names of the model's heads to run; default: those for the kind of document; "
        "with --schema, the only heads that fields may use, such as contract,qa",
    )
    what.add_argument(
        "--rules",
        action="append",
        metavar="FILE",
        help="also find entities by the rules of a YAML file; with all heads, or for fields with `rule: LABEL`",
    )
    what.add_argument(
        "--schema", metavar="S", help="fill the fields of a schema instead: contract, paper, clinical or a YAML file"
    )
    what.add_argument(
        "--record",
        choices=["contract", "paper", "note", "auto"],
        help="make one record of each document instead; auto: of the kind that it looks like",
    )
    what.add_argument("--fields", metavar="F,...", help="fill only these fields of the schema")
    options.add_all_windows(what)
    what.add_argument(
        "--min-score",
        type=options.score,
        metavar="S",
        help="leave out what has a lower score, from 0 to 1; default: the model's own thresholds",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say where and how the results are written."""
    output = parser.add_argument_group("output")
    suffixes = ", ".join(format.suffix for format in FORMATS.values() if format.suffix)
    output.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help=f"write to this file; its suffix ({suffixes}) selects the format; - is standard output. A name that "
        "ends with a slash is a folder: many documents are read at a time into tables, and a run that is interrupted "
        "goes on with the same command",
    )
    output.add_argument("--overwrite", action="store_true", help="replace OUT, if it exists")
    described = "; ".join(f"{name}: {format.description}" for name, format in FORMATS.items())
    output.add_argument(
        "--format", choices=FORMATS, help=f"{described}. Default: {TERMINAL} on a terminal, {PIPE} otherwise"
    )
    output.add_argument(
        "--images",
        choices=get_args(Images),
        default="inside",
        help="where a web page has the pictures of the document's pages: inside the file (default), beside it in a "
        "folder (OUT_files), or none",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    if not arguments.paths and not arguments.files_from:
        raise ConfigError("no documents: give files or folders")
    if batch.is_folder(arguments.output):
        return batch.run(arguments, _schema(arguments))
    batch.check_not_used(arguments)
    if arguments.output not in (None, "-") and not Path(arguments.output).suffix and not arguments.format:
        raise ConfigError(f"{arguments.output}: has no suffix; for a folder of results end it with a slash")
    output = None if arguments.output in (None, "-") else arguments.output
    arguments.paths = [path for given in arguments.paths for path in _files(given, arguments.glob, output)]
    if output and not arguments.paths:
        raise ConfigError(f"{folder_beside(output)}: is the folder for the pages of {output}; name another output")
    format, schema = _format(arguments, output), _schema(arguments)
    folder = folder_beside(output) if output and format.folder else None
    if output:
        _check_output(output, arguments.paths, overwrite=arguments.overwrite)
    outcomes = (
        replace(each, folder=folder, images=arguments.images)
        for each in _warned(_outcomes(arguments, schema, format), format, arguments)
    )
    first = next(outcomes)  # a single unreadable file is reported before the output is created
    failed: list[str] = []
    is_shown = output is None and format.name == TERMINAL and sys.stdout.isatty()
    printed = sys.stdout if format.name == TERMINAL else console.data_stream()
    with replacing(output, keep=format.streams, binary=format.binary) if output else nullcontext(printed) as stream:
        try:
            format.write(_tracked(chain([first], outcomes), format, stream, failed, is_shown=is_shown), stream)
        except KeyboardInterrupt:
            if output and format.streams:
                console.tell(f"longdoc: interrupted; what was read so far is in {output}.part")
            raise
    if failed:
        total = count(len(arguments.paths), "document")
        console.tell(f"longdoc: {len(failed)} of {total} failed")
    return 1 if failed else 0


def _files(given: str, glob: str | None, output: str | None) -> Iterator[str]:
    """The documents at a path; in a folder, without what an earlier run has written."""
    folder = folder_beside(output) if output else None
    written = os.path.abspath(folder) if folder else None  # noqa: PTH100 (names that the system refuses are no error)
    for path in files_of(given, glob=glob, leave_out=output):
        if path == given or written is None or os.path.dirname(os.path.abspath(path)) != written:  # noqa: PTH100, PTH120
            yield path


def _schema(arguments: argparse.Namespace) -> Schema | None:
    """The schema to fill, if one is named; arguments that do not go together are refused."""
    if arguments.record and (arguments.schema or arguments.fields):
        raise ConfigError("--record cannot be combined with --schema or --fields: a record has fields of its own")
    if arguments.record and arguments.min_score is not None:
        raise ConfigError("--record takes no --min-score: a record marks the cells that a person should check")
    if arguments.record and (arguments.tasks is not None or arguments.rules):
        raise ConfigError("--record cannot be combined with --tasks or --rules, which select entities")
    if not arguments.schema:
        if arguments.all_windows:
            raise ConfigError("--all-windows is for the questions of a schema; add --schema, such as --schema contract")
        if arguments.fields:
            raise ConfigError("--fields names fields of a schema; add --schema, such as --schema contract")
        return None
    from longdoc.schema import load_schema

    schema = load_schema(arguments.schema)
    schema = schema.select(arguments.fields.split(",")) if arguments.fields else schema
    sources = [source for wanted in schema.fields.values() for source in wanted.trusted]
    if arguments.rules and not any(source.kind == "rule" for source in sources):
        raise ConfigError(f"no field of the schema {schema.name!r} has a source `rule: LABEL`; leave out --rules")
    return schema


def _format(arguments: argparse.Namespace, output: str | None) -> Format:
    """The format to write; one that does not suit the output or a schema is refused."""
    is_terminal = output is None and sys.stdout.isatty()
    default = TERMINAL if is_terminal else PIPE
    format = FORMATS[arguments.format or (format_of(output) if output else default)]
    check_images(format, arguments.images)
    if arguments.images == "beside" and output is None:
        raise ConfigError("--images beside is for a file, beside which they are; name it: -o OUT.html")
    if is_terminal and not format.streams:
        raise ConfigError(f"the format {format.name} is not for a terminal; name a file: {_named_file(format)}")
    if output is None and format.binary:
        raise ConfigError(f"the format {format.name} is binary; name a file: {_named_file(format)}")
    if not format.entities and not (arguments.schema or arguments.record):
        raise ConfigError(f"the format {format.name} has {format.description}; add one of them")
    if arguments.record == "auto" and not format.entities:
        raise ConfigError(f"the columns of {format.name} depend on the kind of record; name it: --record contract")
    if format.single and len(arguments.paths) > 1:
        raise ConfigError(
            f"the format {format.name} holds one document, got {len(arguments.paths)}; give them one by one"
        )
    if arguments.schema and not format.answers:
        raise ConfigError(f"the format {format.name} cannot hold the answers of --schema; {holding_answers()} can")
    return format


def _named_file(format: Format) -> str:
    """The argument that names a file of a format."""
    return f"-o OUT{format.suffix}" if format.suffix else f"-o FILE --format {format.name}"


def _check_output(output: str, paths: Iterable[str], *, overwrite: bool) -> None:
    check_file(output)
    if any(is_same_file(path, each) for path in paths for each in (output, f"{output}.part")):
        raise ConfigError(f"{output}: is one of the documents to read and would be replaced; name another file")
    if os.path.isfile(output) and not overwrite:  # noqa: PTH113 (false for a name that the system refuses)
        raise ConfigError(f"{output}: exists; name another file, or replace it with --overwrite")


def _tracked(
    outcomes: Iterable[Outcome], format: Format, stream: IO[Any], failed: list[str], *, is_shown: bool
) -> Iterator[Outcome]:
    """Passes outcomes on, reports and collects the failed documents, and flushes each of a streaming format.

    ``is_shown``: the failures are on the terminal as part of the output.
    """
    for outcome in outcomes:
        if isinstance(outcome.result, DocumentError):
            failed.append(outcome.source)
            if not is_shown:
                console.tell(f"longdoc: {_named(outcome)}")
        yield outcome
        if format.streams:
            stream.flush()


def _warned(outcomes: Iterable[Outcome], format: Format, arguments: argparse.Namespace) -> Iterator[Outcome]:
    """Passes outcomes on, and tells the warnings of their documents, such as of pages read by OCR; a table has them."""
    for outcome in outcomes:
        if format.name != TERMINAL and not isinstance(outcome.result, DocumentError):
            for warning in outcome.result.document.warnings:
                console.tell(f"longdoc: {outcome.source}: {options.told(warning, arguments)}")
        yield outcome


def _named(outcome: Outcome) -> str:
    """The message of a failure, which starts with the file as the user named it: names alone need not be unique."""
    message, name = str(outcome.result), Path(outcome.source).name
    return message if message.startswith(outcome.source) else f"{outcome.source}{message.removeprefix(name)}"


def _outcomes(arguments: argparse.Namespace, schema: Schema | None, format: Format) -> Iterator[Outcome]:
    """Yields an outcome for each path, in order; a single path raises its error instead."""
    options.check_libraries(arguments)
    request = Request.of(**batch.what(arguments, schema))
    request.check()
    pending: deque[tuple[str, DocumentError | None]] = deque()  # paths read, whose outcome is not yet yielded

    def documents() -> Iterator[Document]:
        for path in arguments.paths:
            try:
                document = options.load(path, arguments)
            except DocumentError as error:
                if len(arguments.paths) == 1:
                    raise
                pending.append((path, error))
            else:
                format.check(document)
                pending.append((path, None))
                yield document

    readable = documents()
    first = options.while_importing(arguments, lambda: next(readable, None))
    if first is not None:  # the model is loaded only if a document can be read
        pipeline = options.load_pipeline(arguments, rules=["default", *(arguments.rules or ())])
        for prediction in _predictions(pipeline, chain([first], readable), arguments, request):
            yield from _leading_failures(pending)
            path, _ = pending.popleft()
            yield Outcome(path, prediction, Original(path, arguments.password))
    yield from _leading_failures(pending)


def _leading_failures(pending: deque[tuple[str, DocumentError | None]]) -> Iterator[Outcome]:
    """Removes and yields the failures before the next document that was read."""
    while pending and (error := pending[0][1]):
        yield Outcome(pending.popleft()[0], error)


def _predictions(
    pipeline: Pipeline, documents: Iterable[Document], arguments: argparse.Namespace, request: Request
) -> Iterator[Prediction | DocumentError]:
    if arguments.record:
        return (_record(pipeline, document, arguments) for document in documents)
    return request.predictions(pipeline, documents)


def _record(pipeline: Pipeline, document: Document, arguments: argparse.Namespace) -> Prediction | DocumentError:
    """The prediction with the record of a document; of one of several that is of another kind, the error."""
    try:
        return pipeline.record(document, None if arguments.record == "auto" else arguments.record)
    except RecordError as error:
        if len(arguments.paths) == 1:
            raise
        return error
