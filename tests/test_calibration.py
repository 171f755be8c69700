import json

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional as F

from conftest import CORPUS, make_asking_model
from longdoc.calibration import best_threshold, calibrate, fit
from longdoc.datasets import SquadConfig
from longdoc.decode import Calibration
from longdoc.errors import ConfigError, DataError
from longdoc.heads import QaHead, TaskConfig
from longdoc.model import Model
from longdoc.reader import Reader
from longdoc.training.data import collate, task_groups


def test_a_fit_recovers_the_parameters_that_generated_the_data():
    rng = np.random.default_rng(0)
    scores = rng.normal(2, 5, 20_000)
    made = Calibration(temperature=2.5, bias=3.0)
    found = fit(scores, rng.random(20_000) < made.probabilities(scores))
    assert (found.temperature, found.bias) == (pytest.approx(2.5, rel=0.05), pytest.approx(3.0, abs=0.15))
    with pytest.raises(DataError, match="all 3 findings are correct"):
        fit(np.arange(3.0), np.ones(3, dtype=bool))
    with pytest.raises(DataError, match="not correct more often"):
        fit(np.arange(4.0), np.array([True, True, False, False]))


def test_the_threshold_has_the_best_f1():
    probabilities, right = np.array([0.9, 0.8, 0.3, 0.2]), np.array([True, True, False, False])
    assert best_threshold(probabilities, right, 2) == pytest.approx(0.8)
    with pytest.raises(ConfigError, match="above 0"):
        Calibration(temperature=0)


@pytest.fixture
def squad(tmp_path, monkeypatch):
    """Paragraphs with two questions each, one of them without an answer."""
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    paragraphs = []
    for number in range(12):
        text = " ".join(CORPUS[:2] * (1 + number % 3))
        answer = {"text": "Acme Incorporated", "answer_start": text.index("Acme Incorporated")}
        asked = {"id": f"{number}a", "question": "who is it?", "answers": [answer]}
        paragraphs.append({"context": text, "qas": [asked, {"id": f"{number}b", "question": "why?", "answers": []}]})
    (tmp_path / "squad.json").write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}))
    return tmp_path


def test_a_model_is_calibrated_and_saved(squad, monkeypatch):
    model = make_asking_model().with_heads(["qa"])
    model.save(squad / "model")
    record = {
        "model": str(squad / "model"),
        "heads": {"qa": {"reader": "squad", "files": ["squad.json"]}},
        "output": str(squad / "calibrated"),
        "precision": "float32",
    }
    (squad / "calibrate.yaml").write_text(yaml.safe_dump({**record, "heads": {"qb": record["heads"]["qa"]}}))
    with pytest.raises(ConfigError, match="qa"):
        calibrate(squad / "calibrate.yaml")
    (squad / "calibrate.yaml").write_text(yaml.safe_dump(record))
    fitted = Calibration(temperature=2.0, bias=1.0)  # random weights find nothing to fit
    monkeypatch.setattr("longdoc.calibration.fit", lambda scores, right: fitted)
    result = calibrate(squad / "calibrate.yaml")
    (fit_of_head,) = result.fits
    assert fit_of_head.findings > 0 and 0 <= fit_of_head.after <= 1 and "| qa | 2.000 | 1.000 |" in str(result)
    assert Model.from_pretrained(squad / "calibrated").config.heads["qa"].calibration == fitted


def test_a_head_is_calibrated_on_several_data_sets(squad, monkeypatch):
    make_asking_model().with_heads(["qa"]).save(squad / "model")
    monkeypatch.setattr("longdoc.calibration.fit", lambda scores, right: Calibration(temperature=2.0, bias=1.0))
    data = {"reader": "squad", "files": ["squad.json"], "limit": 4}
    counts = []
    for datasets in (data, [data], [data, {**data, "skip": 4}]):
        record = {"model": str(squad / "model"), "heads": {"qa": datasets}, "output": str(squad / "calibrated")}
        (squad / "calibrate.yaml").write_text(yaml.safe_dump({**record, "precision": "float32"}))
        counts.append(calibrate(squad / "calibrate.yaml").fits[0].findings)
    assert counts[0] == counts[1] < counts[2]
    (squad / "calibrate.yaml").write_text(yaml.safe_dump(record | {"heads": {"qa": [data, {**data, "skipp": 1}]}}))
    with pytest.raises(ConfigError, match=r"heads\.qa\[1\]: unknown key 'skipp'; did you mean 'skip'"):
        calibrate(squad / "calibrate.yaml")


@pytest.mark.parametrize(
    ("head", "data", "error", "message"),
    [
        (
            "nli",
            {"reader": "squad", "files": ["squad.json"]},
            ConfigError,
            "names 'nli'; heads that can be calibrated: qa",
        ),
        (
            "qa",
            {"reader": "jsonl", "files": ["x.jsonl"]},
            ConfigError,
            "heads.qa: .*'qa', but the data annotates entities",
        ),
        ("qa", {"reader": "squad", "files": ["squad.json"], "limit": 1}, DataError, "heads.qa: only 1 document;"),
        ("qa", [], DataError, "heads.qa: only 0 documents;"),
    ],
)
def test_a_head_that_cannot_be_calibrated_is_refused_before_anything_is_read(
    squad, monkeypatch, head, data, error, message
):
    make_asking_model().save(squad / "model")
    record = {"model": str(squad / "model"), "heads": {head: data}, "output": str(squad / "out")}
    (squad / "calibrate.yaml").write_text(yaml.safe_dump(record))
    monkeypatch.setattr(Reader, "score", None)
    with pytest.raises(error, match=message):
        calibrate(squad / "calibrate.yaml")


def test_question_batches_mark_the_answers_or_the_first_tokens(squad):
    model = make_asking_model()
    data = SquadConfig(reader="squad", files=("squad.json",))
    task = TaskConfig(heads=("qa",), data=data, window=48, overlap=8, empty=0.0)
    groups = list(task_groups(task, model, np.random.default_rng(0)))
    assert len(groups) >= 20
    batch = collate(groups, model)
    targets = batch["targets"]["qa"]
    row, asked = 0, model.tokenizer.encode("Acme Incorporated", add_special_tokens=False).ids
    for group in groups:
        rows = range(row, row + len(group.slices))
        row += len(group.slices)
        starts, ends = targets["starts"][rows], targets["ends"][rows]
        if any(map(len, group.targets["spans"])):
            for number in rows:
                for first, last in zip(
                    targets["starts"][number].nonzero()[:, 0], targets["ends"][number].nonzero()[:, 0], strict=True
                ):
                    assert batch["inputs"]["input_ids"][number, first : last + 1].tolist() == asked
        else:
            assert starts[:, 0].all() and ends[:, 0].all() and starts.sum() == len(rows)
    assert targets["groups"].tolist() == [i for i, group in enumerate(groups) for _ in group.slices]


def test_the_shared_norm_loss_is_one_softmax_over_a_group():
    torch.manual_seed(0)
    head = QaHead(8, dropout=0.0)
    states = torch.randn(3, 5, 8)
    allowed = torch.ones(3, 5, dtype=torch.bool)
    allowed[1, 3:] = False
    starts, ends = torch.zeros(3, 5, dtype=torch.bool), torch.zeros(3, 5, dtype=torch.bool)
    starts[0, 2] = starts[1, 1] = ends[0, 3] = ends[1, 2] = starts[2, 0] = ends[2, 0] = True
    logits = head(states)
    expected = []
    for rows in ([0, 1], [2]):
        for side, right in ((0, starts), (1, ends)):
            scores = torch.cat([logits[row, allowed[row], side] for row in rows])
            wanted = torch.cat([right[row, allowed[row]] for row in rows])
            expected.append(-F.softmax(scores, dim=0)[wanted].sum().log())
    found = head.loss(states, allowed=allowed, starts=starts, ends=ends, groups=torch.tensor([0, 0, 1]))
    assert found.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)
