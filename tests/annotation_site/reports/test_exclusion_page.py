"""The exclusion page: a preview, a button that does what it shows, and nobody else's hands on it."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from annotation_site.raters.models import Enrolment
from annotation_site.studies.members import Member
from tests.annotation_site.reports.test_exclusions import ruled  # noqa: F401 - a fixture

ADDRESS = "/reports/study/exclusions/"


@pytest.fixture
def staff(client, db) -> User:
    user = User.objects.create_superuser("staff")
    client.force_login(user)
    return user


def excluded() -> list[str]:
    return list(Enrolment.objects.filter(excluded_at__isnull=False).values_list("exclusion_reason", flat=True))


def test_the_button_excludes_whom_the_preview_names(client, staff, ruled):  # noqa: F811
    study, raters = ruled
    shown = client.get(ADDRESS).content.decode()
    assert raters[2].rater.pseudonym in shown
    assert raters[0].rater.pseudonym not in shown
    assert "Exclude 1 rater<" in shown
    assert excluded() == []
    after = client.post(ADDRESS, follow=True).content.decode()
    assert excluded() == ["at odds: correlation -1 is below 0"]
    assert "1 rater newly excluded" in after
    assert "Nobody is left" in after
    assert f"/admin/raters/enrolment/{raters[2].pk}/change/" in after
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(study.pk))
    assert "at odds -> 1" in entry.change_message
    # Sent twice it changes nothing more, and says so.
    assert "0 raters newly excluded" in client.post(ADDRESS, follow=True).content.decode()
    assert LogEntry.objects.count() == 1


def test_the_demo_is_no_exception(client, ruled):  # noqa: F811
    assert client.get(ADDRESS).status_code == 302
    assert client.post(ADDRESS).status_code == 302
    study, _raters = ruled
    viewer = User.objects.create_user("viewer")
    Member.objects.create(study=study, user=viewer, role=Member.Role.VIEWER)
    for user in (User.objects.create_user("visitor"), viewer):
        client.force_login(user)
        assert {client.get(ADDRESS).status_code, client.post(ADDRESS).status_code} == {404}
    assert excluded() == []


def test_a_researcher_excludes_in_their_own_study(client, ruled):  # noqa: F811
    study, _raters = ruled
    researcher = User.objects.create_user("researcher")
    Member.objects.create(study=study, user=researcher)
    client.force_login(researcher)
    client.post(ADDRESS)
    assert excluded() == ["at odds: correlation -1 is below 0"]


def test_a_forged_form_is_refused(staff, ruled):  # noqa: F811
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    assert strict.post(ADDRESS).status_code == 403
    assert excluded() == []


def test_a_study_without_rules_says_so(client, staff, make_study):
    make_study(items=1)
    assert "has no exclusion rules" in client.get(ADDRESS).content.decode()
    assert "0 raters newly excluded" in client.post(ADDRESS, follow=True).content.decode()
