"""axe finds nothing on the administration's first page but what unfold's own frame has."""

from __future__ import annotations

import pytest

from tests.annotation_site.browser.test_accessibility import STILL, violations
from tests.annotation_site.browser.test_live import signed_in
from tests.annotation_site.operations.test_dashboard import busy
from tests.annotation_site.reports.conftest import enrol, fill, judge

__all__ = ["busy", "enrol", "fill", "judge", "signed_in"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def test_the_first_page_of_the_administration(drive, request, signed_in):
    request.getfixturevalue("busy")("paper")

    def look(visitor):
        page = visitor.page
        page.goto("/admin/")
        found = violations(page, ("light",))
        page.locator("html").evaluate("html => html.classList.add('dark')")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        return found + violations(page, ("dark",))

    # The frame's heading stands in no landmark.
    assert [each for each in drive(look, **signed_in, **STILL) if not each.endswith(", ['h1']]")] == []
