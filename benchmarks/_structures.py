"""Files that are changed, or made, by the structure of their format, so that they stay readable and reach deep code.

PDF: objects and operators. XML, HTML and the parts of Word files: elements and attributes. JSON: values. Text: lines.
Pictures: modes, sizes and tags.
"""

import copy
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import PIL.Image
from _choices import NUMBERS, WORDS, few, some
from _made_pdfs import changed_pdf, made_pdf
from lxml import etree, html

# ------------------------------------------------------------------------------------------------------- XML and HTML


def changed_tree(root: Any, rng: random.Random) -> None:
    """Elements copied, moved, deleted, nested and renamed; attributes and texts replaced."""
    for _ in range(few(rng)):
        nodes = [node for node in root.iter() if isinstance(node.tag, str)]
        if len(nodes) < 5000:
            some(rng, (remove, put, rename, set_attribute, set_text, wrap))(some(rng, nodes), some(rng, nodes), rng)


def remove(node: Any, _: Any, __: random.Random) -> None:
    if node.getparent() is not None:
        node.getparent().remove(node)


def put(node: Any, other: Any, rng: random.Random) -> None:
    other.extend([copy.deepcopy(node) for _ in range(some(rng, (1, 2, 50)))])


def rename(node: Any, other: Any, _: random.Random) -> None:
    node.tag = other.tag


def set_attribute(node: Any, other: Any, rng: random.Random) -> None:
    if names := [*node.keys(), *other.keys()]:
        node.set(
            some(rng, names), some(rng, (other.get(some(rng, names)) or "", legal(str(some(rng, (*NUMBERS, *WORDS))))))
        )


def set_text(node: Any, other: Any, rng: random.Random) -> None:
    node.text, other.tail = legal(str(some(rng, (*NUMBERS, *WORDS)))), legal(some(rng, WORDS))


def wrap(node: Any, other: Any, rng: random.Random) -> None:
    """Puts a node into nested elements."""
    if node.getparent() is not None:
        outer = inner = etree.Element(other.tag)
        for _ in range(some(rng, (0, 4, 150, 400))):
            inner = etree.SubElement(inner, other.tag)
        node.getparent().replace(node, outer)
        inner.append(node)


def legal(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)


def changed_xml(data: bytes, rng: random.Random) -> bytes:
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False))
    changed_tree(root, rng)
    return etree.tostring(root, xml_declaration=True, encoding=some(rng, ("utf-8", "utf-8", "utf-16", "us-ascii")))


def changed_html(data: bytes, rng: random.Random) -> bytes:
    root = html.document_fromstring(data)
    changed_tree(root, rng)
    return html.tostring(root, encoding=some(rng, ("utf-8", "utf-8", "windows-1252", "utf-16")))


def changed_word(data: bytes, rng: random.Random) -> bytes:
    """One or two parts changed, and sometimes one left out, renamed or written twice."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    readable = [name for name in parts if name.endswith((".xml", ".rels"))]
    weighted = [name for name in readable for _ in range(8 if name == "word/document.xml" else 1)]
    for name in {some(rng, weighted) for _ in range(some(rng, (1, 1, 2)))}:
        parts[name] = changed_xml(parts[name], rng)
    members = list(parts.items())
    if rng.random() < 0.15:
        i = rng.randrange(len(members))
        name, content = members[i]
        members[i : i + 1] = some(
            rng, ([], [(some(rng, members)[0], content)], [members[i], members[i]], [(f"x/{name}", content)])
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members:
            new.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


# ----------------------------------------------------------------------------------------------- JSON, text, pictures


def changed_json(data: bytes, rng: random.Random) -> bytes:
    """Values replaced by those of other places, by other types, and by extreme ones."""
    tree = json.loads(data)
    for _ in range(few(rng)):
        places = list(places_of(tree))
        if not places:
            break
        holder, key = some(rng, places)
        other, other_key = some(rng, places)
        value = some(rng, (*NUMBERS, *WORDS, None, True, [], {}, 1.5, copy.deepcopy(other[other_key])))
        if rng.random() < 0.3:
            value = copy.deepcopy(other[other_key])
        elif rng.random() < 0.2:
            for _ in range(some(rng, (1, 5, 300))):
                value = [value] if rng.random() < 0.5 else {some(rng, ("item", "section", "text", "contained")): value}
        holder[key] = value
        if rng.random() < 0.2:
            del holder[key]
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def places_of(tree: Any) -> Iterator[tuple[Any, Any]]:
    """The container and key of each value."""
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from places_of(tree[key])


LINES = (
    "<PAGE>", "\f", "<TABLE>", "<S>   <C>", "</TABLE>", "<DOCUMENT>", "<TYPE>EX-10", "<TEXT>", "</TEXT>",
    "</DOCUMENT>", "- 3 -", "Page 3 of 9", "1.", "1.1 Term.", "(a)", "ARTICLE I", "EXHIBIT B", "TABLE OF CONTENTS",
    "Term .......... 3", "a    1,000    2,000", "| a | b |", "|---|---|", "+---+---+", "PLAN:", "- item",
    "\u2022 item", "\t\tindented", "\r", "FORM OF LEASE", "IN WITNESS WHEREOF", "By: ______________", "[***]",
    "The following:", "NOW, THEREFORE,", "# heading", "=====", "ASSESSMENT AND PLAN", "1 2 3 4 5", "\x85", "\u2029",
)  # fmt: skip
ENCODINGS = (
    "utf-8", "utf-8", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "shift_jis", "gb18030", "utf-7",
)  # fmt: skip


def changed_text(data: bytes, rng: random.Random) -> bytes:
    """Lines copied, moved, and others put in; then encoded in one way or another."""
    lines = data.decode("utf-8", "replace").splitlines(keepends=True) or [""]
    for _ in range(some(rng, (1, 3, 10, 40))):
        i, line = rng.randrange(len(lines) + 1), some(rng, LINES)
        new = some(rng, ([f"{line}\n"] * some(rng, (1, 1, 30)), [f"{line} {some(rng, WORDS)}"], lines[i : i + 9] * 3))
        lines[i : i + rng.randrange(3)] = new
    return "".join(lines).encode(some(rng, ENCODINGS), "replace")


def changed_picture(data: bytes, rng: random.Random) -> bytes:
    """Saved in another mode, size and format, with several frames and with odd tags."""
    image = PIL.Image.open(io.BytesIO(data)).convert("RGB")
    image = image.resize(some(rng, ((1, 1), (1, 900), (900, 1), (200, 80), (17, 31), image.size)))
    image = image.convert(some(rng, ("1", "L", "P", "RGB", "RGBA", "CMYK", "I", "F", "LA")))
    format, stream, exif = some(rng, ("PNG", "TIFF", "GIF", "WEBP", "JPEG", "BMP")), io.BytesIO(), PIL.Image.Exif()
    exif[0x0112] = some(rng, (*range(12), 65_535))
    options: dict[str, Any] = {"exif": exif, "dpi": some(rng, ((72, 72), (1, 1), (0, 0), (30_000, 7), (300, 300)))}
    if format in ("TIFF", "GIF", "WEBP") and rng.random() < 0.5:
        options |= {"save_all": True, "append_images": [image] * few(rng)}
    try:
        image.save(stream, format, **options)
    except (OSError, ValueError):  # a format that has no such mode
        stream = io.BytesIO()
        image.convert("RGB").save(stream, "PNG", **options)
    return stream.getvalue()


CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "pdf": changed_pdf, "docx": changed_word, "jats": changed_xml, "ccda": changed_xml, "html": changed_html,
    "fhir": changed_json, "text": changed_text, "image": changed_picture,
}  # fmt: skip


def restructured(kind: str, seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """A file of the corpus with its structure changed; half of the PDFs are made from a grammar."""
    if kind == "pdf" and rng.random() < 0.5:
        return made_pdf(rng)
    return CHANGES[kind](some(rng, seeds), rng)
