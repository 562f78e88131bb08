"""A database server that crashes and stays away while raters answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.annotation_site.attacks.killing import PATIENCE, Client, acknowledged_to, clients_of, rate_during, server
from tests.annotation_site.cluster import Cluster


@dataclass
class Outcome:
    """What was acknowledged, every status that was answered, and what came where no answer did."""

    acknowledged: dict[UUID, int]
    statuses: Counter[int]
    unanswered: list[str]


def rate_while_the_database_is_lost(tokens: list[str], data: Path, cluster: Cluster, *, crashes: int) -> Outcome:
    """Crash the server in the midst of answers, ``crashes`` times; the last time it is away until that is noticed."""
    with server(data, workers=2, DATABASE_URL=cluster.address) as (port, _master):
        clients = clients_of(tokens, port)
        rate_during(lambda stop: _lose(cluster, clients, stop, crashes), clients)
    statuses = sum((client.statuses for client in clients), Counter())
    return Outcome(acknowledged_to(clients), statuses, [each for client in clients for each in client.broken])


def _lose(cluster: Cluster, clients: list[Client], stop: threading.Event, crashes: int) -> None:
    for _ in range(crashes - 1):
        before = len(acknowledged_to(clients))
        _wait(lambda before=before: len(acknowledged_to(clients)) > before + 2, stop)
        cluster.restart()
    before = len(acknowledged_to(clients))
    _wait(lambda: len(acknowledged_to(clients)) > before + 2, stop)
    seen = sum(client.statuses[503] for client in clients)
    cluster.stop()
    try:
        _wait(lambda: sum(client.statuses[503] for client in clients) > seen + 1, stop)
    finally:
        cluster.start()


def _wait(condition: Callable[[], bool], stop: threading.Event) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert not stop.wait(0.005), "the raters were through before the database was lost"
        assert time.monotonic() < end, "nothing happened for too long"
