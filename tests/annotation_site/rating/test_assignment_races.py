"""The invariants under threads, on whichever database the suite runs."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run ``work(number)`` in threads that start together; the first error of any is raised here."""
    gate, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            gate.wait(timeout=30)
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def enrolments(study, count: int) -> list[Enrolment]:
    return [Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(count)]


def rate_all(enrolment: Enrolment, rng: random.Random) -> None:
    while (seat := assignment.claim_next(enrolment, rng=rng)) is not None:
        submit(seat, enrolment, uuid.uuid4(), rng.randint(1, 5))


def submit(seat: Seat, enrolment: Enrolment, key: uuid.UUID, rating: int) -> Judgement:
    return assignment.record(
        seat=seat, enrolment=enrolment, answer=Answer(rating=rating), key=key, shown_at=assignment.database_now()
    )


def test_raters_at_once_fill_every_seat_exactly_once(make_study):
    study = make_study(items=12, seats_per_item=3)
    people = enrolments(study, 6)
    in_threads(6, lambda number: rate_all(people[number], random.Random(number)))
    assert Judgement.objects.counted().count() == 36
    assert Judgement.objects.count() == 36
    assert_invariants(study)


def test_a_generation_finished_while_its_study_opens_leaves_no_seat_waiting(make_study, finish):
    study = make_study(items=12, opened=False, done=False)
    generations = list(Generation.objects.filter(items__study=study).select_related("prompt"))

    def finish_all() -> None:
        for generation in generations:
            with transaction.atomic():
                finish(generation)
                assignment.release_pending([generation])

    in_threads(2, lambda number: finish_all() if number else assignment.open_study(study))
    assert set(Seat.objects.values_list("state", flat=True)) == {"free"}


def test_two_tabs_of_one_rater_stay_within_the_cap(make_study):
    study = make_study(items=10, seats_per_item=1, cap_share=0.5)
    [enrolment] = enrolments(study, 1)
    in_threads(4, lambda number: rate_all(enrolment, random.Random(number)))
    assert Judgement.objects.counted().count() == study.cap == 5
    assert_invariants(study)


def test_two_tabs_claiming_at_once_get_the_same_seat(make_study):
    study = make_study(items=10)
    [enrolment] = enrolments(study, 1)
    seats: list[int] = []
    in_threads(4, lambda number: seats.append(assignment.claim_next(enrolment, rng=random.Random(number)).pk))
    assert len(set(seats)) == 1
    assert Seat.objects.filter(state="leased").count() == 1


def test_one_submission_sent_by_many_threads_is_one_judgement(make_study):
    study = make_study(items=1)
    [enrolment] = enrolments(study, 1)
    seat, key = assignment.claim_next(enrolment, rng=random.Random(0)), uuid.uuid4()
    stored: list[int] = []
    in_threads(6, lambda number: stored.append(submit(seat, enrolment, key, 3).pk))
    assert len(stored) == 6
    assert len(set(stored)) == 1
    assert Judgement.objects.count() == 1


def test_heartbeats_and_claims_never_wait_for_each_other_in_a_circle(make_study):
    """Both renew the current seat and the one ahead."""
    study = make_study(items=6)
    [enrolment] = enrolments(study, 1)
    assignment.claim_next(enrolment, rng=random.Random(0))

    def beat_or_claim(number: int) -> None:
        for _ in range(15):
            if number % 2:
                assert assignment.heartbeat(enrolment, assignment.database_now()) is not None
            else:
                assert assignment.claim_ahead(enrolment, rng=random.Random(number)) is not None

    in_threads(4, beat_or_claim)
    assert Seat.objects.filter(state="leased").count() == 2
    assert_invariants(study)
