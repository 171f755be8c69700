"""What was not sought for a field, or only in part: it is told apart from what was not found, and said once."""

from dataclasses import replace

import pytest

import longdoc
from longdoc import Prediction
from longdoc.fields import Sources, extract
from longdoc.findings import Searched
from longdoc.heads import NerConfig, QaConfig, SpansConfig
from longdoc.labels import Entity
from longdoc.outputs.format import not_found, said_notices
from longdoc.prediction import Notice
from longdoc.records import ANY, RECORDS
from longdoc.schema import load_schema
from longdoc.usable import Usable

CONTRACT = longdoc.load(b"""SUPPLY AGREEMENT

This Supply Agreement is made as of June 9, 2004 by and between Acme, Inc., a Delaware corporation ("Supplier"), and
Beta LLC ("Buyer").

1. Delivery. Supplier delivers the goods on Mondays.

IN WITNESS WHEREOF, the parties hereto have signed this Agreement.
""")
NOTE = longdoc.load(b"""CHIEF COMPLAINT

Back pain.

ALLERGIES

No known drug allergies.

ASSESSMENT AND PLAN

He feels better and goes home.
""")
HEADS = {
    "contract": NerConfig(labels=("PARTY", "AGREEMENT_DATE")),
    "effective": NerConfig(labels=("EFFECTIVE_DATE",)),
    "biomedical": NerConfig(labels=("Chemical", "DISEASE")),
    "clauses": SpansConfig(labels=("Governing Law", "Insurance")),
    "qa": QaConfig(),
}
READ_BY = {"contract": ("contract", "effective", "clauses"), "note": ("biomedical",), "paper": ("biomedical",)}


def found_in(document, fields, tasks=None, heads=HEADS):
    """The fields of a document in which no head finds anything."""
    usable = Usable.of(heads, None, allowed=tasks)
    ran = []

    def see(names):
        ran.extend(names)
        return Prediction(document=document)

    sources = Sources(usable, lambda kind: READ_BY[kind], see, lambda asked: [Searched([], (), 1.0) for _ in asked])
    found = extract(document, load_schema({"fields": fields}), sources)
    assert tasks is None or set(ran) <= set(tasks)
    return found


def record(*names, **more):
    return {"from": [{"record": name} for name in names], **more}


def test_a_field_of_the_record_of_another_kind_is_not_sought():
    fields = {"who": record("parties", many=True), "drugs": record("medications"), "law": record("governing_law")}
    found = found_in(CONTRACT, fields)
    assert found.kind == "contract" and [answer.text for answer in found.fields["who"]] == ["Acme, Inc.", "Beta LLC"]
    assert found.notices == (Notice("drugs", "the record of a contract has no such field"),)
    assert not_found(found) == ["law"]
    assert found_in(NOTE, fields).notices == (
        Notice("who", "the record of a note has no such field"),
        Notice("law", "the record of a note has no such field"),
    )


def test_a_schema_with_more_fields_of_another_kind_still_gets_the_fields_of_the_document():
    fields = {"who": record("parties", many=True), "drugs": record("medications"), "signs": record("vital_signs")}
    found = found_in(CONTRACT, fields)
    assert found.kind == "contract" and len(found.fields["who"]) == 2
    assert said_notices(found) == ["Not sought: drugs, signs (the record of a contract has no such field)"]


def test_a_field_that_another_source_gives_is_sought_in_part_by_a_record_that_lacks_it():
    fields = {"drugs": record("medications"), "who": record("parties"), "fee": record("caps")}
    fields["drugs"]["from"].append({"section": "drugs"})
    found = found_in(CONTRACT, fields)
    assert found.notices == (Notice("drugs", "the record of a contract has no such field", in_part=True),)
    assert not_found(found) == ["drugs", "fee"]
    fields["drugs"]["from"].append({"section": "delivery"})
    assert found_in(CONTRACT, fields).notices == ()


def test_heads_that_the_tasks_leave_out_show_for_fields_of_the_record():
    fields = {"who": record("parties", many=True), "law": record("governing_law"), "end": record("expiration_date")}
    fields |= {"starts": record("effective_date"), "title": record("title")}
    assert found_in(CONTRACT, fields).notices == ()
    found = found_in(CONTRACT, fields, tasks=["contract", "qa"])
    missing = [name for name in ("law", "end", "starts") if not found.fields[name]]
    assert {"law", "end"} <= set(missing) and found.fields["who"]
    assert [notice.field for notice in found.notices] == [name for name in missing if name != "end"]
    assert Notice("law", "the tasks leave out clauses", in_part=True) in found.notices
    assert not_found(found) == missing
    assert said_notices(found)[0].startswith("Sought in part: law (the tasks leave out clauses)")


def test_a_label_is_that_of_a_head_in_whatever_case():
    fields = {"drugs": record("medications"), "problems": record("problems"), "signs": record("vital_signs")}
    found = found_in(NOTE, fields, tasks=["contract"])
    reason = "the tasks leave out biomedical"
    assert found.notices == (Notice("drugs", reason, in_part=True), Notice("problems", reason, in_part=True))


def test_what_only_heads_find_is_not_sought_without_them(monkeypatch):
    monkeypatch.setattr("longdoc.fields.record_for", lambda document, names: ("paper", ""))
    monkeypatch.setitem(RECORDS, "paper", replace(RECORDS["paper"], make=lambda *_: RECORDS["paper"].type(*8 * [()])))
    fields = {"names": record("entities"), "doi": record("doi")}
    assert found_in(NOTE, fields, tasks=["contract"]).notices == (Notice("names", "the tasks leave out biomedical"),)
    assert found_in(NOTE, fields).notices == ()


def test_one_of_two_heads_for_a_label_may_be_left_out():
    heads = HEADS | {"more": NerConfig(labels=("PARTY",))}
    fields = {"who": {"from": [{"entity": "PARTY"}]}}
    found = found_in(CONTRACT, fields, tasks=["contract"], heads=heads)
    assert found.notices == (Notice("who", "the tasks leave out more", in_part=True),)


def test_a_reason_is_said_once_however_many_fields_share_it():
    fields = {name: record(name) for name in ("parties", "governing_law", "term")}
    fields |= {"insurance": {"from": [{"record": "caps"}, {"clause": "Insurance"}]}}
    fields |= {"plan": {"from": [{"section": "assessment and plan"}]}}
    lines = said_notices(found_in(NOTE, fields, tasks=["qa"]))
    assert lines[0].startswith("no record: the document does not look like a contract; it looks like a clinical note")
    assert lines[1:] == [
        "Not sought: parties, governing_law, term (no record)",
        "Not sought: insurance (no record; the tasks leave out clauses)",
    ]


def test_answers_left_out_for_one_reason_are_said_in_one_line():
    cut = "only the 20 likeliest answers to the question are kept"
    notices = (Notice("fees", cut, 3), Notice("rent", "no record"), Notice("dates", cut, 1))
    assert said_notices(Prediction(document=NOTE, notices=notices)) == [
        f"Left out: fees (3 or more), dates (1 or more) ({cut})",
        "Not sought: rent (no record)",
    ]


def test_a_notice_is_written_and_read():
    found = Prediction(document=NOTE, notices=(Notice("law", "no record", in_part=True), Notice("", "no record: why")))
    assert Prediction.from_dict(found.to_dict(), NOTE).notices == found.notices
    written = found.to_dict()
    for notice in written["notices"]:
        del notice["in_part"]  # as longdoc wrote them before
    assert Prediction.from_dict(written, NOTE).notices[0] == Notice("law", "no record")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, own in RECORDS.items() for name in own.reads])
def test_the_labels_of_a_field_of_a_record_are_those_that_its_code_reads(kind, name, monkeypatch):
    """A record made of findings whose labels tell that they are compared."""
    asked = set()

    class Told(str):
        def __eq__(self, other):
            asked.add(str(other))
            return str(self) == other

        def upper(self):
            return Told(super().upper())

        __hash__ = str.__hash__

    monkeypatch.setattr("longdoc.records.contract.require_type", lambda *_: None)
    monkeypatch.setattr("longdoc.records.note.require_type", lambda *_: None)
    monkeypatch.setattr("longdoc.records.paper.require_type", lambda *_: None)
    own = RECORDS[kind]
    assert name in own.fields
    text = NOTE.text[:4]
    told = Entity(text=text, label=Told("NONE"), start=0, end=4, score=0.9, page=1)
    made = own.make(NOTE, (told,), (told,))
    if own.reads[name] == ANY:
        assert getattr(made, name)
    else:
        assert set(own.reads[name]) <= asked
