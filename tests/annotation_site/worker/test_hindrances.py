"""A model that one worker cannot load is drawn by the others; one that nobody can load fails with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli.models import Generation, Hindrance, Recipe, Worker
from annotation_site.stimuli.workers import LONGEST_REST, MOST_TRIES
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.worker import fleet, generation, jobs
from annotation_site.worker.management.commands import work
from attribution import records
from attribution.errors import PipelineError
from attribution.presets import SHIPPED, fingerprint

pytestmark = pytest.mark.django_db
IMAGES = generation.BATCH + 2


def study_of(model: str, images: int, **recipe: str) -> None:
    row = Recipe.objects.ensure(records.Recipe(model=model, steps=1, guidance=2.0, height=64, width=64, **recipe))
    word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
    stimuli = [Stimulus(records.Prompt(f"star {n}", (word,), source_id=str(n)), 0) for n in range(images)]
    slug = Path(model).name
    build_study(slug=slug, title=slug, kind="likert", stimuli=stimuli, recipe=row, seed=0, source="test")


@pytest.fixture
def become(monkeypatch) -> Callable[[str], Worker]:
    """``become("gpu-1")``: from here on this process is that worker."""

    def this(name: str) -> Worker:
        monkeypatch.setattr(fleet, "worker_name", lambda: f"{name}:1")
        return fleet.enlist(Worker.Kind.LOOP)

    return this


@pytest.fixture
def folder(tmp_path) -> Path:
    """A model that is not there yet."""
    return tmp_path / "model"


def rested() -> None:
    Hindrance.objects.update(until=database_now())


def states() -> dict[str, int]:
    rows = Generation.objects.values_list("state", flat=True)
    return {state: list(rows).count(state) for state in set(rows)}


def test_what_one_worker_cannot_load_another_draws_and_the_first_draws_what_it_can(become, folder):
    study_of(str(folder), 2)
    study_of("tinyworld", 1)
    first = become("gpu-1")
    assert jobs.one_piece() == 1
    assert states() == {"queued": 2, "done": 1}
    first.refresh_from_db()
    assert str(folder) in first.trouble
    become("gpu-2")
    folder.symlink_to(SHIPPED["tinyworld"])
    assert jobs.one_piece() == 2
    assert states() == {"done": 3}


def test_a_worker_that_could_not_load_a_model_rests_longer_each_time_and_claims_nothing_meanwhile(become, folder):
    study_of(str(folder), 1)
    worker = become("gpu-1")
    rests = []
    for _ in range(MOST_TRIES - 1):
        assert (jobs.one_piece(), jobs.one_piece()) == (0, 0)
        hindrance = worker.hindrances.get()
        rests.append(round((hindrance.until - database_now()).total_seconds()))
        rested()
    assert rests == pytest.approx([5, 10, 20, 40, 80, 160], abs=1)
    assert Generation.objects.get().attempts == MOST_TRIES - 1
    folder.symlink_to(SHIPPED["tinyworld"])
    assert jobs.one_piece() == 1
    worker.refresh_from_db()
    assert (worker.trouble, worker.hindrances.count()) == ("", 0)


def test_a_model_that_is_nowhere_fails_every_image_with_the_reason_in_the_end(become, folder):
    study_of(str(folder), IMAGES)
    for _ in range(MOST_TRIES):
        for name in ("gpu-1", "gpu-2"):
            become(name)
            assert states() == {"queued": IMAGES}
            jobs.one_piece()
            rested()
    # Both have given up by now: no rest is between the pieces any more.
    while jobs.one_piece():
        pass
    assert states() == {"failed": IMAGES}
    assert all(str(folder) in error for error in Generation.objects.values_list("error", flat=True))


def test_nothing_fails_while_a_worker_lives_that_may_yet_load_it(become, folder):
    study_of(str(folder), 1)
    other, first = become("gpu-2"), become("gpu-1")
    for _ in range(MOST_TRIES + 2):
        rested()
        assert jobs.one_piece() == 0
    assert states() == {"queued": 1}
    assert first.hindrances.get().until - database_now() > LONGEST_REST - timedelta(minutes=1)
    # It is silent by now, and nobody is left.
    Worker.objects.filter(pk=other.pk).update(last_seen=F("last_seen") - timedelta(minutes=4))
    rested()
    assert jobs.one_piece() == 1
    assert states() == {"failed": 1}


def test_a_process_started_anew_tries_anew(become, folder, monkeypatch):
    study_of(str(folder), 1)
    become("gpu-1")
    assert jobs.one_piece() == 0
    monkeypatch.setattr(fleet, "TOKEN", "another process")
    assert become("gpu-1").hindrances.count() == 0


def test_missing_packages_are_the_workers_fault_and_no_images(become, monkeypatch):
    study_of("tinyworld", 1)
    worker = become("gpu-1")
    monkeypatch.setitem(sys.modules, "attribution.daam.made_with", None)
    assert jobs.one_piece() == 0
    worker.refresh_from_db()
    assert worker.trouble.startswith("ModuleNotFoundError: ")
    assert states() == {"queued": 1}


def test_weights_that_cannot_be_read_are_named(become, folder):
    folder.mkdir()
    # A file that is there, and whose reading fails, also for root.
    (folder / "weights.safetensors").symlink_to("/proc/self/mem")
    with pytest.raises(PipelineError, match=rf"the weights in {folder} cannot be read: .*Input/output error"):
        fingerprint(folder)
    study_of(str(folder), 1, revision="0123456789ab")
    worker = become("gpu-1")
    assert jobs.one_piece() == 0
    worker.refresh_from_db()
    assert "cannot be read" in worker.trouble


def test_work_until_empty_does_not_end_well_while_a_model_is_missing(become, folder):
    study_of(str(folder), 1)
    become("gpu-1")
    assert jobs.one_piece() == 0
    with pytest.raises(work.CommandError, match=r"cannot be done now: .*no downloaded model"):
        work.Command()._refuse_to_leave_work()


REFUSING = {
    "sqlite": "CREATE TRIGGER refusing BEFORE UPDATE ON stimuli_generation WHEN NEW.state = 'done' AND NEW.id = {pk} "
    "BEGIN SELECT RAISE(ABORT, 'refused'); END",
    "postgresql": "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = "
    "'check_violation'; END $$ LANGUAGE plpgsql; CREATE TRIGGER refusing BEFORE UPDATE ON stimuli_generation FOR EACH "
    "ROW WHEN (NEW.state = 'done' AND NEW.id = {pk}) EXECUTE FUNCTION refuse()",
}


def test_an_image_whose_row_the_database_refuses_fails_and_the_others_are_drawn(become):
    study_of("tinyworld", 3)
    become("gpu-1")
    first = Generation.objects.order_by("id").first()
    with connection.cursor() as cursor:
        cursor.execute(REFUSING[connection.vendor].format(pk=first.pk))
    assert jobs.one_piece() == 3
    assert states() == {"done": 2, "failed": 1}
    first.refresh_from_db()
    assert (first.state, "refused" in first.error) == ("failed", True)
