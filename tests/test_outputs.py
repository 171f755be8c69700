"""Output files: they contain what was predicted, and text of a document is always escaped."""

import io
import json
import pickle
import re
from collections.abc import Iterable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

import longdoc
from fakes import FakePipeline, entity
from longdoc import Answer, Document, Gap, Label, Prediction, cli
from longdoc.errors import ConfigError, CorruptDocumentError, DataError
from longdoc.outputs import FORMATS, Format, Original, Outcome, viewer, write
from longdoc.outputs.table import plain_console, print_losses
from longdoc.summary import names_by_label
from longdoc.values import FieldType, parse_value

EVIL = "<script>alert('&\"')</script> </mark> Ada Ltd.\fpage two: ADA\nLTD and\x00Bob"


class Text(HTMLParser):
    """The text of an excerpt of HTML, its tags, and the tags left open."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.excerpt = ""
        self.open: list[str] = []
        self.tags: list[str] = []
        self.in_excerpt = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.in_excerpt |= ("class", "excerpt") in attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.in_excerpt:
            self.excerpt += data


def predict(text: str, *places: tuple[int, int, str]) -> Prediction:
    document = Document.from_text(text, name="<b>.txt")
    return Prediction(document=document, entities=tuple(entity(document, *place) for place in places))


def written(format: str, *outcomes: Outcome) -> str:
    stream = io.StringIO()
    FORMATS[format].write(outcomes, stream)
    return stream.getvalue()


def page_of(*predictions: Prediction) -> str:
    return written("html", *(Outcome(prediction.document.source.name, prediction) for prediction in predictions))


def data_of(source: str) -> list[dict]:
    """What the script of a page is given of each document."""
    found = re.findall(r'<script type="application/json" class="document" id="d\d+">(.*?)</script>', source)
    return [json.loads(each) for each in found]


def test_a_fragment_escapes_the_document() -> None:
    source = viewer.fragment(predict(EVIL, (0, 8, "<i>"), (3, 30, 'a"b')))
    parsed = Text(source)
    assert not {"script", "i"} & set(parsed.tags) and "\x00" not in source
    assert parsed.excerpt.startswith("<script>alert('&\"')</script> </mark> Ada Ltd.")


@given(st.text(alphabet="ab <&\n\f", min_size=1, max_size=30), st.data())
def test_a_fragment_contains_the_text_when_entities_overlap(text: str, data: st.DataObject) -> None:
    places = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text)), st.sampled_from("XYZ"))
    drawn = [place for place in data.draw(st.lists(places, max_size=6)) if place[0] < place[1]]
    parsed = Text(viewer.fragment(predict(text, *drawn)))
    assert not parsed.open
    assert parsed.excerpt.strip() == text.replace("\f", "\n").strip()


def test_html_lists_what_was_not_read() -> None:
    prediction = replace(predict("aaaa bbbb"), gaps=(Gap(5, 9, "over 4 tokens"),))
    (data,) = data_of(page_of(prediction))
    assert data["facts"][-1] == "50.0% read" and not data["is_whole"]
    assert data["warnings"] == ["Not read: characters 5 to 9 (over 4 tokens)"]
    assert "not read: 5–9 (over 4 tokens)" in viewer.fragment(prediction)


def test_many_gaps_of_one_reason_are_counted() -> None:
    gaps = tuple(Gap(start, start + 1, "unknown") for start in range(0, 40, 2))
    prediction = replace(predict("a " * 20), gaps=(*gaps, Gap(1, 2, "cut")))
    said = [
        "Not read: characters 0 to 1 and in 19 other places (unknown)",
        "Not read: characters 1 to 2 (cut)",
    ]
    assert data_of(page_of(prediction))[0]["warnings"] == said
    stream = io.StringIO()
    print_losses(plain_console(stream), (), prediction.gaps)
    assert stream.getvalue().splitlines() == said


def answered(text: str, shown: str, field: str | None, type: FieldType = "text") -> Prediction:
    document = Document.from_text(text, name="<b>.txt")
    start = text.index(shown)
    answer = Answer(
        question="How <much>?",
        label=field,
        text=shown,
        start=start,
        end=start + len(shown),
        score=0.876,
        page=1,
        section="8.3(b)",
        value=parse_value(shown, type),
    )
    return Prediction(document=document, answers=(answer,))


def test_html_shows_answers_values_and_what_was_not_found() -> None:
    prediction = answered("Pay <b>Five Hundred Dollars ($600)</b> now.", "Five Hundred Dollars ($600)", "fee", "money")
    (data,) = data_of(written("html", Outcome("a/<b>.txt", replace(prediction, sought=("fee", "rent", "end")))))
    assert data["source"] == "a/<b>.txt"
    assert data["findings"] == [
        {
            "kind": "answer", "label": "fee", "start": 7, "end": 34, "score": 0.876, "page": 1, "section": "8.3(b)",
            "question": "How <much>?", "value": "USD 500", "alternative": "USD 600",
        }
    ]  # fmt: skip
    missing = {"found": [], "missing": "all of the text searched", "closest": None}
    assert data["fields"] == [{"name": "fee", "found": [0]}, {"name": "rent", **missing}, {"name": "end", **missing}]


def test_every_format_tells_the_closest_candidate_and_what_to_check() -> None:
    doubtful = answered("Pay $5 or $6.", "$5", "fee", "money")
    (fee,) = doubtful.answers
    rent = replace(fee, label="rent", text="$6", start=10, end=12, score=0.12)
    prediction = replace(doubtful, answers=(replace(fee, check=True),), rejected=(rent,), sought=("fee", "rent", "end"))
    table = " ".join(written("table", Outcome("a", prediction)).split())
    assert "0.88 check" in table and "Not found: rent, end" in table
    assert "closest to rent: page 1, section 8.3(b), score 0.12: $6" in table and "closest to end" not in table
    (data,) = data_of(page_of(prediction))
    closest = {field["name"]: data["findings"][field["closest"]] for field in data["fields"] if field.get("closest")}
    assert {name: (each["label"], each["start"]) for name, each in closest.items()} == {"rent": ("rent", 10)}
    assert [each["label"] for each in data["findings"] if each.get("check")] == ["fee"]
    record = json.loads(written("jsonl", Outcome("a", prediction)))
    assert record["rejected"][0]["label"] == "rent" and record["answers"][0]["check"]
    assert Prediction.from_dict(record, prediction.document).fields == {
        "fee": (replace(fee, check=True),),
        "rent": (),
        "end": (),
    }


def test_every_format_shows_spans() -> None:
    document = Document.from_text("Ohio law governs. All rent is due.", name="a")
    law = entity(document, 0, 17, "Governing Law", 0.91)
    prediction = Prediction(document=document, spans=(law,))
    for shown in (written("table", Outcome("a", prediction)), viewer.fragment(prediction), page_of(prediction)):
        plain = " ".join(re.sub("<[^>]*>", " ", shown).split())
        assert "Governing Law" in plain and "Ohio law governs." in plain and "0.91" in plain
    assert json.loads(written("jsonl", Outcome("a", prediction)))["spans"][0]["label"] == "Governing Law"
    assert prediction.to_pandas()["text"].tolist() == ["Ohio law governs."]


def test_every_format_shows_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    labels = (
        Label(name="Waiver <b>", score=0.81, start=5, end=8, section="7 Tax"),
        Label(name="Lease", score=0.97),
        Label(name="Waiver <b>", score=0.72, start=9, end=12),
    )
    prediction = Prediction(document=Document.from_text("Ohio law governs.", name="a"), labels=labels)
    assert data_of(page_of(prediction))[0]["classes"] == [
        ["Lease", "document", 0.97], ["Waiver <b>", "section 7 Tax", 0.81], ["Waiver <b>", "a section", 0.72]
    ]  # fmt: skip
    for shown in (written("table", Outcome("a", prediction)), viewer.fragment(prediction)):
        plain = " ".join(unescape(re.sub("<[^b>][^>]*>", " ", shown)).replace("·", " ").split())
        assert "Nothing found" not in plain
        assert re.search(r"Lease document 0\.97.*Waiver <b> section 7 Tax 0\.81.*a section 0\.72", plain), plain
    names = [label["name"] for label in json.loads(written("jsonl", Outcome("a", prediction)))["labels"]]
    assert names == ["Waiver <b>", "Lease", "Waiver <b>"]


def test_tables_and_fragments_show_answers_without_a_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = answered("Pay six (5) months later.", "six (5) months", None, "duration")
    monkeypatch.setenv("COLUMNS", "120")
    for shown in (written("table", Outcome("a", prediction)), viewer.fragment(prediction)):
        plain = " ".join(re.sub("<[^>]*>", " ", shown).split())
        assert "6 months or 5 months? six (5) months" in plain.replace("· ", "")
        assert "0.88" in plain
    assert Text(viewer.fragment(prediction)).open == []


def test_json_lines_name_the_fields_without_an_answer() -> None:
    prediction = answered("Pay $5.", "$5", "fee", "money")
    assert json.loads(written("jsonl", Outcome("a", replace(prediction, sought=("fee", "rent")))))["not_found"] == [
        "rent"
    ]
    assert "not_found" not in json.loads(written("jsonl", Outcome("a", prediction)))


def test_the_table_of_a_schema_tells_what_was_lost() -> None:
    prediction = replace(answered("Pay $5.", "$5", "fee"), gaps=(Gap(0, 3, "cut"),))
    assert "Not read: characters 0 to 3 (cut)" in written("table", Outcome("a", replace(prediction, sought=("fee",))))


def test_a_format_that_cannot_hold_answers_refuses_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Format(name="names", description="", suffix=".names", streams=True, write=lambda found, _: [*found] and None)
    monkeypatch.setitem(FORMATS, "names", toy)
    with pytest.raises(ConfigError, match=r"the format names cannot .*; table, jsonl, html, csv, parquet, .* can"):
        answered("Pay $5.", "$5", "fee").save(tmp_path / "out.names")
    assert not list(tmp_path.iterdir())


def test_a_device_is_written_directly() -> None:
    write([predict("one")], "/dev/null", format="jsonl")


def test_a_label_keeps_its_colour_across_documents() -> None:
    pages = data_of(page_of(predict("ab", (0, 1, "X"), (1, 2, "Y")), predict("ab", (0, 1, "Y"))))
    assert [page["labels"] for page in pages] == [{"X": 0, "Y": 1}, {"Y": 1}]


def test_jsonl_has_one_line_per_document(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write([predict("one\u2028line\n", (0, 3, "X")), predict("")], path)
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    records = [json.loads(line) for line in lines]
    assert [record["status"] for record in records] == ["ok", "ok"]
    assert records[0]["entities"][0]["text"] == "one"


def test_a_failure_line_says_which_document_and_why() -> None:
    record = json.loads(written("jsonl", Outcome("bad.pdf", CorruptDocumentError("no"))))
    assert record == {"source": "bad.pdf", "status": "error", "error": "CorruptDocumentError", "message": "no"}


@pytest.mark.parametrize("format", [name for name, each in FORMATS.items() if not each.binary and each.failures])
def test_every_format_writes_each_document_in_order_and_says_which_failed(format: str) -> None:
    good = predict("Ada Ltd.", (0, 8, "PARTY"))
    if not FORMATS[format].entities:
        good = replace(answered("Ada Ltd.", "Ada Ltd.", "PARTY"), sought=("PARTY",))
    text = written(
        format, Outcome("a", good), Outcome("<broken>", CorruptDocumentError("<broken>: no")), Outcome("c", good)
    )
    first, failure, last = text.index("Ada Ltd."), text.index("broken"), text.rindex("Ada Ltd.")
    assert first < failure < last
    assert "no" in text[failure:last]
    assert "PARTY" in text
    if format == "html":
        assert "<broken>" not in text


@pytest.mark.filterwarnings("ignore::longdoc.OutputWarning")  # a text has no pages for Label Studio
def test_a_format_is_chosen_by_name_or_by_suffix(tmp_path: Path) -> None:
    suffixes = [format.suffix for format in FORMATS.values() if format.suffix]
    assert len(set(suffixes)) == len(suffixes)
    prediction = replace(answered("one", "one", "number"), sought=("number",))
    for format in [each for each in FORMATS.values() if not each.single]:  # those are for files of one kind
        write([prediction], tmp_path / "named", format=format.name)
        if format.suffix:
            write([prediction], tmp_path / f"out{format.suffix.upper()}")
            assert (tmp_path / "named").read_bytes() == (tmp_path / f"out{format.suffix.upper()}").read_bytes()
    with pytest.raises(ConfigError, match=r"unknown format 'jsonk'; allowed: .*did you mean 'jsonl'"):
        write([predict("one")], tmp_path / "other", format="jsonk")


def test_a_new_format_is_an_entry_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def names(outcomes: Iterable[Outcome], stream: TextIO) -> None:
        stream.writelines(f"{outcome.source}\n" for outcome in outcomes)

    toy = Format(name="names", description="the names of the documents", suffix=".names", streams=True, write=names)
    monkeypatch.setitem(FORMATS, "names", toy)
    predict("one").save(tmp_path / "out.names")
    assert (tmp_path / "out.names").read_text() == "<b>.txt\n"
    (tmp_path / "a.txt").write_text("Lease")
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    assert cli.main(["extract", str(tmp_path / "a.txt"), "-o", str(tmp_path / "cli.names")]) == 0
    assert (tmp_path / "cli.names").read_text() == f"{tmp_path / 'a.txt'}\n"
    with pytest.raises(SystemExit):
        cli.main(["extract", "a.txt", "--format", "nothing"])


def test_a_file_name_that_is_not_unicode_can_be_written(tmp_path: Path) -> None:
    prediction = predict("one")
    odd = replace(prediction.document, source=replace(prediction.document.source, name="\udcff.txt"))
    for suffix in ("jsonl", "html"):
        write([replace(prediction, document=odd)], tmp_path / f"out.{suffix}")
    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert (record["source"], record["escaped"]) == (r"\udcff.txt", 2)


def test_names_are_grouped_by_label_and_spelling() -> None:
    text = "Lease. ADA LTD. and Ada Ltd and Ada\nLtd\fand Bob"
    prediction = predict(
        text, (0, 5, "TITLE"), (7, 15, "PARTY"), (20, 27, "PARTY"), (32, 39, "PARTY"), (44, 47, "PARTY")
    )
    names = names_by_label(prediction.entities)
    assert list(names) == ["TITLE", "PARTY"]
    assert [(n.text, len(n.mentions), n.pages) for n in names["PARTY"]] == [("Ada Ltd", 3, "1"), ("Bob", 1, "2")]


def test_a_fragment_without_entities_still_shows_the_document() -> None:
    assert "only words" in viewer.fragment(predict("only words"))
    assert Text(viewer.fragment(predict(""))).open == []


@pytest.mark.parametrize("count", [1, 6, 7, 30])
def test_a_fragment_stays_short(count: int) -> None:
    text = " ".join(f"name{i}" for i in range(count))
    prediction = predict(text, *((m.start(), m.end(), "X") for m in re.finditer(r"\S+", text)))
    fragment = viewer.fragment(prediction)
    assert fragment.count("<tr") == 1 + min(count, 6) + (count > 6)
    assert (f"and {count - 6} more" in fragment) == (count > 6)


def test_a_text_that_questions_searched_in_part_is_not_called_read_to_the_end() -> None:
    document = Document.from_text("Ada pays. The rent is due.")
    answer = Answer(question="Who pays?", label="who", text="Ada", start=0, end=3, score=0.9, page=1)
    whole = Prediction(document=document, answers=(answer,), sought=("who", "law"))
    partly = replace(whole, searched={"who": 0.5, "law": 0.25})
    whole_table, partly_table = (" ".join(written("table", Outcome("a", each)).split()) for each in (whole, partly))
    assert "read to the last character" in whole_table and "text searched" not in whole_table
    assert "read to the last character" not in partly_table
    assert "who (50 % of the text searched)" in partly_table and "law (25 % of the text searched)" in partly_table
    assert data_of(page_of(whole))[0]["facts"][-1] == "read to the last character"
    assert "who (50 % of the text searched)" in data_of(page_of(partly))[0]["facts"][-1]
    assert "who (50 % of the text searched); law (25 % of the text searched)" in written("csv", Outcome("a", partly))
    recorded = replace(partly, answers=(replace(answer, source="record parties: opening"),))
    for format in ("table", "html", "csv"):
        said = " ".join(written(format, Outcome("a", recorded)).split())
        assert "law (25 % of the text searched)" in said and "50 %" not in said


# ------------------------------------------------------------------------------------------------------- original file


def test_the_original_is_the_file_that_was_loaded_or_given(tmp_path: Path) -> None:
    path = tmp_path / "lease.txt"
    path.write_bytes(b"Lease between A and B.")
    document = longdoc.load(path)
    assert Original().content(document) == Original(b"Lease between A and B.").content(document) == path.read_bytes()
    path.rename(tmp_path / "moved.txt")
    assert Original(tmp_path / "moved.txt").content(document) == b"Lease between A and B."
    assert Document.from_json(document.to_json()).path is None
    assert pickle.loads(pickle.dumps(document)).path is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "not known"),
        (b"Lease between A and C.", "does not have the document's SHA-256"),
        ("missing.pdf", "cannot be read"),
        ("a\0b.pdf", "cannot be read"),
        (".", "cannot be read"),
    ],
)
def test_another_file_is_not_taken_for_the_original(source: str | bytes | None, message: str) -> None:
    remedy = r"give the file that it was loaded from \(`source` in Python\)"
    with pytest.raises(DataError, match=rf"^bytes: .*{message}.*; {remedy}$"):
        Original(source).content(longdoc.load(b"Lease between A and B."))


def test_a_document_loaded_in_another_process_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "lease.txt"
    path.write_text("Lease between A and B.")
    assert longdoc.load(path, isolated=True).path == path
