"""The parts of a Word file that are not read, named in warnings if they contain something a reader would miss."""

from __future__ import annotations

import re
from collections.abc import Mapping

from longdoc.errors import CorruptDocumentError
from longdoc.loaders.docx.bindings import Bindings
from longdoc.loaders.docx.numbering import value_of
from longdoc.loaders.docx.package import Package, Parts, child
from longdoc.loaders.docx.words import words
from longdoc.loaders.markup.xml import Element, tag_of

_BOOKKEEPING = re.compile(
    r"""
    \[Content_Types\]\.xml | \[trash\]/.* | (?:.*/)?_rels/.*\.rels | docProps/.* | docMetadata/.* | _xmlsignatures/.*
    | customXml/(?:item|itemProps)\d*\.xml | customUI/.* | userCustomization/.*
    | .*/(?:theme|media|fonts|printerSettings)/.*
    | .*/(?:settings|webSettings|styles|stylesWithEffects|numbering|fontTable|people|attachedToolbars|customizations
        |intelligence|documenttasks|commentsExtended|commentsIds|commentsExtensible|commentsDocument|keyMapCustomizations|tasks|threadedComments
        |vbaData|vbaProjectSignature|mailMergeHeaderSource|mailMergeRecipients|recipientData)\d*\.xml
    | .*\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|eps|odttf|ttf|fntdata|psmdcp|sigs|DS_Store)
    | (?:.*/)?vbaProject(?:Signature)?\.bin
    | .*/diagrams/(?:layout|quickStyle|colors|drawing)\d*\.xml | .*/charts/(?:style|colors)\d*\.xml | __MACOSX/.*
    | .*/webextensions/.* | mimetype | .*thumbnail\.\w+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_EMBEDDED = re.compile(r"(?:.*/)?(?:embeddings|activeX)/[^/]+", re.IGNORECASE)
_WORKBOOK = re.compile(r"(?:.*/)?embeddings/[^/]+\.xls[xbm]", re.IGNORECASE)
_SHOWN = 5


def unread_parts(
    package: Package, parts: Parts, bindings: Bindings, programs: Mapping[str, str], text: str
) -> list[str]:
    """The warnings that name unread parts.

    Args:
        package: the file.
        parts: the parts that were read, with those that warnings name already.
        bindings: the data parts.
        programs: path of an embedded object -> the program that made it.
        text: the text of the document, its furniture included.
    """
    read = package.read | parts.named | _workbooks_of_charts(package)
    other = [path for path in package.paths if path not in read and not _BOOKKEEPING.fullmatch(path)]
    embedded = [path for path in other if _EMBEDDED.fullmatch(path)]
    rest = [path for path in other if path not in embedded]
    if "glossary" in "".join(rest):
        rest = [path for path in rest if "glossary/" not in path]
        rest += [
            path for path in other if path.endswith("glossary/document.xml") and _has_building_blocks(package, path)
        ]
    named = [f"{path} ({programs[path]})" if programs.get(path) else path for path in embedded]
    data = bindings.unshown(text)
    return [
        *([f"embedded files are not read: {_list(named)}; unpack them and load each by itself"] if named else []),
        *([f"data that the text does not show are not read: {_list(data)}"] if data else []),
        *([f"parts of the file are not read: {_list(rest)}"] if rest else []),
        *dict.fromkeys(bindings.warnings),
    ]


def _list(paths: list[str]) -> str:
    return ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")


def _workbooks_of_charts(package: Package) -> set[str]:
    """The workbooks behind the charts, whose numbers the charts repeat."""
    found: set[str] = set()
    for path in package.paths:
        if "/charts/" in path and path in package.read and path.endswith(".xml"):
            try:
                found |= {each.target for each in package.relations(path).values() if _WORKBOOK.fullmatch(each.target)}
            except CorruptDocumentError:  # then the workbook is named as unread
                continue
    return found


def _has_building_blocks(package: Package, path: str) -> bool:
    """Whether a glossary has text other than the placeholders of content controls."""
    try:
        root = package.part(path)
    except CorruptDocumentError:
        return True
    blocks = [] if root is None else [element for element in root.iter() if tag_of(element) == "docpart"]
    return any(not _is_placeholder(block) and words(block) for block in blocks)


def _is_placeholder(block: Element) -> bool:
    category = child(child(block, "docpartpr"), "category")
    return value_of(category, "gallery") == "placeholder"
