"""``longdoc redact``: a PDF without what was found of some labels."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from longdoc.cli import console, options
from longdoc.errors import ConfigError, DataError, did_you_mean, first_line
from longdoc.outputs import check_file, is_same_file, replacing
from longdoc.pdf_files import check_is_pdf

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.prediction import Prediction

HELP = "remove what is found of some labels from a PDF, and verify that nothing of it is left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("path", metavar="FILE", help="a PDF")
    parser.add_argument(
        "--labels",
        required=True,
        metavar="L,...",
        help="what to remove, such as PERSON,DATE: labels of the model or rules",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="the PDF to write, such as lease.redacted.pdf"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT, if it exists")
    parser.add_argument(
        "--spans",
        metavar="FILE",
        help="remove what this file says, which `longdoc extract FILE -o OUT.jsonl` has written and a person may have "
        "changed, and run no model",
    )
    parser.add_argument(
        "--rules", action="append", metavar="FILE", help="also find entities by the rules of a YAML file"
    )
    parser.add_argument(
        "--only-found",
        action="store_true",
        help="remove a text only where it was found; default: wherever it stands in the document",
    )
    parser.add_argument(
        "--keep-gaps",
        action="store_true",
        help="leave gaps as wide as the words were, and so all else in its place; default: widths are rounded",
    )
    parser.add_argument("--report", metavar="FILE", help="write what was removed as JSON, without the texts")
    options.add_password(parser)
    options.add_limits(parser)
    options.add_model(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    _check_files(arguments)
    document = options.while_importing(arguments, partial(options.load, arguments.path, arguments))
    check_is_pdf(document, "a redacted PDF")
    prediction = _reviewed(arguments, document) if arguments.spans else _predicted(arguments, document)
    from longdoc.redaction import redact

    report = redact(
        prediction,
        arguments.output,
        _labels(arguments),
        source=arguments.path,
        password=arguments.password,
        everywhere=not arguments.only_found,
        round_gaps=not arguments.keep_gaps,
    )
    if arguments.report:
        with replacing(arguments.report) as stream:
            stream.write(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n")
    for line in report.lines():
        console.say(line)
    return 0


def _labels(arguments: argparse.Namespace) -> list[str]:
    return [label.strip() for label in arguments.labels.split(",")]


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuses outputs that would replace something.

    Raises:
        ConfigError: one is an input, or exists.
    """
    inputs = [path for path in (arguments.path, arguments.spans) if path]
    if arguments.report and is_same_file(arguments.output, arguments.report):
        raise ConfigError(f"{arguments.report}: is the redacted PDF, too; name another file for the report")
    for output in [path for path in (arguments.output, arguments.report) if path]:
        check_file(output)
        if any(is_same_file(each, path) for path in inputs for each in (output, f"{output}.part")):
            raise ConfigError(f"{output}: is read and would be replaced; name another file")
        if os.path.isfile(output) and not arguments.overwrite:  # noqa: PTH113 (false for a name that the system refuses)
            raise ConfigError(f"{output}: exists; name another file, or replace it with --overwrite")


def _predicted(arguments: argparse.Namespace, document: Document) -> Prediction:
    """What those heads of the model find that know the labels, and the rules, if they do.

    Raises:
        ConfigError: nothing knows a label.
    """
    pipeline = options.load_pipeline(arguments, rules=["default", *(arguments.rules or ())])
    known = {name: head.labels for name, head in pipeline.heads.items() if head.kind in ("ner", "spans")}
    if pipeline.rules is not None:
        known["rules"] = pipeline.rules.labels
    labels, every = set(_labels(arguments)), list(chain.from_iterable(known.values()))
    if unknown := sorted(labels - set(every)):
        raise ConfigError(
            f"--labels: unknown {', '.join(unknown)}{did_you_mean(unknown[0], every)}; "
            f"known: {', '.join(dict.fromkeys(every))}"
        )
    return pipeline(document, tasks=[name for name, own in known.items() if labels & set(own)])


def _reviewed(arguments: argparse.Namespace, document: Document) -> Prediction:
    """What a file of predictions says of a document.

    Raises:
        ConfigError: it has nothing of a label, which may be a slip.
        DataError: it cannot be read, or says nothing of the document.
    """
    from longdoc.redaction import ranges_by_label

    prediction = _read(arguments.spans, document)
    labels, there = _labels(arguments), ranges_by_label(prediction)
    if unknown := [label for label in labels if label not in there]:
        raise ConfigError(
            f"--labels: {arguments.spans} has nothing of {', '.join(unknown)}{did_you_mean(unknown[0], there)}; "
            f"it has: {', '.join(sorted(there)) or 'nothing'}. Name only labels that are there"
        )
    return prediction


def _read(path: str, document: Document) -> Prediction:
    """The prediction of a document in a file.

    Raises:
        DataError: the file cannot be read, or says nothing of the document.
    """
    from longdoc.prediction import Prediction

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (a name that the system refuses is told below)
            for line in file:
                record: Any = json.loads(line) if line.strip() else None
                if isinstance(record, dict) and _sha256(record) == document.source.sha256:
                    return Prediction.from_dict(record, document)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON lines ({first_line(error)})") from error
    raise DataError(f"{path}: has no line for {document.source.name}, whose SHA-256 is {document.source.sha256}")


def _sha256(record: dict[str, Any]) -> Any:
    own = record.get("document")
    return own.get("sha256") if isinstance(own, dict) else None
