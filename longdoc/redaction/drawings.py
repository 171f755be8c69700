"""Content streams beside those of pages; and what content says in names, marks and comments."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from longdoc.redaction.objects import containers, name_of, read_name, unpacked

SPOKEN = ("/ActualText", "/Alt", "/E")
"""Keys of marked content that say in words what is drawn."""
NAME = re.compile(rb"/[^\x00\s()<>\[\]{}/%]+")
"""A name in a content stream, as it is written."""
_SILENT = ("/MCID", "/Attached", "/BBox")
"""Keys of marked content that say nothing in words."""
_TAGS = frozenset(
    "/OC /Tx /Artifact /Span /P /H /H1 /H2 /H3 /H4 /H5 /H6 /L /LI /Lbl /LBody /Table /TR /TH /TD /THead /TBody /TFoot "
    "/Figure /Formula /Form /Link /Annot /Note /Reference /Document /Part /Sect /Div /Art /Caption /TOC /TOCI".split()
)
"""Tags of marked content that are kept."""
_SPEAKS = re.compile(rb"%|\b(?:BMC|BDC|MP|DP)\b")
"""What may be a comment or a mark."""
_SHARED = ("/Font", "/XObject", "/Pattern")
"""The resources that are content streams, or have some."""


def parsed(source: Any) -> list[Any]:
    """The instructions of a page, or of a form, pattern or glyph.

    Raises:
        pikepdf.PdfError: they are damaged.
    """
    import pikepdf

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a string or array without an end
        try:
            return list(pikepdf.parse_content_stream(source))
        except UserWarning as warning:
            raise pikepdf.PdfError(str(warning)) from warning


def silenced(instruction: Any) -> tuple[Any, bool]:
    """The instruction that marks content, with a tag that all know and without words; and whether it had such words."""
    from pikepdf import ContentStreamInstruction, Dictionary, Name

    tag, *rest = instruction.operands
    speaks, is_new = False, False
    if str(tag) not in _TAGS:  # no reader needs it, since the tags for accessibility are gone
        tag, is_new = Name.Span, True
    if rest and isinstance(rest[0], Dictionary):
        other = [key for key in rest[0].keys() if key not in _SILENT]  # noqa: SIM118 (a dictionary of PDF)
        speaks, is_new = any(key in SPOKEN for key in other), is_new or bool(other)
        rest[0] = Dictionary({key: rest[0][key] for key in _SILENT if key in rest[0]})
    return (ContentStreamInstruction([tag, *rest], instruction.operator) if is_new else instruction), speaks


def loose_streams(item: Any) -> Iterator[tuple[Any, Any]]:
    """The content streams of an object that are not those of a page, each with its resources, if it has any."""
    from pikepdf import Dictionary, Stream

    if isinstance(item, Stream):
        if "/BBox" in item or str(item.get("/Subtype", "")) == "/Form":
            yield item, item.get("/Resources")
    elif isinstance(item, Dictionary) and isinstance(glyphs := item.get("/CharProcs"), Dictionary):
        yield from ((each, item.get("/Resources")) for each in glyphs.values() if isinstance(each, Stream))


def page_streams(pdf: Any) -> Iterator[Any]:
    """The content streams of all pages."""
    from pikepdf import Array

    for page in pdf.pages:
        own = page.obj.get("/Contents", ())
        yield from own if isinstance(own, (Array, tuple)) else (own,)


def borrowed(pdf: Any) -> dict[tuple[int, int], list[Any]]:
    """Of each font, form and pattern, by its number, the resources that list it: it may use them as its own."""
    from pikepdf import Dictionary

    found: dict[tuple[int, int], dict[tuple[int, int] | int, Any]] = {}
    every = [page.resources for page in pdf.pages]
    every += [own["/Resources"] for item in pdf.objects for own, *_ in containers(item) if _has_resources(own)]
    for at, resources in enumerate(every):
        for kind in _SHARED:
            listed = resources.get(kind)
            for own in listed.values() if isinstance(listed, Dictionary) else ():
                if getattr(own, "is_indirect", False):
                    found.setdefault(own.objgen, {})[resources.objgen if resources.is_indirect else at] = resources
    return {number: list(own.values()) for number, own in found.items()}


def settle(pdf: Any) -> None:
    """Gives fonts of Type 3 without resources those that their glyphs use of the page that lists the font."""
    from pikepdf import Array, Dictionary

    lenders = borrowed(pdf)
    for item in pdf.objects:
        if isinstance(item, Dictionary) and "/CharProcs" in item and "/Resources" not in item:
            glyphs = b"".join(unpacked(stream) for stream, _ in loose_streams(item))
            used = {f"/{name_of(each)}" for each in NAME.findall(glyphs)}
            item.Resources = Dictionary()
            for kind, listed in lenders[item.objgen][0].items() if item.objgen in lenders else ():
                if isinstance(listed, Dictionary):
                    item.Resources[kind] = Dictionary({key: listed[key] for key in listed.keys() if key in used})  # noqa: SIM118
                elif isinstance(listed, Array):
                    item.Resources[kind] = listed


def _has_resources(own: Any) -> bool:
    from pikepdf import Array, Dictionary

    return not isinstance(own, Array) and isinstance(own.get("/Resources"), Dictionary)


def tidy(pdf: Any, replace: Callable[[str], str | None]) -> None:
    """Takes comments, marks and names of people out of content streams.

    Those of pages have only names that are to be replaced, since they were written anew. Damaged ones stay as they are.

    Args:
        pdf: the ``pikepdf.Pdf``.
        replace: gives what stands for a name of PDF; None if that stays.
    """
    loose = [stream for item in pdf.objects for stream, _ in loose_streams(item)]
    for stream, is_loose in [*((each, False) for each in page_streams(pdf)), *((each, True) for each in loose)]:
        data = unpacked(stream)
        speaks = is_loose and _SPEAKS.search(data)
        if speaks or any(replace(name_of(each)) is not None for each in set(NAME.findall(data))):
            _write_tidy(stream, replace)


def _write_tidy(stream: Any, replace: Callable[[str], str | None]) -> None:
    from pikepdf import PdfError, unparse_content_stream

    try:
        instructions = parsed(stream)
    except PdfError:
        return  # what is left of names in it is told by the verification
    out = []
    for instruction in instructions:
        name = str(instruction.operator)
        if name in ("BMC", "BDC"):
            instruction = silenced(instruction)[0]  # noqa: PLW2901
        if name not in ("MP", "DP"):
            out.append(_renamed(instruction, replace))
    stream.write(unparse_content_stream(out))


def _renamed(instruction: Any, replace: Callable[[str], str | None]) -> Any:
    """An instruction with other names in the place of some."""
    from pikepdf import ContentStreamInstruction, Name

    operands = list(instruction.operands)
    new = [replace(read_name(each)) if isinstance(each, Name) else None for each in operands]
    if not any(new):
        return instruction
    renamed = [each if other is None else Name("/" + other) for each, other in zip(operands, new, strict=True)]
    return ContentStreamInstruction(renamed, instruction.operator)
