import pytest

from longdoc.errors import LimitExceededError, NoTextLayerError, UnsupportedFormatError
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


@pytest.mark.parametrize("end", ["</text>\n</document>\n", "</Text>\r\n</Document>", " </text> \n</DOCUMENT>\n"])
def test_the_tags_around_a_document_may_be_in_small_letters(end):
    document = load(f"<DOCUMENT>\n<TYPE>EX-10.1\n<text>\nLease\n{end}".encode())
    assert document.text.split() == ["Lease"]
    kept = "<text>of the lease\n<type>Common stock\na </text> b\n<texts>"
    document = load(f"<DOCUMENT>\n<TYPE>EX-10.1\n<TEXT>\n{kept}\n</TEXT>\n".encode())
    assert document.text.strip() == kept, "a tag in small letters with other words may be the author's"


FILING = "<SEC-DOCUMENT>0001.txt\n<DOCUMENT>\n<TYPE>EX-10\n<TEXT>\n{}\n</TEXT>\n</DOCUMENT>\n</SEC-DOCUMENT>\n"
HTML_PART = "<DOCUMENT>\n<TYPE>10-K\n<TEXT>\n<html><body><p>Report &lt;a&gt;.</p></body></html>\n</TEXT>\n</DOCUMENT>\n"


@pytest.mark.parametrize("before", ["", HTML_PART])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A &lt; B.", "A < B."),
        ("AT&amp;T", "AT&T"),
        ("&#167; 5 &#x2013; &ldquo;Rent&rdquo;", "§ 5 – “Rent”"),
        ("a&nbsp;b", "a b"),
        ("R&D; Q&A &c. &unknown;", "R&D; Q&A &c. &unknown;"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_entities_in_the_text_documents_of_a_filing_are_decoded(source, text, before):
    document = load(FILING.format(source).replace("<DOCUMENT>", before + "<DOCUMENT>", 1).encode())
    assert document.text.strip().endswith(text) and source in document.raw_text


def test_entities_of_other_texts_stay():
    assert load(b"A &lt; B.").text == "A &lt; B."


@pytest.mark.parametrize(
    ("source", "root"),
    [
        ("<root><p>Some text</p></root>", "root"),
        ("<!-- a --><x:Order id='1'>\n<a/>text</x:Order>\n", "x:Order"),
        ("<b>Note</b> the fee is 5", ""),
        ("<TABLE>\nFee 1\n", ""),
        ("a < b > c", ""),
    ],
)
def test_xml_of_an_unknown_kind_is_told(source, root):
    warnings = load(source.encode()).warnings
    assert warnings == (
        (f"XML of an unknown kind, with the root element {root!r}: its tags are read as text",) * bool(root)
    )


@pytest.mark.parametrize(
    "source",
    [
        '<DiagnosticReport xmlns="http://hl7.org/fhir"><conclusion value="Fine"/></DiagnosticReport>',
        "<?xml version='1.0'?>\n<!-- x -->\n<f:DiagnosticReport a='1' xmlns:f = 'http://hl7.org/fhir'/>",
    ],
)
def test_fhir_xml_is_refused_with_a_remedy(source):
    with pytest.raises(
        UnsupportedFormatError, match="FHIR XML, with the resource DiagnosticReport; export it as FHIR JSON"
    ):
        load(source.encode())
