"""PDFs made from a grammar, whose objects refer to one another at random, and PDFs whose objects are changed."""

import random
import re
import zlib
from collections.abc import Callable
from typing import Any

from _choices import NUMBERS, WORDS, few, some

NAMES = """
Type Subtype Kids Parent Count Contents Resources Font XObject MediaBox CropBox Rotate UserUnit Annots AP N D R Rect
FT Tx Btn Ch Sig V DV Opt Ff T TU MK AS Fields AcroForm XFA DR DA Names Dests EmbeddedFiles EF F UF Filespec OCGs
OCProperties OC OCG OCMD ON OFF BaseState StructTreeRoot K S P Pg MCID ParentTree RoleMap MarkInfo ActualText Alt E
Lang Outlines First Last Next Prev Title Dest A URI GoTo JavaScript Type0 Type1 Type3 TrueType CIDFontType2
DescendantFonts ToUnicode Encoding Differences Identity-H WinAnsiEncoding BaseFont Helvetica FirstChar LastChar Widths
W DW CIDSystemInfo CIDToGIDMap Mask G FontDescriptor FontFile FontFile2 FontFile3 CharProcs FontMatrix FontBBox Form
Image BBox Matrix Group Transparency SMask BM Width Height BitsPerComponent ColorSpace DeviceGray DeviceRGB DeviceCMYK
Indexed ICCBased Separation DeviceN Pattern Shading PatternType PaintType TilingType XStep YStep ShadingType Function
FunctionType Domain Range C0 C1 Bounds Encode Functions Coords Extend ImageMask Decode Filter DecodeParms FlateDecode
LZWDecode ASCIIHexDecode ASCII85Decode Metadata RunLengthDecode DCTDecode CCITTFaxDecode JBIG2Decode JPXDecode Crypt
Predictor Columns Colors EarlyChange Length ObjStm XRef Catalog Pages Page Annot Link Widget FreeText Stamp Ink Popup
Highlight QuadPoints ID Size Root Info Encrypt ExtGState
""".split()
OPERATORS = """
q Q cm w J j M d ri i gs m l c v y h re S s f F f* B B* b b* n W W* BT ET Tc Tw Tz TL Tf Tr Ts Td TD Tm T* Tj TJ ' "
d0 d1 CS cs SC SCN sc scn G g RG rg K k sh BI ID EI Do MP DP BMC BDC EMC BX EX
""".split()
GRAMMAR = """
page: /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate 90 %resources /Contents [%ref %ref]
 /Annots [%ref %ref %ref] /Group %ref /StructParents 0
form: /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Matrix [1 0 0 1 0 0] %resources /OC %ref
 /Group << /S /Transparency >> stream drawn
content: stream drawn
image: /Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8 /SMask %ref
 /Mask %ref /Decode [0 1] stream noise
font: /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FirstChar 0 /LastChar 3
 /Widths [500 600 -700 1] /ToUnicode %ref /FontDescriptor %ref
font of CIDs: /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Arial /Encoding /Identity-H /DescendantFonts [%ref]
 /ToUnicode %ref
CIDs: /Type /Font /Subtype /CIDFontType2 /BaseFont /Arial /W [0 [500 600] 5 90 1000] /DW 1000 /CIDToGIDMap /Identity
 /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %ref
drawn font: /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 32
 /LastChar 35 /Widths [500 500 500 500] /CharProcs << /a %ref /b %ref >> %resources
 /Encoding << /Differences [32 /a /b /a /b] >>
descriptor: /Type /FontDescriptor /FontName /Arial /Flags 4 /FontBBox [0 0 1000 1000] /Ascent 900 /Descent -200
 /FontFile2 %ref /MissingWidth 500
cmap: /Type /CMap stream cmap
program: /Length1 3000 stream noise
widget: /Type /Annot /Subtype /Widget /Rect [100 100 300 120] /FT /Tx /T (name) /TU (Name) /V (Jane Roe) /Ff 4096
 /DA (/N0 12 Tf) /AP << /N %ref >> /AS /On /Kids [%ref %ref] /Parent %ref /Opt [(a) (b)] /MaxLen 5
note: /Type /Annot /Subtype /FreeText /Rect [100 300 300 400] /Contents (a note) /AP << /N %ref >> /Popup %ref
 /IRT %ref /QuadPoints [0 0 9 9 0 9 9 0]
layer: /Type /OCG /Name (layer) /Usage %ref
layers: /Type /OCMD /OCGs [%ref %ref] /P /AnyOn /VE [/And %ref %ref]
pattern: /Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 10 /YStep 10 %resources
 stream drawn
shading: /Type /Pattern /PatternType 2 /Shading << /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 9 9]
 /Function %ref >>
function: /FunctionType 3 /Domain [0 1] /Functions [%ref %ref] /Bounds [0.5] /Encode [0 1 0 1]
state: /Type /ExtGState /ca 0.5 /SMask << /S /Luminosity /G %ref >> /Font [%ref 12] /BM /Multiply
element: /Type /StructElem /S /P /P %ref /K [%ref 0 1] /Pg %ref /ActualText (read) /Alt (seen) /E (expanded)
pages: /Type /Pages /Parent %ref /Kids [%ref %ref] /Count 2 /MediaBox [0 0 300 300] %resources
file: /Type /Filespec /F (a.txt) /UF (b.txt) /EF << /F %ref >> /Desc (attached)
outline: /Title (Term) /Parent %ref /First %ref /Last %ref /Next %ref /Dest [%ref /Fit] /Count 3
"""
CATALOG = """
/Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%ref %ref %ref] /XFA %ref /DR %ref >> /Outlines %ref
/OCProperties << /OCGs [%ref %ref] /D << /OFF [%ref] /BaseState /ON >> >> /MarkInfo << /Marked true >>
/StructTreeRoot << /K [%ref %ref] /ParentTree %ref >> /Names << /EmbeddedFiles << /Names [(a) %ref (b) %ref] >> >>
"""
KINDS = dict(line.split(":", 1) for line in GRAMMAR.replace("\n ", " ").strip().splitlines())
ENTRY = re.compile(r"(/\w+) (/\w+|\[[^\[\]]*\]|\([^()]*\)|\d+ 0 R|[-\d.]+)")


# ------------------------------------------------------------------------------------------------------- parts of PDFs


def value(rng: random.Random, n_objects: int, depth: int = 0) -> str:
    """An object of any type; references lead to any object."""
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind == 0:
        return str(some(rng, (*NUMBERS, 0.5, 12, 72, 612, 792)))
    if kind == 1:
        return f"/{some(rng, NAMES)}"
    if kind in (2, 3):
        return reference(rng, n_objects)
    if kind == 4:
        return string(rng)
    if kind == 5:
        return str(some(rng, ("null", "true", "false", "[]", "<<>>")))
    inner = [value(rng, n_objects, depth + 1) for _ in range(some(rng, (1, 2, 4, 6)))]
    return f"[{' '.join(inner)}]" if kind == 6 else f"<< {' '.join(f'/{some(rng, NAMES)} {each}' for each in inner)} >>"


def reference(rng: random.Random, n_objects: int) -> str:
    return f"{rng.randrange(1, n_objects + 2)} 0 R"


def string(rng: random.Random) -> str:
    word = some(rng, WORDS)
    if rng.random() < 0.5:
        return f"<{word.encode('utf-16-be').hex()}>"
    readable = re.sub(r"[()\\]", "", word).encode("latin-1", "replace").decode("latin-1")
    return f"({readable})"


def drawn(rng: random.Random) -> bytes:
    """A content stream of operators with operands, half of them text that is seen."""
    done = []
    for _ in range(some(rng, (1, 5, 20, 60))):
        if rng.random() < 0.5:
            x, y, size = rng.randrange(600), rng.randrange(790), some(rng, (1, 8, 12, 12, 40))
            done.append(f"BT /N{rng.randrange(8)} {size} Tf {x} {y} Td {string(rng)} Tj ET")
        else:
            operands = [str(some(rng, (*NUMBERS, 0.5, 12, 100, 300))) for _ in range(rng.randrange(7))]
            named = [f"/N{rng.randrange(8)}"] * rng.randrange(2)
            done.append(" ".join([*operands, *named, some(rng, OPERATORS)]))
    return "\n".join(done).encode("latin-1", "replace")


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(some(rng, (0, 10, 64, 3000)))


def cmap(rng: random.Random) -> bytes:
    pairs = "\n".join(f"<{rng.randrange(256):02x}> <{rng.randrange(65_536):04x}>" for _ in range(few(rng)))
    space = "1 begincodespacerange <00> <ff> endcodespacerange"
    return f"begincmap {space} {few(rng)} beginbfchar {pairs} endbfchar".encode()


CONTENTS: dict[str, Callable[[random.Random], bytes]] = {"drawn": drawn, "noise": noise, "cmap": cmap}


def made_object(rng: random.Random, template: str, n_objects: int) -> bytes:
    """An object with most entries as in the grammar, some of any type, and some left out."""

    def entry(match: re.Match[str]) -> str:
        if rng.random() < 0.06:
            return f"{match[1]} {value(rng, n_objects)}"
        return "" if rng.random() < 0.04 else match[0]

    kinds = ("Font", "XObject", "ExtGState", "Pattern", "Properties")
    named = " ".join(f"/{kind} << {' '.join(f'/N{i} %ref' for i in range(8))} >>" for kind in kinds)
    entries, _, content = template.replace("%resources", f"/Resources << {named} >>").partition("stream ")
    entries = re.sub("%ref", lambda _: reference(rng, n_objects), entries)
    entries = ENTRY.sub(entry, entries)
    if not content:
        return f"<< {entries} >>".encode("latin-1")
    return made_stream(rng, entries, CONTENTS[content](rng))


def made_stream(rng: random.Random, entries: str, content: bytes) -> bytes:
    """A stream, mostly behind filters that fit."""
    filters, data = "", content
    if rng.random() < 0.5:
        filters, data = "/Filter /FlateDecode", zlib.compress(content)
    elif rng.random() < 0.1:
        filters = f"/Filter [{' '.join(f'/{some(rng, NAMES)}' for _ in range(few(rng)))}]"
    length = len(data) if rng.random() < 0.9 else some(rng, NUMBERS)
    return f"<< {entries} {filters} /Length {length} >>\nstream\n".encode("latin-1") + data + b"\nendstream"


def made_pdf(rng: random.Random) -> bytes:
    """A PDF of objects of all kinds."""
    n = some(rng, (12, 30, 60))
    n_pages = some(rng, (3, 3, 0, -1, 10**9))
    objects = [
        made_object(rng, CATALOG, n),
        f"<< /Type /Pages /Count {n_pages} /Kids [3 0 R 4 0 R {reference(rng, n)}] >>".encode(),
        made_object(rng, KINDS["page"], n),
        made_object(rng, KINDS["page"], n),
    ]
    while len(objects) < n:
        kind = some(rng, [*KINDS, "any"])
        objects.append(value(rng, n).encode("latin-1") if kind == "any" else made_object(rng, KINDS[kind], n))
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (i, each) for i, each in enumerate(objects, 1))
    return b"%%PDF-1.7\n%strailer << /Root 1 0 R /Size %d >>\n%%%%EOF" % (body, n + 1)


# -------------------------------------------------------------------------------------------------- parts of real PDFs

VALUES = re.compile(rb"/[A-Za-z]\w*\s*(\d+ \d+ R|\[[^\[\]<>]{0,200}\]|/\w+|-?[\d.]+)")
STREAMS = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def changed_pdf(data: bytes, rng: random.Random) -> bytes:
    """Some values replaced by others, and some operators of packed streams; half without the address of the xref."""
    data = re.sub(rb"startxref\s+\d+", b"", data) if rng.random() < 0.5 else data
    n_objects = max(len(re.findall(rb"\d+ \d+ obj\b", data)), 3)
    for _ in range(few(rng)):
        outside = STREAMS.sub(lambda match: b" " * len(match[0]), data)
        if places := [match.span(1) for match in VALUES.finditer(outside)]:
            start, end = some(rng, places)
            data = data[:start] + b" " + value(rng, n_objects).encode("latin-1") + data[end:]
    for _ in range(few(rng) - 1):
        if places := [match.span(1) for match in STREAMS.finditer(data)]:
            start, end = some(rng, places)
            if content := unpacked(data[start:end]):
                data = data[:start] + zlib.compress(changed_content(content, rng)) + data[end:]
    return data


def unpacked(data: bytes) -> bytes:
    """The bytes behind ``FlateDecode``, none if there are none."""
    try:
        return zlib.decompressobj().decompress(data, 1 << 20)
    except zlib.error:
        return b""


def changed_content(content: bytes, rng: random.Random) -> bytes:
    """Operators and operands of a content stream replaced, repeated and inserted."""
    tokens = content.split(b" ")
    for _ in range(few(rng)):
        i = rng.randrange(len(tokens))
        new: list[Any] = [
            [some(rng, OPERATORS).encode()],
            [str(some(rng, NUMBERS)).encode()],
            [string(rng).encode("latin-1")],
            tokens[i : i + few(rng) * 5] * few(rng),
            [drawn(rng)],
        ]
        tokens[i : i + rng.randrange(2)] = some(rng, new)
    return b" ".join(tokens)
