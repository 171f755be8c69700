"""Predictions: offsets, coverage, conversion to plain values and back, and to other libraries."""

import datetime
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from fakes import entity
from longdoc import Answer, Box, Document, Entity, Gap, Label, Prediction
from longdoc.errors import ConfigError, DataError, MissingDependencyError
from longdoc.values import Duration, FieldType, Money, alternative_of, parse_value

TEXT = "Lease between Ada & Co. Ltd. and Bob.\nMade on 1 May 2020."
LEASE = Document.from_text(TEXT, name="lease.txt")


@pytest.fixture
def document() -> Document:
    return LEASE


@pytest.fixture
def prediction(document: Document) -> Prediction:
    found = [(14, 28, "PARTY"), (14, 22, "ORG"), (33, 36, "PARTY"), (46, 56, "DATE")]
    return Prediction(document=document, entities=tuple(entity(document, *place) for place in found))


@pytest.mark.parametrize("change", [{"text": "Bob"}, {"start": 13}, {"end": 27}])
def test_the_text_of_an_entity_is_the_text_at_its_offsets(document: Document, change: dict[str, object]) -> None:
    wrong = replace(entity(document, 14, 28, "PARTY"), **change)
    with pytest.raises(DataError, match=r"the text at \d+:\d+ is '.*', not '.*'"):
        Prediction(document=document, entities=(wrong,))


def test_the_text_of_an_answer_is_the_text_at_its_offsets(document: Document) -> None:
    answer = Answer(question="Who?", text="Bob", start=32, end=35, score=0.5, page=1)
    with pytest.raises(DataError, match="the text at 32:35 is ' Bo', not 'Bob'"):
        Prediction(document=document, answers=(answer,))


offsets = st.integers(-2 * len(TEXT), 2 * len(TEXT)) | st.sampled_from([0, len(TEXT)])


@given(offsets, offsets)
def test_offsets_outside_the_text_are_refused(start: int, end: int) -> None:
    document = LEASE
    text = TEXT[start:end]  # clipped, or counted from the end, as Python slices are
    common = {"text": text, "start": start, "end": end, "score": 0.5, "page": 1}
    for found in (
        {"entities": (Entity(label="X", **common),)},
        {"answers": (Answer(question="?", **common),)},
        {"labels": (Label(name="x", score=0.5, start=start, end=end),)},
        {"gaps": (Gap(start, end, "test"),)},
    ):
        if 0 <= start < end <= len(TEXT):
            Prediction(document=document, **found)
        else:
            with pytest.raises(DataError, match=f"offsets {start}:{end}; allowed: 0 <= start < end <= {len(TEXT)}"):
                Prediction(document=document, **found)


@pytest.mark.parametrize("start", [32.0, True, "33", 33.5, None])
def test_offsets_are_integers(document: Document, start: object) -> None:
    wrong = replace(entity(document, 33, 36, "PARTY"), start=start)
    with pytest.raises(DataError, match=r"malformed offset .*; allowed: integers|offsets None:36"):
        Prediction(document=document, entities=(wrong,))
    with pytest.raises(DataError, match=r"the gap has"):
        Prediction(document=document, gaps=(Gap(start, 36, "test"),))


def test_offsets_below_zero_are_refused_though_a_slice_takes_them(document: Document) -> None:
    assert TEXT[-5:-1] == "2020"
    with pytest.raises(DataError, match="offsets -5:-1; allowed: 0 <= start"):
        Prediction(document=document, entities=(Entity(text="2020", label="YEAR", start=-5, end=-1, score=1, page=1),))


@pytest.mark.parametrize("score", [-0.1, 1.5, float("nan"), float("inf"), True, "0.5", None, np.float32(2)])
def test_scores_lie_between_0_and_1(document: Document, score: object) -> None:
    found = replace(entity(document, 33, 36, "PARTY"), score=score)
    for field, item in (("entities", found), ("labels", Label(name="x", score=score))):
        with pytest.raises(DataError, match=r"has the score .*; allowed: a number from 0 to 1"):
            Prediction(document=document, **{field: (item,)})


def test_numbers_of_numpy_become_pythons(document: Document) -> None:
    found = replace(
        entity(document, 33, 36, "PARTY"), start=np.int64(33), end=np.int32(36), score=np.float32(1.0000001)
    )
    prediction = Prediction(document=document, entities=[found], gaps=[Gap(np.int64(0), np.uint8(5), "test")])
    (kept,), (gap,) = prediction.entities, prediction.gaps
    assert [type(kept.start), type(kept.end), type(kept.score), type(gap.end)] == [int, int, float, int]
    assert kept == entity(document, 33, 36, "PARTY", 1.0)
    json.dumps(prediction.to_dict())


@pytest.mark.parametrize("half", [{"start": 3}, {"end": 3}])
def test_a_label_has_both_offsets_or_none(document: Document, half: dict[str, int]) -> None:
    with pytest.raises(DataError, match="the label 'x' has offsets"):
        Prediction(document=document, labels=(Label(name="x", score=0.5, **half),))


@given(st.text(alphabet="ab \n", max_size=30), st.data())
def test_coverage_is_the_share_of_visible_characters_outside_gaps(text: str, data: st.DataObject) -> None:
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda p: p[0] < p[1])
    gaps = [Gap(*place, "test") for place in data.draw(st.lists(places, max_size=4) if text else st.just([]))]
    prediction = Prediction(document=Document.from_text(text), gaps=tuple(gaps))
    visible = [i for i, character in enumerate(text) if not character.isspace()]
    seen = [i for i in visible if not any(gap.start <= i < gap.end for gap in gaps)]
    assert prediction.coverage == pytest.approx(len(seen) / len(visible) if visible else 1.0)


def test_to_dict_is_json_and_keeps_the_offsets(prediction: Prediction) -> None:
    boxes = (Box(1, 0.123456, 1, 2, 3),)
    located = replace(prediction.entities[0], boxes=boxes, score=0.123456)
    gap, label = Gap(0, 5, "left out"), Label(name="lease", score=0.987654)
    record = json.loads(json.dumps(replace(prediction, entities=(located,), gaps=(gap,), labels=(label,)).to_dict()))
    assert record["document"] == {"name": "lease.txt", "sha256": prediction.document.source.sha256, "pages": 1}
    assert record["gaps"] == [{"start": 0, "end": 5, "reason": "left out"}]
    (named,) = record["labels"]
    assert (named["name"], named["score"], named["start"]) == ("lease", 0.9877, None)
    (found,) = record["entities"]
    assert TEXT[found["start"] : found["end"]] == found["text"] == "Ada & Co. Ltd."
    assert found["score"] == 0.1235
    assert found["boxes"] == [{"page": 1, "x0": 0.12, "y0": 1.0, "x1": 2.0, "y1": 3.0}]


rounded = st.integers(0, 10**4).map(lambda n: n / 10**4)
points = st.integers(-(10**5), 10**5).map(lambda n: n / 100)
boxes = st.lists(st.builds(Box, st.integers(1, 9), points, points, points, points), max_size=2).map(tuple)
amounts = st.decimals(-(10**9), 10**9, places=2)
units = st.sampled_from(["day", "business day", "year"])
values = st.one_of(
    st.none(),
    st.dates(),
    amounts,
    st.builds(Money, amounts, st.sampled_from([None, "USD"])),
    st.builds(Duration, amounts, units),
)


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    """A prediction with scores and boxes as to_dict rounds them."""
    ranges = st.tuples(*[st.integers(0, len(TEXT))] * 2).map(sorted).filter(lambda pair: pair[0] < pair[1])

    def common() -> dict[str, object]:
        start, end = draw(ranges)
        place = {"text": TEXT[start:end], "start": start, "end": end, "page": 1, "boxes": draw(boxes)}
        return {**place, "score": draw(rounded), "section": draw(st.sampled_from([None, "8.3(b)"]))}

    def some(build: Callable[[], object]) -> tuple[object, ...]:
        return tuple(build() for _ in range(draw(st.integers(0, 2))))

    def label() -> Label:
        start, end = draw(st.just((None, None)) | ranges)
        return Label(name="lease", score=draw(rounded), source="kind", start=start, end=end)

    return Prediction(
        document=LEASE,
        entities=some(lambda: Entity(label="PARTY", source="rules", **common())),
        answers=some(lambda: Answer(question="Who?", label="party", value=draw(values), **common())),
        labels=some(label),
        gaps=some(lambda: Gap(*draw(ranges), "left out")),
    )


@given(predictions())
def test_from_dict_restores_what_to_dict_wrote(prediction: Prediction) -> None:
    record = json.loads(json.dumps(prediction.to_dict()))
    restored = Prediction.from_dict(record, prediction.document)
    assert restored == prediction
    assert [type(answer.value) for answer in restored.answers] == [type(answer.value) for answer in prediction.answers]
    assert restored.to_dict() == record


def test_what_is_rounded_stays_rounded(document: Document) -> None:
    exact = replace(entity(document, 33, 36, "PARTY", 0.123456), boxes=(Box(1, 1 / 3, 0, 0, 0),))
    (restored,) = Prediction.from_dict(Prediction(document=document, entities=(exact,)).to_dict(), document).entities
    assert restored == replace(exact, score=0.1235, boxes=(Box(1, 0.33, 0, 0, 0),))


def test_a_line_of_a_file_is_restored(prediction: Prediction, tmp_path: Path) -> None:
    prediction.save(tmp_path / "out.jsonl")
    assert Prediction.from_dict(json.loads((tmp_path / "out.jsonl").read_text()), prediction.document) == prediction


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"document": {"name": "b.txt", "sha256": "0"}}, "is for 'b.txt'; the SHA-256 of 'lease.txt' differs"),
        ({"document": None}, "malformed"),
        ({"status": "error", "message": "b.txt: empty"}, "holds an error, not a prediction: b.txt: empty"),
        ({"entities": [{"text": "Bob"}]}, r"malformed \(entities\[0\]: missing key 'label'\)"),
        ({"answers": [{"text": "Bob"}]}, r"malformed \(answers\[0\]: missing key 'start'\)"),
        ({"answers": 3}, "malformed"),
        ({"labels": [{"name": "x", "score": 1, "colour": "red"}]}, "colour"),
        ({"gaps": [{"start": "0", "end": 5, "reason": ""}]}, "malformed"),
        ({"gaps": [{"start": 0, "end": 500, "reason": ""}]}, "offsets 0:500"),
    ],
)
def test_a_record_of_another_document_or_malformed_is_refused(
    prediction: Prediction, change: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Prediction.from_dict({**prediction.to_dict(), **change}, prediction.document)


@pytest.mark.parametrize("value", [{"amount": "many", "currency": None}, {"amount": "3"}, [1]])
def test_a_malformed_value_is_refused(document: Document, value: object) -> None:
    answer = Answer(question="When?", text="Bob", start=33, end=36, score=0.5, page=1, value=datetime.date(2020, 5, 1))
    record = Prediction(document=document, answers=(answer,)).to_dict()
    record["answers"][0]["value"] = value
    with pytest.raises(DataError, match="malformed"):
        Prediction.from_dict(record, document)


def test_values_are_written_as_json_has_them(document: Document) -> None:
    answer = Answer(question="How much?", text="Bob", start=33, end=36, score=0.5, page=1)
    valued = [replace(answer, value=value) for value in (Money(Decimal("5.00"), "USD"), datetime.date(2020, 5, 1))]
    plain = Prediction(document=document, answers=tuple(valued)).to_dict()["answers"]
    assert [answer["value"] for answer in plain] == [{"amount": "5.00", "currency": "USD"}, "2020-05-01"]


def test_to_pandas_has_a_row_per_entity(prediction: Prediction) -> None:
    frame = prediction.to_pandas()
    assert frame["text"].tolist() == ["Ada & Co. Ltd.", "Ada & Co", "Bob", "1 May 2020"]
    assert [TEXT[start:end] for start, end in zip(frame["start"], frame["end"], strict=True)] == frame["text"].tolist()
    assert "question" not in frame


def test_to_pandas_adds_answers(document: Document) -> None:
    answer = Answer(question="Who?", text="Bob", start=33, end=36, score=0.5, page=1)
    frame = Prediction(document=document, entities=(entity(document, 14, 28, "PARTY"),), answers=(answer,)).to_pandas()
    assert frame["question"].tolist()[1] == "Who?"


def test_to_pandas_has_values_and_sources(document: Document) -> None:
    fee = parse_value("Five Hundred Dollars ($600)", "money")
    answer = Answer(question="How much?", text="Bob", start=33, end=36, score=0.5, page=1, value=fee)
    found = replace(entity(document, 14, 28, "PARTY"), source="rules")
    frame = Prediction(document=document, entities=(found,), answers=(answer,)).to_pandas()
    assert frame["source"].tolist() == ["rules", ""]
    assert frame["value"].tolist() == [None, fee]
    assert frame["alternative"].tolist() == [None, Money(Decimal(600), "USD")]


@pytest.mark.parametrize(
    ("text", "type", "plain"),
    [
        ("Five Hundred Dollars ($600)", "money", {"amount": "600", "currency": "USD"}),
        ("six (5) months", "duration", {"amount": 5, "unit": "month"}),
        ("ten percent (12%)", "percent", 12),
        ("03/04/2020", "date", "2020-04-03"),
        ("$500", "money", None),
        ("a year and a day", "duration", None),
    ],
)
def test_the_other_reading_of_a_value_is_written_and_restored(
    document: Document, text: str, type: FieldType, plain: object
) -> None:
    value = parse_value(text, type)
    answer = Answer(question="?", text="Bob", start=33, end=36, score=0.5, page=1, value=value)
    prediction = Prediction(document=document, answers=(answer,))
    record = json.loads(json.dumps(prediction.to_dict()))
    assert record["answers"][0]["alternative"] == plain
    restored = Prediction.from_dict(record, document).answers[0].value
    assert (restored, alternative_of(restored)) == (value, alternative_of(value))
    del record["answers"][0]["alternative"]  # as older versions wrote it
    assert Prediction.from_dict(record, document).answers[0].value == value


def test_to_pandas_of_an_empty_prediction_has_the_columns(document: Document) -> None:
    assert list(Prediction(document=document).to_pandas().columns)[:2] == ["label", "text"]


def test_to_spacy_keeps_every_entity(prediction: Prediction) -> None:
    doc = prediction.to_spacy()
    group = doc.spans["longdoc"]
    assert doc.text == TEXT
    assert [(s.text, s.label_, s.start_char) for s in group] == [
        (e.text, e.label, e.start) for e in prediction.entities
    ]
    assert group.attrs["scores"] == [0.9] * 4
    assert [span.text for span in doc.ents] == ["Ada & Co. Ltd.", "Bob", "1 May 2020"]


@cache
def blank_english() -> Language:
    return spacy.blank("en")


words = st.text(alphabet="ab'.,-$%1 \n\u00e9\u2019\U0001f600", max_size=40)


@given(words, st.data())
def test_to_spacy_cuts_tokens_where_entities_do(text: str, data: st.DataObject) -> None:
    document = Document.from_text(text)
    edges = [i for i, character in enumerate(text) if not character.isspace()]
    drawn = data.draw(
        st.lists(st.tuples(*[st.sampled_from(edges)] * 2).map(sorted), max_size=4) if edges else st.just([])
    )
    entities = tuple(entity(document, start, end + 1, "X") for start, end in drawn)
    doc = Prediction(document=document, entities=entities).to_spacy(blank_english())
    assert doc.text == text
    assert [span.text for span in doc.spans["longdoc"]] == [e.text for e in entities]


@pytest.mark.parametrize(("method", "package"), [("to_pandas", "pandas"), ("to_spacy", "spacy")])
def test_a_missing_package_is_named(
    prediction: Prediction, monkeypatch: pytest.MonkeyPatch, method: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        MissingDependencyError, match=rf"{method}\(\) needs {package}: pip install 'longdoc\[interop\]'"
    ):
        getattr(prediction, method)()


def test_repr_counts(prediction: Prediction, document: Document) -> None:
    assert repr(prediction) == "Prediction('lease.txt', 4 entities, coverage 100%)"
    assert repr(Prediction(document=document)) == "Prediction('lease.txt', nothing found, coverage 100%)"


def test_save_refuses_an_unknown_suffix(prediction: Prediction, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown suffix '\.docx'; allowed: \.jsonl, \.html"):
        prediction.save(tmp_path / "lease.docx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/lease.html", "must be a file in a folder that exists; there is none called .*missing: create it"),
        ("folder.html", "is a folder; name a file in it"),
    ],
)
def test_save_needs_a_file_in_a_folder_that_exists(
    prediction: Prediction, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError, match=f"{name}: {said}"):
        prediction.save(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.html"]


def test_save_replaces_a_file_once_the_new_one_is_complete(
    prediction: Prediction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lease.jsonl"
    path.write_text("old")
    monkeypatch.setattr(Prediction, "to_dict", lambda self: {"not JSON": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        prediction.save(path)
    assert path.read_text() == "old"
    monkeypatch.undo()
    prediction.save(path)
    assert json.loads(path.read_text())["status"] == "ok"
    assert list(tmp_path.iterdir()) == [path]
