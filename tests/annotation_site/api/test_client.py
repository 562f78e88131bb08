"""docs/client/attest_client.py : what is there is what the schema gives, and it works against a real server."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from annotation_site.rating.models import Judgement
from annotation_site.studies.models import Study
from tests.annotation_site.api.researchers import Research, researcher
from tests.annotation_site.api.test_research_writing import new_study
from tests.annotation_site.conftest import give_files

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docs" / "client" / "attest_client.py"


@pytest.fixture(scope="module")
def client_module():
    spec = importlib.util.spec_from_file_location("attest_client", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_the_client_of_this_schema(tmp_path):
    call_command("api_client", out=tmp_path / "client.py", stdout=io.StringIO())
    assert (tmp_path / "client.py").read_bytes() == FILE.read_bytes(), "run manage.py api_client --out " + str(FILE)


def test_its_types_are_strict(tmp_path):
    """A program that uses it is checked with it; one that misspells a field is told so."""
    good = 'study = Attest("").get_study("a")\nprint(study["title"].upper())\n'
    bad = 'print(Attest("").get_study("a")["titel"])\n'
    program = tmp_path / "program.py"
    found = []
    for text in (good, bad):
        program.write_text(f"from attest_client import Attest\n{text}")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache/client'}",
             program, FILE],
            capture_output=True, text=True, check=False, cwd=FILE.parent,
        )  # fmt: skip
        found.append((done.returncode, "titel" in done.stdout))
    assert found == [(0, False), (1, True)], done.stdout


@pytest.fixture
def token(transactional_db):
    return Research(researcher()).token


def test_a_study_from_nothing_to_its_report(client_module, live_server, token):
    with client_module.Attest(live_server.url, token) as attest:
        made = attest.create_study(new_study(cap_share=1.0))
        assert made["state"] == "draft"
        for generation in Study.objects.get().items.all():
            give_files(generation.generation)
        assert attest.get_study("new") == made
        assert attest.update_study("new", {"title": "Newer"})["title"] == "Newer"
        assert attest.open_study("new")["state"] == "open"
        assert attest.get_progress("new")["places"]["free"] == 4
        with client_module.Attest(live_server.url, attest.add_simulated_rater("new")["token"]) as rater:
            while (turn := rater.claim())["status"] == "rate":
                rater.judge(turn["seat"]["id"], {"ticket": turn["seat"]["ticket"], "answer": ["4"]})
        rows = list(attest.iter_judgements("new", limit=1, simulated=True))
        assert [row["answer"] for row in rows] == [["4"], ["4"]]
        assert attest.list_judgements("new", counted=True)["results"] == []
        assert attest.get_report("new", simulated=True)["totals"]["simulated"] == 2
    assert Judgement.objects.count() == 2


def test_errors_name_what_is_wrong(client_module, live_server, token):
    with client_module.Attest(live_server.url, token) as attest:
        with pytest.raises(client_module.ApiError, match="404") as caught:
            attest.get_study("nothing")
        assert caught.value.status == 404
        with pytest.raises(client_module.ApiError) as caught:
            attest.create_study(new_study(kind="opinion"))
        assert list(caught.value.errors) == ["kind"]
        with pytest.raises(LookupError, match="before you change it"):
            attest.update_study("nothing", {"title": "A"})


def test_it_waits_when_it_is_told_to(client_module, live_server, token, settings):
    settings.RATES = {**settings.RATES, "researcher": "1/hour"}
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        settings.RATES = {**settings.RATES, "researcher": "100/hour"}

    with client_module.Attest(live_server.url, token, sleep=sleep) as attest:
        assert attest.list_studies()["results"] == []
        assert attest.list_studies()["results"] == []
    assert len(waited) == 1
    assert 3000 < waited[0] <= 3600


@contextmanager
def losing(site: str) -> Iterator[str]:
    """A door to the site that carries the first request out and loses its reply."""
    lost = threading.Event()

    class Door(BaseHTTPRequestHandler):
        def _carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            reply = httpx.request(self.command, f"{site}{self.path}", content=body, headers=headers)
            if not lost.is_set():
                lost.set()
                self.close_connection = True
                return
            self.send_response(reply.status_code)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = _carry  # noqa: N815 - the base class names them

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_lost_reply_makes_no_second_study(client_module, live_server, token):
    waited = []
    with losing(live_server.url) as door, client_module.Attest(door, token, sleep=waited.append) as attest:
        assert attest.create_study(new_study())["slug"] == "new"
    assert (len(waited), Study.objects.count()) == (1, 1)


def test_what_cannot_be_repeated_is_not(client_module, live_server, token):
    with (
        losing(live_server.url) as door,
        client_module.Attest(door, token, sleep=lambda seconds: None) as attest,
        pytest.raises(httpx.TransportError),
    ):
        attest.open_study("nothing")
