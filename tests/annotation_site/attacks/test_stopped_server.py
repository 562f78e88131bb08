"""The web server is told to stop while an answer is being stored: it is stored, and said to be, before it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement
from tests.annotation_site.attacks.killing import FIELD, clients_of, server, submission
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db(transaction=True)
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def someone_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])


def test_a_request_under_way_is_finished(make_study, tmp_path):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite does not tell who waits for a lock")
    study = make_study(items=2)
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    with server(tmp_path, workers=1) as (port, master), ThreadPoolExecutor(1) as thread:
        [client] = clients_of([rater.token], port)
        link = f"/rate/{rater.token}/"
        fields = dict(FIELD.findall(client.insist(link, None, {}).body))
        with transaction.atomic():
            Enrolment.objects.select_for_update().get(pk=rater.pk)
            reply = thread.submit(client.insist, link, *submission(fields, 4))
            while not someone_waits():
                assert not threading.Event().wait(0.02)
                assert time.monotonic() < client.deadline
            os.kill(master.pid, signal.SIGTERM)
        assert reply.result().status == 302
        assert (client.broken, set(client.statuses)) == ([], {200, 302}), "the first attempt was not answered"
        assert master.wait(timeout=60) == 0
    assert Judgement.objects.get().rating == 4
    assert_invariants(study)
