"""Encodings of text: declared, marked or guessed; what cannot be decoded is marked where it is."""

import pytest

from longdoc.errors import UnsupportedFormatError
from longdoc.loaders import load
from longdoc.loaders.encoding import decode, is_binary

RUSSIAN = "Договор аренды заключён 1 мая 2020 года между сторонами. Арендная плата составляет 5 000 рублей в месяц."
JAPANESE = "賃貸借契約書。甲は乙に対し、月額50,000円の賃料を支払うものとする。契約期間は2020年5月1日から2年間とする。"
CHINESE = "租赁合同。甲方同意将房屋出租给乙方，月租金为5,000元人民币。合同期限自2020年5月1日起两年。"
TAIWANESE = "租賃合約。甲方同意將房屋出租給乙方，月租金為5,000元。合約期限自2020年5月1日起兩年。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The Lessee’s rent is “5,000” – net, at the café.", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5"),
        ("חוזה השכירות נחתם ביום 1 במאי 2020 בין הצדדים. דמי השכירות הם 5,000 שקלים לחודש.", "cp1255"),
    ],
)
def test_text_that_declares_no_encoding_is_guessed_with_a_warning(text, encoding):
    document = load(text.encode(encoding))
    assert document.text == text
    assert "check accents" in document.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "iso2022_jp"])
def test_wide_text_is_read_with_and_without_a_byte_order_mark(encoding):
    text = JAPANESE if encoding == "iso2022_jp" else "The rent is 5,000 dollars a month."
    document = load(text.encode(encoding))
    assert (document.text, document.warnings) == (text, ())


@pytest.mark.parametrize(
    ("data", "text", "line"),
    [
        ("Rent – 5,000\nnet".encode("utf-16") + b"x", "Rent – 5,000\nnet\ufffd", 2),
        ("Rent 5,000\n".encode("utf-32") + b"\x00\xd8\x00\x00", "Rent 5,000\n\ufffd", 2),
        ("é’ü\nRent\n".encode() + b"\xff 5,000", "é’ü\nRent\n\ufffd 5,000", 3),
        ("é’ü\r\n".encode() + b"\xed\xa0\x80 5,000", "é’ü\n\ufffd 5,000", 2),
        ("Rent ".encode("utf-16") + b"\x00\xd8" + "5".encode("utf-16-le"), "Rent \ufffd5", 1),
        (b"The rent of the premises is 5,000 \0dollars.", "The rent of the premises is 5,000 \ufffddollars.", 1),
    ],
)
def test_a_bad_place_is_marked_and_the_rest_stays(data, text, line):
    document = load(data)
    assert document.text == text
    assert document.warnings[0].startswith("1 place cannot be decoded") and f"line {line}" in document.warnings[0]


def test_zeros_and_the_end_mark_after_a_text_are_ignored():
    document = load(b"Rent is 5,000\r\n\x1a" + b"\0" * 500)
    assert (document.text, document.warnings) == ("Rent is 5,000\n", ())


@pytest.mark.parametrize(
    ("declared", "text", "encoding"),
    [
        ("windows-1251", RUSSIAN, "cp1251"),
        ("Shift_JIS", JAPANESE, "shift_jis"),
        ("gb2312", CHINESE, "gb18030"),
        ("big5", TAIWANESE, "big5"),
        ("iso-8859-1", "Lessee’s “rent”", "cp1252"),
        ("iso-8859-2", "Źródło umowy", "iso-8859-2"),
    ],
)
def test_the_declared_encoding_of_html_wins_if_it_decodes(declared, text, encoding):
    document = load(f'<meta charset="{declared}"><p>{text}'.encode(encoding))
    assert (document.text, document.warnings) == (text, ())


def test_a_wrong_declaration_is_told():
    document = load('<meta charset="iso-8859-1"><p>Lessee’s “rent”'.encode())
    assert document.text == "Lessee’s “rent”" and "declares the encoding iso-8859-1" in document.warnings[0]
    document = load(b'<meta charset="utf-8"><p>Caf\xe9')
    assert document.text == "Café" and document.warnings


@pytest.mark.parametrize("data", [bytes(range(256)) * 2, b"\0\1\2\3\4\5", bytes([7, 1, 200, 130, 5, 3, 99] * 50)])
def test_bytes_that_are_no_text_are_refused(data):
    assert is_binary(data)
    with pytest.raises(UnsupportedFormatError, match="neither text nor"):
        load(data)


def test_escapes_and_backspaces_are_text():
    data = b"\x1b[1mN\bNA\bAM\bME\bE\x1b[0m\n" * 20
    assert not is_binary(data) and decode(data).text == data.decode()


LANGUAGES = {
    "cp1252": (
        "Der Vermieter überläßt die Wohnung; die Miete beträgt 1.200 € – fällig am Fünften. Änderungen gehören später"
        " schriftlich bestätigt.",
        "Le preneur s’engage à payer le loyer dès l’échéance prévue, à l’adresse indiquée ; à défaut, une pénalité est"
        " due. L’hôte reçoit la clé.",
        "El arrendatario pagará la renta en el año; ¿cuándo? Según el artículo décimo, además de la indemnización y"
        " los daños. Español también.",
        "O locatário não poderá ceder a locação; as condições são válidas até à rescisão. A obrigação é solidária"
        " também para o fiador.",
    ),
    "iso8859-2": (
        "Umowa najmu zawarta w Łodzi między Spółką Żółć a właścicielem Gęślą. Czynsz wynosi pięćset złotych, płatny z"
        " góry.",
    ),
    "cp1250": (
        "Umowa najmu zawarta w Łodzi między Spółką Żółć a właścicielem. Czynsz wynosi pięćset złotych; śnieg i źródło.",
        "Nájemce je povinen platit nájemné včas. Smlouva se uzavírá na dobu určitou; výše kauce činí tři měsíční"
        " nájmy. Přílohy tvoří součást.",
        "A bérlő köteles a bérleti díjat időben megfizetni. A szerződés időtartama öt év; a fűtés költségét a bérlő"
        " viseli. Előzetes felmondás.",
    ),
    "cp1254": (
        "Kiracı, kira bedelini her ayın beşinci günü ödeyecektir. Sözleşme süresi iki yıldır; İstanbul mahkemeleri"
        " yetkilidir. Değişiklik yazılı olmalıdır.",
    ),
    "cp1251": (RUSSIAN,),
    "mac_roman": (
        "Der Vermieter überläßt die Wohnung; die Miete ist fällig. Änderungen gehören später bestätigt. Müller",
    ),
}


@pytest.mark.parametrize("lines", [1, 3, 20])
@pytest.mark.parametrize(("encoding", "text"), [(key, text) for key, texts in LANGUAGES.items() for text in texts])
def test_the_code_page_whose_letters_are_those_of_a_language_is_taken(encoding, text, lines):
    text = "\n".join([text] * lines)
    document = load(text.encode(encoding))
    assert document.text == text and "check accents" in document.warnings[0]
    assert "too short" not in document.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "naïve Müller, Œuvre, ½ of § 5 – “Straße” at 200 €",
        "Müller",
        "The flat is 50 m³ × 2, naïve façade, 20 °C",
        "Señor Müller à Genève, São Paulo, Ångström, Øre, façade, Straße, naïve, déjà vu, Zoë, El Niño, Curaçao",
    ],
)
def test_names_of_several_languages_are_windows_1252(text):
    document = load(text.encode("cp1252"))
    assert document.text == text and "read as Windows-1252" in document.warnings[0]


def test_a_text_too_short_for_a_guess_says_so():
    document = load("Łódź, ul. Główna".encode("iso8859-2"))
    assert "too short to tell" in document.warnings[0] and "Windows-1252" in document.warnings[0]


def test_marks_of_the_file_itself_hide_no_bad_place():
    document = load("\ufffd\ufffd\ufffd one\n café éé".encode() + b" caf\xe9 ok")
    assert document.text == "\ufffd\ufffd\ufffd one\n café éé caf\ufffd ok"
    assert "1 place cannot be decoded as utf-8 and became U+FFFD, the first on line 2" in document.warnings[0]


@pytest.mark.parametrize("name", ["unicode_escape", "raw_unicode_escape", "punycode", "idna"])
def test_codecs_that_are_no_encodings_of_files_are_not_used(name):
    assert decode(rb"C:\new\u00e9", name).text == r"C:\new\u00e9"
