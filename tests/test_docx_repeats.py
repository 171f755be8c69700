"""Word files made to be slow: what is referred to many times is read once; fast paths against their slow twins."""

import random
import re

import pytest

from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders import Limits, load
from longdoc.loaders.docx import controls, drawings, notes, runs
from longdoc.loaders.docx.field_codes import formula, tokens
from longdoc.loaders.docx.numbering import Numbering
from longdoc.loaders.docx.package import Package, Parts
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import parse_xml
from word_files import SPACE, cell, make, par, read, run, table, with_files

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


def test_equations_on_lines_of_their_own_are_counted_once(monkeypatch):
    calls = counted(monkeypatch, runs, "children")
    equation = "<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>"
    assert read(f"<w:p>{run('a')}<m:oMathPara>{equation * 3}</m:oMathPara></w:p>").text == "a\nx\nx\nx"
    assert len([tags for _, *tags in calls if tags == ["omath"]]) == 1


TOKEN = re.compile(
    r'["“”](?P<quoted>(?:\\.|[^"“”\\])*)["“”]|(?P<switch>\\[^\s"“])(?P<attached>[^\s"\\]*)|(?P<word>[^\s"]+)'
)


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_of_instructions_are_those_that_a_slow_search_finds(seed):
    chosen = random.Random(seed)
    for _ in range(500):
        text = "".join(chosen.choices('"\\"“”a \n*', k=chosen.randrange(1, 20)))
        expected = [(token.span(), token["quoted"], token["switch"], token["word"]) for token in TOKEN.finditer(text)]
        found = [(token.span(), token["quoted"], token["switch"], token["word"]) for token in tokens(text)]
        assert found == expected, text


def test_an_instruction_of_quotes_that_nothing_closes():
    assert len(list(tokens('QUOTE "' + '\\"' * 100_000))) == 100_001


def test_commands_of_a_formula_that_has_no_arguments():
    assert len(formula("EQ " + "\\f\\lc" * 20_000)) == 60_000


@pytest.mark.parametrize("seed", range(10))
def test_merged_cells_span_the_rows_that_a_slow_search_finds(seed):
    chosen = random.Random(seed)
    merges = ["", "<w:vMerge/>", '<w:vMerge w:val="restart"/>']
    given = [[chosen.choice(merges) for _ in range(3)] for _ in range(12)]
    hidden = [chosen.random() < 0.3 for _ in given]
    rows = ["".join(cell(par(f"{i}.{j}"), look) for j, look in enumerate(row)) for i, row in enumerate(given)]
    looks = ["<w:trPr><w:hidden/></w:trPr>" * is_hidden for is_hidden in hidden]
    document = read(par("x") + table(*map("".join, zip(looks, rows, strict=True))))
    for found in document.tables[0].cells:
        row, column = map(int, found.text.split("."))
        expected = 1
        for below in range(row + 1, len(given)) if given[row][column] else ():
            if not hidden[below] and given[below][column] != merges[1]:
                break
            expected += not hidden[below]
        assert found.row_span == expected, found.text


def test_lists_follow_links_to_their_definitions_in_any_order():
    linked = "".join(
        f'<w:abstractNum w:abstractNumId="{i}"><w:numStyleLink w:val="s{i}"/></w:abstractNum>' for i in range(9)
    )
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    last = f'<w:abstractNum w:abstractNumId="9"><w:name w:val="terms"/>{level}</w:abstractNum>'
    lists = "".join(
        f'<w:num w:numId="{i}"><w:abstractNumId w:val="{i}"/></w:num>' for i in (4, 0, 7, 9, 1, 2, 3, 5, 6, 8)
    )
    root = parse_xml(f"<w:numbering {SPACE}>{linked}{last}{lists}</w:numbering>".encode(), "x", Limits())
    numbering = Numbering(root, {f"s{i}": str(i + 1) for i in range(9)})
    assert [numbering.next(str(i), 0) for i in range(10)] == [f"{i}." for i in range(10)]
    assert (numbering.id_of("terms"), numbering.id_of("other")) == ("4", "")


def test_addresses_of_links_are_limited():
    link = f'<w:hyperlink r:id="long" w:anchor="a">{run("x")}</w:hyperlink>'
    data = with_files(make(par(link * TIMES)), {}, f"long hyperlink {'a' * 500}")
    assert len(load(data).links) == TIMES
    with pytest.raises(LimitExceededError, match="addresses of links: characters: 2,"):
        load(data, limits=Limits(characters=2000))


def test_a_file_that_is_not_read_is_named_once(monkeypatch):
    made, original = [], Parts.__init__
    monkeypatch.setattr(Parts, "__init__", lambda self, *given: original(self, *given) or made.append(self))
    document = load(with_files(make(par("x") + '<w:altChunk r:id="b"/>' * TIMES), {}, "b aFChunk b.html"))
    assert len([each for each in document.warnings if "b.html" in each]) == 1
    assert len(made[0].warnings) == 1


def test_paths_in_a_word_file_have_a_length():
    assert load(with_files(make(par("x")), {"a" * 1000: ""})).text == "x"
    with pytest.raises(CorruptDocumentError, match="a member's name has 1,001 characters"):
        load(with_files(make(par("x")), {"a" * 1001: ""}))
