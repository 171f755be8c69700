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
