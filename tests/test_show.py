"""``longdoc show``, and the pages that it draws."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc import drawing
from longdoc.cli import main
from longdoc.cli.show import show
from longdoc.document import Annotation, Box, Cell, Document, FormField, Furniture, OutlineItem, Section, Table
from longdoc.loaders import load
from pdfs import lines, make_pdf

CONTRACT = Path(__file__).parents[1] / "examples" / "hyatt-playa-strategic-alliance.pdf"


@pytest.fixture
def document() -> Document:
    text = "1. Term\nOne year.\nRent\t100\n"
    box = Box(1, 10, 10, 50, 20)
    cells = (
        Cell(text="Rent", row=0, column=0, start=18, end=22, box=box),
        Cell(text="100", row=0, column=1, start=23, end=26),
    )
    return replace(
        Document.from_text(text),
        sections=(Section(number="1", title="Term", kind="section", level=1, start=0, end=27),),
        tables=(Table(start=18, end=26, cells=cells, box=box),),
        furniture=(Furniture(kind="footer", text="Draft", page=1, raw_start=0, raw_end=0, box=box),) * 2,
        outline=(OutlineItem(title="Lease", level=1, page=1), OutlineItem(title="Annex", level=2, page=None)),
        fields=(FormField(name="tenant", kind="text", value="Ada", page=1, box=box),),
        annotations=(Annotation(kind="note", text="Check <this>", page=1, box=box),),
        warnings=("scanned page(s) 2",),
    )


def test_show_lists_every_part(document, capsys):
    show(document)
    shown = " ".join(capsys.readouterr().out.split())
    parts = ("2 footers", "scanned page(s) 2", "1 Term p. 1", "1 1 × 2 p. 1 Rent | 100", "Annex p. ?", "tenant: Ada")
    for part in parts:
        assert part in shown
    assert "Check <this>" in shown


def test_the_rest_of_a_long_list_is_counted(document, capsys):
    show(replace(document, outline=document.outline * 100))
    assert "and 140 more" in capsys.readouterr().out


def test_the_text_alone_can_be_printed(capsys):
    assert main(["show", str(CONTRACT), "--text", "--pages", "2"]) == 0
    assert capsys.readouterr().out == load(CONTRACT, pages=(2, 2)).text + "\n"


@pytest.mark.parametrize("pages", ["0", "5-2", "x", "-3"])
def test_a_page_range_is_a_number_or_two(pages, capsys):
    with pytest.raises(SystemExit):
        main(["show", str(CONTRACT), f"--pages={pages}"])
    assert "3-7" in capsys.readouterr().err


def test_options_that_do_not_fit_the_document_are_errors_and_leave_no_file(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("Lease")
    assert main(["show", str(tmp_path / "a.txt"), "--draw", str(tmp_path / "out.html")]) == 2
    assert "no pages to draw" in capsys.readouterr().err
    assert not (tmp_path / "out.html").exists()
    assert main(["show", str(CONTRACT), "--pages", "90"]) == 2
    assert "allowed: 1 to 8" in capsys.readouterr().err


def test_the_pages_are_drawn_with_what_was_found(tmp_path, capsys):
    target = tmp_path / "out.html"
    assert main(["show", str(CONTRACT), "--pages", "2-3", "--draw", str(target)]) == 0
    drawn, read = target.read_text(), load(CONTRACT, pages=(2, 3))
    assert drawn.count("<figure>") == len(read.pages) == 2
    assert drawn.count('<rect class="odd"') + drawn.count('<rect class="even"') >= len(read.text.splitlines()) // 2
    assert drawn.count('class="badge"') > 12
    assert drawn.count('<rect class="heading"') >= len(read.sections)
    assert "<script" not in drawn
    assert not re.search(r'(?:src|href)="(?!data:|#)', drawn)


def test_only_the_first_pages_are_drawn_and_names_are_escaped():
    data = make_pdf(*(lines(f"Page {number}") for number in range(5)))
    document = load(data)
    named = replace(document, source=replace(document.source, name="<b>.pdf"))
    stream = io.StringIO()
    drawing.write(named, data, stream, limit=2)
    assert stream.getvalue().count("<figure>") == 2
    assert "the first 2 are drawn" in stream.getvalue()
    assert "<b>" not in stream.getvalue()


def test_drawings_do_not_replace_a_document_and_need_a_writable_folder(tmp_path, capsys):
    data = make_pdf(lines("Rent"))
    copy = tmp_path / "a.pdf"
    copy.write_bytes(data)
    for target in (copy, tmp_path, tmp_path / "missing" / "out.html"):
        assert main(["show", str(copy), "--draw", str(target)]) == 2
        assert str(target) in capsys.readouterr().err
    assert copy.read_bytes() == data
