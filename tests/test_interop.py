"""Data frames, plots, displaCy and the component of spaCy."""

import datetime
import pickle
import re
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import spacy
import yaml
from spacy.tokens import Doc

import longdoc
from fakes import FakePipeline, entity
from longdoc import Answer, Document, Gap, Label, Money, Prediction, Section, cli
from longdoc.errors import ConfigError, MissingDependencyError
from longdoc.record_types import Contract, Party
from longdoc.spacy_component import Component

TEXT = "Lease of 14 December 2016 between Ada Ltd. and Bob for $5.\f \fSecond page of $x_1^2$."


@pytest.fixture
def prediction() -> Prediction:
    section = Section(number="1", title="Lease", kind="section", level=1, start=0, end=57)
    document = replace(Document.from_text(TEXT, name="lease.txt"), sections=(section,))
    date, fee = entity(document, 9, 25, "DATE"), entity(document, 55, 57, "x")
    answers = tuple(
        Answer(label=label, text=found.text, start=found.start, end=found.end, score=0.5, page=1, value=value)
        for label, found, value in (
            ("agreement_date", date, datetime.date(2016, 12, 14)),
            ("fee", fee, Money(Decimal(5), "USD")),
            ("far_date", fee, datetime.date(9999, 12, 31)),
            ("first_date", fee, datetime.date(1, 1, 1)),
        )
    )
    found = (entity(document, 34, 42, "PARTY"), entity(document, 34, 37, "ORG"), date)
    spans = (entity(document, 0, 70, "<b> $y_2$", 0.4),)
    return Prediction(
        document=document,
        entities=found,
        spans=spans,
        answers=answers,
        sought=("agreement_date", "fee", "far_date", "first_date", "law"),
        labels=(Label(name="lease", score=0.9),),
        gaps=(Gap(62, 66, "cut"),),
        kind="contract",
        record=Contract(title=answers[0], parties=(Party(name=answers[1]),)),
    )


# ------------------------------------------------------------------------------------------------------------- pandas


def test_columns_of_fields_have_types(prediction: Prediction) -> None:
    frame = prediction.to_pandas("fields")
    assert frame["date"].tolist()[0] == pd.Timestamp("2016-12-14") and frame["date"].dt.year.max() == 9999
    assert str(frame["date"].dtype) == "datetime64[s]"
    fee = frame[frame["field"] == "fee"].iloc[0]
    assert (fee["number"], fee["unit"], fee["value"]) == (5.0, "USD", "USD 5")
    missing = frame[frame["state"] == "not found"]
    assert missing["field"].tolist() == ["law"] and missing["start"].isna().all()
    types = {name: str(frame[name].dtype) for name in ("field", "start", "page", "number", "check", "text", "score")}
    assert types == {
        **{"field": "category", "start": "Int64", "page": "Int32", "number": "Float64", "check": "boolean"},
        **{"text": "string", "score": "Float64"},
    }


@pytest.mark.parametrize("table", ["findings", "entities", "fields", "records", "labels", "sections", "pages"])
def test_an_empty_table_has_the_types_of_a_full_one(prediction: Prediction, table: str) -> None:
    full, empty = prediction.to_pandas(table), Prediction(document=Document.from_text("")).to_pandas(table)
    assert set(empty.columns) <= set(full.columns) and len(full) >= max(len(empty), 1)
    assert {name: str(full[name].dtype) for name in empty}.items() >= {
        name: str(empty[name].dtype) for name in empty if empty[name].dtype != object
    }.items()


def test_an_unknown_table_is_refused(prediction: Prediction) -> None:
    with pytest.raises(ConfigError, match=r"unknown table 'entitys'; allowed: findings, .*did you mean 'entities'"):
        prediction.to_pandas("entitys")


# -------------------------------------------------------------------------------------------------------------- plots


def words_of(picture: object) -> str:
    axes = [text for each in picture.axes for text in (*each.texts, *each.get_yticklabels(), each.xaxis.label)]
    return " | ".join(text.get_text() for text in (*picture.texts, *axes) if text.get_text())


def test_a_plot_says_what_was_found_and_read(prediction: Prediction, tmp_path: Path) -> None:
    picture = prediction.plot(tmp_path / "a.svg", dark=True)
    assert "<svg" in (tmp_path / "a.svg").read_text()
    said = words_of(picture)
    for expected in ("3 pages", "8 findings", "1 place not read", "without text: page 2", "5 of 8 below 0.7"):
        assert expected in said
    assert "<b> $y 2$" in said and "agreement date  14 Dec 2016" in said
    assert re.search(r"9\d\.\d % read", said)
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_an_empty_prediction_is_drawn() -> None:
    said = words_of(Prediction(document=Document.from_text("")).plot())
    assert all(each in said for each in ("no text", "Nothing was found.", "No scores.", "No dates."))


def test_many_gaps_and_pages_without_text_are_drawn_at_once() -> None:
    document = Document.from_text("\f".join(["word", " "] * 100))
    gaps = tuple(Gap(page.start, page.start + 1, "cut") for page in document.pages[::2])
    coverage = Prediction(document=document, gaps=gaps).plot().axes[2]
    drawn = [len(each.get_paths()) for each in coverage.collections]
    assert (drawn, len(coverage.patches)) == ([100, 100], 1)


def test_many_labels_share_a_row_and_dates_without_room_are_ticks() -> None:
    document = Document.from_text("word " * 400 + "東京")
    marks = tuple(entity(document, 5 * n, 5 * n + 4, f"LABEL {n % 40}") for n in range(400))
    days = [datetime.date(2020, 1, 1 + n) for n in range(20)]
    answers = tuple(
        Answer(label=f"date {n}", text="word", start=5 * n, end=5 * n + 4, score=1, page=1, value=day)
        for n, day in enumerate(days)
    )
    picture = Prediction(document=document, entities=marks, answers=answers).plot()
    said = words_of(picture)
    assert "48 other labels" in said and re.search(r"1\d other dates as ticks", said)
    boxes = [each.get_window_extent() for each in picture.axes[-1].texts if "Jan 2020" in each.get_text()]
    assert len(boxes) > 4
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[:at])


def test_a_plot_refuses_what_is_no_picture(prediction: Prediction, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown suffix '\.docx'; pictures are \.png, \.svg, \.pdf"):
        prediction.plot(tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())


def test_a_plot_names_the_extra(prediction: Prediction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"plot\(\) needs matplotlib.*longdoc\[plot\]"):
        prediction.plot()


def test_the_command_draws_a_picture_for_each_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lease.txt").write_text("Ada Ltd. signs on May 1, 2020.")
    paths = [str(tmp_path / folder) for folder in ("a", "b")]
    assert cli.main(["plot", *paths, "-o", str(tmp_path / "one.png")]) == 2
    assert "is one picture for 2 documents" in capsys.readouterr().err
    assert cli.main(["plot", *paths, "-o", f"{tmp_path}/out/"]) == 2
    assert "several documents are called lease.txt" in capsys.readouterr().err
    (tmp_path / "a" / "loan.txt").write_text("Bob Ltd. pays.")
    assert cli.main(["plot", paths[0], "-o", f"{tmp_path}/out/", "--dark"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lease.txt.png", "loan.txt.png"]
    assert cli.main(["plot", paths[0], "-o", f"{tmp_path}/out/"]) == 2
    assert "exists; name another file, or replace it with --overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["lease.png", "lease.png.part"])
def test_the_command_replaces_no_document_by_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    paths = [tmp_path / "lease", tmp_path / other]
    for path in paths:
        path.write_text("Ada Ltd. signs.")
    assert cli.main(["plot", *map(str, paths), "-o", f"{tmp_path}/", "--overwrite"]) == 2
    assert "lease.png: one of the documents to read would be replaced" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == paths and paths[1].read_text() == "Ada Ltd. signs."


# -------------------------------------------------------------------------------------------------------------- spaCy


def test_displacy_draws_all_findings_and_escapes_labels(prediction: Prediction) -> None:
    ents, spans = longdoc.displacy(prediction), longdoc.displacy(prediction, "span")
    assert "PARTY" in ents and "ORG" not in ents
    for label in ("PARTY", "ORG", "DATE", "&lt;b&gt; $y_2$", "agreement_date"):
        assert label in spans
    assert "<b>" not in ents + spans
    with pytest.raises(ConfigError, match="unknown style 'dep'; allowed: ent, span"):
        longdoc.displacy(prediction, "dep")


def test_the_component_finds_what_a_pipeline_finds(pipeline: longdoc.Pipeline) -> None:
    nlp, texts = spacy.blank("en"), ["Acme Incorporated and Zenith LLC.", "", "The patient was given aspirin."]
    component = Component(pipeline)
    docs = list(component.pipe(map(nlp, texts)))
    for doc, text in zip(docs, texts, strict=True):
        expected = pipeline(Document.from_text(text)).entities
        assert doc.text == text
        assert doc.spans["longdoc"].attrs["offsets"] == [[each.start, each.end] for each in expected]
        np.testing.assert_allclose(doc.spans["longdoc"].attrs["scores"], [each.score for each in expected], rtol=1e-5)
    assert any(docs[0].spans["longdoc"])
    assert component(nlp(texts[0])).spans["longdoc"].attrs == docs[0].spans["longdoc"].attrs


def test_the_component_does_not_wait_for_a_batch_of_spacy(pipeline: longdoc.Pipeline) -> None:
    nlp, asked = spacy.blank("en"), []
    docs = (asked.append(number) or nlp("") for number in range(5))
    next(Component(pipeline).pipe(docs, batch_size=1000))
    assert asked == [0]


def test_the_component_keeps_the_entities_of_others_where_it_has_none(pipeline: longdoc.Pipeline) -> None:
    doc = Doc(spacy.blank("en").vocab, words=["Acme", "here"], ents=["B-ORG", "B-X"])
    component = Component(pipeline, min_score=1.0)
    assert [span.label_ for span in component(doc).ents] == ["ORG", "X"]


def test_a_pipeline_of_spacy_is_saved_and_loaded_with_the_component(
    tmp_path: Path, model: object, pipeline: longdoc.Pipeline
) -> None:
    model.save(tmp_path / "model")
    nlp = spacy.blank("en")
    config = {"model": str(tmp_path / "model"), "device": "cpu", "precision": "float32", "tasks": ["contract"]}
    nlp.add_pipe("longdoc", config=config)
    nlp.to_disk(tmp_path / "nlp")
    text = "Acme Incorporated and Zenith LLC."
    expected = [each.text for each in pipeline(Document.from_text(text), tasks=["contract"]).entities]
    for each in (nlp, spacy.load(tmp_path / "nlp")):
        (doc,) = each.pipe([text], batch_size=2)
        assert [span.text for span in doc.spans["longdoc"]] == expected
    assert pickle.loads(pickle.dumps(doc))._.longdoc_coverage == doc._.longdoc_coverage


def test_spacy_finds_the_component_by_an_entry_point() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    section = text.partition("[project.entry-points.spacy_factories]\n")[2].partition("\n\n")[0]
    assert yaml.safe_load(section.replace(" = ", ": ")) == {"longdoc": "longdoc.spacy_component:component"}


def test_long_words_cost_spacy_no_more_than_short_ones() -> None:
    text = "a" * 100_000 + " b"
    doc = Prediction(document=Document.from_text(text)).to_spacy()
    assert doc.text == text and max(len(token) for token in doc) == 500
