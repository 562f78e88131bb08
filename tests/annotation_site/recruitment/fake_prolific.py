"""Prolific's API as a real HTTP server with a state of its own, which can fail in every way that money fears.

Written after docs.prolific.com: transitions of submissions are the same when sent twice, paying a bonus is not.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "fake-token"
ACTIONS = {"PUBLISH": "ACTIVE", "START": "ACTIVE", "PAUSE": "PAUSED", "STOP": "AWAITING REVIEW"}
CATEGORIES = {"FAILED_CHECK", "LOW_EFFORT", "OTHER", "TOO_QUICKLY"}


class Failure(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """``how``: a status (500), "500 after" and "lost" (after it had its effect), "silent" (lost, by no answer)."""

    what: str
    how: str
    retry_after: str = "0"
    times: int = 1


@dataclass
class FakeProlific:
    studies: dict[str, dict[str, Any]] = field(default_factory=dict)
    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    bulk: dict[str, tuple[str, int]] = field(default_factory=dict)
    paid: list[tuple[str, int]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    pays_later: bool = False

    def __post_init__(self) -> None:
        self.lock, self.released = threading.RLock(), threading.Event()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "key-1"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=10)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/api/v1/"

    def fail(self, what: str, how: str, **more: Any) -> None:
        """The next request whose "METHOD path" matches fails so."""
        self.faults.append(Fault(what, how, **more))

    def count(self, what: str) -> int:
        return sum(bool(re.search(what, request)) for request in self.requests)

    def add(
        self,
        number: str,
        *,
        participant: str,
        study: str = "STUDY1",
        status: str = "AWAITING REVIEW",
        started_at: str | None = None,
    ) -> None:
        row = {"id": number, "participant": participant, "study_id": study, "status": status, "entered_code": "DONE"}
        self.submissions[number] = row | {"started_at": started_at, "bonus_payments": []}

    def sign(self, *, kid: str | None = None, algorithm: str = "RS256", key: Any = None, **claims: Any) -> str:
        key = self.key if key is None else key
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid or self.kid})

    def settle(self) -> None:
        """Bonuses are paid some minutes after Prolific was told to."""
        for number, amount in self.paid:
            listed = self.submissions[number]["bonus_payments"]
            if listed.count(amount) < self.paid.count((number, amount)):
                listed.append(amount)

    # What the API does.

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        for pattern, act in _ROUTES:
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                return act(self, *found.groups(), query=query, body=body)
        raise Failure(404, f"nothing at {path}")

    def create(self, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        missing = {"name", "description", "reward", "completion_codes", "external_study_url"} - set(body)
        if missing or not body["description"]:
            raise Failure(400, f"missing: {sorted(missing) or 'description'}")
        number = f"STUDY{len(self.studies) + 1}"
        self.studies[number] = body | {"id": number, "status": "UNPUBLISHED"}
        return 201, self.studies[number]

    def listed(self, *, query: Any, body: Any) -> tuple[int, Any]:
        shown = ("id", "name", "internal_name", "status")
        return 200, {"results": [{name: study[name] for name in shown} for study in self.studies.values()]}

    def one_study(self, number: str, *, query: Any, body: Any) -> tuple[int, Any]:
        return 200, _known(self.studies, number)

    def move_study(self, number: str, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        study, action = _known(self.studies, number), body["action"]
        allowed = {"UNPUBLISHED": {"PUBLISH"}, "ACTIVE": {"PAUSE", "STOP"}, "PAUSED": {"START", "STOP"}}
        if action not in allowed.get(study["status"], set()):
            raise Failure(400, f"{action} is not possible while {study['status']}")
        study["status"] = ACTIONS[action]
        return 200, study

    def list_submissions(self, *, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        rows = [row for row in self.submissions.values() if row["study_id"] == query["study"][0]]
        size, page = int(query["page_size"][0]), int(query["page"][0])
        shown = ("id", "participant", "status", "study_id", "started_at", "entered_code")
        return 200, {"results": [{n: row[n] for n in shown} for row in rows[(page - 1) * size : page * size]]}

    def one_submission(self, number: str, *, query: Any, body: Any) -> tuple[int, Any]:
        if not self.pays_later:
            self.settle()
        return 200, _known(self.submissions, number)

    def move_submission(self, number: str, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        row, action = _known(self.submissions, number), body["action"]
        if action == "REJECT" and (len(body.get("message", "")) < 100 or body["rejection_category"] not in CATEGORIES):
            raise Failure(400, "a rejection needs a category and 100 characters")
        target = {"APPROVE": "APPROVED", "REJECT": "REJECTED", "COMPLETE": "SCREENED OUT"}[action]
        if row["status"] == target:
            return 200, row
        # Who ran out of time is approved like others (researcher-help.prolific.com, "Timed out submission status").
        if row["status"] not in {"AWAITING REVIEW", "ACTIVE", "TIMED-OUT"}:
            raise Failure(400, f"{action} is not possible while {row['status']}")
        row["status"] = target
        return 200, row

    def set_up(self, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        number, amount = body["csv_bonuses"].split(",")
        if _known(self.submissions, number)["study_id"] != body["study_id"]:
            raise Failure(400, f"{number} is not of this study")
        bulk = f"bulk-{len(self.bulk) + 1}"
        self.bulk[bulk] = (number, round(float(amount) * 100))
        return 201, {"id": bulk}

    def pay(self, bulk: str, *, query: Any, body: Any) -> tuple[int, Any]:
        self.paid.append(self.bulk[bulk])
        return 202, "is being processed asynchronously"

    def subscribe(self, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        number = f"hook-{len(self.subscriptions) + 1}"
        self.subscriptions[number] = body | {"confirmed": False}
        return 201, {"id": number}

    def confirm(self, number: str, *, query: Any, body: dict[str, Any]) -> tuple[int, Any]:
        self.subscriptions[number]["confirmed"] = body["secret"] == "hook-secret"
        return 200, {}

    def keys(self, *, query: Any, body: Any) -> tuple[int, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return 200, {"keys": [key | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}


def _known(rows: dict[str, dict[str, Any]], number: str) -> dict[str, Any]:
    if number not in rows:
        raise Failure(404, f"{number} is not there")
    return rows[number]


_ROUTES = [
    (r"POST /api/v1/studies/", FakeProlific.create),
    (r"GET /api/v1/studies/", FakeProlific.listed),
    (r"GET /api/v1/studies/([^/]+)/", FakeProlific.one_study),
    (r"POST /api/v1/studies/([^/]+)/transition/", FakeProlific.move_study),
    (r"GET /api/v1/submissions/", FakeProlific.list_submissions),
    (r"POST /api/v1/submissions/bonus-payments/", FakeProlific.set_up),
    (r"GET /api/v1/submissions/([^/]+)/", FakeProlific.one_submission),
    (r"POST /api/v1/submissions/([^/]+)/transition/", FakeProlific.move_submission),
    (r"POST /api/v1/bulk-bonus-payments/([^/]+)/pay/", FakeProlific.pay),
    (r"POST /api/v1/hooks/subscriptions/", FakeProlific.subscribe),
    (r"POST /api/v1/hooks/subscriptions/([^/]+)/", FakeProlific.confirm),
    (r"GET /.well-known/study/jwks.json", FakeProlific.keys),
]


def _handler(fake: FakeProlific) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.serve("GET")

        def do_POST(self) -> None:
            self.serve("POST")

        def serve(self, method: str) -> None:
            address = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            with fake.lock:
                name = f"{method} {address.path}"
                fake.requests.append(name)
                fault = next((f for f in fake.faults if f.times and re.search(f.what, name)), None)
                how = fault.how if fault else ""
                if fault:
                    fault.times -= 1
                if how.isdigit():
                    return self.reply(int(how), {"error": how}, {"Retry-After": fault.retry_after if fault else "0"})
                status, answer = self.act(method, address.path, parse_qs(address.query), body)
            if how == "silent":
                fake.released.wait(timeout=30)
            if how in {"lost", "silent"}:
                self.close_connection = True
                return None
            return self.reply(500 if how == "500 after" else status, answer, {"X-Hook-Secret": "hook-secret"})

        def act(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
            if path.startswith("/api/") and self.headers["Authorization"] != f"Token {TOKEN}":
                return 401, {"error": {"detail": "no such token"}}
            try:
                return fake.answer(method, path, query, body)
            except Failure as failure:
                return failure.status, {"error": {"detail": str(failure)}}

        def reply(self, status: int, answer: Any, headers: dict[str, str]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
