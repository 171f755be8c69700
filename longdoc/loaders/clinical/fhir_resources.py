"""Coded FHIR resources as readable text, and the metadata of a record."""

from __future__ import annotations

import re

from longdoc.loaders.clinical.fhir_json import Resource, listed, record, string
from longdoc.loaders.clinical.fhir_leaves import Contents, amount, is_attachment
from longdoc.loaders.clinical.words import Words

_READABLE_FIELDS = ("title", "name", "text", "display", "description", "comment", "conclusion", "valueString")
_DEFAULT_FIELDS = tuple(
    "title name code type category description value status effective date note emptyReason".split()
)
FIELDS: dict[str, tuple[str, ...]] = {
    "AllergyIntolerance": tuple(
        "code clinicalStatus verificationStatus criticality reaction onset recordedDate note".split()
    ),
    "Condition": tuple("code clinicalStatus verificationStatus severity bodySite onset abatement note".split()),
    "DiagnosticReport": ("code", "effective", "issued"),
    "DocumentReference": ("type", "description", "date"),
    "Encounter": ("type", "class", "reasonCode", "period"),
    "FamilyMemberHistory": tuple("relationship name sex age deceased condition status reasonCode note".split()),
    "Immunization": ("vaccineCode", "status", "statusReason", "occurrence", "note"),
    "MedicationRequest": tuple("medication doNotPerform dosageInstruction status reasonCode authoredOn note".split()),
    "MedicationStatement": ("medication", "dosage", "status", "reasonCode", "effective", "note"),
    "MedicationAdministration": ("medication", "dosage", "status", "statusReason", "effective", "note"),
    "Observation": tuple(
        "code value dataAbsentReason interpretation referenceRange bodySite effective note component".split()
    ),
    "Organization": ("name", "type"),
    "Patient": ("name", "gender", "birthDate", "deceased", "address"),
    "Practitioner": ("name", "qualification"),
    "Procedure": tuple("code status statusReason bodySite performed reasonCode outcome complication note".split()),
    "QuestionnaireResponse": (),
}
"""Resource type -> fields to read, in order; ``value`` covers ``valueQuantity``, ``valueString`` and so on."""
_PARTS = tuple(
    "value dataAbsentReason interpretation substance manifestation severity description line city state country "
    "outcome onset".split()
)
_PAIRS = (
    ("low", "high", "from {}", "up to {}", "{}–{}"),
    ("numerator", "denominator", "{}", "per {}", "{}/{}"),
    ("start", "end", "since {}", "until {}", "{} to {}"),
)
"""The two ends of a Range, Ratio or Period; how to write the first alone, the second alone, and both."""
_LABELS = {"abatement": "abated", "age": "age", "deceased": "deceased", "onset": "onset"}
"""Field -> what to write before its value."""
_STATUSES = ("status", "clinicalStatus", "verificationStatus")
_ORDINARY = ("active", "completed", "confirmed", "final")
"""Statuses that go without saying, where a line would start with them."""
_NUMBER = re.compile(r"[<>]?=?[\d.]+")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\S+)?)?)?(?: to \S+)?")
_SEPARATE = {"QuestionnaireResponse": ("item",), "DiagnosticReport": ("conclusion",)}
"""Resource type -> fields that have lines of their own."""


def describe(resource: Resource, contents: Contents, addresses: dict[str, Resource]) -> list[str]:
    """The contents of a resource as pieces of text: its subject first, then all of its prose, without repetitions."""
    kind = string(resource.get("resourceType"))
    found = [(field, _field(resource, field, addresses)) for field in FIELDS.get(kind, _DEFAULT_FIELDS)]
    pieces = [piece for _, piece in found]
    leading = next((field for field, piece in found if piece), "")
    first = pieces.pop([field for field, _ in found].index(leading)) if leading in _STATUSES else ""
    seen = Words([*pieces, first])
    for leaf in contents.without(*_SEPARATE.get(kind, ())):
        listed_field = kind not in FIELDS and leaf.key in _READABLE_FIELDS and not is_attachment(leaf.owner)
        if listed_field or (leaf.is_prose and leaf.text not in seen):
            pieces.append(leaf.text)
            seen.add(leaf.text)
        elif leaf.key == "doNotPerform" and leaf.text.endswith("true") and kind not in FIELDS:
            pieces.append("do not perform")
    if first and first.lower() not in _ORDINARY:
        subject = next((position + 1 for position, piece in enumerate(pieces) if piece), 0)
        pieces.insert(subject, first)
    return list(dict.fromkeys(filter(None, pieces)))


def answers_of(response: Resource, addresses: dict[str, Resource]) -> list[list[str]]:
    """The questions of a QuestionnaireResponse, each with its answers, in order; those within an answer follow it."""
    found: list[list[str]] = []
    waiting = [*reversed(listed(response, "item"))]
    while waiting:
        item = waiting.pop()
        answers = listed(item, "answer")
        line = [string(item.get("text")), *(readable(_choice(answer, "value"), addresses) for answer in answers)]
        found.append([piece for piece in line if piece])
        inner = [*listed(item, "item"), *(each for answer in answers for each in listed(answer, "item"))]
        waiting += reversed(inner)
    return [line for line in found if line]


def _field(resource: Resource, field: str, addresses: dict[str, Resource]) -> str:
    if field == "doNotPerform":
        return "do not perform" if resource.get(field) is True else ""
    value = _choice(resource, field)
    if field in _LABELS:
        return _labelled(field, value, readable(value, addresses))
    return readable(value, addresses)


def _labelled(field: str, value: object, text: str) -> str:
    """The text of a field that is not clear without its name; a date of onset is."""
    label = _LABELS[field]
    if isinstance(value, bool):
        return label if value else f"not {label}"
    return text if not text or (field == "onset" and _DATE.fullmatch(text)) else f"{label} {text}"


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
        return _scalar(value)
    part = record(value)
    if not part:
        return string(value)
    target = addresses.get(string(part.get("reference")))
    if string(part.get("text")) or string(part.get("display")):
        return string(part.get("text")) or string(part.get("display"))
    if target is not None:
        return _name(target.get("name")) or _concept(target.get("code"))
    return _dosage(part) or _quantity(part) or _concept(part) or _name(part) or _parts(part)


def _concept(value: object) -> str:
    """The text of a CodeableConcept or a Coding."""
    part = record(value)
    names = (string(c.get("display")) or string(c.get("code")) for c in listed(part, "coding"))
    return string(part.get("text")) or next(filter(None, names), "") or string(part.get("code"))


def _dosage(part: Resource) -> str:
    """The dose, route and times of a Dosage without a text."""
    doses = [*listed(part, "doseAndRate"), part]
    pieces = [_quantity(record(_choice(dose, kind))) for dose in doses for kind in ("dose", "rate")]
    pieces += [_concept(part.get(key)) for key in ("route", "site", "method")]
    timing = record(part.get("timing"))
    repeat = record(timing.get("repeat"))
    period = f"{_up_to_max(repeat, 'period')} {string(repeat.get('periodUnit'))}".strip()
    times = f"{_up_to_max(repeat, 'frequency')} per {period}" if repeat.get("period") else ""
    listed_times = [
        string(value) for key in ("dayOfWeek", "timeOfDay", "when") for value in _strings(repeat, key)
    ] + _strings(timing, "event")
    pieces += [_concept(timing.get("code")) or times, *listed_times]
    if part.get("asNeededBoolean") is True or part.get("asNeededCodeableConcept"):
        pieces.append(f"as needed {_concept(part.get('asNeededCodeableConcept'))}".strip())
    is_dosage = any(key in part for key in ("doseAndRate", "timing", "route", "doseQuantity"))
    return " ".join(filter(None, pieces)) if is_dosage else ""


def _up_to_max(repeat: Resource, key: str) -> str:
    """A number of a timing, with the greatest one allowed if it is given."""
    return "–".join(filter(None, (string(repeat.get(key)), string(repeat.get(f"{key}Max")))))


def _strings(part: Resource, key: str) -> list[str]:
    value = part.get(key)
    return [string(item) for item in value] if isinstance(value, list) else []


def _quantity(part: Resource) -> str:
    """The text of a Quantity, Range, Ratio or Period."""
    for first, second, from_first, to_second, both in _PAIRS:
        low, high = (amount(record(end)) or string(end) for end in (part.get(first), part.get(second)))
        if low or high:
            form = both if low and high else from_first if low else to_second
            if first == "numerator" and _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
                form = "{}:{}"  # a titer
            return form.format(*filter(None, (low, high)))
    return amount(part)


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
    for key in _PARTS:
        inner = _choice(part, key)
        items = inner if isinstance(inner, list) else [inner]
        texts = [_quantity(record(item)) or _concept(item) or _scalar(item) for item in items]
        pieces += [
            _labelled(key, item, text) if key in _LABELS else text for item, text in zip(items, texts, strict=True)
        ]
    return " ".join(filter(None, pieces))


def _scalar(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else string(value)


def _choice(part: Resource, field: str) -> object:
    """The value of a field, or of its variant with a type in its name, such as ``valueQuantity``."""
    if field in part:
        return part[field]
    names = (key for key in part if key.startswith(field) and key[len(field) : len(field) + 1].isupper())
    return next((part[key] for key in names), None)
