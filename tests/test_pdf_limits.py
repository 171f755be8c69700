"""Limits that are enforced before pdfium draws a page: forms, glyphs, patterns, filters, trees, annotations."""

import base64
import zlib

import numpy as np
import pypdfium2 as pdfium
import pytest

from longdoc import CorruptDocumentError, LimitExceededError, Limits, load
from longdoc.loaders.layout.page import Interactive
from longdoc.loaders.pdf.miner import Miner, MinerError
from pdfs import lines, loose_page, make_pdf

TEXT = lines("An ordinary line of the lease.")


def stream(content: str, entries: str = "") -> str:
    return f"<< {entries} /Length {len(content)} >>\nstream\n{content}\nendstream"


def form(content: str, entries: str = "") -> str:
    return stream(content, f"/Type /XObject /Subtype /Form /BBox [0 0 612 792] {entries}")


def named(kind: str, **numbers: int) -> str:
    return f"/{kind} << " + " ".join(f"/{name} {number} 0 R" for name, number in numbers.items()) + " >>"


def page_of(content: str, *objects: str, names: str = "", **parts: str) -> bytes:
    """A page whose resources have further names; the objects are numbered from 10."""
    return loose_page(content, *objects, **parts).replace(b"/XObject <<  >>", names.encode("latin-1"))


def chain(length: int, draws: str, last: str) -> list[str]:
    """Forms of which each draws the next one, as ``X``."""
    inner = [form(draws, f"/Resources << {named('XObject', X=11 + i)} >>") for i in range(length)]
    return [*inner, form(last, "/Resources << /Font << /F 3 0 R >> >>")]


def packed(content: bytes, *filters: str, entries: str = "") -> str:
    pack = {
        "FlateDecode": zlib.compress,
        "ASCII85Decode": lambda data: base64.a85encode(data) + b"~>",
        "ASCIIHexDecode": lambda data: data.hex().encode() + b">",
    }
    for name in reversed(filters):
        content = pack[name](content)
    return stream(content.decode("latin-1"), f"{entries} /Filter [{' '.join('/' + name for name in filters)}]")


STAMP = "<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] /AP << /N %s >> >>"
X = named("XObject", X=10)
DRAWS_ITSELF = {
    "a form": page_of("/X Do", form("/X Do", f"/Resources << {X} >>"), names=X),
    "a form, twice": page_of("/X Do", form("/X Do /X Do", f"/Resources << {X} >>"), names=X),
    "by the names of its page": page_of("/X Do", form("/X Do /X Do"), names=X),
    "by an escaped name": page_of("/X Do", form("/#58 Do /#58 Do"), names=X),
    "by no plain name": page_of("/X Do", form("/X %\n Do /X %\n Do"), names=X),
    "two forms": page_of("/X Do", form("/Y Do /Y Do"), form("/X Do /X Do"), names=named("XObject", X=10, Y=11)),
    "a packed form": page_of(
        "/X Do", packed(b"/X Do /X Do", "FlateDecode").replace("<<", "<< /Subtype /Form", 1), names=X
    ),
    "a pattern": page_of(
        "/Pattern cs /P scn 0 0 99 99 re f",
        stream("/Pattern cs /P scn 0 0 9 9 re f", "/PatternType 1 /PaintType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9"),
        names=named("Pattern", P=10),
    ),
    "a soft mask": page_of(
        "/G gs 0 0 99 99 re f",
        "<< /SMask << /S /Alpha /G 11 0 R >> >>",
        form("/G gs 0 0 9 9 re f"),
        names=named("ExtGState", G=10),
    ),
    "a glyph": page_of(
        "BT /T 9 Tf (aaaa) Tj ET",
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 "
        "/Widths [9] /Encoding << /Differences [97 /a] >> /CharProcs << /a 11 0 R >> >>",
        stream("9 0 d0 /X Do /X Do"),
        form("BT /T 9 Tf (aaaa) Tj ET"),
        names="/Font << /T 10 0 R >> " + named("XObject", X=12),
    ).replace(b"/Font << /F 3 0 R  >>", b""),
    "an annotation": page_of(
        TEXT,
        form("/X Do /X Do", f"/Resources << {X} >>"),
        STAMP % "10 0 R",
        page="/Annots [11 0 R]",
    ),
}
PATTERN = "/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 999] /XStep %s /YStep %s"
EXCEEDS = {
    "forms that multiply": page_of("/X Do", *chain(9, "/X Do " * 9, "(a) Tj"), names=X),
    "forms that double": page_of("/X Do", *chain(30, "/X Do /X Do", TEXT), names=X),
    "long chains of forms": page_of("/X Do", *chain(400, "/X Do", TEXT), names=X),
    "a form drawn often": page_of("/X Do " * 9000, form(TEXT * 200, "/Resources << /Font << /F 3 0 R >> >>"), names=X),
    "a stamp that multiplies": page_of(
        TEXT,
        *chain(9, "/X Do " * 9, "(a) Tj"),
        STAMP % "<< /On 10 0 R >>",
        page="/Annots [20 0 R]",
    ),
    "tiles that overlap": page_of(
        "/Pattern cs /P scn 0 0 600 700 re f",
        stream("0 0 1 1 re f", PATTERN % (0.01, 0.01)),
        names=named("Pattern", P=10),
    ),
    "glyphs": page_of("/Y Do", form(f"BT /F 9 Tf ({'a' * 9999}) Tj ET" * 11), names=named("XObject", Y=10)),
    "objects": page_of("0 0 1 1 re f " * 100_001),
    "saved states": page_of("q " * 300 + TEXT),
    "marks": page_of("/A BMC " * 300 + TEXT),
    "one content often": make_pdf(TEXT).replace(b"/Contents 6 0 R", b"/Contents [" + b"6 0 R " * 9_000 + b"]"),
    "annotations": page_of(TEXT, "<< /Subtype /Text >>", page=f"/Annots [{'10 0 R ' * 20_001}]"),
}


SMALL = Limits(page_characters=100_000, page_objects=100_000)


def pack_lzw(content: bytes) -> bytes:
    """Packs by LZW, as PDF does: codes of 9 to 12 bits, each width one code early."""
    table, codes, width = {bytes([i]): i for i in range(256)}, [(256, 9)], 9
    found = b""
    for byte in content:
        longer = found + bytes([byte])
        if longer in table:
            found = longer
            continue
        codes.append((table[found], width))
        table[longer] = len(table) + 2
        found = bytes([byte])
        width = max(9, (len(table) + 2).bit_length())
        if len(table) + 2 == 4094:
            codes.append((256, width))
            table, width = {bytes([i]): i for i in range(256)}, 9
    codes += [(table[found], width)] if found else []
    bits = "".join(f"{code:0{size}b}" for code, size in [*codes, (257, width)])
    return int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, "big")


def with_content(content: str) -> bytes:
    """A page whose content is this stream."""
    return page_of("").replace(b"<< /Length 0 >>\nstream\n\nendstream", content.encode("latin-1"))


def bombs(size: int) -> dict[str, bytes]:
    """PDFs with a stream of this size."""
    blank, flat = b" " * size, "FlateDecode"
    twice = packed(zlib.compress(blank), flat).replace(f"/{flat}", f"/{flat} /{flat}")
    font = "<< /Type /Font /Subtype /TrueType /BaseFont /Q /FirstChar 97 /LastChar 97 /Widths [500] %s >>"
    parts = "/FontDescriptor << /Type /FontDescriptor /FontName /Q /Flags 4 /FontBBox [0 0 9 9] /FontFile2 11 0 R >>"
    shows = "BT /Q 9 Tf 72 700 Td (aaa) Tj ET " + TEXT
    picture = packed(blank, flat).replace("<<", "<< /Subtype /Image /Width 9 /Height 9", 1)
    numbers = zlib.compress(b"99 0 [" + b"0 " * (size // 2) + b"]").decode("latin-1")
    objects = f"/Type /ObjStm /N 1 /First 5 /Filter /{flat}"
    rows = "/Type /XRef /Size 9 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode"
    return {
        "content": with_content(packed(blank + TEXT.encode(), flat)),
        "content, packed twice": with_content(twice),
        "content, packed in letters": with_content(packed(blank, "ASCII85Decode", flat)),
        "content that claims to be a picture": with_content(picture),
        "a form": page_of("/X Do", packed(blank, flat).replace("<<", "<< /Subtype /Form /BBox [0 0 9 9]", 1), names=X),
        "a font": loose_page(shows, font % parts, packed(blank, flat), fonts="/Q 10 0 R"),
        "a font that claims to be a picture": loose_page(shows, font % parts, picture, fonts="/Q 10 0 R"),
        "a map of characters": loose_page(shows, font % "/ToUnicode 11 0 R", packed(blank, flat), fonts="/Q 10 0 R"),
        "packed objects": page_of(TEXT, stream(numbers, objects)),
        "a packed table of objects": page_of(TEXT, stream(zlib.compress(blank).decode("latin-1"), rows)),
    }


@pytest.mark.parametrize("kind", bombs(9))
def test_streams_that_unpack_to_too_much_are_refused(kind: str) -> None:
    limits = Limits(content_bytes=1 << 19, stream_bytes=1 << 20, object_bytes=1 << 20)
    with pytest.raises(LimitExceededError, match=r"(content|stream|object) bytes: .*allowed"):
        load(bombs(3 << 20)[kind], limits=limits)


@pytest.mark.parametrize("pack, name", [(pack_lzw, "LZWDecode")])
def test_contents_are_unpacked(pack, name: str) -> None:
    content = (TEXT * 300).encode() + bytes(range(256)) * 40
    data = with_content(stream(pack(content).decode("latin-1"), f"/Filter /{name}"))
    with pytest.raises(LimitExceededError, match=f"content bytes: {len(content):,}"):
        load(data, limits=Limits(content_bytes=len(content) - 1))
    assert load(data, limits=Limits(content_bytes=len(content))).text.startswith("An ordinary line")


@pytest.mark.parametrize("data", DRAWS_ITSELF.values(), ids=DRAWS_ITSELF)
def test_what_draws_itself_is_damaged(data: bytes) -> None:
    with pytest.raises(CorruptDocumentError, match="page 1: a form that draws itself"):
        load(data)


@pytest.mark.parametrize("data", EXCEEDS.values(), ids=EXCEEDS)
def test_pages_that_draw_too_much_are_refused(data: bytes) -> None:
    with pytest.raises(LimitExceededError, match=r"(page|object) \d+: .*allowed"):
        load(data, limits=SMALL)


DRAWS = "/X Do " * 20
FORMS = chain(3, DRAWS, TEXT)
END = 10 + len(FORMS)
PICTURE = "BI /W 1 /H 1 /BPC 8 /CS /G ID %s EI "
CUT = zlib.compressobj()
DAMAGED = CUT.compress(DRAWS.encode()) + CUT.flush(zlib.Z_SYNC_FLUSH) + b"\xff\xff\xff"


def hidden(content: str, *objects: str, forms: list[str] = FORMS) -> bytes:
    return page_of(content, *forms, *objects, names=X)


def divided(*contents: str) -> bytes:
    """A page whose content is in several streams."""
    numbers = " ".join(f"{END + i} 0 R" for i in range(len(contents)))
    return hidden("", *map(stream, contents)).replace(b"/Contents 5 0 R", f"/Contents [{numbers}]".encode())


def below(levels: int, resources: bytes = b"") -> bytes:
    """A page that has the resources of a node of the tree of pages far above it."""
    nodes = [f"<< /Parent {END + i + 1} 0 R >>" for i in range(levels)]
    data = hidden(DRAWS, *nodes, f"<< /Resources << /Font << /F 3 0 R >> {X} >> >>")
    own = f"/Resources << /Font << /F 3 0 R  >> {X} >> /Contents".encode()
    assert own in data
    return data.replace(b"/Parent 2 0 R", f"/Parent {END} 0 R".encode()).replace(own, resources + b"/Contents")


HIDDEN = {
    **{f"separator {ord(each)}": hidden(f"/X{each}Do{each}" * 20) for each in "\0\f\x80\xff"},
    "kind by reference": hidden(DRAWS, "/Form", forms=[each.replace("/Form", f"{END} 0 R", 1) for each in FORMS]),
    "kind as text": hidden(DRAWS, forms=[each.replace("/Form", "(Form)", 1) for each in FORMS]),
    "resources that are missing": below(1, b"/Resources 999 0 R "),
    "resources far above": below(70),
    "resources too far above": below(300),
    "name in the stream before": divided(*["/X", "Do"] * 20),
    "bracket in a comment": hidden(f"%(\n{DRAWS} [] Do\n%)\n"),
    "bracket in a comment that a stream before begins": divided("%", f"(\n{DRAWS} [] Do )"),
    "comment in text": hidden(f"(%(%)) pop {DRAWS} [] Do )"),
    "bracket in hexadecimal text": hidden(f"<(> {DRAWS} [] Do )"),
    "bracket in a picture": hidden(PICTURE % "(" + DRAWS + "[] Do " + PICTURE % ")"),
    "other name in a comment": hidden("/X %/Y\nDo " * 20),
    "other name in a comment after a picture": hidden(PICTURE % "a" + "/X %/Y\nDo " * 20),
    "name as text": hidden("/Y (X) Do " * 20),
    "damage": hidden("").replace(
        b"<< /Length 0 >>\nstream\n\nendstream",
        stream(DAMAGED.decode("latin-1"), "/Filter /FlateDecode").encode("latin-1"),
    ),
    "codes that grow late": hidden("").replace(
        b"<< /Length 0 >>\nstream\n\nendstream",
        stream("a" * 9, "/Filter /LZWDecode /DecodeParms << /EarlyChange 0 >>").encode("latin-1"),
    ),
    "brackets in text": page_of(f"BT /F 9 Tf ({'a' * 3000}(b)) Tj ET"),
    "no hexadecimal digits in text": page_of(f"BT /F 9 Tf <{'61' * 3000}z> Tj ET"),
    "ends of states in comments": page_of("q %Q\n" * 300),
    "ends of states in text": page_of("q (\nQ ) pop " * 300),
    "ends of states in pictures": page_of(PICTURE % "a" + ("q " * 99 + PICTURE % "Q") * 99),
}


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN)
def test_what_pdfium_draws_is_not_hidden(data: bytes) -> None:
    with pytest.raises(LimitExceededError, match="allowed"):
        load(data, limits=Limits(page_objects=400, page_characters=2000, content_bytes=20_000))


def test_pictures_and_brackets_in_a_content_are_no_reason_to_refuse_it() -> None:
    content = "q Q " * 300 + PICTURE % "(" + "q Q " * 300 + "(5% (of) \\) %) pop " + "/X Do " + TEXT
    assert load(page_of(content, form(TEXT), names=X)).text == "An ordinary line of the lease."


def doubled(entry: str, length: int, last: str) -> list[str]:
    """Objects from number 10, each of which refers to the next one twice."""
    return [entry % f"{11 + i} 0 R {11 + i} 0 R" for i in range(length)] + [last]


def numbers(first: int, count: int) -> str:
    return " ".join(f"{first + i} 0 R" for i in range(count))


LONG = f"({'x' * 200_000})"
FOLLOWED = {
    "fields": page_of(
        TEXT, *doubled("<< /T (a) /Kids [%s] >>", 60, "<< >>"), catalog="/AcroForm << /Fields [10 0 R] >>"
    ),
    "functions": page_of(
        "/P sh " + TEXT,
        *doubled("<< /FunctionType 3 /Domain [0 1] /Functions [%s] /Bounds [.5] /Encode [0 1 0 1] >>", 40, "<< >>"),
        names="/Shading << /P << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 9 9] /Function 10 0 R >> >>",
    ),
    "rules of layers": page_of(
        "/OC /L BDC " + TEXT + " EMC",
        *doubled("[/And %s]", 30, "[/Not 9 0 R]"),
        "<< /Type /OCMD /VE 10 0 R >>",
        names=named("Properties", L=41),
    ),
    "layers": page_of(
        "/OC /L BDC " + TEXT + " EMC", f"<< /Type /OCMD /OCGs [{'9 0 R ' * 10_001}] >>", names=named("Properties", L=10)
    ),
    "options": page_of(
        TEXT,
        f"[{'(option) ' * 9_000}]",
        *["<< /Subtype /Widget /FT /Ch /T (a) /Opt 10 0 R /Rect [0 0 9 9] >>"] * 9,
        page=f"/Annots [{numbers(11, 9)}]",
    ),
    "options of the field above": page_of(
        TEXT,
        f"<< /FT /Ch /T (a) /Opt [{'(option) ' * 9_000}] >>",
        *["<< /Subtype /Widget /Parent 10 0 R /Rect [0 0 9 9] >>"] * 9,
        page=f"/Annots [{numbers(11, 9)}]",
    ),
    "values": page_of(
        TEXT,
        LONG,
        "<< /FT /Tx /T (a) /V 10 0 R >>",
        *["<< /Subtype /Widget /Parent 11 0 R /Rect [0 0 9 9] >>"] * 99,
        page=f"/Annots [{numbers(12, 99)}]",
    ),
    "shapes": page_of(
        TEXT,
        f"[{'0 ' * 99_999}]",
        *["<< /Subtype /Highlight /QuadPoints 10 0 R /Rect [0 0 9 9] >>"] * 200,
        page=f"/Annots [{numbers(11, 200)}]",
    ),
    "lists of shapes": page_of(
        TEXT,
        f"[{'0 ' * 9_999}]",
        f"[{'10 0 R ' * 2_000}]",
        "<< /Subtype /Ink /InkList 11 0 R /Rect [0 0 9 9] >>",
        page="/Annots [12 0 R]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", FOLLOWED.values(), ids=FOLLOWED)
def test_what_is_referred_to_repeatedly_counts_each_time(data: bytes) -> None:
    with pytest.raises(LimitExceededError, match=r"references: [\d,]+, allowed: 200,000"):
        load(data)


def test_fields_in_fields_and_layers_are_read() -> None:
    layers = 3_000
    fields = [f"<< /T (part) /Kids [{11 + i} 0 R] >>" for i in range(5)]
    last = "<< /FT /Tx /T (name) /V (Jane Roe) /Subtype /Widget /Rect [9 9 99 99] /Parent 14 0 R >>"
    catalog = f"/AcroForm << /Fields [10 0 R] >> /OCProperties << /OCGs [{'16 0 R ' * 20_000}] /D << >> >>"
    rules = "<< /Type /OCMD /OCGs [16 0 R] >>"
    objects = [*fields, last, "<< /Type /OCG /Name (a) >>", *[rules] * layers]
    document = load(page_of(TEXT, *objects, catalog=catalog, page="/Annots [15 0 R]"))
    assert "An ordinary line of the lease." in document.text
    (field,) = document.fields
    assert field.name.endswith("name") and field.value == "Jane Roe"


REPEATED = {
    "titles": (LONG, *[f"<< /Title 10 0 R /Parent 9 0 R /Next {12 + i} 0 R >>" for i in range(200)]),
    "addresses": (LONG, *["<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI 10 0 R >> >>"] * 300),
    "names": ("<< /T 211 0 R >>", *["<< /Subtype /Widget /FT /Tx /Rect [0 0 9 9] /Parent 10 0 R >>"] * 200, LONG),
    "values of fields on no page": (LONG, *["<< /FT /Tx /T (a) /V 10 0 R >>"] * 200),
}


@pytest.mark.parametrize("kind", REPEATED)
def test_strings_that_are_shared_count_each_time(kind: str) -> None:
    objects = REPEATED[kind]
    inner = numbers(11, len(objects) - 1)
    catalog = {
        "titles": "/Outlines << /First 11 0 R >>",
        "values of fields on no page": f"/AcroForm << /Fields [{inner}] >>",
    }.get(kind, "/AcroForm << /Fields [] >>")
    data = page_of(TEXT, *objects, catalog=catalog, page=f"/Annots [{inner}]" if kind in ("addresses", "names") else "")
    limits = Limits(characters=10_000_000, references=10**9)
    with pytest.raises(LimitExceededError, match=r"outline, links, fields and comments: characters: .* allowed"):
        load(data, limits=limits)


def test_a_font_that_maps_a_code_to_a_long_text_counts_by_it() -> None:
    mapping = f"1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <41> <{'0042' * 500}> endbfchar"
    font = "/T << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 10 0 R >>"
    data = page_of(f"BT /T 9 Tf ({'A' * 3_000}) Tj ET", stream(f"begincmap {mapping} endcmap"), fonts=font)
    with pytest.raises(LimitExceededError, match=r"page characters: 1,50.,000, allowed"):
        load(data)
    few = page_of("BT /T 9 Tf 72 700 Td (A) Tj ET", stream(f"begincmap {mapping} endcmap"), fonts=font)
    assert load(few).text == "B" * 500


def test_arithmetic_on_coordinates_that_are_not_finite_is_not_warned_of(monkeypatch, recwarn) -> None:
    def overflow(page, *_: object) -> Interactive:
        far = np.array([np.inf, 1e38], np.float32) * np.float32(10)
        assert np.isnan(far - far).all() and np.isinf(far / 0).all()
        return Interactive()

    monkeypatch.setattr("longdoc.loaders.pdf.read_interactive", overflow)
    assert load(page_of(TEXT)).text and not recwarn.list


def type3(mapping: str, content: str = "BT /T 9 Tf (aaa) Tj ET") -> bytes:
    font = (
        "/T << /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 "
        "/Widths [9] /Encoding << /Differences [97 /a] >> /CharProcs << /a 11 0 R >> /ToUnicode 10 0 R >>"
    )
    return page_of(TEXT + content, stream(mapping), stream("9 0 d0 0 0 9 9 re f"), fonts=font)


@pytest.mark.parametrize("kind", ["bf", "cid"])
def test_ranges_of_codes_are_counted(kind: str) -> None:
    ranges = "<0000> <ffff> <0041> " if kind == "bf" else "<0000> <ffff> 0 "
    with pytest.raises(LimitExceededError, match=r"codes of the font in object 10: page characters: 1,048,560"):
        load(type3(f"16 begin{kind}range {ranges * 16} end{kind}range"))
    with pytest.raises(LimitExceededError, match=r"codes of the font"):
        load(type3(f"1 begin{kind}range <00000000> <ffffffff> 0 end{kind}range"))
    pairs = "".join(f"<{i:04x}> <{i:04x}>\n" for i in range(32, 5000))
    assert "ordinary" in load(type3(f"begincmap 100 beginbfchar {pairs} endbfchar endcmap")).text


def test_what_pdfminer_cannot_read_is_told_or_left_to_pdfium() -> None:
    assert "ordinary" in load(type3("1 beginbfrange <00> <05> <ffffffff> endbfrange")).text
    data = type3("", "BT /T 9 Tf (aaa) Tj ET " + "q Q " * 300_000)
    assert "ordinary" in load(data).text
    with pdfium.PdfDocument(data) as pdf, pytest.raises(MinerError, match="longer than 1,048,576 bytes"):
        Miner(pdf).characters(0)
