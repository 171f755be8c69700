"""``longdoc similarity PAIRS``: how alike the texts of pairs are in meaning, and whether labels agree."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from longdoc.cli import console, options
from longdoc.errors import ConfigError
from longdoc.outputs import check_file, is_same_file, replacing

HELP = "score pairs of texts in a file by how alike they are in meaning, and evaluate labelled ones"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("path", metavar="PAIRS", help="a .tsv or .csv with a header, or .jsonl: a pair on each line")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="a .tsv, .csv or .jsonl; default: standard output, as the input is"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT, if it exists")
    parser.add_argument(
        "--columns",
        default="sentence1,sentence2",
        metavar="A,B",
        help="columns of the two texts; default: sentence1,sentence2",
    )
    parser.add_argument(
        "--label",
        metavar="NAME",
        help="column of a label, 0 and 1 or a degree, by which the scores are judged; default: label, if there is one",
    )
    parser.add_argument(
        "--threshold",
        type=options.score,
        metavar="S",
        help="score from which on a pair says the same, for labels of 0 and 1; default: the best on these pairs",
    )
    options.add_model(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from longdoc.dedup.pair_file import figures, read_pairs, write_scores

    suffix = _suffix(arguments)
    columns = arguments.columns.split(",")
    if len(columns) != 2 or not all(columns):
        raise ConfigError(f"--columns must be two names with a comma between them, got {arguments.columns!r}")
    options.check_head(arguments, "embed")
    pairs = read_pairs(arguments.path, (columns[0], columns[1]), arguments.label)
    if arguments.threshold is not None and pairs.labels is None:
        raise ConfigError("--threshold is for pairs with labels; name their column with --label")
    pipeline = options.load_pipeline(arguments)
    scores = pipeline.similarity(pairs.left, pairs.right, pairwise=True)
    found = {} if pairs.labels is None else figures(pairs.labels, scores, arguments.threshold)
    if arguments.output:
        with replacing(arguments.output) as stream:
            write_scores(pairs, scores, stream, suffix)
    else:
        write_scores(pairs, scores, console.data_stream(), suffix)
        sys.stdout.flush()
    note = " (the best threshold on these pairs)" if "threshold" in found and arguments.threshold is None else ""
    if found:
        told = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        console.tell(f"longdoc: {len(pairs.left):,} pairs: {told}{note}")
    return 0


def _suffix(arguments: argparse.Namespace) -> str:
    """The suffix that says what is written.

    Raises:
        ConfigError: it is of no such format, or a file would be replaced.
    """
    from longdoc.dedup.pair_file import SUFFIXES

    if not arguments.output:
        return Path(arguments.path).suffix
    check_file(arguments.output)
    if Path(arguments.output).suffix not in SUFFIXES:
        raise ConfigError(f"{arguments.output}: the suffix must be {', '.join(SUFFIXES)}")
    if is_same_file(arguments.output, arguments.path):
        raise ConfigError(f"{arguments.output}: is read and would be replaced; name another file")
    if os.path.isfile(arguments.output) and not arguments.overwrite:  # noqa: PTH113 (a name that the system refuses)
        raise ConfigError(f"{arguments.output}: exists; name another file, or replace it with --overwrite")
    return Path(arguments.output).suffix
