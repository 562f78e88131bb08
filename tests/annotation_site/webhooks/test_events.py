"""What happens in a study becomes a delivery, once, whoever looks and however often."""

from __future__ import annotations

import random
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import clock, database_now
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.simulation import simulate
from annotation_site.stimuli.models import Generation
from annotation_site.studies.members import Member
from annotation_site.webhooks import events
from annotation_site.webhooks.events import write_down
from annotation_site.webhooks.models import Delivery, Webhook
from annotation_site.webhooks.tasks import swept
from tests.annotation_site.reports.conftest import as_answer

pytestmark = pytest.mark.django_db


def look(webhook) -> list[tuple[str, dict]]:
    """What is new, in the order of the events' names."""
    before = set(webhook.deliveries.values_list("pk", flat=True))
    write_down(webhook, database_now())
    new = webhook.deliveries.exclude(pk__in=before).exclude(state="past")
    return [(row.event, row.data) for row in new.order_by("event", "pk")]


def test_changes_of_state_are_told_once_each_even_when_they_are_undone_at_once(run, hook):
    study = run(opened=False)
    webhook = hook(events=["study.opened", "study.paused", "study.closed"])
    for move in (assignment.open_study, assignment.pause_study, assignment.open_study, assignment.close_study):
        move(study)
    assert [event for event, _ in look(webhook)] == ["study.closed", "study.opened", "study.opened", "study.paused"]
    assert look(webhook) == []


def test_what_was_before_the_webhook_is_not_told(run, hook):
    study = run(items=2)
    simulate(study, raters=3, seed=0)
    webhook = hook()
    assert look(webhook) == []
    assert set(webhook.deliveries.values_list("event", "state")) == {
        (event, "past") for event in ("judgements.milestone", "study.finished", "generations.finished")
    }


def test_milestones_and_the_end(run, hook):
    study = run(items=4, seats_per_item=1)
    webhook = hook(events=["judgements.milestone", "study.finished"])
    rater = Enrolment.objects.create(study=study, rater=Rater.objects.create(simulated=True))
    told = []
    for _ in range(4):
        seat = assignment.claim_next(rater, rng=random.Random(0))
        now = database_now()
        answer = assignment.Answer(rating=4)
        assignment.record(seat=seat, enrolment=rater, answer=answer, key=uuid.uuid4(), shown_at=now, now=now)
        told.append([(event, data.get("percent")) for event, data in look(webhook)])
    milestone = "judgements.milestone"
    assert told == [
        [(milestone, 10), (milestone, 25)], [(milestone, 50)], [(milestone, 75)],
        [(milestone, 90), ("study.finished", None)],
    ]  # fmt: skip


def test_a_rater_who_has_finished_is_told_of_by_pseudonym(run, hook):
    study = run()
    webhook = hook(events=["enrolment.completed"])
    enrolment = Enrolment.objects.create(study=study, rater=Rater.objects.create(), completed_at=database_now())
    [(_, data)] = look(webhook)
    assert data == {"rater": enrolment.rater.pseudonym, "simulated": False}
    assert look(webhook) == []


def test_the_end_of_the_images_and_their_failures(run, hook, finish):
    run(items=2, opened=False, done=False)
    webhook = hook(events=["generations.finished", "generations.failed"])
    first, second = Generation.objects.order_by("pk")
    assert look(webhook) == []
    finish(first)
    Generation.objects.filter(pk=second.pk).update(state="failed", error="no memory", attempts=1)
    assert look(webhook) == [
        ("generations.failed", {"failed": 1, "reasons": ["no memory"]}),
        ("generations.finished", {"done": 1, "failed": 1}),
    ]
    Generation.objects.filter(pk=second.pk).update(state="queued")
    assert look(webhook) == []
    Generation.objects.filter(pk=second.pk).update(state="failed", attempts=2)
    assert [event for event, _ in look(webhook)] == ["generations.failed", "generations.finished"]


def answer_all(study, *given):
    """The answers of one more person to the items in their order."""
    person = Enrolment.objects.create(study=study, rater=Rater.objects.create())
    for item, answer in zip(study.items.order_by("position"), given, strict=True):
        seat = item.seats.filter(state="free").order_by("round").first()
        Seat.objects.filter(pk=seat.pk).update(state="done", enrolment=person)
        now = database_now()
        key = {"key": uuid.uuid4(), "shown_at": now, "answered_at": now}
        Judgement.objects.create(seat=seat, enrolment=person, **key, **as_answer(answer))


def test_a_number_that_passes_its_bound_is_told_once(run, hook):
    study = run(items=4, seats_per_item=3)
    few = hook(events=["report.threshold"], measure="judgements", above=7, study=study)
    # Two who agree on nothing: alpha is below zero.
    low = hook(events=["report.threshold"], measure="agreement", below=0.2, least_judgements=8, study=study)
    high = hook(events=["report.threshold"], measure="agreement", above=0.9, study=study)
    answer_all(study, 1, 5, 1, 5)
    assert [look(each) for each in (few, low, high)] == [[], [], []]
    answer_all(study, 5, 1, 5, 1)
    [(_, data)] = look(few)
    assert data == {"measure": "judgements", "value": 8, "judgements": 8, "above": 7}
    [(_, data)] = look(low)
    assert data["value"] < 0
    assert look(high) == []
    assert look(low) == []


def test_simulated_raters_pass_no_bound(run, hook):
    study = run(items=4)
    webhook = hook(events=["report.threshold"], measure="judgements", above=1)
    simulate(study, raters=2, seed=0)
    assert look(webhook) == []


def test_only_studies_that_the_owner_runs_are_told_of(run, hook, make_study, owner):
    mine, other = run(), make_study(slug="other")
    webhook = hook(events=["study.paused"])
    for study in (mine, other):
        assignment.pause_study(study)
    look(webhook)
    assert [row.study.slug for row in webhook.deliveries.all()] == ["study"]
    Member.objects.update(role=Member.Role.VIEWER)
    assignment.open_study(mine)
    assert look(hook(events=["study.opened"])) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_write_it_down_once(run, hook):
    study = run()
    webhook = hook(events=["study.paused"])
    assignment.pause_study(study)

    def sweep():
        try:
            write_down(webhook, database_now())
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"events": []}, {"events": ["study.exploded"]}, {"events": ["report.threshold"]},
        {"events": ["study.opened"], "measure": "agreement", "above": 0.5},
        {"events": ["report.threshold"], "measure": "agreement"},
        {"events": ["report.threshold"], "measure": "agreement", "above": 0.5, "below": 0.2},
        {"address": "nowhere"},
    ],
)  # fmt: skip
def test_webhooks_that_make_no_sense_are_refused(hook, fields):
    with pytest.raises(ValidationError):
        hook(**fields)


def finished(study, **when) -> Enrolment:
    enrolment = Enrolment.objects.create(study=study, rater=Rater.objects.create())
    assert enrolment.complete()
    if when:
        Enrolment.objects.filter(pk=enrolment.pk).update(completed_at=enrolment.completed_at - timedelta(**when))
    return enrolment


def test_completions_that_were_told_of_are_not_read_again(run, hook):
    study, webhook = run(items=1), hook(events=["enrolment.completed"])
    Webhook.objects.update(created_at=database_now() - timedelta(hours=1))
    webhook.refresh_from_db()
    told = {finished(study, minutes=minutes).rater.pseudonym for minutes in (40, 30, 20)}
    assert {data["rater"] for _, data in look(webhook)} == told
    webhook.refresh_from_db()
    assert list(events._completions(webhook, study)) == []
    # A look that is behind does not move it back, and a pause loses nothing.
    events._move_on(webhook, database_now() - timedelta(minutes=50))
    Webhook.objects.update(active=False)
    last = finished(study)
    swept()
    Webhook.objects.update(active=True)
    webhook.refresh_from_db()
    assert [data["rater"] for _, data in look(webhook)] == [last.rater.pseudonym]


def test_a_rater_is_done_once_at_the_moment_that_the_database_says(run):
    enrolment = finished(run(items=1))
    at = enrolment.completed_at
    assert abs((database_now() - at).total_seconds()) < 60
    assert enrolment.complete() is False
    assert enrolment.completed_at == at


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: nothing commits out of order")
def test_a_completion_that_is_committed_after_later_ones_is_told_of(run, hook, monkeypatch):
    study, webhook = run(items=1), hook(events=["enrolment.completed"])
    monkeypatch.setattr(clock, "SLACK", timedelta(0))
    written, go_on = threading.Event(), threading.Event()
    slow = []

    def write_slowly() -> None:
        with transaction.atomic():
            slow.append(finished(study).rater.pseudonym)
            written.set()
            assert go_on.wait(30)
        connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    try:
        assert written.wait(30)
        quick = finished(study).rater.pseudonym
        told = [data["rater"] for _, data in look(Webhook.objects.get())]
        assert told == [quick]
        # However often it looks meanwhile, it does not pass the one that is still to come.
        assert look(Webhook.objects.get()) == []
    finally:
        go_on.set()
        writer.join()
    assert [data["rater"] for _, data in look(Webhook.objects.get())] == slow
    assert look(Webhook.objects.get()) == []
    passed = Webhook.objects.get().completions_until
    assert passed > Enrolment.objects.get(rater__pseudonym=quick).completed_at
    assert webhook.deliveries.count() == 2


def test_a_study_that_cannot_be_read_keeps_no_other_and_nothing_of_its_own_back(run, hook, monkeypatch, caplog):
    broken, sound = run(items=1, slug="broken"), run(items=1, slug="sound")
    wanted = {"events": ["enrolment.completed", "report.threshold"], "measure": "agreement", "above": 2.0}
    webhooks = [hook(study=study, **wanted) for study in (None, broken, sound)]
    Webhook.objects.update(created_at=database_now() - timedelta(hours=1))
    raters = {study.pk: finished(study, minutes=20).rater.pseudonym for study in (broken, sound)}
    for study in (broken, sound):
        answer_all(study, 4)
    real = events.load

    def load(study):
        if study == broken:
            raise ValueError("not a number")
        return real(study)

    with monkeypatch.context() as patch:
        patch.setattr(events, "load", load)
        told = Delivery.objects.filter(pk__in=swept())
    assert sorted(told.values_list("webhook", "data__rater")) == sorted(
        (webhooks[which].pk, raters[sound.pk]) for which in (0, 2)
    )
    assert f"Study broken could not be read for webhook {webhooks[0].uid}." in caplog.text
    # Once it can be read, what happened meanwhile is told.
    told = Delivery.objects.filter(pk__in=swept(), study=broken)
    assert sorted(told.values_list("webhook", "data__rater")) == sorted(
        (webhooks[which].pk, raters[broken.pk]) for which in (0, 1)
    )


def test_a_webhook_is_not_made_where_what_is_past_cannot_be_told(run, hook, monkeypatch):
    answer_all(run(items=1), 4)
    monkeypatch.setattr(events, "load", lambda study: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hook(events=["report.threshold"], measure="agreement", above=0.5)
    assert not Webhook.objects.exists()
