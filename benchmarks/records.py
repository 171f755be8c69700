"""Records of contracts, made from PDF and compared with the values that CUAD's experts normalised.

Parties are matched as in ``parties.py``: lenient, where an alias of a party is right, and strict, where it is wrong. A
string shown as a party that is neither a party nor an alias is none, or is cut. Titles are right if they match (fuzzy
ratio of at least 0.9), dates if they are equal; a date that is annotated as partly blank ("[]/[]/2019") is right if
the record does not make one up. Contracts without an annotation of a field do not count for it. Parties whose names
are blacked out or left blank have no name to compare: the record's marks for them do not count.

The marks at times hold more than a name ("Acme Inc. d/b/a Acme Shoes", "Acme Inc. and its affiliates"), or less than
the name that the contract prints ("Acme" for "Acme Inc."). The row "less what the marks word otherwise" does not count
such a name as wrong; all other rows do.
"""

import argparse
import datetime
import re
from collections import defaultdict
from collections.abc import Iterable

from _table import write_table
from parties import gold_parties, normal, same, score
from rapidfuzz import fuzz

import longdoc
from longdoc.datasets import Contract as Annotated
from longdoc.datasets import cuad_part, data_root, party_names, read_cuad
from longdoc.errors import DocumentError
from longdoc.labels import Answer, Entity
from longdoc.metrics import Counts
from longdoc.records import Contract, contract_record
from longdoc.records.blanks import blank_value
from longdoc.records.names import is_legal_form

DATES = {
    "agreement date": ("agreement_date", "Agreement Date"),
    "effective date": ("effective_date", "Effective Date"),
    "expiration date": ("expiration_date", "Expiration Date"),
}


BESIDE = re.compile(
    r"(?i)[\s,/(]+(?:[dfa]/?k?/?b?/?a\b/?|doing business as|formerly|(?:and|together with) (?:all of )?its\b).*"
)
"""What the marks may hold after a name: another name, affiliates."""


def date_of(value: str) -> datetime.date | str | None:
    """An annotated date: a date, ``blank`` if it is so in part, None if there is none or it is a word."""
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{2,4})", value.strip())
    if match:
        month, day, year = map(int, match.groups())
        year += 0 if year > 99 else 1900 if year >= 50 else 2000
        try:
            return datetime.date(year, month, day)
        except ValueError:
            return None
    return "blank" if re.search(r"\[.*\]|/", value) else None


def is_date(cell: Answer | None, gold: datetime.date | str) -> bool:
    """Whether the record has the annotated date, or makes none up."""
    value = None if cell is None else cell.value
    return value is None if gold == "blank" else value == gold


def is_title(cell: Answer | None, contract: Annotated) -> bool:
    """Whether the title is the annotated one."""
    spans = [contract.text[a.start : a.end] for a in contract.answers if a.label == "Document Name"]
    titles = [contract.values["Document Name"], *spans]
    return cell is not None and any(same(cell.text, title) for title in titles if title.strip())


def is_law(cell: Answer | None, gold: str) -> bool:
    """Whether the place is the annotated one, under a shorter or longer name."""
    if cell is None:
        return False
    one, other = (re.sub(r"\b(?:the|state|commonwealth|province|of)\b", "", normal(t)) for t in (str(cell.value), gold))
    return fuzz.token_set_ratio(one, other) >= 90


def outcomes(record: Contract, contract: Annotated) -> dict[str, bool]:
    """Which of the annotated single values the record has right."""
    found = {"title": is_title(record.title, contract)} if contract.values["Document Name"].strip() else {}
    for name, (field, category) in DATES.items():
        gold = date_of(contract.values[category])
        if gold is not None:
            found[name] = is_date(getattr(record, field), gold)
    if law := contract.values["Governing Law"].strip():
        found["governing law"] = is_law(record.governing_law, law)
    return found


def shown_wrong(names: Iterable[str], contract: Annotated) -> list[str]:
    """The strings that are no party and no alias of one, or are cut."""
    parties = gold_parties(contract)
    known = [form for party in parties for form in (party.name, *party.aliases)] + party_names(contract)
    return [name for name in names if not any(same(name, form) for form in known)]


def is_worded_otherwise(name: str, contract: Annotated) -> bool:
    """Whether a mark is the name and what stands beside it, or the name without "the" or its legal form."""
    for form in [party.name for party in gold_parties(contract)] + party_names(contract):
        if same(name, BESIDE.sub("", form.removeprefix("f/s/o "))):
            return True
        mark = normal(form).split()
        words = normal(name).removeprefix("the ").split()
        if mark and words[: len(mark)] == mark and all(is_legal_form(word.upper()) for word in words[len(mark) :]):
            return True
    return False


def record_of(document: longdoc.Document, entities: tuple[Entity, ...] = ()) -> Contract:
    """The record, or an empty one where none can be made."""
    try:
        return contract_record(document, entities)
    except DocumentError:
        return Contract()


def table(pairs: Iterable[tuple[Contract, Annotated]]) -> list[list[object]]:
    """One row a measure: name, figure, and what it was counted on."""
    loose, strict = Counts(), Counts()
    right: dict[str, list[bool]] = defaultdict(list)
    shown = wrong = otherwise = unflagged = unflagged_right = 0
    for record, contract in pairs:
        names = [str(party.name.value) for party in record.parties if not blank_value(party.name.text)]
        if gold_parties(contract):
            counts = score(names, contract)
            loose, strict = loose + counts[0], strict + counts[1]
            shown += len(names)
            strings = shown_wrong(names, contract)
            wrong += len(strings)
            otherwise += sum(is_worded_otherwise(name, contract) for name in strings)
        cells = {name: getattr(record, field) for name, (field, _) in DATES.items()}
        cells |= {"title": record.title, "governing law": record.governing_law}
        for name, is_right in outcomes(record, contract).items():
            right[name].append(is_right)
            if (cell := cells[name]) is not None and not cell.check:
                unflagged, unflagged_right = unflagged + 1, unflagged_right + is_right
    rows: list[list[object]] = [
        ["parties, lenient F1", f"{loose.f1:.3f}", f"precision {loose.precision:.3f}, recall {loose.recall:.3f}"],
        ["parties, strict F1", f"{strict.f1:.3f}", f"precision {strict.precision:.3f}, recall {strict.recall:.3f}"],
        ["shown as a party, but none or cut", f"{wrong / max(shown, 1):.3f}", f"{wrong} of {shown}"],
        [
            "… less what the marks word otherwise",
            f"{(wrong - otherwise) / max(shown, 1):.3f}",
            f"{wrong - otherwise} of {shown}",
        ],
    ]
    for name in ("title", *DATES, "governing law"):
        rows.append(
            [name, f"{sum(right[name]) / max(len(right[name]), 1):.3f}", f"{sum(right[name])} of {len(right[name])}"]
        )
    return [
        *rows,
        [
            "cells without a flag that are right",
            f"{unflagged_right / max(unflagged, 1):.3f}",
            f"{unflagged_right} of {unflagged}",
        ],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="dev", choices=["train", "dev", "test"])
    parser.add_argument("--limit", type=int, help="number of contracts")
    parser.add_argument("--model", help="a model whose entities confirm the records; none by default")
    parser.add_argument("--ocr", default="auto", choices=["auto", "never"])
    arguments = parser.parse_args()

    contracts = [c for c in read_cuad(data_root() / "cuad") if cuad_part(c) == arguments.part][: arguments.limit]
    pipeline = longdoc.Pipeline.from_pretrained(arguments.model) if arguments.model else None
    pairs = []
    for contract in contracts:
        document = longdoc.load(contract.pdf, ocr=arguments.ocr)
        entities = pipeline(document, tasks=["contract", "effective"]).entities if pipeline else ()
        pairs.append((record_of(document, entities), contract))
    notes = f"{len(contracts)} contracts of the {arguments.part} part; entities: {arguments.model or 'none'}."
    write_table(
        f"records_{arguments.part}", "Records of contracts", ["measure", "value", "counted"], table(pairs), notes
    )


if __name__ == "__main__":
    main()
