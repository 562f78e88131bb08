"""The client of Prolific's API against a real server that fails."""

from __future__ import annotations

import logging

import pytest

from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.errors import Busy, Lost, Refused, Unconfigured
from tests.annotation_site.recruitment.fake_prolific import TOKEN


def test_too_many_requests_are_waited_out_as_long_as_asked(fake, api, waits):
    fake.add("SUB1", participant="PID1")
    fake.fail("GET .*/submissions/SUB1/", "429", retry_after="7")
    assert api.submission("SUB1")["participant"] == "PID1"
    assert waits == [7.0]


def test_whoever_is_asked_to_wait_too_long_comes_back_later(fake, api, waits):
    fake.fail("GET", "429", retry_after="600")
    with pytest.raises(Busy, match="600 seconds"):
        api.studies()
    assert waits == []
    fake.fail("GET", "429", retry_after="1", times=9)
    with pytest.raises(Busy):
        api.studies()
    assert waits == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("how", ["500", "lost", "500 after"])
def test_what_may_be_repeated_is_repeated_with_growing_waits(fake, api, waits, how):
    fake.fail("GET", how, times=2)
    assert api.studies() == []
    assert waits == [1.0, 2.0]
    fake.fail("GET", how, times=9)
    with pytest.raises(Lost):
        api.studies()


@pytest.mark.parametrize("how", ["500", "lost", "500 after"])
def test_paying_is_never_repeated_after_a_lost_answer(fake, api, waits, how):
    fake.add("SUB1", participant="PID1")
    bulk = api.set_up_bonus("STUDY1", "SUB1", 125)
    fake.fail("/pay/", how)
    with pytest.raises(Lost):
        api.pay_bonus(bulk)
    assert (waits, fake.count("/pay/")) == ([], 1)


def test_an_answer_that_does_not_come_in_time_is_lost(fake):
    fake.add("SUB1", participant="PID1")
    with Prolific(TOKEN, fake.base, sleep=lambda seconds: None, timeout=0.3) as api:
        bulk = api.set_up_bonus("STUDY1", "SUB1", 5)
        fake.fail("/pay/", "silent")
        with pytest.raises(Lost, match="ReadTimeout"):
            api.pay_bonus(bulk)
    assert fake.paid == [("SUB1", 5)]


def test_who_cannot_be_reached_has_not_been_told(waits):
    with (
        Prolific(TOKEN, "http://127.0.0.1:9/", sleep=waits.append) as api,
        pytest.raises(Busy, match="cannot be reached"),
    ):
        api.pay_bonus("bulk-1")
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(("cents", "sent"), [(5, 0.05), (125, 1.25), (3000, 30.0)])
def test_amounts_are_sent_as_money_and_not_as_cents(fake, api, cents, sent):
    fake.add("SUB1", participant="PID1")
    api.set_up_bonus("STUDY1", "SUB1", cents)
    assert list(fake.bulk.values()) == [("SUB1", round(sent * 100))]


def test_a_refusal_says_why_and_names_no_id(fake, api):
    with pytest.raises(Refused, match=r"GET submissions/\.\.\./ \(404\): SUBMISSION-9 is not there") as refusal:
        api.submission("SUBMISSION-9")
    assert refusal.value.status == 404


def test_a_wrong_token_says_what_to_set(fake):
    with Prolific("wrong", fake.base) as api, pytest.raises(Refused, match="PROLIFIC_TOKEN"):
        api.studies()


def test_without_a_token_nothing_is_sent(settings):
    settings.PROLIFIC_TOKEN = ""
    with pytest.raises(Unconfigured, match="PROLIFIC_TOKEN"):
        connect()


def test_all_pages_of_submissions_are_read(fake, api):
    for number in range(201):
        fake.add(f"SUB{number}", participant=f"PID{number}")
    assert len(list(api.submissions("STUDY1"))) == 201
    assert fake.count("GET .*/submissions/") == 3


def test_a_subscription_is_made_and_confirmed(fake, api):
    assert api.subscribe("submission.status.change", "https://attest.example/hooks/prolific/", "W1") == "hook-1"
    assert fake.subscriptions["hook-1"]["confirmed"]


def test_the_log_has_neither_ids_nor_the_token(fake, api, caplog):
    caplog.set_level(logging.INFO)
    fake.add("SUBMISSION-9", participant="PID1")
    api.submission("SUBMISSION-9")
    assert "SUBMISSION-9" not in caplog.text
    assert TOKEN not in caplog.text
