"""/api/v1/seats/ and what is done with a seat: answer, keep, give back."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.addresses import public_name
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db


def lose_the_lease() -> None:
    assignment.release_expired(now=assignment.database_now() + timedelta(days=1))


def test_a_seat_holds_all_that_a_screen_needs(make_study, enrolled):
    rater = enrolled(make_study(items=1))
    turn = rater.claim()
    seat, item = turn["seat"], Seat.objects.get(state="leased").item
    assert (turn["status"], turn["progress"]) == ("rate", {"done": 0, "total": 1})
    assert seat["prompt"] == "a red dog 0 runs"
    assert seat["target"] == {"text": "dog", "start": 6, "end": 9} == {
        "text": item.word.text, "start": item.word.start, "end": item.word.end,
    }  # fmt: skip
    assert [choice["value"] for choice in seat["choices"]] == [*"12345", "word_too_abstract", "image_too_poor"]
    assert not seat["several"]
    assert seat["second"] is None
    for name in ("image", "heat_map", "heat_map_values"):
        assert seat[name].startswith("http://testserver/")
        assert rater.client.get(seat[name]).status_code == 200, name
    until = datetime.fromisoformat(seat["leased_until"])
    assert timedelta(minutes=14) < until - assignment.database_now() < timedelta(minutes=16)


def test_a_presence_seat_names_two_objects_and_not_the_prompt(make_study, enrolled):
    rater = enrolled(make_study(kind="presence", items=1))
    seat = rater.claim()["seat"]
    labels = {choice["value"]: choice["label"] for choice in seat["choices"]}
    assert (labels["first"], labels["second"]) == ("red", "dog")
    assert (seat["prompt"], seat["target"], seat["heat_map"], seat["several"]) == (None, None, None, True)
    assert rater.answer(seat, "second", "first").json()["answer"] == ["first", "second"]
    assert rater.answer(seat, "neither").json()["answer"] == ["neither"]


def test_a_seat_of_what_changed_has_both_pictures_and_takes_one_answer(make_changes, enrolled):
    rater = enrolled(make_changes(items=1))
    seat = rater.claim()["seat"]
    second = seat["second"]
    assert {seat["prompt"], second["prompt"]} == {"a rusty shovel", "a wooden shovel"}
    assert {seat["target"]["text"], second["target"]["text"]} == {"rusty", "wooden"}
    item = Seat.objects.get(state="leased").item
    pictures = {"rusty": public_name(item.generation), "wooden": public_name(item.second_generation)}
    for each in (seat, second):
        assert pictures[each["target"]["text"]] in each["image"]
    values = [choice["value"] for choice in seat["choices"]]
    assert (values, seat["several"]) == (["object", "background", "both", "nothing", "image_too_poor"], False)
    assert rater.answer(seat, "object", "background").status_code == 400
    assert rater.answer(seat, "background").json()["answer"] == ["background"]


def test_claimed_again_it_is_the_same_seat(make_study, enrolled):
    rater = enrolled(make_study())
    assert rater.claim()["seat"]["id"] == rater.claim()["seat"]["id"]
    assert Seat.objects.filter(state="leased").count() == 1


def test_all_the_way_to_the_code(make_study, enrolled):
    study = make_study(items=3)
    rater = enrolled(study)
    for _ in range(3):
        assert rater.answer(rater.claim()["seat"], "5").status_code == 200
    turn = rater.claim()
    assert (turn["status"], turn["seat"], turn["completion_code"]) == ("done", None, study.completion_code)
    assert rater.get("enrolments/mine/").json()["completion_code"] == study.completion_code
    assert Judgement.objects.counted().count() == 3


def test_while_others_hold_the_rest_it_says_wait(make_study, enrolled):
    study = make_study(items=1, seats_per_item=1)
    enrolled(study).claim()
    turn = enrolled(study).claim()
    assert (turn["status"], turn["seat"], turn["completion_code"]) == ("wait", None, None)


def test_the_steps_before_the_items_are_not_passed_over(make_study, enrolled):
    rater = enrolled(make_study(instructions_shown=True), instructions_read=False)
    turn = rater.claim()
    assert (turn["status"], turn["seat"]) == ("instructions", None)
    assert turn["link"] == f"http://testserver/rate/{Enrolment.objects.get().token}/instructions/"
    assert not Seat.objects.filter(state="leased").exists()


def test_a_client_that_showed_the_instructions_says_so(make_study, enrolled):
    assert enrolled(make_study(instructions_shown=True)).claim()["status"] == "rate"


def test_a_break_is_told_once(make_study, enrolled):
    rater = enrolled(make_study(items=4, break_every=1))
    rater.answer(rater.claim()["seat"], "3")
    assert [rater.claim()["status"] for _ in range(2)] == ["break", "rate"]


def test_the_same_submission_again_gets_the_first_reply(make_study, enrolled):
    rater = enrolled(make_study())
    seat, key = rater.claim()["seat"], uuid.uuid4()
    first = rater.answer(seat, "4", key=key, browser_milliseconds=1200, context={"locale": "en"})
    again = rater.answer(seat, "4", key=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    stored = Judgement.objects.get()
    assert (stored.rating, stored.browser_milliseconds, stored.locale) == (4, 1200, "en")


def test_another_body_under_the_same_key_is_refused(make_study, enrolled):
    rater = enrolled(make_study())
    seat, key = rater.claim()["seat"], uuid.uuid4()
    rater.answer(seat, "4", key=key)
    for refused in (rater.answer(seat, "5", key=key), rater.answer(rater.claim()["seat"], "4", key=key)):
        assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")
    assert Judgement.objects.get().rating == 4


def test_with_a_new_key_it_is_a_correction(make_study, enrolled):
    rater = enrolled(make_study())
    seat = rater.claim()["seat"]
    assert [rater.answer(seat, value).json()["revision"] for value in ("4", "2")] == [1, 2]
    assert Judgement.objects.counted().get().rating == 2


@pytest.mark.parametrize("taken", [False, True])
def test_a_late_answer_is_never_lost(make_study, enrolled, taken):
    study = make_study(items=1, seats_per_item=1)
    slow = enrolled(study)
    seat = slow.claim()["seat"]
    lose_the_lease()
    if taken:
        enrolled(study).claim()
    assert slow.answer(seat, "2").json()["surplus"] is taken
    assert Judgement.objects.count() == 1


@pytest.mark.parametrize("key", ["", "7", "not-a-uuid"])
def test_a_submission_needs_a_key_of_its_own(make_study, enrolled, key):
    rater = enrolled(make_study())
    seat = rater.claim()["seat"]
    response = rater.post(
        f"seats/{seat['id']}/judgement/", {"ticket": seat["ticket"], "answer": ["4"]}, **{"Idempotency-Key": key}
    )
    assert response.status_code == 400
    assert repr(key) in response.json()["errors"]["Idempotency-Key"][0]


@pytest.mark.parametrize("values", [[], ["6"], ["4", "5"], ["first"], [""], [4, None], "x" * 50])
def test_an_answer_that_is_not_offered_is_refused(make_study, enrolled, values):
    rater = enrolled(make_study())
    seat = rater.claim()["seat"]
    response = rater.post(
        f"seats/{seat['id']}/judgement/",
        {"ticket": seat["ticket"], "answer": values},
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    assert response.status_code == 400
    assert response.json()["errors"]["answer"]
    assert not Judgement.objects.exists()


def test_nobody_answers_what_they_were_not_shown(make_study, enrolled):
    study = make_study(items=4)
    one, two = enrolled(study), enrolled(study)
    mine, other = one.claim()["seat"], two.claim()["seat"]
    tries = [
        one.answer(other, "1"),  # the other's seat and ticket
        one.answer({**mine, "id": other["id"]}, "1"),  # the own ticket for the other's seat
        one.answer({**mine, "id": 2**70}, "1"),
        one.answer({**mine, "ticket": mine["ticket"][:-1]}, "1"),
    ]
    assert [response.status_code for response in tries] == [404] * 4
    assert not Judgement.objects.exists()


@pytest.mark.parametrize("action", ["heartbeat", "release"])
def test_another_raters_lease_is_out_of_reach(make_study, enrolled, action):
    study = make_study(items=4)
    one, two = enrolled(study), enrolled(study)
    other = two.claim()["seat"]
    for pk in (other["id"], 0, 2**70):
        assert one.post(f"seats/{pk}/{action}/").status_code == 404
    assert Seat.objects.get(pk=other["id"]).state == "leased"


def test_a_heartbeat_keeps_the_seat_by_the_databases_clock(make_study, enrolled):
    rater = enrolled(make_study())
    seat = rater.claim()["seat"]
    Seat.objects.filter(pk=seat["id"]).update(leased_until=assignment.database_now())
    until = datetime.fromisoformat(rater.post(f"seats/{seat['id']}/heartbeat/").json()["leased_until"])
    assert until - assignment.database_now() > timedelta(minutes=14)
    assert Seat.objects.get(pk=seat["id"]).leased_until == until


def test_a_released_seat_is_free_for_others(make_study, enrolled):
    rater = enrolled(make_study())
    seat = rater.claim()["seat"]
    assert rater.post(f"seats/{seat['id']}/release/").json() == {"leased_until": None}
    assert rater.post(f"seats/{seat['id']}/release/").status_code == 404
    assert rater.post(f"seats/{seat['id']}/heartbeat/").status_code == 404
    assert Seat.objects.get(pk=seat["id"]).state == "free"


@pytest.mark.parametrize("end", ["closed", "paused", "excluded"])
def test_after_the_end_nothing_is_handed_out_and_answers_are_kept(make_study, enrolled, end):
    study = make_study()
    rater = enrolled(study)
    seat = rater.claim()["seat"]
    if end == "excluded":
        Enrolment.objects.get().exclude("asked to leave", assignment.database_now())
    else:
        Study.objects.update(state=end)
    assert (rater.claim()["status"], rater.claim()["seat"]) == ("done", None)
    assert rater.answer(seat, "3").status_code == 200
    assert Judgement.objects.counted().count() == (0 if end == "excluded" else 1)


def test_one_rater_is_throttled_and_another_not(make_study, enrolled, settings):
    study = make_study()
    one, two = enrolled(study), enrolled(study)
    settings.RATES = {"enrol": "9/min", "rater": "2/min"}
    assert [one.post("seats/").status_code for _ in range(3)] == [200, 200, 429]
    assert two.post("seats/").status_code == 200
