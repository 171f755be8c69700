"""Formats of annotation tools: each is written, read back, and holds the same ranges of the same text."""

import io
import json
import pickle
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.training.converters import conll_ner_to_docs

import longdoc
from fakes import FakePipeline, entity
from longdoc import Answer, Box, Document, Entity, Gap, Label, OutputWarning, Prediction, cli
from longdoc.datasets import Example, read_brat, read_conll, read_jsonl, read_label_studio, read_spacy
from longdoc.edits import Edits
from longdoc.errors import ConfigError, CorruptDocumentError
from longdoc.outputs import FORMATS, Outcome
from longdoc.outputs.omissions import Omissions
from longdoc.outputs.spacy_doc import annotate
from longdoc.values import parse_value

TOOLS = ("conll", "brat", "label-studio", "spacy", "web-annotation", "doccano")
TEXT = 'Ada & Co.\r\nLtd. \U0001f600 pays\t"5" EUR\nto שָׁלוֹם עולם, cafe\u0301 Zoë.\fEnd of it'
PLACES = (
    (0, 15, "Governing Law"),  # at the start, over a Windows line end
    (0, 3, "ORG"),  # within the one before
    (8, 20, "ORG"),  # overlaps it
    (16, 17, "100%20 |odd\t"),
    (18, 26, "tab"),
    (TEXT.index("שָׁ"), TEXT.index("עולם") + 4, "RTL"),
    (TEXT.index("cafe"), TEXT.index("cafe") + 5, "combining"),
    (TEXT.index("Zoë"), TEXT.index("End") + 3, "PAGES"),  # over a form feed
    (len(TEXT) - 2, len(TEXT), "last"),
)


def predict(text: str, places: Sequence[tuple[int, int, str]]) -> Prediction:
    document = Document.from_text(text, name="a/b c.txt")
    return Prediction(document=document, entities=tuple(entity(document, *place) for place in places))


def written(format: str, *predictions: Prediction) -> bytes:
    stream = io.BytesIO() if FORMATS[format].binary else io.StringIO()
    FORMATS[format].write([Outcome(each.document.source.name, each) for each in predictions], stream)
    content = stream.getvalue()
    return content if isinstance(content, bytes) else content.encode()


def read_back(format: str, content: bytes, folder: Path) -> list[Example]:
    """What longdoc's own reader of a format makes of it."""
    file = folder / f"file.{format}"
    file.write_bytes(content)
    if format == "conll":
        return list(read_conll(file, tag_column=3, sentences_per_document=10**6))
    if format == "brat":
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder / "brat")
        return list(read_brat(folder / "brat"))
    if format == "label-studio":
        tasks = json.loads(content)
        for task in tasks:  # as a person does who accepts the predictions
            task["annotations"] = [{"result": task.pop("predictions")[0]["result"]}]
        file.write_text(json.dumps(tasks))
        return list(read_label_studio(file))
    return list(read_spacy(file, span_group="longdoc") if format == "spacy" else read_jsonl(file))


def trimmed(text: str, place: tuple[int, int, str]) -> tuple[int, int, str]:
    """A place without the white space at its ends."""
    start, end, label = place
    own = text[start:end]
    return start + len(own) - len(own.lstrip()), start + len(own.rstrip()), label


def tagged(content: bytes) -> list[tuple[int, int, str]]:
    """The ranges that the columns and tags of a CoNLL file have."""
    found: list[tuple[int, int, str]] = []
    for line in content.decode().split("\n"):
        if line and "DOCSTART" not in line:
            _, start, end, tag = line.split(" ")
            if tag.startswith("B-"):
                found.append((int(start), int(end), unquote(tag[2:])))
            elif tag.startswith("I-"):
                found[-1] = (found[-1][0], int(end), found[-1][2])
    return found


def marked(example: Example) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in example.spans]


@pytest.mark.parametrize("format", ["brat", "label-studio", "spacy", "doccano"])
def test_ranges_and_labels_are_read_back(format: str, tmp_path: Path) -> None:
    prediction = predict(TEXT, PLACES)
    (example,) = read_back(format, written(format, prediction), tmp_path)
    assert marked(example) == list(PLACES)
    assert example.text == (TEXT.replace("\r\n", " \n") if format == "brat" else TEXT)


def test_conll_has_one_tag_a_token_and_the_place_of_each_token(tmp_path: Path) -> None:
    prediction = predict(TEXT, PLACES)
    with pytest.warns(OutputWarning, match="conll does not hold everything: findings that overlap longer ones: 2"):
        content = written("conll", prediction)
    rows = [line.split(" ") for line in content.decode().splitlines() if line and "DOCSTART" not in line]
    assert all(TEXT[int(start) : int(end)] == token for token, start, end, _ in rows)
    assert "".join(token for token, *_ in rows) == "".join(TEXT.split())
    (example,) = read_back("conll", content, tmp_path)
    kept = [place for place in PLACES if place not in (PLACES[1], PLACES[2])]
    assert [(span.label, "".join(example.text[span.start : span.end].split())) for span in example.spans] == [
        (label, "".join(TEXT[start:end].split())) for start, end, label in kept
    ]
    assert tagged(content) == [trimmed(TEXT, place) for place in kept]
    docs = list(conll_ner_to_docs(content.decode(), no_print=True))
    assert [span.label_ for doc in docs for span in doc.ents] == [line[3][2:] for line in rows if line[3][0] == "B"]


def test_conll_keeps_sentences_and_what_crosses_them() -> None:
    text = "One is here. Two is here. Three is here."
    lines = written("conll", predict(text, [(13, 31, "X")])).decode().split("\n\n")
    sentences = [" ".join(line.split(" ")[0] for line in part.splitlines()) for part in lines[1:] if part]
    assert sentences == ["One is here .", "Two is here . Three is here ."]


def test_brat_lines_are_as_brat_checks_them() -> None:
    with zipfile.ZipFile(io.BytesIO(written("brat", predict(TEXT, PLACES), predict(TEXT, ())))) as archive:
        names = archive.namelist()
        text = io.TextIOWrapper(archive.open("b_c.txt.txt"), encoding="utf-8").read()  # with universal line ends
        lines = archive.read("b_c.txt.ann").decode().splitlines()
        types = archive.read("annotation.conf").decode().partition("[relations]")[0].split()[1:]
    assert names == ["b_c.txt.txt", "b_c.txt.ann", "b_c.txt_2.txt", "b_c.txt_2.ann", "annotation.conf", "visual.conf"]
    for line in lines[::2]:
        _, data, words = line.split("\t", 2)
        type, _, ranges = data.partition(" ")
        fragments = [tuple(map(int, each.split())) for each in ranges.split(";")]
        assert " ".join(text[start:end] for start, end in fragments) == words and type in types
        assert re.fullmatch("[a-zA-Z0-9_-]+", type)


def test_a_brat_folder_of_others_keeps_its_types(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ada")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\n")
    (tmp_path / "visual.conf").write_text("[labels]\nPER | Person | P\n")
    assert marked(next(read_brat(tmp_path))) == [(0, 3, "PER")]


def test_a_brat_folder_has_the_labels_of_the_nearest_configuration(tmp_path: Path) -> None:
    for folder, label in (("own", "a b"), ("own/deep", ""), ("other", "c d"), ("none", "")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("Ada")
        (tmp_path / folder / "a.ann").write_text("T1\tA_B 0 3\tAda\n")
        if label:
            (tmp_path / folder / "visual.conf").write_text(f"# longdoc\n[labels]\nA_B | {label}\n")
    labels = {example.id: example.spans[0].label for example in read_brat(tmp_path)}
    assert labels == {"own/a": "a b", "own/deep/a": "a b", "other/a": "c d", "none/a": "A_B"}


def test_web_annotations_select_the_words_that_were_found() -> None:
    section = Label(name="Waiver", score=0.5, start=0, end=4)
    prediction = replace(predict(TEXT, PLACES), labels=(Label(name="Lease", score=0.8), section))
    collection = json.loads(written("web-annotation", prediction, predict("no", [])))
    items = collection["first"]["items"]
    assert (collection["total"], len({item["id"] for item in items})) == (11, 11)
    for item, (start, end, label) in zip(items, PLACES, strict=False):
        position, quote = item["target"]["selector"]
        assert (position["start"], position["end"], quote["exact"]) == (start, end, TEXT[start:end])
        assert f"{quote['prefix']}{quote['exact']}{quote['suffix']}" == TEXT[max(start - 32, 0) : end + 32]
        assert [body["value"] for body in item["body"]] == [label]
    assert [item["body"][0]["value"] for item in items[9:]] == ["Lease", "Waiver"]
    assert "selector" not in items[9]["target"] and items[10]["target"]["selector"][0]["end"] == 4


@pytest.fixture(scope="module")
def on_pages() -> Prediction:
    """A finding of two lines, one over two pages, and one without a place, in a PDF."""
    document = longdoc.load(Path(__file__).parents[1] / "examples" / "hyatt-playa-strategic-alliance.pdf")
    start, first = document.text.index("December 14, 2016"), document.pages[0].end
    found = [entity(document, start, start + 150, "PARTY"), entity(document, first - 30, first + 30, "CLAUSE")]
    answer = Answer(label="date", text=document.text[:9], start=0, end=9, score=0.5, page=1)
    return Prediction(document=document, entities=tuple(found), answers=(answer,))


def test_label_studio_has_rectangles_in_percent_of_the_pages(on_pages: Prediction) -> None:
    with pytest.warns(OutputWarning, match="findings without boxes: 1"):
        (task,) = json.loads(written("label-studio-pages", on_pages))
    pages, results = on_pages.document.pages, task["predictions"][0]["result"]
    folder = f"/data/local-files/?d=longdoc/{on_pages.document.source.name}"
    assert task["data"]["pages"] == [f"{folder}/{page.number}.png" for page in pages]
    assert {result["item_index"] for result in results} == {0, 1}
    for result, box in zip(results, [box for each in on_pages.entities for box in each.boxes], strict=True):
        page, value = pages[result["item_index"]], result["value"]
        across, down = page.width / 100, page.height / 100
        back = (value["x"], value["y"], value["x"] + value["width"], value["y"] + value["height"])
        expected = (box.x0 / across, box.y0 / down, box.x1 / across, box.y1 / down)
        assert page.number == box.page and back == pytest.approx(expected, abs=0.001)


@pytest.mark.filterwarnings("ignore::longdoc.OutputWarning")
def test_label_studio_has_a_folder_of_pages_for_each_document(on_pages: Prediction) -> None:
    tasks = json.loads(written("label-studio-pages", on_pages, on_pages))
    folders = [task["data"]["pages"][0].removesuffix("/1.png") for task in tasks]
    assert folders[1] == f"{folders[0]}_2"


def test_classes_have_their_scores() -> None:
    labels = (Label(name="lease", score=0.8), Label(name="loan", score=0.25))
    prediction = replace(predict("Ada", []), labels=labels)
    assert json.loads(written("doccano", prediction))["label_scores"] == [0.8, 0.25]
    ((task,), meta) = (
        json.loads(written("label-studio", prediction)),
        {"text": ["lease: score 0.8000", "loan: score 0.2500"]},
    )
    assert task["predictions"][0]["result"][0]["meta"] == meta


def test_web_annotations_of_a_pdf_name_the_page(on_pages: Prediction) -> None:
    items = json.loads(written("web-annotation", on_pages))["first"]["items"]
    assert [item["target"]["selector"][2]["value"] for item in items] == ["page=1"] * 3


def test_spacy_keeps_everything_through_its_own_formats(on_pages: Prediction) -> None:
    prediction = replace(on_pages, labels=(Label(name="lease", score=0.7),))
    (binned,) = DocBin().from_bytes(written("spacy", prediction)).get_docs(spacy.blank("en").vocab)
    for doc in (prediction.to_spacy(), binned, pickle.loads(pickle.dumps(prediction.to_spacy()))):
        assert doc.text == prediction.document.text and doc.cats == {"lease": 0.7}
        party, clause = doc.spans["longdoc"]
        assert (party.text, party._.longdoc_page) == (prediction.entities[0].text, 1)
        assert [Box(*box) for box in clause._.longdoc_boxes] == list(prediction.entities[1].boxes)
        attrs = doc.spans["longdoc"].attrs
        assert (attrs["scores"], attrs["pages"]) == ([0.9, 0.9], [1, 1])
        assert [Box(*box) for box in attrs["boxes"][1]] == list(prediction.entities[1].boxes)
        assert [span.label_ for span in doc.spans["longdoc_answers"]] == ["date"]
        sections = [prediction.document.text[s.start : s.end] for s in prediction.document.sections]
        assert [span.text for span in doc.spans["longdoc_sections"]] == sections
        assert doc._.longdoc_coverage == 1.0


EDGES = st.lists(st.tuples(st.integers(0, 29), st.integers(1, 12), st.sampled_from(["A", "B C", "%"])), max_size=6)


@pytest.mark.filterwarnings("ignore::longdoc.OutputWarning")
@pytest.mark.parametrize("format", [name for name in TOOLS if name != "spacy"])
@settings(max_examples=40)
@given(text=st.text(st.sampled_from("aB.1 \r\n\t\f\U0001f600\u0301\u05d0\u2028\x00"), max_size=30), edges=EDGES)
def test_every_format_holds_the_same_ranges(format: str, text: str, edges: list, tmp_path_factory) -> None:
    places = [(start, min(start + n, len(text)), label) for start, n, label in edges if start < len(text)]
    content = written(format, predict(text, places))
    if format == "web-annotation":
        items = json.loads(content)["first"]["items"]
        found = [(item["target"]["selector"][0], item["body"][0]["value"]) for item in items]
        assert [(place["start"], place["end"], label) for place, label in found] == places
        return
    examples = read_back(format, content, tmp_path_factory.mktemp("read"))
    if format == "conll":
        words = [trimmed(text, place) for place in places if text[place[0] : place[1]].strip()]
        found = tagged(content)
        assert set(found) <= set(words)
        assert all(left[1] <= right[0] for left, right in pairwise(found))
        for start, end, _ in words:  # it is there, or what is there instead is not shorter
            assert any(s < end and start < e and e - s >= end - start for s, e, _ in found)
        assert len([span for example in examples for span in marked(example)]) == len(found)
        assert "".join("".join(example.text.split()) for example in examples) == "".join(text.split())
    elif format == "brat":
        assert {place for place in marked(examples[0]) if place in places} >= {
            place
            for place in places
            if text[place[0] : place[1]] == text[place[0] : place[1]].strip("\r\n\f\u2028") != ""
            and text[place[0] : place[1]].strip()
        }
    else:
        assert marked(examples[0]) == places and examples[0].text == text


@pytest.mark.parametrize("format", [*TOOLS, "label-studio-pages"])
def test_an_empty_prediction_is_written_and_a_failure_told(format: str) -> None:
    stream = io.BytesIO() if FORMATS[format].binary else io.StringIO()
    outcomes = [Outcome("bad.pdf", CorruptDocumentError("no")), Outcome("empty", predict("", []))]
    with pytest.warns(OutputWarning, match=rf"the format {format} does not .*documents that could not be read: 1"):
        FORMATS[format].write(outcomes, stream)
    assert stream.getvalue()


def test_what_a_format_leaves_out_is_counted(tmp_path: Path) -> None:
    prediction = replace(predict("a  b", [(1, 3, "X"), (0, 1, "Y")]), labels=(Label(name="x", score=1),))
    author = Answer(text="Ada", start=0, end=0, score=1, page=1)
    beside = replace(prediction, gaps=(Gap(0, 1, "cut"),), beside=(author,))
    said = (
        "places that the model did not read: 1; classes: 1; values that only the metadata of a file have: 1; "
        "findings of white space alone: 1"
    )
    for format in ("conll", "brat"):
        with pytest.warns(OutputWarning, match=said):
            beside.save(tmp_path / "file", format=format)


def test_lone_surrogates_keep_their_place(tmp_path: Path) -> None:
    document = Document.from_text("a\ud800b Ada", edits=Edits.of(()))
    found = Entity(text="Ada", label="x\udce9", start=4, end=7, score=1, page=1)
    for format in TOOLS:
        with pytest.warns(OutputWarning, match=r"written as U\+FFFD: 1"):
            content = written(format, Prediction(document=document, entities=(found,)))
        if format not in ("conll", "web-annotation"):
            (example,) = read_back(format, content, tmp_path)
            assert (example.text, marked(example)) == ("a\ufffdb Ada", [(4, 7, r"x\udce9")])


def test_values_and_doubts_go_with_the_finding(tmp_path: Path) -> None:
    document = Document.from_text("Pay $5 now")
    value = parse_value("$5", "money")
    fee = Answer(label="fee", text="$5", start=4, end=6, score=0.5, page=1, check=True, value=value)
    prediction = Prediction(document=document, answers=(fee,))
    for format in ("doccano", "label-studio", "web-annotation"):
        assert "value USD 5, check" in written(format, prediction).decode()
    with zipfile.ZipFile(io.BytesIO(written("brat", prediction))) as archive:
        assert archive.read("text.ann").decode().endswith("\tscore 0.5000, value USD 5, check\n")
    with pytest.warns(OutputWarning, match="findings whose value or check mark is left out: 1"):
        written("conll", prediction)


def test_spacy_keeps_the_places_of_two_findings_in_one_token() -> None:
    document = Document.from_text("AdaBob")
    found = (replace(entity(document, 0, 3, "A"), section="1"), replace(entity(document, 3, 6, "A"), page=2))
    doc = spacy.blank("en")("AdaBob")
    annotate(doc, Prediction(document=document, entities=found), Omissions())
    attrs = doc.spans["longdoc"].attrs
    assert (attrs["pages"], attrs["sections"], attrs["boxes"]) == ([1, 2], ["1", None], [[], []])


def test_an_answer_without_a_field_is_labelled_with_its_question() -> None:
    answer = Answer(question="Who?", text="Ada", start=0, end=3, score=1, page=1)
    record = json.loads(written("doccano", Prediction(document=Document.from_text("Ada"), answers=(answer,))))
    assert record["label"] == [[0, 3, "Who?"]]


def test_the_command_writes_a_folder_in_a_format_and_tells_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Ada Ltd. and Bob Inc.")
    (tmp_path / "in" / "b.txt").write_bytes(b"")
    out = tmp_path / "out.zip"
    with pytest.warns(OutputWarning, match="documents that could not be read: 1"):
        assert cli.main(["extract", str(tmp_path / "in"), "--format", "brat", "-o", str(out)]) == 1
    assert "b.txt" in capsys.readouterr().err
    assert zipfile.ZipFile(out).namelist()[:2] == ["a.txt.txt", "a.txt.ann"]
    assert cli.main(["extract", str(tmp_path / "in"), "--format", "brat"]) == 2
    assert "name a file: -o FILE --format brat" in capsys.readouterr().err


def test_a_suffix_that_several_formats_have_needs_the_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown suffix '\.json'.*chosen by name.*label-studio"):
        predict("a", []).save(tmp_path / "tasks.json")
