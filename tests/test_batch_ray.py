"""The engine ``ray``: it makes the files of the local engine, whatever documents do to its actors."""

import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

import chaotic
from conftest import CORPUS, make_model
from harmful_stages import HarmedExtractor, HarmedLoader
from longdoc.batch import local, on_ray, ray_cluster, stages
from longdoc.batch.doing import Watch
from longdoc.batch.extract import extract_many
from longdoc.batch.inputs import find_inputs
from longdoc.batch.on_ray import RayEngine
from longdoc.batch.progress import RunStatus
from longdoc.batch.request import Request
from longdoc.batch.writers import WRITERS
from longdoc.errors import ConfigError, MissingDependencyError
from longdoc.workers import Limits

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray, in its own code
PATIENCE = 300.0  # seconds; a bound on hangs, not a measurement
TESTS = Path(__file__).parent
OF_THE_RUN = {".lock", "run.json", "journal.jsonl"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A small model, and 12 documents."""
    folder = tmp_path_factory.mktemp("ray")
    make_model().save(folder / "model")
    (folder / "documents").mkdir()
    for number in range(12):
        (folder / "documents" / f"{number:02}.txt").write_text(f"{number}. {CORPUS[number % 2]}", encoding="utf-8")
    return folder


@pytest.fixture
def small_groups(monkeypatch) -> None:
    """Two documents each."""
    monkeypatch.setattr(stages, "_LARGE", 1024)
    monkeypatch.setattr(stages, "_IN_GROUP", 2)


@pytest.fixture(scope="module")
def ray() -> Iterator[object]:
    """A cluster of one processor, as if the user had started it; where it finishes, more processors do.

    It says that it has a GPU, which is dealt out to runs whose device is not the CPU.
    """
    ray = pytest.importorskip("ray")
    kept = dict(os.environ)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    ray.init("local", num_cpus=1, num_gpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)
    yield ray
    ray.shutdown()
    os.environ.clear()
    os.environ |= kept


def run(folder: Path, engine: str, out: str, **options) -> RunStatus:
    options = {"model": str(folder / "model"), "device": "cpu", "format": "jsonl", "workers": 2, **options}
    return extract_many([folder / "documents"], folder / out, engine=engine, **options)


def files(folder: Path) -> Mapping[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if name not in OF_THE_RUN}


def actors() -> list[str]:
    """The actors of Ray Data in the cluster that this process has started."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in found.splitlines()]
    raylets = {pid for pid, parent, *_ in rows if parent == str(os.getpid())}
    return [args[0] for _, parent, *args in rows if parent in raylets and args[0].startswith("ray::MapWorker")]


@pytest.mark.slow
@pytest.mark.usefixtures("small_groups")
class TestOnOneProcessor:
    @pytest.mark.rare
    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    def test_the_files_are_those_of_the_local_engine_whatever_documents_do(self, folder, ray, tmp_path, monkeypatch):
        for engine in (local, on_ray):
            monkeypatch.setattr(engine, "Loader", HarmedLoader)
            monkeypatch.setattr(engine, "Extractor", HarmedExtractor)
        deeds = {"exit in the loader": "crashed", "raise in the loader": "failed", "exit in the model": "crashed"}
        # These end the parent of their process, which on Ray is an actor, the first time that they are read.
        orphans = ("orphan in the loader", "orphan in the model")
        (tmp_path / "documents").mkdir()
        (tmp_path / "model").symlink_to(folder / "model")
        for name in (*deeds, *orphans, *map(str, range(6))):
            (tmp_path / "documents" / f"{name}.txt").write_text(name, encoding="utf-8")
        status = run(tmp_path, "ray", "out ray", format="csv")
        assert {Path(each.address).stem: each.state for each in status.failures} == deeds
        assert status.counts["ok"] == 8
        assert len(list(tmp_path.glob("orphan * is done"))) == 2
        assert ray.is_initialized()
        assert not ray.data.DataContext.get_current().execution_options.preserve_order
        assert run(tmp_path, "local", "out local", format="csv").counts == status.counts
        made = files(tmp_path / "out ray")
        assert len([name for name in made if "entities" in name]) == 2  # six groups, at most four in a part
        assert made == files(tmp_path / "out local")

    @pytest.mark.rare
    def test_an_error_of_the_request_is_raised_here(self, folder, ray):
        with pytest.raises(ConfigError, match="nonsense") as told:
            run(folder, "ray", "out error", tasks=["nonsense"])
        assert "ray" not in str(told.value)

    def test_no_process_outlives_a_run_that_is_left(self, folder, ray, monkeypatch):
        monkeypatch.setattr(on_ray, "Extractor", chaotic.Extractor)  # which starts without torch
        inputs = find_inputs([str(folder / "documents")])
        request = Request(model="light", device="cpu")
        extracted = RayEngine(address=None, workers=1, limits=Limits()).extract(
            request, WRITERS["jsonl"], inputs, Watch(folder, begun="", of=12)
        )
        assert len(next(extracted).done) == 2
        assert actors()
        extracted.close()
        deadline = time.monotonic() + PATIENCE
        while actors():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_the_example_which_has_a_gpu_of_the_cluster(self, ray, tmp_path, capsys):
        (tmp_path / "lease.txt").write_text(CORPUS[0], encoding="utf-8")
        example = runpy.run_path(str(TESTS.parent / "examples" / "ray_extract.py"))
        example["main"](str(tmp_path / "lease.txt"), str(tmp_path / "out"))
        assert "1 of 1 documents, 0 failed" in capsys.readouterr().out
        assert (tmp_path / "out" / "records").is_dir()

    def test_another_cluster_than_the_one_in_use_is_an_error(self, folder, ray):
        with pytest.raises(ConfigError, match="already"):
            run(folder, "ray", "out other", ray_address="127.0.0.1:1")


SCRIPT = """
import os
from longdoc import extract_many
status = extract_many(["documents"], "out own", model="model", format="jsonl", engine="ray")
print(status.counts["ok"])
print(os.environ.get("RAY_USAGE_STATS_ENABLED"))
"""


def run_script(folder: Path, *command: object) -> str:
    """What a script prints that may not print an error or a warning."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.rare
@pytest.mark.slow
def test_a_cluster_of_its_own_is_quiet_and_ends_with_the_run(folder):
    """The path of the model is relative; on a machine with two processors they are all that the cluster has."""
    pytest.importorskip("ray")
    assert run_script(folder, "-c", SCRIPT) == "12\nNone\n"


def test_a_cluster_that_does_not_answer():
    ray = pytest.importorskip("ray")
    with pytest.raises(ConfigError, match="ray start"):
        ray_cluster.connect(ray, "127.0.0.1:1")


def test_ray_is_missing(folder, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"longdoc\[ray\]"):
        run(folder, "ray", "out missing")
    assert not (folder / "out missing").exists()


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_shares_of_gpus_are_checked(share):
    pytest.importorskip("ray")
    with pytest.raises(ConfigError, match="gpus"):
        RayEngine(address=None, workers=1, limits=Limits(), gpus=share)


def crew(has: Mapping[str, float], *, device: str = "auto", nodes: int = 1, groups: int = 1000, **options):
    rows = [{"Alive": True, "Resources": {"CPU": 1.0}}] * nodes + [{"Alive": False, "Resources": {"CPU": 1.0}}]
    cluster = SimpleNamespace(cluster_resources=lambda: has, nodes=lambda: rows)
    engine = RayEngine(**{"address": None, "workers": None, "limits": Limits(), **options})
    return engine._crew(cluster, device, groups)


@pytest.mark.parametrize("cpus", [1, 2, 3, 8, 64, 1000])
@pytest.mark.parametrize("workers", [None, 1, 30])
def test_all_actors_find_a_place(cpus, workers):
    pytest.importorskip("ray")
    made = crew({"CPU": cpus}, workers=workers)
    assert (made.loaders, made.extractors, made.gpus) == (workers or min(cpus, 8), 1, 0.0)
    assert 0 < (made.loaders + made.extractors) * made.cpus <= cpus / 2


def test_how_many_actors_have_a_model():
    pytest.importorskip("ray")
    made = crew({"CPU": 64, "GPU": 4})
    assert (made.extractors, made.gpus, made.loaders) == (4, 1.0, 32)
    assert crew({"CPU": 64, "GPU": 4}, gpus=0.5).extractors == 8
    assert crew({"CPU": 64, "GPU": 4}, groups=3).extractors == 3
    assert crew({"CPU": 64, "GPU": 4}, device="cuda").gpus == 1.0
    on_cpus = crew({"CPU": 64, "GPU": 4}, device="cpu", nodes=3)
    assert (on_cpus.extractors, on_cpus.gpus, on_cpus.loaders) == (3, 0.0, 24)
    assert crew({}).extractors == 1  # a cluster that grows
    with pytest.raises(ConfigError, match="0 GPUs"):
        crew({"CPU": 2}, device="cuda")


@pytest.mark.parametrize("device", ["cuda:1", "cuda:0,1"])
def test_gpus_of_a_cluster_are_not_named_by_their_numbers(device, folder):
    pytest.importorskip("ray")
    with pytest.raises(ConfigError, match="use 'cuda' for all"):
        run(folder, "ray", f"out {device}", device=device)
