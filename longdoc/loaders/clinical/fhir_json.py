"""Parses the JSON of FHIR safely: nesting is checked before parsing, and numbers are kept as written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders.limits import Limits

Resource = dict[str, Any]
"""A JSON object: a resource or a part of one."""

_TYPE = re.compile("[A-Z][A-Za-z]*")
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)


@dataclass(slots=True)
class Records:
    """The resources of a file in order, with those of Bundles in place of the Bundle."""

    resources: list[Resource] = field(default_factory=list)
    addresses: dict[str, Resource] = field(default_factory=dict)
    """Address (full URL, type and id, contained id) -> resource."""
    problems: list[str] = field(default_factory=list)
    """What is not read."""

    def add(self, url: str, resource: Resource) -> None:
        """Adds a resource under its addresses."""
        self.resources.append(resource)
        number = len(self.resources)
        self.addresses.setdefault(url, resource)
        self.addresses.setdefault(f"{resource['resourceType']}/{string(resource.get('id'))}", resource)
        for inner in listed(resource, "contained"):
            self.addresses.setdefault(f"{number}#{string(inner.get('id'))}", inner)
        if listed(resource, "contained"):
            _qualify_references(resource, str(number))


def parse_resources(data: bytes, name: str, limits: Limits) -> Records:
    """The resources of a file: one, a Bundle, an array, or one per line.

    Raises:
        CorruptDocumentError: it is not JSON, or contains no FHIR resource.
        LimitExceededError: it nests deeper, or has more values, than the limits allow.
    """
    text = _decode(data, name)
    _check_size(text, name, limits)
    records = Records()
    waiting = [("", root) for root in reversed(_roots(text, name, records.problems))]
    unnamed = 0
    while waiting:
        url, resource = waiting.pop()
        if isinstance(resource, list):
            waiting += [("", item) for item in reversed(resource)]
        elif not _TYPE.fullmatch(string(record(resource).get("resourceType"))):
            unnamed += 1
        elif resource["resourceType"] == "Bundle":
            waiting += [
                (string(entry.get("fullUrl")), found)
                for entry in reversed(listed(resource, "entry"))
                for found in _of(entry)
            ]
        else:
            records.add(url, resource)
    if unnamed and not records.resources:
        raise CorruptDocumentError(f"{name}: JSON without a resourceType; allowed: FHIR R4 resources")
    if unnamed:
        records.problems.append(f"not read: JSON without a resourceType, {unnamed} times")
    records.addresses.pop("", None)
    return records


def _of(entry: Resource) -> list[Any]:
    """The resources of an entry of a Bundle, the last one first: its own, and the outcome of a response."""
    found = [record(entry.get("response")).get("outcome"), entry.get("resource")]
    return [resource for resource in found if resource]


def _qualify_references(resource: Resource, prefix: str) -> None:
    """Makes references to contained resources, such as ``#med``, unique in the file by a prefix."""
    waiting: list[object] = [resource]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if string(value.get("reference")).startswith("#"):
                value["reference"] = prefix + value["reference"]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def record(value: object) -> Resource:
    """The value if it is a JSON object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def listed(owner: Resource, key: str) -> list[Resource]:
    """The objects in the array under a key; empty if it is not an array."""
    value = owner.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: object) -> str:
    """The value if it is a string, with NUL and lone surrogates as U+FFFD, otherwise empty; numbers are strings."""
    if not isinstance(value, str):
        return ""
    value = value.replace("\0", "\ufffd")
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode(json.detect_encoding(data)).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise CorruptDocumentError(f"{name}: JSON is not UTF-8 ({error}); save it as UTF-8") from error


def _roots(text: str, name: str, problems: list[str]) -> list[Any]:
    """The JSON value of a file, or the values of its lines; adds the lines that cannot be parsed to the problems."""
    try:
        return [_parse(text, name)]
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        found = [(number, _parsed_or_error(line, name)) for number, line in lines]
        roots = [root for _, root in found if not isinstance(root, ValueError)]
        if not any(string(record(root).get("resourceType")) for root in roots):
            raise CorruptDocumentError(f"{name}: JSON cannot be parsed: {error}; get the file again") from error
        problems += [f"line {number} is not read: {root}" for number, root in found if isinstance(root, ValueError)]
        return roots


def _parsed_or_error(line: str, name: str) -> Any:
    try:
        return _parse(line, name)
    except ValueError as error:
        return error


def _check_size(text: str, name: str, limits: Limits) -> None:
    depth = values = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            limits.check("depth", depth, name)
        elif match[0] in "]}":
            depth -= 1
        values += match[0] in "[{,"
    limits.check("elements", values, name)


def _parse(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:  # the caller's limit allows more nesting than Python does
        raise LimitExceededError(f"{name}: JSON nested deeper than Python can parse; lower Limits.depth") from error


def _object(pairs: list[tuple[str, Any]]) -> Resource:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key in an object")
    return found


def _constant(value: str) -> Any:
    raise ValueError(f"{value} is not valid JSON")
