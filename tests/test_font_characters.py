"""Fonts that do not say which characters they draw: what their glyphs are called, and letters that form no words."""

import numpy as np
import pytest

from longdoc.errors import NoTextLayerError
from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import NONE, SPACE, Glyphs
from longdoc.loaders.layout.letters import forms_no_words, seem_strange
from pdfs import lines, loose_page

TEXT = (
    "The final office of the Tenant shall pay rent to the Landlord",
    "on the first day of each month and keep the premises clean;",
    "reflect the flat fee in five files of Flynn and Griffin.",
)
NAMES = {";": "semicolon", ",": "comma", ".": "period"}
CHARS = sorted({*"".join(TEXT)} - {" "})
BOX = "<< /Length 27 >>\nstream\n6 0 0 0 5 7 d1 0 0 5 7 re f\nendstream"
BLANK = "<< /Length 9 >>\nstream\n6 0 d0 n  \nendstream"


def shown(text: tuple[str, ...], code: dict[str, int], font: str = "T") -> str:
    """A content stream with lines in a font with codes of its own."""
    rows = ["".join(f"{code.get(char, ord(char)):02x}" for char in line) for line in text]
    return "".join(f"BT /{font} 11 Tf 40 {700 - 14 * i} Td <{row}> Tj ET " for i, row in enumerate(rows))


def type3(names: list[str]) -> bytes:
    """A page in a Type 3 font whose glyphs have these names, at codes from 33."""
    procedures, widths = " ".join(f"/{name} 10 0 R" for name in names), "6 " * (len(names) + 1)
    font = (
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 8 8] /FontMatrix [0.1 0 0 0.1 0 0] /FirstChar 32 "
        f"/LastChar {32 + len(names)} /Widths [{widths}] /CharProcs << {procedures} /space 11 0 R >> /Resources << >> "
        f"/Encoding << /Type /Encoding /Differences [32 /space {' '.join('/' + name for name in names)}] >> >>"
    )
    codes = {char: 33 + i for i, char in enumerate(CHARS)}
    body = lines(*(f"Ordinary line number {i} of the page in plain letters." for i in range(20)), y=500)
    return loose_page(shown(TEXT, codes) + body, BOX, BLANK, font, fonts="/T 12 0 R")


@pytest.mark.parametrize("name", [lambda char: NAMES.get(char, char), lambda char: f"uni{ord(char):04X}"])
def test_glyph_names_of_type_3_fonts_are_read(name):
    document = load(type3([name(char) for char in CHARS]))
    assert document.text.startswith(" ".join(TEXT))
    assert document.warnings == ()
    start = document.text.index("Landlord")
    (box,) = document.locate(start, start + len("Landlord"))
    assert round(box.x0) == 40 + round(0.6 * 11 * TEXT[0].index("Landlord"))


def test_names_that_say_nothing_are_warned_of():
    document = load(type3([f"a{i}" for i in range(200, 200 + len(CHARS))]))
    assert document.text.count("Ordinary line") == 20
    (warning,) = document.warnings
    assert "page 1" in warning
    assert "form no words" in warning


@pytest.mark.parametrize("names", ["/fi /fl", "/f_i /f_l", "/uniFB01 /uniFB02"])
def test_ligatures_at_control_codes_are_read(names):
    font = (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 0 /LastChar 255 /Widths [{'556 ' * 256}] "
        f"/Encoding << /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [2 {names}] >> >>"
    )
    text = tuple(line.replace("fi", "\x02").replace("fl", "\x03") for line in TEXT)
    document = load(loose_page(shown(text, {}), font, fonts="/T 10 0 R"))
    assert document.text == " ".join(TEXT)


def test_characters_of_an_east_asian_font_that_is_not_in_the_file_are_read():
    text = "关于公司年度报告的说明"
    codes = [char.encode("gbk").hex() for char in text]
    content = "".join(f"BT /T 14 Tf 1 0 0 1 {72 + 15 * i} 700 Tm <{code}> Tj ET " for i, code in enumerate(codes))
    collection = "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 /FontDescriptor 12 0 R"
    data = loose_page(
        content + lines("Contract No. 2016-306, 2,000 units", y=650),
        "<< /Type /Font /Subtype /Type0 /BaseFont /SimSun-GBK-EUC-H /Encoding /GBK-EUC-H /DescendantFonts [11 0 R] >>",
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SimSun {collection} >>",
        "<< /Type /FontDescriptor /FontName /SimSun /Flags 32 /FontBBox [-8 -145 1000 859] /ItalicAngle 0 /Ascent 859 "
        "/Descent -141 /CapHeight 684 /StemV 88 >>",
        fonts="/T 10 0 R",
    )
    document = load(data)
    assert document.text.split() == [text, "Contract", "No.", "2016-306,", "2,000", "units"]
    (box,) = document.locate(2, 3)
    assert (round(box.x0), round(box.x1)) == (102, 116)


def lying(*text: str) -> bytes:
    """A page in a font that says each letter is the third one after it."""
    ranges = "2 beginbfrange <41> <57> <0044> <61> <77> <0064> endbfrange"
    spaces = "1 begincodespacerange <00> <ff> endcodespacerange"
    table = f"/CIDInit /ProcSet findresource begin 12 dict begin begincmap {spaces} {ranges} endcmap end end"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 11 0 R >>"
    return loose_page(
        shown(text, {}), font, f"<< /Length {len(table)} >>\nstream\n{table}\nendstream", fonts="/T 10 0 R"
    )


def test_a_page_whose_letters_form_no_words_is_garbled():
    with pytest.raises(NoTextLayerError, match="1 garbled"):
        load(lying(*TEXT, *TEXT), ocr="never")


LANGUAGES = {
    "English": "All human beings are born free and equal in dignity and rights. They are endowed with reason",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt",
    "French": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison",
    "Spanish": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón",
    "Polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni",
    "Latin": "Gallia est omnis divisa in partes tres, quarum unam incolunt Belgae, aliam Aquitani, tertiam qui",
    "Welsh": "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau. Fe'u cynysgaeddir â rheswm",
    "Czech": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím",
    "Finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι",
    "acronyms": "HIPAA HTTP HTTPS XML SQL LLC LTD SEC FTC FDA CFR USC NYSE NASDAQ GAAP IFRS FASB PCAOB EBITDA LIBOR",
    "part numbers": "AB12-34X QX-778-KL 7742-ZZT BRX900/12 KTM-125.4 XJ-9000 QWZ-11-B M8x40-A2 DIN-912 ISO-4762",
    "numbers": "1,234.50 (12.5%) $8,000 -3.2 45/67 2021-05-03 10:45 +49-30-1234 1,000.00 88.8% 7.5 (200) 3,450 € 99.90",
    "genes": "ACGTACGGATTCAGCTAGCTAGGATCGATCGATTAGCGCGATATCGCGCTAGATCGATCGAATCGCTAGCTTTAGGCGC ACGGATTCAG",
    "protein": "MKTAYIAKQR QISFVKSHFS RQLEERLGLI EVQAPILSRV GDGTQDNLSG AEKAVQVKVK ALPDAQFEVV HSLAKWKRQT",
    "code": "for i in range(len(xs)): xs[i] = np.sqrt(tmp) if cnt > max_cnt: return str(ptr) memcpy(dst, src, n);",
    "key": "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24sIGJ1dCBieSB0aGlzIHNpbmd1bGFyIHBhc3Np",
    "contents": "1. Definitions ............................ 3 2. Term _____________ ---------- 5 ==================",
}


def glyphs_of(text: str) -> Glyphs:
    joined, breaks = text.replace(" ", ""), []
    for word in text.split(" "):
        breaks += [SPACE, *[NONE] * (len(word) - 1)][: len(word)]
    codes = np.array([ord(char) for char in joined], np.uint32)
    return Glyphs(codes, np.zeros((len(codes), 4), np.float32), np.array(breaks, np.uint8))


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_text_is_not_called_garbled(language):
    text = LANGUAGES[language]
    for times in (1, 3, 12):
        assert not forms_no_words(glyphs_of(" ".join([text] * times)))


def moved(text: str, by: int) -> str:
    """Text in which each printable character is another one, as in fonts with codes of their own."""
    return "".join(chr((ord(char) - 33 + by) % 94 + 33) if 33 <= ord(char) < 127 else char for char in text)


@pytest.mark.parametrize("language", ["English", "German", "Spanish", "Latin"])
def test_text_in_other_characters_is_called_garbled(language):
    text = " ".join([LANGUAGES[language]] * 12)
    found = [forms_no_words(glyphs_of(moved(text, by))) for by in range(1, 94)]
    assert sum(found) > 0.7 * len(found)
    assert all(seem_strange(glyphs_of(moved(text, by))) for by in range(1, 94) if found[by - 1])
    assert not seem_strange(glyphs_of(text))


def test_few_letters_are_not_judged():
    assert not forms_no_words(glyphs_of("Xq zrt wvbk 12"))
    assert not forms_no_words(glyphs_of(""))
    assert not seem_strange(glyphs_of(""))
