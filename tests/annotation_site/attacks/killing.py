"""Servers that are killed all the time, clients that do not give up, and the log of what was acknowledged to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.annotation_site.processes import Process, free_port, start

T = TypeVar("T")
PATIENCE = 300.0
PAUSE = 0.15
AGAIN = 0.02
FIELD = re.compile(r'name="(ticket|key)" value="([^"]*)"')


@dataclass
class Reply:
    status: int
    location: str
    body: str


@dataclass
class Client:
    """One rater. Every request is repeated until it is answered, every submission sent once more after that."""

    port: int
    token: str
    rng: random.Random
    deadline: float
    acknowledged: dict[uuid.UUID, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def rate_all(self) -> None:
        while self.cycle():
            pass

    def cycle(self) -> bool:
        """One item; False when there is none for this rater."""
        raise NotImplementedError

    def submit(self, key: uuid.UUID, rating: int, *request: Any) -> None:
        """Send it until it is acknowledged, note that it was, and send it again."""
        first = self.insist(*request)
        assert first.status in {200, 302}, first
        self.acknowledged[key] = rating
        assert self.insist(*request).status == first.status

    def insist(self, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        while time.monotonic() < self.deadline:
            began = time.monotonic()
            try:
                reply = self._ask(path, body, headers)
                self.statuses[reply.status] += 1
                if reply.status < 500:
                    return reply
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(f"{error!r} after {time.monotonic() - began:.1f} s")
            # Whoever asks in a busy loop takes the processor from the server that is to come back.
            threading.Event().wait(AGAIN)
        raise AssertionError(f"no reply from {path}")

    def _ask(self, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            reply = connection.getresponse()
            return Reply(reply.status, reply.getheader("Location", ""), reply.read().decode())
        finally:
            connection.close()


class PageClient(Client):
    """By the pages' forms."""

    def cycle(self) -> bool:
        link = f"/rate/{self.token}/"
        fields = dict(FIELD.findall(self.insist(link, None, {}).body))
        if not fields:
            return False
        rating = self.rng.randint(1, 5)
        self.submit(uuid.UUID(fields["key"]), rating, link, *submission(fields, rating))
        return True


def submission(fields: dict[str, str], rating: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers by which a page's form sends an answer."""
    return urlencode(fields | {"answer": rating}).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


class ApiClient(Client):
    """By the API."""

    def cycle(self) -> bool:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        seat = json.loads(self.insist("/api/v1/seats/", b"{}", headers).body)["seat"]
        if seat is None:
            return False
        key, rating = uuid.UUID(int=self.rng.getrandbits(128)), self.rng.randint(1, 5)
        body = json.dumps({"ticket": seat["ticket"], "answer": [str(rating)]}).encode()
        self.submit(
            key, rating, f"/api/v1/seats/{seat['id']}/judgement/", body, headers | {"Idempotency-Key": str(key)}
        )
        return True


@contextlib.contextmanager
def server(data: Path, *, workers: int, **environment: str) -> Iterator[tuple[int, Process]]:
    """gunicorn on the test database: its port and its master process."""
    port = free_port()
    options = ("--preload", "--workers", workers, "--bind", f"127.0.0.1:{port}", "--log-level", "critical")
    silent = {"LOG_LEVEL": "CRITICAL"} | environment
    master = start(sys.executable, "-m", "gunicorn", "attacks.served", *options, data=data, **silent)
    try:
        yield port, master
    finally:
        master.kill_group()


def kill_workers(master: int, rng: random.Random, stop: threading.Event) -> int:
    """Kill one of the server's processes every 150 ms until told to stop; how many were killed."""
    killed = 0
    while not stop.wait(PAUSE):
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(rng.choice(workers)), signal.SIGKILL)
                killed += 1
    return killed


def rate_under_fire(tokens: list[str], data: Path, *, workers: int = 3) -> tuple[dict[uuid.UUID, int], int]:
    """Half of the raters by the pages, half by the API, until nothing is left: what was acknowledged, and the kills."""
    with server(data, workers=workers) as (port, master):
        clients = clients_of(tokens, port)
        killed = rate_during(lambda stop: kill_workers(master.pid, random.Random(0), stop), clients)
    return acknowledged_to(clients), killed


def clients_of(tokens: list[str], port: int) -> list[Client]:
    """One for each rater, once the server is there."""
    kinds = [PageClient, ApiClient]
    deadline = time.monotonic() + PATIENCE
    clients = [kinds[number % 2](port, token, random.Random(number), deadline) for number, token in enumerate(tokens)]
    clients[0].insist("/", None, {})
    clients[0].broken.clear()
    clients[0].statuses.clear()
    return clients


def acknowledged_to(clients: list[Client]) -> dict[uuid.UUID, int]:
    return {key: rating for client in clients for key, rating in list(client.acknowledged.items())}


def rate_during(trouble: Callable[[threading.Event], T], clients: list[Client]) -> T:
    """Let the clients rate until nothing is left while ``trouble`` runs; told when they are through, it returns."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=len(clients) + 1) as threads:
        made = threads.submit(trouble, stop)
        rating = [threads.submit(client.rate_all) for client in clients]
        try:
            for one in rating:
                one.result()
        finally:
            stop.set()
        return made.result()
