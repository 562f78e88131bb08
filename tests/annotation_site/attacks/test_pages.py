"""What browsers and networks do to a submission: two tabs, double clicks, lost replies, other people's seats."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment, views
from annotation_site.rating.models import Judgement, Seat
from tests.annotation_site.invariants import assert_invariants


class Tab:
    """A page of an item in one tab of a browser."""

    def __init__(self, enrolment: Enrolment) -> None:
        self.link = f"/rate/{enrolment.token}/"
        page = Client().get(self.link)
        self.fields = {name: str(page.context[name]) for name in ("ticket", "key")}

    def submit(self, value: str, **fields: str) -> int:
        return (
            Client(raise_request_exception=False).post(self.link, self.fields | {"answer": value} | fields).status_code
        )


@pytest.fixture
def study(make_study):
    return make_study(items=6, seats_per_item=2)


def enrol(study) -> Enrolment:
    return Enrolment.objects.create(rater=Rater.objects.create(), study=study)


def stored() -> list[int]:
    return list(Judgement.objects.order_by("id").values_list("rating", flat=True))


@pytest.mark.django_db
def test_a_reply_lost_after_the_commit(study, monkeypatch):
    tab = Tab(enrol(study))

    def lost(*args, **kwargs):
        raise ConnectionError("the client is gone")

    with monkeypatch.context() as patch:
        patch.setattr(views, "redirect", lost)
        assert tab.submit("4") == 500
    assert stored() == [4]
    assert tab.submit("4") == 302
    assert tab.submit("5") == 409
    assert stored() == [4]
    assert_invariants(study)


@pytest.mark.django_db
def test_two_tabs_with_one_item_are_one_submission(study):
    rater = enrol(study)
    one, two = Tab(rater), Tab(rater)
    assert (one.submit("4"), two.submit("2"), two.submit("4")) == (302, 409, 302)
    assert stored() == [4]
    assert_invariants(study)


@pytest.mark.django_db
def test_an_old_tab_answers_again_after_the_next_item(study):
    rater = enrol(study)
    old = Tab(rater)
    old.submit("4")
    Tab(rater).submit("3")
    assert old.submit("4") == 302
    assert stored() == [4, 3]


@pytest.mark.django_db(transaction=True)
def test_a_click_that_comes_eight_times_at_once(study):
    tab = Tab(enrol(study))
    gate, codes = threading.Barrier(8), []

    def click() -> None:
        gate.wait(timeout=30)
        codes.append(tab.submit("3"))
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [302] * 8
    assert stored() == [3]
    assert_invariants(study)


@pytest.mark.django_db
def test_a_ticket_of_another_rater_is_worth_nothing(study):
    mine, theirs = Tab(enrol(study)), Tab(enrol(study))
    assert mine.submit("1", ticket=theirs.fields["ticket"]) == 404
    assert mine.submit("1", ticket=theirs.fields["ticket"], key=theirs.fields["key"]) == 404
    assert stored() == []


@pytest.mark.django_db
def test_a_closed_study_keeps_what_is_on_its_way_and_hands_out_nothing(study):
    rater = enrol(study)
    tab = Tab(rater)
    assignment.close_study(study)
    assert tab.submit("2") == 302
    assert Client().get(tab.link)["Location"] == f"{tab.link}done/"
    assert Judgement.objects.counted().count() == 1
    assert not Seat.objects.filter(state="leased").exists()


@pytest.mark.django_db
def test_an_excluded_raters_answer_is_kept_and_not_counted(study):
    rater = enrol(study)
    tab = Tab(rater)
    rater.exclude("asked to leave", assignment.database_now())
    assert tab.submit("2") == 302
    assert (stored(), Judgement.objects.counted().count()) == ([2], 0)
    assert_invariants(study)
