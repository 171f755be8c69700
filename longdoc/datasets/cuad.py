"""The Contract Understanding Atticus Dataset: contracts, with 41 kinds of clauses marked in them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longdoc.datasets.examples import Example, Question, checked_span, naming, numbered_lines
from longdoc.labels import Span

# Words that name a role in a contract, not a party to it.
ROLE_WORDS = frozenset(
    """a adviser advisor affiliate affiliated affiliates agency agent and assignee assignor association bank borrower
    buyer carrier celebrity client collectively company consignee consignor consultant contractor corporation customer
    dealer depositor developer director distributor each employee employer endorser entities executive franchisee
    franchisor fund funds general grantee grantor guarantor hereinafter holder holders host individually insurer
    investor issuer joint jointly landlord lender lessee lessor licensee licensees licensor licensors manager
    manufacturer marketing master member members operator or our owner parent participant participants partner partners
    partnership parties party principal promoter provider purchaser recipient representative reseller sales seller
    service servicer services shareholder shareholders shipper singularly spokesperson sponsor stockholder stockholders
    sub subsidiary supplier talent tenant the together transporter trust trustee undersigned underwriter us user vendor
    venturer venturers we you your""".split()
)
_SPELLINGS = {  # what would stand in two parts: a company under two names, and contracts of two that are alike
    "bellringbrandsinc": "bellringbrands",
    "lejuholdingsltd": "chinarealestateinformationcorp",
}
_NAME_EDGES = " \t\r\n\"'“”‘’(),;:"


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract of CUAD: its text, its annotated spans by category, and the normalised values by category."""

    id: str
    kind: str
    text: str
    pdf: Path
    answers: tuple[Span, ...]
    values: Mapping[str, str]


def read_cuad(folder: Path) -> Iterator[Contract]:
    """The Contract Understanding Atticus Dataset (Hendrycks et al., 2021, arXiv:2103.06268)."""
    for number, line in numbered_lines(folder / "contracts.jsonl"):
        with naming(f"{folder / 'contracts.jsonl'}, line {number}"):
            record = json.loads(line)
            text = (folder / record["text_file"]).read_text(encoding="utf-8")
            answers = tuple(checked_span({**a, "label": a["category"]}, text) for a in record["answers"])
            pdf = folder / record["pdf_file"]
            contract = Contract(record["id"], record["type"], text, pdf, answers, record["values"])
        yield contract


def cuad_part(contract: Contract) -> str:
    """``train``, ``dev`` or ``test``: about 80, 5 and 15 % of the contracts, all those of a company in one part.

    The part is a hash of the first word of the contract's file name, which is the filing company's name, so that it
    never changes and amendments stay together.
    """
    company = re.split(r"[-_ ]", contract.id)[0]
    company = _SPELLINGS.get(company, company)
    bucket = int(hashlib.md5(company.encode(), usedforsecurity=False).hexdigest(), 16) % 100
    return "test" if bucket < 15 else "dev" if bucket < 20 else "train"


def is_party_name(name: str, text: str) -> bool:
    """Whether an annotated party is a name ("Accuray") and not a role ("the Company") or a defining sentence.

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
    if all(word.lower() in ROLE_WORDS for word in words):
        return False
    return len(words) > 1 or not re.search(rf"\b{re.escape(name.lower())}\b", text)


def party_names(contract: Contract) -> list[str]:
    """The distinct annotated party names of a contract, roles left out, longest first."""
    found = {contract.text[a.start : a.end] for a in contract.answers if a.label == "Parties"}
    names = {name.strip(_NAME_EDGES) for name in found}
    return sorted((n for n in names if len(n) > 1 and is_party_name(n, contract.text)), key=lambda n: (-len(n), n))


def contract_example(contract: Contract) -> Example:
    """A contract with NER labels: PARTY (every occurrence of a party's name), DOCUMENT_NAME and the two dates."""
    spans: list[Span] = []
    taken: set[int] = set()
    for name in party_names(contract):
        forms = {name, name.upper()}
        pattern = "|".join(r"\s+".join(map(re.escape, form.split())) for form in sorted(forms))
        for match in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", contract.text):
            if taken.isdisjoint(range(*match.span())):
                taken.update(range(*match.span()))
                spans.append(Span(*match.span(), "PARTY"))
    names = {"Document Name": "DOCUMENT_NAME", "Agreement Date": "AGREEMENT_DATE", "Effective Date": "EFFECTIVE_DATE"}
    spans += [replace(a, label=names[a.label]) for a in contract.answers if a.label in names]
    return Example(contract.id, contract.text, tuple(sorted(set(spans), key=lambda s: (s.start, s.end, s.label))))


def contract_questions(contract: Contract, wordings: Mapping[str, Sequence[str]]) -> Example:
    """A contract with its categories as questions: a question for each wording of each category."""
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
