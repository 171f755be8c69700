"""Clinical records in FHIR R4 JSON: narratives, attached documents, and what coded resources say, one a line."""

from __future__ import annotations

import hashlib

from longdoc.document import Document
from longdoc.errors import DocumentError
from longdoc.loaders.clinical.attachments import as_record, decode, read_attachment
from longdoc.loaders.clinical.ccda import LOINC
from longdoc.loaders.clinical.fhir_json import Resource, listed, parse_resources, record, string
from longdoc.loaders.clinical.fhir_resources import describe, metadata_of, spoken
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import Steps, XhtmlWriter, parse_xhtml, run, text_of

_MEDIA_TYPE = "application/fhir+json"
_NOT_DESCRIBED = ("Composition", "Binary")


def load_fhir(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads a resource, a Bundle of them, or one resource a line.

    A narrative is read where there is one; elsewhere codes, values and dates are, with punctuation between them that
    is synthesised. Attachments are decoded and read by the loader of their kind; nothing is fetched, and a warning
    names what lies elsewhere. A resource that is one attachment gives the document attached, with its boxes.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        CorruptDocumentError: it is no JSON, or no FHIR.
        NoTextLayerError: there is no text in it.
        LimitExceededError: it goes beyond a limit.
    """
    resources, addresses = parse_resources(data, name, limits)
    sha256, metadata = hashlib.sha256(data).hexdigest(), metadata_of(resources, addresses)
    records = _Records(Builder(name, limits), addresses)
    if len(resources) == 1 and (only := records.only_attachment(resources[0])):
        document = read_attachment(only, f"{name}, attachment", limits)
        return as_record(document, name=name, media_type=_MEDIA_TYPE, sha256=sha256, metadata=metadata)
    for resource in resources:
        run(records.resource(resource))
    if records.failure is not None and not records.anything:
        raise records.failure
    return records.builder.document(
        media_type=_MEDIA_TYPE, sha256=sha256, loader="fhir", metadata=metadata, warnings=tuple(records.warnings)
    )


class _Records:
    """Writes resources through a Builder, each once."""

    def __init__(self, builder: Builder, addresses: dict[str, Resource]) -> None:
        self.builder, self.addresses = builder, addresses
        self.warnings: list[str] = []
        self.failure: DocumentError | None = None
        self.anything = False
        self._written: set[int] = set()
        self._level = 0

    def resource(self, resource: Resource) -> Steps:
        """A resource, unless it stands in the text already."""
        if id(resource) in self._written:
            return
        self._written.add(id(resource))
        kind = string(resource.get("resourceType"))
        self.builder.separate("\n\n" if kind in ("Composition", "DiagnosticReport", "DocumentReference") else "\n")
        if kind == "Composition":
            self._line([string(resource.get("title"))])
            self.builder.separate("\n\n")
        narrated = self._narrative(resource)
        if not narrated and kind not in _NOT_DESCRIBED:
            self._line(describe(resource, self.addresses))
        for section in listed(resource, "section"):
            yield self.section(section)
        if kind == "DiagnosticReport":
            yield self.report(resource, narrated)
        for attachment in _attachments(resource):
            self._attachment(attachment)
        if not narrated:
            said = set(describe(resource, self.addresses))
            for inner in listed(resource, "contained"):
                if not set(describe(inner, self.addresses)) <= said:  # else the line above says it
                    yield self.resource(inner)

    def section(self, section: Resource) -> Steps:
        """A section of a Composition: its heading, then its narrative or else its entries, then the sections in it."""
        self.builder.separate("\n\n")
        self._level += 1
        codes = [string(coding.get("code")) for coding in listed(record(section.get("code")), "coding")]
        kind = next((LOINC[code] for code in codes if code in LOINC), "section")
        title = string(section.get("title")) or spoken(section.get("code"), self.addresses)
        if title:
            self.builder.open_heading(self._level, kind=kind)
            self._text(title)
            self.builder.close_heading()
        self.builder.separate("\n\n")
        narrated = self._narrative(section)
        for reference in listed(section, "entry"):
            yield self.referenced(reference, narrated)
        for inner in listed(section, "section"):
            yield self.section(inner)
        self._level -= 1

    def report(self, resource: Resource, narrated: bool) -> Steps:
        """The results and the conclusion of a DiagnosticReport."""
        for reference in listed(resource, "result"):
            yield self.referenced(reference, narrated)
        self.builder.separate("\n")
        self._text(string(resource.get("conclusion")))  # though the narrative may say it too: better twice than not
        self.builder.separate("\n\n")

    def referenced(self, reference: Resource, narrated: bool) -> Steps:
        """A resource that another one points to; a narrative above it speaks for it, attachments aside."""
        target = self.addresses.get(string(reference.get("reference")))
        if target is None:
            if not narrated:
                self._line([string(reference.get("display"))])
        elif narrated and not _attachments(target):
            self._written.add(id(target))
            self.builder.drop(" ".join(describe(target, self.addresses)), "coded entry")
        else:
            yield self.resource(target)

    def _text(self, text: str) -> None:
        self.anything |= bool(text.strip())
        self.builder.write(text)

    def _line(self, pieces: list[str]) -> None:
        """A line of the first piece, a colon, and the others."""
        self.builder.separate("\n")
        for position, piece in enumerate(filter(str.strip, pieces)):
            if position:
                self.builder.insert(": " if position == 1 else "; ", "entry")
            self._text(piece)
        self.builder.separate("\n")

    def _narrative(self, resource: Resource) -> bool:
        """Write the narrative of a resource or a section, if it has one."""
        narrative = record(resource.get("text"))
        div = string(narrative.get("div"))
        if not div.strip() or narrative.get("status") == "empty":
            return False
        root = parse_xhtml(div, self.builder.name, self.builder.limits)
        if not text_of(root):
            return False
        self.anything = True
        XhtmlWriter(self.builder).write(root)
        self.builder.separate("\n")
        return True

    # -------------------------------------------------------------------------------------------------- attachments

    def only_attachment(self, resource: Resource) -> bytes | None:
        """The content of a resource that is an attachment and nothing else."""
        attachments = _attachments(resource)
        narrated = string(record(resource.get("text")).get("div")) or resource.get("conclusion")
        if len(attachments) != 1 or narrated or listed(resource, "result"):
            return None
        return self._content(attachments[0])

    def _content(self, attachment: Resource) -> bytes | None:
        """The bytes of an attachment, or of the Binary that it points to."""
        target = self.addresses.get(string(attachment.get("url")), attachment)
        self._written.add(id(target))
        encoded = string(target.get("data"))
        return decode(encoded, self.builder.name, self.builder.limits) if encoded.strip() else None

    def _attachment(self, attachment: Resource) -> None:
        """Write an attached document, page by page; one that cannot be read is named in a warning."""
        title = string(attachment.get("title")) or string(attachment.get("contentType")) or "attachment"
        self.builder.separate("\n\n")
        try:
            content = self._content(attachment)
            if content is None:
                if url := string(attachment.get("url")):
                    self.warnings.append(f"{title}: not fetched: {url}")
                return
            document = read_attachment(content, f"{self.builder.name}, {title}", self.builder.limits)
        except DocumentError as error:
            self.failure = error
            self.warnings.append(f"{title}: not read: {error}")
            return
        for page in document.pages:
            if page.number > 1:
                self.builder.start_page()
            self.builder.write_lines(document.text[page.start : page.end])
        self.anything = True
        self.builder.separate("\n\n")
        self.warnings += [f"{title}: {warning}" for warning in document.warnings]
        if document.source.media_type != "text/plain":
            self.warnings.append(f"{title}: read as text; its boxes and tables are kept when it is loaded by itself")


def _attachments(resource: Resource) -> list[Resource]:
    """The attachments of a resource, wherever its type keeps them."""
    found = [record(content.get("attachment")) for content in listed(resource, "content")]
    if string(resource.get("resourceType")) == "Binary":
        found.append(resource)
    content = resource.get("content")  # of a Media resource
    single = [content] if isinstance(content, dict) else []
    return [one for one in [*found, *single, *listed(resource, "presentedForm")] if one.get("data") or one.get("url")]
