"""The processes of docker-compose.yml, started by its own commands on a real PostgreSQL and a real Redis."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.db import connection
from kombu import Connection

from annotation_site.celery import app
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.assignment import claim_next, database_now
from annotation_site.rating.models import Seat
from annotation_site.stimuli import bell
from annotation_site.stimuli.models import Generation, Recipe, Worker
from annotation_site.studies.building import Stimulus, build_study
from attribution import records
from tests.annotation_site.operations import compose
from tests.annotation_site.processes import database_url, free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("redis")]
REDIS = "redis://127.0.0.1:6379/12"
PATIENCE = 120.0
SECRET = "a-secret-of-more-than-fifty-characters-made-up-for-this-test-alone-0123456789"
VARIABLES = {"SECRET_KEY": SECRET, "POSTGRES_PASSWORD": "unused", "ATTEST_HOST": "attest.example"}


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    if connection.vendor != "postgresql":
        pytest.skip("production needs PostgreSQL: set DATABASE_URL")
    server = redis.Redis.from_url(REDIS)
    try:
        server.flushdb()
    except redis.ConnectionError:
        pytest.skip(f"no Redis answers at {REDIS}")
    yield server
    server.flushdb()


class Service:
    """One service's process, with what it has written so far."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        described = compose.services()[name]
        self.temporary = folder / f"tmp-{name}"
        self.temporary.mkdir()
        (folder / "static").mkdir(exist_ok=True)
        self.environment = os.environ | compose.environment(name, VARIABLES) | {
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": REDIS,
            "CACHE_URL": "locmemcache://",
            "ATTEST_DATA": str(folder),
            "METRICS_TOKEN": "token-of-prometheus",
            "WEB_CONCURRENCY": "1",
            "PORT": str(port),
            "TMPDIR": str(self.temporary),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        command = [part.replace("/tmp/", f"{self.temporary}/") for part in described["command"]]  # noqa: S108
        self.probe = described.get("healthcheck", {}).get("test", [])[1:]
        self.output: list[str] = []
        self.process = subprocess.Popen(
            command, cwd=compose.ROOT, env=self.environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(self.process.stdout)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE * 20)):
            if condition():
                return
            if self.process.poll() is not None:
                pytest.fail(f"ended with {self.process.returncode}:\n{''.join(self.output)}")
            threading.Event().wait(0.05)
        pytest.fail(f"nothing happened for too long:\n{''.join(self.output)}")

    def says(self, text: str) -> bool:
        return any(text in line for line in list(self.output))

    def is_healthy(self) -> bool:
        return subprocess.run(self.probe, env=self.environment, cwd=compose.ROOT, check=False).returncode == 0

    def end(self) -> int:
        """Tell the main process to stop, as an engine does, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        return self.process.returncode

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(timeout=PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start(broker, tmp_path) -> Iterator[Callable[[str], Service]]:
    running: list[Service] = []
    port = free_port()

    def run(name: str) -> Service:
        running.append(Service(name, tmp_path, port))
        return running[-1]

    yield run
    for service in running:
        service.kill()


def ask(service: Service, path: str, **headers: str) -> tuple[int, str]:
    address = f"http://127.0.0.1:{service.environment['PORT']}{path}"
    request = urllib.request.Request(address, headers={"Host": "attest.example", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_web_process_is_ready_counts_and_finishes_what_it_answers(start):
    web = start("web")
    web.wait_until(lambda: web.says("Booting worker"))
    web.wait_until(web.is_healthy)
    assert json.loads(ask(web, "/readyz")[1])["parts"] == {"database": "ok", "migrations": "ok", "storage": "ok"}
    assert ask(web, "/metrics")[0] == 403
    status, text = ask(web, "/metrics", Authorization="Bearer token-of-prometheus")
    assert (status, "attest_queue_length 0" in text) == (200, True)
    ask(web, "/rate/canary0123456789/heartbeat/?key=canary", **{"X-Forwarded-Proto": "https"})
    assert answered_while_stopping(web).startswith("HTTP/1.1 4")
    assert web.end() == 0
    lines = [json.loads(line) for line in web.output]
    messages = [line["message"] for line in lines]
    assert any(message.startswith("GET /rate/<slug:token>/heartbeat/ ") for message in messages), messages
    assert "canary" not in "".join(web.output)
    assert "token-of-prometheus" not in "".join(web.output)


def answered_while_stopping(web: Service) -> str:
    """The answer to a request whose body comes only after the server was told to stop."""
    body = b'{"study": "none"}'
    head = (
        "POST /api/v1/enrolments/ HTTP/1.1\r\nHost: attest.example\r\nX-Forwarded-Proto: https\r\n"
        f"X-Forwarded-For: 192.0.2.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(web.environment["PORT"])), timeout=30) as line:
        line.sendall(head.encode() + body[:1])
        # Another request is answered after it: by then the first has been taken up.
        assert ask(web, "/livez")[0] == 200
        web.process.send_signal(signal.SIGTERM)
        web.wait_until(lambda: web.says("Handling signal: term"))
        line.sendall(body[1:])
        return line.recv(65536).decode()


def queue(count: int, slug: str = "study") -> None:
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=4, height=64, width=64))
    word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
    stimuli = [Stimulus(records.Prompt(f"star {n}", (word,), source_id=str(n)), 0) for n in range(count)]
    build_study(slug=slug, title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def test_a_worker_draws_what_is_queued_unasked_and_told_to_stop_gives_back_what_it_has_not_made(start):
    queue(30)
    worker, beat = start("worker-cpu"), start("beat")
    worker.wait_until(lambda: Generation.objects.filter(state="done").exists())
    assert worker.end() == 0
    assert worker.is_healthy()
    states = Counter(Generation.objects.values_list("state", flat=True))
    assert states.keys() == {"done", "queued"}, states
    assert Worker.objects.get(kind="celery").stopped_at is not None
    assert all("task" in json.loads(line) for line in worker.output if "Task " in line and "succeeded" in line)
    beat.wait_until(beat.is_healthy)
    assert beat.end() == 0
    assert not (compose.ROOT / "celerybeat-schedule").exists()


@pytest.fixture
def sent(broker) -> Iterator[Callable[[str], None]]:
    """Send a task as beat does, to the broker of these processes."""
    with Connection(REDIS) as line:
        yield lambda name: app.send_task(name, connection=line, expires=60)


def asked_by_doctor(service: Service) -> str:
    code = "from annotation_site.operations.doctor import CHECKS; print(CHECKS['tasks']('tasks').level)"
    command = ["python", "manage.py", "shell", "--verbosity", "0", "--command", code]
    return subprocess.check_output(command, env=service.environment, cwd=compose.ROOT, text=True).strip()


def test_the_sites_own_tasks_go_on_while_no_worker_draws(start, sent, make_study):
    now = database_now()
    enrolment = Enrolment.objects.create(
        rater=Rater.objects.create(), study=make_study(), locale="en", consent_version="1", consented_at=now
    )
    assert claim_next(enrolment, rng=random.Random(0), now=now - timedelta(days=1))
    queue(1, "another")
    tasks = start("tasks")
    tasks.wait_until(lambda: tasks.says("ready."))
    sent(bell.WORK)
    sent("annotation_site.worker.tasks.release_leases")
    tasks.wait_until(lambda: not Seat.objects.filter(state="leased").exists())
    assert asked_by_doctor(tasks) == "ok"
    assert tasks.is_healthy()
    assert tasks.end() == 0
    assert asked_by_doctor(tasks) == "warn"
    # What is to be drawn waits for a worker that draws, and this process counts as none.
    assert Generation.objects.get(state="queued").attempts == 0
    assert not Worker.objects.exists()


def test_a_worker_that_draws_leaves_the_sites_tasks_to_others_and_is_one_process(start, sent):
    queue(1)
    worker = start("worker-cpu")
    sent("annotation_site.webhooks.tasks.sweep_webhooks")
    worker.wait_until(lambda: Generation.objects.filter(state="done").exists())
    worker.end()
    assert not worker.says("sweep_webhooks[")
    command = ["celery", "-A", "annotation_site", "worker", "--pool=threads", "--queues=drawing,site"]
    refused = subprocess.run(
        command, env=worker.environment, cwd=compose.ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "takes one process" in refused.stderr


def test_migrate_ends_and_says_that_there_is_nothing_to_do(start):
    migrate = start("migrate")
    assert migrate.process.wait(timeout=PATIENCE) == 0
    migrate.reader.join(timeout=PATIENCE)
    assert migrate.says("No migrations to apply"), shlex.join(migrate.output)
