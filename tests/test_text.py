import pytest

from longdoc.errors import LimitExceededError, NoTextLayerError
from longdoc.loaders import Limits, load


def test_page_tags_end_pages_and_numbers_beside_them_are_furniture():
    data = b"<PAGE>\r\nA  b\r\n - 1 -\r\n<PAGE>\nc\n - 2 -\n<PAGE> 3\n<TABLE>\n<S>  <C>\nx   y\n"
    document = load(data)
    assert [document.text[page.start : page.end].split() for page in document.pages] == [
        [],
        ["A", "b"],
        ["c"],
        ["x", "y"],
    ]
    assert "A  b" in document.text and "x   y" in document.text
    assert [item.text for item in document.furniture] == ["- 1 -", "- 2 -"]
    assert all(document.raw_text[item.raw_start : item.raw_end].strip() == item.text for item in document.furniture)
    assert document.raw_text.encode() == data


def test_numbers_that_do_not_count_up_are_kept():
    assert load(b"a\n7\n\x0cb\n7\n").text == "a\n7\n\x0cb\n7\n"


def test_the_header_of_a_filing_is_metadata():
    document = load(b"<DOCUMENT>\n<TYPE>EX-10.1\n<FILENAME>a.txt\n<TEXT>\nLease\n</TEXT>\n</DOCUMENT>\n")
    assert document.text.strip() == "Lease"
    assert document.source.metadata["Type"] == "EX-10.1"


def test_text_without_content_or_beyond_the_limits_is_an_error():
    with pytest.raises(NoTextLayerError):
        load(b"<PAGE>\n \n")
    with pytest.raises(LimitExceededError):
        load(b"lease", limits=Limits(characters=4))
