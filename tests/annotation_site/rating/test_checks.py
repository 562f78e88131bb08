"""Checks: when they come, what passes, what follows, and that nothing counts them."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from annotation_site.rating import assignment, checks
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.simulation import simulate
from annotation_site.studies.models import Item, KnownAnswer

pytestmark = pytest.mark.django_db
EXCELLENT = {"lowest": 5, "highest": 5, "instructed": True}
MASK, COMPLEMENT = {"lowest": 4, "highest": 5}, {"lowest": 1, "highest": 2}


def meet(rater, value: str = "5", others: str = "3") -> str:
    """Judge until a check is answered, with ``value``; the check's purpose."""
    while True:
        item = rater.open().context["item"]
        rater.judge(value if item.purpose else others)
        if item.purpose:
            return item.purpose


def counted(rater) -> int:
    return Judgement.objects.counted().filter(enrolment=rater.enrolment).count()


def test_an_instructed_check_says_in_its_question_which_answer_to_choose(way):
    rater = way(checks=[EXCELLENT], check_every=1)
    rater.judge("3")
    page = rater.open()
    assert page.context["question"] == "For this one, choose “Excellent”."
    assert "For this one, choose “Excellent”." in page.content.decode()
    assert page.context["item"].purpose == "instructed"
    # As far on as before: a check is not one of the items.
    assert (page.context["done"], page.context["total"]) == (1, 4)


@pytest.mark.parametrize(("seen", "words"), [((True, True), "“red” and “dog”"), ((False, False), "“Neither”")])
def test_a_presence_check_names_what_to_tick(way, seen, words):
    known = {"first_present": seen[0], "second_present": seen[1], "instructed": True}
    rater = way(kind="presence", checks=[known], check_every=1)
    rater.judge("first")
    assert rater.open().context["question"] == f"For this one, choose {words}."


def test_one_check_comes_in_every_stretch_of_n_answers(way):
    rater = way(items=12, checks=[MASK, COMPLEMENT, EXCELLENT, MASK], check_every=4, checks_may_fail=4)
    order = []
    while rater.at == "":
        purpose = rater.page.context["item"].purpose
        order.append(bool(purpose))
        rater.judge("3")
    answers_before = [order[:place].count(False) for place, check in enumerate(order) if check]
    assert len(answers_before) in (2, 3)  # the third may fall on the end, after which none is asked
    for number, answers in enumerate(answers_before):
        assert answers == checks.due_after(rater.enrolment, number, 4)
        assert number * 4 < answers <= (number + 1) * 4
    assert order.count(False) == 12
    assert rater.page.request["PATH_INFO"].endswith("/done/")


def test_no_two_checks_of_a_rater_are_the_same_and_then_there_are_none(way):
    rater = way(items=6, checks=[MASK, COMPLEMENT], check_every=1, checks_may_fail=2)
    while rater.at == "":
        rater.judge("3")
    met = Judgement.objects.filter(seat__item__purpose="gold").values("seat__item").annotate(n=Count("id"))
    assert [row["n"] for row in met] == [1, 1]
    assert rater.page.request["PATH_INFO"].endswith("/done/")


def test_checks_count_nowhere(way):
    rater = way(items=3, seats_per_item=2, cap_share=0.5, checks=[EXCELLENT, MASK], check_every=1)
    assert rater.enrolment.study.cap == 3
    while rater.at == "":
        rater.judge("5")
    assert counted(rater) == 3
    assert Judgement.objects.filter(enrolment=rater.enrolment).count() > 3
    assert assignment.progress(rater.enrolment) == (3, 3)
    assert Seat.objects.filter(item__purpose="", state="done").count() == 3


@pytest.mark.parametrize(
    ("known", "answer", "passed"),
    [
        (MASK, "4", True),
        (MASK, "5", True),
        (MASK, "3", False),
        (COMPLEMENT, "2", True),
        (COMPLEMENT, "3", False),
        (MASK, "image_too_poor", None),
        (EXCELLENT, "5", True),
        (EXCELLENT, "4", False),
        (EXCELLENT, "image_too_poor", False),
    ],
)
def test_what_passes(way, known, answer, passed):
    rater = way(checks=[known], check_every=1)
    meet(rater, answer)
    assert [result.passed for result in checks.results(rater.enrolment)] == [passed]


@pytest.mark.parametrize(("ticked", "passed"), [(["first"], True), (["first", "second"], False), (["neither"], False)])
def test_what_passes_in_a_presence_study(way, ticked, passed):
    rater = way(kind="presence", checks=[{"first_present": True, "second_present": False}], check_every=1)
    rater.judge("first")
    rater.judge(ticked)
    assert [result.passed for result in checks.results(rater.enrolment)] == [passed]


def test_one_slip_is_allowed_and_the_next_asks_for_care_once(way):
    rater = way(items=6, checks=[EXCELLENT, MASK, MASK], check_every=1, checks_may_fail=1)
    meet(rater, "1")
    rater.enrolment.refresh_from_db()
    assert (rater.enrolment.check_failure, rater.at) == ("", "")
    meet(rater, "1")
    rater.enrolment.refresh_from_db()
    assert rater.enrolment.check_failure.startswith("failed 2 of 2 checks: item ")
    assert "answered 1" in rater.enrolment.check_failure
    assert rater.at == "care"
    rater.post("care/")
    assert rater.at == ""
    assert rater.enrolment.excluded_at is None
    assert counted(rater) >= 2


def test_exclusion_keeps_every_answer_and_stores_why(way):
    rater = way(checks=[EXCELLENT], check_every=1, checks_may_fail=0, check_consequence="exclude")
    meet(rater, "2")
    given = Judgement.objects.count()
    rater.enrolment.refresh_from_db()
    number = Item.objects.get(purpose="instructed").pk
    assert rater.enrolment.exclusion_reason == (f"failed 1 of 1 checks: item {number}: told to choose 5, answered 2")
    assert counted(rater) == 0
    assert Judgement.objects.count() == given >= 2
    assert rater.at == "done"
    assert "Your part in this study has ended" in rater.page.content.decode()
    rater.enrolment.restore()
    assert counted(rater) == given - 1


def test_whom_the_admin_took_back_is_excluded_again_only_by_failing_again(way):
    fields = {"check_every": 1, "checks_may_fail": 0, "check_consequence": "exclude", "items": 8}
    rater = way(checks=[EXCELLENT] * 3, **fields)
    meet(rater, "1")
    rater.enrolment.refresh_from_db()
    for answer, excluded in (("5", False), ("1", True)):
        rater.enrolment.restore()
        meet(rater, answer)
        rater.enrolment.refresh_from_db()
        assert (rater.enrolment.excluded_at is not None) is excluded
    assert rater.enrolment.exclusion_reason.startswith("failed 2 of 3 checks")


def test_a_rater_excluded_at_the_last_item_gets_no_code(way):
    rater = way(items=2, checks=[EXCELLENT], check_every=1, checks_may_fail=0, check_consequence="exclude")
    rater.judge("3")
    # A last answer and a check are left, in this order or the other.
    while rater.at == "":
        rater.judge("3")
    assert Judgement.objects.filter(seat__item__purpose="instructed").count() == 1
    assert rater.enrolment.study.completion_code not in rater.page.content.decode()


def test_a_slip_that_is_undone_is_mended(way):
    rater = way(checks=[EXCELLENT], check_every=1, checks_may_fail=0)
    meet(rater, "2")
    page = rater.client.get(f"/rate/{rater.enrolment.token}/last/")
    rater.post("", ticket=page.context["ticket"], key=str(page.context["key"]), answer="5")
    rater.enrolment.refresh_from_db()
    assert rater.enrolment.check_failure == ""
    assert [result.passed for result in checks.results(rater.enrolment)] == [True]
    assert Judgement.objects.filter(seat__item__purpose="instructed").count() == 2


def test_each_rater_gets_a_seat_of_their_own_and_a_left_one_serves_the_next(way, enrol, visit):
    rater = way(checks=[MASK], check_every=1)
    rater.judge("3")
    assert rater.open().context["item"].purpose == "gold"
    other = type(rater)(enrol(rater.enrolment.study))
    other.judge("3")
    assert other.open().context["item"].purpose == "gold"
    rounds = set(Seat.objects.filter(item__purpose="gold").values_list("round", flat=True))
    assert rounds == {checks.FIRST_ROUND, checks.FIRST_ROUND + 1}
    # Both leases run out. Nobody else is given these seats as ordinary ones; the raters meet their check again.
    Seat.objects.filter(state="leased").update(leased_until=timezone.now() - timedelta(minutes=1))
    assignment.release_expired(rater.enrolment.study, now=timezone.now())
    third = enrol(rater.enrolment.study)
    seat = assignment.claim_next(third, rng=random.Random(0))
    assert seat.item.purpose == ""
    assert rater.open().context["item"].purpose == "gold"
    assert Seat.objects.filter(item__purpose="gold").count() == 2


def test_a_late_answer_to_a_check_that_another_rater_took_is_kept_and_judged(way, enrol):
    rater = way(checks=[MASK], check_every=1)
    rater.judge("3")
    page = rater.open().context
    Seat.objects.filter(item__purpose="gold").update(leased_until=timezone.now() - timedelta(minutes=1))
    other = type(rater)(enrol(rater.enrolment.study))
    other.judge("3")
    assert other.open().context["item"].purpose == "gold"
    assert Seat.objects.filter(item__purpose="gold").count() == 1
    rater.post("", ticket=page["ticket"], key=str(page["key"]), answer="1")
    assert [result.passed for result in checks.results(rater.enrolment)] == [False]
    assert rater.open().context["item"].purpose == ""


def test_a_check_is_leased_ahead_when_it_is_due_after_the_current_item(way):
    enrolment = way(checks=[MASK], check_every=1).enrolment
    current = assignment.claim_next(enrolment, rng=random.Random(0))
    ahead = assignment.claim_ahead(enrolment, rng=random.Random(0))
    assert (current.item.purpose, ahead.item.purpose) == ("", "gold")


def test_a_range_accepts_no_answer_of_the_other_question(make_way):
    make_way(checks=[MASK])
    known = KnownAnswer.objects.get()
    assert not known.accepts({"rating": None, "opt_out": "", "first_present": True, "second_present": True})
    with pytest.raises(IntegrityError), transaction.atomic():
        KnownAnswer.objects.update(first_present=True, second_present=True)


def test_simulated_raters_pass_their_checks_which_count_as_none_of_their_answers(make_way):
    study = make_way(checks=[EXCELLENT, COMPLEMENT], check_every=1, seats_per_item=1)
    assert simulate(study, raters=1, seed=0) == 4
    outcome = checks.results(study.enrolments.get())
    assert [result.passed for result in outcome] == [True, True]
