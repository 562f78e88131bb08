"""GET /rate/<token>/last/ : the last answer reopened."""

from __future__ import annotations

import pytest

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat

pytestmark = pytest.mark.django_db


def test_the_last_answer_is_shown_and_a_new_one_becomes_its_revision(make_study, enrol, visit):
    enrolment = enrol(make_study())
    first = visit(enrolment)
    first.answer("4")
    leased = visit(enrolment)
    reopened = visit(enrolment, "last/")
    assert "You answered: <b>4 Good</b>" in reopened.text
    assert reopened.response.context["item"] == first.response.context["item"]
    assert "Undo last" not in reopened.text
    assert reopened.answer("2").status_code == 302
    history = [(judgement.rating, judgement.revision, judgement.current) for judgement in Judgement.objects.all()]
    assert history == [(4, 1, False), (2, 2, True)]
    # The item that was leased meanwhile is still the rater's.
    assert visit(enrolment).fields["key"] == leased.fields["key"]


def test_looking_changes_nothing(make_study, enrol, visit):
    enrolment = enrol(make_study())
    visit(enrolment).answer("image_too_poor")
    assert "<b>Image too poor</b>" in visit(enrolment, "last/").text
    assert Judgement.objects.get().current


def test_an_answer_may_be_changed_twice(make_study, enrol, visit):
    enrolment = enrol(make_study())
    visit(enrolment).answer("4")
    for rating in ("2", "5"):
        visit(enrolment, "last/").answer(rating)
    assert [judgement.rating for judgement in Judgement.objects.filter(current=True)] == [5]
    assert Seat.objects.filter(state="done").count() == 1


@pytest.mark.parametrize(
    ("values", "words"), [(["first"], "red"), (["first", "second"], "red and dog"), (["neither"], "Neither")]
)
def test_a_presence_answer_is_shown_in_words(make_study, enrol, visit, values, words):
    enrolment = enrol(make_study(kind="presence"))
    visit(enrolment).answer(*values)
    assert f"You answered: <b>{words}</b>" in visit(enrolment, "last/").text


def test_with_no_answer_yet_it_leads_to_the_first_item(make_study, enrol, visit):
    enrolment = enrol(make_study())
    assert visit(enrolment, "last/").response["Location"] == f"/rate/{enrolment.token}/"


def test_other_raters_answers_are_not_reopened(make_study, enrol, visit):
    study = make_study()
    visit(enrol(study)).answer("4")
    assert visit(enrol(study), "last/").response.status_code == 302


def test_in_a_closed_study_nothing_is_reopened(make_study, enrol, visit):
    enrolment = enrol(make_study())
    visit(enrolment).answer("4")
    assignment.close_study(enrolment.study)
    assert visit(enrolment, "last/").response.status_code == 302


def test_wrong_method_and_unknown_link(make_study, enrol, client):
    assert client.post(f"/rate/{enrol(make_study()).token}/last/").status_code == 405
    assert client.get("/rate/never-was/last/").status_code == 404
