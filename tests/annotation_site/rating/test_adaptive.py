"""Items whose raters disagree get more places, in the answer's own transaction, once a stage."""

from __future__ import annotations

import random
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.reports.loading import load
from annotation_site.reports.report import build_report


@pytest.fixture
def study(make_study):
    return make_study(items=1, adaptive_stages=[3, 5, 7])


def answer(study, given, *, key=None):
    """A new rater claims what there is and answers; None where nothing is left."""
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    seat = assignment.claim_next(rater, rng=random.Random(1), now=timezone.now())
    if seat is None:
        return None
    what = Answer(rating=given) if isinstance(given, int) else Answer(opt_out=given)
    return assignment.record(seat=seat, enrolment=rater, answer=what, key=key or uuid.uuid4(), shown_at=timezone.now())


def places(study):
    return Seat.objects.filter(study=study).count()


def test_raters_who_agree_are_enough(study):
    for rating in (4, 5, 4):
        answer(study, rating)
    assert places(study) == 3
    assert answer(study, 1) is None
    assert build_report(study).people.overall.scored == 1


def test_disagreement_adds_a_stage_at_a_time(study):
    for rating in (1, 3):
        answer(study, rating)
    assert places(study) == 3
    answer(study, 2)
    # 1, 3 and 2 are two apart: two more.
    assert places(study) == 5
    assert build_report(study).people.overall.waiting == 1
    answer(study, 2)
    assert places(study) == 5
    answer(study, 2)
    # All five still lie two apart: the last stage.
    assert places(study) == 7
    for rating in (2, 2):
        answer(study, rating)
    assert places(study) == 7
    row = build_report(study).people.overall
    assert (row.scored, row.mean.value) == (1, 2)
    assert load(study).items.places.tolist() == [7]


def test_opting_out_is_no_disagreement(study):
    for given in ("word_too_abstract", 5, "image_too_poor"):
        answer(study, given)
    assert places(study) == 3


def test_the_same_submission_twice_adds_places_once(study):
    answer(study, 1)
    answer(study, 5)
    key = uuid.uuid4()
    judgement = answer(study, 3, key=key)
    again = assignment.record(
        seat=judgement.seat, enrolment=judgement.enrolment, answer=Answer(rating=3), key=key, shown_at=timezone.now()
    )
    assert again == judgement
    assert places(study) == 5


def test_a_correction_neither_adds_nor_takes_places(study):
    judgements = [answer(study, rating) for rating in (1, 3, 5)]
    assert places(study) == 5
    last = judgements[2]
    assignment.record(
        seat=last.seat, enrolment=last.enrolment, answer=Answer(rating=3), key=uuid.uuid4(), shown_at=timezone.now()
    )
    assert places(study) == 5


def test_pooled_numbers_are_of_the_first_stage(study):
    for rating in (1, 3, 2, 4, 4, 4, 4):
        answer(study, rating)
    row = build_report(study).people.overall
    # The median is of all seven; shares and alpha of the first three, lest hard items count more often.
    assert row.mean.value == 4
    assert (row.ratings, row.later_ratings, row.answers) == (3, 4, (1, 1, 1, 0, 0))
    assert (row.judgements, row.fair_answers.count) == (7, 1)
    assert Judgement.objects.count() == 7


@pytest.mark.parametrize("stages", [[3], [5, 7], [3, 3], [7, 5], "357", [3, "5"]])
def test_stages_out_of_form_are_refused(make_study, stages):
    with pytest.raises(ValidationError) as refused:
        make_study(items=1, adaptive_stages=stages)
    assert "adaptive_stages" in refused.value.message_dict
