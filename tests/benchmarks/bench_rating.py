"""Rating over HTTP beside the least that Django can do: gunicorn, PostgreSQL, the same server and middleware.

``python tests/benchmarks/bench_rating.py [--seconds 5] [--rounds 3]``; needs PostgreSQL (TEST_POSTGRES). A cycle is the
next item's page and the answer's submission: by the page's script, which gets the next page in reply to the answer, and
without it, in two requests. The bare cycle is a view with one indexed SELECT and a view with one INSERT and one UPDATE
in a transaction. They take turns, with 1 and with 32 clients. The aim is half as many cycles as the bare one's.

On a machine with other work the clock tells little; the second ratio is that of cycles to the CPU time which the server
and its PostgreSQL backends took for them.
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
from dataclasses import dataclass
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


Cycle = Callable[[Connection, str], None]
CYCLES: tuple[Cycle, ...] = (by_script, by_form, bare)


@dataclass
class Server:
    """gunicorn, and the database behind it."""

    port: int
    master: int

    def cpu(self) -> float:
        """CPU seconds so far of its processes and of their PostgreSQL backends."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            backends = [row[0] for row in cursor.fetchall()]
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        return sum(_cpu(pid) for pid in (self.master, *children, *backends))


def _cpu(pid: int | str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Taken:
    """What some cycles took, in seconds: by the clock, and of the server's and the database's CPU time."""

    cycles: int
    clock: float
    cpu: float


def take(cycle: Cycle, served: Server, tokens: list[str], seconds: float) -> Taken:
    """Each token is a client of its own, rating as fast as it is answered."""
    cpu = served.cpu()
    end = time.perf_counter() + seconds
    counts = [0] * len(tokens)

    def run(number: int) -> None:
        connection = Connection(served.port)
        while time.perf_counter() < end:
            cycle(connection, tokens[number])
            counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(tokens))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Taken(sum(counts), time.perf_counter() - began, served.cpu() - cpu)


@contextmanager
def server(data: str) -> Iterator[Server]:
    """gunicorn with two processes of eight threads."""
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
        yield Server(port, process.pid)
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


def turn(served: Server, tokens: list[str], seconds: float) -> list[Taken]:
    return [take(cycle, served, tokens, seconds) for cycle in CYCLES]


def report(clients: int, turns: list[list[Taken]]) -> None:
    """Medians over the turns; ratios are to the bare cycle of the same turn."""
    for number, cycle in enumerate(CYCLES):
        rate = median(row[number].cycles / row[number].clock for row in turns)
        cpu = median(1000 * row[number].cpu / row[number].cycles for row in turns)
        by_clock = median(_ratio(row[number], row[-1], "clock") for row in turns)
        by_cpu = median(_ratio(row[number], row[-1], "cpu") for row in turns)
        sys.stdout.write(
            f"{clients:3} clients, {cycle.__name__:10} {rate:7.1f} cycles/s, {cpu:6.1f} ms CPU each; "
            f"ratio {by_clock:.2f} by the clock, {by_cpu:.2f} by CPU (aim {AIM})\n"
        )


def _ratio(ours: Taken, bare: Taken, of: str) -> float:
    """Cycles a second of ours over the bare one's."""
    return float(ours.cycles / getattr(ours, of) / (bare.cycles / getattr(bare, of)))


def main() -> None:
    """Measure, and print a line for each number of clients."""
    parser = argparse.ArgumentParser(description="Rating over HTTP beside bare Django views.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch_database("attest_bench_rating"), tempfile.TemporaryDirectory() as data:
        tokens = prepare()
        with server(data) as served:
            for cycle in CYCLES:
                take(cycle, served, tokens, 1)  # warms up
            for clients in CLIENTS:
                report(clients, [turn(served, tokens[:clients], options.seconds) for _ in range(options.rounds)])
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


if __name__ == "__main__":
    main()
