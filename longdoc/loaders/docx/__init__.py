"""Word files: paragraphs, tables and notes in document order, with the list numbers that Word computes.

Tracked changes are accepted: deleted text is furniture of the kind "deleted". A footnote is a paragraph of its own
after the paragraph or table that refers to it, and both show its mark as "[1]"; the mark of an endnote is "[e1]". A
note without a reference is furniture. A text box follows the paragraph to which it is anchored, and so do WordArt and
the text of a diagram.

Fields show their results; their instructions are furniture ("field code"), and so are the placeholders of content
controls, alternative texts and the words of charts. Equations and raised text are written so that no number changes its
value: ``10^6``, ``(b+c)/2``. What is not read is named in ``Document.warnings``.
"""

from __future__ import annotations

from collections.abc import Callable

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, NoTextLayerError
from longdoc.loaders.docx.bindings import Bindings
from longdoc.loaders.docx.controls import Controls
from longdoc.loaders.docx.drawings import Drawings
from longdoc.loaders.docx.field_numbers import FieldNumbers
from longdoc.loaders.docx.fields import Fields
from longdoc.loaders.docx.notes import Notes
from longdoc.loaders.docx.numbering import Numbering
from longdoc.loaders.docx.other_parts import unread_parts
from longdoc.loaders.docx.package import Package, Parts, Styles, child, target_of
from longdoc.loaders.docx.page_sections import PageSections
from longdoc.loaders.docx.paragraphs import Paragraphs
from longdoc.loaders.docx.raised_runs import RaisedRuns
from longdoc.loaders.docx.runs import Runs
from longdoc.loaders.docx.symbols import unknown_characters
from longdoc.loaders.docx.tables import Tables
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps, run
from longdoc.loaders.markup.xml import Element
from longdoc.loaders.options import Options

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PROPERTIES = "ppr rpr tblpr trpr tcpr sdtpr sdtendpr sectpr tblgrid smarttagpr".split()
_COMPUTED = "pgnum daylong dayshort monthlong monthshort yearlong yearshort".split()


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
    missing = _write(walk, package, root, body)
    metadata = walk.parts.metadata()
    warnings = [*dict.fromkeys(walk.parts.warnings), *missing]
    try:
        return walk.builder.document(
            data, media_type=_MEDIA_TYPE, loader="docx", metadata=metadata, fields=walk.form, warnings=warnings
        )
    except NoTextLayerError as error:
        raise NoTextLayerError("; ".join([str(error), *warnings])) from error


def _write(walk: Walk, package: Package, root: Element, body: Element) -> list[str]:
    """Writes the whole document, each element by the handler of its tag; returns what is missing."""
    styles = Styles(walk.parts.get("styles"))
    numbering = Numbering(walk.parts.get("numbering"), styles.numbered)
    notes, sections, runs, drawings = Notes(walk), PageSections(walk, root), Runs(walk, styles), Drawings(walk)
    bindings = Bindings(package)
    controls, fields = Controls(walk, bindings), Fields(walk, FieldNumbers(walk, numbering))
    raised = RaisedRuns(styles, [root, *notes.roots])
    walk.handlers = {
        "p": Paragraphs(walk, raised, numbering, notes, sections).paragraph,
        "tbl": Tables(walk, notes, controls).table,
        **dict.fromkeys(("footnotereference", "endnotereference"), notes.mark),
        "commentreference": notes.comment,
        "sdt": controls.control,
        "fldsimple": fields.simple,
        "fldchar": fields.mark,
        **dict.fromkeys(("instrtext", "delinstrtext"), fields.instruction),
        **_in_runs(runs),
        **_drawn(drawings),
        **dict.fromkeys(_PROPERTIES, walk.skip),
    }
    sections.record_margins()
    run(walk.content(body))
    notes.write_unreferenced()
    written = walk.builder.raw_text
    styles_in_decimal = ", ".join(sorted(numbering.unknown_styles))
    return [
        *([f"list numbers of the style {styles_in_decimal} are written in decimal"] if styles_in_decimal else []),
        *fields.warnings(),
        *drawings.warnings(),
        *unknown_characters(walk.builder.text),
        *unread_parts(package, walk.parts, bindings, drawings.programs, written),
    ]


def _in_runs(runs: Runs) -> dict[str, Callable[[Element], Steps]]:
    """The handlers of what paragraphs contain."""
    return {
        "r": runs.run,
        **dict.fromkeys(("t", "deltext"), runs.text),
        **dict.fromkeys(("del", "movefrom"), runs.deletion),
        **dict.fromkeys(("tab", "ptab", "softhyphen", "nobreakhyphen", "sym"), runs.character),
        **dict.fromkeys(_COMPUTED, runs.computed),
        **dict.fromkeys(("br", "cr"), runs.line_break),
        "lastrenderedpagebreak": runs.rendered_page_break,
        "hyperlink": runs.link,
        "rt": runs.ruby,
        "omath": runs.equation,
        "omathpara": runs.equations,
    }


def _drawn(drawings: Drawings) -> dict[str, Callable[[Element], Steps]]:
    """The handlers of drawings and of what other programs made."""
    return {
        "alternatecontent": drawings.alternative,
        **dict.fromkeys(("txbxcontent", "txbody"), drawings.text_box),
        "textpath": drawings.word_art,
        "relids": drawings.diagram,
        "chart": drawings.chart,
        "oleobject": drawings.embedded,
        "hlinkclick": drawings.link,
        **dict.fromkeys(("docpr", "cnvpr", "rect", "oval", "roundrect", "group"), drawings.description),
        **dict.fromkeys(("inline", "anchor", "shape"), drawings.picture),
        **dict.fromkeys(("altchunk", "subdoc", "contentpart"), drawings.other_file),
    }
