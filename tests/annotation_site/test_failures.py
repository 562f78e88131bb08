"""The database is away or busy: 503 with a time to try again, wherever the request was; other faults stay 500."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement


@pytest.fixture
def broken() -> Iterator[Callable[[Exception], None]]:
    """``broken(error)``: every statement raises it from now on."""
    wrappers = []

    def start(error: Exception) -> None:
        def refuse(*arguments: object) -> object:
            raise error

        wrappers.append(connection.execute_wrapper(refuse))
        wrappers[-1].__enter__()

    yield start
    for wrapper in wrappers:
        wrapper.__exit__(None, None, None)


@pytest.fixture
def visitor(admin_user) -> Client:
    signed_in = Client(raise_request_exception=False)
    signed_in.force_login(admin_user)
    return signed_in


@pytest.mark.parametrize("error", [OperationalError("the connection is lost"), InterfaceError("closed")], ids=repr)
def test_pages_and_the_api_are_503_and_nothing_is_lost(make_study, visitor, broken, error):
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=make_study(items=2))
    link = f"/rate/{rater.token}/"
    page = visitor.get(link)
    form = {name: str(page.context[name]) for name in ("ticket", "key")} | {"answer": "4"}
    headers = {"Authorization": f"Bearer {rater.token}"}
    broken(error)
    for answer in (visitor.get("/"), visitor.get(link), visitor.post(link, form), visitor.get("/admin/")):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "no-store" in answer["Cache-Control"]
        assert "is stored" in answer.text
        assert str(error) not in answer.text
    answer = visitor.post("/api/v1/seats/", {}, "application/json", headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["title"]) == (503, "Service Unavailable")
    assert visitor.get("/livez").status_code == 200


def test_the_same_submission_is_taken_once_the_database_is_back(make_study, visitor):
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=make_study(items=2))
    link = f"/rate/{rater.token}/"
    page = visitor.get(link)
    form = {name: str(page.context[name]) for name in ("ticket", "key")} | {"answer": "4"}

    def refuse(execute, statement, *arguments):
        if statement.startswith("INSERT"):
            raise OperationalError("deadlock detected")
        return execute(statement, *arguments)

    with connection.execute_wrapper(refuse):
        assert visitor.post(link, form).status_code == 503
    assert not Judgement.objects.exists()
    assert [visitor.post(link, form).status_code for _ in range(2)] == [302, 302]
    assert Judgement.objects.get().rating == 4


def test_other_faults_are_500_and_a_problem_for_programs(make_study, visitor, broken):
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=make_study(items=2))
    broken(ValueError("a bad row"))
    answer = visitor.get(f"/rate/{rater.token}/")
    assert answer.status_code == 500
    assert "Retry-After" not in answer
    assert "The server failed" in answer.text
    answer = visitor.post("/api/v1/seats/", {}, "application/json", headers={"Authorization": f"Bearer {rater.token}"})
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert "bad row" not in answer.text
