"""Small Word files, made by hand."""

import io
import zipfile
from xml.sax.saxutils import escape

from longdoc.document import Document
from longdoc.loaders import load

SPACE = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
        "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
        "v": "urn:schemas-microsoft-com:vml",
        "o": "urn:schemas-microsoft-com:office:office",
    }.items()
)
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def make(body: str, **parts: str) -> bytes:
    """A Word file with this body; ``parts`` are the contents of other parts by name."""
    out = io.BytesIO()
    parts = {key: f"<w:{key} {SPACE}>{inner}</w:{key}>" for key, inner in parts.items()}
    relations = "".join(f'<Relationship Id="{key}" Type="{RELATED}/{key}" Target="{key}.xml"/>' for key in parts)
    relations += f'<Relationship Id="web" Type="{RELATED}/hyperlink" Target="http://a.b/" TargetMode="External"/>'
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<w:document {SPACE}><w:body>{body}</w:body></w:document>")
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{relations}</Relationships>")
        for key, content in parts.items():
            archive.writestr(f"word/{key}.xml", content)
    return out.getvalue()


def with_files(data: bytes, files: dict[str, str | bytes], relations: str = "") -> bytes:
    """A Word file with more parts, by path, and more relations of its body: ``"id kind target"``, one a line."""
    out = io.BytesIO()
    more = "".join(
        '<Relationship Id="{}" Type="{}/{}" Target="{}"/>'.format(line[0], RELATED, *line[1:])
        for line in map(str.split, relations.strip().splitlines())
    )
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in [name for name in old.namelist() if name not in files]:
            content = old.read(name)
            if name == "word/_rels/document.xml.rels":
                content = content.replace(b"</Relationships>", more.encode() + b"</Relationships>")
            new.writestr(name, content)
        for name, text in files.items():
            new.writestr(name, text)
    return out.getvalue()


def field(code: str, result: str | None = None) -> str:
    """A field; without a result if it is None."""
    marks = {kind: f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")}
    code = (
        code if code.startswith("<") else f'<w:r><w:instrText xml:space="preserve">{escape(code)}</w:instrText></w:r>'
    )
    shown = "" if result is None else marks["separate"] + (result if result.startswith("<") else run(result))
    return marks["begin"] + code + shown + marks["end"]


def run(text: str, look: str = "") -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def par(inner: str = "", properties: str = "") -> str:
    inner = inner if inner.startswith("<") else run(inner)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def item(depth: int, text: str, list_id: int = 1, mark: str = "") -> str:
    numbering = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return par(run(text), f"{numbering}<w:rPr>{mark}</w:rPr>")


def cell(inner: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def read(body: str, **parts: str) -> Document:
    return load(make(body, **parts))
