"""The package as a whole: fast imports, short functions and modules, and every configuration checked."""

import ast
import importlib
import os
import pkgutil
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import grimp
import pytest
import yaml

import longdoc
from longdoc.errors import MissingDependencyError

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "longdoc").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULES = sorted(module.name for module in pkgutil.walk_packages(longdoc.__path__, "longdoc."))
SUFFIXES = {".py", ".toml", ".yaml", ".yml", ".md", ".cff", ".ipynb", ".json"}
NOT_OURS = {".venv", ".git", "runs", "build", "dist"}


def text_files() -> Iterator[Path]:
    """The files of the project, found in one walk that leaves out the thousands of files of libraries."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - NOT_OURS)
        yield from (Path(folder, name) for name in sorted(names) if name == "Makefile" or Path(name).suffix in SUFFIXES)


TEXT_FILES = list(text_files())
MAX_FUNCTION_LINES = 40  # without the docstring
MAX_DOCUMENTED_LINES = 60  # with it
MAX_MODULE_LINES = 400
Faults: TypeAlias = dict[str, tuple[list[str], list[str], list[str]]]
HEAVY = {"lxml", "numpy", "pypdfium2", "rich", "spacy", "tokenizers", "torch", "transformers", "yaml"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -------------------------------------------------------------------------------------------------------------- imports


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_import_is_silent_and_loads_no_library() -> None:
    result = python(f"import longdoc, sys; assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)")
    assert (result.stdout, result.stderr) == ("", "")


def test_loading_a_document_loads_no_torch() -> None:
    python("import longdoc, sys; longdoc.load(b'Lease'); assert not {'torch', 'transformers'} & set(sys.modules)")


def test_the_shipped_model_loads_without_transformers() -> None:
    slow = {"transformers", "torch._dynamo", "spacy"}
    python(f"import longdoc, sys; longdoc.Pipeline.from_pretrained(); assert not {slow} & set(sys.modules)")


@pytest.mark.parametrize("name", longdoc.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(longdoc, name) is not None
    assert name in dir(longdoc)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'pipeline_'; it has .*Pipeline"):
        _ = longdoc.pipeline_


def fail_to_import(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def import_module(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(longdoc, "import_module", import_module)
    monkeypatch.delitem(vars(longdoc), "Pipeline", raising=False)


def test_a_name_that_needs_a_model_library_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_import(monkeypatch, "torch.nn")
    with pytest.raises(MissingDependencyError, match=r"^longdoc.Pipeline needs torch: pip install 'longdoc\[model\]'$"):
        _ = longdoc.Pipeline


def test_a_library_that_no_extra_brings_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_import(monkeypatch, "elsewhere")
    with pytest.raises(ModuleNotFoundError, match="elsewhere") as caught:
        _ = longdoc.Pipeline
    assert not isinstance(caught.value, MissingDependencyError)


def test_every_module_can_be_imported_and_has_a_docstring() -> None:
    assert [module for module in MODULES if not importlib.import_module(module).__doc__] == []


def test_the_map_of_the_package_names_every_module() -> None:
    named = set(re.findall(r"^``(\w+)``", longdoc.__doc__ or "", re.MULTILINE))
    assert named == {module.split(".")[1] for module in MODULES} - {"__main__"}


# --------------------------------------------------------------------------------------------------------------- source


@pytest.fixture(scope="module")
def parsed() -> Faults:
    """File → what is too long in it, private names of others, and functions without shapes; each is parsed once."""
    return {name_of(path): faults(path) for path in (*SOURCES, *TESTS)}


def faults(path: Path) -> tuple[list[str], list[str], list[str]]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    return list(long_parts(source, tree)), list(private_names(tree)), list(without_shapes(tree))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def lines_of(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1


def long_parts(source: str, tree: ast.Module) -> Iterator[str]:
    """A module and its functions that are too long."""
    if (n_lines := len(source.splitlines())) > MAX_MODULE_LINES:
        yield f"{n_lines} lines"
    for node in functions(tree):
        lines = lines_of(node)
        documented = lines_of(node.body[0]) if ast.get_docstring(node) else 0
        if lines - documented > MAX_FUNCTION_LINES or lines > MAX_DOCUMENTED_LINES:
            yield f"{node.name}: {lines} lines"


def test_functions_and_modules_are_short(parsed: Faults) -> None:
    assert {name: parsed[name][0] for name in map(name_of, SOURCES) if parsed[name][0]} == {}


def test_long_functions_and_modules_are_found() -> None:
    long = "def f():\n" + "    pass\n" * 40
    assert list(long_parts(long, ast.parse(long))) == ["f: 41 lines"]
    assert list(long_parts("\n" * 401, ast.parse(""))) == ["401 lines"]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.AST) -> Iterator[str]:
    """Private names of other modules that a module imports, or takes as attributes of a module of longdoc."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if is_private(alias.name) and (node.module or "").startswith("longdoc"):
                    yield f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in MODULES:
                    modules.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name in MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and ast.unparse(node.value) in modules:
            yield ast.unparse(node)


def test_no_private_name_is_used_outside_its_module(parsed: Faults) -> None:
    assert {name: found[1] for name, found in parsed.items() if found[1]} == {}


def test_private_names_are_found() -> None:
    source = "from longdoc import windows as w\nfrom longdoc.decode import _a, b\nw._c()\nw.d()\nb._e"
    assert list(private_names(ast.parse(source))) == ["longdoc.decode._a", "w._c"]


def test_no_modules_import_each_other_in_a_circle_not_even_for_types() -> None:
    graph = grimp.build_graph("longdoc", cache_dir=None)
    left = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in free}
    assert not left


SHAPE = re.compile(r"`\([^`]*,[^`]*\)`|\bscalars?\b")
ARRAYS = re.compile(r"\b(?:ndarray|NDArray|Tensor)\b")


def without_shapes(tree: ast.Module) -> Iterator[str]:
    """Public functions and methods with arrays in their signature whose docstring states no shape."""
    public = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    methods = [(f"{node.name}.", inner) for node in public if isinstance(node, ast.ClassDef) for inner in node.body]
    for prefix, node in [*(("", node) for node in public), *methods]:
        overload = "overload" in map(ast.unparse, getattr(node, "decorator_list", ()))
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not overload:
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg]
            annotations = [arg.annotation for arg in every if arg and arg.annotation]
            signature = " ".join(ast.unparse(part) for part in [*annotations, node.returns] if part)
            if ARRAYS.search(signature) and not SHAPE.search(ast.get_docstring(node) or ""):
                yield f"{prefix}{node.name}"


def test_public_functions_state_the_shapes_of_their_arrays(parsed: Faults) -> None:
    assert {name: parsed[name][2] for name in map(name_of, SOURCES) if parsed[name][2]} == {}


def test_functions_without_shapes_are_found() -> None:
    source = """
def stated(x: np.ndarray) -> int: "Of ``(T, L)``."
def missing(x: NDArray[np.int64]) -> int: "Of some ``x``."
def _private(x: Tensor) -> int: ...
class Head:
    def forward(self, x: Tensor) -> Tensor: "States."
    def loss(self, x: int) -> Tensor: "A scalar."
"""
    assert list(without_shapes(ast.parse(source))) == ["missing", "Head.forward"]


# -------------------------------------------------------------------------------------------------------- shipped files


def load(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_is_yaml(path: Path) -> None:
    assert isinstance(load(name_of(path)), dict)


def test_the_workflow_tests_every_supported_python_on_three_systems() -> None:
    jobs = load(".github/workflows/test.yml")["jobs"]
    assert {"ubuntu-latest"} == {job["runs-on"] for job in jobs.values() if "${{" not in job["runs-on"]}
    assert {"macos-latest", "windows-latest"} <= set(jobs["others"]["strategy"]["matrix"]["os"])
    for job in ("linux", "others"):
        assert jobs[job]["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    uses = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert uses and all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in uses)


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = [hook["entry"].split()[:2] for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert lint
    commands = re.findall(r"^\t\$\(BIN\)/([\w-]+(?: [a-z]+)?)", lint[1], re.MULTILINE)
    assert hooks == [command.split() for command in commands]


def test_the_citation_file_is_complete() -> None:
    citation = load("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == "longdoc" and citation["license"] == "Apache-2.0"
    assert citation["authors"] == [{"name": "The longdoc contributors"}]
    assert citation["message"]


def test_the_picture_of_the_patterns_is_drawn_by_the_code() -> None:
    namespace = runpy.run_path(str(ROOT / "docs" / "draw_patterns.py"))
    assert namespace["picture"]() == (ROOT / "docs" / "patterns.svg").read_text(encoding="utf-8")


def test_no_file_contains_a_path_of_one_machine() -> None:
    machine = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\w+")
    found = {name_of(path): machine.search(path.read_text(encoding="utf-8")) for path in TEXT_FILES}
    assert {name: match.group() for name, match in found.items() if match} == {}
