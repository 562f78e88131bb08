"""Generation by processes of their own: killed ones, two at once, and a Celery worker on a real Redis."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.utils import timezone

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.building import Stimulus, build_study
from attribution import records

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
REDIS = "redis://127.0.0.1:6379/13"
PATIENCE = 120.0


def study_of(count: int):
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=4, height=64, width=64))
    stimuli = []
    for number in range(count):
        text = f"star {number}"
        word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
        stimuli.append(Stimulus(records.Prompt(text, (word,), source_id=str(number)), 0))
    return build_study(slug="study", title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def database_url() -> str:
    """The test database as another process reaches it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    credentials = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    return f"postgres://{credentials}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process on the test database and a folder of its own; none outlives the test."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "ATTEST_DATA": str(tmp_path),
        "CELERY_BROKER_URL": REDIS,
        "DJANGO_SETTINGS_MODULE": "annotation_site.settings",
    }
    running: list[subprocess.Popen[str]] = []

    def run(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look every twentieth of a second; fail with the process's output when it takes too long or ends early."""
    for _ in range(int(PATIENCE * 20)):
        if condition():
            return
        if process.poll() is not None and not condition():
            pytest.fail(f"the process ended with {process.returncode}:\n{process.communicate()[0]}")
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


def test_a_killed_process_leaves_nothing_half_done_and_the_next_goes_on(start, tmp_path):
    study_of(12)
    first = start("manage.py", "precompute", "study", "--batch-size", "1")
    wait_until(lambda: done() >= 3, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert_files_match_rows(tmp_path / "media")
    survived = dict(Generation.objects.filter(state="done").values_list("pk", "done_at"))
    assert 3 <= len(survived) < 12
    second = start("manage.py", "precompute", "study")
    output, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, output
    assert f"{12 - len(survived)} made now; 12 done" in output
    assert dict(Generation.objects.filter(pk__in=survived).values_list("pk", "done_at")) == survived
    assert_files_match_rows(tmp_path / "media")


def test_two_processes_share_the_queue_and_make_each_image_once(start, tmp_path):
    study_of(10)
    both = [start("manage.py", "precompute", "study", "--batch-size", "2") for _ in range(2)]
    made = 0
    for process in both:
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
        made += int(output.rpartition("study: ")[2].split(" ")[0])
    assert made == done() == 10
    assert set(Generation.objects.values_list("attempts", flat=True)) == {1}
    assert_files_match_rows(tmp_path / "media")


def test_the_loop_takes_over_at_once_what_a_dead_process_held_and_ends_when_nothing_is_left(start, tmp_path):
    study_of(2)
    gone = f"{socket.gethostname()}:999999999"
    Generation.objects.update(state="claimed", claimed_by=gone, claimed_until=timezone.now() + timedelta(hours=1))
    loop = start("manage.py", "work", "--until-empty")
    output, _ = loop.communicate(timeout=PATIENCE)
    assert loop.returncode == 0, output
    assert done() == 2
    assert_files_match_rows(tmp_path / "media")


def redis_answers() -> bool:
    try:
        return bool(redis.Redis.from_url(REDIS).ping())
    except redis.ConnectionError:
        return False


@pytest.mark.xdist_group("redis")
def test_a_celery_worker_makes_what_is_queued_and_a_message_sent_twice_changes_nothing(start, tmp_path):
    if not redis_answers():
        pytest.skip(f"no Redis answers at {REDIS}")
    redis.Redis.from_url(REDIS).flushdb()
    study_of(6)
    rings = start("manage.py", "precompute", "study", "--batch-size", "2", "--celery", "2")
    output, _ = rings.communicate(timeout=PATIENCE)
    assert "Rang for 2 workers: 6 generations of 'study' to make." in output, output
    worker = start("-m", "celery", "-A", "annotation_site", "worker", "--pool=solo", "--loglevel=info")
    wait_until(lambda: done() == 6, worker)
    os.killpg(worker.pid, signal.SIGTERM)
    worker.communicate(timeout=PATIENCE)
    assert set(Generation.objects.values_list("attempts", flat=True)) == {1}
    assert_files_match_rows(tmp_path / "media")
    redis.Redis.from_url(REDIS).flushdb()
