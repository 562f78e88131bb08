"""Redis is killed and comes back: the cache serves throughout, and raters notice nothing."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from annotation_site.caching import SharedCache
from annotation_site.celery import app
from annotation_site.operations import doctor
from annotation_site.payments import queue
from annotation_site.rating.models import Judgement
from annotation_site.stimuli import bell
from annotation_site.webhooks.models import Delivery
from annotation_site.webhooks.tasks import send_delivery, send_soon
from tests.annotation_site import redis_server
from tests.annotation_site.processes import free_port


@pytest.fixture
def server(settings, monkeypatch):
    with redis_server.running() as running:
        settings.CACHES = {"default": {"BACKEND": "annotation_site.caching.SharedCache", "LOCATION": running.url}}
        monkeypatch.setattr(SharedCache, "_away_until", 0.0)
        yield running


def back() -> None:
    """The pause after which Redis is asked again is over."""
    SharedCache._away_until = 0.0


def test_what_is_shared_is_in_redis_and_each_process_has_its_own_memory_while_that_is_away(server):
    other = SharedCache(server.url, {})
    cache.set("a", 1)
    assert other.get("a") == 1
    server.kill()
    assert cache.get("a", "nothing") == "nothing"
    cache.set_many({"a": 2, "b": 3})
    assert cache.get_many(["a", "b"]) == {"a": 2, "b": 3}
    assert (cache.add("a", 9), cache.incr("a"), cache.touch("a"), cache.has_key("a")) == (False, 3, True, True)
    cache.delete_many(["a"])
    assert cache.delete("b")
    assert cache.get_or_set("c", lambda: 7) == 7
    assert not cache.answers()
    assert next(each for each in doctor.examine() if each.name == "cache").level == "warn"
    server.start()
    back()
    assert cache.answers()
    assert cache.get("c") is None
    cache.clear()
    cache.set("a", 4)
    assert other.get("a") == 4


@pytest.mark.django_db
def test_raters_go_on_by_the_pages_and_by_the_api(server, make_study, settings):
    settings.RATES = {**settings.RATES, "rater": "6/min"}
    make_study(items=6)
    client = Client()
    link = client.post("/studies/study/", {"consent": "yes"})["Location"]

    def rate() -> None:
        page = client.get(link)
        fields = dict(re.findall(r'name="(ticket|key)" value="([^"]+)"', page.text))
        assert client.post(link, fields | {"answer": "4"}).status_code == 302

    token = link.split("/")[2]
    ask = {"content_type": "application/json", "headers": {"Authorization": f"Bearer {token}"}}
    rate()
    server.kill()
    rate()
    rate()
    assert [client.post("/api/v1/seats/", {}, **ask).status_code for _ in range(7)] == [200] * 6 + [429]
    server.start()
    back()
    rate()
    assert Judgement.objects.count() == 4


def test_what_a_bell_names_is_a_task():
    app.loader.import_default_modules()
    assert {bell.RING, bell.WORK, queue.RUN, send_delivery.name} <= set(app.tasks)


@pytest.fixture
def broker(monkeypatch):
    """``broker(url)``: the messages of this process go there."""

    def use(url: str) -> None:
        monkeypatch.setattr(app.conf, "broker_url", url)
        app._after_fork()  # forgets the connections that it has

    yield use
    monkeypatch.undo()
    app._after_fork()


@pytest.mark.django_db(transaction=True)
def test_a_bell_without_a_broker_is_heard_by_nobody_and_breaks_nothing(broker):
    broker(f"redis://127.0.0.1:{free_port()}/0")
    assert bell.ring() is False
    queue.ring()
    send_soon(Delivery(pk=7))


@pytest.mark.django_db(transaction=True)
def test_a_bell_is_heard_with_its_task_and_its_row(broker):
    broker("memory://")
    with app.connection_for_read() as connection:
        heard = connection.SimpleQueue(app.conf.task_default_queue)
        heard.clear()
        with transaction.atomic():
            send_soon(Delivery(pk=7))
            queue.ring()
        messages = [heard.get(timeout=5) for _ in range(2)]
    # What waits for the commit comes after what does not.
    told = [(message.headers["task"], message.payload[0]) for message in messages]
    assert told == [(queue.RUN, []), (send_delivery.name, [7])]
