"""GET /rate/<token>/done/ : thanks, the completion code, what was collected."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation_site.rating import assignment

pytestmark = pytest.mark.django_db


def finish(study, enrolment, visit):
    for _item in range(study.items.count()):
        visit(enrolment).answer("4")
    return visit(enrolment)


def test_who_judged_everything_gets_the_code_and_a_summary(make_study, enrol, visit):
    study = make_study(items=2)
    enrolment = enrol(study)
    visit(enrolment).answer("word_too_abstract")
    finish(study, enrolment, visit)
    page = visit(enrolment, "done/").text
    assert "Thank you" in page
    assert study.completion_code in page
    assert "2 answers, 1 of them" in page
    assert enrolment.rater.pseudonym in page


def test_the_code_is_not_for_who_still_has_items(make_study, enrol, visit):
    enrolment = enrol(make_study())
    assert visit(enrolment, "done/").response["Location"] == f"/rate/{enrolment.token}/"


def test_latecomers_to_a_full_study_are_thanked(make_study, enrol, visit):
    study = make_study(items=1, seats_per_item=1)
    finish(study, enrol(study), visit)
    late = enrol(study)
    assert visit(late).response["Location"] == f"/rate/{late.token}/done/"
    page = visit(late, "done/").text
    assert study.completion_code in page
    assert "nothing left for you to judge" in page
    assert "Look for more" in page


def test_who_comes_back_finds_new_items(make_study, enrol, visit):
    study = make_study(items=2, seats_per_item=1)
    first, second = enrol(study), enrol(study)
    visit(first)
    visit(second).answer("4")
    waiting = visit(second).text
    assert "nothing left for you to judge at the moment" in waiting
    assert study.completion_code in waiting
    assignment.release(first.seats.get(), first)
    assert "How well does the highlighting" in visit(second).text


def test_who_waits_for_a_first_item_gets_no_code(make_study, enrol, visit):
    study = make_study(items=2, done=False)
    page = visit(enrol(study)).text
    assert "Nothing to judge yet" in page
    assert study.completion_code not in page


def test_who_answered_gets_the_code_also_after_the_study_closed(make_study, enrol, visit):
    study = make_study()
    enrolment = enrol(study)
    visit(enrolment).answer("4")
    assignment.close_study(study)
    assert study.completion_code in visit(enrolment, "done/").text


@pytest.mark.parametrize(
    ("end", "words", "code"),
    [(assignment.close_study, "This study is closed", False), (assignment.pause_study, "The study is paused", False)],
)
def test_the_end_of_a_study(make_study, enrol, visit, end, words, code):
    study = make_study()
    enrolment = enrol(study)
    end(study)
    page = visit(enrolment, "done/").text
    assert words in page
    assert (study.completion_code in page) is code


def test_an_excluded_rater_is_thanked_without_reproach(make_study, enrol, visit):
    enrolment = enrol(make_study())
    enrolment.exclude("failed the checks", timezone.now())
    page = visit(enrolment, "done/").text
    assert "Your part in this study has ended." in page
    assert "failed the checks" not in page
    assert "Undo last" not in page


def test_wrong_method_and_unknown_link(make_study, enrol, client):
    assert client.post(f"/rate/{enrol(make_study()).token}/done/").status_code == 405
    assert client.get("/rate/never-was/done/").status_code == 404
