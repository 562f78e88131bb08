"""Rating over HTTP beside the least that Django can do: gunicorn, PostgreSQL, the same server and middleware.

``python tests/benchmarks/bench_rating.py [--seconds 5] [--rounds 3]``; needs PostgreSQL (TEST_POSTGRES). A cycle is the
next item's page and the answer's submission: by the page's script, which gets the next page in reply to the answer, and
without it, in two requests. The bare cycle is a view with one indexed SELECT and a view with one INSERT and one UPDATE
in a transaction. They take turns, with 1 and with 32 clients. The aim is half as many cycles as the bare one's.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench_claim import SMALL, enrol, make_study, sql
from databases import scratch_database

CLIENTS, AIM = (1, 32), 0.5
HERE = Path(__file__).resolve().parent
FIELD = re.compile(rb'name="(ticket|key)" value="([^"]*)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FETCH = {"X-Requested-With": "fetch"}


class Connection:
    """Keeps one connection open, as browsers do."""

    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.page = b""

    def ask(
        self, method: str, path: str, form: dict[str, Any] | None = None, *, expect: int = 200, fetch: bool = False
    ) -> bytes:
        body = urlencode(form) if form is not None else None
        self.http.request(method, path, body, (FORM if body else {}) | (FETCH if fetch else {}))
        reply = self.http.getresponse()
        text = reply.read()
        if reply.status != expect:
            raise SystemExit(f"{method} {path} answered {reply.status}, not {expect}: {text[:500]!r}")
        return text


def by_form(connection: Connection, token: str) -> None:
    """Without the page's script: two requests."""
    page = connection.ask("GET", f"/rate/{token}/")
    connection.ask("POST", f"/rate/{token}/", fields(page) | {"answer": "4"}, expect=302)


def by_script(connection: Connection, token: str) -> None:
    """With it: the next page is the reply to the answer."""
    page = connection.page or connection.ask("GET", f"/rate/{token}/")
    connection.page = connection.ask("POST", f"/rate/{token}/", fields(page) | {"answer": "4"}, fetch=True)


def bare(connection: Connection, token: str) -> None:
    connection.ask("GET", f"/bare/{token}/")
    connection.ask("POST", f"/bare/{token}/", {"answer": "4"}, expect=302)


def fields(page: bytes) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in FIELD.findall(page)}


CYCLES = (by_script, by_form, bare)


def cycles_a_second(cycle: Callable[[Connection, str], None], port: int, tokens: list[str], seconds: float) -> float:
    """Each token is a client of its own, rating as fast as it is answered."""
    end = time.perf_counter() + seconds
    counts = [0] * len(tokens)

    def run(number: int) -> None:
        connection = Connection(port)
        while time.perf_counter() < end:
            cycle(connection, tokens[number])
            counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(tokens))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


@contextmanager
def server(data: str) -> Iterator[int]:
    """gunicorn with two processes of eight threads; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--workers", "2", "--threads", "8", "--keep-alive", "30", "--log-level", "error"]
    environment = {"ATTEST_DATA": data, "LOG_LEVEL": "ERROR", "PYTHONPATH": str(HERE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "bare:application", "--bind", f"127.0.0.1:{port}", *options],
        env=os.environ | environment,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            Connection(port).ask("GET", "/")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not start within 30 seconds.")


def prepare() -> list[str]:
    """A study of 2,800 items and 32 raters; the bare view's table with a row for each."""
    study = make_study("study", SMALL)
    tokens = [enrol(study).token for _ in range(max(CLIENTS))]
    sql("CREATE TABLE bare_row (id bigserial PRIMARY KEY, token varchar(64) UNIQUE, answers integer DEFAULT 0)")
    sql("CREATE TABLE bare_answer (id bigserial PRIMARY KEY, row_id bigint, value integer, at timestamptz)")
    for token in tokens:
        sql("INSERT INTO bare_row (token) VALUES (%(token)s)", token=token)
    sql("ANALYZE")
    return tokens


def turn(port: int, tokens: list[str], seconds: float) -> list[float]:
    return [cycles_a_second(cycle, port, tokens, seconds) for cycle in CYCLES]


def report(clients: int, turns: list[list[float]]) -> None:
    """Medians over the turns, and of the ratio to the bare cycle of the same turn."""
    for number, cycle in enumerate(CYCLES):
        rate, ratio = median(row[number] for row in turns), median(row[number] / row[-1] for row in turns)
        sys.stdout.write(
            f"{clients:3} clients, {cycle.__name__:10} {rate:7.1f} cycles/s, ratio {ratio:.2f} (aim {AIM})\n"
        )


def main() -> None:
    """Measure, and print a line for each number of clients."""
    parser = argparse.ArgumentParser(description="Rating over HTTP beside bare Django views.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch_database("attest_bench_rating"), tempfile.TemporaryDirectory() as data:
        tokens = prepare()
        with server(data) as port:
            for cycle in CYCLES:
                cycles_a_second(cycle, port, tokens, 1)  # warms up
            for clients in CLIENTS:
                report(clients, [turn(port, tokens[:clients], options.seconds) for _ in range(options.rounds)])
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


if __name__ == "__main__":
    main()
