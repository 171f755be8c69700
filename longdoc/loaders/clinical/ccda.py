"""Clinical documents in C-CDA XML: the narratives of their sections as text, the header as metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from longdoc.document import Document
from longdoc.loaders.clinical.attachments import Read, as_record, decode_base64, read_attachment
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps, Writer, run
from longdoc.loaders.markup.xml import Element, attribute, children, parse_xml, tag_of, text_of, words_of
from longdoc.loaders.options import Options
from longdoc.sections.tables import section_kinds

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


def load_ccda(data: bytes, *, name: str, options: Options, read: Read) -> Document:
    """Reads a clinical document: its title and the narratives of its sections, or the document that is its body.

    Coded entries repeat the narrative; they are read only if a section has no narrative, with a warning.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.
        read: reads an attached document.

    Raises:
        CorruptDocumentError: it, or the attached document, is not well formed.
        NoTextLayerError: it contains no text.
        LimitExceededError: it exceeds a limit.
    """
    root = parse_xml(data, name, options.limits)
    metadata = _metadata(root)
    attached = [e for e in root.iter() if tag_of(e) == "nonxmlbody" and _is_encoded(e)]
    if attached:
        content = decode_base64(text_of(attached[0]), name, options.limits)
        document = read_attachment(content, f"{name}, body", options, read)
        return as_record(document, data, name=name, media_type=_MEDIA_TYPE, metadata=metadata)
    writer = _ClinicalDocument(Builder(name, options.limits))
    run(writer.document(root))
    return writer.builder.document(
        data, media_type=_MEDIA_TYPE, loader="ccda", metadata=metadata, warnings=writer.warnings
    )


def kind_of_section(codes: Iterable[str]) -> str:
    """The kind of section that the first known LOINC code stands for."""
    kinds = section_kinds("loinc")
    return next((kinds[code] for code in codes if code in kinds), "section")


def _is_encoded(body: Element) -> bool:
    return any(attribute(text, "representation") == "B64" for text in children(body, "text"))


def _metadata(root: Element) -> dict[str, str]:
    """The metadata in the header; all of its texts are included."""
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
    """The date of an HL7 time: ``2014-05-01`` for ``20140501103000-0500``."""
    if not value[:8].isdigit():
        return value
    return "-".join(filter(None, (value[:4], value[4:6], value[6:8])))


class _ClinicalDocument(Writer):
    """Writes a clinical document."""

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
        """Writes the title and the body."""
        for title in children(root, "title"):
            yield self.block(title)
        for component in children(root, "component"):
            for body in component:
                yield self.body(body)

    def body(self, element: Element) -> Steps:
        """Writes the sections, or the text of a body without sections."""
        if tag_of(element) == "nonxmlbody":
            for text in children(element, "text"):
                self.builder.write_lines(text_of(text) if len(text) else text.text or "")
        for component in children(element, "component"):
            for section in children(component, "section"):
                yield self.section(section)

    def section(self, element: Element) -> Steps:
        """A section: its heading, its narrative and its subsections."""
        self.builder.separate("\n\n")
        self._level += 1
        kind = kind_of_section(attribute(code, "code") for code in children(element, "code"))
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
        """Numbers for ordered lists, bullets for the others."""
        return "1" if attribute(element, "listType") == "ordered" else "bullet"

    def picture(self, element: Element) -> Steps:
        """The caption of a picture; the picture itself is not read."""
        self.warnings.append(f"a picture is not read: {attribute(element, 'referencedObject') or 'without an id'}")
        yield self.spaced(element)

    def _write_entries(self, section: Element) -> None:
        """Writes coded entries, one per line: the names of the codes, values and dates."""
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
    """The names, values and dates of a coded entry, without repetitions."""
    pieces = []
    for part in entry.iter():
        value = attribute(part, "value")
        if tag_of(part) in ("effectivetime", "low", "high") and value:
            pieces.append(_date(value))
        elif value:
            pieces.append(f"{value} {attribute(part, 'unit')}".strip())
        pieces += [attribute(part, "displayName"), " ".join((part.text or "").split())]
    return list(dict.fromkeys(filter(None, pieces)))
