"""Researchers exclude raters and withdraw items of their own studies, with a reason; viewers only read."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.studies.members import Member

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_study) -> dict[str, User]:
    study, other = make_study(), make_study(slug="another", items=1)
    people = {name: User.objects.create(username=name, password="set") for name in ("viewer", "researcher", "stranger")}
    for role in ("viewer", "researcher"):
        Member.objects.create(study=study, user=people[role], role=role)
    Member.objects.create(study=other, user=people["stranger"], role="researcher")
    for number, of in enumerate((study, study, other)):
        Enrolment.objects.create(rater=Rater.objects.create(pseudonym=f"R-{number}"), study=of)
    return people


def deed(things: str, name: str, *chosen: object) -> str:
    address = reverse("research-deed", args=["study", things, name])
    return f"{address}?" + "&".join(f"chosen={one}" for one in chosen)


def test_a_researcher_excludes_and_withdraws_with_a_reason(client, people):
    client.force_login(people["researcher"])
    listed = client.get(reverse("research-rows", args=["study", "raters"])).content.decode()
    assert 'value="R-0"' in listed
    assert "R-2" not in listed
    assert client.post(deed("raters", "exclude", "R-0", "R-1"), {"reason": " "}).status_code == 422
    for _ in range(2):
        client.post(deed("raters", "exclude", "R-0", "R-1"), {"reason": "at random"})
    assert set(Enrolment.objects.filter(excluded_at__isnull=False).values_list("exclusion_reason", flat=True)) == {
        "at random"
    }
    client.post(deed("items", "withdraw", 0, 2), {"reason": "nothing is to be seen"})
    notes = [(entry.actor.username, entry.additional_data["reason"]) for entry in LogEntry.objects.order_by("-id")[:4]]
    assert notes == [("researcher", "nothing is to be seen")] * 2 + [("researcher", "at random")] * 2
    assert "at random" in client.get(reverse("research-rows", args=["study", "raters"])).content.decode()


def test_rows_of_another_study_are_not_there(client, people):
    client.force_login(people["researcher"])
    for address in (
        deed("raters", "exclude", "R-0", "R-2"),
        deed("items", "withdraw", 99),
        deed("items", "withdraw", "x"),
    ):
        assert client.post(address, {"reason": "mine"}).status_code == 404
    assert client.get(deed("raters", "withdraw", "R-0")).status_code == 404
    assert client.get(deed("raters", "exclude")).url == reverse("research-rows", args=["study", "raters"])
    assert not Enrolment.objects.filter(excluded_at__isnull=False).exists()


@pytest.mark.parametrize(("who", "reads"), [("viewer", 200), ("stranger", 404)])
def test_viewers_read_only_and_strangers_see_nothing(client, people, who, reads):
    client.force_login(people[who])
    listed = client.get(reverse("research-rows", args=["study", "items"]))
    assert listed.status_code == reads
    assert b"checkbox" not in listed.content
    assert client.post(deed("raters", "exclude", "R-0"), {"reason": "no"}).status_code == 404
    assert not Enrolment.objects.filter(excluded_at__isnull=False).exists()
