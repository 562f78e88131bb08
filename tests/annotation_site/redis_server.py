"""A Redis of a test's own, to be killed and started again while the site runs on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.annotation_site.processes import free_port


class Server:
    """It keeps nothing: whoever kills it empties it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        patient = Retry(ConstantBackoff(0.05), 600)
        with redis.Redis.from_url(self.url, retry=patient) as client:
            client.ping()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running() -> Iterator[Server]:
    """A started server; skips the test where redis-server is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.kill()
