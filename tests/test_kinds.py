import codecs

import pytest

from longdoc.errors import UnsupportedFormatError
from longdoc.loaders.detect import kind_of


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<PAGE>\nplain", "text"),
        (b"<5 years", "text"),
        (b"<ARTICLE> 5\n<CASH> 1", "text"),
        (b"# Markdown\n<p>x</p>", "text"),
        (b'{"a": 1}', "text"),
        (b'{"resourceType": "Bundle"}', "fhir"),
        (b"<SEC-DOCUMENT>a\n<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\n<TABLE>\n<S> <C>\n", "text"),
        (b"\n<DOCUMENT>\n<TYPE>EX-10.1\n<TEXT>\n<HTML><P>x", "html"),
        (codecs.BOM_UTF8 + b" <!-- a --><div>x", "html"),
        ("<!DOCTYPE html><html>x".encode("utf-16"), "html"),
        (b'<?xml version="1.0"?><!-- <article> --><html xmlns="http://www.w3.org/1999/xhtml"/>', "html"),
        (b'<?xml version="1.0"?><!DOCTYPE article><article/>', "jats"),
        (b'<cda:ClinicalDocument xmlns:cda="urn:hl7-org:v3"/>', "ccda"),
    ],
)
def test_the_format_is_detected_from_the_content(data, kind):
    assert kind_of(data, "file") == kind


def test_xml_of_an_unknown_root_is_refused():
    with pytest.raises(UnsupportedFormatError, match="'invoice'"):
        kind_of(b'<?xml version="1.0"?><invoice/>', "a.xml")
