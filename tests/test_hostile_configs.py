"""Configurations that would take forever, run code or say two things: refused at once, with file, line and key."""

import tracemalloc
from pathlib import Path

import pytest

from longdoc.backtracking import why_slow
from longdoc.config_files import MAX_BYTES, MAX_VALUES, read_json, read_yaml
from longdoc.errors import ConfigError
from longdoc.rules import SHIPPED, Rules
from longdoc.schema import load_schema


def bomb(first: str, levels: int) -> str:
    """Lines of which each repeats the one before ten times."""
    lines = [f"a0: &a0 [{first}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "an alias bomb": (
        bomb("x, x, x, x", 9),
        r"line \d: a\d\[\d\]: more than 50,000 values, with all that aliases repeat",
    ),
    "a bomb of merges": (
        f"a: &a {{x: 1}}\nb: {{<<: [{', '.join(['*a'] * 30_000)}]}}",
        "line 2: b.<<.*more than 50,000",
    ),
    "doubling": (
        "\n".join(["k0: &k0 [x]", *(f"k{n}: &k{n} [*k{n - 1}, *k{n - 1}]" for n in range(1, 60))]),
        "line 15: k14",
    ),
    "a circle": ("name: &a [*a]", r"line 1: name: the alias \*a is within what it repeats"),
    "a circle of mappings": ("fields: &f {a: {b: *f}}", r"line 1: fields.a.b: the alias \*f is within"),
    "depth": ("name: " + "[" * 50 + "]" * 50, "line 1: name.*nested more than 40 deep"),
    "great depth": ("name: " + "[" * 100_000, "not valid YAML: exceeded maximum nesting depth"),
    "many keys": (
        "fields:\n" + "\n".join(f"  k{n}: {{question: x}}" for n in range(20_000)),
        "fields.k12.*more than 50,000",
    ),
    "unknown keys": ("\n".join(f"k{n}: 1" for n in range(20_000)), "unknown key 'k0'"),
    "a large file": ("name: " + "x" * MAX_BYTES, "more than 1,000,000 bytes"),
    "code": ("name: !!python/object/apply:os.system [ls]", "line 1: not valid YAML: could not determine a constructor"),
    "a name of Python": ("name: !!python/name:os.system", "line 1: not valid YAML: could not determine"),
    "a tag of its own": (
        "name: !run ls",
        "line 1: not valid YAML: could not determine a constructor for the tag '!run'",
    ),
    "a key twice": ("name: a\nfields: {}\nname: b", "line 3: name: key 'name' is given twice"),
    "a key twice within": (
        "fields:\n  a:\n    question: x\n    question: y",
        "line 4: fields.a.question: .* given twice",
    ),
    "a key twice in quotes": ("fields: {a: {question: x, 'question': y}}", "key 'question' is given twice"),
    "a long integer": ("name: " + "9" * 5_000, "line 1: .*a number of 5,000 characters; allowed: 40"),
    "a long number in base 16": ("name: 0x" + "f" * 100_000, "a number of 100,002 characters"),
    "a long number in base 60": ("name: " + ":".join(["1"] * 10_000), "a number of 19,999 characters"),
    "no date": ("name: 2020-02-30", "line 1: not valid YAML: not a value of tag:yaml.org,2002:timestamp"),
    "no timestamp": ("name: !!timestamp x", "line 1: not valid YAML: not a value of"),
    "no integer": ("name: !!int x", "line 1: not valid YAML: not a value of"),
    "no boolean": ("name: !!bool maybe", "line 1: not valid YAML: not a value of"),
    "a date": ("name: 2020-02-03", "name: expected str, got datetime.date"),
    "not a number": ("name: .nan", r"name: expected str, got nan \(float\)"),
    "a key that is a list": ("? [a, b]\n: 1", "line 1: not valid YAML: found unhashable key"),
    "a control character": ("name: \0", "not valid YAML: .*control characters are not allowed"),
    "a hidden character in a key": ("na\u202eme: x", r"unknown key 'na\\u202eme'"),
    "an unknown alias": ("name: *x", "line 1: not valid YAML: found undefined alias"),
    "two documents": ("name: a\n---\nname: b", "line 2: not valid YAML: but found another document"),
    "not UTF-8": ("name: \udcff", r"not UTF-8 \(byte 6\); save it as UTF-8"),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=message) as caught:
        load_schema(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 500 + len(str(path))


def test_a_bomb_needs_no_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(f"parts: {{{bomb('{LOWER: x}', 9).replace(chr(10), ', ')}}}\nrules: []")
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match=r"parts\.a"):
            Rules.load(tmp_path / "bomb.yaml")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_honest_yaml_is_read_as_before(tmp_path: Path) -> None:
    text = (
        "\ufeffbase: &base {size: 3, rate: 3e-5, date: 2020-02-03, day: '2020-02-03'}\n"
        "more:\n  again: {<<: *base, size: 4}\n  third: &third {<<: *base, rate: 1.5}\n"
        "fourth: {<<: *third, size: 5}\nlist: [*base, *base, 0x1f, 1_000, ~, yes, 'yes', .inf]\n"
    )
    (tmp_path / "honest.yaml").write_text(text, encoding="utf-8")
    found = read_yaml(tmp_path / "honest.yaml")
    assert found["base"]["rate"] == 3e-5 and found["base"]["day"] == "2020-02-03"
    assert found["more"]["again"] == {**found["base"], "size": 4}
    assert found["fourth"] == {**found["base"], "rate": 1.5, "size": 5}
    assert found["list"] == [found["base"], found["base"], 31, 1000, None, True, "yes", float("inf")]


def test_as_many_values_as_are_allowed_are_read(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(f"[{', '.join(['x'] * (MAX_VALUES - 1))}]")
    assert len(read_yaml(tmp_path / "long.yaml")) == MAX_VALUES - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": 1, "a": 2}', "key 'a' is given twice"),
        ('{"a": NaN}', "NaN is not a number of JSON"),
        (f'{{"a": {"9" * 5_000}}}', "not JSON"),
        ('{"a": "' + "x" * MAX_BYTES + '"}', "more than 1,000,000 bytes"),
    ],
)
def test_hostile_json_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "ds_config.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_json(tmp_path / "ds_config.json")


SLOW = [
    r"(a+)+$",
    r"(a*)*b",
    r"(a|aa)+$",
    r"(\w+\s?)+$",
    r"(.*a){20}",
    r"(a{1000}){1000}",
    r"(?:a?){30}b",
    r"(\d+|\w)+x",
    r"(x+x+)+y",
    r"(a?a?)*b",
    r"(?:(?:a+){3}){3}",
    r'([^"]*|"[^"]*")*x',
    r"(?=(a+)+$)a",
    r"(a+?)+?$",
    r"(\w\d|\d\w)*$",
    r"(?:ab|a|b)+$",
    r".*a.*a.*a.*a.*b",
    r"\d+\d+\d+\d+\d+x",
    r"((((((((a*)*)*)*)*)*)*)*)*b",
    "(" * 500 + "a" + ")" * 500,
    "x" * 3_000,
    r"(?:[\u4e00-\u9fff]+)+$",
    r"(?:[\u0900-\u097f]x?|\d)+$",
    r"(?i)(?:[A-Z]x?|[a-z])+$",
    r"(?:(?i:[A-Z])|[a-z])+$",
    r"\w{0,900}" * 4 + "!",
    r"\w{0,900}\w{0,900}!",
    "(?:ab)*" * 6 + "!",
    "(?:ab)*(?:ab)*(?:ab)*!",
    r"(?:ab)+\w*!",
    r"^\d+\d+\d+x",
    r"\d+\d+x",
    r"\w+\d+\s",
    r".*,.*b",
    r".*a.*a.*b",
    r"\s*\s*\s*x",
    r"\w+(?=\w*\d*x)!",
    r"(.)\1*\1*\1*x",
    r"(?:\w+\s?){1,4}#",
    "(?:ab|ab){20}c",
    "(?:ab?|a)" * 20 + "c",
    "(?:(?:a*)?b)*c",
    "(?:a(?:|))*c",
    "(?:a(?:(?=a))?)+$",
    "(?:(?=a)|(?=b)|)" * 24 + "c",
    r"(?:\b|)a" * 20 + "c",
    "a?" * 20 + "b",
    "(?:a{1,50}){1,20}b",
    r"(?m)^\s+\s+x",
    r"(?:a+|b)*a*a*c|x",
]
QUICK = [
    r"(?:\d+\.)*\d+",
    r"^\w+(?:-\w+)*$",
    r"[A-Z][a-z]+(?: [A-Z][a-z]+)*",
    r"^(?:foo|bar|baz)+$",
    r"\d{1,3}(?:,\d{3})*(?:\.\d+)?",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"(\d{2}){3}",
    r"^\s*(.*?)\s*$",
    r"(?:[A-Z]\.)+",
    r"https?://\S+",
    r"(?P<a>x)(?(a)y|z)",
    r"(['\"]).*?\1",
    "(",
    r"\b(?:[A-Z][a-z]+\s?){1,4}\b",
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4})",
    r"(?i)\b(?:jan(?:uary)?|june?|july?|sept?(?:ember)?)\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}\b",
    r"(?:\d{2}:){1,2}\d{2}(?:\s?[AaPp]\.?[Mm]\.?)?",
    r"[$€£]\s*\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion|k|m|bn))?",
    r"(?:USD|EUR|GBP)\s*\d+(?:[.,]\d+)*",
    r"(?:\d{1,3}[.,]?){1,4}",
    r"\d+\s*(?:%|percent|per cent)",
    r"^(?:Section|Article|§+)\s*\d+(?:\.\d+)*(?:\([a-zA-Z0-9]+\))*$",
    r"\b\d+(?:\.\d+){0,5}(?:\([a-z]{1,3}\))*",
    r"^(?:\d+|[a-z]|[ivx]+)[.)]$",
    r"[A-Z][\w&.'-]*(?: [A-Z][\w&.'-]*)*,? (?:Inc|LLC|Ltd|Corp|GmbH)\.?",
    r"(?:[A-Z][a-z]+ ){1,3}(?:Bank|Trust|Company)",
    r"\bM(?:r|rs|s)\.? [A-Z]\w+(?: [A-Z]\w+)?",
    r"\d+\s+[A-Z]\w+\s+(?:Street|St|Avenue|Ave|Road)\b",
    r"(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}",
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"\b\d+[\w-]*\b",
    r"\b[A-Z]{2,5}-\d{3,6}\b",
    r"[A-Z]{1,3}\d{1,3}\w*$",
    r"^(?=.*[A-Z])(?=.*\d).+$",
    r"^.*\bInc\b.*$",
    r"[\u0400-\u04ff]+(?:-[\u0400-\u04ff]+)*",
    r"\"[^\"]*\"",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_an_expression_that_may_take_very_long_is_found(pattern: str) -> None:
    assert why_slow(pattern)


@pytest.mark.parametrize("pattern", QUICK)
def test_an_honest_expression_is_left_alone(pattern: str) -> None:
    assert why_slow(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[{LOWER: {REGEX: '(a+)+$'}}]", r"pattern\[0\]: the expression '\(a\+\)\+\$' may take very long"),
        ("[{ORTH: x}, {text: {regex: {IN: [x, '(a{1000}){1000}']}}}]", r"pattern\[1\]: the expression"),
        ("[{LOWER: a, OP: '{0,30}'}]", "30 optional tokens of one kind, each of which doubles the time; allowed: 12"),
        ("[{LOWER: a, OP: '{1,100000}'}]", "100,000 tokens, those that a count repeats included; allowed: 200"),
        (f"[{{LOWER: a, OP: '{{{'9' * 5_000}}}'}}]", "tokens, those that a count repeats included"),
        (f"[{', '.join(['{LOWER: a, OP: +}'] * 5)}]", r"5 tokens with \* or \+"),
        ("[{IS_ALPHA: true, OP: +}, {IS_ALPHA: true, OP: '*'}]", r"2 tokens in a row with \* or \+ that test the same"),
        ("[{LOWER: a, OP: +}, {LOWER: b, OP: '?'}, {LOWER: a}, {LOWER: a, OP: '{1,}'}]", "2 tokens in a row with"),
        (
            f"[{', '.join(f'{{LOWER: a{n}, OP: ?}}'.replace('?', chr(34) + '?' + chr(34)) for n in range(30))}]",
            "30 optional",
        ),
        ("[{OP: '*'}]", r"pattern\[0\]: it matches all tokens to the end"),
        ("[{OP: '{0,}'}]", r"pattern\[0\]: it matches all tokens to the end"),
        ("[{OP: '{0, 24}'}]", r"pattern\[0\]: OP: '\{0, 24\}' is unknown"),
        (f"[{', '.join(['{IS_ALPHA: true, OP: ' + chr(34) + '{1,}' + chr(34) + '}'] * 5)}]", "5 tokens with"),
    ],
)
def test_a_rule_that_may_take_very_long_is_refused(tmp_path: Path, pattern: str, message: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"rules: [{{label: A, pattern: x}}, {{label: B, pattern: {pattern}}}]")
    with pytest.raises(ConfigError, match=message) as caught:
        Rules.load(path)
    assert str(caught.value).startswith(f"{path}: rules[1]: ")


def test_a_rule_may_repeat_a_token_again_after_another(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{label: A, pattern: [{IS_TITLE: true, OP: +}, {LOWER: of}, {IS_TITLE: true, OP: +}]}]")
    assert [span.label for span in Rules.load(path).find("the Bank of New York")] == ["A"]


@pytest.mark.parametrize("shipped", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_copy_of_the_shipped_rules_is_allowed(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    assert Rules.load(tmp_path / "copy.yaml").rules == Rules.load(shipped.stem).rules
