"""Style sheets in other files are not read, which is said once."""

import pytest
from lxml.html import document_fromstring

from longdoc.loaders import load
from longdoc.loaders.html.sheets import sheets_elsewhere
from timing import assert_linear


def sheet_warnings(head, body="<p>Text of it.</p>"):
    document = load(f"<html><head>{head}</head><body>{body}</body></html>".encode())
    return [warning for warning in document.warnings if "style sheet" in warning]


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("<link rel=stylesheet href=a>", "1 style sheet in other files, not read, may show or hide text otherwise"),
        ("<LINK REL='StyleSheet' TYPE='text/css' HREF='a.css' MEDIA='screen'>", "a.css"),
        ("<link rel='shortcut stylesheet' href=a.css>", "a.css"),
        ("<link rel=stylesheet href=a.css media='print, screen'>", "a.css"),
        ("<link rel=stylesheet href=a.css media='(min-width: 40em)'>", "a.css"),
        ("<link rel=stylesheet href=a.css media=print onload=\"this.media='all'\">", "a.css"),
        ("<link rel=preload as=style href=a.css onload=\"this.rel='stylesheet'\">", "a.css"),
        ("<style>@import url(a.css);</style>", "a.css"),
        ("<style>@import 'a.css' screen; p { color: red }</style>", "a.css"),
        ("<style><!-- @import \"https://x.org/a.css?b;c\"; --></style>", "https://x.org/a.css?b;c"),
        ("<style>@charset 'utf-8'; @import url('a.css') layer(print) supports(display: grid)</style>", "a.css"),
        ("<link rel=stylesheet href=a.css><link rel=stylesheet href=a.css>", "1 style sheet in"),
        ("<style>@import url(https://x.org/a.css?b;c) screen;</style>", "https://x.org/a.css?b;c"),
        ("<style>@import url('a;b{c.css');</style>", "a;b{c.css"),
        ("<style>@import'a.css'</style>", "a.css"),
        ("<style>@layer one, two; @IMPORT\n  URL( 'a.css' )</style>", "a.css"),
        ("<style>@import url(https://x.org/@a/b.css);@import 'c.css';</style>", "https://x.org/@a/b.css, c.css"),
        ("".join(f"<link rel=stylesheet href={name}.css>" for name in "abcde"), "5 style sheets in"),
        ("".join(f"<link rel=stylesheet href={name}.css>" for name in "abcde"), "a.css, b.css, c.css and 2 more"),
    ],
)  # fmt: skip
def test_a_style_sheet_in_another_file_is_told(head, names):
    (warning,) = sheet_warnings(head)
    assert names in warning


@pytest.mark.parametrize(
    "head",
    [
        "<style>p { color: red }</style>",
        "<link rel=stylesheet>",
        "<link rel=stylesheet href=''>",
        "<link rel=icon href=a.css>",
        "<link rel=stylesheet href=a.css media=print>",
        "<link rel=stylesheet href=a.css media='print and (color), speech'>",
        "<link rel=stylesheet href=a.css media='only print'>",
        "<link rel=stylesheet href=a.css media='not screen'>",
        "<link rel=stylesheet href=a.css disabled>",
        "<link rel='alternate stylesheet' href=a.css>",
        "<link rel=preload as=style href=a.css>",
        "<link rel=stylesheet href=a.less type='text/less'>",
        "<noscript><link rel=stylesheet href=a.css></noscript>",
        "<!--[if IE]><link rel=stylesheet href=a.css><![endif]-->",
        "<link rel=stylesheet href='https://fonts.googleapis.com/css2?family=Lato'>",
        "<style>@import url(a.css) print;</style>",
        "<style media=print>@import url(a.css);</style>",
        "<style>/* @import url(a.css); */ p { color: red }</style>",
        "<style>p { color: red } @import url(a.css);</style>",
        "<style>@imported 'a.css'; @import a.css; @importurl(a.css);</style>",
        "<style>@import url(data:text/css;base64,cHt9);</style>",
        "<style>@import 'data:text/css,p{}';</style>",
        "<link rel=stylesheet href='data:text/css,p{}'>",
        "<style>p::before @import 'a.css' {}</style>",
    ],
)
def test_other_links_and_sheets_are_not(head):
    assert sheet_warnings(head) == []


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        ("", "@import", " }"),
        ("", "@import a ", ""),
        ("", "@import 'a ", ""),
        ("", "@import url(", ""),
        ("@import url('a' layer(", "layer(", ""),
        ("@import", " ", "}"),
        ("@import url(", "a", " }"),
        ("@import url(a", " ", "}"),
    ],
)
def test_long_sheets_are_read_in_linear_time(before, repeated, after):
    def read(length):
        sheet = before + repeated * (length // len(repeated)) + after
        list(sheets_elsewhere(document_fromstring(f"<html><head><style>{sheet}</style></head><body>x</body></html>")))

    assert_linear(read, 100_000)


@pytest.mark.parametrize(
    ("first", "hides"), [("top: 1px", False), ("display: none", True), ("display: none !important", True)]
)
@pytest.mark.parametrize("last", ["", ".a { display: block }"])
def test_of_many_rules_for_the_same_elements_the_last_or_an_important_one_holds(first, hides, last):
    sheet = f".a {{ {first} }}" + ".a { top: 1px }" * 100 + last
    document = load(f"<html><style>{sheet}</style><p>Text.</p><p class=a id=b>More.</p>".encode())
    is_hidden = hides and (not last or "important" in first)
    assert document.text == ("Text." if is_hidden else "Text.\n\nMore.")


@pytest.mark.parametrize("part", ["[", ":a("])
def test_a_selector_with_many_open_brackets_shows_what_it_may_be_for(part):
    sheet = f"p {{ display: none }} p{part * 100_000} {{ display: block }}"
    assert load(f"<html><style>{sheet}</style><p>Text.</p><div>More.</div>".encode()).text == "Text.\n\nMore."


def test_it_is_told_once_for_documents_within_documents():
    frame = '<iframe srcdoc="<link rel=stylesheet href=b.css><p>Inner.</p>"></iframe>'
    (warning,) = sheet_warnings("<link rel=stylesheet href=a.css>", f"<p>Outer.</p>{frame}")
    assert warning.startswith("2 style sheets") and warning.endswith("a.css, b.css")


def test_a_style_sheet_beside_the_file_is_not_read(tmp_path):
    (tmp_path / "a.css").write_text(".x { display: none }")
    (tmp_path / "page.html").write_text("<link rel=stylesheet href=a.css><p class=x>Shown.</p>")
    document = load(tmp_path / "page.html")
    assert document.text == "Shown." and "a.css" in document.warnings[0]


def test_a_style_sheet_for_paper_hides_nothing():
    document = load(b"<html><style media=print>.x { display: none }</style><p class=x>Shown.</p>")
    assert document.text == "Shown."
