"""A rater's visits, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.studies.models import Study


@pytest.fixture
def enrol() -> Callable[[Study], Enrolment]:
    """A new rater who has consented."""

    def enrol(study: Study) -> Enrolment:
        now = timezone.now()
        return Enrolment.objects.create(
            rater=Rater.objects.create(), study=study, locale="en", consent_version="1", consented_at=now
        )

    return enrol


class Visit:
    """One page as a rater has it before them: what it shows, and the answer sent from it."""

    def __init__(self, client: Client, enrolment: Enrolment, path: str = "") -> None:
        self.client, self.link = client, f"/rate/{enrolment.token}/"
        self.response = client.get(f"{self.link}{path}")
        context = self.response.context or {}
        self.fields = {name: str(context[name]) for name in ("ticket", "key") if name in context}

    @property
    def text(self) -> str:
        return self.response.content.decode()

    def answer(self, *values: str, **changes: Any) -> Any:
        return self.client.post(self.link, {**self.fields, "answer": values, **changes})


@pytest.fixture
def visit(client: Client) -> Callable[..., Visit]:
    return lambda enrolment, path="": Visit(client, enrolment, path)
