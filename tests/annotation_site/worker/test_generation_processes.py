"""Generation by processes of their own: killed ones, stopped ones, two at once, and Celery on a Redis that dies."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from kombu import Connection

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe, Worker
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.worker import tasks
from attribution import records
from tests.annotation_site import processes, redis_server

pytestmark = pytest.mark.django_db(transaction=True)
DYING = Path(__file__).with_name("dying.py")
PATIENCE = 120.0
IN_HAND = 32
"""As many as a worker claims at once: more than it makes before it is told to stop."""


def study_of(count: int, slug: str = "study"):
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=2, height=64, width=64))
    stimuli = []
    for number in range(count):
        text = f"star {number} of {slug}"
        word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
        stimuli.append(Stimulus(records.Prompt(text, (word,), source_id=str(number)), 0))
    return build_study(slug=slug, title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., processes.Process]]:
    """Start a process on the test database and a folder of its own; none outlives the test."""
    running: list[processes.Process] = []

    def run(*command: object, **environment: str) -> processes.Process:
        running.append(processes.start(sys.executable, *command, data=tmp_path, **environment))
        return running[-1]

    yield run
    for process in running:
        process.kill_group()


def wait_until(condition: Callable[[], bool], process: processes.Process) -> None:
    """Look every twentieth of a second; fail with the process's output when it takes too long or ends early."""
    for _ in range(int(PATIENCE * 20)):
        if condition():
            return
        if process.poll() is not None and not condition():
            pytest.fail(f"the process ended with {process.returncode}:\n{process.said()}")
        threading.Event().wait(0.05)
    pytest.fail("nothing happened for too long")


def done() -> int:
    return Generation.objects.filter(state="done").count()


def assert_files_match_rows(media: Path) -> None:
    storage = FileSystemStorage(media)
    rows = Generation.objects.filter(state="done")
    for row in rows:
        assert files.sha256(files.read(row.image.name, storage)) == row.image_sha256
        assert files.sha256(files.read(row.maps.name, storage)) == row.maps_sha256
    assert not Generation.objects.exclude(state="done").filter(image__gt="").exists()


def states() -> dict[str, int]:
    return dict(Counter(Generation.objects.values_list("state", flat=True)))


def test_a_worker_killed_between_two_files_leaves_nothing_half_done_and_two_share_the_rest(start, tmp_path):
    study_of(10)
    first = start(DYING, 5)
    assert first.wait(PATIENCE) == -signal.SIGKILL, first.said()
    # The first image has its three files and its row; of the second's, two are there, whole, and no row has them.
    assert states() == {"done": 1, "claimed": 9}
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 5
    assert_files_match_rows(tmp_path / "media")
    [survived] = Generation.objects.filter(state="done").values_list("pk", "done_at")
    others = [start("manage.py", "precompute", "study", "--batch-size", "2") for _ in range(2)]
    made = 0
    for process in others:
        output = process.said(PATIENCE)
        assert process.returncode == 0, output
        made += int(output.rpartition("study: ")[2].split(" ")[0])
    assert made == 9
    assert states() == {"done": 10}
    assert Generation.objects.values_list("pk", "done_at").get(pk=survived[0]) == survived
    assert Counter(Generation.objects.values_list("attempts", "deaths")) == {(1, 0): 1, (2, 1): 9}
    assert_files_match_rows(tmp_path / "media")
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 30


def assert_told_to_stop(worker: processes.Process, before: int, media: Path) -> None:
    """It ends well, with what it has finished done and all else queued, without anybody waiting for a lease."""
    wait_until(lambda: done() > before, worker)
    os.kill(worker.pid, signal.SIGTERM)
    output = worker.said(PATIENCE)
    assert worker.returncode == 0, output
    left = states()
    assert set(left) == {"done", "queued"}
    assert left["done"] > before
    assert not Generation.objects.exclude(claimed_by="").exists()
    assert Generation.objects.aggregate(most=Max("attempts")) == {"most": 1}
    assert not Worker.objects.filter(stopped_at__isnull=True).exists()
    assert_files_match_rows(media)


def test_a_loop_takes_over_from_the_dead_at_once_and_told_to_stop_gives_back_at_once(start, tmp_path):
    study_of(IN_HAND)
    gone = f"{socket.gethostname()}:999999999"
    Generation.objects.update(state="claimed", claimed_by=gone, claimed_until=timezone.now() + timedelta(hours=1))
    worker = start("manage.py", "work")
    assert_told_to_stop(worker, 0, tmp_path / "media")


@pytest.fixture
def redis_of_its_own() -> Iterator[redis_server.Server]:
    with redis_server.running() as server:
        yield server


def send_twice(url: str) -> None:
    """The very same message, as a broker that was restarted may deliver it."""
    with Connection(url) as broker:
        for _ in range(2):
            tasks.work.apply_async(task_id="the same", connection=broker)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="many processes of Celery go with PostgreSQL")
def test_celery_survives_its_redis_and_a_message_that_comes_twice_changes_nothing(start, tmp_path, redis_of_its_own):
    study_of(4, "first")
    celery = ("-m", "celery", "-A", "annotation_site", "worker", "--pool=solo", "--loglevel=info")
    worker = start(*celery, CELERY_BROKER_URL=redis_of_its_own.url)
    wait_until(lambda: done() == 4, worker)
    redis_of_its_own.kill()
    study_of(4, "second")
    redis_of_its_own.start()
    send_twice(redis_of_its_own.url)
    wait_until(lambda: done() == 8, worker)
    study_of(IN_HAND, "third")
    send_twice(redis_of_its_own.url)
    assert_told_to_stop(worker, 8, tmp_path / "media")
