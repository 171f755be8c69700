"""JSON that is read back: what is not as longdoc writes it is refused with its place, and never runs in a page."""

import base64
import copy
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import longdoc
from longdoc import Answer, Document, Entity, Label, Prediction
from longdoc.document import Cell, Definition, Furniture, Link, OutlineItem, Page, Section, Table
from longdoc.errors import CorruptDocumentError, DataError, LimitExceededError, UnsupportedFormatError
from longdoc.outputs import FORMATS, Outcome
from longdoc.plain import plain, restored
from longdoc.values import Money

SCRIPT = "\"><img src=x onerror=alert(1)><script>alert(1)</script><a href='javascript:alert(1)'>"
TEXT = "Lease between Ada Ltd. and Bob.\fRent: 5 a month."
BASE = Document.from_text(TEXT)
DOCUMENT = Document(
    source=BASE.source,
    pages=BASE.pages,
    raw_text=BASE.raw_text,
    boxes=BASE.boxes,
    lines=BASE.lines,
    edits=BASE.edits,
    sections=(
        Section(number="1", title=SCRIPT, kind="heading", level=1, start=0, end=31),
        Section(number="1.1", title="Rent", kind="heading", level=2, start=6, end=20, parent=0),
    ),
    tables=(Table(start=0, end=13, cells=(Cell(text="Lease", row=0, column=0, start=0, end=5),)),),
    furniture=(Furniture(kind="header", text="x", page=1, raw_start=0, raw_end=1),),
    outline=(OutlineItem(title=SCRIPT, level=1, page=1),),
    links=(Link(start=0, end=5, uri="javascript:alert(1)"),),
    warnings=(SCRIPT,),
)
RECORD = json.loads(DOCUMENT.to_json())


class Page_(HTMLParser):
    """Collects what could run."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        foreign = {"script", "iframe", "object", "embed", "img", "base", "form", "math", "template", "foreignobject"}
        if tag in foreign or any(name.startswith("on") or name in ("srcdoc", "formaction") for name, _ in attrs):
            self.runs.append(tag)
        self.runs += [value or "" for name, value in attrs if name == "href" and not (value or "").startswith("#")]


def runs_of(html: str) -> list[str]:
    page = Page_()
    page.feed(html)
    page.close()
    return page.runs


def assert_harmless(html: str) -> None:
    """Nothing runs in a page but the scripts of the viewer, and nothing in a fragment."""
    assert runs_of(html) in ([], runs_of(pages_of(Document.from_text("Lease"))))


def prediction_of(document: Document) -> Prediction:
    length = len(document.text)
    found = [{"text": document.text[:n], "start": 0, "end": n, "score": 0.5, "page": 1} for n in (min(3, length),) if n]
    return Prediction(
        document=document,
        entities=tuple(Entity(label=SCRIPT, section=SCRIPT, source=SCRIPT, **each) for each in found),
        answers=tuple(Answer(question=SCRIPT, label=SCRIPT, value=SCRIPT, **each) for each in found),
        labels=(Label(name=SCRIPT, score=0.5),),
        sought=(SCRIPT,),
    )


def pages_of(document: Document) -> str:
    stream = io.StringIO()
    prediction = prediction_of(document)
    FORMATS["html"].write([Outcome(SCRIPT, prediction)], stream)
    return stream.getvalue() + prediction._repr_html_() + document._repr_html_()


def test_nothing_runs_in_the_page_of_a_hostile_document() -> None:
    assert Document.from_json(DOCUMENT.to_json()) == DOCUMENT
    assert_harmless(pages_of(DOCUMENT))
    verdict = Page(number=1, width=0, height=0, start=0, end=5, verdict=SCRIPT)  # type: ignore[arg-type]
    document = Document.from_text("Lease")
    object.__setattr__(document, "pages", (verdict,))
    assert_harmless(pages_of(document))


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The paths of all values within a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, own in inner for each in places(own, (*path, key)))]


def replaced(record: object, path: tuple[object, ...], value: object) -> object:
    """A copy of a value of JSON with another value in a place."""
    made = copy.deepcopy(record)
    inner = made
    for key in path[:-1]:
        inner = inner[key]  # type: ignore[index]
    inner[path[-1]] = value  # type: ignore[index]
    return made


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 60),
    st.sampled_from([10**9, 2**31, -(2**63), 10**400, 1e308, 1e999, -0.5, float("nan")]),
    st.sampled_from(["", "text", SCRIPT, "\ud800", "AAAA", "float16", "object", "2020-13-45", "1e999999999"]),
    st.sampled_from([[], {}, [[]], [1, 2], {"dtype": "int32", "base64": "AAAAAA=="}, {"onload": "x"}]),
)
PLACES = places(RECORD)[1:]


@settings(max_examples=300)
@given(st.sampled_from(PLACES), VALUES)
def test_a_changed_document_is_refused_or_read_as_it_says(path: tuple[object, ...], value: object) -> None:
    changed = json.dumps(replaced(RECORD, path, value))
    try:
        document = Document.from_json(changed)
    except (CorruptDocumentError, UnsupportedFormatError):
        return
    assert Document.from_json(document.to_json()) == document
    assert_harmless(pages_of(document))
    for section in document.sections:
        document.locate(section.start, section.end)


def array(values: list[float], dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "base64": base64.b64encode(np.array(values, dtype).tobytes()).decode()}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("pages", 0, "verdict"), SCRIPT, r"pages\[0\]\.verdict: expected one of text, scanned"),
        (("pages", 0, "number"), True, r"pages\[0\]\.number: expected an integer, got True"),
        (("pages", 0, "number"), 2, r"pages\[1\]\.number: 2 after 2"),
        (("pages", 0, "width"), 10**310, r"pages\[0\]\.width: expected a number"),
        (("pages", 1, "confidence"), 7, r"pages\[1\]\.confidence: 7; allowed: 0 to 1"),
        (("pages", 0, "onload"), "x", r"pages\[0\]: unknown key 'onload'; allowed: number"),
        (("pages", 0), {}, r"pages\[0\]: missing key 'number'"),
        (("sections", 1, "end"), 900, r"sections\[1\]: the range 6:900 is not within 0:48"),
        (("sections", 1, "end"), 40, r"sections\[1\]: the range 6:40 is not within 0:31"),
        (("sections", 1, "parent"), 1, r"sections\[1\]\.parent: 1; allowed: a section before it"),
        (("sections", 0, "level"), 10**9, r"sections\[0\]\.level: 1000000000; allowed: 1 to 1,000"),
        (("outline", 0, "level"), 10**9, r"outline\[0\]\.level"),
        (("tables", 0, "cells", 0, "row"), 10**9, r"tables\[0\]: 1,000,000,001 rows .* allowed: 10,000,000 places"),
        (("tables", 0, "cells", 0, "text"), "other", r"tables\[0\]\.cells\[0\]\.text: it is not what the text has"),
        (("furniture", 0, "raw_end"), 49, r"furniture\[0\]: the range 0:49 is not within 0:48"),
        (("links", 0, "page"), 0, r"links\[0\]\.page: 0; allowed: from 1"),
        (("source", "metadata"), {"Title": 3}, r"source\.metadata\.Title: expected a text, got 3"),
        (("lines",), array([1, 1], "int32"), r"lines: offsets rise from 0"),
        (("lines",), array([0, 3], "int32"), r"lines: there is no page 3"),
        (("lines",), array([0, 2**40], "int64"), r"lines: a number is out of the range of int32"),
        (("boxes",), array([np.inf] * 192, "float32"), r"boxes: a number is out of the range"),
        (("boxes", "dtype"), "object", r"boxes\.dtype: expected one of float32, float64, got 'object'"),
        (("boxes", "base64"), "AAA?", r"boxes\.base64: "),
        (("edits", "codes"), array([-1], "int32"), r"edits\.codes: from -1 to -1; there are 0 replacements"),
        (("scripts",), [], r"unknown key 'scripts'; allowed: longdoc"),
        (("longdoc",), "two", r"longdoc: expected the number of a format, got 'two'"),
    ],
)
def test_the_error_names_the_place(path: tuple[object, ...], value: object, message: str) -> None:
    with pytest.raises(CorruptDocumentError, match=message):
        Document.from_json(json.dumps(replaced(RECORD, path, value)))


def test_keys_given_twice_and_numbers_that_are_none_are_refused() -> None:
    text = DOCUMENT.to_json()
    with pytest.raises(CorruptDocumentError, match=r"the key 'number' is given twice"):
        Document.from_json(text.replace('"number": 1,', '"number": 1, "number": 1,', 1))
    for word in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(CorruptDocumentError, match="is not a number of JSON"):
            Document.from_json(text.replace('"confidence": null', f'"confidence": {word}', 1))


def test_edits_cannot_blow_up_the_text() -> None:
    n = 20_000
    edits = {
        "ranges": array([0, 0] * n, "int32"),
        "codes": array([0] * n, "int32"),
        "replacements": [["x" * n, "space"]],
    }
    with pytest.raises(CorruptDocumentError, match=r"they insert 400,000,000 characters, out of proportion"):
        Document.from_json(json.dumps(replaced(RECORD, ("edits",), edits)))


PREDICTION = Prediction(
    document=DOCUMENT,
    entities=(Entity(text="Ada Ltd.", label="PARTY", start=14, end=22, score=0.9, page=1),),
    answers=(Answer(text="5", label="rent", start=38, end=39, score=0.9, page=2, value=Money(5, "USD")),),
    labels=(Label(name="lease", score=0.5),),
    sought=("rent",),
    searched={"rent": 0.5},
)
WRITTEN = json.loads(json.dumps(PREDICTION.to_dict()))


@settings(max_examples=200)
@given(st.sampled_from(places(WRITTEN)[1:]), VALUES)
def test_a_changed_prediction_is_refused_or_read_as_it_says(path: tuple[object, ...], value: object) -> None:
    try:
        found = Prediction.from_dict(replaced(WRITTEN, path, value), DOCUMENT)  # type: ignore[arg-type]
    except DataError:
        return
    assert Prediction.from_dict(found.to_dict(), DOCUMENT) == found
    assert_harmless(found._repr_html_())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("entities", 0, "label"), ["x"], r"entities\[0\]\.label: expected a text"),
        (("entities", 0, "page"), "1", r"entities\[0\]\.page: expected an integer"),
        (("entities", 0, "colour"), "red", r"entities\[0\]: unknown key 'colour'"),
        (("answers", 0, "boxes"), [{"page": 1}], r"answers\[0\]\.boxes\[0\]: missing key 'x0'"),
        (
            ("answers", 0, "value"),
            {"amount": "1e999999999", "currency": "USD"},
            r"answers\[0\]\.value: .* is not a value",
        ),
        (("answers", 0, "value"), {"amount": 3, "unit": "<b>"}, r"answers\[0\]\.value: .* is not a value"),
        (("searched", "rent"), "all", r"searched\.rent: expected a number"),
        (("tasks",), "contract", r"tasks: expected a list"),
        (("extra",), 1, r"missing or unknown key 'extra'"),
    ],
)
def test_the_error_of_a_prediction_names_the_place(path: tuple[object, ...], value: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Prediction.from_dict(replaced(WRITTEN, path, value), DOCUMENT)  # type: ignore[arg-type]


def test_a_cell_of_a_record_that_is_not_in_the_text_is_refused() -> None:
    cell = plain(Answer(text="Bob", start=14, end=17, score=0.5, page=1))
    written = {**WRITTEN, "kind": "contract", "record": {"title": cell}}
    with pytest.raises(DataError, match="the text at 14:17 is 'Ada', not 'Bob'"):
        Prediction.from_dict(written, DOCUMENT)


def test_a_deep_value_is_refused() -> None:
    value: object = {"amount": 1, "unit": "day"}
    for _ in range(5_000):
        value = {"amount": 1, "unit": "day", "plus": value}
    with pytest.raises(ValueError, match=r"answer\.value: "):
        restored(Answer, {**plain(PREDICTION.answers[0]), "value": value}, "answer")


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "examples" / "contracts").glob("*"))[:3])
def test_real_documents_are_read_back(path: Path) -> None:
    document = longdoc.load(path)
    assert Document.from_json(document.to_json()).to_json() == document.to_json()


def test_what_could_not_be_read_again_is_not_written():
    text = "lease"
    cell = Cell(text=text, row=10_000, column=1_000, start=0, end=len(text))
    document = replace(Document.from_text(text), tables=(Table(start=0, end=len(text), cells=(cell,)),))
    with pytest.raises(LimitExceededError, match="10,001 rows × 1,001 columns; allowed: 10,000,000 places; leave that"):
        document.to_json()
    assert document == replace(document) and document != Document.from_text(text)
    smaller = replace(document, tables=(replace(document.tables[0], cells=(replace(cell, column=998),)),))
    assert Document.from_json(smaller.to_json()) == smaller
    beyond = replace(document, tables=(), definitions=(Definition(term=text, start=3, end=99),))
    with pytest.raises(LimitExceededError, match="definitions"):
        beyond.to_json()
