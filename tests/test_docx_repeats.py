"""Word files that refer to one thing many times: it is read once, and what it adds to the text is limited."""

import pytest

from longdoc.errors import LimitExceededError
from longdoc.loaders import Limits, load
from longdoc.loaders.docx import controls, drawings, notes
from longdoc.loaders.docx.package import Package
from longdoc.loaders.markup.builder import Builder
from word_files import SPACE, cell, make, par, read, run, with_files

TIMES = 30


def counted(monkeypatch, module, name):
    """The arguments of each call of a function of a module."""
    calls, function = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: calls.append(given) or function(*given))
    return calls


def chart(words: str, times: int = TIMES) -> bytes:
    body = par("x") + "<w:p><w:r>" + '<w:drawing><c:chart r:id="c"/></w:drawing>' * times + "</w:r></w:p>"
    file = f"<c:chartSpace {SPACE}><c:v>{words}</c:v></c:chartSpace>"
    return with_files(make(body), {"word/charts/chart1.xml": file}, "c chart charts/chart1.xml")


def test_a_control_around_several_cells_is_one_field(monkeypatch):
    calls = counted(monkeypatch, controls, "words")
    control = "<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"
    row = control.format(cell(par("a")) * TIMES) + control.format(cell(par("b")))
    document = read(f"<w:tbl><w:tr>{row}</w:tr></w:tbl>")
    assert [each.value for each in document.fields] == [" ".join("a" * TIMES), "b"]
    assert len(calls) == 2
    assert document.text == "\t".join("a" * TIMES + "b")


def test_a_part_of_a_drawing_is_read_once(monkeypatch):
    parts = counted(monkeypatch, Package, "part")
    document = load(chart("a b"))
    assert [each.text for each in document.furniture] == ["a b"] * TIMES
    assert len([path for _, path in parts if "chart1" in path and "_rels" not in path]) == 1


def test_furniture_after_the_text_counts_while_reading(monkeypatch):
    dropped = counted(monkeypatch, Builder, "drop")
    with pytest.raises(LimitExceededError, match="characters: 2,00"):
        load(chart("a " * 500), limits=Limits(characters=2000))
    assert len(dropped) == 2


def test_a_note_is_read_once_in_furniture(monkeypatch):
    calls = counted(monkeypatch, notes, "words")
    mark = '<w:r><w:footnoteReference w:id="5"/></w:r>'
    note = f'<w:footnote w:id="5">{par("note")}</w:footnote>'
    document = read(par("x") + par(f"<w:del>{mark * TIMES}</w:del>") + par(run("y") + mark), footnotes=note)
    assert len(calls) == 1
    assert [(each.kind, each.text) for each in document.furniture] == [("deleted", "note")]
    assert document.text == "x\n\ny[1]\n\n[1] note"


def test_a_comment_is_read_once(monkeypatch):
    calls = counted(monkeypatch, notes, "words")
    mark = '<w:r><w:commentReference w:id="5"/></w:r>'
    document = read(par(run("x") + mark * TIMES), comments=f'<w:comment w:id="5">{par("note")}</w:comment>')
    assert [each.text for each in document.annotations] == ["note"] * TIMES
    assert len(calls) == 1


def test_the_size_of_a_drawing_is_read_once(monkeypatch):
    calls = counted(monkeypatch, drawings, "_area")
    read(par("x") + f"<w:p><w:r><w:drawing><wp:inline>{'<a:blip/>' * TIMES}</wp:inline></w:drawing></w:r></w:p>")
    assert len(calls) == 1
