"""Answers survive what goes wrong: double clicks, two tabs, reloads, a lost connection, a broken map."""

from __future__ import annotations

import itertools

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

    drive(rate, expected=(404,))
    assert [judgement.opt_out for judgement in Judgement.objects.all()] == ["image_too_poor"]


def test_the_server_fails_and_the_page_is_reloaded_and_the_answer_is_sent_at_last(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        page = visitor.page
        page.route("**/rate/*/", lambda route: route.fulfill(status=503))
        visitor.choose("Excellent")
        page.get_by_role("button", name="Submit").click()
        page.get_by_text("The connection is lost").wait_for()
        unsent = page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('attest.unsent.')).length")
        page.unroute_all()
        page.reload()
        visitor.progress("1 of 3")
        left = page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('attest.unsent.')).length")
        return unsent, left

    assert drive(rate, expected=(503,)) == (1, 0)
    assert [judgement.rating for judgement in Judgement.objects.all()] == [5]


def test_an_answer_whose_confirmation_was_lost_is_stored_once_and_the_page_goes_on(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        page = visitor.page

        def lose(route):
            route.fetch()
            route.abort()

        page.route("**/rate/*/", lose, times=1)
        visitor.choose("Poor")
        page.get_by_role("button", name="Submit").click()
        visitor.progress("1 of 3")

    drive(rate, expected=("ERR_FAILED",))
    assert [(judgement.rating, judgement.revision) for judgement in Judgement.objects.all()] == [(2, 1)]


def test_the_next_item_comes_in_place_with_pictures_that_were_fetched_before(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        page = visitor.page
        page.evaluate("window.here = true")
        visitor.until("performance.getEntriesByName('attest.prefetched').length === 1")
        asked = []
        page.on("request", lambda request: asked.append((request.method, request.resource_type)))
        visitor.press("4", "Enter")
        visitor.wait_until_painted()
        before = list(asked)
        focused = page.evaluate("document.activeElement.id")
        visitor.press("u")
        address = page.url
        visitor.press("2", "Enter")
        return before, focused, address, page.url, page.evaluate("window.here")

    asked, focused, reopened, address, stayed = drive(rate)
    # The answer itself, and no map for the item that it brings; what follows the question for the item after that is of
    # that one.
    assert asked[0] == ("POST", "fetch")
    of_this_item = itertools.takewhile(lambda request: request[0] == "GET", asked[1:])
    assert {kind for _, kind in of_this_item} <= {"image"}
    assert focused == "main"
    assert reopened.endswith("/last/")
    assert not address.endswith("/last/")
    assert stayed
    assert [judgement.rating for judgement in Judgement.objects.order_by("id")] == [4, 2]


def test_the_map_comes_as_the_servers_picture_where_its_bytes_cannot_be_had(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.page.route("**/*.map?*", lambda route: route.abort())
        visitor.join()
        visitor.wait_until_painted()
        width = visitor.page.locator("img#overlay").evaluate("image => image.naturalWidth")
        visitor.press("4", "Enter")
        return width

    assert drive(rate, expected=("ERR_FAILED",)) == 256
    assert Judgement.objects.get().renderer == "server 1"


def test_the_language_is_switched_in_the_middle_and_stored_with_the_answer(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        page = visitor.page
        page.get_by_role("button", name="한국어").click()
        page.get_by_role("radio", name="매우 좋음").wait_for()
        lang = page.evaluate("document.documentElement.lang")
        visitor.press("5", "Enter")
        return lang, page.get_by_role("heading", level=1).inner_text()

    lang, question = drive(rate)
    assert lang == "ko"
    assert question.startswith("밝게 표시된 곳이 그 단어를 얼마나 잘 나타내나요?")
    judgement = Judgement.objects.get()
    assert (judgement.rating, judgement.locale) == (5, "ko")


def test_a_page_in_sight_keeps_its_lease(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        page = visitor.page
        page.clock.install()
        visitor.join()
        with page.expect_response("**/heartbeat/") as answer:
            page.clock.fast_forward(61_000)
        return answer.value.status

    assert drive(rate) == 200
