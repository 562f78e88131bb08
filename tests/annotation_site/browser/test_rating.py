"""A person rates: with keys, with a mouse, on a narrow screen, without scripts."""

from __future__ import annotations

import pytest

from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import Judgement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def stored() -> list[int | str]:
    """The current answers in the order in which they were given."""
    judgements = Judgement.objects.filter(current=True).order_by("id")
    return [judgement.rating or judgement.opt_out for judgement in judgements]


def test_with_keys_from_the_first_item_to_the_end(drive, make_study):
    make_study(items=4)

    def rate(visitor):
        visitor.join()
        for key in ("1", "5", "w", "I"):
            visitor.wait_until_painted()
            visitor.press(key, "Enter")
        return visitor.page.locator("main").inner_text()

    end = drive(rate)
    assert stored() == [1, 5, "word_too_abstract", "image_too_poor"]
    assert "Your completion code" in end
    assert "4 answers, 2 of them" in end
    times = Judgement.objects.values_list("browser_milliseconds", flat=True)
    assert all(0 <= time < 60_000 for time in times)


def test_a_korean_layout_has_the_same_keys(drive, make_study):
    make_study(items=2)

    def rate(visitor):
        visitor.join()
        visitor.page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅈ', code: 'KeyW'}))")
        visitor.submit()

    drive(rate)
    assert stored() == ["word_too_abstract"]


def test_with_a_mouse(drive, make_study):
    make_study(items=2)

    def rate(visitor):
        visitor.join()
        visitor.page.get_by_text("Good", exact=True).click()
        visitor.submit()

    drive(rate)
    assert stored() == [4]


def test_on_a_narrow_screen_nothing_is_cut_off_and_every_target_is_large(drive, make_study):
    make_study(items=2)
    narrow = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    targets = ".answer, .button, .quiet, .switch label, .opacity, .shortcuts"

    def rate(visitor):
        visitor.join()
        page = visitor.page
        width = page.evaluate("document.documentElement.scrollWidth")
        cut = page.eval_on_selector_all(
            ".answer .words", "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
        )
        boxes = [box.bounding_box() for box in page.locator(targets).all() if box.is_visible()]
        page.get_by_text("Fair", exact=True).tap()
        visitor.submit()
        return width, cut, min(box["height"] for box in boxes)

    width, cut, smallest = drive(rate, **narrow)
    assert (width, cut, stored()) == (320, 0, [3])
    assert smallest >= 44


def test_without_scripts_both_pictures_stand_side_by_side_and_the_form_works(drive, make_study):
    make_study(items=2)

    def rate(visitor):
        visitor.join()
        page = visitor.page
        figures = [figure.bounding_box() for figure in page.locator("figure").all()]
        controls = page.locator(".view").is_visible()
        visitor.choose("Poor")
        visitor.submit()
        return figures, controls

    (picture, heat_map), controls = drive(rate, java_script_enabled=False)
    assert stored() == [2]
    assert picture["y"] == heat_map["y"]
    assert picture["x"] + picture["width"] <= heat_map["x"]
    assert not controls


def test_presence_with_keys(drive, make_study):
    make_study(kind="presence", items=3)

    def rate(visitor):
        visitor.join()
        visitor.press("1", "2", "Enter")
        # "Neither" takes both ticks away, and an object takes "neither" away.
        visitor.press("1", "n", "Enter")
        visitor.press("n", "i", "Enter")

    drive(rate)
    answers = Judgement.objects.order_by("id").values_list("first_present", "second_present", "opt_out")
    assert list(answers) == [(True, True, ""), (False, False, ""), (None, None, "image_too_poor")]


def test_the_last_answer_is_undone_with_a_key(drive, make_study):
    make_study(items=3)

    def rate(visitor):
        visitor.join()
        visitor.press("4", "Enter")
        visitor.press("u")
        notice = visitor.page.locator("p.notice:visible").inner_text()
        checked = visitor.page.locator("[name=answer]:checked").count()
        visitor.press("2", "Enter")
        return notice, checked

    notice, checked = drive(rate)
    assert "You answered: 4 Good" in notice
    assert checked == 0
    assert stored() == [2]
    assert [judgement.rating for judgement in Judgement.objects.order_by("revision")] == [4, 2]


def test_shortcuts_stay_switched_off(drive, make_study):
    make_study(items=2)

    def rate(visitor):
        visitor.join()
        page = visitor.page
        page.get_by_label("Keyboard shortcuts").uncheck()
        page.reload()
        page.keyboard.press("4")
        return page.locator("[name=answer]:checked").count(), page.get_by_label("Keyboard shortcuts").is_checked()

    assert drive(rate) == (0, False)


def test_who_returns_by_the_link_goes_on_in_another_browser(drive, make_study):
    make_study(items=3)

    def start(visitor):
        visitor.join()
        visitor.press("4", "Enter")
        return visitor.page.url

    link = drive(start)

    def go_on(visitor):
        visitor.page.goto(link)
        progress = visitor.page.locator(".progress", has_text="1 of 3").is_visible()
        visitor.press("3", "Enter")
        return progress

    assert drive(go_on)
    assert stored() == [4, 3]
    assert Enrolment.objects.count() == 1
