"""A disk that is full, read-only or broken in one place: nothing is half-written, and work goes on once it serves."""

from __future__ import annotations

import errno
import io
import itertools
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe, Worker
from annotation_site.storage import FileDamaged, StorageFull, StorageUnavailable, StorageUnusable
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.worker import fleet, jobs, resting
from annotation_site.worker.management.commands import work
from attribution import records
from tests.annotation_site import object_store

pytestmark = pytest.mark.django_db
IMAGES = 8


@pytest.fixture
def small_disk(tmp_path, settings) -> Iterator[Callable[[str], None]]:
    """The site's files lie on a disk of 64 KiB; ``change("size=8m")`` mounts it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return not subprocess.run(command, capture_output=True, check=False).returncode

    if not mount("size=64k"):
        pytest.skip("mounting a small disk is for root, and not in every container")
    settings.MEDIA_ROOT = folder

    def change(options: str) -> None:
        assert mount(f"remount,{options}")

    yield change
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def later(monkeypatch) -> Callable[[float], None]:
    """``later(seconds)``: let time pass for a worker that rests."""
    now = [0.0]
    monkeypatch.setattr(resting.STORAGE, "_clock", lambda: now[0])
    monkeypatch.setattr(resting.STORAGE, "_refusals", Counter())
    monkeypatch.setattr(fleet, "TOKEN", "a process of its own")
    fleet.enlist()
    yield lambda seconds: now.__setitem__(0, now[0] + seconds)
    resting.STORAGE.served()


@pytest.fixture
def study(db):
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=1, guidance=2.0, height=64, width=64))
    word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
    stimuli = [Stimulus(records.Prompt(f"star {n}", (word,), source_id=str(n)), 0) for n in range(IMAGES)]
    return build_study(slug="study", title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def count(state: str) -> int:
    return Generation.objects.filter(state=state).count()


def assert_whole(media: Path) -> None:
    """Each done row has its files, no other row has any, and no file is unfinished."""
    for row in Generation.objects.filter(state="done"):
        files.read_whole(row.image.name, row.image_sha256)
        files.read_whole(row.maps.name, row.maps_sha256)
    assert not Generation.objects.exclude(state="done").exclude(image="", maps="").exists()
    assert not [path for path in media.rglob("*") if path.is_file() and path.name.startswith(files.UNFINISHED)]


def test_a_full_disk_stops_the_command_and_what_fitted_is_whole(small_disk, study, settings):
    with pytest.raises(CommandError, match=rf"No space left for {settings.MEDIA_ROOT}/generations/.*: free some"):
        call_command("precompute", "study")
    assert 0 < count("done") < IMAGES
    assert count("done") + count("queued") == IMAGES
    assert_whole(settings.MEDIA_ROOT)
    small_disk("size=8m")
    call_command("precompute", "study")
    assert count("done") == IMAGES
    assert_whole(settings.MEDIA_ROOT)


def test_a_worker_rests_while_the_disk_is_full_and_goes_on_once_there_is_room(small_disk, study, later, settings):
    jobs.one_piece()
    fitted, attempts = count("done"), sum(Generation.objects.values_list("attempts", flat=True))
    assert 0 < fitted < IMAGES
    assert "No space left" in Worker.objects.get().trouble
    for seconds in (0, 4, 2, 9, 2):  # rests of 5, 10, 20 seconds, after each of which the disk is tried
        later(seconds)
        assert jobs.one_piece() == 0
    assert sum(Generation.objects.values_list("attempts", flat=True)) == attempts
    assert count("queued") == IMAGES - fitted
    assert_whole(settings.MEDIA_ROOT)
    small_disk("size=8m")
    later(20)
    assert jobs.one_piece() == IMAGES - fitted
    assert Worker.objects.get().trouble == ""
    assert_whole(settings.MEDIA_ROOT)


def test_a_disk_that_is_read_only_is_said_with_the_remedy(small_disk, settings):
    small_disk("ro")
    with pytest.raises(StorageUnusable, match=r"Read-only .*: let user \d+ write to its folder") as raised:
        files.write("generations/ab/image.png", b"content")
    assert str(settings.MEDIA_ROOT) in str(raised.value)


def test_an_image_whose_own_place_is_broken_fails_with_the_reason_and_the_others_are_drawn(study, later, settings):
    first = Generation.objects.order_by("id").first()
    blocked = settings.MEDIA_ROOT / Path(files.names(first.identity)[0]).parent
    blocked.parent.mkdir(parents=True)
    blocked.write_text("no folder")
    pieces = itertools.takewhile(lambda _: count("queued"), itertools.count())
    for _ in pieces:
        jobs.one_piece()
        later(resting.LONGEST_SECONDS)
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("failed", resting.MOST_REFUSALS)
    assert str(blocked) in first.error
    assert count("done") == IMAGES - 1
    assert_whole(settings.MEDIA_ROOT)


def test_an_image_that_failed_for_want_of_its_place_does_not_end_the_rest_that_grows(study, later, settings):
    only = Generation.objects.order_by("id").first()
    Generation.objects.exclude(pk=only.pk).update(held=True)
    blocked = settings.MEDIA_ROOT / Path(files.names(only.identity)[0]).parent
    blocked.parent.mkdir(parents=True)
    blocked.write_text("no folder")
    for seconds in (0, 5, 10):
        later(seconds)
        jobs.one_piece()
    assert count("failed") == 1
    Generation.objects.filter(pk=only.pk).retry_failed()
    jobs.one_piece()
    later(19)  # Two refusals made it rest for 5 and 10 seconds, and the third makes it 20.
    assert jobs.one_piece() == 0
    only.refresh_from_db()
    assert (only.state, only.attempts) == ("queued", 4)


def test_work_until_empty_does_not_end_well_while_work_is_left(study, later, settings):
    settings.MEDIA_ROOT.write_text("no folder")
    assert jobs.one_piece() == 0
    with pytest.raises(CommandError, match=r"cannot be done now: .*media"):
        work.Command()._refuse_to_leave_work()
    assert count("queued") == IMAGES


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, StorageFull, "No space left for .*image.png"),
        (errno.EDQUOT, StorageFull, "free some"),
        (errno.EACCES, StorageUnusable, "let user"),
        (errno.EIO, StorageUnusable, "Input/output error.*see to the disk"),
    ],
)
def test_no_partial_file_is_left_when_writing_breaks_off(monkeypatch, settings, number, kind, said):
    def broken(handle: int) -> None:
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(files.os, "fsync", broken)
    with pytest.raises(kind, match=said):
        files.write("generations/ab/image.png", b"content")
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_a_new_file_is_on_the_disk_with_every_folder_that_was_made_for_it(monkeypatch, settings):
    synced = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink()))
    root = settings.MEDIA_ROOT.resolve()
    root.mkdir(exist_ok=True)
    files.write("generations/ab/abcd/image.png", b"content")
    leaf = root / "generations" / "ab" / "abcd"
    # A folder holds the names of what is in it: each is synced above what was made.
    assert {root, root / "generations", root / "generations" / "ab", leaf} <= set(synced)
    synced.clear()
    files.write("generations/ab/abcd/maps.npz", b"content")
    assert synced[1:] == [leaf]


def test_a_disk_that_gives_back_other_bytes_is_found_out_before_anybody_sees_the_file(monkeypatch, settings):
    files.write("one.png", b"the one before")
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"other")
    with pytest.raises(StorageUnusable, match="other bytes"):
        files.write("one.png", b"content")
    monkeypatch.undo()
    assert files.read("one.png") == b"the one before"


def test_the_tree_of_errors():
    assert issubclass(StorageUnavailable, StorageUnusable)
    assert issubclass(StorageFull, StorageUnusable)
    assert issubclass(StorageUnusable, OSError)
    assert not issubclass(FileDamaged, StorageUnusable)


def test_a_worker_draws_into_a_bucket_and_rests_while_there_is_none(study, later, settings):
    with object_store.running() as endpoint:
        settings.STORAGES = object_store.storages(endpoint)
        assert jobs.one_piece() == 0
        assert "make_bucket" in Worker.objects.get().trouble
        assert count("queued") == IMAGES
        call_command("make_bucket", stdout=io.StringIO())
        later(resting.SHORTEST_SECONDS)
        assert jobs.one_piece() == IMAGES
        assert_whole(settings.MEDIA_ROOT)
        # An image, its maps and their description each, and no trial file.
        assert len(list(files.every())) == 3 * IMAGES == len(list(default_storage.every()))
    assert not settings.MEDIA_ROOT.exists()
