"""A folder with a model → a repository on the hub: ``longdoc push``."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi

from longdoc.errors import ConfigError, first_line
from longdoc.export.card import card_of_model
from longdoc.export.files import PARITY_FILE
from longdoc.export_record import DATA_FILE, FILES, RECORD_FILE, is_export
from longdoc.graphs import GraphScorer
from longdoc.hub.configs import SETTINGS_FILE
from longdoc.model import Model, longdoc_folder
from longdoc.model_files import file_in
from longdoc.model_files.tokenizers import TOKENIZER_FILES

_CARD = "README.md"
_FILES = (
    *("config.json", "model.safetensors", _CARD, SETTINGS_FILE, *TOKENIZER_FILES),
    *(RECORD_FILE, PARITY_FILE, DATA_FILE, *(name for files in FILES.values() for name in files)),
    *("modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "2_Normalize/config.json"),
)
"""Those that are sent; a folder may have others, such as logs and states of a training."""


def push(
    folder: str | PathLike[str],
    repository: str,
    *,
    revision: str | None = None,
    private: bool | None = None,
    base: str | None = None,
    licence: str | None = None,
    api: Any = None,
) -> str:
    """Sends a folder of ``Model.save``, ``longdoc train`` or ``longdoc export`` to the hub, in one commit.

    A folder without a ``README.md`` is sent with a model card. Log in before, with ``hf auth login``.

    Args:
        folder: the folder.
        repository: hub id, such as ``"someone/contracts"``; it is created if there is none.
        revision: branch, created if there is none; the default branch if it is not given.
        private: whether a new repository is private; as its owner has set by default.
        base: what the encoder was before training, and
        licence: of the weights, for the model card.
        api: a ``huggingface_hub.HfApi``, such as one with another address or token.

    Returns:
        The address of the commit.

    Raises:
        ConfigError: the folder has no such model, or the hub refuses it or cannot be reached.
        MissingDependencyError: the runtime of an export is not installed.
    """
    folder = Path(folder)
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=data)
        for name, data in _contents(folder, base, licence).items()
    ]
    api = HfApi() if api is None else api
    try:
        name = str(api.create_repo(repository, private=private, exist_ok=True).repo_id)
        if revision is not None:
            api.create_branch(name, branch=revision, exist_ok=True)
        message = f"{folder.resolve().name}, by longdoc"
        done = api.create_commit(name, operations=operations, commit_message=message, revision=revision)
    except Exception as error:  # of the HTTP library, which depends on the version of huggingface_hub
        raise ConfigError(
            f"{repository}: the hub does not take the model ({first_line(error)}); log in by hf auth login, give a "
            "repository of your own, as in someone/contracts, and check the network"
        ) from error
    return str(done.commit_url)


def _contents(folder: Path, base: str | None, licence: str | None) -> dict[str, str | bytes]:
    """What is sent: names in the repository → paths, or the text of the model card."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; give one that longdoc train, Model.save or longdoc export wrote")
    is_own = longdoc_folder(folder) is not None
    if not is_own and file_in(folder, SETTINGS_FILE) is None:
        raise ConfigError(f"{folder} was not written by longdoc; send it with transformers (push_to_hub) or hf upload")
    found: dict[str, str | bytes] = {name: str(path) for name in _FILES if (path := file_in(folder, name)) is not None}
    if _CARD in found and (base or licence):
        raise ConfigError(f"{folder} has a {_CARD}, which is sent as it is: state the base and the licence there")
    if is_export(folder):
        GraphScorer(folder)  # a damaged folder is refused here
        if _CARD not in found:
            raise ConfigError(f"{folder} has no {_CARD}, in which longdoc export describes the graph; export it again")
    elif is_own and _CARD not in found:
        model = Model.from_pretrained(folder)  # a damaged folder is refused here
        found[_CARD] = card_of_model(model, base=base, licence=licence).encode()
    return found
