"""The generation queue with the shipped model: real images, real maps, real files."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
import torch
from celery.worker import state as celery_state
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from PIL import Image

from annotation_site.rating.assignment import database_now, open_study
from annotation_site.rating.models import Seat
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe, Worker
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.worker import finishing, fleet, tasks
from annotation_site.worker import generation as worker
from attribution import load_pipeline, presets, records
from attribution.maps import HeatMaps

pytestmark = pytest.mark.django_db
CAPTIONS = ("a red star", "a blue house on the grass", "two green fish")


def prompt(text: str) -> records.Prompt:
    words, start = [], 0
    for index, part in enumerate(text.split(" ")):
        words.append(records.Word(part, start, start + len(part), "NOUN", part, index, "root"))
        start += len(part) + 1
    return records.Prompt(text, tuple(words))


def study_of(*captions: str, slug: str = "study"):
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=2, guidance=2.0, height=64, width=64))
    stimuli = [Stimulus(prompt(text), len(text.split(" ")) - 1) for text in captions]
    return build_study(slug=slug, title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def test_precompute_makes_whole_files_whose_hashes_match_and_frees_the_seats(capsys):
    study = study_of(*CAPTIONS)
    open_study(study)
    assert set(Seat.objects.values_list("state", flat=True)) == {"pending"}
    call_command("precompute", study.slug, batch_size=2)
    assert "3 made now; 3 done, 0 failed" in capsys.readouterr().out
    for item in study.items.select_related("generation", "word"):
        made = item.generation
        assert files.sha256(files.read(made.image.name)) == made.image_sha256
        assert files.sha256(files.read(made.maps.name)) == made.maps_sha256
        with default_storage.open(made.image.name) as file, Image.open(file) as image:
            assert image.size == (64, 64)
        description = files.read(files.names(made.identity)[2])
        maps = HeatMaps.from_bytes(files.read(made.maps.name), description, name=made.maps.name)
        assert maps.word(item.word.start, item.word.end).values.max() > 0
    assert set(Seat.objects.values_list("state", flat=True)) == {"free"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_worker_that_needs_a_gpu_and_sees_none_ends_and_draws_nothing(settings, monkeypatch):
    settings.NEEDS_GPU = True
    study = study_of(*CAPTIONS)
    with pytest.raises(CommandError, match="torch sees no GPU, and ATTEST_NEEDS_GPU is on"):
        call_command("precompute", study.slug)
    monkeypatch.setattr(celery_state, "should_stop", None)
    with pytest.raises(worker.DeviceLost):
        tasks.work()
    assert celery_state.should_stop == 1
    assert "sees no GPU" in Worker.objects.get().trouble
    assert set(Generation.objects.values_list("state", "attempts")) == {("queued", 0)}


def test_a_second_run_makes_nothing(capsys):
    study = study_of(*CAPTIONS)
    call_command("precompute", study.slug)
    before = list(Generation.objects.values_list("done_at", "attempts"))
    call_command("precompute", study.slug)
    assert "0 made now; 3 done" in capsys.readouterr().out
    assert list(Generation.objects.values_list("done_at", "attempts")) == before


def test_the_same_generation_gives_the_same_image_in_any_batch(settings, tmp_path):
    study = study_of(*CAPTIONS)
    call_command("precompute", study.slug, batch_size=3)
    together = dict(Generation.objects.values_list("identity", "image_sha256"))
    Generation.objects.update(state="queued")
    settings.MEDIA_ROOT = tmp_path / "again"
    call_command("precompute", study.slug, batch_size=1)
    assert dict(Generation.objects.values_list("identity", "image_sha256")) == together


def test_a_prompt_that_cannot_be_mapped_fails_with_its_reason_and_the_others_are_made(capsys):
    past_the_cut = " ".join(["star"] * 200)
    study = study_of("a red star", past_the_cut, "a blue house")
    call_command("precompute", study.slug, batch_size=3)
    output = capsys.readouterr()
    failed = Generation.objects.get(state="failed")
    assert failed.prompt.text == past_the_cut
    assert "cut the prompt off" in failed.error
    assert "2 done, 1 failed" in output.out
    assert "--retry-failed" in output.out
    call_command("precompute", study.slug)
    assert Generation.objects.get(state="failed").attempts == failed.attempts
    call_command("precompute", study.slug, retry_failed=True)
    assert "1 failed generations queued again" in capsys.readouterr().out
    assert Generation.objects.get(state="failed").attempts > failed.attempts


def test_a_model_that_cannot_be_loaded_is_an_error_that_keeps_the_queue():
    study = study_of("a red star")
    Recipe.objects.update(model="no-such-folder/no-such-model")
    with pytest.raises(CommandError, match="no-such-folder/no-such-model"):
        call_command("precompute", study.slug)
    assert Generation.objects.get().state == "queued"


def test_claims_of_a_dead_process_of_this_host_are_taken_over_at_once():
    study = study_of(*CAPTIONS)
    mine = worker.wanted_by(study)
    host = fleet.worker_name().rpartition(":")[0]
    nobody = 2**22 + 1  # above the kernel's largest process number
    now = database_now()
    assert len(mine.claim(worker=f"{host}:{nobody}", limit=2, now=now, lease=timedelta(hours=1))) == 2
    assert len(mine.claim(worker="elsewhere:1", limit=1, now=now, lease=timedelta(hours=1))) == 1
    assert mine.claim(worker=fleet.worker_name(), limit=9, now=now, lease=timedelta(hours=1)) == []
    assert fleet.release_claims_of_the_dead(now) == 2
    assert len(mine.claim(worker=fleet.worker_name(), limit=9, now=now, lease=timedelta(hours=1))) == 2


def test_a_lease_that_ran_out_is_claimed_by_another_and_the_first_one_marks_nothing():
    study = study_of("a red star")
    mine, now = worker.wanted_by(study), database_now()
    [slow] = mine.claim(worker="slow:1", limit=1, now=now, lease=timedelta(seconds=-1))
    [quick] = mine.claim(worker="quick:1", limit=1, now=now, lease=timedelta(hours=1))
    assert slow.pk == quick.pk
    assert quick.attempts == 2
    pipeline = load_pipeline("tinyworld")
    drawn = next(d for _, d in worker._drawn(pipeline, slow.recipe, [slow]))
    tally = worker.Tally()
    finishing.finish(slow, drawn, {}, tally)
    assert (tally.done, Generation.objects.get().state) == (0, "claimed")
    assert not default_storage.exists(files.names(slow.identity)[0])
    finishing.finish(quick, drawn, {}, tally)
    assert (tally.done, Generation.objects.get().state) == (1, "done")


def test_weights_that_changed_under_a_study_are_refused(tmp_path, monkeypatch):
    copy = tmp_path / "model"
    shutil.copytree(presets.SHIPPED["tinyworld"], copy)
    study = study_of("a red star")
    Recipe.objects.update(model=str(copy), revision=presets.preset(str(copy)).recipe.revision)
    (copy / "unet" / "config.json").write_text((copy / "unet" / "config.json").read_text() + "\n")
    with pytest.raises(CommandError, match="no longer those"):
        call_command("precompute", study.slug)


def test_tasks_belong_to_the_sites_celery_application():
    assert tasks.work.app.main == "attest"


def test_batches_hold_one_recipe():
    study_of("a red star", "a blue star")
    other = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=3, height=64, width=64))
    Generation.objects.filter(prompt__text="a blue star").update(recipe=other)
    batch = Generation.objects.all().claim(worker="w:1", limit=9, now=database_now(), lease=timedelta(hours=1))
    assert len(batch) == 1


@pytest.mark.parametrize(("option", "value"), [("batch_size", 0), ("limit", -1), ("celery", 0)])
def test_numbers_out_of_range_are_refused_by_name(option, value):
    study = study_of("a red star")
    with pytest.raises(CommandError, match=f"--{option.replace('_', '-')} is {value}"):
        call_command("precompute", study.slug, **{option: value})


def test_an_unknown_study_is_an_error_that_lists_those_there_are():
    study_of("a red star", slug="known")
    with pytest.raises(CommandError, match=r"no study 'unknwon'.*known"):
        call_command("precompute", "unknwon")
