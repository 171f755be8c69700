"""``longdoc audit``: whether a model reads texts alike whoever they are about."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc.cli import console, options
from longdoc.errors import ConfigError, DataError
from longdoc.summary import count

if TYPE_CHECKING:
    from longdoc.auditing import AuditReport

HELP = "swap names, pronouns and origins in real sentences, and compare what a model finds"
_WRITTEN = ("report.json", "report.md", "names.png", "pronouns.png", "origins.png", "pairs.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder, a hub id, or default")
    parser.add_argument(
        "-o", "--output", metavar="REPORT", required=True, help="folder for the report and its pictures"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a report in that folder")
    parser.add_argument(
        "--max-gap",
        type=_limits,
        metavar="N",
        help="exit with status 1 if a clear difference is larger, such as 0.05; by measure: recall=0.05,answers=0.1 "
        "(recall, classes, answers, likelihood)",
    )
    data = parser.add_argument_group("what is read")
    data.add_argument(
        "--data", metavar="FILE", help="JSON lines with annotated persons; default: sentences shipped with longdoc"
    )
    data.add_argument(
        "--pairs",
        metavar="FILE",
        help="pairs of sentences for a model that fills masks: .csv or JSON lines with sent_more and sent_less",
    )
    data.add_argument("--names", metavar="FILE", help="names by group, in YAML; default: those shipped with longdoc")
    data.add_argument(
        "--person",
        metavar="LABEL,...",
        default="PERSON,PER",
        help="labels of persons, in the model and the data; default: PERSON,PER",
    )
    data.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the draws of names; default: 0")
    options.add_computing(parser.add_argument_group("model"))


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    _check_output(Path(arguments.output), overwrite=arguments.overwrite)
    for given in (arguments.data, arguments.pairs, arguments.names):
        if given is not None and not Path(given).is_file():
            raise DataError(f"{given}: no such file")
    from longdoc.auditing import audit
    from longdoc.auditing.job import examples_of
    from longdoc.auditing.likelihood import read_pairs
    from longdoc.auditing.report import checked_limits
    from longdoc.auditing.wording import load_names

    load_names(arguments.names)  # what is wrong with a file is told before the model is loaded
    examples_of(arguments.data)
    if arguments.pairs is not None:
        read_pairs(arguments.pairs)
    if arguments.max_gap is not None:
        checked_limits(arguments.max_gap)
    pipeline = options.load_pipeline(arguments)

    report = audit(
        pipeline,
        data=arguments.data,
        pairs=arguments.pairs,
        names=arguments.names,
        person=[label.strip() for label in arguments.person.split(",")],
        seed=arguments.seed,
        name=arguments.model,
        tell=console.tell,
    )
    report.save(arguments.output)
    for line in report.lines():
        console.say(line)
    console.tell(f"longdoc: the report is {Path(arguments.output) / 'report.md'}")
    return 0 if arguments.max_gap is None else _passed(report, arguments.max_gap)


def _passed(report: AuditReport, max_gap: Any) -> int:
    """The exit status of the gate; says what fails."""
    failures = report.failures(max_gap)
    for line in failures:
        console.tell(f"longdoc: not passed: {line}")
    console.tell(
        f"longdoc: the audit fails, for {count(len(failures), 'reason')}" if failures else "longdoc: the audit passes"
    )
    return 1 if failures else 0


def _check_output(folder: Path, *, overwrite: bool) -> None:
    """Checks that a report can be written.

    Raises:
        ConfigError: it cannot, or there is one.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"{there}: is a file; name a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{there}: nothing can be written there; name another folder")
    for name in () if overwrite else _WRITTEN:
        if (folder / name).exists():
            raise ConfigError(f"{folder}: has {name} already; name another folder, or replace it with --overwrite")


def _limits(text: str) -> Any:
    """Parses ``0.05`` or ``recall=0.05,answers=0.1``; the report checks the names of the measures."""
    if "=" not in text:
        return options.score(text)
    pairs = [[each.strip() for each in part.partition("=")] for part in text.split(",")]
    if len({kind for kind, _, _ in pairs}) < len(pairs):
        raise argparse.ArgumentTypeError(f"a measure is given twice in {text!r}")
    return {kind: options.score(limit) for kind, _, limit in pairs}


def _seed(text: str) -> int:
    """Parses an integer from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be an integer from 0, got {text!r}")
    return int(text)
