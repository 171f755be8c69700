"""What the tests of worker processes run in them."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class UnpicklableError(Exception):
    def __init__(self, first: str, second: str) -> None:  # pickled with one argument, restored with one too few
        super().__init__(f"{first} and {second}")


class Unreadable:
    """Can be pickled, and not unpickled."""

    def __reduce__(self):
        return int, ("no number",)


HELD: list[object] = []


def act(order: tuple[str, object]) -> object:
    """Does what a test orders."""
    name, value = order
    return globals()[name](value)


def same(value: object) -> object:
    return value


def pid(value: object) -> int:
    return os.getpid()


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def touch(path: str) -> str:
    Path(path).touch()
    return "touched"


def await_file(path: str) -> str:
    while not Path(path).exists():
        time.sleep(0.01)
    return "awaited"


def fail(text: str) -> None:
    raise ValueError(text)


def fail_unpicklably(text: str) -> None:
    raise UnpicklableError(text, "more")


def leave(code: int) -> None:
    sys.exit(code)


def segfault(value: object) -> None:
    ctypes.string_at(0)


def exit_now(code: int) -> None:
    os._exit(code)


def note_and_abort(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("x")
    os.abort()


def shoot(number: int) -> None:
    os.kill(os.getpid(), number)


def allocate(n_bytes: int) -> int:
    return len(bytes(n_bytes))


def keep(n_bytes: int) -> int:
    """A leak."""
    HELD.append(b"x" * n_bytes)
    return len(HELD)


def allocate_behind_an_error(n_bytes: int) -> None:
    try:
        allocate(n_bytes)
    except MemoryError as error:
        raise ValueError("the file is damaged") from error


def ask_for_the_impossible(value: object) -> int:
    return len(bytearray(1 << 60))


def large(n_bytes: int) -> bytes:
    return b"x" * n_bytes


def return_a_function(value: object) -> object:
    return lambda: value


def return_the_unreadable(value: object) -> object:
    return Unreadable()


def crash_once(path: str) -> str:
    if not Path(path).exists():
        Path(path).touch()
        os._exit(3)
    return "survived"


def hold_the_interpreter(path: str) -> None:
    """Runs for ever without letting another thread run; a program that it has started runs, too."""
    program = subprocess.Popen(["sleep", "600"])
    part = Path(f"{path}.part")
    part.write_text(f"{os.getpid()} {program.pid}")
    part.rename(path)
    re.match(r"(a+)+$", "a" * 64 + "b")


def die_beside_a_child(path: str) -> None:
    """Dies while a forked child keeps the pipe open."""
    child = os.fork()
    if child == 0:
        time.sleep(600)
    Path(path).write_text(str(child))
    os._exit(5)


def fork_and_return(value: object) -> object:
    """Returns twice: in the worker, and in a forked child."""
    if child := os.fork():
        os.waitpid(child, 0)
    return value


def talk(text: str) -> str:
    print(text)  # noqa: T201
    os.write(1, text.encode())
    subprocess.run(["echo", text], check=True)
    return sys.stdin.read()


def die_after_the_answer(value: object) -> object:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return value


def fail_to_start() -> None:
    raise RuntimeError("no model")


def die_at_start() -> None:
    os._exit(9)


def sleep_at_start() -> None:
    time.sleep(600)


def refuse_to_start() -> None:
    from longdoc.errors import ConfigError

    raise ConfigError("no such model")


class Prepared:
    """A function that takes longer to prepare than its inputs may, and is killed by None."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def prepare(self) -> None:
        time.sleep(2)
        self.seen = ["prepared"]

    def __call__(self, value: object) -> object:
        if value is None:
            os._exit(3)
        return [*self.seen, value]


def touch_and_nap(path: str) -> None:
    Path(path).touch()
    time.sleep(600)


def log_with(kind: str) -> int:
    """Logs with something attached that does not survive pickling, or will not when it is sent."""
    import logging

    attached: list[object] = [{"unpicklable": sys.stderr, "unreadable": Unreadable()}.get(kind)]
    logging.getLogger("reader").warning("odd %s", kind, extra={"attached": attached, "page": 3})
    if kind == "changing":
        attached.append(sys.stderr)
    return os.getpid()


def leave_files(path: str) -> None:
    """Writes temporary files, as a program that it starts does, and dies."""
    own = tempfile.mkstemp()[1]
    of_program = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout.strip()
    Path(path).write_text(f"{own}\n{of_program}")
    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_file_and_hold(path: str) -> None:
    tempfile.mkstemp()
    hold_the_interpreter(path)


def run_beyond(folder: str) -> None:
    """Run in a process that a test kills: two workers that would go on for ever."""
    from longdoc.workers import Workers

    with Workers(leave_a_file_and_hold, 2) as workers:
        list(workers.run([f"{folder}/0", f"{folder}/1"]))


def die_of(source: bytes) -> object:
    """Loads a document, unless it is deadly."""
    from longdoc.loaders import as_document

    if source == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    return as_document(source)


def warn_and_log(text: str) -> None:
    """Tells what a loader may tell, and fails."""
    import logging
    import warnings

    logging.getLogger("longdoc.loaders").info("read %s", text)
    logging.getLogger("pdfminer").warning("odd %s", text)
    warnings.warn(text, UserWarning, stacklevel=1)
    raise ValueError(text)


def tell_without_end(count: int) -> None:
    import logging

    for number in range(count):
        logging.getLogger("pdfminer").warning("%d", number)


def log_quietly(text: str) -> None:
    """Logs as a library does that wants to be asked, and as one that does not."""
    import logging

    logging.getLogger("quiet").addHandler(logging.NullHandler())
    logging.getLogger("quiet.part").warning("quiet %s", text)
    logging.getLogger("loud").warning("loud %s", text)


def picture_of(data: bytes, scale: float) -> object:
    """The pixels of the first page of a PDF."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as pdf:
        return pdf[0].render(scale=scale, may_draw_forms=False).to_numpy().astype(int)
