"""Workers that die, run out of memory or lose their device; studies that wait or go first; images nobody wants."""

from __future__ import annotations

import threading
from datetime import timedelta
from importlib import metadata
from queue import Empty
from typing import Any

import pytest
import torch
from celery import current_app
from django.conf import settings
from django.db import OperationalError

from annotation_site.celery import app
from annotation_site.rating import assignment
from annotation_site.rating.assignment import database_now
from annotation_site.stimuli import bell
from annotation_site.stimuli.models import FittingBatch, Generation, Recipe, Worker
from annotation_site.stimuli.queue import MOST_DEATHS
from annotation_site.stimuli.workers import HEARD_WITHIN
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.studies.drawing_order import drawn, set_drawing_order
from annotation_site.studies.models import Study
from annotation_site.worker import fleet, generation, jobs, tasks
from attribution import records
from attribution.daam.pipelines import kept_pipeline

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
RECIPE = records.Recipe(model="tinyworld", steps=1, guidance=2.0, height=64, width=64)


def study_of(*words: str, slug: str = "study") -> Study:
    recipe = Recipe.objects.ensure(RECIPE)
    stimuli = [
        Stimulus(records.Prompt(word, (records.Word(word, 0, len(word), "NOUN", word, 0, "root"),)), 0)
        for word in words
    ]
    return build_study(slug=slug, title=slug, kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def claim(limit: int = 9, worker: str = "w:1") -> list[str]:
    batch = Generation.objects.all().claim(worker=worker, limit=limit, now=database_now(), lease=HOUR)
    return [one.prompt.text for one in batch]


def messages() -> list[tuple[list[Any], dict[str, Any]]]:
    """The arguments of every message that waits for a worker that draws, taken from the broker."""
    found = []
    with app.connection_for_read() as broker, broker.SimpleQueue(settings.DRAWING_QUEUE) as queue:
        while True:
            try:
                message = queue.get_nowait()
            except Empty:
                return found
            message.ack()
            if message.headers["task"] == bell.WORK:
                found.append(tuple(message.payload[:2]))


def states() -> set[str]:
    return set(Generation.objects.values_list("state", flat=True))


@pytest.fixture
def crowded():
    """Makes the denoiser run out of memory above so many rows; an image is two, for its guidance."""
    pipeline, hooks, threads = kept_pipeline(RECIPE), [], torch.get_num_threads()
    # With several, a CPU draws images one by one, and nothing is left to halve.
    torch.set_num_threads(1)

    def at_most(rows: int, error: str = "CUDA out of memory. Tried to allocate 20.00 GiB") -> None:
        def check(module, args, kwargs):
            if (args[0] if args else kwargs["sample"]).shape[0] > rows:
                raise torch.OutOfMemoryError(error) if "memory" in error else RuntimeError(error)

        hooks.append(pipeline.unet.register_forward_pre_hook(check, with_kwargs=True))

    yield at_most
    torch.set_num_threads(threads)
    for hook in hooks:
        hook.remove()


def test_out_of_memory_halves_the_group_and_the_size_that_fits_is_remembered(crowded):
    study_of("star", "fish", "house")
    crowded(2)
    assert generation.draw_some(lambda: True) == 3
    assert states() == {"done"}
    fitting = FittingBatch.objects.get()
    assert (fitting.images, fitting.recipe) == (1, RECIPE.digest)
    assert {made["drawn_together"] for made in Generation.objects.values_list("made_with", flat=True)} == {1}


def test_an_image_that_fits_no_memory_fails_with_its_reason_and_is_not_tried_again(crowded):
    study_of("star", "fish")
    crowded(0)
    assert generation.draw_some(lambda: True) == 2
    assert states() == {"failed"}
    assert all("memory" in error for error in Generation.objects.values_list("error", flat=True))
    assert generation.draw_some(lambda: True) == 0
    assert Generation.objects.get(prompt__text="star").attempts == 1


def test_a_lost_device_ends_the_process_and_counts_against_the_batch(crowded):
    study_of("star")
    crowded(0, "CUDA error: an illegal memory access was encountered".replace("memory", "m."))
    for deaths in range(1, MOST_DEATHS):
        with pytest.raises(generation.DeviceLost):
            jobs.one_piece()
        row = Generation.objects.get()
        assert (row.state, row.deaths, row.claimed_by) == ("queued", deaths, "")
        assert "DeviceLost" in Worker.objects.get().trouble
    with pytest.raises(generation.DeviceLost):
        jobs.one_piece()
    assert states() == {"failed"}
    assert jobs.one_piece() == 0


def test_recipes_are_recorded_whole():
    study_of("star")
    generation.draw_some(lambda: True)
    row = Generation.objects.get()
    assert row.made_by == Worker.objects.get(name=fleet.worker_name())
    assert row.made_with["versions"]["torch"] == metadata.version("torch")
    assert (row.made_with["dtype"], row.made_with["device"]) == ("float32", row.made_by.device)
    assert row.made_with["weights"]


def test_what_kills_its_workers_is_claimed_alone_at_last_and_then_fails():
    study_of("star", "fish")
    for _ in range(MOST_DEATHS - 1):
        assert len(claim()) == 2
        Generation.objects.take_from_the_dead(now=database_now(), owners=["w:1"])
    assert len(claim()) == 1
    assert Generation.objects.take_from_the_dead(now=database_now(), owners=["w:1"]) == 1
    failed = Generation.objects.get(state="failed")
    assert failed.deaths == MOST_DEATHS
    assert "killed" in failed.error
    assert Generation.objects.filter(pk=failed.pk).retry_failed() == 1
    assert len(claim()) == 1


def test_a_silent_worker_on_another_machine_is_swept():
    study_of("star")
    now = database_now()
    Worker.objects.create(
        name="gpu-7:1", host="gpu-7", token="t", kind="celery", started_at=now - HOUR, last_seen=now - HOUR
    )
    assert claim(worker="gpu-7:1") == ["star"]
    assert tasks.sweep() == 1
    assert states() == {"queued"}
    assert tasks.sweep() == 0


def test_a_process_started_again_under_its_old_name_queues_what_the_old_one_held(monkeypatch):
    study_of("star")
    fleet.enlist()
    assert claim(worker=fleet.worker_name()) == ["star"]
    fleet.enlist()
    assert states() == {"claimed"}
    monkeypatch.setattr(fleet, "TOKEN", "another process")
    assert fleet.enlist().token == "another process"
    assert states() == {"queued"}


def test_the_more_urgent_study_is_drawn_first_and_a_paused_one_waits():
    study_of("star", slug="early")
    late = study_of("fish", slug="late")
    set_drawing_order(late, priority=Study.Priority.URGENT)
    assert claim(limit=1) == ["fish"]
    Generation.objects.all().give_back("w:1")
    set_drawing_order(late, paused=True)
    assert claim() == ["star"]
    assert claim() == []
    late.refresh_from_db()
    assert drawn(late) == "0 of 1, paused"
    set_drawing_order(late, paused=False)
    assert claim() == ["fish"]


def test_an_image_of_two_studies_is_as_urgent_as_the_more_urgent_and_waits_only_when_both_do():
    one, two = study_of("star", slug="one"), study_of("star", slug="two")
    row = Generation.objects.get()
    set_drawing_order(one, priority=Study.Priority.HIGH)
    set_drawing_order(two, priority=Study.Priority.LOW)
    row.refresh_from_db()
    assert (row.priority, row.held) == (Study.Priority.HIGH, False)
    set_drawing_order(one, paused=True)
    row.refresh_from_db()
    assert (row.priority, row.held) == (Study.Priority.LOW, False)
    set_drawing_order(two, paused=True)
    row.refresh_from_db()
    assert row.held


def test_an_image_of_a_withdrawn_item_is_put_aside_until_the_item_is_put_back():
    item = study_of("star").items.get()
    assignment.withdraw_item(item)
    assert generation.draw_some(lambda: True) == 0
    assert Generation.objects.get().held
    item.refresh_from_db()
    assert assignment.put_item_back(item)
    assert claim() == ["star"]


def test_told_to_stop_a_worker_gives_back_what_it_has_not_made():
    study_of("star", "fish", "house")
    answers = iter([True] * 2)
    assert generation.draw_some(lambda: next(answers, False)) < 3
    assert states() <= {"done", "queued"}
    assert not Generation.objects.exclude(claimed_by="").exists()


def test_a_broker_that_cannot_be_reached_delays_work_and_breaks_nothing(monkeypatch):
    def refused(*args, **kwargs):
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(current_app, "send_task", refused)
    assert bell.ring() is False


def test_a_job_that_breaks_off_leaves_the_next_one_its_turn(monkeypatch):
    def broken(go_on):
        raise ValueError("a bad row")

    broken_job = jobs.Job("broken", lambda now: True, broken)
    monkeypatch.setattr(jobs, "JOBS", [broken_job, jobs.Job("whole", lambda now: True, lambda go_on: 3)])
    fleet.enlist()
    assert jobs.one_piece() == 3
    monkeypatch.setattr(jobs, "JOBS", [broken_job])
    assert jobs.one_piece() == 0
    assert Worker.objects.get().trouble == "ValueError: a bad row"


def test_only_idle_workers_are_rung_for_and_only_while_something_waits():
    fleet.enlist(Worker.Kind.CELERY)
    assert tasks.ring() == 0
    study_of("star")
    assert tasks.ring() == 1
    with fleet.busy():
        assert tasks.ring() == 0
    fleet.strike_off()
    assert tasks.ring() == 0


def test_a_worker_has_one_message_on_its_way_however_often_it_is_rung_for(monkeypatch):
    monkeypatch.setattr(generation, "BATCH", 1)
    study_of("star", "fish", "house")
    messages()
    fleet.enlist(Worker.Kind.CELERY)
    for made in (1, 2, 3):
        # Rung for by beat, and by whoever changes a study: before and after each piece.
        for _ in range(3):
            tasks.ring()
        [(arguments, named)] = messages()
        assert tasks.work(*arguments, **named) == 1
        assert Generation.objects.filter(state="done").count() == made
    assert messages() == []


def test_a_message_that_was_sent_anew_meanwhile_or_comes_twice_is_one_too_many():
    study_of("star")
    messages()
    worker = fleet.enlist(Worker.Kind.CELERY)
    assert tasks.ring() == 1
    [(old, old_time)] = messages()
    Worker.objects.filter(pk=worker.pk).update(rung_at=worker.last_seen - HEARD_WITHIN)
    assert tasks.ring() == 1
    [(new, new_time)] = messages()
    assert tasks.work(*old, **old_time) == 0
    assert states() == {"queued"}
    assert tasks.work(*new, **new_time) == 1
    assert tasks.work(*new, **new_time) == 0


def test_whoever_hears_a_message_goes_on_with_one_of_its_own(monkeypatch):
    monkeypatch.setattr(generation, "BATCH", 1)
    study_of("star", "fish", "house", "tree")
    messages()
    now = database_now()
    other = Worker.objects.create(name="w:1", host="w", token="t", kind="celery", started_at=now, last_seen=now)
    me = fleet.enlist(Worker.Kind.CELERY)
    assert tasks.ring() == 2
    sent = messages()
    assert {arguments[0] for arguments, _ in sent} == {me.pk, other.pk}
    for arguments, named in sent:
        assert tasks.work(*arguments, **named) == 1
    # This worker has heard both, and sent one message; the other waits, and is rung for again.
    assert [arguments for arguments, _ in messages()] == [[me.pk]]
    assert tasks.ring() == 1
    assert [arguments for arguments, _ in messages()] == [[other.pk]]


def test_an_idle_worker_is_rung_for_at_once_after_it_found_nothing():
    fleet.enlist(Worker.Kind.CELERY)
    study = study_of("star")
    assert tasks.ring() == 1
    set_drawing_order(study, paused=True)
    [(arguments, named)] = messages()[-1:]
    assert tasks.work(*arguments, **named) == 0
    set_drawing_order(study, paused=False)
    assert tasks.ring() == 1


def test_a_sign_of_life_that_could_not_be_written_is_tried_again_soon(monkeypatch):
    tries, third = [], threading.Event()

    def away() -> None:
        tries.append(1)
        if len(tries) == 3:
            third.set()
        raise OperationalError("the database is away")

    monkeypatch.setattr(fleet, "close_old_connections", away)
    monkeypatch.setattr(fleet, "SOON_SECONDS", 0.01)
    with fleet.Heart(2.0):
        assert third.wait(5.0)
