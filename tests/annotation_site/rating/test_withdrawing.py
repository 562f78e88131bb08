"""An item is taken out and put back: seats, caps and what is counted follow."""

from __future__ import annotations

import random
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment, checks
from annotation_site.rating.assignment.leases import lock
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db


def enrol(study) -> Enrolment:
    return Enrolment.objects.create(rater=Rater.objects.create(), study=study)


def answer(enrolment: Enrolment) -> Item | None:
    seat = assignment.claim_next(enrolment, rng=random.Random(0))
    if seat is None:
        return None
    now = assignment.database_now()
    given = assignment.Answer(rating=4)
    assignment.record(seat=seat, enrolment=enrolment, answer=given, key=uuid.uuid4(), shown_at=now, now=now)
    return seat.item


def test_what_is_put_back_is_asked_and_counted_as_before(make_study):
    study = make_study(items=3, seats_per_item=2)
    rater = enrol(study)
    item = answer(rater)
    assert assignment.withdraw_item(item, reason="a blank picture")
    assert not assignment.withdraw_item(item)
    assert Judgement.objects.counted().count() == 0
    assert assignment.put_item_back(item, reason="it was the wrong one")
    assert not assignment.put_item_back(item)
    assert Judgement.objects.counted().count() == 1
    assert assignment.progress(rater) == (1, 3)
    assert_invariants(study)


def test_one_that_was_withdrawn_before_the_opening_gets_its_seats(make_study):
    study = make_study(items=3, seats_per_item=2, opened=False)
    item = study.items.first()
    assignment.withdraw_item(item)
    assert assignment.open_study(study) == 4
    assert assignment.put_item_back(item)
    seats = Seat.objects.filter(item=item)
    assert [(seat.round, seat.state) for seat in seats.order_by("round")] == [(0, "free"), (1, "free")]
    assert_invariants(study)


def test_nobody_is_put_above_the_cap(make_study):
    study = make_study(items=3, seats_per_item=1, cap_share=0.34)  # 0.34 * 3 = 1.02: one judgement each
    rater = enrol(study)
    item = answer(rater)
    assert answer(rater) is None
    assignment.withdraw_item(item)
    assert answer(rater) is not None
    with pytest.raises(assignment.CannotPutBack, match=rater.rater.pseudonym):
        assignment.put_item_back(item)
    item.refresh_from_db()
    assert item.withdrawn_at is not None
    assert_invariants(study)
    rater.exclude("asked to leave", assignment.database_now())
    assignment.reopen_seats(rater)
    assert assignment.put_item_back(item)
    assert_invariants(study)


@pytest.mark.django_db(transaction=True)
def test_two_who_put_it_back_at_once_do_it_once(make_study):
    study = make_study(items=2, opened=False)
    item = study.items.first()
    assignment.withdraw_item(item)
    assignment.open_study(study)
    gate, done = threading.Barrier(4), []

    def put() -> None:
        gate.wait(timeout=30)
        done.append(assignment.put_item_back(item))
        connection.close()

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert Seat.objects.filter(item=item).count() == 3


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


def withdrawing(item: Item, done: list[bool]) -> threading.Thread:
    """A second connection that has begun to take the item out, and waits for this one."""

    def withdraw() -> None:
        try:
            done.append(assignment.withdraw_item(item))
        finally:
            connection.close()

    thread, deadline = threading.Thread(target=withdraw), time.monotonic() + 30
    thread.start()
    while not somebody_waits():
        assert time.monotonic() < deadline
    return thread


@pytest.mark.parametrize("left_behind", [False, True])
@pytest.mark.django_db(transaction=True)
def test_a_rater_who_comes_to_a_check_never_waits_in_a_circle_with_its_withdrawal(make_way, left_behind):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    study = make_way(checks=[{"lowest": 4, "highest": 5}] * 2, check_every=1)
    item, now = study.items.filter(purpose="gold").first(), assignment.database_now()
    Item.objects.filter(purpose="gold").exclude(pk=item.pk).update(generation=item.generation)
    rater, done = enrol(study), []
    answer(rater)
    if left_behind:
        place = {"item": item, "round": checks.FIRST_ROUND, "position": item.position}
        ran_out = {"enrolment": enrol(study), "state": Seat.State.LEASED, "leased_until": now - timedelta(minutes=1)}
        Seat.objects.create(study=study, **place, **ran_out)
    with transaction.atomic():
        # As for any claim; then `_lease` itself waits for nobody, and the seat is given under the item's lock.
        lock(rater)
        Item.objects.select_for_update(no_key=True).get(pk=item.pk)
        thread = withdrawing(item, done)
        seat = checks._lease(item.pk, now, enrolment=rater, leased_until=now + timedelta(minutes=5), ahead=False)
        assert seat.enrolment == rater
    thread.join(timeout=30)
    assert done == [True]
    assert not Seat.objects.filter(item=item, state=Seat.State.LEASED).exists()


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_makes_places_never_waits_in_a_circle_with_an_item_put_back(make_study):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    study = make_study(items=2, seats_per_item=1)
    rater = enrol(study)
    item = answer(rater)
    assignment.withdraw_item(item)
    done = []

    def put() -> None:
        done.append(assignment.put_item_back(item))
        connection.close()

    thread, deadline = threading.Thread(target=put), time.monotonic() + 30
    # As `record` does for a study with stages: the rater's row is locked, then places of the study are made.
    with transaction.atomic():
        lock(rater)
        thread.start()
        while not somebody_waits():
            assert time.monotonic() < deadline
        other = study.items.exclude(pk=item.pk).get()
        Seat.objects.create(study=study, item=other, round=1, position=other.position, state=Seat.State.FREE)
    thread.join(timeout=30)
    assert done == [True]
