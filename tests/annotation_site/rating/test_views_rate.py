"""/rate/<token>/ : GET shows a stimulus, POST takes the answer."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.addresses import image_url
from annotation_site.stimuli.models import Recipe, Word
from annotation_site.studies.addresses import map_picture_url, map_url
from annotation_site.studies.models import Item, Study

pytestmark = pytest.mark.django_db


def test_the_page_shows_the_leased_item(make_study, enrol, visit):
    enrolment = enrol(make_study(items=4))
    page = visit(enrolment)
    seat = Seat.objects.get(state="leased")
    assert seat.enrolment == enrolment
    assert image_url(seat.item.generation, None) in page.text
    for address in (
        map_url(seat.item, None),
        map_picture_url(seat.item, layer="overlay", colours="inferno", minutes=None),
    ):
        assert escape(address) in page.text
    assert "0 of 4" in page.text
    assert "How well does the highlighting reflect the word?" in page.text
    assert " checked" not in page.text.split("<form")[1].split("</form>")[0]


def test_a_reload_shows_the_same_item_under_the_same_key(make_study, enrol, visit):
    enrolment = enrol(make_study())
    first, second = visit(enrolment), visit(enrolment)
    assert first.fields["key"] == second.fields["key"]
    assert Seat.objects.filter(state="leased").count() == 1


def test_of_a_word_that_occurs_twice_the_right_one_is_marked(make_study, enrol, visit):
    enrolment = enrol(make_study(items=1))
    word = Word.objects.get(pk=Item.objects.get().word_id)
    word.prompt.text = "a dog and a dog"
    word.prompt.save()
    Word.objects.filter(pk=word.pk).update(text="dog", start=12, end=15)
    assert '“a dog and a <strong class="target">dog</strong>”' in visit(enrolment).text


def test_a_prompt_is_shown_as_text_whatever_it_holds(make_study, enrol, visit):
    enrolment = enrol(make_study(items=1))
    word = Item.objects.get().word
    word.prompt.text = '<script>alert("a")</script>'
    word.prompt.save()
    assert "<script>alert" not in visit(enrolment).text


def test_it_says_which_model_drew_the_picture(make_study, enrol, visit):
    enrolment = enrol(make_study())
    Recipe.objects.update(model_title="Small Model 3")
    assert "Picture by Small Model 3" in visit(enrolment).text
    assert "untrained" not in visit(enrolment).text
    Recipe.objects.update(trained=False)
    assert "(untrained: random weights)" in visit(enrolment).text


def test_the_studys_own_instructions_are_one_key_away_in_place_of_ours(make_study, enrol, visit):
    study = make_study()
    assert "judge the highlighting" in visit(enrol(study)).text
    Study.objects.update(texts={"en": {"instructions": "Look twice.\n\nThen judge <b>once</b>."}})
    text = visit(enrol(study)).text
    assert "<p>Look twice.</p>" in text
    assert "<p>Then judge &lt;b&gt;once&lt;/b&gt;.</p>" in text
    assert "judge the highlighting" not in text


def test_pages_are_never_cached_and_never_indexed(make_study, enrol, visit):
    page = visit(enrol(make_study()))
    assert "no-store" in page.response["Cache-Control"]
    assert 'name="robots" content="noindex"' in page.text


@pytest.mark.parametrize(
    ("value", "rating", "opt_out"),
    [
        ("1", 1, ""),
        ("5", 5, ""),
        ("word_too_abstract", None, "word_too_abstract"),
        ("image_too_poor", None, "image_too_poor"),
    ],
)
def test_an_answer_is_stored_and_leads_to_the_next_item(make_study, enrol, visit, value, rating, opt_out):
    enrolment = enrol(make_study())
    page = visit(enrolment)
    response = page.answer(value, browser_milliseconds="1234")
    judgement = Judgement.objects.get()
    assert (response.status_code, response["Location"]) == (302, page.link)
    assert (judgement.rating, judgement.opt_out, judgement.browser_milliseconds) == (rating, opt_out, 1234)
    assert judgement.shown_at <= judgement.answered_at
    assert "1 of 4" in visit(enrolment).text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["first"], (True, False, "")),
        (["second"], (False, True, "")),
        (["second", "first"], (True, True, "")),
        (["neither"], (False, False, "")),
        (["image_too_poor"], (None, None, "image_too_poor")),
    ],
)
def test_presence_answers(make_study, enrol, visit, values, expected):
    enrolment = enrol(make_study(kind="presence"))
    assert visit(enrolment).answer(*values).status_code == 302
    judgement = Judgement.objects.get()
    assert (judgement.first_present, judgement.second_present, judgement.opt_out) == expected


def test_presence_shows_the_two_nouns_and_not_the_prompt(make_study, enrol, visit):
    page = visit(enrol(make_study(kind="presence", items=1)))
    nouns = {choice.value: choice.label for choice in page.response.context["answers"]}
    assert nouns == {"first": "red", "second": "dog"}
    assert "a red dog 0 runs" not in page.text


def test_the_order_of_the_nouns_is_balanced_over_the_raters_of_each_item(make_study, enrol, visit):
    study = make_study(kind="presence", items=16, seats_per_item=4)
    first = Counter()
    for _rater in range(8):
        # Every other number belongs to somebody who never comes: a balance by raters' numbers would be upset.
        enrolment, _ = enrol(study), enrol(study)
        for _item in range(8):
            page = visit(enrolment)
            first[page.response.context["item"].pk] += page.response.context["answers"][0].value == "first"
            page.answer("neither")
    assert Seat.objects.exclude(state="done").count() == 0
    assert set(first.values()) == {2}


def test_a_rater_sees_both_conditions_in_both_orders(make_study, enrol, visit):
    enrolment = enrol(make_study(kind="presence", items=40))
    orders = Counter()
    for _item in range(40):
        page = visit(enrolment)
        orders[page.response.context["item"].condition, page.response.context["answers"][0].value] += 1
        page.answer("neither")
    assert all(count >= 4 for count in orders.values())
    assert len(orders) == 4


@pytest.mark.parametrize("kind", ["likert", "presence"])
def test_choosing_nothing_is_said_above_and_at_the_field(make_study, enrol, visit, kind):
    page = visit(enrol(make_study(kind=kind)))
    response = page.answer(browser_milliseconds="800")
    again = response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in again
    assert 'aria-describedby="error"' in again
    assert 'aria-invalid="true"' in again
    assert not Judgement.objects.exists()
    # Still the same submission, measured on from where it stopped.
    assert str(response.context["key"]) == page.fields["key"]
    assert 'name="browser_milliseconds" value="800"' in again


def test_neither_together_with_an_object_is_refused_and_stays_ticked(make_study, enrol, visit):
    response = visit(enrol(make_study(kind="presence"))).answer("first", "neither")
    assert response.status_code == 422
    assert response.content.decode().count(" checked") - response.content.decode().count('id="shortcuts" checked') == 2


@pytest.mark.parametrize("value", ["6", "0", "first", "", "word_too_abstract; drop"])
def test_an_answer_that_the_page_does_not_offer_is_refused(make_study, enrol, visit, value):
    assert visit(enrol(make_study())).answer(value).status_code == 422
    assert not Judgement.objects.exists()


def test_the_circumstances_of_an_answer_are_stored_with_it(make_study, enrol, visit):
    views = [[0, "view", "overlay"], [900, "opacity", 40], [1200, "hide"], [1300, "show"]]
    told = {"views": json.dumps(views), "viewport": "360x740@2.5", "renderer": "canvas 1", "locale": "ko"}
    visit(enrol(make_study())).answer("3", **told)
    stored = Judgement.objects.get()
    assert (stored.views, stored.viewport, stored.renderer, stored.locale) == (views, "360x740@2.5", "canvas 1", "ko")


@pytest.mark.parametrize(
    ("views", "kept"),
    [
        ('[[1, "view", "\\u0000"], [2, "hide"]]', [[2, "hide"]]),
        ('[[1, "view", "\\ud800"]]', []),
        ("", []),
        ("[", []),
        ("[" * 100_000, []),
        ('{"a": 1}', []),
        (
            '[[1, "hide"], [-1, "hide"], [1, "steal"], [1], ["1", "hide"], [1, "view", {}], "x", [true, "hide"]]',
            [[1, "hide"]],
        ),
        ('[[1, "view", {}], [2, ["hide"]], [3, {}], [4, "show", null]]', []),
        (json.dumps([[1, "view", "x" * 21], [2, "view", "y" * 20]]), [[2, "view", "y" * 20]]),
        (json.dumps([[number, "hide"] for number in range(500)]), [[number, "hide"] for number in range(200)]),
    ],
)
def test_circumstances_that_make_no_sense_cost_no_answer(make_study, enrol, visit, views, kept):
    visit(enrol(make_study())).answer("3", views=views, viewport="wide", renderer="<b>", locale="k" * 99)
    stored = Judgement.objects.get()
    assert (stored.views, stored.viewport, stored.renderer, stored.locale) == (kept, "", "", "")


def test_a_script_gets_the_next_item_in_answer_to_the_last(make_study, enrol, visit):
    page = visit(enrol(make_study()))
    response = page.answer("3", headers={"X-Requested-With": "fetch"})
    assert response.status_code == 200
    assert response.context["done"] == 1
    assert str(response.context["key"]) != page.fields["key"]


def test_the_next_items_pictures_are_told_and_no_more_than_one_is_leased_ahead(make_study, enrol, visit, client):
    enrolment = enrol(make_study(items=4))
    page = visit(enrolment)
    told = [client.post(f"{page.link}ahead/").json() for again in range(2)]
    assert told[0] == told[1]
    assert Seat.objects.filter(state="leased").count() == 2
    page.answer("4")
    after = visit(enrolment)
    assert told[0]["image"] in after.text
    assert after.response.context["map"] == told[0]["map"]
    assert client.get(told[0]["map"]).status_code == 200
    assert client.get(told[0]["colours"]).status_code == 200


def test_nothing_lies_ahead_of_the_last_item_or_without_a_first(make_study, enrol, visit, client):
    enrolment = enrol(make_study(items=1))
    assert client.post(f"/rate/{enrolment.token}/ahead/").json() == {}
    visit(enrolment)
    assert client.post(f"/rate/{enrolment.token}/ahead/").json() == {}
    assert client.get(f"/rate/{enrolment.token}/ahead/").status_code == 405
    assert client.post("/rate/never-was/ahead/").status_code == 404


@pytest.mark.parametrize("milliseconds", ["", "soon", "-5", "99999999999", "1.5"])
def test_a_measurement_that_makes_no_sense_costs_no_answer(make_study, enrol, visit, milliseconds):
    visit(enrol(make_study())).answer("3", browser_milliseconds=milliseconds)
    assert Judgement.objects.get().browser_milliseconds is None


def test_the_same_submission_twice_is_one_judgement(make_study, enrol, visit):
    page = visit(enrol(make_study()))
    assert [page.answer("4").status_code for click in range(2)] == [302, 302]
    assert Judgement.objects.count() == 1


def test_another_answer_under_the_same_key_is_refused_and_the_first_stands(make_study, enrol, visit):
    page = visit(enrol(make_study()))
    page.answer("4")
    response = page.answer("1")
    assert response.status_code == 409
    assert "with the answer <b>4 Good</b>" in response.content.decode()
    assert f"{page.link}last/" in response.content.decode()
    assert Judgement.objects.get().rating == 4


def test_two_tabs_with_one_item_are_one_submission(make_study, enrol, visit):
    enrolment = enrol(make_study())
    left, right = visit(enrolment), visit(enrolment)
    assert left.answer("2").status_code == 302
    assert right.answer("2").status_code == 302
    assert Judgement.objects.count() == 1
    assert Seat.objects.filter(enrolment=enrolment).count() == 1


def test_an_answer_after_the_lease_ran_out_is_counted_if_the_seat_is_free(make_study, enrol, visit):
    enrolment = enrol(make_study())
    page = visit(enrolment)
    assignment.release_expired(enrolment.study, now=timezone.now() + timedelta(days=1))
    assert page.answer("4").status_code == 302
    assert Judgement.objects.counted().count() == 1


def test_an_answer_to_a_seat_that_somebody_else_took_is_kept_as_surplus(make_study, enrol, visit):
    study = make_study(items=1, seats_per_item=1)
    late = visit(enrol(study))
    assignment.release_expired(study, now=timezone.now() + timedelta(days=1))
    visit(enrol(study)).answer("2")
    assert late.answer("4").status_code == 302
    assert [(judgement.rating, judgement.surplus) for judgement in Judgement.objects.all()] == [(2, False), (4, True)]


@pytest.mark.parametrize("change", [{"ticket": "x"}, {"ticket": ""}, {"key": "not-a-uuid"}, {"key": ""}])
def test_a_form_that_was_tampered_with_is_not_found(make_study, enrol, visit, change):
    response = visit(enrol(make_study())).answer("4", **change)
    assert response.status_code == 404
    assert "Nothing was stored" in response.content.decode()
    assert not Judgement.objects.exists()


def test_another_raters_ticket_is_not_found(make_study, enrol, visit):
    study = make_study()
    mine, theirs = visit(enrol(study)), visit(enrol(study))
    assert mine.answer("4", ticket=theirs.fields["ticket"]).status_code == 404
    assert not Judgement.objects.exists()


def test_an_unknown_link_is_not_found_in_words(client):
    response = client.get("/rate/never-was/")
    assert response.status_code == 404
    assert "This link is not one of ours" in response.content.decode()


def test_an_answer_needs_no_cookie(make_study, enrol):
    page = Client(enforce_csrf_checks=True)
    enrolment = enrol(make_study())
    context = page.get(f"/rate/{enrolment.token}/").context
    fields = {"ticket": context["ticket"], "key": str(uuid.uuid4()), "answer": "3"}
    assert Client(enforce_csrf_checks=True).post(f"/rate/{enrolment.token}/", fields).status_code == 302


def test_wrong_method(make_study, enrol, client):
    assert client.put(f"/rate/{enrol(make_study()).token}/").status_code == 405


@pytest.mark.parametrize("end", [assignment.close_study, assignment.pause_study])
def test_a_study_that_ends_under_the_raters_hands_still_takes_the_answer(make_study, enrol, visit, end):
    enrolment = enrol(make_study())
    page = visit(enrolment)
    end(enrolment.study)
    assert page.answer("4").status_code == 302
    assert Judgement.objects.counted().count() == 1
    assert visit(enrolment).response["Location"] == f"{page.link}done/"


def test_an_excluded_rater_is_shown_nothing_more(make_study, enrol, visit):
    enrolment = enrol(make_study())
    page = visit(enrolment)
    enrolment.exclude("failed the checks", timezone.now())
    assert visit(enrolment).response["Location"] == f"{page.link}done/"
    # What was on its way is kept, and not counted.
    assert page.answer("4").status_code == 302
    assert (Judgement.objects.count(), Judgement.objects.counted().count()) == (1, 0)


def test_at_the_cap_the_rater_comes_to_the_end(make_study, enrol, visit):
    # 4 items x 3 seats at 1/6: two judgements each.
    enrolment = enrol(make_study(items=4, seats_per_item=3, cap_share=0.1667))
    visit(enrolment).answer("4")
    visit(enrolment).answer("4")
    assert visit(enrolment).response["Location"] == f"/rate/{enrolment.token}/done/"
    enrolment.refresh_from_db()
    assert enrolment.completed_at is not None


def test_a_cycle_takes_a_fixed_number_of_statements(make_study, enrol, visit, django_assert_max_num_queries):
    enrolment = enrol(make_study(items=20))
    with django_assert_max_num_queries(19):
        page = visit(enrolment)
    with django_assert_max_num_queries(19):
        page.answer("4")
