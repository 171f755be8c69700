"""What several commands share: arguments, loading a document or a model, opening the output."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from longdoc.errors import ConfigError, DocumentError, DocumentNotFoundError, require

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.pipeline import Pipeline


T = TypeVar("T")
_EXTRAS = {
    "train": "train",
    "adapt": "train",
    "pretrain": "train",
    "prune": "train",
    "evaluate": "evaluate",
    "calibrate": "evaluate",
}
"""Command -> the extra that installs all it needs, if that is more than ``model``."""

_PATIENCE = 0.2
"""Seconds to wait for a document that may not be readable, before seconds are spent on importing torch."""


def add_model(parser: argparse.ArgumentParser, *, encoder: bool = True) -> None:
    """Adds the arguments that choose the model, and with ``encoder`` how it reads."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model", default="default", metavar="M", help="a folder or hub id; default: the model shipped with longdoc"
    )
    add_computing(group, encoder=encoder)


def add_computing(group: argparse._ArgumentGroup, *, encoder: bool = True) -> None:
    """Adds the arguments that say how a model computes, and with ``encoder`` how it reads."""
    if encoder:
        group.add_argument(
            "--encoder",
            choices=["windows", "sparse"],
            default="windows",
            help="read overlapping windows, or the whole document with sparse attention; default: windows",
        )
    group.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="cpu, cuda, cuda:1, or several GPUs such as cuda:0,1; default: auto, a GPU if there is one",
    )
    group.add_argument(
        "--precision",
        choices=["auto", "float32", "bfloat16", "int8"],
        default="auto",
        help="number format of matrix products; auto: bfloat16 where the hardware computes in it, else float32; int8: "
        "faster on CPUs with VNNI or AMX",
    )


def add_password(parser: argparse._ActionsContainer) -> None:
    """Adds the argument for encrypted documents."""
    parser.add_argument("--password", help="password of an encrypted PDF")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that names the YAML file."""
    parser.add_argument("config", metavar="CONFIG", help="a YAML file; configs/ holds examples")


def add_card(parser: argparse.ArgumentParser) -> None:
    """Adds what the model card says and the model does not know."""
    card = parser.add_argument_group("model card")
    card.add_argument("--base", metavar="MODEL", help="what the encoder was before training")
    card.add_argument("--license", dest="licence", metavar="NAME", help="licence of the weights, such as apache-2.0")


def add_training(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of commands that train."""
    add_config(parser)
    parser.add_argument("--deepspeed", metavar="FILE", help="a DeepSpeed configuration, such as ds_config.json")
    parser.add_argument("--local_rank", help=argparse.SUPPRESS)  # added by the deepspeed launcher


def is_first_process() -> bool:
    """Whether this process is the one that prints, of those started by torchrun or deepspeed."""
    return int(os.environ.get("RANK", "0")) == 0


def load(path: str, arguments: argparse.Namespace, **options: Any) -> Document:
    """Loads a document in a process of its own, with the limits of ``add_limits``.

    Raises:
        DocumentError: it could not be read, or is a folder.
    """
    import longdoc

    if os.path.isdir(path):  # noqa: PTH112 (not an error for a name that the system refuses)
        if not os.access(path, os.R_OK | os.X_OK):
            raise DocumentNotFoundError(f"{path}: the folder cannot be listed; change its permissions, or leave it out")
        raise DocumentNotFoundError(f"{path}: is a folder; give its files, for example {Path(path) / '*.pdf'}")
    try:
        return longdoc.load(path, password=arguments.password, isolated=True, **limits(arguments), **options)
    except DocumentError as error:
        raise type(error)(told(str(error), arguments)) from error


def told(message: str, arguments: argparse.Namespace) -> str:
    """A message of the library in which remedies are options of the command, where it has them, and not Python."""
    from longdoc.loaders.remedies import for_command_line  # not at the top, to keep `longdoc --help` fast

    names = ("password", "timeout", "memory", "pages", "ocr")
    message = for_command_line(message, {name: f"--{name}" for name in names if hasattr(arguments, name)})
    encoder = r"--encoder \2" if hasattr(arguments, "encoder") else r"`longdoc extract --model \1 --encoder \2`"
    for pattern, remedy in (
        (r"Pipeline\.from_pretrained\(([^,()]+), encoder='(\w+)'\)", encoder),
        (r"load one: Pipeline\.from_pretrained\(\w+='a folder'\)", "name a model that has one: --model"),
        (r"use ask, infer, embed or fill(, or tasks=\['rules'\])?", "use `longdoc ask`, or --tasks rules"),
        (r"Index\(path, model='a folder'\)", "--model FOLDER"),
        (r"\bpages=\((\d+), (\d+)\)", r"--pages \1-\2"),
        (r"\bocr='([^']*)'", r"--ocr \1"),
    ):
        message = re.sub(pattern, remedy, message)
    return message


def add_limits(parser: argparse._ActionsContainer) -> None:
    """Adds the limits on loading a document."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="S",
        help="seconds that loading one document may take, and with -o OUT/ the model for each 25,000 characters; "
        "default: 300",
    )
    parser.add_argument(
        "--memory", type=size, metavar="SIZE", help="memory that loading one document may take; default: 1GB; on Linux"
    )


def limits(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``add_limits``, as ``longdoc.load`` and ``extract_many`` take them."""
    from longdoc.loaders.limits import MEMORY, SECONDS  # not at the top, to keep `longdoc --help` fast

    return {"timeout": arguments.timeout or SECONDS, "memory": arguments.memory or MEMORY}


def load_pipeline(arguments: argparse.Namespace, **options: Any) -> Pipeline:
    """Loads the model that the arguments choose, and reports it on standard error.

    Raises:
        MissingDependencyError: a library that the model needs is not installed.
        ConfigError: there is no such model.
    """
    import_reading(arguments)
    import longdoc
    from longdoc.outputs.table import plain_console

    with plain_console(sys.stderr).status("Loading the model"):
        chosen = {name: getattr(arguments, name) for name in ("encoder", "device", "precision")}
        return longdoc.Pipeline.from_pretrained(arguments.model, **chosen, **options)


def while_importing(arguments: argparse.Namespace, load: Callable[[], T]) -> T:
    """What a function returns that waits for another process, while this one imports what reads with the model.

    Raises:
        MissingDependencyError: a library that the model needs is not installed.
    """
    from longdoc.loaders.isolated import end_workers

    pool = ThreadPoolExecutor(1)
    try:
        loading = pool.submit(load)
        import_module("longdoc.pipeline")
        if not (wait([loading], _PATIENCE).done and loading.exception()):
            import_reading(arguments)
        return loading.result()
    except BaseException:
        end_workers()  # on Ctrl-C, the command would wait for the document
        raise
    finally:
        pool.shutdown(wait=False)


def import_reading(arguments: argparse.Namespace) -> None:
    """Imports what reads with the model that the arguments choose: for an export, no torch.

    Raises:
        MissingDependencyError: a library is not installed.
    """
    from longdoc.export_record import export_folder

    if export_folder(arguments.model) is not None:
        require("tokenizers", extra="onnx", needed_by=f"longdoc {arguments.command}")
    else:
        require_model_libraries(arguments.command)
        import_module("longdoc.compute")
    import_module("longdoc.pipeline")


def check_libraries(arguments: argparse.Namespace) -> None:
    """Checks that the libraries of the model are installed, without importing them.

    Raises:
        MissingDependencyError: one is not.
    """
    from longdoc.batch.extract import check_libraries

    check_libraries(arguments.model, needed_by=f"longdoc {arguments.command}")


def check_head(arguments: argparse.Namespace, kind: str, wanted: str | None = None) -> None:
    """Refuses a model without the head that is needed, as far as its settings tell without loading it.

    Raises:
        ConfigError: it has no head of this kind, or not the one that is wanted, or several.
        MissingDependencyError: a library of the model is not installed.
    """
    check_libraries(arguments)
    from longdoc.engine import chosen_head, names_of
    from longdoc.model_config import known_heads

    if (heads := known_heads(arguments.model)) is not None:
        chosen_head(names_of(heads, kind), kind, wanted)


def require_model_libraries(command: str) -> None:
    """Checks that the libraries that models need are installed.

    Raises:
        MissingDependencyError: one is not.
    """
    extra = _EXTRAS.get(command, "model")
    require("torch", extra=extra, needed_by=f"longdoc {command}")


def add_all_windows(group: argparse._ArgumentGroup) -> None:
    """Adds ``--all-windows``."""
    group.add_argument(
        "--all-windows",
        action="store_true",
        help="read the whole text for each question; default: the windows that share most of its words",
    )


def windows(arguments: argparse.Namespace) -> dict[str, None]:
    """The option ``windows`` of the pipeline, if it is not the default."""
    return {"windows": None} if arguments.all_windows else {}


def chosen_format(arguments: argparse.Namespace, *, terminal: str) -> str:
    """The format that was chosen; by default that of a terminal, or in a pipe JSON lines."""
    chosen: str = arguments.format or (terminal if sys.stdout.isatty() else "jsonl")
    return chosen


def add_where(group: argparse._ActionsContainer) -> None:
    """Adds ``--where``."""
    group.add_argument(
        "--where",
        action="append",
        metavar="KEY=VALUE",
        help="search only documents with this type, label, party, title, law, address, agreement_date, effective_date "
        "or expiration_date; dates are 2019, 2019-03-01 or a range such as 2019..2020-06; may be given several times",
    )


def where(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The conditions of ``add_where``, each with all values that are given for it; None if there are none.

    Raises:
        ConfigError: one has no key or no value.
    """
    wanted: dict[str, list[str]] = {}
    for each in arguments.where or ():
        key, equals, value = each.partition("=")
        if not equals or not value:
            raise ConfigError(f"--where {each!r:.80}: give a key and a value, such as --where type=contract")
        wanted.setdefault(key.strip(), []).append(value.strip())
    return {key: values if len(values) > 1 else values[0] for key, values in wanted.items()} or None


def score(text: str) -> float:
    """Parses a score."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r}")
    return value


def positive_integer(text: str) -> int:
    """Parses a positive integer."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def page_range(text: str) -> tuple[int, int]:
    """Parses a page number or a range of them, both ends included: ``"4"``, ``"3-7"``."""
    first, _, last = text.partition("-")
    last = last or first
    if not (first + last).isascii() or not first.isdigit() or not last.isdigit() or not 1 <= int(first) <= int(last):
        raise argparse.ArgumentTypeError(f"must be a page or a range such as 3-7, got {text!r}")
    return int(first), int(last)


def seconds(text: str) -> float:
    """Parses a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return value


def size(text: str) -> int:
    """Parses an amount of memory: ``"500MB"``, ``"2GB"``, or bytes."""
    units = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
    number, unit = (text[:-2], units[text[-2:].upper()]) if text[-2:].upper() in units else (text, 1)
    try:
        value = int(float(number) * unit)
    except (ValueError, OverflowError):
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an amount of memory such as 500MB or 2GB, got {text!r}")
    return value
