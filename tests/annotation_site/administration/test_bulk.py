"""Raters and items, many at once: what will happen is said first, a reason is asked for, and the log keeps it."""

from __future__ import annotations

import random
import uuid

import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment, bulk_admin
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, KnownAnswer, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(make_study) -> Study:
    """A study of which two raters each answered one item and hold another."""
    study = make_study(items=4)
    for number in range(2):
        enrolment = Enrolment.objects.create(rater=Rater.objects.create(pseudonym=f"R-{number}"), study=study)
        now = assignment.database_now()
        seat = assignment.claim_next(enrolment, rng=random.Random(number))
        assignment.record(
            seat=seat, enrolment=enrolment, answer=assignment.Answer(rating=4), key=uuid.uuid4(), shown_at=now, now=now
        )
        assignment.claim_next(enrolment, rng=random.Random(number))
    return study


def deed(model: type, name: str, rows) -> str:
    ids = ",".join(str(row.pk) for row in rows)
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_do", args=[name]) + f"?ids={ids}"


def text(response) -> str:
    return " ".join(response.content.decode().split())


def counted() -> int:
    return Judgement.objects.counted().count()


def reasons(row) -> list[str]:
    return [entry.additional_data["reason"] for entry in LogEntry.objects.get_for_object(row).order_by("id")]


def test_raters_are_excluded_restored_and_replaced_with_reasons(admin_client, rated):
    raters = list(Enrolment.objects.order_by("pk"))
    shown = text(admin_client.get(deed(Enrolment, "exclude", raters)))
    assert "Changed now: 2 of 2, with 2 stored answers and 2 places leased out." in shown
    refused = admin_client.post(deed(Enrolment, "exclude", raters), {"reason": "   "})
    assert (refused.status_code, counted()) == (422, 2)
    assert "Say why" in text(refused)
    told = admin_client.post(deed(Enrolment, "exclude", raters[:1]), {"reason": "at random"}, follow=True)
    assert "Exclude: 1 done." in text(told)
    # Sent again, with one more: the first reason stands.
    told = admin_client.post(deed(Enrolment, "exclude", raters), {"reason": "asked to"}, follow=True)
    assert "Exclude: nothing to change for 1." in text(told)
    assert counted() == 0
    assert [reasons(row) for row in raters] == [["at random"], ["asked to"]]
    assert LogEntry.objects.get_for_object(raters[0]).get().actor.username == "admin"
    admin_client.post(deed(Enrolment, "restore", raters[:1]), {"reason": "our mistake"})
    assert counted() == 1
    assert reasons(raters[0]) == ["at random", "our mistake"]
    admin_client.post(deed(Enrolment, "replace", raters), {"reason": "no use"})
    assert set(Seat.objects.exclude(state="free").values_list("enrolment", flat=True)) == {raters[0].pk}
    assert Judgement.objects.count() == 2


def test_seats_are_taken_back_from_many_once(admin_client, rated):
    raters = Enrolment.objects.all()
    for said in ("Take back places: 2 done.", "Take back places: nothing to change for 2."):
        told = admin_client.post(deed(Enrolment, "release", raters), {"reason": "the network"}, follow=True)
        assert said in text(told)
    assert not Seat.objects.filter(state="leased").exists()
    assert [reasons(row) for row in raters] == [["the network"]] * 2
    assert "Nothing would change" in text(admin_client.get(deed(Enrolment, "release", raters)))


def test_items_are_withdrawn_and_put_back(admin_client, rated):
    items = list(Item.objects.filter(seats__judgements__isnull=False).distinct())
    for _ in range(2):
        admin_client.post(deed(Item, "withdraw", items), {"reason": "nothing is to be seen"})
    assert counted() == 0
    admin_client.post(deed(Item, "put-back", items), {"reason": "it was another"})
    assert counted() == 2
    assert [reasons(row) for row in items] == [["nothing is to be seen", "it was another"]] * len(items)


def test_who_would_pass_the_cap_keeps_an_item_withdrawn_and_the_others_come_back(admin_client, rated):
    answered = Item.objects.filter(seats__judgements__isnull=False).first()
    other = rated.items.exclude(pk=answered.pk).filter(seats__judgements__isnull=True).first()
    admin_client.post(deed(Item, "withdraw", [answered, other]), {"reason": "look again"})
    Study.objects.filter(pk=rated.pk).update(cap=1)
    told = admin_client.post(deed(Item, "put-back", [answered, other]), {"reason": "fine"}, follow=True)
    assert "stays withdrawn" in text(told)
    assert "Put back: 1 done." in text(told)
    assert set(Item.objects.filter(withdrawn_at__isnull=False)) == {answered}


def test_the_last_check_of_a_running_study_stays(admin_client, rated):
    item = rated.items.first()
    check = Item.objects.create(
        study=rated, generation=item.generation, word=item.word, purpose="gold", position=rated.items.count()
    )
    KnownAnswer.objects.create(item=check, lowest=4, highest=5)
    Study.objects.filter(pk=rated.pk).update(check_every=10)
    told = admin_client.post(deed(Item, "withdraw", [check]), {"reason": "not sure"}, follow=True)
    assert "it is the last check of “A study”, which is open" in text(told)
    assert not Item.objects.filter(withdrawn_at__isnull=False).exists()
    Study.objects.filter(pk=rated.pk).update(check_every=0)
    admin_client.post(deed(Item, "withdraw", [check]), {"reason": "not sure"})
    assert set(Item.objects.filter(withdrawn_at__isnull=False)) == {check}


def test_a_lists_choice_leads_to_the_page_and_not_above_the_bound(admin_client, rated, monkeypatch):
    listed = reverse("admin:raters_enrolment_changelist")
    chosen = {"action": "exclude", "_selected_action": [row.pk for row in Enrolment.objects.all()]}
    assert admin_client.post(listed, chosen).url == deed(Enrolment, "exclude", Enrolment.objects.order_by("pk"))
    monkeypatch.setattr(bulk_admin, "MOST", 1)
    assert "1 at once at most" in text(admin_client.post(listed, chosen, follow=True))
    assert admin_client.get(deed(Enrolment, "exclude", Enrolment.objects.all())).status_code == 404


@pytest.mark.parametrize("ids", ["", "0", "x", "1;drop", "99999999999999999999", "-1", "²"])
def test_rows_that_are_not_there_are_not_found(admin_client, rated, ids):
    address = reverse("admin:raters_enrolment_do", args=["exclude"])
    assert admin_client.get(address, {"ids": ids}).status_code == 404
    assert admin_client.post(f"{address}?ids={ids}", {"reason": "x"}).status_code == 404
    assert admin_client.get(reverse("admin:raters_enrolment_do", args=["delete"]), {"ids": "1"}).status_code == 404
