"""A client program, its JSON and its token."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotation_site.studies.models import Study
from tests.annotation_site.api.researchers import Research, researcher

API = "/api/v1/"


class Program:
    """Speaks JSON to the API, as one rater once it has a token."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str) -> Any:
        return self.client.get(f"{API}{path}")

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        data = {} if body is None else body
        return self.client.post(f"{API}{path}", data, content_type="application/json", headers=headers)

    def claim(self) -> Any:
        return self.post("seats/").json()

    def answer(self, seat: dict[str, Any], *values: str, key: object = None, **fields: Any) -> Any:
        body = {"ticket": seat["ticket"], "answer": list(values), **fields}
        return self.post(f"seats/{seat['id']}/judgement/", body, **{"Idempotency-Key": str(key or uuid.uuid4())})


@pytest.fixture
def program() -> Program:
    """A client that has not enrolled anybody yet."""
    return Program()


@pytest.fixture
def enrolled(program) -> Callable[..., Program]:
    """``enrolled(study)``: a client with the token of somebody who has consented and read the instructions."""

    def enrol(study: Study, **fields: Any) -> Program:
        body = {"study": study.slug, "consent": True, "consent_version": "1", "instructions_read": True, **fields}
        return Program(program.post("enrolments/", body).json()["token"])

    return enrol


@pytest.fixture
def research(make_study) -> Callable[..., Research]:
    """``research(study, ...)``: the program of a researcher of these studies."""
    return lambda *studies, **fields: Research(researcher("ada", *studies), **fields)
