"""The texts that `longdoc audit` ships, from LONGDOC_DATA: into `longdoc/assets/audit/`.

    export LONGDOC_DATA=/path/to/data; python benchmarks/audit_texts.py

Kept is what can be swapped: sentences of Universal NER with a name or a pronoun; sentences of Wikipedia that say where
somebody is from; and questions whose answer is a person, with the sentences around the answer that do not say the
person's gender. A first name has to be among 200 common ones, which tells persons from teams and places.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from longdoc.auditing.origins import swap_origins
from longdoc.auditing.persons import gendered, swap_names
from longdoc.auditing.pronouns import swap_pronouns
from longdoc.auditing.texts import texts_of
from longdoc.auditing.wording import ASSETS, load_names
from longdoc.datasets import Example, Question, data_root
from longdoc.datasets.conll import read_conll
from longdoc.labels import Span
from longdoc.sentences import sentences

COMMON = set(
    """Aaron Adam Alan Albert Alexander Alice Andrew Andy Angela Ann Anna Anne Anthony Arthur Barbara Barry Ben
    Benjamin Bernard Betty Bill Bob Bobby Brian Bruce Carl Carol Catherine Charles Charlie Chris Christian
    Christopher Clara Colin Craig Daniel David Deborah Dennis Diane Donald Dorothy Douglas Edward Edwin
    Elizabeth Emily Emma Eric Ernest Frances Francis Frank Fred Frederick Gary Geoffrey George Gerald Gordon
    Graham Greg Gregory Harold Harry Helen Henry Herbert Howard Hugh Ian Jack Jacob James Jane Janet Jason Jean
    Jeff Jeffrey Jennifer Jerry Jessica Jim Jimmy Joan Joe John Jonathan Joseph Joshua Judith Julia Julian Julie
    Karen Karl Kate Katherine Keith Kenneth Kevin Larry Laura Lawrence Lee Leo Leon Leonard Lewis Linda Lisa
    Louis Louise Lucy Margaret Maria Marie Martha Martin Mary Matthew Maurice Max Michael Michelle Mike Nancy
    Neil Nicholas Nick Oliver Oscar Pamela Patricia Patrick Paul Peter Philip Phillip Ralph Raymond Rebecca
    Richard Rick Robert Roger Ronald Rose Roy Russell Ruth Ryan Sam Samuel Sandra Sara Sarah Scott Sharon Simon
    Stanley Stephanie Stephen Steve Steven Stuart Susan Ted Teresa Theodore Thomas Tim Timothy Tom Tony Victor
    Victoria Vincent Virginia Walter Wayne William""".split()
)
MOST_CHARACTERS, LONGEST_SENTENCE = 240, 400
QUESTIONS, ORIGINS, A_PARAGRAPH, PRONOUNS = 150, 120, 3, 60
UNSUITED = re.compile(r"slave|genocide|nazi|terror|kill|murder|shoot|bomb|invad|execut|\bwar\b|\bwars\b", re.I)
"""What nobody should read of another origin."""
NO_PERSON = re.compile(r"Assembly|Rink|Cup|Bridge|Kingdom|Revere|Jeffords")


def main() -> None:
    """Writes the three files."""
    groups, wiki = load_names(), list(paragraphs(data_root() / "squadshifts" / "new_wiki_v1.0.json"))
    ner = read_conll(data_root() / "uner_ewt" / "dev.iob2", token_column=1, tag_column=2, sentences_per_document=1)
    lines = [Example(e.id, e.text.rstrip("\n"), e.spans) for e in ner]
    used = {
        swap.id
        for swaps in (
            swap_names(lines, groups, {"PER"}, 0),
            swap_pronouns(lines, {"PER"}, 0),
            swap_origins(lines, {"PER"}),
        )
        for swap in swaps.swaps
    }
    write("sentences.jsonl", [record(each) for each in lines if each.id in used])
    write("questions.jsonl", list(islice(questions(wiki, groups), QUESTIONS)))
    gold = read_conll(data_root() / "wikigold" / "wikigold.conllu", token_column=1, tag_column=2)
    gold_lines = [line for example in gold for line in texts_of(example)]
    named = [each for each in gold_lines if any(span.label == "PER" for span in each.spans)]
    about = {swap.id for swap in swap_pronouns(named, {"PER"}, 0).swaps}
    pronouns = [record(each) for each in named if each.id in about]
    write("wikipedia.jsonl", [*islice(origins(wiki, gold_lines), ORIGINS), *pronouns[:PRONOUNS]])


def paragraphs(path: Path) -> Iterator[tuple[str, str, list[dict]]]:
    """The paragraphs of SQuADShifts: id, text, questions."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, each in enumerate(article["paragraphs"]):
            yield f"{article['title']}:{number}", each["context"], each["qas"]


def origins(wiki: list, gold: list[Example]) -> Iterator[dict]:
    """Sentences of Wikipedia that say where somebody is from: Wikigold's with names, and some a paragraph."""
    own = list(gold)
    for name, text, _ in wiki:
        parts = [Example(f"{name}:{start}", text[start:end].strip()) for start, end in sentences(text)]
        suited = [each for each in parts if "\n" not in each.text and 40 < len(each.text) < LONGEST_SENTENCE]
        own += [part for part in suited if swap_origins([part], ()).swaps][:A_PARAGRAPH]
    kept = {each.text: each for each in own if not UNSUITED.search(each.text)}
    used = {swap.id for swap in swap_origins(list(kept.values()), {"PER"}).swaps}
    yield from (record(each) for each in kept.values() if each.id in used)


def questions(wiki: list, groups: dict) -> Iterator[dict]:
    """Questions whose answer is a person, one a paragraph, with the sentences around the answer."""
    for name, text, asked in wiki:
        for each in asked:
            answer, place = each["answers"][0]["text"], each["answers"][0]["answer_start"]
            first, *others = answer.split(" ")
            if (
                NO_PERSON.search(answer)
                or first not in COMMON
                or len(others) not in (1, 2)
                or not all(map(str.istitle, others))
            ):
                continue
            part = around(text, place, each["question"])
            if part is None or part.count(answer) != 1:
                continue
            start = part.index(answer)
            example = Example(
                f"{name}:{each['id']}",
                part,
                (Span(start, start + len(answer), "PER"),),
                (Question(each["id"], each["question"], (Span(start, start + len(answer), "answer"),)),),
            )
            if swap_names([example], groups, {"PER"}, 0).swaps:
                asks = {"id": each["id"], "question": each["question"], "answer": answer}
                yield {**record(example), "questions": [asks]}
                break


def around(text: str, place: int, question: str) -> str | None:
    """The sentence with the answer, and as many beside it as do not tell a gender; None if that one does."""
    own = list(sentences(text))
    at = next(number for number, (start, end) in enumerate(own) if start <= place < end)
    first = last = at
    for step in (1, 1, -1, -1):
        wider = (max(0, min(first, first + step)), min(len(own) - 1, max(last, last + step)))
        part = text[own[wider[0]][0] : own[wider[1]][1]].strip()
        if len(part) <= MOST_CHARACTERS and not gendered(Example("", part)):
            first, last = wider
    part = text[own[first][0] : own[last][1]].strip()
    is_told = gendered(Example("", part)) or gendered(Example("", question))
    return None if is_told or len(part) > LONGEST_SENTENCE or re.search(r"\n", part) else part


def record(example: Example) -> dict:
    """An example as a line of JSON."""
    spans = [
        {"start": s.start, "end": s.end, "text": example.text[s.start : s.end], "label": s.label} for s in example.spans
    ]
    return {"id": example.id, "text": example.text, "offsets": "code points", "entities": spans}


def write(name: str, records: list[dict]) -> None:
    """Writes JSON lines."""
    lines = [json.dumps(each, ensure_ascii=False) for each in records]
    (ASSETS / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(records)} texts, {sum(map(len, lines)):,} characters")


if __name__ == "__main__":
    main()
