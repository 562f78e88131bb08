"""/api/schema/ and /api/docs/ : what is described is what is there, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings

from annotation_site.wsgi import application

pytestmark = pytest.mark.django_db
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


def test_every_operation_is_described(schema):
    operations = {result.ok().label for result in schema.get_all_operations()}
    assert operations == OPERATIONS


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
