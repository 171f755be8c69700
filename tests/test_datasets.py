import json
import re
from dataclasses import replace

import pytest

from longdoc.datasets import (
    Contract,
    CuadConfig,
    JsonlConfig,
    contract_example,
    contract_type,
    cuad_part,
    data_root,
    is_party_name,
    read_conll,
    read_cuad,
    read_dataset,
    read_jsonl,
)
from longdoc.errors import ConfigError, DataError
from longdoc.labels import Span


def test_jsonl_spans_are_checked_against_their_text(tmp_path):
    path = tmp_path / "data.jsonl"
    good = {"id": 1, "text": "Acme pays.", "entities": [{"start": 0, "end": 4, "text": "Acme", "label": "ORG"}]}
    path.write_text(json.dumps(good) + "\n")
    (example,) = read_jsonl(path)
    assert (example.id, example.spans) == ("1", (Span(0, 4, "ORG"),))
    bad = {**good, "entities": [{"start": 1, "end": 5, "text": "Acme", "label": "ORG"}]}
    path.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n")
    with pytest.raises(DataError, match=r"data\.jsonl, line 2.*'cme '"):
        list(read_jsonl(path))


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-PER", "I-PER", "O"], ["Ada Lovelace"]),
        (["I-PER", "I-PER", "O"], ["Ada Lovelace"]),  # IOB1: no B- tag needed
        (["I-PER", "B-PER", "O"], ["Ada", "Lovelace"]),
        (["I-PER", "I-ORG", "O"], ["Ada", "Lovelace"]),
    ],
)
def test_conll_tags_become_spans(tmp_path, tags, spans):
    path = tmp_path / "data.conll"
    words = ["Ada", "Lovelace", "wrote"]
    path.write_text(
        "-DOCSTART-\tO\n\n" + "".join(f"{w}\t{t}\n" for w, t in zip(words, tags, strict=True)) + "\nShe\tO\n"
    )
    (example,) = read_conll(path, token_column=0, tag_column=1)
    assert example.text == "Ada Lovelace wrote\nShe\n"
    assert [example.text[s.start : s.end] for s in example.spans] == spans


def test_conll_names_the_line_with_too_few_columns(tmp_path):
    path = tmp_path / "data.conll"
    path.write_text("Ada\tB-PER\nLovelace\n")
    with pytest.raises(DataError, match="line 2"):
        list(read_conll(path, token_column=0, tag_column=1))


def make_contract(text, parties, **values):
    answers = [Span(text.index(name), text.index(name) + len(name), "Parties") for name in parties]
    return Contract("acme-2001", "Supply", text, None, tuple(answers), values)


def test_every_occurrence_of_a_party_name_is_labelled_but_no_role():
    text = (
        'ACME INC.\nAcme  Inc. ("Acme") and Zenith LLC (the "Company"). Acme Inc. pays. The Company or Acmeville pays.'
    )
    contract = make_contract(text, ["Acme  Inc.", "Acme", "Zenith LLC", "Company"])
    found = [text[s.start : s.end] for s in contract_example(contract).spans]
    assert found == ["ACME INC.", "Acme  Inc.", "Acme", "Zenith LLC", "Acme Inc."]


@pytest.mark.parametrize("role", ["Company", "the Distributor", "each a Party", "we", 'Acme (the "Seller")', "Grower"])
def test_roles_are_not_party_names(role):
    assert not is_party_name(role, "each grower shall pay")


def test_names_are_party_names():
    assert is_party_name("Acme", "Acme pays the company")
    assert is_party_name("Bank of America", "the bank")


def test_the_type_of_a_contract_is_its_class(tmp_path):
    (tmp_path / "one.txt").write_text("DISTRIBUTION AGREEMENT")
    record = {"id": "ACME-1", "type": "Distributor", "text_file": "one.txt", "pdf_file": "one.pdf"}
    (tmp_path / "contracts.jsonl").write_text(json.dumps({**record, "answers": [], "values": {}}) + "\n")
    (contract,) = read_cuad(tmp_path)
    assert contract_type(contract).labels == ("Distributor",)
    assert read_dataset(CuadConfig(reader="cuad types", files=(str(tmp_path),))) == [contract_type(contract)]


def test_the_error_for_missing_data_names_the_data_folder(monkeypatch, tmp_path):
    config = JsonlConfig(reader="jsonl", files=("none.jsonl",))
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match=rf"no such data: none\.jsonl; .* in {re.escape(str(tmp_path))}: set LONGDOC_DATA"
    ):
        read_dataset(config)
    monkeypatch.delenv("LONGDOC_DATA")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=rf"in {re.escape(str(tmp_path / 'data'))}: set LONGDOC_DATA"):
        read_dataset(config)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "none.jsonl").write_text('{"text": "Acme", "label": "lease"}')
    assert [example.labels for example in read_dataset(config)] == [("lease",)]


def test_cuad_is_split_by_company():
    contracts = list(read_cuad(data_root() / "cuad"))
    parts = {part: [c for c in contracts if cuad_part(c) == part] for part in ("train", "dev", "test")}
    assert {part: len(found) for part, found in parts.items()} == {"train": 11, "dev": 3, "test": 2}
    companies = {part: {c.id.split("-")[0] for c in found} for part, found in parts.items()}
    assert not companies["train"] & (companies["test"] | companies["dev"])
    for contract in parts["dev"]:
        for span in contract_example(contract).spans:
            assert contract.text[span.start : span.end].strip()


def test_longer_documents_are_left_out_before_counting(tmp_path):
    path = tmp_path / "data.jsonl"
    texts = ["Acme pays Zenith in full.", "Acme pays.", "Zenith pays."]
    path.write_text("".join(json.dumps({"id": i, "text": t, "entities": []}) + "\n" for i, t in enumerate(texts)))
    config = JsonlConfig(reader="jsonl", files=(str(path),), longest=12, limit=1, skip=1)
    assert [example.text for example in read_dataset(config)] == ["Zenith pays."]


@pytest.mark.parametrize(
    ("keys", "said"), [({"limit": 0}, "limit is 0; give 1"), ({"skip": -1}, "skip is -1; .* non-neg")]
)
def test_limit_and_skip_out_of_range_are_refused(keys, said):
    with pytest.raises(ConfigError, match=said):
        JsonlConfig(reader="jsonl", files=("a.jsonl",), **keys)


def test_labels_are_mapped_and_must_occur(tmp_path, caplog):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "Acme pays Zenith.", "entities": [[0, 4, "ORG"], [5, 9, "ACT"], [10, 16, "ORG"]]}')
    config = JsonlConfig(reader="jsonl", files=(str(path),), labels={"ORG": "PARTY"})
    with caplog.at_level("INFO", logger="longdoc.datasets"):
        assert [span.label for span in read_dataset(config)[0].spans] == ["PARTY", "PARTY"]
    assert caplog.messages == [f"{path}: ignored labels that are not in `labels`: ACT (1)"]
    with pytest.raises(DataError, match=r"nothing is labelled LOC in .*; its labels: ACT, ORG"):
        read_dataset(replace(config, labels={"ORG": "PARTY", "LOC": "PLACE"}))
