"""What is logged, and what never is: a rater's link, a bearer token, a query string."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.urls import URLPattern, reverse

from annotation_site.celery import app
from annotation_site.operations import celery_signals, context
from annotation_site.operations.logs import JsonLines, PlainLines, hide
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.raters.sources.presets import new_source
from tests.annotation_site.test_who_may_go_where import PATTERNS

CANARY = "canary0123456789canary"


@pytest.fixture(params=[JsonLines, PlainLines])
def log(request) -> Iterator[io.StringIO]:
    """All that any logger writes while the test runs, in one of the two forms."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(request.param())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    django = logging.getLogger("django.db.backends")
    quiet, django.disabled = django.disabled, True
    yield text
    django.disabled = quiet
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.django_db
def test_no_line_carries_a_raters_link_a_token_or_a_query(client, log, make_study):
    study = make_study()
    Enrolment.objects.create(rater=Rater.objects.create(), study=study, token=CANARY)
    bearer = {"Authorization": f"Bearer {CANARY}"}
    statuses = [
        client.get(f"/rate/{CANARY}/").status_code,
        client.get(f"/rate/{CANARY}x/").status_code,
        client.get(f"/rate/{CANARY}/nothing/here/").status_code,
        client.post(f"/rate/{CANARY}/heartbeat/?key={CANARY}").status_code,
        client.get(f"/rate/{CANARY}/heartbeat/").status_code,
        client.get(f"/i/{CANARY}/").status_code,
        client.put(f"/i/{CANARY}/").status_code,
        client.put(f"/accounts/password/key/1-{CANARY}/").status_code,
        client.get(f"/studies/study/?PROLIFIC_PID={CANARY}").status_code,
        client.get("/api/nothing/", headers=bearer).status_code,
        client.get(f"/nowhere/?token={CANARY}", headers=bearer).status_code,
    ]
    assert {404, 405} <= set(statuses)
    assert "Not Found" in log.getvalue()
    assert "GET /rate/<slug:token>/ " in log.getvalue()
    assert "canary" not in log.getvalue()


def named(pattern: URLPattern) -> list[str]:
    """What stands in an address, by name."""
    return list(pattern.pattern.converters or pattern.pattern.regex.groupindex)


SECRET = [name for name, pattern in PATTERNS.items() if {"token", "key"} & set(named(pattern))]


@pytest.mark.django_db
@pytest.mark.parametrize("name", SECRET)
def test_no_line_carries_the_secret_of_an_address_that_leads_nowhere(client, log, name):
    values = {"token": CANARY, "uidb36": "1", "key": CANARY}
    address = reverse(name, kwargs={part: values[part] for part in named(PATTERNS[name])})
    beyond = (f"{address}nothing/", address.replace(CANARY, f"{CANARY}~"), address.upper(), address[:-1] + "//")
    assert 404 in [client.get(each).status_code for each in beyond]
    assert "Not Found" in log.getvalue()
    assert "canary" not in log.getvalue().lower()


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [False, True])
def test_no_line_carries_the_id_of_a_participant(client, log, make_study, monkeypatch, trouble):
    """From Prolific's link to the first item, and where the site fails on the way."""
    source = new_source(make_study(), "prolific", "prolific")
    source.save()
    if trouble:
        monkeypatch.setattr("annotation_site.raters.identities.encrypt", lambda text: text.missing)
        client.raise_request_exception = False
    names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
    arrived = client.get(f"/studies/study/from/{source.name}/", dict.fromkeys(names, CANARY))
    assert CANARY not in arrived["Location"]
    client.get(arrived["Location"])
    joined = client.post(arrived["Location"], {"consent": "yes"})
    assert joined.status_code == (500 if trouble else 302)
    assert "POST /studies/<slug:slug>/from/<slug:name>/" in log.getvalue()
    assert "canary" not in log.getvalue()


@pytest.mark.django_db
def test_an_exception_that_quotes_the_link_is_logged_without_it(client, log, make_study, monkeypatch):
    Enrolment.objects.create(rater=Rater.objects.create(), study=make_study(), token=CANARY)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"cannot serve {CANARY}")

    monkeypatch.setattr("annotation_site.rating.flow.next_step", fail)
    client.raise_request_exception = False
    assert client.get(f"/rate/{CANARY}/").status_code == 500
    assert "cannot serve [hidden]" in log.getvalue()
    assert "canary" not in log.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /rate/abc123/ahead/ HTTP/1.1", "GET /rate/[hidden]/ahead/ HTTP/1.1"),
        ("Error handling request /rate/abc123", "Error handling request /rate/[hidden]"),
        ("/studies/s/?PROLIFIC_PID=7&x=1 failed", "/studies/s/?[hidden] failed"),
        ("GET /i/abc12345/x HTTP/1.1", "GET /i/[hidden]/x HTTP/1.1"),
        ("GET /alerts/mute/a:b:c/", "GET /alerts/mute/[hidden]/"),
        ("GET /accounts/password/key/1-abc/x/", "GET /accounts/password/key/[hidden]/x/"),
        ("i/o error", "i/o error"),
        ("Authorization: Bearer abc", "Authorization: Bearer [hidden]"),
        ("the rate of images is 2/s. Why?", "the rate of images is 2/s. Why?"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_outside_of_requests_too(text, shown):
    assert hide(text) == shown


@pytest.mark.django_db
def test_lines_are_json_and_name_the_request_that_the_answer_names(client):
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    answer = client.get("/nowhere/", headers={"X-Request-ID": "chosen-by-the-client"})
    another = client.get("/livez")
    logging.getLogger().removeHandler(handler)
    line, refusal = [json.loads(line) for line in text.getvalue().splitlines()]
    assert line["request"] == refusal["request"] == answer["X-Request-ID"] != "chosen-by-the-client"
    assert (line["status"], line["method"], line["level"]) == (404, "GET", "info")
    assert (refusal["logger"], refusal["level"]) == ("django.request", "warning")
    assert another["X-Request-ID"] != answer["X-Request-ID"]


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("/livez/no", "GET /(no such address) 404"),
        ("/static/css/base.css", "GET /(no view) 200"),
        ("/studies/gone/", "GET /studies/<slug:slug>/ 404"),
        ("/accounts/password/key/1-CANARY/", "GET /accounts/password/key/<uidb36>-<key>/ 200"),
    ],
)
@pytest.mark.django_db
def test_requests_are_logged_by_the_pattern_of_their_address(client, log, address, line):
    client.get(address).close()
    assert line in log.getvalue()
    assert "CANARY" not in log.getvalue()


@pytest.fixture
def broker() -> Iterator[Celery]:
    """An application of its own, with a broker in memory; Celery's test worker makes it the current one."""
    yield Celery("a broker in memory", broker="memory://", set_as_current=False)
    app.set_current()
    app.set_default()


def test_lines_of_a_task_name_it_and_the_request_that_caused_it(broker, tmp_path, monkeypatch):
    """Sent while a request is answered, worked on when that is long over."""
    monkeypatch.setattr(celery_signals, "ALIVE", tmp_path / "alive")
    lines, drawn = [], threading.Event()

    @broker.task(name="draw")
    def draw() -> None:
        record = logging.LogRecord("attest", logging.WARNING, __file__, 1, "drawn", None, None)
        lines.append(json.loads(JsonLines().format(record)))
        if len(lines) == 2:
            drawn.set()

    context.request_id.set("request-5")
    first = broker.send_task("draw")
    context.request_id.set("")
    second = broker.send_task("draw")
    with start_worker(broker, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        assert drawn.wait(30), lines
    assert [(line["task"], line.get("request")) for line in lines] == [(first.id, "request-5"), (second.id, None)]
    assert (tmp_path / "alive").exists()
