"""All values in a FHIR resource, whatever its type: which of them are prose, and the documents attached to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from longdoc.loaders.clinical.fhir_json import Resource, string

_ADDRESSES = frozenset(
    "resourceType id url system reference fullUrl profile implicitRules versionId contentType data hash size div "
    "linkId language instantiatesCanonical instantiatesUri questionnaire".split()
)
"""Fields whose strings lead somewhere, or say how to read something."""
_PROSE = frozenset(
    "annotation answer comment comments conclusion contentString description detailString details diagnostics note "
    "patientInstruction preferredText purpose question reasonString requirements summary title usage valueMarkdown "
    "valueString".split()
)
_NOTES = frozenset("comment comments conclusion patientInstruction contentString".split())
_SIGNED = frozenset(("authorReference", "authorString", "time"))
"""The fields of an annotation beside its text."""
_CODE = re.compile(r"\S*|[\d:.TZ+ -]+")  # a single word, a date, or a number
_QUANTITY = frozenset("id extension value comparator unit system code".split())
_ATTACHMENT_FIELDS = ("attachment", "presentedForm", "photo")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value in a resource."""

    field: str
    """The field of the resource that it is in."""
    parent: str
    """The field of the object that it is in."""
    key: str
    text: str
    owner: Resource

    @property
    def is_prose(self) -> bool:
        """Whether it is written for readers, rather than a code, a date, a number or the name for a code."""
        if self.key == "display" or isinstance(self.owner.get(self.key), bool) or is_attachment(self.owner):
            return False
        if self.key == "value" and _is_quantity(self.owner):
            return False
        if self.key == "text" and "coding" in self.owner:
            return False
        return self.key == "text" or self.key in _PROSE or not _CODE.fullmatch(self.text)

    @property
    def is_note(self) -> bool:
        """Whether it is an annotation, a conclusion or an instruction, which a narrative may leave out."""
        is_annotation = self.parent in ("note", "progress") or not _SIGNED.isdisjoint(self.owner)
        return self.key in _NOTES or (self.key == "text" and is_annotation)


@dataclass(slots=True)
class Contents:
    """What is in a resource, in the order of its fields, without metadata and contained resources."""

    leaves: list[Leaf] = field(default_factory=list)
    """Its values, without addresses."""
    attachments: list[Resource] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    """Resources within it that are not contained, such as those of Parameters."""
    n_samples: int = 0
    """Number of series of measurements, such as electrocardiograms."""

    def without(self, *fields: str) -> list[Leaf]:
        """The values in other fields of the resource than these."""
        return [leaf for leaf in self.leaves if leaf.field not in fields]


def contents_of(resource: Resource) -> Contents:
    """All that is in a resource, or in a part of one."""
    found = Contents()
    if string(resource.get("resourceType")) == "Binary" and (resource.get("data") or resource.get("url")):
        found.attachments.append(resource)
    waiting: list[tuple[str, str, str, Resource, object]] = [
        (key, "", key, resource, resource[key]) for key in reversed(resource) if key not in ("meta", "contained")
    ]
    while waiting:
        name, parent, key, owner, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(name, parent, key, owner, item) for item in reversed(value)]
        elif isinstance(value, bool):
            found.leaves.append(Leaf(name, parent, key, f"{key} {str(value).lower()}", owner))
        elif isinstance(value, str):
            if key not in _ADDRESSES and (text := string(value).strip()):
                found.leaves.append(Leaf(name, parent, key, text, owner))
        elif isinstance(value, dict) and "resourceType" in value:
            found.resources.append(value)
        elif isinstance(value, dict) and not isinstance(value.get("div"), str):  # a narrative is read as such
            if is_attachment(value, key) and (value.get("data") or value.get("url")):
                found.attachments.append(value)
            found.n_samples += "dimensions" in value and "data" in value
            inner_values = _as_one(value) if _is_quantity(value) else value
            waiting += [(name, key, inner, value, inner_values[inner]) for inner in reversed(inner_values)]
    return found


def amount(part: Resource) -> str:
    """The number of a Quantity with its sign of comparison and its unit, of which 1 is none; empty without a number."""
    number = string(part.get("value"))
    unit = string(part.get("unit")) or string(part.get("code"))
    unit = "" if unit == "1" else unit
    return f"{string(part.get('comparator'))}{number} {unit}".strip() if number else ""


def _is_quantity(part: Resource) -> bool:
    return bool(string(part.get("value"))) and _QUANTITY.issuperset(part) and ("unit" in part or "comparator" in part)


def _as_one(quantity: Resource) -> Resource:
    """A Quantity with its amount as its value: what is left of a number without its sign or unit says little."""
    said = ("comparator", "unit", *(["code"] if quantity.get("code") == quantity.get("unit") else []))
    rest = {key: value for key, value in quantity.items() if key not in said}
    return {**rest, "value": amount(quantity)}


def is_attachment(part: Resource, key: str = "") -> bool:
    """Whether a part of a resource, in the field ``key``, is an attachment."""
    has_content = isinstance(part.get("data"), str) or isinstance(part.get("url"), str)
    named = key in _ATTACHMENT_FIELDS or key.endswith("Attachment") or isinstance(part.get("contentType"), str)
    return has_content and "resourceType" not in part and named
