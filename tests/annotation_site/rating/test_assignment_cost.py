"""How many statements a claim and an answer take: it must not grow with what lies in the tables."""

from __future__ import annotations

import random
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer, candidates
from annotation_site.rating.models import Seat

pytestmark = pytest.mark.django_db


def enrol(study) -> Enrolment:
    return Enrolment.objects.create(rater=Rater.objects.create(), study=study)


def statements(act) -> list[str]:
    """What was asked of the database; savepoints, which only tests need, left out."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


def rate(enrolment, seat) -> None:
    now = assignment.database_now()
    assignment.record(seat=seat, enrolment=enrolment, answer=Answer(rating=3), key=uuid.uuid4(), shown_at=now, now=now)


@pytest.mark.parametrize("behind", [0, 12])
def test_a_claim_and_an_answer_take_few_statements_whatever_lies_behind(make_study, behind):
    enrolment, rng, now = enrol(make_study(items=30)), random.Random(0), assignment.database_now()
    for _ in range(behind):
        rate(enrolment, assignment.claim_next(enrolment, rng=rng))
    assignment.claim_next(enrolment, rng=rng), assignment.release_all(enrolment)  # hints are there
    # The rater under a lock, their leases, their count, a candidate (or two, around the end), the conditional update.
    assert 5 <= len(statements(lambda: assignment.claim_next(enrolment, rng=rng, now=now))) <= 6
    # The rater under a lock, their leases, the renewal.
    assert len(statements(lambda: assignment.claim_next(enrolment, rng=rng, now=now))) == 3
    seat = Seat.objects.select_related("item").get(state="leased")
    # The clock, the rater, the seat, earlier revisions, the judgement.
    assert len(statements(lambda: rate(enrolment, seat))) == 5


def test_a_cycle_over_http_takes_few_statements(make_study, client):
    enrolment = enrol(make_study(items=30))
    link = f"/rate/{enrolment.token}/"

    def show():
        return client.get(link)

    def submit(page, **headers) -> list[str]:
        fields = {name: str(page.context[name]) for name in ("ticket", "key")}
        return statements(lambda: client.post(link, fields | {"answer": "4"}, headers=headers))

    submit(show())  # the way to the items is noted, hints are there
    shown = statements(show)
    # The link, the clock, the rater, their leases, count, a candidate (or two), the lease; the item, progress, the key.
    assert 10 <= len(shown) <= 11, shown
    answered = submit(show())
    # The link, the clock, the item; the rater, the seat, earlier revisions, the judgement.
    assert len(answered) == 7, answered
    at_once = submit(show(), **{"X-Requested-With": "fetch"})
    # Neither the link nor the clock is asked again.
    assert len(at_once) <= 7 + 11 - 2, at_once


def test_in_a_large_study_a_stretch_that_is_taken_is_left_at_once(make_study, monkeypatch):
    """Round 0 is taken but for one item: the short stretches miss it, the long search finds it."""
    monkeypatch.setattr(candidates, "LARGE", 10)
    monkeypatch.setattr(candidates, "STRETCH", 2)
    study = make_study(items=40, seats_per_item=1)
    other, rater = enrol(study), enrol(study)
    for number, seat in enumerate(Seat.objects.exclude(position=17).order_by("position"), start=1):
        Seat.objects.filter(pk=seat.pk).update(state="done", enrolment=other, ordinal=number)
    for seed in range(10):
        seat = assignment.claim_next(rater, rng=random.Random(seed))
        assert seat.position == 17
        assignment.release_all(rater)


def test_claims_start_at_random_places(make_study):
    study = make_study(items=40)
    positions = {assignment.claim_next(enrol(study), rng=random.Random(seed)).position for seed in range(20)}
    assert len(positions) > 10


def test_lower_rounds_that_a_hint_left_out_are_found(make_study):
    study = make_study(items=2, seats_per_item=2)
    one, two = enrol(study), enrol(study)
    for _ in range(2):
        rate(one, assignment.claim_next(one, rng=random.Random(0)))
    assert assignment.claim_next(two, rng=random.Random(0)).round == 1  # the hint now says 1
    assignment.release_all(two)
    Seat.objects.filter(round=1).update(state="pending")
    one.exclude("left", assignment.database_now())
    assert assignment.reopen_seats(one) == 2
    assert assignment.claim_next(two, rng=random.Random(0)).round == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
def test_postgresql_walks_the_index_of_free_seats(make_study):
    enrolment = enrol(make_study(items=30))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement in ("", "ANALYZE rating_seat"):
            if statement:
                cursor.execute(statement)
            place = {"round": 0, "start": 3, "end": 30, "state": "free"}
            place |= {"study": enrolment.study_id, "enrolment": enrolment.pk}
            cursor.execute(f"EXPLAIN {candidates.UNSEEN}{candidates.FIRST} FOR UPDATE OF seat SKIP LOCKED", place)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Index Scan using free_seats on rating_seat seat" in plan
            assert "Sort" not in plan
            assert "a_rater_never_holds_two_seats_of_one_item" in plan
