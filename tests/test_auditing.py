"""Audits: words are swapped as they should be, gaps are counted and judged, and a biased model is caught."""

import csv
import json
import re

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import longdoc
import reference
from conftest import make_asking_model, make_tokenizer
from longdoc import Pipeline, Rules
from longdoc.auditing import AGAIN, audit, load_report
from longdoc.auditing.likelihood import Pair, read_pairs, shared_log_likelihoods
from longdoc.auditing.measures import measure_classes
from longdoc.auditing.origins import swap_origins
from longdoc.auditing.persons import swap_names
from longdoc.auditing.pronouns import FORMS, swap_pronouns
from longdoc.auditing.report import AuditReport
from longdoc.auditing.statistics import LEAST, differences, holm
from longdoc.auditing.texts import shipped_texts, texts_of
from longdoc.auditing.wording import ASSETS, Names, load_names, words
from longdoc.cli import main
from longdoc.datasets import Example, Question
from longdoc.errors import ConfigError, DataError
from longdoc.heads.qa import QaConfig
from longdoc.labels import Span
from longdoc.model import Model, ModelConfig
from longdoc.rules import Rule

GROUPS = {
    "first": Names(("Adam", "Bruno", "Carl", "Dirk"), ("Abt", "Beck", "Carst", "Dorn")),
    "second": Names(("Wanda", "Xenia", "Yara", "Zita"), ("Wolf", "Xaver", "Young", "Zorn")),
}


def example(text: str, *persons: str, others: tuple[str, ...] = (), questions: tuple[Question, ...] = ()) -> Example:
    """A text with every occurrence of some names annotated."""
    spans = [
        Span(*match.span(), label)
        for names, label in ((persons, "PER"), (others, "ORG"))
        for name in names
        for match in re.finditer(re.escape(name), text)
    ]
    return Example(text[:30], text, tuple(sorted(spans, key=lambda span: span.start)), questions)


def names_of(given: Example):
    """The texts of an example with the names of each group, or the reason why it is left out."""
    found = swap_names([given], GROUPS, {"PER"}, 0)
    return found.swaps[0].variants if found.swaps else next(iter(found.skipped))


# --------------------------------------------------------------------------------------------------------------- names


def test_a_person_keeps_one_name_wherever_it_stands():
    asked = Question("q", "When did Smith meet John Smith?")
    text = "John A. Smith met Mary Jones. Smith, Jones and John left; Smith's car did not."
    given = example(text, "John A. Smith", "Mary Jones", questions=(asked,))
    for group, variant in names_of(given).items():
        first, family = variant.text.split()[:2]
        assert variant.text.split()[2] == "met", "the middle name is dropped"
        assert variant.text.count(family) == 3 and variant.text.count(first) == 2
        assert variant.questions[0].text == f"When did {family} meet {first} {family}?"
        assert variant.text[: variant.names[0].end] == f"{first} {family}"
        names = GROUPS["first" if group == AGAIN else group]
        assert first in names.given and family in names.family


def test_a_second_draw_of_the_first_group_has_other_names():
    variants = names_of(example("John Smith met Mary Jones.", "John Smith", "Mary Jones"))
    assert set(re.findall(r"\w+", variants["first"].text)) & set(re.findall(r"\w+", variants[AGAIN].text)) == {"met"}


def test_a_single_name_is_a_family_name_after_a_title_and_in_capitals_stays_so():
    variants = names_of(example("Dr. Smith saw JOHN.", "Smith", "JOHN"))
    title, family, verb, given = re.findall(r"\w+", variants["second"].text)
    assert (title, verb) == ("Dr", "saw")
    assert family in GROUPS["second"].family and given.title() in GROUPS["second"].given and given.isupper()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (example("Nobody came."), "no name of a person"),
        (example("John came with his car.", "John"), "a word that says the gender of somebody"),
        (example("John came.", "John", questions=(Question("q", "Who is she?"),)), "a word that says the gender"),
        (example("smith came.", "smith"), "a name that is not plain words"),
        (example("J. came.", "J."), "a name that is not plain words"),
        (Example("", " Ann came.", (Span(0, 1, "PER"),)), "a name that is not plain words"),
        (example("@john92 came.", "@john92"), "a name that is not plain words"),
        (example("Ann Lee and Lee Ann came.", "Ann Lee", "Lee Ann"), "a name that is first name and family name"),
        (
            example("John Smith left Smith & Co.", "John Smith", others=("Smith & Co",)),
            "a name that is part of another",
        ),
        (example("Ann, Bob and Cem came.", "Ann", "Bob", "Cem"), "more names than the lists have"),
        (example("John", "John"), "nothing but a name"),
        (
            example("John Paul Smith came.", "John Paul Smith", questions=(Question("q", "?", (Span(0, 7, ""),)),)),
            "a name or an answer begins or ends inside a replaced word",
        ),
    ],
)
def test_texts_that_would_contradict_themselves_are_left_out_with_the_reason(given, reason):
    assert names_of(given).startswith(reason)


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(["Ann Lee", "Bob", "Kim Roe"]), max_size=6),
    st.integers(0, 5),
    st.text("xyz ,.é\n", max_size=9),
)
def test_names_move_with_the_text_and_findings_go_back_to_where_they_were(names, seed, between):
    text = between + between.join(f" {name} " for name in names)
    made = example(text, "Ann Lee", "Bob", "Kim Roe")
    for swap in swap_names([made], GROUPS, {"PER"}, seed).swaps:
        for group, variant in swap.variants.items():
            own = GROUPS["first" if group == AGAIN else group]
            assert len(variant.names) == len(made.spans)
            for span, old in zip(variant.names, made.spans, strict=True):
                new, before = variant.text[span.start : span.end].split(), made.text[old.start : old.end].split()
                assert len(new) == len(before) and new[0] in own.given and (len(new) == 1 or new[-1] in own.family)
                assert variant.back(span.start, span.end) == (old.start, old.end)
            outside = [variant.text[a.end : b.start] for a, b in zip(variant.names, variant.names[1:], strict=False)]
            assert outside == [made.text[a.end : b.start] for a, b in zip(made.spans, made.spans[1:], strict=False)]


# ----------------------------------------------------------------------------------------------- pronouns and origins


@pytest.mark.parametrize(
    ("text", "she", "they"),
    [
        ("He is late.", "She is late.", "They are late."),
        ("Was he there?", "Was she there?", "Were they there?"),
        ("I saw him and his dog.", "I saw her and her dog.", "I saw them and their dog."),
        ("The dog is his.", "The dog is hers.", "The dog is theirs."),
        ("HE hurt himself.", "SHE hurt herself.", "THEY hurt themselves."),
        ("He never really tries.", "She never really tries.", "They never really try."),
        ("He watches TV.", "She watches TV.", "They watch TV."),
        ("He 's going.", "She 's going.", "They 're going."),
        ("She's got a dog.", "She's got a dog.", "They've got a dog."),
        ("She isn't here.", "She isn't here.", "They aren't here."),
        ("We like her.", "We like her.", "We like them."),
        ("She met her own dog.", "She met her own dog.", "They met their own dog."),
        ("As he said, always.", "As she said, always.", "As they said, always."),
    ],
)
def test_pronouns_and_their_verbs_agree(text, she, they):
    (swap,) = swap_pronouns([example(text)], {"PER"}, 0).swaps
    assert [swap.variants[group].text for group in ("she", "they")] == [she, they]
    assert list(swap.variants) == list(FORMS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("It rains.", "no he or she"),
        ("He saw her.", "he and she in one text"),
        ("He saw a woman.", "a word that says the gender of somebody"),
        ("She sold her car.", '"her", which may be'),
        ("He's a fool.", None),
        ("He's tired.", '"\'s", which may be is or has'),
        ("He is old and has a dog.", "a second verb that may have to agree"),
        ("He eats and sleeps.", "a second verb that may have to agree"),
    ],
)
def test_sentences_that_are_not_clear_are_left_out(text, reason):
    found = swap_pronouns([example(text)], {"PER"}, 0)
    assert bool(found.swaps) == (reason is None)
    assert reason is None or next(iter(found.skipped)).startswith(reason)


def test_names_beside_pronouns_are_of_either_gender():
    (swap,) = swap_pronouns([example("John said he came.", "John")], {"PER"}, 0).swaps
    texts = {group: variant.text.split()[0] for group, variant in swap.variants.items()}
    assert len(set(texts.values())) == 1 and texts["he"] in words().neutral.given


@pytest.mark.parametrize(
    ("text", "iraqi"),
    [
        ("A French company and a French bank.", "An Iraqi company and an Iraqi bank."),
        ("An American rock band, an american.", "An Iraqi rock band, an american."),
        ("The Irish people", "The Iraqi people"),
        ("She speaks French.", None),
        ("The French were late.", None),
        ("A French and a German company", None),
        ("The French Open", None),
    ],
)
def test_origins_are_swapped_where_they_say_where_somebody_is_from(text, iraqi):
    found = swap_origins([example(text)], {"PER"})
    assert [swap.variants["Iraqi"].text for swap in found.swaps] == ([iraqi] if iraqi else [])


def test_an_origin_in_a_name_is_left_out():
    assert not swap_origins([example("The German bank paid.", others=("The German bank",))], {"PER"}).swaps


# ---------------------------------------------------------------------------------------------------------- statistics


def test_intervals_equal_those_of_a_slow_loop():
    random = np.random.default_rng(3)
    weights = random.integers(1, 4, size=5).astype(float)
    hits = np.stack([np.minimum(random.integers(0, 4, size=5), weights) for _ in range(2)])
    for fast, slow in zip(differences(hits, weights, 5), reference.differences(hits, weights, 5), strict=True):
        assert (fast.value, fast.gap, fast.low, fast.high, fast.p) == pytest.approx(slow, abs=1e-9)


def test_the_interval_holds_the_true_gap_about_19_times_in_20():
    random = np.random.default_rng(0)
    held = 0
    for seed in range(40):
        hits = (random.random((2, 150)) < [[0.8], [0.7]]).astype(float)
        _, found = differences(hits, np.ones(150), seed)
        held += found.low <= -0.1 <= found.high
    assert 34 <= held <= 40


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_p_values_equal_the_definition(p_values):
    assert holm(p_values) == pytest.approx(reference.holm(p_values))


# ---------------------------------------------------------------------------------------------------------- likelihood


@pytest.fixture(scope="module")
def masked_model(tmp_path_factory):
    """A folder with a small masked language model of transformers."""
    folder = tmp_path_factory.mktemp("masked")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=300, max_position_embeddings=64, initializer_range=0.5, **sizes)
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    make_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def test_pseudo_likelihoods_equal_those_of_transformers_token_by_token(masked_model):
    pipeline = Pipeline.from_pretrained(masked_model, device="cpu", precision="float32")
    (head,) = pipeline.heads
    network = transformers.BertForMaskedLM.from_pretrained(masked_model).eval()
    for more, less in (
        ("the patient was given aspirin", "the doctor was given aspirin"),
        ("a b c", "b c d"),
        ("a a b", "b a a"),
    ):
        found = shared_log_likelihoods(pipeline.engine.reader_of(head), head, Pair(more, less))
        assert found == pytest.approx(reference.shared_log_likelihoods(network, make_tokenizer(), more, less), abs=1e-3)


def test_pairs_of_a_model_that_fills_masks_are_compared_with_one_half(masked_model, small):
    repeated = small["pairs"].with_name("many.csv")
    repeated.write_text("sent_more,sent_less,bias_type\n" + "a b,a c,x\n" * 30 + "c d,e d,y\n" * 30)
    report = audit(masked_model, data=[example("Ann came.", "Ann")], pairs=repeated)
    (found,) = [each for each in report.comparisons if each.group == "all"]
    assert (found.kind, found.reference_value, found.texts) == ("likelihood", 0.5, 60)
    assert 0 <= found.value <= 1 and found.gap == pytest.approx(found.value - 0.5)
    assert all(each.verdict == "too few texts" for each in report.comparisons if each.group != "all")
    assert set(report.unmeasured) >= {"recall", "classes", "answers"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "sent_more,other\na b,a c\n", r"line 1: no column 'sent_less'; the columns are 'sent_more', 'other'"),
        ("a.csv", "", "line 1: no column 'sent_more'; the columns are none"),
        ("a.csv", "sent_more,sent_less\n", "no pair; give a .csv"),
        ("a.csv", "sent_more,sent_less\na b\n", "line 2: sent_less is None"),
        ("a.csv", "sent_more,sent_less\na,a\n", "line 2: both sentences are 'a'"),
        ("a.csv", 'sent_more,sent_less\n"a,b\n', "not CSV"),
        ("a.jsonl", '{"sent_more": "a", "sent_les": "b"}', "no column 'sent_less'.*did you mean 'sent_les'"),
        ("a.jsonl", "[1]", "give an object"),
        ("a.jsonl", "{", "line 1"),
        ("a.jsonl", '{"sent_more": "a", "sent_less": 5}', "sent_less is 5"),
        ("a.jsonl", '{"sent_more": "a", "sent_less": "b", "bias_type": 5}', "bias_type is 5"),
    ],
)
def test_a_wrong_file_of_pairs_is_an_error_with_the_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / name)


def test_pairs_without_a_common_word_are_an_error(masked_model):
    pipeline = Pipeline.from_pretrained(masked_model, device="cpu")
    (head,) = pipeline.heads
    with pytest.raises(DataError, match="share no word"):
        shared_log_likelihoods(pipeline.engine.reader_of(head), head, Pair("aspirin", "the"))


# ------------------------------------------------------------------------------------------------------------ the audit


def knowing(*groups: str) -> Pipeline:
    """A pipeline of rules that know the names of some groups."""
    given = [name for group in groups for name in GROUPS[group].given]
    family = [name for group in groups for name in GROUPS[group].family]
    first, last = {"ORTH": {"IN": given}}, {"ORTH": {"IN": family}}
    either = {"ORTH": {"IN": [*given, *family]}}
    return Pipeline(rules=Rules([Rule(label="PERSON", pattern=[first, last]), Rule(label="PERSON", pattern=[either])]))


@pytest.fixture(scope="module")
def every_head():
    """A small model with a head of every kind."""
    return Pipeline(make_asking_model(), device="cpu", precision="float32")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Arguments of audits that need not be large: two pairs, and names of two groups."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "pairs.csv").write_text("sent_more,sent_less,bias_type\na b,a c,x\nc d,e d,y\n")
    lists = {name: {"given": list(own.given), "family": list(own.family)} for name, own in GROUPS.items()}
    (folder / "names.yaml").write_text(json.dumps({"groups": lists}))
    return {"pairs": folder / "pairs.csv", "names": folder / "names.yaml"}


@pytest.fixture(scope="module")
def some_texts():
    """As few texts as are judged."""
    return [example(f"Report {number} is by Ann Lee, not Kim.", "Ann Lee", "Kim") for number in range(LEAST)]


@pytest.fixture(scope="module")
def biased(some_texts, small):
    return audit(knowing("first"), data=some_texts, name="biased", **small)


def test_a_model_that_knows_some_names_only_is_caught(biased):
    assert [(each.group, each.measure, each.gap, each.verdict) for each in biased.clear] == [
        ("second", "names found exactly", -1, "differs"),
        ("second", "names found at least in part", -1, "differs"),
    ]
    assert {each.gap for each in biased.comparisons if each.group == AGAIN} == {0}
    first, second = biased.failures(0.05)
    assert first.startswith("names, names found exactly, second: 0.000 against 1.000 of first, gap -1.000")
    assert first.endswith("; allowed: 0.05") and "at least in part" in second
    assert biased.failures({"recall": 1.0}) == []


def test_a_model_that_knows_all_names_passes(some_texts, small):
    report = audit(knowing("first", "second"), data=some_texts, **small)
    assert report.comparisons and not report.clear and report.failures(0.0) == []
    assert all(each.value == 1 for each in report.comparisons)


def test_the_seed_decides_the_names_and_nothing_else_does(some_texts, small):
    few, pipeline = some_texts[:3], knowing("first")
    assert audit(pipeline, data=few, seed=1, **small) == audit(pipeline, data=few, seed=1, **small)
    drawn = [swap_names(few, GROUPS, {"PER"}, seed).swaps for seed in (1, 2)]
    assert [each.variants["first"].text for each in drawn[0]] != [each.variants["first"].text for each in drawn[1]]


def test_nothing_is_said_of_few_texts_and_a_gate_without_anything_to_judge_fails(some_texts, small):
    report = audit(knowing("first"), data=some_texts[: LEAST - 1], **small)
    assert {each.verdict for each in report.comparisons} == {"too few texts"}
    assert {(each.low, each.high, each.p) for each in report.comparisons} == {(None, None, None)}
    assert "## Names" not in str(report) and f"- names, names found exactly: {LEAST - 1} texts, fewer than" in str(
        report
    )
    assert report.failures(0.5) == [f"the report: nothing could be judged, since no group has {LEAST} texts"]
    assert report.failures({"answers": 0.5}) == [
        "answers: nothing could be judged, since the model has no head of kind 'qa'"
    ]


def test_a_report_is_saved_and_read_again(biased, tmp_path):
    biased.save(tmp_path / "report")
    assert load_report(tmp_path / "report") == biased
    text = (tmp_path / "report" / "report.md").read_text()
    assert text.startswith("# Bias audit of biased") and "**-1.000**" in text and "![Gaps by group](names.png)" in text
    assert (tmp_path / "report" / "names.png").read_bytes().startswith(b"\x89PNG")
    stored = json.loads((tmp_path / "report" / "report.json").read_text())
    (tmp_path / "later.json").write_text(json.dumps({**stored, "version": 2}))
    with pytest.raises(DataError, match="version 2; this longdoc reads version 1"):
        load_report(tmp_path / "later.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DataError, match=r"no report of longdoc audit .*missing key 'model'"):
        load_report(tmp_path / "other.json")


@pytest.mark.parametrize(("limit", "message"), [(2, r"from 0 to 1; got 2"), ({"recal": 0.1}, "did you mean 'recall'")])
def test_a_wrong_limit_is_an_error(biased, limit, message):
    with pytest.raises(ConfigError, match=message):
        biased.failures(limit)


def test_changes_are_compared_with_those_of_other_names_of_the_first_group(every_head, some_texts, small):
    report = audit(every_head, data=some_texts[:3], **small)
    changes = [each for each in report.comparisons if each.swap == "names" and each.measure.endswith("change")]
    assert changes and {each.reference for each in changes} == {AGAIN}
    assert {each.group for each in changes} == {"second"}
    others = [each for each in report.comparisons if each.swap == "names" and "probability" in each.measure]
    assert {each.reference for each in others} == {"first"} and {each.group for each in others} == {"second", AGAIN}


def test_probabilities_are_those_of_the_pipeline(every_head, some_texts):
    swaps = swap_names(some_texts[:4], GROUPS, {"PER"}, 0)
    measured = {each.name: each for each in measure_classes(every_head, swaps)}
    for number, swap in enumerate(swaps.swaps):
        (label,) = [
            each for each in every_head.classify(swap.variants["second"].text.encode()) if each.source == "kind"
        ]
        row = measured[f"kind: probability of {label.name}"].hits[swaps.groups.index("second"), number]
        assert row == pytest.approx(label.score, abs=1e-4)


def test_right_and_changed_answers_are_counted(every_head, small):
    text = "The report of 1999 is by Ann Lee."
    asked = Question("q", "Who is it by?", (Span(25, 32, ""),))
    report = audit(every_head, data=[example(text, "Ann Lee", questions=(asked,))], **small)
    found = [each for each in report.comparisons if each.kind == "answers"]
    assert {each.measure for each in found} == {"answers that are right", "answers that change"}
    assert {each.unit for each in found} == {"questions"} and all(each.value in (0, 1) for each in found)


def test_answers_of_several_heads_are_told_apart(every_head, small):
    plain = every_head.model
    heads = {"asked": QaConfig(windows=plain.config.windows), "other": QaConfig(windows=plain.config.windows)}
    config = ModelConfig(heads=heads, windows=plain.config.windows)
    both = Pipeline(Model(plain.encoder.backbone, plain.tokenizer, config).eval(), device="cpu", precision="float32")
    asked = Question("q", "Who is it by?", (Span(25, 32, ""),))
    given = example("The report of 1999 is by Ann Lee.", "Ann Lee", questions=(asked,))
    report = audit(both, data=[given], **small)
    found = [(each.measure, each.group) for each in report.comparisons]
    assert len(set(found)) == len(found) and {measure.split(": ")[0] for measure, _ in found} == {"asked", "other"}


def test_a_pair_that_cannot_be_scored_is_told_before_anything_is_measured(masked_model, tmp_path, some_texts):
    (tmp_path / "pairs.csv").write_text("sent_more,sent_less\naspirin,the\n")
    told = []
    with pytest.raises(DataError, match="share no word; leave the pair out"):
        audit(masked_model, data=some_texts, pairs=tmp_path / "pairs.csv", tell=told.append)
    assert not told


def test_documents_are_read_line_by_line():
    given = Example("d", "Ann came.\n\nBob\nLee left.\n", (Span(0, 3, "PER"),))
    assert [(each.text, each.spans) for each in texts_of(given)] == [
        ("Ann came.", (Span(0, 3, "PER"),)), ("Bob", ()), ("Lee left.", ()),
    ]  # fmt: skip
    assert list(texts_of(Example("d", given.text, (Span(11, 18, "PER"),)))) == [
        Example("d", given.text, (Span(11, 18, "PER"),))
    ]


def test_what_is_shipped_can_be_used():
    examples, sources = shipped_texts()
    some = examples[::4]
    names = load_names()
    two = dict(list(names.items())[:2])
    every = [
        swap_names(some, two, {"PER"}, 0),
        swap_pronouns(some, {"PER"}, 0),
        swap_origins(some, {"PER"}),
    ]
    assert [len(each.swaps) >= LEAST / 4 for each in every] == [True, True, True]
    assert all("CC BY" in source for source in sources)
    listed = [name for own in names.values() for name in own.given]
    assert len(listed) == len(set(listed)) == 320
    with (ASSETS / "pairs.csv").open() as file:
        types = [row["bias_type"] for row in csv.DictReader(file)]
    assert len(read_pairs(ASSETS / "pairs.csv")) == len(types) == 60


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("groups: {a: {given: [X, Y], family: [Z, W]}}", "name at least two"),
        ("groups: {a: {given: [X, Y], family: [Z, W]}, b: {given: [X], family: [Z, W]}}", "b 1 and 2"),
        ("groups: {a: {given: [X Y, Z], family: [Z, W]}, b: {given: [X, Y], family: [Z, W]}}", "no name of one word"),
    ],
)
def test_wrong_names_are_an_error(tmp_path, content, message):
    (tmp_path / "names.yaml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_names(tmp_path / "names.yaml")


# ------------------------------------------------------------------------------------------------------ command line


@pytest.fixture(scope="module")
def folder(tmp_path_factory, every_head):
    """A folder with a model of every kind of head, and one with data."""
    path = tmp_path_factory.mktemp("audited")
    every_head.model.save(path / "model")
    line = {"text": "The report is by Ann Lee.", "entities": [[17, 24, "PER"]]}
    (path / "data.jsonl").write_text(json.dumps(line) + "\n")
    return path


def test_the_command_writes_a_report_and_its_gate_fails(folder, tmp_path, capsys, small):
    command = ["audit", str(folder / "model"), "--data", str(folder / "data.jsonl"), "--person", "PER,party"]
    command += ["--names", str(small["names"]), "--pairs", str(small["pairs"])]
    assert main([*command, "-o", str(tmp_path / "r"), "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert "0 of 0 comparisons differ clearly by 0.01 or more" in out and str(tmp_path / "r" / "report.md") in err
    assert main([*command, "-o", str(tmp_path / "r")]) == 2
    assert "has report.json already; name another folder, or replace it with --overwrite" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.md").write_text("mine")
    assert main([*command, "-o", str(tmp_path / "mine")]) == 2
    assert "has report.md already" in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "mine" / "report.md" / "r")]) == 2
    assert "report.md: is a file; name a folder" in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "r"), "--overwrite", "--max-gap", "recall=0.05"]) == 1
    assert "recall: nothing could be judged, since nothing finds PER or party (labels: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        (["--data", "absent.jsonl"], 1, "absent.jsonl: no such file"),
        (["--max-gap", "recal=0.1"], 2, "unknown measure 'recal'"),
        (["--names", "{folder}/data.jsonl"], 2, "data.jsonl"),
        (["--pairs", "{folder}/data.jsonl"], 1, "no column 'sent_more'"),
    ],
)
def test_wrong_arguments_are_told_before_the_model_is_loaded(folder, tmp_path, capsys, more, status, message):
    given = [each.format(folder=folder) for each in more]
    assert main(["audit", str(folder / "model"), "-o", str(tmp_path / "r"), *given]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_the_function_is_public(some_texts, small):
    assert isinstance(longdoc.audit(knowing("first"), data=some_texts[:1], **small), AuditReport)
    assert longdoc.AuditReport is AuditReport
