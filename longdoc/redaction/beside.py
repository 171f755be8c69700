"""What a PDF has beside the content of its pages: removed, or rid of names.

Of the catalogue and of pages only what is known to be harmless is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from longdoc.redaction.drawings import tidy
from longdoc.redaction.names import REDACTED, Search
from longdoc.redaction.objects import DEEPEST, containers, empty, is_page, listed, read_name, read_text

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
_FONT_NAMES = ("/BaseFont", "/FontName", "/FontFamily")
_INDEXES = (
    "/Font",
    "/XObject",
    "/ExtGState",
    "/Pattern",
    "/Properties",
    "/ColorSpace",
    "/Shading",
    "/CharProcs",
    "/N",
    "/Dests",
)
"""Keys of dictionaries whose own keys are names that the file's author chose."""
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


def hidden_layers(pdf: Any) -> set[tuple[int, int]]:
    """The numbers of the layers that are not shown when the file is opened."""
    from pikepdf import Dictionary

    properties = pdf.Root.get("/OCProperties")
    if not isinstance(properties, Dictionary):
        return set()
    default = properties.get("/D", Dictionary())
    if not isinstance(default, Dictionary):
        return set()
    if str(default.get("/BaseState", "/ON")) == "/OFF":
        return _layers(properties, "/OCGs") - _layers(default, "/ON")
    return _layers(default, "/OFF")


def _layers(own: Any, key: str) -> set[tuple[int, int]]:
    """The numbers of the layers in a list."""
    from pikepdf import Dictionary

    return {each.objgen for each in listed(own, key) if isinstance(each, Dictionary)}


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
        for _ in range(DEEPEST):
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


def empty_deleted_pages(pdf: Any) -> None:
    """Empties pages that are not among those of the file, which destinations may still refer to."""
    listed = {page.obj.objgen for page in pdf.pages}
    for item in pdf.objects:
        if is_page(item) and item.objgen not in listed:
            empty(item)


def sweep(pdf: Any, search: Search, dropped: Counter[str]) -> None:
    """Removes names from all strings, names and keys of the file, and what may say them in other words."""
    from pikepdf import Dictionary, Stream

    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)) and str(item.get("/S", "")) == "/JavaScript":
            dropped["JavaScript"] += 1
            empty(item)
    changed = Counter[str]()
    replace = _replacing(search, changed)
    replace_name = _replacing_names(search, changed)
    indexes = _indexes(pdf)
    for item in pdf.objects:
        for own, key, _ in containers(item):
            is_index = key in _INDEXES or (own.is_indirect and own.objgen in indexes)
            _sweep(own, (replace, replace_name), dropped, is_index=is_index)
    tidy(pdf, replace_name)
    if changed["text"]:
        dropped["names in bookmarks, links and other texts"] += changed["text"]


def _indexes(pdf: Any) -> set[tuple[int, int]]:
    """The numbers of the dictionaries whose keys are names that the file's author chose, such as those of fonts."""
    from pikepdf import Array, Dictionary

    every = (own for item in pdf.objects for own, *_ in containers(item) if not isinstance(own, Array))
    found = (own[key] for own in every for key in _INDEXES if isinstance(own.get(key), Dictionary))
    return {index.objgen for index in found if index.is_indirect}


def _replacing(search: Search, changed: Counter[str]) -> _Replace:
    """A function that gives a text without names; None if there are none in it."""

    def replace(text: str) -> str | None:
        new = search.without(text)
        changed["text"] += new is not None
        return new

    return replace


def _replacing_names(search: Search, changed: Counter[str]) -> _Replace:
    """The same for names of PDF: two of them never become the same, and each becomes the same everywhere."""
    known: dict[str, str] = {}

    def replace(name: str) -> str | None:
        if name not in known:
            if search.found_in_name(name) is None:
                return None
            new = search.without(name) or REDACTED
            known[name] = f"{new} {len(known)}" if new in known.values() else new
            changed["text"] += 1
        return known[name]

    return replace


def _sweep(own: Any, replace: tuple[_Replace, _Replace], dropped: Counter[str], *, is_index: bool) -> None:
    """Sweeps a dictionary or an array; what is in it and what it refers to is swept by itself."""
    from pikepdf import Array

    if isinstance(own, Array):
        for at in range(len(own)):
            if (new := _swept(own[at], replace)) is not None:
                own[at] = new
        return
    for key in list(own.keys()):
        if key in _ANYWHERE and not is_index:
            dropped[_TOLD.get(key, "private data of programs")] += 1
            del own[key]
        elif not names_a_font(key, own[key]) and (new := _swept(own[key], replace)) is not None:
            own[key] = new
    for key in list(own.keys()):
        if (name := replace[1](key[1:])) is not None:
            own["/" + name] = own[key]
            del own[key]


def _swept(value: Any, replace: tuple[_Replace, _Replace]) -> Any:
    """What replaces a value; None if it stays."""
    from pikepdf import Name, String

    if isinstance(value, String):
        new = replace[0](read_text(value))
        return None if new is None else String(new)
    if isinstance(value, Name):
        new = replace[1](read_name(value))
        return None if new is None else Name("/" + new)
    return None


def names_a_font(key: str, value: Any) -> bool:
    """Whether a value is the name of one of the fonts that every reader has."""
    from pdfminer.fontmetrics import FONT_METRICS

    return key in _FONT_NAMES and str(value).removeprefix("/") in FONT_METRICS
