import pytest

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, NoTextLayerError
from longdoc.loaders import load
from longdoc.loaders.html import load_html
from longdoc.loaders.html.styles import declarations
from longdoc.loaders.options import Options
from timing import assert_linear

DOCTYPE = "<!DOCTYPE html>"
HIDDEN, SHOWN = "visibility:hidden", "visibility:visible"


def body(html: str, head: str = "") -> Document:
    return load(f"{DOCTYPE}<html><head>{head}</head><body>{html}</body></html>".encode())


def furniture(document: Document) -> list[tuple[str, str]]:
    return [(item.kind, item.text) for item in document.furniture]


@pytest.mark.parametrize(
    ("html", "text", "hidden"),
    [
        ("<td style='font-size:0px'><div style='font-size:13px'>300 dollars</div>", "300 dollars", []),
        ("<div style='font-size:0'><p style='font:bold 13px/1.5 Arial'>300</p></div>", "300", []),
        ("<div style='font-size:0'><p style='font:caption'>300</p></div>", "300", []),
        ("<div style='font:0/0 a'><p style='font-size:1rem'>300</p></div>", "300", []),
        ("<div style='font-size:.0em'>gone<font size=2>300</font></div>", "300", ["gone"]),
        ("<div style='font-size:0'>gone<input value=300></div>", "300", ["gone"]),
        (
            "<div style='font-size:0'>gone<i style='font-size:medium'>a</i> <i style='font-size:9pt'>b</i></div>",
            "a b",
            1,
        ),
        ("a<div style='font-size:0'>x<b style='font-size:2em'>y</b><h1>z</h1></div>", "a", ["xyz"]),
        ("a<div style='font-size:0'>x<b style='font:bold 2em Arial'>y</b></div>", "a", ["xy"]),
        ("a<div style='font-size:0'>x<b style='font:inherit'>y</b></div>", "a", ["xy"]),
        ("a<b style='font-size:0!important;font-size:9pt'>x</b>", "a", ["x"]),
        (f"<div style='{HIDDEN}'>x<p style='{SHOWN}'>300</p>y</div>", "300", ["x", "y"]),
        (f"<div style='{HIDDEN}'>x <b style='{SHOWN}'>1</b> y <b style='{SHOWN}'>2</b></div>", "1 2", ["x", "y"]),
        (f"a<div style='{HIDDEN}'>x<p style='visibility:inherit'>y</p></div>", "a", ["xy"]),
        (f"a<div style='{HIDDEN}'>x<p style='font-size:9pt'>y</p></div>", "a", ["xy"]),
        (f"a<div style='{HIDDEN};font-size:0'>x<p style='{SHOWN}'>y</p></div>", "a", ["xy"]),
        (f"<ul style='{HIDDEN}'><li>x<q>y</q><li style='{SHOWN}'>b</ul>", "• b", ["xy"]),
        (f"<ol><li>a<li style='{HIDDEN}'>x<li>b</ol>", "1. a\n3. b", ["x"]),
        (f"<ol><li>a<li style='{HIDDEN}'>x<i style='{SHOWN}'>c</i><li>b</ol>", "1. a\nc\n3. b", ["x"]),
        (f"<p style='{SHOWN}'>a<span style='{HIDDEN}'>x<b style='{SHOWN}'>b</b></span></p>", "ab", ["x"]),
        (f"a<div style='display:none'>x<p style='{SHOWN};font-size:9pt;display:block'>y</p></div>", "a", ["xy"]),
        (f"a<div style='content-visibility:hidden'>x<p style='{SHOWN}'>y</p></div>", "a", ["xy"]),
    ],
)
def test_size_and_visibility_are_decided_for_each_text(html, text, hidden):
    document = body(html)
    assert document.text == text
    found = [words for kind, words in furniture(document) if kind == "hidden"]
    assert len(found) == hidden if isinstance(hidden, int) else found == hidden
    assert all(item.text in document.raw_text for item in document.furniture)


def test_style_sheets_hide_and_show_as_attributes_do():
    head = "<style>.wrap{font-size:0} .cell{font:13px Arial} .off{visibility:hidden} .on{visibility:visible}</style>"
    document = body("<div class=wrap>x<p class=cell>300</p></div><div class=off>y<p class=on>400</p></div>", head)
    assert document.text == "300\n\n400" and furniture(document) == [("hidden", "x"), ("hidden", "y")]


def test_the_invoice_is_text_beside_its_footer():
    invoice = (
        "<table><tr><td style='font-size:0px'><div style='font-size:13px'>Your invoice is 300 dollars</div></table>"
    )
    assert body(f"{invoice}<p>Footer</p>").text == "Your invoice is 300 dollars\n\nFooter"


def test_tables_inherit_no_size_without_a_document_type():
    html = "<p>a</p><div style='font-size:0'><table><tr><td>300</td></tr></table></div>"
    assert load(f"<html><body>{html}".encode()).text == "a\n\n300"
    assert body(html).text == "a"


def test_fields_in_hidden_elements_are_not_added():
    html = f"a<div style='{HIDDEN}'><textarea>x</textarea><input value=y><b style='{SHOWN}'>b</b></div>"
    document = body(html)
    assert document.text.split() == ["a", "b"] and document.fields == ()
    assert {text for _, text in furniture(document)} == {"x", "y"}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p class=citation>The limit is 10<sup>6</sup></p>", "The limit is 10^6"),
        ("<li class=reference>An area of 5 m<sup>2</sup></li>", "• An area of 5 m^2"),
        ("<td class=footnote>x<sup>2</sup></td>", "x^2"),
        ("<span class=citation>The limit is 10<sup>6</sup></span>", "The limit is 10^6"),
        ("<a href='#limit'>The limit is 10<sup>6</sup></a>", "The limit is 10^6"),
        ("10<sup class=footnote>6</sup>", "10[6]"),
        ("10<span class=fnref><sup>6</sup></span>", "10[6]"),
        ("10<sup class=reference><sup>6</sup></sup>", "10[6]"),
        ("10<sup><a class=footnote-ref href='notes.html'>6</a></sup>", "10[6]"),
    ],
)
def test_the_class_of_a_paragraph_makes_no_notes(html, text):
    assert body(html).text == text


def test_long_lists_and_long_words_in_styles_are_read_in_time():
    document = body(f"<ol reversed>{'<li>a' * 10_000}</ol>")
    assert document.text.startswith("10000. a\n9999. a") and document.text.endswith("\n1. a")
    assert_linear(lambda length: body(f"<ol reversed>{'<li>a' * length}</ol>"), 2_000)
    assert_linear(lambda length: declarations("a" * length), 100_000)
    assert_linear(lambda n: body(f"<p style='{'x' * n}'>a<i style='vertical-align:{'1' * n}x'>b</i>"), 100_000)
    assert_linear(lambda length: body("a", f"<style>p:before{{content:'x' {'y' * length}}}</style>"), 100_000)


def test_numbers_of_lists_continue():
    html = "<ol start=5><li>a<li value=9>b<li>c</ol><ol reversed start=3><li>a<li>b</ol>"
    assert body(html).text == "5. a\n9. b\n10. c\n\n3. a\n2. b"


@pytest.mark.parametrize(
    ("style", "found"),
    [
        ("content:'a;display:none'; display:block", {"display": "block"}),
        ("/* a;b */ display:none; nonsense; visibility : HIDDEN", {"display": "none", "visibility": "hidden"}),
        ("background:url(data:a;b:c);display:none", {"display": "none"}),
        ("x:'unclosed; display:none", {"display": "none"}),
        ("font: italic 0/1 a !important", {"font": "italic 0/1 a!", "size": "0!"}),
    ],
)
def test_declarations_end_at_semicolons_outside_quotes(style, found):
    assert declarations(style) == found


@pytest.mark.parametrize("source", ["<!-- empty -->", "&lt;!----&gt;", "  ", "<!DOCTYPE html>", "&#0;"])
def test_a_frame_may_be_empty(source):
    document = body(f'<p>Hello</p><iframe srcdoc="{source}"></iframe><p>world</p>')
    assert document.text.startswith("Hello") and document.text.endswith("world")


def test_a_filing_may_have_an_empty_document_but_a_file_may_not():
    filing = b"<DOCUMENT>\n<TYPE>EX-1\n<TEXT>\n<!-- <html> -->\n</TEXT>\n</DOCUMENT>\n"
    filing += b"<DOCUMENT>\n<TYPE>EX-2\n<TEXT>\n<html><p>Rent</p></html>\n</TEXT>\n</DOCUMENT>\n"
    assert load(filing).text == "Rent"
    with pytest.raises((CorruptDocumentError, NoTextLayerError)):
        load_html(b"<!-- <html> -->", name="a.htm", options=Options())


KATEX = (
    "<span class=katex>{}<span class=katex-html aria-hidden=true><span class=base>"
    "<span class=mord><span class=mord>10</span><span class=msupsub><span class=vlist-t><span class=vlist-r>"
    "<span class=vlist><span><span class=pstrut></span><span>6</span></span></span></span></span></span></span>"
    "</span></span></span>"
)


def test_a_drawn_formula_is_read_where_nothing_else_says_it():
    alone = body(f"The limit is {KATEX.format('')}.")
    assert alone.text == "The limit is 10^6." and "without MathML" in alone.warnings[0]
    mathml = "<span class=katex-mathml><math><msup><mn>10</mn><mn>6</mn></msup></math></span>"
    both = body(f"The limit is {KATEX.format(mathml)}.")
    assert both.text == "The limit is 10^6." and both.warnings == () and ("alternative", "106") in furniture(both)
    assert body("a <span class=MathJax_Preview>x</span> b").text == "a x b"
    assert body("a <span class=MathJax_Preview>x</span><script type='math/tex'>y</script>").text == "a y"


@pytest.mark.parametrize("tag", ["template", "noscript"])
def test_what_is_never_shown_is_kept_within_hidden_elements(tag):
    document = body(f"<p>a</p><div hidden>x <{tag}>secret term</{tag}><script>no</script></div>")
    assert document.text == "a" and furniture(document) == [("hidden", "x secret term")]


@pytest.mark.parametrize(
    "use", ["autocomplete=current-password", "autocomplete=cc-number", "autocomplete=one-time-code"]
)
def test_hidden_secrets_are_never_read(use):
    for html in (f"<input {use} type=hidden value=hunter2>", f"<div hidden><input {use} value=hunter2></div>"):
        document = body(f"<p>a</p>{html}")
        assert "hunter2" not in document.raw_text and document.fields == ()


def test_the_label_that_a_browser_gives_to_a_button_is_no_source_text():
    document = body("<p>a</p><input type=submit><input type=reset value=Clear><input type=button>")
    assert document.text == "a\n\nSubmit Clear" and "Submit" not in document.raw_text
    assert [edit.kind for edit in document.edits if edit.text == "Submit"] == ["form"]
    assert [field.value for field in document.fields] == ["Submit", "Clear", ""]


@pytest.mark.parametrize(
    "rest",
    ["<!-- <p>two</p>", "<script>a <p>two</p>", "<style>a <p>two</p>", "<a title='x <p>two</p>", "<p two three", "<b"],
)
def test_markup_that_does_not_end_is_told(rest):
    document = load(f"<html><body><p>One</p>{rest}".encode())
    assert (
        document.text == "One"
        and "ends within a tag, a comment or a script that is not closed" in document.warnings[-1]
    )
    closed = load(f"<html><body><p>One</p>{rest.rstrip('>')}-->'></script></style></html>\n<!-- the end -->\n".encode())
    assert not any("ends within" in warning for warning in closed.warnings)


@pytest.mark.parametrize(
    "html", ["One", "One < two", "<p>One", "<frameset><frame></frameset>One", "<table><tr><td>One"]
)
def test_elements_need_no_end(html):
    assert load(f"<html><body>{html}".encode()).warnings == ()


def test_the_labels_of_groups_of_options_are_kept():
    document = body("<p>a</p><select><optgroup label='North'><option>One<option>Two</optgroup></select>")
    assert document.text == "a\n\nOne" and furniture(document) == [("option", "North"), ("option", "Two")]
