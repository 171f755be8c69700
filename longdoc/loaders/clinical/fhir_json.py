"""Parses the JSON of FHIR safely: nesting is checked before parsing, and numbers are kept as written."""

from __future__ import annotations

import json
import re
from typing import Any

from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders.limits import Limits

Resource = dict[str, Any]
"""A JSON object: a resource or a part of one."""

_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def parse_resources(data: bytes, name: str, limits: Limits) -> tuple[list[Resource], dict[str, Resource]]:
    """The resources of a file in order, with those of Bundles in place of the Bundle.

    Returns:
        The resources, and a mapping from addresses (full URL, type and id, contained id) to resources.

    Raises:
        CorruptDocumentError: it is not JSON, or not a FHIR resource.
        LimitExceededError: it nests deeper than the limits allow.
    """
    text = _decode(data, name)
    _check_depth(text, name, limits)
    roots = _roots(text, name)
    resources: list[Resource] = []
    addresses: dict[str, Resource] = {}
    waiting = [("", root) for root in reversed(roots)]
    while waiting:
        url, resource = waiting.pop()
        if not string(record(resource).get("resourceType")):
            raise CorruptDocumentError(f"{name}: JSON without a resourceType; allowed: FHIR R4 resources")
        if resource["resourceType"] == "Bundle":
            entries = [entry for entry in listed(resource, "entry") if record(entry.get("resource"))]
            waiting += [(string(entry.get("fullUrl")), entry["resource"]) for entry in reversed(entries)]
            continue
        resources.append(resource)
        addresses.setdefault(url, resource)
        addresses.setdefault(f"{resource['resourceType']}/{string(resource.get('id'))}", resource)
        for inner in listed(resource, "contained"):
            addresses.setdefault(f"{len(resources)}#{string(inner.get('id'))}", inner)
        if listed(resource, "contained"):
            _qualify_references(resource, str(len(resources)))
    addresses.pop("", None)
    return resources, addresses


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
    """The value if it is a string, with lone surrogates as U+FFFD; otherwise empty. Numbers were parsed as strings."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else ""


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode(json.detect_encoding(data)).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise CorruptDocumentError(f"{name}: JSON is not UTF-8 ({error}); save it as UTF-8") from error


def _roots(text: str, name: str) -> list[Any]:
    """The JSON value of a file, or the values of its lines."""
    try:
        return [_parse(text)]
    except ValueError as error:
        try:
            return [_parse(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise CorruptDocumentError(f"{name}: JSON cannot be parsed: {error}; get the file again") from error
    except RecursionError as error:  # the caller's limit allows more nesting than Python does
        raise LimitExceededError(f"{name}: JSON nested deeper than Python can parse; lower Limits.depth") from error


def _check_depth(text: str, name: str, limits: Limits) -> None:
    depth = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            limits.check("depth", depth, name)
        elif match[0] in "]}":
            depth -= 1


def _parse(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=_object, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> Resource:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key in an object")
    return found


def _constant(value: str) -> Any:
    raise ValueError(f"{value} is not valid JSON")
