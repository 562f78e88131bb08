"""Every page of every role, in light, dark and on a phone: it is there, whole, readable and quiet.

With SCREENSHOTS=folder a picture of each page in each look is kept there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.template import Template
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse

from annotation_site.accounts.people import password_path
from annotation_site.alerts.links import mute_address
from annotation_site.alerts.models import Subscription
from annotation_site.stimuli.models import Generation
from tests.annotation_site.browser.rich_site import PASSWORD, RichSite
from tests.annotation_site.browser.walking import Walk
from tests.annotation_site.test_who_may_go_where import PATTERNS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="pages look alike on every database"),
]
# What answers with a file, with data, or to a form alone. The programs' addresses have no pages.
NO_PAGES = ("api-", "item-map", "colour-", "webhook-", "tour")
NO_PAGES_EITHER = {
    "revoke-token", "mfa_download_recovery_codes", "set_language", "image", "heat-map", "research-discard",
    "research-study-progress", "research-member-remove", "research-registration-file", "research-move",
    "report-live-part", "report-rows", "report-json", "report-whole", "report-export", "report-figure", "report-table",
    "prolific-hook", "analysis-file", "pay-approve", "pay-ledger",
    "pay-finance", "pay-paid", "pay-decide", "pay-take-back", "pay-try-again", "ahead", "heartbeat", "release",
    "own-data-file", "research-alerts-mine", "report-deviations-json", "livez", "readyz", "metrics", "invited",
}  # fmt: skip
PAGES_OF_THE_API = {"api-docs"}
# Shown on the way in alone, after the password, and in answer to a form.
ON_THE_WAY = {"mfa_authenticate", "pay-preview", "recruitment-invitations"}
# Addresses that lead on to the page that is meant.
LEADING_ON = {"account_reset_password_from_key", "same-prompt"}
# Templates that answer what goes wrong; 404 is looked at.
GONE_WRONG = {f"{name}.html" for name in ("400", "403", "403_csrf", "429", "500", "503")}
TEMPLATES = Path(__file__).parents[3] / "templates"
EXTENDS = re.compile(r'{% extends "([^"]+)" %}')
# The page's form sent twice with one key, as by two tabs, and another answer the second time.
TWICE = """async () => {
  const form = document.getElementById("answer-form"), first = new FormData(form);
  first.set("answer", "4");
  await fetch(form.action, {method: "POST", body: first});
  form.querySelector("[name=answer][value='2']").checked = true;
  HTMLFormElement.prototype.submit.call(form);
}"""

# Lists and forms of the administration's theme, whose colours and names are not ours to choose.
CHANGES = ("changelist", "change")
LISTS = [f"admin:{model._meta.app_label}_{model._meta.model_name}" for model in site._registry]
OF_STUDIES = ("admin:studies_study_move", "admin:studies_study_known", "admin:studies_study_release")
UNFOLDS = {
    "admin:index", "admin:raters_enrolment_do", *OF_STUDIES, *(f"{name}_{what}" for name in LISTS for what in CHANGES)
}  # fmt: skip

Page = tuple[str, str]
"""Its name and its address; a name has the address's name before a space."""


def visitors(rich: RichSite) -> Iterator[Page]:
    for name in ("home", "privacy", "erased", "account_login", "api-docs", "account_inactive"):
        yield name, reverse(name)
    yield "account_reset_password_from_key_done", reverse("account_reset_password_from_key_done")
    yield "account_reset_password_from_key", password_path(rich.newcomer)
    subscription, _new = Subscription.objects.get_or_create(study=rich.study, user=rich.viewer)
    yield "alert-mute", urlsplit(mute_address(subscription)).path
    yield "account_reset_password_from_key used", reverse("account_reset_password_from_key", args=["1", "old-one"])
    for slug in ("study", "presence", "draft", "paused", "closed", "full"):
        yield f"join {slug}", reverse("join", args=[slug])
    yield "arrive", reverse("arrive", args=["recruiting", "open"])
    yield "arrive full", reverse("arrive", args=["recruiting", "shut"])


def raters(rich: RichSite) -> Iterator[Page]:
    for name in ("rate", "instructions", "practice", "care", "break", "done", "last"):
        yield name, reverse(name, args=[rich.at[name].token])
    for name in ("presence", "changes"):
        yield f"rate {name}", reverse("rate", args=[rich.at[name].token])
    for name in ("practice feedback", "done code", "done screened-out", "done failed-checks", "done returned"):
        yield name, reverse(name.split()[0], args=[rich.at[name].token])
    for name in ("own-data", "erase-own-data"):
        yield name, reverse(name, args=[rich.raters[0].token])


def researchers(rich: RichSite) -> Iterator[Page]:
    for name in ("account", "tokens", "account_logout", "account_change_password", "account_reauthenticate",
                 "mfa_index", "mfa_activate_totp", "import-study", "research-home", "research-new", "reports",
                 "planning", "generations", "webhooks"):  # fmt: skip
        yield name, reverse(name)
    for name in ("report", "report-live", "report-exclusions", "analyses", "payments", "pay-scheme", "research-study",
                 "research-about", "research-alerts", "report-deviations", "research-members", "research-copy",
                 "research-preview", "research-registrations"):  # fmt: skip
        yield name, reverse(name, args=["study"])
    for name in ("research-study", "report", "research-registrations", "research-preview"):
        yield f"{name} draft", reverse(name, args=["draft"])
    yield from _of_the_study(rich)
    yield from _of_ways_in()
    yield from _of_orders(rich)


def _of_the_study(rich: RichSite) -> Iterator[Page]:
    identity = Generation.objects.filter(items__study=rich.study).first().identity
    for things in ("raters", "items"):
        yield f"research-rows {things}", reverse("research-rows", args=["study", things])
    chosen = f"?chosen={rich.raters[0].rater.pseudonym}"
    yield "research-deed", reverse("research-deed", args=["study", "raters", "exclude"]) + chosen
    yield "analysis", reverse("analysis", args=["study", "intensity"])
    yield "report-items", reverse("report-items", args=["study", "NOUN"])
    yield "report-item", reverse("report-item", args=["study", 0])
    yield "research-registration", reverse("research-registration", args=["study", 1])
    yield "generation", reverse("generation", args=[identity])
    yield "same-prompt", reverse("same-prompt", args=[identity])
    yield "compare", f"{reverse('compare')}?g={identity}"
    yield "pay-batch", reverse("pay-batch", args=["study", rich.batch.number])
    yield "pay-rater", reverse("pay-rater", args=["study", rich.raters[0].rater.pseudonym])
    yield "webhook", reverse("webhook", args=[rich.webhook.uid])


def _of_ways_in() -> Iterator[Page]:
    yield "recruitment none", reverse("recruitment", args=["study"])
    yield "recruitment", reverse("recruitment", args=["recruiting"])
    for name in ("open", "invitation", "prolific", "sona"):
        yield f"recruitment-source {name}", reverse("recruitment-source", args=["recruiting", name])
    yield "recruitment-prolific", reverse("recruitment-prolific", args=["recruiting", "prolific"])


def _of_orders(rich: RichSite) -> Iterator[Page]:
    for preset, names in (
        ("comparison", "captions pairs arms model raters pay about name"),
        ("presence", "nouns"),
        ("change", "sets"),
    ):
        for name in names.split():
            yield f"research-step {name}", reverse("research-step", args=[rich.order[preset].pk, name])
    yield "research-review", reverse("research-review", args=[rich.order["presence"].pk])
    yield "research-order", reverse("research-order", args=[rich.order["failed"].pk])


def viewers(rich: RichSite) -> Iterator[Page]:
    for name in ("mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
                 "research-home", "reports"):  # fmt: skip
        yield f"{name} viewer", reverse(name)
    yield "mfa_reauthenticate", reverse("mfa_reauthenticate")
    yield "research-study viewer", reverse("research-study", args=["study"])


def admins(rich: RichSite) -> Iterator[Page]:
    yield "admin:index", reverse("admin:index")
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name}_changelist", reverse(f"{name}_changelist")
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            yield f"{name}_change", reverse(f"{name}_change", args=[first.pk])
    yield "admin:studies_study_move", reverse("admin:studies_study_move", args=[rich.draft.pk, "open"])
    for name in ("admin:studies_study_known", "admin:studies_study_release"):
        yield name, reverse(name, args=[rich.flow.pk])
    excluding = reverse("admin:raters_enrolment_do", args=["exclude"])
    yield "admin:raters_enrolment_do", f"{excluding}?ids={rich.raters[0].pk}"
    yield "home admin", reverse("home")


def session(user: User | None) -> str:
    """Signed in, and asked for the password again a moment ago: before that nobody is shown how they sign in."""
    if user is None:
        return ""
    client = Client()
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.cookies["sessionid"].value


def answers_to_researchers(walk: Walk) -> None:
    """Pages that a form of theirs leads to, and no address."""
    page = walk.page
    page.goto(reverse("payments", args=["study"]))
    page.get_by_role("button", name="Preview what is chosen").click()
    page.wait_for_url("**/preview/")
    walk.seen("pay-preview")
    page.goto(reverse("recruitment-source", args=["recruiting", "invitation"]))
    page.get_by_label("How many").fill("2")
    page.get_by_label("Name of the batch").fill("class of June")
    page.get_by_label("Hand out as").select_option("paper")
    page.get_by_role("button", name="Make links").click()
    page.get_by_text("Print this page now").wait_for()
    walk.seen("recruitment-invitations")


def answers_to_raters(walk: Walk, rating: str) -> None:
    """What those see who do not take part, whom no link lets in, and who answer twice on the page at ``rating``."""
    page, door = walk.page, reverse("arrive", args=["recruiting", "open"])
    walk.look("arrive problem", reverse("arrive", args=["recruiting", "sona"]), status=400)
    for name, button, said in (
        ("arrive no-consent", "I do not want to take part", "You do not take part"),
        ("arrive device", "My screen is too narrow", "This device does not fit"),
    ):
        page.goto(door)
        page.get_by_role("button", name=button).click()
        page.get_by_role("heading", name=said).wait_for()
        walk.seen(name)
    page.goto(rating)
    page.evaluate(TWICE)
    page.get_by_role("heading", name="Your first answer stands").wait_for()
    walk.seen("rate answered twice", expected="status of 409")


def what_is_not_gone_to(walk: Walk) -> None:
    """Pages that are shown in the middle of signing in, and in place of what is not there or not accepted."""
    walk.page.goto(reverse("account_login"))
    walk.page.get_by_label("Username").fill("vera")
    walk.page.get_by_label("Password").fill(PASSWORD)
    walk.page.locator("main form .primary").click()
    walk.page.wait_for_url("**/2fa/authenticate/")
    walk.seen("mfa_authenticate")
    walk.look("404", "/nothing/", status=404)
    walk.page.goto(reverse("join", args=["presence"]))
    walk.page.get_by_role("button", name="Start").click()
    walk.page.get_by_text("There is a problem").wait_for()
    walk.seen("join refused", expected="status of 422")


@pytest.fixture
def rich(make_study, make_changes, tmp_path, settings, ledger_left) -> RichSite:
    settings.ATTEST_ENV, settings.PRODUCTION = "production", True
    # Whoever has just signed in sees how they do, however long the walk takes.
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 3600
    return RichSite(make_study, make_changes, tmp_path)


@pytest.fixture
def drawn() -> Iterator[set[str]]:
    """The templates that were rendered, by whichever thread."""
    names: set[str] = set()

    def note(*, template: Template, **_more: object) -> None:
        names.add(str(template.name))

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


def roles(rich: RichSite) -> list[tuple[User | None, list[Page]]]:
    walks = (None, visitors), (None, raters), (rich.researcher, researchers), (rich.viewer, viewers)
    return [(user, list(pages(rich))) for user, pages in (*walks, (rich.admin, admins))]


def left_out(rich: RichSite) -> set[str]:
    """Addresses that should have a page and are on nobody's way, and those that are wrongly said to have none."""
    seen = {name.split()[0] for _user, pages in roles(rich) for name, _address in pages} | ON_THE_WAY
    none = {name for name in PATTERNS if name.startswith(NO_PAGES)} - PAGES_OF_THE_API | NO_PAGES_EITHER
    return {name for name in PATTERNS if PATTERNS[name].name} ^ {name for name in seen if ":" not in name} ^ none


def pages_by_template() -> set[str]:
    """The templates of whole pages: those that extend another, and that none extends."""
    found = {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}
    extended = {base for text in found.values() for base in EXTENDS.findall(text)}
    return {name for name, text in found.items() if EXTENDS.search(text)} - extended


def test_every_page_of_every_role(rich, drawn, chromium, live_server):
    told = os.environ.get("SCREENSHOTS")
    folder = Path(told).resolve() if told else None
    found = [f"{name} is looked at by nobody" for name in sorted(left_out(rich))]
    walks = [(session(user), pages) for user, pages in roles(rich)]
    researcher, rating = session(rich.researcher), reverse("rate", args=[rich.at["rate"].token])

    def script(visitor):
        walk = Walk(visitor.page, folder)
        for cookie, pages in walks:
            walk.sign_in(cookie, live_server.url)
            for name, address in pages:
                walk.look(name, address, ours=name not in UNFOLDS, leads_on=name in LEADING_ON)
        walk.sign_in(researcher, live_server.url)
        answers_to_researchers(walk)
        walk.sign_in("", live_server.url)
        answers_to_raters(walk, rating)
        what_is_not_gone_to(walk)
        return walk.found

    seen, _complaints = chromium.run(script, live_server.url, {"reduced_motion": "reduce"})
    found += seen
    found += [f"{name} is rendered for nobody" for name in sorted(pages_by_template() - drawn - GONE_WRONG)]
    assert not found, "\n".join(found)
