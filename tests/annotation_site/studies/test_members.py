"""Who may read and run which study."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.http import Http404
from django.test import RequestFactory

from annotation_site.studies.access import study_to_read, study_to_run
from annotation_site.studies.members import Member, may_create
from annotation_site.studies.models import Study


@pytest.fixture
def people(make_study) -> dict[str, User]:
    study = make_study()
    make_study(slug="another")
    people = {name: User.objects.create_user(name) for name in ("researcher", "viewer", "stranger")}
    people["admin"] = User.objects.create_superuser("admin")
    people["retired admin"] = User.objects.create_superuser("retired", is_active=False)
    for role in Member.Role:
        Member.objects.create(study=study, user=people[role], role=role)
    return people


READ = {
    "researcher": ["study"],
    "viewer": ["study"],
    "stranger": [],
    "admin": ["another", "study"],
    "retired admin": [],
}
RUN = {**READ, "viewer": []}


@pytest.mark.parametrize("name", READ)
def test_studies_are_seen_by_their_members(people, name):
    user = people[name]
    assert sorted(Study.objects.visible_to(user).values_list("slug", flat=True)) == READ[name]
    assert sorted(Study.objects.run_by(user).values_list("slug", flat=True)) == RUN[name]


def test_nobody_sees_none(people):
    assert not Study.objects.visible_to(AnonymousUser()).exists()
    assert not Study.objects.run_by(AnonymousUser()).exists()


@pytest.mark.parametrize("name", READ)
def test_another_study_is_not_there(people, name, settings):
    settings.ATTEST_ENV = "production"
    request = RequestFactory().get("/")
    request.user = people[name]
    for find, allowed in ((study_to_read, READ), (study_to_run, RUN)):
        for slug in ("study", "another"):
            if slug in allowed[name]:
                assert find(request, slug).slug == slug
            else:
                with pytest.raises(Http404, match=slug):
                    find(request, slug)


def test_the_demo_is_read_by_all_and_run_by_its_own(people, settings):
    settings.ATTEST_ENV = "demo"
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert study_to_read(request, "study").slug == "study"
    with pytest.raises(Http404):
        study_to_run(request, "study")


def test_studies_are_made_by_admins_and_those_allowed_to(people):
    assert may_create(people["admin"])
    assert not may_create(people["stranger"])
    people["stranger"].user_permissions.add(Permission.objects.get(codename="add_study"))
    assert may_create(User.objects.get(username="stranger"))
    assert not may_create(people["retired admin"])
