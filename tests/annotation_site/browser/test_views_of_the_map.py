"""The heat map's views: over the picture, beside it, hidden while a key is held."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def look(drive, make_study):
    """Run a script at the first item of a likert study."""
    make_study(items=2)

    def look(script, **options):
        def at_the_item(visitor):
            visitor.join()
            visitor.wait_until_painted()
            return script(visitor.page)

        return drive(at_the_item, **options)

    return look


def test_the_map_lies_exactly_over_the_picture(look):
    def boxes(page):
        return [layer.bounding_box() for layer in page.locator("figure.map .mat > :not(button)").all()]

    under, over = look(boxes)
    assert under == over


def test_holding_h_or_the_button_hides_the_map(look):
    def hide(page):
        seen = [page.locator("#overlay").is_visible()]
        for press, lift in (
            (lambda: page.keyboard.down("h"), lambda: page.keyboard.up("h")),
            (lambda: (page.locator("#hide").hover(), page.mouse.down()), page.mouse.up),
        ):
            press()
            seen.append(page.locator("#overlay").is_visible())
            lift()
            seen.append(page.locator("#overlay").is_visible())
        return seen

    assert look(hide) == [True, False, True, False, True]


def test_the_slider_sets_the_opacity(look):
    def fade(page):
        page.locator("#opacity").fill("30")
        return page.locator("#overlay").evaluate("image => getComputedStyle(image).opacity")

    assert look(fade) == "0.3"


def test_side_by_side_shows_the_map_alone(look):
    def beside(page):
        page.get_by_label("Side by side").check()
        page.locator("#map").wait_for()
        return page.locator("#overlay").is_visible(), page.locator("#map").evaluate("image => image.naturalWidth")

    assert look(beside) == (False, 256)


def test_on_a_phone_one_picture_is_shown_and_the_other_under_it(look):
    def figures(page):
        overlaid = page.locator("figure.picture").is_visible()
        page.get_by_label("Side by side").check()
        return overlaid, page.locator("figure.picture").is_visible()

    assert look(figures, viewport={"width": 360, "height": 740}) == (False, True)


def test_the_stimulus_stands_on_the_same_grey_in_both_themes(look):
    def greys(page):
        found = []
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            colour = "element => getComputedStyle(element).backgroundColor"
            found.append((page.locator(".mat >> nth=0").evaluate(colour), page.locator("html").evaluate(colour)))
        return found

    (light_mat, light_page), (dark_mat, dark_page) = look(greys)
    assert light_mat == dark_mat == "rgb(119, 119, 119)"
    assert light_page != dark_page


def test_on_a_laptop_everything_is_in_sight_without_scrolling(look):
    def bottom(page):
        box = page.get_by_role("button", name="Submit").bounding_box()
        return box["y"] + box["height"]

    assert look(bottom) <= 720
