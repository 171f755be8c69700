"""Predictions: the offset law, the coverage receipt, and the way into other tools."""

import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from fakes import entity
from longdoc import Answer, Box, Document, Gap, Label, LongdocError, Prediction

TEXT = "Lease between Ada & Co. Ltd. and Bob.\nMade on 1 May 2020."


@pytest.fixture
def document() -> Document:
    return Document.from_text(TEXT, name="lease.txt")


@pytest.fixture
def prediction(document: Document) -> Prediction:
    found = [(14, 28, "PARTY"), (14, 22, "ORG"), (33, 36, "PARTY"), (46, 56, "DATE")]
    return Prediction(document=document, entities=tuple(entity(document, *place) for place in found))


@pytest.mark.parametrize("change", [{"text": "Bob"}, {"start": 13}, {"end": 27}])
def test_an_entity_must_stand_where_it_says(document: Document, change: dict[str, object]) -> None:
    wrong = replace(entity(document, 14, 28, "PARTY"), **change)
    with pytest.raises(ValueError, match="does not stand at"):
        Prediction(document=document, entities=(wrong,))


def test_an_answer_must_stand_where_it_says(document: Document) -> None:
    answer = Answer(question="Who?", text="Bob", start=32, end=35, score=0.5, page=1)
    with pytest.raises(ValueError, match="'Bob' does not stand at 32:35; ' Bo' does"):
        Prediction(document=document, answers=(answer,))


@pytest.mark.parametrize("place", [(5, 5), (-1, 4), (0, 1000)])
def test_a_gap_must_be_part_of_the_text(document: Document, place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not a part of a text of"):
        Prediction(document=document, gaps=(Gap(*place, "too long"),))


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


def test_to_pandas_has_a_row_an_entity(prediction: Prediction) -> None:
    frame = prediction.to_pandas()
    assert frame["text"].tolist() == ["Ada & Co. Ltd.", "Ada & Co", "Bob", "1 May 2020"]
    assert [TEXT[start:end] for start, end in zip(frame["start"], frame["end"], strict=True)] == frame["text"].tolist()
    assert "question" not in frame


def test_to_pandas_adds_answers(document: Document) -> None:
    answer = Answer(question="Who?", text="Bob", start=33, end=36, score=0.5, page=1)
    frame = Prediction(document=document, entities=(entity(document, 14, 28, "PARTY"),), answers=(answer,)).to_pandas()
    assert frame["question"].tolist()[1] == "Who?"


def test_to_pandas_of_nothing_has_the_columns(document: Document) -> None:
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
    with pytest.raises(ImportError, match="pip install"):
        getattr(prediction, method)()


def test_repr_counts(prediction: Prediction, document: Document) -> None:
    assert repr(prediction) == "Prediction('lease.txt', 4 entities, coverage 100%)"
    assert repr(Prediction(document=document)) == "Prediction('lease.txt', nothing found, coverage 100%)"


def test_save_refuses_an_unknown_suffix(prediction: Prediction, tmp_path: Path) -> None:
    with pytest.raises(LongdocError, match=r"must name a format \(\.html, \.jsonl\), got '\.docx'"):
        prediction.save(tmp_path / "lease.docx")
    assert not list(tmp_path.iterdir())
