"""The heat map's views: over the picture, beside it, hidden while a key is held, enlarged; each change is stored."""

from __future__ import annotations

import pytest

from annotation_site.rating.models import Judgement
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]

COLOUR = "element => getComputedStyle(element).backgroundColor"
# The colour in the map's upper left corner, as the canvas holds it.
PIXEL = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data]"


def test_each_view_shows_what_it_should_and_is_stored(drive, make_study):
    make_study(items=2)
    seen = {}

    def look(visitor):
        visitor.join()
        visitor.wait_until_painted()
        page = visitor.page
        overlay = page.locator("#overlay")
        seen["boxes"] = [layer.bounding_box() for layer in page.locator("figure.map .mat > :not(button)").all()]
        seen["tag"] = overlay.evaluate("element => element.tagName")
        seen["over"] = overlay.evaluate(PIXEL)[3]
        seen["hidden"] = []
        for press, lift in (
            (lambda: page.keyboard.down("h"), lambda: page.keyboard.up("h")),
            (lambda: (page.locator("#hide").hover(), page.mouse.down()), page.mouse.up),
        ):
            press()
            seen["hidden"].append(overlay.is_visible())
            lift()
            seen["hidden"].append(overlay.is_visible())
        page.locator("#opacity").fill("30")
        seen["opacity"] = overlay.evaluate("element => getComputedStyle(element).opacity")
        page.get_by_label("Side by side").check()
        seen["beside"] = overlay.evaluate(PIXEL)[3]
        page.get_by_role("button", name="Enlarge the heat map").click()
        seen["enlarged"] = overlay.bounding_box()["width"]
        page.keyboard.press("Escape")
        page.locator("figure.map #overlay").wait_for()
        page.get_by_label("Overlay").check()
        seen["again"] = overlay.evaluate(PIXEL)[3]
        visitor.press("4", "Enter")
        visitor.wait_until_painted()
        seen["fresh"] = [page.locator("figure.map .mat > canvas").count(), page.locator("[name=view]:checked").count()]

    drive(look)
    under, over = seen["boxes"]
    assert under == over
    assert seen["tag"] == "CANVAS"
    # The blob of the word lies away from the corner: clear over the picture, opaque beside it.
    assert (seen["over"], seen["beside"], seen["again"]) == (0, 255, 0)
    assert seen["hidden"] == [False, True, False, True]
    assert seen["opacity"] == "0.3"
    assert seen["enlarged"] > 500
    assert seen["fresh"] == [1, 1]
    stored = Judgement.objects.get()
    assert [view[1:] for view in stored.views] == [
        ["view", "overlay"], ["hide"], ["show"], ["hide"], ["show"], ["opacity", 30], ["view", "beside"],
        ["enlarge", "map"], ["shrink"], ["view", "overlay"],
    ]  # fmt: skip
    moments = [view[0] for view in stored.views]
    assert moments == sorted(moments)
    assert (stored.renderer, stored.locale, stored.viewport) == ("canvas 1", "en", "1280x720@1")
    assert moments[-1] <= stored.browser_milliseconds


def test_the_study_fixes_the_first_view_and_a_picture_of_any_shape_leaves_the_answers_where_they_are(drive, make_study):
    make_study(items=2)
    Study.objects.update(first_view="beside", colours="grey")

    def look(visitor):
        visitor.join()
        visitor.wait_until_painted()
        page = visitor.page
        first = page.locator("#overlay").evaluate(PIXEL)
        bar = page.locator(".bar img").evaluate("image => [image.naturalWidth, image.currentSrc.includes('grey')]")
        answers = page.locator(".scale").bounding_box()
        greys = []
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            greys.append((page.locator(".mat >> nth=0").evaluate(COLOUR), page.locator("html").evaluate(COLOUR)))
        visitor.press("4", "Enter")
        bottom = page.get_by_role("button", name="Submit").bounding_box()
        return first, bar, answers, page.locator(".scale").bounding_box(), bottom, greys

    (red, green, blue, alpha), bar, before, after, bottom, greys = drive(look)
    assert red == green == blue
    assert (alpha, bar) == (255, [256, True])
    (light_mat, light_page), (dark_mat, dark_page) = greys
    assert light_mat == dark_mat == "rgb(119, 119, 119)"
    assert light_page != dark_page
    assert before["height"] == after["height"]
    # On a laptop everything is in sight without scrolling.
    assert bottom["y"] + bottom["height"] <= 720


def test_on_a_phone_the_answers_never_move_and_one_picture_is_enough(drive, make_study):
    make_study(items=3)
    Recipe.objects.update(width=96)

    def look(visitor):
        visitor.join()
        page = visitor.page
        places, pictures = [], []
        for view in ("Overlay", "Side by side"):
            page.get_by_label(view).check()
            pictures.append(page.locator("figure.picture").is_visible())
            places.append(page.locator(".scale").bounding_box())
        visitor.choose("Good")
        visitor.submit()
        places.append(page.locator(".scale").bounding_box())
        page.get_by_role("link", name="Undo last").click()
        page.locator("#reopened").wait_for()
        places.append(page.locator(".scale").bounding_box())
        return places, pictures

    places, pictures = drive(look, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert pictures == [False, True]
    assert all(place == places[0] for place in places)
