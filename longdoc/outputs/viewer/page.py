"""The web pages of the viewer: one self-contained file each, with a policy that lets nothing else run or load.

A page consists of ``page.html``, the styles and scripts beside it, and data: JSON in ``script`` elements of a type that
is not run, with every ``<`` escaped. The scripts make text nodes of all strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from longdoc.outputs.palette import DARK, LIGHT

SCRIPTS = ("dom.js", "document.js", "pages.js", "text.js", "search.js", "review.js", "panel.js", "index.js", "main.js")
"""In their order; together they are one function."""
_UNSAFE = re.compile("[<>&\u2028\u2029\x7f-\x9f\ud800-\udfff]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@cache
def part(name: str) -> str:
    """A file of this package."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def palette() -> str:
    """The styles of labels."""
    pairs = enumerate(zip(LIGHT, DARK, strict=True))
    colours = "".join(f".k{number} {{ --c: light-dark({light}, {dark}); }}\n" for number, (light, dark) in pairs)
    return colours + part("palette.css")


@cache
def style() -> str:
    """The styles of a page."""
    return palette() + part("viewer.css")


@cache
def script() -> str:
    """The script of a page."""
    return '"use strict";\n(() => {\n' + "".join(map(part, SCRIPTS)) + "})();\n"


@cache
def policy(*, images: str = "data:") -> str:
    """The content security policy: this script, these styles, pictures from ``images``, and nothing else."""
    return (
        f"default-src 'none'; img-src {images}; style-src '{digest(style())}'; script-src '{digest(script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def digest(source: str) -> str:
    """What a policy names a style or a script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def opening(title: str, *, images: str = "data:") -> str:
    """The page up to its data."""
    before, _, _ = part("page.html").partition("{{documents}}")
    values = {"policy": policy(images=images), "title": text(title), "style": style()}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], before)


def running() -> str:
    """The element with the script, after the data that are shown at once."""
    return f"<script>{script()}</script>\n"


def closing() -> str:
    """The end of the page."""
    return part("page.html").partition("{{documents}}")[2]


def data(name: str, value: Any, *, id: str = "") -> str:
    """An element with a value as JSON, which the script finds by the name of its class, or by its id."""
    own = f' id="{id}"' if id else ""
    return f'<script type="application/json" class="{name}"{own}>{as_json(value)}</script>\n'


def picture(address: str, *, id: str) -> str:
    """An element with the address of a picture, which is made of it when its page is near."""
    return f'<script type="text/plain" id="{id}">{text(address)}</script>\n'


def failure(reason: str, *, id: str) -> str:
    """An element that says why there is no picture of a page."""
    return data("failure", reason, id=id)


def data_address(image: bytes) -> str:
    """The address that is a picture in WebP itself."""
    return f"data:image/webp;base64,{base64.b64encode(image).decode()}"


def as_json(value: Any) -> str:
    """JSON that can stand in a ``script`` element: it has no ``<``, and nothing that HTML forbids."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def text(given: str) -> str:
    """Text for HTML, also within quotes; control characters, which HTML forbids, become U+FFFD."""
    return escape(_FORBIDDEN.sub("\ufffd", given))
