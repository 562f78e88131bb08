"""Claiming seats and recording answers, one rater at a time."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def enrol(study: Study, **rater: object) -> Enrolment:
    return Enrolment.objects.create(rater=Rater.objects.create(**rater), study=study)


def claim(enrolment: Enrolment, now: datetime = NOON) -> Seat | None:
    return assignment.claim_next(enrolment, rng=random.Random(0), now=now)


def answer(seat: Seat, enrolment: Enrolment, rating: int = 4, key: uuid.UUID | None = None, now: datetime = NOON):
    return assignment.record(
        seat=seat, enrolment=enrolment, answer=Answer(rating=rating), key=key or uuid.uuid4(), shown_at=NOON, now=now
    )


def test_opening_makes_k_seats_an_item_and_fixes_the_cap(make_study):
    study = make_study(items=10, seats_per_item=3, cap_share=0.29, opened=False)
    assert assignment.open_study(study, now=NOON) == 30
    study.refresh_from_db()
    assert (study.state, study.cap, study.opened_at) == ("open", 8, NOON)  # floor(0.29 * 30) = floor(8.7)


def test_the_cap_is_exact_where_floats_are_not(make_study):
    # 0.29 * 100 is 28.999999999999996 in floats.
    study = make_study(items=50, seats_per_item=2, cap_share=0.29, done=False)
    assert study.cap == 29


def test_an_empty_study_does_not_open(make_study):
    study = make_study(items=1, opened=False)
    study.items.all().delete()
    with pytest.raises(assignment.StudyNotReady, match="no items"):
        assignment.open_study(study)


def test_a_closed_study_does_not_open_again(make_study):
    study = make_study()
    assert assignment.close_study(study, now=NOON)
    with pytest.raises(assignment.StudyNotReady, match="is closed"):
        assignment.open_study(study)


def test_a_second_claim_returns_the_open_lease_renewed(make_study):
    enrolment = enrol(make_study())
    first = claim(enrolment)
    again = claim(enrolment, NOON + timedelta(minutes=10))
    assert first is not None
    assert again is not None
    assert again.pk == first.pk
    assert again.leased_until == NOON + timedelta(minutes=25)


def test_a_rater_sees_each_item_once_and_no_more_than_the_cap(make_study):
    study = make_study(items=6, cap_share=0.25)  # floor(0.25 * 18) = 4
    enrolment = enrol(study)
    seen = []
    while (seat := claim(enrolment)) is not None:
        answer(seat, enrolment)
        seen.append(seat.item_id)
    assert len(seen) == len(set(seen)) == 4


def test_the_lowest_round_is_filled_first(make_study):
    study = make_study(items=5, seats_per_item=2)
    one, two = enrol(study), enrol(study)
    rounds = []
    for enrolment in (one, one, two, two, one):
        seat = claim(enrolment)
        assert seat is not None
        answer(seat, enrolment)
        rounds.append(seat.round)
    assert rounds == [0] * 5
    seat = claim(two)
    assert seat is not None
    assert seat.round == 1


def test_seats_of_images_that_are_not_made_are_not_handed_out(make_study):
    study = make_study(items=2, done=False)
    enrolment = enrol(study)
    assert claim(enrolment) is None
    generation = study.items.first().generation
    assert assignment.release_pending([generation]) == 3
    seat = claim(enrolment)
    assert seat is not None
    assert seat.item.generation == generation


def test_withdrawn_items_are_not_handed_out_nor_counted(make_study):
    study = make_study(items=1)
    enrolment = enrol(study)
    seat = claim(enrolment)
    answer(seat, enrolment)
    assert Judgement.objects.counted().count() == 1
    assignment.withdraw_item(seat.item, now=NOON)
    assert Judgement.objects.counted().count() == 0
    assert claim(enrol(study)) is None


@pytest.mark.parametrize("change", [assignment.pause_study, assignment.close_study])
def test_a_study_that_is_not_open_hands_out_nothing_new_but_takes_what_is_on_its_way(make_study, change):
    study = make_study()
    enrolment = enrol(study)
    seat = claim(enrolment)
    assert change(study)
    assert not answer(seat, enrolment).surplus
    assert claim(enrolment) is None
    assert claim(enrol(study)) is None


def test_an_excluded_rater_gets_nothing_new_and_is_not_counted(make_study):
    enrolment = enrol(make_study())
    answer(claim(enrolment), enrolment)
    enrolment.exclude("failed the attention checks", NOON)
    assert claim(enrolment) is None
    assert Judgement.objects.counted().count() == 0
    enrolment.restore()
    assert Judgement.objects.counted().count() == 1


def test_the_same_submission_twice_is_one_judgement(make_study):
    enrolment = enrol(make_study())
    seat, key = claim(enrolment), uuid.uuid4()
    first = answer(seat, enrolment, 4, key)
    assert answer(seat, enrolment, 4, key, LATER) == first
    assert Judgement.objects.count() == 1


def test_another_answer_under_the_same_key_is_refused(make_study):
    enrolment = enrol(make_study())
    seat, key = claim(enrolment), uuid.uuid4()
    answer(seat, enrolment, 4, key)
    with pytest.raises(assignment.KeyReused, match="stored with another answer"):
        answer(seat, enrolment, 5, key)
    assert Judgement.objects.get().rating == 4


def test_a_correction_is_a_revision_and_both_are_kept(make_study):
    enrolment = enrol(make_study())
    seat = claim(enrolment)
    answer(seat, enrolment, 2)
    corrected = answer(seat, enrolment, 5)
    assert corrected.revision == 2
    assert list(Judgement.objects.order_by("revision").values_list("rating", "current")) == [(2, False), (5, True)]
    assert Judgement.objects.counted().get() == corrected


def test_a_late_answer_to_a_seat_nobody_took_is_counted(make_study):
    enrolment = enrol(make_study(items=1))
    seat = claim(enrolment)
    assert assignment.release_expired(enrolment.study, now=LATER) == 1
    late = answer(seat, enrolment, now=LATER)
    assert not late.surplus
    assert Seat.objects.get(pk=seat.pk).enrolment == enrolment


def test_a_late_answer_to_a_seat_somebody_took_is_kept_as_surplus(make_study):
    study = make_study(items=1, seats_per_item=1)
    slow, quick = enrol(study), enrol(study)
    seat = claim(slow)
    taken = claim(quick, LATER)
    assert taken is not None
    assert taken.pk == seat.pk
    assert answer(seat, slow, 1, now=LATER).surplus
    assert not answer(taken, quick, 5, now=LATER).surplus
    assert Judgement.objects.counted().get().rating == 5
    assert Judgement.objects.count() == 2


def test_a_rater_who_gave_a_surplus_answer_is_not_shown_the_item_again(make_study):
    study = make_study(items=1, seats_per_item=2)
    slow = enrol(study)
    seat = claim(slow)
    quick = [enrol(study), enrol(study)]
    for enrolment in quick:
        claim(enrolment, LATER)
    assert answer(seat, slow, now=LATER).surplus
    assert assignment.release(Seat.objects.get(pk=seat.pk), Seat.objects.get(pk=seat.pk).enrolment)
    assert claim(slow, LATER) is None


def test_released_and_renewed_leases_belong_to_their_holder(make_study):
    study = make_study()
    holder, other = enrol(study), enrol(study)
    seat = claim(holder)
    assert not assignment.renew(seat, other, now=LATER)
    assert not assignment.release(seat, other)
    assert assignment.renew(seat, holder, now=LATER)
    assert assignment.release(seat, holder)
    assert not assignment.renew(seat, holder, now=LATER)


def test_a_late_answer_is_counted_after_the_study_was_paused(make_study):
    enrolment = enrol(make_study(items=1))
    seat = claim(enrolment)
    assignment.release_expired(enrolment.study, now=LATER)
    assert assignment.pause_study(enrolment.study)
    assert not answer(seat, enrolment, now=LATER).surplus


def test_a_withdrawn_item_is_not_shown_again_and_uses_up_no_place(make_study):
    study = make_study(items=2, seats_per_item=1, cap_share=0.5)
    enrolment = enrol(study)
    seat = claim(enrolment)
    assignment.withdraw_item(seat.item, now=NOON)
    other = claim(enrolment)
    assert other is not None
    assert other.item_id != seat.item_id
    answer(other, enrolment)
    assignment.withdraw_item(other.item, now=NOON)
    assert assignment.places_left(enrolment) == study.cap


def test_a_rater_has_finished_at_the_cap_or_when_every_other_item_is_judged(make_study):
    study = make_study(items=2, seats_per_item=1)
    one, two = enrol(study), enrol(study)
    first, second = claim(one), claim(two)
    answer(first, one)
    assert not assignment.has_finished(one)  # the other item is leased, and may come back
    answer(second, two)
    assert assignment.has_finished(one)
    capped = make_study(items=3, seats_per_item=1, cap_share=0.34, slug="capped")
    rater = enrol(capped)
    answer(claim(rater), rater)
    assert assignment.has_finished(rater)


def test_an_excluded_raters_late_answer_takes_no_seat(make_study):
    enrolment = enrol(make_study(items=1))
    seat = claim(enrolment)
    assignment.release_expired(enrolment.study, now=LATER)
    enrolment.exclude("failed the attention checks", LATER)
    assert answer(seat, enrolment, now=LATER).surplus
    assert Seat.objects.get(pk=seat.pk).state == "free"


@pytest.mark.parametrize("end", ["closed", "excluded"])
def test_an_open_lease_is_not_shown_again_after_the_end(make_study, end):
    enrolment = enrol(make_study())
    assert claim(enrolment) is not None
    if end == "closed":
        assignment.close_study(enrolment.study, now=NOON)
    else:
        enrolment.exclude("asked to leave", NOON)
    assert claim(enrolment) is None


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(),
        Answer(rating=0),
        Answer(rating=6),
        Answer(rating=3, opt_out="image_too_poor"),
        Answer(first_present=True, second_present=True),
        Answer(opt_out="no such thing"),
    ],
)
def test_what_is_not_one_likert_answer_is_refused_and_not_stored(make_study, wrong):
    enrolment = enrol(make_study())
    seat = claim(enrolment)
    with pytest.raises(assignment.AnswerRefused, match="likert"):
        assignment.record(seat=seat, enrolment=enrolment, answer=wrong, key=uuid.uuid4(), shown_at=NOON, now=NOON)
    assert Judgement.objects.count() == 0


@pytest.mark.parametrize("wrong", [Answer(rating=3), Answer(first_present=True), Answer(opt_out="word_too_abstract")])
def test_what_is_not_one_presence_answer_is_refused(make_study, wrong):
    enrolment = enrol(make_study(kind="presence"))
    seat = claim(enrolment)
    with pytest.raises(assignment.AnswerRefused, match="presence"):
        assignment.record(seat=seat, enrolment=enrolment, answer=wrong, key=uuid.uuid4(), shown_at=NOON, now=NOON)


def test_a_presence_answer_is_stored_as_given(make_study):
    enrolment = enrol(make_study(kind="presence"))
    seat = claim(enrolment)
    given = Answer(first_present=True, second_present=False)
    stored = assignment.record(seat=seat, enrolment=enrolment, answer=given, key=uuid.uuid4(), shown_at=NOON, now=NOON)
    stored.refresh_from_db()
    assert stored.answer == given.as_dict()


def test_the_database_refuses_what_the_rules_forbid(make_study):
    study = make_study(items=1, seats_per_item=2)
    enrolment = enrol(study)
    judgement = answer(claim(enrolment), enrolment)
    first, second = Seat.objects.order_by("round")
    forbidden = [
        lambda: Seat.objects.filter(pk=second.pk).update(state="done", enrolment=enrolment),
        lambda: Seat.objects.filter(pk=first.pk).update(enrolment=None),
        lambda: Seat.objects.create(study=study, item=first.item, round=0, position=0),
        lambda: Judgement.objects.create(seat=first, enrolment=enrolment, key=uuid.uuid4(), revision=2, rating=1,
                                         shown_at=NOON, answered_at=NOON),
        lambda: Judgement.objects.filter(pk=judgement.pk).update(rating=9),
        lambda: Judgement.objects.filter(pk=judgement.pk).update(opt_out="image_too_poor"),
        lambda: Enrolment.objects.create(rater=enrolment.rater, study=study),
    ]  # fmt: skip
    for act in forbidden:
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def test_progress_counts_judgements_against_what_the_rater_may_give(make_study):
    enrolment = enrol(make_study(items=6, cap_share=0.25))
    answer(claim(enrolment), enrolment)
    assert assignment.progress(enrolment) == (1, 4)


def test_the_database_clock_is_close_to_ours(make_study):
    assert abs(assignment.database_now() - datetime.now(UTC)) < timedelta(minutes=1)
