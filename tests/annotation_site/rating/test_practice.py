"""Practice: feedback, the pass mark at its boundary, attempts, and answers sent twice."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.utils import timezone

from annotation_site.raters.models import PracticeAnswer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.practice import Practice
from annotation_site.studies.models import Item

pytestmark = pytest.mark.django_db
GOOD, POOR, ABSTRACT = {"lowest": 4, "highest": 5}, {"lowest": 1, "highest": 2}, {"opt_out": "word_too_abstract"}


def test_each_answer_gets_feedback_before_the_next(way):
    rater = way(practice=[GOOD, ABSTRACT])
    assert rater.at == "practice"
    assert "Practice 1 of 2" in rater.page.content.decode()
    rater.practise("2")
    page = rater.open().content.decode()
    assert "Another answer fits better" in page
    assert "“Good” or “Excellent”" in page
    assert "2 Poor" in page
    rater.read()
    rater.practise("word_too_abstract")
    page = rater.open().content.decode()
    assert "That fits" in page
    assert "1 of 2 fitted" in page
    rater.read()
    assert rater.at == ""


def test_practice_answers_are_no_judgements_and_take_no_seats(way):
    rater = way(practice=[GOOD])
    rater.attempt("5")
    assert not Judgement.objects.exists()
    assert not Seat.objects.filter(item__purpose="practice").exists()
    answer = PracticeAnswer.objects.get()
    assert (answer.rating, answer.acceptable, answer.attempt) == (5, True, 1)


@pytest.mark.parametrize(("rating", "fits"), [("3", False), ("4", True), ("5", True), ("image_too_poor", False)])
def test_both_ends_of_the_range_are_acceptable(way, rating, fits):
    rater = way(practice=[GOOD])
    rater.practise(rating)
    assert PracticeAnswer.objects.get().acceptable is fits


@pytest.mark.parametrize(
    # 67% of three is 2.01 answers, so all three are needed; 66% is 1.98, so two are enough.
    ("mark", "right", "passes"),
    [(67, 2, False), (67, 3, True), (66, 2, True), (66, 1, False), (100, 2, False), (100, 3, True), (0, 0, True)],
)
def test_the_pass_mark_at_its_boundary(way, mark, right, passes):
    rater = way(practice=[GOOD] * 3, practice_pass_mark=mark, practice_attempts=1)
    rater.attempt(*["5"] * right, *["1"] * (3 - right))
    assert rater.at == ("" if passes else "done")
    rater.enrolment.refresh_from_db()
    assert (rater.enrolment.ready_at is not None, rater.enrolment.screened_out_at is not None) == (passes, not passes)


def test_who_fails_may_try_again_and_then_gets_the_screen_out_code_alone(way):
    rater = way(practice=[GOOD, POOR], practice_pass_mark=100, practice_attempts=2, screen_out_code="SORRY")
    rater.attempt("5", "5")
    assert rater.at == "practice"
    assert "attempt 2" in rater.page.content.decode()
    rater.attempt("5", "3")
    page = rater.open().content.decode()
    study = rater.enrolment.study
    assert rater.at == "done"
    assert "SORRY" in page
    assert study.completion_code not in page
    assert "4 answers given for practice" in page
    assert not Seat.objects.filter(enrolment=rater.enrolment).exists()


def test_who_passes_at_the_second_attempt_goes_on(way):
    rater = way(practice=[GOOD], practice_pass_mark=100)
    rater.attempt("1", "5")
    assert rater.at == ""


def test_two_tabs_and_a_double_click_are_one_answer(way):
    rater = way(practice=[GOOD, POOR])
    context = rater.open("practice/").context
    sent = {"item": context["item"].pk, "attempt": 1}
    for value in ("5", "1"):
        assert rater.post("practice/", **sent, answer=value).status_code == 302
    assert PracticeAnswer.objects.get().rating == 5
    # The feedback was read in one tab, and the form of the first item is still open in the other.
    rater.read()
    rater.post("practice/", **sent, answer="1")
    assert PracticeAnswer.objects.count() == 1
    now, stored = timezone.now(), PracticeAnswer.objects.get()
    with pytest.raises(IntegrityError):
        PracticeAnswer.objects.create(
            enrolment=rater.enrolment, item=stored.item, attempt=1, rating=1, acceptable=False, answered_at=now
        )


def test_another_device_goes_on_in_the_middle(way):
    rater = way(practice=[GOOD, POOR])
    rater.practise("5")
    elsewhere = type(rater)(rater.enrolment)
    assert "That fits" in elsewhere.open().content.decode()
    elsewhere.read()
    assert "Practice 2 of 2" in rater.open().content.decode()


def test_practice_cannot_be_skipped_by_address_or_by_another_raters_numbers(way, enrol):
    rater = way(practice=[GOOD, POOR])
    first, second = Item.objects.filter(purpose="practice").order_by("position")
    assert rater.open("break/").request["PATH_INFO"].endswith("/practice/")
    assert rater.open("done/").request["PATH_INFO"].endswith("/practice/")
    for wrong in ({"item": second.pk, "attempt": 1}, {"item": first.pk, "attempt": 2}, {"item": "x"}, {}):
        rater.post("practice/", answer="5", **wrong)
    assert not PracticeAnswer.objects.exists()
    rater.practise("5")
    other = type(rater)(enrol(rater.enrolment.study))
    other.post("practice/", read=PracticeAnswer.objects.get().pk)
    assert PracticeAnswer.objects.get().feedback_at is None


def test_an_empty_answer_is_asked_for_again(way):
    rater = way(practice=[GOOD])
    response = rater.practise()
    assert response.status_code == 422
    assert "Choose one of the five answers" in response.content.decode()
    assert not PracticeAnswer.objects.exists()


def test_presence_is_practised_as_well(way):
    rater = way(kind="presence", practice=[{"first_present": True, "second_present": False}])
    rater.practise("first", "second")
    page = rater.open()
    assert "Another answer fits better" in page.content.decode()
    # Only the picture was asked about.
    assert page.context["map_url"] == ""
    assert PracticeAnswer.objects.get().acceptable is False


def test_withdrawing_the_last_practice_item_lets_raters_through(way):
    rater = way(practice=[GOOD], practice_pass_mark=100)
    assert rater.at == "practice"
    Item.objects.filter(purpose="practice").update(withdrawn_at=timezone.now())
    assert rater.at == ""


def test_a_practice_without_items_is_over_and_passed():
    nothing = Practice(attempt=1, attempts=2, pass_mark=100, items=[], answers={})
    assert nothing.over
    assert nothing.passed
