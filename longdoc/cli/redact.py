"""``longdoc redact``: a PDF or a text without what was found of some labels."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc.cli import console, options, redact_labels
from longdoc.errors import ConfigError, DataError, did_you_mean, first_line
from longdoc.outputs import check_file, format_of, is_same_file, replacing
from longdoc.pdf_files import check_is_pdf

if TYPE_CHECKING:
    from longdoc.deidentification import Masked
    from longdoc.document import Document
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Prediction
    from longdoc.redaction import Redaction

HELP = "remove what is found of some labels from a PDF or a text, and verify that nothing of it is left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("path", nargs="?", metavar="FILE", help="a PDF; with OUT.txt any document")
    parser.add_argument(
        "--labels",
        metavar="L,...",
        help="what to remove, such as PERSON,DATE: labels of the model, the rules or the preset, whose default is all",
    )
    _add_preset(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="the PDF to write, such as lease.redacted.pdf; or, with the suffix .txt, the text with [PERSON 1] and the "
        "like in the places",
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
    _add_reports(parser)
    options.add_password(parser)
    options.add_limits(parser)
    options.add_model(parser)


def _add_preset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--list-labels", action="store_true", help="print the labels of the model, the rules and the preset, and end"
    )
    parser.add_argument(
        "--preset",
        choices=("deidentify",),
        help="find what identifies persons: names, dates, addresses and numbers, by rules and the model together, and "
        "names wherever they stand; a person must check the result",
    )
    parser.add_argument("--without", metavar="L,...", help="labels of the preset to leave, such as YEAR,ORG")


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", metavar="FILE", help="write what was removed as JSON, without the texts")
    parser.add_argument(
        "--findings",
        metavar="FILE",
        help="also write what was found, with the texts, for a person to check: .html, or .jsonl for --spans",
    )
    parser.add_argument("--mapping", metavar="FILE", help="for a text: write as JSON which texts [PERSON 1] stands for")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    if arguments.list_labels:
        for line in redact_labels.lines(_finders(arguments)):
            console.say(line)
        return 0
    _check_options(arguments)
    _check_files(arguments)
    if not (arguments.spans or arguments.preset) and (known := redact_labels.known_finders(arguments)):
        redact_labels.check(_labels(arguments), known)  # before a model is loaded, if it can be
    load = partial(options.load, arguments.path, arguments)
    needs_model = not arguments.spans and os.path.exists(arguments.path)  # noqa: PTH110 (false for a refused name)
    document = options.while_importing(arguments, load) if needs_model else load()
    if not _is_text(arguments):
        check_is_pdf(document, "a redacted PDF", "or name an OUT.txt for its text")
    prediction = _reviewed(arguments, document) if arguments.spans else _predicted(arguments, document)
    report = _masked(arguments, prediction) if _is_text(arguments) else _redacted(arguments, prediction)
    if arguments.findings:
        prediction.save(arguments.findings, source=arguments.path, password=arguments.password)
    if arguments.report:
        _write_json(arguments.report, report.to_dict())
    for line in report.lines():
        console.say(line)
    return 0


def _redacted(arguments: argparse.Namespace, prediction: Prediction) -> Redaction:
    from longdoc.redaction import redact

    return redact(
        prediction,
        arguments.output,
        _labels(arguments),
        source=arguments.path,
        password=arguments.password,
        everywhere=not arguments.only_found,
        round_gaps=not arguments.keep_gaps,
    )


def _masked(arguments: argparse.Namespace, prediction: Prediction) -> Masked:
    from longdoc.deidentification import mask

    masked = mask(prediction, _labels(arguments))
    with replacing(arguments.output) as stream:
        stream.write(masked.text)
    if arguments.mapping:
        _write_json(arguments.mapping, masked.names)
    return masked


def _write_json(path: str, value: Any) -> None:
    with replacing(path) as stream:
        stream.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _is_text(arguments: argparse.Namespace) -> bool:
    """Whether the text of the document is written, and not a PDF."""
    return str(arguments.output).lower().endswith(".txt")


def _labels(arguments: argparse.Namespace) -> list[str]:
    """The labels to remove; by default those of the preset."""
    named = None if arguments.labels is None else _listed(arguments.labels)
    if not arguments.preset:
        return named or []
    from longdoc.deidentification.preset import load_preset

    return [*load_preset().own_labels(named, _listed(arguments.without or ""))]


def _listed(labels: str) -> list[str]:
    return [label.strip() for label in labels.split(",") if label.strip()]


def _check_options(arguments: argparse.Namespace) -> None:
    """Refuses options that do not go together, before anything is read.

    Raises:
        ConfigError: there is no document, output or label, or an option is for another kind of output.
    """
    if not arguments.path:
        raise ConfigError("no document: give a FILE; or --list-labels, to see what can be removed")
    if not arguments.output:
        raise ConfigError(f"no output: name the file to write, such as -o {_output_for(arguments.path)}")
    if not arguments.preset and not _listed(arguments.labels or ""):
        raise ConfigError("nothing to remove: give --labels, such as PERSON,DATE, or --preset deidentify")
    if arguments.without and not arguments.preset:
        raise ConfigError("--without is for labels of a --preset; leave them out of --labels instead")
    for_pdf = [name for name in ("only_found", "keep_gaps") if getattr(arguments, name)]
    if _is_text(arguments) and for_pdf:
        raise ConfigError(f"--{for_pdf[0].replace('_', '-')} is for a PDF, and {arguments.output} is a text")
    if arguments.mapping and not _is_text(arguments):
        raise ConfigError(f"--mapping is for a text: a PDF has no [PERSON 1]; name an OUT.txt, not {arguments.output}")
    _labels(arguments)


def _output_for(path: str) -> str:
    """A name for the redacted file."""
    return f"{Path(path).stem}.redacted.{'pdf' if Path(path).suffix.lower() == '.pdf' else 'txt'}"


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuses a folder, and outputs that would replace something.

    Raises:
        ConfigError: the document is a folder; an output is an input, exists, is named twice, or its suffix is of no
            format.
    """
    if os.path.isdir(arguments.path):  # noqa: PTH112 (not an error for a name that the system refuses)
        folder = shlex.quote(arguments.path.rstrip("/") or "/")
        raise ConfigError(
            f"{arguments.path}: is a folder, and redact takes one file, which a person reads afterwards; for each PDF: "
            f'mkdir redacted; for file in {folder}/*.pdf; do longdoc redact "$file" --labels PERSON,DATE -o '
            '"redacted/$(basename "$file")"; done'
        )
    inputs = [path for path in (arguments.path, arguments.spans) if path]
    named = (arguments.output, arguments.report, arguments.findings, arguments.mapping)
    outputs = [path for path in named if path]
    for path, other in combinations(outputs, 2):
        if is_same_file(path, other):
            raise ConfigError(f"{other}: is named for two outputs; name another file for one of them")
    if arguments.findings:
        format_of(arguments.findings)
    for output in outputs:
        check_file(output)
        if any(is_same_file(each, path) for path in inputs for each in (output, f"{output}.part")):
            raise ConfigError(f"{output}: is read and would be replaced; name another file")
        if os.path.isfile(output) and not arguments.overwrite:  # noqa: PTH113 (false for a name that the system refuses)
            raise ConfigError(f"{output}: exists; name another file, or replace it with --overwrite")


def _predicted(arguments: argparse.Namespace, document: Document) -> Prediction:
    """What those heads of the model find that know the labels, and the rules and patterns of the preset that do.

    Raises:
        ConfigError: nothing knows a label.
    """
    pipeline = options.load_pipeline(arguments, rules=["default", *(arguments.rules or ())])
    if arguments.preset:
        return _deidentified(document, pipeline, arguments)
    from longdoc.deidentification import with_identifiers
    from longdoc.records.namings import PARTY, with_parties

    labels, known = set(_labels(arguments)), _finders(arguments, pipeline)
    redact_labels.check(labels, known)
    patterns = labels & set(known.pop(redact_labels.PATTERNS))
    found = pipeline(document, tasks=[name for name, own in known.items() if labels & set(own)])
    found = with_identifiers(found, patterns) if patterns else found
    return with_parties(found) if PARTY in labels else found


def _finders(arguments: argparse.Namespace, pipeline: Pipeline | None = None) -> dict[str, tuple[str, ...]]:
    """What finds labels, and the labels of each; of no pipeline, by the settings of the model, or by loading it."""
    if pipeline is None:
        if known := redact_labels.known_finders(arguments):
            return known
        pipeline = options.load_pipeline(arguments, rules=["default", *(arguments.rules or ())])
    return redact_labels.finders(pipeline.heads, pipeline.rules.labels if pipeline.rules else ())


def _deidentified(document: Document, pipeline: Pipeline, arguments: argparse.Namespace) -> Prediction:
    """What identifies persons.

    Raises:
        ConfigError: a rule of the user finds what is no label of the preset, and would not be removed.
    """
    from longdoc.deidentification import deidentify
    from longdoc.deidentification.preset import load_preset
    from longdoc.rules import Rules

    own = Rules.of(arguments.rules).labels if arguments.rules else ()
    if other := [label for label in own if label not in load_preset().labels]:
        raise ConfigError(
            f"--rules: {other[0]} is no label of the preset; give the rule one of {', '.join(load_preset().labels)}"
        )
    return deidentify(document, pipeline, labels=_labels(arguments))


def _reviewed(arguments: argparse.Namespace, document: Document) -> Prediction:
    """What a file of predictions says of a document.

    Raises:
        ConfigError: it has nothing of a label, which may be a slip, or without --labels some that the preset lacks.
        DataError: it cannot be read, or says nothing of the document.
    """
    from longdoc.redaction.wanted import not_sought, ranges_by_label

    prediction = _read(arguments.spans, document)
    labels, there = _labels(arguments) if arguments.labels else [], ranges_by_label(prediction)
    out = {*_labels(arguments), *_listed(arguments.without or "")}
    if not labels and (other := sorted(there.keys() - out)):
        raise ConfigError(
            f"{arguments.spans} has {', '.join(other)}, which the preset does not know, and which would stay: name all "
            "labels to remove by --labels, without --preset; or those of the preset by --labels, and these stay"
        )
    if unknown := [label for label in labels if label not in there]:
        hints = "".join(f". {hint}" for hint in not_sought(unknown, prediction.tasks))
        raise ConfigError(
            f"--labels: {arguments.spans} has nothing of {', '.join(unknown)}{did_you_mean(unknown[0], there)}; "
            f"it has: {', '.join(sorted(there)) or 'nothing'}. Name only labels that are there{hints}"
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
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or first_line(error)})") from error
    except ValueError as error:
        raise DataError(
            f"{path}: is no file of findings ({first_line(error)}); give JSON lines, such as `longdoc extract FILE -o "
            "OUT.jsonl` writes"
        ) from error
    raise DataError(f"{path}: has no line for {document.source.name}, whose SHA-256 is {document.source.sha256}")


def _sha256(record: dict[str, Any]) -> Any:
    own = record.get("document")
    return own.get("sha256") if isinstance(own, dict) else None
