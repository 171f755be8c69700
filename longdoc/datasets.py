"""Labelled documents: the readers of annotated corpora, one function a format.

Each reader takes a file and yields :class:`Example` objects whose spans are checked against their text. The data
folder holds one subfolder per corpus; its README names the licence of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from longdoc.errors import ConfigError, DataError
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
_NAME_EDGES = " \t\r\n\"'“”‘’(),;:"


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated document."""

    id: str
    text: str
    spans: tuple[Span, ...]


def data_root() -> Path:
    """The folder of corpora: ``$LONGDOC_DATA``, else ``shared/data`` beside the project's folder."""
    return Path(os.environ.get("LONGDOC_DATA") or Path(__file__).parents[2] / "shared" / "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Where annotated documents come from and which of their labels are used."""

    reader: Literal["jsonl", "conll", "cuad"]
    files: tuple[str, ...]
    """Paths below :func:`data_root`; for ``cuad`` the corpus folder."""
    labels: dict[str, str]
    """Label in the corpus: label of the head. Others are ignored."""
    part: Literal["train", "dev", "test"] | None = None
    """Which part of a corpus that has no files of its own for each (``cuad``)."""
    limit: int | None = None
    """At most so many documents, the first ones."""
    token_column: int = 0
    tag_column: int = 1

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}; give 1 or more, or leave it out for all documents")


def read_dataset(config: DatasetConfig) -> list[Example]:
    """All examples of a data set, relabelled.

    Raises:
        DataError: where a file is missing, malformed or holds no example.
    """
    examples: list[Example] = []
    seen: set[str] = set()
    for name in config.files:
        path = data_root() / name
        if not path.exists():
            raise DataError(f"no such data: {name} below the data folder; set LONGDOC_DATA to the folder that holds it")
        if config.reader == "jsonl":
            found = read_jsonl(path)
        elif config.reader == "conll":
            found = read_conll(path, token_column=config.token_column, tag_column=config.tag_column)
        else:
            parts = (c for c in read_cuad(path) if config.part in (None, cuad_part(c)))
            found = map(contract_example, parts)
        for example in found:
            seen.update(span.label for span in example.spans)
            examples += relabel([example], config.labels)
    examples = examples[: config.limit]
    if not examples:
        raise DataError(f"no example in {', '.join(config.files)}")
    if missing := set(config.labels) - seen:
        names = f"no span is labelled {', '.join(sorted(missing))} in {', '.join(config.files)}"
        raise DataError(f"{names}; its labels: {', '.join(sorted(seen)) or 'none'}")
    return examples


def relabel(examples: Iterable[Example], names: Mapping[str, str]) -> Iterator[Example]:
    """Keeps the spans whose label is a key of ``names`` and gives them the new name."""
    for example in examples:
        spans = tuple(replace(s, label=names[s.label]) for s in example.spans if s.label in names)
        yield replace(example, spans=spans)


def read_jsonl(path: Path) -> Iterator[Example]:
    """JSON lines ``{"id", "text", "entities": [{"start", "end", "text", "label"}]}``.

    Raises:
        DataError: naming file and line, where a record lacks a key or a span's text is not what stands at its offsets.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                text = record["text"]
                spans = tuple(_checked_span(entity, text) for entity in record["entities"])
                yield Example(str(record.get("id", number)), text, spans)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{path}, line {number}: {type(error).__name__}: {error}") from error


def _checked_span(entity: Mapping[str, Any], text: str) -> Span:
    span = Span(entity["start"], entity["end"], entity["label"])
    if "text" in entity and text[span.start : span.end] != entity["text"]:
        raise ValueError(f"text[{span.start}:{span.end}] is {text[span.start : span.end]!r}, not {entity['text']!r}")
    return span


def read_conll(path: Path, *, token_column: int, tag_column: int, sentences_per_document: int = 8) -> Iterator[Example]:
    """CoNLL-like columns, a token a line, blank lines between sentences; BIO or IOB1 tags.

    Tokens are joined by a blank, sentences by a line feed. A corpus of single sentences is read as documents of
    ``sentences_per_document``, so that a window sees neighbours.
    """
    sentences: list[list[tuple[str, str]]] = [[]]
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\n").split("\t") if "\t" in line else line.split()
            if not line.strip():
                if sentences[-1]:
                    sentences.append([])
            elif not line.startswith("# ") and "-DOCSTART-" not in cells:
                if len(cells) <= max(token_column, tag_column):
                    raise DataError(f"{path}, line {number}: expected column {tag_column}, got {len(cells)} columns")
                sentences[-1].append((cells[token_column], cells[tag_column]))
    filled = [sentence for sentence in sentences if sentence]
    for first in range(0, len(filled), sentences_per_document):
        yield _join_sentences(f"{path.stem}-{first}", filled[first : first + sentences_per_document])


def _join_sentences(identifier: str, sentences: list[list[tuple[str, str]]]) -> Example:
    parts: list[str] = []
    spans: list[Span] = []
    position, previous = 0, "O"
    for sentence in sentences:
        for index, (token, tag) in enumerate(sentence):
            start, end = position, position + len(token)
            prefix, _, label = tag.partition("-")
            continues = prefix == "I" and index > 0 and previous[2:] == label
            if continues:
                spans[-1] = replace(spans[-1], end=end)
            elif label:
                spans.append(Span(start, end, label))
            parts += [token, "\n" if index + 1 == len(sentence) else " "]
            position, previous = end + 1, tag
    return Example(identifier, "".join(parts), tuple(spans))


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
    with (folder / "contracts.jsonl").open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            record = json.loads(line)
            text = (folder / record["text_file"]).read_text(encoding="utf-8")
            try:
                answers = tuple(_checked_span({**a, "label": a["category"]}, text) for a in record["answers"])
            except (KeyError, ValueError) as error:
                raise DataError(f"{folder / 'contracts.jsonl'}, line {number}: {error}") from error
            yield Contract(record["id"], record["type"], text, folder / record["pdf_file"], answers, record["values"])


def cuad_part(contract: Contract) -> str:
    """``train``, ``dev`` or ``test``: about 80, 5 and 15 % of the contracts, all those of a company in one part.

    The part is a hash of the first word of the contract's file name, which is the filing company's name, so that it
    never changes and amendments stay together. A company that files under two spellings can stand on both sides.
    """
    company = re.split(r"[-_ ]", contract.id)[0]
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
