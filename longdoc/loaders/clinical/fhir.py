"""Clinical records in FHIR R4 JSON: narratives, attached documents, and coded resources, one per line."""

from __future__ import annotations

from longdoc.document import Document
from longdoc.errors import DocumentError
from longdoc.loaders.clinical.attachments import Read, as_record, decode_base64, read_attachment
from longdoc.loaders.clinical.ccda import kind_of_section
from longdoc.loaders.clinical.fhir_json import Resource, listed, parse_resources, record, string
from longdoc.loaders.clinical.fhir_resources import describe, metadata_of, readable
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps, XhtmlWriter, run
from longdoc.loaders.markup.xml import parse_xhtml, text_of
from longdoc.loaders.options import Options

_MEDIA_TYPE = "application/fhir+json"
_NOT_DESCRIBED = ("Composition", "Binary")


def load_fhir(data: bytes, *, name: str, options: Options, read: Read) -> Document:
    """Reads a resource, a Bundle of resources, or one resource per line.

    The text of a resource is its narrative; if it has none, its codes, values and dates with inserted punctuation.
    Attached documents are read by the loader of their format. Nothing is fetched: a warning names documents that are
    only linked. A resource with an attachment and nothing else becomes the attached document, with its boxes.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.
        read: reads an attached document.

    Raises:
        CorruptDocumentError: it is not JSON, or not FHIR.
        NoTextLayerError: it contains no text.
        LimitExceededError: it exceeds a limit.
    """
    resources, addresses = parse_resources(data, name, options.limits)
    metadata = metadata_of(resources, addresses)
    writer = _ResourceWriter(Builder(name, options.limits), addresses, options, read)
    if len(resources) == 1 and (content := writer.only_attachment(resources[0])):
        document = read_attachment(content, f"{name}, attachment", options, read)
        return as_record(document, data, name=name, media_type=_MEDIA_TYPE, metadata=metadata)
    for resource in resources:
        run(writer.resource(resource))
    if writer.failure is not None and not writer.has_text:
        raise writer.failure
    return writer.builder.document(
        data, media_type=_MEDIA_TYPE, loader="fhir", metadata=metadata, warnings=writer.warnings
    )


class _ResourceWriter:
    """Writes resources through a Builder, each once."""

    def __init__(self, builder: Builder, addresses: dict[str, Resource], options: Options, read: Read) -> None:
        self.builder, self.addresses, self.options, self.read = builder, addresses, options, read
        self.warnings: list[str] = []
        self.failure: DocumentError | None = None  # the last attachment that could not be read
        self.has_text = False
        self._written: set[int] = set()
        self._level = 0

    def resource(self, resource: Resource) -> Steps:
        """Writes a resource unless it has been written before."""
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
            described = set(describe(resource, self.addresses))
            for inner in listed(resource, "contained"):
                if not set(describe(inner, self.addresses)) <= described:
                    yield self.resource(inner)

    def section(self, section: Resource) -> Steps:
        """Writes a section of a Composition: its heading, its narrative or else its entries, its subsections."""
        self.builder.separate("\n\n")
        self._level += 1
        kind = kind_of_section(string(coding.get("code")) for coding in listed(record(section.get("code")), "coding"))
        title = string(section.get("title")) or readable(section.get("code"), self.addresses)
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
        """Writes the results and the conclusion of a DiagnosticReport."""
        for reference in listed(resource, "result"):
            yield self.referenced(reference, narrated)
        self.builder.separate("\n")
        self._text(string(resource.get("conclusion")))  # even if the narrative repeats it: it must not be lost
        self.builder.separate("\n\n")

    def referenced(self, reference: Resource, narrated: bool) -> Steps:
        """Writes a referenced resource.

        Under a narrative, which covers it, a resource without attachments is furniture.
        """
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
        self.has_text |= bool(text.strip())
        self.builder.write(text)

    def _line(self, pieces: list[str]) -> None:
        """Writes a line: the first piece, a colon, the other pieces."""
        self.builder.separate("\n")
        for position, piece in enumerate(filter(str.strip, pieces)):
            if position:
                self.builder.insert(": " if position == 1 else "; ", "entry")
            self._text(piece)
        self.builder.separate("\n")

    def _narrative(self, resource: Resource) -> bool:
        """Writes the narrative of a resource or section; returns whether it has one."""
        narrative = record(resource.get("text"))
        div = string(narrative.get("div"))
        if not div.strip() or narrative.get("status") == "empty":
            return False
        root = parse_xhtml(div, self.builder.name, self.builder.limits)
        if not text_of(root):
            return False
        self.has_text = True
        XhtmlWriter(self.builder).write(root)
        self.builder.separate("\n")
        return True

    # -------------------------------------------------------------------------------------------------- attachments

    def only_attachment(self, resource: Resource) -> bytes | None:
        """The content of the attachment, if the resource has nothing else."""
        attachments = _attachments(resource)
        has_text = string(record(resource.get("text")).get("div")) or resource.get("conclusion")
        if len(attachments) != 1 or has_text or listed(resource, "result"):
            return None
        return self._content(attachments[0])

    def _content(self, attachment: Resource) -> bytes | None:
        """The bytes of an attachment, or of the Binary that it links to; None if it is elsewhere."""
        target = self.addresses.get(string(attachment.get("url")), attachment)
        self._written.add(id(target))
        encoded = string(target.get("data"))
        return decode_base64(encoded, self.builder.name, self.builder.limits) if encoded.strip() else None

    def _attachment(self, attachment: Resource) -> None:
        """Writes an attached document page by page, or a warning if it cannot be read."""
        title = string(attachment.get("title")) or string(attachment.get("contentType")) or "attachment"
        self.builder.separate("\n\n")
        try:
            content = self._content(attachment)
            if content is None:
                if url := string(attachment.get("url")):
                    self.warnings.append(f"{title}: not fetched: {url}")
                return
            document = read_attachment(content, f"{self.builder.name}, {title}", self.options, self.read)
        except DocumentError as error:
            self.failure = error
            self.warnings.append(f"{title}: not read: {error}")
            return
        for page in document.pages:
            if page.number > 1:
                self.builder.start_page()
            self.builder.write_lines(document.text[page.start : page.end])
        self.has_text = True
        self.builder.separate("\n\n")
        self.warnings += [f"{title}: {warning}" for warning in document.warnings]
        if document.source.media_type != "text/plain":
            self.warnings.append(f"{title}: read as text; its boxes and tables are kept when it is loaded by itself")


def _attachments(resource: Resource) -> list[Resource]:
    """The attachments of a resource, in the fields of all types of resources."""
    found = [record(content.get("attachment")) for content in listed(resource, "content")]
    if string(resource.get("resourceType")) == "Binary":
        found.append(resource)
    content = resource.get("content")  # of a Media resource
    single = [content] if isinstance(content, dict) else []
    found += [*single, *listed(resource, "presentedForm")]
    return [attachment for attachment in found if attachment.get("data") or attachment.get("url")]
