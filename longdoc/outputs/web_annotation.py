"""W3C Web Annotation: JSON-LD, an annotation for each finding, with its place in the text, its words and its page.

``TextPositionSelector`` counts code points of ``document.text``, as the recommendation says; ``TextQuoteSelector`` has
the words and up to 32 characters before and after them; for PDFs, ``FragmentSelector`` names the page. The document is
named by the SHA-256 of its file, as an address of RFC 6920 (``ni:///sha-256;…``), and labelled with its name. Scores
and kinds, for which the recommendation has no terms, are ``longdoc:score`` and ``longdoc:kind``.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO
from uuid import NAMESPACE_URL, uuid5

from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.marks import Mark, marks_of, text_of
from longdoc.outputs.omissions import Omissions, read, telling
from longdoc.outputs.surrogates import escaped
from longdoc.version import __version__

if TYPE_CHECKING:
    from longdoc.labels import Label

CONTEXT = ["http://www.w3.org/ns/anno.jsonld", {"longdoc": "urn:longdoc:"}]
AROUND = 32
"""Characters quoted before and after a finding."""
_PDF_FRAGMENTS = "http://tools.ietf.org/rfc/rfc3778"


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes one collection with the annotations of all documents."""
    with telling("web-annotation") as omissions:
        generator = {"type": "Software", "name": "longdoc", "schema:softwareVersion": __version__}
        head = {"@context": CONTEXT, "type": "AnnotationCollection", "generator": generator}
        stream.write(
            as_json(head).removesuffix("}") + ', "first": {"type": "AnnotationPage", "startIndex": 0, "items": ['
        )
        total, collection = 0, "collection"
        for source, prediction in read(outcomes, omissions):
            for item in _items(source, prediction, omissions):
                stream.write(("," if total else "") + "\n" + as_json(item))
                total, collection = total + 1, _urn(collection, item["id"])
        page = as_json({"id": _urn(collection, "page")})[1:-1]
        stream.write(f"\n], {page}}}, " + as_json({"id": collection, "total": total})[1:] + "\n")


def _urn(*parts: object) -> str:
    """An identifier that is the same whenever it is made of the same parts."""
    return uuid5(NAMESPACE_URL, "\0".join(map(str, parts))).urn


def _items(source: str, prediction: PredictionLike, omissions: Omissions) -> Iterator[dict[str, Any]]:
    text, document = text_of(prediction, omissions), prediction.document
    digest = urlsafe_b64encode(bytes.fromhex(document.source.sha256)).decode().rstrip("=")
    target = {
        "id": f"ni:///sha-256;{digest}",
        "type": "Text",
        "format": document.source.media_type,
        "label": escaped(source),
    }
    for number, mark in enumerate(marks_of(prediction, omissions)):
        yield _annotation(mark, text, target, number)
    for number, label in enumerate(prediction.labels):
        yield _class(label, text, target, number)


def _annotation(mark: Mark, text: str, target: dict[str, str], number: int) -> dict[str, Any]:
    bodies = [{"type": "TextualBody", "value": mark.label, "purpose": "tagging"}]
    if mark.remark:
        bodies.append({"type": "TextualBody", "value": escaped(mark.remark), "purpose": "describing"})
    selectors = _selectors(text, mark.start, mark.end)
    if target["format"] == "application/pdf":
        fragment = {"value": f"page={mark.found.page}", "conformsTo": _PDF_FRAGMENTS}
        selectors.append({"type": "FragmentSelector", **fragment})
    return {
        "id": _urn(target["id"], mark.kind, mark.start, mark.end, mark.label, number),
        "type": "Annotation",
        "motivation": "tagging",
        "body": bodies,
        "target": {"type": "SpecificResource", "source": target, "selector": selectors},
        "longdoc:kind": mark.kind,
        "longdoc:score": round(mark.found.score, 4),
    }


def _class(label: Label, text: str, target: dict[str, str], number: int) -> dict[str, Any]:
    """The annotation of a class, of the whole document or of a section."""
    aim: dict[str, Any] = {"type": "SpecificResource", "source": target}
    if label.start is not None and label.end is not None:
        aim["selector"] = _selectors(text, label.start, label.end)[:1]
    name = escaped(label.name)
    return {
        "id": _urn(target["id"], "class", label.start, label.end, name, number),
        "type": "Annotation",
        "motivation": "classifying",
        "body": [{"type": "TextualBody", "value": name, "purpose": "classifying"}],
        "target": aim,
        "longdoc:kind": "class",
        "longdoc:score": round(label.score, 4),
    }


def _selectors(text: str, start: int, end: int) -> list[dict[str, Any]]:
    before, after = text[max(start - AROUND, 0) : start], text[end : end + AROUND]
    return [
        {"type": "TextPositionSelector", "start": start, "end": end},
        {"type": "TextQuoteSelector", "exact": text[start:end], "prefix": before, "suffix": after},
    ]


FORMAT = Format(
    name="web-annotation",
    description="W3C Web Annotations (JSON-LD)",
    suffix=".jsonld",
    streams=False,
    write=write,
    answers=True,
    failures=False,
)
