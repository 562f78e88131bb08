"""SIGKILL every 150 ms, every submission sent twice: what was acknowledged is there, and the rules hold."""

from __future__ import annotations

import pytest

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement, Seat
from tests.annotation_site.attacks.killing import rate_under_fire
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attack(make_study, tmp_path):
    """``attack(items, raters)``: rate under fire, then compare the database with the clients' own log."""

    def attack(items: int, raters: int) -> int:
        study = make_study(items=items, seats_per_item=2)
        people = [Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(raters)]
        acknowledged, killed = rate_under_fire([enrolment.token for enrolment in people], tmp_path)
        stored = dict(Judgement.objects.values_list("key", "rating"))
        assert stored == acknowledged
        assert len(stored) == 2 * items
        assert set(Seat.objects.values_list("state", flat=True)) == {"done"}
        assert_invariants(study)
        return killed

    return attack


def test_no_acknowledged_answer_is_lost_and_none_counts_twice(attack):
    assert attack(items=10, raters=4) > 0
