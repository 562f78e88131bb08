"""What a real Sentry client sends of a failing request, received by a server of ours."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CANARY = "canary0123456789canary"
# A site whose rating page fails, quoting whatever it was asked with; then something logs an error of its own.
SITE = """
import logging
import sys

import django
from django.conf import settings

django.setup()

import sentry_sdk
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from annotation_site import urls

canary = sys.argv[1]


def fail(request: HttpRequest, token: str) -> None:
    identity = request.GET["PROLIFIC_PID"]
    raise RuntimeError(f"cannot serve /rate/{token}/ to {token}\\nDETAIL:  Failing row contains ({canary[::-1]}).")


urls.urlpatterns.insert(0, path("rate/<slug:token>/", fail))
settings.ALLOWED_HOSTS = ["testserver"]
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = canary
logging.getLogger("attest").warning("before it: %s", canary)
answer = client.post(f"/rate/{canary}/?PROLIFIC_PID={canary}", {"value": canary},
                     headers={"Authorization": f"Bearer {canary}"})
logging.getLogger("attest").error("Bearer %s was refused at /rate/%s/", canary, canary)
sentry_sdk.flush(10)
print(answer.status_code, answer["X-Request-ID"])
"""


class Ingest(BaseHTTPRequestHandler):
    """Keeps the events that it is sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.bodies.append(body.decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def ingest() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
    server.bodies = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_failures_are_told_without_anyones_data(ingest, tmp_path):
    environment = os.environ | {
        "SENTRY_DSN": f"http://key@127.0.0.1:{ingest.server_port}/7",
        "DJANGO_SETTINGS_MODULE": "annotation_site.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}",
        "ATTEST_DATA": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", SITE, CANARY], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, request = done.stdout.split()
    assert status == "500"
    events = [json.loads(line) for body in ingest.bodies for line in body.splitlines() if '"event_id"' in line]
    failed, logged = [event for event in events if "level" in event]
    assert failed["exception"]["values"][-1]["value"] == ("cannot serve /rate/[hidden]/ to [hidden]\nDETAIL: [hidden]")
    assert failed["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert (failed["tags"], failed["environment"]) == ({"request": request}, "demo")
    assert logged["logentry"] == {"message": "Bearer [hidden] was refused at /rate/[hidden]/"}
    assert "canary" not in "".join(ingest.bodies)
    assert CANARY[::-1] not in "".join(ingest.bodies)
