"""axe finds nothing on what raters open on their way, in light and in dark; test_every_page.py looks at each page."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.models import Study

# A colour on its way from one theme to the other is no finding.
STILL = {"reduced_motion": "reduce"}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def violations(page, themes: tuple[str, ...] = ("light", "dark")) -> list[str]:
    found = []
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        for violation in Axe().run(page).response["violations"]:
            places = [node["target"] for node in violation["nodes"]]
            found.append(f"{page.url} ({theme}): {violation['id']} at {places}")
    return found


def test_the_pages_of_a_likert_study(drive, make_study):
    make_study(items=2)

    def walk(visitor):
        page = visitor.page
        found = []
        for address in ("/", "/studies/study/", "/nothing/", "/rate/never-was/"):
            page.goto(address)
            found += violations(page)
        visitor.join()
        visitor.wait_until_painted()
        found += violations(page)
        page.get_by_role("button", name="Instructions").click()
        found += violations(page)
        page.keyboard.press("Escape")
        page.get_by_label("Side by side").check()
        page.get_by_role("button", name="Enlarge the picture").click()
        found += violations(page)
        page.keyboard.press("Escape")
        visitor.submit()
        found += violations(page)
        visitor.press("4", "Enter")
        visitor.press("u")
        found += violations(page)
        with visitor.another_page():
            page.get_by_role("link", name="Keep it and go on").click()
        visitor.press("4", "Enter")
        page.wait_for_url("**/done/")
        return found + violations(page)

    assert drive(walk, expected=(404, 422), **STILL) == []


def test_the_pages_around_the_items_in_korean(drive, make_study):
    study = make_study(items=4, opened=False)
    Study.objects.update(instructions_shown=True, break_every=1, check_every=1, checks_may_fail=0)
    item = study.items.select_related("generation", "word").first()
    for purpose in ("practice", "instructed"):
        known = {"lowest": 5, "highest": 5}
        add_known_item(study, item.generation, item.word, purpose=purpose, known=known, map_source="uniform")
    assignment.open_study(study)

    def walk(visitor):
        page = visitor.page
        page.goto("/studies/study/")
        found, seen = violations(page, ("dark",)), set()
        page.locator("#consent").check()
        page.locator("form.consent .primary").click()
        page.wait_for_url("**/rate/**")
        while "/done/" not in page.url and len(seen) < 20:
            kind = page.url.rstrip("/").rsplit("/", 1)[-1], page.locator("h1").first.inner_text()
            if kind not in seen:
                found += violations(page, ("dark",))
            seen.add(kind)
            if page.locator("[name=answer]").count():
                page.locator("[name=answer]").first.check()
            with visitor.another_page():
                page.locator("main form .primary").last.click()
        return found + violations(page, ("dark",)), {title for address, title in seen}

    found, titles = drive(walk, locale="ko-KR", **STILL)
    assert found == []
    assert {"안내", "더 알맞은 답이 있습니다", "원하면 잠시 쉬어 가세요", "질문을 하나하나 읽어 주세요"} <= titles


def test_a_study_of_what_changed_with_keys_on_a_phone_too(drive, make_changes):
    make_changes()

    def walk(visitor):
        page, found = visitor.page, []
        visitor.join()
        visitor.wait_until_painted()
        found += violations(page)
        assert page.locator(".compared img").count() == 2
        assert page.locator("input:checked[name=answer]").count() == 0
        visitor.press("3", "Enter")
        visitor.press("u")
        assert "Both" in page.locator("#reopened").inner_text()
        visitor.press("i", "Enter")
        visitor.wait_until_painted()
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        boxes = [label.bounding_box() for label in page.locator("label.answer").all()]
        assert min(box["height"] for box in boxes) >= 44
        found += violations(page)
        visitor.press("4", "Enter")
        page.wait_for_url("**/done/")
        return found + violations(page)

    assert drive(walk, **STILL) == []
    answers = Judgement.objects.order_by("id").values_list("change", "opt_out", "current")
    assert list(answers) == [("both", "", False), ("", "image_too_poor", True), ("nothing", "", True)]
