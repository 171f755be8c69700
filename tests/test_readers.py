"""Readers of annotation formats and their errors; checks of the examples they yield."""

import csv
import inspect
import json
import re
from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.tokens import Span as SpacySpan

from conftest import make_tokenizer
from longdoc.config import from_dict, to_dict
from longdoc.datasets import (
    READERS,
    DatasetConfig,
    Example,
    Question,
    Reader,
    ReaderConfig,
    Remarks,
    SpacyConfig,
    check_overlaps,
    data_root,
    from_datasets,
    misaligned,
    read_brat,
    read_classes,
    read_conll,
    read_contract_marks,
    read_contract_nli,
    read_contract_nli_questions,
    read_dataset,
    read_jsonl,
    read_label_studio,
    read_pubtator,
    read_spacy,
    read_squad,
    yields,
)
from longdoc.errors import ConfigError, DataError
from longdoc.labels import Span, decode_tags, encode_bio
from longdoc.windows import tokenize, word_offsets

TEXT = "💩 Acme pays Zürich.\nOvarian and breast cancer."


def marked(example):
    return [(span.label, example.text[span.start : span.end]) for span in example.spans]


def conll(path):
    return list(read_conll(path, token_column=0, tag_column=1))


def label_studio(path, tasks, **columns):
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return list(read_label_studio(path, **{"text_column": "text", "label_column": "label", **columns}))


def classes(path):
    return list(read_classes(path, text_column="text", label_column="label"))


@st.composite
def documents(draw):
    """A text with line ends and characters outside the basic plane, and spans of it that are not only white space."""
    text = draw(st.text(st.sampled_from("aB .\n💩é"), min_size=1, max_size=30))
    places = draw(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 9)), max_size=5))
    spans = [Span(a, min(a + n, len(text)), "X") for a, n in places if a < len(text)]
    return text, tuple(span for span in spans if text[span.start : span.end].strip())


# ---------------------------------------------------------------------------------------------------------------- BRAT


def brat(folder, text, marks, name="a.b"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(marks.encode())
    return folder


def test_brat_reads_entities_and_ignores_the_rest(tmp_path):
    marks = (
        "T1\tORG 2 6\tAcme\r\nR1\tPays Arg1:T1 Arg2:T2\r\n\r\nT2\tLOC 12 18\tZürich\r\n#1\tAnnotatorNotes T1\tnote\r\n"
        "T3\tDIS 20 27;39 45\tOvarian cancer\r\nT4\tLINE 12 19;20 27\tZürich. Ovarian\r\n*\tEquiv T1 T2\r\n"
    )
    folder = brat(tmp_path / "corpus", TEXT, marks)
    brat(folder / "more", "nothing", "", name="b")
    first, second = read_brat(folder)
    covering = "Ovarian and breast cancer"  # the gap is included, and so is the line end that BRAT leaves out
    assert marked(first) == [("ORG", "Acme"), ("LOC", "Zürich"), ("DIS", covering), ("LINE", "Zürich.\nOvarian")]
    assert (first.id, first.text, second) == ("a.b", TEXT, Example("more/b", "nothing"))
    assert list(read_brat(folder / "a.b.txt")) == [first]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("T1\tORG 3 7\tAcme", r"text\[3:7\] is 'cme ', expected 'Acme'; offsets count characters"),
        ("T1\tORG 2 6", "not a BRAT annotation"),
        ("T1\tORG 2 2\t", "start < end"),
        ("T1\tORG 40 60\tcancer", "beyond the text of 46 characters"),
        ("T1\tORG 2-6\tAcme", "unpack"),
        ("T1\tDIS 20 27;39 45\tOvarian breast", "'Ovarian cancer', expected 'Ovarian breast'"),
        ("Acme pays", "not a BRAT annotation"),
        ("T1\tORG 1 6\tAcme", "' Acme', expected 'Acme'"),
    ],
)
def test_brat_names_the_line_of_a_wrong_annotation(tmp_path, line, said):
    folder = brat(tmp_path, TEXT, f"T0\tORG 2 6\tAcme\n{line}\n")
    with pytest.raises(DataError, match=rf"a\.b\.ann, line 2: .*{said}"):
        list(read_brat(folder))


WINDOWS = "John 💩 loves Mary.\r\nHe married her.\r\n\r\nThey left."


def offset_in(text, index, *, crlf_once, utf16):
    """An offset as another tool counts it, one character at a time."""
    before = text[:index].replace("\r\n", "\n") if crlf_once else text[:index]
    return sum(1 + (utf16 and character > "\uffff") for character in before)


@pytest.mark.parametrize("crlf_once", [False, True])
@pytest.mark.parametrize("utf16", [False, True])
def test_offsets_with_texts_are_read_however_they_count(tmp_path, crlf_once, utf16):
    words = ["John", "Mary", "He", "her", "They", "Mary.\r\nHe"]
    starts = [WINDOWS.index(word) for word in words]
    places = [
        (
            offset_in(WINDOWS, a, crlf_once=crlf_once, utf16=utf16),
            offset_in(WINDOWS, b, crlf_once=crlf_once, utf16=utf16),
        )
        for a, b in ((start, start + len(word)) for start, word in zip(starts, words, strict=True))
    ]
    lines = [
        f"T{n}\tX {a} {b}\t{' '.join(word.split())}\n"
        for n, (word, (a, b)) in enumerate(zip(words, places, strict=True))
    ]
    wanted = [("X", word) for word in words]
    (example,) = read_brat(brat(tmp_path, WINDOWS, "".join(lines)))
    assert (example.text, marked(example)) == (WINDOWS, wanted)
    entities = [{"start": a, "end": b, "text": word, "label": "X"} for word, (a, b) in zip(words, places, strict=True)]
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": WINDOWS, "entities": entities}))
    (example,) = read_jsonl(tmp_path / "a.jsonl")
    assert marked(example) == wanted
    regions = [region(a, b, word.replace("\r\n", "\n"), "X") for word, (a, b) in zip(words, places, strict=True)]
    (example,) = label_studio(tmp_path / "a.json", [{"id": 1, "text": WINDOWS, "label": regions}])
    assert marked(example) == wanted
    answers = [{"answer_start": a, "text": word} for word, (a, _) in zip(words, places, strict=True)]
    record = {"data": [{"paragraphs": [{"context": WINDOWS, "qas": [{"id": 1, "question": "?", "answers": answers}]}]}]}
    (tmp_path / "squad.json").write_text(json.dumps(record))
    (example,) = read_squad(tmp_path / "squad.json")
    assert [WINDOWS[span.start : span.end] for span in example.questions[0].answers] == words


def test_offsets_that_fit_no_way_of_counting_are_refused(tmp_path):
    said = "no way of counting them fits"
    with pytest.raises(DataError, match=rf"a\.b\.ann, line 2: .*{said}"):
        list(read_brat(brat(tmp_path, "One.\r\nAcme", "T1\tX 0 3\tOne\nT2\tORG 4 8\tAcme\n")))
    with pytest.raises(DataError, match=said):  # one counts a line end once, the other twice
        list(read_brat(brat(tmp_path, "One.\r\nAcme Acme", "T1\tX 5 9\tAcme\nT2\tORG 11 15\tAcme\n")))


@pytest.mark.parametrize(
    ("places", "wanted", "noted"),
    [
        ([(0, 4), (11, 15), (18, 20)], ["John", "Mary", "He"], ""),  # code points
        ([(0, 4), (11, 15), (17, 19), (28, 31)], ["John", "Mary", "He", "her"], "count a Windows line end as one"),
        ([(0, 4)], ["John"], ""),  # before the first line end
        ([(17, 19), (1, 2)], ["\nH", "o"], "begin or end inside words; add texts"),  # no way fits
    ],
)
def test_triples_that_fit_between_words_only_in_another_way_are_read_so_and_noted(
    tmp_path, caplog, places, wanted, noted
):
    text = "John loves Mary.\r\nHe married her."
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text, "entities": [[a, b, "X"] for a, b in places]}))
    (example,) = read_jsonl(tmp_path / "a.jsonl")
    assert [text for _, text in marked(example)] == wanted
    assert noted in caplog.text
    assert noted or not caplog.records


def test_brat_counts_what_it_does_not_read(tmp_path, caplog):
    marks = (
        "T1\tORG 2 6\tAcme\nR1\tPays Arg1:T1 Arg2:T2\nR2\tPays Arg1:T1 Arg2:T2\nE1\tPay:T1\nA1\tNegated E1\n"
        "M1\tNegated E1\nN1\tReference T1 Wiki:5\tAcme\n#1\tAnnotatorNotes T1\tnote\n*\tEquiv T1 T2\n"
        "T3\tDIS 20 27;39 45\tOvarian cancer\nT4\tLINE 12 19;20 27\tZürich. Ovarian\n"
    )
    remarks = Remarks()
    (example,) = read_brat(brat(tmp_path, TEXT, marks), remarks=remarks)
    kinds = "relation event attribute modification normalisation note equivalence".split()
    discontinuous = "discontinuous span, read from its first fragment to its last"
    assert remarks.counts == {f"{kind}, not read": 1 + (kind == "relation") for kind in kinds} | {discontinuous: 1}
    assert remarks.first["relation, not read"].endswith("a.b.ann, line 2")
    assert len(example.spans) == 3 and not caplog.records, "the caller tells"
    list(read_brat(tmp_path))
    (record,) = caplog.records
    assert "relation, not read: 2 (the first: " in record.getMessage()


@pytest.mark.parametrize("lacking", ["a.b.ann", "a.b.txt"])
def test_brat_requires_both_files(tmp_path, lacking):
    (brat(tmp_path, "Acme", "") / lacking).unlink()
    with pytest.raises(DataError, match=rf"{lacking}: missing next to a\.b\."):
        list(read_brat(tmp_path))


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    folder = brat(tmp_path, "Acme", "")
    (folder / "a.b.txt").write_bytes("Zürich".encode("latin-1"))
    with pytest.raises(DataError, match=r"a\.b\.txt: not UTF-8 .*save it as UTF-8"):
        list(read_brat(folder))


@given(documents())
def test_what_is_written_as_brat_is_read_back(tmp_path_factory, document):
    text, spans = document
    lines = [
        f"T{number}\tX {span.start} {span.end}\t{text[span.start : span.end]}".replace("\n", " ") + "\n"
        for number, span in enumerate(spans)
    ]
    (example,) = read_brat(brat(tmp_path_factory.mktemp("brat"), text, "".join(lines)))
    assert (example.text, example.spans) == document


# ------------------------------------------------------------------------------------------------------------ PubTator

PUBTATOR = (
    "12|t|💩 Aspirin | nausea\r\n12|a|Aspirin helps.\r\n12\t2\t9\tAspirin\tChemical\tD001241\r\n"
    "12\t19\t26\tAspirin\tChemical\tD001241|D000\tAs|pirin\r\n12\tCID\tD001241\tD009325\r\n\r\n"
    "13|t|No mark\r\n13|a|\r\n"
)


def test_pubtator_reads_titles_and_abstracts(tmp_path):
    path = tmp_path / "data.pubtator"
    path.write_bytes(PUBTATOR.encode())
    first, second = read_pubtator(path)
    assert (first.id, first.text) == ("12", "💩 Aspirin | nausea\nAspirin helps.")
    assert marked(first) == [("Chemical", "Aspirin"), ("Chemical", "Aspirin")]
    assert second == Example("13", "No mark\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1|t|A\n1|a|B\n1\t0\t2\tA\tX\n", r"line 3: text\[0:2\] is 'A\\n', expected 'A'"),
        ("1|t|A\n1|a|B\n2\t0\t1\tA\tX\n", "line 3: an annotation of document '2' among those of '1'"),
        ("1|t|A\n1|a|B\n1\t0\t1\n", "line 3: expected ID, start, end, mention and type"),
        ("1|t|A\n1|a|B\n1\t-1\t1\tA\tX\n", "line 3: .*start=-1"),
        ("1|t|A\n1\t0\t1\tA\tX\n", "line 2: a document must begin with"),
        ("1\t0\t1\tA\tX\n", "line 1: a document must begin with"),
        ("1|t|A\n\n2|t|A\n2|a|B\n", r"line 1: document 1 has no abstract; an empty one is written 1\|a\|"),
    ],
)
def test_pubtator_names_the_line(tmp_path, content, said):
    path = tmp_path / "data.pubtator"
    path.write_text(content)
    with pytest.raises(DataError, match=rf"data\.pubtator, {said}"):
        list(read_pubtator(path))


@given(documents())
def test_what_is_written_as_pubtator_is_read_back(tmp_path_factory, document):
    text, spans = document
    title, _, abstract = text.partition("\n")
    text = f"{title}\n{abstract}".replace("\n", " ")
    path = tmp_path_factory.mktemp("pubtator") / "data.txt"
    lines = [f"1\t{s.start}\t{s.end}\t{text[s.start : s.end]}\t{s.label}\tid" for s in spans]
    path.write_text("\n".join([f"1|t|{title}", f"1|a|{text[len(title) + 1 :]}", *lines]), encoding="utf-8")
    if any(s.start <= len(title) < s.end for s in spans):  # no mention spans both passages
        with pytest.raises(DataError, match=r"data\.txt, line"):
            list(read_pubtator(path))
    else:
        (example,) = read_pubtator(path)
        assert example.spans == spans


# --------------------------------------------------------------------------------------------------------------- spaCy


def docbin(path, *docs):
    DocBin(docs=docs).to_disk(path)
    return path


def make_doc():
    doc = Doc(spacy.blank("en").vocab, words=["💩", "Acme", "Corp", "pays"], spaces=[True, True, True, False])
    doc.ents = [SpacySpan(doc, 1, 3, label="ORG")]
    doc.spans["sc"] = SpanGroup(doc, spans=[SpacySpan(doc, 1, 3, label="ORG"), SpacySpan(doc, 1, 2, label="NAME")])
    return doc


def test_spacy_documents_give_entities_or_a_group_of_spans(tmp_path):
    path = docbin(tmp_path / "data.spacy", make_doc(), Doc(spacy.blank("en").vocab))
    first, second = read_spacy(path)
    assert (first.id, first.text, marked(first)) == ("data-1", "💩 Acme Corp pays", [("ORG", "Acme Corp")])
    assert second == Example("data-2", "")
    first, second = read_spacy(path, span_group="sc")
    assert sorted(marked(first)) == [("NAME", "Acme"), ("ORG", "Acme Corp")]
    assert second.spans == ()


def test_spacy_names_what_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"data\.spacy: no span group 'ss'; available: sc"):
        list(read_spacy(docbin(tmp_path / "data.spacy", make_doc()), span_group="ss"))
    doc = make_doc()
    doc.spans["sc"] = [SpacySpan(doc, 1, 1, label="ORG")]
    with pytest.raises(DataError, match=r"data\.spacy, document 2: .*start < end"):
        list(read_spacy(docbin(tmp_path / "data.spacy", make_doc(), doc), span_group="sc"))
    for content in (b"", b"Acme pays.", (tmp_path / "data.spacy").read_bytes()[:-20]):
        (tmp_path / "data.spacy").write_bytes(content)
        with pytest.raises(DataError, match=r"data\.spacy: not a DocBin"):
            list(read_spacy(tmp_path / "data.spacy"))


# -------------------------------------------------------------------------------------------------------- Label Studio


def region(start, end, text, *labels):
    return {"start": start, "end": end, "labels": list(labels), **({} if text is None else {"text": text})}


def annotation(*results, **state):
    kinds = [("labels" if "labels" in value else "choices", value) for value in results]
    return {"result": [{"type": kind, "value": value} for kind, value in kinds], **state}


def test_label_studio_takes_the_first_annotation_that_was_completed(tmp_path):
    tasks = [
        {
            "id": 7,
            "data": {"text": TEXT},
            "annotations": [
                annotation(region(0, 1, "💩", "WRONG"), was_cancelled=True),
                annotation(
                    region(2, 6, "Acme", "ORG", "NAME"),
                    region(12, 27, "Zürich.\\nOvarian", "LINE"),
                    {"choices": ["lease", "loan"]},
                    {"start": 2, "end": 6, "choices": ["of a region"]},
                ),
                annotation(region(7, 11, "pays", "SECOND")),
            ],
            "predictions": [annotation(region(7, 11, "pays", "GUESS"))],
        },
        {"id": 8, "data": {"text": "Acme"}, "annotations": [annotation()]},
        {"id": 9, "data": {"text": "never read"}, "annotations": [annotation(was_cancelled=True)]},
        {"id": 10, "data": {"text": "never read"}, "annotations": []},
    ]
    first, second = label_studio(tmp_path / "export.json", tasks)
    assert marked(first) == [("ORG", "Acme"), ("NAME", "Acme"), ("LINE", "Zürich.\nOvarian")]
    assert (first.id, first.labels, second) == ("7", ("lease", "loan"), Example("8", "Acme"))


def test_label_studio_reads_the_short_export_too(tmp_path):
    tasks = [
        {"id": 1, "text": TEXT, "label": [region(2, 6, "Acme", "ORG")], "kind": "lease", "annotator": 1},
        {"id": 1, "text": TEXT, "label": [region(0, 1, "💩", "WRONG")], "kind": "loan", "annotator": 2},
        {"id": 2, "text": "Acme", "kind": {"choices": ["lease", "loan"]}},
    ]
    first, second = label_studio(tmp_path / "min.json", tasks)
    assert (marked(first), first.labels, second) == ([("ORG", "Acme")], (), Example("2", "Acme"))
    first, second = label_studio(tmp_path / "min.json", tasks, label_column="kind")
    assert (first.spans, first.labels, second.labels) == ((), ("lease",), ("lease", "loan"))


def test_label_studio_offsets_are_utf_16_units_where_only_these_fit(tmp_path):
    text = "💩 Acme, 💩 Acme"
    for start, other in ((2, 10), (3, 12)):  # code points; UTF-16
        marks = [region(start, start + 4, "Acme", "ORG"), region(other, other + 4, "Acme", "ORG")]
        (example,) = label_studio(tmp_path / "a.json", [{"id": 1, "text": text, "label": marks}])
        assert [span.start for span in example.spans] == [2, 10]
    with pytest.raises(DataError, match=r"a\.json, task 1: text\[2:6\] is 'Acme', expected 'Corp'"):
        label_studio(tmp_path / "a.json", [{"id": 1, "text": text, "label": [region(2, 6, "Corp", "ORG")]}])


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"id": 1}, "export the project as JSON or JSON-MIN"),
        ([{"id": 1, "body": "Acme", "label": []}], "task 1: no text in 'text'; .*body.*set text_column"),
        ([{"id": 1, "text": "Acme", "ner": []}], "no task has 'label'; .*'ner'.*set label_column"),
        ([{"id": 1, "text": "Acme", "label": [region(1, 5, None, "ORG")]}], "task 1: .*beyond the text of 4"),
        ([{"id": 1, "text": "Acme", "label": [{"start": 0, "end": 1}]}], "task 1: missing key 'labels'"),
        ([1], "task 1: unexpected structure"),
    ],
)
def test_label_studio_names_the_task_and_the_remedy(tmp_path, tasks, said):
    with pytest.raises(DataError, match=rf"export\.json.*{said}"):
        label_studio(tmp_path / "export.json", tasks)


def hyper(said, start, end, label="ORG", **changes):
    """A region of HyperText as Label Studio exports it."""
    path = {"start": "/div[1]/p[1]/text()[1]", "end": "/div[1]/p[1]/text()[1]", "startOffset": 0, "endOffset": 9}
    value = {**path, "globalOffsets": {"start": start, "end": end}, "text": said, "hypertextlabels": [label], **changes}
    return {"type": "hypertextlabels", "from_name": "l", "to_name": "t", "value": value}


def hyper_task(html, *results):
    return {"id": 1, "data": {"text": html}, "annotations": [{"result": list(results)}]}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div><p>Northwind rents.</p></div>", "Northwind rents."),
        ("Northwind rents.", "Northwind rents."),
        ("<p>The tenant,<br/>Northwind, rents &amp; pays.</p>", "The tenant,\nNorthwind, rents & pays."),
        ("<ul>\n  <li>💩</li>\n  <li>Northwind</li>\n</ul>", "\n  💩\n  Northwind\n"),
        ("<style>p {color: red}</style><p>Northwind</p>", "Northwind"),
        ("<html><head><title>A</title></head><body><p>A</p>\r\n<p>Northwind</p></body></html>", "A\r\nNorthwind"),
        ("<html><body>\n<!-- note --><b>North</b>wind &copy;</body></html>", "\nNorthwind ©"),
    ],
)
@pytest.mark.parametrize("utf16", [False, True])
def test_hypertext_is_read_as_the_text_of_its_html(tmp_path, html, text, utf16):
    start = text.index("Northwind")
    begin = offset_in(text, start, crlf_once=False, utf16=utf16)
    tasks = [hyper_task(html, hyper("Northwind", begin, begin + 9)), hyper_task("<p>No region</p>")]
    first, second = label_studio(tmp_path / "a.json", tasks)
    assert (first.text, marked(first)) == (text, [("ORG", "Northwind")])
    assert second.text == "No region", "all texts of a project are read alike"
    minimal = [{"id": 1, "text": html, "label": [hyper("Northwind", begin, begin + 9)["value"]]}]
    assert label_studio(tmp_path / "a.json", minimal)[0].spans == first.spans


def test_hypertext_regions_across_elements_and_with_several_labels(tmp_path):
    html = "<h1>Lease</h1><p>Northwind <b>LLC</b> rents.</p>"
    region = hyper("Lease\n\nNorthwind LLC", 0, 18)  # a selection has the line ends that are shown between blocks
    region["value"]["hypertextlabels"] = ["TITLE", "ORG"]
    (example,) = label_studio(tmp_path / "a.json", [hyper_task(html, region)])
    assert marked(example) == [("TITLE", "LeaseNorthwind LLC"), ("ORG", "LeaseNorthwind LLC")]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            hyper("Northwind", 3, 12),
            "'hypertextlabels' do not have their texts at their globalOffsets .*'Northwind' at",
        ),
        (hyper("Southwind", 0, 9), "'hypertextlabels' do not have their texts"),
        (hyper("Northwind", 0, 900), "'hypertextlabels' do not have their texts"),
        (hyper("Northwind", 0, 9, globalOffsets=None), "'hypertextlabels' has no globalOffsets.*label plain text"),
        (hyper("Northwind", 0, 9, text=None), "'hypertextlabels' has no globalOffsets or no text"),
    ],
)
def test_hypertext_that_cannot_be_placed_is_an_error_that_names_the_type(tmp_path, result, said):
    with pytest.raises(DataError, match=rf"a\.json, task 1: .*{said}"):
        label_studio(tmp_path / "a.json", [hyper_task("<div><p>Northwind rents.</p></div>", result)])


def test_label_studio_counts_what_it_does_not_read(tmp_path, caplog):
    def result(kind, **value):
        return {"type": kind, "value": value}

    others = [
        *(result(kind, start=1, end=2) for kind in ("rectanglelabels", "brushlabels", "paragraphlabels", "rating")),
        result("textarea", text=["a note"]),
        result("taxonomy", taxonomy=[["A", "B"]]),
        result("pairwise", selected="left"),
        result("choices", choices=["x"], start=0, end=2),
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
        result("labels", start=0.5, end=1.25, channel=0, labels=["SPEECH"]),
        result("labels", start=0, end=4, text="Acme", labels=[]),
    ]
    tasks = [
        {"id": 1, "data": {"text": "Acme"}, "annotations": [{"result": [*others, region_result("Acme", "ORG")]}]},
        {
            "id": 2,
            "data": {"text": "Acme"},
            "annotations": [
                annotation(was_cancelled=True),
                annotation(region(0, 4, "Acme", "FIRST")),
                annotation(region(0, 4, "Acme", "TRUE"), ground_truth=True),
            ],
            "predictions": [annotation()],
        },
        {"id": 3, "data": {"text": "never read"}, "annotations": [], "predictions": [annotation(), annotation()]},
    ]
    one, two = label_studio(tmp_path / "a.json", tasks)
    assert (marked(one), marked(two), one.labels) == ([("ORG", "Acme")], [("TRUE", "Acme")], ())
    (record,) = caplog.records
    said = record.getMessage()
    for kind in ("rectanglelabels", "brushlabels", "paragraphlabels", "rating", "textarea", "taxonomy", "pairwise"):
        assert f"result of type '{kind}', not read: 1 (the first: {tmp_path / 'a.json'}, task 1)" in said
    for counted in (
        "result of type 'relation', not read: 1",
        "choices for a region, not read: 1",
        "result of type 'labels', not read: 1",
        "region without a label, not read: 1",
        "cancelled annotation, not read: 1",
        "further annotation of a task, not read: 1",
        "prediction, not read: 3",
        "task without an annotation, left out: 1",
    ):
        assert counted in said


def region_result(text, label):
    return {"type": "labels", "value": region(0, len(text), text, label)}


def test_a_project_without_annotations_says_what_it_has(tmp_path):
    path = tmp_path / "a.json"
    label_studio(path, [{"id": 3, "data": {"text": "a"}, "annotations": [], "predictions": [annotation()]}])
    with pytest.raises(
        DataError, match=r"no example in .*prediction, not read: 1 .*without an annotation, left out: 1"
    ):
        read_dataset(dataset(reader="label studio", files=[str(path)]))


@given(documents(), st.booleans())
def test_label_studio_spans_are_read_with_either_kind_of_offsets(tmp_path_factory, document, javascript):
    text, spans = document

    def count(offset):
        return len(text[:offset].encode("utf-16-le")) // 2 if javascript else offset

    marks = [region(count(s.start), count(s.end), text[s.start : s.end], "X") for s in spans]
    path = tmp_path_factory.mktemp("label-studio") / "export.json"
    (example,) = label_studio(path, [{"id": 1, "text": text, "label": marks}])
    said = [text[span.start : span.end] for span in spans]
    assert [example.text[span.start : span.end] for span in example.spans] == said
    assert javascript or example.spans == spans


# ------------------------------------------------------------------------------------------------- JSON lines and CoNLL


def test_jsonl_takes_triples_classes_and_pairs(tmp_path):
    path = tmp_path / "data.jsonl"
    records = [
        {"id": 1, "text": TEXT, "entities": [[2, 6, "ORG"]], "labels": ["lease", "loan"]},
        {"id": 2, "text": TEXT, "label": [[2, 6, "ORG"]]},
        {"text": TEXT, "label": "lease"},
        [TEXT, {"entities": [[2, 6, "ORG"]]}],
    ]
    path.write_bytes("\r\n".join(["\ufeff" + json.dumps(records[0]), *map(json.dumps, records[1:]), ""]).encode())
    span = (Span(2, 6, "ORG"),)
    assert list(read_jsonl(path)) == [
        Example("1", TEXT, span, labels=("lease", "loan")),
        Example("2", TEXT, span),
        Example("3", TEXT, labels=("lease",)),
        Example("4", TEXT, span),
    ]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"text": "Acme"}, r"missing key 'entities', 'labels' or 'label'; the record has \['text'\]"),
        ({"entities": [[0, 1, "ORG"]]}, "missing key 'text'"),
        ({"text": "Acme", "entities": [[0, 9, "ORG"]]}, "beyond the text of 4"),
        ({"text": "Acme", "entities": [["0", "1", "ORG"]]}, "two integers and a label"),
        ({"text": "Acme", "entities": [3]}, r"'entities' has 3; give a list of entities, as in \[\{\"start\""),
        ({"text": "Acme", "entities": ["ORG"]}, "'entities' has 'ORG'; give a list"),
        ({"text": "Acme", "entities": "ORG"}, "'entities' is 'ORG'; give a list"),
        ({"text": "Acme", "entities": {"start": 0}}, "'entities' is .*; give a list"),
        ({"text": "Acme", "entities": None}, "'entities' is None; give a list"),
        ({"text": "Acme", "labels": {"start": 0}}, "'labels' is .*; give a list"),
        ({"text": "Acme", "labels": [[0, 4]]}, "'labels' has .*; give a list"),
        ({}, "missing key"),
        ("Acme", "."),
    ],
)
def test_jsonl_names_the_line(tmp_path, record, said):
    path = tmp_path / "data.jsonl"
    path.write_text("\n" + json.dumps(record))
    with pytest.raises(DataError, match=rf"data\.jsonl, line 2: .*{said}"):
        list(read_jsonl(path))


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-X I-X E-X S-X", ["a b c", "d"]),  # BIOES
        ("S-X S-X E-X I-X", ["a", "b", "c", "d"]),  # nothing continues what is closed
        ("B-X L-X U-X O", ["a b", "c"]),  # BILOU
        ("I-X I-X B-X I-X", ["a b", "c d"]),  # IOB1
        ("B-X-1 I-X-1 I-X O", ["a b", "c"]),  # a label with a hyphen
    ],
)
def test_every_scheme_of_tags_is_read(tmp_path, tags, spans):
    path = tmp_path / "data.conll"
    path.write_bytes("".join(f"{word} {tag}\r\n" for word, tag in zip("abcd", tags.split(), strict=True)).encode())
    (example,) = conll(path)
    assert [example.text[s.start : s.end] for s in example.spans] == spans


@pytest.mark.parametrize(
    ("tags", "spans", "counted"),
    [
        ("B-X I-X O I-X", ["a b", "d"], {"tag inside": 1}),  # IOB2
        ("B-X I-Y I-Y O", ["a", "b c"], {"tag inside": 1}),
        ("I-X I-X B-X O", ["a b", "c"], {}),  # IOB1
        ("I-X O I-Y I-Y", ["a", "c d"], {}),  # IO
        ("B-X I-X O S-X", ["a b", "d"], {"without its last": 1}),  # BIOES
        ("B-X O I-X E-X", ["a", "c d"], {"without its last": 1, "tag inside": 1}),
        ("B-X L-X I-X U-X", ["a b", "c", "d"], {"tag inside": 1, "without its last": 1}),  # BILOU
        ("B-X M-X E-X W-X", ["a b c", "d"], {}),  # BMEWO
        ("S-X S-Y B-X E-X", ["a", "b", "c d"], {}),
    ],
)
def test_tags_that_the_scheme_does_not_allow_are_read_and_counted(tmp_path, tags, spans, counted):
    path = tmp_path / "data.conll"
    path.write_text("".join(f"{word} {tag}\n" for word, tag in zip("abcd", tags.split(), strict=True)))
    remarks = Remarks()
    (example,) = read_conll(path, remarks=remarks)
    assert [example.text[s.start : s.end] for s in example.spans] == spans
    assert {
        key: n for key in ("tag inside", "without its last") for what, n in remarks.counts.items() if key in what
    } == (counted)


def test_an_entity_does_not_go_on_in_the_next_sentence(tmp_path, caplog):
    path = tmp_path / "data.conll"
    path.write_text("-DOCSTART- -X- O O\n\na B-X\n\nb I-X\n")
    (example,) = read_conll(path)
    assert [example.text[s.start : s.end] for s in example.spans] == ["a", "b"]
    assert "I-X of 'b'" in caplog.text


def test_classes_may_be_numbers_and_relations_are_counted(tmp_path, caplog):
    path = tmp_path / "data.jsonl"
    records = [
        {"text": "Acme", "label": 3},
        {"text": "Acme", "label": None},
        {"text": "A", "entities": [], "relations": [1, 2]},
    ]
    path.write_text("\n".join(map(json.dumps, records)))
    assert [example.labels for example in read_jsonl(path)] == [("3",), (), ()]
    assert f"{path}: relation, not read: 2 (the first: {path}, line 3)" in caplog.text


def test_answers_before_the_text_are_refused(tmp_path):
    answers = [{"answer_start": -5, "text": "pa"}]
    record = {
        "data": [{"paragraphs": [{"context": "Acme pays", "qas": [{"id": 1, "question": "?", "answers": answers}]}]}]
    }
    (tmp_path / "squad.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="paragraph 0: question 1: text at -5 is before the text, expected 'pa'"):
        list(read_squad(tmp_path / "squad.json"))


def test_contract_nli_has_hypotheses_without_a_label_but_none_with_another(tmp_path):
    def write(choice):
        note = {"a": {"choice": choice, "spans": []}}
        document = {"id": 1, "text": "Acme", "spans": [], "annotation_sets": [{"annotations": note}]}
        (tmp_path / "a.json").write_text(json.dumps({"labels": {"a": {"hypothesis": "x"}}, "documents": [document]}))
        return list(read_contract_nli(tmp_path / "a.json"))

    assert [write(choice)[0].questions[0].label for choice in ("Entailment", None, "")] == ["entailment", None, None]
    with pytest.raises(DataError, match="document 1: hypothesis a: choice is 'entailed'; allowed: Entailment, "):
        write("entailed")


def test_contract_nli_is_read_as_questions_about_the_evidence(tmp_path):
    text = "It may copy it. Ohio law governs."
    notes = {"a": {"choice": "Contradiction", "spans": [0]}, "b": {"choice": None, "spans": [1]}}
    document = {"id": 1, "text": text, "spans": [[0, 15], [16, 33]], "annotation_sets": [{"annotations": notes}]}
    labels = {"a": {"hypothesis": "No copy."}, "b": {"hypothesis": "Ohio."}}
    (tmp_path / "a.json").write_text(json.dumps({"labels": labels, "documents": [document]}))
    (tmp_path / "asked.yaml").write_text("a: [Is copying allowed?, copies]\nb: [Which law?]\n")
    (example,) = read_contract_nli_questions(tmp_path / "a.json", wordings=str(tmp_path / "asked.yaml"))
    assert [question.text for question in example.questions] == ["Is copying allowed?", "copies"]
    assert {question.category for question in example.questions} == {"a"}
    assert {text[a.start : a.end] for q in example.questions for a in q.answers} == {"It may copy it."}


@pytest.mark.parametrize(
    ("reader", "asked", "said"),
    [
        ("contract_nli questions", "nda-7: [May it be copied?]", "no hypothesis 'nda-7'; did you mean 'nda-1'"),
        ("contract_nli questions", "nda-1: [Is it copied?, ' ']", "nda-1: a question is empty"),
        ("contract_nli questions", "nda-1: []", "nda-1: no question"),
        (
            "cuad questions",
            "Governing Laws: [Which law?]",
            "no category 'Governing Laws'; did you mean 'Governing Law'",
        ),
        ("cuad questions", "Zzz: [Which law?]", "no category 'Zzz'. The corpus has: Document Name, Parties, "),
    ],
)
def test_wordings_for_what_a_corpus_lacks_are_refused(tmp_path, reader, asked, said):
    notes = {"nda-1": {"choice": "Entailment", "spans": []}}
    document = {"id": 1, "text": "Acme", "spans": [], "annotation_sets": [{"annotations": notes}]}
    labels = {"nda-1": {"hypothesis": "It is copied."}}
    (tmp_path / "a.json").write_text(json.dumps({"labels": labels, "documents": [document]}))
    (tmp_path / "contracts.jsonl").write_text("")
    (tmp_path / "asked.yaml").write_text(asked)
    files = ["a.json"] if reader.startswith("contract_nli") else ["."]
    config = dataset(
        reader=reader, files=[str(tmp_path / file) for file in files], wordings=str(tmp_path / "asked.yaml")
    )
    with pytest.raises(ConfigError, match=re.escape(said)):
        read_dataset(config)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"contract": "other"}, "has no contract other"),
        ({"answers": [{"text": "Acme", "start": 1, "end": 5}]}, "question q: .*'cme '"),
        ({"answers": [{"text": "Acme"}]}, "question q: .*start"),
    ],
)
def test_marked_questions_are_read_with_their_contract(tmp_path, changes, said):
    (tmp_path / "a.txt").write_text("Acme sells ships.")
    record = {"id": "a", "type": "x", "text_file": "a.txt", "pdf_file": "a.pdf", "answers": [], "values": {}}
    (tmp_path / "contracts.jsonl").write_text(json.dumps(record) + "\n")
    asked = {"id": "q", "contract": "a", "question": "Who sells?", "kind": "fact"}
    asked |= {"answers": [{"text": "Acme", "start": 0, "end": 4}], **changes}
    (tmp_path / "marks.yaml").write_text(json.dumps({"questions": [asked]}))
    if said is not None:
        with pytest.raises(DataError, match=said):
            list(read_contract_marks(tmp_path, marks=str(tmp_path / "marks.yaml")))
        return
    (example,) = read_contract_marks(tmp_path, marks=str(tmp_path / "marks.yaml"))
    assert (example.id, example.questions) == ("a", (Question("q", "Who sells?", (Span(0, 4, ""),)),))


def test_documents_marked_in_conll_are_kept_whole(tmp_path):
    path = tmp_path / "data.conll"
    sentences = "".join(f"w{number} O\n\n" for number in range(9))
    path.write_text(f"-DOCSTART- O\n\n{sentences}-DOCSTART- O\n\nAcme B-ORG\n")
    first, second = conll(path)
    assert (len(first.text.split()), second.text, second.id) == (9, "Acme\n", "data-9")
    path.write_text(f"-DOCSTART- O\n\n{sentences}")
    assert [len(example.text.split()) for example in conll(path)] == [8, 1]


def test_a_number_sign_is_a_token_where_it_has_a_tag(tmp_path):
    path = tmp_path / "data.conll"
    path.write_text("# text = # Acme\n# O\nAcme B-ORG\n")
    (example,) = conll(path)
    assert example.text == "# Acme\n"


@pytest.mark.parametrize(
    ("line", "said"), [("Acme\tPER", "'PER' is not a tag; allowed"), ("\tO", "the token is empty")]
)
def test_conll_names_the_line_of_a_wrong_tag(tmp_path, line, said):
    path = tmp_path / "data.conll"
    path.write_text(f"It\tO\n{line}\n")
    with pytest.raises(DataError, match=rf"data\.conll, line 2: {said}"):
        conll(path)


# -------------------------------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_tables_are_read_by_their_suffix(tmp_path, suffix, separator):
    path = tmp_path / f"data{suffix}"
    long = "x" * 200_000  # beyond the default limit of Python's csv module
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([["label", "text"], ["a", 'two\nlines, "💩"\t.'], ["b", long]])
    limit = csv.field_size_limit()
    assert [(e.text, e.labels) for e in classes(path)] == [('two\nlines, "💩"\t.', ("a",)), (long, ("b",))]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text;label\nAcme;a\n", r"line 2: missing 'text' or 'label'; the columns are \['text;label'\].*by commas"),
        ("text,label\nAcme,a\nAcme\n", "line 3: label is empty"),
        ("text,label\n,a\n", "line 2: text is empty"),
        ("text,label\nAcme, pays,a\n", "line 2: more cells than the header has"),
        ('text,label\n"Acme" pays,a\n', "line 2: .*double the quotes inside a quoted text"),
    ],
)
def test_tables_name_the_line(tmp_path, content, said):
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=rf"data\.csv, {said}"):
        classes(path)


# ------------------------------------------------------------------------------------------------- the datasets library


@pytest.fixture(scope="module")
def hub():
    import datasets  # takes seconds

    return datasets


def table(hub, features, **columns):
    return hub.Dataset.from_dict(columns, features=hub.Features(features))


def test_tagged_rows_of_datasets(hub):
    features = {"tokens": hub.List(hub.Value("string")), "ner_tags": hub.List(hub.ClassLabel(names=["O", "B-X"]))}
    rows = table(hub, features, tokens=[["💩", "Acme"], [], ["It"]], ner_tags=[[0, 1], [], [0]])
    assert [(e.id, e.text, marked(e)) for e in from_datasets(rows)] == [
        ("0", "💩 Acme\n", [("X", "Acme")]),
        ("2", "It\n", []),
    ]
    (joined,) = from_datasets(rows, rows_per_document=3)
    assert joined.text == "💩 Acme\nIt\n"
    assert from_datasets(rows.to_iterable_dataset()) == from_datasets(rows)
    with pytest.raises(DataError, match="give one split"):
        from_datasets(hub.DatasetDict(train=rows))


def test_a_stream_of_rows_needs_no_features(hub):
    rows = [{"tokens": ["Acme", "pays"], "ner_tags": ["B-X", "O"]}, {"tokens": ["It"], "ner_tags": ["O"]}]
    stream = hub.IterableDataset.from_generator(lambda: iter(rows))
    assert stream.features is None
    assert from_datasets(stream) == from_datasets(iter(rows)) == from_datasets(hub.Dataset.from_list(rows))
    assert [marked(e) for e in from_datasets(stream.take(1))] == [[("X", "Acme")]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "the columns are none; expected tokens"),
        (["Acme"], "row 0 is 'Acme'; give one split"),
        ([{}], "the columns are none"),
        ([{"tokens": [], "ner_tags": []}, {}], "row 1: missing key 'tokens'"),
        ([{"tokens": "It", "ner_tags": ["O", "O"]}], "row 0: tokens or ner_tags is a string; give lists"),
        ([{"context": "a", "question": "b", "answers": None}, {}], "row 0: unexpected structure"),
        ([{"text": "a", "label": "b"}, {}], "row 1: missing key 'text'"),
        ([{"text": None, "label": "b"}], "row 0: text is empty; leave the row out"),
        ([{"text": "a", "label": None}], "row 0: label is empty; leave the row out"),
    ],
)
def test_a_row_of_a_stream_that_is_empty_or_malformed_is_named(rows, said):
    with pytest.raises(DataError, match=said):
        from_datasets(iter(rows))


def test_tags_without_names_are_named_or_refused(hub):
    features = {"words": hub.List(hub.Value("string")), "tags": hub.List(hub.Value("int64"))}
    rows = table(hub, features, words=[["Acme"], ["It"]], tags=[[1], [0]])
    named = {"token_column": "words", "tag_column": "tags"}
    assert [marked(e) for e in from_datasets(rows, **named, names=["O", "B-X"])] == [[("X", "Acme")], []]
    with pytest.raises(DataError, match=r"row 0: 1 has no name; give names"):
        from_datasets(rows, **named)
    with pytest.raises(DataError, match=r"row 0: 1 is not the index of one of O"):
        from_datasets(rows, **named, names=["O"])
    with pytest.raises(DataError, match="the columns are words, tags; expected tokens and ner_tags"):
        from_datasets(rows)
    rows = table(hub, features, words=[["Acme"], ["It", "pays"]], tags=[[0], [0]])
    with pytest.raises(DataError, match="row 1: 2 tokens and 1 tags"):
        from_datasets(rows, **named, names=["O"])


def test_questions_of_datasets_share_their_text(hub):
    rows = hub.Dataset.from_dict(
        {
            "id": ["a", "b", "c"],
            "context": ["Acme pays.", "Acme pays.", "It ends."],
            "question": ["Who?", "When?", "What?"],
            "answers": [{"text": t, "answer_start": s} for t, s in ((["Acme"], [0]), ([], []), (["It"], [0]))],
        }
    )
    first, second = from_datasets(rows)
    assert [(q.id, [s.end for s in q.answers]) for q in first.questions] == [("a", [4]), ("b", [])]
    assert (first.id, second.id, second.text) == ("0", "2", "It ends.")
    wrong = rows.map(lambda row: {"answers": {"text": ["Zenith"], "answer_start": [0]}})
    with pytest.raises(DataError, match="row 0: question a: text at 0 is 'Acme p', expected 'Zenith'"):
        from_datasets(wrong)


def test_classes_of_datasets(hub):
    features = {"text": hub.Value("string"), "label": hub.ClassLabel(names=["lease", "loan"])}
    rows = table(hub, features, text=["a", "b"], label=[1, 0])
    assert from_datasets(rows) == [Example("0", "a", labels=("loan",)), Example("1", "b", labels=("lease",))]
    with pytest.raises(DataError, match="row 0: -1 is not the index of one of lease, loan; leave unlabelled rows out"):
        from_datasets(table(hub, features, text=["a"], label=[-1]))
    several = {"text": hub.Value("string"), "label": hub.List(hub.Value("string"))}
    assert from_datasets(table(hub, several, text=["a"], label=[["x", "y"]])) == [Example("0", "a", labels=("x", "y"))]


# ----------------------------------------------------------------------------------------------------- as a data set


@dataclass(frozen=True)
class Task:
    data: DatasetConfig


def dataset(**keys):
    """A data set as written in YAML."""
    return from_dict(Task, {"data": keys}).data


def test_data_sets_are_read_by_the_name_of_their_reader(tmp_path):
    brat(tmp_path / "brat", TEXT, "T1\tORG 2 6\tAcme\n")
    (tmp_path / "a.pubtator").write_text("1|t|Acme\n1|a|\n1\t0\t4\tAcme\tORG\n")
    docbin(tmp_path / "a.spacy", make_doc())
    label_studio(tmp_path / "a.json", [{"id": 1, "text": "Acme", "label": [region(0, 4, "Acme", "ORG")]}])
    (tmp_path / "b.json").write_text(json.dumps([{"id": 1, "text": "Acme", "kind": "ORG"}]))
    files = {"brat": "brat", "pubtator": "a.pubtator", "spacy": "a.spacy", "label studio": "a.json"}
    for reader, name in files.items():
        config = dataset(reader=reader, files=[str(tmp_path / name)], labels={"ORG": "PARTY"})
        (example,) = read_dataset(config)
        assert (example.spans[0].label, yields(config)) == ("PARTY", "entities")
    config = dataset(reader="label studio classes", files=[str(tmp_path / "b.json")], label_column="kind")
    assert (read_dataset(config)[0].labels, yields(config)) == (("ORG",), "classes")
    config = dataset(reader="spacy", files=[str(tmp_path / "a.spacy")], span_group="sc", labels={"NAME": "X"})
    assert len(read_dataset(config)[0].spans) == 1


def test_a_data_set_can_be_configured_in_python(tmp_path):
    path = docbin(tmp_path / "a.spacy", make_doc())
    config = SpacyConfig(reader="spacy", files=(str(path),), span_group="sc")
    assert dataset(**to_dict(config)) == config
    assert len(read_dataset(config)[0].spans) == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"reader": "brat", "span_group": "sc"},
            r"data: unknown key 'span_group'\. Keys: reader, files, labels, negatives, longest",
        ),
        (
            {"reader": "conll", "tag_colum": 3},
            r"data: unknown key 'tag_colum'; did you mean 'tag_column'\? Keys: reader",
        ),
        (
            {"reader": "brats"},
            r"data\.reader: unknown reader 'brats'; did you mean 'brat'\? Allowed: jsonl, conll, brat",
        ),
        (
            {"reader": "memory"},
            r"data\.reader: unknown reader 'memory', which only configurations in Python have, as MemoryConfig\.",
        ),
        ({"reader": "cuad questions"}, "data: missing key 'wordings'"),
        ({}, "data: missing key 'reader'"),
    ],
)
def test_mistakes_in_a_data_set_are_named(keys, said):
    with pytest.raises(ConfigError, match=said):
        dataset(files=["a"], **keys)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_the_keys_of_its_configuration(name):
    reader = READERS[name]
    assert name in get_args(get_type_hints(reader.config)["reader"])
    own = {key.name for key in fields(reader.config)} - {key.name for key in fields(ReaderConfig)}
    keywords = [p for p in inspect.signature(reader.read).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert own <= {keyword.name for keyword in keywords}
    assert own >= {keyword.name for keyword in keywords if keyword.default is keyword.empty}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesConfig(ReaderConfig):
    reader: Literal["lines"]
    separator: str = ":"


def read_lines(path, *, separator):
    for line in path.read_text().splitlines():
        label, _, text = line.partition(separator)
        yield Example(path.stem, text, labels=(label,))


def test_a_reader_is_added_by_a_row_of_the_table(monkeypatch, tmp_path):
    monkeypatch.setitem(READERS, "lines", Reader("classes", LinesConfig, read_lines))
    (tmp_path / "a.txt").write_text("lease|The Tenant pays.\nloan|The Lender pays.")
    config = dataset(reader="lines", files=[str(tmp_path / "a.txt")], separator="|", labels={"loan": "LOAN"})
    assert (yields(config), [example.labels for example in read_dataset(config)]) == ("classes", [(), ("LOAN",)])


def test_a_corpus_is_read_back_from_every_format(tmp_path):
    examples = list(read_jsonl(data_root() / "bc5cdr" / "dev.jsonl"))
    vocab = spacy.blank("en").vocab
    papers, docs, tasks = [], [], []
    for example in examples:
        text, spans = example.text, example.spans
        lines = [f"T{i}\t{s.label} {s.start} {s.end}\t{text[s.start : s.end]}\n" for i, s in enumerate(spans)]
        brat(tmp_path / "brat", text, "".join(lines), name=example.id)
        title = text.index(". ") + 1
        marks = [f"{example.id}\t{s.start}\t{s.end}\t{text[s.start : s.end]}\t{s.label}\tid\n" for s in spans]
        papers.append(f"{example.id}|t|{text[:title]}\n{example.id}|a|{text[title + 1 :]}\n{''.join(marks)}\n")
        doc = Doc(vocab, words=list(text), spaces=[False] * len(text))
        doc.spans["all"] = [doc.char_span(s.start, s.end, label=s.label) for s in spans]
        docs.append(doc)
        regions = [region(s.start, s.end, text[s.start : s.end], s.label) for s in spans]
        tasks.append({"id": example.id, "data": {"text": text}, "annotations": [annotation(*regions)]})
    (tmp_path / "a.pubtator").write_text("".join(papers), encoding="utf-8")
    assert sorted(read_brat(tmp_path / "brat"), key=lambda e: e.id) == sorted(examples, key=lambda e: e.id)
    assert [(e.id, e.spans) for e in read_pubtator(tmp_path / "a.pubtator")] == [(e.id, e.spans) for e in examples]
    read = read_spacy(docbin(tmp_path / "a.spacy", *docs), span_group="all")
    assert [(e.text, e.spans) for e in read] == [(e.text, e.spans) for e in examples]
    assert label_studio(tmp_path / "a.json", tasks) == examples


@pytest.mark.parametrize(
    ("name", "columns", "documents", "spans"),
    [
        ("wikigold/wikigold.conllu", (1, 2), 6, 284),
        ("sec_filings/train.txt", (0, 3), 3, 123),
        ("uner_ewt/dev.iob2", (1, 2), 19, 79),
    ],
)
def test_corpora_of_columns_are_read(name, columns, documents, spans):
    examples = list(read_conll(data_root() / name, token_column=columns[0], tag_column=columns[1]))
    assert (len(examples), sum(len(example.spans) for example in examples)) == (documents, spans)


# --------------------------------------------------------------------------------------------------------------- checks


def test_spans_that_cut_a_word_are_found_with_the_words_that_would_be_learned():
    text = "Acme Incorporated pays USD100 to Zenith."
    spans = [(0, 17), (5, 8), (23, 26), (24, 32), (33, 40), (4, 18), (4, 5)]
    example = Example("lease", text, tuple(Span(start, end, "X") for start, end in spans))
    found = misaligned([example], make_tokenizer())
    assert [(m.text, m.words) for m in found] == [
        ("Inc", "Incorporated"),
        ("USD", "USD100"),
        ("SD100 to", "USD100 to"),
        (" ", ""),
    ]
    assert str(found[0]) == "lease: X 'Inc' at 5-8 would be learned as 'Incorporated'"
    assert str(found[-1]) == "lease: X ' ' at 4-5 contains no word"


def test_overlapping_spans_of_one_head_are_refused():
    text = "Acme Incorporated pays."
    spans = (Span(0, 17, "PARTY"), Span(0, 17, "PARTY"), Span(0, 4, "NAME"), Span(5, 17, "FORM"), Span(18, 20, "ACT"))
    example = Example("lease", text, spans)
    check_overlaps([example], ("PARTY",))
    check_overlaps([example], ("NAME", "FORM"))  # they touch, but do not overlap
    said = r"lease: NAME 'Acme' at 0-4 and PARTY 'Acme Incorporated' at 0-17 overlap.*separate heads, leave one"
    with pytest.raises(DataError, match=said):
        check_overlaps([example], ("PARTY", "NAME"))


@given(st.lists(st.sampled_from(["Acme", "pays", "USD100", ",", "it's", "💩"]), min_size=1, max_size=8), st.data())
def test_aligned_spans_survive_encoding_and_decoding(words, data):
    """Of spans that do not overlap, exactly those that encoding and decoding restore pass the check."""
    text = " ".join(words)
    borders = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = tuple(Span(a, b, "X") for a, b in zip(borders[::2], borders[1::2], strict=False) if text[a:b].strip())
    tokenizer = make_tokenizer()
    bad = {m.span for m in misaligned([Example("a", text, spans)], tokenizer)}
    offsets = word_offsets(tokenize(text, tokenizer))
    for span in spans:
        tags = decode_tags(encode_bio([span], offsets, ("X",)), ("X",))
        back = [text[offsets[first, 0] : offsets[last - 1, 1]] for first, last, _ in tags]
        assert (back == [text[span.start : span.end].strip()]) == (span not in bad)


def test_word_offsets_cover_the_first_to_the_last_token():
    tokens = tokenize("Incorporated, USD100", make_tokenizer())
    assert word_offsets(tokens).tolist() == [[0, 12], [12, 13], [14, 20]]
    assert word_offsets(tokenize("", make_tokenizer())).shape == (0, 2)
    assert word_offsets(tokens).dtype == np.int32
