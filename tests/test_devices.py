"""Devices: their names, batches in flight, and copies of a model that take turns."""

import pickle
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from conftest import CORPUS, make_model
from longdoc import Document, Pipeline
from longdoc.compute import TorchScorer, in_flight
from longdoc.devices import devices_of, dtype_of
from longdoc.errors import ComputeError, ConfigError
from longdoc.inputs import packed_batches
from longdoc.packed import can_unpad
from longdoc.training.run import RunConfig, training_arguments, use_one_gpu

LONG = " ".join(CORPUS[:2]) * 9
CPU = torch.device("cpu")


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def two_devices(monkeypatch):
    """A name of a device stands for two, of which each computes on the CPU."""
    monkeypatch.setattr("longdoc.compute.devices_of", lambda name: (CPU,) * (1 + isinstance(name, str)))


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("name", ["cuda:0,1", "cuda:0, 1", "cuda:0,cuda:1"])
def test_several_devices_are_named_by_their_numbers(name):
    assert devices_of(name) == (torch.device("cuda:0"), torch.device("cuda:1"))
    assert devices_of("cuda:1") == devices_of(torch.device("cuda:1")) == (torch.device("cuda:1"),)
    assert devices_of("auto") == (torch.device("cuda"),)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda:2", "'cuda:2' is not there; torch finds cuda:0 to cuda:1"),
        ("cuda:0,2", "'cuda:2' is not there"),
        ("cuda:1,1", "names a device twice; name each one once"),
        ("cuda:0,cpu", "mixes cuda and cpu"),
        ("cuda,cuda", "named by their numbers"),
        ("cuda,cpu:0", "mixes cuda and cpu"),
        *((name, "there is one 'cpu', .*; give 'cpu'") for name in ("cpu,cpu", "cpu:0,1", "cpu:0,0", "cpu:7")),
        (torch.device("cpu:7"), "there is one 'cpu'"),
        ("cuda:0,", "unknown device ''"),
        ("0,1", "unknown device '0:0'"),
        ("meta", "finds no device of the kind 'meta'"),
        (0, "device must be"),
    ],
)
def test_devices_that_cannot_be_used_are_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        devices_of(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:0,1"])
def test_a_gpu_that_is_not_there_is_refused(name):
    with pytest.raises(ConfigError, match="torch finds no GPU; use 'auto' or 'cpu'"):
        Pipeline.from_pretrained(device=name)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("capabilities", [(9, 0), (8, 0), (7, 5)])
def test_a_gpu_has_bfloat16_and_windows_of_all_lengths_from_ampere_on(capabilities, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capabilities)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: True)
    monkeypatch.setattr("longdoc.devices._has_bfloat16", lambda device: device == CPU or capabilities >= (8, 0))
    gpu = torch.device("cuda:0")
    assert (dtype_of("auto", gpu, CPU) == torch.bfloat16) == can_unpad(gpu, torch.bfloat16) == (capabilities >= (8, 0))
    assert not can_unpad(gpu, torch.float32) and not can_unpad(CPU, torch.bfloat16)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: False)
    assert not can_unpad(gpu, torch.bfloat16)


@given(st.lists(st.integers(0, 60)), st.integers(1, 200))
def test_packed_batches_hold_every_window_once_and_count_real_tokens(lengths, batch_tokens):
    batches = list(packed_batches(lengths, batch_tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        own = [lengths[index] for index in batch]
        assert own == sorted(own, reverse=True)
        assert len(own) == 1 or (sum(own) <= batch_tokens and own[0] * len(own) <= 2 * batch_tokens)
    assert len(batches) <= 1 or all(map(len, batches))


def test_windows_of_one_length_fill_a_packed_batch():
    assert [len(batch) for batch in packed_batches([32] * 9, 128)] == [4, 4, 1]


class Begun:
    """Batches that several scorers begin, and whose results are waited for; what happened, in order."""

    def __init__(self, fail_at=None, fail_while=None):
        self.fail_at, self.fail_while, self.told = fail_at, fail_while, []

    def __call__(self, scorer, batch):
        self.told.append(f"begin {batch} on {scorer}")
        if batch == self.fail_at:
            raise MemoryError(f"batch {batch}")
        return lambda: self.wait(batch)

    def wait(self, batch):
        self.told.append(f"wait {batch}")
        if batch == self.fail_while:
            raise RuntimeError(f"batch {batch}")
        return batch * 10


def test_the_next_batch_is_begun_before_a_result_is_waited_for():
    begun = Begun()
    assert list(in_flight(begun, range(3), ["a"])) == [0, 10, 20]
    assert begun.told == ["begin 0 on a", "begin 1 on a", "wait 0", "begin 2 on a", "wait 1", "wait 2"]
    begun = Begun()
    assert list(in_flight(begun, range(5), ["a", "b"])) == [0, 10, 20, 30, 40]
    assert begun.told[:4] == ["begin 0 on a", "begin 1 on b", "begin 2 on a", "wait 0"]


@pytest.mark.parametrize(("options", "error"), [({"fail_at": 2}, MemoryError), ({"fail_while": 2}, RuntimeError)])
@pytest.mark.parametrize("scorers", ["a", "ab"])
def test_an_error_in_flight_is_that_of_its_batch(options, error, scorers):
    begun, found = Begun(**options), []
    with pytest.raises(error, match="batch 2"):
        for result in in_flight(begun, range(9), scorers):
            found.append(result)
    assert found == [0, 10]
    assert not any("begin 5" in line for line in begun.told)


@pytest.mark.usefixtures("two_devices")
@pytest.mark.parametrize("encoder", ["windows", "sparse"])
def test_two_devices_find_what_one_finds(encoder):
    documents = [Document.from_text(text) for text in (LONG, CORPUS[0], "", CORPUS[1])]
    options = {"precision": "float32", "encoder": encoder, "batch_tokens": 40}
    one = Pipeline(make_model(), device=CPU, **options)
    two = Pipeline(make_model(), device="cpu", **options)
    scorer = two.readers[0].scorer
    assert len(scorer.others) == 1 and scorer.at_a_time == 4
    assert f"; {encoder} in float32 on cpu, cpu>" in repr(two)
    computed = []
    for each in (scorer, *scorer.others):
        each.encoder.register_forward_hook(lambda encoder, *_: computed.append(encoder))
    found, expected = (list(pipeline.pipe(documents)) for pipeline in (two, one))
    assert len(found[0].entities) > 1 and set(computed) == {scorer.encoder, scorer.others[0].encoder}
    for mine, theirs in zip(found, expected, strict=True):
        assert [(e.start, e.end, e.label) for e in mine.entities] == [
            (e.start, e.end, e.label) for e in theirs.entities
        ]
    again = pickle.loads(pickle.dumps(two))
    assert len(again.readers[0].scorer.others) == 1
    assert again(documents[0]).entities == two(documents[0]).entities


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), ComputeError),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), ComputeError),
        (RuntimeError("shapes differ"), RuntimeError),
    ],
)
def test_a_want_of_memory_is_told_with_what_to_do(error, kind):
    def fail(*_):
        raise error

    pipeline = Pipeline(make_model(), device="cpu", precision="float32")
    pipeline.readers[0].scorer.encoder.register_forward_pre_hook(fail)
    with pytest.raises(kind) as told:
        pipeline(Document.from_text(LONG))
    assert type(told.value) is kind
    if kind is ComputeError:
        assert re.match(
            r"bert on cpu: \d+ windows of \d+ tokens, out of memory \(.*allocate.*\); give fewer batch_tokens, or read",
            str(told.value),
        )


@pytest.mark.usefixtures("two_devices")
def test_each_device_has_weights_of_its_own():
    scorer = TorchScorer(make_model(), device="cpu", precision="float32")
    (other,) = scorer.others
    mine, theirs = ({p.data_ptr() for p in each.model.parameters()} for each in (scorer, other))
    assert not mine & theirs and other.dtype == scorer.dtype
    row = {"input_ids": np.arange(5, 25)[None]}
    for head, found in scorer.scores(row, ["contract"], 32)().items():
        np.testing.assert_array_equal(found, other.scores(row, ["contract"], 32)()[head])


def test_a_process_trains_on_one_gpu(tmp_path, caplog):
    config = RunConfig(base="default", output=str(tmp_path), precision="float32", report_to=())
    arguments = training_arguments(config, n_batches=4, deepspeed=None, development=None)
    arguments._n_gpu = 4
    use_one_gpu(arguments)
    assert arguments.n_gpu == 1 and "torchrun --nproc-per-node 4" in caplog.text
