"""Loads a model with every key that could name code or a download, and prints what Python's audit hooks report.

Run as a program with a folder that holds a model, its code ``evil.py``, and beside it a file ``outside``.
"""

import json
import re
import sys
from pathlib import Path

import transformers
from transformers import AutoModelForTokenClassification

from longdoc.errors import ConfigError
from longdoc.pretrained import Repository

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "pickle.find_class")
FOLDER = Path(*sys.argv[1:2])
LIBRARY = Path(transformers.__file__).parent
SOURCES = ["*.py", "models/auto/*.py", "utils/*.py", "integrations/*.py", "generation/*.py"]
KEYS = re.compile(r"""(?:\.(?:pop|get)\(|getattr\(\w*config\w*, |hasattr\(\w*config\w*, |\[)\s*"(\w+)"|"(\w+)" in \w""")
AUTO = dict.fromkeys(["AutoConfig", "AutoModel", "AutoModelForTokenClassification"], "evil.C")
VALUES = ["evil.C", "../outside", "someone/else", {**AUTO, "AutoTokenizer": ["evil.T", "evil.T"]}, True]

seen: list[str] = []


def hook(event: str, args: tuple) -> None:
    """Notes what no loading of a model does."""
    names = [str(arg) for arg in args[:2]]
    is_own = event in ("compile", "exec", "open") and any("evil" in name or "outside" in name for name in names)
    if event in FORBIDDEN or is_own or (event == "import" and "evil" in names[0]):
        seen.append(f"{event} {names}")


def keys() -> list[str]:
    """The keys that transformers looks up anywhere, in configurations of models, tokenizers and calls."""
    texts = [path.read_text(encoding="utf-8") for pattern in SOURCES for path in LIBRARY.glob(pattern)]
    return sorted({name for text in texts for match in KEYS.findall(text) for name in match if name})


def load(config: dict, tokenizer: dict) -> bool:
    """Whether a model with these keys can be loaded."""
    for name, record in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        (FOLDER / name).write_text(json.dumps(record))
    repository = Repository(str(FOLDER))
    try:
        repository.load(AutoModelForTokenClassification)
        repository.tokenizer()
    except ConfigError:
        return False
    return True


def try_together(names: list[str], value: object, files: dict, into: str) -> list[str]:
    """Loads the model with these keys; if it is refused, with each half of them, so that no key hides another.

    Returns:
        The keys that are refused alone.
    """
    if not names or load(**{**files, into: files[into] | dict.fromkeys(names, value)}):
        return []
    half = len(names) // 2
    parts = (names[:half], names[half:])
    return [name for part in parts for name in try_together(part, value, files, into)] if half else names


def try_keys(names: list[str], files: dict, into: str) -> int:
    """Loads the model with these keys, for each value; returns how many it was loaded with, at least."""
    suspects: list[str] = []  # refused with the values so far, and tried alone with the others, which is quick
    for value in VALUES:
        suspects = [
            *(name for name in suspects if try_together([name], value, files, into)),
            *try_together([name for name in names if name not in suspects], value, files, into),
        ]
    return len(names) - len(suspects)


if __name__ == "__main__":
    config, tokenizer = (json.loads((FOLDER / name).read_text()) for name in ("config.json", "tokenizer_config.json"))
    assert load(config, tokenizer)
    sys.addaudithook(hook)
    files = {"config": config, "tokenizer": tokenizer}
    number = min(try_keys(keys(), files, into) for into in files)
    print(json.dumps([number, seen]))  # noqa: T201 (the test reads it)
    seen.clear()
    (FOLDER / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": AUTO}))
    transformers.AutoConfig.from_pretrained(FOLDER, trust_remote_code=True)  # what the hook would have noted
    print(json.dumps(seen))  # noqa: T201 (the test reads it)
