"""What a document is made of: sections as a tree, defined terms, cross-references."""

from longdoc.document import Document

__all__ = ["add_structure"]


def add_structure(document: Document) -> Document:
    """The document with its sections, defined terms and cross-references."""
    return document
