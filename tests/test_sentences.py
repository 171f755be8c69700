"""Sentences are those of spaCy, which is not imported to find them."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from longdoc import load
from longdoc.sentences import sentences

ROOT = Path(__file__).parents[1]
TEXTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", *sorted((ROOT / "examples").rglob("*.pdf"))]
WORDS = """
Inc. Corp. No. U.S. a.m. 9a.m. p.m.? e.g. i.e., Mr. Dr.: St. Jan. v. vs. Ph.D. O'Neil's don't can't. gonna cannot
:) :-( 8) (8 http://a.b/c. www.x.org? 1.5 3.Then end.Next (a) [b]. “So.” ’tis x-y/z Foo-Inc. -Inc. foo:) $5.00. 50%.
10km. § ... ! ?! 。 … .
""".split()
GAPS = [" ", "  ", "\n", "\t", "\u00a0", "(", ")", "“", "”", "-", "A", "b", "7"]


@cache
def sentencizer() -> spacy.language.Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def by_spacy(text: str) -> list[tuple[int, int]]:
    return [(sentence.start_char, sentence.end_char) for sentence in sentencizer()(text).sents]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_sentences_of_documents_are_those_of_spacy(path):
    text = load(path).text if path.suffix == ".pdf" else path.read_text(encoding="utf-8")
    found = sentences(text)
    assert found == by_spacy(text) and len(found) > 5


@given(
    st.lists(st.sampled_from([*WORDS, " ", "  ", "\n", "\t", "\u00a0", ".", "(", ")", "“", "”", "-", "A", "b", "7"]))
)
def test_sentences_of_awkward_words_are_those_of_spacy(pieces):
    text = "".join(pieces)
    assert sentences(text) == by_spacy(text)


@given(st.text(max_size=40))
def test_sentences_of_any_text_are_those_of_spacy(text):
    assert sentences(text) == by_spacy(text)


def test_spacy_is_not_imported():
    code = "import sys; from longdoc.findings import parts; from longdoc import Document; "
    code += "print(parts(Document.from_text('One. Two.'), 'sentence'), 'spacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[(0, 4), (5, 9)] False\n"
