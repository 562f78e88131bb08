"""Every program and command of docs/api.md, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from annotation_site.rating.assignment import database_now
from annotation_site.rating.models import Judgement
from annotation_site.studies.models import Study
from annotation_site.webhooks.changes import new_secret, register
from annotation_site.webhooks.models import Delivery, Event
from annotation_site.webhooks.sending import deliver
from tests.annotation_site.api.researchers import Research, researcher
from tests.annotation_site.processes import database_url, free_port

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def program_file(tmp_path):
    """``program_file("client.py")``: the program of the page, in a file."""

    def write(name: str) -> Path:
        path = tmp_path / name
        path.write_text(PROGRAMS[name], encoding="utf-8")
        return path

    return write


def run(*command, data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": database_url(), "ATTEST_DATA": str(data), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment | variables, capture_output=True, text=True, timeout=60, check=False, cwd=data
    )


def test_nothing_on_the_page_is_left_out():
    assert PAGE.count("```python") == len(PROGRAMS) == 3
    assert [command.split()[0] for command in COMMANDS] == ["curl", "python", "python"]


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_it_rates_a_study_to_the_end(make_study, live_server, program_file):
    study = make_study(items=2)
    done = subprocess.run(
        [sys.executable, program_file("client.py"), live_server.url, study.slug],
        input="yes\n5\nimage_too_poor\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert f"Your completion code: {study.completion_code}" in done.stdout
    given = set(Judgement.objects.counted().values_list("rating", "opt_out"))
    assert given == {(5, ""), (None, "image_too_poor")}


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_the_researchers_program_and_the_shells_lines(make_study, live_server, program_file, tmp_path):
    token = Research(researcher("ada", make_study(items=2))).token
    site = {"ATTEST_SITE": live_server.url, "ATTEST_TOKEN": token}
    asked = run("sh", "-ec", COMMANDS[0], data=tmp_path, **site)
    assert '"slug":"study"' in asked.stdout
    for command in COMMANDS[1:]:
        line = command.replace("python manage.py", f"{sys.executable} {ROOT / 'manage.py'}")
        done = run("sh", "-ec", line, data=tmp_path)
        assert done.returncode == 0, done.stderr
    read = run(sys.executable, program_file("read.py"), data=tmp_path, **site)
    assert read.stderr == ""
    assert read.stdout.splitlines() == [
        "study 0 of 6",
        "0 judgements count",
        "404: There is no study 'no-such-study' that this token may use.",
    ]
    assert list(Study.objects.values_list("state", "break_every")) == [("paused", 20)]


@pytest.mark.django_db
def test_the_receiver_takes_what_is_signed_once(make_study, program_file):
    study, port, now = make_study(items=1), free_port(), database_now()
    owner = researcher("ada", study)
    webhook, secret = register(owner, address=f"http://127.0.0.1:{port}/", events=[Event.CLOSED])
    sent = Delivery.objects.create(
        webhook=webhook, study=study, event=Event.CLOSED, key="test", data={"state": "closed"}, happened_at=now,
        due_at=now - timedelta(seconds=1),
    )  # fmt: skip
    environment = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, program_file("receiver.py")],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as receiver:  # fmt: skip
        try:
            # It takes a moment to listen: until then nobody is there.
            while not deliver(sent.pk):
                Delivery.objects.filter(pk=sent.pk).update(attempts=0, due_at=now - timedelta(seconds=1))
            sent.again(now)
            assert deliver(sent.pk) is True
            new_secret(webhook)
            sent.again(now)
            assert deliver(sent.pk) is False
        finally:
            receiver.terminate()
        said = receiver.stdout.read()
    assert said == "study.closed study {'state': 'closed'}\n"
    assert Delivery.objects.get().last_status == 401
