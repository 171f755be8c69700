"""What is shipped: the sdist builds the wheel, and the wheel works without the source tree.

The new environments see only the libraries that the wheel requires, as links to those of the test environment, so
that nothing is downloaded.
"""

import json
import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import longdoc
from longdoc.export import to_graph
from test_without_torch import make_model

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "examples" / "hyatt-playa-strategic-alliance.pdf"
EXAMPLES = sorted((ROOT / "examples").glob("*.pdf"))
HEAVY = {"torch", "transformers", "tokenizers", "safetensors", "spacy", "pandas", "pdfplumber", "pillow"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="links need rights that a Windows user may not have"),
]


def run(*command: object, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command that sees neither this source tree nor the terminal's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = kept | {"COLUMNS": "120", "HF_HUB_OFFLINE": "1"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the unpacked sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / f"longdoc-{longdoc.__version__}"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    (built,) = folder.glob("*.whl")
    return built


def requirements(wheel: Path, extra: str = "") -> dict[str, metadata.Distribution]:
    """Name -> every distribution that installing the wheel would bring, as found in this environment."""
    (own,) = metadata.distributions(name="longdoc", path=[str(wheel)])
    found: dict[str, metadata.Distribution] = {}
    waiting = [(own, {"", extra})]
    while waiting:
        distribution, extras = waiting.pop()
        for requirement in map(Requirement, distribution.requires or ()):
            name = requirement.name.lower().replace("_", "-")
            wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras)
            if wanted and name not in found:
                found[name] = metadata.distribution(name)
                waiting.append((found[name], {"", *requirement.extras}))
    return found


def installed(wheel: Path, distributions: Iterable[metadata.Distribution], folder: Path) -> Path:
    """A new environment with the wheel and links to the libraries it needs; its folder of programs."""
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    options = ("--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", programs / "python", "install", *options, wheel, cwd=folder)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for distribution in distributions:
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
    return programs


@pytest.fixture(scope="module")
def light(wheel, tmp_path_factory) -> Path:
    return installed(wheel, requirements(wheel).values(), tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def with_onnx(wheel, tmp_path_factory) -> Path:
    return installed(wheel, requirements(wheel, "onnx").values(), tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def with_model(wheel, tmp_path_factory) -> Path:
    return installed(wheel, requirements(wheel, "model").values(), tmp_path_factory.mktemp("model"))


def test_a_light_installation_brings_no_library_for_models(wheel):
    assert not HEAVY & set(requirements(wheel))
    assert set(requirements(wheel)) < set(requirements(wheel, "model"))
    assert {"torch", "transformers", "spacy"} <= set(requirements(wheel, "model"))


def test_the_installed_version_is_that_of_the_package(wheel, light):
    assert run(light / "longdoc", "--version", cwd=wheel.parent).stdout == f"longdoc {longdoc.__version__}\n"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_light_installation_reads_documents(path, light, tmp_path):
    document = longdoc.load(path)
    shown = run(light / "longdoc", "show", path, cwd=tmp_path).stdout
    assert document.title in shown and f" {len(document.pages)} " in shown
    code = f"import longdoc; print(longdoc.__file__); print(len(longdoc.load({str(path)!r}).text))"
    file, length = run(light / "python", "-c", code, cwd=tmp_path).stdout.split()
    assert Path(file).is_relative_to(light.parent)
    assert int(length) == len(document.text)


@pytest.mark.parametrize(
    "command",
    [
        ("extract", CONTRACT),
        ("ask", CONTRACT, "What is the date of the agreement?"),
        ("train", "config.yaml"),
        ("pretrain", "config.yaml"),
        ("evaluate", "config.yaml"),
        ("calibrate", "config.yaml"),
        ("convert", "folder", "--max-tokens", "1024"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_needs_a_model_names_the_extra(command, light, tmp_path):
    done = run(light / "longdoc", *command, cwd=tmp_path, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    extra = {"train": "train", "pretrain": "train", "evaluate": "evaluate", "calibrate": "evaluate"}.get(
        command[0], "model"
    )
    assert line.startswith("longdoc: ") and line.endswith(f"pip install 'longdoc[{extra}]'")


def test_help_works_without_models(light, tmp_path):
    said = run(light / "python", "-c", "import longdoc; help(longdoc)", cwd=tmp_path).stdout
    assert "errors that a caller may want to catch" in said


def test_a_call_that_needs_a_model_names_the_extra(light, tmp_path):
    code = "import longdoc\ntry: longdoc.Pipeline\nexcept longdoc.errors.MissingDependencyError as error: print(error)"
    said = run(light / "python", "-c", code, cwd=tmp_path).stdout
    assert said.startswith("longdoc.Pipeline needs ") and said.endswith("pip install 'longdoc[model]'\n")


def test_an_export_is_read_from_the_wheel_without_torch(wheel, with_onnx, tmp_path):
    assert not {"torch", "transformers", "safetensors"} & set(requirements(wheel, "onnx"))
    make_model().save(tmp_path / "model")
    to_graph(tmp_path / "model", tmp_path / "graph")
    model = ("--model", tmp_path / "graph")
    found = run(with_onnx / "longdoc", "extract", CONTRACT, *model, "--format", "jsonl", cwd=tmp_path).stdout
    assert json.loads(found)["entities"]
    asked = run(with_onnx / "longdoc", "ask", CONTRACT, "Which law governs?", *model, "--format", "json", cwd=tmp_path)
    assert json.loads(asked.stdout)["questions"][0]["coverage"] > 0
    into = ("-o", f"{tmp_path / 'out'}/", "--format", "jsonl")
    run(with_onnx / "longdoc", "extract", CONTRACT, *model, *into, cwd=tmp_path)
    assert "Hyatt" in "".join(path.read_text() for path in (tmp_path / "out").rglob("*.jsonl"))


def test_the_demo_runs_from_the_wheel(with_model, tmp_path):
    record = ("--format", "table", "--record", "contract")
    found = run(with_model / "longdoc", "extract", *record, CONTRACT, cwd=tmp_path).stdout
    assert "Hyatt Franchising Latin America, L.L.C." in found and "2016-12-14" in found and "Illinois" in found
    question = "What is the date of the agreement?"
    assert "December 14, 2016" in run(with_model / "longdoc", "ask", CONTRACT, question, cwd=tmp_path).stdout
