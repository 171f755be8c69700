"""Every key of every configuration is documented: by ``longdoc config`` and in ``docs/configuration.md``."""

import dataclasses
import re
import runpy
from pathlib import Path

import pytest
import yaml

from longdoc import cli
from longdoc.cli.config_keys import CONFIGS, mappings
from longdoc.config import from_dict, keys_of, to_dict

ROOT = Path(__file__).parents[1]
MAPPINGS = {name: mappings(name) for name in CONFIGS}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_key_has_a_type_a_text_and_its_default(name):
    for mapped in MAPPINGS[name]:
        assert mapped.text, mapped.place
        fields = keys_of(mapped.cls)
        assert {key.name for key in mapped.keys} == fields.keys() - mapped.without
        for key in mapped.keys:
            assert re.fullmatch(r"[A-Z`\[].*[.!)]", key.text), f"{mapped.place}.{key.name}: {key.text!r}"
            assert not re.search(r":\w+:`|``", key.text), f"{mapped.place}.{key.name}: markup is left"
            assert key.type
            field = fields[key.name]
            if key.default is None:
                assert field.default is field.default_factory is dataclasses.MISSING
            else:
                default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
                assert yaml.safe_load(key.default) == to_dict(default), key


def test_no_key_of_the_shipped_configurations_is_missing():
    documented = {key.name for own in MAPPINGS.values() for mapped in own for key in mapped.keys}
    assert {"window", "class_weights", "teacher", "rank", "floor", "global_tokens", "span_group", "label"} <= documented
    module_names = {mapped.cls.__name__ for own in MAPPINGS.values() for mapped in own}
    assert {"TaskConfig", "DistillConfig", "ScratchConfig", "Calibration", "SparsePattern", "Field"} <= module_names


def test_the_page_is_current():
    page = runpy.run_path(str(ROOT / "docs" / "describe_configs.py"))["page"]
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert text == page(text), "run python docs/describe_configs.py"


@pytest.mark.parametrize("name", CONFIGS)
def test_the_command_prints_every_key(name, capsys):
    assert cli.main(["config", name]) == 0
    printed = capsys.readouterr().out
    for mapped in MAPPINGS[name]:
        assert not mapped.place or f"\n{mapped.place}: " in printed
        for key in mapped.keys:
            assert f"\n  {key.name}: " in printed
    assert max(map(len, printed.splitlines())) <= 110
    assert "; required\n" in printed and "; default: " in printed


def test_what_is_documented_as_a_default_is_read(tmp_path):
    (top, *_) = MAPPINGS["evaluate"]
    given = {key.name: yaml.safe_load(key.default) for key in top.keys if key.default is not None}
    data = {"datasets": {"a": {"reader": "jsonl", "files": ["a"]}}}
    assert from_dict(top.cls, {**given, **data}) == from_dict(top.cls, data)
