"""The one seat that is leased ahead, and the numbers of seats that are done."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def enrol(study) -> Enrolment:
    return Enrolment.objects.create(rater=Rater.objects.create(), study=study)


def claim(enrolment, now=NOON) -> Seat | None:
    return assignment.claim_next(enrolment, rng=random.Random(0), now=now)


def ahead(enrolment, now=NOON) -> Seat | None:
    return assignment.claim_ahead(enrolment, rng=random.Random(1), now=now)


def answer(seat, enrolment, rating=4, now=NOON) -> Judgement:
    return assignment.record(
        seat=seat, enrolment=enrolment, answer=Answer(rating=rating), key=uuid.uuid4(), shown_at=NOON, now=now
    )


def test_one_seat_is_leased_ahead_and_no_more(make_study):
    enrolment = enrol(make_study(items=6))
    current, first, again = claim(enrolment), ahead(enrolment), ahead(enrolment, NOON + timedelta(minutes=5))
    assert current.pk != first.pk == again.pk
    assert again.leased_until == NOON + timedelta(minutes=20)
    assert Seat.objects.filter(state="leased").count() == 2
    assert claim(enrolment).pk == current.pk


def test_nothing_is_leased_ahead_of_nothing(make_study):
    assert ahead(enrol(make_study())) is None
    assert not Seat.objects.filter(state="leased").exists()


def test_the_seat_ahead_becomes_the_current_one_after_the_answer(make_study):
    enrolment = enrol(make_study(items=6))
    current, following = claim(enrolment), ahead(enrolment)
    answer(current, enrolment)
    assert claim(enrolment).pk == following.pk
    assert not Seat.objects.get(pk=following.pk).ahead


def test_asking_ahead_right_after_the_answer_moves_on_by_one(make_study):
    enrolment = enrol(make_study(items=6))
    current, following = claim(enrolment), ahead(enrolment)
    answer(current, enrolment)
    third = ahead(enrolment)
    assert third.pk not in {current.pk, following.pk}
    assert claim(enrolment).pk == following.pk


def test_the_seat_ahead_may_be_answered_first(make_study):
    enrolment = enrol(make_study(items=6))
    current, following = claim(enrolment), ahead(enrolment)
    assert not answer(following, enrolment).surplus
    assert claim(enrolment).pk == current.pk


def test_the_seat_ahead_counts_in_the_cap(make_study):
    study = make_study(items=6, seats_per_item=1, cap_share=0.34)  # floor(0.34 * 6) = 2
    enrolment = enrol(study)
    current, following = claim(enrolment), ahead(enrolment)
    assert assignment.places_left(enrolment) == 0
    answer(current, enrolment)
    assert ahead(enrolment) is None
    answer(following, enrolment)
    assert claim(enrolment) is None
    assert Judgement.objects.counted().count() == 2


@pytest.mark.parametrize("end", [assignment.pause_study, assignment.close_study])
def test_nothing_is_leased_ahead_in_a_study_that_is_not_open(make_study, end):
    enrolment = enrol(make_study())
    claim(enrolment)
    end(enrolment.study)
    assert ahead(enrolment) is None


def test_a_lease_of_a_withdrawn_item_makes_way(make_study):
    """Withdrawn between the search for a seat and its lease: the item is gone, the lease is there."""
    enrolment = enrol(make_study(items=6))
    current = claim(enrolment)
    Item.objects.filter(pk=current.item_id).update(withdrawn_at=NOON)
    assert claim(enrolment).item_id != current.item_id
    assert Seat.objects.get(pk=current.pk).state == "free"


def test_the_database_refuses_a_third_lease_and_a_number_twice(make_study):
    enrolment = enrol(make_study(items=6))
    held = {"state": "leased", "enrolment": enrolment, "leased_until": LATER}
    answer(claim(enrolment), enrolment)
    claim(enrolment), ahead(enrolment)
    free = Seat.objects.filter(state="free", round=2).exclude(item__seats__enrolment=enrolment)
    first, second = (Seat.objects.filter(pk=pk) for pk in list(free.values_list("pk", flat=True)[:2]))
    forbidden = [
        lambda: first.update(**held),
        lambda: second.update(**held, ahead=True),
        lambda: first.update(ahead=True),
        lambda: first.update(ordinal=1),
        lambda: first.update(state="done", enrolment=enrolment, ordinal=1),
    ]
    for act in forbidden:
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def test_seats_are_numbered_in_the_order_of_their_answers(make_study):
    enrolment = enrol(make_study(items=3))
    answers = [answer(claim(enrolment), enrolment) for _ in range(3)]
    answer(Seat.objects.get(pk=answers[0].seat_id), enrolment, rating=1)  # a correction keeps the number
    numbers = {seat.pk: seat.ordinal for seat in Seat.objects.filter(state="done")}
    assert numbers == {answers[0].seat_id: 1, answers[1].seat_id: 2, answers[2].seat_id: 3}
    assert assignment.progress(enrolment) == (3, 3)


def test_a_late_answer_is_numbered_as_well(make_study):
    enrolment = enrol(make_study(items=3))
    seat = claim(enrolment)
    assignment.release_all(enrolment)
    answer(seat, enrolment, now=LATER)
    assert Seat.objects.get(pk=seat.pk).ordinal == 1


def test_all_leases_are_given_back_at_once(make_study):
    enrolment = enrol(make_study(items=6))
    claim(enrolment), ahead(enrolment)
    assert assignment.release_all(enrolment) == 2
    assert assignment.release_all(enrolment) == 0


def test_the_reaper_frees_what_ran_out_in_every_study(make_study):
    one, two = enrol(make_study()), enrol(make_study(slug="two"))
    claim(one), ahead(one), claim(two, LATER)
    assert assignment.release_expired(now=NOON + timedelta(minutes=15)) == 0
    assert assignment.release_expired(now=NOON + timedelta(minutes=15, microseconds=1)) == 2
    assert Seat.objects.get(state="leased").enrolment == two


def test_the_reaper_takes_the_oldest_first_and_no_more_than_it_is_told(make_study):
    study = make_study()
    old, young = enrol(study), enrol(study)
    claim(young, NOON + timedelta(minutes=1)), claim(old)
    assert assignment.release_expired(now=LATER, limit=1) == 1
    assert Seat.objects.get(state="leased").enrolment == young


def test_the_command_and_the_beat_free_what_ran_out(make_study, capsys):
    one, two = enrol(make_study()), enrol(make_study(slug="two"))
    claim(one), claim(two)  # in March: long ago
    beat = settings.CELERY_BEAT_SCHEDULE["free leases that ran out"]
    assert import_string(beat["task"])() == 2
    claim(one)
    call_command("release_leases")
    assert capsys.readouterr().out == "1 leases had run out.\n"
    assert not Seat.objects.filter(state="leased").exists()


def test_the_seats_of_an_excluded_rater_go_to_others(make_study):
    study = make_study(items=2, seats_per_item=1)
    careless, careful = enrol(study), enrol(study)
    answer(claim(careless), careless, 1)
    answer(claim(careless), careless, 1)
    assert claim(careful) is None
    careless.exclude("answered without looking", NOON)
    assert assignment.reopen_seats(careless) == 2
    given = [answer(claim(careful), careful, 5) for _ in range(2)]
    assert not any(judgement.surplus for judgement in given)
    assert sorted(Judgement.objects.counted().values_list("rating", flat=True)) == [5, 5]
    assert Judgement.objects.count() == 4
    careless.restore()
    assert Judgement.objects.counted().count() == 2
    assert assignment.progress(careless)[0] == 0


def test_a_rater_who_is_not_excluded_keeps_all_seats(make_study):
    enrolment = enrol(make_study())
    answer(claim(enrolment), enrolment)
    assert assignment.reopen_seats(enrolment) == 0
    assert Judgement.objects.counted().count() == 1


def test_the_same_key_for_another_seat_is_refused(make_study):
    enrolment = enrol(make_study())
    stored = answer(claim(enrolment), enrolment)
    other = claim(enrolment)
    with pytest.raises(assignment.KeyReused, match="not for seat"):
        assignment.record(
            seat=other, enrolment=enrolment, answer=Answer(rating=4), key=stored.key, shown_at=NOON, now=NOON
        )
    assert Judgement.objects.count() == 1
