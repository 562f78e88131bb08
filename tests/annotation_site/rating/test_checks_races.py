"""Checks and practice under threads, on whichever database the suite runs."""

from __future__ import annotations

import random
import uuid

import pytest

from annotation_site.raters.models import Enrolment, PracticeAnswer, Rater
from annotation_site.rating import assignment, practice
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item
from tests.annotation_site.invariants import assert_invariants
from tests.annotation_site.rating.test_assignment_races import enrolments, in_threads, rate_all, submit

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = {"lowest": 4, "highest": 5}


def test_raters_who_come_to_one_check_at_once_each_get_a_seat(make_way):
    study = make_way(checks=[GOOD], check_every=1, checks_may_fail=1)
    raters = enrolments(study, 6)
    for rater in raters:
        submit(assignment.claim_next(rater, rng=random.Random(rater.pk)), rater, uuid.uuid4(), 3)
    in_threads(6, lambda number: rate_all(raters[number], random.Random(number)))
    checks = Seat.objects.filter(item__purpose="gold")
    assert len(set(checks.values_list("enrolment", flat=True))) == checks.filter(state="done").count() == 6
    # Four items at three seats each, and no more.
    assert Judgement.objects.filter(seat__item__purpose="").count() == 12
    assert_invariants(study)


def test_a_practice_item_answered_in_many_tabs_at_once_is_answered_once(make_way):
    study = make_way(practice=[GOOD, GOOD])
    enrolment = Enrolment.objects.select_related("study").get(
        pk=Enrolment.objects.create(rater=Rater.objects.create(), study=study).pk
    )
    first = Item.objects.filter(purpose="practice").order_by("position")[0]
    taken: list[bool] = []

    def answer(number: int) -> None:
        given = Answer(rating=number % 5 + 1)
        taken.append(practice.answer(enrolment, first.pk, 1, given, now=assignment.database_now()))

    in_threads(6, answer)
    assert sorted(taken) == [False] * 5 + [True]
    assert PracticeAnswer.objects.count() == 1
