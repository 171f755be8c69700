"""Coded FHIR resources as readable text, and the metadata of a record."""

from __future__ import annotations

from longdoc.loaders.clinical.fhir_json import Resource, listed, record, string

_READABLE_FIELDS = ("title", "name", "text", "display", "description", "comment", "conclusion", "valueString")
_DEFAULT_FIELDS = tuple("title name code type category description value status effective date note".split())
FIELDS: dict[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("code", "clinicalStatus", "criticality", "reaction", "onset", "recordedDate", "note"),
    "Condition": ("code", "clinicalStatus", "verificationStatus", "severity", "onset", "abatement", "note"),
    "DiagnosticReport": ("code", "effective", "issued"),
    "DocumentReference": ("type", "description", "date"),
    "Encounter": ("type", "class", "reasonCode", "period"),
    "Immunization": ("vaccineCode", "status", "occurrence", "note"),
    "MedicationRequest": ("medication", "dosageInstruction", "status", "authoredOn", "note"),
    "MedicationStatement": ("medication", "dosage", "status", "effective", "note"),
    "MedicationAdministration": ("medication", "dosage", "status", "effective", "note"),
    "Observation": ("code", "value", "interpretation", "referenceRange", "effective", "note", "component"),
    "Organization": ("name", "type"),
    "Patient": ("name", "gender", "birthDate", "deceased", "address"),
    "Practitioner": ("name", "qualification"),
    "Procedure": ("code", "status", "performed", "reasonCode", "outcome", "note"),
}
"""Resource type -> fields to read, in order; ``value`` covers ``valueQuantity``, ``valueString`` and so on."""


def describe(resource: Resource, addresses: dict[str, Resource]) -> list[str]:
    """The contents of a resource as pieces of text: its subject first, without repetitions."""
    kind = string(resource.get("resourceType"))
    pieces = [readable(_choice(resource, field), addresses) for field in FIELDS.get(kind, _DEFAULT_FIELDS)]
    if kind not in FIELDS:
        pieces += _readable_fields(resource)
    return list(dict.fromkeys(filter(None, pieces)))


def _readable_fields(resource: Resource) -> list[str]:
    """The values of all fields of a resource that are meant for readers, in order."""
    found: list[str] = []
    waiting = [(key, resource[key]) for key in reversed(resource) if key not in ("text", "contained")]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(inner, value[inner]) for inner in reversed(value)]
        elif isinstance(value, list):
            waiting += [(key, item) for item in reversed(value)]
        elif key in _READABLE_FIELDS:
            found.append(string(value))
    return found


def metadata_of(resources: list[Resource], addresses: dict[str, Resource]) -> dict[str, str]:
    """The metadata of a file: of its Composition, or else its first resource, and of the patient."""
    by_type = {string(resource.get("resourceType")): resource for resource in reversed(resources)}
    leading = by_type.get("Composition") or (resources[0] if resources else {})
    patient = by_type.get("Patient", {})
    dates = (readable(_choice(leading, key), addresses) for key in ("date", "effective", "issued", "authoredOn"))
    found = {
        "Title": string(leading.get("title")) or string(leading.get("description")),
        "Resource type": string(leading.get("resourceType")),
        "Resource id": string(leading.get("id")),
        "Document type": readable(leading.get("type"), addresses),
        "Status": string(leading.get("status")),
        "Date": next(filter(None, dates), ""),
        "Author": "; ".join(filter(None, (readable(author, addresses) for author in listed(leading, "author")))),
        "Patient": readable(patient.get("name"), addresses) or readable(leading.get("subject"), addresses),
        "Birth date": string(patient.get("birthDate")),
        "Gender": string(patient.get("gender")),
    }
    return {key: value for key, value in found.items() if value}


def readable(value: object, addresses: dict[str, Resource]) -> str:
    """A value of any FHIR type as text; empty if it has none."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_readable_item(item, addresses) for item in value)))
    return _readable_item(value, addresses)


def _readable_item(value: object, addresses: dict[str, Resource]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    part = record(value)
    if not part:
        return string(value)
    target = addresses.get(string(part.get("reference")))
    if string(part.get("text")) or string(part.get("display")):
        return string(part.get("text")) or string(part.get("display"))
    if target is not None:
        return _name(target.get("name")) or _concept(target.get("code"))
    return _quantity(part) or _concept(part) or _name(part) or _parts(part)


def _concept(value: object) -> str:
    """The text of a CodeableConcept or a Coding."""
    part = record(value)
    names = (string(c.get("display")) or string(c.get("code")) for c in listed(part, "coding"))
    return string(part.get("text")) or next(filter(None, names), "") or string(part.get("code"))


def _quantity(part: Resource) -> str:
    """The text of a Quantity, Range, Ratio or Period."""
    for low, high, sign in (("low", "high", "–"), ("numerator", "denominator", "/"), ("start", "end", " to ")):
        ends = [_amount(record(end)) or string(end) for end in (part.get(low), part.get(high))]
        if any(ends):
            return sign.join(filter(None, ends))
    return _amount(part)


def _amount(part: Resource) -> str:
    """A number with its unit."""
    number = string(part.get("value"))
    unit = string(part.get("unit")) or string(part.get("code"))
    return f"{string(part.get('comparator'))}{number} {unit}".strip() if number else ""


def _name(value: object) -> str:
    """The text of a HumanName, of the first in a list, or of the name of an organization."""
    first = value[0] if isinstance(value, list) and value else value
    part = record(first)
    given = part.get("given")
    names = [*given, part.get("family")] if isinstance(given, list) else [part.get("family")]
    return string(first) or string(part.get("text")) or " ".join(filter(None, map(string, names)))


def _parts(part: Resource) -> str:
    """The text of an element with several parts: a component of an observation, a reaction, an address."""
    pieces = [_concept(part.get("code"))]
    for key in ("value", "substance", "manifestation", "severity", "description", "line", "city", "state", "country"):
        inner = _choice(part, key)
        items = inner if isinstance(inner, list) else [inner]
        pieces += [_quantity(record(item)) or _concept(item) or string(item) for item in items]
    return " ".join(filter(None, pieces))


def _choice(part: Resource, field: str) -> object:
    """The value of a field, or of its variant with a type in its name, such as ``valueQuantity``."""
    if field in part:
        return part[field]
    names = (key for key in part if key.startswith(field) and key[len(field) : len(field) + 1].isupper())
    return next((part[key] for key in names), None)
