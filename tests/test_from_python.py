"""Training from Python: data in memory, callbacks, checkpoints of transformers that go on learning, other Trainers."""

import json
import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
import transformers as tf
from tokenizers import processors
from transformers import TrainerCallback

import longdoc
from conftest import CORPUS, PARTIES, annotated, make_model, make_tokenizer
from longdoc.compute import TorchScorer
from longdoc.convert import convert
from longdoc.datasets import Example, MemoryConfig, from_records, yields
from longdoc.datasets.examples import Question
from longdoc.errors import ConfigError, DataError, MissingDependencyError
from longdoc.export import to_transformers
from longdoc.heads import ClassifyConfig, NerConfig, SpansConfig, TaskConfig
from longdoc.heads.classify import MAX_WINDOWS
from longdoc.hub import load_checkpoint
from longdoc.labels import Span, tag_names
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training import TrainConfig, WindowDataset, train
from longdoc.training.checkpoints import progress_of
from longdoc.training.data import training_batches
from longdoc.training.distill import DistillConfig, Teacher
from longdoc.training.given_model import model_of
from longdoc.training.learner import Learner
from longdoc.training.run import Scheduler, record_config
from longdoc.training.trainer import prepare
from longdoc.windows import WindowConfig
from test_checkpoint_words import change
from test_hub import FAMILIES, SIZES, TAGS, own_output, save

RECORDS = [annotated(repeat) for repeat in (1, 2, 3, 4) * 4]
IN_MEMORY = {"labels": {"party": "PARTY"}}


def memory(records=RECORDS):
    return MemoryConfig(examples=from_records(records), **IN_MEMORY)


TASK = {"heads": ["contract"], "data": memory(), "window": 32, "overlap": 8}


def config_of(folder, **changes):
    """A run on data in memory, of one step."""
    settings = {
        "base": folder / "base",
        "output": folder / "run",
        "model": {"heads": {"contract": {"labels": ["PARTY"]}}, "windows": {"size": 32, "overlap": 8}},
        "tasks": [TASK],
        "batch_tokens": 100_000,
        "learning_rate": 0.01,
        "log_every": 1,
        "report_to": [],
        **changes,
    }
    return TrainConfig(**settings)


class Seen(TrainerCallback):
    """Counts the steps and the entries of the log."""

    def __init__(self):
        self.steps, self.logged = 0, []

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.logged.append(logs)


def test_a_run_from_python_equals_that_of_yaml_and_tells_its_callbacks(corpus):
    seen = Seen()
    folder = longdoc.train(config_of(corpus), callbacks=[seen])
    assert seen.steps == 1 and "loss" in seen.logged[0]
    assert not (corpus / "run" / "tensorboard").exists(), "report_to is empty"
    recorded = json.loads((corpus / "run" / "config.json").read_text())
    assert "sha256" in recorded["tasks"][0]["data"]["examples"], "texts are not copied into the record"
    (corpus / "same.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    data = {"reader": "jsonl", "files": ["same.jsonl"], **IN_MEMORY}
    tasks = [{"heads": ["contract"], "data": data, "window": 32, "overlap": 8}]
    other = train(config_of(corpus, output=str(corpus / "yaml"), tasks=tasks))
    one, two = (Model.from_pretrained(each).state_dict() for each in (folder, other))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": 5}, r"output: expected str, got 5"),
        ({"tasks": "contract"}, r"tasks: expected a list of mappings"),
        ({"tasks": [{"heads": "contract", "data": memory()}]}, r"tasks\[0\]\.heads: expected a list of str"),
        ({"tasks": [TaskConfig(heads="mine", data=memory())]}, r"tasks\[0\]\.heads: expected a list of str"),
        ({"tasks": [TaskConfig(heads=("contract",), data=RECORDS)]}, r"tasks\[0\]\.data: .*got \[\{.*; for records in"),
        ({"model": NerConfig(labels=("PARTY",))}, r"model: expected ModelConfig or null, got NerConfig"),
        ({"report_to": ["tensorbord"]}, r"report_to names tensorbord; allowed: .*tensorboard"),
        ({"tasks": [{**TASK, "class_weights": dict.fromkeys(("O", "PARTY"), 0)}]}, r"class_weights are 0 for all of O"),
        ({"scheduler": "linaer"}, r"scheduler: expected one of 'linear', 'cosine'"),
        ({"scheduler": "warmup_stable_decay"}, r"scheduler_options do not fit warmup_stable_decay: .*num_decay_steps"),
        (
            {"scheduler": "cosine", "scheduler_options": {"cycles": 2}},
            r"do not fit cosine: .*'cycles'; it has num_cycles",
        ),
        ({"scheduler": "constant", "scheduler_options": {"cycles": 2}}, r"constant has no scheduler_options"),
        ({"scheduler": "cosine", "scheduler_options": {"last_epoch": 3}}, r"scheduler_options has last_epoch"),
        ({"scheduler": "inverse_sqrt", "scheduler_options": {"timescale": 0}}, r"do not fit inverse_sqrt and .*zero"),
        ({"scheduler": "polynomial", "warmup_share": 1}, r"do not fit polynomial and warmup_share 1: .*zero"),
        ({"scheduler": "polynomial", "scheduler_options": {"lr_end": 0.02}}, r"do not fit polynomial: lr_end"),
        (
            {"scheduler": "polynomial", "scheduler_options": {"lr_end": -1}},
            r"the learning rate would be -0\.0.*allowed",
        ),
        (
            {"scheduler": "cosine_with_min_lr", "scheduler_options": {"min_lr": 0.5}},
            r"would be .*0 to learning_rate, 0.01",
        ),
    ],
)
def test_a_wrong_value_from_python_is_named(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        config_of(tmp_path, **changes)


@pytest.mark.parametrize("given", ["text", b"text", {"text": "a"}, 5, [{"text": "a"}], ["a"], iter([None])])
def test_examples_of_another_type_are_refused_with_the_remedy(given):
    with pytest.raises(DataError, match=r"examples.* is .*give a list or an iterator of Example: from_records"):
        MemoryConfig(examples=given)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": "loan"}, r"examples\[1\]\.labels is 'loan'; give a tuple of classes"),
        ({"labels": (1,)}, r"examples\[1\]: its id or a class is 1; give a string"),
        ({"spans": None}, r"examples\[1\]\.spans is None; give a tuple of spans"),
        ({"spans": ((0, 4, "PARTY"),)}, r"examples\[1\]\.spans\[0\] is \(0, 4, 'PARTY'\); give a .*Span\(start"),
        ({"spans": (Span(0, 5, "PARTY"),)}, r"examples\[1\]\.spans\[0\]: the span 0-5 ends beyond the text of 4"),
        ({"spans": (Span(0, 2, None),)}, r"examples\[1\]\.spans\[0\]: a span needs two integers and a label"),
        ({"questions": ("Who?",)}, r"0: questions is \('Who\?',\); give a tuple of Question"),
        (
            {"questions": (Question("1", "Who?", label=1),)},
            r"questions\[0\]: its id, label or category is 1; give a string",
        ),
        (
            {"questions": (Question("1", "Who?", (Span(2, 9, ""),)),)},
            r"examples\[1\]\.questions\[0\]\.answers\[0\]: the span 2-9 ends beyond",
        ),
    ],
)
def test_a_wrong_value_in_an_example_is_named(wrong, message):
    good = Example("0", "Acme", (Span(0, 4, "PARTY"),), labels=("loan",))
    with pytest.raises(DataError, match=message):
        MemoryConfig(examples=[good, replace(good, **{"spans": (), **wrong})])


def test_data_in_memory_is_read_once_and_fails_as_files_do(corpus):
    data = MemoryConfig(examples=(example for example in from_records(RECORDS)), labels={"party": "PARTY"}, limit=3)
    assert len(data.examples) == len(RECORDS) and replace(data).examples is data.examples
    task = {"heads": ["contract"], "data": data, "window": 32, "overlap": 8}
    assert len(prepare(config_of(corpus, tasks=[task])).batches) == 1
    for examples, labels, said in [
        ([], {}, "no example in data in memory"),
        (from_records(RECORDS), {"judge": "PARTY"}, "nothing is labelled judge in data in memory; its labels: party"),
        (from_records(RECORDS), {}, r"data in memory has labels that contract lacks: party; map them"),
        (
            from_records([{"text": "a", "labels": "lease"}]),
            {},
            "data in memory is annotated with classes, and contract",
        ),
    ]:
        task = {"heads": ["contract"], "data": MemoryConfig(examples=examples, labels=labels)}
        with pytest.raises(DataError, match=said):
            train(config_of(corpus, tasks=[task]))
    with pytest.raises(DataError, match="record 1: missing key 'text'"):
        from_records([RECORDS[0], {"entities": []}])


def test_what_data_in_memory_is_annotated_with():
    span = Span(0, 1, "X")
    kinds = {
        "entities": [Example("1", "a", (span,), labels=("y",)), Example("2", "a")],
        "classes": [Example("1", "a", labels=("y",))],
        "answers": [Example("1", "a", questions=(Question("1", "b", (span,)),))],
        "inferences": [Example("1", "a", questions=(Question("1", "b", label="entailment"),))],
    }
    for kind, examples in kinds.items():
        assert yields(MemoryConfig(examples=examples)) == kind


OPTIONS = {"cosine_with_min_lr": {"min_lr": 1e-4}, "warmup_stable_decay": {"num_decay_steps": 2}}


@pytest.mark.parametrize("scheduler", ["constant", *OPTIONS])
def test_schedulers_of_transformers_give_the_learning_rate(corpus, scheduler):
    for name in get_args(Scheduler):
        config_of(corpus, scheduler=name, scheduler_options=OPTIONS.get(name, {}))
    seen = Seen()
    changes = {"scheduler": scheduler, "scheduler_options": OPTIONS.get(scheduler, {}), "batch_tokens": 800}
    train(config_of(corpus, **changes), callbacks=[seen])
    rates = [entry["learning_rate"] for entry in seen.logged if "loss" in entry]
    assert len(rates) > 2 and max(rates) <= 0.01
    assert (rates[-1] < rates[1]) == (not scheduler.startswith("constant"))


def test_callbacks_and_integrations_that_cannot_be_used_are_told(corpus):
    with pytest.raises(ConfigError, match=r"callbacks has <class .*give objects of transformers\.TrainerCallback"):
        train(config_of(corpus), callbacks=[TrainerCallback])
    with pytest.raises(MissingDependencyError, match=r"report_to: .*wandb"):
        train(config_of(corpus, report_to=["wandb"]))


def test_a_run_that_is_started_again_says_where_it_goes_on(corpus, caplog):
    changes = {"save_every": 2, "batch_tokens": 128, "tasks": [{**TASK, "passes": 2}]}
    train(config_of(corpus, **changes))
    assert "going on" not in caplog.text
    checkpoints = sorted((corpus / "run" / "checkpoints").iterdir(), key=lambda path: int(path.name.split("-")[1]))
    train(config_of(corpus, **changes))
    n_steps = checkpoints[-1].name.split("-")[1]
    assert re.search(f"has this run, finished after {n_steps} steps: its model is written again", caplog.text)
    change(checkpoints[-1] / "trainer_state.json", max_steps=1000)
    assert progress_of(checkpoints[-1]).endswith(f"checkpoint-{n_steps}: going on after step {n_steps} of at most 1000")


def test_steps_of_a_small_data_set_are_as_many_as_wanted(corpus):
    for steps in (1, 8, 20):
        batches = prepare(config_of(corpus, steps=steps, batch_tokens=4096)).batches
        assert len(batches) == pytest.approx(steps, abs=1 + steps // 10), "its documents fill a part of a batch"


def test_a_run_that_failed_before_its_first_checkpoint_may_be_started_otherwise(tmp_path, corpus):
    with pytest.raises(MissingDependencyError):
        train(config_of(corpus, report_to=["wandb"]))
    assert (corpus / "run" / "config.json").is_file()
    folder = train(config_of(corpus))
    assert json.loads((corpus / "run" / "config.json").read_text())["report_to"] == []
    with pytest.raises(ConfigError, match=r"another configuration \(report_to: \[\], now \['tensorboard'\]\); choose"):
        train(config_of(corpus, report_to=["tensorboard"]))
    assert folder.is_dir()
    with pytest.raises(ConfigError, match=r"output is .*same\.txt.*cannot be written .*; name another folder"):
        (corpus / "same.txt").touch()
        record_config(corpus / "same.txt" / "run", config_of(corpus))
    (tmp_path / "killed" / "checkpoints" / "checkpoint-4").mkdir(parents=True)
    record_config(tmp_path / "killed", config_of(corpus))
    with pytest.raises(ConfigError, match="another configuration"):  # of a version without markers, or complete
        record_config(tmp_path / "killed", config_of(corpus, seed=1))


# ----------------------------------------------------------------------------------------- checkpoints of transformers


LEARNING = {"ner": "ForTokenClassification", "qa": "ForQuestionAnswering", "classify": "ForSequenceClassification"}


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_of_a_checkpoint_becomes_a_head_that_learns(tmp_path, family, kind):
    tags = [*TAGS, "I-MISC", "B-MISC"]
    names = {"ner": tags, "classify": ["lease", "loan", "other"]}.get(kind, ["a", "b"])
    theirs, fast = save(tmp_path, family, LEARNING[kind], id2label=dict(enumerate(names)), initializer_range=0.5)
    refused = {("longformer", "classify"): "its class gives the encoder more than the text, as that of Longformer"}
    if family == "modernbert" or (family, kind) == ("big_bird", "qa"):
        refused[family, kind] = f"head of kind {kind} has layers or inputs that heads of longdoc"
    if (family, kind) in refused:
        for key in ("base", "distill.teacher"):
            with pytest.raises(ConfigError, match=f"^{key} is .*{refused[family, kind]}"):
                model_of(str(tmp_path), key=key)
        return
    model = model_of(str(tmp_path))
    assert list(model.heads) == [kind]
    texts = [CORPUS[0][:40]] if kind != "qa" else ["Who?", CORPUS[0][:40]]
    wanted, encoded = own_output(theirs, fast, *texts)
    *asked, ids = (fast(text, add_special_tokens=False)["input_ids"] for text in texts)
    special = model.encoder.template.asking(*asked) if asked else None
    inputs = model.encoder.batch([np.array(ids)], special).inputs
    assert inputs["input_ids"].tolist() == encoded["input_ids"].tolist()
    with torch.no_grad():
        scores = model.heads[kind](model.encoder(**inputs))
    if kind == "qa":
        wanted = torch.stack([wanted.start_logits, wanted.end_logits], dim=-1)
    elif kind == "ner":
        config = model.config.heads["ner"]
        wanted = wanted.logits[..., [tags.index(tag) for tag in tag_names(config.labels, config.scheme)]]
    else:
        wanted = wanted.logits[:, None]
    torch.testing.assert_close(scores, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("family", "activation"),
    [("bert", "tanh"), ("distilbert", "relu"), ("deberta-v2", "gelu"), ("big_bird", "gelu_new")],
)
def test_the_activation_function_is_that_of_the_class(tmp_path, family, activation):
    save(tmp_path, family, LEARNING["classify"])
    assert model_of(str(tmp_path)).config.heads["classify"].hidden == activation


@pytest.mark.parametrize("name", ["ConvBert", "FNet", "Yoso"])
def test_encoders_that_see_padding_learn_each_window_without_it(name):
    plain, special = make_model(), {"fnet": {"tpu_short_seq_length": 64}}.get(name.lower(), {})
    settings = {**SIZES, "vocab_size": plain.tokenizer.get_vocab_size(), "max_position_embeddings": 64, **special}
    torch.manual_seed(0)
    backbone = getattr(tf, f"{name}Model")(getattr(tf, f"{name}Config")(**settings))
    encoder = Model(backbone, plain.tokenizer, CONTRACT).encoder.eval()
    windows = [np.arange(5, 5 + length) for length in (20, 9)]
    states = encoder(**encoder.batch(windows).inputs)
    for own, window in zip(states, windows, strict=True):
        torch.testing.assert_close(own[: len(window) + 2], encoder(**encoder.batch([window]).inputs)[0])
    states[1, 3, 0].backward()
    assert backbone.get_input_embeddings().weight.grad.abs().sum() > 0


def save_checkpoint(folder, kind="ner", names=("O", "B-PARTY", "I-PARTY"), **settings):
    """A BERT of transformers with the vocabulary of the tests' models."""
    sizes = {"hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 64}
    return save(folder, "bert", LEARNING[kind], id2label=dict(enumerate(names)), **sizes, **settings)


POST_PROCESSORS = {
    "template": make_tokenizer().post_processor,
    "of BERT": processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)),
    "of bytes, too": processors.Sequence([processors.ByteLevel(), make_tokenizer().post_processor]),
    "of bytes alone": processors.ByteLevel(),
}


@pytest.mark.parametrize("case", POST_PROCESSORS)
def test_questions_have_the_segments_of_the_checkpoint_after_training(tmp_path, case):
    save_checkpoint(tmp_path / "theirs", "qa", ("a", "b"), initializer_range=0.5)
    tokenizer = make_tokenizer()
    tokenizer.post_processor = POST_PROCESSORS[case]
    tokenizer.save(str(tmp_path / "theirs" / "tokenizer.json"))
    change(tmp_path / "theirs" / "tokenizer_config.json", model_input_names=["input_ids", "attention_mask"])
    read, learns = load_checkpoint(tmp_path / "theirs"), model_of(str(tmp_path / "theirs"))
    learns.save(tmp_path / "own")
    tokens = tokenizer.encode("a", "a").tokens
    for model in (read, learns, Model.from_pretrained(tmp_path / "own")):
        batch = model.encoder.batch([torch.arange(5, 25).numpy()], model.encoder.template.asking([6, 7]))
        assert "token_type_ids" not in batch.inputs, "its tokenizer names none"
        pair = model.tokenizer.encode("a", "a")
        assert pair.tokens == tokens and pair.sequence_ids.count(1) == 1 and not any(pair.type_ids)


def test_a_checkpoint_goes_on_learning_and_comes_back(corpus):
    save_checkpoint(corpus / "theirs", names=("I-PARTY", "O", "B-PARTY"))
    task = {"heads": ["ner"], "data": memory(), "window": 32, "overlap": 8, "passes": 8}
    changes = {"base": corpus / "theirs", "model": None, "tasks": [task], "batch_tokens": 256}
    seen = Seen()
    folder = train(config_of(corpus, **changes), callbacks=[seen])
    losses = [float(entry["loss"]) for entry in seen.logged if "loss" in entry]
    assert losses[-1] < 0.3 * losses[0]
    assert json.loads((corpus / "run" / "config.json").read_text())["model"]["heads"]["ner"]["labels"] == ["PARTY"]
    to_transformers(folder, corpus / "out")
    assert tf.AutoModelForTokenClassification.from_pretrained(corpus / "out").config.id2label[1] == "B-PARTY"


def test_a_hidden_layer_of_classes_learns_and_is_exported(corpus):
    save_checkpoint(corpus / "theirs", "classify", ("lease", "loan"))
    examples = [Example(str(n), CORPUS[n % 2], labels=(("lease", "loan")[n % 2],)) for n in range(16)]
    task = {"heads": ["classify"], "data": MemoryConfig(examples=examples), "window": 48, "overlap": 8, "passes": 6}
    changes = {"base": corpus / "theirs", "model": None, "tasks": [task], "batch_tokens": 256}
    folder = train(config_of(corpus, **changes, learning_rate=1e-3))
    assert Model.from_pretrained(folder).config.heads["classify"].hidden == "tanh"
    to_transformers(folder, corpus / "out")
    own, back = (longdoc.Pipeline.from_pretrained(each, precision="float32") for each in (folder, corpus / "out"))
    one, other = (each.classify(longdoc.Document.from_text(CORPUS[0]))[0] for each in (own, back))
    assert one.name == other.name and one.score == pytest.approx(other.score, abs=1e-4)
    dense = [each.heads["classify"].dense.weight for each in (model_of(str(corpus / "theirs")), own.model)]
    assert not torch.equal(*dense)


@pytest.mark.parametrize(
    ("kind", "names", "message"),
    [
        (
            "ner",
            ("O", "B-PARTY", "I-PARTY", "I-DATE"),
            "has the tags .*; one that goes on learning needs each of O, B-",
        ),
        ("classify", ("score",), "predicts one number, not classes"),
    ],
)
def test_a_head_that_cannot_go_on_is_refused(corpus, kind, names, message):
    save_checkpoint(corpus / "theirs", kind, names)
    with pytest.raises(ConfigError, match=message):
        train(config_of(corpus, base=corpus / "theirs", model=None))


def test_a_base_without_a_head_needs_one_under_model(corpus):
    with pytest.raises(ConfigError, match=r"base is a .*no head.*Without heads under `model`, those of the base go on"):
        train(config_of(corpus, model=None))
    with pytest.raises(ConfigError, match=r"a task names head mine; the model has contract"):
        train(config_of(corpus, base="default", model=None, tasks=[{"heads": ["mine"], "data": memory()}]))


@pytest.mark.parametrize("field", ["base", "teacher"])
def test_a_revision_that_does_not_exist_is_told(corpus, field):
    settings = {"base": {"base": "someone/model"}, "teacher": {"distill": {"teacher": "someone/model"}}}[field]
    where = settings if field == "base" else settings["distill"]
    where["revision"] = "v9"
    with pytest.raises(ConfigError, match=r"someone/model.*revision 'v9'"):
        train(config_of(corpus, **settings))
    where["base" if field == "base" else "teacher"] = str(corpus / "base")
    with pytest.raises(ConfigError, match=r"is the folder .*base, which has no revision 'v9': only a hub id"):
        train(config_of(corpus, **settings))


def test_a_checkpoint_of_transformers_teaches_a_head_of_its_kind(corpus):
    save_checkpoint(corpus / "teacher", names=("I-PARTY", "O", "B-PARTY"))
    train(config_of(corpus, distill={"teacher": str(corpus / "teacher")}))
    teacher, student = model_of(str(corpus / "teacher")), model_of(str(corpus / "teacher"), CONTRACT)
    imitated = Teacher(teacher, DistillConfig(teacher="theirs", hidden=0.0), student)
    inputs = student.encoder.batch([torch.arange(5, 20).numpy()]).inputs
    with torch.no_grad():
        student.heads["contract"].load_state_dict(teacher.heads["ner"].state_dict())
        assert imitated.loss(student.eval(), student.encoder(**inputs), inputs, ["contract"]) < 1e-6


def test_a_converted_checkpoint_is_trained_and_taught_as_it_is_read(corpus):
    save(corpus / "short", "bert", "ForTokenClassification", id2label=dict(enumerate(("O", "B-PARTY", "I-PARTY"))))
    convert(corpus / "short", corpus / "long", max_tokens=300, window=8)
    model = model_of(str(corpus / "long"))
    task = TaskConfig(heads=("ner",), data=memory(), window=200, overlap=8)
    batch = training_batches([task], model, 100_000, seed=1)[0]
    batch.pop("documents")
    reader = TorchScorer(model, device="cpu", precision="float32")
    with torch.no_grad():
        states = reader.encoder(**batch["inputs"])
        assert not torch.allclose(states, model.encoder(**batch["inputs"]), atol=1e-2), "the pattern changes the states"
        wanted = model.heads["ner"].loss(states, **batch["targets"]["ner"])
        torch.testing.assert_close(Learner(model)(**batch)["loss"], wanted)
        teacher = Teacher(model, DistillConfig(teacher="long", logits=0.0), model)
        assert teacher.loss(model, states, batch["inputs"], []) < 1e-6


CONTRACT = ModelConfig(heads={"contract": NerConfig(labels=("PARTY",))}, windows=WindowConfig(size=32, overlap=8))


def test_a_teacher_of_other_words_or_labels_is_refused(corpus):
    save_checkpoint(corpus / "labels", names=("O", "B-DATE", "I-DATE"))
    with pytest.raises(
        ConfigError, match=r"no head 'contract' \(ner\) .* O, B-PARTY, I-PARTY; it has ner \(ner\) O, B-"
    ):
        train(config_of(corpus, distill={"teacher": str(corpus / "labels")}))
    save_checkpoint(corpus / "classes", "classify", ("lease", "loan"))
    for form in ({"over": "tokens"}, {"multi_label": True}):
        head = ClassifyConfig(labels=("lease", "loan"), **form)
        student = model_of(str(corpus / "classes"), replace(CONTRACT, heads={"mine": head}))
        with pytest.raises(ConfigError, match=r"no head 'mine' .*lease, loan, .*; it has .*loan, over: windows, multi"):
            Teacher(model_of(str(corpus / "classes")), DistillConfig(teacher="theirs"), student)
    save(corpus / "bare", "bert", "Model")
    with pytest.raises(ConfigError, match=r"^distill\.teacher: .* no head .*What a teacher teaches is its head"):
        train(config_of(corpus, distill={"teacher": str(corpus / "bare")}))
    save(corpus / "words", "roberta", "ForTokenClassification", id2label=dict(enumerate(("O", "B-PARTY", "I-PARTY"))))
    with pytest.raises(ConfigError, match=r"another vocabulary than the student; choose one with the same tokenizer"):
        train(config_of(corpus, distill={"teacher": str(corpus / "words")}))


# -------------------------------------------------------------------------------------------------------- class weights


def loss_with(model, weights, heads=("contract",), **changes):
    task = TaskConfig(heads=heads, data=memory(), window=32, overlap=8, class_weights=weights, **changes)
    batch = training_batches([task], model, 100_000, seed=1)[0]
    batch.pop("documents")
    return Learner(model.eval())(**batch)["loss"]


@pytest.mark.parametrize("head", [NerConfig(labels=("PARTY",)), SpansConfig(labels=("PARTY",))])
def test_class_weights_change_the_loss_as_they_say(head):
    plain = make_model(spread=0.02)
    config = ModelConfig(heads={"contract": head}, windows=plain.config.windows)
    model = Model(plain.encoder.backbone, plain.tokenizer, config)
    outside = {"O": 0.0} if head.kind == "ner" else {}
    same, more = loss_with(model, {"PARTY": 1.0}), loss_with(model, {"PARTY": 4.0})
    torch.testing.assert_close(same, loss_with(model, {}))
    assert more > same
    if head.kind == "ner":
        alone = loss_with(model, {"PARTY": 1.0, **outside})
        torch.testing.assert_close(loss_with(model, {"PARTY": 4.0, **outside}), 4 * alone)
        torch.testing.assert_close(more - same, 3 * alone)
        assert loss_with(model, {"PARTY": 0.0, **outside}) == 0


@pytest.mark.parametrize("several", [False, True])
def test_a_class_of_weight_zero_teaches_nothing(several):
    plain = make_model()
    head = ClassifyConfig(labels=("lease", "loan"), multi_label=several)
    model = Model(
        plain.encoder.backbone, plain.tokenizer, ModelConfig(heads={"kind": head}, windows=plain.config.windows)
    )
    examples = [Example("1", CORPUS[0], labels=("lease",)), Example("2", CORPUS[1], labels=("loan",))]
    losses = []
    for data, weights in [(examples, {"loan": 0.0}), (examples[:1], {}), (examples[1:], {"loan": 0.0})]:
        task = TaskConfig(heads=("kind",), data=MemoryConfig(examples=data), window=64, class_weights=weights)
        batch = training_batches([task], model, 100_000, seed=1)[0]
        batch.pop("documents")
        losses.append(Learner(model.eval())(**batch)["loss"])
    both, other, alone = losses
    assert torch.allclose(2 * both, other) == (not several), "with several classes, one without the class teaches"
    assert (alone == 0) == (not several) and torch.isfinite(alone), "one text in a batch is weighed, too"


@pytest.mark.parametrize(
    ("heads", "weights", "message"),
    [
        ({"contract": {"labels": ["PARTY"]}}, {"DATE": 2.0}, "class_weights names DATE; contract has O, PARTY"),
        ({"contract": {"labels": ["PARTY"]}}, {"PARTY": -1.0}, "class_weights must be at least 0; got -1.0 for PARTY"),
        ({"contract": {"kind": "qa"}}, {"PARTY": 2.0}, "class_weights: contract has no classes to weigh"),
    ],
)
def test_class_weights_of_unknown_labels_are_refused(tmp_path, heads, weights, message):
    data = MemoryConfig(examples=from_records(RECORDS))
    with pytest.raises(ConfigError, match=message):
        config_of(
            tmp_path, model={"heads": heads}, tasks=[{"heads": ["contract"], "data": data, "class_weights": weights}]
        )


# ------------------------------------------------------------------------------------------- a Trainer of transformers


def test_a_trainer_of_ones_own_learns_from_the_windows(corpus):
    model, tokenizer = save_checkpoint(corpus / "theirs", names=("I-PARTY", "O", "B-PARTY"))
    windows = WindowDataset(model, tokenizer, memory(), window=32, overlap=8)
    assert len(windows) > len(RECORDS) and max(len(row["input_ids"]) for row in windows) <= 32
    arguments = tf.TrainingArguments(
        output_dir=str(corpus / "out"), num_train_epochs=8, learning_rate=0.01, report_to=[], use_cpu=True
    )
    trainer = tf.Trainer(model, arguments, train_dataset=windows, data_collator=windows.collator)
    trainer.train()
    trainer.save_model(str(corpus / "out"))
    tokenizer.save_pretrained(corpus / "out")
    document = longdoc.Document.from_text(annotated(4)["text"])
    found = {entity.text for entity in longdoc.Pipeline.from_pretrained(ner=corpus / "out").entities(document)}
    assert set(PARTIES) & found


def plain(decoded):
    return re.sub("[# ]", "", decoded).lower()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "modernbert"])
def test_windows_teach_every_class_what_the_documents_say(tmp_path, family):
    start = CORPUS[0].index("Acme")
    asked = (
        Question("1", "Who made it?", (Span(start, start + 17, ""),)),
        Question("2", "Why was it made at all, and for whom?"),
    )
    examples = [Example("1", CORPUS[0], (Span(start, start + 17, "ORG"),), questions=asked, labels=("loan",))]
    for kind, names in (("ner", ("I-ORG", "O", "B-ORG")), ("qa", "ab"), ("classify", ("lease", "loan"))):
        model, fast = save(tmp_path / kind, family, LEARNING[kind], id2label=dict(enumerate(names)))
        fast.padding_side = "left"
        windows = WindowDataset(model, fast, MemoryConfig(examples=examples), window=64, overlap=16)
        batch = windows.collator(list(windows))
        assert torch.isfinite(model(**batch).loss)
        ids = batch["input_ids"]
        if kind == "ner":
            tagged = fast.decode(ids[(batch["labels"] == 0) | (batch["labels"] == 2)])
            assert re.fullmatch("(acmeincorporated)+", plain(tagged)), "once in each window that has it"
        elif kind == "qa":
            is_answer = batch["start_positions"] > 0
            assert is_answer.any() and not is_answer.all()
            row, first, last = ids[is_answer][0], batch["start_positions"][is_answer][0], batch["end_positions"]
            said = fast.decode(row[first : last[is_answer][0] + 1])
            assert plain(said) == "acmeincorporated"
        else:
            assert batch["labels"].tolist() == [1] * len(windows)


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("kind", LEARNING)
def test_the_windows_cover_every_token_with_the_segments_of_the_tokenizer(tmp_path, kind, family):
    names = {"ner": ("I-ORG", "O", "B-ORG"), "qa": "ab", "classify": ("lease", "loan")}[kind]
    model, fast = save(tmp_path, family, LEARNING[kind], id2label=dict(enumerate(names)))
    text = " ".join(CORPUS[:2])
    start = text.index("Acme")
    asked = tuple(Question(str(n), "Who?", spans) for n, spans in enumerate([(Span(start, start + 17, ""),), ()]))
    example = Example("1", text, (Span(start, start + 17, "ORG"),), asked, labels=("loan", "loan"))
    data = MemoryConfig(examples=[example, replace(example, id="2")])
    rows = [*WindowDataset(model, fast, data, window=32, overlap=4)]
    ids = fast(text, add_special_tokens=False)["input_ids"]
    texts, seen = (["Who?"] if kind == "qa" else []), np.zeros(len(ids), dtype=int)
    first = len(fast(*texts, "a")["input_ids"]) - 2
    for row in rows:
        own = row["input_ids"][first:-1]
        (at,) = [n for n in range(len(ids)) if ids[n : n + len(own)] == own]
        seen[at : at + len(own)] += 1
        expected = fast(*texts, text)
        assert ("token_type_ids" in row) == ("token_type_ids" in expected)
        types = expected.get("token_type_ids", [])
        assert row.get("token_type_ids", []) == [*types[: len(row["input_ids"]) - 1], *types[-1:]]
    assert seen.min() >= (4 if kind == "qa" else 2), "each question, and each document"
    assert len(rows) > 2 * MAX_WINDOWS


def test_data_and_models_that_do_not_fit_the_windows_are_refused(tmp_path):
    model, fast = save_checkpoint(tmp_path / "ner")
    with pytest.raises(DataError, match="labels that ner lacks: party; map them"):
        WindowDataset(model, fast, MemoryConfig(examples=from_records(RECORDS)))
    with pytest.raises(DataError, match="is annotated with classes"):
        WindowDataset(model, fast, MemoryConfig(examples=[Example("1", "a", labels=("loan",))]))
    with pytest.raises(ConfigError, match=r"windows\.size is 80; this encoder has positions for at most 64"):
        WindowDataset(model, fast, memory(), window=80)
    with pytest.raises(ConfigError, match="window is 16 tokens, special ones included, and overlap 14; give"):
        WindowDataset(model, fast, memory(), window=16, overlap=14)
    with pytest.raises(ConfigError, match=r"data must be a data set, .*MemoryConfig\(examples=from_records"):
        WindowDataset(model, fast, RECORDS)
    with pytest.raises(ConfigError, match=r"gives the token \d+, and the model has the tokens 0 to 9; give the tok"):
        model.resize_token_embeddings(10)
        WindowDataset(model, fast, memory())
    unnamed = tf.BertForTokenClassification(tf.BertConfig(**SIZES, num_labels=3))
    with pytest.raises(ConfigError, match=r"labels without names, LABEL_0, LABEL_1, LABEL_2; name them .*B-PARTY"):
        WindowDataset(unnamed, fast, memory())
    with pytest.raises(ConfigError, match="BertModel has no head for labelled data; give a model ForTokenClass"):
        WindowDataset(model.base_model, fast, memory())
    lacking, fast = save_checkpoint(tmp_path / "lacking", names=("O", "B-PARTY", "I-PARTY", "I-DATE"))
    with pytest.raises(ConfigError, match="lacks B-DATE; give it an id2label of O, B-PARTY, I-PARTY, B-DATE, I-DATE"):
        WindowDataset(lacking, fast, memory())
