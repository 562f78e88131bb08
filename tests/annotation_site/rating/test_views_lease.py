"""/rate/<token>/heartbeat/ and /release/ : what an open page tells of itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from annotation_site.rating import assignment
from annotation_site.rating.models import Seat

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(make_study, enrol, visit):
    """A rater who has the page of an item open, its lease nearly over."""
    enrolment = enrol(make_study(lease_minutes=15))
    visit(enrolment)
    Seat.objects.filter(state="leased").update(leased_until=assignment.database_now() + timedelta(seconds=5))
    return enrolment


def test_a_heartbeat_renews_the_lease_and_tells_its_end(client, holder):
    before = assignment.database_now()
    response = client.post(f"/rate/{holder.token}/heartbeat/")
    seat = Seat.objects.get(state="leased")
    assert response.status_code == 200
    assert abs(datetime.fromisoformat(response.json()["leased_until"]) - seat.leased_until) < timedelta(seconds=1)
    assert timedelta(minutes=15) <= seat.leased_until - before < timedelta(minutes=16)


def test_a_heartbeat_after_the_lease_was_lost_says_so(client, holder):
    assignment.release_expired(now=assignment.database_now() + timedelta(hours=1))
    response = client.post(f"/rate/{holder.token}/heartbeat/")
    assert (response.status_code, response.json()) == (409, {"leased_until": None})


def test_an_excluded_raters_page_keeps_no_seat(client, holder):
    until = Seat.objects.get(state="leased").leased_until
    holder.exclude("asked to leave", assignment.database_now())
    assert client.post(f"/rate/{holder.token}/heartbeat/").status_code == 409
    assert Seat.objects.get(state="leased").leased_until == until


def test_a_release_frees_the_seat_for_others(client, holder):
    response = client.post(f"/rate/{holder.token}/release/")
    assert response.json() == {"released": 1, "leased_until": None}
    assert not Seat.objects.filter(state="leased").exists()


@pytest.mark.parametrize("action", ["heartbeat", "release"])
def test_only_the_holders_link_moves_a_lease(client, holder, enrol, action):
    until = Seat.objects.get(state="leased").leased_until
    client.post(f"/rate/{enrol(holder.study).token}/{action}/")
    assert client.post(f"/rate/no-such-link/{action}/").status_code == 404
    assert client.get(f"/rate/{holder.token}/{action}/").status_code == 405
    assert Seat.objects.get(state="leased").leased_until == until


@pytest.mark.parametrize("action", ["heartbeat", "release"])
def test_it_needs_no_cookie(holder, action):
    assert Client(enforce_csrf_checks=True).post(f"/rate/{holder.token}/{action}/").status_code == 200
