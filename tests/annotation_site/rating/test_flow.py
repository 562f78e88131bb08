"""What comes next for a rater: instructions, breaks, the end; read off the database at any device."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, flow
from annotation_site.rating.models import Judgement
from annotation_site.stimuli.addresses import public_name
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study

pytestmark = pytest.mark.django_db
GOOD = {"lowest": 4, "highest": 5}


def kind(enrolment) -> str:
    enrolment.refresh_from_db()
    return flow.next_step(enrolment, timezone.now()).kind


def test_without_settings_a_rater_comes_straight_to_the_items(way, django_assert_num_queries):
    rater = way()
    assert rater.at == ""
    enrolment = Enrolment.objects.select_related("study").get()
    step = flow.Step(flow.Kind.ITEM, f"/rate/{enrolment.token}/")
    with django_assert_num_queries(0):
        assert flow.next_step(enrolment, timezone.now()) == step


def test_the_whole_way_in_order(way):
    rater = way(instructions_shown=True, practice=[GOOD], break_every=2)
    assert rater.at == "instructions"
    rater.post("instructions/")
    assert rater.at == "practice"
    rater.attempt("4")
    for expected in ("", "", "break"):
        assert rater.at == expected
        if expected == "":
            rater.judge("3")
    rater.post("break/")
    for _ in range(2):
        assert rater.at == ""
        rater.judge("3")
    # No break after the last item: the end itself is one.
    assert rater.at == "done"
    assert rater.enrolment.study.completion_code in rater.page.content.decode()


def test_instructions_are_recorded_once_and_can_be_read_again(way):
    rater = way(instructions_shown=True)
    assert rater.enrolment.instructed_at is None
    page = rater.open("instructions/").content.decode()
    assert "What comes next" in page
    rater.post("instructions/")
    rater.enrolment.refresh_from_db()
    first = rater.enrolment.instructed_at
    assert first is not None
    assert "What comes next" not in rater.open("instructions/").content.decode()
    rater.post("instructions/")
    rater.enrolment.refresh_from_db()
    assert rater.enrolment.instructed_at == first


def test_the_worked_example_shows_a_words_own_map_and_another_words(make_study, enrol, client):
    study = make_study(items=4, instructions_shown=True)
    # In the test's sentences "dog" is the one noun; here "red" is another.
    for prompt in {item.generation.prompt for item in study.items.select_related("generation__prompt")}:
        prompt.words.filter(text="red").update(tag="NOUN")
    page = client.get(f"/rate/{enrol(study).token}/instructions/")
    example = page.context["example"]
    assert {example["target"], example["other"]} == {"dog", "red"}
    assert example["right_url"] != example["wrong_url"]
    generation = next(row for row in Generation.objects.all() if public_name(row) in example["image_url"])
    # Not a word that the rater will be asked about in that very picture.
    asked = study.items.get(generation=generation).word.text
    assert example["target"] != asked
    for address in ("right_url", "wrong_url", "image_url"):
        assert client.get(example[address]).status_code == 200


@pytest.mark.parametrize("change", ["no picture made", "one thing", "presence"])
def test_instructions_do_without_an_example_where_there_is_none(make_study, enrol, client, change):
    fields = {"kind": "presence"} if change == "presence" else {}
    study = make_study(instructions_shown=True, done=change != "no picture made", **fields)
    page = client.get(f"/rate/{enrol(study).token}/instructions/")
    assert page.status_code == 200
    assert page.context["example"] is None


def test_a_break_is_offered_once_every_n_answers_and_skipped_at_once(way):
    rater = way(items=4, break_every=1)
    rater.judge("3")
    assert rater.at == "break"
    assert "1 of 4 judged" in rater.page.content.decode()
    for _ in range(2):
        assert rater.post("break/").status_code == 302
        assert rater.at == ""
    rater.enrolment.refresh_from_db()
    assert rater.enrolment.breaks_offered == 1
    # Skipped by address instead of by the button, it comes back, and the answers go on being taken.
    rater.judge("3")
    assert rater.at == "break"
    assert Judgement.objects.count() == 2


def test_the_last_answer_can_be_undone_from_a_break_which_is_then_still_offered(way):
    rater = way(break_every=1)
    rater.judge("3")
    assert f"/rate/{rater.enrolment.token}/last/" in rater.open().content.decode()
    page = rater.open("last/").context
    rater.post("", ticket=page["ticket"], key=str(page["key"]), answer="4")
    assert list(Judgement.objects.order_by("id").values_list("rating", "current")) == [(3, False), (4, True)]
    assert rater.at == "break"


def test_a_break_changes_nothing_of_the_lease(way):
    rater = way(break_every=1)
    rater.judge("3")
    rater.post("break/")
    item = rater.open().context["item"]
    Study.objects.update(break_every=0)
    assert rater.open().context["item"] == item


@pytest.mark.parametrize("path", ["instructions/", "practice/", "care/", "break/"])
def test_pages_out_of_turn_lead_to_what_is_next(way, path):
    rater = way()
    if path != "instructions/":
        assert rater.open(path).request["PATH_INFO"] == f"/rate/{rater.enrolment.token}/"
    for study_state in ("paused", "closed"):
        Study.objects.update(state=study_state)
        assert rater.open(path).request["PATH_INFO"].endswith("/done/")
    assert rater.client.get(f"/rate/nobody/{path}").status_code == 404
    assert rater.client.put(f"/rate/{rater.enrolment.token}/{path}").status_code == 405


def test_an_excluded_rater_comes_to_the_end(way):
    rater = way(instructions_shown=True)
    rater.enrolment.exclude("for a test", timezone.now())
    assert kind(rater.enrolment) is flow.Kind.DONE
    assert rater.at == "done"


def test_a_rater_who_was_in_before_goes_on_with_their_items(way):
    rater = way()
    rater.judge("3")
    Study.objects.update(instructions_shown=True)
    assert rater.at == ""


@pytest.mark.parametrize(("field", "words"), [("practice_pass_mark", "add_practice"), ("check_every", "add_gold")])
def test_a_study_whose_rules_cannot_be_kept_does_not_open(make_study, field, words):
    study = make_study(opened=False)
    Study.objects.update(**{field: 50})
    with pytest.raises(assignment.StudyNotReady, match=words):
        assignment.open_study(study)
    assert not Item.objects.filter(seats__isnull=False).exists()
