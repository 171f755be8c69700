"""Clinical documents in C-CDA XML: the narrative of their sections; who, when and what for as metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import yaml

from longdoc.document import Document
from longdoc.loaders.clinical.attachments import as_record, decode, read_attachment
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import (
    Element,
    Steps,
    Writer,
    attribute,
    children,
    parse_xml,
    run,
    tag_of,
    text_of,
    words_of,
)

LOINC: dict[str, str] = yaml.safe_load((Path(__file__).parents[2] / "assets/sections/kinds.yaml").read_text("utf-8"))[
    "loinc"
]
"""Code of a section -> its kind."""

_MEDIA_TYPE = "application/cda+xml"
_METADATA = {
    "recordTarget": "Patient record",
    "author": "Author record",
    "dataEnterer": "Data enterer",
    "custodian": "Custodian",
    "legalAuthenticator": "Legal authenticator",
    "documentationOf": "Documentation of",
    "componentOf": "Encounter",
    "informationRecipient": "Recipient",
}


def load_ccda(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads a clinical document: title and sections with their narrative, or the document that is its body.

    Coded entries repeat the narrative and are read only where a section has none, with a warning.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        CorruptDocumentError: it is not well formed, or the document within it is damaged.
        NoTextLayerError: there is no text in it.
        LimitExceededError: it goes beyond a limit.
    """
    root = parse_xml(data, name, limits)
    sha256, metadata = hashlib.sha256(data).hexdigest(), _metadata(root)
    attached = [e for e in root.iter() if tag_of(e) == "nonxmlbody" and _is_encoded(e)]
    if attached:
        inner = decode(text_of(attached[0]), name, limits)
        document = read_attachment(inner, f"{name}, body", limits)
        return as_record(document, name=name, media_type=_MEDIA_TYPE, sha256=sha256, metadata=metadata)
    writer = _ClinicalDocument(Builder(name, limits))
    run(writer.document(root))
    return writer.builder.document(
        media_type=_MEDIA_TYPE, sha256=sha256, loader="ccda", metadata=metadata, warnings=tuple(writer.warnings)
    )


def _is_encoded(body: Element) -> bool:
    return any(attribute(text, "representation") == "B64" for text in children(body, "text"))


def _metadata(root: Element) -> dict[str, str]:
    """What the header says; its texts are all in it."""
    found: dict[str, list[str]] = {}
    for part in root:
        tag, key = tag_of(part), str(part.tag).rpartition("}")[2]
        if tag in ("title", "component"):
            continue
        for inner in part.iter() if tag in ("recordtarget", "author") else ():
            if tag_of(inner) == "name" and text_of(inner):
                found.setdefault("Patient" if tag == "recordtarget" else "Author", []).append(words_of(inner))
                break
        found.setdefault(_METADATA.get(key, key[:1].upper() + key[1:]), []).append(words_of(part))
    described = {
        "Title": [text_of(part) for part in children(root, "title")],
        "Document type": [attribute(part, "displayName") for part in children(root, "code")],
        "Date": [_date(attribute(part, "value")) for part in children(root, "effectivetime")],
        "Document id": [attribute(part, "extension") or attribute(part, "root") for part in children(root, "id")],
        "Language": [attribute(part, "code") for part in children(root, "languagecode")],
        "Birth date": [_date(attribute(part, "value")) for part in root.iter() if tag_of(part) == "birthtime"][:1],
        "Gender": [
            attribute(part, "displayName") or attribute(part, "code")
            for part in root.iter()
            if tag_of(part) == "administrativegendercode"
        ][:1],
    }
    joined = {key: "\n".join(filter(None, values)) for key, values in {**found, **described}.items()}
    return {key: value for key, value in joined.items() if value}


def _date(value: str) -> str:
    """An HL7 time such as ``20140501103000-0500`` as ``2014-05-01``."""
    if not value[:8].isdigit():
        return value
    return "-".join(filter(None, (value[:4], value[4:6], value[6:8])))


class _ClinicalDocument(Writer):
    roles: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("paragraph", "table-wrap", "text"), "block"),
        **dict.fromkeys(("thead", "tbody", "tfoot"), "inline"),
        **dict.fromkeys(("th", "td"), "cell"),
        "caption": "line",
        "br": "line_break",
        "footnote": "spaced",
        "item": "item",
        "linkhtml": "link",
        "list": "listing",
        "nonxmlbody": "block",
        "section": "section",
        "table": "table",
        "tr": "row",
        "rendermultimedia": "picture",
    }

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.warnings: list[str] = []
        self._level = 0

    def document(self, root: Element) -> Steps:
        """The title, then the body."""
        for title in children(root, "title"):
            yield self.block(title)
        for component in children(root, "component"):
            for body in component:
                yield self.body(body)

    def body(self, element: Element) -> Steps:
        """The sections, or a text without sections."""
        if tag_of(element) == "nonxmlbody":
            for text in children(element, "text"):
                self.builder.write_lines(text_of(text) if len(text) else text.text or "")
        for component in children(element, "component"):
            for section in children(component, "section"):
                yield self.section(section)

    def section(self, element: Element) -> Steps:
        """A section: its heading, its narrative, the sections in it."""
        self.builder.separate("\n\n")
        self._level += 1
        codes = [attribute(code, "code") for code in children(element, "code")]
        kind = next((LOINC[code] for code in codes if code in LOINC), "section")
        for title in children(element, "title"):
            self.builder.open_heading(self._level, kind=kind)
            yield self.content(title)
            self.builder.close_heading()
        self.builder.separate("\n\n")
        narrative = [text for text in children(element, "text") if text_of(text)]
        for text in narrative:
            yield self.block(text)
        if not narrative:
            self._write_entries(element)
        for component in children(element, "component"):
            for section in children(component, "section"):
                yield self.section(section)
        self._level -= 1

    def list_style(self, element: Element) -> str:
        """As the list's type says."""
        return "1" if attribute(element, "listType") == "ordered" else "bullet"

    def picture(self, element: Element) -> Steps:
        """The caption of a picture, which itself is not read."""
        self.warnings.append(f"a picture is not read: {attribute(element, 'referencedObject') or 'without an id'}")
        yield self.spaced(element)

    def _write_entries(self, section: Element) -> None:
        """Coded entries, one a line: the codes' names, values and dates."""
        lines = [line for entry in children(section, "entry") if (line := _entry(entry))]
        if lines:
            title = " ".join(map(text_of, children(section, "title"))) or "without a title"
            self.warnings.append(f"section {title!r} has no narrative: its {len(lines)} coded entries are read instead")
        for line in lines:
            self.builder.separate("\n")
            for position, piece in enumerate(line):
                if position:
                    self.builder.insert("; ", "entry")
                self.builder.write(piece)


def _entry(entry: Element) -> list[str]:
    """What a coded entry says, in its own words."""
    pieces = []
    for part in entry.iter():
        value = attribute(part, "value")
        if tag_of(part) in ("effectivetime", "low", "high") and value:
            pieces.append(_date(value))
        elif value:
            pieces.append(f"{value} {attribute(part, 'unit')}".strip())
        pieces += [attribute(part, "displayName"), " ".join((part.text or "").split())]
    return list(dict.fromkeys(filter(None, pieces)))
