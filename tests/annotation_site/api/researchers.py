"""A researcher's program: a token with scopes, and JSON."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from annotation_site.accounts.tokens import SCOPES, make_token
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study

RESEARCH = "/api/v1/research/"


def researcher(name: str = "ada", *studies: Study, role: str = Member.Role.RESEARCHER) -> User:
    """An account that may make studies and has this part in these."""
    user, _ = User.objects.get_or_create(username=name)
    user.user_permissions.add(Permission.objects.get(codename="add_study"))
    for study in studies:
        Member.objects.create(study=study, user=user, role=role)
    return user


class Research:
    """Speaks JSON to the researcher's part of the API, with all scopes unless told otherwise."""

    def __init__(self, user: User, scopes: tuple[str, ...] = tuple(SCOPES)) -> None:
        self.user = user
        self.token = make_token(user, f"token {uuid.uuid4().hex[:8]}", scopes, timedelta(days=1))
        self.client = Client(headers={"Authorization": f"Bearer {self.token}"})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path if path.startswith("http") else f"{RESEARCH}{path}", headers=headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        call = getattr(self.client, method)
        data = {} if body is None else body
        return call(f"{RESEARCH}{path}", data, content_type="application/json", headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("post", path, body, **headers)

    def once(self, path: str, body: Any = None, key: object = None) -> Any:
        return self.post(path, body, **{"Idempotency-Key": str(key or uuid.uuid4())})
