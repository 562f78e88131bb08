"""The pages that follow a study: new numbers come in place, nothing is sent where nothing changed, and it ends."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotation_site.reports import watching
from tests.annotation_site.browser.test_accessibility import STILL, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HIDE = "hidden => Object.defineProperty(document, 'hidden', {value: hidden, configurable: true})"
COUNT_REFUSED = """() => {
  window.refused = 0;
  window.addEventListener('htmx:beforeRequest', (event) => (window.refused += event.defaultPrevented));
}"""


@pytest.fixture
def signed_in() -> dict[str, object]:
    """The browser context of an admin."""
    client = Client()
    client.force_login(User.objects.create_superuser("ada", "ada@example.org"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "localhost", "path": "/"}
    return {"storage_state": {"cookies": [cookie], "origins": []}}


def asked(page, part: str) -> list[int]:
    """Fills with the status of every answer to htmx."""
    statuses: list[int] = []
    page.on("response", lambda response: part in response.url and statuses.append(response.status))
    return statuses


def until(page, condition) -> None:
    for _ in range(1500):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("not so after thirty seconds")


def test_the_pages_follow_the_study_until_it_closes(drive, make_study, monkeypatch, signed_in):
    monkeypatch.setattr(watching, "SECONDS", 1)
    monkeypatch.setattr(watching, "BUCKET", 10**12)
    make_study(items=2)

    def walk(visitor):
        live = visitor.page
        own, rater = (type(visitor)(live.context.new_page()) for _ in range(2))
        statuses = asked(live, "/live/now/")
        live.goto("/reports/study/live/")
        own.page.goto("/research/studies/study/")
        for page in (live, own.page):
            page.locator("main").evaluate("main => (main.dataset.first = '')")
        until(live, lambda: 304 in statuses)
        assert 200 not in statuses

        rater.join()
        rater.press("4", "Enter")
        for page in (live, own.page):
            page.locator("main[data-first] [role=status]", has_text="1 of 6 places answered.").wait_for()
            assert page.locator("#live .big").first.inner_text().startswith("1 ")
        found = violations(live) + violations(own.page)

        live.evaluate(COUNT_REFUSED)
        live.evaluate(HIDE, True)
        before = len(statuses)
        until(live, lambda: live.evaluate("window.refused") >= 2)
        # One that was on its way when the page was hidden may still have come.
        assert len(statuses) <= before + 1
        before = len(statuses)
        live.evaluate(HIDE, False)
        live.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        until(live, lambda: len(statuses) > before)

        live.context.set_offline(True)
        live.locator("#followed.lost", has_text="No answer from the site").wait_for()
        live.context.set_offline(False)
        live.locator("#followed:not(.lost)", has_text="1 of 6 places answered.").wait_for()

        own.page.get_by_text("Close for good…").click()
        own.page.get_by_role("button", name="Close for good", exact=True).click()
        live.locator("[role=status]", has_text="The study is closed.").wait_for()
        for page in (live, own.page):
            page.locator("#live:not([hx-get])").wait_for()
            assert page.locator("main[data-first]").count() == (page is live)
        assert statuses[-1] == 286
        return found

    assert drive(walk, expected=("ERR_INTERNET_DISCONNECTED", "htmx:"), **signed_in, **STILL) == []


def test_without_scripts_a_link_reads_the_page_again(drive, make_study):
    make_study(items=2)

    def walk(visitor):
        visitor.page.goto("/reports/study/live/")
        visitor.page.get_by_role("link", name="Read again").click()
        return visitor.page.locator("[role=status]").inner_text()

    assert drive(walk, java_script_enabled=False) == "0 of 6 places answered."
