"""Damaged files are found, named with who shows them, and drawn again where a recipe can."""

from __future__ import annotations

import random
import uuid

import pytest
from django.core.management import CommandError, call_command

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item
from tests.annotation_site.invariants import assert_invariants

pytestmark = pytest.mark.django_db


def check(capsys, **options: bool) -> tuple[str, str]:
    """What the command prints, and its error."""
    error = ""
    try:
        call_command("check_files", **options)
    except CommandError as raised:
        error = str(raised)
    return capsys.readouterr().out, error


def torn(name: str) -> None:
    """A file of which a crash has kept the first half."""
    content = files.read(name)
    files.write(name, content[: len(content) // 2])


def test_whole_files_are_no_news(make_study, capsys):
    make_study(items=2)
    assert check(capsys) == ("0 damaged; 0 of them will be drawn again.\n", "")


def test_each_damaged_file_is_named_with_its_reason_and_its_items(make_study, capsys):
    make_study(items=4)
    images = Generation.objects.order_by("id")
    torn(images[0].image.name)
    torn(images[1].maps.name)
    files.delete(images[2].image.name)
    files.write(images[3].maps.name.replace(".npz", ".json"), b"{")
    said, error = check(capsys)
    for row, name, reason in zip(
        images,
        (images[0].image.name, images[1].maps.name, images[2].image.name, images[3].maps.name),
        ("its hash differs", "its hash differs", "no such file", ""),
        strict=True,
    ):
        line = next(line for line in said.splitlines() if line.startswith(name))
        assert reason in line
        assert f"(shown by study/{row.items.get().position})" in line
    assert "4 damaged files are left" in error
    assert Generation.objects.filter(state="done").count() == 4


def test_what_is_queued_again_is_shown_to_nobody_and_answers_stay(make_study, capsys, finish):
    study = make_study(items=2, seats_per_item=2)
    one, two = (Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(2))
    for rater in (one, two):
        assignment.claim_next(rater, rng=random.Random(0))
    held = Seat.objects.filter(state="leased")
    broken = held.first().item.generation
    before = broken.image_sha256
    torn(broken.image.name)
    torn(broken.maps.name)
    said, error = check(capsys, requeue=True)
    assert said.count("queued again") == 2
    assert error == ""
    broken.refresh_from_db()
    assert (broken.state, broken.image.name, broken.maps.name) == ("queued", "", "")
    assert broken.image_sha256 == before
    assert set(Seat.objects.filter(item__generation=broken).values_list("state", flat=True)) == {"pending"}
    assert not held.filter(item__generation=broken).exists()
    assert_invariants(study)
    assert check(capsys) == ("0 damaged; 0 of them will be drawn again.\n", "")
    finish(broken)
    assignment.release_pending([broken])
    assert set(Seat.objects.filter(item__generation=broken).values_list("state", flat=True)) == {"free"}


def test_an_imported_image_cannot_be_drawn_again_and_stays_as_it_is(make_study, capsys):
    make_study(items=1)
    Generation.objects.update(origin="a camera")
    torn(Generation.objects.get().image.name)
    said, error = check(capsys, requeue=True)
    assert "queued again" not in said
    assert "cannot be drawn here" in error
    assert Generation.objects.get().is_done


def test_an_arms_own_map_is_checked_too(make_study, capsys):
    make_study(items=2)
    files.write("maps/own.npy", b"x")
    Item.objects.filter(position=1).update(map_source="file", map_file="maps/own.npy", map_sha256="0" * 64)
    said, error = check(capsys, requeue=True)
    assert "maps/own.npy" in said
    assert "(shown by study/1)" in said
    assert "1 damaged files are left" in error


def test_a_judged_seat_keeps_its_judgement_while_its_image_is_drawn_again(make_study):
    study = make_study(items=1, seats_per_item=2)
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    seat = assignment.claim_next(rater, rng=random.Random(0))
    answer, now = assignment.Answer(rating=4), assignment.database_now()
    assignment.record(seat=seat, enrolment=rater, answer=answer, key=uuid.uuid4(), shown_at=now)
    assert assignment.draw_again(Generation.objects.get(), reason="torn")
    assert not assignment.draw_again(Generation.objects.get(), reason="torn")
    assert sorted(Seat.objects.values_list("state", flat=True)) == ["done", "pending"]
    assert Judgement.objects.counted().count() == 1
    assert_invariants(study)
