"""A rater's visits, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.models import Study
from annotation_site.studies.rules import Way

RULES = {field.name for field in Way._meta.get_fields()} | {"texts"}


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

    def answer(self, *values: str, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        return self.client.post(self.link, {**self.fields, "answer": values, **changes}, headers=headers)


@pytest.fixture
def visit(client: Client) -> Callable[..., Visit]:
    return lambda enrolment, path="": Visit(client, enrolment, path)


@pytest.fixture
def make_way(make_study) -> Callable[..., Study]:
    """``make_way(practice=[...], checks=[...], **study fields)``: an open study of eight items with known ones beside.

    Each known answer is given as the fields of KnownAnswer; a check with ``instructed=True`` says it in its question.
    """

    def make(practice=(), checks=(), items: int = 4, **fields: Any) -> Study:
        rules = {name: fields.pop(name) for name in list(fields) if name in RULES}
        study = make_study(items=items, opened=False, **fields)
        Study.objects.filter(pk=study.pk).update(**rules)
        study.refresh_from_db()
        rated = list(study.items.select_related("generation", "word", "second_word"))
        for number, known in enumerate([*practice, *checks]):
            known, at = dict(known), rated[number % len(rated)]
            purpose = "gold" if not known.pop("instructed", False) else "instructed"
            purpose = "practice" if number < len(practice) else purpose
            word = at.word if at.second_word else at.generation.prompt.words.get(text="runs")
            shown = {"second_word": at.second_word}
            add_known_item(study, at.generation, word, purpose=purpose, known=known, **shown)
        assignment.open_study(study)
        study.refresh_from_db()
        return study

    return make


class Walk:
    """A rater who follows every redirect, at any device."""

    def __init__(self, enrolment: Enrolment) -> None:
        self.enrolment, self.client = enrolment, Client()

    def open(self, path: str = "") -> Any:
        self.page = self.client.get(f"/rate/{self.enrolment.token}/{path}", follow=True)
        return self.page

    @property
    def at(self) -> str:
        """The last part of the address that the link leads to; empty for an item."""
        return self.open().request["PATH_INFO"].removeprefix(f"/rate/{self.enrolment.token}/").strip("/")

    def post(self, path: str, **data: Any) -> Any:
        return self.client.post(f"/rate/{self.enrolment.token}/{path}", data)

    def practise(self, *values: str) -> Any:
        """Answer the item that is due."""
        context = self.open("practice/").context
        return self.post("practice/", item=context["item"].pk, attempt=context["state"].attempt, answer=values)

    def read(self) -> Any:
        return self.post("practice/", read=self.open("practice/").context["answer"].pk)

    def attempt(self, *values: str) -> None:
        for value in values:
            self.practise(value)
            self.read()

    def judge(self, value: str) -> Any:
        """Answer the item that is due."""
        context = self.open().context
        return self.post("", ticket=context["ticket"], key=str(context["key"]), answer=value)


@pytest.fixture
def way(enrol, make_way) -> Callable[..., Walk]:
    """``way(practice=..., checks=..., **study fields)``: a new rater of such a study."""
    return lambda **fields: Walk(enrol(make_way(**fields)))
