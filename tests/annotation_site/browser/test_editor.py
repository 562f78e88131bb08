"""The study editor in Chromium: the preview follows what is written, and the theme needs what its policy allows."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from annotation_site import middleware

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def signed_in(admin_client, live_server):
    """A browser context's options by which an admin is signed in."""
    value, host = admin_client.cookies["sessionid"].value, urlsplit(live_server.url).hostname
    cookie = {"name": "sessionid", "value": value, "domain": host, "path": "/", "expires": -1}
    kept = {"httpOnly": True, "secure": False, "sameSite": "Lax"}
    return {"storage_state": {"cookies": [cookie | kept], "origins": []}}


def test_the_preview_follows_what_is_written(drive, make_study, signed_in):
    study = make_study(opened=False)
    address = reverse("admin:studies_study_change", args=[study.pk])

    def script(visitor):
        page = visitor.page
        page.goto(address)
        steps = page.evaluate("history.length")
        page.get_by_text("Texts", exact=True).click()
        page.locator("#id_question_en").fill("Is it so?")
        page.locator("#id_question_ko").fill("맞습니까?")
        preview = page.frame_locator("#preview-stage iframe:not(.coming)")
        preview.get_by_text("Is it so?").wait_for()
        page.get_by_role("radio", name="한국어").check()
        preview.get_by_text("맞습니까?").wait_for()
        page.get_by_label("Phone").check()
        narrow = page.locator("#preview-stage iframe").bounding_box()["width"]
        preview.locator("#answer-form[data-painted]").wait_for()
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Open in a new tab").click()
        opened.value.get_by_text("맞습니까?").wait_for()
        return narrow, page.evaluate("history.length") - steps, page.url

    narrow, steps, url = drive(script, **signed_in)
    assert (narrow, steps) == (360, 0)
    assert url.endswith(address)
    study.refresh_from_db()
    assert study.texts == {}


LOOSENED = [(directive, source) for directive, sources in middleware.ADMIN_POLICY.items() for source in sources]
VIOLATIONS = "document.addEventListener('securitypolicyviolation', seen => console.error('refused', seen.blockedURI))"


def test_the_administration_needs_each_source_that_its_policy_adds(
    chromium, live_server, make_study, signed_in, monkeypatch
):
    """Its fullest page breaks no rule; with any one source less, it does."""
    study = make_study(opened=False)
    address = reverse("admin:studies_study_change", args=[study.pk])

    def complaints() -> list[str]:
        def script(visitor):
            visitor.page.add_init_script(VIOLATIONS)
            visitor.page.goto(address)
            visitor.page.wait_for_load_state("networkidle")

        return chromium.run(script, live_server.url, signed_in)[1]

    assert complaints() == []
    for directive, source in LOOSENED:
        sources = middleware.ADMIN_POLICY[directive]
        if source == "'self'":
            continue
        tight = {**middleware.ADMIN_POLICY, directive: [other for other in sources if other != source]}
        with monkeypatch.context() as patch:
            patch.setattr(middleware, "ADMIN_POLICY", tight)
            assert complaints(), f"{directive} {source} is not needed: drop it"
