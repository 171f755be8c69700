"""Every regular expression of the package, with the strings that cost it most."""

import ast
import importlib
import pkgutil
import re
import re._constants as code
import re._parser as parser
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import yaml

import longdoc
from longdoc.rules import SHIPPED

METHODS = {"search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split"}
ANCHORED = {"match", "fullmatch"}
SAMPLES = " \n\t1aAzZi.,;:-–_'\"“()[]{}<>/&*#$%=|@\\\r\x0c\xa0é§•0"
PUMPS = (
    *SAMPLES,
    *(
        "a ",
        "A ",
        "Aa ",
        "Aa",
        "a. ",
        "A. ",
        "1 ",
        "1.",
        "1, ",
        "1-",
        ". ",
        ", ",
        "- ",
        "a\n",
        "A\n",
        "Aa\n",
        "1\n",
        " \n",
        "\n\n",
    ),
    *(
        "(a",
        "(a) ",
        "(1) ",
        "<a",
        "<a>",
        "<a ",
        "</",
        "&a",
        "a-",
        "a@",
        "a.",
        "a'",
        "and ",
        "Aa and ",
        "Aa, ",
        "the ",
        "of the ",
        "a, and ",
    ),
)
ENDS = ("\0", "", " a")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, where it stands, and how it is called."""

    where: str
    pattern: re.Pattern
    methods: frozenset[str]


def patterns() -> list[Pattern]:
    """The regular expressions of all modules and of the shipped rules, each once."""
    found: dict[re.Pattern, Pattern] = {}
    for info in pkgutil.walk_packages(longdoc.__path__, "longdoc."):
        if not info.name.endswith("__main__"):
            for each in _of_module(importlib.import_module(info.name)):
                known = found.get(each.pattern, each)
                found[each.pattern] = Pattern(known.where, each.pattern, known.methods | each.methods)
    for path in sorted(SHIPPED.glob("*.yaml")):
        for number, text in enumerate(_regexes(yaml.safe_load(path.read_text(encoding="utf-8")))):
            pattern = re.compile(text)
            found.setdefault(pattern, Pattern(f"{path.name} {number}", pattern, frozenset({"search"})))
    return list(found.values())


def _regexes(node: object) -> Iterator[str]:
    """The regular expressions in the content of a rule file."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "REGEX":
                yield value
            else:
                yield from _regexes(value)
    elif isinstance(node, list):
        for each in node:
            yield from _regexes(each)


def _of_module(module: ModuleType) -> Iterator[Pattern]:
    """The patterns that a module compiles or passes to a function of ``re``."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    name = module.__name__.removeprefix("longdoc.")
    named = set()
    for key, value in vars(module).items():
        for number, pattern in enumerate(_compiled(value, set())):
            named.add(pattern)
            mark = f"[{number}]" if number else ""
            yield Pattern(f"{name}.{key}{mark}", pattern, frozenset(used.get(key, ())))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
        ):
            try:
                source = eval(compile(ast.Expression(node.args[0]), name, "eval"), dict(vars(module)))
                pattern = source if isinstance(source, re.Pattern) else re.compile(source, _flags(node, module))
            except (NameError, TypeError, re.error):
                continue
            method = frozenset({node.func.attr} & METHODS)
            if method or pattern not in named:
                yield Pattern(f"{name}:{node.lineno}", pattern, method)


def _flags(node: ast.Call, module: ModuleType) -> int:
    position = {
        "compile": 1,
        "search": 2,
        "match": 2,
        "fullmatch": 2,
        "finditer": 2,
        "findall": 2,
        "sub": 4,
        "split": 3,
    }
    given = [each.value for each in node.keywords if each.arg == "flags"]
    if not given and len(node.args) > (at := position.get(node.func.attr, 9)):
        given = [node.args[at]]
    return int(eval(compile(ast.Expression(given[0]), "flags", "eval"), dict(vars(module)))) if given else 0


def _compiled(value: object, seen: set[int]) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif hasattr(value, "cache_info") and "Pattern" in str(value.__annotations__.get("return")):
        if value.__wrapped__.__code__.co_argcount == 0:
            yield from _compiled(value(), seen)
    elif isinstance(value, (list, tuple, dict, frozenset, set)) and id(value) not in seen:
        seen.add(id(value))
        for each in value.items() if isinstance(value, dict) else value:
            yield from _compiled(each, seen)


def worst_strings(pattern: re.Pattern, n: int) -> Iterator[str]:
    """Strings of about ``n`` characters that repeat what the pattern can repeat, or what comes before it."""
    pumps: dict[tuple[str, str], None] = {}
    tree = parser.parse(
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1"),
        pattern.flags & ~re.UNICODE & ~re.LOCALE if isinstance(pattern.pattern, bytes) else pattern.flags,
    )
    for prefix, body in _repeats(tree, [""], 0):
        for pump in body:
            pumps[prefix, pump] = None
            pumps["", prefix + pump] = None
        if prefix:
            pumps["", prefix] = None
    for pump in PUMPS:
        pumps["", pump] = None
    for prefix, pump in list(pumps)[:160]:
        if pump:
            for end in ENDS if prefix or len(pump) < 3 else ENDS[:2]:
                yield prefix + pump * (n // len(pump)) + end


def _repeats(tree, before: list[str], depth: int) -> Iterator[tuple[str, list[str]]]:
    """For each repetition without a small bound: texts that lead up to it, and texts of its body."""
    texts = list(before)
    for op, argument in tree:
        for inner in _inner(op, argument):
            yield from _repeats(inner, texts[:3], depth + 1)
        if op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
            _, high, body = argument
            samples = _texts(body, 8)
            if high > 20:
                for text in texts[:3]:
                    yield text, samples
        texts = [a + b for a in texts[:4] for b in _texts([(op, argument)], 3)][:6] or texts


def _inner(op, argument):
    if op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        return [argument[2]]
    if op is code.SUBPATTERN:
        return [argument[3]]
    if op is code.ATOMIC_GROUP:
        return [argument]
    if op is code.BRANCH:
        return argument[1]
    if op in (code.ASSERT, code.ASSERT_NOT):
        return [argument[1]]
    return []


def _texts(tree, limit: int) -> list[str]:
    """Some texts that a part of a pattern matches."""
    texts = [""]
    for op, argument in tree:
        texts = [a + b for a in texts for b in _texts_of(op, argument, limit)][:limit] or texts
    return texts


def _texts_of(op, argument, limit: int) -> list[str]:
    if op is code.LITERAL:
        return [chr(argument)]
    if op in (code.NOT_LITERAL, code.ANY, code.IN, code.CATEGORY):
        return _members(str(op), repr(argument), op, argument)[:limit]
    if op is code.BRANCH:
        return [text for branch in argument[1] for text in _texts(branch, 2)][:limit]
    if op is code.SUBPATTERN:
        return _texts(argument[3], limit)
    if op is code.ATOMIC_GROUP:
        return _texts(argument, limit)
    if op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        low, _, body = argument
        once = _texts(body, limit)
        return [*(text * max(low, 1) for text in once), *([""] if low == 0 else [])][:limit]
    return [""]


_CACHE: dict[str, list[str]] = {}


def _members(name: str, key: str, op, argument) -> list[str]:
    key = f"{name} {key}"
    if key not in _CACHE:
        tree = [(op, argument)]
        if op is code.CATEGORY:
            tree = [(code.IN, [(op, argument)])]
        _CACHE[key] = [char for char in SAMPLES if _matches(tree, char)]
    return _CACHE[key]


def _matches(tree, char: str) -> bool:
    op, argument = tree[0]
    if op is code.NOT_LITERAL:
        return char != chr(argument)
    if op is code.ANY:
        return char != "\n"
    negate, hit = False, False
    for each, value in argument:
        if each is code.NEGATE:
            negate = True
        elif each is code.LITERAL:
            hit |= ord(char) == value
        elif each is code.RANGE:
            hit |= value[0] <= ord(char) <= value[1]
        elif each is code.CATEGORY:
            test = {"SPACE": r"\s", "DIGIT": r"\d", "WORD": r"\w"}[str(value).rsplit("_", 1)[-1]]
            hit |= bool(re.match(test, char)) != ("NOT" in str(value))
    return hit != negate


BOUNDED = {
    "asking._MEANING": "a question",
    "batch.inputs._SUFFIX": "a path",
    "batch.writers._RECORD": "a part of a table that longdoc wrote; only the last line can lack its end",
    "document_type._signs": "43,000 characters, whose runs without words are cut to 20",
    "hub.tags._FORMS": "the name of a tag, matched whole",
    "loaders.detect._COMMENT": "the text up to the last end of a comment",
    "loaders.html._CHARSET": "the first 4,096 bytes",
    "loaders.layout.counters._AT_END": "a line, matched whole",
    "loaders.layout.hyphens": "the letters beside a hyphen",
    "loaders.pdf.damage._NUMBER": "100 bytes",
    "loaders.pdf.operators._NAMED": "300 bytes",
    "loaders.raised._TERM_IN_BRACKETS": "the end of the text before a raised number",
    "model_files.expressions._REPEATED": "an expression of at most 2,000 characters",
    "records.": "a sentence of at most 4,000 characters, or the front page or the signatures",
    "sections.labels._LAST_WORD": "30 characters",
    "sections.labels._NEXT_MARK": "matched at one place after a number",
    "titles.": "the first 6,000 characters",
    "values.": "an answer",
    ".yaml": "a token of at most 1,000 characters",
}
"""Patterns that grow faster than their text, or the modules of such patterns, and what bounds the text they read."""


def superlinear(found: Pattern) -> list[str]:
    """The pattern, with a string on which it takes more than linear time, if there is one that nothing bounds."""
    if any(part in found.where for part in BOUNDED):
        return []
    for short, long in zip(worst_strings(found.pattern, 1_000), worst_strings(found.pattern, 8_000), strict=True):
        if (first := _seconds(found, short)) > 5e-4 and _seconds(found, long) > 2 * 8 * first > 0:
            return [f"{found.where}: {short[:40]!r} ... {short[-5:]!r}"]
    return []


def _seconds(found: Pattern, text: str) -> float:
    """The least CPU seconds of the methods by which a pattern is used on a text."""
    subject = text if isinstance(found.pattern.pattern, str) else text.encode("latin-1", "replace")
    started = time.process_time()
    for method in sorted((found.methods & ANCHORED) if found.methods <= ANCHORED and found.methods else {"findall"}):
        getattr(found.pattern, method)(subject)
    return time.process_time() - started
