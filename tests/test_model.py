import errno
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

import longdoc.model
import reference
from conftest import make_model
from disk_changes import disturbed_at
from longdoc.bert import Bert, is_bert
from longdoc.errors import ConfigError
from longdoc.heads import NerConfig, NerHead
from longdoc.inputs import SpecialTokens, Template, alike_batches, length_batches, padded_length
from longdoc.model import Model, dequantize, quantize_rows
from longdoc.model_files import DEFAULT_MODEL
from longdoc.sources import load_model
from longdoc.version import __version__


def test_special_tokens_are_taken_from_the_tokenizer(tokenizer):
    template = Template.of(tokenizer, 0)
    assert template.plain == SpecialTokens((2,), (3,))
    assert template.asking([7, 8]) == SpecialTokens((2, 7, 8, 3), (3,), content_type=1, n_global=3)


def test_a_padded_batch_gives_the_states_of_its_windows_alone(model):
    slices = [np.arange(5, 20, dtype=np.int32), np.arange(30, 37, dtype=np.int32)]
    batch = model.encoder.batch(slices)
    assert "attention_mask" in batch.inputs, "the batch must need padding"
    with torch.no_grad():
        together = batch.content(model.encoder(**batch.inputs).numpy())
        for window, states in zip(slices, together, strict=True):
            alone = model.encoder(**model.encoder.batch([window]).inputs)[0, 1:-1].numpy()
            np.testing.assert_allclose(states, alone, atol=5e-5)


def test_windows_of_one_length_need_no_mask(model):
    batch = model.encoder.batch([np.arange(4), np.arange(4)])
    assert list(batch.inputs) == ["input_ids"]


def test_length_batches_contain_every_window_once_within_the_limit():
    lengths = np.random.default_rng(0).integers(1, 90, size=200).tolist()
    batches = list(length_batches(lengths, 256))
    assert sorted(index for batch in batches for index in batch) == list(range(200))
    assert all(len(b) * max(lengths[i] for i in b) <= 256 for b in batches)
    assert list(length_batches([500], 256)) == [[0]]


def test_windows_of_one_batch_are_padded_by_their_own_length_alone():
    padded = [padded_length(length, 512) for length in range(1, 513)]
    assert all(length <= own <= max(length * 17 / 16, length + 3) for length, own in enumerate(padded, 1))
    assert padded[511] == 512 and padded_length(514, 514) == padded_length(520, 514) - 6 == 514
    forms = [(length, 0) for length in padded] + [(512, 1)] * 3
    batches = list(alike_batches(forms, 1100))
    assert sorted(index for batch in batches for index in batch) == list(range(515))
    assert all(len({forms[index] for index in batch}) == 1 for batch in batches)
    assert [len(batch) for batch in batches if forms[batch[0]] == (512, 1)] == [2, 1]
    assert list(alike_batches([(5000, 0)], 1100)) == [[0]]


def test_the_loss_of_partial_annotation_equals_its_slow_twin():
    torch.manual_seed(1)
    head = NerHead(8, NerConfig(labels=("PERSON", "DATE")), dropout=0.0)
    states, tags = torch.randn(1, 6, 8), torch.tensor([[-100, 0, 1, 2, 0, -100]])
    rows = head(states)[0].log_softmax(-1).tolist()
    for unmarked in ((), ("DATE",)):
        expected = reference.partial_loss(rows, tags[0].tolist(), head.tags, unmarked)
        assert head.loss(states, tags=tags, unmarked=unmarked).item() == pytest.approx(expected, rel=1e-5)
    assert head.loss(states, tags=tags, unmarked=("DATE",)) < head.loss(states, tags=tags)


def test_save_and_load_give_the_same_scores(model, tmp_path):
    model.save(tmp_path)
    again = Model.from_pretrained(tmp_path)
    assert again.config == model.config
    inputs = model.encoder.batch([np.arange(5, 20), np.arange(30, 37)]).inputs
    for name in model.heads:
        assert torch.equal(again.heads[name](again.encoder(**inputs)), model.heads[name](model.encoder(**inputs)))


def test_bert_without_transformers_gives_the_same_states_to_the_last_bit(model, tmp_path):
    model.save(tmp_path)
    own, theirs = Model.from_pretrained(tmp_path, only_windows=True), Model.from_pretrained(tmp_path)
    assert isinstance(own.encoder.backbone, Bert) and not isinstance(theirs.encoder.backbone, Bert)
    assert list(own.state_dict()) == list(theirs.state_dict())
    encoders = [own.encoder, theirs.encoder]
    rng = torch.Generator().manual_seed(0)
    for rows, n_tokens in ((1, 1), (1, 64), (3, 40), (7, 13)):
        inputs = {"input_ids": torch.randint(0, 300, (rows, n_tokens), generator=rng)}
        mask = torch.arange(n_tokens) < torch.randint(1, n_tokens + 1, (rows, 1), generator=rng)
        types = torch.randint(0, 2, (rows, n_tokens), generator=rng)
        for further in ({}, {"attention_mask": mask}, {"token_type_ids": types, "attention_mask": mask}):
            with torch.inference_mode():
                assert torch.equal(*(encoder(**inputs, **further) for encoder in encoders)), (rows, n_tokens, further)
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
                assert torch.equal(*(encoder(**inputs, **further) for encoder in encoders)), (rows, n_tokens, further)


def test_a_model_without_transformers_saves_the_same_files(model, tmp_path):
    model.save(tmp_path / "first")
    Model.from_pretrained(tmp_path / "first", only_windows=True).save(tmp_path / "again")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        {"model_type": "roberta"},
        {"is_decoder": True},
        {"hidden_act": "gelu_new"},
        {"position_embedding_type": "relative_key"},
        {"layer_norm_eps": None},
    ],
)
def test_what_bert_does_not_compute_is_left_to_transformers(model, other):
    record = model.encoder.backbone.config.to_dict()
    assert is_bert(record)
    changed = {name: value for name, value in {**record, **other}.items() if value is not None}
    assert not is_bert(changed)


def test_quantised_weights_are_small_and_within_half_a_step(model, tmp_path):
    state = model.state_dict()
    restored = dequantize(quantize_rows(state))
    assert restored.keys() == state.keys()
    matrices = [name for name, tensor in state.items() if tensor.ndim == 2]
    for name in matrices:
        step = state[name].abs().amax(dim=1, keepdim=True) / 127
        assert ((restored[name] - state[name]).abs() <= step / 2 + 1e-7).all()
    model.save(tmp_path, quantize=True)
    stored = load_file(tmp_path / "model.safetensors")
    assert matrices and all(stored[name].dtype == torch.int8 for name in matrices)
    Model.from_pretrained(tmp_path)


def test_the_error_for_a_folder_without_a_model_says_what_to_give(tmp_path):
    with pytest.raises(ConfigError, match=r"Model\.save"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ConfigError, match="longdoc"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "longdoc": {}}))
    with pytest.raises(ConfigError, match="incomplete"):
        Model.from_pretrained(tmp_path)


def test_weights_that_do_not_fit_are_refused(model, tmp_path):
    model.save(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    record["longdoc"]["heads"]["contract"]["labels"].append("NEW")
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="do not fit"):
        Model.from_pretrained(tmp_path)


def test_transformers_refuses_a_folder_of_longdoc_instead_of_filling_it_with_random_weights(model, tmp_path):
    model.save(tmp_path)
    for folder in (tmp_path, DEFAULT_MODEL):
        assert "architectures" not in (folder / "config.json").read_text()
        with pytest.raises(ValueError, match="model type `longdoc`"):
            AutoModel.from_pretrained(folder)


@pytest.mark.parametrize("only_windows", [True, False])
def test_folders_of_the_former_format_are_read(model, tmp_path, only_windows):
    model.save(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    former = {**record["encoder"], "architectures": ["BertModel"], "longdoc": record["longdoc"]}
    del former["transformers_weights"]
    (tmp_path / "config.json").write_text(json.dumps(former))
    read = Model.from_pretrained(tmp_path, only_windows=only_windows)
    assert read.config == model.config and read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in read.state_dict().items())
    read.save(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["encoder"].keys() == record["encoder"].keys()


@pytest.mark.parametrize(
    ("version", "told"), [(__version__, False), ("999.1", True), ("999.0.dev1", True), (None, False)]
)
def test_a_folder_of_a_newer_version_says_so(model, tmp_path, version, told):
    model.save(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    record["longdoc_version"] = version
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert Model.from_pretrained(tmp_path).config == model.config
    record["longdoc"]["heads"]["contract"]["nuance"] = 1
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="nuance") as caught:
        Model.from_pretrained(tmp_path)
    assert (f"written by longdoc {version}, and this is longdoc {__version__}: upgrade it" in str(caught.value)) == told


def test_settings_of_the_encoder_are_a_mapping(model, tmp_path):
    model.save(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**record, "encoder": "bert"}))
    with pytest.raises(ConfigError, match="encoder is 'bert'"):
        Model.from_pretrained(tmp_path)


NAMES = ("config.json", "model.safetensors", "tokenizer.json")


def disturb(end, at, patch):
    """Calls ``end`` instead of the change of the disk with this number, or in the middle of it; counts them."""
    ending, count = disturbed_at(at, end)

    def half_of(state, path):
        Path(path).write_bytes(b"half")

    patch.setattr(longdoc.model, "save_file", ending(longdoc.model.save_file, half_of))
    patch.setattr(os, "fsync", ending(os.fsync))
    for name in ("replace", "unlink", "mkdir", "rmdir"):
        patch.setattr(Path, name, ending(getattr(Path, name)))
    for name in ("write_text", "write_bytes"):
        method = getattr(Path, name)
        patch.setattr(
            Path, name, ending(method, lambda path, data, method=method: method(path, data[: len(data) // 2]))
        )
    return count


def kinds_of_model(folder, models):
    """Which of the models a folder contains; a message if it is refused."""
    found = {name: (folder / name).read_bytes() for name in NAMES if (folder / name).exists()}
    names = [name for name, files in models.items() if files == found]
    if names:
        assert Model.from_pretrained(folder).config.heads
        return names[0]
    messages = set()
    for load in (Model.from_pretrained, load_model, lambda each: Model.from_base(each, make_model().config)):
        with pytest.raises(ConfigError) as caught:
            load(folder)
        messages.add(str(caught.value).replace(str(folder), "F"))
    assert "config.json" not in found
    return messages.pop() if len(messages) == 1 else "no model"


@pytest.fixture
def old_and_new(model, tmp_path):
    """Two models, and the bytes of their files."""
    new = Model.from_pretrained(_saved(model, tmp_path / "old"))
    with torch.no_grad():
        next(new.parameters()).add_(1)
    new = new.with_heads(["contract"])
    new.tokenizer.add_tokens(["lease"])
    _saved(new, tmp_path / "new")
    files = {kind: {name: (tmp_path / kind / name).read_bytes() for name in NAMES} for kind in ("old", "new")}
    assert all(files["old"][name] != files["new"][name] for name in NAMES)
    return model, new, files


def _saved(model, folder):
    model.save(folder)
    return folder


def fail():
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(sys.platform == "win32", reason="os.fork")
@pytest.mark.parametrize("is_first", [True, False], ids=["no model before", "a model before"])
def test_a_kill_leaves_the_former_model_the_new_one_or_a_folder_that_is_refused(old_and_new, tmp_path, is_first):
    old, new, models = old_and_new
    seen, at, ended = [], 0, 1
    while ended:
        at += 1
        folder = tmp_path / f"killed-{at}"
        folder.mkdir()
        (folder / "README.md").write_text("a model card")
        if not is_first:
            old.save(folder)
        if not (child := os.fork()):
            disturb(lambda: os._exit(1), at, pytest.MonkeyPatch())
            new.save(folder)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seen.append(kinds_of_model(folder, models))
        assert (folder / "README.md").read_text() == "a model card"
        new.save(folder)
        assert kinds_of_model(folder, models) == "new"
        assert sorted(path.name for path in folder.iterdir()) == ["README.md", *NAMES]
    kinds = list(dict.fromkeys(seen))
    assert kinds[0] == ("no model" if is_first else "old") and kinds[2] == "new" and len(kinds) == 3
    assert "was interrupted; save it again, or move the files of F/.longdoc-new" in kinds[1] and len(seen) > 15


def test_the_files_of_an_interrupted_save_can_be_moved_by_hand(old_and_new, tmp_path):
    old, new, models = old_and_new
    for at in range(1, 100):
        folder = tmp_path / f"failed-{at}"
        old.save(folder)
        with pytest.MonkeyPatch.context() as patch:
            count = disturb(fail, at, patch)
            try:
                new.save(folder)
            except ConfigError as error:
                assert "cannot be written" in str(error) and "free some space" in str(error)
        if (kind := kinds_of_model(folder, models)) not in ("old", "new"):
            for path in (folder / ".longdoc-new").iterdir():
                path.replace(folder / path.name)
            assert kinds_of_model(folder, models) == "new", kind
        if count[0] < at:
            return
    pytest.fail("it never ended")
