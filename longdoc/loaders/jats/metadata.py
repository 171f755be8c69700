"""The metadata of a JATS paper: its front matter and its references."""

from __future__ import annotations

from collections.abc import Iterator

from longdoc.loaders.markup.xml import Element, attribute, children, tag_of, text_of, words_of

_KEYS = {
    "journal-title": "Journal",
    "journal-title-group": "Journal",
    "journal-id": "Journal identifiers",
    "issn": "ISSN",
    "publisher": "Publisher",
    "article-id": "Article identifiers",
    "article-categories": "Subjects",
    "contrib-group": "Contributors",
    "aff": "Affiliations",
    "author-notes": "Author notes",
    "pub-date": "Publication dates",
    "history": "History",
    "permissions": "Licence",
    "kwd-group": "Keywords",
    "funding-group": "Funding",
    "custom-meta-group": "Notes",
    "related-article": "Related articles",
    "alt-title": "Running title",
}
"""Tag in the front matter -> key of the metadata; other tags are their own keys."""
_NOTES = {"conflict": "Competing interests", "coi-statement": "Competing interests", "con": "Author contributions"}
"""Type of a footnote to the authors -> key of the metadata; others belong to their element's."""
_GROUPS = ("article-categories", "kwd-group", "subj-group")
_DEEPEST = 8  # elements of a group within each other; real groups have two
_NAME_PARTS = frozenset(("given-names", "suffix"))


class Metadata:
    """Collects the metadata of a paper."""

    def __init__(self) -> None:
        self._parts: dict[str, list[str]] = {}  # key -> its values, with the separators between them

    @property
    def fields(self) -> dict[str, str]:
        """The metadata collected so far."""
        return {key: "".join(parts) for key, parts in self._parts.items()}

    def add(self, key: str, value: str, separator: str = "\n") -> None:
        """Adds a value to those of its key; empty values are ignored."""
        if value:
            parts = self._parts.setdefault(key, [])
            parts += [separator, value] if parts else [value]

    def add_element(self, element: Element) -> None:
        """Adds an element of the front matter with all of its text."""
        tag = tag_of(element)
        key = _KEYS.get(tag, tag.replace("-", " ").capitalize())
        if tag == "article-id" and attribute(element, "pub-id-type") == "doi":
            key = "DOI"
        elif tag == "pub-date":
            self._parts.setdefault("Date", [_date(element)])
        elif tag == "contrib-group":
            names = (_author(contributor) for contributor in children(element, "contrib"))
            self.add("Author", "; ".join(filter(None, names)), "; ")
        if tag in _GROUPS:
            self.add(key, "; ".join(dict.fromkeys(filter(None, map(words_of, _members(element))))), "; ")
        elif tag in ("contrib-group", "author-notes", "history", "custom-meta-group", "funding-group"):
            for part in element:
                self.add(*_note(part, key))
        else:
            self.add(key, words_of(element))

    def add_reference(self, element: Element) -> None:
        """Adds an entry of the list of references, on one line."""
        parts = [
            words_of(part, _NAME_PARTS) if tag_of(part) == "mixed-citation" else words_of(part)
            for part in element
            if tag_of(part) != "label"
        ]
        labels = [text_of(part).rstrip(".") + "." for part in children(element, "label")]
        self.add("references", " ".join([*labels, *filter(None, parts)]))


def _members(group: Element) -> Iterator[Element]:
    """The elements of a group, without groups; those nested deeper than 8 are only in the text of those around them."""
    waiting = [(part, 1) for part in reversed(group)]
    while waiting:
        part, depth = waiting.pop()
        is_group = tag_of(part) in _GROUPS
        if not is_group:
            yield part
        if is_group or depth < _DEEPEST:
            waiting += [(inner, depth + (not is_group)) for inner in reversed(part)]


def _note(element: Element, key: str) -> tuple[str, str]:
    """Key and value of a part of a group with this key: notes that readers look for have a key of their own."""
    name = " ".join(map(text_of, children(element, "meta-name")))
    if name.lower() == "data availability":
        return "Data availability", " ".join(map(words_of, children(element, "meta-value")))
    key = "Awards" if tag_of(element) == "award-group" else _NOTES.get(attribute(element, "fn-type"), key)
    kind = attribute(element, "date-type") or attribute(element, "contrib-type")
    return key, f"{kind}: {words_of(element)}" if kind else words_of(element)


def _author(contributor: Element) -> str:
    """The name of an author, given name first; empty for contributors of other types."""
    if attribute(contributor, "contrib-type") not in ("", "author"):
        return ""
    for name in contributor.iter():
        if tag_of(name) == "name":
            parts = [children(name, tag) for tag in ("prefix", "given-names", "surname", "suffix")]
            return " ".join(text_of(part) for found in parts for part in found)
        if tag_of(name) in ("collab", "string-name"):
            return text_of(name)
    return ""


def _date(element: Element) -> str:
    """A date such as ``2011-11-15``; month and day may be missing."""
    parts = [" ".join(map(text_of, children(element, tag))) for tag in ("year", "month", "day")]
    return "-".join(part.zfill(2) for part in parts if part) or text_of(element)
