"""Clinical documents in C-CDA XML: the narratives of their sections as text, the header as metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

from longdoc.document import Document
from longdoc.loaders.clinical.attachments import (
    AttachmentWriter,
    Read,
    as_record,
    decode_base64,
    read_attachment,
    unpack,
)
from longdoc.loaders.clinical.ccda_entries import Piece, embedded, entry_pieces, uncovered
from longdoc.loaders.clinical.ccda_header import header_parts, metadata_of, missing_parents
from longdoc.loaders.clinical.ccda_narrative import CcdaNarrative, parse_markup
from longdoc.loaders.clinical.narrative import has_picture
from longdoc.loaders.clinical.words import Words
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps, run
from longdoc.loaders.markup.xml import Element, attribute, children, parse_xml, tag_of, text_of, words_of
from longdoc.loaders.options import Options
from longdoc.sections.tables import section_kinds
from longdoc.summary import count

_MEDIA_TYPE = "application/cda+xml"
_NOT_TEXT = ("section", "entry", "component", "title", "text", "code", "id", "templateid")


def load_ccda(data: bytes, *, name: str, options: Options, read: Read) -> Document:
    """Reads a clinical document: its title and the narratives of its sections, and the documents in its body.

    Coded entries repeat the narrative. They are read only if a section has no narrative, with a warning; otherwise
    what the narrative lacks is furniture of the kind "coded entry". The header is metadata, and furniture of the kind
    "header". A document whose body is one attached document becomes that document, with its boxes.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.
        read: reads an attached document.

    Raises:
        CorruptDocumentError: it, or the attached document that is its body, is not well formed.
        NoTextLayerError: it contains no text.
        LimitExceededError: it exceeds a limit.
        UnsupportedFormatError: the attached document that is its body is of a format that no loader reads.
    """
    root = parse_xml(data, name, options.limits)
    metadata = metadata_of(root)
    bodies = [body for component in children(root, "component") for body in component]
    texts = children(bodies[0], "text") if len(bodies) == 1 else []
    if len(texts) == 1 and _is_encoded(texts[0]):
        title = f"{name}, body{_media_type(texts[0])}"
        media_type = attribute(texts[0], "mediaType")
        document = read_attachment(_content(texts[0], title, options), title, options, read, media_type)
        return as_record(document, data, name=name, media_type=_MEDIA_TYPE, metadata=metadata)
    writer = _ClinicalDocument(Builder(name, options.limits), options, read, root)
    run(writer.document(root))
    if writer.attachments.failure is not None and not writer.has_text:
        raise writer.attachments.failure
    return writer.builder.document(
        data, media_type=_MEDIA_TYPE, loader="ccda", metadata=metadata, warnings=writer.warnings
    )


def kind_of_section(codes: Iterable[str]) -> str:
    """The kind of section that the first known LOINC code stands for."""
    kinds = section_kinds("loinc")
    return next((kinds[code] for code in codes if code in kinds), "section")


def _is_encoded(element: Element) -> bool:
    return attribute(element, "representation") == "B64"


def _media_type(element: Element) -> str:
    """The media type of an attachment in brackets, for its title."""
    found = attribute(element, "mediaType")
    return f" ({found})" if found else ""


def _declared_type(element: Element) -> str:
    """The media type of an encoded attachment; text that is not encoded has been decoded, whatever it declares."""
    return attribute(element, "mediaType") if _is_encoded(element) else ""


def _content(element: Element, name: str, options: Options) -> bytes:
    """The bytes of an attachment."""
    data = decode_base64(element.text or "", name, options.limits) if _is_encoded(element) else _text_bytes(element)
    return unpack(data, attribute(element, "compression"), name, options.limits)


def _text_bytes(element: Element) -> bytes:
    """The text of an attachment that is not encoded."""
    return (element.text or "").strip().encode()


class _ClinicalDocument:
    """Writes the title and the body of a clinical document."""

    def __init__(self, builder: Builder, options: Options, read: Read, root: Element) -> None:
        self.builder, self.options = builder, options
        self.warnings: list[str] = []
        self.attachments = AttachmentWriter(builder, options, read, self.warnings)
        self.narrative = CcdaNarrative(builder, root, self.warnings)
        self.has_text = False
        self._level = 0
        self._pictures: Counter[str] = Counter()  # of entries, by media type

    def document(self, root: Element) -> Steps:
        """Writes the header as furniture, then the title and the body."""
        self.warnings += parse_markup(root, self.builder.name, self.options.limits)
        for part in header_parts(root):
            contacts = (attribute(inner, "value") for inner in part.iter() if tag_of(inner) == "telecom")
            if text := " ".join(filter(None, (words_of(part), *contacts))):
                self.builder.drop(f"{text}\n", "header")
        for title in children(root, "title"):
            yield self.narrative.block(title)
        for component in children(root, "component"):
            for body in component:
                yield self.body(body)
        self.warnings += missing_parents(root)
        if pictures := self.narrative.n_pictures:
            self.warnings.append(f"not read: {count(pictures, 'picture')} in narratives")
        for media_type, number in self._pictures.items():
            self.warnings.append(f"not read: {count(number, 'picture')} in coded entries ({media_type})")

    def body(self, element: Element) -> Steps:
        """Writes the sections and the text of a body."""
        if tag_of(element) == "section":
            yield self.section(element)
            return
        for part in element:
            if tag_of(part) == "component":
                for section in children(part, "section"):
                    yield self.section(section)
            elif tag_of(part) == "section":
                yield self.section(part)
            elif tag_of(part) == "text":
                yield self.text_of_body(part)

    def text_of_body(self, text: Element) -> Steps:
        """Writes the text of a body without sections."""
        media_type = attribute(text, "mediaType")
        title = f"body{_media_type(text)}"
        yield from ()
        if links := [attribute(part, "value") for part in children(text, "reference")]:
            self.warnings.append(f"{title}: not fetched: {', '.join(links)}")
        elif _is_encoded(text) or (
            media_type not in ("", "text/plain") and (text.text or "").strip() and not len(text)
        ):
            self.has_text |= self.attachments.write(
                title, lambda: _content(text, title, self.options), _declared_type(text)
            )
        elif len(text):
            self.has_text |= bool(text_of(text))
            yield self.narrative.element(text)
        else:
            self.has_text |= bool((text.text or "").strip())
            self.builder.separate("\n\n")
            self.builder.write_lines(text.text or "")
            self.builder.separate("\n\n")

    def section(self, element: Element) -> Steps:
        """A section: its heading, its narrative, its entries and its subsections."""
        self.builder.separate("\n\n")
        self._level += 1
        codes = children(element, "code")
        titles = [title for title in children(element, "title") if text_of(title)]
        self.builder.open_heading(self._level, kind=kind_of_section(attribute(code, "code") for code in codes))
        for title in titles:
            yield self.narrative.content(title)
        if not titles:
            self.builder.write(next((name for code in codes if (name := attribute(code, "displayName"))), ""))
        self.builder.close_heading()
        self.builder.separate("\n\n")
        texts = children(element, "text")
        narrative = [text for text in texts if text_of(text)]
        for text in [text for text in texts if text_of(text) or has_picture(text)]:
            yield self.text_of_body(text) if _is_encoded(text) else self.narrative.element(text)
        self.has_text |= bool(narrative or titles)
        self._entries(element, Words(map(words_of, [*titles, *narrative])), is_narrated=bool(narrative))
        for part in element:
            for section in [part] if tag_of(part) == "section" else children(part, "section"):
                yield self.section(section)
        self._level -= 1

    def _entries(self, section: Element, known: Words, *, is_narrated: bool) -> None:
        """Writes coded entries one per line; under a narrative, what it lacks of them is furniture."""
        entries = children(section, "entry")
        lines = [pieces for entry in entries if (pieces := entry_pieces(entry))]
        others = [
            Piece(text, (text,)) for part in section if tag_of(part) not in _NOT_TEXT for text in [words_of(part)]
        ]
        if is_narrated:
            for pieces in (*lines, others):
                if rest := uncovered(pieces, known):
                    self.builder.drop(f" {' '.join(rest)} ", "coded entry")
        else:
            self._write_entries(section, lines)
            if rest := uncovered(others, known):
                self.builder.drop(f" {' '.join(rest)} ", "coded entry")
        for part in embedded(entries):
            media_type = attribute(part, "mediaType")
            if media_type.startswith("image/"):
                if not self.narrative.shows(part):
                    self._pictures[media_type] += 1
                continue
            title = f"entry{_media_type(part)}"
            content = partial(_content, part, title, self.options)
            self.has_text |= self.attachments.write(title, content, _declared_type(part))

    def _write_entries(self, section: Element, lines: list[list[Piece]]) -> None:
        if lines:
            title = " ".join(map(text_of, children(section, "title"))) or "without a title"
            read = f"{count(len(lines), 'coded entry')} {'is' if len(lines) == 1 else 'are'} read instead"
            self.warnings.append(f"section {title!r} has no narrative: its {read}")
            self.has_text = True
        for line in lines:
            self.builder.separate("\n")
            for position, piece in enumerate(line):
                if position:
                    self.builder.insert("; ", "entry")
                self.builder.write(piece.text)
