"""/api/schema/ and /api/docs/ : what is described is what is there, whatever is sent."""

from __future__ import annotations

import io
import re

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import URLResolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from schemathesis.specs.openapi.checks import positive_data_acceptance

from annotation_site.api import urls
from annotation_site.raters.models import Rater
from annotation_site.rating import assignment
from annotation_site.rating.simulation import simulate
from annotation_site.stimuli.models import Generation
from annotation_site.webhooks.changes import change, register
from annotation_site.webhooks.events import write_down
from annotation_site.wsgi import application

pytestmark = pytest.mark.django_db
fuzzed = pytest.mark.skipif(connection.vendor == "sqlite", reason="fuzzed on PostgreSQL, which refuses more")
OPERATIONS = {
    "GET /api/v1/studies/{slug}/",
    "POST /api/v1/enrolments/",
    "GET /api/v1/enrolments/mine/",
    "POST /api/v1/seats/",
    "POST /api/v1/seats/{id}/judgement/",
    "POST /api/v1/seats/{id}/heartbeat/",
    "POST /api/v1/seats/{id}/release/",
}


def within_this_test(environ, start_response):
    """The site, without closing the connection after a request: as Django's own test client calls it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        response = application(environ, start_response)
        body = b"".join(response)
        response.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return [body]


@pytest.fixture
def schema(db):
    return schemathesis.openapi.from_wsgi("/api/schema/", within_this_test, headers={"Host": "localhost"})


def test_every_address_is_described(schema):
    described = {
        re.sub(r"{\w+}", "x", label.split()[1]) for label in (r.ok().label for r in schema.get_all_operations())
    }
    served = {re.sub(r"<\w+:\w+>", "x", f"/api/{path}") for path in addresses(urls.urlpatterns)}
    assert described == {path for path in served if path.startswith("/api/v1/")} - {"/api/v1/x"}


def test_the_schema_is_made_without_a_warning(capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


def addresses(patterns, prefix=""):
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern)


@fuzzed
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_replies_are_as_described_whatever_is_sent(make_study, enrolled, schema, label):
    rater = enrolled(make_study())
    rater.claim()
    operation = next(result.ok() for result in schema.get_all_operations() if result.ok().label == label)
    headers = {"Host": "localhost", "Authorization": f"Bearer {rater.token}"}

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def attack(case):
        case.call_and_validate(headers=headers)

    attack()


@fuzzed
def test_the_researchers_replies_are_as_described_whatever_is_sent(make_study, research, schema):
    """Every operation on addresses that exist, and on any others."""
    study = make_study(items=2)
    simulate(study, raters=1, seed=0)
    program = research(study)
    real = {
        "slug": study.slug,
        "position": 1,
        "rater": Rater.objects.get().pseudonym,
        "identity": Generation.objects.first().identity,
    }
    webhook, _ = register(program.user, address="https://example.org/", events=["study.closed"])
    write_down(change(webhook, events=["study.opened", "judgements.milestone"]), assignment.database_now())
    real |= {"webhook": str(webhook.uid), "delivery": str(webhook.deliveries.first().uid)}
    headers = {"Host": "localhost", "Authorization": f"Bearer {program.token}"}
    operations = [result.ok() for result in schema.get_all_operations()]
    theirs = [each for each in operations if "/research/" in each.label]
    assert len(theirs) > 20
    for operation in theirs:

        @settings(
            max_examples=5,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), exists=booleans())
        def attack(case, exists):
            if exists:
                case.path_parameters |= {name: real[name] for name in case.path_parameters if name in real}
            # A cursor must be ours, and a word stand where it is said to: no schema says so.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        attack()


def test_the_reference_needs_no_script(client):
    response = client.get("/api/docs/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script" not in page
    assert "style=" not in page
    for operation in OPERATIONS:
        assert operation in page
    assert "seat.target.start" in page
    assert "Idempotency-Key" in page
