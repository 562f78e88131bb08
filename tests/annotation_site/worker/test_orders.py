"""Ordered studies: made once, by whichever worker lives to finish, or failed with the reason."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.stimuli.workers import SILENCE
from annotation_site.studies.models import Item, Member, Study, StudyOrder
from annotation_site.worker import jobs, orders
from annotation_site.worker.orders import LEASE, carry_out_next
from annotation_site.worker.sampling import some
from attribution.language.captions import Caption

pytestmark = pytest.mark.django_db
COMMON = {
    "title": "Ordered",
    "slug": "ordered",
    "seats_per_item": 2,
    "cap_share": 0.5,
    "model": "tinyworld",
    "recipe": {"steps": 7},
    "seed": 3,
}
PRESENCE = {**COMMON, "ontology": "tinyworld", "prompts": 4, "seeds": 2}
CAPTIONS = "a red dog runs\na blue cat sleeps\nthe old man sings\n"


@pytest.fixture
def orderer() -> User:
    return User.objects.create_user("rosa")


def order(orderer: User, preset: str, choices: dict, **fields) -> StudyOrder:
    placed = StudyOrder.objects.create(orderer=orderer, preset=preset, **fields)
    assert placed.place(choices, database_now())
    return placed


def test_a_presence_study_is_made_and_run_by_its_orderer(orderer):
    order(orderer, "presence", PRESENCE)
    done = carry_out_next("here:1")
    assert (done.state, done.error) == ("done", "")
    study = Study.objects.get(slug="ordered")
    assert done.study == study
    assert (study.state, study.kind, study.title, study.seats_per_item, study.cap_share) == (
        "draft", "presence", "Ordered", 2, 0.5,
    )  # fmt: skip
    assert study.items.count() == 8
    assert set(Generation.objects.values_list("state", "recipe__model", "recipe__steps")) == {
        ("queued", "tinyworld", 7)
    }
    assert list(study.members.values_list("user", "role")) == [(orderer.pk, Member.Role.RESEARCHER)]


def test_a_repeated_call_makes_no_second_study(orderer):
    order(orderer, "presence", PRESENCE)
    carry_out_next("here:1")
    assert carry_out_next("here:1") is None
    assert Study.objects.count() == 1


def test_uploaded_captions_are_read_under_their_own_name(orderer):
    files.write("captions/xy.txt", CAPTIONS.encode())
    choices = {
        **COMMON, "captions": "upload", "per_tag": 2, "tags": 2, "allow_fewer": True, "arms": ["daam", "blob"],
    }  # fmt: skip
    order(orderer, "comparison", choices, captions_name="mine.txt", captions_file="captions/xy.txt")
    done = carry_out_next("here:1")
    assert done.error == ""
    study = done.study
    assert study.sampling["source"] == "mine.txt"
    assert study.sampling["seed"] == 3
    # Two pairs of each of two tags, each with both maps; the two maps share the pair's image.
    assert study.items.count() == 8
    assert set(study.items.values_list("arm", flat=True)) == {"daam", "blob"}
    assert Generation.objects.count() == 4


def test_an_adjective_study_is_made_of_its_swap_sets(orderer):
    choices = {**COMMON, "templates": ["a {red, blue, green} star and a house"], "images": 2}
    order(orderer, "change", choices)
    done = carry_out_next("here:1")
    assert done.error == ""
    assert done.study.items.count() == 4
    assert Generation.objects.count() == 6


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompts": 3}, "even number"),
        ({"ontology": "/nowhere/groups.json"}, "/nowhere/groups.json"),
        ({"seats_per_item": 99}, "15"),
        ({"recipe": {"height": 511}}, "multiple of 8"),
    ],
)
def test_what_cannot_be_made_is_failed_with_its_reason(orderer, change, reason):
    order(orderer, "presence", {**PRESENCE, **change})
    failed = carry_out_next("here:1")
    assert failed.state == "failed"
    assert reason in failed.error
    assert not Study.objects.exists()


def test_a_taken_slug_fails_and_may_be_ordered_again_under_another(orderer, make_study):
    make_study(slug="ordered", opened=False, done=False)
    order(orderer, "presence", PRESENCE)
    failed = carry_out_next("here:1")
    assert "ordered" in failed.error
    assert failed.place({**PRESENCE, "slug": "another"}, database_now())
    assert carry_out_next("here:1").study.slug == "another"


def test_a_failure_half_way_leaves_nothing_of_a_study(orderer, monkeypatch):
    order(orderer, "presence", PRESENCE)
    monkeypatch.setattr(orders.Member.objects, "create", lambda **fields: 1 / 0)
    failed = carry_out_next("here:1")
    assert (failed.state, failed.error) == ("failed", "ZeroDivisionError: division by zero")
    assert not Study.objects.exists()
    assert not Item.objects.exists()


def test_an_order_of_a_worker_that_lost_it_is_rolled_back(orderer, monkeypatch):
    placed = order(orderer, "presence", PRESENCE)
    make = orders.cohyponym_study

    def slow(**arguments):
        # Its lease is over, and another worker has made the study meanwhile.
        StudyOrder.objects.filter(pk=placed.pk).update(claimed_until=database_now() - timedelta(seconds=1))
        monkeypatch.setattr(orders, "cohyponym_study", make)
        assert carry_out_next("there:2").state == "done"
        Study.objects.update(slug="renamed")  # so that not the slug alone forbids the second
        return make(**arguments)

    monkeypatch.setattr(orders, "cohyponym_study", slow)
    assert carry_out_next("here:1").state == "done"
    assert list(Study.objects.values_list("slug", flat=True)) == ["renamed"]
    assert StudyOrder.objects.get().study.slug == "renamed"


def test_orders_of_dead_processes_are_taken_over_at_once(orderer):
    placed = order(orderer, "presence", PRESENCE)
    nobody = socket.gethostname() + ":999999999"
    assert StudyOrder.objects.claim(worker=nobody, now=database_now(), lease=LEASE)
    assert carry_out_next("here:1").state == "done"
    placed.refresh_from_db()
    assert placed.attempts == 2


def test_orders_of_a_worker_that_fell_silent_on_another_machine_are_taken_over_at_once(orderer):
    placed = order(orderer, "presence", PRESENCE)
    now = database_now()
    other = Worker.objects.create(name="gpu-7:1", host="gpu-7", token="t", kind="celery", started_at=now, last_seen=now)
    assert StudyOrder.objects.claim(worker=other.name, now=now, lease=LEASE)
    assert carry_out_next("here:1") is None
    Worker.objects.filter(pk=other.pk).update(last_seen=now - SILENCE - timedelta(seconds=1))
    assert jobs.sweep(database_now()) == 1
    assert carry_out_next("here:1").state == "done"
    placed.refresh_from_db()
    assert placed.attempts == 2


@pytest.mark.parametrize(("most", "read"), [(2, 2), (3, 3), (4, 3)])
def test_of_too_many_captions_so_many_are_read_and_the_study_says_so(orderer, monkeypatch, most, read):
    monkeypatch.setattr(orders, "MOST_CAPTIONS", most)
    files.write("captions/xy.txt", CAPTIONS.encode())
    choices = {**COMMON, "captions": "upload", "per_tag": 1, "tags": 1, "allow_fewer": True}
    order(orderer, "attribution", choices, captions_name="mine.txt", captions_file="captions/xy.txt")
    done = carry_out_next("here:1")
    assert done.error == ""
    assert (done.study.sampling["captions"], done.study.sampling["captions_given"]) == (read, 3)


def test_some_of_the_captions_are_the_same_for_the_same_seed_and_in_their_order():
    captions = [Caption(str(number), str(number)) for number in range(100)]
    first = some(captions, 10, seed=1)
    assert first == some(captions, 10, seed=1) == sorted(set(first), key=captions.index)
    assert len(first) == 10
    assert first != some(captions, 10, seed=2)


def test_an_order_that_ends_its_workers_is_given_up(orderer):
    placed = order(orderer, "presence", PRESENCE)
    nobody = socket.gethostname() + ":999999999"
    for _ in range(3):
        orders.release_orders_of_the_dead()
        assert StudyOrder.objects.claim(worker=nobody, now=database_now(), lease=LEASE)
    assert "3 workers ended" in carry_out_next("here:1").error
    placed.refresh_from_db()
    assert placed.state == "failed"


def test_a_placed_order_is_neither_edited_nor_placed_again(orderer):
    placed = order(orderer, "presence", PRESENCE)
    assert not placed.keep(answers={"x": 1})
    assert not placed.place({**PRESENCE, "slug": "other"}, database_now())
    assert StudyOrder.objects.get().choices["slug"] == "ordered"
