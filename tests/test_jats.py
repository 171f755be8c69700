import re
from pathlib import Path

import pytest

from longdoc.errors import CorruptDocumentError, LimitExceededError, NoTextLayerError, UnsupportedFormatError
from longdoc.loaders import Limits, load
from longdoc.loaders.jats import load_jats
from longdoc.loaders.options import Options
from reference import jats_words

DATA = Path(__file__).parent / "data" / "plos_jats"
PAPERS = sorted(DATA.glob("*.xml"))
DOCTYPE = (
    '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Publishing DTD v1.1//EN" "http://dtd.example/a.dtd">'
)


def paper(body: str, front: str = "", back: str = "", start: str = ""):
    xml = (
        f'{start}<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML">'
        f"<front><article-meta>{front}</article-meta></front><body>{body}</body><back>{back}</back></article>"
    )
    return load_jats(xml.encode(), name="paper.xml", options=Options())


def written(document) -> str:
    """The text without inserted characters."""
    return "".join(
        char for char, (start, end) in zip(document.text, document.origins.tolist(), strict=True) if start < end
    )


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_every_word_of_a_paper_is_in_its_text_in_order(path: Path) -> None:
    document = load(path)
    text, other = jats_words(path.read_bytes())
    letters = "".join(re.findall(r"[^\W_]", "".join(text)))
    assert "".join(re.findall(r"[^\W_]", written(document))) == letters
    everything = " ".join([document.text, *document.source.metadata.values(), *(f.text for f in document.furniture)])
    known = set(re.findall(r"\w+", everything))
    assert [word for words in other for word in re.findall(r"\w+", words) if word not in known] == []
    assert document.source.metadata["Title"] and document.source.metadata["DOI"].startswith("10.1371/")


def test_sections_are_a_tree_with_kinds() -> None:
    document = paper(
        "<sec sec-type='intro'><title>Background</title><p>One.</p></sec>"
        "<sec><label>2.</label><title>Methods</title><sec><title>Mice</title><p>Two.</p></sec></sec>",
        front="<title-group><article-title>On <italic>mice</italic></article-title></title-group>"
        "<abstract><p>Short.</p></abstract>",
        back="<ack><p>Thanks.</p></ack>",
    )
    found = [(s.title, s.kind, s.number, s.level, s.parent) for s in document.sections]
    assert found == [
        ("Abstract", "abstract", "", 1, None),
        ("Background", "introduction", "", 1, None),
        ("2. Methods", "methods", "2", 1, None),
        ("Mice", "section", "", 2, 2),
        ("Acknowledgements", "acknowledgements", "", 1, None),
    ]
    expected = "On mice\n\nAbstract\n\nShort.\n\nBackground\n\nOne.\n\n2. Methods\n\nMice\n\nTwo.\n\n"
    assert document.text == expected + "Acknowledgements\n\nThanks."
    assert document.title == "On mice"
    assert "Abstract" not in document.raw_text


def test_superscripts_subscripts_and_citations_are_inline() -> None:
    document = paper("<p>Ca<sup>2+</sup> in H<sub>2</sub>O [<xref rid='a'>1</xref>,<xref rid='b'>2</xref>].</p>")
    assert document.text == "Ca2+ in H2O [1,2]."


def test_references_are_metadata_only() -> None:
    document = paper(
        "<p>Text.</p>",
        back="<ref-list><title>References</title><ref><label>1</label><mixed-citation><name><surname>Gill</surname>"
        "<given-names>ME</given-names></name> (<year>2012</year>) <article-title>On <italic>E. coli</italic>."
        "</article-title></mixed-citation></ref><ref><label>2</label><element-citation><person-group><name><surname>"
        "Ito</surname><given-names>K</given-names></name><name><surname>Roy</surname><given-names>A</given-names></name>"
        "</person-group><year>1999</year><source>Cell</source></element-citation></ref></ref-list>",
    )
    assert document.text == "Text."
    assert document.source.metadata["references"] == "1. Gill ME (2012) On E. coli.\n2. Ito K, Roy A 1999 Cell"
    assert [(f.kind, f.text) for f in document.furniture] == [("heading", "References")]


def test_front_matter_becomes_metadata() -> None:
    metadata = paper(
        "<p>Text.</p>",
        front="<article-id pub-id-type='doi'>10.1/x</article-id><article-categories><subj-group><subject>Biology"
        "</subject></subj-group></article-categories><contrib-group><contrib contrib-type='author'><name>"
        "<surname>Maxwell</surname><given-names>C. A.</given-names></name><xref>*</xref></contrib>"
        "<contrib contrib-type='author'><collab>The Group</collab></contrib></contrib-group>"
        "<pub-date><day>5</day><month>11</month><year>2011</year></pub-date>"
        "<permissions><license><license-p>CC BY</license-p></license></permissions>"
        "<kwd-group><kwd>mouse</kwd><kwd>rat</kwd></kwd-group>",
    ).source.metadata
    assert (metadata["DOI"], metadata["Subjects"], metadata["Keywords"]) == ("10.1/x", "Biology", "mouse; rat")
    assert (metadata["Author"], metadata["Date"]) == ("C. A. Maxwell; The Group", "2011-11-05")
    assert metadata["Licence"] == "CC BY"


def test_keywords_within_each_other_are_told_to_a_depth_of_eight() -> None:
    nested = "".join(f"<a>{number} " for number in range(100)) + "x" * 1000 + "</a>" * 100
    found = paper("<p>x</p>", front=f"<kwd-group>{nested}</kwd-group>").source.metadata["Keywords"].split("; ")
    assert len(found) == 8
    assert found[0].split() == [*map(str, range(100)), "x" * 1000]
    grouped = "<kwd-group>" * 20 + "<kwd>mouse <b>ear</b></kwd>" + "</kwd-group>" * 20
    assert paper("<p>x</p>", front=grouped).source.metadata["Keywords"] == "mouse ear; ear"


def test_xhtml_and_oasis_tables_keep_spans() -> None:
    xhtml = "<tr><th rowspan='2'>a</th><th colspan='2'>b</th></tr><tr><td>c</td><td>d <p>e</p></td></tr>"
    oasis = (
        "<tgroup cols='3'><colspec colname='x'/><colspec colname='y'/><colspec colname='z'/><tbody><row>"
        "<entry morerows='1'>a</entry><entry namest='y' nameend='z'>b</entry></row><row><entry>c</entry>"
        "<entry>d <p>e</p></entry></row></tbody></tgroup>"
    )
    for rows in (xhtml, oasis):
        document = paper(
            f"<table-wrap><label>Table 1.</label><caption><title>Doses.</title></caption><table>{rows}</table>"
            "<table-wrap-foot><fn><label>a</label><p>Note.</p></fn></table-wrap-foot></table-wrap>"
        )
        (table,) = document.tables
        assert [(c.text, c.row, c.column, c.row_span, c.column_span) for c in table.cells] == [
            ("a", 0, 0, 2, 1),
            ("b", 0, 1, 1, 2),
            ("c", 1, 1, 1, 1),
            ("d\ne", 1, 2, 1, 1),
        ]
        assert document.text.startswith("Table 1. Doses.\n\na\tb\n")
        assert document.text.endswith("\n\na Note.")


def test_one_alternative_of_a_formula_is_text() -> None:
    power = "<mml:msup><mml:mi>x</mml:mi>\n <mml:mn>2</mml:mn></mml:msup>"
    math = f"<mml:math>{power} <mml:mo>=</mml:mo><mml:mn>4</mml:mn></mml:math>"
    tex = r"<tex-math>\documentclass{minimal}\begin{document}$y^2$\end{document}</tex-math>"
    both = paper(f"<p>If <inline-formula><alternatives>{tex}{math}</alternatives></inline-formula> then</p>")
    assert both.text == "If x^2=4 then"
    assert "x2=4" in both.raw_text.replace(" ", "")
    alone = paper(f"<p>If <inline-formula>{tex}</inline-formula> then</p>")
    assert alone.text == "If $y^2$ then"
    assert "documentclass" in alone.raw_text


def test_fractions_and_roots_keep_their_terms_together() -> None:
    def row(*parts: str) -> str:
        return f"<mml:mrow>{''.join(f'<mml:mi>{part}</mml:mi>' for part in parts)}</mml:mrow>"

    fraction = f"<mml:mfrac>{row('b', '+', 'c')}{row('2', 'x')}</mml:mfrac>"
    root = f"<mml:msqrt>{row('a', '-', 'b')}</mml:msqrt>"
    power = f"<mml:msup><mml:mi>e</mml:mi>{row('-', 'k', 't')}</mml:msup>"
    half, eight = "<mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac>", "<mml:mn>8</mml:mn>"
    nested = f"<mml:mfrac>{eight}{half}</mml:mfrac>"
    cube_root = f"<mml:mroot>{eight}<mml:mn>3</mml:mn></mml:mroot>"
    total = f"<mml:munder><mml:mo>∑</mml:mo>{row('i', '=', '1')}</mml:munder>"
    cases = {fraction: "(b+c)/(2x)", root: "√(a-b)", power: "e^-kt", nested: "8/(1/2)", cube_root: "8^(1/3)"}
    cases |= {f"<mml:mrow>{eight}{half}</mml:mrow>": "8 1/2", total: "∑_(i=1)"}
    for math, text in cases.items():
        assert (
            paper(f"<p>It is <inline-formula><mml:math>{math}</mml:math></inline-formula>.</p>").text
            == f"It is {text}."
        )


def test_a_footnote_follows_its_paragraph() -> None:
    assert paper("<p>One<fn><p>Aside.</p></fn> two.</p><p>Three.</p>").text == "One two.\n\nAside.\n\nThree."


def test_lists_links_and_boxes() -> None:
    document = paper(
        "<list list-type='order'><list-item><p>a</p></list-item><list-item><p>b</p></list-item></list>"
        "<boxed-text><p>See <ext-link xlink:href='http://x.org'>x</ext-link></p></boxed-text>"
    )
    assert document.text == "1. a\n2. b\n\nSee x"
    (link,) = document.links
    assert (link.uri, document.text[link.start : link.end]) == ("http://x.org", "x")


@pytest.mark.parametrize("style, marks", [("alpha-lower", "a. b."), ("roman-upper", "I. II."), ("bullet", "• •")])
def test_marks_of_list_items(style: str, marks: str) -> None:
    document = paper(f"<list list-type='{style}'><list-item>x</list-item><list-item>x</list-item></list>")
    assert document.text.replace(" x", "").replace("\n", " ") == marks


def test_entities_of_an_external_dtd_are_their_html_characters() -> None:
    document = paper("<p>&alpha;&nbsp;&plusmn;&nosuch; &lt;b&gt; <![CDATA[&beta;]]></p>", start=DOCTYPE)
    assert document.text == "α ±&nosuch; <b> &beta;"


@pytest.mark.parametrize(
    "subset", ['<!ENTITY a "b">', '<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;', "<!ELEMENT p ANY>"]
)
def test_a_doctype_with_declarations_is_refused(subset: str) -> None:
    with pytest.raises((UnsupportedFormatError, CorruptDocumentError), match=r"DOCTYPE|well formed"):
        paper("<p>&a;</p>", start=f"<!DOCTYPE article [{subset}]>")


def test_entity_expansion_is_refused() -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 20))
    with pytest.raises(UnsupportedFormatError, match="DOCTYPE"):
        paper("<p>&l19;</p>", start=f'<!DOCTYPE article [<!ENTITY l0 "ha">{lol}]>')


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(UnsupportedFormatError, match="DOCTYPE"):
        paper("<p>&x;</p>", start=f'<!DOCTYPE article [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>')


def test_raised_and_lowered_text_changes_no_number() -> None:
    text = (
        "1,000<sup>2</sup>, 10<sup>6</sup>, 5<xref ref-type='fn' rid='f'><sup>3</sup></xref>, kg/m<sup>2</sup>, "
        "10<sup>−5</sup>, x<sub>1</sub><sup>2</sup>, <sup>14</sup>C, 3<sup>rd</sup>, CD4<sup>+</sup>, H<sub>2</sub>O, "
        "<italic>R</italic><sup>2</sup>, <strike>7</strike>8"
    )
    document = load(f"<article><body><p>{text}</p></body></article>".encode())
    assert document.text == ("1,000[2], 10^6, 5[3], kg/m^2, 10^−5, x1^2, 14C, 3rd, CD4+, H2O, R^2, 8")
    assert [(item.kind, item.text) for item in document.furniture] == [("deleted", "7")]


def test_deep_nesting_is_refused_by_a_limit() -> None:
    xml = b"<article>" + b"<sec>" * 60 + b"<p>a</p>" + b"</sec>" * 60 + b"</article>"
    assert load(xml).text == "a"
    with pytest.raises(LimitExceededError, match="depth"):
        load(xml, limits=Limits(depth=50))
    with pytest.raises(LimitExceededError):
        load(xml.replace(b"<sec>", b"<sec>" * 2000).replace(b"</sec>", b"</sec>" * 2000))


@pytest.mark.parametrize("xml", ["<article><p>a</article>", "<article", "<article><p>\x01</p></article>"])
def test_malformed_xml_is_corrupt(xml: str) -> None:
    with pytest.raises(CorruptDocumentError, match="well formed"):
        load(xml.encode())


def test_a_paper_without_text() -> None:
    with pytest.raises(NoTextLayerError):
        load(b"<article><body><p> </p></body></article>")


def test_utf_16_is_read() -> None:
    xml = "<?xml version='1.0' encoding='UTF-16'?><article><body><p>é&alpha;</p></body></article>"
    assert load_jats(xml.encode("utf-16"), name="a", options=Options()).text == "éα"
