"""Answers from the documents of an index: the right document, its own words, and how much was read for them."""

import json
from pathlib import Path

import pytest

from conftest import make_asking_model, make_model
from longdoc import Index, Pipeline, cli
from longdoc.batch import extract, stages
from longdoc.errors import ConfigError
from longdoc.lexical import share_of_words
from longdoc.search import answers
from longdoc.search.answers import sentence_at, without_names
from test_search import Here

BODY = (
    "1. Term\n\nThis Agreement ends in May. The parties meet in spring.\n\n"
    "2. Assignment\n\nThe tenant shall not assign this lease without the consent of the landlord.\n\n"
    "3. Law\n\nThis Agreement is governed by the laws of the State of {law}.\n"
)
LEASE = (
    "LEASE AGREEMENT\n\nThis Lease Agreement is made on June 9, 2004 by and between {one}, a Delaware company (the "
    '"Landlord"), and {two}, an Ohio corporation (the "Tenant"). The parties agree as follows.\n\n' + BODY
)
FILES = {
    "first.txt": LEASE.format(one="Ada Ltd.", two="Bea Inc.", law="Ohio"),
    "second.txt": LEASE.format(one="Cleo Ltd.", two="Dora Inc.", law="Utah"),
    "third.txt": LEASE.format(one="Emil Ltd.", two="Fritz Inc.", law="Texas"),
    "note.txt": "The patient was given aspirin and developed severe nausea; famotidine reversed the effect.",
}
END = "When does the lease between {} and {} end?"


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "_engine", lambda *_: Here())
        patch.setattr(stages, "_IN_GROUP", 1)
        yield patch


@pytest.fixture(scope="module")
def home(tmp_path_factory, patched):
    """A folder with documents, a model and an index."""
    folder = tmp_path_factory.mktemp("answers")
    make_asking_model().save(folder / "model")
    (folder / "in").mkdir()
    for name, text in FILES.items():
        (folder / "in" / name).write_text(text, encoding="utf-8")
    Index.build([folder / "in"], folder / "index", model=folder / "model", records=None)
    return folder


@pytest.fixture(scope="module")
def index(home):
    return Index(home / "index")


@pytest.fixture(scope="module")
def pipeline(home):
    return Pipeline.from_pretrained(home / "model", progress=False)


def name(answer):
    return Path(answer.address).name


@pytest.mark.parametrize(
    ("file", "names"),
    [("first.txt", ("Ada", "Bea")), ("second.txt", ("Cleo", "Dora")), ("third.txt", ("Emil", "Fritz"))],
)
def test_a_question_that_names_a_document_is_answered_from_it(index, pipeline, file, names):
    found = index.ask(END.format(*names), pipeline=pipeline, min_score=0.0, head="qa")
    assert name(found[0]) == file


def test_answers_are_in_the_words_of_their_documents_and_one_of_each(index, pipeline):
    found = index.ask("May the lease be assigned?", top_k=10, pipeline=pipeline, min_score=0.0, head="qa")
    assert len({each.document_id for each in found}) == len(found) == found.documents_read
    for each in found:
        document = index.document(each.document_id)
        answer = each.answer
        assert document.text[answer.start : answer.end] == answer.text
        assert answer.page == document.page_at(answer.start).number
        assert " ".join(answer.text.split()) in each.sentence
        assert each.sentence in " ".join(document.text.split())
    assert index.ask("May the lease be assigned?", top_k=2, pipeline=pipeline, min_score=0.0, head="qa") == found[:2]


def test_what_the_structure_of_a_document_states_comes_first(index, pipeline):
    found = index.ask("Which law governs this lease?", pipeline=pipeline, top_k=3)
    assert {(name(each), each.answer.text) for each in found} == {
        ("first.txt", "Ohio"), ("second.txt", "Utah"), ("third.txt", "Texas")
    }  # fmt: skip
    assert all(each.answer.source == "record governing_law" for each in found)


def test_only_the_passages_that_were_found_are_read_and_all_of_it_is_told(index, pipeline):
    question = END.format("Ada", "Bea")
    few, more, whole = (
        index.ask(question, passages=n, pipeline=pipeline, min_score=0.0, head="qa") for n in (1, 3, None)
    )
    hits = index.search(question, top_k=1)
    assert few.passages_read == few.documents_read == 1 == len(few)
    assert hits[0].start <= few[0].answer.start < few[0].answer.end <= hits[0].end
    assert (more.passages_read, few.passages, few.documents) == (3, index.passages, 4)
    assert few.tokens_read < more.tokens_read < whole.tokens_read
    assert (whole.passages_read, whole.documents_read) == (index.passages, 4)


def test_reading_everything_finds_what_asking_each_document_finds(index, pipeline):
    question = "May the lease be assigned?"
    found = index.ask(question, passages=None, top_k=10, pipeline=pipeline, min_score=0.0, head="qa")
    for each in found:
        own = pipeline.ask(index.document(each.document_id), question, top_k=20, min_score=0.0, head="qa", windows=None)
        scores = {(answer.start, answer.end): answer.score for answer in own}
        assert scores[each.answer.start, each.answer.end] == pytest.approx(each.answer.score, abs=1e-5)


def test_all_that_was_read_is_gone_through_once_and_not_for_each_document(index, pipeline, monkeypatch):
    calls = []
    monkeypatch.setattr(answers, "share_of_words", lambda *given: calls.append(given) or share_of_words(*given))
    found = index.ask("Which law governs this lease?", passages=None, pipeline=pipeline)
    assert found.documents_read == 4 and len(calls) == 1


def test_a_filter_limits_what_is_read(index, pipeline):
    found = index.ask("Which law governs this lease?", pipeline=pipeline, where={"party": "dora"})
    assert [name(each) for each in found] == ["second.txt"]
    assert found.documents == found.documents_read == 1
    assert found.passages_read == found.passages < index.passages
    nothing = index.ask("Which law governs this lease?", pipeline=pipeline, where={"party": "dora", "type": "note"})
    assert (list(nothing), nothing.rejected, nothing.documents, nothing.absent) == ([], None, 0, ())


def test_no_answer_has_the_best_candidate_that_was_rejected(index, pipeline):
    found = index.ask("May the lease be assigned?", pipeline=pipeline, min_score=1.0, head="qa")
    assert not found and found.rejected is not None and found.rejected.answer.check
    unknown = index.ask("Who is Elon Musk?", pipeline=pipeline, min_score=0.0)
    assert not unknown and unknown.absent == ("Elon", "Musk")
    partly = index.ask("May the lease be assigned to Musk?", pipeline=pipeline, min_score=0.0)
    assert partly.absent == ("Musk",) and all(each.answer.check for each in partly)


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        (" ", {}, "query is empty"),
        ("when?", {"passages": 0}, "passages"),
        ("when?", {"top_k": 0}, "top_k"),
        ("when?", {"min_score": 2.0}, "min_score"),
        ("when?", {"head": "ner"}, "head is 'ner'"),
        ("when?", {"where": {"partei": "x"}}, "partei"),
        ("when?", {"pipeline": "default"}, "pipeline"),
        ("when " * 400, {}, "fewer words"),
    ],
)
def test_what_cannot_be_asked_is_refused(index, pipeline, question, options, message):
    with pytest.raises(ConfigError, match=message):
        index.ask(question, **{"pipeline": pipeline, **options})


def test_a_model_that_answers_no_questions_is_refused(index):
    with pytest.raises(ConfigError, match="no head of kind 'qa'"):
        index.ask("when?", pipeline=Pipeline(make_model()))


def test_the_sentence_around_an_answer_is_whole_and_on_one_line():
    text = "It rains. The lease\nends in May. It snows."
    at = text.index("May")
    assert sentence_at(text, at, at + 3) == "The lease ends in May."
    assert sentence_at(text, text.index("rains"), at + 3) == "It rains. The lease ends in May."


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("Which law governs the lease between Ada and Bea Inc.?", "Which law governs the lease?"),
        ("which law governs the lease between ADA LTD. and bea inc?", "which law governs the lease?"),
        ("When does the lease among Ada, Bea and Cleo Company, LLC end?", "When does the lease end?"),
        ("When does the lease between Ada and Dora end?", None),
        ("When does the lease between Adam and Bea end?", None),
        ("Who decides between Ada and others?", None),
        ("What must be paid by Ada?", None),
    ],
)
def test_the_names_of_a_document_are_left_out_of_what_its_head_is_asked(question, bare):
    assert without_names(question, ["Ada Ltd.", "Bea Inc.", "Cleo Company, LLC", " "]) == (bare or question)
    assert without_names(question, []) == question


def test_the_record_answers_a_question_that_names_its_document(index, pipeline):
    question = "Which law governs the lease between Cleo and Dora?"
    found = index.ask(question, pipeline=pipeline, top_k=1)
    assert [(name(each), each.answer.text, each.answer.question) for each in found] == [
        ("second.txt", "Utah", question)
    ]


# ------------------------------------------------------------------------------------------------------------ command


def ask(home, *arguments):
    return cli.main(["ask", *map(str, arguments), "--model", str(home / "model")])


def test_the_command_shows_documents_pages_sentences_and_how_much_was_read(home, capsys):
    assert ask(home, home / "index", "Which law governs this lease?", "Who is Elon Musk?", "--format", "text") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for said in (
        "LEASE AGREEMENT",
        "(first.txt)",
        "Ohio",
        "Utah",
        "0.95",
        "Not found in what was read",
        '"Elon", "Musk"',
    ):
        assert said in shown
    assert "in 4 of 4 documents" in shown or "in 3 of 4 documents" in shown


def test_the_command_writes_a_line_of_json_for_each_question(home, capsys):
    assert ask(home, home / "index", "Which law governs this lease?", "--where", "party=ada") == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert record["question"] == "Which law governs this lease?" and record["documents"] == 1
    (answer,) = record["answers"]
    assert (answer["text"], answer["page"], Path(answer["address"]).name) == ("Ohio", 1, "first.txt")


def test_a_folder_of_documents_is_indexed_in_the_cache_and_brought_up_to_date(
    home, patched, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "first.txt").write_text(FILES["first.txt"], encoding="utf-8")
    arguments = (folder, "Which law governs this lease?", "--format", "jsonl", "--index-model", home / "model")
    assert ask(home, *arguments) == 0
    given = capsys.readouterr()
    assert json.loads(given.out)["documents"] == 1 and str(tmp_path / "cache" / "longdoc") in given.err
    (folder / "second.txt").write_text(FILES["second.txt"], encoding="utf-8")
    assert ask(home, *arguments[:-2]) == 0, "the model of the index is known"
    assert json.loads(capsys.readouterr().out)["documents"] == 2
    assert not [path for path in folder.iterdir() if path.suffix != ".txt"], "nothing is written into the folder"
    assert (tmp_path / "cache" / "longdoc" / "indexes").stat().st_mode & 0o777 == 0o700, "no other user may read it"
    (folder / "copy.txt").write_text(FILES["first.txt"], encoding="utf-8")
    assert ask(home, *arguments[:-2]) == 0
    (folder / "first.txt").unlink()
    assert ask(home, *arguments[:-2]) == 0
    told = capsys.readouterr()
    last = json.loads(told.out.splitlines()[-1])
    assert "1 document taken out" in told.err and "changed or gone" not in told.err
    assert {Path(each["address"]).name for each in last["answers"]} == {"copy.txt", "second.txt"}
    (folder / "copy.txt").unlink()
    assert ask(home, *arguments[:-2]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 1


def test_the_index_of_a_folder_can_be_made_anew_with_another_model(home, patched, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other = make_asking_model()
    next(other.parameters()).data += 1
    other.save(tmp_path / "other")
    monkeypatch.setattr(extract, "check", lambda *_: None)  # which loads the model in a process of its own
    arguments = (home / "in", "Which law governs this lease?", "--index-model")
    assert ask(home, *arguments, home / "model") == 0
    assert ask(home, *arguments, tmp_path / "other") == 2
    assert "replace them with --overwrite" in capsys.readouterr().err
    assert ask(home, *arguments, tmp_path / "other", "--overwrite") == 0


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("in/first.txt", ("--where", "party=ada"), "--where is for many documents"),
        ("in/first.txt", ("--format", "jsonl"), "--format jsonl is for many documents"),
        ("index", ("--index", "other"), "is an index itself"),
        ("index", ("--overwrite",), "--overwrite is for a folder of documents"),
        ("in/first.txt", ("--overwrite",), "--overwrite is for many documents"),
        ("index", ("--where", "party"), "give a key and a value"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(home, capsys, path, arguments, message):
    assert ask(home, home / path, "When does it end?", *arguments) == 2
    assert message in capsys.readouterr().err
