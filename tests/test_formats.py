"""The table of formats: its rows match their loaders, and a format is added by a module and a row."""

import sys
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType

import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.configuration import configure

from longdoc import loaders
from longdoc.document import Document, Source
from longdoc.loaders import detect
from longdoc.loaders.detect import FORMATS, Format

ROOT = Path(__file__).parents[1]


def test_make_lint_keeps_all_formats_apart():
    configure()
    contracts = read_user_options(str(ROOT / "pyproject.toml")).contracts_options
    modules = {f"longdoc.loaders.{row.module.split('.')[0]}" for row in FORMATS.values()}
    by_name = {contract["name"]: contract for contract in contracts}
    assert set(by_name["Formats are independent of each other"]["modules"]) == modules
    assert set(by_name["What formats share imports no format"]["forbidden_modules"]) == modules


@pytest.mark.parametrize("kind", FORMATS)
def test_every_row_has_its_loader(kind):
    row = FORMATS[kind]
    loader = getattr(import_module(f"longdoc.loaders.{row.module}"), f"load_{kind}")
    attachments = ["read"] if row.has_attachments else []
    assert list(signature(loader).parameters) == ["data", "name", "options", *attachments]
    assert (row.in_data is None) != (row.in_text is None)


def test_a_format_is_one_module_and_one_row(monkeypatch):
    def load_toy(data, *, name, options):
        source = Source(name=name, media_type="text/x-toy", sha256="", loader="toy", version="1")
        return replace(Document.from_text(data.decode().removeprefix("TOY ")), source=source)

    module = ModuleType("longdoc.loaders.toy")
    module.load_toy = load_toy
    row = Format(description="toys", module="toy", in_text=lambda start: start.text.startswith("TOY "))
    monkeypatch.setitem(sys.modules, "longdoc.loaders.toy", module)
    for table in (loaders, detect):
        monkeypatch.setattr(table, "FORMATS", {"toy": row, **FORMATS})
    document = loaders.load(b"TOY 1. Term. One year.")
    assert (document.text, document.source.loader) == ("1. Term. One year.", "toy")
    assert [section.title for section in document.sections] == ["Term"]
