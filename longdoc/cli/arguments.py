"""What can be said on the command line."""

from __future__ import annotations

import argparse

from longdoc import __version__


def parser() -> argparse.ArgumentParser:
    """The parser of the command line: ``arguments.command`` names the command."""
    parser = argparse.ArgumentParser(prog="longdoc", description="Read long documents and point at what is found.")
    parser.add_argument("--version", action="version", version=f"longdoc {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    _add_extract(commands)
    _add_ask(commands)

    show = commands.add_parser("show", help="tell what was read of a document: pages, sections, tables, warnings")
    show.set_defaults(command="show")
    show.add_argument("path", metavar="FILE")
    show.add_argument("--text", action="store_true", help="print the text alone, as the model reads it")
    show.add_argument("--draw", metavar="OUT.html", help="draw what was found over the pages of a PDF or a picture")
    show.add_argument("--pages", type=_page_range, metavar="A-B", help="read these pages of a PDF or a picture only")
    show.add_argument("--ocr", default="auto", help="auto, never, or languages as in fra+eng; default: auto")
    show.add_argument("--password", help="for an encrypted document")

    _add_learning(commands)
    _add_convert(commands)
    return parser


def _add_learning(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that take a YAML file."""
    helps = {
        "train": "train a model from a YAML file",
        "pretrain": "train an encoder on plain text, from a YAML file",
        "evaluate": "score a model on labelled data, from a YAML file",
        "calibrate": "fit a model's scores to labelled data, from a YAML file",
    }
    for name, what in helps.items():
        command = commands.add_parser(name, help=what)
        command.set_defaults(command=name)
        command.add_argument("config", metavar="CONFIG")
        if name in ("train", "pretrain"):
            command.add_argument("--deepspeed", metavar="FILE", help="its configuration, such as ds_config.json")
            command.add_argument("--local_rank", help=argparse.SUPPRESS)  # what the deepspeed launcher adds
        if name == "train":
            command.add_argument("--dry-run", action="store_true", help="tell what memory it takes, and train nothing")


def _add_extract(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    extract = commands.add_parser("extract", help="find the entities of documents")
    extract.set_defaults(command="extract")
    extract.add_argument("paths", nargs="+", metavar="PATH", help="a document, or a picture of one")
    extract.add_argument(
        "-o", "--output", metavar="OUT", help="file to write; its suffix (.jsonl, .html) sets the format"
    )
    formats = ["table", "jsonl", "html"]
    extract.add_argument("--format", choices=formats, help="default: table on a terminal, jsonl otherwise")
    extract.add_argument(
        "--model", default="default", metavar="M", help="default, the model shipped with longdoc, a folder, or a hub id"
    )
    extract.add_argument(
        "--encoder",
        choices=["windows", "sparse"],
        default="windows",
        help="windows, as the model was trained, or sparse attention over the whole document; default: windows",
    )
    extract.add_argument(
        "--min-score",
        type=_score,
        default=0.0,
        metavar="S",
        help="leave out entities with a lower score, from 0 to 1",
    )
    extract.add_argument("--tasks", metavar="T,...", help="the model's heads to use, by name; default: all of them")
    extract.add_argument(
        "--schema", metavar="S", help="fill these fields instead: contract, paper, clinical, or a YAML file"
    )
    extract.add_argument(
        "--rules", action="append", metavar="FILE", help="YAML file with rules of your own for the task `rules`"
    )
    extract.add_argument("--password", help="for encrypted documents")


def _add_ask(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ask = commands.add_parser("ask", help="answer questions from a document, in its own words")
    ask.set_defaults(command="ask")
    ask.add_argument("path", metavar="FILE")
    ask.add_argument("questions", nargs="+", metavar="QUESTION")
    ask.add_argument("--top-k", type=int, default=1, metavar="K", help="most answers to a question; default: 1")
    ask.add_argument("--format", choices=["text", "json"], default="text")
    ask.add_argument(
        "--model",
        default="default",
        metavar="M",
        help="default, or a folder or hub id of a model that answers questions",
    )
    ask.add_argument("--encoder", choices=["windows", "sparse"], default="windows", help="as for extract")
    ask.add_argument("--password", help="for an encrypted document")


def _add_convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    convert = commands.add_parser(
        "convert", help="make an encoder of transformers read long rows, with sparse attention"
    )
    convert.set_defaults(command="convert")
    convert.add_argument("model", metavar="MODEL", help="a folder written by save_pretrained, or a hub id")
    convert.add_argument(
        "--max-tokens", type=int, required=True, metavar="N", help="most tokens in a row, such as 4096"
    )
    convert.add_argument("-o", "--output", metavar="OUT", help="folder to write; default: MODEL-N, here")
    convert.add_argument("--window", type=int, metavar="W", help="tokens that a token sees to each side; default: 256")
    convert.add_argument(
        "--global-projections",
        action="store_true",
        help="write a Longformer, whose global tokens have weights of their own (from BERT, RoBERTa, XLM-R, CamemBERT)",
    )
    convert.add_argument("--text", metavar="FILE", help="plain text: count the bits of masked words, before and after")


def _score(text: str) -> float:
    score = float(text)
    if not 0 <= score <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, got {text}")
    return score


def _page_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or not 1 <= int(first) <= int(last or first):
        raise argparse.ArgumentTypeError(f"must be a page or a range such as 3-7, got {text}")
    return int(first), int(last or first)
