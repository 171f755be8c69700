"""Clinical records in FHIR R4 JSON: narratives, attached documents, and coded resources, one per line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, UnsupportedFormatError
from longdoc.loaders.clinical.attachments import AttachmentWriter, Read, as_record, decode_base64, read_attachment
from longdoc.loaders.clinical.ccda import kind_of_section
from longdoc.loaders.clinical.fhir_json import Records, Resource, listed, parse_resources, record, string
from longdoc.loaders.clinical.fhir_leaves import Contents, Leaf, contents_of
from longdoc.loaders.clinical.fhir_resources import answers_of, describe, metadata_of, readable
from longdoc.loaders.clinical.narrative import BLOCKS, NarrativeWriter, has_picture
from longdoc.loaders.clinical.words import Words
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps, run
from longdoc.loaders.markup.xml import Element, parse_xhtml, text_of, words_of
from longdoc.loaders.options import Options
from longdoc.summary import count

_MEDIA_TYPE = "application/fhir+json"
_NOT_DESCRIBED = ("Composition", "Binary")
_SHOWN = 300  # characters of a text that a warning quotes


def load_fhir(data: bytes, *, name: str, options: Options, read: Read) -> Document:
    """Reads a resource, a Bundle or an array of resources, or one resource per line.

    The text of a resource is its narrative; if it has none, its codes, values and dates with inserted punctuation, and
    all of its prose. Values that are not in the text are furniture of the kind "coded entry". Attached documents are
    read by the loader of their format. Nothing is fetched: a warning names documents that are only linked. A resource
    with an attachment and nothing else becomes the attached document, with its boxes.

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
    records = parse_resources(data, name, options.limits)
    metadata = metadata_of(records.resources, records.addresses)
    writer = _ResourceWriter(Builder(name, options.limits), records, options, read)
    if len(records.resources) == 1 and (content := writer.only_attachment(records.resources[0])):
        media_type = writer.media_type(contents_of(records.resources[0]).attachments[0])
        document = read_attachment(content, f"{name}, attachment", options, read, media_type)
        more = (*records.problems, *_beside_attachment(records.resources[0], metadata))
        document = replace(document, warnings=(*document.warnings, *more))
        return as_record(document, data, name=name, media_type=_MEDIA_TYPE, metadata=metadata)
    for resource in records.resources:
        run(writer.resource(resource))
    if writer.attachments.failure is not None and not writer.has_text:
        raise writer.attachments.failure
    return writer.builder.document(
        data, media_type=_MEDIA_TYPE, loader="fhir", metadata=metadata, warnings=writer.all_warnings()
    )


def _beside_attachment(resource: Resource, metadata: dict[str, str]) -> list[str]:
    """A warning if a resource that is read as its attachment says more than the attachment and the metadata."""
    known = Words(metadata.values())
    parts = [resource, *listed(resource, "contained")]
    leaves = [leaf for part in parts for leaf in contents_of(part).leaves]
    more = [leaf.text for leaf in leaves if leaf.is_prose and leaf.text not in known]
    quoted = "; ".join(dict.fromkeys(more))
    return [f"the record says more than its attachment, which is all that is read: {quoted:.{_SHOWN}}"] if more else []


class _ResourceWriter:
    """Writes resources through a Builder, each once."""

    def __init__(self, builder: Builder, records: Records, options: Options, read: Read) -> None:
        self.builder, self.addresses = builder, records.addresses
        self.warnings = records.problems
        self.attachments = AttachmentWriter(builder, options, read, self.warnings)
        self.has_text = False
        self._narratives = NarrativeWriter(builder)
        self._written: list[str] = []  # all texts, in order
        self._done: set[int] = set()
        self._attached: set[int] = set()  # attachments, and the Binaries that they link to
        self._silent: Counter[str] = Counter()  # resources without text, by type
        self._n_samples = 0
        self._level = 0

    def all_warnings(self) -> list[str]:
        """The warnings about parts, and those that count what is not read."""
        counts = [
            f"not read: {count(number, 'resource')} of type {kind} without text"
            for kind, number in self._silent.items()
        ]
        if self._n_samples:
            counts.append(f"not read: {count(self._n_samples, 'record')} of measurements over time (SampledData)")
        if pictures := self._narratives.n_pictures:
            counts.append(f"not read: {count(pictures, 'picture')} in narratives")
        return self.warnings + counts

    def resource(self, resource: Resource) -> Steps:
        """Writes a resource unless it has been written before."""
        if id(resource) in self._done:
            return
        self._done.add(id(resource))
        kind, start = string(resource.get("resourceType")), len(self._written)
        contents = contents_of(resource)
        self.builder.separate("\n\n" if kind in ("Composition", "DiagnosticReport", "DocumentReference") else "\n")
        if kind == "Composition":
            self._line([string(resource.get("title"))])
            self.builder.separate("\n\n")
        narrated = self._narrative(resource)
        described = self._describe(resource, contents, narrated, start)
        for section in listed(resource, "section") if kind == "Composition" else ():
            yield self.section(section)
        if kind == "DiagnosticReport":
            yield self.report(resource, narrated)
        for attachment in contents.attachments:
            self._attachment(attachment)
        yield self.contained(resource, described, narrated)
        for nested in contents.resources:
            yield self.resource(nested)
        self._rest(contents.without("section") if kind == "Composition" else contents.leaves, start)
        self._n_samples += contents.n_samples
        if len(self._written) == start and not contents.attachments and kind != "Bundle":
            self._silent[kind] += 1

    def contained(self, resource: Resource, described: list[str], narrated: bool) -> Steps:
        """Writes the resources that a resource contains; those that its narrative covers are furniture."""
        for contained in listed(resource, "contained"):
            if narrated:
                self._as_furniture(contained)
            elif not set(describe(contained, contents_of(contained), self.addresses)) <= set(described):
                yield self.resource(contained)

    def section(self, section: Resource) -> Steps:
        """Writes a section of a Composition: its heading, its narrative or else its entries, its subsections."""
        self.builder.separate("\n\n")
        self._level += 1
        start = len(self._written)
        kind = kind_of_section(string(coding.get("code")) for coding in listed(record(section.get("code")), "coding"))
        title = string(section.get("title")) or readable(section.get("code"), self.addresses)
        if title:
            self.builder.open_heading(self._level, kind=kind)
            self._text(title)
            self.builder.close_heading()
        self.builder.separate("\n\n")
        narrated = self._narrative(section)
        contents = contents_of(section)
        if not narrated:
            prose = [leaf.text for leaf in contents.without("title", "code", "section", "emptyReason") if leaf.is_prose]
            self._line([*prose, readable(section.get("emptyReason"), self.addresses)])
        for reference in listed(section, "entry"):
            yield self.referenced(reference, narrated)
        for inner in listed(section, "section"):
            yield self.section(inner)
        self._rest(contents.without("section"), start)
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
        elif id(target) in self._done:
            return
        elif narrated and not contents_of(target).attachments:
            self._as_furniture(target)
        else:
            yield self.resource(target)

    def _describe(self, resource: Resource, contents: Contents, narrated: bool, start: int) -> list[str]:
        """Writes and returns the contents of a resource; under a narrative, the notes that it lacks."""
        kind = string(resource.get("resourceType"))
        if narrated:
            notes = [leaf for leaf in contents.without("section", "conclusion") if leaf.is_note]
            for note in self._unwritten(notes, start):
                self._line([note])
            return []
        pieces = describe(resource, contents, self.addresses)
        if kind not in _NOT_DESCRIBED:
            self._line(pieces)
        if kind == "QuestionnaireResponse":
            for line in answers_of(resource, self.addresses):
                self._line(line)
        return pieces

    def _unwritten(self, leaves: list[Leaf], start: int) -> list[str]:
        """The texts of values that are not among those written since ``start``."""
        written = set(self._written[start:])
        rest = [text for text in dict.fromkeys(leaf.text for leaf in leaves) if text not in written]
        known = Words(self._written[start:] if rest else ())
        return [text for text in rest if text not in known]

    def _rest(self, leaves: list[Leaf], start: int) -> None:
        """Records the values that have not been written as furniture."""
        if rest := self._unwritten(leaves, start):
            self.builder.drop(f" {' '.join(rest)} ", "coded entry")

    def _as_furniture(self, resource: Resource) -> None:
        """Records a resource that a narrative covers as furniture, unless it has been written before."""
        if id(resource) in self._done:
            return
        self._done.add(id(resource))
        for part in (resource, *listed(resource, "contained")):
            root, contents = self._parsed(part), contents_of(part)
            texts = ["" if root is None else text_of(root), *describe(part, contents, self.addresses)]
            seen = Words(texts)
            texts += [leaf.text for leaf in contents.leaves if leaf.text not in seen]
            if text := " ".join(dict.fromkeys(filter(None, texts))):
                self.builder.drop(f" {text} ", "coded entry")

    def _text(self, text: str) -> None:
        if text.strip():
            self.has_text = True
            self._written.append(text)
        (self.builder.write_lines if "\n" in text.strip() else self.builder.write)(text)

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
        root = self._parsed(resource)
        if root is None:
            return False
        if not text_of(root):
            if has_picture(root):
                self._narratives.write(root)
                self.builder.separate("\n")
            return False
        if record(resource.get("text")).get("status") == "empty":
            self.builder.drop(f" {text_of(root)} ", "hidden")
            return False
        self.has_text = True
        self._written.append(words_of(root, BLOCKS))
        self._narratives.write(root)
        self.builder.separate("\n")
        return True

    def _parsed(self, resource: Resource) -> Element | None:
        """The narrative of a resource or section; None if it has none, or one that cannot be parsed."""
        div = string(record(resource.get("text")).get("div"))
        try:
            return parse_xhtml(div, self.builder.name, self.builder.limits, self.warnings) if div.strip() else None
        except (CorruptDocumentError, UnsupportedFormatError) as error:
            self.warnings.append(f"a narrative is not read: {error}")
            return None

    # -------------------------------------------------------------------------------------------------- attachments

    def only_attachment(self, resource: Resource) -> bytes | None:
        """The content of the attachment, if the resource has nothing else."""
        attachments = contents_of(resource).attachments
        has_text = string(record(resource.get("text")).get("div")) or resource.get("conclusion")
        if len(attachments) != 1 or has_text or listed(resource, "result"):
            return None
        encoded = string(self._target(attachments[0]).get("data"))
        return decode_base64(encoded, self.builder.name, self.builder.limits) if encoded.strip() else None

    def _target(self, attachment: Resource) -> Resource:
        """The attachment, or the Binary that it links to."""
        target = self.addresses.get(string(attachment.get("url")), attachment)
        self._done.add(id(target))
        return target

    def media_type(self, attachment: Resource) -> str:
        """The media type that an attachment, or else the Binary that it links to, declares."""
        return string(attachment.get("contentType")) or string(self._target(attachment).get("contentType"))

    def _attachment(self, attachment: Resource) -> None:
        """Writes an attached document, or a warning if it is elsewhere or cannot be read."""
        named = string(attachment.get("title")) or "attachment"
        kind = string(attachment.get("contentType"))
        title = f"{named} ({kind})" if kind and named == "attachment" else named
        target = self._target(attachment)
        if id(target) in self._attached:
            return
        self._attached.add(id(target))
        encoded = string(target.get("data"))
        if encoded.strip():
            name, limits = self.builder.name, self.builder.limits
            self.has_text |= self.attachments.write(
                title, lambda: decode_base64(encoded, name, limits), self.media_type(attachment)
            )
        elif url := string(attachment.get("url")):
            self.warnings.append(f"{title}: not fetched: {url}")
