"""The Contract Understanding Atticus Dataset: contracts with clauses of 41 categories."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import checked_span, errors_at, numbered_lines
from longdoc.datasets.wordings import load_wordings
from longdoc.labels import Span
from longdoc.roles import is_role
from longdoc.schema import load_schema

Part: TypeAlias = Literal["train", "dev", "test"]

_SAME_COMPANY = {  # names of one company that would put near-identical contracts into two parts
    "bellringbrandsinc": "bellringbrands",
    "lejuholdingsltd": "chinarealestateinformationcorp",
}
_NAME_EDGES = " \t\r\n\"'“”‘’(),;:"
_ENTITY_LABELS = {
    "Document Name": "DOCUMENT_NAME",
    "Agreement Date": "AGREEMENT_DATE",
    "Effective Date": "EFFECTIVE_DATE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CuadConfig(ReaderConfig):
    """Keys of the readers ``cuad`` (entities), ``cuad clauses`` (spans of all categories), ``cuad types`` (classes)."""

    reader: Literal["cuad", "cuad clauses", "cuad types"]
    part: Part | None = None
    """Part of the corpus; all of it by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CuadQuestionsConfig(ReaderConfig):
    """Keys of the reader ``cuad questions``."""

    reader: Literal["cuad questions"]
    part: Part | None = None
    """Part of the corpus; all of it by default."""
    wordings: str
    """YAML file with the questions to ask for each category."""


def read_contract_entities(folder: Path, *, part: Part | None = None) -> Iterator[Example]:
    """Reads the contracts of a part with their entities, see :func:`contract_example`."""
    return map(contract_example, _contracts(folder, part))


def read_contract_clauses(folder: Path, *, part: Part | None = None) -> Iterator[Example]:
    """Reads the contracts of a part with the annotated spans of all categories, which may overlap."""
    return map(contract_clauses, _contracts(folder, part))


def read_contract_types(folder: Path, *, part: Part | None = None) -> Iterator[Example]:
    """Reads the contracts of a part with their types as classes."""
    return map(contract_type, _contracts(folder, part))


def read_contract_questions(folder: Path, *, part: Part | None = None, wordings: str) -> Iterator[Example]:
    """Reads the contracts of a part with the questions of a YAML file.

    Raises:
        ConfigError: the YAML file is missing or malformed, or asks for a category that CUAD lacks.
    """
    questions = load_wordings(wordings, categories(), "category")
    return (contract_questions(contract, questions) for contract in _contracts(folder, part))


def categories() -> list[str]:
    """The 41 categories of CUAD, in the order of the schema ``contract``."""
    return [field.category for field in load_schema("contract").fields.values() if field.category is not None]


def _contracts(folder: Path, part: Part | None) -> Iterator[Contract]:
    return (contract for contract in read_cuad(folder) if part in (None, cuad_part(contract)))


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of CUAD."""

    id: str
    kind: str
    """Its type, such as "Distributor" or "License"."""
    text: str
    pdf: Path
    answers: tuple[Span, ...]
    """Annotated spans; the labels are the categories."""
    values: Mapping[str, str]
    """Normalised values by category."""


def read_cuad(folder: Path) -> Iterator[Contract]:
    """Reads the Contract Understanding Atticus Dataset (Hendrycks et al., 2021, arXiv:2103.06268).

    Raises:
        DataError: a record is malformed, or the text of an answer is not the text at its offsets; names file and line.
    """
    for number, line in numbered_lines(folder / "contracts.jsonl"):
        with errors_at(f"{folder / 'contracts.jsonl'}, line {number}"):
            record = json.loads(line)
            text = (folder / record["text_file"]).read_text(encoding="utf-8")
            answers = tuple(checked_span({**a, "label": a["category"]}, text) for a in record["answers"])
            pdf = folder / record["pdf_file"]
            contract = Contract(record["id"], record["type"], text, pdf, answers, record["values"])
        yield contract


def cuad_part(contract: Contract) -> Part:
    """The part that a contract belongs to: ``train``, ``dev`` or ``test``, about 80, 5 and 15 % of the contracts.

    It is a hash of the first word of the file name, which is the name of the filing company: it never changes, and all
    contracts of a company, with their amendments, are in the same part.
    """
    company = re.split(r"[-_ ]", contract.id)[0]
    company = _SAME_COMPANY.get(company, company)
    bucket = int(hashlib.md5(company.encode(), usedforsecurity=False).hexdigest(), 16) % 100
    return "test" if bucket < 15 else "dev" if bucket < 20 else "train"


def is_party_name(name: str, text: str) -> bool:
    """Whether an annotated party is a name ("Accuray"), as opposed to a role ("the Company") or a definition.

    A single word that the contract also uses in lower case ("distributor") counts as a role.
    """
    words = re.findall(r"\w+", name)
    if (
        not words
        or len(name) > 80
        or name == name.lower()
        or re.search(r"\bpart(y|ies)\b|known as|[\"“”?]", name, re.I)
    ):
        return False
    if is_role(name):
        return False
    return len(words) > 1 or not re.search(rf"\b{re.escape(name.lower())}\b", text)


def party_names(contract: Contract) -> list[str]:
    """The distinct annotated party names of a contract without roles, longest first."""
    found = {contract.text[a.start : a.end] for a in contract.answers if a.label == "Parties"}
    names = {name.strip(_NAME_EDGES) for name in found}
    return sorted((n for n in names if len(n) > 1 and is_party_name(n, contract.text)), key=lambda n: (-len(n), n))


def contract_example(contract: Contract) -> Example:
    """A contract with entities: PARTY (every occurrence of a party's name), DOCUMENT_NAME and the two dates."""
    spans: list[Span] = []
    covered: set[int] = set()
    for name in party_names(contract):
        forms = {name, name.upper()}
        pattern = "|".join(r"\s+".join(map(re.escape, form.split())) for form in sorted(forms))
        for match in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", contract.text):
            if covered.isdisjoint(range(*match.span())):
                covered.update(range(*match.span()))
                spans.append(Span(*match.span(), "PARTY"))
    spans += [replace(a, label=_ENTITY_LABELS[a.label]) for a in contract.answers if a.label in _ENTITY_LABELS]
    return Example(contract.id, contract.text, tuple(sorted(set(spans), key=lambda s: (s.start, s.end, s.label))))


def contract_clauses(contract: Contract) -> Example:
    """A contract with the annotated spans of all categories ("Governing Law", "Cap On Liability" …)."""
    spans = sorted(set(contract.answers), key=lambda span: (span.start, span.end, span.label))
    return Example(contract.id, contract.text, tuple(spans))


def contract_questions(contract: Contract, wordings: Mapping[str, Sequence[str]]) -> Example:
    """A contract with a question for each wording of each category.

    Args:
        contract: the contract.
        wordings: the questions to ask for each category.
    """
    questions = [
        Question(
            f"{contract.id}/{category}/{number}",
            wording,
            tuple(replace(answer, label="") for answer in contract.answers if answer.label == category),
            category=category,
        )
        for category, worded in wordings.items()
        for number, wording in enumerate(worded)
    ]
    return Example(contract.id, contract.text, questions=tuple(questions))


def contract_type(contract: Contract) -> Example:
    """A contract with its type ("Distributor", "License" …) as its class."""
    return Example(contract.id, contract.text, labels=(contract.kind,))
