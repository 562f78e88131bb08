"""The web process's clock is wrong: the database's decides."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import time_machine

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat

pytestmark = pytest.mark.django_db
WRONG = [timedelta(days=-3), timedelta(hours=-1), timedelta(hours=1), timedelta(days=3)]


@pytest.mark.parametrize("error", WRONG, ids=str)
def test_a_wrong_clock_takes_no_lease_away_and_keeps_none_too_long(make_study, client, error):
    study = make_study(items=1, seats_per_item=1, lease_minutes=15)
    holder, other = (Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(2))
    before = assignment.database_now()
    seat = assignment.claim_next(holder, rng=random.Random(0))
    with time_machine.travel(before + error, tick=True):
        assert client.post(f"/rate/{holder.token}/heartbeat/").status_code == 200
        assert assignment.claim_next(other, rng=random.Random(0)) is None
        page = client.get(f"/rate/{holder.token}/")
        assert page.status_code == 200
    lease = Seat.objects.get(pk=seat.pk).leased_until - before
    assert timedelta(minutes=15) <= lease < timedelta(minutes=16)
    Seat.objects.filter(pk=seat.pk).update(leased_until=before)
    with time_machine.travel(before + error, tick=True):
        assert client.post(f"/rate/{other.token}/heartbeat/").status_code == 409
        taken = assignment.claim_next(other, rng=random.Random(0))
        fields = {name: str(page.context[name]) for name in ("ticket", "key")}
        assert client.post(f"/rate/{holder.token}/", fields | {"answer": "2"}).status_code == 302
    assert taken == seat
    late = Judgement.objects.get()
    assert late.surplus
    assert abs(late.answered_at - before) < timedelta(minutes=1)
    assert late.shown_at - before < timedelta(minutes=1)
