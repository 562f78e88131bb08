"""A study's alerts on its own page: asked for, muted, bounded by who runs it, and what was noticed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from annotation_site.alerts.models import Alert, Bounds, Notice, Subscription
from annotation_site.rating.assignment import database_now
from annotation_site.studies.members import Member

pytestmark = pytest.mark.django_db
PAGE = "/research/studies/study/alerts/"
BOUNDS = {
    "agreement_below": "0.4",
    "agreement_answers": "50",
    "failures_percent": "",
    "failures_raters": "8",
    "stuck_minutes": "15",
}


@pytest.fixture
def members(make_study) -> dict[str, User]:
    study = make_study(items=1)
    people = {name: User.objects.create_user(name, f"{name}@example.org") for name in ("rosa", "vera")}
    Member.objects.create(study=study, user=people["rosa"])
    Member.objects.create(study=study, user=people["vera"], role=Member.Role.VIEWER)
    return people


def test_members_ask_for_mails_and_mute_them(client, members):
    client.force_login(members["vera"])
    assert "You get no mails" in client.get(PAGE).content.decode()
    for _ in range(2):
        page = client.post(PAGE + "mine/", {"want": "yes"}, headers={"Accept-Language": "ko"}, follow=True)
    assert Subscription.objects.get().locale == "ko"
    assert 'value="no"' in page.content.decode()
    client.post(PAGE + "mine/", {"want": "no"})
    assert Subscription.objects.get().muted_at is not None
    client.post(PAGE + "mine/", {"want": "yes"})
    assert Subscription.objects.get().muted_at is None


def test_without_an_address_there_is_nothing_to_ask_for(client, members):
    User.objects.update(email="")
    client.force_login(members["rosa"])
    page = client.post(PAGE + "mine/", {"want": "yes"}, follow=True).content.decode()
    assert "no e-mail address" in page
    assert not Subscription.objects.exists()


def test_who_runs_the_study_sets_its_bounds_and_it_is_looked_at_anew(client, members):
    client.force_login(members["rosa"])
    client.post(PAGE, BOUNDS)
    bounds = Bounds.objects.get()
    assert (bounds.agreement_below, bounds.failures_percent, bounds.stuck_minutes) == (0.4, None, 15)
    Bounds.objects.update(seen_answers=7)
    client.post(PAGE, BOUNDS | {"agreement_below": "0.5"})
    bounds.refresh_from_db()
    assert (bounds.agreement_below, bounds.seen_answers) == (0.5, None)
    response = client.post(PAGE, BOUNDS | {"agreement_below": "2", "stuck_minutes": "soon"})
    assert response.status_code == 422
    assert "Agreement (alpha) below" in response.content.decode()
    client.force_login(members["vera"])
    assert "From where on" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, BOUNDS).status_code == 404


def test_what_was_noticed_is_listed_with_ones_own_mail(client, members):
    client.force_login(members["rosa"])
    client.post(PAGE + "mine/", {"want": "yes"})
    alert = Alert.objects.create(study=Subscription.objects.get().study, kind="stuck", episode=1,
                                 began_at=database_now())  # fmt: skip
    Notice.objects.create(alert=alert, subscription=Subscription.objects.get(), due_at=database_now(),
                          error="SMTPServerDisconnected: gone")  # fmt: skip
    page = client.get(PAGE).content.decode()
    assert "images are not made" in page
    assert "still so" in page
    assert "SMTPServerDisconnected: gone" in page
    assert "This site sends no mails yet" not in page
    client.force_login(members["vera"])
    assert "SMTPServerDisconnected" not in client.get(PAGE).content.decode()
