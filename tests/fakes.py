"""A pipeline without a model (entities by regular expression), workers without processes, a hub without a network."""

import hashlib
import pickle
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import longdoc
from longdoc import Answer, Answers, Document, Entity, Notice, Prediction
from longdoc.batch import local
from longdoc.loaders.isolated import import_loaders
from longdoc.schema import Schema
from longdoc.workers import Limits, Outcome, Raised

if TYPE_CHECKING:
    import pytest

PATTERNS = {
    "PARTY": r"[A-Z][\w&]+(?:[ \n][A-Z][\w&]+)*,?\s(?:Inc|Ltd|LLC|Corp)\b\.?",
    "DATE": r"(?:January|February|March|April|May|June|July|August|September|October|November|December)\s\d+,\s\d{4}",
    "ORG": r"[A-Z][\w&]+,?\s(?:Inc|Ltd|LLC|Corp)\b\.?",
}


def entity(document: Document, start: int, end: int, label: str, score: float = 0.9) -> Entity:
    """The entity at ``start:end``."""
    return Entity(
        text=document.text[start:end],
        label=label,
        start=start,
        end=end,
        score=score,
        page=document.page_at(start).number,
        boxes=document.locate(start, end),
    )


class FakePipeline:
    """A substitute for ``longdoc.Pipeline``."""

    loaded: list[str] = []  # noqa: RUF012

    @classmethod
    def from_pretrained(
        cls,
        model: str = "default",
        encoder: str = "windows",
        device: str = "auto",
        precision: str = "auto",
        rules: Sequence[str] = (),
    ) -> "FakePipeline":
        chosen = [name for name in (encoder, device, precision) if name not in ("windows", "auto")]
        cls.loaded.append(", ".join([model, *chosen]))
        return cls()

    def __call__(self, document: Document | str | Path) -> Prediction:
        document = document if isinstance(document, Document) else longdoc.load(document)
        found = [
            entity(document, *match.span(), label, 0.99 if label == "PARTY" else 0.6)
            for label, pattern in PATTERNS.items()
            for match in re.finditer(pattern, document.text)
        ]
        return Prediction(document=document, entities=tuple(sorted(found, key=lambda e: (e.start, e.end))))

    def ask(
        self, document: Document, questions: Sequence[str], *, top_k: int, min_score: float | None, head: str | None
    ) -> list[Answers]:
        """For each question the first party, with the question's words as those that the document lacks."""
        answers = []
        for question in questions:
            first = self(document).entities[0]
            found = {name: getattr(first, name) for name in ("text", "start", "end", "score", "page", "boxes")}
            answers.append(Answers([Answer(**found, question=question)], absent=(question,)))
        return answers

    def extract(
        self,
        document: Document,
        schema: Schema,
        *,
        tasks: Sequence[str] | None = None,
        min_score: float | None = None,
    ) -> Prediction:
        """The parties and dates as answers to the schema's first two fields; with ``tasks``, nothing is sought."""
        if tasks is not None:
            notices = tuple(Notice(name, f"the tasks leave out all but {', '.join(tasks)}") for name in schema.fields)
            return Prediction(document=document, sought=tuple(schema.fields), notices=notices)
        answers = tuple(
            Answer(
                **{name: getattr(e, name) for name in ("text", "start", "end", "score", "page", "boxes")},
                question=schema.fields[field].question or "",
                label=field,
            )
            for field, label in zip(schema.fields, ("PARTY", "DATE"), strict=False)
            for e in self(document).entities
            if e.label == label and e.score >= (min_score or 0)
        )
        return Prediction(document=document, answers=answers, sought=tuple(schema.fields))

    def pipe(
        self,
        documents: Iterable[Document | str | Path],
        tasks: Sequence[str] | None = None,
        min_score: float | None = None,
    ) -> Iterator[Prediction]:
        for prediction in map(self, documents):
            kept = [e for e in prediction.entities if e.score >= (min_score or 0)]
            wanted = tuple(e for e in kept if tasks is None or e.label.lower() in tasks)
            yield replace(prediction, entities=wanted)


class WorkersHere:
    """A substitute for ``Workers`` that calls the function in this process, on what pickling leaves of it."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        count: int,
        limits: Limits,
        *,
        initializer: Callable[[], object],
        **_: object,
    ) -> None:
        self._function, self._initializer = pickle.loads(pickle.dumps((function, initializer)))

    def __enter__(self) -> "WorkersHere":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, inputs: Iterable[Any], *, ordered: bool = False) -> Iterator[Outcome[Any, Any]]:
        self._initializer()
        for each in inputs:
            try:
                result = pickle.loads(pickle.dumps(self._function(pickle.loads(pickle.dumps(each)))))
            except Exception as error:
                result = Raised(error, traceback.format_exc())
            yield Outcome(each, result, 1, 0.0)


def stay_here(patch: "pytest.MonkeyPatch") -> None:
    """Lets batches start no processes, for tests of what they read and write."""
    patch.setattr(local, "Workers", WorkersHere)
    patch.setattr(local, "prepare_loading", import_loaders)  # without being nice to other processes for ever after


class FolderHub:
    """A substitute for ``huggingface_hub.HfApi`` that writes a cache of the hub, from which models are read."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.made: list[tuple[str, bool | None]] = []

    def create_repo(self, repo_id: str, *, private: bool | None, exist_ok: bool) -> SimpleNamespace:
        assert exist_ok
        self.made.append((repo_id, private))
        return SimpleNamespace(repo_id=repo_id)

    def create_branch(self, repo_id: str, *, branch: str, exist_ok: bool) -> None:
        assert exist_ok and branch

    def create_commit(
        self, repo_id: str, *, operations: Sequence[Any], commit_message: str, revision: str | None
    ) -> SimpleNamespace:
        assert commit_message
        branch, home = revision or "main", self._home(repo_id)
        (home / "refs").mkdir(parents=True, exist_ok=True)
        (home / "refs" / branch).write_text(self._commit(branch))
        for operation in operations:
            path = home / "snapshots" / self._commit(branch) / operation.path_in_repo
            path.parent.mkdir(parents=True, exist_ok=True)
            with operation.as_file() as file:
                path.write_bytes(file.read())
        return SimpleNamespace(commit_url=self.address(repo_id, branch))

    def address(self, repo_id: str, branch: str) -> str:
        """The address of the last commit."""
        return f"https://hub.example/{repo_id}/commit/{self._commit(branch)}"

    def files(self, repo_id: str, branch: str) -> dict[str, bytes]:
        """The files of a branch, by name."""
        home = self.folder(repo_id, branch)
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}

    def folder(self, repo_id: str, branch: str) -> Path:
        """The folder with the files of a branch."""
        return self._home(repo_id) / "snapshots" / self._commit(branch)

    def _home(self, repo_id: str) -> Path:
        return self.cache / f"models--{repo_id.replace('/', '--')}"

    def _commit(self, branch: str) -> str:
        return hashlib.sha1(branch.encode()).hexdigest()
