"""Training runs: checks, development scores, early stopping, checkpoints, smaller students, memory estimates."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import time

import numpy as np
import pytest
import torch

from conftest import annotated, make_asking_model, make_model, write_corpus
from longdoc.cli import main
from longdoc.config import load_yaml
from longdoc.datasets import Example, JsonlConfig, Question
from longdoc.devices import device_of, dtype_of
from longdoc.encoders import SparseEncoder
from longdoc.errors import ConfigError, DataError, TrainingError
from longdoc.evaluation import LabelledData
from longdoc.heads.learning import TokenizedExample
from longdoc.heads.unanswerable import made_unanswerable, with_other_name, without_answer
from longdoc.labels import Span
from longdoc.model import Model
from longdoc.pipeline import Pipeline
from longdoc.training import TrainConfig, estimate, train
from longdoc.training.checkpoints import (
    MARKER,
    PARTIAL,
    begin_checkpoint,
    checkpoint_to_resume,
    complete_checkpoint,
    is_complete,
    last_checkpoint,
    remove_others,
)
from longdoc.training.data import training_batches
from longdoc.training.distill import DistillConfig, Teacher, drop_layers
from longdoc.training.learner import Learner
from longdoc.training.lora import LoraConfig, add_adapters, merge_adapters
from longdoc.training.run import RunConfig, training_arguments
from test_training import CONTRACTS, config_file, make_task, task, train_until_killed

pytestmark = pytest.mark.slow

SHORT = task(passes=0.5)
"""About 20 steps."""


def loss_of(model, batch, **options):
    torch.manual_seed(0)
    learner = Learner(model, **options).train()
    for module in learner.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    documents = batch.pop("documents")
    loss = learner(**batch)["loss"]
    batch["documents"] = documents
    return loss


# ------------------------------------------------------------------------------------------------------- score and stop


def test_the_best_checkpoint_is_kept_and_training_stops_without_improvement(corpus, monkeypatch):
    scores = iter([0.2, 0.9, 0.3, 0.4, 0.5, 0.6])
    seen = []

    def result(self, pipeline):
        seen.append({name: weight.clone() for name, weight in pipeline.model.state_dict().items()})
        return type("Scored", (), {"value": next(scores)})()

    monkeypatch.setattr(LabelledData, "result", result)
    development = {"datasets": {"contracts": CONTRACTS}, "every": 3, "patience": 2}
    folder = train(config_file(corpus, development=development))
    assert len(seen) == 4, "two scores without a better one"
    best = Model.from_pretrained(folder).state_dict()
    assert all(torch.equal(best[name], seen[1][name]) for name in best)
    assert not torch.equal(best["heads.contract.linear.weight"], seen[3]["heads.contract.linear.weight"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained model whose development data is its training data."""
    folder = tmp_path_factory.mktemp("trained")
    write_corpus(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGDOC_DATA", str(folder))
        return train(config_file(folder, development={"datasets": {"mine": CONTRACTS}, "every": 80}))


def test_the_development_score_equals_that_of_evaluation(corpus, trained):
    log = json.loads((trained.parent / "log.json").read_text())
    scores = [entry["eval_score"] for entry in log if "eval_score" in entry]
    data = LabelledData.read("mine", JsonlConfig(reader="jsonl", files=("contracts.jsonl",), labels={"party": "PARTY"}))
    assert data.result(Pipeline.from_pretrained(trained)).value == pytest.approx(max(scores), abs=1e-6)
    assert max(scores) > 0.9
    assert all(entry["tokens_per_second"] > 0 for entry in log[1:] if "loss" in entry)
    assert list((trained.parent / "tensorboard").rglob("events*"))


# -------------------------------------------------------------------------------------------------------------- sharing


def test_steps_are_shared_among_tasks_by_size_and_power(corpus, model):
    lines = (corpus / "contracts.jsonl").read_text().splitlines()
    (corpus / "few.jsonl").write_text("\n".join(lines[:8]) + "\n")
    few = make_task(data=JsonlConfig(reader="jsonl", files=("few.jsonl",), labels={"party": "PARTY"}), weight=2.0)
    counts = {}
    for power in (0.0, 0.5, 1.0):
        batches = training_batches([make_task(), few], model, 128, seed=1, steps=400, power=power)
        weights = [batches[index]["weight"] for index in range(len(batches))]
        assert len(weights) == pytest.approx(400, rel=0.06)
        counts[power] = weights.count(2.0)
    assert counts[0.0] == pytest.approx(200, rel=0.1)
    assert counts[0.5] == pytest.approx(133, rel=0.15)
    assert counts[1.0] == pytest.approx(80, rel=0.2)


def test_processes_share_all_batches_evenly(corpus, model):
    batches = training_batches([make_task()], model, 128, seed=1)
    for n_processes in (1, 2, 3, 5):
        shares = [batches.share(rank, n_processes).groups for rank in range(n_processes)]
        assert len(set(map(len, shares))) == 1
        assert {id(groups) for share in shares for groups in share} == set(map(id, batches.groups))
        assert sum(map(len, shares)) < len(batches) + n_processes


def test_heads_without_targets_get_gradients_of_zero_where_processes_share(corpus):
    asking = make_asking_model()
    batch = training_batches([make_task()], make_model(), 128, seed=1)[0]
    batch["targets"] = {
        "kind": {
            "content": torch.ones_like(batch["inputs"]["input_ids"], dtype=torch.bool),
            "groups": torch.arange(len(batch["inputs"]["input_ids"])),
            "targets": torch.zeros(len(batch["inputs"]["input_ids"]), dtype=torch.int64),
        }
    }
    learner = Learner(asking.train(), all_heads=True)
    batch.pop("documents")
    learner(**batch)["loss"].backward()
    silent = asking.heads["qa"].linear.weight.grad
    assert silent is not None and not silent.any()
    assert asking.heads["kind"].linear.weight.grad.any()


# -------------------------------------------------------------------------------------------------- sparse, checkpoints


def test_sparse_training_reads_long_rows_with_the_sparse_encoder(corpus, model):
    sparse_task = make_task(encoder="sparse", window=200)
    batch = training_batches([sparse_task], model, 256, seed=1)[0]
    assert batch["inputs"]["input_ids"].shape[1] > 100 and batch["period"] == model.config.windows.size
    loss = loss_of(model, batch)
    sparse = SparseEncoder.of(model.encoder, model.config.sparse_pattern(batch["period"]), batch["period"])
    states = sparse(**batch["inputs"])
    torch.testing.assert_close(loss, model.head("contract").eval().loss(states, **batch["targets"]["contract"]))
    model.zero_grad()
    loss.backward()
    assert model.encoder.backbone.get_input_embeddings().weight.grad.any(), "the weights are shared"
    model.zero_grad()


def test_a_run_alternates_between_both_encoders(corpus):
    tasks = [task(passes=3), task(passes=3, window=200, encoder="sparse")]
    folder = train(config_file(corpus, tasks=tasks, gradient_checkpointing=True))
    data = LabelledData.read("mine", JsonlConfig(reader="jsonl", files=("contracts.jsonl",), labels={"party": "PARTY"}))
    for encoder in ("windows", "sparse"):
        assert data.result(Pipeline.from_pretrained(folder, encoder=encoder)).value > 0.9


@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_gradient_checkpointing_does_not_change_the_result(corpus, encoder):
    gradients = []
    for checkpointing in (False, True):
        model = make_model()
        if checkpointing:
            model.encoder.backbone.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        batch = training_batches([make_task(encoder=encoder, window=60)], model, 256, seed=1)[0]
        loss = loss_of(model, batch)
        loss.backward()
        gradients.append([loss.detach(), model.encoder.backbone.get_input_embeddings().weight.grad])
    torch.testing.assert_close(gradients[0], gradients[1])


# ------------------------------------------------------------------------------------------------------ what goes wrong


def test_a_loss_that_is_not_finite_names_step_and_documents(corpus, monkeypatch):
    lines = [json.dumps({**annotated(2), "id": f"contract {number}"}) for number in range(4)]
    (corpus / "contracts.jsonl").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr("longdoc.heads.NerHead.loss", lambda self, states, **_: states.sum() * float("nan"))
    with pytest.raises(TrainingError, match=r"not finite: nan at step 1, on contract \d.*learning_rate"):
        train(config_file(corpus))


def test_a_full_disk_leaves_the_last_good_checkpoint(corpus, monkeypatch):
    path = config_file(corpus, save_every=4, tasks=[SHORT])
    save = torch.save

    def full(record, file, *args, **kwargs):
        if "checkpoint-8" in str(file):
            raise OSError(28, "No space left on device")
        save(record, file, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(TrainingError, match=r"step 8 .*No space left.*checkpoint-4, is kept.*run the same command"):
            train(path)
    assert [path.name for path in (corpus / "run" / "checkpoints").iterdir()] == ["checkpoint-4"]
    train(path)
    steps = [entry["step"] for entry in json.loads((corpus / "run" / "log.json").read_text())]
    assert steps == sorted(steps) and steps[-1] > 8


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_mixed_precision_is_used_where_supported_or_requested(tmp_path, precision):
    config = RunConfig(base="default", output=str(tmp_path), precision=precision)
    arguments = training_arguments(config, n_batches=4, deepspeed=None, development=None)
    assert arguments.bf16 == (dtype_of(precision, device_of("auto")) == torch.bfloat16)


def test_a_run_of_one_step_learns(corpus):
    folder = train(config_file(corpus, tasks=[task(passes=1)], batch_tokens=100_000, log_every=1))
    (entry,) = [entry for entry in json.loads((corpus / "run" / "log.json").read_text()) if "loss" in entry]
    assert entry["step"] == 1 and float(entry["learning_rate"]) > 0
    start = Model.from_base(corpus / "base", make_model().config).encoder.backbone.state_dict()
    end = Model.from_pretrained(folder).encoder.backbone.state_dict()
    assert any(not torch.equal(start[name], end[name]) for name in start)


# --------------------------------------------------------------------------------------------------------- checkpoints


def make_checkpoint(folder, step, n_processes=2):
    """A complete checkpoint: a file of each process, and DeepSpeed's parts in a folder of their own."""
    path = folder / f"checkpoint-{step}"
    begin_checkpoint(path)
    (path / f"global_step{step}").mkdir()
    for name in ("trainer_state.json", "rng_state_0.pth", "rng_state_1.pth", "latest", f"global_step{step}/rank_1.pt"):
        (path / name).write_text(f"{name} of step {step}")
    complete_checkpoint(path, n_processes)
    return path


DAMAGES = {
    "a kill before the first file": lambda path: [file.unlink() for file in files_of(path) if file.name != PARTIAL],
    "a kill before the marker": lambda path: None,
    "a kill inside the marker": lambda path: (path / PARTIAL).write_text('{"processes": 2, "files": {"rng_st'),
    "a file of another process is missing": lambda path: (mark(path), (path / "rng_state_1.pth").unlink()),
    "DeepSpeed's file is cut short": lambda path: (mark(path), (path / "global_step30" / "rank_1.pt").write_text("")),
    "DeepSpeed's pointer is missing": lambda path: (mark(path), (path / "latest").unlink()),
    "the marker is cut short": lambda path: (mark(path), (path / MARKER).write_text('{"processes": 2, "fi')),
}


def files_of(path):
    return [file for file in path.rglob("*") if file.is_file()]


def mark(path):
    (path / PARTIAL).replace(path / MARKER)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_resumes_from_the_newest_checkpoint_that_is_complete(tmp_path, damage, caplog):
    assert checkpoint_to_resume(tmp_path / "none", 2) is None
    older, newer, newest = (make_checkpoint(tmp_path, step) for step in (9, 20, 30))
    assert checkpoint_to_resume(tmp_path, 2) == newest and not caplog.records
    (newest / MARKER).replace(newest / PARTIAL)
    DAMAGES[damage](newest)
    assert checkpoint_to_resume(tmp_path, 2) == last_checkpoint(tmp_path) == newer
    (record,) = caplog.records
    assert record.getMessage() == f"{newest} is incomplete and ignored; resuming from {newer}"
    again = make_checkpoint(tmp_path, 30)
    remove_others(tmp_path, kept={older, again})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-30", "checkpoint-9"]
    assert checkpoint_to_resume(tmp_path, 2) == again


def test_a_deletion_that_was_interrupted_leaves_no_checkpoint(tmp_path, monkeypatch):
    older, newer = make_checkpoint(tmp_path, 10), make_checkpoint(tmp_path, 20)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path, **_: (path / "rng_state_1.pth").unlink())
        remove_others(tmp_path, kept={newer})
    assert not older.exists() and (tmp_path / "removed-10" / MARKER).exists()
    assert checkpoint_to_resume(tmp_path, 2) == newer
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-20"]


def write_checkpoints(folder):
    """Writes one after the other, for ever; each file of a checkpoint consists of its number."""
    for number in itertools.count(1):
        path = folder / f"checkpoint-{number}"
        begin_checkpoint(path)
        for name in ("model.safetensors", "optimizer.pt"):
            (path / name).write_text(f"{number} " * 50_000)
        complete_checkpoint(path, 1)
        remove_others(folder, kept=[path])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_while_it_writes_leaves_the_last_whole_checkpoint(tmp_path, number):
    chance = random.Random(int(number))
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if not (child := os.fork()):
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.alarm(60)
                write_checkpoints(folder)
            finally:
                os._exit(1)
        while last_checkpoint(folder) is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        os.kill(child, number)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -number
        last = last_checkpoint(folder)
        own = int(last.name.rpartition("-")[2])
        assert (last / "model.safetensors").read_text() == (last / "optimizer.pt").read_text() == f"{own} " * 50_000
        assert all(int(path.name.rpartition("-")[2]) <= own + 1 for path in folder.glob("checkpoint-*"))


def test_checkpoints_of_an_earlier_version_and_of_other_processes_are_refused(tmp_path):
    path = make_checkpoint(tmp_path, 10)
    with pytest.raises(ConfigError, match=r"checkpoint-10 was written by a run of 2 processes, and this one has 1"):
        checkpoint_to_resume(tmp_path, 1)
    (path / MARKER).unlink()
    with pytest.raises(ConfigError, match=r"checkpoint-10 has no complete\.json: an earlier version.*delete it"):
        checkpoint_to_resume(tmp_path, 2)
    assert (path / "rng_state_1.pth").exists(), "nothing is deleted"


STAGE_FILES = {
    0: ("optimizer.pt",),
    1: (
        "latest",
        "global_step10/mp_rank_00_model_states.pt",
        "global_step10/zero_pp_rank_0_mp_rank_00_optim_states.pt",
    ),
    3: ("latest", "global_step10/zero_pp_rank_0_mp_rank_00_model_states.pt"),
}
STAGE_FILES[2] = STAGE_FILES[1]


@pytest.mark.parametrize("written", STAGE_FILES)
@pytest.mark.parametrize("resumed", STAGE_FILES)
def test_a_checkpoint_of_another_stage_of_zero_is_refused_with_a_remedy(tmp_path, written, resumed):
    path = tmp_path / "checkpoint-10"
    begin_checkpoint(path)
    for name in ("trainer_state.json", *STAGE_FILES[written]):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(name)
    complete_checkpoint(path, 1)
    if written == resumed or {written, resumed} == {1, 2}:  # DeepSpeed stores these two alike
        assert checkpoint_to_resume(tmp_path, 1, resumed) == path
        return
    said = {0: "without DeepSpeed", 1: "stage 1 or 2 of ZeRO", 2: "stage 1 or 2 of ZeRO", 3: "stage 3 of ZeRO"}[written]
    remedy = "leave --deepspeed out" if written == 0 else "give the --deepspeed configuration it was written with"
    with pytest.raises(
        ConfigError, match=rf"checkpoint-10 was written .*{said}, and this run has .*: {remedy}, choose"
    ):
        checkpoint_to_resume(tmp_path, 1, resumed)
    assert is_complete(path), "nothing is deleted"


@pytest.mark.parametrize("with_deepspeed", [False, True])
def test_a_run_is_not_resumed_with_deepspeed_if_it_began_without_or_the_reverse(corpus, monkeypatch, with_deepspeed):
    path = config_file(corpus, save_every=4, tasks=[SHORT])

    def kill(folder, kept):
        if with_deepspeed:
            (folder / "checkpoint-4" / "global_step4").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("longdoc.training.batch_trainer.remove_others", kill)
        with pytest.raises(KeyboardInterrupt):
            train(path)
    if with_deepspeed:
        with pytest.raises(ConfigError, match=r"stage 1 or 2 of ZeRO, and this run has no DeepSpeed"):
            train(path)
    else:
        monkeypatch.setattr("longdoc.training.run.zero_stage", lambda path: 2)
        monkeypatch.setattr("longdoc.training.run.training_arguments", no_deepspeed(training_arguments))
        with pytest.raises(
            ConfigError, match=r"was written without DeepSpeed, and this run has stage 2 of ZeRO: leave"
        ):
            train(path, deepspeed=corpus / "ds.json")


def no_deepspeed(arguments):
    """The arguments of a run without DeepSpeed, whose engine takes seconds to start and is not reached."""
    return lambda config, n_batches, deepspeed, development: arguments(config, n_batches, None, development)


def test_a_run_killed_before_a_marker_resumes_from_the_checkpoint_before(corpus, monkeypatch, caplog):
    whole = train(config_file(corpus, save_every=4, log_every=1, tasks=[SHORT]))
    path = config_file(corpus, save_every=4, log_every=1, tasks=[SHORT], output=str(corpus / "killed"))

    train_until_killed(path, monkeypatch, step=8)
    assert sorted(path.name for path in (corpus / "killed" / "checkpoints").iterdir()) == [
        "checkpoint-4",
        "checkpoint-8",
    ]
    resumed = train(path)
    assert "checkpoint-8 is incomplete and ignored" in caplog.text
    assert_same_run(whole, resumed)


def test_a_run_killed_after_its_last_score_stops_at_once(corpus, monkeypatch):
    development = {"datasets": {"contracts": CONTRACTS}, "every": 3, "patience": 2}
    changes = {"tasks": [SHORT], "development": development}

    def score_by_turns(scores):
        return lambda self, pipeline: type("Scored", (), {"value": next(scores)})()

    def kill(folder, kept):
        if folder.parent.name == "killed" and any(path.name == "checkpoint-12" for path in kept):
            raise KeyboardInterrupt

    monkeypatch.setattr(LabelledData, "result", score_by_turns(iter([0.2, 0.9, 0.3, 0.4])))
    whole = train(config_file(corpus, **changes))
    path = config_file(corpus, **changes, output=str(corpus / "killed"))
    monkeypatch.setattr(LabelledData, "result", score_by_turns(iter([0.2, 0.9, 0.3, 0.4])))
    with monkeypatch.context() as patch:
        patch.setattr("longdoc.training.batch_trainer.remove_others", kill)
        with pytest.raises(KeyboardInterrupt):
            train(path)
    monkeypatch.setattr(LabelledData, "result", score_by_turns(iter([])))
    resumed = train(path)
    one, two = (Model.from_pretrained(folder).state_dict() for folder in (whole, resumed))
    assert all(torch.equal(one[name], two[name]) for name in one)


def assert_same_run(one, other):
    curves = [json.loads((folder.parent / "log.json").read_text()) for folder in (one, other)]
    losses = [[entry["loss"] for entry in curve if "loss" in entry] for curve in curves]
    assert losses[0] == losses[1]
    weights = [Model.from_pretrained(folder).state_dict() for folder in (one, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": []}, "at least one"),
        ({"accumulate": 0}, "accumulate must be at least 1"),
        ({"dropout": 1.0}, "below 1"),
        ({"learning_rate": 0}, "above 0"),
        ({"development": {"datasets": {}}}, "at least one data set"),
        ({"lora": {"rank": 0}}, "rank must be at least 1"),
        ({"distill": {"teacher": "default", "temperature": 0}}, "temperature must be above 0"),
        ({"distill": {"teacher": "default", "logits": 0, "hidden": 0}}, "one of them above 0"),
    ],
)
def test_the_error_for_a_wrong_value_says_what_is_allowed(corpus, changes, message):
    with pytest.raises(ConfigError, match=message):
        load_yaml(TrainConfig, config_file(corpus, **changes))


@pytest.mark.parametrize("base", ["runs/no/such/model", "no-such-model"])
def test_the_error_for_a_missing_base_says_what_is_allowed(corpus, base):
    with pytest.raises(ConfigError, match=rf"{base}(: there is no such folder| is neither a folder with a model nor)"):
        train(config_file(corpus, base=base))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read"), ("{", "not JSON"), ('{"fp16": {}}', r"zero_optimization\.stage")]
)
def test_a_wrong_deepspeed_file_is_refused_before_anything_is_written(corpus, content, message):
    if content is not None:
        (corpus / "ds.json").write_text(content)
    with pytest.raises(ConfigError, match=rf"ds\.json: .*{message}"):
        train(config_file(corpus), deepspeed=corpus / "ds.json")
    assert not (corpus / "run").exists()


def test_spans_that_overlap_or_cut_a_word_are_reported_before_training(corpus, caplog):
    record = annotated(1)
    record["entities"].append({"start": 55, "end": 59, "text": "Acme", "label": "party"})
    (corpus / "contracts.jsonl").write_text(json.dumps({**record, "id": "lease"}) + "\n")
    with pytest.raises(DataError, match=r"lease: .*'Acme' at 55-59 .*overlap.*nested: longest"):
        train(config_file(corpus))
    longest = task(passes=1, nested="longest")
    train(config_file(corpus, tasks=[longest]))
    assert not caplog.records
    record["entities"] = [{"start": 55, "end": 61, "text": "Acme I", "label": "party"}]
    (corpus / "contracts.jsonl").write_text(json.dumps({**record, "id": "lease"}) + "\n")
    train(config_file(corpus, tasks=[longest], output=str(corpus / "other")))
    assert "1 of 1 spans start or end inside a word; the first: lease: PARTY 'Acme I'" in caplog.text


def test_labels_that_no_head_has_are_refused_unless_left_out(corpus):
    unnamed = task(data={"reader": "jsonl", "files": ["contracts.jsonl"]})
    with pytest.raises(DataError, match=r"contracts\.jsonl has labels that contract lacks: party; map them to labels"):
        train(config_file(corpus, tasks=[unnamed]))


# ------------------------------------------------------------------------------------------------- teacher and adapters


def test_a_student_with_fewer_layers_approaches_its_teacher(corpus, trained):
    distill = {"teacher": str(trained)}
    folder = train(config_file(corpus, base=str(trained), layers=[0], distill=distill, tasks=[task(passes=4)]))
    student = Model.from_pretrained(folder)
    assert student.encoder.backbone.config.num_hidden_layers == 1
    assert len(student.encoder.backbone.encoder.layer) == 1
    data = LabelledData.read("mine", JsonlConfig(reader="jsonl", files=("contracts.jsonl",), labels={"party": "PARTY"}))
    assert data.result(Pipeline.from_pretrained(folder)).value > 0.9


def test_the_distance_to_itself_is_zero_and_to_another_model_positive(corpus):
    asking, other = make_asking_model(), make_asking_model()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    inputs = asking.encoder.batch([np.arange(5, 20), np.arange(5, 12)]).inputs
    heads = ["qa", "kind", "nli"]
    for teacher, is_same in ((asking, True), (other, False)):
        states = asking.encoder(**inputs)
        loss = Teacher(teacher, DistillConfig(teacher="other"), asking).loss(asking, states, inputs, heads)
        assert (loss.item() < 1e-6) == is_same
    assert "qa" in dict(asking.heads)


def test_a_teacher_must_have_the_students_heads_and_vocabulary(corpus):
    with pytest.raises(ConfigError, match=r"no head 'qa'"):
        Teacher(make_model(), DistillConfig(teacher="small"), make_asking_model())
    with pytest.raises(ConfigError, match="another vocabulary"):
        Teacher(Model.from_pretrained("longdoc/assets/default"), DistillConfig(teacher="default"), make_model())
    with pytest.raises(ConfigError, match=r"layers must name some of the encoder's \d layers"):
        drop_layers(make_model(), [1, 0])


def test_only_adapters_learn_and_are_merged_into_the_encoder(corpus):
    folder = train(config_file(corpus, tasks=[SHORT], lora={"rank": 4}, learning_rate=0.02))
    base, tuned = Model.from_base(corpus / "base", make_model().config), Model.from_pretrained(folder)
    before, after = base.encoder.backbone.state_dict(), tuned.encoder.backbone.state_dict()
    assert set(before) == set(after)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(re.search(r"(query|key|value|dense)\.weight$", name) for name in changed)


def test_merged_adapters_give_the_same_states():
    model = make_model()
    inputs = model.encoder.batch([np.arange(5, 20)]).inputs
    add_adapters(model, LoraConfig(layers=("query", "value")))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    model.eval()
    wanted = model.encoder(**inputs)
    merge_adapters(model)
    torch.testing.assert_close(model.encoder(**inputs), wanted)
    with pytest.raises(ConfigError, match=r"lora\.layers"):
        add_adapters(model, LoraConfig(layers=("no such layer",)))


# --------------------------------------------------------------------------------------------------------- the estimate


def test_the_estimate_matches_the_model(corpus, capsys):
    path = config_file(corpus)
    found = estimate(path)
    model = Model.from_base(corpus / "base", load_yaml(TrainConfig, path).model)
    assert found.n_parameters == sum(p.numel() for p in model.parameters()) == found.n_trained
    weights, gradients, moments = found.states(0, 1)
    assert (gradients, moments) == (weights, 2 * weights) and weights == 4 * found.n_parameters
    assert found.states(1, 2) == (weights, gradients, moments // 2)
    assert found.states(2, 2) == (weights, gradients // 2, moments // 2)
    assert found.states(3, 4) == (weights // 4, gradients // 4, moments // 4)
    rows, positions = found.batch
    states = rows * positions * model.encoder.backbone.config.hidden_size * 4
    assert found.activations > 10 * states, "every layer keeps several tensors of the size of its states"
    assert found.checkpointed < found.activations
    assert main(["train", str(path), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "ZeRO-3" in said and f"{found.n_parameters:,} parameters" in said
    assert not (corpus / "run").exists(), "nothing was trained"


# --------------------------------------------------------------------------------------------------------- unanswerable


TEXT = "The rent is due on 3 May. Acme pays Zenith 500 dollars. Notices go to Boston."


def test_the_sentence_with_the_answer_is_removed(model):
    document = TokenizedExample.of(Example("1", TEXT), model.tokenizer)
    start = TEXT.index("500")
    shorter = without_answer(Question("1", "How much?", (Span(start, start + 3, ""),)), document)
    left = [TEXT[a:b] for a, b in shorter.tokens.offsets]
    assert "".join(left) == "Therentisdueon3May.NoticesgotoBoston."
    alone = TokenizedExample.of(Example("1", "Acme pays 500 dollars."), model.tokenizer)
    assert without_answer(Question("1", "How much?", (Span(10, 13, ""),)), alone) is None


def test_a_name_in_the_question_is_replaced_by_one_that_is_not_the_answer():
    rng = np.random.default_rng(0)
    question = Question("1", "What does Acme pay?", (Span(TEXT.index("500"), TEXT.index("500") + 3, ""),))
    said = {with_other_name(question, TEXT, rng).text for _ in range(40)}
    assert said == {"What does Zenith pay?", "What does May pay?", "What does Notices pay?", "What does Boston pay?"}
    assert with_other_name(Question("1", "what is it?", ()), TEXT, rng) is None


def test_unanswerable_questions_have_no_answer(model):
    document = TokenizedExample.of(Example("1", TEXT), model.tokenizer)
    question = Question("1", "What does Acme pay?", (Span(TEXT.index("500"), TEXT.index("500") + 3, ""),))
    rng = np.random.default_rng(0)
    for _ in range(20):
        made, read = made_unanswerable(question, document, rng)
        assert not made.answers
        assert (made.text == question.text) != (len(read.tokens) == len(document.tokens))
