"""The header of a clinical document in C-CDA."""

from __future__ import annotations

from longdoc.loaders.markup.xml import Element, attribute, children, tag_of, text_of, words_of

_METADATA = {
    "recordTarget": "Patient record",
    "author": "Author record",
    "dataEnterer": "Data enterer",
    "custodian": "Custodian",
    "legalAuthenticator": "Legal authenticator",
    "documentationOf": "Documentation of",
    "componentOf": "Encounter",
    "informationRecipient": "Recipient",
    "relatedDocument": "Related document",
}


def header_parts(root: Element) -> list[Element]:
    """The elements before the body, except the title."""
    return [part for part in root if tag_of(part) not in ("title", "component")]


def metadata_of(root: Element) -> dict[str, str]:
    """The metadata in the header; all of its texts are included."""
    found: dict[str, list[str]] = {}
    for part in header_parts(root):
        tag, key = tag_of(part), str(part.tag).rpartition("}")[2]
        for inner in part.iter() if tag in ("recordtarget", "author") else ():
            if tag_of(inner) == "name" and text_of(inner):
                found.setdefault("Patient" if tag == "recordtarget" else "Author", []).append(words_of(inner))
                break
        found.setdefault(_METADATA.get(key, key[:1].upper() + key[1:]), []).append(words_of(part))
    described = {
        "Title": [text_of(part) for part in children(root, "title")],
        "Document type": [attribute(part, "displayName") for part in children(root, "code")],
        "Date": [date_of(attribute(part, "value")) for part in children(root, "effectivetime")],
        "Document id": [_id(part) for part in children(root, "id")],
        "Language": [attribute(part, "code") for part in children(root, "languagecode")],
        "Birth date": [date_of(attribute(part, "value")) for part in root.iter() if tag_of(part) == "birthtime"][:1],
        "Gender": [
            attribute(part, "displayName") or attribute(part, "code")
            for part in root.iter()
            if tag_of(part) == "administrativegendercode"
        ][:1],
    }
    joined = {key: "\n".join(filter(None, values)) for key, values in {**found, **described}.items()}
    return {key: value for key, value in joined.items() if value}


def missing_parents(root: Element) -> list[str]:
    """A warning for each document that this one is an addendum to."""
    parents = [
        parent
        for related in children(root, "relateddocument")
        if attribute(related, "typeCode") == "APND"
        for parent in children(related, "parentdocument")
    ]
    names = (" ".join(filter(None, map(_id, children(parent, "id")))) or "without an id" for parent in parents)
    return [f"an addendum to another document, which is not in this file: {name}" for name in names]


def _id(element: Element) -> str:
    return attribute(element, "extension") or attribute(element, "root")


def date_of(value: str) -> str:
    """The date of an HL7 time: ``2014-05-01`` for ``20140501103000-0500``."""
    if not value[:8].isdigit():
        return value
    return "-".join(filter(None, (value[:4], value[4:6], value[6:8])))
