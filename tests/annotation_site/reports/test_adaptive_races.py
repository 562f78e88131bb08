"""Two raters who finish an adaptive stage at the same moment, on whichever database the suite runs."""

from __future__ import annotations

import random
import uuid

import pytest

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from tests.annotation_site.invariants import assert_invariants
from tests.annotation_site.rating.test_assignment_races import enrolments, in_threads, submit

pytestmark = pytest.mark.django_db(transaction=True)
RACES = 3


@pytest.mark.parametrize(("together", "places"), [((1, 5), 5), ((4, 5), 3)])
def test_a_stage_finished_by_two_at_once_is_decided_once_with_both_answers(make_study, together, places):
    """The first rater said 5; ratings two or more apart make two more places, and one apart none."""
    for race in range(RACES):
        study = make_study(items=1, slug=f"race-{race}", adaptive_stages=[3, 5], adaptive_spread=2)
        first, *others = enrolments(study, 3)
        submit(assignment.claim_next(first, rng=random.Random(0)), first, uuid.uuid4(), 5)
        held = [assignment.claim_next(other, rng=random.Random(0)) for other in others]
        in_threads(2, lambda at: submit(held[at], others[at], uuid.uuid4(), together[at]))  # noqa: B023
        assert Judgement.objects.counted().filter(seat__study=study).count() == 3
        assert sorted(Seat.objects.filter(study=study).values_list("round", flat=True)) == list(range(places))
        assert_invariants(study)
