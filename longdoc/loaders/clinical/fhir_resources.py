"""What a coded FHIR resource says, in its own words."""

from __future__ import annotations

from longdoc.loaders.clinical.fhir_json import Resource, listed, record, string

_FOR_PEOPLE = ("title", "name", "text", "display", "description", "comment", "conclusion", "valueString")
_COMMON = ("title", "name", "code", "type", "category", "description", "value", "status", "effective", "date", "note")
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
"""Resource type -> what is read of it, in order; ``value`` stands for ``valueQuantity``, ``valueString`` and so on."""


def describe(resource: Resource, addresses: dict[str, Resource]) -> list[str]:
    """What a resource says: first what it is of, then the rest, piece by piece."""
    kind = string(resource.get("resourceType"))
    pieces = [spoken(_choice(resource, field), addresses) for field in FIELDS.get(kind, _COMMON)]
    if kind not in FIELDS:
        pieces += _sayings(resource)
    return list(dict.fromkeys(filter(None, pieces)))


def _sayings(resource: Resource) -> list[str]:
    """All that is written for people in a resource, in order."""
    found: list[str] = []
    waiting = [(key, resource[key]) for key in reversed(resource) if key not in ("text", "contained")]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(inner, value[inner]) for inner in reversed(value)]
        elif isinstance(value, list):
            waiting += [(key, item) for item in reversed(value)]
        elif key in _FOR_PEOPLE:
            found.append(string(value))
    return found


def metadata_of(resources: list[Resource], addresses: dict[str, Resource]) -> dict[str, str]:
    """What the leading resource says of itself, and whom the records are about."""
    by_type = {string(resource.get("resourceType")): resource for resource in reversed(resources)}
    leading = by_type.get("Composition") or (resources[0] if resources else {})
    patient = by_type.get("Patient", {})
    dates = (spoken(_choice(leading, key), addresses) for key in ("date", "effective", "issued", "authoredOn"))
    found = {
        "Title": string(leading.get("title")) or string(leading.get("description")),
        "Resource type": string(leading.get("resourceType")),
        "Resource id": string(leading.get("id")),
        "Document type": spoken(leading.get("type"), addresses),
        "Status": string(leading.get("status")),
        "Date": next(filter(None, dates), ""),
        "Author": "; ".join(filter(None, (spoken(one, addresses) for one in listed(leading, "author")))),
        "Patient": spoken(patient.get("name"), addresses) or spoken(leading.get("subject"), addresses),
        "Birth date": string(patient.get("birthDate")),
        "Gender": string(patient.get("gender")),
    }
    return {key: value for key, value in found.items() if value}


def spoken(value: object, addresses: dict[str, Resource]) -> str:
    """A value of any FHIR type as one would write it; empty where there is nothing to say."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_one(item, addresses) for item in value)))
    return _one(value, addresses)


def _one(value: object, addresses: dict[str, Resource]) -> str:
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
    return _quantity(part) or _concept(part) or _name(part) or _composed(part)


def _concept(value: object) -> str:
    """A CodeableConcept or a Coding."""
    part = record(value)
    names = (string(c.get("display")) or string(c.get("code")) for c in listed(part, "coding"))
    return string(part.get("text")) or next(filter(None, names), "") or string(part.get("code"))


def _quantity(part: Resource) -> str:
    """A Quantity, Range, Ratio or Period."""
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
    """A HumanName, a list of them, or the name of an organization."""
    first = value[0] if isinstance(value, list) and value else value
    part = record(first)
    given = part.get("given")
    names = [*given, part.get("family")] if isinstance(given, list) else [part.get("family")]
    return string(first) or string(part.get("text")) or " ".join(filter(None, map(string, names)))


def _composed(part: Resource) -> str:
    """An element of several parts: a component of an observation, a reaction, an address."""
    pieces = [_concept(part.get("code"))]
    for key in ("value", "substance", "manifestation", "severity", "description", "line", "city", "state", "country"):
        inner = _choice(part, key)
        items = inner if isinstance(inner, list) else [inner]
        pieces += [_quantity(record(item)) or _concept(item) or string(item) for item in items]
    return " ".join(filter(None, pieces))


def _choice(part: Resource, field: str) -> object:
    """A field by its name, or by its name and a type, such as ``valueQuantity``."""
    if field in part:
        return part[field]
    names = (key for key in part if key.startswith(field) and key[len(field) : len(field) + 1].isupper())
    return next((part[key] for key in names), None)
