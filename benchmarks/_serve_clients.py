"""Clients of a server, for locust: each sends a contract, waits for the result, pauses, and sends another.

A client that finds no place comes again when it is told to. The environment names the folder of the contracts
(``CONTRACTS``) and the longest pause in seconds (``PAUSE``).
"""

import os
import random
import time
from pathlib import Path

import gevent
from locust import HttpUser, between, events, task

CONTRACTS = [(path.name, path.read_bytes()) for path in sorted(Path(os.environ["CONTRACTS"]).glob("*.pdf"))]
PAUSE = float(os.environ["PAUSE"])


class Client(HttpUser):
    wait_time = between(PAUSE / 2, PAUSE)

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0, PAUSE))  # clients do not begin at one moment

    @task
    def extract(self) -> None:
        contract, began = random.choice(CONTRACTS), time.perf_counter()
        while (seconds := self.attempt(contract)) is not None:
            gevent.sleep(seconds)
        milliseconds = 1000 * (time.perf_counter() - began)
        events.request.fire(
            request_type="all", name="until answered", response_time=milliseconds, response_length=0, context={}
        )

    def attempt(self, contract: tuple[str, bytes]) -> float | None:
        """Sends a contract; returns the seconds to wait if there is no place for it."""
        with self.client.post("/extract", files={"file": contract}, name="accepted", catch_response=True) as response:
            if response.status_code == 429:
                response.request_meta["name"] = "refused"
                response.success()
                return float(response.headers["Retry-After"])
            if response.status_code != 200 or response.json()["status"] != "ok":
                response.failure(f"{response.status_code}: {response.text[:200] or response.error}")
            return None
