"""Answers survive what goes wrong: double clicks, two tabs, reloads, a lost connection, a broken map."""

from __future__ import annotations

import pytest

from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_is_one_judgement(drive, make_study, scripts):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        visitor.choose("Good")
        visitor.page.get_by_role("button", name="Submit").dblclick()
        visitor.progress("1 of 3")

    drive(rate, java_script_enabled=scripts)
    assert Judgement.objects.count() == 1


def test_two_tabs_show_one_item_and_the_second_answer_does_not_replace_the_first(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        other = type(visitor)(visitor.page.context.new_page())
        other.page.goto(visitor.page.url)
        visitor.choose("Good")
        visitor.submit()
        other.choose("Bad")
        other.submit()
        return other.page.get_by_role("heading").inner_text()

    assert drive(rate, expected=(409,)) == "Your first answer stands"
    assert [judgement.rating for judgement in Judgement.objects.all()] == [4]
    assert Seat.objects.filter(state="done").count() == 1


def test_a_choice_outlives_a_reload_and_is_gone_at_the_next_item(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        chosen = visitor.page.locator("[name=answer]:checked")
        visitor.choose("Fair")
        visitor.page.reload()
        after_reload = chosen.get_attribute("value")
        visitor.submit()
        return after_reload, chosen.count()

    assert drive(rate) == ("3", 0)


def test_going_back_in_the_browser_shows_the_current_item(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        visitor.press("4", "Enter")
        visitor.page.go_back()
        visitor.page.get_by_text("You go on where you stopped").wait_for()
        visitor.page.go_forward()
        visitor.progress("1 of 3")
        visitor.press("2", "Enter")

    drive(rate)
    assert [judgement.rating for judgement in Judgement.objects.filter(current=True).order_by("id")] == [4, 2]


def test_offline_the_answer_waits_on_the_page_and_is_sent_when_the_connection_is_back(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        visitor.wait_until_painted()
        visitor.choose("Excellent")
        visitor.page.context.set_offline(True)
        visitor.page.get_by_role("button", name="Submit").click()
        visitor.page.get_by_text("The connection is lost").wait_for()
        kept = visitor.page.get_by_label("Excellent").is_checked()
        visitor.page.context.set_offline(False)
        visitor.progress("1 of 3")
        return kept

    assert drive(rate, expected=("ERR_INTERNET_DISCONNECTED",))
    assert [judgement.rating for judgement in Judgement.objects.all()] == [5]


def test_choosing_nothing_moves_the_focus_to_what_is_wrong(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        visitor.submit()
        focused = visitor.page.evaluate("document.activeElement.innerText")
        title = visitor.page.title()
        visitor.press("4", "Enter")
        return focused, title

    focused, title = drive(rate, expected=(422,))
    assert "Choose one of the five answers" in focused
    assert title.startswith("Error:")
    assert Judgement.objects.count() == 1


def test_a_broken_map_is_said_and_the_page_still_takes_an_answer(drive, make_study):
    make_study(items=3)
    for name in Generation.objects.values_list("maps", flat=True):
        files.write(name, b"not an archive")

    def rate(visitor):
        visitor.join()
        visitor.page.get_by_text("A picture could not be loaded").wait_for()
        visitor.press("i", "Enter")

    drive(rate, expected=(500,))
    assert [judgement.opt_out for judgement in Judgement.objects.all()] == ["image_too_poor"]
