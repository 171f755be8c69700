"""Word files: paragraphs, tables and notes in document order, with the list numbers that Word computes.

Tracked changes are accepted: deleted text is furniture of the kind "deleted". A footnote is a paragraph of its own
after the paragraph or table that refers to it, and both show its mark as "[1]"; the mark of an endnote is "[e1]". A
note without a reference is furniture. A text box follows the paragraph to which it is anchored.
"""

from __future__ import annotations

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError
from longdoc.loaders.docx.notes import Notes
from longdoc.loaders.docx.numbering import Numbering
from longdoc.loaders.docx.package import Package, Parts, Styles, child, target_of
from longdoc.loaders.docx.page_sections import PageSections
from longdoc.loaders.docx.paragraphs import Paragraphs
from longdoc.loaders.docx.runs import Runs
from longdoc.loaders.docx.tables import Tables
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import run
from longdoc.loaders.markup.xml import Element
from longdoc.loaders.options import Options

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PROPERTIES = "ppr rpr tblpr trpr tcpr sdtpr sdtendpr sectpr tblgrid instrtext delinstrtext smarttagpr".split()


def load_docx(data: bytes, *, name: str, options: Options) -> Document:
    """Reads a Word file.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.

    Raises:
        CorruptDocumentError: the zip file or one of its parts is damaged, or the main part is missing.
        EncryptedDocumentError: it needs a password.
        NoTextLayerError: it contains no text.
        LimitExceededError: it is deeper, longer or larger than the limits allow.
    """
    package = Package(data, name, options.limits)
    path = target_of(package.relations(""), "officeDocument") or "word/document.xml"
    root = package.part(path)
    body = child(root, "body")
    if root is None or body is None:
        raise CorruptDocumentError(f"{name}: the part {path} is missing or has no body; save the file again as .docx")
    walk = Walk(Builder(name, options.limits), Parts(package, path))
    _write(walk, root, body)
    return walk.builder.document(
        data, media_type=_MEDIA_TYPE, loader="docx", metadata=package.metadata(), warnings=walk.parts.warnings
    )


def _write(walk: Walk, root: Element, body: Element) -> None:
    """Writes the whole document, each element by the handler of its tag."""
    styles = Styles(walk.parts.get("styles"))
    numbering = Numbering(walk.parts.get("numbering"), styles.numbered)
    notes, sections, runs = Notes(walk), PageSections(walk, root), Runs(walk, styles)
    walk.handlers = {
        "p": Paragraphs(walk, styles, numbering, notes, sections).paragraph,
        "tbl": Tables(walk, notes).table,
        "r": runs.run,
        **dict.fromkeys(("t", "deltext"), runs.text),
        **dict.fromkeys(("del", "movefrom"), runs.deletion),
        **dict.fromkeys(("tab", "ptab", "softhyphen", "nobreakhyphen", "sym"), runs.character),
        **dict.fromkeys(("br", "cr"), runs.line_break),
        "lastrenderedpagebreak": runs.rendered_page_break,
        "hyperlink": runs.link,
        "alternatecontent": runs.alternative,
        "txbxcontent": runs.text_box,
        "altchunk": runs.other_file,
        **dict.fromkeys(("footnotereference", "endnotereference"), notes.mark),
        "commentreference": notes.comment,
        **dict.fromkeys(_PROPERTIES, walk.skip),
    }
    sections.record_margins()
    run(walk.content(body))
    notes.write_unreferenced()
