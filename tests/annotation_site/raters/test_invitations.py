"""/i/<secret>/ : links for one person each, made in batches, revocable, with an expiry."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Invitation, Source
from annotation_site.raters.sources.invitations import make_batch, revoke
from annotation_site.raters.sources.presets import new_source

pytestmark = pytest.mark.django_db
ADDRESS = "/studies/study/from/letters/"


@pytest.fixture
def source(make_study) -> Source:
    made = new_source(make_study(items=2), "invitation", "letters")
    made.save()
    return made


def batch(source: Source, number: int = 3, expires_at=None):
    return make_batch(source, number=number, batch="first letter", expires_at=expires_at)


def join(client: Client, secret: str):
    first = client.get(f"/i/{secret}/")
    asked = first.status_code == 302 and first["Location"] == ADDRESS
    return client.post(ADDRESS, {"consent": "yes"}) if asked else first


def test_an_invitation_is_one_rater_on_any_device_and_in_either_case(source):
    one, two, _three = batch(source)
    first = join(Client(), one.secret)["Location"]
    assert join(Client(), one.secret.upper())["Location"] == first
    assert join(Client(), two.secret)["Location"] != first
    assert Enrolment.objects.count() == 2
    assert Invitation.objects.get(number=1).enrolment.token in first


def test_the_secret_is_in_no_row_and_no_later_address(client, source):
    [link] = batch(source, 1)
    assert len(link.secret) == 16
    assert client.get(f"/i/{link.secret}/")["Location"] == ADDRESS
    for row in Invitation.objects.values():
        assert link.secret not in str(row)
    assert link.secret not in str(dict(client.session))


def test_opening_the_link_uses_nothing_up(source):
    """Mail programs open links to look at them."""
    [link] = batch(source, 1)
    for _scanner in range(3):
        assert Client().get(f"/i/{link.secret}/").status_code == 302
        assert Client().head(f"/i/{link.secret}/").status_code == 302
    assert Invitation.objects.usable(timezone.now()).count() == 1


def test_batches_are_numbered_on_and_bounded(source):
    batch(source, 2)
    assert [link.number for link in batch(source, 2)] == [3, 4]
    for wrong in (0, 2001):
        with pytest.raises(ValueError, match="1 to 2000"):
            batch(source, wrong)
    source.kind = Source.Kind.OPEN
    with pytest.raises(ValueError, match="has no invitations"):
        batch(source)


def test_a_revoked_one_lets_nobody_in_even_between_opening_and_agreeing(client, source):
    one, two, _three = batch(source)
    opened = client.get(f"/i/{one.secret}/")["Location"]
    assert revoke(source, batch="first letter", numbers=[1], now=timezone.now()) == 1
    response = client.post(opened, {"consent": "yes"})
    assert response.status_code == 400
    assert "was taken back" in response.content.decode()
    assert not Enrolment.objects.exists()
    assert "was taken back" in Client().get(f"/i/{one.secret}/").content.decode()
    assert join(Client(), two.secret).status_code == 302
    # Whoever came before stays a rater; all that are left are taken back at once.
    assert revoke(source, batch="first letter", now=timezone.now()) == 2
    assert Client().get(f"/rate/{Enrolment.objects.get().token}/").status_code == 200


def test_one_that_ran_out_lets_in_those_alone_who_used_it_in_time(source):
    one, two, _three = batch(source, expires_at=timezone.now() + timedelta(days=1))
    link = join(Client(), one.secret)["Location"]
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(f"/i/{one.secret}/")["Location"] == link
    page = Client().get(f"/i/{two.secret}/")
    assert page.status_code == 400
    assert "has run out" in page.content.decode()


def test_an_unknown_one_is_not_found(client, source):
    assert client.get("/i/neverwas/").status_code == 404
    assert client.get(f"{ADDRESS}?invitation=neverwas").status_code == 400
    assert client.post("/i/neverwas/").status_code == 405
