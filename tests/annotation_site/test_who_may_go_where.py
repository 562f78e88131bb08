"""Every address of the site, and who gets in: by walking the URLconf. A new address is classified in WHO below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import bulk
from annotation_site.stimuli.addresses import public_name
from annotation_site.stimuli.models import Generation
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study
from tests.annotation_site.conftest import made_study

PEOPLE = ("nobody", "stranger", "viewer", "researcher", "admin")
# Who gets in; the others are sent to sign in, refused (403), or told that there is nothing (404).
EVERYONE = PEOPLE
ACCOUNTS = PEOPLE[1:]
READERS = ("viewer", "researcher", "admin")
RUNNERS = ("researcher", "admin")
MAKERS = ("stranger", "researcher", "admin")  # the stranger is a researcher, of other studies
ADMINS = ("admin",)
# By the beginning of an address's name. The longest one decides.
WHO: dict[str, tuple[str, ...]] = {
    "account_": EVERYONE,  # allauth's own pages, which redirect: tested in accounts/
    "account": ACCOUNTS,
    "mfa_": EVERYONE,
    "tokens": ACCOUNTS,
    "revoke-token": ACCOUNTS,
    "set_language": EVERYONE,
    "item-map": EVERYONE,  # by unguessable names; of private studies by signed links: tested in stimuli/
    "colour-": EVERYONE,
    "image": EVERYONE,
    "heat-map": EVERYONE,
    "import-study": MAKERS,
    "research-home": ACCOUNTS,
    "research-new": MAKERS,
    "research-order": (),  # of nobody here: who placed one sees it, tested in research/
    "research-review": (),
    "research-discard": (),
    "research-step": (),
    "research-study": READERS,
    "research-about": RUNNERS,
    "research-preview": READERS,
    "research-rows": READERS,
    "research-deed": RUNNERS,
    "research-members": RUNNERS,
    "research-member-remove": RUNNERS,
    "research-alerts": READERS,
    "research-copy": ("researcher", "admin"),
    "research-move": RUNNERS,
    "research-registration": READERS,
    "reports": ACCOUNTS,
    "planning": ACCOUNTS,
    "report": READERS,
    "report-exclusions": RUNNERS,
    "payments": RUNNERS,
    "pay-": RUNNERS,
    "generations": ACCOUNTS,
    "compare": ACCOUNTS,
    "generation": READERS,
    "same-prompt": READERS,
    "analyses": READERS,
    "analysis": READERS,
    # By the secret in the address or in the header.
    **dict.fromkeys(
        ("rate", "instructions", "practice", "care", "break", "ahead", "last", "done", "heartbeat", "release"), EVERYONE
    ),
    "api-": EVERYONE,  # answers 401 without a token: tested in api/
    "api-research-": (),  # by a token of the API alone, never by a session: tested in api/
    "alert-mute": EVERYONE,  # by the signature in its address: tested in alerts/
    "webhooks": ACCOUNTS,
    "webhook": (),  # the one in VALUES is nobody's; the owner's and another's are tested in webhooks/
    "webhook-": (),
    "livez": EVERYONE,
    "readyz": EVERYONE,
    "metrics": ADMINS,
    "tour": (),  # of the demo alone: tested in operations/
    "home": EVERYONE,
    "privacy": EVERYONE,
    **dict.fromkeys(("own-data", "erase-own-data", "erased"), EVERYONE),
    "join": EVERYONE,
    "arrive": EVERYONE,
    "invited": EVERYONE,
    "recruitment": RUNNERS,
    "prolific-hook": EVERYONE,  # by Prolific's signature: tested in recruitment/
}
# What stands in an address; a file of an analysis that was never run is not there for anybody.
VALUES = {
    "slug": "study",
    "kind": "syntax",
    "name": "tags",
    "form": "csv",
    "group": "NOUN",
    "position": 0,
    "start": 0,
    "end": 1,
    "pk": 1,
    "to": "pause",
    "number": 1,
    "pseudonym": "R-WALKED",
    "what": "hold",
    "uidb36": "1",
    "key": "set-password",
    "rest": "nowhere",
    "uid": UUID(int=1),
    "delivery": UUID(int=2),
    "action": "pause",
    "things": "raters",
    "deed": "exclude",
    "rater": "R-2345678923",
    "webhook": UUID(int=1),
}
FORMS = {"report-whole": "html", "report-figure": "svg", "research-registration-file": "zip"}
ABSENT = {"analysis", "analysis-file", "report-table"}
ABSENT |= {"recruitment-source", "recruitment-invitations", "recruitment-prolific"}
ABSENT |= {"pay-batch", "pay-finance", "research-registration", "research-registration-file"}
ABSENT |= {"report-deviations-json"}


def patterns(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from patterns(pattern)
        else:
            yield pattern


PATTERNS = {pattern.name or str(pattern.pattern): pattern for pattern in patterns(get_resolver())}


def test_no_two_addresses_have_one_name():
    names = [pattern.name for pattern in patterns(get_resolver()) if pattern.name]
    assert sorted(names) == sorted(set(names))


def allowed(name: str) -> tuple[str, ...]:
    known = [begin for begin in WHO if name.startswith(begin)]
    assert known, f"Nothing says who may go to {name!r}: add it to WHO in {__file__}."
    return WHO[max(known, key=len)]


def cast() -> dict[str, User | None]:
    """A study with people around it, and another one, which the stranger runs."""
    study = made_study(items=1)
    # Without items: an image of both studies would be the stranger's as well.
    made_study(slug="another", opened=False).items.all().delete()
    people: dict[str, User | None] = {"nobody": None}
    for name in ("stranger", "viewer", "researcher"):
        people[name] = User.objects.create(username=name, password="set")
    for name in ("stranger", "researcher"):
        people[name].groups.add(Group.objects.get(name="researchers"))
    Member.objects.create(study=Study.objects.get(slug="another"), user=people["stranger"])
    for role in Member.Role:
        Member.objects.create(study=study, user=people[role], role=role)
    people["admin"] = User.objects.create(username="admin", password="set", is_superuser=True, is_staff=True)
    Enrolment.objects.create(study=study, rater=Rater.objects.create(pseudonym="R-WALKED"), token="a-raters-token")
    return people


@pytest.fixture(scope="module")
def made(module_rows) -> dict[str, User | None]:
    return module_rows(cast)


@pytest.fixture
def everyone(db, made, settings) -> dict[str, User | None]:
    settings.ATTEST_ENV, settings.METRICS_TOKEN = "production", "known to Prometheus"
    return made


def address(name: str) -> str:
    generation = Generation.objects.filter(items__study__slug="study").first()
    values = VALUES | {"token": "a-raters-token", "identity": generation.identity, "form": FORMS.get(name, "csv")}
    if name in {"image", "heat-map"}:
        values["name"] = public_name(generation)
    elif name.startswith("item-map"):
        values["name"] = "0" * 16
    elif name.startswith("colour-"):
        values["name"] = "inferno"
    pattern = PATTERNS[name].pattern
    wanted = {key: values[key] for key in pattern.converters or re.compile(pattern.regex.pattern).groupindex}
    return reverse(name, kwargs=wanted)


def shut(response: HttpResponse) -> bool:
    """Whether somebody was sent to sign in, refused, or told that there is nothing."""
    to_sign_in = response.status_code == 302 and response.url.startswith("/accounts/login/")
    return to_sign_in or response.status_code in {401, 403, 404}


@pytest.mark.parametrize("name", [name for name in PATTERNS if PATTERNS[name].name])
def test_who_gets_in(everyone, client, name):
    welcome = allowed(name)
    for person in PEOPLE if welcome != EVERYONE else ("nobody", "stranger"):
        client.logout()
        if everyone[person] is not None:
            client.force_login(everyone[person])
        read, sent = client.get(address(name)), client.post(address(name))
        # To its end: a file that is sent is closed there.
        read.getvalue()
        assert max(read.status_code, sent.status_code) < 500, person
        if person not in welcome:
            # An address that takes another method says so, and nothing else.
            assert shut(read) or read.status_code == 405, (person, read.status_code)
            assert shut(sent) or sent.status_code == 405, (person, sent.status_code)
            assert {read.status_code, sent.status_code} != {405}
        elif name not in ABSENT and welcome != EVERYONE:
            assert not shut(read), (person, read.status_code)


def test_what_is_only_known_to_its_members_is_told_to_nobody_else(everyone, client):
    client.force_login(everyone["stranger"])
    for name in ("reports", "generations"):
        shown = client.get(address(name)).content.decode()
        assert "/reports/study/" not in shown
        assert not any(one.identity in shown for one in Generation.objects.filter(items__study__slug="study"))


def routes(found: list[Any], before: str = "admin/") -> Iterator[str]:
    """Every address of the administration as it is written, those of deeds once for each deed."""
    for each in found:
        written = before + re.sub(r"\(\?P(<\w+>)[^)]*\)|[$^]", r"\1", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, written)
        elif "<slug:name>" in written:
            deeds = bulk.FOR_RATERS if "enrolment" in written else bulk.FOR_ITEMS
            yield from (written.replace("<slug:name>", deed) for deed in deeds)
        else:
            yield written


ADMINISTRATION = list(dict.fromkeys(routes(site.get_urls())))
MODELS = {(model._meta.app_label, model._meta.model_name): model for model in site._registry}


def row_of(route: str) -> Any:
    """One of the rows that the address is about, if there are any."""
    model = MODELS.get(tuple(route.split("/")[1:3]))
    return model._default_manager.first() if model else None


def filled(route: str) -> str:
    row = row_of(route)
    key = row.pk if row else 1
    values = {"object_id": key, "id": key, "pk": Study.objects.get(slug="study").pk, "to": "pause", "url": "nowhere"}
    values |= {"app_label": "studies", "content_type_id": ContentType.objects.get_for_model(Study).pk}
    address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route)
    return f"{address}?ids={key}" if "/do/" in route else address


def test_the_walk_knows_the_administrations_own_deeds():
    for deed in ("move/<slug:to>/", "known/", "preview/", "release/"):
        assert f"admin/studies/study/<int:pk>/{deed}" in ADMINISTRATION
    for deed in bulk.FOR_RATERS:
        assert f"admin/raters/enrolment/do/{deed}/" in ADMINISTRATION
    for deed in bulk.FOR_ITEMS:
        assert f"admin/studies/item/do/{deed}/" in ADMINISTRATION


@pytest.mark.parametrize("route", ADMINISTRATION)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_administration_is_for_admins(everyone, client, route, method):
    address = filled(route)
    for person in PEOPLE[:-1]:
        client.logout()
        if everyone[person] is not None:
            client.force_login(everyone[person])
        response = getattr(client, method)(address, follow=True)
        if person == "nobody":
            assert response.request["PATH_INFO"] == "/accounts/login/"
        else:
            assert response.status_code == 403, person
    client.force_login(everyone["admin"])
    response = getattr(client, method)(address)
    assert response.status_code < 500
    shows_a_row = route.endswith(("/change/", "/history/")) or "/do/" in route
    if method == "get" and shows_a_row and row_of(route):
        assert response.status_code == 200
