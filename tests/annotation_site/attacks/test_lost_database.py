"""PostgreSQL crashes under load and comes back: 503 meanwhile, and every acknowledged answer is a row."""

from __future__ import annotations

import pytest
from django.db import connection

from annotation_site.raters.models import Enrolment, Rater
from tests.annotation_site import cluster
from tests.annotation_site.attacks.losing import rate_while_the_database_is_lost
from tests.annotation_site.invariants import broken
from tests.annotation_site.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attack(make_study, tmp_path):
    """``attack(items, raters, crashes)``: compare the rows that are left with what the clients were told."""

    def attack(items: int, raters: int, crashes: int) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("SQLite is no server that could be lost")
        study = make_study(items=items, seats_per_item=2)
        people = [Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(raters)]
        tokens = [enrolment.token for enrolment in people]
        with cluster.running() as server:
            server.fill(database_url())
            outcome = rate_while_the_database_is_lost(tokens, tmp_path, server, crashes=crashes)
            with server.connect() as rows:
                stored = dict(rows.execute("SELECT key, rating FROM rating_judgement").fetchall())
                states = {state for (state,) in rows.execute("SELECT DISTINCT state FROM rating_seat")}
                assert broken(study, rows) == {}
        assert stored == outcome.acknowledged
        assert len(stored) == 2 * items
        assert states == {"done"}
        assert set(outcome.statuses) == {200, 302, 503}
        assert outcome.unanswered == []

    return attack


def test_no_acknowledged_answer_is_lost_with_the_database(attack):
    attack(items=24, raters=4, crashes=3)
