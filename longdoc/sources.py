"""``"default"``, a folder or a hub id → a model."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from longdoc.arguments import check_type
from longdoc.engine import Readable, check_device
from longdoc.errors import ConfigError
from longdoc.export_record import export_folder
from longdoc.graphs import GraphScorer
from longdoc.heads import HEADS
from longdoc.inputs import Precision
from longdoc.model_files import DEFAULT_MODEL, file_in, in_folder, is_folder

if TYPE_CHECKING:
    import torch

    from longdoc.model import Model

ReadableT = TypeVar("ReadableT", "Model", GraphScorer)


def load_model(
    name_or_path: str | PathLike[str],
    kind: str | None = None,
    *,
    only_windows: bool = False,
    revision: str | None = None,
    cache_dir: str | PathLike[str] | None = None,
) -> Model:
    """Loads the shipped model, one written by ``Model.save``, or a transformers or sentence-transformers checkpoint.

    Models on the hub may be any of these.

    Args:
        name_or_path: ``"default"``, a folder, or a hub id.
        kind: load only the heads of this kind; all by default.
        only_windows: as for ``Model.from_pretrained``.
        revision: branch, tag or commit of a hub id.
        cache_dir: folder for downloads from the hub; by default the hub's own.

    Raises:
        ConfigError: there is no such model, or it has no such head.
    """
    from longdoc.model import Model, longdoc_folder  # loads torch

    _check_hub(revision, cache_dir)
    if not isinstance(name_or_path, (str, PathLike)):
        raise ConfigError(
            f"{kind or 'model'}={name_or_path!r:.60}: give one folder or hub id; heads of several models are given by "
            "kind: ner=..., qa=..."
        )
    folder = DEFAULT_MODEL if name_or_path == "default" else Path(name_or_path)
    if not is_folder(folder) and folder.is_file():
        raise ConfigError(f"{folder} is a file; give the folder with the model, {folder.parent}")
    if folder.is_dir() and file_in(folder, "config.json") is None:
        remedy = in_folder(folder) or "give a folder with a model, a hub id, or 'default'"
        raise ConfigError(f"{folder} has no config.json; {remedy}")
    options = {"revision": revision, "cache_dir": None if cache_dir is None else str(cache_dir)}
    own = longdoc_folder(folder if name_or_path == "default" else str(name_or_path), **options)
    if own is None:
        from longdoc.hub import load_checkpoint  # loads transformers

        return load_checkpoint(name_or_path, kind, **options)
    model = Model.from_pretrained(own, only_windows=only_windows)
    return model if kind is None else _with_heads_of_kind(model, kind, name_or_path)


def _check_hub(revision: object, cache_dir: object) -> None:
    check_type("revision", revision, "the name of a branch, a tag or a commit, or None", str, None)
    check_type("cache_dir", cache_dir, "the path of a folder, or None", str, PathLike, None)


def _is_local(name: object) -> bool:
    if name == "default":
        return True
    return isinstance(name, (str, PathLike)) and (is_folder(Path(name)) or Path(name).is_file())


def _with_heads_of_kind(model: ReadableT, kind: str, name_or_path: str | PathLike[str]) -> ReadableT:
    kinds = {name: config.kind for name, config in model.config.heads.items()}
    if kind not in kinds.values():
        has = ", ".join(sorted(set(kinds.values())))
        raise ConfigError(f"{name_or_path} has no head of kind {kind!r}, only {has}; name a model that has one")
    return model.with_heads([name for name, found in kinds.items() if found == kind])


def load_models(
    model: str | PathLike[str] | None,
    heads: Mapping[str, str | PathLike[str]],
    *,
    device: str | torch.device,
    precision: Precision,
    **options: Any,
) -> list[Readable]:
    """The model, by default the shipped one unless there are ``heads``, and the heads of some kinds of other models.

    Each may also be an exported graph, in a folder or on the hub, which is read without torch.

    Args:
        model: its name.
        heads: kind of a head → name of its model.
        device: where torch is to compute, and
        precision: in which number format; both are checked before weights are downloaded.
        options: those of :func:`load_model`.

    Raises:
        ConfigError: as for :func:`load_model`, a wrong device or precision, or there is a revision, and no hub id that
            could have it.
        MissingDependencyError: the libraries that a model needs are not installed.
    """
    if unknown := [kind for kind in heads if kind not in HEADS]:
        raise TypeError(f"from_pretrained() got an unexpected argument {unknown[0]!r}; heads are {', '.join(HEADS)}")
    first = [model if model is not None else "default"] if model is not None or not heads else []
    names = [*first, *heads.values()]
    if options.get("revision") is not None and all(map(_is_local, names)):
        raise ConfigError(
            f"revision is {options['revision']!r}, and {', '.join(map(str, names))} has none: only a hub id has "
            "revisions; leave it out"
        )
    hub = options.get("revision"), options.get("cache_dir")
    _check_hub(*hub)
    graphs = {str(name): export_folder(name, *hub) for name in names}
    if not all(graphs.values()):
        check_device(device, precision)

    def load(name: str | PathLike[str], kind: str | None) -> Readable:
        folder = graphs[str(name)]
        if folder is None:
            return load_model(name, kind, **options)
        graph = GraphScorer(folder)
        return graph if kind is None else _with_heads_of_kind(graph, kind, name)

    return [*(load(name, None) for name in first), *(load(name, kind) for kind, name in heads.items())]
