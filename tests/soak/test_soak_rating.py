"""The attacks on the seats, for minutes: ``make soak``."""

from __future__ import annotations

import pytest

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement
from tests.annotation_site.attacks.expiring import expire_while_submitting
from tests.annotation_site.attacks.killing import rate_under_fire
from tests.annotation_site.attacks.test_lost_database import attack as database_attack  # noqa: F401
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_thousand_leases_expire_during_the_submit(make_study):
    won = expire_while_submitting(make_study(items=1000, seats_per_item=1), 1000)
    assert sum(won.values()) == Judgement.objects.counted().count() == 1000
    assert min(won.values()) > 0, "one side always won: they did not meet"


def test_a_database_that_crashes_ten_times(database_attack):  # noqa: F811
    database_attack(items=150, raters=8, crashes=10)


def test_hundreds_of_answers_under_fire(make_study, tmp_path):
    study = make_study(items=100, seats_per_item=5)
    people = [Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(10)]
    acknowledged, killed = rate_under_fire([enrolment.token for enrolment in people], tmp_path, workers=4)
    assert dict(Judgement.objects.values_list("key", "rating")) == acknowledged
    assert len(acknowledged) == 500
    assert killed > 20
    assert_invariants(study)
