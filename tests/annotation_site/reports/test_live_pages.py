"""The page of a running study and of one item: what they count, what they forecast, what they link to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from annotation_site.rating.models import Judgement, Seat
from annotation_site.reports import live, watching
from annotation_site.reports.loading import load
from annotation_site.reports.outcomes import outcomes
from annotation_site.studies.models import Item, Study

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAN = re.compile(r"\bnan\b|\bNone\b", re.IGNORECASE)
INLINE = re.compile(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)")


def page(client, address):
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    assert not INLINE.search(html)
    assert not NAN.search(html)
    return html


def test_places_are_counted_tag_by_tag(rated):
    first = Seat.objects.filter(state="free", study=rated).first()
    Seat.objects.filter(pk=first.pk).update(
        state="leased", enrolment=rated.enrolments.last(), leased_until=timezone.now()
    )
    groups = dict(live.seats_by_group(rated))
    assert list(groups) == ["ADJ", "DET", "NOUN", "VERB"]
    assert (groups["NOUN"].done, groups["NOUN"].left) == (9, 0)
    # Three verbs of three places; the last has one answer and now a lease.
    assert (groups["VERB"].done, groups["VERB"].leased, groups["VERB"].free) == (7, 1, 1)


def test_the_forecast_is_what_is_left_at_the_pace_of_the_last_day(make_study, enrol, judge):
    study = make_study(items=8, seats_per_item=1)
    rater, items = enrol(study), list(study.items.order_by("pk"))
    for hours, item in zip((30, 4, 2, 0.5), items, strict=False):
        judge(item, rater, 3, answered_at=NOON - timedelta(hours=hours))
    pace = live.pace(load(study), left=4, now=NOON)
    # Three answers within the day, a day running: one in eight hours; four left take 32.
    assert (pace.last_hour, pace.last_day, pace.an_hour) == (1, 3, 3 / 24)
    assert pace.finish == NOON + timedelta(hours=32)
    # A study four hours old has its own pace, and one that nobody answers has none.
    Judgement.objects.filter(answered_at__lt=NOON - timedelta(hours=24)).delete()
    assert live.pace(load(study), left=3, now=NOON).finish == NOON + timedelta(hours=4)
    assert live.pace(load(study), left=0, now=NOON).finish is None
    quiet = live.pace(load(study), left=3, now=NOON + timedelta(days=9))
    assert (quiet.an_hour, quiet.finish) == (0, None)


def test_items_that_divide_raters_come_first(rated):
    data = load(rated)
    found = outcomes(data, data.counted())
    problems = live.disagreements(data, found)
    # 3 4 2 and 4 3 (with an image too poor) and so on; ADJ's unanimous pairs are not there.
    assert "ADJ" not in {problem.group for problem in problems}
    assert problems[0].why in {"answers 2, 3, 4", "answers 1, 2, 2"}
    (poor,) = live.too_poor(data, found)
    assert (poor.group, poor.why) == ("VERB", "1 of 3 too poor")


def test_the_live_page_shows_all_of_it(client, rated, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        html = page(client, "/reports/study/live/")
    assert "34 <span" in html
    assert "34 in the last hour" in html
    assert "At this rate the last comes on" in html
    for rater in rated.enrolments.select_related("rater"):
        assert rater.rater.pseudonym in html
    assert 'role="status">34 of 36 places answered.<' in html
    for address in re.findall(r'href="(/reports/study/[^"]*)"', html):
        assert client.get(address).status_code == 200, address


def part(client, etag=""):
    return client.get("/reports/study/live/now/", headers={"If-None-Match": etag} if etag else {})


@pytest.fixture
def _one_moment(monkeypatch) -> None:
    monkeypatch.setattr(watching, "BUCKET", 10**12)


@pytest.mark.usefixtures("_one_moment")
def test_the_part_that_changes_is_not_sent_again_until_it_does(client, rated, judge, django_assert_max_num_queries):
    response = part(client)
    assert response.status_code == 200
    assert 'hx-trigger="every 10s, seen"' in response.content.decode()
    assert f'data-etag="{escape(response["ETag"])}"' in page(client, "/reports/study/live/")
    with django_assert_max_num_queries(6):
        again = part(client, response["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", response["ETag"])

    first, last = rated.enrolments.first(), rated.enrolments.last()
    free = Seat.objects.filter(pk=Seat.objects.filter(state="free").first().pk)
    changes = [
        lambda: free.update(state="leased", enrolment=last, leased_until=timezone.now()),
        lambda: Item.objects.filter(pk=rated.items.first().pk).update(withdrawn_at=timezone.now()),
        lambda: first.exclude("quick", timezone.now()),
        lambda: judge(rated.items.first(), last, 5, seat=Seat.objects.get(state="leased")),
        lambda: Study.objects.update(state="paused"),
    ]
    for change in changes:
        change()
        response = part(client, response["ETag"])
        assert response.status_code == 200


def test_the_part_says_when_nothing_follows(client, rated):
    Study.objects.update(state="closed")
    response = part(client)
    assert (response.status_code, b"hx-get" in response.content) == (286, False)
    assert b"hx-get" not in client.get("/reports/study/live/").content


def test_what_happened_lately_is_counted_anew_though_no_row_has_changed(rated):
    now = timezone.now()
    assert watching.marks(rated, now) != watching.marks(rated, now + timedelta(seconds=watching.BUCKET))


def test_the_live_page_of_a_study_without_answers(client, make_study):
    make_study(items=2)
    html = page(client, "/reports/study/live/")
    assert "No forecast: nobody has answered within a day" in html
    assert "Nobody has answered yet" in html
    make_study(kind="presence", items=2, slug="draft", opened=False, done=False)
    assert "The study has no places yet" in page(client, "/reports/draft/live/")


def test_simulated_answers_are_named_and_counted_nowhere(client, make_study, fill):
    fill(make_study(items=4, seats_per_item=1), {"NOUN": [(1,)]}, simulated=True)
    html = page(client, "/reports/study/live/")
    assert "1 answers are by simulated raters" in html
    assert "Nobody has answered yet" in html


def test_an_item_shows_its_picture_map_and_every_answer(client, rated, enrol, judge):
    item = rated.items.filter(word__tag="NOUN").order_by("position").first()
    seat = item.seats.order_by("round").first()
    seat.judgements.update(current=False)
    judge(item, seat.enrolment, 1, seat=seat, revision=2, browser_milliseconds=2340)
    html = page(client, f"/reports/study/items/{item.position}/")
    assert "<mark>dog</mark>" in html
    assert "layer=overlay" in html
    assert "layer=map" in html
    assert "no: superseded" in html
    assert "revision 2" in html
    assert "2.3" in html
    assert "<b>scored</b>: 5" in html


def test_an_item_names_its_arm_and_the_others(client, make_study):
    study = make_study(items=2, arms=("daam", "other-word"))
    other = study.items.filter(arm="other-word").order_by("position").first()
    html = page(client, f"/reports/study/items/{other.position}/")
    assert "the map of another word" in html
    own = Item.objects.get(study=study, arm="daam", generation=other.generation)
    assert f'href="/reports/study/items/{own.position}/">daam</a>' in html


def test_checks_have_no_page_and_withdrawn_items_say_so(client, rated):
    item = rated.items.order_by("position").first()
    Item.objects.filter(pk=item.pk).update(withdrawn_at=timezone.now())
    assert "Withdrawn" in page(client, f"/reports/study/items/{item.position}/")
    Item.objects.filter(pk=item.pk).update(purpose="practice")
    assert client.get(f"/reports/study/items/{item.position}/").status_code == 404


@pytest.mark.parametrize("form", ["csv", "tex"])
def test_each_table_downloads(client, rated, form):
    response = client.get(f"/reports/study/tables/contrasts.{form}")
    assert response["Content-Disposition"] == f'attachment; filename="study-contrasts.{form}"'
    assert b"ADJ" in response.content
