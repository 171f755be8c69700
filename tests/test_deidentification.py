"""De-identification: each kind of identifier is found, its look-alikes are not; names are masked everywhere."""

import dataclasses
import json
import re
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import longdoc
from longdoc.backtracking import why_slow
from longdoc.cli import main
from longdoc.deidentification import masking
from longdoc.deidentification.identifiers import identifiers, merged
from longdoc.deidentification.mentions import mentions
from longdoc.deidentification.preset import load_preset
from longdoc.errors import ConfigError, MissingDependencyError, RedactionError
from longdoc.labels import Span
from pdfs import lines, make_pdf
from reference import merged_spans
from test_annotated import predicted

NOTE = (
    "Patient: Ann B. Hill (MRN 00123456, DOB: 3/12/1959), aged 93, of 12 Oak Street, Apt 4B, Springfield, IL 62704.\n"
    "Dr. Kumar saw Ms. Hill on July 31, 2008. HILL denies pain; see hill_ann.doc. BP 120/80, pulse 72.\n"
)

# ---------------------------------------------------------------------------------------------------------- identifiers

FOUND = """
PERSON | seen by Dr. van der Berg. She left | Dr. van der Berg
PERSON | Mr C.-H. Ehrenkrona and | Mr C.-H. Ehrenkrona
PERSON | Sergeant Şahin said | Sergeant Şahin
PERSON | /s/ Renato Covelo | Renato Covelo
PERSON | signed, Jane Doe, M.D. | Jane Doe
DATE | on 21.06.1999 | 21.06.1999
DATE | on 6/21/99 | 6/21/99
DATE | at 2019-05-03T10:30Z | 2019-05-03T10:30Z
DATE | seen on 3/12 | 3/12
DATE | Friday, 5th of June 1998 | Friday, 5th of June 1998
DATE | am 12. März 2004 | 12. März 2004
DATE | le 1er août 2004 | 1er août 2004
DATE | in January | January
DATE | at 1.30 p.m. today | 1.30 p.m.
YEAR | born in 1989, | 1989
YEAR | of 1996/97 | 1996/97
AGE | a 93-year-old man | 93-year-old
AGE | aged 101 | 101
EMAIL | <ann.hill+x@mail.example.co.uk> | ann.hill+x@mail.example.co.uk
URL | (see https://example.org/a?b=c). | https://example.org/a?b=c
URL | follow @ann_hill | @ann_hill
IP_ADDRESS | from 192.168.10.24:8080 | 192.168.10.24:8080
IP_ADDRESS | from fe80::1ff:fe23:4567:890a | fe80::1ff:fe23:4567:890a
DEVICE | MAC 00:1B:44:11:3A:B7 | 00:1B:44:11:3A:B7
DEVICE | serial no. SN-4711/A | SN-4711/A
PHONE | call (212) 555-1212 | (212) 555-1212
PHONE | call 020 7946 0958 | 020 7946 0958
PHONE | Fax: 030 / 1234567 | 030 / 1234567
PHONE | call +49 89 12345678 | +49 89 12345678
ID_NUMBER | 536-22-1234 | 536-22-1234
ID_NUMBER | NHS 943 476 5870 | 943 476 5870
ID_NUMBER | NI QQ 12 34 56 C or AB 12 34 56 C | AB 12 34 56 C
ID_NUMBER | Steuer-ID 36574261809 | 36574261809
ID_NUMBER | passport no. X1234567 | X1234567
ID_NUMBER | driver's license number: D123-4567 | D123-4567
ACCOUNT_NUMBER | DE89 3704 0044 0532 0130 00 | DE89 3704 0044 0532 0130 00
ACCOUNT_NUMBER | 4111-1111-1111-1111 | 4111-1111-1111-1111
ACCOUNT_NUMBER | 3782 822463 10005 | 3782 822463 10005
ACCOUNT_NUMBER | account number 12345-678 | 12345-678
ACCOUNT_NUMBER | account no. 0012 345 678 on | 0012 345 678
ACCOUNT_NUMBER | member ID: ABC12345 | ABC12345
CASE_NUMBER | (no. 36110/97) | 36110/97
CASE_NUMBER | nos. 62776/00 and 63388/00 | 62776/00 and 63388/00
CASE_NUMBER | 1:21-cv-01234 | 1:21-cv-01234
CASE_NUMBER | Docket No. AB-12.345 | AB-12.345
RECORD_NUMBER | MRN: A-12345 | A-12345
RECORD_NUMBER | chart #8812 | 8812
VEHICLE | plate no. AB12 CDE | AB12 CDE
VEHICLE | VIN 1HGCM82633A004352 | 1HGCM82633A004352
ADDRESS | at 350 5th Avenue, Suite 12, | 350 5th Avenue, Suite 12
ADDRESS | One Microsoft Way | One Microsoft Way
ADDRESS | P.O. Box 1332 | P.O. Box 1332
ADDRESS | Austin, Texas 78741 | Austin, Texas 78741
ADDRESS | London SW1A 1AA | SW1A 1AA
ADDRESS | Ottawa K1A 0B1 | K1A 0B1
ADDRESS | Musterstraße 12a, 10115 Berlin | Musterstraße 12a, 10115 Berlin
ADDRESS | Karl Marx Allee 3 | Karl Marx Allee 3
ADDRESS | 12 bis, rue de la Paix, 75002 Paris | 12 bis, rue de la Paix, 75002 Paris
ADDRESS | 48.85837, 2.29448 | 48.85837, 2.29448
"""
NOT_FOUND = """
blood pressure 120/80 and 3/4 of it
section 1.2.3.4 and version 2.10.3
a 58-year-old man
thirty (30) days after the Effective Date
Dated. The parties
GB12 3456 7890 1234 5678 9
room temperature of 37.5 °C, 5 mg twice daily, $1999
Clinical Study Agreement
"""


@pytest.mark.parametrize("line", FOUND.strip().splitlines())
def test_each_kind_is_found_by_its_form(line: str) -> None:
    label, text, wanted = (part.strip() for part in line.split(" | "))
    assert (label, wanted) in [(span.label, text[span.start : span.end]) for span in identifiers(text)]


@pytest.mark.parametrize("text", NOT_FOUND.strip().splitlines())
def test_look_alikes_are_not(text: str) -> None:
    assert [text[span.start : span.end] for span in identifiers(text)] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("DE89370400440532013000", "DE89370400440532013001"),
        ("4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("44051401359", "44051401358"),
        ("12345678Z", "12345678A"),
    ],
)
def test_a_number_with_a_wrong_check_digit_is_not_one(right: str, wrong: str) -> None:
    assert identifiers(right) and not identifiers(wrong)


def test_patterns_take_linear_time_and_name_what_there_is() -> None:
    preset = load_preset()
    for pattern, expression in preset.compiled():
        assert why_slow(expression.pattern) == "", pattern.kind
        assert pattern.label in preset.labels
        if pattern.check:
            assert callable(import_module(f"stdnum.{pattern.check}").is_valid)
    kinds = [pattern.kind for pattern in preset.patterns]
    assert len(set(kinds)) == len(kinds)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("AB")), max_size=6))
def test_what_overlaps_is_masked_whole(given_spans: list[tuple[int, int, str]]) -> None:
    spans = [Span(start, start + length, label) for start, length, label in given_spans]
    assert merged(spans) == merged_spans(spans)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "phonenumbers", None)
    with pytest.raises(MissingDependencyError, match=r"longdoc\[deidentify\]"):
        identifiers("call me")


# ------------------------------------------------------------------------------------------------------------- mentions


def said(text: str, *names: str) -> list[str]:
    return [text[start:end] for start, end in mentions(text, names).ranges]


def test_a_name_is_found_in_every_form() -> None:
    text = "HILL-OEZ, ANN; A. Hill-Öz; Hill‑Oz’s; ann_hill-oz.pdf; A.B.H.; Ms Hill-Öz met Lee Hillman"
    found = said(text.replace("OEZ", "ÖZ"), "Ms Ann B. Hill-Öz")
    assert found == ["HILL-ÖZ, ANN", "A. Hill-Öz", "Hill‑Oz", "ann_hill-oz", "A.B.H.", "Hill-Öz"]


def test_a_name_that_is_a_word_is_masked_within_sentences_and_told_elsewhere() -> None:
    text = "Will Ekman came. Will he stay? He will. They asked Will."
    found = mentions(text, ["Will Ekman"])
    assert [text[start:end] for start, end in found.ranges] == ["Will Ekman", "Will"]
    assert found.left == {"Will": (17,)}
    assert mentions(text, ["Will Ekman"], known=[(17, 21)]).left == {}


@pytest.mark.parametrize(
    ("text", "name", "masked"),
    [
        (
            "the Development Term, the Development Property; First Offer for Development; a development",
            "SVP Development",
            0,
        ),
        (
            "under the Master Hill Agreement and each Hill Party, the Hill, on a hill. Ann Hill signed. Ask Hill.",
            "Ann Hill",
            1,
        ),
        ("Ask Ms Hill on the hill. Then Dr Hill went; later Hill, Bo and the Hill family met Ann Hill.", "Ann Hill", 5),
        ("on a hill: by Hill Smith Partners, for Hill and to HILL. Ann Hill left", "Ann Hill", 4),
        ("they will: Bo asked Will; when Will came, so did the Will. Will Ekman will.", "Will Ekman", 4),
    ],
)
def test_a_word_that_mostly_stands_in_terms_is_no_name(text: str, name: str, masked: int) -> None:
    found = mentions(text, [name])
    assert len(found.ranges) == masked
    assert sum(map(len, found.left.values())) > 0 or masked > 1


def test_what_is_left_of_a_name_of_words_is_told_without_the_name() -> None:
    text = "Mr Will Young came. We will see the young man. " + "Then Young spoke. " * 12
    masked = longdoc.mask(longdoc.deidentify(longdoc.Document.from_text(text)))
    assert masked.text.startswith("[PERSON 1] came.") and masked.text.count("Young") == 12
    (told,) = masked.notices
    assert "12 places were not taken for it" in told and "characters 52, 70, " in told and "and 2 more" in told
    assert "Young" not in json.dumps([masked.to_dict(), masked.lines()])


def test_a_surname_of_two_letters_is_found_as_it_is_written() -> None:
    assert said("Wei Li, then Li’s and LI, li_wei.txt, Lisa", "Dr. Wei Li") == ["Wei Li", "Li", "li_wei"]
    assert said("An An came, and an aunt. An egg.", "Bo An") == []


@pytest.mark.parametrize("n", [10, 300])
def test_full_names_are_compared_with_few_others(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = masking.squeezed
    monkeypatch.setattr(masking, "squeezed", lambda text: calls.append(text) or real(text))
    names = [f"A{at:03}x B{at:03}y".translate(str.maketrans("0123456789", "abcdefghij")) for at in range(n)]
    keys = masking.name_keys([("PERSON", each) for each in (*names, *(name.split()[1] for name in names))])
    assert len(set(keys.values())) == n and len(calls) < 40 * n


def test_a_term_of_a_contract_is_no_name() -> None:
    assert said("The Clinical Study is a study of clinical use. The Study ends.", "Clinical Study") == []


# ------------------------------------------------------------------------------------------------------------------ all


def test_a_note_is_masked_by_rules_and_what_stays_is_unchanged() -> None:
    document = longdoc.Document.from_text(NOTE, name="note.txt")
    prediction = longdoc.deidentify(document)
    masked = longdoc.mask(prediction)
    assert masked.text == (
        "Patient: [PERSON 1] (MRN [RECORD_NUMBER 1], DOB: [DATE 1]), aged [AGE 1], of [ADDRESS 1], [ADDRESS 2].\n"
        "[PERSON 2] saw [PERSON 1] on [DATE 2]. [PERSON 1] denies pain; see [PERSON 1].doc. BP 120/80, pulse 72.\n"
    )
    assert masked.names["[PERSON 1]"] == ("Ann B. Hill", "Ms. Hill", "HILL", "hill_ann")
    assert masked.labels["PERSON"] == 5 and masked.short == 1
    assert "PERSON: 5 places" in masked.lines()[0] and not any("Hill" in line for line in masked.lines())
    assert "Hill" not in json.dumps(masked.to_dict())
    back = iter([document.text[each.start : each.end] for each in prediction.entities])
    assert re.sub(r"\[[A-Z_]+ \d+\]", lambda _: next(back), masked.text) == document.text


def test_labels_are_chosen_and_left_out() -> None:
    text = "Mr Ekman left in 1989 and 1990."
    assert {e.label for e in longdoc.deidentify(longdoc.Document.from_text(text), labels=["PERSON"]).entities} == {
        "PERSON"
    }
    assert {e.label for e in longdoc.deidentify(longdoc.Document.from_text(text), without=["YEAR"]).entities} == {
        "PERSON"
    }
    with pytest.raises(ConfigError, match="unknown label 'PERSN'; did you mean 'PERSON'"):
        longdoc.deidentify(longdoc.Document.from_text(text), labels=["PERSN"])
    with pytest.raises(ConfigError, match="no label is left"):
        longdoc.deidentify(longdoc.Document.from_text(text), labels=["PERSON"], without=["PERSON"])


def test_what_is_left_out_hides_nothing_that_is_sought() -> None:
    text = "Box of Mr. Ekman@example.org."  # the name and the longer address overlap
    found = longdoc.deidentify(longdoc.Document.from_text(text), without=["EMAIL"])
    assert [(each.label, each.text) for each in found.entities] == [("PERSON", "Mr. Ekman")]


def test_a_dose_or_a_sentence_that_a_model_takes_for_a_date_is_none() -> None:
    sentence = "Unless ended before, this lease takes effect on May 1, 2015 and ends a year later"
    document = longdoc.Document.from_text(f"{sentence}. Give 40 twice on Monday.")
    pipeline = FakeModel(predicted(document, DATE=f"{sentence}|40|Monday", ORG="Give"))
    found = longdoc.deidentify(document, pipeline).entities
    assert [(each.label, each.text) for each in found] == [("DATE", "May 1, 2015"), ("ORG", "Give"), ("DATE", "Monday")]


def test_words_that_a_model_takes_for_names_stay() -> None:
    document = longdoc.Document.from_text(
        "Company and the Agent met Hill and Acme on a hill. The company has an agent."
    )
    pipeline = FakeModel(predicted(document, ORG="Company|the|Agent|Acme", PERSON="Hill"))
    assert [each.text for each in longdoc.deidentify(document, pipeline).entities] == ["Hill", "Acme"]


class FakeModel:
    """A pipeline that finds what it is given."""

    heads = MappingProxyType({"general": SimpleNamespace(kind="ner", labels=("PERSON", "DATE", "ORG"))})
    rules = None

    def __init__(self, prediction: longdoc.Prediction) -> None:
        self.prediction = prediction

    def __call__(self, document: longdoc.Document, tasks: list[str]) -> longdoc.Prediction:
        assert tasks == ["general"]
        return self.prediction


def test_a_model_that_finds_no_persons_is_refused() -> None:
    pipeline = SimpleNamespace(heads={"general": SimpleNamespace(kind="ner", labels=("DATE",))}, rules=None)
    with pytest.raises(ConfigError, match=r"no head of the model finds persons.* it has DATE"):
        longdoc.deidentify(longdoc.Document.from_text("Ann"), pipeline)


def test_masked_texts_are_masked_wherever_they_stand_and_sought_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    document = longdoc.Document.from_text("Acme Corp. owes Mr Ekman. ACME  CORP pays. Will he? Ask Will. He will.")
    prediction = predicted(document, ORG=r"Acme Corp\.", PERSON=r"(?<=Ask )Will")
    masked = longdoc.mask(prediction)
    assert masked.text == "[ORG 1] owes Mr Ekman. [ORG 1] pays. Will he? Ask [PERSON 1]. He will."
    assert masked.others == 1
    with pytest.raises(ConfigError, match="nothing of 'DATE' was found; found: ORG, PERSON"):
        longdoc.mask(prediction, ["DATE"])
    monkeypatch.setattr(masking, "_written", lambda text, spans: (text, {}))
    with pytest.raises(RedactionError, match="2 texts that should be masked would be left"):
        longdoc.mask(prediction)


def test_fields_are_masked_and_labels_may_be_words_of_the_text() -> None:
    document = longdoc.Document.from_text("The Company owes Ann Hill a fee. Company and Hill agree.")
    fee = longdoc.Answer(text="a fee", label="Fee", start=26, end=31, score=1.0, page=1)
    prediction = dataclasses.replace(predicted(document, Company="Company"), answers=(fee,))
    masked = longdoc.mask(prediction, ["Company", "Fee"])
    assert masked.text == "The [Company 1] owes Ann Hill [Fee 1]. [Company 1] and Hill agree."
    assert masked.labels == {"Company": 2, "Fee": 1}


def test_a_finding_that_is_a_word_is_told_to_be_masked_only_where_it_was_found() -> None:
    text = "Target sued. The target was Target of old."
    entity = predicted(longdoc.Document.from_text(text), ORG="^Target")
    masked = longdoc.mask(entity)
    assert masked.text == "[ORG 1] sued. The target was Target of old." and masked.words == 1
    assert any("also has in small letters, was masked only where found" in line for line in masked.lines())


def test_the_report_of_a_pdf_tells_what_was_not_taken_for_a_name(tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(make_pdf(lines("Mr Will Ekman came.", "Will was late.", "They will go.")))
    report = longdoc.redact(longdoc.deidentify(tmp_path / "in.pdf"), tmp_path / "out.pdf", ["PERSON"])
    assert "1 place was not taken for it" in "".join(report.lines()) and "Will" not in json.dumps(report.to_dict())


# --------------------------------------------------------------------------------------------------------- command line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "note.txt").write_text(NOTE)
    content = lines(
        "Letter to Ms Ann Hill, 12 Oak Street,", "born 3/12/1959; mail ann.hill@example.org.", "HILL paid it."
    )
    (folder / "letter.pdf").write_bytes(make_pdf(content))
    return folder


def test_a_text_is_masked_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, found, mapping = folder / "out.txt", folder / "found.jsonl", folder / "who.json"
    command = ["redact", str(folder / "note.txt"), "--preset", "deidentify", "-o"]
    assert main([*command, str(out), "--mapping", str(mapping), "--findings", str(found), "--without", "AGE"]) == 0
    text, said = out.read_text(), capsys.readouterr().out
    assert "aged 93" in text and not re.search("hill|kumar|oak|00123456|1959|2008", text, re.IGNORECASE)
    assert "verified: nothing of what was looked for is left" in said and "Hill" not in said
    assert "Ms. Hill" in json.loads(mapping.read_text())["[PERSON 1]"]
    assert main([*command, str(folder / "again.txt"), "--spans", str(found), "--without", "AGE"]) == 0
    assert (folder / "again.txt").read_text() == text


def test_a_pdf_is_redacted_by_its_findings(folder: Path) -> None:
    found, out = folder / "letter.jsonl", folder / "out.pdf"
    longdoc.deidentify(folder / "letter.pdf").save(found)
    command = ["redact", str(folder / "letter.pdf"), "--preset", "deidentify", "--spans", str(found), "-o", str(out)]
    assert main(command) == 0
    text = pypdf.PdfReader(out).pages[0].extract_text()
    assert "Letter to" in text and "paid it" in text
    assert not re.search("hill|oak|1959|example", text, re.IGNORECASE)


def test_a_finding_whose_label_the_preset_lacks_does_not_stay_in_silence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out = folder / "mine.jsonl", folder / "mine.txt"
    longdoc.deidentify(folder / "note.txt").save(found)
    found.write_text(found.read_text().replace('"AGE"', '"NICKNAME"'))
    command = ["redact", str(folder / "note.txt"), "--spans", str(found), "-o", str(out)]
    assert main([*command, "--preset", "deidentify"]) == 2
    assert "has NICKNAME, which the preset does not know, and which would stay" in capsys.readouterr().err
    assert main([*command, "--labels", "PERSON,NICKNAME"]) == 0
    assert "aged [NICKNAME 1]" in out.read_text()
    assert main([*command, "--preset", "deidentify", "--labels", "PERSON", "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out.txt"], "nothing to remove: give --labels"),
        (["-o", "out.txt", "--labels", "PERSON", "--without", "YEAR"], "--without is for labels of a --preset"),
        (["-o", "out.txt", "--preset", "deidentify", "--labels", "PERSN"], "did you mean 'PERSON'"),
        (["-o", "out.txt", "--preset", "deidentify", "--only-found"], "--only-found is for a PDF"),
        (["-o", "out.pdf", "--preset", "deidentify", "--mapping", "who.json"], "--mapping is for a text"),
        (["-o", "out.txt", "--preset", "deidentify", "--mapping", "out.txt"], "is named for two outputs"),
        (["-o", "out.txt", "--preset", "deidentify", "--findings", "found.xyz"], "unknown suffix '.xyz'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("note.txt").write_text(NOTE)
    assert main(["redact", "note.txt", *options]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
