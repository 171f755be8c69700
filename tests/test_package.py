"""The package as a whole: quick to import, small parts, nothing shipped that was not run."""

import ast
import importlib
import pkgutil
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import longdoc

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "longdoc").rglob("*.py"))
MODULES = sorted(module.name for module in pkgutil.walk_packages(longdoc.__path__, "longdoc."))
TEXT_FILES = sorted(
    path
    for pattern in ("*.py", "*.toml", "*.yaml", "*.md", "*.ipynb", "Makefile", "*.json")
    for path in ROOT.rglob(pattern)
    if not {".venv", ".git", "runs", "build", "dist"} & set(path.relative_to(ROOT).parts)
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_import_is_silent_and_loads_no_torch() -> None:
    result = python("import longdoc, sys; assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)")
    assert (result.stdout, result.stderr) == ("", "")


def test_import_takes_less_than_0_3_seconds() -> None:
    def seconds(code: str) -> float:
        started_at = time.perf_counter()
        python(code)
        return time.perf_counter() - started_at

    assert min(seconds("import longdoc") for _ in range(3)) - min(seconds("pass") for _ in range(3)) < 0.3


def test_loading_a_document_loads_no_torch() -> None:
    python("import longdoc, sys; longdoc.load(b'Lease'); assert not {'torch', 'transformers'} & set(sys.modules)")


@pytest.mark.parametrize("name", longdoc.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(longdoc, name) is not None
    assert name in dir(longdoc)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'pipeline_'; it has .*Pipeline"):
        _ = longdoc.pipeline_


@pytest.mark.parametrize("module", MODULES)
def test_every_module_can_be_imported_and_says_what_it_is(module: str) -> None:
    assert importlib.import_module(module).__doc__


def test_the_map_of_the_package_names_every_module() -> None:
    named = set(re.findall(r"^``(\w+)``", longdoc.__doc__ or "", re.MULTILINE))
    assert named == {module.split(".")[1] for module in MODULES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_fit_on_a_screen_and_modules_in_a_sitting(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 60, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_the_picture_of_the_patterns_is_drawn_by_the_code():
    namespace = runpy.run_path(str(ROOT / "docs" / "draw_patterns.py"))
    assert namespace["picture"]() == (ROOT / "docs" / "patterns.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXT_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_names_a_place_of_one_machine(path: Path) -> None:
    found = re.search(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\w+", path.read_text(encoding="utf-8"))
    assert found is None, found
