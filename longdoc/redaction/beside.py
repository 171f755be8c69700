"""What a PDF has beside the content of its pages: removed, or rid of names.

Of the catalogue and of pages only what is known to be harmless is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from longdoc.pdf_files import Bounds
from longdoc.redaction.matrices import overlap
from longdoc.redaction.names import REDACTED, Search

_Replace = Callable[[str], str | None]
_CATALOGUE = frozenset(
    "/Type /Version /Pages /PageLabels /Names /Dests /ViewerPreferences /PageLayout /PageMode /Outlines /OpenAction "
    "/AcroForm /Lang /OutputIntents /OCProperties".split()
)
_PAGE = frozenset(
    "/Type /Parent /Resources /MediaBox /CropBox /BleedBox /TrimBox /ArtBox /Contents /Rotate /Group /Annots "
    "/UserUnit /Tabs".split()
)
_FORM = frozenset("/Fields /NeedAppearances /SigFlags /DR /DA /Q".split())
_TRAILER = frozenset("/Root /Size /ID /Encrypt /Prev /Info /Type /W /Index /Filter /DecodeParms /Length".split())
FONT_NAMES = ("/BaseFont", "/FontName", "/FontFamily")
"""Keys of what vendors named."""
_ANYWHERE = (
    "/ActualText",
    "/Alt",
    "/Metadata",
    "/PieceInfo",
    "/AF",
    "/Thumb",
    "/OPI",
    "/EF",
    "/RF",
    "/AA",
    "/JS",
    "/RichMediaContent",
)
"""Keys that are removed wherever they are."""
_TOLD = {
    "/Metadata": "metadata (XMP)",
    "/StructTreeRoot": "tags for accessibility",
    "/AA": "actions",
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/PieceInfo": "private data of programs",
    "/Thumb": "small pictures of pages",
    "/EmbeddedFiles": "attached files",
    "/AF": "attached files",
    "/EF": "attached files",
    "/RF": "attached files",
    "/Collection": "attached files",
    "/XFA": "a form in XML",
    "/Perms": "signatures",
    "/DSS": "signatures",
    "/Threads": "articles",
    "/ActualText": "texts that stand for what is drawn",
    "/Alt": "texts that stand for what is drawn",
}
_HARMLESS_ACTIONS = ("/GoTo", "/URI", "/Named", "/GoToR", "/SetOCGState")
_COMMENTS_WITH_FILES = ("/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D")
_HIDDEN = 2
"""The flag of an annotation that is not shown."""
_TOUCHES = 1.0  # points: boxes of neighbours may overlap by this much
_DEEPEST = 100  # containers in one another
_APPEARANCE = ("/AP", "/MK", "/RC", "/RV")


def hidden_layers(pdf: Any) -> set[tuple[int, int]]:
    """The numbers of the layers that are not shown when the file is opened."""
    from pikepdf import Array, Dictionary

    properties = pdf.Root.get("/OCProperties")
    if not isinstance(properties, Dictionary):
        return set()
    default = properties.get("/D", Dictionary())
    listed = {key: {each.objgen for each in default.get(key, Array())} for key in ("/ON", "/OFF")}
    if str(default.get("/BaseState", "/ON")) == "/OFF":
        return {each.objgen for each in properties.get("/OCGs", Array())} - listed["/ON"]
    return listed["/OFF"]


def remove(pdf: Any, dropped: Counter[str]) -> None:
    """Removes what may hold names and is not on the pages: metadata, files, scripts, tags; counts it by what it is."""
    _keep(pdf.trailer, _TRAILER, dropped, "other parts of the trailer")
    _keep(pdf.Root, _CATALOGUE, dropped, "other parts of the catalogue")
    if len(pdf.trailer.get("/Info", {})):
        dropped["metadata (title, author and the like)"] += 1
        del pdf.trailer["/Info"]
    if (names := pdf.Root.get("/Names")) is not None:
        _keep(names, ("/Dests",), dropped, "other named parts")
    if (action := pdf.Root.get("/OpenAction")) is not None and not _is_harmless(action):
        dropped["actions"] += 1
        del pdf.Root["/OpenAction"]
    for page in pdf.pages:
        _keep(page.obj, _PAGE, dropped)
    if (form := pdf.Root.get("/AcroForm")) is not None:
        _keep(form, _FORM, dropped)
        form.SigFlags = 0


def _keep(own: Any, kept: Collection[str], dropped: Counter[str], otherwise: str = "") -> None:
    """Removes all keys but some; those that have no name of their own count as ``otherwise``."""
    for key in [key for key in own.keys() if key not in kept]:  # noqa: SIM118 (a dictionary of PDF)
        if what := _TOLD.get(key, otherwise):
            dropped[what] += 1
        del own[key]


def disinherit(pdf: Any) -> None:
    """Removes the resources that pages could inherit: each has its own."""
    for page in pdf.pages:
        node = page.obj.get("/Parent")
        for _ in range(_DEEPEST):
            if node is None:
                break
            if "/Resources" in node:
                del node["/Resources"]
            node = node.get("/Parent")


def _is_harmless(action: Any) -> bool:
    """Whether an action only moves to another place, or is a place itself."""
    from pikepdf import Dictionary

    if not isinstance(action, Dictionary):
        return True
    return "/S" not in action or (str(action.S) in _HARMLESS_ACTIONS and "/Next" not in action)


def clear_annotations(page: Any, regions: Sequence[Bounds], search: Search, dropped: Counter[str]) -> None:
    """Removes annotations over redacted places or with redacted names; of form fields the values, links only unnamed.

    Args:
        page: a ``pikepdf.Page``.
        regions: in the coordinates of the content.
        search: finds what is redacted.
        dropped: counts what is removed.
    """
    from pikepdf import Array, Dictionary

    kept, gone = [], []
    for annotation in page.obj.get("/Annots", ()):
        if not isinstance(annotation, Dictionary):
            continue
        kind = str(annotation.get("/Subtype", ""))
        bounds = _bounds(annotation)
        under = bounds is None or any(overlap(bounds, region, -_TOUCHES) for region in regions)
        named = any(search.found(text) for text in _own_texts(annotation))
        is_hidden = bool(int(annotation.get("/F", 0)) & _HIDDEN)
        _keep_normal_look(annotation, without=is_hidden or kind == "/Popup")
        if kind in _COMMENTS_WITH_FILES:
            dropped["attached files"] += 1
            gone.append(annotation)
        elif kind == "/Widget":
            if under or named or str(_inherited(annotation, "/FT")) == "/Sig":
                dropped["values of form fields"] += _clear_field(annotation)
            kept.append(annotation)
        elif named or is_hidden or (under and kind != "/Link"):
            dropped["comments and links"] += 1
            gone.append(annotation)
        else:
            if under and "/AP" in annotation:
                del annotation["/AP"]
            kept.append(annotation)
    if "/Annots" in page.obj:
        page.obj.Annots = Array(kept)
    for annotation in gone:
        empty(annotation)  # others may refer to it


def empty(own: Any) -> None:
    """Removes all that a dictionary has."""
    for key in list(own.keys()):
        del own[key]


def _keep_normal_look(annotation: Any, *, without: bool) -> None:
    """Removes how an annotation looks under the mouse or when pressed; ``without``, also how it looks otherwise."""
    from pikepdf import Dictionary

    look = annotation.get("/AP")
    if isinstance(look, Dictionary) and not without:
        annotation.AP = Dictionary({"/N": look.N} if "/N" in look else {})
    elif look is not None:
        del annotation["/AP"]


def empty_deleted_pages(pdf: Any) -> None:
    """Empties pages that are not among those of the file, which destinations may still refer to."""
    from pikepdf import Dictionary

    listed = {page.obj.objgen for page in pdf.pages}
    for item in pdf.objects:
        if isinstance(item, Dictionary) and str(item.get("/Type", "")) == "/Page" and item.objgen not in listed:
            empty(item)


def _bounds(annotation: Any) -> Bounds | None:
    """Where an annotation is, in the coordinates of the content; None if it does not say so in numbers."""
    try:
        left, bottom, right, top = map(float, annotation.get("/Rect", (0, 0, 0, 0)))
    except (TypeError, ValueError):
        return None
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _own_texts(annotation: Any) -> Iterator[str]:
    """The texts of an annotation, and of the field and the action that it belongs to."""
    from pikepdf import Dictionary, String

    holders, field = [annotation], annotation.get("/Parent")
    while isinstance(field, Dictionary) and len(holders) < _DEEPEST:
        holders.append(field)
        field = field.get("/Parent")
    for holder in holders:
        for key, value in holder.items():
            if isinstance(value, String):
                yield read_text(value)
            elif key in ("/A", "/MK") and isinstance(value, Dictionary):
                yield from (read_text(each) for each in value.values() if isinstance(each, String))
            elif key in ("/V", "/DV", "/Opt"):
                yield from _strings(value, 0)


def _strings(value: Any, depth: int) -> Iterator[str]:
    from pikepdf import Array, Stream, String

    if isinstance(value, String):
        yield read_text(value)
    elif isinstance(value, Array) and depth < _DEEPEST:
        for each in value:
            yield from _strings(each, depth + 1)
    elif isinstance(value, Stream):
        yield value.read_bytes().decode("latin-1")


def _inherited(annotation: Any, key: str) -> Any:
    """A value of a form field, which may be that of a field above it."""
    for _ in range(_DEEPEST):
        if key in annotation or "/Parent" not in annotation:
            break
        annotation = annotation.Parent
    return annotation.get(key)


def clear_fields(page: Any) -> None:
    """Removes the values of all form fields of a page."""
    from pikepdf import Dictionary

    for annotation in page.obj.get("/Annots", ()):
        if isinstance(annotation, Dictionary) and str(annotation.get("/Subtype", "")) == "/Widget":
            _clear_field(annotation)


def _clear_field(annotation: Any) -> bool:
    """Removes the value of a form field, and how it looks in all its places; whether it had one."""
    field = annotation
    for _ in range(_DEEPEST):
        if "/Parent" in field and "/FT" not in field:
            field = field.Parent
    had_value = any(key in field for key in ("/V", "/DV"))
    pending = [field, annotation]
    for _ in range(10_000):
        if not pending:
            break
        each = pending.pop()
        for key in ("/V", "/DV", "/I", *_APPEARANCE):
            if key in each:
                del each[key]
        pending += list(each.get("/Kids", ()))
    return had_value


def sweep(pdf: Any, search: Search, dropped: Counter[str]) -> None:
    """Removes names from all strings and keys of the file, and what may say them in other words."""
    from pikepdf import Dictionary, Stream

    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)) and str(item.get("/S", "")) == "/JavaScript":
            dropped["JavaScript"] += 1
            empty(item)
    changed = Counter[str]()
    replace = _replacing(search, changed)
    replace_name = _replacing_names(search, changed)
    for item in pdf.objects:
        _sweep(item, (replace, replace_name), dropped, 0)
    if changed["text"]:
        dropped["names in bookmarks, links and other texts"] += changed["text"]


def _replacing(search: Search, changed: Counter[str]) -> _Replace:
    """A function that gives a text without names; None if there are none in it."""

    def replace(text: str) -> str | None:
        new = search.without(text)
        changed["text"] += new is not None
        return new

    return replace


def _replacing_names(search: Search, changed: Counter[str]) -> _Replace:
    """The same for names of PDF."""

    def replace(name: str) -> str | None:
        is_named = search.found_in_name(name) is not None
        changed["text"] += is_named
        return (search.without(name) or REDACTED) if is_named else None

    return replace


def _sweep(item: Any, replace: tuple[_Replace, _Replace], dropped: Counter[str], depth: int) -> None:
    """Sweeps one object; what it refers to is swept by itself."""
    from pikepdf import Array, Dictionary, Stream

    if isinstance(item, (Dictionary, Stream)):
        for key in list(item.keys()):
            if key in _ANYWHERE:
                dropped[_TOLD.get(key, "private data of programs")] += 1
                del item[key]
            elif key not in FONT_NAMES and (new := _swept(item[key], replace, dropped, depth)) is not None:
                item[key] = new
        for key in list(item.keys()):
            if (name := replace[1](key[1:])) is not None:
                item["/" + name] = item[key]
                del item[key]
    elif isinstance(item, Array):
        for at in range(len(item)):
            if (new := _swept(item[at], replace, dropped, depth)) is not None:
                item[at] = new


def _swept(value: Any, replace: tuple[_Replace, _Replace], dropped: Counter[str], depth: int) -> Any:
    """What replaces a value; None if it stays."""
    from pikepdf import Array, Dictionary, Name, Stream, String

    if isinstance(value, String):
        new = replace[0](read_text(value))
        return None if new is None else String(new)
    if isinstance(value, Name):
        new = replace[1](read_name(value))
        return None if new is None else Name("/" + new)
    is_own = isinstance(value, (Array, Dictionary)) and not isinstance(value, Stream) and not value.is_indirect
    if is_own and depth < _DEEPEST:
        _sweep(value, replace, dropped, depth + 1)
    return None


def read_text(string: Any) -> str:
    """A string of PDF as text; its bytes need not be of the encoding that they name."""
    try:
        return str(string)
    except UnicodeDecodeError:
        data = bytes(string)
        return data.decode("utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")


def read_name(name: Any) -> str:
    """A name of PDF without its slash; its bytes need not be UTF-8."""
    try:
        return str(name)[1:]
    except UnicodeDecodeError:
        return re.sub(rb"#([0-9a-fA-F]{2})", lambda code: bytes.fromhex(code[1].decode()), name.unparse())[1:].decode(
            "latin-1"
        )
