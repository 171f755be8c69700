"""Configurations: what is written is read back, and every error names the key."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from longdoc.config import Members, from_dict, load_yaml, to_dict
from longdoc.errors import ConfigError


@dataclass(frozen=True)
class Optimizer:
    learning_rate: float = 5e-5
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")


@dataclass(frozen=True)
class Head:
    labels: tuple[str, ...]
    merge: Literal["mean", "first"] = "mean"
    threshold: float | None = None


@dataclass(frozen=True)
class Training:
    output: Path
    steps: int = 100
    shuffle: bool = True
    heads: dict[str, Head] = field(default_factory=dict)
    optimizer: Optimizer = Optimizer()
    devices: int | str = "auto"


@dataclass(frozen=True)
class Tagger:
    kind: Literal["tagger"] = "tagger"
    scheme: Literal["bio", "io"] = "bio"


@dataclass(frozen=True)
class Classifier:
    scheme: Literal["bio", "io"] = "io"
    kind: Literal["classifier", "ranker"] = "classifier"


@dataclass(frozen=True)
class Table:
    reader: Literal["csv", "tsv"]
    column: int = 0


@dataclass(frozen=True)
class Folder:
    reader: Literal["folder"]


@dataclass(frozen=True)
class Task:
    head: Tagger | Classifier = Tagger()
    data: dict[str, Annotated[object, Members(lambda: READERS)]] = field(default_factory=dict)
    other: Annotated[object, Members(lambda: READERS)] | None = None


READERS = (Table, Folder)  # below its use: the table is looked up when a value is read


plain_floats = st.floats(allow_nan=False, allow_infinity=False)
trainings = st.builds(
    Training,
    output=st.from_regex(r"[a-z]+(/[a-z]+)?", fullmatch=True).map(Path),
    steps=st.integers(),
    shuffle=st.booleans(),
    heads=st.dictionaries(
        st.text(),
        st.builds(
            Head,
            labels=st.lists(st.text()).map(tuple),
            merge=st.sampled_from(["mean", "first"]),
            threshold=st.none() | plain_floats,
        ),
        max_size=3,
    ),
    optimizer=st.builds(
        Optimizer,
        learning_rate=st.floats(min_value=1e-12, max_value=1.0),
        betas=st.tuples(plain_floats, plain_floats),
    ),
    devices=st.integers() | st.text(),
)


@given(trainings)
def test_a_configuration_survives_yaml(tmp_path_factory: pytest.TempPathFactory, training: Training) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.yaml"
    path.write_text(yaml.safe_dump(to_dict(training)), encoding="utf-8")
    assert load_yaml(Training, path) == training


def test_a_file_gives_the_dataclass(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text("output: runs/a\nheads:\n  contract: {labels: [PARTY]}\noptimizer: {learning_rate: 3e-5}\n")
    assert load_yaml(Training, path) == Training(
        output=Path("runs/a"), heads={"contract": Head(labels=("PARTY",))}, optimizer=Optimizer(learning_rate=3e-5)
    )


def test_the_discriminator_chooses_the_member_of_a_union() -> None:
    assert from_dict(Task, {"head": {"kind": "ranker", "scheme": "bio"}}).head == Classifier("bio", "ranker")
    assert from_dict(Task, {"head": {"kind": "tagger"}}).head == Tagger()
    data = from_dict(Task, {"data": {"a": {"reader": "tsv", "column": 2}, "b": {"reader": "folder"}}}).data
    assert data == {"a": Table("tsv", 2), "b": Folder("folder")}


def test_without_a_discriminator_the_first_member_is_read_if_it_has_a_default() -> None:
    assert from_dict(Task, {"head": {"scheme": "io"}}).head == Tagger(scheme="io")
    with pytest.raises(ConfigError, match=r"other: missing key 'reader'\. Allowed: csv, tsv, folder"):
        from_dict(Task, {"other": {"column": 1}})


def test_a_dataclass_added_to_the_table_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Archive:
        reader: Literal["zip"]

    monkeypatch.setitem(globals(), "READERS", (*READERS, Archive))
    task = from_dict(Task, {"other": {"reader": "zip"}, "data": {"a": {"reader": "zip"}}})
    assert task == Task(data={"a": Archive("zip")}, other=Archive("zip"))
    assert from_dict(Task, to_dict(task)) == task
    assert from_dict(Task, {"other": None}).other is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"head": {"kind": "taggr"}}, r"head\.kind: unknown kind 'taggr'; did you mean 'tagger'\? Allowed: tagger, cl"),
        ({"head": {"kind": ["x"]}}, r"head\.kind: unknown kind \['x'\]\. Allowed: tagger, classifier, ranker"),
        ({"head": {"kind": "ranker", "schema": "io"}}, r"head: unknown key 'schema'; did you mean 'scheme'"),
        ({"head": "tagger"}, r"head: expected Tagger or Classifier, got 'tagger'"),
        (
            {"other": {"reader": "foldr"}},
            r"other\.reader: unknown reader 'foldr'; did you mean 'folder'\? Allowed: csv",
        ),
        ({"data": {"a": {"reader": "folder", "column": 1}}}, r"data\.a: unknown key 'column'\. Keys: reader"),
        ({"other": "csv"}, r"other: expected Table or Folder, got 'csv'"),
    ],
)
def test_a_mistake_in_a_member_is_named(data: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(Task, data)


def test_an_integer_serves_as_a_float() -> None:
    optimizer = from_dict(Optimizer, {"learning_rate": 1})
    assert type(optimizer.learning_rate) is float


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, r"missing key 'output'\. Keys: output, steps"),
        ({"output": "a", "step": 3}, r"unknown key 'step'; did you mean 'steps'\? Keys: output, steps, shuffle"),
        ({"output": "a", "zzz": 3}, r"unknown key 'zzz'\. Keys: output"),
        ({"output": "a", 3: 3}, r"unknown key 3\. Keys"),
        ({"output": 5}, r"output: expected Path, got 5 \(int\)"),
        ({"output": "a", "steps": True}, r"steps: expected int, got True \(bool\)"),
        ({"output": "a", "steps": "many"}, r"steps: expected int, got 'many' \(str\)"),
        ({"output": "a", "shuffle": 1}, r"shuffle: expected bool, got 1 \(int\)"),
        ({"output": "a", "devices": None}, r"devices: expected int or str, got null"),
        (
            {"output": "a", "optimizer": None},
            r"optimizer: expected a mapping with the keys learning_rate, betas, got null",
        ),
        ({"output": "a", "optimizer": {"betas": [0.9]}}, r"optimizer\.betas: expected a list of 2 \(float, float\)"),
        ({"output": "a", "optimizer": {"learning_rate": -1}}, r"optimizer: learning_rate must be positive, got -1\.0"),
        ({"output": "a", "heads": {"ner": {"labels": "PARTY"}}}, r"heads\.ner\.labels: expected a list of str"),
        ({"output": "a", "heads": {"ner": {"labels": ["A", 1]}}}, r"heads\.ner\.labels\[1\]: expected str, got 1"),
        (
            {"output": "a", "heads": {"ner": {"labels": [], "merge": "max"}}},
            r"heads\.ner\.merge: expected one of 'mean', 'first', got 'max'",
        ),
        (["output"], r"expected a mapping with the keys output"),
    ],
)
def test_a_mistake_is_named(data: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(Training, data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("steps: 1\nsteps: 2\n", "'steps' is given twice"),
        ("steps: [1\n", "not valid YAML"),
        ("output: a\nstep: 1\n", "training.yaml: unknown key 'step'"),
        ("", "training.yaml: missing key 'output'"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_yaml(Training, path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read \(No such file"):
        load_yaml(Training, tmp_path / "nowhere.yaml")
