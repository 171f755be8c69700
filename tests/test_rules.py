"""Rules: what the shipped files find and ignore, custom rule files, errors, and invariants of spans."""

import itertools
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.errors import ConfigError, MissingDependencyError
from longdoc.labels import Span
from longdoc.rules import SHIPPED, Rule, Rules
from timing import assert_linear

LABELS = ("DOSE", "DATE", "MONEY", "PERCENT", "DURATION", "EMAIL", "URL", "PHONE", "SECTION_REF", "STATUTE", "CASE")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.load("default")


def found(rules: Rules, text: str, label: str | None = None) -> list[str]:
    return [text[span.start : span.end] for span in rules.find(text) if label in (None, span.label)]


FOUND = {
    "DATE": [
        ("made on June 21, 1999 by", ["June 21, 1999"]),
        ("JUNE 21st, 1999", ["JUNE 21st, 1999"]),
        ("Jan. 5, 2001 or Sept. 7 2001", ["Jan. 5, 2001", "Sept. 7 2001"]),
        ("this 21st day of June, 1999", ["21st day of June, 1999"]),
        ("this 21 st day of June 1999", ["21 st day of June 1999"]),
        ("the twenty-first (21st) day of June, 1999", ["twenty-first (21st) day of June, 1999"]),
        ("this ____ day of March, 2004", ["day of March, 2004"]),
        ("on 5 June 1999, the 5th of June and 1 April, 2020", ["5 June 1999", "5th of June", "1 April, 2020"]),
        ("in June 1999, October of 2008 and May 2000", ["June 1999", "October of 2008", "May 2000"]),
        ("ending December 31 of each year", ["December 31"]),
        ("June 5-10, 2019", ["June 5-10, 2019"]),
        ("06/21/1999, 6/21/99 and 9/2008", ["06/21/1999", "6/21/99", "9/2008"]),
        ("2019-05-03 or 12-31-2005", ["2019-05-03", "12-31-2005"]),
        ("27.03.1991 and 5.6.1999", ["27.03.1991", "5.6.1999"]),
        ("21-Jun-1999, 8-Dec-15", ["21-Jun-1999", "8-Dec-15"]),
        ("fiscal year 2019, Q1 2019, the mid-1990s, the 1970s", ["fiscal year 2019", "Q1 2019", "mid-1990s", "1970s"]),
        ("You may 5 times; May I? May Smith may; in March the march; section 8.3.2; 1,999; in 2008", []),
        ("31/31/1999, 2016/679, 1999.", []),
    ],
    "MONEY": [
        ("pay $1,000,000.00 or $.05 or $ 5", ["$1,000,000.00", "$.05", "$ 5"]),
        ("US$ 5 million, US$10.1 billion, US $7", ["US$ 5 million", "US$10.1 billion", "US $7"]),
        ("EUR 3.5m, USD5,000, £20, £20k, €3.5 million", ["EUR 3.5m", "USD5,000", "£20", "£20k", "€3.5 million"]),
        ("one hundred thousand dollars ($100,000)", ["one hundred thousand dollars ($100,000)"]),
        ("Two Thousand Five Hundred Dollars (US$2,500.00).", ["Two Thousand Five Hundred Dollars (US$2,500.00)"]),
        ("five thousand ($5,000) dollars", ["five thousand ($5,000) dollars"]),
        ("$5 million dollars and 100 USD; 50 cents", ["$5 million dollars", "100 USD", "50 cents"]),
        ("Five Hundred and 00/100 Dollars ($500.00)", ["Five Hundred and 00/100 Dollars ($500.00)"]),
        ("68,000 Danish kroner (DKK)", ["68,000 Danish kroner (DKK)"]),
        ("a loss of $(1,000)", ["$(1,000)"]),
        ("in dollars, $[***], 5 pounds of sugar, 100 shares, the dollar", []),
    ],
    "PERCENT": [
        ("5% or 3.5 % or 33 1/3%", ["5%", "3.5 %", "33 1/3%"]),
        ("five percent (5%) of it", ["five percent (5%)"]),
        ("fifty (50%) percent, five (5) percent", ["fifty (50%) percent", "five (5) percent"]),
        ("one and one-half percent (1.5%)", ["one and one-half percent (1.5%)"]),
        ("3.5 per cent, ten per cent. more", ["3.5 per cent", "ten per cent"]),
        ("5-10% and 30% and 60%; 324 (68.64%)", ["5-10%", "30%", "60%", "68.64%"]),
        ("a percent, ***%, percentage", []),
    ],
    "DURATION": [
        ("within thirty (30) days of", ["thirty (30) days"]),
        ("within eight (8) hours", ["eight (8) hours"]),
        ("a two-year term, a 90-day notice", ["two-year", "90-day"]),
        ("90 days, five years, 24 hours", ["90 days", "five years", "24 hours"]),
        ("ten (10) consecutive Business Days", ["ten (10) consecutive Business Days"]),
        ("one hundred twenty (120) days' notice", ["one hundred twenty (120) days"]),
        ("4-6 weeks, two or three months", ["4-6 weeks", "two or three months"]),
        ("a 58-year-old man, 45 years of age; a day; the first year; 2201 Second Street; every other month", []),
    ],
    "EMAIL": [
        ("mail john.q-doe@example.co.uk, or a@b.org.", ["john.q-doe@example.co.uk", "a@b.org"]),
        ("@home a@ b @c.d", []),
    ],
    "URL": [
        ("see http://www.example.com/a_b?c=1. Or", ["http://www.example.com/a_b?c=1"]),
        ("www.sec.gov, https://x.org/y; (example.com)", ["www.sec.gov", "https://x.org/y", "example.com"]),
        ("Amazon.com, Inc.; the end.Then; e.g. 1.2", []),
    ],
    "PHONE": [
        ("(212) 555-1212 and 212-555-1212", ["(212) 555-1212", "212-555-1212"]),
        ("(508)251-1154; 212.555.1212; 619/546-7499", ["(508)251-1154", "212.555.1212", "619/546-7499"]),
        ("1-800-555-1212, +1 (212) 555-1212", ["1-800-555-1212", "+1 (212) 555-1212"]),
        ("+44 20 7946 0958, +86 136 2131 5977", ["+44 20 7946 0958", "+86 136 2131 5977"]),
        ("version 1.2.3, 123-45-6789, 10.1.2.3, pages 100-200, 2019-05-03", []),
    ],
    "SECTION_REF": [
        ("Section 5.1, section 2(b) and SECTION 12", ["Section 5.1", "section 2(b)", "SECTION 12"]),
        ("Section 10(b)(5)(A) (see Section 3).", ["Section 10(b)(5)(A)", "Section 3"]),
        ("Article IV, Exhibit A, Schedule 1.1(a)", ["Article IV", "Exhibit A", "Schedule 1.1(a)"]),
        ("as set forth in Exhibit B. For", ["Exhibit B"]),
        ("Sections 2.1, 2.2(a) and 2.3 hereof", ["Sections 2.1, 2.2(a) and 2.3"]),
        ("paragraph (b)(ii), clauses (i) to (iii)", ["paragraph (b)(ii)", "clauses (i) to (iii)"]),
        ("§ 12, §§ 10-12, Sec. 5.1", ["§ 12", "§§ 10-12", "Sec. 5.1"]),
        ("Article in a newspaper; this Section; the Section shall; SECTION OF; sections are", []),
    ],
    "STATUTE": [
        ("under 15 U.S.C. § 78a,", ["15 U.S.C. § 78a"]),
        ("42 U.S.C. §§ 11001 et seq., 17 C.F.R. 240.10b-5", ["42 U.S.C. §§ 11001 et seq.", "17 C.F.R. 240.10b-5"]),
        (
            "Section 10(b) of the Securities Exchange Act of 1934",
            ["Section 10(b) of the Securities Exchange Act of 1934"],
        ),
        ("the Securities Act of 1933, the Clean Air Act", ["Securities Act of 1933", "Clean Air Act"]),
        ("Del. Code tit. 8", ["Del. Code tit. 8"]),
        ("Del. Code Ann. tit. 8, § 102(b)(7)", ["Del. Code Ann. tit. 8, § 102(b)(7)"]),
        ("Article 28 GDPR and HIPAA", ["Article 28 GDPR", "HIPAA"]),
        ("Regulation (EU) 2016/679, Directive 95/46/EC", ["Regulation (EU) 2016/679", "Directive 95/46/EC"]),
        ("Article 6(1) of Regulation (EU) 2016/679", ["Article 6(1) of Regulation (EU) 2016/679"]),
        ("Rule 10b-5, Regulation S-K, Pub. L. No. 104-191", ["Rule 10b-5", "Regulation S-K", "Pub. L. No. 104-191"]),
        ("U.S. Bankruptcy Code; Sections 323 and 34 IPC", ["U.S. Bankruptcy Code", "Sections 323 and 34 IPC"]),
        ("Act now. The Act; Source Code; Applicable Law; Rule 5; cost per click (CPC); Section 2 of the Agreement", []),
    ],
    "CASE": [
        ("In Smith v. Jones, 410 U.S. 113 (1973), the", ["Smith v. Jones, 410 U.S. 113 (1973)"]),
        (
            "224 P.3d 1125; 550 F. Supp. 2d 12, 15 (S.D.N.Y. 2008)",
            ["224 P.3d 1125", "550 F. Supp. 2d 12, 15 (S.D.N.Y. 2008)"],
        ),
        ("Brown v. Board of Education", ["Brown v. Board of Education"]),
        ("Rex v. Doe, (2006) 3 SCC 374; AIR 1964 SC 521", ["Rex v. Doe, (2006) 3 SCC 374", "AIR 1964 SC 521"]),
        ("the game vs. the Giants; Eric V. Zimmerman; wild type vs. Control; (v) the 5 U.S. states", []),
    ],
    "DOSE": [
        ("5 mg, 5mg and 200-mg", ["5 mg", "5mg", "200-mg"]),
        ("2.5 mL/kg, 5 mcg/kg/min, 10mg/kg", ["2.5 mL/kg", "5 mcg/kg/min", "10mg/kg"]),
        ("10 mg twice daily", ["10 mg twice daily"]),
        ("325 mg po q6h prn", ["325 mg po q6h prn"]),
        ("1 tablet p.o. b.i.d. with", ["1 tablet p.o. b.i.d."]),
        ("20 to 25 mg per week, 2 puffs every 4-6 hours", ["20 to 25 mg per week", "2 puffs every 4-6 hours"]),
        ("glucose 120 mg/dL, 5mg/mL of BSA, 500 mL of urine, 5 g, two tablets, 10 units of stock", []),
    ],
}


@pytest.mark.parametrize(
    ("label", "text", "expected"), [(label, *row) for label, table in FOUND.items() for row in table]
)
def test_what_the_shipped_rules_find(rules: Rules, label: str, text: str, expected: list[str]) -> None:
    assert found(rules, text, label) == expected


def test_the_labels_and_the_files_that_are_shipped(rules: Rules) -> None:
    assert rules.labels == LABELS
    assert set(FOUND) == set(LABELS)
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {"general", "legal", "clinical"}
    assert Rules.load("legal").labels == ("SECTION_REF", "STATUTE", "CASE")
    assert Rules.load("legal", "default", SHIPPED / "legal.yaml").rules[0] == Rules.load("legal").rules[0]
    assert len(Rules.load("legal", "default", SHIPPED / "legal.yaml").rules) == len(rules.rules)


def test_a_match_crosses_a_line_end_but_not_an_empty_line(rules: Rules) -> None:
    for space in ("\n", "\r\n", "  ", "\t", "\xa0", " \n   ", "\u2028", "\n\u200b"):
        text = f"dated June{space}21,{space}1999"
        assert found(rules, text) == [text[6:]], repr(space)
    assert found(rules, "in May\n\n2019") == []
    assert found(rules, "in May\r\n \r\n2019") == []


def test_zero_width_characters_and_all_kinds_of_hyphens_are_matched(rules: Rules) -> None:
    text = "a two\u2011year term for \u200b$5\u200b00\u200b."
    assert found(rules, text) == ["two\u2011year", "$5\u200b00"]


def test_text_without_entities_has_no_spans(rules: Rules) -> None:
    assert [rules.find(text) for text in ("", " ", "\n\n\n", "\u200b", "a")] == [[]] * 5


def test_the_longest_match_wins_whatever_its_label(rules: Rules) -> None:
    text = "Section 10(b) of the Securities Act of 1933 and Section 10(b)"
    assert [span.label for span in rules.find(text)] == ["STATUTE", "SECTION_REF"]


PIECES = [
    *("June 21, 1999", "$5", "five percent (5%)", "Section 10(b)", "Exhibit B.", "x@y.com", "10 mg b.i.d.", "U.S.C."),
    *(
        "Smith v. Jones",
        " ",
        "\n",
        "\n\n",
        "\t ",
        "\xa0",
        "\u200b",
        "\xad",
        "\ud800",
        "é",
        "e\u0301",
        "😀",
        "👩‍👩‍👧",
        "ﬁ",
    ),
    *("(", ")", "_" * 20, "." * 20, "8)", "١٢ days", "𝟓 days", "ß", "İ", "\x00", "\u202e", "a" * 1100, ", ", "-"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text())
def test_spans_are_sorted_disjoint_and_at_their_offsets(rules: Rules, text: str) -> None:
    spans = rules.find(text)
    assert spans == rules.find(text)
    for span in spans:
        assert text[span.start : span.end].strip() == text[span.start : span.end] != ""
        assert span.label in rules.labels
    for before, after in itertools.pairwise(spans):
        assert before.end <= after.start


def test_offsets_count_code_points(rules: Rules) -> None:
    text = "😀é\u0301\ud800 👩‍👩‍👧 costs £20 \x00 — on\u2003June\u20035"
    assert rules.find(text) == [
        Span(text.index("£20"), text.index("£20") + 3, "MONEY"),
        Span(text.index("June"), len(text), "DATE"),
    ]


def test_rules_can_be_pickled(rules: Rules) -> None:
    text = "Section 5 costs $5 in two weeks."
    again = pickle.loads(pickle.dumps(rules))
    assert again.find(text) == rules.find(text) != []
    assert (again.labels, repr(again)) == (rules.labels, repr(rules))


# ------------------------------------------------------------------------------------------------- files of a user


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_adds_to_the_shipped_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        parts: {number: &number [{LOWER: "no", OP: "?"}, {ORTH: ".", OP: "?"}, {IS_DIGIT: true}]}
        rules:
          - {label: COURT, pattern: Court of Chancery, id: chancery}
          - {label: DOCKET, pattern: [{lower: docket}, *number]}
        """,
    )
    rules = Rules.load("default", str(path))
    assert rules.labels == (*LABELS, "COURT", "DOCKET")
    text = "Docket no. 512 of the Court\nof  Chancery, $5"
    assert found(rules, text) == ["Docket no. 512", "Court\nof  Chancery", "$5"]
    assert found(Rules.load(path), text) == ["Docket no. 512", "Court\nof  Chancery"]


def test_of_equal_matches_the_later_rule_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "rules: [{label: FEE, pattern: [{ORTH: $}, {IS_DIGIT: true}]}]")
    assert [span.label for span in Rules.load("general", path).find("$5")] == ["FEE"]
    assert [span.label for span in Rules.load(path, "general").find("$5")] == ["MONEY"]


def test_the_label_o_suppresses_other_spans(tmp_path: Path) -> None:
    path = write(tmp_path, "rules: [{label: O, pattern: 5 mg of fame}]")
    rules = Rules.load("clinical", path)
    assert found(rules, "5 mg of fame, 5 mg of fat") == ["5 mg"]
    assert "O" not in rules.labels


def test_the_ends_of_a_match_are_stripped(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        rules:
          - {label: QUOTE, pattern: [{IS_QUOTE: true}, {IS_ALPHA: true}, {IS_QUOTE: true}], strip: '"'}
          - {label: GAP, pattern: [{IS_SPACE: true}, {LOWER: gap}, {IS_SPACE: true}]}
          - {label: NOTHING, pattern: [{IS_SPACE: true}]}
        """,
    )
    assert found(Rules.load(path), 'the "Agent" \n\ngap\n\n has') == ["Agent", "gap"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"missing key 'rules'. Keys: rules, parts"),
        ("rules: []", "rules is empty; give at least one rule"),
        ("rule: []", "unknown key 'rule'; did you mean 'rules'"),
        ("rules: [{label: A, patern: b}]", r"rules\[0\]: unknown key 'patern'; did you mean 'pattern'"),
        ("rules: [{label: A, pattern: b}, {pattern: b}]", r"rules\[1\]: missing key 'label'"),
        ("rules: [{label: '', pattern: b}]", r"rules\[0\]: label is empty; give"),
        ("rules: [{label: 5, pattern: b}]", r"rules\[0\].label: expected str, got 5"),
        ("rules: [{label: A, pattern: 5}]", r"rules\[0\]: pattern: expected a phrase .* got 5 \(int\)"),
        ("rules: [{label: A, pattern: []}]", r"rules\[0\]: pattern is empty; give"),
        ("rules: [{label: A, pattern: [[]]}]", r"rules\[0\]: pattern is empty; give"),
        ('rules: [{label: A, pattern: " \\n"}]', r"rules\[0\]: pattern is empty; give"),
        ('rules: [{label: A, pattern: "\\u200b"}]', r"rules\[0\]: pattern is empty; give"),
        ("rules: [{label: A, pattern: [b]}]", r"rules\[0\]: pattern\[0\]: expected a mapping such as .*, got 'b'"),
        (
            "rules: [{label: A, pattern: [{LOWR: b}]}]",
            r"rules\[0\]: pattern\[0\]: unknown attribute 'LOWR'; did you mean 'LOWER'\? Attributes: TEXT, ORTH, ",
        ),
        ("rules: [{label: A, pattern: [{LOWER: no}]}]", r"pattern\[0\]: LOWER: expected a word, got False; .* quote"),
        ("rules: [{label: A, pattern: [{POS: NOUN}]}]", r"rules\[0\]: pattern\[0\]: unknown attribute 'POS'"),
        (
            "rules: [{label: A, id: mine, pattern: [{LOWER: {INN: [b]}}]}]",
            r"rules\[0\] \(mine\): spaCy rejects the pattern .*INN",
        ),
        ("rules: [{label: A, pattern: [{LOWER: b, OP: x}]}]", r"rules\[0\]: pattern\[0\]: OP: 'x' is unknown"),
        ("rules: [{label: A, pattern: [{TEXT: {REGEX: '('}}]}]", r"rules\[0\]: spaCy rejects the pattern"),
        ("rules: [{label: A, pattern: [{IS_DIGIT: maybe}]}]", r"rules\[0\]: spaCy rejects the pattern"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_the_error_for_a_wrong_file_names_the_location(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as error:
        Rules.load(path)
    assert str(error.value).startswith(str(path))


def test_the_message_names_the_malformed_file_of_several(tmp_path: Path) -> None:
    right = write(tmp_path, "rules: [{label: A, pattern: b}]", "right.yaml")
    wrong = write(tmp_path, "rules: [{label: A, pattern: [{LOWR: b}]}]", "wrong.yaml")
    with pytest.raises(ConfigError, match=r"wrong\.yaml: rules\[0\]: pattern\[0\]"):
        Rules.load(right, wrong)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ((), r"no rules to load; give 'default' or 'clinical', 'general', 'legal', or the path of a YAML file"),
        (("legl",), r"no rule file 'legl'; did you mean 'legal'\? Give 'default' or 'clinical', 'general', 'legal'"),
        (("rules/none.yaml",), r"no rule file 'rules/none.yaml'\. Give 'default'"),
        ((Path("legal"),), r"no rule file 'legal'"),
    ],
)
def test_the_error_for_an_unknown_source_names_the_available_ones(sources: tuple, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Rules.load(*sources)


# ------------------------------------------------------------------------------------------------- cost


def test_importing_the_module_loads_no_spacy() -> None:
    code = "import longdoc.rules, sys; assert not {'spacy', 'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_spacy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(MissingDependencyError, match=r"Rules needs spacy: pip install 'longdoc\[rules\]'"):
        Rules.load("general").find("A lease.")


@pytest.mark.parametrize("piece", ["_", "(", "'", "§ ", "one ", "Aa ", "Section 1, ", "a.", "\u0301", "5 mg po "])
def test_long_text_takes_linear_time(rules: Rules, piece: str) -> None:
    assert_linear(lambda length: rules.find((piece * length)[:length]), 10_000)


def test_a_text_of_more_than_a_million_characters_is_read_to_its_end() -> None:
    text = f"{'x' * 1000}\n" * 1001 + "5 mg"
    assert Rules([Rule(label="DOSE", pattern="5 mg")]).find(text) == [Span(len(text) - 4, len(text), "DOSE")]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_spacy_accepts_the_patterns_of_the_shipped_files(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name  # patterns of other files are validated when they are loaded
    copy.write_bytes(path.read_bytes())
    assert Rules.load(copy).rules == Rules.load(path.stem).rules
