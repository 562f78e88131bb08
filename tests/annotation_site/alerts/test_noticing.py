"""What is noticed in a study: once an episode, again when it comes back, and at no cost where nothing happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation_site.alerts import noticing
from annotation_site.alerts.models import Alert, Bounds, Kind, Notice
from annotation_site.alerts.noticing import episodes, look, settle
from annotation_site.alerts.signs import Sign
from annotation_site.rating.assignment import database_now, put_item_back, withdraw_item
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.models import Item, Study

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def kinds(**filters) -> list[str]:
    return list(Alert.objects.filter(**filters).order_by("pk").values_list("kind", flat=True))


def test_a_study_whose_every_place_is_answered_is_told_of_once_to_each_who_asked(make_study, fill, subscriber):
    study = make_study(items=4, seats_per_item=1)
    for name in ("rosa", "vera"):
        subscriber(study, name)
    muted = subscriber(study, "mute")
    muted.mute(timezone.now())
    fill(study, {"NOUN": [(4,)], "VERB": [(4,)], "ADJ": [(4,)]})
    now = database_now()
    assert look(now) == 0
    fill(study, {"DET": [(4,)]})
    assert look(now) == 1
    assert look(now + MINUTE) == 0
    assert kinds() == ["finished"]
    told = Notice.objects.values_list("subscription__user__username", flat=True)
    assert sorted(told) == ["rosa", "vera"]
    # Closed: there is nothing to do any more.
    Study.objects.update(state="closed")
    look(now + 2 * MINUTE)
    assert Alert.objects.get().ended_at == now + 2 * MINUTE


def test_a_study_is_finished_too_when_what_was_left_is_withdrawn_and_goes_on_when_it_is_put_back(make_study, fill):
    study = make_study(items=4, seats_per_item=1)
    fill(study, {"NOUN": [(4,)], "VERB": [(4,)], "ADJ": [(4,)]})
    now, last = database_now(), study.items.get(word__tag="DET")
    assert look(now) == 0
    withdraw_item(last)
    assert look(now + MINUTE) == 1
    assert look(now + 2 * MINUTE) == 0
    put_item_back(last)
    look(now + 3 * MINUTE)
    assert Alert.objects.get().ended_at == now + 3 * MINUTE
    fill(study, {"DET": [(4,)]})
    assert look(now + 4 * MINUTE) == 1
    # Nothing is asked any more: neither finished nor looked at each minute.
    Item.objects.update(withdrawn_at=now)
    look(now + 5 * MINUTE)
    assert kinds(ended_at=None) == ["finished"]


def test_low_agreement_is_told_again_only_after_it_was_over(make_study, fill, judge):
    study = make_study(items=4, seats_per_item=4)
    cast = fill(study, {"NOUN": [(1, 5)], "VERB": [(5, 1)], "ADJ": [(1, 5)]})
    now = database_now()
    look(now)
    # Six answers: not yet what the bounds ask for.
    assert kinds() == []
    Bounds.objects.update(agreement_answers=6, seen_answers=None)
    assert look(now) == 1
    alert = Alert.objects.get()
    # Every pair at the ends of the scale: the observed disagreement exceeds the expected one, so alpha is negative.
    assert alert.data["value"] < 0
    assert (alert.data["answers"], alert.data["below"]) == (6, 0.2)

    Judgement.objects.update(rating=3)
    Judgement.objects.filter(seat__item__word__tag="NOUN").update(rating=5)
    judge(study.items.get(word__tag="DET"), cast[0], 4)
    assert look(now + MINUTE) == 0
    assert Alert.objects.get().ended_at == now + MINUTE

    for enrolment, rating in zip(cast, (1, 5), strict=False):
        Judgement.objects.filter(enrolment=enrolment).update(rating=rating)
    judge(study.items.get(word__tag="DET"), cast[1], 4)
    assert look(now + 2 * MINUTE) == 1
    assert list(Alert.objects.order_by("pk").values_list("kind", "episode")) == [("agreement", 1), ("agreement", 2)]


def test_bounds_stored_while_a_study_is_looked_at_are_those_of_the_next_look(
    client, make_study, fill, subscriber, monkeypatch
):
    study = make_study(items=4, seats_per_item=4)
    fill(study, {"NOUN": [(1, 5)], "VERB": [(5, 1)], "ADJ": [(1, 5)]})
    client.force_login(subscriber(study).user)
    real, now = noticing.signs.of_answers, database_now()

    def meanwhile(study, bounds):
        found = list(real(study, bounds))
        page = f"/research/studies/{study.slug}/alerts/"
        client.post(page, {"agreement_below": "0.2", "agreement_answers": "6", "failures_raters": "10"})
        return found

    with monkeypatch.context() as patch:
        patch.setattr(noticing.signs, "of_answers", meanwhile)
        # Six answers: too few by the bounds that this look began with, and enough by those stored meanwhile.
        assert look(now) == 0
    assert look(now + MINUTE) == 1
    assert kinds() == ["agreement"]


def test_a_number_that_wavers_about_its_bound_is_one_episode(make_study):
    study = make_study(items=1)
    for holds, over in ((True, False), (False, False), (True, False)):
        settle(study, episodes(study), [Sign(Kind.AGREEMENT, holds, over)], database_now())
    assert kinds(ended_at=None) == ["agreement"]
    assert Alert.objects.count() == 1


@pytest.fixture
def check(make_study, enrol, judge):
    """``check(passed)``: another rater comes and answers one check."""
    study = make_study(items=4, opened=False)
    item = study.items.first()
    known = add_known_item(
        study, item.generation, item.word, purpose="instructed", known={"lowest": 5, "highest": 5}, map_source="uniform"
    )
    Study.objects.filter(pk=study.pk).update(state="open", cap=10)

    def answer(*passed: bool) -> None:
        for each in passed:
            rater = enrol(study)
            seat = Seat.objects.create(
                study=study, item=known, enrolment=rater, state="done", round=1000 + rater.pk, position=known.position
            )
            judge(known, rater, 5 if each else 1, seat=seat)

    answer.study = study
    return answer


def test_checks_failed_by_the_last_raters_are_compared_with_those_before(check):
    Bounds.objects.create(study=check.study, failures_raters=4, failures_percent=30)
    check(True, True, True, False)
    now = database_now()
    look(now)
    assert kinds() == []
    # Of the last four two failed, of the four before one.
    check(True, True, False, False)
    assert look(now) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.data) == ("failures", {"percent": 50, "before": 25, "raters": 4})
    # Three in four failed, and as many before: as bad, but no worse, and no new alert after the end of this one.
    alert.end(now)
    check(False, False, False, True, True, False, False, False)
    look(now + MINUTE)
    assert Alert.objects.open().count() == 0
    check(True, True, True, True)
    look(now + 2 * MINUTE)
    assert Alert.objects.open().count() == 0


def test_images_that_nobody_draws_are_told_of(make_study, finish):
    study = make_study(items=3, opened=False, done=False)
    now = database_now()
    assert look(now) == 0
    assert look(now + 29 * MINUTE) == 0
    assert look(now + 30 * MINUTE) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.data["waiting"], alert.data["idle"]) == ("stuck", 3, True)

    worker = Worker.objects.create(name="w:1", host="w", token="t", kind="loop", started_at=now, last_seen=now)
    first = Generation.objects.select_related("prompt").first()
    finish(first)
    Generation.objects.filter(pk=first.pk).update(made_by=worker, done_at=now + 31 * MINUTE)
    look(now + 32 * MINUTE)
    assert Alert.objects.open().count() == 0

    broken = Generation.objects.filter(state="queued").first()
    Generation.objects.filter(pk=broken.pk).update(state="failed", error="CUDA out of memory")
    assert look(now + 33 * MINUTE) == 1
    assert (study.alerts.first().data["failed"], study.alerts.first().data["reason"]) == (1, "CUDA out of memory")
    Generation.objects.retry_failed()
    look(now + 34 * MINUTE)
    assert Alert.objects.open().count() == 0


def test_a_study_whose_drawing_is_paused_or_was_withdrawn_waits_for_nobody(make_study):
    make_study(items=2, opened=False, done=False)
    now = database_now()
    look(now)
    Generation.objects.update(held=True)
    Generation.objects.filter(pk=Generation.objects.first().pk).update(state="failed", error="broken")
    Item.objects.filter(generation__state="failed").update(withdrawn_at=now)
    assert look(now + 60 * MINUTE) == 0
    assert Bounds.objects.get().waiting_since is None


def test_of_two_that_notice_it_at_once_one_writes_it_down(make_study, subscriber):
    study = make_study(items=1)
    subscriber(study)
    sign = Sign(Kind.STUCK, holds=True, over=False)
    first, second = episodes(study), episodes(study)
    assert [settle(study, each, [sign], database_now()) for each in (first, second)] == [1, 0]
    assert (Alert.objects.count(), Notice.objects.count()) == (1, 1)
    # One that is behind cannot open the same episode once more after its end, nor end what it had not seen.
    settle(study, episodes(study), [Sign(Kind.STUCK, holds=False, over=True)], database_now())
    assert settle(study, second, [sign], database_now()) == 0
    assert settle(study, episodes(study), [sign], database_now()) == 1
    settle(study, first, [Sign(Kind.STUCK, holds=False, over=True)], database_now())
    assert Alert.objects.open().get().episode == 2


def test_where_nothing_has_happened_no_answer_is_read(
    make_study, fill, django_assert_num_queries, django_assert_max_num_queries, monkeypatch
):
    for number in range(3):
        fill(make_study(items=4, slug=f"s{number}"), {"NOUN": [(4, 4, 4)]})
    now = database_now()
    look(now)
    monkeypatch.setattr(noticing.signs, "of_answers", None)
    with django_assert_max_num_queries(6):
        look(now + MINUTE)


def test_one_study_that_cannot_be_read_keeps_no_other_from_being_looked_at(make_study, fill, monkeypatch, caplog):
    for number in range(2):
        study = make_study(items=1, seats_per_item=1, slug=f"s{number}")
        fill(study, {"NOUN": [(4,)]})
    real = noticing.signs.of_answers

    def broken(study, *args, **more):
        if study.slug == "s1":
            raise ValueError("not a number")
        return real(study, *args, **more)

    monkeypatch.setattr(noticing.signs, "of_answers", broken)
    assert look(database_now()) == 1
    assert kinds(study__slug="s0") == ["finished"]
    assert "Study s1 could not be looked at" in caplog.text


@pytest.mark.parametrize(
    ("seen", "answered", "left", "news"),
    [
        (None, 0, True, False),
        (None, 1, True, True),
        (100, 100, False, False),
        (100, 101, True, True),
        (10_000, 10_050, True, False),
        (10_000, 10_051, True, True),
        (10_000, 10_001, False, True),
        (10_000, 9_000, True, True),
    ],
)
def test_answers_are_read_again_after_half_a_percent_of_them_and_at_the_end(seen, answered, left, news):
    assert noticing._news(seen, answered, left=left) is news
