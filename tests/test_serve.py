"""The server: what it answers, what it refuses, and how it ends; with processes that are threads, and a fake model."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import longdoc
from conftest import make_asking_model
from fakes import FakePipeline
from longdoc import ConfigError, MissingDependencyError, cli
from longdoc.batch.request import Request
from longdoc.serve import service
from longdoc.serve.app import create_app
from longdoc.serve.guard import Body
from longdoc.serve.loading import Loader
from longdoc.serve.problems import SlowUploadError
from longdoc.serve.reading import Group, Reader
from longdoc.serve.service import Crews, Service
from longdoc.serve.settings import Settings
from longdoc.workers import Lost, Outcome, Raised
from pdfs import lines, make_pdf

LEASE = "LEASE AGREEMENT\nmade on May 1, 2020 between Ada Sons Ltd. and Bob Corp.\fAda Sons Ltd. pays Bob Corp. rent."
TOKEN = "a-long-secret"
HERE = "http://127.0.0.1:8000"


class Here:
    """Calls a function in the thread that asks for it, when the gate is open."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.gate = function, threading.Event()
        self.gate.set()
        self.begun: list[Any] = []

    def call(self, item: Any, limits: object = None) -> Outcome[Any, Any]:
        self.begun.append(item)
        assert self.gate.wait(10)
        try:
            return Outcome(item, self.function(item), 1, 0.0)
        except Exception as error:
            return Outcome(item, Raised(error, "a traceback"), 1, 0.0)

    def close(self) -> None:
        self.gate.set()


class Client(TestClient):
    """A client that checks that the OpenAPI document describes whatever it is answered."""

    described: dict[str, Any] = {}  # noqa: RUF012 (the same for all applications)

    def request(self, method: str, url: Any, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        routes = Client.described = Client.described or self.app.openapi()["paths"]
        for path, methods in routes.items():
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), answer.url.path) and method.lower() in methods:
                known = methods[method.lower()]["responses"]
                assert str(answer.status_code) in known, f"{method} {path}: {answer.status_code} is not described"
                kind = answer.headers.get("content-type", "").partition(";")[0]
                content = known[str(answer.status_code)].get("content", {})
                assert kind in content or not (content or answer.content), f"{method} {path}: {kind} is not described"
        return answer


class Server:
    """A server in this process, and a client of it."""

    def __init__(self, client: TestClient, service: Service) -> None:
        self.client, self.service = client, service

    @property
    def loaders(self) -> Any:
        return self.service.crews.loaders

    @property
    def models(self) -> Any:
        return self.service.crews.models

    def send(self, route: str, content: str | bytes = LEASE, name: str = "lease.txt", **fields: Any) -> Any:
        """Uploads a document."""
        return self.client.post(route, files={"file": (name, content)}, data=fields)

    def post(self, **fields: Any) -> str:
        """Posts a job, and returns its address."""
        answer = self.send("/jobs", **fields)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    def await_state(self, job: str, *states: str) -> dict[str, Any]:
        for _ in range(1000):
            if (view := self.client.get(job).json())["state"] in states:
                return view
            time.sleep(0.01)
        raise AssertionError(view)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers."""
    monkeypatch.setattr(Request, "load_pipeline", lambda self: FakePipeline())
    started: list[tuple[TestClient, Service]] = []

    def start(**settings: Any) -> Server:
        settings = {"root": tmp_path, **settings}
        request, known = Request(), Settings(**settings)
        reader = Reader(request)
        reader.load()
        crews = Crews(Here(Loader(known.max_bytes)), 2, Here(reader))
        made = Service(known, request, crews)
        made.group_characters = 1000
        client = Client(create_app(made), base_url=HERE, raise_server_exceptions=False)
        client.__enter__()
        started.append((client, made))
        return Server(client, made)

    yield start
    for client, made in started:
        client.__exit__()
        made.close()


def refused(answer: Any, status: int, error: str, *words: str) -> None:
    """Checks a response that says what was wrong and what to do."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert sorted(answer.json()) == ["error", "message", "remedy"] and answer.json()["message"]
    assert answer.json()["remedy"]
    for word in words:
        assert word in answer.text


def as_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    """What the command line writes."""
    monkeypatch.setitem(vars(longdoc), "Pipeline", FakePipeline)
    monkeypatch.setattr(Request, "check", lambda _: None)  # it looks at the heads of the shipped model
    assert cli.main(arguments) == 0
    return json.loads(capsys.readouterr().out)


# -------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ([], {}),
        (["--tasks", "party,date", "--min-score", "0.5"], {"tasks": "party,date", "min_score": "0.5"}),
        (["--schema", "contract", "--fields", "parties"], {"schema": "contract", "fields": "parties"}),
    ],
)
def test_extract_answers_what_the_command_writes(options, fields, serving, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lease.txt").write_text(LEASE)
    written = as_command(capsys, monkeypatch, "extract", "lease.txt", *options)
    server = serving()
    uploaded = server.send("/extract", **fields)
    below_root = server.client.post("/extract", data={"path": "lease.txt", **fields})
    assert uploaded.json() == below_root.json() == written
    assert uploaded.headers["content-type"] == "application/json"


def test_ask_answers_what_the_command_writes(serving, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lease.txt").write_text(LEASE)
    written = as_command(capsys, monkeypatch, "ask", "lease.txt", "Who?", "When?", "--head", "qa", "--format", "json")
    answer = serving().send("/ask", question=["Who?", "When?"], head="qa")
    assert answer.json() == written and len(written["questions"]) == 2


def test_a_schema_may_be_given_as_json_and_is_never_a_file(serving, tmp_path) -> None:
    server, schema = serving(), {"fields": {"who": {"question": "Who pays?"}}}
    found = server.send("/extract", schema=json.dumps(schema)).json()
    assert {answer["label"] for answer in found["answers"]} == {"who"}
    (tmp_path / "own.yaml").write_text(json.dumps(schema))
    refused(server.send("/extract", schema=str(tmp_path / "own.yaml")), 422, "ConfigError", "contract, paper")
    refused(server.send("/extract", schema='{"fields": {"who": {"questoin": "?"}}}'), 422, "ConfigError", "question")


def test_a_page_shows_what_was_found_harmlessly(serving) -> None:
    server = serving()
    answer = server.send("/extract", LEASE + "<script>alert(1)</script>", "<b>.txt")
    page = server.client.get(re.search(r"<(/pages/[^>]+)>", answer.headers["link"])[1])
    assert page.status_code == 200 and "Ada Sons Ltd." in page.text and "\\u003cb\\u003e.txt" in page.text
    assert "<script>alert" not in page.text and "alert(1)\\u003c/script" in page.text
    (policy,) = re.findall('Content-Security-Policy" content="([^"]+)"', page.text)
    assert page.headers["content-security-policy"] == f"{policy}; frame-ancestors 'none'"
    assert page.headers["referrer-policy"] == "no-referrer", "its address is a secret"
    for each in (answer, page, server.send("/nothing"), server.send("/extract", oddity="1")):
        assert each.headers["x-content-type-options"] == "nosniff" and each.headers["cache-control"] == "no-store"


def test_the_interface_is_described(serving) -> None:
    described = serving().client.get("/openapi.json").json()
    body = described["paths"]["/extract"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
    answers = described["paths"]["/extract"]["post"]["responses"]
    assert "fields do not go together" in answers["422"]["description"] and "Link" in answers["200"]["headers"]
    assert set(described["components"]["schemas"]["ProblemBody"]["properties"]) == {"error", "message", "remedy"}
    assert "HTTPValidationError" not in str(described)
    job = described["paths"]["/jobs/{id}"]["get"]
    assert job["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("JobBody")
    assert job["security"] and "security" not in described["paths"]["/health"]["get"]


def test_each_route_describes_what_it_answers_to_wrong_requests(serving, monkeypatch) -> None:
    open_, closed = serving(), serving(token=TOKEN)  # the client checks that what is answered is described
    routes = [
        (method.upper(), re.sub("{.*}", "x", path))
        for path, methods in open_.client.app.openapi()["paths"].items()
        for method in methods
    ]
    assert len(routes) == 9
    for method, path in routes:
        is_open = path in ("/health", "/pages/x")
        assert (closed.client.request(method, path).status_code == 401) is not is_open
        answer = open_.client.request(method, path, headers={"Origin": "https://evil.example"})
        assert (answer.status_code == 403) is not is_open
        refused(open_.client.request(method, path, headers={"Host": "evil.example"}), 400, "MalformedRequestError")
        answer = open_.client.request(method, path, headers={"Content-Length": "99999999"})
        refused(answer, 413, "TooLargeError")

    def fail(*_: Any, **options: Any) -> None:
        raise ValueError("a secret")

    for name in ("admit", "job", "job_of_page"):
        monkeypatch.setattr(open_.service, name, fail)
    monkeypatch.setattr(Service, "is_stopping", property(fail))
    for method, path in routes:
        if path != "/metrics":
            refused(open_.client.request(method, path), 500, "InternalError", "log")
    monkeypatch.undo()
    assert 'longdoc_requests_total{method="GET",route="/health",status="500"} 1.0' in open_.client.get("/metrics").text


# ----------------------------------------------------------------------------------------------------------------- jobs


def test_a_job_tells_how_far_it_is(serving) -> None:
    server = serving()
    server.loaders.gate.clear()
    server.models.gate.clear()
    job = server.post()
    assert server.await_state(job, "loading")["pages"] is None
    refused(server.client.get(f"{job}/result"), 409, "NotReadyError", "loading")
    server.loaders.gate.set()
    assert server.await_state(job, "reading")["pages"] == 2
    second = server.post()
    waiting = server.await_state(second, "loaded")
    assert (waiting["before_it"], waiting["pages"]) == (1, 2) and "result" not in waiting
    server.models.gate.set()
    done = server.await_state(second, "done")
    assert server.client.get(done["result"]).json()["status"] == "ok"
    assert server.client.get(done["page"]).text.startswith("<!DOCTYPE html>")
    assert 'longdoc_documents_total{error=""} 2.0' in server.client.get("/metrics").text
    assert server.client.delete(second).status_code == 204
    refused(server.client.get(second), 404, "UnknownJobError", "forgotten")
    refused(server.client.get(done["page"]), 404, "UnknownJobError")


def test_a_job_that_fails_says_why(serving) -> None:
    server = serving()
    job = server.post(content=b"")
    assert server.await_state(job, "failed")["error"]["error"] == "CorruptDocumentError"
    refused(server.client.get(f"{job}/result"), 422, "CorruptDocumentError", "lease.txt: empty")


def test_a_job_that_is_deleted_before_it_begins_is_not_read(serving) -> None:
    server = serving()
    server.models.gate.clear()
    first, second = server.post(), server.post(name="second.txt")
    server.await_state(second, "loaded")
    assert server.client.delete(second).status_code == 204
    server.models.gate.set()
    server.await_state(first, "done")
    assert len(server.models.begun) == 1


def test_a_job_that_is_deleted_while_it_is_read_is_not_kept(serving) -> None:
    server = serving()
    server.models.gate.clear()
    first = server.post()
    server.await_state(first, "reading")
    assert server.client.delete(first).status_code == 204
    refused(server.client.get(first), 404, "UnknownJobError")
    second = server.post()
    server.models.gate.set()
    server.await_state(second, "done")
    assert "longdoc_results 1.0" in server.client.get("/metrics").text


def test_documents_that_wait_are_read_together_if_the_same_is_wanted(serving) -> None:
    server = serving()
    server.models.gate.clear()
    first = server.post()
    server.await_state(first, "reading")
    others = []
    for content, fields in ((LEASE, {}), (LEASE, {"tasks": "party"}), (LEASE, {}), (10 * LEASE, {})):
        others.append(server.post(content=content, **fields))
        server.await_state(others[-1], "loaded")
    server.models.gate.set()
    for job in others:
        server.await_state(job, "done")
    assert [len(group.documents) for group in server.models.begun] == [1, 2, 1, 1]
    assert server.models.begun[2].request.tasks == ("party",)


def test_results_are_forgotten(serving) -> None:
    server = serving(keep=2, keep_seconds=0.2)
    jobs = [server.post() for _ in range(3)]
    server.await_state(jobs[2], "done")
    refused(server.client.get(jobs[0]), 404, "UnknownJobError", "2 results are kept")
    time.sleep(0.25)
    refused(server.client.get(jobs[2]), 404, "UnknownJobError", "0.2 s")


def test_results_are_forgotten_for_their_size_but_never_the_newest(serving) -> None:
    server = serving(keep_bytes=1)
    jobs = [server.post() for _ in range(2)]
    server.await_state(jobs[1], "done")
    refused(server.client.get(jobs[0]), 404, "UnknownJobError", "of 1 bytes")
    assert server.client.get(f"{jobs[1]}/result").status_code == 200


@pytest.mark.parametrize("format", ["jsonl", "html"])
def test_few_results_are_written_at_a_time(format, serving, monkeypatch) -> None:
    server = serving()
    done = server.await_state(server.post(), "done")
    at_work, most, lock, are_two = 0, 0, threading.Lock(), threading.Event()

    def render(*_: object) -> str:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            if at_work == 2:
                are_two.set()
        assert are_two.wait(60)
        time.sleep(0.02)
        with lock:
            at_work -= 1
        return "{}"

    monkeypatch.setattr("longdoc.serve.app.rendered", render)
    address = done["result" if format == "jsonl" else "page"]
    with ThreadPoolExecutor(6) as threads:
        answers = [*threads.map(server.client.get, [address] * 6)]
    assert {answer.status_code for answer in answers} == {200} and most == 2


# --------------------------------------------------------------------------------------------------------------- limits


def test_requests_beyond_the_queue_are_told_when_to_come_again(serving) -> None:
    server = serving(queue=2)
    server.models.gate.clear()
    jobs = [server.post(), server.post()]
    for route in ("/jobs", "/extract"):
        answer = server.send(route)
        refused(answer, 429, "QueueFullError", "2 documents")
        assert int(answer.headers["retry-after"]) >= 1 and answer.headers["connection"] == "close"
    server.models.gate.set()
    for job in jobs:
        server.await_state(job, "done")
    assert server.send("/extract").status_code == 200


def test_documents_that_would_take_too_much_memory_are_told_when_to_come_again(serving) -> None:
    server = serving(queue_bytes=10_000)
    server.models.gate.clear()
    first = server.post(content="x" * 20_000)  # which is the only one
    server.await_state(first, "reading")
    answer = server.send("/jobs")
    refused(answer, 429, "QueueFullError", "of 10,000", "no room")
    assert int(answer.headers["retry-after"]) >= 1
    server.models.gate.set()
    server.await_state(first, "done")
    server.models.gate.clear()
    second = server.post()
    server.await_state(second, "reading")
    metrics = server.client.get("/metrics").text
    assert 1000 < float(re.search(r"^longdoc_queue_bytes (.+)", metrics, re.M)[1]) < 9000
    assert server.send("/jobs", "x" * 9_000).status_code == 429
    parts = iter([b"--x\r\n"])  # which does not say how large it is
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(server.client.post("/jobs", content=parts, headers=headers), 429, "QueueFullError")
    third = server.post()
    server.models.gate.set()
    server.await_state(third, "done")


def test_no_further_document_is_loaded_while_those_that_wait_take_too_much_memory(serving, tmp_path) -> None:
    server = serving(queue_bytes=500)
    (tmp_path / "lease.txt").write_text(LEASE)
    server.loaders.gate.clear()
    server.models.gate.clear()
    jobs = []
    for _ in range(4):
        jobs.append(server.client.post("/jobs", data={"path": "lease.txt"}).headers["location"])
    server.loaders.gate.set()
    for job in jobs[:2]:
        server.await_state(job, "loaded", "reading")
    time.sleep(0.05)
    assert [server.client.get(job).json()["state"] for job in jobs[2:]] == ["waiting"] * 2
    assert len(server.loaders.begun) == 2
    server.models.gate.set()
    for job in jobs:
        server.await_state(job, "done")


def test_who_would_wait_too_long_for_a_result_is_refused_at_once(serving) -> None:
    server = serving(timeout=1.0)
    assert server.send("/extract").status_code == 200  # with one document before it, a second might take too long
    server.models.gate.clear()
    job = server.post()
    answer = server.send("/extract")
    refused(answer, 429, "QueueFullError", "within 1 s", "/jobs")
    assert int(answer.headers["retry-after"]) >= 1
    second = server.post()
    server.models.gate.set()
    assert {server.await_state(each, "done")["state"] for each in (job, second)} == {"done"}


def test_a_refused_request_leaves_its_place(serving) -> None:
    server = serving(queue=1)
    for _ in range(3):
        refused(server.send("/jobs", oddity="1"), 400, "MalformedRequestError", "oddity")
    assert server.send("/extract").status_code == 200


@pytest.mark.parametrize("size", [1001, 3_000_000])
def test_a_document_that_is_too_large_is_refused(size, serving, tmp_path) -> None:
    server = serving(max_bytes=1000)
    refused(server.send("/extract", "x" * size), 413, "TooLargeError", "1,000", "--max-bytes")
    (tmp_path / "large.txt").write_text("x" * size)
    refused(server.client.post("/jobs", data={"path": "large.txt"}), 413, "TooLargeError", "large.txt")


def test_a_body_that_does_not_say_how_large_it_is_is_counted(serving) -> None:
    server = serving(max_bytes=1000)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    parts = iter([head, *[b"x" * 100_000] * 20, b"\r\n--x--\r\n"])
    answer = server.client.post("/extract", content=parts, headers={"Content-Type": "multipart/form-data; boundary=x"})
    refused(answer, 413, "TooLargeError")


def test_a_body_that_does_not_arrive_in_time_is_refused() -> None:
    body = Body(lambda: asyncio.sleep(60), Settings(timeout=0.05))
    with pytest.raises(SlowUploadError, match=r"0\.05 s"):
        asyncio.run(body.receive())


def test_who_waits_too_long_for_a_result_is_told(serving) -> None:
    server = serving(timeout=0.2)
    server.models.gate.clear()
    refused(server.send("/extract"), 504, "TimeExceededError", "0.2 s", "/jobs")


def test_the_time_of_a_request_begins_with_its_upload(serving, monkeypatch) -> None:
    server = serving(timeout=60.0)
    admit = server.service.admit

    def admit_long_ago(*given: Any, **options: Any) -> Any:
        job = admit(*given, **options)
        job.began -= 60.0
        return job

    monkeypatch.setattr(server.service, "admit", admit_long_ago)
    server.models.gate.clear()
    refused(server.send("/extract"), 504, "TimeExceededError", "60 s")


@pytest.mark.parametrize(
    ("state", "of_loader", "of_model"),
    [
        ("timed out", (504, "LoaderTimeoutError"), (504, "TimeExceededError")),
        ("out of memory", (413, "LoaderMemoryError"), (500, "ModelDiedError")),
        ("crashed", (422, "LoaderDiedError"), (500, "ModelDiedError")),
    ],
)
def test_a_document_that_kills_a_process_costs_itself_alone(state, of_loader, of_model, serving) -> None:
    server = serving()
    load, read = server.loaders.function, server.models.function
    server.loaders.function = lambda given: Lost(state, "did so") if b"die" in given.data else load(given)
    refused(server.send("/extract", "die"), *of_loader, "lease.txt")

    def reads(group: Group) -> Any:
        return Lost(state, "did so") if any(b"murder" in each for each in group.documents) else read(group)

    server.models.function = reads
    server.models.gate.clear()
    jobs = [server.post()]
    server.await_state(jobs[0], "reading")
    jobs += [server.post(content=content) for content in (LEASE, "murder", LEASE)]
    for job in jobs[1:]:
        server.await_state(job, "loaded")
    server.models.gate.set()
    views = [server.await_state(job, "done", "failed") for job in jobs]
    assert [view["state"] for view in views] == ["done", "done", "failed", "done"]
    refused(server.client.get(f"{jobs[2]}/result"), *of_model, "lease.txt")
    assert [len(group.documents) for group in server.models.begun] == [1, 3, 1, 1, 1]


def test_a_fault_is_told_without_its_details(serving, caplog) -> None:
    server = serving()

    def fail(group: Group) -> None:
        raise ValueError("a secret")

    server.models.function = fail
    answer = server.send("/extract")
    refused(answer, 500, "InternalError", "log")
    assert "secret" not in answer.text and "a traceback" in caplog.text


@pytest.mark.parametrize("error", [ValueError("a fault"), longdoc.errors.RemoteError("Fault", "a fault")])
def test_a_document_that_makes_its_group_fail_costs_itself_alone(error, serving) -> None:
    server = serving()
    read = server.models.function

    def fails(group: Group) -> Any:
        if any(b"faulty" in each for each in group.documents):
            raise error
        return read(group)

    server.models.function = fails
    server.models.gate.clear()
    jobs = [server.post()]
    server.await_state(jobs[0], "reading")
    for content in (LEASE, "faulty"):
        jobs.append(server.post(content=content))
        server.await_state(jobs[-1], "loaded")
    server.models.gate.set()
    assert [server.await_state(job, "done", "failed")["state"] for job in jobs] == ["done", "done", "failed"]
    refused(server.client.get(f"{jobs[2]}/result"), 500, "InternalError", "log")


def test_a_server_without_processes_says_that_it_is_failing(serving) -> None:
    server = serving()
    call = server.models.call

    def broken(item: Any, limits: object = None) -> None:
        raise longdoc.errors.WorkerError("processes cannot start; allow more")

    server.models.call = broken
    refused(server.send("/extract"), 503, "WorkerError", "allow more")
    assert (server.client.get("/health").status_code, server.client.get("/health").json()["status"]) == (503, "failing")
    server.models.call = call
    assert server.send("/extract").status_code == 200 and server.client.get("/health").json()["status"] == "ok"


# ------------------------------------------------------------------------------------------------------- wrong requests


@pytest.mark.parametrize(
    ("content", "name", "status", "error"),
    [
        (b"", "lease.txt", 422, "CorruptDocumentError"),
        (b"plain text", "lease.pdf", 422, "CorruptDocumentError"),
        (b"%PDF-1.7\nbroken", "lease.pdf", 422, "CorruptDocumentError"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", "lease.txt", 415, "UnsupportedFormatError"),
        (make_pdf(lines("Lease"), password="secret"), "lease.pdf", 422, "EncryptedDocumentError"),
    ],
)
def test_documents_that_cannot_be_read_are_told_by_kind(content, name, status, error, serving) -> None:
    refused(serving().send("/extract", content, name), status, error, name)


def test_a_document_that_is_not_what_it_is_declared_to_be_is_refused(serving) -> None:
    client = serving().client
    for media_type, status in (("application/pdf", 415), ("image/png", 415), ("text/html", 200)):
        answer = client.post("/extract", files={"file": ("lease", LEASE, media_type)})
        assert answer.status_code == status, answer.text
        if status == 415:
            refused(answer, 415, "UnsupportedFormatError", media_type, "plain text")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("../secret.txt", 403, "PathError"),
        ("inside/../../secret.txt", 403, "PathError"),
        ("link.txt", 403, "PathError"),
        ("links/secret.txt", 403, "PathError"),
        ("/etc/passwd", 403, "PathError"),
        ("%2e%2e/secret.txt", 404, "DocumentNotFoundError"),
        ("..%2fsecret.txt", 404, "DocumentNotFoundError"),
        ("circle", 404, "DocumentNotFoundError"),
        ("inside", 404, "DocumentNotFoundError"),
        ("pipe", 404, "DocumentNotFoundError"),
        (".", 404, "DocumentNotFoundError"),
        ("no\0name", 404, "DocumentNotFoundError"),
        ("x" * 5000, 404, "DocumentNotFoundError"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights that a Windows user may not have")
def test_no_file_outside_the_root_is_read(path, status, error, serving, tmp_path) -> None:
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "links").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    os.mkfifo(root / "pipe")
    answer = serving(root=root).client.post("/extract", data={"path": path})
    refused(answer, status, error)
    assert str(tmp_path) not in answer.text and len(answer.text) < 600


def test_without_a_root_no_file_is_read(serving) -> None:
    refused(serving(root=None).client.post("/extract", data={"path": "lease.txt"}), 403, "PathError", "upload")


@pytest.mark.parametrize(
    ("fields", "status", "error", "word"),
    [
        ({"pth": "lease.txt"}, 400, "MalformedRequestError", "did you mean 'path'?"),
        ({}, 400, "MalformedRequestError", "either the field file or the field path"),
        ({"path": ["a.txt", "b.txt"]}, 400, "MalformedRequestError", "several times"),
        ({"path": "lease.txt", "min_score": "2"}, 400, "MalformedRequestError", "min_score"),
        ({"file": "lease.txt"}, 400, "MalformedRequestError", "file=@lease.pdf"),
        ({"path": "lease.txt", "record": "novel"}, 400, "MalformedRequestError", "contract"),
        ({"path": "lease.txt", "fields": "parties"}, 422, "ConfigError", "schema=contract"),
        ({"path": "lease.txt", "schema": "contrat"}, 422, "ConfigError", "did you mean 'contract'?"),
        ({"path": "lease.txt", "schema": "contract", "record": "contract"}, 422, "ConfigError", "record"),
    ],
)
def test_fields_that_are_wrong_are_named(fields, status, error, word, serving, tmp_path) -> None:
    (tmp_path / "lease.txt").write_text(LEASE)
    refused(serving().client.post("/extract", data=fields), status, error, word)


def test_what_is_no_form_is_told_how_to_send_one(serving) -> None:
    client = serving().client
    for kind in ("application/json", "application/pdf", "a" * 500):
        answer = client.post("/extract", content=b"%PDF-1.7", headers={"Content-Type": kind})
        refused(answer, 415, "BodyTypeError", kind[:80], "multipart/form-data", "-F file=@")
    raw = b"%PDF-1.7" + 200 * b"&x"  # as curl --data-binary declares it
    answer = client.post("/extract", content=raw, headers={"Content-Type": "application/x-www-form-urlencoded"})
    refused(answer, 400, "MalformedRequestError", "Too many fields", "-F file=@")
    refused(
        client.post("/extract", files={"path": ("a.txt", "one")}),
        400,
        "MalformedRequestError",
        "must be text, not an uploaded",
    )


@pytest.mark.parametrize("charset", ["punycode", "undefined", '"UTF-7"', "nonsense"])
def test_fields_in_another_encoding_are_refused_before_they_are_read(charset, serving) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="path"\r\n\r\nlease.txt\r\n--x--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary=x; Charset={charset}"}
    answer = serving().client.post("/extract", content=body, headers=headers)
    refused(answer, 415, "CharsetError", charset.strip('"'), "utf-8")


def test_the_encoding_of_fields_may_be_said(serving) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\n%b\r\n--x--\r\n" % LEASE.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=UTF-8"}
    assert serving().client.post("/extract", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("is_multipart", [True, False])
def test_a_request_of_too_many_fields_is_refused(is_multipart, serving) -> None:
    fields: dict[str, Any] = {"data": {"question": ["Who?"] * 121}}
    files = {"files": {"file": ("lease.txt", LEASE)}} if is_multipart else {}
    answer = serving().client.post("/ask", **fields, **files)
    refused(answer, 400, "MalformedRequestError", "Too many fields", "120")


def test_an_upload_that_is_broken_off_is_no_fault_and_leaves_its_place(serving) -> None:
    server, sent = serving(queue=1), []
    headers = {"host": "localhost", "content-type": "multipart/form-data; boundary=x"}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/extract", "query_string": b"", "headers": pairs}
    parts = iter([{"type": "http.request", "body": b"--x\r\n", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(parts)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(server.client.app(scope, receive, send))  # which raises what is a fault, for the log
    assert sent[0]["status"] == 400 and b"broken off" in sent[1]["body"]
    assert server.send("/extract").status_code == 200


def test_two_documents_in_one_request_are_refused(serving) -> None:
    files = [("file", ("a.txt", "one")), ("file", ("b.txt", "two"))]
    refused(serving().client.post("/jobs", files=files), 400, "MalformedRequestError", "Too many files")


def test_unknown_addresses_are_told_as_json(serving) -> None:
    client = serving().client
    refused(client.get("/nothing"), 404, "MalformedRequestError", "/openapi.json")
    wrong = client.get("/extract")
    refused(wrong, 405, "MalformedRequestError")
    assert wrong.headers["allow"] == "POST" and client.head("/health").status_code == 200
    refused(client.post("/ask", files={"file": ("a.txt", "one")}), 400, "MalformedRequestError", "question is missing")


# ---------------------------------------------------------------------------------------------------------------- token


def test_every_request_needs_the_token_but_health_and_pages(serving) -> None:
    server = serving(token=TOKEN)
    client, right = server.client, {"Authorization": f"Bearer {TOKEN}"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer ü"}):
        sent = {name: value.encode() for name, value in headers.items()}
        for answer in (client.get("/metrics", headers=sent), client.get("/openapi.json", headers=sent)):
            refused(answer, 401, "UnauthorizedError", "Authorization")
            assert answer.headers["www-authenticate"] == "Bearer"
    refused(server.send("/extract"), 401, "UnauthorizedError")
    assert not server.loaders.begun and client.get("/health").status_code == 200
    answer = client.post("/extract", files={"file": ("lease.txt", LEASE)}, headers=right)
    assert answer.status_code == 200
    assert client.get(re.search(r"<(/pages/[^>]+)>", answer.headers["link"])[1]).status_code == 200


def test_without_a_token_only_this_machine_is_served(serving) -> None:
    client = serving().client
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/health", headers={"Host": host}).status_code == 200
    refused(client.get("/health", headers={"Host": "evil.example"}), 400, "MalformedRequestError", "localhost")


def test_without_a_token_web_pages_of_other_sites_are_refused(serving) -> None:
    server = serving()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example:8000"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = server.client.post("/jobs", files={"file": ("lease.txt", LEASE)}, headers=headers)
        refused(answer, 403, "CrossSiteError", "another site", "token")
        assert server.client.get("/health", headers=headers).status_code == 200
    assert not server.loaders.begun
    for headers in ({"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, {"Origin": "http://[::1]:3000"}):
        answer = server.client.post("/extract", files={"file": ("lease.txt", LEASE)}, headers=headers)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"host": "0.0.0.0"}, "without a token"),
        ({"host": "example.org"}, "LONGDOC_TOKEN"),
        ({"token": "short"}, "8 characters"),
        ({"root": Path("nowhere")}, "no folder"),
        ({"queue": 0}, "queue"),
        ({"timeout": 0.0}, "timeout"),
        ({"port": 70_000}, "port"),
    ],
)
def test_settings_that_would_not_do_are_refused(given, message) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(**given)
    assert Settings(host="0.0.0.0", token=TOKEN).token not in repr(Settings(token=TOKEN))


def test_the_command_refuses_to_serve_others_without_a_token(monkeypatch, capsys) -> None:
    monkeypatch.delenv("LONGDOC_TOKEN", raising=False)
    assert cli.main(["serve", "--host", "0.0.0.0"]) == 2
    assert "without a token" in capsys.readouterr().err


def test_an_address_to_listen_at_that_is_not_free_or_unknown_is_told(capsys, monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert cli.main(["serve", "--port", port]) == 2
    told = capsys.readouterr().err
    assert f"127.0.0.1, port {port}: cannot listen there (" in told and "; name another --port" in told
    assert told.count("127.0.0.1") == 1, "not as the socket library says it, too"
    assert cli.main(["serve", "--host", "192.0.2.1", "--token", TOKEN]) == 2  # which no machine has
    assert "192.0.2.1, port 8000: cannot listen there (" in capsys.readouterr().err

    def unknown(*_, **__):
        raise socket.gaierror(8, "nodename nor servname provided")  # as on macOS, where 8 is an errno, too

    monkeypatch.setattr(socket, "create_server", unknown)
    assert cli.main(["serve", "--host", "nowhere.example", "--token", TOKEN]) == 2
    assert "cannot listen there (nodename nor servname provided)" in capsys.readouterr().err


def test_the_command_passes_the_choice_of_the_model_on(monkeypatch) -> None:
    requests: list[Request] = []
    monkeypatch.setattr("longdoc.serve.server.serve", lambda settings, request, tell: requests.append(request))
    assert cli.main(["serve", "--model", "mine", "--encoder", "sparse", "--device", "cpu", "--precision", "int8"]) == 0
    assert requests == [Request(model="mine", encoder="sparse", device="cpu", precision="int8")]


def test_without_the_libraries_of_models_the_extra_is_named(monkeypatch) -> None:
    def load_pipeline(self: Request) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch.nn")

    monkeypatch.setattr(Request, "load_pipeline", load_pipeline)
    with pytest.raises(MissingDependencyError, match=r"needs torch: pip install 'longdoc\[model\]'"):
        Reader(Request()).load()


# ----------------------------------------------------------------------------------------------------------------- stop


def test_a_server_that_stops_finishes_what_it_accepted_and_refuses_new(serving, monkeypatch) -> None:
    server = serving()
    server.models.gate.clear()
    job = server.post()
    server.await_state(job, "reading")
    server.service.stop()
    answer = server.send("/jobs")
    refused(answer, 503, "StoppingError", "stopping")
    assert "retry-after" in answer.headers and server.client.get("/health").json()["status"] == "stopping"
    assert not server.service.has_drained()
    server.models.gate.set()
    done = server.await_state(job, "done")
    assert not server.service.has_drained()  # its result was not fetched
    assert server.client.get(done["result"]).json()["status"] == "ok"
    assert server.service.has_drained()


def test_a_server_that_stops_waits_for_no_result_for_ever(serving, monkeypatch) -> None:
    server = serving()
    server.models.gate.clear()
    job = server.post()
    server.service.stop()
    server.models.gate.set()
    server.await_state(job, "done")
    assert not server.service.has_drained()
    monkeypatch.setattr(service, "LINGER", 0.0)
    assert server.service.has_drained()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process can handle")
def test_the_command_serves_and_ends_when_it_is_told(tmp_path) -> None:
    make_asking_model().save(tmp_path / "model")
    command = [sys.executable, "-m", "longdoc", "serve", "--port", "0", "--model", str(tmp_path / "model")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = re.search(r"http://\S+", process.stderr.readline())[0]
            body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n%b\r\n--x--\r\n' % (
                LEASE.encode()
            )
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            with urllib.request.urlopen(urllib.request.Request(f"{address}/jobs", body, headers)) as answer:
                job = json.load(answer)
            process.send_signal(signal.SIGTERM)
            for _ in range(1000):
                with urllib.request.urlopen(f"{address}/jobs/{job['id']}") as answer:
                    view = json.load(answer)
                if view["state"] == "done":
                    break
                time.sleep(0.01)
            with urllib.request.urlopen(f"{address}{view['result']}") as answer:
                assert json.load(answer)["status"] == "ok"
            assert process.wait(10) == 0
        finally:
            process.kill()
