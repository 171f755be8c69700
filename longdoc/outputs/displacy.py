"""What was found, drawn by spaCy's displaCy, in the colours of the HTML view."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Literal

from longdoc.arguments import check_type
from longdoc.errors import ConfigError, require
from longdoc.outputs.format import PredictionLike
from longdoc.outputs.palette import colours

if TYPE_CHECKING:
    from spacy.tokens import Span

STYLES = ("ent", "span")
_GROUP = "longdoc_all"
_STRENGTH = 0.35


def displacy(
    prediction: PredictionLike, style: Literal["ent", "span"] = "ent", *, jupyter: bool | None = None
) -> str | None:
    """Draws a prediction with displaCy.

    Args:
        prediction: what was found.
        style: ``"ent"`` marks the longest entities in the text; ``"span"`` draws all entities, spans and answers as
            lines below it, also those that overlap.
        jupyter: whether to show it in a notebook; by default where there is one.

    Returns:
        The HTML; None if it is shown in a notebook.

    Raises:
        ConfigError: there is no such style.
        MissingDependencyError: spaCy is not installed.
    """
    check_type("style", style, f"one of {', '.join(STYLES)}", str)
    if style not in STYLES:
        raise ConfigError(f"unknown style {style!r:.60}; allowed: {', '.join(STYLES)}")
    render = require("spacy.displacy", extra="interop", needed_by="displacy()").render
    from longdoc.outputs.spacy_doc import GROUPS, doc_of

    doc = doc_of(prediction)
    found = [_escaped(span) for name in GROUPS.values() for span in doc.spans[name]]
    doc.spans[_GROUP], doc.ents = found, [_escaped(span) for span in doc.ents]
    tints = {label: _tint(colour) for label, colour in colours(span.label_ for span in found).items()}
    options: dict[str, Any] = {"colors": tints, "spans_key": _GROUP}
    drawn = render(doc, style=style, options=options, jupyter=jupyter)
    return None if drawn is None else str(drawn)


def _escaped(span: Span) -> Span:
    """A span with a label that displaCy may put into HTML, which it does as it is."""
    return type(span)(span.doc, span.start, span.end, label=escape(span.label_))


def _tint(colour: str) -> str:
    """A pale colour, on which displaCy's black letters can be read."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - _STRENGTH * (255 - part)):02x}" for part in parts)
