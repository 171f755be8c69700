"""``longdoc ask``: questions about one document, or about those of a folder or an index: see ``ask_index``."""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from longdoc.cli import ask_index, console, options
from longdoc.outputs.table import plain_console, print_losses
from longdoc.summary import given_by, on_one_line, place, searched, shortened

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.labels import Answer
    from longdoc.prediction import Answers

HELP = "answer questions about a document, or about many, in their own words"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "path",
        metavar="PATH",
        help="the document, a folder of documents, or the folder that `longdoc index` has written",
    )
    parser.add_argument("questions", nargs="+", metavar="QUESTION", help="a question, in quotes")
    options.add_password(parser)
    options.add_limits(parser)
    options.add_model(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--top-k",
        type=options.positive_integer,
        metavar="K",
        help="maximum number of answers to each question; default: 1, and of a folder 5, each of another document",
    )
    output.add_argument(
        "--min-score",
        type=options.score,
        metavar="S",
        help="leave out answers with a lower score, from 0 to 1; default: the model's own thresholds",
    )
    output.add_argument(
        "--head",
        metavar="NAME",
        help="answer with this head of the model alone, such as qa; by default, what the structure of the document "
        "says comes first",
    )
    options.add_all_windows(output)
    output.add_argument(
        "--format",
        choices=["text", "json", "jsonl"],
        help="default: text, and for a folder in a pipe jsonl, which is for a folder only",
    )
    ask_index.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.check_libraries(arguments)
    from longdoc.engine import check_questions  # not above: `longdoc --help` must stay fast

    check_questions(arguments.questions)
    options.check_head(arguments, "qa", arguments.head)
    if os.path.isdir(arguments.path):  # noqa: PTH112 (not an error for a name that the system refuses)
        return ask_index.run(arguments)
    ask_index.check_not_used(arguments)
    document = options.while_importing(arguments, partial(options.load, arguments.path, arguments))
    pipeline = options.load_pipeline(arguments)
    chosen: dict[str, Any] = {"top_k": arguments.top_k or 1, "min_score": arguments.min_score, "head": arguments.head}
    chosen |= options.windows(arguments)
    answers = pipeline.ask(document, arguments.questions, **chosen)
    answered = list(zip(arguments.questions, answers, strict=True))
    if arguments.format == "json":
        from longdoc.outputs.asked import answers_json

        console.write_data(answers_json(document, answered))
        for warning in document.warnings:
            console.tell(f"longdoc: {arguments.path}: {options.told(warning, arguments)}")
    else:
        _print_answers(document, answered)
    return 0


def _print_answers(document: Document, answered: list[tuple[str, Answers]]) -> None:
    """Prints each question with its answers, best first, and where they are."""
    from rich.text import Text

    from longdoc.prediction import NOT_SEARCHED

    screen = plain_console()
    screen.print(on_one_line(document.title), style="bold")
    for question, answers in answered:
        screen.print()
        screen.print(question, style="cyan")
        for answer in answers:
            screen.print(f"  {shortened(answer.text)}")
            screen.print(Text.assemble((f"  {_found(answer)}", "dim"), (" check" if answer.check else "", "yellow")))
        if not answers:
            screen.print("  Not found.", style="dim")
        if answers.rejected is not None:
            screen.print(f"  Closest: {shortened(answers.rejected.text, 80)}", style="dim")
            screen.print(f"  {_found(answers.rejected)}", style="dim")
        if answers.absent:
            screen.print(f"  {_lacks(answers.absent)}", style="yellow")
        if answers.coverage < 1:
            screen.print(f"  {searched(answers.coverage)}.", style="dim")
    gaps = list(dict.fromkeys(gap for _, own in answered for gap in own.gaps if gap.reason != NOT_SEARCHED))
    if document.warnings or gaps:
        screen.print()
        print_losses(screen, document.warnings, gaps)


def _found(answer: Answer) -> str:
    value = "" if answer.value is None else f"{answer.value}, "
    return f"{value}{place(answer)}, score {answer.score:.2f}{given_by(answer)}"


def _lacks(words: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{word}"' for word in words)
    return f"The document does not have the word{'s' if len(words) > 1 else ''} {listed}."
