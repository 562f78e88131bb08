"""The researcher's pages: who may see them, what they show, and that nothing in them is inline."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from annotation_site.rating.models import Seat
from annotation_site.reports.report import build_report
from annotation_site.reports.sorting import sorted_rows
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study

INLINE = re.compile(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)")
NAN = re.compile(r"\bnan\b|\bNone\b", re.IGNORECASE)


def page(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    assert not INLINE.search(html)
    return html


@pytest.fixture
def production(settings):
    settings.ATTEST_ENV = "production"


PAGES = [
    "/reports/",
    "/reports/study/",
    "/reports/study/rows.csv",
    "/reports/study/report.json",
    "/reports/study/figure.svg",
    "/reports/study/figure.png",
    "/reports/study/tags/NOUN/",
    "/reports/study/live/",
    "/reports/study/items/0/",
    "/reports/study/report.html",
    "/reports/study/report.pdf",
    "/reports/study/figure.pdf",
]


@pytest.mark.parametrize("address", PAGES)
def test_in_production_a_stranger_is_sent_to_sign_in(client, make_study, production, address):
    make_study(items=1)
    response = client.get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login") + "?next=/reports/")


def test_in_production_an_account_without_a_part_in_the_study_finds_nothing(client, make_study, production):
    make_study(items=1)
    client.force_login(User.objects.create_user("visitor", is_staff=True))
    assert {client.get(address).status_code for address in PAGES if address != "/reports/"} == {404}
    assert "A study" not in page(client, "/reports/")


@pytest.mark.parametrize("role", Member.Role.values)
def test_in_production_members_see_their_study(client, rated, production, role):
    user = User.objects.create_user("member")
    Member.objects.create(study=Study.objects.get(slug="study"), user=user, role=role)
    client.force_login(user)
    assert {client.get(address).status_code for address in PAGES} == {200}
    assert "demonstration" not in page(client, "/reports/study/")


def test_the_demo_is_open_and_says_so(client, rated):
    assert "anyone may read" in page(client, "/reports/study/")
    assert client.get("/reports/study/")["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_reports_are_only_read(client, make_study, method):
    make_study(items=1)
    assert getattr(client, method)("/reports/study/").status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "/reports/other/",
        "/reports/other/rows.csv",
        "/reports/study/tags/XYZ/",
        "/reports/study/tags/NOUN/?status=lost",
        "/reports/study/figure.gif",
        "/reports/study/figure.svg?simulated=1",
        "/reports/study/figure.svg?of=arms",
        "/reports/study/tables/nothing.csv",
        "/reports/study/tables/contrasts.csv",
        "/reports/study/items/99/",
        "/reports/other/live/",
    ],
)
def test_what_is_not_there_is_not_found(client, make_study, address):
    make_study(items=1)
    assert client.get(address).status_code == 404


def test_the_list_shows_each_study_with_its_progress(client, rated, django_assert_num_queries):
    with django_assert_num_queries(1):
        html = page(client, "/reports/")
    assert "34 of 36" in html


def test_an_empty_list_says_what_to_do(client, db):
    assert "sample_pairs" in page(client, "/reports/")


def test_the_page_shows_the_rows(client, rated):
    html = page(client, "/reports/study/")
    for part in (
        "3.33",
        "2.00 to 5.00",
        "undefined: all answers equal",
        "5 of 9",
        "near or above good",
        "at least 80%",
    ):
        assert part in html
    assert not NAN.search(html)
    assert '<img src="/reports/study/figure.svg" alt="Mean of the pairs' in html


def test_the_page_takes_few_queries(client, rated, django_assert_max_num_queries):
    # The study, its judgements, items, raters and their checks, its seats, its recipes.
    with django_assert_max_num_queries(8):
        page(client, "/reports/study/")


def test_a_study_without_answers_says_what_to_do(client, make_study):
    make_study(items=4)
    html = page(client, "/reports/study/")
    assert "Send raters to" in html
    assert "<figure>" not in html


def test_every_state_names_one_next_step(client, admin_client, make_study):
    make_study(items=1)
    assert "Rate some yourself" in page(client, "/reports/study/")
    assert "raters&#x27; page" in page(admin_client, "/reports/study/")
    for state, step in (
        ("draft", "Open it in the admin"),
        ("paused", "Open it again"),
        ("closed", "Download the rows"),
    ):
        Study.objects.update(state=state)
        assert step in page(admin_client, "/reports/study/")
        assert "<h1>" in page(client, "/reports/study/")
    Study.objects.update(state="open")
    Seat.objects.update(state="pending")
    assert "manage.py precompute study" in page(client, "/reports/study/")


def test_a_full_study_is_to_be_closed(client, admin_client, make_study, fill):
    fill(make_study(items=1, seats_per_item=1), {"NOUN": [(5,)]})
    assert "Close it in the admin" in page(admin_client, "/reports/study/")
    assert "Download the rows" in page(client, "/reports/study/")


def test_simulated_raters_get_a_banner_and_a_table_of_their_own(client, make_study, fill):
    study = make_study(items=4, seats_per_item=1)
    fill(study, {"NOUN": [(1,)]}, simulated=True)
    fill(study, {"VERB": [(5,)]})
    html = page(client, "/reports/study/")
    assert "Simulated raters have answered in this study" in html
    assert "Simulated raters, not people" not in html
    apart = page(client, "/reports/study/?simulated=1")
    assert "Simulated raters, not people" in apart
    assert "/reports/study/figure.svg?simulated=1" in apart
    assert client.get("/reports/study/figure.svg?simulated=1").status_code == 200
    assert "answers of simulated raters" in page(client, "/reports/study/tags/NOUN/?simulated=1")


def test_untrained_models_are_named(client, make_study):
    make_study(items=1)
    assert "untrained" not in page(client, "/reports/study/")
    Recipe.objects.update(trained=False)
    assert "untrained model" in page(client, "/reports/study/")


def test_files_come_with_their_names(client, rated):
    csv = client.get("/reports/study/rows.csv")
    assert csv["Content-Disposition"] == 'attachment; filename="study-rows.csv"'
    assert csv.content.startswith("\ufeffstudy,population,tag".encode())
    figure = client.get("/reports/study/figure.png?download")
    assert figure["Content-Disposition"] == 'attachment; filename="study-figure.png"'
    assert "Content-Disposition" not in client.get("/reports/study/figure.svg")
    assert "default-src 'none'" in client.get("/reports/study/figure.svg")["Content-Security-Policy"]
    assert client.get("/reports/study/report.json").json()["study"] == "study"


def test_the_items_behind_a_number(client, rated, django_assert_max_num_queries):
    # The study, its recipes, its columns, and the shown items with their seats and judgements.
    with django_assert_max_num_queries(9):
        html = page(client, "/reports/study/tags/NOUN/")
    assert "Pictures by test-model" in html
    assert "<mark>dog</mark>" in html
    for answers in ("answers: 4, 5, 5", "answers: 3, 4, 2", "answers: 2, 2, 1"):
        assert answers in html
    assert "/image.png?v=" in html
    assert "layer=overlay" in html


def test_items_by_what_became_of_them(client, rated):
    dropped = page(client, "/reports/study/tags/VERB/?status=dropped")
    assert "answers: 5, word too abstract, 4" in dropped
    assert "answers: 4, image too poor, 3" not in dropped
    unscored = page(client, "/reports/study/tags/VERB/?status=unscored")
    assert "waiting" in unscored
    assert "answers: 4<" in unscored
    assert "No item of VERB is" in page(client, "/reports/study/tags/VERB/?status=too+few+ratings")


def test_items_without_an_image_say_so(client, make_study):
    make_study(items=1, done=False)
    Generation.objects.update(state="failed", error="out of memory")
    assert "not made yet" in page(client, "/reports/study/tags/NOUN/")


def test_presence_pages(client, make_study, fill):
    study = make_study(kind="presence", items=4, slug="two")
    fill(study, {"cohyponyms": [("B", "1", "0")], "non-cohyponyms": [("B", "B", "P")]})
    html = page(client, "/reports/two/")
    assert "Non-cohyponyms minus cohyponyms" in html
    assert "+100" in html
    assert "52%" in html
    assert not NAN.search(html)
    items = page(client, "/reports/two/tags/cohyponyms/")
    assert "answers: red and dog, red, neither" in items
    assert "not both present" in items


def test_rows_sort_by_a_column_with_undefined_ones_last(rated):
    rows = build_report(rated).people.rows
    assert [row.tag for row in sorted_rows(rows, "mean").rows] == ["NOUN", "VERB", "ADJ", "DET"]
    assert [row.tag for row in sorted_rows(rows, "-mean").rows] == ["ADJ", "VERB", "NOUN", "DET"]
    assert [row.tag for row in sorted_rows(rows, "-pairs").rows] == ["ADJ", "DET", "NOUN", "VERB"]
    for unknown in ("", "nothing", "__class__", "-"):
        assert sorted_rows(rows, unknown).column == ""


def test_the_sorted_column_is_marked_and_its_link_turns_it_round(client, rated):
    html = page(client, "/reports/study/?sort=-mean")
    assert 'aria-sort="descending"' in html
    assert 'href="?sort=mean"' in html
