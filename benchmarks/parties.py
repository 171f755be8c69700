"""Party names of contracts, extracted from PDF and compared with the normalised names annotated by CUAD's experts.

A predicted name is correct if it matches (fuzzy ratio of at least 0.9) the name of a party or one of its annotated
aliases; a party is found if its name or an alias was predicted. The strict columns accept full names only and count
aliases as errors. The contracts are held out from training, grouped by the company that filed them.
"""

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass

from _table import write_table
from rapidfuzz import fuzz

import longdoc
from longdoc.datasets import Contract, cuad_part, data_root, is_party_name, party_names, read_cuad
from longdoc.metrics import Counts
from longdoc.model_files import DEFAULT_MODEL
from longdoc.summary import names_by_label

FUZZY = 90
QUOTED = re.compile(r"[\"“”']([^\"“”]+)[\"“”']")


@dataclass(frozen=True, slots=True)
class Party:
    """A party as annotated: ``Acme Inc. ("Acme")``."""

    name: str
    aliases: tuple[str, ...]


def gold_parties(contract: Contract) -> list[Party]:
    """Parties of ``values["Parties"]``, without roles ("Company", "you") and clauses about parties."""
    parties = []
    for item in contract.values["Parties"].split(";"):
        aliases = [alias.strip(" ,.") for alias in QUOTED.findall(item)]
        name = re.sub(r"\([^()]*[\"“”][^()]*\)?|[\"“”].*", "", item).strip(" ,.()")
        collective = re.search(r"\bpart(y|ies)\b", item, re.I) and (" and " in name or len(name) < 3)
        if len(name) > 2 and not collective and is_party_name(name, ""):
            parties.append(Party(name, tuple(a for a in aliases if is_party_name(a, contract.text))))
    return parties


def same(one: str, other: str) -> bool:
    return fuzz.ratio(normal(one), normal(other)) >= FUZZY


def normal(name: str) -> str:
    return " ".join(re.findall(r"\w+", name.casefold()))


def score(predicted: Iterable[str], contract: Contract) -> tuple[Counts, Counts]:
    """Counts with aliases, and strict counts. A false negative is a party that was not found."""
    names, parties = list(predicted), gold_parties(contract)
    aliases = [alias for party in parties for alias in party.aliases] + party_names(contract)

    def counts(forms: list[tuple[str, ...]], allowed: list[str]) -> Counts:
        found = sum(any(same(name, form) for name in names for form in party) for party in forms)
        known = [form for party in forms for form in party] + allowed
        return Counts(found, sum(not any(same(name, right) for right in known) for name in names), len(forms) - found)

    loose = counts([(party.name, *party.aliases) for party in parties], aliases)
    full = [name for name in aliases if any(same(name, party.name) for party in parties)]
    return loose, counts([(party.name,) for party in parties], full)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--part", default="test", choices=["dev", "test"])
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.2, 0.3, 0.4, 0.5, 0.6])
    arguments = parser.parse_args()

    contracts = [c for c in read_cuad(data_root() / "cuad") if cuad_part(c) == arguments.part]
    pipeline = longdoc.Pipeline.from_pretrained(arguments.model)
    documents = (longdoc.load(contract.pdf) for contract in contracts)
    found = [
        names_by_label(prediction.entities).get("PARTY", [])
        for prediction in pipeline.pipe(documents, tasks=["contract"])
    ]
    rows = []
    for threshold in arguments.thresholds:
        kept = [[name.text for name in names if name.score >= threshold] for names in found]
        pairs = [score(names, contract) for names, contract in zip(kept, contracts, strict=True)]
        loose, strict = (sum((pair[i] for pair in pairs), Counts()) for i in (0, 1))
        cells = [f"{x:.3f}" for c in (loose, strict) for x in (c.precision, c.recall, c.f1)]
        rows.append([threshold, *cells])
    header = ["threshold", "precision", "recall", "set F1", "strict precision", "strict recall", "strict F1"]
    n_parties = sum(len(gold_parties(contract)) for contract in contracts)
    notes = f"{len(contracts)} contracts of the {arguments.part} part, {n_parties} parties."
    write_table(f"parties_{arguments.part}", "Party names of contracts", header, rows, notes)


if __name__ == "__main__":
    main()
