"""axe finds nothing on any of the rater's pages, in light and in dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from annotation_site.rating import assignment

# A colour on its way from one theme to the other is no finding.
STILL = {"reduced_motion": "reduce"}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def violations(page) -> list[str]:
    found = []
    for theme in ("light", "dark"):
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
        found += violations(page)
        visitor.submit()
        found += violations(page)
        visitor.press("4", "Enter")
        visitor.press("u")
        found += violations(page)
        # A key pressed before the page is there is lost.
        with page.expect_navigation():
            page.get_by_role("link", name="Keep it and go on").click()
        visitor.press("4", "Enter")
        page.wait_for_url("**/done/")
        return found + violations(page)

    assert drive(walk, expected=(404, 422), **STILL) == []


def test_the_pages_of_a_presence_study(drive, make_study):
    make_study(kind="presence", items=2)

    def walk(visitor):
        visitor.page.goto("/studies/study/")
        visitor.page.get_by_role("button", name="Start").click()
        visitor.page.get_by_text("There is a problem").wait_for()
        found = violations(visitor.page)
        visitor.join()
        return found + violations(visitor.page)

    assert drive(walk, expected=(422,), **STILL) == []


def test_the_page_of_a_closed_study(drive, make_study):
    assignment.close_study(make_study())

    def look(visitor):
        visitor.page.goto("/studies/study/")
        return violations(visitor.page)

    assert drive(look, **STILL) == []
