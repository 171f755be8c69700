"""Redacted PDFs under attack: a name hidden anywhere is gone, or its page is an image, or there is no file."""

import contextlib
import html
import io
import random
import re
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageCms

import longdoc
from longdoc.cli import main
from longdoc.errors import RedactionError
from longdoc.redaction import job, layer, objects, plan
from longdoc.redaction.inner_files import without_metadata
from longdoc.redaction.names import Names, Search
from pdfs import lines, make_pdf
from test_annotated import predicted
from test_redaction import CONTENT, NAME, edited, redact, texts

BASE = make_pdf(CONTENT)
Edit = Callable[[pikepdf.Pdf], None]


@pytest.fixture(autouse=True)
def _drawn_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages become images in this process, which takes no second to start, and with few dots."""
    monkeypatch.setattr(job, "isolated", lambda draw, *given, **_: draw(*given))
    monkeypatch.setattr(layer, "DOTS_PER_INCH", 30)


# ------------------------------------------------------------------------------------------- what is left, found anew


def letters(text: str) -> str:
    """The letters of a text in small ones and without accents, tags and codes."""
    text = html.unescape(re.sub(r"<[^<>]*>|\x1b[^\x1b]*\x1b", "", text))
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def unpacked(stream: pikepdf.Stream) -> bytes:
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        data = stream.read_raw_bytes()
        return zlib.decompress(data) if isinstance(stream.get("/Filter"), Array) else data


def said(item: pikepdf.Object) -> Iterator[str]:
    """All that an object says: strings, names and keys; what it refers to aside."""
    if isinstance(item, String):
        yield from (str(item), bytes(item).replace(b"\0", b"").decode("latin-1"))
    elif isinstance(item, Name):
        yield str(item)
    elif isinstance(item, (Dictionary, pikepdf.Stream, Array)):
        keys = () if isinstance(item, Array) else list(item.keys())
        yield from keys
        for each in item if isinstance(item, Array) else [item[key] for key in keys]:
            if not getattr(each, "is_indirect", False):
                yield from said(each)


def said_in_stream(stream: pikepdf.Stream) -> Iterator[str]:
    """All that a stream says, also in hexadecimal numbers, and in the strings of its instructions, if it has any."""
    data = unpacked(stream)
    yield from (data.decode("latin-1"), data.replace(b"\0", b"").decode("latin-1"))
    for digits in re.findall(rb"<([0-9A-Fa-f]+)>", data):
        yield bytes.fromhex(digits.decode()[: len(digits) // 2 * 2]).replace(b"\0", b"").decode("latin-1")
    instructions: list[pikepdf.ContentStreamInstruction] = []
    with warnings.catch_warnings(), contextlib.suppress(pikepdf.PdfError):  # not all streams are instructions
        warnings.simplefilter("ignore")
        instructions = pikepdf.parse_content_stream(stream)
    for operand in [operand for instruction in instructions for operand in instruction.operands]:
        yield from said(operand)
        if isinstance(operand, Array):
            yield b"".join(bytes(each) for each in operand if isinstance(each, String)).decode("latin-1")


def left(data: bytes, wanted: str = "lovelace") -> list[str]:
    """Where letters are still in a file, whoever reads it."""
    found = [text for text in texts(data) if wanted in letters(text)]
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for item in pdf.objects:
            every = [*said(item), *(said_in_stream(item) if isinstance(item, pikepdf.Stream) else ())]
            number = getattr(item, "objgen", (0,))[0]
            found += [f"{number}: {text[:60]}" for text in every if wanted in letters(text)]
    return found


LEFT = left(BASE)


# --------------------------------------------------------------------------------------------------- places of a name


def stream_of(pdf: pikepdf.Pdf, content: str | bytes, **entries: object) -> pikepdf.Object:
    return pdf.make_stream(content if isinstance(content, bytes) else content.encode("latin-1"), **entries)


def form_of(pdf: pikepdf.Pdf, content: str | bytes, **entries: object) -> pikepdf.Object:
    own = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 300, 40]), **entries}
    return stream_of(pdf, content, Resources=Dictionary(Font=pdf.pages[0].Resources.Font), **own)


def pattern_of(pdf: pikepdf.Pdf, content: str) -> pikepdf.Object:
    own = {"PatternType": 1, "PaintType": 1, "TilingType": 1, "XStep": 90, "YStep": 90, "BBox": Array([0, 0, 90, 90])}
    return stream_of(pdf, content, Type=Name.Pattern, Resources=Dictionary(Font=pdf.pages[0].Resources.Font), **own)


def annotate(pdf: pikepdf.Pdf, kind: str, **entries: object) -> pikepdf.Object:
    own = Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), Rect=[300, 300, 400, 400], **entries)
    pdf.pages[0].Annots = Array([pdf.make_indirect(own)])
    return pdf.pages[0].Annots[0]


def stamp(content: str | bytes, **entries: object) -> Edit:
    """A stamp on the page, away from the name, that looks as a content stream says."""
    return lambda pdf: annotate(pdf, "Stamp", AP=Dictionary(N=form_of(pdf, content)), **entries) and None


def drawn_form(content: str) -> Edit:
    def edit(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Resources.XObject = Dictionary(K=form_of(pdf, content))
        pdf.pages[0].contents_add(b" q 1 0 0 1 72 300 cm /K Do Q")

    return edit


def resource(kind: str, key: str, make: Callable[[pikepdf.Pdf], object], shown: str = "") -> Edit:
    """A resource of the page, and content that uses it."""

    def edit(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Resources[kind] = Dictionary(
            {**dict(pdf.pages[0].Resources.get(kind, Dictionary()).items()), key: make(pdf)}
        )
        pdf.pages[0].contents_add(b" " + shown.encode())

    return edit


def widget(pdf: pikepdf.Pdf, **entries: object) -> pikepdf.Object:
    field = annotate(pdf, "Widget", **entries)
    pdf.Root.AcroForm = Dictionary(Fields=[field])
    return field


def button(state: str, *, is_ticked: bool = True, has_looks: bool = True) -> Edit:
    """A box with a state of a name, in which it may be, and may look different."""

    def edit(pdf: pikepdf.Pdf) -> None:
        own = Name(state if is_ticked else "/Off")
        field = widget(pdf, FT=Name.Btn, T="who", Ff=1 << 15, V=own, AS=own)
        if has_looks:
            field.AP = Dictionary(N=Dictionary({state: form_of(pdf, "0 0 9 9 re f"), "/Off": form_of(pdf, "")}))

    return edit


def choice(pdf: pikepdf.Pdf) -> None:
    options = Array([Array([String("al"), String(NAME)]), Array([String("cb"), String("Charles")])])
    field = widget(pdf, FT=Name.Ch, T="who", V="al", Opt=options)
    field.AP = Dictionary(N=form_of(pdf, f"/Tx BMC BT /F 9 Tf ({NAME}) Tj ET EMC"))


def field_in_parts(pdf: pikepdf.Pdf) -> None:
    field = widget(pdf, T="Lovelace")
    field.Parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T="Ada", V="x", Kids=[field]))
    pdf.Root.AcroForm.Fields = Array([field.Parent])


def field_on_no_page(pdf: pikepdf.Pdf) -> None:
    field = Dictionary(FT=Name.Tx, T="who", V=NAME, AP=Dictionary(N=form_of(pdf, f"BT /F 9 Tf ({NAME}) Tj ET")))
    pdf.Root.AcroForm = Dictionary(Fields=[pdf.make_indirect(field)])


def signature_on_no_page(pdf: pikepdf.Pdf) -> None:
    value = Dictionary(Type=Name.Sig, Name="A. Lovelace", Contents=String(b"\x30\x82CN=A. Lovelace\0"))
    pdf.Root.AcroForm = Dictionary(Fields=[pdf.make_indirect(Dictionary(FT=Name.Sig, T="sig", V=value))], SigFlags=3)


def destinations(pdf: pikepdf.Pdf) -> None:
    place = Array([pdf.pages[0].obj, Name.Fit])
    tree = Dictionary(Kids=Array([Dictionary(Limits=["Lovelace", "Other"], Names=["Lovelace", place, "Other", place])]))
    pdf.Root.Names = Dictionary(Dests=tree)
    pdf.Root.Dests = Dictionary({"/lovelace_1": Dictionary(D=place)})
    annotate(pdf, "Link", A=Dictionary(S=Name.GoTo, D="Lovelace"))
    pdf.pages[0].Annots.append(Dictionary(Subtype=Name.Link, Rect=[9, 9, 20, 20], Dest=Name("/lovelace_1")))


def bookmark(title: str) -> Edit:
    def edit(pdf: pikepdf.Pdf) -> None:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(title, 0))

    return edit


def photograph(pdf: pikepdf.Pdf, *, packed: bool) -> pikepdf.Object:
    """A JPEG with the name in its EXIF, as a comment and after its end."""
    stream, picture = io.BytesIO(), Image.new("RGB", (16, 16), "red")
    exif = picture.getexif()
    exif[0x13B] = NAME
    picture.save(stream, "JPEG", exif=exif.tobytes(), comment=NAME.encode(), progressive=True)
    image = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Image, Width=16, Height=16, BitsPerComponent=8)
    image.ColorSpace = Name.DeviceRGB
    data = stream.getvalue() + NAME.encode()
    image.write(zlib.compress(data) if packed else data, filter=[Name.FlateDecode, Name.DCTDecode][not packed :])
    return image


def profile(pdf: pikepdf.Pdf) -> pikepdf.Object:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return Array([Name.ICCBased, stream_of(pdf, own + NAME.encode() + NAME.encode("utf-16-be"), N=3)])


def font_program(pdf: pikepdf.Pdf) -> pikepdf.Object:
    program = "%!PS-AdobeFont-1.0: AdaLovelace-Hand\n/Notice (by Ada Lovelace) def"
    descriptor = Dictionary(Type=Name.FontDescriptor, FontName=Name("/AdaLovelace-Hand"), Flags=32)
    descriptor.FontFile = stream_of(pdf, program, Length1=len(program), Length2=0, Length3=0)
    descriptor.FontBBox = Array([0, 0, 600, 600])
    own = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/AdaLovelace-Hand"), FirstChar=65, LastChar=65)
    own.Widths, own.FontDescriptor = Array([600]), pdf.make_indirect(descriptor)
    return pdf.make_indirect(own)


def type_3(pdf: pikepdf.Pdf) -> pikepdf.Object:
    glyph = stream_of(pdf, "900 0 d0 BT /F 9 Tf [(Ada Lo) 3 (velace)] TJ ET")
    font = Dictionary(Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 9, 9], FontMatrix=[0.001, 0, 0, 0.001, 0, 0])
    font.Encoding, font.CharProcs = Dictionary(Differences=Array([65, Name.A])), Dictionary(A=glyph)
    font.FirstChar, font.LastChar, font.Widths = 65, 65, Array([900])
    return pdf.make_indirect(font)


def meaning(pdf: pikepdf.Pdf) -> pikepdf.Object:
    """A font in which a letter that is not shown means the name."""
    table = f"begincmap 1 beginbfchar <41> <{NAME.encode('utf-16-be').hex()}> endbfchar endcmap"
    own = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, ToUnicode=stream_of(pdf, table))
    return pdf.make_indirect(own)


def tree_of_forms(deep: int) -> Edit:
    def edit(pdf: pikepdf.Pdf) -> None:
        form = form_of(pdf, f"BT /F 9 Tf 1 1 Td ({NAME} and others) Tj ET")
        for _ in range(deep):
            inner, form = form, form_of(pdf, "q /K Do Q")
            form.Resources.XObject = Dictionary(K=inner)
        pdf.pages[0].Resources.XObject = Dictionary(K=form)
        pdf.pages[0].contents_add(b" q 1 0 0 1 72 300 cm /K Do Q")

    return edit


def comments_of_all_kinds(pdf: pikepdf.Pdf) -> None:
    kinds = {
        "Sound": {"Sound": stream_of(pdf, "Lovelace", R=8000)},
        "3D": {"3DD": stream_of(pdf, "Lovelace", Type=Name("/3D"))},
        "RichMedia": {"RichMediaContent": Dictionary(Assets=stream_of(pdf, "Lovelace"))},
        "Screen": {"A": Dictionary(S=Name.Rendition, R=Dictionary(N="Lovelace"))},
        "Movie": {"T": "Lovelace"},
        "Projection": {"T": NAME},
        "Redact": {"OverlayText": NAME},
        "Line": {"Contents": "Fine", "Subj": NAME, "NM": NAME},
        "Link": {"A": Dictionary(S=Name.Launch, F=Dictionary(F="ADA_LOVELACE.EXE", UF="ada lovelace.exe"))},
    }
    every = [annotate(pdf, kind, **entries) for kind, entries in kinds.items()]
    pdf.pages[0].Annots = Array(every)


def inherited(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Pages.Resources = Dictionary(XObject=Dictionary(K=form_of(pdf, KERNED)))


def deleted_page(pdf: pikepdf.Pdf) -> None:
    page = Dictionary(Type=Name.Page, MediaBox=[0, 0, 99, 99], Contents=stream_of(pdf, KERNED))
    page.Resources = pdf.pages[0].Resources
    annotate(pdf, "Link", Dest=Array([pdf.make_indirect(page), Name.Fit]))


def private_data(pdf: pikepdf.Pdf) -> None:
    form = form_of(pdf, "0 0 9 9 re f", Metadata=stream_of(pdf, "Lovelace"), PieceInfo=Dictionary(A="Lovelace"))
    pdf.pages[0].Resources.XObject = Dictionary(K=form)
    pdf.pages[0].contents_add(b" /K Do")
    pdf.pages[0].Thumb = stream_of(pdf, "Lovelace", Width=1, Height=8, ColorSpace=Name.DeviceGray, BitsPerComponent=8)
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=Array([String("datasets"), stream_of(pdf, "Lovelace")]))
    pdf.Root.StructTreeRoot = Dictionary(K=Dictionary(S=Name.P, Alt="Lovelace", T="Lovelace"))
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(P="Ada  Lovelace")]))


def layer_of(name: str) -> Callable[[pikepdf.Pdf], object]:
    usage = Dictionary(User=Dictionary(Type=Name.Ind, Name=NAME), CreatorInfo=Dictionary(Creator=NAME))
    return lambda pdf: pdf.make_indirect(Dictionary(Type=Name.OCG, Name=name, Usage=usage))


def plain_form(pdf: pikepdf.Pdf) -> object:
    return form_of(pdf, "BT /F 9 Tf 1 1 Td (stays here) Tj ET")


KERNED = "BT /F 9 Tf 5 5 Td [(Ada Lo) 3 (velace)] TJ ET"
HEXADECIMAL = f"BT /F 9 Tf 5 5 Td <{NAME.encode().hex()}> Tj ET"
WHERE: dict[str, Edit] = {
    "a form that no page draws": resource("/XObject", "/K", lambda pdf: form_of(pdf, KERNED)),
    "resources that pages inherit": inherited,
    "a page that is no more": deleted_page,
    "a stamp that is not shown": stamp(KERNED, F=2),
    "how a stamp looks under the mouse": lambda pdf: stamp("0 0 9 9 re f")(pdf)
    or pdf.pages[0].Annots[0].AP.update({"/R": form_of(pdf, KERNED)}),
    "hexadecimal strings of a stamp": stamp(HEXADECIMAL),
    "a comment in a stamp": stamp("% Ada  Lovelace\n0 0 9 9 re f"),
    "a comment in a form": drawn_form("% Ada  Lovelace\n0 0 9 9 re f"),
    "a mark in a stamp, in octal codes": stamp(r"/Span <</ActualText (\101da \114ove\154ace)>> BDC 9 9 9 9 re f EMC"),
    "a point in a stamp": stamp("/AdaLovelace MP 0 0 9 9 re f"),
    "a tag in a stamp": stamp("/AdaLovelace BMC 0 0 9 9 re f EMC"),
    "the name of a form": resource("/XObject", "/AdaLovelace", plain_form, "/AdaLovelace Do"),
    "the name of a form, in codes": resource("/XObject", "/AdaLovelace", plain_form, "/Ada#4covelace Do"),
    "the name of a font": resource("/Font", "/AdaLovelace", lambda pdf: pdf.pages[0].Resources.Font.F,
                                   "BT /AdaLovelace 9 Tf 72 300 Td (stays here) Tj ET"),
    "the name of a state": resource("/ExtGState", "/AdaLovelace", lambda _: Dictionary(LW=1), "/AdaLovelace gs"),
    "the name of properties": resource("/Properties", "/AdaLovelace", lambda _: Dictionary(MCID=1),
                                       "/Span /AdaLovelace BDC 9 9 9 9 re f EMC"),
    "the name of a colour": resource("/ColorSpace", "/S", lambda pdf: Array([Name.Separation, Name("/Ada Lovelace"),
                                     Name.DeviceGray, Dictionary(FunctionType=2, Domain=[0, 1], N=1)]), "/S cs 1 scn"),
    "a layer": resource("/Properties", "/L", layer_of(f"For {NAME}"), "/OC /L BDC 9 9 9 9 re f EMC"),
    "places that links lead to": destinations,
    "a bookmark that changes its language": bookmark("Ada \x1ben\x1bLove\x1ben\x1blace"),
    "a comment with codes of HTML": lambda pdf: annotate(pdf, "FreeText", RC="<p>Ada &#76;ovelace</p>") and None,
    "a comment whose text is a stream": lambda pdf: annotate(
        pdf, "FreeText", RC=stream_of(pdf, "<p><b>Ada</b> Love<i>lace</i></p>")) and None,
    "a field whose text is a stream": lambda pdf: widget(
        pdf, FT=Name.Tx, T="a", V="x", RV=stream_of(pdf, "<p><b>Ada</b> Love<i>lace</i></p>")) and None,
    "a box that is ticked": button("/Ada Lovelace"),
    "a list of choices": choice,
    "the name of a field, in parts": field_in_parts,
    "a field on no page": field_on_no_page,
    "a signature on no page": signature_on_no_page,
    "a photograph": resource("/XObject", "/I", lambda pdf: photograph(pdf, packed=False), "q 9 0 0 9 9 9 cm /I Do Q"),
    "a packed photograph": resource("/XObject", "/I", lambda pdf: photograph(pdf, packed=True),
                                    "q 9 0 0 9 9 9 cm /I Do Q"),
    "a colour profile": resource("/ColorSpace", "/C", profile, "/C cs 1 0 0 sc 9 9 9 9 re f"),
    "a font": resource("/Font", "/H", font_program, "BT /H 9 Tf 72 300 Td (A) Tj ET"),
    "forms in one another": tree_of_forms(5),
    "comments of all kinds": comments_of_all_kinds,
    "private data": private_data,
}  # fmt: skip


@pytest.mark.parametrize("where", WHERE)
def test_a_name_is_gone_wherever_it_hides(tmp_path: Path, where: str) -> None:
    original = edited(BASE, WHERE[where])
    assert len(left(original)) > len(LEFT)  # it is there
    data, report = redact(original, tmp_path)
    assert not left(data)
    assert not report.images and all("Babbage" in text for text in texts(data))
    if b"stays here" in original:
        assert all("stays here" in text for text in texts(data))
    assert NAME not in " ".join(report.lines())


ONLY_IN_IMAGES: dict[str, Edit] = {
    "a pattern": resource("/Pattern", "/P", lambda pdf: pattern_of(pdf, KERNED), "/Pattern cs /P scn 9 9 9 9 re f"),
    "a hexadecimal pattern": resource("/Pattern", "/P", lambda pdf: pattern_of(pdf, HEXADECIMAL),
                                      "/Pattern cs /P scn 9 9 9 9 re f"),
    "what a letter means": resource("/Font", "/M", meaning, "BT /M 9 Tf 72 300 Td (B) Tj ET"),
    "a glyph": resource("/Font", "/T", type_3, "BT /T 9 Tf 72 300 Td (A) Tj ET"),
    "a mask": resource("/ExtGState", "/G", lambda pdf: Dictionary(SMask=Dictionary(
        S=Name.Luminosity, G=form_of(pdf, KERNED, Group=Dictionary(S=Name.Transparency)))), "/G gs"),
    "a function": resource("/ColorSpace", "/S", lambda pdf: Array([Name.Separation, Name.Spot, Name.DeviceGray,
        stream_of(pdf, "{ % by ADA  LOVELACE\n }", FunctionType=4, Domain=[0, 1], Range=[0, 1])]), "/S cs 1 scn"),
    "a string that a stamp does not show": stamp(r"(\101da \114ove\154ace) pop 0 0 9 9 re f"),
    "forms in one another without end": tree_of_forms(25),
}  # fmt: skip


@pytest.mark.parametrize("where", ONLY_IN_IMAGES)
def test_what_draws_a_name_in_ways_of_its_own_becomes_an_image(tmp_path: Path, where: str) -> None:
    original = edited(make_pdf(lines("Another page"), CONTENT), lambda pdf: pdf.pages.reverse())
    original = edited(original, ONLY_IN_IMAGES[where])
    data, report = redact(original, tmp_path)
    assert not left(data) and set(report.images) == {1}
    assert all("Another page" in text for text in texts(data))


# ------------------------------------------------------------------------------------------------------- on the pages


def everywhere(*found: str) -> bytes:
    """A PDF with the name on its first lines, and what else says it below them."""
    return make_pdf(CONTENT + found[0], *found[1:])


def scattered(seed: int) -> str:
    """The letters of the name, one by one in any order."""
    places = [(letter, 72 + 8 * at) for at, letter in enumerate(NAME) if letter != " "]
    random.Random(seed).shuffle(places)
    return "BT /F 12 Tf " + " ".join(f"1 0 0 1 {x} 400 Tm ({letter}) Tj" for letter, x in places) + " ET"


def later_version(content: str) -> bytes:
    """The file with an update at its end, which gives the page another content."""
    start = len(BASE) + 1
    update = f"\n6 0 obj\n<< /Length {len(content)} >>\nstream\n{content}\nendstream\nendobj\n".encode()
    before = re.findall(rb"startxref\n(\d+)", BASE)[-1]
    table = b"xref\n6 1\n%010d 00000 n \ntrailer\n<< /Root 1 0 R /Size 7 /Prev %s >>\n" % (start, before)
    return BASE + update + table + b"startxref\n%d\n%%%%EOF" % (len(BASE) + len(update))


SPELLED = {
    "letters in any order": everywhere(scattered(3)),
    "over two lines": everywhere(lines("We thank Ada Love-", "lace, first of all programmers", y=400)),
    "over two pages": everywhere(lines("and thank Ada", y=60), lines("Lovelace for all that she did")),
    "spaces and hyphens that do not break": everywhere(lines("We thank Ada\\240Love\\255lace for all", y=400)),
    "upside down": everywhere("BT /F 12 Tf -1 0 0 -1 400 400 Tm (Ada Lovelace) Tj ET"),
    "from top to bottom": everywhere("BT /F 12 Tf 0 -1 1 0 400 400 Tm (Ada Lovelace) Tj ET"),
    "mirrored": everywhere("q -1 0 0 1 612 0 cm BT /F 12 Tf 100 400 Td (Ada Lovelace) Tj ET Q"),
    "twice, like bold": everywhere("BT /F 12 Tf 100 400 Td (Ada Lovelace) Tj .3 0 Td (Ada Lovelace) Tj ET"),
    "as a border of letters": everywhere("BT /F 12 Tf 1 Tr 100 400 Td (Ada Lovelace) Tj ET"),
    "as what cuts a picture": everywhere("q BT /F 12 Tf 7 Tr 100 400 Td (Ada Lovelace) Tj ET 0 0 900 900 re f Q"),
    "a comment": everywhere("% Ada  Lovelace\n"),
    "a comment on another page": everywhere("", "% Ada Lovelace\n" + lines("Another page")),
    "a mark": everywhere("/Span <</Name (Ada  Lovelace)>> BDC EMC "),
    "a point": everywhere("/Span <</Name (Ada  Lovelace)>> DP "),
    "a tag": everywhere("/AdaLovelace BMC EMC /AdaLovelace MP "),
    "an earlier version": later_version(lines("Letter of Ada Lovelace, short")),
}


@pytest.mark.parametrize("way", SPELLED)
def test_a_name_is_gone_however_it_is_set(tmp_path: Path, way: str) -> None:
    data, report = redact(SPELLED[way], tmp_path)
    assert not left(data) and not report.images


def written(text: str, name: str) -> Edit:
    """Makes the page show texts of any script; the name stands on a line of its own."""

    def edit(pdf: pikepdf.Pdf) -> None:
        words = [
            layer.Word(text, longdoc.Box(1, 72, 100, 400, 112)),
            layer.Word(name, longdoc.Box(1, 72, 140, 300, 152)),
        ]
        pdf.pages[0].Resources.Font.Layer = layer.font_of(pdf, words)
        pdf.pages[0].contents_add(("BT " + "\n".join(layer.shown(word, 792) for word in words) + " ET").encode())
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(f"An {text}", 0))
        annotate(pdf, "FreeText", RC=stream_of(pdf, f"<p>{text}</p>".encode()))

    return edit


SCRIPTS = {
    "accents": ("José García", "Jose\u0301  GARCI\u0301A"),
    "ligatures": ("Griffith Fluffington", "Gri\ufb03th Flu\ufb03ngton"),
    "wide letters": (NAME, "\uff21\uff44\uff41 \uff2c\uff4f\uff56\uff45\uff4c\uff41\uff43\uff45"),
    "Japanese": ("山田太郎", "山田太郎"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_is_gone_in_any_script(tmp_path: Path, script: str) -> None:
    name, other = SCRIPTS[script]
    original = edited(make_pdf(lines("A letter")), written(other, name))
    assert len(left(original, letters(name))) > 2
    data, report = redact(original, tmp_path, name)
    assert not left(data, letters(name)) and "letter" in texts(data)[0]
    assert other.encode() not in b"".join(every_stream(data)) and not report.images
    search = Search(Names([name]), "A letter")
    for encoding in ("utf-8", "utf-16"):
        assert search.found_in_code(f"by {other}.".encode(encoding)) == name
    assert search.found_in_code("by another, Jos\u0301e".encode()) is None


def every_stream(data: bytes) -> list[bytes]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [unpacked(item) for item in pdf.objects if isinstance(item, pikepdf.Stream)]


def strokes(count: int, *, path: str) -> str:
    """Strokes over the name that are longer than its letters are high; ``path`` ends each."""
    return " ".join(f"{110 + 8 * at} 690 m {114 + 8 * at} 720 l {path}" for at in range(count))


@pytest.mark.parametrize("drawn", [strokes(10, path="S"), strokes(10, path="") + " S"], ids=["paths", "one path"])
def test_strokes_of_letters_over_a_name_make_an_image(tmp_path: Path, drawn: str) -> None:
    _, report = redact(make_pdf(CONTENT + drawn), tmp_path)
    assert report.images == {1: "a drawing that may show letters"}
    table = strokes(2, path="S") + " 60 697 m 500 697 l S 60 720 m 500 720 l S"
    assert not redact(make_pdf(CONTENT + table), tmp_path)[1].images


SIZES = {
    "rows too many": ({"Width": 20, "Height": 10}, bytes(600)),
    "colours too many": ({"Width": 20, "Height": 30}, bytes(1800)),
    "rows of another length": (
        {"Width": 20, "Height": 10, "DecodeParms": Dictionary(Predictor=15, Columns=21)},
        b"".join(b"\0" + bytes(21) for _ in range(10)),
    ),
}


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_whose_data_do_not_fit_makes_an_image(tmp_path: Path, size: str) -> None:
    own, data = SIZES[size]

    def edit(pdf: pikepdf.Pdf) -> None:
        image = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Image, BitsPerComponent=8)
        image.write(zlib.compress(data), filter=Name.FlateDecode, decode_parms=own.get("DecodeParms"))
        image.Width, image.Height, image.ColorSpace = own["Width"], own["Height"], Name.DeviceGray
        pdf.pages[0].Resources.XObject = Dictionary(I=image)
        pdf.pages[0].Contents = pdf.make_stream(f"q 400 0 0 200 60 600 cm /I Do Q {CONTENT}".encode())

    _, report = redact(edited(BASE, edit), tmp_path)
    assert report.images == {1: "a picture whose data do not fit its size"}


def test_a_form_with_the_name_of_an_operator_is_changed(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Resources.XObject = Dictionary({"/BT": form_of(pdf, KERNED), "/Tj": form_of(pdf, HEXADECIMAL)})
        pdf.pages[0].contents_add(b" q 1 0 0 1 72 300 cm /BT Do Q q 1 0 0 1 72 200 cm /Tj Do Q")

    data, report = redact(edited(BASE, edit), tmp_path)
    assert not left(data) and not report.images


def test_two_thousand_places_take_no_more_than_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(np.ndarray):
        read = 0

        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> object:
            plain = [each.view(np.ndarray) if isinstance(each, Counted) else each for each in inputs]
            Counted.read += max(np.size(each) for each in plain)
            return getattr(ufunc, method)(*plain, **options)

    glyphs, places = 500, 250
    content = make_pdf(" ".join(lines("A" * (glyphs // places), y=20 + 3 * at, size=2) for at in range(places)))
    with pikepdf.open(io.BytesIO(content)) as pdf:
        walk = job.Walk(pdf, job.Shared())
        job.walk_through(walk, pdf.pages[0])
    regions = [(70.0, 19.5 + 3 * at, 80.0, 21.5 + 3 * at) for at in range(places)]
    inside = plan.Places(walk.glyphs).inside(regions)
    assert inside.sum() == glyphs
    plan.round_gaps(plan.Plan(), plan.Places(walk.glyphs), inside.view(Counted), regions)
    assert 0 < Counted.read <= 4 * glyphs * places


# --------------------------------------------------------------------------------------- what is to stay, and is told


def test_what_else_uses_a_changed_form_or_picture_has_it_changed_too(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        form = form_of(pdf, "/Company BMC BT /F 9 Tf 1 1 Td (seal of the court) Tj ET EMC")
        picture = pdf.make_stream(bytes([200] * 800), Type=Name.XObject, Subtype=Name.Image, BitsPerComponent=8)
        picture.Width, picture.Height, picture.ColorSpace = 40, 20, Name.DeviceGray
        pdf.pages[0].Resources.XObject = Dictionary(K=form, I=picture)
        pdf.pages[0].Contents = pdf.make_stream(
            f"q 400 0 0 200 60 600 cm /I Do Q {CONTENT} q 1 0 0 1 72 300 cm /K Do Q".encode()
        )
        look = form_of(pdf, "q /K Do Q q 9 0 0 9 0 0 cm /I Do Q")
        look.Resources.XObject = Dictionary(K=form, I=picture)
        annotate(pdf, "Stamp", AP=Dictionary(N=look))

    data, report = redact(edited(BASE, edit), tmp_path)
    assert not report.images and not left(data)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        drawn = pdf.pages[0].Annots[0].AP.N.Resources.XObject
        assert b"seal of the court" in drawn.K.read_bytes() and "/Font" in drawn.K.Resources
        samples = np.frombuffer(drawn.I.read_bytes(), np.uint8)
    assert (drawn.I.Width, samples.size) == (40, 800) and set(samples.tolist()) == {0, 200}


def test_a_picture_that_is_emptied_for_a_comment_too_is_told(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        hidden = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="Draft"))
        pdf.Root.OCProperties = Dictionary(OCGs=[hidden], D=Dictionary(OFF=[hidden]))
        form = form_of(pdf, "9 9 9 9 re f", OC=hidden)
        pdf.pages[0].Resources.XObject = Dictionary(K=form)
        pdf.pages[0].Resources.Properties = Dictionary(L=hidden)
        picture = pdf.make_stream(b"\x80", Type=Name.XObject, Subtype=Name.Image, BitsPerComponent=8)
        picture.Width, picture.Height, picture.ColorSpace = 1, 1, Name.DeviceGray
        pdf.pages[0].Resources.XObject.I = picture
        pdf.pages[0].contents_add(b" /OC /L BDC q 9 0 0 9 9 9 cm /I Do Q EMC")
        look = form_of(pdf, "q 9 0 0 9 0 0 cm /I Do Q")
        look.Resources.XObject = Dictionary(I=picture)
        annotate(pdf, "Stamp", AP=Dictionary(N=look))

    _, report = redact(edited(BASE, edit), tmp_path)
    assert "pictures and drawings of comments or patterns, which a page had shown, too (1)" in " ".join(report.lines())


def test_resources_with_the_names_of_keys_stay(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        pdf.pages[1].Resources = Dictionary(Font=pdf.make_indirect(Dictionary({"/AA": pdf.pages[0].Resources.Font.F})))
        pdf.pages[0].Resources.Font["/JS"] = pdf.pages[0].Resources.Font.F

    pages = CONTENT + " BT /JS 9 Tf 72 300 Td (First) Tj ET", "BT /AA 9 Tf 72 300 Td (Second) Tj ET"
    data, report = redact(edited(make_pdf(*pages), edit), tmp_path)
    assert not report.images and all("First" in text and "Second" in text for text in texts(data))
    assert not report.dropped


@pytest.mark.parametrize(
    ("lost", "reason"),
    [(b"(Another page)", "letters that cannot be told"), (b"9 9 9 9 re\nf", "content that is not the same")],
)
def test_a_page_without_the_name_that_does_not_stay_the_same_becomes_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bytes, reason: str
) -> None:
    whole = job.Stream.content
    monkeypatch.setattr(job.Stream, "content", lambda self: whole(self).replace(lost, b"()" * (b"(" in lost)))
    _, report = redact(make_pdf(CONTENT, lines("Another page") + " 9 9 9 9 re f"), tmp_path)
    assert set(report.images) == {2} and reason in report.images[2]


def test_glyphs_that_use_fonts_of_their_page_keep_them(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        shown = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Courier))
        pdf.pages[0].Resources.Font = Dictionary(T=type_3(pdf), G=shown, F=pdf.pages[0].Resources.Font.F)
        pdf.pages[0].Resources.Font.T.CharProcs.A.write(b"900 0 d0 BT /G 900 Tf (W) Tj ET")
        pdf.pages[0].contents_add(b" BT /T 40 Tf 72 300 Td (A) Tj ET")

    original = edited(BASE, edit)
    data, report = redact(original, tmp_path, round_gaps=False)
    assert not report.images
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert str(pdf.pages[0].Resources.Font.T.Resources.Font.G.BaseFont) == "/Courier"


def test_links_lead_where_they_led(tmp_path: Path) -> None:
    original = make_pdf(CONTENT, lines("Another page"))

    def edit(pdf: pikepdf.Pdf) -> None:
        places = [each for at, page in enumerate(pdf.pages) for each in (f"Lovelace {at}", Array([page.obj, Name.Fit]))]
        pdf.Root.Names = Dictionary(Dests=Dictionary(Names=Array(places)))
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Second", "Lovelace 1"))
        annotate(pdf, "Link", A=Dictionary(S=Name.GoTo, D="Lovelace 0"))

    data, report = redact(edited(original, edit), tmp_path)
    assert not left(data) and report.dropped["names of places that links lead to"] == 2
    with pdfium.PdfDocument(data) as pdf:
        assert [each.get_dest().get_index() for each in pdf.get_toc()] == [1]
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert str(pdf.pages[0].Annots[0].A.D) == str(pdf.Root.Names.Dests.Names[0])
        assert pdf.Root.Names.Dests.Names[1][0].objgen == pdf.pages[0].obj.objgen


@pytest.mark.parametrize("is_ticked", [True, False])
@pytest.mark.parametrize("state", ["/Kim", "/AdaLovelace"])
def test_the_value_of_a_box_is_gone_with_its_looks(tmp_path: Path, state: str, is_ticked: bool) -> None:
    name = "Kim" if state == "/Kim" else NAME
    box = button(state, is_ticked=is_ticked, has_looks=not is_ticked)
    original = edited(make_pdf(lines(f"Letter of {name} to Charles")), box)
    data, report = redact(original, tmp_path, name)
    assert report.dropped["values of form fields"] == 1 and not report.images
    assert not left(data, letters(name))


def test_a_box_that_says_nothing_of_the_name_stays(tmp_path: Path) -> None:
    plain = edited(BASE, button("/Yes"))
    data, _ = redact(plain, tmp_path)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        field = pdf.pages[0].Annots[0]
        assert str(field.V) == "/Yes" and set(field.AP.N.keys()) == {"/Yes", "/Off"}


def test_a_photograph_without_metadata_has_the_same_pixels() -> None:
    with pikepdf.open(io.BytesIO(BASE)) as pdf:
        own = photograph(pdf, packed=False).read_raw_bytes()
    new = without_metadata(own)
    assert NAME.encode() in own and NAME.encode() not in new and not Image.open(io.BytesIO(new)).getexif()
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (own, new))
    assert (before == after).all()
    for broken in (b"", b"\xff\xd8", own[:100], b"no picture"):
        assert without_metadata(broken) == broken
    assert without_metadata(own[: own.index(b"\xff\xd9")]) == new  # viewers show a picture without an end, too


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        deep = Array([String(NAME)])
        for _ in range(objects.DEEPEST + 1):
            deep = Array([deep])
        pdf.Root.ViewerPreferences = Dictionary(Deep=deep)

    with pytest.raises(RedactionError, match="nested too deeply to be searched"):
        redact(edited(BASE, edit), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_drawing_of_a_comment_makes_an_image(tmp_path: Path) -> None:
    original = edited(BASE, stamp("BT /F 9 Tf [(Ada Lo) 3 (velace) (and"))
    data, report = redact(original, tmp_path)
    assert set(report.images) == {1} and not left(data)


def test_the_command_refuses_labels_that_a_reviewed_file_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.pdf").write_bytes(BASE)
    predicted(longdoc.load(tmp_path / "in.pdf"), PERSON=NAME, PLACE="engine").save(tmp_path / "found.jsonl")
    command = ["redact", str(tmp_path / "in.pdf"), "--spans", str(tmp_path / "found.jsonl"), "--labels", "PERSN,PLACE"]
    assert main([*command, "-o", str(tmp_path / "out.pdf")]) == 2
    said = capsys.readouterr().err
    assert "found.jsonl has nothing of PERSN; did you mean 'PERSON'?; it has: PERSON, PLACE" in said
    assert not (tmp_path / "out.pdf").exists()


@pytest.mark.parametrize("where", ["/Annots", "/Fields", "/Kids", "/Layers", "/Font", "/Names"])
def test_a_number_where_an_array_should_be_costs_nothing(tmp_path: Path, where: str) -> None:
    def edit(pdf: pikepdf.Pdf) -> None:
        number = pdf.make_indirect(7)
        tree = Dictionary(Names=number, Kids=number)
        pdf.Root.Names = Dictionary(Dests=tree)
        if where == "/Annots":
            pdf.pages[0].Annots = number
        elif where in ("/Fields", "/Kids"):
            kid = pdf.make_indirect(Dictionary(T=pikepdf.String("Ada"), Kids=number))
            pdf.Root.AcroForm = Dictionary(Fields=number if where == "/Fields" else Array([kid, number]))
        elif where == "/Layers":
            pdf.Root.OCProperties = Dictionary(OCGs=number, D=Dictionary(OFF=Array([number]), ON=number))
        elif where == "/Font":
            pdf.make_indirect(Dictionary(Type=Name.FontDescriptor, FontFile2=number))

    data, _ = redact(edited(BASE, edit), tmp_path)
    assert not left(data)
